"""Folds in time for scikit-learn, with a gap in which results are not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_number,
    format_values,
    suggest_nearest,
)
from smartrisk.tables import is_foreign_table, to_pandas
from smartrisk.windows._moments import without_zone

Days = NDArray[np.int64]


class FoldIndices(np.ndarray[Any, np.dtype[np.int64]]):
    """Positions of the items of a fold, of which no part can be taken by position.

    A part of a training fold would be a history with holes: every feature of the items
    that remain would differ from what it was on the day. A mask may choose items, for
    instance those with a label, and what is computed from the positions is an array
    like any other.
    """

    _is_whole = False

    @classmethod
    def make(cls, inside: NDArray[np.bool_]) -> FoldIndices:
        """Return the positions of marked items."""
        positions = np.flatnonzero(inside).astype(np.int64, copy=False).view(cls)
        positions._is_whole = True
        return positions

    def __getitem__(self, key: Any) -> Any:
        """Return single positions, or those that a mask marks; refuse other parts."""
        if self._is_whole and _takes_a_part(key):
            raise _part_of_history()
        return np.asarray(self)[key]

    def __repr__(self) -> str:
        """Return the positions as those of any array."""
        return repr(np.asarray(self))

    def __array_wrap__(
        self, array: Any, context: Any = None, return_scalar: bool = False
    ) -> Any:
        """Return what is computed from positions as plain arrays and numbers."""
        return np.asarray(array)[()] if return_scalar else np.asarray(array)

    def take(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to take a part."""
        if self._is_whole:
            raise _part_of_history()
        return super().take(*args, **kwargs)


def _takes_a_part(key: Any) -> bool:
    """Return whether an index takes items by position: a slice, or several numbers."""
    if isinstance(key, tuple):
        return any(_takes_a_part(part) for part in key)
    if isinstance(key, slice):
        return True
    return np.ndim(key) > 0 and np.asarray(key).dtype != np.bool_


def _part_of_history() -> ArgumentError:
    """Return the error for a search that thins the items of a fold."""
    return ArgumentError(
        "windows.part_of_a_fold",
        "RollingOrigin: a part of a fold was asked for, as "
        "HalvingGridSearchCV(resource='n_samples') and learning_curve do. Items that "
        "are left out are missing in the history of all others, so the features would "
        "not be those of the day. Search with GridSearchCV, or let the halving spend a "
        "parameter: resource='riskclassifier__n_estimators', min_resources=50, "
        "max_resources=800. To choose positions yourself, use numpy.asarray(train).",
    )


class RollingOrigin(BaseEstimator):
    """Folds for scikit-learn: later windows are predicted from what was known before.

    The last windows of the items are the test folds, one after the other. Each training
    fold holds every item that was lodged `label_delay` days or more before its test
    fold begins: items whose results were known by then.

    Parameters
    ----------
    n_splits : int, default=5
        Number of test folds.
    test_days : int, default=30
        Days in each test fold.
    label_delay : int, default=30
        Days from lodgement until a result is known. Items lodged in the last
        `label_delay` days before a test fold are in neither part.
    time : str, default="lodged_at"
        Column of X that holds when each item was lodged.

    See Also
    --------
    rolling_origin : The same as tables, with each result dated by its `known_at`.
    smartrisk.evaluation.backtest : Refit and judge month after month, as in use.

    Notes
    -----
    Windows begin at midnight, so that no day is in two parts. The folds do not cover
    the early items, so `cross_val_predict` refuses them. The indices of a fold refuse
    to be cut by position: `HalvingGridSearchCV` works with a parameter as its resource.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.windows import RollingOrigin
    >>> items = make_declarations(1_000, random_state=0).declarations
    >>> train, test = next(RollingOrigin(n_splits=3).split(items))
    >>> gap = items["lodged_at"].iloc[test].min() - items["lodged_at"].iloc[train].max()
    >>> gap.days >= 30
    True
    """

    # The moments of items without such a column, where a caller passes groups.
    __metadata_request__split = {"groups": True}  # noqa: RUF012  scikit-learn reads it

    def __init__(
        self,
        n_splits: int = 5,
        *,
        test_days: int = 30,
        label_delay: int = 30,
        time: str = "lodged_at",
    ) -> None:
        self.n_splits = n_splits
        self.test_days = test_days
        self.label_delay = label_delay
        self.time = time

    def get_n_splits(
        self, X: object = None, y: object = None, groups: object = None
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used; scikit-learn passes them.

        Returns
        -------
        n_splits : int
            The parameter.
        """
        return self.n_splits

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the positions of the training and of the test items of each fold.

        Parameters
        ----------
        X : DataFrame, Arrow table or array-like of shape (n_items, n_features)
            Items with a column of moments, such as DECLARATIONS.
        y : array-like of shape (n_items,), default=None
            Labels, NaN where an item was not inspected; checked to be in every part.
        groups : array-like of datetime64, shape (n_items,), default=None
            When each item was lodged, where X has no such column; it comes before the
            column where both are there.

        Yields
        ------
        train, test : ndarray of int
            Positions in the order of X.

        Raises
        ------
        TableError
            If X has no moments, or does not reach back far enough.
        ArgumentError
            If a parameter is outside what is allowed.
        """
        self._check_params()
        days = self._read_days(X, groups)
        labelled = None if y is None else _mark_labelled(y, len(days))
        starts = self._starts(days)
        for start in starts:
            train = days < start - self.label_delay
            test = (days >= start) & (days < start + self.test_days)
            self._check_fold(start, train, test, labelled)
            yield FoldIndices.make(train), FoldIndices.make(test)

    def _check_params(self) -> None:
        """Raise when a parameter is outside what is allowed."""
        owner = type(self).__name__
        check_number(owner, "n_splits", self.n_splits, low=1, integer=True)
        check_number(owner, "test_days", self.test_days, low=1, integer=True)
        check_number(owner, "label_delay", self.label_delay, low=0, integer=True)

    def _read_days(self, X: Any, groups: ArrayLike | None) -> Days:
        """Return the day of each item as a number."""
        if groups is not None:
            moments = pd.Series(np.asarray(groups))
            _check_groups(X, len(moments))
        elif hasattr(X, "columns") and self.time in list(_column_names(X)):
            column = X.select([self.time]) if is_foreign_table(X) else X[[self.time]]
            moments = to_pandas(column)[self.time]
        else:
            names = _column_names(X) if hasattr(X, "columns") else []
            raise TableError(
                "windows.folds_without_moments",
                "RollingOrigin: X has no column {time!r}, so it is not known when its "
                "items were lodged.{hint} Pass a frame of declarations, name the "
                "column with 'time', or pass the moments as 'groups'.",
                time=self.time,
                hint=suggest_nearest(self.time, names),
            )
        return self._count_days(moments)

    def _count_days(self, moments: pd.Series) -> Days:
        """Return moments as numbers of days; raise where some are none."""
        if not isinstance(moments.dtype, pd.DatetimeTZDtype) and (
            moments.dtype.kind != "M"
        ):
            raise TableError(
                "windows.fold_moments_not_dates",
                "RollingOrigin: {time!r} must hold dates; got values of type {dtype}, "
                "such as {examples}. Convert them with pandas.to_datetime.",
                time=self.time,
                dtype=str(moments.dtype),
                examples=format_values(moments.head(3).tolist()),
            )
        missing = int(moments.isna().sum())
        if missing or not len(moments):
            raise TableError(
                "windows.fold_moments_missing",
                "RollingOrigin: {time!r} is missing for {n_missing} of {n_items} "
                "items. Fill it in, or leave these items out; at least one is needed.",
                time=self.time,
                n_missing=missing,
                n_items=len(moments),
            )
        whole = without_zone(moments).to_numpy().astype("datetime64[D]")
        return np.asarray(whole.astype(np.int64))

    def _starts(self, days: Days) -> list[int]:
        """Return the first day of each test fold; raise where history is too short."""
        first, end = int(days.min()), int(days.max()) + 1
        needed = self.n_splits * self.test_days + self.label_delay + 1
        if end - first < needed:
            raise TableError(
                "windows.history_too_short",
                "RollingOrigin: {n_splits} test folds of {test_days} days after a gap "
                "of {label_delay} days need {n_needed} days and one item before them; "
                "X covers {n_days} days, from {first} to {last}. Ask for fewer or "
                "shorter folds, or add {n_missing} days of earlier items.",
                n_splits=self.n_splits,
                test_days=self.test_days,
                label_delay=self.label_delay,
                n_needed=needed,
                n_days=end - first,
                first=_date(first),
                last=_date(end - 1),
                n_missing=needed - (end - first),
            )
        return [end - self.test_days * k for k in range(self.n_splits, 0, -1)]

    def _check_fold(
        self,
        start: int,
        train: NDArray[np.bool_],
        test: NDArray[np.bool_],
        labelled: NDArray[np.bool_] | None,
    ) -> None:
        """Raise where a part of a fold has no item, or no item with a label."""
        parts = {
            "training part": (train, None, start - self.label_delay - 1),
            "test part": (test, start, start + self.test_days - 1),
        }
        for part, (inside, first, last) in parts.items():
            lacks = None
            if not inside.any():
                lacks = "no item"
            elif labelled is not None and not (inside & labelled).any():
                lacks = "no item with a label"
            if lacks:
                raise TableError(
                    "windows.fold_part_empty",
                    "RollingOrigin: the {part} of the fold that starts on {start} has "
                    "{lacks} ({period}). Choose other 'n_splits' or 'test_days', or "
                    "add the items or results of this period.",
                    part=part,
                    start=_date(start),
                    lacks=lacks,
                    period=f"up to {_date(last)}"
                    if first is None
                    else f"{_date(first)} to {_date(last)}",
                )


def _column_names(X: Any) -> list[str]:
    """Return the names of the columns of a table of any library."""
    return [str(name) for name in getattr(X, "column_names", None) or X.columns]


def _check_groups(X: Any, n_groups: int) -> None:
    """Raise unless there is one group per item, where X has a length."""
    n_items = getattr(X, "shape", (n_groups,))[0]
    if n_items != n_groups:
        raise ArgumentError(
            "windows.groups_of_other_length",
            "RollingOrigin: groups must have one moment for each of the {n_items} "
            "items; got {n_groups}.",
            n_items=n_items,
            n_groups=n_groups,
        )


def _mark_labelled(y: ArrayLike, n_items: int) -> NDArray[np.bool_]:
    """Return which items have a label."""
    labelled = np.asarray(pd.notna(np.asarray(y)))
    if labelled.shape != (n_items,):
        raise ArgumentError(
            "windows.labels_of_other_length",
            "RollingOrigin: y must have one label for each of the {n_items} items; got "
            "shape {shape}.",
            n_items=n_items,
            shape=list(labelled.shape),
        )
    return labelled


def _date(day: int) -> str:
    """Return a day as a date."""
    return str(np.datetime64(day, "D"))
