"""What is usual in declarations: codes, their formats and pairs, levels of amounts.

Nothing here names a trader: of traders only the formats of their ids are kept, and a
sketch of the ids in which every second id that was never seen seems to be known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import UInt, mix
from smartrisk.schema import DECLARATIONS, TRADERS

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

#: Fields with few values, whose usual values are kept as 64-bit numbers.
CODES = tuple(f.name for f in DECLARATIONS if f.kind == "code" and f.in_features)
#: Amounts and rates.
NUMBERS = tuple(f.name for f in DECLARATIONS if f.kind == "number" and f.in_features)
#: Pairs of codes of which the usual ones are known: what only one of two fields says is
#: seen by the other. ``hs4`` is a part of the tariff code.
CODE_PAIRS = (
    ("office", "transport_mode"),
    ("origin", "departure"),
    ("tariff_code", "quantity_unit"),
    ("tariff_code", "duty_rate"),
)
#: Pairs of a trader and a code, of which a sketch is kept: a trader keeps its offices.
TRADER_PAIRS = (
    ("declarant_id", "office"),
    ("importer_id", "office"),
    ("declarant_id", "transport_mode"),
    ("importer_id", "transport_mode"),
)
#: Pairs of numbers whose ratio says what neither says alone.
RATIOS = (
    ("net_mass_kg", "gross_mass_kg"),
    ("customs_value", "net_mass_kg"),
    ("customs_value", "quantity"),
    ("quantity", "net_mass_kg"),
    ("duties_taxes", "customs_value"),
)
#: Items of a heading or a chapter from which it has a level of its own: the standard
#: error of a median of 20 is a quarter of the spread.
_LEAST_GROUP = 20
#: A format is usual from this share of the items on: one item in 1,000 is a typing
#: error, and an office with its own format has more.
_USUAL_SHARE = 0.001
#: The first character of an id is part of its format where this share of ids has it.
_PREFIX_SHARE = 0.95
#: Digits as 9, letters as A and a: the format of a code.
_CLASSES = str.maketrans(
    {
        **dict.fromkeys("0123456789", "9"),
        **{chr(k): "A" for k in range(ord("A"), ord("Z") + 1)},
        **{chr(k): "a" for k in range(ord("a"), ord("z") + 1)},
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeColumn:
    """A column of codes: the position of each item's code among the unique ones."""

    codes: NDArray[np.intp]
    texts: Sequence[str]
    ids: UInt

    @classmethod
    def from_series(cls, column: pd.Series) -> CodeColumn:
        """Return a column of texts or yes-no values; -1 is missing."""
        codes, unique = pd.factorize(column)
        texts = np.asarray(unique, dtype=object)
        return cls(codes=codes, texts=[str(t) for t in texts], ids=_text_ids(texts))

    def take(self, rows: slice) -> CodeColumn:
        """Return the column of some items, with the same unique codes."""
        return CodeColumn(codes=self.codes[rows], texts=self.texts, ids=self.ids)

    def spread(self, values: NDArray[Any]) -> Float:
        """Return values of the unique codes for every item, NaN where it has none."""
        table = np.append(np.asarray(values, np.float64), np.nan)
        return np.asarray(table[self.codes])

    def item_ids(self) -> UInt:
        """Return the number of every item's code, 0 where it has none."""
        return np.asarray(np.append(self.ids, np.uint64(0))[self.codes])


def _text_ids(texts: NDArray[Any]) -> UInt:
    """Return a 64-bit number for each text: the same on every machine."""
    texts = np.array([str(text) for text in texts], dtype=object)
    return np.asarray(pd.util.hash_array(texts, categorize=False))


def code_format(text: str, prefix: str = "") -> str:
    """Return the format of a code, its first character kept where that is fixed."""
    plain = text.translate(_CLASSES)
    return text[0] + plain[1:] if prefix and text.startswith(prefix) else plain


def is_in(ids: UInt, known: UInt) -> Bool:
    """Return which numbers are among sorted known ones."""
    if not len(known):
        return np.zeros(len(ids), bool)
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.asarray(known[place] == ids)


def logarithm(values: Float) -> Float:
    """Return the logarithm to base 10, NaN unless the value is positive."""
    out = np.full(len(values), np.nan)
    positive = values > 0
    out[positive] = np.log10(values[positive])
    return out


def numbers_of(items: pd.DataFrame, name: str) -> Float:
    """Return a column of numbers as floats."""
    return np.asarray(items[name].to_numpy(np.float64, na_value=np.nan))


def measures_of(items: pd.DataFrame) -> dict[tuple[str, ...], Float]:
    """Return logarithms of amounts, and of their ratios, by their fields."""
    logs = {n: logarithm(numbers_of(items, n)) for n in NUMBERS if n in items}
    measures: dict[tuple[str, ...], Float] = {(n,): v for n, v in logs.items()}
    for one, other in RATIOS:
        if one in logs and other in logs:
            measures[one, other] = logs[one] - logs[other]
    return measures


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeHabits:
    """Usual codes of a field, their formats, and lengths with a leading zero."""

    codes: UInt
    formats: UInt
    zero_lengths: tuple[int, ...]
    prefix: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sketch:
    """A set of ids of which nearly half the bits are set, so that none is certain."""

    bits: Bool

    @classmethod
    def make(cls, ids: UInt) -> Sketch:
        """Return the sketch of some ids."""
        n_bits = 64
        while True:
            bits = np.zeros(n_bits, bool)
            bits[mix(ids) % np.uint64(n_bits)] = True
            if bits.mean() <= 0.5:
                return cls(bits=bits)
            n_bits *= 2

    def unknown(self, ids: UInt) -> Float:
        """Return a number per id whose mean is the share of ids never seen."""
        known = self.bits[mix(ids) % np.uint64(len(self.bits))]
        return np.asarray((1.0 - known) / (1.0 - self.bits.mean()))


@dataclass(frozen=True, kw_only=True, eq=False)
class UsualValues:
    """Usual codes, pairs, levels and formats of declarations.

    Parameters
    ----------
    habits : dict of str to CodeHabits
        Of every field of codes, and, without the codes, of every field of traders.
    traders : dict of tuple of str to Sketch
        Of every field of traders, and of their pairs with codes.
    pairs : dict of tuple of str to ndarray of uint64
        Usual pairs of codes, sorted.
    routes : ndarray of uint64
        Pairs of origin and departure that are more frequent than their reverse.
    groups : ndarray of uint64
        Headings and chapters that have levels of their own, sorted.
    levels : dict of tuple of str to ndarray of float
        Median of each measure in each group, the median of all items last.
    """

    habits: Mapping[str, CodeHabits]
    traders: Mapping[tuple[str, ...], Sketch]
    pairs: Mapping[tuple[str, str], UInt]
    routes: UInt
    groups: UInt
    levels: Mapping[tuple[str, ...], Float]

    @classmethod
    def learn(cls, items: pd.DataFrame, *, most: int) -> UsualValues:
        """Learn from declarations; levels from `most` of them, evenly spread."""
        columns = code_columns(items)
        habits = {
            n: _habits(columns[n], with_codes=True) for n in CODES if n in columns
        }
        traders: dict[tuple[str, ...], Sketch] = {}
        for name in (n for n in TRADERS if n in columns and len(columns[n].ids)):
            habits[name] = _habits(columns[name], with_codes=False)
            traders[(name,)] = Sketch.make(columns[name].ids)
        for one, other in TRADER_PAIRS:
            ids = pair_ids(items, columns, (one, other))
            if ids is not None:
                traders[one, other] = Sketch.make(np.unique(ids[ids != 0]))
        pairs = {}
        for pair in CODE_PAIRS:
            ids = pair_ids(items, columns, pair)
            if ids is not None:
                pairs[pair] = np.unique(ids[ids != 0])
        some = slice(None, None, -(-len(items) // most))
        groups, levels = _learn_levels(items[some], columns["tariff_code"].take(some))
        return cls(
            habits=habits,
            traders=traders,
            pairs=pairs,
            routes=_learn_routes(columns),
            groups=groups,
            levels=levels,
        )

    def level(self, measure: tuple[str, ...], tariff: CodeColumn) -> Float:
        """Return the usual value of a measure for every item, by its goods."""
        levels = self.levels[measure]
        place = np.full(len(tariff.texts), len(self.groups))
        for digits in (2, 4):
            ids = _text_ids(np.array([t[:digits] for t in tariff.texts], dtype=object))
            found = is_in(ids, self.groups)
            place[found] = np.searchsorted(self.groups, ids[found])
        return tariff.spread(levels[place])


def code_columns(items: pd.DataFrame) -> dict[str, CodeColumn]:
    """Return the columns of codes, traders and yes-no values of items."""
    names = [n for n in (*CODES, *TRADERS) if n in items]
    return {name: CodeColumn.from_series(items[name]) for name in names}


def pair_ids(
    items: pd.DataFrame, columns: Mapping[str, CodeColumn], pair: tuple[str, str]
) -> UInt | None:
    """Return a number for the pair of codes of every item, 0 where one is missing."""
    one, other = (_side_ids(items, columns, name) for name in pair)
    if one is None or other is None:
        return None
    return join_ids(one, other)


def join_ids(one: UInt, other: UInt) -> UInt:
    """Return a number for each ordered pair of numbers, 0 where one is 0."""
    with np.errstate(over="ignore"):
        joined = mix(one + mix(other))
    joined[(one == 0) | (other == 0)] = 0
    return joined


def _side_ids(
    items: pd.DataFrame, columns: Mapping[str, CodeColumn], name: str
) -> UInt | None:
    """Return the numbers of one side of a pair."""
    if name in columns:
        return columns[name].item_ids()
    if name not in items:
        return None
    # A rate is a code of the tariff; its fraction has at most four digits.
    rate = numbers_of(items, name)
    whole = np.rint(np.nan_to_num(rate, nan=-1.0) * 10_000) + 1
    return np.asarray(np.maximum(whole, 0), np.uint64)


def _habits(column: CodeColumn, *, with_codes: bool) -> CodeHabits:
    """Return the usual codes and formats of a column."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.ids))
    prefix = ""
    if not with_codes and column.texts:
        first, n_first = Counter(text[:1] for text in column.texts).most_common(1)[0]
        prefix = first if n_first >= _PREFIX_SHARE * len(column.texts) else ""
    formats = format_ids(column, prefix)
    unique, place = np.unique(formats, return_inverse=True)
    usual = np.bincount(place, weights=counts, minlength=len(unique))
    zeros = {len(t) for t in column.texts if t.startswith("0") and t.isdigit()}
    return CodeHabits(
        codes=np.sort(column.ids) if with_codes else np.empty(0, np.uint64),
        formats=unique[usual >= max(_USUAL_SHARE * counts.sum(), 1)],
        zero_lengths=tuple(sorted(zeros)) if with_codes else (),
        prefix=prefix,
    )


def format_ids(column: CodeColumn, prefix: str) -> UInt:
    """Return the number of the format of every unique code."""
    formats = np.array([code_format(t, prefix) for t in column.texts], dtype=object)
    return _text_ids(formats)


def restored_ids(texts: Iterable[str], length: int) -> UInt:
    """Return the numbers of codes that leading zeros fill up to a length."""
    return _text_ids(np.array([t.zfill(length) for t in texts], dtype=object))


def _learn_routes(columns: Mapping[str, CodeColumn]) -> UInt:
    """Return the routes that are more frequent than their reverse."""
    if "origin" not in columns or "departure" not in columns:
        return np.empty(0, np.uint64)
    one, other = columns["origin"].item_ids(), columns["departure"].item_ids()
    differ = (one != other) & (one != 0) & (other != 0)
    there, n_there = np.unique(join_ids(one[differ], other[differ]), return_counts=True)
    back = join_ids(other[differ], one[differ])
    first = np.unique(join_ids(one[differ], other[differ]), return_index=True)[1]
    reverse = back[first]
    n_back = np.zeros(len(there), np.int64)
    found = is_in(reverse, there)
    n_back[found] = n_there[np.searchsorted(there, reverse[found])]
    return there[n_there > n_back]


def _learn_levels(
    items: pd.DataFrame, tariff: CodeColumn
) -> tuple[UInt, dict[tuple[str, ...], Float]]:
    """Return groups of goods, and the median of every measure in each."""
    places, ids, chapter_of = _goods_groups(tariff)
    levels = {}
    for fields, values in measures_of(items).items():
        known = np.flatnonzero(~np.isnan(values))
        ordered = known[np.argsort(values[known])]
        everywhere = float(np.median(values[known])) if len(known) else np.nan
        chapters, headings = (
            _group_medians(group[ordered], values[ordered], len(ids))
            for group in places
        )
        level = np.where(np.isnan(chapters), everywhere, chapters)
        # A heading without enough items has the level of its chapter.
        own = ~np.isnan(headings)
        level = np.where(own, headings, level[chapter_of])
        levels[fields] = np.append(level, everywhere)
    return ids, levels


def _goods_groups(
    tariff: CodeColumn,
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], UInt, NDArray[np.intp]]:
    """Return the chapter and the heading of every item, as places among sorted ids.

    Also the ids of all of them, and the place of the chapter of each.
    """
    names = [np.array([t[:n] for t in tariff.texts], dtype=object) for n in (2, 4)]
    chapter_ids, heading_ids = (_text_ids(texts) for texts in names)
    ids = np.unique(np.concatenate((chapter_ids, heading_ids)))
    chapters, headings = (np.searchsorted(ids, i) for i in (chapter_ids, heading_ids))
    chapter_of = np.arange(len(ids))
    chapter_of[headings] = chapters
    return (chapters[tariff.codes], headings[tariff.codes]), ids, chapter_of


def _group_medians(groups: NDArray[np.intp], values: Float, n_groups: int) -> Float:
    """Return the median of ordered values in each group, NaN where there are few."""
    small = groups.astype(np.uint16) if n_groups < 2**16 else groups  # sorts faster
    ordered = values[np.argsort(small, kind="stable")]
    counts = np.bincount(groups, minlength=n_groups)
    starts = np.cumsum(counts) - counts
    out = np.full(n_groups, np.nan)
    enough = counts >= _LEAST_GROUP
    first, n = starts[enough], counts[enough]
    out[enough] = (ordered[first + (n - 1) // 2] + ordered[first + n // 2]) / 2
    return out
