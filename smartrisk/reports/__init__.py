"""Displays and pages made of results: the only pictures of the house.

Reads results (their frames) and tables; writes figures and pages. A display stores the
numbers, `plot` draws them, `frame` gives them back. A page is one HTML file that loads
nothing, in three languages. `save` writes the same bytes every time.
"""

from smartrisk.reports._backtest import BacktestDisplay
from smartrisk.reports._case_sheet import CaseSheet
from smartrisk.reports._closed_loop import ClosedLoopDisplay
from smartrisk.reports._data_card import DataCard
from smartrisk.reports._dependence import DependenceDisplay
from smartrisk.reports._drift import DriftDisplay
from smartrisk.reports._effort import EffortCurveDisplay
from smartrisk.reports._evaluation_report import EvaluationReport, PolicyReport
from smartrisk.reports._export import harmless
from smartrisk.reports._importance import ImportanceDisplay
from smartrisk.reports._model_card import ModelCard
from smartrisk.reports._policies import PolicyComparisonDisplay
from smartrisk.reports._profile import SegmentProfileDisplay
from smartrisk.reports._rate_curve import RateCurveDisplay
from smartrisk.reports._realism import RealismDisplay
from smartrisk.reports._reliability import ReliabilityDisplay
from smartrisk.reports._segments import SegmentsDisplay
from smartrisk.reports._stability import StabilityDisplay
from smartrisk.reports._watch_list import WatchList
from smartrisk.reports._waterfall import ReasonsDisplay

__all__ = [
    "BacktestDisplay",
    "CaseSheet",
    "ClosedLoopDisplay",
    "DataCard",
    "DependenceDisplay",
    "DriftDisplay",
    "EffortCurveDisplay",
    "EvaluationReport",
    "ImportanceDisplay",
    "ModelCard",
    "PolicyComparisonDisplay",
    "PolicyReport",
    "RateCurveDisplay",
    "RealismDisplay",
    "ReasonsDisplay",
    "ReliabilityDisplay",
    "SegmentProfileDisplay",
    "SegmentsDisplay",
    "StabilityDisplay",
    "WatchList",
    "harmless",
]
