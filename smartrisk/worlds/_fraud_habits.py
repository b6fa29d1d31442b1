"""Habits of fraud: which relation commits what, from when to when, and how often.

Constants without a source are assumptions. They were chosen so that the shares of
`FraudMix` and of `Scenario.illicit` are met month by month, and no single relation
decides a world.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from smartrisk.worlds._goods import Goods
from smartrisk.worlds._law import Law
from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._relations import ORDINARY, PARCELS, PHOENIX, RESALE
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import Bool, Float, Int
from smartrisk.worlds._traders import INWARD, TEMPORARY, Traders

#: What can be wrong with an item; the first stands for a true declaration.
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
#: Typologies that a habit can have. Those that few relations can commit choose first.
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
#: Share of the cases that are not a habit (assumption).
_SINGLE_SHARE = 0.15
#: Share of a phoenix importer's items that are illicit (assumption).
PHOENIX_ZEAL = 0.85
#: Mean number of parcels of a split order, which has 2 to 8.
_PARCELS_PER_ORDER = 4.5
#: Quantile of value above which everything is declared as it is (assumption).
CONSPICUOUS = 0.996
#: Largest part of a month's wanted cases that one relation may bring (assumption).
_LARGEST_PART = 0.08
#: Months that a phoenix wave lasts, and months of a swing of the illicit share.
_WAVE_MONTHS, _SWING_MONTHS = 6, 18
#: A day after the end of every world.
_NEVER = 1 << 30


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthDays:
    """A month's days, and which relations have moved their origin by then."""

    first: int
    end: int  # day after the last
    moved: Bool


def typology_shares(seed: int, scenario: Scenario) -> Float:
    """Return the shares of the typologies among the illicit items of a world.

    They scatter around those of the scenario's mix by its `mix_spread`.
    """
    given = asdict(scenario.mix)
    weights = np.array([0.0, *(given[name] for name in _FIELDS)])
    drawn = stream(seed, "mix").normal(0, 1, len(weights))
    weights *= np.exp(scenario.mix_spread * np.clip(drawn, -2, 2))
    if scenario.parcels <= 0:
        weights[[SPLIT, ECOMMERCE]] = 0.0
    total = weights.sum()
    return np.asarray(weights / total if total > 0 else weights)


def illicit_targets(seed: int, scenario: Scenario, n_items: Int) -> Float:
    """Return the wanted number of illicit items by month and typology.

    The share of illicit items swings around its mean with a period of 18 months; a
    phoenix wave multiplies that typology for six months.
    """
    month = np.arange(scenario.n_months)
    swing = 1 + scenario.swing * np.sin(2 * np.pi * month / _SWING_MONTHS)
    swing *= n_items.sum() / max(float((swing * n_items).sum()), 1e-12)
    by_month = scenario.illicit * swing * n_items
    wanted = by_month[:, None] * typology_shares(seed, scenario)[None, :]
    for change in scenario.changes:
        if change.kind == "phoenix wave":
            wave = (month >= change.month) & (month < change.month + _WAVE_MONTHS)
            wanted[wave, SHELL] *= change.amount
    return np.asarray(wanted)


@dataclass(kw_only=True, eq=False)
class Habits:
    """Habit of each relation: typology, days, and how often it is practised.

    This state changes while a world runs: recruiting and reactions alter it.
    """

    typology: Int
    start: Int
    stop: Int
    zeal: Float
    pull: Float  # log odds beyond the importer's own, of clients of colluding brokers
    owed: Float  # illicit items by typology that are still wanted

    def active(self, relation: Int, day: Int) -> Bool:
        """Return whether a relation has a habit on a day."""
        within = (day >= self.start[relation]) & (day < self.stop[relation])
        return np.asarray(within & (self.typology[relation] > 0))


def make_habits(seed: int, n: int) -> Habits:
    """Return the state of `n` relations before any of them has a habit."""
    return Habits(
        typology=np.zeros(n, np.int64),
        start=np.full(n, _NEVER),
        stop=np.zeros(n, np.int64),
        zeal=stream(seed, "zeal").uniform(0.5, 0.95, n),
        pull=np.zeros(n),
        owed=np.zeros(len(TYPOLOGIES)),
    )


def temptation(rate: Float) -> Float:
    """Return the relative odds of fraud by the duty at stake (assumption)."""
    return np.asarray(0.35 + np.minimum(rate, 0.4) / 0.12)


def recruit(
    rng: np.random.Generator,
    law: Law,
    traders: Traders,
    habits: Habits,
    expected: Float,
    month: MonthDays,
) -> None:
    """Give relations habits until the month's expected cases reach the wanted number.

    Which relation is drawn first depends on the duty at stake and on the importer; big
    relations are skipped, so that no single one decides the world. `expected` holds the
    items of every relation in the month.
    """
    practised = habits.typology > 0
    practised &= (habits.stop > month.first) & (habits.start < month.end)
    cases = expected * habits.zeal
    relations = traders.relations
    row = np.flatnonzero((expected > 0) & ~practised & (relations.kind != PHOENIX))
    if not len(row):
        return
    origin = np.where(month.moved, traders.moves.origin, relations.origin)[row]
    day = np.full(len(row), month.first)
    can = _possible_habits(law, traders, row, origin, day)
    odds = _habit_odds(law, traders, habits.pull[row], row, origin, day)
    odds += 0.5 * np.log(np.maximum(cases[row], 0.02)) + rng.gumbel(size=len(row))
    order = np.argsort(-odds, kind="stable")
    available = np.ones(len(row), bool)
    for kind in _HABITS:
        per_order = _PARCELS_PER_ORDER if kind == SPLIT else 1.0
        of_kind = practised & (habits.typology == kind)
        present = per_order * float(cases[of_kind].sum())
        by_habit = 1 - _SINGLE_SHARE * (kind != SPLIT)
        wanted = by_habit * habits.owed[kind] - present
        if present > 0 and wanted <= 0.7 * present:
            _retire(rng, habits, of_kind, wanted / present, month)
        if wanted <= 0:
            continue
        brought = per_order * cases[row[order]]
        able = can[kind][order] & available[order]
        able &= brought <= max(_LARGEST_PART * habits.owed[kind], per_order)
        chosen = order[able]
        enough = int(np.searchsorted(np.cumsum(brought[able]), wanted))
        chosen = chosen[: enough + int(rng.random() < 0.5)]
        available[chosen] = False
        _begin(rng, habits, row[chosen], kind, month)


def _habit_odds(
    law: Law, traders: Traders, pull: Float, row: Int, origin: Int, day: Int
) -> Float:
    """Return log odds of a new habit, by the duty at stake, importer and broker."""
    code = traders.relations.code[row]
    importer = np.maximum(traders.relations.importer[row], 0)
    rate = law.rate(code, day) + law.dumping(code, origin, day)
    odds = np.log(temptation(rate)) + traders.importer_integrity[importer]
    return np.asarray(odds + (pull - 1.5 * traders.importer_trusted[importer]))


def _retire(
    rng: np.random.Generator,
    habits: Habits,
    habit: Bool,
    keep: float,
    month: MonthDays,
) -> None:
    """End habits within the month, so that about the share `keep` goes on."""
    row = np.flatnonzero(habit)
    row = row[rng.random(len(row)) > max(keep, 0.3)]
    late = rng.random(len(row)) * (month.end - month.first)
    end = month.first + late.astype(np.int64)
    habits.stop[row] = np.minimum(habits.stop[row], end)


def _begin(
    rng: np.random.Generator,
    habits: Habits,
    row: Int,
    kind: int,
    month: MonthDays,
) -> None:
    """Start habits within the month; they last seven weeks and more."""
    habits.typology[row] = kind
    late = rng.random(len(row)) * 0.3 * (month.end - month.first)
    habits.start[row] = month.first + late.astype(np.int64)
    length = 45 + rng.exponential(240, len(row))
    habits.stop[row] = habits.start[row] + length.astype(np.int64)


def _possible_habits(
    law: Law, traders: Traders, row: Int, origin: Int, day: Int
) -> dict[int, Bool]:
    """Return for which relations each typology would change anything."""
    code, kind = traders.relations.code[row], traders.relations.kind[row]
    rate, ordinary = law.rate(code, day), kind == ORDINARY
    pays = rate + law.dumping(code, origin, day) > 0
    relief = np.isin(traders.customs.procedure[row], (INWARD, TEMPORARY))
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


def draw_typologies(
    rng: np.random.Generator, law: Law, traders: Traders, habits: Habits, goods: Goods
) -> Int:
    """Draw the typology of every item of a month, and count it as a wanted case."""
    can = is_possible(law, goods)
    kind = habits.typology[goods.relation]
    illicit = habits.active(goods.relation, goods.day) & ~goods.spot & (kind != SPLIT)
    illicit &= rng.random(len(goods)) < habits.zeal[goods.relation]
    illicit &= can[np.arange(len(goods)), kind]
    typology = np.where(illicit, kind, NONE)
    shell = traders.relations.kind[goods.relation] == PHOENIX
    can[shell] = False
    false = rng.random(len(goods)) < PHOENIX_ZEAL
    typology[shell] = np.where(false, SHELL, NONE)[shell]
    typology[goods.split] = SPLIT
    _add_single_cases(rng, law, habits, goods, typology, can)
    habits.owed -= np.bincount(typology, minlength=len(TYPOLOGIES))
    habits.owed[NONE] = 0.0
    return typology


def is_possible(law: Law, goods: Goods) -> Bool:
    """Return, item by typology, whether the mechanism would change anything.

    The most valuable items are declared as they are, because every office looks at
    them. (An assumption; without it one item may carry most of the revenue of a small
    world.)
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
    can[:, MISCLASS] &= _has_cheaper_neighbours(law, goods)
    partner = law.agreement(goods.code, goods.origin, goods.day) >= 0
    can[:, ORIGIN] = trade & (owed + dumping > 0) & ~partner
    can[:, OVER] = trade & (owed + dumping == 0) & ~goods.exempt
    can[:, PROCEDURE] = trade & (owed > 0)
    can[:, ECOMMERCE] = goods.parcel & ~goods.split
    return can


def _has_cheaper_neighbours(law: Law, goods: Goods) -> Bool:
    """Return whether every neighbour is still cheaper by the law of the day."""
    rate = law.rate(goods.code, goods.day)
    other = np.maximum(law.tariff.cheaper[goods.code], 0)
    day = np.repeat(goods.day[:, None], other.shape[1], axis=1)
    lower = law.rate(other.ravel(), day.ravel()).reshape(other.shape)
    return np.asarray((lower < rate[:, None] - 0.01).all(axis=1))


def _add_single_cases(
    rng: np.random.Generator,
    law: Law,
    habits: Habits,
    goods: Goods,
    typology: Int,
    can: Bool,
) -> None:
    """Add single cases of each typology until none is owed, where the duty tempts."""
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
