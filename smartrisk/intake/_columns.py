"""What the values of a column look like: formats, shares, kinds of values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Texts that stand for no value in exports; the grammar of `validation` has the same
#: and more, and decides in the end.
EMPTY = frozenset(
    {"", "na", "n/a", "nan", "none", "null", "nat", "<na>", "\\n", "-", "--", "s/d"}
    | {"s/i", "?", "#ref!", "#n/a", "(null)", "[null]", "missing", "_x0000_", "\x00"}
    | {".", "n.d.", "sin dato", "non renseigne"}
)
#: Decimal and thousands signs that are tried, the commonest first.
NUMBER_FORMATS: tuple[tuple[str, str | None], ...] = (
    (".", None),
    (",", None),
    (".", ","),
    (",", "."),
    (",", " "),
    (".", " "),
    (".", "'"),
)
#: Days and years of dates that a file of declarations can hold.
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
#: Distinct values that are looked at to recognise a format: more do not change shares.
_MOST_DISTINCT = 5_000


@dataclass(frozen=True, eq=False)
class ColumnValues:
    """The values of one column as texts, and what they look like.

    Parameters
    ----------
    name : str
        The administration's column.
    texts : Series of str
        Values without blanks around them; None where nothing is given.
    """

    name: str
    texts: pd.Series

    @cached_property
    def counts(self) -> pd.Series:
        """Rows of each distinct value, the most frequent first."""
        return self.texts.value_counts()

    @cached_property
    def n_filled(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @property
    def filled(self) -> float:
        """Share of the rows with a value."""
        return self.n_filled / max(1, len(self.texts))

    @property
    def n_distinct(self) -> int:
        """Distinct values."""
        return len(self.counts)

    @cached_property
    def is_constant(self) -> bool:
        """Whether at most one value occurs; a single row is no evidence."""
        return self.n_distinct <= 1 and len(self.texts) > 1

    @cached_property
    def _distinct(self) -> tuple[list[str], NDArray[np.float64]]:
        """Frequent distinct values, and the share of the rows of each."""
        head = self.counts.head(_MOST_DISTINCT)
        weights = head.to_numpy(np.float64)
        return [str(v) for v in head.index], weights / max(1.0, weights.sum())

    def share(self, is_kind: Iterable[bool]) -> float:
        """Return the share of filled rows whose value is of a kind."""
        return float(np.dot(self._distinct[1], np.fromiter(is_kind, np.float64)))

    def share_matching(self, pattern: str) -> float:
        """Return the share of filled rows that a regular expression matches in full."""
        compiled = re.compile(pattern)
        return self.share(compiled.fullmatch(v) is not None for v in self.values)

    def share_in(self, codes: Iterable[str]) -> float:
        """Return the share of filled rows whose value, in lower case, is in a list."""
        known = set(codes)
        return self.share(v.casefold() in known for v in self.values)

    @property
    def values(self) -> list[str]:
        """Frequent distinct values, the most frequent first."""
        return self._distinct[0]

    @cached_property
    def number_shares(self) -> dict[tuple[str, str | None], float]:
        """Share of the filled rows that each format of numbers explains."""
        return {form: self.share_matching(_number_regex(*form)) for form in _FORMATS}

    @cached_property
    def number_share(self) -> float:
        """Share of the filled rows that the best format of numbers explains."""
        return max(self.number_shares.values(), default=0.0) if self.n_filled else 0.0

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """Values as numbers in the best format; NaN where that is not one."""
        return self.read_numbers(max(self.number_shares, key=self.number_shares.get))  # type: ignore[arg-type]

    def read_numbers(self, form: tuple[str, str | None]) -> NDArray[np.float64]:
        """Return the values as numbers in a format; NaN where that is not one."""
        regex = re.compile(_number_regex(*form))
        decimal, thousands = form
        table = {}
        for value in self.counts.index:
            text = str(value)
            if regex.fullmatch(text):
                plain = re.sub(r"[\s\u00a0\u202f]", "", text)
                plain = plain.replace(thousands, "") if thousands else plain
                table[value] = float(plain.replace(decimal, "."))
        return np.asarray(self.texts.map(table).to_numpy(dtype=np.float64))

    @cached_property
    def has_fractions(self) -> bool:
        """Whether more than one row in fifty holds a number with decimals."""
        numbers = self.numbers[~np.isnan(self.numbers)]
        return bool(len(numbers)) and bool((numbers != np.rint(numbers)).mean() > 0.02)

    @cached_property
    def date_shares(self) -> dict[str, float]:
        """Share of the filled rows that each format of dates explains."""
        return explain_dates(self)

    @cached_property
    def date_share(self) -> float:
        """Share of the filled rows that the best format of dates explains."""
        return max(self.date_shares.values(), default=0.0) if self.n_filled else 0.0

    @cached_property
    def month_of(self) -> dict[str, int]:
        """Month (12 * year + month - 1) of each distinct date; -1 for other values."""
        best = max(self.date_shares, key=lambda n: self.date_shares[n], default="")
        parts = _SEPARATED.get(best) or _COMPACT.get(best)
        if parts is None:
            return {}
        regex = _date_regex(parts, is_compact=best in _COMPACT)
        return {str(v): _month(regex, parts, str(v)) for v in self.counts.index}

    @cached_property
    def months(self) -> NDArray[np.int64]:
        """Month of every row, as in `month_of`; -1 where there is none."""
        found = self.texts.map(self.month_of).fillna(-1)
        return np.asarray(found.to_numpy(), dtype=np.int64)

    @cached_property
    def mean_length(self) -> float:
        """Mean number of characters of the filled rows."""
        values, weights = self._distinct
        lengths = np.fromiter((len(v) for v in values), np.float64, len(values))
        return float(np.dot(weights, lengths))

    @cached_property
    def letters_share(self) -> float:
        """Share of the filled rows with a letter."""
        return self.share(any(c.isalpha() for c in v) for v in self.values)

    @cached_property
    def is_zero(self) -> bool:
        """Whether every number is zero, or nothing is given at all."""
        numbers = self.numbers[~np.isnan(self.numbers)]
        return self.n_filled == 0 or bool(len(numbers) and not numbers.any())


def read_columns(frame: pd.DataFrame) -> dict[str, ColumnValues]:
    """Return the columns of a frame as texts, the marks of the door left out."""
    names = [str(name) for name in frame.columns]
    kept = [n for n in names if n != "source_row" and not n.startswith("dq_")]
    return {
        name: ColumnValues(name, _texts(frame.iloc[:, names.index(name)]))
        for name in kept
    }


def _texts(series: pd.Series) -> pd.Series:
    """Return values as texts without blanks around them; None where none is given."""
    codes, unique = pd.factorize(series)
    texts: list[str | None] = [_text(value) for value in unique]
    table = np.array([*texts, None], dtype=object)
    return pd.Series(table[codes], index=series.index, dtype=object)


def _text(value: object) -> str | None:
    """Return one value as a text, or None."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ") if value == value else None
    text = re.sub(r"[\s\u00a0\u202f\u200b\ufeff]+", " ", str(value)).strip()
    return None if text.casefold() in EMPTY else text


_FORMATS = NUMBER_FORMATS


def _number_regex(decimal: str, thousands: str | None) -> str:
    """Return the expression of numbers with a decimal and a thousands sign."""
    point = re.escape(decimal)
    whole = "[0-9]+"
    if thousands is not None:
        sign = r"[\s\u00a0\u202f]" if thousands == " " else re.escape(thousands)
        whole = f"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{3}})*|[0-9]+)"
    return rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


#: Formats of dates by name: the parts in the order of a regular expression. Names are
#: codes of `strptime`, without separators where any of / . - may stand.
_SEPARATED = {
    "%Y-%m-%d": ("year", "month", "day"),
    "%d/%m/%Y": ("day", "month", "year"),
    "%m/%d/%Y": ("month", "day", "year"),
    "%d/%m/%y": ("day", "month", "short"),
    "%m/%d/%y": ("month", "day", "short"),
    "%y/%m/%d": ("short", "month", "day"),
}
_COMPACT = {
    "%Y%m%d": ("year", "month", "day"),
    "%d%m%Y": ("day", "month", "year"),
    "%m%d%Y": ("month", "day", "year"),
    "%y%m%d": ("short", "month", "day"),
    "%d%m%y": ("day", "month", "short"),
}
_DIGITS = {"year": 4, "month": 2, "day": 2, "short": 2}
_TIME = (
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"


def explain_dates(column: ColumnValues) -> dict[str, float]:
    """Return the share of rows that each format of dates reads in full, above 0."""
    shares = {}
    for name, parts in (*_SEPARATED.items(), *_COMPACT.items()):
        regex = _date_regex(parts, is_compact=name in _COMPACT)
        share = column.share(_is_day(regex, parts, v) for v in column.values)
        if share > 0.0:
            shares[name] = share
    named = rf"[0-9]{{1,2}}[ -](?i:{_MONTH})[a-z]*[ -][0-9]{{2,4}}{_TIME}"
    share = column.share_matching(named)
    if share > 0.0:
        shares["%d-%b-%Y"] = share
    return shares


def _date_regex(parts: Sequence[str], *, is_compact: bool) -> re.Pattern[str]:
    """Return the expression of dates with their parts in an order."""
    if is_compact:
        first = f"([0-9]{{{_DIGITS[parts[0]]}}})"
        if parts[0] == "day":
            first = "([0-9]{1,2})"  # a number loses the zero of 01012024
        return re.compile(
            first + "".join(f"([0-9]{{{_DIGITS[p]}}})" for p in parts[1:])
        )
    texts = [
        f"([0-9]{{{4 if p == 'year' else '2' if p == 'short' else '1,2'}}})"
        for p in parts
    ]
    return re.compile(texts[0] + r"([/.\-])" + texts[1] + r"\2" + texts[2] + _TIME)


def _is_day(regex: re.Pattern[str], parts: Sequence[str], value: str) -> bool:
    """Return whether a value is a day in the order of its parts."""
    return _month(regex, parts, value) >= 0


def _month(regex: re.Pattern[str], parts: Sequence[str], value: str) -> int:
    """Return the month (12 * year + month - 1) of a value; -1 when it is no day."""
    match = regex.fullmatch(value)
    if match is None:
        return -1
    texts = [g for g in match.groups() if g is not None and g.isdigit()][:3]
    found = {part: int(text) for part, text in zip(parts, texts, strict=True)}
    year = found.get("year", found.get("short", 0) + 2000)
    is_day = (
        _FIRST_YEAR <= year <= _LAST_YEAR
        and 1 <= found["month"] <= 12
        and 1 <= found["day"] <= 31
    )
    return 12 * year + found["month"] - 1 if is_day else -1
