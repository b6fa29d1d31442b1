"""Who commits what from when to when: habits of relations, and their recruiting."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from smartrisk.worlds._goods import Goods
from smartrisk.worlds._law import Law
from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._relations import ORDINARY, PARCELS, PHOENIX, RESALE
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import Bool, Float, Int
from smartrisk.worlds._traders import Traders

#: What can be wrong with an item; the first is nothing.
TYPOLOGIES = (
    "none",
    "undervaluation",
    "misclassification",
    "false origin",
    "quantity",
    "phoenix",
    "concealment",
    "splitting",
    "e-commerce",
    "overvaluation",
    "procedure",
)
NONE, UNDER, MISCLASS, ORIGIN, QUANTITY, SHELL, CONCEAL = range(7)
SPLIT, ECOMMERCE, OVER, PROCEDURE = range(7, 11)
_FIELDS = (
    "undervaluation",
    "misclassification",
    "false_origin",
    "quantity",
    "phoenix",
    "concealment",
    "splitting",
    "e_commerce",
    "overvaluation",
    "procedure",
)
#: Those that a habit can be; rare chances choose first.
_HABITS = (
    OVER,
    SPLIT,
    ECOMMERCE,
    PROCEDURE,
    ORIGIN,
    MISCLASS,
    QUANTITY,
    CONCEAL,
    UNDER,
)
_ONCE = 0.15  # share of the cases that are no habit (assumption)
#: Share of a phoenix importer's items that are illicit (assumption).
PHOENIX_ZEAL = 0.85
_PARCELS_PER_ORDER = 4.5  # of a split order, in the mean: 2 to 8
_FOREVER = 1 << 30


def shares(scenario: Scenario) -> Float:
    """Return the shares of the typologies among the illicit items."""
    given = asdict(scenario.mix)
    weights = np.array([0.0, *(given[name] for name in _FIELDS)])
    if scenario.parcels <= 0:
        weights[[SPLIT, ECOMMERCE]] = 0.0
    total = weights.sum()
    return np.asarray(weights / total if total > 0 else weights)


def targets(scenario: Scenario, n_items: Int) -> Float:
    """Return the wanted illicit items by month and typology.

    The share of illicit items swings around its mean with a period of 18 months; a
    phoenix wave multiplies that typology for six months.
    """
    month = np.arange(scenario.n_months)
    swing = 1 + scenario.swing * np.sin(2 * np.pi * month / 18)
    swing *= n_items.sum() / max(float((swing * n_items).sum()), 1e-12)
    wanted = (scenario.illicit * swing * n_items)[:, None] * shares(scenario)[None, :]
    for change in scenario.changes:
        if change.kind == "phoenix wave":
            wave = (month >= change.month) & (month < change.month + 6)
            wanted[wave, SHELL] *= change.amount
    return np.asarray(wanted)


@dataclass(kw_only=True)
class Habits:
    """What every relation does, between which days, how often, and in what style.

    The state of a world that runs: recruiting and reactions change it.
    """

    typology: Int
    start: Int
    stop: Int
    zeal: Float
    pull: Float  # log odds beyond the importer's own, of friends at the office
    owed: Float  # illicit items by typology that are still to come

    def active(self, relation: Int, day: Int) -> Bool:
        """Return whether the habit of a relation, if it has one, is on that day."""
        on = (day >= self.start[relation]) & (day < self.stop[relation])
        return np.asarray(on & (self.typology[relation] > 0))


def no_habits(seed: int, n: int) -> Habits:
    """Return `n` relations without habits; how often they would cheat is their own."""
    return Habits(
        typology=np.zeros(n, np.int64),
        start=np.full(n, _FOREVER),
        stop=np.zeros(n, np.int64),
        zeal=stream(seed, "zeal").uniform(0.5, 0.95, n),
        pull=np.zeros(n),
        owed=np.zeros(len(TYPOLOGIES)),
    )


def temptation(rate: Float) -> Float:
    """Return the relative odds of fraud by the duty at stake."""
    return np.asarray(0.35 + np.minimum(rate, 0.4) / 0.12)


def recruit(
    rng: np.random.Generator,
    law: Law,
    traders: Traders,
    habits: Habits,
    expected: Float,
    month: tuple[int, int, Bool],
) -> None:
    """Give relations habits until what is expected in the month is what is wanted.

    Who is drawn first depends on the duty at stake and on the importer; big relations
    are passed over, so that no single one makes the world. `expected` holds the items
    of every relation in the month; `month` its first day, the day after its last, and
    which relations have moved their origin.
    """
    low, high, moved = month
    on = (habits.typology > 0) & (habits.stop > low) & (habits.start < high)
    cases = expected * habits.zeal
    open_ = (expected > 0) & ~on & (traders.of.kind != PHOENIX)
    row = np.flatnonzero(open_)
    if not len(row):
        return
    origin = np.where(moved, traders.next_origin, traders.of.origin)[row]
    code, day = traders.of.code[row], np.full(len(row), low)
    can = _chances(law, traders, row, (code, origin, day))
    importer = np.maximum(traders.of.importer[row], 0)
    rate = law.rate(code, day) + law.dumping(code, origin, day)
    odds = np.log(temptation(rate)) + traders.importer_integrity[importer]
    odds += habits.pull[row] - 1.5 * traders.importer_trusted[importer]
    odds += 0.5 * np.log(np.maximum(cases[row], 0.02)) + rng.gumbel(size=len(row))
    order = np.argsort(-odds, kind="stable")
    free = np.ones(len(row), bool)
    for kind in _HABITS:
        many = _PARCELS_PER_ORDER if kind == SPLIT else 1.0
        have = many * float(cases[on & (habits.typology == kind)].sum())
        wanted = (1 - _ONCE * (kind != SPLIT)) * habits.owed[kind] - have
        if have > 0 and wanted <= 0.7 * have:
            _retire(rng, habits, on & (habits.typology == kind), wanted / have, month)
        if wanted <= 0:
            continue
        mine = many * cases[row[order]]
        able = can[kind][order] & free[order]
        able &= mine <= max(0.08 * habits.owed[kind], 1.0 * many)
        chosen = order[able]
        enough = int(np.searchsorted(np.cumsum(mine[able]), wanted))
        chosen = chosen[: enough + int(rng.random() < 0.5)]
        free[chosen] = False
        _begin(rng, habits, row[chosen], kind, (low, high))


def _retire(
    rng: np.random.Generator,
    habits: Habits,
    of: Bool,
    keep: float,
    month: tuple[int, int, Bool],
) -> None:
    """Let habits end within the month, so that about the share `keep` goes on."""
    row = np.flatnonzero(of)
    row = row[rng.random(len(row)) > max(keep, 0.3)]
    late = rng.random(len(row)) * (month[1] - month[0])
    end = month[0] + late.astype(np.int64)
    habits.stop[row] = np.minimum(habits.stop[row], end)


def _begin(
    rng: np.random.Generator,
    habits: Habits,
    row: Int,
    kind: int,
    month: tuple[int, int],
) -> None:
    """Start habits within the month; they last seven weeks and more."""
    habits.typology[row] = kind
    late = rng.random(len(row)) * 0.3 * (month[1] - month[0])
    habits.start[row] = month[0] + late.astype(np.int64)
    length = 45 + rng.exponential(240, len(row))
    habits.stop[row] = habits.start[row] + length.astype(np.int64)


def _chances(
    law: Law, traders: Traders, row: Int, what: tuple[Int, Int, Int]
) -> dict[int, Bool]:
    """Return for which relations a typology would change anything."""
    code, origin, day = what
    rate, kind = law.rate(code, day), traders.of.kind[row]
    ordinary = kind == ORDINARY
    pays = rate + law.dumping(code, origin, day) > 0
    relief = np.isin(traders.procedure[row], (2, 3))
    return {
        UNDER: ordinary,
        MISCLASS: ordinary & (rate > 0) & (law.tariff.cheaper[code, 0] >= 0),
        ORIGIN: ordinary & pays & (law.agreement(code, origin, day) < 0),
        QUANTITY: ordinary,
        CONCEAL: ordinary,
        OVER: ordinary & (rate == 0),
        PROCEDURE: ordinary & (rate >= 0.05) & ~relief,
        SPLIT: (kind == RESALE) & (rate > 0),
        ECOMMERCE: (kind == PARCELS) | (kind == RESALE),
    }


def practise(
    rng: np.random.Generator, law: Law, traders: Traders, habits: Habits, goods: Goods
) -> Int:
    """Return the typology of every item of a month, and settle what was owed."""
    can = possible(law, goods)
    kind = habits.typology[goods.relation]
    done = habits.active(goods.relation, goods.day) & ~goods.spot & (kind != SPLIT)
    done &= rng.random(len(goods)) < habits.zeal[goods.relation]
    done &= can[np.arange(len(goods)), kind]
    typology = np.where(done, kind, NONE)
    shell = traders.of.kind[goods.relation] == PHOENIX
    can[shell] = False
    lies = rng.random(len(goods)) < PHOENIX_ZEAL
    typology[shell] = np.where(lies, SHELL, NONE)[shell]
    typology[goods.split] = SPLIT
    _once(rng, law, habits, goods, (typology, can))
    habits.owed -= np.bincount(typology, minlength=len(TYPOLOGIES))
    habits.owed[NONE] = 0.0
    return typology


def possible(law: Law, goods: Goods) -> Bool:
    """Return, item by typology, whether the mechanism would change anything.

    Nobody dares with the most valuable items: every office looks at them. (An
    assumption; without it one item may carry most of the revenue of a small world.)
    """
    can = np.zeros((len(goods), len(TYPOLOGIES)), bool)
    if not len(goods):
        return can
    rate = law.rate(goods.code, goods.day)
    owed = np.where((goods.agreement >= 0) | goods.exempt, 0.0, rate)
    dumping = law.dumping(goods.code, goods.origin, goods.day)
    trade = ~goods.parcel & (goods.value <= np.quantile(goods.value, CONSPICUOUS))
    can[:, [UNDER, QUANTITY, CONCEAL]] = trade[:, None]
    can[:, MISCLASS] = trade & (owed > 0) & (law.tariff.cheaper[goods.code, 0] >= 0)
    can[:, MISCLASS] &= _saves(law, goods)
    partner = law.agreement(goods.code, goods.origin, goods.day) >= 0
    can[:, ORIGIN] = trade & (owed + dumping > 0) & ~partner
    can[:, OVER] = trade & (owed + dumping == 0) & ~goods.exempt
    can[:, PROCEDURE] = trade & (owed > 0)
    can[:, ECOMMERCE] = goods.parcel & ~goods.split
    return can


def _saves(law: Law, goods: Goods) -> Bool:
    """Return whether every neighbour is still cheaper by the law of the day."""
    rate = law.rate(goods.code, goods.day)
    other = np.maximum(law.tariff.cheaper[goods.code], 0)
    day = np.repeat(goods.day[:, None], other.shape[1], axis=1)
    lower = law.rate(other.ravel(), day.ravel()).reshape(other.shape)
    return np.asarray((lower < rate[:, None] - 0.01).all(axis=1))


#: Quantile of value above which all is true (assumption).
CONSPICUOUS = 0.996


def _once(
    rng: np.random.Generator,
    law: Law,
    habits: Habits,
    goods: Goods,
    what: tuple[Int, Bool],
) -> None:
    """Fill each typology up with single cases, where the duty tempts."""
    typology, can = what
    rate = law.rate(goods.code, goods.day)
    rate = rate + law.dumping(goods.code, goods.origin, goods.day)
    tempted = rng.random(len(goods)) < temptation(rate) / 4
    for kind in _HABITS:
        if kind == SPLIT:
            continue
        missing = habits.owed[kind] - int((typology == kind).sum())
        rows = np.flatnonzero(tempted & can[:, kind] & (typology == NONE))
        n = min(max(round(float(missing)), 0), len(rows))
        typology[rng.choice(rows, n, replace=False)] = kind
