"""The model card: what a model is for, what it was made of, and how it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays import ImportanceDisplay, Texts
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import Evaluation, Segments
from smartrisk.explanations import Reasons, importance
from smartrisk.languages import N_
from smartrisk.ledger import Verification
from smartrisk.monitoring import Drift
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._obligations import Shown, checked_answers, duties
from smartrisk.pages._page import Page, Section, Table, picture

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine

_SEGMENTS = ("origin", "importer_size", "importer_novelty", "office")
_MEASURES = ("precision", "recall", "revenue_share")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModelCard(Page):
    """Intended use, data, metrics with intervals, segments, oversight, limits.

    Use `from_engine`.

    Parameters
    ----------
    parameters : mapping
        What the engine was made with.
    shown : Shown
        What was handed to the card.
    reasons : Reasons or None
        Of many items.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> card = sr.pages.ModelCard.from_engine(engine)
    >>> "not provided" in card.to_html()
    True
    """

    parameters: Mapping[str, Any]
    shown: Shown
    reasons: Reasons | None = None

    def __repr__(self) -> str:
        """Name the model."""
        return f"ModelCard({self.shown.version!r})"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        *,
        evaluation: Evaluation | None = None,
        segments: Segments | None = None,
        data: DataCard | None = None,
        reasons: Reasons | None = None,
        **given: Any,
    ) -> Self:
        """Return the card of a fitted engine.

        Parameters
        ----------
        engine : RiskEngine
            Fitted.
        evaluation : Evaluation, default=None
            On items that it was not fitted on.
        segments : Segments, default=None
            Of the same items.
        data : DataCard, default=None
            Of what it was fitted on.
        reasons : Reasons, default=None
            Of many items, for the importance of concepts.
        **given : object
            ``decisions`` (DECISIONS taken with it), ``ledger`` (a `Verification`),
            ``drift`` (a `Drift` of its fields), ``intended_use`` and ``oversight``
            (texts of the administration), and ``answers`` (its texts by point, as
            ``{"EU AI Act 9": "..."}``).

        Returns
        -------
        card : ModelCard
            What was not handed over is said to be "not provided".

        Raises
        ------
        TypeError
            If anything else is given.
        ArgumentError
            If something is not of its kind, or `answers` names a point that there is
            not.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(3_000, random_state=0)
        >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        >>> card = sr.pages.ModelCard.from_engine(
        ...     engine, oversight="Every control is decided by an officer.")
        >>> "decided by an officer" in card.to_html()
        True
        """
        known = ("decisions", "ledger", "drift", "intended_use", "oversight", "answers")
        _check_kinds(
            {
                "evaluation": evaluation,
                "segments": segments,
                "data": data,
                "reasons": reasons,
                **given,
            }
        )
        odd = [name for name in given if name not in known]
        if odd:
            raise TypeError(
                f"ModelCard.from_engine: unknown {', '.join(odd)}; known are "
                f"{', '.join(known)}."
            )
        parameters = engine.describe()
        decisions: pd.DataFrame | None = given.get("decisions")
        ledger: Verification | None = given.get("ledger")
        shown = Shown(
            version=str(engine.version_),
            fields=tuple(
                dict.fromkeys(
                    str(field)
                    for info in engine.features_.feature_info_
                    for field in info.fields
                )
            ),
            intended_use=given.get("intended_use"),
            oversight=given.get("oversight"),
            evaluation=evaluation,
            segments=segments,
            data=data,
            decisions=decisions,
            ledger=ledger,
            drift=given.get("drift"),
            answers=checked_answers(given.get("answers")),
        )
        return cls(parameters=parameters, shown=shown, reasons=reasons)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        sections = [
            self._use(texts),
            self._data(texts),
            metrics(self.shown.evaluation, texts),
            self._fairness(texts),
            self._drivers(texts),
            self._oversight(texts),
            duties(self.shown, texts),
            self._made(texts),
        ]
        return {
            "kind": _("Model card"),
            "title": _("Risk model %(version)s") % {"version": self.shown.version},
            "meta": _("%(items)s items, %(results)s results, %(features)s features")
            % {
                "items": texts.number(self.parameters["n_items"]),
                "results": texts.number(self.parameters["n_results"]),
                "features": texts.number(self.parameters["n_features"]),
            },
            "sections": sections,
        }

    def _use(self, texts: Texts) -> Section:
        """Return what the model is for, and what not."""
        _ = texts.gettext
        return Section(
            title=_("Intended use"),
            texts=(
                self.shown.intended_use
                or _(
                    "To put import declarations in order for control under a limited "
                    "capacity, as advice to officers."
                ),
            ),
            points=(
                _("Not to decide without an officer, and not as proof of anything."),
                _("Not for criminal proceedings, and not to rate persons."),
                _("Not on the trade of another country without fitting it anew."),
                _(
                    "Not shown to those who are assessed: scores and reasons teach how "
                    "to avoid them."
                ),
            ),
        )

    def _data(self, texts: Texts) -> Section:
        """Return what it was made of."""
        _ = texts.gettext
        card = self.shown.data
        delay = texts.number(self.parameters["label_delay"])
        facts = [
            (_("items that taught the history"), _n(self.parameters["n_items"], texts)),
            (
                _("results that taught the model"),
                _n(self.parameters["n_results"], texts),
            ),
            (_("days until a result counts as known"), delay),
        ]
        if card is not None:
            facts += [
                (_("first item"), texts.moment(card.facts["first"])),
                (_("last item"), texts.moment(card.facts["last"])),
                (_("items with a result"), texts.rate(card.facts["inspected_share"])),
                (_("hit rate of the inspected"), texts.rate(card.facts["hit_rate"])),
                (_("days to the result, median"), _n(card.facts["delay"], texts)),
            ]
        return Section(
            title=_("Data, their selection and delay"),
            texts=(
                _(
                    "Only inspected items have a result, and inspections were not "
                    "drawn by chance: the model knows what was looked at. Items "
                    "without a result teach the history, and are never taken for "
                    "compliant. Every feature uses only what was known on the day of "
                    "lodgement."
                ),
            ),
            facts=facts,
        )

    def _fairness(self, texts: Texts) -> Section:
        """Return gaps between segments."""
        _ = texts.gettext
        title = _("Segments and gaps")
        if self.shown.segments is None:
            return Section(title=title, texts=(_("not provided"),))
        table = self.shown.segments.gaps()
        names = {
            "base_rate": _("irregular among those judged"),
            "selection_rate": _("selected"),
            "precision": _("irregular among the selected"),
            "recall": _("reached of the irregular"),
        }
        order = {name: place for place, name in enumerate(_SEGMENTS)}
        place = table["segment"].map(order).fillna(len(order))
        kept = table.iloc[np.argsort(place.to_numpy(), kind="stable")]
        rows = [
            (
                texts.segment(line["segment"]),
                names.get(line["measure"], line["measure"]),
                f"{texts.rate(line['low'])} ({texts.segment_value(line['lowest'])})",
                f"{texts.rate(line['high'])} ({texts.segment_value(line['highest'])})",
                _("yes") if line["clear"] else _("no"),
            )
            for line in kept.to_dict("records")
        ]
        grid = Table(
            caption=_(
                "Lowest and highest value of each segment, those with many items"
            ),
            heads=(
                _("Segment"),
                _("Measure"),
                _("Lowest"),
                _("Highest"),
                _("Intervals apart"),
            ),
            rows=rows,
        )
        return Section(
            title=title,
            texts=(
                _(
                    "A gap is no proof of discrimination, and none is no proof of its "
                    "absence: risk itself differs. It says where to ask why."
                ),
            ),
            tables=(grid,),
        )

    def _drivers(self, texts: Texts) -> Section:
        """Return what moves the scores."""
        _ = texts.gettext
        title = _("What moves the scores")
        if self.reasons is None:
            return Section(title=title, texts=(_("not provided"),))
        told = importance(self.reasons)
        shown = ImportanceDisplay.from_importance(told)
        caption = _("Mean size of the contribution of each concept, with its interval")
        return Section(title=title, pictures=(picture(shown, caption, 9, texts),))

    def _oversight(self, texts: Texts) -> Section:
        """Return who decides."""
        _ = texts.gettext
        return Section(
            title=_("Human oversight"),
            texts=(self.shown.oversight or _("not provided"),),
            points=(
                _(
                    "The score is advice; an override and its reason can be recorded "
                    "in the ledger."
                ),
                _("Controls can be drawn at random, so that errors come to light."),
                _(
                    "Results of controls come late and are not free of error; what "
                    "officers miss, the model does not learn."
                ),
            ),
        )

    def _made(self, texts: Texts) -> Section:
        """Return the parameters."""
        _ = texts.gettext
        rows = [(name, _short(value)) for name, value in self.parameters.items()]
        table = Table(
            caption=_("Parameters"),
            heads=(_("Name"), _("Value")),
            rows=rows,
            texts=frozenset((1,)),
        )
        return Section(title=_("How it was made"), tables=(table,))


_KINDS: dict[str, type] = {
    "evaluation": Evaluation,
    "segments": Segments,
    "data": DataCard,
    "reasons": Reasons,
    "decisions": pd.DataFrame,
    "ledger": Verification,
    "drift": Drift,
    "intended_use": str,
    "oversight": str,
    "answers": Mapping,
}


def _check_kinds(given: Mapping[str, Any]) -> None:
    """Raise unless everything that is given is of its kind, all at once."""
    wrong = [
        f"{name!r} must be a {kind.__name__}, got {type(given[name]).__name__}"
        for name, kind in _KINDS.items()
        if given.get(name) is not None and not isinstance(given[name], kind)
    ]
    decisions = given.get("decisions")
    if isinstance(decisions, pd.DataFrame) and "channel" not in decisions:
        wrong.append("'decisions' must be DECISIONS, got a table without 'channel'")
    if wrong:
        raise ArgumentError(
            "pages.message",
            "ModelCard: {wrong}.",
            wrong="; ".join(wrong),
        )


def metrics(evaluation: Evaluation | None, texts: Texts) -> Section:
    """Return the figures of an evaluation, with intervals."""
    _ = texts.gettext
    title = _("How well it finds")
    if evaluation is None:
        return Section(title=title, texts=(_("not provided"),))
    overall = evaluation.overall()
    order = {"risk_score": _("risk"), "expected_revenue": _("expected revenue")}
    rows = [
        (
            order.get(line["rank_by"], line["rank_by"]),
            texts.share(line, overall["n_items"]),
            texts.number(line["n_inspected"]),
            *(
                cell
                for name in _MEASURES
                for cell in (
                    texts.rate(line.get(name)),
                    texts.between(line.get(f"{name}_low"), line.get(f"{name}_high")),
                )
            ),
        )
        for line in evaluation.frame().to_dict("records")
    ]
    table = Table(
        caption=_("By inspection rate, with 95 per cent intervals"),
        heads=(
            _("Ordered by"),
            _("Inspected"),
            _("Items"),
            _("Precision"),
            _("Interval"),
            _("Recall"),
            _("Interval"),
            _("Revenue share"),
            _("Interval"),
        ),
        rows=rows,
        numeric=frozenset(range(1, 9)),
    )
    return Section(
        title=title,
        texts=tuple(_note(note, texts) for note in evaluation.notes),
        facts=(
            (_("items judged"), texts.number(overall["n_items"])),
            (_("without a result"), texts.number(overall["n_unlabelled"])),
            (_("base rate"), texts.rate(overall["base_rate"])),
            (_("area under the ROC curve"), texts.decimal(overall["roc_auc"])),
            (_("average precision"), texts.decimal(overall["average_precision"])),
            (_("Brier score"), texts.decimal(overall["brier"])),
            (_("calibration error"), texts.decimal(overall["calibration_error"])),
        ),
        tables=(table,),
    )


_NOTES = (
    N_("No item has an outcome: nothing can be said."),
    N_("All outcomes are alike: rankings cannot be told apart."),
    N_("No revenue_adjustment: revenue shares are not given."),
)
_FEW = re.compile(r"Only (\d+) hits: intervals are wide\.")


def _note(note: str, texts: Texts) -> str:
    """Return a note of an evaluation in the language of the page."""
    few = _FEW.fullmatch(note)
    if few:
        said = texts.gettext("Only %(n)s hits: intervals are wide.")
        return said % {"n": texts.number(int(few[1]))}
    return texts.gettext(note) if note in _NOTES else note


def _n(value: Any, texts: Texts) -> str:
    """Return a count."""
    return texts.number(value)


def _short(value: Any) -> str:
    """Return a parameter as a text."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
