"""The policy report: policies side by side, on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from smartrisk.displays import ClosedLoopDisplay, PolicyComparisonDisplay, Texts
from smartrisk.evaluation import PolicyComparison
from smartrisk.pages._page import (
    Page,
    Section,
    Table,
    check_kinds,
    currency_notes,
    make_picture,
)
from smartrisk.simulation import ClosedLoop


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PolicyReport(Page):
    """Policies side by side, with the differences and their intervals.

    Use `from_comparison`.

    Parameters
    ----------
    comparison : PolicyComparison
        The figures.
    loop : ClosedLoop or None, default=None
        The same policies month after month.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> both = {"offices": world.decisions(), "all": key.assign(channel="red")}
    >>> compared = sr.evaluation.compare_policies(both, world.full_outcomes())
    >>> "offices" in sr.pages.PolicyReport.from_comparison(compared).to_html()
    True
    """

    comparison: PolicyComparison
    loop: ClosedLoop | None = None

    def __repr__(self) -> str:
        """Return the number of policies."""
        return f"PolicyReport({len(self.comparison.frame())} policies)"

    @classmethod
    def from_comparison(
        cls, comparison: PolicyComparison, *, loop: ClosedLoop | None = None
    ) -> Self:
        """Return the page of a comparison.

        Parameters
        ----------
        comparison : PolicyComparison
            What `smartrisk.evaluation.compare_policies` returned.
        loop : ClosedLoop, default=None
            What `smartrisk.simulation.close_loop` returned for such policies.

        Returns
        -------
        report : PolicyReport
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If `comparison` or `loop` is not of its class.
        """
        check_kinds(
            "PolicyReport",
            {"comparison": comparison, "loop": loop},
            {"comparison": PolicyComparison, "loop": ClosedLoop},
            required=("comparison",),
        )
        return cls(comparison=comparison, loop=loop)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        frame = self.comparison.frame()
        sections = [self._figures(texts)]
        if len(frame) > 1:
            sections.append(self._differences(texts))
        if self.loop is not None:
            display = ClosedLoopDisplay.from_loop(self.loop)
            caption = _("Hit rate month after month, each policy learning from itself")
            pictures = (make_picture(display, caption, 2, texts),)
            sections.append(Section(title=_("In the closed loop"), pictures=pictures))
        return {
            "kind": _("Policy comparison"),
            "title": _("Policies side by side"),
            "meta": ", ".join(map(str, frame["policy"])),
            "sections": sections,
            "notes": [
                *currency_notes(None, texts),
                _(
                    "A policy that would have controlled items that nobody inspected "
                    "can only be judged where the truth is known or by off-policy "
                    "estimates."
                ),
            ],
        }

    def _figures(self, texts: Texts) -> Section:
        """Return what each policy finds."""
        _ = texts.gettext
        table = Table(
            caption=_("Each policy on the same items"),
            heads=(
                _("Policy"),
                _("Items"),
                texts.pgettext("head: number of items", "Controls"),
                texts.pgettext("head: number of items", "Irregular"),
                _("Hit rate"),
                _("Recall"),
                texts.pgettext("head: amounts", "Revenue"),
                _("Revenue share"),
            ),
            rows=[
                (
                    str(line["policy"]),
                    texts.number(line["n_items"]),
                    texts.number(line["n_controls"]),
                    texts.number(line["hits"]),
                    texts.rate(line["hit_rate"]),
                    texts.rate(line["recall"]),
                    texts.number(round(line["revenue"])),
                    texts.rate(line["revenue_share"]),
                )
                for line in self.comparison.frame().to_dict("records")
            ],
            numeric=frozenset(range(1, 8)),
        )
        return Section(title=_("What each policy finds"), tables=(table,))

    def _differences(self, texts: Texts) -> Section:
        """Return the differences to the first policy."""
        _ = texts.gettext
        gaps = self.comparison.differences()
        first = texts.name(self.comparison.frame()["policy"].iloc[0])
        names = {
            "hit_rate": _("hit rate"),
            "recall": _("recall"),
            "revenue_share": _("revenue share"),
        }
        gaps = gaps[gaps["measure"].isin(list(names))]
        caption = _(
            "Difference to “%(policy)s”, in percentage points, with 95 per cent "
            "intervals"
        )
        table = Table(
            caption=caption % {"policy": first},
            heads=(
                _("Policy"),
                texts.pgettext("head: rate", "Measure"),
                _("Difference"),
                _("Interval"),
            ),
            rows=[
                (
                    str(line["policy"]),
                    names[line["measure"]],
                    texts.points(line["difference"]),
                    f"{texts.points(line['low'])} … {texts.points(line['high'])}",
                )
                for line in gaps.to_dict("records")
            ],
            numeric=frozenset((2, 3)),
        )
        display = PolicyComparisonDisplay.from_comparison(self.comparison)
        caption = _("Differences to “%(policy)s”; the dotted line marks no difference")
        picture = make_picture(display, caption % {"policy": first}, 1, texts)
        return Section(
            title=texts.pgettext("heading: with the first policy", "Differences"),
            pictures=(picture,),
            tables=(table,),
        )
