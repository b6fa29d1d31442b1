"""Controls of items: who was controlled, why, with what result, known in time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, format_values
from smartrisk.items import clean_amounts
from smartrisk.schema import CHANNELS, SELECTED_BY
from smartrisk.statistics._reading import (
    Bool,
    Cut,
    Float,
    Int,
    Matched,
    Moments,
    Reading,
    channels_of,
    known_moments,
    match_rows,
    moments_of,
)

#: Who selected, first the one that a declaration belongs to where several did; a
#: declaration is random only if all its controlled items are.
STRATA = ("mandatory", "rule", "model", "manual", "exploration", "unstated", "random")
UNSTATED, RANDOM = STRATA.index("unstated"), STRATA.index("random")
#: Channels from the mildest to the strictest.
STRICTNESS = ("green", "blue", "yellow", "red")
#: What an override did.
OVERRIDES = ("to control", "to release", "to another lane")
_GREEN = CHANNELS.index("green")


@dataclass(kw_only=True, eq=False)
class Controls:
    """Facts of the controls, one entry per item of a reading.

    Attributes
    ----------
    flags, numbers, codes : dict of str to ndarray
        Facts by name; a code is a place in its list, -1 where there is none.
    known, known_document, hit_document : ndarray of bool
        Whether the item has a result of its own, or one of its declaration at least,
        and whether either found something.
    draw : ndarray of float64
        Probability of the random draw; missing where the draw left the item out.
    late : set of str
        Facts that become known after lodgement.
    """

    flags: dict[str, Bool] = field(default_factory=dict)
    numbers: dict[str, Float] = field(default_factory=dict)
    codes: dict[str, Int] = field(default_factory=dict)
    known: Bool = field(default_factory=lambda: np.zeros(0, bool))
    known_document: Bool = field(default_factory=lambda: np.zeros(0, bool))
    hit_document: Bool = field(default_factory=lambda: np.zeros(0, bool))
    document_revenue: Float = field(default_factory=lambda: np.zeros(0))
    draw: Float = field(default_factory=lambda: np.zeros(0))
    start: Moments = field(default_factory=lambda: np.zeros(0, "datetime64[us]"))
    late: set[str] = field(default_factory=set)


def read_controls(
    reading: Reading,
    outcomes: pd.DataFrame | None,
    decisions: pd.DataFrame | None,
    overrides: pd.DataFrame | None,
    cut: Cut,
) -> Controls:
    """Return the facts of the controls of items."""
    n = len(reading.ids)
    controls = Controls(late={"result", "hit", "due", "unresolved", "seized"})
    controls.start = reading.lodged.copy()
    if decisions is None:
        controls.codes = {"selected_by": np.full(n, -1)}
        for name in ("decided", "channel", "final_channel", "override", "changed"):
            reading.absent[name] = "there are no decisions"
        reading.absent["selected_by"] = "there are no decisions"
        reading.absent["inspection_hours"] = "there are no decisions"
        controls.flags["controlled"] = np.zeros(n, bool)
        controls.draw = np.full(n, np.nan)
        controls.late |= {"controlled"}
    else:
        _add_decisions(controls, reading, decisions, cut)
        _add_overrides(controls, reading, overrides, cut)
        _add_draw(controls, reading)
    _add_results(controls, reading, outcomes, cut, decided=decisions is not None)
    return controls


def _add_decisions(
    controls: Controls, reading: Reading, decisions: pd.DataFrame, cut: Cut
) -> None:
    """Add channel, selection and draw of the decisions made before the cut."""
    n, found = len(reading.ids), match_rows("DECISIONS", reading, decisions)
    reading.counts["decisions on items that do not count"] = found.n_others
    place, rows = found.place, found.rows
    if "decided_at" in decisions:
        at = moments_of("DECISIONS", decisions, "decided_at")[rows]
        at = np.where(np.isnat(at), reading.lodged[place], at)
        in_time = at < cut.as_of
        place, rows, at = place[in_time], rows[in_time], at[in_time]
        controls.start[place] = np.maximum(at, reading.lodged[place])
    else:
        reading.absent["inspection_hours"] = "the decisions lack 'decided_at'"
    channel = np.full(n, -1)
    channel[place] = channels_of("DECISIONS", decisions)[rows]
    controls.codes["channel"] = channel
    controls.flags["decided"] = channel >= 0
    reading.counts["items without a decision"] = int((channel < 0).sum())
    controls.flags["controlled"] = (channel >= 0) & (channel != _GREEN)
    selected = np.full(n, UNSTATED)
    if "selected_by" in decisions:
        selected[place] = _strata_of(decisions["selected_by"])[rows]
    else:
        reading.absent["selected_by"] = "the decisions lack 'selected_by'"
    controls.codes["selected_by"] = selected
    controls.draw = np.full(n, np.nan)
    if "draw_probability" in decisions:
        given = decisions["draw_probability"].to_numpy(np.float64, na_value=np.nan)
        controls.draw[place] = given[rows]
    else:
        reading.counts["draw probabilities estimated"] = int((channel >= 0).sum())


def _strata_of(column: pd.Series) -> Int:
    """Return who selected each item; unknown names are refused."""
    codes, values = pd.factorize(column)
    unknown = [str(value) for value in values if value not in SELECTED_BY]
    if unknown:
        raise ArgumentError(
            "statistics.selections_unknown",
            "enforcement: 'selected_by' holds {values}; known are {allowed}. Translate "
            "them with a column map.",
            values=format_values(unknown),
            allowed=format_values(SELECTED_BY),
        )
    place = np.array([STRATA.index(value) for value in values] + [UNSTATED])
    return np.asarray(place[codes], np.int64)


def _add_overrides(
    controls: Controls, reading: Reading, overrides: pd.DataFrame | None, cut: Cut
) -> None:
    """Put what officers changed over the decisions; added controls are manual."""
    first = controls.codes["channel"]
    final, kind = first.copy(), np.full(len(first), -1)
    if overrides is None:
        reading.absent["changed"] = reading.absent["override"] = (
            "there are no overrides"
        )
    else:
        found = match_rows("OVERRIDES", reading, overrides)
        place, rows = found.place, found.rows
        if "decided_at" in overrides:
            at = moments_of("OVERRIDES", overrides, "decided_at")[rows]
            in_time = np.isnat(at) | (at < cut.as_of)
            place, rows = place[in_time], rows[in_time]
        new = channels_of("OVERRIDES", overrides)[rows].astype(np.int64)
        final[place] = np.where((new >= 0) & (first[place] >= 0), new, first[place])
        changed = final != first
        kind[changed & (first == _GREEN)] = 0
        kind[changed & (final == _GREEN)] = 1
        kind[changed & (first != _GREEN) & (final != _GREEN)] = 2
        controls.codes["selected_by"][kind == 0] = STRATA.index("manual")
    controls.codes["final_channel"], controls.codes["override"] = final, kind
    controls.flags["changed"] = kind >= 0
    controls.flags["controlled"] = (final >= 0) & (final != _GREEN)


def _add_draw(controls: Controls, reading: Reading) -> None:
    """Estimate the probability of the draw where no decision states it."""
    if not np.isnan(controls.draw).all() or "selected_by" in reading.absent:
        return
    controlled, by = controls.flags["controlled"], controls.codes["selected_by"]
    drawn = controlled & (by == RANDOM)
    eligible = controls.flags["decided"] & (drawn | ~controlled)
    month = reading.lodged.astype("datetime64[M]").astype(np.int64)
    office = np.zeros(len(month), np.int64)
    if "office" in reading.declarations:
        office = pd.factorize(reading.column("office"))[0].astype(np.int64) + 1
    group = pd.factorize(month * (int(office.max(initial=0)) + 1) + office)[0]
    n_drawn, n_eligible = np.bincount(group, drawn), np.bincount(group, eligible)
    share = n_drawn / np.maximum(n_eligible, 1)
    controls.draw[eligible] = share[group[eligible]]


def _add_results(
    controls: Controls,
    reading: Reading,
    outcomes: pd.DataFrame | None,
    cut: Cut,
    *,
    decided: bool,
) -> None:
    """Add the results that were known in time."""
    n = len(reading.ids)
    table = pd.DataFrame({"declaration_id": []}) if outcomes is None else outcomes
    found = match_rows("OUTCOMES", reading, table)
    reading.counts["results of items that do not count"] = found.n_others
    known_at = known_moments(reading, found, table, cut)
    in_time = known_at < reading.limit[found.place]
    reading.counts["results known at the cut or later"] = int((~in_time).sum())
    found = Matched(found.place[in_time], found.rows[in_time], 0)
    label = _numbers(table, "illicit")[found.rows]
    whole = _numbers(table, "document_illicit")[found.rows]
    has_result, document, hit, of_document = (np.zeros(n, bool) for _ in range(4))
    has_result[found.place] = ~np.isnan(label)
    hit[found.place] = label == 1
    document[found.place] = ~np.isnan(label) | ~np.isnan(whole)
    of_document[found.place] = (label == 1) | (whole == 1)
    if not decided:
        controls.flags["controlled"] = document.copy()
    controlled = controls.flags["controlled"]
    reading.counts["results without a control"] = int((document & ~controlled).sum())
    controls.known, controls.known_document = (
        has_result & controlled,
        document & (controlled),
    )
    controls.hit_document = of_document & controlled
    controls.flags["hit"] = hit & controlled
    controls.document_revenue = np.zeros(n)
    controls.document_revenue[found.place] = clean_amounts(
        _numbers(table, "document_revenue")[found.rows]
    )
    _add_amounts(controls, reading, table, found)
    _add_kinds(controls, reading, table, found)
    _add_times(controls, reading, table, found)
    due = controls.start + np.timedelta64(cut.label_delay, "D") < reading.limit
    controls.flags["past_delay"] = due


def _numbers(table: pd.DataFrame, name: str) -> Float:
    """Return a column as numbers; missing where the table lacks it."""
    if name not in table:
        return np.full(len(table), np.nan)
    numbers = table[name].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return np.asarray(numbers, np.float64)


def _add_amounts(
    controls: Controls, reading: Reading, table: pd.DataFrame, found: Matched
) -> None:
    """Add what the results recovered, and what they changed of the value."""
    n, place, rows = len(reading.ids), found.place, found.rows
    names = ("revenue", "refund", "value_gap", "adjusted_value")
    controls.numbers |= {name: np.zeros(n) for name in names}
    controls.late |= set(names)
    amount = _numbers(table, "revenue_adjustment")[rows]
    controls.numbers["revenue"][place] = clean_amounts(amount)
    controls.numbers["refund"][place] = clean_amounts(-amount)
    if "revenue_adjustment" not in table and "document_revenue" not in table:
        why = "the results lack 'revenue_adjustment'"
        reading.absent["revenue"] = reading.absent["refund"] = why
    if "assessed_value" not in table or "customs_value" not in reading.declarations:
        why = "'assessed_value' of the results or 'customs_value' is missing"
        reading.absent["value_gap"] = reading.absent["adjusted_value"] = why
        return
    declared = reading.column("customs_value").to_numpy(np.float64, na_value=np.nan)
    assessed, declared = _numbers(table, "assessed_value")[rows], declared[place]
    adjusted = controls.flags["hit"][place] & np.isfinite(assessed + declared)
    adjusted &= assessed != declared
    if "offence" in table:
        adjusted &= table["offence"].ne("quantity").to_numpy(bool, na_value=True)[rows]
    kept = place[adjusted]
    controls.numbers["value_gap"][kept] = (assessed - declared)[adjusted]
    controls.numbers["adjusted_value"][kept] = declared[adjusted]


def _add_kinds(
    controls: Controls, reading: Reading, table: pd.DataFrame, found: Matched
) -> None:
    """Add how the items were controlled: as recorded, else by their lane."""
    controlled = controls.flags["controlled"]
    kinds = np.full(len(table), "", dtype=object)
    if "control_kind" in table:
        kinds = table["control_kind"].to_numpy(object, na_value="")
    if (kinds[found.rows] != "").any():
        kind = np.full(len(reading.ids), "", dtype=object)
        kind[found.place] = kinds[found.rows]
        controls.flags["physical"] = controlled & (kind == "physical")
        controls.flags["documentary"] = controlled & (kind == "documentary")
        controls.late |= {"physical", "documentary"}
    elif "final_channel" in controls.codes:
        lane = controls.codes["final_channel"]
        controls.flags["physical"] = lane == CHANNELS.index("red")
        controls.flags["documentary"] = lane == CHANNELS.index("yellow")
    else:
        why = "there are no decisions, and the results lack 'control_kind'"
        reading.absent["physical"] = reading.absent["documentary"] = why


def _add_times(
    controls: Controls, reading: Reading, table: pd.DataFrame, found: Matched
) -> None:
    """Add the days to the result, and the hours from decision to result."""
    n, place, rows = len(reading.ids), found.place, found.rows
    names = ("latency_days", "inspection_hours")
    controls.numbers |= {name: np.full(n, np.nan) for name in names}
    controls.late |= set(names)
    if "known_at" not in table:
        for name in names:
            reading.absent[name] = "the results lack 'known_at'"
        return
    known = moments_of("OUTCOMES", table, "known_at")[rows]
    begun: Moments = np.full(len(rows), np.datetime64("NaT", "us"))
    if "inspected_at" in table:
        begun = moments_of("OUTCOMES", table, "inspected_at")[rows]
    begun = np.where(np.isnat(begun), controls.start[place], begun)
    days = (known - begun) / np.timedelta64(1, "D")
    hours = (known - controls.start[place]) / np.timedelta64(1, "h")
    reading.counts["results dated before their control"] = int((days < 0).sum())
    counted = controls.flags["controlled"][place]
    controls.numbers["latency_days"][place] = np.where(
        counted & (days >= 0), days, np.nan
    )
    controls.numbers["inspection_hours"][place] = np.where(
        counted & (hours >= 0), hours, np.nan
    )
