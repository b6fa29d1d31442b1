"""A fresh local store for each test, one logged run, and MLflow's own processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

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


# --------------------------------------------------------------- processes


def free_port():
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def run_mlflow(words, folder, health, environment):
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
        _wait_for(health, process, log)
        yield
    finally:
        _stop(process)


def _wait_for(health, process, log, seconds=240):
    """Poll a page until it answers, the process ends, or patience does."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=5):
            return
        time.sleep(0.5)
    pytest.fail(f"no answer from {health}: {log.read_text()}")


def _stop(process):
    """Stop the process that was started here and its children."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)


@contextlib.contextmanager
def start_server(folder, backend):
    """Run a tracking server on a database; yield its address on the loopback."""
    if os.name != "posix":
        pytest.skip("process groups are POSIX")
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", backend]
    words += ["--artifacts-destination", str(folder / "kept")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with run_mlflow(words, folder, f"{uri}/health", quiet):
        yield uri


@pytest.fixture(scope="session")
def mlflow_process():
    """Return a function that runs an MLflow command while a block lasts, and a port.

    ``run(words, folder, health, environment)`` is a context manager.
    """
    return run_mlflow, free_port


@pytest.fixture(scope="session")
def mlflow_server_on():
    """Return ``start(folder, backend)``, a context manager that yields an address."""
    return start_server


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory, _tracking_template):
    """Return the address of a real server that all tests of a session share."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(_tracking_template, folder / "server.db")
    with start_server(folder, f"sqlite:///{folder.as_posix()}/server.db") as uri:
        yield uri
