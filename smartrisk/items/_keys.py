"""The key of an item, and its 64-bit id."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import TableError, format_values
from smartrisk.items._hashes import UInt, mix
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table


def item_ids(frame: TableInput) -> UInt:
    """Return a 64-bit number for the key of every item.

    Parameters
    ----------
    frame : DataFrame
        With `declaration_id` and, where there is one, `item_number` (1 when absent).

    Returns
    -------
    ids : ndarray of uint64, shape (n_items,)
        The same on every machine.

    Notes
    -----
    Two of n distinct keys share an id with a probability of about ``n**2 / 2**65``:
    one in 370,000 for ten million items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import item_ids
    >>> frame = pd.DataFrame({"declaration_id": ["A", "A"], "item_number": [1, 2]})
    >>> len(set(item_ids(frame)))
    2
    """
    frame = read_table("item_ids", "'frame'", frame)
    with np.errstate(over="ignore"):
        return mix(document_hashes(frame) + item_numbers(frame))


def document_hashes(frame: TableInput) -> UInt:
    """Return a 64-bit number for the `declaration_id` of every item.

    Parameters
    ----------
    frame : DataFrame
        With `declaration_id`: texts or whole numbers. A whole number counts as its
        digits, also where a missing value made it a float: 101, 101.0 and "101" are
        one document.

    Returns
    -------
    hashes : ndarray of uint64, shape (n_items,)
        The same on every machine.

    Raises
    ------
    TableError
        If the column is absent, or holds numbers with a fraction.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import document_hashes
    >>> whole = document_hashes(pd.DataFrame({"declaration_id": [101, 102]}))
    >>> gap = document_hashes(pd.DataFrame({"declaration_id": [101, None]}))
    >>> bool(whole[0] == gap[0])
    True
    """
    frame = read_table("document_hashes", "'frame'", frame)
    if "declaration_id" not in frame:
        raise TableError(
            "items.no_declaration_id",
            "the column 'declaration_id' is absent; the table has {columns}. Rename "
            "your column, or validate the table with a ColumnMap.",
            columns=format_values([str(name) for name in frame.columns]),
        )
    column = frame["declaration_id"]
    names = np.asarray(column, dtype=object)
    if column.dtype == object or column.dtype.kind not in "iuOUT":
        # Texts and integers are common and quick to recognise; floats are neither.
        kind = pd.api.types.infer_dtype(names, skipna=True)
        if kind not in ("string", "integer", "empty"):
            names = np.array([_whole_number(name) for name in names], dtype=object)
    return np.asarray(pd.util.hash_array(names, categorize=False))  # few repeat


def _whole_number(name: Any) -> Any:
    """Return a float that is whole as an integer, anything else as it is."""
    if not isinstance(name, (float, np.floating)) or np.isnan(name):
        return name
    if not float(name).is_integer():
        raise TableError(
            "items.fractional_declaration_id",
            "'declaration_id' holds {number!r}, which is no identifier. Read the "
            "column as text.",
            number=float(name),
        )
    return int(name)


def item_numbers(frame: TableInput) -> UInt:
    """Return the `item_number` of every item, 1 where the column is absent.

    Parameters
    ----------
    frame : DataFrame
        A table whose rows are items.

    Returns
    -------
    numbers : ndarray of uint64, shape (n_items,)
        Ready to be mixed into an id.

    Raises
    ------
    TableError
        If a number is missing or has a fraction: it would match another item.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import item_numbers
    >>> item_numbers(pd.DataFrame({"declaration_id": ["A", "B"]})).tolist()
    [1, 1]
    """
    frame = read_table("item_numbers", "'frame'", frame)
    if "item_number" not in frame:
        return np.ones(len(frame), np.uint64)
    column = frame["item_number"]
    if column.dtype.kind not in "iu" or column.isna().any():
        numbers = pd.to_numeric(column, errors="coerce").astype("Float64")
        odd = (numbers.isna() | (numbers % 1 != 0)).fillna(True).to_numpy(bool)
        if odd.any():
            raise TableError(
                "items.item_number_not_whole",
                "'item_number' is missing or not a whole number in {n_rows} rows, such "
                "as {examples}. Number the items of each document from 1, or leave "
                "the column out where documents have one item.",
                n_rows=int(odd.sum()),
                examples=format_values(column[odd].tolist()),
            )
        column = numbers
    return np.asarray(column.to_numpy(np.int64)).view(np.uint64)


def with_item_numbers(frame: TableInput) -> pd.DataFrame:
    """Return the frame with an `item_number`: 1 where the column is absent.

    Parameters
    ----------
    frame : DataFrame
        A table whose rows are items.

    Returns
    -------
    frame : DataFrame
        The same object when it has item numbers, else a copy with them.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import with_item_numbers
    >>> with_item_numbers(pd.DataFrame({"declaration_id": ["A"]}))["item_number"][0]
    np.int64(1)
    """
    frame = read_table("with_item_numbers", "'frame'", frame)
    return frame if "item_number" in frame else frame.assign(item_number=1)


def item_keys(frame: TableInput) -> pd.DataFrame:
    """Return the two columns of the key, with `item_number` 1 where it is absent.

    Parameters
    ----------
    frame : DataFrame
        A table whose rows are items.

    Returns
    -------
    keys : DataFrame
        Columns `declaration_id` and `item_number`, with the index of `frame`.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import item_keys
    >>> item_keys(pd.DataFrame({"declaration_id": ["A"], "origin": ["BR"]}))
      declaration_id  item_number
    0              A            1
    """
    frame = read_table("item_keys", "'frame'", frame)
    return with_item_numbers(frame)[list(KEY)]
