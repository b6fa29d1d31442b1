"""`GuardReport`: what of a batch does not fit, with messages and remedies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from smartrisk.errors import Message
from smartrisk.results import Result

#: Factors that amounts are often wrong by, and what they mean.
_FACTOR_TEXTS: Mapping[float, str] = MappingProxyType(
    {
        1_000.0: "1,000 times",
        100.0: "100 times",
        0.01: "a hundredth of",
        0.001: "a thousandth of",
        2.2046: "2.2 times (pounds for kilograms?)",
        0.4536: "0.45 times (kilograms for pounds?)",
    }
)
#: How far a factor may be from a known one: medians of 500 amounts vary by a tenth.
_NEAR = 0.2
_MAP = "Compare the export and the ColumnMap with those of the engine's data."
_UNIT = "Check the unit or currency, and give a factor in the ColumnMap."
_RATE_TEXT = "Compare duty_rate_unit of the ColumnMap with the unit of the export."
_CODES = "Check the code list; a changed list needs a new fit."

#: Name of a check to its message and remedy.
_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": (
            "{fields} missing in {seen:.0%} of the items, usually {usual:.0%}. "
            "{remedy}",
            _MAP,
        ),
        "zero": (
            "{fields} 0 in {seen:.0%} of the items, usually {usual:.0%}. {remedy}",
            _MAP,
        ),
        "stuck": (
            "{fields} has one value in {seen:.0%} of the items, usually {usual:.0%}. "
            "{remedy}",
            _MAP,
        ),
        "level": (
            "{fields} about {factor} the usual amount for such goods. {remedy}",
            _UNIT,
        ),
        "ratio": (
            "The ratio of {fields} is {factor} the usual one for such goods. {remedy}",
            _UNIT,
        ),
        "exceeds": (
            "Net mass exceeds gross mass in {seen:.0%} of the items, usually "
            "{usual:.0%}. {remedy}",
            _MAP,
        ),
        "unseen": (
            "{fields} never seen before in {seen:.0%} of the items, usually "
            "{usual:.0%}. {remedy}",
            _CODES,
        ),
        "format": (
            "{fields} of another format in {seen:.0%} of the items, usually "
            "{usual:.0%}. {remedy}",
            "Check length, case and prefix of the codes.",
        ),
        "zeros": (
            "{fields} lost leading zeros in {seen:.0%} of the items. {remedy}",
            "Read codes as text, not as numbers.",
        ),
        "pair": (
            "Combinations of {fields} never seen before in {seen:.0%} of the items, "
            "usually {usual:.0%}. {remedy}",
            _MAP,
        ),
        "reversed": (
            "{fields} run against the usual direction in {seen:.0%} of the items "
            "with a known route, usually {usual:.0%}. {remedy}",
            _MAP,
        ),
        "trader": (
            "{fields} never seen before in {seen:.0%} of the items, usually "
            "{usual:.0%}. {remedy}",
            "Check that the ids are those of the engine's data.",
        ),
        "link": (
            "Combinations of {fields} never seen before in {seen:.0%} of the items, "
            "usually {usual:.0%}. {remedy}",
            _MAP,
        ),
        "swapped": (
            "{fields} fit when exchanged: the columns look swapped. {remedy}",
            _MAP,
        ),
        "early": (
            "{fields} before the history of the engine in {seen:.0%} of the items "
            "({example}). {remedy}",
            "Check years and the order of day and month.",
        ),
        "late": (
            "{fields} a year or more after the history of the engine in {seen:.0%} "
            "of the items ({example}). {remedy}",
            "Check years, or bring the history up to date with update.",
        ),
        "exchanged": (
            "{fields} spread over the months but not over the days ({example}): day "
            "and month look exchanged. {remedy}",
            "Set day_first in the ColumnMap.",
        ),
    }
)
_COLUMNS = [
    "check",
    "fields",
    "seen",
    "usual",
    "limit",
    "message_id",
    "message",
]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A figure of a batch that is not usual."""

    check: str
    fields: tuple[str, ...]
    seen: float
    usual: float
    allowed: float
    n_items: int
    example: str = ""

    def message(self) -> Message:
        """Return what is seen, what was usual, and the remedy."""
        return Message(
            f"monitoring.batch_{self.check}",
            _TEXTS[self.check][0],
            fields=_join_fields(self.fields),
            remedy=Message("monitoring.remedy", self.remedy),
            seen=self.seen,
            usual=self.usual,
            factor=_describe_factor(10 ** (self.seen - self.usual)),
            example=self.example,
        )

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.check == "level" and self.fields == ("duty_rate",):
            return _RATE_TEXT
        return _TEXTS[self.check][1]


def _join_fields(names: Iterable[str]) -> Message | str:
    """Return the names of fields, joined by "and"."""
    joined: Message | str = ""
    for name in map(repr, names):
        if joined:
            joined = Message(
                "monitoring.fields", "{names} and {name}", names=joined, name=name
            )
        else:
            joined = name
    return joined


def _describe_factor(factor: float) -> Message:
    """Return a factor in words, a known one by its name."""
    for known, text in _FACTOR_TEXTS.items():
        if abs(factor / known - 1) < _NEAR:
            return Message("monitoring.factor", text)
    n = f"{factor:,.0f}" if factor >= 10 else f"{factor:.2g}"
    return Message("monitoring.factor", "{n} times", n=n)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GuardReport(Result):
    """What of a batch does not fit the inputs that an engine learned from.

    Parameters
    ----------
    findings : tuple of Finding
        One per figure that is not usual.
    n_items : int
        Items of the batch.

    Examples
    --------
    >>> from smartrisk.monitoring import GuardReport
    >>> GuardReport(findings=(), n_items=500).ok
    True
    """

    findings: tuple[Finding, ...]
    n_items: int

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def messages(self) -> tuple[Message, ...]:
        """Return one message per finding: what is seen, what was usual, the remedy.

        Returns
        -------
        messages : tuple of Message
            With ids such as ``monitoring.batch_level``.
        """
        return tuple(finding.message() for finding in self.findings)

    def __repr__(self) -> str:
        """Return the number of items and of findings, and their checks."""
        if self.ok:
            return f"GuardReport({self.n_items} items: nothing found)"
        found = ", ".join(f"{f.check} {' and '.join(f.fields)}" for f in self.findings)
        return f"GuardReport({self.n_items} items: {found})"

    def __str__(self) -> str:
        """Return the messages with their remedies, one per line."""
        if self.ok:
            return repr(self)
        return "\n".join(map(str, self.messages()))

    def frame(self) -> pd.DataFrame:
        """Return one row per finding.

        Returns
        -------
        frame : DataFrame
            ``check``, ``fields`` (joined by commas), ``seen`` and ``usual`` (a share,
            or a logarithm to base 10 for "level" and "ratio"), ``limit`` (the largest
            difference that is usual), ``message_id`` and ``message``.
        """
        rows = []
        for f in self.findings:
            text = f.message()
            fields = ", ".join(f.fields)
            figures = (f.seen, f.usual, f.allowed)
            rows.append((f.check, fields, *figures, text.message_id, str(text)))
        return pd.DataFrame(rows, columns=_COLUMNS)
