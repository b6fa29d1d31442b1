"""Habits of writing numbers: how traders round amounts and masses.

The shares of the habits are assumptions; that traders differ in them is the point.
"""

from __future__ import annotations

import numpy as np

from smartrisk.worlds._tariff import Float, Int

#: Habits of writing amounts: to the cent; a price ending (.00, .50, .90, .95, .99);
#: whole units; fives; tens; fifties; hundreds; three digits; a price list, where the
#: price of a piece has few digits and the amount follows from it.
CENTS, ENDINGS, WHOLE, FIVES, TENS, FIFTIES, HUNDREDS, THREE_DIGITS, LIST = range(9)
_STEPS = np.array([0.01, 0.01, 1.0, 5.0, 10.0, 50.0, 100.0, 0.01, 0.01])
_ENDINGS = np.array([0.0, 0.5, 0.9, 0.95, 0.99])


def round_to_digits(value: Float, digits: Int | int) -> Float:
    """Return positive values rounded to a number of significant digits."""
    place = np.floor(np.log10(np.maximum(value, 1e-9))) + 1 - digits
    step = 10.0**place
    return np.asarray(np.rint(value / step) * step)


def write_amounts(
    rng: np.random.Generator, value: Float, habit: Int, pieces: Float
) -> Float:
    """Return amounts as a trader of each habit writes them; never below a cent."""
    step = np.where(value > 8 * _STEPS[habit], _STEPS[habit], 0.01)
    out = np.rint(value / step) * step
    ending = _ENDINGS[rng.integers(0, len(_ENDINGS), len(value))]
    out = np.where((habit == ENDINGS) & (value > 3), np.floor(value) + ending, out)
    out = np.where(habit == THREE_DIGITS, round_to_digits(value, 3), out)
    of_piece = round_to_digits(value / np.maximum(pieces, 1e-9), 2)
    out = np.where(habit == LIST, of_piece * pieces, out)
    return np.asarray(np.maximum(out, 0.01))


def write_masses(
    rng: np.random.Generator, mass: Float, relation: Int, n_relations: int
) -> Float:
    """Return masses as weighed, or as estimated by the relation: kilograms, fives."""
    steps = rng.choice(
        [0.01, 0.1, 0.5, 1.0, 5.0, 10.0],
        n_relations,
        p=[0.4, 0.2, 0.08, 0.2, 0.07, 0.05],
    )
    step = np.where(mass > 8 * steps[relation], steps[relation], 0.01)
    return np.maximum(np.round(np.rint(mass / step) * step, 2), 0.01)
