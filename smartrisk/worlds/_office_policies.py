"""Control in the past: whom the offices chose, by what policy, how probably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._tariff import ORIGINS, Bool, Float, Int

_CAUGHT_DAYS = 365  # for how long offices remember a finding (assumption)
#: Share of the offices that aim by rules alone, and that aim half of their capacity;
#: the others draw everything at random (assumption).
_BY_RULES, _MIXED = 0.7, 0.2
_SHARPNESS = 2.4  # how steeply the probability rises with the score (assumption)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What offices can see of every item of a month."""

    office: Int
    importer: Int
    origin: Int
    chapter: Int
    rate: Float
    log_value: Float
    log_price_ratio: Float  # declared price per kg against a rough reference
    trusted: Bool


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What each office watches and how it chooses, one row per office.

    Attributes
    ----------
    taste : array of shape (n_offices, 5)
        Weights of duty, value, price, origin and chapter.
    origins, chapters : array of bool
        Those that it watches.
    aimed : array of shape (n_offices,)
        Part of its capacity that follows the rules; the rest is drawn at random.
    intensity : array of shape (n_offices,)
        Its capacity, relative to the others'.
    """

    taste: Float
    origins: Bool
    chapters: Bool
    aimed: Float
    intensity: Float


def make_policy(seed: int, n_offices: int, regime: int) -> Policy:
    """Draw the offices' policies; each change of policy is another regime."""
    rng = stream(seed, "policy", regime)
    origins = rng.random((n_offices, len(ORIGINS))) < 0.12
    origins[:, 0] = rng.random(n_offices) < 0.6  # CN
    u = rng.random(n_offices)
    u[0] = 0.0  # the largest office has rules in every world
    return Policy(
        taste=rng.uniform(0.3, 1.5, (n_offices, 5)),
        origins=origins,
        chapters=rng.random((n_offices, 98)) < 0.15,
        aimed=np.where(u < _BY_RULES, 1.0, np.where(u < _BY_RULES + _MIXED, 0.5, 0.0)),
        intensity=rng.uniform(0.7, 1.3, n_offices),
    )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Whom the offices chose in a month, one entry per item."""

    propensity: Float
    chosen: Bool
    at_random: Bool


def choose(
    rng: np.random.Generator,
    policy: Policy,
    items: Seen,
    caught: Float,
    shares: tuple[float, float],
) -> Choice:
    """Choose by rough rules and at random; return every item's propensity too.

    The rules know the findings at the time the month begins (`caught` by item).
    `shares` holds the targeted and the random share; the propensity is the
    probability of either, given what was known then.
    """
    n = len(items.rate)
    if not n:
        nobody = np.zeros(0, bool)
        return Choice(propensity=np.zeros(0), chosen=nobody, at_random=nobody)
    score = _first_impression(rng, policy, items) + 2.0 * np.log1p(caught)
    capacity = shares[0] * policy.intensity
    present = np.bincount(items.office, minlength=len(capacity))
    capacity *= shares[0] * n / max(float((capacity * present).sum()), 1e-12)
    aim = _to_shares(score, items.office, np.minimum(capacity * policy.aimed, 1.0))
    drawn = np.minimum(capacity * (1 - policy.aimed), 1.0)[items.office]
    drawn = 1 - (1 - drawn) * (1 - shares[1])
    at_random, aimed = rng.random(n) < drawn, rng.random(n) < aim
    return Choice(
        propensity=1 - (1 - aim) * (1 - drawn),
        chosen=at_random | aimed,
        at_random=at_random,
    )


def _first_impression(rng: np.random.Generator, policy: Policy, items: Seen) -> Float:
    """Return how suspicious an item looks to its office, findings apart.

    Each office weighs duty, value, a price below the reference, its own watched
    origins and chapters differently; none of them is a good rule.
    """
    taste, log_value = policy.taste[items.office], items.log_value
    log_value = (log_value - log_value.mean()) / max(float(log_value.std()), 1e-9)
    cheap = np.clip(-items.log_price_ratio, -2.0, 2.0)
    return np.asarray(
        taste[:, 0] * 0.8 * np.minimum(items.rate / 0.13, 2.5)
        + taste[:, 1] * 0.3 * log_value
        + taste[:, 2] * 1.0 * cheap
        + taste[:, 3] * 0.4 * policy.origins[items.office, items.origin]
        + taste[:, 4] * 0.4 * policy.chapters[items.office, items.chapter]
        - 1.5 * items.trusted
        + rng.normal(0, 0.3, len(log_value))
    )


def _to_shares(score: Float, office: Int, share: Float) -> Float:
    """Return probabilities that rise with the score, each office's mean its share."""
    n = np.maximum(np.bincount(office, minlength=len(share)), 1)
    low = np.full(len(share), float(score.min(initial=0.0)) - 40)
    high = np.full(len(share), float(score.max(initial=0.0)) + 40)
    chance = np.zeros(len(score))
    for _ in range(40):
        level = (low + high) / 2
        gap = np.minimum(level[office] - _SHARPNESS * score, 700.0)
        chance = 1 / (1 + np.exp(gap))
        over = np.bincount(office, chance, minlength=len(share)) / n > share
        low, high = np.where(over, level, low), np.where(over, high, level)
    chance = np.where(share[office] <= 0, 0.0, chance)
    return np.where(share[office] >= 1, 1.0, chance)


class Memory:
    """The findings that offices remember: who was caught, known when."""

    def __init__(self) -> None:
        self._known = np.zeros(0, "datetime64[us]")
        self._importer = np.zeros(0, np.int64)
        self._relation = np.zeros(0, np.int64)

    def add(self, known_at: NDArray[Any], importer: Int, relation: Int) -> None:
        """Remember findings."""
        self._known = np.append(self._known, known_at)
        self._importer = np.append(self._importer, importer)
        self._relation = np.append(self._relation, relation)

    def caught(self, importer: Int, moment: Any) -> Float:
        """Return how often the importers of items were caught, as known then."""
        since = moment - np.timedelta64(_CAUGHT_DAYS, "D")
        keep = self._known >= since
        self._known, self._importer = self._known[keep], self._importer[keep]
        self._relation = self._relation[keep]
        who, count = np.unique(self._importer[self._known < moment], return_counts=True)
        if not len(who):
            return np.zeros(len(importer))
        place = np.minimum(np.searchsorted(who, importer), len(who) - 1)
        return np.where(who[place] == importer, count[place], 0).astype(float)

    def news(self, since: Any, until: Any) -> Int:
        """Return the relations whose finding became known in a period."""
        new = (self._known >= since) & (self._known < until)
        return np.asarray(self._relation[new])
