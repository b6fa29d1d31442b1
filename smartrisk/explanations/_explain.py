"""`explain`: checks items, features and contributions, and makes their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_choice,
    check_number,
    format_values,
    suggest_nearest,
)
from smartrisk.explanations._grouping import Float, Info, make_plan
from smartrisk.explanations._reasons import Reasons
from smartrisk.items import ANY_HIT, TARGETS
from smartrisk.schema import STAGES, TableInput
from smartrisk.tables import read_table, to_pandas


def explain(
    declarations: TableInput,
    matrix: pd.DataFrame | NDArray[np.floating[Any]],
    contributions: ArrayLike,
    info: Sequence[Info],
    *,
    top: int = 3,
    risk: ArrayLike | None = None,
    until: date | None = None,
    stage: str = "model",
    target: str = ANY_HIT,
) -> Reasons:
    """Return the reasons for the scores of items.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS of the items.
    matrix : DataFrame or ndarray of shape (n_items, n_features)
        Features of the same items, in the same order.
    contributions : array-like of shape (n_items, n_features + 1)
        Contribution of each feature to the log-odds, as LightGBM's ``pred_contrib``
        gives them: the last column is the base value.
    info : sequence of FeatureInfo
        What each feature is about, in the order of the matrix.
    top : int, default=3
        Maximum number of reasons per item, at least 1.
    risk : array-like of shape (n_items,), default=None
        Calibrated probability of a hit, for `Reasons.statements`.
    until : date, default=None
        Day of the last item in the history.
    stage : {"no results", "few results", "model"}, default="model"
        What the scores rest on. Without results no sentence speaks of a probability.
    target : str, default="hit"
        What the model looks for: one of `smartrisk.items.TARGETS`. Sentences about
        results and probabilities name it.

    Returns
    -------
    reasons : Reasons
        Sentences and folds are computed when you ask for them.

    Raises
    ------
    TableError
        If items, features and contributions do not fit each other.
    ArgumentError
        If `top` is not a positive integer, contributions are not finite, `risk` does
        not hold one probability per item, or `stage` or `target` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.explanations import explain
    >>> from smartrisk.features import FeatureInfo
    >>> declarations = pd.DataFrame(
    ...     {"declaration_id": ["A"], "item_number": [1], "importer_id": ["X"]}
    ... )
    >>> names = ("inspections", "hits")
    >>> info = [
    ...     FeatureInfo(name=f"importer_id__{name}", fields=("importer_id",),
    ...                 concept="trader record", statistic=name, key=("importer_id",))
    ...     for name in names
    ... ]
    >>> matrix = np.array([[40.0, 9.0]])
    >>> reasons = explain(declarations, matrix, [[0.1, 0.8, -2.0]], info)
    >>> print(reasons.sentences()[0][0])
    9 of 40 earlier inspections of this importer with known result found an irregularity
    >>> print(reasons.sentences(lang="fr")[0][0])
    irrégularité relevée lors de 9 des 40 contrôles à résultat connu d'articles
    antérieurs de cet importateur
    """
    declarations = read_table("explain", "'declarations'", declarations)
    matrix = to_pandas(matrix)
    check_number("explain", "top", top, low=1, integer=True)
    check_choice("explain", "stage", stage, STAGES)
    check_choice("explain", "target", target, TARGETS)
    plan = make_plan(info)
    _check_table(declarations)
    names = [str(name) for name in getattr(matrix, "columns", ())]
    if names and names != list(plan.names):
        _refuse_names(names, plan.names)
    values = np.asarray(matrix)
    array = np.asarray(contributions, np.float64)
    _check_shapes(len(declarations), values, array, len(plan.names))
    return Reasons(
        declarations.copy(deep=False),
        values,
        contributions=array,
        plan=plan,
        top=int(top),
        risk=None if risk is None else _check_risk(risk, len(declarations)),
        until=until,
        stage=stage,
        target=target,
    )


def _check_risk(risk: ArrayLike, n_items: int) -> Float:
    """Return one probability per item."""
    values = np.array(risk, np.float64)
    if values.shape != (n_items,) or not ((values >= 0) & (values <= 1)).all():
        raise ArgumentError(
            "explanations.risk_not_probabilities",
            "explain: 'risk' must hold one probability for each of the "
            "{n_items} items. Pass the column 'risk_score' of their SCORES.",
            n_items=n_items,
        )
    return values


def _check_table(declarations: pd.DataFrame) -> None:
    """Raise unless the declarations have keys."""
    if "declaration_id" not in declarations.columns:
        raise TableError(
            "explanations.declarations_without_key",
            "explain: 'declarations' has no column 'declaration_id'.{hint}",
            hint=suggest_nearest("declaration_id", declarations.columns),
        )


def _refuse_names(names: list[str], expected: Sequence[str]) -> None:
    """Raise with what differs between the matrix and the features described."""
    unknown = [name for name in names if name not in set(expected)]
    missing = [name for name in expected if name not in set(names)]
    parts = [f"unknown {format_values(unknown)}"] if unknown else []
    parts += [f"missing {format_values(missing)}"] if missing else []
    raise TableError(
        "explanations.matrix_columns_differ",
        "explain: the columns of 'matrix' must be the features in 'info', "
        "in their order; {difference}.",
        difference="; ".join(parts) or "the order differs",
    )


def _check_shapes(
    n_items: int,
    matrix: NDArray[np.floating[Any]],
    contributions: Float,
    n_features: int,
) -> None:
    """Raise unless items, features and contributions fit each other."""
    if matrix.shape != (n_items, n_features):
        raise TableError(
            "explanations.matrix_shape",
            "explain: 'matrix' must have the shape ({n_items}, {n_features}), "
            "items by features; got {shape}.",
            n_items=n_items,
            n_features=n_features,
            shape=str(matrix.shape),
        )
    if contributions.shape != (n_items, n_features + 1):
        raise TableError(
            "explanations.contributions_shape",
            "explain: 'contributions' must have the shape ({n_items}, "
            "{n_columns}), one column per feature and the base value last; "
            "got {shape}.",
            n_items=n_items,
            n_columns=n_features + 1,
            shape=str(contributions.shape),
        )
    if not np.isfinite(contributions).all():
        n_bad = int((~np.isfinite(contributions)).any(axis=1).sum())
        raise ArgumentError(
            "explanations.contributions_not_finite",
            "explain: 'contributions' must be finite; those of {n_bad} of {n_items} "
            "items are not. Take them from the model's own tree contributions.",
            n_bad=n_bad,
            n_items=n_items,
        )
