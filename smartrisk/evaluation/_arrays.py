"""`evaluate` for plain arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from smartrisk.evaluation._evaluate import Evaluation, evaluate
from smartrisk.evaluation._ranking import check_rate
from smartrisk.evaluation._scorers import read_amounts, read_arrays


def evaluate_arrays(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    revenue: ArrayLike | None = None,
    capacity: float | Sequence[float] = (0.01, 0.02, 0.05, 0.10),
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Judge the scores of any model by results, both as plain arrays.

    Parameters
    ----------
    y_true : array-like of shape (n_items,)
        1 for a hit, 0 for none, NaN where the item was not inspected: such items are
        counted in `n_unlabelled` and left out.
    y_score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    revenue : array-like of shape (n_items,), default=None
        Amounts recovered, in national currency; missing and negative ones count as 0.
    capacity : float, int or sequence of these, default=(0.01, 0.02, 0.05, 0.10)
        Inspection rates as shares of the labelled items, or numbers of items.
    n_bootstrap : int, default=200
        As in `evaluate`.
    random_state : int, default=0
        As in `evaluate`.

    Returns
    -------
    evaluation : Evaluation
        The figures that `evaluate` gives for the same items as tables.

    Raises
    ------
    TableError
        If the score of a labelled item is missing.
    ArgumentError
        If arrays differ in length, labels are not 0 or 1, or another argument is
        outside what is allowed.

    See Also
    --------
    evaluate : The same for SCORES and OUTCOMES.

    Examples
    --------
    >>> from smartrisk.evaluation import evaluate_arrays
    >>> y_true, y_score = [1, 0, float("nan"), 0, 1], [0.9, 0.8, 0.7, 0.2, 0.1]
    >>> result = evaluate_arrays(y_true, y_score, capacity=2, n_bootstrap=0)
    >>> float(result.frame()["precision"].iloc[0])
    0.5
    """
    hits, known, score = read_arrays("evaluate_arrays", y_true, y_score)
    rates = list(capacity) if isinstance(capacity, Iterable) else [capacity]
    for rate in rates:
        check_rate("evaluate_arrays", "capacity", rate)
    keys = pd.DataFrame({"declaration_id": np.arange(len(hits)).astype(str)})
    outcomes = keys[known].assign(illicit=hits[known].astype(np.int64))
    if revenue is not None:
        amounts = read_amounts("evaluate_arrays", revenue, len(hits))
        outcomes["revenue_adjustment"] = amounts[known]
    return evaluate(
        keys.assign(risk_score=score),
        outcomes,
        rates=rates,
        n_bootstrap=n_bootstrap,
        random_state=random_state,
    )
