"""Updates of an engine's history: built aside, counted, and returned as a new state."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.datasets import example_declarations
from smartrisk.engine._reading import count_rows, label_results, read_outcomes
from smartrisk.engine._state import EngineState
from smartrisk.engine._version import make_version
from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    check_choice,
    format_values,
    suggest_nearest,
)
from smartrisk.features import LearnedHistory, OnKnown
from smartrisk.items import are_among, item_ids
from smartrisk.lineage import merge_sources, read_sources
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, TRADERS, TableInput
from smartrisk.validation import OnError, read_declarations, validate

#: What can happen to a row, in the order of `UpdateReport.frame`.
_KINDS = ("taken", "corrected", "replaced", "kept", "known", "set_aside", "erased")
_TABLES = ("items", "results", "entries")


class UpdateReport(Result):
    """What the last `update` or `forget` of an engine did.

    Parameters
    ----------
    counts : dict of str to dict of str to int
        "items", "results" and "entries": what happened to how many.

    Examples
    --------
    >>> from smartrisk.engine import UpdateReport
    >>> report = UpdateReport({"items": {"taken": 3}})
    >>> int(report.frame().loc["items", "taken"])
    3
    """

    def __init__(self, counts: dict[str, dict[str, int]]) -> None:
        self._counts = counts

    def frame(self) -> pd.DataFrame:
        """Return how many rows were taken, and what became of the others.

        Returns
        -------
        frame : DataFrame
            Rows "items" and "results" of the tables that were passed, and "entries" of
            the history. Columns: ``taken`` new ones; ``corrected`` results that are
            known from a later day, or an earlier one, in another version; ``replaced``
            and ``kept`` known ones with other content; ``known`` before; ``set_aside``
            because they could not be read; ``erased`` by `forget`, or left out because
            they were erased before.
        """
        rows = {
            table: [self._counts.get(table, {}).get(kind, 0) for kind in _KINDS]
            for table in _TABLES
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(_KINDS))
        return frame.rename_axis("table")

    def __repr__(self) -> str:
        """Return what happened, without the zeros."""
        parts = [
            f"{table} {kind}={number}"
            for table, kinds in self._counts.items()
            for kind, number in kinds.items()
            if number
        ]
        return f"UpdateReport({', '.join(parts) or 'nothing new'})"


def add_reports(reports: Sequence[UpdateReport]) -> UpdateReport:
    """Return what several updates did together."""
    total: dict[str, dict[str, int]] = {}
    for report in reports:
        for table, counts in report._counts.items():
            sums = total.setdefault(table, {})
            for kind, number in counts.items():
                sums[kind] = sums.get(kind, 0) + number
    return UpdateReport(total)


def update_state(
    state: EngineState,
    declarations: TableInput | None,
    outcomes: TableInput | None,
    *,
    on_known: OnKnown,
    on_error: OnError,
) -> EngineState:
    """Return the state with more items and results; the one that is passed stays."""
    owner = "RiskEngine.update"
    check_choice(owner, "on_known", on_known, ("raise", "replace", "keep"))
    if declarations is None and outcomes is None:
        raise ArgumentError(
            "engine.nothing_to_update",
            "RiskEngine.update: pass 'declarations', 'outcomes' or both.",
        )
    history = state.history
    items = results = None
    n_items = n_results = 0
    ids = np.zeros(0, np.uint64)
    if declarations is not None:
        items = read_declarations(declarations, state.own_fields, on_error=on_error)
        n_items = count_rows(declarations) - len(items)
        ids = item_ids(items)
    if outcomes is not None:
        results = read_outcomes(
            "update",
            outcomes,
            lambda found: history.knows(found) | are_among(found, ids),
            on_error,
            items,
        )
        n_results = count_rows(outcomes) - len(results)
    sources = merge_sources(state.sources, read_sources(items, results))
    if results is not None:
        n_read = len(results)
        results = label_results("update", results, state.target)
        n_results += n_read - len(results)
    longer, counts = history.add(items, results, on_known=on_known, owner=owner)
    counts["items"]["set_aside"] = n_items
    counts["results"]["set_aside"] = n_results
    return replace(_with_history(state, longer, counts), sources=sources)


def forget_traders(
    state: EngineState, traders: dict[str, str | Sequence[str]]
) -> EngineState:
    """Return the state without traders; the one that is passed stays."""
    if not traders:
        raise ArgumentError(
            "engine.no_trader_to_forget",
            "RiskEngine.forget: name a trader, such as forget(importer_id='X'). Fields "
            "are {fields}.",
            fields=format_values(TRADERS, 10),
        )
    history = state.history
    total = {"items": {"erased": 0}, "entries": {"erased": 0}}
    for field, given in traders.items():
        names = _canonical(field, given)
        n_lost = int((~history.names(field, names)).sum())
        history, counts = history.without_traders(field, names)
        for table in total:
            total[table]["erased"] += counts[table]["erased"]
        if n_lost:
            warnings.warn(
                DataQualityWarning(
                    "engine.trader_not_in_history",
                    "RiskEngine.forget: {n_lost} of the {n_names} values of {field} "
                    "are in no key of the history: nothing was erased for them. "
                    "Compare how they are written with the DECLARATIONS.",
                    n_lost=n_lost,
                    n_names=len(names),
                    field=field,
                ),
                stacklevel=3,
            )
    return _with_history(state, history, total)


def _with_history(
    state: EngineState, history: LearnedHistory, counts: dict[str, dict[str, int]]
) -> EngineState:
    """Return the state with another history."""
    return replace(
        state,
        history=history,
        version=make_version(state.models, history, state.target),
        last_update=UpdateReport(counts),
    )


def _canonical(field: str, names: str | Sequence[str]) -> list[str]:
    """Return names of traders as validation writes them."""
    if field not in TRADERS:
        raise ArgumentError(
            "engine.not_a_trader",
            "RiskEngine.forget: {field!r} names no trader; allowed are "
            "{allowed}.{hint}",
            field=field,
            allowed=format_values(TRADERS, 10),
            hint=suggest_nearest(field, TRADERS),
        )
    given: list[Any] = [names] if pd.api.types.is_scalar(names) else list(names)
    found: list[str] = []
    if given:
        frame = example_declarations(1)
        frame = frame.loc[frame.index.repeat(len(given))].reset_index(drop=True)
        numbers = range(1, len(given) + 1)
        frame = frame.assign(item_number=numbers, **{field: given})
        column = validate(frame, DECLARATIONS)[field]
        found = [str(name) for name in column.dropna().unique()]
    if not found:
        raise ArgumentError(
            "engine.no_name_to_forget",
            "RiskEngine.forget: {field!r} holds no name; got {given!r}. Pass the "
            "identity of a trader as in the DECLARATIONS, or a list of them.",
            field=field,
            given=names,
        )
    return found
