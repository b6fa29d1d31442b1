"""How good scores are where the truth of every item is known, and which are better.

Read by `quality.py`, `few_results.py`, `no_results.py` and `calibrated.py`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr
from sklearn.metrics import average_precision_score

import smartrisk as sr

#: Inspection rate of all measures.
RATE = 0.05
#: Bins of later items by score, for the coverage of intervals.
N_BINS = 20
#: Probabilities are moved off 0 and 1 by this much before their log-odds are taken.
_EDGE = 1e-6
#: Replicates of a paired difference. Its standard error is then known to 4 %.
N_REPLICATES = 300


def judge(scores: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Return the measures of SCORES by the truth of the same items, row by row.

    `expected_revenue` is the second order where SCORES has it.
    """
    risk = scores["risk_score"].to_numpy(np.float64)
    hit = truth["illicit"].to_numpy(np.float64)
    revenue = np.nan_to_num(truth["revenue_adjustment"].to_numpy(np.float64))
    share = sr.evaluation.revenue_share_at
    found = {
        "base_rate": float(hit.mean()),
        "precision": float(sr.evaluation.precision_at(hit, risk, RATE)),
        "average_precision": float(average_precision_score(hit, risk)),
        "revenue_by_risk": share(revenue, risk, RATE),
        "ece": sr.evaluation.calibration_error(hit, np.clip(risk, 0.0, 1.0)),
        "slope": fit_slope(risk, hit),
        "hits_ratio": float(risk.sum() / max(hit.sum(), 1.0)),
        "revenue": math.nan,
        "revenue_ratio": math.nan,
    }
    found["lift"] = found["precision"] / max(found["base_rate"], _EDGE)
    if "expected_revenue" in scores:
        expected = np.nan_to_num(scores["expected_revenue"].to_numpy(np.float64))
        found["revenue"] = share(revenue, expected, RATE)
        found["revenue_ratio"] = float(expected.sum() / max(revenue.sum(), 1.0))
    return {**found, **judge_interval(scores, hit)}


def judge_interval(scores: pd.DataFrame, hit: np.ndarray) -> dict[str, float]:
    """Return coverage and width of `score_lower` and `score_upper`, NaN without them.

    Later items are put into bins by score. A bin is covered where its observed hit rate
    lies within the means of its bounds.
    """
    names = ("covered", "width", "upper")
    if not {"score_lower", "score_upper"} <= set(scores):
        return dict.fromkeys(names, math.nan)
    low, high = (
        pd.to_numeric(scores[name], errors="coerce").to_numpy(
            np.float64, na_value=math.nan
        )
        for name in ("score_lower", "score_upper")
    )
    if np.isnan(low).any() or np.isnan(high).any():
        return dict.fromkeys(names, math.nan)
    order = np.argsort(scores["risk_score"].to_numpy(np.float64), kind="stable")
    covered = [
        low[part].mean() <= hit[part].mean() <= high[part].mean()
        for part in np.array_split(order, N_BINS)
    ]
    return {
        "covered": float(np.mean(covered)),
        "width": float(np.median(high - low)),
        "upper": float(np.median(high)),
    }


def fit_slope(risk: np.ndarray, hit: np.ndarray) -> float:
    """Return the slope of the truth on the score, both in log-odds; 1 is right.

    Newton's method with halved steps. NaN where the scores are constant.
    """
    raw = logit(np.clip(risk, _EDGE, 1.0 - _EDGE))
    if np.ptp(raw) < 1e-9 or not 0 < hit.sum() < len(hit):
        return math.nan
    design = np.column_stack([np.ones(len(raw)), raw])
    weights = np.array([logit(hit.mean()), 0.0])

    def loss(values: np.ndarray) -> float:
        line = design @ values
        return float(np.logaddexp(0.0, line).sum() - (hit * line).sum())

    now = loss(weights)
    for _ in range(100):
        chance = expit(design @ weights)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), design.T @ (hit - chance))
        size = 1.0
        while (then := loss(weights + size * step)) > now and size > 1e-6:
            size /= 2
        weights = weights + size * step
        if now - then < 1e-9:
            break
        now = then
    return float(weights[1])


def paired_error(
    scores: pd.DataFrame, others: pd.DataFrame, truth: pd.DataFrame
) -> tuple[float, float]:
    """Return the gain in precision over others, and its standard error.

    Items are drawn with replacement, the same ones for both rankings.
    """
    hit = truth["illicit"].to_numpy(np.float64)
    draws = draw_items(len(hit))
    one, other = (
        _precisions(table["risk_score"].to_numpy(np.float64), hit, draws)
        for table in (scores, others)
    )
    # The first draw holds every item once.
    return float(one[0] - other[0]), float(np.std((one - other)[1:], ddof=1))


@lru_cache(maxsize=1)
def draw_items(n_items: int) -> np.ndarray:
    """Return how often each item is drawn: once each, then in every replicate."""
    draws = sr.intervals.resampled_counts(n_items, N_REPLICATES, 0)
    rows = [np.ones(n_items), *draws]
    return np.array(rows, np.float32)


def _precisions(risk: np.ndarray, hit: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the precision at the rate in each draw, ties in their order."""
    places = RATE * len(hit)
    # Twice the places hold all that are taken in any draw.
    best = np.argsort(-risk, kind="stable")[: math.ceil(2 * places)]
    weights = draws[:, best].astype(np.float64)
    before = np.cumsum(weights, axis=1) - weights
    taken = np.clip(places - before, 0.0, weights)
    return np.asarray((taken * hit[best]).sum(axis=1) / places)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values that allow for their number by the step-down method of Holm.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure.
    Scandinavian Journal of Statistics 6(2).
    """
    order = np.argsort(p_values, kind="stable")
    n = len(order)
    raised = np.maximum.accumulate(p_values[order] * (n - np.arange(n)))
    out = np.empty(n)
    out[order] = np.minimum(raised, 1.0)
    return out


def count_worse(gain: pd.Series, error: pd.Series) -> int:
    """Return in how many worlds a gain is significantly negative (95 %, Holm)."""
    z = (gain / error.where(error > 0)).fillna(0.0).to_numpy()
    p = 2.0 * ndtr(-np.abs(z))
    return int(((holm(p) < 0.05) & (z < 0)).sum())


def with_half(values: pd.Series) -> str:
    """Return a mean with the half-width of its 95 % interval."""
    known = values.dropna()
    if not len(known):
        return "–"
    half = sr.intervals.mean_half_width(known)
    mean = f"{known.mean():.3f}"
    return mean if math.isnan(half) else f"{mean} ± {half:.3f}"
