"""Control in the past: who was inspected, what was found, when it was known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.datasets._fraud import TYPOLOGIES

_OFFENCE = {
    "undervaluation": "undervaluation",
    "misclassification": "misclassification",
    "false origin": "origin",
    "quantity": "quantity",
    "phoenix": "undervaluation",
    "concealment": "other",
}
#: Probability that a control of what is there finds it, by channel (assumption
#: within the 5-25 % of misses that practitioners give).
_DETECTION = {
    "red": [0, 0.85, 0.85, 0.75, 0.92, 0.85, 0.85],
    "yellow": [0, 0.8, 0.75, 0.75, 0.45, 0.75, 0.15],
    "blue": [0, 0.85, 0.85, 0.85, 0.5, 0.6, 0.1],
}
_FALSE_FINDING = 0.007  # assumption: 0.5-1 %


def control(
    rng: np.random.Generator,
    declarations: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    shares: tuple[float, float],
    end: pd.Timestamp,
) -> pd.DataFrame:
    """Inspect, find and record; `truth` gains `inspected` and `propensity`.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    declarations, truth : DataFrame
        The world, aligned.
    shares : tuple of float
        Targeted and random share of the items.
    end : Timestamp
        Results known later are not in the extract.
    """
    targeted, at_random = shares
    aim = _targeting(rng, declarations, truth, targeted)
    propensity = 1 - (1 - aim) * (1 - at_random)
    by_rule = rng.random(len(aim)) < aim
    inspected = by_rule | (rng.random(len(aim)) < at_random)
    truth["inspected"] = inspected
    truth["propensity"] = propensity
    rows = np.flatnonzero(inspected)
    channel = rng.choice(["red", "yellow", "blue"], len(rows), p=[0.45, 0.45, 0.1])
    kind = _kind(truth["typology"].to_numpy()[rows])
    table = np.array([_DETECTION[name] for name in ("red", "yellow", "blue")])
    which = (channel == "yellow") * 1 + (channel == "blue") * 2
    found = rng.random(len(rows)) < table[which, kind]
    wrong = (kind == 0) & (rng.random(len(rows)) < _FALSE_FINDING)
    hit = found | wrong
    return _outcomes(rng, declarations, truth, rows, (channel, which, hit, wrong), end)


def _kind(typology: NDArray[np.object_]) -> NDArray[np.int64]:
    return pd.Index(TYPOLOGIES).get_indexer(pd.Index(typology)).astype(np.int64)


def _targeting(
    rng: np.random.Generator,
    declarations: pd.DataFrame,
    truth: pd.DataFrame,
    share: float,
) -> NDArray[np.float64]:
    """Return each item's probability of being targeted by its office's rough rules.

    Offices look at duty, value and origin, each in its own way, and know some of
    the bad importers (and suspect some good ones).
    """
    n = len(declarations)
    if share <= 0:
        return np.zeros(n)
    office = pd.factorize(declarations["office"], sort=True)[0]
    taste = rng.uniform(0.4, 1.6, (office.max() + 1, 3))[office]
    value = np.log1p(declarations["customs_value"].to_numpy())
    value = (value - value.mean()) / max(value.std(), 1e-9)
    duty = declarations["duty_rate"].to_numpy() / 0.1
    watched = declarations["origin"].isin(["CN", "VN", "AE"]).to_numpy(float)
    importer, names = pd.factorize(declarations["importer_id"], sort=True)
    bad = np.zeros(len(names))
    np.maximum.at(bad, importer, truth["illicit"].to_numpy(float))
    known = rng.random(len(names)) < np.where(bad > 0, 0.35, 0.03)
    score = (
        0.5 * taste[:, 0] * duty
        + 0.35 * taste[:, 1] * value
        + 0.4 * taste[:, 2] * watched
        + 2.2 * known[importer]
        - 1.5 * declarations["trusted_trader"].to_numpy(float)
        + rng.normal(0, 0.5, n)
    )
    low, high = -20.0, 20.0
    for _ in range(60):  # find the level that gives the share
        level = (low + high) / 2
        mean = (1 / (1 + np.exp(-(score - level)))).mean()
        low, high = (level, high) if mean > share else (low, level)
    return np.asarray(1 / (1 + np.exp(-(score - level))))


def _outcomes(
    rng: np.random.Generator,
    declarations: pd.DataFrame,
    truth: pd.DataFrame,
    rows: NDArray[np.int64],
    result: tuple[
        NDArray[np.str_], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]
    ],
    end: pd.Timestamp,
) -> pd.DataFrame:
    """Write the results that are known by the end."""
    channel, which, hit, wrong = result
    lodged = declarations["lodged_at"].to_numpy()[rows]
    inspect = rng.integers(0, 4, len(rows)) + np.where(which == 2, 60, 0)
    # days for red, weeks for yellow, months for post-clearance audit
    wait = np.where(
        which == 0,
        rng.gamma(2.0, 4.0, len(rows)),
        np.where(
            which == 1, rng.gamma(2.0, 9.0, len(rows)), rng.gamma(4, 35, len(rows))
        ),
    )
    inspected_at = lodged + inspect.astype("timedelta64[D]")
    known_at = inspected_at + np.ceil(wait).astype(np.int64).astype("timedelta64[D]")
    evaded = truth["evaded_revenue"].to_numpy()[rows]
    value = declarations["customs_value"].to_numpy()[rows]
    recovered = np.where(
        hit,
        np.where(wrong, value * 0.02, evaded * rng.uniform(0.85, 1.0, len(rows))),
        0,
    )
    offence = np.array(
        [_OFFENCE.get(str(t), "other") for t in truth["typology"].to_numpy()[rows]],
        dtype=object,
    )
    offence[~hit] = None
    raised = np.where(hit & (offence == "undervaluation"), recovered / 0.2, 0.0)
    officers = np.array([f"O{k:03d}" for k in rng.permutation(200)])
    frame = pd.DataFrame(
        {
            "declaration_id": declarations["declaration_id"].to_numpy()[rows],
            "item_number": declarations["item_number"].to_numpy()[rows],
            "channel": channel,
            "inspected_at": inspected_at,
            "known_at": known_at,
            "illicit": hit.astype(np.int64),
            "offence": offence,
            "revenue_adjustment": np.round(recovered, 2),
            "assessed_value": np.round(value + raised, 2),
            "officer_id": officers[rng.integers(0, 200, len(rows))],
        }
    )
    texts = ["declaration_id", "channel", "offence", "officer_id"]
    frame = frame.astype(dict.fromkeys(texts, "str"))
    frame = frame[frame["known_at"] < end]
    return frame.sort_values("known_at", kind="stable").reset_index(drop=True)
