"""Made-up administrations, each of which lacks one thing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr

N = 6_000


@dataclass(frozen=True)
class Administration:
    """Declarations, results and decisions."""

    items: pd.DataFrame
    results: pd.DataFrame | None
    decisions: pd.DataFrame | None

    def assess(self):
        """Return its readiness."""
        return sr.readiness.assess(self.items, self.results, self.decisions)

    def blocked(self):
        """Return the ids of the use cases that are blocked."""
        return set(self.assess().blocks()["use_case"])

    def until(self, day):
        """Return what it had on a day, all results of these items included."""
        kept = self.items[self.items["lodged_at"] < day]
        names = set(kept["declaration_id"])
        parts = (self.results, self.decisions)
        return Administration(
            kept, *(part[part["declaration_id"].isin(names)] for part in parts)
        )

    def shuffled(self):
        """Return it with the rows of each table in another order."""
        tables = (self.items, self.results, self.decisions)
        return Administration(*(t.sample(frac=1, random_state=3) for t in tables))


def make_perfect(n_days=400):
    """Return an administration that lacks nothing: one item in ten is controlled."""
    number = np.arange(N)
    lodged = pd.Timestamp("2024-01-01") + pd.to_timedelta(number * n_days / N, "D")
    names = [f"D{k}" for k in number]
    items = pd.DataFrame(
        {
            "declaration_id": names,
            "item_number": 1,
            "lodged_at": lodged.floor("s"),
            "office": np.where(number % 3 == 0, "A", "B"),
            "importer_id": [f"I{k % 40}" for k in number],
            "tariff_code": np.where(number % 2 == 0, "870323", "610910"),
            "customs_value": 1000.0 + number % 97,
            "net_mass_kg": 10.0 + number % 13,
            "gross_mass_kg": 12.0 + number % 13,
        }
    )
    controlled = number % 10 == 0
    drawn = number % 20 == 0
    decisions = pd.DataFrame(
        {
            "declaration_id": names,
            "item_number": 1,
            "channel": np.where(controlled, "red", "green"),
            "selected_by": pd.Series(np.where(drawn, "random", "rule")).where(
                controlled
            ),
            "propensity": np.where(controlled & ~drawn, 1.0, 0.1),
        }
    )
    known = (items["lodged_at"] + pd.Timedelta(days=10))[controlled]
    hit = number[controlled] // 10 % 5 == 0
    results = pd.DataFrame(
        {
            "declaration_id": np.array(names)[controlled],
            "item_number": 1,
            "channel": "red",
            "inspected_at": known,
            "known_at": known,
            "illicit": hit.astype(int),
            "revenue_adjustment": np.where(hit, 100.0, 0.0),
            "officer_id": "O1",
        }
    ).reset_index(drop=True)
    return Administration(items, results, decisions)


@pytest.fixture(scope="session")
def perfect():
    """Return an administration that lacks nothing."""
    return make_perfect()


@pytest.fixture(scope="session")
def administrations(perfect):
    """Return five administrations by what they lack."""
    ruled = perfect.decisions["selected_by"].replace("random", "rule")
    others = perfect.items.loc[
        ~perfect.items["declaration_id"].isin(perfect.results["declaration_id"]),
        ["declaration_id", "item_number"],
    ].assign(illicit=0)
    blanks = pd.concat([perfect.results, others], ignore_index=True)
    return {
        "nothing": perfect,
        "random share": replace(
            perfect, decisions=perfect.decisions.assign(selected_by=ruled)
        ),
        "blanks": replace(perfect, results=blanks),
        "time": make_perfect(n_days=59),
        "results": replace(perfect, results=None),
    }
