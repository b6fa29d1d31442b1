"""Amounts that belong together: CIF and its parts, taxes and their total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._headers import read_words

Numbers = NDArray[np.float64]

#: Difference of a sum from its total, relative and absolute: amounts are rounded.
_RELATIVE, _ABSOLUTE = 2e-3, 1.0
#: Share of the rows in which a sum must hold.
_MOST = 0.95
#: Columns of numbers that are tried as parts of a sum when nothing names them.
_MOST_COLUMNS = 14
#: Rows without which repeated values are no evidence.
_FEW_ROWS = 40
#: Rows that are looked at.
_ROWS = 2_000


@dataclass(frozen=True)
class Sum:
    """Columns whose sum is a field.

    Parameters
    ----------
    columns : tuple of str
        The parts.
    signs : mapping of str to str
        Column of the sign of a part.
    """

    columns: tuple[str, ...]
    signs: Mapping[str, str]


def share_equal(total: Numbers, parts: Sequence[Numbers]) -> float:
    """Return the share of rows in which parts, missing ones as 0, make up a total."""
    added = np.nansum(np.vstack(parts), axis=0)
    known = ~np.isnan(total) & (np.abs(total) > 0)
    if known.sum() == 0:
        return 0.0
    difference = np.abs(added[known] - total[known])
    allowed = np.maximum(_RELATIVE * np.abs(total[known]), _ABSOLUTE * 0.02)
    return float((difference <= allowed).mean())


def find_taxes(columns: Mapping[str, ColumnValues], used: Sequence[str]) -> Sum | None:
    """Return the taxes of an item that are in several columns."""
    signs = {n: s for n in columns if (s := _sign_of(n, columns)) is not None}
    parts = [
        name
        for name, column in columns.items()
        if name not in used
        and (_is_tax(name) or name in signs)
        and (column.number_share >= 0.8 or column.n_filled == 0)
        and not looks_like_rate(column)
    ]
    if not any(columns[name].n_filled for name in parts):
        return None
    return Sum(tuple(parts), signs) if len(parts) > 1 else None


def looks_like_rate(column: ColumnValues) -> bool:
    """Return whether a column holds few numbers of at most 100, which repeat."""
    numbers = column.numbers[~np.isnan(column.numbers)]
    if len(numbers) < _FEW_ROWS or not numbers.any():
        return False
    distinct = len(np.unique(numbers))
    return bool(numbers.max() <= 100 and distinct <= max(8, len(numbers) / 20))


def _is_tax(name: str) -> bool:
    """Return whether a header names an amount of duty or tax, and no rate or total."""
    words = read_words(name)
    duty = any("duty" in w for w in words)
    other = {"rate", "preference", "exchange", "unit", "later", "id", "customsvalue"}
    clean = not any(w.keys() & other and "duty" not in w for w in words)
    coded = any({"code", "operation"} & w.keys() and "duty" not in w for w in words)
    return duty and clean and not coded


def _sign_of(name: str, columns: Mapping[str, ColumnValues]) -> str | None:
    """Return the column with the sign of an amount, such as SIGVAL1 for VAL1."""
    for other, column in columns.items():
        lower = other.casefold()
        if lower != name.casefold() and name.casefold() in lower:
            is_sign = column.share_matching(r"[+\-]|[0-9]|[A-Za-z]") > _MOST
            if lower.startswith(("sig", "sgn")) and (is_sign or not column.n_filled):
                return other
    return None


def find_parts(
    columns: Mapping[str, ColumnValues], total: str, amounts: Sequence[str]
) -> tuple[str, ...] | None:
    """Return three columns of amounts that make up a total, or None."""
    target = columns[total].numbers[:_ROWS]
    others = [n for n in amounts if n != total][:_MOST_COLUMNS]
    numbers = {n: columns[n].numbers[:_ROWS] for n in others}
    best: tuple[float, tuple[str, ...]] = (_MOST, ())
    for first, second, third in permutations(others, 3):
        if second > third or _median(numbers[first]) < 0.5 * _median(target):
            continue
        share = share_equal(target, [numbers[first], numbers[second], numbers[third]])
        if share > best[0]:
            best = (share, (first, second, third))
    if not best[1]:
        return None
    first, *small = best[1]
    # Freight is the larger of the two: insurance is a small share of the value.
    small.sort(key=lambda n: -_median(numbers[n]))
    return first, *small


def _median(numbers: Numbers) -> float:
    """Return the median of the known numbers, 0 without any."""
    known = numbers[~np.isnan(numbers)]
    return float(np.median(known)) if len(known) else 0.0
