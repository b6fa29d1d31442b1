"""Sentences on the market's prices and on sibling codes."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.features import FeatureInfo


def market(statistic):
    return FeatureInfo(
        name=f"market__price_per_kg_{statistic}",
        fields=("customs_value", "net_mass_kg", "tariff_code", "origin"),
        concept="valuation",
        statistic=statistic,
        key=("hs6", "origin"),
        measure="price_per_kg",
    )


def sibling(statistic):
    return FeatureInfo(
        name=f"hs6__{statistic}",
        fields=("duty_rate", "tariff_code"),
        concept="classification",
        statistic=statistic,
        key=("hs4",),
    )


def test_a_price_is_compared_with_the_market_at_the_prices_of_the_day(first_sentence):
    found = first_sentence([(market("market_deviation"), np.log(0.5))])
    assert found.startswith(
        "unit value per kg 2.90, 50 % of the typical 5.79 of earlier"
    )
    assert found.endswith("at the prices of the day")
    found = first_sentence([(market("market_z"), -2.0)])
    assert found.startswith("unit value per kg −2.00 standard deviations")
    found = first_sentence([(market("market_deviation"), np.nan)])
    assert "not known for any earlier item" in found


def test_the_use_of_a_code_and_the_rate_of_its_siblings_are_stated(first_sentence):
    assert first_sentence([(sibling("heading_share"), 0.02)]) == (
        "2 % of earlier items of heading 6403 declared the same code"
    )
    assert first_sentence([(sibling("sibling_gap"), np.float32(0.05))]) == (
        "duty rate 12 % where earlier goods under the other codes of heading 6403 "
        "paid 17 % on average"
    )
    assert first_sentence([(sibling("sibling_gap"), 0.05)], duty_rate=np.nan) == (
        "not declared: duty rate"
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("national_code",), "only 2 earlier items of 6403.99.1000"),
        (
            ("importer_id", "customs_value"),
            "only 2 earlier items of this importer with the same customs value",
        ),
        (
            ("consignor_id", "hs6", "price_per_kg"),
            "only 2 earlier items of this consignor with goods 6403.99 with the same "
            "unit value per kg",
        ),
    ],
)
def test_items_that_repeat_a_figure_are_counted(first_sentence, key, expected):
    info = FeatureInfo(
        name="n",
        fields=("customs_value",),
        concept="novelty",
        statistic="n_items",
        key=key,
    )
    assert first_sentence([(info, 2.0)]) == expected
