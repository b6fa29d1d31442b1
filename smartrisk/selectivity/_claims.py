"""Decisions while they are made: claims on a capacity, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import UInt
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import KEY
from smartrisk.selectivity._quotas import Group, spread
from smartrisk.selectivity._random_draws import (
    Float,
    chance_of_one_more,
    draw_smallest,
    draw_systematic,
    inclusion,
    order_best_first,
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


@dataclass(frozen=True, eq=False)
class Freed:
    """What would be left if one item had not been drawn by its rule.

    Attributes
    ----------
    places : int
        Controls left for items that are due, random draws and the model; 0 where
        another rule would take the place.
    waiting : array of int
        Items that are due and that no rule drew.
    candidates : array of int
        Items to choose from at random and by the model.
    asked : int
        Random draws that the policy asks for.
    """

    places: int
    waiting: Rows
    candidates: Rows
    asked: int


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
        #: Probability of the random draw; missing where the draw leaves the item out.
        self.draw_probability = np.full(n, np.nan)
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
        ruled, is_full = self._follow_rules(rows, ask, left)
        left -= len(ruled)
        freed = 0 if is_full else left + 1
        is_open = ~ask.must
        is_open[ruled] = False
        waiting = np.flatnonzero(is_open & (ask.due > 0))
        due = self._take_due(rows, ask, waiting, left)
        left -= len(due)
        is_open[due] = False
        asked = math.floor(self._random_share * quota.total + 0.5)
        candidates = np.flatnonzero(is_open)
        sizes = Sizes(left, min(asked, left))
        order = self._choose_candidates(rows, ask, candidates, sizes)
        if len(ruled):
            self.without_rule[rows[ruled]] = _chances_without_rule(
                ask, ruled, Freed(freed, waiting, candidates, asked)
            )
        return rows[order]

    def _follow_rules(self, rows: Rows, ask: Demand, left: int) -> tuple[Rows, bool]:
        """Follow the draws of rules as far as the capacity goes, the smallest first.

        Return the items followed, and whether more were asked for than there is left.

        Sequential Poisson sampling (Ohlsson 1998): given the draws of all others, an
        item is followed when its own is below the bound that they leave.
        """
        asked = np.flatnonzero(~ask.must & np.isfinite(ask.priority))
        if not len(asked):
            return asked, False
        draw = ask.priority[asked]
        order = np.lexsort((ask.hashes[asked], draw))
        n_drawn = int((draw < 1.0).sum())
        followed = asked[order[: min(left, n_drawn)]]
        # Two bounds of 1 at the end: the draws that follow when all are taken.
        ordered = np.append(draw[order], [1.0, 1.0])
        last = float(left > 0)
        if 0 < left <= len(asked):
            last = min(float(ordered[left - 1]), 1.0)
        after = min(float(ordered[left]), 1.0) if left <= len(asked) else 1.0
        self.bound[rows[asked]] = last
        self.bound[rows[followed]] = after if left else 0.0
        self.claim[rows[followed]] = _RULE
        return np.asarray(followed), n_drawn > left

    def _take_due(self, rows: Rows, ask: Demand, waiting: Rows, left: int) -> Rows:
        """Control what was released too often in a row, the longest run first."""
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
        by_model = candidates[order_best_first(ask.value[candidates], ties)]
        drawn = min(sizes.drawn, n)
        taken = min(sizes.left - sizes.drawn, n - drawn)
        if ask.weight is not None:
            return self._choose_by_weight(rows, ask, by_model, taken, drawn)
        lucky = candidates[draw_smallest(ask.hashes[candidates], drawn)]
        at_random = np.zeros(len(ask.hashes), bool)
        at_random[lucky] = True
        rest = by_model[~at_random[by_model]]
        chosen = rest[:taken][ask.wanted[rest[:taken]]]
        self.draw_probability[rows[candidates]] = drawn / n
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
            best = order_best_first(self._demand.value[members], ties)
            self.channel[members[best[:k]]] = "red"
            self.channel[members[best[k:]]] = "yellow"

    def decisions(self, scores: pd.DataFrame, version: str) -> pd.DataFrame:
        """Return DECISIONS, in the order and with the index of the scores."""
        names = np.array([*CLAIMS, None], dtype=object)
        columns: dict[str, Any] = {n: scores[n] for n in KEY if n in scores}
        columns |= {
            "channel": pd.Series(self.channel, scores.index, dtype="str"),
            "selected_by": pd.Series(names[self.claim], scores.index, dtype="str"),
            "propensity": self.without_rule,
            "draw_probability": self.draw_probability,
            "rank": self._ranks(),
            "policy_version": pd.Series(version, scores.index, dtype="str"),
        }
        if SOURCE_ROW in scores:
            columns[SOURCE_ROW] = scores[SOURCE_ROW]
        # Without a copy of the numbers of all items: nobody writes to them any more.
        out = pd.DataFrame(columns, index=scores.index, copy=False)
        out.attrs.update(scores.attrs)
        return out

    def _ranks(self) -> NDArray[np.int64]:
        """Return the rank of each item, 1 for the first."""
        rank = np.empty(len(self.claim), np.int64)
        ties = rotate_hashes(self._demand.hashes)
        order = order_best_first(self._demand.value, ties)
        order = order[np.argsort(self.claim[order], kind="stable")]  # counts bytes
        rank[order] = np.arange(1, len(rank) + 1)
        return rank


def _chances_without_rule(ask: Demand, ruled: Rows, freed: Freed) -> Float:
    """Return how probable a control of the items that rules drew was without them.

    Each item is taken alone: the draws of all others stay as they are.
    """
    chance = np.zeros(len(ruled))
    overdue = ask.due[ruled] > 0
    # One that is due comes before the longest run that would otherwise be the last.
    order = np.lexsort((ask.hashes[freed.waiting], -ask.due[freed.waiting]))
    if len(order) < freed.places:
        chance[overdue] = 1.0
    elif freed.places:
        last = freed.waiting[order[freed.places - 1]]
        run, tie = ask.due[ruled], ask.hashes[ruled]
        longer = (run > ask.due[last]) | (
            (run == ask.due[last]) & (tie < ask.hashes[last])
        )
        chance[overdue & longer] = 1.0
    left = max(freed.places - len(freed.waiting), 0)
    if left and not overdue.all():
        others = ruled[~overdue]
        chance[~overdue] = _chances_of_candidates(ask, others, freed, left)
    return chance


def _chances_of_candidates(ask: Demand, rows: Rows, freed: Freed, left: int) -> Float:
    """Return how probable each row is if it alone joins the candidates."""
    ties = rotate_hashes(ask.hashes)
    among = freed.candidates
    by_model = among[order_best_first(ask.value[among], ties[among])]
    n = len(among) + 1
    drawn = min(freed.asked, left, n)
    taken = min(left - drawn, n - drawn)
    rank = _ranks_among(ask.value, ties, rows, by_model)
    wanted = ask.wanted[rows]
    if ask.weight is None:
        at = inclusion(n, drawn, taken)
        return np.where(wanted, at[rank], drawn / n)
    chance = np.ones(len(rows))
    for is_before, considered in ((False, taken), (True, taken - 1)):
        part = (rank < taken) == is_before
        part &= ~(is_before & wanted)
        if part.any():
            first = by_model[: max(considered, 0)]
            rest = np.concatenate([first[~ask.wanted[first]], by_model[len(first) :]])
            chance[part] = chance_of_one_more(
                ask.weight[rows[part]], ask.weight[rest], drawn
            )
    return chance


def _ranks_among(value: Float, ties: UInt, rows: Rows, by_model: Rows) -> Rows:
    """Return how many of the rows in the model's order precede each of some rows."""
    both = np.concatenate([by_model, rows])
    order = order_best_first(value[both], ties[both])
    place = np.empty(len(both), np.intp)
    place[order] = np.cumsum(order < len(by_model))
    return place[len(by_model) :]
