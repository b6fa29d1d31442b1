"""The steps of logging a run: settings, results, data, metrics, months."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import TrackingError, TrackingWarning, format_values
from smartrisk.evaluation import Backtest, Evaluation, Periods
from smartrisk.tracking._contents import DataSet, to_jsonable
from smartrisk.tracking._metrics import Figures, Point
from smartrisk.tracking._names import entry_names
from smartrisk.tracking._store import import_mlflow, is_refusal

#: Longest value of a parameter: the limit of servers older than MLflow 2.8.
_LONGEST_PARAM = 500
#: What a tracking server takes in one call.
_PARAMS_PER_CALL, _METRICS_PER_CALL = 100, 500
#: Names of the tables of results.
_TABLES = {Evaluation: "rates", Backtest: "months", Periods: "periods"}


@contextmanager
def new_run(
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
                "stopped answering. Log again: the next log_run in this store, or "
                "tracking.sweep, marks it as killed.",
                run_id=run.info.run_id,
            ) from error
        raise
    client.set_terminated(run.info.run_id, status="FINISHED")


def log_settings(client: Any, run: Any, engine: RiskEngine) -> None:
    """Log the settings of the engine: short ones as parameters, all as JSON."""
    mlflow = import_mlflow()
    settings = to_jsonable(engine.describe())
    client.log_dict(run.info.run_id, settings, "engine.json")
    names = entry_names("parameters", settings)
    params = []
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if len(text) > _LONGEST_PARAM:
            text = f"see engine.json ({len(text)} characters)"
        params.append(mlflow.entities.Param(names[name], text))
    for start in range(0, len(params), _PARAMS_PER_CALL):
        client.log_batch(
            run.info.run_id, params=params[start : start + _PARAMS_PER_CALL]
        )


def log_results(
    client: Any, run: Any, results: Sequence[Any], figures: Mapping[str, Any]
) -> None:
    """Log the tables of results, the figures and the pages."""
    run_id = run.info.run_id
    for result in results:
        if hasattr(result, "frame"):
            table = result.frame().to_csv(index=False, lineterminator="\n")
            name = _TABLES.get(type(result), "figures")
            client.log_text(run_id, table, f"evaluation/{name}.csv")
        if isinstance(result, Backtest):
            total = result.total().to_csv(index=False, lineterminator="\n")
            client.log_text(run_id, total, "evaluation/total.csv")
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
                source=json.dumps({"tags": _source_tags(about)}),
                schema=json.dumps({"mlflow_colspec": about.columns}),
                profile=json.dumps({"num_rows": about.n_rows}),
            ),
            [entities.InputTag("mlflow.data.context", about.context)],
        )
        for about in data.values()
    ]
    if inputs:
        client.log_inputs(run.info.run_id, inputs)


def _source_tags(about: DataSet) -> dict[str, str]:
    """Return the files of a data set as MLflow keeps them: a text."""
    if not about.sources:
        return {}
    return {"smartrisk.sources": json.dumps(about.sources, sort_keys=True)}


def log_metrics(
    client: Any, run: Any, figures: Figures, model_id: str, judged: DataSet | None
) -> None:
    """Log single figures to the run and its model, with their data; then curves."""
    make_metric = import_mlflow().entities.Metric
    now = int(time.time() * 1000)
    single = [
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
        for name, value in figures.single.items()
    ]
    points = [
        make_metric(point.name, point.value, _millis(point, now), point.step)
        for point in figures.curves
    ]
    _log_all(client, run.info.run_id, [*single, *points])


def _millis(point: Point, now: int) -> int:
    """Return the moment of a value in milliseconds since 1970."""
    if point.moment is None:
        return now
    return int((point.moment - pd.Timestamp(0)) // pd.Timedelta(milliseconds=1))


def _log_all(client: Any, run_id: str, metrics: Sequence[Any]) -> None:
    """Log metrics; those that the store refuses are named and left out."""
    refused: dict[str, str] = {}
    for start in range(0, len(metrics), _METRICS_PER_CALL):
        batch = list(metrics[start : start + _METRICS_PER_CALL])
        try:
            client.log_batch(run_id, metrics=batch)
        except Exception as error:
            if not is_refusal(error):
                raise
            refused |= _log_each(client, run_id, batch)
    if refused:
        name, reason = next(iter(refused.items()))
        warnings.warn(
            TrackingWarning(
                "tracking.metrics_refused",
                "log_run: the store works and refused {n_metrics} metrics, which are "
                "left out: {names}. For {name!r} it says: {reason}.",
                n_metrics=len(refused),
                names=format_values(refused),
                name=name,
                reason=reason.rstrip("."),
            ),
            stacklevel=5,
        )


def _log_each(client: Any, run_id: str, metrics: Sequence[Any]) -> dict[str, str]:
    """Log metrics one by one; return those that were refused, and why."""
    refused = {}
    for metric in metrics:
        try:
            client.log_batch(run_id, metrics=[metric])
        except Exception as error:
            if not is_refusal(error):
                raise
            refused[metric.key] = str(error).split("\n")[0]
    return refused


def log_months(
    client: Any,
    parent: Any,
    months: Mapping[str, Mapping[str, float]],
    tags: Mapping[str, str],
) -> None:
    """Log a nested run for each period of a backtest."""
    make_metric = import_mlflow().entities.Metric
    for period, values in months.items():
        about = {**tags, "mlflow.parentRunId": parent.info.run_id}
        about["smartrisk.period"] = period
        with new_run(client, parent.info.experiment_id, period, about) as run:
            now = int(time.time() * 1000)
            batch = [make_metric(name, v, now, 0) for name, v in values.items()]
            _log_all(client, run.info.run_id, batch)


def _png_path(name: str) -> str:
    """Return where a figure is stored in the run."""
    return f"figures/{name}" if name.endswith(".png") else f"figures/{name}.png"
