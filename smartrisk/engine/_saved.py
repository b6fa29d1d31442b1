"""What an engine is in a folder: text, JSON and tables, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smartrisk import __version__
from smartrisk.errors import ArtefactError
from smartrisk.features import from_tables, to_tables
from smartrisk.models import RevenueRegressor, RiskClassifier

if TYPE_CHECKING:
    from smartrisk.engine._engine import RiskEngine


def written(engine: RiskEngine) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the texts and tables of a fitted engine."""
    learned, tables = to_tables(engine.features_)
    state = {
        "smartrisk": __version__,
        "version": engine.version_,
        "label_delay": engine.label_delay,
        "n_jobs": engine.n_jobs,
        "random_state": engine.random_state,
        "features": learned,
        "classifier": engine.classifier_.fitted_state(),
        "classifier_params": engine.classifier_.get_params(),
        "regressor": engine.regressor_.fitted_state(),
        "regressor_params": engine.regressor_.get_params(),
    }
    texts = {
        "engine.json": json.dumps(state, indent=1),
        "risk.txt": engine.classifier_.booster_.model_to_string(num_iteration=-1),
    }
    if engine.regressor_.booster_ is not None:
        texts["revenue.txt"] = engine.regressor_.booster_.model_to_string()
    tables["seen.items"] = {"id": engine.seen_items_}
    tables["seen.results"] = {"id": engine.seen_results_}
    return texts, tables


def take_up(
    cls: type[RiskEngine], texts: Any, tables: Any, *, folder: Any
) -> RiskEngine:
    """Return the engine that `written` described."""
    try:
        state = json.loads(texts["engine.json"])
        engine = cls(
            label_delay=state["label_delay"],
            n_jobs=state["n_jobs"],
            random_state=state["random_state"],
        )
        engine.seen_items_ = tables.pop("seen.items")["id"]
        engine.seen_results_ = tables.pop("seen.results")["id"]
        engine.features_ = from_tables(state["features"], tables)
        engine.classifier_ = RiskClassifier(
            **_tuples(state["classifier_params"])
        ).restore(texts["risk.txt"], state["classifier"])
        engine.regressor_ = RevenueRegressor(
            **_tuples(state["regressor_params"])
        ).restore(texts.get("revenue.txt"), state["regressor"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            "engine.intact_but_was_written",
            "RiskEngine.load: {folder!r} is intact but was written by another "
            "version ({error!r}). Load it with that version.",
            folder=str(folder),
            error=error,
        ) from error
    engine._set_version()
    return engine


def _tuples(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with lists as tuples again."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in params.items()}
