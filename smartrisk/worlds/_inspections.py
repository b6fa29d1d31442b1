"""What an inspection brings out: found or missed, by whom, when it is known."""

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
CHANNEL_SHARES = np.array([0.42, 0.46, 0.12])  # assumption
#: Offence that officers write down; a false finding is any of the first four.
OFFENCES = np.array(
    ["undervaluation", "misclassification", "origin", "quantity", "other"]
)
_WHAT: dict[int, tuple[tuple[float, float, float], int]] = {
    # probability of being found in red, yellow, blue; offence
    NONE: ((0.0, 0.0, 0.0), 4),
    UNDER: ((0.84, 0.86, 0.92), 0),
    MISCLASS: ((0.88, 0.80, 0.88), 1),
    ORIGIN: ((0.78, 0.85, 0.88), 2),
    QUANTITY: ((0.93, 0.60, 0.65), 3),
    SHELL: ((0.84, 0.84, 0.60), 0),
    CONCEAL: ((0.85, 0.10, 0.15), 4),
    SPLIT: ((0.70, 0.80, 0.85), 4),
    ECOMMERCE: ((0.80, 0.85, 0.70), 0),
    OVER: ((0.50, 0.60, 0.80), 4),
    PROCEDURE: ((0.55, 0.75, 0.90), 4),
}
#: Probability that a control finds what is there, by channel and typology. Officers
#: miss 5-25 % (assumption); documents show little of a wrong mass or of hidden goods,
#: an audit little of what has been consumed.
DETECTION = np.array([_WHAT[kind][0] for kind in range(len(TYPOLOGIES))]).T
_OFFENCE_OF = np.array([_WHAT[kind][1] for kind in range(len(TYPOLOGIES))])
_FALSE_FINDING = 0.007  # of the clean items; assumption: 0.5-1 %
OFFICERS = 6  # per office (assumption)
_TO_PARTNER = 0.7  # share of a broker's items that reach its officer (assumption)
_SUPPRESSED = 0.9  # share of the findings against it that disappear (assumption)


@dataclass(frozen=True, kw_only=True)
class Officers:
    """Who inspects, one entry per officer; `OFFICERS` of them at each office.

    Attributes
    ----------
    skill : array of float
        Factor on the probability of finding.
    partner : array
        Declarant whose findings disappear, -1 (or missing) for an honest officer.
    """

    skill: Float
    partner: Any


def make_officers(
    seed: int, n_offices: int, collusion: float, brokers: Int
) -> Officers:
    """Draw officers; at a share of the offices all but one have friends.

    The first three of them work with one of their office's `brokers`, the next two
    with another (assumption: few officers and few brokers, as in Madagascar).
    """
    rng = stream(seed, "officers")
    n = n_offices * OFFICERS
    skill = rng.uniform(0.88, 1.05, n)
    how_many = int(np.ceil(collusion * n_offices))
    corrupt = (rng.permutation(n_offices) < how_many)[np.arange(n) // OFFICERS]
    place = np.arange(n) % OFFICERS
    broker = brokers[np.arange(n) - place + place // 3]
    partner = np.where(corrupt & (place < OFFICERS - 1), broker, -1)
    return Officers(skill=skill, partner=partner)


@dataclass(frozen=True, kw_only=True)
class Cases:
    """What may be inspected: each item's number, what it is, and whose."""

    number: Int
    office: Int
    declarant: Any
    typology: Int
    value: Float
    true_value: Float
    evaded: Float
    start: NDArray[Any]  # when the control may begin

    def take(self, row: Any) -> Cases:
        """Return some of the cases."""
        return Cases(**{k: getattr(self, k)[row] for k in self.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Results:
    """What came out, one entry per case."""

    channel: Int
    officer: Int
    inspected_at: NDArray[Any]
    known_at: NDArray[Any]
    found: Bool
    suppressed: Bool
    offence: Int
    adjustment: Float
    assessed: Float


def inspected(seed: int, cases: Cases, officers: Officers, channel: Int) -> Results:
    """Inspect cases; an item gives the same result in a channel every time."""
    n, number = len(cases.number), cases.number

    def u(purpose: str) -> Float:
        return uniforms(seed, purpose, number)

    officer = _assigned(cases, officers, u("officer"), u("assignment"))
    chance = DETECTION[channel, cases.typology] * officers.skill[officer]
    wrong = (cases.typology == NONE) & (u("false finding") < _FALSE_FINDING)
    found = (u("detection") < np.minimum(chance, 0.97)) | wrong
    own = officers.partner[officer] == cases.declarant
    suppressed = found & np.asarray(own, bool) & (u("suppression") < _SUPPRESSED)
    found &= ~suppressed
    made_up = np.floor(4 * u("offence")).astype(np.int64)
    offence = np.where(wrong, made_up, _OFFENCE_OF[cases.typology])
    # What is proven is most of it; a false finding asks for a little.
    proven = 0.75 + 0.25 * u("proof")
    owed = np.where(wrong, 0.03 * cases.value, cases.evaded) * proven
    gap = (cases.true_value - cases.value) * proven
    priced = found & ~wrong & np.isin(cases.typology, _PRICED)
    inspected_at, known_at = _dates(cases.start, channel, u("start"), u("wait"))
    return Results(
        channel=np.broadcast_to(channel, n),
        officer=officer,
        inspected_at=inspected_at,
        known_at=known_at,
        found=found,
        suppressed=suppressed,
        offence=offence,
        adjustment=np.where(found, owed, 0.0),
        assessed=np.where(priced, cases.value + gap, cases.value),
    )


#: Typologies of a false value.
_PRICED = (UNDER, QUANTITY, SHELL, ECOMMERCE, OVER)


def _assigned(cases: Cases, officers: Officers, u: Float, turn: Float) -> Int:
    """Return the officer of each case: any of the office, or the broker's own."""
    first = cases.office * OFFICERS
    officer = first + np.floor(u * OFFICERS).astype(np.int64)
    for k in range(OFFICERS):
        own = np.asarray(officers.partner[first + k] == cases.declarant, bool)
        officer = np.where(own & (turn < _TO_PARTNER), first + k, officer)
    return np.asarray(officer)


def _dates(
    start: NDArray[Any], channel: Int, u: Float, v: Float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return when items were inspected and when the result was known.

    Days for red, weeks for yellow, three to nine months for post-clearance audit
    (assumption: 1-30 days and 3-24 months are reported).
    """
    low = np.array([1.0, 1.0, 720.0])[channel]
    high = np.array([30.0, 96.0, 2160.0])[channel]
    hours = low + u * (high - low)
    few = -np.log(np.maximum((1 - v) * (1 - np.modf(v * 4096)[0]), 1e-9))  # gamma(2)
    wait = np.where(channel == 1, 7 + 7.0 * few, 2 + 2.5 * few)
    wait = np.where(channel == 2, 60 + 120 * v, wait)
    inspected_at = start + (hours * 3600).astype(np.int64).astype("timedelta64[s]")
    return inspected_at, inspected_at + (wait * 86400).astype(np.int64).astype(
        "timedelta64[s]"
    )


def outcomes(results: Results, keys: pd.DataFrame, officer_ids: Text) -> pd.DataFrame:
    """Write results as OUTCOMES, in the order of the cases."""

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
