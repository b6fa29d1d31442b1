"""Displays and pages made of results: the only pictures of the house.

Reads results (their frames) and tables; writes figures. A display stores the numbers,
`plot` draws them, `frame` gives them back, `save` writes the same bytes every time.
"""

from smartrisk.reports._closed_loop import ClosedLoopDisplay
from smartrisk.reports._effort import EffortCurveDisplay
from smartrisk.reports._policies import PolicyComparisonDisplay
from smartrisk.reports._rate_curve import RateCurveDisplay
from smartrisk.reports._realism import RealismDisplay
from smartrisk.reports._reliability import ReliabilityDisplay

__all__ = [
    "ClosedLoopDisplay",
    "EffortCurveDisplay",
    "PolicyComparisonDisplay",
    "RateCurveDisplay",
    "RealismDisplay",
    "ReliabilityDisplay",
]
