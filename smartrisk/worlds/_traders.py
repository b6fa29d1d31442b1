"""Traders and their relations: who buys what from where, by which route and office.

Constants without a source are assumptions. They were chosen so that the figures of
`realism` lie within their published bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._economy import (
    Importers,
    draw_origin,
    draw_related_code,
    make_importers,
)
from smartrisk.worlds._law import affected_codes, origin_index
from smartrisk.worlds._parcels import make_parcel_relations
from smartrisk.worlds._random_streams import pick, stream
from smartrisk.worlds._relations import (
    ORDINARY,
    PARCELS,
    PHOENIX,
    Relations,
    join_relations,
)
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import HUBS, Bool, Float, Int, Tariff

#: UN/CEFACT Recommendation 19: maritime, rail, road, air, mail. The Korean set has
#: sea 57 %, air 41, post 1.6; rail and road are assumptions.
MODES = np.array(["1", "2", "3", "4", "5"])
_POST, _AIR = 4, 3
#: Offices by what they serve: seaports, inland and border offices, airports, post.
OFFICES = {"sea": 8, "land": 4, "air": 4, "post": 2}
OFFICE_CODES = [
    f"{10 * (k + 1) + j}" for k, m in enumerate(OFFICES.values()) for j in range(m)
]
_OFFICE_OF_MODE = np.array([0, 1, 1, 2, 3])
#: Home use; home use from a warehouse; inward processing; temporary admission;
#: return of goods. The third and the fourth pay no duty.
PROCEDURES = np.array(["4000", "4071", "5100", "5300", "6123"])
INWARD, TEMPORARY = 2, 3
#: Cash, deferred, guarantee.
PAYMENTS = np.array(["A", "E", "R"])
#: Chapters of inputs for processing, and of equipment that is admitted for a time.
_INPUTS, _EQUIPMENT = np.arange(25, 84), np.arange(84, 93)
#: Share of the ordinary importers that leave an origin after an anti-dumping duty
#: (assumption), and the days within which relations move.
_LEAVING, _MOVE_DAYS = 0.3, 90
#: Phoenix importers of a ring (assumption).
_RING_SIZE = 4
#: A day after the end of every world.
_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Customs:
    """How each relation trades: route, office, procedure, prices."""

    others: Int  # (n_relations, 2) further codes
    departure: Int
    mode: Int
    office: Int
    procedure: Int
    payment: Int
    carrier: Float  # which carrier of its mode, by its quantile
    quality: Float  # log factor on the price
    contract: Bool  # one price for a long time
    piece: Float  # log factor on the mass of a piece
    claims: Bool  # claims a preference where there is one
    lines: Float  # mean number of further items of a declaration


@dataclass(frozen=True, kw_only=True, eq=False)
class Moves:
    """When each relation changes its origin and consignor, and to which."""

    day: Int
    origin: Int
    consignor: Int


@dataclass(frozen=True, kw_only=True, eq=False)
class PhoenixItems:
    """Relation and day of each item of the phoenix importers."""

    relation: Int
    day: Int


@dataclass(frozen=True, kw_only=True, eq=False)
class Traders:
    """Importers and their relations.

    Fields named after importers are indexed by importer, the others by relation.
    Importers are numbered: ordinary ones, phoenix importers, consumers.
    """

    importer_trusted: Bool
    importer_integrity: Float  # log odds of fraud, relative
    n_consignors: int  # of relations; the spot consignors are numbered after them
    n_spot: int
    n_named: int  # importers before the consumers
    n_consumers: int
    relations: Relations
    customs: Customs
    moves: Moves
    phoenix_items: PhoenixItems

    def __len__(self) -> int:
        """Return the number of relations."""
        return len(self.relations)


def make_traders(
    seed: int, tariff: Tariff, n_items: int, scenario: Scenario, phoenix: Float
) -> Traders:
    """Draw importers and their relations; `phoenix` items are lodged by month."""
    rng = stream(seed, "traders")
    size = max(round(n_items * scenario.traders), 1)
    who = make_importers(rng, tariff, size, scenario.span)
    ordinary = _make_ordinary_relations(rng, tariff, who, size)
    shells = _make_phoenix_relations(rng, tariff, ordinary, scenario, phoenix)
    known = join_relations([ordinary, shells.relations])
    parcels = make_parcel_relations(rng, tariff, known, n_items, scenario)
    relations = join_relations([known, parcels])
    n_named = int(relations.importer.max()) + 1
    big = who.weight > np.quantile(who.weight, 0.97)
    trusted = np.zeros(n_named, bool)
    trusted[: len(big)] = big & (rng.random(len(big)) < 0.6)
    customs = _draw_customs(rng, tariff, who, relations)
    moves = _draw_moves(rng, tariff, relations, scenario)
    last_consignor = max(relations.consignor.max(), moves.consignor.max())
    return Traders(
        importer_trusted=trusted,
        importer_integrity=rng.normal(0, 1.8, n_named),
        n_consignors=int(last_consignor) + 1,
        n_spot=max(size // 8, 1),
        n_named=n_named,
        n_consumers=max(round(0.7 * scenario.parcels * n_items), 1),
        relations=relations,
        customs=customs,
        moves=moves,
        phoenix_items=shells.items,
    )


def _draw_customs(
    rng: np.random.Generator, tariff: Tariff, who: Importers, of: Relations
) -> Customs:
    """Draw how relations of every kind trade.

    Goods leave from another country than their origin in 17 % of the relations
    (20 % of the rows in the Korean set); the other shares are assumptions.
    """
    n, n_importers = len(of), int(of.importer.max()) + 1
    n_new = n_importers - len(who.weight)
    place = np.append(who.place, rng.random(n_new) ** 1.6)
    place = np.where(of.importer >= 0, place[of.importer], rng.random(n))
    payment = rng.choice(len(PAYMENTS), n_importers, p=[0.6, 0.32, 0.08])
    mode = _draw_modes(rng, tariff, of.code)
    small = of.kind >= PARCELS
    mode[small] = np.where(rng.random(int(small.sum())) < 0.45, _POST, _AIR)
    transit = rng.random(n) < np.where(small, 0.05, 0.185)
    of.size[~small] += rng.normal(0, 0.9, int((~small).sum()))
    several = rng.random(n) < 0.35
    others = [draw_related_code(rng, tariff, of.code) for _ in range(2)]
    return Customs(
        others=np.stack(others, axis=1),
        departure=np.where(transit, rng.choice(HUBS, n), of.origin),
        mode=mode,
        office=_assign_offices(mode, place),
        procedure=_draw_procedures(rng, tariff, of),
        payment=payment[np.maximum(of.importer, 0)],
        carrier=rng.random(n) ** 2,
        quality=rng.normal(0, 0.27, n),
        contract=rng.random(n) < 0.12,
        piece=rng.normal(0, 0.15, n),
        claims=rng.random(n) < 0.8,
        lines=np.where(several & ~small, rng.gamma(1.5, 1.0, n), 0.0),
    )


def _draw_procedures(rng: np.random.Generator, tariff: Tariff, of: Relations) -> Int:
    """Draw procedures; the reliefs of duty go with goods that they are meant for."""
    n = len(of)
    procedure = rng.choice(len(PROCEDURES), n, p=[0.9, 0.045, 0.03, 0.0, 0.025])
    chapter, u = tariff.chapter[of.code], rng.random(n)
    procedure[(procedure == INWARD) & ~np.isin(chapter, _INPUTS)] = 0
    procedure[np.isin(chapter, _INPUTS) & (u < 0.02)] = INWARD
    procedure[np.isin(chapter, _EQUIPMENT) & (u > 0.96)] = TEMPORARY
    procedure[(u > 0.02) & (u < 0.023)] = TEMPORARY  # fairs, exhibitions: any goods
    procedure[of.kind >= PARCELS] = 0
    return procedure


def _draw_moves(
    rng: np.random.Generator, tariff: Tariff, of: Relations, scenario: Scenario
) -> Moves:
    """Draw which relations buy elsewhere from a day on, because the world changed.

    A sourcing shift moves the stated share. After an anti-dumping duty some ordinary
    importers leave the origin.
    """
    n = len(of)
    day, origin = np.full(n, _NEVER), of.origin.copy()
    consignor = of.consignor.copy()
    last = int(of.consignor.max()) + 1
    for change in scenario.changes:
        moved = affected_codes(tariff, change)[of.code] & (of.kind == ORDINARY)
        target = origin_index(change)
        if change.kind == "sourcing shift":
            moved &= (of.origin != target) & (rng.random(n) < change.amount)
            new = np.full(n, target)
        elif change.kind == "anti-dumping":
            moved &= (of.origin == target) & (rng.random(n) < _LEAVING)
            new = draw_origin(rng, tariff, of.code)
            moved &= new != target
        else:
            continue
        rows = np.flatnonzero(moved & (day == _NEVER))
        day[rows] = scenario.day_of(change) + rng.integers(0, _MOVE_DAYS, len(rows))
        origin[rows] = new[rows]
        consignor[rows] = last + rng.integers(0, max(len(rows) // 2, 1), len(rows))
        last += max(len(rows) // 2, 1)
    return Moves(day=day, origin=origin, consignor=consignor)


def _make_ordinary_relations(
    rng: np.random.Generator, tariff: Tariff, who: Importers, n_items: int
) -> Relations:
    """Draw relations of ordinary importers; busy importers have more of them."""
    expected = who.weight / who.weight.mean() * n_items / len(who.weight)
    n_relations = 1 + np.minimum(rng.poisson(0.5 * np.sqrt(expected)), 30)
    importer = np.repeat(np.arange(len(who.weight)), n_relations)
    n = len(importer)
    at_home = draw_related_code(rng, tariff, who.home[importer])
    code = np.where(rng.random(n) < 0.6, at_home, pick(rng, tariff.popularity, n))
    origin = draw_origin(rng, tariff, code)
    part = rng.exponential(1.0, n) ** 1.5
    part /= np.bincount(importer, part)[importer]
    first, last = _draw_windows(rng, who.birth, who.death, importer)
    other = (rng.random(n) < 0.15).astype(np.int64)
    return Relations(
        kind=np.full(n, ORDINARY),
        importer=importer,
        consignor=_assign_consignors(rng, tariff, code, origin),
        declarant=who.declarants[importer, other],
        code=code,
        origin=origin,
        size=who.size[importer],
        weight=who.weight[importer] * part,
        first=first,
        last=last,
        ring=np.full(n, -1),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shells:
    """Relations of phoenix importers, and their items."""

    relations: Relations
    items: PhoenixItems


def _make_phoenix_relations(
    rng: np.random.Generator,
    tariff: Tariff,
    ordinary: Relations,
    scenario: Scenario,
    wanted: Float,
) -> _Shells:
    """Draw phoenix importers and their items.

    The importers of a ring follow each other. Successors keep the ring's consignor, its
    broker (who has ordinary clients too), goods of a high rate, and their origin. Each
    lodges 5 to 40 items within 30 to 90 days.
    """
    counts = _draw_phoenix_counts(rng, round(float(wanted.sum())))
    n, span = len(counts), scenario.span
    n_rings = -(-n // _RING_SIZE)
    ring = np.arange(n) % max(n_rings, 1)
    code = pick(rng, tariff.popularity * (tariff.rate >= 0.08) + 1e-12, n_rings)
    origin = draw_origin(rng, tariff, code)
    broker = ordinary.declarant[rng.integers(0, len(ordinary.declarant), n_rings)]
    month = pick(rng, np.maximum(wanted, 1e-12), n)
    first = np.minimum((month + rng.random(n)) * 30.4, max(span - 30, 0))
    first = first.astype(np.int64)
    last = np.clip(first + rng.integers(30, 90, n), first + 1, max(span, 1))
    relation = np.repeat(np.arange(n), counts)
    days = first[relation] + rng.random(len(relation)) * (last - first)[relation]
    relations = Relations(
        kind=np.full(n, PHOENIX),
        importer=int(ordinary.importer.max()) + 1 + np.arange(n),
        consignor=int(ordinary.consignor.max()) + 1 + ring,
        declarant=broker[ring],
        code=code[ring],
        origin=origin[ring],
        size=np.zeros(n),
        weight=np.zeros(n),
        first=first,
        last=last,
        ring=ring,
    )
    items = PhoenixItems(relation=relation + len(ordinary), day=days.astype(np.int64))
    return _Shells(relations=relations, items=items)


def _draw_windows(
    rng: np.random.Generator, birth: Int, death: Int, importer: Int
) -> tuple[Int, Int]:
    """Draw first and last day of relations: those of the importer, or a part."""
    n = len(importer)
    low, length = birth[importer], (death - birth)[importer]
    cut = np.sort(rng.random((2, n)), axis=0)
    cut[:, rng.random(n) < 0.6] = [[0.0], [1.0]]
    first = low + (cut[0] * length).astype(np.int64)
    last = low + np.ceil(cut[1] * length).astype(np.int64)
    return first, np.maximum(last, first + 1)


def _draw_modes(rng: np.random.Generator, tariff: Tariff, code: Int) -> Int:
    """Draw modes of transport: expensive goods go by air.

    About 57 % go by sea and 41 % by air, as in the Korean set.
    """
    by_air = 1 / (1 + np.exp(-0.9 * (tariff.log_price[code] - 2.5)))
    u = rng.random(len(code))
    mode = np.where(rng.random(len(code)) < by_air, _AIR, 0)
    mode[u < 0.05] = 2
    mode[u < 0.025] = 1
    mode[u > 0.995] = _POST
    return mode


def _assign_offices(mode: Int, place: Float) -> Int:
    """Return the importer's usual office among those that serve the mode."""
    sizes = np.array(list(OFFICES.values()))
    kind = _OFFICE_OF_MODE[mode]
    start = np.append(0, np.cumsum(sizes))[kind]
    return np.asarray(start + (place * sizes[kind]).astype(np.int64))


def draw_other_office(rng: np.random.Generator, office: Int) -> Int:
    """Draw another office that serves the same mode."""
    sizes = np.array(list(OFFICES.values()))
    start = np.append(0, np.cumsum(sizes))
    kind = np.searchsorted(start, office, side="right") - 1
    step = 1 + (rng.random(len(office)) * (sizes[kind] - 1)).astype(np.int64)
    return np.asarray(start[kind] + (office - start[kind] + step) % sizes[kind])


def _assign_consignors(
    rng: np.random.Generator, tariff: Tariff, code: Int, origin: Int
) -> Int:
    """Draw consignors of the origin and section of each relation, some of them popular.

    The Korean set has about as many consignors as importers.
    """
    bucket = origin * 32 + tariff.section[code]
    size = np.ceil(0.9 * np.bincount(bucket))[bucket]
    rank = (size * rng.random(len(code)) ** 1.3).astype(np.int64)
    return np.unique(bucket * (1 << 32) + rank, return_inverse=True)[1]


def _draw_phoenix_counts(rng: np.random.Generator, n_phoenix: int) -> Int:
    """Draw the number of items of each phoenix importer: 5 to 40."""
    if n_phoenix < 1:
        return np.zeros(0, np.int64)
    counts = rng.integers(5, 41, n_phoenix // 5 + 1)
    total = np.cumsum(counts)
    last = int(np.searchsorted(total, n_phoenix))
    counts[last] -= total[last] - n_phoenix
    return counts[: last + 1]
