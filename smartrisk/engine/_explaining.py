"""Reasons behind scores from a fitted state: of many items, and of one quickly."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.engine._models import find_contributions
from smartrisk.engine._scoring import add_absent_fields
from smartrisk.engine._state import EngineState
from smartrisk.explanations import Reasons, explain
from smartrisk.schema import OWN_FIELDS


def explain_items(state: EngineState, items: pd.DataFrame, top: int) -> Reasons:
    """Return the reasons behind the scores of validated items."""
    items = add_absent_fields("explain", state, items)
    items.attrs[OWN_FIELDS] = dict(state.own_fields)
    matrix = state.features.transform_matrix(items)
    names = state.features.get_feature_names_out()
    frame = pd.DataFrame(matrix, index=items.index, columns=names)
    found = np.empty((0, matrix.shape[1] + 1)), np.empty(0)
    if len(items):
        found = find_contributions(state.classifier, matrix)
    return _reasons(state, items, frame, found, top)


def explain_item(state: EngineState, values: Mapping[str, Any], top: int) -> Reasons:
    """Return the reasons behind the score of one canonical item."""
    matrix = state.features.transform_one(values)
    found = find_contributions(state.classifier, matrix)
    row = np.array([list(values.values())], dtype=object)
    # Without a type pandas would look for texts in each column, for half a millisecond.
    frame = pd.DataFrame(row, columns=_index_of(tuple(values)), dtype=object)
    frame.attrs[OWN_FIELDS] = dict(state.own_fields)
    return _reasons(state, frame, matrix, found, top)


@functools.lru_cache(maxsize=16)
def _index_of(names: tuple[str, ...]) -> pd.Index:
    """Return names as the columns of a table, made once for the fields of an engine."""
    return pd.Index(names)


def _reasons(
    state: EngineState,
    items: pd.DataFrame,
    matrix: pd.DataFrame | NDArray[np.float32],
    found: tuple[NDArray[np.float64], NDArray[np.float64]],
    top: int,
) -> Reasons:
    """Return the reasons that contributions and probabilities give."""
    contributions, risk = found
    day = state.features.last_day_
    return explain(
        items,
        matrix,
        contributions,
        state.features.feature_info_,
        top=top,
        risk=risk,
        stage=state.stage_name,
        target=state.target,
        until=None if day is None else pd.Timestamp(day),
    )
