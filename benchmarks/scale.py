"""Fits, updates, scores and decisions on Parquet files: equality, cost and memory.

``python benchmarks/scale.py equal --items 1000000`` compares the engine of a loop and
of a Dask cluster of two processes with the local one, in partitions by chance and by
time. ``python benchmarks/scale.py cost --items 1000000 10000000`` measures CPU s and
the peak of anonymous memory of each step, on items that are made and read in parts.
Both append to benchmarks/results/scale.csv, and ``python benchmarks/scale.py table``
writes docs/tables/scale.md from it.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import re
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from speed import touch_memory

import smartrisk as sr
from smartrisk.engine import _partitions
from smartrisk.selectivity import Policy

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "scale.csv"
TABLE = ROOT / "docs" / "tables" / "scale.md"
#: Items of a file, and of the worlds of which large datasets are made.
PART = 250_000
#: Share of the items that are added by the update.
LATER = 0.05
#: How often the short steps are measured: seconds are medians, the peak the highest.
#: One round of a step varies by a fifth and more on shared processors. Updates are
#: those of copies of one engine: what the first finds out about its tables, such as
#: their last days, the others know.
ROUNDS = {"select": 9, "update": 9}


class Peak:
    """Highest anonymous memory of this process, looked at every 20 ms."""

    def __init__(self):
        self.top = 0.0
        self.done = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.watch, daemon=True).start()

    @staticmethod
    def now():
        """Return the anonymous memory in GiB; pages of mapped files are left out."""
        text = Path("/proc/self/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 2**20

    def watch(self):
        """Note the highest value until the end."""
        while not self.done.wait(0.02):
            with self.lock:  # what is read before a `take` is not noted after it
                self.top = max(self.top, self.now())

    def take(self):
        """Return the highest value since the last call."""
        with self.lock:
            found, self.top = max(self.top, self.now()), self.now()
        return found


def note(rows):
    """Append rows to the results, and print them."""
    names = ("trial", "items", "step", "what", "value")
    RESULTS.parent.mkdir(exist_ok=True)
    is_new = not RESULTS.exists()
    with RESULTS.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(names)
        for row in rows:
            writer.writerow(row)
            print(*row, flush=True)


def write_parts(items, folder, part):
    """Write items as one file for each part."""
    folder.mkdir(parents=True)
    for number in np.unique(part):
        path = folder / f"part-{number:04d}.parquet"
        items[part == number].to_parquet(path, index=False)
    return folder


def is_same(found, wanted, probe):
    """Return what of two engines is equal."""
    one, two = (e.score(probe, guard="off") for e in (found, wanted))
    tables, others = (e._state.history.digests() for e in (found, wanted))
    texts = [e.classifier_.booster_texts() for e in (found, wanted)]
    texts += [{"": e.regressor_.booster_text()} for e in (found, wanted)]
    return {
        "tables equal": sum(tables[name] == others.get(name) for name in others),
        "tables": len(others),
        "model text": texts[0] == texts[1] and texts[2] == texts[3],
        "version": found.version_ == wanted.version_,
        "scores": bool(
            one.drop(columns="scored_at").equals(two.drop(columns="scored_at"))
        ),
    }


def compare(n_items, work):
    """Compare loop and cluster with the local engine, in two kinds of partitions."""
    from distributed import Client, LocalCluster

    world = sr.datasets.make_declarations(n_items, random_state=0)
    items = world.declarations
    wanted = sr.RiskEngine().fit(items, world.outcomes)
    probe = items.tail(50_000)
    n_parts = max(n_items // PART, 3)
    chance = np.random.default_rng(0).integers(0, n_parts, n_items)
    kinds = {"chance": chance, "time": np.arange(n_items) * n_parts // n_items}
    for kind, part in kinds.items():
        folder = write_parts(items, work / kind, part)
        for name in ("loop", "cluster"):
            client = cluster = None
            if name == "cluster":
                cluster = LocalCluster(
                    n_workers=2,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    host="127.0.0.1",
                )
                client = Client(cluster)
            engine = sr.scale.fit(
                sr.RiskEngine(),
                folder,
                world.outcomes,
                folder=work / f"{kind}-{name}",
                client=client,
            )
            found = is_same(engine, wanted, probe)
            note(
                ("equal", n_items, f"{kind}, {name}", what, value)
                for what, value in found.items()
            )
            if client is not None:
                client.close()
                cluster.close()
            del engine
            shutil.rmtree(work / f"{kind}-{name}")
        shutil.rmtree(folder)


def make_parts(n_items, folder):
    """Write worlds of their own seeds; return the outcomes of all."""
    folder.mkdir(parents=True)
    outcomes = []
    for number, start in enumerate(range(0, n_items, PART)):
        size = min(PART, n_items - start)
        world = sr.datasets.make_declarations(size, random_state=number)
        for table in (world.declarations, world.outcomes):
            table["declaration_id"] = table["declaration_id"] + f"-{number}"
        path = folder / f"part-{number:04d}.parquet"
        world.declarations.to_parquet(path, index=False)
        outcomes.append(world.outcomes)
    return pd.concat(outcomes, ignore_index=True)


def make_later(n_items, folder):
    """Write worlds that come after the others; return their outcomes."""
    outcomes = make_parts(n_items, folder)
    for table in folder.iterdir():
        frame = pd.read_parquet(table)
        frame["declaration_id"] += "-later"
        frame["lodged_at"] += pd.Timedelta(days=800)
        frame.to_parquet(table, index=False)
    outcomes["declaration_id"] += "-later"
    for name in ("inspected_at", "known_at"):
        outcomes[name] += pd.Timedelta(days=800)
    return outcomes


class Steps:
    """Items of several worlds, their engine, and the steps that are measured."""

    def __init__(self, n_items, work, memory):
        self.work, self.memory = work, memory
        self.later = make_later(max(int(LATER * n_items), 1), work / "later")
        self.outcomes = make_parts(n_items, work / "items")
        self.engine, self.peak = sr.RiskEngine(), Peak()

    def fit(self):
        """Fit the engine; return what of it is not training, and its size."""
        training = {}
        train = _partitions.train_models

        def train_and_time(*args, **kwargs):
            start = time.process_time()
            training["before"] = self.peak.take()
            models = train(*args, **kwargs)
            training["cpu"] = time.process_time() - start
            return models

        _partitions.train_models = train_and_time
        folder, start = self.work / "history", time.process_time()
        try:
            sr.scale.fit(
                self.engine,
                self.work / "items",
                self.outcomes,
                folder=folder,
                memory=self.memory,
            )
        finally:
            _partitions.train_models = train
        learning = time.process_time() - start - training["cpu"]
        return {
            "CPU s without training": learning,
            "peak GiB without training": training["before"],
            "inspected": len(self.outcomes),
            "GiB on disk": sum(p.stat().st_size for p in folder.iterdir()) / 2**30,
        }

    def score(self):
        """Score all items."""
        folder = self.work / "scores"
        sr.scale.score(self.engine, self.work / "items", folder, guard="off")
        return {}

    def select(self):
        """Decide on all items; return a folder with the decisions."""
        return sr.scale.select(
            self.work / "scores",
            self.work / "items",
            folder=Path(tempfile.mkdtemp(dir=self.work)) / "decisions",
            policy=Policy(capacity=0.05, random_share=0.1, per=("office",)),
        )

    def update(self):
        """Add the later items to a copy of the engine."""
        sr.scale.update(self.engine.copy(), self.work / "later", self.later)
        return {}

    def measure(self, name):
        """Return seconds, the peak of memory and what else a step states."""
        touch_memory(int(self.memory * 2**30))
        self.peak.take()
        start, clock = time.process_time(), time.perf_counter()
        stated = getattr(self, name)()
        cpu, wall = time.process_time() - start, time.perf_counter() - clock
        top = self.peak.take()
        if name == "fit":
            top = max(top, stated["peak GiB without training"])
        if name == "select":
            stated = count_decisions(stated)
        return {"CPU s": cpu, "peak GiB": top, "wall s": wall} | stated


def run_steps(pipe, n_items, work, memory):
    """Measure the steps that are asked for, in a process of their own."""
    steps = Steps(n_items, work, memory)
    pipe.send(None)
    while name := pipe.recv():
        pipe.send(steps.measure(name))


def measure(sizes, work, memory):
    """Measure the steps of every size, each size in a process of its own.

    The sizes take turns at the short steps: a processor that slows down for a while
    slows all of them, and the exponents are those of each round.
    """
    spawn = multiprocessing.get_context("spawn")
    pipes = {}
    for n_items in sizes:
        pipes[n_items], other = spawn.Pipe()
        part = work / f"{n_items}"
        target = (other, n_items, part, memory)
        spawn.Process(target=run_steps, args=target, daemon=True).start()
        other.close()  # the end of a process that fails is an error here
        pipes[n_items].recv()
        print(f"{n_items} items are made", flush=True)
    for name in ("fit", "score", "select", "update"):
        rounds = []
        for _ in range(ROUNDS.get(name, 1)):
            found = {}
            for n_items, pipe in pipes.items():
                pipe.send(name)
                found[n_items] = pipe.recv()
            rounds.append(found)
        for n_items in sizes:
            for what in rounds[0][n_items]:
                middle = max if what.startswith("peak") else median
                value = round(middle(found[n_items][what] for found in rounds), 3)
                note([("cost", n_items, name, what, value)])
        note_exponents(name, sizes, rounds)
    for pipe in pipes.values():
        pipe.send("")


def note_exponents(name, sizes, rounds):
    """Note how seconds grow from the first size to the last, in each of some rounds."""
    ends = (sizes[0], sizes[-1])
    for what in ("CPU s", "CPU s without training"):
        if ends[0] == ends[1] or what not in rounds[0][sizes[0]]:
            continue
        grown = [exponent(*((n, found[n][what]) for n in ends)) for found in rounds]
        values = {"median": median(grown), "least": min(grown), "most": max(grown)}
        values = {which: round(value, 3) for which, value in values.items()}
        note(
            ("exponent", sizes[-1], name, name_exponent(what, sizes, which), value)
            for which, value in values.items()
        )


def name_exponent(what, sizes, which):
    """Return what an exponent is called in the results."""
    return f"{what} from {sizes[0]}, {which}"


def count_decisions(folder):
    """Return how much was decided; the folder goes."""
    decided = pd.read_parquet(folder, columns=["selected_by", "propensity"])
    shutil.rmtree(folder)
    return {
        "taken": int(decided["selected_by"].notna().sum()),
        "sum of propensities": float(decided["propensity"].sum()),
    }


def exponent(first, last):
    """Return the exponent of growth between two (items, value) pairs."""
    return np.log(last[1] / first[1]) / np.log(last[0] / first[0])


def write_table():
    """Write the page's tables from the results, the latest of each."""
    found = pd.read_csv(RESULTS)
    found = found.drop_duplicates(["trial", "items", "step", "what"], keep="last")
    lines = ["| partitions | tables equal | model text | version | scores |"]
    lines.append("|---|---|---|---|---|")
    equal = found[found["trial"] == "equal"]
    for (n_items, step), rows in equal.groupby(["items", "step"], sort=False):
        value = rows.set_index("what")["value"]
        same = ["equal" if value[w] == "True" else "differs" for w in _COMPARED]
        tables = f"{value['tables equal']} of {value['tables']}"
        lines.append(f"| {n_items:,} items, {step} | {tables} | {' | '.join(same)} |")
    cost = found[found["trial"] == "cost"].astype({"value": float})
    wide = cost.pivot_table(
        index=["step", "what"], columns="items", values="value", sort=False
    )
    sizes = sorted(wide.columns)
    growth = found[(found["trial"] == "exponent") & (found["items"] == sizes[-1])]
    growth = growth.set_index(["step", "what"])["value"].astype(float)
    line = found.reset_index().set_index(["trial", "items", "step", "what"])["index"]
    lines += ["", f"| step | {' | '.join(f'{n:,} items' for n in sizes)} | exponent |"]
    lines.append("|" + "---|" * (len(sizes) + 2))
    for (step, what), row in wide.iterrows():
        grown = ""
        if len(sizes) > 1 and what.startswith("CPU") and row.notna().all():
            ends = (sizes[0], sizes[-1])
            grown = f"{exponent(*((n, row[n]) for n in ends)):.2f}"
            names = [name_exponent(what, sizes, w) for w in ("median", "least", "most")]
            own = line.get(("exponent", ends[1], step, names[0]), -1)
            # Exponents of rounds are older where a size was measured alone since.
            if all(own > line["cost", n, step, what] for n in ends):
                middle, least, most = (growth[step, name] for name in names)
                grown = f"{middle:.2f}"
                if least != most:
                    grown += f" ({least:.2f} to {most:.2f})"
        values = ["" if pd.isna(row[n]) else f"{row[n]:,.4g}" for n in sizes]
        lines.append(f"| {step}: {what} | {' | '.join(values)} | {grown} |")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


_COMPARED = ("model text", "version", "scores")


def main():
    """Measure, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=("equal", "cost", "table"))
    parser.add_argument("--items", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--memory", type=float, default=4.0)
    parser.add_argument("--folder", default=None, help="where to work; on a disk")
    asked = parser.parse_args()
    if asked.trial == "table":
        write_table()
        return
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    work = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        if asked.trial == "cost":
            measure(sorted(asked.items), work, asked.memory)
        else:
            for n_items in asked.items:
                compare(n_items, work / f"{n_items}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
