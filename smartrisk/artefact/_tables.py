"""Tables of a folder as Arrow IPC files, aligned, uncompressed.

What the name of a table has before a slash is the name of its file: ``codes/office`` is
in ``codes.arrow``. In the format before, one file holds all tables of a kind. A file
holds one row, and a column of a table is one cell of it, a list: so tables of any
length and columns share a file, and every list begins at a multiple of 64 bytes, where
it can be used as it lies on the disk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArtefactError

#: A table: columns by name.
Arrays = dict[str, NDArray[Any]]

SUFFIX = ".arrow"
#: Length of a line of a processor's cache, to which Arrow recommends to align.
_ALIGNMENT = 64
#: Between the name of a table and that of its column.
_BAR = "|"
#: What the name of a column has besides letters and digits; anything else is quoted.
_SAFE = " _.-?"
#: What the name of a file has besides letters and digits.
_SAFE_IN_NAMES = " _.-+%"
#: Dots that would follow each other in a name with its ending.
_DOTS = re.compile(r"\.(?=\.|$)")
#: A longer name of a file is cut, and a digest stands for the rest: some systems take
#: 260 characters with the folders before it.
_LONGEST, _KEPT = 120, 100
#: The types that a column may have; NumPy's names.
_KINDS = frozenset(("int8", "int16", "int32", "int64", "uint8", "uint64", "float64"))
#: Length of a text whose only purpose is to move what follows it.
_PADDING = "padding"
#: How a file begins.
_MAGIC = b"ARROW1\0\0"


class TablesOnDemand(Mapping[str, Arrays]):
    """Tables by name, each made when it is asked for, and not kept.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.artefact import TablesOnDemand
    >>> tables = TablesOnDemand()
    >>> tables.add("learned", lambda: {"id": np.arange(2)})
    >>> len(tables), tables["learned"]["id"].tolist()
    (1, [0, 1])
    """

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], Arrays]] = {}

    def add(self, name: str, make: Callable[[], Arrays]) -> None:
        """Add a table.

        Parameters
        ----------
        name : str
            Its name.
        make : callable
            Returns its columns.
        """
        self._makers[name] = make

    def __getitem__(self, name: str) -> Arrays:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@lru_cache(maxsize=4096)
def block_file(name: str) -> str:
    """Return the name of the file that holds a table.

    Parameters
    ----------
    name : str
        Name of the table.

    Returns
    -------
    file : str
        What the name has before a slash, quoted and shortened where no file can be
        called so.

    Examples
    --------
    >>> from smartrisk.artefact import block_file
    >>> block_file("history.items.hs6+1/totals")
    'history.items.hs6+1.arrow'
    """
    block = name.partition("/")[0]
    stem = _DOTS.sub("%2E", quote(block, safe=_SAFE_IN_NAMES))
    if len(stem) > _LONGEST:
        digest = hashlib.sha256(block.encode()).hexdigest()
        stem = f"{stem[:_KEPT]}-{digest[:16]}"
    return stem + SUFFIX


def table_file(name: str) -> str:
    """Return the name of the file that holds a table in a folder of few files.

    Parameters
    ----------
    name : str
        Name of the table.

    Returns
    -------
    file : str
        That of its kind.

    Examples
    --------
    >>> from smartrisk.artefact import table_file
    >>> table_file("history.items.importer_id")
    'history.arrow'
    """
    return name.partition(".")[0] + SUFFIX


def group_names(names: Iterable[str], *, by_kind: bool = False) -> dict[str, list[str]]:
    """Return the names of tables by the file that holds them."""
    file_of = table_file if by_kind else block_file
    files: dict[str, list[str]] = {}
    for name in names:
        files.setdefault(file_of(name), []).append(name)
    return files


def write_tables(sink: BinaryIO, tables: Mapping[str, Arrays]) -> None:
    """Write the tables of one file as an Arrow IPC file."""
    import pyarrow as pa

    cells, body = {}, 0
    for name, columns in tables.items():
        for column, values in columns.items():
            key = f"{name}{_BAR}{quote(column, safe=_SAFE)}"
            cells[key] = cell = _make_cell(values)
            body += sum(b.size for b in cell.values.buffers() if b is not None)
    fields = [pa.field(key, cell.type, nullable=False) for key, cell in cells.items()]
    batch = pa.RecordBatch.from_arrays(list(cells.values()), schema=pa.schema(fields))
    for length in range(0, 4 * _ALIGNMENT, 4):
        padded = batch.replace_schema_metadata({_PADDING: " " * length})
        start = padded.schema.serialize().size + pa.ipc.get_record_batch_size(padded)
        head = len(_MAGIC) + start - body
        if head % _ALIGNMENT == 0:
            break
    with pa.ipc.new_file(sink, padded.schema) as writer:
        writer.write_batch(padded)


def read_tables(
    content: Any, *, name: str, owner: str, by_kind: bool = False
) -> dict[str, Arrays]:
    """Return the tables of an Arrow IPC file, as views of its content.

    Parameters
    ----------
    content : buffer
        The file, in memory or mapped.
    name : str
        Name of the file, for the message.
    owner : str
        Name of the calling function, for the message.
    by_kind : bool, default=False
        Whether a file holds all tables of a kind, as in the format before.

    Raises
    ------
    ArtefactError
        If it is no such file, or has columns of other types, of other lengths than
        those of their table, or with missing entries.
    """
    import pyarrow as pa

    try:
        tables = _read_cells(pa.ipc.open_file(pa.BufferReader(content)))
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise ArtefactError(
            "artefact.table_damaged",
            "{owner}: {name!r} is damaged: {problem}. Restore a copy.",
            owner=owner,
            name=name,
            problem=str(error),
        ) from error
    file_of = table_file if by_kind else block_file
    for table in tables:
        if file_of(table) != name:
            raise _odd_table(owner, name, table, "belongs into another file")
        lengths = {len(values) for values in tables[table].values()}
        if len(lengths) > 1:
            raise _odd_table(owner, name, table, "has columns of several lengths")
    return tables


def read_parquet(content: bytes, *, name: str, owner: str) -> Arrays:
    """Return the columns of a Parquet file, as the format before has them.

    Raises
    ------
    ArtefactError
        If it is no such file, or has columns of other types or with missing entries.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
        columns = {}
        for column in table.column_names:
            values = table.column(column)
            if values.null_count or str(values.type).replace(
                "double", "float64"
            ) not in (_KINDS):
                raise ValueError(f"column {column!r} is of type {values.type}")
            columns[column] = np.ascontiguousarray(values.to_numpy())
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise ArtefactError(
            "artefact.table_damaged",
            "{owner}: {name!r} is damaged: {problem}. Restore a copy.",
            owner=owner,
            name=name,
            problem=str(error),
        ) from error
    return columns


def _make_cell(values: NDArray[Any]) -> Any:
    """Return a column as one cell, its bytes filled up to the alignment."""
    import pyarrow as pa

    plain = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(plain.dtype)
    filled = np.zeros(-(-plain.nbytes // _ALIGNMENT) * _ALIGNMENT, np.uint8)
    filled[: plain.nbytes] = plain.view(np.uint8)
    child = pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(filled)])
    item = pa.field("item", kind, nullable=False)
    of_one = pa.list_(item, len(plain))
    return pa.Array.from_buffers(of_one, 1, [None], children=[child])


def _read_cells(reader: Any) -> dict[str, Arrays]:
    """Return the columns of a file by table and name.

    Raises
    ------
    ValueError
        If a cell is something else than a list of numbers.
    """
    if reader.num_record_batches != 1:
        raise ValueError(f"it holds {reader.num_record_batches} batches")
    batch = reader.get_batch(0)
    batch.validate(full=True)
    if batch.num_rows != 1:
        raise ValueError(f"it holds {batch.num_rows} rows")
    tables: dict[str, Arrays] = {}
    for place, key in enumerate(batch.schema.names):
        table, bar, quoted = key.rpartition(_BAR)
        column = unquote(quoted)
        values = _cell_values(batch.column(place), key)
        if not bar or column in tables.setdefault(table, {}):
            raise ValueError(f"its column {key!r} is not named as one")
        tables[table][column] = values
    return tables


def _cell_values(cell: Any, key: str) -> NDArray[Any]:
    """Return the numbers of a cell, without a copy."""
    import pyarrow as pa

    kind = cell.type
    plain = pa.types.is_fixed_size_list(kind) and not cell.null_count
    values = cell.values if plain else None
    if values is None or values.null_count or len(values) != kind.list_size:
        raise ValueError(f"its column {key!r} is of type {kind}")
    if not _is_plain(values.type):
        raise ValueError(f"its column {key!r} is of type {kind}")
    found: NDArray[Any] = values.to_numpy(zero_copy_only=True)
    return found


def _is_plain(kind: Any) -> bool:
    """Return whether a type of Arrow is one that columns have."""
    return str(kind).replace("double", "float64") in _KINDS


def _odd_table(owner: str, name: str, table: str, problem: str) -> ArtefactError:
    """Return the error of a table that this library does not write."""
    return ArtefactError(
        "artefact.table_odd",
        "{owner}: {name!r} is damaged: table {table!r} {problem}. Restore a copy.",
        owner=owner,
        name=name,
        table=table,
        problem=problem,
    )
