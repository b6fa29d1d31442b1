"""The market on patterns that made worlds lack: jumps, outliers, one trader."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.features import (
    DeclarationFeatures,
    Key,
    LearnedHistory,
    MarketPrices,
    PeerPrices,
    join_results,
    pack_history,
    unpack_history,
)

N_DAYS = 240
RESULTS = pd.DataFrame(
    {"declaration_id": ["d3"], "item_number": [1], "illicit": [1]}
).assign(known_at=pd.Timestamp("2024-02-01"), revenue_adjustment=5.0)
DEVIATION = "market__price_per_kg_deviation"
Z = "market__price_per_kg_z"


def make_items(seed=0, *, per_day=12, noise=0.3):
    """Return honest items of 20 codes whose prices are lognormal about the code's."""
    rng = np.random.default_rng(seed)
    n = N_DAYS * per_day
    code = rng.integers(0, 20, n)
    mass = np.exp(rng.normal(4.0, 1.0, n)).round(2)
    price = np.exp(rng.normal(0.0, 1.5, 20)[code] + rng.normal(0.0, noise, n))
    return pd.DataFrame(
        {
            "declaration_id": [f"d{number}" for number in range(n)],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(np.arange(n) // per_day, unit="D"),
            "importer_id": [f"i{number}" for number in rng.integers(0, 60, n)],
            "tariff_code": [f"61{c // 4:02d}{c:02d}" for c in code],
            "origin": rng.choice(["CN", "VN"], n),
            "net_mass_kg": mass,
            "customs_value": (price * mass).round(2),
        }
    )


def frame(transformer, items):
    """Return the features of items as a frame."""
    return pd.DataFrame(
        np.asarray(transformer.transform(items)),
        columns=transformer.get_feature_names_out(),
        index=items.index,
    )


@pytest.fixture(scope="module")
def items():
    return make_items()


@pytest.fixture(scope="module")
def calm(items):
    return frame(MarketPrices(n_jobs=1).fit(items), items)


@pytest.mark.parametrize("factor", [1.3, 0.7, 3.0])
def test_a_jump_of_all_prices_is_no_finding(items, calm, factor):
    jumped = items.copy()
    late = np.arange(len(items)) >= len(items) // 2
    jumped.loc[late, "customs_value"] *= factor
    moved = frame(MarketPrices(n_jobs=1).fit(jumped), jumped)
    settled = np.arange(len(items)) >= int(len(items) * 0.75)
    change = (moved[DEVIATION] - calm[DEVIATION])[settled]
    assert abs(change.mean()) < 0.1 * abs(np.log(factor))
    peers = PeerPrices((Key(("hs6",)),), n_jobs=1)
    name = "hs6__price_per_kg_deviation"
    usual = frame(peers.fit(items), items)[name]
    left = (frame(peers.fit(jumped), jumped)[name] - usual)[settled]
    assert abs(left.mean()) > 0.5 * abs(np.log(factor))


def test_steady_inflation_does_not_make_honest_prices_deviate(items, calm):
    rising = items.copy()
    days = (items["lodged_at"] - items["lodged_at"].iloc[0]).dt.days
    rising["customs_value"] *= np.exp(0.004 * days)
    moved = frame(MarketPrices(n_jobs=1).fit(rising), rising)
    late = days >= N_DAYS // 2
    assert abs((moved[DEVIATION] - calm[DEVIATION])[late].mean()) < 0.15
    assert 0.004 * days.max() > 0.9


def test_outliers_among_honest_prices_do_not_hide_a_low_one(items):
    rng = np.random.default_rng(1)
    heavy = items.copy()
    wild = rng.random(len(items)) < 0.1
    heavy.loc[wild, "customs_value"] *= np.exp(rng.normal(6.0, 1.0, wild.sum()))
    late = np.flatnonzero((np.arange(len(items)) > len(items) * 0.7) & ~wild)
    low = late[::10]
    heavy.loc[low, "customs_value"] *= 0.3
    found = frame(MarketPrices(n_jobs=1).fit(heavy), heavy)
    honest = np.setdiff1d(late, low)
    assert abs(np.median(found[DEVIATION].iloc[honest])) < 0.2
    assert (found[Z].iloc[low] < -1.0).mean() > 0.6
    peers = PeerPrices((Key(("hs6",)),), n_jobs=1).fit(heavy)
    usual = frame(peers, heavy)["hs6__price_per_kg_z"]
    assert (usual.iloc[low] < -1.0).mean() < 0.5


def test_an_importer_who_always_declares_too_little_is_no_peer_of_its_own(items):
    alone = items.copy()
    sole = (alone["tariff_code"] == alone["tariff_code"].iloc[0]) & (
        alone["origin"] == "VN"
    )
    alone.loc[sole, "importer_id"] = "cheap"
    alone.loc[sole, "customs_value"] *= 0.25
    late = sole & (np.arange(len(alone)) > len(alone) * 0.7)
    assert late.sum() > 10
    with_own = frame(MarketPrices(n_jobs=1).fit(alone), alone)[DEVIATION]
    without = alone.drop(columns="importer_id")
    unaware = frame(MarketPrices(n_jobs=1).fit(without), without)[DEVIATION]
    assert unaware[late].median() > -0.35
    assert with_own[late].median() < unaware[late].median() - 0.2


def test_the_market_knows_only_earlier_days(items):
    early = items.head(1500)
    past = frame(MarketPrices(n_jobs=1).fit(early), early)
    whole = frame(MarketPrices(n_jobs=1).fit(items), early)
    assert past.equals(whole)


def test_prices_of_the_day_itself_leave_no_trace(items, calm):
    day = items["lodged_at"].iloc[2000]
    same = (items["lodged_at"] == day) & (items.index != 2000)
    other = items.copy()
    other.loc[same, "customs_value"] *= 5.0
    moved = frame(MarketPrices(n_jobs=1).fit(other), items.loc[[2000]])
    assert moved.equals(calm.loc[[2000]])


def test_batch_one_item_update_and_restored_history_are_bit_identical(items):
    head, tail = items.head(1200), items.iloc[1200:1800]
    both = pd.concat([head, tail])
    parts = ("digits", "market", "siblings")

    def learn(table):
        return LearnedHistory.learn(
            DeclarationFeatures(parts=parts, n_jobs=1),
            table,
            join_results(table, RESULTS),
            label_delay=30,
        )

    whole = DeclarationFeatures(parts=parts, n_jobs=1).fit(both)
    batch = whole.transform_matrix(both)
    fitted = DeclarationFeatures(parts=parts, n_jobs=1).fit_transform(both)
    assert np.array_equal(np.asarray(fitted), batch, equal_nan=True)
    grown = DeclarationFeatures(parts=parts, n_jobs=1).fit(head).update(tail)
    assert np.array_equal(grown.transform_matrix(both), batch, equal_nan=True)
    late_first = DeclarationFeatures(parts=parts, n_jobs=1).fit(tail).update(head)
    assert np.array_equal(late_first.transform_matrix(both), batch, equal_nan=True)
    restored = unpack_history(*pack_history(learn(both))).features
    assert np.array_equal(restored.transform_matrix(both), batch, equal_nan=True)
    for row in (0, 700, 1799):
        one = whole.transform_one(both.iloc[row].to_dict())
        assert np.array_equal(one, batch[[row]], equal_nan=True)


def test_a_day_whose_items_were_replaced_leaves_no_trace(items):
    few = items.head(600)
    later = few["lodged_at"].max() + pd.Timedelta(days=4)
    wrong = few.copy()
    wrong.loc[wrong.index[-2:], "lodged_at"] = later
    asked = few.tail(50).assign(lodged_at=later + pd.Timedelta(days=9))
    history, whole = (
        LearnedHistory.learn(
            DeclarationFeatures(parts=("market",), n_jobs=1),
            learned,
            join_results(learned, RESULTS, label_delay=30),
            label_delay=30,
        )
        for learned in (wrong, few)
    )
    history.features.transform_matrix(asked)  # the level of the wrong items is known
    history, counts = history.add(few.tail(2), on_known="replace")
    assert counts["items"]["replaced"] == 2
    assert history.digests() == whole.digests()
    found, wanted = (h.features.transform_matrix(asked) for h in (history, whole))
    np.testing.assert_array_equal(found, wanted)
    for made in (history, whole):
        one = made.features.transform_one(asked.iloc[0].to_dict())
        np.testing.assert_array_equal(one, wanted[:1])


def test_without_a_mass_the_price_per_unit_is_compared(items):
    counted = items.rename(columns={"net_mass_kg": "quantity"})
    names = MarketPrices().fit(counted).get_feature_names_out().tolist()
    assert names[:2] == [
        "market__price_per_unit_deviation",
        "market__price_per_unit_z",
    ]
    bare = items.drop(columns=["net_mass_kg", "importer_id"])
    assert MarketPrices().fit_transform(bare).shape == (len(items), 0)


def test_missing_measures_and_unseen_goods_give_no_deviation(items):
    market = MarketPrices().fit(items.assign(net_mass_kg=np.nan))
    assert frame(market, items)[[DEVIATION, Z]].isna().all(axis=None)
    new = items.tail(3).assign(tariff_code="999999")
    assert frame(MarketPrices().fit(items), new)[DEVIATION].isna().all()


def test_orders_and_days_of_goods_do_not_matter(items, calm):
    shuffled = items.sample(frac=1.0, random_state=0)
    again = frame(MarketPrices(n_jobs=1).fit(shuffled), items)
    assert again.equals(calm)
