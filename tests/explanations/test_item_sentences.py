"""Sentences on the item itself state what it declares."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.features import FeatureInfo


def test_the_gap_to_a_cheaper_code_is_stated_in_rates(first_sentence):
    gap = FeatureInfo(
        name="hs4__cheapest_gap",
        fields=("duty_rate", "tariff_code"),
        concept="classification",
        statistic="cheapest_gap",
        key=("hs4",),
    )
    assert first_sentence([(gap, np.float32(0.12))]) == (
        "duty rate 12 % where the cheapest neighbour code of heading 6403 pays 0 %"
    )
    assert "no neighbour code of heading 6403 pays less" in first_sentence([(gap, 0.0)])
    assert first_sentence([(gap, np.nan)]) == "duty rate 12 %"
    assert first_sentence([(gap, 0.1)], duty_rate=np.nan) == "not declared: duty rate"
    mean = FeatureInfo(
        name="hs2__rate_gap",
        fields=("duty_rate", "tariff_code"),
        concept="classification",
        statistic="rate_gap",
        key=("hs2",),
    )
    assert first_sentence([(mean, 0.055)]) == (
        "duty rate 12 % where earlier goods of chapter 64 paid 6.5 % on average"
    )


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        (
            ("customs_value__near_threshold", "customs_value", "near_threshold"),
            1.0,
            "declared value 985 just below a threshold",
        ),
        (
            ("customs_value__near_threshold", "customs_value", "near_threshold"),
            0.0,
            "declared value 985, not just below a threshold",
        ),
        (
            ("net_mass_kg__is_round", "net_mass_kg", "is_round"),
            1.0,
            "round figure: net mass 340",
        ),
        (
            ("net_mass_kg__is_round", "net_mass_kg", "is_round"),
            0.0,
            "not a round figure: net mass 340",
        ),
        (
            ("net_mass_kg__trailing_zeros", "net_mass_kg", "trailing_zeros"),
            1.0,
            "net mass 340, which ends in 1 zero",
        ),
        (
            ("customs_value__trailing_zeros", "customs_value", "trailing_zeros"),
            -2.0,
            "customs value that does not end in a zero",
        ),
        (
            ("net_mass_kg__significant_digits", "net_mass_kg", "significant_digits"),
            2.0,
            "net mass with 2 significant digits",
        ),
        (
            ("gross_to_net", "gross_mass_kg net_mass_kg", "ratio"),
            400 / 340,
            "gross mass 1.18 × the net mass",
        ),
        (
            ("duty_rate", "duty_rate", "rate"),
            0.12,
            "declared: duty rate = 12 %",
        ),
        (
            ("office__code", "office", "code"),
            2.0,
            "declared: office = KRPUS",
        ),
        (
            ("hs6__code", "tariff_code", "code"),
            640399.0,
            "declared: tariff code = 6403.99.1000",
        ),
        (
            ("price_per_kg", "customs_value net_mass_kg"),
            1.06,
            "unit value per kg 2.9",
        ),
        (
            ("duty_at_stake__log", "customs_value duty_rate"),
            4.7,
            "declared: customs value = 985 and duty rate = 12 %",
        ),
        (("weekday", "lodged_at"), 0.0, "lodged on a Monday"),
        (
            ("trusted_trader", "trusted_trader", "flag"),
            0.0,
            "not declared as a trusted trader",
        ),
        (
            ("dq_net_above_gross", "net_above_gross", "flag"),
            1.0,
            "noted on the declaration: net above gross",
        ),
        (
            ("importer_id__code", "importer_id", "code"),
            7.0,
            "declared: importer",
        ),
        (
            ("n", "customs_value", "near_threshold"),
            np.nan,
            "n: not known",
        ),
        (("r", "customs_value", "is_round"), np.nan, "declared: customs value = 985"),
        (
            ("t", "trusted_trader", "code"),
            0.0,
            "declared: trusted trader = no",
        ),
        (
            ("odd", "origin", "a statistic of tomorrow"),
            1.5,
            "odd: 1.5",
        ),
        (
            ("odd", "origin", "a statistic of tomorrow"),
            np.nan,
            "odd: not known",
        ),
        (("plain", "plain"), 3.0, "plain: 3"),
    ],
)
def test_a_feature_of_the_item_is_stated_by_what_was_declared(
    features, first_sentence, feature, value, expected
):
    info = features.item(*feature)
    assert first_sentence([(info, value)]).startswith(expected)


def test_a_missing_field_is_the_reason_when_it_leaves_no_history(
    features, first_sentence
):
    found = first_sentence(
        [(features.history("n_items", concept="novelty"), 0)], importer_id=None
    )
    assert found == "no history to compare with; not declared: importer"
    assert first_sentence(
        [(features.item("q", "quantity"), np.nan)], quantity=np.nan
    ) == ("not declared: quantity")


def test_a_field_that_is_not_declared_is_stated_as_such(first_sentence, features):
    trusted = features.item("trusted", "trusted_trader", "odd")
    found = first_sentence([(trusted, np.nan)], trusted_trader=None)
    assert found == "not declared: trusted trader"
    assert first_sentence([(trusted, np.nan)]) == "trusted: not known"
