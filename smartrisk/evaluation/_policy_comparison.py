"""Policies compared on the same items, whose results are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Bool,
    Float,
    align_rows,
    check_some_known,
    match_results,
    read_controls,
    read_propensities,
    read_rankings,
    unique_keys,
)
from smartrisk.evaluation._ranking import count_at, taken_at
from smartrisk.intervals import percentile_interval, resampled_counts
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

#: Blocks of declarations that the bootstrap draws as wholes: enough that quantiles of
#: their draws are smooth, and few enough that every replicate is a small product.
_N_BLOCKS = 200


@dataclass(frozen=True, eq=False, repr=False)
class PolicyComparison(Result):
    """Policies on the same items, and their paired differences to the first.

    Parameters
    ----------
    _table : DataFrame
        One row per policy.
    _differences : DataFrame
        One row per other policy and measure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> result = sr.evaluation.compare_policies(
    ...     {"offices": world.decisions(), "nobody": key.assign(channel="green")},
    ...     world.full_outcomes(), n_bootstrap=50)
    >>> result.frame()["policy"].tolist()
    ['offices', 'nobody']
    """

    _table: pd.DataFrame
    _differences: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per policy.

        Returns
        -------
        frame : DataFrame
            policy, n_items, n_judged, n_controls, hits, hit_rate, recall, revenue,
            revenue_share, net_benefit.
        """
        return self._table.copy()

    def differences(self) -> pd.DataFrame:
        """Return by how much the others differ from the first policy.

        Returns
        -------
        differences : DataFrame
            policy, measure, difference, low, high (95 %).
        """
        return self._differences.copy()

    def __repr__(self) -> str:
        """Return the names of the policies."""
        return f"PolicyComparison({', '.join(self._table['policy'])})"


def compare_policies(
    policies: Mapping[str, TableInput],
    outcomes: TableInput,
    *,
    rate: float = 0.05,
    cost: float = 0.0,
    n_bootstrap: int = 500,
    random_state: int = 0,
) -> PolicyComparison:
    """Compare decisions or scores on the same items whose results are known.

    Use it where every item has a result: in a synthetic world, or among items that
    were inspected at random. Elsewhere use `off_policy`.

    Parameters
    ----------
    policies : mapping of str to DataFrame
        By the name of the policy, one row per item in any order. DECISIONS: `channel`
        (not green is a control), or else `propensity`, the expected share of a
        control. SCORES: the best by `risk_score` are controlled, tied items by shares.
    outcomes : DataFrame
        OUTCOMES to judge by; items without one are counted and left out.
    rate : float or int, default=0.05
        For SCORES: share of the judged items, or number of them.
    cost : float, default=0.0
        Cost of one control, in national currency.
    n_bootstrap : int, default=500
        Replicates for the 95 % intervals of the differences.
    random_state : int, default=0
        Seed of the replicates.

    Returns
    -------
    comparison : PolicyComparison
        Figures by policy and differences to the first.

    Raises
    ------
    ArgumentError
        If there is no policy.
    TableError
        If the policies do not decide on the same items, a key is repeated, a channel,
        propensity or score is missing or not allowed, or no item has a result.

    See Also
    --------
    off_policy : Where only inspected items have a result.

    Notes
    -----
    The choice is fixed: replicates do not select again. They draw whole
    declarations, in 200 blocks; every policy is judged on the same draw, so that what
    they share cancels.

    References
    ----------
    Efron, B., Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and
    Hall.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> both = {"all": key.assign(channel="red"), "none": key.assign(channel="green")}
    >>> result = sr.evaluation.compare_policies(both, world.full_outcomes())
    >>> float(result.frame()["recall"][0])
    1.0
    """
    outcomes = read_table("compare_policies", "'outcomes'", outcomes)
    check_number("compare_policies", "n_bootstrap", n_bootstrap, low=1, integer=True)
    check_number("compare_policies", "cost", cost, low=0.0)
    if not policies:
        raise ArgumentError(
            "evaluation.no_policy",
            "compare_policies: 'policies' must hold at least one; got none. Pass "
            "a mapping from names to DECISIONS.",
        )
    tables = {
        name: read_table("compare_policies", f"{name!r}", policy)
        for name, policy in policies.items()
    }
    first, table = next(iter(tables.items()))
    keys = unique_keys("compare_policies", f"{first!r}", table)
    results = match_results("compare_policies", keys, outcomes)
    known = results.known
    check_some_known("compare_policies", known)
    hit, revenue = results.hit[known], results.amounts()[known]
    rng = np.random.default_rng(random_state)
    code = pd.factorize(keys["declaration_id"][known])[0]
    block = rng.permutation(int(code.max()) + 1)[code] % _N_BLOCKS
    n = int(block.max()) + 1
    weights = np.stack(list(resampled_counts(n, n_bootstrap, rng))).astype(np.float64)
    sums: dict[str, Float] = {}
    rows = []
    for name, table in tables.items():
        decisions = align_rows("compare_policies", f"{name!r}", table, keys)
        taken = _shares_taken(name, decisions, known, rate)
        columns = (taken, taken * hit, hit, taken * revenue, revenue)
        cells = [np.bincount(block, c, minlength=n) for c in columns]
        sums[name] = np.asarray(np.stack(cells, axis=1), np.float64)
        figures = _figures(sums[name].sum(axis=0), cost)
        rows.append(
            {
                "policy": name,
                "n_items": len(keys),
                "n_judged": int(known.sum()),
                **{k: float(v) for k, v in figures.items()},
            }
        )
    return PolicyComparison(pd.DataFrame(rows), _differences(sums, weights, cost))


_COMPARED = ("hit_rate", "recall", "revenue", "revenue_share", "net_benefit")


def _differences(
    sums: Mapping[str, Float], weights: Float, cost: float
) -> pd.DataFrame:
    """Return the differences of all policies to the first, with intervals."""
    first, *others = sums
    base, drawn_base = (_figures(s, cost) for s in _both(sums[first], weights))
    rows = []
    for name in others:
        own, drawn = (_figures(s, cost) for s in _both(sums[name], weights))
        for measure in _COMPARED:
            low, high = percentile_interval(drawn[measure] - drawn_base[measure])
            rows.append(
                {
                    "policy": name,
                    "measure": measure,
                    "difference": float(own[measure] - base[measure]),
                    "low": low,
                    "high": high,
                }
            )
    columns = ["policy", "measure", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _both(sums: Float, weights: Float) -> tuple[Float, Float]:
    """Return sums over all blocks, and over the blocks of every replicate."""
    return sums.sum(axis=0), weights @ sums


def _figures(sums: Float, cost: float) -> dict[str, Float]:
    """Return figures from controls, hits found, hits, revenue found, revenue."""
    taken, found, hits, recovered, revenue = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "n_controls": taken,
            "hits": found,
            "hit_rate": np.where(taken > 0, found / taken, np.nan),
            "recall": np.where(hits > 0, found / hits, np.nan),
            "revenue": recovered,
            "revenue_share": np.where(revenue > 0, recovered / revenue, np.nan),
            "net_benefit": recovered - cost * taken,
        }


def _shares_taken(
    name: str, decisions: pd.DataFrame, known: Bool, rate: float
) -> Float:
    """Return how much of each judged item a policy controls."""
    owner, table = "compare_policies", f"{name!r}"
    judged = decisions[known].reset_index(drop=True)
    if "channel" in decisions:
        return read_controls(owner, table, judged).astype(np.float64)
    if "propensity" in decisions:
        return read_propensities(owner, table, judged)
    if RANKINGS[0] not in decisions:
        raise TableError(
            "evaluation.policy_without_choice",
            "compare_policies: {policy!r} needs a column 'channel', 'propensity' or "
            "'risk_score'.",
            policy=name,
        )
    every = np.ones(len(judged), np.bool_)
    risk = read_rankings(owner, table, judged, every)[RANKINGS[0]]
    return taken_at(risk, count_at(rate, len(risk)))
