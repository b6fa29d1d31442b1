"""What is written to the terminal: lines, tables, errors."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Container, Sequence
from contextvars import ContextVar
from typing import Any

from smartrisk.languages import has_decimal_point, language_of

_PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "−": "-", "’": "'", "…": "..."})
#: Line ends, and the spaces of French punctuation.
_SPACES = "\n\u202f\u00a0"
#: Longest text of a cell; wider tables wrap on a usual terminal.
_CELL_CHARACTERS = 60
#: Language of what is written.
current_language: ContextVar[str] = ContextVar("current_language", default="en")


def print_line(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(make_encodable(text, sys.stdout) + "\n")


def print_error(text: str) -> None:
    """Write a line to standard error, control characters of the data escaped."""
    clean = "".join(
        c if c.isprintable() or c in _SPACES else repr(c)[1:-1] for c in text
    )
    sys.stderr.write(make_encodable(f"smartrisk: {clean}", sys.stderr) + "\n")


def make_encodable(text: str, stream: Any) -> str:
    """Return a text that the encoding of a stream can write."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        return "".join(_make_plain(character, encoding) for character in text)


def _make_plain(character: str, encoding: str) -> str:
    """Return a character, or what is closest to it, as an encoding has it."""
    try:
        character.encode(encoding)
        return character
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", character.translate(_PLAIN))
        return plain.encode(encoding, "ignore").decode(encoding)


def localise(number: str) -> str:
    """Return a number such as 12,345.6 with the signs of the current language."""
    if has_decimal_point(current_language.get()):
        return number
    return number.replace(",", "\u202f").replace(".", ",")


def percent(fraction: float, digits: int = 1) -> str:
    """Return a fraction as a percentage, as the current language writes it."""
    number = localise(f"{100.0 * fraction:.{digits}f}")
    is_english = language_of(current_language.get()) == "en"
    return f"{number}%" if is_english else f"{number}\u202f%"


def format_table(
    rows: Sequence[Sequence[Any]], header: Sequence[str], right: Container[int] = ()
) -> str:
    """Return rows as a table of plain characters, numbers and `right` right-aligned."""
    cells = [[_format_cell(value) for value in row] for row in rows]
    widths = [
        max([len(name), *(len(row[k]) for row in cells)])
        for k, name in enumerate(header)
    ]
    to_the_right = [
        k in right or (bool(rows) and all(_is_number(row[k]) for row in rows))
        for k in range(len(header))
    ]
    lines = [header, ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, to_the_right, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(value: Any) -> bool:
    """Return whether a value belongs in a column of numbers."""
    # By name: `smartrisk --help` must not load numpy and pandas.
    return (
        value is None
        or isinstance(value, (int, float))
        or type(value).__name__ in ("float64", "int64", "NAType")
    )


def _format_cell(value: Any) -> str:
    """Return a value as a cell: three decimals below 1,000, nothing when missing."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, float) and not isinstance(value, bool):
        return localise(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}")
    text = " ".join(str(value).split())
    if len(text) <= _CELL_CHARACTERS:
        return text
    return text[: _CELL_CHARACTERS - 3] + "..."
