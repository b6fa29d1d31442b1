"""The first page of the demonstration: what to open and why, contenders compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from smartrisk.displays import Texts
from smartrisk.errors import ArgumentError, check_number
from smartrisk.evaluation import Evaluation
from smartrisk.languages import N_
from smartrisk.pages._page import Page, Table, check_kinds

#: Files in the order in which they are best opened: name, title, why.
_FILES = (
    (
        "watch-list",
        N_("Watch list"),
        N_(
            "The items to control, in order, each with its reasons: what an officer "
            "opens in the morning."
        ),
    ),
    (
        "case-1",
        N_("Case sheet"),
        N_(
            "The first item of the list on one sheet: why it was selected, what to "
            "check, what speaks for its release, and space for the finding."
        ),
    ),
    (
        "evaluation",
        N_("Evaluation report"),
        N_("How well the ranking finds, with intervals: for those who decide on it."),
    ),
    (
        "use-case",
        N_("Use case"),
        N_(
            "Two pages that present this case to another administration; the open "
            "places are yours to complete."
        ),
    ),
    (
        "model-card",
        N_("Model card"),
        N_("What the model is for, what it learned from, and its limits: for audit."),
    ),
    (
        "data-card",
        N_("Data card"),
        N_("How complete and how late the data are: the first thing to improve."),
    ),
    (
        "table",
        N_("Table of the watch list"),
        N_("The same items as a file for a spreadsheet."),
    ),
    (
        "picture",
        N_("Picture of the comparison"),
        N_("Precision and revenue share by inspection rate, for your slides."),
    ),
)
#: Names of the contenders of the demonstration.
_CONTENDERS = {
    "smartrisk": "smartrisk",
    "highest duty first": N_("highest duty first"),
    "smoothed-rate sum": N_("smoothed-rate sum"),
    "DATE features": N_("DATE features"),
    "at random": N_("at random"),
}


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A file to open: where it is, what it is called, what it is for."""

    link: str
    title: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DemoIndex(Page):
    """What to open first and why, and each contender by both orders.

    Use `from_demo`. It holds counts and shares only, no party and no item.

    Parameters
    ----------
    files : mapping of str to str
        Names of the files beside the page, by what they are.
    results : mapping of str to Evaluation
        What each contender reached, on the same items.
    capacity : float
        Inspection rate that is shown.
    counts : mapping of str to int
        ``n_items``, ``n_past``, ``n_results``, ``n_judged`` and ``seed`` of the world.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> scores = key.assign(risk_score=world.declarations["duty_rate"])
    >>> result = sr.evaluation.evaluate(scores, world.full_outcomes(), n_bootstrap=0)
    >>> page = sr.pages.DemoIndex.from_demo(
    ...     {"watch-list": "watch-list.html"}, {"duty rate": result}, capacity=0.05)
    >>> 'href="watch-list.html"' in page.to_html()
    True
    """

    _template: ClassVar[str] = "demo.html"
    files: Mapping[str, str]
    results: Mapping[str, Evaluation]
    capacity: float
    counts: Mapping[str, int]

    def __repr__(self) -> str:
        """Return the numbers of files and contenders."""
        return f"DemoIndex({len(self.files)} files, {len(self.results)} contenders)"

    @classmethod
    def from_demo(
        cls,
        files: Mapping[str, str | Path],
        results: Mapping[str, Evaluation],
        *,
        capacity: float,
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """Return the page of a demonstration.

        Parameters
        ----------
        files : mapping of str to str or Path
            Files in the folder of the page, by what they are: the names of
            `write_pages`, and "use-case" and "picture". Others are left out.
        results : mapping of str to Evaluation
            What `smartrisk.evaluation.evaluate` returned for each contender.
        capacity : float
            Inspection rate that is shown; one of those evaluated.
        counts : mapping of str to int, default=None
            ``n_items``, ``n_past``, ``n_results``, ``n_judged`` and ``seed`` of the
            world; None to state none of them.

        Returns
        -------
        page : DemoIndex
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If there is no result, one is of another class, or `capacity` was not
            evaluated.
        """
        check_number("DemoIndex", "capacity", capacity, low=0.0, high=1.0)
        kinds = dict.fromkeys(results, Evaluation)
        check_kinds("DemoIndex", dict(results), kinds, required=tuple(results))
        missing = [
            name
            for name, result in results.items()
            if not (result.frame()["rate"] == capacity).any()
        ]
        if missing or not results:
            raise ArgumentError(
                "pages.capacity_not_evaluated",
                "DemoIndex: 'results' must hold an evaluation at the rate {capacity}; "
                "missing for {names}. Pass this rate to evaluate(rates=...).",
                capacity=capacity,
                names=", ".join(map(repr, missing)) or "every contender",
            )
        return cls(
            files={name: Path(path).name for name, path in files.items()},
            results=dict(results),
            capacity=capacity,
            counts=dict(counts or {}),
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        return {
            "kind": _("Demonstration"),
            "title": _("What to open first"),
            "meta": _("Everything here is made up: no real trader is in it."),
            "entries": [
                _Entry(link=self.files[name], title=_(title), why=_(why))
                for name, title, why in _FILES
                if name in self.files
            ],
            "about": self._describe_world(texts),
            "comparison": self._compare(texts),
            "remarks": _remarks(texts),
        }

    def _describe_world(self, texts: Texts) -> Sequence[str]:
        """Return what was learned from and what is judged."""
        _ = texts.gettext
        if not self.counts:
            return ()
        numbers = {name: texts.number(n) for name, n in self.counts.items()}
        return (
            _(
                "A synthetic world of %(n_items)s items (seed %(seed)s). The engine "
                "learned from %(n_past)s items, of which %(n_results)s had a result; "
                "it is judged on the truth of all %(n_judged)s later items."
            )
            % numbers,
        )

    def _compare(self, texts: Texts) -> Table:
        """Return precision and revenue share of each contender by each order."""
        _ = texts.gettext
        orders = {"risk_score": _("risk"), "expected_revenue": _("expected revenue")}
        rows = []
        for name, result in self.results.items():
            frame = result.frame()
            has_two = frame["rank_by"].nunique() > 1
            rows += [
                (
                    _(_CONTENDERS[name]) if name in _CONTENDERS else name,
                    orders[line["rank_by"]] if has_two else "–",
                    *_with_interval(line, "precision", texts),
                    *_with_interval(line, "recall", texts),
                    *_with_interval(line, "revenue_share", texts),
                )
                for line in frame[frame["rate"] == self.capacity].to_dict("records")
            ]
        return Table(
            caption=_("If %(rate)s of the items can be controlled")
            % {"rate": texts.rate(self.capacity)},
            heads=(
                texts.pgettext("head: method that is compared", "Contender"),
                texts.pgettext("head: order of the items", "Ordered by"),
                _("Precision"),
                _("Interval"),
                _("Recall"),
                _("Interval"),
                _("Revenue share"),
                _("Interval"),
            ),
            rows=rows,
            numeric=frozenset(range(2, 8)),
        )


def _with_interval(line: Mapping[Any, Any], name: str, texts: Texts) -> tuple[str, str]:
    """Return a measure and its interval."""
    bounds = line.get(f"{name}_low"), line.get(f"{name}_high")
    return texts.rate(line[name]), texts.between(*bounds)


def _remarks(texts: Texts) -> tuple[str, ...]:
    """Return how the comparison is to be read."""
    _ = texts.gettext
    return (
        _(
            "Precision: the share of the controls that find something. Revenue share: "
            "the part of all evaded revenue that these controls find. No order is best "
            "at both, so a policy can blend them, as the watch list does."
        ),
        _(
            "The expected revenue of the other contenders is their score times the "
            "declared duty; the amounts of the engine are learned."
        ),
    )
