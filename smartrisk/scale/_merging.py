"""The tables of all pieces added up: in a tree, each table by ranges of identities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from smartrisk.features import add_tables, index_entries, recode_items
from smartrisk.items import UInt
from smartrisk.scale._executors import Executor
from smartrisk.scale._runs import (
    Arrays,
    GrowingFile,
    Run,
    join_ranges,
    join_tables,
    write_run,
)

#: Runs that are merged at once, 64 million items in pieces of the usual size: one level
#: of the tree writes every table once. Each range reads a slice of every run, and more
#: runs would make these slices small.
FAN_IN = 256
#: Entries of a range at most: what is sorted and reordered at once stays in the cache
#: of a processor, so that the cost of an entry does not grow with the table. Of 40
#: pieces, a million entries were sorted in .014 s, and in .029 s if all eight million
#: were one range.
_RANGE = 1 << 20
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """The tables of all items.

    Parameters
    ----------
    names : tuple of str
        All tables.
    run : Run
        Those that are complete.
    ranges : dict of str to list of Run
        Those of many sums, in ranges that follow each other: they are still to be
        indexed.
    """

    names: tuple[str, ...]
    run: Run
    ranges: dict[str, list[Run]]


def merge_runs(
    executor: Executor, runs: Sequence[Run], folder: Path, most_bytes: float
) -> Merged:
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
    while len(left) > FAN_IN:
        merged: list[Run] = []
        for at in range(0, len(left), FAN_IN):
            group = left[at : at + FAN_IN]
            prefix = f"level{level}-{at}"
            work = _Merge(runs=tuple(group), values={}, folder=folder, prefix=prefix)
            tables = _merge_group(executor, work, most_bytes)
            merged.append(join_tables(_join(work, *table) for table in tables))
            if level:  # those of the pieces belong to the caller
                _remove(group)
        left = merged
        level += 1
    work = _Merge(runs=tuple(left), values={}, folder=folder, prefix=f"level{level}")
    whole: list[Run] = []
    ranges: dict[str, list[Run]] = {}
    names: list[str] = []
    for place, name, parts in _merge_group(executor, work, most_bytes):
        names.append(name)
        if _is_indexed(name, parts):
            ranges[name] = parts
        else:
            whole.append(_join(work, place, name, parts))
    if level:
        _remove(left)
    return Merged(names=tuple(names), run=join_tables(whole), ranges=ranges)


def _remove(runs: Sequence[Run]) -> None:
    """Remove the files of runs that were merged."""
    for file in {file for run in runs for file in run.files()}:
        Path(file).unlink()


def _merge_group(
    executor: Executor, merge: _Merge, most_bytes: float
) -> Iterator[tuple[int, str, list[Run]]]:
    """Yield number, name and ranges of the tables of a few runs added up.

    Those of values come first.
    """
    runs = merge.runs
    names = list(dict.fromkeys(name for run in runs for name in run.tables))
    of_values = [name for name in names if name.startswith(_VALUES)]
    values: dict[str, UInt] = {}
    for place, name, parts in _merge_tables(executor, merge, of_values, 0, most_bytes):
        joined = _join(merge, place, name, parts)
        values[name.removeprefix(_VALUES)] = joined.read(name)["id"]
        yield place, name, [joined]
    others = [name for name in names if not name.startswith(_VALUES)]
    others.sort(key=lambda name: name != _ITEMS)  # repeated items are found first
    then = replace(merge, values=values)
    yield from _merge_tables(executor, then, others, len(of_values), most_bytes)


def _merge_tables(
    executor: Executor,
    merge: _Merge,
    names: Sequence[str],
    place: int,
    most_bytes: float,
) -> Iterator[tuple[int, str, list[Run]]]:
    """Yield number, name and ranges of the merged tables, one at a time."""
    tasks: list[_Range] = []
    for at, name in enumerate(names, place):
        own = [run for run in merge.runs if name in run.tables]
        size = sum(run.n_bytes(name) for run in own)
        n_entries = sum(run.n_entries(name) for run in own)
        n_ranges = max(
            math.ceil(_COPIES * size / most_bytes), math.ceil(n_entries / _RANGE), 1
        )
        tasks += [
            _Range(place=at, name=name, number=number, n_ranges=n_ranges)
            for number in range(n_ranges)
        ]
    parts: list[Run] = []
    for task, part in zip(tasks, executor.run(merge_range, merge, tasks), strict=True):
        parts.append(part)
        if len(parts) == task.n_ranges:
            yield task.place, task.name, parts
            parts = []


def _join(merge: _Merge, place: int, name: str, parts: Sequence[Run]) -> Run:
    """Return the ranges of a table as one, in one file."""
    if len(parts) == 1:
        return parts[0]
    joined = join_ranges(merge.folder / f"{merge.prefix}-{place:04d}.bin", name, parts)
    _remove(parts)
    return joined


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


def open_tables(merged: Merged, folder: Path) -> dict[str, Arrays]:
    """Return the tables of all items, those of many sums with their indexes on disk.

    The ranges of these are removed, because the indexes hold the same.
    """
    tables: dict[str, Arrays] = {}
    for place, name in enumerate(merged.names):
        if name not in merged.ranges:
            tables[name] = merged.run.read(name)
            continue
        parts = merged.ranges[name]
        write = partial(_new_file, folder / f"index-{place:04d}")
        tables[name] = index_entries((part.read_whole(name) for part in parts), write)
        _remove(parts)
    return tables


def _is_indexed(name: str, parts: Sequence[Run]) -> bool:
    """Return whether a table is one of many sums."""
    columns = parts[0].tables[name]
    n_entries = sum(part.n_entries(name) for part in parts)
    return "n" in columns and "day" in columns and n_entries >= _MANY


def _new_file(start: Path, name: str, kind: np.dtype[Any]) -> GrowingFile:
    """Return a growing column in a new file."""
    number = len(list(start.parent.glob(f"{start.name}-*.bin")))
    return GrowingFile(start.with_name(f"{start.name}-{number:02d}.bin"), kind)


def repeated_ids(merged: Merged) -> UInt:
    """Return the ids of the items that are there more than once, block by block."""
    ids = merged.run.read(_ITEMS)["id"]
    found = [np.zeros(0, np.uint64)]
    step = 1 << 20
    for start in range(0, len(ids), step):
        part = np.asarray(ids[start : start + step + 1])
        found.append(part[1:][part[1:] == part[:-1]])
    return np.unique(np.concatenate(found))
