"""How well the header of a column names a field.

Reads `_vocabulary.toml` (words by meaning, in several languages) and `_patterns.toml`
(meanings that name a field). A header is cut into words; a field fits when each meaning
of one of its patterns has a word of its own, and the other words do not speak of
something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from smartrisk.settings import read_toml

#: A word of a header: its meanings, and how certain each is.
Word = Mapping[str, float]

_FOLDER = Path(__file__).parent
#: Meanings that are no evidence against a field: `code` after `origin`, `(the)`.
_NEUTRAL = frozenset({"code", "id", "number", "declaration", "english", "operation"})
#: What another word costs, by meaning; every other meaning costs `_FOREIGN`.
_COSTS: Mapping[str, float] = {
    "filler": 1.0,
    "name": 0.85,
    "total": 0.8,
    "contact": 0.15,
    "later": 0.5,
    "english": 0.95,
    "dollar": 0.97,
    "item": 0.95,
    "document": 0.9,
    "national": 1.0,
}
_FOREIGN, _UNKNOWN, _KNOWN_TWICE = 0.5, 0.85, 0.95
#: What a word costs in the header of one field, where it differs from the above. The
#: price of a unit is no value, the destination no origin.
_FIELD_COSTS: Mapping[str, Mapping[str, float]] = {
    "customs_value": {
        "unitprice": 0.25,
        "fob": 0.6,
        "freight": 0.1,
        "insurance": 0.1,
        "duty": 0.3,
        "currency": 0.15,
        "exchange": 0.2,
        "invoice": 0.55,
        "dollar": 0.92,
        "foreigncur": 0.7,
        "thousand": 0.6,
        "tonne": 0.5,
        "adjustment": 0.3,
    },
    "fob_value": {"unitprice": 0.25, "sub": 0.3, "dollar": 0.97, "foreigncur": 0.75},
    "origin": {"destination": 0.1, "departure": 0.5, "tradecountry": 0.2},
    "departure": {"destination": 0.1, "origin": 0.4, "tradecountry": 0.3},
    "net_mass_kg": {"gross": 0.05, "total": 0.5, "unitprice": 1.0, "tonne": 0.8},
    "gross_mass_kg": {"net": 0.05, "total": 0.9, "unitprice": 1.0, "tonne": 0.8},
    "quantity": {"mass": 0.3, "value": 0.2, "packages": 0.2, "container": 0.1},
    "quantity_unit": {"value": 0.1, "mass": 0.4, "packages": 0.2, "currency": 0.1},
    "item_number": {"sub": 0.3, "total": 0.3, "value": 0.1, "quantity": 0.4},
    "duties_taxes": {"rate": 0.3, "preference": 0.3, "id": 0.2, "taxid": 1.0},
    "duty_rate": {"exchange": 0.5, "currency": 0.1},
    "procedure": {"document": 0.4},
    "lodged_at": {"later": 0.35, "control": 0.2, "result": 0.2, "month": 0.5},
    "importer_id": {"country": 0.1, "name": 0.75, "later": 0.9},
    "declarant_id": {"country": 0.1, "name": 0.75},
    "consignor_id": {"country": 0.1, "name": 0.8},
    "carrier_id": {"country": 0.1, "name": 0.85, "id": 0.95},
    "office": {"name": 0.85, "border": 0.4, "country": 0.2, "departure": 0.4},
    "transport_mode": {"inland": 0.5, "name": 0.85, "company": 0.1, "border": 1.0},
    "tariff_code": {"sub": 0.5, "description": 0.3, "value": 0.2},
    "description": {"code": 0.6, "english": 0.85, "sub": 0.4},
    "declaration_id": {"date": 0.05, "operation": 0.5, "year": 0.3, "item": 0.4},
    "revenue_adjustment": {"corrected": 0.8},
    "illicit": {"date": 0.05},
    "officer_id": {"date": 0.05},
}
#: Certainty of a word that is an abbreviation, an inflection, or glued to others.
_ABBREVIATED, _INFLECTED, _GLUED = 0.75, 0.9, 0.93
#: Shortest word that may be glued to others; shorter ones are parts of anything.
_SHORTEST_PART = 3
_SHORT_PARTS = frozenset({"hs", "sh", "id", "no", "kg"})


def split_header(header: str) -> list[str]:
    """Return the words of a header, in lower case, without accents and digits."""
    text = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", header)
    text = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    plain = (
        plain.replace("%", " percent ")
        .replace("n°", "no ")
        .replace("nº", "no ")
        .replace("no.", "no ")
    )
    words = re.findall(r"hs[24]\b|[^\W\d_]+|1000", re.sub(r"n[°ºo]\b", "no", plain))
    return [word for word in words if word]


def rate_header(header: str, field: str, table: str = "declarations") -> float:
    """Return how well a header names a field, from 0 to 1."""
    patterns = _patterns(table).get(field, ())
    words = read_words(header)
    return max((_rate(words, *pattern, field) for pattern in patterns), default=0.0)


def has_meaning(header: str, meaning: str) -> bool:
    """Return whether a word of a header certainly has a meaning."""
    return any(word.get(meaning, 0.0) > _ABBREVIATED for word in read_words(header))


@cache
def read_words(header: str) -> tuple[Word, ...]:
    """Return the meanings of the words of a header; unknown words have none."""
    words: list[Word] = []
    for word in split_header(header):
        found = _look_up(word)
        words.extend([found] if found is not None else _take_apart(word))
    return tuple(words)


@cache
def _vocabulary() -> dict[str, dict[str, float]]:
    """Return the meanings of every known word."""
    meanings: dict[str, dict[str, float]] = {}
    for meaning, words in read_toml("vocabulary", _FOLDER / "_vocabulary.toml")[
        "words"
    ].items():
        for word in words.split():
            meanings.setdefault(_plain(word), {})[meaning] = 1.0
    return meanings


def _plain(word: str) -> str:
    """Return a word as `split_header` does, for words of the vocabulary."""
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def words_of(name: str) -> frozenset[str]:
    """Return the values of a list of the vocabulary, such as yes and no."""
    lists = read_toml("vocabulary", _FOLDER / "_vocabulary.toml")["lists"]
    return frozenset(lists[name].split())


@cache
def fields_of(kind: str) -> frozenset[str]:
    """Return the fields of a kind, such as those with one value per document."""
    kinds = read_toml("patterns", _FOLDER / "_patterns.toml")["kinds"]
    return frozenset(kinds[kind].split())


@cache
def _patterns(table: str) -> dict[str, tuple[tuple[tuple[str, ...], float], ...]]:
    """Return the patterns of every field: meanings, and the weight of a full match."""
    content = read_toml("patterns", _FOLDER / "_patterns.toml")
    keys = {"declaration_id", "item_number"} if table == "outcomes" else set()
    fields = {k: content["declarations"][k] for k in keys} | content[table]
    return {
        field: tuple((tuple(meanings.split()), float(weight)) for meanings, weight in p)
        for field, p in fields.items()
    }


def _look_up(word: str) -> dict[str, float] | None:
    """Return the meanings of a word, or of the words that it shortens or inflects."""
    known = _vocabulary()
    if word in known:
        return known[word]
    if len(word) >= 6:
        for length in range(len(word) - 1, max(4, len(word) - 4), -1):
            if word[:length] in known:
                return dict.fromkeys(known[word[:length]], _INFLECTED)
    if len(word) >= 4:
        found: dict[str, float] = {}
        for other, meanings in known.items():
            if len(other) >= len(word) + 1 and other.startswith(word):
                found.update(dict.fromkeys(meanings, _ABBREVIATED))
        if found:
            return found
    return None


def _take_apart(word: str) -> list[Word]:
    """Return the meanings of the words that were glued together, or an unknown one."""
    parts = _segments(word)
    if parts is None:
        return [{}]
    known = _vocabulary()
    return [dict.fromkeys(known[part], _GLUED) for part in parts]


@cache
def _segments(word: str) -> tuple[str, ...] | None:
    """Return the fewest known words that make up a word, or None."""
    known = _vocabulary()
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(end):
            head, part = best[start], word[start:end]
            is_part = len(part) >= _SHORTEST_PART or part in _SHORT_PARTS
            if head is None or not is_part or part not in known:
                continue
            current = best[end]
            if current is None or len(head) + 1 < len(current):
                best[end] = (*head, part)
    return best[-1]


def _rate(
    words: Sequence[Word], meanings: tuple[str, ...], weight: float, field: str
) -> float:
    """Return how well words fit the meanings of one pattern."""
    if len(meanings) > len(words):
        return 0.0
    return weight * _match(list(words), meanings, frozenset(meanings), field)


def _match(
    words: list[Word], meanings: tuple[str, ...], wanted: frozenset[str], field: str
) -> float:
    """Give every meaning a word of its own, as well as possible."""
    if not meanings:
        cost = 1.0
        for word in words:
            cost *= _cost(word, wanted, field)
        return cost
    first, *others = meanings
    return max(
        (
            word[first]
            * _match(words[:k] + words[k + 1 :], tuple(others), wanted, field)
            for k, word in enumerate(words)
            if first in word
        ),
        default=0.0,
    )


def _cost(word: Word, wanted: frozenset[str], field: str) -> float:
    """Return what a further word of a header costs."""
    if not word:
        return _UNKNOWN
    if wanted & word.keys():
        return _KNOWN_TWICE
    own = _FIELD_COSTS.get(field, {})
    neutral = [0.95 for meaning in word if meaning in _NEUTRAL]
    costs = [own.get(m, _COSTS.get(m, _FOREIGN)) for m in word if m not in _NEUTRAL]
    return max([*(own.get(m, 0.95) for m in word if m in _NEUTRAL), *costs] or neutral)
