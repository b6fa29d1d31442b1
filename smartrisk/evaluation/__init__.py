"""How well a ranking does at the inspection rates that an administration can afford.

Reads SCORES and OUTCOMES of inspected items; writes results with a ``frame()``.
Items without an outcome are counted and never treated as compliant.
"""

from smartrisk.evaluation._arrays import evaluate_arrays
from smartrisk.evaluation._audit import Audit, Finding, audit, best_look_up
from smartrisk.evaluation._backtest import Backtest, backtest
from smartrisk.evaluation._calibration import Calibration, calibration
from smartrisk.evaluation._contenders import FittedContender, fit_contender
from smartrisk.evaluation._effort_curve import EffortCurve, effort_curve
from smartrisk.evaluation._evaluate import (
    Comparison,
    Evaluation,
    compare,
    evaluate,
    rate_name,
)
from smartrisk.evaluation._leaks import LeakReport, prove_leak_free
from smartrisk.evaluation._off_policy import OffPolicy, off_policy
from smartrisk.evaluation._officers import (
    OfficerReport,
    inspection_integrity,
    judge_overrides,
)
from smartrisk.evaluation._paired_gain import (
    Metric,
    PairedGain,
    paired_gain,
    read_metric,
)
from smartrisk.evaluation._periods import Periods, by_period
from smartrisk.evaluation._policy_comparison import PolicyComparison, compare_policies
from smartrisk.evaluation._ranking import (
    calibration_error,
    count_at,
    lift_at,
    net_benefit_at,
    normalised_at,
    recall_at,
    revenue_share_at,
)
from smartrisk.evaluation._scorers import precision_at, revenue_at
from smartrisk.evaluation._segments import Segments, by_segment, standard_segments
from smartrisk.evaluation._whole_flow import WholeFlow, whole_flow
from smartrisk.intervals import wilson_interval

__all__ = [
    "Audit",
    "Backtest",
    "Calibration",
    "Comparison",
    "EffortCurve",
    "Evaluation",
    "Finding",
    "FittedContender",
    "LeakReport",
    "Metric",
    "OffPolicy",
    "OfficerReport",
    "PairedGain",
    "Periods",
    "PolicyComparison",
    "Segments",
    "WholeFlow",
    "audit",
    "backtest",
    "best_look_up",
    "by_period",
    "by_segment",
    "calibration",
    "calibration_error",
    "compare",
    "compare_policies",
    "count_at",
    "effort_curve",
    "evaluate",
    "evaluate_arrays",
    "fit_contender",
    "inspection_integrity",
    "judge_overrides",
    "lift_at",
    "net_benefit_at",
    "normalised_at",
    "off_policy",
    "paired_gain",
    "precision_at",
    "prove_leak_free",
    "rate_name",
    "read_metric",
    "recall_at",
    "revenue_at",
    "revenue_share_at",
    "standard_segments",
    "whole_flow",
    "wilson_interval",
]
