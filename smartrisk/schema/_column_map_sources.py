"""What a column map must agree on: every field has one source, every step its needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from smartrisk.errors import ArgumentError, check_choice, format_values, suggest_nearest
from smartrisk.schema._fields import OWN_KINDS, Field
from smartrisk.schema._tables import DECLARATIONS, HS_LEVELS, OUTCOMES

if TYPE_CHECKING:
    from smartrisk.schema._column_map import ColumnMap

#: Names of own fields that mean something else in a canonical table.
_TAKEN = frozenset({"source_row", *HS_LEVELS})
#: Names of own fields: those of a column that any tool can read.
_OWN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELDS: Mapping[str, Field] = MappingProxyType(
    {f.name: f for table in (OUTCOMES, DECLARATIONS) for f in table}
)
_REQUIRED = frozenset((*DECLARATIONS.required, *OUTCOMES.required))
#: Columns of a destination, in the languages of the maps.
_DESTINATION = re.compile(r"destin", re.IGNORECASE)


def check_sources(columns: ColumnMap) -> None:
    """Refuse unknown fields, fields with two sources and columns of two fields."""
    _check_own_fields(columns.own_fields)
    known = {**_FIELDS, **dict.fromkeys(columns.own_fields)}
    for option, names in _named_fields(columns):
        for name in names:
            _check_field(option, name, known, columns.mapping)
    for option, wrong in (
        ("sums", [n for n in columns.sums if not _holds_numbers(n, columns)]),
        ("convert", [n for n in columns.convert if not _holds_numbers(n, columns)]),
        ("shared", [n for n in columns.shared if not _holds_numbers(n, columns)]),
        ("units", [n for n in columns.units if not _holds_numbers(n, columns)]),
        ("factors", [n for n in columns.factors if not _holds_numbers(n, columns)]),
        ("dates", [n for n in columns.dates if _kind(n, columns) != "datetime"]),
    ):
        if wrong:
            raise ArgumentError(
                "schema.step_of_wrong_kind",
                "ColumnMap: {option!r} names {fields}, of kind {kind!r}; it takes "
                "{need}.",
                option=option,
                fields=format_values(wrong),
                kind=_kind(wrong[0], columns),
                need="dates" if option == "dates" else "numbers",
            )
    _check_units(columns)
    _check_shares(columns)
    _check_one_source(columns)
    _check_columns_once(columns)
    _check_missing(columns)
    _check_money(columns)
    _check_references(columns)
    origin = columns.mapping.get("origin", "")
    if _DESTINATION.search(origin):
        raise ArgumentError(
            "schema.destination_as_origin",
            "ColumnMap: 'origin' is mapped to {column!r}. A destination is no origin: "
            "name the column of the country of origin.",
            column=origin,
        )


def _kind(name: str, columns: ColumnMap) -> str:
    """Return the kind of a field of a table, or of an own field."""
    return (
        columns.own_fields[name] if name in columns.own_fields else _FIELDS[name].kind
    )


def _holds_numbers(name: str, columns: ColumnMap) -> bool:
    """Return whether a field takes numbers with fractions."""
    return _kind(name, columns) == "number"


def _named_fields(columns: ColumnMap) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield each option that names fields, and the fields."""
    for option in (
        *("mapping", "widths", "factors", "units", "values"),
        *("join", "dates", "sums", "shared", "convert", "optional"),
    ):
        yield option, getattr(columns, option)
    if isinstance(columns.date_format, Mapping):
        yield "date_format", columns.date_format
    for split in columns.split:
        yield "split", split.fields
    for reference in columns.references:
        yield "references", [n for n in reference.key if n not in HS_LEVELS]
        yield "references", reference.take


def _check_field(
    option: str, name: str, known: Mapping[str, Any], mapping: Mapping[str, str]
) -> None:
    """Refuse a name that is no field, with what was probably meant."""
    if name in known:
        return
    if option != "mapping":
        raise ArgumentError(
            "schema.unknown_field_of_step",
            "ColumnMap: {option!r} names {field!r}, which is neither a field of a "
            "table nor one of 'own_fields'.{hint}",
            option=option,
            field=name,
            hint=suggest_nearest(name, known),
        )
    if mapping[name] in known:
        hint = f" The map is reversed: {mapping[name]!r} is the field."
    else:
        hint = suggest_nearest(name, known)
    raise ArgumentError(
        "schema.unknown_mapped_field",
        "ColumnMap: {field!r} is not a field of a table.{hint} Write "
        "{{field: column}}; name a field of your own in 'own_fields'.",
        field=name,
        hint=hint,
    )


def _check_own_fields(own_fields: Mapping[str, str]) -> None:
    """Refuse own fields with an unknown kind, or a name that is taken."""
    for name, kind in own_fields.items():
        check_choice("ColumnMap", f"own_fields.{name}", kind, OWN_KINDS)
        if name in _FIELDS or name in _TAKEN:
            raise ArgumentError(
                "schema.own_field_is_a_field",
                "ColumnMap: the own field {name!r} has the name of a field of the "
                "schema. Give it another name, or map the field.",
                name=name,
            )
        if not _OWN_NAME.fullmatch(name) or name.startswith("dq_") or "__" in name:
            raise ArgumentError(
                "schema.own_field_name",
                "ColumnMap: the own field {name!r} needs a name of small letters, "
                "digits and single '_' that starts with a letter, and not with 'dq_'.",
                name=name,
            )


def _check_one_source(columns: ColumnMap) -> None:
    """Refuse a field that two options make."""
    sources: list[tuple[str, str]] = [
        (name, option)
        for option in ("mapping", "join", "dates", "sums")
        for name in getattr(columns, option)
    ]
    sources += [(name, "split") for s in columns.split for name in s.fields]
    sources += [(name, "references") for r in columns.references for name in r.take]
    for name, count in Counter(name for name, _ in sources).items():
        if count > 1:
            raise ArgumentError(
                "schema.two_sources",
                "ColumnMap: {field!r} has several sources: {options}. Keep one.",
                field=name,
                options=format_values(o for n, o in sources if n == name),
            )


def _check_columns_once(columns: ColumnMap) -> None:
    """Refuse a column that is mapped to two fields of one table, or twice in a sum."""
    for table in (DECLARATIONS, OUTCOMES):
        names = [n for n in columns.mapping if n in table or n in columns.own_fields]
        by_column: dict[str, list[str]] = {}
        for name in names:
            by_column.setdefault(columns.mapping[name], []).append(name)
        for column, fields in by_column.items():
            if len(fields) > 1:
                raise ArgumentError(
                    "schema.column_twice",
                    "ColumnMap: the column {column!r} is mapped to {fields}. Map it to "
                    "the one that it is.",
                    column=column,
                    fields=format_values(fields),
                )
    for name, parts in columns.sums.items():
        twice = [c for c, n in Counter(p.column for p in parts).items() if n > 1]
        if twice or not parts:
            raise ArgumentError(
                "schema.sum_of_a_column_twice",
                "ColumnMap: the sum for {field!r} must name columns, each once; got "
                "{columns}.",
                field=name,
                columns=format_values(p.column for p in parts) or "none",
            )


def _check_units(columns: ColumnMap) -> None:
    """Refuse measures other than masses whose units have no factors."""
    for name, units in columns.units.items():
        if not units.factors and not name.endswith("_kg"):
            raise ArgumentError(
                "schema.units_without_factors",
                "ColumnMap: the units of {field!r} are not those of a mass. Give its "
                "factors: units={{{field!r}: {{'column': {column!r}, 'factors': "
                "{{'DZN': 12}}}}}}.",
                field=name,
                column=units.column,
            )


def _check_shares(columns: ColumnMap) -> None:
    """Refuse totals that are shared out by what is no number, or a total itself."""
    for name, by in columns.shared.items():
        is_number = (by in _FIELDS or by in columns.own_fields) and _holds_numbers(
            by, columns
        )
        if not is_number or by in columns.shared:
            raise ArgumentError(
                "schema.shared_by",
                "ColumnMap: the total of {field!r} is to be shared out by {by!r}, "
                "which must be a number of each item, such as 'customs_value'.",
                field=name,
                by=by,
            )
    required = [n for n in columns.optional if n in _REQUIRED]
    if required:
        raise ArgumentError(
            "schema.optional_is_required",
            "ColumnMap: {fields} cannot be optional: every table needs them.",
            fields=format_values(required),
        )


def _check_missing(columns: ColumnMap) -> None:
    """Refuse texts that are both missing and kept."""
    both = [text for text in columns.missing if text in columns.keep]
    if both:
        raise ArgumentError(
            "schema.missing_and_kept",
            "ColumnMap: {texts} cannot be both in 'missing' and in 'keep'.",
            texts=format_values(both),
        )


def _check_money(columns: ColumnMap) -> None:
    """Refuse conversions without rates, and to a currency that is not named."""
    for name, step in columns.convert.items():
        parts = columns.sums.get(name, ())
        by_column = step.rate_column or (parts and all(p.rate_column for p in parts))
        has_rates = columns.rates is not None or "rates" in columns.frames
        if not by_column and not has_rates:
            raise ArgumentError(
                "schema.no_rates",
                "ColumnMap: 'convert' of {field!r} has no rates. Give a 'rate_column', "
                "or 'rates' by day.",
                field=name,
            )
    for name, parts in columns.sums.items():
        foreign = [p for p in parts if p.currency or p.currency_column or p.rate_column]
        if foreign and name not in columns.convert:
            raise ArgumentError(
                "schema.foreign_parts",
                "ColumnMap: the sum for {field!r} has parts in other currencies. Give "
                "convert={{{field!r}: ...}} for the rates.",
                field=name,
            )
    if columns.convert and columns.currency is None:
        raise ArgumentError(
            "schema.no_currency",
            "ColumnMap: 'convert' needs 'currency', the currency that amounts are "
            "converted to, such as 'EUR'.",
        )


def _check_references(columns: ColumnMap) -> None:
    """Refuse reference tables with one name, or that need each other in a circle."""
    names = [reference.name for reference in columns.references]
    if len(set(names)) < len(names):
        raise ArgumentError(
            "schema.references_repeated",
            "ColumnMap: every reference needs a name of its own; got {names}.",
            names=format_values(names),
        )
    for reference in columns.references:
        own = [name for name in reference.take if name in OUTCOMES.names]
        if own:
            raise ArgumentError(
                "schema.reference_of_results",
                "ColumnMap: the reference {name!r} takes {fields}. Only fields that "
                "are known at lodgement, and own fields, can be taken.",
                name=reference.name,
                fields=format_values(own),
            )
    unknown = sorted(set(columns.frames) - {*names, "rates"})
    if unknown:
        raise ArgumentError(
            "schema.unknown_frame",
            "ColumnMap: 'frames' has {frame!r}, which is no reference.{hint}",
            frame=unknown[0],
            hint=suggest_nearest(unknown[0], [*names, "rates"]),
        )
