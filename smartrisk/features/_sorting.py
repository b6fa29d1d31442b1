"""Sorting of ids and packed numbers, by what numpy does fastest: sorting numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smartrisk.items import UInt

Int = NDArray[np.int64]
#: Bits of a number of 64 bits that is not negative.
_SIGNED_BITS = 63
#: Numbers marked with their row at a time: they fit the cache of a processor.
_BLOCK = 1 << 16
#: Bits of a digit: numpy orders numbers of 16 bits by counting, not by comparing.
_DIGIT = 16
#: Digits up to which counting is used: two took at most 25 ms of a million items, and
#: sorting wide numbers 53.
_FEW_DIGITS = 2
#: Wanted numbers from which it pays to see whether they are sorted.
_MANY = 1 << 10
#: So many times fewer numbers are searched for: adding up costs as much as a few
#: searches.
_FEWER = 2


def order_of_ids(ids: UInt) -> Int:
    """Return the order of distinct hashes: by their first bits, checked afterwards."""
    bits = len(ids).bit_length()
    marked = ids >> np.uint64(bits)
    marked <<= np.uint64(bits)
    _mark_rows(marked)
    marked.sort()
    marked &= np.uint64((1 << bits) - 1)
    order = marked.view(np.int64)
    ordered = ids[order]
    if (ordered[1:] > ordered[:-1]).all():
        return order
    exact: Int = np.argsort(ids)
    return exact


def sort_packed(packed: Int, in_order: int = 0) -> tuple[Int, Int]:
    """Return the stable order of numbers that are not negative, and them sorted.

    By digits of 16 bits where few are to be sorted, which numpy counts. Else each is
    sorted with its row behind it, where both fit into 64 bits: numpy sorts wide numbers
    several times faster than it finds their order.

    Parameters
    ----------
    packed : ndarray of int64, shape (n,)
        Positions and days; used up.
    in_order : int, default=0
        Number of last bits that never fall from one number to the next, such as those
        of days of items in their order: they need no sorting.

    Returns
    -------
    order : ndarray of int64, shape (n,)
        Rows by number, those of equal numbers in their given order.
    ordered : ndarray of int64, shape (n,)
        ``packed[order]``.
    """
    if (packed[1:] >= packed[:-1]).all():  # such as days of items in their order
        return np.arange(len(packed)), packed
    bits = len(packed).bit_length()
    width = int(packed.max()).bit_length()
    digits = range(in_order, width, _DIGIT)
    if len(digits) <= _FEW_DIGITS or width + bits > _SIGNED_BITS:
        order = _order_by_digits(packed, digits)
        return order, packed[order]
    packed <<= bits
    _mark_rows(packed)
    packed.sort()
    order = packed & ((1 << bits) - 1)
    packed >>= bits
    return order, packed


def _order_by_digits(numbers: Int, digits: range) -> Int:
    """Return the stable order by digits, given as the bits below each."""
    first, *others = digits
    # A cast to 16 bits leaves the last ones.
    order = np.argsort((numbers >> first).astype(np.uint16), kind="stable")
    for low in others:
        digit = (numbers >> low).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def find_firsts(ordered: Int) -> Int:
    """Return where each distinct number begins among sorted ones, and how many are."""
    new = np.ones(len(ordered) + 1, bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:-1])
    return np.flatnonzero(new)


def count_below(numbers: Int, wanted: Int) -> Int:
    """Return how many of some sorted numbers are below each wanted one.

    As ``np.searchsorted``; where those wanted are sorted too, and more than the numbers
    among them, the numbers are searched instead, each once.
    """
    if len(wanted) >= _MANY and (wanted[1:] >= wanted[:-1]).all():
        low, high = np.searchsorted(numbers, wanted[[0, -1]])
        if _FEWER * (high - low) <= len(wanted):
            place = np.searchsorted(wanted, numbers[low:high], side="right")
            count = np.bincount(place, minlength=len(wanted))
            count[0] = low
            return np.cumsum(count, out=count)
    return np.searchsorted(numbers, wanted)


def _mark_rows(numbers: NDArray[np.int64] | UInt) -> None:
    """Write the row of each number into its last bits, which are free."""
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        block |= np.arange(start, start + len(block), dtype=numbers.dtype)
