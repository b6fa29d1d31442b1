"""Sorting of ids and packed numbers: the same order as numpy's, by any way."""

import numpy as np
import pytest

from smartrisk.features import _sorting
from smartrisk.features._sorting import (
    count_below,
    find_firsts,
    order_of_ids,
    sort_packed,
)

#: With 100,000 rows behind them, numbers of this many bits still fit into 63.
WIDEST = 46
FAR = np.uint64(40)


@pytest.mark.parametrize("bits", [5, 30, WIDEST, WIDEST + 1, 62])
@pytest.mark.parametrize("n", [0, 1, 100_000])
def test_packed_numbers_are_sorted_with_equal_ones_in_their_order(n, bits):
    rng = np.random.default_rng(bits)
    packed = rng.integers(0, 1 << bits, n)
    packed[1::3] = packed[: len(packed[1::3])]
    wanted = np.argsort(packed, kind="stable")
    order, ordered = sort_packed(packed.copy())
    assert np.array_equal(order, wanted)
    assert np.array_equal(ordered, packed[wanted])


@pytest.mark.parametrize("n_positions", [1, 300, 70_000, 1 << 20])
def test_last_bits_that_never_fall_are_not_sorted(n_positions):
    rng = np.random.default_rng(n_positions)
    packed = rng.integers(0, n_positions, 50_000) << 17
    packed |= np.sort(rng.integers(0, 700, 50_000))
    wanted = np.argsort(packed, kind="stable")
    order, ordered = sort_packed(packed.copy(), in_order=17)
    assert np.array_equal(order, wanted)
    assert np.array_equal(ordered, packed[wanted])


def test_numbers_in_order_are_not_sorted(monkeypatch):
    packed = np.array([3, 3, 5, 9])
    wanted = packed.copy()
    monkeypatch.setattr(_sorting, "_mark_rows", None)
    monkeypatch.setattr(_sorting, "_order_by_digits", None)
    order, ordered = sort_packed(packed)
    assert order.tolist() == [0, 1, 2, 3]
    assert np.array_equal(ordered, wanted)


def test_the_widest_numbers_are_sorted_as_numbers(monkeypatch):
    # By whether the slow way is asked for: it must not be, up to the widest.
    monkeypatch.setattr(np, "argsort", None)
    packed = np.full(100_000, (1 << WIDEST) - 1)
    packed[7] = 0
    order, _ = sort_packed(packed)
    assert order[:3].tolist() == [7, 0, 1]


@pytest.mark.parametrize(
    "ids",
    [
        np.zeros(0, np.uint64),
        np.array([7], np.uint64),
        np.array([5, 3, 9, 1 << 63, 4, (1 << 63) + 7], np.uint64),
        np.random.default_rng(0).permutation(100_000).astype(np.uint64)
        << np.uint64(40),
        np.random.default_rng(1).permutation(100_000).astype(np.uint64),
    ],
    ids=["none", "one", "shared bits", "first bits differ", "last bits differ"],
)
def test_ids_are_ordered_by_all_their_bits(ids):
    assert np.array_equal(order_of_ids(ids), np.argsort(ids))


@pytest.mark.parametrize("n_numbers", [0, 1, 100, 5_000])
@pytest.mark.parametrize(("low", "high"), [(0, 300), (-50, 20), (290, 400)])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_numbers_below_sorted_and_other_numbers(n_numbers, low, high, is_sorted):
    rng = np.random.default_rng(n_numbers)
    numbers = np.sort(rng.integers(0, 300, n_numbers))
    wanted = rng.integers(low, high, 2_000)
    if is_sorted:
        wanted.sort()
    found = count_below(numbers, wanted)
    assert np.array_equal(found, np.searchsorted(numbers, wanted))


def test_of_many_sorted_numbers_only_the_ends_are_searched(monkeypatch):
    searched, search = [], np.searchsorted

    def count(numbers, wanted, **options):
        searched.append(len(wanted))
        return search(numbers, wanted, **options)

    monkeypatch.setattr(np, "searchsorted", count)
    count_below(np.arange(0, 9_000, 9), np.arange(9_000))
    assert searched == [2, 1_000]


def test_firsts_of_sorted_numbers_end_with_their_number():
    assert find_firsts(np.array([3, 3, 5, 9, 9, 9])).tolist() == [0, 2, 3, 6]
    assert find_firsts(np.zeros(0, np.int64)).tolist() == [0]
    assert _sorting._BLOCK < 100_000  # so that the tests above cross a block
