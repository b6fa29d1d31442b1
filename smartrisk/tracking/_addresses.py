"""What names a logged engine: a run, a logged model, a version, an alias."""

from __future__ import annotations

import os
import re
from typing import Any

from smartrisk.errors import (
    ArgumentError,
    TrackingError,
    format_values,
    suggest_nearest,
)
from smartrisk.tracking._model import MODEL_TAG, create_version, list_versions
from smartrisk.tracking._run import Run
from smartrisk.tracking._store import import_mlflow, redact_uri, resolve_address

_MODEL_ID = re.compile(r"models:/(m-[0-9a-zA-Z]+)/?")
_VERSION = re.compile(r"models:/([^/@]+)/([0-9]+)")
_ALIAS = re.compile(r"models:/([^/@]+)@([^/@]+)")
_RUN_ID = re.compile(r"(?:runs:/)?([0-9a-f]{32})(?:/.*)?")


def check_reference(owner: str, run: object) -> None:
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


def store_of(run: Run | str, tracking_uri: str | os.PathLike[str] | None) -> str:
    """Return the address of the store that holds a run."""
    if tracking_uri is None and isinstance(run, Run):
        return run.tracking_uri
    return resolve_address(tracking_uri)


def find_model_id(client: Any, uri: str, run: Run | str) -> str:
    """Return the logged model behind a run, a version or an alias."""
    text = run.model_uri if isinstance(run, Run) else run
    if found := _MODEL_ID.fullmatch(text):
        return found[1]
    if found := _RUN_ID.fullmatch(text):
        return _model_of_run(client, uri, found[1])
    version = _find_version(client, uri, text)
    source = _MODEL_ID.fullmatch(str(version.source))
    model_id = version.tags.get(MODEL_TAG) or (source and source[1])
    if not model_id:
        raise TrackingError(
            "tracking.model_not_logged_here",
            "load: {model!r} is not an engine that log_run logged.",
            model=text,
        )
    return str(model_id)


def _model_of_run(client: Any, uri: str, run_id: str) -> str:
    """Return the logged model of a run."""
    try:
        tags = client.get_run(run_id).data.tags
    except import_mlflow().MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise TrackingError(
            "tracking.no_such_run",
            "load: {uri!r} has no run {run_id}. Check the identifier, and that this is "
            "the store it was logged to ('tracking_uri' or MLFLOW_TRACKING_URI).",
            uri=redact_uri(uri),
            run_id=run_id,
        ) from error
    model_id = tags.get(MODEL_TAG)
    if model_id is None:
        raise TrackingError(
            "tracking.run_without_engine",
            "load: run {run_id} in {uri!r} holds no engine; it was not logged "
            "by log_run, or its logging failed.",
            run_id=run_id,
            uri=redact_uri(uri),
        )
    return str(model_id)


def _find_version(client: Any, uri: str, text: str) -> Any:
    """Return a version by its number or alias; name what there is otherwise."""
    alias = _ALIAS.fullmatch(text)
    found = alias or _VERSION.fullmatch(text)
    name, wanted = found.groups() if found else ("", "")
    try:
        if alias:
            return client.get_model_version_by_alias(name, wanted)
        return client.get_model_version(name, wanted)
    except import_mlflow().MlflowException as error:
        absent = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
        if not absent and "not found" not in str(error).lower():
            raise
        raise _no_version(client, uri, name, wanted, bool(alias)) from error


def _no_version(
    client: Any, uri: str, name: str, wanted: str, by_alias: bool
) -> TrackingError:
    """Return the error of a version that is not there, with what is."""
    models = [model.name for model in client.search_registered_models()]
    if name not in models:
        return TrackingError(
            "tracking.no_such_model",
            "load: {uri!r} has no registered model {name!r}; it has {models}.{hint} "
            "Check 'tracking_uri' or MLFLOW_TRACKING_URI.",
            uri=redact_uri(uri),
            name=name,
            models=format_values(models) or "none",
            hint=suggest_nearest(name, models),
        )
    if not by_alias:
        numbers = [int(version.version) for version in list_versions(client, name)]
        return TrackingError(
            "tracking.no_such_version",
            "load: {name!r} has no version {version}; it has {versions}.",
            name=name,
            version=wanted,
            versions=format_values(numbers, 10) or "none",
        )
    aliases = list(client.get_registered_model(name).aliases)
    return TrackingError(
        "tracking.no_such_alias",
        "load: {name!r} has no alias {alias!r}; it has {aliases}.{hint} "
        "tracking.register, tracking.promote or 'smartrisk register' set one.",
        name=name,
        alias=wanted,
        aliases=format_values(aliases) or "none",
        hint=suggest_nearest(wanted, aliases),
    )


def find_or_create_version(client: Any, name: str, model: Any) -> str:
    """Return the version of a logged model under a name, created when there is none."""
    for version in list_versions(client, name):
        if version.tags.get(MODEL_TAG) == model.model_id:
            return str(version.version)
    return create_version(client, name, model.source_run_id, str(model.model_id))
