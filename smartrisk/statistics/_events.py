"""Milestones of declarations: when goods arrived and were released, and audits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.items import document_hashes
from smartrisk.schema import CASES, MILESTONE_KINDS, Table
from smartrisk.statistics._reading import (
    OWNER,
    Bool,
    Float,
    Moments,
    Reading,
    check_columns,
    moments_of,
)

_FACTS = (
    *("released", "audit_closed", "audit_finding", "release_hours", "wait_hours"),
    *("release_days", "audit_amount"),
)


def check_milestones(milestones: pd.DataFrame) -> None:
    """Raise where milestones lack a column, or hold an unknown kind."""
    check_columns("MILESTONES", milestones, ("declaration_id", "kind", "at"))
    kinds = milestones["kind"].unique()
    unknown = [str(kind) for kind in kinds if kind not in MILESTONE_KINDS]
    if unknown:
        raise ArgumentError(
            "statistics.milestone_kinds_unknown",
            "{owner}: MILESTONES have the unknown kinds {kinds}; known are {allowed}. "
            "Translate them with a column map.",
            owner=OWNER,
            kinds=format_values(unknown),
            allowed=format_values(MILESTONE_KINDS, len(MILESTONE_KINDS)),
        )


def check_cases(owner: str, table: pd.DataFrame, kind: Table) -> None:
    """Raise where a table lacks a column or a needed value, or repeats its key."""
    absent = [name for name in kind.required if name not in table]
    if absent:
        raise TableError(
            "statistics.cases_lack_columns",
            "{owner}: columns missing in {table}: {missing}. Rename your columns, or "
            "validate the table with a ColumnMap.",
            owner=owner,
            table=kind.name,
            missing=format_values(absent),
        )
    blank = {name: table[name].isna() for name in kind.required}
    gaps = {name: int(rows.sum()) for name, rows in blank.items() if rows.any()}
    if gaps:
        lacking = pd.DataFrame(blank).any(axis=1)
        raise TableError(
            "statistics.cases_with_gaps",
            "{owner}: columns of {table} with rows without a value: {gaps}, such as "
            "those of the cases {examples}. An unknown quantity is not 0, and goods "
            "without a unit are in no table: give each row its values, or leave it "
            "out.",
            owner=owner,
            table=kind.name,
            gaps=", ".join(f"{name!r} ({n})" for name, n in gaps.items()),
            examples=format_values(table["case_id"][lacking].unique()),
        )
    repeated = table.duplicated(list(kind.key), keep=False)
    if repeated.any():
        raise TableError(
            "statistics.cases_repeated",
            "{owner}: {table} repeats {key} in {n_rows} rows, such as those of the "
            "cases {examples}. Keep one row of each.",
            owner=owner,
            table=kind.name,
            key=format_values(kind.key),
            n_rows=int(repeated.sum()),
            examples=format_values(table["case_id"][repeated].unique()),
        )


def known_at(cases: pd.DataFrame) -> pd.Series:
    """Return when each case became known; its date where that is not recorded."""
    for name in ("date", "known_at"):
        if name in cases:
            moments_of("CASES", cases, name)
    date = cases["date"]
    return cases["known_at"].fillna(date) if "known_at" in cases else date


class Events:
    """Facts of declarations from their milestones, one entry per declaration.

    An event of an item counts for its declaration.

    Parameters
    ----------
    reading : Reading
        The items that count.
    milestones : DataFrame or None
        MILESTONES, checked.
    """

    def __init__(self, reading: Reading, milestones: pd.DataFrame | None) -> None:
        self.flags: dict[str, Bool] = {}
        self.numbers: dict[str, Float] = {}
        self.late = {*_FACTS, "seized"}
        self._limit = reading.limit[reading.first]
        if milestones is None:
            reading.absent |= dict.fromkeys(_FACTS, "there are no milestones")
            return
        names = pd.Index(reading.hashes)
        self._place = names.get_indexer(pd.Index(reading.of_event))
        self._at = moments_of("MILESTONES", milestones, "at")
        self._kind = milestones["kind"].to_numpy(object)
        lodged = reading.lodged[reading.first]
        self._add_release(reading, lodged)
        self._add_audits(reading, milestones)

    def add_cases(self, reading: Reading, cases: pd.DataFrame | None) -> None:
        """Add which declarations were in a case that was known in time."""
        if cases is not None:
            check_cases(OWNER, cases, CASES)
        if cases is None or "declaration_ids" not in cases:
            reading.absent["seized"] = "there are no seizures"
            return
        known = known_at(cases).to_numpy().astype("datetime64[us]")
        named = cases["declaration_ids"].astype(object).str.split()
        rows = pd.DataFrame({"declaration_id": named, "at": known}).explode(
            "declaration_id"
        )
        rows = rows[rows["declaration_id"].notna()]
        place = pd.Index(reading.hashes).get_indexer(pd.Index(document_hashes(rows)))
        there = place >= 0
        in_time = rows["at"].to_numpy()[there] < self._limit[place[there]]
        self.flags["seized"] = np.zeros(len(self._limit), bool)
        self.flags["seized"][place[there][in_time]] = True

    def _rows(self, kind: str) -> Bool:
        """Return which milestones of a kind were known in time."""
        rows = (self._kind == kind) & (self._place >= 0)
        rows[rows] = self._at[rows] < self._limit[self._place[rows]]
        return np.asarray(rows)

    def _latest(self, kind: str) -> Moments:
        """Return the latest moment of a kind of each declaration; missing for none."""
        # Before every moment of trade: the least that a maximum starts from.
        out = np.full(len(self._limit), np.datetime64("0001-01-01", "us"))
        rows = self._rows(kind)
        np.maximum.at(out, self._place[rows], self._at[rows])
        out[out == np.datetime64("0001-01-01", "us")] = np.datetime64("NaT", "us")
        return out

    def _add_release(self, reading: Reading, lodged: Moments) -> None:
        """Add when goods were released, from arrival and from lodgement."""
        released, arrived = self._latest("released"), self._latest("arrived")
        self.flags["released"] = ~np.isnat(released)
        hour = np.timedelta64(1, "h")
        since = {"release_hours": arrived, "wait_hours": lodged}
        for name, begin in since.items():
            hours = (released - begin) / hour
            reading.counts[f"{name} below zero"] = int((hours < 0).sum())
            self.numbers[name] = np.where(hours >= 0, hours, np.nan)
        days = released.astype("datetime64[D]") - lodged.astype("datetime64[D]")
        self.numbers["release_days"] = days / np.timedelta64(1, "D")
        if not (self._kind == "arrived").any():
            reading.absent["release_hours"] = "the milestones have no arrival"
        if not (self._kind == "released").any():
            names = ("released", "release_hours", "wait_hours", "release_days")
            why = "the milestones have no release"
            reading.absent |= dict.fromkeys(names, why)

    def _add_audits(self, reading: Reading, milestones: pd.DataFrame) -> None:
        """Add which declarations had an audit that was closed, and what it found."""
        n, rows = len(self._limit), self._rows("audit_closed")
        place = self._place[rows]
        self.flags["audit_closed"] = np.bincount(place, minlength=n) > 0
        amount = np.zeros(len(rows))
        if "amount" in milestones:
            amount = milestones["amount"].to_numpy(np.float64, na_value=0.0)
        paid = np.maximum(np.rint(100 * amount[rows]), 0.0)
        self.numbers["audit_amount"] = np.bincount(place, paid, minlength=n) / 100
        self.flags["audit_finding"] = self.numbers["audit_amount"] > 0
        if not (self._kind == "audit_closed").any():
            why = "the milestones have no closed audit"
            names = ("audit_closed", "audit_finding", "audit_amount")
            reading.absent |= dict.fromkeys(names, why)
        elif "amount" not in milestones:
            why = "the milestones lack 'amount'"
            reading.absent |= dict.fromkeys(("audit_finding", "audit_amount"), why)
