"""What a policy must know of the past: what is new, who was released how often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.schema import KEY

_NEW = ("importer_id", "consignor_id", "tariff_code", "origin")


def novelty(
    declarations: pd.DataFrame, past: pd.DataFrame, *, keys: Sequence[str] = _NEW
) -> NDArray[np.float64]:
    """Return how new the traders, goods and routes of items are.

    Use it as the column ``novelty`` of SCORES, to explore by it.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS to decide on; they do not see each other.
    past : DataFrame
        DECLARATIONS lodged before.
    keys : sequence of str
        Fields that are looked at; those that are absent are passed over.

    Returns
    -------
    novelty : ndarray of shape (n_items,)
        In (0, 1]: the mean over the keys of ``1 / sqrt(1 + n)``, n earlier items with
        the same value; 1 where all is new.

    Raises
    ------
    TableError
        If none of the keys is there.

    References
    ----------
    Auer, P., Cesa-Bianchi, N., Fischer, P. (2002). Finite-time analysis of the
    multiarmed bandit problem. Machine Learning 47.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import novelty
    >>> past = pd.DataFrame({"importer_id": ["a", "a", "a"]})
    >>> novelty(pd.DataFrame({"importer_id": ["a", "b"]}), past).tolist()
    [0.5, 1.0]
    """
    known = [name for name in keys if name in declarations and name in past]
    if not known:
        raise TableError(
            "selectivity.none_columns_there",
            "novelty: none of the columns {keys} is there.",
            keys=format_values(list(keys)),
        )
    total = np.zeros(len(declarations))
    for name in known:
        counts = past[name].value_counts()
        n = declarations[name].map(counts).fillna(0).to_numpy(np.float64)
        total += 1 / np.sqrt(1 + n)
    return total / len(known)


def releases_in_a_row(
    declarations: pd.DataFrame,
    past: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    by: str = "importer_id",
) -> NDArray[np.int64]:
    """Return how many items were released in a row before each item, by trader.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS to decide on; they do not see each other.
    past : DataFrame
        DECLARATIONS lodged before.
    decisions : DataFrame
        DECISIONS on these; an item without one counts as released.
    by : str, default="importer_id"
        Whose releases are counted: a field of the declarations.

    Returns
    -------
    releases : ndarray of int, shape (n_items,)
        Since the last control; 0 for who is new or not known.

    Raises
    ------
    TableError
        If the column is absent.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import releases_in_a_row
    >>> past = pd.DataFrame({"declaration_id": list("abc"), "item_number": 1,
    ...                      "lodged_at": pd.date_range("2026-01-01", periods=3),
    ...                      "importer_id": ["X", "X", "X"]})
    >>> decisions = past[["declaration_id", "item_number"]].assign(
    ...     channel=["red", "green", "green"])
    >>> releases_in_a_row(past.head(1), past, decisions).tolist()
    [2]
    """
    for name, frame in (("declarations", declarations), ("past", past)):
        if by not in frame:
            raise TableError(
                "selectivity.lacks_column",
                "releases_in_a_row: {name!r} lacks the column {by!r}.",
                name=name,
                by=by,
            )
    keys = [k for k in KEY if k in past and k in decisions]
    joined = past[[*keys, by, "lodged_at"]].merge(
        decisions[[*keys, "channel"]], on=keys, how="left"
    )
    joined = joined[joined[by].notna()].sort_values(
        ["lodged_at", *keys], kind="stable", ignore_index=True
    )
    looked = joined["channel"].isin(["red", "yellow"])
    since = looked.groupby(joined[by]).cumsum()
    last = since.groupby(joined[by]).transform("max")
    counts = joined.loc[(since == last) & ~looked, by].value_counts()
    return np.asarray(declarations[by].map(counts).fillna(0), np.int64)
