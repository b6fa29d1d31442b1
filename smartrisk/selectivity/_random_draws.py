"""Chance that anyone can check: keyed lots, and the probabilities that they give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import GOLDEN, UInt, scramble

Float = NDArray[np.float64]


def inclusion(n: int, drawn: int, taken: int) -> Float:
    """Return the probability of selection by model rank.

    Parameters
    ----------
    n : int
        Items to choose from.
    drawn : int
        Items drawn at random first.
    taken : int
        Items then taken by the model from the rest.

    Returns
    -------
    probability : ndarray of shape (n,)
        Of the item on each model rank, the best first; sums to drawn + taken.

    Examples
    --------
    >>> from smartrisk.selectivity import inclusion
    >>> inclusion(4, 1, 1).round(3).tolist()
    [1.0, 0.5, 0.25, 0.25]
    """
    from scipy.stats import hypergeom

    out = np.full(n, drawn / n)
    out[:taken] = 1.0
    if drawn and taken:
        rank = np.arange(taken, min(taken + drawn, n))
        more = hypergeom.sf(rank - taken, n - 1, rank, drawn)
        out[rank] = drawn / n + (1 - drawn / n) * more
    return out


def hashes(scores: pd.DataFrame, random_state: int) -> UInt:
    """Return a number per item that depends on its key and the seed alone."""
    ids = pd.util.hash_array(
        np.asarray(scores["declaration_id"], dtype=object), categorize=False
    )
    number = np.ones(len(scores), np.uint64)
    if "item_number" in scores:
        number = scores["item_number"].to_numpy(np.int64).view(np.uint64)
    seed = np.random.SeedSequence(random_state).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        return scramble(ids + number * GOLDEN + seed)


def rotated(hashes: UInt) -> UInt:
    """Return another order of the same hashes, independent of the first."""
    with np.errstate(over="ignore"):
        z = hashes * np.uint64(0xD1342543DE82EF95)
    turned: UInt = (z >> np.uint64(32)) | (z << np.uint64(32))
    return turned


def lots(keys: UInt) -> Float:
    """Return hashes as numbers in [0, 1)."""
    return (keys >> np.uint64(11)).astype(np.float64) / 2.0**53


def weighted_chances(weight: Float, drawn: int) -> Float:
    """Return probabilities proportional to weights that sum to `drawn`, none above 1.

    Weights so large that they would exceed 1 are certain; the others share the rest.
    """
    out = np.zeros(len(weight))
    if drawn <= 0 or not len(weight):
        return out
    if drawn >= len(weight):
        return np.ones(len(weight))
    sure = np.zeros(len(weight), bool)
    while True:
        left = drawn - int(sure.sum())
        total = float(weight[~sure].sum())
        out[~sure] = left * weight[~sure] / total if total > 0 else left / (~sure).sum()
        out[sure] = 1.0
        more = ~sure & (out >= 1.0)
        if not more.any():
            return out
        sure |= more


def draw_systematic(chance: Float, keys: UInt, seed: int) -> NDArray[np.intp]:
    """Return which items are drawn, each with exactly its chance; their sum is whole.

    Systematic sampling with unequal probabilities over a random order (Madow 1949).
    """
    order = np.argsort(keys, kind="stable")
    start = np.random.default_rng([seed, 0x5EED]).random()
    passed = np.floor(np.cumsum(chance[order]) + start + 1e-9)
    before = np.concatenate([[np.floor(start + 1e-9)], passed[:-1]])
    return np.asarray(order[passed > before])
