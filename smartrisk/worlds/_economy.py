"""The economy behind the items: importers, origins, calendar, exchange rates.

Constants without a source are assumptions. They were chosen so that the figures of
`realism` lie within their published bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._law import origin_index
from smartrisk.worlds._random_streams import pick, stream
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import ORIGINS, SECTIONS, Float, Int, Tariff

#: Days of the week from Monday (Korean set, Jeong et al. 2022: Monday 28.6 %,
#: Saturday 3.3, Sunday 2.0; the days between share the rest).
WEEKDAYS = np.array([0.286, 0.17, 0.168, 0.163, 0.16, 0.033, 0.02])
#: Months from January (assumption: a quiet February, a busy autumn).
SEASON = np.array([1.0, 0.85, 1.0, 0.97, 0.98, 0.97, 0.95, 0.97, 1.03, 1.1, 1.12, 1.06])
#: Part of a day's activity that remains on a holiday (assumption).
_HOLIDAY = 0.15
#: Largest swing of a section's own season (assumption).
_SEASONAL = 0.25
#: Standard deviation of the monthly steps of log exchange rates (assumption).
_FX_SPREAD = 0.012
#: Share of the change of an exchange rate that prices pass on (assumption).
_PASSED_ON = 0.6
#: Index of the origin whose currency is the dollar: its rate to itself is constant.
_DOLLAR = int(np.flatnonzero(ORIGINS == "US")[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Importers:
    """Traits of ordinary importers, one entry each."""

    weight: Float  # activity
    birth: Int  # first day
    death: Int  # day after the last
    size: Float  # log factor on the value of an item
    home: Int  # usual code
    declarants: Int  # (n_importers, 2): the usual one, another
    place: Float  # which office of a kind, by its quantile


def make_importers(
    rng: np.random.Generator, tariff: Tariff, n_items: int, span: int
) -> Importers:
    """Draw importers with heavy-tailed activity and lifetimes.

    Activity is log-normal with a spread of 1.2: the top 1 % of the Korean set's
    importers carry 11.6 % of the items, the top 10 % 36.7 %, and 33 % have one item
    (the set is synthesised, which flattens tails; real ones are heavier). First days
    are set so that 10-20 % of a new quarter's importers were never seen (13.3 % there).
    """
    n = max(n_items // 5, 5)  # five items on average
    birth = np.where(rng.random(n) < 0.845, 0, rng.integers(0, span, n))
    life = 120 + rng.exponential(1100, n).astype(np.int64)
    residual = rng.random(n) * life + 1  # of importers that exist at the start
    death = np.where(birth == 0, residual, birth + life).astype(np.int64)
    n_declarants = max(round(n_items**0.65), 4)  # 1,238 on 54,000 rows in Korea
    shares = np.exp(rng.normal(0, 1.35, n_declarants))  # their top 10 %: 51.7 %
    return Importers(
        weight=np.exp(rng.normal(0, 1.2, n)),
        birth=birth,
        death=np.clip(death, birth + 1, span),
        size=rng.normal(0, 1.1, n),
        home=pick(rng, tariff.popularity, n),
        declarants=pick(rng, shares, 2 * n).reshape(n, 2),
        place=rng.random(n) ** 1.6,
    )


def draw_related_code(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw codes of the same chapter, popular ones more often."""
    total = np.append(0.0, np.cumsum(tariff.popularity))
    low = total[np.searchsorted(tariff.chapter, tariff.chapter[code])]
    high = total[np.searchsorted(tariff.chapter, tariff.chapter[code], side="right")]
    drawn = np.searchsorted(total, low + rng.random(len(code)) * (high - low), "right")
    return np.asarray(np.clip(drawn - 1, 0, len(tariff.code) - 1))


def draw_origin(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw origins by the shares of the codes' chapters."""
    u = rng.random(len(code))
    out = np.empty(len(code), np.int64)
    for chapter in np.unique(tariff.chapter[code]):
        rows = np.flatnonzero(tariff.chapter[code] == chapter)
        out[rows] = np.searchsorted(tariff.sourcing[chapter], u[rows], side="right")
    return np.minimum(out, len(ORIGINS) - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """Activity by day, seasons by section, price levels by month.

    Attributes
    ----------
    total : array of shape (span + 1,)
        Cumulated activity at the start of every day, and after the last.
    edges : array of shape (n_months + 1,)
        First day of every month, counted from the start.
    season : array of shape (n_sections, n_months)
        Factor on the activity of a section in a month.
    price : array of shape (n_months, n_origins)
        Log factor on prices of an origin's goods, in national currency per dollar.
    """

    total: Float
    edges: Int
    season: Float
    price: Float


def make_calendar(seed: int, scenario: Scenario) -> Calendar:
    """Draw the days' activity, the sections' seasons and the exchange rates."""
    rng = stream(seed, "calendar")
    days = scenario.first + np.arange(scenario.span)
    weekday = (days.astype(np.int64) + 3) % 7
    month = days.astype("datetime64[M]")
    activity = WEEKDAYS[weekday] * SEASON[month.astype(np.int64) % 12]
    activity *= np.exp(0.04 * np.arange(len(days)) / 365)  # growth of 4 % a year
    activity *= np.exp(rng.normal(0, 0.1, len(days)))
    holiday = np.isin([str(day)[5:] for day in days], scenario.holidays)
    activity *= np.where(holiday, _HOLIDAY, 1.0)
    months = month[0] + np.arange(scenario.n_months + 1)
    edges = (months.astype("datetime64[D]") - scenario.first).astype(np.int64)
    phase = rng.random((len(SECTIONS), 1)) * 12
    swing = rng.random((len(SECTIONS), 1)) * _SEASONAL
    turn = months[:-1].astype(np.int64)[None, :] - phase
    return Calendar(
        total=np.append(0.0, np.cumsum(activity)),
        edges=edges,
        season=1 + swing * np.cos(2 * np.pi * turn / 12),
        price=_draw_price_levels(rng, scenario, edges),
    )


def _draw_price_levels(
    rng: np.random.Generator, scenario: Scenario, edges: Int
) -> Float:
    """Draw log factors on prices by month and origin, from the exchange rates."""
    n, n_origins = len(edges) - 1, len(ORIGINS)
    steps = rng.normal(0, _FX_SPREAD, (n, n_origins))
    steps[:, _DOLLAR] = 0.0
    own = np.cumsum(rng.normal(0, _FX_SPREAD, n))
    rates = np.cumsum(steps, axis=0)
    for change in scenario.changes:
        if change.kind == "exchange rate":
            # A change applies to the months whose middle comes after it.
            late = edges[:-1] >= scenario.day_of(change) - 15
            origin = origin_index(change)
            rows = slice(None) if origin < 0 else [origin]
            rates[np.ix_(late, np.arange(n_origins)[rows])] += np.log1p(change.amount)
    return np.asarray(np.log(scenario.currency) + own[:, None] + _PASSED_ON * rates)
