"""Sentences of results in the language of the reader: reasons, checks, columns."""

from __future__ import annotations

import re
from functools import cache

from smartrisk.errors import check_choice
from smartrisk.languages import LANGUAGES, N_, catalogue

#: Sentences of the columns ``reason`` and ``check``, with the names put into them.
_SENTENCES = (
    N_("open: younger than the age at which months are compared"),
    N_("absent: the denominator is empty"),
    N_("not estimable: no random control has a result"),
    N_("not estimable: fewer than 30 random controls have a result"),
    N_("not estimable: the random draw and the claimed items cover less than 95 %"),
    N_("absent: there are no decisions"),
    N_("absent: there are no overrides"),
    N_("absent: there are no milestones"),
    N_("absent: there are no seizures"),
    N_("absent: the milestones have no arrival"),
    N_("absent: the milestones have no release"),
    N_("absent: the milestones have no closed audit"),
    N_("absent: the declarations lack {name}"),
    N_("absent: the decisions lack {name}"),
    N_("absent: there are no decisions, and the results lack {name}"),
    N_("absent: the results lack {name}"),
    N_("absent: the milestones lack {name}"),
    N_("absent: {name} of the results or {other} is missing"),
    N_("withheld: an estimate or a median, for which there is no rule"),
    N_("withheld: it adds numbers below 0"),
    N_("withheld: hiding single figures could not protect it"),
    N_("fewer contributors than the least"),
    N_("one or few contributors dominate"),
    N_("a contributor can estimate another too closely"),
    N_("named as secret"),
    N_("another hidden figure could be computed from it"),
    N_("declared items"),
    N_("lodged at the cut or later"),
    N_("status other than valid"),
    N_("cancelled or superseded by a milestone"),
    N_("decisions on items that do not count"),
    N_("items without a decision"),
    N_("draw probabilities estimated"),
    N_("results of items that do not count"),
    N_("results known at the cut or later"),
    N_("results without a control"),
    N_("results dated before their control"),
    N_("release_hours below zero"),
    N_("wait_hours below zero"),
    N_("items that count"),
    N_("items of open months"),
    N_("declarations with several values of {name}"),
    N_("sum of parts: {name}"),
    N_("cases known at the cut or later"),
    N_("cases without a seizure"),
    N_("seizures whose case is not there"),
    N_("seizures of an area that the edition does not have"),
)
#: What the columns of a result hold, by their names.
COLUMNS = {
    "indicator": N_("indicator, as its definition names it"),
    "part": N_("part of the indicator; empty for the whole"),
    "unit": N_("what is counted"),
    "numerator": N_("numerator"),
    "denominator": N_("denominator; empty where there is none"),
    "value": N_("value; empty where there is none"),
    "low": N_("lower end of the interval of 95 %"),
    "high": N_("upper end of the interval of 95 %"),
    "n": N_("units that the value rests on"),
    "pending": N_("controls without a result that counts"),
    "status": N_(
        "F: free; A: few traders; C: a trader dominates, or the result of each would "
        "show; D: hidden to protect another figure; N: withheld"
    ),
    "reason": N_("why there is no value"),
    "month": N_("month of lodgement"),
    "quarter": N_("quarter of lodgement"),
    "year": N_("year of lodgement"),
    "hs2": N_("chapter of the tariff"),
    "hs4": N_("heading of the tariff"),
    "hs6": N_("subheading of the tariff"),
}
#: What describes a field of the groups that has no text of its own.
GROUP = N_("field of the groups: {name}")


def translate_sentence(text: str, lang: str = "en") -> str:
    """Return a reason or a check of a result in a language.

    Parameters
    ----------
    text : str
        Entry of the column ``reason`` or ``check``.
    lang : {"en", "fr", "es"}, default="en"
        Language.

    Returns
    -------
    text : str
        The sentence; one that the library did not write comes back as it is.

    Raises
    ------
    ArgumentError
        If `lang` is unknown.

    Examples
    --------
    >>> from smartrisk.statistics import translate_sentence
    >>> translate_sentence("declared items", "fr")
    'articles déclarés'
    """
    check_choice("translate_sentence", "lang", lang, LANGUAGES)
    if lang == "en" or not text:
        return text
    say = catalogue("pages", lang).gettext
    if text in _SENTENCES:
        return say(text)
    for pattern, template in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return say(template).format(**found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences with names in them, and what they look like."""
    made = []
    for template in _SENTENCES:
        if "{" in template:
            form = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template))
            made.append((re.compile(form, re.DOTALL), template))
    return tuple(made)


__all__ = ["COLUMNS", "GROUP", "translate_sentence"]
