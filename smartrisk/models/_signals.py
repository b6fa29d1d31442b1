"""Signals: a directed score that needs no result of any control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from smartrisk.errors import ArgumentError, check_number, check_sequence
from smartrisk.models._boosting import STATE_FILE, damaged_model
from smartrisk.models._labels import check_weights

Float = NDArray[np.float64]

#: Spreads beyond the usual value at which a signal stops to grow: a mistyped amount
#: that is a thousand times off must not outweigh everything else.
_CAP = 3.0
#: Median absolute deviation of a normal distribution times this is its standard
#: deviation.
_NORMAL = 1.4826
#: Log-odds of an item whose sum is the mean, and what a standard deviation adds to
#: them. With both, one item in 23 is expected to be irregular, an assumption; the slope
#: is what the truth of five scenarios gave (.6 to .9).
_LEVEL, _SLOPE = -3.5, 0.8
#: Hits, or results without one if these are fewer, at which the signals count as much
#: as the trees. In 23 samples of nine worlds with 8 to 62 hits, precision at 5 % was
#: .321 with 20, .310 with 10, .286 without signals and .306 with them alone.
_HALF = 20.0
#: Numbers of a saved state stay within this; it keeps products finite.
_MOST = 1e100


@dataclass(frozen=True, kw_only=True)
class SignalScore:
    """A weighted sum of what is unusual in a suspicious direction.

    Parameters
    ----------
    columns : tuple of int
        Positions of the features that are signals.
    weights : tuple of float
        Weight of each, with the sign of its suspicious direction.
    usual : tuple of float
        Median of each feature among the items learned from.
    spreads : tuple of float
        Spread of each around it.
    means : tuple of float
        Mean of each term, weight included, among the items learned from.
    deviation : float
        Standard deviation of the sum among them.
    n_features : int
        Features of the matrix.
    centre, spread, weight : float
        How the raw scores count in a blend: see `RiskClassifier`.

    Notes
    -----
    Of feature *j* of an item, ``z = (x - usual) / spread`` in the suspicious direction
    is cut to [0, 3] and counts with the absolute weight; a missing value counts as 0.
    The raw score is ``-3.5 + .8 * (sum - mean) / deviation``: it has the form of
    log-odds, but only its order is learned from the items; nothing says how many of
    them are irregular. What a feature adds is its own term minus the mean of that term,
    so that all add up exactly. No order of the items matters.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import SignalScore
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> score = SignalScore.learn(X, (-1.0, 0.0))
    >>> score.raw(np.array([[-3.0, 0.0], [3.0, 0.0]])).round(1).tolist()
    [0.0, -4.0]
    """

    columns: tuple[int, ...]
    weights: tuple[float, ...]
    usual: tuple[float, ...]
    spreads: tuple[float, ...]
    means: tuple[float, ...]
    deviation: float
    n_features: int
    centre: float = 0.0
    spread: float = 1.0
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Name among the members of a classifier."""
        return "signals"

    @property
    def n_trees(self) -> int:
        """There are none."""
        return 0

    @classmethod
    def learn(cls, X: ArrayLike, suspicion: Sequence[float]) -> Self:
        """Learn what is usual among items.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features of items, inspected or not; NaN is a missing value.
        suspicion : sequence of float, shape (n_features,)
            Weight of each feature: positive where high values are suspicious, negative
            where low ones are, 0 where neither is.

        Returns
        -------
        score : SignalScore
            Features without a weight, or with one value only, are no part of it.

        Raises
        ------
        ArgumentError
            If `suspicion` does not have one entry per feature.
        """
        matrix = np.asarray(X)
        owner = "SignalScore.learn"
        check_sequence(owner, "suspicion", suspicion, content="numbers")
        weights = np.asarray(suspicion, np.float64)
        if weights.shape != matrix.shape[1:]:
            raise _other_length(owner, weights.size, matrix.shape[1])
        columns, usual, spreads = [], [], []
        for column in np.flatnonzero(weights):
            middle, spread = _usual(matrix[:, column])
            if spread > 0:
                columns.append(int(column))
                usual.append(middle)
                spreads.append(spread)
        kept = tuple(float(weights[column]) for column in columns)
        cuts = _cut(matrix, _Scales.make(columns, kept, usual, spreads))
        return cls(
            columns=tuple(columns),
            weights=kept,
            usual=tuple(usual),
            spreads=tuple(spreads),
            means=tuple(_mean(cut) for cut in cuts.T),
            deviation=_deviation(_add(cuts, 0.0)) or 1.0,
            n_features=matrix.shape[1],
        )

    def raw(self, X: ArrayLike, n_threads: int = 1) -> Float:
        """Return the raw score of each item.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of `learn`.
        n_threads : int, default=1
            Not used; members that are trees have it.

        Returns
        -------
        raw : ndarray of shape (n_items,)
            In the form of log-odds.
        """
        return _add(self._terms(np.asarray(X)), _LEVEL)

    def contributions(self, X: ArrayLike, n_threads: int = 1) -> Float:
        """Return what each feature adds to the raw score.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of `learn`.
        n_threads : int, default=1
            As in `raw`.

        Returns
        -------
        contributions : ndarray of shape (n_items, n_features + 1)
            Each row sums to `raw`; the last column is the base value.
        """
        matrix = np.asarray(X)
        out = np.zeros((len(matrix), self.n_features + 1))
        out[:, -1] = _LEVEL
        out[:, list(self.columns)] = self._terms(matrix)
        return out

    def text(self) -> None:
        """Return no text: there are no trees."""
        return

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON.

        Returns
        -------
        plain : dict
            What `from_plain` reads.
        """
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
        return {"name": self.name, **plain}

    @classmethod
    def from_plain(cls, plain: Any, *, owner: str = "SignalScore.from_plain") -> Self:
        """Return the score that `to_plain` described.

        Parameters
        ----------
        plain : dict
            As from `to_plain`.
        owner : str, default="SignalScore.from_plain"
            Name of the calling function, for messages.

        Returns
        -------
        score : SignalScore
            Its raw scores are bit-identical.

        Raises
        ------
        ArtefactError
            If the values are not those of a score.
        """
        names = {"name", *(field.name for field in fields(cls))}
        if not isinstance(plain, Mapping) or set(plain) != names:
            raise damaged_model(owner, STATE_FILE, "its signals have other names")
        columns = plain["columns"]
        if not isinstance(columns, list):
            raise damaged_model(owner, STATE_FILE, "'columns' of its signals is odd")
        for name in ("weights", "usual", "spreads", "means"):
            _check_numbers(owner, name, plain[name], len(columns))
        single = [plain[k] for k in ("deviation", "spread", "centre", "weight")]
        _check_numbers(owner, "scale", single, len(single))
        spreads = [*plain["spreads"], *single[:2]]
        places = [*columns, plain["n_features"]]
        if not all(type(place) is int and place >= 0 for place in places):
            raise damaged_model(owner, STATE_FILE, "a position of a signal is odd")
        if min(spreads) <= 0 or not set(columns) <= set(range(places[-1])):
            raise damaged_model(owner, STATE_FILE, "a signal is out of range")
        if plain["name"] != "signals" or not 0 <= plain["weight"] <= 1:
            raise damaged_model(owner, STATE_FILE, "its signals have another weight")
        found: dict[str, Any] = {k: v for k, v in plain.items() if k != "name"}
        lists = ("columns", "weights", "usual", "spreads", "means")
        return cls(**found | {name: tuple(found[name]) for name in lists})

    @cached_property
    def _scales(self) -> _Scales:
        """The numbers of all signals as arrays."""
        return _Scales.make(self.columns, self.weights, self.usual, self.spreads)

    @cached_property
    def _offsets(self) -> Float:
        """The mean of each term."""
        return np.array(self.means, np.float64)

    def _terms(self, matrix: NDArray[Any]) -> Float:
        """Return what each signal adds, shape (n_items, n_signals)."""
        scale = _SLOPE / self.deviation
        return (_cut(matrix, self._scales) - self._offsets) * scale


def signals_share(n_hits: float, n_misses: float) -> float:
    """Return the weight of the signals beside trees that learned from these results.

    It is 1 without hits, or without others, and falls as either grows: nothing jumps
    when one result comes.
    """
    return _HALF / (_HALF + min(n_hits, n_misses))


def check_suspicion(owner: str, suspicion: Sequence[float], n_features: int) -> None:
    """Raise unless `suspicion` is empty or has a finite number for each feature."""
    check_sequence(owner, "suspicion", suspicion, content="numbers")
    if len(suspicion) not in (0, n_features):
        raise _other_length(owner, len(suspicion), n_features)
    for weight in suspicion:
        check_number(owner, "suspicion", weight)


def _other_length(owner: str, n_entries: int, n_features: int) -> ArgumentError:
    """Return the error of weights that are not those of the features."""
    return ArgumentError(
        "models.suspicion_of_other_length",
        "{owner}: 'suspicion' must have one entry per feature ({n_features}); got "
        "{n_entries}. Use 0 for a feature that is no signal.",
        owner=owner,
        n_features=n_features,
        n_entries=n_entries,
    )


def learn_signals(
    matrix: NDArray[Any], suspicion: Sequence[float], stated: Sequence[Any] | None
) -> SignalScore | None:
    """Return what is usual among items; None where nothing says what is suspicious.

    Parameters
    ----------
    matrix : ndarray of shape (n_items, n_features)
        Features of items, inspected or not.
    suspicion : sequence of float
        As in `SignalScore.learn`; empty for what the features state.
    stated : sequence of FeatureInfo or None
        What each feature is about.
    """
    check_suspicion("RiskClassifier", suspicion, matrix.shape[1])
    weights = [float(weight) for weight in suspicion]
    if not weights and stated is not None and len(stated) == matrix.shape[1]:
        weights = [float(info.suspicion) for info in stated]
    return SignalScore.learn(matrix, weights) if any(weights) else None


def has_one_class(
    matrix: NDArray[Any], y: ArrayLike, weights: NDArray[np.float64] | None
) -> bool:
    """Return whether the labels, of 0 and 1, do not hold both classes.

    Labels and weights are checked as where there are both.
    """
    labels = column_or_1d(y)
    check_consistent_length(matrix, labels)
    known = ~np.asarray(pd.isna(labels))
    if weights is not None and known.any():
        check_weights("RiskClassifier.fit", weights[known])
        known &= weights > 0
    found = set(labels[known].tolist())
    return found <= {0} or found <= {1}


def _usual(values: NDArray[Any]) -> tuple[float, float]:
    """Return the median of a feature and its spread, 0 where it has one value only.

    The spread is the median absolute deviation, made comparable with a standard
    deviation. Where more than half of the values are equal, as in a flag, it is the
    median distance of the others: a flag counts with its weight.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 0.0
    middle = float(np.median(known))
    distance = np.abs(known - middle)
    spread = _NORMAL * float(np.median(distance))
    if spread > 0:
        return middle, spread
    others = distance[distance > 0]
    return middle, float(np.median(others)) if len(others) else 0.0


class _Scales(NamedTuple):
    """Position, usual value, spread with the sign of suspicion, weight of signals."""

    columns: NDArray[np.intp]
    usual: Float
    spreads: Float
    weights: Float

    @classmethod
    def make(
        cls,
        columns: Sequence[int],
        weights: Sequence[float],
        usual: Sequence[float],
        spreads: Sequence[float],
    ) -> Self:
        """Return the numbers as arrays."""
        signed = np.array(weights, np.float64)
        return cls(
            np.array(columns, np.intp),
            np.array(usual, np.float64),
            np.array(spreads, np.float64) * np.sign(signed),
            np.abs(signed),
        )


def _cut(matrix: NDArray[Any], scales: _Scales) -> Float:
    """Return the cut, weighted distances in the suspicious direction; 0 if missing."""
    values = matrix[:, scales.columns].astype(np.float64)
    distance = (values - scales.usual) / scales.spreads
    cut = np.minimum(np.fmax(distance, 0.0), _CAP)  # fmax leaves out a missing value
    return np.asarray(cut * scales.weights)


def _add(terms: Float, start: float) -> Float:
    """Return the sum of the terms of each item, of one as of many in the same order."""
    total = np.full(len(terms), start)
    for place in range(terms.shape[1]):
        total += terms[:, place]
    return total


def _mean(values: Float) -> float:
    """Return a mean that does not depend on the order of the values."""
    return float(np.sort(values).mean()) if len(values) else 0.0


def _deviation(values: Float) -> float:
    """Return a standard deviation that does not depend on the order of the values."""
    return float(np.sort(values).std()) if len(values) else 0.0


def _check_numbers(owner: str, name: str, values: Any, count: int) -> None:
    """Raise unless there is one finite number for each signal."""
    if not isinstance(values, list) or len(values) != count:
        raise damaged_model(owner, STATE_FILE, f"{name!r} of its signals is no list")
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= _MOST:
            raise damaged_model(owner, STATE_FILE, f"{name!r} of a signal is {value!r}")
