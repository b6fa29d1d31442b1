"""Kill `log_run` at 20 moments; the store works afterwards, and no run stays RUNNING.

    python benchmarks/tracking.py

Half of the kills hit the first run of a fresh folder, half a later one. The moments are
drawn evenly over the time that a run takes. Writes docs/tables/tracking.md.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
import warnings
from pathlib import Path

import mlflow

import smartrisk as sr

N_KILLS = 20
TABLE = Path(__file__).resolve().parents[1] / "docs" / "tables" / "tracking.md"


def log_in_child(engine, folder, seconds=None):
    """Log in a forked child; kill it after so many seconds; return its seconds."""
    start = time.monotonic()
    child = os.fork()
    if not child:
        sr.tracking.log_run(engine, tracking_uri=folder)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return time.monotonic() - start


def main():
    """Kill, log again, and write the table."""
    warnings.simplefilter("ignore")
    world = sr.datasets.make_declarations(3_000, random_state=0)
    engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    draw = random.Random(0)
    place = Path(tempfile.mkdtemp())
    # Loads MLflow once: else every child spends its time on that.
    sr.tracking.log_run(engine, tracking_uri=place / "warm")
    rows, folders = [], []
    for kind in ("first", "later"):
        base = place / f"{kind}-base"
        if kind == "later":
            log_in_child(engine, base)
        whole = log_in_child(engine, place / f"{kind}-timing")
        for k in range(N_KILLS // 2):
            folder = place / f"{kind}{k}"
            if kind == "later":
                shutil.copytree(base, folder)
            after = draw.uniform(0, whole)
            log_in_child(engine, folder, after)
            folders.append((kind, after, folder))
    for kind, after, folder in folders:
        run = sr.tracking.log_run(engine, tracking_uri=folder)
        client = mlflow.MlflowClient(run.tracking_uri)
        ids = [e.experiment_id for e in client.search_experiments()]
        found = sorted(r.info.status for r in client.search_runs(ids))
        rows.append((kind, after, found))
    shutil.rmtree(place)
    lines = ["| run | killed after, s | runs afterwards |", "|---|---|---|"]
    lines += [f"| {k} | {a:.2f} | {', '.join(f)} |" for k, a, f in rows]
    n_running = sum("RUNNING" in f for _, _, f in rows)
    head = (
        f"{len(rows)} kills; the store worked after {len(rows)}, RUNNING: {n_running}."
    )
    TABLE.write_text(f"{head}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    print(head, flush=True)


if __name__ == "__main__":
    main()
