"""`explain`: checks what reasons are made of, and makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_number,
    format_values,
    suggest_nearest,
)
from smartrisk.explanations._grouping import Info, plan_of
from smartrisk.explanations._reasons import Reasons


def explain(
    declarations: pd.DataFrame,
    matrix: pd.DataFrame | NDArray[np.floating[Any]],
    contributions: Any,
    info: Sequence[Info],
    *,
    top: int = 3,
    risk: Any = None,
    until: date | None = None,
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
        What each feature says, in the order of the matrix.
    top : int, default=3
        Most reasons per item, at least 1.
    risk : array-like of shape (n_items,), default=None
        Calibrated probability of a hit, for `Reasons.statements`.
    until : date, default=None
        Day of the last item that the history knew.

    Returns
    -------
    reasons : Reasons
        Nothing is computed before it is asked for.

    Raises
    ------
    TableError
        When items, features and contributions do not fit each other.
    ArgumentError
        When `top` is not a positive integer, contributions are not finite, or `risk`
        is no probability per item.

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
    irrégularité relevée dans 9 des 40 résultats de contrôle connus pour les articles
    antérieurs de cet importateur
    """
    check_number("explain", "top", top, low=1, integer=True)
    plan = plan_of(info)
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
        risk=_checked_risk(risk, len(declarations)),
        until=until,
    )


def _checked_risk(risk: Any, n_items: int) -> NDArray[np.float64] | None:
    """Return one probability per item, or None."""
    if risk is None:
        return None
    found = np.asarray(risk, np.float64)
    if found.shape != (n_items,) or not ((found >= 0) & (found <= 1)).all():
        raise ArgumentError(
            "explanations.risk_probability_each_items",
            "explain: 'risk' must hold one probability for each of the "
            "{n_items} items. Pass the column 'risk_score' of their SCORES.",
            n_items=n_items,
        )
    return found


def _check_table(declarations: Any) -> None:
    """Raise unless the declarations are a frame with keys."""
    if not isinstance(declarations, pd.DataFrame):
        raise TableError(
            "explanations.declarations_canonical_data_frame",
            "explain: 'declarations' must be a canonical data frame; got "
            "{declarations_type}. Pass it through validation.validate first.",
            declarations_type=type(declarations).__name__,
        )
    if "declaration_id" not in declarations.columns:
        raise TableError(
            "explanations.declarations_column_declaration_id",
            "explain: 'declarations' has no column 'declaration_id'.{hint}",
            hint=suggest_nearest("declaration_id", declarations.columns),
        )


def _refuse_names(names: list[str], expected: Sequence[str]) -> None:
    """Raise with what differs between the matrix and the features described."""
    odd = [name for name in names if name not in set(expected)]
    gone = [name for name in expected if name not in set(names)]
    parts = [f"unknown {format_values(odd)}"] if odd else []
    parts += [f"missing {format_values(gone)}"] if gone else []
    raise TableError(
        "explanations.columns_matrix_features_info",
        "explain: the columns of 'matrix' must be the features in 'info', "
        "in their order; {value}.",
        value="; ".join(parts) or "the order differs",
    )


def _check_shapes(
    n_items: int, matrix: NDArray[Any], contributions: NDArray[Any], n_features: int
) -> None:
    """Raise unless items, features and contributions fit each other."""
    if matrix.shape != (n_items, n_features):
        raise TableError(
            "explanations.matrix_shape_items_features",
            "explain: 'matrix' must have the shape ({n_items}, {n_features}), "
            "items by features; got {shape}.",
            n_items=n_items,
            n_features=n_features,
            shape=matrix.shape,
        )
    if contributions.shape != (n_items, n_features + 1):
        raise TableError(
            "explanations.contributions_shape_column_per",
            "explain: 'contributions' must have the shape ({n_items}, "
            "{n_features}), one column per feature and the base value last; "
            "got {shape}.",
            n_items=n_items,
            n_features=n_features + 1,
            shape=contributions.shape,
        )
    if not np.isfinite(contributions).all():
        bad = int((~np.isfinite(contributions)).any(axis=1).sum())
        raise ArgumentError(
            "explanations.contributions_finite_items_others",
            "explain: 'contributions' must be finite; {bad} of {n_items} items "
            "have others. Take them from the model's own tree contributions.",
            bad=bad,
            n_items=n_items,
        )
