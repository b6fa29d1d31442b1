"""The shape that every feature transformer has."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import LeakageError, TableError, format_values
from smartrisk.features._columns import Columns
from smartrisk.features._info import FeatureInfo
from smartrisk.features._results import Results, from_labels, item_ids, match

Matrix = NDArray[np.float32]

#: Columns of OUTCOMES that would betray a result if offered as declared.
_KNOWN_LATER = (
    "illicit",
    "offence",
    "revenue_adjustment",
    "assessed_value",
    "known_at",
    "inspected_at",
    "officer_id",
    "channel",
)


def is_declarations(X: Any) -> bool:
    """Tell whether X is a frame with declared items (else it is plain numbers)."""
    return (
        isinstance(X, pd.DataFrame)
        and "lodged_at" in X.columns
        and "tariff_code" in X.columns
    )


class DeclarationTransformer(TransformerMixin, BaseEstimator):
    """Base of transformers from DECLARATIONS to a matrix of features.

    A frame with `lodged_at` and `tariff_code` is read as declarations. Any other
    two-dimensional numeric input is passed through unchanged, so that the
    transformers keep scikit-learn's contract in any pipeline.
    """

    label_delay: int = 30

    def fit(
        self, X: Any, y: Any = None, *, outcomes: pd.DataFrame | Results | None = None
    ) -> Self:
        """Learn the history of the items in X.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        y : array-like of shape (n_items,), default=None
            1 hit, 0 no hit, NaN not inspected; known `label_delay` days after
            lodgement. None when there are no results or `outcomes` is given.
        outcomes : DataFrame or Results, default=None
            OUTCOMES of the inspected items, joined by key; or joined already.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._check_params()
        if not is_declarations(X):
            validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan")
            self.declared_ = False
            self.feature_info_ = [
                FeatureInfo(
                    name=str(name), fields=(str(name),), concept="", statistic="value"
                )
                for name in self._plain_names()
            ]
            return self
        self._enter(X, reset=True)
        columns = Columns(X)
        self.declared_ = True
        self._learn(columns, self._results(X, y, outcomes, columns))
        self.feature_info_ = self._describe()
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, outcomes: pd.DataFrame | None = None
    ) -> Any:
        """Learn the history of items and return their features.

        The same bits as ``fit(X).transform(X)``, with the sorting done once.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        y : array-like of shape (n_items,), default=None
            As in `fit`.
        outcomes : DataFrame, default=None
            As in `fit`.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            Features of the items.
        """
        if not is_declarations(X):
            return self.fit(X, y).transform(X)
        self._check_params()
        self._enter(X, reset=True)
        columns = Columns(X, keep=len(X) > 1)
        self.declared_ = True
        self._learn(columns, self._results(X, y, outcomes, columns))
        self.feature_info_ = self._describe()
        return self._matrix(columns)

    def update(self, X: pd.DataFrame, *, outcomes: pd.DataFrame | None = None) -> Self:
        """Add items and results to the history without learning anything else anew.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Items that the history has not seen.
        outcomes : DataFrame, default=None
            Results of items in X.

        Returns
        -------
        self : object
            The transformer, its history moved on.
        """
        check_is_fitted(self, "declared_")
        self._enter(X, reset=False)
        columns = Columns(X)
        self._extend(columns, self._results(X, None, outcomes, columns))
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of items, each as of its own day of lodgement.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            Features; a frame when ``set_output(transform="pandas")`` was called.
        """
        check_is_fitted(self, "declared_")
        if not self.declared_:
            return validate_data(
                self,
                X,
                reset=False,
                dtype="numeric",
                ensure_all_finite="allow-nan",
            )
        self._enter(X, reset=False)
        return self._matrix(Columns(X))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns, checked when given.

        Returns
        -------
        names : ndarray of str objects
            One name per column of the matrix.
        """
        check_is_fitted(self, "declared_")
        if not self.declared_:
            return np.asarray(self._plain_names(input_features), dtype=object)
        return np.asarray([info.name for info in self.feature_info_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say what input is taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _plain_names(self, given: Any = None) -> list[str]:
        from sklearn.utils.validation import _check_feature_names_in

        return [str(name) for name in _check_feature_names_in(self, given)]

    def _enter(self, X: Any, *, reset: bool) -> None:
        """Check the columns of declared items."""
        if not isinstance(X, pd.DataFrame):
            raise TableError(
                "features.fitted_declarations_frame_so",
                "{self_type}: fitted on a declarations frame, so X must be one; "
                "got {X_type}.",
                self_type=type(self).__name__,
                X_type=type(X).__name__,
            )
        late = [name for name in _KNOWN_LATER if name in X.columns]
        if late:
            raise LeakageError(
                "features.columns_known_only_after",
                "{self_type}: columns known only after the control cannot be "
                "features: {late}. Drop them from X and pass results as 'outcomes'.",
                self_type=type(self).__name__,
                late=format_values(late),
            )
        if not len(X):
            raise TableError(
                "features.found_array_sample_item",
                "{self_type}: Found array with 0 sample(s); at least one item is "
                "needed.",
                self_type=type(self).__name__,
            )
        if reset:
            validate_data(self, X, skip_check_array=True)
            return
        gone = [
            name
            for name in self.feature_names_in_
            if name not in X.columns and not str(name).startswith("dq_")
        ]
        if gone:
            raise TableError(
                "features.columns_seen_fit_missing",
                "{self_type}: {n_gone} columns seen in fit are missing: {gone}. "
                "Add them; a column without values is allowed.",
                self_type=type(self).__name__,
                n_gone=len(gone),
                gone=format_values(gone),
            )

    def _results(
        self, X: pd.DataFrame, y: Any, outcomes: Any, columns: Columns
    ) -> Results | None:
        if isinstance(outcomes, Results):  # joined already
            return outcomes
        if outcomes is not None:
            return match(item_ids(X), outcomes, columns.day, self.label_delay)
        if y is None:
            return None
        labels = np.asarray(y, np.float64).ravel()
        if len(labels) != len(X):
            raise TableError(
                "features.items",
                "{self_type}: X has {n_X} items, y has {n_labels}.",
                self_type=type(self).__name__,
                n_X=len(X),
                n_labels=len(labels),
            )
        return from_labels(labels, columns.day, self.label_delay)

    def _matrix(self, columns: Columns) -> Matrix:
        out = np.empty((columns.n, len(self.feature_info_)), np.float32, order="F")
        self._compute(columns, out)
        return out

    def _check_params(self) -> None:
        """Raise when a parameter is outside what is allowed."""

    def _learn(self, columns: Columns, results: Results | None) -> None:
        """Learn from items and results."""

    def _extend(self, columns: Columns, results: Results | None) -> None:
        """Add items and results to what was learned."""

    def _describe(self) -> list[FeatureInfo]:
        raise NotImplementedError

    def _compute(self, columns: Columns, out: Matrix) -> None:
        raise NotImplementedError
