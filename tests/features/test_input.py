"""What a transformer takes as declared items, and what its parameters may be."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.features import (
    CodeColumns,
    DeclarationFeatures,
    DutyIncentive,
    EntityHistory,
    Key,
    PeerPrices,
    Structuring,
    _columns,
    from_settings,
    to_settings,
)
from smartrisk.features._columns import Columns
from smartrisk.features._register import item_contents


@pytest.fixture(scope="module")
def items(world):
    return world.declarations.head(300)


@pytest.mark.parametrize("name", ["lodged_at", "tariff_code", "declaration_id"])
def test_a_frame_with_declared_fields_must_have_the_required_ones(items, name):
    wrong = items.rename(columns={name: f"{name}_"})
    message = rf"DeclarationFeatures: .*'{name}' is missing. Did you mean '{name}_'"
    for call in (DeclarationFeatures().fit, DeclarationFeatures().fit_transform):
        with pytest.raises(TableError, match=message):
            call(wrong)


def test_missing_fields_are_named_together():
    frame = pd.DataFrame({"origin": ["BR"], "customs_value": [1.0]})
    with pytest.raises(TableError, match="'tariff_code' are missing"):
        EntityHistory().fit(frame)


def test_plain_numbers_pass_through_unchanged():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]})
    out = DeclarationFeatures().fit_transform(frame)
    assert np.array_equal(out, frame.to_numpy(), equal_nan=True)


def test_one_item_as_a_mapping_gets_the_bits_of_the_batch(items):
    features = DeclarationFeatures().fit(items)
    batch = features.transform_matrix(items)
    for row in (0, 120, 299):
        one = features.transform_one(items.iloc[row].to_dict())
        assert np.array_equal(one, batch[[row]], equal_nan=True)


def test_the_last_day_follows_the_history(items):
    features = DeclarationFeatures().fit(items.head(200))
    day = items["lodged_at"].iloc[:200].max().normalize()
    assert features.last_day_ == day.to_datetime64()
    features.update(items.tail(100))
    assert features.last_day_ == items["lodged_at"].max().normalize().to_datetime64()
    assert DeclarationFeatures(parts=("item",)).fit(items).last_day_ is None


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (DeclarationFeatures(n_jobs=0), "DeclarationFeatures: 'n_jobs' must be None"),
        (DeclarationFeatures(n_jobs=1.5), "n_jobs"),
        (DeclarationFeatures(smoothing=0), "DeclarationFeatures: 'smoothing'"),
        (DeclarationFeatures(label_delay=-1), "DeclarationFeatures: 'label_delay'"),
        (DeclarationFeatures(keys=3), "DeclarationFeatures: 'keys' must be a tuple"),
        (DeclarationFeatures(keys="office"), "DeclarationFeatures: 'keys' must be a"),
        (DeclarationFeatures(keys=("office",)), "'keys' must hold instances of Key"),
        (DeclarationFeatures(price_keys=None), "DeclarationFeatures: 'price_keys'"),
        (DeclarationFeatures(price_keys=(3,)), "DeclarationFeatures: 'price_keys'"),
        (DeclarationFeatures(parts=3), "DeclarationFeatures: 'parts' must be a tuple"),
        (DeclarationFeatures(parts="item"), "DeclarationFeatures: 'parts' must be a"),
        (DeclarationFeatures(parts=(3,)), "DeclarationFeatures: 'parts' must be one"),
        (DeclarationFeatures(thresholds=150.0), "DeclarationFeatures: 'thresholds'"),
        (DeclarationFeatures(thresholds=("a",)), "DeclarationFeatures: 'thresholds'"),
        (EntityHistory(n_jobs=True), "EntityHistory: 'n_jobs' must be None or"),
        (EntityHistory(keys=None), "EntityHistory: 'keys' must be a tuple"),
        (EntityHistory(keys=(Key("office"),)), "Key: 'columns' must be a tuple"),
        (EntityHistory(keys=(Key(("office",), statistics=3),)), "Key: 'statistics'"),
        (PeerPrices(keys=True), "PeerPrices: 'keys' must be a tuple"),
        (PeerPrices(keys=(Key(("hs2",), statistics=3),)), "Key: 'statistics'"),
        (Structuring(thresholds=None), "Structuring: 'thresholds' must be a tuple"),
        (Structuring(thresholds=(np.nan,)), "Structuring: 'thresholds' must be a num"),
        (DeclarationFeatures(parts=("history", "price")), "Did you mean 'prices'"),
        (DeclarationFeatures(parts=()), "'parts' is empty"),
        (DeclarationFeatures(thresholds=(0.0,)), "'thresholds' must be positive"),
        (EntityHistory(half_life=0), "half_life"),
        (EntityHistory(keys=(Key(("office",), statistics="hits"),)), "Write"),
        (PeerPrices(smoothing=-1), "smoothing"),
        (Structuring(margin=2.0), "margin"),
        (Structuring(window=0), "window"),
        (CodeColumns(max_codes=1), "max_codes"),
    ],
    ids=str,
)
def test_a_parameter_that_makes_no_sense_is_refused(transformer, message, items):
    with pytest.raises(ArgumentError, match=message):
        transformer.fit(items)


@pytest.mark.parametrize("value", ["a", np.nan, -1, 1.5, None, True])
@pytest.mark.parametrize(
    "transformer",
    [
        CodeColumns,
        DeclarationFeatures,
        DutyIncentive,
        EntityHistory,
        PeerPrices,
        Structuring,
    ],
)
def test_a_label_delay_that_makes_no_sense_is_refused(transformer, value, items):
    message = f"{transformer.__name__}: 'label_delay' must be an integer of at least 0"
    for call in ("fit", "fit_transform"):
        with pytest.raises(ArgumentError, match=message):
            getattr(transformer(label_delay=value), call)(items)


def test_all_cores_change_no_bit(items):
    one = DeclarationFeatures(n_jobs=1).fit(items).transform_matrix(items)
    every = DeclarationFeatures(n_jobs=-1).fit(items).transform_matrix(items)
    assert np.array_equal(one, every, equal_nan=True)


def test_a_value_at_the_threshold_is_not_just_below_it(items):
    values = [899.99, 900.0, 999.99, 1000.0]
    rows = items.head(4).assign(customs_value=values)
    out = Structuring(thresholds=(1000.0,), margin=0.1).fit_transform(rows)
    assert out[:, 0].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_settings_are_restored_from_plain_values():
    features = DeclarationFeatures(
        keys=(Key(("carrier_id", "origin?"), name="lane", statistics=("hits",)),),
        price_keys=(),
        thresholds=(22.0,),
        parts=("history",),
        smoothing=4.0,
    )
    again = from_settings(to_settings(features))
    assert again.get_params() == features.get_params()


def test_labels_that_are_words_are_refused(items):
    words = np.where(np.arange(len(items)) % 2, "hit", "none")
    with pytest.raises(ArgumentError, match="y must be 1 for a hit, 0 for none"):
        DeclarationFeatures().fit(items, words)


def test_columns_of_many_items_are_kept_in_little_memory(items, monkeypatch):
    names = ("importer_id", "hs6", "preference?", "duty_rate")
    usual = Columns(items)
    wanted = {name: usual.base(name) for name in names}
    monkeypatch.setattr(_columns, "_MANY", 300)
    columns = Columns(items)
    for name, (codes, ids) in wanted.items():
        found = columns.base(name)
        np.testing.assert_array_equal(found[0], codes)
        np.testing.assert_array_equal(found[1], ids)
        assert found[0].dtype == np.int32
    for key in (("importer_id", "hs6"), ("hs6", "preference?", "duty_rate")):
        left, right = usual.key(key), columns.key(key)
        np.testing.assert_array_equal(left[0], right[0])
        np.testing.assert_array_equal(left[1], right[1])
    value = columns.number("customs_value")
    assert np.shares_memory(value, items["customs_value"].to_numpy())
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 1.0


def test_a_matrix_in_a_file_is_that_in_memory(items, tmp_path):
    features = DeclarationFeatures().fit(items)
    found = features.transform_matrix(items, folder=tmp_path)
    np.testing.assert_array_equal(found, features.transform_matrix(items))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == found.nbytes
    kept = np.memmap(file, np.float32, "r", shape=found.shape, order="F")
    np.testing.assert_array_equal(kept, found)


def test_the_content_of_items_is_digested_one_field_at_a_time():
    n_items, names = 20_000, [f"amount_{number:02d}" for number in range(30)]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=n_items) for name in names})
    frame["lodged_at"] = pd.Timestamp("2024-01-01")
    columns = Columns(frame)
    wanted = item_contents(columns, names)
    tracemalloc.start()
    found = item_contents(columns, names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, wanted)
    assert peak < len(names) / 2 * found.nbytes
