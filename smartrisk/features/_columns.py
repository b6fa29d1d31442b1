"""Declarations as plain arrays: identities become 64-bit numbers, dates become days.

The same code serves a million items and a single one, and reads nothing but the item
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.features._packed_days import days
from smartrisk.features._pair_codes import Codes, combine
from smartrisk.items import UInt, mix, text_ids
from smartrisk.schema import DERIVED_COLUMNS, HS_LEVELS

if TYPE_CHECKING:
    from smartrisk.features._running import Events
    from smartrisk.features._sorted_items import SortedKey

#: From this many items on, codes are kept in 32 bits. No table has 2**31 rows.
_MANY = 100_000
Int = NDArray[np.int64]
Float = NDArray[np.float64]

#: Last chapter of each section of the Harmonized System, from section 1 on (WCO, HS
#: 2022); chapter 77 is reserved, 98 and 99 are for national use.
_LAST_CHAPTERS = (
    *(5, 14, 15, 24, 27, 38, 40, 43, 46, 49, 63, 67, 70, 71, 83, 85, 89, 92, 93),
    *(96, 97),
)


def _section(text: str) -> str | None:
    """Return the section of a tariff code, None where it has none."""
    chapter = text[:2]
    if not (chapter.isascii() and chapter.isdigit()):
        return None
    number = sum(int(chapter) > last for last in _LAST_CHAPTERS) + 1
    return str(number)


def _national(text: str) -> str | None:
    """Return a tariff code of more than six digits, None for the others."""
    return text if len(text) > HS_LEVELS["hs6"] else None


DERIVED_PARTS: dict[str, Callable[[str], str | None]] = {
    "hs_section": _section,
    "national_code": _national,
}

#: Identity of a missing value that counts as a value: the letters "nothing!" as a
#: number, which the digest of no code is likely to equal.
NOTHING = np.uint64(0x6E6F7468696E6721)


class Columns:
    """Columns of some items, encoded on demand and once.

    Parameters
    ----------
    source : DataFrame or mapping of str to sequence
        A canonical declarations frame, or its columns as plain sequences.
    keep : bool, default=False
        Whether to keep each key's sorted order, for items whose features are computed
        right after they were learned.
    """

    def __init__(
        self, source: pd.DataFrame | Mapping[str, Any], *, keep: bool = False
    ) -> None:
        self._source = source
        self.keep = keep
        self.sorted_keys: dict[tuple[str, ...], SortedKey] = {}
        self.events: dict[str, Events] = {}
        self.measures: dict[str, Float] = {}
        self.names = tuple(source.keys())
        self.n = len(source[self.names[0]])
        self.day: Int = days(self._array("lodged_at"))
        self._bases: dict[str, tuple[Codes, UInt]] = {}
        self._numbers: dict[str, Float] = {}
        self._pairs: dict[tuple[str, ...], tuple[Codes, UInt]] = {}

    def __contains__(self, name: str) -> bool:
        if name in DERIVED_COLUMNS and name not in self.names:
            return self._can_derive(name)
        return name in HS_LEVELS or name.removesuffix("?") in self.names

    @cached_property
    def in_order(self) -> bool:
        """Whether the items are in the order of their days."""
        return bool((self.day[1:] >= self.day[:-1]).all())

    @cached_property
    def short_day(self) -> NDArray[np.int32]:
        """Days in 32 bits, for compiled loops: half the memory to walk through."""
        return self.day.astype(np.int32)

    @cached_property
    def by_day(self) -> Int:
        """Rows in the order of their days, those of a day in their given order."""
        if self.in_order:
            return np.arange(self.n)
        order: Int = np.argsort(self.day, kind="stable")
        return order

    def _can_derive(self, name: str) -> bool:
        """Return whether the items have what a derived column is made of."""
        if any(field not in self.names for field in DERIVED_COLUMNS[name]):
            return False
        if name != "national_code":
            return True
        values = self._source["tariff_code"]
        codes = self._unique_tariff(values)[1] if self.n > 1 else values
        return any(
            len(str(code)) > HS_LEVELS["hs6"] for code in codes if not is_missing(code)
        )

    def _array(self, name: str) -> Any:
        """Return a column as an array or sequence."""
        values = self._source[name]
        return values.to_numpy() if isinstance(values, pd.Series) else values

    def number(self, name: str) -> Float:
        """Return a numeric column as float; all missing when it is absent."""
        if name not in self._numbers:
            if name in self.names:
                values = self._source[name]
                if isinstance(values, pd.Series) and values.dtype == np.float64:
                    array = values.to_numpy().view()  # not a copy, so nobody may write
                    array.setflags(write=False)
                elif isinstance(values, pd.Series):
                    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
                else:
                    array = np.array(
                        [np.nan if is_missing(v) else v for v in values], np.float64
                    )
            else:
                array = np.full(self.n, np.nan)
            self._numbers[name] = array
        return self._numbers[name]

    def kind(self, name: str) -> str:
        """Return whether a column holds datetimes, numbers or codes."""
        values = self._source[name] if name in self.names else None
        if not isinstance(values, pd.Series):
            return "code"
        if values.dtype.kind == "M":
            return "datetime"
        return "number" if pd.api.types.is_float_dtype(values.dtype) else "code"

    def moments(self, name: str) -> NDArray[np.datetime64]:
        """Return a column of datetimes."""
        return np.asarray(self._array(name))

    def base(self, name: str) -> tuple[Codes, UInt]:
        """Return (codes, ids) of one column: -1 is missing, ids belong to codes.

        Codes of many items take 32 bits. Where the name ends in "?", missing counts as
        a value of its own.
        """
        if name not in self._bases:
            codes, ids = (
                fill_missing(*self.base(name[:-1]))
                if name.endswith("?")
                else self._encode(name)
            )
            self._bases[name] = _store(codes), ids
        return self._bases[name]

    def key(self, columns: Sequence[str]) -> tuple[Codes, UInt]:
        """Return (codes, ids) of a combination of columns."""
        if not columns:
            return np.zeros(self.n, np.int64), mix(np.zeros(1, np.uint64))
        name = tuple(columns)
        if name in self._pairs:
            return self._pairs[name]
        codes, ids = self.base(columns[0])
        ids = mix(ids)
        for other in columns[1:]:
            codes, ids = combine(codes, ids, *self.base(other))
        if self.keep and len(name) > 1:
            codes = _store(codes)
            self._pairs[name] = codes, ids
        return codes, ids

    def _encode(self, name: str) -> tuple[Int, UInt]:
        """Encode a column, or a level of the Harmonized System, by unique values."""
        if name in HS_LEVELS:
            return self._prefix(HS_LEVELS[name])
        if name not in self.names and name in DERIVED_COLUMNS:
            return self._derive(name)
        if name not in self.names:
            return np.full(self.n, -1, np.int64), np.zeros(0, np.uint64)
        values = self._source[name]
        if self.n == 1:
            value = values.iloc[0] if isinstance(values, pd.Series) else values[0]
            return _encode_one(value)
        if isinstance(values, pd.Series) and pd.api.types.is_float_dtype(values.dtype):
            numbers = self.number(name) + 0.0  # -0.0 becomes 0.0
            codes, found = pd.factorize(numbers)
            return codes.astype(np.int64, copy=False), _number_ids(np.asarray(found))
        codes, unique = pd.factorize(
            values if isinstance(values, pd.Series) else np.asarray(values, object)
        )
        return codes.astype(np.int64, copy=False), text_ids(unique)

    def _derive(self, name: str) -> tuple[Int, UInt]:
        """Encode a column that is made of others."""
        if name in DERIVED_PARTS:
            return self._tariff_part(DERIVED_PARTS[name])
        above, below = (self.number(field) for field in DERIVED_COLUMNS[name])
        numbers = round_ratio(above, below)
        if self.n == 1:
            return _encode_one(float(numbers[0]))
        codes, found = pd.factorize(numbers)
        return codes.astype(np.int64, copy=False), _number_ids(np.asarray(found))

    def _tariff_part(self, part: Callable[[str], str | None]) -> tuple[Int, UInt]:
        """Encode what a function makes of the tariff code, None for missing."""
        values = self._source["tariff_code"]
        if self.n == 1:
            value = values.iloc[0] if isinstance(values, pd.Series) else values[0]
            return _encode_one(None if is_missing(value) else part(str(value)))
        codes, unique = self._unique_tariff(values)
        short, found = pd.factorize(np.array([part(str(u)) for u in unique], object))
        lookup = np.append(short.astype(np.int64), -1)
        return lookup[codes], text_ids(list(found))

    def _prefix(self, digits: int) -> tuple[Int, UInt]:
        """Encode the first digits of the tariff code, working on its unique values."""
        values = self._source["tariff_code"]
        if self.n == 1:
            value = values.iloc[0] if isinstance(values, pd.Series) else values[0]
            return _encode_one(None if is_missing(value) else str(value)[:digits])
        codes, unique = self._unique_tariff(values)
        short, prefixes = pd.factorize(
            np.array([str(u)[:digits] for u in unique], object)
        )
        lookup = np.append(short.astype(np.int64), -1)
        return lookup[codes], text_ids(list(prefixes))

    def _unique_tariff(self, values: Any) -> tuple[Int, Any]:
        """Return codes and unique values of the tariff codes, computed once."""
        if not hasattr(self, "_tariff"):
            series = values if isinstance(values, pd.Series) else pd.Series(values)
            codes, unique = pd.factorize(series)
            # Arrow text is slow to iterate over.
            self._tariff = _store(codes), np.asarray(unique, object)
        return self._tariff

    def map_tariff(self, function: Callable[[str], float]) -> Float:
        """Apply a function to every tariff code by way of its unique values."""
        values = self._source["tariff_code"]
        if self.n == 1:
            value = values.iloc[0] if isinstance(values, pd.Series) else values[0]
            return np.array([np.nan if is_missing(value) else function(str(value))])
        codes, unique = self._unique_tariff(values)
        table = np.array([*(function(str(u)) for u in unique), np.nan], np.float64)
        return table[codes]


def _store(codes: Int) -> NDArray[Any]:
    """Return codes as they are kept: in half the memory where there are many.

    Few are kept as they are: a copy for every use would cost more than it saves.
    """
    return codes if len(codes) < _MANY else codes.astype(np.int32)


def round_ratio(above: Float, below: Float) -> Float:
    """Return a ratio with three significant digits; NaN where it has none.

    As a whole number, made of the power of ten and the digits, so that equal ratios are
    equal numbers.
    """
    good = (above > 0) & (below > 0)
    ratio = np.where(good, above, 1.0) / np.where(good, below, 1.0)
    good &= (ratio > 1e-99) & (ratio < 1e99)
    ratio = np.where(good, ratio, 1.0)
    power = np.floor(np.log10(ratio))
    digits = np.rint(ratio / 10.0 ** (power - 2.0))
    carried = digits >= 1000.0
    digits = np.where(carried, digits / 10.0, digits)
    return np.where(good, 1000.0 * (power + carried + 100.0) + digits, np.nan)


def fill_missing(codes: Int, ids: UInt) -> tuple[Int, UInt]:
    """Give missing values a code and an identity of their own."""
    return np.where(codes < 0, len(ids), codes), np.append(ids, NOTHING)


def is_missing(value: Any) -> bool:
    """Return whether a single value is missing."""
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _encode_one(value: Any) -> tuple[Int, UInt]:
    """Encode a single value."""
    if is_missing(value):
        return np.array([-1]), np.zeros(0, np.uint64)
    if isinstance(value, (float, np.floating)):
        return np.zeros(1, np.int64), _number_ids(np.array([value + 0.0]))
    return np.zeros(1, np.int64), text_ids([value])


def _number_ids(unique: Float) -> UInt:
    """Return a 64-bit number for each float."""
    return mix(np.ascontiguousarray(unique, np.float64).view(np.uint64))
