"""``smartrisk serve`` as a program: real processes, and clients on the loopback."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading

import pytest

from smartrisk import RiskEngine
from smartrisk.serving import _protocol
from tests.serving.conftest import TOKEN, as_records, ask, ask_once, connect, program

pytestmark = pytest.mark.slow


class Load(threading.Thread):
    """A client that asks until it is stopped, and keeps what was refused."""

    def __init__(self, port, calls):
        super().__init__()
        self.port, self.calls = port, calls
        self.stopped = threading.Event()
        self.n_done = 0
        self.versions, self.failed = set(), []

    def run(self):
        with connect(self.port) as connection:
            self.ask_on(connection)

    def ask_on(self, connection):
        while not self.stopped.is_set():
            path, body = self.calls[self.n_done % len(self.calls)]
            try:
                status, answer = ask(connection, path, body)
            except OSError as error:
                self.failed.append(repr(error))
                return
            self.n_done += 1
            if status != 200:
                self.failed.append((status, answer))
                return
            self.versions.add(answer["model_version"])


def wait_for(connection, versions):
    """Ask for the version until one of these answers, ten times in a row."""
    in_a_row = 0
    for _ in range(5_000):
        connection.request("GET", "/version")
        found = json.loads(connection.getresponse().read())["model_version"]
        in_a_row = in_a_row + 1 if found in versions else 0
        if in_a_row == 10:
            return
    raise AssertionError(f"{found} is served, none of {versions}")


def test_engines_are_exchanged_under_load_without_a_failed_request(
    folder, engine, past_and_new, records
):
    items = past_and_new[1]
    others = [engine.copy().update(items.iloc[60 : 80 + 20 * k]) for k in range(3)]
    calls = [
        ("/score", records[0]),
        ("/score", records[:20]),
        ("/explain", records[1]),
        ("/select?capacity=0.1", records[:30]),
    ]
    with contextlib.ExitStack() as stack:
        running = program(folder, "--writer", "--timeout", "120")
        port, process, lines = stack.enter_context(running)
        clients = [Load(port, calls), Load(port, calls[::-1])]
        for client in clients:
            client.start()
            stack.callback(client.join)
            stack.callback(client.stopped.set)
        connection = stack.enter_context(connect(port))
        for other in others:
            other.save(folder)
            wait_for(connection, {other.version_})
        while min(client.n_done for client in clients) < 100:
            wait_for(connection, {others[-1].version_})
            assert all(client.is_alive() for client in clients), clients[0].failed
        body = {"declarations": as_records(items.iloc[200:240])}
        status, answer = ask(connection, "/update", body)
        assert status == 200, answer
        assert RiskEngine.load(folder).version_ == answer["model_version"]
        wait_for(connection, {answer["model_version"]})
    assert [client.failed for client in clients] == [[], []]
    assert all(client.n_done >= 100 for client in clients)
    served = {engine.version_, *(o.version_ for o in others), answer["model_version"]}
    assert clients[0].versions | clients[1].versions <= served
    assert process.returncode in (0, -signal.SIGTERM)
    for line in lines:
        assert json.loads(line)["level"] in ("info", "warning"), line


_LOADS = "smartrisk_engine_loads"


def read_metrics(port, headers):
    """Return the counts of the program by name."""
    with connect(port) as connection:
        connection.request("GET", "/metrics", headers=headers)
        text = connection.getresponse().read().decode()
    lines = [line for line in text.splitlines() if line[:1] != "#"]
    pairs = (line.rsplit(" ", 1) for line in lines)
    return {name: float(value) for name, value in pairs}


def test_several_processes_share_the_counts_and_follow_one_writer(
    folder, past_and_new, records
):
    words = ("--workers", "2", "--writer", "--host", "127.0.0.1")
    env = {"SMARTRISK_TOKEN": TOKEN}
    allowed = {"Authorization": f"Bearer {TOKEN}"}
    with program(folder, *words, env=env) as (port, process, _):
        assert ask_once(port, "/score", records[0])[0] == 401
        body = {"declarations": as_records(past_and_new[1].head(40))}
        status, answer = ask_once(port, "/update", body, **allowed)
        assert status == 200, answer
        # Each connection goes to either process: both answer with the new engine soon,
        # and the second one has started once there were three loads.
        n_asked = in_a_row = 0
        while in_a_row < 40 or read_metrics(port, allowed)[_LOADS] < 3:
            _, one = ask_once(port, "/score", records[0], **allowed)
            is_new = one["model_version"] == answer["model_version"]
            n_asked, in_a_row = n_asked + 1, in_a_row + 1 if is_new else 0
            assert n_asked < 5_000
        counts = read_metrics(port, allowed)
        assert counts['smartrisk_requests_total{path="/score",status="200"}'] == n_asked
    assert process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("words", [(), ("--workers", "2")], ids=str)
def test_a_folder_that_is_no_engine_ends_the_program_with_one_message(tmp_path, words):
    with pytest.raises(RuntimeError) as caught, program(tmp_path, *words):
        pass
    text = str(caught.value)
    assert text.startswith("smartrisk: error: RiskEngine.load: ")
    assert text.count("\n") == 1


def test_headers_that_do_not_end_are_not_waited_for(saved, monkeypatch):
    """In this process, with a short time in place of the usual one."""
    import asyncio

    import uvicorn

    from smartrisk.serving import ServiceSettings, create_app
    from smartrisk.serving._program import _configure

    monkeypatch.setattr(_protocol, "HEADER_SECONDS", 0.2)
    settings = ServiceSettings(folder=str(saved), poll=3600.0)
    server = uvicorn.Server(_configure(create_app(settings), settings, workers=1))
    listener = socket.create_server(("127.0.0.1", 0))
    place = listener.getsockname()

    async def talk():
        running = asyncio.create_task(server.serve(sockets=[listener]))
        got = []
        whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for sent in (b"", b"POST /score HTTP/1.1\r\nHost: loc", whole + b"GET /he"):
            reader, writer = await asyncio.open_connection(*place)
            writer.write(sent)
            got.append(await asyncio.wait_for(reader.read(), 60))
            writer.close()
        server.should_exit = True
        await running
        return got

    nothing, partial, second = asyncio.run(talk())
    assert nothing == partial == b""
    assert second.startswith(b"HTTP/1.1 200 OK")
