"""`load` an engine from a store; `promote` one in its registry."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArtefactError, TrackingError
from smartrisk.tracking._addresses import (
    check_reference,
    find_model_id,
    find_or_create_version,
    store_of,
)
from smartrisk.tracking._model import VERSION_TAG
from smartrisk.tracking._run import Run
from smartrisk.tracking._store import (
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
)


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
    check_reference("load", run)
    uri = store_of(run, tracking_uri)
    client = open_store(uri, create=False)
    with (
        tempfile.TemporaryDirectory(prefix="smartrisk-") as folder,
        raise_tracking_errors(uri, "load"),
        limit_waiting(),
    ):
        model = client.get_logged_model(find_model_id(client, uri, run))
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
    check_reference("promote", run)
    uri = store_of(run, tracking_uri)
    client = open_store(uri, create=False)
    with raise_tracking_errors(uri, "promote"), limit_waiting():
        model = client.get_logged_model(find_model_id(client, uri, run))
        _check_gates(model, at_least or {})
        version = find_or_create_version(client, name, model)
        client.set_registered_model_alias(name, alias, version)
        for gate, least in (at_least or {}).items():
            client.set_model_version_tag(name, version, f"gate.{gate}", str(least))
    return f"models:/{name}@{alias}"


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
