"""Are the probabilities of the default engine right, and their intervals honest?

Run ``python benchmarks/calibrated.py``, about ten minutes of CPU time. The engine
learns from the results known at three quarters of the items and scores all later ones,
inspected or not; their truth is known. Measured are

- ECE, the mean gap between score and hit rate in ten bins, and the slope of the truth
  on the score, both in log-odds;
- the bias of inspection: the hit rate of all later items against that of the inspected
  ones with scores like theirs;
- coverage: of 20 bins of later items by score, how many have their hit rate within the
  means of `score_lower` and `score_upper`; and the median width.

Writes ``benchmarks/results/calibrated.csv`` and ``docs/tables/calibrated.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any

import numpy as np
import pandas as pd
from quality_contenders import Fitted, Prepared
from quality_measures import judge
from quality_runs import World, markdown, parse, publish, run_asked

import smartrisk as sr

#: Items of a world, and seeds of its worlds: over 30 worlds of 20,000 items, the
#: mean ECE is known to about .002.
SIZES = {20_000: 2, 120_000: 1}
#: Bars of the mean ECE by size, of slopes, and of covered bins.
ECE = {20_000: 0.03, 120_000: 0.02}
SLOPES, SHARE_OF_SLOPES, COVERED = (0.8, 1.2), 0.8, 0.87
#: Scenarios in which nothing changes and nobody reacts to findings.
STABLE = ("stable", "collusion", "small", "independent-stable")


def measure(world: World) -> list[dict[str, Any]]:
    """Return the row of the engine."""
    prepared = Prepared.make(world.scenario, world.n_items, world.seed)
    fitted = Fitted.fit(prepared)
    scores = fitted.scores
    return [
        {
            "contender": "smartrisk",
            **prepared.counts,
            **judge(scores, prepared.truth),
            **selection_bias(prepared, scores),
        }
    ]


def selection_bias(prepared: Prepared, scores: pd.DataFrame) -> dict[str, float]:
    """Return how inspected later items differ from all with the same scores.

    The expected number of true hits among them is that of all later items in bins of
    equal scores; a ratio above 1 says that officers see more than the score.
    """
    risk = scores["risk_score"].to_numpy(np.float64)
    hit = prepared.truth["illicit"].to_numpy(np.float64)
    inspected = prepared.inspected
    bins = np.argsort(np.argsort(risk, kind="stable")) * 20 // len(risk)
    rate = np.bincount(bins, hit) / np.maximum(np.bincount(bins), 1)
    expected = rate[bins][inspected].sum()
    return {
        "n_inspected": int(inspected.sum()),
        "selection_ratio": float(hit[inspected].sum() / expected)
        if expected > 0
        else float("nan"),
    }


# ---------------------------------------------------------------- summary


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of the page: a row a scenario and size, and the verdicts."""
    columns = {
        "ece": "ECE",
        "slope": "slope",
        "hits_ratio": "predicted / true hits",
        "covered": "bins covered",
        "width": "median width",
        "upper": "median upper bound",
        "base_rate": "base rate",
        "selection_ratio": "hits of inspected / of all with such scores",
    }
    means = table.groupby(["n_items", "scenario"], sort=False)[list(columns)].mean()
    shown = means.map("{:.3f}".format).rename(columns=columns).reset_index()
    shown["n_items"] = shown["n_items"].map("{:,}".format)
    return [*markdown(shown.rename(columns={"n_items": "items"})), "", *verdicts(table)]


def verdicts(table: pd.DataFrame) -> list[str]:
    """Return a line for each bar."""
    own = table[table["scenario"].isin(sr.datasets.SCENARIOS)]
    lines = []
    for n_items, part in own.groupby("n_items"):
        stable = table[table["scenario"].isin(STABLE) & (table["n_items"] == n_items)]
        within = part["slope"].between(*SLOPES).mean()
        bar = ECE.get(int(n_items), 0.03)
        lines += [
            line(f"{n_items:,} items: mean ECE", part["ece"].mean(), bar, False),
            line(
                f"{n_items:,} items: slopes in {SLOPES}", within, SHARE_OF_SLOPES, True
            ),
        ]
        if len(stable):
            covered = stable["covered"].mean()
            narrow = (stable["upper"] / (3 * stable["base_rate"])).median()
            lines += [
                line(
                    f"{n_items:,} items, stable: bins covered", covered, COVERED, True
                ),
                line(
                    f"{n_items:,} items, stable: median upper bound / 3 base rates",
                    narrow,
                    1.0,
                    False,
                ),
            ]
    drift = own[own["scenario"] == "drift"]
    if len(drift):
        lines.append(
            f"- drift: {drift['covered'].mean():.3f} of the bins are covered, ECE "
            f"{drift['ece'].mean():.3f}, median width {drift['width'].mean():.3f}"
        )
    return [*lines, ""]


def line(title: str, value: float, bar: float, at_least: bool) -> str:
    """Return a verdict as a line of a list."""
    reached = value >= bar if at_least else value <= bar
    word = "at least" if at_least else "at most"
    verdict = "reached" if reached else "**not reached**"
    return f"- {title}: {value:.3f}, {word} {bar:g} wanted: {verdict}"


def main() -> None:
    """Measure what is missing, and write the page."""
    asked = parse(__doc__, "calibrated", items=SIZES, seeds=1).parse_args()
    worlds = [
        World(name, n_items, asked.first_seed + k)
        for n_items in asked.items
        for k in range(SIZES.get(n_items, 1) * asked.seeds)
        for name in asked.scenarios
    ]
    table = run_asked(asked, worlds, measure)
    about = "all later items by their truth; means over the worlds of a scenario."
    publish(asked, about, summary_lines(table))


if __name__ == "__main__":
    main()
