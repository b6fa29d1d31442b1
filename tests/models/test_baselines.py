"""The field's baselines: by hand on small tables, by law on a made-up extract."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from smartrisk.errors import ArgumentError, TableError
from smartrisk.features import DeclarationFeatures
from smartrisk.models import ColumnBoosting
from smartrisk.models._baselines import (
    DateFeaturesClassifier,
    DutyBaseline,
    ImporterRateBaseline,
    RandomBaseline,
    SmoothedRateSum,
    ValueBaseline,
)
from smartrisk.schema import DECLARATIONS

ALL = [
    RandomBaseline(),
    ValueBaseline(),
    DutyBaseline(),
    ImporterRateBaseline(),
    SmoothedRateSum(),
    DateFeaturesClassifier(n_estimators=20),
]
each = pytest.mark.parametrize("model", ALL, ids=lambda m: type(m).__name__)


def extract(n=600, seed=0):
    """Return made-up declarations in which one importer and low prices are risky."""
    rng = np.random.default_rng(seed)
    mass = rng.lognormal(4, 1, n)
    X = pd.DataFrame(
        {
            "declaration_id": [f"D{seed}-{i}" for i in range(n)],
            "item_number": np.ones(n, np.int64),
            "lodged_at": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "office": rng.choice(["N", "S"], n),
            "importer_id": rng.choice([f"imp{i}" for i in range(20)], n),
            "declarant_id": rng.choice(["a", "b", None], n),
            "tariff_code": rng.choice(["090121", "64039900", "8528590010"], n),
            "origin": rng.choice(["CN", "VN", "DE"], n),
            "customs_value": mass * rng.lognormal(1, 0.5, n),
            "net_mass_kg": np.where(rng.random(n) < 0.05, 0.0, mass),
            "quantity": rng.integers(0, 50, n).astype(float),
        }
    )
    low = (X["customs_value"] / mass < 2).to_numpy()
    risky = X["importer_id"].isin(["imp3", "imp7"]).to_numpy()
    y = (rng.random(n) < 0.05 + 0.4 * low + 0.4 * risky).astype(int)
    return X.assign(duty_rate=np.resize([0.0, 0.05, 0.2], n)), y


def hit(model, X):
    return model.predict_proba(X)[:, 1]


@parametrize_with_checks(ALL)
def test_a_baseline_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


# -------------------------------------------------------------- laws of all


@each
def test_the_order_and_partition_of_items_change_no_score(model):
    X, y = extract()
    order = np.random.default_rng(1).permutation(len(X))
    straight = clone(model).fit(X, y)
    mixed = clone(model).fit(X.iloc[order], y[order])
    np.testing.assert_allclose(hit(mixed, X), hit(straight, X), rtol=1e-12)
    parts = np.concatenate([hit(straight, X[:200]), hit(straight, X[200:])])
    np.testing.assert_array_equal(parts, hit(straight, X))
    np.testing.assert_array_equal(hit(straight, X[7:8]), hit(straight, X)[7:8])


@each
def test_columns_are_found_by_name_and_further_ones_are_ignored(model):
    X, y = extract()
    fitted = clone(model).fit(X, y)
    other = X[X.columns[::-1]].assign(dq_zero_mass=True, note="x")
    np.testing.assert_array_equal(hit(fitted, other), hit(fitted, X))


@each
def test_a_baseline_is_the_same_whatever_pandas_type_holds_its_texts(model):
    X, y = extract()
    texts = ["declaration_id", "office", "importer_id", "tariff_code", "origin"]
    fitted = clone(model).fit(X.astype(dict.fromkeys(texts, "object")), y)
    other = X.astype(dict.fromkeys(texts, "string"))
    np.testing.assert_array_equal(hit(fitted, other), hit(fitted, X))


@each
def test_the_callers_frame_is_left_alone(model):
    X, y = extract()
    before = X.copy(deep=True)
    clone(model).fit(X, y).predict_proba(X)
    pd.testing.assert_frame_equal(X, before)


@each
def test_new_entities_and_missing_values_get_a_probability(model):
    X, y = extract()
    fitted = clone(model).fit(X, y)
    new = X[:5].assign(
        importer_id="never seen",
        origin=None,
        tariff_code="010121",
        customs_value=np.nan,
        net_mass_kg=0.0,
    )
    p = fitted.predict_proba(new)
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


@each
def test_a_baseline_survives_pickling(model):
    X, y = extract()
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(hit(again, X), hit(fitted, X))


@each
def test_one_class_is_refused_with_its_reason(model):
    X, _ = extract(20)
    with pytest.raises(ArgumentError, match="y holds one class only"):
        clone(model).fit(X, np.zeros(20, int))


@each
def test_a_missing_column_is_named(model):
    X, y = extract(50)
    fitted = clone(model).fit(X, y)
    with pytest.raises(TableError, match="columns used in fit are missing"):
        fitted.predict_proba(X[["lodged_at"]])


@pytest.mark.parametrize(
    "model", [SmoothedRateSum(), DateFeaturesClassifier(), ColumnBoosting()]
)
@pytest.mark.parametrize("name", DECLARATIONS.required)
def test_a_frame_without_a_required_field_is_refused_as_by_a_transformer(model, name):
    X, y = extract(50)
    owner = type(model).__name__
    misspelt = X.rename(columns={name: f"{name}s"})
    message = rf"{owner}: X has fields of DECLARATIONS.*'{name}' is missing.*'{name}s'"
    with pytest.raises(TableError, match=message) as refused:
        clone(model).fit(misspelt, y)
    with pytest.raises(TableError) as by_transformer:
        DeclarationFeatures().fit(misspelt)
    assert str(refused.value).removeprefix(owner) == (
        str(by_transformer.value).removeprefix("DeclarationFeatures")
    )


@each
def test_an_array_after_a_frame_is_refused(model):
    X, y = extract(50)
    with pytest.raises(TableError, match="fitted on a frame of declarations"):
        clone(model).fit(X, y).predict_proba(np.zeros((3, 11)))


@each
def test_a_frame_without_items_is_refused(model):
    X, y = extract(50)
    with pytest.raises(TableError, match="at least one item"):
        clone(model).fit(X, y).predict_proba(X[:0])


# ------------------------------------------------------------------- random


def test_random_belongs_to_the_item_and_the_seed_alone():
    X, y = extract()
    first = hit(RandomBaseline(random_state=1).fit(X, y), X)
    changed = X.assign(customs_value=1.0)[["item_number", "declaration_id"]]
    np.testing.assert_array_equal(
        hit(RandomBaseline(random_state=1).fit(changed, 1 - y), changed), first
    )
    other = hit(RandomBaseline(random_state=2).fit(X, y), X)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.15


def test_random_is_uniform_and_differs_between_items_of_one_declaration():
    X = pd.DataFrame({"declaration_id": "D1", "item_number": np.arange(5000)})
    u = hit(RandomBaseline().fit(X, np.arange(5000) % 2), X)
    assert len(np.unique(u)) == 5000
    counts = np.histogram(u, bins=10, range=(0, 1))[0]
    assert (np.abs(counts - 500) < 90).all()
    assert 0 < u.min() < u.max() < 1


def test_random_without_a_key_draws_by_what_is_declared():
    X, y = extract()
    X = X.drop(columns=["declaration_id", "item_number"])
    u = hit(RandomBaseline().fit(X, y), X)
    assert len(np.unique(u)) == len(X)


# -------------------------------------------------------------------- value


def test_value_ranks_as_the_declared_value_does_and_missing_comes_last():
    X, y = extract()
    X.loc[3, "customs_value"] = np.nan
    p = hit(ValueBaseline().fit(X, y), X)
    assert p[3] == 0
    kept = X["customs_value"].notna().to_numpy()
    np.testing.assert_array_equal(
        np.argsort(p[kept]), np.argsort(X["customs_value"].to_numpy()[kept])
    )
    assert p[kept].min() > 0


def test_value_keeps_apart_values_far_above_those_seen():
    X, y = extract()
    fitted = ValueBaseline().fit(X, y)
    far = pd.DataFrame({"customs_value": [1e12, 1.001e12, 1e15]})
    assert (np.diff(hit(fitted, far)) > 0).all()


def test_value_without_its_column_names_the_nearest():
    X, y = extract()
    X = X.rename(columns={"customs_value": "customs_valu"})
    with pytest.raises(TableError, match="Did you mean 'customs_valu'"):
        ValueBaseline().fit(X, y)


# --------------------------------------------------------------------- duty


def test_duty_ranks_as_value_times_rate_does_and_missing_comes_last():
    X, y = extract()
    X.loc[4, "duty_rate"] = np.nan
    p = hit(DutyBaseline().fit(X, y), X)
    duty = (X["customs_value"] * X["duty_rate"]).to_numpy()
    kept = ~np.isnan(duty)
    assert p[4] == 0 < p[kept].min()
    np.testing.assert_array_equal(
        np.argsort(p[kept], kind="stable"), np.argsort(duty[kept], kind="stable")
    )


def test_duty_without_a_rate_is_the_assessed_amount():
    X, y = extract()
    X = X.drop(columns="duty_rate").assign(duties_taxes=X["net_mass_kg"])
    fitted = DutyBaseline().fit(X, y)
    assert fitted.columns_ == ("duties_taxes",)
    ranks = pd.Series(hit(fitted, X)).rank()
    assert ranks.equals(X["duties_taxes"].rank())


# -------------------------------------------------------------------- rates


def test_the_importers_rate_is_smoothed_towards_the_overall_rate():
    X = pd.DataFrame({"importer_id": ["a"] * 4 + ["b"] * 6})
    y = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]
    fitted = ImporterRateBaseline().fit(X, y)
    new = pd.DataFrame({"importer_id": ["a", "b", "new", None]})
    expected = [(3 + 10 * 0.4) / 14, (1 + 10 * 0.4) / 16, 0.4, 0.4]
    np.testing.assert_allclose(hit(fitted, new), expected)


def test_without_smoothing_the_rate_is_the_plain_one():
    X = pd.DataFrame({"importer_id": ["a", "a", "b", "b"]})
    fitted = ImporterRateBaseline(smoothing=0).fit(X, [1, 0, 0, 0])
    assert fitted.rates_ == {"a": 0.5, "b": 0.0}


@pytest.mark.parametrize("model", [ImporterRateBaseline, SmoothedRateSum])
def test_a_negative_smoothing_is_refused(model):
    X, y = extract(20)
    with pytest.raises(ArgumentError, match="'smoothing' must be a number of at least"):
        model(smoothing=-1).fit(X, y)


def test_the_sum_of_rates_is_that_of_each_profile_divided_by_their_number():
    X, y = extract()
    profiles = (("importer_id",), ("office", "hs4"))
    fitted = SmoothedRateSum(profiles=profiles).fit(X, y)
    pair = X["office"] + X["tariff_code"].str[:4]
    overall = y.mean()
    expected = np.zeros(len(X))
    for key in (X["importer_id"], pair):
        grouped = pd.Series(y).groupby(key)
        n, s = grouped.transform("size"), grouped.transform("sum")
        expected += ((s + 10 * overall) / (n + 10)).to_numpy()
    np.testing.assert_allclose(hit(fitted, X), expected / 2)


def test_profiles_that_lack_a_column_are_left_out():
    X, y = extract()
    fitted = SmoothedRateSum().fit(X, y)
    assert ("consignor_id",) not in fitted.profiles_
    assert ("office", "importer_id") in fitted.profiles_
    assert len(fitted.profiles_) == 12


def test_a_part_that_is_missing_makes_a_pair_unknown():
    X, y = extract()
    fitted = SmoothedRateSum(profiles=(("office", "declarant_id"),)).fit(X, y)
    alone = X["declarant_id"].isna().to_numpy()
    assert (hit(fitted, X)[alone] == y.mean()).all()


def test_unknown_profiles_are_refused_with_the_nearest_name():
    X, y = extract(20)
    with pytest.raises(ArgumentError, match="Did you mean 'importer_id'"):
        SmoothedRateSum(profiles=(("importer",),)).fit(X, y)
    with pytest.raises(ArgumentError, match="tuples of column names"):
        SmoothedRateSum(profiles=("importer_id",)).fit(X, y)


def test_a_frame_without_any_profile_is_refused():
    X, y = extract(20)
    with pytest.raises(TableError, match="none of the columns of its profiles"):
        SmoothedRateSum(profiles=(("consignor_id",),)).fit(X, y)


# ----------------------------------------------------- features of the literature


def test_flags_mark_the_tenth_with_the_highest_rates_and_never_a_rate_of_zero():
    X, y = extract()
    fitted = DateFeaturesClassifier().fit(X, y)
    assert set(fitted.flags_["importer_id__flag"]) == {"imp3", "imp7"}
    clean = DateFeaturesClassifier().fit(
        X[:40].assign(importer_id=[f"i{k}" for k in range(40)]), [1] + [0] * 39
    )
    assert set(clean.flags_["importer_id__flag"]) == {"i0"}


def test_a_ratio_over_zero_is_missing_and_never_infinite():
    X, y = extract()
    fitted = DateFeaturesClassifier().fit(X, y)
    made = fitted._features(X)
    assert set(fitted.feature_names_) == set(made)
    ratio = made["customs_value_per_net_mass_kg"]
    assert np.isnan(ratio[X["net_mass_kg"] == 0]).all()
    assert not any(np.isinf(values).any() for values in made.values())


def test_goods_codes_are_read_as_numbers_and_dates_as_a_calendar():
    X, y = extract()
    made = DateFeaturesClassifier().fit(X, y)._features(X)
    codes = X["tariff_code"]
    np.testing.assert_array_equal(made["tariff_code"], codes.astype(float))
    np.testing.assert_array_equal(made["hs4"], codes.str[:4].astype(float))
    np.testing.assert_array_equal(made["month"], X["lodged_at"].dt.month)


def test_the_features_of_the_literature_find_what_was_planted():
    from sklearn.metrics import roc_auc_score

    X, y = extract(1500)
    later, truth = extract(1500, seed=1)
    trees = DateFeaturesClassifier(n_estimators=40).fit(X, y)
    assert roc_auc_score(truth, hit(trees, later)) > 0.7
    assert roc_auc_score(truth, hit(SmoothedRateSum().fit(X, y), later)) > 0.56


def test_threads_and_repetition_change_no_score():
    X, y = extract()
    one = DateFeaturesClassifier(n_estimators=20, n_jobs=1).fit(X, y)
    two = DateFeaturesClassifier(n_estimators=20, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(hit(one, X), hit(two, X))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_estimators", 0),
        ("learning_rate", 0.0),
        ("max_depth", 0),
        ("flag_share", 1.5),
    ],
)
def test_settings_outside_what_is_allowed_are_refused(name, value):
    X, y = extract(20)
    with pytest.raises(ArgumentError, match=f"DateFeaturesClassifier: '{name}'"):
        DateFeaturesClassifier(**{name: value}).fit(X, y)
