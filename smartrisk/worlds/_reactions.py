"""The adversary: what those who were caught do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smartrisk.worlds._fraud_habits import Habits
from smartrisk.worlds._tariff import Float, Int
from smartrisk.worlds._traders import other_office

REACTIONS = ("drops the habit", "takes another name", "moves to another office")
#: How the reactions are distributed (assumption).
_SHARES = np.array([0.55, 0.25, 0.2])


@dataclass(kw_only=True)
class Names:
    """What relations are called now and where they lodge: reactions change it.

    An importer of -1 is another consumer every time. `first` remembers who a relation
    was at the start; it stands in the truth as the one who acts.
    """

    importer: Int
    office: Int
    first: Int
    used: int  # importers so far


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """What was done, one entry per relation that reacted."""

    at: Any  # when it takes effect
    relation: Int
    kind: Int
    before: Int  # importer
    after: Int


def react(
    rng: np.random.Generator,
    habits: Habits,
    names: Names,
    caught: Int,
    chance: float,
    day: int,
) -> Reaction:
    """Let some of the relations that were caught react: change habits and names."""
    relation = np.unique(caught)
    guilty = habits.active(relation, np.full(len(relation), day))
    reacts = guilty & (rng.random(len(relation)) < chance)
    relation = relation[reacts]
    kind = np.searchsorted(np.cumsum(_SHARES), rng.random(len(relation)))
    kind = np.minimum(kind, len(_SHARES) - 1)
    before = names.importer[relation]
    kind[(before < 0) & (kind == 1)] = 0  # a seller of parcels has no other importer
    habits.stop[relation[kind == 0]] = day
    renamed, moved = relation[kind == 1], relation[kind == 2]
    names.importer[renamed] = names.used + np.arange(len(renamed))
    names.used += len(renamed)
    names.office[moved] = other_office(rng, names.office[moved])
    return Reaction(
        at=None,
        relation=relation,
        kind=kind,
        before=before,
        after=names.importer[relation],
    )


def planned(month: Float, total: int) -> Int:
    """Return whole numbers in proportion to `month` that add up to `total`."""
    if month.sum() <= 0:
        month = np.ones(len(month))
    edges = np.append(0.0, np.cumsum(month)) / month.sum() * total
    return np.asarray(np.diff(np.rint(edges)), np.int64)
