"""Evidence in the words of a language: numbers, lists, keys, sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from smartrisk.errors import check_choice
from smartrisk.explanations._evidence import Evidence
from smartrisk.explanations._facts import format_tariff_code, short_text
from smartrisk.explanations._messages import BELOW_ONE, MESSAGES
from smartrisk.explanations._numbers import NumberWording
from smartrisk.explanations._units import unit_name, unit_symbol
from smartrisk.items import ANY_HIT
from smartrisk.languages import LOCALES, catalogue
from smartrisk.schema import DECLARATIONS, HS_LEVELS, TRADERS

_KG = ("net_mass_kg", "gross_mass_kg")
_GOODS = (*HS_LEVELS, "tariff_code", "national_code")
_PLACES = ("origin", "departure", "office")
_PREPOSITION = {"origin": "from", "departure": "from", "office": "at"}
#: Beginnings of the names of data-quality columns that end in a field.
_FLAGS_OF_FIELDS = (
    *("zero", "far", "huge", "high", "unknown", "mixed_scripts", "misread", "shared"),
)
#: Beginnings that sound like the Spanish "y", which becomes "e" before them.
_SOUND_OF_AND = re.compile(r"[ií]|h(?:í|i(?!e))", re.IGNORECASE)


@dataclass(frozen=True)
class Wording(NumberWording):
    """The words and numbers of one language.

    Parameters
    ----------
    lang : str
        One of `smartrisk.languages.LOCALES`.
    target : str, default="hit"
        What the model looks for: one of `smartrisk.items.TARGETS`. Results and counts
        are then about this finding.

    Examples
    --------
    >>> from smartrisk.explanations import Wording
    >>> words = Wording("fr")
    >>> words.field("customs_value"), words.concept("novelty"), words.ratio(0.412)
    ('valeur en douane', 'nouveauté', '0,41')
    """

    target: str = ANY_HIT

    def __post_init__(self) -> None:
        catalogue("reasons", self.lang)  # an unknown language is refused here

    def text(self, name: str, n: float = 1, /, **values: str) -> str:
        """Return a message with its values, which are texts already.

        Parameters
        ----------
        name : str
            Name of the message.
        n : float, default=1
            Number that chooses between the singular and the plural.
        **values : str
            What its placeholders stand for.

        Returns
        -------
        text : str
            The message.
        """
        if self.target != ANY_HIT and (special := f"{name}.target") in MESSAGES:
            name, values = special, {**values, "target": self.finding()}
        english, found = MESSAGES[name], catalogue("reasons", self.lang)
        if isinstance(english, str):
            message = found.pgettext(name, english)
        else:
            message = found.npgettext(name, *english, int(n))
        return message.format_map(values) if values else message

    def finding(self) -> str:
        """Return what the model looks for.

        Returns
        -------
        name : str
            Such as "false origin", without a capital.
        """
        return self.text(f"target.{self.target}")

    def sentence(self, evidence: Evidence) -> str:
        """Return evidence as a sentence.

        Parameters
        ----------
        evidence : Evidence
            A message and its values.

        Returns
        -------
        sentence : str
            Without a capital and without a full stop.
        """
        values = {
            name: self._value_in_words(name, value)
            for name, value in evidence.values.items()
        }
        if evidence.key:
            values["key"] = self.key(evidence.key)
        elif "{key}" in str(MESSAGES[evidence.message]):
            values["key"] = self.text("of.all")
        name, ratio = evidence.message, evidence.values.get("ratio")
        if ratio is not None and ratio < 1:
            name, values["share"] = f"{name}{BELOW_ONE}", self.share(ratio)
        sentence = self.text(name, evidence.values.get("n", 1), **values)
        if evidence.since is not None:
            month = self.month(*evidence.since)
            sentence = self.text("since", sentence=sentence, month=month)
        if evidence.more is None:
            return sentence
        more = self.sentence(evidence.more)
        return self.text("list.also", first=sentence, more=more)

    def field(self, name: str) -> str:
        """Return the name of a declaration field.

        Parameters
        ----------
        name : str
            Field of DECLARATIONS, or a column that an administration adds.

        Returns
        -------
        label : str
            In words, without a capital.
        """
        known = f"field.{name}"
        if known in MESSAGES:
            return self.text(known)
        if name.startswith("dq_"):
            return self._flag(name.removeprefix("dq_"))
        return short_text(name.replace("_", " "))

    def _flag(self, name: str) -> str:
        """Return what a data-quality column notes: of the row, or of a field."""
        known = f"flag.{name}"
        if known in MESSAGES:
            return self.text(known)
        for kind in _FLAGS_OF_FIELDS:
            if name.startswith(f"{kind}_"):
                field = self.field(name.removeprefix(f"{kind}_"))
                return self.text(f"flag.{kind}", field=field)
        return short_text(name.replace("_", " "))

    def concept(self, name: str) -> str:
        """Return the name of a customs concept.

        Parameters
        ----------
        name : str
            One of `CONCEPTS`, or a concept of your own features.

        Returns
        -------
        label : str
            In words, without a capital.
        """
        known = f"concept.{name}"
        return self.text(known) if known in MESSAGES else short_text(name)

    def labels(self, names: Sequence[str]) -> list[str]:
        """Return the words for concepts, or for declaration fields.

        Parameters
        ----------
        names : sequence of str
            All concepts, or all fields; "other" is in both.

        Returns
        -------
        labels : list of str
            In the order of the names.
        """
        concepts = all(f"concept.{name}" in MESSAGES for name in names)
        return [
            self.concept(name) if concepts or name == "other" else self.field(name)
            for name in names
        ]

    def join(self, words: Sequence[str]) -> str:
        """Return words joined by commas and a last "and".

        Parameters
        ----------
        words : sequence of str
            Texts in the language.

        Returns
        -------
        text : str
            One text.
        """
        if len(words) < 2:
            return "".join(words)
        same_sound = _SOUND_OF_AND.match(words[-1]) is not None
        name = "list.and_same_sound" if same_sound else "list.and"
        return self.text(name, head=", ".join(words[:-1]), last=words[-1])

    def key(self, key: Sequence[tuple[str, str | None]]) -> str:
        """Return the words for a history key: traders, goods, places, then the rest.

        Parameters
        ----------
        key : sequence of (str, str or None)
            Columns of a history key with their codes; None for an identity.

        Returns
        -------
        text : str
            Such as "of this importer with goods 6403".
        """
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
            fields = self.join([self._field_of_key(name, codes[name]) for name in rest])
            parts.append(self.text("with.same", fields=fields))
        return " ".join(parts) or self.text("of.all")

    def _field_of_key(self, name: str, code: str | None) -> str:
        """Return a field of a key, with its code where it is the administration's."""
        is_stated = code is not None and name not in DECLARATIONS
        return f"{self.field(name)} {code}" if is_stated else self.field(name)

    def month(self, year: int, month: int) -> str:
        """Return a month by its name, with the year.

        Parameters
        ----------
        year : int
            Such as 2025.
        month : int
            From 1 to 12.

        Returns
        -------
        text : str
            Such as "May 2025".
        """
        return self.text(
            "month.year", month=self.text(f"month.{month}"), year=str(year)
        )

    def day(self, value: date) -> str:
        """Return a day as a sentence has it.

        Parameters
        ----------
        value : date or datetime
            Any day.

        Returns
        -------
        text : str
            Such as "17 December 2024".

        Examples
        --------
        >>> from datetime import date
        >>> from smartrisk.explanations import Wording
        >>> Wording("fr").day(date(2024, 12, 1)), Wording("es").day(date(2024, 12, 17))
        ('1er décembre 2024', '17 de diciembre de 2024')
        """
        return self.text(
            "date.first_day" if value.day == 1 else "date.day",
            day=str(value.day),
            month=self.text(f"month.{value.month}"),
            year=str(value.year),
        )

    def moment(self, value: datetime) -> str:
        """Return a moment as a sentence has it: the day alone when it is midnight.

        Parameters
        ----------
        value : datetime
            Any moment.

        Returns
        -------
        text : str
            Such as "17 December 2024, 10:30".
        """
        day, time = self.day(value), f"{value:%H:%M}"
        is_day = (value.hour, value.minute) == (0, 0)
        return day if is_day else self.text("date.moment", day=day, time=time)

    def unit(self, code: str) -> str:
        """Return a unit of quantity by its symbol or name, its code where unknown.

        Parameters
        ----------
        code : str
            A code of UN/ECE Recommendation 20.

        Returns
        -------
        text : str
            Such as "kg" or "piece".

        Examples
        --------
        >>> from smartrisk.explanations import Wording
        >>> [Wording("es").unit(code) for code in ("KGM", "NMB", "LTR", "X9")]
        ['kg', 'unidad', 'l', 'X9']
        """
        symbol, name = unit_symbol(code), unit_name(code)
        if symbol is not None:
            return symbol
        return code if name is None else self.text(f"unit.{name}")

    def unit_with_code(self, code: str) -> str:
        """Return a unit of quantity by its code, with its symbol or name.

        Parameters
        ----------
        code : str
            A code of UN/ECE Recommendation 20.

        Returns
        -------
        text : str
            Such as "NMB (piece)".
        """
        name = self.unit(code)
        if name == code:
            return code
        return self.text("unit.with_code", code=code, name=name)

    def code(self, text: str) -> str:
        """Return a tariff code with its dots.

        Parameters
        ----------
        text : str
            Digits of the code.

        Returns
        -------
        code : str
            Such as "6403.99.1000".
        """
        return format_tariff_code(text) or ""

    def measure(self, name: str, unit: str | None) -> str:
        """Return the name of a unit value or mass, with the unit by which it divides.

        Parameters
        ----------
        name : str
            "price_per_kg", "price_per_unit", "kg_per_unit" or "unknown".
        unit : str or None
            Declared unit of the quantity; None for none.

        Returns
        -------
        text : str
            Such as "unit value (per piece)".
        """
        label = self.text(f"measure.{name}")
        if not unit:
            return label
        form = "mass_of_unit" if name == "kg_per_unit" else "of_unit"
        return self.text(f"measure.{form}", measure=label, unit=self.unit(unit))

    def check(self, name: str, *, short: bool = False) -> str:
        """Return what to check for a reason of a concept.

        Parameters
        ----------
        name : str
            A customs concept; one without a check of its own gets that of "other".
        short : bool, default=False
            Whether to name only the documents and means.

        Returns
        -------
        text : str
            Without a capital and without a full stop.
        """
        kind = "check.short" if short else "check"
        known = f"{kind}.{name}"
        return self.text(known if known in MESSAGES else f"{kind}.other")

    def name_by_stage(self, name: str, stage: str) -> str:
        """Return the name of a message, of the one for scores without results if any.

        Parameters
        ----------
        name : str
            Name of a message.
        stage : str
            One of `smartrisk.schema.STAGES`.

        Returns
        -------
        name : str
            Name of a message.
        """
        other = f"{name}_no_results"
        return other if stage == "no results" and other in MESSAGES else name

    def score(self, value: float, stage: str = "model") -> str:
        """Return a risk score: a percentage only where results stand behind it.

        Parameters
        ----------
        value : float
            From 0 to 1.
        stage : str, default="model"
            One of `smartrisk.schema.STAGES`. Without results a score orders items and
            is no probability: it is written as a plain number.

        Returns
        -------
        text : str
            Such as "12 %", or "0.62" without results.
        """
        return self.ratio(value) if stage == "no results" else self.rate(value)

    def statement(self, risk: float, stage: str = "model") -> str:
        """Return a risk score as a count of similar items.

        Parameters
        ----------
        risk : float
            Probability of a hit if inspected, from 0 to 1.
        stage : str, default="model"
            One of `smartrisk.schema.STAGES`. Without results no such count is known,
            and the text states that.

        Returns
        -------
        text : str
            Without a capital and without a full stop.
        """
        if stage == "no results":
            return self.text("statement.no_results")
        for name, many in (("hundred", 100), ("thousand", 1000)):
            n = min(round(many * risk), many - 1)
            if n >= 1:
                return self.text(f"statement.{name}", n, n=self.number(n))
        return self.text("statement.hardly")

    def capitalise(self, text: str) -> str:
        """Return a sentence with a capital at its beginning.

        Parameters
        ----------
        text : str
            Any text; the rest of it stays as it is.

        Returns
        -------
        text : str
            The text with a capital first letter.
        """
        return text[:1].upper() + text[1:]

    def declared_value(self, field: str, value: str | bool | float | None) -> str:
        """Return a declared value alone, with the unit where it has one.

        Parameters
        ----------
        field : str
            Field of DECLARATIONS.
        value : str, bool, float or None
            What is declared; None for a missing value.

        Returns
        -------
        text : str
            Such as "340 kg".
        """
        if value is None:
            return self.text("instead.blank")
        if isinstance(value, bool):
            return self.text("yes" if value else "no")
        if not isinstance(value, float):
            is_unit = field == "quantity_unit"
            return self.unit_with_code(str(value)) if is_unit else str(value)
        if field == "duty_rate":
            return self.rate(value)
        return f"{self.number(value)}{' kg' if field in _KG else ''}"

    def _value_in_words(self, name: str, value: Any) -> str:
        """Return one value by the kind of its placeholder."""
        if name in _BY_PLACEHOLDER:
            return _BY_PLACEHOLDER[name](self, value)
        return short_text(value)

    def _pair(self, field: str, value: Any) -> str:
        """Return a declared field with its value; the field alone for an identity."""
        label = self.field(field)
        if value is None:
            return label
        return self.text("pair", field=label, value=self.declared_value(field, value))


_BY_PLACEHOLDER: Mapping[str, Callable[[Wording, Any], str]] = {
    "n": Wording.number,
    "total": Wording.number,
    "hits": Wording.number,
    "days": Wording.number,
    "z": lambda self, value: self.signed_number(value),
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
    "fields": lambda self, value: self.join([self.field(name) for name in value]),
    "weekday": lambda self, value: self.text(f"weekday.{value}"),
    "pairs": lambda self, value: self.join([self._pair(*pair) for pair in value]),
}


def make_wording(owner: str, lang: str, target: str = ANY_HIT) -> Wording:
    """Return the words of a language, or raise in the name of the caller."""
    check_choice(owner, "lang", lang, LOCALES)
    return Wording(lang, target)
