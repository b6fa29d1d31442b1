"""The rules of a competition: what to hand in, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.pages._page import Page, Section, Table


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompetitionRules(Page):
    """The rules of a competition on a page: files, rounds, score, commitment.

    `smartrisk.workshop.Competition.open` writes it for the class.

    Parameters
    ----------
    capacity : int
        Items that a team may choose in a round.
    cost : float
        Cost of a control.
    n_items : sequence of int
        Items of each round.
    days : sequence of Timestamp
        First day of each round, then the day after the last.
    commitment : str
        SHA-256 of the truth and a salt, which are opened afterwards.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.pages import CompetitionRules
    >>> days = pd.date_range("2024-01-01", periods=2, freq="MS")
    >>> page = CompetitionRules(
    ...     capacity=50, cost=400.0, n_items=(900,), days=tuple(days), commitment="ab"
    ... )
    >>> "round1_items.csv" in page.to_html(lang="es")
    True
    """

    _template: ClassVar[str] = "report.html"
    capacity: int
    cost: float
    n_items: Sequence[int]
    days: Sequence[pd.Timestamp]
    commitment: str

    def __repr__(self) -> str:
        """Return the number of rounds."""
        return f"CompetitionRules({len(self.n_items)} rounds)"

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        return {
            "kind": _("Competition"),
            "title": _("Which items would you open?"),
            "meta": _(
                "Three rounds at one customs office. The truth is opened afterwards."
            ),
            "sections": (
                self._files(texts),
                self._rounds(texts),
                self._sending(texts),
                self._score(texts),
                self._fingerprint(texts),
            ),
            "notes": [_("All data are made up. Nobody in them exists.")],
        }

    def _files(self, texts: Texts) -> Section:
        """Return what is in the folder."""
        _ = texts.gettext
        day = texts.day_in_words(self.days[0])
        rows = [
            ("declarations.csv", _("Items declared before the first round.")),
            (
                "results.csv",
                _("Results of controls that were known on %(day)s.") % {"day": day},
            ),
        ]
        rows += [
            (
                f"round{number}_items.csv",
                _("Items of round %(number)s, from which you choose.")
                % {"number": number},
            )
            for number in range(1, len(self.n_items) + 1)
        ]
        table = Table(
            caption=_("The tables have the columns of DECLARATIONS and OUTCOMES."),
            heads=(_("File"), texts.pgettext("head: of a file", "Content")),
            rows=rows,
            wide=frozenset((1,)),
        )
        return Section(title=_("What is in this folder"), tables=(table,))

    def _rounds(self, texts: Texts) -> Section:
        """Return when the rounds are, and what changes."""
        _ = texts.gettext
        last = [day - pd.Timedelta(days=1) for day in self.days[1:]]
        rows = [
            (
                texts.number(number),
                texts.day_in_words(first),
                texts.day_in_words(end),
                texts.number(n),
                texts.number(self.capacity),
            )
            for number, (first, end, n) in enumerate(
                zip(self.days, last, self.n_items, strict=False), start=1
            )
        ]
        table = Table(
            caption=_("Every round is one month."),
            heads=(
                texts.pgettext("head: part of a competition", "Round"),
                texts.pgettext("first day", "From"),
                texts.pgettext("last day", "To"),
                _("Items"),
                _("You may choose"),
            ),
            rows=rows,
            numeric=frozenset((0, 3, 4)),
        )
        return Section(
            title=_("The rounds"),
            points=(
                _("Round 1: the trade is that of the year before."),
                _("Round 2: something new begins. No result shows it yet."),
                _("Round 3: traders with a finding against them react to it."),
            ),
            tables=(table,),
        )

    def _sending(self, texts: Texts) -> Section:
        """Return what to hand in."""
        _ = texts.gettext
        return Section(
            title=_("What you hand in"),
            points=(
                _(
                    "One CSV file for each round, called %(name)s: the name of your "
                    "team, then the round. Its columns are declaration_id and "
                    "item_number, one line for each item that you would open."
                )
                % {"name": texts.pgettext("name of a file", "red_round1.csv")},
                _(
                    "A better version is called %(name)s. The last one that can be "
                    "read counts."
                )
                % {"name": texts.pgettext("name of a file", "red_round1_v2.csv")},
                _(
                    "Instead, the folder of a saved engine, called after your team: "
                    "it selects in every round by expected revenue."
                ),
                _(
                    "A file with an item twice, with an item of another round, or with "
                    "more items than the capacity is refused as a whole."
                ),
            ),
        )

    def _score(self, texts: Texts) -> Section:
        """Return how it is judged."""
        _ = texts.gettext
        return Section(
            title=_("How you are judged"),
            points=(
                _(
                    "Net benefit: the revenue that was evaded on the items that you "
                    "opened, minus %(cost)s for each control. You may open fewer items "
                    "than the capacity."
                )
                % {"cost": texts.amount(self.cost)},
                _("Precision: the share of your items that are illicit."),
                _(
                    "Both have 95 % intervals. Teams whose difference may be chance "
                    "are shown as equal."
                ),
            ),
        )

    def _fingerprint(self, texts: Texts) -> Section:
        """Return the commitment."""
        _ = texts.gettext
        return Section(
            title=_("The fingerprint of the truth"),
            texts=(
                _(
                    "Note these digits, or take a picture of them. They are the "
                    "SHA-256 of the truth and a secret salt. At the end you receive "
                    "both, and can verify that nobody changed the truth."
                ),
                self.commitment,
            ),
        )
