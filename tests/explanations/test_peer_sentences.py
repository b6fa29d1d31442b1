"""Sentences on unit values compare with earlier items of the same kind."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from smartrisk.explanations import explain


def test_a_unit_value_is_compared_with_the_typical_value_of_its_peers(
    features, first_sentence
):
    pairs = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 312.0),
    ]
    # 985 for 340 kg is 2.90 a kg; 2.90 / 0.41 is 7.07
    expected = "unit value per kg 2.90, 41 % of the typical 7.07 of 312 earlier"
    expected += " items"
    assert first_sentence(pairs) == f"{expected} of 6403.99 from VN"
    assert first_sentence(pairs, lead=1) == f"{expected} of 6403.99 from VN"


def test_few_peers_are_completed_by_similar_goods_and_none_is_stated(
    features, first_sentence
):
    near = [
        (features.price("deviation"), 0.0),
        (features.price("n_peers"), 1.0),
    ]
    assert first_sentence(near) == (
        "unit value per kg 2.90, 1.00 × the typical 2.90 of 1 earlier item of "
        "6403.99 from VN and of similar goods"
    )
    alone = [
        (features.price("deviation"), 0.0),
        (features.price("n_peers"), 0.0),
    ]
    assert "no earlier item of 6403.99 from VN" in first_sentence(alone)


def test_a_unit_value_that_cannot_be_computed_states_why(features, first_sentence):
    pairs = [
        (features.price("deviation"), np.nan),
        (features.price("n_peers"), 12.0),
    ]
    assert "a part is missing or zero" in first_sentence(pairs, net_mass_kg=0.0)
    assert "not known for any earlier item" in first_sentence(pairs)


@pytest.mark.parametrize(
    ("deviation", "n", "expected"),
    [
        (-0.9, 40.0, "41 % of the typical 7.13 of 40 earlier items of 6403.99"),
        (-0.1, 40.0, "37 % of the typical 7.88 of 500 earlier items of chapter"),
        (0.9, 40.0, "37 % of the typical 7.88 of 500 earlier items of chapter"),
        (-0.9, 4.0, "37 % of the typical 7.88 of 500 earlier items of chapter"),
        (np.nan, 4.0, "37 % of the typical 7.88 of 500 earlier items of chap"),
    ],
)
def test_closer_peers_replace_wider_ones_where_they_are_many_and_agree(
    features, first_sentence, deviation, n, expected
):
    pairs = [
        (features.price("deviation", ("hs2",)), -1.0),
        (features.price("n_peers", ("hs2",)), 500.0),
        (features.price("deviation", ("hs6",)), deviation),
        (features.price("n_peers", ("hs6",)), n),
        (features.price("deviation", ("hs6",), "kg_per_unit"), -1.0),
    ]
    assert expected in first_sentence(pairs)


@pytest.mark.parametrize(("n", "closer"), [(9.0, False), (10.0, True)])
def test_ten_peers_are_many(features, first_sentence, n, closer):
    pairs = [
        (features.price("deviation", ("hs2",)), -1.0),
        (features.price("n_peers", ("hs2",)), 500.0),
        (features.price("deviation", ("hs6",)), -1.0),
        (features.price("n_peers", ("hs6",)), n),
    ]
    assert ("earlier items of 6403.99" in first_sentence(pairs)) == closer


@pytest.mark.parametrize(
    ("statistic", "value", "expected"),
    [
        (
            "deviation",
            0.7,
            "2.90, 2.01 × the typical 1.44 of earlier",
        ),
        (
            "z",
            -2.5,
            "−2.50 standard deviations from the typical value",
        ),
        ("n_peers", 4.0, "compared with 4 earlier items"),
        ("deviation", 900.0, "× the typical "),
        ("deviation", -900.0, " % of the typical "),
    ],
)
def test_a_peer_statistic_is_stated_where_the_others_are_absent(
    features, first_sentence, statistic, value, expected
):
    assert expected in first_sentence([(features.price(statistic), value)])


def test_a_deviation_without_a_declared_value_is_stated_as_a_ratio(
    features, first_sentence
):
    pairs = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 312.0),
    ]
    expected = "unit value per kg 41 % of the typical value of earlier items of"
    assert first_sentence(pairs, net_mass_kg=np.nan).startswith(expected)


def test_values_of_all_traders_and_of_the_party_are_stated_together(
    features, first_sentence
):
    own, market = ("importer_id", "hs4"), ("hs6", "origin")
    pairs = [
        (features.price("deviation", market), math.log(0.41)),
        (features.price("n_peers", market), 312.0),
        (features.price("deviation", own), math.log(0.5)),
        (features.price("n_peers", own), 12.0),
    ]
    assert first_sentence(pairs) == (
        "unit value per kg 2.90, 41 % of the typical 7.07 of 312 earlier items "
        "of 6403.99 from VN; 50 % of the typical 5.79 of 12 earlier items of "
        "this importer with goods 6403"
    )
    assert first_sentence(pairs, lead=2) == (
        "unit value per kg 2.90, 50 % of the typical 5.79 of 12 earlier items of "
        "this importer with goods 6403; 41 % of the typical 7.07 of 312 earlier "
        "items of 6403.99 from VN"
    )
    higher = [*pairs[:2], (pairs[2][0], 0.9), pairs[3]]
    assert "importer" not in first_sentence(higher)  # it deviates to the other side
    few = [*pairs[:3], (pairs[3][0], 2.0)]
    assert "importer" not in first_sentence(few)


def test_a_unit_value_and_its_peers_are_one_reason(
    features, first_sentence, declared_item
):
    own = features.item("price_per_kg", "customs_value net_mass_kg")
    peers = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 312.0),
    ]
    expected = "unit value per kg 2.90, 41 % of the typical 7.07 of 312 earlier"
    assert first_sentence([(own, 2.9), *peers]).startswith(expected)
    assert first_sentence([(own, 2.9)]) == "unit value per kg 2.9"
    frame = pd.DataFrame([declared_item])
    matrix = [[2.9, math.log(0.41), 312.0]]
    infos = [own, *(info for info, _ in peers)]
    found = explain(frame, matrix, [[0.5, 0.2, 0.1, -2.0]], infos).frame()
    assert found["contribution"].tolist() == pytest.approx([0.8])


def test_peers_without_a_known_value_are_not_called_absent(features, first_sentence):
    pairs = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 0.0),
        (features.history("n_items", ("hs6", "origin")), 9.0),
    ]
    assert first_sentence(pairs).endswith(
        "not known for earlier items of 6403.99 from VN"
    )
    none = [*pairs[:2], (pairs[2][0], 0.0)]
    assert first_sentence(none).endswith("no earlier item of 6403.99 from VN")
    some = [pairs[0], (pairs[1][0], 12.0), (pairs[2][0], 40.0)]
    assert (
        "of those 12 of 40 earlier items of 6403.99 from VN for which"
        in first_sentence(some)
    )


def test_a_unit_value_names_its_unit(features, first_sentence):
    pairs = [(features.price("deviation", measure="price_per_unit"), 0.5)]
    assert first_sentence(pairs, quantity_unit="NMB").startswith(
        "unit value (per piece) 82.08, 1.6"
    )
    assert first_sentence(pairs, lang="fr", quantity_unit="NMB").startswith(
        "valeur unitaire (par pièce) de 82,08"
    )
