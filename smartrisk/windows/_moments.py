"""What was lodged, and which results were known, before a moment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.items import moments_known, positions_of
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

#: A point in time, as users write it.
Moment: TypeAlias = pd.Timestamp | date | np.datetime64 | str
#: A moment as text. Other texts would be guessed: 03/04/2024, or "now".
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
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
    outcomes: TableInput, declarations: TableInput, *, label_delay: int = 30
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
    outcomes = read_table("known_at", "'outcomes'", outcomes)
    declarations = read_table("known_at", "'declarations'", declarations)
    dated = date_results("known_at", outcomes, declarations, label_delay)
    return pd.Series(dated.known, index=outcomes.index, name="known_at")


def as_of(
    declarations: TableInput,
    outcomes: TableInput,
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
    declarations = read_table("as_of", "'declarations'", declarations)
    outcomes = read_table("as_of", "'outcomes'", outcomes)
    dated = date_results("as_of", outcomes, declarations, label_delay)
    return take_snapshot(
        declarations, outcomes, dated, read_moment("as_of", "moment", moment)
    )


@dataclass(frozen=True, eq=False)
class Dated:
    """Results with the rows of their items, and when each was lodged and known."""

    rows: NDArray[np.intp]
    lodged: NDArray[np.datetime64]
    known: NDArray[np.datetime64]


def date_results(
    owner: str, outcomes: pd.DataFrame, declarations: pd.DataFrame, label_delay: int
) -> Dated:
    """Find the items of results by id, and date the results."""
    check_number(owner, "label_delay", label_delay, low=0, integer=True)
    moments = read_lodgements(owner, declarations).to_numpy()
    rows = positions_of(outcomes, declarations, owner=owner, name="DECLARATIONS")
    lodged = np.full(len(rows), "NaT", moments.dtype)
    lodged[rows >= 0] = moments[rows[rows >= 0]]
    given = outcomes.get("known_at")
    dates = None
    if given is not None:
        dates = _read_known(owner, given)
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
    return Dated(rows, lodged, known)


def _read_known(owner: str, given: pd.Series) -> NDArray[np.datetime64]:
    """Return the days of results; texts are for validation, which reads them."""
    if given.isna().all():
        return np.full(len(given), "NaT", "datetime64[us]")
    if getattr(given.dtype, "kind", "O") != "M":
        raise TableError(
            "windows.results_not_dated",
            "{owner}: 'known_at' must hold dates; got values of type {dtype}. "
            "Validate the table first.",
            owner=owner,
            dtype=str(given.dtype),
        )
    return np.asarray(without_zone(given).to_numpy())


def take_snapshot(
    declarations: pd.DataFrame, outcomes: pd.DataFrame, dated: Dated, at: pd.Timestamp
) -> Snapshot:
    """Return items lodged, and their results known, strictly before a moment."""
    moment = at.to_datetime64()
    past = declarations[(without_zone(declarations["lodged_at"]) < at).to_numpy()]
    # NaT, for a result without its item, is before no moment.
    known = outcomes[(dated.lodged < moment) & (dated.known < moment)]
    return Snapshot(past, known)


def read_lodgements(owner: str, declarations: pd.DataFrame) -> pd.Series:
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
    return without_zone(lodged)


def check_not_empty(owner: str, lodged: pd.Series) -> None:
    """Raise where there is no item to split."""
    if not len(lodged):
        raise TableError(
            "windows.no_items",
            "{owner}: DECLARATIONS has no item. Pass one at least.",
            owner=owner,
        )


def without_zone(times: pd.Series) -> pd.Series:
    """Return times in UTC without a zone; times without one are in UTC already."""
    zone = getattr(times.dtype, "tz", None)
    return times if zone is None else times.dt.tz_convert(None)


def read_moment(owner: str, name: str, moment: Moment) -> pd.Timestamp:
    """Return a point in time, in UTC and without a time zone.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the error message.
    name : str
        Name of its argument.
    moment : Timestamp, date, datetime64 or str
        A moment; as text in full, year first.

    Returns
    -------
    at : Timestamp
        The moment.

    Raises
    ------
    ArgumentError
        If it is none, or a text such as "03/04/2024" that has two readings.

    Examples
    --------
    >>> from smartrisk.windows import read_moment
    >>> read_moment("example", "at", "2024-03-31")
    Timestamp('2024-03-31 00:00:00')
    """
    try:
        if isinstance(moment, str) and _ISO.fullmatch(moment) is None:
            raise ValueError("not in full, or day and month in any order")
        if isinstance(moment, (int, float, np.number)):
            raise TypeError("nanoseconds are no moment that anyone writes")
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
