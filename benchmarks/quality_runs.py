"""Worlds measured one by one in processes; a run that was stopped goes on.

The rows of a world are appended to a CSV at once when it is done. A world whose rows
are there is not measured again, so that a figure never depends on where a run was
stopped. Remove the file to measure again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import smartrisk as sr

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TABLES = ROOT / "docs" / "tables"


class World(NamedTuple):
    """What names a world: the scenario, the items and the seed."""

    scenario: str
    n_items: int
    seed: int


def run(
    worlds: Iterable[World],
    measure: Callable[..., list[dict[str, Any]]],
    path: Path,
    *,
    processes: int = 2,
    seconds: float | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Measure the worlds that a file lacks, and return its rows.

    Parameters
    ----------
    worlds : iterable of World
        In the order in which they are measured.
    measure : callable
        Function of a world and options that returns rows; it is the same in every
        process, so it is one of a module.
    path : Path
        The CSV.
    processes : int, default=2
        Processes; 1 measures in this one.
    seconds : float, default=None
        No world is begun after this time; None for no limit.
    **options
        Passed to `measure`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    done = _read_done(path)
    missing = [world for world in worlds if world not in done]
    start = time.monotonic()
    jobs = [(measure, world, options, seconds, time.time()) for world in missing]
    if processes == 1:
        for job in jobs:
            _append(path, _measure(job), start)
    elif jobs:
        # Fresh processes: threads of LightGBM do not survive a fork.
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for rows in pool.imap_unordered(_measure, jobs):
                _append(path, rows, start)
    return read_rows(path)


def read_rows(path: Path) -> pd.DataFrame:
    """Return all rows of a file, sorted, whatever order the worlds were done in."""
    table = pd.read_csv(path)
    return table.sort_values(list(World._fields), kind="stable", ignore_index=True)


def write_page(name: str, lines: list[str]) -> Path:
    """Write a table of the documentation."""
    path = TABLES / f"{name}.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def markdown(table: pd.DataFrame) -> list[str]:
    """Return the lines of a table."""
    head = [f"| {' | '.join(map(str, table.columns))} |", "|---" * table.shape[1] + "|"]
    return head + [f"| {' | '.join(map(str, row))} |" for row in table.to_numpy()]


def parse(
    description: str,
    name: str,
    *,
    items: Iterable[int],
    seeds: int = 5,
    first: int = 100,
    scenarios: Iterable[str] | None = None,
) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks of worlds have.

    Parameters
    ----------
    description : str
        Text whose first line is shown.
    name : str
        Name of the program, of its CSV and of its page.
    items : iterable of int
        Usual sizes of the worlds.
    seeds, first : int, default=5 and 100
        Usual number of seeds, and the first of them.
    scenarios : iterable of str, default=None
        Usual scenarios; None for those of both families that have a name.
    """
    if scenarios is None:
        scenarios = (*sr.datasets.SCENARIOS, *sr.datasets.INDEPENDENT_SCENARIOS)
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.set_defaults(name=name)
    commas = "separated by commas"
    parser.add_argument("--items", type=_read_sizes, default=[*items], help=commas)
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--first-seed", type=int, default=first)
    parser.add_argument(
        "--scenarios", type=_read_names, default=[*scenarios], help=commas
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=None, help="begin none after")
    parser.add_argument("--results", type=Path, default=RESULTS / f"{name}.csv")
    parser.add_argument("--summary", action="store_true", help="of the rows there are")
    return parser


def list_worlds(asked: argparse.Namespace) -> list[World]:
    """Return a world of each size, seed and scenario that the command line asks for.

    Scenarios change first, so that a run that was stopped has all of them.
    """
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    return [
        World(scenario, n_items, seed)
        for n_items in asked.items
        for seed in seeds
        for scenario in asked.scenarios
    ]


def run_asked(
    asked: argparse.Namespace,
    worlds: Iterable[World],
    measure: Callable[..., list[dict[str, Any]]],
    **options: Any,
) -> pd.DataFrame:
    """Measure worlds as the command line asks, none for a summary; return all rows."""
    return run(
        [] if asked.summary else worlds,
        measure,
        asked.results,
        processes=asked.processes,
        seconds=None if asked.minutes is None else 60 * asked.minutes,
        **options,
    )


def publish(asked: argparse.Namespace, about: str, lines: list[str]) -> None:
    """Print a page; write it where the rows are those of the documentation."""
    made = f"`python benchmarks/{asked.name}.py`, smartrisk {sr.__version__}: {about}"
    lines = [made, "", *lines]
    if asked.results == RESULTS / f"{asked.name}.csv":
        write_page(asked.name, lines)
    sys.stdout.write("\n".join(lines) + "\n")


def _read_names(text: str) -> list[str]:
    """Return names that are separated by commas."""
    return text.split(",")


def _read_sizes(text: str) -> list[int]:
    """Return whole numbers that are separated by commas."""
    return [int(part) for part in text.split(",")]


def _read_done(path: Path) -> set[World]:
    """Return the worlds whose rows a file has."""
    if not path.exists():
        return set()
    table = pd.read_csv(path, usecols=list(World._fields))
    return {World(*row) for row in table.drop_duplicates().itertuples(index=False)}


def _measure(job: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return the rows of a world; none when the time is over."""
    measure, world, options, seconds, begun = job
    if seconds is not None and time.time() - begun > seconds:
        return []
    start = time.process_time()
    rows = measure(world, **options)
    spent = time.process_time() - start
    return [
        {**world._asdict(), **row, "world_seconds": round(spent, 2)} for row in rows
    ]


def _append(path: Path, rows: list[dict[str, Any]], start: float) -> None:
    """Write the rows of a world at the end of a file, in one piece."""
    if not rows:
        return
    table = pd.DataFrame(rows)
    new = not path.exists()
    if not new:
        table = table.reindex(columns=pd.read_csv(path, nrows=0).columns)
    text = table.to_csv(index=False, header=new, float_format="%.6g")
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    first, spent = rows[0], rows[0]["world_seconds"]
    sys.stdout.write(
        f"{time.monotonic() - start:6.0f} s: {first['scenario']}, {first['n_items']} "
        f"items, seed {first['seed']}: {spent:.1f} CPU s\n"
    )
    sys.stdout.flush()
