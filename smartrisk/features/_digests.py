"""Digests of tables of sums that add up as the tables do.

The digest of a table is the sum, over its entries and sums, of an odd number for the
entry, an odd number for the name of the sum, and the sum itself, modulo 2**64. So it is
linear: the digests of two tables add up to that of their merged table, in any order and
split, and a change costs its own entries only. Two lanes with independent numbers make
128 bits. A digest names content; it does not protect it against somebody who looks for
another table with the same digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Int
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.items import GOLDEN, UInt, mix_one, scramble, text_ids

#: Two lanes of 64 bits.
Digest: TypeAlias = tuple[int, int]

EMPTY: Digest = (0, 0)
_MASK = (1 << 64) - 1
_DAYS = (1 << DAY_BITS) - 1
#: Per lane, what identity and day are multiplied by: odd numbers of no relation to each
#: other, so that two entries share their numbers in both lanes by chance alone.
_LANES = tuple(
    (np.uint64(mix_one(2 * lane) | 1), np.uint64(mix_one(2 * lane + 1) | 1))
    for lane in range(2)
)
#: Entries digested together: their numbers fit the cache of a processor.
_BLOCK = 1 << 14


def digest_entries(ids: UInt, packed: Int, totals: Mapping[str, Int]) -> Digest:
    """Return the digest of entries.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_values,)
        Identities of the key's values.
    packed : ndarray of int64, shape (n_entries,)
        Position in `ids` and day in one number.
    totals : mapping of str to ndarray of int64, shape (n_entries + 1,)
        Running totals of the sums.
    """
    lanes = [np.uint64(0), np.uint64(0)]
    weights = [[_weight(name, lane) for name in totals] for lane in range(2)]
    with np.errstate(over="ignore"):
        for start in range(0, len(packed), _BLOCK):
            part = packed[start : start + _BLOCK]
            entry = ids[part >> DAY_BITS]
            day = (part & _DAYS).view(np.uint64)
            stop = start + len(part) + 1
            sums = [np.diff(t[start:stop]).view(np.uint64) for t in totals.values()]
            for lane, (of_id, of_day) in enumerate(_LANES):
                number = scramble(entry * of_id + day * of_day) | np.uint64(1)
                lanes[lane] += (number * _weigh(sums, weights[lane])).sum()
    return int(lanes[0]), int(lanes[1])


def add_digests(*digests: Digest) -> Digest:
    """Return the digest of tables added up, from those of the tables."""
    return sum(d[0] for d in digests) & _MASK, sum(d[1] for d in digests) & _MASK


def digest_text(digest: Digest) -> str:
    """Return a digest as 32 hexadecimal digits."""
    return f"{digest[0]:016x}{digest[1]:016x}"


def parse_digest(text: str) -> Digest:
    """Return the digest of which `digest_text` made a text."""
    return int(text[:16], 16), int(text[16:], 16)


def _weigh(sums: list[UInt], weights: list[np.uint64]) -> UInt:
    """Return the sums of every entry in one number."""
    total = sums[0] * weights[0]
    for values, weight in zip(sums[1:], weights[1:], strict=True):
        total += values * weight
    return total


@cache
def _weight(name: str, lane: int) -> np.uint64:
    """Return the odd number of a sum's name."""
    identity = int(text_ids([name])[0])
    return np.uint64(mix_one(identity + lane * int(GOLDEN)) | 1)


def digest_columns(*columns: NDArray[np.uint64]) -> UInt:
    """Return one 64-bit number for each row of columns, never 0."""
    return digest_in_turn(columns, len(columns[0]))


def digest_in_turn(columns: Iterable[NDArray[np.uint64]], n_rows: int) -> UInt:
    """Return what `digest_columns` returns; each column is needed in its turn only."""
    total = np.zeros(n_rows, np.uint64)
    with np.errstate(over="ignore"):
        for place, values in enumerate(columns):
            total += scramble(values + np.uint64(mix_one(place)))
    number = scramble(total)
    return np.where(number == 0, GOLDEN, number)
