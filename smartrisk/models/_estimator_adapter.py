"""What the adapters of classifiers and of regressors share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import has_fit_parameter

from smartrisk.errors import ArgumentError
from smartrisk.models._boosting import STATE_FILE, damaged_model
from smartrisk.models._rows import Float, Predict, last_step, steps_before, weigh_rows
from smartrisk.models._stored_estimators import (
    digest_estimator,
    dump_estimator,
    join_types,
    load_estimator,
    untrusted_types,
)

#: Items on which a fitted estimator is tried: does an item depend on its neighbours,
#: and is its raw output log-odds?
_TRIED = 64


class EstimatorAdapter:
    """What both adapters share: an estimator, its bytes, predictions of single items.

    Parameters
    ----------
    estimator : estimator
        Unfitted; it is cloned in fit and never changed.
    random_state : int, default=0
        Seed of the parts whose own `random_state` is None, so that fitting again gives
        the same model.
    """

    estimator_: Any
    n_features_in_: int

    def __init__(self, estimator: BaseEstimator, *, random_state: int = 0) -> None:
        self.estimator = estimator
        self.random_state = random_state
        self._size = 1
        self._center: Float = np.empty(0)
        self._dead: NDArray[np.bool_] = np.empty(0, bool)
        self._content: bytes | None = None
        self._digest = b""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.estimator!r})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether the parameters of its parts are included.

        Returns
        -------
        params : dict of str to object
            As the estimator itself returns them.
        """
        return dict(self.estimator.get_params(deep=deep))

    @property
    def center_(self) -> Float:
        """Mean of each feature in fit, shape (n_features,); 0 where all are missing."""
        return self._center

    def prepare(self, X: ArrayLike) -> Float:
        """Return what the estimator is asked about.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            In double precision. Features that no item of fit had are 0: nothing was
            learned of them, and some estimators cannot bin them.
        """
        matrix = np.array(X, np.float64, order="C")
        matrix[:, self._dead] = 0.0
        return matrix

    def content(self) -> bytes:
        """Return what decides the predictions, the same after saving and loading.

        Returns
        -------
        content : bytes
            A digest of the settings and of what was fitted, and which features count
            as 0; empty where nothing was fitted.
        """
        if self._content is None:
            return b""
        if not self._digest:
            self._digest = digest_estimator(self._content)
        return self._digest + np.packbits(self._dead).tobytes()

    def to_bytes(self, *, trusted: Iterable[str] = (), owner: str) -> bytes | None:
        """Return the fitted estimator as bytes that hold no code.

        Parameters
        ----------
        trusted : iterable of str, default=()
            Types besides those of the list that the caller will trust when loading.
        owner : str
            Name of the calling function, for error messages.

        Returns
        -------
        content : bytes or None
            As `skops.io` writes it; None where nothing was fitted.

        Raises
        ------
        ArgumentError
            If it holds a type that would not be trusted.
        """
        if self._content is None:
            return None
        unknown = untrusted_types(self._content, trusted)
        if unknown:
            raise ArgumentError(
                "models.type_not_listed",
                "{owner}: {name} holds objects of types that are not on the list of "
                "this library: {types}. Pass them as 'trusted' here and to "
                "RiskEngine.load if reading them is safe.",
                owner=owner,
                name=type(self.estimator_).__name__,
                types=join_types(unknown),
            )
        return self._content

    def fitted_state(self) -> dict[str, Any]:
        """Return what was learned besides the estimator, as plain values for JSON.

        Returns
        -------
        state : dict
            Mean of each feature, the features without any value, items at once.
        """
        return {
            "center": self._center.tolist(),
            "dead": np.flatnonzero(self._dead).tolist(),
            "n_at_once": self._size,
        }

    def _restore(
        self,
        content: bytes | None,
        state: dict[str, Any],
        trusted: Iterable[str],
        name: str,
    ) -> None:
        """Read the bytes and the plain values that were saved."""
        center, dead, size = state["center"], state["dead"], state["n_at_once"]
        _check_state(center, dead, size)
        self._content = content
        if content is not None:
            self.estimator_ = load_estimator(
                content, trusted=trusted, owner="RiskEngine.load", name=name
            )
        self._center = np.array(center, np.float64)
        self._dead = np.zeros(len(self._center), bool)
        self._dead[dead] = True
        self._size = size
        self.n_features_in_ = len(self._center)

    def _fit_estimator(
        self, X: NDArray[Any], y: NDArray[Any], time: ArrayLike | None
    ) -> Float:
        """Fit a clone; return some of the items to try it on."""
        n_seen = (~np.isnan(X)).sum(axis=0)
        self._dead = n_seen == 0
        matrix = self.prepare(X)
        self.n_features_in_ = matrix.shape[1]
        fitted = clone(self.estimator)
        seeds = {
            name: self.random_state
            for name, value in fitted.get_params(deep=True).items()
            if name.split("__")[-1] == "random_state" and value is None
        }
        fitted.set_params(**seeds)
        takes_time = time is not None and has_fit_parameter(fitted, "time")
        fitted.fit(matrix, y, **({"time": time} if takes_time else {}))
        self.estimator_ = getattr(fitted, "best_estimator_", fitted)
        self._content = dump_estimator(self.estimator_)
        self._center = np.nansum(matrix, axis=0) / np.maximum(n_seen, 1)
        return np.asarray(matrix[:: max(len(matrix) // _TRIED, 1)][:_TRIED])

    def _linear(self) -> Predict | None:
        """Return the sum of weighted features of a linear model; None for others."""
        model = last_step(self.estimator_)
        if not type(model).__module__.startswith("sklearn.linear_model."):
            return None
        weights = np.asarray(getattr(model, "coef_", ())).ravel().astype(np.float64)
        constant = np.asarray(getattr(model, "intercept_", 0.0)).ravel()
        if not len(weights) or len(constant) != 1:
            return None
        before = steps_before(self.estimator_)

        def predict(X: Float) -> Float:
            return weigh_rows(before(X), weights) + float(constant[0])

        return predict


def _check_state(center: Any, dead: Any, size: Any) -> None:
    """Raise unless saved values are those of `fitted_state`."""
    problem = None
    if not isinstance(center, list) or not isinstance(dead, list):
        problem = "it holds no lists"
    elif not all(type(k) is int and 0 <= k < len(center) for k in dead):
        problem = "a feature without values is none of them"
    elif not all(isinstance(v, float) and np.isfinite(v) for v in center):
        problem = "a mean is no number"
    elif type(size) is not int or size < 1:
        problem = "the number of items at once is none"
    if problem is not None:
        raise damaged_model("RiskEngine.load", STATE_FILE, problem)
