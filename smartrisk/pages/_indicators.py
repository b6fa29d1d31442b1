"""Indicators as a page shows them: figures, their course, months and offices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from smartrisk.displays import Texts
from smartrisk.pages._page import Table
from smartrisk.pages._sparkline import draw_sparkline
from smartrisk.statistics import (
    PERIODS,
    TOTAL,
    Definition,
    EnforcementStatistics,
    translate_sentence,
)

#: Units below which a rate without an interval is not shown: one more hit among nine
#: would move it by a tenth.
LEAST_OF_A_RATE = 10
#: Groups and periods on the page: what is more is in the workbook.
MOST_GROUPS, MOST_PERIODS = 10, 36
#: Statistics of a distribution on the page.
_STATISTICS = ("median", "p90")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure of an indicator, or of a part of it, as texts."""

    label: str
    value: str
    interval: str
    n: str
    pending: str
    why: str
    course: Markup


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """An indicator on the page, with its definition and its tables."""

    id: str
    name: str
    definition: Sequence[str]
    has_parts: bool
    lines: Sequence[Line]
    tables: Sequence[Table]


class Figures:
    """The figures of a result, by indicator, as a page takes them.

    Parameters
    ----------
    statistics : EnforcementStatistics
        The figures, by a period, by something else, or by both. Further fields are
        taken together.
    texts : Texts
        Words and numbers of the language.
    """

    def __init__(self, statistics: EnforcementStatistics, texts: Texts) -> None:
        self.texts = texts
        self.statistics = statistics
        self.definitions = statistics.definitions
        by = statistics.by
        self.period = next((name for name in by if name in PERIODS), None)
        self.group = next((name for name in by if name not in PERIODS), None)
        frame = statistics.frame()
        reasons = frame["reason"].drop_duplicates()
        words = {text: translate_sentence(text, texts.lang) for text in reasons}
        frame["why"] = frame["reason"].map(words)
        frame["is_open"] = frame["reason"].str.startswith("open")
        for name in by:
            if name not in (self.period, self.group):
                frame = frame[frame[name] == TOTAL]
        self._rows = dict(list(frame.groupby("indicator", sort=False)))

    def rows(self, id: str) -> pd.DataFrame:
        """Return the rows of an indicator; none where it is not there."""
        return self._rows.get(id, next(iter(self._rows.values())).head(0))

    def total(self, id: str, part: str = "") -> pd.Series | None:
        """Return the figure of all together; None where there is no value."""
        rows = self._select_level(self.rows(id), period=False, group=False)
        rows = rows[(rows["part"] == part) & rows["value"].notna()]
        return None if rows.empty else rows.iloc[0]

    def why(self, id: str) -> str:
        """Return why an indicator has no value; empty where it has one."""
        rows = self._select_level(self.rows(id), period=False, group=False)
        return "" if rows.empty else str(rows["why"].iloc[0])

    @cached_property
    def periods(self) -> list[str]:
        """The periods, in order."""
        if self.period is None:
            return []
        rows = self.rows("lodged")
        names = self._select_level(rows, period=True, group=False)[self.period]
        return sorted(str(name) for name in names)

    @cached_property
    def open_periods(self) -> list[str]:
        """The periods whose results do not count yet."""
        if self.period is None:
            return []
        rows = pd.concat([self.rows(id) for id in ("hit_rate", "same_day")])
        rows = self._select_level(rows, period=True, group=False)
        return sorted(set(rows.loc[rows["is_open"], self.period].astype(str)))

    @cached_property
    def groups(self) -> list[str]:
        """The groups, those with most declarations first."""
        if self.group is None:
            return []
        rows = self._select_level(self.rows("lodged"), period=False, group=True)
        rows = rows.sort_values(["value", self.group], ascending=[False, True])
        return [str(name) for name in rows[self.group]]

    def indicator(self, id: str) -> Indicator:
        """Return an indicator as the page shows it."""
        one, rows = self.definitions[id], self.rows(id)
        lang = self.texts.lang
        parts = self._parts(one, rows)
        whole = self._select_level(rows, period=False, group=False)
        course = self._select_level(rows, period=True, group=False)
        lines = [
            Line(
                label=label,
                **self._figure(one, _records(whole[whole["part"] == part])[0]),
                course=self._course(one, course[course["part"] == part]),
            )
            for part, label in parts.items()
        ]
        has_rows = rows["value"].notna().any() or rows["is_open"].any()
        return Indicator(
            id=id,
            name=one.name[lang],
            definition=one.text(lang).split("\n"),
            has_parts=len(parts) > 1,
            lines=lines,
            tables=list(self._tables(one, rows, parts)) if has_rows else [],
        )

    def show(self, one: Definition) -> Callable[[float], str]:
        """Return what writes a value of an indicator."""
        _, texts = self.texts.gettext, self.texts
        if one.measure == "lift":
            return lambda value: f"× {texts.unit_value(value)}"
        if one.measure == "distribution":
            unit = _("%(x)s d") if one.upper.name.endswith("_days") else _("%(x)s h")
            return lambda value: unit % {"x": texts.number(_round(value))}
        if one.measure == "amount" or _is_per_unit(one):
            return lambda value: texts.number(_round(value))
        return texts.fine

    def _select_level(
        self, rows: pd.DataFrame, *, period: bool, group: bool
    ) -> pd.DataFrame:
        """Return the rows of one level of the groups."""
        keep = pd.Series(True, index=rows.index)
        for name, wanted in ((self.period, period), (self.group, group)):
            if name is None:
                keep &= not wanted
            else:
                keep &= (rows[name] != TOTAL) == wanted
        return rows[keep]

    def _parts(self, one: Definition, rows: pd.DataFrame) -> dict[str, str]:
        """Return the parts on the page, and their words."""
        names = rows["part"].drop_duplicates().astype(str)
        if one.measure == "distribution":
            names = names[names.eq("") | names.str.endswith(_STATISTICS)]
        return {name: part_words(name, self.texts) for name in names}

    def _figure(self, one: Definition, row: Mapping[str, Any]) -> dict[str, str]:
        """Return value, interval, n, pending and why there is no value, as texts."""
        texts, show, why = self.texts, self.show(one), str(row["why"])
        is_shown = pd.notna(row["value"])
        if is_shown and _is_thin(one, row):
            is_shown = False
            why = texts.gettext("fewer than %(n)s") % {"n": LEAST_OF_A_RATE}
        interval = ""
        if is_shown and pd.notna(row["low"]) and pd.notna(row["high"]):
            interval = f"{show(max(row['low'], 0.0))} … {show(row['high'])}"
        return {
            "value": show(row["value"]) if is_shown else "–",
            "interval": interval,
            "n": texts.number(row["n"]),
            "pending": texts.number(row["pending"]) if row["pending"] else "",
            "why": why,
        }

    def _course(self, one: Definition, rows: pd.DataFrame) -> Markup:
        """Return the sparkline of the periods; empty where there are none."""
        if self.period is None or rows.empty:
            return Markup("")
        rows = rows.set_index(self.period).reindex(self.periods)
        values = rows["value"].to_numpy(np.float64, copy=True)
        if one.measure != "amount":
            # A line shows no interval.
            values[~(rows["n"].to_numpy() >= LEAST_OF_A_RATE)] = np.nan
        if np.isnan(values).all():
            return Markup("")
        show, there = self.show(one), np.flatnonzero(~np.isnan(values))
        _ = self.texts.gettext
        label = _("from %(first)s on: %(low)s to %(high)s, last %(last)s")
        is_open = rows["is_open"].eq(True).tolist()
        values_text = {
            "first": self.periods[0],
            "low": show(float(np.nanmin(values))),
            "high": show(float(np.nanmax(values))),
            "last": show(float(values[there[-1]])),
        }
        return draw_sparkline(values, is_open, label % values_text)

    def _tables(
        self, one: Definition, rows: pd.DataFrame, parts: Mapping[str, str]
    ) -> Iterator[Table]:
        """Yield the figures by period, and those by group with their courses."""
        _, name = self.texts.gettext, one.name[self.texts.lang]
        if self.period is not None:
            field = period_words(self.period, self.texts)
            yield self._table(
                one,
                self._select_level(rows, period=True, group=False),
                (self.period, self.periods[-MOST_PERIODS:]),
                parts,
                (_("%(name)s, by period") % {"name": name}, field),
            )
        if self.group is not None:
            field = self.texts.words.field(self.group)
            caption = _("%(name)s, by %(field)s") % {"name": name, "field": field}
            chosen = self.groups[:MOST_GROUPS]
            courses = None
            if self.period is not None:
                cells = self._select_level(rows, period=True, group=True)
                cells = cells[cells[self.group].isin(chosen)]
                courses = {
                    (str(label), str(part)): self._course(one, some)
                    for (label, part), some in cells.groupby([self.group, "part"])
                    if str(part) in parts
                }
            yield self._table(
                one,
                self._select_level(rows, period=False, group=True),
                (self.group, chosen),
                parts,
                (caption, field.capitalize()),
                courses,
            )

    def _table(
        self,
        one: Definition,
        rows: pd.DataFrame,
        chosen: tuple[str, Sequence[str]],
        parts: Mapping[str, str],
        words: tuple[str, str],
        courses: Mapping[tuple[str, str], Markup] | None = None,
    ) -> Table:
        """Return a table with one row for each chosen period or group and part."""
        _ = self.texts.gettext
        field, labels = chosen
        found = {(str(row[field]), str(row["part"])): row for row in _records(rows)}
        figures = {
            key: self._figure(one, found[key])
            for key in ((label, part) for label in labels for part in parts)
            if key in found
        }
        pgettext = self.texts.pgettext
        names = {
            "value": pgettext("head: of an indicator", "Value"),
            "interval": _("95 % interval"),
            "n": "n",
            "pending": pgettext("head: number of controls", "Pending"),
            "why": _("Why no value"),
        }
        # A column that is empty in every row is left out.
        kept = [
            name
            for name in names
            if name in ("value", "n")
            or any(figure[name] for figure in figures.values())
        ]
        head_part = (
            [pgettext("head: of an indicator", "Part")] if len(parts) > 1 else []
        )
        lines = []
        for (label, part), figure in figures.items():
            line = [self.texts.segment_value(label)]
            line += [parts[part]] if head_part else []
            line += [figure[name] for name in kept]
            if courses is not None:
                line.append(courses.get((label, part), Markup("")))
            lines.append(line)
        first = 1 + len(head_part)
        return Table(
            caption=words[0],
            heads=(
                words[1],
                *head_part,
                *(names[name] for name in kept),
                *(
                    [pgettext("head: line over time", "Course")]
                    if courses is not None
                    else []
                ),
            ),
            rows=lines,
            numeric=frozenset(
                first + place for place, name in enumerate(kept) if name != "why"
            ),
        )


def period_words(name: str, texts: Texts) -> str:
    """Return the words for a period."""
    _ = texts.gettext
    return {"month": _("Month"), "quarter": _("Quarter"), "year": _("Year")}[name]


def part_words(name: str, texts: Texts) -> str:
    """Return the words for a part of an indicator."""
    _ = texts.gettext
    known = {
        "": "",
        "median": texts.pgettext("part of an indicator", "median"),
        "p90": _("90th percentile"),
        "mean": texts.pgettext("part of an indicator", "mean"),
        "physical": texts.pgettext("part of an indicator", "physically inspected"),
        "not physical": _("not physically inspected"),
        "to control": _("to a control"),
        "to release": texts.pgettext("part of an indicator", "to release"),
        "to another lane": _("to another lane"),
    }
    if name in known:
        return known[name]
    if ", " in name:
        return ", ".join(part_words(part, texts) for part in name.split(", "))
    return texts.channel(name)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows by the names of their columns."""
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]


def _is_thin(one: Definition, row: Mapping[str, Any]) -> bool:
    """Return whether a rate rests on few units and has no interval."""
    has_interval = pd.notna(row["low"]) and pd.notna(row["high"])
    return one.measure != "amount" and not has_interval and row["n"] < LEAST_OF_A_RATE


def _is_per_unit(one: Definition) -> bool:
    """Return whether a figure is a sum for each unit, and no part of a whole."""
    if one.measure != "ratio" or one.lower is None:
        return False
    return one.upper.kind == "sum" and one.lower.kind == "count"


def _round(value: float) -> float:
    """Return a number without decimals where it is at least 10."""
    return round(value) if abs(value) >= LEAST_OF_A_RATE else value
