"""Unit values and masses against what peers declared before."""

from __future__ import annotations

import math

import numpy as np

from smartrisk.errors import check_number
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._entity import (
    FEW,
    Key,
    depth_levels,
    look_up,
    shrunk,
    spread,
    usable_keys,
)
from smartrisk.features._history import (
    SCALE,
    Lookup,
    OneLookup,
    Sums,
    SumTable,
    build,
    quantised,
)
from smartrisk.features._info import FeatureInfo, source_fields
from smartrisk.features._results import Results
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: measure -> (numerator, denominator), as fields of the declaration
MEASURES = {
    "price_per_kg": ("customs_value", "net_mass_kg"),
    "price_per_unit": ("customs_value", "quantity"),
    "kg_per_unit": ("net_mass_kg", "quantity"),
}

PRICE_KEYS = (
    Key(("hs2",)),
    Key(("hs4",), parent="hs2"),
    Key(("hs6",), parent="hs4"),
    Key(("hs6", "origin"), parent="hs6"),
    Key(("importer_id", "hs4"), parent="hs4"),
    Key(("consignor_id", "hs4"), parent="hs4"),
)

#: Spread of log prices (standard deviation squared) before any peer is known.
_FIRST_VARIANCE = 1.0


def log_ratio(columns: Columns, measure: str) -> Float:
    """Return the log of a measure; NaN where a part is missing or not positive."""
    above, below = (columns.number(name) for name in MEASURES[measure])
    good = (above > 0) & (below > 0)
    ratio = np.where(good, above, 1.0) / np.where(good, below, 1.0)
    return np.where(good, np.log(ratio), np.nan)


class PeerPrices(DeclarationTransformer):
    """Log price per kg, price per unit and kg per unit against earlier peers.

    Parameters
    ----------
    keys : tuple of Key, default=PRICE_KEYS
        Who is a peer: items of the same key lodged on an earlier day.
    smoothing : float, default=3.0
        Peers that the parent key's mean and spread are worth.
    label_delay : int, default=30
        Not used; kept so that all transformers take it.
    n_jobs : int, default=2
        Threads.

    Attributes
    ----------
    keys_ : tuple of Key
        Keys in use.
    measures_ : tuple of str
        Measures that the columns allow.
    tables_ : list of SumTable
        Sums of measures and their squares per key and day.
    feature_info_ : list of FeatureInfo
        What each column says.

    Notes
    -----
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
        smoothing: float = 3.0,
        label_delay: int = 30,
        n_jobs: int = 2,
    ) -> None:
        self.keys = keys
        self.smoothing = smoothing
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def _check_params(self) -> None:
        check_number(type(self).__name__, "smoothing", self.smoothing, low=1e-6)

    def _learn(self, columns: Columns, results: Results | None) -> None:
        self.measures_ = tuple(
            name
            for name, fields in MEASURES.items()
            if all(field in columns.names for field in fields)
        )
        self.keys_ = usable_keys(self.keys, columns) if self.measures_ else ()
        self.tables_, self.overall_ = self._tables(columns)

    def _extend(self, columns: Columns, results: Results | None) -> None:
        tables, overall = self._tables(columns)
        self.tables_ = [
            SumTable.merged(list(pair))
            for pair in zip(self.tables_, tables, strict=True)
        ]
        self.overall_ = SumTable.merged([self.overall_, overall])

    def _tables(self, columns: Columns) -> tuple[list[SumTable], SumTable]:
        """Add the items' measures up by key and day."""
        for key in self.keys_:
            for name in key.columns:
                columns.base(name)
        sums: Sums = {}
        for name in self.measures_:
            valid, parts = quantised(log_ratio(columns, name))
            sums |= {f"{name}:n": valid, f"{name}:s": parts, f"{name}:q": parts * parts}
        tables = spread(
            lambda key: build(columns, key.columns, sums=sums), self.keys_, self.n_jobs
        )
        return tables, build(columns, (), sums=sums)

    def _describe(self) -> list[FeatureInfo]:
        return [
            FeatureInfo(
                name=f"{key.label}__{measure}_{statistic}",
                fields=(*MEASURES[measure], *source_fields(key.columns)),
                concept="quantity" if measure == "kg_per_unit" else "valuation",
                statistic=statistic,
                key=key.columns,
                measure=measure,
            )
            for key in self.keys_
            for measure in self.measures_
            for statistic in ("deviation", "z", "n_peers")
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        if columns.n == 1:
            out[0] = self._one_item(columns)
            return
        for key in self.keys_:
            for name in key.columns:
                columns.base(name)
        values = {name: log_ratio(columns, name) for name in self.measures_}
        root = self._root(columns)
        needed = {key.parent for key in self.keys_ if key.parent}
        labels = [key.label for key in self.keys_]
        width = 3 * len(self.measures_)
        known: dict[str, list[tuple[Float, Float]]] = {}

        def one(number: int) -> None:
            key = self.keys_[number]
            inherit = key.parent in labels if key.parent else False
            parent = known[str(key.parent)] if inherit else root
            block = out[:, number * width : (number + 1) * width]
            found = self._one_key(number, columns, values, (parent, block))
            if key.label in needed:
                known[key.label] = found

        for level in depth_levels(self.keys_):
            spread(one, level, 1 if columns.n <= FEW else self.n_jobs)

    def _one_key(
        self,
        number: int,
        columns: Columns,
        values: dict[str, Float],
        rest: tuple[list[tuple[Float, Float]], Matrix],
    ) -> list[tuple[Float, Float]]:
        """Write the features of one key; return mean and variance per measure."""
        parent, out = rest
        table = self.tables_[number]
        order, past = look_up(columns, self.keys_[number].columns, table)
        found = []
        for column, measure in enumerate(self.measures_):
            prior = (parent[column][0][order], parent[column][1][order])
            n, mean, variance = self._peers(past, measure, prior)
            deviation = values[measure][order] - mean
            out[order, 3 * column] = deviation
            out[order, 3 * column + 1] = deviation / np.sqrt(variance)
            out[order, 3 * column + 2] = n
            if not isinstance(order, slice):
                back = np.empty((2, columns.n))
                back[0, order], back[1, order] = mean, variance
                mean, variance = back[0], back[1]
            found.append((mean, variance))
        return found

    def _one_item(self, columns: Columns) -> list[float]:
        """Return the features of a single item; the same bits as `_one_key`."""
        day, s = int(columns.day[0]), self.smoothing
        root = [(float(m[0]), float(v[0])) for m, v in self._root(columns)]
        values = [float(log_ratio(columns, name)[0]) for name in self.measures_]
        known: dict[str, list[tuple[float, float]]] = {}
        row: list[float] = []
        for number, key in enumerate(self.keys_):
            parent = known.get(key.parent, root) if key.parent else root
            past = OneLookup(self.tables_[number], columns.one_id(key.columns), day)
            found = []
            for value, prior, measure in zip(
                values, parent, self.measures_, strict=True
            ):
                n = past.total(f"{measure}:n")
                total = past.total(f"{measure}:s") / SCALE
                squares = past.total(f"{measure}:q") / (SCALE * SCALE)
                mean = (total + s * prior[0]) / (n + s)
                within = max(squares - total * total / max(n, 1), 0.0)
                variance = max((within + s * prior[1]) / (n + s), 1e-4)
                deviation = value - mean
                row += (deviation, deviation / math.sqrt(variance), n)
                found.append((mean, variance))
            known[key.label] = found
        return row

    def _peers(
        self, past: Lookup, measure: str, prior: tuple[Float, Float]
    ) -> tuple[Int, Float, Float]:
        """Return count, mean and variance of the log measure among peers."""
        n = past.total(f"{measure}:n")
        total = past.total(f"{measure}:s") / SCALE
        squares = past.total(f"{measure}:q") / (SCALE * SCALE)
        mean = shrunk(total, n, prior[0], self.smoothing)
        within = np.maximum(squares - total * total / np.maximum(n, 1), 0.0)
        variance = shrunk(within, n, prior[1], self.smoothing)
        return n, mean, np.maximum(variance, 1e-4)

    def _root(self, columns: Columns) -> list[tuple[Float, Float]]:
        """Return mean and variance of all earlier items; NaN mean before the first."""
        _, ids = columns.key(())
        at = np.repeat(self.overall_.find(ids), columns.n)
        past = Lookup.make(self.overall_, at, columns.day)
        found = []
        for measure in self.measures_:
            n = past.total(f"{measure}:n")
            total = past.total(f"{measure}:s") / SCALE
            squares = past.total(f"{measure}:q") / (SCALE * SCALE)
            count = np.maximum(n, 1)
            mean = np.where(n > 0, total / count, np.nan)
            within = np.maximum(squares - total * total / count, 0.0)
            variance = shrunk(within, n, np.full(columns.n, _FIRST_VARIANCE), 3.0)
            found.append((mean, variance))
        return found
