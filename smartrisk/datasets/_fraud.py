"""Mechanisms from true goods to declared ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smartrisk.datasets._economy import PARTNERS, Float, Int, Tariff, Traders

TYPOLOGIES = (
    "none",
    "undervaluation",
    "misclassification",
    "false origin",
    "quantity",
    "phoenix",
    "concealment",
)
CLEAN, UNDER, MISCLASS, ORIGIN, QUANTITY, PHOENIX, HIDDEN = range(7)


@dataclass
class Goods:
    """True goods of every item."""

    line: Int
    day: Int
    code: Int
    origin: Int
    value: Float
    mass: Float
    quantity: Float
    partner: NDArray[np.bool_]
    rate: Float
    order: Int = field(init=False)

    def __post_init__(self) -> None:
        self.order = np.arange(len(self.line))


@dataclass
class Declared:
    """What is declared of every item."""

    typology: Int
    code: Int
    origin: Int
    value: Float
    mass: Float
    quantity: Float
    partner: NDArray[np.bool_]
    rate: Float
    gross_factor: Float
    hidden: Float  # revenue evaded on goods not declared at all


def _habits(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, fraud: float
) -> tuple[Int, Float, Float, Float]:
    """Give lines a fraudulent habit: what, from when, until when, how strongly.

    Opportunity drives it: the odds rise with the duty at stake. Shares follow the
    typologies of commercial fraud: undervaluation most common (50-65 %),
    misclassification 15-25 %, origin 8-15 %, quantity 5-10 %.
    """
    rate = tariff.rate[traders.line_code]
    n = len(rate)
    chance = fraud * 0.09 * (0.15 + np.minimum(rate, 0.3) / 0.09)
    some = rng.random(n) < np.where(traders.trusted[traders.line_importer], 0.2, 1) * (
        chance
    )
    kind = rng.choice(
        [UNDER, MISCLASS, ORIGIN, QUANTITY, HIDDEN], n, p=[0.55, 0.2, 0.12, 0.1, 0.03]
    )
    kind = np.where(some, kind, CLEAN)
    can = tariff.cheaper[traders.line_code] != traders.line_code
    kind[(kind == MISCLASS) & ~can] = UNDER
    foreign = ~PARTNERS[traders.line_origin] & (rate > 0)
    kind[(kind == ORIGIN) & ~foreign] = UNDER
    start = rng.uniform(-300, 700, n)
    stop = start + rng.exponential(420, n) + 60
    return kind, start, stop, rng.uniform(0.55, 0.95, n)


def commit(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    fraud: float,
) -> Declared:
    """Turn true goods into declared ones.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    tariff, traders, goods : Tariff, Traders, Goods
        The honest world.
    fraud : float
        Multiplies the share of fraudulent habits.
    """
    kind, start, stop, zeal = _habits(rng, tariff, traders, fraud)
    line, day = goods.line, goods.day
    n = len(line)
    active = (day >= start[line]) & (day < stop[line]) & (rng.random(n) < zeal[line])
    typology = np.where(active, kind[line], CLEAN)
    shell = traders.ring[traders.line_importer[line]] >= 0
    typology[shell & (rng.random(n) < 0.75)] = PHOENIX
    stray = (typology == CLEAN) & (rng.random(n) < 0.004 * fraud)
    typology[stray] = UNDER
    done = Declared(
        typology,
        goods.code.copy(),
        goods.origin.copy(),
        goods.value.copy(),
        goods.mass.copy(),
        goods.quantity.copy(),
        goods.partner.copy(),
        goods.rate.copy(),
        np.ones(n),
        np.zeros(n),
    )
    _undervalue(rng, goods, done, len(kind))
    _misclassify(tariff, goods, done)
    _change_origin(rng, done)
    _understate(rng, done)
    _conceal(rng, goods, done)
    return done


def _undervalue(
    rng: np.random.Generator, goods: Goods, done: Declared, n_lines: int
) -> None:
    """Declare 0.25-0.75 of the value, the same share for a line, sometimes rounded."""
    rows = np.flatnonzero(np.isin(done.typology, [UNDER, PHOENIX]))
    usual = rng.uniform(0.25, 0.75, n_lines)[goods.line[rows]]
    share = usual * np.exp(rng.normal(0, 0.08, len(rows)))
    value = goods.value[rows] * np.minimum(share, 0.9)
    rounded = rng.random(len(rows)) < 0.2
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(value, 1e-9))) - 1, -2)
    done.value[rows] = np.where(rounded, np.rint(value / step) * step, value)


def _misclassify(tariff: Tariff, goods: Goods, done: Declared) -> None:
    """Declare a neighbour with a lower rate; value and mass stay true."""
    rows = np.flatnonzero(done.typology == MISCLASS)
    code = tariff.cheaper[goods.code[rows]]
    same = code == goods.code[rows]
    done.typology[rows[same]] = CLEAN
    rows, code = rows[~same], code[~same]
    done.code[rows] = code
    done.rate[rows] = np.where(done.partner[rows], 0.0, tariff.rate[code])


def _change_origin(rng: np.random.Generator, done: Declared) -> None:
    """Declare a preference partner as origin; the goods still leave where they did."""
    rows = np.flatnonzero(done.typology == ORIGIN)
    done.origin[rows] = rng.choice(np.flatnonzero(PARTNERS), len(rows))
    done.partner[rows] = True
    done.rate[rows] = 0.0


def _understate(rng: np.random.Generator, done: Declared) -> None:
    """Declare 0.5-0.85 of mass or quantity, and of the value with it."""
    rows = np.flatnonzero(done.typology == QUANTITY)
    share = rng.uniform(0.5, 0.85, len(rows))
    done.quantity[rows] = np.maximum(np.rint(done.quantity[rows] * share), 1.0)
    both = rng.random(len(rows)) < 0.4
    done.mass[rows] = done.mass[rows] * np.where(both, share, 1.0)
    done.value[rows] = done.value[rows] * share


def _conceal(rng: np.random.Generator, goods: Goods, done: Declared) -> None:
    """Hide other goods under the declared ones: only the gross mass may tell."""
    rows = np.flatnonzero(done.typology == HIDDEN)
    done.gross_factor[rows] = rng.uniform(1.0, 1.15, len(rows))
    done.hidden[rows] = goods.value[rows] * rng.uniform(0.1, 0.5, len(rows))
