"""The default engine is better than the earlier one, in small forms of the benchmarks.

The bars are those that the default reaches in these worlds with a margin; the earlier
settings reach none of them.
"""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

import smartrisk as sr

#: Worlds of both families with many results: scenario and seed.
WORLDS = (
    ("national", 310),
    ("drift", 311),
    ("transshipment", 312),
    ("phoenix", 313),
    ("independent-stable", 314),
    ("independent-drift", 315),
)


@pytest.fixture(scope="module")
def contenders(program):
    return program("quality_contenders")


@pytest.fixture(scope="module")
def measures(program):
    return program("quality_measures")


@pytest.fixture(scope="module")
def table(contenders, measures):
    """Return the measures of the default, the earlier settings and two rivals."""
    rivals = {
        "earlier": contenders.risk_of(**contenders.EARLIER),
        "smoothed": contenders.on_declarations(sr.models.SmoothedRateSum()),
        "DATE": contenders.on_declarations(sr.models.DateFeaturesClassifier()),
    }
    rows = []
    for scenario, seed in WORLDS:
        world = contenders.Prepared.make(scenario, 20_000, seed)
        fitted = contenders.Fitted.fit(world)
        found = {"default": fitted.scores}
        found |= {name: score(fitted) for name, score in rivals.items()}
        rows += [
            {"world": scenario, "model": name, **measures.judge(scores, world.truth)}
            for name, scores in found.items()
        ]
    return pd.DataFrame(rows).set_index(["world", "model"])


def gains(table, measure, other):
    """Return by how much the default is better, world by world."""
    wide = table[measure].unstack("model")
    return wide["default"] - wide[other]


@pytest.mark.slow
def test_the_default_finds_more_than_the_earlier_settings(table):
    precision = gains(table, "precision", "earlier")
    assert precision.mean() >= 0.02
    assert (precision > 0).sum() >= 4
    assert gains(table, "average_precision", "earlier").mean() >= 0.03
    assert gains(table, "revenue", "earlier").mean() >= -0.01


@pytest.mark.slow
@pytest.mark.parametrize("other", ["smoothed", "DATE"])
def test_the_default_beats_the_baselines(table, other):
    assert (gains(table, "precision", other) > 0).all()
    means = table["precision"].groupby("model").mean()
    assert means["default"] >= 1.3 * means[other]
    # Few recoveries decide the revenue of a world.
    revenue = gains(table, "revenue", other)
    assert revenue.mean() >= 0.05
    assert (revenue > 0).sum() >= 4


@pytest.mark.slow
def test_the_probabilities_are_near_the_truth_of_all_later_items(table):
    own = table.xs("default", level="model")
    assert own["ece"].mean() <= 0.03
    # Fewer than 200 hits give the slope of a world to a third.
    assert 0.75 <= own["slope"].median() <= 1.3
    assert own["slope"].between(0.6, 1.6).sum() >= 4
    assert own["covered"].mean() >= 0.8


@pytest.mark.slow
def test_few_hits_are_enough_to_be_as_good_as_each_part(program, monkeypatch):
    few_results = program("few_results")
    runs = program("quality_runs")
    monkeypatch.setitem(few_results.CELLS, 4_000, (20,))
    rows = []
    for seed, scenario in enumerate(list(few_results.scenarios())[-6:]):
        world = runs.World(scenario, 4_000, 320 + seed)
        rows += [{**world._asdict(), **row} for row in few_results.measure(world)]
    cells = few_results.compare(pd.DataFrame(rows))
    assert cells["worlds"].tolist() == [6]
    assert cells["reached"].all(), cells.T
    assert cells["smartrisk"].item() >= cells["earlier settings"].item() + 0.02


@pytest.mark.slow
def test_without_results_the_order_is_far_better_than_chance(contenders, measures):
    lifts = {}
    for scenario, seed in WORLDS:
        world = sr.datasets.make_declarations(
            12_000, scenario=scenario, random_state=seed
        )
        split = sr.windows.time_split(world.declarations, world.outcomes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            engine = sr.RiskEngine().fit(split.past, None)
            scores = engine.score(split.later, guard="off")
        assert engine.stage_ == "no results"
        later = (world.declarations["lodged_at"] >= split.at).to_numpy()
        found = measures.judge(scores, world.full_outcomes()[later])
        lifts[scenario] = found["lift"]
    assert min(lifts.values()) >= 2.0, lifts
    assert pd.Series(lifts).median() >= 4.0, lifts
