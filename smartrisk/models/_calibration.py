"""From raw scores to probabilities, with an interval: a map that cannot degenerate.

Reads raw scores of items that the model did not learn from; writes slope and intercept.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtri

from smartrisk.errors import ArgumentError, DataQualityWarning

Float = NDArray[np.float64]

#: Hits at which the truth of all items is as steep as the results of the inspected, the
#: power of the hits by which it is steeper, and the most. Controls miss some
#: irregularities and find something in items without one, which counts where scores are
#: low: such results alone flatten a slope of 1.3 to 1.05. Officers also see what the
#: score does not. The better the score separates items, the more they take off.
#: Chosen on 44 worlds of the ten scenarios: with 1 instead, the slope of the truth of
#: all later items was 1.15 at 75 hits, 1.30 at 150 and 1.47 at 600; with this it is
#: .99, 1.02 and 1.04, and .96 in five independent worlds of 260 hits instead of 1.24.
_AS_STEEP, _POWER, _STEEPEST = 25.0, 0.13, 1.5
#: How firmly the slope is held at 1, in units of information. An item adds
#: p (1 - p) (raw - mean)**2, about 0.05 at a hit rate of 5 %, so that some 300 late
#: hits weigh as much as the prior. With few hits a free slope is
#: further from the truth.
_PULL = 300.0
#: Standard deviation of the level of the earliest block around that of the raw scores,
#: log-odds: 25 hits weigh as much. What the level of the inspected says of all items
#: varies more from world to world (.4) than the level of the raw scores does (.25).
_LEVEL = 0.2
#: The same for scores that are not log-odds: after their median was taken off they
#: start at a probability of one half, and hit rates of 1 in 1,000 are usual.
_FREE_LEVEL = 3.0
#: Standard deviations of the step of the level from one block to the next that are
#: tried: from none to a factor of 25 on the odds. Their mean is taken, by how well each
#: explains the blocks.
_DRIFTS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
#: Mean of the exponential prior of that standard deviation. With .1, a break is
#: followed when its hits show it; with .3, also the noise of blocks of ten hits.
_USUAL_DRIFT = 0.1
#: Bounds of the slope on log-odds: below, the map is all but constant, and a slope
#: below 0 would turn the order around; above, it is a step.
_LEAST_SLOPE, _MOST_SLOPE = 0.1, 10.0
#: Widest spread of log-odds between the 5 % and the 95 % quantile, and furthest median
#: from 0, that are taken for log-odds: a probability of 6e-6 at one end.
_WIDEST = 12.0
#: Log-odds are cut here, where a probability still differs from 1.
_FURTHEST = 36.0
#: Raw scores are cut here: differences between log-odds of such a size mean nothing.
_LARGEST = 1e9
#: Standard deviation of the log-odds of later items around the map, besides what the
#: fit shows: their level is not that of the inspected, and a straight line leaves
#: something out.
_TRANSFER = 0.5
#: Number of later items that the interval speaks of: its bounds hold the noise of so
#: many controls.
GROUP = 200
#: Probability with which the interval is meant to hold.
CONFIDENCE = 0.90


@dataclass(frozen=True, kw_only=True)
class ScoreCalibration:
    """A rising map from raw scores to probabilities, and how sure it is.

    Parameters
    ----------
    slope, intercept : float
        Of the log-odds: ``slope * raw + intercept``; the slope is above 0.
    n_items, n_hits : float
        Items and hits that the map was fitted on, by weight; 0 for none.
    variance_slope, covariance, variance_intercept : float
        Posterior covariance of slope and intercept.
    drift : float
        Standard deviation of the level from one block of time to the next, log-odds.

    Notes
    -----
    `ScoreCalibration()` is the identity: the raw scores are taken for log-odds.

    Examples
    --------
    >>> from smartrisk.models import ScoreCalibration
    >>> found = ScoreCalibration(slope=1.2, intercept=-0.5)
    >>> found.apply([-2.0, 0.0]).round(2).tolist()
    [0.05, 0.38]
    """

    slope: float = 1.0
    intercept: float = 0.0
    n_items: float = 0.0
    n_hits: float = 0.0
    variance_slope: float = 1.0 / _PULL
    covariance: float = 0.0
    variance_intercept: float = 0.25
    drift: float = _USUAL_DRIFT

    def apply(self, raw: ArrayLike) -> Float:
        """Return the probability of a hit that belongs to raw scores.

        Parameters
        ----------
        raw : array-like of shape (n_items,)
            Raw scores, log-odds.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            Within (0, 1), in the order of the raw scores.
        """
        return np.asarray(1.0 / (1.0 + np.exp(-self._log_odds(raw))))

    def interval(self, raw: ArrayLike) -> tuple[Float, Float]:
        """Return the interval of the hit rate of later items with such scores.

        It is an interval of the share of hits that controls of 200 later items with
        about this score would find, and holds it with a probability of 90 %. It is no
        interval for one item, which is a hit or none. Its width has four parts: what is
        not known of slope and level, the level that moves from one block of time to the
        next, items of one score that are not equally risky, and the noise of 200
        controls.

        Parameters
        ----------
        raw : array-like of shape (n_items,)
            Raw scores, log-odds.

        Returns
        -------
        lower, upper : ndarray of shape (n_items,)
            ``0 <= lower <= probability <= upper <= 1``.
        """
        raw = np.clip(np.asarray(raw, np.float64), -_LARGEST, _LARGEST)
        centre = self._log_odds(raw)
        variance = (
            self.variance_slope * raw * raw
            + 2.0 * self.covariance * raw
            + self.variance_intercept
            + self.drift**2
            + _TRANSFER**2
        )
        z = float(ndtri(0.5 + CONFIDENCE / 2))
        reach = z * np.sqrt(np.maximum(variance, 0.0))
        rate, low, high = expit(centre), expit(centre - reach), expit(centre + reach)
        lower = rate - np.hypot(rate - low, z * np.sqrt(low * (1 - low) / GROUP))
        upper = rate + np.hypot(high - rate, z * np.sqrt(high * (1 - high) / GROUP))
        probability = self.apply(raw)
        return (
            np.clip(lower, 0.0, probability),
            np.clip(upper, probability, 1.0),
        )

    def to_plain(self) -> dict[str, float]:
        """Return the numbers by name, for JSON.

        Returns
        -------
        plain : dict of str to float
            As `from_plain` takes it.
        """
        return {name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Restore a map from its numbers.

        Parameters
        ----------
        plain : mapping of str to float
            As from `to_plain`; what is absent takes its default.

        Returns
        -------
        calibration : ScoreCalibration
            Equal to the one that was saved.

        Raises
        ------
        ArgumentError
            If a name is unknown, a number is not finite, or the slope is not above 0.
        """
        known = {field.name for field in fields(cls)}
        numbers = {
            name: value
            for name, value in plain.items()
            if name in known and not isinstance(value, bool)
            if isinstance(value, int | float) and math.isfinite(value)
        }
        wrong = sorted(str(name) for name in plain if name not in numbers)
        if "slope" in numbers and numbers["slope"] <= 0:
            wrong.append("slope")
        if wrong:
            raise ArgumentError(
                "models.calibration_numbers",
                "ScoreCalibration.from_plain: {names} is unknown or no number that "
                "such a map has.",
                names=", ".join(wrong),
            )
        return cls(**{name: float(value) for name, value in numbers.items()})

    def _log_odds(self, raw: ArrayLike) -> Float:
        """Return the calibrated log-odds, cut where a float no longer holds them."""
        cut = np.clip(np.asarray(raw, np.float64), -_LARGEST, _LARGEST)
        return np.clip(self.slope * cut + self.intercept, -_FURTHEST, _FURTHEST)


def fit_calibration(
    raw: ArrayLike,
    hits: ArrayLike,
    *,
    block: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    steeper: float = 1.0,
) -> ScoreCalibration:
    r"""Fit slope and level of the log-odds on scores of items not learned from.

    Parameters
    ----------
    raw : array-like of shape (n_items,)
        Raw scores, log-odds, of items that the scoring model has not learned from.
    hits : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    block : array-like of shape (n_items,), default=None
        Blocks of time, numbers that grow; None for one block. The map has the level of
        the latest, as far as its items show it.
    weights : array-like of shape (n_items,), default=None
        How many items each one counts for, not negative; None for 1.
    steeper : float, default=1.0
        Factor from the slope of these items to that of all items that the map is for.

    Returns
    -------
    calibration : ScoreCalibration
        Finite, with a slope above 0, whatever the scores and the hits.

    Raises
    ------
    ArgumentError
        If lengths differ, or an entry is missing, infinite, or no hit or none.

    Warns
    -----
    DataQualityWarning
        If the fitted map would be constant or turn the order around: the slope is held
        at its bound and the level alone is fitted. If the scores are no log-odds, so
        that the map would be saturated: they are scaled first.

    Notes
    -----
    With block :math:`b_i` of item :math:`i` and the mean :math:`c` of the scores, the
    model is

    .. math::
        \mathrm{logit}\,p_i = c + s\,(r_i - c) + a_{b_i},\quad
        s \sim N(1, 1/300),\quad a_1 \sim N(0, 0.2^2),\quad
        a_b \sim N(a_{b-1}, \tau^2)

    so that few hits leave the raw scores nearly as they are, and many decide. The slope
    of the map is :math:`s` times `steeper`, around :math:`c`. The step
    :math:`\tau` is averaged over seven values by their marginal likelihood (Laplace's
    approximation). The negative log-posterior is convex; Newton's method with a line
    search finds its minimum from anywhere (Boyd and Vandenberghe 2004, section 9.5).

    References
    ----------
    Platt, J. (1999). Probabilistic outputs for support vector machines. Boyd, S. and
    Vandenberghe, L. (2004). Convex optimization. Cambridge University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import fit_calibration
    >>> rng = np.random.default_rng(0)
    >>> raw = rng.normal(-3, 1, size=5000)
    >>> hits = rng.random(5000) < 1 / (1 + np.exp(-(raw + 1)))
    >>> calibration = fit_calibration(raw, hits)
    >>> round(calibration.slope, 1), round(float(calibration.apply(-1.0)), 1)
    (1.0, 0.5)
    """
    scores, target, blocks, weight = _read(raw, hits, block, weights)
    if not weight.sum() > 0:
        return ScoreCalibration()
    middle, scale = _scale_of(scores)
    scaled = np.clip(scale * (scores - middle), -_FURTHEST, _FURTHEST)
    is_odds = scale == 1.0 and middle == 0.0
    level = _LEVEL if is_odds else _FREE_LEVEL
    problem = _Problem.make(scaled, target, blocks, weight, level)
    fitted = _average(problem, None)
    slope = 1.0 + fitted.mean[0]
    held = min(max(slope, _LEAST_SLOPE), _MOST_SLOPE)
    if held != slope:
        _warn_of_slope(slope, held, float((weight * target).sum()))
        fitted = _average(problem, held - 1.0)
        slope = held
    slope *= steeper
    # From the level at the centre of scaled scores to the intercept of raw ones.
    turn = np.array([[scale, 0.0], [-problem.centre - scale * middle, 1.0]])
    turn[:, 0] *= steeper
    spread = turn @ fitted.covariance @ turn.T
    intercept = fitted.mean[1] - (slope - 1.0) * problem.centre
    return ScoreCalibration(
        slope=float(slope * scale),
        intercept=float(intercept - slope * scale * middle),
        n_items=float(weight.sum()),
        n_hits=float((weight * target).sum()),
        variance_slope=float(spread[0, 0]),
        covariance=float(spread[0, 1]),
        variance_intercept=float(spread[1, 1]),
        drift=float(fitted.drift),
    )


def steepness_of_all(n_hits: float, inspected_share: float) -> float:
    """Return how much steeper the truth of all items is than results of the inspected.

    Parameters
    ----------
    n_hits : float
        Hits that the scoring model learned from.
    inspected_share : float
        Share of all items whose result is known. At 1 nothing was selected.

    Returns
    -------
    steeper : float
        Factor on the slope of log-odds, from 1 to 1.5.
    """
    factor = min(max((n_hits / _AS_STEEP) ** _POWER, 1.0), _STEEPEST)
    return float(factor ** (1.0 - inspected_share))


class _Fitted(NamedTuple):
    """Change of the slope and latest level: mean, covariance, and drift to come."""

    mean: Float
    covariance: Float
    drift: float


@dataclass(frozen=True)
class _Problem:
    """The items of a fit, with the scores apart from their centre.

    The first of `theta` is the change of the slope from 1.
    """

    raw: Float
    apart: Float
    hits: Float
    block: NDArray[np.intp]
    weight: Float
    centre: float
    n_blocks: int
    level: float

    @classmethod
    def make(
        cls,
        raw: Float,
        hits: Float,
        block: NDArray[np.intp],
        weight: Float,
        level: float,
    ) -> _Problem:
        """Return the problem; its centre is the mean by information."""
        q = expit(raw)
        share = weight * q * (1.0 - q)
        centre = float((share * raw).sum() / share.sum())
        return cls(
            raw,
            raw - centre,
            hits,
            block,
            weight,
            centre,
            int(block.max()) + 1,
            level,
        )

    def prior(self, drift: float) -> Float:
        """Return the precision of slope and levels before any item."""
        size = self.n_blocks + 1
        precision = np.zeros((size, size))
        precision[0, 0] = _PULL
        precision[1, 1] = self.level**-2
        for k in range(1, self.n_blocks):
            precision[k : k + 2, k : k + 2] += np.array([[1, -1], [-1, 1]]) / drift**2
        return precision

    def loss(self, theta: Float, precision: Float) -> float:
        """Return the negative log-posterior."""
        odds = self.raw + theta[0] * self.apart + theta[1:][self.block]
        fit = np.logaddexp(0.0, odds) - self.hits * odds
        return float((self.weight * fit).sum() + theta @ precision @ theta / 2.0)

    def slopes(self, theta: Float, precision: Float) -> tuple[Float, Float]:
        """Return gradient and curvature of `loss`."""
        p = expit(self.raw + theta[0] * self.apart + theta[1:][self.block])
        error = self.weight * (p - self.hits)
        bend = self.weight * p * (1.0 - p)
        gradient = precision @ theta
        gradient[0] += error @ self.apart
        gradient[1:] += np.bincount(self.block, error, self.n_blocks)
        curvature = precision.copy()
        curvature[0, 0] += (bend * self.apart) @ self.apart
        cross = np.bincount(self.block, bend * self.apart, self.n_blocks)
        curvature[0, 1:] += cross
        curvature[1:, 0] += cross
        diagonal = np.arange(1, self.n_blocks + 1)
        curvature[diagonal, diagonal] += np.bincount(self.block, bend, self.n_blocks)
        return gradient, curvature


def _minimum(
    problem: _Problem, drift: float, held: float | None
) -> tuple[Float, Float, float]:
    """Return the most probable values, their covariance, and the log-evidence."""
    precision = problem.prior(drift)
    theta = np.zeros(problem.n_blocks + 1)
    first = 0
    if held is not None:
        theta[0], first = held, 1
    value = problem.loss(theta, precision)
    for _ in range(200):
        gradient, curvature = problem.slopes(theta, precision)
        step = np.zeros_like(theta)
        step[first:] = -np.linalg.solve(curvature[first:, first:], gradient[first:])
        gain = float(-gradient @ step)
        if gain < 1e-10:
            break
        length = 1.0
        while (new := problem.loss(theta + length * step, precision)) > (
            value - 1e-4 * length * gain
        ) and length > 1e-10:
            length /= 2.0
        if new >= value:  # nothing left that a float can show
            break
        theta, value = theta + length * step, new
    curvature = problem.slopes(theta, precision)[1]
    evidence = (
        -value
        + np.linalg.slogdet(precision)[1] / 2.0
        - np.linalg.slogdet(curvature)[1] / 2.0
    )
    covariance: Float = np.asarray(np.linalg.inv(curvature), np.float64)
    return theta, covariance, float(evidence)


def _average(problem: _Problem, held: float | None) -> _Fitted:
    """Return the mean over the steps of the level, by how well each explains them."""
    found = [_minimum(problem, drift, held) for drift in _DRIFTS]
    steps = np.array(_DRIFTS)
    # The grid is even in the logarithm: an exponential density there is step * exp(.).
    evidence = np.array([f[2] for f in found]) + np.log(steps) - steps / _USUAL_DRIFT
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    ends = [0, problem.n_blocks]
    values = np.array([theta[ends] for theta, _, _ in found])
    mean = share @ values
    apart = values - mean
    inner = np.array([covariance[np.ix_(ends, ends)] for _, covariance, _ in found])
    covariance = np.einsum("k,kij->ij", share, inner)
    covariance += np.einsum("k,ki,kj->ij", share, apart, apart)
    return _Fitted(mean, covariance, math.sqrt(share @ steps**2))


def _scale_of(raw: Float) -> tuple[float, float]:
    """Return what is taken off raw scores and then multiplied: 0 and 1 for log-odds."""
    low, middle, high = np.quantile(raw, [0.05, 0.5, 0.95])
    spread = float(high - low)
    if spread <= _WIDEST and abs(middle) <= _WIDEST:
        return 0.0, 1.0
    scale = min(1.0, _WIDEST / spread) if spread > 0 else 1.0
    warnings.warn(
        DataQualityWarning(
            "models.calibration_scale",
            "fit_calibration: the raw scores (median {middle:.3g}, 5 % to 95 % "
            "quantile {spread:.3g} apart) are no log-odds, and as such all "
            "probabilities would be 0 or 1; their median was taken off and they were "
            "multiplied by {scale:.3g} before slope and level were fitted.",
            middle=float(middle),
            spread=spread,
            scale=scale,
        ),
        stacklevel=3,
    )
    return float(middle), scale


def _warn_of_slope(slope: float, held: float, n_hits: float) -> None:
    """Say that the fitted slope was refused, and what was done instead."""
    warnings.warn(
        DataQualityWarning(
            "models.calibration_slope",
            "fit_calibration: the scores of the latest items do not go with their "
            "{n_hits:.0f} hits (slope {slope:.2g}); the slope was held at {held:g}, "
            "which keeps the order of the scores, and only the level was fitted.",
            slope=slope,
            held=held,
            n_hits=n_hits,
        ),
        stacklevel=3,
    )


def _read(
    raw: ArrayLike,
    hits: ArrayLike,
    block: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[Float, Float, NDArray[np.intp], Float]:
    """Return the checked arguments; blocks are numbered from 0 in their order."""
    scores = np.asarray(raw, np.float64)
    target = np.asarray(hits, np.float64)
    weight = np.ones(len(target)) if weights is None else np.asarray(weights, float)
    blocks = np.zeros(len(target)) if block is None else np.asarray(block)
    if not scores.shape == target.shape == weight.shape == blocks.shape:
        raise ArgumentError(
            "models.calibration_lengths",
            "fit_calibration: raw, hits, block and weights have {lengths} entries; "
            "pass one per item.",
            lengths=", ".join(str(len(a)) for a in (scores, target, blocks, weight)),
        )
    bad = {
        "raw": int((~np.isfinite(scores)).sum()),
        "hits": int((~np.isin(target, (0.0, 1.0))).sum()),
        "weights": int((~(np.isfinite(weight) & (weight >= 0))).sum()),
    }
    if any(bad.values()):
        raise ArgumentError(
            "models.calibration_values",
            "fit_calibration: {counts} entries cannot be used; raw must be finite, "
            "hits 0 or 1, weights finite and not negative.",
            counts=", ".join(f"{n} of {name}" for name, n in bad.items() if n),
        )
    keep = weight > 0
    numbers = np.unique(blocks[keep], return_inverse=True)[1].astype(np.intp)
    scores = np.clip(scores, -_LARGEST, _LARGEST)
    return scores[keep], target[keep], numbers, weight[keep]
