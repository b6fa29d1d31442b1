"""`read_table`: any source as a frame with the line of every row."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.lineage import (
    SOURCE_ROW,
    Source,
    digest_bytes,
    set_sources,
    source_rows,
)
from smartrisk.schema import FileFormat
from smartrisk.tables import read_table as read_frame

_PARQUET = (".parquet", ".pq")


def read_table(
    source: str | os.PathLike[str], *, file: FileFormat | None = None
) -> pd.DataFrame:
    r"""Return a table as it is written, with the file and line of every row.

    Parameters
    ----------
    source : path
        A CSV or Parquet file.
    file : FileFormat, default=None
        How the file is written; None to find it.

    Returns
    -------
    frame : DataFrame
        The administration's columns, every cell of a text file as text, and the column
        ``source_row``. ``frame.attrs["smartrisk.sources"]`` names the file.

    Raises
    ------
    ArgumentError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.intake import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "items.csv")
    ...     _ = path.write_text("id;origin\nA;NA\n")
    ...     frame = read_table(path)
    >>> frame["origin"].tolist()
    ['NA']
    """
    path = Path(source)
    if not path.is_file():
        raise ArgumentError("intake.no_file", "no file {path!r}.", path=str(path))
    content = path.read_bytes()
    digest = digest_bytes(content)
    if path.suffix.lower() in _PARQUET:
        import pyarrow.parquet

        frame = read_frame("read_table", "the file", pyarrow.parquet.read_table(path))
        lines, kind = list(range(1, len(frame) + 1)), "parquet"
    else:
        frame, lines = _read_text(content, file or FileFormat())
        kind = "csv"
    frame[SOURCE_ROW] = source_rows(digest, np.asarray(lines, dtype=np.int64))
    set_sources(frame, [Source(sha256=digest, kind=kind, rows_in=len(frame))])
    return frame


def _read_text(content: bytes, file: FileFormat) -> tuple[pd.DataFrame, list[int]]:
    """Return the rows of a text file, and the line of each."""
    text = content.decode(file.encoding or "utf-8-sig")
    head = text.split("\n", 1)[0]
    separator = file.separator or max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows, lines, before = [], [], 0
    for row in reader:
        if row:
            rows.append(row)
            lines.append(before + 1)
        before = reader.line_num
    names = list(file.names) or rows[0]
    if not file.names:
        rows, lines = rows[1:], lines[1:]
    return pd.DataFrame(rows, columns=names, dtype=str), lines
