"""A folder or list of Parquet files as pieces that fit into memory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, check_number, format_values
from smartrisk.schema import DECLARATIONS, OWN_FIELDS, TIME_ZONE, Field

#: A folder of Parquet files, one file, or several.
Dataset: TypeAlias = "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"

#: Rows of a piece: reading, checking and counting 250,000 items takes about 1 GB.
MOST_ROWS = 250_000
#: Where pandas keeps the attributes of a frame in a Parquet file.
_ATTRS = b"PANDAS_ATTRS"


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Some consecutive rows of a Parquet file.

    Parameters
    ----------
    fragment : pyarrow.dataset.Fragment
        One row group of a file.
    schema : pyarrow.Schema
        Columns to read; those that the file lacks are missing in every row.
    start, n_rows : int
        First row within the row group, and how many.
    first : int
        Number of the first row within the dataset.
    attrs : dict
        Attributes of the frame, such as the time zone.
    """

    fragment: Any
    schema: Any
    start: int
    n_rows: int
    first: int
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Path of the file."""
        return str(self.fragment.path)

    def read(
        self,
        columns: Sequence[str] | None = None,
        *,
        rows: NDArray[np.intp] | None = None,
    ) -> pd.DataFrame:
        """Return the rows, or some of them, or some of their columns."""
        import pyarrow as pa

        schema = self.schema
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        table = self.fragment.to_table(schema=schema, columns=list(schema.names))
        table = table.slice(self.start, self.n_rows).replace_schema_metadata(None)
        index: pd.Index[int] = pd.RangeIndex(self.first, self.first + self.n_rows)
        if rows is not None:
            table, index = table.take(rows), index[rows]
        frame: pd.DataFrame = table.to_pandas()
        frame.index = index
        frame.attrs.update(self.attrs)
        return frame


@dataclass(frozen=True, kw_only=True, eq=False)
class PieceList:
    """The pieces of a dataset, in the order of its files.

    Parameters
    ----------
    pieces : tuple of Piece
        Together they are all rows.
    names : tuple of str
        Columns of the dataset.
    own_fields : dict of str to str
        Own fields that its files name, and the kind of each.
    """

    pieces: tuple[Piece, ...]
    names: tuple[str, ...]
    own_fields: dict[str, str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return sum(piece.n_rows for piece in self.pieces)

    def empty(self) -> pd.DataFrame:
        """Return a frame with the columns and no row."""
        piece = self.pieces[0]
        frame: pd.DataFrame = piece.schema.empty_table().to_pandas()
        frame.attrs.update(piece.attrs)
        return frame


def list_pieces(
    owner: str,
    dataset: Dataset,
    *,
    most_rows: int = MOST_ROWS,
    own_fields: Mapping[str, str] | None = None,
    typed: bool = True,
) -> PieceList:
    """Return the pieces of a dataset.

    `typed` refuses DECLARATIONS whose columns are not of the kinds of the schema: in
    texts, dates and numbers are recognised by the whole column, which no piece has.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    check_number(owner, "rows", most_rows, low=1, integer=True)
    found = _open(owner, dataset, ds)
    fragments = sorted(found.get_fragments(), key=lambda fragment: str(fragment.path))
    try:
        schema = pa.unify_schemas(
            [found.schema, *(f.physical_schema for f in fragments)],
            promote_options="permissive",
        )
    except pa.ArrowException as error:
        raise TableError(
            "scale.schemas_differ",
            "{owner}: the Parquet files have columns of types that do not go "
            "together: {problem}. Write them with the same types.",
            owner=owner,
            problem=str(error),
        ) from error
    attrs = _attributes(schema)
    own = {**attrs.get(OWN_FIELDS, {}), **(own_fields or {})}
    own = {name: kind for name, kind in own.items() if name in schema.names}
    if typed:
        _check_types(owner, schema, own)
    pieces: list[Piece] = []
    first = 0
    for fragment in fragments:
        for group in fragment.split_by_row_group():
            # Not count_rows, which counts those of the whole file.
            total = sum(each.num_rows for each in group.row_groups)
            for start in range(0, total, most_rows):
                n_rows = min(most_rows, total - start)
                pieces.append(
                    Piece(
                        fragment=group,
                        schema=schema.remove_metadata(),
                        start=start,
                        n_rows=n_rows,
                        first=first,
                        attrs=attrs,
                    )
                )
                first += n_rows
    if not pieces:
        raise TableError(
            "scale.no_rows",
            "{owner}: {dataset} holds no row. Pass a folder or a list of Parquet "
            "files with items.",
            owner=owner,
            dataset=format_values([str(dataset)]),
        )
    return PieceList(pieces=tuple(pieces), names=tuple(schema.names), own_fields=own)


def _open(owner: str, dataset: Dataset, ds: Any) -> Any:
    """Return the files as one dataset of Arrow, folder names as texts."""
    import pyarrow as pa

    paths: list[Any] = [dataset]
    one = isinstance(dataset, (str, os.PathLike))
    if not one:
        paths = list(dataset) if isinstance(dataset, Sequence) else []
    if not paths or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        raise TableError(
            "scale.dataset_not_paths",
            "{owner}: 'dataset' must be a folder or a list of Parquet files; got "
            "{kind}. Write a frame with DataFrame.to_parquet, or call RiskEngine.",
            owner=owner,
            kind=type(dataset).__name__,
        )
    absent = [Path(path).name for path in paths if not Path(path).exists()]
    if absent:
        raise TableError(
            "scale.files_absent",
            "{owner}: {n_files} of the files of 'dataset' do not exist: {files}. "
            "Correct the paths.",
            owner=owner,
            n_files=len(absent),
            files=format_values(absent),
        )
    source = str(paths[0]) if one else [str(path) for path in paths]
    try:
        found = ds.dataset(source, format="parquet", partitioning="hive")
        physical: set[str] = set()
        for fragment in found.get_fragments():
            physical.update(fragment.physical_schema.names)
        folders = [name for name in found.schema.names if name not in physical]
        if folders:
            texts = pa.schema([(name, pa.string()) for name in folders])
            hive = ds.partitioning(texts, flavor="hive")
            found = ds.dataset(source, format="parquet", partitioning=hive)
    except (pa.ArrowException, OSError) as error:
        raise TableError(
            "scale.files_not_parquet",
            "{owner}: 'dataset' cannot be read as Parquet: {problem}. Pass a folder "
            "that holds Parquet files only.",
            owner=owner,
            problem=str(error),
        ) from error
    return found


def _attributes(schema: Any) -> dict[str, Any]:
    """Return the attributes of the frame that pandas wrote."""
    kept = (schema.metadata or {}).get(_ATTRS)
    found = json.loads(kept) if kept else {}
    return {name: found[name] for name in (OWN_FIELDS, TIME_ZONE) if name in found}


def _check_types(owner: str, schema: Any, own_fields: Mapping[str, str]) -> None:
    """Raise where columns are texts that are numbers or dates, or the reverse."""
    fields = {f.name: f for f in DECLARATIONS}
    fields |= {n: Field(n, kind, "own", "") for n, kind in own_fields.items()}
    wrong = [
        f"{name} ({schema.field(name).type})"
        for name in schema.names
        if name in fields and not _fits(schema.field(name).type, fields[name].kind)
    ]
    if wrong:
        raise TableError(
            "scale.columns_not_typed",
            "{owner}: {n_columns} columns are not of the type of their field: "
            "{columns}. Partitions are read one by one, so that nothing can be "
            "recognised by a whole column: write what smartrisk.validation.validate "
            "returns.",
            owner=owner,
            n_columns=len(wrong),
            columns=format_values(wrong),
        )


def _fits(kind: Any, wanted: str) -> bool:
    """Return whether a type of Arrow needs no recognition to be of a kind."""
    import pyarrow.types as pat

    if pat.is_null(kind):
        return True
    if wanted == "datetime":
        return bool(pat.is_timestamp(kind) or pat.is_date(kind))
    if wanted == "boolean":
        return bool(pat.is_boolean(kind))
    if wanted in ("number", "integer"):
        return bool(pat.is_integer(kind) or pat.is_floating(kind))
    value = kind.value_type if pat.is_dictionary(kind) else kind
    return bool(
        pat.is_string(value) or pat.is_large_string(value) or pat.is_string_view(value)
    )
