"""Moments and windows: what was known when, and splits that respect it.

Reads DECLARATIONS and OUTCOMES; writes the parts of them that a moment allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.items import are_among, moments_known, positions_of
from smartrisk.results import Result

__all__ = [
    "GOODS_LINE",
    "Moment",
    "Snapshot",
    "Split",
    "as_of",
    "known_at",
    "months_without_results",
    "rolling_origin",
    "seen_before",
    "time_split",
    "unlabelled_months",
]

#: A point in time, as users write it.
Moment: TypeAlias = pd.Timestamp | date | np.datetime64 | str

#: What makes two items the same goods line.
GOODS_LINE = (
    "tariff_code",
    "departure",
    "origin",
    "duty_rate",
    "preference",
    "net_mass_kg",
)
#: A month is reported when chance alone would leave it without a result less often than
#: this. Ten years are 120 months, so a sound table raises a false alarm in about one
#: case of 80.
_RARE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Split(Result):
    """What may be learned from, and what is judged.

    Parameters
    ----------
    at : Timestamp
        The moment that separates them.
    past : DataFrame
        Items lodged before it.
    known : DataFrame
        Results of those items known before it.
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

    def __repr__(self) -> str:
        """Return the moment and the sizes in one line."""
        return (
            f"Split(at={str(self.at)!r}, {len(self.past)} items before, "
            f"{len(self.known)} results known, {len(self.later)} items later)"
        )

    def frame(self) -> pd.DataFrame:
        """Return the number of rows of each part, and when its items were lodged.

        Returns
        -------
        frame : DataFrame
            Columns `part` ("past", "known", "later"), `n_rows`, `first_lodged` and
            `last_lodged`.
        """
        rows = positions_of(self.known, self.past, owner="Split.frame", name="'past'")
        lodged = {
            "past": self.past["lodged_at"],
            "known": self.past["lodged_at"].iloc[rows[rows >= 0]],
            "later": self.later["lodged_at"],
        }
        return pd.DataFrame(
            {
                "part": list(lodged),
                "n_rows": [len(self.past), len(self.known), len(self.later)],
                "first_lodged": [moments.min() for moments in lodged.values()],
                "last_lodged": [moments.max() for moments in lodged.values()],
            }
        )


class Snapshot(NamedTuple):
    """What was known before a moment.

    Parameters
    ----------
    past : DataFrame
        Items lodged before it.
    known : DataFrame
        Results of these items known before it.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import as_of
    >>> world = make_declarations(500, random_state=0)
    >>> snapshot = as_of(world.declarations, world.outcomes, "2024-01-01")
    >>> bool((snapshot.past["lodged_at"] < "2024-01-01").all())
    True
    """

    past: pd.DataFrame
    known: pd.DataFrame


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
        Days from lodgement to the result where `known_at` is missing.

    Returns
    -------
    moments : Series of datetime64
        Aligned with `outcomes`. A date before lodgement counts as the moment of
        lodgement.

    Raises
    ------
    TableError
        If a result has neither a date nor an item, or a key appears twice.

    See Also
    --------
    smartrisk.items.moments_known : The rule itself.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import known_at
    >>> world = make_declarations(500, random_state=0)
    >>> bool(known_at(world.outcomes, world.declarations).notna().all())
    True
    """
    dated = _date_results("known_at", outcomes, declarations, label_delay)
    return pd.Series(dated.known, index=outcomes.index, name="known_at")


def as_of(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    moment: Moment,
    *,
    label_delay: int = 30,
) -> Snapshot:
    """Return the items lodged, and the results known, before a moment.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        All items, and the results of those inspected.
    moment : Timestamp, date or str
        What happened at this moment or after it is left out.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.

    Returns
    -------
    snapshot : Snapshot
        ``past, known``: the items, and the results of these items.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import as_of
    >>> world = make_declarations(500, random_state=0)
    >>> past, known = as_of(world.declarations, world.outcomes, "2024-01-01")
    >>> bool((known["known_at"] < "2024-01-01").all())
    True
    """
    dated = _date_results("as_of", outcomes, declarations, label_delay)
    return _snapshot(
        declarations, outcomes, dated, _read_moment("as_of", "moment", moment)
    )


def time_split(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    at: Moment | None = None,
    later_share: float = 0.25,
    label_delay: int = 30,
) -> Split:
    """Split items at a moment; only results known before it may be learned from.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        All items, and the results of those inspected.
    at : Timestamp, date or str, default=None
        The moment; None for the beginning of the day that leaves `later_share` of the
        items.
    later_share : float, default=0.25
        Share of the items to judge on.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing: the gap between
        the last item that can have a label and the first that is judged.

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
    lodged = _lodgements("time_split", declarations)
    _check_not_empty("time_split", lodged)
    if at is None:
        days = lodged.dt.normalize().sort_values()
        place = min(int(len(days) * (1 - later_share)), len(days) - 1)
        at = days.iloc[place]
    moment = _read_moment("time_split", "at", at)
    dated = _date_results("time_split", outcomes, declarations, label_delay)
    past, known = _snapshot(declarations, outcomes, dated, moment)
    later = declarations[(lodged >= moment).to_numpy()]
    return Split(at=moment, past=past, known=known, later=later)


def rolling_origin(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    n_folds: int = 5,
    months: int = 1,
    label_delay: int = 30,
) -> Iterator[Split]:
    """Yield one split per fold of some months, each with its own past.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        All items, and the results of those inspected.
    n_folds : int, default=5
        Number of folds.
    months : int, default=1
        Calendar months judged per fold.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.

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
    lodged = _lodgements("rolling_origin", declarations)
    _check_not_empty("rolling_origin", lodged)
    end = lodged.max().to_period("M").to_timestamp() + pd.DateOffset(months=1)
    starts = [end - pd.DateOffset(months=months * k) for k in range(n_folds, 0, -1)]
    if starts[0] <= lodged.min():
        raise ArgumentError(
            "windows.folds_before_first_item",
            "rolling_origin: {n_folds} folds of {months} months reach back "
            "before the first item ({first_day}). Ask for fewer.",
            n_folds=n_folds,
            months=months,
            first_day=f"{lodged.min():%Y-%m-%d}",
        )
    dated = _date_results("rolling_origin", outcomes, declarations, label_delay)
    for start in starts:
        stop = start + pd.DateOffset(months=months)
        past, known = _snapshot(declarations, outcomes, dated, start)
        later = declarations[((lodged >= start) & (lodged < stop)).to_numpy()]
        yield Split(at=pd.Timestamp(start), past=past, known=known, later=later)


def seen_before(
    later: pd.DataFrame, past: pd.DataFrame, *, columns: Sequence[str] = GOODS_LINE
) -> pd.Series:
    """Return which items repeat the goods line of an earlier one.

    Results on repeated lines show how well a model remembers, those on new lines how
    well it generalises: report them separately.

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
        If there is no such column.

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
            "windows.no_shared_column",
            "seen_before: none of the columns {columns} is in both 'later' and "
            "'past'. Name columns that both have.",
            columns=format_values(columns, 10),
        )
    both = pd.concat([past[shared], later[shared]], ignore_index=True)
    line = both.groupby(shared, dropna=False, sort=False).ngroup().to_numpy()
    seen = pd.Series(line[len(past) :]).isin(line[: len(past)])
    return pd.Series(seen.to_numpy(), index=later.index, name="seen_before")


def unlabelled_months(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
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
    lodged = _lodgements("unlabelled_months", declarations)
    own_results = outcomes[are_among(outcomes, declarations)]
    dated = _date_results("unlabelled_months", own_results, declarations, label_delay)
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
    lodged = _without_zone(lodged)
    if until is None:
        until = lodged.max()
    end = _read_moment("months_without_results", "until", until)
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


@dataclass(frozen=True, eq=False)
class _Dated:
    """Results with the rows of their items, and when each was lodged and known."""

    rows: NDArray[np.intp]
    lodged: NDArray[np.datetime64]
    known: NDArray[np.datetime64]


def _date_results(
    owner: str, outcomes: pd.DataFrame, declarations: pd.DataFrame, label_delay: int
) -> _Dated:
    """Find the items of results by id, and date the results."""
    check_number(owner, "label_delay", label_delay, low=0, integer=True)
    moments = _lodgements(owner, declarations).to_numpy()
    rows = positions_of(outcomes, declarations, owner=owner, name="DECLARATIONS")
    lodged = np.full(len(rows), "NaT", moments.dtype)
    lodged[rows >= 0] = moments[rows[rows >= 0]]
    given = outcomes.get("known_at")
    dates = None
    if given is not None:
        dates = _without_zone(pd.to_datetime(given)).to_numpy()
    known = moments_known(lodged, dates, label_delay)
    undated = int(np.isnat(known).sum())
    if undated:
        raise TableError(
            "windows.results_without_date_and_item",
            "{owner}: {n_undated} results have neither 'known_at' nor an item in "
            "DECLARATIONS. Pass their items.",
            owner=owner,
            n_undated=undated,
        )
    return _Dated(rows, lodged, known)


def _snapshot(
    declarations: pd.DataFrame, outcomes: pd.DataFrame, dated: _Dated, at: pd.Timestamp
) -> Snapshot:
    """Return items lodged, and their results known, strictly before a moment."""
    moment = at.to_datetime64()
    past = declarations[(_without_zone(declarations["lodged_at"]) < at).to_numpy()]
    # NaT, for a result without its item, is before no moment.
    known = outcomes[(dated.lodged < moment) & (dated.known < moment)]
    return Snapshot(past, known)


def _lodgements(owner: str, declarations: pd.DataFrame) -> pd.Series:
    """Return when items were lodged, in UTC and without a time zone."""
    absent = [n for n in ("declaration_id", "lodged_at") if n not in declarations]
    if absent:
        raise TableError(
            "windows.declarations_lack_columns",
            "{owner}: columns missing in DECLARATIONS: {columns}. Rename your columns, "
            "or validate the table with a ColumnMap.",
            owner=owner,
            columns=format_values(absent),
        )
    lodged = declarations["lodged_at"]
    if not isinstance(lodged.dtype, pd.DatetimeTZDtype) and lodged.dtype.kind != "M":
        raise TableError(
            "windows.lodgements_not_dates",
            "{owner}: 'lodged_at' must hold dates; got values of type {dtype}. "
            "Validate the table first.",
            owner=owner,
            dtype=str(lodged.dtype),
        )
    return _without_zone(lodged)


def _check_not_empty(owner: str, lodged: pd.Series) -> None:
    """Raise where there is no item to split."""
    if not len(lodged):
        raise TableError(
            "windows.no_items",
            "{owner}: DECLARATIONS has no item. Pass one at least.",
            owner=owner,
        )


def _without_zone(times: pd.Series) -> pd.Series:
    """Return times in UTC without a zone; times without one are in UTC already."""
    zone = getattr(times.dtype, "tz", None)
    return times if zone is None else times.dt.tz_convert(None)


def _read_moment(owner: str, name: str, moment: Moment) -> pd.Timestamp:
    """Return a point in time, in UTC and without a time zone."""
    try:
        at = pd.Timestamp(moment)
        if pd.isna(at):
            raise ValueError("not a time")
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "windows.moment_not_readable",
            "{owner}: {name!r} must be a date or a moment; got {moment}. Write it as "
            "'2024-03-31'.",
            owner=owner,
            name=name,
            moment=repr(moment),
        ) from error
    return at if at.tzinfo is None else at.tz_convert(None)
