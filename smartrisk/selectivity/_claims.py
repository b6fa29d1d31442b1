"""Decisions while they are made: claims on a capacity, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import UInt
from smartrisk.schema import KEY
from smartrisk.selectivity._quotas import Group, spread
from smartrisk.selectivity._random_draws import (
    Float,
    draw_systematic,
    inclusion,
    rotate_hashes,
    weighted_chances,
)

Bool = NDArray[np.bool_]
Rows = NDArray[np.intp]

#: Who selects, in the order of their ranks in the decisions.
CLAIMS = ("mandatory", "rule", "model", "random", "exploration")
_MANDATORY, _RULE, _MODEL, _RANDOM, _EXPLORATION = range(len(CLAIMS))
_RELEASED = len(CLAIMS)
#: `rule_id` of items that were released too often in a row.
DUE = "max_releases"
#: Below any weight: it keeps a division by a sum of zero weights finite.
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Demand:
    """What is asked for each item.

    Attributes
    ----------
    must : array of bool
        Whether the item is mandatory.
    priority : array of float
        From the draw of a rule: below 1 where a rule asks for a control, smallest
        first; infinite without rules.
    due : array of int
        Releases in a row, where they are too many; 0 elsewhere.
    value : array of float
        What the model ranks by, greatest first.
    wanted : array of bool
        Whether the model considers the item worth a control.
    weight : array of float or None
        For exploration by weight; None for the random share.
    hashes : array of uint64
        Hashes of the key and the seed.
    """

    must: Bool
    priority: Float
    due: NDArray[np.int64]
    value: Float
    wanted: Bool
    weight: Float | None
    hashes: UInt

    def part(self, rows: Rows) -> Demand:
        """Return the demand of some items."""
        return Demand(
            self.must[rows],
            self.priority[rows],
            self.due[rows],
            self.value[rows],
            self.wanted[rows],
            None if self.weight is None else self.weight[rows],
            self.hashes[rows],
        )


@dataclass(frozen=True)
class Sizes:
    """Controls that no rule asks for: how many, and how many of them at random."""

    left: int
    drawn: int


class Draft:
    """Decisions in progress.

    Parameters
    ----------
    demand : Demand
        What is asked for each item.
    random_share : float
        Share of the capacity that explores.
    red_share : float
        Share of the controls that are physical.
    random_state : int
        Seed of exploration by weight.
    """

    def __init__(
        self,
        demand: Demand,
        *,
        random_share: float,
        red_share: float,
        random_state: int,
    ) -> None:
        n = len(demand.must)
        self._demand = demand
        self._random_share = random_share
        self._red_share = red_share
        self._random_state = random_state
        self.claim = np.full(n, _RELEASED, np.int8)
        self.channel = np.full(n, "green", dtype=object)
        #: Probability of a control if no rule draws the item.
        self.without_rule = np.zeros(n)
        #: A rule's draw below it is followed.
        self.bound = np.ones(n)
        self.is_due = np.zeros(n, bool)

    @property
    def is_by_rule(self) -> Bool:
        """Which items a rule selected; those that are due are not among them."""
        return np.asarray((self.claim == _RULE) & ~self.is_due)

    def decide(self, group: Group) -> Rows:
        """Decide on one group; return the items not drawn, in the model's order."""
        rows, quota = group.rows, group.quota
        ask = self._demand.part(rows)
        forced = np.flatnonzero(ask.must)
        self.claim[rows[forced]] = _MANDATORY
        self.without_rule[rows[forced]] = 1.0
        left = max(quota.total - len(forced), 0)
        ruled = self._follow_rules(rows, ask, left)
        left -= len(ruled)
        is_open = ~ask.must
        is_open[ruled] = False
        due = self._take_due(rows, ask, is_open, left)
        left -= len(due)
        is_open[due] = False
        drawn = min(math.floor(self._random_share * quota.total + 0.5), left)
        sizes = Sizes(left, drawn)
        candidates = np.flatnonzero(is_open)
        order = self._choose_candidates(rows, ask, candidates, sizes)
        if len(ruled):
            self._set_chance_without_rule(rows, ask, ruled, candidates, sizes)
        return rows[order]

    def _follow_rules(self, rows: Rows, ask: Demand, left: int) -> Rows:
        """Follow the draws of rules as far as the capacity goes, the smallest first.

        Sequential Poisson sampling (Ohlsson 1998): given the draws of all others, an
        item is followed when its own is below the bound that they leave.
        """
        asked = np.flatnonzero(~ask.must & np.isfinite(ask.priority))
        if not len(asked):
            return asked
        draw = ask.priority[asked]
        order = np.lexsort((ask.hashes[asked], draw))
        followed = asked[order[: min(left, int((draw < 1.0).sum()))]]
        # Two bounds of 1 at the end: the draws that follow when all are taken.
        ordered = np.append(draw[order], [1.0, 1.0])
        last = float(left > 0)
        if 0 < left <= len(asked):
            last = min(float(ordered[left - 1]), 1.0)
        after = min(float(ordered[left]), 1.0) if left <= len(asked) else 1.0
        self.bound[rows[asked]] = last
        self.bound[rows[followed]] = after if left else 0.0
        self.claim[rows[followed]] = _RULE
        return np.asarray(followed)

    def _take_due(self, rows: Rows, ask: Demand, is_open: Bool, left: int) -> Rows:
        """Control what was released too often in a row, the longest run first."""
        waiting = np.flatnonzero(is_open & (ask.due > 0))
        order = np.lexsort((ask.hashes[waiting], -ask.due[waiting]))
        taken = waiting[order[:left]]
        self.claim[rows[taken]] = _RULE
        self.without_rule[rows[taken]] = 1.0
        self.is_due[rows[taken]] = True
        return np.asarray(taken)

    def _choose_candidates(
        self, rows: Rows, ask: Demand, candidates: Rows, sizes: Sizes
    ) -> Rows:
        """Choose at random and by the model; return the others, the best first."""
        n = len(candidates)
        if not n:
            return candidates
        # Two independent orders from one hash: high bits draw, a rotation breaks ties.
        ties = rotate_hashes(ask.hashes[candidates])
        by_model = candidates[np.lexsort((ties, -ask.value[candidates]))]
        drawn = min(sizes.drawn, n)
        taken = min(sizes.left - sizes.drawn, n - drawn)
        if ask.weight is not None:
            return self._choose_by_weight(rows, ask, by_model, taken, drawn)
        lucky = candidates[np.argsort(ask.hashes[candidates], kind="stable")[:drawn]]
        at_random = np.zeros(len(ask.hashes), bool)
        at_random[lucky] = True
        rest = by_model[~at_random[by_model]]
        chosen = rest[:taken][ask.wanted[rest[:taken]]]
        self.claim[rows[lucky]] = _RANDOM
        self.claim[rows[chosen]] = _MODEL
        self.without_rule[rows[by_model]] = np.where(
            ask.wanted[by_model], inclusion(n, drawn, taken), drawn / n
        )
        return np.asarray(rest[len(chosen) :])

    def _choose_by_weight(
        self, rows: Rows, ask: Demand, by_model: Rows, taken: int, drawn: int
    ) -> Rows:
        """Let the model choose, then draw by weight among the others."""
        chosen = by_model[:taken][ask.wanted[by_model[:taken]]]
        rest = by_model[len(chosen) :]
        weight = ask.weight[rest] if ask.weight is not None else np.ones(len(rest))
        chance = weighted_chances(weight, drawn)
        lucky = rest[draw_systematic(chance, ask.hashes[rest], self._random_state)]
        self.claim[rows[chosen]] = _MODEL
        self.without_rule[rows[chosen]] = 1.0
        self.claim[rows[lucky]] = _EXPLORATION
        self.without_rule[rows[rest]] = chance
        return np.asarray(rest[~np.isin(rest, lucky)])

    def _set_chance_without_rule(
        self, rows: Rows, ask: Demand, ruled: Rows, candidates: Rows, sizes: Sizes
    ) -> None:
        """Set how probable a control of the ruled items was without their rule."""
        left, drawn = sizes.left + 1, sizes.drawn  # its place would be free
        overdue = ask.due[ruled] > 0
        self.without_rule[rows[ruled[overdue]]] = 1.0 if left > 0 else 0.0
        ruled = ruled[~overdue]
        taken = left - drawn
        n = len(candidates) + 1
        order = np.sort(-ask.value[candidates])
        rank = np.searchsorted(order, -ask.value[ruled], side="left")
        if ask.weight is None:
            at = inclusion(n, min(drawn, n), max(min(taken, n - drawn), 0))
            chance = np.where(ask.wanted[ruled], at[rank], drawn / n)
        else:
            own = ask.weight[ruled]
            smallest = np.sort(ask.weight[candidates])[: max(n - taken, 1)]
            total = float(smallest.sum())
            drawn_at = np.minimum(drawn * own / np.maximum(total + own, _TINY), 1.0)
            chance = np.where((rank < taken) & ask.wanted[ruled], 1.0, drawn_at)
        self.without_rule[rows[ruled]] = chance

    def assign_channels(
        self, group: Group, ruled: NDArray[np.object_] | None = None
    ) -> None:
        """Give the controlled items of a group their channels; the best get red."""
        controlled = group.rows[self.claim[group.rows] < _RELEASED]
        is_by_rule = self.claim[controlled] == _RULE
        by_rule = controlled[is_by_rule & ~self.is_due[controlled]]
        rest = controlled
        if ruled is not None:
            self.channel[by_rule] = ruled[by_rule]
            rest = controlled[~np.isin(controlled, by_rule)]
        red = math.floor(self._red_share * len(rest) + 0.5)
        if group.quota.red is not None:
            is_red = self.channel[by_rule] == "red"
            red = min(max(group.quota.red - int(is_red.sum()), 0), len(rest))
        classes = [rest[self.claim[rest] == claim] for claim in range(len(CLAIMS))]
        counts = spread(red, np.array([len(c) for c in classes], np.int64))
        for members, k in zip(classes, counts, strict=True):
            ties = rotate_hashes(self._demand.hashes[members])
            best = np.lexsort((ties, -self._demand.value[members]))
            self.channel[members[best[:k]]] = "red"
            self.channel[members[best[k:]]] = "yellow"

    def decisions(self, scores: pd.DataFrame, version: str) -> pd.DataFrame:
        """Return DECISIONS, in the order and with the index of the scores."""
        names = np.array([*CLAIMS, None], dtype=object)
        out = scores.loc[:, [name for name in KEY if name in scores]].copy()
        out["channel"] = self.channel
        out["selected_by"] = pd.Series(names[self.claim], scores.index, dtype="str")
        out["propensity"] = self.without_rule
        rank = np.empty(len(self.claim), np.int64)
        ties = rotate_hashes(self._demand.hashes)
        order = np.lexsort((ties, -self._demand.value, self.claim))
        rank[order] = np.arange(1, len(rank) + 1)
        out["rank"] = rank
        out["policy_version"] = version
        return out
