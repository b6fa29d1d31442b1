"""A world that runs month by month: trade, fraud, control, results, reactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._economy import Calendar, make_calendar
from smartrisk.worlds._false_declarations import (
    Declared,
    Style,
    compute_evaded_revenue,
    declare,
    declared_rate,
    make_style,
)
from smartrisk.worlds._fraud_habits import (
    PHOENIX_ZEAL,
    SHELL,
    SPLIT,
    MonthDays,
    draw_typologies,
    illicit_targets,
    make_habits,
    recruit,
)
from smartrisk.worlds._goods import (
    Goods,
    MonthState,
    Orders,
    draw_orders,
    expected_activity,
    join_orders,
    make_goods,
)
from smartrisk.worlds._inspections import (
    CHANNEL_SHARES,
    OFFICERS,
    Cases,
    Officers,
    Results,
    inspect_cases,
    make_officers,
)
from smartrisk.worlds._law import Law, make_law
from smartrisk.worlds._office_policies import (
    Choice,
    Findings,
    VisibleItems,
    choose_items,
    make_policies,
)
from smartrisk.worlds._random_streams import pick, stream
from smartrisk.worlds._reactions import Names, Reaction, react
from smartrisk.worlds._relations import ORDINARY, PARCELS, RESALE
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import Float, Int, make_tariff
from smartrisk.worlds._traders import OFFICE_CODES, Traders, make_traders

#: Log odds of fraud of the clients of a colluding broker (assumption; in Madagascar
#: some 3 % of the taxes were lost through few of them).
_PULL = 2.5
#: Keeps sums of weights that are all zero from dividing by zero.
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What a world starts from, and what never changes in it."""

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
    def free_value(self) -> float:
        """Value up to which a parcel pays no duty, in national currency."""
        return self.scenario.threshold * self.scenario.currency

    def day_start(self, day: int) -> np.datetime64:
        """Return the midnight with which a day begins, counted from the start."""
        midnight = self.scenario.first + np.timedelta64(day, "D")
        moment: np.datetime64 = midnight.astype("datetime64[us]")
        return moment

    def month_start(self, month: int) -> np.datetime64:
        """Return the midnight with which a month begins."""
        return self.day_start(int(self.calendar.edges[month]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """What the offices chose and found in a month."""

    choice: Choice
    channel: Int
    cases: Cases
    row: Int  # inspected items
    results: Results


@dataclass(frozen=True, kw_only=True, eq=False)
class Month:
    """What happened in a month, as numbers."""

    number: int
    first_document: int  # number of the first declaration
    goods: Goods
    declared: Declared
    actor: Int  # importer of the relation at the start of the world
    since: Int  # day on which the habit began, -1 for a true declaration
    evaded: Float
    control: Control
    reaction: Reaction


def make_setting(n_items: int, seed: int, scenario: Scenario) -> Setting:
    """Draw what a world starts from."""
    tariff = make_tariff(stream(seed, "tariff"), scenario.n_codes)
    law = make_law(seed, tariff, scenario)
    calendar = make_calendar(seed, scenario)
    share = np.diff(calendar.total[calendar.edges])
    rough = illicit_targets(seed, scenario, apportion(share, n_items))
    phoenix = np.minimum(rough[:, SHELL] / PHOENIX_ZEAL, n_items / 4)
    traders = make_traders(seed, tariff, n_items, scenario, phoenix)
    activity = [
        expected_activity(traders, tariff, calendar, month).sum()
        for month in range(scenario.n_months)
    ]
    plan = apportion(np.array(activity), n_items)
    n_offices = len(OFFICE_CODES)
    brokers = _draw_brokers(seed, traders, n_offices)
    return Setting(
        seed=seed,
        scenario=scenario,
        law=law,
        calendar=calendar,
        traders=traders,
        style=make_style(seed, len(traders)),
        officers=make_officers(seed, n_offices, scenario.collusion, brokers),
        plan=plan,
        targets=illicit_targets(seed, scenario, plan),
    )


def apportion(weight: Float, total: int) -> Int:
    """Return whole numbers in proportion to `weight` that add up to `total`."""
    if weight.sum() <= 0:
        weight = np.ones(len(weight))
    edges = np.append(0.0, np.cumsum(weight)) / weight.sum() * total
    return np.asarray(np.diff(np.rint(edges)), np.int64)


def _draw_brokers(seed: int, traders: Traders, n_offices: int) -> Int:
    """Draw a busy broker of the office for each place of an officer."""
    rng = stream(seed, "brokers")
    relations = traders.relations
    brokers = []
    for office in range(n_offices):
        here = np.flatnonzero(traders.customs.office == office)
        here = here if len(here) else np.arange(len(traders))
        weight = np.bincount(relations.declarant[here], relations.weight[here])
        busy = np.square(weight, dtype=float) + _TINY
        brokers.append(pick(rng, busy, OFFICERS))
    return np.concatenate(brokers)


class Run:
    """The state of a world that runs: habits, names, findings, counts."""

    def __init__(self, setting: Setting) -> None:
        relations = setting.traders.relations
        self.setting = setting
        self._habits = make_habits(setting.seed, len(relations))
        clients = np.isin(relations.declarant, setting.officers.partner)
        self._habits.pull[clients] = _PULL
        self._names = Names(
            importer=relations.importer.copy(),
            office=setting.traders.customs.office.copy(),
            first=relations.importer,
            n_used=setting.traders.n_named + setting.traders.n_consumers,
        )
        self._findings = Findings()
        self._n_items = 0
        self._n_documents = 0

    def run_months(self) -> Iterator[Month]:
        """Run the months one after the other."""
        for month in range(self.setting.scenario.n_months):
            yield self._run_month(month)

    def _run_month(self, month: int) -> Month:
        """Run one month."""
        setting, habits = self.setting, self._habits
        reaction = self._react(month)
        goods = self._draw_goods(month)
        rng = stream(setting.seed, "fraud", month)
        typology = draw_typologies(rng, setting.law, setting.traders, habits, goods)
        declared = declare(rng, setting.law, setting.style, goods, typology)
        loss = compute_evaded_revenue(setting.law, goods, declared, setting.free_value)
        loss = np.round(loss, 2)
        control = self._control(month, goods, declared, loss)
        by_habit = habits.active(goods.relation, goods.day) & (typology > 0)
        since = np.where(by_habit, habits.start[goods.relation], goods.day)
        first_document = self._n_documents
        self._n_items += len(goods)
        self._n_documents += int(goods.document.max(initial=-1)) + 1
        return Month(
            number=month,
            first_document=first_document,
            goods=goods,
            declared=declared,
            actor=self._names.first[goods.relation],
            since=np.where(typology > 0, since, -1),
            evaded=loss,
            control=control,
            reaction=reaction,
        )

    def _react(self, month: int) -> Reaction:
        """Make relations react to findings that became known in the month before.

        When an adaptation begins, they react to all findings that offices remember.
        """
        setting = self.setting
        chance, since = setting.scenario.adversary, max(month - 1, 0)
        for change in setting.scenario.changes:
            if change.kind == "adaptation" and change.month <= month:
                chance = change.amount
                since = 0 if change.month > month - 1 else since
        with_finding = self._findings.relations_known(
            setting.month_start(since), setting.month_start(month)
        )
        rng = stream(setting.seed, "reaction", month)
        day = int(setting.calendar.edges[month])
        return react(rng, self._habits, self._names, with_finding, chance, day)

    def _draw_goods(self, month: int) -> Goods:
        """Draw the month's orders and goods; habits begin before they are lodged."""
        setting, traders = self.setting, self.setting.traders
        law, calendar = setting.law, setting.calendar
        first, end = int(calendar.edges[month]), int(calendar.edges[month + 1])
        self._habits.owed += setting.targets[month]
        n_items = int(setting.plan[month])
        phoenix = _phoenix_orders(traders, first, end, n_items)
        n_phoenix = len(phoenix.relation)
        n_parcels = round(setting.scenario.parcels * n_items)
        n_parcels = min(n_parcels, n_items - n_phoenix)
        n_trade = n_items - n_parcels - n_phoenix
        weight = expected_activity(traders, law.tariff, calendar, month)
        kind = traders.relations.kind
        parcels, trade = weight * (kind >= PARCELS), weight * (kind == ORDINARY)
        items = trade * (1 + traders.customs.lines)
        expected = n_trade * items / max(float(items.sum()), _TINY)
        expected += n_parcels * parcels / max(float(parcels.sum()), _TINY)
        days = MonthDays(first=first, end=end, moved=traders.moves.day < first)
        rng = stream(setting.seed, "recruiting", month)
        recruit(rng, law, traders, self._habits, expected, days)
        rng = stream(setting.seed, "orders", month)
        ordinary = draw_orders(rng, traders, calendar, trade, n_trade, month)
        small = self._draw_parcels(rng, parcels, n_parcels, month)
        orders = join_orders([ordinary, small, phoenix])
        rng = stream(setting.seed, "goods", month)
        state = MonthState(
            month=month,
            first_day=setting.scenario.first,
            importer=self._names.importer,
            free_value=setting.free_value,
            hands=setting.style.hands,
        )
        return make_goods(rng, law, traders, calendar, orders, state)

    def _draw_parcels(
        self, rng: np.random.Generator, weight: Float, n_items: int, month: int
    ) -> Orders:
        """Draw orders of parcels; resellers with the habit split theirs in 2 to 8."""
        setting, habits = self.setting, self._habits
        orders = draw_orders(
            rng, setting.traders, setting.calendar, weight, n_items, month
        )
        row = orders.relation
        splits = habits.active(row, orders.day)
        splits &= habits.typology[row] == SPLIT
        splits &= setting.traders.relations.kind[row] == RESALE
        splits &= rng.random(len(row)) < habits.zeal[row]
        lines = np.where(splits, rng.integers(2, 9, len(row)), orders.lines)
        n = int(np.searchsorted(np.cumsum(lines), n_items)) + 1 if len(row) else 0
        lines, splits = lines[:n], splits[:n]
        if n:
            lines[-1] -= max(int(lines.sum()) - n_items, 0)
            splits[-1] &= lines[-1] > 1
        return Orders(relation=row[:n], day=orders.day[:n], lines=lines, split=splits)

    def _control(
        self, month: int, goods: Goods, declared: Declared, loss: Float
    ) -> Control:
        """Choose and inspect items, and remember the findings."""
        setting = self.setting
        rng = stream(setting.seed, "control", month)
        choice = self._choose(rng, month, goods, declared)
        channel = rng.choice(len(CHANNEL_SHARES), len(goods), p=CHANNEL_SHARES)
        cases = Cases(
            number=self._n_items + np.arange(len(goods)),
            office=self._names.office[goods.relation],
            declarant=setting.traders.relations.declarant[goods.relation],
            typology=declared.typology,
            value=round_to_cents(declared.value),
            true_value=np.round(goods.value, 2),
            evaded=loss,
            start=goods.moment,
        )
        row = np.flatnonzero(choice.chosen)
        results = inspect_cases(
            setting.seed, cases.take(row), setting.officers, channel[row]
        )
        hit = results.found
        importer, relation = goods.importer[row][hit], goods.relation[row][hit]
        self._findings.add(results.known_at[hit], importer, relation)
        return Control(
            choice=choice, channel=channel, cases=cases, row=row, results=results
        )

    def _choose(
        self, rng: np.random.Generator, month: int, goods: Goods, declared: Declared
    ) -> Choice:
        """Choose items by the policies of the month."""
        setting, scenario = self.setting, self.setting.scenario
        regime, targeted = 0, scenario.targeted
        for change in scenario.changes:
            if change.kind == "policy" and change.month <= month:
                regime, targeted = regime + 1, change.amount
        return choose_items(
            rng,
            make_policies(setting.seed, len(OFFICE_CODES), regime),
            self._visible_items(goods, declared),
            self._findings.count(goods.importer, setting.month_start(month)),
            targeted=targeted,
            random=min(scenario.random, 1 - targeted),
        )

    def _visible_items(self, goods: Goods, declared: Declared) -> VisibleItems:
        """Return what the offices see."""
        setting, traders = self.setting, self.setting.traders
        tariff, code = setting.law.tariff, declared.code
        value = np.maximum(declared.value, 0.01)
        ratio = np.log(value / np.maximum(declared.mass, 0.01))
        ratio -= tariff.log_price[code] + np.log(setting.scenario.currency)
        named = np.minimum(goods.importer, traders.n_named - 1)
        trusted = traders.importer_trusted[named] & (goods.importer < traders.n_named)
        return VisibleItems(
            office=self._names.office[goods.relation],
            importer=goods.importer,
            origin=declared.origin,
            chapter=tariff.chapter[code],
            rate=declared_rate(setting.law, goods, declared, setting.free_value),
            log_value=np.log1p(value),
            log_price_ratio=ratio,
            trusted=trusted,
        )


def _phoenix_orders(traders: Traders, first: int, end: int, most: int) -> Orders:
    """Return the orders of phoenix importers within some days, up to a number."""
    items = traders.phoenix_items
    here = (items.day >= first) & (items.day < end)
    here &= np.cumsum(here) <= most
    n = int(here.sum())
    return Orders(
        relation=items.relation[here],
        day=items.day[here],
        lines=np.ones(n, np.int64),
        split=np.zeros(n, bool),
    )


def round_to_cents(value: Float) -> Float:
    """Return amounts as they are declared: at least the smallest coin."""
    return np.asarray(np.round(np.maximum(value, 0.01), 2), float)
