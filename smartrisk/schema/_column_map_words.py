"""What a column map does, in words: a sentence for each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from smartrisk.errors import Message

if TYPE_CHECKING:
    from smartrisk.schema._column_map import ColumnMap
    from smartrisk.schema._column_map_steps import Amount, Reference


#: Pairs of a value map that a sentence names.
_MOST_PAIRS = 12


def _names(values: Iterable[object]) -> str:
    """Return all values in quotes."""
    return ", ".join(map(repr, values))


def _pairs(values: Mapping[str, object]) -> str:
    """Return what values become; of a long list the first, and the number of others."""
    shown = list(values.items())[:_MOST_PAIRS]
    parts = [f"{theirs!r} = {ours!r}" for theirs, ours in shown]
    others = len(values) - len(shown)
    return ", ".join([*parts, f"... (+{others})"] if others else parts)


def describe(columns: ColumnMap) -> Iterator[Message]:
    """Yield a sentence for each step of a map, in the order in which it is applied."""
    yield from _describe_columns(columns)
    yield from _describe_formats(columns)
    yield from _describe_values(columns)
    yield from _describe_money(columns)
    for reference in columns.references:
        yield from _describe_reference(reference)


def _describe_columns(columns: ColumnMap) -> Iterator[Message]:
    """Yield what each field is made of."""
    for field, column in columns.mapping.items():
        yield Message(
            "schema.step_column",
            "{field!r} is the column {column!r}.",
            field=field,
            column=column,
        )
    for field, join in columns.join.items():
        yield Message(
            "schema.step_join",
            "{field!r} is {columns} joined by {separator!r}.",
            field=field,
            columns=_names(join.columns),
            separator=join.separator,
        )
        if any(join.widths):
            yield Message(
                "schema.step_join_widths",
                "The parts of {field!r} are filled with zeros to {widths} digits.",
                field=field,
                widths=", ".join(str(width or "any") for width in join.widths),
            )
    for split in columns.split:
        yield Message(
            "schema.step_split",
            "The column {column!r} holds {fields}, separated by {separator!r}.",
            column=split.column,
            fields=_names(split.fields),
            separator=split.separator,
        )
    for field, parts in columns.dates.items():
        yield Message(
            "schema.step_date_parts",
            "{field!r} is the date of year {year!r}, month {month!r}, day {day!r}.",
            field=field,
            year=parts.year,
            month=parts.month,
            day=parts.day,
        )
    for field, amounts in columns.sums.items():
        yield from _describe_sum(field, amounts)


def _describe_sum(field: str, amounts: Iterable[Amount]) -> Iterator[Message]:
    """Yield what a sum adds up, and what a missing part means."""
    amounts = list(amounts)
    yield Message(
        "schema.step_sum",
        "{field!r} is the sum of {columns}.",
        field=field,
        columns=_names(amount.column for amount in amounts),
    )
    signed = [amount for amount in amounts if amount.sign is not None]
    if signed:
        yield Message(
            "schema.step_sum_signs",
            "In the sum of {field!r}, the signs of {columns} are in {signs}.",
            field=field,
            columns=_names(amount.column for amount in signed),
            signs=_names(amount.sign for amount in signed),
        )
    zero = [amount.column for amount in amounts if amount.missing_is_zero]
    if zero:
        yield Message(
            "schema.step_missing_is_zero",
            "In the sum of {field!r}, a missing value of {columns} counts as 0.",
            field=field,
            columns=_names(zero),
        )


def _describe_formats(columns: ColumnMap) -> Iterator[Message]:
    """Yield how dates and numbers are read."""
    if isinstance(columns.date_format, Mapping):
        for field, text in columns.date_format.items():
            yield Message(
                "schema.step_date_format_of_field",
                "Dates of {field!r} are read as {text!r}.",
                field=field,
                text=text,
            )
    elif columns.date_format is not None:
        yield Message(
            "schema.step_date_format",
            "Dates are read as {text!r}.",
            text=columns.date_format,
        )
    if columns.day_first is True:
        yield Message("schema.step_day_first", "Dates are read with the day first.")
    if columns.day_first is False:
        yield Message("schema.step_month_first", "Dates are read with the month first.")
    if columns.time_zone is not None:
        yield Message(
            "schema.step_time_zone",
            "Moments are stated in the time zone {zone!r}.",
            zone=columns.time_zone,
        )
    if columns.decimal != "." or columns.thousands is not None:
        yield Message(
            "schema.step_signs",
            "The decimal sign is {decimal!r}, the sign between thousands {thousands}.",
            decimal=columns.decimal,
            thousands="none" if columns.thousands is None else repr(columns.thousands),
        )
    if columns.grouping != "western":
        yield Message(
            "schema.step_grouping",
            "Thousands are grouped as in 12,34,567.",
        )


def _describe_values(columns: ColumnMap) -> Iterator[Message]:
    """Yield what happens to values."""
    if columns.missing:
        yield Message(
            "schema.step_missing",
            "These texts mean a missing value too: {texts}.",
            texts=_names(columns.missing),
        )
    if columns.keep:
        yield Message(
            "schema.step_keep",
            "These texts are values, not missing ones: {texts}.",
            texts=_names(columns.keep),
        )
    for field, values in columns.values.items():
        yield Message(
            "schema.step_values",
            "Values of {field!r}: {pairs}.",
            field=field,
            pairs=_pairs(values),
        )
    yield from _describe_digits(columns)
    yield from _describe_measures(columns)
    for field, kind in columns.own_fields.items():
        yield Message(
            "schema.step_own_field",
            "{field!r} is a field of the administration, a {kind}.",
            field=field,
            kind=kind,
        )
    if columns.optional:
        yield Message(
            "schema.step_optional",
            "These fields are left out where their columns are missing: {fields}.",
            fields=_names(columns.optional),
        )


def _describe_digits(columns: ColumnMap) -> Iterator[Message]:
    """Yield which zeros are restored."""
    for field, width in columns.widths.items():
        yield Message(
            "schema.step_width",
            "Values of {field!r} are filled with zeros to {width} digits.",
            field=field,
            width=width,
        )
    if columns.tariff_digits is not None:
        yield Message(
            "schema.step_tariff_digits",
            "Tariff codes are filled with zeros to {digits} digits.",
            digits=columns.tariff_digits,
        )


def _describe_measures(columns: ColumnMap) -> Iterator[Message]:
    """Yield units and factors, and totals that are shared out."""
    if columns.duty_rate_unit == "percent":
        yield Message("schema.step_percent", "Duty rates are in percent.")
    for field, factor in columns.factors.items():
        yield Message(
            "schema.step_factor",
            "Values of {field!r} are multiplied by {factor:g}.",
            field=field,
            factor=factor,
        )
    for field, units in columns.units.items():
        yield Message(
            "schema.step_units",
            "The unit of {field!r} is that of {column!r} in each row.",
            field=field,
            column=units.column,
        )
    for field, by in columns.shared.items():
        yield Message(
            "schema.step_shared",
            "{field!r} is the total of the document, shared out by {by!r}.",
            field=field,
            by=by,
        )


def _describe_money(columns: ColumnMap) -> Iterator[Message]:
    """Yield currencies and rates."""
    for field, step in columns.convert.items():
        origin = step.currency_column or step.currency
        if step.rate_column is not None:
            yield Message(
                "schema.step_convert_by_column",
                "{field!r} is converted to {currency} by the rate in {column!r} "
                "({direction}).",
                field=field,
                currency=columns.currency,
                column=step.rate_column,
                direction=step.direction.replace("_", " "),
            )
            continue
        yield Message(
            "schema.step_convert_by_day",
            "{field!r} is converted from {origin!r} to {currency} by the rate of the "
            "day of lodgement.",
            field=field,
            origin=origin,
            currency=columns.currency,
        )
    if columns.currency is not None:
        yield Message(
            "schema.step_currency",
            "Totals are in {currency}.",
            currency=columns.currency,
        )


def _describe_reference(reference: Reference) -> Iterator[Message]:
    """Yield what a reference table gives, and as of when."""
    yield Message(
        "schema.step_reference",
        "The reference {name!r} gives {fields}, by {key}.",
        fields=_names(reference.take),
        name=reference.name,
        key=_names(reference.key),
    )
    if reference.recorded_at is not None:
        return
    if reference.valid_from is not None:
        yield Message(
            "schema.step_reference_not_recorded",
            "The reference {name!r} does not say when its rows were recorded: an item "
            "may get what was entered after its lodgement.",
            name=reference.name,
        )
        return
    yield Message(
        "schema.step_reference_without_days",
        "The reference {name!r} has no days: every item, however old, gets what the "
        "table says now.",
        name=reference.name,
    )
