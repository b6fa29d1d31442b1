"""Log an engine and its evaluation as an MLflow run; load it back; promote it.

Reads an engine and results; writes an MLflow run. Works without a server: a SQLite
store in the folder ``smartrisk-mlruns`` unless MLFLOW_TRACKING_URI or an argument
says otherwise. MLflow's telemetry is switched off.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, TrackingError

__all__ = ["Run", "data_digest", "load", "log_run", "promote"]

_QUIET = (
    "mlflow.store.db.utils",
    "alembic",
    "mlflow.tracking.fluent",
    "mlflow.store.model_registry",
)
_LIMITS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,127}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a run stands.

    Parameters
    ----------
    run_id : str
        MLflow's identifier of the run.
    model_uri : str
        Address of the logged model.
    tracking_uri : str
        Address of the store.
    experiment : str
        Name of the experiment.

    Examples
    --------
    >>> from smartrisk.tracking import Run
    >>> run = Run(run_id="1", model_uri="models:/m-1", tracking_uri="sqlite:///x.db",
    ...           experiment="smartrisk")
    >>> print(run)
    run 1 in experiment 'smartrisk' at sqlite:///x.db
    """

    run_id: str
    model_uri: str
    tracking_uri: str
    experiment: str

    def __str__(self) -> str:
        """Say where the run stands."""
        where = f"experiment {self.experiment!r} at {self.tracking_uri}"
        return f"run {self.run_id} in {where}"


def log_run(
    engine: RiskEngine,
    *,
    evaluation: Any = None,
    declarations: pd.DataFrame | None = None,
    figures: Mapping[str, Any] | None = None,
    experiment: str = "smartrisk",
    tracking_uri: str | None = None,
    registered_model_name: str | None = None,
) -> Run:
    """Log a fitted engine as a run with parameters, metrics, figures and model.

    Parameters
    ----------
    engine : RiskEngine
        Fitted.
    evaluation : Evaluation or mapping of str to float, default=None
        Figures to log; anything with ``to_dict()``.
    declarations : DataFrame, default=None
        The data set judged on: its digest and shape are logged, never its rows.
    figures : mapping of str to figure or path, default=None
        Pictures to keep with the run.
    experiment : str, default="smartrisk"
        Name of the experiment.
    tracking_uri : str, default=None
        Store or server; None for MLFLOW_TRACKING_URI, else a local SQLite store.
    registered_model_name : str, default=None
        Name to register the model under; None to leave it unregistered.

    Returns
    -------
    run : Run
        Where the run stands; `load` takes it.

    Raises
    ------
    TrackingError
        If the store does not answer within seconds. The engine is unharmed: save it,
        and log it later.

    Notes
    -----
    A run of the caller that is active is used and left open. The model holds the
    engine's folder (text, JSON, Parquet) and code that loads it; nothing is pickled,
    and no row or identity of the data is logged.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> store = f"sqlite:///{tempfile.mkdtemp()}/mlflow.db"
    >>> run = sr.tracking.log_run(engine, tracking_uri=store)  # doctest: +SKIP
    >>> sr.tracking.load(run).version_ == engine.version_  # doctest: +SKIP
    True
    """
    for name in (experiment, registered_model_name):
        if name is not None and not _NAME.fullmatch(name):
            raise ArgumentError(
                "log_run: names may hold letters, digits, blanks and . _ - only, at "
                f"most 128; got {name!r}."
            )
    with _session(tracking_uri, experiment) as (mlflow, uri):
        active = mlflow.active_run()
        run = active or mlflow.start_run(run_name=f"engine {engine.version_}")
        status = "FAILED"
        try:
            model_uri = _log(
                mlflow, engine, evaluation, declarations, figures, registered_model_name
            )
            status = "FINISHED"
        finally:
            if active is None:
                mlflow.end_run(status)
        return Run(
            run_id=run.info.run_id,
            model_uri=model_uri,
            tracking_uri=uri,
            experiment=experiment,
        )


def load(run: Run | str, *, tracking_uri: str | None = None) -> RiskEngine:
    """Load the engine that a run logged.

    Parameters
    ----------
    run : Run or str
        A `Run`, a run's identifier, or a ``models:/`` address.
    tracking_uri : str, default=None
        Store or server; None for the run's own or the default.

    Returns
    -------
    engine : RiskEngine
        Scores alike, bit by bit. Its folder is checked before it is read; no code
        of the artefact runs.

    Examples
    --------
    >>> from smartrisk.tracking import load
    >>> engine = load("models:/customs-risk@champion")  # doctest: +SKIP
    """
    uri = tracking_uri or (run.tracking_uri if isinstance(run, Run) else None)
    with _session(uri, None) as (mlflow, _), tempfile.TemporaryDirectory() as folder:
        address = run.model_uri if isinstance(run, Run) else str(run)
        if not address.startswith(("models:", "runs:")):
            address = _model_of(mlflow, address)
        place = mlflow.artifacts.download_artifacts(address, dst_path=folder)
        return RiskEngine.load(_engine_folder(Path(place)))


def promote(
    name: str, alias: str, model_version: str | int, *, tracking_uri: str | None = None
) -> None:
    """Let an alias such as "champion" point to a registered version.

    Parameters
    ----------
    name : str
        Registered model.
    alias : str
        Name of the pointer.
    model_version : str or int
        Version that it shall point to.
    tracking_uri : str, default=None
        Store or server; None for the default.

    Examples
    --------
    >>> from smartrisk.tracking import promote
    >>> promote("customs-risk", "champion", 3)  # doctest: +SKIP
    """
    with _session(tracking_uri, None) as (mlflow, _):
        client = mlflow.MlflowClient()
        client.set_registered_model_alias(name, alias, str(model_version))


def _log(
    mlflow: Any,
    engine: RiskEngine,
    evaluation: Any,
    declarations: pd.DataFrame | None,
    figures: Mapping[str, Any] | None,
    registered: str | None,
) -> str:
    """Log everything into the active run; return the model's address."""
    described = engine.describe()
    mlflow.log_dict(described, "parameters.json")
    mlflow.log_params({k: str(v)[:500] for k, v in described.items()})
    mlflow.set_tags(
        {
            "smartrisk.version": version("smartrisk"),
            "smartrisk.model_version": engine.version_,
        }
    )
    for name, figure in (figures or {}).items():
        _log_figure(mlflow, name, figure)
    info = _log_model(mlflow, engine, registered)
    metrics = evaluation.to_dict() if hasattr(evaluation, "to_dict") else evaluation
    if metrics:
        mlflow.log_metrics(dict(metrics))
        mlflow.log_metrics(dict(metrics), model_id=info.model_id)
    if hasattr(evaluation, "frame"):
        mlflow.log_text(evaluation.frame().to_csv(index=False), "evaluation.csv")
    if declarations is not None:
        mlflow.set_tags(
            {
                "smartrisk.data_digest": data_digest(declarations),
                "smartrisk.data_items": str(len(declarations)),
            }
        )
    return str(info.model_uri)


def _log_figure(mlflow: Any, name: str, figure: Any) -> None:
    if isinstance(figure, (str, os.PathLike)):
        mlflow.log_artifact(str(figure), "figures")
        return
    mlflow.log_figure(getattr(figure, "figure_", figure), f"figures/{name}.png")


def _log_model(mlflow: Any, engine: RiskEngine, registered: str | None) -> Any:
    """Log the engine's folder as a model from code."""
    example = engine.input_example()
    sample = _plain_types(example)
    signature = _signature(mlflow, sample, engine.score(example))
    package = Path(__file__).parent
    wanted = ("numpy", "pandas", "scikit-learn", "lightgbm", "mlflow", "pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        place = engine.save(Path(folder) / "engine")
        return mlflow.pyfunc.log_model(
            name="engine",
            python_model=str(package / "_mlflow_entry.py"),
            artifacts={"engine": str(place)},
            code_paths=[str(package)],
            signature=signature,
            input_example=sample,
            pip_requirements=[f"{name}=={version(name)}" for name in wanted],
            registered_model_name=registered,
        )


def _plain_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with types that a signature keeps: text, double, datetime."""
    out = pd.DataFrame(index=frame.index)
    for name in frame:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            out[name] = column.astype("datetime64[ns]")
        elif pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(
            column.dtype
        ):
            out[name] = column.astype("float64")
        else:
            out[name] = column.astype(object)
    return out[[c for c in out if not str(c).startswith("dq_")]]


def _signature(mlflow: Any, sample: pd.DataFrame, scores: pd.DataFrame) -> Any:
    """Return a signature in which every column is optional but the required ones."""
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import ColSpec, DataType, Schema

    kinds = {"f": DataType.double, "M": DataType.datetime}
    columns = [
        ColSpec(kinds.get(sample[n].dtype.kind, DataType.string), n, required=False)
        for n in sample
    ]
    numbers = scores.assign(item_number=scores["item_number"].astype("float64"))
    out = infer_signature(
        numbers, params={"capacity": 0.0, "explain": False}, model_output=None
    )
    return ModelSignature(inputs=Schema(columns), params=out.params)


def _engine_folder(place: Path) -> Path:
    """Find the engine's folder within downloaded artefacts."""
    found = sorted(place.rglob("manifest.json"))
    if not found:
        raise TrackingError(f"load: no engine among the artefacts of {place.name!r}.")
    return found[0].parent


def _model_of(mlflow: Any, run_id: str) -> str:
    """Return the address of the model that a run logged."""
    run = mlflow.get_run(run_id)
    outputs = getattr(getattr(run, "outputs", None), "model_outputs", None) or []
    if not outputs:
        raise TrackingError(f"load: run {run_id!r} has no logged model.")
    return f"models:/{outputs[0].model_id}"


def data_digest(frame: pd.DataFrame) -> str:
    """Return a digest of a frame's content, the same on every machine.

    Parameters
    ----------
    frame : DataFrame
        Any frame.

    Returns
    -------
    digest : str
        Sixteen hexadecimal digits; the order of rows counts.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.tracking import data_digest
    >>> len(data_digest(pd.DataFrame({"a": [1, 2]})))
    16
    """
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    names = ",".join(map(str, frame.columns)).encode()
    return hashlib.sha256(names + rows.tobytes()).hexdigest()[:16]


@contextmanager
def _session(tracking_uri: str | None, experiment: str | None) -> Iterator[Any]:
    """Open MLflow on a store: quiet, without telemetry, failing within seconds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    kept = {name: os.environ.get(name) for name in _LIMITS}
    os.environ.update({k: v for k, v in _LIMITS.items() if kept[k] is None})
    import mlflow
    from mlflow.exceptions import MlflowException

    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    before = mlflow.get_tracking_uri()
    uri, place = _store(tracking_uri)
    try:
        if place is not None:
            _initialise(mlflow, uri, place)
        mlflow.set_tracking_uri(uri)
        if experiment is not None and mlflow.active_run() is None:
            _choose_experiment(mlflow, experiment, place)
        yield mlflow, uri
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"tracking: the store {uri!r} refused or did not answer: "
            f"{str(error).splitlines()[0][:200]}. The engine is unharmed; save it with "
            "engine.save(folder) and log it when the store is back."
        ) from error
    finally:
        mlflow.set_tracking_uri(before)
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)


def _store(tracking_uri: str | None) -> tuple[str, Path | None]:
    """Return the address of the store, and its folder when it is a SQLite file."""
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    if uri is None:
        uri = f"sqlite:///{Path('smartrisk-mlruns').resolve() / 'mlflow.db'}"
    if not uri.startswith("sqlite:///"):
        return uri, None
    return uri, Path(uri.removeprefix("sqlite:///")).parent


def _initialise(mlflow: Any, uri: str, place: Path) -> None:
    """Make the tables of a fresh store once, whoever else may be starting."""
    place.mkdir(parents=True, exist_ok=True)
    ready = place / ".smartrisk-ready"
    if ready.exists():
        return
    with _lock(place / ".smartrisk-lock"):
        if not ready.exists():
            mlflow.MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
            ready.touch()


@contextmanager
def _lock(path: Path, patience: float = 120.0) -> Iterator[None]:
    """Hold a lock between processes: whoever makes the folder has it."""
    end = time.monotonic() + patience
    while True:
        try:
            path.mkdir()
            break
        except FileExistsError:
            if time.monotonic() > end:
                raise TrackingError(
                    f"tracking: {str(path)!r} is locked since {patience:.0f} s; remove "
                    "it if no other process is starting the store."
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        path.rmdir()


def _choose_experiment(mlflow: Any, experiment: str, place: Path | None) -> None:
    """Use the experiment; make it with its artefacts beside a local store."""
    from mlflow.exceptions import MlflowException

    if place is not None and mlflow.get_experiment_by_name(experiment) is None:
        try:
            where = (place / "artifacts").resolve().as_uri()
            mlflow.create_experiment(experiment, artifact_location=where)
        except MlflowException:  # another process was faster
            if mlflow.get_experiment_by_name(experiment) is None:
                raise
    mlflow.set_experiment(experiment)
