"""File formats: how an administration writes the files that hold its tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from smartrisk.errors import ArgumentError, check_choice, format_values
from smartrisk.settings import TomlSettings

#: How a file is packed; "none" says that it is not.
Compression: TypeAlias = Literal["none", "gzip", "zip", "bz2", "xz"]


@dataclass(frozen=True, kw_only=True, repr=False)
class FileFormat(TomlSettings):
    r"""How a file holds its table; what is not given is found, or asked for.

    In a column map it is the TOML table ``[file]``.

    Parameters
    ----------
    encoding : str, default=None
        Name of the encoding, such as "utf-8", "cp1252" or "utf-16".
    separator : str, default=None
        Character between the fields of a line; "\t" is a tab.
    quote : str, default=None
        Character around fields that hold separators or line breaks; "" for none.
    header_row : int, default=None
        Line (or row of a sheet), from 1, with the names of the columns; 0 says that
        there is none.
    names : sequence of str, default=()
        Names of the columns, instead of those of the header. Without `header_row` the
        file has no header.
    sheet : str, default=None
        Name of the sheet of a workbook.
    skip_rows : int, default=0
        Lines at the top that are not part of the table.
    footer_rows : int, default=0
        Lines at the end that are not part of the table.
    widths : sequence of int, default=()
        Characters of each field in a file without separators.
    compression : {"none", "gzip", "zip", "bz2", "xz"}, default=None
        How the file is packed.
    member : str, default=None
        Name of the file inside a .zip that holds several.
    table : str, default=None
        Name of the table of a database.
    query : str, default=None
        Query of a database, instead of a table.

    Examples
    --------
    >>> from smartrisk.schema import FileFormat
    >>> FileFormat(encoding="cp1252", separator=";", header_row=3)
    FileFormat(encoding='cp1252', separator=';', header_row=3)
    >>> print(FileFormat(separator=";", names=["id", "office"]).to_toml())
    separator = ";"
    names = ["id", "office"]
    <BLANKLINE>
    """

    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    header_row: int | None = None
    names: Sequence[str] = ()
    sheet: str | None = None
    skip_rows: int = 0
    footer_rows: int = 0
    widths: Sequence[int] = ()
    compression: Compression | None = None
    member: str | None = None
    table: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        _check_texts(self)
        _check_counts(self)
        for name, kind in (("names", str), ("widths", int)):
            object.__setattr__(self, name, _as_tuple(name, getattr(self, name), kind))
        _check_lists(self)
        _check_agreement(self)

    def __repr__(self) -> str:
        """Return the options that are given."""
        options = [f"{name}={value!r}" for name, value in self.settings().items()]
        return f"FileFormat({', '.join(options)})"

    def settings(self) -> dict[str, Any]:
        """Return the options that are given, as plain values for TOML.

        Returns
        -------
        settings : dict
            Names and values; what is left to be found is not there.
        """
        given = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        plain = {k: v for k, v in given.items() if v != defaults[k]}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def _check_texts(given: FileFormat) -> None:
    """Refuse options that are not texts, or not what their text must be."""
    for name in (
        *("encoding", "separator", "quote", "sheet", "compression"),
        *("member", "table", "query"),
    ):
        value = getattr(given, name)
        if value is not None and not isinstance(value, str):
            raise ArgumentError(
                "schema.file_option_not_text",
                "FileFormat: {name!r} must be a text; got {value!r}.",
                name=name,
                value=value,
            )
    if given.encoding is not None:
        _check_encoding(given.encoding)
    if given.compression is not None:
        check_choice(
            "FileFormat", "compression", given.compression, get_args(Compression)
        )
    for name, shortest in (("separator", 1), ("quote", 0)):
        _check_character(name, getattr(given, name), shortest)


def _check_encoding(encoding: str) -> None:
    """Refuse an encoding that Python does not know, or that is not one of text."""
    try:
        "".encode(encoding)  # refuses encodings of bytes, such as base64, too
    except (LookupError, ValueError):
        is_text = False
    else:
        is_text = True
    if not is_text:
        raise ArgumentError(
            "schema.unknown_encoding",
            "FileFormat: {encoding!r} is no encoding that Python knows. Usual ones are "
            "'utf-8', 'cp1252', 'latin-1', 'utf-16' and 'cp850'.",
            encoding=encoding,
        )


def _check_character(name: str, value: str | None, shortest: int) -> None:
    """Refuse a separator or quote that is not one character, or ends a line."""
    if value is None:
        return
    if not shortest <= len(value) <= 1 or value in ("\n", "\r", "\0"):
        raise ArgumentError(
            "schema.not_a_character",
            "FileFormat: {name!r} must be one character, and no line break; got "
            "{value!r}.",
            name=name,
            value=value,
        )


def _check_counts(given: FileFormat) -> None:
    """Refuse numbers of lines that are not whole numbers of at least 0."""
    for name in ("header_row", "skip_rows", "footer_rows"):
        value = getattr(given, name)
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is not None and not is_count:
            raise ArgumentError(
                "schema.not_a_line",
                "FileFormat: {name!r} must be a whole number of at least 0; got "
                "{value!r}.",
                name=name,
                value=value,
            )


def _as_tuple(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    """Return a sequence of one type as a tuple."""
    is_sequence = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_sequence or not all(type(value) is kind for value in values):
        raise ArgumentError(
            "schema.not_a_list",
            "FileFormat: {name!r} must be a list of {kind}; got {values!r}.",
            name=name,
            kind="texts" if kind is str else "whole numbers",
            values=values,
        )
    return tuple(values)


def _check_lists(given: FileFormat) -> None:
    """Refuse names that repeat or are empty, and widths below 1."""
    repeated = [n for k, n in enumerate(given.names) if n in given.names[:k]]
    if repeated or not all(name.strip() for name in given.names):
        raise ArgumentError(
            "schema.names_repeated",
            "FileFormat: every one of 'names' must be a text of its own; repeated or "
            "empty: {names}.",
            names=format_values(
                dict.fromkeys(repeated) or [n for n in given.names if not n.strip()]
            ),
        )
    if any(width < 1 for width in given.widths):
        raise ArgumentError(
            "schema.width_below_one",
            "FileFormat: every one of 'widths' must be at least 1; got {widths}.",
            widths=format_values(given.widths, 20),
        )


def _check_agreement(given: FileFormat) -> None:
    """Refuse options that exclude each other."""
    for one, other in (
        ("separator", "widths"),
        ("quote", "widths"),
        ("table", "query"),
    ):
        if getattr(given, one) and getattr(given, other):
            raise ArgumentError(
                "schema.file_options_exclude",
                "FileFormat: {one!r} and {other!r} exclude each other; give one.",
                one=one,
                other=other,
            )
    if given.widths and given.names and len(given.widths) != len(given.names):
        raise ArgumentError(
            "schema.names_and_widths_differ",
            "FileFormat: there are {n_names} names and {n_widths} widths; each field "
            "needs one of both.",
            n_names=len(given.names),
            n_widths=len(given.widths),
        )
    if given.header_row and given.header_row <= given.skip_rows:
        raise ArgumentError(
            "schema.header_is_skipped",
            "FileFormat: 'header_row' {header_row} is one of the {skip_rows} lines "
            "that 'skip_rows' leaves out. Lines count from the top of the file.",
            header_row=given.header_row,
            skip_rows=given.skip_rows,
        )
