"""Displays: results drawn as figures.

Reads results (their frames); writes figures. A display stores the numbers, `plot` draws
them, `frame` returns them. `save` writes the same bytes every time.
"""

from smartrisk.displays._backtest import BacktestDisplay
from smartrisk.displays._closed_loop import ClosedLoopDisplay
from smartrisk.displays._dependence import DependenceDisplay
from smartrisk.displays._display import Display
from smartrisk.displays._drift import DriftDisplay
from smartrisk.displays._effort import EffortCurveDisplay
from smartrisk.displays._importance import ImportanceDisplay
from smartrisk.displays._months import MonthsDisplay
from smartrisk.displays._policies import PolicyComparisonDisplay
from smartrisk.displays._rate_curve import RateCurveDisplay
from smartrisk.displays._realism import RealismDisplay
from smartrisk.displays._reasons import ReasonsDisplay
from smartrisk.displays._reliability import ReliabilityDisplay
from smartrisk.displays._segment_profile import SegmentProfileDisplay
from smartrisk.displays._segments import SegmentsDisplay
from smartrisk.displays._stability import StabilityDisplay
from smartrisk.displays._texts import Texts

__all__ = [
    "BacktestDisplay",
    "ClosedLoopDisplay",
    "DependenceDisplay",
    "Display",
    "DriftDisplay",
    "EffortCurveDisplay",
    "ImportanceDisplay",
    "MonthsDisplay",
    "PolicyComparisonDisplay",
    "RateCurveDisplay",
    "RealismDisplay",
    "ReasonsDisplay",
    "ReliabilityDisplay",
    "SegmentProfileDisplay",
    "SegmentsDisplay",
    "StabilityDisplay",
    "Texts",
]
