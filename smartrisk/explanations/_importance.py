"""How much each concept, field or feature moves the scores, with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smartrisk.errors import check_number
from smartrisk.explanations._folding import fold_contributions
from smartrisk.explanations._reasons import Reasons
from smartrisk.intervals import resampled_counts
from smartrisk.results import Result


class Importance(Result):
    """How much each concept, field or feature moves the scores.

    Made by `importance`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    by : {"concept", "field", "feature"}, default="concept"
        What a row stands for.
    confidence : float, default=0.95
        Confidence of the interval.
    n_items : int, default=0
        Number of items over which the means are taken.

    See Also
    --------
    smartrisk.displays.ImportanceDisplay : The same as a figure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(200))
    >>> sr.explanations.importance(reasons, "field")
    Importance(by='field', n_items=200)
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        by: str = "concept",
        confidence: float = 0.95,
        n_items: int = 0,
    ) -> None:
        self._table = table.copy()
        self._by = by
        self._confidence = confidence
        self._n_items = n_items

    @property
    def by(self) -> str:
        """What a row stands for: "concept", "field" or "feature"."""
        return self._by

    @property
    def confidence(self) -> float:
        """Confidence of the interval, a fraction."""
        return self._confidence

    @property
    def n_items(self) -> int:
        """Number of items over which the means are taken."""
        return self._n_items

    def frame(self) -> pd.DataFrame:
        """Return one row per concept, field or feature, the largest first.

        Returns
        -------
        frame : DataFrame
            ``name``, ``mean_abs`` (mean size of the contribution, log-odds), ``low``
            and ``high`` (its interval) and ``share`` (of the sum of all sizes).
        """
        return self._table.copy()

    def __repr__(self) -> str:
        return f"Importance(by={self._by!r}, n_items={self._n_items})"


def importance(
    reasons: Reasons,
    by: str = "concept",
    *,
    n_bootstrap: int = 200,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Importance:
    """Return how much each concept, field or feature moves the scores.

    Parameters
    ----------
    reasons : Reasons
        Reasons of many items, as `RiskEngine.explain` returns them.
    by : {"concept", "field", "feature"}, default="concept"
        Level to which contributions are summed.
    n_bootstrap : int, default=200
        Bootstrap samples of whole declarations, at least 1.
    confidence : float, default=0.95
        Confidence of the interval, from 0 to 1.
    random_state : int, default=0
        Seed of the samples.

    Returns
    -------
    importance : Importance
        The mean absolute contribution of each, with its interval.

    Raises
    ------
    ArgumentError
        If there is no item, or an argument is outside what is allowed.

    Notes
    -----
    The mean absolute SHAP value of [1]_. Samples draw whole declarations, because the
    items of one document have much in common. The measure states what the model uses,
    not what causes irregularity.

    References
    ----------
    .. [1] Lundberg, S. M., Lee, S.-I. (2017). A unified approach to interpreting model
       predictions. Advances in Neural Information Processing Systems 30.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(200))
    >>> table = sr.explanations.importance(reasons).frame()
    >>> round(float(table["share"].sum()), 6)
    1.0
    """
    check_number("importance", "n_bootstrap", n_bootstrap, low=1, integer=True)
    check_number("importance", "confidence", confidence, low=0, high=1)
    sizes = fold_contributions("importance", reasons, by).abs()
    codes, documents = pd.factorize(reasons._declarations["declaration_id"])
    n_documents = len(documents)
    sums = np.zeros((n_documents, sizes.shape[1]))
    np.add.at(sums, codes, sizes.to_numpy())
    counts = np.bincount(codes, minlength=n_documents).astype(np.float64)
    means = [
        times @ sums / (times @ counts)
        for times in resampled_counts(n_documents, n_bootstrap, random_state)
    ]
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail], axis=0)
    mean = sizes.mean(axis=0).to_numpy()
    table = pd.DataFrame(
        {
            "name": list(sizes.columns),
            "mean_abs": mean,
            "low": low,
            "high": high,
            "share": mean / (mean.sum() or 1.0),
        }
    )
    ranked = table.sort_values("mean_abs", ascending=False, kind="stable")
    return Importance(
        ranked.reset_index(drop=True),
        by=by,
        confidence=confidence,
        n_items=len(reasons),
    )
