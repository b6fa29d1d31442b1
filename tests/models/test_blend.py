"""The blend of three models: exact sums, one order of rows, and what is saved."""

from __future__ import annotations

import copy
import json

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from smartrisk.errors import ArgumentError, ArtefactError
from smartrisk.models import MEMBERS, RiskClassifier, _boosting, fit_calibration
from smartrisk.models._blend_training import LabelledItems, hash_rows, number_blocks
from smartrisk.models._boosting import data_seed
from smartrisk.models._members import (
    TREES,
    common_params,
    make_boosting,
    make_recipes,
    member_weights,
)

#: Few trees: the laws do not depend on their number.
SMALL = {"n_estimators": 12}
#: What the raw scores of each member are scaled by.
MOMENTS = ("centre", "spread")


def made(n=2000, seed=0):
    """Return features with a code and missing values, labels, and days."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6)).astype(np.float32)
    X[:, 2] = rng.integers(0, 12, n)
    X[rng.random(n) < 0.1, 4] = np.nan
    raw = 1.5 * X[:, 0] - X[:, 1] + (X[:, 2] % 3 == 0) - 3.0
    y = (rng.random(n) < 1 / (1 + np.exp(-raw))).astype(int)
    return X, y, np.sort(rng.integers(0, 300, n))


@pytest.fixture(scope="module")
def data():
    return made()


@pytest.fixture(scope="module")
def blended(data):
    X, y, time = data
    model = RiskClassifier(**SMALL, categorical=(2,), monotone=(1, 0, 0, 0, 0, 0))
    return model.fit(X, y, time=time)


def test_contributions_of_the_members_add_up_to_the_raw_score(blended):
    X = made(2000, seed=1)[0]
    found, raw = blended.contributions(X), blended.raw_score(X)
    assert np.abs(found.sum(axis=1) - raw).max() < 1e-9
    by_hand = np.full(len(X), blended.blend_.level)
    for member in blended.members_:
        scaled = (member.raw(X, 1) - member.centre) / member.spread
        by_hand += blended.blend_.scale * member.weight * scaled
    np.testing.assert_allclose(raw, by_hand, atol=1e-9)
    assert np.ptp(found[:, -1]) == 0.0


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_raw_score_is_on_the_scale_of_log_odds(share):
    X, y, _ = made(12_000, seed=2)
    model = RiskClassifier(validation_share=share).fit(X[:4000], y[:4000])
    raw, later = model.raw_score(X[4000:]), y[4000:]
    # The slope of the true log-odds on these, by the map that is fitted on them.
    assert 0.6 < fit_calibration(raw, later).slope < 1.6
    assert (1 / (1 + np.exp(-raw))).mean() == pytest.approx(later.mean(), rel=0.3)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_of_the_rows_changes_no_bit(data, weighted):
    X, y, time = data
    # Items with the same features, some of them with another label or another day.
    X, y = np.r_[X, X[:50], X[:50]], np.r_[y, y[:50], 1 - y[:50]]
    time = np.r_[time, time[:50], time[:50] + 1]
    weight = np.random.default_rng(3).random(len(y)) if weighted else None
    order = np.random.default_rng(4).permutation(len(y))
    one = RiskClassifier(**SMALL).fit(X, y, time=time, sample_weight=weight)
    weight = None if weight is None else weight[order]
    two = RiskClassifier(**SMALL).fit(
        X[order], y[order], time=time[order], sample_weight=weight
    )
    assert one.booster_texts() == two.booster_texts()
    assert np.array_equal(one.predict_proba(X), two.predict_proba(X))


def test_rows_differ_by_each_number_and_not_by_its_type():
    X = made(5000)[0]
    hashes = hash_rows(X)
    assert len(np.unique(hashes)) == len(X)
    assert np.array_equal(hash_rows(X.astype(np.float64)), hashes)
    assert np.array_equal(hash_rows(np.asfortranarray(X)), hashes)
    assert (hash_rows(X[:, ::-1]) != hashes).all()
    zeros = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]])
    assert (hash_rows(zeros)[0] == hash_rows(zeros)).tolist() == [True, True, False]


def test_items_are_sorted_with_all_that_belongs_to_them(data):
    X, y, time = data
    weights = np.random.default_rng(5).random(len(y))
    found = LabelledItems(
        matrix=X, hits=y.astype(float), time=time, weights=weights
    ).sort_by_content()
    place = {w: k for k, w in enumerate(weights)}
    rows = [place[w] for w in found.weights]
    assert rows != sorted(rows)
    assert np.array_equal(found.features(), X[rows], equal_nan=True)
    assert np.array_equal(found.hits, y[rows])
    assert np.array_equal(found.time, time[rows])


def test_sorting_copies_no_matrix(data):
    X, y, time = data
    some = LabelledItems(matrix=X, hits=y.astype(float), time=time, weights=None)
    assert some.sort_by_content().matrix is X


def binned(items, params, rows=None, path=None):
    """Return what LightGBM bins and trains, as bytes and as text."""
    X, y, _ = items
    target = y.astype(float) if rows is None else y[rows].astype(float)
    made_of = _boosting.make_dataset(X, target, params, (2,), rows=rows)
    made_of.construct().save_binary(path)
    text = _boosting.train(made_of, params, 3).model_to_string()
    return path.read_bytes(), text


def sampled(seed):
    """Return parameters under which bins are found on a part of the items."""
    few = {"bin_construct_sample_cnt": 500, "feature_pre_filter": False}
    return common_params(seed, 1) | few


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_that_are_read_in_parts_have_the_bins_of_their_copy(
    monkeypatch, tmp_path, seed, order
):
    X, y, time = made(9_000, seed=1)
    X[::3, 0] = 0.0
    X[:, 1] = 0.0
    X = np.asarray(X, order=order)
    rows = np.random.default_rng(2).permutation(len(y))[:8_500]
    reads = []
    monkeypatch.setattr(_boosting, "_COPIED", 1_000)
    getitem = _boosting._row_reader().__getitem__
    monkeypatch.setattr(
        _boosting._row_reader(),
        "__getitem__",
        lambda self, place: [found := getitem(self, place), reads.append(found)][0],
    )
    found = binned((X, y, time), sampled(seed), rows, tmp_path / "parts.bin")
    copied = (X[rows], y[rows], time[rows])
    assert found == binned(copied, sampled(seed), None, tmp_path / "copy.bin")
    assert max(len(read) for read in reads if read.ndim == 2) < 8_500


def test_few_rows_are_copied_and_not_read_in_parts(monkeypatch):
    X, y, _ = made(100)
    monkeypatch.setattr(_boosting, "_row_reader", None)
    rows = np.arange(50)
    data = _boosting.make_dataset(X, y[:50].astype(float), sampled(0), (), rows=rows)
    assert data.construct().num_data() == 50


@pytest.mark.parametrize("seed", [0, 1, 12_345, 2**31 - 1])
def test_bins_are_found_on_the_items_that_lightgbm_itself_would_draw(data, seed):
    params = {k: v for k, v in sampled(seed).items() if k != "data_random_seed"}
    X, y, _ = data
    text = lgb.train(params, lgb.Dataset(X, y, params=params), 1).model_to_string()
    assert f"[data_random_seed: {data_seed(seed)}]" in text


@pytest.mark.parametrize("method", ["gather", "sort_by_content"])
def test_some_rows_of_a_matrix_are_the_items_of_these_rows_alone(data, method):
    X, y, time = data
    rows = np.flatnonzero(np.arange(len(y)) % 3)[::-1]
    given = {"hits": y[rows].astype(float), "time": time[rows], "weights": None}
    some = LabelledItems(matrix=X, rows=rows, **given)
    own = LabelledItems(matrix=X[rows], **given)
    found, wanted = getattr(some, method)(), getattr(own, method)()
    assert (found.rows is None) == (method == "gather")
    assert np.array_equal(found.features(), wanted.features(), True)
    for name in ("hits", "time"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name), True), name
    part = np.arange(len(rows)) % 2 == 0
    assert np.array_equal(found.features(part), wanted.features(part), True)


@pytest.mark.parametrize(
    "members", [("boosting",), ("signals",), ("boosting", "forest", "signals")]
)
def test_items_without_a_label_teach_the_signals_alone(data, members):
    X, y, time = data
    signs = {"suspicion": SIGNALS["suspicion"]} if "signals" in members else {}
    settings = {"members": members, "random_state": 0, **signs}
    labels = y.astype(float)
    labels[::3] = np.nan
    model = RiskClassifier(**settings).fit(X, labels, time=time)
    scores = model.predict_proba(X)[:, 1]
    assert scores[1::3].mean() == pytest.approx(y[1::3].mean(), abs=0.05)
    if "signals" not in members:
        known = ~np.isnan(labels)
        alone = RiskClassifier(**settings).fit(X[known], y[known], time=time[known])
        assert np.array_equal(alone.predict_proba(X)[:, 1], scores)


def test_weights_follow_the_number_of_hits():
    for hits, boosting, forest in (
        (0, 0.0, 1.0),
        (70, 70 / 130 * 1.01, 1 / 1.01),
        (700, 700 / 760 * 2, 0.5),
        (21_000, 21_000 / 21_060 * 901, 1 / 901),
    ):
        found = member_weights(TREES, hits)
        assert found["boosting"] / found["extra_trees"] == pytest.approx(boosting)
        assert found["forest"] / found["extra_trees"] == pytest.approx(forest)
        assert sum(found.values()) == pytest.approx(1.0)
    assert member_weights(("boosting",), 3) == {"boosting": 1.0}
    assert member_weights(("forest",), 20_000) == {"forest": 1.0}


@pytest.mark.parametrize(
    ("n_features", "share"), [(2, 1.0), (8, 1.0), (16, 0.5), (40, 0.2), (300, 0.2)]
)
def test_trees_have_a_fifth_of_the_features_and_eight_at_least(n_features, share):
    settings = RiskClassifier().get_params()
    found = make_boosting(settings, np.ones(9), (), n_features)
    assert found.params["feature_fraction"] == pytest.approx(share)
    asked = make_boosting(
        settings | {"feature_fraction": 0.7}, np.ones(9), (), n_features
    )
    assert asked.params["feature_fraction"] == 0.7
    _, forest = make_recipes(
        ("boosting", "forest"), asked, n_items=99, n_features=n_features, codes=()
    )
    assert forest.params["feature_fraction"] == pytest.approx(share)


@pytest.mark.parametrize(
    ("n_hits", "leaves"), [(249, 7), (250, 15), (1_499, 15), (1_500, 31)]
)
def test_leaves_of_the_boosting_follow_the_number_of_hits(n_hits, leaves):
    hits = np.repeat([1.0, 0.0], [n_hits, 7_000])
    settings = RiskClassifier().get_params()
    assert make_boosting(settings, hits, (), 9).params["num_leaves"] == leaves
    asked = settings | {"num_leaves": 9}
    assert make_boosting(asked, hits, (), 9).params["num_leaves"] == 9


def test_a_fitted_blend_has_the_weights_of_its_hits(blended, data):
    wanted = member_weights(TREES, data[1].sum())
    assert {m.name: m.weight for m in blended.members_} == pytest.approx(wanted)


@pytest.mark.parametrize("name", TREES)
def test_a_member_alone_scores_by_itself(data, name):
    X, y, time = data
    model = RiskClassifier(**SMALL, members=(name,)).fit(X, y, time=time)
    (member,) = model.members_
    assert member.name == name
    assert np.array_equal(model.raw_score(X), member.raw(X, 1))
    assert (model.blend_.level, model.blend_.scale, member.weight) == (0.0, 1.0, 1.0)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.5)


def test_the_raw_score_of_a_forest_is_the_mean_over_its_trees(data):
    X, y, time = data
    model = RiskClassifier(**SMALL, members=("forest",)).fit(X, y, time=time)
    (forest,) = model.members_
    trees = [
        forest.booster.predict(X, raw_score=True, start_iteration=i, num_iteration=1)
        for i in range(forest.n_trees)
    ]
    assert forest.n_trees > 1
    np.testing.assert_allclose(forest.raw(X, 1), np.mean(trees, axis=0), atol=1e-12)


def test_bounds_of_bins_are_found_on_a_sample(blended):
    for member in blended.members_:
        if member.name in TREES:
            assert "[bin_construct_sample_cnt: 20000]" in member.text()


def test_the_boosting_alone_is_what_lightgbm_trains_with_these_parameters(data):
    X, y, time = data
    model = RiskClassifier(members=("boosting",), n_estimators=20)
    model.fit(X, y, time=time)
    params = {
        **{"objective": "binary", "learning_rate": 0.06, "num_leaves": 15},
        **{"feature_fraction": 1.0, "min_data_in_leaf": 30, "lambda_l2": 10.0},
        **{"cat_smooth": 20.0, "deterministic": True, "force_col_wise": True},
        **{"seed": 0, "num_threads": 1, "verbosity": -1},
    }
    plain = lgb.train(params, lgb.Dataset(X, y, params=params), 20)
    assert np.array_equal(model.raw_score(X), plain.predict(X, raw_score=True))


def test_forest_and_extra_trees_do_not_split_by_codes(blended):
    splits = {
        m.name: m.booster.feature_importance("split")
        for m in blended.members_
        if m.n_trees
    }
    assert splits["boosting"][2] > 0
    assert splits["forest"][2] == splits["extra_trees"][2] == 0
    assert all(found[:2].sum() > 0 for found in splits.values())


def test_no_member_breaks_a_constraint(blended):
    X = made(40, seed=6)[0]
    for member in blended.members_:
        scores = []
        for value in np.linspace(-3, 3, 15):
            X[:, 0] = value
            scores.append(member.raw(X, 1))
        assert (np.diff(scores, axis=0) >= -1e-12).all()


def test_blocks_grow_with_time_and_keep_moments_together(data):
    time = data[2]
    block = number_blocks(time, len(time), 0.3)
    assert np.unique(block).tolist() == [0, 1, 2, 3]
    assert (np.diff(block[np.argsort(time, kind="stable")]) >= 0).all()
    assert all(len(np.unique(block[time == day])) == 1 for day in np.unique(time))
    share = [(block == k).mean() for k in (1, 2, 3)]
    assert share == pytest.approx([0.1] * 3, abs=0.02)
    assert not number_blocks(time, len(time), 0.0).any()
    assert number_blocks(None, 8, 0.75).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_scales_and_calibration_come_from_items_that_were_not_learned_from(monkeypatch):
    # Labels without any pattern: only scores of learned items follow them.
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(3000, 6)), (rng.random(3000) < 0.1).astype(int)
    seen = {}

    def record(raw, hits, *, block, **options):
        seen.update(raw=raw, hits=hits, block=block)
        return fit_calibration(raw, hits, block=block, **options)

    monkeypatch.setattr("smartrisk.models._blend_training.fit_calibration", record)
    model = RiskClassifier(validation_share=0.5).fit(X, y)
    assert roc_auc_score(y, model.raw_score(X)) > 0.8
    assert roc_auc_score(seen["hits"], seen["raw"]) == pytest.approx(0.5, abs=0.08)
    assert np.bincount(seen["block"]).tolist() == [0, 500, 500, 500]
    mean, spread = seen["raw"].mean(), seen["raw"].std()
    wanted = [sum(m.weight * getattr(m, k) for m in model.members_) for k in MOMENTS]
    assert [mean, spread] == pytest.approx(wanted, rel=1e-9)


SIGNALS = {"members": ("signals",), "suspicion": (1.0, -1.0, 0.0, 0.0, 0.0, 0.0)}


def test_signals_alone_are_calibrated_by_all_results(data):
    X, y, time = data
    model = RiskClassifier(**SIGNALS).fit(X, y, time=time)
    assert [m.name for m in model.members_] == ["signals"]
    assert model.n_trees_ == 0
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), rel=0.2)
    order = np.random.default_rng(8).permutation(len(y))
    again = RiskClassifier(**SIGNALS).fit(X[order], y[order], time=time[order])
    assert np.array_equal(again.raw_score(X), model.raw_score(X))
    none = RiskClassifier(**SIGNALS).fit(X, np.zeros(len(y)))
    assert none.calibration_ == (1.0, 0.0)
    assert np.array_equal(none.raw_score(X), model.raw_score(X))


def test_signals_alone_without_a_direction_are_refused(data):
    with pytest.raises(ArgumentError, match="no feature has a weight"):
        RiskClassifier(members=("signals",)).fit(*data[:2])


@pytest.mark.parametrize(
    ("y", "weight", "problem"),
    [
        (np.zeros(3), None, "inconsistent numbers of samples"),
        (np.zeros((2000, 2)), None, "1d array"),
        (np.zeros(2000), np.full(2000, -1.0), "not negative; 2000 entries"),
        (np.zeros(2000), np.full(2000, np.nan), "not negative; 2000 entries"),
    ],
)
def test_labels_of_one_class_are_checked_as_those_of_two(data, y, weight, problem):
    model = RiskClassifier(**SIGNALS)
    with pytest.raises(ValueError, match=problem):
        model.fit(data[0], y, sample_weight=weight)


def test_few_late_hits_leave_the_calibration_out(data):
    X, y, time = data
    few = np.where(time < 240, y, 0)
    few[np.flatnonzero(time >= 240)[:3]] = 1
    model = RiskClassifier(**SMALL).fit(X, few, time=time)
    assert model.calibration_ == (1.0, 0.0)
    assert [m.spread != 1.0 for m in model.members_] == [True] * 3


def test_missing_labels_and_whole_weights_leave_the_same_blend(data):
    X, y, time = data
    few = np.flatnonzero(np.arange(len(y)) % 3 > 0)
    labels = np.where(np.isin(np.arange(len(y)), few), y, np.nan)
    one = RiskClassifier(**SMALL).fit(X, labels, time=time)
    two = RiskClassifier(**SMALL).fit(X[few], y[few], time=time[few])
    three = RiskClassifier(**SMALL).fit(
        X, y, time=time, sample_weight=np.isfinite(labels).astype(float)
    )
    assert one.booster_texts() == two.booster_texts() == three.booster_texts()


# ----------------------------------------------------------------- saved


def restored(model, texts=None, state=None):
    """Return a classifier from texts and state, as after a way through JSON."""
    state = json.loads(json.dumps(model.fitted_state() if state is None else state))
    texts = model.booster_texts() if texts is None else texts
    return RiskClassifier(**model.get_params()).restore(texts, state)


@pytest.mark.parametrize(
    "members", [TREES, ("forest",), ("boosting", "extra_trees"), ("boosting",)]
)
def test_a_restored_blend_is_bit_identical(data, members):
    X, y, time = data
    model = RiskClassifier(**SMALL, members=members).fit(X, y, time=time)
    again = restored(model)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(again.contributions(X[:50]), model.contributions(X[:50]))
    assert again.fitted_state() == model.fitted_state()
    assert again.booster_texts() == model.booster_texts()
    assert set(model.booster_texts()) == set(members) <= set(MEMBERS)


def change(path, value):
    """Return a change of one value of a state."""

    def edit(texts, state):
        *names, last = path
        for name in names:
            state = state[name]
        state[last] = value

    return edit


def swap(one, other):
    """Return a change of the trees of a member for those of another one."""

    def edit(texts, state):
        texts[one] = texts[other]

    return edit


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (swap("boosting", "forest"), "it holds a forest"),
        (swap("forest", "extra_trees"), "it holds boosted trees"),
        (lambda texts, _: texts.pop("forest"), "the trees of 'forest' are missing"),
        (change(("blend", "members", 0, "n_trees"), 13), "13 trees are stated, 12"),
        (change(("blend", "members", 0, "n_trees"), 0), "'n_trees' is 0"),
        (change(("blend", "members", 1, "spread"), 0.0), "'spread' is 0.0"),
        (change(("blend", "members", 1, "weight"), 1.5), "'weight' is 1.5"),
        (change(("blend", "members", 1, "name"), "boosting"), "it holds|the members"),
        (change(("blend", "members", 1, "centre"), None), "'centre' is None"),
        (change(("blend", "members"), []), "no list of members"),
        (change(("blend", "scale"), float("nan")), "'scale' is nan"),
        (change(("blend", "more"), 1), "'blend' has other entries"),
        (change(("calibrator", "slope"), 2.0), "'calibrator' has other entries"),
        (change(("calibrator", "drift"), "x"), "drift"),
        (change(("calibrator",), 2.0), "'calibrator' has other entries"),
        (change(("calibration",), [0.0, 1.0]), "slope is not above 0"),
        (change(("n_trees",), 12), "it has"),
        (change(("n_features",), 5), "5 features are stated, 6 found"),
    ],
)
def test_a_damaged_blend_is_refused_by_name(blended, edit, problem):
    texts, state = blended.booster_texts(), copy.deepcopy(blended.fitted_state())
    edit(texts, state)
    with pytest.raises(ArtefactError, match=problem):
        restored(blended, texts, state)
