"""What a policy needs from the past: what is new, and releases in a row by trader."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.items import check_unique, join_by_key, with_item_numbers
from smartrisk.schema import KEY, TableInput
from smartrisk.selectivity._quotas import CONTROLS
from smartrisk.tables import read_table

#: Fields whose new values mark a new pattern of trade: who, from which sender, what,
#: from where.
_NOVELTY_FIELDS = ("importer_id", "consignor_id", "tariff_code", "origin")


def novelty(
    declarations: TableInput,
    past: TableInput,
    *,
    keys: Sequence[str] = _NOVELTY_FIELDS,
) -> NDArray[np.float64]:
    """Return how new the traders, goods and routes of items are.

    Use it as the column ``novelty`` of SCORES, to explore by it.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS to decide on; they do not count for each other.
    past : DataFrame
        DECLARATIONS lodged before.
    keys : sequence of str
        Fields that are compared; those that are absent are skipped.

    Returns
    -------
    novelty : ndarray of shape (n_items,)
        In (0, 1]; 1 where every value is new.

    Raises
    ------
    TableError
        If none of the keys is a column of both tables.

    Notes
    -----
    The mean over the keys of ``1 / sqrt(1 + n)``, with n earlier items of the same
    value: the width of a confidence bound shrinks with the root of what was seen.

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
    declarations = read_table("novelty", "'declarations'", declarations)
    past = read_table("novelty", "'past'", past)
    known = [name for name in keys if name in declarations and name in past]
    if not known:
        raise TableError(
            "selectivity.novelty_columns_absent",
            "novelty: none of the columns {keys} is in both tables; pass 'keys'.",
            keys=format_values(list(keys)),
        )
    total = np.zeros(len(declarations))
    for name in known:
        counts = past[name].value_counts()
        n = declarations[name].map(counts).fillna(0).to_numpy(np.float64)
        total += 1 / np.sqrt(1 + n)
    return total / len(known)


def releases_in_a_row(
    declarations: TableInput,
    past: TableInput,
    decisions: TableInput,
    *,
    by: str = "importer_id",
) -> NDArray[np.int64]:
    """Return how many items were released in a row before each item, by trader.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS to decide on; they do not count for each other.
    past : DataFrame
        DECLARATIONS lodged before.
    decisions : DataFrame
        DECISIONS on the past; an item without one counts as released.
    by : str, default="importer_id"
        Field of the declarations by which releases are counted.

    Returns
    -------
    releases : ndarray of int, shape (n_items,)
        Since the last control; 0 where the trader is new or missing.

    Raises
    ------
    TableError
        If the column is absent, or a key of the past or of the decisions is repeated.

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
    declarations = read_table("releases_in_a_row", "'declarations'", declarations)
    past = read_table("releases_in_a_row", "'past'", past)
    decisions = read_table("releases_in_a_row", "'decisions'", decisions)
    for name, frame in (("declarations", declarations), ("past", past)):
        if by not in frame:
            raise TableError(
                "selectivity.releases_column_absent",
                "releases_in_a_row: {table!r} lacks the column {column!r}. Add it, or "
                "count by another: by='declarant_id'.",
                table=name,
                column=by,
            )
    check_unique("releases_in_a_row", "'past'", with_item_numbers(past))
    joined = join_by_key(
        with_item_numbers(past)[[*KEY, by, "lodged_at"]],
        decisions,
        ["channel"],
        owner="releases_in_a_row",
        name="DECISIONS",
    )
    joined = joined[joined[by].notna()].sort_values(
        ["lodged_at", *KEY], kind="stable", ignore_index=True
    )
    controlled = joined["channel"].isin(CONTROLS)
    since = controlled.groupby(joined[by]).cumsum()
    last = since.groupby(joined[by]).transform("max")
    counts = joined.loc[(since == last) & ~controlled, by].value_counts()
    return np.asarray(declarations[by].map(counts).fillna(0), np.int64)
