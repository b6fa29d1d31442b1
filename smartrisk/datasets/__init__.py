"""Declarations whose truth is known, and loaders of public sets.

Reads nothing (or the files of a public set); writes DECLARATIONS, OUTCOMES and, for
made worlds, the hidden truth.
"""

from smartrisk.datasets._example import example_declarations
from smartrisk.datasets._kcs import PublicSet, load_kcs
from smartrisk.datasets._scenario import SCENARIOS, Scenario
from smartrisk.datasets._world import World, make_declarations

__all__ = [
    "SCENARIOS",
    "PublicSet",
    "Scenario",
    "World",
    "example_declarations",
    "load_kcs",
    "make_declarations",
]
