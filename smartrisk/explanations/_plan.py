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
    key: tuple[str, ...]
    measure: str | None
    columns: NDArray[np.intp]
    infos: tuple[Info, ...]
    place: Mapping[tuple[str, str | None], int]  # (statistic, window) -> column


@dataclass(frozen=True)
class Group:
    """A reason: the features that read the same fields for the same concept."""

    fields: tuple[str, ...]
    concept: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Plan:
    """Groups of features, and the column order in which they lie side by side."""

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    records: Mapping[str, Topic]  # of one column: what its inspections found

    def totals(self, contributions: Float) -> Float:
        """Sum contributions (n_items, p + 1) by group, each item on its own.

        Not a matrix product: BLAS sums differently for one item and for many.
        """
        out = np.zeros((len(contributions), len(self.groups)))
        if not self.groups:
            return out
        for start in range(0, len(contributions), _CHUNK):
            part = np.take(contributions[start : start + _CHUNK], self.order, axis=1)
            np.add.reduceat(part, self.starts, axis=1, out=out[start : start + _CHUNK])
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

    def by_field(self, totals: Float) -> tuple[list[str], Float]:
        """Share each group's total equally among its fields."""
        found = dict.fromkeys(f for group in self.groups for f in group.fields)
        names = sorted(found, key=lambda name: _FIELD_ORDER.get(name, 99))
        out = np.zeros((len(totals), len(names)))
        for number, group in enumerate(self.groups):
            for name in group.fields:
                out[:, names.index(name)] += totals[:, number] / len(group.fields)
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
    """Group features by (fields, concept) and, within, by topic."""
    members: dict[tuple[Any, ...], dict[tuple[Any, ...], list[int]]] = {}
    for number, info in enumerate(infos):
        topics = members.setdefault(_group_key(info), {})
        topics.setdefault(_topic_key(info), []).append(number)
    groups: list[Group] = []
    order: list[int] = []
    starts: list[int] = []
    for (fields, concept), topics in members.items():
        made = tuple(_topic(key, columns, infos) for key, columns in topics.items())
        groups.append(Group(fields, concept, made))
        starts.append(len(order))
        order += [column for columns in topics.values() for column in columns]
    return Plan(
        tuple(str(info.name) for info in infos),
        tuple(groups),
        np.asarray(order, np.intp),
        np.asarray(starts, np.intp),
        {
            topic.key[0]: topic
            for group in groups
            for topic in group.topics
            if topic.family == "record" and len(topic.key) == 1
        },
    )


def _group_key(info: Info) -> tuple[tuple[str, ...], str]:
    """Return the fields, each once and in the table's order, and the concept."""
    fields = dict.fromkeys(info.fields or (OTHER,))
    ordered = sorted(fields, key=lambda name: _FIELD_ORDER.get(name, 99))
    return tuple(ordered), info.concept or OTHER


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


def _topic(key: tuple[Any, ...], columns: list[int], infos: Sequence[Info]) -> Topic:
    """Make a topic of the features in some columns."""
    found = tuple(infos[number] for number in columns)
    return Topic(
        family=key[0],
        key=key[1],
        measure=key[2],
        columns=np.asarray(columns, np.intp),
        infos=found,
        place={
            (info.statistic, info.window): number
            for info, number in zip(found, columns, strict=True)
        },
    )
