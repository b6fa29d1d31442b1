"""Figures of results become metrics, curves with steps, and nested runs by month."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TrackingWarning
from smartrisk.tracking import log_run
from smartrisk.tracking._metrics import read_figures


@pytest.fixture(scope="module")
def tested(world):
    """Return a backtest of two simple contenders over three months."""
    contenders = {
        "value": sr.models.ValueBaseline(),
        "by 'chance'": sr.models.RandomBaseline(),
    }
    return sr.evaluation.backtest(
        contenders,
        world.declarations,
        world.outcomes,
        judge=world.full_outcomes(),
        rates=(0.05, 0.1),
        n_folds=3,
    )


def client_of(run):
    return mlflow.MlflowClient(run.tracking_uri, registry_uri=run.tracking_uri)


def curve(client, run, name):
    history = client.get_metric_history(run.run_id, name)
    return {metric.step: metric.value for metric in history}


def test_a_curve_over_rates_has_the_rate_as_its_step(client, logged, judged):
    table = judged[1].frame()
    table = table[table["rank_by"] == "risk_score"]
    expected = dict(
        zip([100, 200, 500, 1000], table["precision"].tolist(), strict=True)
    )
    assert curve(client, logged, "by_rate/precision") == pytest.approx(expected)


def test_months_of_a_ranking_are_a_curve_dated_by_month(engine, judged, world):
    scores = judged[0]
    days = world.declarations["lodged_at"].loc[scores.index]
    periods = sr.evaluation.by_period(
        scores, world.full_outcomes(), days, rate=0.1, period="month"
    )
    figures = read_figures([periods], None, engine)
    rows = periods.frame()
    rows = rows[rows["rank_by"] == "risk_score"]
    points = [p for p in figures.curves if p.name == "by_month/precision"]
    assert [p.value for p in points] == rows["precision"].tolist()
    assert [p.step for p in points] == [
        int(text[2:].replace("-", "")) for text in rows["period"]
    ]
    assert points[0].moment == pd.Timestamp(f"{rows['period'].iloc[0]}-01")


def test_a_backtest_becomes_nested_runs_by_month(engine, tested, store):
    with pytest.warns(TrackingWarning, match="contenders .*as 'by _chance_'"):
        run = log_run(engine, evaluation=tested, contender="value", tracking_uri=store)
    client = client_of(run)
    parent = client.get_run(run.run_id)
    total = tested.total(n_bootstrap=1).set_index(["contender", "rate"])
    found = parent.data.metrics
    assert found["precision_at_05pct"] == total["precision"]["value", 0.05]
    assert found["by _chance_/recall_at_10pct"] == total["recall"]["by 'chance'", 0.1]
    children = client.search_runs(
        [parent.info.experiment_id],
        f"tags.mlflow.parentRunId = '{run.run_id}'",
        order_by=["attributes.run_name"],
    )
    table = tested.frame()
    rows = table[(table["contender"] == "value") & (table["rate"] == 0.05)]
    assert [c.info.run_name for c in children] == rows["period"].tolist()
    assert {c.info.status for c in children} == {"FINISHED"}
    by_month = [c.data.metrics["precision_at_05pct"] for c in children]
    assert by_month == rows["precision"].tolist()
    steps = [int(p[2:].replace("-", "")) for p in rows["period"]]
    name = "by_month/precision_at_05pct"
    assert curve(client, run, name) == dict(zip(steps, by_month, strict=True))


def test_figures_of_several_results_do_not_replace_each_other(engine, tested, judged):
    result = judged[1]
    own = result.to_dict()["precision_at_05pct"]
    total = tested.total(n_bootstrap=1).set_index(["contender", "rate"])
    for results in ([result, tested], [tested, result]):
        with pytest.warns(TrackingWarning, match="contenders"):
            single = read_figures(results, "value", engine).single
        assert single["precision_at_05pct"] == own
        months = total["precision"]["value", 0.05]
        assert single["backtest/precision_at_05pct"] == months
    assert read_figures([result, result], None, engine).single
    with pytest.raises(ArgumentError, match="same name and other values: 'roc_auc'"):
        read_figures([result, {"roc_auc": 0.1}], None, engine)


def test_without_its_name_no_contender_passes_for_the_engine(engine, tested):
    with pytest.warns(TrackingWarning):
        figures = read_figures([tested], None, engine)
    assert all("/" in name for name in figures.single)
    with pytest.raises(ArgumentError, match="'contender' must be one of"):
        read_figures([tested], "worth", engine)


def test_metrics_that_are_no_finite_number_are_left_out_by_name(engine):
    given = {"ok": 1, "lost": float("nan"), "much": float("inf")}
    with pytest.warns(TrackingWarning, match=r"2 metrics .* 'lost is nan', 'much is"):
        figures = read_figures([given], None, engine)
    assert figures.single == {"ok": 1.0}


def test_names_are_changed_and_stated_and_never_joined(engine):
    with pytest.warns(TrackingWarning, match="'revenue@5%' as 'revenue_5_'"):
        figures = read_figures([{"revenue@5%": 0.5, "größe": 2}], None, engine)
    assert figures.single == {"revenue_5_": 0.5, "größe": 2.0}
    with pytest.raises(ArgumentError, match="'p@5', 'p%5' get the same name"):
        read_figures([{"p@5": 0.5, "p%5": 0.5}], None, engine)


def test_a_metric_that_the_store_refuses_is_named_and_the_rest_is_logged(
    engine, store, monkeypatch
):
    real = mlflow.MlflowClient.log_batch

    def picky(self, run_id, metrics=(), **rest):
        if any(metric.key == "odd" for metric in metrics):
            raise mlflow.MlflowException.invalid_parameter_value("no odd ones here.")
        return real(self, run_id, metrics=metrics, **rest)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", picky)
    with pytest.warns(TrackingWarning, match="1 metrics, .*'odd'.*no odd ones here"):
        run = log_run(engine, evaluation={"odd": 1, "even": 2}, tracking_uri=store)
    found = client_of(run).get_run(run.run_id)
    assert found.data.metrics["even"] == 2.0
    assert "odd" not in found.data.metrics
    assert found.info.status == "FINISHED"


def test_names_with_quotes_work_from_the_experiment_to_the_registry(engine, store):
    names = {"experiment": "the 'north' and \"south\"", "run_name": "it's"}
    with pytest.warns(TrackingWarning, match="tags .* as 'who_s'"):
        run = log_run(
            engine,
            registered_model_name="o'clock",
            tags={"who's": "a 'b'"},
            tracking_uri=store,
            **names,
        )
    client = client_of(run)
    found = client.get_run(run.run_id)
    assert client.get_experiment(found.info.experiment_id).name == names["experiment"]
    assert found.info.run_name == names["run_name"]
    assert found.data.tags["who_s"] == "a 'b'"
    for model in ("o'clock", "'both' \"kinds\""):
        uri = sr.tracking.promote(run, model)
        sr.tracking.promote(run, model, alias="again")
        again = sr.tracking.load(uri, tracking_uri=store)
        assert again.version_ == engine.version_
    assert len(client.search_model_versions(f"run_id = '{run.run_id}'")) == 2


def test_importance_and_drift_are_tables_and_name_no_one(client, logged, past_and_new):
    place = Path(logged.tracking_uri.removeprefix("sqlite:///")).parent / "artifacts"
    folder = place / logged.run_id / "artifacts"
    sizes = json.loads((folder / "importance" / "importance.json").read_text())
    assert sum(row["share"] for row in sizes) == pytest.approx(1.0)
    moved = json.loads((folder / "drift" / "drift.json").read_text())
    expected = sr.monitoring.drift(*past_and_new).frame()
    assert [row["field"] for row in moved] == expected["field"].tolist()
    for row in [*sizes, *moved]:
        assert not {"declaration_id", "value"} & set(row)


def test_data_that_are_no_declarations_do_not_stop_a_run(engine, store, past_and_new):
    table = past_and_new[1].drop(columns="lodged_at")
    with pytest.warns(TrackingWarning, match="importance or drift is not logged"):
        run = log_run(engine, declarations=table, tracking_uri=store)
    assert client_of(run).get_run(run.run_id).info.status == "FINISHED"


@pytest.mark.slow
def test_a_run_says_who_from_what_and_on_which_code(engine, store, monkeypatch, root):
    import sys

    monkeypatch.setattr(sys, "argv", [str(root / "tests" / "conftest.py")])
    run = log_run(engine, tracking_uri=store, tags={"mlflow.user": "office of risk"})
    tags = client_of(run).get_run(run.run_id).data.tags
    assert tags["mlflow.user"] == "office of risk"
    assert tags["mlflow.source.name"].endswith("conftest.py")
    assert tags["mlflow.source.type"] == "LOCAL"
    assert engine.version_ in tags["mlflow.note.content"]
    if (root / ".git").exists():
        assert len(tags["mlflow.source.git.commit"]) == 40


@pytest.mark.slow
def test_the_loss_by_trees_is_a_curve_that_a_saved_engine_keeps(
    calibrated_split, tmp_path
):
    stopping = sr.models.RiskClassifier(members=("boosting",), patience=20)
    engine = sr.RiskEngine(classifier=stopping)
    engine.fit(calibrated_split.past, calibrated_split.known)
    saved = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    points = read_figures([], None, saved).curves
    assert {p.name for p in points} == {"by_trees/log_loss"}
    curve = engine.classifier_.stopping_curve_
    assert [(p.step, p.value) for p in points] == list(curve)
    best = min(points, key=lambda p: p.value)
    assert best.step == saved.classifier_.n_trees_
