"""Languages: gettext catalogues of the texts that people read, by domain.

Reads ``smartrisk/locale``. A domain is a part of the library that writes texts
(``reasons``, ``pages``); the code holds them in English, the catalogues in the other
languages.
"""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path

from smartrisk.errors import check_choice

__all__ = ["LANGUAGES", "N_", "catalogue"]

#: English and French, the official languages of the World Customs Organization, and
#: Spanish.
LANGUAGES = ("en", "fr", "es")
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
        One of `LANGUAGES`.

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
    check_choice("catalogue", "lang", lang, LANGUAGES)
    if lang == "en":
        return gettext.NullTranslations()
    kind = _French if lang == "fr" else gettext.GNUTranslations
    return gettext.translation(domain, _FOLDER, languages=[lang], class_=kind)


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
