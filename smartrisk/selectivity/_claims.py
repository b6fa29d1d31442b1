"""Decisions while they are made: claims on a capacity, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import KEY
from smartrisk.selectivity._quotas import Quota, spread
from smartrisk.selectivity._random_draws import (
    Float,
    UInt,
    draw_systematic,
    inclusion,
    rotated,
    weighted_chances,
)

Bool = NDArray[np.bool_]
Rows = NDArray[np.intp]

#: Who selects, in the order of their claims.
CLAIMS = ("mandatory", "rule", "model", "random", "exploration")
_RELEASED = len(CLAIMS)
DUE = "max_releases"


@dataclass(frozen=True)
class Demand:
    """What is asked for each item.

    Attributes
    ----------
    must : array of bool
        Mandatory.
    priority : array of float
        Of a rule's draw: below 1 where a rule asks for a control, the smaller the
        sooner; infinite without rules.
    due : array of int
        Releases in a row, where they are too many; 0 elsewhere.
    value : array of float
        What the model ranks by, the greater the sooner.
    wanted : array of bool
        Worth a control by the model.
    weight : array of float or None
        For exploration by weight; None for the random share.
    lot : array of uint64
        Hash of the key and the seed.
    """

    must: Bool
    priority: Float
    due: NDArray[np.int64]
    value: Float
    wanted: Bool
    weight: Float | None
    lot: UInt

    def part(self, rows: Rows) -> Demand:
        """Return the demand of some items."""
        return Demand(
            self.must[rows],
            self.priority[rows],
            self.due[rows],
            self.value[rows],
            self.wanted[rows],
            None if self.weight is None else self.weight[rows],
            self.lot[rows],
        )


class Draft:
    """Decisions while they are made."""

    def __init__(self, n: int) -> None:
        self.claim = np.full(n, _RELEASED, np.int8)
        self.channel = np.full(n, "green", dtype=object)
        self.given = np.zeros(n)  # probability if no rule draws the item
        self.bound = np.ones(n)  # a rule's draw below it is followed
        self.is_due = np.zeros(n, bool)

    def decide(
        self, rows: Rows, quota: Quota, demand: Demand, shares: tuple[float, int]
    ) -> Rows:
        """Decide on one group; return the undrawn items in the model's order."""
        ask = demand.part(rows)
        forced = np.flatnonzero(ask.must)
        self.claim[rows[forced]] = 0
        self.given[rows[forced]] = 1.0
        left = max(quota.total - len(forced), 0)
        ruled = self._rules(rows, ask, left)
        left -= len(ruled)
        open_to = ~ask.must
        open_to[ruled] = False
        due = self._due(rows, ask, open_to, left)
        left -= len(due)
        open_to[due] = False
        drawn = min(math.floor(shares[0] * quota.total + 0.5), left)
        free = np.flatnonzero(open_to)
        order = self._free(rows, ask, free, (left, drawn), shares[1])
        if len(ruled):
            self._as_if(rows, ask, (ruled, free), (left, drawn))
        return rows[order]

    def _rules(self, rows: Rows, ask: Demand, left: int) -> Rows:
        """Follow the draws of rules as far as the capacity goes, the least first.

        Sequential Poisson sampling (Ohlsson 1998): given the draws of all others, an
        item is followed when its own is below the bound that they leave.
        """
        asked = np.flatnonzero(~ask.must & np.isfinite(ask.priority))
        if not len(asked):
            return asked
        draw = ask.priority[asked]
        order = np.lexsort((ask.lot[asked], draw))
        kept = min(left, int((draw < 1.0).sum()))
        ordered = np.append(draw[order], [1.0, 1.0])
        last = float(left > 0)
        if 0 < left <= len(asked):
            last = min(float(ordered[left - 1]), 1.0)
        after = min(float(ordered[left]), 1.0) if left <= len(asked) else 1.0
        self.bound[rows[asked]] = last
        self.bound[rows[asked[order[:kept]]]] = after if left else 0.0
        taken = asked[order[:kept]]
        self.claim[rows[taken]] = 1
        return np.asarray(taken)

    def _due(self, rows: Rows, ask: Demand, open_to: Bool, left: int) -> Rows:
        """Control what was released too often in a row, the longest row first."""
        waiting = np.flatnonzero(open_to & (ask.due > 0))
        order = np.lexsort((ask.lot[waiting], -ask.due[waiting]))
        taken = waiting[order[:left]]
        self.claim[rows[taken]] = 1
        self.given[rows[taken]] = 1.0
        self.is_due[rows[taken]] = True
        return np.asarray(taken)

    def _free(
        self, rows: Rows, ask: Demand, free: Rows, sizes: tuple[int, int], seed: int
    ) -> Rows:
        """Let chance and the model choose; return whom neither took, best first."""
        left, drawn = sizes
        if not len(free):
            return free
        # Two independent orders from one hash: high bits draw, a rotation breaks ties.
        by_model = free[np.lexsort((rotated(ask.lot[free]), -ask.value[free]))]
        taken = min(left - drawn, len(free) - min(drawn, len(free)))
        drawn = min(drawn, len(free))
        wanted = ask.wanted[by_model]
        if ask.weight is not None:
            return self._weighted(rows, ask, by_model, (taken, drawn), seed)
        lucky = free[np.argsort(ask.lot[free], kind="stable")[:drawn]]
        at_random = np.zeros(len(ask.lot), bool)
        at_random[lucky] = True
        rest = by_model[~at_random[by_model]]
        chosen = rest[:taken][ask.wanted[rest[:taken]]]
        self.claim[rows[lucky]] = 3
        self.claim[rows[chosen]] = 2
        chance = inclusion(len(free), drawn, taken)
        self.given[rows[by_model]] = np.where(wanted, chance, drawn / len(free))
        return np.asarray(rest[len(chosen) :])

    def _weighted(
        self, rows: Rows, ask: Demand, by_model: Rows, sizes: tuple[int, int], seed: int
    ) -> Rows:
        """Let the model choose, then draw by weight among the others."""
        taken, drawn = sizes
        chosen = by_model[:taken][ask.wanted[by_model[:taken]]]
        rest = by_model[len(chosen) :]
        weight = ask.weight[rest] if ask.weight is not None else np.ones(len(rest))
        chance = weighted_chances(weight, drawn)
        lucky = rest[draw_systematic(chance, ask.lot[rest], seed)]
        self.claim[rows[chosen]], self.given[rows[chosen]] = 2, 1.0
        self.claim[rows[lucky]], self.given[rows[rest]] = 4, chance
        return np.asarray(rest[~np.isin(rest, lucky)])

    def _as_if(
        self,
        rows: Rows,
        ask: Demand,
        parts: tuple[Rows, Rows],
        sizes: tuple[int, int],
    ) -> None:
        """Say how probable a control was had the rules not drawn an item."""
        ruled, free = parts
        left, drawn = sizes[0] + 1, sizes[1]
        overdue = ask.due[ruled] > 0
        self.given[rows[ruled[overdue]]] = 1.0 if left > 0 else 0.0
        ruled = ruled[~overdue]
        taken = left - drawn
        n = len(free) + 1
        order = np.sort(-ask.value[free])
        rank = np.searchsorted(order, -ask.value[ruled], side="left")
        if ask.weight is None:
            at = inclusion(n, min(drawn, n), max(min(taken, n - drawn), 0))
            chance = np.where(ask.wanted[ruled], at[rank], drawn / n)
        else:
            own = ask.weight[ruled]
            total = float(np.sort(ask.weight[free])[: max(n - taken, 1)].sum())
            drawn_at = np.minimum(drawn * own / np.maximum(total + own, 1e-300), 1.0)
            chance = np.where((rank < taken) & ask.wanted[ruled], 1.0, drawn_at)
        self.given[rows[ruled]] = chance

    def colour(
        self, rows: Rows, quota: Quota, demand: Demand, shares: tuple[float, Any]
    ) -> None:
        """Give the controlled items of a group their channels, the best red first."""
        red_share, ruled = shares
        mine = rows[self.claim[rows] < _RELEASED]
        own = mine[(self.claim[mine] == 1) & ~self.is_due[mine]]
        if ruled is not None:
            self.channel[own] = ruled[own]
        rest = mine[~np.isin(mine, own)] if ruled is not None else mine
        red = math.floor(red_share * len(rest) + 0.5)
        if quota.red is not None:
            red = max(quota.red - int((self.channel[own] == "red").sum()), 0)
            red = min(red, len(rest))
        classes = [rest[self.claim[rest] == c] for c in range(len(CLAIMS))]
        counts = spread(red, np.array([len(c) for c in classes], np.int64))
        for members, k in zip(classes, counts, strict=True):
            best = np.lexsort((rotated(demand.lot[members]), -demand.value[members]))
            self.channel[members[best[:k]]] = "red"
            self.channel[members[best[k:]]] = "yellow"

    def table(self, scores: pd.DataFrame, demand: Demand, version: str) -> pd.DataFrame:
        """Return DECISIONS, in the order and with the index of the scores."""
        names = np.array([*CLAIMS, None], dtype=object)
        out = scores.loc[:, [name for name in KEY if name in scores]].copy()
        out["channel"] = self.channel
        out["selected_by"] = pd.Series(names[self.claim], scores.index, dtype="str")
        out["propensity"] = self.given
        rank = np.empty(len(self.claim), np.int64)
        order = np.lexsort((rotated(demand.lot), -demand.value, self.claim))
        rank[order] = np.arange(1, len(rank) + 1)
        out["rank"] = rank
        out["policy_version"] = version
        return out
