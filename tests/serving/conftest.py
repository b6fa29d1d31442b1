"""A saved engine, and services of it: in this process, and as programs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import warnings

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("prometheus_client")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the client's own library
    from starlette.testclient import TestClient

from smartrisk.serving import ServiceSettings, create_app

TOKEN = "a-token-of-more-than-16-signs"
HOME = "http://127.0.0.1"


@pytest.fixture(scope="session")
def saved(engine, tmp_path_factory):
    """Return the folder of a saved engine that no test changes."""
    return engine.save(tmp_path_factory.mktemp("served") / "engine")


@pytest.fixture
def folder(saved, tmp_path):
    """Return a saved engine of the test's own."""
    return shutil.copytree(saved, tmp_path / "place" / "engine")


def serve_here(folder, *, token=None, loopback_only=True, **settings):
    """Return a client of a service in this process."""
    app = create_app(
        ServiceSettings(folder=str(folder), **settings),
        token=token,
        loopback_only=loopback_only,
    )
    return TestClient(app, base_url=HOME, raise_server_exceptions=False)


@pytest.fixture(scope="session")
def client(saved):
    """Return a client of a service that only reads."""
    with serve_here(saved, poll=3600.0) as found:
        yield found


@pytest.fixture(scope="session")
def new(past_and_new):
    """Return items that the engine does not know."""
    return past_and_new[1].head(60)


def as_records(items):
    """Return items as a client's JSON has them."""
    items = items[[name for name in items if not name.startswith("dq_")]]
    return json.loads(items.to_json(orient="records", date_format="iso"))


@pytest.fixture(scope="session")
def records(new):
    """Return the same items as objects of JSON."""
    return as_records(new)


@contextlib.contextmanager
def program(folder, *words, env=None):
    """Run ``smartrisk serve``; yield its port, its process and the lines of its log."""
    place = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "smartrisk",
            "serve",
            str(folder),
            "--port",
            "0",
            *words,
        ],
        env={**os.environ, "PYTHONPATH": place, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr))
    reader.start()
    try:
        first = process.stdout.readline()
        if not first.startswith("listening on "):
            process.wait()
            reader.join()
            raise RuntimeError("".join(lines))
        port = int(first.split(";")[0].rpartition(":")[2])
        yield port, process, lines
    finally:
        process.terminate()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


def ask(connection, path, value, **headers):
    """Send JSON on a connection that stays open; return the status and the answer."""
    made = {"Content-Type": "application/json", **headers}
    connection.request("POST", path, json.dumps(value), made)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@contextlib.contextmanager
def connect(port):
    """Yield a connection to a service on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        yield connection


def ask_once(port, path, value, **headers):
    """Send JSON on a connection of its own; return the status and the answer."""
    with connect(port) as connection:
        return ask(connection, path, value, **headers)
