"""Streams of Arrow: read within bounds, and written."""

from __future__ import annotations

import struct
from typing import Any

import pandas as pd

from smartrisk.serving._problems import RequestError
from smartrisk.serving._settings import MOST_FIELDS
from smartrisk.tables import read_table

#: Kinds of messages in the format of Arrow (``Message.fbs``).
_DICTIONARY, _BATCH = 2, 3
#: Fields of the tables of ``Message.fbs``, in their order there.
_HEADER_TYPE, _HEADER = 1, 2
_BATCH_LENGTH, _BATCH_COMPRESSION = 0, 3


def read_arrow(body: bytes, most_bytes: int, most_items: int) -> pd.DataFrame:
    """Return the table of a stream.

    Parameters
    ----------
    body : bytes
        The stream.
    most_bytes : int
        Bytes that the table may take.
    most_items : int
        Rows that it may have.

    Raises
    ------
    RequestError
        If it is no stream of plain columns, is compressed, or is too large.
    """
    import pyarrow.ipc

    try:
        n_rows = _check_messages(body)
        if n_rows > most_items:
            raise RequestError(
                413,
                "serving.too_many_items",
                "{n_items} items in one request; at most {most} are allowed. Send "
                "several requests.",
                n_items=n_rows,
                most=most_items,
            )
        with pyarrow.ipc.open_stream(body) as reader:
            _check_types(reader.schema)
            table = reader.read_all()
        table.validate(full=True)
    except (pyarrow.ArrowException, OSError, ValueError, struct.error) as error:
        raise _not_arrow("it is damaged") from error
    if table.nbytes > most_bytes:
        raise _not_arrow("its columns are larger than the body may be")
    # Without metadata: pandas would rebuild an index, and types, that the sender names.
    plain = table.replace_schema_metadata(None)
    try:
        found: pd.DataFrame = read_table("the service", "the body", plain)
    except (pyarrow.ArrowException, ValueError, KeyError, OSError) as error:
        raise _not_arrow("a moment or its time zone cannot be read") from error
    return found


def _not_arrow(problem: str) -> RequestError:
    """Return the error for a body that is no stream of plain columns."""
    return RequestError(
        400,
        "serving.not_arrow",
        "the body is no stream of Arrow that can be read: {problem}. Send one "
        "uncompressed stream of columns of texts, numbers, flags and moments, each "
        "with a name of its own.",
        problem=problem,
    )


def _check_messages(body: bytes) -> int:
    """Return the rows that a stream states to have, before any of them is made."""
    import pyarrow.ipc

    n_rows = 0
    for message in pyarrow.ipc.MessageReader.open_stream(body):
        kind, header = _open(message.metadata.to_pybytes())
        if kind == _DICTIONARY:
            raise _not_arrow("it has dictionaries")
        if kind != _BATCH:
            continue
        if header.has(_BATCH_COMPRESSION):
            raise _not_arrow("it is compressed")
        n_rows += max(header.long(_BATCH_LENGTH), 0)
    return n_rows


class _Table:
    """A table of a FlatBuffer: what its fields hold, by their number."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._fields = place - self._read("<i", place)

    def _read(self, form: str, place: int) -> int:
        """Return the number at a place."""
        if place < 0:
            raise struct.error
        return int(struct.unpack_from(form, self._data, place)[0])

    def _find(self, field: int) -> int:
        """Return where a field stands, 0 where the table does not have it."""
        size = self._read("<H", self._fields)
        place = 4 + 2 * field
        return self._read("<H", self._fields + place) if place < size else 0

    def has(self, field: int) -> bool:
        """Return whether the table has a field."""
        return self._find(field) != 0

    def byte(self, field: int) -> int:
        """Return a field of one byte, 0 where it is not there."""
        offset = self._find(field)
        return self._read("<B", self._place + offset) if offset else 0

    def long(self, field: int) -> int:
        """Return a field of eight bytes, 0 where it is not there."""
        offset = self._find(field)
        return self._read("<q", self._place + offset) if offset else 0

    def table(self, field: int) -> _Table:
        """Return the table to which a field points."""
        place = self._place + self._find(field)
        return _Table(self._data, place + self._read("<I", place))


def _open(metadata: bytes) -> tuple[int, _Table]:
    """Return the kind of a message, and the table of its header."""
    root = _Table(metadata, struct.unpack_from("<I", metadata)[0])
    return root.byte(_HEADER_TYPE), root.table(_HEADER)


def _check_types(schema: Any) -> None:
    """Refuse columns that are no texts, numbers, flags or moments."""
    from pyarrow import types

    names = [field.name for field in schema]
    if len(names) > MOST_FIELDS or len(set(names)) < len(names):
        raise _not_arrow("it has too many columns, or two of one name")
    plain = (
        types.is_string,
        types.is_large_string,
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_timestamp,
        types.is_date,
    )
    odd = [f.name for f in schema if not any(is_kind(f.type) for is_kind in plain)]
    if odd:
        raise _not_arrow(f"{len(odd)} columns are of other types")


def write_arrow(frame: pd.DataFrame, about: dict[str, str]) -> bytes:
    """Return a table as a stream, with what is to be known about it."""
    import pyarrow.ipc

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(about)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
