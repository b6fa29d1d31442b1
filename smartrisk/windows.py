"""Moments and windows: what was known when, and splits that respect it.

Reads DECLARATIONS and OUTCOMES; writes the parts of them that a moment allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, format_values

__all__ = [
    "GOODS_LINE",
    "Split",
    "as_of",
    "known_at",
    "months_without",
    "rolling_origin",
    "seen_before",
    "time_split",
    "unlabelled_months",
]

#: What makes two items the same goods line.
GOODS_LINE = (
    "tariff_code",
    "departure",
    "origin",
    "duty_rate",
    "preference",
    "net_mass_kg",
)
#: A month is odd when chance leaves it without a result this seldom.
_SELDOM = 1e-4


@dataclass(frozen=True, kw_only=True)
class Split:
    """What may be learned from, and what is judged.

    Parameters
    ----------
    at : Timestamp
        The moment that parts them.
    past : DataFrame
        Items lodged before it.
    known : DataFrame
        Results of those items known before it, less the gap.
    later : DataFrame
        Items lodged from it on, up to the end of the fold.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import time_split
    >>> world = make_declarations(500, random_state=0)
    >>> split = time_split(world.declarations, world.outcomes, at="2024-01-01")
    >>> len(split.past) + len(split.later)
    500
    """

    at: pd.Timestamp
    past: pd.DataFrame
    known: pd.DataFrame
    later: pd.DataFrame


def known_at(
    outcomes: pd.DataFrame, declarations: pd.DataFrame, *, label_delay: int = 30
) -> pd.Series:
    """Return when each result was known.

    Parameters
    ----------
    outcomes : DataFrame
        OUTCOMES, with `known_at` where the administration keeps it.
    declarations : DataFrame
        DECLARATIONS that hold the items of the outcomes.
    label_delay : int, default=30
        Days after lodgement where `known_at` is missing.

    Returns
    -------
    moments : Series of datetime64
        Aligned with `outcomes`.

    Raises
    ------
    TableError
        If a result has neither a date nor an item.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import known_at
    >>> world = make_declarations(500, random_state=0)
    >>> bool(known_at(world.outcomes, world.declarations).notna().all())
    True
    """
    check_number("known_at", "label_delay", label_delay, low=0, integer=True)
    keys = _keys(outcomes)
    lodged = declarations.set_index(_keys(declarations))["lodged_at"]
    delay = pd.Timedelta(days=label_delay)
    guess = pd.Series(lodged.reindex(keys).to_numpy() + delay, index=outcomes.index)
    given = outcomes.get("known_at")
    moments = guess if given is None else given.fillna(guess)
    lost = int(moments.isna().sum())
    if lost:
        raise TableError(
            "windows.results_neither_known_at_nor",
            "known_at: {lost} results have neither 'known_at' nor an item in "
            "DECLARATIONS. Pass their items.",
            lost=lost,
        )
    return moments


def as_of(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    moment: Any,
    *,
    label_delay: int = 30,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the items lodged, and the results known, before a moment.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Everything.
    moment : Timestamp or str
        Strictly before it.
    label_delay : int, default=30
        Days after lodgement where `known_at` is missing.

    Returns
    -------
    past, known : DataFrame
        Items, and results of these items.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import as_of
    >>> world = make_declarations(500, random_state=0)
    >>> past, known = as_of(world.declarations, world.outcomes, "2024-01-01")
    >>> bool((known["known_at"] < "2024-01-01").all())
    True
    """
    at = pd.Timestamp(moment)
    past = declarations[declarations["lodged_at"] < at]
    moments = known_at(outcomes, declarations, label_delay=label_delay)
    mine = _keys(outcomes).isin(_keys(past))
    return past, outcomes[mine & (moments < at).to_numpy()]


def time_split(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    at: Any = None,
    later_share: float = 0.25,
    label_delay: int = 30,
) -> Split:
    """Part items at a moment; only results known by then may be learned from.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Everything.
    at : Timestamp or str, default=None
        The moment; None for the day that leaves `later_share` of the items.
    later_share : float, default=0.25
        Share of the items to judge on.
    label_delay : int, default=30
        Days after lodgement where `known_at` is missing: the gap between the last
        item that can have a label and the first that is judged.

    Returns
    -------
    split : Split
        Past, known and later.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import time_split
    >>> world = make_declarations(500, random_state=0)
    >>> split = time_split(world.declarations, world.outcomes, later_share=0.2)
    >>> bool(split.past["lodged_at"].max() < split.at)
    True
    """
    check_number("time_split", "later_share", later_share, low=0.0, high=1.0)
    if at is None:
        days = declarations["lodged_at"].dt.normalize().sort_values()
        place = min(int(len(days) * (1 - later_share)), len(days) - 1)
        at = days.iloc[place]
    moment = pd.Timestamp(at)
    past, known = as_of(declarations, outcomes, moment, label_delay=label_delay)
    later = declarations[declarations["lodged_at"] >= moment]
    return Split(at=moment, past=past, known=known, later=later)


def rolling_origin(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    n_folds: int = 5,
    months: int = 1,
    label_delay: int = 30,
) -> Iterator[Split]:
    """Yield the last folds of some months each, every one with its own past.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Everything.
    n_folds : int, default=5
        Number of folds.
    months : int, default=1
        Calendar months judged per fold.
    label_delay : int, default=30
        Days after lodgement where `known_at` is missing.

    Yields
    ------
    split : Split
        In order of time.

    Raises
    ------
    ArgumentError
        If the items do not reach back far enough.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import rolling_origin
    >>> world = make_declarations(500, random_state=0)
    >>> folds = list(rolling_origin(world.declarations, world.outcomes, n_folds=3))
    >>> [str(fold.at.date()) for fold in folds]
    ['2024-10-01', '2024-11-01', '2024-12-01']
    """
    check_number("rolling_origin", "n_folds", n_folds, low=1, integer=True)
    check_number("rolling_origin", "months", months, low=1, integer=True)
    lodged = declarations["lodged_at"]
    end = lodged.max().to_period("M").to_timestamp() + pd.DateOffset(months=1)
    starts = [end - pd.DateOffset(months=months * k) for k in range(n_folds, 0, -1)]
    if starts[0] <= lodged.min():
        raise ArgumentError(
            "windows.folds_months_reach_back",
            "rolling_origin: {n_folds} folds of {months} months reach back "
            "before the first item ({value:%Y-%m-%d}). Ask for fewer.",
            n_folds=n_folds,
            months=months,
            value=lodged.min(),
        )
    for start in starts:
        stop = start + pd.DateOffset(months=months)
        past, known = as_of(declarations, outcomes, start, label_delay=label_delay)
        later = declarations[(lodged >= start) & (lodged < stop)]
        yield Split(at=pd.Timestamp(start), past=past, known=known, later=later)


def seen_before(
    later: pd.DataFrame, past: pd.DataFrame, *, columns: Sequence[str] = GOODS_LINE
) -> pd.Series:
    """Tell which items repeat an earlier one in what makes a goods line.

    Results on repeated lines say how well a model remembers, those on new lines how
    well it generalises: report them apart.

    Parameters
    ----------
    later, past : DataFrame
        DECLARATIONS to judge on, and those learned from.
    columns : sequence of str, default=GOODS_LINE
        What must be equal, missing equal to missing: tariff code, route, rate,
        preference and net mass. Those absent from either frame are left out.

    Returns
    -------
    seen : Series of bool
        Aligned with `later`.

    Raises
    ------
    TableError
        If no such column is there.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.windows import seen_before
    >>> past = pd.DataFrame({"tariff_code": ["090121"], "origin": ["BR"]})
    >>> later = pd.DataFrame({"tariff_code": ["090121"] * 2, "origin": ["BR", "VN"]})
    >>> seen_before(later, past).tolist()
    [True, False]
    """
    shared = [name for name in columns if name in later and name in past]
    if not shared:
        raise TableError(
            "windows.none_columns_both_frames",
            "seen_before: none of the columns {columns} is in both frames.",
            columns=format_values(columns, 10),
        )
    both = pd.concat([past[shared], later[shared]], ignore_index=True)
    line = both.groupby(shared, dropna=False, sort=False).ngroup().to_numpy()
    seen = pd.Series(line[len(past) :]).isin(line[: len(past)])
    return pd.Series(seen.to_numpy(), index=later.index, name="seen_before")


def unlabelled_months(
    declarations: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Find months that have items but no result, although others have.

    The months after the last one with a result are left out: there, results are still
    to come.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Items, and the results of those inspected.

    Returns
    -------
    months : DataFrame
        Columns ``month`` (its first day) and ``n_items``; empty when all is well.

    Notes
    -----
    A month counts when chance alone would leave it empty in fewer than one of 10,000
    cases: ``(1 - share inspected) ** n_items < 0.0001``.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import unlabelled_months
    >>> world = make_declarations(500, random_state=0)
    >>> len(unlabelled_months(world.declarations, world.outcomes))
    0
    """
    labelled = _keys(declarations).isin(_keys(outcomes))
    return months_without(declarations["lodged_at"], labelled)


def months_without(lodged: pd.Series, labelled: NDArray[np.bool_]) -> pd.DataFrame:
    """Find months that have items but none that is labelled.

    Parameters
    ----------
    lodged : Series of datetime64
        When each item was lodged.
    labelled : ndarray of bool, shape (n_items,)
        Whether its result is known.

    Returns
    -------
    months : DataFrame
        As `unlabelled_months` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.windows import months_without
    >>> lodged = pd.Series(pd.date_range("2024-01-01", periods=366))
    >>> february = (lodged.dt.month == 2).to_numpy()
    >>> months_without(lodged, ~february)["n_items"].tolist()
    [29]
    """
    month = lodged.to_numpy().astype("datetime64[M]")
    table = pd.DataFrame({"month": month.astype("datetime64[us]"), "hit": labelled})
    counts = table.groupby("month")["hit"].agg(["size", "sum"])
    counts = counts.loc[: counts.index[counts["sum"] > 0].max()]
    share = counts["sum"].sum() / max(counts["size"].sum(), 1)
    odd = (counts["sum"] == 0) & ((1 - share) ** counts["size"] < _SELDOM)
    empty = counts[odd].reset_index().rename(columns={"size": "n_items"})
    return empty[["month", "n_items"]]


def _keys(frame: pd.DataFrame) -> pd.MultiIndex:
    """Return the keys of items."""
    number = frame.get("item_number", 1)
    keyed = frame[["declaration_id"]].assign(item_number=number)
    return pd.MultiIndex.from_frame(keyed)
