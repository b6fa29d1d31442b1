"""Enforcement statistics: indicators as data, one engine, as of a moment.

Reads DECLARATIONS, OUTCOMES, DECISIONS, MILESTONES, CASES and SEIZURES; writes counts,
rates with intervals, what is pending and why a figure is absent, by groups with their
totals; says what of it is safe to publish; writes CSV, workbooks and SDMX-CSV with
their metadata.
"""

from smartrisk.statistics._cases import CaseStatistics, cases
from smartrisk.statistics._definitions import Definition, read_definitions
from smartrisk.statistics._enforcement import (
    AGE,
    EnforcementStatistics,
    enforcement,
)
from smartrisk.statistics._measures import LEAST_RANDOM
from smartrisk.statistics._population import PERIODS, TOTAL
from smartrisk.statistics._publishing import (
    Release,
    ReleaseComparison,
    compare,
    publish,
)
from smartrisk.statistics._words import translate_sentence
from smartrisk.statistics._writing import write

__all__ = [
    "AGE",
    "LEAST_RANDOM",
    "PERIODS",
    "TOTAL",
    "CaseStatistics",
    "Definition",
    "EnforcementStatistics",
    "Release",
    "ReleaseComparison",
    "cases",
    "compare",
    "enforcement",
    "publish",
    "read_definitions",
    "translate_sentence",
    "write",
]
