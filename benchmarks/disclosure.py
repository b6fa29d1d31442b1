"""Suppression under attack, and how many safe cells it keeps.

Run ``python benchmarks/disclosure.py [--tables 1000] [--items 40000]``. Small random
tables are suppressed; for every secret sum two linear programmes look for its interval
with all that is published: once for a reader from outside, once for the second-largest
trader, who knows what he did in every cell. Then a year by office and chapter of
made-up worlds is suppressed, and compared with hiding every row and column with a
secret cell.
Prints the worst distance in units of what is promised, and the safe cells that are
kept; writes ``benchmarks/results/disclosure.csv``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from enforcement import made_on
from scipy.optimize import linprog

import smartrisk as sr

BY = ["office", "chapter"]


def small_table(seed: int) -> pd.DataFrame:
    """Return the parts of a table of 3 by 4 cells."""
    rng = np.random.default_rng(seed)
    rows = []
    for cell in range(12):
        n = int(rng.choice([1, 2, 4, 6, 9, 14, 20]))
        for trader in rng.choice(40, size=n, replace=False):
            value = round(float(rng.lognormal(3, 1.2)), 2)
            rows.append((f"O{cell // 4}", f"C{cell % 4}", int(trader), value))
    return pd.DataFrame(rows, columns=[*BY, "trader", "value"])


def members(entries: pd.DataFrame, cells: pd.DataFrame) -> np.ndarray:
    """Return which cells each entry adds up."""
    out = np.ones((len(entries), len(cells)))
    for name in BY:
        label = entries[name].to_numpy(object)[:, None]
        out *= (label == "total") | (label == cells[name].to_numpy(object)[None, :])
    return out


def worst(parts: pd.DataFrame, *, insider: bool) -> float:
    """Return the least distance of an interval's ends, in units of what is promised."""
    done = sr.disclosure.suppress(parts, BY)
    frame, report = done.frame(), done.report()
    cells = parts.groupby(BY, as_index=False)["value"].sum()
    parts = parts.set_index(BY)
    shown = frame["value"].notna().to_numpy()
    known, secret = members(frame, cells)[shown], report[report["status"] != "D"]
    least = np.inf
    keys = pd.MultiIndex.from_frame(cells[BY])
    for row, entry in zip(members(secret, cells), secret.itertuples(), strict=True):
        of_entry = parts[parts.index.isin(keys[row > 0])]
        order = of_entry.groupby("trader")["value"].sum().sort_values(ascending=False)
        own = np.zeros(len(cells))
        if insider and len(order) > 1:
            his = parts[parts["trader"] == order.index[1]]["value"]
            own = his.reindex(keys, fill_value=0.0).to_numpy()
        for sign in (1.0, -1.0):
            solved = linprog(
                sign * row,
                A_eq=known if len(known) else None,
                b_eq=frame["value"][shown] if len(known) else None,
                bounds=[(low, None) for low in own],
                method="highs",
            )
            end = sign * solved.fun if solved.status == 0 else np.inf
            distance = abs(end - entry.true_value) / (0.1 * order.iloc[0])
            least = min(least, distance)
    return least


def kept(seed: int, n_items: int) -> dict[str, float]:
    """Return safe cells kept by the linear programmes, and by hiding whole lines."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    year = world.declarations["lodged_at"].dt.year
    rows = world.declarations[year == year.max()]
    parts = pd.DataFrame(
        {
            "office": rows["office"].astype(str),
            "chapter": rows["tariff_code"].astype(str).str[:2],
            "trader": rows["importer_id"].astype(str),
            "value": rows["customs_value"].astype(float).fillna(0.0),
        }
    )
    start = time.process_time()
    frame = sr.disclosure.suppress(parts, BY).frame()
    seconds = time.process_time() - start
    inner = frame[(frame[BY] != "total").all(axis=1)]
    primary = inner["status"].isin(["A", "C"])
    lines = inner["office"].isin(inner["office"][primary])
    columns = inner["chapter"].isin(inner["chapter"][primary])
    return {
        "cells": len(inner),
        "secret": int(primary.sum()),
        "safe cells kept": int((inner["status"] == "F").sum()),
        "kept without rows and columns": int((~lines & ~columns).sum()),
        "kept without rows or columns": int(max((~lines).sum(), (~columns).sum())),
        "CPU s": round(seconds, 1),
    }


def main() -> None:
    """Attack small tables, count cells of large ones, store both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--worlds", type=int, default=3)
    asked = parser.parse_args()
    rows = []
    for who in ("outsider", "second-largest trader"):
        inside = who != "outsider"
        found = [worst(small_table(s), insider=inside) for s in range(asked.tables)]
        rows.append((f"worst distance, {who}", asked.tables, min(found)))
    for seed in range(asked.worlds):
        rows += [(k, seed, v) for k, v in kept(seed, asked.items).items()]
    table = pd.DataFrame(rows, columns=["measure", "tables or seed", "value"])
    table = table.assign(**made_on())
    print(table.to_string(index=False))
    table.to_csv(Path(__file__).parent / "results" / "disclosure.csv", index=False)


if __name__ == "__main__":
    main()
