"""Unit values against the market: robust, and at the level of prices of the day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from smartrisk.errors import check_jobs
from smartrisk.features._changes import Change
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._feature_info import FeatureInfo, source_fields
from smartrisk.features._item_results import ItemResults
from smartrisk.features._keys import (
    Key,
    encode_keys,
    map_parallel,
    usable_keys,
)
from smartrisk.features._market_sums import Market
from smartrisk.features._one_item import OneItem
from smartrisk.features._pasts import find_sums
from smartrisk.features._peer_prices import (
    FIRST_VARIANCE,
    LEAST_VARIANCE,
    MEASURES,
    SMOOTHING,
    log_ratio,
    log_ratio_one,
)
from smartrisk.features._price_level import unit_vectors
from smartrisk.features._sorted_items import ItemSums
from smartrisk.features._sum_tables import SCALE, SumTable, build_table
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: Goods whose earlier items are the market, from the wider to the narrower ones.
_GOODS = (Key(("hs4",)), Key(("hs6",)), Key(("hs6", "origin")))
_WIDEST = "hs4"
#: What the importer declared before for the same goods.
_OWN = Key(("importer_id", "hs6", "origin"))
#: The measure is the first that the fields allow: net mass is declared in one unit.
_MEASURES = ("price_per_kg", "price_per_unit")
_STATISTICS = ("market_deviation", "market_z")
#: Shortest mean of unit vectors that is believed: its variance is 9.2, a factor of 20
#: up or down. A shorter one is chance.
_LEAST_LENGTH = 0.01
_TURN = 2.0 * np.pi


class MarketPrices(DeclarationTransformer):
    """Log price per kg against the market, at the level of prices of the day.

    Parameters
    ----------
    label_delay : int, default=30
        Not used: prices are known at lodgement. It is here so that all transformers
        accept it.
    n_jobs : int, default=2
        Threads; None for one, or as ``joblib.parallel_config`` says; -1 for every
        processor, -2 for all but one. More than two mostly wait for memory.

    Attributes
    ----------
    measure_ : str or None
        "price_per_kg"; "price_per_unit" where no net mass is declared; None where
        neither can be computed.
    keys_ : tuple of Key
        Goods from the wider to the narrower ones, then the importer with its goods.
    tables_ : dict of str to SumTable
        Sums of the measure by the label of a key.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    ``market_deviation`` is the logarithm of the measure over what earlier items of the
    same goods and origin declared; ``market_z`` divides it by their spread. Headings,
    subheadings and origins are drawn towards each other as in `PeerPrices`, and differ
    from it in three ways:

    - Location and spread are those of the mean unit vector of the log prices (Mardia
      and Jupp 2000, sections 2.2 to 2.3). One item adds a vector of length 1 whatever
      its price, so that a wrong unit or a luxury does not hide the others. Near the
      location, it is the mean.
    - Each price is taken at the level of its day: what all prices rose since then is no
      deviation.
    - The importer's own earlier items count at most as much as those of all others and
      the wider goods together: who always declares too little is no peer of its own.

    References
    ----------
    Mardia, K. V. and Jupp, P. E. (2000). Directional Statistics. Wiley.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import MarketPrices
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> names = MarketPrices().fit(world.declarations).get_feature_names_out()
    >>> str(names[0])
    'market__price_per_kg_deviation'
    """

    def __init__(self, *, label_delay: int = 30, n_jobs: int | None = 2) -> None:
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def _check_params(self) -> None:
        """Check the number of threads."""
        super()._check_params()
        check_jobs(type(self).__name__, self.n_jobs)

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Add up the measure by goods, and by importer and goods."""
        allowed = [
            name
            for name in _MEASURES
            if all(field in columns.names for field in MEASURES[name])
        ]
        self.measure_ = allowed[0] if allowed else None
        self.keys_ = usable_keys((*_GOODS, _OWN), columns) if allowed else ()
        self.set_tables(self._tables(columns))

    def set_tables(self, tables: Mapping[str, SumTable]) -> None:
        """Replace the sums.

        Parameters
        ----------
        tables : dict of str to SumTable
            Sums by the label of a key.
        """
        self.tables_ = dict(tables)
        self._market = Market(self.tables_)

    def _extend(self, change: Change) -> None:
        """Add the sums of items that come, and take out those that go."""
        tables, market = dict(self.tables_), self._market
        for columns, leaving in ((change.added, False), (change.removed, True)):
            if columns is None:
                continue
            more = self._tables(columns)
            changes = {}
            for key in self.keys_:
                if change.touches(key.fields):
                    table = more[key.label]
                    changes[key.label] = table.negate() if leaving else table
            for label, table in changes.items():
                tables[label] = tables[label].plus(table)
            market = market.plus(dict(tables), changes)
        self.tables_, self._market = tables, market

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        return {f"market.{label}": table for label, table in self.tables_.items()}

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        numbers = set(MEASURES[self.measure_]) if self.measure_ else set()
        return {field for key in self.keys_ for field in key.fields}, numbers

    def _tables(self, columns: Columns) -> dict[str, SumTable]:
        """Add up the items' measure by key and day."""
        if self.measure_ is None:
            return {}
        encode_keys(columns, self.keys_, self.n_jobs)
        parts = unit_vectors(log_ratio(columns, self.measure_))

        def build(key: Key) -> SumTable:
            """Add up what the level and the location of a key need."""

            def sums(order: Any) -> dict[str, Int | None]:
                return {
                    name: None if values is None else values[order]
                    for name, values in parts.items()
                    if name != "x" or key.label == _WIDEST
                }

            return build_table(columns, key.columns, ItemSums(sums))

        made = map_parallel(build, self.keys_, self.n_jobs)
        return {key.label: t for key, t in zip(self.keys_, made, strict=True)}

    def _describe(self) -> list[FeatureInfo]:
        """Return the deviation and its z."""
        if self.measure_ is None:
            return []
        goods = [key for key in self.keys_ if key.label != _OWN.label]
        return [
            FeatureInfo(
                name=f"market__{self.measure_}_{statistic.removeprefix('market_')}",
                fields=(*MEASURES[self.measure_], *source_fields(goods[-1].fields)),
                concept="valuation",
                statistic=statistic,
                key=goods[-1].fields,
                measure=self.measure_,
            )
            for statistic in _STATISTICS
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Compare the measure of items with the market before their days."""
        if self.measure_ is None:
            return
        level, derived = self._market.derived
        found = {
            key.label: find_sums(columns, key.columns, derived[key.label])
            for key in self.keys_
        }
        own = found.pop(_OWN.label, None)
        location, variance = _locate(found, own)
        deviation = log_ratio(columns, self.measure_) - location
        deviation -= level.before(columns.day)
        out[:, 0] = deviation
        out[:, 1] = deviation / np.sqrt(variance)

    def _compute_one(self, item: OneItem) -> list[float]:
        """Compare the measure of a single item with the market before its day."""
        if self.measure_ is None:
            return []
        level, derived = self._market.derived
        found: dict[str, dict[str, int]] = {}
        for key in self.keys_:
            table = derived[key.label]
            past = item.look_up(key.columns, table)
            found[key.label] = {name: past.total(name) for name in table.names()}
        own = found.pop(_OWN.label, None)
        location, variance = _locate_one(found, own)
        deviation = log_ratio_one(item, self.measure_) - location
        deviation -= level.before_one(item.day)
        return [deviation, deviation / math.sqrt(variance)]


def _locate(
    found: Mapping[str, Mapping[str, Int]], own: Mapping[str, Int] | None
) -> tuple[Float, Float]:
    """Return location and variance of the log measure among earlier items.

    Parameters
    ----------
    found : dict of str to dict of str to ndarray
        Sums of the past of each item, from the wider goods to the narrower ones.
    own : dict of str to ndarray or None
        Those of the importer for the same goods.
    """
    widest = found[_WIDEST]
    n_widest = widest["n"]
    mean = widest["x"] / (np.maximum(n_widest, 1) * SCALE)
    location: Float = np.where(n_widest > 0, mean, np.nan)
    variance = np.full(len(n_widest), FIRST_VARIANCE)
    for label, sums in found.items():
        n, cosines, sines = _without_excess(sums, own)
        turned = np.arctan2(sines, cosines)
        turned += _TURN * np.rint((location - turned) / _TURN)
        weight = np.ones(len(n)) if label == _WIDEST else n / (n + SMOOTHING)
        location = np.where(n > 0, location + weight * (turned - location), location)
        length = np.hypot(sines, cosines) / (np.where(n > 0, n, 1.0) * SCALE)
        # The variance of a wrapped normal distribution from its mean unit vector.
        spread = -2.0 * np.log(np.clip(length, _LEAST_LENGTH, 1.0)) * n
        variance = (spread + SMOOTHING * variance) / (n + SMOOTHING)
    return location, np.maximum(variance, LEAST_VARIANCE)


def _locate_one(
    found: Mapping[str, Mapping[str, int]], own: Mapping[str, int] | None
) -> tuple[float, float]:
    """Return what `_locate` does for a single item, bit-identical, in plain numbers.

    An array operation on one item costs more than the arithmetic. The functions are
    those of numpy here too: others may differ in the last bit.
    """
    n_widest = found[_WIDEST]["n"]
    if not n_widest:
        return math.nan, FIRST_VARIANCE
    location = found[_WIDEST]["x"] / (n_widest * SCALE)
    peers = [_without_excess_of_one(sums, own) for sums in found.values()]
    n_peers, cosines, sines = zip(*peers, strict=True)
    counts = [n if n > 0 else 1.0 for n in n_peers]
    length = np.hypot(sines, cosines) / (np.array(counts) * SCALE)
    logs = np.log(np.clip(length, _LEAST_LENGTH, 1.0)).tolist()
    angles = np.arctan2(sines, cosines).tolist()
    variance = FIRST_VARIANCE
    for label, n, turned, log in zip(found, n_peers, angles, logs, strict=True):
        if n > 0:
            turned += _TURN * round((location - turned) / _TURN)
            weight = 1.0 if label == _WIDEST else n / (n + SMOOTHING)
            location += weight * (turned - location)
        variance = (-2.0 * log * n + SMOOTHING * variance) / (n + SMOOTHING)
    return location, max(variance, LEAST_VARIANCE)


def _without_excess_of_one(
    sums: Mapping[str, int], own: Mapping[str, int] | None
) -> tuple[float, float, float]:
    """Return what `_without_excess` does for a single item, in plain numbers."""
    n, cosines, sines = (float(sums[name]) for name in ("n", "c", "s"))
    if own is not None and (n_own := own["n"]):
        excess = max(1.0 - (n - n_own + SMOOTHING) / n_own, 0.0)
        n -= excess * n_own
        cosines -= excess * own["c"]
        sines -= excess * own["s"]
    return n, cosines, sines


def _without_excess(
    sums: Mapping[str, Int], own: Mapping[str, Int] | None
) -> tuple[Float, Float, Float]:
    """Return number and vector of peers, the importer's own as many as the others."""
    n, cosines, sines = (sums[name].astype(np.float64) for name in ("n", "c", "s"))
    if own is not None:
        most = n - own["n"] + SMOOTHING
        excess = np.maximum(1.0 - most / np.maximum(own["n"], 1), 0.0)
        n -= excess * own["n"]
        cosines -= excess * own["c"]
        sines -= excess * own["s"]
    return n, cosines, sines
