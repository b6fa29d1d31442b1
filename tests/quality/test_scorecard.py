"""The scorecard counts what is there, grades it, and takes nothing for granted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk import quality
from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.intervals import wilson_interval


def make_items(n=10, **fields):
    """Return items of one office, lodged on the first of ten months."""
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(n)],
            "item_number": 1,
            "lodged_at": pd.date_range("2024-01-01", periods=n, freq="MS"),
            "office": "A",
            "tariff_code": "010121",
            **fields,
        }
    )


def make_results(items, days, illicit=0, **fields):
    """Return results of items, known some days after lodgement."""
    return pd.DataFrame(
        {
            "declaration_id": items["declaration_id"],
            "item_number": 1,
            "known_at": items["lodged_at"] + pd.to_timedelta(days, unit="D"),
            "illicit": illicit,
            **fields,
        }
    )


def figure(card, dimension):
    """Return the row of a dimension."""
    return card.frame().set_index("dimension").loc[dimension]


def test_the_figures_of_a_world_are_those_of_its_tables(world):
    card = quality.scorecard(world.declarations, world.outcomes)
    facts = card.facts()
    assert facts.n_items == len(world.declarations) == card.months()["n_items"].sum()
    assert facts.n_results == len(world.outcomes) == card.channels()["n_results"].sum()
    hits = (world.outcomes["illicit"] > 0).mean()
    assert facts.hit_rate == pytest.approx(hits)
    assert facts.inspected_share == figure(card, "coverage")["figure"]
    present = world.declarations.notna().mean()
    fields = card.fields().set_index("field")["present"]
    assert fields.to_dict() == pytest.approx(present[fields.index].to_dict())
    assert figure(card, "completeness")["figure"] == pytest.approx(fields.mean())


def test_an_item_without_a_result_is_not_counted_as_compliant():
    items = make_items(10)
    card = quality.scorecard(items, make_results(items.head(4), 1, [1, 1, 0, 0]))
    assert card.facts().hit_rate == 0.5
    assert card.facts().n_results == 4
    assert figure(card, "coverage")["figure"] == 0.4
    none = quality.scorecard(items)
    assert none.facts().hit_rate is None
    assert none.facts().n_results == 0


def test_a_result_is_timely_up_to_the_sixtieth_day():
    items = make_items(4)
    card = quality.scorecard(items, make_results(items, [1, 60, 61, 200]))
    assert figure(card, "timeliness")["figure"] == 0.5
    assert card.facts().delay_median == 60
    assert card.facts().delay_90 == round(61 + 0.7 * 139)


def test_the_inspected_are_compared_with_those_that_were_not():
    items = make_items(
        10, customs_value=[1e4] * 5 + [1e2] * 5, office=["A"] * 6 + ["B"] * 4
    )
    bias = quality.scorecard(items, make_results(items.head(5), 1)).selection_bias()
    bias = bias.set_index("field")
    value = np.log1p(items["customs_value"])
    assert bias.loc["customs_value", "inspected"] == pytest.approx(value[:5].mean())
    assert bias.loc["customs_value", "others"] == pytest.approx(value[5:].mean())
    gap = (value[:5].mean() - value[5:].mean()) / value.std(ddof=0)
    assert bias.loc["customs_value", "difference"] == pytest.approx(gap)
    assert bias.loc["office", "value"] == "A"
    assert bias.loc["office", ["inspected", "others"]].tolist() == [1.0, 0.2]


def test_representativeness_is_one_less_the_largest_difference(world):
    card = quality.scorecard(world.declarations, world.outcomes)
    largest = card.selection_bias()["difference"].abs().max()
    row = figure(card, "representativeness")
    assert row["figure"] == pytest.approx(max(1 - largest, 0))


@pytest.mark.parametrize("inspected", [0, 10])
def test_bias_does_not_apply_where_all_or_none_were_inspected(inspected):
    items = make_items(10)
    card = quality.scorecard(items, make_results(items.head(inspected), 1))
    assert card.selection_bias().empty
    row = figure(card, "representativeness")
    assert row["grade"] == "not applicable"
    assert np.isnan(row["figure"])
    assert row["note"]


def test_results_without_a_day_have_no_timeliness():
    items = make_items(3)
    row = figure(
        quality.scorecard(items, make_results(items, 1).drop(columns="known_at")),
        "timeliness",
    )
    assert (row["grade"], bool(row["note"])) == ("not applicable", True)


@pytest.mark.parametrize(
    ("n_results", "grade"), [(5, "good"), (4, "fair"), (1, "fair"), (0, "poor")]
)
def test_a_grade_begins_at_its_bound(n_results, grade):
    items = (
        make_items(1)
        .loc[[0] * 100]
        .assign(declaration_id=[f"D{k}" for k in range(100)])
    )
    card = quality.scorecard(items, make_results(items.head(n_results), 1))
    assert figure(card, "coverage")["grade"] == grade


def test_consistency_is_the_share_of_items_without_a_doubtful_value():
    items = make_items(10, customs_value=[0.0] * 3 + [5.0] * 7)
    card = quality.scorecard(items.assign(origin="CN"))
    assert figure(card, "consistency")["figure"] == pytest.approx(0.7)
    doubtful = card.fields().set_index("field")["doubtful"]
    assert doubtful["customs_value"] == pytest.approx(0.3)
    assert doubtful["origin"] == 0.0


def test_channels_have_wilson_intervals():
    items = make_items(8)
    results = make_results(
        items, 1, [1, 0, 0, 0, 1, 1, 0, 0], channel=["red"] * 4 + ["yellow"] * 4
    )
    channels = quality.scorecard(items, results).channels().set_index("channel")
    assert channels["n_hits"].to_dict() == {"red": 1, "yellow": 2}
    low, high = wilson_interval([0.25], [4])
    assert channels.loc["red", ["low", "high"]].tolist() == [low[0], high[0]]


def test_results_of_other_items_are_counted_and_left_out(world):
    part = world.declarations.head(500)
    facts = quality.scorecard(part, world.outcomes).facts()
    assert facts.n_other_results + facts.n_results == len(world.outcomes)
    assert facts.n_other_results > 0


def test_months_without_any_result_are_named():
    items = make_items(3)
    card = quality.scorecard(items, make_results(items.iloc[[1]], 1))
    assert card.facts().months_without_result == ("2024-01", "2024-03")
    assert card.months()["share"].tolist() == [0.0, 1.0, 0.0]


def test_invalid_rows_are_set_aside_where_asked():
    items = make_items(4)
    items["customs_value"] = [1.0, -5.0, 2.0, 3.0]
    with pytest.raises(TableError):
        quality.scorecard(items)
    with pytest.warns(DataQualityWarning):
        card = quality.scorecard(items, on_error="set_aside")
    assert card.facts().n_items == 3
    with pytest.raises(TableError, match="no valid row") as caught:
        quality.scorecard(items.head(0))
    assert caught.value.message_id == "quality.no_items"


def test_the_tables_of_a_scorecard_are_copies(world):
    card = quality.scorecard(world.declarations, world.outcomes)
    for name in ("frame", "fields", "selection_bias", "channels", "months"):
        table = getattr(card, name)()
        before = table.copy()
        table.iloc[:, -1] = table.iloc[0, -1]
        table["more"] = 1
        pd.testing.assert_frame_equal(getattr(card, name)(), before)
    with pytest.raises(AttributeError):
        card.facts().n_items = 3
    assert repr(card).startswith(f"Scorecard({len(world.declarations)} items")
    assert "completeness" in card._repr_html_()
