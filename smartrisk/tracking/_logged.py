"""`read_run`: what a run states, to describe it to others."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.errors import TrackingError
from smartrisk.tracking._addresses import check_reference, find_model_id, store_of
from smartrisk.tracking._facts import FACTS_FILE
from smartrisk.tracking._model import VERSION_TAG
from smartrisk.tracking._run import Run
from smartrisk.tracking._store import (
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
)

#: Tag that names the synthetic world of a run, as JSON.
WORLD_TAG = "smartrisk.world"
_RATES, _SETTINGS, _DRIFT = "evaluation/rates.csv", "engine.json", "drift/drift.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class LoggedRun:
    """What a run states: counts, shares and settings, without any row of its data.

    Parameters
    ----------
    run_id : str
        Identifier of the MLflow run.
    version : str
        Version of its engine.
    started : Timestamp
        When it was logged, in UTC.
    settings : mapping of str to object
        What ``engine.describe()`` returned.
    facts : mapping of str to object
        ``data`` by context (number, months, fields), ``stage``, ``members`` and
        ``evaluation`` (overall figures, segments, messages).
    rates : DataFrame
        The table of `Evaluation.frame`; empty where none was logged.
    drift : DataFrame
        Drift of the declared fields; empty where none was logged.
    tags : mapping of str to str
        Tags of the run.

    Examples
    --------
    >>> from smartrisk.tracking import read_run
    >>> read_run("0af3" * 8).rates["precision"]  # doctest: +SKIP
    """

    run_id: str
    version: str
    started: pd.Timestamp
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    rates: pd.DataFrame = field(default_factory=pd.DataFrame)
    drift: pd.DataFrame = field(default_factory=pd.DataFrame)
    tags: Mapping[str, str] = field(default_factory=dict)

    def world(self) -> dict[str, Any] | None:
        """Return the synthetic world that the tags name.

        Returns
        -------
        world : dict or None
            ``scenario``, ``n_items`` and ``seed``; None where the tags name none.
        """
        try:
            stated = json.loads(self.tags[WORLD_TAG])
            return {
                "scenario": str(stated["scenario"]),
                "n_items": int(stated["n_items"]),
                "seed": int(stated["seed"]),
            }
        except (KeyError, TypeError, ValueError):
            return None


def read_run(
    run: Run | str, *, tracking_uri: str | os.PathLike[str] | None = None
) -> LoggedRun:
    """Return what a run states about its data, its engine and its evaluation.

    Parameters
    ----------
    run : Run or str
        What `log_run` returned, the identifier of a run, or the address of a model, as
        for `load`.
    tracking_uri : str or path, default=None
        Address of the store; None for that of the `Run`, or as in `log_run`.

    Returns
    -------
    logged : LoggedRun
        Counts, shares and settings; never a row.

    Raises
    ------
    TrackingError
        If the store does not answer, has no such run, or an earlier version logged it
        without these facts.
    ArgumentError
        If `run` is none of these.

    See Also
    --------
    load : The engine itself.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.read_run("0af3" * 8).version  # doctest: +SKIP
    """
    check_reference("read_run", run)
    uri = store_of(run, tracking_uri)
    client = open_store(uri, create=False)
    with (
        tempfile.TemporaryDirectory(prefix="smartrisk-") as folder,
        raise_tracking_errors(uri, "read_run"),
        limit_waiting(),
    ):
        model = client.get_logged_model(find_model_id(client, uri, run))
        found = client.get_run(model.source_run_id)
        names = _list_files(client, found.info.run_id)
        texts = {
            name: _read(found, name, uri, folder)
            for name in (FACTS_FILE, _SETTINGS, _RATES, _DRIFT)
            if name in names
        }
    if FACTS_FILE not in texts:
        raise TrackingError(
            "tracking.run_without_facts",
            "read_run: run {run_id} states nothing about its data: an earlier version "
            "of smartrisk logged it. Log the engine again with log_run.",
            run_id=found.info.run_id,
        )
    return LoggedRun(
        run_id=str(found.info.run_id),
        version=str(model.tags.get(VERSION_TAG, "")),
        started=pd.Timestamp(int(found.info.start_time), unit="ms"),
        settings=json.loads(texts.get(_SETTINGS, "{}")),
        facts=json.loads(texts[FACTS_FILE]),
        rates=pd.read_csv(io.StringIO(texts[_RATES]))
        if _RATES in texts
        else pd.DataFrame(),
        drift=pd.DataFrame(json.loads(texts.get(_DRIFT, "[]"))),
        tags=dict(found.data.tags),
    )


def _list_files(client: Any, run_id: str) -> set[str]:
    """Return the paths of the files that are read, as far as the run has them."""
    folders = ("", "evaluation", "drift")
    return {
        str(file.path)
        for folder in folders
        for file in client.list_artifacts(run_id, folder or None)
    }


def _read(run: Any, name: str, uri: str, folder: str) -> str:
    """Return a file of a run as text."""
    path = import_mlflow().artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path=name, tracking_uri=uri, dst_path=folder
    )
    return Path(path).read_text(encoding="utf-8")
