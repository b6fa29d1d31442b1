"""`load` an engine from a store; `promote` one in its registry."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, ArtefactError, TrackingError
from smartrisk.tracking._model import MODEL_TAG, VERSION_TAG, register
from smartrisk.tracking._run import Run
from smartrisk.tracking._store import (
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
    redact_uri,
    resolve_address,
)

_MODEL_ID = re.compile(r"models:/(m-[0-9a-zA-Z]+)/?")
_VERSION = re.compile(r"models:/([^/@]+)/([0-9]+)")
_ALIAS = re.compile(r"models:/([^/@]+)@([^/@]+)")
_RUN_ID = re.compile(r"(?:runs:/)?([0-9a-f]{32})(?:/.*)?")


def load(
    run: Run | str, *, tracking_uri: str | os.PathLike[str] | None = None
) -> RiskEngine:
    """Return a logged engine; its scores are bit-identical.

    Parameters
    ----------
    run : Run or str
        What `log_run` returned, the identifier of a run, or the address of a model:
        ``models:/m-...``, ``models:/name/3`` or ``models:/name@champion``.
    tracking_uri : str or path, default=None
        Address of the store; None for that of the `Run`, or as in `log_run`.

    Returns
    -------
    engine : RiskEngine
        The engine.

    Raises
    ------
    TrackingError
        If the store does not answer, or has no such run or engine.
    ArtefactError
        If the folder of the engine is not what was logged.
    ArgumentError
        If `run` is none of these.

    Notes
    -----
    The folder of the engine is downloaded and read by `RiskEngine.load`. Nothing is
    unpickled and no code of the store runs, unlike ``mlflow.pyfunc.load_model``.

    Examples
    --------
    >>> import smartrisk as sr
    >>> engine = sr.tracking.load("models:/customs-risk@champion")  # doctest: +SKIP
    >>> engine.score(declarations)  # doctest: +SKIP
    """
    _check_reference("load", run)
    uri = _store_of(run, tracking_uri)
    client = open_store(uri)
    with (
        tempfile.TemporaryDirectory(prefix="smartrisk-") as folder,
        raise_tracking_errors(uri, "load"),
        limit_waiting(),
    ):
        model = client.get_logged_model(_model_id(client, uri, run))
        download = import_mlflow().artifacts.download_artifacts(
            artifact_uri=f"{model.artifact_location}/artifacts/engine",
            dst_path=folder,
            tracking_uri=uri,
        )
        engine = RiskEngine.load(Path(download))
    logged = model.tags.get(VERSION_TAG)
    if logged is not None and logged != engine.version_:
        raise ArtefactError(
            "tracking.engine_exchanged",
            "load: the folder in the store holds engine {stored}, but {logged} was "
            "logged. The artefacts were exchanged; do not use them.",
            stored=engine.version_,
            logged=logged,
        )
    return engine


def promote(
    run: Run | str,
    name: str,
    *,
    alias: str = "champion",
    at_least: Mapping[str, float] | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> str:
    """Set an alias of a registered model to a logged engine.

    Parameters
    ----------
    run : Run or str
        As for `load`.
    name : str
        Registered model; created, and the engine registered in it, when needed.
    alias : str, default="champion"
        The alias to set.
    at_least : mapping of str to float, default=None
        Gates: logged metrics and the smallest value that each must have; None for no
        gate.
    tracking_uri : str or path, default=None
        Address of the store; as for `load`.

    Returns
    -------
    uri : str
        ``models:/name@alias``, which `load` and ``mlflow models serve`` accept.

    Raises
    ------
    TrackingError
        If the engine does not pass a gate; the alias is unchanged.
    ArgumentError
        If `run` is not what `load` takes.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.promote(run, "customs-risk",
    ...                     at_least={"precision_at_05pct": 0.2})  # doctest: +SKIP
    'models:/customs-risk@champion'
    """
    _check_reference("promote", run)
    uri = _store_of(run, tracking_uri)
    client = open_store(uri)
    with raise_tracking_errors(uri, "promote"), limit_waiting():
        model = client.get_logged_model(_model_id(client, uri, run))
        _check_gates(model, at_least or {})
        version = _find_or_register(client, name, model)
        client.set_registered_model_alias(name, alias, version)
        for gate, least in (at_least or {}).items():
            client.set_model_version_tag(name, version, f"gate.{gate}", str(least))
    return f"models:/{name}@{alias}"


def _check_reference(owner: str, run: object) -> None:
    """Raise unless `run` can name a logged engine."""
    patterns = (_MODEL_ID, _VERSION, _ALIAS, _RUN_ID)
    text = run if isinstance(run, str) else ""
    if not isinstance(run, Run) and not any(p.fullmatch(text) for p in patterns):
        raise ArgumentError(
            "tracking.not_a_run",
            "{owner}: 'run' must be a Run, the identifier of a run (32 hexadecimal "
            "digits), or 'models:/m-...', 'models:/name/version', "
            "'models:/name@alias'; got {run!r}.",
            owner=owner,
            run=run if isinstance(run, str) else str(run),
        )


def _store_of(run: Run | str, tracking_uri: str | os.PathLike[str] | None) -> str:
    """Return the address of the store that holds a run."""
    if tracking_uri is None and isinstance(run, Run):
        return run.tracking_uri
    return resolve_address(tracking_uri)


def _model_id(client: Any, uri: str, run: Run | str) -> str:
    """Return the logged model behind a run, a version or an alias."""
    text = run.model_uri if isinstance(run, Run) else run
    if found := _MODEL_ID.fullmatch(text):
        return found[1]
    if found := _RUN_ID.fullmatch(text):
        logged = client.get_run(found[1])
        model_id = logged.data.tags.get(MODEL_TAG)
        if model_id is None:
            raise TrackingError(
                "tracking.run_without_engine",
                "load: run {run_id} in {uri!r} holds no engine; it was not logged "
                "by log_run, or its logging failed.",
                run_id=found[1],
                uri=redact_uri(uri),
            )
        return str(model_id)
    if found := _ALIAS.fullmatch(text):
        version = client.get_model_version_by_alias(found[1], found[2])
    else:
        found = _VERSION.fullmatch(text)
        version = client.get_model_version(*(found.groups() if found else ("", "")))
    source = _MODEL_ID.fullmatch(str(version.source))
    model_id = version.tags.get(MODEL_TAG) or (source and source[1])
    if not model_id:
        raise TrackingError(
            "tracking.model_not_logged_here",
            "load: {model!r} is not an engine that log_run logged.",
            model=text,
        )
    return str(model_id)


def _check_gates(model: Any, at_least: Mapping[str, float]) -> None:
    """Raise when a logged metric is below its gate, or was not logged."""
    logged = {metric.key: metric.value for metric in model.metrics or []}
    missed = [
        f"{name} is {logged.get(name, 'not logged')}, needed {least}"
        for name, least in at_least.items()
        if not logged.get(name, float("-inf")) >= least
    ]
    if missed:
        raise TrackingError(
            "tracking.gates_not_passed",
            "promote: not promoted: {missed}. The alias is unchanged.",
            missed="; ".join(missed),
        )


def _find_or_register(client: Any, name: str, model: Any) -> str:
    """Return the version of the model under a name, registered when there is none."""
    quoted = name.replace("'", "\\'")
    for version in client.search_model_versions(f"name='{quoted}'"):
        if version.tags.get(MODEL_TAG) == model.model_id:
            return str(version.version)
    return register(client, name, model.source_run_id, str(model.model_id))
