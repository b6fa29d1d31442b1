"""Records of a text with separators: a parser that keeps every line in account.

`parse_record` reads one record and never looks past what its quotes say. `mark_plain`
finds, by counting separators and quotes, the lines that leave one reading only: those
may go through a faster reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_NEWLINE, _RETURN = 10, 13
#: Bytes that are searched at once.
_BLOCK = 1 << 24


@dataclass(frozen=True)
class Record:
    """One record as it is written.

    Parameters
    ----------
    fields : tuple of str
        Its fields without their quotes.
    line, last : int
        First and last line, from 1.
    end : int
        Place of the byte after it.
    problem : str, default=""
        Why its quotes cannot be right; `fields` is then the whole line.
    """

    fields: tuple[str, ...]
    line: int
    last: int
    end: int
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether no field has a value."""
        return not any(field.strip() for field in self.fields)

    @property
    def text(self) -> str:
        """The fields as one short text for messages."""
        return " | ".join(self.fields)


class Lines:
    """The lines of a text in UTF-8.

    Parameters
    ----------
    data : bytes
        The text; every line ends in a line feed, the last one perhaps not.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        starts = np.concatenate(([0], *_find_byte(self.bytes, _NEWLINE)))
        #: Place of the first byte of every line, and of the end of the text.
        self.starts = starts if starts[-1] != len(data) else starts[:-1]
        self.bounds = np.append(self.starts, len(data))

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.starts)

    @cached_property
    def has_last_end(self) -> bool:
        """Whether the last line has a line end."""
        return self.data.endswith(b"\n")

    def line_at(self, place: int) -> int:
        """Return the line, from 1, that holds a place."""
        return int(np.searchsorted(self.starts, place, side="right"))

    def raw(self, line: int) -> bytes:
        """Return a line, from 1, without its end."""
        return self.data[self.bounds[line - 1] : self.bounds[line]].rstrip(b"\r\n")

    def text(self, line: int) -> str:
        """Return a line, from 1, as text."""
        return self.raw(line).decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Dialect:
    """Separator and quote as single bytes; no quote where fields have none."""

    separator: bytes
    quote: bytes


def parse_record(lines: Lines, line: int, dialect: Dialect) -> Record:
    """Return the record that begins with a line, from 1.

    Parameters
    ----------
    lines : Lines
        The text.
    line : int
        Line at whose start the record begins.
    dialect : Dialect
        Separator and quote.

    Returns
    -------
    record : Record
        Quotes within a field that does not begin with one are part of its text. Where
        quotes cannot be right, the record is its first line, with the problem.
    """
    data, place, fields = lines.data, int(lines.starts[line - 1]), []
    while True:
        if dialect.quote and _opens(data, place, dialect):
            text, place, problem = _read_quoted(data, place, dialect)
            if problem:
                return give_up(lines, line, problem)
        else:
            text, place = _read_plain(data, place, dialect)
        fields.append(text)
        if place >= len(data) or data[place] == _NEWLINE:
            break
        place += 1
    end = min(place + 1, len(data))
    last = line if end <= lines.bounds[line] else lines.line_at(end - 1)
    return Record(tuple(fields), line, last, end)


def _opens(data: bytes, place: int, dialect: Dialect) -> bool:
    """Return whether a field begins with a quote, perhaps after blanks."""
    while data[place : place + 1] == b" " and dialect.separator != b" ":
        place += 1
    return data[place : place + 1] == dialect.quote


def _read_plain(data: bytes, place: int, dialect: Dialect) -> tuple[str, int]:
    """Return a field without quotes, and the place of what ends it."""
    line_end = data.find(b"\n", place)
    line_end = len(data) if line_end < 0 else line_end
    end = data.find(dialect.separator, place, line_end)
    end = line_end if end < 0 else end
    text = data[place:end]
    if (end == len(data) or data[end] == _NEWLINE) and text.endswith(b"\r"):
        text = text[:-1]
    return text.decode("utf-8", errors="replace"), end


def _read_quoted(data: bytes, place: int, dialect: Dialect) -> tuple[str, int, str]:
    """Return a field in quotes, the place of what ends it, and a problem."""
    quote = dialect.quote
    place = data.index(quote, place) + 1
    parts = []
    while True:
        end = data.find(quote, place)
        if end < 0:
            return "", place, "quote not closed"
        parts.append(data[place:end])
        place = end + 1
        if data[place : place + 1] != quote:
            break
        parts.append(quote)
        place += 1
    while data[place : place + 1] == b" " and dialect.separator != b" ":
        place += 1
    if data[place : place + 1] == b"\r" and data[place + 1 : place + 2] in (b"\n", b""):
        place += 1
    if data[place : place + 1] not in (b"", b"\n", dialect.separator):
        return "", place, "text after quote"
    return b"".join(parts).decode("utf-8", errors="replace"), place, ""


def give_up(lines: Lines, line: int, problem: str) -> Record:
    """Return a record of one line that is not to be used.

    Parameters
    ----------
    lines : Lines
        The text.
    line : int
        The line, from 1.
    problem : str
        What is wrong with its quotes.

    Returns
    -------
    record : Record
        The line as one field; reading goes on with the next line.
    """
    end = int(lines.bounds[line])
    return Record((lines.text(line),), line, line, end, problem)


def swallows(lines: Lines, record: Record, dialect: Dialect) -> bool:
    """Return whether each line of a record has as many fields as the record.

    Parameters
    ----------
    lines : Lines
        The text.
    record : Record
        A record over several lines.
    dialect : Dialect
        Separator and quote.

    Returns
    -------
    answer : bool
        True where the quotes may be in the wrong place: without them, each line would
        be a record.
    """
    wanted = len(record.fields) - 1
    if not wanted:
        return False
    return all(
        lines.raw(line).count(dialect.separator) == wanted
        for line in range(record.line, record.last + 1)
    )


def mark_plain(
    lines: Lines, first: int, last: int, dialect: Dialect, width: int
) -> NDArray[np.bool_]:
    """Return which lines every reader of separators and quotes reads in the same way.

    Parameters
    ----------
    lines : Lines
        The text, without NUL bytes.
    first, last : int
        Lines to look at, from 0, the last one excluded.
    dialect : Dialect
        Separator and quote.
    width : int
        Number of fields that a line must have.

    Returns
    -------
    is_plain : ndarray of bool, shape (last - first,)
        True for a line of `width` fields whose quotes, if any, open at the start of a
        field, close at its end, and are doubled within; False for empty lines.
    """
    start, end = int(lines.bounds[first]), int(lines.bounds[last])
    block = lines.bytes[start:end]
    bounds = lines.bounds[first : last + 1] - start
    separators = np.flatnonzero(block == dialect.separator[0])
    counts = np.diff(np.searchsorted(separators, bounds))
    is_plain = np.ones(last - first, bool)
    if dialect.quote and lines.data.find(dialect.quote, start, end) >= 0:
        is_quote = block == dialect.quote[0]
        is_plain = _mark_quotes(block, bounds, np.flatnonzero(is_quote), dialect)
        counts = counts - _count_inside(separators, counts, is_quote, bounds)
    is_plain &= counts == width - 1
    if lines.data.find(b"\r", start, end) >= 0:
        returns = np.flatnonzero(block == _RETURN)
        after = np.append(block, np.uint8(_NEWLINE))[returns + 1]
        _unmark(is_plain, bounds, returns[after != _NEWLINE])
    # All fields empty, with or without quotes: a line of separators is no record.
    sizes = _count_content(block, bounds)
    is_plain &= (sizes != width - 1) & (sizes != 3 * width - 1)
    return is_plain


def _find_byte(data: NDArray[np.uint8], byte: int) -> Iterator[NDArray[np.int64]]:
    """Yield the places after each occurrence of a byte, block by block."""
    for start in range(0, len(data), _BLOCK):
        yield np.flatnonzero(data[start : start + _BLOCK] == byte) + (start + 1)


def _count_content(
    block: NDArray[np.uint8], bounds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of bytes of each line without its end."""
    ends = bounds[1:].copy()
    for sign in (_NEWLINE, _RETURN):
        ends -= (block[ends - 1] == sign) & (ends > bounds[:-1])
    sizes: NDArray[np.int64] = ends - bounds[:-1]
    return sizes


def _mark_quotes(
    block: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    quotes: NDArray[np.intp],
    dialect: Dialect,
) -> NDArray[np.bool_]:
    """Return the lines whose quotes are in pairs, each at the ends of a field."""
    edges = np.searchsorted(quotes, bounds)
    counts = np.diff(edges)
    is_plain: NDArray[np.bool_] = counts % 2 == 0
    rank = np.arange(len(quotes)) - np.repeat(edges[:-1], counts)
    is_open = rank % 2 == 0
    allowed = np.zeros(256, bool)
    allowed[[dialect.separator[0], dialect.quote[0], _NEWLINE]] = True
    padded = np.concatenate(([_NEWLINE], block, [_NEWLINE]))
    before = padded[quotes]
    _unmark(is_plain, bounds, quotes[is_open & ~allowed[before]])
    after = padded[quotes + 2]
    is_end = allowed | (np.arange(256) == _RETURN)
    _unmark(is_plain, bounds, quotes[~is_open & ~is_end[after]])
    return is_plain


def _count_inside(
    separators: NDArray[np.intp],
    counts: NDArray[np.intp],
    is_quote: NDArray[np.bool_],
    bounds: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return how many separators of each line stand within quotes."""
    # Only the last bit counts, so that the sum may overflow.
    parity = np.cumsum(is_quote, dtype=np.uint8)
    at_start = np.where(bounds[:-1] > 0, parity[bounds[:-1] - 1], 0)
    line = np.repeat(np.arange(len(counts)), counts)
    is_inside = (parity[separators] - at_start[line]) & 1 == 1
    return np.bincount(line[is_inside], minlength=len(counts)).astype(np.int64)


def _unmark(
    is_plain: NDArray[np.bool_], bounds: NDArray[np.int64], places: NDArray[np.intp]
) -> None:
    """Unmark the lines that hold some places."""
    if len(places):
        is_plain[np.searchsorted(bounds, places, side="right") - 1] = False
