"""Laws of every lab: solutions are right, other seats' answers and rubbish are not."""

from __future__ import annotations

import ast
import re

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.languages import catalogue
from smartrisk.workshop._sources import list_labs, list_messages, read_source
from smartrisk.workshop.tasks import find_task, list_tasks

TASKS = list(list_tasks())
LABS = [int(name[-2:]) for name in list_labs()]
RUBBISH = (0, 1.5, "a text", [], {}, pd.DataFrame(), pd.Series([1.0]), object, True)
each_lab = pytest.mark.parametrize("number", LABS)


@pytest.fixture(scope="module")
def solved(make_lab, run_cells):
    """Return what makes the names of a solved lab, once for each seat and number."""
    kept = {}

    def solve(number, seat=1):
        if (number, seat) not in kept:
            kept[number, seat] = run_cells(make_lab(number, seat))
        return kept[number, seat]

    return solve


def tasks_of(number):
    """Return the tasks of a lab."""
    return [task for task in TASKS if int(task.partition(".")[0]) == number]


@each_lab
def test_a_solution_is_right_and_nothing_and_rubbish_are_not(
    make_lab, solved, answer_of, number
):
    lab, names = make_lab(number), solved(number)
    assert 2 <= len(tasks_of(number)) <= 4
    for task in tasks_of(number):
        found = sr.workshop.check(task, answer_of(names, task), lab=lab)
        assert found.status == "right", (task, found.text)
        assert sr.workshop.check(task, None, lab=lab).status == "empty"
        for rubbish in RUBBISH:
            found = sr.workshop.check(task, rubbish, lab=lab)
            assert found.status in ("wrong", "mistake"), (task, rubbish, found.text)


@each_lab
def test_the_answers_of_another_seat_are_refused(make_lab, solved, answer_of, number):
    """A neighbour's table, number or policy is not the answer of this seat."""
    other = solved(number, seat=2)
    tasks = [task for task in tasks_of(number) if task not in SAME_FOR_ALL]
    for task in tasks:
        found = sr.workshop.check(task, answer_of(other, task), lab=make_lab(number))
        assert found.status != "right", task
    assert tasks


#: Tasks whose answer is a word or a plan, which is right whatever the data.
#: 10.3: the points that a card leaves open follow from what was handed to it.
#: 3.3: a function that computes the values of whatever tables it is given.
SAME_FOR_ALL: frozenset[str] = frozenset({"3.3", "10.3"})


@each_lab
def test_a_lab_has_its_parts(number):
    source = read_source(f"lab-{number:02}")
    text = "\n".join(cell.text for cell in source.cells if cell.kind == "text")
    assert source.title.startswith(f"Lab {number}. ")
    for part in ("**Aims.**", "**Time.**", "## A worked example", "## Key points"):
        assert part in text, part
    assert "`guide/" in text
    code = "\n".join(cell.text for cell in source.cells if cell.kind == "code")
    assert ".plot(lang=lab.lang)" in code or ".svg(lang=lab.lang)" in code
    for task in tasks_of(number):
        kinds = [cell.kind for cell in source.cells if cell.task == task]
        assert kinds == ["task", "solution"], task
        name = find_task(task).name
        empty = next(c.text for c in source.cells if c.task == task)
        assert f"{name} = None" in empty
    assert len([c for c in source.cells if c.kind == "task"]) == len(tasks_of(number))


@each_lab
@pytest.mark.parametrize("lang", ["fr", "es"])
def test_code_is_the_same_in_every_language(number, lang):
    english = read_source(f"lab-{number:02}")
    translated = read_source(f"lab-{number:02}", lang)
    for one, other in zip(english.cells, translated.cells, strict=True):
        assert (one.kind, one.task) == (other.kind, other.task)
        if one.kind == "text":
            assert one.text != other.text
        else:
            assert ast.dump(ast.parse(one.text)) == ast.dump(ast.parse(other.text))


@pytest.mark.parametrize("name", list_labs())
@pytest.mark.parametrize("lang", ["fr", "es"])
def test_code_in_a_sentence_is_kept(name, lang):
    translate = catalogue(name, lang).gettext
    for text in list_messages(name):
        code = sorted(re.findall(r"`[^`]+`", text))
        assert sorted(re.findall(r"`[^`]+`", translate(text))) == code, text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("lang", ["fr", "es"])
def test_a_task_speaks_the_language_of_the_class(make_lab, task, lang):
    lab = make_lab(int(task.partition(".")[0]), lang=lang)
    english = sr.workshop.check(task, None, lab=make_lab(lab.number))
    found = sr.workshop.check(task, None, lab=lab)
    assert found.text != english.text
    found = find_task(task)
    gettext = catalogue(f"lab-{lab.number:02}", lang).gettext
    for text in (found.asks, found.meaning, *found.hints):
        assert gettext(text) != text
