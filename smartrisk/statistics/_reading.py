"""The tables of a period, cut at a moment: what each item was, and its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.items import (
    check_unique,
    document_hashes,
    item_ids,
    item_numbers,
    mix,
    moments_known,
)
from smartrisk.schema import CHANNELS

Float: TypeAlias = NDArray[np.float64]
Int: TypeAlias = NDArray[np.int64]
Bool: TypeAlias = NDArray[np.bool_]
Moments: TypeAlias = NDArray[np.datetime64]

OWNER = "enforcement"
_NAT = np.datetime64("NaT", "us")


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """What counts: up to a moment, and each month up to an age.

    Attributes
    ----------
    as_of : datetime64
        Nothing known at this moment or later counts.
    age : timedelta64 or None
        From the end of a month; what became known of it later does not count.
    label_delay : int
        Days from lodgement to a result without a date.
    """

    as_of: np.datetime64
    age: np.timedelta64 | None
    label_delay: int

    def limits(self, lodged: Moments) -> tuple[Moments, Bool]:
        """Return until when each item's results count, and whether that is over."""
        if self.age is None:
            return np.full(len(lodged), self.as_of), np.ones(len(lodged), bool)
        ends = (lodged.astype("datetime64[M]") + 1).astype("datetime64[us]") + self.age
        return np.minimum(ends, self.as_of), np.asarray(ends <= self.as_of)


@dataclass(kw_only=True, eq=False)
class Reading:
    """Items as arrays in the order of the valid rows, and what was left out.

    Attributes
    ----------
    declarations, kept : DataFrame, ndarray of int or None
        The declared items, and the rows that are valid and lodged before the cut; None
        for all.
    ids, document : ndarray
        64-bit id of each item; place of its declaration among `n_documents`.
    first : ndarray of int
        Row of the first item of each declaration.
    lodged, limit, closed : ndarray
        When it was lodged, until when its results count, and whether that moment
        has passed.
    hashes, of_event : ndarray of uint64
        Hash of each declaration, and of that of each milestone.
    counts : dict of str to int
        Rows that were left out, by reason.
    absent : dict of str to str
        Facts that cannot be known, and why.
    """

    declarations: pd.DataFrame
    kept: NDArray[np.intp] | None
    ids: NDArray[np.uint64]
    document: NDArray[np.intp]
    first: NDArray[np.intp]
    lodged: Moments
    limit: Moments
    closed: Bool
    hashes: NDArray[np.uint64]
    of_event: NDArray[np.uint64]
    counts: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def n_documents(self) -> int:
        """Number of declarations."""
        return len(self.first)

    def column(self, name: str) -> pd.Series:
        """Return a declared column of the items that count."""
        column = self.declarations[name]
        return column if self.kept is None else column.iloc[self.kept]


def read_items(
    declarations: pd.DataFrame, milestones: pd.DataFrame | None, cut: Cut
) -> Reading:
    """Return the items that count: valid, and lodged before the cut."""
    check_columns("DECLARATIONS", declarations, ("declaration_id", "lodged_at"))
    hashes = document_hashes(declarations)
    with np.errstate(over="ignore"):
        ids = mix(hashes + item_numbers(declarations))
    check_unique(OWNER, "DECLARATIONS", declarations, ids=ids)
    lodged = moments_of("DECLARATIONS", declarations, "lodged_at")
    if np.isnat(lodged).any():
        raise TableError(
            "statistics.lodgement_missing",
            "{owner}: 'lodged_at' is missing in {n_rows} declared items. Add the "
            "moment, or leave these items out.",
            owner=OWNER,
            n_rows=int(np.isnat(lodged).sum()),
        )
    late = lodged >= cut.as_of
    of_event = np.zeros(0, np.uint64)
    if milestones is not None:
        of_event = document_hashes(milestones)
    valid, counts = _valid_rows(declarations, hashes, milestones, of_event, cut)
    counts = {"lodged at the cut or later": int(late.sum())} | counts
    kept = np.flatnonzero(valid & ~late)
    names, ids, lodged = hashes[kept], ids[kept], lodged[kept]
    document = np.asarray(pd.factorize(names)[0], np.intp)
    number = np.asarray(item_numbers(declarations), np.int64)[kept]
    first = _first_items(document, number)
    limit, closed = cut.limits(lodged)
    return Reading(
        declarations=declarations,
        kept=None if len(kept) == len(declarations) else kept,
        ids=ids,
        document=document,
        first=first,
        lodged=lodged,
        limit=limit,
        closed=closed,
        hashes=names[first],
        of_event=of_event,
        counts={"declared items": len(declarations)} | counts,
    )


def _valid_rows(
    declarations: pd.DataFrame,
    hashes: NDArray[np.uint64],
    milestones: pd.DataFrame | None,
    of_event: NDArray[np.uint64],
    cut: Cut,
) -> tuple[Bool, dict[str, int]]:
    """Return which rows are of valid declarations, and how many are not, by reason."""
    valid, counts = np.ones(len(declarations), bool), {}
    dated: Bool = np.zeros(len(declarations), bool)
    if milestones is not None:
        ended = milestones["kind"].isin(["cancelled", "superseded"]).to_numpy(bool)
        at = moments_of("MILESTONES", milestones, "at")
        dated = np.asarray(pd.Index(hashes).isin(of_event[ended]))
        stopped = pd.Index(hashes).isin(of_event[ended & (at < cut.as_of)])
        counts["cancelled or superseded by a milestone"] = int(stopped.sum())
        valid &= ~stopped
    if "status" in declarations:
        status = declarations["status"]
        # The milestone says when it happened; the status does not.
        other = (status.notna() & status.ne("valid")).to_numpy(bool) & ~dated
        counts["status other than valid"] = int(other.sum())
        valid &= ~other
    return valid, counts


def _first_items(document: NDArray[np.intp], number: Int) -> NDArray[np.intp]:
    """Return the row of the item with the lowest number of each declaration."""
    n = int(document.max(initial=-1)) + 1
    lowest = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(lowest, document, number)
    rows = np.flatnonzero(number == lowest[document])
    first = np.zeros(n, np.intp)
    first[document[rows]] = rows
    return first


@dataclass(frozen=True, eq=False)
class Matched:
    """Rows of a table that are of items that count: where, and which rows."""

    place: NDArray[np.intp]
    rows: NDArray[np.intp]
    n_others: int


def match_rows(name: str, reading: Reading, table: pd.DataFrame) -> Matched:
    """Find the items of the rows of a table by key."""
    check_columns(name, table, ("declaration_id",))
    ids = item_ids(table)
    check_unique(OWNER, name, table, ids=ids)
    if len(ids) == len(reading.ids) and np.array_equal(ids, reading.ids):
        everything = np.arange(len(ids))
        return Matched(everything, everything, 0)
    # The smaller of both is looked up in the other.
    if len(ids) > len(reading.ids):
        rows = pd.Index(ids).get_indexer(pd.Index(reading.ids))
        place = np.flatnonzero(rows >= 0)
        rows = rows[place]
    else:
        place = pd.Index(reading.ids).get_indexer(pd.Index(ids))
        rows = np.flatnonzero(place >= 0)
        place = place[rows]
    return Matched(place, rows, len(ids) - len(rows))


def known_moments(
    reading: Reading, found: Matched, table: pd.DataFrame, cut: Cut
) -> Moments:
    """Return when the results of items were known."""
    given = None
    if "known_at" in table:
        given = moments_of("OUTCOMES", table, "known_at")[found.rows]
    lodged = reading.lodged[found.place]
    return moments_known(lodged, given, cut.label_delay).astype("datetime64[us]")


def moments_of(name: str, table: pd.DataFrame, column: str) -> Moments:
    """Return a column of moments, in UTC and without a zone."""
    values = table[column]
    if values.isna().all():
        return np.full(len(values), _NAT)
    if getattr(values.dtype, "kind", "O") != "M":
        raise TableError(
            "statistics.not_dates",
            "{owner}: {column!r} of {table} must hold dates; got values of type "
            "{dtype}. Validate the table first.",
            owner=OWNER,
            column=column,
            table=name,
            dtype=str(values.dtype),
        )
    zone = getattr(values.dtype, "tz", None)
    plain = values if zone is None else values.dt.tz_convert(None)
    return plain.to_numpy().astype("datetime64[us]")


def channels_of(name: str, table: pd.DataFrame) -> NDArray[np.int8]:
    """Return the place of each channel in `CHANNELS`, -1 where it is missing."""
    check_columns(name, table, ("channel",))
    codes, values = pd.factorize(table["channel"])
    unknown = [str(value) for value in values if value not in CHANNELS]
    if unknown:
        raise ArgumentError(
            "statistics.channels_unknown",
            "{owner}: {table} has the unknown channels {channels}; known are "
            "{allowed}. Translate them with a column map.",
            owner=OWNER,
            table=name,
            channels=format_values(unknown),
            allowed=format_values(CHANNELS),
        )
    place = np.array([CHANNELS.index(value) for value in values] + [-1], np.int8)
    return np.asarray(place[codes])


def check_columns(name: str, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise where a table lacks columns."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise TableError(
            "statistics.columns_missing",
            "{owner}: columns missing in {table}: {missing}. Rename your columns, or "
            "validate the table with a ColumnMap.",
            owner=OWNER,
            table=name,
            missing=format_values(missing),
        )
