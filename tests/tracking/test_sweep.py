"""A run of a killed process does not stay RUNNING; those of others do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from smartrisk.errors import ArgumentError, TrackingError
from smartrisk.tracking import log_run, sweep
from smartrisk.tracking._processes import Process
from smartrisk.tracking._sweep import ENDED_TAG, PROCESS_TAG

#: No process has it: Linux and macOS stop well below.
NO_PID = 2**31 - 2


@pytest.fixture
def left(store):
    """Return runs that were RUNNING when their process was last seen, by its state."""
    uri = f"sqlite:///{Path(store).as_posix()}/mlflow.db"
    client = mlflow.MlflowClient(uri, registry_uri=uri)
    me = Process.current()
    processes = {
        "killed": replace(me, pid=NO_PID),
        "running": replace(me, pid=os.getppid(), start=""),
        "elsewhere": replace(me, host="another", pid=NO_PID),
    }
    runs = {
        state: client.create_run("0", tags={PROCESS_TAG: process.to_text()})
        for state, process in processes.items()
    }
    runs["of another tool"] = client.create_run("0", tags={"who": "somebody"})
    model = client.create_logged_model(
        "0", name="half", source_run_id=runs["killed"].info.run_id
    )
    ids = {state: run.info.run_id for state, run in runs.items()}
    return client, ids, model.model_id


def statuses(client, ids):
    return {state: client.get_run(run_id).info.status for state, run_id in ids.items()}


def test_log_run_marks_what_a_killed_process_left_and_nothing_else(engine, store, left):
    client, ids, model_id = left
    log_run(engine, tracking_uri=store)
    assert statuses(client, ids) == {
        "killed": "KILLED",
        "running": "RUNNING",
        "elsewhere": "RUNNING",
        "of another tool": "RUNNING",
    }
    tags = client.get_run(ids["killed"]).data.tags
    assert str(NO_PID) in tags[ENDED_TAG]
    assert str(client.get_logged_model(model_id).status).endswith("FAILED")


def test_sweep_reports_all_and_marks_those_of_removed_machines(store, left):
    client, ids, _ = left
    report = sweep(tracking_uri=store, dry_run=True)
    assert dict(zip(report["run_id"], report["state"], strict=True)) == {
        ids[state]: state for state in ("killed", "running", "elsewhere")
    }
    assert set(statuses(client, ids).values()) == {"RUNNING"}
    assert sweep(tracking_uri=store)["state"].eq("killed").sum() == 1
    again = sweep(tracking_uri=store, removed_hosts=["another"])
    assert sorted(again["state"]) == ["killed", "running"]
    assert statuses(client, ids)["elsewhere"] == "KILLED"
    with pytest.raises(ArgumentError, match="collection of names"):
        sweep(tracking_uri=store, removed_hosts="another")


def test_a_run_that_ended_well_while_it_was_looked_at_is_not_marked(
    store, left, monkeypatch
):
    client, ids, _ = left
    look = Process.life

    def end_first(process):
        if process.pid == NO_PID and process.host == Process.current().host:
            client.set_terminated(ids["killed"], status="FINISHED")
        return look(process)

    monkeypatch.setattr(Process, "life", end_first)
    report = sweep(tracking_uri=store)
    assert sorted(report["state"]) == ["elsewhere", "running"]
    assert statuses(client, ids)["killed"] == "FINISHED"


def test_a_run_that_this_process_could_not_end_is_marked_by_its_next_call(
    engine, store, monkeypatch
):
    def lose_the_store(self, *args, **kwargs):
        raise ConnectionError("the store is lost")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_terminated", lose_the_store)
        with pytest.raises(TrackingError, match="could not be ended"):
            log_run(engine, tracking_uri=store, figures={"a": "absent.png"})
    report = sweep(tracking_uri=store)
    assert report["state"].tolist() == ["killed"]


def test_a_run_is_not_marked_while_it_is_logged(engine, store, monkeypatch):
    from smartrisk.tracking import _run

    seen = []
    real = _run.log_inputs

    def look(*args):
        seen.append(sweep(tracking_uri=store))
        return real(*args)

    monkeypatch.setattr(_run, "log_inputs", look)
    log_run(engine, tracking_uri=store)
    assert [len(report) for report in seen] == [0]


DRIVER = r"""
import json, os, signal, sys
import mlflow
from mlflow.store.db import utils
from smartrisk import RiskEngine
from smartrisk.tracking import _local_store, _run, _steps, log_run, sweep

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def in_the_migrations():
    import sqlalchemy
    real = utils.create_sqlalchemy_engine
    def create(uri):
        engine = real(uri)
        left = iter(range(60))
        def count(*args):
            if next(left, None) is None:
                die()
        sqlalchemy.event.listen(engine, "before_cursor_execute", count)
        return engine
    utils.create_sqlalchemy_engine = create

def before_the_name():
    _local_store.Path.replace = die

def after_the_run_was_created():
    _run.log_settings = die

def while_the_model_is_copied():
    mlflow.MlflowClient.log_model_artifacts = die

def before_the_end():
    mlflow.MlflowClient.set_terminated = die

points = (in_the_migrations, before_the_name, after_the_run_was_created,
          while_the_model_is_copied, before_the_end)
engine = RiskEngine.load(sys.argv[1])
folders = {point.__name__: sys.argv[2] + "/" + point.__name__ for point in points}
for point in points:
    child = os.fork()
    if not child:
        point()
        log_run(engine, tracking_uri=folders[point.__name__])
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), (point.__name__, status)
found = {}
for name, folder in folders.items():
    run = log_run(engine, tracking_uri=folder)
    client = mlflow.MlflowClient(run.tracking_uri)
    ids = [e.experiment_id for e in client.search_experiments()]
    found[name] = sorted(r.info.status for r in client.search_runs(ids))
sys.stdout.write(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="forks and kills")
def test_a_store_works_after_any_kill_and_no_run_stays_running(engine, tmp_path, store):
    folder = engine.save(tmp_path / "engine")
    for later in ("while_the_model_is_copied", "before_the_end"):
        (tmp_path / later).mkdir()
        shutil.copy(Path(store) / "mlflow.db", tmp_path / later)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "in_the_migrations": ["FINISHED"],
        "before_the_name": ["FINISHED"],
        "after_the_run_was_created": ["FINISHED", "KILLED"],
        "while_the_model_is_copied": ["FINISHED", "KILLED"],
        "before_the_end": ["FINISHED", "KILLED"],
    }
