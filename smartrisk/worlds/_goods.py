"""What is brought in: the true goods of every item of a month, and when."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.worlds._economy import Calendar, draw_origin, near
from smartrisk.worlds._law import Law
from smartrisk.worlds._parcels import parcel_values
from smartrisk.worlds._random_streams import pick_from
from smartrisk.worlds._relations import ORDINARY, PARCELS, PHOENIX
from smartrisk.worlds._tariff import Bool, Float, Int, Tariff
from smartrisk.worlds._traders import INWARD, TEMPORARY, Traders

_ROUNDED = 0.06  # share of true values that are round numbers (assumption)
_MOST_LINES = 20  # of a declaration (assumption)
#: Freight in dollars per kg by mode (sea, rail, road, air, post) and its spread in
#: logs (assumption: the order of magnitude of published rates).
_FREIGHT = np.array([0.12, 0.18, 0.2, 2.6, 5.0])
_FREIGHT_SPREAD = 0.3
_FREIGHT_MOST = 0.2  # of the price of the goods (assumption)


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What is lodged together, one entry per order."""

    relation: Int
    day: Int
    lines: Int  # items
    split: Bool  # lodged as parcels of one item each


@dataclass(frozen=True, kw_only=True)
class Goods:
    """True goods of every item of a month, by time of lodgement."""

    relation: Int
    order: Int
    document: Int  # declaration, numbered in the month
    line: Int  # item number
    importer: Int
    consignor: Int
    spot: Bool  # bought once from another consignor
    moment: NDArray[Any]
    day: Int
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
    split: Bool

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.code)


def activity(traders: Traders, tariff: Tariff, calendar: Calendar, month: int) -> Float:
    """Return the expected activity of every relation in a month."""
    low = np.maximum(traders.of.first, calendar.edges[month])
    high = np.minimum(traders.of.last, calendar.edges[month + 1])
    share = calendar.total[np.maximum(high, low)] - calendar.total[low]
    season = calendar.season[tariff.section[traders.of.code], month]
    return np.asarray(traders.of.weight * season * share)


def draw_days(
    rng: np.random.Generator, traders: Traders, calendar: Calendar, row: Int, month: int
) -> Int:
    """Draw days within the month and the relation's life, the busy days more often."""
    low = np.maximum(traders.of.first[row], calendar.edges[month])
    high = np.minimum(traders.of.last[row], calendar.edges[month + 1])
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
        return _no_orders()
    row = pick_from(rng, total, n_items)
    lines = 1 + np.minimum(rng.poisson(traders.lines[row]), _MOST_LINES - 1)
    n = int(np.searchsorted(np.cumsum(lines), n_items)) + 1
    row, lines = row[:n], lines[:n]
    lines[-1] -= int(lines.sum()) - n_items
    return Orders(
        relation=row,
        day=draw_days(rng, traders, calendar, row, month),
        lines=lines,
        split=np.zeros(n, bool),
    )


def _no_orders() -> Orders:
    """Return no orders at all."""
    none = np.zeros(0, np.int64)
    return Orders(relation=none, day=none, lines=none, split=none.astype(bool))


def joined_orders(parts: list[Orders]) -> Orders:
    """Return several lots of orders as one."""
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
    now: tuple[int, Any, Int, float],
) -> Goods:
    """Draw the true goods of the items of `orders`, by time of lodgement.

    `now` holds the month, the first day of the world, the importers of the relations
    as they are called now, and the value up to which a parcel is free.
    """
    hour = np.clip(rng.normal(13.0, 2.6, len(orders.day)), 6.0, 20.0)
    second = (hour * 3600).astype(np.int64) + rng.integers(0, 60, len(hour))
    order = np.repeat(np.arange(len(hour)), orders.lines)
    start = np.cumsum(orders.lines) - orders.lines
    line = np.arange(len(order)) - start[order]
    apart = orders.split[order]
    clock = second[order] + np.where(apart, line * 240, 0)
    clock = orders.day[order] * 86400 + np.minimum(clock, 86399)
    place = np.argsort(clock, kind="stable")
    order, line, clock = order[place], line[place], clock[place]
    apart = apart[place]
    new = np.append(True, (order[1:] != order[:-1]) | apart[1:])[: len(order)]
    first = now[1].astype("datetime64[us]")
    return _items(
        rng,
        (law, traders, calendar),
        {
            "relation": orders.relation[order],
            "order": order,
            "day": orders.day[order],
            "document": np.cumsum(new) - 1,
            "line": np.where(apart, 1, line + 1),
            "moment": first + clock.astype("timedelta64[s]"),
            "split": apart,
        },
        now,
    )


def _items(
    rng: np.random.Generator,
    world: tuple[Law, Traders, Calendar],
    when: dict[str, Any],
    now: tuple[int, Any, Int, float],
) -> Goods:
    """Draw what the items are, one line each."""
    law, traders, _ = world
    relation, day = when["relation"], when["day"]
    tariff, parcel = law.tariff, traders.of.kind[relation] >= PARCELS
    code = _codes(rng, tariff, traders, when)
    origin, departure, consignor, spot = _sources(rng, tariff, traders, when, code)
    what = _amounts(rng, world, (relation, code, origin), now[0], parcel)
    _same_parcels(rng, when, what, now[3])
    procedure = traders.procedure[relation]
    exempt = np.isin(procedure, (INWARD, TEMPORARY))
    claims = traders.claims[relation] & ~exempt & ~parcel
    claims &= (rng.random(len(code)) < 0.95) & (law.rate(code, day) > 0)
    even = (rng.random(len(code)) < _ROUNDED) & ~when["split"]
    value = np.where(even, rounded(what["value"]), what["value"])
    n_orders = int(when["order"].max(initial=-1)) + 1
    return Goods(
        importer=_importers(rng, traders, when["order"], relation, now[2]),
        consignor=consignor,
        spot=spot,
        code=code,
        origin=origin,
        departure=departure,
        value=value,
        total=np.bincount(when["order"], value, minlength=n_orders)[when["order"]],
        mass=what["mass"],
        gross=what["mass"] * (1.02 + rng.gamma(2.0, 0.035, len(code))),
        quantity=what["quantity"],
        agreement=np.where(claims, law.agreement(code, origin, day), -1),
        procedure=procedure,
        exempt=exempt,
        parcel=parcel,
        **when,
    )


def _importers(
    rng: np.random.Generator, traders: Traders, order: Int, relation: Int, now: Int
) -> Int:
    """Return who imports; of a consumer's parcel, someone of the many consumers."""
    n_orders = int(order.max(initial=-1)) + 1
    consumer = traders.n_named + (rng.random(n_orders) * traders.n_consumers).astype(
        np.int64
    )
    known = now[relation]
    return np.asarray(np.where(known < 0, consumer[order], known))


def _codes(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, when: dict[str, Any]
) -> Int:
    """Draw codes: the relation's usual one, one of two others, or a new one.

    The first line of a declaration is the usual one more often than the others are.
    """
    relation, line = when["relation"], when["line"]
    u = rng.random(len(relation))
    u = np.where(line > 1, 0.55 + 0.45 * u, u)
    u[when["split"]] = 0.0
    code = traders.of.code[relation]
    others = traders.others[relation]
    code = np.where(u > 0.78, others[:, 0], code)
    code = np.where(u > 0.91, others[:, 1], code)
    new = np.flatnonzero(u > 0.975)
    code[new] = near(rng, tariff, code[new])
    return np.asarray(code)


def _sources(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    when: dict[str, Any],
    code: Int,
) -> tuple[Int, Int, Int, Bool]:
    """Return origin, departure, consignor, and whether it is one for once.

    One order in eight comes from a consignor for once (assumption): with the births
    of relations, some 15 % of a new quarter's items come from a consignor never seen
    (19.9 % in the Korean set).
    """
    relation, order = when["relation"], when["order"]
    n, moved = len(code), when["day"] >= traders.moves[relation]
    origin = np.where(moved, traders.next_origin[relation], traders.of.origin[relation])
    consignor = np.where(
        moved, traders.next_consignor[relation], traders.of.consignor[relation]
    )
    direct = traders.departure[relation] == traders.of.origin[relation]
    departure = np.where(moved & direct, origin, traders.departure[relation])
    ordinary = traders.of.kind[relation] == ORDINARY
    once = np.flatnonzero(ordinary & (rng.random(n) < 0.05))
    origin[once] = departure[once] = draw_origin(rng, tariff, code[once])
    n_orders = int(order.max(initial=-1)) + 1
    spot = (rng.random(n_orders) < 1 / 8)[order] & ordinary
    other = traders.n_consignors + rng.integers(0, traders.n_spot, n_orders)
    return origin, departure, np.where(spot, other[order], consignor), spot


def _amounts(
    rng: np.random.Generator,
    world: tuple[Law, Traders, Calendar],
    goods: tuple[Int, Int, Int],
    month: int,
    parcel: Bool,
) -> dict[str, Float]:
    """Draw value, mass and quantity.

    Value is log-normal with a spread of about 2.5, so that the top 1 % of the items
    carry some 60 % of it (60 % in the Korean set). Honest prices per kg of a code
    and an origin scatter by about 0.35 in logs (assumption: 0.3-0.5). Prices follow
    the exchange rate of the origin; freight by the mode is part of the value.
    """
    law, traders, calendar = world
    relation, code, origin = goods
    tariff, n = law.tariff, len(code)
    usual = tariff.log_price[code] + tariff.origin_price[code, origin]
    size = tariff.log_size[code] + traders.of.size[relation] + rng.normal(0, 1.45, n)
    small = np.flatnonzero(parcel)
    size[small] = np.log(parcel_values(rng, traders.of.size[relation[small]]))
    piece = tariff.log_piece[code] + traders.piece[relation]
    counted = tariff.unit[code] > 0
    quantity = np.maximum(np.rint(np.exp(size - usual - piece)), 1.0)
    mass = np.where(
        counted & ~parcel,
        np.log(quantity) + piece + rng.normal(0, 0.05, n),
        size - usual,
    )
    mass = np.maximum(np.round(np.exp(mass), 2), 0.01)
    scatter = np.where(traders.contract[relation], 0.02, 0.22)
    quality = traders.quality[relation] + scatter * rng.normal(0, 1, n)
    price = np.exp(usual + tariff.price_spread[code] * quality)
    freight = np.exp(rng.normal(0, _FREIGHT_SPREAD, n))
    freight *= _FREIGHT[traders.mode[relation]]
    price += np.minimum(freight, _FREIGHT_MOST * price)
    level = np.exp(calendar.price[month, origin])
    return {
        "value": mass * price * level,
        "mass": mass,
        "quantity": np.where(counted, quantity, mass),
    }


def _same_parcels(
    rng: np.random.Generator, when: dict[str, Any], what: dict[str, Float], free: float
) -> None:
    """Make the parcels of a split order alike, each just below the threshold."""
    rows = np.flatnonzero(when["split"])
    n_orders = int(when["order"].max(initial=-1)) + 1
    share = rng.uniform(0.6, 0.97, n_orders)[when["order"][rows]]
    value = free * share * np.exp(rng.normal(0, 0.01, len(rows)))
    factor = np.minimum(value, free) / np.maximum(what["value"][rows], 1e-9)
    what["value"][rows] = np.minimum(value, free)
    what["mass"][rows] = np.maximum(np.round(what["mass"][rows] * factor, 2), 0.01)
    quantity = np.maximum(np.rint(what["quantity"][rows] * factor), 1.0)
    what["quantity"][rows] = quantity


def rounded(value: Float) -> Float:
    """Return values rounded to two digits; below ten to whole units."""
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(value, 1.0))) - 1, 0.0)
    return np.asarray(np.maximum(np.rint(value / step) * step, 0.01))


def is_shell(traders: Traders, relation: Int) -> Bool:
    """Return whether a phoenix importer is in it."""
    return np.asarray(traders.of.kind[relation] == PHOENIX)
