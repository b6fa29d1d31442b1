"""Labs of two seats, and what learners hand in."""

from __future__ import annotations

import pytest

import smartrisk as sr
from smartrisk.workshop import Lab, Seat
from smartrisk.workshop._sources import read_source
from smartrisk.workshop.tasks import find_task


@pytest.fixture(scope="session")
def make_lab():
    """Return what makes a lab of a seat; worlds and engines are kept by the library."""

    def make(number, seat=1, lang="en", folder=None):
        return Lab(number, Seat(seed=20_260_101, seat=seat, lang=lang), folder=folder)

    return make


def _run_cells(lab, upto=None, answers=None):
    """Return the names that the code of a lab leaves behind, solved.

    `answers` has other code for some tasks; cells after the task `upto` are not run.
    """
    names = {"sr": sr, "lab": lab}
    for cell in read_source(f"lab-{lab.number:02}", lab.lang).cells:
        if cell.kind == "code" and "open_lab" not in cell.text:
            exec(compile(cell.text, cell.task, "exec"), names)
        if cell.kind == "solution":
            code = (answers or {}).get(cell.task, cell.text)
            exec(compile(code, cell.task, "exec"), names)
        if cell.task == upto and cell.kind == "solution":
            break
    return names


@pytest.fixture(scope="session")
def run_cells():
    """Return what runs the code of a lab, solved, and returns its names."""
    return _run_cells


@pytest.fixture(scope="session")
def answer_of():
    """Return what finds the answer of a task among the names of a lab."""
    return lambda names, task: names.get(find_task(task).name)


@pytest.fixture(scope="session")
def hand_in(answer_of):
    """Return what says what is found of the answer that a piece of code gives."""

    def say(lab, task, code):
        names = _run_cells(lab, upto=task, answers={task: code})
        return sr.workshop.check(task, answer_of(names, task), lab=lab)

    return say
