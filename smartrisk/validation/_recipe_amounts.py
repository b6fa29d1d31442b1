"""Amounts of a column map: sums with signs, currencies and exchange rates, units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message
from smartrisk.items import share_totals
from smartrisk.schema import MASS_UNITS, Amount, Conversion
from smartrisk.validation._recipe_parts import (
    CODE_PART,
    NUMBER_PART,
    TEXT_PART,
    map_values,
)
from smartrisk.validation._recipe_tables import find_rates
from smartrisk.validation._report import Findings
from smartrisk.validation._values import COERCE

if TYPE_CHECKING:
    from smartrisk.validation._recipe import Recipe

Done: TypeAlias = Mapping[str, pd.Series]
Numbers: TypeAlias = NDArray[np.float64]


def make_amounts(recipe: Recipe, name: str, work: Findings, done: Done) -> pd.Series:
    """Return the amounts of a field: one column or a sum, converted, in one unit."""
    columns = recipe.columns
    parts = columns.sums.get(name)
    if parts is None:
        parts = (Amount(str(recipe.found[name])),)
    convert = columns.convert.get(name)
    values = [_part(recipe, name, part, work) for part in parts]
    is_missing = np.column_stack([np.isnan(value) for value in values])
    total = np.zeros(len(recipe.source))
    for k, part in enumerate(parts):
        value = values[k]
        here = work.under(name, part.column)
        if part.missing_is_zero:
            _report_zeros(name, part, is_missing[:, k] & ~work.bad, work)
            value = np.where(is_missing[:, k], 0.0, value)
        else:
            is_partial = is_missing[:, k] & ~is_missing.all(axis=1)
            rows = np.flatnonzero(is_partial & ~work.bad)
            shown = recipe.source[part.column]
            here.note(rows, "", "part of the sum missing", shown, "warning")
        if convert is not None:
            value = value * _rates(recipe, name, part, value, work, done)
        total = total + value
    if name in columns.units:
        total = total * _unit_factors(recipe, name, total, work)
    return pd.Series(total, index=recipe.source.index)


def _part(recipe: Recipe, name: str, part: Amount, work: Findings) -> Numbers:
    """Return one part of a sum with its sign; NaN where it is missing."""
    values = _numbers(recipe, name, part.column, work)
    if part.sign is None:
        return values
    raw = recipe.raw(part.sign, name, work)
    here = work.under(name, part.sign)
    signs = map_values(raw, {"": "+"}).astype(str).str.strip()
    is_negative = signs.isin(list(part.negative)).to_numpy()
    is_known = is_negative | signs.isin(["+", ""]).to_numpy()
    unknown = np.flatnonzero(~is_known & ~np.isnan(values))
    here.note(unknown, "", "unknown sign", raw)
    return np.where(is_negative, -values, values)


def _numbers(recipe: Recipe, name: str, column: str, work: Findings) -> Numbers:
    """Return a column as numbers; what cannot be read is a failure of the field."""
    raw = recipe.raw(column, name, work)
    series = COERCE["number"](NUMBER_PART, raw, work.under(name, column))
    return series.to_numpy(np.float64)


def _report_zeros(
    name: str, part: Amount, zeros: NDArray[np.bool_], work: Findings
) -> None:
    """Report how many missing parts count as 0."""
    if zeros.any():
        work.report(
            Message(
                "validation.missing_counts_as_zero",
                "{field!r} (column {column!r}): missing in {n_rows} rows, where it "
                "counts as 0.",
                field=name,
                column=part.column,
                n_rows=int(zeros.sum()),
            )
        )


def _rates(
    recipe: Recipe,
    name: str,
    part: Amount,
    values: Numbers,
    work: Findings,
    done: Done,
) -> Numbers:
    """Return the rate of each row; an amount without a rate is a failure."""
    convert = recipe.columns.convert[name]
    currency, by_row = _currency(part, convert)
    codes = _currencies(recipe, name, currency, by_row, work)
    column = _rate_column(part, convert)
    if column is not None:
        rates = _numbers(recipe, name, column, work)
        if convert.direction == "foreign_per_national":
            rates = _invert(rates)
        shown = recipe.source[column]
    else:
        rates = find_rates(recipe, codes, done)
        shown = codes
    rates = np.where((codes == recipe.columns.currency).to_numpy(bool), 1.0, rates)
    needs_one = ~np.isnan(values) & (values != 0)
    rows = np.flatnonzero(needs_one & ~(rates > 0))
    label = column or by_row or part.column
    work.under(name, label).note(rows, "", "no exchange rate", shown)
    return np.where(needs_one, np.where(rates > 0, rates, np.nan), 1.0)


def _invert(rates: Numbers) -> Numbers:
    """Return 1 / rate, NaN where there is none."""
    inverted: Numbers = np.full(len(rates), np.nan)
    np.divide(1.0, rates, out=inverted, where=rates > 0)
    return inverted


def _currency(part: Amount, convert: Conversion) -> tuple[str | None, str | None]:
    """Return the currency of a part, and the column of currencies."""
    if part.currency is not None or part.currency_column is not None:
        return part.currency, part.currency_column
    return convert.currency, convert.currency_column


def _rate_column(part: Amount, convert: Conversion) -> str | None:
    """Return the column of rates of a part.

    That of the conversion is in the currency of the conversion: a part in another
    currency needs its own, or the rates of the day.
    """
    if part.rate_column is not None:
        return part.rate_column
    is_other = _currency(part, convert) != (convert.currency, convert.currency_column)
    return None if is_other else convert.rate_column


def _currencies(
    recipe: Recipe,
    name: str,
    currency: str | None,
    column: str | None,
    work: Findings,
) -> pd.Series:
    """Return the currency of each row, three letters; missing where not known."""
    if column is None:
        return pd.Series(currency, index=recipe.source.index, dtype="str")
    raw = recipe.raw(column, name, work)
    if "currency" in recipe.columns.values:
        raw = map_values(raw, recipe.columns.values["currency"])
    return COERCE["code"](CODE_PART, raw, work.under(name, column))


def share_out(
    names: Iterable[str],
    by: Mapping[str, str],
    done: Done,
    work: Findings,
) -> dict[str, pd.Series]:
    """Return totals of documents as shares of their items; to the last cent.

    The total is repeated in every item of its document. Where the items of a document
    do not agree, the column is no total, and they are refused.
    """
    shared: dict[str, pd.Series] = {}
    names = list(names)
    if not names:
        return shared
    documents, _ = pd.factorize(done["declaration_id"], use_na_sentinel=False)
    for name in names:
        totals = done[name].to_numpy(np.float64)
        groups = pd.Series(totals).groupby(documents)
        total = groups.first().to_numpy(np.float64)
        same = groups.nunique(dropna=False).to_numpy() <= 1
        rows = np.flatnonzero(~same[documents])
        work.note(rows, name, "not one total per document", done[name])
        weights = _weights(by[name], done)
        shares, _ = share_totals(total, documents, weights)
        unknown = np.flatnonzero(np.isnan(shares) & ~np.isnan(totals))
        work.note(unknown, name, "no share of the total", done[name], "warning")
        shared[name] = pd.Series(shares, index=done[name].index)
        several = np.bincount(documents)[documents] > 1
        shared[f"dq_shared_{name}"] = pd.Series(several, index=done[name].index)
    return shared


def _weights(by: str, done: Done) -> Numbers:
    """Return by what totals are shared; missing where the items do not have it."""
    if by in done:
        return done[by].to_numpy(np.float64)
    return np.full(len(done["declaration_id"]), np.nan)


def _unit_factors(
    recipe: Recipe, name: str, values: Numbers, work: Findings
) -> Numbers:
    """Return the factor of the unit of each row; an unknown unit is a failure."""
    units = recipe.columns.units[name]
    known = {k.strip().upper(): v for k, v in (units.factors or MASS_UNITS).items()}
    raw = recipe.raw(units.column, name, work)
    here = work.under(name, units.column)
    codes, unique = pd.factorize(COERCE["text"](TEXT_PART, raw, here))
    table = np.array([known.get(unit.upper(), np.nan) for unit in unique] + [np.nan])
    factors = table[codes]
    is_amount = ~np.isnan(values) & (values != 0)
    here.note(np.flatnonzero(is_amount & np.isnan(factors)), "", "unknown unit", raw)
    return np.where(is_amount, factors, 1.0)
