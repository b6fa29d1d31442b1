"""Standings: net benefit and precision on the truth, and which teams differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.intervals import percentile_interval, resampled_counts
from smartrisk.results import Result
from smartrisk.workshop._rounds import N_ROUNDS, Bool, Float, Terms, truth_of

#: Replicates of the bootstrap: their 2.5 % tail holds 50 of them.
_N_BOOTSTRAP = 2_000
#: Items of all teams that are multiplied with their draws at a time.
_BLOCK = 200
TEAM, REFERENCE = "team", "reference"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """Sums of a player in a round: as they are, and in every replicate."""

    benefit: float
    recovered: float
    hits: int
    controls: int
    benefits: Float
    hits_drawn: Float
    controls_drawn: Float

    def plus(self, other: _Sums) -> _Sums:
        """Return the sums of both rounds; their replicates are independent."""
        return _Sums(
            benefit=self.benefit + other.benefit,
            recovered=self.recovered + other.recovered,
            hits=self.hits + other.hits,
            controls=self.controls + other.controls,
            benefits=self.benefits + other.benefits,
            hits_drawn=self.hits_drawn + other.hits_drawn,
            controls_drawn=self.controls_drawn + other.controls_drawn,
        )

    def row(self) -> dict[str, Any]:
        """Return the figures with their intervals."""
        low, high = percentile_interval(self.benefits)
        with np.errstate(divide="ignore", invalid="ignore"):
            precise = percentile_interval(self.hits_drawn / self.controls_drawn)
        return {
            "net_benefit": self.benefit,
            "net_benefit_low": low,
            "net_benefit_high": high,
            "precision": self.hits / self.controls if self.controls else math.nan,
            "precision_low": precise[0],
            "precision_high": precise[1],
            "recovered": self.recovered,
            "hits": self.hits,
            "controls": self.controls,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Standings(Result):
    """What each team reached on the truth, beside the reference policies.

    `Competition.score` and `Game.board` return it. Net benefit is the revenue that was
    evaded on the controlled items minus the cost of their controls, in the currency of
    the declarations. Precision is the share of the controlled items that are illicit.
    Intervals are those of 95 % by a bootstrap over the items of each round, the same
    draws for all, so that differences are paired.

    Parameters
    ----------
    _total, _by_round, _pairs : DataFrame
        One row per player, per player and round, per pair of teams.

    Notes
    -----
    The rank of a team is one more than the number of teams that are better by an
    interval of the difference above 0. Two teams whose interval holds 0 are not shown
    to differ: each is in the other's `equal_to`. That relation is not transitive, so
    of three teams the first can be better than the last, and the middle one equal to
    both.

    Examples
    --------
    >>> import smartrisk as sr
    >>> game = sr.workshop.Game(n_items=1_500, capacity=5, random_state=0)
    >>> _ = game.play(game.items.nlargest(5, "duties_taxes"))
    >>> board = game.board()
    >>> board.frame()["player"].tolist()[:1], len(board.rounds())
    (['oracle'], 6)
    """

    _total: pd.DataFrame
    _by_round: pd.DataFrame
    _pairs: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per player, the highest net benefit first.

        Returns
        -------
        frame : DataFrame
            player, kind ("team" or "reference"), rank (of teams only), equal_to (teams
            that it is not shown to differ from, joined by ", "), net_benefit and
            precision, each with ``_low`` and ``_high``, recovered, hits, controls.
        """
        return self._total.copy()

    def rounds(self) -> pd.DataFrame:
        """Return one row per player and round.

        Returns
        -------
        rounds : DataFrame
            player, kind, round, and the figures of `frame`.
        """
        return self._by_round.copy()

    def differences(self) -> pd.DataFrame:
        """Return the difference of net benefit of each pair of teams.

        Returns
        -------
        differences : DataFrame
            one, other, difference (one minus other), low, high, equal (whether the
            interval holds 0).
        """
        return self._pairs.copy()

    def __repr__(self) -> str:
        """Return the number of teams and of rounds."""
        n_teams = int((self._total["kind"] == TEAM).sum())
        return f"Standings({n_teams} teams, {self._by_round['round'].nunique()} rounds)"


def make_standings(
    terms: Terms,
    truth: pd.DataFrame,
    teams: Mapping[str, Sequence[Bool]],
    reference: Mapping[str, Sequence[Bool]],
    *,
    numbers: Sequence[int] = tuple(range(1, N_ROUNDS + 1)),
) -> Standings:
    """Judge what players chose in some of the rounds by the truth."""
    players = [(name, TEAM, parts) for name, parts in teams.items()]
    players += [(name, REFERENCE, parts) for name, parts in reference.items()]
    by_round: list[list[_Sums]] = []
    rows = []
    for number in numbers:
        chosen = [parts[number - 1] for _, _, parts in players]
        sums = _sum_round(terms, truth_of(truth, number), chosen, number)
        by_round.append(sums)
        rows += [
            {"player": name, "kind": kind, "round": number, **one.row()}
            for (name, kind, _), one in zip(players, sums, strict=True)
        ]
    totals = by_round[0]
    for sums in by_round[1:]:
        totals = [one.plus(more) for one, more in zip(totals, sums, strict=True)]
    pairs = _compare_teams(list(teams), totals)
    total = pd.DataFrame(
        [
            {"player": name, "kind": kind, **_place(name, pairs, kind), **one.row()}
            for (name, kind, _), one in zip(players, totals, strict=True)
        ]
    )
    total["rank"] = total["rank"].astype("Int64")
    total = total.sort_values("net_benefit", ascending=False, kind="stable")
    place = {name: k for k, name in enumerate(total["player"])}
    total["equal_to"] = [
        ", ".join(sorted(names, key=lambda name: place[name]))
        for names in total["equal_to"]
    ]
    return Standings(total.reset_index(drop=True), pd.DataFrame(rows), pairs)


def _sum_round(
    terms: Terms, truth: pd.DataFrame, chosen: Sequence[Bool], number: int
) -> list[_Sums]:
    """Return the sums of every player in a round, on the same draws of items."""
    picked = np.array(chosen, float)
    revenue = truth["evaded_revenue"].to_numpy(float)
    hit = (truth["illicit"] == 1).to_numpy(float)
    values = np.concatenate(
        [picked * (revenue - terms.cost), picked * hit, picked], axis=0
    )
    draws = np.concatenate(list(_multiply(values, len(truth), number)), axis=1)
    n = len(chosen)
    return [
        _Sums(
            benefit=float(values[k].sum()),
            recovered=float(picked[k] @ revenue),
            hits=int(values[n + k].sum()),
            controls=int(picked[k].sum()),
            benefits=draws[k],
            hits_drawn=draws[n + k],
            controls_drawn=draws[2 * n + k],
        )
        for k in range(n)
    ]


def _multiply(values: Float, n_items: int, number: int) -> Iterator[Float]:
    """Yield the sums of values in the replicates, block by block."""
    block: list[Any] = []
    draws = resampled_counts(n_items, _N_BOOTSTRAP, number)
    for k, counts in enumerate(draws, start=1):
        block.append(counts)
        if len(block) == _BLOCK or k == _N_BOOTSTRAP:
            yield values @ np.array(block, float).T
            block = []


def _compare_teams(names: Sequence[str], totals: Sequence[_Sums]) -> pd.DataFrame:
    """Return the difference of each pair of teams with its paired interval."""
    rows = []
    for i, one in enumerate(names):
        for j in range(i + 1, len(names)):
            low, high = percentile_interval(totals[i].benefits - totals[j].benefits)
            rows.append(
                {
                    "one": one,
                    "other": names[j],
                    "difference": totals[i].benefit - totals[j].benefit,
                    "low": low,
                    "high": high,
                    "equal": low <= 0 <= high,
                }
            )
    columns = ["one", "other", "difference", "low", "high", "equal"]
    return pd.DataFrame(rows, columns=columns).astype({"equal": bool})


def _place(name: str, pairs: pd.DataFrame, kind: str) -> dict[str, Any]:
    """Return the rank of a team, and the teams that it is not shown to differ from."""
    if kind != TEAM:
        return {"rank": None, "equal_to": []}
    better = pairs[(pairs["one"] == name) & (pairs["high"] < 0)]
    others = pairs[(pairs["other"] == name) & (pairs["low"] > 0)]
    equal = pairs[pairs["equal"]]
    names = [
        *equal.loc[equal["one"] == name, "other"],
        *equal.loc[equal["other"] == name, "one"],
    ]
    return {"rank": 1 + len(better) + len(others), "equal_to": names}
