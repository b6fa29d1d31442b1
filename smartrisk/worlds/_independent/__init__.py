"""Worlds of another construction: the independent family of scenarios.

Reads an `IndependentScenario` and a seed; writes the same tables as the other worlds.
Trade grows by copying earlier consignments, prices have quality tiers and heavy tails,
some traders have several tricks and their own habits of writing numbers, and officers
choose by noisy preferences. Nothing but names and formats is shared with the monthly
run of the other scenarios, so that a default chosen on one family can be judged on the
other.
"""

from smartrisk.worlds._independent._control import inspect_again
from smartrisk.worlds._independent._presets import (
    INDEPENDENT_SCENARIOS,
    IndependentScenario,
    TrickMix,
)
from smartrisk.worlds._independent._tables import IndependentTables, make_tables

__all__ = [
    "INDEPENDENT_SCENARIOS",
    "IndependentScenario",
    "IndependentTables",
    "TrickMix",
    "inspect_again",
    "make_tables",
]
