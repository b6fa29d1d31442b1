"""A table of one row is scored without the checks of a table, and as after them."""

from __future__ import annotations

import datetime
import warnings

import pandas as pd
import pytest
from sklearn.base import clone

from smartrisk.engine import _engine, _one_row
from smartrisk.errors import SmartRiskError
from smartrisk.schema import TIME_ZONE

NOON = datetime.datetime(2026, 1, 2, 12)


@pytest.fixture(scope="module")
def later(world):
    """Return canonical items."""
    return world.declarations.tail(60)


def outcome(engine, row):
    """Return the scores of a row and the warnings, or the error."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            scores = engine.score(row)
        except SmartRiskError as error:
            return str(error)
    return scores, [str(w.message) for w in found]


def assert_same_as_checked(engine, row, monkeypatch):
    """Assert that the quick path and the checks give the same scores and warnings."""
    quick = outcome(engine, row)
    with monkeypatch.context() as patch:
        patch.setattr(_engine, "score_row", lambda *_: None)
        checked = outcome(engine, row)
    if isinstance(checked, str):
        assert quick == checked
        return
    pd.testing.assert_frame_equal(quick[0], checked[0], check_exact=True)
    assert quick[0].attrs == checked[0].attrs
    assert quick[1] == checked[1]


@pytest.fixture
def timed(engine):
    """Return the engine with a clock that stands still."""
    copied = clone(engine)
    copied.__dict__.update(vars(engine))
    return copied.set_params(clock=NOON)


def test_rows_are_scored_as_after_the_checks(timed, later, monkeypatch):
    rows = [later.iloc[[n]] for n in range(25)]
    for row in rows:
        assert_same_as_checked(timed, row, monkeypatch)
    taken = [_one_row.score_row(timed._state, row, NOON) for row in rows]
    assert sum(scores is not None for scores in taken) > 20


CHANGES = {
    "no item number": lambda row: row.drop(columns="item_number"),
    "no number of the item": lambda row: row.assign(item_number=pd.NA),
    "another index": lambda row: row.set_axis(["x"]),
    "an own column": lambda row: row.assign(something=1),
    "a result": lambda row: row.assign(illicit=1),
    "a flag": lambda row: row.assign(dq_zero_quantity=True),
    "no value": lambda row: row.assign(customs_value=float("nan")),
    "a value of zero": lambda row: row.assign(customs_value=0.0),
    "no rate": lambda row: row.assign(duty_rate=float("nan")),
    "a column that the scores use is absent": lambda row: row.drop(columns="origin"),
    "a carrier is absent": lambda row: row.drop(columns="carrier_id"),
    "no importer": lambda row: row.assign(importer_id=None),
    "no document": lambda row: row.assign(declaration_id=None),
    "no moment": lambda row: row.assign(lodged_at=pd.NaT),
    "a moment as text": lambda row: row.assign(lodged_at="2024-06-01T08:00:00"),
    "a moment of another form": lambda row: row.assign(lodged_at="31/05/2024"),
    "a zone": lambda row: row.assign(lodged_at="2024-06-01T08:00:00-05:00"),
    "an unknown country": lambda row: row.assign(origin="ZZ"),
    "an export": lambda row: row.assign(flow="export"),
    "an import": lambda row: row.assign(flow="import"),
    "no such flow": lambda row: row.assign(flow="sideways"),
    "a net mass above the gross": lambda row: row.assign(net_mass_kg=1e9),
    "a negative value": lambda row: row.assign(customs_value=-1.0),
    "a column twice": lambda row: pd.concat([row, row["office"]], axis=1),
    "a name that is no text": lambda row: row.assign(**{"x": 1}).rename(
        columns={"x": 3}
    ),
    "a time zone": lambda row: with_attrs(row, TIME_ZONE, "America/Lima"),
}


def with_attrs(row, name, value):
    """Return a row with an attribute."""
    row = row.copy()
    row.attrs[name] = value
    return row


@pytest.mark.parametrize("name", CHANGES)
def test_a_row_that_is_changed_is_scored_as_after_the_checks(
    timed, later, monkeypatch, name
):
    row = CHANGES[name](later.iloc[[3]])
    assert_same_as_checked(timed, row, monkeypatch)


def test_items_of_the_fit_are_marked(timed, world, monkeypatch):
    learned = world.declarations[timed.has_learned(world.declarations)]
    assert len(learned) > 3
    for n in range(3):
        row = learned.iloc[[n]]
        assert timed.score(row).attrs
        assert not timed.score(row.assign(declaration_id="new")).attrs
        assert_same_as_checked(timed, row, monkeypatch)
