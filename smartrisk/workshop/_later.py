"""A world that changes: what a customs house sees a year after it began to score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.schema import KEY
from smartrisk.worlds import SCENARIOS, Change, World, make_declarations

#: Items of two years: two engines are fitted on parts of them in 3 CPU seconds.
_N_ITEMS = 12_000
#: Months after the start at which the engine was fitted, and today.
_FITTED, _TODAY = 12, 21
_WINDOW = 3
#: What happens between the two: duties rise, trade moves, and phoenix importers come.
_CHANGES = (
    Change(kind="tariff step", month=15, size=0.2),
    Change(kind="sourcing shift", month=15, origin="VN", size=0.8),
    Change(kind="phoenix wave", month=15, size=10.0),
)


@dataclass(frozen=True, kw_only=True)
class Later:
    """Two years of a customs house whose engine was fitted after the first one.

    Parameters
    ----------
    world : World
        The two years.
    seed : int
        Seed of both engines.

    Attributes
    ----------
    fitted_on, day : Timestamp
        When the engine was fitted, and today.
    first_year : DataFrame
        DECLARATIONS that the engine was fitted on.
    last_quarter : DataFrame
        DECLARATIONS of the three months before today.
    items, results : DataFrame
        All DECLARATIONS before today, and OUTCOMES that are known today.
    controls : DataFrame
        Key, `lodged_at`, and `known_at` and `illicit` of each control before today;
        both are missing where the result is not known yet.
    coming : DataFrame
        DECLARATIONS of the three months from today on.
    truth : DataFrame
        What a control of everything finds in them.
    engine : RiskEngine
        The engine of that time; its history goes on until today.
    refitted : RiskEngine
        A new engine, fitted today on `items` and `results`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> later = sr.workshop.Lab(9, sr.workshop.Seat(seed=7)).later
    >>> bool(later.fitted_on < later.last_quarter["lodged_at"].min() < later.day)
    True
    """

    world: World
    seed: int

    def _after(self, months: int) -> pd.Timestamp:
        """Return the day so many months after the start."""
        first = self.world.declarations["lodged_at"].min()
        start = pd.Timestamp(first).normalize().replace(day=1)
        return pd.Timestamp(start + pd.DateOffset(months=months))

    def _between(self, begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        """Return the items lodged from a day until before another."""
        lodged = self.world.declarations["lodged_at"]
        return self.world.declarations[(lodged >= begin) & (lodged < end)]

    def _results_of(self, day: pd.Timestamp) -> pd.DataFrame:
        """Return the results that were known before a day."""
        return self.world.outcomes[self.world.outcomes["known_at"] < day]

    @cached_property
    def fitted_on(self) -> pd.Timestamp:
        """The day on which the engine was fitted."""
        return self._after(_FITTED)

    @cached_property
    def day(self) -> pd.Timestamp:
        """Today."""
        return self._after(_TODAY)

    @cached_property
    def first_year(self) -> pd.DataFrame:
        """The items that the engine was fitted on."""
        return self._between(self._after(0), self.fitted_on)

    @cached_property
    def last_quarter(self) -> pd.DataFrame:
        """The items of the three months before today."""
        return self._between(self._after(_TODAY - _WINDOW), self.day)

    @cached_property
    def items(self) -> pd.DataFrame:
        """All items lodged before today."""
        return self._between(self._after(0), self.day)

    @cached_property
    def results(self) -> pd.DataFrame:
        """All results known before today."""
        return self._results_of(self.day)

    @cached_property
    def controls(self) -> pd.DataFrame:
        """The controls before today, with their results where these are known."""
        key = list(KEY)
        decisions = self.world.decisions()
        chosen = decisions.loc[decisions["selected_by"].notna(), key]
        items = self.items[[*key, "lodged_at"]].merge(chosen, on=key)
        results = self.results[[*key, "known_at", "illicit"]]
        return items.merge(results, on=key, how="left")

    @cached_property
    def coming(self) -> pd.DataFrame:
        """The items of the three months from today on."""
        return self._between(self.day, self._after(_TODAY + _WINDOW))

    @cached_property
    def truth(self) -> pd.DataFrame:
        """What a control of everything finds in the coming items."""
        key = list(KEY)
        return self.world.full_outcomes().merge(self.coming[key], on=key)

    @cached_property
    def engine(self) -> RiskEngine:
        """The engine of that time, its history continued until today."""
        engine = RiskEngine(random_state=self.seed)
        engine.fit(self.first_year, self._results_of(self.fitted_on))
        return engine.update(self.items, self.results)

    @cached_property
    def refitted(self) -> RiskEngine:
        """A new engine, fitted today."""
        return RiskEngine(random_state=self.seed).fit(self.items, self.results)


def make_later(seed: int) -> Later:
    """Return two years in which the trade changes after the engine was fitted."""
    scenario = replace(SCENARIOS["national"], changes=_CHANGES)
    world = make_declarations(_N_ITEMS, scenario=scenario, random_state=seed)
    return Later(world=world, seed=seed % 2**31)
