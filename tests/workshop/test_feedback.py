"""Checks, hints, solutions and progress of a class folder."""

from __future__ import annotations

import json

import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError
from smartrisk.workshop import Feedback, Seat


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder of a class, in which the process stands."""
    Seat(seed=20_260_101, seat=1).write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_check_looks_at_the_name_where_it_is_called(folder):
    first_ten = None
    assert sr.workshop.check("4.1").status == "empty"
    first_ten = 3
    found = sr.workshop.check("4.1")
    assert (found.status, first_ten) == ("wrong", 3)


def test_a_lab_is_opened_from_a_folder_below_the_class(folder, monkeypatch):
    (folder / "notes").mkdir()
    monkeypatch.chdir(folder / "notes")
    assert sr.workshop.open_lab(4).folder == folder.resolve()


def test_outside_a_class_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match="smartrisk workshop"):
        sr.workshop.check("4.1", 3)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"seed": 1}', '{"seed": -1, "seat": 0, "lang": "en"}']
)
def test_a_damaged_class_file_is_named(tmp_path, text):
    (tmp_path / "class.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"class\.json.* cannot be read"):
        sr.workshop.open_lab(1, folder=tmp_path)


def test_hints_come_one_after_the_other(folder):
    first, second, third = (sr.workshop.hint("4.2").text for _ in range(3))
    assert first.startswith("1. ")
    assert "2. " not in first
    assert second == third == f"{first}\n{second.splitlines()[1]}"


def test_a_solution_is_shown_after_an_attempt(folder):
    assert sr.workshop.solution("4.1").status == "empty"
    sr.workshop.check("4.1", None)
    assert sr.workshop.solution("4.1").status == "empty"
    sr.workshop.check("4.1", 1)
    assert "first_ten = ranked" in sr.workshop.solution("4.1").text


def test_a_solution_is_shown_once_both_hints_are_out(folder):
    sr.workshop.hint("4.3")
    assert sr.workshop.solution("4.3").status == "empty"
    sr.workshop.hint("4.3")
    assert "both = " in sr.workshop.solution("4.3").text


def test_progress_is_kept_in_the_folder_and_what_was_right_stays(folder, make_lab):
    sr.workshop.check("4.1", 1)
    lab = sr.workshop.open_lab(4)
    ranked = lab.engine.score(lab.new).sort_values("risk_score", ascending=False)
    sr.workshop.check("4.1", ranked.head(10))
    sr.workshop.check("4.1", ranked.tail(10))
    frame = sr.workshop.read_progress(folder).frame().set_index("task")
    assert frame.loc["4.1", ["status", "attempts"]].tolist() == ["right", 3]
    assert sr.workshop.read_progress(folder).n_right == 1
    assert json.loads((folder / "progress.json").read_text(encoding="utf-8"))


def test_a_damaged_record_is_named_and_not_lost(folder):
    (folder / "progress.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"progress\.json.* cannot be read"):
        sr.workshop.check("4.1", 1)
    assert (folder / "progress.json").read_text(encoding="utf-8") == "{"


def test_an_answer_that_breaks_the_judge_is_not_right(make_lab):
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError("odd <b>")

    found = sr.workshop.check("4.2", Odd(), lab=make_lab(4))
    assert found.status == "wrong"


def test_an_unknown_task_names_the_nearest(make_lab):
    with pytest.raises(ArgumentError, match=r"no task '4\.9'.*4\.1"):
        sr.workshop.check("4.9", 1, lab=make_lab(4))


def test_a_notebook_shows_texts_escaped():
    html = Feedback(task="4.1", status="wrong", text="<b>no</b>")._repr_html_()
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "✗ 4.1" in html
