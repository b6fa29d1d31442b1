"""Languages: gettext catalogues of the texts that people read, by domain.

Reads ``smartrisk/locale``, with the glossary that the catalogues keep to. A domain is a
part of the library that writes texts (``reasons``, ``pages``); the code holds them in
English, the catalogues in the other languages.
"""

from __future__ import annotations

import gettext
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smartrisk.errors import Message, SmartRiskError, SmartRiskWarning, check_choice

__all__ = [
    "LANGUAGES",
    "LOCALES",
    "N_",
    "Term",
    "catalogue",
    "glossary",
    "has_decimal_point",
    "language_of",
    "locale_of",
    "render",
    "translator",
]

#: English and French, the official languages of the World Customs Organization, and
#: Spanish.
LANGUAGES = ("en", "fr", "es")
#: The languages, and Spanish with the decimal point of Mexico and its neighbours.
LOCALES = (*LANGUAGES, "es-MX")
#: Countries that write Spanish with a decimal point, by the Unicode CLDR 44.
_POINT_COUNTRIES = frozenset(
    ["CU", "DO", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "SV", "US", "419"]
)
_FOLDER = Path(__file__).parent / "locale"
#: The space before French punctuation and inside its quotation marks.
_BEFORE = re.compile(r" (?=[;:?!»]|%(?!\())|(?<=«) ")


class _French(gettext.GNUTranslations):
    """French texts, whose punctuation stays on the line of its word.

    Only texts of the catalogue are changed; the values put into them are not.
    """

    def gettext(self, message: str) -> str:
        """Return the French text."""
        return _BEFORE.sub("\u202f", super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the French text for a number."""
        return _BEFORE.sub("\u202f", super().ngettext(msgid1, msgid2, n))

    def pgettext(self, context: str, message: str) -> str:
        """Return the French text in a context."""
        return _BEFORE.sub("\u202f", super().pgettext(context, message))

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """Return the French text for a number in a context."""
        return _BEFORE.sub("\u202f", super().npgettext(context, msgid1, msgid2, n))


@cache
def catalogue(domain: str, lang: str) -> gettext.NullTranslations:
    """Return the texts of a domain in a language.

    Parameters
    ----------
    domain : str
        Part of the library, such as "pages".
    lang : str
        One of `LOCALES`.

    Returns
    -------
    catalogue : gettext.NullTranslations
        Its ``gettext``, ``ngettext`` and ``pgettext`` take the English texts; for
        English they return these unchanged. French texts have narrow spaces before
        punctuation.

    Raises
    ------
    ArgumentError
        If the language is unknown.

    Examples
    --------
    >>> from smartrisk.languages import catalogue
    >>> catalogue("pages", "en").gettext("Case sheet")
    'Case sheet'
    """
    check_choice("catalogue", "lang", lang, LOCALES)
    if lang == "en":
        return gettext.NullTranslations()
    kind = _French if lang == "fr" else gettext.GNUTranslations
    known = [language_of(lang)]
    return gettext.translation(domain, _FOLDER, languages=known, class_=kind)


def language_of(lang: str) -> str:
    """Return the language of a locale.

    Parameters
    ----------
    lang : str
        One of `LOCALES`.

    Returns
    -------
    language : str
        One of `LANGUAGES`.

    Examples
    --------
    >>> from smartrisk.languages import language_of
    >>> language_of("es-MX"), language_of("fr")
    ('es', 'fr')
    """
    return lang.partition("-")[0]


def has_decimal_point(lang: str) -> bool:
    """Return whether numbers are written as 12,345.6.

    Parameters
    ----------
    lang : str
        One of `LOCALES`.

    Returns
    -------
    point : bool
        False where they have a decimal comma.

    Examples
    --------
    >>> from smartrisk.languages import has_decimal_point
    >>> [lang for lang in ("en", "fr", "es", "es-MX") if has_decimal_point(lang)]
    ['en', 'es-MX']
    """
    return lang in ("en", "es-MX")


def locale_of(text: str) -> str | None:
    """Return the locale that a setting of a system or a browser asks for.

    Parameters
    ----------
    text : str
        Such as "fr_FR.UTF-8" or "es-PE".

    Returns
    -------
    lang : str or None
        One of `LOCALES`: "es-MX" for every country that writes Spanish with a decimal
        point; None for another language.

    Examples
    --------
    >>> from smartrisk.languages import locale_of
    >>> [locale_of(text) for text in ("fr_FR.UTF-8", "es_AR", "es_PE", "de_DE")]
    ['fr', 'es', 'es-MX', None]
    """
    language, _, country = text.partition(".")[0].replace("_", "-").partition("-")
    if language.lower() not in LANGUAGES:
        return None
    is_point = language.lower() == "es" and country.upper() in _POINT_COUNTRIES
    return "es-MX" if is_point else language.lower()


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term of the library in one language.

    Parameters
    ----------
    id : str
        The same in every language, such as "customs_value".
    name : str
        The term.
    meaning : str
        One sentence.
    english : str
        The term in English, as messages have it.
    regional : str
        Words of other administrations; empty where none are known.
    used : str
        Where the library has it, in English.

    Examples
    --------
    >>> from smartrisk.languages import glossary
    >>> term = {term.id: term for term in glossary("es")}["duty_rate"]
    >>> term.name, term.english, term.regional
    ('tasa arancelaria', 'duty rate', 'Spain: tipo; Argentina: alícuota')
    """

    id: str
    name: str
    meaning: str
    english: str
    regional: str
    used: str


@cache
def glossary(lang: str = "en") -> tuple[Term, ...]:
    """Return the terms of the library: the words that messages and pages keep to.

    Parameters
    ----------
    lang : str, default="en"
        One of `LOCALES`.

    Returns
    -------
    terms : tuple of Term
        In the order of a declaration and its control.

    Raises
    ------
    ArgumentError
        If the language is unknown.

    Examples
    --------
    >>> from smartrisk.languages import glossary
    >>> terms = glossary("fr")
    >>> len(terms), terms[0].name
    (80, 'valeur en douane')
    """
    check_choice("glossary", "lang", lang, LOCALES)
    text = (_FOLDER / "glossary.toml").read_text(encoding="utf-8")
    language = language_of(lang)
    return tuple(
        Term(
            id=name,
            name=entry[language][0],
            meaning=entry[language][1],
            english=entry["en"][0],
            regional=entry.get("regional", {}).get(language, ""),
            used=entry["used"],
        )
        for name, entry in tomllib.loads(text).items()
    )


def N_(text: str) -> str:  # noqa: N802
    """Mark a text for translation; it is translated where it is shown.

    Parameters
    ----------
    text : str
        An English text of a catalogue.

    Returns
    -------
    text : str
        The same text.

    Examples
    --------
    >>> from smartrisk.languages import N_
    >>> N_("Case sheet")
    'Case sheet'
    """
    return text


#: How a message begins, before the reason: of a field, see `validation`, and others.
_HEADS = (
    *(N_("{field!r} (column {column!r}): "), N_("{field!r}: ")),
    N_("Ledger.record: "),
)
#: What `errors.check_number` says, which has no catalogue below it.
_NUMBERS = (
    N_("{owner}: {name!r} must be an integer; got {value!r}."),
    N_("{owner}: {name!r} must be an integer in [{low}, {high}]; got {value!r}."),
    N_("{owner}: {name!r} must be an integer of at least {low}; got {value!r}."),
    N_("{owner}: {name!r} must be a number; got {value!r}."),
    N_("{owner}: {name!r} must be a number in [{low}, {high}]; got {value!r}."),
    N_("{owner}: {name!r} must be a number of at least {low}; got {value!r}."),
)
#: What the lines of a file are.
_PARTS = (
    *(N_("{n} title"), N_("{n} header"), N_("{n} rows"), N_("{n} empty")),
    *(N_("{n} repeated header"), N_("{n} footer"), N_("{n} set aside")),
)
#: Phrases within values of messages: what they look like in English, and their text.
_PHRASES = (
    (
        re.compile(r"Did you mean (?P<name>'[^']*'|\"[^\"]*\")\?"),
        N_("Did you mean {name}?"),
    ),
    (
        re.compile(r"The map is reversed: (?P<name>'[^']*') is the field\."),
        N_("The map is reversed: {name} is the field."),
    ),
    (
        re.compile(r"(?P<column>'[^']*') for field (?P<field>'[^']*')"),
        N_("{column} for field {field}"),
    ),
    (re.compile(r"(?<=, )and (?P<n>[0-9]+) more(?![\w'])"), N_("and {n} more")),
    # The parts of a file, after what its lines are.
    *(
        (
            re.compile(
                template.replace("{n}", r"(?<=[=+] )(?P<n>[0-9]+)") + r"(?= \+|\.)"
            ),
            template,
        )
        for template in _PARTS
    ),
)


def translator(lang: str) -> Callable[[str], str] | None:
    """Return what translates the templates of errors, warnings and findings.

    Parameters
    ----------
    lang : str
        One of `LANGUAGES`.

    Returns
    -------
    translate : callable or None
        Takes an English template; None for English.

    Examples
    --------
    >>> from smartrisk.languages import translator
    >>> translator("en") is None
    True
    """
    if lang == "en":
        return None
    gettext = catalogue("messages", lang).gettext

    def translate(template: str) -> str:
        head = next((h for h in _HEADS if template.startswith(h)), "")
        reason = gettext(template[len(head) :])
        # A text that the catalogue does not have comes back as it is.
        if not head or reason.replace("\u202f", " ") == template[len(head) :]:
            return gettext(template)
        return gettext(head) + reason

    return translate


def render(message: Message | SmartRiskError | SmartRiskWarning, lang: str) -> str:
    """Return the text of a finding, error or warning in a language.

    Parameters
    ----------
    message : Message, SmartRiskError or SmartRiskWarning
        What is to be shown.
    lang : str
        One of `LANGUAGES`.

    Returns
    -------
    text : str
        The template of the catalogue with the values; English where it has none.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> from smartrisk.languages import render
    >>> render(Message("cli.stopped", "stopped."), "en")
    'stopped.'
    """
    translate = translator(lang)
    return _translate_phrases(message.text(translate), translate)


def _translate_phrases(text: str, translate: Callable[[str], str] | None) -> str:
    """Return a text whose values hold English phrases, with these translated."""
    if translate is None:
        return text
    for pattern, template in _PHRASES:
        translated = translate(template)
        text = pattern.sub(
            lambda match, form=translated: form.format(**match.groupdict()),  # type: ignore[misc]
            text,
        )
    return text
