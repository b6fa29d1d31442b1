"""What a run stores: settings, figures and digests, and never a row."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, LedgerError
from smartrisk.tracking import Run, _run, log_run


def test_a_run_states_where_it_is(logged):
    text = str(logged)
    assert logged.run_id in text
    assert logged.model_uri in text
    assert "mlflow ui --backend-store-uri sqlite:///" in text


def test_a_run_never_shows_a_password():
    uri = "https://officer:secret@tracking.example/mlflow?token=abc"
    run = Run(run_id="1", model_uri="models:/m-1", tracking_uri=uri, experiment="x")
    assert "secret" not in str(run)
    assert "abc" not in str(run)
    assert "tracking.example" in str(run)


@pytest.fixture
def spaced():
    """Return a run whose store has spaces in its address."""
    return Run(
        run_id="1",
        model_uri="models:/m-1",
        tracking_uri="sqlite:////a place/my runs.db",
        experiment="x",
        artifact_uri="/a place/m-1",
    )


def commands_of(run):
    """Return the commands to view and to serve a run."""
    lines = [line.split(maxsplit=1) for line in str(run).splitlines()]
    found = {words[0]: words[1] for words in lines}
    return found["view"], found["serve"]


@pytest.mark.skipif(os.name == "nt", reason="Windows quotes otherwise")
def test_the_commands_of_a_run_are_quoted(spaced):
    view, serve = (shlex.split(line) for line in commands_of(spaced))
    assert view == ["mlflow", "ui", "--backend-store-uri", spaced.tracking_uri]
    assert serve[3:] == ["-m", "/a place/m-1", "--env-manager", "local"]


def test_the_commands_of_a_run_are_quoted_as_windows_reads_them(spaced, monkeypatch):
    monkeypatch.setattr(_run, "os", SimpleNamespace(name="nt"))
    view, serve = commands_of(spaced)
    assert view == 'mlflow ui --backend-store-uri "sqlite:////a place/my runs.db"'
    assert ' -m "/a place/m-1" ' in serve


def test_the_names_of_metrics_state_the_rate(client, logged, judged):
    metrics = client.get_run(logged.run_id).data.metrics
    assert metrics["precision_at_05pct"] == pytest.approx(
        judged[1].to_dict()["precision_at_05pct"]
    )
    assert "roc_auc" in metrics


def test_the_logged_model_has_the_metrics_and_the_data_they_hold_for(client, logged):
    model = client.get_logged_model(logged.model_uri.removeprefix("models:/"))
    assert str(model.status).endswith("READY")
    found = {metric.key: metric for metric in model.metrics}
    assert found["precision_at_05pct"].dataset_name == "declarations-evaluation"


def test_parameters_are_those_of_the_engine(client, logged, engine):
    run = client.get_run(logged.run_id)
    assert run.data.params["label_delay"] == str(engine.label_delay)
    assert max(map(len, run.data.params.values())) <= 500
    assert run.data.tags["smartrisk.engine_version"] == engine.version_
    assert run.data.tags["office"] == "all"
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"


def test_data_are_logged_by_digest_only(client, logged, past_and_new):
    inputs = client.get_run(logged.run_id).inputs.dataset_inputs
    about = {i.tags[0].value: i.dataset for i in inputs}
    assert set(about) == {"training", "evaluation"}
    assert json.loads(about["training"].profile) == {"num_rows": len(past_and_new[0])}
    assert about["training"].digest != about["evaluation"].digest


def test_the_digest_follows_the_content_not_the_index(past_and_new):
    from smartrisk.tracking._contents import digest_frame

    _, new = past_and_new
    again = new.reset_index(drop=True)
    assert digest_frame(again) == digest_frame(new)
    changed = again.copy()
    changed.loc[0, "customs_value"] += 1.0
    assert digest_frame(changed) != digest_frame(new)


def test_artefacts_hold_the_table_the_picture_and_all_settings(client, logged):
    def names(folder=""):
        found = client.list_artifacts(logged.run_id, folder)
        return [n for f in found for n in (names(f.path) if f.is_dir else [f.path])]

    assert set(names()) == {
        "engine.json",
        "evaluation/rates.csv",
        "facts.json",
        "figures/curve/curve.png",
        "importance/importance.json",
        "importance/importance.png",
        "drift/drift.json",
        "drift/drift.png",
    }


def test_matplotlib_figures_and_displays_are_logged(engine, judged, store):
    import matplotlib.pyplot as plt
    import mlflow

    from smartrisk.displays import RateCurveDisplay

    display = RateCurveDisplay.from_evaluations(judged[1]).plot()
    run = log_run(
        engine, figures={"rates": display, "../up": display.figure_}, tracking_uri=store
    )
    plt.close("all")
    client = mlflow.MlflowClient(run.tracking_uri)
    found = {f.path for f in client.list_artifacts(run.run_id, "figures")}
    assert found == {"figures/rates.png", "figures/_up.png"}


def test_cards_are_logged_and_pages_that_name_parties_are_refused(
    engine, judged, store, past_and_new
):
    import mlflow

    from smartrisk.displays import RateCurveDisplay
    from smartrisk.pages import CaseSheet, ModelCard, WatchList

    _, new = past_and_new
    card = ModelCard.from_engine(engine, evaluation=judged[1])
    curves = RateCurveDisplay.from_evaluations(judged[1])  # not drawn yet
    run = log_run(
        engine, figures={"model-card": card, "curves": curves}, tracking_uri=store
    )
    client = mlflow.MlflowClient(run.tracking_uri)
    found = {
        f.path
        for d in ("pages", "figures")
        for f in client.list_artifacts(run.run_id, d)
    }
    assert found == {"pages/model-card.html", "figures/curves.png"}
    private = {
        "watch": WatchList.from_engine(engine, new.head(50)),
        "case": CaseSheet.from_engine(engine, new.head(1)),
    }
    with pytest.raises(ArgumentError, match="'watch', 'case', pages that name parties"):
        log_run(engine, figures={"card": card, **private}, tracking_uri=store)


def test_nothing_in_the_store_was_pickled(logged):
    place = Path(logged.tracking_uri.removeprefix("sqlite:///")).parent
    endings = {path.suffix for path in place.rglob("*") if path.is_file()}
    assert not endings & {".pkl", ".pickle", ".joblib", ".skops", ".npy", ".npz"}


@pytest.fixture(scope="module")
def canaries(world):
    """Return a world whose every identity is a canary."""
    items, results = world.declarations.copy(), world.outcomes.copy()
    names = ("importer_id", "declarant_id", "consignor_id", "carrier_id")
    for frame in (items, results):
        frame["declaration_id"] = "CANARY" + frame["declaration_id"]
    for name in names:
        items[name] = "CANARY" + items[name].fillna("0")
    results["officer_id"] = "CANARY-OFFICER"
    return items.tail(3000), results


@pytest.mark.slow
def test_no_identity_is_in_the_store(canaries, store):
    import pyarrow.parquet as pq

    items, results = canaries
    known = results["declaration_id"].isin(items["declaration_id"])
    engine = sr.RiskEngine(n_jobs=1).fit(items, results[known])
    with pytest.warns(sr.errors.LeakageWarning):
        result = sr.evaluation.evaluate(
            engine.score(items),
            results,
            n_bootstrap=0,
            segments={"importer": items["importer_id"]},
        )
    log_run(
        engine,
        evaluation=result,
        declarations=items,
        tracking_uri=store,
        registered_model_name="risk",
    )
    for path in Path(store).rglob("*"):
        if path.is_file():
            assert b"CANARY" not in path.read_bytes(), path
        if path.suffix == ".parquet":
            texts = pq.read_table(path).to_pandas().select_dtypes(exclude="number")
            assert not any(
                texts[c].astype(str).str.contains("CANARY").any() for c in texts
            )
    with sqlite3.connect(Path(store) / "mlflow.db") as base:
        tags = dict(base.execute("select key, value from tags"))
    base.close()
    assert tags["mlflow.user"] == getpass.getuser()


@pytest.mark.slow
def test_several_engines_can_be_logged_within_one_active_run(engine, tracking_uri):
    import mlflow

    with mlflow.start_run() as parent:
        runs = [log_run(engine) for _ in range(2)]
        assert mlflow.active_run().info.run_id == parent.info.run_id
    client = mlflow.MlflowClient(tracking_uri)
    for run in runs:
        tags = client.get_run(run.run_id).data.tags
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.experiment == "tests"


def test_a_run_anchors_a_ledger(engine, store, tmp_path):
    import mlflow

    with sr.ledger.Ledger(tmp_path / "decisions.sqlite") as ledger:
        run = log_run(engine, tracking_uri=store, anchor=ledger.note("a month"))
        ledger.note("later")
        client = mlflow.MlflowClient(run.tracking_uri)
        for carrier in (run, client.get_run(run.run_id)):
            assert ledger.verify(anchor=carrier).ok
        assert run.anchor.startswith("2:")
        assert not ledger.verify(anchor=run.anchor.replace("2:", "3:")).ok
    with pytest.raises(LedgerError, match="number:digest"):
        log_run(engine, tracking_uri=store, anchor="seven")


@pytest.mark.slow
def test_a_run_in_another_store_has_no_parent(engine, tracking_uri, store):
    import mlflow

    with mlflow.start_run():
        run = log_run(engine, tracking_uri=store)
    tags = mlflow.MlflowClient(run.tracking_uri).get_run(run.run_id).data.tags
    assert "mlflow.parentRunId" not in tags


def test_no_global_state_of_mlflow_changes(engine, store, monkeypatch):
    import mlflow

    before = mlflow.get_tracking_uri(), dict(os.environ)
    log_run(engine, tracking_uri=store)
    assert (mlflow.get_tracking_uri(), dict(os.environ)) == before
    assert mlflow.active_run() is None


def test_mlflows_own_setting_names_the_store(engine, tracking_uri):
    assert log_run(engine).tracking_uri == tracking_uri


def test_the_default_store_is_a_folder_of_the_working_directory(
    engine, store, tmp_path, monkeypatch
):
    import mlflow

    folder = Path(store).rename(tmp_path / "smartrisk-mlruns")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(None)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = log_run(engine)
    assert run.tracking_uri == f"sqlite:///{folder.as_posix()}/mlflow.db"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["smartrisk-mlruns"]
    assert (folder / "artifacts").is_dir()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"evaluation": 3}, "'evaluation' must be the result of"),
        (
            {"evaluation": {"precision": "high"}},
            "must be a number; these are not: .*precision: .*high",
        ),
        ({"declarations": [1]}, "'declarations' must be a DataFrame"),
        ({"experiment": " "}, "'experiment' must be a printable text"),
        ({"experiment": "a\nb"}, "'experiment' must be a printable text"),
        ({"figures": {"..": "x.png"}}, "no letter or digit"),
    ],
)
def test_arguments_are_refused_with_the_remedy(engine, store, given, message):
    with pytest.raises(ArgumentError, match=message):
        log_run(engine, tracking_uri=store, **given)


def test_an_engine_that_was_not_fitted_is_refused_before_any_run(store):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError, match="RiskEngine"):
        log_run(sr.RiskEngine(), tracking_uri=store)


def test_a_run_whose_logging_fails_is_marked_failed(engine, store, tmp_path):
    import mlflow

    from smartrisk.errors import TrackingError

    with pytest.raises(TrackingError, match="log_run"):
        log_run(engine, figures={"absent": tmp_path / "absent.png"}, tracking_uri=store)
    uri = f"sqlite:///{Path(store).as_posix()}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    ids = [e.experiment_id for e in client.search_experiments()]
    assert [r.info.status for r in client.search_runs(ids)] == ["FAILED"]


def test_the_example_beside_the_model_names_no_one(logged, world):
    place = Path(logged.tracking_uri.removeprefix("sqlite:///")).parent
    path = next(place.rglob("serving_input_example.json"))
    split = json.loads(path.read_text())["dataframe_split"]
    known = set(world.declarations["importer_id"].dropna())
    assert not known & set(pd.DataFrame(**split)["importer_id"])
