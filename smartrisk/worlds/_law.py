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
#: No step raises a rate above this (assumption).
_HIGHEST_RATE = 0.6
#: Share of the pairs of agreement and chapter with an annual quota (assumption).
_QUOTA_SHARE = 0.06
#: Share of the headings that a tariff step without goods changes (assumption).
_STEP_SHARE = 0.25
#: A day after the end of every world.
_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """Points added to the rates of the codes from a day on."""

    day: int
    points: Float  # (n_codes,)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Dumping:
    """An anti-dumping duty on some codes of an origin from a day on."""

    day: int
    codes: Bool  # (n_codes,)
    origin: int
    duty: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edition:
    """Texts of the codes from a day on."""

    day: int
    codes: Text  # (n_codes,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """What applies to goods of a code and an origin on a day, counted from the start.

    Attributes
    ----------
    tariff : Tariff
        The tariff of the first day.
    steps : tuple of _Step
        Changes of the rates.
    duties : tuple of _Dumping
        Anti-dumping duties.
    joins : array of shape (n_origins,)
        Day from which an origin belongs to the last agreement.
    quota : array of shape (n_agreements, 98)
        Day of the year on which the quota of an agreement and chapter is used up.
    editions : tuple of _Edition
        Editions of the nomenclature after the first.
    yearday : array of shape (span + 1,)
        Day of the year of every day.
    """

    tariff: Tariff
    steps: tuple[_Step, ...]
    duties: tuple[_Dumping, ...]
    joins: Int
    quota: Int
    editions: tuple[_Edition, ...]
    yearday: Int

    def rate(self, code: Int, day: Int) -> Float:
        """Return the rates of the tariff."""
        rate = self.tariff.rate[code]
        for step in self.steps:
            changed = np.clip(rate + step.points[code], 0.0, _HIGHEST_RATE)
            rate = np.where(day >= step.day, changed, rate)
        return np.asarray(rate)

    def dumping(self, code: Int, origin: Int, day: Int) -> Float:
        """Return the anti-dumping duties, from which no preference exempts."""
        total = np.zeros(len(code))
        for one in self.duties:
            falls = one.codes[code] & (origin == one.origin) & (day >= one.day)
            total += np.where(falls, one.duty, 0)
        return total

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

    def code_texts(self, code: Int, day: Int) -> Text:
        """Return the text of each code in the edition of its day."""
        n = len(self.tariff.code)
        texts = [self.tariff.code, *(edition.codes for edition in self.editions)]
        number = np.zeros(len(code), np.int64)
        for edition in self.editions:
            number += day >= edition.day
        table = np.concatenate(texts).astype(object)
        return np.asarray(table[number * n + code])


def make_law(seed: int, tariff: Tariff, scenario: Scenario) -> Law:
    """Return the law of a scenario: its changes, and quotas that the seed draws."""
    rng = stream(seed, "law")
    quota = np.full((len(AGREEMENTS) + 1, 98), _NEVER)
    scarce = rng.random((len(AGREEMENTS), 98)) < _QUOTA_SHARE
    quota[:-1][scarce] = rng.integers(200, 340, int(scarce.sum()))
    joins = np.full(len(ORIGINS), _NEVER)
    steps, duties, editions = [], [], []
    texts = tariff.code
    for change in scenario.changes:
        day, codes = scenario.day_of(change), affected_codes(tariff, change)
        origin, amount = origin_index(change), change.amount
        if change.kind == "tariff step":
            if not change.goods:
                codes = _draw_headings(rng, tariff)
            steps.append(_Step(day=day, points=np.where(codes, amount, 0.0)))
        elif change.kind == "anti-dumping":
            duty = _Dumping(day=day, codes=codes, origin=origin, duty=amount)
            duties.append(duty)
        elif change.kind == "trade agreement":
            joins[origin] = day
        elif change.kind == "nomenclature":
            texts = _renumber(rng, texts, codes, amount)
            editions.append(_Edition(day=day, codes=texts))
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


def affected_codes(tariff: Tariff, change: Change) -> Bool:
    """Return which codes a change affects: those of its chapters, or all."""
    if not change.goods:
        return np.ones(len(tariff.code), bool)
    return np.isin(tariff.chapter, [int(chapter) for chapter in change.goods])


def origin_index(change: Change) -> int:
    """Return the index of the origin of a change, -1 for none."""
    places = np.flatnonzero(change.origin == ORIGINS)
    return int(places[0]) if len(places) else -1


def _draw_headings(rng: np.random.Generator, tariff: Tariff) -> Bool:
    """Draw the codes of some of the headings."""
    headings = np.unique(tariff.heading)
    drawn = headings[rng.random(len(headings)) < _STEP_SHARE]
    return np.isin(tariff.heading, drawn)


def _renumber(rng: np.random.Generator, texts: Text, codes: Bool, share: float) -> Text:
    """Return texts in which some codes have another, unused subheading."""
    out, taken = texts.copy(), {str(text)[:6] for text in texts}
    for place in np.flatnonzero(codes & (rng.random(len(texts)) < share)):
        heading, ending = str(texts[place])[:4], str(texts[place])[6:]
        unused = [
            f"{heading}{digits:02d}"
            for digits in range(11, 100)
            if f"{heading}{digits:02d}" not in taken
        ]
        if unused:
            new = unused[int(rng.integers(0, len(unused)))]
            taken.add(new)
            out[place] = new + ending
    return out


def duty_and_tax(value: Float, rate: Float) -> Float:
    """Return duty, and value-added tax on value and duty."""
    return np.asarray(value * (rate + VAT * (1 + rate)))
