"""The evaluation report and the comparison of policies, as pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from smartrisk.displays import (
    BacktestDisplay,
    ClosedLoopDisplay,
    Display,
    DriftDisplay,
    EffortCurveDisplay,
    ImportanceDisplay,
    PolicyComparisonDisplay,
    RateCurveDisplay,
    ReliabilityDisplay,
    SegmentProfileDisplay,
    SegmentsDisplay,
    StabilityDisplay,
    Texts,
)
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import (
    Backtest,
    Calibration,
    EffortCurve,
    Evaluation,
    PolicyComparison,
    Segments,
)
from smartrisk.explanations import Reasons, importance, segment_profile, stability
from smartrisk.monitoring import Drift
from smartrisk.pages._model_card import metrics
from smartrisk.pages._page import Page, Section, Table, picture

_SEGMENTS = ("origin", "importer_size", "office", "section")
_MOST = 6  # segments drawn
_KINDS = {
    "calibration": Calibration,
    "effort": EffortCurve,
    "segments": Segments,
    "backtest": Backtest,
    "drift": Drift,
    "reasons": Reasons,
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EvaluationReport(Page):
    """Figures with intervals and their pictures, on one page.

    Use `from_evaluation`.

    Parameters
    ----------
    evaluation : Evaluation
        The figures.
    others : mapping of str to object
        Other results: "calibration", "effort", "segments", "backtest", "drift",
        "reasons".
    name : str
        What was evaluated.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> scores = key.assign(risk_score=world.declarations["duty_rate"])
    >>> found = sr.evaluation.evaluate(scores, world.full_outcomes())
    >>> report = sr.pages.EvaluationReport.from_evaluation(found, name="Duty rate")
    >>> "Duty rate" in report.to_html()
    True
    """

    evaluation: Evaluation
    others: Mapping[str, Any]
    name: str

    def __repr__(self) -> str:
        """Say what it holds."""
        return f"EvaluationReport({self.name!r}, {', '.join(self.others) or 'alone'})"

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, *, name: str = "", **others: Any
    ) -> Self:
        """Return the report of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            What `smartrisk.evaluation.evaluate` returned.
        name : str, default=""
            What was evaluated.
        **others : object
            ``calibration``, ``effort``, ``segments``, ``backtest``, ``drift``: what the
            functions of these names returned; ``reasons``: those of the items. What is
            not given is left out.

        Returns
        -------
        report : EvaluationReport
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If a result is not of its kind.

        Examples
        --------
        >>> from smartrisk.pages import EvaluationReport
        >>> EvaluationReport.from_evaluation(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: EvaluationReport: 'evaluation' must be...
        """
        for key, value in {"evaluation": evaluation, **others}.items():
            kind = {"evaluation": Evaluation, **_KINDS}.get(key)
            if kind is None:
                raise ArgumentError(
                    "pages.unknown_known",
                    "EvaluationReport: unknown {key!r}; known are {KINDS}.",
                    key=key,
                    KINDS=", ".join(_KINDS),
                )
            if not isinstance(value, kind):
                raise ArgumentError(
                    "pages.got",
                    "EvaluationReport: {key!r} must be a {name}; got {value_type}.",
                    key=key,
                    name=kind.__name__,
                    value_type=type(value).__name__,
                )
        return cls(evaluation=evaluation, others=others, name=name)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        curves = RateCurveDisplay.from_evaluations(self.evaluation)
        found = metrics(self.evaluation, texts)
        caption = _(
            "Precision and recall of the items ordered by risk, revenue share of those "
            "ordered by expected revenue where that is known, by inspection rate"
        )
        sections = [
            Section(
                title=found.title,
                texts=found.texts,
                facts=found.facts,
                pictures=(picture(curves, caption, 1, texts),),
                tables=found.tables,
            )
        ]
        for number, (key, value) in enumerate(self.others.items(), start=2):
            sections += self._more(key, value, 10 * number, texts)
        return {
            "kind": _("Evaluation report"),
            "title": self.name or _("How well the ranking finds"),
            "meta": _("%(n)s items judged")
            % {"n": texts.number(self.evaluation.overall()["n_items"])},
            "sections": sections,
            "notes": [
                _(
                    "Figures rest on items whose result is known. Where inspections "
                    "followed a score or a rule, they are those of the inspected, not "
                    "of all."
                )
            ],
        }

    def _more(self, key: str, value: Any, number: int, texts: Texts) -> list[Section]:
        """Return the sections of another result."""
        _ = texts.gettext
        if key == "segments":
            there = list(dict.fromkeys(value.frame()["segment"]))
            names = [s for s in _SEGMENTS if s in there]
            names += [s for s in there if s not in names]
            left, names = names[_MOST:], names[:_MOST]
            pictures = [
                picture(
                    SegmentsDisplay.from_segments(value, name),
                    texts.segment(name),
                    number + place,
                    texts,
                )
                for place, name in enumerate(names)
            ]
            notes = [_("Hollow points rest on few items. Intervals are Wilson's.")]
            if left:
                listed = texts.words.listed([texts.segment(name) for name in left])
                notes.append(_("Not drawn: %(segments)s.") % {"segments": listed})
            return [Section(title=_("Segments"), texts=notes, pictures=pictures)]
        if key == "reasons":
            return [_moving(value, number, texts)]
        made = {
            "calibration": (
                ReliabilityDisplay.from_calibrations,
                _("Calibration"),
                _("Observed hit rate against risk score, in groups of like size"),
            ),
            "effort": (
                EffortCurveDisplay.from_curve,
                _("Detection effort"),
                _("Share of the irregular items found by share inspected"),
            ),
            "backtest": (
                BacktestDisplay.from_backtest,
                _("Over time"),
                _("Period by period, learned from what was known before it"),
            ),
            "drift": (
                DriftDisplay.from_drift,
                _("Drift"),
                _("How far the declared fields moved since the reference"),
            ),
        }
        display, title, caption = made[key]
        shown: Any = display
        return [
            Section(
                title=title, pictures=(picture(shown(value), caption, number, texts),)
            )
        ]


def _moving(reasons: Reasons, number: int, texts: Texts) -> Section:
    """Return what moves the scores: overall, over time, and by office."""
    _ = texts.gettext
    shown: list[tuple[Display, str]] = [
        (
            ImportanceDisplay.from_importance(importance(reasons, "field")),
            _("Mean size of the contribution of each field, with its interval"),
        )
    ]
    over_time = stability(reasons)
    if over_time.n_periods > 1:
        caption = _("Whether the model keeps its reasons, month by month")
        shown.append((StabilityDisplay.from_stability(over_time), caption))
    if "office" in reasons.fields:
        profile = segment_profile(reasons, "office")
        caption = _("Why offices score above or below the mean")
        shown.append((SegmentProfileDisplay.from_profile(profile), caption))
    pictures = [
        picture(display, caption, number + place, texts)
        for place, (display, caption) in enumerate(shown)
    ]
    return Section(title=_("What moves the scores"), pictures=pictures)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PolicyReport(Page):
    """Policies side by side, with the differences and their intervals.

    Use `from_comparison`.

    Parameters
    ----------
    comparison : PolicyComparison
        The figures.
    loop : ClosedLoop or None
        The same policies month after month.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> both = {"offices": world.decisions(), "all": key.assign(channel="red")}
    >>> told = sr.evaluation.compare_policies(both, world.full_outcomes())
    >>> "offices" in sr.pages.PolicyReport.from_comparison(told).to_html()
    True
    """

    comparison: PolicyComparison
    loop: Any = None

    def __repr__(self) -> str:
        """Say how many policies."""
        return f"PolicyReport({len(self.comparison.frame())} policies)"

    @classmethod
    def from_comparison(cls, comparison: PolicyComparison, *, loop: Any = None) -> Self:
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
            If it is no comparison.

        Examples
        --------
        >>> from smartrisk.pages import PolicyReport
        >>> PolicyReport.from_comparison(3)
        Traceback (most recent call last):
        ...
        smartrisk.errors.ArgumentError: PolicyReport: 'comparison' must be what...
        """
        if not isinstance(comparison, PolicyComparison):
            raise ArgumentError(
                "pages.comparison_what_evaluation_compare_policies",
                "PolicyReport: 'comparison' must be what "
                "evaluation.compare_policies returned; got {comparison_type}.",
                comparison_type=type(comparison).__name__,
            )
        return cls(comparison=comparison, loop=loop)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        frame = self.comparison.frame()
        rows = [
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
            for line in frame.to_dict("records")
        ]
        table = Table(
            caption=_("Each policy on the same items"),
            heads=(
                _("Policy"),
                _("Items"),
                _("Controls"),
                _("Irregular"),
                _("Hit rate"),
                _("Recall"),
                _("Revenue"),
                _("Revenue share"),
            ),
            rows=rows,
            numeric=frozenset(range(1, 8)),
        )
        sections = [Section(title=_("What each policy finds"), tables=(table,))]
        if len(frame) > 1:
            sections.append(self._differences(texts))
        if self.loop is not None:
            shown = ClosedLoopDisplay.from_loop(self.loop)
            caption = _("Hit rate month after month, each policy learning from itself")
            title = _("In the closed loop")
            sections.append(
                Section(title=title, pictures=(picture(shown, caption, 2, texts),))
            )
        return {
            "kind": _("Policy comparison"),
            "title": _("Policies side by side"),
            "meta": ", ".join(map(str, frame["policy"])),
            "sections": sections,
            "notes": [
                _(
                    "A policy that would have controlled items that nobody inspected "
                    "can only be judged where the truth is known or by off-policy "
                    "estimates."
                )
            ],
        }

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
        kept = gaps[gaps["measure"].isin(list(names))]
        rows = [
            (
                str(line["policy"]),
                names[line["measure"]],
                texts.points(line["difference"]),
                f"{texts.points(line['low'])} … {texts.points(line['high'])}",
            )
            for line in kept.to_dict("records")
        ]
        table = Table(
            caption=_(
                "Difference to “%(policy)s”, in percentage points, with 95 per cent "
                "intervals"
            )
            % {"policy": first},
            heads=(_("Policy"), _("Measure"), _("Difference"), _("Interval")),
            rows=rows,
            numeric=frozenset((2, 3)),
        )
        shown = PolicyComparisonDisplay.from_comparison(self.comparison)
        caption = _("Differences to “%(policy)s”; the dotted line is no difference") % {
            "policy": first
        }
        return Section(
            title=_("Differences"),
            pictures=(picture(shown, caption, 1, texts),),
            tables=(table,),
        )
