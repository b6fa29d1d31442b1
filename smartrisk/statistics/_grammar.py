"""The grammar of indicators: counts and sums of a fact, with filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smartrisk.errors import format_values, suggest_nearest
from smartrisk.schema import DECLARATIONS

#: What an expression can say of a unit, by the kind of its values.
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "decided": "flag",
        "controlled": "flag",
        "result": "flag",
        "hit": "flag",
        "due": "flag",
        "unresolved": "flag",
        "physical": "flag",
        "documentary": "flag",
        "changed": "flag",
        "seized": "flag",
        "released": "flag",
        "audit_closed": "flag",
        "audit_finding": "flag",
        "channel": "code",
        "final_channel": "code",
        "selected_by": "code",
        "override": "code",
        "revenue": "number",
        "refund": "number",
        "value_gap": "number",
        "adjusted_value": "number",
        "latency_days": "number",
        "inspection_hours": "number",
        "release_hours": "number",
        "wait_hours": "number",
        "release_days": "number",
        "audit_amount": "number",
    }
)
#: Prefix of a declared column that is no field of the schema.
OWN = "declared."
_NAME = r"[A-Za-z_][\w.]*"
_HEAD = re.compile(
    rf"(?:(count)|(sum|values|rate)\s+({_NAME}))(?:\s+where\s+(\S.*))?", re.DOTALL
)
_CONDITION = re.compile(rf"(not\s+)?({_NAME})(?:\s*(!=|<=|>=|=|<|>|\bin\b)\s*(\S.*))?")
_ORDERS = ("<", "<=", ">", ">=")
_KINDS = {"code": "code", "text": "code", "boolean": "flag"}


class GrammarError(ValueError):
    """What is wrong with an expression, and the remedy."""


@dataclass(frozen=True)
class Condition:
    """One condition of a filter.

    Attributes
    ----------
    name : str
        Fact or declared column.
    operator : str
        "is" for a flag, else "=", "!=", "in", "<", "<=", ">" or ">=".
    values : tuple of str
        What is compared with; empty for a flag.
    negated : bool
        Whether the condition must not hold.
    """

    name: str
    operator: str
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True)
class Expression:
    """A count, a sum, values for a distribution, or the rate of another indicator.

    Attributes
    ----------
    kind : str
        "count", "sum", "values" or "rate".
    name : str
        What is summed, or the other indicator; empty for a count.
    where : tuple of Condition
        All must hold.
    """

    kind: str
    name: str
    where: tuple[Condition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Facts and declared columns that the expression needs."""
        own = (self.name,) if self.kind in ("sum", "values") else ()
        return (*own, *(condition.name for condition in self.where))


def kind_of(name: str) -> str:
    """Return "flag", "code" or "number", or "own" for a column outside the schema."""
    if name in FACTS:
        return FACTS[name]
    if name.startswith(OWN):
        return "own"
    if name in DECLARATIONS:
        return _KINDS.get(DECLARATIONS[name].kind, "number")
    raise GrammarError(
        f"{name!r} is no fact.{suggest_nearest(name, [*FACTS, *DECLARATIONS.names])} "
        f"Facts are {format_values(FACTS, len(FACTS))} and the fields of DECLARATIONS; "
        f"write a column of your own as {OWN}{name}"
    )


def parse_expression(text: str) -> Expression:
    """Return the expression that a text states; raise `GrammarError` where it is none.

    Nothing is ever evaluated as code: the text is split into the parts of the grammar.
    """
    found = _HEAD.fullmatch(" ".join(text.split()))
    if found is None:
        raise GrammarError(
            f"{text!r} is no expression; write 'count', 'sum FACT', 'values FACT' or "
            "'rate INDICATOR', then 'where CONDITION and CONDITION'"
        )
    count, kind, name, rest = found.groups()
    where = tuple(_parse_condition(part) for part in re.split(r" and ", rest or ""))
    if kind in ("sum", "values") and kind_of(name) not in ("number", "own"):
        raise GrammarError(f"{name!r} is no number, so it has no {kind}; use 'count'")
    return Expression(count or kind, name or "", where if rest else ())


def _parse_condition(text: str) -> Condition:
    """Return one condition; its operator must fit what it is about."""
    found = _CONDITION.fullmatch(text.strip())
    if found is None and not text.strip():
        return Condition("", "is", (), negated=False)
    if found is None:
        raise GrammarError(
            f"{text!r} is no condition; write 'FLAG', 'CODE = value', "
            "'CODE in one|two' or 'NUMBER >= 5', each with 'not' before it or without"
        )
    negated, name, operator, given = found.groups()
    values = tuple(part.strip() for part in (given or "").split("|") if part.strip())
    kind, operator = kind_of(name), operator or "is"
    allowed = {"flag": ("is",), "code": ("=", "!=", "in"), "number": ("=", *_ORDERS)}
    if kind != "own" and operator not in allowed[kind]:
        raise GrammarError(
            f"{name!r} is a {kind} and cannot be asked with {operator!r}; use "
            f"{format_values(allowed[kind])}"
        )
    if operator in ("=", *_ORDERS) and kind == "number" and not _is_number(values):
        raise GrammarError(f"{text!r} compares with no number; write one, such as 5")
    return Condition(name, operator, values, negated=bool(negated))


def _is_number(values: tuple[str, ...]) -> bool:
    """Return whether there is one value, a number."""
    return len(values) == 1 and re.fullmatch(r"-?\d+(\.\d+)?", values[0]) is not None
