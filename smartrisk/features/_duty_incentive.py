"""What a wrong tariff code could save: the rate against those of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.features._columns import DAY_BITS, Columns, Float, Int
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_results import ItemResults
from smartrisk.features._sum_tables import DAY_MASK, Lookup, SumTable, build_table_of
from smartrisk.features._transformer import DeclarationTransformer, Matrix
from smartrisk.items import UInt

#: Rates are kept in millionths: sums of whole numbers are bit-identical in any order,
#: and no tariff states a rate more precisely.
_PARTS = 1_000_000
#: Highest rate that is kept (1,000,000 %): with it the sum over half a billion items
#: stays below 2**63.
_MOST = 1e4
#: Bits that keep the rates of one key apart from those of the next: more than the 34
#: that the highest rate in millionths needs.
_RATE_BITS = 40


@dataclass
class LowestTable:
    """Lowest value so far per key value and day.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_values,)
        Sorted identities of the key's values.
    packed : ndarray of int64, shape (n_entries,)
        Position in `ids` and day in one number, sorted.
    daily : ndarray of int64, shape (n_entries,)
        Lowest value of that day.
    """

    ids: UInt
    packed: Int
    daily: Int

    def __post_init__(self) -> None:
        # One pass for all keys: later keys are shifted below all values of earlier
        # ones, so that the running minimum starts again at each key.
        offset = (self.packed >> DAY_BITS) << _RATE_BITS
        self.so_far = np.minimum.accumulate(self.daily - offset) + offset
        edges = np.arange(len(self.ids) + 1, dtype=np.int64) << DAY_BITS
        self.starts = np.searchsorted(self.packed, edges)

    @classmethod
    def from_items(cls, identity: UInt, day: Int, value: Int) -> LowestTable:
        """Take the lowest value of each identity and day."""
        ids, codes = np.unique(identity, return_inverse=True)
        packed = (codes.astype(np.int64) << DAY_BITS) | day
        order = np.lexsort((value, packed))
        ordered = packed[order]
        first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
        return cls(ids, ordered[first], value[order][first])

    @classmethod
    def merge(cls, left: LowestTable, right: LowestTable) -> LowestTable:
        """Take the lowest of two tables."""
        both = (left, right)
        return cls.from_items(
            np.concatenate([t.ids[t.packed >> DAY_BITS] for t in both]),
            np.concatenate([t.packed & DAY_MASK for t in both]),
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
        Not used: rates are known at lodgement. It is here so that all transformers
        accept it.

    Attributes
    ----------
    means_ : dict of str to SumTable
        Count and sum of rates (millionths) by HS prefix and day.
    lowest_ : dict of str to LowestTable
        Lowest rate so far (millionths) by HS prefix and day.
    feature_info_ : list of FeatureInfo
        What each column is about.

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

    #: From the nearer neighbours to the farther ones; hs6 has too few rates to compare.
    _LEVELS = ("hs4", "hs2")

    def __init__(self, *, label_delay: int = 30) -> None:
        self.label_delay = label_delay

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Add up the duty rates of each level of the tariff."""
        self.means_: dict[str, SumTable] = {}
        self.lowest_: dict[str, LowestTable] = {}
        if "duty_rate" in columns.names:
            for level in self._LEVELS:
                self.means_[level], self.lowest_[level] = self._tables(columns, level)

    def _extend(self, columns: Columns, results: ItemResults | None) -> None:
        """Merge the rates of new items into the tables."""
        for level in self.means_:
            means, lowest = self._tables(columns, level)
            self.means_[level] = SumTable.merge([self.means_[level], means])
            self.lowest_[level] = LowestTable.merge(self.lowest_[level], lowest)

    @staticmethod
    def _tables(columns: Columns, level: str) -> tuple[SumTable, LowestTable]:
        """Add up the rates of items by a level of the tariff and day."""
        rate = columns.number("duty_rate")
        codes, ids = columns.key((level,))
        rows = np.flatnonzero(np.isfinite(rate) & (codes >= 0))
        parts = np.rint(np.clip(rate[rows], 0, _MOST) * _PARTS).astype(np.int64)
        day = columns.day[rows]
        means = build_table_of(columns, (level,), rows, day=day, sums={"rate": parts})
        return means, LowestTable.from_items(ids[codes[rows]], day, parts)

    def _describe(self) -> list[FeatureInfo]:
        """Return two gaps of each level of the tariff."""
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
        """Compare the rate of an item with earlier rates of its level."""
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
