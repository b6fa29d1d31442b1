"""What a saved engine costs: loading, the first scores, updates, saving again.

Every line is measured in a process of its own; memory is that above a process which has
loaded and used a small engine. Prints a table:

    python benchmarks/saved_folders.py --items 300000
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd

import smartrisk as sr

#: Items of a day, and of a call of the command line.
DAY, FEW = 5_000, 100


def memory():
    """Return MB of this process: its own, and all that it holds or holds mapped."""
    text = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in text.splitlines())
    return tuple(int(lines[n].split()[0]) / 1024 for n in ("RssAnon", "VmHWM"))


def measure(work):
    """Return CPU seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def later_items(place, day):
    """Return new items of a day after those of the engine."""
    items = pd.read_parquet(place / "items.parquet").iloc[day * DAY : (day + 1) * DAY]
    moment = items["lodged_at"] - items["lodged_at"].dt.normalize()
    return items.assign(
        declaration_id=f"N{day}" + items["declaration_id"].astype(str),
        lodged_at=pd.Timestamp("2030-01-01") + pd.Timedelta(days=day) + moment,
    )


def load(place, verify):
    """Print the costs of loading and of the first scores."""
    few = later_items(place, 0).head(FEW)
    sr.RiskEngine.load(place / "small").score(few, guard="off")
    before, engines = memory()[0], []
    cpu = measure(
        lambda: engines.append(sr.RiskEngine.load(place / "engine", verify=verify))
    )
    own = memory()[0] - before
    score = measure(lambda: engines[0].score(few, guard="off"))
    after = memory()[0] - before
    print(f"load, verify={verify!r}: {cpu:.3f} CPU s, {own:.0f} MB more")
    print(f"  first score of {FEW}: {score:.2f} CPU s, then {after:.0f} MB more")


def update(place):
    """Print the costs of updates, and of saving after them."""
    engine = sr.RiskEngine.load(place / "engine", verify="first_use")
    costs = []
    for day in range(4):
        items = later_items(place, day)
        costs.append(measure(lambda new=items: engine.update(new)))
    print(f"update of {DAY} items, CPU s: {', '.join(f'{c:.3f}' for c in costs)}")
    cpu = measure(lambda: engine.save(place / "again"))
    files = [path.stat() for path in (place / "again").iterdir()]
    linked = sum(s.st_size for s in files if s.st_nlink > 1) / 1e6
    every = sum(s.st_size for s in files) / 1e6
    print(f"saving again: {cpu:.3f} CPU s; {linked:.0f} of {every:.0f} MB linked")


def command(place):
    """Print the peak memory of the command line."""
    from smartrisk.cli import main

    later_items(place, 0).head(FEW).to_csv(place / "few.csv", index=False)
    main(["score", "--engine", f"{place / 'engine'}", f"{place / 'few.csv'}"])
    print(f"smartrisk score of {FEW} items: peak {memory()[1]:.0f} MB, mapped included")


def prepare(place, n_items):
    """Save an engine of many items, one of few, and items for updates."""
    world = sr.datasets.make_declarations(n_items, scenario="national", random_state=0)
    engine = sr.RiskEngine(random_state=0).fit(world.declarations, world.outcomes)
    print(f"{n_items} items: saving takes", end=" ")
    print(f"{measure(lambda: engine.save(place / 'engine')):.2f} CPU s")
    world.declarations.tail(4 * DAY).to_parquet(place / "items.parquet")
    few = sr.datasets.make_declarations(3_000, scenario="small", random_state=0)
    small = sr.RiskEngine(random_state=0).fit(few.declarations, few.outcomes)
    small.save(place / "small")


def main():
    """Run every measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=300_000)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.only:
        works = {
            "full": lambda place: load(place, "full"),
            "first_use": lambda place: load(place, "first_use"),
            "update": update,
            "command": command,
            "prepare": lambda place: prepare(place, args.items),
        }
        works[args.only](args.place)
        return
    with tempfile.TemporaryDirectory() as place:
        for name in ("prepare", "full", "first_use", "update", "command"):
            words = ["--items", str(args.items), "--place", place, "--only", name]
            subprocess.run([sys.executable, __file__, *words], check=True)


if __name__ == "__main__":
    main()
