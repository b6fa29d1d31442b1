"""What an update of the history is worth, beside fitting again, and what it costs.

``python benchmarks/updates.py`` prints the table of docs/guide/saving.md: average
precision on the last fifth of the items, judged by the truth of all of them.

``python benchmarks/updates.py --growth 100000 1000000 3000000`` measures updates of
5,000 items and 500 results with so many items in the history, after a fit and after a
load, and checks that the tables are those of a fit of everything. It writes
``benchmarks/results/speed_updates.json``, and ``python benchmarks/speed_page.py`` the
table of docs/guide/speed.md from it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sklearn.metrics import average_precision_score
from speed import touch_memory

import smartrisk as sr
from smartrisk.models import RevenueRegressor, RiskClassifier

#: Items and results of an update, and how many updates follow each other.
N_NEW, N_RESULTS, N_UPDATES = 5_000, 500, 6
#: Trees of an engine whose updates are measured: an update reads none of them.
N_TREES = 10
#: Bytes that are touched before updates are measured, several times what they take.
TOUCHED = 1 << 30


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


def small_engine():
    """Return an engine that is trained quickly."""
    trees = RiskClassifier(N_TREES, members=("boosting",), validation_share=0.0)
    return sr.RiskEngine(
        classifier=trees,
        regressor=RevenueRegressor(N_TREES),
        n_jobs=1,
        random_state=0,
    )


def update_in_turn(engine, updates):
    """Return the CPU seconds of updates one after the other, and digests at the end."""
    touch_memory(TOUCHED)
    seconds = [cpu_seconds(lambda new=new: engine.update(*new)) for new in updates]
    return seconds, engine._state.history.digests()


def measure_growth(n_items):
    """Return what updates cost on this history, fitted and loaded."""
    n_later = N_UPDATES * N_NEW
    world = sr.datasets.make_declarations(n_items + n_later, random_state=0)
    items, outcomes = world.declarations, world.outcomes
    del world
    past = items.head(n_items)
    own = outcomes[sr.items.are_among(outcomes, past)].sort_values("known_at")
    late = own.tail(N_UPDATES * N_RESULTS)
    updates = []
    for number in range(N_UPDATES):
        first = n_items + number * N_NEW
        results = late.iloc[number * N_RESULTS : (number + 1) * N_RESULTS]
        updates.append((items.iloc[first : first + N_NEW], results))
    some = past.head(20_000)
    known = own[sr.items.are_among(own, some)]
    rehearsal = small_engine().fit(some, known.iloc[:-100])
    rehearsal.update(updates[0][0], known.tail(100))
    engine = small_engine().fit(past, own.iloc[: -len(late)])
    found = {}
    with tempfile.TemporaryDirectory() as place:
        engine.save(place + "/engine")
        found["fitted"] = update_in_turn(engine, updates)
        engine = sr.RiskEngine.load(place + "/engine")
        found["loaded"] = update_in_turn(engine, updates)
        del engine
    whole = small_engine().fit(items, own)._state.history.digests()
    return [
        {
            "history": name,
            "items": n_items,
            "update": number,
            "cpu_seconds": round(seconds, 4),
            "trees": N_TREES,
            "tables": len(whole),
            "tables_equal": sum(digests[table] == whole[table] for table in whole),
        }
        for name, (every, digests) in found.items()
        for number, seconds in enumerate(every)
    ]


def write_growth(sizes):
    """Measure every size in a process of its own, and write the results."""
    from speed import conditions

    rows = []
    asked = " ".join(map(str, sizes))
    command = {"command": f"python benchmarks/updates.py --growth {asked}"}
    known = conditions(max(sizes), 1) | command
    for n_items in sizes:
        command = [sys.executable, __file__, "--history", str(n_items)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows += json.loads(done.stdout.splitlines()[-1])
        print(*rows[-2 * N_UPDATES :], sep="\n", file=sys.stderr)
    path = Path(__file__).parent / "results" / "speed_updates.json"
    text = json.dumps({**known, "rows": rows}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--scenario", default="national")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--growth", type=int, nargs="+", metavar="ITEMS")
    parser.add_argument("--history", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if asked.growth:
        write_growth(asked.growth)
        return
    if asked.history:
        print(json.dumps(measure_growth(asked.history)))
        return
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
