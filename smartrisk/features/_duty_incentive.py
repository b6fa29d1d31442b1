"""What a wrong tariff code could save: the rate against those of its neighbours."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._changes import Change
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_results import ItemResults
from smartrisk.features._levels import Levels
from smartrisk.features._lookups import OneLookupOfLevels
from smartrisk.features._one_item import OneItem
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._pasts import look_up
from smartrisk.features._sum_tables import SumTable, build_table_of
from smartrisk.features._transformer import DeclarationTransformer, Matrix
from smartrisk.items import UInt

#: Rates are kept in millionths: sums of whole numbers are bit-identical in any order,
#: and no tariff states a rate more precisely.
RATE_PARTS = 1_000_000
#: Highest rate that is kept (1,000,000 %): with it the sum over half a billion items
#: stays below 2**63.
_MOST = 1e4
#: Bits that keep the rates of one key apart from those of the next: more than the 34
#: that the highest rate in millionths needs.
_RATE_BITS = 40


def rate_parts(rate: Float) -> tuple[NDArray[np.bool_], Int]:
    """Return which rates are known, and the rates in millionths, 0 where unknown."""
    known = np.isfinite(rate)
    parts = np.zeros(len(rate), np.int64)
    parts[known] = np.rint(np.clip(rate[known], 0, _MOST) * RATE_PARTS)
    return known, parts


class LowestTable:
    """Lowest value so far per key value and day.

    Parameters
    ----------
    entries : SumTable
        One entry per identity and day: "n" is 1, "lowest" the lowest value of the day.
        A change adds differences, so that it merges as any other.
    """

    def __init__(self, entries: SumTable) -> None:
        self.entries = entries

    @property
    def so_far(self) -> Int:
        """Lowest value up to each entry, all levels merged."""
        _ = self.entries.packed
        return _so_far(self.entries, self.entries.sums["lowest"])

    @classmethod
    def from_items(cls, identity: UInt, day: Int, value: Int) -> LowestTable:
        """Take the lowest value of each identity and day."""
        ids, codes = np.unique(identity, return_inverse=True)
        packed = (codes.astype(np.int64) << DAY_BITS) | day
        order = np.lexsort((value, packed))
        ordered = packed[order]
        first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
        lowest = value[order][first]
        daily = {"n": np.ones(len(lowest), np.int64), "lowest": lowest}
        return cls(SumTable(ids, ordered[first], daily))

    def plus(self, items: LowestTable) -> LowestTable:
        """Return the lowest of both; this one stays as it is."""
        ids, day = items.entries.entry_ids, items.entries.day
        lowest = items.entries.sums["lowest"]
        known = self.entries.exactly(ids, day)
        lower = np.where(known["n"] > 0, np.minimum(lowest, known["lowest"]), lowest)
        return self._set(items.entries, np.ones(len(ids), np.int64), lower)

    def without(self, leaving: LowestTable, rest: LowestTable) -> LowestTable:
        """Return the table after items went: `rest` holds all others of their days."""
        left = rest.entries.exactly(leaving.entries.entry_ids, leaving.entries.day)
        return self._set(leaving.entries, left["n"], left["lowest"])

    def _set(self, at: SumTable, n: Int, lowest: Int) -> LowestTable:
        """Return the table with other values in some entries; n is 0 for no entry."""
        known = self.entries.exactly(at.entry_ids, at.day)
        daily = {"n": n - known["n"], "lowest": lowest - known["lowest"]}
        changed = (daily["n"] != 0) | (daily["lowest"] != 0)
        if not changed.any():
            return self
        packed = at.packed[changed]
        sums = {name: values[changed] for name, values in daily.items()}
        # A level above shows the lower of its values and those below it.
        raises = bool(((known["n"] > 0) & ((n == 0) | (daily["lowest"] > 0))).any())
        more = SumTable(at.ids, packed, sums)
        return LowestTable(self.entries.plus(more, whole=raises))

    def before(self, ids: UInt, codes: Int, day: Int) -> Float:
        """Return the lowest value of earlier days; NaN when there is none."""
        out = np.full(len(day), np.nan)
        found = self.entries.view_for(len(day))
        tables = found.tables if isinstance(found, Levels) else (found,)
        for number, table in enumerate(tables):
            if not len(table.ids):
                continue
            at = np.append(table.find(ids), -1)[codes]
            safe = np.maximum(at, 0)
            end = table.before(safe, day)
            some = np.flatnonzero((at >= 0) & (end > table.starts[safe]))
            if len(some):
                so_far = _so_far_of_level(tables, number)
                out[some] = np.fmin(out[some], so_far[end[some] - 1])
        return out

    def before_one(self, item: OneItem, level: str) -> float:
        """Return what `before` does for a single item."""
        past = item.look_up((level,), self.entries)
        tables: tuple[SumTable, ...] = (past.table,)
        if isinstance(past, OneLookupOfLevels):
            tables = past.levels.tables
        found = [
            float(_so_far_of_level(tables, tables.index(part.table))[part.end - 1])
            for part in past.parts
            if part.end > part.start
        ]
        return min(found, default=np.nan)


def _so_far_of_level(tables: tuple[SumTable, ...], number: int) -> Int:
    """Return the lowest value up to each entry of a level, made once.

    Above the base, entries are differences to the levels below.
    """
    table = tables[number]
    below = tables[:number]
    known, found = vars(table).get("so_far", (None, None))
    if found is None or known != below:
        lowest = table.sums["lowest"]
        if below:
            sums, _ = Levels(below).exactly(table.entry_ids, table.day)
            lowest = lowest + sums["lowest"]
        found = _so_far(table, lowest)
        vars(table)["so_far"] = below, found
    made: Int = found
    return made


def _so_far(table: SumTable, lowest: Int) -> Int:
    """Return the lowest value up to each entry from that of the entry's day."""
    # One pass for all keys: later keys are shifted below all values of earlier ones, so
    # that the running minimum starts again at each key.
    offset = (table.packed >> DAY_BITS) << _RATE_BITS
    made: Int = np.minimum.accumulate(lowest - offset) + offset
    return made


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
                self.means_[level] = self._means(columns, level)
                self.lowest_[level] = self._lowest(columns, level)

    def _extend(self, change: Change) -> None:
        """Add the rates of items that come, and take out those that go."""
        for level in self.means_ if change.touches(self._LEVELS) else ():
            self.means_[level] = change.of_items(
                self.means_[level], partial(self._means, level=level)
            )
            lowest = self.lowest_[level]
            if change.removed is not None and change.same_days is not None:
                leaving = self._lowest(change.removed, level)
                lowest = lowest.without(leaving, self._lowest(change.same_days, level))
            if change.added is not None:
                lowest = lowest.plus(self._lowest(change.added, level))
            self.lowest_[level] = lowest

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        means = {f"means.{name}": table for name, table in self.means_.items()}
        lowest = {f"lowest.{n}": table.entries for n, table in self.lowest_.items()}
        return means | lowest

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        levels = set(self.means_)
        return levels, {"duty_rate"} if levels else set()

    @staticmethod
    def _rates(columns: Columns, level: str) -> tuple[NDArray[np.intp], Int]:
        """Return the items with a rate and a value of the level, and their rates."""
        known, parts = rate_parts(columns.number("duty_rate"))
        codes, _ = columns.key((level,))
        rows = np.flatnonzero(known & (codes >= 0))
        return rows, parts[rows]

    def _means(self, columns: Columns, level: str) -> SumTable:
        """Add up the rates of items by a level of the tariff and day."""
        rows, parts = self._rates(columns, level)
        return build_table_of(columns, (level,), rows, sums={"rate": parts})

    def _lowest(self, columns: Columns, level: str) -> LowestTable:
        """Take the lowest rate of items by a level of the tariff and day."""
        rows, parts = self._rates(columns, level)
        codes, ids = columns.key((level,))
        return LowestTable.from_items(ids[codes[rows]], columns.day[rows], parts)

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
            past = look_up(columns, (level,), self.means_[level])
            n = past.total("n")
            mean = past.total("rate") / (np.maximum(n, 1) * RATE_PARTS)
            out[:, 2 * number] = np.where(n > 0, rate - mean, np.nan)
            codes, ids = columns.key((level,))
            lowest = self.lowest_[level].before(ids, codes, columns.day)
            out[:, 2 * number + 1] = rate - lowest / RATE_PARTS

    def _compute_one(self, item: OneItem) -> list[float]:
        """Compare the rate of a single item with earlier rates of its levels."""
        rate = item.number("duty_rate")
        row: list[float] = []
        for level, table in self.means_.items():
            past = item.look_up((level,), table)
            n = past.total("n")
            mean = past.total("rate") / (max(n, 1) * RATE_PARTS)
            lowest = self.lowest_[level].before_one(item, level)
            row += [rate - mean if n else np.nan, rate - lowest / RATE_PARTS]
        return row
