"""How features fold into reasons, declaration fields and customs concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smartrisk.schema import DECLARATIONS

Float = NDArray[np.float64]

#: Customs concepts, in the order in which they are shown.
CONCEPTS = (
    "valuation",
    "classification",
    "origin and route",
    "quantity",
    "trader record",
    "novelty",
    "structuring",
    "procedure",
)
OTHER = "other"
#: Smallest contribution to the log-odds that is called slight: odds times 1.1. A weaker
#: reason of another concept does not come before a second one of the same.
SLIGHT = 0.1

#: Statistics that one sentence states together.
_FAMILIES = {
    "deviation": "peers",
    "z": "peers",
    "n_peers": "peers",
    "inspections": "record",
    "hits": "record",
    "hit_rate": "record",
    "revenue_rate": "record",
    "n_items": "activity",
    "days_since_last": "activity",
    "days_since_first": "activity",
    "decayed": "activity",
    "items_per_active_day": "activity",
    "market_deviation": "market",
    "market_z": "market",
    "heading_share": "siblings",
    "sibling_gap": "siblings",
    "rate_gap": "tariff",
    "cheapest_gap": "tariff",
}
#: Unit values and masses, with the fields from which they are computed.
MEASURES = {
    "price_per_kg": ("customs_value", "net_mass_kg"),
    "price_per_unit": ("customs_value", "quantity"),
    "kg_per_unit": ("net_mass_kg", "quantity"),
}
_ROUTE = frozenset({"origin", "departure"})
_FIELD_ORDER = {name: place for place, name in enumerate(DECLARATIONS.names)}
#: Place in the order for a field that DECLARATIONS does not have: after all others.
_LAST = len(_FIELD_ORDER)
#: Items summed at once: the reordered copy of 250 features then takes 130 MB.
_CHUNK = 1 << 16


class Info(Protocol):
    """What `explain` needs of a feature; `FeatureInfo` of `features` has it."""

    @property
    def name(self) -> str:
        """Column name in the matrix."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the declarations table that it reads."""

    @property
    def concept(self) -> str:
        """Customs concept."""

    @property
    def statistic(self) -> str:
        """What is computed."""

    @property
    def window(self) -> str | None:
        """Length of the period that it covers."""

    @property
    def key(self) -> tuple[str, ...] | None:
        """Columns of the history key."""


@dataclass(frozen=True)
class Topic:
    """Features of one reason that one sentence can state together."""

    family: str
    fields: tuple[str, ...]
    key: tuple[str, ...]
    measure: str | None
    columns: NDArray[np.intp]
    infos: tuple[Info, ...]
    place: Mapping[tuple[str, str | None], int]  # (statistic, window) -> column


@dataclass(frozen=True)
class Group:
    """A possible reason: the features of one concept that measure the same thing.

    They compare the same unit value or mass with that of peers, or read the same
    fields.
    """

    concept: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Plan:
    """Groups of features, and the column order that puts the groups side by side.

    Columns are ordered by group, and within a group by the fields that they read.
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]  # of the groups
    parts: tuple[tuple[str, ...], ...]  # the fields of each run of columns
    part_starts: NDArray[np.intp]
    records: Mapping[str, Topic]  # key of one column -> results of its inspections
    whole_history: Mapping[tuple[str, tuple[str, ...]], int]  # statistic, key -> column

    def sum_groups(self, contributions: Float) -> Float:
        """Sum contributions (n_items, n_features + 1) by group."""
        return self._sum_runs(contributions, self.starts)

    def _sum_runs(self, contributions: Float, starts: NDArray[np.intp]) -> Float:
        """Sum runs of columns, each item on its own.

        Not a matrix product: BLAS sums differently for one item and for many.
        """
        out = np.zeros((len(contributions), len(starts)))
        if not len(starts):
            return out
        for start in range(0, len(contributions), _CHUNK):
            part = np.take(contributions[start : start + _CHUNK], self.order, axis=1)
            np.add.reduceat(part, starts, axis=1, out=out[start : start + _CHUNK])
        return out

    def rank_groups(self, totals: Float) -> NDArray[np.intp]:
        """Return the groups of each item in the order in which they become reasons.

        The strongest group of each concept, where it adds at least `SLIGHT`, comes
        first; then the others; each by what they add.
        """
        concepts = [group.concept for group in self.groups]
        first = np.zeros(totals.shape, bool)
        rows = np.arange(len(totals))
        for concept in dict.fromkeys(concepts):
            columns = np.flatnonzero([other == concept for other in concepts])
            first[rows, columns[totals[:, columns].argmax(axis=1)]] = True
        first &= totals >= SLIGHT
        order: NDArray[np.intp] = np.lexsort((-totals, ~first), axis=1)
        return order

    def fold_to_concepts(self, totals: Float) -> tuple[list[str], Float]:
        """Sum group totals by concept; all of `CONCEPTS` are always present."""
        names = list(dict.fromkeys([*CONCEPTS, *(g.concept for g in self.groups)]))
        out = np.zeros((len(totals), len(names)))
        for number, group in enumerate(self.groups):
            out[:, names.index(group.concept)] += totals[:, number]
        return names, out

    def fold_to_fields(self, contributions: Float) -> tuple[list[str], Float]:
        """Share what features add equally among the fields that they read."""
        read = dict.fromkeys(f for fields in self.parts for f in fields)
        names = sorted(read, key=lambda name: _FIELD_ORDER.get(name, _LAST))
        totals = self._sum_runs(contributions, self.part_starts)
        out = np.zeros((len(totals), len(names)))
        for number, fields in enumerate(self.parts):
            for name in fields:
                out[:, names.index(name)] += totals[:, number] / len(fields)
        return names, out


@dataclass(frozen=True)
class _CachedPlan:
    """A plan, with its features: while it holds them, their ids are not reused."""

    infos: tuple[Info, ...]
    plan: Plan


#: Plans by the identity of their features.
_PLANS: dict[tuple[int, ...], _CachedPlan] = {}
#: A process seldom serves more engines than this; clearing costs milliseconds.
_MOST_PLANS = 16


def make_plan(info: Sequence[Info]) -> Plan:
    """Return the plan of a sequence of features; the last few are cached."""
    infos = tuple(info)
    identity = tuple(map(id, infos))  # hashing two hundred features takes longer
    cached = _PLANS.get(identity)
    if cached is None:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        cached = _PLANS[identity] = _CachedPlan(infos, _gather(infos))
    return cached.plan


@dataclass(frozen=True)
class _GroupKey:
    """What the features of one reason share: the measure, else the fields."""

    concept: str
    measure: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class _TopicKey:
    """What the features of one sentence share."""

    family: str
    columns: tuple[str, ...]  # of the history key
    measure: str | None = None
    feature: str | None = None  # features of the item alone have a sentence each


_Members = dict[_GroupKey, dict[tuple[str, ...], dict[_TopicKey, list[int]]]]


def _gather(infos: tuple[Info, ...]) -> Plan:
    """Gather features into groups, within by fields, and within those by topic."""
    members: _Members = {}
    for number, info in enumerate(infos):
        fields = _ordered_fields(info)
        parts = members.setdefault(_group_key(info, fields), {})
        topics = parts.setdefault(fields, {})
        topics.setdefault(_topic_key(info), []).append(number)
    groups: list[Group] = []
    order: list[int] = []
    starts: list[int] = []
    runs: list[tuple[tuple[str, ...], int]] = []
    for group_key, parts in members.items():
        starts.append(len(order))
        group_topics: list[Topic] = []
        for fields, topics in parts.items():
            runs.append((fields, len(order)))
            for key, columns in topics.items():
                group_topics.append(_make_topic(key, fields, columns, infos))
                order += columns
        groups.append(Group(group_key.concept, tuple(group_topics)))
    return Plan(
        names=tuple(str(info.name) for info in infos),
        groups=tuple(groups),
        order=np.asarray(order, np.intp),
        starts=np.asarray(starts, np.intp),
        parts=tuple(fields for fields, _ in runs),
        part_starts=np.asarray([start for _, start in runs], np.intp),
        records={
            topic.key[0]: topic
            for group in groups
            for topic in group.topics
            if topic.family == "record" and len(topic.key) == 1
        },
        whole_history={
            (info.statistic, tuple(info.key)): number
            for number, info in enumerate(infos)
            if info.key and info.window is None
        },
    )


def _ordered_fields(info: Info) -> tuple[str, ...]:
    """Return the fields that a feature reads, each once and in the table's order."""
    fields = dict.fromkeys(info.fields or (OTHER,))
    return tuple(sorted(fields, key=lambda name: _FIELD_ORDER.get(name, _LAST)))


def _group_key(info: Info, fields: tuple[str, ...]) -> _GroupKey:
    """Return what features must share to be one reason."""
    concept = info.concept or OTHER
    measure = getattr(info, "measure", None) or info.name
    if measure in MEASURES:
        return _GroupKey(concept, measure=measure)
    return _GroupKey(concept, fields=fields)


def _topic_key(info: Info) -> _TopicKey:
    """Return what features must share to be stated in one sentence."""
    key = tuple(info.key or ())
    measure = getattr(info, "measure", None)
    family = _FAMILIES.get(info.statistic, "item")
    if info.statistic == "near_threshold" and key:
        family = "activity"
    route = frozenset(key or info.fields) == _ROUTE
    if route and (family == "activity" or info.statistic == "flag"):
        return _TopicKey("route", ("origin", "departure"))
    alone = info.name if family == "item" else None
    return _TopicKey(family, key, measure, alone)


def _make_topic(
    key: _TopicKey,
    fields: tuple[str, ...],
    columns: list[int],
    infos: Sequence[Info],
) -> Topic:
    """Make a topic of the features in some columns."""
    members = tuple(infos[number] for number in columns)
    return Topic(
        family=key.family,
        fields=fields,
        key=key.columns,
        measure=key.measure,
        columns=np.asarray(columns, np.intp),
        infos=members,
        place={
            (info.statistic, info.window): number
            for info, number in zip(members, columns, strict=True)
        },
    )
