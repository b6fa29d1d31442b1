"""Synthetic worlds: speed, memory, equality of stream and whole, and headroom to learn.

Run ``python benchmarks/worlds.py speed [--items 1000000]`` for the time and the peak
memory of a world as a whole and as a stream, each in its own process, with a digest
that shows whether they are equal.

Run ``python benchmarks/worlds.py headroom [--items 60000] [--seeds 5]`` to compare an
engine that learns from the known results with one that learns from the truth of every
past item. Both are judged on the truth of all later items. Writes
``benchmarks/results/headroom.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import smartrisk as sr

#: Inspection rate at which engines are judged.
RATE = 0.05
TABLES = ("declarations", "outcomes", "truth")


def digest_of(parts: Any) -> tuple[str, int]:
    """Return a digest of the content of worlds, part by part, and the item count."""
    hashes, n_items = {name: hashlib.sha256() for name in TABLES}, 0
    for part in parts:
        for name in TABLES:
            frame = getattr(part, name)
            rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
            hashes[name].update(rows.tobytes())
        n_items += len(part.declarations)
    return "".join(h.hexdigest()[:12] for h in hashes.values()), n_items


def measure_one(kind: str, n_items: int, digest: bool) -> dict[str, Any]:
    """Make a world in this process; return its time and peak memory."""
    start = time.perf_counter()
    out: dict[str, Any] = {"kind": kind, "items": n_items}
    if kind == "stream":
        parts = sr.datasets.stream_declarations(n_items, random_state=0)
        if digest:
            out["digest"] = digest_of(parts)[0]
        else:
            out["items"] = sum(len(part.declarations) for part in parts)
    else:
        world = sr.datasets.make_declarations(n_items, random_state=0)
        if digest:
            out["digest"] = digest_of([world])[0]
    out["seconds"] = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**out, "peak GiB": peak / 2**20}


def measure_speed(n_items: int) -> pd.DataFrame:
    """Return time and peak memory, each measured in a fresh process, and digests."""
    rows = []
    for kind in ("whole", "stream"):
        runs = []
        for extra in ([], ["--digest"]):
            words = [sys.executable, __file__, "one", "--kind", kind]
            done = subprocess.run(
                [*words, "--items", str(n_items), *extra],
                check=True,
                capture_output=True,
                text=True,
            )
            runs.append(json.loads(done.stdout))
        rows.append({**runs[0], "digest": runs[1]["digest"]})
    return pd.DataFrame(rows)


def compare_labels(world: Any) -> dict[str, float]:
    """Return precision and revenue share with the known results and with the truth."""
    items, truth = world.declarations, world.full_outcomes()
    cut = items["lodged_at"].quantile(0.75)
    old = (items["lodged_at"] < cut).to_numpy()
    known = world.outcomes[world.outcomes["known_at"] < cut]
    out = {}
    for name, outcomes in (("known", known), ("all", truth[old])):
        engine = sr.RiskEngine(random_state=0).fit(items[old], outcomes)
        scores = engine.score(items[~old])
        result = sr.evaluation.evaluate(
            scores, truth[~old], rates=(RATE,), n_bootstrap=0
        )
        by = result.frame().set_index("rank_by")
        out[f"precision, {name}"] = by.loc["risk_score", "precision"]
        out[f"revenue, {name}"] = by.loc["expected_revenue", "revenue_share"]
    out["base rate"] = world.truth["illicit"][~old].mean()
    return out


def measure_headroom(n_items: int, n_seeds: int) -> pd.DataFrame:
    """Return a row per scenario and seed."""
    rows = []
    for name in sr.datasets.SCENARIOS:
        for seed in range(n_seeds):
            world = sr.datasets.make_declarations(
                n_items, random_state=seed, scenario=name
            )
            rows.append({"scenario": name, "seed": seed, **compare_labels(world)})
    return pd.DataFrame(rows)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over the seeds, and the gain with its 95 % interval."""
    means = table.drop(columns="seed").groupby("scenario", sort=False).mean()
    gain = table["precision, all"] - table["precision, known"]
    spread = gain.groupby(table["scenario"], sort=False).agg(["std", "size"])
    means["gain"] = means["precision, all"] - means["precision, known"]
    # 2.776 is Student's t for five seeds; other numbers of seeds are close to it.
    means["+-"] = 2.776 * spread["std"] / np.sqrt(spread["size"])
    return means.round(3)


def main() -> None:
    """Run the chosen measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("speed", "headroom", "one"))
    parser.add_argument("--items", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kind", default="whole", help=argparse.SUPPRESS)
    parser.add_argument("--digest", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.what == "one":
        print(json.dumps(measure_one(given.kind, given.items, given.digest)))
    elif given.what == "speed":
        table = measure_speed(given.items or 1_000_000)
        print(table.round(2).to_string(index=False))
        if table["digest"].nunique() > 1:
            sys.exit("The stream is not the whole.")
    else:
        table = measure_headroom(given.items or 60_000, given.seeds)
        folder = Path(__file__).parent / "results"
        folder.mkdir(exist_ok=True)
        table.round(4).to_csv(folder / "headroom.csv", index=False)
        print(summarise(table).to_string())


if __name__ == "__main__":
    main()
