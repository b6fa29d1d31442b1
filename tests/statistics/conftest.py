"""Twelve declarations small enough to compute every indicator by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


def day(text):
    """Return a moment of 2024."""
    return pd.Timestamp(f"2024-{text}")


def declared(name, item, lodged, office, value, duty, trusted=False, status="valid"):
    """Return one declared item as a row."""
    return {
        "declaration_id": name,
        "item_number": item,
        "lodged_at": day(lodged),
        "office": office,
        "tariff_code": "870323" if item == 1 else "610910",
        "transport_mode": "1",
        "customs_value": float(value),
        "duties_taxes": float(duty),
        "trusted_trader": trusted,
        "importer_id": f"I{name}",
        "status": status,
        "electronic": name != "D4",
    }


def make_declarations():
    """Return ten declarations that count and three that do not, one of two items."""
    rows = [
        declared("D1", 1, "01-10", "A", 1000, 100, trusted=True),
        declared("D1", 2, "01-10", "A", 500, 50, trusted=True),
        declared("D2", 1, "01-11", "A", 2000, 200),
        declared("D3", 1, "01-12", "A", 300, 30),
        declared("D4", 1, "01-13", "A", 400, 40),
        declared("D5", 1, "01-14", "B", 800, 80),
        declared("D6", 1, "01-15", "B", 900, 90),
        declared("D7", 1, "01-16", "B", 100, 10),
        declared("D8", 1, "01-17", "B", 600, 60),
        declared("D9", 1, "01-18", "B", 999, 99, status="cancelled"),
        declared("D10", 1, "01-18", "B", 999, 99),
        declared("D11", 1, "05-20", "B", 400, 40),
        declared("D12", 1, "06-01", "B", 999, 99),
    ]
    return pd.DataFrame(rows)


def make_decisions(declarations):
    """Return the decision on each item: lane, selection, chance of the draw."""
    choice = [
        ("red", "random", 0.1),
        ("green", None, 0.1),
        ("red", "rule", np.nan),
        ("yellow", "model", 0.1),
        ("green", None, 0.1),
        ("red", "random", 0.2),
        ("blue", "mandatory", np.nan),
        ("yellow", "random", 0.2),
        ("green", None, 0.2),
        ("red", "random", 0.2),
        ("red", "random", 0.2),
        ("yellow", "model", 0.2),
        ("red", "random", 0.2),
    ]
    return declarations[["declaration_id", "item_number"]].assign(
        channel=[c for c, _, _ in choice],
        selected_by=pd.Series([s for _, s, _ in choice], dtype="str"),
        draw_probability=[p for _, _, p in choice],
        decided_at=declarations["lodged_at"],
    )


def make_outcomes():
    """Return the results; that of D7 is missing."""
    found = [
        ("D1", 1, "undervaluation", 40.0, 1200.0, "01-11", "01-13"),
        ("D2", 1, "quantity", 30.0, 2100.0, "01-11", "01-15"),
        ("D3", 0, None, -5.0, 300.0, "01-12", "01-18"),
        ("D5", 0, None, 0.0, 800.0, "01-14", "01-22"),
        ("D6", 1, "origin", 10.0, 900.0, "01-20", "01-30"),
        ("D8", 0, None, 0.0, 600.0, "01-17", "01-29"),
        ("D9", 1, "other", 99.0, 999.0, "01-18", "01-19"),
        ("D11", 1, "other", 70.0, 400.0, "05-20", "05-21"),
    ]
    return pd.DataFrame(
        {
            "declaration_id": [r[0] for r in found],
            "item_number": 1,
            "illicit": [r[1] for r in found],
            "offence": pd.Series([r[2] for r in found], dtype="str"),
            "revenue_adjustment": [r[3] for r in found],
            "assessed_value": [r[4] for r in found],
            "inspected_at": [day(r[5]) for r in found],
            "known_at": [day(r[6]) for r in found],
        }
    )


def make_milestones():
    """Return arrivals, releases, audits and a replacement."""
    happened = [
        ("D1", "arrived", "01-09 12:00", np.nan),
        ("D1", "released", "01-12 12:00", np.nan),
        ("D2", "arrived", "01-11 06:00", np.nan),
        ("D2", "released", "01-11 18:00", np.nan),
        ("D3", "released", "01-20 00:00", np.nan),
        ("D4", "released", "02-20 00:00", np.nan),
        ("D4", "audit_opened", "02-21", np.nan),
        ("D4", "audit_closed", "03-21", 0.0),
        ("D6", "audit_opened", "01-20", np.nan),
        ("D6", "audit_closed", "01-30", 10.0),
        ("D10", "superseded", "01-19", np.nan),
    ]
    return pd.DataFrame(
        {
            "declaration_id": [r[0] for r in happened],
            "item_number": 1,
            "kind": [r[1] for r in happened],
            "at": [day(r[2]) for r in happened],
            "amount": [r[3] for r in happened],
        }
    )


@pytest.fixture
def tables():
    """Return the tables of the hand-computed example, by argument."""
    declarations = make_declarations()
    return {
        "declarations": declarations,
        "outcomes": make_outcomes(),
        "decisions": make_decisions(declarations),
        "milestones": make_milestones(),
        "overrides": pd.DataFrame({"declaration_id": ["D8"], "channel": ["red"]}),
    }
