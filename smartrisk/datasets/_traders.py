"""Whom importers buy from, what, whence, through whom: relations and their customs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smartrisk.datasets._economy import (
    Importers,
    draw_origin,
    make_importers,
    names,
    near,
    pick,
)
from smartrisk.datasets._tariff import HUBS, Bool, Float, Int, Tariff, Text

#: UN/CEFACT Recommendation 19: maritime, rail, road, air, mail. The Korean set has
#: sea 57 %, air 41, post 1.6; rail and road are assumptions.
MODES = np.array(["1", "2", "3", "4", "5"])
#: Offices by what they serve: seaports, inland and border offices, airports, post.
OFFICES = {"sea": 8, "land": 4, "air": 4, "post": 2}
_OFFICE_OF_MODE = np.array([0, 1, 1, 2, 3])
PROCEDURES = np.array(["4000", "4071", "5100", "5300", "6123"])
PAYMENTS = np.array(["A", "E", "R"])  # cash, deferred, guarantee


@dataclass(frozen=True, kw_only=True)
class Traders:
    """Importers, and their relations: importer, consignor, goods, route, habits.

    Fields named after importers are indexed by importer, the others by relation.
    """

    importer_name: Text
    importer_trusted: Bool
    importer_integrity: Float  # log odds of fraud, relative
    consignor_name: Text
    declarant_name: Text
    importer: Int
    consignor: Int
    declarant: Int
    code: Int
    others: Int  # (n_relations, 2) further codes
    origin: Int
    departure: Int
    mode: Int
    office: Int
    procedure: Int
    payment: Int
    quality: Float
    contract: Bool  # one price for a long time
    piece: Float
    size: Float
    weight: Float
    first: Int
    last: Int
    claims: Bool  # claims a preference where there is one
    n_fixed: Int  # items of a phoenix importer, 0 for the others

    def __len__(self) -> int:
        """Return the number of relations."""
        return len(self.importer)


def make_traders(
    rng: np.random.Generator, tariff: Tariff, n_items: int, span: int, n_phoenix: int
) -> Traders:
    """Draw importers and their relations; the last ones are phoenix importers'."""
    who = make_importers(rng, tariff, n_items, span)
    honest = _honest(rng, tariff, who, n_items)
    shells = _shells(rng, tariff, honest, _phoenix_counts(rng, n_phoenix), span)
    who_and_what = {
        name: np.append(getattr(honest, name), getattr(shells, name))
        for name in _Relations.__dataclass_fields__
    }
    n_shells = len(shells.importer)
    big = who.weight > np.quantile(who.weight, 0.97)
    trusted = big & (rng.random(len(big)) < 0.6)
    total = len(who.weight) + n_shells
    n_consignors = int(who_and_what["consignor"].max()) + 1 + n_items // 8
    return Traders(
        importer_name=names(rng, "I", total),
        importer_trusted=np.append(trusted, np.zeros(n_shells, bool)),
        importer_integrity=rng.normal(0, 1.8, total),
        consignor_name=names(rng, "S", n_consignors),
        declarant_name=names(rng, "B", int(who.declarants.max()) + 1),
        **who_and_what,
        **_customs(rng, tariff, who, who_and_what),
    )


def _customs(
    rng: np.random.Generator, tariff: Tariff, who: Importers, of: dict[str, Any]
) -> dict[str, Any]:
    """Return what relations of either kind do by custom: route, office, prices.

    Goods leave from another country than their origin in 17 % of the relations
    (20 % of the rows in the Korean set); the other shares are assumptions.
    """
    n, n_importers = len(of["importer"]), int(of["importer"].max()) + 1
    n_new = n_importers - len(who.weight)
    place = np.append(who.place, rng.random(n_new) ** 1.6)
    payment = rng.choice(len(PAYMENTS), n_importers, p=[0.6, 0.32, 0.08])
    mode = _modes(rng, tariff, of["code"])
    transit = rng.random(n) < 0.18
    of["size"] = of["size"] + rng.normal(0, 0.9, n)
    return {
        "others": np.stack([near(rng, tariff, of["code"]) for _ in range(2)], axis=1),
        "departure": np.where(transit, rng.choice(HUBS, n), of["origin"]),
        "mode": mode,
        "office": _offices(mode, place[of["importer"]]),
        "procedure": rng.choice(len(PROCEDURES), n, p=[0.9, 0.04, 0.025, 0.01, 0.025]),
        "payment": payment[of["importer"]],
        "quality": rng.normal(0, 0.27, n),
        "contract": rng.random(n) < 0.12,
        "piece": rng.normal(0, 0.15, n),
        "claims": rng.random(n) < 0.8,
    }


@dataclass(frozen=True, kw_only=True)
class _Relations:
    """What differs between the relations of honest and of phoenix importers."""

    importer: Int
    consignor: Int
    declarant: Int
    code: Int
    origin: Int
    size: Float
    weight: Float
    first: Int
    last: Int
    n_fixed: Int


def _honest(
    rng: np.random.Generator, tariff: Tariff, who: Importers, n_items: int
) -> _Relations:
    """Draw relations of ordinary importers: the busier, the more of them."""
    expected = who.weight / who.weight.mean() * n_items / len(who.weight)
    n_relations = 1 + np.minimum(rng.poisson(0.5 * np.sqrt(expected)), 30)
    importer = np.repeat(np.arange(len(who.weight)), n_relations)
    n = len(importer)
    at_home = near(rng, tariff, who.home[importer])
    code = np.where(rng.random(n) < 0.6, at_home, pick(rng, tariff.popularity, n))
    origin = draw_origin(rng, tariff, code)
    part = rng.exponential(1.0, n) ** 1.5
    part /= np.bincount(importer, part)[importer]
    first, last = _windows(rng, who.birth, who.death, importer)
    other = (rng.random(n) < 0.15).astype(np.int64)
    return _Relations(
        importer=importer,
        consignor=_consignors(rng, tariff, code, origin),
        declarant=who.declarants[importer, other],
        code=code,
        origin=origin,
        size=who.size[importer],
        weight=who.weight[importer] * part,
        first=first,
        last=last,
        n_fixed=np.zeros(n, np.int64),
    )


def _shells(
    rng: np.random.Generator,
    tariff: Tariff,
    honest: _Relations,
    counts: Int,
    span: int,
) -> _Relations:
    """Draw phoenix importers: rings of four or so that follow each other.

    Successors keep the ring's consignor, its broker (who has honest clients too),
    goods of a high rate, and their origin. Each lives 30 to 90 days.
    """
    n = len(counts)
    n_rings = -(-n // 4)
    ring, turn = np.arange(n) % max(n_rings, 1), np.arange(n) // max(n_rings, 1)
    code = pick(rng, tariff.popularity * (tariff.rate >= 0.08) + 1e-12, n_rings)
    origin = draw_origin(rng, tariff, code)
    broker = honest.declarant[rng.integers(0, len(honest.declarant), n_rings)]
    start = rng.integers(0, span, n_rings)[ring] + turn * 105
    first = (start + rng.integers(0, 20, n)) % max(span - 90, 1)
    return _Relations(
        importer=int(honest.importer.max()) + 1 + np.arange(n),
        consignor=int(honest.consignor.max()) + 1 + ring,
        declarant=broker[ring],
        code=code[ring],
        origin=origin[ring],
        size=np.zeros(n),
        weight=np.zeros(n),
        first=first,
        last=np.minimum(first + rng.integers(30, 90, n), span),
        n_fixed=counts,
    )


def _windows(
    rng: np.random.Generator, birth: Int, death: Int, importer: Int
) -> tuple[Int, Int]:
    """Return the days between which relations trade: all the life, or a part."""
    n = len(importer)
    low, length = birth[importer], (death - birth)[importer]
    cut = np.sort(rng.random((2, n)), axis=0)
    cut[:, rng.random(n) < 0.6] = [[0.0], [1.0]]
    first = low + (cut[0] * length).astype(np.int64)
    last = low + np.ceil(cut[1] * length).astype(np.int64)
    return first, np.maximum(last, first + 1)


def _modes(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw modes: dear goods fly; about 57 % by sea and 41 % by air (Korean set)."""
    fly = 1 / (1 + np.exp(-0.9 * (tariff.log_price[code] - 2.5)))
    u = rng.random(len(code))
    mode = np.where(rng.random(len(code)) < fly, 3, 0)
    mode[u < 0.05] = 2
    mode[u < 0.025] = 1
    mode[u > 0.984] = 4
    return mode


def _offices(mode: Int, place: Float) -> Int:
    """Return the office: one that serves the mode, the importer's usual one."""
    sizes = np.array(list(OFFICES.values()))
    kind = _OFFICE_OF_MODE[mode]
    start = np.append(0, np.cumsum(sizes))[kind]
    return np.asarray(start + (place * sizes[kind]).astype(np.int64))


def _consignors(
    rng: np.random.Generator, tariff: Tariff, code: Int, origin: Int
) -> Int:
    """Give relations consignors of their origin and section, some of them popular.

    The Korean set has about as many sellers as importers.
    """
    bucket = origin * 32 + tariff.section[code]
    size = np.ceil(0.9 * np.bincount(bucket))[bucket]
    rank = (size * rng.random(len(code)) ** 1.3).astype(np.int64)
    return np.unique(bucket * (1 << 32) + rank, return_inverse=True)[1]


def _phoenix_counts(rng: np.random.Generator, n_phoenix: int) -> Int:
    """Return the items of each phoenix importer: bursts of 5 to 40."""
    if n_phoenix < 1:
        return np.zeros(0, np.int64)
    counts = rng.integers(5, 41, n_phoenix // 5 + 1)
    total = np.cumsum(counts)
    last = int(np.searchsorted(total, n_phoenix))
    counts[last] -= total[last] - n_phoenix
    return counts[: last + 1]
