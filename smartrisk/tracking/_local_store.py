"""The local store: made aside and renamed; repaired where it holds nothing.

A SQLite store of MLflow takes a second of migrations. A process that ends meanwhile
leaves a file that MLflow neither opens nor completes. So a store is made under another
name, and given its own name once it is whole.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from smartrisk.errors import TrackingError

#: More than the creation of a fresh SQLite store takes on a slow disk.
_LOCK_SECONDS = 120.0
#: How often a held lock is tried again.
_POLL_SECONDS = 0.05
#: Ending of the name of a store that is being made.
_DRAFT = ".draft"
#: What SQLite keeps beside a database. One of an older database would be played into a
#: new one of the same name.
_BESIDE = ("-journal", "-wal", "-shm")
#: Tables with a row in an empty store, and how many.
_ROWS_OF_EMPTY = {"alembic_version": 1, "workspaces": 1, "experiments": 1}
#: Where logged models and runs are, below the folder of artefacts.
_ARTEFACTS = ("*/artifacts/*", "models/*/artifacts/*")


@dataclass(frozen=True)
class _Found:
    """What is in the place of a store."""

    missing: frozenset[str]
    version: str | None
    n_rows: int
    n_runs: int

    @property
    def is_complete(self) -> bool:
        """Whether MLflow opens it as it is."""
        return not self.missing and self.version == _latest_version()


def prepare(path: Path) -> None:
    """Make the store where there is none, or a broken one without a single run.

    The caller holds the lock of the store.

    Raises
    ------
    TrackingError
        If what is there holds something and cannot be used: it is left as it is.
    """
    for draft in path.parent.glob(f"{path.name}{_DRAFT}*"):  # of ended processes
        draft.unlink(missing_ok=True)
    found = _examine(path)
    if found is None:
        _check_artefacts(path)
    elif found.is_complete:
        return
    elif found.n_rows:
        raise _unusable(path, found)
    _create(path)


def _examine(path: Path) -> _Found | None:
    """Return what is in the place of a store; None where there is nothing."""
    if not path.exists() or not path.stat().st_size:
        return None
    # For writing: SQLite then takes back what an ended process left half-done.
    address = f"{path.as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS)) as base:
        try:
            return _read(base)
        except sqlite3.DatabaseError as error:
            raise TrackingError(
                "tracking.not_a_store",
                "tracking: {path!r} cannot be read as a store of MLflow: {problem}. "
                "Restore it from a copy, or move it away and log to a new store.",
                path=str(path),
                problem=str(error),
            ) from error


def _read(base: sqlite3.Connection) -> _Found:
    """Return the tables, the version and the number of rows of a database."""
    master = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = [str(name) for (name,) in master]
    counts = {name: _count(base, name) for name in tables if "sqlite_" not in name}
    version = None
    if counts.get("alembic_version"):
        row = base.execute("SELECT version_num FROM alembic_version").fetchone()
        version = str(row[0])
    return _Found(
        missing=_expected_tables() - set(tables),
        version=version,
        n_rows=sum(max(0, n - _ROWS_OF_EMPTY.get(t, 0)) for t, n in counts.items()),
        n_runs=counts.get("runs", 0),
    )


def _count(base: sqlite3.Connection, table: str) -> int:
    """Return whether a table has no row, one, or more: 0, 1 or 2 (of runs: all)."""
    quoted = '"' + table.replace('"', '""') + '"'
    part = quoted if table == "runs" else f"(SELECT 1 FROM {quoted} LIMIT 2)"
    return int(base.execute(f"SELECT count(*) FROM {part}").fetchone()[0])


def _unusable(path: Path, found: _Found) -> TrackingError:
    """Return the error of a store that holds something and that MLflow cannot open."""
    values = {"path": str(path), "n_runs": found.n_runs, "version": found.version}
    if found.version in _known_versions() and found.version != _latest_version():
        return TrackingError(
            "tracking.store_of_older_mlflow",
            "tracking: {path!r} is a store of an older MLflow (schema {version!r}), "
            "with {n_runs} runs. Copy the file, then run: mlflow db upgrade "
            '"sqlite:///{path}"',
            **values,
        )
    if found.version is not None and found.version not in _known_versions():
        return TrackingError(
            "tracking.store_of_newer_mlflow",
            "tracking: {path!r} is a store of a newer MLflow (schema {version!r}) with "
            "{n_runs} runs. Use the MLflow that wrote it, or log to another folder.",
            **values,
        )
    return TrackingError(
        "tracking.store_incomplete",
        "tracking: {path!r} holds {n_runs} runs, but {n_missing} tables of MLflow are "
        "missing and its schema is {version!r}: it is damaged, or another program's. "
        "It was left as it is. Restore it from a copy, or move it away and log to a "
        "new store.",
        n_missing=len(found.missing),
        **values,
    )


def _check_artefacts(path: Path) -> None:
    """Raise where a folder holds the artefacts of runs that no database knows."""
    folder = path.parent / "artifacts"
    orphans = [place for part in _ARTEFACTS for place in folder.glob(part)]
    if orphans:
        raise TrackingError(
            "tracking.artefacts_without_store",
            "tracking: {folder!r} holds artefacts of {n_runs} runs or models, but the "
            "database {path!r} that names them is missing. Restore it from a copy; or "
            "move the folder away and log again. A logged engine still loads from its "
            "folder: RiskEngine.load({example!r}).",
            folder=str(folder),
            path=str(path),
            n_runs=len({place.parent for place in orphans}),
            example=str(orphans[-1]),
        )


def _create(path: Path) -> None:
    """Make an empty store aside, then give it its name in one step."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    draft = path.with_name(f"{path.name}{_DRAFT}{os.getpid()}")
    engine = create_sqlalchemy_engine(f"sqlite:///{draft.as_posix()}")
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    for ending in _BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    draft.replace(path)


@cache
def _expected_tables() -> frozenset[str]:
    """Return the tables without which MLflow starts its migrations again."""
    from mlflow.store.db.utils import Base

    return frozenset(str(name) for name in Base.metadata.tables)


@cache
def _script() -> Any:
    """Return the migrations of the installed MLflow."""
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    return ScriptDirectory.from_config(_get_alembic_config(db_url=""))


@cache
def _latest_version() -> str:
    """Return the schema of the installed MLflow."""
    return str(_script().get_current_head())


@cache
def _known_versions() -> frozenset[str]:
    """Return all schemas that the installed MLflow can upgrade from."""
    return frozenset(str(step.revision) for step in _script().walk_revisions())


# ----------------------------------------------------------------------- lock


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold a file lock; the operating system frees it when the process ends."""
    give_up = time.monotonic() + _LOCK_SECONDS
    with path.open("a+b") as file:
        while not _try_lock(file):
            if time.monotonic() > give_up:
                raise TrackingError(
                    "tracking.store_locked",
                    "tracking: another process has held {path!r} for "
                    "{n_seconds:.0f} s. Wait for it, or end it.",
                    path=str(path),
                    n_seconds=_LOCK_SECONDS,
                )
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            _unlock(file)


def _try_lock(file: IO[bytes]) -> bool:
    """Return whether the lock could be taken."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _unlock(file: IO[bytes]) -> None:
    """Release the lock."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
