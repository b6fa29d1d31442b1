"""What the leak prover probes: anything that computes numbers, in one form."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.items import are_among, join_by_key
from smartrisk.schema import KEY

#: From declarations and outcomes to one row of numbers per declared item.
Compute: TypeAlias = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class ProbedSubject:
    """How to compute a subject's numbers again, and the kind of the subject."""

    compute: Compute
    kind: str


def make_probed_subject(
    subject: Any,
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    columns: Sequence[str] | None,
    start: pd.Timestamp,
) -> ProbedSubject:
    """Return how to compute a subject's numbers again, and the kind of the subject."""
    if callable(getattr(subject, "score", None)) and hasattr(subject, "update"):
        compute = _engine_scores(subject, declarations, outcomes, start)
        return ProbedSubject(compute, "engine")
    if callable(getattr(subject, "fit", None)):
        if _takes_outcomes(subject):
            return ProbedSubject(_feature_values(subject), "features")
        return ProbedSubject(_estimator_values(subject, columns), "estimator")
    if callable(subject):
        return ProbedSubject(_function_values(subject), "function")
    raise ArgumentError(
        "evaluation.subject_kind",
        "prove_leak_free: 'subject' must be an engine, a transformer, or a "
        "function of declarations and outcomes; got {subject_type}.",
        subject_type=type(subject).__name__,
    )


def _takes_outcomes(subject: Any) -> bool:
    """Return whether fitting takes a table of outcomes."""
    parameters = inspect.signature(subject.fit).parameters
    return "outcomes" in parameters


def _named_columns(
    values: Any, index: pd.Index, names: Iterable[Any] | None = None
) -> pd.DataFrame:
    """Return numbers as a frame whose columns are named by texts."""
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


def _function_values(function: Any) -> Compute:
    """Return the computation of a function of declarations and outcomes."""

    def compute(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
        return _named_columns(
            function(declarations.copy(), outcomes.copy()), declarations.index
        )

    return compute


def _feature_values(subject: Any) -> Compute:
    """Return the computation of a transformer that takes outcomes."""

    def compute(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
        fitted = copy.deepcopy(subject).fit(declarations, outcomes=outcomes)
        values = fitted.transform(declarations)
        names = fitted.get_feature_names_out()
        return _named_columns(values, declarations.index, names)

    return compute


def _estimator_values(subject: Any, columns: Sequence[str] | None) -> Compute:
    """Return the computation of a transformer of columns and labels.

    It learns from the inspected items in order of lodgement, with the labels of the
    outcomes: as it is used by people who ignore time.
    """

    def compute(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
        chosen = list(columns) if columns is not None else _text_columns(declarations)
        joined = join_by_key(
            declarations[[c for c in KEY if c in declarations]], outcomes, ["illicit"]
        )
        label = joined["illicit"].to_numpy(np.float64, na_value=np.nan)
        rows = np.flatnonzero(~np.isnan(label))
        lodged = declarations["lodged_at"].to_numpy()
        rows = rows[np.argsort(lodged[rows], kind="stable")]
        estimator = copy.deepcopy(subject)
        X = declarations[chosen].iloc[rows].astype(object)
        X = X.where(lambda f: f.notna(), "")
        values = estimator.fit_transform(X, label[rows].astype(np.int64))
        names = getattr(estimator, "get_feature_names_out", lambda: None)()
        part = _named_columns(values, declarations.index[rows], names)
        return part.reindex(declarations.index)

    return compute


def _text_columns(declarations: pd.DataFrame) -> list[str]:
    """Return the columns of codes and names, the key apart."""
    return [
        str(name)
        for name in declarations
        if name not in KEY and isinstance(declarations[name].dtype, pd.StringDtype)
    ]


def _engine_scores(
    subject: Any,
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    start: pd.Timestamp,
) -> Compute:
    """Return the computation of an engine: fitted once, its history updated.

    Only items lodged from `start` on are scored; before that the engine learns.
    """
    early = declarations[declarations["lodged_at"] < start]
    known = outcomes
    if "known_at" in outcomes:
        known = outcomes[outcomes["known_at"] < start]
    fitted = copy.deepcopy(subject).fit(early, known[are_among(known, early)])

    def compute(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
        engine = copy.deepcopy(fitted)
        engine.update(declarations, outcomes)
        later = declarations[declarations["lodged_at"] >= start]
        # Altered items are no batch: the guard of an engine would warn of them.
        has_guard = "guard" in inspect.signature(engine.score).parameters
        scores = engine.score(later, **({"guard": "off"} if has_guard else {}))
        columns = [n for n in ("risk_score", "expected_revenue") if n in scores]
        values = _named_columns(scores[columns], later.index)
        return values.reindex(declarations.index)

    return compute
