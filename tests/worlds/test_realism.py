"""The realism report: figures that are counted right, next to published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import SCENARIOS, PublicSet, make_declarations, realism
from smartrisk.errors import ArgumentError


@pytest.fixture(scope="module")
def world():
    return make_declarations(30_000, random_state=0)


@pytest.mark.slow
def test_the_default_world_is_within_all_bounds(world):
    report = realism(world)
    assert report.outside == []
    frame = report.frame()
    assert (frame["verdict"] == "within").sum() >= 28
    assert not (frame["verdict"] == "not known").any()
    assert repr(report).endswith("0 outside)")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stable", "drift", "collusion", "adversary"])
def test_worlds_of_ordinary_trade_are_within_bounds(name):
    assert realism(make_declarations(30_000, scenario=name)).outside == []


def test_a_world_of_parcels_reports_where_it_differs_from_ordinary_trade(
    scenario_world,
):
    report = realism(scenario_world("parcels"))
    assert "items of importers never seen" in report.outside
    assert set(report.outside) <= set(report.frame()["figure"])


def test_anchored_figures_have_a_source_and_bounds_around_the_anchor(world):
    frame = realism(world).frame()
    anchored = frame[frame["anchor"].notna()]
    assert anchored["source"].str.len().gt(10).all()
    assert anchored["anchor"].between(anchored["low"], anchored["high"]).all()
    assert frame["figure"].is_unique
    assert (frame.loc[frame["anchor"].isna(), "verdict"] == "not judged").all()


def test_figures_are_counted_by_hand():
    items = pd.DataFrame(
        {
            "declaration_id": ["a", "a", "b", "c"],
            "lodged_at": pd.to_datetime(
                ["2024-01-01", "2024-01-01", "2024-06-01", "2024-06-02"]
            ),
            "importer_id": ["x", "x", "y", "x"],
            "tariff_code": ["01012100", "01012900", "02012000", "01012100"],
            "customs_value": [100.0, 100.0, 800.0, 0.0],
            "net_mass_kg": [1.0, 10.0, 100.0, 0.0],
            "duty_rate": [0.0, 0.1, 0.1, 0.0],
        }
    )
    value = realism(items).frame().set_index("figure")["value"]
    assert value["value of the top 1 % of items"] == 0.8
    assert value["mean of log10 mass"] == 1.0
    assert value["items of a declaration"] == pytest.approx(4 / 3)
    assert value["importers with one item"] == 0.5
    assert value["items of importers never seen"] == 0.5
    assert value["items of HS6 codes never seen"] == 0.5
    assert value["items free of duty"] == 0.5
    assert value["items of zero mass"] == 0.25
    assert value["items lodged on a Monday"] == 0.5
    assert np.isnan(value["items without a carrier"])


def test_never_seen_counts_items_of_the_last_quarter():
    days = ["2024-01-01", "2024-06-01", "2024-06-02", "2024-06-03"]
    items = pd.DataFrame(
        {
            "declaration_id": ["a", "b", "c", "d"],
            "lodged_at": pd.to_datetime(days),
            "importer_id": ["x", "y", "x", "x"],
        }
    )
    value = realism(items).frame().set_index("figure")["value"]
    assert value["items of importers never seen"] == pytest.approx(1 / 3)


@pytest.mark.slow
def test_a_reference_has_its_own_column(world):
    other = PublicSet(declarations=world.declarations, outcomes=world.outcomes)
    frame = realism(world, reference=other).frame()
    both = frame[frame["reference"].notna()]
    assert np.allclose(both["value"], both["reference"])
    assert set(frame.loc[frame["reference"].isna(), "group"]) == {"fraud"}


def test_what_has_no_declarations_is_refused():
    with pytest.raises(ArgumentError, match="realism: 'subject'"):
        realism(3)
    with pytest.raises(ArgumentError, match="lodged_at"):
        realism(pd.DataFrame({"a": [1]}))


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_described(scenario_world, name):
    assert len(realism(scenario_world(name)).frame()) > 30
