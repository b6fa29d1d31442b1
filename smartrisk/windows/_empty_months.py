"""Months that have items but no result."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import are_among
from smartrisk.schema import TableInput
from smartrisk.tables import read_table
from smartrisk.windows._moments import (
    Moment,
    date_results,
    read_lodgements,
    read_moment,
    without_zone,
)

#: A month is reported when chance alone would leave it without a result less often than
#: this. Ten years are 120 months, so a sound table raises a false alarm in about one
#: case of 80.
_RARE = 1e-4


def unlabelled_months(
    declarations: TableInput,
    outcomes: TableInput,
    *,
    until: Moment | None = None,
    label_delay: int = 30,
) -> pd.DataFrame:
    """Find months that have items but no result, where results are to be expected.

    Such a month is a gap in the results, or the place where they stop before the items
    do (label truncation). The last months count as a gap only as far as their results
    had time to arrive.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Items, and the results of those inspected.
    until : Timestamp, date or str, default=None
        When both tables were extracted; None for the last lodgement.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.

    Returns
    -------
    months : DataFrame
        Columns ``month`` (its first day), ``n_items`` and ``n_expected`` (results that
        chance would give it on average); empty when there is no such month, and when
        there is no result at all.

    Notes
    -----
    An item lodged ``a`` days before the end of the extract has a result by then with
    probability ``s * F(a)``: ``F`` is the share of the results that became known
    within ``a`` days of lodgement, and ``s`` the share of items inspected,
    ``n_results / sum(F(a))`` over the months up to the last one with a result. A month
    is reported when the product of ``1 - s * F(a)`` over its items is below 0.0001:
    chance leaves a month without any result less often than that.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import unlabelled_months
    >>> world = make_declarations(500, random_state=0)
    >>> len(unlabelled_months(world.declarations, world.outcomes))
    0
    """
    declarations = read_table("unlabelled_months", "'declarations'", declarations)
    outcomes = read_table("unlabelled_months", "'outcomes'", outcomes)
    lodged = read_lodgements("unlabelled_months", declarations)
    own_results = outcomes[are_among(outcomes, declarations)]
    dated = date_results("unlabelled_months", own_results, declarations, label_delay)
    own = dated.rows >= 0
    labelled = np.zeros(len(lodged), bool)
    labelled[dated.rows[own]] = True
    delays = (dated.known[own] - dated.lodged[own]) / np.timedelta64(1, "D")
    return months_without_results(lodged, labelled, delays=delays, until=until)


def months_without_results(
    lodged: pd.Series,
    labelled: NDArray[np.bool_],
    *,
    delays: NDArray[np.float64] | None = None,
    until: Moment | None = None,
) -> pd.DataFrame:
    """Find months that have items but none with a result, by dates and flags alone.

    Parameters
    ----------
    lodged : Series of datetime64, shape (n_items,)
        When each item was lodged.
    labelled : ndarray of bool, shape (n_items,)
        Whether its result is known.
    delays : ndarray of float, shape (n_results,), default=None
        Days from lodgement to the result of the items that have one; None when results
        are known at once.
    until : Timestamp, date or str, default=None
        When the items and results were extracted; None for the last lodgement.

    Returns
    -------
    months : DataFrame
        As from `unlabelled_months`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.windows import months_without_results
    >>> lodged = pd.Series(pd.date_range("2024-01-01", periods=366))
    >>> february = (lodged.dt.month == 2).to_numpy()
    >>> months_without_results(lodged, ~february)["n_items"].tolist()
    [29]
    """
    lodged = without_zone(lodged)
    if until is None:
        until = lodged.max()
    end = read_moment("months_without_results", "until", until)
    age = (end - lodged).dt.total_seconds().to_numpy(np.float64) / 86_400.0
    table = pd.DataFrame(
        {
            "month": lodged.to_numpy().astype("datetime64[M]").astype("datetime64[us]"),
            "labelled": labelled,
            "ready": _share_known(age, delays),
        }
    )
    months = table.groupby("month")["labelled"].agg(["size", "sum"])
    last = months.index[months["sum"] > 0].max()
    ready = table["ready"].where(table["month"] <= last, 0.0).sum()
    share = min(months["sum"].sum() / ready, 1.0) if ready else 0.0
    table["expected"] = share * table["ready"]
    with np.errstate(divide="ignore"):  # where every item is inspected: log of 0
        table["chance"] = np.log1p(-table["expected"])
    months = months.join(table.groupby("month")[["expected", "chance"]].sum())
    odd = (months["sum"] == 0) & (months["chance"] < np.log(_RARE))
    names = {"size": "n_items", "expected": "n_expected"}
    empty: pd.DataFrame = months[odd].reset_index().rename(columns=names)
    return empty[["month", *names.values()]]


def _share_known(
    age: NDArray[np.float64], delays: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the share of results known within a number of days of lodgement."""
    if delays is None or not len(delays):
        return (age >= 0).astype(np.float64)
    known = np.searchsorted(np.sort(delays), age, side="right")
    return np.asarray(known / len(delays))
