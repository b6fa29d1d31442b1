"""Typed columns keep their types; whole numbers never pass through float."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: From here on a float does not hold every whole number.
_EXACT = 2**53
_INT64 = 2**63
_ROWS_AT_ONCE = 65_536


def make_column(values: Sequence[Any]) -> pd.Series:
    """Return Python values as a column of one type, or of objects where they differ.

    Parameters
    ----------
    values : sequence of object
        Values of one column; None where one is missing.

    Returns
    -------
    column : Series
        Whole numbers are integers (nullable where some are missing), or texts of digits
        where 64 bits do not hold them; dates are moments.
    """
    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    has_missing = any(value is None for value in plain)
    if Decimal in kinds and kinds <= {Decimal, int}:
        plain, kinds = _from_decimals(plain)
    if kinds == {int}:
        return _integers(plain, has_missing)
    if kinds == {str}:
        return _texts(pa.array(plain, pa.large_string()))
    if kinds == {bool}:
        return pd.Series(plain, dtype="boolean" if has_missing else bool)
    if kinds and kinds <= {int, float} and _all_exact(plain):
        floats = [math.nan if v is None else float(v) for v in plain]
        return pd.Series(floats, dtype="float64")
    if kinds and kinds <= {dt.datetime, dt.date}:
        return _moments(plain)
    return pd.Series(plain, dtype=object)


def _plain(value: Any) -> Any:
    """Return a value as one of few Python types."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in (str, int, bool, Decimal):
        return None if isinstance(value, Decimal) and value.is_nan() else value
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raw = bytes(value)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.hex()
    if isinstance(value, (dt.time, dt.timedelta)) or type(value).__name__ == "UUID":
        return str(value)
    return value


def _from_decimals(values: list[Any]) -> tuple[list[Any], set[type]]:
    """Return decimals as whole numbers where all are whole, else as floats."""
    given = [v for v in values if v is not None]
    kind: type = int if all(v == int(v) for v in given) else float
    return [None if v is None else kind(v) for v in values], {kind}


def _all_exact(values: Iterable[Any]) -> bool:
    """Return whether floats hold every whole number among some values."""
    return all(abs(v) < _EXACT for v in values if type(v) is int)


def _integers(values: list[Any], has_missing: bool) -> pd.Series:
    """Return whole numbers as integers, or as texts where 64 bits do not hold them."""
    if all(v is None or -_INT64 <= v < _INT64 for v in values):
        return pd.Series(values, dtype="Int64" if has_missing else "int64")
    texts = [None if v is None else str(v) for v in values]
    return _texts(pa.array(texts, pa.large_string()))


def _moments(values: list[Any]) -> pd.Series:
    """Return dates and moments as a column of moments, if all or none have a zone."""
    moments = [
        value
        if value is None or isinstance(value, dt.datetime)
        else dt.datetime.combine(value, dt.time())
        for value in values
    ]
    aware = {v.tzinfo is not None for v in moments if v is not None}
    if len(aware) > 1:
        return pd.Series(values, dtype=object)
    zone = "UTC" if aware == {True} else None
    array = pa.array(moments, pa.timestamp("us", tz=zone))
    series: pd.Series = pa.chunked_array([array]).to_pandas()
    return series


def _texts(column: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Return Arrow texts as a column of texts."""
    series: pd.Series = column.cast(pa.large_string()).to_pandas()
    return series


def arrow_columns(table: pa.Table) -> list[pd.Series]:
    """Return the columns of an Arrow table as columns of pandas.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of any type.

    Returns
    -------
    columns : list of Series
        Whole numbers with missing values are nullable integers, decimals that are whole
        are integers, dates are moments, dictionaries are their values.
    """
    return [_arrow_column(column) for column in table.columns]


def _arrow_column(column: pa.ChunkedArray) -> pd.Series:
    """Return one Arrow column."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        is_number = getattr(kind, "type_name", "") == "numeric"
        storage = pa.chunked_array(
            [chunk.storage for chunk in column.chunks], kind.storage_type
        )
        if not is_number:
            return _arrow_column(storage)
        texts = storage.to_pylist()
        return make_column([None if t is None else Decimal(t) for t in texts])
    if pa.types.is_dictionary(kind):
        return _arrow_column(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column)
    if pa.types.is_decimal(kind) or _is_odd(kind):
        return make_column(column.to_pylist())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _exact(column)
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    if pa.types.is_null(kind):
        return pd.Series([None] * len(column), dtype=object)
    series: pd.Series = column.to_pandas()
    return series


def _is_odd(kind: pa.DataType) -> bool:
    """Return whether values of a type are read one by one: bytes, times, views."""
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_time(kind)
        or types.is_duration(kind)
        or types.is_string_view(kind)
        or types.is_binary_view(kind)
    )


def _exact(column: pa.ChunkedArray) -> pd.Series:
    """Return whole numbers or flags without a detour through float or objects."""
    if not column.null_count:
        series: pd.Series = column.to_pandas()
        return series
    if pa.types.is_boolean(column.type):
        return pd.Series(column.to_pylist(), dtype="boolean")
    if pa.types.is_uint64(column.type):
        return pd.Series(column.to_pylist(), dtype="UInt64")
    whole: pd.Series = column.cast(pa.int64()).to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype()}.get
    )
    return whole


def digest_frame(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of the names and values of a frame.

    Parameters
    ----------
    frame : DataFrame
        Any frame; its index does not count.

    Returns
    -------
    digest : str
        64 hexadecimal digits; the same for equal values of equal types.
    """
    sha = hashlib.sha256(repr([str(name) for name in frame.columns]).encode())
    for k in range(frame.shape[1]):
        column = _hashable(frame.iloc[:, k])
        sha.update(str(column.type).encode())
        for start in range(0, len(column), _ROWS_AT_ONCE):
            part = column.slice(start, _ROWS_AT_ONCE)
            part = part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part
            missing = part.is_null()
            if part.null_count:
                part = part.drop_null()
            for array in (missing, part):
                batch = pa.record_batch([array], names=["0"])
                sha.update(batch.serialize())
    return sha.hexdigest()


def _hashable(column: pd.Series) -> pa.Array:
    """Return a column as Arrow, values of mixed types as their texts."""
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        texts = [None if v is None else f"{type(v).__name__} {v!r}" for v in column]
        array = pa.array(texts, pa.large_string())
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_string(array.type):
        array = pc.cast(array, pa.large_string())
    return array
