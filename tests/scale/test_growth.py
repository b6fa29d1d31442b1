"""Decisions on files, and merges of tables, grow as what they read does.

In CPU time of this process.
"""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.scale._executors import Loop
from smartrisk.scale._merging import merge_runs, open_tables
from smartrisk.scale._runs import write_run

FEW, MANY = 150_000, 600_000
#: One is linear: reading, hashing of keys and writing are, and the sorts are few. Fewer
#: items fit the caches of a processor, which made 1.14 between 50,000 and 200,000.
#: A step that compares all pairs has 2.
MOST_EXPONENT = 1.1
N_RUNS = 3


def write(folder, n_items):
    """Write scores and items of so many items, in files of 150,000."""
    rng = np.random.default_rng(0)
    names = [f"D{number:07d}" for number in rng.permutation(n_items)]
    keys = pd.DataFrame({"declaration_id": names, "item_number": 1})
    scores = keys.assign(
        risk_score=rng.random(n_items), expected_revenue=rng.lognormal(5, 2, n_items)
    )
    moment = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n_items), "s")
    items = keys.assign(lodged_at=moment, office=rng.choice(list("ABCD"), n_items))
    items["lodged_at"] = items["lodged_at"].astype("datetime64[us]")
    for name, table in (("scores", scores), ("items", items)):
        place = folder / name
        place.mkdir(parents=True)
        for start in range(0, n_items, FEW):
            part = table.iloc[start : start + FEW]
            part.to_parquet(place / f"{start:07d}.parquet", index=False)


@pytest.mark.slow
def test_select_grows_as_the_number_of_items(tmp_path, capsys):
    policy = sr.selectivity.Policy(capacity=0.05, per=("office",))
    least = {}
    for size in (FEW, MANY):
        write(tmp_path / str(size), size)
    for run in range(N_RUNS):
        for size in (FEW, MANY):
            folder = tmp_path / str(size)
            start = time.process_time()
            sr.scale.select(
                folder / "scores",
                folder / "items",
                folder=folder / f"decisions_{run}",
                policy=policy,
            )
            seconds = time.process_time() - start
            least[size] = min(least.get(size, math.inf), seconds)
    exponent = math.log(least[MANY] / least[FEW]) / math.log(MANY / FEW)
    with capsys.disabled():
        few, many = least[FEW], least[MANY]
        print(f"\nselect: {few:.2f} and {many:.2f} s, exponent {exponent:.2f}")
    assert exponent < MOST_EXPONENT


#: Highest exponent of merging: 1.2 on an idle machine, as the system clears more pages
#: for larger tables; 1.5 and more where ranges grow with the table.
MOST_MERGING = 1.35
#: Pieces to merge, and the entries of each.
FEW_RUNS, MANY_RUNS, N_ENTRIES = 24, 96, 100_000


def write_runs(folder, n_runs):
    """Write tables of so many pieces, of which some entries are in several."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**64, n_runs * N_ENTRIES // 3, np.uint64)
    runs = []
    for number in range(n_runs):
        ids = rng.choice(values, N_ENTRIES)
        day = rng.integers(45_000, 45_700, N_ENTRIES).astype(np.int32)
        order = np.lexsort((day, ids))
        n = np.ones(N_ENTRIES, np.int64)
        table = {"id": ids[order], "day": day[order], "n": n, "hits": n}
        runs.append(write_run(folder / f"{number}.bin", {"history.items.a": table}))
    return runs


@pytest.mark.slow
def test_merging_grows_as_the_number_of_entries(tmp_path, capsys):
    least = {}
    for size in (FEW_RUNS, MANY_RUNS):
        runs = write_runs(tmp_path / str(size), size)
        for turn in range(N_RUNS):
            place = tmp_path / f"{size}-{turn}"
            place.mkdir()
            start = time.process_time()
            made = open_tables(merge_runs(Loop(), runs, place, 2**30), place)
            seconds = time.process_time() - start
            least[size] = min(least.get(size, math.inf), seconds)
            assert made["history.items.a"].table.totals["n"][-1] == size * N_ENTRIES
    few, many = least[FEW_RUNS], least[MANY_RUNS]
    exponent = math.log(many / few) / math.log(MANY_RUNS / FEW_RUNS)
    with capsys.disabled():
        print(f"\nmerging: {few:.2f} and {many:.2f} s, exponent {exponent:.2f}")
    assert exponent < MOST_MERGING
