"""Training of the models of an engine on the inspected items."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.engine._models import Classifier, Regressor, set_columns
from smartrisk.engine._state import EngineSettings
from smartrisk.errors import ArgumentError, DataQualityWarning
from smartrisk.features import DeclarationFeatures, ItemResults
from smartrisk.items import UInt
from smartrisk.quality import LearningData, judge_plausibility
from smartrisk.schema import RENAMED


@dataclass(frozen=True, kw_only=True, eq=False)
class Models:
    """The two fitted models."""

    classifier: Classifier
    regressor: Regressor


def train_models(
    settings: EngineSettings,
    features: DeclarationFeatures,
    items: pd.DataFrame,
    ids: UInt,
    results: ItemResults,
) -> Models:
    """Fit the models on the inspected items.

    The items are sorted by lodgement and id, so that the order of the tables, which
    decides ties in time, changes no bit of the models.
    """
    moments = items["lodged_at"].to_numpy()[results.rows]
    order = np.lexsort((ids[results.rows], moments))
    inspected = items.iloc[results.rows[order]]
    hits, revenue = results.hits[order], results.revenue[order]
    matrix = features.transform_matrix(inspected)
    days = inspected["lodged_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    classifier = settings.new_classifier()
    set_columns(classifier, features.feature_info_)
    classifier.fit(matrix, hits, time=days)
    hit = hits > 0
    value = declared_values(inspected, features)
    regressor = settings.new_regressor()
    regressor.fit(matrix[hit], revenue[hit], scale=value[hit], time=days[hit])
    return Models(classifier=classifier, regressor=regressor)


def declared_values(
    items: pd.DataFrame, features: DeclarationFeatures
) -> NDArray[np.float64]:
    """Return the customs values of items, 1 where the engine was fitted without any."""
    if "customs_value" not in features.feature_names_in_:
        return np.ones(len(items))
    return items["customs_value"].to_numpy(np.float64)


def declared_value(
    item: Mapping[str, Any], features: DeclarationFeatures
) -> NDArray[np.float64]:
    """Return the customs value of one canonical item as `declared_values` does."""
    if "customs_value" not in features.feature_names_in_:
        return np.ones(1)
    value = item.get("customs_value")
    return np.array([np.nan if value is None else value], np.float64)


def warn_of_doubts(
    items: pd.DataFrame,
    results: ItemResults,
    labels: pd.DataFrame,
    *,
    stacklevel: int,
) -> None:
    """Warn of what makes the items and results doubtful to learn from.

    Raises
    ------
    ArgumentError
        If the results hold one class only.
    """
    column = labels.attrs.get(RENAMED, {}).get("illicit", "illicit")
    if np.ptp(results.hits) == 0:
        raise ArgumentError(
            "engine.one_class_only",
            "RiskEngine.fit: the results hold one class only ({label}) in all "
            "{n_results} rows of the column {column!r}; at least one hit and one "
            "inspection without a hit are needed. Check that it is the column of "
            "results, and that its words for hits are read.",
            label=int(results.hits[0]),
            n_results=len(results),
            column=column,
        )
    data = LearningData(
        items=items,
        rows=results.rows,
        hits=results.hits,
        known=results.known,
        recorded="known_at" in labels,
        outcomes=labels,
        label_column=column,
    )
    doubts = judge_plausibility(data).doubts("warning")
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
