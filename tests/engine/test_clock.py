"""`scored_at` and `decided_at`: by the clock of the engine, and in no law."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sklearn.base import clone

from smartrisk import RiskEngine, clock
from smartrisk.clock import read_clock
from smartrisk.errors import ArgumentError
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.selectivity import Policy, select
from smartrisk.validation import validate

EIGHT = pd.Timestamp("2026-03-02 08:00")


@pytest.fixture
def timed(engine):
    """Return an engine whose clock stands still."""
    copied = engine.copy()
    return copied.set_params(clock=EIGHT)


def test_scores_and_decisions_have_the_moment_of_the_clock(timed, past_and_new):
    """One column each, in the type of every moment."""
    new = past_and_new[1].head(30)
    scores, decisions = timed.score(new), timed.select(new, capacity=0.1)
    assert (scores["scored_at"] == EIGHT).all()
    assert (decisions["decided_at"] == EIGHT).all()
    assert scores["scored_at"].dtype == decisions["decided_at"].dtype
    assert str(scores["scored_at"].dtype) == "datetime64[us]"


def test_the_clock_changes_nothing_else(engine, timed, past_and_new):
    """Neither a score, nor a decision, nor the version."""
    new = past_and_new[1].head(30)
    later = engine.copy().set_params(clock=lambda: EIGHT + timedelta(days=1))
    for method in ("score", "select"):
        first, second = getattr(timed, method)(new), getattr(later, method)(new)
        moment = ["scored_at"] if method == "score" else ["decided_at"]
        assert (second[moment] - first[moment] == timedelta(days=1)).to_numpy().all()
        pd.testing.assert_frame_equal(
            first.drop(columns=moment), second.drop(columns=moment)
        )
    assert timed.version_ == later.version_ == engine.version_


def test_a_clock_is_kept_by_clone_and_not_saved(timed, tmp_path):
    """A function cannot be saved; a fixed moment would date later scores wrongly."""
    assert clone(timed).get_params()["clock"] == EIGHT
    calls = clone(timed.set_params(clock=lambda: EIGHT))
    assert calls.get_params()["clock"]() == EIGHT
    assert RiskEngine.load(timed.save(tmp_path / "engine")).clock is None


def test_now_is_in_the_time_zone_of_the_items(engine, world):
    """That of their map; UTC where none is stated. Moments count to the second."""
    local = ColumnMap(time_zone="America/Lima")
    items = validate(world.declarations.tail(3), DECLARATIONS, columns=local)
    noon = datetime(2026, 1, 31, 12, 0, 0, 500, tzinfo=UTC)
    timed = engine.copy().set_params(clock=noon)
    assert (
        timed.score(items)["scored_at"].tolist() == [pd.Timestamp("2026-01-31 07")] * 3
    )
    assert timed.select(items)["decided_at"].iloc[0] == pd.Timestamp("2026-01-31 07")
    plain = timed.score(world.declarations.tail(3))
    assert plain["scored_at"].iloc[0] == pd.Timestamp("2026-01-31 12")


def test_without_a_clock_it_is_now():
    """By the time of this machine, which a fresh copy of the module reads."""
    fresh = runpy.run_path(clock.__file__)
    before = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    shown = fresh["read_clock"]("engine", None)
    assert before <= shown <= datetime.now(UTC).replace(tzinfo=None)


def test_a_selection_takes_a_clock_of_its_own(engine, past_and_new):
    """`select` and `Policy.select` do, also without declarations."""
    scores = engine.score(past_and_new[1].head(5))
    for decided in (
        select(scores, capacity=1, clock=EIGHT),
        Policy(capacity=1).select(scores, clock=lambda: EIGHT),
    ):
        assert (decided["decided_at"] == EIGHT).all()


@pytest.mark.parametrize("wrong", ["today", 3, pd.NaT])
def test_what_is_no_clock_is_refused(wrong, declarations, outcomes):
    """Before anything is learned."""
    with pytest.raises(ArgumentError, match="'clock' must be None, a moment"):
        RiskEngine(clock=wrong).fit(declarations, outcomes)


def test_a_function_that_returns_no_moment_is_refused():
    """The message says what it returned."""
    with pytest.raises(ArgumentError, match=r"must return a moment.*got 'noon'"):
        read_clock("select", lambda: "noon")
