"""The engine as a model that MLflow can serve and register."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.schema import DECLARATIONS, KEY, OWN_FIELDS, SCORES
from smartrisk.tracking._archive import write_code
from smartrisk.tracking._contents import to_jsonable
from smartrisk.tracking._store import import_mlflow

#: Name of the model in a run.
MODEL = "risk-engine"
#: Tags by which `load` finds the model and checks that it is the one that was logged.
VERSION_TAG = "smartrisk.engine_version"
MODEL_TAG = "smartrisk.model_id"

_ENTRY = Path(__file__).resolve().parents[1] / "_mlflow_entry.py"
#: What a served engine imports, besides MLflow.
_PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "pyarrow",
    "joblib",
    "threadpoolctl",
)
#: The example, where MLflow looks for it, and how it is written.
_EXAMPLE = {
    "artifact_path": "input_example.json",
    "serving_input_path": "serving_input_example.json",
    "type": "dataframe",
    "pandas_orient": "split",
}

#: Types of MLflow by the kind of a field; all others are texts in an answer.
_KINDS = {"integer": "long", "number": "double"}
#: Columns that every answer has.
_ALWAYS = frozenset(
    {
        "declaration_id",
        "item_number",
        "risk_score",
        "expected_revenue",
        "model_version",
        "scored_at",
    }
)


def log_model(
    client: Any,
    run: Any,
    engine: RiskEngine,
    folder: Path,
    tags: Mapping[str, str],
) -> str:
    """Log the engine as a model of code and its folder; return the id of the model."""
    mlflow = import_mlflow()
    info = run.info
    model = client.create_logged_model(
        info.experiment_id,
        name=MODEL,
        source_run_id=info.run_id,
        tags=dict(tags),
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
            code_paths=[str(write_code(folder.parent))],
            signature=_signature(example),
            pip_requirements=_requirements(engine),
            mlflow_model=mlflow.models.Model(
                artifact_path=model.artifact_location,
                model_uuid=model_id,
                run_id=info.run_id,
                model_id=model_id,
                # MLflow writes an example that it is given only after predicting it,
                # which takes seconds.
                saved_input_example_info=dict(_EXAMPLE),
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


def create_version(client: Any, name: str, run_id: str | None, model_id: str) -> str:
    """Create a version of a registered model; return its number."""
    # No search: MLflow's filters take no name with a quote.
    try:
        client.create_registered_model(name)
    except Exception as error:
        if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"models:/{model_id}"
    if not str(client.tracking_uri).startswith("http"):
        # Without a server MLflow resolves 'models:/' in its global store, not this one.
        source = client.get_logged_model(model_id).artifact_location
    version = client.create_model_version(
        name, source, run_id=run_id, tags={MODEL_TAG: model_id}, model_id=model_id
    )
    return str(version.version)


def list_versions(client: Any, name: str) -> list[Any]:
    """Return the versions of a registered model in their order; none without one."""
    # MLflow's filters know no escape: a name with both quotes is looked for here.
    quote = next((sign for sign in "'\"" if sign not in name), None)
    wanted = None if quote is None else f"name = {quote}{name}{quote}"
    found, token = [], None
    while True:
        page = client.search_model_versions(wanted, page_token=token)
        found += [version for version in page if version.name == name]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version))


def _signature(example: pd.DataFrame) -> Any:
    """Return the columns that the engine reads and answers with.

    It checks the values that it reads itself. Bounds and ``stage`` are in an answer
    where the engine has them; moments are texts, as JSON has no type for them.
    """
    import_mlflow()
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, ParamSchema, ParamSpec, Schema

    wanted = [n for n in DECLARATIONS.names if n in example or n in KEY]
    wanted += _own_columns(example)
    inputs = [ColSpec(AnyType(), name, required=False) for name in wanted]
    outputs = [
        ColSpec(_KINDS.get(field.kind, "string"), field.name, field.name in _ALWAYS)
        for field in SCORES.fields
    ]
    params = [
        ParamSpec("capacity", "double", 0.0),
        ParamSpec("explain", "boolean", False),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema(params))


def _own_columns(example: pd.DataFrame) -> list[str]:
    """Return the columns of an example that the administration adds."""
    own = example.attrs.get(OWN_FIELDS, {})
    return [name for name in own if name in example]


def _write_example(example: pd.DataFrame, local: Path) -> None:
    """Write the example, and as a request that `/invocations` accepts."""
    known = [n for n in DECLARATIONS.names if n in example]
    rows = example[[*known, *_own_columns(example)]].copy()
    rows["lodged_at"] = rows["lodged_at"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    rows = rows.astype(object).where(rows.notna(), None)
    split = to_jsonable({"columns": list(rows), "data": rows.to_numpy().tolist()})
    for key, content in (
        ("artifact_path", split),
        ("serving_input_path", {"dataframe_split": split}),
    ):
        text = json.dumps(content, indent=1)
        (local / _EXAMPLE[key]).write_text(text, encoding="utf-8")


def _requirements(engine: RiskEngine) -> list[str]:
    """Return what the model needs; without it MLflow takes ten seconds to infer it."""
    mlflow = "mlflow" if light_version() is None else "mlflow-skinny"
    names = {mlflow, *_PACKAGES, *_packages_of(engine)}
    return [f"{name}=={importlib.metadata.version(name)}" for name in sorted(names)]


def light_version() -> str | None:
    """Return the version of the light MLflow; None where it is whole, or absent."""
    try:
        importlib.metadata.version("mlflow")
    except importlib.metadata.PackageNotFoundError:
        with suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version("mlflow-skinny")
    return None


def _packages_of(engine: RiskEngine) -> set[str]:
    """Return the installed packages of models that are not LightGBM's."""
    known = importlib.metadata.packages_distributions()
    names: set[str] = set()
    for model in (engine.classifier_, engine.regressor_):
        estimator = getattr(model, "estimator", None)
        if estimator is not None:
            module = type(estimator).__module__.partition(".")[0]
            names |= {"skops", *known.get(module, ())}
    return names
