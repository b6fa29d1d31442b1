"""Anything that makes features or scores of declarations, in one form."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.evaluation._logged_decisions import numbered
from smartrisk.schema import KEY

#: From declarations and outcomes to one row of numbers per declared item.
Compute = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


def computation(
    subject: Any,
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    columns: Sequence[str] | None,
    start: pd.Timestamp,
) -> tuple[Compute, str]:
    """Return how to compute a subject's numbers anew, and what kind of thing it is."""
    if callable(getattr(subject, "score", None)) and hasattr(subject, "update"):
        return _of_engine(subject, declarations, outcomes, start), "engine"
    if callable(getattr(subject, "fit", None)):
        if _takes_outcomes(subject):
            return _of_features(subject), "features"
        return _of_estimator(subject, columns), "estimator"
    if callable(subject):
        return _of_function(subject), "function"
    raise ArgumentError(
        "evaluation.subject_engine_transformer_function",
        "prove_leak_free: 'subject' must be an engine, a transformer, or a "
        "function of declarations and outcomes; got {subject_type}.",
        subject_type=type(subject).__name__,
    )


def _takes_outcomes(subject: Any) -> bool:
    """Return whether fitting takes a table of outcomes."""
    parameters = inspect.signature(subject.fit).parameters
    return "outcomes" in parameters


def named(values: Any, index: pd.Index, names: Any = None) -> pd.DataFrame:
    """Return numbers as a frame with texts as names."""
    if isinstance(values, pd.Series):
        values = values.to_frame()
    if isinstance(values, pd.DataFrame):
        out = values.set_axis(index)
        return out.set_axis([str(name) for name in out.columns], axis=1)
    values = np.asarray(values, dtype=np.float64)
    values = values.reshape(len(index), -1)
    if names is None:
        names = [f"column {k}" for k in range(values.shape[1])]
    return pd.DataFrame(values, index=index, columns=[str(name) for name in names])


def _of_function(function: Any) -> Compute:
    """Return the computation of a function of declarations and outcomes."""

    def compute(items: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
        return named(function(items.copy(), results.copy()), items.index)

    return compute


def _of_features(subject: Any) -> Compute:
    """Return the computation of a transformer that takes outcomes."""

    def compute(items: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
        made = copy.deepcopy(subject)
        values = made.fit(items, outcomes=results).transform(items)
        return named(values, items.index, made.get_feature_names_out())

    return compute


def _of_estimator(subject: Any, columns: Sequence[str] | None) -> Compute:
    """Return the computation of a transformer of columns and labels.

    It learns from the inspected items, in order of lodgement, as their label stands
    in the outcomes: the way it is used when nobody thinks of time.
    """

    def compute(items: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
        chosen = list(columns) if columns is not None else _texts(items)
        found = numbered(items)[list(KEY)].merge(
            numbered(results)[[*KEY, "illicit"]], on=list(KEY), how="left"
        )["illicit"]
        rows = np.flatnonzero(found.notna().to_numpy())
        rows = rows[np.argsort(items["lodged_at"].to_numpy()[rows], kind="stable")]
        made = copy.deepcopy(subject)
        X = items[chosen].iloc[rows].astype(object).where(lambda f: f.notna(), "")
        values = made.fit_transform(X, found.to_numpy(np.int64, na_value=0)[rows])
        names = getattr(made, "get_feature_names_out", lambda: None)()
        part = named(values, items.index[rows], names)
        return part.reindex(items.index)

    return compute


def _texts(items: pd.DataFrame) -> list[str]:
    """Return the columns of codes and names, the key apart."""
    return [
        str(name)
        for name in items
        if name not in KEY and isinstance(items[name].dtype, pd.StringDtype)
    ]


def _of_engine(
    subject: Any,
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    start: pd.Timestamp,
) -> Compute:
    """Return the computation of an engine: fitted once, its history moved on.

    Only items lodged from `start` on are scored; before that the engine learns.
    """
    early = declarations[declarations["lodged_at"] < start]
    known = outcomes
    if "known_at" in outcomes:
        known = outcomes[outcomes["known_at"] < start]
    keys = pd.MultiIndex.from_frame(numbered(early)[list(KEY)])
    mine = pd.MultiIndex.from_frame(numbered(known)[list(KEY)]).isin(keys)
    fitted = copy.deepcopy(subject).fit(early, known[mine])

    def compute(items: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
        engine = copy.deepcopy(fitted)
        engine.update(items, results)
        new = items[items["lodged_at"] >= start]
        scores = engine.score(new)
        kept = [n for n in ("risk_score", "expected_revenue") if n in scores]
        return named(scores[kept], new.index).reindex(items.index)

    return compute
