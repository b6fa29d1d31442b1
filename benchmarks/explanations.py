"""Reasons: additivity, deletion test, agreement with the planted concept, speed.

Run ``python benchmarks/explanations.py [--items 120000] [--seeds 3]``. In the default
scenario the engine learns from the results known at four fifths of the time and selects
5 % of the later items. Then

- additivity: the largest gap between contributions and raw score on 100,000 items (of
  the first seed, 2,000 of the others);
- concept: of the selected items that are illicit, for how many one of the three reasons
  shown names the planted concept, by typology; for how many one that is at least slight
  does; and for how many the three concepts that are most frequent among all reasons
  would (a method that always names valuation scores no better);
- deletion: for how many selected items the score falls without the first reason;
- strength: mean scores of the later items, the true share, and the hit rate of those
  that officers inspected;
- speed: 1,000 items scored, then explained with sentences in three languages; a case
  sheet, on average of five, with four fifths of the items as its past.

Writes ``benchmarks/results/explanations.csv`` and ``docs/tables/explanations.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.explanations import removal
from smartrisk.items import join_by_key
from smartrisk.pages import CaseSheet

#: Share of the later items that are selected.
RATE = 0.05
KEY = list(sr.schema.KEY)
#: Concepts that point an officer to what was planted. A phoenix importer is a new firm
#: with an old trade.
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


@dataclass(frozen=True)
class Measured:
    """What one seed gives.

    Attributes
    ----------
    concepts : DataFrame
        One row per selected illicit item: whether reasons name the planted concept.
    figures : dict of str to float
        Additivity, deletion, seconds.
    strength : DataFrame
        Mean score, true share and hit rate by range of the score.
    """

    concepts: pd.DataFrame
    figures: dict[str, float]
    strength: pd.DataFrame


def measure(n_items: int, seed: int, n_checked: int = 2_000) -> Measured:
    """Measure the reasons of one world, and additivity on its first items."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    cut = int(0.8 * n_items)
    past, new = world.declarations.iloc[:cut], world.declarations.iloc[cut:]
    results = join_by_key(world.outcomes, past[KEY], how="inner")
    results = results[results["known_at"] < new["lodged_at"].iloc[0].normalize()]
    engine = sr.RiskEngine().fit(past, results)
    engine.update(new)  # an item sees what was lodged before its day
    scores = engine.score(new)
    best = scores["risk_score"].nlargest(int(RATE * len(new))).index
    selected = new.loc[best]
    reasons = engine.explain(selected, top=3)
    figures = {"selected": float(len(selected))}

    background = engine.features_.transform(past.sample(300, random_state=seed))
    removed = removal(reasons, engine.classifier_.raw_score, background)
    figures["deletion_holds"] = float((removed.frame()["moved"] > 0).mean())

    wide = world.declarations.head(n_checked)
    figures |= {"checked": len(wide), "additivity_error": find_gap(engine, wide)}

    figures["seconds_1000"] = time_explain(engine, new.head(1000))
    figures["seconds_case_sheet"] = time_case_sheets(
        engine, [new.loc[[label]] for label in best[:5]], past, results
    )
    typology = world.truth["typology"].where(world.truth["illicit"] == 1)
    concepts = compare_concepts(reasons, selected, typology.loc[best].dropna())
    return Measured(concepts.assign(seed=seed), figures, strength(world, new, scores))


def find_gap(engine: sr.RiskEngine, items: pd.DataFrame, size: int = 10_000) -> float:
    """Return the largest gap between the sum of contributions and the raw score.

    All contributions at once would take a gigabyte.
    """
    largest = 0.0
    for start in range(0, len(items), size):
        matrix = engine.features_.transform(items.iloc[start : start + size])
        model = engine.classifier_
        total = model.contributions(matrix, checked=True).sum(axis=1)
        gap = np.abs(total - model.raw_score(matrix, checked=True)).max()
        largest = max(largest, float(gap))
    return largest


def compare_concepts(
    reasons: sr.explanations.Reasons, selected: pd.DataFrame, typology: pd.Series
) -> pd.DataFrame:
    """Return, per illicit item, whether its reasons name the planted concept."""
    lines = reasons.frame()
    any_strength = lines.groupby(KEY)["concept"].agg(set)
    firm = lines[lines["strength"] != "weak"].groupby(KEY)["concept"].agg(set)
    frequent = set(lines["concept"].value_counts().index[:3])
    keys = list(selected.loc[typology.index, KEY].itertuples(index=False, name=None))
    wanted = [CONCEPT.get(str(kind), set()) for kind in typology]
    table = pd.DataFrame({"typology": typology.astype(str)})
    for column, sets in {"named": any_strength, "named_firmly": firm}.items():
        table[column] = [
            bool(sets.get(key, set()) & want)
            for key, want in zip(keys, wanted, strict=True)
        ]
    table["by_habit"] = [bool(frequent & want) for want in wanted]
    return table


def time_explain(engine: sr.RiskEngine, items: pd.DataFrame) -> float:
    """Return the seconds that reasons and their sentences in all languages take."""
    start = time.perf_counter()
    reasons = engine.explain(items)
    for lang in sr.explanations.LANGUAGES:
        reasons.sentences(lang=lang)
    return time.perf_counter() - start


def time_case_sheets(
    engine: sr.RiskEngine,
    items: list[pd.DataFrame],
    past: pd.DataFrame,
    outcomes: pd.DataFrame,
) -> float:
    """Return the seconds that a case sheet takes, on average."""
    start = time.perf_counter()
    for item in items:
        CaseSheet.from_engine(engine, item, past=past, outcomes=outcomes).to_html()
    return (time.perf_counter() - start) / len(items)


def strength(
    world: sr.datasets.World, new: pd.DataFrame, scores: pd.DataFrame
) -> pd.DataFrame:
    """Return mean score, true share and hit rate by range of the score."""
    results = join_by_key(new[KEY], world.outcomes, ["illicit"])["illicit"]
    items = pd.DataFrame(
        {
            "score": scores["risk_score"],
            "true": world.truth.loc[new.index, "illicit"].astype(float),
            "found": results.astype(float),
        }
    )
    ranges = pd.cut(scores["risk_score"], [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0])
    return items.groupby(ranges, observed=True).agg(
        n_items=("score", "size"),
        score=("score", "mean"),
        true=("true", "mean"),
        n_inspected=("found", "count"),
        found=("found", "mean"),
    )


def by_typology(concepts: pd.DataFrame) -> pd.DataFrame:
    """Return for how many items the reasons name the planted concept."""
    counted = concepts[concepts["typology"] != "concealment"]
    columns = ["named", "named_firmly", "by_habit"]
    table = concepts.groupby("typology")[columns].mean()
    table.insert(0, "n_items", concepts.groupby("typology").size())
    table = table.sort_values("n_items", ascending=False)
    table.loc["all but concealment"] = [len(counted), *counted[columns].mean()]
    return table


def by_score(ranges: pd.DataFrame) -> pd.DataFrame:
    """Return mean score, true share and hit rate by range of the score."""
    n_items, n_inspected = ranges["n_items"], ranges["n_inspected"]
    sums = pd.DataFrame(
        {
            "n_items": n_items,
            "score": ranges["score"] * n_items,
            "true": ranges["true"] * n_items,
            "n_inspected": n_inspected,
            "found": (ranges["found"] * n_inspected).fillna(0.0),
        }
    )
    sums = sums.groupby(level=0, observed=True).sum()
    sums[["score", "true"]] = sums[["score", "true"]].div(sums["n_items"], axis=0)
    sums["found"] /= sums["n_inspected"]
    return sums


def page(table: pd.DataFrame, sums: pd.DataFrame, figures: pd.DataFrame) -> list[str]:
    """Return the lines of the documentation's tables."""
    whole = table.loc["all but concealment"]
    checked = figures.loc[figures["checked"].idxmax()]
    held = (figures["deletion_holds"] * figures["selected"]).sum()
    facts = {
        "largest gap between contributions and raw score, "
        f"{checked['checked']:,.0f} items": f"{checked['additivity_error']:.1e}",
        "selected items whose score falls without the first reason": (
            f"{held:,.0f} of {figures['selected'].sum():,.0f}"
        ),
        "1,000 items explained, with sentences in three languages": span(
            figures, "1000"
        ),
        "a case sheet": span(figures, "case_sheet"),
        "selected illicit items for which a reason names the concept of the planted "
        "fraud": (
            f"{whole['named']:.1%} ({whole['n_items']:,.0f} items; by habit "
            f"{whole['by_habit']:.1%})"
        ),
    }
    lines = ["| question | measured |", "|---|---|"]
    lines += [f"| {question} | {answer} |" for question, answer in facts.items()]
    lines += [
        "",
        "| typology | items | named | by a reason that is not weak | by habit |",
    ]
    lines += ["|---" * 5 + "|"]
    for name, row in table.drop(index="all but concealment").iterrows():
        shares = " | ".join(
            f"{row[column]:.1%}" for column in ("named", "named_firmly", "by_habit")
        )
        lines.append(f"| {name} | {row['n_items']:,.0f} | {shares} |")
    lines += ["", "| score | items | mean score | true | found (inspected) |"]
    lines += ["|---" * 5 + "|"]
    for ends, row in sums.iterrows():
        lines.append(
            f"| up to {ends.right:g} | {row['n_items']:,.0f} | {row['score']:.1%} | "
            f"{row['true']:.1%} | {row['found']:.1%} ({row['n_inspected']:,.0f}) |"
        )
    return lines


def span(figures: pd.DataFrame, name: str) -> str:
    """Return the range of seconds over the worlds."""
    seconds = figures[f"seconds_{name}"]
    return f"{seconds.min():.2f} to {seconds.max():.2f} s"


def main() -> None:
    """Print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=120_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    runs = [
        measure(options.items, seed, 2_000 if seed else 100_000)
        for seed in range(options.seeds)
    ]
    table = by_typology(pd.concat([run.concepts for run in runs]))
    sums = by_score(pd.concat([run.strength for run in runs]))
    figures = pd.DataFrame([run.figures for run in runs])
    for shown in (table.round(3), sums.round(3), figures):
        print(shown.to_string())
    path = Path(__file__).parent / "results" / "explanations.csv"
    path.parent.mkdir(exist_ok=True)
    table.round(4).to_csv(path)
    tables = Path(__file__).resolve().parents[1] / "docs" / "tables"
    text = "\n".join(page(table, sums, figures)) + "\n"
    (tables / "explanations.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
