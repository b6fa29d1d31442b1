"""The default engine next to rivals where the truth is known, in ten scenarios.

Run ``python benchmarks/quality.py [--base FOLDER]``: five seeds a scenario and of the
independent family, about half an hour of CPU time. A contender learns from the first
three quarters of the items, with the results known by then, and is judged on the truth
of all later items, inspected or not. Features are computed once for a world.

Contenders: the engine; with ``--base`` the engine of another commit (a working tree
that ``git worktree add FOLDER COMMIT`` makes), features and revenue included; the
settings of the earlier default on today's features; each single member; the rivals of
``smartrisk benchmark``; ExtraTrees and CatBoost on our features, XGBoost like LITE DATE
(extra ``rivals``). CatBoost, learner seeds and seconds of single steps are measured in
the worlds of the first seed.

A stopped run goes on; ``--summary`` writes the tables of the rows that there are.
Writes ``benchmarks/results/quality.csv`` and ``docs/tables/quality.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any

import numpy as np
import pandas as pd
from quality_contenders import (
    OURS,
    BaseEngine,
    Fitted,
    Prepared,
    Timer,
    feature_contenders,
    own_contenders,
    plain_contenders,
    slow_contenders,
    time_parts,
    warm_up,
)
from quality_measures import count_worse, judge, paired_error, with_half
from quality_runs import World, list_worlds, markdown, parse, publish, run_asked

import smartrisk as sr

#: The engine of the other commit.
BASE = "earlier release"
SETTINGS = "earlier settings"
#: Scenarios whose worlds of the first seed are learned with five seeds of the learner.
NOISY = ("national", "drift", "scarce")
N_LEARNER_SEEDS = 5
#: Columns of the page, with their heads.
SHOWN = {
    "precision": "P@5 %",
    "average_precision": "AP",
    "revenue": "V@5 %, by revenue",
    "revenue_by_risk": "V@5 %, by risk",
    "ece": "ECE",
    "slope": "slope",
    "revenue_ratio": "predicted / true revenue",
}
#: Contenders whose scores are probabilities: of others neither ECE nor slope is shown.
UNCALIBRATED = ("smoothed-rate sum", "importer's rate", "value", "random")


def measure(
    world: World, *, base: str | None, first_seed: int, rival_seeds: int = 5
) -> list[dict[str, Any]]:
    """Return one row per contender on a world, rivals in the worlds of some seeds."""
    first = world.seed == first_seed
    warm_up()
    prepared = Prepared.make(world.scenario, world.n_items, world.seed)
    fitted = Fitted.fit(prepared)
    ours = fitted.scores
    rows = [row_of(OURS, ours, fitted, dict(fitted.seconds))]
    if first:
        split = prepared.split
        parts = time_parts(fitted.engine, split.past, split.known, split.later)
        rows[0].update(parts)
    if base is not None:
        rows.append(base_row(BaseEngine(base), fitted, timed=first))
    made = own_contenders()
    if world.seed - first_seed < rival_seeds:
        made |= {**plain_contenders(), **feature_contenders()}
    if first and rival_seeds:
        made |= slow_contenders()
    _ = fitted.learned, fitted.judged, fitted.given_hit  # not in anyone's seconds
    for name, contender in made.items():
        timer = Timer()
        scores = contender(fitted)
        timer.lap("fit_seconds")
        rows.append(row_of(name, scores, fitted, timer.laps))
    if first and world.scenario in NOISY:
        rows += [seed_row(prepared, seed) for seed in range(1, N_LEARNER_SEEDS)]
    return rows


def row_of(
    name: str, scores: pd.DataFrame, fitted: Fitted, seconds: dict[str, float]
) -> dict[str, Any]:
    """Return the measures of a contender, and by how much the engine is better."""
    truth = fitted.world.truth
    gain = error = 0.0
    if name != OURS:
        gain, error = paired_error(fitted.scores, scores, truth)
    return {
        "contender": name,
        **fitted.world.counts,
        **judge(scores, truth),
        "gain": gain,
        "gain_error": error,
        "fit_seconds": np.nan,
        "score_seconds": np.nan,
        "model_seconds": np.nan,
        "final_seconds": np.nan,
        "explain_seconds": np.nan,
        **seconds,
    }


def base_row(base: BaseEngine, fitted: Fitted, *, timed: bool) -> dict[str, Any]:
    """Return the row of the engine of another commit."""
    found = base.score(fitted.world, timed=timed)
    return row_of(BASE, pd.DataFrame(found["scores"]), fitted, found["seconds"])


def seed_row(prepared: Prepared, seed: int) -> dict[str, Any]:
    """Return the row of the engine with another seed of the learner."""
    fitted = Fitted.fit(prepared, sr.RiskEngine(random_state=seed))
    return row_of(OURS, fitted.scores, fitted, dict(fitted.seconds)) | {
        "contender": f"{OURS}, learner seed {seed}"
    }


# ---------------------------------------------------------------- summary


def compare(table: pd.DataFrame, other: str) -> dict[str, Any]:
    """Return the engine against a contender, paired by world."""
    index = ["scenario", "n_items", "seed"]
    ours = table[table["contender"] == OURS].set_index(index)
    theirs = table[table["contender"] == other].set_index(index)
    ours = ours.loc[theirs.index]
    gains = {name: ours[name] - theirs[name] for name in SHOWN}
    return {
        "contender": other,
        "worlds": len(theirs),
        "better": float((gains["precision"] > 0).mean()),
        "equal": float((gains["precision"] == 0).mean()),
        "worse": count_worse(theirs["gain"], theirs["gain_error"]),
        "gains": gains,
    }


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of the page: measures, leads, verdicts, noise, seconds."""
    names = [n for n in table["contender"].unique() if "learner seed" not in n]
    own = table["scenario"].isin(sr.datasets.SCENARIOS)
    lines = []
    for title, part in (
        ("Ten scenarios", table[own]),
        ("Independent family", table[~own]),
    ):
        if len(part):
            lines += [f"### {title}", "", *markdown(measures(part, names)), ""]
    lines += ["### The engine's lead", "", *markdown(leads(table, names)), ""]
    lines += ["### Verdicts", "", *verdicts(table), ""]
    lines += ["### Learner seeds", "", *markdown(noise(table)), ""]
    return lines


def measures(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the mean of each measure by contender, with 95 % intervals over worlds."""
    rows = []
    for name in names:
        part = table[table["contender"] == name]
        if not len(part):
            continue
        row = {"contender": name, "worlds": len(part)}
        for column, head in SHOWN.items():
            hidden = name in UNCALIBRATED and column in ("ece", "slope")
            hidden |= name != OURS and name != BASE and column == "revenue_ratio"
            row[head] = "" if hidden else with_half(part[column])
        row["fit, CPU s"] = f"{part['fit_seconds'].mean():.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def leads(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the paired leads of the engine over each contender."""
    rows = []
    for name in names:
        if name == OURS:
            continue
        found = compare(table, name)
        gains = found["gains"]
        rows.append(
            {
                "contender": name,
                "worlds": found["worlds"],
                "engine better": f"{found['better']:.0%}",
                "significantly worse": found["worse"],
                "P@5 %": with_half(gains["precision"]),
                "AP": with_half(gains["average_precision"]),
                "V@5 %": with_half(gains["revenue"]),
            }
        )
    return pd.DataFrame(rows)


def verdicts(table: pd.DataFrame) -> list[str]:
    """Return a line for each bar: the figure, the bar, and whether it is reached."""
    other = BASE if BASE in set(table["contender"]) else SETTINGS
    families = {
        "ten scenarios": table["scenario"].isin(sr.datasets.SCENARIOS),
        "all worlds": table["scenario"].notna(),
    }
    lines = []
    for family, inside in families.items():
        part = table[inside]
        found = compare(part, other)
        means = {name: float(gain.mean()) for name, gain in found["gains"].items()}
        bars = [
            ("share of worlds with a higher P@5 %", found["better"], 0.8, True),
            ("worlds significantly worse (Holm)", found["worse"], 0, False),
            ("gain in P@5 %", means["precision"], 0.03, True),
            ("gain in average precision", means["average_precision"], 0.05, True),
            ("gain in V@5 %", means["revenue"], 0.0, True),
        ]
        lines += [bar_line(f"{family}, {other}: {t}", v, b, u) for t, v, b, u in bars]
    return lines + cost_lines(table, other)


def cost_lines(table: pd.DataFrame, other: str) -> list[str]:
    """Return a line for each bar of CPU seconds, against the other contender."""
    mean = table.groupby("contender").mean(numeric_only=True)
    bars = {
        "fit of the model without calibration": ("final_seconds", "model_seconds", 2.5),
        "fit of the model with calibration": ("model_seconds", "model_seconds", 6.0),
        "explanation of 1,000 items": ("explain_seconds", "explain_seconds", 5.0),
    }
    lines = []
    for title, (ours, theirs, bar) in bars.items():
        below = mean[theirs].get(other, np.nan)
        if below > 0:
            ratio = mean[ours][OURS] / below
            lines.append(bar_line(f"CPU time, {title}, times", ratio, bar, False))
    return lines


def bar_line(title: str, value: float, bar: float, at_least: bool) -> str:
    """Return a verdict as a line of a list."""
    reached = value >= bar if at_least else value <= bar
    word = "at least" if at_least else "at most"
    return (
        f"- {title}: {value:.3g}, {word} {bar:g} wanted: "
        f"{'reached' if reached else '**not reached**'}"
    )


def noise(table: pd.DataFrame) -> pd.DataFrame:
    """Return the spread of the measures over seeds of the learner."""
    own = table["contender"].str.startswith(OURS)
    worlds = table[table["contender"].str.contains("learner seed")]["scenario"]
    rows = []
    for scenario in worlds.unique():
        part = table[own & (table["scenario"] == scenario)]
        part = part[part["seed"] == part["seed"].min()]
        spread = part[list(SHOWN)].std(ddof=1)
        row = {"world": scenario, "learner seeds": len(part)}
        for name in ("precision", "average_precision", "revenue"):
            row[f"{SHOWN[name]}, standard deviation"] = f"{spread[name]:.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


def count_trees() -> int:
    """Return how many trees the default classifier grows, whatever the items."""
    rng = np.random.default_rng(0)
    made = sr.models.RiskClassifier().fit(
        rng.normal(size=(400, 4)), rng.random(400) < 0.5
    )
    return made.n_trees_


def main() -> None:
    """Measure what is missing, and write the page."""
    parser = parse(__doc__, "quality", items=(40_000,))
    parser.add_argument("--base", default=None, help="working tree of another commit")
    parser.add_argument("--rival-seeds", type=int, default=5, help="worlds of rivals")
    asked = parser.parse_args()
    table = run_asked(
        asked,
        list_worlds(asked),
        measure,
        base=asked.base,
        first_seed=asked.first_seed,
        rival_seeds=asked.rival_seeds,
    )
    about = (
        f"{', '.join(f'{n:,}' for n in sorted(table['n_items'].unique()))} items a "
        f"world, seeds {table['seed'].min()} to {table['seed'].max()}. Means over "
        "worlds, ± the half-width of the 95 % interval. "
        f"The final fit of smartrisk grows {count_trees()} trees."
    )
    publish(asked, about, summary_lines(table))


if __name__ == "__main__":
    main()
