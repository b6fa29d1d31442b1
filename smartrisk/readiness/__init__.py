"""Readiness: which use cases declarations, results and decisions allow today.

Reads DECLARATIONS, OUTCOMES and DECISIONS; writes an answer to each question that data
can answer, with its evidence, what it blocks and the next step, and the questions that
only people can answer, with who. There is no overall score.
"""

from smartrisk.readiness._assess import Readiness, assess
from smartrisk.readiness._thresholds import LEAST_TRADERS, THRESHOLDS

__all__ = ["LEAST_TRADERS", "THRESHOLDS", "Readiness", "assess"]
