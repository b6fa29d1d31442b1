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
from smartrisk.tracking._run import MODEL_TAG, VERSION_TAG, Run, register
from smartrisk.tracking._store import (
    address,
    mlflow_module,
    open_store,
    patience,
    shown_uri,
    talking_to,
)

_MODEL_ID = re.compile(r"models:/(m-[0-9a-zA-Z]+)/?")
_VERSION = re.compile(r"models:/([^/@]+)/([0-9]+)")
_ALIAS = re.compile(r"models:/([^/@]+)@([^/@]+)")
_RUN_ID = re.compile(r"(?:runs:/)?([0-9a-f]{32})(?:/.*)?")


def load(
    run: Run | str, *, tracking_uri: str | os.PathLike[str] | None = None
) -> RiskEngine:
    """Get a logged engine back; it scores alike, bit by bit.

    Parameters
    ----------
    run : Run or str
        What `log_run` returned, a run's identifier, or a model's address:
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
        If the store does not answer, or holds no such run or engine.
    ArtefactError
        If the engine's folder is not what was logged.

    Notes
    -----
    The engine's folder is downloaded and read by `RiskEngine.load`. Nothing is
    unpickled and no code of the store runs, unlike ``mlflow.pyfunc.load_model``.

    Examples
    --------
    >>> from smartrisk.tracking import load
    >>> load("my model")
    Traceback (most recent call last):
        ...
    smartrisk.errors.ArgumentError: load: 'run' must be a Run, a run's identifier ...
    """
    _check_named(run)
    uri = _uri_of(run, tracking_uri)
    client = open_store(uri)
    with (
        tempfile.TemporaryDirectory(prefix="smartrisk-") as folder,
        talking_to(uri, "load"),
        patience(),
    ):
        model = client.get_logged_model(_model_id(client, uri, run))
        place = mlflow_module().artifacts.download_artifacts(
            artifact_uri=f"{model.artifact_location}/artifacts/engine",
            dst_path=folder,
            tracking_uri=uri,
        )
        engine = RiskEngine.load(Path(place))
    logged = model.tags.get(VERSION_TAG)
    if logged is not None and logged != engine.version_:
        raise ArtefactError(
            "tracking.store_folder_engine_logged",
            "load: the store's folder holds engine {version}, logged was "
            "{logged}. The artefacts were exchanged; do not use them.",
            version=engine.version_,
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
    """Let an alias of a registered model point to a logged engine.

    Parameters
    ----------
    run : Run or str
        What `load` takes.
    name : str
        Registered model; made, and the engine registered in it, when needed.
    alias : str, default="champion"
        The alias to move.
    at_least : mapping of str to float, default=None
        Gates: logged metrics and the least value that each must have.
    tracking_uri : str or path, default=None
        As in `load`.

    Returns
    -------
    uri : str
        ``models:/name@alias``, which `load` and ``mlflow models serve`` take.

    Raises
    ------
    TrackingError
        If a gate is not passed; the alias stays where it was.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.promote(run, "customs-risk",
    ...                     at_least={"precision_at_05pct": 0.2})  # doctest: +SKIP
    'models:/customs-risk@champion'
    """
    _check_named(run)
    uri = _uri_of(run, tracking_uri)
    client = open_store(uri)
    with talking_to(uri, "promote"), patience():
        model = client.get_logged_model(_model_id(client, uri, run))
        _check_gates(model, at_least or {})
        version = _version_of(client, name, model)
        client.set_registered_model_alias(name, alias, version)
        for gate, least in (at_least or {}).items():
            client.set_model_version_tag(name, version, f"gate.{gate}", str(least))
    return f"models:/{name}@{alias}"


def _check_named(run: Any) -> None:
    patterns = (_MODEL_ID, _VERSION, _ALIAS, _RUN_ID)
    text = run if isinstance(run, str) else ""
    if not isinstance(run, Run) and not any(p.fullmatch(text) for p in patterns):
        raise ArgumentError(
            "tracking.run_run_run_identifier",
            "load: 'run' must be a Run, a run's identifier of 32 hexadecimal "
            "digits, or 'models:/m-...', 'models:/name/version', "
            "'models:/name@alias'; got {run!r}.",
            run=run,
        )


def _uri_of(run: Run | str, tracking_uri: str | os.PathLike[str] | None) -> str:
    if tracking_uri is None and isinstance(run, Run):
        return run.tracking_uri
    return address(tracking_uri)


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
                "tracking.run_engine_was_logged",
                "load: run {found} in {uri!r} holds no engine; it was not logged "
                "by log_run, or its logging failed.",
                found=found[1],
                uri=shown_uri(uri),
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
            "tracking.engine_logged_log_run",
            "load: {text!r} is no engine logged by log_run.",
            text=text,
        )
    return str(model_id)


def _check_gates(model: Any, at_least: Mapping[str, float]) -> None:
    found = {metric.key: metric.value for metric in model.metrics or []}
    missed = [
        f"{name} is {found.get(name, 'not logged')}, needed {least}"
        for name, least in at_least.items()
        if not found.get(name, float("-inf")) >= least
    ]
    if missed:
        raise TrackingError(
            "tracking.promoted_alias_unchanged",
            "promote: not promoted: {missed}. The alias is unchanged.",
            missed="; ".join(missed),
        )


def _version_of(client: Any, name: str, model: Any) -> str:
    """Return the model's version under a name, made when there is none."""
    quoted = name.replace("'", "\\'")
    for version in client.search_model_versions(f"name='{quoted}'"):
        if version.tags.get(MODEL_TAG) == model.model_id:
            return str(version.version)
    return register(client, name, model.source_run_id, str(model.model_id))
