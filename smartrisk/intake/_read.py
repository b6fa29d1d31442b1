"""`read_table`: any source as a frame with the line of every row."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.errors import (
    DataQualityWarning,
    Message,
    SmartRiskError,
    TableError,
    check_choice,
    format_values,
)
from smartrisk.intake._findings import Finding, failures_frame, unusable_records
from smartrisk.intake._reading import Reading
from smartrisk.intake._sources import read_source, split_sources
from smartrisk.lineage import SOURCE_ROW, SOURCES, Source, set_sources
from smartrisk.schema import FileFormat

#: What to do with lines that are no rows.
OnError: TypeAlias = Literal["raise", "set_aside"]
#: Attribute of a frame with format, lines and findings of each source.
FILES = "smartrisk.files"
_ROW = re.compile(r"[0-9a-f]{16}:[0-9]+")
#: From here on a float does not hold every whole number.
_EXACT = 2**53


def read_table(
    source: Any,
    *,
    file: FileFormat | None = None,
    on_error: OnError = "raise",
    keep_names: bool = False,
) -> pd.DataFrame:
    r"""Return a table as it is written, with the file and line of every row.

    Parameters
    ----------
    source : path, address, connection, frame, records, or a list of these
        A file (text with separators or of fixed widths, .xlsx, Parquet, each also as
        .gz or .zip), a folder of Parquet files or a pattern such as ``"2024-*.csv"``;
        the address of a database, or a connection of SQLAlchemy, ADBC or any driver; a
        frame of pandas, Polars, PyArrow or DuckDB; records, or columns by name.
        Several sources of the same columns make one table.
    file : FileFormat, default=None
        How the source is written; what it does not say is found, or asked for.
    on_error : {"raise", "set_aside"}, default="raise"
        What happens to lines that are no rows, such as short records: "set_aside"
        leaves them out and warns.
    keep_names : bool, default=False
        Whether names of files are kept with the table; they may name persons.

    Returns
    -------
    frame : DataFrame
        The administration's columns: every cell of a text as text, typed values as they
        are. ``source_row`` names the source and line of a row.
        ``frame.attrs["smartrisk.sources"]`` lists the sources,
        ``frame.attrs["smartrisk.files"]`` the format, lines and findings of each.

    Raises
    ------
    ArgumentError
        If there is no such file, or a database needs a table.
    TableError
        If lines are no rows, with every one in ``.failures``; or if encoding,
        separator, header or sheet are not certain: the message says what to declare.
    MissingExtraError
        If a package is not installed that this kind of source needs.

    See Also
    --------
    describe_file : What was found in a file, and the evidence.

    Notes
    -----
    A line of a text is part of a row, or of the title, the header, the printed totals
    at the end, the empty lines or the lines set aside; the numbers of these add up to
    the number of lines. A value never moves to another column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.intake import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "items.csv")
    ...     _ = path.write_text("Extract of March\n\nid;origin\n007;NA\n008;CN\n")
    ...     frame = read_table(path)
    >>> frame["id"].tolist(), frame["source_row"].str[16:].tolist()
    (['007', '008'], [':4', ':5'])
    """
    check_choice("read_table", "on_error", on_error, ("raise", "set_aside"))
    readings = read_sources(source, file or FileFormat())
    if on_error == "raise":
        _raise_errors(readings)
    frame = join_readings(readings, keep_names=keep_names)
    for reading in readings:
        _warn(reading)
    return frame


def read_sources(source: Any, file: FileFormat) -> list[Reading]:
    """Return the readings of all sources; content that came before is left out.

    Parameters
    ----------
    source : object
        What `read_table` takes.
    file : FileFormat
        What is declared of it.

    Returns
    -------
    readings : list of Reading
        One per source, with its findings.
    """
    readings = []
    for each in split_sources(source):
        try:
            readings.append(read_source(each, file))
        except TableError as error:
            raise _in_file(error, each) from error
    return _drop_repeated(readings)


def join_readings(readings: list[Reading], *, keep_names: bool = False) -> pd.DataFrame:
    """Return the rows of all readings as one frame, with lines and attributes.

    Parameters
    ----------
    readings : list of Reading
        One per source.
    keep_names : bool, default=False
        Whether names of files are kept.

    Returns
    -------
    frame : DataFrame
        What `read_table` returns.
    """
    frame = _join([_add_rows(reading) for reading in readings], readings)
    _set_attributes(frame, readings, keep_names)
    return frame


def _in_file(error: TableError, source: Any) -> TableError:
    """Return an error that names its file."""
    if not hasattr(source, "name") or not isinstance(source.name, str):
        return error
    parts = error.messages or (_as_message(error),)
    return _named_error(source.name, parts, error.failures)


def _as_message(error: SmartRiskError) -> Message:
    """Return the text of an error as a message."""
    return Message(error.message_id, error.template, **error.values)


def _named_error(
    name: str, parts: Iterable[Message], failures: pd.DataFrame | None
) -> TableError:
    """Return an error about one file."""
    parts = tuple(parts)
    return TableError(
        parts[0].message_id,
        "{file}: {problem}",
        failures=failures,
        messages=(Message("intake.in_file", "{file}:", file=name), *parts),
        file=name,
        problem=" ".join(map(str, parts)),
    )


def _raise_errors(readings: list[Reading]) -> None:
    """Raise with every line that is no row, of all files at once."""
    parts: list[Message] = []
    found: list[Finding] = []
    for reading in readings:
        errors = reading.findings.select("error")
        if not errors:
            continue
        n_records = unusable_records(reading.findings)
        parts.append(
            Message(
                "intake.lines_unusable",
                "{file}: {n_unusable} of {n_records} records cannot be read as rows:",
                file=reading.name,
                n_unusable=f"{n_records:,}",
                n_records=f"{len(reading.frame) + n_records:,}",
            )
        )
        parts += [finding.message() for finding in errors]
        found += errors
    if not found:
        return
    remedy = 'Pass on_error="set_aside" (--on-error set_aside) to leave them out.'
    parts.append(Message("intake.set_aside_instead", remedy))
    raise TableError(
        "intake.lines_unusable",
        "{problem}",
        failures=failures_frame(found),
        messages=parts,
        file=readings[0].name,
        problem=" ".join(map(str, parts)),
    )


def _warn(reading: Reading) -> None:
    """Warn of what was repaired, left out or is doubtful in a source."""
    reported = reading.findings.select("error", "repaired", "warning")
    if not reported:
        return
    parts = [finding.message() for finding in reported]
    warnings.warn(
        DataQualityWarning(
            "intake.file_findings",
            "{file}: {problem}",
            messages=(Message("intake.in_file", "{file}:", file=reading.name), *parts),
            file=reading.name,
            problem=" ".join(map(str, parts)),
        ),
        stacklevel=3,
    )


def _drop_repeated(readings: list[Reading]) -> list[Reading]:
    """Leave out content that was given before, and report it."""
    kept: list[Reading] = []
    first: dict[str, Reading] = {}
    for reading in readings:
        content = reading.content or reading.sha256
        if content in first:
            before = first[content]
            text = f"{reading.name} is {before.name}"
            before.findings.add("read twice", "warning", (), [text])
            continue
        first[content] = reading
        kept.append(reading)
    return kept


def _add_rows(reading: Reading) -> pd.DataFrame:
    """Return the frame of a reading with the column that names source and line."""
    frame = reading.frame
    if SOURCE_ROW in frame:
        values = frame[SOURCE_ROW].dropna().astype(str)
        strange = values[~values.str.fullmatch(_ROW.pattern).astype(bool)]
        if len(strange):
            raise TableError(
                "intake.source_row_taken",
                "{file}: the column source_row is set when a file is read, and this "
                "one holds {values}. Rename the column.",
                file=reading.name,
                values=format_values(strange.unique()),
            )
        return frame
    frame = frame.copy(deep=False)
    frame[SOURCE_ROW] = _source_rows(reading.sha256, reading.lines, frame.index)
    return frame


def _source_rows(sha256: str, lines: NDArray[np.int64], index: pd.Index) -> pd.Series:
    """Return ``source_row`` as a column of texts, made by Arrow: rows are many."""
    head = pa.scalar(sha256[:16], pa.large_string())
    texts = pc.cast(pa.array(lines), pa.large_string())
    joined = pc.binary_join_element_wise(head, texts, pa.scalar(":", head.type))
    series: pd.Series = pa.chunked_array([joined]).to_pandas()
    series.index = index
    return series


def _join(frames: list[pd.DataFrame], readings: list[Reading]) -> pd.DataFrame:
    """Return several frames as one; columns that one lacks are reported."""
    if len(frames) == 1:
        return frames[0]
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    names = [name for name in names if name != SOURCE_ROW] + [SOURCE_ROW]
    common = set(names).intersection(*(set(frame.columns) for frame in frames))
    if common <= {SOURCE_ROW}:
        raise TableError(
            "intake.no_common_columns",
            "the files have no column in common: {columns}. Read them one by one, and "
            "join them with join_documents when they are header and items.",
            columns="; ".join(
                f"{r.name}: {format_values(r.frame.columns)}" for r in readings
            ),
        )
    for frame, reading in zip(frames, readings, strict=True):
        missing = [str(name) for name in names if name not in frame]
        if missing:
            texts = [f"{reading.name} lacks {format_values(missing)}"]
            reading.findings.add("columns differ", "warning", (), texts)
    aligned = _align([_complete(f, names, frames) for f in _widen(frames)])
    for frame in aligned:
        frame.attrs = {}
    return pd.concat(aligned, ignore_index=True)


def _complete(
    frame: pd.DataFrame, names: list[Any], others: list[pd.DataFrame]
) -> pd.DataFrame:
    """Return a frame with all columns, empty ones of the type that others have."""
    missing = {
        name: pd.Series(
            [None] * len(frame), dtype=_nullable(other[name].dtype), index=frame.index
        )
        for name in names
        if name not in frame
        for other in others
        if name in other
    }
    return frame.assign(**missing)[names]


def _nullable(kind: Any) -> Any:
    """Return a type that holds missing values beside those of another."""
    if isinstance(kind, np.dtype) and kind.kind in "ib":
        return "Int64" if kind.kind == "i" else "boolean"
    return kind


def _widen(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return frames whose whole numbers stay whole next to missing values."""
    return [
        frame.astype({name: _nullable(kind) for name, kind in frame.dtypes.items()})
        for frame in frames
    ]


def _align(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return frames whose columns of large whole numbers meet no floats."""
    for name in frames[0].columns:
        kinds = {
            frame[name].dtype.kind for frame in frames if frame[name].notna().any()
        }
        if kinds >= {"i", "f"} and any(
            f[name].dtype.kind == "i" and (f[name].abs() >= _EXACT).any()
            for f in frames
        ):
            for frame in frames:
                frame[name] = frame[name].astype(object)
    return frames


def _set_attributes(
    frame: pd.DataFrame, readings: list[Reading], keep_names: bool
) -> None:
    """Set the sources of a frame, and what was found in them, as its attributes."""
    given = [r.frame.attrs.get(SOURCES) for r in readings]
    sources = []
    for reading, before in zip(readings, given, strict=True):
        if before:
            sources += [Source.from_dict(values) for values in before]
            continue
        n_unusable = unusable_records(reading.findings)
        sources.append(
            Source(
                sha256=reading.sha256,
                kind=reading.kind,
                rows_in=len(reading.frame) + n_unusable,
                set_aside=n_unusable,
                name=reading.name if keep_names else None,
            )
        )
    set_sources(frame, sources)
    frame.attrs[FILES] = [reading.describe() for reading in readings]
