"""Code lists: countries, currencies, units, modes of transport, chapters.

Tables with their source and date in the first lines; each is read when it is needed.
Codes are compared as administrations write them: whatever the case and the blanks, a
country also by its three-letter or numeric code and by its name in English, French or
Spanish.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

#: Modes of transport of UN/ECE Recommendation 19, revision 3.
TRANSPORT_MODES: Mapping[str, str] = MappingProxyType(
    {
        "0": "not specified",
        "1": "maritime",
        "2": "rail",
        "3": "road",
        "4": "air",
        "5": "mail",
        "6": "multimodal",
        "7": "fixed installations",
        "8": "inland water",
        "9": "not applicable",
    }
)
#: Names of modes in English, French and Spanish, without accents.
_MODE_NAMES = {
    name: code
    for code, names in {
        "1": "sea maritime ocean mer maritimo marino mar vessel",
        "2": "rail railway train fer ferroviaire ferroviario ferrocarril",
        "3": "road truck route routier carretera terrestre carretero",
        "4": "air aerien aerienne aereo aerea avion plane",
        "5": "mail post postal poste postale correo",
        "6": "multimodal",
        "7": "pipeline fixed",
        "8": "river inland fluvial fluviale",
    }.items()
    for name in names.split()
}
#: Two digits of the European Union's lists: a mode and what is carried on it.
_DETAILED_MODES = frozenset({"12", "16", "17", "18", "23"})
#: Terms of the International Chamber of Commerce, of 2020 and of the editions before.
_INCOTERMS_TEXT = "EXW FCA FAS FOB CFR CIF CPT CIP DPU DAP DDP DAF DES DEQ DDU DAT"
INCOTERMS = frozenset(_INCOTERMS_TEXT.split())
#: Last chapter of the Harmonized System for all countries; 77 is reserved, 98 and 99
#: are for national use.
_LAST_CHAPTER, _RESERVED_CHAPTER = 97, 77
#: Shortest word by which a country is found although a code page damaged its name.
_LEAST_DAMAGED = 5


def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 code of two letters of a country.

    Parameters
    ----------
    text : str
        A code of two or three letters or digits, a customary code (UK, EL), or a name
        in English, French or Spanish; case, accents and signs do not count.

    Returns
    -------
    code : str or None
        None where no country is meant for certain.

    Examples
    --------
    >>> from smartrisk.schema import country_code
    >>> [country_code(text) for text in ("gb", "UK", "840", "Côte d'Ivoire", "EU")]
    ['GB', 'GB', 'US', 'CI', None]
    """
    codes, names = _countries()
    tidy = text.strip()
    code = codes.get(tidy.upper())
    if code is None and tidy.isascii() and tidy.isdigit():
        return codes.get(tidy.zfill(3))
    if code is None:
        code = names.get(_plain_name(tidy))
    return code if code is not None else _repair_name(tidy)


def is_country(code: str) -> bool:
    """Return whether a text is a country's ISO 3166-1 code of two letters.

    Parameters
    ----------
    code : str
        A text in upper case.

    Returns
    -------
    answer : bool
        True for Kosovo (XK) too, whose code customs administrations use.

    Examples
    --------
    >>> from smartrisk.schema import is_country
    >>> is_country("NA"), is_country("UK")
    (True, False)
    """
    return len(code) == 2 and _countries()[0].get(code) == code


def unit_code(text: str) -> str | None:
    """Return the code of a unit in UN/ECE Recommendation 20 or 21.

    Parameters
    ----------
    text : str
        A code, or a usual spelling such as KG.

    Returns
    -------
    code : str or None
        None where the unit is not in the list.

    Examples
    --------
    >>> from smartrisk.schema import unit_code
    >>> unit_code("kg"), unit_code("NMB"), unit_code("FOO")
    ('KGM', 'NMB', None)
    """
    return _units().get(_letters(text).upper())


def mode_code(text: str) -> str | None:
    """Return the code of a mode of transport in UN/ECE Recommendation 19.

    Parameters
    ----------
    text : str
        A code of one digit, of two digits whose first is the mode, or a name.

    Returns
    -------
    code : str or None
        A code of two digits stays one. None where there is no such mode.

    Examples
    --------
    >>> from smartrisk.schema import mode_code
    >>> mode_code("4"), mode_code("Sea"), mode_code("40"), mode_code("99")
    ('4', '1', '40', None)
    """
    tidy = text.strip()
    if tidy in TRANSPORT_MODES or tidy in _DETAILED_MODES:
        return tidy
    if re.fullmatch("0[0-9]|[1-9]0", tidy):
        return tidy
    return _MODE_NAMES.get(_plain_name(tidy))


def is_currency(code: str) -> bool:
    """Return whether a text is the ISO 4217 code of a currency in use.

    Parameters
    ----------
    code : str
        A text in upper case.

    Returns
    -------
    answer : bool
        False for currencies that are no longer legal tender.

    Examples
    --------
    >>> from smartrisk.schema import is_currency
    >>> is_currency("XOF"), is_currency("DEM")
    (True, False)
    """
    return code in _currencies()


def is_chapter(code: str) -> bool:
    """Return whether the chapter of a tariff code exists in every country.

    Parameters
    ----------
    code : str
        A tariff code of at least two digits.

    Returns
    -------
    answer : bool
        False for chapter 77, which is reserved, and for 98 and 99, which are national.

    Examples
    --------
    >>> from smartrisk.schema import is_chapter
    >>> is_chapter("010121"), is_chapter("770000")
    (True, False)
    """
    chapter = code[:2]
    if not (chapter.isascii() and chapter.isdigit()):
        return False
    return 1 <= int(chapter) <= _LAST_CHAPTER and int(chapter) != _RESERVED_CHAPTER


def _letters(text: str) -> str:
    """Return a text without blanks and points."""
    return re.sub(r"[\s.]", "", text)


def _plain_name(text: str) -> str:
    """Return a name in lower case, without accents, signs and articles in front."""
    split = unicodedata.normalize("NFKD", text.replace("&", " and "))
    bare = "".join(c for c in split if not unicodedata.combining(c)).casefold()
    words = re.sub(r"[^\w]+", " ", bare.replace(".", "")).split()
    return " ".join(w for w in words if w not in ("the", "of"))


def _rows(name: str) -> list[list[str]]:
    """Return the cells of a table, without its comments and its header."""
    text = resources.files(__name__).joinpath(name).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


@functools.cache
def _countries() -> tuple[dict[str, str], dict[str, str]]:
    """Return the code of every other code, and of every plain name."""
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in _rows("countries.tsv"):
        alpha2, *others = row[:4]
        for code in (alpha2, *" ".join(others).split()):
            codes[code] = alpha2
        for name in (*row[4:7], *row[7].split("|")):
            head, comma, tail = name.partition(", ")
            for form in (name, f"{tail} {head}" if comma else name):
                if _plain_name(form):
                    names.setdefault(_plain_name(form), alpha2)
    return codes, names


@functools.cache
def _units() -> dict[str, str]:
    """Return the code of every unit and of its spellings."""
    out: dict[str, str] = {}
    for code, _, spellings in _rows("units.tsv"):
        for text in (code, *spellings.split()):
            out[text] = code
    return out


@functools.cache
def _currencies() -> frozenset[str]:
    """Return the codes of currencies."""
    return frozenset(row[0] for row in _rows("currencies.tsv"))


@functools.lru_cache(maxsize=1024)
def _repair_name(text: str) -> str | None:
    """Return the country of a name in which a code page replaced letters.

    GRAN BRETA¤A has a sign where the letter with its accent was. It is one country's
    name, whatever that letter was.
    """
    damaged = re.sub(r"(?<=\w)[^\w\s.,'&()/-]+|[^\w\s.,'&()/-]+(?=\w)", "\x00", text)
    # A text of two bytes for each letter: MÃ‰XICO.
    damaged = re.sub("[\u00c2\u00c3][^a-zA-Z\\s]", "\x00", damaged)
    if "\x00" not in damaged or len(text) < _LEAST_DAMAGED:
        return None
    # The sign is kept out of the plain form, and is any letter or two.
    parts = [_plain_edges(part) for part in damaged.split("\x00")]
    pattern = re.compile("[a-z]{1,2}".join(map(re.escape, parts)))
    names = _countries()[1]
    found = {code for name, code in names.items() if pattern.fullmatch(name)}
    return found.pop() if len(found) == 1 else None


def _plain_edges(part: str) -> str:
    """Return a part of a name in plain form, with the blanks at its edges."""
    start = " " if part[:1].isspace() else ""
    end = " " if part[-1:].isspace() else ""
    return f"{start}{_plain_name(part)}{end}" if part.strip() else part


def list_code(field: str, text: str) -> str | None:
    """Return the code of a closed list for a word of an administration.

    Parameters
    ----------
    field : str
        A field with a closed list, such as ``channel``; ``boolean`` for yes and no.
    text : str
        A word in English, French, Spanish or Portuguese; case, accents and hyphens do
        not count.

    Returns
    -------
    code : str or None
        A code of the list, "1" or "0" for yes and no; None where the word is none.

    Examples
    --------
    >>> from smartrisk.schema import list_code
    >>> list_code("channel", "Rouge"), list_code("boolean", "Sí")
    ('red', '1')
    """
    split = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in split if not unicodedata.combining(c)).casefold()
    plain = re.sub(r"(?<=[^\W\d])[\s_-]+(?=[^\W\d])", " ", bare).strip()
    return _words().get((field, plain))


@functools.cache
def _words() -> dict[tuple[str, str], str]:
    """Return the code of every word, by field; the codes are words too."""
    out: dict[tuple[str, str], str] = {}
    for field, code, words in _rows("words.tsv"):
        for word in (code.replace("_", " "), *words.split(",")):
            out[field, word] = code
    return out
