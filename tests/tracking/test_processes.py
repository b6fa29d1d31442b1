"""Which process made a run, and whether it lives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from smartrisk.tracking import _processes
from smartrisk.tracking._processes import Process


@pytest.fixture
def ended():
    """Return a process of this machine that has ended."""
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return replace(Process.current(), pid=child.pid)


def test_the_calling_process_lives_and_survives_its_text():
    process = Process.current()
    assert process.pid == os.getpid()
    assert process.life() == "lives"
    assert Process.from_text(process.to_text()) == process


@pytest.mark.parametrize("text", ["", "7", "[]", '{"pid": 7, "colour": "red"}'])
def test_other_texts_name_no_process(text):
    assert Process.from_text(text) is None


def test_a_process_that_ended_is_known_to_have(ended):
    assert ended.life() == "ended"


def test_a_number_that_was_given_again_is_another_process():
    process = Process.current()
    if not process.start:
        pytest.skip("the start of a process is not known here")
    assert replace(process, start="1").life() == "ended"
    # A start that nobody knew proves nothing.
    assert replace(process, start="").life() == "lives"


def test_a_process_before_the_last_boot_has_ended():
    assert replace(Process.current(), boot="another").life() == "ended"


@pytest.mark.parametrize("part", ["host", "machine", "space"])
def test_nobody_knows_of_a_process_elsewhere(ended, part):
    assert replace(ended, **{part: "another"}).life() == "elsewhere"


def test_a_child_that_nobody_asked_for_has_ended():
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    child = subprocess.Popen([sys.executable, "-S", "-c", ""], stdout=subprocess.PIPE)
    process = replace(
        Process.current(), pid=child.pid, start=_processes._start_of(child.pid)
    )
    child.stdout.read()  # its end is reached when the process has ended
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.life() == "ended"
    child.stdout.close()
    child.wait()
