"""Fraud of an independent world: traders with several tricks, and what they declare.

Constants without a source are assumptions; how far declarations deviate varies by
trader and trick.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from smartrisk.worlds._independent._numbers import (
    FIFTIES,
    FIVES,
    HUNDREDS,
    TENS,
    THREE_DIGITS,
    round_to_digits,
    write_amounts,
)
from smartrisk.worlds._independent._presets import IndependentScenario
from smartrisk.worlds._independent._trade import (
    PARTNERS,
    Goods,
    Tariff,
    duty_and_tax,
)
from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._tariff import Bool, Float, Int

#: Kinds in the truth, in the order of `TrickMix`; the first is a true declaration.
KINDS = (
    "none",
    "undervaluation",
    "misclassification",
    "false origin",
    "quantity",
    "concealment",
    "phoenix",
)
UNDER, SWAP, ORIGIN, WEIGHTS, CONCEAL, SHORT_LIVED = range(1, 7)
#: Tricks that few traders can use choose first.
_ORDER = (SHORT_LIVED, ORIGIN, SWAP, CONCEAL, WEIGHTS, UNDER)
#: Share of the illicit items that are single cases.
_SINGLE_SHARE = 0.15
#: Largest part of a trick's items that one trader brings.
_LARGEST_PART = 0.12
#: Part of the time after which other traders take over in a world with a shift.
_SHIFT_AT = 0.55


@dataclass(frozen=True, kw_only=True, eq=False)
class Fraud:
    """What is behind every item, and what is declared."""

    kind: Int
    since: Int  # first day of the trader's use of the trick; the item's for a single
    importer: Int  # name: the trader, or one of its short-lived names
    n_names: int
    code: Int
    origin: Int
    departure: Int
    value: Float
    mass: Float
    gross: Float
    quantity: Float
    preference: Bool
    rate: Float  # duty rate as declared
    evaded: Float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Campaign:
    """Items wanted by trick within some days, and each trader's wish for a trick."""

    days: Bool  # by item
    wanted: Float  # by kind
    wish: Float  # (n_kinds, n_importers)


def commit(
    seed: int,
    goods: Goods,
    tariff: Tariff,
    n_importers: int,
    scenario: IndependentScenario,
) -> Fraud:
    """Draw who commits what, and return the declarations that follow."""
    rng = stream(seed, "independent fraud")
    kind, since = np.zeros(len(goods), np.int64), np.full(len(goods), -1)
    for campaign in _plan(rng, goods, tariff, n_importers, scenario):
        _run(rng, goods, tariff, campaign, kind, since, scenario.span)
    return _declare(rng, goods, tariff, kind, since, n_importers)


def _plan(
    rng: np.random.Generator,
    goods: Goods,
    tariff: Tariff,
    n_importers: int,
    scenario: IndependentScenario,
) -> list[_Campaign]:
    """Return the campaigns: one, or three where other traders take over."""
    share = np.array([0.0, *astuple(scenario.tricks)])
    share /= share.sum()
    late = goods.day >= _SHIFT_AT * scenario.span
    wish = _draw_wishes(rng, goods, tariff, n_importers)
    n, shift = scenario.illicit * len(goods), scenario.shift
    if shift <= 0:
        return [_Campaign(days=np.ones(len(goods), bool), wanted=n * share, wish=wish)]
    n_late = n * float(late.mean())
    other = np.array([0.0, *share[:0:-1]])
    return [
        _Campaign(days=~late, wanted=(n - n_late) * share, wish=wish),
        _Campaign(days=late, wanted=n_late * (1 - shift) * share, wish=wish),
        _Campaign(
            days=late,
            wanted=n_late * shift * other,
            wish=_draw_wishes(rng, goods, tariff, n_importers),
        ),
    ]


def _draw_wishes(
    rng: np.random.Generator, goods: Goods, tariff: Tariff, n: int
) -> Float:
    """Draw how much each trader wants each trick.

    The duty at stake counts, and so do the trader, its broker, and the country and
    chapter of its goods, each with an effect that nobody sees.
    """
    hot = 0.8 * rng.standard_exponential((40, 98)) * (rng.random((40, 98)) < 0.15)
    felt = 5.0 * tariff.rate[goods.code] + hot[goods.origin, tariff.chapter[goods.code]]
    felt += 0.9 * rng.normal(0, 1, n)[goods.broker % n]
    mean: Float = np.bincount(goods.importer, felt, minlength=n).astype(float)
    mean /= np.maximum(np.bincount(goods.importer, minlength=n), 1)
    own = mean + rng.normal(0, 1, n)
    return np.asarray(own + 0.8 * rng.gumbel(0, 1, (len(KINDS), n)))


def _run(
    rng: np.random.Generator,
    goods: Goods,
    tariff: Tariff,
    campaign: _Campaign,
    kind: Int,
    since: Int,
    span: int,
) -> None:
    """Choose traders by wish until each trick has its items; add single cases."""
    n = campaign.wish.shape[1]
    possible = _find_possible(goods, tariff)
    for trick in _ORDER:
        wanted = float(campaign.wanted[trick])
        begin = np.asarray(rng.uniform(-0.4, 0.85, n)) * span
        end = begin + rng.exponential(0.6 * span, n) + 20
        free = possible[trick] & (kind == 0) & campaign.days
        in_time = free & (goods.day >= begin[goods.importer])
        in_time &= goods.day < end[goods.importer]
        count = np.bincount(goods.importer[in_time], minlength=n).astype(float)
        zeal = rng.beta(1.8, 1.5, n)
        if trick == SHORT_LIVED:
            zeal = 0.6 + 0.4 * zeal
            count[count < 4] = 0.0
        most = max(_LARGEST_PART * wanted, 3.0)
        zeal = np.minimum(zeal, most / np.maximum(count, 1.0))
        order = np.argsort(-np.where(count > 0, campaign.wish[trick], -np.inf))
        total = np.cumsum((count * zeal)[order])
        chosen = np.zeros(n, bool)
        steady = (1 - _SINGLE_SHARE) * wanted
        chosen[order[total <= steady]] = True
        chosen &= count > 0
        used = in_time & chosen[goods.importer]
        used &= rng.random(len(goods)) < zeal[goods.importer]
        kind[used] = trick
        since[used] = np.maximum(begin, 0)[goods.importer[used]].astype(np.int64)
        n_single = int(rng.poisson(max(wanted - used.sum(), 0.0)))
        rest = np.flatnonzero(free & ~used)
        if trick != SHORT_LIVED and n_single and len(rest):
            liking = 5.0 * tariff.rate[goods.code[rest]] + rng.gumbel(0, 1, len(rest))
            single = rest[np.argsort(-liking)[:n_single]]
            kind[single], since[single] = trick, goods.day[single]


def _find_possible(goods: Goods, tariff: Tariff) -> Bool:
    """Return which items each trick is possible for, (n_kinds, n_items)."""
    out = np.ones((len(KINDS), len(goods)), bool)
    code = goods.code
    foreign = ~np.isin(goods.origin, PARTNERS)
    out[UNDER] = out[SHORT_LIVED] = goods.value > 10
    out[SWAP] = (tariff.swaps[code, 0] >= 0) & ~goods.preference
    out[ORIGIN] = foreign & tariff.preferred[code] & (tariff.rate[code] > 0)
    out[WEIGHTS] = np.where(
        tariff.unit[code] > 0, goods.quantity >= 4, goods.mass > 2
    ) & (goods.value > 10)
    out[CONCEAL] = goods.mass > 20
    return out


def _declare(
    rng: np.random.Generator,
    goods: Goods,
    tariff: Tariff,
    kind: Int,
    since: Int,
    n_importers: int,
) -> Fraud:
    """Return what is declared in place of the true goods."""
    code, origin = goods.code.copy(), goods.origin.copy()
    departure, preference = goods.departure.copy(), goods.preference.copy()
    value, mass = goods.value.copy(), goods.shown_mass.copy()
    gross, quantity = goods.gross.copy(), goods.shown_quantity.copy()
    importer, n_names = _rename(rng, goods, kind, n_importers)
    low = np.flatnonzero((kind == UNDER) | (kind == SHORT_LIVED))
    value[low] = _draw_low_values(rng, goods, tariff, low, n_importers)
    row = np.flatnonzero(kind == SWAP)
    favourite = rng.integers(0, 3, n_importers)[goods.importer[row]]
    code[row] = tariff.swaps[code[row], favourite]
    row = np.flatnonzero(kind == ORIGIN)
    partner = PARTNERS[rng.integers(0, len(PARTNERS), n_importers)]
    origin[row], preference[row] = partner[goods.importer[row]], True
    through = (rng.random(n_importers) < 0.5)[goods.importer[row]]
    departure[row] = np.where(through, origin[row], departure[row])
    row = np.flatnonzero(kind == WEIGHTS)
    part = rng.uniform(0.4, 0.9, n_importers)[goods.importer[row]]
    part = np.clip(part * np.exp(rng.normal(0, 0.1, len(row))), 0.25, 0.93)
    manner = rng.integers(0, 3, n_importers)[goods.importer[row]]
    counted = tariff.unit[code[row]] > 0
    fewer = np.where(counted & (manner != 1), part, 1.0)
    fewer = np.maximum(np.rint(quantity[row] * fewer), 1.0)
    lighter = np.where(counted & (manner == 2), 1.0, part)
    mass[row] = np.maximum(np.round(mass[row] * lighter, 2), 0.01)
    quantity[row] = np.where(counted, fewer, mass[row])
    gross[row] *= np.where(manner == 0, lighter, 1.0)
    value[row] = write_amounts(rng, value[row] * part, goods.habit[row], quantity[row])
    row = np.flatnonzero(kind == CONCEAL)
    gross[row] *= 1 + rng.uniform(0, 0.06, len(row)) * (rng.random(len(row)) < 0.5)
    hidden = goods.value[row] * np.exp(rng.normal(-0.5, 1.0, len(row)))
    rate = np.where(preference, 0.0, tariff.rate[code])
    value = np.maximum(np.round(value, 2), 0.01)
    owed = duty_and_tax(
        goods.value, np.where(goods.preference, 0.0, tariff.rate[goods.code])
    )
    evaded = np.maximum(owed - duty_and_tax(value, rate), 0.0)
    evaded[row] = duty_and_tax(hidden, np.full(len(row), 0.2))
    # Quantity equals mass where goods are not counted, except after a keying error.
    return Fraud(
        kind=kind,
        since=since,
        importer=importer,
        n_names=n_names,
        code=code,
        origin=origin,
        departure=departure,
        value=value,
        mass=mass,
        gross=np.round(gross, 2),
        quantity=quantity,
        preference=preference,
        rate=rate,
        evaded=np.where(kind > 0, np.round(evaded, 2), 0.0),
    )


def _rename(
    rng: np.random.Generator, goods: Goods, kind: Int, n: int
) -> tuple[Int, int]:
    """Return names of importers: the short-lived take a new one every few weeks."""
    short = np.zeros(n, bool)
    short[goods.importer[kind == SHORT_LIVED]] = True
    weeks = rng.uniform(20, 90, n)
    turn = (goods.day + rng.uniform(0, 90, n)[goods.importer]) // weeks[goods.importer]
    rows = np.flatnonzero(short[goods.importer])
    pair = goods.importer[rows] * 10_000 + turn[rows].astype(np.int64)
    names, place = np.unique(pair, return_inverse=True)
    importer = goods.importer.copy()
    importer[rows] = n + place
    return importer, n + len(names)


def _draw_low_values(
    rng: np.random.Generator, goods: Goods, tariff: Tariff, row: Int, n: int
) -> Float:
    """Draw too low values, in each trader's own manner.

    A fraction of the true value; a price of a piece or kilogram that is remembered;
    an amount invented with the trader's habit of rounding or a coarser one; or the
    price of a lower quality. The fraction scatters around the trader's own.
    """
    actor, true = goods.importer[row], goods.value[row]
    part = rng.uniform(0.3, 0.88, n)[actor] * np.exp(rng.normal(0, 0.13, len(row)))
    part = np.clip(part, 0.12, 0.93)
    manner = rng.choice(4, n, p=[0.4, 0.2, 0.2, 0.2])[actor]
    even = goods.quantity[row]
    memory = (actor * 1_009 + goods.code[row]) % 4_093
    remembered = np.exp(rng.normal(0, 0.12, 4_093))[memory]
    usual = np.exp(goods.log_usual[row]) * goods.mass[row] / np.maximum(even, 1e-9)
    template = round_to_digits(0.6 * usual * remembered, 2) * even
    coarse = rng.choice([FIVES, TENS, FIFTIES, HUNDREDS, THREE_DIGITS], n)
    own = (rng.random(n) < 0.5)[actor]
    habit = np.where(own | (manner != 2), goods.habit[row], coarse[actor])
    poor = goods.mass[row] * np.exp(
        goods.log_usual[row] - 1.5 * tariff.step[goods.code[row]] - 0.2
    )
    value = part * true
    value = np.where((manner == 3) & (poor > 0.1 * true), poor, value)
    value = np.where(value < 0.93 * true, value, part * true)
    written = write_amounts(rng, value, habit, even)
    fits = (manner == 1) & (template < 0.93 * true) & (template > 0.1 * true)
    written = np.where(fits, template, written)
    return np.where(written < 0.95 * true, written, np.round(0.93 * true, 2))
