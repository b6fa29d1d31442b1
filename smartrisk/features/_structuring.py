"""Values kept just below a threshold, and orders cut into many items."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from smartrisk.errors import ArgumentError, check_number, check_sequence
from smartrisk.features._changes import Change
from smartrisk.features._columns import Columns, Float
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_results import ItemResults
from smartrisk.features._one_item import OneItem
from smartrisk.features._pasts import look_up
from smartrisk.features._sum_tables import (
    SumTable,
    build_table,
    build_table_of,
)
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: Days over which items just below a threshold are counted: a quarter, because a trader
#: who splits orders repeats it, and a week of it is mostly chance.
_NEAR_DAYS = 90


class Structuring(DeclarationTransformer):
    """Values kept just below a threshold, and orders cut into many items.

    Parameters
    ----------
    thresholds : tuple of float, default=(150.0, 1000.0)
        Values, in national currency, below which less duty or control applies; a
        value at the threshold is not below it.
    margin : float, default=0.1
        Share of the threshold that counts as just below it.
    window : int, default=7
        Number of earlier days that are counted.
    label_delay : int, default=30
        Not used: values are known at lodgement. It is here so that all transformers
        accept it.

    Attributes
    ----------
    items_, near_ : dict of str to SumTable
        Items per trader and day, and those just below a threshold.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    Items of the same day are never counted: a score must not depend on the other items
    of a batch. ``items_per_active_day`` is the mean over the trader's earlier days with
    items.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import Structuring
    >>> world = make_declarations(n_items=200, random_state=0)
    >>> Structuring(thresholds=(1000.0,)).fit_transform(world.declarations).shape
    (200, 7)
    """

    #: Parties that can cut an order into many items: its importer and its consignor.
    _PARTIES = ("importer_id", "consignor_id")

    def __init__(
        self,
        thresholds: tuple[float, ...] = (150.0, 1000.0),
        *,
        margin: float = 0.1,
        window: int = 7,
        label_delay: int = 30,
    ) -> None:
        self.thresholds = thresholds
        self.margin = margin
        self.window = window
        self.label_delay = label_delay

    def _check_params(self) -> None:
        """Check margin, window and thresholds."""
        super()._check_params()
        owner = type(self).__name__
        check_number(owner, "margin", self.margin, low=0.0, high=1.0)
        check_number(owner, "window", self.window, low=1, integer=True)
        check_thresholds(owner, self.thresholds)

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Count the items of each trader, and those just below a threshold."""
        self.valued_ = "customs_value" in columns.names and len(self.thresholds) > 0
        self.items_: dict[str, SumTable] = {}
        self.near_: dict[str, SumTable] = {}
        for name in self._PARTIES:
            if name in columns.names:
                self.items_[name] = build_table(columns, (name,))
                self.near_[name] = self._near(columns, name)

    def _extend(self, change: Change) -> None:
        """Count the items that come, and take out those that go."""
        for name in self.items_:
            if not change.touches((name,)):
                continue
            self.items_[name] = change.of_counts(self.items_[name], (name,))
            self.near_[name] = change.of_items(
                self.near_[name], partial(self._near, name=name)
            )

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        items = {f"items.{name}": table for name, table in self.items_.items()}
        near = {f"near.{name}": table for name, table in self.near_.items()}
        return items | near

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        traders = set(self.items_)
        valued = bool(traders) and self.valued_
        return traders, {"customs_value"} if valued else set()

    def _near(self, columns: Columns, name: str) -> SumTable:
        """Count the items of a trader just below a threshold by day."""
        if self.valued_:
            rows = np.flatnonzero(self._is_near(columns) > 0)
            if len(rows):
                return build_table_of(columns, (name,), rows)
        return SumTable.empty(("n",))

    def _is_near(self, columns: Columns) -> Float:
        """Return 1 where the value lies just below a threshold, else 0."""
        value = columns.number("customs_value")
        near = np.zeros(columns.n, bool)
        for threshold in self.thresholds:
            near |= (value >= threshold * (1 - self.margin)) & (value < threshold)
        return near.astype(np.float64)

    def _describe(self) -> list[FeatureInfo]:
        """Return the nearness to a threshold, then three features of each trader."""
        window = f"{self.window}d"
        infos = []
        if self.valued_:
            infos.append(
                FeatureInfo(
                    name="customs_value__near_threshold",
                    fields=("customs_value",),
                    concept="structuring",
                    statistic="near_threshold",
                )
            )
        for name in self.items_:
            for statistic, span in (
                ("n_items", window),
                ("items_per_active_day", None),
                ("near_threshold", f"{_NEAR_DAYS}d"),
            ):
                infos.append(
                    FeatureInfo(
                        name=f"{name}__{statistic}" + (f"__{span}" if span else ""),
                        fields=(name,),
                        concept="structuring",
                        statistic=statistic,
                        window=span,
                        key=(name,),
                    )
                )
        return infos

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Fill the columns in the order of `_describe`."""
        column = 0
        if self.valued_:
            out[:, 0] = self._is_near(columns)
            column = 1
        for name, items in self.items_.items():
            past = look_up(columns, (name,), items)
            out[:, column] = past.total("n", past.since(self.window))
            out[:, column + 1] = past.total("n") / np.maximum(past.active_days, 1)
            near = look_up(columns, (name,), self.near_[name])
            out[:, column + 2] = near.total("n", near.since(_NEAR_DAYS))
            column += 3

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return the features of a single item in the order of `_describe`."""
        row: list[float] = []
        if self.valued_:
            value = item.number("customs_value")
            low = 1 - self.margin
            row.append(float(any(t * low <= value < t for t in self.thresholds)))
        for name, items in self.items_.items():
            past = item.look_up((name,), items)
            near = item.look_up((name,), self.near_[name])
            row += [
                past.total("n", past.since(self.window)),
                past.total("n") / max(past.active_days, 1),
                near.total("n", near.since(_NEAR_DAYS)),
            ]
        return row


def check_thresholds(owner: str, thresholds: Sequence[float]) -> None:
    """Raise unless `thresholds` is a sequence of positive numbers."""
    check_sequence(owner, "thresholds", thresholds, content="numbers")
    for value in thresholds:
        check_number(owner, "thresholds", value)
    if any(value <= 0 for value in thresholds):
        raise ArgumentError(
            "features.thresholds_not_positive",
            "{owner}: 'thresholds' must be positive; got {thresholds!r}. Pass an "
            "empty tuple for none.",
            owner=owner,
            thresholds=list(thresholds),
        )
