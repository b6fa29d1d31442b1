"""Mechanisms from true goods to declared ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.datasets._goods import Goods, rounded
from smartrisk.datasets._tariff import (
    AGREEMENT,
    N_CHEAPER,
    PARTNERS,
    Bool,
    Float,
    Int,
    Tariff,
)
from smartrisk.datasets._traders import Traders

#: What can be wrong with an item; the first is nothing.
TYPOLOGIES = (
    "none",
    "undervaluation",
    "misclassification",
    "false origin",
    "quantity",
    "phoenix",
    "concealment",
)
NONE, UNDER, MISCLASS, ORIGIN, QUANTITY, PHOENIX, CONCEAL = range(7)
#: Shares of the illicit items. Undervaluation is the most common in the DATE paper
#: (Kim et al. 2020), before misclassification and false origin; never-seen importers
#: commit 7-10 % of fraud in Tunisia and Nigeria (Customs-Fraud-Detection notebooks).
#: Within those bounds the numbers are assumptions.
SHARES = np.array([0.0, 0.52, 0.18, 0.11, 0.08, 0.08, 0.03])
_ONCE = 0.15  # share of the cases that are no habit (assumption)
_PHOENIX_ZEAL = (
    0.85  # share of a phoenix importer's items that are illicit (assumption)
)
_CONSPICUOUS = 0.996  # quantile of value above which all is true (assumption)
_VAT = 0.15  # value-added tax on value and duty (assumption)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What is declared of every item, and what was done."""

    typology: Int
    code: Int
    origin: Int
    departure: Int
    value: Float
    mass: Float
    gross: Float
    quantity: Float
    preference: Bool
    hidden: Float  # taxes evaded on goods that are not declared at all


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What a relation does between two days, and how often; one entry per relation."""

    typology: Int
    start: Float
    stop: Float
    zeal: Float


def rate_of(tariff: Tariff, code: Int, preference: Bool, exempt: Bool) -> Float:
    """Return the rate that applies: none under a preference or an exemption."""
    return np.where(preference | exempt, 0.0, tariff.rate[code])


def taxes(value: Float, rate: Float) -> Float:
    """Return duty, and value-added tax on value and duty."""
    return np.asarray(value * (rate + _VAT * (1 + rate)))


def n_phoenix_items(n_items: int, illicit: float) -> int:
    """Return how many items phoenix importers lodge."""
    wanted = n_items * illicit * float(SHARES[PHOENIX]) / _PHOENIX_ZEAL
    return min(round(wanted), n_items // 4)


def commit(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    illicit: float,
) -> Declared:
    """Turn true goods into declared ones, `illicit` of them falsely."""
    can = _possible(tariff, goods)
    habits = form_habits(rng, tariff, traders, goods, illicit)
    typology = _practise(rng, habits, goods, can)
    shell = traders.n_fixed[goods.relation] > 0
    typology[shell] = np.where(
        rng.random(int(shell.sum())) < _PHOENIX_ZEAL, PHOENIX, NONE
    )
    _once(rng, tariff, goods, typology, illicit)
    return _declare(rng, tariff, traders, goods, typology)


def _possible(tariff: Tariff, goods: Goods) -> Bool:
    """Return, item by typology, whether the mechanism would change anything.

    Nobody dares with the most valuable items: every office looks at them. (An
    assumption; without it one item may carry most of the revenue of a small world.)
    """
    rate = rate_of(tariff, goods.code, goods.preference, goods.exempt)
    can = np.ones((len(goods.code), len(TYPOLOGIES)), bool)
    can[goods.value > np.quantile(goods.value, _CONSPICUOUS)] = False
    can[:, MISCLASS] &= (rate > 0) & (tariff.cheaper[goods.code, 0] >= 0)
    can[:, ORIGIN] &= (rate > 0) & (AGREEMENT[goods.origin] < 0)
    return can


def _temptation(tariff: Tariff, code: Int) -> Float:
    """Return the relative odds of fraud by the duty at stake."""
    return np.asarray(0.35 + np.minimum(tariff.rate[code], 0.4) / 0.12)


def form_habits(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    illicit: float,
) -> Habits:
    """Give relations habits until each typology has its share of the items.

    Who is drawn first depends on the duty at stake and on the importer; big
    relations are passed over, so that no single one makes the world.
    """
    n, n_items = len(traders), len(goods.code)
    length = traders.last - traders.first
    late = np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    start: Float = np.asarray(traders.first + late * length)
    habits = Habits(
        typology=np.zeros(n, np.int64),
        start=start,
        stop=start + 45 + rng.exponential(240, n),
        zeal=rng.uniform(0.5, 0.95, n),
    )
    can = _possible(tariff, goods)
    row = goods.relation
    active = _active(habits, goods)
    odds = np.log(_temptation(tariff, traders.code))
    odds += traders.importer_integrity[traders.importer]
    odds -= 1.5 * traders.importer_trusted[traders.importer]
    free = traders.n_fixed == 0
    for typology in (ORIGIN, MISCLASS, QUANTITY, CONCEAL, UNDER):
        wanted = illicit * n_items * SHARES[typology] * (1 - _ONCE)
        cases = np.bincount(row[active & can[:, typology]], minlength=n) * habits.zeal
        able = free & (cases > 0) & (cases <= max(0.04 * wanted, 6.0))
        busy = 0.5 * np.log(np.maximum(cases, 0.5))
        order = np.argsort(-(odds + busy + rng.gumbel(size=n)), kind="stable")
        order = order[able[order]]
        enough = int(np.searchsorted(np.cumsum(cases[order]), wanted)) + 1
        chosen = order[: enough if wanted >= 1 else 0]
        habits.typology[chosen] = typology
        free[chosen] = False
    return habits


def _active(habits: Habits, goods: Goods) -> Bool:
    """Return whether the habit of an item's relation, if it has one, was on."""
    row = goods.relation
    on = (goods.day >= habits.start[row]) & (goods.day < habits.stop[row])
    return np.asarray(on & ~goods.spot)


def _practise(rng: np.random.Generator, habits: Habits, goods: Goods, can: Bool) -> Int:
    """Return the typology of every item that a habit makes."""
    row = goods.relation
    kind = habits.typology[row]
    active = _active(habits, goods)
    done = active & (rng.random(len(row)) < habits.zeal[row])
    done &= can[np.arange(len(row)), kind]
    return np.where(done, kind, NONE)


def _once(
    rng: np.random.Generator,
    tariff: Tariff,
    goods: Goods,
    typology: Int,
    illicit: float,
) -> None:
    """Fill each typology up with single cases, where the duty tempts."""
    can = _possible(tariff, goods)
    tempted = rng.random(len(typology)) < _temptation(tariff, goods.code) / 4
    for kind in (UNDER, MISCLASS, ORIGIN, QUANTITY, CONCEAL):
        missing = illicit * SHARES[kind] * len(typology) - (typology == kind).sum()
        rows = np.flatnonzero(tempted & can[:, kind] & (typology == NONE))
        n = min(max(round(missing), 0), len(rows))
        typology[rng.choice(rows, n, replace=False)] = kind


def _declare(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    typology: Int,
) -> Declared:
    """Write the goods down as they are declared."""
    out = Declared(
        typology=typology,
        code=goods.code.copy(),
        origin=goods.origin.copy(),
        departure=goods.departure.copy(),
        value=goods.value.copy(),
        mass=goods.mass.copy(),
        gross=goods.gross.copy(),
        quantity=goods.quantity.copy(),
        preference=goods.preference.copy(),
        hidden=np.zeros(len(typology)),
    )
    n = len(traders)
    _undervalue(rng, tariff, goods, out, n)
    _misclassify(rng, tariff, goods, out, n)
    _change_origin(rng, goods, out, n)
    _understate(rng, tariff, goods, out, n)
    _conceal(rng, tariff, goods, out)
    return out


def _undervalue(
    rng: np.random.Generator, tariff: Tariff, goods: Goods, out: Declared, n: int
) -> None:
    """Declare .25 to .75 of the value, about the same share in a relation.

    A third of the relations write template prices: the same price per kg every time.
    One value in five is rounded to two digits. (The DATE paper plants 0.6 ± 0.1;
    the range, the templates and the rounding are assumptions.)
    """
    usual, template = rng.uniform(0.25, 0.75, n), rng.random(n) < 0.33
    rows = np.flatnonzero(np.isin(out.typology, (UNDER, PHOENIX)))
    relation, code = goods.relation[rows], goods.code[rows]
    share = usual[relation] * np.exp(rng.normal(0, 0.08, len(rows)))
    value = goods.value[rows] * np.clip(share, 0.2, 0.85)
    fixed = goods.mass[rows] * usual[relation]
    price = tariff.log_price[code] + tariff.origin_price[code, goods.origin[rows]]
    fixed *= np.exp(np.round(price, 1))
    below = template[relation] & (fixed < 0.85 * goods.value[rows])
    value = np.where(below, fixed, value)
    even = np.minimum(rounded(value), 0.9 * goods.value[rows])
    out.value[rows] = np.where(rng.random(len(rows)) < 0.2, even, value)


def _misclassify(
    rng: np.random.Generator, tariff: Tariff, goods: Goods, out: Declared, n: int
) -> None:
    """Declare a neighbour with a lower rate; value, mass and quantity stay true."""
    habit = rng.integers(0, N_CHEAPER, n)
    rows = np.flatnonzero(out.typology == MISCLASS)
    out.code[rows] = tariff.cheaper[goods.code[rows], habit[goods.relation[rows]]]


def _change_origin(
    rng: np.random.Generator, goods: Goods, out: Declared, n: int
) -> None:
    """Declare a preference partner as origin; four in ten do ship through it."""
    partner, through = rng.choice(PARTNERS, n), rng.random(n) < 0.4
    rows = np.flatnonzero(out.typology == ORIGIN)
    relation = goods.relation[rows]
    out.origin[rows] = partner[relation]
    out.preference[rows] = True
    out.departure[rows] = np.where(
        through[relation], partner[relation], goods.departure[rows]
    )


def _understate(
    rng: np.random.Generator, tariff: Tariff, goods: Goods, out: Declared, n: int
) -> None:
    """Declare .5 to .85 of the mass or of the quantity, and of the value with it.

    The gross mass stays true for half of those who understate the mass.
    """
    usual, by_mass, careless = (
        rng.uniform(0.5, 0.85, n),
        rng.random(n) < 0.5,
        rng.random(n) < 0.5,
    )
    rows = np.flatnonzero(out.typology == QUANTITY)
    relation, counted = goods.relation[rows], tariff.unit[goods.code[rows]] > 0
    share = np.clip(usual[relation] * np.exp(rng.normal(0, 0.05, len(rows))), 0.4, 0.9)
    mass = by_mass[relation] | ~counted | (goods.quantity[rows] < 3)
    weighed = mass & ~careless[relation]
    out.value[rows] *= share
    out.mass[rows] *= np.where(mass, share, 1.0)
    out.gross[rows] *= np.where(weighed, share, 1.0)
    fewer = np.maximum(np.rint(goods.quantity[rows] * share), 1.0)
    less = np.where(counted, goods.quantity[rows], goods.quantity[rows] * share)
    out.quantity[rows] = np.where(mass, less, fewer)


def _conceal(
    rng: np.random.Generator, tariff: Tariff, goods: Goods, out: Declared
) -> None:
    """Hide other goods under the declared ones: at most the gross mass tells."""
    rows = np.flatnonzero(out.typology == CONCEAL)
    out.gross[rows] *= 1 + rng.uniform(0.0, 0.12, len(rows))
    hidden = np.exp(rng.normal(8.0, 1.2, len(rows)))  # value, assumption
    out.hidden[rows] = taxes(hidden, np.full(len(rows), 0.1))


def evaded(tariff: Tariff, goods: Goods, out: Declared) -> Float:
    """Return the duties and taxes that the false declaration saves."""
    true = rate_of(tariff, goods.code, goods.preference, goods.exempt)
    said = rate_of(tariff, out.code, out.preference, goods.exempt)
    gap = taxes(goods.value, true) - taxes(out.value, said)
    return np.where(out.typology == NONE, 0.0, np.maximum(gap, 0.0) + out.hidden)
