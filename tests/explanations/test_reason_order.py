"""Which reasons are chosen, and in which order."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import CONCEPTS, explain


def test_each_concept_comes_before_a_second_reason_of_one(make_reasons):
    concepts = ["valuation", "valuation", "valuation", "classification", "quantity"]
    table = make_reasons([0.9, 0.8, 0.7, 0.2, 0.05], concepts).frame()
    assert table["concept"].tolist() == ["valuation", "valuation", "classification"]
    assert table["contribution"].tolist() == [0.9, 0.8, 0.2]  # 0.05 is too weak


def test_a_repetition_comes_last(make_reasons):
    same = {0: "consignor_id", 1: "consignor_id"}
    found = make_reasons(
        [0.9, 0.8, 0.3, 0.2], ["novelty", "trader record", *CONCEPTS[:2]], same
    )
    assert found.frame()["concept"].tolist() == ["novelty", *CONCEPTS[:2]]


def test_the_same_figures_by_another_unit_are_no_second_reason(features, declared_item):
    both = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 312.0),
        (features.price("deviation", measure="price_per_unit"), math.log(0.41)),
        (features.price("n_peers", measure="price_per_unit"), 312.0),
        # Of the same concept, so that only the repetition puts it before the second.
        (features.history("n_items", concept="valuation"), 25.0),
    ]
    frame = pd.DataFrame([declared_item | {"quantity": 340.0, "quantity_unit": "KGM"}])
    found = explain(
        frame,
        [[value for _, value in both]],
        [[0.9, 0.0, 0.8, 0.0, 0.2, -2.0]],
        [info for info, _ in both],
        top=2,
    )
    assert found.frame()["feature"].tolist() == [both[0][0].name, both[4][0].name]


def test_evidence_that_contradicts_its_reason_comes_later(features, declared_item):
    record = [
        (features.history("inspections"), 15.0),
        (features.history("hits"), 4.0),
    ]
    ordinary = [
        (features.price("deviation"), 0.02),
        (features.price("n_peers"), 40.0),
    ]
    other = [(features.item("quantity__log", "quantity", concept="quantity"), 2.0)]
    pairs = [*record, *ordinary, *other]
    infos = [info for info, _ in pairs]
    frame, matrix = pd.DataFrame([declared_item]), [[value for _, value in pairs]]
    low = explain(frame, matrix, [[-0.9, 0, 0, 0, -0.2, -2.0]], infos, top=1)
    assert low.release.frame()["concept"].tolist() == ["quantity"]
    high = explain(frame, matrix, [[0, 0, 0.9, 0, 0.2, -2.0]], infos, top=1)
    assert high.frame()["concept"].tolist() == ["quantity"]
    clean = [
        (features.history("inspections"), 15.0),
        (features.history("hits"), 0.0),
    ]
    clean += [(features.history("hit_rate"), 0.04), *other]
    found = explain(
        frame,
        [[value for _, value in clean]],
        [[0.9, 0, 0, 0.2, -2.0]],
        [info for info, _ in clean],
        top=1,
    )
    assert found.frame()["concept"].tolist() == ["quantity"]
    alone = explain(frame, matrix, [[0, 0, 0.9, 0, 0.0, -2.0]], infos, top=1)
    assert alone.frame()["concept"].tolist() == ["valuation"]


def test_weaker_reasons_can_be_left_out(reasons):
    every, firm = reasons.frame(), reasons.at_least("clear").frame()
    counts = firm.groupby(["declaration_id", "item_number"]).size()
    assert len(counts) == len(every.groupby(["declaration_id", "item_number"]))
    alone = firm["rank"] == 1
    assert set(firm.loc[~alone, "strength"]) <= {"strong", "clear"}
    assert (every.loc[every["rank"] == 1, "strength"] == "weak").any()
    back = reasons.at_least("clear").at_least("weak")
    pd.testing.assert_frame_equal(back.frame(), every)
    lowers = reasons.at_least("slight")[4].release
    assert len(lowers.frame()) <= len(reasons[4].release.frame())
    with pytest.raises(ArgumentError, match="'strength' must be one of"):
        reasons.at_least("mighty")


def test_at_least_filters_by_strength_before_concepts_are_ranked(make_reasons):
    concepts = ["valuation", "valuation", *CONCEPTS[1:]]
    found = make_reasons([1.5, 1.2, *[0.3] * 7], concepts).at_least("strong")
    assert found.frame()["contribution"].tolist() == [1.5, 1.2]


def test_a_reason_at_the_limit_of_a_word_is_kept(make_reasons):
    found = make_reasons([1.5, 1.0, 0.99], CONCEPTS[:3]).at_least("strong")
    assert found.frame()["contribution"].tolist() == [1.5, 1.0]


def test_reasons_to_release_are_those_that_lower_the_score(reasons):
    lowers = reasons.release
    table = lowers.frame()
    assert (table["contribution"] < 0).all()
    assert (table.groupby(["declaration_id", "item_number"]).size() <= 3).all()
    assert set(table["strength"]) >= {"slight", "weak"}  # by size, not by sign
    np.testing.assert_array_equal(lowers.raw_score, reasons.raw_score)
    assert lowers.release.frame().equals(reasons.frame())
    assert lowers[0].sentences() == lowers.sentences()[:1]
    assert "Elementos a favor del levante" in lowers.to_html(lang="es")
