"""An update and the first score after it cost its own entries, whatever is there.

CPU time, the least of several and ratios within one run: what else runs on the machine
adds to some of them.
"""

from __future__ import annotations

import gc
import time
import tracemalloc

import pandas as pd
import pytest

from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
from smartrisk.features import _sum_tables as sum_tables

FEW, TIMES = 30_000, 10
#: Items of an update, and of the score after it.
N_ITEMS = 100
#: How many times as long an update, and the first item after it, may take on ten times
#: the history. Measured are 1.0 to 1.2; a digest of the whole history makes it 60 or
#: more, a merge of all entries 8.
MOST_GROWTH = 1.3
#: The same for 100 items, whose look-ups in larger tables miss the cache of the
#: processor more often: 1.2 is measured alone, 1.5 beside other work.
MOST_GROWTH_OF_SCORE = 2.0
N_UPDATES = 12
NAMES = ("update", "digest", "first score", "first item")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables():
    """Return the declarations and results of 30,000 items in canonical form."""
    from smartrisk.datasets import make_declarations
    from smartrisk.schema import DECLARATIONS, OUTCOMES
    from smartrisk.validation import validate

    world = make_declarations(FEW + N_ITEMS * N_UPDATES, random_state=0)
    items = validate(world.declarations, DECLARATIONS)
    results = validate(world.outcomes, OUTCOMES)
    past = items.head(FEW)
    known = results[results["declaration_id"].isin(past["declaration_id"])]
    new = items.tail(N_ITEMS * N_UPDATES)
    names = set(past["declaration_id"])
    new = new[~new["declaration_id"].isin(names)]
    return past, known, new


def repeat(items, times):
    """Return items and earlier ones like them, of other traders and documents."""
    parts = []
    for number in range(times):
        mark = f" {number}" if number else ""
        names = {
            name: items[name] + mark
            for name in ("declaration_id", "importer_id", "consignor_id")
        }
        lodged = items["lodged_at"] - pd.Timedelta(days=300 * number)
        parts.append(items.assign(lodged_at=lodged, **names))
    return pd.concat(parts, ignore_index=True)


def learn(items, results):
    return LearnedHistory.learn(
        DeclarationFeatures(n_jobs=1),
        items,
        join_results(items, results),
        label_delay=30,
    )


@pytest.fixture(scope="module")
def measured(tables):
    """Return the least CPU time of each step, by name and size of the history."""
    past, known, new = tables
    spent = [0.0]
    plain = sum_tables.digest_entries

    def timed(*arguments):
        start = time.process_time()
        found = plain(*arguments)
        spent[0] += time.process_time() - start
        return found

    times = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sum_tables, "digest_entries", timed)
        histories = {size: learn(repeat(past, size), known) for size in (1, TIMES)}
        probe = new.tail(N_ITEMS)
        one = probe.iloc[0].to_dict()
        for history in histories.values():
            history.digests()
            history.features.transform_matrix(probe)
        for number in range(0, len(new) - N_ITEMS, N_ITEMS):
            for size, history in histories.items():  # one after the other
                spent[0] = 0.0
                start = time.process_time()
                longer, _ = history.add(new.iloc[number : number + N_ITEMS])
                digests = longer.digests()
                whole = time.process_time() - start
                steps = {"update": whole, "digest": spent[0]}
                histories[size] = longer
                calls = {
                    "first score": lambda h=longer: h.features.transform_matrix(probe),
                    "first item": lambda h=longer: h.features.transform_one(one),
                }
                # In turn, since only one of them can be the first.
                name = ("first score", "first item")[number // N_ITEMS % 2]
                start = time.process_time()
                calls[name]()
                steps[name] = time.process_time() - start
                for name, seconds in steps.items():
                    times.setdefault((name, size), []).append(seconds)
        assert len(digests) > 40
    return {key: min(values) for key, values in times.items()}


@pytest.mark.parametrize("name", NAMES)
def test_an_update_takes_as_long_on_ten_times_the_history(measured, name, capsys):
    few, many = measured[name, 1], measured[name, TIMES]
    with capsys.disabled():
        print(f"\n{name}: {1e3 * few:.2f} and {1e3 * many:.2f} ms, {many / few:.2f}x")
    most = MOST_GROWTH_OF_SCORE if name == "first score" else MOST_GROWTH
    assert many < most * few


def test_an_update_does_not_double_the_memory(tables, capsys):
    past, known, new = tables
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        history = learn(past, known)
        history.digests()
        history.features.transform_matrix(new.head(N_ITEMS))
        gc.collect()
        state = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.reset_peak()
        history, _ = history.add(new.head(N_ITEMS))
        history.digests()
        update = tracemalloc.get_traced_memory()[1] - before - state
        tracemalloc.reset_peak()
        history.features.transform_matrix(new.head(N_ITEMS))
        look = tracemalloc.get_traced_memory()[1] - before - state
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - before - state
    finally:
        tracemalloc.stop()
    largest = max(
        table.packed.nbytes + sum(total.nbytes for total in table.totals.values())
        for table in history.features.blocks().values()
    )
    with capsys.disabled():
        print(
            f"\nMB: state {state / 1e6:.1f}, largest table {largest / 1e6:.1f}; more "
            f"in an update {update / 1e6:.1f}, in its first look-up {look / 1e6:.1f}, "
            f"after it {left / 1e6:.1f}"
        )
    assert update < 0.1 * state
    assert look < 3 * largest
    assert left < 0.1 * state
