"""An update costs its own entries: CPU time and memory, whatever the history holds.

CPU time, medians and ratios within one run, as in `test_growth`.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc

import pandas as pd
import pytest

from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
from smartrisk.features import _sum_tables as sum_tables

FEW, TIMES = 30_000, 10
#: How many times as long an update of 100 items may take on ten times the history.
#: Measured are 1.0 to 1.2 for the whole and for the digests; a digest of the whole
#: history makes it 60 or more, a merge 8.
MOST_GROWTH = 1.6
N_UPDATES = 15

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables():
    """Return the declarations and results of 30,000 items in canonical form."""
    from smartrisk.datasets import make_declarations
    from smartrisk.schema import DECLARATIONS, OUTCOMES
    from smartrisk.validation import validate

    world = make_declarations(FEW + 100 * N_UPDATES, random_state=0)
    items = validate(world.declarations, DECLARATIONS)
    results = validate(world.outcomes, OUTCOMES)
    past = items.head(FEW)
    known = results[results["declaration_id"].isin(past["declaration_id"])]
    new = items.tail(100 * N_UPDATES)
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
    """Return the CPU times of updates and of their digests, by size of the history."""
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
        for size in (1, TIMES):
            history = learn(repeat(past, size), known)
            history.digests()
            for number in range(0, len(new) - 100, 100):
                spent[0] = 0.0
                start = time.process_time()
                history, _ = history.add(new.iloc[number : number + 100])
                digests = history.digests()
                whole = time.process_time() - start
                times.setdefault(("update", size), []).append(whole)
                times.setdefault(("digest", size), []).append(spent[0])
            assert len(digests) > 40
    return {key: statistics.median(values) for key, values in times.items()}


@pytest.mark.parametrize("name", ["update", "digest"])
def test_an_update_takes_as_long_on_ten_times_the_history(measured, name, capsys):
    few, many = measured[name, 1], measured[name, TIMES]
    with capsys.disabled():
        print(f"\n{name}: {1e3 * few:.2f} and {1e3 * many:.2f} ms, {many / few:.2f}x")
    assert many < MOST_GROWTH * few


def test_an_update_does_not_double_the_memory(tables, capsys):
    past, known, new = tables
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        history = learn(past, known)
        history.digests()
        history.features.transform_matrix(new.head(100))
        gc.collect()
        state = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.reset_peak()
        history, _ = history.add(new.head(100))
        history.digests()
        update = tracemalloc.get_traced_memory()[1] - before - state
        tracemalloc.reset_peak()
        history.features.transform_matrix(new.head(100))
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
