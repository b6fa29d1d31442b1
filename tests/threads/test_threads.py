"""`n_jobs` means what it means in scikit-learn, and changes no bit of a result."""

from __future__ import annotations

import joblib
import numpy as np
import pytest

from smartrisk import threads
from smartrisk.features import DeclarationFeatures
from smartrisk.models import RiskClassifier
from smartrisk.threads import count_jobs


@pytest.fixture
def four_processors(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 4)


@pytest.mark.parametrize(
    ("n_jobs", "count"), [(1, 1), (9, 9), (None, 1), (-1, 4), (-2, 3), (-9, 1)]
)
def test_a_number_of_jobs_is_read_as_scikit_learn_reads_it(
    n_jobs, count, four_processors
):
    assert count_jobs(n_jobs) == count


def test_none_follows_the_context_and_a_number_does_not():
    with joblib.parallel_config(n_jobs=3, backend="threading"):
        assert (count_jobs(None), count_jobs(2)) == (3, 2)
    assert count_jobs(None) == 1


@pytest.mark.parametrize(
    ("n_jobs", "n_items", "count"),
    [
        (4, 19_999, 1),
        (4, 20_000, 4),
        (None, 20_000, 1),
        (-1, 20_000, 4),
        (-2, 20_000, 3),
        (9, 20_000, 4),
    ],
)
def test_trees_use_threads_for_many_items_only(n_jobs, n_items, count, four_processors):
    from smartrisk.models._boosting import count_threads

    assert count_threads(n_jobs, n_items) == count


def test_a_forked_child_uses_one_thread(four_processors, monkeypatch):
    from smartrisk.models._boosting import count_threads

    monkeypatch.setattr(threads._Process, "forked", True)
    assert count_threads(4, 50_000) == 1


def test_the_number_of_threads_changes_no_bit(world, four_processors):
    items, results = world.declarations.head(2000), world.outcomes
    results = results[results["declaration_id"].isin(items["declaration_id"])]
    one, *others = (
        DeclarationFeatures(n_jobs=n_jobs).fit_transform(items, outcomes=results)
        for n_jobs in (1, 3, None, -2)
    )
    for other in others:
        assert np.array_equal(one, other, equal_nan=True)


def test_trees_of_many_items_are_the_same_with_more_threads(four_processors):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 4)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=20_000) > 2).astype(int)
    one, two = (RiskClassifier(6, n_jobs=n).fit(X, y) for n in (1, 2))
    assert two.booster_.params["num_threads"] == 2
    assert np.array_equal(one.raw_score(X), two.raw_score(X))
    assert np.array_equal(one.contributions(X[:600]), two.contributions(X[:600]))
