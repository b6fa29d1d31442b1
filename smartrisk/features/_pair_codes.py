"""Codes of pairs of values: how keys of several columns are encoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._compiled import Kernels, kernels_for, short_codes
from smartrisk.features._sorting import find_firsts, sort_packed
from smartrisk.items import UInt, mix

Int = NDArray[np.int64]
#: Codes take 32 bits where there are many items, 64 where there are few.
Codes = NDArray[Any]


def combine(
    codes: Codes, ids: UInt, other: Codes, other_ids: UInt
) -> tuple[Codes, UInt]:
    """Combine two encoded columns.

    Parameters
    ----------
    codes : ndarray of int, shape (n_items,)
        Value of each item in the first column; -1 is missing.
    ids : ndarray of uint64
        Identities of its values.
    other, other_ids : ndarray
        The same of the second column.

    Returns
    -------
    codes : ndarray of int, shape (n_items,)
        Pair of each item; -1 where either is missing.
    ids : ndarray of uint64
        Identities of the pairs.
    """
    if len(codes) == 1:
        if codes[0] < 0 or other[0] < 0:
            return np.array([-1]), np.zeros(0, np.uint64)
        return np.zeros(1, np.int64), _pair(ids[codes], other_ids[other])
    kernels = kernels_for(len(codes))
    if kernels is not None:
        found, first = _number(kernels, (codes, other), (len(ids), len(other_ids)))
        return found, _pair(ids[codes[first]], other_ids[other[first]])
    width = max(len(other_ids), 1)
    size = len(ids) * width
    both = codes.astype(np.int64)
    both *= width
    both += other
    missing = (codes < 0) | (other < 0)
    if missing.any():
        both[missing] = size
    found, unique = _unique_codes(both, size)
    known = unique < size
    left, right = np.divmod(unique[known], width)
    pair = _pair(ids[left], other_ids[right])
    if known.all():
        return found, pair
    lookup = np.where(known, np.cumsum(known) - 1, -1)
    return lookup[found], pair


def _number(
    kernels: Kernels, codes: tuple[Codes, Codes], n_codes: tuple[int, int]
) -> tuple[Codes, Codes]:
    """Return the number of the pair of each item, and an item of each pair."""
    found = np.full(len(codes[0]), -1, np.int32)
    first = np.empty(len(found), np.int32)
    seen = np.full(n_codes[1], -1, np.int32)
    ends = np.zeros(n_codes[0] + 1, np.int64)
    order = np.empty(len(found), np.int32)
    n_pairs = kernels.number_pairs(
        *map(short_codes, codes), ends, order, seen, found, first
    )
    return found, first[:n_pairs]


def _unique_codes(values: Int, most: int) -> tuple[Int, Int]:
    """Return (codes, unique values) of numbers from 0 to `most`, which are used up."""
    if most > 4 * len(values):  # a table of flags would cost more than sorting
        order, ordered = sort_packed(values)
        first = find_firsts(ordered)[:-1]
        number = np.zeros(len(order), np.int64)
        number[first[1:]] = 1
        codes = np.empty(len(order), np.int64)
        codes[order] = np.cumsum(number, out=number)
        return codes, ordered[first]
    there = np.zeros(most + 1, bool)
    there[values] = True
    return (np.cumsum(there) - 1)[values], np.flatnonzero(there)


def _pair(left: UInt, right: UInt) -> UInt:
    """Mix two ids into one; the factor makes their order matter."""
    with np.errstate(over="ignore"):
        both = mix(right)
        both += left * np.uint64(3)
    return mix(both)
