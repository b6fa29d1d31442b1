"""Inspections: what an officer finds or misses, and when the result is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.worlds._fraud_habits import (
    CONCEAL,
    ECOMMERCE,
    MISCLASS,
    NONE,
    ORIGIN,
    OVER,
    PROCEDURE,
    QUANTITY,
    SHELL,
    SPLIT,
    TYPOLOGIES,
    UNDER,
)
from smartrisk.worlds._random_streams import stream, uniforms
from smartrisk.worlds._tariff import Bool, Float, Int, Text

CHANNELS = np.array(["red", "yellow", "blue"])
#: Shares of the channels among the items that offices control (assumption).
CHANNEL_SHARES = np.array([0.42, 0.46, 0.12])
#: Offences that officers record; a false finding is one of the first four.
OFFENCES = np.array(
    ["undervaluation", "misclassification", "origin", "quantity", "other"]
)


@dataclass(frozen=True)
class _Finding:
    """Probabilities that each channel finds a typology, and the offence recorded."""

    red: float
    yellow: float
    blue: float
    offence: int


_FINDINGS = {
    NONE: _Finding(0.0, 0.0, 0.0, 4),
    UNDER: _Finding(0.84, 0.86, 0.92, 0),
    MISCLASS: _Finding(0.88, 0.80, 0.88, 1),
    ORIGIN: _Finding(0.78, 0.85, 0.88, 2),
    QUANTITY: _Finding(0.93, 0.60, 0.65, 3),
    SHELL: _Finding(0.84, 0.84, 0.60, 0),
    CONCEAL: _Finding(0.85, 0.10, 0.15, 4),
    SPLIT: _Finding(0.70, 0.80, 0.85, 4),
    ECOMMERCE: _Finding(0.80, 0.85, 0.70, 0),
    OVER: _Finding(0.50, 0.60, 0.80, 4),
    PROCEDURE: _Finding(0.55, 0.75, 0.90, 4),
}
_BY_TYPOLOGY = [_FINDINGS[kind] for kind in range(len(TYPOLOGIES))]
#: Probability that a control finds an irregularity, by channel and typology. Officers
#: miss 5-25 % (assumption); documents show little of a wrong mass or of hidden goods,
#: an audit little of what has been consumed.
DETECTION = np.array([[f.red, f.yellow, f.blue] for f in _BY_TYPOLOGY]).T
_OFFENCE_OF = np.array([f.offence for f in _BY_TYPOLOGY])
#: Share of the items without irregularity that are found (assumption: 0.5-1 %).
_FALSE_FINDING = 0.007
#: Officers at each office (assumption).
OFFICERS = 6
#: Highest probability of a finding: even the best officer misses some (assumption).
_SUREST = 0.97
#: Share of a colluding broker's items that reach its officer (assumption).
_TO_PARTNER = 0.7
#: Share of the findings against a colluding broker that disappear (assumption).
_SUPPRESSED = 0.9
#: Adjustment of a false finding as a part of the declared value (assumption).
_FALSE_ADJUSTMENT = 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class Officers:
    """Officers, one entry each; `OFFICERS` of them at each office.

    Attributes
    ----------
    skill : array of float
        Factor on the probability of a finding.
    partner : array of int, or of object
        Declarant whose irregularities the officer hides, by number or name; -1 or
        missing for none.
    """

    skill: Float
    partner: NDArray[Any]


def make_officers(
    seed: int, n_offices: int, collusion: float, brokers: Int
) -> Officers:
    """Draw officers; at some offices all officers but one collude with brokers.

    The first three of them work with one of their office's `brokers`, the next two
    with another (assumption: few officers and few brokers, as in Madagascar).
    """
    rng = stream(seed, "officers")
    n = n_offices * OFFICERS
    skill = rng.uniform(0.88, 1.05, n)
    n_colluding = int(np.ceil(collusion * n_offices))
    colluding = (rng.permutation(n_offices) < n_colluding)[np.arange(n) // OFFICERS]
    place = np.arange(n) % OFFICERS
    broker = brokers[np.arange(n) - place + place // 3]
    partner = np.where(colluding & (place < OFFICERS - 1), broker, -1)
    return Officers(skill=skill, partner=partner)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cases:
    """What an inspection depends on, one entry per item."""

    number: Int  # of the item in its world
    office: Int
    declarant: NDArray[Any]  # number or name, as in `Officers.partner`
    typology: Int
    value: Float
    true_value: Float
    evaded: Float
    start: NDArray[np.datetime64]  # when the control may begin

    def take(self, row: Int) -> Cases:
        """Return some of the cases."""
        return Cases(**{k: getattr(self, k)[row] for k in self.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """Results of inspections, one entry per case."""

    channel: Int
    officer: Int
    inspected_at: NDArray[np.datetime64]
    known_at: NDArray[np.datetime64]
    found: Bool
    suppressed: Bool
    offence: Int
    adjustment: Float
    assessed: Float


def inspect_cases(seed: int, cases: Cases, officers: Officers, channel: Int) -> Results:
    """Inspect cases; an item has the same result in a channel every time."""
    n, number = len(cases.number), cases.number

    def draw(purpose: str) -> Float:
        return uniforms(seed, purpose, number)

    officer = _assign_officers(cases, officers, draw("officer"), draw("assignment"))
    chance = DETECTION[channel, cases.typology] * officers.skill[officer]
    wrong = (cases.typology == NONE) & (draw("false finding") < _FALSE_FINDING)
    found = (draw("detection") < np.minimum(chance, _SUREST)) | wrong
    own = officers.partner[officer] == cases.declarant
    suppressed = found & np.asarray(own, bool) & (draw("suppression") < _SUPPRESSED)
    found &= ~suppressed
    any_offence = np.floor(4 * draw("offence")).astype(np.int64)
    offence = np.where(wrong, any_offence, _OFFENCE_OF[cases.typology])
    # An officer can prove most of the amount, not all of it (assumption).
    proven = 0.75 + 0.25 * draw("proof")
    owed = np.where(wrong, _FALSE_ADJUSTMENT * cases.value, cases.evaded) * proven
    gap = (cases.true_value - cases.value) * proven
    priced = found & ~wrong & np.isin(cases.typology, _PRICED)
    start = _draw_start(cases.start, channel, draw("start"))
    return Results(
        channel=np.broadcast_to(channel, n),
        officer=officer,
        inspected_at=start,
        known_at=start + _draw_wait(channel, draw("wait")),
        found=found,
        suppressed=suppressed,
        offence=offence,
        adjustment=np.where(found, owed, 0.0),
        assessed=np.where(priced, cases.value + gap, cases.value),
    )


#: Typologies of a false value.
_PRICED = (UNDER, QUANTITY, SHELL, ECOMMERCE, OVER)


def _assign_officers(cases: Cases, officers: Officers, u: Float, turn: Float) -> Int:
    """Return the officer of each case: any of the office, or the broker's partner."""
    first = cases.office * OFFICERS
    officer = first + np.floor(u * OFFICERS).astype(np.int64)
    for k in range(OFFICERS):
        own = np.asarray(officers.partner[first + k] == cases.declarant, bool)
        officer = np.where(own & (turn < _TO_PARTNER), first + k, officer)
    return np.asarray(officer)


def _draw_start(
    begin: NDArray[np.datetime64], channel: Int, u: Float
) -> NDArray[np.datetime64]:
    """Return when items are inspected.

    Within a day or so for red, within days for yellow, after one to three months for
    blue (assumption).
    """
    low = np.array([1.0, 1.0, 720.0])[channel]
    high = np.array([30.0, 96.0, 2160.0])[channel]
    hours = low + u * (high - low)
    return np.asarray(begin + (hours * 3600).astype(np.int64).astype("timedelta64[s]"))


def _draw_wait(channel: Int, v: Float) -> NDArray[np.timedelta64]:
    """Return the time from inspection to the result.

    Days for red, weeks for yellow, two to six months for post-clearance audit
    (assumption: 1-30 days and 3-24 months are reported).
    """
    few = -np.log(np.maximum((1 - v) * (1 - np.modf(v * 4096)[0]), 1e-9))  # gamma(2)
    wait = np.where(channel == 1, 7 + 7.0 * few, 2 + 2.5 * few)
    wait = np.where(channel == 2, 60 + 120 * v, wait)
    return (wait * 86400).astype(np.int64).astype("timedelta64[s]")


def make_outcomes(
    results: Results, keys: pd.DataFrame, officer_ids: Text
) -> pd.DataFrame:
    """Return results as OUTCOMES, in the order of the cases."""

    def text(table: Text, index: Int) -> pd.Series:
        values = np.append(np.asarray(table, dtype=object), [None])[index]
        return pd.Series(values, dtype="str")

    return keys.reset_index(drop=True).assign(
        channel=text(CHANNELS, results.channel),
        inspected_at=results.inspected_at.astype("datetime64[us]"),
        known_at=results.known_at.astype("datetime64[us]"),
        illicit=results.found.astype(np.int64),
        offence=text(OFFENCES, np.where(results.found, results.offence, -1)),
        revenue_adjustment=np.round(results.adjustment, 2),
        assessed_value=np.round(results.assessed, 2),
        officer_id=text(officer_ids, results.officer),
    )
