"""A fresh local store for each test, and one logged run."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def store(tmp_path, _tracking_template):
    """Return the folder of a migrated, empty SQLite store."""
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copy(_tracking_template, folder / "mlflow.db")
    return str(folder)


@pytest.fixture(scope="session")
def judged(engine, world, past_and_new):
    """Return scores of the new items and how good they are."""
    from smartrisk.evaluation import evaluate

    _, new = past_and_new
    scores = engine.score(new)
    return scores, evaluate(scores, world.full_outcomes(), n_bootstrap=0)


@pytest.fixture(scope="session")
def logged(tmp_path_factory, _tracking_template, engine, judged, past_and_new):
    """Return a run that tests only read."""
    from smartrisk.tracking import log_run

    folder = tmp_path_factory.mktemp("logged")
    shutil.copy(_tracking_template, folder / "mlflow.db")
    picture = folder / "curve.png"
    picture.write_bytes(b"\x89PNG")
    past, new = past_and_new
    return log_run(
        engine,
        evaluation=judged[1],
        declarations={"training": past, "evaluation": new},
        figures={"curve": picture},
        registered_model_name="customs-risk",
        run_name="first",
        tags={"office": "all"},
        tracking_uri=folder,
    )


@pytest.fixture
def client(logged):
    """Return MLflow's own view of the store that holds the run."""
    import mlflow

    return mlflow.MlflowClient(logged.tracking_uri, registry_uri=logged.tracking_uri)
