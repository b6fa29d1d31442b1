"""The matrix of features, with what a model may know about its columns and rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._feature_info import FeatureInfo


class FeatureMatrix(np.ndarray[Any, np.dtype[np.float32]]):
    """An array of features that says what its columns are and when its items came.

    `DeclarationFeatures.transform` returns one. `RiskClassifier` reads from it which
    features are codes, which may only raise the score, and which items are the latest,
    so that a pipeline of both needs no settings. Everything else sees a plain array.

    Attributes
    ----------
    feature_info : list of FeatureInfo or None
        What each column is about.
    day : ndarray of int64, shape (n_items,), or None
        Day of lodgement of each item, counted from 1900-01-01.

    Notes
    -----
    Both belong to the whole matrix: any part of it or computation with it has None.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures
    >>> items = make_declarations(n_items=300, random_state=0).declarations
    >>> matrix = DeclarationFeatures().fit_transform(items)
    >>> matrix.feature_info[0].name, matrix[:5].feature_info
    ('customs_value__log', None)
    """

    feature_info: list[FeatureInfo] | None = None
    day: NDArray[np.int64] | None = None

    @classmethod
    def make(
        cls,
        values: NDArray[np.float32],
        feature_info: list[FeatureInfo],
        day: NDArray[np.int64],
    ) -> Self:
        """Return a view of an array that knows its columns and rows.

        Parameters
        ----------
        values : ndarray of float32, shape (n_items, n_features)
            The features; they are not copied.
        feature_info : list of FeatureInfo
            What each column is about.
        day : ndarray of int64, shape (n_items,)
            Day of lodgement of each item.

        Returns
        -------
        matrix : FeatureMatrix
            The same numbers.
        """
        matrix = values.view(cls)
        matrix.feature_info, matrix.day = feature_info, day
        return matrix

    def __reduce__(self) -> Any:
        """Keep both in copies that other processes and caches get."""
        reduced: tuple[Any, ...] = tuple(super().__reduce__())
        return *reduced[:2], (reduced[2], self.feature_info, self.day)

    def __setstate__(self, state: Any) -> None:
        """Restore what `__reduce__` kept."""
        values, self.feature_info, self.day = state
        super().__setstate__(values)
