"""The display of a closed loop: means over worlds, drawn as they are."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.displays import ClosedLoopDisplay
from smartrisk.errors import ArgumentError
from smartrisk.simulation import ClosedLoop


@pytest.fixture
def loop():
    rows = [
        {
            "seed": seed,
            "arm": arm,
            "month": f"2026-0{month}",
            "hit_rate": 0.1 * month + 0.02 * seed,
            "recall": 0.5,
        }
        for seed in (0, 1)
        for arm in ("one", "two", "oracle")
        for month in (1, 2, 3)
    ]
    return ClosedLoop(pd.DataFrame(rows))


def test_points_are_means_over_worlds_and_months(loop):
    frame = ClosedLoopDisplay.from_loop(loop, months=2).frame()
    one = frame[frame["arm"] == "one"].set_index("month")["mean"]
    assert one.tolist() == pytest.approx([0.11, 0.16, 0.26])
    assert set(frame["arm"]) == {"one", "two"}
    assert (frame["n_worlds"] == 2).all()
    plain = ClosedLoopDisplay.from_loop(loop, months=1).frame()
    assert (plain["high"] - plain["low"]).iloc[0] == pytest.approx(0.02)


def test_it_draws_a_line_and_a_name_for_each_arm(loop, tmp_path):
    display = ClosedLoopDisplay.from_loop(loop).plot()
    assert len(display.ax_.lines) == 2
    assert {text.get_text() for text in display.ax_.texts} == {"one", "two"}
    one, two = (display.save(tmp_path / f"{k}.svg").read_bytes() for k in "ab")
    assert one == two
    display.figure_.clear()


def test_an_unknown_measure_is_refused(loop):
    with pytest.raises(ArgumentError, match="measure"):
        ClosedLoopDisplay.from_loop(loop, measure="regret")
