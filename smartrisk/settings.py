"""Settings as TOML: one way to write and read column maps, scenarios and rules.

Reads TOML files and texts; writes them. The standard library reads TOML but does not
write it, and settings need only a small part of it: values, tables, arrays of tables.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from smartrisk.errors import ArgumentError, format_values, suggest_nearest

__all__ = ["TomlSettings", "make_from_settings", "read_toml", "toml_text"]

T = TypeVar("T")
#: Where `tomllib` says that a text is no TOML.
_LINE = re.compile(r"\(at line ([0-9]+)")
#: Names that TOML takes without quotes. Names of digits alone, such as tariff codes,
#: would be legal too; quotes show that they are texts.
_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def read_toml(owner: str, source: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Return the content of a TOML file or of a TOML text.

    Parameters
    ----------
    owner : str
        Name of the caller, for error messages.
    source : path or str
        A file; a text with a line break is read as TOML itself.

    Returns
    -------
    settings : dict
        Names and values.

    Raises
    ------
    ArgumentError
        If it is not TOML.

    Examples
    --------
    >>> from smartrisk.settings import read_toml
    >>> read_toml("example", "rate = 0.5\n")
    {'rate': 0.5}
    """
    text = str(source)
    if "\n" not in text:
        text = _read_text(owner, Path(source))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        if found is not None:
            raise ArgumentError(
                "settings.not_toml_line",
                "{owner}: the text is not TOML: {problem}. The line reads {line!r}. "
                "Put texts, and names with accents or blanks, in quotes.",
                owner=owner,
                problem=str(error),
                line=text.splitlines()[int(found[1]) - 1].strip(),
            ) from error
        raise ArgumentError(
            "settings.not_toml",
            "{owner}: the text is not TOML: {problem}.",
            owner=owner,
            problem=str(error),
        ) from error


def _read_text(owner: str, path: Path) -> str:
    """Return the text of a file in UTF-8; a mark of its encoding is dropped."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArgumentError(
            "settings.not_utf8",
            "{owner}: {path!r} is not UTF-8 text. Save it as UTF-8.",
            owner=owner,
            path=str(path),
        ) from error


def toml_text(settings: Mapping[str, Any]) -> str:
    r"""Return settings as TOML.

    Parameters
    ----------
    settings : mapping of str to object
        Texts, numbers, booleans and lists of these; mappings become tables, lists of
        mappings become arrays of tables. None is left out: TOML has no such value.

    Returns
    -------
    text : str
        What `read_toml` reads.

    Examples
    --------
    >>> from smartrisk.settings import toml_text
    >>> print(toml_text({"name": "a", "rules": [{"rate": 0.5, "origins": ["CN"]}]}))
    name = "a"
    <BLANKLINE>
    [[rules]]
    rate = 0.5
    origins = ["CN"]
    <BLANKLINE>
    """
    return "\n".join(_toml_lines(settings, "")).strip("\n") + "\n"


def _toml_lines(settings: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Yield the lines of a table: its own values first, as TOML demands."""
    nested = {k: v for k, v in settings.items() if _is_nested(v)}
    for name, value in settings.items():
        if name not in nested and value is not None:
            yield f"{_toml_name(name)} = {_toml_value(value)}"
    for name, value in nested.items():
        path = f"{prefix}{_toml_name(name)}"
        parts = [value] if isinstance(value, Mapping) else value
        head = f"[{path}]" if isinstance(value, Mapping) else f"[[{path}]]"
        for part in parts:
            if not isinstance(value, Mapping) or _needs_head(part):
                yield from ("", head)
            yield from _toml_lines(part, f"{path}.")


def _needs_head(table: Mapping[str, Any]) -> bool:
    """Return whether a table has values of its own; else its parts name it."""
    return not table or not all(_is_nested(value) for value in table.values())


def _is_nested(value: Any) -> bool:
    """Return whether a value is written as a table or as an array of tables."""
    if isinstance(value, Mapping):
        return True
    is_list = isinstance(value, (list, tuple)) and len(value) > 0
    return is_list and all(isinstance(part, Mapping) for part in value)


def _toml_name(name: str) -> str:
    """Return a name as TOML writes it."""
    return name if _BARE_NAME.fullmatch(name) else _toml_value(name)


def _toml_value(value: Any) -> str:
    """Return a value as TOML writes it: as JSON does, but for three differences."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return repr(float(value))
    # TOML forbids a bare DEL character; JSON writes it as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def make_from_settings(
    kind: type[T], given: Mapping[str, Any], owner: str, where: str = "the file"
) -> T:
    """Return a value of a settings class; unknown and missing fields are refused.

    Parameters
    ----------
    kind : type
        A dataclass. Its class attribute `toml_parts`, if any, maps the fields that are
        tables to the dataclass of their content.
    given : mapping of str to object
        Fields and their values, as `read_toml` returns them.
    owner : str
        Name of the caller, for error messages.
    where : str, default="the file"
        The part that is read, for error messages.

    Returns
    -------
    value : object
        An instance of `kind`.

    Raises
    ------
    ArgumentError
        If a field is unknown, is missing, or has a value that `kind` refuses.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap
    >>> from smartrisk.settings import make_from_settings
    >>> make_from_settings(ColumnMap, {"mapping": {}, "decimal": ","}, "map").decimal
    ','
    """
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init and _is_written(f)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise ArgumentError(
            "settings.unknown_field",
            "{owner}: {where} has unknown fields {unknown}.{hint}",
            owner=owner,
            where=where,
            unknown=format_values(unknown),
            hint=suggest_nearest(unknown[0], fields),
        )
    missing = [
        name
        for name, field in fields.items()
        if name not in given
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ArgumentError(
            "settings.missing_field",
            "{owner}: {where} lacks the fields {missing}.",
            owner=owner,
            where=where,
            missing=format_values(missing),
        )
    values = dict(given)
    for name, part in getattr(kind, "toml_parts", {}).items():
        if name in values:
            values[name] = _make_parts(part, values[name], owner, name)
    try:
        return kind(**values)
    except TypeError as error:
        raise ArgumentError(
            "settings.wrong_type",
            "{owner}: {where} holds a value of the wrong type: {problem}.",
            owner=owner,
            where=where,
            problem=str(error),
        ) from error


def _make_parts(kind: type[Any], given: Any, owner: str, name: str) -> Any:
    """Return the value of a table, or those of an array of tables as a tuple."""
    parts = [given] if isinstance(given, Mapping) else given
    if not isinstance(parts, list) or not all(isinstance(p, Mapping) for p in parts):
        raise ArgumentError(
            "settings.not_a_table",
            "{owner}: {name!r} must be a TOML table; got {type_name}.",
            owner=owner,
            name=name,
            type_name=type(given).__name__,
        )
    where = f"[{name}]" if isinstance(given, Mapping) else f"[[{name}]]"
    made = tuple(make_from_settings(kind, part, owner, where) for part in parts)
    return made[0] if isinstance(given, Mapping) else made


def _is_written(field: dataclasses.Field[Any]) -> bool:
    """Return whether TOML holds a field: metadata ``{"toml": False}`` says no."""
    return bool(field.metadata.get("toml", True))


def _plain(value: Any) -> Any:
    """Return a value in a type that TOML has: dataclasses and mappings as dicts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, TomlSettings):
            return value.settings()
        return {
            f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


class TomlSettings:
    r"""Base of the frozen dataclasses that are written to TOML and read back.

    Attributes
    ----------
    toml_parts : mapping of str to type
        Fields that hold dataclasses, or tuples of them, and the class of their content.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from smartrisk.settings import TomlSettings
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Reserve(TomlSettings):
    ...     share: float = 0.1
    >>> Reserve(share=0.2).to_toml()
    'share = 0.2\n'
    >>> Reserve.from_toml("share = 0.3\n")
    Reserve(share=0.3)
    """

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {}

    def settings(self) -> dict[str, Any]:
        """Return the fields as plain values for TOML.

        Returns
        -------
        settings : dict
            Names and plain values; a subclass leaves out here what it does not write.
        """
        return {
            f.name: _plain(getattr(self, f.name))
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
            if _is_written(f)
        }

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the settings as TOML, and write them when a path is given.

        Parameters
        ----------
        path : path, default=None
            File to write.

        Returns
        -------
        text : str
            TOML that `from_toml` reads.
        """
        text = toml_text(self.settings())
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Self:
        """Read the settings from a TOML file, or from TOML text.

        Parameters
        ----------
        source : path or str
            A file; a text with a line break is read as TOML itself.

        Returns
        -------
        settings : object of this class
            Fields that are not given keep their default.

        Raises
        ------
        ArgumentError
            If it is not TOML, or a field is unknown, missing or refused.
        """
        owner = f"{cls.__name__}.from_toml"
        return make_from_settings(cls, read_toml(owner, source), owner)
