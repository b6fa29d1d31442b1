"""Processes that write at once or are killed lose nothing that was acknowledged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from smartrisk.errors import LedgerError


@pytest.fixture
def run_apart(root):
    """Return a function that runs a trial in a process that may fork and be killed."""

    def run(trial, rounds):
        done = subprocess.run(
            [
                sys.executable,
                root / "benchmarks/ledger.py",
                trial,
                f"--rounds={rounds}",
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return json.loads(done.stdout)

    return run


@pytest.mark.slow
def test_eight_processes_that_write_at_once_make_one_chain(run_apart):
    counts = run_apart("writers", 25)
    assert counts["entries"] == 200
    assert counts["lost"] == counts["failed"] == counts["problems"] == 0


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged(run_apart):
    counts = run_apart("kills", 30)
    assert counts["acknowledged"] > 30
    assert counts["lost"] == counts["doubled"] == counts["half_batches"] == 0


def test_another_thread_is_refused_with_the_remedy(ledger):
    problems = []

    def note():
        try:
            ledger.note("from elsewhere")
        except LedgerError as error:
            problems.append(error)

    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    assert [error.message_id for error in problems] == ["ledger.other_thread"]
    assert "one Ledger for each thread" in str(problems[0])


def test_another_process_is_refused_with_the_remedy(ledger, monkeypatch):
    own = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: own + 1)
    with pytest.raises(LedgerError, match="Open it again in this process"):
        ledger.note("from a child")
