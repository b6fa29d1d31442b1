"""Signs: what each item of a batch says about one way in which data go wrong.

A sign is a number per item. A batch is judged by the share or the median of it, or by
the share of its most frequent value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring._usual_values import (
    CODE_PAIRS,
    NUMBERS,
    CodeColumn,
    Float,
    UsualValues,
    code_columns,
    format_ids,
    is_in,
    join_ids,
    measures_of,
    numbers_of,
    pair_ids,
    restored_ids,
)
from smartrisk.schema import DECLARATIONS, TRADERS


@dataclass(frozen=True, kw_only=True)
class Check:
    """How a sign is judged.

    Parameters
    ----------
    figure : {"share", "median", "top"}
        What is taken of the items: the mean, the median, or the share of the most
        frequent value.
    change : float
        Least difference from the usual figure that matters.
    lowest : float, default=0.0
        Least figure that matters.
    both : bool, default=False
        Whether a figure can also be too low.
    facts : bool, default=False
        Whether it is certain of a whole column, however few its items.
    """

    figure: Literal["share", "median", "top"]
    change: float
    lowest: float = 0.0
    both: bool = False
    facts: bool = False


#: How far the net mass may exceed the gross mass: both are rounded when declared.
_ROUNDED = 1.0001
#: The checks. Their bounds are those of damage that matters, not of chance, which adds
#: its own: see `_profile`. A tenth of the values lost or moved is the least that a
#: source of data loses when it breaks; a median moved by .25 is a factor of 1.8, less
#: than a pound is to a kilogram (2.2), more than prices and rates change in a year.
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "missing": Check(figure="share", change=0.10, facts=True),
        "zero": Check(figure="share", change=0.20),
        "stuck": Check(figure="top", change=0.15, lowest=0.95),
        "level": Check(figure="median", change=0.25, both=True),
        "ratio": Check(figure="median", change=0.25, both=True),
        "exceeds": Check(figure="share", change=0.10),
        "unseen": Check(figure="share", change=0.15, facts=True),
        "format": Check(figure="share", change=0.05, facts=True),
        "zeros": Check(figure="share", change=0.02, facts=True),
        "pair": Check(figure="share", change=0.20),
        "reversed": Check(figure="share", change=0.35, lowest=0.5),
        "trader": Check(figure="share", change=0.30, lowest=0.85),
        "link": Check(figure="share", change=0.25),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sign:
    """One number per item, NaN where the item shows nothing."""

    check: str
    fields: tuple[str, ...]
    values: Float

    @property
    def name(self) -> str:
        """The check and its fields."""
        return f"{self.check}:{'|'.join(self.fields)}"


def signs_of(items: pd.DataFrame, usual: UsualValues) -> list[Sign]:
    """Return the signs of items, judged by what is usual."""
    columns = code_columns(items)
    return [
        *_presence_signs(items),
        *_stuck_signs(items, columns),
        *_number_signs(items, columns["tariff_code"], usual),
        *_code_signs(columns, usual),
        *_pair_signs(items, columns, usual),
        *_trader_signs(items, columns, usual),
    ]


def _presence_signs(items: pd.DataFrame) -> Iterator[Sign]:
    """Yield which values are missing, and which numbers are 0."""
    for field in DECLARATIONS:
        if field.name in items and field.nullable and field.in_features:
            absent = items[field.name].isna().to_numpy()
            yield Sign(
                check="missing", fields=(field.name,), values=absent.astype(np.float64)
            )
    for name in (n for n in NUMBERS if n in items):
        values = numbers_of(items, name)
        yield Sign(
            check="zero",
            fields=(name,),
            values=np.where(np.isnan(values), np.nan, values == 0),
        )


def _stuck_signs(
    items: pd.DataFrame, columns: Mapping[str, CodeColumn]
) -> Iterator[Sign]:
    """Yield a number for each value, equal where the values are."""
    for name, column in columns.items():
        places = column.codes.astype(np.float64)
        places[column.codes < 0] = np.nan
        yield Sign(check="stuck", fields=(name,), values=places)
    for name in (n for n in NUMBERS if n in items):
        yield Sign(check="stuck", fields=(name,), values=numbers_of(items, name))


def _number_signs(
    items: pd.DataFrame, tariff: CodeColumn, usual: UsualValues
) -> Iterator[Sign]:
    """Yield how far amounts and their ratios are from those of such goods."""
    for fields, values in measures_of(items).items():
        if fields in usual.levels:
            check = "level" if len(fields) == 1 else "ratio"
            residual = values - usual.level(fields, tariff)
            yield Sign(check=check, fields=fields, values=residual)
    if {"net_mass_kg", "gross_mass_kg"} <= set(items):
        net, gross = (numbers_of(items, n) for n in ("net_mass_kg", "gross_mass_kg"))
        exceeds = np.where(np.isnan(net + gross), np.nan, net > gross * _ROUNDED)
        yield Sign(
            check="exceeds", fields=("net_mass_kg", "gross_mass_kg"), values=exceeds
        )


def _code_signs(
    columns: Mapping[str, CodeColumn], usual: UsualValues
) -> Iterator[Sign]:
    """Yield which codes, and which formats of codes, are not usual."""
    for name, column in columns.items():
        if name not in usual.habits:
            continue
        habits = usual.habits[name]
        known = is_in(format_ids(column, habits.prefix), habits.formats)
        yield Sign(check="format", fields=(name,), values=column.spread(~known))
        if name in TRADERS:
            continue
        unseen = ~is_in(column.ids, habits.codes)
        yield Sign(check="unseen", fields=(name,), values=column.spread(unseen))
        if habits.zero_lengths:
            lost = np.zeros(len(column.texts), bool)
            for length in habits.zero_lengths:
                short = np.array([len(text) < length for text in column.texts], bool)
                restored = is_in(restored_ids(column.texts, length), habits.codes)
                lost |= unseen & short & restored
            yield Sign(check="zeros", fields=(name,), values=column.spread(lost))


def _pair_signs(
    items: pd.DataFrame, columns: Mapping[str, CodeColumn], usual: UsualValues
) -> Iterator[Sign]:
    """Yield which pairs of codes are new, and which routes run the wrong way."""
    for pair in CODE_PAIRS:
        ids = pair_ids(items, columns, pair)
        if ids is not None and pair in usual.pairs:
            new = np.where(ids == 0, np.nan, ~is_in(ids, usual.pairs[pair]))
            yield Sign(check="pair", fields=pair, values=new)
    if "origin" in columns and "departure" in columns:
        one, other = columns["origin"].item_ids(), columns["departure"].item_ids()
        usual_way = is_in(join_ids(one, other), usual.routes)
        reverse = is_in(join_ids(other, one), usual.routes)
        known = (one != other) & (usual_way | reverse)
        yield Sign(
            check="reversed",
            fields=("origin", "departure"),
            values=np.where(known, reverse, np.nan),
        )


def _trader_signs(
    items: pd.DataFrame, columns: Mapping[str, CodeColumn], usual: UsualValues
) -> Iterator[Sign]:
    """Yield numbers whose mean is the share of items of traders never seen.

    And of traders never seen at an office, or with a mode of transport.
    """
    for fields, sketch in usual.traders.items():
        if not set(fields) <= set(columns):
            continue
        if len(fields) == 1:
            column = columns[fields[0]]
            values = column.spread(sketch.unknown(column.ids))
            yield Sign(check="trader", fields=fields, values=values)
        else:
            ids = pair_ids(items, columns, (fields[0], fields[1]))
            if ids is not None:
                values = np.where(ids == 0, np.nan, sketch.unknown(ids))
                yield Sign(check="link", fields=fields, values=values)


def figures_of(sign: Sign, blocks: NDArray[np.intp]) -> Float:
    """Return the figure of a sign in blocks of items of equal size.

    Parameters
    ----------
    sign : Sign
        Of all items.
    blocks : ndarray of int, shape (n_blocks, n_items)
        Positions of the items of each block.

    Returns
    -------
    figures : ndarray of float, shape (n_blocks,)
        NaN where fewer than `LEAST_SPEAKING` items of a block say something.
    """
    values = np.sort(sign.values[blocks], axis=1)  # NaN last
    n = (~np.isnan(values)).sum(axis=1)
    figure = CHECKS[sign.check].figure
    if figure == "share":
        out = np.nansum(values, axis=1) / np.maximum(n, 1)
    elif figure == "median":
        rows, middle = np.arange(len(values)), np.maximum(n, 1)
        low, high = values[rows, (middle - 1) // 2], values[rows, middle // 2]
        out = (low + high) / 2
    else:
        out = np.array(
            [_longest_run(row[:k]) for row, k in zip(values, n, strict=True)]
        )
        out = out / np.maximum(n, 1)
    return np.where(n >= LEAST_SPEAKING, out, np.nan)


def _longest_run(ordered: Float) -> int:
    """Return how often the most frequent of sorted values occurs."""
    if not len(ordered):
        return 0
    edges = np.flatnonzero(np.diff(ordered)) + 1
    return int(np.diff(np.concatenate(([0], edges, [len(ordered)]))).max())


#: Items of a batch that must say something about a sign: the standard error of a share
#: of 20 items is at most 11 percentage points.
LEAST_SPEAKING = 20
