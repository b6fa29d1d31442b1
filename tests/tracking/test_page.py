"""The page of a run in a real server, opened in a real Chromium."""

from __future__ import annotations

import getpass
import sys
from itertools import pairwise
from pathlib import Path

import mlflow
import pytest

import smartrisk as sr
from smartrisk.tracking import log_run

pytestmark = pytest.mark.slow
#: Milliseconds: the pages ask the server for their parts one by one.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def shown(engine, judged, past_and_new, world, mlflow_server):
    """Return a run on the server, with curves, months and a model."""
    past, new = past_and_new
    result = judged[1]
    truth = world.full_outcomes()
    months = sr.evaluation.backtest(
        {"engine": sr.models.ValueBaseline()},
        world.declarations,
        world.outcomes,
        judge=truth,
        n_folds=2,
    )
    return log_run(
        engine,
        evaluation=[result, months],
        declarations={"training": past, "evaluation": new},
        tracking_uri=mlflow_server,
        experiment="the page",
        run_name="first run",
        description="Learned **again** for the north.",
    )


@pytest.fixture
def opened(browser, shown, photograph):
    """Return a function that opens a page of the server and waits for texts on it."""
    context = browser.new_context(viewport={"width": 1500, "height": 1500})
    page = context.new_page()
    elsewhere = []
    page.on(
        "request",
        lambda r: (
            r.url.startswith((shown.tracking_uri, "data:", "blob:"))
            or elsewhere.append(r.url)
        ),
    )

    def open_page(address, *texts, name=None, click=None):
        page.goto("about:blank")
        page.goto(f"{shown.tracking_uri}/#{address}")
        if click is not None:
            page.get_by_text(click, exact=True).first.click(timeout=PATIENCE)
        for text in texts:
            page.get_by_text(text).first.wait_for(state="attached", timeout=PATIENCE)
        if name is not None:
            photograph(page, f"mlflow-{name}")
        return page.inner_text("body")

    yield open_page
    context.close()
    assert elsewhere == []


def test_the_page_of_a_run_shows_who_what_and_how_good(shown, opened, engine):
    text = opened(
        f"/runs/{shown.run_id}", "declarations-training", "2024-12", name="run"
    )
    lines = [line.strip() for line in text.splitlines()]
    about = dict(pairwise(lines))
    assert about["Created by"] == getpass.getuser()
    program = Path(sys.argv[0]).name
    assert about["Source"] == program or about["Source"].endswith("__main__.py")
    assert about["Status"] == "Finished"
    assert "Learned again for the north." in lines
    # MLflow rounds no figure on this page.
    found = mlflow.MlflowClient(shown.tracking_uri).get_run(shown.run_id).data.metrics
    assert float(about["roc_auc"]) == found["roc_auc"]
    assert about["label_delay"] == str(engine.label_delay)
    assert "risk-engine" in lines


def test_curves_are_drawn_by_rate_and_by_month(shown, opened):
    client = mlflow.MlflowClient(shown.tracking_uri)
    experiment = client.get_run(shown.run_id).info.experiment_id
    place = f"/experiments/{experiment}/runs/{shown.run_id}"
    text = opened(
        f"{place}/model-metrics",
        "first run (by_rate/precision)",
        "first run (by_month/precision_at_05pct)",
        name="curves",
    )
    assert "by_rate" in text
    assert "2412" in text
    picture = f"{place}/artifacts/importance/importance.png"
    text = opened(picture, "importance.png", name="importance")
    assert "drift" in text


def test_the_page_of_the_model_shows_its_signature_and_example(shown, opened):
    client = mlflow.MlflowClient(shown.tracking_uri)
    experiment = client.get_run(shown.run_id).info.experiment_id
    place = f"/experiments/{experiment}/models/{shown.model_uri.split('/')[-1]}"
    text = opened(place, "declarations-evaluation", "first run", name="model")
    lines = [line.strip() for line in text.splitlines()]
    about = dict(pairwise(lines))
    assert about["Created by"] == getpass.getuser()
    assert about["Status"] == "Ready"
    files = f"{place}/artifacts"
    text = opened(files, "saved_input_example_info", click="MLmodel", name="signature")
    assert "signature:" in text
    assert "customs_value" in text
    text = opened(files, "columns", click="input_example.json", name="example")
    assert "tariff_code" in text
