"""The case sheet: all that an officer needs of one item, on a page that prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import TableError
from smartrisk.explanations import Counterfactuals, Reasons, counterfactuals, removal
from smartrisk.pages._case_history import (
    heading,
    make_history_table,
    make_recent_table,
    make_unit_value_plot,
    select_earlier,
)
from smartrisk.pages._page import Page, currency_notes, history_notes
from smartrisk.pages._stages import (
    interval_text,
    revenue_line,
    score_label,
    scored_text,
    stage_notes,
    target_notes,
    undecided_text,
)
from smartrisk.schema import (
    CURRENCY,
    DECLARATIONS,
    KEY,
    OUTCOMES,
    OWN_FIELDS,
    TableInput,
)
from smartrisk.validation import OnError, read_declarations, validate

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine, StageReport

#: Earlier items that may replace the data of the first reason: `removal` draws thirty
#: of them, so more would cost time and change nothing.
_BACKGROUND = 60
#: Contribution, in log-odds, whose bar is full: it multiplies the odds by twenty.
_FULL_BAR = 3.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaseSheet(Page):
    """One item: score, reasons, history, what to check, space for the finding.

    Use `from_engine`.

    Parameters
    ----------
    reasons : Reasons
        Reasons of the item.
    _item : DataFrame of one row
        Canonical DECLARATIONS.
    _score : Series
        Its SCORES.
    _past : DataFrame
        What `earlier_items` returns.
    counterfactuals : Counterfactuals or None, default=None
        Changes that would have lowered the score; None where they were not computed.
    removal_effect : float or None, default=None
        Fall of the log-odds without the first reason; None where it was not tested.
    history_until : Timestamp or None, default=None
        Day of the last item in the history of the engine.
    stage_report : StageReport or None, default=None
        What the scores of the engine rest on.
    undecided : bool, default=False
        Whether the interval of the score includes the level of selection.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> sheet = sr.pages.CaseSheet.from_engine(engine, world.declarations.tail(1))
    >>> "Reasons to look" in sheet.to_html()
    True
    """

    reasons: Reasons
    _item: pd.DataFrame
    _score: pd.Series
    _past: pd.DataFrame
    counterfactuals: Counterfactuals | None = None
    removal_effect: float | None = None
    history_until: pd.Timestamp | None = None
    stage_report: StageReport | None = None
    undecided: bool = False

    identities = True
    _template = "case.html"

    def __repr__(self) -> str:
        """Return the key of the item."""
        row = self._item.iloc[0]
        return f"CaseSheet({row['declaration_id']!r}, {row.get('item_number', 1)})"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        item: TableInput,
        *,
        past: TableInput | None = None,
        outcomes: TableInput | None = None,
        top: int = 3,
        undecided: bool = False,
        on_error: OnError = "raise",
    ) -> Self:
        """Return the case sheet of one item.

        Parameters
        ----------
        engine : RiskEngine
            Fitted; it is not changed.
        item : DataFrame of one row
            DECLARATIONS.
        past : DataFrame, default=None
            DECLARATIONS of earlier items, for the history and for what would have
            lowered the score. Items lodged on the day of the item or later are left
            out.
        outcomes : DataFrame, default=None
            OUTCOMES. Results that were not known before the day are left out.
        top : int, default=3
            Maximum number of reasons on either side.
        undecided : bool, default=False
            Whether the interval of the score includes the level from which items were
            selected, as `smartrisk.selectivity.mark_undecided` returns it for the items
            of a day: the sheet states that the score does not decide.
        on_error : str, default="raise"
            "raise", or "set_aside" to continue without invalid rows of `past` and
            `outcomes` and warn.

        Returns
        -------
        sheet : CaseSheet
            Write it with `save`.

        Raises
        ------
        TableError
            If `item` is not one row, or a table is invalid.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(3_000, random_state=0)
        >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        >>> items = world.declarations
        >>> sheet = sr.pages.CaseSheet.from_engine(
        ...     engine, items.tail(1), past=items, outcomes=world.outcomes)
        >>> "History" in sheet.to_html()
        True
        """
        row = read_declarations(item, engine.own_fields_)
        if len(row) != 1:
            raise TableError(
                "pages.not_one_item",
                "CaseSheet.from_engine: 'item' must be one row; got {n_items}. Pass "
                "items.loc[[label]], or make a sheet for each.",
                n_items=len(row),
            )
        reasons = engine.explain(row, top=top)
        earlier = row.iloc[:0].assign(illicit=np.nan)
        changes, effect = None, None
        if past is not None:
            items = read_declarations(past, engine.own_fields_, on_error=on_error)
            results = None
            if outcomes is not None:
                results = validate(outcomes, OUTCOMES, on_error=on_error)
            earlier = select_earlier(row, items, results, engine.label_delay)
        if len(earlier):
            goods = earlier[heading(earlier) == heading(row).iloc[0]]
            if len(goods):
                changes = counterfactuals(row, engine.score, goods)
            effect = _removal_effect(engine, reasons, earlier)
        return cls(
            reasons=reasons,
            _item=row,
            _score=engine.score(row).iloc[0],
            _past=earlier,
            counterfactuals=changes,
            removal_effect=effect,
            history_until=_last_day_visible(
                engine.history_until, row["lodged_at"].iloc[0]
            ),
            stage_report=engine.stage_report_,
            undecided=bool(undecided),
        )

    def earlier_items(self) -> pd.DataFrame:
        """Return the earlier items that the tables of the sheet count.

        Returns
        -------
        earlier_items : DataFrame
            DECLARATIONS lodged before the day of the item, with ``illicit`` as it was
            known then: missing where there was no result, or not yet.
        """
        return self._past.copy()

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        row, has_past = self._item.iloc[0], not self._past.empty
        title = _("Declaration %(declaration)s, item %(item)s") % {
            "declaration": str(row["declaration_id"]),
            "item": row.get("item_number", 1),
        }
        meta = _("Lodged %(moment)s · model version %(version)s") % {
            "moment": texts.moment_in_words(row.get("lodged_at")),
            "version": self._score["model_version"],
        } + scored_text(self._score.get("scored_at"), texts)
        statement = self.reasons.statements(lang=texts.lang)[0]
        stage = self.reasons.stage
        own = self._item.attrs.get(OWN_FIELDS, {})
        return {
            "kind": _("Case sheet"),
            "title": title,
            "meta": meta,
            "risk": texts.score(self._score["risk_score"], stage),
            "risk_label": score_label(stage, texts, self.reasons.target),
            "interval": interval_text(self._score, stage, texts),
            "undecided": undecided_text(texts) if self.undecided else "",
            "revenue": revenue_line(self._score["expected_revenue"], stage, texts),
            "by_log_odds": stage != "no results",
            "statement": texts.words.capitalise(statement),
            "reasons": _reason_lines(self.reasons, texts),
            "release": _reason_lines(self.reasons.release, texts),
            "removed": self._removal_note(texts),
            "until": self._history_note(texts),
            "asked_counterfactuals": self.counterfactuals is not None,
            "counterfactuals": self._counterfactual_lines(texts),
            "declared": [
                (texts.words.field(name), texts.value(name, row[name]))
                for name in map(str, self._item.columns)
                if (name in DECLARATIONS or name in own) and name not in KEY
            ],
            "history": make_history_table(row, self._past, texts) if has_past else None,
            "plot": make_unit_value_plot(row, self._past, texts) if has_past else None,
            "recent": make_recent_table(row, self._past, texts) if has_past else None,
            "controls": _controls(texts),
            "results": [
                texts.pgettext("result", "as declared"),
                _("irregularity, more is due"),
                _("irregularity, nothing is due"),
            ],
            "notes": [
                *stage_notes(stage, self.stage_report, texts),
                *self._target_notes(texts),
                *currency_notes(self._item.attrs.get(CURRENCY), texts),
                _(
                    "A reason names what raised or lowered the score, compared with "
                    "what was known at lodgement. It is neither a finding nor a "
                    "proof. The decision is the officer's."
                ),
                _("For officers only: reasons show how to avoid selection."),
            ],
        }

    def _target_notes(self, texts: Texts) -> list[str]:
        """Return what the scores are about, and what the tables count."""
        notes = target_notes(self.reasons.target, texts)
        if notes and len(self._past):
            _ = texts.gettext
            notes.append(_("The tables of earlier items count every irregularity."))
        return notes

    def _counterfactual_lines(self, texts: Texts) -> list[str]:
        """Return the changes that would have lowered the score, as sentences."""
        if self.counterfactuals is None:
            return []
        sentences = self.counterfactuals.frame(lang=texts.lang)["sentence"]
        return [texts.words.capitalise(sentence) for sentence in sentences]

    def _history_note(self, texts: Texts) -> str:
        """Return how far the engine's history goes, and the number of later items."""
        notes = history_notes(self.history_until, texts)
        if notes and len(self._past):
            later = self._past["lodged_at"].dt.normalize() > self.history_until
            n_later = int(later.sum())
            if n_later:
                note = texts.ngettext(
                    "The tables below include %(n)s later item that the reasons do "
                    "not know: update the engine's history before the next sheet.",
                    "The tables below include %(n)s later items that the reasons do "
                    "not know: update the engine's history before the next sheet.",
                    n_later,
                )
                notes.append(note % {"n": texts.number(n_later)})
        return " ".join(notes)

    def _removal_note(self, texts: Texts) -> str:
        """Return whether the score falls without the first reason, or why not."""
        _ = texts.gettext
        if self.removal_effect is None:
            return ""
        if self.removal_effect > 0 and self.reasons.stage == "no results":
            return _(
                "Tested: with what other items declare in place of the first reason's "
                "data, the score falls."
            )
        if self.removal_effect > 0:
            return _(
                "Tested: with what other items declare in place of the first reason's "
                "data, the log-odds fall by %(size)s on average."
            ) % {"size": texts.words.localise(f"{self.removal_effect:.2f}")}
        return _(
            "Tested: without the first reason alone the score does not fall, because "
            "other declared data carry the same information or it counts only together "
            "with them. "
            "Take the reasons together."
        )


def _controls(texts: Texts) -> list[str]:
    """Return the kinds of control that a form offers."""
    return [
        texts.pgettext("kind of control", "documents"),
        texts.pgettext("kind of control", "physical"),
        texts.pgettext("kind of control", "scan"),
        texts.pgettext("kind of control", "audit"),
        "…",
    ]


def _last_day_visible(
    history_until: pd.Timestamp | None, lodged: pd.Timestamp
) -> pd.Timestamp | None:
    """Return the last day of a history that an item may use: before its own day."""
    before = lodged.normalize() - pd.Timedelta(days=1)
    return None if history_until is None else min(history_until, before)


def _removal_effect(
    engine: RiskEngine, reasons: Reasons, earlier: pd.DataFrame
) -> float | None:
    """Return the fall of the score without the first reason; None where not testable.

    The test needs earlier items with every field that the engine reads.
    """
    known = {*DECLARATIONS.names, *engine.own_fields_}
    needed = [n for n in engine.features_.feature_names_in_ if n in known]
    if not set(needed) <= set(earlier):
        return None
    background = earlier.sample(min(len(earlier), _BACKGROUND), random_state=0)
    fields = [name for name in background if name in known]
    others = engine.features_.transform(background[fields])
    table = removal(reasons, engine.classifier_.raw_score, others).frame()
    return float(table["moved"].iloc[0]) if len(table) else None


def _reason_lines(reasons: Reasons, texts: Texts) -> list[dict[str, Any]]:
    """Return the reasons of an item as a template shows them."""
    words, firm = texts.words, reasons.at_least("slight")
    return [
        {
            "rank": line["rank"],
            "sentence": words.capitalise(line["sentence"]),
            "concept": words.concept(line["concept"]),
            "strength": words.text(f"strength.{line['strength']}"),
            "size": f"{min(abs(line['contribution']) / _FULL_BAR, 1.0) * 100:.0f}",
            "contribution": words.signed_number(line["contribution"]),
            "check": words.capitalise(line["check"]),
        }
        for line in firm.frame(lang=texts.lang).to_dict("records")
    ]
