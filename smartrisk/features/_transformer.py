"""The base class of every feature transformer."""

from __future__ import annotations

import copy
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import (
    LeakageError,
    TableError,
    check_number,
    format_values,
)
from smartrisk.features._changes import Change, ResultEntries
from smartrisk.features._columns import Columns
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._feature_matrix import FeatureMatrix
from smartrisk.features._item_results import (
    ItemResults,
    check_same_items,
    join_results,
    join_results_of_labelled,
    read_labels,
    results_from_labels,
)
from smartrisk.features._one_item import OneItem
from smartrisk.features._sum_tables import SumTable
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import DECLARATIONS, KEY, OUTCOMES, TableInput
from smartrisk.tables import read_table, to_pandas

Matrix = NDArray[np.float32]

#: Columns of OUTCOMES that would reveal a result if they were passed as declared.
_KNOWN_LATER = tuple(name for name in OUTCOMES.names if name not in KEY)


def is_declarations(owner: str, X: object) -> bool:
    """Return whether X is a frame of declared items and not plain numbers.

    A frame with any field of DECLARATIONS counts as declarations and must have the
    required fields.
    """
    if not isinstance(X, pd.DataFrame):
        return False
    return DECLARATIONS.matches(X.columns, owner=owner)


class DeclarationTransformer(TransformerMixin, BaseEstimator):
    """Base of transformers from DECLARATIONS to a matrix of features.

    A frame that has any field of DECLARATIONS is read as declarations and must have
    the required ones. Any other two-dimensional numeric input is passed through
    unchanged, so that the transformers keep scikit-learn's contract in any pipeline.
    """

    label_delay: int = 30

    def fit(
        self,
        X: TableInput | ArrayLike,
        y: ArrayLike | None = None,
        *,
        outcomes: TableInput | ItemResults | None = None,
    ) -> Self:
        """Learn the history of the items in X.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        y : array-like of shape (n_items,), default=None
            1 hit, 0 no hit, NaN not inspected; known `label_delay` days after
            lodgement where `outcomes` is not given. None when there are no results, or
            for `outcomes` alone.
        outcomes : DataFrame or ItemResults, default=None
            OUTCOMES of the inspected items, joined by key; or what `join_results`
            made of them. With `y`, results of items that are not in X are left out,
            so that each fold of a cross-validation counts its own; every labelled item
            must have its result.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        TableError
            If X has fields of DECLARATIONS but lacks a required one, a result has no
            item, or a labelled item no result.
        LeakageError
            If X has a column that is known only after the control.
        """
        self._check_params()
        X = to_pandas(X)
        if not is_declarations(type(self).__name__, X):
            validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan")
            self.declared_ = False
            self.feature_info_ = [
                FeatureInfo(
                    name=str(name), fields=(str(name),), concept="", statistic="value"
                )
                for name in self._plain_names()
            ]
            return self
        self._learn_items(X, y, outcomes, keep=False)
        return self

    def fit_transform(
        self,
        X: TableInput | ArrayLike,
        y: ArrayLike | None = None,
        *,
        outcomes: TableInput | ItemResults | None = None,
    ) -> Any:
        """Learn the history of items and return their features.

        Bit-identical to ``fit(X).transform(X)``, with the sorting done once.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        y : array-like of shape (n_items,), default=None
            As in `fit`.
        outcomes : DataFrame or ItemResults, default=None
            As in `fit`.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            Features of the items, as from `transform`.
        """
        X = to_pandas(X)
        if not is_declarations(type(self).__name__, X):
            return self.fit(X, y).transform(X)
        self._check_params()
        return self._describe_items(self._learn_items(X, y, outcomes, keep=True))

    def update(
        self,
        X: TableInput,
        *,
        outcomes: TableInput | ItemResults | None = None,
    ) -> Self:
        """Add items and results to the history; nothing else is learned again.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Items that are not in the history.
        outcomes : DataFrame or ItemResults, default=None
            Results of items in X.

        Returns
        -------
        self : object
            The transformer with the longer history.
        """
        check_is_fitted(self, "declared_")
        X = read_table(type(self).__name__, "X", X)
        self._check_columns(X, reset=False)
        columns = Columns(X)
        results = self._results(X, None, outcomes, columns)
        entries = (
            None if results is None else ResultEntries.from_results(columns, results)
        )
        return self._change_whole(Change(added=columns, results=entries))

    def apply(self, change: Change) -> Self:
        """Return a transformer with another history; this one stays as it is.

        Parameters
        ----------
        change : Change
            What comes and what goes.

        Returns
        -------
        changed : object
            It shares what did not change.
        """
        copied = self.copy()
        copied._extend(change)
        return copied

    def _change_whole(self, change: Change) -> Self:
        """Change the history of this transformer, all of it or nothing."""
        changed = self.apply(change)
        self.__dict__.update(vars(changed))
        return self

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name.

        Returns
        -------
        blocks : dict of str to SumTable
            Sums by identity and day.
        """
        return {}

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return from which columns the tables of the history are made.

        Returns
        -------
        codes, numbers : set of str
            Columns of keys, and columns of numbers.
        """
        return set(), set()

    def copy(self) -> Self:
        """Return a transformer whose history grows on its own.

        Returns
        -------
        copied : object
            It shares the tables of the history, which are replaced and never changed:
            an `update` of either leaves the other as it is.
        """
        copied = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (list, dict)):
                setattr(copied, name, copy.copy(value))
        return copied

    def transform(self, X: TableInput | ArrayLike) -> Any:
        """Return the features of items, each as of its own day of lodgement.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            Features, with `feature_info` and the `day` of each item as attributes for
            the model that follows in a pipeline; a frame without them when
            ``set_output(transform="pandas")`` was called.
        """
        check_is_fitted(self, "declared_")
        X = to_pandas(X)
        if not self.declared_:
            return validate_data(
                self,
                X,
                reset=False,
                dtype="numeric",
                ensure_all_finite="allow-nan",
            )
        self._check_columns(X, reset=False)
        return self._describe_items(Columns(cast(pd.DataFrame, X)))

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
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
        """Return what input the transformer takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _plain_names(self, given: ArrayLike | None = None) -> list[str]:
        """Return the names of a plain matrix, as scikit-learn makes them."""
        from sklearn.utils.validation import _check_feature_names_in

        return [str(name) for name in _check_feature_names_in(self, given)]

    def _learn_items(
        self,
        X: Any,
        y: ArrayLike | None,
        outcomes: TableInput | ItemResults | None,
        *,
        keep: bool,
    ) -> Columns:
        """Learn from declared items and return their columns.

        `keep` keeps the sorted order of the keys: the same items are looked up next.
        """
        self._check_columns(X, reset=True)
        columns = Columns(X, keep=keep and len(X) > 1)
        self.declared_ = True
        self._learn(columns, self._results(X, y, outcomes, columns))
        self.feature_info_ = self._describe()
        return columns

    def _check_columns(self, X: Any, *, reset: bool) -> None:
        """Check the columns of declared items; `reset` notes them for later calls."""
        owner = type(self).__name__
        if not isinstance(X, pd.DataFrame):
            raise TableError(
                "features.not_a_frame",
                "{owner}: it was fitted on a frame of declarations, so X must be "
                "one; got {kind}.",
                owner=owner,
                kind=type(X).__name__,
            )
        late = [name for name in _KNOWN_LATER if name in X.columns]
        if late:
            raise LeakageError(
                "features.columns_known_later",
                "{owner}: columns known only after the control cannot be "
                "features: {columns}. Drop them from X and pass results as 'outcomes'.",
                owner=owner,
                columns=format_values(late),
            )
        if not len(X):
            # "Found array with 0 sample(s)" is what scikit-learn's checks look for.
            raise TableError(
                "features.no_items",
                "{owner}: Found array with 0 sample(s); at least one item is needed.",
                owner=owner,
            )
        if reset:
            declared = X.drop(columns=SOURCE_ROW, errors="ignore")
            validate_data(self, declared, skip_check_array=True)
            return
        missing = [
            name
            for name in self.feature_names_in_
            if name not in X.columns and not str(name).startswith("dq_")
        ]
        if missing:
            raise TableError(
                "features.columns_of_fit_missing",
                "{owner}: {n_missing} columns seen in fit are missing: {columns}. "
                "Add them; a column without values is allowed.",
                owner=owner,
                n_missing=len(missing),
                columns=format_values(missing),
            )

    def _results(
        self,
        X: pd.DataFrame,
        y: ArrayLike | None,
        outcomes: TableInput | ItemResults | None,
        columns: Columns,
    ) -> ItemResults | None:
        """Return the results of items from a table or from labels."""
        owner = type(self).__name__
        if isinstance(outcomes, ItemResults):
            check_same_items(owner, outcomes, len(X))
            return outcomes
        outcomes = read_table(owner, "'outcomes'", outcomes)
        if y is None:
            if outcomes is None:
                return None
            return join_results(X, outcomes, label_delay=self.label_delay)
        labels = read_labels(owner, y, len(X))
        if outcomes is None:
            return results_from_labels(labels, columns.day, self.label_delay)
        return join_results_of_labelled(
            owner, X, labels, outcomes, label_delay=self.label_delay
        )

    def _matrix(self, columns: Columns, folder: Path | None = None) -> Matrix:
        """Return the features of encoded items; as a file of a folder, if one is given.

        Such a file is mapped into memory: the system writes it out where memory is
        short.
        """
        shape = (columns.n, len(self.feature_info_))
        out: Matrix
        if folder is None:
            out = np.empty(shape, np.float32, order="F")
        else:
            with NamedTemporaryFile(dir=folder, suffix=".bin", delete=False) as file:
                mapped = np.memmap(file, np.float32, "w+", shape=shape, order="F")
            out = np.asarray(mapped)
        self._compute(columns, out)
        return out

    def _describe_items(self, columns: Columns) -> FeatureMatrix:
        """Return the features of encoded items with what they are about."""
        values = self._matrix(columns)
        return FeatureMatrix.make(values, self.feature_info_, columns.day)

    def _check_params(self) -> None:
        """Raise when a parameter is outside what is allowed."""
        owner = type(self).__name__
        check_number(owner, "label_delay", self.label_delay, low=0, integer=True)

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Learn from items and results."""

    def _extend(self, change: Change) -> None:
        """Change what was learned of items and results."""

    def _describe(self) -> list[FeatureInfo]:
        """Return what each column of the matrix is about."""
        raise NotImplementedError

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Write the features of encoded items into `out`, one column each."""
        raise NotImplementedError

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return the features of a single item, bit-identical to `_compute`.

        A transformer that does it in plain numbers replaces this.
        """
        row: list[float] = self._matrix(item.columns)[0].tolist()
        return row
