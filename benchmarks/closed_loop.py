"""The closed loop: what exploration costs, and what it brings when the world changes.

Run ``python benchmarks/closed_loop.py [--scenarios drift,stable] [--items 40000]
[--seeds 5] [--jobs 2] [--arms "exploit only,all truths"]``. From the seventh
month on each policy decides on a tenth of the items and learns from what it has found
itself; a bound learns from the truth of every past item. Judged by the truth of the
last six months. What has ended is kept in ``benchmarks/results/closed_loop``: a run
that was interrupted resumes. Writes ``benchmarks/results/closed_loop.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import time
from pathlib import Path

import pandas as pd

import smartrisk as sr
from smartrisk.simulation import close_loop, standard_arms

CAPACITY = 0.1
LAST = 6


def main() -> None:
    """Run the scenarios and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", default="drift,stable")
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--arms", default=",".join(standard_arms()))
    given = parser.parse_args()
    wanted = {k: standard_arms(CAPACITY)[k] for k in given.arms.split(",")}
    folder = Path(__file__).parent / "results" / "closed_loop"
    tables = []
    for name in given.scenarios.split(","):
        start = time.perf_counter()
        worlds = [
            sr.datasets.make_declarations(given.items, random_state=s, scenario=name)
            for s in range(given.seeds)
        ]
        result = close_loop(wanted, worlds, start=6, n_jobs=given.jobs, folder=folder)
        print(f"\n{name} ({time.perf_counter() - start:.0f} s), all months, last six:")
        print(result.total().round(3).to_string(index=False))
        print(result.total(last=LAST).round(3).to_string(index=False))
        for one in wanted:
            for other in ("exploit only", "all truths"):
                if one != other and other in wanted:
                    found = result.compare(one, other, last=LAST).iloc[:1]
                    print(one, "to", other, found.round(3).to_string(header=False))
        tables.append(result.frame().assign(scenario=name))
    pd.concat(tables).round(4).to_csv(folder.parent / "closed_loop.csv", index=False)


if __name__ == "__main__":
    main()
