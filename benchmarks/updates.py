"""What an update of the history is worth, beside fitting again.

``python benchmarks/updates.py`` prints the table of docs/guide/saving.md: average
precision on the last fifth of the items, judged by the truth of all of them.
"""

from __future__ import annotations

import argparse

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


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--scenario", default="national")
    parser.add_argument("--seeds", type=int, default=4)
    asked = parser.parse_args()
    rows = {
        seed: compare(seed, asked.items, asked.scenario) for seed in range(asked.seeds)
    }
    print(pd.DataFrame(rows).T.rename_axis("seed").round(3).to_string())


if __name__ == "__main__":
    main()
