"""The evaluation report: how well a ranking finds, with pictures, on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from smartrisk.displays import (
    BacktestDisplay,
    Display,
    DriftDisplay,
    EffortCurveDisplay,
    ImportanceDisplay,
    RateCurveDisplay,
    ReliabilityDisplay,
    SegmentProfileDisplay,
    SegmentsDisplay,
    StabilityDisplay,
    Texts,
)
from smartrisk.evaluation import (
    Backtest,
    Calibration,
    EffortCurve,
    Evaluation,
    Segments,
)
from smartrisk.explanations import Reasons, importance, segment_profile, stability
from smartrisk.monitoring import Drift
from smartrisk.pages._metrics import make_metrics_section
from smartrisk.pages._page import Page, Picture, Section, check_kinds, make_picture
from smartrisk.pages._stages import target_notes

#: Segments drawn first, and how many: more pictures make the page hard to print.
_FIRST_SEGMENTS = ("origin", "importer_size", "office", "section")
_MOST_SEGMENTS = 6
_KINDS = {
    "evaluation": Evaluation,
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
    name : str, default=""
        Name of what was evaluated, the title of the page.
    calibration : Calibration or None, default=None
        Calibration on the same items.
    effort : EffortCurve or None, default=None
        Effort curve of the same items.
    segments : Segments or None, default=None
        Rates by segment of the same items.
    backtest : Backtest or None, default=None
        The same ranking, period by period.
    drift : Drift or None, default=None
        Drift of the declared fields.
    reasons : Reasons or None, default=None
        Reasons of many items.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> scores = key.assign(risk_score=world.declarations["duty_rate"])
    >>> result = sr.evaluation.evaluate(scores, world.full_outcomes())
    >>> report = sr.pages.EvaluationReport.from_evaluation(result, name="Duty rate")
    >>> "Duty rate" in report.to_html()
    True
    """

    evaluation: Evaluation
    name: str = ""
    calibration: Calibration | None = None
    effort: EffortCurve | None = None
    segments: Segments | None = None
    backtest: Backtest | None = None
    drift: Drift | None = None
    reasons: Reasons | None = None

    def __repr__(self) -> str:
        """Return the name and the results on the page."""
        given = [name for name in _KINDS if getattr(self, name) is not None]
        return f"EvaluationReport({self.name!r}: {', '.join(given)})"

    @classmethod
    def from_evaluation(
        cls,
        evaluation: Evaluation,
        *,
        name: str = "",
        calibration: Calibration | None = None,
        effort: EffortCurve | None = None,
        segments: Segments | None = None,
        backtest: Backtest | None = None,
        drift: Drift | None = None,
        reasons: Reasons | None = None,
    ) -> Self:
        """Return the report of an evaluation; what is not given is left out.

        Parameters
        ----------
        evaluation : Evaluation
            What `smartrisk.evaluation.evaluate` returned.
        name : str, default=""
            Name of what was evaluated, the title of the page.
        calibration : Calibration, default=None
            What `smartrisk.evaluation.calibration` returned for the same items.
        effort : EffortCurve, default=None
            What `smartrisk.evaluation.effort_curve` returned for the same items.
        segments : Segments, default=None
            What `smartrisk.evaluation.by_segment` returned for the same items.
        backtest : Backtest, default=None
            What `smartrisk.evaluation.backtest` returned.
        drift : Drift, default=None
            What `smartrisk.monitoring.drift` returned.
        reasons : Reasons, default=None
            What ``engine.explain`` returned for many items.

        Returns
        -------
        report : EvaluationReport
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If a result is not of its class.
        """
        given: dict[str, Any] = {
            "evaluation": evaluation,
            "calibration": calibration,
            "effort": effort,
            "segments": segments,
            "backtest": backtest,
            "drift": drift,
            "reasons": reasons,
        }
        check_kinds("EvaluationReport", given, _KINDS, required=("evaluation",))
        return cls(name=name, **given)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        numbers = iter(range(1, 1_000))
        return {
            "kind": _("Evaluation report"),
            "title": self.name or _("How well the ranking finds"),
            "meta": _("%(n)s items judged")
            % {"n": texts.number(self.evaluation.overall()["n_items"])},
            "sections": [
                self._figures(texts, numbers),
                *self._single_pictures(texts, numbers),
                *self._segments(texts, numbers),
                *self._drivers(texts, numbers),
            ],
            "notes": [
                *(
                    []
                    if self.reasons is None
                    else target_notes(self.reasons.target, texts)
                ),
                _(
                    "Figures rest on items whose result is known. Where inspections "
                    "followed a score or a rule, they are those of the inspected, not "
                    "of all."
                ),
            ],
        }

    def _figures(self, texts: Texts, numbers: Iterator[int]) -> Section:
        """Return the figures of the evaluation with their curves."""
        _ = texts.gettext
        curves = RateCurveDisplay.from_evaluations(self.evaluation)
        caption = _(
            "Precision and recall of the items ordered by risk, revenue share of those "
            "ordered by expected revenue where that is known, by inspection rate"
        )
        figures = make_metrics_section(self.evaluation, texts)
        return Section(
            title=figures.title,
            texts=figures.texts,
            facts=figures.facts,
            pictures=(make_picture(curves, caption, next(numbers), texts),),
            tables=figures.tables,
        )

    def _single_pictures(self, texts: Texts, numbers: Iterator[int]) -> list[Section]:
        """Return a section with one picture for each result that has one."""
        _ = texts.gettext
        sections: list[tuple[str, Display, str]] = []
        if self.calibration is not None:
            caption = _("Observed hit rate against risk score, in groups of equal size")
            display: Display = ReliabilityDisplay.from_calibrations(self.calibration)
            sections.append((_("Calibration"), display, caption))
        if self.effort is not None:
            caption = _("Share of the irregular items found by share inspected")
            display = EffortCurveDisplay.from_curve(self.effort)
            sections.append((_("Detection effort"), display, caption))
        if self.backtest is not None:
            caption = _("Period by period, each learned from what was known before it")
            display = BacktestDisplay.from_backtest(self.backtest)
            sections.append((_("Over time"), display, caption))
        if self.drift is not None:
            caption = _("How far the declared fields moved since the reference")
            display = DriftDisplay.from_drift(self.drift)
            sections.append((_("Drift"), display, caption))
        return [
            Section(
                title=title,
                pictures=(make_picture(display, caption, next(numbers), texts),),
            )
            for title, display, caption in sections
        ]

    def _segments(self, texts: Texts, numbers: Iterator[int]) -> list[Section]:
        """Return a picture of each segment, and the names of those not drawn."""
        _ = texts.gettext
        if self.segments is None:
            return []
        present = list(dict.fromkeys(self.segments.frame()["segment"]))
        names = [name for name in _FIRST_SEGMENTS if name in present]
        names += [name for name in present if name not in names]
        pictures = [
            make_picture(
                SegmentsDisplay.from_segments(self.segments, name),
                texts.words.capitalise(texts.segment(name)),
                next(numbers),
                texts,
            )
            for name in names[:_MOST_SEGMENTS]
        ]
        notes = [_("Hollow points rest on few items. Intervals are Wilson's.")]
        left = names[_MOST_SEGMENTS:]
        if left:
            listed = texts.words.join([texts.segment(name) for name in left])
            notes.append(_("Not drawn: %(segments)s.") % {"segments": listed})
        return [Section(title=_("Segments"), texts=notes, pictures=pictures)]

    def _drivers(self, texts: Texts, numbers: Iterator[int]) -> list[Section]:
        """Return what moves the scores: overall, over time, and by office."""
        _ = texts.gettext
        if self.reasons is None:
            return []
        pictures: list[Picture] = []

        def add(display: Display, caption: str) -> None:
            pictures.append(make_picture(display, caption, next(numbers), texts))

        add(
            ImportanceDisplay.from_importance(importance(self.reasons, "field")),
            _("Mean size of the contribution of each field, with its interval"),
        )
        over_time = stability(self.reasons)
        if over_time.frame()["period"].nunique() > 1:
            add(
                StabilityDisplay.from_stability(over_time),
                _("Whether the model keeps its reasons, month by month"),
            )
        if "office" in self.reasons.fields:
            profile = segment_profile(self.reasons, "office")
            add(
                SegmentProfileDisplay.from_profile(profile),
                _("Why offices score above or below the mean"),
            )
        return [Section(title=_("What moves the scores"), pictures=pictures)]
