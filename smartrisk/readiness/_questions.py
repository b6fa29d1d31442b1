"""The questions, needs and use cases, as the file of texts states them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from smartrisk.readiness._facts import Fact
from smartrisk.readiness._thresholds import THRESHOLDS
from smartrisk.settings import read_toml

Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that data answer (`evidence`) or only people (`who`), by language.

    Where the fact `unless` is not known, or a number of 0, the evidence is `otherwise`.
    """

    id: str
    text: Texts
    measure: Texts | None = None
    evidence: Texts | None = None
    who: Texts | None = None
    unless: str = ""
    otherwise: Texts | None = None

    def evidence_of(self, facts: Mapping[str, Fact]) -> Texts | None:
        """Return the evidence that these facts can fill."""
        if not self.unless:
            return self.evidence
        fact = facts[self.unless]
        is_missing = fact is None or (isinstance(fact, int) and fact == 0)
        return self.otherwise if is_missing else self.evidence


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """Something to do with data, and what people must answer before."""

    id: str
    ask: tuple[str, ...]
    name: Texts


@dataclass(frozen=True, kw_only=True)
class Need:
    """A bound on a fact, the use cases that it blocks, and the step that meets it."""

    id: str
    question: str
    field: str
    fact: str
    blocks: tuple[str, ...]
    what: Texts
    step: Texts
    least: str = ""
    most: str = ""
    of: str = ""

    @property
    def bound(self) -> float:
        """What the fact is compared with."""
        return THRESHOLDS[self.least or self.most]

    def is_met(self, facts: Mapping[str, Fact]) -> bool:
        """Return whether the fact reaches its bound; what is not known does not."""
        value = _number(facts, self.fact)
        return value >= self.bound if self.least else value <= self.bound

    def lack(self, facts: Mapping[str, Fact]) -> int:
        """Return how many items, results, days or months are missing or too many."""
        value = _number(facts, self.fact)
        if self.of:
            # Rounded first: 0.9 of 10 items must not ask for one more.
            share = (self.bound - value) * _number(facts, self.of)
            return max(1, math.ceil(round(share, 6)))
        return int(abs(self.bound - value))


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that the file holds, in its order."""

    labels: Mapping[str, Texts]
    questions: tuple[Question, ...]
    needs: tuple[Need, ...]
    use_cases: tuple[UseCase, ...]


@cache
def read_catalogue() -> Catalogue:
    """Return the questions, needs and use cases of the library."""
    place = files("smartrisk.readiness") / "_questions.toml"
    content = read_toml("assess", place.read_text(encoding="utf-8"))
    return Catalogue(
        labels=content["labels"],
        questions=tuple(Question(**row) for row in content["question"]),
        needs=tuple(Need(**_tuples(row)) for row in content["need"]),
        use_cases=tuple(UseCase(**_tuples(row)) for row in content["use_case"]),
    )


def show_facts(facts: Mapping[str, Fact], lang: str) -> dict[str, str]:
    """Return facts as texts: shares in percent, what is not known as such."""
    labels = read_catalogue().labels[lang]
    return {name: show_value(value, labels) for name, value in facts.items()}


def show_value(value: Fact, labels: Texts) -> str:
    """Return a count, a share or a text as it is printed in a language."""
    if value is None:
        return labels["unknown"]
    if isinstance(value, float):
        # Cut, not rounded: 99.97 % must not look like all of it.
        percent = math.floor(round(value * 1000, 6)) / 10
        return f"{percent:.1f} %".replace(".", labels["point"])
    return str(value)


def _number(facts: Mapping[str, Fact], name: str) -> float:
    """Return a fact as a number; 0 where it is not known."""
    value = facts[name]
    return 0.0 if value is None else float(value)


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the file with its lists as tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
