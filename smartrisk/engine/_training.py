"""Training of the models of an engine on the inspected items, or on items alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import has_fit_parameter

from smartrisk.engine._control_kinds import judge_kinds
from smartrisk.engine._models import (
    Classifier,
    Regressor,
    name_model,
    set_columns,
    signals_weight,
    takes_signals,
)
from smartrisk.engine._stages import StageReport, are_both_there
from smartrisk.engine._stakes import Stakes
from smartrisk.engine._state import EngineSettings
from smartrisk.errors import DataQualityWarning
from smartrisk.features import DeclarationFeatures, ItemResults
from smartrisk.items import UInt
from smartrisk.memory import return_free_memory
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.quality import LearningData, judge_items, judge_plausibility
from smartrisk.schema import RENAMED

#: Latest items from which the signals learn what is usual: their medians are exact to
#: a hundredth of a spread, and prices of long ago would be those of another market.
SIGNAL_ITEMS = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Models:
    """The two fitted models, what is at stake, and what their scores rest on."""

    classifier: Classifier
    regressor: Regressor
    stakes: Stakes
    stage: StageReport


def train_models(
    settings: EngineSettings,
    features: DeclarationFeatures,
    items: pd.DataFrame,
    ids: UInt,
    results: ItemResults,
    labels: pd.DataFrame,
    *,
    n_items: int | None = None,
    folder: Path | None = None,
) -> Models:
    """Fit the models on the inspected items, and the signals on the latest items.

    The items are sorted by lodgement and id, so that the order of the tables, which
    decides ties in time, changes no bit of the models. `labels` holds OUTCOMES of the
    results, in their order. A model of the caller that cannot learn from these results
    is replaced with a warning. `n_items` counts those of the history where `items` are
    the inspected and the latest ones of them only: the models are the same. `folder` is
    where a file with the matrix of the features is made; None for a matrix in memory.
    """
    n_items = len(items) if n_items is None else n_items
    kinds = judge_kinds(labels, results.hits)
    classifier = _choose_classifier(settings, results)
    set_columns(classifier, features.feature_info_, target=settings.target)
    rows = np.lexsort((ids, items["lodged_at"].to_numpy()))
    used = np.zeros(len(items), bool)
    used[results.rows] = True
    if takes_signals(classifier):
        used[rows[-SIGNAL_ITEMS:]] = True
    rows = rows[used[rows]]
    chosen = items.iloc[rows]
    hits, revenue = (np.full(len(items), np.nan) for _ in range(2))
    hits[results.rows], revenue[results.rows] = results.hits, results.revenue
    hits, revenue = hits[rows], revenue[rows]
    return_free_memory()  # of what the history was learned with
    matrix = features.transform_matrix(chosen, folder=folder)
    return_free_memory()  # of the look-ups
    days = chosen["lodged_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    options: dict[str, Any] = {}
    if not isinstance(classifier, RiskClassifier):
        kinds = kinds.in_full()  # not every other classifier takes weights
    elif kinds.weights is not None:
        weights = np.ones(len(items))
        weights[results.rows] = kinds.weights
        options["sample_weight"] = weights[rows]
    if has_fit_parameter(classifier, "inspected_share"):
        options["inspected_share"] = len(results) / n_items
    classifier.fit(matrix, hits, time=days, **options)
    hit = hits > 0
    stakes = Stakes.learn(chosen)
    regressor = settings.new_regressor()
    if hit.any():
        fiscal = np.ones(len(items), bool)
        if results.fiscal is not None:
            fiscal[results.rows] = results.fiscal
        regressor.fit(
            matrix[hit],
            revenue[hit],
            scale=stakes.of_items(chosen[hit], features),
            time=days[hit],
            fiscal=fiscal[rows][hit],
        )
    else:
        regressor = _assume_revenue(settings, results, matrix.shape[1])
    stage = StageReport(
        n_items=n_items,
        n_results=len(results),
        n_hits=int((results.hits > 0).sum()),
        signals_weight=signals_weight(classifier),
        n_documentary=kinds.n_documentary,
        n_kind_known=kinds.n_kind_known,
        documentary_weight=kinds.documentary_weight,
    )
    return Models(
        classifier=classifier, regressor=regressor, stakes=stakes, stage=stage
    )


def _choose_classifier(settings: EngineSettings, results: ItemResults) -> Classifier:
    """Return an unfitted classifier that can learn from these results."""
    given = settings.new_classifier()
    if are_both_there(results.hits) or takes_signals(given):
        return given
    used = replace(settings, classifier=None).new_classifier()
    _warn_of_other_model("classifier", given, used, results)
    return used


def _assume_revenue(
    settings: EngineSettings, results: ItemResults, n_features: int
) -> Regressor:
    """Return a model of revenue without any hit: all that is at stake is recovered."""
    given = used = settings.new_regressor()
    if not isinstance(given, RevenueRegressor):
        used = replace(settings, regressor=None).new_regressor()
        _warn_of_other_model("regressor", given, used, results)
    return used.restore(None, {"mean": 1.0, "n_features": n_features})


def _warn_of_other_model(
    part: str,
    given: Classifier | Regressor,
    used: Classifier | Regressor,
    results: ItemResults,
) -> None:
    """Warn that a model of the caller cannot learn, and name what is used instead."""
    n_hits = int((results.hits > 0).sum())
    warnings.warn(
        DataQualityWarning(
            "engine.other_model_used",
            "RiskEngine.fit: from {n_hits} hits and {n_misses} other results, {given} "
            "can learn nothing; {used} is the {part} instead. Check the labels, or fit "
            "again when there are results of both kinds.",
            n_hits=n_hits,
            n_misses=len(results) - n_hits,
            given=name_model(given),
            used=name_model(used),
            part=part,
        ),
        stacklevel=5,
    )


def warn_of_doubts(
    items: pd.DataFrame,
    results: ItemResults,
    labels: pd.DataFrame,
    *,
    stacklevel: int,
) -> None:
    """Warn of what makes the items and results doubtful to learn from."""
    column = labels.attrs.get(RENAMED, {}).get("illicit", "illicit")
    data = LearningData(
        items=items,
        rows=results.rows,
        hits=results.hits,
        known=results.known,
        recorded="known_at" in labels,
        outcomes=labels,
        label_column=column,
    )
    judge = judge_plausibility(data) if len(results) else judge_items(items)
    doubts = judge.doubts("warning")
    if not doubts:
        return
    warnings.warn(
        DataQualityWarning(
            "engine.doubtful_data",
            "RiskEngine.fit: {doubts}",
            doubts=" ".join(f"{doubt.message} {doubt.remedy}" for doubt in doubts),
        ),
        stacklevel=stacklevel,
    )
