"""Definitions of indicators as data: the library's own, and those of a country."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from smartrisk.errors import ArgumentError, check_choice, suggest_nearest
from smartrisk.languages import LANGUAGES
from smartrisk.settings import read_toml
from smartrisk.statistics._grammar import Expression, GrammarError, parse_expression

#: How a figure is made of its numerator and denominator, and the kinds of expressions
#: that each takes; None where there is no denominator.
MEASURES: Mapping[str, tuple[str, str | None]] = {
    "amount": ("count sum", None),
    "share": ("count", "count"),
    "ratio": ("count sum", "count sum"),
    "split": ("count", "count"),
    "distribution": ("values", None),
    "weighted": ("count", "count"),
    "stratified": ("count", "count"),
    "yield": ("count", "rate"),
    "lift": ("rate", "rate"),
}
_UNITS = ("asked", "item", "declaration")
_KEYS = ("id", "measure", "numerator", "denominator", "unit", "split", "excludes")
_TEXTS = ("name", "definition")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What an indicator is: how it is computed, and what it says, in three languages.

    Parameters
    ----------
    id : str
        Name of the indicator.
    measure : str
        "amount", "share" (of counts, with an interval), "ratio", "split" (shares by
        the codes of a fact), "distribution" (median, 90th percentile, mean),
        "weighted" (by the random draw), "stratified", "yield" or "lift".
    numerator : str
        Expression: "count", "sum FACT", "values FACT" or "rate INDICATOR", then
        "where" and conditions.
    denominator : str, default=""
        Expression; empty for an amount or a distribution.
    unit : str, default="asked"
        "item" or "declaration" where the indicator has one unit only.
    split : str, default=""
        Fact whose codes are the parts of a split, or of a distribution.
    anchor : str, default=""
        Public source of a similar indicator.
    name, definition, excludes : mapping of str to str
        Texts by language.

    Examples
    --------
    >>> from smartrisk.statistics import read_definitions
    >>> read_definitions()["control_rate"].numerator
    'count where controlled'
    """

    id: str
    measure: str
    numerator: str
    denominator: str = ""
    unit: str = "asked"
    split: str = ""
    anchor: str = ""
    name: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, str] = field(default_factory=dict)
    excludes: Mapping[str, str] = field(default_factory=dict)

    @property
    def upper(self) -> Expression:
        """The numerator, parsed."""
        return parse_expression(self.numerator)

    @property
    def lower(self) -> Expression | None:
        """The denominator, parsed; None where there is none."""
        return parse_expression(self.denominator) if self.denominator else None

    def text(self, lang: str = "en") -> str:
        """Return the definition as a text.

        Parameters
        ----------
        lang : {"en", "fr", "es"}, default="en"
            Language.

        Returns
        -------
        text : str
            Name and sentence, then numerator, denominator, unit, what is left out and
            the public anchor.
        """
        check_choice("Definition.text", "lang", lang, LANGUAGES)
        upper, lower, unit, without, anchor, none = _own_content()["labels"][lang]
        lines = [
            f"{self.name[lang]}: {self.definition[lang]}",
            f"{upper}: {self.numerator}",
            f"{lower}: {self.denominator or none}",
            f"{unit}: {self.unit}",
            f"{without}: {self.excludes[lang]}",
            f"{anchor}: {self.anchor or none}",
        ]
        return "\n".join(lines)


def read_definitions(
    source: str | os.PathLike[str] | None = None,
) -> dict[str, Definition]:
    r"""Return the definitions of the library, those of a country put over them.

    Parameters
    ----------
    source : path or str, default=None
        TOML of a country: a file, or the text itself. Its indicators are added, or
        take the place of those of the same id.

    Returns
    -------
    definitions : dict of str to Definition
        By id, in the order of the tables.

    Raises
    ------
    ArgumentError
        If an indicator is not written in the grammar; all of them are named, each with
        the remedy.

    Examples
    --------
    >>> from smartrisk.statistics import read_definitions
    >>> text = '''
    ... [[indicator]]
    ... id = "red_rate"
    ... measure = "share"
    ... numerator = "count where channel = red"
    ... denominator = "count where decided"
    ... name = {en = "Red", fr = "Rouge", es = "Rojo"}
    ... definition = {en = "Sent to red.", fr = "En rouge.", es = "En rojo."}
    ... '''
    >>> read_definitions(text)["red_rate"].name["fr"]
    'Rouge'
    """
    definitions = dict(_own_definitions())
    if source is not None:
        definitions |= _parse(read_toml("read_definitions", source), definitions)
    return definitions


@cache
def _own_definitions() -> dict[str, Definition]:
    """Return the definitions of the library."""
    return _parse(_own_content(), {})


@cache
def _own_content() -> dict[str, Any]:
    """Return the library's file of definitions."""
    place = files("smartrisk.statistics") / "_indicators.toml"
    return read_toml("read_definitions", place.read_text(encoding="utf-8"))


def _parse(
    content: Mapping[str, Any], known: Mapping[str, Definition]
) -> dict[str, Definition]:
    """Return the definitions of a file; raise with all that is wrong in it."""
    rows = content.get("indicator", [])
    common = content.get("excludes", dict.fromkeys(LANGUAGES, "-"))
    made: dict[str, Definition] = {}
    problems: list[str] = []
    if not isinstance(rows, list) or not rows:
        problems.append("no indicator is given; write one as [[indicator]]")
        rows = []
    for place, row in enumerate(rows, 1):
        name = str(row.get("id", f"number {place}"))
        found = _problems_of(row)
        if name in made:
            found.append("it is given twice; give each its own id")
        problems += [f"indicator {name!r}: {problem}" for problem in found]
        if not found:
            texts = {"excludes": common} | row
            made[name] = Definition(**texts)
    if not problems:
        problems = _problems_between(made, {**known, **made})
    if problems:
        raise ArgumentError(
            "statistics.definitions_wrong",
            "read_definitions: {problems}.",
            problems="; ".join(problems),
        )
    return made


def _problems_of(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one indicator, each with its remedy."""
    allowed = (*_KEYS, *_TEXTS, "anchor")
    problems = [
        f"{key!r} is no part of an indicator.{suggest_nearest(key, allowed)} Leave it "
        "out"
        for key in row
        if key not in allowed
    ]
    problems += [
        f"{key!r} is missing; add it"
        for key in ("id", "measure", "numerator", *_TEXTS)
        if key not in row
    ]
    for key in _TEXTS:
        texts = row.get(key, {})
        absent = [lang for lang in LANGUAGES if lang not in texts]
        if key in row and absent:
            problems.append(
                f"{key!r} lacks the languages {', '.join(absent)}; add them"
            )
    if row.get("unit", "asked") not in _UNITS:
        problems.append(f"the unit must be one of {', '.join(_UNITS)}")
    if problems:
        return problems
    if row["measure"] not in MEASURES:
        return [f"the measure {row['measure']!r} is none of {', '.join(MEASURES)}"]
    return _problems_of_expressions(row)


def _problems_of_expressions(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the numerator and the denominator."""
    problems = []
    wanted = dict(
        zip(("numerator", "denominator"), MEASURES[row["measure"]], strict=True)
    )
    for part, kinds in wanted.items():
        text = row.get(part, "")
        if kinds is None:
            if text:
                problems.append(f"a measure {row['measure']!r} has no {part}; leave it")
            continue
        try:
            kind = parse_expression(str(text)).kind
        except GrammarError as error:
            problems.append(f"{part}: {error}")
            continue
        if kind not in kinds.split():
            problems.append(f"the {part} of {row['measure']!r} must be a {kinds}")
    if row["measure"] == "split" and not row.get("split"):
        problems.append("a split needs 'split', the fact whose codes are its parts")
    return problems


def _problems_between(
    made: Mapping[str, Definition], known: Mapping[str, Definition]
) -> list[str]:
    """Return rates of indicators that do not exist."""
    problems = []
    for one in made.values():
        for expression in (one.upper, one.lower):
            if expression is None or expression.kind != "rate":
                continue
            if expression.name not in known:
                problems.append(
                    f"indicator {one.id!r}: there is no indicator {expression.name!r}."
                    f"{suggest_nearest(expression.name, list(known))} Define it"
                )
    return problems
