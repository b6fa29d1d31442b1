"""Every doubt is reported of data that have it, and of no others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.quality import CHECKS, Doubt, plausibility
from smartrisk.quality._item_checks import FEW_DAYS
from smartrisk.quality._result_checks import FEW
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap


def make_items(n=400, **fields):
    """Return items of 200 days, every second one inspected below."""
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(n)],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(np.arange(n) * 200 // n, unit="D"),
            "office": np.where(np.arange(n) % 3, "A", "B"),
            "tariff_code": np.where(np.arange(n) % 4 > 1, "010121", "620342"),
            **fields,
        }
    )


def make_results(items, delay=5, **fields):
    """Return results of every second item, every fourth of them a hit."""
    inspected = items.iloc[::2]
    known = inspected["lodged_at"] + pd.to_timedelta(delay, unit="D")
    return pd.DataFrame(
        {
            "declaration_id": inspected["declaration_id"].to_numpy(),
            "item_number": 1,
            "known_at": known.to_numpy(),
            "illicit": (np.arange(len(inspected)) % 4 == 0).astype(int),
            **fields,
        }
    )


def doubtful(items, results, **options):
    """Return the names of the checks that found something."""
    frame = plausibility(items, results, **options).frame()
    return frame.loc[frame["severity"] != "ok", "check"].tolist()


def test_a_sound_table_has_one_quiet_row_per_check():
    result = plausibility(make_items(), make_results(make_items()))
    frame = result.frame()
    assert result.ok
    assert frame["check"].tolist() == list(CHECKS)
    assert set(frame["severity"]) == {"ok"}
    assert (
        str(result)
        == repr(result)
        == f"Plausibility({len(CHECKS)} checks: nothing doubtful)"
    )


def test_worlds_are_sound(world, calibrated_world):
    for sound in (world, calibrated_world):
        assert plausibility(sound.declarations, sound.outcomes).ok


def with_hits(n_hits):
    items = make_items()
    results = make_results(items)
    return items, results.assign(illicit=(np.arange(len(results)) < n_hits) * 1)


@pytest.mark.parametrize(
    ("n_hits", "names"),
    [(9, ["few hits"]), (10, []), (190, []), (191, ["few non-hits"])],
)
def test_ten_of_each_class_are_enough(n_hits, names):
    assert doubtful(*with_hits(n_hits)) == names


def test_less_than_four_weeks_are_few_days():
    items = make_items()
    results = make_results(items)
    start = items["lodged_at"].min()
    for n_days, names in ((27, ["few days"]), (28, [])):
        spread = pd.to_timedelta(np.arange(400) * n_days // 400, unit="D")
        at = results.assign(known_at=(start + spread[::2]).to_numpy())
        found = doubtful(items.assign(lodged_at=start + spread), at)
        assert [n for n in found if n == "few days"] == names


def test_a_month_without_results_is_named():
    items = make_items()
    results = make_results(items)
    kept = items["lodged_at"].iloc[::2].dt.month.to_numpy() != 4
    row = plausibility(items, results[kept]).frame().set_index("check")
    assert row.loc["months without results", "examples"] == "2024-04"
    assert row.loc["months without results", "severity"] == "warning"


def test_results_that_stop_before_the_items_are_reported_with_their_last_day():
    items = make_items()
    results = make_results(items)
    early = results[results["known_at"] < "2024-06-25"]
    row = plausibility(items, early).frame().set_index("check").loc["results stop"]
    assert (row["severity"], row["examples"]) == ("warning", "2024-06-24")
    # A pause as long as others is none: results that come once a month.
    monthly = results.assign(known_at=results["known_at"] + pd.offsets.MonthEnd(1))
    found = doubtful(items, monthly[monthly["known_at"] < "2024-06-25"])
    assert "results stop" not in found


def test_columns_with_one_value_or_none_are_dead():
    items = make_items(procedure="4000", origin=None, net_mass_kg=np.arange(400.0))
    row = plausibility(items, make_results(items)).frame().set_index("check")
    assert row.loc["dead columns", "columns"] == "procedure, origin"
    assert row.loc["dead columns", "count"] == 2
    late = items.assign(procedure=np.where(np.arange(400) < 399, "4000", "4071"))
    row = plausibility(late, make_results(late)).frame().set_index("check")
    assert row.loc["dead columns", "columns"] == "origin"


def test_a_table_of_inspected_items_only_is_reported():
    items = make_items()
    results = make_results(items)
    inspected = items.iloc[::2]
    assert doubtful(inspected, results) == ["everything inspected"]


def test_results_of_one_extract_have_one_day():
    items = make_items()
    day = pd.Timestamp("2024-07-20")
    results = make_results(items, known_at=day)
    assert "one day for all results" in doubtful(items, results)
    assert doubtful(items, results.drop(columns="known_at")) == []


def test_results_known_at_once_are_a_note_that_fit_does_not_warn_of():
    items = make_items()
    result = plausibility(items, make_results(items, delay=0))
    assert [d.severity for d in result.doubts()] == ["note"]
    assert result.doubts("warning") == ()
    assert not result.ok
    assert isinstance(result.doubts("note")[0], Doubt)


def test_without_results_one_doubt_states_that_there_are_none():
    assert doubtful(make_items(), None) == ["few hits"]
    (doubt,) = plausibility(make_items(), None).doubts()
    assert str(doubt.message) == "There are no results."
    assert "signals" in doubt.remedy


def test_results_of_other_items_only_are_refused():
    items = make_items()
    results = make_results(items)
    results["declaration_id"] = "X" + results["declaration_id"]
    with pytest.raises(TableError, match="none of the 200 results has its item"):
        plausibility(items, results)
    assert doubtful(items, make_results(make_items(n=500), delay=60)) == []


def test_an_empty_table_is_refused():
    with pytest.raises(TableError, match="no valid row"):
        plausibility(make_items().head(0))


@pytest.mark.parametrize(("label", "name"), [(0, "no_hit"), (1, "hits_only")])
def test_one_class_names_the_label_column_of_the_administration(label, name):
    items = make_items()
    results = make_results(items, illicit=label).rename(columns={"illicit": "FRAUDE"})
    columns = ColumnMap({"illicit": "FRAUDE"})
    results = sr.validation.validate(results, OUTCOMES, columns=columns)
    doubts = plausibility(items, results).doubts()
    assert [d.message.message_id for d in doubts] == [f"quality.{name}"]
    assert "'FRAUDE'" in str(doubts[0].message)
    found = r"(is a hit|are hits): the column 'FRAUDE'"
    # These items have no field that is a signal: nothing is left to score by.
    with (
        pytest.warns(DataQualityWarning, match=found),
        pytest.raises(ArgumentError, match="one class only"),
    ):
        sr.RiskEngine().fit(items, results)


def test_few_dates_a_year_from_all_others_are_far():
    items = make_items()
    moments = items["lodged_at"].copy()
    moments.iloc[[3, 5]] += pd.Timedelta(days=3650)
    moments.iloc[7] -= pd.Timedelta(days=400)
    with pytest.warns(DataQualityWarning, match="'lodged_at': far from all"):
        row = plausibility(items.assign(lodged_at=moments)).frame().set_index("check")
    assert row.loc["far dates", "count"] == 3
    moments = items["lodged_at"].copy()
    moments.iloc[:50] += pd.Timedelta(days=3650)  # many are another year, no error
    row = plausibility(items.assign(lodged_at=moments)).frame().set_index("check")
    assert row.loc["far dates", "severity"] == "ok"


def test_a_month_or_an_office_in_another_unit_is_reported():
    rng = np.random.default_rng(0)
    value, mass = rng.lognormal(8, 1, 400), rng.lognormal(5, 1, 400)
    items = make_items(customs_value=value, net_mass_kg=mass)
    assert plausibility(items, make_results(items)).ok
    month = items["lodged_at"].dt.month == 3
    tonnes = items.assign(net_mass_kg=np.where(month, mass / 1000, mass))
    (doubt,) = plausibility(tonnes, make_results(items)).doubts()
    assert (doubt.columns, doubt.examples) == (("net_mass_kg",), ("2024-03",))
    office = items["office"] == "B"
    thousands = items.assign(customs_value=np.where(office, value * 1e6, value))
    (doubt,) = plausibility(thousands, make_results(items)).doubts()
    assert "at office" in str(doubt.message)


def test_blanks_that_became_zeros_leave_no_trace_of_a_control():
    items = make_items()
    results = make_results(items)
    none = results["illicit"] == 0
    filled = results.assign(known_at=results["known_at"].mask(none))
    assert doubtful(items, filled) == ["blanks as zeros"]
    half = none & (np.arange(len(none)) % 2 == 0)
    assert (
        doubtful(items, results.assign(known_at=results["known_at"].mask(half))) == []
    )
    green = results.assign(channel=np.where(none, "green", "red")).drop(
        columns="known_at"
    )
    assert doubtful(items, green) == ["blanks as zeros"]


def test_results_of_which_few_have_an_item_are_reported_with_examples():
    items = make_items()
    results = make_results(items)
    lost = np.arange(len(results)) % 10 > 3
    results["declaration_id"] = results["declaration_id"].mask(
        lost, "0" + results["declaration_id"]
    )
    found = plausibility(items, results).frame().set_index("check")
    row = found.loc["results join to few items"]
    assert (row["count"], row["severity"]) == (120, "warning")
    assert "'0D8'" in row["message"]


def test_an_engine_is_not_to_be_judged_by_what_it_learned():
    class Learner:
        def has_learned(self, items):
            return np.arange(len(items)) < 10

    items = make_items()
    assert doubtful(items, make_results(items), engine=Learner()) == [
        "judged by learned items"
    ]


def test_items_alone_are_judged_without_results():
    items = sr.validation.validate(make_items(procedure="4000"), DECLARATIONS)
    found = sr.quality.judge_items(items)
    assert [d.columns for d in found.doubts()] == [("procedure",)]
    assert len(found.frame()) == 4


def test_fit_warns_of_all_doubts_at_once_and_learns(world):
    items = world.declarations.assign(procedure="4000", payment_type=None)
    few = world.outcomes.copy()
    few.loc[few.index[few["illicit"] > 0][8:], "illicit"] = 0
    with pytest.warns(DataQualityWarning) as caught:
        engine = sr.RiskEngine(random_state=0).fit(items, few)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "Only 8 hits" in text
    assert "'procedure', 'payment_type'" in text
    assert caught[0].message.message_id == "engine.doubtful_data"
    assert len(engine.score(items.tail(3))) == 3


def test_remedies_state_the_bounds_of_their_checks():
    """They are texts of the catalogue, which hold the numbers as digits."""
    items = make_items(lodged_at=pd.Timestamp("2024-01-01"))
    few = make_results(items, illicit=0)
    few.loc[:3, "illicit"] = 1
    remedies = [doubt.remedy for doubt in plausibility(items, few).doubts()]
    for start in (f"Pass at least {FEW_DAYS} days", f"until there are {FEW} hits"):
        assert sum(start in remedy for remedy in remedies) == 1, start
