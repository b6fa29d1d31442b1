"""Labs of two seats, a competition, and what learners and teams hand in."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk import schema
from smartrisk.validation import validate
from smartrisk.workshop import Competition, Lab, Seat
from smartrisk.workshop._sources import read_source
from smartrisk.workshop.tasks import find_task

SEED = 0xC0FFEE_1234_5678_9ABC_DEF0_2468_ACE1


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


@pytest.fixture(scope="session")
def sealed(tmp_path_factory):
    """Return a competition; the tests read its folders and change nothing."""
    place = tmp_path_factory.mktemp("competition")
    return Competition.open(
        place / "class", place / "trainer", n_items=2_000, capacity=10, seed=SEED
    )


@pytest.fixture
def own_copy(sealed, tmp_path):
    """Return the trainer's folder, to damage."""
    return shutil.copytree(sealed.key.parent, tmp_path / "own")


@pytest.fixture(scope="session")
def class_folder(sealed):
    """Return what the class has."""
    return sealed.key.parents[1] / "class" / "competition"


@pytest.fixture(scope="session")
def round_items(class_folder):
    """Return a function that reads the items of a round as a team does."""
    return lambda number: read_table(class_folder, f"round{number}_items.csv")


@pytest.fixture(scope="session")
def read_class():
    """Return the function that reads a table of the class."""
    return read_table


@pytest.fixture(scope="session")
def truth(sealed):
    """Return the truth of the rounds."""
    return pd.read_csv(sealed.key.with_name("competition-truth.csv"))


def read_table(folder, name, table=schema.DECLARATIONS):
    """Return a table of a folder, validated."""
    return validate(pd.read_csv(folder / name, dtype="str"), table)
