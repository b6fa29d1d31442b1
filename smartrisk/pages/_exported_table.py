"""The watch list as a table that a person opens: heads and codes in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.items import stage_of
from smartrisk.pages._stages import revenue_label


def table_in_words(frame: pd.DataFrame, texts: Texts) -> pd.DataFrame:
    """Return a watch list with heads and codes in the language of its sentences.

    Parameters
    ----------
    frame : DataFrame
        What `WatchList.frame` returns in the same language.
    texts : Texts
        The language, and the names of the administration.

    Returns
    -------
    table : DataFrame
        The same rows and numbers; an English table is as it was, with the names of the
        schema, for programs that read it.
    """
    if texts.lang == "en":
        return frame
    table = frame.copy()
    if "channel" in table:
        table["channel"] = _in_words(table["channel"], texts.channel)
    if "selected_by" in table:
        table["selected_by"] = _in_words(table["selected_by"], texts.selected_by)
    stages = stages_in_words(texts)
    table["stage"] = [stages.get(str(stage), str(stage)) for stage in table["stage"]]
    words = texts.words
    answers = {True: words.text("yes"), False: words.text("no")}
    table["undecided"] = [answers[bool(value)] for value in table["undecided"]]
    heads = heads_in_words(texts, stage_of(frame))
    return table.rename(
        columns={
            name: heads.get(str(name)) or words.capitalise(words.field(str(name)))
            for name in table.columns
        }
    )


def _in_words(codes: pd.Series, words_of: Callable[[str], str]) -> list[Any]:
    """Return the words for codes; what is missing stays so."""
    return [code if pd.isna(code) else words_of(str(code)) for code in codes]


def stages_in_words(texts: Texts) -> dict[str, str]:
    """Return the words for what scores rest on."""
    return {
        "no results": texts.pgettext("scores rest on", "no results yet"),
        "few results": texts.pgettext("scores rest on", "few results"),
        "model": texts.pgettext("scores rest on", "a model"),
    }


def heads_in_words(texts: Texts, stage: str) -> dict[str, str]:
    """Return the heads of columns that are no declared fields."""
    pgettext = texts.pgettext
    return {
        "channel": texts.gettext("Channel"),
        "selected_by": pgettext("head: model, rule or chance", "Selected by"),
        "rank": texts.pgettext("head: of an item", "Rank"),
        "risk_score": texts.gettext("Risk"),
        "score_lower": pgettext("head: lower bound of the score", "Risk, from"),
        "score_upper": pgettext("head: upper bound of the score", "Risk, to"),
        "expected_revenue": texts.words.capitalise(revenue_label(stage, texts)),
        "stage": pgettext("head", "Scores rest on"),
        "undecided": texts.words.capitalise(pgettext("item", "undecided")),
        "scored_at": pgettext("head: moment", "Scored"),
        "decided_at": pgettext("head: moment", "Decided"),
        "reasons": texts.gettext("Reasons"),
        "checks": texts.gettext("Suggested checks"),
    }
