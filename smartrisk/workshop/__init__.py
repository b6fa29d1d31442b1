"""A class taught in a day: labs whose tasks check themselves, in three languages.

Reads the sources of the labs and their catalogues; writes notebooks, and the pages
around them. Worlds are made on the spot, so every learner can have one of their own.
"""

from smartrisk.workshop._feedback import (
    Feedback,
    Progress,
    check,
    hint,
    read_progress,
    solution,
)
from smartrisk.workshop._folder import write_class
from smartrisk.workshop._lab import Lab, Seat, open_lab

__all__ = [
    "Feedback",
    "Lab",
    "Progress",
    "Seat",
    "check",
    "hint",
    "open_lab",
    "read_progress",
    "solution",
    "write_class",
]
