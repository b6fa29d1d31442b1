"""Rules that a column map must obey, checked when it is made."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Mapping
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
from smartrisk.schema._fields import Field
from smartrisk.schema._file_format import FileFormat
from smartrisk.schema._tables import DECLARATIONS, HS_LEVELS, OUTCOMES

if TYPE_CHECKING:
    from smartrisk.schema._column_map import ColumnMap

_FIELDS: Mapping[str, Field] = MappingProxyType(
    {f.name: f for table in (OUTCOMES, DECLARATIONS) for f in table}
)
#: A moment whose day, month and year differ, to try date formats with.
_A_MOMENT = datetime.datetime(2023, 11, 25, 13, 14, 15)
#: Dates that have a name: 2024-01-31, and the days that spreadsheets count.
_NAMED_FORMATS = ("iso", "excel", "excel1904")
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
    """Return a mapping of fields to steps; columns alone are enough for some."""
    short = {Join: (list, tuple), Units: (str,)}.get(kind, ())

    def read(owner: str, where: str, value: Any) -> Any:
        if isinstance(value, short):
            return kind(value)
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


def _value_text(key: Any) -> Any:
    """Return a number, true or false as the text that a table holds; else the key."""
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key) if isinstance(key, (int, float)) else key


def _read_values(owner: str, name: str, given: Any) -> Mapping[str, Any]:
    """Return a value map: texts of the administration to values of the schema."""
    if isinstance(given, Mapping):
        given = {_value_text(key): value for key, value in given.items()}

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
            raise _several_columns(several[0], list(given[several[0]]))
    return read_mapping("ColumnMap", "mapping", given)


def _several_columns(field: object, columns: list[Any]) -> ArgumentError:
    """Return the error of a field that is mapped to several columns."""
    if _is_number(field):
        return ArgumentError(
            "schema.several_columns_to_add",
            "ColumnMap: {field!r} is mapped to several columns, {columns!r}; a mapping "
            "names one. To add them up, write sums={{{field!r}: {columns!r}}}.",
            field=field,
            columns=columns,
        )
    return ArgumentError(
        "schema.several_columns_to_join",
        "ColumnMap: {field!r} is mapped to several columns, {columns!r}; a mapping "
        "names one. To join them, write "
        "join={{{field!r}: {{'columns': {columns!r}}}}}.",
        field=field,
        columns=columns,
    )


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
