"""Sibling codes, national codes and repeated figures, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.features import (
    DEFAULT_KEYS,
    REPEAT_KEYS,
    DeclarationFeatures,
    EntityHistory,
    Key,
    SiblingCodes,
)

CODES = ["610910", "610990", "610910", "610990", "610910", "620342", "610910"]
RATES = [0.12, 0.30, 0.12, 0.20, 0.12, 0.05, 0.12]


def make_items(codes=CODES, **columns):
    """Return one item a day with these codes and columns."""
    n = len(codes)
    return pd.DataFrame(
        {
            "declaration_id": [f"d{number}" for number in range(n)],
            "item_number": 1,
            "lodged_at": pd.date_range("2024-01-01", periods=n),
            "importer_id": "a",
            "consignor_id": "c",
            "tariff_code": codes,
            **columns,
        }
    )


def test_siblings_are_the_other_codes_of_the_heading_on_earlier_days():
    out = SiblingCodes().fit_transform(make_items(duty_rate=RATES))
    share = [np.nan, 0.0, 1 / 2, 1 / 3, 2 / 4, np.nan, 3 / 5]
    gap = [np.nan, -0.18, 0.18, -0.08, 0.13, np.nan, 0.13]
    assert np.allclose(out[:, 0], share, equal_nan=True)
    assert np.allclose(out[:, 1], gap, equal_nan=True)


def test_without_rates_only_the_share_is_known():
    features = SiblingCodes().fit(make_items())
    assert features.get_feature_names_out().tolist() == ["hs6__heading_share"]


def test_missing_rates_count_for_nobody():
    rates = [np.nan, *RATES[1:]]
    out = SiblingCodes().fit_transform(make_items(duty_rate=rates))
    assert np.isnan(out[0, 1])
    assert np.isnan(out[1, 1])
    assert out[2, 1] == pytest.approx(0.18)


def test_national_codes_have_a_history_where_there_are_any():
    key = next(key for key in DEFAULT_KEYS if key.columns == ("national_code",))
    long = ["6109100010", "6109100090", "6109100010", "610910"]
    history = EntityHistory((Key(("hs6",)), key))
    out = history.fit(make_items(long)).set_output(transform="pandas")
    counts = out.transform(make_items(long))["national_code__n_items"]
    assert counts.tolist() == [0, 0, 1, 0]
    names = DeclarationFeatures().fit(make_items()).get_feature_names_out()
    assert not any("national" in name for name in names)


def test_sections_hold_their_chapters():
    history = EntityHistory((Key(("hs_section",), statistics=("n_items",)),))
    codes = ["500100", "610910", "630900", "640399", "010121", "050400", "990000"]
    out = history.fit_transform(make_items(codes))
    assert out[:, 0].tolist() == [0, 1, 2, 0, 0, 1, 0]


def test_exact_figures_that_a_party_repeats_are_counted():
    items = make_items(
        ["610910"] * 5,
        customs_value=[1234.5, 99.0, 1234.5, 1234.51, 1234.5],
        net_mass_kg=[100.0, 8.0, 100.01, 50.0, 10.0],
    )
    history = EntityHistory(REPEAT_KEYS)
    out = history.fit_transform(items)
    assert out[:, 0].tolist() == [0, 0, 1, 0, 2]
    assert out[:, 1].tolist() == [0, 0, 1, 0, 0]
    for row in range(5):
        one = history.transform(items.iloc[[row]])
        assert np.array_equal(np.asarray(one), out[[row]])


def test_a_price_that_rounds_up_to_a_power_of_ten_is_that_power():
    items = make_items(
        ["610910"] * 3,
        customs_value=[99.96, 100.04, 99.4],
        net_mass_kg=[10.0, 10.0, 10.0],
    )
    out = EntityHistory(REPEAT_KEYS).fit_transform(items)
    assert out[:, 1].tolist() == [0, 1, 0]
