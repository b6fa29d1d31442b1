"""Which groups of features become the reasons of an item, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.explanations._evidence import Evidence, is_contrary, is_repetition
from smartrisk.explanations._facts import DeclaredValues, Facts
from smartrisk.explanations._grouping import SLIGHT, Float, Group, Plan, Topic
from smartrisk.explanations._peer_evidence import add_other_peers, choose_closest_peers
from smartrisk.explanations._topic_evidence import add_record_of_code, make_evidence

#: Smallest contribution to the log-odds for each word of strength: odds times 2.7, 1.5,
#: 1.1. A convention, stated on every page of reasons.
STRENGTHS = {"strong": 1.0, "clear": 0.4, "slight": SLIGHT, "weak": 0.0}
#: Messages of results that have reports to read.
_WITH_REPORTS = ("record.some", "record.hits", "record.rate")
#: Groups considered beyond the number of reasons asked for, to replace those that
#: repeat or contradict; more cost time, since each needs its evidence.
_SPARE = 3


def strength_of(contribution: float) -> str:
    """Return the word for a contribution to the log-odds, of either sign."""
    size = abs(contribution)
    return next((word for word, least in STRENGTHS.items() if size >= least), "weak")


@dataclass(frozen=True)
class Lead:
    """What a reason states: its leading feature, the fields read, the evidence."""

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

        A record without findings has no reports to read, so the check of a new trader
        is named instead. For the office of lodgement alone it is the general check.
        """
        if self.lead.fields == ("office",):
            return "other"
        is_record = self.group.concept == "trader record"
        has_reports = self.lead.evidence.message in _WITH_REPORTS
        return "novelty" if is_record and not has_reports else self.group.concept


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How many reasons to choose, in which direction, and their minimum strength."""

    top: int
    sign: float  # -1.0 for reasons to release
    least: float


@dataclass(frozen=True)
class _Candidate:
    """A group that could become a reason, with what it adds and what it states."""

    size: float
    group: Group
    lead: Lead


def choose_reasons(
    declared: DeclaredValues,
    matrix: NDArray[np.floating[Any]],
    contributions: Float,
    plan: Plan,
    *,
    totals: Float,
    choice: Choice,
) -> list[Reason]:
    """Return the top reasons of all items, by item and rank."""
    chooser = _ReasonChooser(declared, matrix, contributions, plan, choice)
    totals = totals * choice.sign
    raising = np.maximum(totals, 0.0).sum(axis=1)
    least = np.minimum(choice.least, totals.max(axis=1, initial=0.0))
    totals = np.where(totals >= least[:, None], totals, 0.0)
    order = plan.rank_groups(totals)[:, : choice.top + _SPARE]
    reasons = []
    for item, groups in enumerate(order.tolist()):
        sizes = totals[item]
        ranked = [number for number in groups if sizes[number] > 0.0]
        chosen = chooser.choose(item, ranked, sizes)
        for rank, one in enumerate(chosen, 1):
            share, signed = one.size / float(raising[item]), choice.sign * one.size
            reasons.append(Reason(item, rank, one.group, signed, share, one.lead))
    return reasons


@dataclass(frozen=True)
class _ReasonChooser:
    """Chooses the reasons of an item among its strongest groups."""

    declared: DeclaredValues
    matrix: NDArray[np.floating[Any]]
    contributions: Float
    plan: Plan
    choice: Choice

    def choose(
        self, item: int, ranked: Sequence[int], sizes: Float
    ) -> list[_Candidate]:
        """Return the reasons of an item, the strongest first.

        Groups come in the order of `ranked`. Evidence that contradicts its reason is
        used only where others do not suffice, and a repetition last.
        """
        top, sign = self.choice.top, self.choice.sign
        fitting: list[_Candidate] = []
        contrary: list[_Candidate] = []
        repeated: list[_Candidate] = []
        base = 1.0 / (1.0 + math.exp(-float(self.contributions[item, -1])))
        for number in ranked:
            if len(fitting) == top:
                break
            group = self.plan.groups[number]
            lead = self._make_lead(item, group)
            one = _Candidate(float(sizes[number]), group, lead)
            if any(is_repetition(lead.evidence, o.lead.evidence) for o in fitting):
                repeated.append(one)
            elif is_contrary(lead.evidence, sign, base):
                contrary.append(one)
            else:
                fitting.append(one)
        chosen = (fitting + contrary + repeated)[:top]
        return sorted(chosen, key=lambda one: -one.size)

    def _make_lead(self, item: int, group: Group) -> Lead:
        """Return what leads a reason, and the evidence for it."""
        row = self.contributions[item] * self.choice.sign
        weights = [_weight(row, topic) for topic in group.topics]
        # Of a unit value, the comparison with peers informs more than the value alone.
        topic = max(
            zip(group.topics, weights, strict=True),
            key=lambda one: (one[0].family == "peers" and one[1] > 0.0, one[1]),
        )[0]
        info = topic.infos[int(np.argmax(row[topic.columns]))]
        values, whole_history = self.matrix[item], self.plan.whole_history
        facts = Facts(self.declared, item, values, topic, info, whole_history)
        closest = choose_closest_peers(facts, group.topics)
        evidence = add_other_peers(make_evidence(closest), closest, group.topics)
        record = self.plan.records.get(str(info.name).removesuffix("__code"))
        evidence = add_record_of_code(evidence, facts, record)
        return Lead(str(info.name), closest.topic.fields, evidence)


def _weight(row: Float, topic: Topic) -> float:
    """Return what a topic contributes to an item."""
    if len(topic.columns) == 1:
        return float(row[topic.columns[0]])
    return float(row[topic.columns].sum())
