"""The customs law of a day: rates, agreements, quotas, duties, editions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._changes import Change
from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import (
    AGREEMENT,
    AGREEMENTS,
    LATER,
    ORIGINS,
    Bool,
    Float,
    Int,
    Tariff,
    Text,
)

#: Value-added tax on value and duty (assumption).
VAT = 0.15
_HIGHEST = 0.6  # no step raises a rate above it (assumption)
#: Share of the pairs of agreement and chapter with an annual quota (assumption).
_QUOTAS = 0.06
_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Law:
    """What applies to goods of a code and an origin on a day, counted from the start.

    Attributes
    ----------
    tariff : Tariff
        The tariff of the first day.
    steps : tuple of (day, array of shape (n_codes,))
        Points added to the rates from a day on.
    duties : tuple of (day, array of shape (n_codes,), origin, duty)
        Anti-dumping duties: from when, on which codes, of which origin, how much.
    joins : array of shape (n_origins,)
        Day from which an origin belongs to the last agreement.
    quota : array of shape (n_agreements, 98)
        Day of the year on which the quota of an agreement and chapter is used up.
    editions : tuple of (day, array of shape (n_codes,))
        Texts of the codes from a day on.
    yearday : array of shape (span + 1,)
        Day of the year of every day.
    """

    tariff: Tariff
    steps: tuple[tuple[int, Float], ...]
    duties: tuple[tuple[int, Bool, int, float], ...]
    joins: Int
    quota: Int
    editions: tuple[tuple[int, Text], ...]
    yearday: Int

    def rate(self, code: Int, day: Int) -> Float:
        """Return the rates of the tariff."""
        rate = self.tariff.rate[code]
        for since, points in self.steps:
            rate = np.where(
                day >= since, np.clip(rate + points[code], 0.0, _HIGHEST), rate
            )
        return np.asarray(rate)

    def dumping(self, code: Int, origin: Int, day: Int) -> Float:
        """Return the anti-dumping duties, which no preference takes away."""
        duty = np.zeros(len(code))
        for since, codes, source, size in self.duties:
            duty += np.where(codes[code] & (origin == source) & (day >= since), size, 0)
        return duty

    def duty(self, code: Int, origin: Int, relief: Bool, day: Int) -> Float:
        """Return the rate that is paid, with a relief or without."""
        usual = np.where(relief, 0.0, self.rate(code, day))
        return np.asarray(usual + self.dumping(code, origin, day))

    def agreement(self, code: Int, origin: Int, day: Int) -> Int:
        """Return the agreement whose preference may be claimed, -1 for none."""
        agreement = np.where(day >= self.joins[origin], LATER, AGREEMENT[origin])
        end = self.quota[agreement, self.tariff.chapter[code]]
        used_up = self.yearday[day] > end
        return np.where((agreement >= 0) & ~used_up, agreement, -1)

    def code_table(self, code: Int, day: Int) -> tuple[Text, Int]:
        """Return a table of texts and the place in it of each code on its day."""
        n = len(self.tariff.code)
        texts = [self.tariff.code, *(codes for _, codes in self.editions)]
        edition = np.zeros(len(code), np.int64)
        for since, _ in self.editions:
            edition += day >= since
        return np.concatenate(texts), edition * n + code


def make_law(seed: int, tariff: Tariff, scenario: Scenario) -> Law:
    """Return the law of a scenario: its changes, and quotas that the seed draws."""
    rng = stream(seed, "law")
    quota = np.full((len(AGREEMENTS) + 1, 98), _NEVER)
    scarce = rng.random((len(AGREEMENTS), 98)) < _QUOTAS
    quota[:-1][scarce] = rng.integers(200, 340, int(scarce.sum()))
    joins = np.full(len(ORIGINS), _NEVER)
    steps, duties, editions = [], [], []
    texts = tariff.code
    for change in scenario.changes:
        day, codes = scenario.day_of(change), codes_of(tariff, change)
        if change.kind == "tariff step":
            if not change.goods:
                codes = _some_headings(rng, tariff)
            steps.append((day, np.where(codes, change.amount, 0.0)))
        elif change.kind == "anti-dumping":
            duties.append((day, codes, origin_of(change), change.amount))
        elif change.kind == "trade agreement":
            joins[origin_of(change)] = day
        elif change.kind == "nomenclature":
            texts = _renumbered(rng, texts, codes, change.amount)
            editions.append((day, texts))
    days = scenario.first + np.arange(scenario.span + 1)
    year = days.astype("datetime64[Y]").astype("datetime64[D]")
    return Law(
        tariff=tariff,
        steps=tuple(steps),
        duties=tuple(duties),
        joins=joins,
        quota=quota,
        editions=tuple(editions),
        yearday=(days - year).astype(np.int64) + 1,
    )


def codes_of(tariff: Tariff, change: Change) -> Bool:
    """Return which codes a change bears on: those of its chapters, or all."""
    if not change.goods:
        return np.ones(len(tariff.code), bool)
    return np.isin(tariff.chapter, [int(chapter) for chapter in change.goods])


def origin_of(change: Change) -> int:
    """Return the index of the origin of a change, -1 for none."""
    found = np.flatnonzero(change.origin == ORIGINS)
    return int(found[0]) if len(found) else -1


def _some_headings(rng: np.random.Generator, tariff: Tariff) -> Bool:
    """Draw the codes of a quarter of the headings."""
    headings = np.unique(tariff.heading)
    return np.isin(tariff.heading, headings[rng.random(len(headings)) < 0.25])


def _renumbered(
    rng: np.random.Generator, texts: Text, codes: Bool, share: float
) -> Text:
    """Give some codes another subheading of their heading, one that was free."""
    out, taken = texts.copy(), {str(text)[:6] for text in texts}
    for place in np.flatnonzero(codes & (rng.random(len(texts)) < share)):
        heading, ending = str(texts[place])[:4], str(texts[place])[6:]
        free = [
            f"{heading}{digits:02d}"
            for digits in range(11, 100)
            if f"{heading}{digits:02d}" not in taken
        ]
        if free:
            new = free[int(rng.integers(0, len(free)))]
            taken.add(new)
            out[place] = new + ending
    return out


def taxes(value: Float, rate: Float) -> Float:
    """Return duty, and value-added tax on value and duty."""
    return np.asarray(value * (rate + VAT * (1 + rate)))
