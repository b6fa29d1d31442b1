"""Statistics of a history: their names and how they are computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from smartrisk.errors import (
    ArgumentError,
    check_sequence,
    format_values,
    suggest_nearest,
)
from smartrisk.features._columns import Float, Int
from smartrisk.features._lookups import (
    DAY_MASK,
    Lookup,
    OneLookup,
    OneLookupOfLevels,
)
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._sum_tables import SCALE, SumTable

#: The statistics of a trader's key that names none; goods and places have no "decayed".
USUAL = (
    "n_items",
    "n_items__90d",
    "days_since_last",
    "days_since_first",
    "decayed",
    "inspections",
    "hits",
    "hit_rate",
    "hit_rate__180d",
    "revenue_rate",
)

_WINDOWED = frozenset({"n_items", "inspections", "hits", "hit_rate"})
#: Statistics whose method of `AsOf` has another name.
_METHODS = {"decayed": "decayed_items"}
#: Weight below which an item no longer counts in a decayed total.
_NEGLIGIBLE = 1e-9
_OF_RESULTS = frozenset({"inspections", "hits", "hit_rate", "revenue_rate"})
_NAMES = tuple(dict.fromkeys(name.partition("__")[0] for name in USUAL))
_FORM = re.compile(r"([a-z_]+?)(?:__([1-9]\d{0,4})d)?")


@dataclass(frozen=True)
class Statistic:
    """One statistic of a key, over all history or over a window of days."""

    name: str
    days: int | None = None

    @classmethod
    def parse(cls, text: str) -> Statistic:
        """Read a statistic from the end of a feature's name.

        Raises
        ------
        ArgumentError
            If there is no such statistic, or it has no window.
        """
        found = _FORM.fullmatch(text)
        name, days = found.groups() if found else (text, None)
        if name not in _NAMES or (days and name not in _WINDOWED):
            raise ArgumentError(
                "features.unknown_statistic",
                "Key: 'statistics' holds {text!r}; allowed are {allowed}, and a "
                "window of days for {windowed}, such as 'n_items__90d'.{hint}",
                text=text,
                allowed=format_values(_NAMES, 20),
                windowed=format_values(sorted(_WINDOWED)),
                hint=suggest_nearest(text, _NAMES),
            )
        return cls(name, int(days) if days else None)

    @property
    def window(self) -> str | None:
        """The window as features name it, such as "90d"."""
        return None if self.days is None else f"{self.days}d"

    @property
    def text(self) -> str:
        """The end of the feature's name."""
        return self.name if self.days is None else f"{self.name}__{self.days}d"

    @property
    def needs_results(self) -> bool:
        """Whether it depends on the results of controls."""
        return self.name in _OF_RESULTS


class Decay:
    """Running totals in which an item loses half its weight every half-life.

    They are added up when they are first read, and stay with the entries of a table.
    """

    def __init__(self, half_life: int) -> None:
        self.rate = float(np.log(2.0) / half_life)

    def totals(self, table: SumTable) -> Float:
        """Return the items up to each entry of a merged table."""
        name = f"decayed {self.rate!r}"
        found: Float | None = vars(table).get(name)
        if found is None:
            # Another thread may merge meanwhile, which replaces what is stored here.
            vars(table)[name] = found = decayed_totals(table, self.rate)
        return found

    def at(self, past: Lookup | OneLookup) -> Any:
        """Return the decayed number of items before each day."""
        if isinstance(past, OneLookup):
            return self._at_one(past)
        out = np.zeros(len(past.day))
        some = past.end > past.start
        entry = past.end[some] - 1
        gap = past.day[some] - (past.table.packed[entry] & DAY_MASK)
        out[some] = self.totals(past.table)[entry] * np.exp(-self.rate * gap)
        rows = past.rows_of_several()
        if len(rows):
            out[rows] = self.at(past.merge_levels(rows, ("n",)))
        return out

    def _at_one(self, past: OneLookup) -> float:
        """Return the decayed number of items before the day of a single item."""
        if isinstance(past, OneLookupOfLevels):
            past = past.merge_levels(("n",))
        if past.end == past.start:
            return 0.0
        weight = float(np.exp(-self.rate * past.days_since()))
        return self.totals(past.table).item(past.end - 1) * weight


class AsOf:
    """The statistics of one key as of each item's day, for many items or for one.

    Each method is a statistic; it takes the window in days, None for all history.
    Arrays and plain numbers go through the same arithmetic, so that one item gets
    bit-identical values alone and in a batch.

    Parameters
    ----------
    past : Lookup or OneLookup
        Earlier items.
    known : Lookup, OneLookup or None
        Results known before; None where no statistic needs them.
    prior : sequence
        Hit rate and revenue rate to draw towards, one per item each.
    smoothing : float
        Inspections that the prior is worth.
    decay : Decay or None
        Totals for "decayed".
    """

    __slots__ = ("_rate", "_totals", "decay", "known", "past", "prior", "smoothing")

    def __init__(
        self,
        past: Lookup | OneLookup,
        known: Lookup | OneLookup | None,
        *,
        prior: Any,
        smoothing: float,
        decay: Decay | None,
    ) -> None:
        self.past = past
        self.known = known
        self.prior = prior
        self.smoothing = smoothing
        self.decay = decay
        self._rate: Any = None
        self._totals: dict[str, Any] = {}

    def value(self, statistic: Statistic) -> Any:
        """Return a statistic by its name."""
        name = _METHODS.get(statistic.name, statistic.name)
        return getattr(self, name)(statistic.days)

    def n_items(self, days: int | None) -> Any:
        """Return the number of earlier items."""
        first: Any = self.past.since(days) if days else None
        return self.past.total("n", first)

    def days_since_last(self, days: int | None) -> Any:
        """Return days since the last earlier item; NaN without one."""
        return self.past.days_since()

    def days_since_first(self, days: int | None) -> Any:
        """Return days since the first earlier item; NaN without one."""
        return self.past.days_since(first=True)

    def decayed_items(self, days: int | None) -> Any:
        """Return the number of earlier items, each counting half after a half-life."""
        return cast(Decay, self.decay).at(self.past)

    def inspections(self, days: int | None) -> Any:
        """Return the number of known results."""
        return self._results_total("n", days)

    def hits(self, days: int | None) -> Any:
        """Return the number of known irregularities."""
        if not days:
            return self._results_total("hits", None)
        return self._in_window(cast(Lookup, self.known).since(days))[1]

    def hit_rate(self, days: int | None) -> Any:
        """Return hits per inspection, drawn towards the prior.

        The rate of a window is drawn towards the rate of all history.
        """
        s = self.smoothing
        if self._rate is None:
            n, hits = self._results_total("n", None), self._results_total("hits", None)
            self._rate = (hits + s * self.prior[0]) / (n + s)
        if days is None:
            return self._rate
        n, hits = self._in_window(cast(Lookup, self.known).since(days))
        return (hits + s * self._rate) / (n + s)

    def revenue_rate(self, days: int | None) -> Any:
        """Return log of revenue found per inspection, drawn towards the prior."""
        total = self._results_total("revenue", None) / SCALE
        s = self.smoothing
        return (total + s * self.prior[1]) / (self._results_total("n", None) + s)

    def _in_window(self, first: Any) -> tuple[Any, Any]:
        """Return inspections and hits from an entry on.

        A correction whose first version is older than the window adds no inspection to
        it: there are at most as many hits as inspections, and at least none.
        """
        known = cast(Lookup, self.known)
        n, hits = known.total("n", first), known.total("hits", first)
        if isinstance(hits, int):
            return n, min(max(hits, 0), n)
        return n, np.minimum(np.maximum(hits, 0), n)

    def _results_total(self, name: str, days: int | None) -> Any:
        """Return a sum of the results known, over all history or a window."""
        known = cast(Lookup, self.known)
        if days:
            return known.total(name, known.since(days))
        found = self._totals.get(name)
        if found is None:
            found = self._totals[name] = known.total(name)
        return found


def calls_of(
    statistics: Sequence[Statistic],
) -> tuple[tuple[Callable[..., Any], int | None], ...]:
    """Return the method of `AsOf` and the window of each statistic.

    Looking methods up by name takes a good part of the time of a single item.
    """
    return tuple(
        (getattr(AsOf, _METHODS.get(s.name, s.name)), s.days) for s in statistics
    )


def default_statistics(*, trader: bool) -> tuple[str, ...]:
    """Return the statistics of a key that names none."""
    return tuple(name for name in USUAL if trader or name != "decayed")


def parse_statistics(texts: Sequence[str]) -> tuple[Statistic, ...]:
    """Read the statistics of a key, each once."""
    if isinstance(texts, str):
        raise ArgumentError(
            "features.statistics_not_a_tuple",
            "Key: 'statistics' must be a tuple of names; got the text "
            "{texts!r}. Write ({texts!r},).",
            texts=texts,
        )
    check_sequence("Key", "statistics", texts, content="names")
    return tuple(Statistic.parse(text) for text in dict.fromkeys(texts))


def decayed_totals(table: SumTable, rate: float) -> Float:
    """Return at each entry the items so far, each weighted by exp(-rate * age).

    A scan by doubling (Hillis and Steele 1986): no running product can overflow, and
    the order of additions depends on the entries alone.
    """
    total = table.sums["n"].astype(np.float64)
    day: Int = table.day
    group = table.packed >> np.int64(DAY_BITS)
    step = 1
    while step < len(total):
        one_key = group[step:] == group[:-step]
        weight = np.exp(-rate * (day[step:] - day[:-step]))
        # So that the total of a key does not depend on other keys.
        weight[~one_key | (weight <= _NEGLIGIBLE)] = 0.0
        if not weight.any():
            break
        added = total[:-step] * weight
        total[step:] += added
        step *= 2
    return total
