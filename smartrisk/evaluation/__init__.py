"""How good a ranking is at the inspection rates that an administration can afford.

Reads SCORES and OUTCOMES of inspected items; writes results with a ``frame()``.
Items without an outcome are counted and never taken for compliant.
"""

from smartrisk.evaluation._audit import Audit, audit, best_look_up
from smartrisk.evaluation._evaluate import Evaluation, compare, evaluate
from smartrisk.evaluation._ranking import (
    calibration_error,
    count_at,
    precision_at,
    recall_at,
    revenue_share_at,
)

__all__ = [
    "Audit",
    "Evaluation",
    "audit",
    "best_look_up",
    "calibration_error",
    "compare",
    "count_at",
    "evaluate",
    "precision_at",
    "recall_at",
    "revenue_share_at",
]
