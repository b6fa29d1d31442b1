"""The importance period by period: whether the model keeps its reasons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.errors import check_choice
from smartrisk.explanations._folding import declared_column, fold_contributions
from smartrisk.explanations._reasons import Reasons
from smartrisk.results import Result


class Stability(Result):
    """Importance of each concept, field or feature in each period.

    Made by `stability`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    by : {"concept", "field", "feature"}, default="concept"
        What a name stands for.
    period : {"W", "M", "Q", "Y"}, default="M"
        Length of a period.

    See Also
    --------
    smartrisk.displays.StabilityDisplay : The same as a figure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> sr.explanations.stability(reasons, period="Y")
    Stability(by='concept', period='Y', n_periods=1)
    """

    def __init__(
        self, table: pd.DataFrame, *, by: str = "concept", period: str = "M"
    ) -> None:
        self._table = table.copy()
        self._by = by
        self._period = period

    @property
    def by(self) -> str:
        """What a name stands for: "concept", "field" or "feature"."""
        return self._by

    @property
    def period(self) -> str:
        """Length of a period: "W", "M", "Q" or "Y"."""
        return self._period

    @property
    def n_periods(self) -> int:
        """Number of periods that have items."""
        return int(self._table["period"].nunique())

    def frame(self) -> pd.DataFrame:
        """Return one row per period and name.

        Returns
        -------
        frame : DataFrame
            ``period`` (its first day), ``n_items``, ``name``, ``mean_abs`` (mean size
            of the contribution, log-odds), ``share`` (of the period) and ``rank`` (1
            moves the scores of the period most).
        """
        return self._table.copy()

    def __repr__(self) -> str:
        return (
            f"Stability(by={self._by!r}, period={self._period!r}, "
            f"n_periods={self.n_periods})"
        )


def stability(reasons: Reasons, by: str = "concept", *, period: str = "M") -> Stability:
    """Return the importance in each period: whether the model keeps its reasons.

    Parameters
    ----------
    reasons : Reasons
        Reasons of many items.
    by : {"concept", "field", "feature"}, default="concept"
        Level to which contributions are summed.
    period : {"W", "M", "Q", "Y"}, default="M"
        "M" for months, "Q" for quarters, "Y" for years, "W" for weeks.

    Returns
    -------
    stability : Stability
        Means and shares by period of lodgement.

    Raises
    ------
    ArgumentError
        If there is no item, the items have no ``lodged_at``, or an argument is outside
        what is allowed.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> table = sr.explanations.stability(reasons, period="Q").frame()
    >>> sorted(table.columns)
    ['mean_abs', 'n_items', 'name', 'period', 'rank', 'share']
    """
    check_choice("stability", "period", period, ("W", "M", "Q", "Y"))
    sizes = fold_contributions("stability", reasons, by).abs().reset_index(drop=True)
    lodged = declared_column("stability", reasons, "lodged_at")
    first_day = pd.DatetimeIndex(lodged).to_period(period).start_time
    grouped = sizes.groupby(np.asarray(first_day))
    means = grouped.mean().rename_axis("period").reset_index()
    table = means.melt("period", var_name="name", value_name="mean_abs")
    table = table.sort_values("period", kind="stable", ignore_index=True)
    table.insert(1, "n_items", table["period"].map(grouped.size()).astype("int64"))
    total = table.groupby("period")["mean_abs"].transform("sum")
    table["share"] = table["mean_abs"] / total.where(total > 0, 1.0)
    ranks = table.groupby("period")["mean_abs"].rank(ascending=False, method="first")
    return Stability(table.assign(rank=ranks.astype("int64")), by=by, period=period)
