"""What the baselines share: declarations by name, entities, smoothed hit rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import ArgumentError, TableError, format_values, suggest_nearest
from smartrisk.models._labels import LabelledClassifier, read_labels
from smartrisk.schema import DECLARATIONS, HS_LEVELS, TableInput
from smartrisk.tables import to_pandas

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_MATRIX = {"dtype": "numeric", "ensure_all_finite": "allow-nan"}


class Entities:
    """Columns of a frame, and their combinations, as codes with a text for each.

    Parameters
    ----------
    frame : DataFrame
        Items; ``hs2``, ``hs4`` and ``hs6`` are read off ``tariff_code``.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._seen: dict[str, tuple[Int, list[str]]] = {}

    def has(self, names: Sequence[str]) -> bool:
        """Return whether every column of a combination is present."""
        return all(source(name) in self._frame.columns for name in names)

    def key(self, names: Sequence[str]) -> tuple[Int, list[str]]:
        """Return codes (-1 where a part is missing) and the text of each code."""
        codes, texts = self._one(names[0])
        for name in names[1:]:
            other, more = self._one(name)
            width = max(len(more), 1)
            whole = (codes >= 0) & (other >= 0)
            found, unique = pd.factorize(codes[whole] * width + other[whole])
            codes = np.full(len(whole), -1, np.int64)
            codes[whole] = found
            # The unit separator is in no code or identity.
            texts = [f"{texts[u // width]}\x1f{more[u % width]}" for u in unique]
        return codes, texts

    def _one(self, name: str) -> tuple[Int, list[str]]:
        """Return codes and texts of one column, encoded once."""
        if name not in self._seen:
            self._seen[name] = self._encode(name)
        return self._seen[name]

    def _encode(self, name: str) -> tuple[Int, list[str]]:
        """Encode a column, or a level of the Harmonized System."""
        if name in HS_LEVELS:
            codes, texts = self._one("tariff_code")
            short, unique = pd.factorize(
                np.array([t[: HS_LEVELS[name]] for t in texts], object)
            )
            return np.append(short.astype(np.int64), -1)[codes], list(unique)
        codes, found = pd.factorize(self._frame[name])
        return codes.astype(np.int64, copy=False), [str(value) for value in found]


def source(name: str) -> str:
    """Return the declared column that a key column is read from."""
    return "tariff_code" if name in HS_LEVELS else name


def smoothed_rates(
    key: tuple[Int, list[str]], hits: Float, *, smoothing: float, prior: float
) -> dict[str, float]:
    """Return (hits + prior x smoothing) / (inspections + smoothing) of each entity."""
    codes, texts = key
    known = codes >= 0
    n = np.bincount(codes[known], minlength=len(texts))
    found = np.bincount(codes[known], weights=hits[known], minlength=len(texts))
    rate = (found + prior * smoothing) / (n + smoothing)
    return dict(zip(texts, rate.tolist(), strict=True))


def look_up(
    key: tuple[Int, list[str]], table: Mapping[str, float], unseen: float
) -> Float:
    """Return the number of each item's entity; `unseen` where missing or new."""
    codes, texts = key
    # The last place answers code -1.
    values = np.array([*(table.get(text, unseen) for text in texts), unseen])
    return values[codes]


def declared_columns(profiles: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the declared columns that profiles are read from, each once."""
    return tuple(dict.fromkeys(source(name) for p in profiles for name in p))


def numbers(values: pd.Series) -> Float:
    """Return a numeric column as float, missing as NaN."""
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


class DeclarationClassifier(LabelledClassifier, BaseEstimator):
    """Base of the baselines: a two-class estimator that takes declarations."""

    def fit(self, X: TableInput | ArrayLike, y: ArrayLike) -> Self:
        """Learn from the inspected items.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS, or a plain numeric matrix.
        y : array-like of shape (n_items,)
            Two classes, the hit the greater one; items whose label is missing (NaN)
            were not inspected and are left out.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        self._check_params()
        X = to_pandas(X)
        frame = self._check_fit_input(X, y)
        labels, known = read_labels(type(self).__name__, frame, y)
        if known is not None:
            frame = frame[known]
        check_classification_targets(labels)
        if type_of_target(labels) == "multiclass":
            raise ArgumentError(
                "models.more_than_two_classes",
                "Only binary classification is supported. {owner}: y has "
                "{n_classes} classes; pass 1 for a hit and 0 for none.",
                owner=type(self).__name__,
                n_classes=len(np.unique(labels)),
            )
        self.classes_, target = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                "models.one_class_only",
                "{owner}: y holds one class only ({label!r}); at least one "
                "hit and one inspection without a hit are needed.",
                owner=type(self).__name__,
                label=self.classes_[0].item(),
            )
        self._learn(frame, target.astype(np.float64))
        return self

    def predict_proba(self, X: TableInput | ArrayLike) -> Float:
        """Return the probability of no hit and of a hit.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS, with the columns used in fit, in any order.

        Returns
        -------
        proba : ndarray of shape (n_items, 2)
            Columns follow `classes_`.
        """
        check_is_fitted(self, "classes_")
        hit = self._score(self._check_later_input(to_pandas(X)))
        return np.column_stack([1.0 - hit, hit])

    def predict(self, X: TableInput | ArrayLike) -> NDArray[Any]:
        """Return the likelier class of each item.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS, with the columns used in fit, in any order.

        Returns
        -------
        label : ndarray of shape (n_items,)
            One of `classes_`.
        """
        hit = self.predict_proba(X)[:, 1]
        label: NDArray[Any] = self.classes_[(hit > 0.5).astype(int)]
        return label

    def __sklearn_tags__(self) -> Any:
        """Return what input the classifier takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = self._poor
        return tags

    #: Whether a frame with any field of DECLARATIONS must have the required ones. False
    #: for a class that names the few columns that it reads.
    _needs_table = True
    #: For scikit-learn's checks: the class is not made to separate clouds of points.
    _poor = True

    def _check_fit_input(self, X: Any, y: Any) -> pd.DataFrame:
        """Check the input of fit; return declarations, or a matrix as a frame."""
        self._declared = isinstance(X, pd.DataFrame) and (
            DECLARATIONS.matches(X.columns, owner=type(self).__name__)
            if self._needs_table
            else any(name in DECLARATIONS for name in X.columns)
        )
        if not self._declared:
            if y is None:
                validate_data(self, X, y, **_MATRIX)  # raises as scikit-learn does
            return pd.DataFrame(validate_data(self, X, **_MATRIX))
        frame: pd.DataFrame = X
        validate_data(self, frame, y, skip_check_array=True)
        self._check_size(frame)
        return frame

    def _check_later_input(self, X: Any) -> pd.DataFrame:
        """Check the input of prediction against what fit has used."""
        if not self._declared:
            return pd.DataFrame(validate_data(self, X, reset=False, **_MATRIX))
        owner = type(self).__name__
        if not isinstance(X, pd.DataFrame):
            raise TableError(
                "models.not_a_frame",
                "{owner}: it was fitted on a frame of declarations, so X must be one; "
                "got {kind}.",
                owner=owner,
                kind=type(X).__name__,
            )
        missing = [name for name in self._used if name not in X.columns]
        if missing:
            raise TableError(
                "models.columns_of_fit_missing",
                "{owner}: columns used in fit are missing: {columns}. Add them; a "
                "column without values is allowed.",
                owner=owner,
                columns=format_values(missing),
            )
        self._check_size(X)
        return X

    def _check_size(self, X: pd.DataFrame) -> None:
        """Raise when there is no item, with the text that scikit-learn checks."""
        if not len(X):
            raise TableError(
                "models.no_items",
                "{owner}: Found array with 0 sample(s); at least one item is needed.",
                owner=type(self).__name__,
            )

    def _need(self, frame: pd.DataFrame, name: str) -> Any:
        """Return the name of a declared column, or the first of a plain matrix."""
        if not self._declared:
            return frame.columns[0]
        if name not in frame.columns:
            raise TableError(
                "models.column_missing",
                "{owner}: X has no column {column!r}.{hint} Map it with "
                "smartrisk.schema.ColumnMap, or use another baseline.",
                owner=type(self).__name__,
                column=name,
                hint=suggest_nearest(name, frame.columns),
            )
        return name

    def _check_params(self) -> None:
        """Raise when a parameter is outside what is allowed."""

    #: Declared columns that prediction needs again.
    _used: tuple[str, ...] = ()

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Learn from items and their hits."""

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return the probability of a hit of each item."""
        raise NotImplementedError
