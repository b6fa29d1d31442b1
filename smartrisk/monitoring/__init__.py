"""Monitoring: how the trade changed, and whether a batch fits what an engine knows.

Reads two tables of the same columns, or a batch of DECLARATIONS and the profile of the
inputs of an engine; writes how far each field moved, and what does not fit.
"""

from smartrisk.monitoring._drift import SHIFTS, Drift, drift
from smartrisk.monitoring._guard_report import GuardReport
from smartrisk.monitoring._profile import InputProfile
from smartrisk.monitoring._profile_packing import profile_from_plain, profile_to_plain
from smartrisk.monitoring._profile_rows import ProfileRows

__all__ = [
    "SHIFTS",
    "Drift",
    "GuardReport",
    "InputProfile",
    "ProfileRows",
    "drift",
    "profile_from_plain",
    "profile_to_plain",
]
