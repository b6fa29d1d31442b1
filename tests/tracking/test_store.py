"""A store that is down, slow or fresh: bounded waits, one error, no half store."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smartrisk.errors import TrackingError
from smartrisk.tracking import load, log_run


@pytest.fixture
def waits(monkeypatch):
    """Return the longest wait of each call to a server, in seconds, as it is made.

    It is the timeout of each attempt times the attempts that are allowed: a bound that
    does not depend on how busy the machine is.
    """
    from requests.adapters import HTTPAdapter

    bounds = []
    send = HTTPAdapter.send

    def record(self, request, *, timeout=None, **rest):
        longest = max(timeout) if isinstance(timeout, tuple) else timeout
        bounds.append(longest * (1 + self.max_retries.total))
        return send(self, request, timeout=timeout, **rest)

    monkeypatch.setattr(HTTPAdapter, "send", record)
    return bounds


@pytest.fixture
def closed():
    """Return an address at which no server listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def silent():
    """Return an address that takes connections and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def failing():
    """Return the address of a server that answers everything with an error."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(500)

        do_POST = do_GET  # noqa: N815 - the name is the protocol's

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_unreachable_server_is_one_clear_error_and_the_engine_stays(
    engine, closed, judged, past_and_new, waits
):
    with pytest.raises(TrackingError, match="no answer") as caught:
        log_run(engine, tracking_uri=closed)
    assert 0 < sum(waits) <= 10
    assert closed in str(caught.value)
    assert "engine.save(folder)" in str(caught.value)
    assert engine.score(past_and_new[1]).equals(judged[0])


def test_loading_from_an_unreachable_server_is_the_same_error(closed):
    with pytest.raises(TrackingError, match="no answer"):
        load("0" * 32, tracking_uri=closed)


def test_a_failing_server_is_a_clear_error(engine, failing, waits):
    with pytest.raises(TrackingError, match="tracking store"):
        log_run(engine, tracking_uri=failing)
    assert 0 < sum(waits) <= 10


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_given_up_within_seconds(
    engine, silent, waits
):
    with pytest.raises(TrackingError, match="tracking store"):
        log_run(engine, tracking_uri=silent)
    assert 0 < sum(waits) <= 10


def test_timeouts_in_the_environment_are_respected_and_stay_as_they_are(
    engine, silent, monkeypatch, waits
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = dict(os.environ)
    with pytest.raises(TrackingError):
        log_run(engine, tracking_uri=silent)
    assert waits == [1]
    assert dict(os.environ) == before


def test_a_password_in_the_address_is_not_repeated(engine, closed):
    uri = closed.replace("://", "://officer:secret@")
    with pytest.raises(TrackingError) as caught:
        log_run(engine, tracking_uri=uri)
    assert "secret" not in str(caught.value)


def test_another_file_in_the_place_of_a_store_is_a_clear_error(engine, tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database " * 50)
    with pytest.raises(TrackingError, match="not a database"):
        log_run(engine, tracking_uri=tmp_path)


def test_only_the_owner_can_read_a_fresh_folder(tmp_path, monkeypatch):
    from smartrisk.tracking import _store

    if os.name != "posix":
        pytest.skip("permissions of this kind are POSIX")
    monkeypatch.setattr(_store, "hold_lock", None)
    uri = _store.local_uri(tmp_path / "new")
    with pytest.raises(TrackingError):
        _store.open_store(uri)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_a_lock_held_by_another_process_is_waited_for_and_then_named(
    tmp_path, monkeypatch
):
    from smartrisk.tracking import _local_store

    monkeypatch.setattr(_local_store, "_LOCK_SECONDS", 0.3)
    with (
        _local_store.hold_lock(tmp_path / "x.lock"),
        pytest.raises(TrackingError, match="another process has held"),
        _local_store.hold_lock(tmp_path / "x.lock"),
    ):
        pass
    with _local_store.hold_lock(tmp_path / "x.lock"):
        pass


_LOG = """
import sys
from smartrisk import RiskEngine
from smartrisk.tracking import log_run
run = log_run(RiskEngine.load(sys.argv[1]), tracking_uri=sys.argv[2])
sys.stdout.write(run.run_id)
"""


@pytest.mark.slow
def test_three_processes_may_start_on_one_fresh_store(engine, tmp_path):
    folder = engine.save(tmp_path / "engine")
    place = tmp_path / "fresh"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _LOG, str(folder), str(place)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [process.communicate(timeout=240) for process in started]
    assert [p.returncode for p in started] == [0, 0, 0], [e[1] for e in ended]
    ids = {out for out, _ in ended}
    assert len(ids) == 3
    for run_id in ids:
        assert load(run_id, tracking_uri=str(place)).version_ == engine.version_


@pytest.mark.slow
def test_importing_the_package_loads_no_mlflow(root):
    code = "import sys, smartrisk.tracking; sys.exit('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == 0
