"""How features fold into reasons, declaration fields and customs concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
#: Least contribution to the log-odds that is called slight.
SLIGHT = 0.1

#: Statistics that one sentence speaks of together.
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
    "rate_gap": "tariff",
    "cheapest_gap": "tariff",
}
#: Unit values and masses, with the fields that they are made of.
MEASURES = {
    "price_per_kg": ("customs_value", "net_mass_kg"),
    "price_per_unit": ("customs_value", "quantity"),
    "kg_per_unit": ("net_mass_kg", "quantity"),
}
_ROUTE = frozenset({"origin", "departure"})
_FIELD_ORDER = {name: place for place, name in enumerate(DECLARATIONS.names)}
_CHUNK = 1 << 16


class Info(Protocol):
    """What must be known of a feature to give reasons."""

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
        """Period looked back on."""

    @property
    def key(self) -> tuple[str, ...] | None:
        """Columns of the history key."""


@dataclass(frozen=True)
class Topic:
    """Features of one reason that one sentence can speak of."""

    family: str
    fields: tuple[str, ...]
    key: tuple[str, ...]
    measure: str | None
    columns: NDArray[np.intp]
    infos: tuple[Info, ...]
    place: Mapping[tuple[str, str | None], int]  # (statistic, window) -> column


@dataclass(frozen=True)
class Group:
    """A reason: the features that say the same for the same concept.

    They set the same unit value or mass against peers, whoever these are, or read the
    same fields.
    """

    concept: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Plan:
    """Groups of features, and the column order in which they lie side by side.

    Columns lie by group, and within a group by the fields that they read.
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]  # of the groups
    parts: tuple[tuple[str, ...], ...]  # the fields of each run of columns
    part_starts: NDArray[np.intp]
    records: Mapping[str, Topic]  # of one column: what its inspections found
    wholes: Mapping[tuple[str, tuple[str, ...]], int]  # (statistic, key) -> column

    def totals(self, contributions: Float) -> Float:
        """Sum contributions (n_items, p + 1) by group, each item on its own."""
        return self._sums(contributions, self.starts)

    def _sums(self, contributions: Float, starts: NDArray[np.intp]) -> Float:
        """Sum runs of columns.

        Not a matrix product: BLAS sums differently for one item and for many.
        """
        out = np.zeros((len(contributions), len(starts)))
        if not len(starts):
            return out
        for start in range(0, len(contributions), _CHUNK):
            part = np.take(contributions[start : start + _CHUNK], self.order, axis=1)
            np.add.reduceat(part, starts, axis=1, out=out[start : start + _CHUNK])
        return out

    def telling(self, totals: Float) -> NDArray[np.intp]:
        """Return the groups of each item in the order in which they are worth telling.

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

    def by_concept(self, totals: Float) -> tuple[list[str], Float]:
        """Sum group totals by concept; the house's concepts are always there."""
        names = list(dict.fromkeys([*CONCEPTS, *(g.concept for g in self.groups)]))
        out = np.zeros((len(totals), len(names)))
        for number, group in enumerate(self.groups):
            out[:, names.index(group.concept)] += totals[:, number]
        return names, out

    def by_field(self, contributions: Float) -> tuple[list[str], Float]:
        """Share what features add equally among the fields that they read."""
        found = dict.fromkeys(f for fields in self.parts for f in fields)
        names = sorted(found, key=lambda name: _FIELD_ORDER.get(name, 99))
        totals = self._sums(contributions, self.part_starts)
        out = np.zeros((len(totals), len(names)))
        for number, fields in enumerate(self.parts):
            for name in fields:
                out[:, names.index(name)] += totals[:, number] / len(fields)
        return names, out


#: Plans by the identity of their features, which they keep alive.
_PLANS: dict[tuple[int, ...], tuple[tuple[Info, ...], Plan]] = {}
_MOST_PLANS = 16


def plan_of(info: Sequence[Info]) -> Plan:
    """Return the plan of a sequence of features; the last few are remembered."""
    infos = tuple(info)
    identity = tuple(map(id, infos))  # hashing two hundred features takes longer
    found = _PLANS.get(identity)
    if found is None:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        found = _PLANS[identity] = (infos, _make(infos))
    return found[1]


def _make(infos: tuple[Info, ...]) -> Plan:
    """Gather features into groups, within by fields, and within those by topic."""
    members: dict[Any, dict[Any, dict[Any, list[int]]]] = {}
    for number, info in enumerate(infos):
        fields = _fields(info)
        parts = members.setdefault(_group_key(info, fields), {})
        topics = parts.setdefault(fields, {})
        topics.setdefault(_topic_key(info), []).append(number)
    groups: list[Group] = []
    order: list[int] = []
    starts: list[int] = []
    runs: list[tuple[tuple[str, ...], int]] = []
    for (concept, _), parts in members.items():
        starts.append(len(order))
        made: list[Topic] = []
        for fields, topics in parts.items():
            runs.append((fields, len(order)))
            for key, columns in topics.items():
                made.append(_topic(key, fields, columns, infos))
                order += columns
        groups.append(Group(concept, tuple(made)))
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
        wholes={
            (info.statistic, tuple(info.key)): number
            for number, info in enumerate(infos)
            if info.key and info.window is None
        },
    )


def _fields(info: Info) -> tuple[str, ...]:
    """Return the fields, each once and in the table's order."""
    fields = dict.fromkeys(info.fields or (OTHER,))
    return tuple(sorted(fields, key=lambda name: _FIELD_ORDER.get(name, 99)))


def _group_key(info: Info, fields: tuple[str, ...]) -> tuple[str, Any]:
    """Return the concept, and the unit value or mass or else the fields."""
    measure = getattr(info, "measure", None) or info.name
    return info.concept or OTHER, measure if measure in MEASURES else fields


def _topic_key(info: Info) -> tuple[Any, ...]:
    """Return what features must share to be spoken of together."""
    key = tuple(info.key or ())
    measure = getattr(info, "measure", None)
    family = _FAMILIES.get(info.statistic, "item")
    if info.statistic == "near_threshold" and key:
        family = "activity"
    route = frozenset(key or info.fields) == _ROUTE
    if route and (family == "activity" or info.statistic == "flag"):
        return ("route", ("origin", "departure"), None)
    if family == "item":
        return (family, key, measure, info.name)
    return (family, key, measure)


def _topic(
    key: tuple[Any, ...],
    fields: tuple[str, ...],
    columns: list[int],
    infos: Sequence[Info],
) -> Topic:
    """Make a topic of the features in some columns."""
    found = tuple(infos[number] for number in columns)
    return Topic(
        family=key[0],
        fields=fields,
        key=key[1],
        measure=key[2],
        columns=np.asarray(columns, np.intp),
        infos=found,
        place={
            (info.statistic, info.window): number
            for info, number in zip(found, columns, strict=True)
        },
    )
