"""Which reasons of an item are told, in which order, and what leads each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartrisk.explanations._evidence import (
    Declared,
    Evidence,
    Facts,
    closest_peers,
    evidence_of,
    says_again,
    speaks_against,
    with_others,
    with_record,
)
from smartrisk.explanations._grouping import SLIGHT, Float, Group, Plan, Topic

#: Least contribution to the log-odds for each word of strength.
STRENGTHS = {"strong": 1.0, "clear": 0.4, "slight": SLIGHT, "weak": 0.0}
_FOUND = ("record.some", "record.hits", "record.rate")
_SPARE = 3  # more groups looked at, where some say the same


def strength_of(contribution: float) -> str:
    """Return the word for a contribution to the log-odds, of either sign."""
    size = abs(contribution)
    return next((word for word, least in STRENGTHS.items() if size >= least), "weak")


class Lead(NamedTuple):
    """What is said of a reason: its leading feature, fields read, and evidence."""

    feature: str
    fields: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True)
class Reason:
    """One reason of one item."""

    item: int
    rank: int
    group: Group
    contribution: float
    share: float
    lead: Lead

    @property
    def check(self) -> str:
        """Concept whose check helps.

        A clean or empty record has no reports; what an office sees has no certificate.
        """
        if self.lead.fields == ("office",):
            return "other"
        record = self.group.concept == "trader record"
        told = self.lead.evidence.message in _FOUND
        return "novelty" if record and not told else self.group.concept


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How many reasons, to which side, and how strong at least."""

    top: int
    sign: float  # -1.0 for reasons to release
    least: float


def chosen_reasons(
    declared: Declared,
    matrix: NDArray[np.floating[Any]],
    contributions: Float,
    plan: Plan,
    *,
    totals: Float,
    choice: Choice,
) -> list[Reason]:
    """Return the top reasons of all items, by item and rank."""
    told = _Telling(declared, matrix, contributions, plan, choice)
    totals = totals * choice.sign
    raising = np.maximum(totals, 0.0).sum(axis=1)
    least = np.minimum(choice.least, totals.max(axis=1, initial=0.0))
    totals = np.where(totals >= least[:, None], totals, 0.0)
    order = plan.telling(totals)[:, : choice.top + _SPARE]
    found = []
    for item, groups in enumerate(order.tolist()):
        candidates = [
            (float(totals[item, number]), plan.groups[number])
            for number in groups
            if totals[item, number] > 0.0
        ]
        for rank, (size, group, lead) in enumerate(told.chosen(item, candidates), 1):
            share, signed = size / float(raising[item]), choice.sign * size
            found.append(Reason(item, rank, group, signed, share, lead))
    return found


@dataclass(frozen=True)
class _Telling:
    """What the reasons of an item are told from."""

    declared: Declared
    matrix: NDArray[np.floating[Any]]
    contributions: Float
    plan: Plan
    choice: Choice

    def chosen(
        self, item: int, candidates: list[tuple[float, Group]]
    ) -> list[tuple[float, Group, Lead]]:
        """Return the reasons of an item.

        What read alone points the other way comes later, and last what says the same
        again.
        """
        top, sign = self.choice.top, self.choice.sign
        kept: list[tuple[float, Group, Lead]] = []
        against: list[tuple[float, Group, Lead]] = []
        again: list[tuple[float, Group, Lead]] = []
        base = 1.0 / (1.0 + math.exp(-float(self.contributions[item, -1])))
        for size, group in candidates:
            if len(kept) == top:
                break
            lead = self._lead(item, group)
            told = any(says_again(lead.evidence, other[2].evidence) for other in kept)
            astray = speaks_against(lead.evidence, sign, base)
            place = 2 if told else 1 if astray else 0
            (kept, against, again)[place].append((size, group, lead))
        chosen = (kept + against + again)[:top]
        return sorted(chosen, key=lambda one: -one[0])

    def _lead(self, item: int, group: Group) -> Lead:
        """Return what leads a reason, and the evidence for it."""
        row = self.contributions[item] * self.choice.sign
        weights = [_weight(row, topic) for topic in group.topics]
        # Of a unit value, what its peers have says more than the value alone.
        topic = max(
            zip(group.topics, weights, strict=True),
            key=lambda one: (one[0].family == "peers" and one[1] > 0.0, one[1]),
        )[0]
        info = topic.infos[int(np.argmax(row[topic.columns]))]
        values, wholes = self.matrix[item], self.plan.wholes
        facts = Facts(self.declared, item, values, topic, info, wholes)
        close = closest_peers(facts, group.topics)
        evidence = with_others(evidence_of(close), close, group.topics)
        record = self.plan.records.get(str(info.name).removesuffix("__code"))
        told = with_record(evidence, facts, record)
        return Lead(str(info.name), close.topic.fields, told)


def _weight(row: Float, topic: Topic) -> float:
    """Return what a topic contributes to an item."""
    if len(topic.columns) == 1:
        return float(row[topic.columns[0]])
    return float(row[topic.columns].sum())
