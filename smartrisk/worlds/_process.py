"""A world that runs month by month: trade, fraud, control, results, reactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smartrisk.worlds._economy import Calendar, make_calendar
from smartrisk.worlds._fraud import Declared, Style, declare, evaded, make_style
from smartrisk.worlds._fraud_habits import (
    PHOENIX_ZEAL,
    SHELL,
    SPLIT,
    Habits,
    no_habits,
    practise,
    recruit,
    targets,
)
from smartrisk.worlds._goods import (
    Goods,
    Orders,
    activity,
    draw_orders,
    joined_orders,
    make_goods,
)
from smartrisk.worlds._inspections import (
    CHANNEL_SHARES,
    OFFICERS,
    Cases,
    Officers,
    Results,
    inspected,
    make_officers,
)
from smartrisk.worlds._law import Law, make_law
from smartrisk.worlds._office_policies import (
    Choice,
    Memory,
    Policy,
    Seen,
    choose,
    make_policy,
)
from smartrisk.worlds._random_streams import pick, stream
from smartrisk.worlds._reactions import Names, Reaction, planned, react
from smartrisk.worlds._relations import ORDINARY, PARCELS, RESALE
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import Float, Int, make_tariff
from smartrisk.worlds._traders import OFFICE_CODES, Traders, make_traders

#: Log odds of fraud for the clients of a broker with a friend at the office
#: (assumption; in Madagascar some 3 % of the taxes were lost through few of them).
_PULL = 2.5


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a world starts from and what never changes in it."""

    seed: int
    scenario: Scenario
    law: Law
    calendar: Calendar
    traders: Traders
    style: Style
    officers: Officers
    plan: Int  # items of each month
    targets: Float  # illicit items by month and typology

    @property
    def free(self) -> float:
        """Value up to which a parcel pays no duty, in national currency."""
        return self.scenario.threshold * self.scenario.currency


@dataclass(frozen=True, kw_only=True)
class Month:
    """What happened in a month, as numbers."""

    first: int  # number of the first item in the world
    document: int  # number of the first declaration
    goods: Goods
    declared: Declared
    importer_first: Int
    since: Int
    evaded: Float
    choice: Choice
    channel: Int
    cases: Cases
    row: Int  # inspected items
    results: Results
    reaction: Reaction


def set_up(n_items: int, seed: int, scenario: Scenario) -> Setting:
    """Draw what a world starts from."""
    tariff = make_tariff(stream(seed, "tariff"), scenario.n_codes)
    law = make_law(seed, tariff, scenario)
    calendar = make_calendar(seed, scenario)
    share = np.diff(calendar.total[calendar.edges])
    rough = targets(scenario, planned(share, n_items))
    phoenix = np.minimum(rough[:, SHELL] / PHOENIX_ZEAL, n_items / 4)
    traders = make_traders(seed, tariff, n_items, scenario, phoenix)
    n_months = scenario.n_months
    busy = np.array(
        [activity(traders, tariff, calendar, month).sum() for month in range(n_months)]
    )
    plan = planned(busy, n_items)
    n_offices = len(OFFICE_CODES)
    brokers = _brokers(seed, traders, n_offices)
    return Setting(
        seed=seed,
        scenario=scenario,
        law=law,
        calendar=calendar,
        traders=traders,
        style=make_style(seed, len(traders)),
        officers=make_officers(seed, n_offices, scenario.collusion, brokers),
        plan=plan,
        targets=targets(scenario, plan),
    )


def _brokers(seed: int, traders: Traders, n_offices: int) -> Int:
    """Draw a busy broker of the office for each place of an officer."""
    rng = stream(seed, "brokers")
    brokers = []
    for office in range(n_offices):
        here = np.flatnonzero(traders.office == office)
        here = here if len(here) else np.arange(len(traders))
        weight = np.bincount(traders.of.declarant[here], traders.of.weight[here])
        brokers.append(pick(rng, np.square(weight, dtype=float) + 1e-12, OFFICERS))
    return np.concatenate(brokers)


class Run:
    """The state of a world that runs: habits, names, memory, what is pending."""

    def __init__(self, setting: Setting) -> None:
        traders = setting.traders
        self.setting = setting
        self.habits: Habits = no_habits(setting.seed, len(traders))
        friends = np.isin(traders.of.declarant, setting.officers.partner)
        self.habits.pull[friends] = _PULL
        self.names = Names(
            importer=traders.of.importer.copy(),
            office=traders.office.copy(),
            first=traders.of.importer,
            used=traders.n_named + traders.n_consumers,
        )
        self.memory = Memory()
        self.n_items = 0
        self.n_documents = 0

    def months(self) -> Iterator[tuple[int, Month]]:
        """Let the months pass."""
        for month in range(self.setting.scenario.n_months):
            yield month, self._pass(month)

    def _pass(self, month: int) -> Month:
        """Let one month pass."""
        setting, calendar = self.setting, self.setting.calendar
        low, high = int(calendar.edges[month]), int(calendar.edges[month + 1])
        reaction = self._react(month, low)
        goods = self._trade(month, (low, high))
        rng = stream(setting.seed, "fraud", month)
        typology = practise(rng, setting.law, setting.traders, self.habits, goods)
        declared = declare(rng, setting.law, setting.style, goods, typology)
        loss = np.round(evaded(setting.law, goods, declared, setting.free), 2)
        done = self._inspect(month, goods, declared, loss)
        habit = self.habits.active(goods.relation, goods.day) & (typology > 0)
        since = np.where(habit, self.habits.start[goods.relation], goods.day)
        out = Month(
            first=self.n_items,
            document=self.n_documents,
            goods=goods,
            declared=declared,
            importer_first=self.names.first[goods.relation],
            since=np.where(typology > 0, since, -1),
            evaded=loss,
            reaction=reaction,
            **done,
        )
        self.n_items += len(goods)
        self.n_documents += int(goods.document.max(initial=-1)) + 1
        return out

    def _moment(self, day: int) -> Any:
        """Return the midnight with which a day begins."""
        first = self.setting.scenario.first
        return (first + np.timedelta64(day, "D")).astype("datetime64[us]")

    def _react(self, month: int, day: int) -> Reaction:
        """Let those react whose finding became known in the month before."""
        setting = self.setting
        before = int(setting.calendar.edges[max(month - 1, 0)])
        news = self.memory.news(self._moment(before), self._moment(day))
        rng = stream(setting.seed, "reaction", month)
        chance = setting.scenario.adversary
        done = react(rng, self.habits, self.names, news, chance, day)
        return replace(done, at=self._moment(day))

    def _trade(self, month: int, days: tuple[int, int]) -> Goods:
        """Draw the month's orders and goods; recruit before they are lodged."""
        setting, traders = self.setting, self.setting.traders
        law, calendar = setting.law, setting.calendar
        self.habits.owed += setting.targets[month]
        n_items = int(setting.plan[month])
        rows, when = traders.phoenix_items
        here = (when >= days[0]) & (when < days[1])
        here &= np.cumsum(here) <= n_items
        n_parcels = round(setting.scenario.parcels * n_items)
        n_parcels = min(n_parcels, n_items - int(here.sum()))
        n_trade = n_items - n_parcels - int(here.sum())
        weight = activity(traders, law.tariff, calendar, month)
        small = traders.of.kind >= PARCELS
        parcels, trade = weight * small, weight * (traders.of.kind == ORDINARY)
        items = trade * (1 + traders.lines)
        expected = n_trade * items / max(float(items.sum()), 1e-12)
        expected += n_parcels * parcels / max(float(parcels.sum()), 1e-12)
        moved = traders.moves < days[0]
        rng = stream(setting.seed, "recruiting", month)
        recruit(rng, law, traders, self.habits, expected, (*days, moved))
        rng = stream(setting.seed, "orders", month)
        phoenix = Orders(
            relation=rows[here],
            day=when[here],
            lines=np.ones(int(here.sum()), np.int64),
            split=np.zeros(int(here.sum()), bool),
        )
        ordinary = draw_orders(rng, traders, calendar, trade, n_trade, month)
        small_ones = self._parcels(rng, parcels, n_parcels, month)
        orders = joined_orders([ordinary, small_ones, phoenix])
        rng = stream(setting.seed, "goods", month)
        now = (month, setting.scenario.first, self.names.importer, setting.free)
        return make_goods(rng, law, traders, calendar, orders, now)

    def _parcels(
        self, rng: np.random.Generator, weight: Float, n_items: int, month: int
    ) -> Orders:
        """Draw orders of parcels; resellers with the habit split theirs in 2 to 8."""
        setting = self.setting
        orders = draw_orders(
            rng, setting.traders, setting.calendar, weight, n_items, month
        )
        row = orders.relation
        splits = self.habits.active(row, orders.day)
        splits &= self.habits.typology[row] == SPLIT
        splits &= setting.traders.of.kind[row] == RESALE
        splits &= rng.random(len(row)) < self.habits.zeal[row]
        lines = np.where(splits, rng.integers(2, 9, len(row)), orders.lines)
        n = int(np.searchsorted(np.cumsum(lines), n_items)) + 1 if len(row) else 0
        lines, splits = lines[:n], splits[:n]
        if n:
            lines[-1] -= max(int(lines.sum()) - n_items, 0)
            splits[-1] &= lines[-1] > 1
        return Orders(relation=row[:n], day=orders.day[:n], lines=lines, split=splits)

    def _inspect(
        self, month: int, goods: Goods, declared: Declared, loss: Float
    ) -> dict[str, Any]:
        """Choose, inspect, and remember what was found."""
        setting, traders = self.setting, self.setting.traders
        rng = stream(setting.seed, "control", month)
        seen = self._seen(goods, declared)
        caught = self.memory.caught(goods.importer, self._moment_of(month))
        policy, shares = self._policy(month)
        choice = choose(rng, policy, seen, caught, shares)
        channel = rng.choice(len(CHANNEL_SHARES), len(goods), p=CHANNEL_SHARES)
        cases = Cases(
            number=self.n_items + np.arange(len(goods)),
            office=self.names.office[goods.relation],
            declarant=traders.of.declarant[goods.relation],
            typology=declared.typology,
            value=cents(declared.value),
            true_value=np.round(goods.value, 2),
            evaded=loss,
            start=goods.moment,
        )
        row = np.flatnonzero(choice.chosen)
        results = inspected(
            setting.seed, cases.take(row), setting.officers, channel[row]
        )
        hit = results.found
        relation = goods.relation[row]
        self.memory.add(results.known_at[hit], goods.importer[row][hit], relation[hit])
        return {
            "choice": choice,
            "channel": channel,
            "cases": cases,
            "row": row,
            "results": results,
        }

    def _moment_of(self, month: int) -> Any:
        """Return when a month begins."""
        return self._moment(int(self.setting.calendar.edges[month]))

    def _policy(self, month: int) -> tuple[Policy, tuple[float, float]]:
        """Return the policy of the month, and the targeted and the random share."""
        scenario, regime, targeted = self.setting.scenario, 0, 0.0
        targeted = scenario.targeted
        for change in scenario.changes:
            if change.kind == "policy" and change.month <= month:
                regime, targeted = regime + 1, change.amount
        policy = make_policy(self.setting.seed, len(OFFICE_CODES), regime)
        return policy, (targeted, min(scenario.random, 1 - targeted))

    def _seen(self, goods: Goods, declared: Declared) -> Seen:
        """Gather what the offices see."""
        setting, traders = self.setting, self.setting.traders
        tariff, code = setting.law.tariff, declared.code
        value = np.maximum(declared.value, 0.01)
        ratio = np.log(value / np.maximum(declared.mass, 0.01))
        ratio -= tariff.log_price[code] + np.log(setting.scenario.currency)
        named = np.minimum(goods.importer, traders.n_named - 1)
        trusted = traders.importer_trusted[named] & (goods.importer < traders.n_named)
        return Seen(
            office=self.names.office[goods.relation],
            importer=goods.importer,
            origin=declared.origin,
            chapter=tariff.chapter[code],
            rate=paid_rate(setting, goods, declared),
            log_value=np.log1p(value),
            log_price_ratio=ratio,
            trusted=trusted,
        )


def cents(value: Float) -> Float:
    """Return amounts as they are written, at least the smallest coin."""
    return np.asarray(np.round(np.maximum(value, 0.01), 2), float)


def paid_rate(setting: Setting, goods: Goods, declared: Declared) -> Float:
    """Return the rate of duty that the declaration says."""
    exempt = np.isin(declared.procedure, (2, 3))
    low = goods.parcel & (declared.value <= setting.free)
    relief = (declared.agreement >= 0) | exempt | low
    return setting.law.duty(declared.code, declared.origin, relief, goods.day)
