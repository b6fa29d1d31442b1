"""Draws and orders that anyone can repeat: by key and seed, with exact chances."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import check_number
from smartrisk.items import GOLDEN, UInt, document_hashes, item_numbers, scramble

Float = NDArray[np.float64]

#: A multiplier of a 64-bit generator with good lattice structure (Steele, Vigna 2021).
_MULTIPLIER = np.uint64(0xD1342543DE82EF95)
#: Second word of the seed of systematic draws, so that they use another stream than a
#: generator that is seeded with the number only.
_STREAM = 0x5EED
#: A sum of chances that should be whole misses it by rounding; this is above the error
#: of a sum of millions and below any chance.
_ROUNDING = 1e-9


def inclusion(n: int, drawn: int, taken: int) -> Float:
    """Return the probability of selection by model rank.

    Parameters
    ----------
    n : int
        Number of items to choose from.
    drawn : int
        Number of items drawn at random first.
    taken : int
        Number of items that the model then takes from the rest.

    Returns
    -------
    probability : ndarray of shape (n,)
        Of the item on each model rank, the best first; the sum is drawn + taken.

    Raises
    ------
    ArgumentError
        If there is no item, or more are drawn and taken than there are.

    Notes
    -----
    The item on rank j (from 0) is drawn with probability ``r / n``; else the model
    takes it when more than ``j - q`` of the j items before it were drawn, with r drawn
    and q taken. That number is hypergeometric.

    Examples
    --------
    >>> from smartrisk.selectivity import inclusion
    >>> inclusion(4, 1, 1).round(3).tolist()
    [1.0, 0.5, 0.25, 0.25]
    """
    from scipy.stats import hypergeom

    check_number("inclusion", "n", n, low=1, integer=True)
    check_number("inclusion", "drawn", drawn, low=0, high=n, integer=True)
    check_number("inclusion", "taken", taken, low=0, high=n - drawn, integer=True)
    out = np.full(n, drawn / n)
    out[:taken] = 1.0
    if drawn and taken:
        rank = np.arange(taken, min(taken + drawn, n))
        more = hypergeom.sf(rank - taken, n - 1, rank, drawn)
        out[rank] = drawn / n + (1 - drawn / n) * more
    return out


def hash_items(items: pd.DataFrame, random_state: int) -> UInt:
    """Return a 64-bit number per item that depends on its key and the seed only."""
    ids, number = document_hashes(items), item_numbers(items)
    seed = np.random.SeedSequence(random_state).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        return scramble(ids + number * GOLDEN + seed)


def rotate_hashes(hashes: UInt) -> UInt:
    """Return a second order of the hashes, independent of the first."""
    with np.errstate(over="ignore"):
        z = hashes * _MULTIPLIER
    rotated: UInt = (z >> np.uint64(32)) | (z << np.uint64(32))
    return rotated


def order_best_first(value: Float, ties: UInt) -> NDArray[np.intp]:
    """Return positions by value, the greatest first, and by `ties` where it is equal.

    It is the order of ``np.lexsort((ties, -value))``, in half the time where few values
    are equal: values are sorted once, and ties are looked at only where they are.
    """
    key = -value
    order = np.argsort(key)
    ordered = key[order]
    if not len(order) or np.isnan(ordered[-1]):
        return np.lexsort((ties, key))
    new = np.ones(len(order), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    tied = ~new
    tied[:-1] |= tied[1:]
    at = np.flatnonzero(tied)
    if 2 * len(at) > len(order):
        return np.lexsort((ties, key))
    # By position first, since the sort of the values has left equal ones in any order.
    among = order[at]
    order[at] = among[np.lexsort((among, ties[among], np.cumsum(new)[at]))]
    return order


def draw_smallest(hashes: UInt, drawn: int) -> NDArray[np.bool_]:
    """Return which items have the smallest hashes, the first of equal ones."""
    if not 0 < drawn < len(hashes):
        return np.full(len(hashes), drawn > 0)
    last = np.partition(hashes, drawn - 1)[drawn - 1]
    lucky: NDArray[np.bool_] = hashes < last
    equal = np.flatnonzero(hashes == last)
    lucky[equal[: drawn - int(np.count_nonzero(lucky))]] = True
    return lucky


def unit_draws(hashes: UInt) -> Float:
    """Return hashes as numbers in [0, 1)."""
    # A double has 53 bits: of the 64, the lowest 11 are dropped, none is rounded to 1.
    return (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53


def weighted_chances(weight: Float, drawn: int) -> Float:
    """Return probabilities proportional to weights that sum to `drawn`, none above 1.

    Items whose share would exceed 1 are certain; the others share the rest.
    """
    out = np.zeros(len(weight))
    if drawn <= 0 or not len(weight):
        return out
    if drawn >= len(weight):
        return np.ones(len(weight))
    certain = np.zeros(len(weight), bool)
    while True:
        left = drawn - int(certain.sum())
        total = float(weight[~certain].sum())
        out[~certain] = (
            left * weight[~certain] / total if total > 0 else left / (~certain).sum()
        )
        out[certain] = 1.0
        more = ~certain & (out >= 1.0)
        if not more.any():
            return out
        certain |= more


def chance_of_one_more(own: Float, weight: Float, drawn: int) -> Float:
    """Return the chance of an item that joins others, for each of some items alone.

    The same as `weighted_chances` of the others and the item, without a pass over the
    others for each of them.
    """
    if drawn <= 0:
        return np.zeros(len(own))
    if drawn > len(weight):
        return np.ones(len(own))
    ordered = np.sort(weight)[::-1]
    rest = np.append(np.cumsum(ordered[::-1])[::-1], 0.0)
    n_certain = np.zeros(len(own), np.int64)
    is_certain = np.zeros(len(own), bool)
    while True:
        left = drawn - n_certain - is_certain
        total = rest[n_certain] + np.where(is_certain, 0.0, own)
        some = total > 0
        each = np.where(some, left / np.where(some, total, 1.0), 0.0)
        even = left / np.maximum(len(ordered) - n_certain + ~is_certain, 1)
        chance = np.where(some, each * own, even)
        # Those whose share reaches 1: the first of the order, in whole numbers.
        least = np.where(each > 0, 1.0 / np.where(each > 0, each, 1.0), np.inf)
        reach = np.searchsorted(-ordered, -least, side="right")
        more = np.maximum(reach, n_certain)
        certain = is_certain | (chance >= 1.0)
        if (more == n_certain).all() and (certain == is_certain).all():
            return np.where(is_certain, 1.0, chance)
        n_certain, is_certain = more, certain


def draw_systematic(chance: Float, hashes: UInt, seed: int) -> NDArray[np.intp]:
    """Return which items are drawn, each with exactly its chance.

    The chances sum to a whole number: the size of the draw. This is systematic
    sampling with unequal probabilities over a random order (Madow 1949).
    """
    order = np.argsort(hashes, kind="stable")
    start = np.random.default_rng([seed, _STREAM]).random()
    passed = np.floor(np.cumsum(chance[order]) + start + _ROUNDING)
    before = np.concatenate([[np.floor(start + _ROUNDING)], passed[:-1]])
    return np.asarray(order[passed > before])
