"""A world: bit-identical for a seed, stated shares, no leak."""

from __future__ import annotations

import hashlib
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from smartrisk.datasets import SCENARIOS, FraudMix, Scenario, make_declarations
from smartrisk.schema import DECLARATIONS, OUTCOMES
from smartrisk.worlds._fraud_habits import TYPOLOGIES, typology_shares
from smartrisk.worlds._written_numbers import (
    CENTS,
    DIGITS,
    ENDINGS,
    FIVES,
    HUNDREDS,
    TENS,
    WHOLE,
    write_amounts,
)

KEY = ["declaration_id", "item_number"]
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module", params=SEEDS)
def made(request):
    return make_declarations(30_000, random_state=request.param)


@pytest.fixture(scope="module")
def first():
    return make_declarations(30_000, random_state=0)


def digest(world):
    """Return a digest of all that a world holds."""
    frames = (world.declarations, world.outcomes, world.truth)
    content = "".join(frame.to_csv() for frame in frames)
    return hashlib.sha256(content.encode()).hexdigest()


def ordinal(frame):
    """Return the raw columns as numbers, as a naive analysis would."""
    out = pd.DataFrame(index=frame.index)
    for name in frame:
        if name == "lodged_at":
            out["day"] = (frame[name] - frame[name].min()).dt.days
            out["second"] = frame[name].dt.hour * 3600 + frame[name].dt.second
        elif frame[name].dtype.kind in "fi":
            out[name] = frame[name]
        else:
            out[name] = frame[name].astype("category").cat.codes
    return out


def log_price(frame):
    """Return the log price per kg; NaN where there is no mass."""
    mass = frame["net_mass_kg"]
    return np.log(frame["customs_value"] / mass.where(mass > 0))


# ---------------------------------------------------------------- the tables


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_whatever_numpy_drew_before():
    once = digest(make_declarations(2_000, random_state=5))
    np.random.seed(1)  # noqa: NPY002
    np.random.random(7)  # noqa: NPY002
    assert digest(make_declarations(2_000, random_state=np.int64(5))) == once
    assert digest(make_declarations(2_000, random_state=6)) != once


def test_making_a_world_leaves_the_global_generator_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_declarations(500, random_state=0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("table", [DECLARATIONS, OUTCOMES], ids=lambda t: t.name)
def test_frames_have_the_fields_of_their_table_in_order(first, table):
    frame = first.declarations if table is DECLARATIONS else first.outcomes
    assert list(frame) == [name for name in table.names if name in set(frame)]
    text = pd.Series(["a"], dtype="str").dtype
    for name in frame:
        kind = table[name].kind
        expected = text if kind in ("text", "code") else table[name].dtype
        assert frame[name].dtype == expected, name


def test_the_frames_pass_validation_as_they_are(first):
    validation = pytest.importorskip("smartrisk.validation")
    for frame, table in (
        (first.declarations, DECLARATIONS),
        (first.outcomes, OUTCOMES),
        (first.full_outcomes(), OUTCOMES),
    ):
        valid = validation.validate(frame, table)
        pd.testing.assert_frame_equal(valid[list(frame)], frame)


def test_required_values_are_never_missing_and_numbers_are_finite(first):
    items = first.declarations
    assert (
        not items[[*KEY, "lodged_at", "tariff_code", "importer_id"]]
        .isna()
        .any(axis=None)
    )
    numbers = items.select_dtypes("number")
    assert np.isfinite(numbers).all(axis=None)
    assert (numbers >= 0).all(axis=None)
    assert (items["gross_mass_kg"] >= items["net_mass_kg"]).all()
    assert items["tariff_code"].str.fullmatch("[0-9]{8}").all()


def test_keys_are_unique_and_items_come_by_time(first):
    items = first.declarations
    assert not items.duplicated(KEY).any()
    assert items["lodged_at"].is_monotonic_increasing
    assert items.index.equals(pd.RangeIndex(len(items)))
    assert items["lodged_at"].min() >= pd.Timestamp("2023-01-01")
    assert items["lodged_at"].max() < pd.Timestamp("2025-01-01")


def test_truth_is_aligned_with_the_declarations(first):
    items, truth = first.declarations, first.truth
    assert truth[KEY].equals(items[KEY])
    clean = truth["illicit"] == 0
    assert (truth["typology"].eq("none") == clean).all()
    assert (truth.loc[clean, "true_tariff_code"] == items["tariff_code"][clean]).all()
    assert (truth.loc[clean, "true_origin"] == items["origin"][clean]).all()
    assert np.allclose(truth.loc[clean, "true_value"], items["customs_value"][clean])
    assert (truth.loc[clean, "evaded_revenue"] == 0).all()


def test_duties_follow_from_value_and_rate(first):
    items = first.declarations
    duty = items["customs_value"] * items["duty_rate"]
    owed = duty + 0.15 * (items["customs_value"] + duty)
    assert np.allclose(items["duties_taxes"], owed, atol=0.01)
    partner = ~items["preference"].isin(["MFN"])
    assert (items.loc[partner, "duty_rate"] == 0).all()


def test_the_full_truth_has_the_form_of_outcomes(first):
    full = first.full_outcomes()
    assert list(full) == [name for name in OUTCOMES.names if name in set(full)]
    assert len(full) == len(first.declarations)
    assert full["illicit"].sum() == first.truth["illicit"].sum()
    assert (full["known_at"] == first.declarations["lodged_at"]).all()


@pytest.mark.slow
def test_the_description_counts_the_items(first):
    figures = first.describe()["value"]
    assert figures["items"] == 30_000
    assert figures["results known"] == len(first.outcomes)
    assert figures["illicit"] == pytest.approx(first.truth["illicit"].mean())


def test_a_world_has_a_short_representation(first):
    n_results = len(first.outcomes)
    expected = (
        f"World('national', random_state=0, n_items=30000, n_results={n_results})"
    )
    assert repr(first) == expected


def test_a_notebook_shows_the_scenario_and_the_main_figures(first):
    html = first._repr_html_()
    assert "A national administration in ordinary times." in html
    assert "<td>30,000</td>" in html
    assert "hit rate" in html
    assert first == first
    assert first != make_declarations(500)


# ------------------------------------------------------------------- anchors


@pytest.mark.slow
def test_illicit_items_are_three_to_four_in_a_hundred_with_stated_shares(made):
    truth = made.truth
    assert truth["illicit"].mean() == pytest.approx(0.035, abs=0.003)
    shares = truth.loc[truth["illicit"] == 1, "typology"].value_counts(normalize=True)
    stated = typology_shares(made.random_state, made.scenario)
    assert set(shares.index) == set(TYPOLOGIES[1:])
    for name, share in zip(TYPOLOGIES[1:], stated[1:], strict=True):
        assert shares[name] == pytest.approx(share, abs=0.015)


def test_shares_of_the_kinds_scatter_around_the_mix_by_seed():
    mix = np.array(astuple(FraudMix()))
    exact = typology_shares(3, Scenario(mix_spread=0.0))[1:]
    assert np.allclose(exact, mix / mix.sum())
    national = SCENARIOS["national"]
    drawn = np.array([typology_shares(seed, national)[1:] for seed in range(200)])
    assert np.allclose(np.median(drawn, axis=0), exact, atol=0.02)
    assert 0.1 < np.log(drawn).std(axis=0).mean() < 0.3


def test_illicit_items_occur_in_every_quarter(made):
    quarter = made.declarations["lodged_at"].dt.to_period("Q")
    rate = made.truth["illicit"].groupby(quarter).mean()
    assert len(rate) == 8
    assert rate.between(0.015, 0.07).all()


@pytest.mark.slow
def test_traders_and_values_have_heavy_tails(made):
    items = made.declarations
    counts = items["importer_id"].value_counts()
    top = counts.iloc[: len(counts) // 10].sum() / len(items)
    assert 0.40 < top < 0.56
    assert 0.18 < (counts == 1).mean() < 0.4
    value = items["customs_value"].sort_values(ascending=False)
    assert 0.35 < value.iloc[: len(value) // 100].sum() / value.sum() < 0.8


def test_a_new_quarter_brings_importers_never_seen(made):
    items = made.declarations
    late = items["lodged_at"] >= pd.Timestamp("2024-10-01")
    known = set(items.loc[~late, "importer_id"])
    new = ~pd.Series(items.loc[late, "importer_id"].unique()).isin(known)
    assert 0.10 <= new.mean() <= 0.20
    consignors = items.loc[late, "consignor_id"].dropna()
    assert 0.08 < (~consignors.isin(items["consignor_id"][~late])).mean() < 0.25


def test_weekdays_modes_and_routes_are_as_in_the_anchors(made):
    items = made.declarations
    weekday = items["lodged_at"].dt.day_of_week.value_counts(normalize=True)
    assert weekday[0] == pytest.approx(0.286, abs=0.02)
    assert weekday[6] == pytest.approx(0.02, abs=0.01)
    assert 0.14 < (items["origin"] != items["departure"]).mean() < 0.21
    modes = items["transport_mode"].value_counts(normalize=True)
    assert 0.4 < modes["1"] < 0.7
    assert 0.25 < modes["4"] < 0.55
    assert 0.25 < (items["duty_rate"] == 0).mean() < 0.55


def test_true_prices_scatter_by_a_third_to_a_half_in_logs(made):
    clean = made.truth["illicit"] == 0
    price = log_price(made.declarations)[clean].dropna()
    peers = price.groupby(
        [made.declarations["tariff_code"], made.declarations["origin"]]
    )
    many = peers.transform("size") > 20
    assert 0.28 < (price - peers.transform("mean"))[many].std() < 0.5


@pytest.mark.slow
def test_codes_are_a_tree_whose_neighbours_differ_in_rate():
    items = make_declarations(30_000, random_state=0, scenario="stable").declarations
    free = items["preference"] == "MFN"
    rate = items[free].groupby("tariff_code")["duty_rate"].agg(["min", "max"])
    assert (rate["min"] == rate["max"]).all()
    chapter = rate["max"].groupby(rate.index.str[:2]).nunique()
    assert (chapter > 1).mean() > 0.7
    assert rate.index.str[:6].nunique() > 600


# --------------------------------------------------------------- mechanisms


def declared_and_true(world, typology):
    rows = world.truth["typology"] == typology
    return world.declarations[rows], world.truth[rows]


def test_undervalued_goods_are_declared_at_a_quarter_to_three_quarters(made):
    items, truth = declared_and_true(made, "undervaluation")
    share = items["customs_value"] / truth["true_value"]
    assert 0.4 < share.median() < 0.6
    assert share.quantile(0.95) < 0.86
    assert (items["tariff_code"] == truth["true_tariff_code"]).all()


def test_undervaluation_is_likelier_where_duty_is_high(made):
    rate = made.declarations["duty_rate"]
    under = made.truth["typology"] == "undervaluation"
    assert under[rate >= 0.13].mean() > 1.5 * under[rate == 0].mean()


@pytest.mark.slow
def test_misclassified_goods_go_to_a_cheaper_neighbour_at_their_true_price(made):
    items, truth = declared_and_true(made, "misclassification")
    assert (items["tariff_code"] != truth["true_tariff_code"]).all()
    same = items["tariff_code"].str[:2] == truth["true_tariff_code"].str[:2]
    assert same.all()
    assert np.allclose(items["customs_value"], truth["true_value"], atol=0.011)
    assert (truth["evaded_revenue"] > 0).mean() > 0.95


def test_false_origins_are_partners_that_the_goods_seldom_left(made):
    items, truth = declared_and_true(made, "false origin")
    assert (items["origin"] != truth["true_origin"]).all()
    assert (items["duty_rate"] == 0).all()
    assert (items["preference"] != "MFN").all()
    assert (items["origin"] != items["departure"]).mean() > 0.4


def test_understated_goods_weigh_or_count_less_than_they_are(made):
    items, truth = declared_and_true(made, "quantity")
    mass = items["net_mass_kg"] < truth["true_net_mass_kg"] * 0.95
    quantity = items["quantity"] < truth["true_quantity"] * 0.95
    assert (mass | quantity).mean() > 0.9
    share = items["customs_value"] / truth["true_value"]
    assert share.between(0.35, 0.95).mean() > 0.98


def test_phoenix_importers_are_short_lived_and_share_their_broker_and_consignor(made):
    items, _ = declared_and_true(made, "phoenix")
    by_phoenix = made.declarations["importer_id"].isin(items["importer_id"])
    all_of_them = made.declarations[by_phoenix].groupby("importer_id")
    life = all_of_them["lodged_at"].agg(np.ptp).dt.days
    assert (life < 91).all()
    assert all_of_them.size().max() <= 40
    consignors = items.dropna(subset="consignor_id").drop_duplicates("importer_id")
    assert consignors["consignor_id"].nunique() < consignors["importer_id"].nunique()


def test_fraud_is_a_habit_of_pairs_that_starts_and_stops(made):
    pair = made.declarations["importer_id"] + made.declarations["consignor_id"]
    by_pair = made.truth["illicit"].groupby(pair).agg(["sum", "size"])
    habitual = by_pair[by_pair["sum"] >= 3]
    assert habitual["sum"].sum() / by_pair["sum"].sum() > 0.3
    assert 0.15 < habitual["sum"].sum() / habitual["size"].sum() < 0.8


def test_a_low_price_indicates_fraud_but_does_not_prove_it(made):
    price = log_price(made.declarations)
    keys = [made.declarations["tariff_code"], made.declarations["origin"]]
    gap = (price - price.groupby(keys).transform("median")).dropna()
    area = roc_auc_score(made.truth["illicit"][gap.index], -gap)
    assert 0.62 < area < 0.82


# -------------------------------------------------------------------- no leak


@pytest.mark.slow
def test_a_shallow_tree_on_raw_columns_does_not_solve_it(made):
    X, y = ordinal(made.declarations), made.truth["illicit"]
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    assert roc_auc_score(y, tree.predict_proba(X)[:, 1]) < 0.75


@pytest.mark.parametrize(
    "name", ["declaration_id", "importer_id", "consignor_id", "declarant_id"]
)
def test_identifiers_carry_no_leak(made, name):
    known = made.declarations[name].notna()
    number = made.declarations.loc[known, name].str[1:].astype(np.int64)
    y = made.truth["illicit"][known]
    if name != "declaration_id":  # one name, one chance: habits repeat names
        frame = pd.DataFrame({"number": number, "y": y}).groupby("number")["y"].max()
        number, y = frame.index.to_numpy(), frame.to_numpy()
    assert roc_auc_score(y, number) == pytest.approx(0.5, abs=0.05)


def test_no_column_of_the_truth_is_among_the_declarations(first):
    hidden = set(first.truth) - set(KEY)
    assert not hidden & set(first.declarations)
    assert set(first.declarations) <= set(DECLARATIONS.names)


def test_round_and_missing_values_do_not_reveal_the_label(made):
    y = made.truth["illicit"]
    items = made.declarations
    round_value = (items["customs_value"] % 10 == 0) & (items["customs_value"] > 100)
    assert y[round_value].mean() < 0.2
    assert y[items["consignor_id"].isna()].mean() < 0.05
    assert y[items["net_mass_kg"] == 0].mean() < 0.1


# -------------------------------------------------------- numbers and prices


def test_rounding_differs_between_worlds_and_alone_does_not_show_fraud():
    rounder = []
    for seed in range(4):
        world = make_declarations(8_000, random_state=seed)
        value, truth = world.declarations["customs_value"], world.truth
        low = truth["typology"].isin(["undervaluation", "phoenix", "e-commerce"])
        even = (value % 10 == 0) & (value > 100)
        rounder.append(even[low].mean() / even[truth["illicit"] == 0].mean())
        assert truth["illicit"][even].mean() < 0.15
    assert np.median(rounder) > 1.1
    assert max(rounder) > 1.3 * min(rounder)


def test_true_prices_have_heavier_tails_than_a_normal_law(first):
    clean = first.truth["illicit"] == 0
    price = log_price(first.declarations)[clean].dropna()
    items = first.declarations.loc[price.index]
    gap = price - price.groupby(items["tariff_code"]).transform("median")
    gap = gap[items.groupby("tariff_code")["quantity"].transform("size") > 30]
    spread = (gap.quantile(0.75) - gap.quantile(0.25)) / 1.349
    assert 0.003 < (gap.abs() > 4 * spread).mean() < 0.03


def test_few_masses_and_quantities_are_keyed_in_wrongly_without_a_finding(first):
    items, truth = first.declarations, first.truth
    clean = (truth["illicit"] == 0) & (items["net_mass_kg"] > 0)
    factor = (items["net_mass_kg"] / truth["true_net_mass_kg"])[clean]
    wrong = (factor > 5) | (factor < 0.2)
    assert 0.0002 < wrong.mean() < 0.004
    assert (truth.loc[wrong.index[wrong], "evaded_revenue"] == 0).all()


def test_hands_write_amounts_as_they_are_named():
    value = np.full(8, 1_234.567)
    hand = np.array([CENTS, WHOLE, FIVES, TENS, HUNDREDS, *DIGITS[1:3], CENTS])
    written = write_amounts(np.random.default_rng(0), value, hand)
    assert written[:5].round(2).tolist() == [1_234.57, 1_235, 1_235, 1_230, 1_200]
    assert written[5:7].tolist() == [1_200, 1_230]
    ends = write_amounts(np.random.default_rng(0), value, np.full(8, ENDINGS))
    assert set((ends - 1_234).round(2)) <= {0.0, 0.5, 0.9, 0.95, 0.99}
    assert (
        write_amounts(np.random.default_rng(0), value[:1] / 1e6, hand[2:3])[0] == 0.01
    )
