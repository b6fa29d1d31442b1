"""How numbers are written: habits of rounding, invented amounts, errors of keying.

Every relation has a hand: it writes true amounts to the cent, to whole units, to fives,
with price endings, by digits. Amounts that are invented have a hand of their own, and
only some relations invent amounts. The shares of the hands differ from seed to seed, so
that no one pattern of digits stands for fraud in all worlds. All shares are
assumptions: no administration publishes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._tariff import Float, Int

#: Hands, by the step to which they round; those below are by digits or by endings.
_STEPS = np.array([0.01, 1.0, 5.0, 10.0, 50.0, 100.0])
CENTS, WHOLE, FIVES, TENS, FIFTIES, HUNDREDS = range(len(_STEPS))
#: Hands that keep one to four significant digits.
DIGITS = np.arange(len(_STEPS), len(_STEPS) + 4)
#: Hand that ends in one of some cents.
ENDINGS = len(_STEPS) + len(DIGITS)
_CENTS = np.array([0.0, 0.5, 0.9, 0.95, 0.99])
#: Weights of the hands of true and of invented amounts, in the order of the hands;
#: a world's own shares scatter around them. Amounts to the cent are set apart.
_TRUE = np.array([0.0, 6.0, 3.0, 2.5, 1.5, 1.0, 0.2, 0.8, 2.5, 1.5, 4.0])
_FALSE = np.array([0.0, 3.0, 2.5, 2.5, 2.5, 3.0, 0.8, 4.0, 4.0, 1.0, 1.0])
#: Bounds of a world's share of relations that write true amounts to the cent, and of
#: its share of relations that never invent an amount.
_TO_THE_CENT, _NEVER_INVENT = (0.55, 0.8), (0.15, 0.55)
#: Bounds of a world's share of items whose mass or quantity was keyed in wrongly. (In
#: published import data a few in a thousand unit values are off by powers of ten.)
_KEYING = (0.0008, 0.003)
#: Factors of a keying error: tonnes for kilograms, grams, and the decimal point.
_FACTORS = np.array([1000.0, 0.001, 10.0, 0.1, 100.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Hands:
    """How each relation writes amounts, and how often items are keyed in wrongly."""

    true: Int
    false: Int
    invents: Float  # probability that a false amount is invented
    keying: float


def make_hands(seed: int, n: int) -> Hands:
    """Draw the hands of `n` relations, with shares that differ between seeds."""
    rng = stream(seed, "hands")
    exact, honest = rng.uniform(*_TO_THE_CENT), rng.uniform(*_NEVER_INVENT)
    share = [rng.gamma(weight + 1e-9) for weight in (_TRUE, _FALSE)]
    hands = [rng.choice(len(_TRUE), n, p=s / s.sum()) for s in share]
    keying = float(rng.uniform(*_KEYING))
    often = rng.beta(1.3, 1.0, n)
    return Hands(
        true=np.where(rng.random(n) < exact, CENTS, hands[0]),
        false=hands[1],
        invents=np.where(rng.random(n) < honest, 0.0, often),
        keying=keying,
    )


def write_amounts(rng: np.random.Generator, value: Float, hand: Int) -> Float:
    """Return amounts as each hand writes them; small ones are written to the cent."""
    step = _STEPS[np.minimum(hand, len(_STEPS) - 1)]
    digits = hand - DIGITS[0] + 1
    place = 10.0 ** (np.floor(np.log10(np.maximum(value, 1e-9))) + 1 - digits)
    step = np.where((hand >= DIGITS[0]) & (hand < ENDINGS), place, step)
    small = (value < 5 * step) & (hand < DIGITS[0])
    out = np.where(small, value, np.rint(value / step) * step)
    ending = np.floor(value) + rng.choice(_CENTS, len(value))
    return np.asarray(np.maximum(np.where(hand == ENDINGS, ending, out), 0.01))


def write_false_amounts(
    rng: np.random.Generator, hands: Hands, relation: Int, value: Float
) -> Float:
    """Return false amounts: invented, or as the relation writes true ones."""
    invented = rng.random(len(value)) < hands.invents[relation]
    hand = np.where(invented, hands.false[relation], hands.true[relation])
    return write_amounts(rng, value, hand)


def draw_keying_errors(
    rng: np.random.Generator, hands: Hands, n: int
) -> tuple[Int, Float]:
    """Return the items that are keyed in wrongly, and the factor of each error."""
    row = np.flatnonzero(rng.random(n) < hands.keying)
    return row, _FACTORS[rng.integers(0, len(_FACTORS), len(row))]
