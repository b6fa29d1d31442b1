"""The engine as a model that MLflow can serve and register."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.schema import DECLARATIONS, KEY
from smartrisk.tracking._contents import to_jsonable
from smartrisk.tracking._store import import_mlflow

#: Name of the model in a run.
MODEL = "risk-engine"
#: Tags by which `load` finds the model and checks that it is the one that was logged.
VERSION_TAG = "smartrisk.engine_version"
MODEL_TAG = "smartrisk.model_id"

_PACKAGE = Path(__file__).resolve().parents[1]
_ENTRY = _PACKAGE / "_mlflow_entry.py"
#: What a served engine imports.
_PACKAGES = (
    "mlflow",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "pyarrow",
)
#: Kinds of fields whose values are texts to MLflow.
_TEXTS = ("text", "code")


def log_model(client: Any, run: Any, engine: RiskEngine, folder: Path) -> str:
    """Log the engine as a model of code and its folder; return the id of the model."""
    mlflow = import_mlflow()
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


def create_version(client: Any, name: str, run_id: str | None, model_id: str) -> str:
    """Create a version of a registered model; return its number."""
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
        # Without a server MLflow resolves 'models:/' in its global store, not this one.
        source = client.get_logged_model(model_id).artifact_location
    version = client.create_model_version(
        name, source, run_id=run_id, tags={MODEL_TAG: model_id}, model_id=model_id
    )
    return str(version.version)


def _signature(example: pd.DataFrame) -> Any:
    """Return the columns that the engine reads; it checks the values itself."""
    import_mlflow()
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
    params = [
        ParamSpec("capacity", "double", 0.0),
        ParamSpec("explain", "boolean", False),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema(params))


def _write_example(example: pd.DataFrame, local: Path) -> None:
    """Write a request that `/invocations` accepts next to the model."""
    rows = example[[n for n in DECLARATIONS.names if n in example]].copy()
    rows["lodged_at"] = rows["lodged_at"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    text = json.dumps({"dataframe_records": to_jsonable(records)}, indent=1)
    (local / "serving_input_example.json").write_text(text, encoding="utf-8")


def _requirements() -> list[str]:
    """Return what the model needs; without it MLflow takes ten seconds to infer it."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in _PACKAGES]
