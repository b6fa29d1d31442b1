"""How fast, and how much memory: as ratios to named references in the same run.

Run ``python benchmarks/speed.py [--items 1000000]`` (extra ``bench``; some minutes).
History features against numpy, pandas, Polars, DuckDB and a loop with numba, all from
the same pandas frame and at equal threads: every technique has a process of its own in
every round, and must give the numbers of the loop in each. Then the engine against
LightGBM alone, and how the times grow with the number of items. Each part writes
``benchmarks/results/speed_PART.json`` with its rounds, the date and the commit;
``--part`` names one of history, engine and growth. ``python benchmarks/speed_page.py``
writes the tables of ``docs/guide/speed.md`` from them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import ctypes
import gc
import importlib
import importlib.metadata
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import psutil

RESULTS = Path(__file__).parent / "results"
JOBS = 2
WARM = 2_000  # items of the rehearsal that loads code
#: Bytes for each item that are touched before a technique is measured: the neediest
#: takes 900 for each of a million items.
TOUCHED = 1_500
#: How often the steps on all items of the growth table are measured: the first of a
#: process still finds pages that nobody has touched, twice as long for the split.
REPEATS = 5
#: Packages whose versions the results state.
PACKAGES = ("numpy", "pandas", "numba", "polars", "duckdb", "lightgbm")


class Technique(NamedTuple):
    """A function of a module, and the setting of compiled loops of this library."""

    module: str
    function: str
    compiled: str = "0"
    most_threads: int = JOBS


REFERENCE = "numba, one loop per key"
FAST, PLAIN = "smartrisk with numba", "smartrisk"
#: The order of the table; the first is what the others must equal.
TECHNIQUES = {
    REFERENCE: Technique("history_numba", "by_numba"),
    FAST: Technique("history", "by_smartrisk", compiled="1"),
    PLAIN: Technique("history", "by_smartrisk"),
    "numpy, packed sort": Technique("history", "by_numpy"),
    "pandas, sort and cumsum": Technique("history", "by_pandas", most_threads=1),
    "Polars, codes and prefix sums": Technique("history_queries", "by_polars"),
    "DuckDB, codes and as-of join": Technique("history_queries", "by_duckdb"),
}


class Peak:
    """Most memory of this process above where it stood, in megabytes.

    What was freed before goes back to the system first: it would hide what is taken.
    """

    def __enter__(self) -> Peak:
        gc.collect()
        self._status = Path("/proc/self/status")
        if self._status.exists():
            if hasattr(ctypes.CDLL(None), "malloc_trim"):  # glibc
                ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")
        self._before = psutil.Process().memory_info().rss
        return self

    def __exit__(self, *_: object) -> None:
        self.megabytes = float("nan")  # only Linux reports it
        if self._status.exists():
            lines = self._status.read_text().splitlines()
            high = next(line for line in lines if line.startswith("VmHWM"))
            self.megabytes = (int(high.split()[1]) * 1024 - self._before) / 1e6


class Timer:
    """Wall and processor time of a block."""

    def __enter__(self) -> Timer:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu


def touch_memory(n_bytes: int) -> None:
    """Touch memory and free it, so that the next to ask finds it ready.

    A virtual machine may give free pages back to its host after some seconds. Whoever
    touches them first then waits ten times as long as the next (2.3 s and .18 s per GB
    on the machine of the stored results), which is no cost of a technique.
    """
    np.ones(n_bytes, np.uint8)


def cpu_ms(function: Callable[[], Any], repeats: int = 200) -> float:
    """Return the median processor time of a call in milliseconds."""
    function()
    times = []
    for _ in range(repeats):
        with Timer() as timer:
            function()
        times.append(1e3 * timer.cpu)
    return statistics.median(times)


def run_technique(name: str, threads: int, folder: Path) -> dict[str, float]:
    """Make the features once, after a rehearsal, and write them down."""
    from history import by_smartrisk, plain

    technique = TECHNIQUES[name]
    function = getattr(importlib.import_module(technique.module), technique.function)
    with (folder / "items.pickle").open("rb") as file:
        items, hits = pickle.load(file)

    def work(items: pd.DataFrame, hits: np.ndarray) -> list[np.ndarray]:
        if function is by_smartrisk:
            return function(items, hits, threads)
        return function(plain(items, hits), threads)

    work(items.head(WARM), hits[:WARM])
    if function is by_smartrisk:  # the rehearsal is too small for compiled loops
        from smartrisk.features import _compiled

        _compiled.kernels_for(len(items))
    touch_memory(TOUCHED * len(items))
    with Peak() as peak, Timer() as timer:
        columns = work(items, hits)
    np.save(folder / "features.npy", np.stack(columns))
    return {
        "seconds": timer.seconds,
        "cpu_seconds": timer.cpu,
        "peak_mb": peak.megabytes,
    }


def in_a_process(*arguments: str, **settings: str) -> Any:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | settings,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure_history(n_items: int, rounds: int) -> list[dict[str, Any]]:
    """Measure every technique in turn; all must give the same numbers in each round."""
    from history import table

    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (folder / "items.pickle").open("wb") as file:
            pickle.dump(table(n_items), file)
        for turn in range(rounds):
            reference = None
            for name, technique in TECHNIQUES.items():
                for threads in range(1, technique.most_threads + 1):
                    found = in_a_process(
                        *("--technique", name, "--threads", str(threads)),
                        *("--folder", place),
                        POLARS_MAX_THREADS=str(threads),
                        SMARTRISK_COMPILED=technique.compiled,
                    )
                    made = np.load(folder / "features.npy")
                    reference = made if reference is None else reference
                    check_equal(name, reference, made)
                    key = {"technique": name, "threads": threads, "round": turn}
                    rows.append({**key, **found})
                    print(rows[-1], file=sys.stderr)
    return rows


def check_equal(name: str, reference: np.ndarray, made: np.ndarray) -> None:
    """Raise unless a technique gives the numbers of the reference, in 32 bits."""
    for number, (left, right) in enumerate(zip(reference, made, strict=True)):
        close = np.isclose(left, right, rtol=1e-6, atol=1e-6, equal_nan=True)
        if not close.all():
            raise AssertionError(
                f"{name}: feature {number} differs for {int((~close).sum())} items"
            )


@contextmanager
def inside_lightgbm() -> Iterator[dict[str, float]]:
    """Note the trees that LightGBM trains, and the time inside these calls."""
    import lightgbm as lgb

    noted, train = {"trees": 0, "seconds": 0.0, "cpu": 0.0, "calls": 0}, lgb.train

    def timed(*args: Any, **options: Any) -> Any:
        with Timer() as timer:
            booster = train(*args, **options)
        noted["calls"] += 1
        noted["trees"] += booster.num_trees()
        noted["seconds"] += timer.seconds
        noted["cpu"] += timer.cpu
        return booster

    lgb.train = timed
    try:
        yield noted
    finally:
        lgb.train = train


def run_engine(n_items: int) -> list[dict[str, Any]]:
    """Measure an engine against the trees inside it."""
    import smartrisk as sr

    small = rehearse(sr)
    world = sr.datasets.make_declarations(n_items, random_state=0)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    del world
    with inside_lightgbm() as noted, Peak() as peak, Timer() as fit:
        engine = sr.RiskEngine(n_jobs=JOBS).fit(split.past, split.known)
    table = split.past.memory_usage(deep=True).sum() / 1e6
    grown, kept = int(noted["trees"]), engine.classifier_.n_trees_
    with Timer() as score:
        engine.score(split.later)
    with Timer() as parts:
        later = np.asarray(engine.features_.transform(split.later))
        engine.classifier_.predict_proba(later)
    rows: list[tuple[Any, ...]] = [
        (
            f"`engine.fit` of {len(split.past):,} items, CPU s",
            fit.cpu,
            "`lightgbm.train` inside it: the same trees on its own Datasets",
            noted["cpu"],
            grown,
        ),
        ("`engine.fit`, peak MB", peak.megabytes, "input table", table, grown),
        (
            f"`engine.score` of {len(split.later):,} items, CPU s",
            score.cpu,
            "features and probabilities",
            parts.cpu,
            kept,
        ),
        *_one_item(engine, split.later, later, kept),
        *_loads(engine, small, kept),
    ]
    names = ("what", "ours", "reference", "theirs", "trees")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _one_item(
    engine: Any, items: pd.DataFrame, matrix: np.ndarray, trees: int
) -> list[tuple[Any, ...]]:
    boosters = [m.booster for m in engine.classifier_.members_ if m.n_trees]
    item, row = items.iloc[0].to_dict(), matrix[:1].copy()
    some, block = items.head(1000), matrix[:1000].copy()

    def contributions(part: np.ndarray) -> Any:
        return [b.predict(part, pred_contrib=True, num_threads=1) for b in boosters]

    def probabilities() -> Any:
        return [b.predict(row, num_threads=1) for b in boosters]

    frame = items.head(1)
    record = json.loads(frame.to_json(orient="records", date_format="iso"))[0]
    predicted = cpu_ms(probabilities)
    alone = "`Booster.predict` of the finished row"
    transform = engine.features_.transform_one
    values = {n: v for n, v in item.items() if not pd.isna(v)}
    features = cpu_ms(lambda: transform(values))
    return [
        (
            "`engine.score_one` of a mapping, CPU ms",
            cpu_ms(lambda: engine.score_one(item)),
            alone,
            predicted,
            trees,
        ),
        (
            "`engine.score_one` of a JSON object, CPU ms",
            cpu_ms(lambda: engine.score_one(record)),
            alone,
            predicted,
            trees,
        ),
        (
            "`engine.score` of a table of one row, CPU ms",
            cpu_ms(lambda: engine.score(frame)),
            alone,
            predicted,
            trees,
        ),
        (
            "`engine.explain_one` with sentences, CPU ms",
            cpu_ms(lambda: engine.explain_one(item).sentences()),
            "`pred_contrib` of one row, and its features",
            cpu_ms(lambda: contributions(row)) + features,
            trees,
        ),
        (
            "`engine.explain` of 1,000 items with sentences, CPU ms",
            cpu_ms(lambda: engine.explain(some).sentences(), 3),
            "`pred_contrib` of them",
            cpu_ms(lambda: contributions(block), 3),
            trees,
        ),
    ]


def _loads(engine: Any, small: Any, trees: int) -> list[tuple[Any, ...]]:
    """Return what a load costs that maps its files, and one that reads all of them."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        engine.save(Path(place) / "engine")
        small.save(Path(place) / "small")
        for verify in ("first_use", "full"):
            found[verify] = in_a_process("--run", verify, "--folder", place)
    quick, full = found["first_use"], found["full"]
    loaded = '`RiskEngine.load(verify="first_use")`'
    alone = "`RiskEngine.load`, which reads and verifies everything"
    return [
        (f"{loaded}, CPU ms", quick["cpu_ms"], alone, full["cpu_ms"], trees),
        (f"{loaded}, MB", quick["mb"], alone, full["mb"], trees),
    ]


def run_load(folder: Path, verify: str) -> dict[str, float]:
    """Load an engine, after a small one which was used."""
    import smartrisk as sr

    few = sr.datasets.make_declarations(WARM, random_state=1).declarations.head(3)
    sr.RiskEngine.load(folder / "small").score(few)
    before = _anonymous_bytes()
    with Timer() as timer:
        engine = sr.RiskEngine.load(folder / "engine", verify=verify)
    taken = _anonymous_bytes() - before
    engine.score(few, guard="off")  # what was loaded is whole
    return {"cpu_ms": 1e3 * timer.cpu, "mb": taken / 1e6}


def _anonymous_bytes() -> float:
    """Return the memory of this process without mapped files; only Linux states it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines["RssAnon"].split()[0])


def rehearse(sr: Any) -> Any:
    """Load what is loaded at first use, so that it is not timed; return an engine."""
    world = sr.datasets.make_declarations(WARM, random_state=1)
    engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    engine.explain(world.declarations.head(3)).sentences()
    return engine


def run_growth(n_items: int) -> list[dict[str, Any]]:
    """Measure the steps on so many items, with a fixed number of trees."""
    import smartrisk as sr
    from smartrisk.models import RevenueRegressor, RiskClassifier

    rehearse(sr)
    world = sr.datasets.make_declarations(n_items, random_state=0)
    items = world.declarations.astype({"lodged_at": str})
    canonical, results = world.declarations, world.outcomes
    trees = RiskClassifier(100, members=("boosting",), validation_share=0.0, n_jobs=1)
    revenue = RevenueRegressor(50, n_jobs=1)
    engine = sr.RiskEngine(classifier=trees, regressor=revenue, n_jobs=1)
    history, later = canonical.iloc[:-WARM], canonical.iloc[-WARM:]
    steps: dict[str, Callable[[], Any]] = {
        "`validate`": lambda: sr.validation.validate(items, sr.schema.DECLARATIONS),
        "`time_split`": lambda: sr.windows.time_split(canonical, results),
        "`engine.fit`": lambda: engine.fit(canonical, results),
        "`engine.score` of all items": lambda: engine.score(canonical, guard="off"),
    }
    rows = []
    touch_memory(TOUCHED * n_items)
    for what, step in steps.items():
        times = []
        for _ in range(REPEATS):
            with inside_lightgbm() as noted, Timer() as timer:
                step()
            times.append(timer.cpu)
        seconds = statistics.median(times)
        rows.append({"what": what, "cpu_seconds": seconds, "trees": noted["trees"]})
    kept = engine.classifier_.n_trees_
    rows[-1]["trees"] = kept  # the scores read them
    item = later.iloc[0].to_dict()
    rows += [
        {
            "what": "`engine.score_one`",
            "cpu_seconds": cpu_ms(lambda: engine.score_one(item)) / 1e3,
            "trees": kept,
        },
        {
            "what": "`engine.explain_one`",
            "cpu_seconds": cpu_ms(lambda: engine.explain_one(item)) / 1e3,
            "trees": kept,
        },
    ]
    known = results[sr.items.are_among(results, history)]
    engine.fit(history, known)
    with Timer() as timer:
        engine.update(later)
    rows.append(
        {
            "what": f"`engine.update` of {WARM:,} items",
            "cpu_seconds": timer.cpu,
            "trees": 0,
        }
    )
    return rows


def repeat(part: str, sizes: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """Run a part in a process of its own, for every size in every round."""
    rows = []
    for turn in range(rounds):
        for n_items in sizes:
            found = in_a_process("--run", part, "--items", str(n_items))
            rows += [{"items": n_items, "round": turn, **row} for row in found]
            print(*rows[-len(found) :], sep="\n", file=sys.stderr)
    return rows


def conditions(n_items: int, rounds: int) -> dict[str, Any]:
    """Return when, from which commit and on what the figures were measured."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.check_output(command, text=True).strip()

    changed = git("status", "--porcelain", "--", ".", "../smartrisk")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": git("rev-parse", "--short", "HEAD") + ("+" if changed else ""),
        "items": n_items,
        "rounds": rounds,
        "processors": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def main() -> None:
    """Measure and write; in a process of its own, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=["history", "engine", "growth"])
    for hidden in ("technique", "run"):
        parser.add_argument(f"--{hidden}", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.technique:
        found = run_technique(asked.technique, asked.threads, asked.folder)
        print(json.dumps(found))
        return
    if asked.run:
        if asked.run in ("first_use", "full"):
            print(json.dumps(run_load(asked.folder, asked.run)))
            return
        run = {"engine": run_engine, "growth": run_growth}[asked.run]
        print(json.dumps(run(asked.items)))
        return
    measure: dict[str, Callable[[int, int], Any]] = {
        "history": measure_history,
        "engine": lambda n, rounds: repeat("engine", (n,), rounds),
        "growth": lambda n, rounds: repeat("growth", (3 * n // 10, n), rounds),
    }
    RESULTS.mkdir(exist_ok=True)
    for part in [asked.part] if asked.part else list(measure):
        known = conditions(asked.items, asked.rounds)
        rows = measure[part](asked.items, asked.rounds)
        text = json.dumps({**known, "rows": rows}, indent=1)
        (RESULTS / f"speed_{part}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
