"""The true goods of every item of a month, and the moment at which it is lodged.

Constants without a source are assumptions. They were chosen so that the figures of
`realism` lie within their published bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from smartrisk.worlds._economy import Calendar, draw_origin, draw_related_code
from smartrisk.worlds._law import Law
from smartrisk.worlds._parcels import draw_parcel_values
from smartrisk.worlds._random_streams import pick_from
from smartrisk.worlds._relations import ORDINARY, PARCELS
from smartrisk.worlds._tariff import Bool, Float, Int, Tariff
from smartrisk.worlds._traders import INWARD, TEMPORARY, Traders
from smartrisk.worlds._written_numbers import Hands, write_amounts

Moment = NDArray[np.datetime64]

#: Maximum number of items of a declaration (assumption).
_MOST_LINES = 20
#: Share of the relations' items whose goods come from another origin for once, and of
#: their orders that come from another consignor for once (assumptions).
_OTHER_ORIGIN, _SPOT_SHARE = 0.05, 1 / 8
#: Seconds between the parcels of a split order.
_PARCEL_SECONDS = 240
_DAY_SECONDS = 86_400
#: Freight in dollars per kg by mode (sea, rail, road, air, post) and its spread in
#: logs (assumption: the order of magnitude of published rates).
_FREIGHT = np.array([0.12, 0.18, 0.2, 2.6, 5.0])
_FREIGHT_SPREAD = 0.3
#: Degrees of freedom of the scatter of prices, whose tails are heavier than normal, and
#: the share and spread (in logs) of items with a price of their own: samples, spare
#: parts, used goods (assumptions; unit values of trade data have such tails).
_TAIL, _ODD_SHARE, _ODD_SPREAD = 4, 0.004, 1.2
#: Highest freight as a part of the price of the goods (assumption).
_FREIGHT_MOST = 0.2


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """Goods that are ordered together, one entry per order."""

    relation: Int
    day: Int
    lines: Int  # items
    split: Bool  # lodged as parcels of one item each


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Place of every item in its order and declaration, by time of lodgement."""

    relation: Int
    order: Int
    document: Int  # declaration, numbered in the month
    line: Int  # item number
    moment: Moment
    day: Int
    split: Bool

    @property
    def n_orders(self) -> int:
        """Number of orders."""
        return int(self.order.max(initial=-1)) + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Goods(Lines):
    """True goods of every item of a month, by time of lodgement."""

    importer: Int
    consignor: Int
    spot: Bool  # bought once from another consignor
    code: Int
    origin: Int
    departure: Int
    value: Float  # national currency
    total: Float  # value of the order
    mass: Float
    gross: Float
    quantity: Float
    agreement: Int  # whose preference is claimed, -1 for none
    procedure: Int
    exempt: Bool  # by procedure
    parcel: Bool

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.code)


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthState:
    """What a month's goods depend on besides law, traders and calendar."""

    month: int
    first_day: np.datetime64  # of the world
    importer: Int  # current importer of each relation
    free_value: float  # up to which a parcel pays no duty, national currency
    hands: Hands


def expected_activity(
    traders: Traders, tariff: Tariff, calendar: Calendar, month: int
) -> Float:
    """Return the expected activity of every relation in a month."""
    relations = traders.relations
    low = np.maximum(relations.first, calendar.edges[month])
    high = np.minimum(relations.last, calendar.edges[month + 1])
    share = calendar.total[np.maximum(high, low)] - calendar.total[low]
    season = calendar.season[tariff.section[relations.code], month]
    return np.asarray(relations.weight * season * share)


def draw_days(
    rng: np.random.Generator, traders: Traders, calendar: Calendar, row: Int, month: int
) -> Int:
    """Draw days within the month and the relation's life, busy days more often."""
    low = np.maximum(traders.relations.first[row], calendar.edges[month])
    high = np.minimum(traders.relations.last[row], calendar.edges[month + 1])
    begin, end = calendar.total[low], calendar.total[high]
    u = begin + rng.random(len(row)) * (end - begin)
    day = np.searchsorted(calendar.total, u, side="right") - 1
    return np.asarray(np.clip(day, low, high - 1))


def draw_orders(
    rng: np.random.Generator,
    traders: Traders,
    calendar: Calendar,
    weight: Float,
    n_items: int,
    month: int,
) -> Orders:
    """Draw declarations of several items each until there are `n_items`."""
    total = np.cumsum(weight)
    if n_items < 1 or not len(total) or total[-1] <= 0:
        return _make_no_orders()
    row = pick_from(rng, total, n_items)
    lines = 1 + np.minimum(rng.poisson(traders.customs.lines[row]), _MOST_LINES - 1)
    n = int(np.searchsorted(np.cumsum(lines), n_items)) + 1
    row, lines = row[:n], lines[:n]
    lines[-1] -= int(lines.sum()) - n_items
    return Orders(
        relation=row,
        day=draw_days(rng, traders, calendar, row, month),
        lines=lines,
        split=np.zeros(n, bool),
    )


def _make_no_orders() -> Orders:
    """Return orders without an entry."""
    none = np.zeros(0, np.int64)
    return Orders(relation=none, day=none, lines=none, split=none.astype(bool))


def join_orders(parts: list[Orders]) -> Orders:
    """Return several sets of orders as one."""
    return Orders(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(Orders)
        }
    )


def make_goods(
    rng: np.random.Generator,
    law: Law,
    traders: Traders,
    calendar: Calendar,
    orders: Orders,
    state: MonthState,
) -> Goods:
    """Draw the true goods of the items of `orders`, by time of lodgement."""
    lines = _draw_lines(rng, orders, state.first_day)
    relation = lines.relation
    tariff, parcel = law.tariff, traders.relations.kind[relation] >= PARCELS
    code = _draw_codes(rng, tariff, traders, lines)
    source = _draw_sources(rng, tariff, traders, lines, code)
    price_level = np.exp(calendar.price[state.month, source.origin])
    amounts = _draw_amounts(
        rng, tariff, traders, relation, code, source.origin, price_level, parcel
    )
    amounts = _equalise_split_parcels(rng, lines, amounts, state.free_value)
    procedure = traders.customs.procedure[relation]
    exempt = np.isin(procedure, (INWARD, TEMPORARY))
    claims = traders.customs.claims[relation] & ~exempt & ~parcel
    claims &= (rng.random(len(code)) < 0.95) & (law.rate(code, lines.day) > 0)
    written = write_amounts(rng, amounts.value, state.hands.true[relation])
    value = np.where(lines.split, amounts.value, written)
    per_order: Float = np.bincount(lines.order, value, minlength=lines.n_orders).astype(
        float
    )
    agreement = law.agreement(code, source.origin, lines.day)
    return Goods(
        relation=relation,
        order=lines.order,
        document=lines.document,
        line=lines.line,
        moment=lines.moment,
        day=lines.day,
        split=lines.split,
        importer=_draw_importers(rng, traders, lines, state.importer),
        consignor=source.consignor,
        spot=source.spot,
        code=code,
        origin=source.origin,
        departure=source.departure,
        value=value,
        total=per_order[lines.order],
        mass=amounts.mass,
        gross=amounts.mass * (1.02 + rng.gamma(2.0, 0.035, len(code))),
        quantity=amounts.quantity,
        agreement=np.where(claims, agreement, -1),
        procedure=procedure,
        exempt=exempt,
        parcel=parcel,
    )


def _draw_lines(
    rng: np.random.Generator, orders: Orders, first_day: np.datetime64
) -> Lines:
    """Draw the moments of lodgement, and number declarations and their items."""
    hour = np.clip(rng.normal(13.0, 2.6, len(orders.day)), 6.0, 20.0)
    second = (hour * 3600).astype(np.int64) + rng.integers(0, 60, len(hour))
    order = np.repeat(np.arange(len(hour)), orders.lines)
    start = np.cumsum(orders.lines) - orders.lines
    line = np.arange(len(order)) - start[order]
    split = orders.split[order]
    clock = second[order] + np.where(split, line * _PARCEL_SECONDS, 0)
    clock = orders.day[order] * _DAY_SECONDS + np.minimum(clock, _DAY_SECONDS - 1)
    place = np.argsort(clock, kind="stable")
    order, line, clock = order[place], line[place], clock[place]
    split = split[place]
    new = np.append(True, (order[1:] != order[:-1]) | split[1:])[: len(order)]
    first = first_day.astype("datetime64[us]")
    return Lines(
        relation=orders.relation[order],
        order=order,
        day=orders.day[order],
        document=np.cumsum(new) - 1,
        line=np.where(split, 1, line + 1),
        moment=first + clock.astype("timedelta64[s]"),
        split=split,
    )


def _draw_importers(
    rng: np.random.Generator, traders: Traders, lines: Lines, current: Int
) -> Int:
    """Return the importers; for a consumer's parcel, draw one of many consumers."""
    drawn = rng.random(lines.n_orders) * traders.n_consumers
    consumer = traders.n_named + drawn.astype(np.int64)
    importer = current[lines.relation]
    return np.asarray(np.where(importer < 0, consumer[lines.order], importer))


def _draw_codes(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, lines: Lines
) -> Int:
    """Draw codes: the relation's usual one, one of two others, or a new one.

    The first line of a declaration is the usual one more often than the others are.
    """
    u = rng.random(len(lines.relation))
    u = np.where(lines.line > 1, 0.55 + 0.45 * u, u)
    u[lines.split] = 0.0
    code = traders.relations.code[lines.relation]
    others = traders.customs.others[lines.relation]
    code = np.where(u > 0.78, others[:, 0], code)
    code = np.where(u > 0.91, others[:, 1], code)
    new = np.flatnonzero(u > 0.975)
    code[new] = draw_related_code(rng, tariff, code[new])
    return np.asarray(code)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sources:
    """Where the goods of each item come from."""

    origin: Int
    departure: Int
    consignor: Int
    spot: Bool  # from another consignor for once


def _draw_sources(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    lines: Lines,
    code: Int,
) -> _Sources:
    """Draw origin, departure and consignor.

    One order in eight comes from another consignor for once (assumption): together
    with new relations, some 15 % of a new quarter's items come from a consignor never
    seen (19.9 % in the Korean set).
    """
    relations, moves, row = traders.relations, traders.moves, lines.relation
    n, moved = len(code), lines.day >= moves.day[row]
    origin = np.where(moved, moves.origin[row], relations.origin[row])
    consignor = np.where(moved, moves.consignor[row], relations.consignor[row])
    direct = traders.customs.departure[row] == relations.origin[row]
    departure = np.where(moved & direct, origin, traders.customs.departure[row])
    ordinary = relations.kind[row] == ORDINARY
    once = np.flatnonzero(ordinary & (rng.random(n) < _OTHER_ORIGIN))
    origin[once] = departure[once] = draw_origin(rng, tariff, code[once])
    spot = (rng.random(lines.n_orders) < _SPOT_SHARE)[lines.order] & ordinary
    other = traders.n_consignors + rng.integers(0, traders.n_spot, lines.n_orders)
    return _Sources(
        origin=origin,
        departure=departure,
        consignor=np.where(spot, other[lines.order], consignor),
        spot=spot,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Amounts:
    """Value in national currency, mass in kg, and quantity of each item."""

    value: Float
    mass: Float
    quantity: Float


def _draw_amounts(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    relation: Int,
    code: Int,
    origin: Int,
    price_level: Float,
    parcel: Bool,
) -> _Amounts:
    """Draw value, mass and quantity.

    Value is nearly log-normal with a spread of about 2.5, so that the top 1 % of the
    items carry some 60 % of it (60 % in the Korean set). True prices per kg of a code
    and an origin scatter by about 0.35 in logs (assumption: 0.3-0.5), with heavy tails.
    Prices follow the exchange rate of the origin; freight by the mode is part of the
    value.
    """
    n, customs = len(code), traders.customs
    relation_size = traders.relations.size[relation]
    usual = tariff.log_price[code] + tariff.origin_price[code, origin]
    size = tariff.log_size[code] + relation_size + rng.normal(0, 1.45, n)
    small = np.flatnonzero(parcel)
    size[small] = np.log(draw_parcel_values(rng, relation_size[small]))
    piece = tariff.log_piece[code] + customs.piece[relation]
    counted = tariff.unit[code] > 0
    quantity = np.maximum(np.rint(np.exp(size - usual - piece)), 1.0)
    mass = np.where(
        counted & ~parcel,
        np.log(quantity) + piece + rng.normal(0, 0.05, n),
        size - usual,
    )
    mass = np.maximum(np.round(np.exp(mass), 2), 0.01)
    scatter = np.where(customs.contract[relation], 0.02, 0.22)
    tail = rng.standard_t(_TAIL, n) * np.sqrt((_TAIL - 2) / _TAIL)
    quality = customs.quality[relation] + scatter * np.clip(tail, -8, 8)
    price = np.exp(usual + tariff.price_spread[code] * quality)
    odd = np.flatnonzero(rng.random(n) < _ODD_SHARE)
    price[odd] *= np.exp(rng.normal(0, _ODD_SPREAD, len(odd)))
    freight = np.exp(rng.normal(0, _FREIGHT_SPREAD, n))
    freight *= _FREIGHT[customs.mode[relation]]
    price += np.minimum(freight, _FREIGHT_MOST * price)
    return _Amounts(
        value=mass * price * price_level,
        mass=mass,
        quantity=np.where(counted, quantity, mass),
    )


def _equalise_split_parcels(
    rng: np.random.Generator, lines: Lines, amounts: _Amounts, free_value: float
) -> _Amounts:
    """Return amounts in which the parcels of a split order have nearly equal values.

    Each is just below the threshold.
    """
    rows = np.flatnonzero(lines.split)
    share = rng.uniform(0.6, 0.97, lines.n_orders)[lines.order[rows]]
    value = free_value * share * np.exp(rng.normal(0, 0.01, len(rows)))
    value = np.minimum(value, free_value)
    factor = value / np.maximum(amounts.value[rows], 1e-9)
    amounts.value[rows] = value
    amounts.mass[rows] = np.maximum(np.round(amounts.mass[rows] * factor, 2), 0.01)
    quantity = np.maximum(np.rint(amounts.quantity[rows] * factor), 1.0)
    amounts.quantity[rows] = quantity
    return amounts
