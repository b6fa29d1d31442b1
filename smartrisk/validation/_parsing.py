"""Dates and numbers of one column in a declared format, and which formats fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import check_choice
from smartrisk.validation._date_columns import (
    DateRules,
    read_date_column,
    read_unique_dates,
)
from smartrisk.validation._date_formats import (
    CANDIDATES,
    EXCEL,
    TIMES,
    Shapes,
    date_format,
)
from smartrisk.validation._missing import (
    MISSING,
    NOT_AVAILABLE,
    clean_texts,
    factorize,
    is_missing_sign,
)
from smartrisk.validation._number_formats import (
    FORMATS,
    NumberFormat,
    read_numbers,
)

Moments: TypeAlias = NDArray[np.datetime64]
Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

#: Days of serial numbers that a spreadsheet may hold: 1954 to 2119.
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000


def parse_dates(
    values: Iterable[Any], format: str, *, time_zone: str | None = None
) -> tuple[Moments, Flags]:
    """Return dates that are written in one declared format.

    Parameters
    ----------
    values : Series, array or sequence
        Texts, moments or, for the serial numbers of a spreadsheet, numbers.
    format : str
        A `datetime.strptime` format, or ``"iso"`` (2024-01-31 with or without a time),
        ``"excel"`` or ``"excel1904"`` (days since 1900 or 1904).
    time_zone : str, default=None
        Time zone that moments with an offset are stated in; None for UTC.

    Returns
    -------
    moments : array of datetime64[us], shape (n_values,)
        Moments without a time zone; NaT where missing or not readable.
    unread : array of bool, shape (n_values,)
        Which values are neither missing nor of that format.

    Raises
    ------
    ArgumentError
        If the format leaves the day open, or the time zone is unknown.

    Examples
    --------
    >>> from smartrisk.validation import parse_dates
    >>> moments, unread = parse_dates(["31/01/2024", "31/02/2024", ""], "%d/%m/%Y")
    >>> moments.astype("datetime64[D]").tolist(), unread.tolist()
    ([datetime.date(2024, 1, 31), None, None], [False, True, False])
    """
    rules = DateRules(date_format=format, time_zone=time_zone or "UTC")
    read = read_date_column(_as_series(values), rules)
    return read.moments, read.unread


def parse_numbers(
    values: Iterable[Any],
    *,
    decimal: str = ".",
    thousands: str | None = None,
    grouping: str = "western",
) -> tuple[Numbers, Flags]:
    """Return numbers that are written with declared signs.

    Parameters
    ----------
    values : Series, array or sequence
        Texts or numbers.
    decimal : str, default="."
        Decimal sign.
    thousands : str, default=None
        Sign between groups of three digits; None where there is none.
    grouping : {"western", "indian"}, default="western"
        "indian" for groups of two digits before the last three: 12,34,567.

    Returns
    -------
    numbers : array of float, shape (n_values,)
        NaN where missing or not readable.
    unread : array of bool, shape (n_values,)
        Which values are neither missing nor such a number.

    Examples
    --------
    >>> from smartrisk.validation import parse_numbers
    >>> texts = ["1.234,5", "12.34"]
    >>> numbers, unread = parse_numbers(texts, decimal=",", thousands=".")
    >>> numbers.tolist(), unread.tolist()
    ([1234.5, nan], [False, True])
    """
    check_choice("parse_numbers", "grouping", grouping, ("western", "indian"))
    read = read_numbers(_as_series(values), NumberFormat(decimal, thousands, grouping))
    return read.values, read.unread


def explain_dates(values: Iterable[Any]) -> dict[str, float]:
    """Return the formats that read some dates, and the share that each reads.

    Parameters
    ----------
    values : Series, array or sequence
        Texts, moments or numbers.

    Returns
    -------
    shares : dict of str to float
        Format, as `parse_dates` takes it, to the share of the values that are not
        missing; the largest first.

    Examples
    --------
    >>> from smartrisk.validation import explain_dates
    >>> explain_dates(["31/01/2024", "02/03/2024"])
    {'%d/%m/%Y': 1.0, '%m/%d/%Y': 0.5}
    """
    codes, unique = factorize(_as_series(values))
    weights = np.bincount(codes[codes >= 0], minlength=len(unique)).astype(float)
    is_text = np.array([isinstance(v, (str, bytes)) for v in unique], bool)
    texts = clean_texts(unique[is_text])
    is_sign = is_missing_sign(texts, MISSING | NOT_AVAILABLE)
    weights[np.flatnonzero(is_text)[is_sign]] = 0.0
    total = weights.sum()
    if not total:
        return {}
    shares = {
        code: float(weights[is_text][read].sum() / total)
        for code, read in _explain_texts(texts)
    }
    others = read_unique_dates(unique, DateRules(date_format="iso"))
    typed = float(weights[others.read & ~is_text].sum() / total)
    if typed:
        shares["iso"] = shares.get("iso", 0.0) + typed
    serial = float(weights[_are_serials(unique)].sum() / total)
    if serial:
        shares[EXCEL] = serial
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _explain_texts(texts: list[str]) -> Iterable[tuple[str, Flags]]:
    """Yield every format that reads a text, with which texts it reads."""
    shapes = Shapes(texts)
    for candidate in CANDIDATES:
        if not shapes.read(candidate).read.any():
            continue
        for time in TIMES:
            code = f"{candidate.code}{time}"
            read = shapes.read(date_format(code)).read
            if read.any():
                yield code, read
    iso = shapes.read(date_format("iso")).read
    if iso.any():
        yield "iso", iso


def _are_serials(unique: NDArray[np.object_]) -> Flags:
    """Return which values may be days since 1900."""
    numbers, _ = parse_numbers(unique)
    return (numbers >= _FIRST_SERIAL) & (numbers <= _LAST_SERIAL)


def explain_numbers(
    values: Iterable[Any],
) -> dict[tuple[str, str | None, str], float]:
    """Return the ways to write numbers that read some values, and the share of each.

    Parameters
    ----------
    values : Series, array or sequence
        Texts or numbers.

    Returns
    -------
    shares : dict of (decimal, thousands, grouping) to float
        Signs, as `parse_numbers` takes them, to the share of the values that are not
        missing; the largest first. Equal shares leave the signs open: ``1.234`` is
        read by two of them, as two numbers.

    Examples
    --------
    >>> from smartrisk.validation import explain_numbers
    >>> next(iter(explain_numbers(["1.234,50", "12,5"]).items()))
    ((',', '.', 'western'), 1.0)
    """
    series = _as_series(values)
    shares = {}
    for form in FORMATS:
        read = read_numbers(series, form)
        is_value = ~np.isnan(read.values)
        total = int((is_value | read.unread).sum())
        share = int(is_value.sum()) / total if total else 0.0
        if share:
            shares[form.decimal, form.thousands, form.grouping] = share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _as_series(values: Iterable[Any]) -> pd.Series:
    """Return values as a series, texts and numbers as they are."""
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, np.ndarray):
        return pd.Series(values)
    return pd.Series(list(values), dtype=object)
