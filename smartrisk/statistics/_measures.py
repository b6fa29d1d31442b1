"""Figures of indicators: counts, sums, distributions, and estimates from the draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from smartrisk.intervals import wilson_interval
from smartrisk.statistics._controls import STRATA
from smartrisk.statistics._definitions import Definition
from smartrisk.statistics._population import CODES, Level, Population
from smartrisk.statistics._reading import Bool, Float

#: Why a group has no value; the first is for those that have one.
REASONS = (
    "",
    "open: younger than the age at which months are compared",
    "absent: the denominator is empty",
    "not estimable: no random control has a result",
    "not estimable: fewer than 30 random controls have a result",
    "not estimable: the random draw and the claimed items cover less than 95 %",
)
_OPEN, _EMPTY, _NO_RANDOM, _FEW_RANDOM, _UNCOVERED = range(1, len(REASONS))
#: Random controls below which a ratio to their hit rate is mostly chance.
LEAST_RANDOM = 30
#: Least share of the items that an estimate must rest on: what is not covered moves it
#: by 0.05 at most.
_LEAST_COVERED = 0.95
#: Facts of which units are pending until their control has a result.
_OF_RESULTS = frozenset(
    {"result", "hit", "revenue", "refund", "value_gap", "latency_days", "seized"}
)
#: Normal quantile of an interval of 95 %.
_Z = float(ndtri(0.975))


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """One indicator, or a part of it, in the groups of a level.

    Attributes
    ----------
    part : str
        Name of the part; empty for the whole.
    numerator, denominator, value, low, high : ndarray of float64, shape (n_groups,)
        The figure and its interval; missing where there is none.
    n : ndarray of float64, shape (n_groups,)
        Units that the value rests on.
    pending : ndarray of float64, shape (n_groups,)
        Controls without a result that counts.
    reason : ndarray of int8, shape (n_groups,)
        Place in `REASONS`.
    n_effective : ndarray of float64, shape (n_groups,)
        Size of an unweighted sample of the same precision; empty where it is `n`.
    """

    numerator: Float
    denominator: Float
    value: Float
    n: Float
    part: str = ""
    low: Float = field(default_factory=lambda: np.zeros(0))
    high: Float = field(default_factory=lambda: np.zeros(0))
    pending: Float = field(default_factory=lambda: np.zeros(0))
    reason: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    n_effective: Float = field(default_factory=lambda: np.zeros(0))

    @property
    def precision(self) -> Float:
        """Number of units that the interval rests on, shape (n_groups,)."""
        return self.n_effective if len(self.n_effective) else self.n


class Engine:
    """Computes indicators of items and declarations.

    Parameters
    ----------
    populations : mapping of str to Population
        Units by name: "item", "declaration", and "asked", which were asked for.
    definitions : mapping of str to Definition
        All indicators, which rates of others refer to.
    """

    def __init__(
        self,
        populations: Mapping[str, Population],
        definitions: Mapping[str, Definition],
    ) -> None:
        self._populations = populations
        self._definitions = definitions
        #: Sums by cell, which the levels and several indicators share.
        self._sums: dict[object, tuple[Bool, Float, float]] = {}
        self._measures = {
            "amount": self._amount,
            "share": self._share,
            "ratio": self._ratio,
            "split": self._split,
            "distribution": self._distribution,
            "weighted": self._weigh_draw,
            "stratified": self._add_strata,
            "yield": self._yield,
            "lift": self._lift,
        }

    def population(self, one: Definition) -> Population:
        """Return the units of an indicator."""
        return self._populations[one.unit]

    def missing(self, one: Definition) -> str:
        """Return why an indicator is absent; empty where it is not."""
        units, names = self.population(one), self.names(one)
        if one.measure in ("weighted", "stratified", "yield", "lift"):
            names |= {"selected_by", "result"}
        return units.missing(sorted(names))

    def names(self, one: Definition) -> set[str]:
        """Return the facts that an indicator rests on, through other indicators too."""
        names: set[str] = set()
        for expression in (one.upper, one.lower):
            if expression is None:
                continue
            names |= set(expression.names)
            if expression.kind == "rate":
                names |= self.names(self._definitions[expression.name])
        return names | ({one.split} if one.split and one.measure == "split" else set())

    def figures(self, one: Definition) -> Iterator[tuple[Level, Figures]]:
        """Yield the figures of an indicator, by level and part."""
        units = self.population(one)
        names = self.names(one)
        late = units.is_late(names)
        counted = units.closed if late else np.ones(units.n, bool)
        n_counted, n_all = units.count(counted), units.count(np.ones(units.n, bool))
        pending = np.zeros(units.n_cells)
        if names & _OF_RESULTS:
            done = units.flags["result"] & counted
            pending = units.count(units.flags["controlled"] & ~done)
        for level in units.levels:
            is_open = (level.add(n_counted) == 0) & (level.add(n_all) > 0)
            waiting = level.add(pending)
            for figures in self._measures[one.measure](one, units, level, counted):
                yield level, _finish(figures, is_open, waiting)

    def _sum(
        self, text: str, one: Definition, units: Population, counted: Bool
    ) -> tuple[Bool, Float, float]:
        """Return the units of an expression, its sums by cell, and their scale."""
        expression = one.upper if text == "upper" else one.lower
        if expression is None:
            raise ValueError(one.id)
        key = (units.unit, expression, counted is units.closed)
        if key not in self._sums:
            among = units.mask(expression.where) & counted
            if expression.kind == "sum":
                cells = units.cents(units.number(expression.name), among)
                self._sums[key] = among, cells, 100.0
            else:
                self._sums[key] = among, units.count(among), 1.0
        return self._sums[key]

    def _amount(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield a count or a sum."""
        among, cells, scale = self._sum("upper", one, units, counted)
        total = level.add(cells) / scale
        n = level.add(units.count(among))
        yield Figures(numerator=total, denominator=_nothing(total), value=total, n=n)

    def _share(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield a share of counts, with the interval of Wilson."""
        whole, cells, _ = self._sum("lower", one, units, counted)
        key = (one.id, units.unit)
        if key not in self._sums:
            among = units.mask(one.upper.where) & whole
            self._sums[key] = among, units.count(among), 1.0
        yield _rate(level.add(self._sums[key][1]), level.add(cells))

    def _split(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield the share of each code."""
        whole, cells, _ = self._sum("lower", one, units, counted)
        among = units.mask(one.upper.where) & whole
        code, values = units.code(one.split)
        known = CODES.get(one.split, tuple(sorted(values)))
        for name in known:
            part = among & (code == list(values).index(name))
            yield replace(
                _rate(level.add(units.count(part)), level.add(cells)), part=name
            )

    def _ratio(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield a ratio of sums; it is of all units, so it has no interval."""
        _, above, scale = self._sum("upper", one, units, counted)
        among, below, other = self._sum("lower", one, units, counted)
        upper, lower = level.add(above) / scale, level.add(below) / other
        yield Figures(
            numerator=upper,
            denominator=lower,
            value=_divide(upper, lower),
            n=level.add(units.count(among)),
        )

    def _distribution(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield median, 90th percentile and mean, also by a flag."""
        values = units.number(one.upper.name)
        among = units.mask(one.upper.where) & counted
        rising = units.by_value(one.upper.name)
        rising = rising[among[rising]]
        parts = {"": rising}
        if one.split and not units.missing([one.split]):
            flag = units.flag(one.split)[rising]
            parts |= {f"{one.split}, ": rising[flag]}
            parts |= {f"not {one.split}, ": rising[~flag]}
        for name, rows in parts.items():
            group = level.of_cell[units.cell[rows]]
            n, figures = _quantiles(values[rows], group, level.n_groups)
            for statistic, value in figures.items():
                yield Figures(
                    numerator=_nothing(n),
                    denominator=n,
                    value=value,
                    n=n,
                    part=name + statistic,
                )

    def _weigh_draw(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield a rate of the random controls, weighted by the draw."""
        if one.lower is None:
            raise ValueError(one.id)
        among = units.mask(one.lower.where) & counted
        hit = among & units.mask(one.upper.where)
        drawn = _weigh(units, level, among, hit)
        value = _divide(drawn.hits, drawn.total)
        low, high = wilson_interval(value, drawn.n_effective)
        reason = np.where(drawn.n == 0, _NO_RANDOM, 0).astype(np.int8)
        yield Figures(
            numerator=drawn.hits,
            denominator=drawn.total,
            value=value,
            low=low,
            high=high,
            n=drawn.n,
            reason=reason,
            n_effective=drawn.n_effective,
        )

    def _add_strata(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield the estimate for all items: the draw, and claimed items as strata."""
        flags = units.flags
        hit = flags["result"] & units.mask(one.upper.where)
        in_draw = (units.draw > 0) & counted
        code = units.codes["selected_by"]
        drawn = in_draw & flags["result"] & (code == STRATA.index("random"))
        weighed = _weigh(units, level, drawn, drawn & hit)
        rate = np.nan_to_num(_divide(weighed.hits, weighed.total))
        size = np.where(weighed.n > 0, level.add(units.count(in_draw)), 0.0)
        hits, covered = size * rate, size
        variance = size**2 * np.nan_to_num(
            _divide(rate * (1 - rate), weighed.n_effective)
        )
        n = weighed.n
        claimed = np.isnan(units.draw) & flags["controlled"] & counted
        for stratum in range(len(STRATA)):
            rows = claimed & (code == stratum)
            if not rows.any():
                continue
            some = level.add(units.count(rows))
            seen = level.add(units.count(rows & flags["result"]))
            share = np.nan_to_num(_divide(level.add(units.count(rows & hit)), seen))
            some = np.where(seen > 0, some, 0.0)
            left = 1 - np.nan_to_num(_divide(seen, some))
            spread = np.nan_to_num(_divide(share * (1 - share), seen)) * left
            hits, covered = hits + some * share, covered + some
            variance, n = variance + some**2 * spread, n + seen
        lodged = level.add(units.count(counted))
        yield _estimate(hits, covered, variance, weighed, lodged, n)

    def _yield(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield the part of all hits, found and missed, that controls found."""
        if one.lower is None:
            raise ValueError(one.id)
        other = self._definitions[one.lower.name]
        (rate,) = self._measures[other.measure](other, units, level, counted)
        found = level.add(units.count(units.mask(one.upper.where) & counted))
        lodged = level.add(units.count(counted))
        # A missing estimate leaves all of it missing.
        estimate = np.maximum(rate.value * lodged, found)
        yield Figures(
            numerator=found,
            denominator=estimate,
            value=_divide(found, estimate),
            low=_at_most_one(found, rate.high * lodged),
            high=_at_most_one(found, rate.low * lodged),
            n=rate.n,
            reason=rate.reason,
        )

    def _lift(
        self, one: Definition, units: Population, level: Level, counted: Bool
    ) -> Iterator[Figures]:
        """Yield the ratio of two rates, with the interval of its logarithm (Katz)."""
        if one.lower is None:
            raise ValueError(one.id)
        rates: list[Figures] = []
        for expression in (one.upper, one.lower):
            other = self._definitions[expression.name]
            rates += self._measures[other.measure](other, units, level, counted)
        above, below = rates
        value = _divide(above.value, below.value)
        relative = [
            _divide(1 - rate.value, rate.value * rate.precision)
            for rate in (above, below)
        ]
        factor = np.exp(_Z * np.sqrt(relative[0] + relative[1]))
        few = below.n < LEAST_RANDOM
        reason = np.where(below.n == 0, _NO_RANDOM, np.where(few, _FEW_RANDOM, 0))
        yield Figures(
            numerator=above.value,
            denominator=below.value,
            value=np.where(few, np.nan, value),
            low=np.where(few, np.nan, value / factor),
            high=np.where(few, np.nan, value * factor),
            n=below.n,
            reason=reason.astype(np.int8),
        )


@dataclass(frozen=True, eq=False)
class _Weighed:
    """Sums of weighted random controls by group."""

    hits: Float
    total: Float
    n: Float
    n_effective: Float


def _weigh(units: Population, level: Level, among: Bool, hit: Bool) -> _Weighed:
    """Return random controls weighted by the inverse of their draw, in a fixed order.

    The interval is that of an unweighted sample of the same precision (Kish 1965).
    """
    among = among & (units.draw > 0)
    rows = units.in_order(among)
    group = level.of_cell[units.cell[rows]]
    weight = 1 / units.draw[rows]
    n_groups = level.n_groups

    def add(values: Float) -> Float:
        sums = np.bincount(group, values, minlength=n_groups)
        return np.asarray(sums, np.float64)

    total = add(weight)
    return _Weighed(
        hits=add(weight * hit[rows]),
        total=total,
        n=add(np.ones(len(rows))),
        n_effective=_divide(total**2, add(weight**2)),
    )


def _estimate(
    hits: Float,
    covered: Float,
    variance: Float,
    weighed: _Weighed,
    lodged: Float,
    n: Float,
) -> Figures:
    """Return an estimate over strata, with Wilson's interval at its variance."""
    value = _divide(hits, covered)
    spread = _divide(variance, covered**2)
    # Where no drawn item was a hit, the variance is 0, which is too little.
    as_many = np.where(spread > 0, _divide(value * (1 - value), spread), np.nan)
    as_many = np.where(np.isnan(as_many), weighed.n_effective, as_many)
    low, high = wilson_interval(value, as_many)
    thin = covered < _LEAST_COVERED * lodged
    reason = np.where(weighed.n == 0, _NO_RANDOM, np.where(thin, _UNCOVERED, 0))
    kept = reason == 0
    return Figures(
        numerator=np.where(kept, hits, np.nan),
        denominator=np.where(kept, covered, np.nan),
        value=np.where(kept, value, np.nan),
        low=np.where(kept, low, np.nan),
        high=np.where(kept, high, np.nan),
        n=n,
        reason=reason.astype(np.int8),
    )


def _rate(part: Float, whole: Float) -> Figures:
    """Return a share of counts with its interval."""
    value = _divide(part, whole)
    low, high = wilson_interval(value, whole)
    return Figures(
        numerator=part, denominator=whole, value=value, low=low, high=high, n=whole
    )


def _finish(figures: Figures, is_open: Bool, pending: Float) -> Figures:
    """Return figures with their reasons; open groups have none yet."""
    blank = _nothing(figures.value)
    reason = figures.reason if len(figures.reason) else np.zeros(len(blank), np.int8)
    empty = (reason == 0) & np.isnan(figures.value)
    reason = np.where(is_open, _OPEN, np.where(empty, _EMPTY, reason)).astype(np.int8)

    def show(values: Float) -> Float:
        return np.where(is_open, np.nan, values) if len(values) else blank

    return replace(
        figures,
        numerator=show(figures.numerator),
        denominator=show(figures.denominator),
        value=show(figures.value),
        low=show(figures.low),
        high=show(figures.high),
        n=np.where(is_open, 0.0, figures.n),
        pending=pending,
        reason=reason,
    )


def _nothing(like: Float) -> Float:
    """Return missing numbers, as many as there are others."""
    return np.full(len(like), np.nan)


def _divide(above: Float, below: Float) -> Float:
    """Return a quotient; missing where the denominator is 0: absent, never 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0, above / below, np.nan)


def _at_most_one(above: Float, below: Float) -> Float:
    """Return a quotient of at most 1; 1 where the denominator is 0."""
    return np.fmin(np.where(below == 0, 1.0, _divide(above, below)), 1.0)


def _quantiles(
    values: Float, group: NDArray[np.intp], n_groups: int
) -> tuple[Float, dict[str, Float]]:
    """Return the number, median, 90th percentile and mean of rising values by group."""
    # Small numbers are sorted by their digits, without comparisons.
    short = group.astype(np.uint16) if n_groups < 2**16 else group
    order = np.argsort(short, kind="stable")
    x, n = values[order], np.bincount(group, minlength=n_groups)
    start = np.cumsum(n) - n
    some = np.flatnonzero(n)
    out = {}
    for name, q in (("median", 0.5), ("p90", 0.9)):
        place = q * (n[some] - 1)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, n[some] - 1)
        part = place - below
        first = start[some]
        out[name] = np.full(n_groups, np.nan)
        out[name][some] = x[first + below] * (1 - part) + x[first + above] * part
    out["mean"] = np.full(n_groups, np.nan)
    if len(some):
        out["mean"][some] = np.add.reduceat(x, start[some]) / n[some]
    return n.astype(np.float64), out
