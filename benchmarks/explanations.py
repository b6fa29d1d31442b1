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
- strength: what scores of the later items say, what is true, and what officers found of
  those that they inspected;
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
from typing import Any

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.explanations import removal
from smartrisk.pages import CaseSheet

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


def one(n_items: int, seed: int) -> tuple[pd.DataFrame, dict[str, float], pd.DataFrame]:
    """Return a line per selected illicit item, the figures, and what scores say."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    cut = int(0.8 * n_items)
    past, new = world.declarations.iloc[:cut], world.declarations.iloc[cut:]
    results = world.outcomes.merge(past[KEY], on=KEY)
    results = results[results["known_at"] < new["lodged_at"].iloc[0].normalize()]
    engine = sr.RiskEngine().fit(past, results)
    engine.update(new)  # an item sees what was lodged before its day
    scores = engine.score(new)
    best = scores["risk_score"].nlargest(int(RATE * len(new))).index
    selected, truth = new.loc[best], world.truth.loc[best]
    reasons = engine.explain(selected, top=3)
    figures = {"selected": len(selected)}

    background = engine.features_.transform(past.sample(300, random_state=seed))
    removed = removal(reasons, engine.classifier_.raw_score, background)
    moved = removed.frame()["moved"]
    figures["deletion_holds"] = float((moved > 0).mean())

    wide = world.declarations.head(100_000)
    matrix = engine.features_.transform(wide)
    gap = engine.explain(wide).raw_score - engine.classifier_.raw_score(matrix)
    figures |= {"checked": len(wide), "additivity_error": float(np.abs(gap).max())}

    figures |= seconds(engine, new, best, (past, results))

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
    return told, figures, strength(world, new, scores)


def seconds(
    engine: sr.RiskEngine, new: pd.DataFrame, best: pd.Index, known: tuple[Any, Any]
) -> dict[str, float]:
    """Return what 1,000 items with sentences take, and a case sheet."""
    some, (past, results) = new.head(1000), known
    start = time.perf_counter()
    asked = engine.explain(some)
    for lang in sr.explanations.LANGUAGES:
        asked.sentences(lang=lang)
    figures = {"seconds_1000": time.perf_counter() - start}
    start = time.perf_counter()
    for label in best[:5]:
        CaseSheet.from_engine(
            engine, new.loc[[label]], past=past, outcomes=results
        ).to_html()
    return figures | {"seconds_case_sheet": (time.perf_counter() - start) / 5}


def strength(world: Any, new: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return what scores say, what is true, and what officers found."""
    items = pd.DataFrame(
        {
            "said": scores["risk_score"],
            "true": world.truth.loc[new.index, "illicit"].astype(float),
            "found": found_of(world, new),
        }
    )
    said = pd.cut(scores["risk_score"], [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0])
    return items.groupby(said, observed=True).agg(
        n_items=("said", "size"),
        said=("said", "mean"),
        true=("true", "mean"),
        n_inspected=("found", "count"),
        found=("found", "mean"),
    )


def found_of(world: Any, items: pd.DataFrame) -> pd.Series:
    """Return what officers found of items, missing where none looked."""
    results = world.outcomes.set_index(KEY)["illicit"]
    keys = pd.MultiIndex.from_frame(items[KEY])
    return pd.Series(results.reindex(keys).to_numpy(float), index=items.index)


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
    strength = pd.concat([run[2] for run in runs])
    weights = strength["n_items"], strength["n_inspected"]
    sums = pd.DataFrame(
        {
            "n_items": weights[0],
            "said": strength["said"] * weights[0],
            "true": strength["true"] * weights[0],
            "n_inspected": weights[1],
            "found": (strength["found"] * weights[1]).fillna(0.0),
        }
    )
    sums = sums.groupby(level=0, observed=True).sum()
    sums[["said", "true"]] = sums[["said", "true"]].div(sums["n_items"], axis=0)
    sums["found"] /= sums["n_inspected"]
    print(sums.round(3).to_string())
    figures = pd.DataFrame([run[1] for run in runs])
    print(figures.to_string(index=False))
    path = Path(__file__).parent / "results" / "explanations.csv"
    path.parent.mkdir(exist_ok=True)
    table.round(4).to_csv(path)


if __name__ == "__main__":
    main()
