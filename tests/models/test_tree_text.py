"""A text that LightGBM could abort or never return on is refused before it reads it."""

from __future__ import annotations

import re

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.tree import DecisionTreeClassifier

from smartrisk.errors import ArtefactError
from smartrisk.models import (
    RevenueRegressor,
    RiskClassifier,
    TreeText,
    check_tree_text,
    dump_estimator,
    load_estimator,
)
from smartrisk.models._stored_trees import check_stored_trees


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    X[:, 3] = rng.integers(0, 4, 500)
    return X, X[:, 0] + 5 * (X[:, 3] == 1) + rng.normal(size=500)


@pytest.fixture(scope="module")
def text(data):
    """Return the text of trees with splits by codes."""
    X, y = data
    model = RiskClassifier(n_estimators=4, categorical=(3,), min_child_items=5)
    return model.fit(X, y > 2).booster_text()


def change(text, key, edit, tree=1):
    """Return a text with another value in a line of a tree, and its size."""
    head, _, rest = text.partition("\n\n")
    blocks = re.split(r"(?m)^(?=Tree=|end of trees)", rest)
    lines = blocks[tree].split("\n")
    place = next(n for n, line in enumerate(lines) if line.startswith(f"{key}="))
    value = lines[place].partition("=")[2].split(" ")
    lines[place] = f"{key}={' '.join(edit(value))}"
    blocks[tree] = "\n".join(lines)
    sizes = " ".join(str(len(block)) for block in blocks[1:-1])
    head = re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head)
    return f"{head}\n\n{''.join(blocks)}"


def first(new):
    """Return an edit of the first number of a line."""
    return lambda values: [new, *values[1:]]


def last(new):
    """Return an edit of the last number of a line."""
    return lambda values: [*values[:-1], new]


@pytest.mark.parametrize(
    "params",
    [
        {"objective": "regression", "min_data_in_leaf": 400},
        {"objective": "regression", "linear_tree": True},
        {"objective": "multiclass", "num_class": 3},
        {"objective": "quantile", "boosting": "dart"},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    ],
)
def test_what_lightgbm_writes_passes(params, data):
    X, y = data
    if "num_class" in params:
        y = np.digitize(y, [1, 3])
    known = lgb.Dataset(X, y, categorical_feature=[3])
    booster = lgb.train(params | {"verbosity": -1}, known, 5)
    found = check_tree_text(booster.model_to_string())
    assert (found.n_trees, found.n_features) == (booster.num_trees(), 4)
    assert found.n_outputs == params.get("num_class", 1)


@pytest.mark.parametrize(
    ("key", "edit", "problem"),
    [
        ("left_child", first("0"), "child of a later one"),
        ("left_child", first("999"), "outside its tree"),
        ("right_child", last("-999"), "outside its tree"),
        ("left_child", lambda v: [v[0], v[0], *v[2:]], "several parents|later one"),
        ("split_feature", first("4"), "outside 0 to 3"),
        ("split_feature", first("-1"), "outside 0 to 3"),
        ("decision_type", first("12"), "outside 0 to 11"),
        ("threshold", first("nan"), "missing numbers"),
        ("threshold", lambda v: v[1:], "entries of 'threshold'"),
        ("leaf_value", last("1e999"), "infinite"),
        ("leaf_value", last("0x7"), "other characters"),
        ("leaf_count", last("-1"), "outside 0"),
        ("num_leaves", first("3"), "code splits|entries"),
        ("num_cat", first("9"), "code splits|cat_boundaries"),
        ("cat_boundaries", first("1"), "rise from 0"),
        ("cat_boundaries", last("99"), "wrong number of 'cat_threshold'"),
        ("cat_threshold", first("4294967296"), "outside 0"),
        ("is_linear", first("1"), "lacks lines"),
        ("shrinkage", first("inf"), "shrinkage"),
    ],
)
def test_a_damaged_tree_is_refused_by_what_is_wrong(text, key, edit, problem):
    assert check_tree_text(text) == TreeText(4, 4, 1, "binary")
    with pytest.raises(ArtefactError, match=rf"'risk\.txt' is no model.*({problem})"):
        check_tree_text(change(text, key, edit), name="risk.txt")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (r"tree_sizes=\d+", "tree_sizes=9999999", "is stated to have"),
        (r"tree_sizes=\d", "tree_sizes=", "does not lie|is stated|end where"),
        (r"max_feature_idx=3", "max_feature_idx=9", "one entry for each feature"),
        (r"num_class=1", "num_class=3", "classes"),
        (r"objective=binary.*", "objective=multiclass num_class:3", "classes"),
        (r"(?m)^num_cat=.*\n", "", "does not lie|lacks lines|twice"),
        (r"(?m)^\[boosting.*\]", "[boosting gbdt]", "'\\[name: value\\]'"),
        (r"$", "parser:\nx\nend of parser\n", "goes on after its end"),
        (r"end of trees", "end of trees\0", "ends a text"),
        (r"^tree\n", "", "does not begin"),
    ],
)
def test_a_damaged_head_or_end_is_refused(text, old, new, problem):
    with pytest.raises(ArtefactError, match=problem):
        check_tree_text(re.sub(old, new.replace("\\", r"\\"), text, count=1))


def test_a_tree_deeper_than_a_recursion_is_refused(text, monkeypatch):
    monkeypatch.setattr("smartrisk.models._tree_text._MOST_DEPTH", 2)
    with pytest.raises(ArtefactError, match="deeper than 2"):
        check_tree_text(text)


def test_trees_for_something_else_are_no_model(text, data):
    model = RiskClassifier().restore(text, {**STATE, "n_features": 4})
    assert model.n_trees_ == 4
    with pytest.raises(ArtefactError, match=r"'text' is damaged: .*'binary', not 'tw"):
        RevenueRegressor().restore(text, {"mean": 1.0, "n_features": 4})
    for name, value in (("n_trees", 5), ("n_features", 5), ("calibration", [1.0])):
        with pytest.raises(ArtefactError, match="damaged"):
            RiskClassifier().restore(text, {**STATE, "n_features": 4, name: value})


STATE = {"calibration": [1.0, 0.0], "n_trees": 4}


@pytest.mark.slow
def test_trees_of_lightgbm_in_other_estimators_are_looked_at(data):
    X, y = data
    model = lgb.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, y > 2)
    broken = re.sub(r"left_child=\d+", "left_child=0", model.booster_.model_to_string())
    state = model._Booster.__getstate__() | {"_handle": broken}
    model._Booster.__getstate__ = lambda: state
    with pytest.raises(ArtefactError, match="is no model that LightGBM can read"):
        load_estimator(dump_estimator(model))


@pytest.mark.parametrize("kind", ["histogram", "boosted"])
def test_no_tree_of_scikit_learn_reads_beyond_the_columns(data, kind):
    X, y = data
    if kind == "histogram":
        model = HistGradientBoostingClassifier(max_iter=2).fit(X, y > 2)
        check_stored_trees(model, "load", "x.skops")
        nodes = model._predictors[0][0].nodes
        nodes["feature_idx"][nodes["is_leaf"] == 0] = 2_000_000_000
    else:
        wide = np.column_stack([X, X])
        model = GradientBoostingClassifier(n_estimators=2).fit(wide, y > 2)
        check_stored_trees(model, "load", "x.skops")
        model.n_features_in_ = 1  # fewer than its trees read
    with pytest.raises(ArtefactError, match="splits a feature that there is not"):
        check_stored_trees(model, "load", "x.skops")


def test_trees_of_scikit_learn_are_looked_at(data):
    X, y = data
    tree = DecisionTreeClassifier(max_depth=3).fit(X, y > 2)
    check_stored_trees(tree, "load", "x.skops")
    tree.tree_.children_left[0] = 0
    with pytest.raises(ArtefactError, match=r"'x\.skops' is damaged.*do not form one"):
        check_stored_trees([tree], "load", "x.skops")
