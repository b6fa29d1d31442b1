"""Reasons: do they add up, do they hold, do they name what was done, how fast.

Run ``python benchmarks/explanations.py [--items 120000] [--seeds 3]``. In the default
scenario the engine learns from the results known at four fifths of the time and selects
5 % of the later items. Then

- additivity: the largest gap between contributions and raw score on 100,000 items;
- concept: of the selected items that are illicit, for how many one of the three reasons
  shown names the concept of what was planted, by typology; for how many one that is at
  least slight does; and how often the three concepts that are most frequent among all
  reasons would (so that "always valuation" can be told from knowing);
- deletion: for how many selected items the score falls without the first reason;
- speed: 1,000 items scored, then explained with sentences in three languages; a case
  sheet, in the mean of five, with four fifths of the items as its past.

Writes ``benchmarks/results/explanations.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.explanations import removal
from smartrisk.reports import CaseSheet

RATE, KEY = 0.05, ["declaration_id", "item_number"]
#: What an officer must be pointed to. A phoenix is a new firm with an old trade.
CONCEPT = {
    "undervaluation": {"valuation"},
    "overvaluation": {"valuation"},
    "e-commerce": {"valuation"},
    "misclassification": {"classification"},
    "false origin": {"origin and route"},
    "quantity": {"quantity"},
    "phoenix": {"novelty", "trader record"},
    "splitting": {"structuring"},
    "procedure": {"procedure"},
}


def one(n_items: int, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return a line per selected illicit item, and the figures of a seed."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    cut = int(0.8 * n_items)
    past, new = world.declarations.iloc[:cut], world.declarations.iloc[cut:]
    results = world.outcomes.merge(past[KEY], on=KEY)
    results = results[results["known_at"] <= new["lodged_at"].iloc[0]]
    engine = sr.RiskEngine().fit(past, results)
    scores = engine.score(new)
    best = scores["risk_score"].nlargest(int(RATE * len(new))).index
    selected, truth = new.loc[best], world.truth.loc[best]
    reasons = engine.explain(selected, top=3)
    figures = {"selected": len(selected)}

    background = engine.features_.transform(past.sample(300, random_state=seed))
    moved = removal(reasons, engine.classifier_.raw_score, background)["moved"]
    figures["deletion_holds"] = float((moved > 0).mean())

    wide = world.declarations.head(100_000)
    matrix = engine.features_.transform(wide)
    gap = engine.explain(wide).raw_score - engine.classifier_.raw_score(matrix)
    figures |= {"checked": len(wide), "additivity_error": float(np.abs(gap).max())}

    some = new.head(1000)
    start = time.perf_counter()
    asked = engine.explain(some)
    for lang in sr.explanations.LANGUAGES:
        asked.sentences(lang)
    figures["seconds_1000"] = time.perf_counter() - start

    start = time.perf_counter()
    for label in best[:5]:
        CaseSheet.from_engine(
            engine, new.loc[[label]], past=past, outcomes=results
        ).to_html()
    figures["seconds_case_sheet"] = (time.perf_counter() - start) / 5

    lines = reasons.frame()
    named = lines.groupby(KEY)["concept"].agg(set)
    firm = lines[lines["strength"] != "weak"].groupby(KEY)["concept"].agg(set)
    hits = selected[truth["illicit"].to_numpy(bool)][KEY]
    typology = truth.loc[hits.index, "typology"].astype(str)
    often = lines["concept"].value_counts().index[:3]
    told = pd.DataFrame({"typology": typology, "seed": seed})
    keys = list(zip(*hits.T.to_numpy(), strict=True))
    wanted = [CONCEPT.get(kind, set()) for kind in typology]
    for column, sets in {"named": named, "named_firmly": firm}.items():
        told[column] = [
            bool(sets.get(key, set()) & want)
            for key, want in zip(keys, wanted, strict=True)
        ]
    told["by_habit"] = [bool(set(often) & b) for b in wanted]
    return told, figures


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=120_000)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    runs = [one(asked.items, seed) for seed in range(asked.seeds)]
    told = pd.concat([run[0] for run in runs])
    counted = told[told["typology"] != "concealment"]
    columns = ["named", "named_firmly", "by_habit"]
    table = told.groupby("typology")[columns].mean()
    table.insert(0, "n_items", told.groupby("typology").size())
    table.loc["all but concealment"] = [
        len(counted),
        *counted[columns].mean(),
    ]
    print(table.round(3).to_string())
    figures = pd.DataFrame([run[1] for run in runs])
    print(figures.to_string(index=False))
    path = Path(__file__).parent / "results" / "explanations.csv"
    path.parent.mkdir(exist_ok=True)
    table.round(4).to_csv(path)


if __name__ == "__main__":
    main()
