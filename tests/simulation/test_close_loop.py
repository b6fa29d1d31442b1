"""The closed loop: an arm learns from its own findings, late, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError
from smartrisk.models import SmoothedRateSum
from smartrisk.selectivity import Policy
from smartrisk.simulation import Arm, close_loop, standard_arms

KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(4_000, random_state=0, scenario="small")


class Witness:
    """A contender that keeps what it was given and ranks by a column."""

    seen: list = []  # noqa: RUF012

    def __init__(self, column="duty_rate"):
        self.column = column

    def fit(self, declarations, outcomes):
        Witness.seen.append((declarations, outcomes))
        return self

    def score(self, new):
        return new[KEY].assign(risk_score=new[self.column])


def test_an_arm_learns_only_from_what_it_could_know(world):
    Witness.seen.clear()
    arm = Arm(contender=Witness(), policy=Policy(capacity=0.1))
    result = close_loop({"duty": arm}, [world], start=12)
    months = pd.period_range("2024-01", "2024-12", freq="M")
    assert len(Witness.seen) == 12
    own = world.outcomes.merge(world.declarations[[*KEY, "lodged_at"]], on=KEY)
    late = set(own.loc[own["lodged_at"] >= "2024-01-01", "declaration_id"])
    for month, (items, known) in zip(months, Witness.seen, strict=True):
        begins = month.start_time
        assert (items["lodged_at"] < begins).all()
        assert (known["known_at"] < begins).all()
    items, known = Witness.seen[-1]
    new = known.merge(items[[*KEY, "lodged_at"]], on=KEY)
    mine = new[new["lodged_at"] >= "2024-01-01"]
    assert len(mine) > 50
    assert not set(mine["declaration_id"]) <= late  # not the offices' findings
    frame = result.frame().query("arm == 'duty'")
    assert frame["n_known"].is_monotonic_increasing


def test_figures_are_those_of_the_decisions(world):
    arm = Arm(contender=Witness(), policy=Policy(capacity=0.1, random_share=0.0))
    frame = close_loop({"duty": arm}, [world], start=20).frame()
    mine = frame[frame["arm"] == "duty"].iloc[0]
    now = (world.declarations["lodged_at"].dt.strftime("%Y-%m") == "2024-09").to_numpy()
    k = round(0.1 * now.sum())
    assert mine["month"] == "2024-09"
    assert mine["n_controls"] == pytest.approx(k, abs=1)
    rate = world.declarations["duty_rate"].to_numpy()[now]
    hit = world.truth["illicit"].to_numpy()[now]
    sure = hit[rate > np.sort(rate)[::-1][int(mine["n_controls"])]].sum()
    assert sure <= mine["hits"] <= hit.sum()
    oracle = frame[frame["arm"] == "oracle"].iloc[0]
    assert oracle["hits"] == min(mine["n_controls"], hit.sum())
    assert mine["regret"] == oracle["hits"] - mine["hits"]


def test_who_knows_all_learns_from_every_past_item(world):
    Witness.seen.clear()
    arm = Arm(contender=Witness(), knows_all=True)
    close_loop({"all": arm}, [world], start=22)
    items, known = Witness.seen[-1]
    assert len(known) == len(items)


def test_between_two_fits_nothing_is_fitted(world):
    Witness.seen.clear()
    close_loop({"w": Arm(contender=Witness(), refit_every=5)}, [world], start=12)
    assert len(Witness.seen) == 3


def test_totals_and_comparisons_are_paired_by_world():
    worlds = [
        make_declarations(2_000, random_state=s, scenario="small") for s in (0, 1)
    ]
    arms = {
        "duty": Arm(contender=Witness(), refit_every=6),
        "value": Arm(contender=Witness("customs_value"), refit_every=6),
        "rates": Arm(contender=SmoothedRateSum(), refit_every=6),
    }
    alone = close_loop(arms, worlds, start=12)
    total = alone.total().set_index("arm")
    assert total.loc["oracle", "of_oracle"] == 1.0
    assert total["of_oracle"].le(1.0).all()
    assert (total["n_worlds"] == 2).all()
    told = alone.compare("duty", "value", last=6).set_index("measure")
    assert told.loc["hit_rate", "ratio"] > 0
    assert alone.compare("duty", "duty")["ratio"].eq(1.0).all()
    again = close_loop(arms, worlds, start=12, n_jobs=2)
    pd.testing.assert_frame_equal(alone.frame(), again.frame())


def test_what_cannot_run_is_refused(world):
    with pytest.raises(ArgumentError, match="at least one"):
        close_loop({}, [world])
    with pytest.raises(ArgumentError, match="none called 'oracle'"):
        close_loop({"oracle": Arm()}, [world])
    with pytest.raises(ArgumentError, match="only 24 months"):
        close_loop({"a": Arm()}, [world], start=24)
    with pytest.raises(ArgumentError, match="'policy' must be a Policy"):
        Arm(policy=0.1)
    one = close_loop({"a": Arm(contender=Witness())}, [world], start=23)
    with pytest.raises(ArgumentError, match="arm"):
        one.compare("a", "b")


def test_a_run_that_was_broken_off_goes_on(world, tmp_path):
    Witness.seen.clear()
    arms = {"w": Arm(contender=Witness(), refit_every=6)}
    first = close_loop(arms, [world], start=12, folder=tmp_path)
    fitted = len(Witness.seen)
    told = []
    more = arms | {"v": Arm(contender=Witness("customs_value"), refit_every=6)}
    both = close_loop(
        more,
        [world],
        start=12,
        folder=tmp_path,
        progress=lambda *what: told.append(what),
    )
    assert len(Witness.seen) == 2 * fitted
    assert {name for name, _, _ in told} == {"v"}
    mine = both.frame().query("arm == 'w'").reset_index(drop=True)
    pd.testing.assert_frame_equal(
        mine, first.frame().query("arm == 'w'").reset_index(drop=True)
    )


def test_arms_that_explore_by_weight_and_by_draws_run(world):
    Witness.seen.clear()
    arms = {
        "novel": Arm(policy=Policy(explore="novelty"), contender=Witness()),
        "draws": Arm(contender=Witness(), thompson=True),
        "plain": Arm(contender=Witness()),
    }
    result = close_loop(arms, [world], start=22)
    assert set(result.frame()["arm"]) == {*arms, "oracle"}
    sizes = [len(known) for _, known in Witness.seen]
    assert 0.35 < sizes[2] / sizes[4] < 0.65


def test_each_arm_is_measured_by_the_most_its_own_controls_can_find(world):
    arms = {
        "few": Arm(policy=Policy(capacity=0.02), contender=Witness(), refit_every=9),
        "many": Arm(policy=Policy(capacity=0.9), contender=Witness(), refit_every=9),
    }
    total = close_loop(arms, [world], start=18).total().set_index("arm")
    assert total["of_oracle"].le(1.0).all()
    assert total.loc["many", "of_oracle"] > total.loc["few", "of_oracle"]
    with pytest.raises(ArgumentError, match="differ by random_state"):
        close_loop(arms, [world, world])


def test_the_standard_arms_are_those_of_the_field():
    arms = standard_arms(0.05)
    assert {"exploit only", "risky", "hybrid", "Thompson", "all truths"} <= set(arms)
    assert all(arm.policy.capacity == 0.05 for arm in arms.values())
