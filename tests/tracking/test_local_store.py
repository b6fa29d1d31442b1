"""A local store is whole or not there; a broken one is repaired, or named."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from smartrisk.errors import TrackingError
from smartrisk.tracking import _local_store, log_run


@pytest.fixture
def path(tmp_path, _tracking_template):
    """Return where a store of an empty, migrated database is."""
    place = tmp_path / "store" / "mlflow.db"
    place.parent.mkdir()
    shutil.copy(_tracking_template, place)
    return place


@pytest.fixture
def made(path, _tracking_template, monkeypatch):
    """Return a list that notes each creation; a copy takes the place of migrations."""
    calls = []

    def create(place):
        calls.append(place)
        shutil.copy(_tracking_template, place)

    monkeypatch.setattr(_local_store, "_create", create)
    return calls


def run_sql(path, *statements):
    with closing(sqlite3.connect(path)) as base:
        for statement in statements:
            base.execute(statement)
        base.commit()


ONE_RUN = "INSERT INTO runs (run_uuid, name) VALUES ('a', 'a run that someone needs')"
BROKEN = {
    "no bytes": lambda path: path.write_bytes(b""),
    "tables missing": lambda path: run_sql(path, "DROP TABLE logged_models"),
    "no version": lambda path: run_sql(path, "DELETE FROM alembic_version"),
    "older version": lambda path: run_sql(
        path, "UPDATE alembic_version SET version_num = '451aebb31d03'"
    ),
    "foreign version": lambda path: run_sql(
        path, "UPDATE alembic_version SET version_num = 'abc'"
    ),
    "only the list of versions": lambda path: (
        path.unlink(),
        run_sql(path, "CREATE TABLE alembic_version (version_num TEXT)"),
    ),
}


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_half_made_store_without_a_run_is_made_again(path, made, broken):
    BROKEN[broken](path)
    _local_store.prepare(path)
    assert made == [path]
    _local_store.prepare(path)
    assert made == [path]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("tables missing", "holds 1 runs, but 1 tables of MLflow are missing"),
        ("no version", "its schema is None: it is damaged, or another program's"),
        ("older version", "older MLflow .*'451aebb31d03'.*mlflow db upgrade"),
        ("foreign version", "newer MLflow .*'abc'.*1 runs"),
    ],
)
def test_a_broken_store_that_holds_a_run_is_left_and_the_remedy_named(
    path, made, broken, message
):
    run_sql(path, ONE_RUN)
    BROKEN[broken](path)
    before = path.read_bytes()
    with pytest.raises(TrackingError, match=message):
        _local_store.prepare(path)
    assert path.read_bytes() == before
    assert made == []


def test_a_whole_store_is_left_as_it_is(path, made):
    run_sql(path, ONE_RUN)
    before = path.read_bytes()
    _local_store.prepare(path)
    assert (made, path.read_bytes()) == ([], before)


def test_artefacts_without_their_database_are_named(path, made):
    model = path.parent / "artifacts" / "models" / "m-1" / "artifacts" / "artifacts"
    (model / "engine").mkdir(parents=True)
    path.unlink()
    with pytest.raises(TrackingError, match=r"artefacts of 1 runs.*RiskEngine\.load"):
        _local_store.prepare(path)
    shutil.rmtree(path.parent / "artifacts")
    (path.parent / "artifacts").mkdir()
    _local_store.prepare(path)
    assert made == [path]


def test_a_store_is_made_aside_and_a_process_that_ends_leaves_none(path, monkeypatch):
    from mlflow.store.db import utils

    path.unlink()
    journal = path.with_name("mlflow.db-journal")
    journal.write_bytes(b"of a database that was deleted")
    seen = []

    def stop(engine):
        seen.extend(p.name for p in path.parent.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(utils, "_initialize_tables", stop)
    draft = path.with_name("mlflow.db.draft1")
    draft.touch()  # left by a process that was killed
    with pytest.raises(KeyboardInterrupt):
        _local_store.prepare(path)
    assert not path.exists()
    assert draft.name not in seen
    monkeypatch.undo()
    _local_store.prepare(path)
    assert sorted(p.name for p in path.parent.iterdir()) == ["mlflow.db"]
    _local_store.prepare(path)


@pytest.mark.slow
def test_log_run_repairs_a_half_made_store(engine, path):
    run_sql(path, "DROP TABLE logged_models")
    assert log_run(engine, tracking_uri=path.parent).run_id
