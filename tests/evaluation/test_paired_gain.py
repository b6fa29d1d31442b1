"""Two rankings of the same items, compared by one metric with a paired interval."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from smartrisk.errors import ArgumentError, LeakageWarning, TableError
from smartrisk.evaluation import evaluate, paired_gain, read_metric
from smartrisk.evaluation._paired_gain import _overall_measure
from smartrisk.items import item_ids, mark_learned


@pytest.fixture(scope="module")
def pair():
    """Return two rankings with ties, results of nine in ten items, and traders."""
    rng = np.random.default_rng(0)
    n = 300
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    hit = (rng.random(n) < 0.2).astype(int)
    good = np.round(np.clip(hit * 0.3 + rng.random(n) * 0.7, 0, 1), 1)
    bad = np.round(rng.random(n), 1)
    one, other = (
        key.assign(risk_score=risk, expected_revenue=100 * risk) for risk in (good, bad)
    )
    results = key.assign(illicit=hit, revenue_adjustment=hit * rng.random(n) * 100)
    return one, other, results.iloc[: 9 * n // 10], np.repeat(np.arange(n // 3), 3)


def test_figures_are_those_of_evaluate(pair):
    one, other, results, _ = pair
    names = "precision_at_05pct recall_at_12_5pct_by_revenue revenue_share_at_30items"
    rates = (0.05, 0.125, 30)
    flat = [
        evaluate(scores, results, rates=rates, n_bootstrap=0).to_dict()
        for scores in (one, other)
    ]
    for name in [*names.split(), "roc_auc", "average_precision", "brier"]:
        gain = paired_gain(one, other, results, metric=name, n_bootstrap=20)
        assert gain.challenger == pytest.approx(flat[0][name], abs=1e-12)
        assert gain.champion == pytest.approx(flat[1][name], abs=1e-12)
        assert gain.n_items == 270


def test_less_is_better_for_an_error(pair):
    one, other, results, _ = pair
    for name in ("brier", "calibration_error"):
        gain = paired_gain(one, other, results, metric=name, n_bootstrap=20)
        assert gain.gain == gain.champion - gain.challenger
        assert gain.low <= gain.gain <= gain.high
        assert not read_metric(name).greater_is_better


@pytest.mark.parametrize(
    ("name", "reference"),
    [("roc_auc", roc_auc_score), ("average_precision", average_precision_score)],
)
def test_a_draw_counts_an_item_as_often_as_it_was_drawn(pair, name, reference):
    one, _, results, _ = pair
    score = one["risk_score"].to_numpy()[: len(results)]
    hit = results["illicit"].to_numpy(np.float64)
    weights = np.random.default_rng(1).integers(0, 4, (5, len(hit))).astype(np.float64)
    found = _overall_measure(name, score, hit)(weights)
    wanted = [reference(hit, score, sample_weight=w) for w in weights]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_traders_are_drawn_as_wholes(pair):
    one, other, results, _ = pair
    # Every item three times, as items of one trader: no more is known than before.
    parts = [
        table.assign(declaration_id=table["declaration_id"] + f"-{k}")
        for table in (one, other, results)
        for k in range(3)
    ]
    tripled = [pd.concat(parts[k : k + 3]) for k in (0, 3, 6)]
    traders = tripled[0]["declaration_id"].str.partition("-")[0]
    wide, narrow = (
        paired_gain(*tripled, metric="roc_auc", groups=of, n_bootstrap=200)
        for of in (traders, None)
    )
    alone = paired_gain(one, other, results, metric="roc_auc", n_bootstrap=200)
    width = alone.high - alone.low
    assert wide.high - wide.low == pytest.approx(width, rel=0.2)
    assert narrow.high - narrow.low < 0.8 * width
    assert (wide.n_groups, narrow.n_groups) == (270, 810)


def test_items_without_a_trader_are_groups_of_their_own(pair):
    one, other, results, groups = pair
    some = pd.Series(groups, dtype=object).where(groups > 0)
    gain = paired_gain(one, other, results, groups=some, n_bootstrap=10)
    assert gain.n_groups == 90 - 1 + 3


def test_no_interval_from_too_few_traders(pair):
    one, other, results, groups = pair
    gain = paired_gain(one, other, results, groups=groups % 19, n_bootstrap=10)
    assert math.isnan(gain.low)
    assert math.isnan(gain.high)
    assert gain.gain == gain.challenger - gain.champion


def test_the_order_of_the_champions_rows_does_not_matter(pair):
    one, other, results, _ = pair
    gains = [
        paired_gain(one, of, results, n_bootstrap=20) for of in (other, other[::-1])
    ]
    assert repr(gains[0]) == repr(gains[1])
    frame = gains[0].frame()
    assert frame["metric"][0] == "precision_at_05pct"
    assert frame["metric"].is_unique
    assert frame["low"].notna().sum() == 1


@pytest.mark.parametrize(
    "name",
    [
        *("precision", "precision_at_5", "recall_at_101pct", "lift_at_05pct", 3),
        *("n_items", "precision_at_0items", "precision_at_05pct_by_risk"),
    ],
)
def test_other_names_than_metrics_are_refused(name):
    with pytest.raises(ArgumentError, match="is not a metric that ranks models"):
        read_metric(name)


def test_what_the_champion_has_learned_is_warned_of(pair):
    one, other, results, _ = pair
    marked = other.copy()
    mark_learned(marked, item_ids(marked.head(7)))
    with pytest.warns(LeakageWarning, match="results of 7 of the 270"):
        paired_gain(one, marked, results, n_bootstrap=5)


def test_revenue_is_needed_for_its_share(pair):
    one, other, results, _ = pair
    bare = results.drop(columns="revenue_adjustment")
    with pytest.raises(TableError, match="no judged item has revenue"):
        paired_gain(one, other, bare, metric="revenue_share_at_05pct")
    assert "recall_at_05pct" in set(paired_gain(one, other, bare).frame()["metric"])
