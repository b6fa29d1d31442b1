"""Tables of any library as frames of pandas.

Functions take frames of pandas, and tables of every library that exports Arrow (Polars,
PyArrow, DuckDB), without needing that library; they return frames of pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from smartrisk.errors import TableError

if TYPE_CHECKING:
    from smartrisk.schema import TableInput

__all__ = ["is_foreign_table", "read_table", "to_pandas"]


def is_foreign_table(table: object) -> bool:
    """Return whether an object is a table of another library than pandas.

    Parameters
    ----------
    table : object
        Anything.

    Returns
    -------
    answer : bool
        True for what exports Arrow and has named columns.

    Examples
    --------
    >>> import pyarrow
    >>> from smartrisk.tables import is_foreign_table
    >>> is_foreign_table(pyarrow.table({"illicit": [1]})), is_foreign_table([1])
    (True, False)
    """
    if isinstance(table, (pd.DataFrame, pd.Series)):
        return False
    # A column of Polars or PyArrow exports Arrow too, but has no names of columns.
    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    return names is not None and hasattr(table, "__arrow_c_stream__")


@overload
def read_table(  # numpydoc ignore=GL08
    owner: str, name: str, table: TableInput
) -> pd.DataFrame: ...
@overload
def read_table(  # numpydoc ignore=GL08
    owner: str, name: str, table: TableInput | None
) -> pd.DataFrame | None: ...
def read_table(owner: str, name: str, table: TableInput | None) -> pd.DataFrame | None:
    """Return a table as a frame of pandas, or raise where it is none.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the error message.
    name : str
        Name of the table in the error message.
    table : DataFrame, Arrow table or mapping of columns, or None
        A frame of pandas is returned as it is. None stays None.

    Returns
    -------
    frame : DataFrame or None
        Flags and whole numbers with missing values are of nullable types, dates are
        moments.

    Raises
    ------
    TableError
        If the argument is no table.

    Examples
    --------
    >>> import pyarrow
    >>> from smartrisk.tables import read_table
    >>> read_table("evaluate", "'outcomes'", pyarrow.table({"illicit": [1]}))
       illicit
    0        1
    """
    if table is None or isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return _read_arrow(owner, name, table)
    if isinstance(table, Mapping):
        try:
            return pd.DataFrame(dict(table))
        except ValueError as error:
            raise TableError(
                "tables.mapping_not_a_table",
                "{owner}: the mapping of columns that was passed as {table} is not a "
                "table: {problem}.",
                owner=owner,
                table=name,
                problem=str(error),
            ) from error
    raise _not_a_table(owner, name, table)


def to_pandas(table: Any) -> Any:
    """Return a table of another library as a frame of pandas, and others as they are.

    For arguments that may also hold arrays, series or fitted objects.

    Parameters
    ----------
    table : object
        Anything.

    Returns
    -------
    table : object
        A frame of pandas for a table of another library, else the argument itself.

    Examples
    --------
    >>> import pyarrow
    >>> from smartrisk.tables import to_pandas
    >>> to_pandas([1]), to_pandas(pyarrow.table({"illicit": [1]})).shape
    ([1], (1, 1))
    """
    return _read_arrow("", "", table) if is_foreign_table(table) else table


def _read_arrow(owner: str, name: str, table: Any) -> pd.DataFrame:
    """Return what exports Arrow as a frame."""
    import pyarrow

    try:
        arrow = pyarrow.table(table)
    except (TypeError, pyarrow.ArrowInvalid) as error:
        raise _not_a_table(owner, name, table) from error
    frame: pd.DataFrame = arrow.to_pandas(date_as_object=False)
    for k, column in enumerate(arrow.columns):
        if pyarrow.types.is_boolean(column.type) and column.null_count:
            # Objects otherwise, which compare as no flag does.
            frame.isetitem(k, frame.iloc[:, k].astype("boolean").array)
        elif pyarrow.types.is_integer(column.type) and column.null_count:
            # Floats otherwise, which cannot hold every identifier.
            is_signed = pyarrow.types.is_signed_integer(column.type)
            wide = column.cast("int64" if is_signed else "uint64")
            dtype: Any = pd.Int64Dtype() if is_signed else pd.UInt64Dtype()
            frame.isetitem(k, dtype.__from_arrow__(wide))
    return frame


def _not_a_table(owner: str, name: str, table: object) -> TableError:
    """Return the error for what is no table."""
    return TableError(
        "tables.not_a_table",
        "{owner}: {table} must be a data frame of pandas, a table that exports Arrow "
        "(Polars, PyArrow), or a mapping of columns; got {type_name}.",
        owner=owner,
        table=name,
        type_name=type(table).__name__,
    )
