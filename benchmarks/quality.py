"""The engine next to the baselines of the literature, where the truth is known.

Run ``python benchmarks/quality.py [--items 60000] [--seeds 5]``. Every model learns
from the items before a cut, with the results known by then, and is judged on the truth
of all later items, inspected or not. Prints a table and writes it to
``benchmarks/results/quality.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import smartrisk as sr

RATE = 0.05
BASELINES = {
    "smoothed-rate sum": sr.models.SmoothedRateSum,
    "DATE features": sr.models.DateFeaturesClassifier,
    "importer's rate": sr.models.ImporterRateBaseline,
    "value": sr.models.ValueBaseline,
    "random": sr.models.RandomBaseline,
}


def baseline_scores(model: Any, split: Any) -> pd.DataFrame:
    """Fit a baseline on the inspected items and score the later ones."""
    key = list(sr.schema.KEY)
    joined = split.past.merge(split.known[[*key, "illicit"]], on=key)
    hits = joined.pop("illicit").to_numpy(np.int64)
    scores = split.later[key].copy()
    scores["risk_score"] = model.fit(joined, hits).predict_proba(split.later)[:, 1]
    return scores


def judge(name: str, seed: int, scores: pd.DataFrame, truth: Any) -> dict[str, Any]:
    """Return precision by risk and revenue share by the model's own best ranking."""
    result = sr.evaluation.evaluate(scores, truth, rates=(RATE,), n_bootstrap=0)
    frame = result.frame()
    by_risk = frame[frame["rank_by"] == "risk_score"].iloc[0]
    return {
        "seed": seed,
        "model": name,
        "precision@5%": by_risk["precision"],
        "revenue@5%": frame["revenue_share"].iloc[-1],  # by expected revenue, if any
        "ROC AUC": result.overall()["roc_auc"],
    }


def measure(n_items: int, seed: int) -> list[dict[str, Any]]:
    """Return a row per model on the world of one seed."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    truth = world.full_outcomes()
    engine = sr.RiskEngine().fit(split.past, split.known)
    rows = [judge("smartrisk", seed, engine.score(split.later), truth)]
    for name, baseline in BASELINES.items():
        rows.append(judge(name, seed, baseline_scores(baseline(), split), truth))
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    table = pd.DataFrame(
        [row for seed in range(asked.seeds) for row in measure(asked.items, seed)]
    )
    place = Path(__file__).parent / "results" / "quality.csv"
    place.parent.mkdir(exist_ok=True)
    table.to_csv(place, index=False)
    wide = table.pivot(index="seed", columns="model")
    for name in ("precision@5%", "revenue@5%", "ROC AUC"):
        one = wide[name].loc[:, table["model"].unique()]
        one.loc["mean"] = one.mean()
        sys.stdout.write(f"\n{name}\n{one.round(3).to_string()}\n")


if __name__ == "__main__":
    main()
