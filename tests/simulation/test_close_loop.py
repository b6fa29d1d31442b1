"""The closed loop: an arm learns from its own findings, late, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

import smartrisk
from smartrisk import RiskEngine
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError
from smartrisk.models import RiskClassifier, SmoothedRateSum
from smartrisk.selectivity import Costs, Policy
from smartrisk.simulation import Arm, close_loop, standard_arms

KEY = ["declaration_id", "item_number"]
#: What contenders saw; a module, whose content does not count towards a fingerprint.
RECORDS = ModuleType("records")
RECORDS.seen = []


@pytest.fixture(scope="module")
def world():
    return make_declarations(4_000, random_state=0, scenario="small")


class Witness:
    """A contender that keeps what it was given and ranks by a column."""

    def __init__(self, column="duty_rate"):
        self.column = column

    def fit(self, declarations, outcomes):
        RECORDS.seen.append((declarations, outcomes))
        return self

    def score(self, new):
        return new[KEY].assign(risk_score=new[self.column])


def test_an_arm_learns_only_from_what_it_could_know(world):
    RECORDS.seen.clear()
    arm = Arm(contender=Witness(), policy=Policy(capacity=0.1))
    result = close_loop({"duty": arm}, [world], start=12)
    months = pd.period_range("2024-01", "2024-12", freq="M")
    assert len(RECORDS.seen) == 12
    own = world.outcomes.merge(world.declarations[[*KEY, "lodged_at"]], on=KEY)
    late = set(own.loc[own["lodged_at"] >= "2024-01-01", "declaration_id"])
    for month, (items, known) in zip(months, RECORDS.seen, strict=True):
        begins = month.start_time
        assert (items["lodged_at"] < begins).all()
        assert (known["known_at"] < begins).all()
    items, known = RECORDS.seen[-1]
    new = known.merge(items[[*KEY, "lodged_at"]], on=KEY)
    own = new[new["lodged_at"] >= "2024-01-01"]
    assert len(own) > 50
    assert not set(own["declaration_id"]) <= late  # not the offices' findings
    frame = result.frame().query("arm == 'duty'")
    assert frame["n_known"].is_monotonic_increasing


def test_from_the_start_an_arm_has_its_own_findings_only(world):
    """An arm that controls nothing learns nothing of what the offices found."""
    RECORDS.seen.clear()
    arm = Arm(contender=Witness(), policy=Policy(capacity=0, random_share=0.0))
    close_loop({"none": arm}, [world], start=12)
    lodged = world.outcomes.merge(world.declarations[[*KEY, "lodged_at"]], on=KEY)
    before = lodged[lodged["lodged_at"] < "2024-01-01"]
    _, known = RECORDS.seen[-1]
    assert set(known["declaration_id"]) == set(before["declaration_id"])


def test_figures_are_those_of_the_decisions(world):
    arm = Arm(contender=Witness(), policy=Policy(capacity=0.1, random_share=0.0))
    frame = close_loop({"duty": arm}, [world], start=20).frame()
    own = frame[frame["arm"] == "duty"].iloc[0]
    now = (world.declarations["lodged_at"].dt.strftime("%Y-%m") == "2024-09").to_numpy()
    k = round(0.1 * now.sum())
    assert own["month"] == "2024-09"
    assert own["n_controls"] == pytest.approx(k, abs=1)
    rate = world.declarations["duty_rate"].to_numpy()[now]
    hit = world.truth["illicit"].to_numpy()[now]
    sure = hit[rate > np.sort(rate)[::-1][int(own["n_controls"])]].sum()
    assert sure <= own["hits"] <= hit.sum()
    oracle = frame[frame["arm"] == "oracle"].iloc[0]
    assert oracle["hits"] == min(own["n_controls"], hit.sum())
    assert own["regret"] == oracle["hits"] - own["hits"]


def test_an_arm_that_knows_all_learns_from_every_past_item(world):
    RECORDS.seen.clear()
    arm = Arm(contender=Witness(), knows_all=True)
    close_loop({"all": arm}, [world], start=22)
    items, known = RECORDS.seen[-1]
    assert len(known) == len(items)


def test_between_two_fits_nothing_is_fitted(world):
    RECORDS.seen.clear()
    close_loop({"w": Arm(contender=Witness(), refit_every=5)}, [world], start=12)
    assert len(RECORDS.seen) == 3


@pytest.mark.slow
def test_totals_and_comparisons_are_paired_by_world():
    worlds = [
        make_declarations(4_000, random_state=s, scenario="small") for s in (0, 1)
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
    found = alone.compare("duty", "value", last=6).set_index("measure")
    assert found.loc["hit_rate", "ratio"] > 0
    most = alone.compare("rates", "oracle", last=6).set_index("measure")
    assert 0 < most.loc["hit_rate", "ratio"] < 1
    assert alone.compare("duty", "duty")["ratio"].eq(1.0).all()
    again = close_loop(arms, worlds, start=12, n_jobs=2)
    pd.testing.assert_frame_equal(alone.frame(), again.frame())


def test_what_cannot_run_is_refused(world):
    with pytest.raises(ArgumentError, match="at least one"):
        close_loop({}, [world])
    with pytest.raises(ArgumentError, match="none called 'oracle'"):
        close_loop({"oracle": Arm()}, [world])
    with pytest.raises(ArgumentError, match="'worlds' must hold at least one"):
        close_loop({"a": Arm()}, [])
    with pytest.raises(ArgumentError, match="months in the world, 24; got 24"):
        close_loop({"a": Arm()}, [world], start=24)
    with pytest.raises(ArgumentError, match="'policy' must be a Policy"):
        Arm(policy=0.1)
    one = close_loop({"a": Arm(contender=Witness())}, [world], start=23)
    with pytest.raises(ArgumentError, match="arm"):
        one.compare("a", "b")


def test_a_run_that_was_interrupted_resumes(world, tmp_path):
    RECORDS.seen.clear()
    arms = {"w": Arm(contender=Witness(), refit_every=6)}
    first = close_loop(arms, [world], start=12, folder=tmp_path)
    fitted = len(RECORDS.seen)
    found = []
    more = arms | {"v": Arm(contender=Witness("customs_value"), refit_every=6)}
    both = close_loop(
        more,
        [world],
        start=12,
        folder=tmp_path,
        progress=lambda *what: found.append(what),
    )
    assert len(RECORDS.seen) == 2 * fitted
    assert {name for name, _, _ in found} == {"v"}
    own = both.frame().query("arm == 'w'").reset_index(drop=True)
    pd.testing.assert_frame_equal(
        own, first.frame().query("arm == 'w'").reset_index(drop=True)
    )


# --------------------------------------------------------------------- resuming


def count_fits(folder, worlds, start=20, **fields):
    """Return how many fits a closed loop with a folder needs."""
    RECORDS.seen.clear()
    arm = Arm(**{"contender": Witness(), "refit_every": 6, **fields})
    close_loop({"arm": arm}, worlds, start=start, folder=folder)
    return len(RECORDS.seen)


class Inner(BaseEstimator):
    """A part of a contender."""

    def __init__(self, column="duty_rate"):
        self.column = column


class Outer(BaseEstimator):
    """A contender with a nested estimator."""

    def __init__(self, inner=None):
        self.inner = inner

    def fit(self, declarations, outcomes):
        RECORDS.seen.append((declarations, outcomes))
        return self

    def score(self, declarations):
        return declarations[KEY].assign(risk_score=declarations[self.inner.column])


class StricterWitness(Witness):
    """A contender with other code."""

    def score(self, new):
        return super().score(new)


@pytest.mark.slow
def test_an_unchanged_run_resumes_and_each_changed_contender_starts_again(
    world, tmp_path
):
    assert count_fits(tmp_path, [world]) == 1
    assert count_fits(tmp_path, [world]) == 0
    assert count_fits(tmp_path, [world], contender=Witness("customs_value")) == 1
    assert count_fits(tmp_path, [world], contender=StricterWitness()) == 1
    nested = Outer(Inner())
    assert count_fits(tmp_path, [world], contender=nested) == 1
    assert count_fits(tmp_path, [world], contender=clone(nested)) == 0
    other = Outer(Inner("customs_value"))
    assert count_fits(tmp_path, [world], contender=other) == 1


@pytest.mark.slow
def test_another_engine_starts_again(world, tmp_path):
    policy = Policy(capacity=0.1, random_share=0.0)

    def run(engine, folder=tmp_path):
        arm = Arm(contender=engine, policy=policy)
        return close_loop({"engine": arm}, [world], start=23, folder=folder).frame()

    one = run(RiskEngine(random_state=0))
    engine = RiskEngine(
        classifier=RiskClassifier(learning_rate=0.9, n_estimators=5), random_state=0
    )
    other = run(engine)
    assert len(list(tmp_path.iterdir())) == 2
    pd.testing.assert_frame_equal(other, run(engine, folder=None))
    pd.testing.assert_frame_equal(one, run(RiskEngine(random_state=0)))
    default = Arm(policy=policy)  # RiskEngine(random_state=0) by another way
    close_loop({"engine": default}, [world], start=23, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "policy",
    [
        Policy(capacity=0.2),
        Policy(random_share=0.5, red_share=0.1),
        Policy(costs=Costs(control=5.0)),
        Policy(random_state=1),
        Policy(version="2"),
    ],
)
def test_another_policy_starts_again(world, tmp_path, policy):
    assert count_fits(tmp_path, [world], policy=Policy()) == 1
    assert count_fits(tmp_path, [world], policy=policy) == 1
    assert count_fits(tmp_path, [world], policy=policy) == 0


def test_another_world_starts_again(world, tmp_path):
    assert count_fits(tmp_path, [world]) == 1
    seed = make_declarations(4_000, random_state=1, scenario="small")
    assert count_fits(tmp_path, [seed]) == 1
    size = make_declarations(3_000, random_state=0, scenario="small")
    assert count_fits(tmp_path, [size]) == 1
    scenario = replace(world.scenario, threshold=99.0)
    assert count_fits(tmp_path, [replace(world, scenario=scenario)]) == 1
    value = world.declarations["customs_value"] + 1
    edited = replace(world, declarations=world.declarations.assign(customs_value=value))
    assert count_fits(tmp_path, [edited]) == 1
    assert count_fits(tmp_path, [world]) == 0


def test_another_start_refit_or_way_to_learn_starts_again(world, tmp_path):
    assert count_fits(tmp_path, [world]) == 1
    assert count_fits(tmp_path, [world], start=21) == 1
    assert count_fits(tmp_path, [world], refit_every=2) == 2
    assert count_fits(tmp_path, [world], knows_all=True) == 1
    assert count_fits(tmp_path, [world], thompson=True) == 1
    assert count_fits(tmp_path, [world]) == 0


def test_another_version_of_the_library_starts_again(world, tmp_path, monkeypatch):
    assert count_fits(tmp_path, [world]) == 1
    monkeypatch.setattr(smartrisk, "__version__", "99.0")
    assert count_fits(tmp_path, [world]) == 1


def test_the_name_of_an_arm_is_that_of_the_run(world, tmp_path):
    arm = Arm(contender=Witness(), refit_every=6)
    close_loop({"before": arm}, [world], start=20, folder=tmp_path)
    frame = close_loop({"after": arm}, [world], start=20, folder=tmp_path).frame()
    assert set(frame["arm"]) == {"after", "oracle"}
    assert len(list(tmp_path.iterdir())) == 1


def test_arms_that_explore_by_weight_and_by_draws_run(world):
    RECORDS.seen.clear()
    arms = {
        "novel": Arm(policy=Policy(explore="novelty"), contender=Witness()),
        "draws": Arm(contender=Witness(), thompson=True),
        "plain": Arm(contender=Witness()),
    }
    result = close_loop(arms, [world], start=22)
    assert set(result.frame()["arm"]) == {*arms, "oracle"}
    sizes = [len(known) for _, known in RECORDS.seen]
    assert 0.35 < sizes[2] / sizes[4] < 0.65


def test_each_arm_is_measured_by_the_most_its_own_controls_can_find(world):
    arms = {
        "few": Arm(policy=Policy(capacity=0.02), contender=Witness(), refit_every=9),
        "many": Arm(policy=Policy(capacity=0.9), contender=Witness(), refit_every=9),
    }
    result = close_loop(arms, [world], start=18)
    total = result.total().set_index("arm")
    assert total["of_oracle"].le(1.0).all()
    oracle = result.frame().query("arm == 'oracle'")
    assert (oracle["hits"] <= oracle["n_controls"]).all()
    assert oracle["hits"].sum() < oracle["all_hits"].sum()
    assert total.loc["many", "of_oracle"] > total.loc["few", "of_oracle"]
    with pytest.raises(ArgumentError, match="differ by random_state"):
        close_loop(arms, [world, world])


def test_the_standard_arms_are_those_of_the_literature():
    arms = standard_arms(0.05)
    assert {"exploit only", "risky", "hybrid", "Thompson", "all truths"} <= set(arms)
    assert all(arm.policy.capacity == 0.05 for arm in arms.values())
