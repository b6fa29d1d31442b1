"""Drift is none between equal windows, and reported where something moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import TableError
from smartrisk.monitoring import drift


def window(n, seed, shift=0.0, codes=("VN", "CN", "DE")):
    """Return a window of items."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "declaration_id": [f"{seed}-{i}" for i in range(n)],
            "lodged_at": pd.Timestamp("2026-01-01"),
            "customs_value": rng.lognormal(7 + shift, 1, n),
            "origin": rng.choice(codes, n),
            "trusted_trader": rng.random(n) < 0.3,
        }
    )


@given(st.integers(1, 300), st.integers(0, 5))
def test_equal_windows_show_no_drift(n, seed):
    same = window(n, seed)
    found = drift(same, same).frame()
    assert set(found["field"]) == {"customs_value", "origin", "trusted_trader"}
    assert (found["psi"] == 0).all()
    assert (found["shift"] == "stable").all()


def test_what_only_chance_moves_is_stable_and_near_its_noise():
    found = [drift(window(2000, k), window(2000, 100 + k)).frame() for k in range(20)]
    psi = pd.concat(found)
    assert (psi["shift"] == "stable").all()
    ratio = psi.groupby("field")["psi"].mean() / psi.groupby("field")["noise"].mean()
    assert ratio.between(0.6, 1.6).all()


def test_a_shift_is_reported_by_its_size():
    found = drift(window(3000, 0), window(3000, 1, shift=0.8)).frame()
    assert found["field"].iloc[0] == "customs_value"
    assert found["shift"].iloc[0] == "large"
    assert found.set_index("field")["shift"]["origin"] == "stable"


def test_the_line_of_the_file_is_no_field():
    named = window(50, 0).assign(
        source_row=[f"0123456789abcdef:{k}" for k in range(50)]
    )
    assert "source_row" not in set(drift(named, named).frame()["field"])


def test_unseen_and_missing_values_are_counted():
    now = window(1000, 1, codes=("VN", "CN", "XX"))
    now.loc[:499, "customs_value"] = np.nan
    found = drift(window(1000, 0), now).frame().set_index("field")
    assert found.loc["origin", "unseen"] == pytest.approx(
        (now["origin"] == "XX").mean()
    )
    assert found.loc["customs_value", "missing_current"] == 0.5
    assert found.loc["origin", "shift"] == "large"


def test_the_index_of_a_field_is_that_of_its_formula():
    before = pd.DataFrame({"value": np.arange(1_000.0)})
    after = pd.DataFrame({"value": np.arange(1_000.0) * 0.4})
    row = drift(before, after, n_bins=2).frame().iloc[0]
    p = np.array([500.5, 500.5]) / 1_001  # cut at the median of the reference
    q = np.array([1_000.5, 0.5]) / 1_001
    assert row["psi"] == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    assert row["noise"] == pytest.approx(0.002)
    assert row["message_id"] == "monitoring.shift_large"


def test_missing_numbers_are_a_group_of_their_own():
    before = pd.DataFrame({"value": np.arange(1_000.0)})
    after = before.assign(value=before["value"].where(before["value"] < 500))
    high = before.assign(value=before["value"].where(before["value"] < 500, 999.0))
    missing = drift(before, after).frame()["psi"].iloc[0]
    assert missing > 1.5 * drift(before, high).frame()["psi"].iloc[0]


def test_few_items_raise_no_alarm():
    found = drift(window(12, 0), window(12, 1)).frame()
    assert (found["shift"] != "large").all()


def test_windows_must_hold_what_is_asked():
    some = window(5, 0)
    with pytest.raises(TableError, match="'current' holds no item"):
        drift(some, some.iloc[:0])
    with pytest.raises(TableError, match="1 of the fields"):
        drift(some, some, fields=["origin", "weight"])
