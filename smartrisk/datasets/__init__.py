"""Data to start from: synthetic worlds, public sets, example items.

Reads a scenario and a seed, or the files of a public set; writes DECLARATIONS, OUTCOMES
and, for synthetic worlds, the hidden truth. The generator itself is `smartrisk.worlds`.
"""

from smartrisk.datasets._example import example_declarations
from smartrisk.datasets._kcs import PublicSet, load_kcs
from smartrisk.datasets._labels import join_labels
from smartrisk.worlds import (
    INDEPENDENT_SCENARIOS,
    SCENARIOS,
    Breakdown,
    Change,
    FraudMix,
    IndependentScenario,
    Realism,
    Scenario,
    TrickMix,
    World,
    breakdown,
    make_declarations,
    read_world,
    realism,
    stream_declarations,
    write_world,
)

__all__ = [
    "INDEPENDENT_SCENARIOS",
    "SCENARIOS",
    "Breakdown",
    "Change",
    "FraudMix",
    "IndependentScenario",
    "PublicSet",
    "Realism",
    "Scenario",
    "TrickMix",
    "World",
    "breakdown",
    "example_declarations",
    "join_labels",
    "load_kcs",
    "make_declarations",
    "read_world",
    "realism",
    "stream_declarations",
    "write_world",
]
