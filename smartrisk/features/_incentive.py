"""What a wrong code could save, and amounts kept small on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.errors import ArgumentError, check_number
from smartrisk.features._columns import DAY_BITS, Columns, Float, Int, UInt
from smartrisk.features._history import Lookup, SumTable, build, build_of
from smartrisk.features._info import FeatureInfo
from smartrisk.features._results import Results
from smartrisk.features._transformer import DeclarationTransformer, Matrix

_PARTS = 1_000_000  # rates are kept in millionths


@dataclass
class LowestTable:
    """Lowest value so far per key value and day."""

    ids: UInt
    packed: Int
    daily: Int

    def __post_init__(self) -> None:
        # A value below every value of earlier keys restarts the running minimum.
        offset = (self.packed >> DAY_BITS) << 40
        self.so_far = np.minimum.accumulate(self.daily - offset) + offset
        edges = np.arange(len(self.ids) + 1, dtype=np.int64) << DAY_BITS
        self.starts = np.searchsorted(self.packed, edges)

    @classmethod
    def of(cls, identity: UInt, day: Int, value: Int) -> LowestTable:
        """Take the lowest value of each identity and day."""
        ids, codes = np.unique(identity, return_inverse=True)
        packed = (codes.astype(np.int64) << DAY_BITS) | day
        order = np.lexsort((value, packed))
        ordered = packed[order]
        first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
        return cls(ids, ordered[first], value[order][first])

    @classmethod
    def merged(cls, left: LowestTable, right: LowestTable) -> LowestTable:
        """Take the lowest of two tables."""
        both = (left, right)
        return cls.of(
            np.concatenate([t.ids[t.packed >> DAY_BITS] for t in both]),
            np.concatenate([t.packed & ((1 << DAY_BITS) - 1) for t in both]),
            np.concatenate([t.daily for t in both]),
        )

    def before(self, ids: UInt, codes: Int, day: Int) -> Float:
        """Return the lowest value of earlier days; NaN when there is none."""
        out = np.full(len(day), np.nan)
        if not len(self.ids):
            return out
        place = np.searchsorted(self.ids, ids)
        place[place == len(self.ids)] = 0
        at = np.append(np.where(self.ids[place] == ids, place, -1), -1)[codes]
        safe = np.maximum(at, 0)
        end = np.searchsorted(self.packed, (safe << DAY_BITS) | day)
        some = (at >= 0) & (end > self.starts[safe])
        out[some] = self.so_far[end[some] - 1]
        return out


class DutyIncentive(DeclarationTransformer):
    """The rate that the item pays against what its neighbours in the tariff paid.

    Parameters
    ----------
    label_delay : int, default=30
        Not used; kept so that all transformers take it.

    Attributes
    ----------
    means_ : dict of str to SumTable
        Count and sum of rates (millionths) by HS prefix and day.
    lowest_ : dict of str to LowestTable
        Lowest rate so far (millionths) by HS prefix and day.
    feature_info_ : list of FeatureInfo
        What each column says.

    Notes
    -----
    ``rate_gap`` is the item's rate minus the mean of earlier items under the same
    heading (hs4) or chapter (hs2); ``cheapest_gap`` is the rate minus the lowest
    earlier rate there: what a wrong code could save. Rates are fractions.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DutyIncentive
    >>> world = make_declarations(n_items=200, random_state=0)
    >>> DutyIncentive().fit_transform(world.declarations).shape
    (200, 4)
    """

    _LEVELS = ("hs4", "hs2")

    def __init__(self, *, label_delay: int = 30) -> None:
        self.label_delay = label_delay

    def _learn(self, columns: Columns, results: Results | None) -> None:
        self.means_: dict[str, SumTable] = {}
        self.lowest_: dict[str, LowestTable] = {}
        if "duty_rate" in columns.names:
            for level in self._LEVELS:
                self.means_[level], self.lowest_[level] = self._tables(columns, level)

    def _extend(self, columns: Columns, results: Results | None) -> None:
        for level in self.means_:
            means, lowest = self._tables(columns, level)
            self.means_[level] = SumTable.merged([self.means_[level], means])
            self.lowest_[level] = LowestTable.merged(self.lowest_[level], lowest)

    @staticmethod
    def _tables(columns: Columns, level: str) -> tuple[SumTable, LowestTable]:
        rate = columns.number("duty_rate")
        codes, ids = columns.key((level,))
        rows = np.flatnonzero(np.isfinite(rate) & (codes >= 0))
        parts = np.rint(np.clip(rate[rows], 0, 1e4) * _PARTS).astype(np.int64)
        day = columns.day[rows]
        means = build_of(columns, (level,), rows, day=day, sums={"rate": parts})
        return means, LowestTable.of(ids[codes[rows]], day, parts)

    def _describe(self) -> list[FeatureInfo]:
        return [
            FeatureInfo(
                name=f"{level}__{statistic}",
                fields=("duty_rate", "tariff_code"),
                concept="classification",
                statistic=statistic,
                key=(level,),
            )
            for level in self.means_
            for statistic in ("rate_gap", "cheapest_gap")
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        rate = columns.number("duty_rate")
        for number, level in enumerate(self.means_):
            codes, ids = columns.key((level,))
            at = np.append(self.means_[level].find(ids), -1)[codes]
            past = Lookup.make(self.means_[level], at, columns.day)
            n = past.total("n")
            mean = past.total("rate") / (np.maximum(n, 1) * _PARTS)
            out[:, 2 * number] = np.where(n > 0, rate - mean, np.nan)
            lowest = self.lowest_[level].before(ids, codes, columns.day)
            out[:, 2 * number + 1] = rate - lowest / _PARTS


class Structuring(DeclarationTransformer):
    """Values kept just below a threshold, and orders cut into many items.

    Parameters
    ----------
    thresholds : tuple of float, default=(150.0, 1000.0)
        Values, in national currency, below which less duty or control applies.
    margin : float, default=0.1
        Share of the threshold that counts as just below it.
    window : int, default=7
        Days looked back on.
    label_delay : int, default=30
        Not used; kept so that all transformers take it.

    Attributes
    ----------
    items_, near_ : dict of str to SumTable
        Items per trader and day, and those just below a threshold.
    feature_info_ : list of FeatureInfo
        What each column says.

    Notes
    -----
    Items of the same day are never counted: a score may not depend on batch mates.
    ``items_per_active_day`` is the mean over the trader's earlier days with items.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import Structuring
    >>> world = make_declarations(n_items=200, random_state=0)
    >>> Structuring(thresholds=(1000.0,)).fit_transform(world.declarations).shape
    (200, 7)
    """

    _TRADERS = ("importer_id", "consignor_id")

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
        owner = type(self).__name__
        check_number(owner, "margin", self.margin, low=0.0, high=1.0)
        check_number(owner, "window", self.window, low=1, integer=True)
        if any(value <= 0 for value in self.thresholds):
            raise ArgumentError(
                "features.thresholds_positive_got",
                "{owner}: 'thresholds' must be positive; got {thresholds!r}.",
                owner=owner,
                thresholds=self.thresholds,
            )

    def _learn(self, columns: Columns, results: Results | None) -> None:
        self.valued_ = "customs_value" in columns.names and len(self.thresholds) > 0
        self.items_: dict[str, SumTable] = {}
        self.near_: dict[str, SumTable] = {}
        for name in self._TRADERS:
            if name in columns.names:
                self.items_[name], self.near_[name] = self._tables(columns, name)

    def _extend(self, columns: Columns, results: Results | None) -> None:
        for name in self.items_:
            items, near = self._tables(columns, name)
            self.items_[name] = SumTable.merged([self.items_[name], items])
            self.near_[name] = SumTable.merged([self.near_[name], near])

    def _tables(self, columns: Columns, name: str) -> tuple[SumTable, SumTable]:
        near = SumTable.empty(("n",))
        if self.valued_:
            rows = np.flatnonzero(self._gap(columns) > 0)
            near = build_of(columns, (name,), rows) if len(rows) else near
        return build(columns, (name,)), near

    def _gap(self, columns: Columns) -> Float:
        """Return 1 where the value lies just below a threshold, else 0."""
        value = columns.number("customs_value")
        near = np.zeros(columns.n, bool)
        for threshold in self.thresholds:
            near |= (value >= threshold * (1 - self.margin)) & (value < threshold)
        return near.astype(np.float64)

    def _describe(self) -> list[FeatureInfo]:
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
                ("near_threshold", "90d"),
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
        column = 0
        if self.valued_:
            out[:, 0] = self._gap(columns)
            column = 1
        for name, items in self.items_.items():
            codes, ids = columns.key((name,))
            at = np.append(items.find(ids), -1)[codes]
            past = Lookup.make(items, at, columns.day)
            out[:, column] = past.total("n", past.since(self.window))
            out[:, column + 1] = past.total("n") / np.maximum(past.active_days, 1)
            at = np.append(self.near_[name].find(ids), -1)[codes]
            near = Lookup.make(self.near_[name], at, columns.day)
            out[:, column + 2] = near.total("n", near.since(90))
            column += 3
