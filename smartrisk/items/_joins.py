"""Rows of two tables matched by key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, check_choice, format_values
from smartrisk.items._hashes import UInt
from smartrisk.items._keys import item_ids
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table


def check_unique(
    owner: str, name: str, frame: TableInput, *, ids: UInt | None = None
) -> None:
    """Raise when two rows of a table have the same key.

    Parameters
    ----------
    owner : str
        Name of the calling function or class, for error messages.
    name : str
        Name of the table or argument, for error messages.
    frame : DataFrame
        A table whose rows are items.
    ids : ndarray of uint64, default=None
        What `item_ids` returned for the table, where it is known already.

    Raises
    ------
    TableError
        If a key appears twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import check_unique
    >>> check_unique("demo", "SCORES", pd.DataFrame({"declaration_id": ["A", "B"]}))
    """
    frame = read_table("check_unique", "'frame'", frame)
    ids = item_ids(frame) if ids is None else ids
    # In millions of ids a table of hashes misses the cache with each of them.
    ordered = np.sort(ids)
    if (ordered[1:] == ordered[:-1]).any():
        _raise_repeated(owner, name, frame, pd.Index(ids))


def _raise_repeated(
    owner: str, name: str, frame: pd.DataFrame, index: pd.Index
) -> None:
    """Raise since item ids are repeated; `frame` gives the keys to report."""
    repeated = index.duplicated()
    names = frame["declaration_id"].to_numpy(dtype=object)[repeated]
    raise TableError(
        "items.keys_repeated",
        "{owner}: {name} repeats the key (declaration_id, item_number) of "
        "{n_repeated} rows, such as {examples}. Keep one row per item.",
        owner=owner,
        name=name,
        n_repeated=int(repeated.sum()),
        examples=format_values(dict.fromkeys(names.tolist())),
    )


def positions_of(
    items: TableInput | UInt,
    table: TableInput,
    *,
    table_ids: UInt | None = None,
    owner: str = "positions_of",
    name: str = "the table",
) -> NDArray[np.intp]:
    """Return the position of each item in a table, matched by key.

    Parameters
    ----------
    items : DataFrame or ndarray of uint64, shape (n_items,)
        Items to look for, in any order, or their `item_ids`.
    table : DataFrame
        Where to look; each key at most once.
    table_ids : ndarray of uint64, shape (n_rows,), default=None
        `item_ids` of the table, where they are already computed.
    owner, name : str, default="positions_of", "the table"
        Names of the calling function and of its table, for error messages.

    Returns
    -------
    positions : ndarray of int, shape (n_items,)
        Row of `table` by position (for `iloc`, `take`), -1 where it has no such item.

    Raises
    ------
    TableError
        If a key appears twice in the table.

    See Also
    --------
    join_by_key : Take columns of the table along.
    are_among : Return only whether the table has the items; it may repeat keys.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import positions_of
    >>> scores = pd.DataFrame({"declaration_id": ["A", "B"], "risk_score": [0.1, 0.9]})
    >>> positions_of(pd.DataFrame({"declaration_id": ["B", "C"]}), scores).tolist()
    [1, -1]
    """
    table = read_table("positions_of", "'table'", table)
    index = pd.Index(item_ids(table) if table_ids is None else table_ids)
    if not index.is_unique:
        _raise_repeated(owner, name, table, index)
    ids = items if isinstance(items, np.ndarray) else item_ids(items)
    return np.asarray(index.get_indexer(pd.Index(ids)), np.intp)


def are_among(items: TableInput | UInt, table: TableInput | UInt) -> NDArray[np.bool_]:
    """Return which items are in a table, matched by key.

    Parameters
    ----------
    items : DataFrame or ndarray of uint64, shape (n_items,)
        Items to look for, or their `item_ids`.
    table : DataFrame or ndarray of uint64
        Where to look, or the ids of its items; keys may appear several times.

    Returns
    -------
    present : ndarray of bool, shape (n_items,)
        True where the table has the item.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import are_among
    >>> past = pd.DataFrame({"declaration_id": ["A", "B"]})
    >>> are_among(pd.DataFrame({"declaration_id": ["B", "C"]}), past).tolist()
    [True, False]
    """
    wanted = items if isinstance(items, np.ndarray) else item_ids(items)
    present = table if isinstance(table, np.ndarray) else item_ids(table)
    return np.asarray(pd.Index(wanted).isin(present))


def join_by_key(
    items: TableInput,
    table: TableInput,
    columns: Sequence[Hashable] | None = None,
    *,
    how: str = "left",
    owner: str = "join_by_key",
    name: str = "the table",
) -> pd.DataFrame:
    """Return items with columns of a table added, matched by key.

    Parameters
    ----------
    items : DataFrame
        Rows to keep, in their order; a key may appear several times.
    table : DataFrame
        Where the columns come from; each key at most once.
    columns : sequence of str, default=None
        Columns of `table` to add; those that `items` has too are replaced. None for
        all that `items` lacks.
    how : {"left", "inner"}, default="left"
        "left" keeps every item, missing values where the table lacks it; "inner"
        keeps the items that the table has.
    owner, name : str, default="join_by_key", "the table"
        Names of the calling function and of its table, for error messages.

    Returns
    -------
    joined : DataFrame
        With the index of `items`.

    Raises
    ------
    TableError
        If a key appears twice in the table.

    Notes
    -----
    Whole numbers become floats and flags become objects where a value is missing, as
    in `pandas.DataFrame.merge`.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import join_by_key
    >>> items = pd.DataFrame({"declaration_id": ["A", "B"]})
    >>> results = pd.DataFrame({"declaration_id": ["B"], "illicit": [1]})
    >>> join_by_key(items, results)["illicit"].tolist()
    [nan, 1.0]
    >>> join_by_key(items, results, how="inner")
      declaration_id  illicit
    1              B        1
    """
    items = read_table("join_by_key", "'items'", items)
    table = read_table("join_by_key", "'table'", table)
    check_choice(owner, "how", how, ("left", "inner"))
    place = positions_of(items, table, owner=owner, name=name)
    if how == "inner":
        items, place = items[place >= 0], place[place >= 0]
    if columns is None:
        columns = [c for c in table if c not in items and c not in KEY]
    # Position -1 is not a label of a fresh index, so it becomes missing.
    found = table[list(columns)].reset_index(drop=True).reindex(place)
    found.index = items.index
    rest = items.drop(columns=[c for c in columns if c in items])
    joined = pd.concat([rest, found], axis=1)
    joined.attrs = items.attrs  # such as the mark of `mark_learned`
    return joined
