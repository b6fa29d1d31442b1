"""Off-policy evaluation against the truth: do the intervals cover it?

Run ``python benchmarks/off_policy.py [--items 80000] [--seeds 50]``. In every seeded
world an engine learns from the first eighteen months; its policy, the 5 % of highest
risk in the next five months, was never deployed. What it would have found is estimated
from the decisions of the offices and the results of what they inspected, and compared
with the truth. First the results are made free of officers' errors, so that selection
alone is tested; then they are what officers found, and the truth is what they would
have found.
Prints the share of runs whose 95 % interval covers the truth, bias and spread; writes
``benchmarks/results/off_policy.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.evaluation import off_policy, whole_flow

RATE = 0.05
KEY = list(sr.schema.KEY)


def naive(
    flow: pd.DataFrame, found: pd.DataFrame, wanted: np.ndarray
) -> dict[str, Any]:
    """Return what the inspected items alone say, with binomial intervals."""
    joined = flow[KEY].assign(wanted=wanted).merge(found, on=KEY)
    own = joined[joined["wanted"]]
    k, n = float(own["illicit"].sum()), max(len(own), 1)
    rate, share = k / n, k / max(float(joined["illicit"].sum()), 1.0)
    revenue = own["revenue_adjustment"]
    scale = wanted.sum() / n
    error = 1.96 * scale * np.sqrt(n) * revenue.std(ddof=0)

    def binomial(p: float, size: float) -> tuple[float, float, float]:
        half = 1.96 * np.sqrt(p * (1 - p) / max(size, 1))
        return p, p - half, p + half

    middle = float(revenue.sum() * scale)
    return {
        "hit_rate": binomial(rate, n),
        "recall": binomial(share, float(joined["illicit"].sum())),
        "revenue": (middle, middle - error, middle + error),
    }


def truths(truth: pd.DataFrame, wanted: np.ndarray) -> dict[str, float]:
    """Return what the target finds of what there is."""
    hit, revenue = truth["illicit"], truth["revenue_adjustment"]
    return {
        "hit_rate": float(hit[wanted].mean()),
        "recall": float(hit[wanted].sum() / hit.sum()),
        "revenue": float(revenue[wanted].sum()),
        "illicit_rate": float(hit.mean()),
        "revenue_gap": float(revenue.sum()),
    }


def one(n_items: int, seed: int) -> list[dict[str, Any]]:
    """Return a row per kind of result, method and estimand."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    items, decisions = world.declarations, world.decisions()
    cut = pd.Timestamp("2024-07-01")
    past = items[items["lodged_at"] < cut]
    now = ((items["lodged_at"] >= cut) & (items["lodged_at"] < "2024-12-01")).to_numpy()
    known = world.outcomes[world.outcomes["known_at"] < cut]
    engine = sr.RiskEngine(random_state=0).fit(past, known)
    flow, log = items[now], decisions[now].reset_index(drop=True)
    scores = engine.score(flow)
    k = sr.evaluation.count_at(RATE, len(flow))
    wanted = np.zeros(len(flow), bool)
    wanted[np.argsort(-scores["risk_score"].to_numpy(), kind="stable")[:k]] = True
    target = log[KEY].assign(propensity=wanted.astype(float))
    everything = world.inspect(log[KEY].assign(channel="red"))
    clean = world.full_outcomes()[now].reset_index(drop=True)
    rows = []
    for kind, all_of_it in (("without error", clean), ("as found", everything)):
        looked = (log["channel"] != "green").to_numpy()
        found = all_of_it.loc[looked, [*KEY, "illicit", "revenue_adjustment"]]
        true = truths(all_of_it, wanted)
        answers = {"naive": naive(log, found, wanted)}
        for method in ("ips", "snips", "dr"):
            model = scores if method == "dr" else None
            table = off_policy(log, found, target, model=model, method=method).frame()
            answers[method] = table.set_index("estimand")[["estimate", "low", "high"]].T
        for source in ("random", "all"):
            table = whole_flow(log, found, source=source, strata=flow["office"]).frame()
            flat = table.set_index("estimand")[["estimate", "low", "high"]].T
            answers[f"flow, {source}"] = flat
        for method, answer in answers.items():
            for estimand, value in true.items():
                if estimand in answer:
                    middle, low, high = (float(v) for v in answer[estimand])
                    rows.append(
                        {
                            "seed": seed,
                            "results": kind,
                            "method": method,
                            "estimand": estimand,
                            "truth": value,
                            "estimate": middle,
                            "covers": low <= value <= high,
                            "width": (high - low) / value,
                        }
                    )
    return rows


def main() -> None:
    """Run the seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=80_000)
    parser.add_argument("--seeds", type=int, default=50)
    given = parser.parse_args()
    rows = []
    for seed in range(given.seeds):
        rows += one(given.items, seed)
    table = pd.DataFrame(rows)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    table.round(5).to_csv(folder / "off_policy.csv", index=False)
    table["bias"] = table["estimate"] / table["truth"] - 1
    shown = table.groupby(["results", "estimand", "method"])
    print(
        shown.agg(
            coverage=("covers", "mean"),
            bias=("bias", "mean"),
            spread=("bias", "std"),
            width=("width", "median"),
        )
        .round(3)
        .to_string()
    )


if __name__ == "__main__":
    main()
