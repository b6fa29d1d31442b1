"""SCORES of a table of one row without the checks of a table, where none is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.clock import Clock, read_clock
from smartrisk.engine._scoring import ItemScore, score_item
from smartrisk.engine._state import EngineState
from smartrisk.items import item_ids, mark_learned
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import DECLARATIONS, KEY, OWN_FIELDS, STAGES, Field
from smartrisk.validation import UNDECIDED, canonical_value

_FIELDS = {field.name: field for field in DECLARATIONS}


def score_row(
    state: EngineState, declarations: object, clock: Clock
) -> pd.DataFrame | None:
    """Return SCORES of a frame of one row, the same as after every check.

    The checks of a table take some ten times as long as the score of one row. They are
    left out where each value is canonical as it is and nothing is left to warn of.

    Parameters
    ----------
    state : EngineState
        What the engine learned.
    declarations : object
        What was passed as DECLARATIONS.
    clock : callable, datetime or None
        When it is scored.

    Returns
    -------
    scores : DataFrame or None
        None where only the checks of a table can decide.
    """
    if not isinstance(declarations, pd.DataFrame) or len(declarations) != 1:
        return None
    values = _read_row(state, declarations)
    if values is None or not _is_complete(state, values):
        return None
    number = values.get("item_number")
    key = {"declaration_id": values["declaration_id"], "item_number": number or 1}
    if "item_number" in values and not number:
        return None
    scores = _frame(state, key, score_item(state, values), declarations.index, clock)
    own = {name: kind for name, kind in state.own_fields.items() if name in values}
    if own:
        scores.attrs[OWN_FIELDS] = own
    return scores


def _read_row(state: EngineState, row: pd.DataFrame) -> dict[str, Any] | None:
    """Return the canonical values of a row; None where one may not be."""
    if row.attrs or not row.columns.is_unique or SOURCE_ROW in row.columns:
        return None
    values: dict[str, Any] = {}
    for name, column in zip(row.columns, row.items(), strict=True):
        if isinstance(name, str) and name.startswith("dq_"):
            continue
        field = _field(state, name)
        if field is None:
            return None
        value = canonical_value(field, column[1].array[0])
        if value is UNDECIDED:
            return None
        values[name] = value
    return values


def _field(state: EngineState, name: object) -> Field | None:
    """Return the field that a column holds; None for any other column."""
    if not isinstance(name, str):
        return None
    if name in state.own_fields:
        return Field(name, state.own_fields[name], "own", "")
    return _FIELDS.get(name)


def _is_complete(state: EngineState, values: dict[str, Any]) -> bool:
    """Return whether a row has all that the scores use, so that nothing is reported."""
    fitted = state.features.feature_names_in_
    deciding = state.features.deciding_fields()
    absent = [n for n in fitted if n in deciding and n not in values]
    required = all(values.get(name) is not None for name in DECLARATIONS.required)
    imports = values.get("flow") in (None, "import")
    return required and imports and not absent


def _frame(
    state: EngineState,
    key: dict[str, Any],
    score: ItemScore,
    index: pd.Index,
    clock: Clock,
) -> pd.DataFrame:
    """Return SCORES of one item with the columns and types of many."""
    scored = read_clock("RiskEngine.score", clock, None)
    columns: dict[str, Any] = {
        name: pd.Series([key[name]], index, dtype=DECLARATIONS[name].dtype)
        for name in KEY
    }
    columns["item_number"] = columns["item_number"].astype(np.int64)
    for name in ("risk_score", "expected_revenue", "score_lower", "score_upper"):
        columns[name] = np.array([score.get(name, np.nan)], np.float64)
    columns["model_version"] = state.version
    columns["scored_at"] = pd.Series(scored, index, dtype="datetime64[us]")
    if state.stage_name != STAGES[-1]:
        columns["stage"] = state.stage_name
    scores = pd.DataFrame(columns, index=index)
    ids = item_ids(scores)
    mark_learned(scores, ids[state.has_learned(ids)])
    return scores
