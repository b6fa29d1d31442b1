"""How good a ranking is at the inspection rates that an administration can afford.

Reads SCORES and OUTCOMES of inspected items; writes results with a ``frame()``.
Items without an outcome are counted and never taken for compliant.
"""

from smartrisk.evaluation._audit import Audit, audit, best_look_up
from smartrisk.evaluation._evaluate import Evaluation, compare, evaluate
from smartrisk.evaluation._leaks import LeakReport, prove_leak_free
from smartrisk.evaluation._off_policy import OffPolicy, off_policy
from smartrisk.evaluation._ranking import (
    calibration_error,
    count_at,
    precision_at,
    recall_at,
    revenue_share_at,
)
from smartrisk.evaluation._whole_flow import WholeFlow, whole_flow

__all__ = [
    "Audit",
    "Evaluation",
    "LeakReport",
    "OffPolicy",
    "WholeFlow",
    "audit",
    "best_look_up",
    "calibration_error",
    "compare",
    "count_at",
    "evaluate",
    "off_policy",
    "precision_at",
    "prove_leak_free",
    "recall_at",
    "revenue_share_at",
    "whole_flow",
]
