"""What an item is: its key, its 64-bit id, and when its result is known.

Reads the tables that carry the key (`declaration_id`, `item_number`); writes ids,
positions, joined tables, days and amounts. Every package that matches rows of two
tables, or needs the day on which a result was known, uses this module.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import TableError, check_choice, format_values
from smartrisk.schema import KEY

__all__ = [
    "GOLDEN",
    "UInt",
    "are_among",
    "check_unique",
    "clean_amounts",
    "document_hashes",
    "item_ids",
    "item_keys",
    "item_numbers",
    "join_by_key",
    "mix",
    "mix_one",
    "moments_known",
    "positions_of",
    "scramble",
    "text_ids",
    "with_item_numbers",
]

UInt = NDArray[np.uint64]

#: 2**64 over the golden ratio, odd: its multiples spread evenly over all 64-bit
#: numbers, so that consecutive inputs differ in every bit (Steele et al. 2014).
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
#: The multipliers of SplitMix64's finaliser ("variant 13", found by search for the
#: best avalanche; Stafford 2011).
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1


def scramble(values: UInt) -> UInt:
    """Return 64-bit numbers in which every bit depends on every bit of the input.

    Parameters
    ----------
    values : ndarray of uint64
        Numbers; distinct ones stay distinct, and 0 stays 0.

    Returns
    -------
    numbers : ndarray of uint64
        The finaliser of SplitMix64 of each.

    References
    ----------
    Steele, G. L., Lea, D., Flood, C. H. (2014). Fast splittable pseudorandom number
    generators. OOPSLA.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import scramble
    >>> scramble(np.array([0, 1, 2], np.uint64)).tolist()
    [0, 6238072747940578789, 15839785061582574730]
    """
    with np.errstate(over="ignore"):
        z = (values ^ (values >> np.uint64(30))) * _FIRST
        z = (z ^ (z >> np.uint64(27))) * _SECOND
    return np.asarray(z ^ (z >> np.uint64(31)))


def mix(values: UInt) -> UInt:
    """Return one step of SplitMix64 from each number: `scramble` of the next state.

    Parameters
    ----------
    values : ndarray of uint64
        Numbers, such as ids.

    Returns
    -------
    numbers : ndarray of uint64
        Numbers to use as ids; distinct where the input is distinct.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import mix
    >>> int(mix(np.array([0], np.uint64))[0]) == 0xE220A8397B1DCDAF
    True
    """
    with np.errstate(over="ignore"):
        return scramble(values + GOLDEN)


def mix_one(value: int) -> int:
    """Return `mix` of a single number in plain integers.

    Parameters
    ----------
    value : int
        A number; only its lowest 64 bits count.

    Returns
    -------
    number : int
        What `mix` gives: an array operation on one number costs more than this.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import mix, mix_one
    >>> mix_one(7) == int(mix(np.array([7], np.uint64))[0])
    True
    """
    z = (value + int(GOLDEN)) & _MASK
    z = ((z ^ (z >> 30)) * int(_FIRST)) & _MASK
    z = ((z ^ (z >> 27)) * int(_SECOND)) & _MASK
    return z ^ (z >> 31)


def text_ids(values: ArrayLike | Sequence[Any]) -> UInt:
    """Return a 64-bit number for each text.

    Parameters
    ----------
    values : array-like of object, shape (n_values,)
        Texts; anything else counts as its `str`.

    Returns
    -------
    ids : ndarray of uint64, shape (n_values,)
        The first 64 bits of a BLAKE2b digest: the same on every machine.

    Examples
    --------
    >>> from smartrisk.items import text_ids
    >>> bool(text_ids(["BR"])[0] == text_ids(["VN", "BR"])[1])
    True
    """
    texts = np.asarray(values, dtype=object)  # Arrow text is slow to iterate over
    digests = [blake2b(str(v).encode(), digest_size=8).digest() for v in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def item_ids(frame: pd.DataFrame) -> UInt:
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
    with np.errstate(over="ignore"):
        return mix(document_hashes(frame) + item_numbers(frame))


def document_hashes(frame: pd.DataFrame) -> UInt:
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


def item_numbers(frame: pd.DataFrame) -> UInt:
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


def with_item_numbers(frame: pd.DataFrame) -> pd.DataFrame:
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
    return frame if "item_number" in frame else frame.assign(item_number=1)


def item_keys(frame: pd.DataFrame) -> pd.DataFrame:
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
    return with_item_numbers(frame)[list(KEY)]


def check_unique(owner: str, name: str, frame: pd.DataFrame) -> None:
    """Raise when two rows of a table have the same key.

    Parameters
    ----------
    owner : str
        Name of the calling function or class, for error messages.
    name : str
        Name of the table or argument, for error messages.
    frame : DataFrame
        A table whose rows are items.

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
    _check_unique_ids(owner, name, frame, pd.Index(item_ids(frame)))


def _check_unique_ids(
    owner: str, name: str, frame: pd.DataFrame, index: pd.Index
) -> None:
    """Raise when an index of item ids repeats one; `frame` gives the keys to report."""
    if index.is_unique:
        return
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
    items: pd.DataFrame | UInt,
    table: pd.DataFrame,
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
    index = pd.Index(item_ids(table) if table_ids is None else table_ids)
    _check_unique_ids(owner, name, table, index)
    ids = item_ids(items) if isinstance(items, pd.DataFrame) else items
    return np.asarray(index.get_indexer(pd.Index(ids)), np.intp)


def are_among(
    items: pd.DataFrame | UInt, table: pd.DataFrame | UInt
) -> NDArray[np.bool_]:
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
    wanted = item_ids(items) if isinstance(items, pd.DataFrame) else items
    present = item_ids(table) if isinstance(table, pd.DataFrame) else table
    return np.asarray(pd.Index(wanted).isin(present))


def join_by_key(
    items: pd.DataFrame,
    table: pd.DataFrame,
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
    return pd.concat([rest, found], axis=1)


def moments_known(
    lodged: NDArray[np.datetime64],
    known_at: NDArray[np.datetime64] | None,
    label_delay: int,
) -> NDArray[np.datetime64]:
    """Return when each result was known: the one rule of the library.

    Parameters
    ----------
    lodged : ndarray of datetime64, shape (n_results,)
        When the item of each result was lodged; NaT where there is no such item.
    known_at : ndarray of datetime64, shape (n_results,), or None
        When the result was known, as the administration recorded it; NaT where it did
        not, None where it never does.
    label_delay : int
        Days from lodgement to the result where `known_at` is missing.

    Returns
    -------
    moments : ndarray of datetime64, shape (n_results,)
        `known_at` where there is one, but never before lodgement; else lodgement plus
        the delay. NaT where nothing is known about the result or its item.

    Notes
    -----
    A result dated before lodgement is a data-entry error. Moved to the moment of
    lodgement, it counts for no item that was lodged before the controlled one.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.items import moments_known
    >>> lodged = np.array(["2024-03-01"] * 3, "datetime64[D]")
    >>> known_at = np.array(["2024-03-09", "2024-02-01", "NaT"], "datetime64[D]")
    >>> [str(day) for day in moments_known(lodged, known_at, 30)]
    ['2024-03-09', '2024-03-01', '2024-03-31']
    """
    usual = lodged + np.timedelta64(label_delay, "D")
    if known_at is None:
        return np.asarray(usual)
    lifted = np.fmax(known_at, lodged)  # fmax ignores NaT, maximum would return it
    return np.asarray(np.where(np.isnat(known_at), usual, lifted))


def clean_amounts(values: pd.Series | ArrayLike) -> NDArray[np.float64]:
    """Return amounts of money as plain numbers: missing and negative ones are 0.

    Parameters
    ----------
    values : Series or array-like of float, shape (n_items,)
        Amounts in national currency, such as `revenue_adjustment`.

    Returns
    -------
    amounts : ndarray of float64, shape (n_items,)
        Not negative, never missing.

    Notes
    -----
    A negative adjustment is a refund. It is not revenue of the control, and counting
    it would let one large refund hide many hits; validation flags it as
    `dq_negative_adjustment`.

    Examples
    --------
    >>> from smartrisk.items import clean_amounts
    >>> clean_amounts([120.0, float("nan"), -5.0]).tolist()
    [120.0, 0.0, 0.0]
    """
    if isinstance(values, pd.Series):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = np.asarray(values, np.float64)
    return np.asarray(np.maximum(np.nan_to_num(numbers, nan=0.0), 0.0))
