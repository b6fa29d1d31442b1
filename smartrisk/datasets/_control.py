"""Control in the past: who was inspected, what was found, when it was known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.datasets._tariff import ORIGINS, Bool, Float, Int, Text

#: Probability that a control finds what is there, by channel and typology (in the
#: order of `TYPOLOGIES`). Officers miss 5-25 %; documents show little of a wrong
#: mass or of hidden goods, an audit little of what has been consumed (assumption).
DETECTION = np.array(
    [
        # none, undervaluation, misclass., origin, quantity, phoenix, concealment
        [0.0, 0.84, 0.88, 0.78, 0.93, 0.84, 0.85],  # red
        [0.0, 0.86, 0.80, 0.85, 0.60, 0.84, 0.10],  # yellow
        [0.0, 0.92, 0.88, 0.88, 0.65, 0.60, 0.15],  # blue
    ]
)
CHANNELS = np.array(["red", "yellow", "blue"])
_CHANNEL_SHARES = np.array([0.42, 0.46, 0.12])  # assumption
#: Offence that officers write down, by typology; a false finding is any of the first.
OFFENCES = np.array(
    ["undervaluation", "misclassification", "origin", "quantity", "other"]
)
_OFFENCE_OF = np.array([4, 0, 1, 2, 3, 0, 4])
_FALSE_FINDING = 0.007  # of the clean items; assumption: 0.5-1 %
_CAUGHT_DAYS = 365  # for how long offices remember a finding (assumption)
_OFFICERS = 6  # per office (assumption)
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, kw_only=True)
class Lodged:
    """What offices can see of every item, by time, and what they cannot."""

    moment: NDArray[Any]
    office: Int
    importer: Int
    origin: Int
    chapter: Int
    rate: Float
    value: Float
    log_price_ratio: Float  # declared price per kg against a rough reference
    trusted: Bool
    typology: Int
    true_value: Float
    evaded: Float


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The inspected items, by their row among the items, and what came out."""

    row: Int
    channel: Int
    inspected_at: NDArray[Any]
    known_at: NDArray[Any]
    found: Bool
    offence: Int
    adjustment: Float
    assessed: Float
    officer: Text


def inspect(
    rng: np.random.Generator, items: Lodged, targeted: float, at_random: float
) -> tuple[Controls, Float]:
    """Control month after month; return the controls, and every item's propensity.

    Offices aim by rough rules, among them the findings known when the month begins;
    a random share of all items is controlled besides. The propensity is the
    probability of either, given what was known then.
    """
    prior = _first_impression(rng, items)
    month = items.moment.astype("datetime64[M]")
    edges = np.flatnonzero(np.append(True, month[1:] != month[:-1]))
    propensity = np.zeros(len(month))
    skill = rng.uniform(0.88, 1.05, (int(items.office.max()) + 1, _OFFICERS))
    done: list[Controls] = []
    for start, stop in zip(edges, np.append(edges[1:], len(month)), strict=True):
        rows = np.arange(start, stop)
        caught = _caught(items, done, month[start])
        score = prior[rows] + 2.0 * np.log1p(caught[items.importer[rows]])
        aim = _to_share(score, targeted)
        propensity[rows] = 1 - (1 - aim) * (1 - at_random)
        chosen = rows[rng.random(len(rows)) < propensity[rows]]
        done.append(_control(rng, items, chosen, skill))
    return _joined(done), propensity


def _joined(parts: list[Controls]) -> Controls:
    """Return the controls of several months as one."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Controls.__dataclass_fields__
    }
    return Controls(**columns)


def _first_impression(rng: np.random.Generator, items: Lodged) -> Float:
    """Return how suspicious an item looks to its office, findings apart.

    Each office weighs duty, value, a price below the reference, its own watched
    origins and chapters differently; none of them is a good rule.
    """
    n, n_offices = len(items.rate), int(items.office.max()) + 1
    taste = rng.uniform(0.3, 1.5, (n_offices, 5))[items.office]
    origins = rng.random((n_offices, len(ORIGINS))) < 0.12
    origins[:, 0] = rng.random(n_offices) < 0.6  # CN
    chapters = rng.random((n_offices, 98)) < 0.15
    log_value = np.log1p(items.value)
    log_value = (log_value - log_value.mean()) / max(log_value.std(), 1e-9)
    cheap = np.clip(-items.log_price_ratio, -2.0, 2.0)
    return np.asarray(
        taste[:, 0] * 0.8 * np.minimum(items.rate / 0.13, 2.5)
        + taste[:, 1] * 0.3 * log_value
        + taste[:, 2] * 1.0 * cheap
        + taste[:, 3] * 0.4 * origins[items.office, items.origin]
        + taste[:, 4] * 0.4 * chapters[items.office, items.chapter]
        - 1.5 * items.trusted
        + rng.normal(0, 0.3, n)
    )


def _caught(items: Lodged, done: list[Controls], moment: Any) -> Float:
    """Return how often each importer was caught, as known at `moment`."""
    counts = np.zeros(int(items.importer.max()) + 1)
    since = moment.astype("datetime64[D]") - _CAUGHT_DAYS * _DAY
    for part in done:
        known = part.found & (part.known_at < moment) & (part.known_at >= since)
        np.add.at(counts, items.importer[part.row[known]], 1.0)
    return counts


def _to_share(score: Float, share: float) -> Float:
    """Return probabilities that rise with the score and whose mean is `share`."""
    if share <= 0 or not len(score):
        return np.zeros(len(score))
    if share >= 1:
        return np.ones(len(score))
    low, high = float(score.min()) - 40, float(score.max()) + 40
    chance = score
    for _ in range(40):
        level = (low + high) / 2
        chance = 1 / (1 + np.exp(np.minimum(level - 1.9 * score, 700.0)))
        low, high = (level, high) if chance.mean() > share else (low, level)
    return np.asarray(chance)


def _control(
    rng: np.random.Generator, items: Lodged, row: Int, skill: Float
) -> Controls:
    """Inspect the items of `row` and write the results down."""
    n = len(row)
    channel = rng.choice(len(CHANNELS), n, p=_CHANNEL_SHARES)
    who = rng.integers(0, _OFFICERS, n)
    office, kind = items.office[row], items.typology[row]
    chance = np.minimum(DETECTION[channel, kind] * skill[office, who], 0.97)
    wrong = (kind == 0) & (rng.random(n) < _FALSE_FINDING)
    found = (rng.random(n) < chance) | wrong
    offence = np.where(wrong, rng.integers(0, 4, n), _OFFENCE_OF[kind])
    inspected_at, known_at = _dates(rng, items.moment[row], channel)
    # What is proven is most of it; a false finding asks for a little.
    proven = rng.uniform(0.75, 1.0, n)
    value = items.value[row]
    owed = np.where(wrong, 0.03 * value * proven, items.evaded[row] * proven)
    raised = np.maximum(items.true_value[row] - value, 0.0) * proven
    undervalued = found & np.isin(offence, (0, 3)) & ~wrong
    return Controls(
        row=row,
        channel=channel,
        inspected_at=inspected_at,
        known_at=known_at,
        found=found,
        offence=offence,
        adjustment=np.where(found, owed, 0.0),
        assessed=np.where(undervalued, value + raised, value),
        officer=office * _OFFICERS + who,
    )


def _dates(
    rng: np.random.Generator, lodged: NDArray[Any], channel: Int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return when items were inspected and when the result was known.

    Days for red, weeks for yellow, three to nine months for post-clearance audit
    (assumption: 1-30 days and 3-24 months are reported).
    """
    n = len(channel)
    hours = rng.uniform(1, 30, n)
    hours = np.where(channel == 1, rng.uniform(1, 96, n), hours)
    hours = np.where(channel == 2, rng.uniform(30, 90, n) * 24, hours)
    wait = 2 + rng.gamma(2.0, 2.5, n)
    wait = np.where(channel == 1, 7 + rng.gamma(2.0, 7.0, n), wait)
    wait = np.where(channel == 2, rng.uniform(60, 180, n), wait)
    inspected = lodged + (hours * 3600).astype(np.int64).astype("timedelta64[s]")
    known = inspected + (wait * 86400).astype(np.int64).astype("timedelta64[s]")
    return inspected, known
