"""Unit values and masses against what peers declared before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    check_jobs,
    check_number,
    check_sequence,
    format_values,
    suggest_nearest,
)
from smartrisk.features._changes import Change
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._compiled import kernels_for, ready
from smartrisk.features._feature_info import FeatureInfo, source_fields
from smartrisk.features._item_results import ItemResults
from smartrisk.features._keys import (
    FEW,
    ByDay,
    Key,
    check_keys,
    day_range,
    depth_levels,
    encode_keys,
    followers,
    map_parallel,
    parents_of,
    report_absent_keys,
    shrink,
    usable_keys,
)
from smartrisk.features._one_item import OneItem
from smartrisk.features._pasts import Pasts, Queries, look_up_days
from smartrisk.features._running import Events
from smartrisk.features._sorted_items import ItemSums
from smartrisk.features._sum_tables import (
    SCALE,
    SumTable,
    build_table,
    quantise,
)
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: measure -> (numerator, denominator), as fields of the declaration
MEASURES = {
    "price_per_kg": ("customs_value", "net_mass_kg"),
    "price_per_unit": ("customs_value", "quantity"),
    "kg_per_unit": ("net_mass_kg", "quantity"),
}

STATISTICS = ("deviation", "z", "n_peers")

#: The keys whose earlier items are peers by default.
PRICE_KEYS = (
    Key(("hs2",)),
    Key(("hs4",), parent="hs2"),
    Key(("hs6",), parent="hs4"),
    Key(("hs6", "origin"), parent="hs6"),
    Key(("importer_id", "hs4"), parent="hs4"),
    Key(("consignor_id", "hs4"), parent="hs4"),
)

#: mean and variance to draw towards, per item or per day
Prior = tuple[Float | ByDay, Float | ByDay]

#: Peers that the mean and the spread of the wider key are worth.
SMOOTHING = 3.0
#: Variance of log prices before any peer is known (a factor of e up or down is usual
#: between goods of all kinds), and the peers that this is worth.
FIRST_VARIANCE = 1.0
_FIRST_PEERS = 3.0
#: Lowest variance of log prices: a standard deviation of 1 %. Peers with one price only
#: would otherwise make z infinite.
LEAST_VARIANCE = 1e-4


def log_ratio(columns: Columns, measure: str) -> Float:
    """Return the log of a measure; NaN where a part is missing or not positive.

    Nobody may write to it: it is computed once where the columns keep it.
    """
    if measure in columns.measures:
        return columns.measures[measure]
    above, below = (columns.number(name) for name in MEASURES[measure])
    good = (above > 0) & (below > 0)
    if good.all():
        ratio = above / below
    else:
        ratio = np.full(columns.n, np.nan)
        np.divide(above, below, out=ratio, where=good)
    logs: Float = np.log(ratio, out=ratio)
    logs.setflags(write=False)
    if columns.keep:
        columns.measures[measure] = logs
    return logs


def log_ratio_one(item: OneItem, measure: str) -> float:
    """Return what `log_ratio` does for a single item."""
    above, below = (item.number(name) for name in MEASURES[measure])
    return float(np.log(above / below)) if above > 0 and below > 0 else math.nan


class PeerPrices(DeclarationTransformer):
    """Log price per kg, price per unit and kg per unit against earlier peers.

    Parameters
    ----------
    keys : tuple of Key, default=PRICE_KEYS
        Who is a peer: items of the same key lodged on an earlier day.
    smoothing : float, default=3.0
        Peers that the parent key's mean and spread are worth.
    label_delay : int, default=30
        Not used: prices are known at lodgement. It is here so that all transformers
        accept it.
    n_jobs : int, default=2
        Threads; None for one, or as ``joblib.parallel_config`` says; -1 for every
        processor, -2 for all but one. More than two mostly wait for memory.

    Attributes
    ----------
    keys_ : tuple of Key
        Keys in use.
    measures_ : tuple of str
        Measures that the columns allow.
    tables_ : list of SumTable
        Sums of measures and their squares per key and day.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    Each measure (``price_per_kg``, ``price_per_unit``, ``kg_per_unit``) has three
    statistics, such as ``price_per_kg_z``; a key that names its own computes no more.
    ``deviation`` is the natural logarithm of the measure over the peers' geometric
    mean: -0.69 is half. ``z`` divides it by the peers' spread; ``n_peers`` counts
    them. Mean and spread are drawn towards the parent key's. A low unit value is a
    reason to ask, not a proof: quality and quantity rebates are legal.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import PeerPrices
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> names = PeerPrices().fit(world.declarations).get_feature_names_out()
    >>> str(names[0])
    'hs2__price_per_kg_deviation'
    """

    def __init__(
        self,
        keys: tuple[Key, ...] = PRICE_KEYS,
        *,
        smoothing: float = SMOOTHING,
        label_delay: int = 30,
        n_jobs: int | None = 2,
    ) -> None:
        self.keys = keys
        self.smoothing = smoothing
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def _check_params(self) -> None:
        """Check the numbers and the statistics of every key."""
        super()._check_params()
        owner = type(self).__name__
        check_number(owner, "smoothing", self.smoothing, low=1e-6)
        check_jobs(owner, self.n_jobs)
        check_keys(owner, "keys", self.keys)
        for key in self.keys:
            price_statistics(key, tuple(MEASURES))

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Add up, by key, the measures that the declared fields allow."""
        declared = tuple(
            name
            for name, fields in MEASURES.items()
            if all(field in columns.names for field in fields)
        )
        report_absent_keys(type(self).__name__, self.keys, PRICE_KEYS, columns)
        keys = usable_keys(self.keys, columns)
        asked = {
            measure for key in keys for measure, _ in price_statistics(key, declared)
        }
        self.measures_ = tuple(name for name in declared if name in asked)
        self.keys_ = keys if self.measures_ else ()
        self.tables_, self.overall_ = self._tables(columns)

    def _extend(self, change: Change) -> None:
        """Add the sums of items that come, and take out those that go."""
        fields = [*(key.fields for key in self.keys_), ()]
        tables = [*self.tables_, self.overall_]
        for columns, leaving in ((change.added, False), (change.removed, True)):
            if columns is not None:
                every, overall = self._tables(columns)
                more = [t.negate() if leaving else t for t in (*every, overall)]
                tables = [
                    table.plus(other) if change.touches(names) else table
                    for names, table, other in zip(fields, tables, more, strict=True)
                ]
        *self.tables_, self.overall_ = tables

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        peers = {
            f"peers.{key.label}": table
            for key, table in zip(self.keys_, self.tables_, strict=True)
        }
        return {"overall": self.overall_} | peers

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        numbers = {field for name in self.measures_ for field in MEASURES[name]}
        return {field for key in self.keys_ for field in key.fields}, numbers

    def _tables(self, columns: Columns) -> tuple[list[SumTable], SumTable]:
        """Add up the items' measures by key and day."""
        encode_keys(columns, self.keys_, self.n_jobs)
        measured = {m: quantise(log_ratio(columns, m)) for m in self.measures_}
        complete = {m: bool(valid.all()) for m, (valid, _) in measured.items()}

        def sums(order: Any) -> dict[str, Int | None]:
            found: dict[str, Int | None] = {}
            for name, (valid, parts) in measured.items():
                part = parts[order]
                counted = None if complete[name] else valid[order].astype(np.int64)
                found[f"{name}:n"] = counted
                found |= {f"{name}:s": part, f"{name}:q": part * part}
            return found

        added = ItemSums(sums, {f"{m}:q": f"{m}:s" for m in measured})
        if columns.keep and kernels_for(columns.n) is not None and added.summands:
            columns.events["prices"] = Events.of_items(columns, added.summands)
        *tables, overall = map_parallel(
            lambda key: build_table(columns, key, added),
            [*(key.columns for key in self.keys_), ()],
            self.n_jobs,
        )
        return tables, overall

    def _describe(self) -> list[FeatureInfo]:
        """Return the features of each key in the order of its statistics."""
        return [
            FeatureInfo(
                name=f"{key.label}__{measure}_{statistic}",
                fields=(*MEASURES[measure], *source_fields(key.fields)),
                concept="quantity" if measure == "kg_per_unit" else "valuation",
                statistic=statistic,
                key=key.fields,
                measure=measure,
            )
            for key in self.keys_
            for measure, statistic in price_statistics(key, self.measures_)
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Compare the measures of items with those of earlier items of their keys."""
        encode_keys(columns, self.keys_, self.n_jobs)
        values = {name: log_ratio(columns, name) for name in self.measures_}
        root = self._root(columns)
        asked = [price_statistics(key, self.measures_) for key in self.keys_]
        place = np.cumsum([0, *map(len, asked)])
        parents, follows = parents_of(self.keys_), followers(self.keys_)
        above: dict[str, Mapping[str, Prior]] = {}

        def one(number: int) -> None:
            key = self.keys_[number]
            prior: Mapping[str, Prior] = (
                above.get(key.parent, root) if key.parent else root
            )
            wanted = asked[number]
            spreads: dict[str, tuple[Float, Float]] = {}
            if key.label in parents:
                spreads = {
                    m: (np.empty(columns.n), np.empty(columns.n))
                    for m in self.measures_
                }
            used = [*spreads] or list(dict.fromkeys(m for m, _ in wanted))
            pasts = Pasts.make(
                columns,
                key.columns,
                self.tables_[number],
                shared=follows[number],
                sums="prices",
                days=False,
            )
            targets: list[NDArray[Any]] = [
                out[:, int(place[number]) + c] for c in range(len(wanted))
            ]
            for pair in spreads.values():
                targets += pair
            write = _write_items if pasts.by_item else _write_points
            write(
                pasts,
                lambda queries: {m: self._peers(queries, m, prior[m]) for m in used},
                _Wanted(wanted, values, tuple(spreads)),
                targets,
            )
            above[key.label] = spreads

        for level in depth_levels(self.keys_):
            map_parallel(one, level, 1 if columns.n <= FEW else self.n_jobs)

    def _compute_one(self, item: OneItem) -> list[float]:
        """Compare the measures of a single item with those of earlier items."""
        s = self.smoothing
        root = self._root_of_one(item)
        value = {name: log_ratio_one(item, name) for name in self.measures_}
        above: dict[str, dict[str, tuple[float, float]]] = {}
        row: list[float] = []
        for number, key in enumerate(self.keys_):
            prior = above.get(key.parent, root) if key.parent else root
            past = item.look_up(key.columns, self.tables_[number])
            found, peers = {}, {}
            for measure in self.measures_:
                n = past.total(f"{measure}:n")
                total = past.total(f"{measure}:s") / SCALE
                squares = past.total(f"{measure}:q") / (SCALE * SCALE)
                mean = (total + s * prior[measure][0]) / (n + s)
                within = max(squares - total * total / max(n, 1), 0.0)
                variance = max(
                    (within + s * prior[measure][1]) / (n + s), LEAST_VARIANCE
                )
                deviation = value[measure] - mean
                z = deviation / math.sqrt(variance)
                peers[measure] = {"deviation": deviation, "z": z, "n_peers": n}
                found[measure] = (mean, variance)
            above[key.label] = found
            row += [peers[m][name] for m, name in price_statistics(key, self.measures_)]
        return row

    def _peers(
        self, queries: Queries, measure: str, prior: Prior
    ) -> tuple[Int, Float, Float]:
        """Return count, mean and variance of the log measure among peers."""
        n, sums, parts = (queries.past.total(f"{measure}:{name}") for name in "nsq")
        if queries.kernels is not None:
            wider = ready(*map(queries.prior, prior))
            figures = np.empty((2, len(n)))
            drawn = (SCALE, float(self.smoothing), LEAST_VARIANCE)
            queries.kernels.draw_peers(*ready(n, sums, parts), *wider, drawn, figures)
            return n, figures[0], figures[1]
        total, squares = sums / SCALE, parts / (SCALE * SCALE)
        mean = shrink(total, n, queries.prior(prior[0]), self.smoothing)
        within = np.maximum(squares - total * total / np.maximum(n, 1), 0.0)
        variance = shrink(within, n, queries.prior(prior[1]), self.smoothing)
        return n, mean, np.maximum(variance, LEAST_VARIANCE)

    def _root_of_one(self, item: OneItem) -> dict[str, tuple[float, float]]:
        """Return what `_root` does for a single item."""
        past = item.look_up((), self.overall_)
        found = {}
        for measure in self.measures_:
            n = past.total(f"{measure}:n")
            total = past.total(f"{measure}:s") / SCALE
            squares = past.total(f"{measure}:q") / (SCALE * SCALE)
            mean = total / n if n else math.nan
            within = max(squares - total * total / max(n, 1), 0.0)
            variance = (within + _FIRST_PEERS * FIRST_VARIANCE) / (n + _FIRST_PEERS)
            found[measure] = (mean, variance)
        return found

    def _root(self, columns: Columns) -> dict[str, tuple[ByDay, ByDay]]:
        """Return mean and variance of all earlier items; NaN mean before the first."""
        span = day_range(columns)
        first = int(span[0])
        past = look_up_days(columns, self.overall_, span)
        found = {}
        for measure in self.measures_:
            n = past.total(f"{measure}:n")
            total = past.total(f"{measure}:s") / SCALE
            squares = past.total(f"{measure}:q") / (SCALE * SCALE)
            count = np.maximum(n, 1)
            mean = np.where(n > 0, total / count, np.nan)
            within = np.maximum(squares - total * total / count, 0.0)
            variance = shrink(
                within, n, np.full(len(span), FIRST_VARIANCE), _FIRST_PEERS
            )
            found[measure] = (ByDay(first, mean), ByDay(first, variance))
        return found


class _Wanted(NamedTuple):
    """What to write for a key: (measure, statistic) pairs, then mean and variance."""

    pairs: Sequence[tuple[str, str]]
    values: Mapping[str, Float]
    spreads: tuple[str, ...]


#: Measure -> count, mean and variance of its log among the peers of some points.
_Peers = dict[str, tuple[Int, Float, Float]]


def _write_items(
    pasts: Pasts,
    peers_of: Callable[[Queries], _Peers],
    wanted: _Wanted,
    targets: Sequence[NDArray[Any]],
) -> None:
    """Write the statistics of items that are their own points."""
    made = pasts.buffers(targets)
    for queries in pasts.blocks():
        peers = peers_of(queries)
        written: list[Any] = []
        for m, name in wanted.pairs:
            n, mean, variance = peers[m]
            if name == "n_peers":
                written.append(n)
                continue
            gap = wanted.values[m][queries.rows] - mean
            written.append(gap if name == "deviation" else gap / np.sqrt(variance))
        for m in wanted.spreads:
            written += peers[m][1:]
        for buffer, values in zip(made, written, strict=True):
            buffer[queries.place] = values
    pasts.spread(made, targets)


def _write_points(
    pasts: Pasts,
    peers_of: Callable[[Queries], _Peers],
    wanted: _Wanted,
    targets: Sequence[NDArray[Any]],
) -> None:
    """Write the statistics of items that share points: mean and variance first."""
    counts = {
        m: np.empty(pasts.n_points, np.float32)
        for m, name in wanted.pairs
        if name == "n_peers"
    }
    points: dict[str, NDArray[np.float64]] = {}
    for queries in pasts.blocks():
        for m, (n, *figures) in peers_of(queries).items():
            if m not in points:
                points[m] = np.empty((2, pasts.n_points))
            points[m][:, queries.place] = figures
            if m in counts:
                counts[m][queries.place] = n
    left = list(targets[len(wanted.pairs) :])
    for place, m in enumerate(wanted.spreads):
        pasts.spread([*points[m]], left[2 * place : 2 * place + 2])
    deviations = {m: np.sqrt(v, out=v) for m, (_, v) in points.items()}
    for (m, name), out in zip(wanted.pairs, targets, strict=False):
        if name == "n_peers":
            pasts.spread([counts[m]], [out])
        else:
            spread = None if name == "deviation" else deviations[m]
            pasts.spread_gap(wanted.values[m], points[m][0], spread, out)


def price_statistics(
    key: Key, measures: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the (measure, statistic) pairs of some measures that a key asks for.

    Raises
    ------
    ArgumentError
        If the key names a statistic that does not exist.
    """
    usual = {f"{m}_{s}": (m, s) for m in MEASURES for s in STATISTICS}
    if key.statistics is None:
        return tuple(pair for pair in usual.values() if pair[0] in measures)
    check_sequence("Key", "statistics", key.statistics, content="names")
    for name in key.statistics:
        if name not in usual:
            raise ArgumentError(
                "features.unknown_price_statistic",
                "Key: 'statistics' holds {text!r}; allowed for prices are "
                "{allowed}.{hint}",
                text=name,
                allowed=format_values(list(usual), 20),
                hint=suggest_nearest(name, usual),
            )
    return tuple(usual[n] for n in key.statistics if usual[n][0] in measures)
