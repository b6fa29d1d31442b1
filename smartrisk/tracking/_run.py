"""`log_run`: parameters, metrics, figures, data digests and the engine as a model."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, TrackingError, format_values
from smartrisk.schema import DECLARATIONS, KEY
from smartrisk.tracking._store import (
    address,
    experiment_id,
    mlflow_module,
    open_store,
    patience,
    shown_uri,
    talking_to,
)

DEFAULT_EXPERIMENT = "smartrisk"
MODEL = "risk-engine"
VERSION_TAG = "smartrisk.engine_version"
MODEL_TAG = "smartrisk.model_id"

_PACKAGE = Path(__file__).resolve().parents[1]
_ENTRY = _PACKAGE / "_mlflow_entry.py"
_PACKAGES = (
    "mlflow",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "pyarrow",
)
_LONGEST_PARAM = 500
_TEXTS = ("text", "code")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a logged engine is.

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

    Examples
    --------
    >>> from smartrisk.tracking import Run
    >>> run = Run(run_id="0af3", model_uri="models:/m-1", experiment="smartrisk",
    ...           tracking_uri="sqlite:///mlflow.db")
    >>> print(run)
    run 0af3 in experiment 'smartrisk'
      model  models:/m-1
      store  sqlite:///mlflow.db
      look   mlflow ui --backend-store-uri sqlite:///mlflow.db
    """

    run_id: str
    model_uri: str
    tracking_uri: str
    experiment: str

    def _repr_html_(self) -> str:
        """Show in a notebook where the run is."""
        return f"<pre>{escape(str(self))}</pre>"

    def __str__(self) -> str:
        """Say where the run is and how to look at it."""
        place = shown_uri(self.tracking_uri)
        look = f"mlflow ui --backend-store-uri {place}"
        if place.startswith("http"):
            look = f"{place}/#/experiments"
        return (
            f"run {self.run_id} in experiment {self.experiment!r}\n"
            f"  model  {self.model_uri}\n  store  {place}\n  look   {look}"
        )


def log_run(  # noqa: PLR0913 - one door, keywords only
    engine: RiskEngine,
    *,
    evaluation: Any = None,
    experiment: str | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
    run_name: str | None = None,
    declarations: Any = None,
    figures: Mapping[str, Any] | None = None,
    registered_model_name: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Run:
    """Log an engine, and what it was judged by, as an MLflow run.

    Parameters
    ----------
    engine : RiskEngine
        A fitted engine.
    evaluation : Evaluation or mapping of str to float, default=None
        Result whose figures become metrics such as ``precision_at_05pct``.
    experiment : str, default=None
        Name of the experiment; None for that of the active run, else "smartrisk".
    tracking_uri : str or path, default=None
        Address of the store; a plain path is a folder for a SQLite store. None for
        what MLflow was told, else the folder ``smartrisk-mlruns``.
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
        Also make a version of this registered model.
    tags : mapping of str to str, default=None
        More tags of the run.

    Returns
    -------
    run : Run
        Where it is; `load` takes it.

    Raises
    ------
    TrackingError
        If the store refuses or does not answer, after seconds. The engine is as
        usable as before.

    Notes
    -----
    While an MLflow run is active in the same store, the new run becomes its child, so
    several engines can be logged within one run without disputing its parameters.
    No global state of MLflow is changed and nothing is logged automatically. Rows and
    identities never leave: parameters are settings, the input example is made up, and
    the engine's history is keyed by digests.

    The model's signature names the columns, all optional: texts and codes as strings,
    the others of any type, because MLflow's own checks refuse whole numbers where
    decimals were learned and turn a missing yes/no into no. The engine coerces and
    checks every value itself.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> run = sr.tracking.log_run(engine)  # doctest: +SKIP
    >>> again = sr.tracking.load(run)  # doctest: +SKIP
    """
    pictures = _pictures(figures)
    metrics = _metrics(evaluation)
    data = _datasets(declarations)
    uri = address(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="smartrisk-") as temporary:
        folder = engine.save(Path(temporary) / "engine")
        client = open_store(uri)
        with talking_to(uri, "log_run"), patience():
            name, exp_id, parent = _place(client, uri, experiment)
            with _new_run(client, exp_id, run_name, _tags(engine, tags, parent)) as run:
                _log_settings(client, run, engine)
                _log_results(client, run, evaluation, pictures)
                _log_inputs(client, run, data)
                model_id = _log_model(client, run, engine, folder)
                _log_metrics(client, run, metrics, (model_id, data))
            if registered_model_name is not None:
                register(client, registered_model_name, run.info.run_id, model_id)
    return Run(
        run_id=run.info.run_id,
        model_uri=f"models:/{model_id}",
        tracking_uri=uri,
        experiment=name,
    )


def register(client: Any, name: str, run_id: str | None, model_id: str) -> str:
    """Make a version of a registered model; return its number."""
    if not any(
        m.name == name for m in client.search_registered_models(f"name='{name}'")
    ):
        try:
            client.create_registered_model(name)
        except Exception as error:
            # Another process may have been faster; anything else shows below.
            if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                raise
    source = f"models:/{model_id}"
    if not str(client.tracking_uri).startswith("http"):
        # Without a server MLflow resolves 'models:/' in its global store, not in ours.
        source = client.get_logged_model(model_id).artifact_location
    made = client.create_model_version(
        name, source, run_id=run_id, tags={MODEL_TAG: model_id}, model_id=model_id
    )
    return str(made.version)


def digest_of(frame: pd.DataFrame) -> str:
    """Return a digest of a frame's columns and values, whatever its index."""
    sha = hashlib.sha256(json.dumps([str(c) for c in frame.columns]).encode())
    sha.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return sha.hexdigest()[:32]


def _place(
    client: Any, uri: str, experiment: str | None
) -> tuple[str, str, str | None]:
    """Return experiment name and id, and the run to be a child of."""
    mlflow = mlflow_module()
    active = mlflow.active_run()
    if active is not None and mlflow.get_tracking_uri() != uri:
        active = None
    if experiment is None and active is not None:
        exp_id = active.info.experiment_id
        return client.get_experiment(exp_id).name, exp_id, active.info.run_id
    name = DEFAULT_EXPERIMENT if experiment is None else experiment
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ArgumentError(
            "tracking.experiment_printable_text_got",
            "log_run: 'experiment' must be a printable text; got {name!r}.",
            name=name,
        )
    exp_id = experiment_id(client, uri, name)
    return name, exp_id, None if active is None else active.info.run_id


@contextmanager
def _new_run(
    client: Any, exp_id: str, run_name: str | None, tags: dict[str, str]
) -> Iterator[Any]:
    """Make a run and end it, well or badly."""
    run = client.create_run(exp_id, tags=tags, run_name=run_name)
    try:
        yield run
    except BaseException:
        try:
            client.set_terminated(run.info.run_id, status="FAILED")
        except Exception as error:
            raise TrackingError(
                "tracking.run_was_begun_could",
                "log_run: run {run_id} was begun and could not be ended: the store "
                "stopped answering. Its status stays RUNNING; log again.",
                run_id=run.info.run_id,
            ) from error
        raise
    client.set_terminated(run.info.run_id, status="FINISHED")


def _tags(
    engine: RiskEngine, tags: Mapping[str, Any] | None, parent: str | None
) -> dict[str, str]:
    kept = {str(name): str(value) for name, value in (tags or {}).items()}
    kept |= {"smartrisk.version": __version__, VERSION_TAG: engine.version_}
    if parent is not None:
        kept["mlflow.parentRunId"] = parent
    return kept


def _log_settings(client: Any, run: Any, engine: RiskEngine) -> None:
    """Log what the engine was made with: short values as parameters, all as JSON."""
    mlflow = mlflow_module()
    settings = {_safe_name(k, "_/"): v for k, v in engine.describe().items()}
    client.log_dict(run.info.run_id, _jsonable(settings), "engine.json")
    params = []
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(_jsonable(value))
        if len(text) > _LONGEST_PARAM:
            text = f"see engine.json ({len(text)} characters)"
        params.append(mlflow.entities.Param(name, text))
    for start in range(0, len(params), 100):
        client.log_batch(run.info.run_id, params=params[start : start + 100])


def _log_results(
    client: Any, run: Any, evaluation: Any, figures: Mapping[str, Any]
) -> None:
    """Log the table at inspection rates, and the pictures."""
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
            client.log_figure(run_id, getattr(figure, "figure_", figure), _png(name))


def _log_inputs(client: Any, run: Any, data: Mapping[str, Any]) -> None:
    """Log the digests of the data, without a row of it."""
    entities = mlflow_module().entities
    inputs = [
        entities.DatasetInput(
            entities.Dataset(
                name=about["name"],
                digest=about["digest"],
                source_type="code",
                source='{"tags": {}}',
                schema=json.dumps({"mlflow_colspec": about["columns"]}),
                profile=json.dumps({"num_rows": about["n"]}),
            ),
            [entities.InputTag("mlflow.data.context", context)],
        )
        for context, about in data.items()
    ]
    if inputs:
        client.log_inputs(run.info.run_id, inputs)


def _log_model(client: Any, run: Any, engine: RiskEngine, folder: Path) -> str:
    """Log the engine as a model made of code and its folder; return the model's id."""
    mlflow = mlflow_module()
    info = run.info
    model = client.create_logged_model(
        info.experiment_id,
        name=MODEL,
        source_run_id=info.run_id,
        tags={VERSION_TAG: engine.version_, "smartrisk.version": __version__},
        params={"n_trees": str(engine.describe().get("n_trees", ""))},
        model_type="smartrisk",
    )
    model_id = str(model.model_id)
    try:
        local = folder.parent / "model"
        example = engine.input_example()
        mlflow.pyfunc.save_model(
            path=str(local),
            python_model=str(_ENTRY),
            artifacts={"engine": str(folder)},
            # So that a server needs no smartrisk of the right version installed.
            code_paths=[str(_PACKAGE)],
            signature=_signature(example),
            pip_requirements=_requirements(),
            mlflow_model=mlflow.models.Model(
                artifact_path=model.artifact_location,
                model_uuid=model_id,
                run_id=info.run_id,
                model_id=model_id,
            ),
        )
        _write_example(example, local)
        client.log_model_artifacts(model_id, str(local))
    except BaseException:
        client.finalize_logged_model(model_id, "FAILED")
        raise
    client.finalize_logged_model(model_id, "READY")
    output = mlflow.entities.LoggedModelOutput(model_id, step=0)
    client.log_outputs(info.run_id, [output])
    client.set_tag(info.run_id, MODEL_TAG, model_id)
    return model_id


def _log_metrics(
    client: Any,
    run: Any,
    metrics: Mapping[str, float],
    about: tuple[str, Mapping[str, Any]],
) -> None:
    """Log metrics to the run and, with the data they hold for, to its model."""
    model_id, data = about
    judged = data.get("evaluation", {})
    metric = mlflow_module().entities.Metric
    now = int(time.time() * 1000)
    batch = [
        metric(
            name,
            value,
            now,
            0,
            model_id=model_id,
            dataset_name=judged.get("name"),
            dataset_digest=judged.get("digest"),
            run_id=run.info.run_id,
        )
        for name, value in metrics.items()
    ]
    for start in range(0, len(batch), 500):
        client.log_batch(run.info.run_id, metrics=batch[start : start + 500])


def _metrics(evaluation: Any) -> dict[str, float]:
    """Return finite figures under names that MLflow takes."""
    if evaluation is None:
        return {}
    given = evaluation if isinstance(evaluation, Mapping) else None
    if given is None and hasattr(evaluation, "to_dict"):
        given = evaluation.to_dict()
    if not isinstance(given, Mapping):
        raise ArgumentError(
            "tracking.evaluation_result_evaluation_evaluate",
            "log_run: 'evaluation' must be the result of evaluation.evaluate, "
            "or a mapping of names to numbers; got {evaluation_type}.",
            evaluation_type=type(evaluation).__name__,
        )
    kept: dict[str, float] = {}
    for name, value in given.items():
        if not isinstance(value, (int, float, np.integer, np.floating)):
            raise ArgumentError(
                "tracking.metric_number_got",
                "log_run: the metric {name!r} must be a number; got {value!r}.",
                name=str(name),
                value=value,
            )
        if math.isfinite(value):
            kept[_safe_name(name, "_/ ")] = float(value)
    return kept


def _datasets(declarations: Any) -> dict[str, dict[str, Any]]:
    """Return name, digest, size and columns of each data set, by context."""
    if declarations is None:
        return {}
    given = declarations
    if not isinstance(given, Mapping):
        given = {"training": given}
    about = {}
    for context, frame in given.items():
        if not isinstance(frame, pd.DataFrame):
            raise ArgumentError(
                "tracking.declarations_dataframe_mapping_contexts",
                "log_run: 'declarations' must be a DataFrame or a mapping of "
                "contexts to DataFrames; got {frame_type}.",
                frame_type=type(frame).__name__,
            )
        known = [name for name in DECLARATIONS.names if name in frame]
        about[_safe_name(context)] = {
            "name": f"declarations-{_safe_name(context)}",
            "digest": digest_of(frame[known]),
            "n": len(frame),
            "columns": [
                {"name": n, "type": _column_type(n), "required": False} for n in known
            ],
        }
    return about


def _signature(example: pd.DataFrame) -> Any:
    """Name the columns that the engine reads; it checks the values itself."""
    mlflow_module()
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, ParamSchema, ParamSpec, Schema

    wanted = [n for n in DECLARATIONS.names if n in example or n in KEY]
    inputs = [
        ColSpec(
            "string" if DECLARATIONS[name].kind in _TEXTS else AnyType(),
            name,
            required=False,
        )
        for name in wanted
    ]
    outputs = [
        ColSpec(kind, name)
        for name, kind in (
            ("declaration_id", "string"),
            ("item_number", "long"),
            ("risk_score", "double"),
            ("expected_revenue", "double"),
            ("model_version", "string"),
        )
    ]
    asked = [
        ParamSpec("capacity", "double", 0.0),
        ParamSpec("explain", "boolean", False),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema(asked))


def _write_example(example: pd.DataFrame, local: Path) -> None:
    """Put a request that `/invocations` takes beside the model."""
    rows = example[[n for n in DECLARATIONS.names if n in example]].copy()
    rows["lodged_at"] = rows["lodged_at"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    text = json.dumps({"dataframe_records": _jsonable(records)}, indent=1)
    (local / "serving_input_example.json").write_text(text, encoding="utf-8")


def _requirements() -> list[str]:
    """Name what the model needs; left to itself MLflow infers it for ten seconds."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in _PACKAGES]


def _column_type(name: str) -> str:
    kinds = {"number": "double", "integer": "long", "boolean": "boolean"}
    kind = DECLARATIONS[name].kind
    return "datetime" if kind == "datetime" else kinds.get(kind, "string")


def _safe_name(name: Any, more: str = "_") -> str:
    """Return a name of letters, digits and few signs, with no way out of a folder."""
    text = re.sub(rf"[^\w.\-{more}]", "_", str(name), flags=re.ASCII).strip("./ ")
    text = re.sub(r"\.{2,}|/{2,}", "_", text)
    if not text:
        raise ArgumentError(
            "tracking.letter_digit_name",
            "log_run: {name!r} has no letter or digit for a name.",
            name=name,
        )
    return text[:200]


def _pictures(figures: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return pictures and pages by safe names; none that names a party."""
    found = {_safe_name(name): figure for name, figure in (figures or {}).items()}
    private = [name for name, figure in found.items() if _identifies(figure)]
    if private:
        raise ArgumentError(
            "tracking.figures_pages_name_parties",
            "log_run: 'figures' holds {private}, pages that name parties or "
            "items. Keep them out of a tracking server; save them where only "
            "officers read.",
            private=format_values(private),
        )
    return {n: _drawn(figure) for n, figure in found.items()}


def _identifies(figure: Any) -> bool:
    """Return whether a page names parties or items."""
    return bool(getattr(figure, "identities", False))


def _drawn(figure: Any) -> Any:
    """Return a display drawn, anything else as it is."""
    display = hasattr(figure, "plot") and hasattr(figure, "svg")
    return figure.plot() if display and not hasattr(figure, "figure_") else figure


def _png(name: str) -> str:
    return f"figures/{name}" if name.endswith(".png") else f"figures/{name}.png"


def _jsonable(value: Any) -> Any:
    """Return a value of plain types."""
    if isinstance(value, Mapping):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonable(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
