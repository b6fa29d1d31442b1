"""The store: its address, its opening, its timeouts, its errors."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from smartrisk.errors import (
    MissingExtraError,
    SmartRiskError,
    SmartRiskWarning,
    TrackingError,
    needing,
)
from smartrisk.tracking._local_store import hold_lock, prepare

#: Folder of the default store, in the working directory.
FOLDER = "smartrisk-mlruns"
_SQLITE = "sqlite:///"

#: MLflow waits four minutes for a dead server by default, and prints the address of
#: each run that ends. What the user has set in the environment is not changed.
_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
#: The first call only asks whether the server answers; later ones carry data.
_KNOCK_SECONDS, _CALL_SECONDS = "5", "30"
#: Answers of a store that works and does not do what it was asked for.
_REFUSALS = (
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "PERMISSION_DENIED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "UNAUTHENTICATED",
)
#: Without it MLflow's pages show an experiment as one of language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
#: Characters of a cause in an error.
_LONGEST_REASON = 300

#: The environment is shared by all threads of the process.
_ENVIRONMENT = threading.RLock()
#: Loggers that report each migration of a fresh store.
_NOISY = (
    "alembic",
    "mlflow.store.db.utils",
    "mlflow.tracking.fluent",
    "mlflow.types.utils",
)


def import_mlflow() -> Any:
    """Return MLflow, loaded without telemetry and without its log of migrations."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with needing("mlflow"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
    for name in _NOISY:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
    return mlflow


@contextmanager
def limit_waiting(timeout: str = _CALL_SECONDS) -> Iterator[None]:
    """Make calls to a server give up soon; restore the environment afterwards."""
    with _ENVIRONMENT:
        wanted = {**_LIMITS, _TIMEOUT: timeout}
        added = [name for name in wanted if name not in os.environ]
        os.environ.update({name: wanted[name] for name in added})
        try:
            yield
        finally:
            for name in added:
                os.environ.pop(name, None)


@contextmanager
def _pass_own_warnings() -> Iterator[None]:
    """Drop the warnings of others: MLflow and SQLAlchemy warn of each other."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for given in caught:
        if issubclass(given.category, SmartRiskWarning):
            warnings.warn_explicit(
                given.message, given.category, given.filename, given.lineno
            )


@contextmanager
def raise_tracking_errors(uri: str, action: str) -> Iterator[None]:
    """Raise every failure of the store as one `TrackingError`."""
    with _pass_own_warnings():
        try:
            yield
        except SmartRiskError:
            raise
        except ModuleNotFoundError as error:  # a light set without the store's parts
            missing = (error.name or "mlflow").partition(".")[0]
            raise MissingExtraError(missing) from error
        except Exception as error:
            if is_refusal(error):
                raise TrackingError(
                    "tracking.store_refused",
                    "{action}: the tracking store {uri!r} answered and refused: "
                    "{problem}. The engine remains usable.",
                    action=action,
                    uri=redact_uri(uri),
                    problem=_reason(error),
                ) from error
            raise TrackingError(
                "tracking.store_failed",
                "{action}: the tracking store {uri!r} failed: {problem}. The engine "
                "remains usable: engine.save(folder) writes it to disk. Check the "
                "address ('tracking_uri' or MLFLOW_TRACKING_URI) and that the "
                "server answers, then call again.",
                action=action,
                uri=redact_uri(uri),
                problem=_reason(error),
            ) from error


def is_refusal(error: Exception) -> bool:
    """Return whether a store works, and does not do what it was asked for."""
    return getattr(error, "error_code", "") in _REFUSALS


def resolve_address(tracking_uri: str | os.PathLike[str] | None) -> str:
    """Return the address of the store: given, MLflow's own, or the local default."""
    if tracking_uri is not None:
        given = os.fspath(tracking_uri)
        return given if "://" in given or given == "databricks" else local_uri(given)
    mlflow = import_mlflow()
    if mlflow.is_tracking_uri_set() or mlflow.active_run() is not None:
        return str(mlflow.get_tracking_uri())
    return local_uri(FOLDER)


def local_uri(folder: str) -> str:
    """Return the address of the SQLite store in a folder."""
    return _SQLITE + (Path(folder).resolve() / "mlflow.db").as_posix()


def redact_uri(uri: str) -> str:
    """Return an address without user name, password or query."""
    parts = urlsplit(uri)
    if parts.scheme.startswith("sqlite"):
        return uri.split("?")[0]
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def open_store(uri: str, *, create: bool = True) -> Any:
    """Return a client of a store that answers; make a local one where there is none.

    Raises
    ------
    TrackingError
        If the store does not answer; without `create`, also where there is none.
    """
    mlflow = import_mlflow()
    with raise_tracking_errors(uri, "tracking"), limit_waiting(_KNOCK_SECONDS):
        path = _sqlite_path(uri)
        if path is None:
            client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
            return client
        if not create and not path.exists() and not _has_artefacts(path):
            raise TrackingError(
                "tracking.no_store",
                "tracking: there is no store {uri!r}. Check 'tracking_uri' or "
                "MLFLOW_TRACKING_URI, and the folder that you are in; log_run makes a "
                "store where there is none.",
                uri=redact_uri(uri),
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Processes that start together on a fresh file all fail in its migrations.
        with hold_lock(path.with_name(path.name + ".lock")):
            prepare(path)
            client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
        return client


def _has_artefacts(path: Path) -> bool:
    """Return whether artefacts lie beside a missing store, which has its own error."""
    return (path.parent / "artifacts").exists()


def find_or_create_experiment(client: Any, uri: str, name: str) -> str:
    """Return the id of the experiment of that name, created when absent."""
    found = client.get_experiment_by_name(name)
    if found is None:
        path = _sqlite_path(uri)
        place = None if path is None else (path.parent / "artifacts").as_uri()
        try:
            return str(client.create_experiment(name, place, _EXPERIMENT_TAGS))
        except Exception:
            # Another process may have been faster.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            "tracking.experiment_deleted",
            "log_run: the experiment {name!r} is deleted in {uri!r}. Restore "
            "it or choose another name.",
            name=name,
            uri=redact_uri(uri),
        )
    return str(found.experiment_id)


def _sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite address, None for any other store."""
    if not uri.startswith(_SQLITE):
        return None
    place = uri[len(_SQLITE) :].split("?")[0]
    return Path(place).resolve() if place and place != ":memory:" else None


def _reason(error: Exception) -> str:
    """Return the first line of an error, short."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    lines = [" ".join(str(e).split("\n")[0].split()) for e in (error, cause)]
    text = lines[0] or lines[1] or type(error).__name__
    if "Max retries exceeded" in text:
        text = f"no answer ({type(cause).__name__})"
    return text.rstrip(".")[:_LONGEST_REASON]
