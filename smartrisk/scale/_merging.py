"""The tables of all pieces added up: in a tree, each table by ranges of identities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features import add_tables, index_entries, recode_items
from smartrisk.items import UInt
from smartrisk.scale._executors import Executor
from smartrisk.scale._runs import (
    Arrays,
    Column,
    Run,
    join_ranges,
    join_tables,
    write_run,
)

#: Runs that are merged at once: each keeps a file open, and a thousand pieces take two
#: levels of the tree.
FAN_IN = 32
#: Bytes that merging takes for each byte of the tables: they are joined, ordered and
#: added up.
_COPIES = 5
#: Entries from which a table stays on disk: 65,536 take a megabyte or two.
_MANY = 1 << 16
_ITEMS, _VALUES = "register.items", "register.values."


@dataclass(frozen=True, kw_only=True, eq=False)
class _Merge:
    """Runs to merge, and the values of the columns of codes over all of them."""

    runs: tuple[Run, ...]
    values: dict[str, UInt]
    folder: Path
    prefix: str


@dataclass(frozen=True, kw_only=True)
class _Range:
    """One of some equal ranges of identities of one table."""

    place: int
    name: str
    number: int
    n_ranges: int


def merge_runs(
    executor: Executor, runs: Sequence[Run], folder: Path, most_bytes: float
) -> Run:
    """Return the tables of all runs added up.

    Parameters
    ----------
    executor : Executor
        Runs the merges of ranges.
    runs : sequence of Run
        The tables of parts.
    folder : Path
        Where merged tables are written.
    most_bytes : float
        Memory that a merge may take.
    """
    level = 0
    left = list(runs)
    while True:
        groups = [left[at : at + FAN_IN] for at in range(0, len(left), FAN_IN)]
        left = [
            _merge_group(executor, group, folder, f"level{level}-{number}", most_bytes)
            for number, group in enumerate(groups)
        ]
        if len(left) == 1:
            return left[0]
        level += 1


def _merge_group(
    executor: Executor,
    runs: Sequence[Run],
    folder: Path,
    prefix: str,
    most_bytes: float,
) -> Run:
    """Return the tables of a few runs added up, those of values first."""
    names = list(dict.fromkeys(name for run in runs for name in run.tables))
    of_values = [name for name in names if name.startswith(_VALUES)]
    first = _Merge(runs=tuple(runs), values={}, folder=folder, prefix=prefix)
    merged = list(_merge_tables(executor, first, of_values, 0, most_bytes))
    values = {
        name.removeprefix(_VALUES): run.read(name)["id"]
        for run in merged
        for name in run.tables
    }
    others = [name for name in names if not name.startswith(_VALUES)]
    others.sort(key=lambda name: name != _ITEMS)  # repeated items are found first
    then = _Merge(runs=tuple(runs), values=values, folder=folder, prefix=prefix)
    merged += _merge_tables(executor, then, others, len(of_values), most_bytes)
    return join_tables(merged)


def _merge_tables(
    executor: Executor,
    merge: _Merge,
    names: Sequence[str],
    place: int,
    most_bytes: float,
) -> Iterator[Run]:
    """Yield the merged tables, one at a time."""
    tasks: list[_Range] = []
    for at, name in enumerate(names, place):
        size = sum(run.n_bytes(name) for run in merge.runs if name in run.tables)
        n_ranges = max(math.ceil(_COPIES * size / most_bytes), 1)
        tasks += [
            _Range(place=at, name=name, number=number, n_ranges=n_ranges)
            for number in range(n_ranges)
        ]
    parts: list[Run] = []
    for task, part in zip(tasks, executor.run(merge_range, merge, tasks), strict=True):
        parts.append(part)
        if len(parts) < task.n_ranges:
            continue
        if len(parts) == 1:
            yield parts[0]
        else:
            path = merge.folder / f"{merge.prefix}-{task.place:04d}.bin"
            yield join_ranges(path, task.name, parts)
            for number in range(task.n_ranges):
                _path(merge, task.place, number).unlink()
        parts = []


def merge_range(merge: _Merge, task: _Range) -> Run:
    """Merge one range of one table, and write it."""
    parts = []
    for run in merge.runs:
        if task.name not in run.tables:
            continue
        part = run.read_range(task.name, task.number, task.n_ranges)
        if task.name == _ITEMS:
            own = {name: run.read(f"{_VALUES}{name}")["id"] for name in merge.values}
            part = recode_items(part, own, merge.values)
        parts.append(part)
    merged = add_tables(task.name, parts)
    return write_run(_path(merge, task.place, task.number), {task.name: merged})


def _path(merge: _Merge, place: int, number: int) -> Path:
    """Return where the range of a table is written."""
    return merge.folder / f"{merge.prefix}-{place:04d}-{number:05d}.bin"


def open_tables(run: Run, folder: Path) -> dict[str, Arrays]:
    """Return the tables of a run, those of many sums with their indexes on disk."""
    tables: dict[str, Arrays] = {}
    for place, (name, columns) in enumerate(run.tables.items()):
        found = tables[name] = run.read(name)
        if _is_indexed(columns):
            allocate = partial(_allocate, folder / f"index-{place:04d}")
            tables[name] = index_entries(found, allocate)
    return tables


def drop_indexed(run: Run) -> None:
    """Remove the files of tables whose indexes hold the same on disk."""
    for columns in run.tables.values():
        if _is_indexed(columns):
            Path(columns["id"].file).unlink()


def _is_indexed(columns: Mapping[str, Column]) -> bool:
    """Return whether a table is one of many sums."""
    return "n" in columns and "day" in columns and columns["id"].n >= _MANY


def _allocate(start: Path, name: str, n: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return an array in a new file, mapped into memory."""
    number = len(list(start.parent.glob(f"{start.name}-*.bin")))
    path = start.with_name(f"{start.name}-{number:02d}.bin")
    made: NDArray[Any] = np.memmap(path, kind, "w+", shape=(n,))
    return made


def repeated_ids(run: Run) -> UInt:
    """Return the ids of the items that are there more than once, block by block."""
    ids = run.read(_ITEMS)["id"]
    found = [np.zeros(0, np.uint64)]
    step = 1 << 20
    for start in range(0, len(ids), step):
        part = np.asarray(ids[start : start + step + 1])
        found.append(part[1:][part[1:] == part[:-1]])
    return np.unique(np.concatenate(found))
