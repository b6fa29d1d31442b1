"""Whether 95 % intervals of estimates hold what a control of everything would find.

Run ``python benchmarks/enforcement.py``, about eight minutes of CPU time. Each world is
decided twice: by its offices, whose rules and random draws overlap, and by a `Policy`,
whose draw is made after mandatory items. `hit_rate_random` is compared with the items
of the draw; `non_compliance`, and `hit_rate`, the pooled rate of all controls, with all
items. What a control of everything finds is asked of `World.inspect`; each item has its
lane, which is drawn as offices draw theirs. What is illicit and missed by controls is
in no result, so it cannot be estimated: the gap is printed.

Writes ``benchmarks/results/enforcement.csv`` and ``docs/tables/enforcement.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from quality_runs import ROOT, World, list_worlds, markdown, parse, publish, run_asked

import smartrisk as sr

KEY = ["declaration_id", "item_number"]
ESTIMATES = ("hit_rate_random", "non_compliance")
#: The rate of all controls, which is no estimate.
POOLED = "hit_rate"
#: Share of the worlds in which an interval of 95 % must hold the truth.
BAR = 0.9
#: All results are known by then.
LATE = "2100-01-01"


def measure(world: World) -> list[dict[str, Any]]:
    """Return a row per way to decide and indicator."""
    made = sr.datasets.make_declarations(
        world.n_items, random_state=world.seed, scenario=world.scenario
    )
    rng = np.random.default_rng(world.seed)
    key = made.declarations[KEY]
    lane = draw_lanes(made, rng)
    everything = made.inspect(key.assign(channel=lane))["illicit"].to_numpy(float)
    illicit = made.truth["illicit"].to_numpy(float)
    rows = []
    for by, decided in {
        "offices": made.decisions(),
        "policy": decide(made, everything, rng, world.seed),
    }.items():
        green = (decided["channel"] == "green").to_numpy()
        decided["channel"] = np.where(green, "green", lane)
        figures = sr.statistics.enforcement(
            made.declarations,
            made.inspect(decided),
            decided,
            unit="item",
            age=None,
            as_of=LATE,
            by=(),
        )
        table = figures.frame().set_index("indicator")
        in_draw = decided["draw_probability"].notna().to_numpy()
        for name in (*ESTIMATES, POOLED):
            among = in_draw if name == "hit_rate_random" else np.ones(len(key), bool)
            wanted, one = everything[among].mean(), table.loc[name]
            rows.append(
                {
                    "decided_by": by,
                    "indicator": name,
                    "n": one["n"],
                    "low": one["low"],
                    "value": one["value"],
                    "high": one["high"],
                    "found_by_all_controls": wanted,
                    "covered": int(one["low"] <= wanted <= one["high"]),
                    "illicit": illicit.mean(),
                    "missed": (illicit * (1 - everything)).mean(),
                    "wrongly_found": ((1 - illicit) * everything).mean(),
                    **made_on(),
                }
            )
    return rows


def draw_lanes(world: sr.datasets.World, rng: np.random.Generator) -> np.ndarray:
    """Return a lane per item: its own, or that of a controlled item of its office."""
    lane = world.decisions()["channel"].to_numpy(object, copy=True)
    office = world.declarations["office"].to_numpy(object)
    for one in pd.unique(office):
        here = np.flatnonzero(office == one)
        controlled = here[lane[here] != "green"]
        rest = here[lane[here] == "green"]
        known = lane[controlled] if len(controlled) else np.array(["red"], object)
        lane[rest] = known[rng.integers(0, len(known), len(rest))]
    return lane


def decide(
    world: sr.datasets.World,
    everything: np.ndarray,
    rng: np.random.Generator,
    seed: int,
) -> pd.DataFrame:
    """Return decisions of a policy that aims well, after mandatory items."""
    items, n = world.declarations, len(everything)
    risk = np.clip(0.2 + 0.5 * everything + 0.2 * rng.standard_normal(n), 0, 1)
    must = rng.random(n) < 0.02 + 0.1 * everything
    policy = sr.selectivity.Policy(
        capacity=0.1, random_share=0.3, per=("office",), random_state=seed
    )
    return policy.select(
        items[KEY].assign(risk_score=risk),
        items,
        mandatory=must,
        clock=items["lodged_at"].min(),
    )


def made_on() -> dict[str, str]:
    """Return the day, and the commit that last changed what is measured.

    A copy without a history of versions has no commit.
    """
    command = ["git", "log", "-1", "--format=%h", "--", "smartrisk"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return {"date": str(date.today()), "commit": done.stdout.strip() or "unknown"}


# ---------------------------------------------------------------- summary


def count_covered(table: pd.DataFrame) -> pd.DataFrame:
    """Return, by way to decide and indicator, in how many worlds the interval holds."""
    groups = ["scenario", "decided_by", "indicator"]
    out = table.groupby(groups, sort=False, as_index=False).agg(
        worlds=("covered", "size"),
        covered=("covered", "sum"),
        n=("n", "mean"),
        value=("value", "mean"),
        found=("found_by_all_controls", "mean"),
        illicit=("illicit", "mean"),
        missed=("missed", "mean"),
        wrongly_found=("wrongly_found", "mean"),
    )
    out["width"] = (
        (table["high"] - table["low"])
        .groupby([table[name] for name in groups], sort=False)
        .mean()
        .to_numpy()
    )
    reached = out["covered"] >= BAR * out["worlds"]
    out["as_wanted"] = np.where(out["indicator"] == POOLED, ~reached, reached)
    return out


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of the page."""
    counts = count_covered(table)
    shown = pd.DataFrame(
        {
            "scenario": counts["scenario"],
            "decided by": counts["decided_by"],
            "indicator": counts["indicator"],
            "holds the truth in": [
                f"{row.covered} of {row.worlds}" for row in counts.itertuples()
            ],
            "results, mean": counts["n"].map("{:,.0f}".format),
            "value, mean": counts["value"].map("{:.4f}".format),
            "width, mean": counts["width"].map("{:.4f}".format),
            "all controls would find": counts["found"].map("{:.4f}".format),
        }
    )
    lines = [*markdown(shown), ""]
    for scenario, part in counts.groupby("scenario", sort=False):
        one = part.iloc[0]
        lines.append(
            f"- {scenario}: {one['illicit']:.4f} of all items are illicit; "
            f"{one['missed']:.4f} are missed by controls, not estimable, and "
            f"{one['wrongly_found']:.4f} are wrongly found."
        )
    right = counts["as_wanted"]
    lines.append(
        f"- each estimate holds the truth in at least {BAR:.0%} of the worlds, and the "
        f"pooled rate does not: {'reached' if right.all() else '**not reached**'}."
    )
    return [*lines, ""]


def main() -> int:
    """Measure what is missing, and write the page; 1 where a bar is missed."""
    asked = parse(
        __doc__, "enforcement", items=(120_000,), seeds=50, scenarios=("national",)
    ).parse_args()
    table = run_asked(asked, list_worlds(asked), measure)
    about = (
        f"{table['seed'].nunique()} worlds of {table['n_items'].max():,} items, "
        f"commit {', '.join(sorted(set(table['commit'].astype(str))))}."
    )
    publish(asked, about, summary_lines(table))
    return 0 if count_covered(table)["as_wanted"].all() else 1


if __name__ == "__main__":
    sys.exit(main())
