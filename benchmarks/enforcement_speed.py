"""CPU time of enforcement statistics on a million items, next to plain pandas.

Run ``python benchmarks/enforcement_speed.py [--items 1000000] [--repeats 3]``. All
indicators by month and office, with decisions, results, milestones and overrides, are
computed from validated tables. For comparison, pandas groups the same items by the same
keys once for each indicator table: a count, and the sum of an amount.
Prints CPU seconds, the least of the repeats, and writes
``benchmarks/results/enforcement_speed.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable

import pandas as pd
from enforcement import made_on
from quality_runs import RESULTS

import smartrisk as sr
from smartrisk.schema import DECISIONS, DECLARATIONS, MILESTONES, OUTCOMES
from smartrisk.statistics import EnforcementStatistics, enforcement
from smartrisk.validation import validate

#: Most CPU seconds for a million items, and most of the time of plain pandas.
MOST_SECONDS, MOST_RATIO = 6.0, 3.0
MILLION = 1_000_000


def make_tables(n_items: int) -> dict[str, pd.DataFrame]:
    """Return the tables of a world, validated."""
    world = sr.datasets.make_declarations(n_items, random_state=0)
    decisions = world.decisions()
    changed = decisions.sample(frac=0.005, random_state=0)
    kinds = {
        "declarations": (world.declarations, DECLARATIONS),
        "outcomes": (world.outcomes, OUTCOMES),
        "decisions": (decisions, DECISIONS),
        "milestones": (world.milestones(), MILESTONES),
    }
    tables = {name: validate(*pair) for name, pair in kinds.items()}
    overrides = changed[["declaration_id", "item_number"]].assign(channel="red")
    return {**tables, "overrides": overrides}


def compute(tables: dict[str, pd.DataFrame]) -> EnforcementStatistics:
    """Return all indicators by month and office."""
    return enforcement(
        tables["declarations"],
        tables["outcomes"],
        tables["decisions"],
        milestones=tables["milestones"],
        overrides=tables["overrides"],
        by=("month", "office"),
    )


def group(items: pd.DataFrame, n_tables: int) -> None:
    """Group items by month and office, once for each indicator table."""
    for _ in range(n_tables):
        month = items["lodged_at"].dt.to_period("M")
        items.groupby([month, "office"])["customs_value"].agg(["size", "sum"])


def least_time(repeats: int, work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some repeats."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def main() -> int:
    """Measure both, and store the figures; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=MILLION)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    tables = make_tables(asked.items)
    frame = compute(tables).frame()
    there = frame[~frame["reason"].str.startswith("absent")]
    n_tables = int(there["indicator"].nunique())
    ours = least_time(asked.repeats, lambda: compute(tables))
    plain = least_time(asked.repeats, lambda: group(tables["declarations"], n_tables))
    right = ours <= MOST_SECONDS * asked.items / MILLION and ours <= MOST_RATIO * plain
    row = {
        "n_items": asked.items,
        "indicator_tables": n_tables,
        "absent": int(frame["indicator"].nunique()) - n_tables,
        "enforcement_cpu_seconds": round(ours, 2),
        "pandas_cpu_seconds": round(plain, 2),
        "ratio": round(ours / plain, 3),
        "reached": right,
        **made_on(),
    }
    print(pd.Series(row).to_string())
    path = RESULTS / "enforcement_speed.csv"
    pd.DataFrame([row]).to_csv(path, index=False)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
