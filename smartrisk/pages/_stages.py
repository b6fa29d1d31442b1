"""What scores rest on, in the words of a page: stages, intervals, undecided items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.explanations import Wording
from smartrisk.items import ANY_HIT
from smartrisk.languages import catalogue
from smartrisk.schema import INTERVAL

if TYPE_CHECKING:
    from smartrisk.engine import StageReport


def stage_notes(stage: str, report: StageReport | None, texts: Texts) -> list[str]:
    """Return notes on what scores rest on; none for a model of enough results.

    `report` is what ``engine.stage_report_`` holds, None where that is not known.
    """
    _ = texts.gettext
    if stage == "model":
        return []
    notes = []
    if report is not None:
        translate = catalogue("messages", texts.lang).gettext
        notes.append(report.message().text(translate))
    if stage == "no results":
        notes.append(_("Amounts weighted by such scores are not expected revenue."))
    else:
        notes.append(_("With few results, the probabilities are uncertain."))
    return notes


def target_notes(target: str, texts: Texts) -> list[str]:
    """Return a note on what the scores are about; none where it is any irregularity."""
    if target == ANY_HIT:
        return []
    words = Wording(texts.lang, target)
    return [words.text("page.target", target=words.finding())]


def score_label(stage: str, texts: Texts, target: str = ANY_HIT) -> str:
    """Return what the score of an item is called."""
    _ = texts.gettext
    name = _("score, no results yet") if stage == "no results" else _("risk score")
    if target == ANY_HIT:
        return name
    finding = Wording(texts.lang, target).finding()
    return texts.words.text("label", title=name, about=finding)


def revenue_label(stage: str, texts: Texts) -> str:
    """Return what the product of score and amount is called."""
    _ = texts.gettext
    if stage == "no results":
        return _("stake weighted by the score")
    return _("expected revenue")


def revenue_line(value: Any, stage: str, texts: Texts) -> str:
    """Return the product of score and amount of one item, with its name."""
    _ = texts.gettext
    line = _("Expected revenue if inspected: %(value)s")
    if stage == "no results":
        line = _("Stake weighted by the score: %(value)s")
    return line % {"value": texts.amount(round(float(value)))}


def scored_text(moment: Any, texts: Texts) -> str:
    """Return when items were scored, to follow another text; empty if not known."""
    if moment is None or pd.isna(moment):
        return ""
    return " · " + texts.gettext("scored %(moment)s") % {
        "moment": texts.moment_in_words(moment)
    }


def interval_text(score: pd.Series, stage: str, texts: Texts) -> str:
    """Return the interval of a score, with its level; empty where it is not known."""
    lower, upper = score.get("score_lower"), score.get("score_upper")
    if stage == "no results" or pd.isna(lower) or pd.isna(upper):
        return ""
    return texts.gettext("%(level)s interval: %(between)s") % {
        "level": texts.rate(INTERVAL),
        "between": texts.between(lower, upper),
    }


def undecided_text(texts: Texts) -> str:
    """Return what an undecided item asks for."""
    return texts.gettext(
        "Undecided: the interval of the score includes the level from which the model "
        "selected. An officer decides, not the score."
    )


def undecided_note(n_left: int, texts: Texts) -> str:
    """Return how many items that were not selected are undecided."""
    return texts.ngettext(
        "%(n)s item that is not on the list is undecided too: the interval of its "
        "score includes the level from which the model selected.",
        "%(n)s items that are not on the list are undecided too: the intervals of "
        "their scores include the level from which the model selected.",
        n_left,
    ) % {"n": texts.number(n_left)}
