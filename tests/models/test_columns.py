"""Boosted trees on the raw columns, by any of the libraries that are installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, MissingExtraError
from smartrisk.models import ColumnBoosting

LIBRARIES = ("lightgbm", "scikit-learn", "catboost", "xgboost")


@pytest.fixture(scope="module")
def world():
    return make_declarations(4_000, random_state=0, scenario="small")


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_learns_something_from_the_columns_alone(library, world):
    if library not in ("lightgbm", "scikit-learn"):
        pytest.importorskip(library)
    items, hits = world.declarations, world.truth["illicit"].to_numpy()
    model = ColumnBoosting(library).fit(items.iloc[:3_000], hits[:3_000])
    chance = model.predict_proba(items.iloc[3_000:])
    assert np.allclose(chance.sum(axis=1), 1)
    assert roc_auc_score(hits[3_000:], chance[:, 1]) > 0.55
    again = ColumnBoosting(library).fit(items.iloc[:3_000], hits[:3_000])
    assert (again.predict_proba(items.iloc[3_000:]) == chance).all()


def test_names_never_seen_and_other_columns_change_nothing(world):
    items, hits = world.declarations, world.truth["illicit"].to_numpy()
    model = ColumnBoosting().fit(items, hits)
    new = items.head(5).assign(importer_id="never seen", office="99")
    assert np.isfinite(model.predict_proba(new)).all()
    more = items.head(5).assign(remark="x", declaration_id="other")
    scores = model.predict_proba(items.head(5))
    assert (model.predict_proba(more) == scores).all()


def test_a_library_that_is_unknown_or_missing_is_named(world, monkeypatch):
    items, hits = world.declarations, world.truth["illicit"].to_numpy()
    with pytest.raises(ArgumentError, match="library"):
        ColumnBoosting("sklearn").fit(items, hits)

    load = importlib.import_module

    def missing(name, package=None):
        if name == "catboost":
            raise ImportError(name)
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"smartrisk\[rivals\]"):
        ColumnBoosting("catboost").fit(items, hits)
