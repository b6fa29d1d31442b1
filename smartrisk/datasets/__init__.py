"""Declarations whose truth is known, and loaders of public sets.

Reads nothing (or the files of a public set); writes DECLARATIONS, OUTCOMES and, for
made worlds, the hidden truth.
"""

from smartrisk.datasets._breakdown import Breakdown, breakdown
from smartrisk.datasets._change import Change
from smartrisk.datasets._example import example_declarations
from smartrisk.datasets._export import read_world, write_world
from smartrisk.datasets._kcs import PublicSet, load_kcs
from smartrisk.datasets._realism import Realism, realism
from smartrisk.datasets._scenario import FraudMix, Scenario
from smartrisk.datasets._stories import SCENARIOS
from smartrisk.datasets._world import World, make_declarations, stream_declarations

__all__ = [
    "SCENARIOS",
    "Breakdown",
    "Change",
    "FraudMix",
    "PublicSet",
    "Realism",
    "Scenario",
    "World",
    "breakdown",
    "example_declarations",
    "load_kcs",
    "make_declarations",
    "read_world",
    "realism",
    "stream_declarations",
    "write_world",
]
