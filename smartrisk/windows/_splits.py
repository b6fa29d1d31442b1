"""Splits of items in time, and what a split repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.items import positions_of
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table
from smartrisk.windows._moments import (
    Moment,
    check_not_empty,
    date_results,
    read_lodgements,
    read_moment,
    take_snapshot,
)

#: What makes two items the same goods line.
GOODS_LINE = (
    "tariff_code",
    "departure",
    "origin",
    "duty_rate",
    "preference",
    "net_mass_kg",
)


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


def time_split(
    declarations: TableInput,
    outcomes: TableInput,
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
    declarations = read_table("time_split", "'declarations'", declarations)
    outcomes = read_table("time_split", "'outcomes'", outcomes)
    check_number("time_split", "later_share", later_share, low=0.0, high=1.0)
    lodged = read_lodgements("time_split", declarations)
    check_not_empty("time_split", lodged)
    if at is None:
        days = lodged.dt.normalize().sort_values()
        place = min(int(len(days) * (1 - later_share)), len(days) - 1)
        at = days.iloc[place]
    moment = read_moment("time_split", "at", at)
    dated = date_results("time_split", outcomes, declarations, label_delay)
    past, known = take_snapshot(declarations, outcomes, dated, moment)
    later = declarations[(lodged >= moment).to_numpy()]
    return Split(at=moment, past=past, known=known, later=later)


def rolling_origin(
    declarations: TableInput,
    outcomes: TableInput,
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
    declarations = read_table("rolling_origin", "'declarations'", declarations)
    outcomes = read_table("rolling_origin", "'outcomes'", outcomes)
    check_number("rolling_origin", "n_folds", n_folds, low=1, integer=True)
    check_number("rolling_origin", "months", months, low=1, integer=True)
    lodged = read_lodgements("rolling_origin", declarations)
    check_not_empty("rolling_origin", lodged)
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
    dated = date_results("rolling_origin", outcomes, declarations, label_delay)
    for start in starts:
        stop = start + pd.DateOffset(months=months)
        past, known = take_snapshot(declarations, outcomes, dated, start)
        later = declarations[((lodged >= start) & (lodged < stop)).to_numpy()]
        yield Split(at=pd.Timestamp(start), past=past, known=known, later=later)


def seen_before(
    later: TableInput, past: TableInput, *, columns: Sequence[str] = GOODS_LINE
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
    later = read_table("seen_before", "'later'", later)
    past = read_table("seen_before", "'past'", past)
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
