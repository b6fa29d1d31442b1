"""Engines that are saved while a service answers; updates of its own."""

from __future__ import annotations

import shutil
import threading

import pytest

from smartrisk import RiskEngine
from smartrisk.errors import ArtefactError
from smartrisk.serving import ServiceSettings
from smartrisk.serving._holder import EngineHolder
from tests.serving.conftest import as_records, serve_here


@pytest.fixture
def longer(engine, past_and_new):
    """Return the engine with more items in its history."""
    return engine.copy().update(past_and_new[1].iloc[100:140])


def holder_of(client):
    """Return the holder of a service in this process."""
    return client.app._app.state.service.holder


def test_a_new_engine_is_served_from_the_next_request(folder, engine, longer, records):
    with serve_here(folder, poll=3600.0) as client:
        holder = holder_of(client)
        assert client.get("/version").json()["model_version"] == engine.version_
        assert not holder.look()
        longer.save(folder)
        assert holder.look()
        answer = client.post("/score", json=records[0]).json()
        assert answer["model_version"] == longer.version_ != engine.version_
        assert client.get("/health").json()["loads"] == 2


def test_a_request_that_has_begun_keeps_its_engine(folder, engine, longer, records):
    settings = ServiceSettings(folder=str(folder), poll=3600.0)
    holder = EngineHolder(settings)
    begun = holder.current
    longer.save(folder)
    assert holder.look()
    assert begun.engine.score_one(records[0])["model_version"] == engine.version_


def test_a_request_asks_for_the_engine_once(folder, records):
    """Asked twice, two engines could share an answer."""
    with serve_here(folder, poll=3600.0) as client:
        service = client.app._app.state.service
        holder, asked = service.holder, []

        class Counting:
            @property
            def current(self):
                asked.append(1)
                return holder.current

        service.holder = Counting()
        bad = [{**records[0], "customs_value": "much"}, records[1]]
        for path in ("/score", "/explain", "/select?capacity=1&"):
            query = "" if "?" in path else "?"
            for body in (bad, records[2]):
                asked.clear()
                answer = client.post(f"{path}{query}on_error=set_aside", json=body)
                assert answer.status_code == 200, answer.text
                assert len(asked) == 1


def damage(folder):
    path = next(folder.glob("*.txt"))
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    manifest = folder / "manifest.json"
    content = manifest.read_bytes()
    manifest.unlink()
    manifest.write_bytes(content)


def test_a_folder_that_cannot_be_loaded_keeps_the_engine_and_states_it(
    folder, engine, longer, records, caplog
):
    with serve_here(folder, poll=3600.0) as client:
        holder = holder_of(client)
        damage(folder)
        assert not holder.look()
        health = client.get("/health", headers={"Accept-Language": "fr"}).json()
        assert health["status"] == "old engine"
        assert health["reload"]["code"] == "artefact.file_changed"
        assert health["load_failures"] == 1
        assert client.post("/score", json=records[0]).status_code == 200
        assert "reload failed" in caplog.text
        assert not holder.look()  # not tried again at once
        assert client.get("/health").json()["load_failures"] == 1
        shutil.rmtree(folder)
        assert not holder.look()
        assert client.post("/score", json=records[0]).status_code == 200
        longer.save(folder)
        assert holder.look()
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/version").json()["model_version"] == longer.version_


def test_an_engine_that_cannot_score_is_not_taken(folder, longer, monkeypatch):
    holder = EngineHolder(ServiceSettings(folder=str(folder), poll=3600.0))
    before = holder.current
    longer.save(folder)

    def score_one(self, item):
        raise ZeroDivisionError

    monkeypatch.setattr(RiskEngine, "score_one", score_one)
    assert not holder.look()
    assert holder.current is before
    assert holder.state.error.message_id == "serving.load_failed"


def test_a_folder_that_is_no_engine_does_not_start(tmp_path):
    with pytest.raises(ArtefactError, match="not a saved engine"):
        serve_here(tmp_path)


# ----------------------------------------------------------------- updates


def results_of(outcomes, items):
    ids = items["declaration_id"]
    return outcomes[outcomes["declaration_id"].isin(ids)]


def test_an_update_is_answered_once_it_is_saved(
    folder, engine, past_and_new, outcomes, world
):
    items = past_and_new[1].head(40)
    found = as_records(results_of(outcomes, items))
    with serve_here(folder, writer=True, poll=3600.0) as client:
        body = {"declarations": as_records(items), "outcomes": found}
        answer = client.post("/update", json=body)
        assert answer.status_code == 200, answer.text
        saved = RiskEngine.load(folder)
        assert answer.json()["model_version"] == saved.version_ != engine.version_
        assert answer.json()["update"]["items"]["taken"] == 40
        assert client.get("/version").json()["model_version"] == saved.version_
        again = client.post("/update", json=body).json()
        assert again["model_version"] == saved.version_
        assert again["update"]["items"]["known"] == 40
    expected = engine.copy().update(items, results_of(outcomes, items))
    assert expected.version_ == saved.version_


def test_a_refused_update_changes_nothing(folder, engine, past_and_new):
    items = as_records(past_and_new[1].head(3))
    wrong = {"declarations": [*items, {**items[0], "customs_value": "much"}]}
    with serve_here(folder, writer=True, poll=3600.0) as client:
        for body in (wrong, {}, [], {"items": []}, {"outcomes": [{"illicit": True}]}):
            assert client.post("/update", json=body).status_code == 422
        assert client.get("/version").json()["model_version"] == engine.version_
    assert RiskEngine.load(folder).version_ == engine.version_


def test_an_update_that_cannot_be_saved_changes_nothing(
    folder, engine, past_and_new, monkeypatch
):
    def save(self, folder, **options):
        raise ArtefactError("example.full", "the disk is full.")

    with serve_here(folder, writer=True, poll=3600.0) as client:
        monkeypatch.setattr(RiskEngine, "save", save)
        body = {"declarations": as_records(past_and_new[1].head(3))}
        assert client.post("/update", json=body).status_code == 503
        assert client.get("/version").json()["model_version"] == engine.version_


def test_a_service_that_only_reads_takes_no_updates(client, records):
    answer = client.post("/update", json={"declarations": records})
    assert answer.status_code == 403
    assert answer.json()["code"] == "serving.read_only"


def test_two_processes_lose_no_update(folder, engine, past_and_new):
    parts = [past_and_new[1].iloc[20 * k : 20 * k + 20] for k in range(6)]
    settings = ServiceSettings(folder=str(folder), writer=True, poll=3600.0)
    holders = [EngineHolder(settings), EngineHolder(settings)]

    def write(k):
        for part in parts[k::2]:
            holders[k].update(lambda engine: engine.update(part))  # noqa: B023

    threads = [threading.Thread(target=write, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = engine.copy().update(past_and_new[1].head(120))
    assert RiskEngine.load(folder).version_ == everything.version_
    for holder in holders:
        holder.look()
        assert holder.current.version == everything.version_


def test_while_another_process_saves_an_update_is_sent_back(folder, past_and_new):
    from filelock import FileLock

    from smartrisk.serving import Limits

    lock = FileLock(folder.parent / ".engine.writer.lock")
    body = {"declarations": as_records(past_and_new[1].head(3))}
    limits = Limits(timeout=0.2)
    with lock, serve_here(folder, writer=True, limits=limits, poll=3600.0) as client:
        answer = client.post("/update", json=body)
    assert answer.status_code == 503
    assert answer.json()["code"] == "serving.other_writer"
    assert answer.headers["retry-after"] == "5"


def test_a_writer_cannot_be_asked_to_check_signatures(folder):
    from smartrisk.errors import ArgumentError

    with pytest.raises(ArgumentError, match="cannot sign what it saves"):
        ServiceSettings(folder=str(folder), writer=True, public_key="key.pub")
