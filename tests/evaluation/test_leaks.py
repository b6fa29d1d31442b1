"""The leak prover flags planted leaks and passes what is built in."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

import smartrisk
from smartrisk import features
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, LeakageError, TableError
from smartrisk.evaluation import prove_leak_free

version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
KEY = ["declaration_id", "item_number"]
BUILT_IN = [
    name
    for name in features.__all__
    if isinstance(getattr(features, name), type)
    and issubclass(getattr(features, name), BaseEstimator)
]


@pytest.fixture(scope="module")
def world():
    return make_declarations(3_000, random_state=0, scenario="small")


def probes(report):
    return set(report.frame()["probe"])


# --------------------------------------------------------------------- flagged


def in_sample_encoder(declarations, outcomes):
    """Encode importers by the hit rate of all their results, their own included."""
    both = declarations.merge(outcomes[[*KEY, "illicit"]], on=KEY, how="left")
    return both.groupby("importer_id")["illicit"].transform("mean")


def sum_of_the_day(declarations, outcomes):
    """Add up what an importer declares on a day, later items of it included."""
    day = declarations["lodged_at"].dt.date
    by = declarations.groupby(["importer_id", day])["customs_value"]
    return by.transform("sum").rename("sum_of_the_day")


def test_an_in_sample_target_encoder_is_flagged(world):
    report = prove_leak_free(in_sample_encoder, world.declarations, world.outcomes)
    assert report.leaks == ["illicit"]
    assert "own and later results" in probes(report)
    with pytest.raises(LeakageError, match=r"'illicit' moved for .* items"):
        report.check()


def target_encoder():
    """Return scikit-learn's encoder without chance: 1.9 takes the folds themselves."""
    if "shuffle" in inspect.signature(TargetEncoder).parameters and version < (1, 9):
        return TargetEncoder(shuffle=False)
    return TargetEncoder(cv=KFold(5))


def test_scikit_learns_target_encoder_on_rows_in_time_is_flagged(world):
    report = prove_leak_free(
        target_encoder(),
        world.declarations,
        world.outcomes,
        columns=["importer_id", "origin"],
    )
    assert report.leaks == ["importer_id", "origin"]
    assert report.kind == "estimator"
    assert "own and later results" in probes(report)


def test_a_sum_over_the_same_day_is_flagged(world):
    report = prove_leak_free(sum_of_the_day, world.declarations, world.outcomes)
    assert report.leaks == ["sum_of_the_day"]
    assert probes(report) == {"the same day"}


@pytest.mark.parametrize(
    ("leak", "probe"),
    [
        (lambda d, o: d["customs_value"] / d["customs_value"].mean(), "the future"),
        (lambda d, o: d["importer_id"].map(d["importer_id"].value_counts()), "future"),
        (lambda d, o: pd.Series(np.arange(len(d)), d.index), "the order of rows"),
        (lambda d, o: d["office"].shift(1).fillna("none"), "the order of rows"),
    ],
)
def test_other_leaks_are_flagged_by_their_probe(world, leak, probe):
    report = prove_leak_free(leak, world.declarations, world.outcomes)
    assert any(probe in found for found in probes(report))


def test_a_result_used_before_its_day_is_flagged(world):
    def hasty(declarations, outcomes):
        """Use results from the day of the inspection, before they were known."""
        both = declarations.merge(
            outcomes[[*KEY, "illicit", "inspected_at"]], on=KEY, how="left"
        ).sort_values("inspected_at")
        items = declarations.reset_index().sort_values("lodged_at")
        known = both.dropna(subset="inspected_at")[
            ["importer_id", "inspected_at", "illicit"]
        ]
        known["hits"] = known.groupby("importer_id")["illicit"].cumsum()
        out = pd.merge_asof(
            items,
            known[["importer_id", "inspected_at", "hits"]],
            left_on="lodged_at",
            right_on="inspected_at",
            by="importer_id",
            allow_exact_matches=False,
        )
        return out.set_index("index")["hits"].reindex(declarations.index).fillna(0)

    items = world.declarations.sort_values("lodged_at", ignore_index=True)
    report = prove_leak_free(hasty, items, world.outcomes)
    assert "the day of a result" in probes(report)


def test_what_moved_is_a_message_with_values(world):
    report = prove_leak_free(sum_of_the_day, world.declarations, world.outcomes)
    (message,) = report.messages
    assert message.message_id == "evaluation.leak_of_day"
    assert message.values["feature"] == "sum_of_the_day"
    assert "uses other items of the same day" in str(message)
    assert report.frame()["message_id"].tolist() == ["evaluation.leak_of_day"]


# ---------------------------------------------------------------------- passed


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_features_pass(name, world):
    subject = getattr(features, name)()
    report = prove_leak_free(subject, world.declarations, world.outcomes)
    assert report.leaks == []
    assert report.kind == "features"
    assert min(report.checked.values()) > 100
    report.check()


@pytest.mark.slow
def test_the_engine_passes(world):
    report = prove_leak_free(
        smartrisk.RiskEngine(), world.declarations, world.outcomes, n_moments=2
    )
    assert report.leaks == []
    assert report.kind == "engine"


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["drift", "parcels"])
def test_the_features_pass_in_other_worlds(scenario):
    world = make_declarations(20_000, random_state=1, scenario=scenario)
    report = prove_leak_free(
        features.DeclarationFeatures(), world.declarations, world.outcomes
    )
    assert report.leaks == []


def test_a_function_of_the_item_alone_passes(world):
    def own(declarations, outcomes):
        return declarations[["customs_value", "net_mass_kg", "origin"]]

    report = prove_leak_free(own, world.declarations, world.outcomes)
    assert report.leaks == []
    assert report.frame().empty
    assert "nothing moved" in repr(report)


def test_an_encoder_without_labels_moves_in_no_row(world):
    report = prove_leak_free(
        OrdinalEncoder(), world.declarations, world.outcomes, columns=["office"]
    )
    assert report.leaks == []


def test_the_tables_are_left_as_they_were(world):
    items, results = world.declarations.copy(), world.outcomes.copy()
    prove_leak_free(in_sample_encoder, items, results)
    pd.testing.assert_frame_equal(items, world.declarations)
    pd.testing.assert_frame_equal(results, world.outcomes)


# ------------------------------------------------------------------- arguments


def test_a_subject_that_draws_random_numbers_is_refused(world):
    rng = np.random.default_rng(0)

    def chance(declarations, outcomes):
        return pd.Series(rng.random(len(declarations)), declarations.index)

    with pytest.raises(ArgumentError, match="different numbers each time"):
        prove_leak_free(chance, world.declarations, world.outcomes)


def test_a_subject_that_cannot_be_probed_is_refused(world):
    items, results = world.declarations, world.outcomes
    with pytest.raises(ArgumentError, match="'subject' must be an engine"):
        prove_leak_free(3, items, results)
    with pytest.raises(TableError, match="columns missing in OUTCOMES: 'known_at'"):
        prove_leak_free(sum_of_the_day, items, results.drop(columns="known_at"))
    with pytest.raises(TableError, match="cannot be split"):
        prove_leak_free(sum_of_the_day, items.head(50), results)
    with pytest.raises(ArgumentError, match="n_moments"):
        prove_leak_free(sum_of_the_day, items, results, n_moments=0)
