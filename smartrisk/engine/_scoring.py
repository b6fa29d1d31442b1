"""Scores of items from a fitted state: of many at once, and of one quickly."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import numpy as np
import pandas as pd

from smartrisk.clock import Clock, read_clock
from smartrisk.engine._models import predict_interval
from smartrisk.engine._stakes import (
    scale_of_item,
    scale_of_items,
    warn_of_likely_values,
)
from smartrisk.engine._state import EngineState
from smartrisk.errors import DataQualityWarning, format_values
from smartrisk.items import item_ids, mark_learned
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import DECLARATIONS, KEY, STAGES, TIME_ZONE, Field

_log = logging.getLogger("smartrisk")

#: Items whose features are in memory at once: 250 features of 100,000 take 100 MB.
_CHUNK = 100_000


class ItemScore(TypedDict):
    """The score of one item, as `RiskEngine.score_one` returns it."""

    risk_score: float
    expected_revenue: float
    score_lower: NotRequired[float]
    score_upper: NotRequired[float]
    model_version: str
    stage: NotRequired[str]


def add_absent_fields(
    method: str, state: EngineState, items: pd.DataFrame
) -> pd.DataFrame:
    """Return items with a column for each optional field that only fit had.

    One item may leave a field out, and so may a table: its values are missing. A column
    that a feature uses is named in a warning, since a table rarely means to lose it.
    """
    names = [str(name) for name in state.features.feature_names_in_]
    absent = [n for n in names if n not in items and not n.startswith("dq_")]
    if not absent:
        return items
    used = [name for name in absent if name in state.features.deciding_fields()]
    if used:
        warnings.warn(
            DataQualityWarning(
                "engine.columns_absent",
                "RiskEngine.{method}: the scores use {columns}, which the DECLARATIONS "
                "of fit had and these do not have; every value counts as missing.",
                method=method,
                columns=format_values(used),
            ),
            stacklevel=4,
        )
    empty = {name: _no_values(state, name, items.index) for name in absent}
    return items.assign(**empty)


def _no_values(state: EngineState, name: str, index: pd.Index) -> pd.Series:
    """Return a column of a field without any value."""
    kind = state.own_fields.get(name)
    field = DECLARATIONS[name] if kind is None else Field(name, kind, "own", "")
    value = pd.NA if field.kind == "boolean" else None
    return pd.Series(value, index=index, dtype=field.dtype)


def score_items(
    state: EngineState, items: pd.DataFrame, clock: Clock = None
) -> pd.DataFrame:
    """Return SCORES of validated items, part by part."""
    scored = read_clock("RiskEngine.score", clock, items.attrs.get(TIME_ZONE))
    if state.stakes is not None:
        warn_of_likely_values("RiskEngine.score", items, state.features, stacklevel=3)
    items = add_absent_fields("score", state, items)
    risk, lower, upper = np.empty((3, len(items)))
    revenue = np.empty(len(items))
    for start in range(0, len(items), _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = items.iloc[part]
        matrix = state.features.transform_matrix(rows)
        risk[part], lower[part], upper[part] = predict_interval(
            state.classifier, matrix
        )
        scale = scale_of_items(state.stakes, rows, state.features)
        revenue[part] = state.regressor.predict(matrix, scale=scale, checked=True)
    scores = items.loc[:, [k for k in KEY if k in items]].copy()
    scores["risk_score"] = risk
    scores["expected_revenue"] = risk * revenue
    scores["score_lower"], scores["score_upper"] = lower, upper
    scores["model_version"] = state.version
    scores["scored_at"] = pd.Series(scored, items.index, dtype="datetime64[us]")
    if state.stage_name != STAGES[-1]:
        scores["stage"] = state.stage_name
    if SOURCE_ROW in items:
        scores[SOURCE_ROW] = items[SOURCE_ROW]
    ids = item_ids(items)
    mark_learned(scores, ids[state.has_learned(ids)])
    _log.debug("RiskEngine.score: %d items, version %s", len(items), state.version)
    return scores


def score_item(state: EngineState, values: Mapping[str, Any]) -> ItemScore:
    """Return the score of one canonical item, bit-identical to its score in a batch."""
    matrix = state.features.transform_one(values)
    risk, lower, upper = (
        float(part[0]) for part in predict_interval(state.classifier, matrix)
    )
    scale = scale_of_item(state.stakes, values, state.features)
    given_hit = state.regressor.predict(matrix, scale=scale, checked=True)
    score: ItemScore = {
        "risk_score": risk,
        "expected_revenue": risk * float(given_hit[0]),
        "model_version": state.version,
    }
    if not math.isnan(lower):
        score["score_lower"], score["score_upper"] = lower, upper
    if state.stage_name != STAGES[-1]:
        score["stage"] = state.stage_name
    return score
