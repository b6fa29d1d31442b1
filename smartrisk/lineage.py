"""Lineage: from which file, and which of its lines, a row came.

Whoever reads a file sets two things. A column ``source_row`` holds for every row the
first 16 digits of the file's SHA-256 and the line, such as ``9f86d081884c7d65:12``. The
attribute ``smartrisk.sources`` of the frame holds one `Source` per file as plain
values. The column survives joins and concatenation; the attribute does not always, so
that `read_sources` completes it from the column.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, format_values

__all__ = [
    "SOURCES",
    "SOURCE_ROW",
    "Source",
    "digest_bytes",
    "digest_file",
    "join_source_rows",
    "merge_sources",
    "parse_source_row",
    "read_sources",
    "set_sources",
    "source_rows",
]

#: Column with the file and line of every row.
SOURCE_ROW = "source_row"
#: Attribute of a frame with its sources as plain values.
SOURCES = "smartrisk.sources"
#: Digits of a SHA-256 that name a file in a row: two of a million files share them
#: with a chance of 3 in 100 million.
_ID_DIGITS = 16
#: Bytes that are read at once: a file need not fit into memory.
_BLOCK = 1 << 20
_HEX = re.compile(r"[0-9a-f]{16,64}")
_HEAD = re.compile(r"[0-9a-f]{16}:")
_ROW = re.compile(r"([0-9a-f]{16}):([0-9]+)")
#: Between the rows from which one row was joined, such as an item and its header.
_AND = " "


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file, query or frame from which rows came.

    Parameters
    ----------
    sha256 : str
        SHA-256 of its bytes in hexadecimal digits; the first 16 where only its rows
        are known.
    kind : str, default="unknown"
        What it is, such as "csv", "xlsx", "parquet", "query" or "frame".
    table : str, default=None
        Name of the table that was made of it, such as "DECLARATIONS".
    map_version : str, default=None
        Digest of the column map that was applied.
    rows_in : int, default=None
        Rows that were read.
    rows_out : int, default=None
        Rows that could be used.
    set_aside : int, default=0
        Rows that could not.
    repairs : mapping of str to int, default={}
        Values that were repaired, by field.
    name : str, default=None
        Name of the file; None unless it was asked for.
    read_at : str, default=None
        When it was read; does not count in comparisons.

    Examples
    --------
    >>> from smartrisk.lineage import Source
    >>> source = Source(sha256="9f86d081884c7d65" * 4, kind="csv", rows_in=3)
    >>> source.id, Source.from_dict(source.to_dict()) == source
    ('9f86d081884c7d65', True)
    """

    sha256: str
    kind: str = "unknown"
    table: str | None = None
    map_version: str | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    set_aside: int = 0
    repairs: Mapping[str, int] = field(default_factory=dict)
    name: str | None = None
    read_at: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.sha256, str) or not _HEX.fullmatch(self.sha256):
            raise ArgumentError(
                "lineage.not_a_digest",
                "Source: 'sha256' must be 16 to 64 hexadecimal digits in lower case; "
                "got {digest!r}.",
                digest=self.sha256,
            )
        object.__setattr__(self, "repairs", MappingProxyType(dict(self.repairs)))

    @property
    def id(self) -> str:
        """What names the source in ``source_row``."""
        return self.sha256[:_ID_DIGITS]

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: read-only mappings cannot be pickled."""
        return _restore, (self.to_dict(),)

    def to_dict(self) -> dict[str, Any]:
        """Return the source as plain values, without those that are not known.

        Returns
        -------
        values : dict of str to str, int or dict
            What `from_dict` takes.
        """
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["repairs"] = dict(self.repairs)
        return {k: v for k, v in plain.items() if v is not None and v != {}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the source that `to_dict` described.

        Parameters
        ----------
        values : mapping of str to object
            Plain values; those of later versions are left out.

        Returns
        -------
        source : Source
            Equal to the one that was described.
        """
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in known})


def _restore(values: dict[str, Any]) -> Source:
    """Return the source that `Source.__reduce__` took apart."""
    return Source.from_dict(values)


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes.

    Parameters
    ----------
    content : bytes
        Content of a file.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> from smartrisk.lineage import digest_bytes
    >>> digest_bytes(b"test")[:16]
    '9f86d081884c7d65'
    """
    return hashlib.sha256(content).hexdigest()


def digest_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, or of the files of a folder.

    Parameters
    ----------
    path : path
        A file; or a folder, whose files count with their names, in the order of these.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.lineage import digest_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "items.csv")
    ...     _ = file.write_bytes(b"test")
    ...     digest_file(file)[:16]
    '9f86d081884c7d65'
    """
    if not os.path.isdir(path):
        sha = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                sha.update(block)
        return sha.hexdigest()
    names = sorted(
        os.path.relpath(os.path.join(root, name), path)
        for root, _, found in os.walk(path)
        for name in found
    )
    parts = [f"{digest_file(os.path.join(path, name))} {name}" for name in names]
    return digest_bytes("\n".join(parts).encode("utf-8", "surrogateescape"))


def source_rows(sha256: str, lines: ArrayLike) -> NDArray[np.object_]:
    """Return the column ``source_row`` of rows of one file.

    Parameters
    ----------
    sha256 : str
        SHA-256 of the file.
    lines : array-like of int, shape (n_rows,)
        Line of each row in the file, from 1.

    Returns
    -------
    texts : ndarray of str objects, shape (n_rows,)
        The first 16 digits of the file's SHA-256, a colon and the line.

    Examples
    --------
    >>> from smartrisk.lineage import source_rows
    >>> source_rows("9f86d081884c7d65", [2, 3]).tolist()
    ['9f86d081884c7d65:2', '9f86d081884c7d65:3']
    """
    head = Source(sha256=sha256).id + ":"
    numbers = np.asarray(lines).tolist()
    return np.array([f"{head}{line}" for line in numbers], dtype=object)


def parse_source_row(text: str) -> tuple[tuple[str, int], ...]:
    """Return the files and lines that a ``source_row`` names.

    Parameters
    ----------
    text : str
        Value of the column. A row that was joined from several names them all, with
        blanks between.

    Returns
    -------
    places : tuple of (str, int)
        First 16 digits of each file's SHA-256, and the line in it, from 1.

    Raises
    ------
    ArgumentError
        If the text has another form.

    Examples
    --------
    >>> from smartrisk.lineage import parse_source_row
    >>> parse_source_row("9f86d081884c7d65:12")
    (('9f86d081884c7d65', 12),)
    """
    parts = text.split(_AND) if isinstance(text, str) else [""]
    found = [_ROW.fullmatch(part) for part in parts]
    places = tuple((match[1], int(match[2])) for match in found if match)
    if len(places) < len(found):
        raise ArgumentError(
            "lineage.not_a_source_row",
            "a source_row holds 16 hexadecimal digits, a colon and a line; got "
            "{text!r}.",
            text=text,
        )
    return places


def join_source_rows(*columns: pd.Series) -> pd.Series:
    """Return the column ``source_row`` of rows that were joined from several.

    Parameters
    ----------
    *columns : Series of str
        What each part of the row came from, missing where there is none.

    Returns
    -------
    texts : Series of str
        All of them, with blanks between; missing where there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.lineage import join_source_rows
    >>> left, right = pd.Series(["9f86d081884c7d65:2"]), pd.Series([None])
    >>> join_source_rows(left, right).tolist()
    ['9f86d081884c7d65:2']
    """
    first, *others = columns
    joined = first.astype(object)
    for other in others:
        both = joined.notna() & other.notna()
        joined = joined.where(joined.notna(), other.astype(object))
        joined[both] = first[both].astype(str) + _AND + other[both].astype(str)
        first = joined
    return joined


def set_sources(frame: pd.DataFrame, sources: Iterable[Source]) -> None:
    """Set the sources of a frame as its attribute; its rows stay as they are.

    Parameters
    ----------
    frame : DataFrame
        Its `attrs` change.
    sources : iterable of Source
        From where its rows came; none removes the attribute.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.lineage import Source, read_sources, set_sources
    >>> frame = pd.DataFrame({"declaration_id": ["A"]})
    >>> set_sources(frame, [Source(sha256="9f86d081884c7d65", kind="csv")])
    >>> read_sources(frame)[0].kind
    'csv'
    """
    plain = [source.to_dict() for source in sources]
    # The attributes of a frame may be shared with the one that it was made from.
    others = {k: v for k, v in frame.attrs.items() if k != SOURCES}
    frame.attrs = {**others, SOURCES: plain} if plain else others


def read_sources(*frames: pd.DataFrame | None) -> tuple[Source, ...]:
    """Return from where the rows of frames came.

    Parameters
    ----------
    *frames : DataFrame or None
        Tables; None counts as a table without rows.

    Returns
    -------
    sources : tuple of Source
        Those of the attribute, once each. A file that only the column ``source_row``
        names is there with the first digits of its SHA-256, as "unknown", with its
        number of rows: joining and concatenating frames may lose the attribute.

    Raises
    ------
    ArgumentError
        If a ``source_row`` is not of its form.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.lineage import read_sources
    >>> rows = ["9f86d081884c7d65:2", "9f86d081884c7d65:3", None]
    >>> source, = read_sources(pd.DataFrame({"source_row": rows}))
    >>> source.kind, source.rows_in
    ('unknown', 2)
    """
    given = [frame for frame in frames if frame is not None]
    sources = merge_sources(*map(_read_attribute, given))
    stated = {source.id for source in sources}
    counts: dict[str, int] = {}
    for frame in given:
        for source_id, number in _count_rows(frame).items():
            counts[source_id] = counts.get(source_id, 0) + number
    others = [
        Source(sha256=source_id, rows_in=number)
        for source_id, number in counts.items()
        if source_id not in stated
    ]
    return (*sources, *others)


def merge_sources(*groups: Iterable[Source]) -> tuple[Source, ...]:
    """Return sources of several tables, each once.

    Parameters
    ----------
    *groups : iterable of Source
        Sources; of two with the same file, table and map the later one counts. One
        that is known in full, or as a table, replaces what is known of less.

    Returns
    -------
    sources : tuple of Source
        In the order in which they came first.

    Examples
    --------
    >>> from smartrisk.lineage import Source, merge_sources
    >>> old = Source(sha256="9f86d081884c7d65", rows_in=2)
    >>> new = Source(sha256="9f86d081884c7d65" * 4, kind="csv", rows_in=3)
    >>> [source.kind for source in merge_sources([old], [new])]
    ['csv']
    """
    every = [source for group in groups for source in group]
    whole = {s.id for s in every if len(s.sha256) > _ID_DIGITS}
    checked = {s.id for s in every if s.table is not None}
    merged: dict[tuple[str, str | None, str | None], Source] = {}
    for source in every:
        is_stub = len(source.sha256) == _ID_DIGITS and source.kind == "unknown"
        is_raw = source.table is None and source.id in checked
        if is_raw or (is_stub and source.id in whole):
            continue
        key = (source.id, source.table, source.map_version)
        before = merged.get(key)
        if before is not None and before.name and not source.name:
            source = replace(source, name=before.name)
        merged[key] = source
    return tuple(merged.values())


def _read_attribute(frame: pd.DataFrame) -> Sequence[Source]:
    """Return the sources of the attribute of a frame."""
    plain = frame.attrs.get(SOURCES, [])
    return [Source.from_dict(values) for values in plain]


def _count_rows(frame: pd.DataFrame) -> dict[str, int]:
    """Return the number of rows of each file that ``source_row`` names."""
    if SOURCE_ROW not in frame:
        return {}
    texts = frame[SOURCE_ROW].dropna().astype(str)
    if not len(texts):
        return {}
    if texts.str.contains(_AND, regex=False).any():
        texts = texts.str.split(_AND).explode()
    heads = texts.str.slice(0, _ID_DIGITS + 1)
    counts = heads.value_counts(sort=False)  # few: one per file
    strange = [head for head in counts.index if not _HEAD.fullmatch(str(head))]
    lines = texts.str.slice(_ID_DIGITS + 1)
    wrong = (heads.isin(strange) | ~lines.str.isdecimal()).to_numpy(bool)
    if wrong.any():
        raise ArgumentError(
            "lineage.source_rows_of_another_form",
            "{n_rows} values of source_row do not hold 16 hexadecimal digits, a colon "
            "and a line: {values}. Drop the column, or let read_table set it.",
            n_rows=int(wrong.sum()),
            values=format_values(dict.fromkeys(texts[wrong])),
        )
    return {str(head)[:_ID_DIGITS]: int(number) for head, number in counts.items()}
