"""Repeatable random numbers: streams by purpose and step, and numbers by item.

Every step of a world draws from its own stream, so that a draw for one purpose changes
no other. What can be needed later and in any order, such as the result of an
inspection, is a function of the item's number alone.
"""

from __future__ import annotations

import numpy as np

from smartrisk.items import GOLDEN, scramble
from smartrisk.worlds._tariff import Float, Int, Text

#: Rounds of the shuffle of names; four already look random (Luby and Rackoff 1988).
_ROUNDS = 6


def stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """Return the generator of a purpose in a step of the world of a seed."""
    return np.random.default_rng([seed, step, *purpose.encode()])


def _purpose_key(seed: int, purpose: str) -> np.uint64:
    """Return the key of a purpose in the world of a seed."""
    entropy = np.random.SeedSequence([seed, *purpose.encode()])
    return np.uint64(entropy.generate_state(1, np.uint64)[0])


def uniforms(seed: int, purpose: str, index: Int) -> Float:
    """Return a number in (0, 1) for each index that depends on the index alone."""
    with np.errstate(over="ignore"):
        z = scramble((index.astype(np.uint64) + np.uint64(1)) * GOLDEN)
        z = scramble(z ^ _purpose_key(seed, purpose))
    return np.asarray(((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def make_names(seed: int, letter: str, index: Int, *, bits: int = 24) -> Text:
    """Return a name for each index that does not reveal the index.

    The number in the name is a permutation of the index (a Feistel network), so that
    names are distinct and their order shows neither age nor kind of a trader.
    """
    half = np.uint64(bits // 2)
    mask = np.uint64((1 << (bits // 2)) - 1)
    key = _purpose_key(seed, "names of " + letter)
    with np.errstate(over="ignore"):
        left = index.astype(np.uint64) >> half
        right = index.astype(np.uint64) & mask
        for turn in range(_ROUNDS):
            drawn = scramble(right + key + np.uint64(turn + 1) * GOLDEN) & mask
            left, right = right, left ^ drawn
    number = (left << half) | right
    low = 10 ** len(str(1 << bits)) // 10  # all names have the same length
    low += 10 * low if (1 << bits) > 9 * low else 0
    return np.char.add(letter, (number + np.uint64(low)).astype(np.str_))


def pick(rng: np.random.Generator, weight: Float, n: int) -> Int:
    """Draw `n` indices in proportion to `weight`."""
    return pick_from(rng, np.cumsum(weight), n)


def pick_from(rng: np.random.Generator, total: Float, n: int) -> Int:
    """Draw `n` indices in proportion to the steps of the cumulated weights."""
    drawn = np.searchsorted(total, rng.random(n) * total[-1], side="right")
    return np.asarray(np.minimum(drawn, len(total) - 1))
