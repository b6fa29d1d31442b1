"""What is known of traders, goods and routes as of the day before lodgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import check_number
from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._history import (
    SCALE,
    Lookup,
    OneLookup,
    SortedKey,
    Sums,
    SumTable,
    build,
    quantised,
    sorted_queries,
)
from smartrisk.features._info import FeatureInfo, concept_of_key, source_fields
from smartrisk.features._results import Results
from smartrisk.features._transformer import DeclarationTransformer, Matrix

T = TypeVar("T")
R = TypeVar("R")

#: Up to this many items the queries are not worth sorting.
FEW = 2048


@dataclass(frozen=True)
class Key:
    """Columns whose combination has a history.

    Parameters
    ----------
    columns : tuple of str
        Declaration fields, or hs2, hs4, hs6.
    parent : str, default=None
        Name of the key whose rate stands in while this one has few results;
        None for the rate of all items.
    name : str, default=None
        Name in the features; None joins the columns with ``_x_``.

    Examples
    --------
    >>> from smartrisk.features import Key
    >>> Key(("importer_id", "hs4"), parent="importer_id").label
    'importer_id_x_hs4'
    """

    columns: tuple[str, ...]
    parent: str | None = None
    name: str | None = None

    @property
    def label(self) -> str:
        """Name of the key in feature names."""
        return self.name or "_x_".join(self.columns)


GOODS_LINE = Key(
    ("hs6", "departure", "origin", "duty_rate", "preference", "net_mass_kg"),
    parent="hs6_x_origin",
    name="goods_line",
)

#: The keys that the engine looks at unless told otherwise.
DEFAULT_KEYS = (
    Key(("importer_id",)),
    Key(("declarant_id",)),
    Key(("consignor_id",)),
    Key(("office",)),
    Key(("hs2",)),
    Key(("hs4",), parent="hs2"),
    Key(("hs6",), parent="hs4"),
    Key(("origin",)),
    Key(("importer_id", "hs4"), parent="importer_id"),
    Key(("importer_id", "consignor_id"), parent="importer_id"),
    Key(("hs4", "origin"), parent="hs4"),
    Key(("hs6", "origin"), parent="hs6"),
    Key(("consignor_id", "hs4"), parent="consignor_id"),
    Key(("declarant_id", "consignor_id"), parent="declarant_id"),
    Key(("origin", "departure"), parent="origin"),
    Key(("declarant_id", "office"), parent="declarant_id"),
    GOODS_LINE,
)

_ENTITY = ("importer_id", "declarant_id", "consignor_id")
_RESULT_SUMS = ("n", "hits", "revenue")


def usable_keys(keys: Sequence[Key], columns: Columns) -> tuple[Key, ...]:
    """Return the keys whose columns are there, parents before children."""
    kept = [key for key in keys if all(name in columns for name in key.columns)]
    labels = {key.label for key in kept}
    placed: list[Key] = []
    while kept:
        done = {key.label for key in placed}
        ready = [
            k
            for k in kept
            if not k.parent or k.parent in done or k.parent not in labels
        ]
        placed += ready or kept
        kept = [k for k in kept if k not in ready] if ready else []
    return tuple(placed)


def depth_levels(keys: Sequence[Key]) -> list[list[int]]:
    """Group key numbers by depth, so that a level needs only earlier levels."""
    place = {key.label: number for number, key in enumerate(keys)}
    depth: list[int] = []
    for key in keys:
        parent = place.get(key.parent) if key.parent else None
        depth.append(0 if parent is None else depth[parent] + 1)
    return [
        [number for number, d in enumerate(depth) if d == level]
        for level in range(max(depth, default=-1) + 1)
    ]


def shrunk(
    total: NDArray[Any], n: NDArray[Any], prior: Float, strength: float
) -> Float:
    """Return the mean drawn towards a prior worth `strength` observations."""
    mean: Float = (total + strength * prior) / (n + strength)
    return mean


def spread(function: Callable[[T], R], work: Sequence[T], n_jobs: int) -> list[R]:
    """Apply a function to each part of the work, in threads when that is more."""
    if n_jobs == 1 or len(work) < 2:
        return [function(part) for part in work]
    with ThreadPoolExecutor(n_jobs) as pool:
        return list(pool.map(function, work))


def look_up(
    columns: Columns, key: Sequence[str], table: SumTable
) -> tuple[Int | slice, Lookup]:
    """Return an order of the items and their past in that order."""
    kept = columns.kept.get(tuple(key))
    if kept is not None and kept.entries is table.packed and _complete(kept, columns):
        return kept.order, Lookup.of_learned(table, kept)
    codes, ids = columns.key(key)
    at = np.append(table.find(ids), -1)[codes]
    if columns.n <= FEW:
        return slice(None), Lookup.make(table, at, columns.day)
    order, at, day = sorted_queries(at, columns.day)
    return order, Lookup.make(table, at, day)


def _complete(kept: SortedKey, columns: Columns) -> bool:
    """Tell whether every item has a value of the key."""
    return len(kept.order) == columns.n


class EntityHistory(DeclarationTransformer):
    """Activity and results of traders, goods and routes as of each lodgement.

    For every key: items so far and in a recent window, days since the last and the
    first item, inspections and hits known, the hit rate (all and recent) and the
    revenue found per inspection, drawn towards the parent key's.

    Parameters
    ----------
    keys : tuple of Key, default=DEFAULT_KEYS
        Keys to keep; those whose columns are absent are left out.
    window : int, default=90
        Days of recent activity.
    result_window : int, default=180
        Days of recent results.
    half_life : int, default=30
        Days after which an item counts half in the decayed activity of traders.
    smoothing : float, default=10.0
        Inspections that the parent's rate is worth.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int, default=2
        Threads.

    Attributes
    ----------
    keys_ : tuple of Key
        Keys in use.
    items_, results_ : list of SumTable
        The history: sums of items, and of results by the day they were known.
    overall_ : SumTable
        Results of all items.
    feature_info_ : list of FeatureInfo
        What each column says.

    Notes
    -----
    Only entries of days strictly before the item's own count, and only results known
    before it: items of the same day do not see each other, and
    ``fit_transform(X)`` equals ``fit(X).transform(X)``. The rate is
    ``(hits + s * parent) / (inspections + s)``, an empirical-Bayes back-off as in
    Micci-Barreca (2001), computed as of a day.

    References
    ----------
    Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical
    attributes in classification and prediction problems. SIGKDD Explorations 3(1).

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import EntityHistory, Key
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> history = EntityHistory(keys=(Key(("importer_id",)),))
    >>> history.fit_transform(world.declarations).shape
    (500, 10)
    """

    def __init__(
        self,
        keys: tuple[Key, ...] = DEFAULT_KEYS,
        *,
        window: int = 90,
        result_window: int = 180,
        half_life: int = 30,
        smoothing: float = 10.0,
        label_delay: int = 30,
        n_jobs: int = 2,
    ) -> None:
        self.keys = keys
        self.window = window
        self.result_window = result_window
        self.half_life = half_life
        self.smoothing = smoothing
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def _check_params(self) -> None:
        owner = type(self).__name__
        for name in ("window", "result_window", "half_life"):
            check_number(owner, name, getattr(self, name), low=1, integer=True)
        check_number(owner, "label_delay", self.label_delay, low=0, integer=True)
        check_number(owner, "smoothing", self.smoothing, low=1e-6)

    def _learn(self, columns: Columns, results: Results | None) -> None:
        self.keys_ = usable_keys(self.keys, columns)
        for key in self.keys_:  # encode once, before the threads share it
            for name in key.columns:
                columns.base(name)
        self.items_ = self._parallel(
            lambda key: build(columns, key.columns), self.keys_
        )
        self.results_ = self._parallel(
            lambda key: _result_table(columns, key.columns, results), self.keys_
        )
        self.overall_ = _result_table(columns, (), results)
        self._prepare()

    def _extend(self, columns: Columns, results: Results | None) -> None:
        for number, key in enumerate(self.keys_):
            self.items_[number] = SumTable.merged(
                [self.items_[number], build(columns, key.columns)]
            )
        self._extend_results(columns, results)

    def _extend_results(self, columns: Columns, results: Results | None) -> None:
        """Add results alone, for items whose activity is counted already."""
        if results is not None:
            for number, key in enumerate(self.keys_):
                new = _result_table(columns, key.columns, results)
                self.results_[number] = SumTable.merged([self.results_[number], new])
            new = _result_table(columns, (), results)
            self.overall_ = SumTable.merged([self.overall_, new])
        self._prepare()

    def _prepare(self) -> None:
        """Derive what look-ups need from the sums."""
        rate = np.log(2.0) / self.half_life
        self._decayed = {
            number: decayed_totals(self.items_[number], rate)
            for number, key in enumerate(self.keys_)
            if key.label in _ENTITY
        }

    def _describe(self) -> list[FeatureInfo]:
        infos = []
        for key in self.keys_:
            for statistic, window in self._statistics(key):
                name = f"{key.label}__{statistic}"
                infos.append(
                    FeatureInfo(
                        name=f"{name}__{window}" if window else name,
                        fields=source_fields(key.columns),
                        concept=concept_of_key(key.columns, statistic),
                        statistic=statistic,
                        window=window,
                        key=key.columns,
                        monotone=int(statistic == "hit_rate"),
                    )
                )
        return infos

    def _statistics(self, key: Key) -> list[tuple[str, str | None]]:
        decayed = [("decayed", None)] if key.label in _ENTITY else []
        return [
            ("n_items", None),
            ("n_items", f"{self.window}d"),
            ("days_since_last", None),
            ("days_since_first", None),
            *decayed,
            ("inspections", None),
            ("hits", None),
            ("hit_rate", None),
            ("hit_rate", f"{self.result_window}d"),
            ("revenue_rate", None),
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        if columns.n == 1:
            out[0] = self._one_item(columns)
            return
        for key in self.keys_:
            for name in key.columns:
                columns.base(name)
        prior = self._overall_rates(columns)
        rates: dict[str, tuple[Float, Float]] = {}
        needed = {key.parent for key in self.keys_ if key.parent}
        place = np.cumsum([0, *(len(self._statistics(k)) for k in self.keys_)])
        labels = {key.label for key in self.keys_}

        def one(number: int) -> None:
            key = self.keys_[number]
            inherit = key.parent in labels if key.parent else False
            parent = rates[str(key.parent)] if inherit else prior
            block = out[:, place[number] : place[number + 1]]
            found = self._one_key(number, columns, parent, block)
            if key.label in needed:
                rates[key.label] = found

        for level in depth_levels(self.keys_):
            self._parallel(one, level, few=columns.n <= FEW)

    def _one_key(
        self, number: int, columns: Columns, parent: tuple[Float, Float], out: Matrix
    ) -> tuple[Float, Float]:
        """Write the features of one key; return its rates for the keys below."""
        codes, ids = columns.key(self.keys_[number].columns)
        items, results = self.items_[number], self.results_[number]
        order, past = look_up(columns, self.keys_[number].columns, items)
        codes, day = codes[order], past.day
        values: list[NDArray[np.generic]] = [
            past.total("n"),
            past.total("n", past.since(self.window)),
            past.days_since(),
            past.days_since(first=True),
        ]
        if number in self._decayed:
            values.append(self._decayed_activity(number, past))
        known = Lookup.make(results, np.append(results.find(ids), -1)[codes], day)
        prior = (parent[0][order], parent[1][order])
        found, rate, revenue = self._result_statistics(known, prior)
        for column, value in enumerate([*values, *found]):
            out[order, column] = value
        if isinstance(order, slice):
            return rate, revenue
        back = np.empty((2, columns.n))
        back[0, order], back[1, order] = rate, revenue
        return back[0], back[1]

    def _one_item(self, columns: Columns) -> list[float]:
        """Return the features of a single item; the same bits as `_one_key`."""
        day, s = int(columns.day[0]), self.smoothing
        known = OneLookup(self.overall_, columns.one_id(()), day)
        n = known.total("n")
        first = (
            (known.total("hits") + 10.0 * 0.1) / (n + 10.0),
            known.total("revenue") / SCALE / (n + 10.0),
        )
        rates: dict[str, tuple[float, float]] = {}
        row: list[float] = []
        for number, key in enumerate(self.keys_):
            prior = rates.get(key.parent, first) if key.parent else first
            identity = columns.one_id(key.columns)
            past = OneLookup(self.items_[number], identity, day)
            row += (
                past.total("n"),
                past.total("n", past.since(self.window)),
                past.days_since(),
                past.days_since(first=True),
            )
            if number in self._decayed:
                row.append(self._one_decayed(number, past))
            known = OneLookup(self.results_[number], identity, day)
            recent = known.since(self.result_window)
            n, hits = known.total("n"), known.total("hits")
            rate = (hits + s * prior[0]) / (n + s)
            found, hits_found = known.total("n", recent), known.total("hits", recent)
            revenue = (known.total("revenue") / SCALE + s * prior[1]) / (n + s)
            row += (n, hits, rate, (hits_found + s * rate) / (found + s), revenue)
            rates[key.label] = (rate, revenue)
        return row

    def _one_decayed(self, number: int, past: OneLookup) -> float:
        if past.end == past.start:
            return 0.0
        rate = np.log(2.0) / self.half_life
        weight = np.exp(-rate * np.array([past.days_since()]))[0]
        return float(self._decayed[number][past.end - 1] * weight)

    def _result_statistics(
        self, known: Lookup, prior: tuple[Float, Float]
    ) -> tuple[list[NDArray[np.generic]], Float, Float]:
        recent = known.since(self.result_window)
        n, hits = known.total("n"), known.total("hits")
        rate = shrunk(hits, n, prior[0], self.smoothing)
        n_recent, hits_recent = known.total("n", recent), known.total("hits", recent)
        rate_recent = shrunk(hits_recent, n_recent, rate, self.smoothing)
        revenue = shrunk(known.total("revenue") / SCALE, n, prior[1], self.smoothing)
        return [n, hits, rate, rate_recent, revenue], rate, revenue

    def _decayed_activity(self, number: int, past: Lookup) -> Float:
        table = past.table
        out = np.zeros(len(past.day))
        some = past.end > past.start
        entry = past.end[some] - 1
        gap = past.day[some] - table.day[entry]
        rate = np.log(2.0) / self.half_life
        out[some] = self._decayed[number][entry] * np.exp(-rate * gap)
        return out

    def _overall_rates(self, columns: Columns) -> tuple[Float, Float]:
        """Return the rates of all items as of each day; weakly informed at first."""
        _, ids = columns.key(())
        at = np.repeat(self.overall_.find(ids), columns.n)
        known = Lookup.make(self.overall_, at, columns.day)
        n = known.total("n")
        rate = shrunk(known.total("hits"), n, np.full(columns.n, 0.1), 10.0)
        revenue = known.total("revenue") / SCALE / (n + 10.0)
        return rate, revenue

    def _parallel(
        self, function: Callable[[T], R], work: Sequence[T], *, few: bool = False
    ) -> list[R]:
        return spread(function, work, 1 if few else self.n_jobs)


def _result_table(
    columns: Columns, key: Sequence[str], results: Results | None
) -> SumTable:
    """Make the table of results of one key, by the day they were known."""
    if results is None or not len(results.rows):
        return SumTable.empty(_RESULT_SUMS)
    _, revenue = quantised(np.log1p(results.revenue))
    sums: Sums = {"hits": results.hits, "revenue": revenue}
    return build(columns, key, day=results.day, sums=sums, rows=results.rows)


def decayed_totals(table: SumTable, rate: float) -> Float:
    """Return at each entry the items so far, each weighted by exp(-rate * age).

    A scan by doubling (Hillis and Steele 1986): no running product can overflow, and
    the order of additions depends on the entries alone.
    """
    total = table.sums["n"].astype(np.float64)
    day = table.day
    group = table.packed >> np.int64(17)
    step = 1
    while step < len(total):
        same = group[step:] == group[:-step]
        weight = np.exp(-rate * (day[step:] - day[:-step]))
        weight[~same] = 0.0
        if not (weight > 1e-9).any():
            break
        added = total[:-step] * weight
        total[step:] += added
        step *= 2
    return total
