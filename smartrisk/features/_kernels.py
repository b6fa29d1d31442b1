"""Loops over items that numba compiles; plain Python that gives the same numbers.

Nothing here is called as Python but by tests: `_compiled` compiles the functions and
says when they are used. All sums are whole numbers, so that the order of additions
does not matter.

`rows` are items in the order of their days, none where that is their own order; `codes`
the value of each item, -1 missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._packed_days import DAY_BITS

Int = NDArray[Any]
Float = NDArray[np.float64]

# numba takes it as a constant of the compiled code.
_DAY_BITS = DAY_BITS
#: Makes a product of 64 bits of numbers of 32.
_ONE = np.int64(1)


def count_codes(codes: Int, counts: Int) -> None:
    """Add the number of items of each value to its count."""
    for i in range(len(codes)):
        if codes[i] >= 0:
            counts[codes[i]] += 1


def number_repeated(codes: Int, numbers: Int, found: Int) -> int:
    """Write a number for each value that several items have; return how many.

    `found` becomes -1 where a value is missing or of one item alone. `numbers` is 0 for
    each code.
    """
    for i in range(len(codes)):
        if codes[i] >= 0:
            numbers[codes[i]] += 1
    n_repeated = 0
    for c in range(len(numbers)):
        if numbers[c] > 1:
            numbers[c] = n_repeated
            n_repeated += 1
        else:
            numbers[c] = -1
    for i in range(len(codes)):
        found[i] = numbers[codes[i]] if codes[i] >= 0 else -1
    return n_repeated


def number_pairs(
    left: Int, right: Int, ends: Int, order: Int, seen: Int, found: Int, first: Int
) -> int:
    """Write the number of each item's pair of codes; return how many there are.

    `found` is -1 where a code is missing, and stays so; `first` becomes an item of each
    pair. `ends` (one longer than there are codes on the left) is 0, `seen` (as long as
    there are on the right) -1, and `order` space for items: those of a code on the left
    are numbered one after the other, so that a number below those of this code is one
    of another.
    """
    for i in range(len(left)):
        if left[i] >= 0:
            ends[left[i] + 1] += 1
    for c in range(1, len(ends)):
        ends[c] += ends[c - 1]
    n_left = ends[-1]
    for i in range(len(left)):
        c = left[i]
        if c >= 0:
            order[ends[c]] = i
            ends[c] += 1
    n_pairs = 0
    begin = 0
    for k in range(n_left):
        i = order[k]
        if k == 0 or left[i] != left[order[k - 1]]:
            begin = n_pairs
        c = right[i]
        if c >= 0:
            if seen[c] < begin:
                seen[c] = n_pairs
                first[n_pairs] = i
                n_pairs += 1
            found[i] = seen[c]
    return n_pairs


def place_items(codes: Int, rows: Int, free: Int, order: Int) -> None:
    """Write the items of each value side by side, in the order of their days.

    `free` is where the next item of each code goes.
    """
    for k in range(len(codes)):
        row = rows[k] if len(rows) else k
        code = codes[row]
        if code >= 0:
            order[free[code]] = row
            free[code] += 1


def find_entries(
    order: Int, day: Int, bounds: Int, packed: Int, counted: Int, starts: Int
) -> int:
    """Write the entries (value, day) of sorted items; return their number.

    `bounds` is where the items of each value begin, and the number of all; `starts`
    becomes the same of entries, `counted` where the items of each entry begin, and the
    number of all.
    """
    n_entries = 0
    for p in range(len(bounds) - 1):
        starts[p] = n_entries
        for k in range(bounds[p], bounds[p + 1]):
            wanted = (p << _DAY_BITS) | day[order[k]]
            if k == bounds[p] or packed[n_entries - 1] != wanted:
                packed[n_entries] = wanted
                counted[n_entries] = k
                n_entries += 1
    starts[len(bounds) - 1] = n_entries
    counted[n_entries] = len(order)
    return n_entries


def add_runs(order: Int, counted: Int, values: Int, total: Int, squares: Int) -> None:
    """Write running totals of a value of sorted items, and of its square.

    `counted` is where the items of each entry begin, and the number of all; `total` is
    as long. `squares` is like it, or empty.
    """
    running = np.int64(0)
    squared = np.int64(0)
    total[0] = 0
    if len(squares):
        squares[0] = 0
    for e in range(len(counted) - 1):
        for k in range(counted[e], counted[e + 1]):
            value = values[order[k]] * _ONE
            running += value
            squared += value * value
        total[e + 1] = running
        if len(squares):
            squares[e + 1] = squared


def run_days(
    codes: Int, day: Int, place: Int, state: Int, asked: Any, out: Int
) -> None:
    """Write number, last and first day of earlier items of the same value.

    Items are in the order of their days; `asked` is the range of those to write, in
    the order too. `place` is the next one to add, `state` (number, last and first day)
    by code: both are kept between calls.
    """
    j = place[0]
    for i in range(asked[0], asked[1]):
        while day[j] < day[i]:
            c = codes[j]
            if c >= 0:
                if state[c, 0] == 0:
                    state[c, 2] = day[j]
                state[c, 0] += 1
                state[c, 1] = day[j]
            j += 1
        k = i - asked[0]
        if codes[i] >= 0:
            out[0, k] = state[codes[i], 0]
            out[1, k] = state[codes[i], 1]
            out[2, k] = state[codes[i], 2]
        else:
            out[0, k] = 0
    place[0] = j


def run_sums(
    codes: Int,
    day: Int,
    values: Int,
    place: Int,
    state: Int,
    asked: Int,
    asked_day: Int,
    out: Int,
) -> None:
    """Write number, sums and some squares of entries of the same value of earlier days.

    `codes`, `day` and `values` (a row per sum) belong to entries in the order of
    days; `asked` and `asked_day` to items, in the order of days too. `place` is the
    next entry to add, `state` (number, sums, squares) by code: both are kept between
    calls.
    """
    j = place[0]
    n_sums = len(values)
    width = state.shape[1]
    for i in range(len(asked)):
        while j < len(day) and day[j] < asked_day[i]:
            c = codes[j]
            if c >= 0:
                state[c, 0] += 1
                for s in range(n_sums):
                    state[c, s + 1] += values[s, j]
                for s in range(width - 1 - n_sums):
                    value = values[s, j] * _ONE
                    state[c, s + 1 + n_sums] += value * value
            j += 1
        c = asked[i]
        for s in range(width):
            out[s, i] = state[c, s] if c >= 0 else 0
    place[0] = j


def count_before(
    packed: Int, starts: Int, position: Int, day: Int, before: Int
) -> None:
    """Write the number of entries before (position, day), by halving."""
    for i in range(len(position)):
        p = position[i]
        low, high = starts[p], starts[p + 1]
        wanted = (p << _DAY_BITS) | day[i]
        while low < high:
            middle = (low + high) >> 1
            if packed[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        before[i] = low


def draw_peers(
    n: Int,
    sums: Int,
    squares: Int,
    mean: Float,
    variance: Float,
    drawn: Any,
    out: Float,
) -> None:
    """Write mean and variance of peers, drawn towards those of wider keys.

    Sums are in parts of 1/`drawn[0]`; the wider key is worth `drawn[1]` peers, and no
    variance is below `drawn[2]`.
    """
    scale, smoothing, least = drawn
    for i in range(len(n)):
        total = sums[i] / scale
        worth = n[i] + smoothing
        out[0, i] = (total + smoothing * mean[i]) / worth
        within = squares[i] / (scale * scale) - total * total / max(n[i], 1)
        spread = (max(within, 0.0) + smoothing * variance[i]) / worth
        out[1, i] = max(spread, least)


def divide_gap(
    values: Float, mean: Float, spread: Float, point: Int, out: Float
) -> None:
    """Write each value less the mean at its point, over the spread there."""
    for i in range(len(point)):
        p = point[i]
        out[i] = (values[i] - mean[p]) / spread[p]
