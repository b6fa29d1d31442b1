"""Importance, stability, dependence and segment profiles of many items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import (
    CONCEPTS,
    dependence,
    explain,
    importance,
    segment_profile,
    stability,
)
from smartrisk.features import FeatureInfo


def test_importance_covers_its_estimate_and_adds_up(reasons):
    for by in ("concept", "field", "feature"):
        table = importance(reasons, by, n_bootstrap=50).frame()
        assert table["share"].sum() == pytest.approx(1.0)
        assert (table["low"] <= table["mean_abs"] + 1e-12).all()
        assert (table["mean_abs"] <= table["high"] + 1e-12).all()
        assert table["mean_abs"].is_monotonic_decreasing
    with pytest.raises(ArgumentError, match="'by' must be one of"):
        importance(reasons, "office")
    with pytest.raises(ArgumentError, match="no item"):
        importance(reasons[:0])


def make_numbered_reasons(contributions, **fields):
    """Return reasons whose only features are numbered, one item per row."""
    contributions = np.asarray(contributions, float)
    n_items, n_features = contributions.shape
    numbers = np.arange(n_items)
    frame = pd.DataFrame(
        {"declaration_id": numbers.astype(str), "item_number": 1, **fields}
    )
    infos = [
        FeatureInfo(
            name=f"f{n}", fields=(f"g{n}",), concept=CONCEPTS[n], statistic="value"
        )
        for n in range(n_features)
    ]
    matrix = np.tile(numbers[:, None].astype(float), (1, n_features))
    base = np.full((n_items, 1), -2.0)
    return explain(frame, matrix, np.hstack([contributions, base]), infos)


def test_importance_is_the_mean_size_of_contributions():
    found = make_numbered_reasons([[0.4, -0.1], [-0.8, 0.3]])
    table = importance(found, "field", n_bootstrap=10).frame()
    assert table["name"].tolist() == ["g0", "g1"]
    assert table["mean_abs"].tolist() == pytest.approx([0.6, 0.2])
    assert table["share"].tolist() == pytest.approx([0.75, 0.25])


def test_intervals_of_importance_resample_whole_declarations():
    sizes = np.random.default_rng(0).exponential(size=(30, 1))
    single = importance(make_numbered_reasons(sizes)).frame()
    documents = np.repeat(np.arange(30), 4).astype(str)
    repeated = make_numbered_reasons(np.repeat(sizes, 4, axis=0))
    of_documents = make_numbered_reasons(
        np.repeat(sizes, 4, axis=0), declaration_id=documents
    )
    same = importance(of_documents).frame()
    pd.testing.assert_frame_equal(same, single)
    narrow = importance(repeated).frame()
    width = narrow["high"] - narrow["low"]
    assert width[0] < 0.7 * (single["high"] - single["low"])[0]


def test_a_wider_confidence_gives_a_wider_interval():
    sizes = np.random.default_rng(0).exponential(size=(30, 1))
    found = make_numbered_reasons(sizes)
    wide = importance(found, confidence=0.99)
    narrow = importance(found, confidence=0.5)
    assert (wide.confidence, narrow.confidence) == (0.99, 0.5)
    spans = [r.frame()["high"][0] - r.frame()["low"][0] for r in (wide, narrow)]
    assert spans[0] > 1.5 * spans[1]


def test_stability_counts_an_item_in_the_period_of_its_lodgement():
    lodged = pd.to_datetime(
        ["2024-01-31 23:59", "2024-02-01 00:00", "2024-03-31 00:00"]
    )
    found = make_numbered_reasons([[0.1], [0.2], [0.6]], lodged_at=lodged)
    months = stability(found, "field").frame()
    assert months["period"].tolist() == list(
        pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])
    )
    assert months["mean_abs"].tolist() == [0.1, 0.2, 0.6]
    quarter = stability(found, "field", period="Q").frame()
    assert quarter["period"].tolist() == [pd.Timestamp("2024-01-01")]
    assert quarter["n_items"].tolist() == [3]
    assert quarter["mean_abs"].tolist() == pytest.approx([0.3])


def test_missing_values_are_the_last_group_of_a_dependence():
    found = make_numbered_reasons(np.linspace(-1, 1, 6)[:, None])
    found._matrix[4:, 0] = np.nan
    table = dependence(found, "f0", n_bins=2).frame()
    assert table["n_items"].tolist() == [2, 2, 2]
    assert table["low"].isna().tolist() == [False, False, True]
    assert table["mean"].tolist() == pytest.approx([-0.8, 0.0, 0.8])


def test_items_without_a_segment_are_a_segment_of_their_own():
    found = make_numbered_reasons(
        [[0.1], [0.2], [0.6]], office=pd.Series(["A", None, "A"], dtype="str")
    )
    table = segment_profile(found, "office", by="field").frame()
    assert table["segment"].tolist() == ["A", "not declared"]
    assert table["n_items"].tolist() == [2, 1]
    assert table["g0"].tolist() == pytest.approx([0.35, 0.2])
    assert table["raw_score"].tolist() == pytest.approx([-1.65, -1.8])


def test_summaries_show_themselves_and_return_copies(reasons):
    summaries = (
        importance(reasons, n_bootstrap=5),
        stability(reasons, period="W"),
        dependence(reasons, "duty_rate"),
        segment_profile(reasons, "office"),
    )
    for summary in summaries:
        before = summary.frame()
        copied = summary.frame()
        copied.iloc[:, -1] = 0
        pd.testing.assert_frame_equal(summary.frame(), before)
        assert repr(summary).startswith(type(summary).__name__)
        assert "<table" in summary._repr_html_()
        assert summary == summary
    assert summaries[0].by == summaries[3].by == "concept"
    assert summaries[0].n_items == len(reasons)
    assert summaries[1].period == "W"
    assert summaries[1].n_periods == summaries[1].frame()["period"].nunique()
    assert summaries[2].feature == "duty_rate"
    assert summaries[3].names == tuple(reasons.by_concept())


def test_stability_of_all_periods_is_the_importance(reasons):
    table = stability(reasons, period="W").frame()
    weights = table["mean_abs"] * table["n_items"]
    whole = weights.groupby(table["name"]).sum() / len(reasons)
    overall = importance(reasons, n_bootstrap=1).frame().set_index("name")["mean_abs"]
    pd.testing.assert_series_equal(
        whole.sort_index(), overall.sort_index(), check_names=False
    )
    first = table.groupby("period")["share"].sum()
    np.testing.assert_allclose(first, 1.0)


def test_dependence_groups_the_items_and_keeps_the_mean(reasons):
    table = dependence(reasons, "duty_rate", n_bins=4).frame()
    assert table["n_items"].sum() == len(reasons)
    mean = (table["mean"] * table["n_items"]).sum() / len(reasons)
    place = reasons.shap.feature_names.index("duty_rate")
    assert mean == pytest.approx(reasons.shap.values[:, place].mean())
    with pytest.raises(ArgumentError, match="Did you mean 'duty_rate'"):
        dependence(reasons, "duty_rat")


def test_a_segment_profile_adds_up_to_the_mean_score(reasons):
    table = segment_profile(reasons, "office").frame()
    parts = table.drop(columns=["segment", "n_items", "raw_score"]).sum(axis=1)
    np.testing.assert_allclose(parts, table["raw_score"])
    with pytest.raises(ArgumentError, match="no field 'offices'"):
        segment_profile(reasons, "offices")
    with pytest.raises(ArgumentError, match="one value for each"):
        segment_profile(reasons, ["a"])
