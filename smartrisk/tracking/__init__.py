"""An engine and its evaluation as an MLflow run, and back.

Reads a fitted engine and results; writes a run, a logged model that MLflow can serve,
and, when asked, a registered version. The engine is stored as its folder of text, JSON
and Parquet with checksums: nothing is pickled, and loading runs no code of the store.

Without an address the store is a SQLite file, ``smartrisk-mlruns/mlflow.db``, in the
working directory. ``MLFLOW_TRACKING_URI``, ``mlflow.set_tracking_uri`` or
``tracking_uri=`` name another. MLflow's telemetry is switched off before it is loaded.
"""

from smartrisk.tracking._extra_metrics import extra_metrics
from smartrisk.tracking._gate import Gate
from smartrisk.tracking._load import load, promote
from smartrisk.tracking._logged import WORLD_TAG, LoggedRun, read_run
from smartrisk.tracking._registration import Champions, Registration
from smartrisk.tracking._registry import champions, register, rollback
from smartrisk.tracking._run import Run, log_run
from smartrisk.tracking._sweep import sweep

__all__ = [
    "WORLD_TAG",
    "Champions",
    "Gate",
    "LoggedRun",
    "Registration",
    "Run",
    "champions",
    "extra_metrics",
    "load",
    "log_run",
    "promote",
    "read_run",
    "register",
    "rollback",
    "sweep",
]
