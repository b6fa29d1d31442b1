"""False declarations: for each typology, what is declared in place of the true goods.

Constants without a source are assumptions about how far declarations deviate; the DATE
paper (Kim et al. 2020) plants undervaluation at 0.6 ± 0.1 of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._fraud_habits import (
    CONCEAL,
    ECOMMERCE,
    MISCLASS,
    NONE,
    ORIGIN,
    OVER,
    PROCEDURE,
    QUANTITY,
    SHELL,
    UNDER,
)
from smartrisk.worlds._goods import Goods
from smartrisk.worlds._law import Law, duty_and_tax
from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._tariff import (
    N_CHEAPER,
    PARTNERS,
    Bool,
    Float,
    Int,
    Tariff,
)
from smartrisk.worlds._traders import INWARD, TEMPORARY
from smartrisk.worlds._written_numbers import (
    Hands,
    draw_keying_errors,
    make_hands,
    write_false_amounts,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Declared:
    """What is declared for every item, and the typology behind it."""

    typology: Int
    code: Int
    origin: Int
    departure: Int
    value: Float
    mass: Float
    gross: Float
    quantity: Float
    agreement: Int
    procedure: Int
    hidden: Float  # taxes evaded on goods that are not declared at all


@dataclass(frozen=True, kw_only=True, eq=False)
class Style:
    """How each relation would misdeclare, one entry per relation."""

    hands: Hands
    share: Float  # of the value that is declared
    wavers: Float  # spread of that share, in logs
    template: Bool  # the same price per kg every time
    template_digits: Int  # of that price
    neighbour: Int
    partner: Int
    through: Bool  # the goods do pass through the partner
    less: Float  # share of mass or quantity that is declared
    by_mass: Bool
    careless: Bool  # leaves the gross mass true
    tiny: Float  # share of the value of a parcel
    more: Float  # factor of an overvaluation
    relief: Int


def make_style(seed: int, n: int) -> Style:
    """Draw the styles of `n` relations.

    Undervaluation declares .2 to .85 of the value, a share that some keep and from
    which others stray; a third of these relations use template prices of two to four
    digits (the DATE paper plants 0.6 ± 0.1; the range and the templates are
    assumptions). Parcels show a tenth to a half of the
    price; overvaluation multiplies by 1.5 to 4 (reported: up to 5).
    """
    rng = stream(seed, "style")
    return Style(
        hands=make_hands(seed, n),
        share=0.2 + 0.65 * rng.beta(1.8, 1.8, n),
        wavers=rng.uniform(0.02, 0.25, n),
        template=rng.random(n) < 0.33,
        template_digits=rng.integers(2, 5, n),
        neighbour=rng.integers(0, N_CHEAPER, n),
        partner=rng.choice(PARTNERS, n),
        through=rng.random(n) < 0.4,
        less=rng.uniform(0.5, 0.85, n),
        by_mass=rng.random(n) < 0.5,
        careless=rng.random(n) < 0.5,
        tiny=rng.uniform(0.1, 0.5, n),
        more=rng.uniform(1.5, 4.0, n),
        relief=np.where(rng.random(n) < 0.5, INWARD, TEMPORARY),
    )


def declare(
    rng: np.random.Generator, law: Law, style: Style, goods: Goods, typology: Int
) -> Declared:
    """Return the goods as they are declared."""
    out = Declared(
        typology=typology,
        code=goods.code.copy(),
        origin=goods.origin.copy(),
        departure=goods.departure.copy(),
        value=goods.value.copy(),
        mass=goods.mass.copy(),
        gross=goods.gross.copy(),
        quantity=goods.quantity.copy(),
        agreement=goods.agreement.copy(),
        procedure=goods.procedure.copy(),
        hidden=np.zeros(len(typology)),
    )
    _undervalue(rng, law.tariff, style, goods, out)
    _misclassify(law.tariff, style, goods, out)
    _change_origin(law, style, goods, out)
    _understate(rng, law.tariff, style, goods, out)
    _conceal(rng, goods, out)
    _trim_parcels(rng, style, goods, out)
    _overvalue(rng, style, goods, out)
    _claim_relief(style, goods, out)
    _key_in(rng, law.tariff, style, out)
    return out


def _undervalue(
    rng: np.random.Generator, tariff: Tariff, style: Style, goods: Goods, out: Declared
) -> None:
    """Declare a share of the value, written as the relation writes false amounts.

    A template price does not follow the exchange rate: it stays in the currency and at
    the level of the day on which it was chosen.
    """
    rows = np.flatnonzero(np.isin(out.typology, (UNDER, SHELL)))
    relation, code = goods.relation[rows], goods.code[rows]
    strays = np.exp(style.wavers[relation] * rng.normal(0, 1, len(rows)))
    share = np.clip(style.share[relation] * strays, 0.15, 0.88)
    value = goods.value[rows] * share
    price = tariff.log_price[code] + tariff.origin_price[code, goods.origin[rows]]
    step = 10.0 ** (1 - style.template_digits[relation])
    fixed = goods.mass[rows] * style.share[relation]
    fixed *= np.exp(np.rint(price / step) * step)
    below = style.template[relation] & (fixed < 0.85 * goods.value[rows])
    below &= fixed > 0.15 * goods.value[rows]
    value = np.where(below, fixed, value)
    written = write_false_amounts(rng, style.hands, relation, value)
    kept = below | (written > 0.92 * goods.value[rows])
    out.value[rows] = np.where(kept, value, written)


def _misclassify(tariff: Tariff, style: Style, goods: Goods, out: Declared) -> None:
    """Declare a neighbour with a lower rate; value, mass and quantity stay true."""
    rows = np.flatnonzero(out.typology == MISCLASS)
    habit = style.neighbour[goods.relation[rows]]
    out.code[rows] = tariff.cheaper[goods.code[rows], habit]


def _change_origin(law: Law, style: Style, goods: Goods, out: Declared) -> None:
    """Declare a preference partner as origin; four in ten do ship through it."""
    rows = np.flatnonzero(out.typology == ORIGIN)
    relation = goods.relation[rows]
    partner = style.partner[relation]
    agreement = law.agreement(goods.code[rows], partner, goods.day[rows])
    for other in PARTNERS:  # where a quota is used up, take the next partner
        late = np.flatnonzero(agreement < 0)
        partner[late] = other
        agreement[late] = law.agreement(
            goods.code[rows[late]], partner[late], goods.day[rows[late]]
        )
    out.origin[rows] = partner
    dutiable = law.rate(goods.code[rows], goods.day[rows]) > 0
    out.agreement[rows] = np.where(dutiable & ~goods.exempt[rows], agreement, -1)
    out.departure[rows] = np.where(
        style.through[relation], partner, goods.departure[rows]
    )


def _understate(
    rng: np.random.Generator, tariff: Tariff, style: Style, goods: Goods, out: Declared
) -> None:
    """Declare .5 to .85 of the mass or of the quantity, and of the value with it.

    The gross mass stays true for half of those who understate the mass.
    """
    rows = np.flatnonzero(out.typology == QUANTITY)
    relation, counted = goods.relation[rows], tariff.unit[goods.code[rows]] > 0
    share = style.less[relation] * np.exp(rng.normal(0, 0.05, len(rows)))
    share = np.clip(share, 0.4, 0.9)
    mass = style.by_mass[relation] | ~counted | (goods.quantity[rows] < 3)
    weighed = mass & ~style.careless[relation]
    out.value[rows] *= share
    out.mass[rows] *= np.where(mass, share, 1.0)
    out.gross[rows] *= np.where(weighed, share, 1.0)
    fewer = np.maximum(np.rint(goods.quantity[rows] * share), 1.0)
    less = np.where(counted, goods.quantity[rows], goods.quantity[rows] * share)
    out.quantity[rows] = np.where(mass, less, fewer)


def _conceal(rng: np.random.Generator, goods: Goods, out: Declared) -> None:
    """Hide other goods under the declared ones: at most the gross mass shows it."""
    rows = np.flatnonzero(out.typology == CONCEAL)
    out.gross[rows] *= 1 + rng.uniform(0.0, 0.12, len(rows))
    hidden = np.exp(rng.normal(8.0, 1.2, len(rows)))  # value, assumption
    out.hidden[rows] = duty_and_tax(hidden, np.full(len(rows), 0.1))


def _trim_parcels(
    rng: np.random.Generator, style: Style, goods: Goods, out: Declared
) -> None:
    """Declare a tenth to a half of the price of a parcel."""
    rows = np.flatnonzero(out.typology == ECOMMERCE)
    share = style.tiny[goods.relation[rows]] * np.exp(rng.normal(0, 0.15, len(rows)))
    value = goods.value[rows] * np.clip(share, 0.05, 0.7)
    written = write_false_amounts(rng, style.hands, goods.relation[rows], value)
    out.value[rows] = np.where(written > 0.9 * goods.value[rows], value, written)


def _overvalue(
    rng: np.random.Generator, style: Style, goods: Goods, out: Declared
) -> None:
    """Declare too much for duty-free goods; no tax is evaded."""
    rows = np.flatnonzero(out.typology == OVER)
    more = style.more[goods.relation[rows]] * np.exp(rng.normal(0, 0.1, len(rows)))
    value = goods.value[rows] * np.maximum(more, 1.2)
    written = write_false_amounts(rng, style.hands, goods.relation[rows], value)
    out.value[rows] = np.where(written < 1.1 * goods.value[rows], value, written)


def _claim_relief(style: Style, goods: Goods, out: Declared) -> None:
    """Declare goods that stay as goods for processing, or for temporary admission."""
    rows = np.flatnonzero(out.typology == PROCEDURE)
    out.procedure[rows] = style.relief[goods.relation[rows]]


def _key_in(
    rng: np.random.Generator, tariff: Tariff, style: Style, out: Declared
) -> None:
    """Key in a few masses, or quantities, in a wrong unit or with a wrong point.

    These are errors and no fraud: no duty depends on them.
    """
    row, factor = draw_keying_errors(rng, style.hands, len(out.code))
    counted = tariff.unit[out.code[row]] > 0
    of_mass = ~counted | (rng.random(len(row)) < 0.6)
    out.mass[row] *= np.where(of_mass, factor, 1.0)
    out.gross[row] *= np.where(of_mass, factor, 1.0)
    out.quantity[row] *= np.where(of_mass & counted, 1.0, factor)


def has_relief(
    goods: Goods, agreement: Int, procedure: Int, value: Float, free_value: float
) -> Bool:
    """Return which items pay no duty, by preference, procedure or low value."""
    exempt = np.isin(procedure, (INWARD, TEMPORARY))
    low = goods.parcel & (value <= free_value)
    return np.asarray((agreement >= 0) | exempt | low)


def declared_rate(law: Law, goods: Goods, out: Declared, free_value: float) -> Float:
    """Return the duty rate of each item as it is declared."""
    relief = has_relief(goods, out.agreement, out.procedure, out.value, free_value)
    return law.duty(out.code, out.origin, relief, goods.day)


def compute_evaded_revenue(
    law: Law, goods: Goods, out: Declared, free_value: float
) -> Float:
    """Return the duties and taxes that the false declaration saves.

    Parcels up to the threshold pay no duty, but value-added tax, as in the European
    Union since 2021. The value of the order decides, not that of one of its parcels.
    """
    relief = has_relief(
        goods, goods.agreement, goods.procedure, goods.total, free_value
    )
    owed = law.duty(goods.code, goods.origin, relief, goods.day)
    paid = declared_rate(law, goods, out, free_value)
    gap = duty_and_tax(goods.value, owed) - duty_and_tax(out.value, paid)
    return np.where(out.typology == NONE, 0.0, np.maximum(gap, 0.0) + out.hidden)
