"""Who imports: importers with lives and heavy-tailed activity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.datasets._tariff import ORIGINS, Float, Int, Tariff, Text


def names(rng: np.random.Generator, letter: str, n: int) -> Text:
    """Return `n` distinct names in no order: nothing can be read from them."""
    high = 10 ** max(7, len(str(n)) + 2)
    numbers = rng.choice(high - high // 10, n, replace=False) + high // 10
    return np.char.add(letter, numbers.astype(np.str_))


@dataclass(frozen=True, kw_only=True)
class Importers:
    """What importers bring to their relations."""

    weight: Float
    birth: Int
    death: Int
    size: Float
    home: Int
    declarants: Int  # (n_importers, 2): the usual one, another
    place: Float  # which office of a kind, by its quantile


def make_importers(
    rng: np.random.Generator, tariff: Tariff, n_items: int, span: int
) -> Importers:
    """Draw importers with heavy-tailed activity and lives.

    Activity is log-normal with a spread of 1.2: the top 1 % of the Korean set's
    importers carry 11.6 % of the rows, the top 10 % 36.7 %, 33 % come once (its
    synthesis flattens; real tails are heavier). Births are set so that 10-20 % of a
    new quarter's importers were never seen (13.3 % there).
    """
    n = max(n_items // 5, 5)
    birth = np.where(rng.random(n) < 0.8, 0, rng.integers(0, span, n))
    life = 120 + rng.exponential(1100, n).astype(np.int64)
    residual = rng.random(n) * life + 1  # of those already there at the start
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


def pick(rng: np.random.Generator, weight: Float, n: int) -> Int:
    """Draw `n` indices in proportion to `weight`."""
    total = np.cumsum(weight)
    drawn = np.searchsorted(total, rng.random(n) * total[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weight) - 1))


def near(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw codes of the same chapter, the popular ones more often."""
    total = np.append(0.0, np.cumsum(tariff.popularity))
    low = total[np.searchsorted(tariff.chapter, tariff.chapter[code])]
    high = total[np.searchsorted(tariff.chapter, tariff.chapter[code], side="right")]
    drawn = np.searchsorted(total, low + rng.random(len(code)) * (high - low), "right")
    return np.asarray(np.clip(drawn - 1, 0, len(tariff.code) - 1))


def draw_origin(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw origins as the codes' chapters are sourced."""
    u = rng.random(len(code))
    out = np.empty(len(code), np.int64)
    for chapter in np.unique(tariff.chapter[code]):
        rows = np.flatnonzero(tariff.chapter[code] == chapter)
        out[rows] = np.searchsorted(tariff.sourcing[chapter], u[rows], side="right")
    return np.minimum(out, len(ORIGINS) - 1)
