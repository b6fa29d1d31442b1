"""The closed loop: what exploration costs, and what it brings when the world changes.

Run ``python benchmarks/closed_loop.py [--scenarios drift,stable] [--items 60000]
[--seeds 5] [--jobs 2]``. From the seventh month on each policy decides on a tenth of
the items and learns from what it has found itself; a bound learns from the truth of
every past item. Judged by the truth of the last six months.
Writes ``benchmarks/results/closed_loop.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import time
from pathlib import Path

import pandas as pd

import smartrisk as sr
from smartrisk.selectivity import Policy
from smartrisk.simulation import Arm, close_loop

CAPACITY = 0.1
LAST = 6


def arms() -> dict[str, Arm]:
    """Return what is compared."""

    def policy(share: float) -> Policy:
        return Policy(capacity=CAPACITY, random_share=share)

    rates = sr.models.SmoothedRateSum()
    return {
        "exploit only": Arm(policy=policy(0.0)),
        "10 % random": Arm(policy=policy(0.1)),
        "20 % random": Arm(policy=policy(0.2)),
        "smoothed rates, 10 % random": Arm(policy=policy(0.1), contender=rates),
        "all truths": Arm(policy=policy(0.0), knows_all=True),
    }


def main() -> None:
    """Run the scenarios and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", default="drift,stable")
    parser.add_argument("--items", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    tables = []
    for name in given.scenarios.split(","):
        start = time.perf_counter()
        worlds = [
            sr.datasets.make_declarations(given.items, random_state=s, scenario=name)
            for s in range(given.seeds)
        ]
        result = close_loop(arms(), worlds, start=6, n_jobs=given.jobs)
        print(f"\n{name} ({time.perf_counter() - start:.0f} s), all months, last six:")
        print(result.total().round(3).to_string(index=False))
        print(result.total(last=LAST).round(3).to_string(index=False))
        for one, other in (
            ("10 % random", "exploit only"),
            ("exploit only", "all truths"),
            ("10 % random", "all truths"),
            ("20 % random", "all truths"),
        ):
            print(f"{one} to {other}:")
            print(result.compare(one, other, last=LAST).round(3).to_string(index=False))
        tables.append(result.frame().assign(scenario=name))
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    pd.concat(tables).round(4).to_csv(folder / "closed_loop.csv", index=False)


if __name__ == "__main__":
    main()
