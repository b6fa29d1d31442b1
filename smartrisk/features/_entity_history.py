"""What is known about traders, goods and routes before the day of lodgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import check_jobs, check_number
from smartrisk.features._changes import Change, ResultEntries
from smartrisk.features._columns import Columns, Float
from smartrisk.features._compiled import kernels_for
from smartrisk.features._feature_info import FeatureInfo, concept_of_key, source_fields
from smartrisk.features._item_results import ItemResults
from smartrisk.features._keys import (
    DEFAULT_KEYS,
    FEW,
    ByDay,
    Key,
    R,
    T,
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
from smartrisk.features._statistics import (
    AsOf,
    Decay,
    Statistic,
    calls_of,
    default_statistics,
    parse_statistics,
)
from smartrisk.features._sum_tables import (
    SCALE,
    SumTable,
    build_table,
)
from smartrisk.features._transformer import DeclarationTransformer, Matrix
from smartrisk.schema import TRADERS

#: What the hit rate of all items is drawn towards while few results are known, and the
#: inspections that this is worth: one in ten is a usual hit rate of selected items, and
#: ten results outweigh it. It matters in the first days of a history only.
_FIRST_HIT_RATE = 0.1
_FIRST_INSPECTIONS = 10.0

Rates = tuple[Float | ByDay, Float | ByDay]


class EntityHistory(DeclarationTransformer):
    """Activity and results of traders, goods and routes as of each lodgement.

    For every key, unless it names its own statistics: items so far and in the last 90
    days, days since the last and the first item, inspections and hits known, the hit
    rate (all and of 180 days) and the revenue found per inspection, the last three
    drawn towards the parent key's.

    Parameters
    ----------
    keys : tuple of Key, default=DEFAULT_KEYS
        Keys to keep, with the statistics to compute; those whose columns are absent
        are left out.
    half_life : int, default=30
        Days after which an item counts half in the decayed activity of traders.
    smoothing : float, default=10.0
        Inspections that the parent's rate is worth.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int, default=2
        Threads; None for one, or as ``joblib.parallel_config`` says; -1 for every
        processor, -2 for all but one. More than two mostly wait for memory.

    Attributes
    ----------
    keys_ : tuple of Key
        Keys in use.
    items_, results_ : list of SumTable
        The history: sums of items, and of results by the day they were known.
    overall_ : SumTable
        Results of all items.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    Only entries of days strictly before the item's own count, and only results known
    before it: items of the same day do not count for each other, and
    ``fit_transform(X)`` equals ``fit(X).transform(X)``. The rate is
    ``(hits + s * parent) / (inspections + s)``, an empirical-Bayes back-off as in
    Micci-Barreca (2001), computed as of a day.

    The statistics are ``n_items``, ``inspections``, ``hits`` and ``hit_rate``, each
    also over a window of days such as ``n_items__30d``, and ``days_since_last``,
    ``days_since_first``, ``decayed`` and ``revenue_rate``.

    References
    ----------
    Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical
    attributes in classification and prediction problems. SIGKDD Explorations 3(1).

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import EntityHistory, Key
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> key = Key(("importer_id",), statistics=("n_items__30d", "hit_rate"))
    >>> history = EntityHistory(keys=(key,)).fit(world.declarations)
    >>> [str(name) for name in history.get_feature_names_out()]
    ['importer_id__n_items__30d', 'importer_id__hit_rate']
    """

    def __init__(
        self,
        keys: tuple[Key, ...] = DEFAULT_KEYS,
        *,
        half_life: int = 30,
        smoothing: float = 10.0,
        label_delay: int = 30,
        n_jobs: int | None = 2,
    ) -> None:
        self.keys = keys
        self.half_life = half_life
        self.smoothing = smoothing
        self.label_delay = label_delay
        self.n_jobs = n_jobs

    def _check_params(self) -> None:
        """Check the numbers and the statistics of every key."""
        super()._check_params()
        owner = type(self).__name__
        check_number(owner, "half_life", self.half_life, low=1, integer=True)
        check_number(owner, "smoothing", self.smoothing, low=1e-6)
        check_jobs(owner, self.n_jobs)
        check_keys(owner, "keys", self.keys)
        for key in self.keys:
            statistics_of(key)

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Count items and results of every key by day."""
        report_absent_keys(type(self).__name__, self.keys, DEFAULT_KEYS, columns)
        self.keys_ = usable_keys(self.keys, columns)
        encode_keys(columns, self.keys_, self.n_jobs)
        self.items_ = self._parallel(
            lambda key: build_table(columns, key.columns), self.keys_
        )
        entries = ResultEntries.from_results(columns, results)
        if columns.keep and kernels_for(columns.n) is not None:
            columns.events["items"] = Events.of_items(columns)
            columns.events["results"] = entries.events()
        *self.results_, self.overall_ = self._parallel(
            entries.table, [*(key.columns for key in self.keys_), ()]
        )
        self._prepare()

    def _extend(self, change: Change) -> None:
        """Add items and results that come, and take out those that go."""
        for number, key in enumerate(self.keys_):
            if not change.touches(key.fields):
                continue
            self.items_[number] = change.of_counts(self.items_[number], key.columns)
            self.results_[number] = change.of_results(
                self.results_[number], key.columns
            )
        if change.touches(()):
            self.overall_ = change.of_results(self.overall_, ())
        self._prepare()

    def blocks(self) -> dict[str, SumTable]:
        """Return the tables of the history by name."""
        found = {"overall": self.overall_}
        for number, key in enumerate(self.keys_):
            found[f"items.{key.label}"] = self.items_[number]
            found[f"results.{key.label}"] = self.results_[number]
        return found

    def stored_fields(self) -> tuple[set[str], set[str]]:
        """Return the codes and the numbers from which the tables are made."""
        return {field for key in self.keys_ for field in key.fields}, set()

    def _prepare(self) -> None:
        """Derive what look-ups need from keys and sums."""
        self._plan = [statistics_of(key) for key in self.keys_]
        self._calls = [calls_of(plan) for plan in self._plan]
        self._parents = parents_of(self.keys_)
        self._follows = followers(self.keys_)
        self._rated = [
            key.label in self._parents or any(s.needs_results for s in plan)
            for key, plan in zip(self.keys_, self._plan, strict=True)
        ]
        self._decay = Decay(self.half_life)

    def _describe(self) -> list[FeatureInfo]:
        """Return the features of each key in the order of its statistics."""
        return [
            FeatureInfo(
                name=f"{key.label}__{statistic.text}",
                fields=source_fields(key.fields),
                concept=concept_of_key(key.fields, statistic.name),
                statistic=statistic.name,
                window=statistic.window,
                key=key.fields,
                monotone=int(statistic.name == "hit_rate"),
            )
            for key in self.keys_
            for statistic in statistics_of(key)
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Read the history of each key as of the day of each item."""
        encode_keys(columns, self.keys_, self.n_jobs)
        prior = self._overall_rates(columns) if any(self._rated) else None
        rates: dict[str, Rates] = {}
        place = np.cumsum([0, *map(len, self._plan)])

        def one(number: int) -> None:
            key = self.keys_[number]
            above = rates.get(key.parent, prior) if key.parent else prior
            block = out[:, place[number] : place[number + 1]]
            wanted = self._one_key(number, columns, above, block)
            if wanted is not None:
                rates[key.label] = wanted

        for level in depth_levels(self.keys_):
            self._parallel(one, level, few=columns.n <= FEW)

    def _one_key(
        self, number: int, columns: Columns, prior: Rates | None, out: Matrix
    ) -> Rates | None:
        """Write the features of one key; return its rates if others fall back on it."""
        key = self.keys_[number]
        results = self.results_[number].view_for(columns.n)
        columns_out: list[NDArray[Any]] = [
            out[:, column] for column in range(len(self._plan[number]))
        ]
        rates = None
        if key.label in self._parents:
            rates = np.empty(columns.n), np.empty(columns.n)
            columns_out += rates
        pasts = Pasts.make(
            columns,
            key.columns,
            self.items_[number],
            shared=self._follows[number],
            sums=None
            if any(s.name == "decayed" for s in self._plan[number])
            else "items",
            results="results" if self._rated[number] else None,
        )
        made = pasts.buffers(columns_out)
        for queries in pasts.blocks():
            found = AsOf(
                queries.past,
                queries.in_table(results) if self._rated[number] else None,
                prior=_AtPoints(prior, queries),
                smoothing=self.smoothing,
                decay=self._decay,
            )
            for buffer, statistic in zip(made, self._plan[number], strict=False):
                buffer[queries.place] = found.value(statistic)
            if rates is not None:
                made[-2][queries.place] = found.hit_rate(None)
                made[-1][queries.place] = found.revenue_rate(None)
        pasts.spread(made, columns_out)
        return rates

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return the features of a single item, bit-identical to `_one_key`."""
        known = item.look_up((), self.overall_)
        n = known.total("n")
        first = (
            (known.total("hits") + _FIRST_INSPECTIONS * _FIRST_HIT_RATE)
            / (n + _FIRST_INSPECTIONS),
            known.total("revenue") / SCALE / (n + _FIRST_INSPECTIONS),
        )
        rates: dict[str, tuple[float, float]] = {}
        row: list[float] = []
        for number, key in enumerate(self.keys_):
            found = AsOf(
                item.look_up(key.columns, self.items_[number]),
                item.look_up(key.columns, self.results_[number]),
                prior=rates.get(key.parent, first) if key.parent else first,
                smoothing=self.smoothing,
                decay=self._decay,
            )
            row += [call(found, days) for call, days in self._calls[number]]
            if key.label in self._parents:
                rates[key.label] = (found.hit_rate(None), found.revenue_rate(None))
        return row

    def _overall_rates(self, columns: Columns) -> Rates:
        """Return the rates of all items as of each day, drawn towards a usual one."""
        span = day_range(columns)
        known = look_up_days(columns, self.overall_, span)
        n = known.total("n")
        first = np.full(len(span), _FIRST_HIT_RATE)
        rate = shrink(known.total("hits"), n, first, _FIRST_INSPECTIONS)
        revenue = known.total("revenue") / SCALE / (n + _FIRST_INSPECTIONS)
        return ByDay(int(span[0]), rate), ByDay(int(span[0]), revenue)

    def _parallel(
        self, function: Callable[[T], R], work: Sequence[T], *, few: bool = False
    ) -> list[R]:
        """Apply a function to each part of the work, in one thread for few items."""
        return map_parallel(function, work, 1 if few else self.n_jobs)


class _AtPoints:
    """Rates to draw towards, at the points when they are asked for."""

    def __init__(self, rates: Rates | None, queries: Queries) -> None:
        self.rates = rates
        self.queries = queries

    def __getitem__(self, number: int) -> Any:
        return None if self.rates is None else self.queries.prior(self.rates[number])


def statistics_of(key: Key) -> tuple[Statistic, ...]:
    """Return the statistics of its history that a key asks for."""
    trader = key.label in TRADERS
    return parse_statistics(
        default_statistics(trader=trader) if key.statistics is None else key.statistics
    )
