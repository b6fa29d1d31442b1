"""What a policy would have found, from the decisions of another one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import Message, TableError, check_choice, check_number
from smartrisk.evaluation._matched_tables import (
    Float,
    align_rows,
    numbers_of,
    read_controls,
    read_propensities,
    read_rankings,
)
from smartrisk.evaluation._past_decisions import PastDecisions, match_past_decisions
from smartrisk.evaluation._weighted_sums import (
    half_width,
    log_interval,
    logit_interval,
    rate_interval,
)
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

METHODS = ("dr", "snips", "ips")
#: Estimands of hits and of revenue.
_ESTIMANDS_OF = {
    "hit": ("hit_rate", "hits", "recall"),
    "revenue": ("revenue", "revenue_share"),
}
#: Hits among the target's known results below which nothing is estimated: the variance
#: of a weighted sum of hits is then itself estimated from a handful of terms.
_LEAST_HITS = 5
#: Largest factor by which the level of a model is corrected. Beyond it the model is
#: wrong rather than off its level, and the factor itself would make the variance.
_MOST_SCALING = 10.0


@dataclass(frozen=True, eq=False, repr=False)
class OffPolicy(Result):
    """What a policy would have found, with intervals, or why that cannot be estimated.

    Parameters
    ----------
    _table : DataFrame
        One row per estimand.
    _diagnostics : mapping of str to float
        How well the past decisions support the answer.
    _messages : tuple of Message
        What was adjusted, and why.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import off_policy
    >>> world = make_declarations(5_000, random_state=0, scenario="small")
    >>> past = world.decisions()[world.declarations["lodged_at"] < "2024-03-01"]
    >>> everything = past.assign(propensity=1.0)
    >>> result = off_policy(past, world.outcomes, everything, method="snips")
    >>> list(result.frame()["estimand"][:2])
    ['hit_rate', 'hits']
    """

    _table: pd.DataFrame
    _diagnostics: dict[str, float]
    _messages: tuple[Message, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was adjusted, and why: each with its id, template and values."""
        return self._messages

    @property
    def notes(self) -> tuple[str, ...]:
        """What was adjusted, and why, in English."""
        return tuple(str(message) for message in self._messages)

    def frame(self) -> pd.DataFrame:
        """Return one row per estimand.

        Returns
        -------
        frame : DataFrame
            estimand, estimate, low, high, method, and ``refused``: the reason
            why there is no answer, empty where there is one.
        """
        return self._table.copy()

    def overlap(self) -> pd.Series:
        """Return how well the past decisions support the answer.

        Returns
        -------
        overlap : Series
            n_items, n_inspected, n_known, n_target (expected controls of the target),
            effective_n (Kish), largest_weight (share of the weights), unsupported
            (share of the target's controls that the past decisions could never have
            made).
        """
        return pd.Series(self._diagnostics, dtype=float)

    def __repr__(self) -> str:
        """Return the estimated hit rate, or why there is no answer."""
        answered = self._table[self._table["refused"] == ""].set_index("estimand")
        if answered.empty:
            return f"OffPolicy(no answer: {self._table['refused'].iloc[0]!s})"
        if "hit_rate" not in answered.index:
            return "OffPolicy(no hit rate)"
        rate = answered["estimate"].astype(float).to_dict()["hit_rate"]
        return f"OffPolicy(hit rate {rate:.3f})"


def off_policy(
    decisions: TableInput,
    outcomes: TableInput,
    target: TableInput,
    *,
    model: TableInput | None = None,
    method: str | None = None,
    min_effective: float = 20.0,
    confidence: float = 0.95,
) -> OffPolicy:
    r"""Estimate what a policy would have found, from the decisions of another one.

    Use it before a policy is deployed: past decisions show which items could have been
    inspected and how probably; results of inspected items are weighted so that they
    also represent those that were not.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS of the past for every item of the flow, released ones too: key and
        `propensity`, the probability that the item was inspected; `channel` and
        `decided_at` show which results are outstanding.
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
    min_effective : float, default=20.0
        Minimum effective number of results (Kish); with fewer the answer is refused.
    confidence : float, default=0.95
        Probability with which each interval covers the truth.

    Returns
    -------
    result : OffPolicy
        hit_rate, hits, recall, revenue and revenue_share of the target.

    Raises
    ------
    TableError
        If keys or columns are missing or repeated, a propensity is not a probability, a
        channel or a score is missing, or too many results have not arrived.
    ArgumentError
        If `method`, `min_effective` or `confidence` is outside what is allowed.

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
    >>> high_duty = world.declarations["duty_rate"].loc[past.index] > 0.1
    >>> target = past.assign(channel=high_duty.map({True: "red", False: "green"}))
    >>> target = target.drop(columns="propensity")
    >>> result = off_policy(past, world.outcomes, target)
    >>> bool(0 < result.frame()["estimate"][0] < 0.5)
    True
    """
    decisions = read_table("off_policy", "'decisions'", decisions)
    outcomes = read_table("off_policy", "'outcomes'", outcomes)
    target = read_table("off_policy", "'target'", target)
    model = read_table("off_policy", "'model'", model)
    method = method or ("snips" if model is None else "dr")
    check_choice("off_policy", "method", method, METHODS)
    check_number("off_policy", "confidence", confidence, low=0.5, high=0.9999)
    check_number("off_policy", "min_effective", min_effective, low=1.0)
    if method == "dr" and model is None:
        raise TableError(
            "evaluation.method_needs_model",
            "off_policy: method 'dr' needs 'model', SCORES with 'risk_score'. Pass "
            "them, or choose method='snips'.",
        )
    flow = match_past_decisions("off_policy", decisions, outcomes)
    target = align_rows("off_policy", "the target", target, flow.keys)
    wanted = _inclusion(target)
    model_hits, model_revenue = _guesses(flow, model if method == "dr" else None)
    diagnostics = _diagnostics(flow, wanted)
    refused = _refusal(diagnostics, min_effective)
    too_few = _too_few_hits(flow, wanted)
    hits = _Sums(flow, wanted, flow.hit, model_hits, method, confidence)
    rows = _answers("hit", hits, refused or too_few)
    if flow.revenue is None:
        reason = refused or "no revenue_adjustment is known"
        rows += [_refused_row(e, method, reason) for e in _ESTIMANDS_OF["revenue"]]
    else:
        revenue = _Sums(flow, wanted, flow.revenue, model_revenue, method, confidence)
        rows += _answers("revenue", revenue, refused or too_few)
    return OffPolicy(pd.DataFrame(rows), diagnostics, flow.messages)


def _inclusion(target: pd.DataFrame) -> Float:
    """Return the target's probability of inspecting each item."""
    if "propensity" in target:
        return read_propensities("off_policy", "the target", target)
    if "channel" not in target:
        raise TableError(
            "evaluation.target_without_choice",
            "off_policy: the target needs a column 'propensity' or 'channel'.",
        )
    return read_controls("off_policy", "the target", target).astype(np.float64)


def _guesses(flow: PastDecisions, model: pd.DataFrame | None) -> tuple[Float, Float]:
    """Return the hits and the revenue that a model expects; zero without one."""
    nothing = np.zeros(len(flow))
    if model is None:
        return nothing, nothing
    owner, table = "off_policy", "the model"
    rows = align_rows(owner, table, model, flow.keys)
    risk = read_rankings(owner, table, rows, np.ones(len(flow), np.bool_))["risk_score"]
    revenue = nothing
    if "expected_revenue" in rows:
        revenue = np.nan_to_num(numbers_of(owner, table, rows["expected_revenue"]))
    if flow.revenue is not None:  # no amount beyond those that were found
        revenue = np.minimum(revenue, flow.revenue.max(initial=0.0))
    return _scale_to_level(flow, flow.hit, risk), revenue


def _scale_to_level(flow: PastDecisions, value: Float, guess: Float) -> Float:
    """Return the guess with the level of what was found (a ratio estimator).

    The best multiple in the sense of the weighted sums: it keeps the estimate
    consistent and spares the variance of a guess whose level is off. Revenue keeps its
    level: its weighted sum is too uncertain to scale by.
    """
    weight = np.where(flow.known, 1 / np.maximum(flow.propensity, 1e-12), 0.0)
    expected = float((weight * guess).sum())
    if expected <= 0:
        return guess
    return guess * min(float((weight * value).sum()) / expected, _MOST_SCALING)


def _diagnostics(flow: PastDecisions, wanted: Float) -> dict[str, float]:
    """Return how well the past supports the target."""
    weight = flow.weights() * wanted
    total = float(weight.sum())
    controls = float(wanted.sum())
    unsupported = float(wanted[flow.propensity <= 0].sum())
    return {
        "n_items": float(len(flow)),
        "n_inspected": float(flow.n_inspected),
        "n_known": float(flow.known.sum()),
        "n_target": controls,
        "effective_n": total**2 / float((weight**2).sum()) if total > 0 else 0.0,
        "largest_weight": float(weight.max()) / total if total > 0 else math.nan,
        "unsupported": unsupported / controls if controls > 0 else math.nan,
    }


def _refusal(diagnostics: dict[str, float], min_effective: float) -> str:
    """Return why there can be no answer; empty when there can."""
    if diagnostics["n_target"] <= 0:
        return "the target inspects nothing"
    if diagnostics["unsupported"] > 0:
        return (
            f"{diagnostics['unsupported']:.1%} of the target's controls are of items "
            "that the past policy never inspects; add a random share to it"
        )
    if diagnostics["effective_n"] < min_effective:
        return (
            f"the effective number of results is {diagnostics['effective_n']:.1f}, "
            f"less than {min_effective:g}; judge more items, or a policy nearer to the "
            "past"
        )
    return ""


def _too_few_hits(flow: PastDecisions, wanted: Float) -> str:
    """Return why there are too few hits for an answer; empty when there are enough."""
    hits = int((flow.hit * flow.known * (wanted > 0)).sum())
    if hits >= _LEAST_HITS:
        return ""
    return f"only {hits} hits are known among the target's items; judge more items"


def _unknown_total(flow: PastDecisions) -> str:
    """Return why the total of the flow cannot be estimated; empty when it can."""
    n_never = int((flow.propensity <= 0).sum())
    if not n_never:
        return ""
    return (
        f"{n_never} items could never have been inspected: how much they hide is "
        "unknown"
    )


def _refused_row(estimand: str, method: str, reason: str) -> dict[str, Any]:
    """Return the row of an estimand without an answer."""
    nothing = dict.fromkeys(("estimate", "low", "high"), math.nan)
    return {"estimand": estimand, **nothing, "method": method, "refused": reason}


@dataclass(frozen=True)
class _Sums:
    """What is summed over the target's controls, and how."""

    flow: PastDecisions
    wanted: Float
    value: Float
    guess: Float
    method: str
    confidence: float

    def around(self, residual: Float) -> float:
        """Return the half-width around a sum of weighted residuals.

        Items of a declaration are often inspected together: they count as one.
        """
        flow, chance = self.flow, self.flow.propensity
        inside = flow.known & (chance > 0)
        spread = np.sqrt(1 - chance[inside]) * flow.weights()[inside]
        part = spread * residual[inside]
        together = np.bincount(flow.declaration[inside], part)
        return half_width(np.asarray(together, np.float64) ** 2, self.confidence)

    def estimates(self) -> tuple[float, float, Float, Float]:
        """Return the sums over the target and over the flow, and their residuals."""
        wanted, weight, gap = self.wanted, self.flow.weights(), self.value - self.guess
        chosen = float((wanted * (self.guess + weight * gap)).sum())
        every = float((self.guess + weight * gap).sum())
        if self.method != "snips":
            return chosen, every, wanted * gap, gap
        # Both sums are scaled by the sums of the weights. A residual is then taken
        # from the mean: what all items share moves the sum and the scale together.
        n_wanted, n_items = float(wanted.sum()), len(self.flow)
        part, whole = float((wanted * weight).sum()), float(weight.sum())
        own = wanted * (gap - chosen / part) * n_wanted / part
        all_of_it = (gap - every / whole) * n_items / whole
        return chosen / part * n_wanted, every / whole * n_items, own, all_of_it


def _answers(name: str, sums: _Sums, refused: str) -> list[dict[str, Any]]:
    """Return the rows of hits or of revenue."""
    method = sums.method
    if refused:
        return [_refused_row(e, method, refused) for e in _ESTIMANDS_OF[name]]
    controls = float(sums.wanted.sum())
    chosen, every, own, all_of_it = sums.estimates()
    half = sums.around(own)
    share = chosen / every if every > 0 else math.nan
    of_all = sums.around(own - share * all_of_it) / every if every > 0 else math.nan
    intervals = {
        "hit_rate": rate_interval(chosen / controls, half / controls),
        "hits": log_interval(chosen, half),
        "recall": logit_interval(share, of_all),
        "revenue": log_interval(chosen, half),
        "revenue_share": logit_interval(share, of_all),
    }
    unknown = _unknown_total(sums.flow)
    rows = []
    for estimand in _ESTIMANDS_OF[name]:
        if unknown and estimand in ("recall", "revenue_share"):
            rows.append(_refused_row(estimand, method, unknown))
            continue
        interval = intervals[estimand]
        answered = math.isfinite(interval.estimate)
        rows.append(
            {
                "estimand": estimand,
                **interval._asdict(),
                "method": method,
                "refused": "" if answered else "nothing was found at all",
            }
        )
    return rows
