"""How fast, and how much memory: as ratios to named references in the same run.

Run ``python benchmarks/speed.py [--items 1000000]`` (extra ``bench``; a few minutes).
History features against numpy, pandas, Polars and DuckDB, all from the same pandas
frame, which must give the same numbers; fitting, scoring and one item against LightGBM
alone. Every measurement has a process of its own and two threads. Prints two tables and
writes them to ``benchmarks/results/speed_history.csv`` and ``speed_engine.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("POLARS_MAX_THREADS", "2")

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import history
import lightgbm as lgb
import numpy as np
import pandas as pd
import psutil

import smartrisk as sr

JOBS = 2
WARM = 2_000  # items of the rehearsal that loads code
TECHNIQUES: dict[str, tuple[Callable[..., list[np.ndarray]], int]] = {
    "smartrisk": (history.by_smartrisk, JOBS),
    "smartrisk, one thread": (history.by_smartrisk, 1),
    "numpy, packed sort": (history.by_numpy, 1),
    "numpy, packed sort, two threads": (history.by_numpy, JOBS),
    "pandas, vectorised": (history.by_pandas, 1),
    "Polars, as-of joins": (history.by_polars, JOBS),
    "DuckDB, windows": (history.by_duckdb, JOBS),
}


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return wall time and result of a call."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def median_ms(function: Callable[[], Any], repeats: int = 200) -> float:
    """Return the median time of a call in milliseconds."""
    function()
    return 1e3 * statistics.median(seconds(function)[0] for _ in range(repeats))


class Peak:
    """Most memory of this process above where it stood, in megabytes."""

    def __enter__(self) -> Peak:
        self._status = Path("/proc/self/status")
        if self._status.exists():
            Path("/proc/self/clear_refs").write_text("5")
        self._before = psutil.Process().memory_info().rss
        return self

    def __exit__(self, *_: object) -> None:
        self.megabytes = float("nan")  # only Linux reports it
        if self._status.exists():
            lines = self._status.read_text().splitlines()
            high = next(line for line in lines if line.startswith("VmHWM"))
            self.megabytes = (int(high.split()[1]) * 1024 - self._before) / 1e6


def run_technique(name: str, n_items: int, place: Path) -> dict[str, float]:
    """Make the features once, after a rehearsal, and write them down."""
    function, jobs = TECHNIQUES[name]

    def work(size: int) -> Callable[[], list[np.ndarray]]:
        items, hits = history.table(size)
        if function is history.by_smartrisk:
            return lambda: function(items, hits, jobs)
        return lambda: function(history.plain(items, hits), jobs)

    work(WARM)()
    job = work(n_items)
    cpu = time.process_time()
    with Peak() as peak:
        took, columns = seconds(job)
    spent = time.process_time() - cpu
    np.save(place, np.stack(columns))
    return {"seconds": took, "cpu_seconds": spent, "peak_mb": peak.megabytes}


def run_engine(n_items: int) -> list[dict[str, Any]]:
    """Measure an engine against the booster inside it."""
    _one_line(WARM)
    world = sr.datasets.make_declarations(n_items, random_state=0)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    del world
    with Peak() as peak:
        fit, engine = seconds(
            lambda: sr.RiskEngine(n_jobs=JOBS).fit(split.past, split.known)
        )
    table = split.past.memory_usage(deep=True).sum() / 1e6
    model = engine.classifier_
    rows = [("peak memory of engine.fit, MB", peak.megabytes, "input table", table, 4)]
    matrix, y = _labelled(engine, split)
    members = [member for member in model.members_ if member.n_trees]

    def train() -> None:
        for member in members:
            params = dict(member.booster.params, num_threads=JOBS, verbosity=-1)
            lgb.train(params, lgb.Dataset(matrix, y), member.n_trees)

    raw, _ = seconds(train)
    rows.insert(0, ("engine.fit, s", fit, "lightgbm.train, same trees", raw, 2.5))
    score, _ = seconds(lambda: engine.score(split.later))
    build, later = seconds(lambda: np.asarray(engine.features_.transform(split.later)))
    predict, _ = seconds(
        lambda: [m.booster.predict(later, num_threads=JOBS) for m in members]
    )
    both = build + predict
    rows.append(("engine.score, s", score, "features and prediction", both, 2))
    rows += _one_item(engine, split.later, later)
    return [
        dict(zip(("what", "ours", "reference", "theirs", "target"), row, strict=True))
        for row in rows
    ]


def _one_item(
    engine: Any, items: pd.DataFrame, matrix: np.ndarray
) -> list[tuple[Any, ...]]:
    boosters = [m.booster for m in engine.classifier_.members_ if m.n_trees]
    item, row = items.iloc[0].to_dict(), matrix[:1].copy()
    some, block = items.head(1000), matrix[:1000].copy()

    def contributions(part: np.ndarray) -> Any:
        return [b.predict(part, pred_contrib=True, num_threads=1) for b in boosters]

    def probabilities(part: np.ndarray) -> Any:
        return [b.predict(part, num_threads=1) for b in boosters]

    score = median_ms(lambda: engine.score_one(item))
    explained = median_ms(lambda: engine.explain_one(item).sentences())
    alone = median_ms(lambda: contributions(row))
    predicted = median_ms(lambda: probabilities(row))
    many = median_ms(lambda: engine.explain(some).sentences(), 5)
    bare = median_ms(lambda: contributions(block), 5)
    return [
        (
            "engine.score_one, ms",
            score,
            f"2 ms (Booster.predict: {predicted:.2f} ms)",
            2.0,
            1,
        ),
        (
            "engine.explain_one with sentences, ms",
            explained,
            "pred_contrib of one row",
            alone,
            2,
        ),
        (
            "engine.explain of 1,000 with sentences, ms",
            many,
            "pred_contrib of them",
            bare,
            2,
        ),
    ]


def _one_line(n_items: int) -> None:
    """Rehearse, so that loading code is not timed."""
    world = sr.datasets.make_declarations(n_items, random_state=1)
    engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    engine.explain(world.declarations.head(3)).sentences()


def _labelled(engine: Any, split: Any) -> tuple[np.ndarray, np.ndarray]:
    labelled = split.past.merge(
        split.known[["declaration_id", "item_number", "illicit"]]
    )
    y = labelled.pop("illicit").to_numpy(float)
    return np.asarray(engine.features_.transform(labelled)), y


def in_a_process(*arguments: str) -> Any:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare_history(n_items: int, rounds: int) -> pd.DataFrame:
    """Measure every technique in turn, and check that all give the same numbers."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.npy", Path(folder) / "theirs.npy"
        for turn in range(rounds):
            for number, name in enumerate(TECHNIQUES):
                place = theirs if number else ours
                order = ["--technique", name, "--items", str(n_items)]
                found = in_a_process(*order, "--place", str(place))
                rows.append({"technique": name, **found})
                if number and turn == 0:
                    check_equal(name, np.load(ours), np.load(theirs))
    table = pd.DataFrame(rows).groupby("technique", sort=False).median().reset_index()
    first = table.iloc[0]
    table["ratio"] = table["seconds"] / first["seconds"]
    table["cpu_ratio"] = table["cpu_seconds"] / first["cpu_seconds"]
    return table.assign(items=n_items, rounds=rounds)


def check_equal(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Raise unless two techniques agree; prices are rounded to 1/4096 by ours."""
    for number, (left, right) in enumerate(zip(ours, theirs, strict=True)):
        close = np.isclose(left, right, rtol=1e-3, atol=1e-3, equal_nan=True)
        if not close.all():
            raise AssertionError(
                f"{name}: feature {number} differs for {int((~close).sum())} items"
            )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--technique", choices=list(TECHNIQUES), help=argparse.SUPPRESS)
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.technique:
        print(json.dumps(run_technique(asked.technique, asked.items, asked.place)))
        return
    if asked.engine:
        print(json.dumps(run_engine(asked.items)))
        return
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    techniques = compare_history(asked.items, asked.rounds)
    print(techniques.round(2).to_string(index=False), end="\n\n", flush=True)
    techniques.to_csv(results / "speed_history.csv", index=False)
    engine = pd.DataFrame(in_a_process("--engine", "--items", str(asked.items)))
    engine.insert(4, "ratio", engine["ours"] / engine["theirs"])
    engine["items"] = asked.items
    print(engine.round(2).to_string(index=False))
    engine.to_csv(results / "speed_engine.csv", index=False)


if __name__ == "__main__":
    main()
