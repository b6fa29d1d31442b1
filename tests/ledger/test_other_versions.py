"""Recorded decisions are computed again with other Pythons and versions of libraries.

Continuous integration names the environments that it has made anyway; the full trial is
benchmarks/replay.py.
"""

from __future__ import annotations

import os
import runpy

import pytest

from smartrisk.ledger import Ledger

pytestmark = pytest.mark.slow
#: Items that are recorded; each is replayed with its reasons.
N = 50


@pytest.fixture(scope="module")
def others():
    """Return the interpreters of other environments that hold this library."""
    named = os.environ.get("SMARTRISK_OTHER_PYTHONS", "")
    found = [name for name in named.split(os.pathsep) if name]
    if not found:
        pytest.skip("no other environment: SMARTRISK_OTHER_PYTHONS names none")
    return found


def test_decisions_are_replayed_bit_for_bit_with_other_versions(
    root, others, calibrated_engine, calibrated_split, tmp_path
):
    names = runpy.run_path(str(root / "benchmarks" / "replay.py"))
    items = calibrated_split.later.head(N)
    calibrated_engine.save(tmp_path / "engine")
    with Ledger(tmp_path / "decisions.sqlite") as ledger:
        ledger.record(
            calibrated_engine.select(items, 0.05),
            declarations=items,
            scores=calibrated_engine.score(items),
            reasons=calibrated_engine.explain(items),
        )
    for python in others:
        found = names["replay_elsewhere"](python, tmp_path)
        assert found["intact"]
        assert found["decisions"] == N
        assert found["exact"] == N or found["other_versions"], found
        assert found["differ"] == 0, found
