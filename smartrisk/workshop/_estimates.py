"""Estimates with an interval, as learners write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.workshop._comparing import TOLERANCE, is_number

#: Estimate, lower bound, upper bound.
Estimate = tuple[float, float, float]


def as_estimate(answer: Any) -> Estimate | None:
    """Return an estimate and its bounds; None for anything else.

    A tuple, a list, an array, a column, a row or a mapping will do. Names "low" and
    "high" decide the order where there are names.
    """
    if isinstance(answer, pd.DataFrame):
        if len(answer) != 1:
            return None
        answer = answer.iloc[0]
    if isinstance(answer, pd.Series):
        answer = answer.to_dict()
    if isinstance(answer, Mapping):
        answer = _order_by_name(answer)
    if isinstance(answer, np.ndarray):
        answer = answer.tolist()
    if not isinstance(answer, Sequence) or isinstance(answer, (str, bytes)):
        return None
    values = [
        v.item() if isinstance(v, np.ndarray) and v.size == 1 else v for v in answer
    ]
    if len(values) != 3 or not all(is_number(value) for value in values):
        return None
    return float(values[0]), float(values[1]), float(values[2])


def _order_by_name(named: Mapping[Any, Any]) -> list[Any]:
    """Return estimate, low and high of a mapping; its values where names are others."""
    if not {"low", "high"} <= set(named):
        return list(named.values())
    first = [
        value
        for name, value in named.items()
        if name not in ("low", "high") and is_number(value)
    ]
    return [*first, named["low"], named["high"]]


def same_estimate(answer: Any, right: Sequence[float]) -> bool:
    """Return whether an answer has this estimate and these bounds."""
    found = as_estimate(answer)
    return found is not None and bool(
        np.allclose(found, right, rtol=TOLERANCE, atol=TOLERANCE)
    )
