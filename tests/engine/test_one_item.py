"""One item with fields absent, or written as text, is scored as in a batch."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import smartrisk as sr
from smartrisk.engine import _reading
from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.models import RiskClassifier
from smartrisk.schema import DECLARATIONS

FIELDS = tuple(
    name
    for name in sr.datasets.example_declarations(2).columns
    if name not in ("description", "declaration_type")
)
OPTIONAL = tuple(name for name in FIELDS if name not in DECLARATIONS.required)


@pytest.fixture(scope="module")
def row(world):
    """Return a one-row frame of canonical DECLARATIONS."""
    return world.declarations.tail(800).iloc[[7]]


def without(row, name):
    """Return the frame with a field that has no value; items get number 1."""
    if name == "item_number":
        return row.assign(item_number=1)
    if pd.api.types.is_bool_dtype(row[name].dtype):
        return row.assign(**{name: pd.array([None], "boolean")})
    return row.assign(**{name: pd.Series([None], row.index, dtype=row[name].dtype)})


def assert_same(engine, item, frame):
    """Assert that scores and reasons of an item are bit-identical to the batch."""
    batch, one = engine.score(frame).iloc[0], engine.score_one(item)
    assert one["risk_score"] == batch["risk_score"]
    assert one["expected_revenue"] == batch["expected_revenue"]
    reasons, alone = engine.explain(frame), engine.explain_one(item)
    assert alone.sentences() == reasons.sentences()
    assert np.array_equal(alone.raw_score, reasons.raw_score)


@pytest.mark.parametrize("moment", ["a moment", "a text"])
@pytest.mark.parametrize("name", OPTIONAL)
def test_an_item_without_a_field_is_scored_as_in_the_batch(engine, row, name, moment):
    item = row.iloc[0].drop(name).to_dict()
    if moment == "a text":  # so that the item is not canonical
        item["lodged_at"] = str(item["lodged_at"])
    assert_same(engine, item, without(row, name))


@pytest.mark.parametrize("name", FIELDS)
def test_an_item_with_a_field_as_text_is_scored_as_in_the_batch(engine, row, name):
    text = str(row.iloc[0][name])
    item = row.iloc[0].to_dict() | {name: text}
    assert_same(engine, item, row.assign(**{name: text}))


def test_an_item_of_a_json_text_is_scored_as_in_the_batch_without_a_table(
    engine, row, monkeypatch
):
    plain = row.iloc[0].to_dict() | {"carrier_id": None, "office": 17}
    moment = plain["lodged_at"].isoformat()
    text = json.dumps(plain | {"lodged_at": moment}, default=lambda value: value.item())
    expected = row.assign(carrier_id=None, office="17")
    assert_same(engine, json.loads(text), expected)
    monkeypatch.setattr(_reading, "read_declarations", None)
    assert engine.score_one(json.loads(text)) == engine.score_one(plain)


@pytest.mark.parametrize("name", DECLARATIONS.required)
def test_an_item_without_a_required_field_is_refused_as_in_the_batch(engine, row, name):
    for call, table in (
        (engine.score, row.drop(columns=name)),
        (engine.score_one, row.iloc[0].drop(name).to_dict()),
        (engine.explain_one, row.iloc[0].drop(name).to_dict()),
    ):
        with pytest.raises(TableError, match=f"'{name}'"):
            call(table)


def test_an_item_of_required_fields_only_is_scored_as_in_the_batch(engine, row):
    item = {
        "declaration_id": "A",
        "lodged_at": "2024-06-01",
        "tariff_code": "0901210000",
    }
    frame = row.assign(**item)
    for name in OPTIONAL:
        frame = without(frame, name)
    assert_same(engine, item, frame)
    assert engine.score_one(item)["expected_revenue"] > 0.0


def test_a_value_is_no_scale_for_an_engine_fitted_without_values(world):
    split = sr.windows.time_split(world.declarations, world.outcomes)
    engine = sr.RiskEngine(classifier=RiskClassifier(n_estimators=5))
    engine.fit(split.past.drop(columns="customs_value"), split.known)
    later = split.later.head(6)
    scores = engine.score(later.drop(columns="customs_value"))
    for factor in (1.0, 1000.0):
        valued = later.assign(customs_value=later["customs_value"] * factor)
        pd.testing.assert_frame_equal(engine.score(valued), scores)
        item = valued.iloc[2].to_dict()
        # The rate as text takes every check of a table, which keeps all its fields.
        as_text = {name: str(item[name]) for name in ("lodged_at", "duty_rate")}
        for one in (item, item | as_text):
            found = engine.score_one(one)["expected_revenue"]
            assert found == scores["expected_revenue"].iloc[2] > 0


def test_a_table_may_leave_out_what_one_item_may(engine, row):
    whole = engine.score(row.assign(carrier_id=None))
    pd.testing.assert_frame_equal(engine.score(row.drop(columns="carrier_id")), whole)
    with pytest.warns(
        DataQualityWarning, match=r"score: the scores use 'customs_value', which"
    ):
        engine.score(row.drop(columns="customs_value"))
    with pytest.warns(
        DataQualityWarning, match=r"explain: the scores use 'origin', which"
    ):
        engine.explain(row.drop(columns="origin"))


def test_one_item_has_its_values_put_in_the_words_of_the_schema(engine, row):
    item = row.iloc[0].to_dict()
    same = item | {"origin": "United Kingdom", "quantity_unit": " kg", "office": 17.0}
    usual = item | {"origin": "GB", "quantity_unit": "KGM", "office": "17"}
    assert engine.score_one(same) == engine.score_one(usual)
    with pytest.raises(TableError, match="'lodged_at': not a date in 1 rows: 'now'"):
        engine.score_one(item | {"lodged_at": "now"})


def test_fields_that_no_feature_uses_change_no_score_and_no_version(world):
    split = sr.windows.time_split(world.declarations, world.outcomes)
    more = {"currency": "USD", "incoterm": "CIF", "freight": 1.0, "container_id": "C"}
    small = sr.RiskEngine(classifier=RiskClassifier(n_estimators=5))
    plain = clone(small).fit(split.past, split.known)
    engine = clone(small).fit(split.past.assign(**more), split.known)
    assert engine.version_ == plain.version_
    later = split.later.head(50)
    expected = plain.score(later)
    pd.testing.assert_frame_equal(engine.score(later), expected)
    pd.testing.assert_frame_equal(plain.score(later.assign(**more)), expected)


def test_whole_numbers_of_a_json_text_have_the_history_of_those_of_a_table(engine, row):
    known = row.assign(declaration_id="known", net_mass_kg=120.0, duty_rate=0.0)
    longer = engine.copy().update(known)
    later = known["lodged_at"] + pd.Timedelta(days=3)
    asked = known.assign(declaration_id="asked", lodged_at=later)
    item = asked.iloc[0].to_dict() | {"net_mass_kg": 120, "duty_rate": 0}
    features = longer.features_
    batch = features.transform_matrix(pd.concat([asked, row]))
    column = features.get_feature_names_out().tolist().index("goods_line__n_items")
    assert batch[0, column] >= 1
    values = _reading.read_item(item, features, longer.own_fields_)
    np.testing.assert_array_equal(features.transform_one(values)[0], batch[0])
    assert longer.score_one(item) == longer.score_one(asked.iloc[0].to_dict())
    objects = asked.astype(object).assign(net_mass_kg=[120], duty_rate=[0])
    assert (
        longer.score(objects)
        .drop(columns="scored_at")
        .equals(longer.score(asked).drop(columns="scored_at"))
    )


@pytest.mark.parametrize("flow", ["export", "transit"])
def test_an_item_that_is_no_import_is_refused(engine, row, flow):
    item = row.iloc[0].to_dict()
    expected = engine.score_one(item)
    for same in ("import", None, pd.NA, float("nan"), "IMPORT"):
        assert engine.score_one(item | {"flow": same}) == expected
    for ask in (engine.score_one, engine.explain_one):
        with pytest.raises(TableError, match=f"no import.*'{flow}'"):
            ask(item | {"flow": flow})
        with (
            pytest.warns(DataQualityWarning, match="not imports"),
            pytest.raises(TableError, match="no import"),
        ):
            ask(item | {"flow": flow.upper()})
