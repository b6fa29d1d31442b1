"""Runs that a killed process left behind: found, and marked as killed."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.tracking._processes import Process
from smartrisk.tracking._store import (
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
    resolve_address,
)

_log = logging.getLogger("smartrisk")

#: Tag of a run: the process that logs it.
PROCESS_TAG = "smartrisk.process"
#: Tag of a run that was marked here: why it ended.
ENDED_TAG = "smartrisk.ended_because"
#: Runs asked for in one call.
_PAGE = 200
_COLUMNS = ("run_id", "run_name", "host", "pid", "started", "state")

#: Calls that this process is in at the moment.
_calls: set[str] = set()


def sweep(
    *,
    tracking_uri: str | os.PathLike[str] | None = None,
    removed_hosts: Collection[str] = (),
    dry_run: bool = False,
) -> pd.DataFrame:
    """Mark runs whose process was killed while it logged them.

    `log_run` does this by itself in the store that it logs to.

    Parameters
    ----------
    tracking_uri : str or path, default=None
        Address of the store, as in `log_run`.
    removed_hosts : collection of str, default=()
        Names of machines that were removed for good: their runs are marked, too. Runs
        of other machines are reported only, because nobody here can see whether their
        processes live.
    dry_run : bool, default=False
        Whether to report only.

    Returns
    -------
    runs : DataFrame
        Runs of `log_run` that were RUNNING: run_id, run_name, host, pid, started, and
        state: "killed" (now marked, or to be marked), "running" (its process lives) or
        "elsewhere" (on another machine or in another container).

    Raises
    ------
    TrackingError
        If the store refuses or does not answer.
    ArgumentError
        If `removed_hosts` is a single text.

    Notes
    -----
    A run names its process by host, number and start, in the tag
    ``smartrisk.process``. One that is marked has the status KILLED and the tag
    ``smartrisk.ended_because``; its unfinished model is FAILED. Runs that other tools
    started are left alone.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.sweep(dry_run=True)  # doctest: +SKIP
    """
    if isinstance(removed_hosts, str):
        raise ArgumentError(
            "tracking.removed_hosts_a_text",
            "sweep: 'removed_hosts' must be a collection of names, such as [{host!r}].",
            host=removed_hosts,
        )
    uri = resolve_address(tracking_uri)
    client = open_store(uri, create=False)
    with raise_tracking_errors(uri, "sweep"), limit_waiting():
        rows = [
            _report(client, run, process, removed_hosts, dry_run=dry_run)
            for run, process in _running(client)
        ]
    found = [row for row in rows if row is not None]
    return pd.DataFrame(found, columns=list(_COLUMNS))


def mark_killed(client: Any) -> None:
    """Mark the runs of killed processes; others' are left alone.

    A run that may not be changed, such as another user's, is no reason not to log.
    """
    for run, process in _running(client):
        try:
            _report(client, run, process, (), dry_run=False)
        except Exception as error:
            _log.warning("log_run: run %s not marked: %s", run.info.run_id, error)


@contextmanager
def process_tags() -> Iterator[dict[str, str]]:
    """Yield the tags of the runs of one call; none of them is marked while it lasts."""
    call = uuid.uuid4().hex
    _calls.add(call)
    try:
        yield {PROCESS_TAG: Process.current(call).to_text()}
    finally:
        _calls.discard(call)


def _running(client: Any) -> Iterator[tuple[Any, Process]]:
    """Yield runs of `log_run` that have not ended, with their process."""
    view = import_mlflow().entities.ViewType.ALL
    places = [e.experiment_id for e in _pages(client.search_experiments, view)]
    if not places:
        return
    wanted = f"attributes.status = 'RUNNING' AND tags.`{PROCESS_TAG}` LIKE '%'"
    token = None
    runs = []
    while True:
        page = client.search_runs(places, wanted, max_results=_PAGE, page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    for run in runs:
        process = Process.from_text(run.data.tags[PROCESS_TAG])
        if process is not None and process.call not in _calls:
            yield run, process


def _pages(search: Any, view: Any) -> Iterator[Any]:
    """Yield what a search returns page by page."""
    token = None
    while True:
        page = search(view_type=view, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _report(
    client: Any,
    run: Any,
    process: Process,
    removed_hosts: Collection[str],
    *,
    dry_run: bool,
) -> dict[str, Any] | None:
    """Return a row of the report; mark the run where its process has ended.

    None where the process ended its run, and then itself, since the runs were listed.
    """
    life = process.life()
    if process == Process.current(process.call):
        life = "ended"  # the call that logged it is over
    if life == "elsewhere" and process.host in removed_hosts:
        life = "ended"
    if life == "ended" and client.get_run(run.info.run_id).info.status != "RUNNING":
        return None
    states = {"ended": "killed", "lives": "running", "elsewhere": "elsewhere"}
    if life == "ended" and not dry_run:
        _mark(client, run, process)
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    return {
        "run_id": run.info.run_id,
        "run_name": run.info.run_name,
        "host": process.host,
        "pid": process.pid,
        "started": pd.Timestamp(started).tz_localize(None),
        "state": states[life],
    }


def _mark(client: Any, run: Any, process: Process) -> None:
    """Give a run the status KILLED, and say why; its unfinished models failed."""
    run_id = run.info.run_id
    why = (
        f"process {process.pid} on {process.host!r} ended, or lost the store, before "
        f"it ended this run; found by process {os.getpid()} of smartrisk"
    )
    client.set_tag(run_id, ENDED_TAG, why)
    for model in _unfinished_models(client, run):
        client.finalize_logged_model(model.model_id, "FAILED")
    client.set_terminated(run_id, status="KILLED")
    _log.warning("run %s marked as KILLED: %s", run_id, why)


def _unfinished_models(client: Any, run: Any) -> list[Any]:
    """Return the models that a run has begun and not finished."""
    found = client.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"
    )
    return [model for model in found if not str(model.status).endswith("READY")]
