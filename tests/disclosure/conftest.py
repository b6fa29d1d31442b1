"""Small tables of traders, and an attacker who solves a linear programme per sum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

BY = ["office", "chapter"]


def make_parts(seed, n_offices=4, n_chapters=5):
    """Return parts of a small table in which few traders make up most of a cell."""
    rng = np.random.default_rng(seed)
    rows = []
    for office in range(n_offices):
        for chapter in range(n_chapters):
            n = int(rng.choice([1, 2, 4, 6, 9, 14, 20]))
            traders = rng.choice(40, size=n, replace=False)
            values = np.round(rng.lognormal(3, 1.2, n), 2)
            rows += [
                (f"O{office}", f"C{chapter}", f"T{t:02d}", v)
                for t, v in zip(traders, values, strict=True)
            ]
    return pd.DataFrame(rows, columns=[*BY, "trader", "value"])


class Attacker:
    """Knows what is published, and perhaps what one trader did in every cell."""

    def __init__(self, parts, tables, trader=None):
        self.cells = parts.groupby(BY, as_index=False)["value"].sum()
        self.least = np.zeros(len(self.cells))
        if trader is not None:
            own = parts[parts["trader"] == trader].groupby(BY)["value"].sum()
            keys = pd.MultiIndex.from_frame(self.cells[BY])
            self.least = own.reindex(keys, fill_value=0.0).to_numpy()
        rows, values = [], []
        for cells, table in tables:
            for row in table[table["value"].notna()].itertuples():
                rows.append(self.row(row, cells))
                values.append(row.value)
        self.rows, self.values = np.array(rows), np.array(values)

    def row(self, entry, among=None):
        """Return which cells an entry adds up."""
        hit = np.ones(len(self.cells), bool)
        for name in BY:
            label = getattr(entry, name)
            if label != "total":
                hit &= (self.cells[name] == label).to_numpy()
        if among is not None:
            known = pd.MultiIndex.from_frame(among[BY])
            hit &= pd.MultiIndex.from_frame(self.cells[BY]).isin(known)
        return hit.astype(float)

    def interval(self, row):
        """Return the least and the greatest sum that fits all that is known."""
        ends = []
        for sign in (1, -1):
            solved = linprog(
                sign * row,
                A_eq=self.rows if len(self.rows) else None,
                b_eq=self.values if len(self.rows) else None,
                bounds=[(low, None) for low in self.least],
                method="highs",
            )
            assert solved.status in (0, 3), solved.message
            ends.append(sign * solved.fun if solved.status == 0 else -sign * np.inf)
        return ends


def second_largest(parts, entry):
    """Return the largest part of an entry, and who has the second largest."""
    own = parts
    for name in BY:
        if getattr(entry, name) != "total":
            own = own[own[name] == getattr(entry, name)]
    sums = own.groupby("trader")["value"].sum().sort_values(ascending=False)
    return sums.iloc[0], sums.index[1] if len(sums) > 1 else None


def weakest(parts, done, p=0.1, *, insider=True, tables=None):
    """Return by how much of what is promised the best attack falls short, at worst."""
    tables = [(None, done.frame())] if tables is None else tables
    worst = np.inf
    report = done.report()
    for entry in report[report["status"] != "D"].itertuples():
        largest, who = second_largest(parts, entry)
        attacker = Attacker(parts, tables, who if insider else None)
        low, high = attacker.interval(attacker.row(entry))
        for reach in (high - entry.true_value, entry.true_value - low):
            worst = min(worst, reach / (p * largest))
    return worst


@pytest.fixture
def parts():
    """Return the parts of one small table."""
    return make_parts(0)
