"""The honest part of a world: tariff, countries, traders and their habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]

#: Origins and their shares: the first six as in the Korean set (Jeong et al. 2022,
#: CN 51 %, JP 9.6, US 8.4, KR 4.3, DE 3.8, VN 3.5); the rest an assumption.
ORIGINS = [
    "CN",
    "JP",
    "US",
    "KR",
    "DE",
    "VN",
    "IT",
    "FR",
    "GB",
    "IN",
    "TH",
    "MY",
    "ID",
    "TW",
    "TR",
    "ES",
    "NL",
    "PL",
    "MX",
    "BR",
    "ZA",
    "AE",
    "SG",
    "BD",
    "PK",
    "LK",
]
_SHARES = np.array([51, 9.6, 8.4, 4.3, 3.8, 3.5] + [22.0 * 0.86**k for k in range(20)])
_SHARES[6:] *= (100 - _SHARES[:6].sum()) / _SHARES[6:].sum()
ORIGIN_SHARES = _SHARES / _SHARES.sum()
#: Partners whose goods may enter free of duty (assumption).
PARTNERS = np.isin(ORIGINS, ["VN", "MY", "ID", "TH", "TR", "MX", "BD"])
#: Ports of transit from which goods of other origins are shipped (assumption).
HUBS = np.flatnonzero(np.isin(ORIGINS, ["SG", "AE", "NL", "CN"]))
#: Weekday pattern (Korean set: Monday 28.6 %, Saturday 3.3, Sunday 2.0).
WEEKDAYS = np.array([0.286, 0.17, 0.17, 0.165, 0.156, 0.033, 0.02])


@dataclass(frozen=True)
class Tariff:
    """Codes with neighbours, rates and price levels; arrays are per code."""

    hs6: NDArray[Any]
    national: NDArray[Any]
    chapter: Int
    heading: Int
    rate: Float
    log_price: Float
    log_unit_mass: Float
    popularity: Float
    cheaper: Int  # neighbour with a lower rate, or the code itself


def make_tariff(rng: np.random.Generator, n_chapters: int) -> Tariff:
    """Draw an HS-like tree: chapters, headings, six-digit codes, national lines.

    Rates cluster by heading (in the Korean set 37 % of items pay 0, 23.5 % pay 8 %,
    9 % 6.5, 6.4 % 13; higher ones are rare), so that neighbours differ.
    """
    chapters = np.sort(
        rng.choice(np.setdiff1d(np.arange(1, 98), [77]), n_chapters, False)
    )
    codes, chapter_of, heading_of = [], [], []
    for chapter in chapters:
        for heading in range(1, int(rng.integers(3, 9))):
            for sub in rng.choice(np.arange(10, 100), int(rng.integers(1, 7)), False):
                codes.append(f"{chapter:02d}{heading:02d}{sub:02d}")
                chapter_of.append(chapter)
                heading_of.append(chapter * 100 + heading)
    n = len(codes)
    headings = np.array(heading_of)
    _, at = np.unique(headings, return_inverse=True)
    common = rng.choice(
        [0.0, 0.032, 0.065, 0.08, 0.13, 0.2, 0.27, 0.4],
        at.max() + 1,
        p=[0.3, 0.07, 0.13, 0.22, 0.13, 0.08, 0.05, 0.02],
    )
    own = rng.random(n) < 0.25
    rate = common[at].copy()
    rate[own] = rng.choice([0.0, 0.05, 0.08, 0.15, 0.25], int(own.sum()))
    level = rng.normal(2.3, 1.2, at.max() + 1)[at]
    national = np.array([f"{c}{rng.integers(0, 4) * 10:02d}" for c in codes])
    tariff_rate = np.round(rate, 4)
    chapter_array = np.array(chapter_of)
    return Tariff(
        hs6=np.array(codes),
        national=national,
        chapter=chapter_array,
        heading=headings,
        rate=tariff_rate,
        log_price=level + rng.normal(0, 0.5, n),
        log_unit_mass=rng.normal(0.0, 1.5, at.max() + 1)[at] + rng.normal(0, 0.3, n),
        popularity=rng.pareto(1.1, n) + 0.02,
        cheaper=_cheaper(rng, chapter_array, headings, tariff_rate),
    )


def _cheaper(rng: np.random.Generator, chapter: Int, heading: Int, rate: Float) -> Int:
    """Return for each code a neighbour with a lower rate: by heading, else chapter."""
    out = np.arange(len(rate))
    for code in range(len(rate)):
        for group in (heading, chapter):
            near = np.flatnonzero((group == group[code]) & (rate < rate[code] - 0.02))
            if len(near):
                out[code] = rng.choice(near)
                break
    return out


@dataclass(frozen=True)
class Traders:
    """Importers with habits: arrays per importer, and their lines per line."""

    name: NDArray[Any]
    weight: Float
    birth: Int
    death: Int
    office: Int
    declarant: Int
    trusted: NDArray[np.bool_]
    ring: Int  # phoenix ring, -1 for none
    first_line: Int
    n_lines: Int
    line_importer: Int
    line_consignor: Int
    line_code: Int
    line_origin: Int
    line_departure: Int
    line_mode: Int
    line_quality: Float
    line_size: Float


def names(rng: np.random.Generator, letter: str, n: int) -> NDArray[Any]:
    """Return distinct names without order: nothing can be read from them."""
    numbers = rng.choice(9_000_000, n, replace=False) + 1_000_000
    return np.array([f"{letter}{k}" for k in numbers])


def make_traders(
    rng: np.random.Generator, tariff: Tariff, n_items: int, span: int, phoenix: float
) -> Traders:
    """Draw importers with heavy-tailed activity, lives and lines of business.

    Tails follow the Korean set (14,482 importers on 54,000 rows: top 10 % carry
    36.7 % of the rows, 33 % are singletons; real tails are heavier) and births give
    10-20 % importers not seen before in a new quarter.
    """
    n = max(int(n_items / 7), 20)
    weight = np.minimum(rng.pareto(1.25, n) + 0.25, 150.0)
    birth = np.where(rng.random(n) < 0.55, -1, rng.integers(0, span, n))
    death = birth + 60 + rng.exponential(700, n).astype(np.int64)
    ring = np.where(rng.random(n) < phoenix, rng.integers(0, max(n // 60, 2), n), -1)
    short = ring >= 0
    birth[short] = rng.integers(0, span, int(short.sum()))
    death[short] = birth[short] + rng.integers(20, 90, int(short.sum()))
    weight[short] = rng.uniform(1.0, 8.0, int(short.sum())) * 8
    n_lines = 1 + np.minimum(rng.poisson(0.9 * np.sqrt(weight)), 30)
    n_lines[short] = rng.integers(1, 3, int(short.sum()))
    owner = np.repeat(np.arange(n), n_lines)
    lines = len(owner)
    n_consignors = max(int(n * 1.1), 20)
    consignor = (rng.random(lines) ** 1.6 * n_consignors).astype(np.int64)
    code = _line_codes(rng, tariff, owner, n)
    origin = rng.choice(len(ORIGINS), lines, p=ORIGIN_SHARES)
    n_declarants = max(n // 12, 8)
    declarant = (rng.random(n) ** 2.2 * n_declarants).astype(np.int64)
    # A phoenix ring keeps its broker, its seller and its goods.
    in_ring = short[owner]
    key = ring[owner]
    consignor[in_ring] = (key[in_ring] * 7919) % n_consignors
    dutiable = np.flatnonzero(tariff.rate >= 0.08)
    code[in_ring] = dutiable[(key[in_ring] * 104729) % len(dutiable)]
    origin[in_ring] = (key[in_ring] * 31) % 3
    declarant[short] = (ring[short] * 15485863) % n_declarants
    transit = rng.random(lines) < 0.16
    departure = np.where(transit, rng.choice(HUBS, lines), origin)
    return Traders(
        name=names(rng, "I", n),
        weight=weight,
        birth=birth,
        death=death,
        office=rng.choice(12, n, p=_office_shares()),
        declarant=declarant,
        trusted=(rng.random(n) < 0.05) & (weight > 3) & ~short,
        ring=ring,
        first_line=np.concatenate([[0], np.cumsum(n_lines)[:-1]]),
        n_lines=n_lines,
        line_importer=owner,
        line_consignor=consignor,
        line_code=code,
        line_origin=origin,
        line_departure=departure,
        line_mode=rng.choice(4, lines, p=[0.57, 0.35, 0.06, 0.02]),
        line_quality=rng.normal(0, 0.3, lines),
        line_size=rng.normal(0, 1.0, lines) + rng.normal(0, 0.8, n)[owner],
    )


def _office_shares() -> Float:
    share = 0.72 ** np.arange(12)
    return np.asarray(share / share.sum())


def _line_codes(rng: np.random.Generator, tariff: Tariff, owner: Int, n: int) -> Int:
    """Give every line a code; most lines of an importer share its chapter."""
    p = tariff.popularity / tariff.popularity.sum()
    home = rng.choice(len(p), n, p=p)
    anywhere = rng.choice(len(p), len(owner), p=p)
    order = np.argsort(tariff.chapter, kind="stable")
    start = np.searchsorted(tariff.chapter[order], tariff.chapter[home])
    stop = np.searchsorted(tariff.chapter[order], tariff.chapter[home], "right")
    pick = start[owner] + (rng.random(len(owner)) * (stop - start)[owner]).astype(int)
    return np.where(rng.random(len(owner)) < 0.7, order[pick], anywhere)
