"""Control of an independent world: noisy officers, kinds of control, late results.

Constants without a source are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import item_keys
from smartrisk.schema import CONTROL_KINDS
from smartrisk.worlds._independent._fraud import KINDS, Fraud
from smartrisk.worlds._independent._presets import IndependentScenario
from smartrisk.worlds._independent._trade import OFFICES, Goods, Tariff
from smartrisk.worlds._inspections import Results, make_outcomes
from smartrisk.worlds._random_streams import stream, uniforms
from smartrisk.worlds._tariff import Bool, Float, Int, Text

#: Probability that each kind of control (in the order of `CONTROL_KINDS`) finds each
#: trick (in the order of `KINDS`), before the officer's skill.
_DETECTION = np.array(
    [
        [0.0, 0.90, 0.75, 0.85, 0.40, 0.03, 0.85],
        [0.0, 0.20, 0.40, 0.10, 0.60, 0.75, 0.20],
        [0.0, 0.70, 0.95, 0.60, 0.97, 0.95, 0.70],
        [0.0, 1.00, 0.90, 0.90, 0.40, 0.10, 0.40],
    ]
)
#: Offence that is recorded for each kind.
_OFFENCE = np.array([4, 0, 1, 2, 3, 4, 0])
#: Kinds of a false value, whose assessed value differs from the declared one.
_PRICED = (1, 4, 6)
#: Share of the true declarations with a finding all the same.
_FALSE_FINDING = 0.006
#: Median hours until a control begins, and days until its result, by kind of control.
_START = np.array([14.0, 8.0, 10.0, 1_600.0])
_WAIT = np.array([11.0, 2.0, 4.0, 95.0])
#: Share of the results that lie about, and for how many days at most.
_STUCK, _STUCK_DAYS = 0.08, 70.0
#: Share of the non-intrusive among the red channel's controls.
_SCANNED = 0.3
#: Chance that an illicit item becomes a tip about its trader, and that a trader is the
#: subject of a wrong tip. Tips are in no column of the tables.
_TIPS, _WRONG_TIPS = 0.02, 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """What the offices chose, one entry per item."""

    propensity: Float
    draw_probability: Float  # missing where a rule chose first
    chosen: Bool
    at_random: Bool
    channel: Int


def make_officers_table(seed: int) -> pd.DataFrame:
    """Return the officers: two to seven at each office, of different skill."""
    rng = stream(seed, "independent officers")
    office = np.repeat(np.arange(len(OFFICES)), rng.integers(2, 8, len(OFFICES)))
    text = pd.Series(OFFICES[office].astype(object), dtype="str")
    names = [f"F{k:03d}" for k in range(len(office))]
    return pd.DataFrame(
        {
            "officer_id": pd.Series(names, dtype="str"),
            "office": text,
            "skill": np.round(0.75 + 0.3 * rng.beta(4, 2, len(office)), 6),
            "partner_id": pd.Series([None] * len(office), dtype="str"),
        }
    )


def inspect_items(
    seed: int,
    scenario: IndependentScenario,
    officers: pd.DataFrame,
    items: pd.DataFrame,
    truth: pd.DataFrame,
    number: Int,
    channel: Int,
    start: NDArray[np.datetime64],
) -> Results:
    """Inspect items; an item has the same result in a channel every time.

    Parameters
    ----------
    seed : int
        Seed of the world.
    scenario : IndependentScenario
        Its scenario.
    officers : DataFrame
        Its officers.
    items, truth : DataFrame of shape (n_items, n_columns)
        Declarations and truth of the items.
    number : array of int of shape (n_items,)
        Number of each item in its world.
    channel : array of int of shape (n_items,)
        Place of its channel in `CHANNELS`.
    start : array of datetime of shape (n_items,)
        When its control may begin.

    Returns
    -------
    results : Results
        One entry per item.
    """

    def draw(purpose: str) -> Float:
        return uniforms(seed, "independent " + purpose, number)

    kind = pd.Index(KINDS).get_indexer(pd.Index(truth["typology"]))
    how = control_kind(seed, number, channel)
    officer = _assign(officers, items["office"], draw("officer"))
    chance = _DETECTION[how, kind] * scenario.detection
    chance = np.minimum(chance * officers["skill"].to_numpy()[officer], 0.97)
    wrong = (kind == 0) & (draw("false finding") < _FALSE_FINDING)
    found = (draw("detection") < chance) | wrong
    proven = 0.5 + 0.5 * np.sqrt(draw("proof"))  # settlements
    value = items["customs_value"].to_numpy(dtype=float)
    evaded = truth["evaded_revenue"].to_numpy(dtype=float)
    gap = (truth["true_value"].to_numpy(dtype=float) - value) * proven
    owed = np.where(wrong, 0.02 * value, evaded * proven)
    any_offence = np.floor(5 * draw("offence")).astype(np.int64)
    inspected = start + _hours(_START[how] * np.exp(1.2 * (draw("start") - 0.5)))
    days = _WAIT[how] * np.exp(2.0 * (draw("wait") - 0.5))
    days += np.where(draw("stuck") < _STUCK, _STUCK_DAYS * draw("how long"), 0.0)
    return Results(
        channel=channel,
        officer=officer,
        inspected_at=inspected,
        known_at=inspected + _hours(24 * days),
        found=found,
        suppressed=np.zeros(len(found), bool),
        offence=np.where(wrong, any_offence, _OFFENCE[kind]),
        adjustment=np.where(found, owed, 0.0),
        assessed=value + np.where(found & np.isin(kind, _PRICED), gap, 0.0),
    )


def control_kind(seed: int, number: Int, channel: Int) -> Int:
    """Return the kind of control, by channel; the red one scans some items."""
    scanned = uniforms(seed, "independent scanner", number) < _SCANNED
    red = np.where(scanned, 1, 2)
    return np.asarray(np.select([channel == 0, channel == 1], [red, 0], 3))


def inspect_again(
    seed: int,
    scenario: IndependentScenario,
    officers: pd.DataFrame,
    items: pd.DataFrame,
    truth: pd.DataFrame,
    number: Int,
    channel: Int,
    start: NDArray[np.datetime64],
) -> pd.DataFrame:
    """Return the results of an inspection of items as OUTCOMES, in their order."""
    results = inspect_items(
        seed, scenario, officers, items, truth, number, channel, start
    )
    ids = officers["officer_id"].to_numpy()
    return outcomes_of(seed, results, item_keys(items), number, ids)


def outcomes_of(
    seed: int,
    results: Results,
    keys: pd.DataFrame,
    number: Int,
    officer_ids: Text,
) -> pd.DataFrame:
    """Return results as OUTCOMES with the kind of control."""
    out = make_outcomes(results, keys, officer_ids)
    how = control_kind(seed, number, results.channel)
    kinds = np.asarray(CONTROL_KINDS, dtype=object)[how]
    out.insert(
        list(out).index("channel") + 1,
        "control_kind",
        pd.Series(kinds, dtype="str"),
    )
    return out


def _hours(hours: Float) -> NDArray[np.timedelta64]:
    """Return hours as a span of time, whole seconds, at least a minute."""
    seconds = np.maximum((hours * 3600).astype(np.int64), 60)
    return np.asarray(seconds.astype("timedelta64[s]"))


def _assign(officers: pd.DataFrame, office: pd.Series, u: Float) -> Int:
    """Return an officer of each item's office."""
    names = pd.Index(OFFICES)
    place = names.get_indexer(pd.Index(office))
    of_office = names.get_indexer(pd.Index(officers["office"]))
    count = np.bincount(of_office, minlength=len(OFFICES))
    first = np.cumsum(count) - count
    return np.asarray(first[place] + np.floor(u * count[place]).astype(np.int64))


class Preferences:
    """What the officers of each office look at, and how much they know."""

    def __init__(
        self,
        seed: int,
        goods: Goods,
        fraud: Fraud,
        tariff: Tariff,
        scenario: IndependentScenario,
    ) -> None:
        rng = stream(seed, "independent offices")
        n = len(OFFICES)
        office = goods.office
        weight = rng.gamma(2.0, 0.5, (n, 6))
        memory = tariff.price + rng.normal(0, 0.35, len(tariff.price))
        late = np.maximum(goods.day - 180, 0) / 30.4 * scenario.inflation
        gap = memory[fraud.code] + late - np.log(fraud.value / fraud.mass)
        first = np.full(fraud.n_names, scenario.span)
        np.minimum.at(first, fraud.importer, goods.day)
        young = goods.day - first[fraud.importer] < 45
        origins = rng.random((n, 40)) < 0.15
        brokers = rng.random((n, int(goods.broker.max(initial=0)) + 1)) < 0.12
        size = np.log(fraud.value)
        named = rng.random(int(goods.importer.max(initial=0)) + 1) < _WRONG_TIPS
        named[goods.importer[fraud.kind > 0]] |= (
            rng.random(int((fraud.kind > 0).sum())) < _TIPS
        )
        self.base = (
            1.2 * weight[office, 0] * np.clip(gap, -1.5, 3.0)
            + 1.5 * named[goods.importer]
            + 4.0 * weight[office, 1] * fraud.rate
            + 0.25 * weight[office, 2] * (size - size.mean())
            + 0.6 * weight[office, 3] * young
            + 0.8 * weight[office, 4] * origins[office, fraud.origin]
            + 0.8 * weight[office, 5] * brokers[office, goods.broker]
            + rng.normal(0, 0.4, n)[office]
        ) / scenario.noise
        self.after_finding = (2.0 / scenario.noise) * rng.gamma(3.0, 0.33, n)[office]
        self.channels = rng.dirichlet([3.0, 4.5, 0.8], n)

    def choose(
        self,
        rng: np.random.Generator,
        scenario: IndependentScenario,
        rows: Int,
        findings: Int,
        office: Int,
    ) -> Control:
        """Choose items of a month, given the findings known for their importers."""
        liking = self.base[rows] + self.after_finding[rows] * np.minimum(findings, 3)
        by_rule = scenario.inspected * (1 - scenario.chance)
        by_lot = scenario.inspected * scenario.chance
        p = _spread(liking, by_rule)
        rule, lot = rng.random(len(rows)) < p, rng.random(len(rows)) < by_lot
        edge = np.cumsum(self.channels, axis=1)[office]
        channel = (rng.random(len(rows))[:, None] > edge[:, :2]).sum(axis=1)
        return Control(
            propensity=1 - (1 - p) * (1 - by_lot),
            draw_probability=np.where(rule, np.nan, by_lot),
            chosen=rule | lot,
            at_random=lot & ~rule,
            channel=channel,
        )


def _spread(liking: Float, mean: float) -> Float:
    """Return probabilities that grow with the log odds `liking` and have a mean."""
    if mean <= 0 or not len(liking):
        return np.zeros(len(liking))
    low, high = -60.0 - liking.max(), 60.0 - liking.min()
    for _ in range(50):
        middle = (low + high) / 2
        chance = 1 / (1 + np.exp(-np.clip(liking + middle, -500, 500)))
        low, high = (middle, high) if chance.mean() < mean else (low, middle)
    return np.asarray(chance)
