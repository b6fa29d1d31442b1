"""The traps in DATE's published code, each a test on the public transformer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import LeakageError
from smartrisk.features import DeclarationFeatures, EntityHistory, Key


@pytest.fixture(scope="module")
def items(world):
    return world.declarations.iloc[:3000]


@pytest.fixture(scope="module")
def results(world, items):
    ids = set(items["declaration_id"])
    return world.outcomes[world.outcomes["declaration_id"].isin(ids)].reset_index(
        drop=True
    )


def matrix(features, frame):
    return np.asarray(features.transform(frame))


@pytest.fixture(scope="module")
def fitted(items, results):
    return DeclarationFeatures(n_jobs=1).fit(items, outcomes=results)


@pytest.fixture(scope="module")
def base(fitted, items):
    return matrix(fitted, items)


def same(left, right):
    return np.array_equal(left, right, equal_nan=True)


def test_flipping_a_label_moves_no_feature_of_its_item_nor_of_earlier_ones(
    items, results, base
):
    victim = results.iloc[len(results) // 2]
    flipped = results.copy()
    at = flipped.index[len(flipped) // 2]
    flipped.loc[at, "illicit"] = 1 - flipped.loc[at, "illicit"]
    moved = matrix(DeclarationFeatures(n_jobs=1).fit(items, outcomes=flipped), items)
    changed = ~np.all((moved == base) | (np.isnan(moved) & np.isnan(base)), axis=1)
    lodged = items["lodged_at"].dt.normalize().to_numpy()
    known = pd.Timestamp(victim["known_at"]).normalize()
    assert changed.any()
    assert (lodged[changed] > known).all()


def test_one_item_at_a_time_equals_the_batch_bitwise(fitted, items, base):
    rows = [0, 17, 1500, 2999]
    single = np.vstack([matrix(fitted, items.iloc[[row]]) for row in rows])
    assert same(single, base[rows])
    assert same(matrix(fitted, items.iloc[100:700]), base[100:700])


def test_a_result_is_never_used_before_it_is_known(items, results, base):
    early = items["lodged_at"].quantile(0.5)
    visible = results[results["known_at"] < early.normalize()]
    cut = matrix(DeclarationFeatures(n_jobs=1).fit(items, outcomes=visible), items)
    before = (items["lodged_at"] < early.normalize()).to_numpy()
    assert same(cut[before], base[before])
    assert not same(cut[~before], base[~before])


def test_a_missing_known_at_counts_from_the_label_delay(items, results):
    undated = results.drop(columns=["known_at", "inspected_at"])
    lodged = items.set_index("declaration_id")["lodged_at"]
    dated = undated.assign(
        known_at=(
            items.merge(undated, on=["declaration_id", "item_number"], how="right")[
                "lodged_at"
            ]
            + pd.Timedelta(days=45)
        ).to_numpy()
    )
    assert len(lodged)
    left = DeclarationFeatures(label_delay=45, n_jobs=1).fit(items, outcomes=undated)
    right = DeclarationFeatures(label_delay=1, n_jobs=1).fit(items, outcomes=dated)
    assert same(matrix(left, items), matrix(right, items))


def test_deleting_the_future_changes_no_feature(items, results, base):
    past = items.iloc[:2000]
    last = past["lodged_at"].dt.normalize().max()
    past = past[past["lodged_at"] < last]
    kept = results[results["declaration_id"].isin(set(past["declaration_id"]))]
    alone = DeclarationFeatures(n_jobs=1).fit(past, outcomes=kept)
    assert same(matrix(alone, past), base[: len(past)])


def test_zero_and_missing_measures_give_no_infinity(items, results):
    odd = items.copy()
    for column in ("net_mass_kg", "customs_value", "quantity"):
        odd.loc[odd.index[::7], column] = 0.0
        odd.loc[odd.index[::11], column] = np.nan
    out = matrix(DeclarationFeatures(n_jobs=1).fit(odd, outcomes=results), odd)
    assert len(out) == len(odd)
    assert not np.isinf(out).any()


def test_row_order_and_index_gaps_keep_the_alignment(items, results, base):
    order = np.random.default_rng(0).permutation(len(items))
    mixed = items.iloc[order].set_axis(order * 3 + 7)
    again = DeclarationFeatures(n_jobs=1).fit(mixed, outcomes=results)
    assert same(matrix(again, mixed), base[order])


def test_an_unseen_trader_gets_the_prior_and_not_a_gap(fitted, items):
    new = items.tail(1).assign(importer_id="NEVER-SEEN", consignor_id="NOR-THIS")
    row = fitted.set_output(transform="pandas").transform(new).iloc[0]
    fitted.set_output(transform="default")
    assert row["importer_id__n_items"] == 0
    assert 0 < row["importer_id__hit_rate"] < 1
    rates = row.filter(like="hit_rate")
    assert rates.notna().all()


def test_history_does_not_depend_on_the_rest_of_the_batch(fitted, items, base):
    crowd = pd.concat([items.iloc[[50]]] + [items.iloc[[50]]] * 40)
    assert same(matrix(fitted, crowd)[:1], base[[50]])


def test_items_of_the_same_day_do_not_see_each_other(items):
    day = items.head(60).assign(
        lodged_at=pd.Timestamp("2024-03-01 10:00"), importer_id="SAME"
    )
    history = EntityHistory(keys=(Key(("importer_id",)),), n_jobs=1)
    out = history.set_output(transform="pandas").fit_transform(day)
    assert (out["importer_id__n_items"] == 0).all()


@pytest.mark.parametrize("column", ["assessed_value", "illicit", "revenue_adjustment"])
def test_columns_known_after_the_control_are_refused(items, column):
    with pytest.raises(LeakageError, match=column):
        DeclarationFeatures().fit(items.assign(**{column: 1.0}))


def test_fit_transform_equals_fit_then_transform(items, results, base):
    both = DeclarationFeatures(n_jobs=2).fit_transform(items, outcomes=results)
    assert same(np.asarray(both), base)


def test_labels_given_as_y_equal_outcomes_without_dates(items, results):
    undated = results[["declaration_id", "item_number", "illicit"]]
    y = items.merge(undated, on=["declaration_id", "item_number"], how="left")[
        "illicit"
    ].to_numpy(float)
    left = matrix(DeclarationFeatures(n_jobs=1).fit(items, y), items)
    right = matrix(DeclarationFeatures(n_jobs=1).fit(items, outcomes=undated), items)
    names = DeclarationFeatures().fit(items.head(50)).get_feature_names_out()
    plain = [k for k, name in enumerate(names) if "revenue_rate" not in name]
    assert same(left[:, plain], right[:, plain])
