"""Look-ups in a table of several levels equal those in one table of all entries."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.datasets import make_declarations
from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
from smartrisk.features._digests import digest_columns
from smartrisk.features._lookups import Lookup, look_up_one
from smartrisk.features._market_sums import Market
from smartrisk.features._price_level import PriceLevel
from smartrisk.features._statistics import Decay
from smartrisk.features._sum_tables import SumTable
from smartrisk.items import are_among

N_IDS, N_DAYS = 7, 6
#: Identities are spread over all 64 bits; a list of small numbers chooses among them.
IDENTITIES = digest_columns(np.arange(N_IDS + 1, dtype=np.uint64))
entries = st.lists(
    st.tuples(st.integers(0, N_IDS - 1), st.integers(0, N_DAYS - 1), st.integers(1, 3)),
    max_size=25,
)


@pytest.fixture(autouse=True, scope="module")
def _levels_stay():
    """Merge levels neither because they have grown nor for many items."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smartrisk.features._levels._SHARE", 0)
        patch.setattr("smartrisk.features._sum_tables._FEW", 0)
        yield


def table(items):
    """Return the table of (identity, day, value) triples."""
    codes, day, values = (
        np.array([item[place] for item in items], np.int64) for place in range(3)
    )
    used = np.unique(codes)
    return SumTable.from_items(
        np.searchsorted(used, codes), IDENTITIES[used], day, {"s": values}
    )


class Noting:
    """Notes something in another object while it is pickled, as a thread may."""

    def __init__(self, other):
        self.other = other

    def __reduce__(self):
        vars(self.other)["noted"] = 1
        return int, ()


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.plus(table),
        lambda table: table.plus(table).view_for(1),
        lambda table: Market({"hs6": table}),
        lambda table: PriceLevel(table.day, table.day * 1.0),
    ],
    ids=["a table", "levels as a table", "levels", "the market", "the level of prices"],
)
def test_what_is_noted_meanwhile_does_not_stop_a_copy(make):
    made = make(table([(1, 2, 3), (4, 5, 1)]))
    vars(made)["before"] = Noting(made)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    assert "noted" in vars(made)
    assert "noted" not in vars(again)


def queries():
    """Return every identity, one that no table has, on every day and a later one."""
    return np.repeat(IDENTITIES, N_DAYS + 1), np.tile(np.arange(N_DAYS + 1), N_IDS + 1)


def answers(made):
    """Return what look-ups of all queries say, by name."""
    ids, day = queries()
    view = made.view_for(len(ids))
    past = Lookup.make(view, view.find(ids), day)
    return {
        "n": past.total("n"),
        "s": past.total("s"),
        "s of 2 days": past.total("s", past.since(2)),
        "active": past.active_days,
        "last": past.days_since(),
        "first": past.days_since(first=True),
        "decayed": Decay(2).at(past),
    }


def answers_one_by_one(made):
    """Return the same from look-ups of single items."""
    found = {}
    for identity, day in zip(*queries(), strict=True):
        past = look_up_one(made, int(identity), int(day))
        for name, value in (
            ("n", past.total("n")),
            ("s", past.total("s")),
            ("s of 2 days", past.total("s", past.since(2))),
            ("active", past.active_days),
            ("last", past.days_since()),
            ("first", past.days_since(first=True)),
            ("decayed", Decay(2).at(past)),
        ):
            found.setdefault(name, []).append(value)
    return found


@settings(max_examples=100)
@given(entries, st.lists(entries, min_size=1, max_size=5))
def test_look_ups_read_all_levels(first, steps):
    grown, items = table(first), list(first)
    for more in steps:
        grown = grown.plus(table(more))
        items += more
    wanted = answers(table(items))
    for found in (answers(grown), answers_one_by_one(grown)):
        for name, values in wanted.items():
            assert np.array_equal(found[name], values, equal_nan=True), name
    if any(steps) and first:
        assert grown._levels is not None  # no look-up merged them
        assert len(grown._levels.tables) <= 3
    assert grown.digest == table(items).digest
    assert grown.last_day() == table(items).last_day()


@settings(max_examples=60)
@given(entries, entries, entries)
def test_what_is_taken_out_is_not_looked_up(kept, removed, more):
    grown = table(kept + removed).plus(table(more)).plus(table(removed).negate())
    wanted = answers(table(kept + more))
    for name, values in answers(grown).items():
        assert np.array_equal(values, wanted[name], equal_nan=True), name


def test_few_updates_are_merged_into_few_levels():
    base = [(k % N_IDS, k % N_DAYS, 1) for k in range(200)]
    grown, n_levels = table(base), []
    for number in range(40):
        grown = grown.plus(table([(number % N_IDS, N_DAYS + number, 1)]))
        n_levels.append(len(grown._levels.tables))
    assert max(n_levels) == 3


def test_levels_that_have_grown_are_merged(monkeypatch):
    monkeypatch.setattr("smartrisk.features._levels._SHARE", 4)
    grown = table([(k % N_IDS, k // N_IDS, 1) for k in range(40)])
    for day in range(10, 19):
        grown = grown.plus(table([(1, day, 1)]))
        assert grown.view_for(1) is grown._levels
    for day in (19, 20):
        grown = grown.plus(table([(1, day, 1)]))
    assert grown.view_for(1) is grown
    assert grown._levels is None


@pytest.fixture(scope="module")
def parts():
    """Return items in parts, most of them in the first one, and results."""
    world = make_declarations(n_items=3000, random_state=3)
    items = world.declarations.sort_values(
        "lodged_at", kind="stable", ignore_index=True
    )
    day = items["lodged_at"].dt.normalize()
    within = np.flatnonzero(day == day.shift())  # places that cut a day in two
    places = [2000, *within[np.searchsorted(within, [2010, 2400, 2405, 2700])]]
    cut = np.split(np.arange(len(items)), places)
    # Some items of the first part are recorded with the third one.
    held = cut[0][-400::50]
    cut[0], cut[2] = np.setdiff1d(cut[0], held), np.append(held, cut[2])
    cut = [items.iloc[rows] for rows in cut]
    return cut, world.outcomes


def learn(items, outcomes):
    results = outcomes[are_among(outcomes, items)]
    return LearnedHistory.learn(
        DeclarationFeatures(n_jobs=1),
        items,
        join_results(items, results),
        label_delay=30,
    )


@pytest.mark.parametrize("scored", [True, False])
def test_features_after_updates_are_those_of_a_fit_of_everything(parts, scored):
    cut, outcomes = parts
    history = learn(cut[0], outcomes)
    history.digests()
    probe = pd.concat([cut[-1].tail(150), cut[0].tail(50), cut[3]])
    items = cut[0]
    for number, more in enumerate(cut[1:]):
        if scored or number == 2:
            history.features.transform_matrix(probe)
        results = outcomes[are_among(outcomes, more)]
        history, _ = history.add(more, results)
        items = pd.concat([items, more], ignore_index=True)
    levelled = [t for t in history.features.blocks().values() if t._levels is not None]
    assert len(levelled) > 40
    whole = learn(items, outcomes)
    wanted = whole.features.transform_matrix(probe)
    names = whole.features.get_feature_names_out()
    found = history.features.transform_matrix(probe)
    one_by_one = np.vstack(
        [history.features.transform_one(item) for item in probe.to_dict("records")]
    )
    for matrix in (found, one_by_one):
        other = (matrix.view(np.uint32) != wanted.view(np.uint32)).any(axis=0)
        # The numbers of codes are learned in the fit alone.
        assert [name for name in names[other] if not name.endswith("__code")] == []
    still = [t for t in levelled if t._levels is not None]
    assert len(still) > 40  # before any merge
    assert history.digests() == whole.digests()
    for name, made in whole.features.blocks().items():
        grown = history.features.blocks()[name]
        assert np.array_equal(grown.ids, made.ids)
        assert np.array_equal(grown.packed, made.packed)
        assert list(grown.totals) == list(made.totals)
        for key, total in made.totals.items():
            assert np.array_equal(grown.totals[key], total)
