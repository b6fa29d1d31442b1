"""Synthetic worlds: declarations whose truth is known, generated month by month.

Reads a scenario and a seed; writes DECLARATIONS, OUTCOMES, DECISIONS and the hidden
truth.
"""

from smartrisk.worlds._breakdown import Breakdown, breakdown
from smartrisk.worlds._changes import Change
from smartrisk.worlds._independent import (
    INDEPENDENT_SCENARIOS,
    IndependentScenario,
    TrickMix,
)
from smartrisk.worlds._named_scenarios import SCENARIOS
from smartrisk.worlds._realism import Realism, realism
from smartrisk.worlds._scenario import FraudMix, Scenario
from smartrisk.worlds._world import World, make_declarations, stream_declarations
from smartrisk.worlds._world_files import read_world, write_world

__all__ = [
    "INDEPENDENT_SCENARIOS",
    "SCENARIOS",
    "Breakdown",
    "Change",
    "FraudMix",
    "IndependentScenario",
    "Realism",
    "Scenario",
    "TrickMix",
    "World",
    "breakdown",
    "make_declarations",
    "read_world",
    "realism",
    "stream_declarations",
    "write_world",
]
