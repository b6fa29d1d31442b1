"""Events after lodgement: made by worlds, cut at their end, read by no feature."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from smartrisk.datasets import make_declarations
from smartrisk.errors import TableError
from smartrisk.features import DeclarationFeatures
from smartrisk.items import are_among
from smartrisk.schema import KEY, MILESTONES, STATUSES
from smartrisk.validation import validate


@pytest.fixture(scope="module", params=["small", "independent-stable"])
def world(request):
    return make_declarations(2_000, random_state=4, scenario=request.param)


def test_milestones_are_a_valid_table_up_to_the_end_of_the_extract(world):
    made = world.milestones()
    assert_frame_equal(validate(made, MILESTONES), made)
    assert made["at"].is_monotonic_increasing
    assert (made["at"] < np.datetime64(world.scenario.end)).all()
    assert set(made["kind"]) == set(MILESTONES["kind"].codes)
    assert_frame_equal(world.milestones(), made)


def test_goods_are_released_after_their_lodgement_arrival_and_control(world):
    made = world.milestones().set_index("declaration_id")
    released = made[made["kind"] == "released"]["at"]
    arrived = made[made["kind"] == "arrived"]["at"].reindex(released.index)
    assert (arrived.isna() | (released >= arrived)).all()
    first = world.declarations.groupby("declaration_id")["lodged_at"].min()
    assert (released >= first.reindex(released.index)).all()
    seen = world.outcomes[world.outcomes["channel"] != "blue"]
    control = seen.groupby("declaration_id")["inspected_at"].max()
    control = control.reindex(released.index)
    assert (control.isna() | (released >= control)).all()
    ended = made[made["kind"].isin(["cancelled", "superseded"])].index
    assert not set(ended) & set(released.index)


def test_an_audit_closes_with_what_its_control_recovered(world):
    made = world.milestones()
    closed = made[made["kind"] == "audit_closed"]
    audits = world.outcomes[world.outcomes["channel"] == "blue"]
    assert len(closed) == len(audits)
    assert closed["amount"].sum() == pytest.approx(audits["revenue_adjustment"].sum())


def test_a_declaration_may_have_several_events_of_a_kind():
    event = {"declaration_id": "A", "item_number": 1, "kind": "audit_opened"}
    table = pd.DataFrame([event | {"at": "2024-03-01"}, event | {"at": "2024-04-01"}])
    assert len(validate(table, MILESTONES)) == 2
    with pytest.raises(TableError, match="'moved'"):
        validate(table.assign(kind="moved"), MILESTONES)


def test_no_feature_reads_an_event_or_a_status(world):
    items = world.declarations.head(800)
    results = world.outcomes[are_among(world.outcomes, items)]
    first = world.milestones().drop_duplicates(["declaration_id", "kind"])
    events = first.pivot(index="declaration_id", columns="kind", values="at")
    events = events.reindex(items["declaration_id"]).set_axis(items.index)
    status = np.resize(STATUSES, len(items))
    leaky = pd.concat([items, events.add_suffix("_at")], axis=1).assign(status=status)
    features = DeclarationFeatures(n_jobs=1).set_output(transform="pandas")
    with_events = features.fit_transform(leaky, outcomes=results)
    assert_frame_equal(features.fit_transform(items, outcomes=results), with_events)
    read = {name for info in features.feature_info_ for name in info.fields}
    assert not read & (set(MILESTONES.names) - set(KEY))
    assert "status" not in read


def test_the_draw_is_that_of_the_random_controls(world):
    decisions = world.decisions()
    drawn = decisions["selected_by"].eq("random").to_numpy()
    chance = decisions["draw_probability"].to_numpy()
    assert (chance[drawn] > 0).all()
    in_draw = ~np.isnan(chance)
    gap = drawn[in_draw].sum() - chance[in_draw].sum()
    spread = np.sqrt((chance[in_draw] * (1 - chance[in_draw])).sum())
    assert abs(gap) < 4 * spread
    claimed = decisions[~in_draw]
    assert (claimed["selected_by"] == "rule").all()
