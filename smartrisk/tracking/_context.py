"""Who logs a run, from what, and on which code: the tags that MLflow's pages show."""

from __future__ import annotations

import os
import sys
from typing import Any

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.items import ANY_HIT
from smartrisk.tracking._store import import_mlflow

#: Tag of MLflow that holds the description of a run, in Markdown.
NOTE_TAG = "mlflow.note.content"
#: Tag that states what the scores of the engine rest on.
STAGE_TAG = "smartrisk.stage"


def context_tags() -> dict[str, str]:
    """Return user, source and commit, under the tags that MLflow's own runs carry."""
    import_mlflow()
    from mlflow.tracking.context.git_context import GitRunContext
    from mlflow.tracking.context.registry import resolve_tags

    # MLflow reads the commit once per process; a notebook lives for days.
    tags: dict[str, str] = dict(resolve_tags(ignore=[GitRunContext]))
    return tags | _commit_tags()


def _commit_tags() -> dict[str, str]:
    """Return commit and branch of the program, else of the working directory."""
    from mlflow.utils import git_utils
    from mlflow.utils.mlflow_tags import MLFLOW_GIT_BRANCH, MLFLOW_GIT_COMMIT

    program = sys.argv[0] if sys.argv and os.path.isfile(sys.argv[0]) else None
    for place in filter(None, (program, os.getcwd())):
        commit = git_utils.get_git_commit(place)
        if commit is not None:
            branch = git_utils.get_git_branch(place)
            found = {MLFLOW_GIT_COMMIT: commit, MLFLOW_GIT_BRANCH: branch}
            return {name: value for name, value in found.items() if value}
    return {}


def describe_engine(engine: RiskEngine) -> str:
    """Return what a run is about, for those who find it a year later."""
    about: dict[str, Any] = engine.describe()
    models = [type(model).__name__ for model in (engine.classifier_, engine.regressor_)]
    until = engine.history_until
    parts = [
        f"Engine `{engine.version_}` of smartrisk {__version__}: "
        f"{' and '.join(models)}, {len(engine.features_.feature_names_in_)} fields"
        + (f", {about['n_trees']} trees" if about.get("n_trees") else "")
        + "."
    ]
    if engine.target_ != ANY_HIT:
        parts.append(f"It looks for {engine.target_} only.")
    if engine.stage_report_ is not None:
        parts.append(str(engine.stage_report_.message()))
    if until is not None:
        parts.append(f"Its history reaches to {until.date()}.")
    return " ".join(parts)
