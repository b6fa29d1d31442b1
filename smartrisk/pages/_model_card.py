"""The model card: what a model is for, its data, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from smartrisk.displays import ImportanceDisplay, Texts
from smartrisk.evaluation import Evaluation, Segments
from smartrisk.explanations import Reasons, importance
from smartrisk.ledger import Verification
from smartrisk.monitoring import Drift
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._metrics import make_metrics_section
from smartrisk.pages._obligations import (
    CardInputs,
    DecisionCounts,
    check_answers,
    make_obligations_section,
)
from smartrisk.pages._page import Page, Section, Table, check_kinds, make_picture
from smartrisk.pages._score_basis import ScoreBasis, make_basis_section
from smartrisk.schema import DECISIONS, TableInput
from smartrisk.validation import OnError, validate

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine

#: Segments whose gaps are listed first.
_FIRST_SEGMENTS = ("origin", "importer_size", "importer_novelty", "office")
_KINDS: dict[str, type] = {
    "evaluation": Evaluation,
    "segments": Segments,
    "data": DataCard,
    "reasons": Reasons,
    "ledger": Verification,
    "drift": Drift,
    "intended_use": str,
    "oversight": str,
    "answers": Mapping,
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModelCard(Page):
    """Intended use, data, metrics with intervals, segments, oversight, limits.

    Use `from_engine`.

    Parameters
    ----------
    _parameters : mapping of str to object
        What ``engine.describe`` returned.
    _inputs : CardInputs
        What was given to the card.
    _reasons : Reasons or None, default=None
        Reasons of many items.
    _basis : ScoreBasis or None, default=None
        What the scores rest on.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> card = sr.pages.ModelCard.from_engine(engine)
    >>> "not provided" in card.to_html()
    True
    """

    _parameters: Mapping[str, Any]
    _inputs: CardInputs
    _reasons: Reasons | None = None
    _basis: ScoreBasis | None = None

    def __repr__(self) -> str:
        """Return the version of the model."""
        return f"ModelCard({self._inputs.version!r})"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        *,
        evaluation: Evaluation | None = None,
        segments: Segments | None = None,
        data: DataCard | None = None,
        reasons: Reasons | None = None,
        decisions: TableInput | None = None,
        ledger: Verification | None = None,
        drift: Drift | None = None,
        intended_use: str | None = None,
        oversight: str | None = None,
        answers: Mapping[str, str] | None = None,
        on_error: OnError = "raise",
    ) -> Self:
        """Return the card of a fitted engine.

        Parameters
        ----------
        engine : RiskEngine
            Fitted; it is not changed.
        evaluation : Evaluation, default=None
            Evaluation on items that the engine was not fitted on.
        segments : Segments, default=None
            Rates by segment of the same items.
        data : DataCard, default=None
            Card of the data that the engine was fitted on.
        reasons : Reasons, default=None
            Of many items, for the importance of concepts.
        decisions : DataFrame, default=None
            DECISIONS taken with it.
        ledger : Verification, default=None
            What ``ledger.verify`` returned.
        drift : Drift, default=None
            Drift of the declared fields.
        intended_use : str, default=None
            The administration's text; None for a general one.
        oversight : str, default=None
            The administration's text on who decides.
        answers : mapping of str to str, default=None
            The administration's texts by point, such as ``{"EU AI Act 9": "..."}``.
        on_error : str, default="raise"
            "raise", or "set_aside" to go on without invalid rows of `decisions` and
            warn.

        Returns
        -------
        card : ModelCard
            What was not given appears as "not provided".

        Raises
        ------
        ArgumentError
            If an argument is not of its class, or `answers` names an unknown point.
        TableError
            If `decisions` are invalid.

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
        given: dict[str, Any] = {
            "evaluation": evaluation,
            "segments": segments,
            "data": data,
            "reasons": reasons,
            "ledger": ledger,
            "drift": drift,
            "intended_use": intended_use,
            "oversight": oversight,
            "answers": answers,
        }
        check_kinds("ModelCard", given, _KINDS)
        counts = None
        if decisions is not None:
            table = validate(decisions, DECISIONS, on_error=on_error)
            counts = DecisionCounts.from_decisions(table) if len(table) else None
        info = engine.features_.feature_info_
        basis = ScoreBasis.from_engine(engine)
        inputs = CardInputs(
            version=str(engine.version_),
            fields=tuple(dict.fromkeys(str(f) for i in info for f in i.fields)),
            intended_use=intended_use,
            oversight=oversight,
            evaluation=evaluation,
            segments=segments,
            data=data,
            decisions=counts,
            ledger=ledger,
            drift=drift,
            answers=check_answers(answers),
            stage="model" if basis is None else basis.stage,
            has_intervals=basis is not None and basis.calibration is not None,
        )
        return cls(
            _parameters=engine.describe(),
            _inputs=inputs,
            _reasons=reasons,
            _basis=basis,
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        sections = [
            self._use(texts),
            self._data(texts),
            *([] if self._basis is None else [make_basis_section(self._basis, texts)]),
            make_metrics_section(self._inputs.evaluation, texts),
            self._gaps(texts),
            self._drivers(texts),
            self._oversight(texts),
            make_obligations_section(self._inputs, texts),
            self._settings(texts),
        ]
        return {
            "kind": _("Model card"),
            "title": _("Risk model %(version)s") % {"version": self._inputs.version},
            "meta": _("%(items)s items, %(results)s results, %(features)s features")
            % {
                "items": texts.number(self._parameters["n_items"]),
                "results": texts.number(self._parameters["n_results"]),
                "features": texts.number(self._parameters["n_features"]),
            },
            "sections": sections,
        }

    def _use(self, texts: Texts) -> Section:
        """Return what the model is for, and what not."""
        _ = texts.gettext
        return Section(
            title=_("Intended use"),
            texts=(
                self._inputs.intended_use
                or _(
                    "To rank import declarations for control under a limited capacity, "
                    "as advice to officers."
                ),
            ),
            points=(
                _("Not to decide without an officer, and not as proof of anything."),
                _("Not for criminal proceedings, and not to rate persons."),
                _("Not on the trade of another country without fitting it there."),
                _(
                    "Not shown to those who are assessed: scores and reasons show how "
                    "to avoid selection."
                ),
            ),
        )

    def _data(self, texts: Texts) -> Section:
        """Return the data on which it was fitted."""
        _ = texts.gettext
        made = self._parameters
        facts = [
            (_("items in the history"), texts.number(made["n_items"])),
            (_("results that the model learned from"), texts.number(made["n_results"])),
            (
                _("days until a result counts as known"),
                texts.number(made["label_delay"]),
            ),
        ]
        if self._inputs.data is not None:
            card = self._inputs.data.scorecard.facts()
            facts += [
                # After `update` the history holds more items than these.
                (_("items described below"), texts.number(card.n_items)),
                (_("first item"), texts.moment(card.first_day)),
                (_("last item"), texts.moment(card.last_day)),
                (_("items with a result"), texts.rate(card.inspected_share)),
                (_("hit rate of the inspected"), texts.rate(card.hit_rate)),
                (_("days to the result, median"), texts.number(card.delay_median)),
            ]
        return Section(
            title=_("Data, their selection and delay"),
            texts=(
                _(
                    "Only inspected items have a result, and inspections are not a "
                    "random sample: the model learned from what was inspected. Items "
                    "without a result feed the history, and are never taken for "
                    "compliant. Every feature uses only what was known on the day of "
                    "lodgement."
                ),
            ),
            facts=facts,
        )

    def _gaps(self, texts: Texts) -> Section:
        """Return gaps between segments."""
        _ = texts.gettext
        title = _("Segments and gaps")
        if self._inputs.segments is None:
            return Section(
                title=title,
                texts=(texts.pgettext("instead of a section", "not provided"),),
            )
        return Section(
            title=title,
            texts=(
                _(
                    "A gap does not prove discrimination, and no gap does not prove "
                    "its absence: risk itself differs. A gap shows where to ask why."
                ),
            ),
            tables=(_gap_table(self._inputs.segments, texts),),
        )

    def _drivers(self, texts: Texts) -> Section:
        """Return what moves the scores."""
        _ = texts.gettext
        title = _("What moves the scores")
        if self._reasons is None:
            return Section(
                title=title,
                texts=(texts.pgettext("instead of a section", "not provided"),),
            )
        display = ImportanceDisplay.from_importance(importance(self._reasons))
        caption = _("Mean size of the contribution of each concept, with its interval")
        picture = make_picture(display, caption, 1, texts)
        return Section(title=title, pictures=(picture,))

    def _oversight(self, texts: Texts) -> Section:
        """Return who decides."""
        _ = texts.gettext
        return Section(
            title=_("Human oversight"),
            texts=(
                self._inputs.oversight
                or texts.pgettext("instead of a section", "not provided"),
            ),
            points=(
                _(
                    "The score is advice; an override and its reason can be recorded "
                    "in the ledger."
                ),
                _("Controls can be drawn at random, so that errors come to light."),
                _(
                    "Results of controls arrive late and are not free of error; what "
                    "officers miss, the model does not learn."
                ),
            ),
        )

    def _settings(self, texts: Texts) -> Section:
        """Return the parameters."""
        _ = texts.gettext
        table = Table(
            caption=_("Parameters"),
            heads=(_("Name"), texts.pgettext("head: of a parameter", "Value")),
            rows=[(name, _format(value)) for name, value in self._parameters.items()],
            wide=frozenset((1,)),
        )
        return Section(title=_("How it was made"), tables=(table,))


def _gap_table(segments: Segments, texts: Texts) -> Table:
    """Return the lowest and the highest rate of each segment and measure."""
    _ = texts.gettext
    gaps = segments.gaps()
    measures = {
        "base_rate": _("irregular among those judged"),
        "selection_rate": texts.pgettext("row: rate of a segment", "selected"),
        "precision": _("irregular among the selected"),
        "recall": _("selected among the irregular"),
    }
    order = {name: place for place, name in enumerate(_FIRST_SEGMENTS)}
    place = gaps["segment"].map(order).fillna(len(order))
    gaps = gaps.iloc[np.argsort(place.to_numpy(), kind="stable")]
    return Table(
        caption=_("Lowest and highest value of each segment, those with many items"),
        heads=(
            _("Segment"),
            texts.pgettext("head: rate", "Measure"),
            texts.pgettext("head: value of a rate", "Lowest"),
            texts.pgettext("head: value of a rate", "Highest"),
            _("Intervals apart"),
        ),
        rows=[
            (
                texts.segment(line["segment"]),
                measures.get(line["measure"], line["measure"]),
                f"{texts.rate(line['low'])} ({texts.segment_value(line['lowest'])})",
                f"{texts.rate(line['high'])} ({texts.segment_value(line['highest'])})",
                texts.words.text("yes" if line["clear"] else "no"),
            )
            for line in gaps.to_dict("records")
        ],
    )


def _format(value: object) -> str:
    """Return a parameter as a text."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
