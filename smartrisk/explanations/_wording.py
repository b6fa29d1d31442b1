"""Evidence said in a language: numbers, lists, keys, sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smartrisk.explanations._evidence import (
    HS_DIGITS,
    TRADERS,
    Evidence,
    clean,
    tariff,
)
from smartrisk.explanations._messages import MESSAGES
from smartrisk.languages import catalogue

_KG = ("net_mass_kg", "gross_mass_kg")
_GOODS = (*HS_DIGITS, "tariff_code")
_PLACES = ("origin", "departure", "office")
_PREPOSITION = {"origin": "from", "departure": "from", "office": "at"}
_NARROW = "\u202f"  # no-break, as French and Spanish typography have it
_FOUR_DIGITS = re.compile(r"([+-]?\d),(\d{3})(\.\d+)?")


@dataclass(frozen=True)
class Wording:
    """The words and numbers of one language.

    Parameters
    ----------
    lang : str
        One of `LANGUAGES`.

    Examples
    --------
    >>> from smartrisk.explanations import Wording
    >>> words = Wording("fr")
    >>> words.field("customs_value"), words.concept("novelty"), words.ratio(0.412)
    ('valeur en douane', 'nouveauté', '0,41')
    """

    lang: str

    def __post_init__(self) -> None:
        catalogue("reasons", self.lang)  # an unknown language is refused here

    @property
    def _english(self) -> bool:
        return self.lang == "en"

    def text(self, name: str, n: float = 1, /, **values: str) -> str:
        """Return a message with its values, which are texts already.

        Parameters
        ----------
        name : str
            Name of the message.
        n : float, default=1
            Number that chooses between one and many.
        **values : str
            What its placeholders stand for.

        Returns
        -------
        text : str
            The message.
        """
        english, found = MESSAGES[name], catalogue("reasons", self.lang)
        if isinstance(english, str):
            message = found.pgettext(name, english)
        else:
            message = found.npgettext(name, *english, int(n))
        return message.format_map(values) if values else message

    def sentence(self, evidence: Evidence) -> str:
        """Return evidence as a sentence."""
        values = {
            name: self._said(name, value) for name, value in evidence.values.items()
        }
        if evidence.key:
            values["key"] = self.key(evidence.key)
        elif "{key}" in str(MESSAGES[evidence.message]):
            values["key"] = self.text("of.all")
        said = self.text(evidence.message, evidence.values.get("n", 1), **values)
        if evidence.since is not None:
            said = self.text("since", said=said, month=self.month(*evidence.since))
        if evidence.more is None:
            return said
        return self.text("list.also", first=said, more=self.sentence(evidence.more))

    def field(self, name: str) -> str:
        """Return the name of a declaration field."""
        known = f"field.{name}"
        if known in MESSAGES:
            return self.text(known)
        return clean(name.removeprefix("dq_").replace("_", " "))

    def concept(self, name: str) -> str:
        """Return the name of a customs concept."""
        known = f"concept.{name}"
        return self.text(known) if known in MESSAGES else clean(name)

    def named(self, names: Sequence[str]) -> list[str]:
        """Return the words for concepts, or for declaration fields if one is none.

        What is left over is "other" in both.
        """
        concepts = all(f"concept.{name}" in MESSAGES for name in names)
        return [
            self.concept(name) if concepts or name == "other" else self.field(name)
            for name in names
        ]

    def listed(self, words: Sequence[str]) -> str:
        """Join words with commas and a last "and"."""
        if len(words) < 2:
            return "".join(words)
        head = ", ".join(words[:-1])
        return self.text("list.and", head=head, last=words[-1])

    def key(self, key: Sequence[tuple[str, str | None]]) -> str:
        """Say whose history is meant: traders, goods, places, then the rest."""
        codes = dict(key)
        parts: list[str] = []
        for name in (n for n in TRADERS if n in codes):
            parts.append(self.text(f"{'with' if parts else 'of'}.{name}"))
        for name in (n for n in _GOODS if codes.get(n)):
            link = "with" if parts else "of"
            parts.append(self.text(f"{link}.{name}", code=str(codes[name])))
        places = [n for n in _PLACES if codes.get(n)]
        if not parts and places and places[0] != "office":
            parts.append(self.text("of.goods"))
        for name in places:
            message = f"{_PREPOSITION[name]}.{name}"
            parts.append(self.text(message, code=str(codes[name])))
        rest = [n for n in codes if n not in (*TRADERS, *_GOODS, *_PLACES)]
        if rest:
            same = self.listed([self.field(name) for name in rest])
            parts.append(self.text("with.same", fields=same))
        return " ".join(parts) or self.text("of.all")

    def month(self, year: int, month: int) -> str:
        """Return a month by its name, with the year."""
        return self.text(
            "month.year", month=self.text(f"month.{month}"), year=str(year)
        )

    def code(self, text: str) -> str:
        """Return a tariff code with its dots."""
        return tariff(text) or ""

    def measure(self, name: str, unit: str | None) -> str:
        """Return the name of a unit value or mass, with the unit that it is by."""
        said = self.text(f"measure.{name}")
        return self.text("measure.of_unit", measure=said, unit=unit) if unit else said

    def unit_value(self, value: float) -> str:
        """Return a value per kg or unit: two decimals, or three digits when small."""
        if value >= 1e6:
            return self.number(value)
        if value >= 999.995:
            return self.localised(f"{value:,.0f}")
        return self.localised(f"{value:.2f}" if value >= 1.0 else f"{value:.3g}")

    def number(self, value: float) -> str:
        """Return a number with the separators of the language."""
        if value == round(value) or abs(value) >= 999.5:
            whole = f"{value:,.0f}" if abs(value) < 1e15 else f"{value:g}"
            return self.localised(whole)
        return self.localised(f"{value:.3g}")

    def ratio(self, value: float) -> str:
        """Return a ratio with two decimals, or two digits when it is small."""
        if value >= 1e6:
            return self.localised(f"{value:.1e}")
        if value >= 100:
            return self.localised(f"{value:,.0f}")
        if value >= 10:
            return self.localised(f"{value:.1f}")
        return self.localised(f"{value:.2f}" if value >= 0.1 else f"{value:.2g}")

    def rate(self, value: float) -> str:
        """Return a fraction as a percentage."""
        percent = round(100.0 * value, 6) + 0.0
        whole = abs(percent) >= 10 or percent == round(percent)
        if 99.5 <= percent < 100.0:  # not all is not all
            text = self.localised(f"{math.floor(10.0 * percent) / 10.0:.1f}")
        else:
            text = self.localised(f"{percent:.0f}" if whole else f"{percent:.2g}")
        return f"{text} %" if self._english else f"{text}{_NARROW}%"

    def check(self, name: str, *, short: bool = False) -> str:
        """Return what to check for a reason of a concept."""
        kind = "check.short" if short else "check"
        known = f"{kind}.{name}"
        return self.text(known if known in MESSAGES else f"{kind}.other")

    def statement(self, risk: float) -> str:
        """Say a calibrated probability as a count of similar items."""
        for name, many in (("hundred", 100), ("thousand", 1000)):
            n = min(round(many * risk), many - 1)
            if n >= 1:
                return self.text(f"statement.{name}", n, n=self.number(n))
        return self.text("statement.hardly")

    def begun(self, text: str) -> str:
        """Return a sentence with a capital at its beginning."""
        return text[:1].upper() + text[1:]

    def pair(self, field: str, value: Any) -> str:
        """Return a declared field with its value, and the unit where it has one."""
        if value is None:
            blank = self.text("instead.blank")
            return self.text("pair.blank", field=self.field(field), value=blank)
        return self._pair(field, value)

    def declared(self, field: str, value: Any) -> str:
        """Return a declared value alone, with the unit where it has one."""
        if value is None:
            return self.text("instead.blank")
        if isinstance(value, bool):
            return self.text("yes" if value else "no")
        if not isinstance(value, float):
            return str(value)
        if field == "duty_rate":
            return self.rate(value)
        return f"{self.number(value)}{' kg' if field in _KG else ''}"

    def signed(self, value: float) -> str:
        """Return a contribution with its sign and two decimals."""
        return self.localised(f"{value:+.2f}")

    def localised(self, text: str) -> str:
        """Return a number written in English with the signs of the language."""
        if self._english:
            return text
        if self.lang == "es" and _FOUR_DIGITS.fullmatch(text):
            text = text.replace(",", "")  # Spanish groups from five digits on
        return text.replace(",", _NARROW).replace(".", ",")

    def _said(self, name: str, value: Any) -> str:
        """Return one value by the kind of its placeholder."""
        if name in _BY_PLACEHOLDER:
            return _BY_PLACEHOLDER[name](self, value)
        return clean(value)

    def _pair(self, field: str, value: Any) -> str:
        """Return a declared field with its value."""
        label = self.field(field)
        return label if value is None else f"{label} {self.declared(field, value)}"


_BY_PLACEHOLDER: Mapping[str, Callable[[Wording, Any], str]] = {
    "n": Wording.number,
    "total": Wording.number,
    "hits": Wording.number,
    "days": Wording.number,
    "z": lambda self, value: self.signed(value),
    "value": Wording.number,
    "ratio": Wording.ratio,
    "declared": Wording.unit_value,
    "typical": Wording.unit_value,
    "rate": Wording.rate,
    "other": lambda self, value: (
        self.field(value) if isinstance(value, str) else self.rate(value)
    ),
    "measure": lambda self, value: self.measure(*value),
    "field": Wording.field,
    "feature": lambda self, value: self.field(value),
    "fields": lambda self, value: self.listed([self.field(name) for name in value]),
    "weekday": lambda self, value: self.text(f"weekday.{value}"),
    "pairs": lambda self, value: self.listed([self._pair(*pair) for pair in value]),
}
