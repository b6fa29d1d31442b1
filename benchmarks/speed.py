"""How fast: fit, score and one item, as ratios to LightGBM alone in the same run.

Run ``python benchmarks/speed.py [--items 1000000]``; prints a table and writes it to
``benchmarks/results/speed.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

import smartrisk as sr


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return wall time and result of a call."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def median_ms(function: Callable[[], Any], repeats: int = 200) -> float:
    """Return the median time of a call in milliseconds."""
    return 1e3 * statistics.median(seconds(function)[0] for _ in range(repeats))


def measure(n_items: int) -> pd.DataFrame:
    """Measure an engine against the booster inside it."""
    world = sr.datasets.make_declarations(n_items, random_state=0)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    rows: list[tuple[str, float, str, float]] = []
    fit, engine = seconds(lambda: sr.RiskEngine(n_jobs=2).fit(split.past, split.known))
    model = engine.classifier_
    labelled = split.past.merge(
        split.known[["declaration_id", "item_number", "illicit"]]
    )
    y = labelled.pop("illicit").to_numpy(float)
    matrix = np.asarray(engine.features_.transform(labelled))
    params = dict(model.booster_.params, num_threads=2, verbosity=-1)
    raw, _ = seconds(lambda: lgb.train(params, lgb.Dataset(matrix, y), model.n_trees_))
    rows.append(("engine.fit", fit, "lightgbm.train, same trees", raw))
    score, _ = seconds(lambda: engine.score(split.later))
    build, later = seconds(lambda: np.asarray(engine.features_.transform(split.later)))
    predict, _ = seconds(lambda: model.booster_.predict(later, num_threads=2))
    rows.append(("engine.score", score, "features and raw prediction", build + predict))
    item = split.later.iloc[0].to_dict()
    row = later[:1]
    rows.append(
        (
            "engine.score_one, ms",
            median_ms(lambda: engine.score_one(item)),
            "Booster.predict of one row, ms",
            median_ms(lambda: model.booster_.predict(row, num_threads=1)),
        )
    )
    table = pd.DataFrame(rows, columns=["what", "ours", "reference", "theirs"])
    return table.assign(ratio=table["ours"] / table["theirs"], items=n_items)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    table = measure(parser.parse_args().items)
    place = Path(__file__).parent / "results" / "speed.csv"
    place.parent.mkdir(exist_ok=True)
    table.to_csv(place, index=False)
    sys.stdout.write(table.round(3).to_string(index=False) + "\n")


if __name__ == "__main__":
    main()
