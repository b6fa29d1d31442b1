"""The command ``benchmark``: the engine next to the methods of the literature."""

from __future__ import annotations

import time
from pathlib import Path

from smartrisk.artefact import write_file
from smartrisk.benchmark import MEASURES, BenchmarkResult, markdown_page, run_benchmark
from smartrisk.cli._messages import print_message
from smartrisk.cli._table_words import print_table
from smartrisk.cli._terminal import print_line
from smartrisk.datasets import SCENARIOS
from smartrisk.progress import track_messages

#: Scenarios, items and seeds of a run that ends within some minutes.
_QUICK_SCENARIOS = ("national", "drift")
_QUICK_ITEMS = 20_000
_QUICK_SEEDS = 2


def benchmark(
    *,
    quick: bool,
    scenarios: str | None,
    items: int,
    seeds: int,
    kcs: str | None,
    out: str | None,
) -> int:
    """Run the benchmark, show its table, and write it when asked."""
    start = time.perf_counter()
    with track_messages("benchmark") as report:

        def report_task(task: str, seed: int, name: str, spent: float) -> None:
            report(f"{task}, seed {seed}: {name} ({spent:.1f} s)")

        result = run_benchmark(
            _QUICK_SCENARIOS if quick else _split_names(scenarios),
            n_items=_QUICK_ITEMS if quick else items,
            n_seeds=_QUICK_SEEDS if quick else seeds,
            kcs=kcs,
            progress=report_task,
        )
    seconds = time.perf_counter() - start
    _print_result(result, seconds)
    if out is not None:
        text = markdown_page(result, _format_command(quick, scenarios, kcs), seconds)
        path = write_file(Path(out), lambda draft: draft.write_text(text, "utf-8"))
        print_message("cli.benchmark_table", "table: {path}", path=path)
    return 0


def _split_names(text: str | None) -> tuple[str, ...]:
    """Return the scenarios of a comma-separated text, all by default."""
    return tuple(text.split(",")) if text else tuple(SCENARIOS)


def _print_result(result: BenchmarkResult, seconds: float) -> None:
    """Show the means of each task and contender."""
    columns = ["task", "contender", *MEASURES, "fit_seconds", "score_seconds"]
    print_table(result.summary()[columns].round(3))
    print_line()
    n_results = len(result.frame())
    print_message(
        "cli.benchmark_done",
        "{n_results} results in {seconds} s. Precision and revenue at 5 %.",
        n_results=n_results,
        seconds=f"{seconds:.0f}",
    )


def _format_command(quick: bool, scenarios: str | None, kcs: str | None) -> str:
    """Return the command that makes the page again, without the caller's paths."""
    words = ["smartrisk benchmark"]
    words += ["--quick"] if quick else []
    words += [f"--scenarios {scenarios}"] if scenarios else []
    words += ["--kcs PATH"] if kcs else []
    return " ".join(words)
