"""One hit in the language of the class: an item, its result and three reasons."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from smartrisk.errors import Message
from smartrisk.explanations import Reasons, Wording
from smartrisk.items import join_by_key
from smartrisk.languages import render
from smartrisk.results import clean_text
from smartrisk.schema import KEY

if TYPE_CHECKING:
    from smartrisk.workshop._lab import Lab

_N_REASONS = 3


class Hit:
    """An item whose control found an irregularity, and why the engine had chosen it.

    Made by `Lab.find_hit`; a notebook shows it in the language of the class.

    Parameters
    ----------
    item : DataFrame
        The item as it was declared, one row of DECLARATIONS.
    result : Series
        What the control found.
    reasons : Reasons
        Its reasons, the strongest first.
    lang : str, default="en"
        One of `smartrisk.languages.LOCALES`.

    Attributes
    ----------
    item, result, reasons
        As given.

    Examples
    --------
    >>> import smartrisk as sr
    >>> hit = sr.workshop.Lab(1, sr.workshop.Seat(seed=7)).find_hit()
    >>> len(hit.sentences())
    3
    """

    def __init__(
        self,
        item: pd.DataFrame,
        result: pd.Series,
        reasons: Reasons,
        *,
        lang: str = "en",
    ) -> None:
        self.item = item
        self.result = result
        self.reasons = reasons
        self._lang = lang

    def sentences(self) -> list[str]:
        """Return the reasons as sentences.

        Returns
        -------
        sentences : list of str
            The strongest first, in the language of the class.
        """
        words = Wording(self._lang)
        found = self.reasons.sentences(lang=self._lang)[0]
        return [words.capitalise(sentence) for sentence in found]

    def _heading(self) -> str:
        """Return which item it is, and what the control found."""
        words = Wording(self._lang)
        finding = Wording(self._lang, f"offence:{self.result['offence']}").finding()
        message = Message(
            "workshop.hit",
            "Declaration {declaration}, item {item}: the control found {finding} and "
            "an adjustment of {amount}. Reasons of the engine, before the control:",
            declaration=clean_text(str(self.result["declaration_id"])),
            item=int(self.result["item_number"]),
            finding=finding,
            amount=words.number(round(float(self.result["revenue_adjustment"]))),
        )
        return render(message, self._lang)

    def __repr__(self) -> str:
        """Return the item, the finding and the reasons, a line each."""
        lines = [f"{k}. {text}" for k, text in enumerate(self.sentences(), 1)]
        return "\n".join([self._heading(), *lines])

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        rows = "".join(f"<li>{escape(text)}</li>" for text in self.sentences())
        return (
            f'<div lang="{escape(self._lang)}"><p><b>{escape(self._heading())}</b></p>'
            f"<ol>{rows}</ol></div>"
        )


def find_hit(lab: Lab) -> Hit:
    """Return the hit of the lab that the engine had ranked first.

    Parameters
    ----------
    lab : Lab
        Whose items and engine these are.

    Returns
    -------
    hit : Hit
        Of the new items with an irregularity, those above the median adjustment are
        compared: an officer's time is worth more than a few coins.
    """
    outcomes = lab.world.outcomes
    found = outcomes[outcomes["illicit"] == 1]
    found = found.merge(lab.new[list(KEY)], on=list(KEY))
    amounts = found["revenue_adjustment"].fillna(0.0)
    found = found[amounts >= amounts.median()]
    items = found[list(KEY)].merge(lab.new, on=list(KEY))
    risk: Any = join_by_key(items[list(KEY)], lab.engine.score(items), ["risk_score"])
    place = int(risk["risk_score"].to_numpy().argmax())
    item = items.iloc[[place]]
    reasons = lab.engine.explain(item, top=_N_REASONS)
    return Hit(item, found.iloc[place], reasons, lang=lab.lang)
