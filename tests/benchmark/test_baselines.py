"""The default engine beats the baselines of the literature in every world."""

from __future__ import annotations

import pytest

import smartrisk as sr


@pytest.mark.slow
def test_the_engine_beats_the_baselines_on_every_world(program):
    contenders, measures = program("quality_contenders"), program("quality_measures")
    baselines = (sr.models.SmoothedRateSum(), sr.models.DateFeaturesClassifier())
    ratios = {"precision": [], "revenue": []}
    for seed in range(5):
        world = contenders.Prepared.make("national", 30_000, seed)
        fitted = contenders.Fitted.fit(world)
        own = measures.judge(fitted.scores, world.truth)
        others = [
            measures.judge(contenders.on_declarations(model)(fitted), world.truth)
            for model in baselines
        ]
        for name, found in ratios.items():
            best = max(other[name] for other in others)
            assert own[name] > best, (seed, name)
            found.append(own[name] / best)
    assert all(sum(found) / 5 >= 1.3 for found in ratios.values())
