"""What a policy would have found, from the decisions of another one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from smartrisk.errors import TableError, check_choice, check_number
from smartrisk.evaluation._logged_decisions import Bool, Float, Logged, aligned, logged
from smartrisk.results import Result

METHODS = ("dr", "snips", "ips")
_ESTIMANDS = ("hit_rate", "hits", "recall", "revenue", "revenue_share")


@dataclass(frozen=True, eq=False, repr=False)
class OffPolicy(Result):
    """What a policy would have found, with intervals, or why that cannot be said.

    Parameters
    ----------
    table : DataFrame
        One row per estimand.
    diagnostics : dict of str to float
        How well the past decisions support the answer.
    notes : tuple of str
        What was adjusted or refused, and why.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import off_policy
    >>> world = make_declarations(5_000, random_state=0, scenario="small")
    >>> past = world.decisions()[world.declarations["lodged_at"] < "2024-03-01"]
    >>> same = past.assign(propensity=1.0)  # a policy that inspects everything
    >>> result = off_policy(past, world.outcomes, same, method="snips")
    >>> list(result.frame()["estimand"][:2])
    ['hit_rate', 'hits']
    """

    table: pd.DataFrame
    diagnostics: dict[str, float]
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row per estimand.

        Returns
        -------
        frame : DataFrame
            estimand, estimate, low, high (95 %), method, and ``refused``: the reason
            why there is no answer, empty where there is one.
        """
        return self.table.copy()

    def overlap(self) -> pd.Series:
        """Return how well the past decisions support the answer.

        Returns
        -------
        overlap : Series
            n_items, n_inspected, n_known, n_target (expected controls of the target),
            effective_n (Kish), largest_weight (share of the weights), unsupported
            (share of the target's controls that the past could never have made).
        """
        return pd.Series(self.diagnostics, dtype=float)

    def __repr__(self) -> str:
        said = self.table[self.table["refused"] == ""]
        if said.empty:
            return f"OffPolicy(no answer: {self.table['refused'].iloc[0]})"
        rows = said.set_index("estimand").loc[lambda t: t.index.isin(["hit_rate"])]
        told = [f"{name} {r.estimate:.3f}" for name, r in rows.iterrows()]
        return f"OffPolicy({', '.join(told)})"


def off_policy(
    decisions: pd.DataFrame,
    outcomes: pd.DataFrame,
    target: pd.DataFrame,
    *,
    model: pd.DataFrame | None = None,
    method: str | None = None,
    least_effective: float = 20.0,
    level: float = 0.95,
) -> OffPolicy:
    r"""Estimate what a policy would have found, from the decisions of another one.

    Use it before a policy is deployed: past decisions say which items could have been
    inspected and how probably; results of inspected items are weighted so that they
    stand for those that were not.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS of the past for every item of the flow, released ones too: key and
        `propensity`, the probability that the item was inspected; `channel` and
        `decided_at` tell which results are still to come.
    outcomes : DataFrame
        OUTCOMES of inspected items; others are left out.
    target : DataFrame
        Decisions of the policy in question for the same items: `propensity`, its
        probability of inspecting each, or else `channel` (not green is 1).
    model : DataFrame, default=None
        SCORES of the same items from an engine that has not learned from these
        results: `risk_score`, and `expected_revenue` for revenue. Needed by "dr".
    method : str, default=None
        "ips", "snips" or "dr"; None for "dr" where a model is given, else "snips".
    least_effective : float, default=20.0
        Least effective number of results; with fewer the answer is refused.
    level : float, default=0.95
        Of the intervals.

    Returns
    -------
    result : OffPolicy
        hit_rate, hits, recall, revenue and revenue_share of the target.

    Raises
    ------
    TableError
        If keys or columns are missing or repeated, a propensity is no probability, or
        too many results have not come.

    See Also
    --------
    whole_flow : How much there is to find.

    Notes
    -----
    With :math:`e_i` the target's and :math:`p_i` the logged probability,
    :math:`w_i=1/p_i` for known results and 0 otherwise, and :math:`m_i` the model, the
    sum of :math:`y_i` over the target's controls is estimated by

    - ips: :math:`\sum e_i w_i y_i` (Horvitz and Thompson 1952);
    - snips: that, times :math:`\sum e_i / \sum e_i w_i` (Hájek 1971);
    - dr: :math:`\sum e_i (m_i + w_i (y_i - m_i))` (Dudík et al. 2011).

    Ratios are linearised; the variance is that of Poisson sampling of declarations,
    :math:`\sum_d (\sum_{i \in d} \sqrt{1-p_i} w_i u_i)^2` over known results with
    residuals :math:`u_i`.
    Intervals use Student's quantile with Satterthwaite's degrees of freedom, on the log
    scale for sums and rates and on that of log odds for shares: a few large weights
    or amounts make most of the variance. Results are what officers *found*, not what
    was there, and the selection must have used nothing but what the propensity
    accounts for.

    References
    ----------
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance
    components. Biometrics Bulletin 2.

    Horvitz, D. G., Thompson, D. J. (1952). A generalization of sampling without
    replacement from a finite universe. JASA 47.

    Hájek, J. (1971). Comment on an essay of D. Basu. Foundations of Statistical
    Inference.

    Dudík, M., Langford, J., Li, L. (2011). Doubly robust policy evaluation and
    learning. ICML.

    Swaminathan, A., Joachims, T. (2015). The self-normalized estimator for
    counterfactual learning. NeurIPS.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import off_policy
    >>> world = make_declarations(5_000, random_state=0, scenario="small")
    >>> past = world.decisions()[world.declarations["lodged_at"] < "2024-03-01"]
    >>> dear = world.declarations["duty_rate"].loc[past.index] > 0.1
    >>> target = past.assign(channel=dear.map({True: "red", False: "green"}))
    >>> target = target.drop(columns="propensity")
    >>> result = off_policy(past, world.outcomes, target)
    >>> bool(0 < result.frame()["estimate"][0] < 0.5)
    True
    """
    method = method or ("snips" if model is None else "dr")
    check_choice("off_policy", "method", method, METHODS)
    check_number("off_policy", "level", level, low=0.5, high=0.9999)
    check_number("off_policy", "least_effective", least_effective, low=1.0)
    flow = logged("off_policy", decisions, outcomes)
    wanted = _inclusion(aligned("off_policy", "the target", target, flow.keys))
    if method == "dr" and model is None:
        raise TableError(
            "evaluation.method_dr_needs_model",
            "off_policy: method 'dr' needs a 'model' with risk_score.",
        )
    guesses = _guesses(flow, model if method == "dr" else None)
    diagnostics = _diagnostics(flow, wanted)
    refused = _refusal(diagnostics, least_effective)
    rows = []
    for name, value, guess in (
        ("hit", flow.hit, guesses[0]),
        ("revenue", flow.revenue, guesses[1]),
    ):
        why = refused or ("" if value is not None else "no revenue_adjustment is known")
        why = why or _too_few_hits(flow, wanted)
        if why or value is None:
            rows += [_silent(e, method, why) for e in _ESTIMANDS_OF[name]]
            continue
        told = _answers(name, flow, wanted, (value, guess), (method, level))
        blind = _blind(flow)
        rows += [
            _silent(row["estimand"], method, blind)
            if blind and row["estimand"] in ("recall", "revenue_share")
            else row
            for row in told
        ]
    table = pd.DataFrame(rows).set_index("estimand").loc[list(_ESTIMANDS)]
    return OffPolicy(table.reset_index(), diagnostics, flow.notes)


_ESTIMANDS_OF = {
    "hit": ("hit_rate", "hits", "recall"),
    "revenue": ("revenue", "revenue_share"),
}


def _inclusion(target: pd.DataFrame) -> Float:
    """Return the target's probability of inspecting each item."""
    if "propensity" in target:
        wanted = target["propensity"].to_numpy(np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise TableError(
                "evaluation.column_propensity_target_lie",
                "off_policy: column 'propensity' of the target must lie in [0, 1]; "
                "{value} values do not.",
                value=int((~((wanted >= 0) & (wanted <= 1))).sum()),
            )
        return wanted
    if "channel" not in target:
        raise TableError(
            "evaluation.target_needs_column_propensity",
            "off_policy: the target needs a column 'propensity' or 'channel'.",
        )
    return (target["channel"] != "green").to_numpy().astype(np.float64)


def _guesses(flow: Logged, model: pd.DataFrame | None) -> tuple[Float, Float]:
    """Return what a model expects of every item; zero without one."""
    nothing = np.zeros(len(flow))
    if model is None:
        return nothing, nothing
    rows = aligned("off_policy", "the model", model, flow.keys)
    if "risk_score" not in rows:
        raise TableError(
            "evaluation.model_lacks_column_risk_score",
            "off_policy: the model lacks the column 'risk_score'.",
        )
    risk = rows["risk_score"].to_numpy(np.float64)
    revenue = nothing
    if "expected_revenue" in rows:
        revenue = np.nan_to_num(rows["expected_revenue"].to_numpy(np.float64))
    if flow.revenue is not None:  # no amount beyond those that were found
        revenue = np.minimum(revenue, flow.revenue.max(initial=0.0))
    return _scaled(flow, flow.hit, risk), revenue


def _scaled(flow: Logged, value: Float, guess: Float) -> Float:
    """Return the guess with the level of what was found (a ratio estimator).

    The best multiple in the sense of the weighted sums: it keeps the estimate
    consistent and spares the variance of a guess whose level is off. Revenue keeps its
    level: its weighted sum is too uncertain to scale by.
    """
    weight = np.where(flow.known, 1 / np.maximum(flow.propensity, 1e-12), 0.0)
    expected = float((weight * guess).sum())
    if expected <= 0:
        return guess
    return guess * min(float((weight * value).sum()) / expected, 10.0)


def _diagnostics(flow: Logged, wanted: Float) -> dict[str, float]:
    """Return how well the past supports the target."""
    weight = _weights(flow) * wanted
    total = float(weight.sum())
    controls = float(wanted.sum())
    lost = float(wanted[flow.propensity <= 0].sum())
    return {
        "n_items": float(len(flow)),
        "n_inspected": float(flow.n_inspected),
        "n_known": float(flow.known.sum()),
        "n_target": controls,
        "effective_n": total**2 / float((weight**2).sum()) if total > 0 else 0.0,
        "largest_weight": float(weight.max()) / total if total > 0 else math.nan,
        "unsupported": lost / controls if controls > 0 else math.nan,
    }


def _weights(flow: Logged) -> Float:
    """Return inverse propensities of known results, 0 for the others."""
    safe = np.where(flow.propensity > 0, flow.propensity, 1.0)
    return np.where(flow.known & (flow.propensity > 0), 1 / safe, 0.0)


def _refusal(diagnostics: dict[str, float], least: float) -> str:
    """Return why there can be no answer; empty when there can."""
    if diagnostics["n_target"] <= 0:
        return "the target inspects nothing"
    if diagnostics["unsupported"] > 0:
        return (
            f"{diagnostics['unsupported']:.1%} of the target's controls are of items "
            "that the past policy never inspects; add a random share to it"
        )
    if diagnostics["effective_n"] < least:
        return (
            f"the effective number of results is {diagnostics['effective_n']:.1f}, "
            f"less than {least:g}; judge more items, or a policy nearer to the past"
        )
    return ""


#: Hits among the target's known results below which nothing is said.
_LEAST_HITS = 5


def _too_few_hits(flow: Logged, wanted: Float) -> str:
    """Return why hits are too few to speak of; empty when they are enough."""
    hits = int((flow.hit * flow.known * (wanted > 0)).sum())
    if hits >= _LEAST_HITS:
        return ""
    return f"only {hits} hits are known among the target's items; judge more items"


def _blind(flow: Logged) -> str:
    """Return why what the whole flow holds cannot be told; empty when it can."""
    lost = int((flow.propensity <= 0).sum())
    if not lost:
        return ""
    return (
        f"{lost} items could never have been inspected: how much they hide is unknown"
    )


def _silent(estimand: str, method: str, why: str) -> dict[str, Any]:
    """Return the row of a refused estimand."""
    nothing = dict.fromkeys(("estimate", "low", "high"), math.nan)
    return {"estimand": estimand, **nothing, "method": method, "refused": why}


def _answers(
    name: str,
    flow: Logged,
    wanted: Float,
    what: tuple[Float, Float],
    how: tuple[str, float],
) -> list[dict[str, Any]]:
    """Return the rows of hits or of revenue."""
    method, level = how
    value, guess = what
    weight, chance = _weights(flow), flow.propensity
    gap = value - guess
    mine = float((wanted * (guess + weight * gap)).sum())
    every = float((guess + weight * gap).sum())
    controls = float(wanted.sum())
    own, all_of_it = wanted * gap, gap
    if method == "snips":  # both sums by the mean of what is weighted
        part, whole = float((wanted * weight).sum()), float(weight.sum())
        own = wanted * (gap - mine / part) * controls / part
        all_of_it = (gap - every / whole) * len(flow) / whole
        mine, every = mine / part * controls, every / whole * len(flow)
    inside = flow.known & (chance > 0)

    def around(residual: Float) -> float:
        """Return the half-width around a sum of weighted residuals.

        Items of a declaration are often inspected together: they count as one.
        """
        part = np.sqrt(1 - chance[inside]) * weight[inside] * residual[inside]
        together = np.bincount(flow.declaration[inside], part)
        return half_width(np.asarray(together, np.float64) ** 2, level)

    reach = around(own)
    share = mine / every if every > 0 else math.nan
    of_all = around(own - share * all_of_it) / every if every > 0 else math.nan
    told = {
        "hit_rate": _bounded(mine / controls, reach / controls),
        "hits": on_log_scale(mine, reach),
        "recall": _logit(share, of_all),
        "revenue": on_log_scale(mine, reach),
        "revenue_share": _logit(share, of_all),
    }
    return [
        {
            "estimand": e,
            **dict(zip(("estimate", "low", "high"), told[e], strict=True)),
            "method": method,
            "refused": "" if math.isfinite(told[e][0]) else "nothing was found at all",
        }
        for e in _ESTIMANDS_OF[name]
    ]


Interval = tuple[float, float, float]


def half_width(parts: Float, level: float) -> float:
    """Return the half-width of an interval from the parts of a variance.

    Student's quantile with Satterthwaite's (1946) degrees of freedom: where a few
    large weights or amounts make most of the variance, it is itself uncertain.
    """
    total = float(parts.sum())
    if total <= 0:
        return 0.0
    freedom = max(total**2 / float((parts**2).sum()), 1.5)
    return float(student.ppf(0.5 + level / 2, freedom)) * math.sqrt(total)


def on_log_scale(estimate: float, reach: float) -> Interval:
    """Return an interval that is symmetric in the logarithm; from zero at zero."""
    if not math.isfinite(estimate):
        return math.nan, math.nan, math.nan
    if estimate <= 0:
        return max(estimate, 0.0), 0.0, max(estimate + reach, 0.0)
    factor = math.exp(min(reach / estimate, 50.0))
    return estimate, estimate / factor, estimate * factor


def _bounded(estimate: float, reach: float) -> Interval:
    """Return an interval of a rate, on the log scale, that ends at one."""
    middle, low, high = on_log_scale(estimate, reach)
    return min(max(middle, 0.0), 1.0), min(low, 1.0), min(high, 1.0)


def _logit(share: float, reach: float) -> Interval:
    """Return an interval of a share that is symmetric in its log odds."""
    if not math.isfinite(share):
        return math.nan, math.nan, math.nan
    if not 0 < share < 1:
        inside = min(max(share, 0.0), 1.0)
        return inside, max(inside - reach, 0.0), min(inside + reach, 1.0)
    odds = math.log(share / (1 - share))
    wide = min(reach / (share * (1 - share)), 50.0)
    low, high = (1 / (1 + math.exp(-(odds + s * wide))) for s in (-1, 1))
    return share, low, high


def weighted(flow: Logged) -> tuple[Float, Bool]:
    """Return weights of the known results, and which items are known."""
    return _weights(flow), flow.known
