"""`log_run`: parameters, metrics, figures, digests of data and the engine."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, TrackingError
from smartrisk.evaluation import Evaluation
from smartrisk.ledger import ANCHOR_TAG, Anchor
from smartrisk.tracking._contents import (
    DataSet,
    describe_data,
    prepare_figures,
    read_metrics,
    safe_name,
    to_jsonable,
)
from smartrisk.tracking._model import VERSION_TAG, create_version, log_model
from smartrisk.tracking._store import (
    find_or_create_experiment,
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
    redact_uri,
    resolve_address,
)

_log = logging.getLogger("smartrisk")

#: Experiment of runs for which none is named.
DEFAULT_EXPERIMENT = "smartrisk"
#: Longest value of a parameter: the limit of servers older than MLflow 2.8.
_LONGEST_PARAM = 500
#: What a tracking server takes in one call.
_PARAMS_PER_CALL, _METRICS_PER_CALL = 100, 500


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a logged engine is stored.

    Parameters
    ----------
    run_id : str
        Identifier of the MLflow run.
    model_uri : str
        Address of the logged model, for `load` or ``mlflow models serve -m``.
    tracking_uri : str
        Address of the store.
    experiment : str
        Name of the experiment.
    anchor : str, default=None
        Head of the ledger that was logged with it, for `Ledger.verify`.

    Examples
    --------
    >>> from smartrisk.tracking import Run
    >>> run = Run(run_id="0af3", model_uri="models:/m-1", experiment="smartrisk",
    ...           tracking_uri="sqlite:///mlflow.db")
    >>> print(run)
    run 0af3 in experiment 'smartrisk'
      model  models:/m-1
      store  sqlite:///mlflow.db
      view   mlflow ui --backend-store-uri sqlite:///mlflow.db
    """

    run_id: str
    model_uri: str
    tracking_uri: str
    experiment: str
    anchor: str | None = None

    def _repr_html_(self) -> str:
        """Return the text of the run for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def __str__(self) -> str:
        """Return where the run is and how to view it."""
        place = redact_uri(self.tracking_uri)
        view = f"mlflow ui --backend-store-uri {place}"
        if place.startswith("http"):
            view = f"{place}/#/experiments"
        return (
            f"run {self.run_id} in experiment {self.experiment!r}\n"
            f"  model  {self.model_uri}\n  store  {place}\n  view   {view}"
        )


def log_run(
    engine: RiskEngine,
    *,
    evaluation: Evaluation | Mapping[str, float] | None = None,
    experiment: str | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
    run_name: str | None = None,
    declarations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    figures: Mapping[str, Any] | None = None,
    registered_model_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    anchor: Anchor | str | None = None,
) -> Run:
    """Log an engine and its evaluation as an MLflow run.

    Parameters
    ----------
    engine : RiskEngine
        A fitted engine.
    evaluation : Evaluation or mapping of str to float, default=None
        Result whose figures become metrics such as ``precision_at_05pct``.
    experiment : str, default=None
        Name of the experiment; None for that of the active run, else "smartrisk".
    tracking_uri : str or path, default=None
        Address of the store; a plain path is a folder for a SQLite store. None for the
        address set in MLflow, else the folder ``smartrisk-mlruns``.
    run_name : str, default=None
        Name of the run; None lets MLflow choose.
    declarations : DataFrame or mapping of str to DataFrame, default=None
        Data behind the run, by context ("training" for a single frame, or
        ``{"training": ..., "evaluation": ...}``). Only column names, counts and a
        digest are logged; metrics name the "evaluation" data.
    figures : mapping of str to Figure, display, page or path, default=None
        Pictures and pages by name: matplotlib figures, displays, pages that name no
        party (such as a `ModelCard`), or files.
    registered_model_name : str, default=None
        Also create a version of this registered model.
    tags : mapping of str to str, default=None
        More tags of the run.
    anchor : Anchor or str, default=None
        Head of the ledger of decisions, as ``ledger.head()`` returns it. It becomes a
        tag; ``ledger.verify(anchor=run)`` compares the ledger with it later.

    Returns
    -------
    run : Run
        Where it is stored; pass it to `load`.

    Raises
    ------
    TrackingError
        If the store refuses, or does not answer within seconds. The engine remains
        usable.
    ArgumentError
        If an argument is of the wrong kind, or a page names parties.

    Notes
    -----
    While an MLflow run is active in the same store, the new run becomes its child, so
    several engines can be logged within one run without conflicting parameters. No
    global state of MLflow is changed and nothing is logged automatically. Rows and
    identities are never logged: parameters are settings, the input example is
    synthetic, and the history of the engine is keyed by digests.

    The signature of the model names the columns, all optional: texts and codes as
    strings, the others of any type. MLflow's own checks would refuse whole numbers
    where decimals were learned, and turn a missing yes/no into no. The engine coerces
    and checks every value itself.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> run = sr.tracking.log_run(engine)  # doctest: +SKIP
    >>> again = sr.tracking.load(run)  # doctest: +SKIP
    """
    pictures = prepare_figures(figures)
    metrics = read_metrics(evaluation)
    data = describe_data(declarations)
    head = None if anchor is None else str(Anchor.parse(str(anchor)))
    uri = resolve_address(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="smartrisk-") as temporary:
        folder = engine.save(Path(temporary) / "engine")
        client = open_store(uri)
        with raise_tracking_errors(uri, "log_run"), limit_waiting():
            place = _choose_place(client, uri, experiment)
            run_tags = _make_tags(engine, tags, place.parent_id)
            run_tags |= {} if head is None else {ANCHOR_TAG: head}
            with _new_run(client, place.experiment_id, run_name, run_tags) as run:
                _log_settings(client, run, engine)
                _log_results(client, run, evaluation, pictures)
                log_inputs(client, run, data)
                model_id = log_model(client, run, engine, folder)
                _log_metrics(client, run, metrics, model_id, data.get("evaluation"))
            if registered_model_name is not None:
                create_version(client, registered_model_name, run.info.run_id, model_id)
    _log.info("log_run: run %s, version %s", run.info.run_id, engine.version_)
    return Run(
        run_id=run.info.run_id,
        model_uri=f"models:/{model_id}",
        tracking_uri=uri,
        experiment=place.experiment,
        anchor=head,
    )


@dataclass(frozen=True)
class _Place:
    """The experiment of a run, and the run that it becomes a child of."""

    experiment: str
    experiment_id: str
    parent_id: str | None


def _choose_place(client: Any, uri: str, experiment: str | None) -> _Place:
    """Return where the run goes: named, that of the active run, or the default."""
    mlflow = import_mlflow()
    active = mlflow.active_run()
    if active is not None and mlflow.get_tracking_uri() != uri:
        active = None
    if experiment is None and active is not None:
        exp_id = active.info.experiment_id
        return _Place(client.get_experiment(exp_id).name, exp_id, active.info.run_id)
    name = DEFAULT_EXPERIMENT if experiment is None else experiment
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ArgumentError(
            "tracking.experiment_not_printable",
            "log_run: 'experiment' must be a printable text; got {name!r}.",
            name=str(name),
        )
    exp_id = find_or_create_experiment(client, uri, name)
    return _Place(name, exp_id, None if active is None else active.info.run_id)


@contextmanager
def _new_run(
    client: Any, exp_id: str, run_name: str | None, tags: dict[str, str]
) -> Iterator[Any]:
    """Create a run; end it as finished, or as failed after an error."""
    run = client.create_run(exp_id, tags=tags, run_name=run_name)
    try:
        yield run
    except BaseException:
        try:
            client.set_terminated(run.info.run_id, status="FAILED")
        except Exception as error:
            raise TrackingError(
                "tracking.run_not_ended",
                "log_run: run {run_id} was started and could not be ended: the store "
                "stopped answering. Its status stays RUNNING; log again.",
                run_id=run.info.run_id,
            ) from error
        raise
    client.set_terminated(run.info.run_id, status="FINISHED")


def _make_tags(
    engine: RiskEngine, tags: Mapping[str, str] | None, parent: str | None
) -> dict[str, str]:
    """Return the tags of a run: those of the caller, versions, and the parent."""
    out = {str(name): str(value) for name, value in (tags or {}).items()}
    out |= {"smartrisk.version": __version__, VERSION_TAG: engine.version_}
    if parent is not None:
        out["mlflow.parentRunId"] = parent
    return out


def _log_settings(client: Any, run: Any, engine: RiskEngine) -> None:
    """Log the settings of the engine: short ones as parameters, all as JSON."""
    mlflow = import_mlflow()
    settings = {safe_name(k, "_/"): v for k, v in engine.describe().items()}
    client.log_dict(run.info.run_id, to_jsonable(settings), "engine.json")
    params = []
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(to_jsonable(value))
        if len(text) > _LONGEST_PARAM:
            text = f"see engine.json ({len(text)} characters)"
        params.append(mlflow.entities.Param(name, text))
    for start in range(0, len(params), _PARAMS_PER_CALL):
        client.log_batch(
            run.info.run_id, params=params[start : start + _PARAMS_PER_CALL]
        )


def _log_results(
    client: Any, run: Any, evaluation: object, figures: Mapping[str, Any]
) -> None:
    """Log the table at inspection rates, the figures and the pages."""
    run_id = run.info.run_id
    if hasattr(evaluation, "frame"):
        table = evaluation.frame().to_csv(index=False, lineterminator="\n")
        client.log_text(run_id, table, "evaluation/rates.csv")
    for name, figure in figures.items():
        if isinstance(figure, (str, os.PathLike)):
            client.log_artifact(run_id, os.fspath(figure), f"figures/{name}")
        elif hasattr(figure, "identities"):
            name = name.removesuffix(".html")
            client.log_text(run_id, figure.to_html(), f"pages/{name}.html")
        else:
            client.log_figure(
                run_id, getattr(figure, "figure_", figure), _png_path(name)
            )


def log_inputs(client: Any, run: Any, data: Mapping[str, DataSet]) -> None:
    """Log the digests of the data, without any row."""
    entities = import_mlflow().entities
    inputs = [
        entities.DatasetInput(
            entities.Dataset(
                name=about.name,
                digest=about.digest,
                source_type="code",
                source='{"tags": {}}',
                schema=json.dumps({"mlflow_colspec": about.columns}),
                profile=json.dumps({"num_rows": about.n_rows}),
            ),
            [entities.InputTag("mlflow.data.context", about.context)],
        )
        for about in data.values()
    ]
    if inputs:
        client.log_inputs(run.info.run_id, inputs)


def _log_metrics(
    client: Any,
    run: Any,
    metrics: Mapping[str, float],
    model_id: str,
    judged: DataSet | None,
) -> None:
    """Log metrics to the run and to its model, with the data that they are of."""
    make_metric = import_mlflow().entities.Metric
    now = int(time.time() * 1000)
    batch = [
        make_metric(
            name,
            value,
            now,
            0,
            model_id=model_id,
            dataset_name=None if judged is None else judged.name,
            dataset_digest=None if judged is None else judged.digest,
            run_id=run.info.run_id,
        )
        for name, value in metrics.items()
    ]
    for start in range(0, len(batch), _METRICS_PER_CALL):
        client.log_batch(
            run.info.run_id, metrics=batch[start : start + _METRICS_PER_CALL]
        )


def _png_path(name: str) -> str:
    """Return where a figure is stored in the run."""
    return f"figures/{name}" if name.endswith(".png") else f"figures/{name}.png"
