"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes
import platform
import re
from pathlib import Path

import numpy as np
import pytest

import smartrisk as sr
from smartrisk import memory
from smartrisk.engine import _training
from smartrisk.memory import return_free_memory


def anonymous_megabytes():
    """Return the memory of this process that no file holds."""
    text = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the GNU C library keeps what was freed"
)
def test_memory_that_was_freed_between_arrays_that_stay_goes_back():
    return_free_memory()
    before = anonymous_megabytes()
    # 200 MB in arrays small enough for the heap; those that stay hold its end.
    taken = [np.ones(12_000) for _ in range(2_000)]
    kept = [taken[-1], *taken[::100]]
    del taken
    return_free_memory()
    assert anonymous_megabytes() - before < 60
    assert len(kept) == 21


def test_without_the_gnu_library_nothing_happens(monkeypatch):
    def has_nothing(_):
        return object()

    monkeypatch.setattr(ctypes, "CDLL", has_nothing)
    memory._trim.cache_clear()
    try:
        return_free_memory()
        assert memory._trim()(0) == 0
    finally:
        memory._trim.cache_clear()


def test_the_models_train_after_what_was_freed_is_given_back(monkeypatch):
    done = []
    train = sr.models.RiskClassifier.fit
    monkeypatch.setattr(_training, "return_free_memory", lambda: done.append("freed"))
    monkeypatch.setattr(
        sr.models.RiskClassifier,
        "fit",
        lambda self, *given, **named: (
            done.append("trained"),
            train(self, *given, **named),
        )[1],
    )
    world = sr.datasets.make_declarations(3_000, random_state=0)
    classifier = sr.models.RiskClassifier(3)
    sr.RiskEngine(classifier=classifier).fit(world.declarations, world.outcomes)
    assert done == ["freed", "freed", "trained"]
