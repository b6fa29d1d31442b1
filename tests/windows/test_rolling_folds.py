"""Folds for scikit-learn: later windows, a gap before each, no part taken of them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import check_cv, cross_val_score

from smartrisk.errors import ArgumentError, TableError
from smartrisk.windows import RollingOrigin


def make_items(n_days=200, step="8h"):
    return pd.DataFrame(
        {"lodged_at": pd.date_range("2024-01-01 07:00", periods=n_days * 3, freq=step)}
    )


@given(
    st.integers(1, 4),
    st.integers(1, 20),
    st.integers(0, 40),
    st.lists(st.integers(0, 24 * 150), min_size=60, max_size=120),
)
def test_windows_follow_each_other_after_a_gap(n_splits, test_days, delay, hours):
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta([*hours, 0, 3650], unit="h")
    X = pd.DataFrame({"lodged_at": moments})
    day = X["lodged_at"].dt.normalize()
    folds = RollingOrigin(n_splits=n_splits, test_days=test_days, label_delay=delay)
    try:
        pairs = list(folds.split(X))
    except TableError:
        assume(False)  # a window without items
    assert len(pairs) == folds.get_n_splits() == n_splits
    end = day.max() + pd.Timedelta(days=1)
    for k, (train, test) in enumerate(pairs):
        start = end - pd.Timedelta(days=test_days * (n_splits - k))
        inside = (day >= start) & (day < start + pd.Timedelta(days=test_days))
        assert np.flatnonzero(inside).tolist() == test.tolist()
        known = day + pd.Timedelta(days=delay) < start
        assert np.flatnonzero(known).tolist() == train.tolist()
        assert not set(day.iloc[train]) & set(day.iloc[test])


def test_the_order_of_items_changes_no_fold():
    X = make_items().sample(frac=1, random_state=0)
    plain = make_items()
    for mixed, sorted_ in zip(
        RollingOrigin().split(X), RollingOrigin().split(plain), strict=True
    ):
        for left, right in zip(mixed, sorted_, strict=True):
            assert sorted(X.index[left]) == plain.index[right].tolist()


def test_tables_of_other_libraries_and_moments_apart_give_the_same_folds():
    X = make_items().assign(value=1.0, filed=lambda t: t["lodged_at"])
    want = [(a.tolist(), b.tolist()) for a, b in RollingOrigin().split(X)]

    def folds(splitter, *arguments):
        return [(a.tolist(), b.tolist()) for a, b in splitter.split(*arguments)]

    assert folds(RollingOrigin(), pl.from_pandas(X)) == want
    assert folds(RollingOrigin(), pa.Table.from_pandas(X)) == want
    assert folds(RollingOrigin(time="filed"), X.drop(columns="lodged_at")) == want
    assert folds(RollingOrigin(), X.to_numpy(), None, X["lodged_at"]) == want
    zoned = X.assign(lodged_at=X["lodged_at"].dt.tz_localize("UTC"))
    assert folds(RollingOrigin(), zoned) == want


def test_groups_reach_the_splitter_with_and_without_routing():
    X = make_items()
    y = np.arange(len(X)) % 2
    settings = {"cv": RollingOrigin(2), "scoring": "accuracy"}
    plain = np.zeros((len(X), 1))
    known = cross_val_score(DummyClassifier(), X.assign(x=1.0), y, **settings)
    groups = X["lodged_at"]
    found = cross_val_score(DummyClassifier(), plain, y, groups=groups, **settings)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            DummyClassifier(), plain, y, params={"groups": groups}, **settings
        )
    np.testing.assert_array_equal(found, known)
    np.testing.assert_array_equal(routed, known)


def test_the_splitter_keeps_its_settings_and_shows_what_was_changed():
    folds = RollingOrigin(n_splits=3, label_delay=60)
    assert repr(folds) == "RollingOrigin(label_delay=60, n_splits=3)"
    assert clone(folds).set_params(test_days=7).get_params() == {
        "n_splits": 3,
        "test_days": 7,
        "label_delay": 60,
        "time": "lodged_at",
    }
    assert check_cv(folds) is folds


# ----------------------------------------------------------- parts of folds


def test_no_part_of_a_fold_is_taken_by_position():
    train, _ = next(RollingOrigin().split(make_items()))
    for take in (
        lambda: train[:5],
        lambda: train[[0, 1]],
        lambda: train[np.array([0, 1]), ...],
        lambda: train.take([0]),
        lambda: np.take(train, [0]),
    ):
        with pytest.raises(ArgumentError, match=r"HalvingGridSearchCV\(resource="):
            take()


def test_positions_are_an_array_otherwise():
    X = make_items()
    train, test = next(RollingOrigin().split(X))
    plain = np.asarray(train)
    assert type(plain) is np.ndarray
    assert train[3] == plain[3]
    assert train.max() == plain.max()
    assert repr(train) == repr(plain)
    np.testing.assert_array_equal(train[plain % 2 == 0], plain[plain % 2 == 0])
    np.testing.assert_array_equal(np.intersect1d(train, test), [])
    np.testing.assert_array_equal(np.unique(train)[:3], plain[:3])
    np.testing.assert_array_equal(X.to_numpy()[train], X.to_numpy()[plain])
    assert X.iloc[train].equals(X.iloc[plain])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(train)), plain)


# ------------------------------------------------------------------- errors


def test_a_short_history_is_refused_with_the_days_that_are_missing():
    X = make_items(n_days=100)
    with pytest.raises(TableError, match=r"need 181 days.*covers 100 .*add 81"):
        next(RollingOrigin().split(X))
    edge = RollingOrigin(n_splits=3, test_days=20, label_delay=39)
    assert len(list(edge.split(X))) == 3
    with pytest.raises(TableError, match="add 1 days"):
        next(edge.set_params(label_delay=40).split(X))


def test_a_fold_without_items_or_labels_is_refused_with_its_days():
    X = make_items()
    day = X["lodged_at"].dt.normalize()
    hole = X[(day < "2024-05-01") | (day > "2024-07-15")]
    with pytest.raises(TableError, match=r"test part.*no item \(2024-05"):
        list(RollingOrigin(2).split(hole))
    y = np.where(day < "2024-03-01", 1.0, np.nan)
    with pytest.raises(TableError, match=r"test part.*no item with a label"):
        list(RollingOrigin(2).split(X, y))
    late = np.where(day < "2024-05-01", np.nan, 1.0)
    with pytest.raises(TableError, match=r"training part.*label \(up to 2024-04-19"):
        list(RollingOrigin(2).split(X, late))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"lodged": [1]}), "no column 'lodged_at'.*'lodged'"),
        (np.zeros((9, 2)), "no column 'lodged_at'"),
        (pd.DataFrame({"lodged_at": ["2024-01-01"]}), "must hold dates"),
        (pd.DataFrame({"lodged_at": pd.to_datetime([None])}), "missing for 1 of 1"),
        (make_items().head(0), "missing for 0 of 0"),
    ],
)
def test_items_without_moments_are_refused(X, message):
    with pytest.raises(TableError, match=message):
        next(RollingOrigin().split(X))


@pytest.mark.parametrize(
    "settings", [{"n_splits": 0}, {"test_days": 0.5}, {"label_delay": -1}]
)
def test_settings_are_checked(settings):
    with pytest.raises(ArgumentError, match=next(iter(settings))):
        next(RollingOrigin(**settings).split(make_items()))


def test_labels_of_another_length_are_refused():
    with pytest.raises(ArgumentError, match="one label for each"):
        next(RollingOrigin().split(make_items(), [1, 0]))


def test_moments_of_other_items_are_refused():
    X = make_items()
    with pytest.raises(ArgumentError, match="each of the 600 items; got 5"):
        next(RollingOrigin().split(X, groups=X["lodged_at"].head(5)))
