"""Enforcement statistics: indicators as data, one engine, as of a moment.

Reads DECLARATIONS, OUTCOMES, DECISIONS, MILESTONES and overrides; writes counts, rates
with intervals, what is pending and why a figure is absent, by groups with their totals.
"""

from smartrisk.statistics._definitions import Definition, read_definitions
from smartrisk.statistics._enforcement import (
    AGE,
    EnforcementStatistics,
    enforcement,
)
from smartrisk.statistics._measures import LEAST_RANDOM

__all__ = [
    "AGE",
    "LEAST_RANDOM",
    "Definition",
    "EnforcementStatistics",
    "enforcement",
    "read_definitions",
]
