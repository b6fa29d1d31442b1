"""MLflow's own evaluation of a logged engine gives the library's figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.tracking import extra_metrics


@pytest.fixture
def copied(logged, store):
    """Return the address of a store that may be written to."""
    source = Path(logged.tracking_uri.removeprefix("sqlite:///"))
    shutil.copy(source, Path(store) / "mlflow.db")
    uri = f"sqlite:///{Path(store).as_posix()}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    yield uri
    mlflow.set_tracking_uri(None)


def test_mlflow_evaluates_a_logged_engine_with_the_figures_of_evaluate(
    logged, judged, past_and_new, world, copied
):
    truth = world.full_outcomes()
    key = ["declaration_id", "item_number"]
    columns = [*key, "illicit", "revenue_adjustment"]
    data = past_and_new[1].merge(truth[columns], on=key)
    data.loc[:, [c for c in data if c.startswith("dq_")]] = False
    with mlflow.start_run(experiment_id="0") as run:
        found = mlflow.models.evaluate(
            mlflow.pyfunc.load_model(logged.serve_uri),
            data,
            targets="illicit",
            predictions="risk_score",
            extra_metrics=extra_metrics(revenue="revenue_adjustment"),
        )
    expected = judged[1].to_dict()
    names = {m.name for m in extra_metrics(revenue="revenue_adjustment")}
    assert {name: found.metrics[name] for name in names} == {
        name: expected[name] for name in names
    }
    stored = mlflow.MlflowClient(copied)
    assert (
        stored.get_run(run.info.run_id).data.metrics["roc_auc"] == expected["roc_auc"]
    )
    assert stored.list_artifacts(run.info.run_id) == []  # no row of the data


def test_items_that_were_not_inspected_are_left_out():
    (metric,) = [m for m in extra_metrics(rates=(2,)) if "precision_at" in m.name]
    score, labels = [0.9, 0.8, 0.7, 0.1], [1.0, np.nan, 0.0, 1.0]
    assert metric.eval_fn(np.array(score), np.array(labels)) == 0.5
    assert np.isnan(metric.eval_fn(np.array([0.5]), np.array([np.nan])))


def test_the_direction_of_each_figure_is_stated():
    down = {m.name for m in extra_metrics() if not m.greater_is_better}
    assert down == {"brier", "calibration_error"}


def test_arguments_are_refused_before_mlflow_runs_anything():
    with pytest.raises(ArgumentError, match="'capacity'"):
        extra_metrics(rates=(2.5,))
    with pytest.raises(ArgumentError, match="name of a column"):
        extra_metrics(revenue="amount recovered")
