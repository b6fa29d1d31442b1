"""Rules that a column map must obey, checked when it is made."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from smartrisk.errors import (
    ArgumentError,
    check_choice,
    format_values,
    suggest_nearest,
)
from smartrisk.schema._column_map_checks import (
    check_text,
    read_mapping,
    read_number,
    read_part,
    read_parts,
    read_texts,
    read_width,
)
from smartrisk.schema._column_map_steps import (
    Amount,
    Conversion,
    DateParts,
    Join,
    RateTable,
    Reference,
    Split,
    Units,
)
from smartrisk.schema._fields import OWN_KINDS, Field
from smartrisk.schema._file_format import FileFormat
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
#: A moment whose day, month and year differ, to try date formats with.
_A_MOMENT = datetime.datetime(2023, 11, 25, 13, 14, 15)
#: Dates that have a name: 2024-01-31, and the days that spreadsheets count.
_NAMED_FORMATS = ("iso", "excel", "excel1904")
#: Columns of a destination, in the languages of the maps.
_DESTINATION = re.compile(r"destin", re.IGNORECASE)
#: Options that people write below the line ``[mapping]`` of a TOML file.
_OPTIONS = frozenset(
    {
        *("day_first", "date_format", "time_zone", "decimal", "thousands"),
        *("grouping", "missing", "keep", "duty_rate_unit", "tariff_digits"),
    }
)


def read_options(given: ColumnMap) -> dict[str, Any]:
    """Return the options of a map in their final types; wrong types are refused."""
    owner = "ColumnMap"
    _check_signs(given)
    check_text(owner, "time_zone", given.time_zone, optional=True)
    check_text(owner, "currency", given.currency, optional=True)
    check_choice(owner, "grouping", given.grouping, ("western", "indian"))
    check_choice(owner, "duty_rate_unit", given.duty_rate_unit, ("fraction", "percent"))
    _check_time_zone(given.time_zone)
    if given.day_first is not None and not isinstance(given.day_first, bool):
        check_choice(owner, "day_first", given.day_first, (True, False))
    if given.tariff_digits is not None:
        read_width(owner, "tariff_digits", given.tariff_digits)
    return {
        "mapping": _read_columns(given.mapping),
        "date_format": _read_date_format(given.date_format),
        "missing": read_texts(owner, "missing", given.missing),
        "keep": read_texts(owner, "keep", given.keep),
        "optional": read_texts(owner, "optional", given.optional),
        "widths": read_mapping(owner, "widths", given.widths, values=read_width),
        "factors": read_mapping(owner, "factors", given.factors, values=read_number),
        "units": _read_steps("units", given.units, Units),
        "values": read_mapping(owner, "values", given.values, values=_read_values),
        "own_fields": read_mapping(owner, "own_fields", given.own_fields),
        "join": _read_steps("join", given.join, Join),
        "split": read_parts(owner, "split", given.split, Split),
        "dates": _read_steps("dates", given.dates, DateParts),
        "sums": read_mapping(owner, "sums", given.sums, values=_read_sum),
        "shared": read_mapping(owner, "shared", given.shared),
        "convert": _read_steps("convert", given.convert, Conversion),
        "rates": _read_optional("rates", given.rates, RateTable),
        "references": _order_references(
            read_parts(owner, "references", given.references, Reference)
        ),
        "file": _read_optional("file", given.file, FileFormat),
        "frames": _read_frames(given.frames),
    }


def _read_steps(name: str, given: Any, kind: type[Any]) -> Mapping[str, Any]:
    """Return a mapping of fields to steps of a class."""

    def read(owner: str, where: str, value: Any) -> Any:
        return read_part(owner, where, value, kind)

    return read_mapping("ColumnMap", name, given, values=read)


def _read_optional(name: str, given: Any, kind: type[Any]) -> Any:
    """Return a part of a class, or None."""
    return None if given is None else read_part("ColumnMap", name, given, kind)


def _read_frames(given: Any) -> Mapping[str, Any]:
    """Return reference tables by name."""

    def read(_owner: str, _name: str, value: Any) -> Any:
        return value

    return read_mapping("ColumnMap", "frames", given, values=read)


def _read_sum(owner: str, name: str, given: Any) -> tuple[Amount, ...]:
    """Return the parts of a sum; a text is a column."""
    if not isinstance(given, (list, tuple)) or not given:
        given = [given] if isinstance(given, (str, Mapping, Amount)) else given
    parts = [Amount(p) if isinstance(p, str) else p for p in given or ()]
    return read_parts(owner, name, parts, Amount)


def _read_values(owner: str, name: str, given: Any) -> Mapping[str, Any]:
    """Return a value map: texts of the administration to values of the schema."""
    if isinstance(given, Mapping):
        given = {str(key): value for key, value in given.items()}

    def read(owner: str, where: str, value: Any) -> Any:
        if not isinstance(value, (str, int, float)):
            raise ArgumentError(
                "schema.value_map_type",
                "{owner}: {where!r} must be a text, a number, true or false; got "
                "{value!r}.",
                owner=owner,
                where=where,
                value=value,
            )
        return value

    made = read_mapping(owner, name, given, values=read)
    folded = Counter(" ".join(key.split()).casefold() for key in made)
    twice = [key for key, count in folded.items() if count > 1]
    if twice:
        raise ArgumentError(
            "schema.value_twice",
            "{owner}: {name!r} has {values} twice: case and blanks do not count. Keep "
            "one.",
            owner=owner,
            name=name,
            values=format_values(twice),
        )
    return made


def _read_columns(given: Any) -> Mapping[str, str]:
    """Return the mapping of fields to columns; several columns are refused."""
    if isinstance(given, Mapping):
        options = [name for name in given if name in _OPTIONS]
        if options:
            raise ArgumentError(
                "schema.option_in_mapping",
                "ColumnMap: {name!r} is an option, not a field. In TOML, write it "
                "above the line [mapping]; in Python, as a keyword.",
                name=options[0],
            )
        several = [k for k, v in given.items() if isinstance(v, (list, tuple, set))]
        if several:
            field = several[0]
            step = "sums" if _is_number(field) else "join"
            example = list(given[field])
            raise ArgumentError(
                f"schema.several_columns_in_mapping_{step}",
                "ColumnMap: {field!r} is mapped to several columns, {columns!r}; a "
                "mapping names one. "
                + (
                    "To add them up, write sums={{{field!r}: {columns!r}}}."
                    if step == "sums"
                    else "To join them, write join={{{field!r}: {{'columns': "
                    "{columns!r}}}}}."
                ),
                field=field,
                columns=example,
            )
    return read_mapping("ColumnMap", "mapping", given)


def _is_number(field: object) -> bool:
    """Return whether a field of a table is a number."""
    found = _FIELDS.get(field) if isinstance(field, str) else None
    return found is not None and found.kind == "number"


def _check_signs(given: ColumnMap) -> None:
    """Refuse signs of numbers that are not one character, or the same."""
    for name, value in (("decimal", given.decimal), ("thousands", given.thousands)):
        if value is None and name == "thousands":
            continue
        is_sign = isinstance(value, str) and len(value) == 1 and not value.isalnum()
        if not is_sign or value in ("+", "-"):
            raise ArgumentError(
                "schema.not_a_sign",
                "ColumnMap: {name!r} must be one character that is neither a letter, a "
                "digit, '+' nor '-'; got {value!r}.",
                name=name,
                value=value,
            )
    if given.decimal == given.thousands:
        raise ArgumentError(
            "schema.same_signs",
            "ColumnMap: 'decimal' and 'thousands' are both {sign!r}.",
            sign=given.decimal,
        )


def _check_time_zone(name: str | None) -> None:
    """Refuse a time zone that is not known."""
    if name is None:
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = zoneinfo.available_timezones()
        raise ArgumentError(
            "schema.unknown_time_zone",
            "ColumnMap: {name!r} is no time zone.{hint} Write the name of the IANA "
            "list, such as 'America/Lima' or 'UTC'.",
            name=name,
            hint=suggest_nearest(name, known),
        ) from error


def _read_date_format(given: Any) -> str | Mapping[str, str] | None:
    """Return the date format, or that of each field; wrong ones are refused."""
    if given is None or isinstance(given, str):
        if given is not None:
            _check_date_format("date_format", given)
        return given
    formats = read_mapping("ColumnMap", "date_format", given)
    for field, text in formats.items():
        _check_date_format(f"date_format.{field}", text)
        if field in _FIELDS and _FIELDS[field].kind != "datetime":
            raise ArgumentError(
                "schema.date_format_of_no_date",
                "ColumnMap: 'date_format' names {field!r}, which is no date.",
                field=field,
            )
    return formats


def _check_date_format(name: str, text: str) -> None:
    """Refuse a format that strptime does not know, or without day, month and year."""
    if text in _NAMED_FORMATS:
        return
    try:
        read = datetime.datetime.strptime(_A_MOMENT.strftime(text), text)
        is_whole = read.date() == _A_MOMENT.date()
    except (ValueError, re.error):
        is_whole = False
    if not is_whole:
        raise ArgumentError(
            "schema.date_format",
            "ColumnMap: {name!r} must give day, month and year in the codes of "
            "datetime.strptime, such as '%d/%m/%Y' or '%Y%m%d', or be 'iso', "
            "'excel' or 'excel1904'; got {text!r}.",
            name=name,
            text=text,
        )


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
        hint = f" The map is turned round: {mapping[name]!r} is the field."
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


def _order_references(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """Return references so that each comes after those whose fields are its key."""
    waiting, done = list(references), list[Reference]()
    while waiting:
        makes = {name for reference in waiting for name in reference.take}
        free = [r for r in waiting if not makes & _needs(r)]
        if not free:
            raise ArgumentError(
                "schema.references_in_a_circle",
                "ColumnMap: the references {names} need each other's fields. One of "
                "them must have a key of fields that the items hold.",
                names=format_values(r.name for r in waiting),
            )
        done += free
        waiting = [r for r in waiting if r not in free]
    return tuple(done)


def _needs(reference: Reference) -> set[str]:
    """Return the fields that the key of a reference needs."""
    return {"tariff_code" if name in HS_LEVELS else name for name in reference.key}
