"""The library's figures for ``mlflow.models.evaluate``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from smartrisk.errors import ArgumentError, SmallSampleWarning
from smartrisk.evaluation import evaluate_arrays, rate_name
from smartrisk.tracking._store import import_mlflow

_OVERALL = ("roc_auc", "average_precision", "brier", "calibration_error")
#: Of these a smaller value is better.
_LOSSES = ("brier", "calibration_error")
_AT_RATES = ("precision", "recall")
_REVENUE = "revenue_share"


def extra_metrics(
    *,
    rates: Sequence[float] = (0.01, 0.02, 0.05, 0.10),
    revenue: str | None = None,
) -> list[Any]:
    """Return the figures of `evaluate` as metrics of ``mlflow.models.evaluate``.

    Parameters
    ----------
    rates : sequence of float or int, default=(0.01, 0.02, 0.05, 0.10)
        Inspection rates as shares of the labelled items, or numbers of items.
    revenue : str, default=None
        Column of the data with the amounts recovered; None for no figures of revenue.

    Returns
    -------
    metrics : list of EvaluationMetric
        For ``extra_metrics=``: precision and recall at each rate, the share of the
        revenue where a column is named, ROC AUC, average precision, Brier score and
        calibration error. They have the names that `log_run` gives them.

    Raises
    ------
    ArgumentError
        If `rates` are not allowed, or `revenue` is no name; while MLflow evaluates, if
        labels are not 1, 0 or missing.

    See Also
    --------
    smartrisk.evaluation.evaluate : The same figures with intervals and by segment.

    Notes
    -----
    Pass no ``model_type``: the one for classifiers compares labels with probabilities
    and refuses them. Name the column of scores with ``predictions="risk_score"``. Items
    whose label is missing were not inspected and are left out. A figure that does not
    apply, such as that of a rate that allows no item, is NaN. Only figures are logged,
    no row of the data.

    Examples
    --------
    >>> import smartrisk as sr
    >>> names = [m.name for m in sr.tracking.extra_metrics(rates=(0.05,))]
    >>> names[:2]
    ['precision_at_05pct', 'recall_at_05pct']
    """
    evaluate_arrays([0, 1], [0.0, 1.0], capacity=rates, n_bootstrap=0)  # checks them
    if revenue is not None and not str(revenue).isidentifier():
        raise ArgumentError(
            "tracking.revenue_no_column",
            "extra_metrics: 'revenue' must be the name of a column of the data, in "
            "letters, digits and underscores as MLflow reads it; got {given!r}. Rename "
            "the column.",
            given=str(revenue),
        )
    wanted = [(f"{m}_at_{rate_name(r)}", r) for r in rates for m in _AT_RATES]
    wanted += [(name, rates[0]) for name in _OVERALL]
    metrics = [_make(name, _of_hits(name, rate)) for name, rate in wanted]
    if revenue is not None:
        names = [(f"{_REVENUE}_at_{rate_name(rate)}", rate) for rate in rates]
        metrics += [_make(n, _of_revenue(n, rate, revenue)) for n, rate in names]
    return metrics


def _make(name: str, function: Callable[..., float]) -> Any:
    """Return a metric of MLflow."""
    import_mlflow()
    from mlflow.models import make_metric

    return make_metric(
        eval_fn=function, greater_is_better=name not in _LOSSES, name=name
    )


def _of_hits(name: str, rate: float) -> Callable[..., float]:
    """Return a function of scores and labels."""

    # MLflow passes columns by the names of the parameters.
    def figure(predictions: Any, targets: Any) -> float:
        return _figure(name, predictions, targets, rate)

    return figure


def _of_revenue(name: str, rate: float, column: str) -> Callable[..., float]:
    """Return a function of scores, labels and the column of amounts of that name."""

    def figure(predictions: Any, targets: Any, amounts: Any) -> float:
        return _figure(name, predictions, targets, rate, amounts)

    kind = Parameter.POSITIONAL_OR_KEYWORD
    columns = ("predictions", "targets", column)
    signature = Signature([Parameter(c, kind) for c in columns])
    vars(figure)["__signature__"] = signature
    return figure


def _figure(
    name: str, score: Any, labels: Any, rate: float, amounts: Any = None
) -> float:
    """Return one figure; NaN where it does not apply."""
    with warnings.catch_warnings():
        # MLflow first tries each metric on a single item.
        warnings.simplefilter("ignore", SmallSampleWarning)
        result = evaluate_arrays(
            np.asarray(labels),
            np.asarray(score),
            revenue=None if amounts is None else np.asarray(amounts),
            capacity=rate,
            n_bootstrap=0,
        )
    return result.to_dict().get(name, math.nan)
