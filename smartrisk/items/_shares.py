"""Totals of documents, shared out over their items without losing a cent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Decimals in which amounts are shared: cents at least, and millionths at most, of
#: which 64-bit numbers hold nine million million.
_FEWEST, _MOST = 2, 6
#: How far a number may be from a whole one: decimals such as 0.29 are no exact floats.
_NEARLY = 1e-6


def share_totals(
    totals: Floats, documents: Ints, weights: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return each item's share of its document's total.

    The shares of a document add up to its total exactly, in cents or in the smaller
    unit in which the totals are written: what rounding leaves over goes to the largest
    remainders (Hamilton's method), on ties to the first items.

    Parameters
    ----------
    totals : ndarray of float64, shape (n_documents,)
        NaN where a document has none.
    documents : ndarray of int64, shape (n_items,)
        Document of each item.
    weights : ndarray of float64, shape (n_items,)
        Not negative; NaN where an item has none.

    Returns
    -------
    shares : ndarray of float64, shape (n_items,)
        NaN where the document has no total, or several items of which one has no
        weight.
    evenly : ndarray of bool, shape (n_documents,)
        Documents whose weights are all 0: each item gets the same.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import share_totals
    >>> shares, _ = share_totals(
    ...     np.array([10.0]), np.zeros(3, int), np.array([1.0, 1.0, 1.0])
    ... )
    >>> shares.tolist()
    [3.34, 3.33, 3.33]
    """
    decimals = count_decimals(totals)
    n_documents = len(totals)
    n_items = np.bincount(documents, minlength=n_documents)
    single = n_items[documents] == 1
    weights = np.where(single, 1.0, weights)
    sums = np.bincount(documents, np.nan_to_num(weights), n_documents)
    unknown = np.bincount(documents, np.isnan(weights), n_documents) > 0
    evenly = (sums == 0) & ~unknown & (n_items > 0) & np.isfinite(totals)
    weights = np.where(evenly[documents], 1.0, weights)
    sums = np.where(evenly, n_items, sums)
    usable = np.isfinite(totals) & ~unknown
    units = np.rint(np.where(usable, np.abs(totals), 0.0) * 10.0**decimals)
    with np.errstate(invalid="ignore", divide="ignore"):
        quotas = units[documents] * (weights / sums[documents])
    quotas = np.where(usable[documents], quotas, 0.0)
    shares = _round_to_sums(quotas, units.astype(np.int64), documents)
    signed = np.sign(totals)[documents] * shares / 10.0**decimals
    return np.where(usable[documents], signed, np.nan), evenly


def count_decimals(totals: Floats) -> int:
    """Return in how many decimals amounts are written: two at least, six at most."""
    known = totals[np.isfinite(totals)]
    for decimals in range(_FEWEST, _MOST):
        units = known * 10.0**decimals
        if (np.abs(units - np.rint(units)) < _NEARLY * np.maximum(1, units)).all():
            return decimals
    return _MOST


def _round_to_sums(quotas: Floats, units: Ints, documents: Ints) -> Ints:
    """Return whole numbers near the quotas, which add up to the units."""
    lower = np.floor(quotas).astype(np.int64)
    sums = np.zeros(len(units), np.int64)
    np.add.at(sums, documents, lower)
    left = units - sums
    # By document, the largest remainders first; `lexsort` keeps the order of ties.
    order = np.lexsort((-(quotas - lower), documents))
    ordered = documents[order]
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    starts = np.flatnonzero(first)
    rank = np.arange(len(ordered)) - np.repeat(starts, np.diff([*starts, len(ordered)]))
    more = np.zeros(len(quotas), np.int64)
    n_items = np.bincount(documents, minlength=len(units))
    # Rounding of floats may leave over more than one unit per item, or less than none.
    each, rest = np.divmod(left, np.maximum(n_items, 1))
    more[order] = each[ordered] + (rank < rest[ordered])
    return lower + more
