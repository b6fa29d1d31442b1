"""Moments, splits and folds let nothing of later days through."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk import windows
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.windows import as_of, time_split, unlabelled_months


def keys(frame):
    return set(zip(frame["declaration_id"], frame["item_number"], strict=True))


def test_every_item_is_on_one_side_of_a_split(declarations, outcomes):
    split = windows.time_split(declarations, outcomes, later_share=0.3)
    assert not keys(split.past) & keys(split.later)
    assert keys(split.past) | keys(split.later) == keys(declarations)
    assert split.past["lodged_at"].max() < split.at <= split.later["lodged_at"].min()
    assert abs(len(split.later) / len(declarations) - 0.3) < 0.02


def test_results_are_known_strictly_before_the_moment(declarations, outcomes):
    split = windows.time_split(declarations, outcomes)
    assert (split.known["known_at"] < split.at).all()
    assert keys(split.known) <= keys(split.past)
    missed = outcomes[~outcomes["known_at"].lt(split.at)]
    assert len(missed)
    assert not keys(missed) & keys(split.known)


def test_the_label_delay_replaces_a_missing_date(declarations, outcomes):
    bare = outcomes[["declaration_id", "item_number", "illicit"]]
    split = windows.time_split(declarations, bare, label_delay=60)
    lodged = split.known.merge(declarations)["lodged_at"]
    assert (lodged + pd.Timedelta(days=60) < split.at).all()
    none = windows.time_split(declarations, bare, label_delay=0)
    assert len(none.known) > len(split.known)


def test_folds_follow_each_other_without_gap_or_overlap(declarations, outcomes):
    folds = list(windows.rolling_origin(declarations, outcomes, n_folds=4))
    for left, right in itertools.pairwise(folds):
        assert left.later["lodged_at"].max() < right.at
        assert keys(left.past) | keys(left.later) == keys(right.past)
    for fold in folds:
        assert (fold.known["known_at"] < fold.at).all()
        assert (fold.later["lodged_at"] >= fold.at).all()


def test_too_many_folds_are_refused_with_the_first_day(declarations, outcomes):
    with pytest.raises(ArgumentError, match="reach back before"):
        list(windows.rolling_origin(declarations, outcomes, n_folds=500))


def test_a_result_without_date_and_item_is_refused(declarations, outcomes):
    lost = outcomes.assign(known_at=pd.NaT).head(3)
    with pytest.raises(TableError, match="3 results have neither"):
        windows.known_at(lost, declarations.iloc[:0])


@pytest.mark.slow
@given(st.integers(0, 400))
def test_what_is_known_only_grows(declarations, outcomes, day):
    first = declarations["lodged_at"].min().normalize()
    moment = first + pd.Timedelta(days=day)
    past, known = windows.as_of(declarations, outcomes, moment)
    more, wider = windows.as_of(declarations, outcomes, moment + pd.Timedelta(days=9))
    assert keys(past) <= keys(more)
    assert keys(known) <= keys(wider)


def test_a_month_without_any_result_is_found(declarations, outcomes):
    lodged = declarations.merge(outcomes[["declaration_id", "item_number"]])
    month = lodged["lodged_at"].dt.to_period("M")
    missing = month.value_counts().sort_index().index[4:6]
    dark = set(lodged.loc[month.isin(missing), "declaration_id"])
    kept = outcomes[~outcomes["declaration_id"].isin(dark)]
    found = windows.unlabelled_months(declarations, kept)
    assert set(found["month"].dt.to_period("M")) == set(missing)
    items = declarations["lodged_at"].dt.to_period("M")
    assert found["n_items"].tolist() == [int((items == m).sum()) for m in missing]


def test_fitting_warns_of_months_without_results(declarations, outcomes):
    from smartrisk import RiskEngine
    from smartrisk.models import RiskClassifier

    lodged = declarations.merge(outcomes[["declaration_id", "item_number"]])
    missing = lodged["lodged_at"].dt.to_period("M").value_counts().sort_index().index[5]
    dark = lodged[lodged["lodged_at"].dt.to_period("M") == missing]["declaration_id"]
    kept = outcomes[~outcomes["declaration_id"].isin(set(dark))]
    small = RiskEngine(classifier=RiskClassifier(n_estimators=2))
    with pytest.warns(DataQualityWarning, match=rf"no result .*{missing}"):
        small.fit(declarations, kept)


def test_outstanding_results_are_not_a_gap(declarations, outcomes):
    split = windows.time_split(declarations, outcomes)
    assert not len(windows.unlabelled_months(split.past, split.known))
    assert not len(windows.unlabelled_months(split.past, split.known.iloc[:0]))


def test_results_that_stop_before_the_items_do_are_found():
    # Enough items that chance leaves no other month without results.
    world = make_declarations(8_000, random_state=0)
    split = windows.time_split(world.declarations, world.outcomes)
    early = split.known[split.known["known_at"] < split.at - pd.Timedelta(days=90)]
    found = windows.unlabelled_months(split.past, early)
    assert found["month"].tolist() == [
        pd.Timestamp("2024-02-01"),
        pd.Timestamp("2024-03-01"),
    ]
    # To an extract that ends where the results do, nothing is missing.
    until = split.at - pd.Timedelta(days=90)
    before = split.past[split.past["lodged_at"] < until]
    assert not len(windows.unlabelled_months(before, early, until=until))


def daily(n_items, days):
    """Return the moments of lodgement of this many items on each day of 2024."""
    return pd.Series(pd.date_range("2024-01-01", periods=days)).repeat(n_items)


@pytest.mark.parametrize(("delay", "expected"), [(20, 1), (45, 0)])
def test_a_last_month_is_missing_only_where_its_results_had_time(delay, expected):
    lodged = daily(20, 91).reset_index(drop=True)  # until the end of March
    labelled = (lodged.dt.month < 3).to_numpy()
    delays = np.full(int(labelled.sum()), float(delay))
    found = windows.months_without_results(lodged, labelled, delays=delays)
    assert len(found) == expected


def test_a_month_is_missing_when_chance_leaves_it_empty_in_one_of_10000_cases():
    lodged = daily(1, 60)  # 31 items of January, 29 of February
    for n_labelled, n_found in ((8, 0), (9, 1)):
        labelled = np.arange(60) < n_labelled
        found = windows.months_without_results(lodged, labelled)
        share = n_labelled / 31
        assert ((1 - share) ** 29 < 1e-4) == bool(n_found) == bool(len(found))
    assert found["n_expected"].tolist() == [pytest.approx(29 * 9 / 31)]


def test_repeated_goods_lines_across_a_split_are_found(declarations, outcomes):
    split = windows.time_split(declarations, outcomes)
    line = ["tariff_code", "origin", "net_mass_kg"]
    seen = windows.seen_before(split.later, split.past, columns=line)
    past = {tuple(map(str, row)) for row in split.past[line].to_numpy(object)}
    brute = [tuple(map(str, row)) in past for row in split.later[line].to_numpy(object)]
    assert seen.tolist() == brute
    twin = split.later.assign(
        **{name: split.past[name].iloc[0] for name in windows.GOODS_LINE}
    )
    assert windows.seen_before(twin, split.past).all()


def test_missing_equals_missing_and_absent_columns_are_left_out():
    past = pd.DataFrame({"tariff_code": ["090121"], "origin": [None]})
    codes, origins = ["090121", "090121", "640399"], [None, "VN", None]
    later = pd.DataFrame({"tariff_code": codes, "origin": origins})
    assert windows.seen_before(later, past).tolist() == [True, False, False]
    with pytest.raises(TableError, match="none of the columns"):
        windows.seen_before(pd.DataFrame({"a": [1]}), past)
    assert windows.seen_before(later.iloc[:0], past).dtype == np.dtype(bool)


# ----------------------------------------------------------------- ties in time


def test_what_happens_at_the_moment_itself_is_not_past(date_only_world):
    declarations, outcomes = date_only_world
    known = outcomes["known_at"].sort_values()
    both = known[known.isin(declarations["lodged_at"])]
    at = both.iloc[int(0.6 * len(both))]
    assert (declarations["lodged_at"] == at).any()
    assert (outcomes["known_at"] == at).any()
    split = windows.time_split(declarations, outcomes, at=at)
    assert (split.past["lodged_at"] < at).all()
    assert (split.known["known_at"] < at).all()
    assert (split.later["lodged_at"] >= at).all()
    assert len(split.past) + len(split.later) == len(declarations)
    # What is left out by the one was known, or lodged, at the moment or after it.
    before = outcomes[outcomes["known_at"] < at]
    assert keys(split.known) == keys(before) & keys(split.past)


def test_an_item_of_midnight_is_in_one_fold_only(date_only_world):
    declarations, outcomes = date_only_world
    folds = list(windows.rolling_origin(declarations, outcomes, n_folds=4))
    first_days = {fold.at for fold in folds}
    assert declarations["lodged_at"].isin(first_days).sum() > 0
    for left, right in itertools.pairwise(folds):
        assert not keys(left.later) & keys(right.later)
        assert keys(left.past) | keys(left.later) == keys(right.past)


def test_a_split_shows_its_sizes_and_days(declarations, outcomes):
    split = windows.time_split(declarations, outcomes, at="2024-04-01")
    frame = split.frame()
    assert frame["n_rows"].tolist() == [
        len(split.past),
        len(split.known),
        len(split.later),
    ]
    assert (frame["last_lodged"].iloc[:2] < split.at).all()
    assert repr(split).startswith("Split(at='2024-04-01 00:00:00'")
    assert "<table>" in split._repr_html_()


def test_documents_without_item_numbers_are_refused_when_a_key_repeats(document_world):
    declarations, outcomes = document_world
    with pytest.raises(TableError, match="DECLARATIONS repeats the key"):
        windows.time_split(declarations, outcomes)


def test_a_known_result_of_an_unknown_item_is_left_out(declarations, outcomes):
    some = declarations[declarations["lodged_at"] < "2024-01-01"].iloc[::2]
    past, known = windows.as_of(some, outcomes, "2024-06-01")
    assert len(known) < (outcomes["known_at"] < "2024-06-01").sum()
    assert keys(known) <= keys(past)


# ------------------------------------------------------------- times and tables


def with_zone(frame, zone):
    times = frame.select_dtypes("datetime").columns
    utc = {name: frame[name].dt.tz_localize("UTC") for name in times}
    return frame.assign(**{name: utc[name].dt.tz_convert(zone) for name in times})


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_times_with_a_zone_split_as_their_times_in_utc(world, zone):
    at = "2024-06-01"
    plain = time_split(world.declarations, world.outcomes, at=at)
    zoned = time_split(
        with_zone(world.declarations, zone), with_zone(world.outcomes, zone), at=at
    )
    for name in ("past", "known", "later"):
        assert getattr(zoned, name).index.equals(getattr(plain, name).index)
    aware = pd.Timestamp(at, tz="UTC").tz_convert(zone)
    again = time_split(world.declarations, world.outcomes, at=aware)
    assert again.past.index.equals(plain.past.index)


@pytest.mark.parametrize("moment", [None, pd.NaT, "yesterday-ish", "31/31/2024"])
def test_a_moment_that_cannot_be_read_is_refused(world, moment):
    with pytest.raises(ArgumentError, match="as_of: 'moment' must be a date"):
        as_of(world.declarations, world.outcomes, moment)


def test_declarations_without_dates_or_items_are_refused(world):
    declarations, outcomes = world.declarations, world.outcomes
    with pytest.raises(TableError, match=r"columns missing .*'lodged_at'"):
        time_split(declarations.drop(columns="lodged_at"), outcomes)
    with pytest.raises(TableError, match="time_split: DECLARATIONS has no item"):
        time_split(declarations.iloc[:0], outcomes)
    texts = declarations.assign(lodged_at=declarations["lodged_at"].astype(str))
    with pytest.raises(TableError, match="'lodged_at' must hold dates; got"):
        time_split(texts, outcomes)


def test_results_of_other_items_do_not_hinder_the_search_for_empty_months(world):
    early = world.declarations["lodged_at"] < "2024-06-01"
    outcomes = world.outcomes.drop(columns="known_at")
    months = unlabelled_months(world.declarations[early], outcomes)
    assert not len(months)
