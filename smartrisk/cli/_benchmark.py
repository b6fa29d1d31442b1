"""The command that runs the public benchmark."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from smartrisk.benchmark import MEASURES, page, run_benchmark
from smartrisk.cli._terminal import note, say, show
from smartrisk.datasets import SCENARIOS

_QUICK: dict[str, Any] = {
    "scenarios": ("national", "drift"),
    "n_items": 20_000,
    "n_seeds": 2,
}


def benchmark(asked: argparse.Namespace) -> int:
    """Run the benchmark, show its table, and write it where asked."""
    names = tuple(asked.scenarios.split(",")) if asked.scenarios else tuple(SCENARIOS)
    settings: dict[str, Any] = {
        "scenarios": names,
        "n_items": asked.items,
        "n_seeds": asked.seeds,
    }
    if asked.quick:
        settings = dict(_QUICK)
    start = time.perf_counter()
    scenarios = tuple(str(name) for name in settings.pop("scenarios"))
    result = run_benchmark(scenarios, **settings, kcs=asked.kcs, progress=_tell)
    seconds = time.perf_counter() - start
    table = result.summary()
    shown = ["task", "contender", *MEASURES, "fit_seconds", "score_seconds"]
    show(table[shown].round(3))
    say()
    say(
        f"{len(result.table)} results in {seconds:.0f} s. Precision and revenue at 5 %."
    )
    if asked.out is not None:
        words = ["smartrisk benchmark"]
        words += ["--quick"] if asked.quick else []
        words += [f"--scenarios {asked.scenarios}"] if asked.scenarios else []
        words += ["--kcs PATH"] if asked.kcs else []
        path = Path(asked.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(result, " ".join(words), seconds), encoding="utf-8")
        say(f"table: {path}")
    return 0


def _tell(task: str, seed: int, name: str, seconds: float) -> None:
    """Say what has been done, when a person is watching."""
    note(f"{task}, seed {seed}: {name} ({seconds:.1f} s)")
