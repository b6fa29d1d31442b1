"""The honest part of a world: traders, their relations, and the goods they bring in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.datasets._tariff import (
    AGREEMENT,
    HUBS,
    ORIGINS,
    Bool,
    Float,
    Int,
    Tariff,
    Text,
)

#: Days of the week from Monday (Korean set, Jeong et al. 2022: Monday 28.6 %,
#: Saturday 3.3, Sunday 2.0; the days between share the rest).
WEEKDAYS = np.array([0.286, 0.17, 0.168, 0.163, 0.16, 0.033, 0.02])
#: Months from January (assumption: a quiet February, a busy autumn).
SEASON = np.array([1.0, 0.85, 1.0, 0.97, 0.98, 0.97, 0.95, 0.97, 1.03, 1.1, 1.12, 1.06])
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


@dataclass(frozen=True, kw_only=True)
class Goods:
    """True goods of every item, by time of lodgement."""

    relation: Int
    importer: Int
    consignor: Int
    spot: Bool  # bought once from another consignor
    moment: NDArray[Any]
    day: Int
    code: Int
    origin: Int
    departure: Int
    value: Float
    mass: Float
    gross: Float
    quantity: Float
    preference: Bool
    exempt: Bool


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
        home=_pick(rng, tariff.popularity, n),
        declarants=_pick(rng, shares, 2 * n).reshape(n, 2),
        place=rng.random(n) ** 1.6,
    )


def _pick(rng: np.random.Generator, weight: Float, n: int) -> Int:
    """Draw `n` indices in proportion to `weight`."""
    total = np.cumsum(weight)
    drawn = np.searchsorted(total, rng.random(n) * total[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weight) - 1))


def _near(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
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


def make_traders(
    rng: np.random.Generator, tariff: Tariff, n_items: int, span: int, n_phoenix: int
) -> Traders:
    """Draw importers and their relations; the last ones are phoenix importers'."""
    who = make_importers(rng, tariff, n_items, span)
    expected = who.weight / who.weight.mean() * n_items / len(who.weight)
    n_relations = 1 + np.minimum(rng.poisson(0.5 * np.sqrt(expected)), 30)
    importer = np.repeat(np.arange(len(who.weight)), n_relations)
    counts = _phoenix_counts(rng, n_phoenix)
    honest, n = len(importer), len(importer) + len(counts)
    importer = np.append(importer, len(who.weight) + np.arange(len(counts)))
    code = np.where(
        rng.random(honest) < 0.6,
        _near(rng, tariff, who.home[importer[:honest]]),
        _pick(rng, tariff.popularity, honest),
    )
    shell = _Shells.draw(rng, tariff, counts, span)
    code = np.append(code, shell.code)
    origin = np.append(draw_origin(rng, tariff, code[:honest]), shell.origin)
    part = rng.exponential(1.0, honest) ** 1.5
    weight = who.weight[importer[:honest]] * part
    weight /= np.bincount(importer[:honest], part)[importer[:honest]]
    first, last = _windows(rng, who.birth, who.death, importer[:honest])
    mode = _modes(rng, tariff, code)
    place = np.append(who.place, rng.random(len(counts)) ** 1.6)
    n_declarants = int(who.declarants.max()) + 1
    other = (rng.random(honest) < 0.15).astype(np.int64)
    declarant = who.declarants[importer[:honest], other]
    shell_declarant = declarant[shell.like % honest]
    consignor = _consignors(rng, tariff, code[:honest], origin[:honest])
    n_consignors = int(consignor.max()) + 1
    total = len(who.weight) + len(counts)
    big = who.weight > np.quantile(who.weight, 0.97)
    trusted = big & (rng.random(len(big)) < 0.6)
    transit = rng.random(n) < 0.18
    size = np.append(who.size[importer[:honest]], np.zeros(len(counts)))
    return Traders(
        importer_name=names(rng, "I", total),
        importer_trusted=np.append(trusted, np.zeros(len(counts), bool)),
        importer_integrity=rng.normal(0, 1.8, total),
        consignor_name=names(rng, "S", n_consignors + shell.n_rings + n_items // 8),
        declarant_name=names(rng, "B", n_declarants),
        importer=importer,
        consignor=np.append(consignor, n_consignors + shell.ring),
        declarant=np.append(declarant, shell_declarant),
        code=code,
        others=np.stack([_near(rng, tariff, code) for _ in range(2)], axis=1),
        origin=origin,
        departure=np.where(transit, rng.choice(HUBS, n), origin),
        mode=mode,
        office=_offices(mode, place[importer]),
        procedure=rng.choice(len(PROCEDURES), n, p=[0.9, 0.04, 0.025, 0.01, 0.025]),
        payment=rng.choice(len(PAYMENTS), total, p=[0.6, 0.32, 0.08])[importer],
        quality=rng.normal(0, 0.27, n),
        piece=rng.normal(0, 0.15, n),
        size=size + rng.normal(0, 0.9, n),
        weight=np.append(weight, np.zeros(len(counts))),
        first=np.append(first, shell.first),
        last=np.append(last, shell.last),
        claims=rng.random(n) < 0.8,
        n_fixed=np.append(np.zeros(honest, np.int64), counts),
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


@dataclass(frozen=True, kw_only=True)
class _Shells:
    """Phoenix importers: successors keep the ring's consignor, broker and goods."""

    ring: Int
    n_rings: int
    code: Int
    origin: Int
    like: Int  # a relation whose broker the ring uses
    first: Int
    last: Int

    @classmethod
    def draw(
        cls, rng: np.random.Generator, tariff: Tariff, counts: Int, span: int
    ) -> _Shells:
        """Draw rings of four or so firms that follow each other within days."""
        n = len(counts)
        n_rings = -(-n // 4)
        ring = np.arange(n) % max(n_rings, 1)
        turn = np.arange(n) // max(n_rings, 1)
        dutiable = tariff.popularity * (tariff.rate >= 0.08)
        code = _pick(rng, dutiable + 1e-12, n_rings)
        origin = draw_origin(rng, tariff, code)
        start = rng.integers(0, span, n_rings)[ring] + turn * 105
        life = rng.integers(30, 90, n)
        first = (start + rng.integers(0, 20, n)) % max(span - 90, 1)
        return cls(
            ring=ring,
            n_rings=n_rings,
            code=code[ring],
            origin=origin[ring],
            like=rng.integers(0, 1 << 40, n_rings)[ring],
            first=first,
            last=np.minimum(first + life, span),
        )


def make_goods(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, n_items: int, start: Any
) -> Goods:
    """Draw the true goods of `n_items` items, by time of lodgement."""
    calendar = make_calendar(rng, start, int(traders.last.max()))
    mass = traders.weight * (calendar[traders.last] - calendar[traders.first])
    fixed = np.repeat(np.arange(len(traders)), traders.n_fixed)
    relation = np.append(_pick(rng, mass, n_items - len(fixed)), fixed)
    relation = rng.permutation(relation)
    low, high = calendar[traders.first[relation]], calendar[traders.last[relation]]
    u = low + rng.random(n_items) * (high - low)
    day = np.searchsorted(calendar, u, side="right") - 1
    day = np.clip(day, traders.first[relation], traders.last[relation] - 1)
    hour = np.clip(rng.normal(13.0, 2.6, n_items), 6.0, 20.0)
    second = (hour * 3600).astype(np.int64) + rng.integers(0, 60, n_items)
    order = np.argsort(day * 86400 + second, kind="stable")
    relation, day, second = relation[order], day[order], second[order]
    moment = start.astype("datetime64[us]") + (day * 86400 + second).astype(
        "timedelta64[s]"
    )
    return _goods(rng, tariff, traders, relation, (day, moment))


def make_calendar(rng: np.random.Generator, start: Any, span: int) -> Float:
    """Return cumulated activity at the start of every day, and after the last."""
    days = start + np.arange(span)
    weekday = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    activity = WEEKDAYS[weekday] * SEASON[month]
    activity *= np.exp(rng.normal(0, 0.1, span) + 0.04 * np.arange(span) / 365)
    return np.append(0.0, np.cumsum(activity))


def _goods(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    relation: Int,
    when: tuple[Int, NDArray[Any]],
) -> Goods:
    """Draw what the items are: code, origin, mass, quantity, true value.

    Value is log-normal with a spread of about 2.4, so that the top 1 % of the items
    carry some 55 % of it (60 % in the Korean set). Honest prices per kg of a code
    and an origin scatter by about 0.35 in logs (assumption: 0.3-0.5).
    """
    n = len(relation)
    code = _item_codes(rng, tariff, traders, relation)
    origin, departure = traders.origin[relation], traders.departure[relation]
    once = np.flatnonzero(rng.random(n) < 0.05)
    origin[once] = departure[once] = draw_origin(rng, tariff, code[once])
    usual = tariff.log_price[code] + tariff.origin_price[code, origin]
    size = tariff.log_size[code] + traders.size[relation] + rng.normal(0, 1.4, n)
    piece = tariff.log_piece[code] + traders.piece[relation]
    counted = tariff.unit[code] > 0
    quantity = np.maximum(np.rint(np.exp(size - usual - piece)), 1.0)
    mass = np.exp(
        np.where(counted, np.log(quantity) + piece, size - usual)
        + np.where(counted, rng.normal(0, 0.05, n), 0.0)
    )
    mass = np.maximum(np.round(mass, 2), 0.01)
    quality = traders.quality[relation] + rng.normal(0, 0.22, n)
    consignor, spot = _item_consignors(rng, traders, relation)
    partner = (AGREEMENT[origin] >= 0) & (tariff.rate[code] > 0)
    return Goods(
        relation=relation,
        importer=traders.importer[relation],
        consignor=consignor,
        spot=spot,
        moment=when[1],
        day=when[0],
        code=code,
        origin=origin,
        departure=departure,
        value=mass * np.exp(usual + tariff.price_spread[code] * quality),
        mass=mass,
        gross=mass * (1.02 + rng.gamma(2.0, 0.035, n)),
        quantity=np.where(counted, quantity, mass),
        preference=partner & traders.claims[relation] & (rng.random(n) < 0.95),
        exempt=np.isin(traders.procedure[relation], (2, 3)),
    )


def _item_consignors(
    rng: np.random.Generator, traders: Traders, relation: Int
) -> tuple[Int, Bool]:
    """Return who sends, and whether it is for once: one in eight (assumption).

    With the births of relations, some 15 % of a new quarter's items come from a
    consignor never seen (19.9 % in the Korean set).
    """
    spot = (rng.random(len(relation)) < 1 / 8) & (traders.n_fixed[relation] == 0)
    known = int(traders.consignor.max()) + 1
    wide = max((len(traders.consignor_name) - known), 1)
    other = known + rng.integers(0, wide, len(relation))
    other = np.minimum(other, len(traders.consignor_name) - 1)
    return np.where(spot, other, traders.consignor[relation]), spot


def _item_codes(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, relation: Int
) -> Int:
    """Draw codes: the relation's usual one, one of two others, or a new one."""
    u = rng.random(len(relation))
    code = traders.code[relation]
    others = traders.others[relation]
    code = np.where(u > 0.76, others[:, 0], code)
    code = np.where(u > 0.9, others[:, 1], code)
    new = np.flatnonzero(u > 0.97)
    code[new] = _near(rng, tariff, code[new])
    return code
