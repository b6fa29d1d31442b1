"""The ledger: seconds to append and to verify, in batches.

Run ``python benchmarks/ledger.py [--entries 100000] [--batch 10000]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.ledger import Ledger


def main() -> None:
    """Append, verify and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=10_000)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    decisions = pd.DataFrame(
        {
            "declaration_id": [f"D{k:09d}" for k in range(given.entries)],
            "item_number": 1,
            "channel": rng.choice(["green", "yellow", "red"], given.entries),
            "selected_by": "model",
            "propensity": rng.random(given.entries),
            "rank": np.arange(given.entries),
            "policy_version": "1",
        }
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(Path(folder) / "decisions.sqlite") as ledger,
    ):
        start = time.perf_counter()
        for at in range(0, given.entries, given.batch):
            ledger.record(decisions.iloc[at : at + given.batch])
        appended = time.perf_counter() - start
        start = time.perf_counter()
        ledger.verify(anchor=ledger.head()).check()
        verified = time.perf_counter() - start
    print(f"{given.entries:,} decisions appended in {appended:.1f} s, ", end="")
    print(f"verified in {verified:.1f} s")


if __name__ == "__main__":
    main()
