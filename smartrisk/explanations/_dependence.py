"""How the contribution of a feature depends on its value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, check_number, suggest_nearest
from smartrisk.explanations._reasons import Reasons
from smartrisk.results import Result


class Dependence(Result):
    """Contribution of a feature in groups of its values.

    Made by `dependence`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    feature : str
        Name of the feature.

    See Also
    --------
    smartrisk.displays.DependenceDisplay : The same as a figure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> sr.explanations.dependence(reasons, "duty_rate")
    Dependence('duty_rate', n_items=500)
    """

    def __init__(self, table: pd.DataFrame, *, feature: str) -> None:
        self._table = table.copy()
        self._feature = feature

    @property
    def feature(self) -> str:
        """Name of the feature."""
        return self._feature

    def frame(self) -> pd.DataFrame:
        """Return one row per group of values, the lowest first, missing values last.

        Returns
        -------
        frame : DataFrame
            ``low`` and ``high`` (values in the group; missing where the value is),
            ``n_items``, ``mean`` contribution, and its 10th and 90th percentile ``q10``
            and ``q90``, in log-odds.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        n_items = int(self._table["n_items"].sum())
        return f"Dependence({self._feature!r}, n_items={n_items})"


def dependence(reasons: Reasons, feature: str, *, n_bins: int = 10) -> Dependence:
    """Return how the contribution of a feature depends on its value.

    Parameters
    ----------
    reasons : Reasons
        Reasons of many items.
    feature : str
        Name of a feature.
    n_bins : int, default=10
        Maximum number of groups of similar size into which the values are cut, at least
        1.

    Returns
    -------
    dependence : Dependence
        Mean contribution and its spread in each group of values.

    Raises
    ------
    ArgumentError
        If there is no such feature, or `n_bins` is below 1.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> table = sr.explanations.dependence(reasons, "duty_rate").frame()
    >>> int(table["n_items"].sum())
    500
    """
    check_number("dependence", "n_bins", n_bins, low=1, integer=True)
    names = list(reasons._plan.names)
    if feature not in names:
        raise ArgumentError(
            "explanations.unknown_feature",
            "dependence: no feature {feature!r} among the {n_features} features.{hint}",
            feature=str(feature),
            n_features=len(names),
            hint=suggest_nearest(feature, names),
        )
    column = names.index(feature)
    values = pd.Series(np.asarray(reasons._matrix[:, column], np.float64))
    group = values
    if values.nunique() > n_bins:
        group = pd.Series(pd.qcut(values, n_bins, labels=False, duplicates="drop"))
    pairs = pd.DataFrame(
        {"value": values, "contribution": reasons._contributions[:, column]}
    )
    # Missing values are a group of their own, which sorts last.
    grouped = pairs.groupby(group.fillna(np.inf), sort=True)
    table = pd.DataFrame(
        {
            "low": grouped["value"].min(),
            "high": grouped["value"].max(),
            "n_items": grouped.size(),
            "mean": grouped["contribution"].mean(),
            "q10": grouped["contribution"].quantile(0.1),
            "q90": grouped["contribution"].quantile(0.9),
        }
    )
    return Dependence(table.reset_index(drop=True), feature=str(feature))
