"""The guard finds damaged batches, lets natural ones pass, and names no trader."""

from __future__ import annotations

import importlib.util
import json
import warnings

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.monitoring import InputProfile, profile_from_plain, profile_to_plain

#: Damages that change too little of a batch: nine items in ten have the most frequent
#: value anyway.
TOO_LITTLE = {"procedure stuck", "preference stuck"}
#: What validation says of damaged values on the way to the guard.
DOUBTS = "ignore::smartrisk.errors.DataQualityWarning"


@pytest.fixture(scope="module")
def damages(root):
    """Return the benchmark of the guard, which holds the table of damages."""
    path = root / "benchmarks" / "guard.py"
    spec = importlib.util.spec_from_file_location("guard_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def halves():
    """Return the past and the later items of a world with zeros to lose."""
    items = sr.datasets.make_declarations(12_000, random_state=7).declarations
    items = items.assign(
        office="00" + items["office"], transport_mode="0" + items["transport_mode"]
    )
    return items.iloc[:9_000], items.iloc[9_000:]


@pytest.fixture(scope="module")
def profile(halves):
    return InputProfile.learn(halves[0])


@pytest.fixture(scope="module")
def batch(halves):
    return halves[1].iloc[:500]


KINDS = (
    "unit of amounts",
    "unit of mass",
    "unit of quantity",
    "percent or fraction",
    "stuck",
    "missing",
    "swapped",
    "lost zeros",
    "other codes",
    "dates",
)


def test_every_kind_of_damage_has_a_test(damages):
    assert tuple(damages.DAMAGES) == KINDS


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings(DOUBTS)
def test_a_damage_of_each_kind_and_severity_is_found(damages, profile, batch, kind):
    rng = np.random.default_rng(0)
    for name, (columns, damage) in damages.DAMAGES[kind].items():
        damaged = damage(batch, rng)
        changed = damages.share_changed(batch, damaged, columns)
        if name not in TOO_LITTLE and changed >= damages.LEAST_CHANGED:
            assert damages.is_found(profile, damaged, columns), name


def test_natural_batches_pass(damages, halves, profile):
    rng = np.random.default_rng(1)
    found = [profile.check(b) for _, b in damages.clean_batches(halves[1], rng)]
    assert len(found) > 15
    assert all(report.ok for report in found), found


def checks_of(report):
    return report.frame().set_index("fields")["check"].to_dict()


def test_a_swap_is_reported_as_a_swap(profile, batch):
    swapped = batch.rename(
        columns={"net_mass_kg": "gross_mass_kg", "gross_mass_kg": "net_mass_kg"}
    )
    report = profile.check(swapped)
    assert checks_of(report) == {"gross_mass_kg, net_mass_kg": "swapped"}
    assert "fit when exchanged" in str(report)


def test_a_unit_is_reported_with_its_factor(profile, batch):
    report = profile.check(batch.assign(quantity=1000 * batch["quantity"]))
    assert checks_of(report) == {"quantity": "level"}
    assert "about 1,000 times the usual amount" in str(report)


def test_a_duty_rate_in_another_unit_is_reported_with_its_setting(profile, batch):
    report = profile.check(batch.assign(duty_rate=batch["duty_rate"] / 100))
    assert checks_of(report) == {"duty_rate": "level"}
    assert "Compare duty_rate_unit of the ColumnMap" in str(report)
    assert "factor" not in str(report)


def test_a_tariff_code_without_its_zero_is_found(profile, halves):
    _, later = halves
    zeros = later[later["tariff_code"].str.startswith("0")].head(60)
    others = later[~later["tariff_code"].str.startswith("0")].head(440)
    batch = pd.concat([zeros, others])
    assert profile.check(batch).ok
    short = batch.assign(tariff_code=batch["tariff_code"].str.lstrip("0"))
    report = profile.check(short)
    assert checks_of(report) == {"tariff_code": "zeros"}
    assert "as text" in str(report)


def test_few_items_are_judged_by_facts_about_whole_columns(profile, batch):
    no_origin = batch.assign(origin=pd.Series(None, batch.index, dtype="str"))
    assert checks_of(profile.check(no_origin.head(20))) == {"origin": "missing"}
    assert profile.check(no_origin.head(19)).ok
    # Half a column, or a field that is often missing, is no fact about 30 items.
    half = batch.head(30).copy()
    half.loc[half.index[:15], "origin"] = None
    assert profile.check(half).ok
    no_carrier = batch.assign(carrier_id=pd.Series(None, batch.index, dtype="str"))
    assert profile.check(no_carrier.head(30)).ok
    assert checks_of(profile.check(no_carrier)) == {"carrier_id": "missing"}


def test_dates_are_judged_by_the_history_of_the_day(profile, batch):
    late = batch.assign(lodged_at=batch["lodged_at"] + pd.DateOffset(months=18))
    assert checks_of(profile.check(late)) == {"lodged_at": "late"}
    until = batch["lodged_at"].max() + pd.DateOffset(months=17)
    assert profile.check(late, until=until).ok


def test_traders_who_declare_monthly_are_usual_where_they_were_before(batch):
    past = pd.date_range("2022-01-05", periods=36, freq="MS") + pd.Timedelta(days=4)

    def monthly(items):
        return items.assign(lodged_at=np.resize(past.to_numpy(), len(items)))

    items = pd.concat([batch] * 4, ignore_index=True)
    items["declaration_id"] = [f"D{k}" for k in range(len(items))]
    steady = InputProfile.learn(monthly(items).sort_values("lodged_at"))
    assert steady.usual_months > 3
    assert steady.check(monthly(batch)).ok


def test_a_profile_that_was_json_judges_as_before(profile, batch):
    again = profile_from_plain(json.loads(json.dumps(profile_to_plain(profile))))
    assert repr(again) == repr(profile)
    damaged = batch.assign(
        net_mass_kg=batch["net_mass_kg"] / 1000,
        importer_id=batch["importer_id"].str[1:],
    )
    pd.testing.assert_frame_equal(
        again.check(damaged).frame(), profile.check(damaged).frame()
    )
    assert len(profile.check(damaged).frame()) >= 2


def test_a_profile_does_not_show_whether_a_trader_was_there(profile, halves):
    text = json.dumps(profile_to_plain(profile))
    for name in ("importer_id", "declarant_id", "consignor_id", "carrier_id"):
        values = halves[0][name].dropna().unique()
        assert not [value for value in values if value in text]
        assert len(profile.usual.habits[name].codes) == 0
        # Of ids that were never seen, between a quarter and a half seem known.
        sketch = profile.usual.traders[(name,)]
        strangers = np.arange(10_000, dtype=np.uint64) * np.uint64(2**40 + 1)
        seems_known = float((sketch.unknown(strangers) == 0).mean())
        assert 0.2 < seems_known <= 0.55


# ---------------------------------------------------------------- the engine


@pytest.fixture(scope="module")
def grams(calibrated_split):
    new = calibrated_split.later.head(500)
    return new.assign(
        net_mass_kg=1000 * new["net_mass_kg"], gross_mass_kg=1000 * new["gross_mass_kg"]
    )


@pytest.mark.parametrize("method", ["score", "select", "check_batch"])
def test_the_engine_warns_or_refuses_or_looks_away(calibrated_engine, grams, method):
    def call(**options):
        capacity = {"capacity": 0.1} if method == "select" else {}
        return getattr(calibrated_engine, method)(grams, **capacity, **options)

    with pytest.warns(
        DataQualityWarning, match=r"'net_mass_kg' .* pounds|1,000 times"
    ) as w:
        warned = call()
    assert w[0].filename == __file__
    assert w[0].message.values["method"] == method
    with pytest.raises(TableError, match=rf"RiskEngine.{method}: the batch of 500"):
        call(guard="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet = call(guard="off")
    with pytest.raises(ArgumentError, match=rf"RiskEngine.{method}: 'guard'"):
        call(guard="on")
    if method != "check_batch":
        pd.testing.assert_frame_equal(warned, quiet)
    else:
        assert (warned.ok, quiet) == (False, None)


def test_one_item_is_not_guarded(calibrated_engine, grams):
    item = dict(grams.iloc[0])
    assert 0 < calibrated_engine.score_one(item)["risk_score"] < 1


def test_the_profile_is_saved_and_is_no_part_of_the_version(
    calibrated_engine, grams, tmp_path
):
    calibrated_engine.save(tmp_path / "engine")
    loaded = sr.RiskEngine.load(tmp_path / "engine")
    assert loaded.version_ == calibrated_engine.version_
    with pytest.raises(TableError, match="does not fit"):
        loaded.score(grams, guard="raise")


def test_an_update_moves_the_end_of_the_history_and_not_the_profile(
    calibrated_engine, calibrated_split
):
    new = calibrated_split.later
    shift = pd.DateOffset(months=15)
    far = new.assign(
        lodged_at=new["lodged_at"] + shift, declaration_id="F" + new["declaration_id"]
    )
    with pytest.raises(TableError, match="a year or more after the history"):
        calibrated_engine.score(far.tail(400), guard="raise")
    longer = calibrated_engine.copy().update(far.head(len(far) // 2))
    assert longer.profile_ is calibrated_engine.profile_
    longer.score(far.tail(400), guard="raise")


@pytest.mark.slow
@pytest.mark.filterwarnings(DOUBTS)
def test_targets_hold_on_other_worlds(damages):
    rows = damages.judge_worlds(("parcels", "small"), (11,), 16_000, 3)
    table = damages.as_table(rows)
    clean = table["kind"] == "clean"
    assert clean.sum() >= 40
    assert not table.loc[clean, "found"].any()
    assert table.loc[~clean, "found"].mean() >= 0.95
