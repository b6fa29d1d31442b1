"""The version names everything that decides a score, and nothing else."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.engine._state import pack, unpack
from smartrisk.engine._version import make_version
from smartrisk.errors import ArtefactError
from smartrisk.features import DeclarationFeatures, feature_plan
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.schema import DECLARATIONS
from smartrisk.validation import validate

#: Tables that say what the history holds, not what its sums are: they decide what an
#: update counts, and no score.
REGISTERS = ("register.", "learned")


@pytest.fixture(scope="module")
def split(calibrated_split):
    return calibrated_split


@pytest.fixture(scope="module")
def packed(calibrated_engine):
    """Return what a calibrated engine is saved as."""
    return pack(calibrated_engine._settings(), calibrated_engine._state, ())


def version_of(packed, change=None):
    """Return the version of a saved engine after a change, without the check of it."""
    texts, tables = dict(packed.texts), copy.deepcopy(dict(packed.tables))
    content = json.loads(texts["engine.json"])
    if change is not None:
        change(content, texts, tables)
    texts["engine.json"] = json.dumps(content)
    try:
        found = packed._replace(texts=texts, tables=tables)
        return unpack(found, folder="x", trusted=())[1].version
    except ArtefactError as error:
        if error.message_id != "engine.content_differs":
            raise
        return error.values["found"]


def flips(tables, seed):
    """Yield (table, column, row) of one number in every column that decides a score."""
    rng = np.random.default_rng(seed)
    for name, columns in tables.items():
        if name.startswith(REGISTERS):
            continue
        for column, values in columns.items():
            if len(values):
                yield name, column, int(rng.integers(len(values)))


def test_any_number_of_the_history_changes_the_version(calibrated_engine):
    state = calibrated_engine._state
    seen = 0
    for name, table in state.features.blocks().items():
        places = [("id", 0.0), ("day", 0.5), *((n, 0.9) for n in table.totals)]
        for column, row in places:
            place = int(row * (len(table.packed) - 1))
            ids, entries = table.ids.copy(), table.packed.copy()
            sums = {key: values.copy() for key, values in table.sums.items()}
            if column == "id":
                ids[table.packed[place] >> 17] ^= np.uint64(1)
            elif column == "day":
                entries[place] += 1
            else:
                sums[column][place] += 1
            changed = type(table)(ids, entries, sums)
            assert changed.digest != table.digest, (name, column)
            seen += 1
    digests = state.history.digests()
    assert set(digests) == set(state.features.blocks())
    assert seen > 200
    # Every block has a place in the version.
    history = copy.copy(state.history)
    versions = {state.version}
    for name in digests:
        other = digests | {name: digests[name][::-1]}
        object.__setattr__(history, "digests", lambda other=other: other)
        versions.add(make_version(state.models, history))
    assert len(versions) == len(digests) + 1


def put(*path):
    """Return a change of the JSON of an engine: the path to a value, and the value."""
    *names, last, value = path

    def change(content, texts, tables):
        for name in names:
            content = content[name]
        assert content[last] != value
        content[last] = value

    return change


def change_trees(name):
    """Return a change of a leaf in a file of trees."""

    def change(content, texts, tables):
        texts[name] = with_other_leaf(texts[name])

    return change


def change_code(content, texts, tables):
    tables["codes/office"]["id"][1] += 1


@pytest.mark.parametrize(
    "change",
    [
        put("classifier", "state", "calibration", 0, 1.25),
        put("classifier", "state", "calibration", 1, 1e-9),
        put("classifier", "state", "calibrator", "drift", 0.5),
        put("classifier", "state", "blend", "level", -3.0),
        put("classifier", "state", "blend", "scale", 1.5),
        put("classifier", "state", "blend", "members", 0, "n_trees", 3),
        put("classifier", "state", "blend", "members", 1, "weight", 0.25),
        put("classifier", "state", "blend", "members", 2, "centre", -1.0),
        put("features", "params", "smoothing", 10.5),
        put("features", "params", "thresholds", [150.0, 999.0]),
        put("features", "history", "keys", 4, "parent", "office"),
        change_trees("risk.txt"),
        change_trees("risk.forest.txt"),
        change_trees("risk.extra_trees.txt"),
        change_trees("revenue.txt"),
        change_code,
    ],
)
def test_any_other_number_that_decides_a_score_changes_the_version(packed, change):
    assert version_of(packed, change) != version_of(packed)


def with_other_leaf(text):
    """Return trees with another digit in one leaf value, in as many characters."""
    head, _, tail = text.partition("leaf_value=")
    first, _, rest = tail.partition(" ")
    place = first.index(".") + 6
    digit = str((int(first[place]) + 1) % 10)
    return f"{head}leaf_value={first[:place]}{digit}{first[place + 1 :]} {rest}"


def change_threads(content, texts, tables):
    assert "[num_threads: 1]" in texts["risk.txt"]
    texts["risk.txt"] = texts["risk.txt"].replace("threads: 1]", "threads: 7]")


def change_registers(content, texts, tables):
    texts.pop("profile.json", None)
    tables["learned"]["id"] = np.zeros(0, np.uint64)
    tables["register.items"]["content"][5] += 1


@pytest.mark.parametrize(
    "change",
    [
        put("features", "params", "n_jobs", 7),
        put("features", "params", "label_delay", 99),
        put("features", "label_delay", 99),
        put("classifier", "params", "n_jobs", 7),
        put("settings", "n_jobs", 7),
        put("smartrisk", "99"),
        change_registers,
        change_threads,
    ],
)
def test_what_decides_no_score_leaves_the_version(packed, change):
    assert version_of(packed, change) == version_of(packed)


def test_every_column_of_a_saved_history_is_checked_when_it_is_loaded(packed):
    tables = dict(packed.tables)
    checked = 0
    for name, column, row in flips(tables, seed=3):
        if name.startswith("codes/") or checked % 9:  # each ninth: loading takes time
            checked += 1
            continue
        checked += 1
        values = tables[name][column].copy()
        values[row] += type(values[row])(1)
        damaged = tables | {name: tables[name] | {column: values}}
        # The order of the entries is seen at once, their content by its digest.
        block = re.escape(name.partition("/")[0])
        problem = rf"'{block}\.arrow' is damaged|sums of table '{block}' are not those"
        with pytest.raises(ArtefactError, match=problem):
            unpack(packed._replace(tables=damaged), folder="x", trusted=())
    assert checked > 200


def test_content_of_another_version_than_was_saved_is_refused(packed):
    plain = json.loads(packed.texts["engine.json"])
    for name, other in (("version", "0" * 16), ("digests", {})):
        texts = packed.texts | {"engine.json": json.dumps(plain | {name: other})}
        with pytest.raises(ArtefactError, match="was saved as version"):
            unpack(packed._replace(texts=texts), folder="x", trusted=())


def test_threads_leave_the_version(split):
    def fit(n_jobs):
        return sr.RiskEngine(
            features=DeclarationFeatures(n_jobs=n_jobs),
            classifier=RiskClassifier(n_estimators=8, n_jobs=n_jobs),
            regressor=RevenueRegressor(n_estimators=8, n_jobs=n_jobs),
        ).fit(split.past, split.known)

    assert fit(1).version_ == fit(2).version_


def test_the_plan_of_features_is_plain_and_complete(calibrated_engine):
    plan = feature_plan(calibrated_engine.features_)
    json.dumps(plan)
    names = calibrated_engine.features_.get_feature_names_out()
    assert plan["features"] == list(names)
    assert {"lodged_at", "importer_id", "duty_rate"} <= set(plan["fields"])
    assert plan["history"]["half_life"] == 30


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_and_split_of_updates_leave_version_and_scores(
    calibrated_engine, calibrated_world, split, seed
):
    items, results = calibrated_world.declarations, calibrated_world.outcomes
    whole = calibrated_engine.copy().update(items, results)
    rng = np.random.default_rng(seed)
    engine = calibrated_engine.copy()
    later = split.later.sample(frac=1, random_state=seed)
    late = results.sample(frac=1, random_state=seed)
    for part in np.array_split(np.arange(len(later)), rng.integers(2, 6)):
        own = sr.items.are_among(late, later.iloc[part])
        engine.update(later.iloc[part], late[own] if seed else None)
    engine.update(None, late)
    assert engine.version_ == whole.version_ != calibrated_engine.version_
    probe = validate(items.sample(300, random_state=1), DECLARATIONS)
    pd.testing.assert_frame_equal(
        engine.score(probe, guard="off"), whole.score(probe, guard="off")
    )
