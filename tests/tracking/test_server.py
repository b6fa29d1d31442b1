"""Against MLflow's own processes: a tracking server, and a served model."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smartrisk.tracking import load, log_run, promote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX"),
]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def running(words, folder, health, environment):
    """Run an MLflow command until its health page answers; end its whole group."""
    venv_first = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=folder,
            env={**os.environ, "PATH": venv_first, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(health, process, log)
        yield
    finally:
        stop(process)


def wait_for(health, process, log, seconds=240):
    """Poll a page until it answers, the process ends, or patience does."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=5):
            return
        time.sleep(0.5)
    pytest.fail(f"no answer from {health}: {log.read_text()}")


def stop(process):
    """Stop the process that was started here and its children."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)


def test_a_run_goes_to_a_server_and_the_engine_comes_back(
    engine, judged, past_and_new, tmp_path
):
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    words += ["--artifacts-destination", str(tmp_path / "kept")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running(words, tmp_path, f"{uri}/health", quiet):
        run = log_run(
            engine,
            evaluation=judged[1],
            declarations=past_and_new[0],
            tracking_uri=uri,
            registered_model_name="customs-risk",
        )
        champion = promote(run, "customs-risk", at_least={"roc_auc": 0.5})
        for named in (run, run.run_id, champion):
            again = load(named, tracking_uri=uri)
            pd.testing.assert_frame_equal(again.score(past_and_new[1]), judged[0])
    assert uri in str(run)


def post(url, body, kind="application/json"):
    request = urllib.request.Request(
        url, data=body.encode(), headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())["predictions"]


def test_a_served_engine_answers_with_the_same_scores(
    logged, engine, past_and_new, tmp_path
):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = ["models", "serve", "-m", "models:/customs-risk/1"]
    words += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    new = past_and_new[1]
    new = pd.concat([new[new["tariff_code"].str.startswith("0")].head(5), new.head(35)])
    new = new.drop_duplicates(["declaration_id", "item_number"])
    assert new["tariff_code"].str.startswith("0").any()
    expected = engine.score(new)
    rows = new.assign(lodged_at=new["lodged_at"].astype(str)).astype(object)
    rows = rows.where(rows.notna(), None)
    new.to_csv(tmp_path / "new.csv", index=False)
    cells = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    split = rows.to_dict("split")
    bodies = {
        "records": {"dataframe_records": rows.to_dict("records")},
        "split": {"dataframe_split": {k: split[k] for k in ("columns", "data")}},
        "cells of a csv": {"dataframe_records": cells.to_dict("records")},
    }
    home = {"MLFLOW_TRACKING_URI": logged.tracking_uri}
    with running(words, tmp_path, f"{url}/ping", home):
        for name, body in bodies.items():
            answer = pd.DataFrame(post(f"{url}/invocations", json.dumps(body)))
            for column in ("risk_score", "expected_revenue"):
                left, right = answer[column].to_numpy(), expected[column].to_numpy()
                assert np.array_equal(left, right), name
        body = {**bodies["records"], "params": {"capacity": 4.0, "explain": True}}
        answer = pd.DataFrame(post(f"{url}/invocations", json.dumps(body)))
        assert (answer["channel"] != "green").sum() == 4
        assert answer["reasons"].str.len().gt(0).any()
        broken = {"dataframe_records": [{"declaration_id": "A"}]}
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(f"{url}/invocations", json.dumps(broken))
        assert caught.value.code == 400
        assert "lodged_at" in caught.value.read().decode()
