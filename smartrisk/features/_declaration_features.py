"""All features of declarations in one transformer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from smartrisk.errors import (
    ArgumentError,
    check_choice,
    check_jobs,
    check_number,
    check_sequence,
    format_values,
)
from smartrisk.features._changes import Change, ResultEntries
from smartrisk.features._columns import Columns
from smartrisk.features._digit_features import DigitFeatures
from smartrisk.features._duty_incentive import DutyIncentive
from smartrisk.features._entity_history import EntityHistory
from smartrisk.features._feature_info import FeatureInfo, source_fields
from smartrisk.features._item_measures import CodeColumns, ItemMeasures
from smartrisk.features._item_results import ItemResults, join_results
from smartrisk.features._keys import DEFAULT_KEYS, Key, check_keys
from smartrisk.features._market_prices import MarketPrices
from smartrisk.features._one_item import OneItem
from smartrisk.features._packed_days import EPOCH
from smartrisk.features._peer_prices import PRICE_KEYS, PeerPrices
from smartrisk.features._sibling_codes import SiblingCodes
from smartrisk.features._structuring import Structuring, check_thresholds
from smartrisk.features._sum_tables import SumTable
from smartrisk.features._suspicion import with_suspicion
from smartrisk.features._transformer import DeclarationTransformer, Matrix
from smartrisk.schema import OWN_KINDS, TableInput
from smartrisk.tables import read_table

#: Families of features, in the order of their columns.
PARTS = (
    *("item", "codes", "incentive", "structuring", "history", "prices"),
    *("digits", "market", "siblings"),
)
#: Those whose items show how far the history goes.
_DATED = ("history", "prices")


class DeclarationFeatures(DeclarationTransformer):
    """All leak-free features of declared items, from the columns that are present.

    Composed of `ItemMeasures`, `CodeColumns`, `DutyIncentive`, `Structuring`,
    `EntityHistory`, `PeerPrices`, `DigitFeatures`, `MarketPrices` and `SiblingCodes`.

    Parameters
    ----------
    keys : tuple of Key, default=DEFAULT_KEYS
        Keys with a history of activity and results.
    price_keys : tuple of Key, default=PRICE_KEYS
        Keys whose earlier items are peers for prices and masses.
    thresholds : tuple of float, default=(150.0, 1000.0)
        Values (national currency) below which less duty or control applies.
    parts : tuple of str, default=PARTS
        Which families of features: "item", "codes", "incentive", "structuring",
        "history", "prices", "digits", "market", "siblings".
    own_fields : mapping of str to str, default=None
        Fields that the administration adds, each "code", "number" or "text": codes and
        numbers become features; any can be named in a key. None for none.
    smoothing : float, default=10.0
        Inspections that a parent key's hit rate is worth.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int, default=2
        Threads; None for one, or as ``joblib.parallel_config`` says; -1 for every
        processor, -2 for all but one. More than two mostly wait for memory.

    Attributes
    ----------
    parts_ : dict of str to DeclarationTransformer
        The fitted parts.
    feature_info_ : list of FeatureInfo
        What each column is about: fields, concept, statistic, window.
    last_day_ : numpy.datetime64 or None
        Day of the last item in the history; None where no part keeps one.

    See Also
    --------
    EntityHistory : The history of traders, goods and routes.
    PeerPrices : Unit values against peers.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> features = DeclarationFeatures().set_output(transform="pandas")
    >>> matrix = features.fit(world.declarations, outcomes=world.outcomes).transform(
    ...     world.declarations
    ... )
    >>> len(matrix)
    500
    """

    last_day_: np.datetime64 | None

    def __init__(
        self,
        keys: tuple[Key, ...] = DEFAULT_KEYS,
        *,
        price_keys: tuple[Key, ...] = PRICE_KEYS,
        thresholds: tuple[float, ...] = (150.0, 1000.0),
        parts: tuple[str, ...] = PARTS,
        own_fields: Mapping[str, str] | None = None,
        smoothing: float = 10.0,
        label_delay: int = 30,
        n_jobs: int | None = 2,
    ) -> None:
        self.keys = keys
        self.price_keys = price_keys
        self.thresholds = thresholds
        self.parts = parts
        self.own_fields = own_fields
        self.smoothing = smoothing
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def update_results(self, X: TableInput, outcomes: TableInput | ItemResults) -> Self:
        """Add results of items that the history already holds.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            The items that the results are about.
        outcomes : DataFrame or ItemResults
            OUTCOMES that were not added before.

        Returns
        -------
        self : DeclarationFeatures
            The transformer with more results.
        """
        check_is_fitted(self, "parts_")
        X = read_table("DeclarationFeatures", "X", X)
        if not isinstance(outcomes, ItemResults):
            outcomes = join_results(X, outcomes, label_delay=self.label_delay)
        entries = ResultEntries.from_results(Columns(X), outcomes)
        return self._change_whole(Change(results=entries))

    def copy(self) -> Self:
        """Return a transformer whose history grows on its own.

        Returns
        -------
        copied : DeclarationFeatures
            It shares the tables of the history, which are replaced and never changed:
            an `update` of either leaves the other as it is.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations
        >>> from smartrisk.features import DeclarationFeatures
        >>> items = make_declarations(n_items=300, random_state=0).declarations
        >>> features = DeclarationFeatures().fit(items.head(200))
        >>> longer = features.copy().update(items.tail(100))
        >>> bool(features.last_day_ < longer.last_day_)
        True
        """
        copied = super().copy()
        if hasattr(self, "parts_"):
            copied.parts_ = {name: part.copy() for name, part in self.parts_.items()}
        return copied

    def transform_matrix(
        self, X: TableInput, *, folder: str | os.PathLike[str] | None = None
    ) -> Matrix:
        """Return the features of items as a plain matrix, regardless of `set_output`.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS; no items give an empty matrix.
        folder : path, default=None
            Where to make a file that holds the features of several items, mapped into
            memory: for matrices that do not fit into memory. The file is to be removed
            after the matrix. None for a matrix in memory.

        Returns
        -------
        matrix : ndarray of float32, shape (n_items, n_features)
            Bit-identical to the result of `transform`.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations
        >>> from smartrisk.features import DeclarationFeatures
        >>> items = make_declarations(n_items=300, random_state=0).declarations
        >>> features = DeclarationFeatures(parts=("item",)).fit(items)
        >>> features.transform_matrix(items.head(0)).shape
        (0, 17)
        """
        check_is_fitted(self, "parts_")
        X = read_table("DeclarationFeatures", "X", X)
        if not len(X):
            return np.empty((0, len(self.feature_info_)), np.float32)
        self._check_columns(X, reset=False)
        if len(X) == 1:
            return self.transform_one({str(name): X[name].array[0] for name in X})
        return self._matrix(Columns(X), None if folder is None else Path(folder))

    def transform_one(self, item: Mapping[str, Any]) -> Matrix:
        """Return the features of a single item, quickly.

        Parameters
        ----------
        item : mapping of str to object
            Fields of DECLARATIONS by name, each value of canonical type; fields that
            are absent are missing.

        Returns
        -------
        matrix : ndarray of shape (1, n_features)
            Bit-identical to `transform` of a frame with this item.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations
        >>> from smartrisk.features import DeclarationFeatures
        >>> items = make_declarations(n_items=300, random_state=0).declarations
        >>> features = DeclarationFeatures().fit(items)
        >>> features.transform_one(items.iloc[7].to_dict()).shape[0]
        1
        """
        check_is_fitted(self, "parts_")
        row = self._compute_one(OneItem(item))
        with np.errstate(over="ignore"):  # 1e300 is infinite there, as in a batch
            return np.array([row], np.float32)

    def _check_params(self) -> None:
        """Check the names of the parts, and what they take under their names here."""
        super()._check_params()
        owner = type(self).__name__
        check_number(owner, "smoothing", self.smoothing, low=1e-6)
        check_jobs(owner, self.n_jobs)
        check_keys(owner, "keys", self.keys)
        check_keys(owner, "price_keys", self.price_keys)
        check_thresholds(owner, self.thresholds)
        for name, kind in (self.own_fields or {}).items():
            check_choice(owner, f"own_fields.{name}", kind, OWN_KINDS)
        check_sequence(owner, "parts", self.parts, content="names")
        for name in self.parts:
            check_choice(owner, "parts", name, PARTS)
        if not self.parts:
            raise ArgumentError(
                "features.no_parts",
                "DeclarationFeatures: 'parts' is empty; name at least one of "
                "{allowed}.",
                allowed=format_values(PARTS, 10),
            )
        for part in self.make_parts().values():
            part._check_params()

    def make_parts(self) -> dict[str, Any]:
        """Return the unfitted transformers that the parameters ask for.

        Returns
        -------
        parts : dict of str to DeclarationTransformer
            By the names of `PARTS`, in the order of their columns.
        """
        every = {
            "item": ItemMeasures(self._own_fields("number")),
            "codes": CodeColumns(own_fields=self._own_fields("code")),
            "incentive": DutyIncentive(),
            "structuring": Structuring(self.thresholds),
            "history": EntityHistory(
                self.keys,
                smoothing=self.smoothing,
                label_delay=self.label_delay,
                n_jobs=self.n_jobs,
            ),
            "prices": PeerPrices(self.price_keys, n_jobs=self.n_jobs),
            "digits": DigitFeatures(),
            "market": MarketPrices(n_jobs=self.n_jobs),
            "siblings": SiblingCodes(),
        }
        return {name: part for name, part in every.items() if name in self.parts}

    def _own_fields(self, kind: str) -> tuple[str, ...]:
        """Return the own fields of a kind."""
        own = self.own_fields or {}
        return tuple(name for name, found in own.items() if found == kind)

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Learn every part from the same columns."""
        self.parts_ = self.make_parts()
        for part in self.parts_.values():
            part._learn(columns, results)
            part.feature_info_ = part._describe()
        self.note_last_day()

    def _extend(self, change: Change) -> None:
        """Change every part."""
        for part in self.parts_.values():
            part._extend(change)
        if change.removed is not None:
            self.note_last_day()
        elif change.added is not None:
            later = self._last_of_added(change.added)
            if later is not None:
                self.note_last_day(later)

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history of all parts by name.

        Returns
        -------
        blocks : dict of str to SumTable
            Sums by identity and day.
        """
        return {
            f"{name}.{label}": table
            for name, part in self.parts_.items()
            for label, table in part.blocks().items()
        }

    def learn_columns(self, X: pd.DataFrame, results: ItemResults) -> Columns:
        """Fit as `fit` does, and return the encoded items.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        results : ItemResults
            Results of some of them.

        Returns
        -------
        columns : Columns
            The items.
        """
        self._check_params()
        return self._learn_items(X, None, results, keep=False)

    def read_columns(self, X: pd.DataFrame) -> Columns:
        """Return encoded items, after a check of their columns.

        Parameters
        ----------
        X : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS with the columns of `fit`.

        Returns
        -------
        columns : Columns
            The items.
        """
        check_is_fitted(self, "parts_")
        self._check_columns(X, reset=False)
        return Columns(X)

    def deciding_fields(self) -> tuple[str, ...]:
        """Return the fields that decide a feature of the item or of later ones.

        Returns
        -------
        fields : tuple of str
            Sorted names of DECLARATIONS, `lodged_at` among them.
        """
        codes, numbers = self.stored_fields()
        used = {"lodged_at", *source_fields(sorted(codes)), *numbers}
        return tuple(sorted(used.union(*(info.fields for info in self.feature_info_))))

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return from which columns the tables of the history are made.

        Returns
        -------
        codes, numbers : set of str
            Columns of keys, and columns of numbers.
        """
        codes, numbers = zip(
            *(part.stored_fields() for part in self.parts_.values()), strict=True
        )
        return set().union(*codes), set().union(*numbers)

    def _last_of_added(self, added: Columns) -> int | None:
        """Return the last day of items that some key counts, None without any."""
        keys = [key for name in _DATED for key in self._keys_of(name)]
        counted = [added.key(key.columns)[0] >= 0 for key in keys]
        days = added.day[np.logical_or.reduce(counted)] if counted else added.day[:0]
        return int(days.max()) if len(days) else None

    def _keys_of(self, name: str) -> tuple[Key, ...]:
        """Return the keys of a part, none where there is no such part."""
        return self.parts_[name].keys_ if name in self.parts_ else ()

    def note_last_day(self, later: int | None = None) -> None:
        """Set `last_day_` after the history changed.

        Parameters
        ----------
        later : int, default=None
            Day of the last item that was added, to compare with the day so far; None
            to look in all tables of the history.
        """
        if later is not None:
            day = EPOCH + np.timedelta64(later, "D")
            so_far = self.last_day_
            self.last_day_ = day if so_far is None else max(so_far, day)
            return
        history, prices = self.parts_.get("history"), self.parts_.get("prices")
        tables = [*(history.items_ if history else ())]
        tables += prices.tables_ if prices else ()
        days = [table.last_day() for table in tables]
        last = max((day for day in days if day is not None), default=None)
        self.last_day_ = None if last is None else EPOCH + np.timedelta64(last, "D")

    def _describe(self) -> list[FeatureInfo]:
        """Return the features of all parts in their order."""
        return with_suspicion(
            info for part in self.parts_.values() for info in part.feature_info_
        )

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return the features of all parts in their order."""
        row: list[float] = []
        for part in self.parts_.values():
            row += part._compute_one(item)
        return row

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Let each part fill its own columns."""
        start = 0
        for part in self.parts_.values():
            stop = start + len(part.feature_info_)
            part._compute(columns, out[:, start:stop])
            start = stop
