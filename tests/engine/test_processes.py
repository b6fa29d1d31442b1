"""Engines in forked, spawned and threaded workers of a parent that used threads.

OpenMP threads do not survive a fork: a child that waits for them never ends. So every
child is given a time limit, and is stopped when it passes it.
"""

from __future__ import annotations

import ctypes
import hashlib
import multiprocessing
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

import smartrisk as sr
from smartrisk.features import DeclarationFeatures
from smartrisk.models import RiskClassifier

#: Seconds after which a child counts as hanging; its work takes one to five.
_LIMIT = 40
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="no fork on Windows")


def work(engine, items):
    """Return a digest of the bits of scores and contributions."""
    scores = engine.score(items, guard="off")
    reasons = engine.explain(items.head(10))
    one = engine.score_one(items.iloc[3].to_dict())
    assert one["risk_score"] == scores["risk_score"].iloc[3]
    bits = hashlib.sha256()
    for values in (scores["risk_score"], scores["expected_revenue"], reasons.raw_score):
        bits.update(np.ascontiguousarray(values, np.float64).tobytes())
    bits.update(scores["model_version"].iloc[0].encode())
    return bits.hexdigest()


def load_and_work(folder, items, n_runs):
    """Return the digests of several runs, each from a fresh load."""
    return [work(sr.RiskEngine.load(folder), items) for _ in range(n_runs)]


def work_again(engine, items, n_runs):
    """Return the digests of several runs of an engine that is there."""
    return [work(engine, items) for _ in range(n_runs)]


def serve(folder, items, n_runs):
    """Return the risks that MLflow's entry gives, from fresh loads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow warns of when it is imported
        from smartrisk._mlflow_entry import RiskModel

    digests = []
    for _ in range(n_runs):
        model = RiskModel()
        model.load_context(SimpleNamespace(artifacts={"engine": folder}))
        answer = model.predict(None, items)
        risk = answer["risk_score"].to_numpy(np.float64)
        digests.append(hashlib.sha256(risk.tobytes()).hexdigest())
    return digests


def answer(connection, function, arguments):
    """Run a function in a child and send what it returns."""
    connection.send(function(*arguments))
    connection.close()


def run_children(method, n_children, function, *arguments):
    """Return the digests of several children at once; none may pass the limit."""
    context = multiprocessing.get_context(method)
    children = []
    for _ in range(n_children):
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=answer, args=(there, function, arguments))
        child.start()
        there.close()
        children.append((child, here))
    digests = []
    try:
        for child, here in children:
            assert here.poll(_LIMIT), f"a {method}ed child hangs"
            digests += here.recv()
            child.join(_LIMIT)
            assert child.exitcode == 0
    finally:
        for child, _ in children:
            child.kill()
            child.join()
    return digests


def use_threads(engine, items):
    """Use two threads of OpenMP in this process, as a large batch does."""
    matrix = np.repeat(engine.features_.transform_matrix(items.head(50)), 40, axis=0)
    if hasattr(engine.classifier_, "booster_"):
        engine.classifier_.booster_.predict(matrix, num_threads=2)
    with threadpool_limits(2, user_api="openmp"):
        engine.classifier_.raw_score(matrix)


@pytest.fixture(scope="module")
def items(calibrated_split):
    return calibrated_split.later.head(120)


@pytest.fixture(scope="module")
def folder(calibrated_engine, tmp_path_factory):
    return str(calibrated_engine.save(tmp_path_factory.mktemp("engines") / "engine"))


@pytest.fixture(scope="module")
def expected(calibrated_engine, items):
    return work(calibrated_engine, items)


@pytest.fixture(scope="module")
def other_engine(calibrated_split):
    """Return an engine whose trees are those of scikit-learn."""
    engine = sr.RiskEngine(
        features=DeclarationFeatures(parts=("item",)),
        classifier=HistGradientBoostingClassifier(max_iter=10),
    )
    return engine.fit(calibrated_split.past, calibrated_split.known)


def most_threads():
    """Return the maximum of threads that LightGBM has in this process."""
    found = ctypes.c_int()
    vars(lightgbm.basic)["_LIB"].LGBM_GetMaxThreads(ctypes.byref(found))
    return [found.value]


# ----------------------------------------------------------------------- quick


@needs_fork
def test_lightgbm_has_one_thread_in_a_forked_child():
    RiskClassifier(n_estimators=1).fit(np.arange(80.0)[:, None], np.arange(80) % 2)
    assert most_threads() != [1]
    assert run_children("fork", 1, most_threads) == [1]


@needs_fork
def test_a_forked_child_of_a_threaded_parent_loads_scores_and_explains(
    calibrated_engine, folder, items, expected
):
    use_threads(calibrated_engine, items)
    assert run_children("fork", 1, load_and_work, folder, items, 1) == [expected]
    assert run_children("fork", 1, work_again, calibrated_engine, items, 1) == [
        expected
    ]


@pytest.mark.slow
@needs_fork
def test_trees_of_another_library_work_in_a_forked_child(other_engine, items):
    expected = work(other_engine, items)
    use_threads(other_engine, items)
    with threadpool_limits(2, user_api="openmp"):
        assert run_children("fork", 1, work_again, other_engine, items, 1) == [expected]


@pytest.mark.slow
def test_threads_share_an_engine_and_load_their_own(
    calibrated_engine, folder, items, expected
):
    with ThreadPoolExecutor(2) as pool:
        loaded = [pool.submit(load_and_work, folder, items, 1) for _ in range(2)]
        shared = [pool.submit(work_again, calibrated_engine, items, 1)]
        assert [job.result(_LIMIT) for job in loaded + shared] == [[expected]] * 3


# ---------------------------------------------------- twenty of each, as promised


@pytest.mark.slow
@needs_fork
def test_twenty_forked_runs_of_a_threaded_parent(
    calibrated_engine, folder, items, expected
):
    use_threads(calibrated_engine, items)
    assert run_children("fork", 5, load_and_work, folder, items, 4) == [expected] * 20


@pytest.mark.slow
@needs_fork
def test_twenty_workers_of_a_server_that_loaded_the_engine(folder, items, expected):
    engine = sr.RiskEngine.load(folder)
    use_threads(engine, items)
    for _ in range(4):
        found = run_children("fork", 5, work_again, engine, items, 1)
        assert found == [expected] * 5


@pytest.mark.slow
def test_twenty_spawned_runs_in_two_processes(
    calibrated_engine, folder, items, expected
):
    # A spawned process imports everything again, which takes longer than ten runs.
    use_threads(calibrated_engine, items)
    assert run_children("spawn", 2, load_and_work, folder, items, 10) == [expected] * 20


@pytest.mark.slow
def test_twenty_threaded_runs(folder, items, expected):
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(load_and_work, folder, items, 5) for _ in range(4)]
        assert [job.result(_LIMIT) for job in jobs] == [[expected] * 5] * 4


@pytest.mark.slow
@needs_fork
def test_the_entry_of_mlflow_works_in_forked_children(calibrated_engine, folder, items):
    expected = serve(folder, items, 1)
    use_threads(calibrated_engine, items)
    assert run_children("fork", 2, serve, folder, items, 2) == expected * 4


@pytest.mark.slow
@needs_fork
def test_trees_of_another_library_are_loaded_in_forked_children(
    other_engine, items, tmp_path
):
    expected = work(other_engine, items)
    folder = str(other_engine.save(tmp_path / "engine"))
    use_threads(other_engine, items)
    with threadpool_limits(2, user_api="openmp"):
        found = run_children("fork", 2, load_and_work, folder, items, 2)
    assert found == [expected] * 4
