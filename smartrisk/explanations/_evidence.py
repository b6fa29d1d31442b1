"""Evidence for a reason: the name of a message, and the numbers that go into it.

Nothing in here depends on a language. Names of persons and firms never enter: a
trader appears by role only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smartrisk.explanations._facts import Facts

#: A value within this part of the typical one is ordinary. A convention: "1.1 × the
#: typical value" read alone gives an officer nothing to check.
ORDINARY = 0.1
#: Messages about the whole history of a key, which state since when it goes back.
_OVER_ALL = frozenset(
    (
        "peers.ratio",
        "peers.z",
        "peers.count",
        "record.some",
        "record.clean",
        "record.count",
        "record.hits",
        "activity.few",
        "activity.some",
        "activity.per_day",
    )
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A message by name, with its values.

    Parameters
    ----------
    message : str
        Name of the message in the catalogues.
    values : mapping of str to object
        What the placeholders stand for: numbers, codes, names of fields.
    key : tuple of (str, str or None), default=()
        Columns of the history key, each with its code; None for an identity.
    since : (int, int), default=None
        Year and month of the first item of the history that is counted.
    more : Evidence, default=None
        Evidence that is stated after it.
    """

    message: str
    values: Mapping[str, Any]
    key: tuple[tuple[str, str | None], ...] = ()
    since: tuple[int, int] | None = None
    more: Evidence | None = None

    def plain(self) -> dict[str, Any]:
        """Return the evidence as plain values for JSON."""
        out: dict[str, Any] = {"about": self.message}
        for name, value in self.values.items():
            out[name] = list(value) if isinstance(value, tuple) else value
        if self.key:
            out["key"] = {name: code or "same" for name, code in self.key}
        if self.since is not None:
            out["since"] = "{:04d}-{:02d}".format(*self.since)
        if self.more is not None:
            out["more"] = self.more.plain()
        return out


def evidence_about_key(facts: Facts, message: str, **values: Any) -> Evidence:
    """Return evidence about the history key of a topic."""
    # One earlier item has no period; without a count `n`, there may be many.
    dated = message in _OVER_ALL and values.get("n", math.inf) > 1
    return Evidence(
        message=message,
        values=values,
        key=facts.key_codes(),
        since=facts.since if dated else None,
    )


def is_repetition(evidence: Evidence, other: Evidence) -> bool:
    """Return whether two are equal, or state the same figures by another unit."""
    if evidence == other:
        return True
    figures = [
        tuple(round(math.log(e.values[name]), 2) for name in ("declared", "typical"))
        for e in (evidence, other)
        if "typical" in e.values and e.values["typical"] > 0
    ]
    return len(figures) == 2 and figures[0] == figures[1]


def is_contrary(evidence: Evidence, sign: float, base: float) -> bool:
    """Return whether the evidence, read by itself, contradicts its reason.

    A model may lower a score for a record that is worse than usual, because of other
    features that occur with it. Such a record does not help an officer as a reason to
    release, nor does an ordinary value as a reason to look.
    """
    if evidence.message == "record.some":
        rate = evidence.values["hits"] / max(evidence.values["n"], 1)
        return bool(sign * (rate - base) < 0.0)
    if evidence.message == "record.clean":
        return sign > 0
    ratio = evidence.values.get("ratio")
    if (
        sign > 0
        and ratio is not None
        and evidence.message.startswith(("peers.", "market."))
    ):
        return bool(abs(ratio - 1.0) < ORDINARY)
    return False
