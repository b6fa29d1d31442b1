"""What another policy would have found: unbiased, covered, or refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import off_policy, whole_flow

N = 4_000


def population(seed):
    """Return a flow: truth, logged propensities, a target, a model of the truth."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(0.6, 6.0, N)
    flow = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(N)]})
    flow["risk"] = risk
    flow["illicit"] = (rng.random(N) < risk).astype(int)
    amount = np.exp(rng.normal(5, 0.7, N))
    flow["revenue_adjustment"] = amount * flow["illicit"]
    other = np.clip(risk + rng.normal(0, 0.1, N), 0, 1)
    flow["propensity"] = np.clip(0.05 + 0.5 * other, 0.05, 1)
    flow["wanted"] = risk >= np.quantile(risk, 0.9)
    model = flow[["declaration_id"]].assign(
        risk_score=risk, expected_revenue=risk * amount.mean()
    )
    return flow, model


def drawn(flow, rng):
    """Return decisions and outcomes of one draw of the past policy."""
    looked = rng.random(len(flow)) < flow["propensity"]
    decisions = flow[["declaration_id", "propensity"]].assign(
        channel=np.where(looked, "red", "green")
    )
    columns = ["declaration_id", "illicit", "revenue_adjustment"]
    return decisions, flow.loc[looked, columns]


def target_of(flow):
    return flow[["declaration_id"]].assign(
        channel=np.where(flow["wanted"], "red", "green")
    )


def truth_of(flow):
    own = flow[flow["wanted"]]
    return {
        "hit_rate": own["illicit"].mean(),
        "hits": own["illicit"].sum(),
        "recall": own["illicit"].sum() / flow["illicit"].sum(),
        "revenue": own["revenue_adjustment"].sum(),
        "revenue_share": own["revenue_adjustment"].sum()
        / flow["revenue_adjustment"].sum(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ips", "snips", "dr"])
def test_estimates_are_unbiased_and_their_intervals_cover(method):
    flow, model = population(0)
    rng, true = np.random.default_rng(1), truth_of(flow)
    found = []
    for _ in range(60):
        decisions, outcomes = drawn(flow, rng)
        given_model = model if method == "dr" else None
        result = off_policy(
            decisions, outcomes, target_of(flow), model=given_model, method=method
        )
        found.append(result.frame().assign(true=lambda t: t["estimand"].map(true)))
    table = pd.concat(found)
    table["covers"] = (table["low"] <= table["true"]) & (table["true"] <= table["high"])
    by = table.groupby("estimand")
    ratio = by["estimate"].mean() / by["true"].first()
    assert (ratio - 1).abs().max() < 0.05
    assert by["covers"].mean().min() >= 0.88


def test_a_good_model_makes_the_interval_narrower():
    flow, model = population(0)
    width = {}
    for method in ("ips", "dr"):
        rng = np.random.default_rng(2)
        widths = []
        for _ in range(10):
            decisions, outcomes = drawn(flow, rng)
            table = off_policy(
                decisions,
                outcomes,
                target_of(flow),
                model=model if method == "dr" else None,
                method=method,
            ).frame()
            widths.append(table["high"][0] - table["low"][0])
        width[method] = np.mean(widths)
    assert width["dr"] < 0.95 * width["ips"]


def test_when_everything_was_inspected_the_answer_is_the_truth():
    flow, model = population(3)
    decisions, outcomes = drawn(flow.assign(propensity=1.0), np.random.default_rng(0))
    for method in ("ips", "snips", "dr"):
        table = off_policy(
            decisions, outcomes, target_of(flow), model=model, method=method
        ).frame()
        true = table["estimand"].map(truth_of(flow))
        assert np.allclose(table["estimate"], true)
        assert np.allclose(table["low"], true)
        assert np.allclose(table["high"], true)


@settings(max_examples=25, deadline=None)
@given(factor=st.floats(0.1, 1.0), seed=st.integers(0, 100))
def test_snips_does_not_depend_on_the_scale_of_the_propensities(factor, seed):
    flow, _ = population(seed)
    decisions, outcomes = drawn(flow, np.random.default_rng(seed))
    scaled = decisions.assign(propensity=decisions["propensity"] * factor)
    wanted = target_of(flow)
    one = off_policy(decisions, outcomes, wanted, method="snips", min_effective=1)
    two = off_policy(scaled, outcomes, wanted, method="snips", min_effective=1)
    for column in ("estimate",):
        assert np.allclose(one.frame()[column], two.frame()[column])


def test_the_order_of_the_items_changes_nothing():
    flow, model = population(4)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    wanted = target_of(flow)
    one = off_policy(decisions, outcomes, wanted, model=model).frame()
    other = off_policy(
        decisions.sample(frac=1, random_state=0),
        outcomes.sample(frac=1, random_state=1),
        wanted.sample(frac=1, random_state=2),
        model=model.sample(frac=1, random_state=3),
    ).frame()
    numbers = ["estimate", "low", "high"]
    assert np.allclose(one[numbers], other[numbers])


def test_a_target_outside_of_the_past_is_refused_with_the_reason():
    flow, _ = population(5)
    none = flow["wanted"] & (flow.index % 2 == 0)
    flow.loc[none, "propensity"] = 0.0
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    result = off_policy(decisions, outcomes, target_of(flow))
    assert result.frame()["estimate"].isna().all()
    assert result.frame()["refused"].str.contains("never inspects").all()
    assert 0.4 < result.overlap()["unsupported"] < 0.6
    assert "no answer" in repr(result)


def test_too_few_results_are_refused():
    flow, _ = population(6)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    few = flow["declaration_id"].isin(flow["declaration_id"].head(40)) & flow["wanted"]
    wanted = flow[["declaration_id"]].assign(propensity=few.astype(float))
    result = off_policy(decisions, outcomes, wanted)
    assert result.frame()["refused"].str.contains("effective number").all()
    nothing = wanted.assign(propensity=0.0)
    refused = off_policy(decisions, outcomes, nothing).frame()["refused"]
    assert (refused == "the target inspects nothing").all()


def test_without_amounts_only_hits_are_answered():
    flow, _ = population(7)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    table = off_policy(decisions, outcomes.iloc[:, :2], target_of(flow)).frame()
    refused = table.set_index("estimand")["refused"]
    assert (refused[["hit_rate", "hits", "recall"]] == "").all()
    assert refused[["revenue", "revenue_share"]].str.contains("revenue_adj").all()


def test_late_results_raise_the_weight_of_those_that_arrived():
    flow, _ = population(8)
    rng, true = np.random.default_rng(3), truth_of(flow)
    found = []
    for _ in range(30):
        decisions, outcomes = drawn(flow, rng)
        came = outcomes[rng.random(len(outcomes)) < 0.7]
        result = off_policy(decisions, came, target_of(flow), method="ips")
        assert "have not arrived" in result.notes[0]
        found.append(result.frame()["estimate"][1])
    assert np.mean(found) == pytest.approx(true["hits"], rel=0.06)
    decisions, outcomes = drawn(flow, rng)
    with pytest.raises(TableError, match="leave the last months out"):
        off_policy(decisions, outcomes.head(50), target_of(flow))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d, o, t: (d.drop(columns="propensity"), o, t),
            "columns missing in DECISIONS",
        ),
        (
            lambda d, o, t: (d, o.drop(columns="illicit"), t),
            "columns missing in OUTCOMES",
        ),
        (
            lambda d, o, t: (pd.concat([d, d.head(2)]), o, t),
            "DECISIONS repeats the key .* of 2 rows",
        ),
        (
            lambda d, o, t: (d, pd.concat([o, o.head(1)]), t),
            "OUTCOMES repeats the key .* of 1 rows",
        ),
        (lambda d, o, t: (d, o, t.iloc[1:]), "the target lacks 1 of the 4000 items"),
        (lambda d, o, t: (d, o, t[["declaration_id"]]), "'propensity' or 'channel'"),
        (lambda d, o, t: (d, o, t.assign(propensity=2.0)), "must lie in"),
        (lambda d, o, t: (d.assign(propensity=1.5), o, t), "outside"),
        (lambda d, o, t: (d.assign(propensity=0.0), o, t), "a propensity of 0"),
    ],
)
def test_invalid_tables_are_refused(change, message):
    flow, _ = population(9)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    with pytest.raises(TableError, match=message):
        off_policy(*change(decisions, outcomes, target_of(flow)))


def test_missing_channels_and_scores_are_refused_and_not_taken_for_controls():
    flow, model = population(9)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    target = target_of(flow)
    open_channel = target["channel"].where(target.index >= 2)
    with pytest.raises(TableError, match="without a channel in the target: 2"):
        off_policy(decisions, outcomes, target.assign(channel=open_channel))
    no_channel = decisions.assign(channel=open_channel)
    with pytest.raises(TableError, match="without a channel in DECISIONS: 2"):
        off_policy(no_channel, outcomes, target)
    risk = model["risk_score"].where(model.index >= 3)
    with pytest.raises(TableError, match=r"'risk_score' of the model is missing .* 3 "):
        off_policy(decisions, outcomes, target, model=model.assign(risk_score=risk))


def test_groups_in_a_table_are_joined_by_key():
    flow, _ = population(12)
    decisions, outcomes = sampled(flow, np.random.default_rng(0))
    group = np.where(flow.index % 3, "a", "b")
    table = flow[["declaration_id"]].assign(office=group).sample(frac=1, random_state=0)
    one = whole_flow(decisions, outcomes, strata=table, by=table).frame()
    other = whole_flow(decisions, outcomes, strata=group, by=group).frame()
    pd.testing.assert_frame_equal(one, other)
    with pytest.raises(TableError, match="'by' must have one column besides the key"):
        whole_flow(decisions, outcomes, by=table.assign(mode="sea"))


def test_the_residual_of_snips_is_taken_from_the_mean():
    """What all items share moves the sum and its scale together: no width."""
    n = 400
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    looked = np.arange(n) % 4 == 0
    decisions = key.assign(propensity=0.25, channel=np.where(looked, "red", "green"))
    target = key.assign(propensity=1.0)
    every_one_hits = key[looked].assign(illicit=1)
    table = off_policy(decisions, every_one_hits, target, method="snips").frame()
    rate = table.set_index("estimand").loc["hit_rate"]
    assert rate["estimate"] == rate["low"] == rate["high"] == 1.0
    ips = off_policy(decisions, every_one_hits, target, method="ips").frame()
    assert ips["low"][0] < 1.0


def test_the_interval_of_recall_is_that_of_the_ratio():
    """What all items share moves both sums of a share together: no width."""
    n = 400
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    looked = np.arange(n) % 4 < 2
    decisions = key.assign(propensity=0.5, channel=np.where(looked, "red", "green"))
    target = key.assign(propensity=(np.arange(n) < n // 2).astype(float))
    hits = key[looked].assign(illicit=1)
    table = off_policy(decisions, hits, target, method="snips").frame()
    recall = table.set_index("estimand").loc["recall"]
    assert recall["estimate"] == pytest.approx(0.5)
    assert recall["low"] == pytest.approx(recall["high"])


def test_the_doubly_robust_estimate_is_that_of_its_formula():
    flow, model = population(18)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    table = off_policy(decisions, outcomes, target_of(flow), model=model).frame()
    known = flow["declaration_id"].isin(outcomes["declaration_id"]).to_numpy()
    weight = np.where(known, 1 / flow["propensity"], 0.0)
    hit = flow["illicit"].to_numpy() * known
    level = (weight * hit).sum() / (weight * model["risk_score"]).sum()
    guess = level * model["risk_score"].to_numpy()
    expected = (guess + weight * (hit - guess))[flow["wanted"]].sum()
    assert table.set_index("estimand").loc["hits", "estimate"] == pytest.approx(
        expected
    )


def test_the_half_width_of_a_rate_is_that_of_poisson_sampling():
    n = 1_000
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    looked = np.arange(n) % 5 == 0
    decisions = key.assign(propensity=0.2, channel=np.where(looked, "red", "green"))
    hit = (np.arange(n) % 10 == 0).astype(int)
    table = off_policy(
        decisions, key[looked].assign(illicit=hit[looked]), key.assign(propensity=1.0)
    ).frame()
    # 200 results with weight 5, half of them hits, residuals of one half.
    half = 1.9720 * math.sqrt(200 * (1 - 0.2) * (5 * 0.5) ** 2) / n
    assert table["estimate"][0] == pytest.approx(0.5)
    assert table["high"][0] == pytest.approx(0.5 * math.exp(half / 0.5), rel=1e-4)
    assert table["low"][0] == pytest.approx(0.5 * math.exp(-half / 0.5), rel=1e-4)


def test_notes_are_messages_with_values():
    flow, _ = population(17)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    half = decisions.assign(propensity=decisions["propensity"] / 2)
    result = off_policy(half, outcomes, target_of(flow))
    (message,) = result.messages
    assert message.message_id == "evaluation.propensities_do_not_fit"
    assert message.values["n_controls"] == len(outcomes)
    assert result.notes == (str(message),)


def test_wrong_arguments_are_refused():
    flow, _ = population(9)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="method"):
        off_policy(decisions, outcomes, target_of(flow), method="magic")
    with pytest.raises(TableError, match="'dr' needs 'model'"):
        off_policy(decisions, outcomes, target_of(flow), method="dr")


# --------------------------------------------------------------- the whole flow


def sampled(flow, rng, share=0.1):
    """Return decisions with a random stratum besides the targeted one."""
    chance = rng.random(len(flow)) < share
    aimed = rng.random(len(flow)) < flow["propensity"]
    looked = chance | aimed
    decisions = flow[["declaration_id"]].assign(
        propensity=1 - (1 - share) * (1 - flow["propensity"]),
        channel=np.where(looked, "red", "green"),
        selected_by=pd.Series(np.where(chance, "random", "rule")).where(looked),
    )
    return decisions, flow.loc[
        looked, ["declaration_id", "illicit", "revenue_adjustment"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["random", "all"])
def test_the_whole_flow_is_estimated_from_what_was_drawn(source):
    flow, _ = population(10)
    true = {
        "illicit_rate": flow["illicit"].mean(),
        "hits": flow["illicit"].sum(),
        "revenue_gap": flow["revenue_adjustment"].sum(),
    }
    rng = np.random.default_rng(4)
    tables = []
    for _ in range(60):
        decisions, outcomes = sampled(flow, rng)
        found = whole_flow(decisions, outcomes, source=source).frame()
        tables.append(found.assign(true=found["estimand"].map(true)))
    table = pd.concat(tables)
    table["covers"] = table["true"].between(table["low"], table["high"])
    by = table.groupby("estimand")
    assert (by["estimate"].mean() / by["true"].first() - 1).abs().max() < 0.06
    assert by["covers"].mean().min() >= 0.88


def test_a_simple_random_draw_has_wilsons_interval():
    flow = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(1000)]})
    looked = np.arange(1000) < 100
    decisions = flow.assign(
        propensity=0.1,
        channel=np.where(looked, "red", "green"),
        selected_by=pd.Series(np.where(looked, "random", None)),
    )
    outcomes = flow[looked].assign(illicit=(np.arange(100) < 10).astype(int))
    row = whole_flow(decisions, outcomes).frame().iloc[0]
    assert row["estimate"] == pytest.approx(0.10)
    assert row["low"] == pytest.approx(0.0552, abs=1e-4)
    assert row["high"] == pytest.approx(0.1744, abs=1e-4)
    assert math.isnan(whole_flow(decisions, outcomes).frame()["estimate"][2])


def test_a_rate_found_is_corrected_for_what_inspections_miss():
    flow, _ = population(11)
    decisions, outcomes = sampled(flow, np.random.default_rng(0), 0.3)
    found = whole_flow(decisions, outcomes).frame()
    right = whole_flow(decisions, outcomes, sensitivity=0.8, specificity=0.99).frame()
    rate = found["estimate"][0]
    assert right["estimate"][0] == pytest.approx((rate - 0.01) / 0.79)
    assert right["estimate"][2] == pytest.approx(found["estimate"][2] / 0.8)


def test_groups_add_up_to_the_whole_and_small_ones_are_noted():
    flow, _ = population(12)
    decisions, outcomes = sampled(flow, np.random.default_rng(0))
    group = pd.Series(np.where(flow.index < 150, "few", "many"))
    table = whole_flow(decisions, outcomes, strata=group, by=group).frame()
    hits = table[table["estimand"] == "hits"].set_index("group")["estimate"]
    assert hits["few"] + hits["many"] == pytest.approx(hits["all"])
    notes = table[table["estimand"] == "hits"].set_index("group")["note"]
    assert "fewer than 30" in notes["few"]
    assert notes["many"] == ""


def test_without_a_random_share_only_propensities_can_help():
    flow, _ = population(13)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    with pytest.raises(TableError, match="source='all'"):
        whole_flow(decisions, outcomes)
    assert len(whole_flow(decisions, outcomes, source="all").frame()) == 3
    with pytest.raises(ArgumentError, match="source"):
        whole_flow(decisions, outcomes, source="some")
    with pytest.raises(TableError, match="'by' has 3 values"):
        whole_flow(decisions, outcomes, source="all", by=["a", "b", "c"])


@pytest.mark.slow
def test_worlds_are_covered_where_the_naive_estimate_is_not():
    covered, naive = [], []
    for seed in range(20):
        world = make_declarations(30_000, random_state=seed, scenario="small")
        items, truth = world.declarations, world.truth
        costly = items["duty_rate"].rank(pct=True, method="first") > 0.9
        wanted = items[["declaration_id", "item_number"]].assign(
            propensity=costly.astype(float)
        )
        looked = truth[truth["inspected"]]
        found = looked[["declaration_id", "item_number", "illicit"]]
        table = off_policy(world.decisions(), found, wanted).frame()
        true = truth["illicit"][costly].mean()
        covered.append(table["low"][0] <= true <= table["high"][0])
        seen = looked["illicit"][costly]
        error = 1.96 * math.sqrt(seen.mean() * (1 - seen.mean()) / len(seen))
        naive.append(abs(seen.mean() - true) <= error)
    assert np.mean(covered) >= 0.85
    assert np.mean(naive) < 0.5


# ------------------------------------------------------- what must not be claimed


def test_recall_is_refused_where_part_of_the_flow_is_never_inspected():
    flow, _ = population(14)
    hidden = ~flow["wanted"] & (flow.index % 2 == 0)
    flow.loc[hidden, "propensity"] = 0.0
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    refused = off_policy(decisions, outcomes, target_of(flow)).frame()
    refused = refused.set_index("estimand")["refused"]
    assert (refused[["hit_rate", "hits", "revenue"]] == "").all()
    assert refused[["recall", "revenue_share"]].str.contains("never have been").all()


def test_without_a_known_hit_there_is_no_estimate():
    flow, _ = population(15)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    none = outcomes.assign(illicit=0, revenue_adjustment=0.0)
    refused = off_policy(decisions, none, target_of(flow)).frame()["refused"]
    assert refused.str.contains("only 0 hits are known").all()


def test_items_of_a_declaration_that_are_inspected_together_count_as_one():
    rng = np.random.default_rng(0)
    n, size, covered = 1_200, 5, []
    key = pd.DataFrame(
        {
            "declaration_id": np.repeat([f"D{k}" for k in range(n)], size),
            "item_number": np.tile(np.arange(1, size + 1), n),
        }
    )
    hit = np.repeat((rng.random(n) < 0.1).astype(int), size)
    wanted = key.assign(propensity=1.0)
    for _ in range(60):
        looked = np.repeat(rng.random(n) < 0.2, size)
        decisions = key.assign(propensity=0.2, channel=np.where(looked, "red", "green"))
        found = off_policy(decisions, key[looked].assign(illicit=hit[looked]), wanted)
        row = found.frame().iloc[0]
        covered.append(row["low"] <= hit.mean() <= row["high"])
    assert np.mean(covered) >= 0.88


def test_items_checked_for_their_rank_alone_are_left_out():
    flow, _ = population(16)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    looked = decisions["channel"] == "red"
    by = pd.Series("model", decisions.index).where(looked)
    blue = flow["declaration_id"].isin(flow["declaration_id"][~looked].head(50))
    channel = decisions["channel"].where(~blue, "blue")
    more = flow.loc[blue, ["declaration_id", "illicit", "revenue_adjustment"]]
    plain = off_policy(decisions, outcomes, target_of(flow))
    both = off_policy(
        decisions.assign(selected_by=by, channel=channel),
        pd.concat([outcomes, more]),
        target_of(flow),
    )
    pd.testing.assert_frame_equal(plain.frame(), both.frame())
    assert "50 results were left out" in both.notes[0]


def test_propensities_that_do_not_describe_the_selection_are_noted():
    flow, _ = population(17)
    decisions, outcomes = drawn(flow, np.random.default_rng(0))
    half = decisions.assign(propensity=decisions["propensity"] / 2)
    notes = off_policy(half, outcomes, target_of(flow)).notes
    assert any("do not describe this selection" in note for note in notes)
    assert not off_policy(decisions, outcomes, target_of(flow)).notes


def drawn_flow(n=400, each=1, hits=0):
    """Return a flow of declarations of some items, a fifth of them drawn at random."""
    rng = np.random.default_rng(0)
    head = np.repeat(rng.random(n) < 0.2, each)
    decisions = pd.DataFrame(
        {
            "declaration_id": np.repeat([f"D{k}" for k in range(n)], each),
            "item_number": np.tile(np.arange(1, each + 1), n),
            "channel": np.where(head, "red", "green"),
            "selected_by": pd.Series(np.where(head, "random", None), dtype="str"),
            "propensity": 0.2,
        }
    )
    outcomes = decisions.loc[head, ["declaration_id", "item_number"]].assign(
        illicit=0, revenue_adjustment=0.0
    )
    outcomes.iloc[: hits * each, 2] = 1
    outcomes.iloc[: hits * each, 3] = 100.0
    return decisions, outcomes.reset_index(drop=True)


@pytest.mark.parametrize("source", ["random", "all"])
def test_where_nothing_was_found_the_rate_may_still_be_above_zero(source):
    decisions, outcomes = drawn_flow()
    table = whole_flow(decisions, outcomes, source=source).frame()
    rate, hits, gap = (table.iloc[k] for k in range(3))
    assert rate["estimate"] == 0.0
    assert 0.02 < rate["high"] < 0.08  # 80 clean results
    assert hits["high"] == pytest.approx(400 * rate["high"])
    assert math.isnan(gap["estimate"])
    assert "no revenue was found" in gap["note"]


@pytest.mark.parametrize("source", ["random", "all"])
def test_items_of_a_declaration_count_as_one(source):
    def width(each):
        table = whole_flow(*drawn_flow(each=each, hits=12), source=source).frame()
        return table["high"][0] - table["low"][0]

    assert width(5) > 0.8 * width(1)  # five times the items, the same declarations


def test_items_that_are_never_inspected_leave_nothing_to_estimate():
    decisions, outcomes = drawn_flow(hits=5)
    green = np.flatnonzero(decisions["channel"] == "green")[:10]
    decisions.loc[green, "propensity"] = 0.0
    table = whole_flow(decisions, outcomes, source="all").frame()
    assert table["estimate"].isna().all()
    assert table["note"].str.contains("10 items are never inspected").all()
