"""What is brought in: the true goods of every item, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.datasets._economy import draw_origin, near, pick
from smartrisk.datasets._tariff import AGREEMENT, Bool, Float, Int, Tariff
from smartrisk.datasets._traders import Traders

#: Days of the week from Monday (Korean set, Jeong et al. 2022: Monday 28.6 %,
#: Saturday 3.3, Sunday 2.0; the days between share the rest).
WEEKDAYS = np.array([0.286, 0.17, 0.168, 0.163, 0.16, 0.033, 0.02])
#: Months from January (assumption: a quiet February, a busy autumn).
SEASON = np.array([1.0, 0.85, 1.0, 0.97, 0.98, 0.97, 0.95, 0.97, 1.03, 1.1, 1.12, 1.06])
_ROUNDED = 0.06  # share of true values that are round numbers (assumption)


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


def make_goods(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, n_items: int, start: Any
) -> Goods:
    """Draw the true goods of `n_items` items, by time of lodgement."""
    calendar = make_calendar(rng, start, int(traders.last.max()))
    mass = traders.weight * (calendar[traders.last] - calendar[traders.first])
    fixed = np.repeat(np.arange(len(traders)), traders.n_fixed)
    relation = np.append(pick(rng, mass, n_items - len(fixed)), fixed)
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
    scatter = np.where(traders.contract[relation], 0.02, 0.22)
    quality = traders.quality[relation] + scatter * rng.normal(0, 1, n)
    value = mass * np.exp(usual + tariff.price_spread[code] * quality)
    value = np.where(rng.random(n) < _ROUNDED, rounded(value), value)
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
        value=value,
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
    code[new] = near(rng, tariff, code[new])
    return code


def rounded(value: Float) -> Float:
    """Return values rounded to two digits; below ten to whole units."""
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(value, 1.0))) - 1, 0.0)
    return np.asarray(np.maximum(np.rint(value / step) * step, 0.01))
