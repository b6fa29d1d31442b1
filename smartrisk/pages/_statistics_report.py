"""The statistics report: what controls found and what they cost, for managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from smartrisk.displays import Texts
from smartrisk.languages import N_
from smartrisk.pages._indicators import (
    LEAST_OF_A_RATE,
    MOST_GROUPS,
    MOST_PERIODS,
    Figures,
    Indicator,
)
from smartrisk.pages._page import Page, check_kinds, currency_notes
from smartrisk.pages._statistics_brief import write_brief
from smartrisk.statistics import EnforcementStatistics

#: Headings of the page, and the indicators under each; others are a country's own.
_THEMES: Mapping[str, Sequence[str]] = {
    N_("What controls find"): (
        *("hit_rate", "hit_rate_risk", "hit_rate_random", "lift"),
        *("non_compliance", "detection_yield", "seizure_rate"),
    ),
    N_("Revenue"): (
        *("revenue_per_control", "revenue_uplift", "value_uplift", "refunds"),
    ),
    N_("Release and other times"): (
        *("release_time", "lodgement_to_release", "same_day", "five_day"),
        *("over_a_month", "inspection_time", "result_latency", "unresolved_share"),
    ),
    N_("Controls and lanes"): (
        *("lodged", "control_rate", "physical_rate", "documentary_rate"),
        *("random_share", "discretionary_share", "channel_share"),
        *("channel_share_final", "electronic_share"),
    ),
    N_("What officers changed"): ("override_rate", "override_direction"),
    N_("Audits and trusted traders"): (
        *("pca_hit_rate", "pca_yield", "trusted_value_share"),
    ),
}
_OWN = N_("Your own indicators")


@dataclass(frozen=True, kw_only=True)
class _Theme:
    """Indicators under one heading."""

    title: str
    indicators: Sequence[Indicator]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StatisticsReport(Page):
    """Enforcement statistics for managers: half a page in words, then the indicators.

    Use `from_statistics`. The words state what was expected, found and recovered, what
    it cost, and what the figures do not show. Each indicator follows with its course,
    its interval, the number of units it rests on, what is pending, and its definition
    one click away. It names offices, no party and no item; figures of few traders are
    not hidden: `smartrisk.statistics.publish` does that.

    Parameters
    ----------
    statistics : EnforcementStatistics
        The figures.
    name : str, default=""
        Name of the administration or of the period, for the title.
    currency : str or None, default=None
        Currency of the amounts.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> figures = sr.statistics.enforcement(
    ...     world.declarations, world.outcomes, world.decisions()
    ... )
    >>> page = sr.pages.StatisticsReport.from_statistics(figures)
    >>> "What it does not show" in page.to_html()
    True
    """

    _template: ClassVar[str] = "statistics.html"
    statistics: EnforcementStatistics
    name: str = ""
    currency: str | None = None

    def __repr__(self) -> str:
        """Return what the figures are."""
        return f"StatisticsReport({self.statistics!r})"

    @classmethod
    def from_statistics(
        cls,
        statistics: EnforcementStatistics,
        *,
        name: str = "",
        currency: str | None = None,
    ) -> Self:
        """Return the page of enforcement statistics.

        Parameters
        ----------
        statistics : EnforcementStatistics
            What `smartrisk.statistics.enforcement` returned. By a period ("month",
            "quarter" or "year") it has courses; the first other field is shown in
            tables; further fields are taken together.
        name : str, default=""
            Name of the administration or of the period, for the title.
        currency : str, default=None
            Currency of the amounts.

        Returns
        -------
        report : StatisticsReport
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If `statistics` is not of its class.
        """
        check_kinds(
            "StatisticsReport",
            {"statistics": statistics},
            {"statistics": EnforcementStatistics},
            required=("statistics",),
        )
        return cls(statistics=statistics, name=name, currency=currency)

    def brief(self, *, lang: str = "en") -> dict[str, list[str]]:
        """Return the half page in words.

        Parameters
        ----------
        lang : {"en", "fr", "es"}, default="en"
            Language.

        Returns
        -------
        brief : dict of str to list of str
            Sentences by heading: what was expected, found and recovered, what it cost,
            and what the figures do not show.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        return write_brief(Figures(self.statistics, Texts(lang)))

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        figures = Figures(self.statistics, texts)
        lodged = figures.total("lodged")
        meta = _("As of %(moment)s") % {"moment": texts.moment(self.statistics.as_of)}
        if figures.periods:
            meta += f" · {figures.periods[0]} … {figures.periods[-1]}"
        if lodged is not None:
            count = _("declarations lodged: %(n)s")
            if lodged["unit"] == "item":
                count = _("items lodged: %(n)s")
            meta += " · " + count % {"n": texts.number(lodged["value"])}
        return {
            "kind": _("Enforcement statistics"),
            "title": self.name or _("What our controls find, and what they cost"),
            "meta": meta,
            "brief": write_brief(figures),
            "themes": _list_themes(figures),
            "open_periods": figures.open_periods,
            "notes": [*self._notes(figures), *currency_notes(self.currency, texts)],
        }

    def _notes(self, figures: Figures) -> list[str]:
        """Return how the figures are to be read."""
        texts = figures.texts
        _ = texts.gettext
        notes = [
            _(
                "Intervals are of 95 per cent. A rate that rests on fewer than %(n)s "
                "units is shown with its interval only: the small lines leave it out."
            )
            % {"n": LEAST_OF_A_RATE},
            _(
                "Definitions are those of this library, each with a public anchor, and "
                "not those of another organisation."
            ),
        ]
        if len(figures.groups) > MOST_GROUPS or len(figures.periods) > MOST_PERIODS:
            notes.append(
                _(
                    "Tables show the %(groups)s largest groups and the last "
                    "%(periods)s periods; the workbook has all."
                )
                % {"groups": MOST_GROUPS, "periods": MOST_PERIODS}
            )
        return notes


def _list_themes(figures: Figures) -> list[_Theme]:
    """Return the indicators under their headings."""
    _ = figures.texts.gettext
    known = {id for ids in _THEMES.values() for id in ids}
    own = tuple(id for id in figures.definitions if id not in known)
    return [
        _Theme(
            title=_(title),
            indicators=[
                figures.indicator(id) for id in ids if id in figures.definitions
            ],
        )
        for title, ids in {**_THEMES, _OWN: own}.items()
        if ids
    ]
