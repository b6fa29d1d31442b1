"""Sentences on results, activity and routes state numbers, period and key."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.explanations import explain
from smartrisk.features import FeatureInfo


def test_the_period_of_a_whole_history_is_stated(features, first_sentence):
    key = ("importer_id",)
    pairs = [
        (features.history("inspections"), 40.0),
        (features.history("hits"), 9.0),
        (features.history("days_since_first", concept="novelty"), 300.0),
    ]
    assert first_sentence(pairs).endswith("found an irregularity (since May 2025)")
    assert first_sentence(pairs, lang="fr").endswith("(depuis mai 2025)")
    assert first_sentence(pairs, lang="es").endswith("(desde mayo de 2025)")
    once = [(features.history("inspections"), 1.0), *pairs[1:]]
    assert "since" not in first_sentence(once)
    other = [*pairs[:2], (features.history("days_since_first", ("origin",)), 300.0)]
    assert "since" not in first_sentence(other)  # of another key
    unknown = [*pairs[:2], (features.history("days_since_first", key), np.nan)]
    assert "since" not in first_sentence(unknown)


def test_results_of_earlier_inspections_are_counted(features, first_sentence):
    pairs = [
        (features.history("inspections"), 40.0),
        (features.history("hits"), 9.0),
        (features.history("hit_rate"), 0.21),
    ]
    assert first_sentence(pairs, lead=2) == (
        "9 of 40 earlier inspections of this importer with known result found an "
        "irregularity"
    )
    assert first_sentence(pairs, lead=2, lang="fr") == (
        "irrégularité relevée lors de 9 des 40 contrôles à résultat connu d'"
        "articles antérieurs de cet importateur"
    )


@pytest.mark.parametrize(
    ("n", "hits", "expected"),
    [
        (0, 0, "no earlier inspection of this importer has a known result; the hit"),
        (
            1,
            0,
            "the one earlier inspection of this importer with known result",
        ),
        (
            1,
            1,
            "the one earlier inspection of this importer with known result",
        ),
        (6, 0, "none of 6 earlier inspections of this importer with known result"),
    ],
)
def test_without_results_or_hits_the_rate_of_similar_items_is_stated(
    features, first_sentence, n, hits, expected
):
    pairs = [
        (features.history("inspections"), n),
        (features.history("hits"), hits),
        (features.history("hit_rate"), 0.18),
    ]
    assert first_sentence(pairs, lead=2).startswith(expected)
    assert ("no irregularity" in first_sentence(pairs, lead=2)) == ((n, hits) == (1, 0))
    assert ("18 %" in first_sentence(pairs, lead=2)) == (hits == 0)


@pytest.mark.parametrize(
    ("statistic", "value", "expected"),
    [
        (
            "inspections",
            0,
            "no earlier inspection of this importer has",
        ),
        (
            "inspections",
            3,
            "3 earlier inspections of this importer with",
        ),
        (
            "hits",
            2,
            "2 earlier inspections of this importer found",
        ),
        (
            "hit_rate",
            0.034,
            "hit rate 3.4 % in earlier inspections",
        ),
        (
            "revenue_rate",
            2.5,
            "importer id  revenue rate: 2.5",
        ),
    ],
)
def test_a_single_result_statistic_is_stated_by_itself(
    features, first_sentence, statistic, value, expected
):
    sentence = first_sentence([(features.history(statistic), value)])
    assert sentence.startswith(" ".join(expected.split()))


@pytest.mark.parametrize(
    ("statistic", "window", "value", "expected"),
    [
        ("n_items", None, 0, "first item of this importer with goods 6403"),
        ("n_items", None, 3, "only 3 earlier items of this importer with"),
        ("n_items", None, 1, "only 1 earlier item of this importer with"),
        ("n_items", None, 4321, "4,321 earlier items of this importer with"),
        ("n_items", "90d", 7, "7 items of this importer with goods 6403 in the"),
        ("n_items", "90d", 0, "no item of this importer with goods 6403 in the"),
        ("days_since_last", None, 200, "last item of this importer with goods"),
        ("days_since_first", None, 12, "the first item of this importer with goods"),
        (
            "decayed",
            None,
            1.34,
            "recent activity of this importer with goods 6403: ",
        ),
        ("items_per_active_day", None, 9, "items per day with items of this"),
        ("near_threshold", "90d", 5, "5 items of this importer with goods 6403"),
        ("near_threshold", "90d", 0, "no item of this importer with goods 6403"),
    ],
)
def test_activity_names_its_number_and_its_period(
    features, first_sentence, statistic, window, value, expected
):
    info = features.history(
        statistic, ("importer_id", "hs4"), window=window, concept="novelty"
    )
    sentence = first_sentence([(info, value)])
    assert sentence.startswith(expected)
    assert ("90 days" in sentence) == (window == "90d")


def test_a_key_without_earlier_items_is_stated_as_the_first(features, first_sentence):
    key = ("importer_id", "hs4")
    pairs = [
        (features.history("n_items", key, concept="novelty"), 0),
        (features.history("days_since_last", key, concept="novelty"), np.nan),
    ]
    assert (
        first_sentence(pairs, lead=1) == "first item of this importer with goods 6403"
    )


def test_a_pair_of_countries_seldom_seen_is_named(features, first_sentence):
    flag = features.item(
        "route_differs", "origin departure", "flag", "origin and route"
    )
    count = features.history(
        "n_items", ("origin", "departure"), concept="origin and route"
    )
    pairs = [(flag, 1.0), (count, 3.0)]
    expected = "origin VN, shipped from CN, a pair seldom seen (3 earlier items)"
    assert first_sentence(pairs) == first_sentence(pairs, lead=1) == expected
    often = [(flag, 1.0), (count, 300.0)]
    assert first_sentence(often) == "origin VN, shipped from CN (300 earlier items)"
    assert first_sentence([(flag, 1.0)]) == "origin VN, shipped from CN"
    assert first_sentence(pairs, departure="VN") == "origin and departure both VN"
    assert "departure" in first_sentence([(flag, np.nan)], departure=None)


@pytest.mark.parametrize(
    ("key", "english", "french"),
    [
        (("importer_id",), "of this importer", "de cet importateur"),
        (
            ("importer_id", "consignor_id"),
            "of this importer with this consignor",
            "de cet importateur avec cet expéditeur",
        ),
        (
            ("declarant_id", "office"),
            "of this declarant at office KRPUS",
            "de ce déclarant au bureau KRPUS",
        ),
        (("office",), "at office KRPUS", "au bureau KRPUS"),
        (("hs2",), "of chapter 64", "du chapitre 64"),
        (("origin",), "of goods from VN", "de marchandises d'origine VN"),
        (
            ("hs6", "departure", "origin", "duty_rate", "preference", "net_mass_kg"),
            "of 6403.99 from VN shipped from CN with the same duty rate, preference "
            "and net mass",
            "de la sous-position 6403.99 d'origine VN en provenance de CN "
            "à données identiques (taux du droit, préférence tarifaire et masse "
            "nette)",
        ),
    ],
)
def test_a_history_key_is_stated_by_role_and_code(
    features, first_sentence, key, english, french
):
    pairs = [(features.history("n_items", key), 25.0)]
    assert first_sentence(pairs) == f"25 earlier items {english}"
    assert first_sentence(pairs, lang="fr").endswith(french)


def test_a_weighted_count_is_stated_as_the_time_since_the_last_item(
    features, first_sentence
):
    pairs = [
        (features.history("decayed", concept="novelty"), 0.03),
        (features.history("n_items", concept="novelty"), 5.0),
        (features.history("days_since_last", concept="novelty"), 150.0),
    ]
    assert first_sentence(pairs) == "last item of this importer 150 days ago"
    assert first_sentence(pairs[:2]).startswith("recent activity of this importer: 0")


def test_a_declared_code_is_stated_with_the_results_of_its_inspections():
    code = FeatureInfo(
        name="hs6__code",
        fields=("tariff_code",),
        concept="classification",
        statistic="code",
    )
    record = [
        FeatureInfo(
            name=f"hs6__{name}",
            fields=("tariff_code",),
            concept="trader record",
            statistic=name,
            key=("hs6",),
        )
        for name in ("inspections", "hits")
    ]
    frame = pd.DataFrame({"declaration_id": ["A"], "tariff_code": ["5606200000"]})
    infos = [code, *record]
    found = explain(frame, [[1.0, 35.0, 8.0]], [[0.8, 0.0, 0.0, -2.0]], infos)
    assert found.sentences() == [
        [
            "declared: tariff code = 5606.20.0000; 8 of 35 earlier inspections of "
            "5606.20 with known result found an irregularity"
        ]
    ]
    assert '"more"' in found.frame()["evidence"].iloc[0]
    never = explain(frame, [[1.0, 0.0, 0.0]], [[0.8, 0.0, 0.0, -2.0]], infos)
    assert never.sentences() == [["declared: tariff code = 5606.20.0000"]]
