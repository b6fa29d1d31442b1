"""Detection effort, and policies compared on the same items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.evaluation._logged_decisions import Float, aligned, numbered
from smartrisk.evaluation._ranking import count_at, taken_at
from smartrisk.results import Result
from smartrisk.schema import KEY

_BLOCKS = 200  # of declarations, drawn as wholes


@dataclass(frozen=True, eq=False, repr=False)
class EffortCurve(Result):
    """What share of hits and revenue is found for a share of items inspected.

    Parameters
    ----------
    table : DataFrame
        One row per contender and share of items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import effort_curve
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> curve = effort_curve({"rule": key.assign(risk_score=[4, 3, 2, 1])},
    ...                      key.assign(illicit=[1, 0, 1, 0]))
    >>> float(curve.area()["rule"])
    0.625
    """

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per contender and share of items.

        Returns
        -------
        frame : DataFrame
            contender ("oracle" and "random" among them), inspected, hits_share,
            revenue_share.
        """
        return self.table.copy()

    def area(self) -> pd.Series:
        """Return the area under the curve of hits, by contender: 0.5 is chance.

        Returns
        -------
        area : Series
            By the trapezoidal rule.
        """
        out = {}
        for name, part in self.table.groupby("contender", sort=False):
            x, y = part["inspected"].to_numpy(), part["hits_share"].to_numpy()
            out[str(name)] = float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())
        return pd.Series(out)

    def __repr__(self) -> str:
        return f"EffortCurve({self.table['contender'].nunique()} contenders)"


def effort_curve(
    contenders: Mapping[str, pd.DataFrame],
    outcomes: pd.DataFrame,
    *,
    n_points: int = 100,
) -> EffortCurve:
    """Return what is found for the effort, for every capacity at once.

    Parameters
    ----------
    contenders : mapping of str to DataFrame
        SCORES of the same items; hits are ranked by `risk_score`, revenue by
        `expected_revenue` where it is there.
    outcomes : DataFrame
        OUTCOMES; items without one are left out.
    n_points : int, default=100
        Shares of items at which it is told, besides 0.

    Returns
    -------
    curve : EffortCurve
        With the oracle and a random choice.

    Raises
    ------
    TableError
        If contenders score other items, a score is missing, or no item has a result.

    Notes
    -----
    Tied items share what is found among them. The curve of hits is the cumulative gains
    curve, the detection-effort curve of defect prediction.

    References
    ----------
    Arisholm, E., Briand, L. C., Johannessen, E. B. (2010). A systematic and
    comprehensive investigation of methods to build and evaluate fault prediction
    models. Journal of Systems and Software 83.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import effort_curve
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> curve = effort_curve({"rule": key.assign(risk_score=[4, 3, 2, 1])},
    ...                      key.assign(illicit=[1, 0, 1, 0]), n_points=2)
    >>> curve.frame()["hits_share"].tolist()
    [0.0, 0.5, 1.0, 0.0, 1.0, 1.0, 0.0, 0.5, 1.0]
    """
    check_number("effort_curve", "n_points", n_points, low=1, integer=True)
    if not contenders:
        raise ArgumentError(
            "evaluation.contenders_2",
            "effort_curve: 'contenders' must hold at least one.",
        )
    keys = _keys(next(iter(contenders.values())))
    hit, revenue, known = _found("effort_curve", keys, outcomes)
    shares = np.linspace(0, 1, n_points + 1)
    parts = []
    for name, scores in contenders.items():
        told = aligned("effort_curve", f"{name!r}", scores, keys)
        lost = told["risk_score"].isna().to_numpy() & known
        if lost.any():
            raise TableError(
                "evaluation.column_risk_score_missing_judged",
                "effort_curve: column 'risk_score' of {name!r} is missing for "
                "{lost} judged items, as {loc}. Score them, or leave them out.",
                name=name,
                lost=int(lost.sum()),
                loc=format_values(told.loc[lost, "declaration_id"].tolist()),
            )
        risk = told["risk_score"].to_numpy(np.float64)[known]
        worth = risk
        if "expected_revenue" in told and told["expected_revenue"].notna().all():
            worth = told["expected_revenue"].to_numpy(np.float64)[known]
        parts.append(_curve(name, shares, (risk, worth), (hit, revenue)))
    parts.append(_curve("oracle", shares, (hit, revenue), (hit, revenue)))
    flat = np.zeros(len(hit))
    parts.append(_curve("random", shares, (flat, flat), (hit, revenue)))
    return EffortCurve(pd.concat(parts, ignore_index=True))


def _curve(
    name: str,
    shares: Float,
    scores: tuple[Float, Float],
    values: tuple[Float, Float],
) -> pd.DataFrame:
    """Return the rows of one contender."""
    out = {"contender": name, "inspected": shares}
    for column, score, value in zip(
        ("hits_share", "revenue_share"), scores, values, strict=True
    ):
        total = value.sum()
        # Tied items have the mean of their values: the sum over all their orders.
        _, group = np.unique(-score, return_inverse=True)
        n = np.bincount(group)
        at = np.append(0.0, np.cumsum(n)) / len(score)
        gained = np.append(0.0, np.cumsum(np.bincount(group, value)))
        share = np.interp(shares, at, gained / total if total > 0 else gained * np.nan)
        out[column] = share
    return pd.DataFrame(out)


@dataclass(frozen=True, eq=False, repr=False)
class PolicyComparison(Result):
    """Policies on the same items, and their paired differences to the first.

    Parameters
    ----------
    table : DataFrame
        One row per policy.
    gaps : DataFrame
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

    table: pd.DataFrame
    gaps: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per policy.

        Returns
        -------
        frame : DataFrame
            policy, n_items, n_judged, n_controls, hits, hit_rate, recall, revenue,
            revenue_share, net_benefit.
        """
        return self.table.copy()

    def differences(self) -> pd.DataFrame:
        """Return by how much the others differ from the first policy.

        Returns
        -------
        differences : DataFrame
            policy, measure, difference, low, high (95 %).
        """
        return self.gaps.copy()

    def __repr__(self) -> str:
        return f"PolicyComparison({', '.join(self.table['policy'])})"


def compare_policies(
    policies: Mapping[str, pd.DataFrame],
    outcomes: pd.DataFrame,
    *,
    rate: float = 0.05,
    cost: float = 0.0,
    n_bootstrap: int = 500,
    random_state: int = 0,
) -> PolicyComparison:
    """Compare decisions or scores on the same items whose results are known.

    Use it where every item has a result: in a made world, or among items that were
    inspected at random. Elsewhere use `off_policy`.

    Parameters
    ----------
    policies : mapping of str to DataFrame
        By the name of the policy. DECISIONS: `channel` (not green is a control), or
        else `propensity`, the expected share of a control. SCORES: the best by
        `risk_score` are controlled, tied items by shares.
    outcomes : DataFrame
        OUTCOMES to judge by; items without one are counted and left out.
    rate : float or int, default=0.05
        For SCORES: share of the judged items, or number of them.
    cost : float, default=0.0
        Of one control, in national currency.
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
    TableError
        If policies decide on other items, a channel, propensity or score is missing or
        none, or no item has a result.

    See Also
    --------
    off_policy : Where only inspected items have a result.

    Notes
    -----
    The choice is fixed: replicates do not select anew. They draw whole
    declarations, in 200 blocks; every policy is judged on the same draw, so that what
    they share cancels.

    References
    ----------
    Efron, B., Tibshirani, R. J. (1993). An introduction to the bootstrap.

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
    check_number("compare_policies", "n_bootstrap", n_bootstrap, low=1, integer=True)
    check_number("compare_policies", "cost", cost, low=0.0)
    if not policies:
        raise ArgumentError(
            "evaluation.policies",
            "compare_policies: 'policies' must hold at least one.",
        )
    keys = _keys(next(iter(policies.values())))
    hit, revenue, known = _found("compare_policies", keys, outcomes)
    code = pd.factorize(keys["declaration_id"][known])[0]
    rng = np.random.default_rng(random_state)
    block = rng.permutation(int(code.max()) + 1)[code] % _BLOCKS
    n = int(block.max()) + 1
    draws = rng.integers(0, n, (n_bootstrap, n))
    weights = np.array([np.bincount(row, minlength=n) for row in draws], np.float64)
    sums: dict[str, Float] = {}
    rows = []
    for name, decisions in policies.items():
        told = aligned("compare_policies", f"{name!r}", decisions, keys)
        taken = _taken(name, told[known], rate)
        columns = (taken, taken * hit, hit, taken * revenue, revenue)
        cells = [np.bincount(block, c, minlength=n) for c in columns]
        part = np.asarray(np.stack(cells, axis=1), np.float64)
        sums[name] = part
        rows.append(
            {
                "policy": name,
                "n_items": len(keys),
                "n_judged": int(known.sum()),
                **{k: float(v) for k, v in _figures(part.sum(axis=0), cost).items()},
            }
        )
    return PolicyComparison(pd.DataFrame(rows), _gaps(sums, weights, cost))


_COMPARED = ("hit_rate", "recall", "revenue", "revenue_share", "net_benefit")


def _gaps(sums: Mapping[str, Float], weights: Float, cost: float) -> pd.DataFrame:
    """Return the differences of all policies to the first, with intervals."""
    first, *others = sums
    base, drawn_base = (_figures(s, cost) for s in _both(sums[first], weights))
    rows = []
    for name in others:
        mine, drawn = (_figures(s, cost) for s in _both(sums[name], weights))
        for measure in _COMPARED:
            gaps = drawn[measure] - drawn_base[measure]
            gaps = gaps[np.isfinite(gaps)]
            low = high = math.nan
            if len(gaps):
                low, high = np.quantile(gaps, [0.025, 0.975])
            rows.append(
                {
                    "policy": name,
                    "measure": measure,
                    "difference": float(mine[measure] - base[measure]),
                    "low": float(low),
                    "high": float(high),
                }
            )
    columns = ["policy", "measure", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _both(sums: Float, weights: Float) -> tuple[Float, Float]:
    """Return sums over all blocks, and over the blocks of every replicate."""
    return sums.sum(axis=0), weights @ sums


def _figures(sums: Float, cost: float) -> dict[str, Any]:
    """Return figures from controls, hits found, hits, revenue found, revenue."""
    taken, found, hits, got, revenue = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "n_controls": taken,
            "hits": found,
            "hit_rate": np.where(taken > 0, found / taken, np.nan),
            "recall": np.where(hits > 0, found / hits, np.nan),
            "revenue": got,
            "revenue_share": np.where(revenue > 0, got / revenue, np.nan),
            "net_benefit": got - cost * taken,
        }


def _taken(name: str, told: pd.DataFrame, rate: float) -> Float:
    """Return how much of each judged item a policy controls."""
    column = next((c for c in _CHOOSES if c in told), None)
    if column is None:
        raise TableError(
            "evaluation.needs_column_channel_propensity",
            "compare_policies: {name!r} needs a column 'channel', 'propensity' "
            "or 'risk_score'.",
            name=name,
        )
    values = told[column]
    wrong = values.isna()
    if column == "propensity":
        wrong |= ~values.between(0, 1)
    if wrong.any():
        raise TableError(
            "evaluation.column_missing_judged_items",
            "compare_policies: column {column!r} of {name!r} is missing{value} "
            "for {wrong} judged items, as {loc}. Fill it in, or leave the "
            "items out.",
            column=column,
            name=name,
            value=" or outside [0, 1]" if column == "propensity" else "",
            wrong=int(wrong.sum()),
            loc=format_values(told.loc[wrong, "declaration_id"].tolist()),
        )
    if column == "channel":
        return (values != "green").to_numpy().astype(np.float64)
    amounts = values.to_numpy(np.float64)
    if column == "propensity":
        return amounts
    return taken_at(amounts, count_at(rate, len(amounts)))


_CHOOSES = ("channel", "propensity", "risk_score")


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of a frame, in its order."""
    return numbered(frame)[list(KEY)].reset_index(drop=True)


def _found(owner: str, keys: pd.DataFrame, outcomes: pd.DataFrame) -> Any:
    """Return hits and revenue of the items with a result, and which these are."""
    if "illicit" not in outcomes or "declaration_id" not in outcomes:
        raise TableError(
            "evaluation.outcomes_needs_declaration_id_illicit",
            "{owner}: OUTCOMES needs 'declaration_id' and 'illicit'.",
            owner=owner,
        )
    kept = [c for c in (*KEY, "illicit", "revenue_adjustment") if c != "item_number"]
    kept = [*KEY, *(c for c in kept if c in outcomes and c not in KEY)]
    found = keys.merge(
        numbered(outcomes)[kept], on=list(KEY), how="left", validate="one_to_one"
    )
    known = found["illicit"].notna().to_numpy()
    if not known.any():
        raise TableError(
            "evaluation.item_result_check_keys",
            "{owner}: no item has a result; check the keys.",
            owner=owner,
        )
    hit = found["illicit"].to_numpy(np.float64)[known]
    revenue = np.zeros(len(hit))
    if "revenue_adjustment" in found:
        amounts = found["revenue_adjustment"].to_numpy(np.float64)[known]
        revenue = np.maximum(np.nan_to_num(amounts), 0.0)
    return hit, revenue, known
