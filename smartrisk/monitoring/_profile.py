"""`InputProfile`: what the inputs of an engine were like, and whether a batch fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring._batch_dates import (
    days_and_months,
    judge_dates,
    months_to_a_day,
)
from smartrisk.monitoring._guard_report import Finding, GuardReport
from smartrisk.monitoring._profile_rows import BLOCK, MOST_EARLIER, ProfileRows
from smartrisk.monitoring._signs import CHECKS, Sign, figures_of, signs_of
from smartrisk.monitoring._usual_values import UsualValues

#: Items of a batch from which shares and medians are judged. The standard error of a
#: share of 100 items is at most 5 percentage points, half of the least change of one
#: that matters.
LEAST_BATCH = 100
#: Items from which facts about a whole column are judged: fewer can be one document,
#: whose lines lack the same field.
LEAST_ITEMS = 20
#: Items of a batch that are looked at, evenly spread over it: the standard error of a
#: share of 5,000 is 0.7 percentage points, and more would make scoring slower.
MOST_ITEMS = 5_000
#: Batches of the later items without which they are made smaller.
_LEAST_BLOCKS = 12
#: Fields whose values make batches of their own: each office sends its file.
_SENDERS = ("office", "transport_mode")
#: How many usual spreads of a figure a batch may differ by. With 100 figures per batch
#: and spreads estimated from a dozen batches, five would be exceeded by chance.
_SPREADS = 6.0
#: Items with another value that a batch would have even if it were the most uniform of
#: the usual ones: a batch without any is chance in one case of 22,000 (exp(-10)).
_OTHERS_EXPECTED = 10.0
#: Share of the items for which a fact is about the whole column.
_WHOLE = 0.99
#: Highest usual share of a fact that a small batch can show.
_RARE = 0.01


@dataclass(frozen=True, kw_only=True)
class UsualFigure:
    """The usual figure of a sign in batches: median, spread, and the highest."""

    centre: float
    spread: float
    highest: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InputProfile:
    """What the inputs of an engine looked like.

    Parameters
    ----------
    usual : UsualValues
        Usual codes, pairs of codes, formats, and levels of amounts.
    figures : dict of str to UsualFigure
        Name of a sign, such as ``missing:origin``, to its usual figure.
    usual_months : float
        Over how many months the dates of a usual batch spread to each day of the month.
    first_day, last_day : Timestamp
        First and last day of lodgement.
    n_items : int
        Items that it was learned from.

    Notes
    -----
    It names no trader and no declaration: codes are kept as 64-bit numbers, ids of
    traders as a sketch in which every second id that was never seen seems known.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(4_000, random_state=0)
    >>> profile = sr.monitoring.InputProfile.learn(world.declarations.head(3_500))
    >>> batch = world.declarations.tail(500)
    >>> profile.check(batch)
    GuardReport(500 items: nothing found)
    >>> in_grams = batch.assign(net_mass_kg=1000 * batch["net_mass_kg"])
    >>> profile.check(in_grams).frame()["fields"].tolist()
    ['net_mass_kg']
    """

    usual: UsualValues
    figures: Mapping[str, UsualFigure]
    usual_months: float
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    n_items: int

    def __repr__(self) -> str:
        """Return the number of items and the days."""
        return (
            f"InputProfile({self.n_items} items, {self.first_day:%Y-%m-%d} to "
            f"{self.last_day:%Y-%m-%d})"
        )

    @classmethod
    def learn(cls, declarations: pd.DataFrame) -> InputProfile:
        """Learn what is usual from declarations.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.

        Returns
        -------
        profile : InputProfile
            With bounds where there are at least 1,000 items, else with facts about
            whole columns only.
        """
        rows = ProfileRows.choose(declarations["lodged_at"].to_numpy())
        return cls.learn_rows(rows, declarations)

    @classmethod
    def learn_rows(cls, rows: ProfileRows, items: pd.DataFrame) -> InputProfile:
        """Learn what is usual from items that were chosen before.

        Parameters
        ----------
        rows : ProfileRows
            The chosen items, by their positions in `items`.
        items : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS that hold them.

        Returns
        -------
        profile : InputProfile
            That of all items among which these were chosen.
        """
        figures, usual_months = _learn_figures(items, rows)
        return cls(
            usual=UsualValues.learn(items.iloc[rows.known], most=MOST_EARLIER),
            figures=figures,
            usual_months=usual_months,
            first_day=rows.first_day,
            last_day=rows.last_day,
            n_items=rows.n_items,
        )

    def check(
        self, declarations: pd.DataFrame, *, until: pd.Timestamp | None = None
    ) -> GuardReport:
        """Return what of a batch does not fit.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS that belong together, such as those of a day or of
            an office. Fewer than 20 are not judged, fewer than 100 by facts about
            whole columns only.
        until : Timestamp, default=None
            Day of the last item in the history; None for that of the profile.

        Returns
        -------
        report : GuardReport
            Empty where the batch fits.
        """
        n_items = len(declarations)
        if n_items < LEAST_ITEMS:
            return GuardReport(findings=(), n_items=n_items)
        step = -(-n_items // MOST_ITEMS)
        items = declarations.iloc[::step]
        findings = self._judge(items)
        findings = self._name_swaps(items, findings)
        findings += judge_dates(
            items, self.first_day, until or self.last_day, self.usual_months
        )
        return GuardReport(findings=tuple(findings), n_items=n_items)

    def _judge(self, items: pd.DataFrame) -> list[Finding]:
        """Return the signs of a batch whose figure is not usual."""
        every = np.arange(len(items))[None, :]
        found = []
        for sign in signs_of(items, self.usual):
            seen = float(figures_of(sign, every)[0])
            finding = self._judge_figure(sign, seen, len(items))
            if finding is not None:
                found.append(finding)
        return _without_consequences(found)

    def _judge_figure(self, sign: Sign, seen: float, n_items: int) -> Finding | None:
        """Return a finding where the figure of a sign is not usual."""
        usual = self.figures.get(sign.name)
        if usual is None or np.isnan(seen):
            return None
        check = CHECKS[sign.check]
        allowed: float
        if n_items < LEAST_BATCH:
            is_odd = check.facts and seen >= _WHOLE and usual.centre <= _RARE
            allowed = _WHOLE
        else:
            spread = usual.spread * np.sqrt(max(BLOCK / n_items, 1.0))
            allowed = float(max(check.change, _SPREADS * spread))
            gap = seen - usual.centre
            is_odd = (
                abs(gap) > allowed
                if check.both
                else gap > allowed and seen >= check.lowest
            )
            if sign.check == "stuck" and seen == 1.0:
                is_odd |= n_items * (1.0 - usual.highest) >= _OTHERS_EXPECTED
        if not is_odd:
            return None
        return Finding(
            check=sign.check,
            fields=sign.fields,
            seen=seen,
            usual=usual.centre,
            allowed=allowed,
            n_items=n_items,
        )

    def _name_swaps(
        self, items: pd.DataFrame, findings: list[Finding]
    ) -> list[Finding]:
        """Return the findings, those of two columns that fit when exchanged as one."""
        named = sorted({name for f in findings for name in f.fields})
        for place, one in enumerate(named):
            for other in named[place + 1 :]:
                if items[one].dtype != items[other].dtype:
                    continue
                own = [f for f in findings if {one, other} & set(f.fields)]
                back = self._judge(items.rename(columns={one: other, other: one}))
                left = [f for f in back if {one, other} & set(f.fields)]
                if not left:
                    swap = replace(own[0], check="swapped", fields=(one, other))
                    return [swap, *(f for f in findings if f not in own)]
        return findings


def _without_consequences(findings: list[Finding]) -> list[Finding]:
    """Return findings without those that another one explains."""
    alone: dict[str, set[str]] = {}
    for finding in findings:
        if len(finding.fields) == 1:
            alone.setdefault(finding.fields[0], set()).add(finding.check)
    explains = {
        "unseen": {"format", "zeros", "stuck"},
        "format": {"zeros"},
        "trader": {"format", "stuck"},
        "level": {"stuck"},
    }
    kept = []
    for finding in findings:
        others = set().union(*(alone.get(name, set()) for name in finding.fields))
        if len(finding.fields) == 2:
            if others:
                continue
        elif others & explains.get(finding.check, set()):
            continue
        kept.append(finding)
    return kept


def _learn_figures(
    items: pd.DataFrame, rows: ProfileRows
) -> tuple[dict[str, UsualFigure], float]:
    """Return the usual figure of every sign, and the most months to a day."""
    if not len(rows.later):
        return {}, 0.0
    earlier, later = items.iloc[rows.earlier], items.iloc[rows.later]
    blocks = _make_blocks(later)
    figures = {}
    for sign in signs_of(later, UsualValues.learn(earlier, most=MOST_EARLIER)):
        values = figures_of(sign, blocks)
        values = values[~np.isnan(values)]
        if len(values):
            figures[sign.name] = UsualFigure(
                centre=float(np.median(values)),
                spread=float(values.std()),
                highest=float(values.max()),
            )
    days, months = days_and_months(later["lodged_at"])
    most = max(months_to_a_day(days[block], months[block]) for block in blocks)
    return figures, most


def _make_blocks(items: pd.DataFrame) -> NDArray[np.intp]:
    """Return positions of batches: consecutive in time, and of one sender."""
    size = min(BLOCK, max(len(items) // _LEAST_BLOCKS, LEAST_ITEMS))
    orders = [np.arange(len(items))]
    for name in (n for n in _SENDERS if n in items):
        codes = pd.factorize(items[name])[0]
        orders += [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    blocks = [
        order[: len(order) // size * size].reshape(-1, size)
        for order in orders
        if len(order) >= size
    ]
    return np.concatenate(blocks)
