"""Intervals of the estimates cover in a small form of the benchmark of enforcement."""

from __future__ import annotations

import pandas as pd
import pytest

N_WORLDS, N_ITEMS = 20, 4_000
#: Of 20 intervals of 95 %, fewer than 17 cover in 1.6 % of the tries; seeds are fixed.
LEAST = 17


@pytest.mark.slow
def test_intervals_cover_what_a_control_of_everything_finds_and_pooled_ones_do_not(
    program,
):
    enforcement, runs = program("enforcement"), program("quality_runs")
    worlds = [runs.World("national", N_ITEMS, seed) for seed in range(N_WORLDS)]
    rows = [row for world in worlds for row in enforcement.measure(world)]
    counts = enforcement.count_covered(
        pd.DataFrame(rows).assign(scenario="national")
    ).set_index(["decided_by", "indicator"])
    for by in ("offices", "policy"):
        assert counts.loc[(by, "hit_rate_random"), "covered"] >= LEAST
        assert counts.loc[(by, "non_compliance"), "covered"] >= LEAST
        assert counts.loc[(by, "hit_rate"), "covered"] < LEAST
        # The draw is narrow enough to say something, and what it misses is known.
        assert counts.loc[(by, "non_compliance"), "width"] < 0.1
        assert counts.loc[(by, "non_compliance"), "missed"] > 0
