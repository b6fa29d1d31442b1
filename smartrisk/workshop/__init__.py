"""A class taught in a day: labs whose tasks check themselves, in three languages.

Reads the sources of the labs and their catalogues; writes notebooks, and the pages
around them. Worlds are made on the spot, so every learner can have one of their own.
"""

from smartrisk.workshop._competition import Competition, Scores, verify_opening
from smartrisk.workshop._feedback import (
    Feedback,
    Progress,
    check,
    hint,
    read_progress,
    solution,
)
from smartrisk.workshop._folder import write
from smartrisk.workshop._game import Game
from smartrisk.workshop._hit import Hit
from smartrisk.workshop._lab import Lab, Seat, open_lab
from smartrisk.workshop._machine_check import Finding, MachineCheck, check_machine
from smartrisk.workshop._standings import Standings
from smartrisk.workshop._stick import Stick, write_stick
from smartrisk.workshop._use_case import UseCase

__all__ = [
    "Competition",
    "Feedback",
    "Finding",
    "Game",
    "Hit",
    "Lab",
    "MachineCheck",
    "Progress",
    "Scores",
    "Seat",
    "Standings",
    "Stick",
    "UseCase",
    "check",
    "check_machine",
    "hint",
    "open_lab",
    "read_progress",
    "solution",
    "verify_opening",
    "write",
    "write_stick",
]
