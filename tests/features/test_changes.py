"""A history that grew in steps equals one that was made at once, digest included."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.features._digests import EMPTY, add_digests, digest_columns
from smartrisk.features._duty_incentive import LowestTable
from smartrisk.features._merging import merge_entries
from smartrisk.features._sum_tables import SumTable

entries = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(-3, 3)), max_size=25
)
#: Identities are spread over all 64 bits; a list of small numbers chooses among them.
IDENTITIES = digest_columns(np.arange(7, dtype=np.uint64))


def table(items):
    """Return the table of (identity, day, value) triples."""
    codes = np.array([i for i, _, _ in items], np.int64)
    day = np.array([d for _, d, _ in items], np.int64)
    values = np.array([v for _, _, v in items], np.int64)
    used = np.unique(codes)
    return SumTable.from_items(
        np.searchsorted(used, codes), IDENTITIES[used], day, {"s": values}
    )


def assert_equal_tables(left, right):
    assert np.array_equal(left.ids, right.ids)
    assert np.array_equal(left.packed, right.packed)
    assert np.array_equal(left.starts, right.starts)
    for name in ("n", "s"):
        assert np.array_equal(left.sums[name], right.sums[name])
    assert left.digest == right.digest


@settings(max_examples=80)
@given(entries, st.lists(st.tuples(entries, st.booleans()), max_size=4), st.booleans())
def test_steps_equal_the_whole(first, steps, known):
    grown, items = table(first), list(first)
    if known:
        assert grown.digest is not None
    before = grown
    content = before.ids.copy(), before.packed.copy(), before.sums["s"].copy()
    for more, read in steps:
        grown = grown.plus(table(more))
        items += more
        if read:
            assert grown.starts[-1] == len(grown.packed)
    assert_equal_tables(grown, table(items))
    assert_equal_tables(before, table(first))
    assert np.array_equal(content[0], before.ids)
    assert np.array_equal(content[1], before.packed)
    assert np.array_equal(content[2], before.sums["s"])


@settings(max_examples=80)
@given(entries, entries)
def test_what_is_taken_out_leaves_no_trace(kept, removed):
    whole = table(kept + removed)
    assert whole.digest == add_digests(table(kept).digest, table(removed).digest)
    assert_equal_tables(whole.plus(table(removed).negate()), table(kept))


@settings(max_examples=60)
@given(entries, entries)
def test_entries_are_found_before_they_are_merged(first, more):
    whole = table(first + more)
    grown = table(first).plus(table(more))
    ids, days = np.repeat(IDENTITIES, 5), np.tile(np.arange(5), 7)
    found = grown.exactly(ids, days)
    wanted = whole.exactly(ids, days)
    if first and more:
        assert grown._levels is not None  # it was not merged for that
    for name in ("n", "s"):
        assert np.array_equal(found[name], wanted[name])
    assert found["n"].sum() == len(first + more)


@settings(max_examples=60)
@given(entries, st.integers(0, 60), st.integers(1, 9))
def test_a_digest_changes_with_every_number(items, place, by):
    if not items:
        assert table(items).digest == EMPTY
        return
    made = table(items)
    place %= len(made.packed)
    for name in ("n", "s"):
        sums = {key: values.copy() for key, values in made.sums.items()}
        sums[name][place] += by
        assert SumTable(made.ids, made.packed, sums).digest != made.digest
    later = made.packed.copy()
    later[-1] += by
    assert SumTable(made.ids, later, made.sums).digest != made.digest
    ids = made.ids.copy()
    ids[-1] += np.uint64(by)
    assert SumTable(ids, made.packed, made.sums).digest != made.digest


def test_a_digest_is_the_same_on_every_machine():
    made = table([(0, 1, 2), (0, 3, -1), (5, 0, 7)])
    assert made.digest == (18192468795060740891, 3695844196898524389)


def test_an_interrupt_leaves_a_table_whose_parts_are_not_merged(monkeypatch):
    first, more = [(0, 1, 2), (3, 0, 1)], [(0, 1, 1), (2, 2, 2)]
    grown = table(first).plus(table(more))

    def interrupted(base, change):
        merge_entries(base, change)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("smartrisk.features._levels.merge_entries", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _ = grown.packed
    assert_equal_tables(grown, table(first + more))


def test_threads_that_merge_at_once_see_one_table():
    first = [(k % 7, k % 5, k) for k in range(200)]
    more = [(k % 3, k % 4, -k) for k in range(50)]
    for _ in range(20):
        grown = table(first).plus(table(more))
        start, found = threading.Barrier(4), []

        def read(grown=grown, start=start, found=found):
            start.wait()
            found.append((grown.packed.sum(), grown.totals["s"][-1]))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1


@settings(max_examples=60)
@given(entries, entries, entries)
def test_the_lowest_of_a_day_follows_what_comes_and_goes(kept, removed, more):
    def lowest(items):
        frame = pd.DataFrame(items, columns=["id", "day", "value"])
        return LowestTable.from_items(
            IDENTITIES[frame["id"].to_numpy(np.int64)],
            frame["day"].to_numpy(np.int64),
            frame["value"].to_numpy(np.int64),
        )

    days = {day for _, day, _ in removed}
    rest = [item for item in kept if item[1] in days]
    found = (
        lowest(kept + removed).without(lowest(removed), lowest(rest)).plus(lowest(more))
    )
    wanted = lowest(kept + more)
    assert np.array_equal(found.entries.packed, wanted.entries.packed)
    assert np.array_equal(found.entries.ids, wanted.entries.ids)
    assert np.array_equal(found.so_far, wanted.so_far)
    assert found.entries.digest == wanted.entries.digest
