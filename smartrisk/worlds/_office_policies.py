"""Control in the past: which items the offices chose, and with what probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartrisk.worlds._random_streams import stream
from smartrisk.worlds._tariff import ORIGINS, Bool, Float, Int

#: Days for which offices remember a finding (assumption).
_MEMORY_DAYS = 365
#: Share of the offices that select by rules only, and that select half of their
#: capacity so; the others draw everything at random (assumption).
_BY_RULES, _MIXED = 0.7, 0.2
#: Slope of the log odds of control in the score of an office (assumption).
_SHARPNESS = 2.4
#: Steps of the bisection for an office's level: the interval shrinks by 2**40.
_BISECTIONS = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class VisibleItems:
    """What offices can see of every item of a month."""

    office: Int
    importer: Int
    origin: Int
    chapter: Int
    rate: Float
    log_value: Float
    log_price_ratio: Float  # declared price per kg against a rough reference
    trusted: Bool


@dataclass(frozen=True, kw_only=True, eq=False)
class OfficePolicies:
    """What each office watches and how it chooses, one row per office.

    Attributes
    ----------
    taste : array of shape (n_offices, 5)
        Weights of duty, value, price, origin and chapter.
    origins, chapters : array of bool
        Origins and chapters on its watch list.
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


def make_policies(seed: int, n_offices: int, regime: int) -> OfficePolicies:
    """Draw the offices' policies; each change of policy counts as another regime."""
    rng = stream(seed, "policy", regime)
    origins = rng.random((n_offices, len(ORIGINS))) < 0.12
    origins[:, 0] = rng.random(n_offices) < 0.6  # CN
    u = rng.random(n_offices)
    u[0] = 0.0  # the largest office has rules in every world
    return OfficePolicies(
        taste=rng.uniform(0.3, 1.5, (n_offices, 5)),
        origins=origins,
        chapters=rng.random((n_offices, 98)) < 0.15,
        aimed=np.where(u < _BY_RULES, 1.0, np.where(u < _BY_RULES + _MIXED, 0.5, 0.0)),
        intensity=rng.uniform(0.7, 1.3, n_offices),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """Which items the offices chose in a month, one entry per item."""

    propensity: Float
    draw_probability: Float
    chosen: Bool
    at_random: Bool


def choose_items(
    rng: np.random.Generator,
    policies: OfficePolicies,
    items: VisibleItems,
    findings: Float,
    *,
    targeted: float,
    random: float,
) -> Choice:
    """Choose by rough rules and at random; return every item's propensity too.

    The rules use the findings against the importer of each item when the month begins.
    `targeted` and `random` are shares of the items; the propensity is the probability
    of either, given what was known then.
    """
    n = len(items.rate)
    if not n:
        none = np.zeros(0, bool)
        return Choice(
            propensity=np.zeros(0),
            draw_probability=np.zeros(0),
            chosen=none,
            at_random=none,
        )
    score = _score_by_rules(rng, policies, items) + 2.0 * np.log1p(findings)
    capacity = targeted * policies.intensity
    present = np.bincount(items.office, minlength=len(capacity))
    capacity *= targeted * n / max(float((capacity * present).sum()), 1e-12)
    by_rules = np.minimum(capacity * policies.aimed, 1.0)
    aim = _fit_probabilities(score, items.office, by_rules)
    drawn = np.minimum(capacity * (1 - policies.aimed), 1.0)[items.office]
    drawn = 1 - (1 - drawn) * (1 - random)
    at_random, aimed = rng.random(n) < drawn, rng.random(n) < aim
    return Choice(
        propensity=1 - (1 - aim) * (1 - drawn),
        draw_probability=drawn,
        chosen=at_random | aimed,
        at_random=at_random,
    )


def _score_by_rules(
    rng: np.random.Generator, policy: OfficePolicies, items: VisibleItems
) -> Float:
    """Return the score of each item by the rules of its office, findings apart.

    Each office weighs duty, value, a price below the reference, and its own watched
    origins and chapters differently; none of them is a good rule (the weights are
    assumptions, set so that targeted controls have the reported hit rate).
    """
    taste, log_value = policy.taste[items.office], items.log_value
    log_value = (log_value - log_value.mean()) / max(float(log_value.std()), 1e-9)
    cheap = np.clip(-items.log_price_ratio, -2.0, 2.0)
    return np.asarray(
        taste[:, 0] * 0.7 * np.minimum(items.rate / 0.13, 2.5)
        + taste[:, 1] * 0.3 * log_value
        + taste[:, 2] * 1.4 * cheap
        + taste[:, 3] * 0.4 * policy.origins[items.office, items.origin]
        + taste[:, 4] * 0.4 * policy.chapters[items.office, items.chapter]
        - 1.5 * items.trusted
        + rng.normal(0, 0.3, len(log_value))
    )


def _fit_probabilities(score: Float, office: Int, share: Float) -> Float:
    """Return probabilities that rise with the score, on average each office's share."""
    n = np.maximum(np.bincount(office, minlength=len(share)), 1)
    low = np.full(len(share), float(score.min(initial=0.0)) - 40)
    high = np.full(len(share), float(score.max(initial=0.0)) + 40)
    chance = np.zeros(len(score))
    for _ in range(_BISECTIONS):
        level = (low + high) / 2
        gap = np.minimum(level[office] - _SHARPNESS * score, 700.0)
        chance = 1 / (1 + np.exp(gap))
        over = np.bincount(office, chance, minlength=len(share)) / n > share
        low, high = np.where(over, level, low), np.where(over, high, level)
    chance = np.where(share[office] <= 0, 0.0, chance)
    return np.where(share[office] >= 1, 1.0, chance)


class Findings:
    """The findings that offices remember, with the moment at which they were known."""

    def __init__(self) -> None:
        self._known = np.zeros(0, "datetime64[us]")
        self._importer = np.zeros(0, np.int64)
        self._relation = np.zeros(0, np.int64)

    def add(
        self, known_at: NDArray[np.datetime64], importer: Int, relation: Int
    ) -> None:
        """Add findings."""
        self._known = np.append(self._known, known_at)
        self._importer = np.append(self._importer, importer)
        self._relation = np.append(self._relation, relation)

    def count(self, importer: Int, moment: np.datetime64) -> Float:
        """Return the number of findings against each importer, known before a moment.

        Findings that are older than the offices remember are dropped.
        """
        since = moment - np.timedelta64(_MEMORY_DAYS, "D")
        keep = self._known >= since
        self._known, self._importer = self._known[keep], self._importer[keep]
        self._relation = self._relation[keep]
        who, count = np.unique(self._importer[self._known < moment], return_counts=True)
        if not len(who):
            return np.zeros(len(importer))
        place = np.minimum(np.searchsorted(who, importer), len(who) - 1)
        return np.where(who[place] == importer, count[place], 0).astype(float)

    def relations_known(self, since: np.datetime64, until: np.datetime64) -> Int:
        """Return the relations whose finding became known in a period."""
        new = (self._known >= since) & (self._known < until)
        return np.asarray(self._relation[new])
