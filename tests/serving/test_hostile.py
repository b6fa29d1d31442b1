"""What a hostile client may send, and what it learns from the answers."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import struct

import pandas as pd
import pyarrow as pa
import pytest

from smartrisk import RiskEngine
from smartrisk.errors import ArgumentError
from smartrisk.serving import Address, Limits, ServiceSettings, _program, serve
from tests.serving.conftest import TOKEN, as_records, serve_here

JSON = {"Content-Type": "application/json"}
TOO_MANY = "serving.too_many_fields"
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}


def refused(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"customs_value": NaN}',
        b'{"customs_value": -Infinity}',
        b'{"importer_id": "A", "importer_id": "B"}',
        b'{"customs_value": ' + b"9" * 5_000 + b"}",
        b'{"importer_id": "\\ud800"}',
        b'{"importer_id": "\xff"}',
        "\ufeff{}".encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_is_refused(client, body):
    refused(client.post("/score", content=body, headers=JSON), 400, "serving.not_json")


@pytest.mark.parametrize("body", ["null", "1", '"a"', "true"])
def test_json_that_is_no_item_is_refused(client, body):
    answer = client.post("/score", content=body, headers=JSON)
    refused(answer, 422, "serving.not_items")


def test_entries_that_are_no_items_are_all_named(client, records):
    answer = client.post("/score", json=[records[0], 1, records[1], None])
    refused(answer, 422, "serving.item_no_object")
    assert [f["position"] for f in answer.json()["failures"]] == [1, 3]


def test_values_that_are_lists_or_objects_are_all_named(client, records):
    odd = {**records[0], "origin": ["IT"], "office": {"a": 1}}
    for body in (odd, [odd]):
        answer = client.post("/score", json=body)
        refused(answer, 422, "serving.value_no_scalar")
        assert {f["field"] for f in answer.json()["failures"]} == {"origin", "office"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customs_value", 10**4000),
        ("customs_value", True),
        ("customs_value", "1" * 100_000),
        ("item_number", 2**63),
        ("item_number", -(10**40)),
        ("item_number", 1.5),
        ("lodged_at", 10**30),
        ("lodged_at", "9999999-01-01"),
        ("lodged_at", None),
        ("tariff_code", "\x00"),
        ("tariff_code", "../../etc/passwd"),
        ("declaration_id", ""),
        ("declaration_id", "\x00"),
    ],
    ids=lambda v: repr(v)[:24],
)
def test_values_that_no_field_takes_are_named(client, records, field, value):
    item = {**records[0], field: value}
    for body in (item, [records[1], item]):
        answer = client.post("/score", content=json.dumps(body), headers=JSON)
        assert answer.status_code == 422, answer.text
        assert field in answer.text
        assert len(answer.content) < 4_000


def test_a_number_beyond_every_float_is_refused(client, records):
    text = json.dumps({**records[0], "customs_value": "##"}).replace('"##"', "1e999")
    answer = client.post("/score", content=text, headers=JSON)
    assert answer.status_code == 422


def test_names_of_fields_are_not_repeated_at_length(client, records):
    item = {**records[0], "x" * 5_000: 1, "item\n{}": "%s"}
    answer = client.post("/score", json=item).json()
    assert sorted(map(len, answer["ignored_fields"])) == [7, 40]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/x-pickle"},
    ],
    ids=str,
)
def test_other_media_types_are_refused(client, headers):
    answer = client.post("/score", content=b"{}", headers=headers)
    refused(answer, 415, "serving.media_type")


def test_compressed_bodies_are_refused_unread(client):
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    for encoding in ("gzip", "br", "deflate", "gzip, gzip"):
        headers = {**JSON, "Content-Encoding": encoding}
        answer = client.post("/score", content=bomb, headers=headers)
        refused(answer, 415, "serving.encoded_body")


@pytest.fixture(scope="module")
def narrow(saved):
    """Return a client of a service with small limits."""
    limits = Limits(max_bytes=4_000, max_items=3, max_explained=2)
    with serve_here(saved, limits=limits, poll=3600.0) as found:
        yield found


def test_too_large_a_body_is_refused_whether_it_states_its_length_or_not(narrow):
    body = b'{"a": "' + b"x" * 5_000 + b'"}'

    def parts():
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    for content in (body, parts()):
        answer = narrow.post("/score", content=content, headers=JSON)
        refused(answer, 413, "serving.body_too_large")


def test_too_many_items_are_refused(narrow, records, new):
    refused(narrow.post("/score", json=[{}] * 4), 413, "serving.too_many_items")
    answer = narrow.post("/explain", json=[{}] * 3)
    refused(answer, 413, "serving.too_many_items")
    assert narrow.post("/score", json=records[:3]).status_code == 200


# ------------------------------------------------------------------- arrow


def stream_of(table, **options):
    sink = io.BytesIO()
    made = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, table.schema, options=made) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.fixture(scope="module")
def table(new):
    return pa.Table.from_pandas(
        new[[n for n in new if not n.startswith("dq_")]], preserve_index=False
    )


def test_a_compressed_stream_is_refused(client, table):
    body = stream_of(table, compression="zstd")
    answer = client.post("/score", content=body, headers=ARROW)
    refused(answer, 400, "serving.not_arrow")


def test_columns_that_are_small_on_the_wire_and_large_in_memory_are_refused(client):
    many = 1_000
    word = pa.array(["x" * 1_000])
    shapes = {
        "dictionary": pa.DictionaryArray.from_arrays(pa.array([0] * many), word),
        "list": pa.array([[1]] * many),
        "view": pa.array(["x" * 1_000] * many, pa.string_view()),
        "runs": pa.RunEndEncodedArray.from_arrays(pa.array([many]), word),
        "nothing": pa.nulls(many),
    }
    for array in shapes.values():
        body = stream_of(pa.table({"declaration_id": array}))
        answer = client.post("/score", content=body, headers=ARROW)
        refused(answer, 400, "serving.not_arrow")


def test_rows_without_columns_are_counted_before_they_are_made(client):
    body = stream_of(pa.table({"a": pa.nulls(123_456)}))
    body = body.replace(struct.pack("<q", 123_456), struct.pack("<q", 2**60))
    assert len(body) < 1_000
    answer = client.post("/score", content=body, headers=ARROW)
    refused(answer, 413, "serving.too_many_items")


def test_a_stream_that_is_cut_or_changed_is_refused_or_read(client, table):
    body = stream_of(table.slice(0, 5))
    for cut in (0, 1, 7, 8, 100, len(body) // 2):
        answer = client.post("/score", content=body[:cut], headers=ARROW)
        assert answer.status_code in (400, 422), cut
    for place in range(0, len(body), 97):
        changed = bytearray(body)
        changed[place] ^= 0xFF
        answer = client.post("/score", content=bytes(changed), headers=ARROW)
        assert answer.status_code in (200, 400, 413, 422), place
    wild = bytearray(body)
    struct.pack_into("<i", wild, 4, 2**31 - 1)
    answer = client.post("/score", content=bytes(wild), headers=ARROW)
    refused(answer, 400, "serving.not_arrow")


def test_two_columns_of_one_name_are_refused(client):
    array = pa.array(["a"])
    table = pa.Table.from_arrays([array, array], names=["office", "office"])
    answer = client.post("/score", content=stream_of(table), headers=ARROW)
    refused(answer, 400, "serving.not_arrow")


@pytest.mark.parametrize("zone", ["Nowhere/Atall", "+99:99"])
def test_a_time_zone_that_there_is_not_is_refused(client, table, zone):
    moments = pa.array([10**9] * len(table), pa.timestamp("s", tz=zone))
    place = table.schema.get_field_index("lodged_at")
    body = stream_of(table.set_column(place, "lodged_at", moments))
    answer = client.post("/score", content=body, headers=ARROW)
    refused(answer, 400, "serving.not_arrow")


def test_more_fields_than_any_administration_has_are_refused(client, records):
    many = {f"field {k}": k for k in range(1_000)}
    refused(client.post("/score", json=many | records[0]), 413, TOO_MANY)
    items = [{f"{k} {n}": 1 for n in range(50)} for k in range(40)]
    for path in ("/score", "/explain", "/select?capacity=1"):
        refused(client.post(path, json=items), 413, TOO_MANY)


# ------------------------------------------------------- paths, hosts, tokens


def test_a_body_that_is_not_read_does_not_hold_the_connection(client, guarded, records):
    """Whoever is refused before that could go on sending it without an end."""
    odd = {"Content-Encoding": "gzip"}
    assert client.post("/score", json={}, headers=odd).headers["connection"] == "close"
    elsewhere = {"Host": "evil.example"}
    answer = client.post("/score", json={}, headers=elsewhere)
    assert answer.headers["connection"] == "close"
    assert guarded.post("/score", json={}).headers["connection"] == "close"
    assert "connection" not in client.post("/score", json=[1]).headers
    assert "connection" not in client.post("/score", json=records[0]).headers


@pytest.mark.parametrize("path", ["/", "/docs", "/../engine", "/score/", "/%2e%2e/x"])
def test_other_paths_are_refused(client, path):
    refused(client.post(path, json={}), 404, "serving.no_such_path")


def test_other_methods_are_refused(client):
    refused(client.get("/score"), 405, "serving.no_such_path")
    refused(client.delete("/health"), 405, "serving.no_such_path")


@pytest.mark.parametrize(
    "query", ["folder=/etc", "on_error=ignore", "on_error=raise&on_error=raise"]
)
def test_options_that_there_are_not_are_refused(client, records, query):
    assert client.post(f"/score?{query}", json=records[0]).status_code == 422


def test_names_that_a_page_of_the_web_made_up_are_refused(client):
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
        answer = client.get("/version", headers={"Host": host})
        refused(answer, 421, "serving.other_host")
    for host in ("localhost:8765", "127.0.0.1", "[::1]:80"):
        assert client.get("/version", headers={"Host": host}).status_code == 200


@pytest.fixture(scope="module")
def guarded(saved):
    """Return a client of a service that asks for a token."""
    with serve_here(saved, token=TOKEN, loopback_only=False, poll=3600.0) as found:
        yield found


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", "Bearer é"]
)
def test_without_the_token_nothing_is_answered(guarded, records, given):
    headers = {} if given is None else {"Authorization": given.encode()}
    for method, path in (
        *(("POST", p) for p in ("/score", "/explain", "/select", "/update")),
        *(("GET", p) for p in ("/version", "/metrics", "/openapi.json", "/x")),
    ):
        answer = guarded.request(method, path, headers=headers)
        refused(answer, 401, "serving.no_authorization")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_without_the_token_health_is_one_word(guarded):
    assert guarded.get("/health").json() == {"status": "ok"}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert "model_version" in guarded.get("/health", headers=headers).json()


def test_with_the_token_everything_is_answered_under_any_name(guarded, records):
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "risk.customs.example"}
    answer = guarded.post("/score", json=records[0], headers=headers)
    assert answer.status_code == 200


@pytest.fixture
def deaf(monkeypatch):
    """Let no service listen: one that is not refused must not open a port here."""

    def listen(address):
        raise OSError(f"it would listen on {address.host}")

    monkeypatch.setattr(_program, "_listen", listen)


@pytest.mark.usefixtures("deaf")
def test_a_host_that_others_reach_needs_a_token(saved, monkeypatch):
    monkeypatch.delenv("SMARTRISK_TOKEN", raising=False)
    settings = ServiceSettings(folder=str(saved))
    with pytest.raises(ArgumentError, match="there is no token") as caught:
        serve(settings, Address(host="0.0.0.0", port=0))
    assert caught.value.message_id == "serving.no_token"


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("token", ["short", "with a line\nbreak in it", "é" * 20])
def test_a_weak_token_is_refused_and_not_repeated(saved, monkeypatch, token):
    monkeypatch.setenv("SMARTRISK_TOKEN", token)
    with pytest.raises(ArgumentError) as caught:
        serve(ServiceSettings(folder=str(saved)), Address(port=0))
    assert caught.value.message_id == "serving.token_weak"
    assert token not in str(caught.value)


# --------------------------------------------------------- what is learned


def test_an_error_that_nobody_expected_shows_nothing_but_its_number(
    client, records, monkeypatch, caplog
):
    def score_one(self, item):
        raise ValueError(f"secret of {item}")

    monkeypatch.setattr(RiskEngine, "score_one", score_one)
    answer = client.post("/score", json=records[0])
    refused(answer, 500, "serving.internal")
    assert "secret" not in answer.text + caplog.text
    number = answer.json()["request"]
    assert number == answer.headers["x-request-id"]
    (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert record.fields["request"] == number
    assert record.fields["exception"] == "ValueError"
    assert "score_one" in record.fields["at"]


def test_the_log_is_one_object_a_line_and_names_nobody(folder, past_and_new, caplog):
    from smartrisk.serving._log import JsonFormatter

    caplog.set_level(logging.DEBUG, logger="smartrisk")
    rows = as_records(past_and_new[1].head(5))
    bad = {**rows[0], "declaration_id": 'X\n{"level": "info"}', "customs_value": "Y"}
    with serve_here(folder, writer=True, poll=3600.0) as client:
        for body in (rows[0], rows, bad, [bad]):
            client.post("/score", json=body)
            client.post("/explain", json=body)
        client.post("/update", json={"declarations": rows})
        client.post("/update", json={"declarations": [bad]})
        client.post(f"/{rows[0]['importer_id']}?x={rows[0]['importer_id']}")
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert len(lines) >= 11
    text = "\n".join(lines)
    assert len(text.split("\n")) == len(lines)
    requests = [json.loads(line) for line in lines]
    assert {r["path"] for r in requests if r["event"] == "request"} == {
        *("/score", "/explain", "/update", "other"),
    }
    names = {"declaration_id", "importer_id", "declarant_id", "consignor_id"}
    identities = {str(row[name]) for row in rows for name in names if row.get(name)}
    assert len(identities) > 5
    assert [name for name in (*identities, "customs_value") if name in text] == []


def test_only_known_paths_are_counted_by_name(client):
    for k in range(5):
        client.get(f"/name-{k}")
    assert "name-" not in client.get("/metrics").text


def test_no_answer_shows_where_the_files_lie(folder, past_and_new, records):
    with serve_here(folder, writer=True, poll=3600.0) as client:
        (folder / "somebody's notes.txt").write_text("put there by hand")
        body = {"declarations": as_records(past_and_new[1].head(3))}
        answer = client.post("/update", json=body)
        refused(answer, 503, "artefact.place_holds_other_files")
        assert "'engine'" in answer.json()["detail"]
        (folder / "manifest.json").write_text("{}")
        assert not client.app._app.state.service.holder.look()
        health = client.get("/health")
        assert health.json()["status"] == "old engine"
    for found in (answer, health):
        assert str(folder.parent) not in found.text


# -------------------------------------------------------------------- time


def test_an_answer_that_is_not_read_is_not_kept(monkeypatch):
    from uvicorn.protocols.http.flow_control import FlowControl

    from smartrisk.serving._protocol import READING_SECONDS, PatientProtocol

    planned = []

    class Loop:
        def call_later(self, seconds, what):
            planned.append([seconds, what, False])
            return self

        def cancel(self):
            planned[-1][2] = True

    class Transport:
        def abort(self):
            raise ConnectionAbortedError

    protocol = PatientProtocol.__new__(PatientProtocol)
    protocol.loop, protocol.transport = Loop(), Transport()
    protocol.flow = FlowControl(protocol.transport)
    protocol.pause_writing()
    protocol.resume_writing()
    assert planned[0][2]  # the client reads
    protocol.pause_writing()
    seconds, what, is_cancelled = planned[1]
    assert (seconds, is_cancelled) == (READING_SECONDS, False)
    with pytest.raises(ConnectionAbortedError):
        what()


def test_what_takes_too_long_is_given_up_and_others_are_answered(
    saved, records, monkeypatch
):
    import threading

    go_on = threading.Event()
    whole = RiskEngine.score

    def score(self, items, **options):
        if len(items) == 7:
            go_on.wait(60)
        return whole(self, items, **options)

    limits = Limits(timeout=0.3, threads=1, max_waiting=1)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(serve_here(saved, limits=limits, poll=3600.0))
        stack.callback(go_on.set)
        monkeypatch.setattr(RiskEngine, "score", score)
        answer = client.post("/score", json=records[:7])
        refused(answer, 503, "serving.too_slow")
        assert answer.headers["retry-after"] == "1"
        # The thread is still busy: one more may wait, the next may not.
        refused(client.post("/score", json=records[:7]), 503, "serving.too_slow")
        assert client.post("/score", json=records[0]).status_code == 200
        assert client.get("/health").status_code == 200
        go_on.set()


def test_a_missing_extra_names_the_command_that_installs_it(saved, monkeypatch):
    import sys

    from smartrisk.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'smartrisk\[serve\]'"):
        serve_here(saved)


def test_tables_that_are_no_tables_of_items_are_refused(client):
    frame = pd.DataFrame({"a": [1, 2]})
    body = stream_of(pa.Table.from_pandas(frame, preserve_index=False))
    answer = client.post("/score", content=body, headers=ARROW)
    assert answer.status_code == 422
