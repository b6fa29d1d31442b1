"""What an update of the history is worth, beside fitting again.

``python benchmarks/updates.py`` prints the table of docs/guide/saving.md: average
precision on the last fifth of the items, judged by the truth of all of them.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pandas as pd
from sklearn.metrics import average_precision_score

import smartrisk as sr


def moment(declarations, share):
    """Return the day before which this share of the items was lodged."""
    return declarations["lodged_at"].quantile(share).normalize()


def compare(seed, n_items, scenario):
    """Return the average precision of each way to keep an engine current."""
    world = sr.datasets.make_declarations(n_items, scenario=scenario, random_state=seed)
    items, results = world.declarations, world.outcomes
    first, last = (
        sr.windows.as_of(items, results, moment(items, share)) for share in (0.6, 0.8)
    )
    later = items[items["lodged_at"] >= moment(items, 0.8)]
    truth = sr.items.join_by_key(later, world.full_outcomes(), ["illicit"])["illicit"]

    def fit(snapshot):
        return sr.RiskEngine(random_state=0).fit(snapshot.past, snapshot.known)

    ways = {
        "as fitted": fit(first),
        "updated with items": fit(first).update(items),
        "with items and results": fit(first).update(items, results),
        "fitted again": fit(last),
        "fitted again, then updated": fit(last).update(items, results),
    }
    return {
        name: average_precision_score(truth, engine.score(later)["risk_score"])
        for name, engine in ways.items()
    }


def cpu_seconds(function):
    """Return the CPU time that a call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


def measure_costs(n_items):
    """Return the CPU seconds of fit, of updates of 100 items, and of scores."""
    world = sr.datasets.make_declarations(n_items, random_state=0)
    split = sr.windows.time_split(world.declarations, world.outcomes, later_share=0.05)
    engine = sr.RiskEngine(random_state=0, n_jobs=1)
    probe = split.later.tail(100)
    costs = {"fit": [cpu_seconds(lambda: engine.fit(split.past, split.known))]}
    engine.score(probe)
    for number in range(0, 900, 100):
        new = split.later.iloc[number : number + 100]
        costs.setdefault("update", []).append(
            cpu_seconds(lambda n=new: engine.update(n))
        )
        for name in ("first score", "second score"):
            costs.setdefault(name, []).append(cpu_seconds(lambda: engine.score(probe)))
    return {name: statistics.median(values) for name, values in costs.items()}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--scenario", default="national")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--costs", action="store_true")
    asked = parser.parse_args()
    if asked.costs:
        costs = measure_costs(asked.items)
        print(pd.Series(costs, name=f"{asked.items:,} items").round(4).to_string())
        return
    rows = {
        seed: compare(seed, asked.items, asked.scenario) for seed in range(asked.seeds)
    }
    print(pd.DataFrame(rows).T.rename_axis("seed").round(3).to_string())


if __name__ == "__main__":
    main()
