"""An engine is loaded as it was logged, or not at all."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, ArtefactError, TrackingError
from smartrisk.tracking import champions, load, log_run, promote, sweep


@pytest.mark.parametrize(
    "named",
    [
        lambda run: run,
        lambda run: run.run_id,
        lambda run: f"runs:/{run.run_id}",
        lambda run: run.model_uri,
        lambda run: "models:/customs-risk/1",
    ],
    ids=["run", "id", "runs-uri", "model-uri", "version"],
)
def test_the_scores_of_a_loaded_engine_are_bit_identical(
    logged, judged, past_and_new, named
):
    engine = load(named(logged), tracking_uri=logged.tracking_uri)
    pd.testing.assert_frame_equal(engine.score(past_and_new[1]), judged[0])


@pytest.mark.parametrize("named", ["", "my model", 3, "models:/", "models:/../x"])
def test_other_texts_than_names_of_runs_are_refused_before_any_store(named):
    with pytest.raises(ArgumentError, match="'run' must be a Run"):
        load(named, tracking_uri="http://127.0.0.1:9")


def test_an_unknown_run_is_an_error_that_names_the_store(store):
    with pytest.raises(TrackingError, match=r"mlflow\.db' has no run"):
        load("0" * 32, tracking_uri=store)


def test_a_run_without_an_engine_is_an_error(logged, client):
    other = client.create_run("0")
    with pytest.raises(TrackingError, match="holds no engine"):
        load(other.info.run_id, tracking_uri=logged.tracking_uri)


def engine_folder(run):
    place = Path(run.tracking_uri.removeprefix("sqlite:///")).parent
    return next(place.rglob("manifest.json")).parent


def test_an_edited_artefact_is_refused(engine, store):
    run = log_run(engine, tracking_uri=store)
    path = engine_folder(run) / "risk.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=1", 1))
    with pytest.raises(ArtefactError, match=r"'risk\.txt'"):
        load(run)


@pytest.mark.parametrize(
    "call",
    [
        lambda place: load("models:/a@b", tracking_uri=place),
        lambda place: sweep(tracking_uri=place),
        lambda place: champions("a", tracking_uri=place),
    ],
    ids=["load", "sweep", "champions"],
)
def test_reading_makes_no_store(tmp_path, call):
    with pytest.raises(TrackingError, match="there is no store"):
        call(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_an_exchanged_artefact_is_refused(engine, store, world):
    import shutil

    from smartrisk import RiskEngine

    run = log_run(engine, tracking_uri=store)
    other = RiskEngine(n_jobs=1, random_state=7).fit(world.declarations, world.outcomes)
    folder = engine_folder(run)
    shutil.rmtree(folder)
    other.save(folder)
    with pytest.raises(ArtefactError, match="artefacts were exchanged"):
        load(run)


def test_loading_runs_no_code_of_the_store(engine, store, tmp_path):
    run = log_run(engine, tracking_uri=store)
    marker = tmp_path / "ran"
    for path in Path(store).rglob("*.py"):
        path.write_text(f"open({str(marker)!r}, 'w')\n")
    load(run)
    assert not marker.exists()


def test_promotion_moves_the_alias_once_the_gates_are_passed(logged, engine):
    uri = promote(logged, "customs-risk", at_least={"roc_auc": 0.5})
    assert uri == "models:/customs-risk@champion"
    assert load(uri, tracking_uri=logged.tracking_uri).version_ == engine.version_
    with pytest.raises(TrackingError, match=r"not promoted: roc_auc is .* needed 1\.5"):
        promote(logged, "customs-risk", alias="best", at_least={"roc_auc": 1.5})
    with pytest.raises(TrackingError, match="profit is not logged"):
        promote(logged, "customs-risk", alias="best", at_least={"profit": 0.0})


def test_promotion_registers_an_engine_that_is_not_registered(engine, store):
    run = log_run(engine, tracking_uri=store)
    promote(run, "other name", alias="trial")
    client = mlflow.MlflowClient(run.tracking_uri, registry_uri=run.tracking_uri)
    assert client.get_model_version_by_alias("other name", "trial").version == 1
