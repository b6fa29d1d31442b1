"""Monitoring: has the trade changed, and does a batch fit what an engine learned?

Reads two tables of the same columns, or a batch of DECLARATIONS and the profile of the
inputs of an engine; writes how far each field moved, and what does not fit.
"""

from smartrisk.monitoring._drift import SHIFTS, Drift, drift

__all__ = ["SHIFTS", "Drift", "drift"]
