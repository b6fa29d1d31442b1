"""History as sums: additive, order-free, equal to a plain loop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError
from smartrisk.features import (
    GOODS_LINE_KEY,
    DeclarationFeatures,
    EntityHistory,
    Key,
    PeerPrices,
    from_tables,
    to_tables,
)
from smartrisk.features._columns import Columns
from smartrisk.features._sum_tables import SumTable, build_table


def frame(importers, days):
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(len(days))],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(np.asarray(days), unit="D"),
            "importer_id": importers,
            "tariff_code": "640399",
        }
    )


cases = st.lists(
    st.tuples(
        st.sampled_from("ABC"), st.integers(0, 40), st.sampled_from([0, 1, None])
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases)
def test_counts_and_rates_equal_a_plain_loop(case):
    items = frame([c[0] for c in case], [c[1] for c in case])
    y = np.array([np.nan if c[2] is None else c[2] for c in case], float)
    delay, window, strength = 5, 7, 10.0
    asked = ("n_items", "n_items__7d", "decayed", "hit_rate", "days_since_last")
    history = EntityHistory(
        keys=(Key(("importer_id",), statistics=asked),), label_delay=delay, n_jobs=1
    ).set_output(transform="pandas")
    out = history.fit(items, y).transform(items)
    for row, (name, day, _) in enumerate(case):
        past = [c for c in case if c[0] == name and c[1] < day]
        known = [c for c in case if c[2] is not None and c[1] + delay < day]
        own = [c for c in known if c[0] == name]
        assert out["importer_id__n_items"].iloc[row] == len(past)
        recent = [c for c in past if c[1] >= day - window]
        assert out[f"importer_id__n_items__{window}d"].iloc[row] == len(recent)
        overall = (sum(c[2] for c in known) + 1.0) / (len(known) + 10.0)
        rate = (sum(c[2] for c in own) + strength * overall) / (len(own) + strength)
        assert out["importer_id__hit_rate"].iloc[row] == pytest.approx(rate, rel=1e-6)
        decayed = sum(0.5 ** ((day - c[1]) / 30) for c in past)
        assert out["importer_id__decayed"].iloc[row] == pytest.approx(decayed, rel=1e-5)
        if past:
            last = day - max(c[1] for c in past)
            assert out["importer_id__days_since_last"].iloc[row] == last
        else:
            assert np.isnan(out["importer_id__days_since_last"].iloc[row])


def test_peer_deviation_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    items = frame(rng.choice(list("AB"), 60), rng.integers(0, 30, 60)).assign(
        customs_value=rng.lognormal(5, 1, 60), net_mass_kg=rng.lognormal(3, 1, 60)
    )
    prices = PeerPrices(keys=(Key(("hs6",)),), n_jobs=1).set_output(transform="pandas")
    out = prices.fit_transform(items)
    logs = np.log(items["customs_value"] / items["net_mass_kg"]).to_numpy()
    day = items["lodged_at"].to_numpy()
    for row in range(60):
        past = logs[day < day[row]]
        if len(past):
            want = logs[row] - past.mean()  # the parent's mean is the same peers'
            found = out["hs6__price_per_kg_deviation"].iloc[row]
            assert found == pytest.approx(want, abs=2e-3)
            assert out["hs6__price_per_kg_n_peers"].iloc[row] == len(past)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(cases, st.integers(0, 40))
def test_partitions_add_up_to_the_whole(case, cut):
    # Few days, so that most entries get items of both parts.
    items = frame([c[0] for c in case], [c[1] % 3 for c in case])
    cut %= len(items)
    whole = build_table(Columns(items), ("importer_id",))
    parts = [
        build_table(Columns(part), ("importer_id",))
        for part in (items.iloc[:cut], items.iloc[cut:])
        if len(part)
    ]
    merged = SumTable.merge(parts)
    assert np.array_equal(merged.ids, whole.ids)
    assert np.array_equal(merged.packed, whole.packed)
    assert np.array_equal(merged.sums["n"], whole.sums["n"])


def test_update_equals_a_fit_on_everything(world):
    items, outcomes = world.declarations.iloc[:2000], world.outcomes
    head, tail = items.iloc[:1200], items.iloc[1200:]

    def of(part):
        return outcomes[outcomes["declaration_id"].isin(set(part["declaration_id"]))]

    whole = DeclarationFeatures(n_jobs=1).fit(items, outcomes=of(items))
    moved = DeclarationFeatures(n_jobs=1).fit(head, outcomes=of(head))
    moved.update(tail, outcomes=of(tail))
    names = whole.get_feature_names_out()
    plain = [k for k, name in enumerate(names) if not name.endswith("__code")]
    left, right = whole.transform(items), moved.transform(items)
    assert np.array_equal(left[:, plain], right[:, plain], equal_nan=True)


def test_an_unpacked_transformer_gives_the_same_features(world):
    items = world.declarations.iloc[:1500]
    features = DeclarationFeatures(n_jobs=1).fit(items, outcomes=None)
    again = from_tables(*to_tables(features))
    assert np.array_equal(
        features.transform(items), again.transform(items), equal_nan=True
    )


def test_leading_zeros_are_kept_in_headings(world):
    items = world.declarations.head(400).assign(tariff_code="010121")
    history = EntityHistory(keys=(Key(("hs2",)), Key(("hs4",), parent="hs2")))
    out = history.set_output(transform="pandas").fit_transform(items)
    assert out["hs2__n_items"].max() == out["hs4__n_items"].max() > 0
    other = items.assign(tariff_code=["010121", "101210"] * 200)
    out = history.fit_transform(other)
    assert out["hs2__n_items"].max() <= 200


def test_a_missing_importer_has_no_history_and_gives_none(world):
    items = world.declarations.head(500).copy()
    items["importer_id"] = items["importer_id"].where(np.arange(500) % 2 == 0, None)
    history = EntityHistory(keys=(Key(("importer_id",)),)).set_output(
        transform="pandas"
    )
    out = history.fit_transform(items)
    assert (out["importer_id__n_items"].to_numpy()[1::2] == 0).all()
    assert out["importer_id__hit_rate"].notna().all()


def test_absent_columns_drop_their_keys(world):
    lean = world.declarations[
        ["declaration_id", "item_number", "lodged_at", "tariff_code", "origin"]
    ]
    names = DeclarationFeatures().fit(lean).get_feature_names_out()
    assert "hs6_x_origin__hit_rate" in names
    assert not any("importer_id" in name for name in names)


def test_feature_info_describes_every_column(world):
    features = DeclarationFeatures().fit(world.declarations.head(500))
    names = [info.name for info in features.feature_info_]
    assert names == list(features.get_feature_names_out())
    assert len(set(names)) == len(names)
    assert all(info.fields and info.concept for info in features.feature_info_)


ASKED = ("hit_rate__60d", "n_items", "hits__30d")


def test_a_key_may_name_its_statistics(world):
    items, outcomes = world.declarations.iloc[:1500], world.outcomes
    outcomes = outcomes[outcomes["declaration_id"].isin(set(items["declaration_id"]))]
    named = Key(("importer_id", "hs4"), parent="importer_id", statistics=ASKED)
    few = EntityHistory(keys=(Key(("importer_id",), statistics=()), named), n_jobs=1)
    every = EntityHistory(
        keys=(
            Key(("importer_id",)),
            Key(named.columns, parent="importer_id", statistics=(*ASKED, "decayed")),
        ),
        n_jobs=1,
    ).set_output(transform="pandas")
    found = few.fit_transform(items, outcomes=outcomes)
    names = [f"importer_id_x_hs4__{name}" for name in ASKED]
    assert list(few.get_feature_names_out()) == names
    whole = every.fit_transform(items, outcomes=outcomes)
    assert np.array_equal(found, whole[names], equal_nan=True)
    one = few.transform(items.iloc[[700]])
    assert np.array_equal(one[0], found[700], equal_nan=True)


def test_price_keys_may_name_their_statistics(world):
    items = world.declarations.iloc[:1500]
    named = Key(("hs6",), parent="hs4", statistics=("price_per_kg_z",))
    few = PeerPrices(keys=(Key(("hs4",), statistics=()), named), n_jobs=1)
    every = PeerPrices(keys=(Key(("hs4",)), Key(("hs6",), parent="hs4")), n_jobs=1)
    found = few.fit_transform(items)
    whole = every.set_output(transform="pandas").fit_transform(items)
    assert few.measures_ == ("price_per_kg",)
    assert np.array_equal(found[:, 0], whole["hs6__price_per_kg_z"], equal_nan=True)


@pytest.mark.parametrize(
    ("transformer", "wrong"),
    [
        (EntityHistory, "hit_rates"),
        (EntityHistory, "hit_rate__0d"),
        (EntityHistory, "decayed__30d"),
        (PeerPrices, "price_per_kg_zz"),
    ],
)
def test_a_statistic_that_does_not_exist_is_named(world, transformer, wrong):
    keys = (Key(("importer_id",), statistics=(wrong,)),)
    with pytest.raises(ArgumentError, match=wrong):
        transformer(keys=keys).fit(world.declarations.iloc[:10])


def test_parts_leave_the_rest_out(world):
    items = world.declarations.iloc[:500]
    whole = DeclarationFeatures(n_jobs=1).set_output(transform="pandas")
    wanted = whole.fit_transform(items)
    few = DeclarationFeatures(parts=("prices", "item"), n_jobs=1)
    found = few.fit_transform(items)
    names = list(few.get_feature_names_out())
    assert np.array_equal(found, wanted[names], equal_nan=True)
    again = from_tables(*to_tables(few))
    assert np.array_equal(again.transform(items), found, equal_nan=True)
    with pytest.raises(ArgumentError, match="parts"):
        DeclarationFeatures(parts=()).fit(items)


def repeated(**columns):
    """Return one goods line on three days."""
    frame = pd.DataFrame(
        {
            "declaration_id": ["A", "B", "C"],
            "item_number": 1,
            "lodged_at": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
            "tariff_code": ["090121"] * 3,
            "origin": ["BR"] * 3,
            "net_mass_kg": [12.5] * 3,
        }
    )
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("columns", "seen"),
    [
        ({}, [0, 1, 2]),  # neither departure, rate nor preference are kept
        ({"preference": [None, None, None]}, [0, 1, 2]),
        ({"preference": [None, "300", None]}, [0, 0, 1]),
        ({"departure": ["BR", "BR", None]}, [0, 1, 0]),
        ({"net_mass_kg": [12.5, None, 12.5]}, [0, 0, 1]),
    ],
)
def test_a_goods_line_is_found_again_where_something_is_missing(columns, seen):
    key = dataclasses.replace(GOODS_LINE_KEY, statistics=("n_items",))
    items = repeated(**columns)
    history = EntityHistory((key,), n_jobs=1).fit(items)
    assert np.asarray(history.transform(items))[:, 0].tolist() == seen
    alone = [np.asarray(history.transform(items.iloc[[k]]))[0, 0] for k in range(3)]
    assert alone == seen
    (info,) = history.feature_info_
    assert not any("?" in name for name in (*info.fields, *info.key, info.name))


def test_missing_as_a_value_never_meets_another_value():
    key = Key(("importer_id?",), statistics=("n_items",))
    items = repeated(importer_id=[None, "X", None])
    found = EntityHistory((key,), n_jobs=1).fit_transform(items)
    assert np.asarray(found)[:, 0].tolist() == [0, 0, 1]


def test_a_rate_without_results_is_that_of_the_parent_key(world):
    items = world.declarations.iloc[:1500]
    keys = (Key(("hs2",)), Key(("hs2", "origin"), parent="hs2"))
    history = EntityHistory(keys=keys, n_jobs=1).set_output(transform="pandas")
    out = history.fit(items, outcomes=_results_of(world, items)).transform(items)
    unknown = out["hs2_x_origin__inspections"] == 0
    child, parent = out["hs2_x_origin__hit_rate"], out["hs2__hit_rate"]
    assert unknown.sum() > 100
    assert np.array_equal(child[unknown], parent[unknown])
    assert (child[~unknown] != parent[~unknown]).any()


def _results_of(world, items):
    """Return the results of some items."""
    return world.outcomes[
        world.outcomes["declaration_id"].isin(items["declaration_id"])
    ]
