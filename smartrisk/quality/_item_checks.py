"""Checks of declared items: their days, and the values of their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message, format_values
from smartrisk.quality._doubts import SOME, SOME_RESULTS, Doubt
from smartrisk.quality._learning_data import LearningData
from smartrisk.schema import DECLARATIONS

#: Days between the first and the last lodgement: features look back 90 days and more,
#: and over less than four weeks a trader has hardly a past.
FEW_DAYS = 28
#: Columns that are never judged: keys, and fields that may well have one value.
_NOT_JUDGED = frozenset(("declaration_id", "item_number"))
#: Measures whose unit can change, from one to thousandths or thousands of it.
_MEASURES = ("customs_value", "net_mass_kg", "gross_mass_kg", "quantity")
_PER_KG = ("customs_value", "net_mass_kg")
#: How many times the median of all others that of a month or an office must be: medians
#: of a measure differ by a factor of ten between offices, and a unit by a thousand.
_TIMES_UNIT = 300.0
#: Items that are enough for medians: a fit of a million must not be slower.
_ENOUGH = 100_000
#: Days without any item beside which few items are far from all others, and the share
#: of the items that are few.
_FAR_DAYS, _FAR_SHARE = 365, 0.01


def few_days(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where the items were lodged within few days."""
    lodged = data.lodged.astype("datetime64[D]")
    n_days = int((lodged.max() - lodged.min()) / np.timedelta64(1, "D")) + 1
    if n_days < FEW_DAYS:
        yield Doubt(
            columns=("lodged_at",),
            count=n_days,
            message=Message(
                "quality.few_days",
                "All items were lodged within {count} days, from {first} on.",
                count=n_days,
                first=str(lodged.min()),
            ),
            remedy="Pass at least 28 days: features look back 90 and more.",
        )


def far_dates(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where few items were lodged a year and more from all others."""
    days = np.sort(data.lodged.astype("datetime64[D]"))
    most = int(len(days) * _FAR_SHARE)
    if not most:
        return
    gaps = np.diff(days).astype(np.int64) >= _FAR_DAYS
    before = np.flatnonzero(gaps[:most])
    after = np.flatnonzero(gaps[len(gaps) - most :]) + len(gaps) - most
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) + 1 if len(after) else len(days)
    far = np.concatenate([days[:first], days[last:]])
    if len(far):
        examples = tuple(dict.fromkeys(map(str, far)))
        yield Doubt(
            columns=("lodged_at",),
            count=len(far),
            examples=examples[:5],
            message=Message(
                "quality.far_dates",
                "{count} items were lodged a year and more from all others: "
                "{examples}.",
                count=len(far),
                examples=format_values(examples),
            ),
            remedy="Correct these dates: one in the future moves the end of the "
            "history, and a year of two digits or a month read as a day does this.",
        )


def unit_changes(data: LearningData) -> Iterator[Doubt]:
    """Yield doubts where a month or an office has another unit of a measure."""
    step = len(data.items) // _ENOUGH + 1
    items = data.items.iloc[::step]
    months = data.lodged[::step].astype("datetime64[M]")
    for name in (n for n in _MEASURES if n in items):
        found = _other_units(items[name].to_numpy(np.float64), months)
        if found:
            yield _unit_doubt((name,), found)
    if {"office", *_PER_KG} <= set(items):
        # Offices differ in their goods: what a kilogram costs differs less than values.
        value, mass = (items[name].to_numpy(np.float64) for name in _PER_KG)
        per_kg = np.divide(value, mass, out=np.zeros(len(mass)), where=mass > 0)
        found = _other_units(per_kg, items["office"].to_numpy(dtype=object))
        if found:
            yield _unit_doubt(_PER_KG, found)


def _other_units(values: NDArray[np.float64], labels: NDArray[Any]) -> dict[str, float]:
    """Return groups whose median is far from that of all others, and how far."""
    good = values > 0
    logs = pd.Series(np.log(values[good])).groupby(labels[good])
    medians, sizes = logs.median(), logs.size()
    found = {}
    if len(medians) < 2:
        return {}
    usual = float(medians.median())
    for label in medians.index[sizes >= SOME_RESULTS]:
        gap = float(medians[label]) - usual
        if abs(gap) > np.log(_TIMES_UNIT):
            name = f"{label:%Y-%m}" if isinstance(label, pd.Timestamp) else str(label)
            found[name] = float(np.exp(gap))
    return found


def _unit_doubt(names: tuple[str, ...], found: dict[str, float]) -> Doubt:
    """Return the doubt about the unit of a measure of months, or per kg of offices."""
    label, times = next(iter(found.items()))
    message = Message(
        "quality.unit_of_month",
        "The median of {column!r} in {month} is {times:,.3g} times the usual one.",
        column=names[0],
        month=label,
        times=times,
    )
    if len(names) > 1:
        message = Message(
            "quality.unit_of_office",
            "The median of {value!r} by {mass!r} at office {office} is {times:,.3g} "
            "times the usual one.",
            value=names[0],
            mass=names[1],
            office=label,
            times=times,
        )
    return Doubt(
        columns=names,
        count=len(found),
        examples=tuple(found)[:5],
        message=message,
        remedy="Check the unit: tonnes for kilograms, thousands for single units, "
        "another currency, or a lost decimal sign. Name it in the ColumnMap.",
    )


def dead_columns(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where columns have no value, or one only."""
    if len(data.items) < SOME:
        return
    fields = [f.name for f in DECLARATIONS if f.in_features]
    names = [n for n in fields if n in data.items and n not in _NOT_JUDGED]
    dead = tuple(name for name in names if _is_constant(data.items[name]))
    if dead:
        yield Doubt(
            columns=dead,
            count=len(dead),
            examples=tuple(_value_text(data.items[name].iloc[0]) for name in dead),
            message=Message(
                "quality.dead_columns",
                "{count} columns have one value or none in all {n_items} items: "
                "{columns}.",
                count=len(dead),
                n_items=len(data.items),
                columns=format_values(dead),
            ),
            remedy="Check the export; leave out columns that are not kept.",
        )


def _is_constant(column: pd.Series) -> bool:
    """Return whether all values are equal, or all are missing."""
    first = column.iloc[0]
    for part in (column.iloc[:SOME], column):  # most columns differ at once
        same = part.isna() if pd.isna(first) else (part == first).fillna(False)
        if not same.all():
            return False
    return True


def _value_text(value: object) -> str:
    """Return a value as text, empty where it is missing."""
    return "" if value is None or value is pd.NA or value != value else str(value)
