"""Reactions: what relations do after a finding against them became known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._fraud_habits import Habits
from smartrisk.worlds._tariff import Int
from smartrisk.worlds._traders import draw_other_office

REACTIONS = ("drops the habit", "takes another name", "moves to another office")
#: Shares of the reactions (assumption).
_SHARES = np.array([0.55, 0.25, 0.2])


@dataclass(kw_only=True, eq=False)
class Names:
    """Current importer and office of each relation, which reactions change.

    An importer of -1 is another consumer every time. `first` keeps the importer at the
    start, which is the actor in the truth.
    """

    importer: Int
    office: Int
    first: Int
    n_used: int  # importer numbers given so far


@dataclass(frozen=True, kw_only=True, eq=False)
class Reaction:
    """Reactions, one entry per relation that reacted."""

    relation: Int
    kind: Int
    before: Int  # importer
    after: Int


def react(
    rng: np.random.Generator,
    habits: Habits,
    names: Names,
    with_finding: Int,
    chance: float,
    day: int,
) -> Reaction:
    """Change habits and names of some of the relations with a finding."""
    relation = np.unique(with_finding)
    active = habits.active(relation, np.full(len(relation), day))
    reacts = active & (rng.random(len(relation)) < chance)
    relation = relation[reacts]
    kind = np.searchsorted(np.cumsum(_SHARES), rng.random(len(relation)))
    kind = np.minimum(kind, len(_SHARES) - 1)
    before = names.importer[relation]
    kind[(before < 0) & (kind == 1)] = 0  # a seller of parcels has no other importer
    habits.stop[relation[kind == 0]] = day
    renamed, moved = relation[kind == 1], relation[kind == 2]
    names.importer[renamed] = names.n_used + np.arange(len(renamed))
    names.n_used += len(renamed)
    names.office[moved] = draw_other_office(rng, names.office[moved])
    return Reaction(
        relation=relation,
        kind=kind,
        before=before,
        after=names.importer[relation],
    )
