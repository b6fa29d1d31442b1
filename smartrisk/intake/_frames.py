"""Frames: tables of any library, records and columns, by what they offer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from smartrisk.errors import TableError, format_values
from smartrisk.intake._findings import FindingList
from smartrisk.intake._reading import Evidence, Reading, name_columns
from smartrisk.intake._typed import arrow_columns, digest_frame, make_column
from smartrisk.lineage import digest_file
from smartrisk.schema import FileFormat

#: Column in which pandas keeps the numbers of rows that it writes to Parquet.
_INDEX = "__index_level_"


def read_frame(source: Any) -> Reading | None:
    """Return the table of a frame, a table of another library, columns or records.

    Parameters
    ----------
    source : object
        A frame of pandas; what exports an Arrow stream or array (Polars, PyArrow,
        DuckDB), or is collected to it (lazy frames); columns by name; records.

    Returns
    -------
    reading : Reading or None
        None where the source is none of these.
    """
    if isinstance(source, pd.DataFrame):
        return _from_pandas(source)
    source = _collect(source)
    table = _as_arrow(source)
    if table is not None:
        return from_arrow(table, "frame")
    if isinstance(source, Mapping):
        return _from_columns(source)
    if isinstance(source, Iterable) and not isinstance(source, (str, bytes)):
        return _from_records(list(source))
    return None


def from_arrow(table: pa.Table, kind: str) -> Reading:
    """Return the columns of an Arrow table; whole numbers never pass through float."""
    kept = [k for k, n in enumerate(table.column_names) if not n.startswith(_INDEX)]
    table = table.select(kept)
    return _reading(table.column_names, arrow_columns(table), kind, table.num_rows)


def read_parquet(path: Path) -> Reading:
    """Return the table of a Parquet file."""
    try:
        # The name of the folder is no column here: `read_folder` reads those.
        table = pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(
            "intake.damaged_parquet",
            "the file cannot be read as Parquet: {problem}. Copy or export it again.",
            problem=str(error).splitlines()[0][:200],
        ) from error
    reading = from_arrow(table, "parquet")
    reading.sha256 = digest_file(path)
    return reading


def read_arrow_file(content: bytes) -> Reading:
    """Return the table of a file of Arrow's own format (Feather)."""
    try:
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(
            "intake.damaged_arrow",
            "the file cannot be read as Arrow: {problem}. Copy or export it again.",
            problem=str(error).splitlines()[0][:200],
        ) from error
    return from_arrow(table, "arrow")


def _collect(source: Any) -> Any:
    """Return what a lazy frame computes; others as they are."""
    for name in ("collect", "compute"):
        if hasattr(source, "__arrow_c_stream__") or isinstance(source, Mapping):
            break
        if callable(getattr(source, name, None)):
            source = getattr(source, name)()
    return source


def _as_arrow(source: Any) -> pa.Table | None:
    """Return what exports Arrow as a table, or None."""
    if isinstance(source, pa.Table):
        return source
    for name in ("__arrow_c_stream__", "__arrow_c_array__"):
        if hasattr(source, name) and not isinstance(source, pd.Series):
            try:
                if name == "__arrow_c_stream__":
                    return pa.RecordBatchReader.from_stream(source).read_all()
                return pa.Table.from_batches([pa.record_batch(source)])
            except (pa.ArrowInvalid, TypeError, ValueError) as error:
                raise _not_a_table(source) from error
    if hasattr(source, "to_table") and hasattr(source, "schema"):
        return source.to_table()  # a dataset or scanner of Arrow
    if hasattr(source, "to_pandas") and not isinstance(source, Mapping):
        return pa.Table.from_pandas(source.to_pandas(), preserve_index=False)
    return None


def _from_pandas(source: pd.DataFrame) -> Reading:
    """Return a frame of pandas as it is; its index stays."""
    if isinstance(source.columns, pd.MultiIndex):
        raise TableError(
            "intake.column_names_nested",
            "the names of the columns must be single texts; this frame has several "
            "levels of them.",
        )
    findings = FindingList()
    name_columns([str(name) for name in source.columns], findings, "the frame")
    frame = source.copy(deep=False)
    frame.columns = pd.Index([str(name) for name in source.columns])
    return _finish(frame, findings, "frame")


def _from_columns(source: Mapping[Any, Any]) -> Reading:
    """Return columns by name."""
    sizes = {str(k): len(v) if hasattr(v, "__len__") else -1 for k, v in source.items()}
    texts = [str(k) for k, v in source.items() if isinstance(v, (str, bytes))]
    if texts or len(set(sizes.values())) > 1 or -1 in sizes.values():
        raise TableError(
            "intake.columns_of_different_sizes",
            "the columns must be lists of the same length; got {sizes}.",
            sizes=", ".join(
                f"{k!r}: {'one value' if n < 0 or k in texts else n}"
                for k, n in list(sizes.items())[:10]
            ),
        )
    columns = [
        _as_series(values) if hasattr(values, "dtype") else make_column(list(values))
        for values in source.values()
    ]
    n_rows = next(iter(sizes.values()), 0)
    return _reading(list(map(str, source)), columns, "frame", n_rows)


def _as_series(values: Any) -> pd.Series:
    """Return an array or a column of another library as a column."""
    if hasattr(values, "to_pandas") and not isinstance(values, pd.Series):
        values = values.to_pandas()
    series = pd.Series(values).reset_index(drop=True)
    return make_column(series.tolist()) if series.dtype == object else series


def _from_records(source: list[Any]) -> Reading:
    """Return a list of records: mappings, named tuples or data classes."""
    records = [_as_mapping(record) for record in source]
    strange = [k for k, record in enumerate(records) if record is None]
    if strange or not records:
        raise TableError(
            "intake.not_records",
            "a list must hold records, each a mapping of column names to values; got "
            '{got}. Pass [{{"declaration_id": ..., ...}}, ...], or a frame.',
            got=format_values(source[k] for k in strange) or "an empty list",
        )
    given = [record for record in records if record is not None]
    names = list(dict.fromkeys(str(name) for record in given for name in record))
    keyed = [{str(k): v for k, v in record.items()} for record in given]
    short = [k for k, record in enumerate(keyed, 1) if len(record) < len(names)]
    missing = [
        ", ".join(name for name in names if name not in keyed[k - 1]) for k in short
    ]
    columns = [make_column([r.get(name) for r in keyed]) for name in names]
    reading = _reading(names, columns, "records", len(keyed))
    reading.findings.add("unknown keys", "warning", short, missing)
    return reading


def _as_mapping(record: Any) -> Mapping[Any, Any] | None:
    """Return one record as a mapping, or None."""
    if isinstance(record, Mapping):
        return record
    if hasattr(record, "_asdict"):
        mapping: Mapping[Any, Any] = record._asdict()
        return mapping
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    return None


def _reading(
    names: Sequence[str], columns: list[pd.Series], kind: str, n_rows: int
) -> Reading:
    """Return columns as a reading."""
    findings = FindingList()
    unique = name_columns(names, findings, "the table")
    frame = pd.DataFrame(
        dict(zip(unique, columns, strict=True)), index=pd.RangeIndex(n_rows)
    )
    return _finish(frame, findings, kind)


def _finish(frame: pd.DataFrame, findings: FindingList, kind: str) -> Reading:
    """Return a frame as a reading; its digest is made when it is needed."""
    return Reading(
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        kind=kind,
        findings=findings,
        sha256=digest_frame(frame) if kind != "parquet" else "",
        format=FileFormat(),
        evidence=[Evidence("kind", kind, "found")],
        accounts={"rows": len(frame)},
    )


def _not_a_table(source: object) -> TableError:
    """Return the error for what exports Arrow and is no table."""
    return TableError(
        "intake.not_a_table",
        "a table with named columns is needed; got {type_name}.",
        type_name=type(source).__name__,
    )
