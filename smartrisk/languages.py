"""Languages: gettext catalogues of what is said to people, by domain.

A domain is a part of the library that speaks (``reasons``, ``pages``). Its texts are
English in the code; ``smartrisk/locale`` holds the other languages.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from smartrisk.errors import check_choice

__all__ = ["LANGUAGES", "catalogue"]

#: English, and the other working language of the World Customs Organization, and
#: Spanish.
LANGUAGES = ("en", "fr", "es")
_FOLDER = Path(__file__).parent / "locale"


@cache
def catalogue(domain: str, lang: str) -> gettext.NullTranslations:
    """Return the texts of a domain in a language.

    Parameters
    ----------
    domain : str
        Part of the library, as "pages".
    lang : str
        One of `LANGUAGES`.

    Returns
    -------
    catalogue : gettext.NullTranslations
        Its ``gettext``, ``ngettext`` and ``pgettext`` take the English texts; in
        English they give them back.

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
    return gettext.translation(domain, _FOLDER, languages=[lang])
