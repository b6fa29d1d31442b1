"""The folder of a class: whole or not at all, and never over somebody's work."""

from __future__ import annotations

import json
import sys

import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, MissingExtraError
from smartrisk.workshop import _folder
from smartrisk.workshop._sources import list_labs


def read_all(folder):
    """Return the content of every file by its path."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_class_has_its_parts_and_the_trainer_more(tmp_path):
    sr.workshop.write(tmp_path / "class", seed=7, seat=3)
    sr.workshop.write(tmp_path / "whole", seed=7, seat=3, trainer=True)
    files, whole = read_all(tmp_path / "class"), read_all(tmp_path / "whole")
    assert {"START.html", "glossary.html", "class.json"} <= set(files)
    assert sum(name.startswith("lab-") for name in files) == len(list_labs())
    assert {
        name: whole[name] for name in files
    } == files  # the same seat, byte for byte
    answers = [name for name in whole if name.startswith("trainer/answers/")]
    assert len(answers) == len(list_labs())


def test_a_class_without_a_seed_draws_one_that_nobody_guesses(tmp_path):
    seeds = set()
    for name in "ab":
        sr.workshop.write(tmp_path / name)
        text = (tmp_path / name / "class.json").read_text(encoding="utf-8")
        seeds.add(json.loads(text)["seed"])
    assert len(seeds) == 2
    assert max(seeds) > 2**40


def test_a_folder_with_anything_in_it_is_refused_and_unchanged(tmp_path):
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"never overwritten.*--refresh"):
        sr.workshop.write(tmp_path)
    assert read_all(tmp_path) == {"notes.txt": b"notes"}


def test_a_refresh_adds_what_is_missing_and_touches_nothing_else(tmp_path):
    folder = tmp_path / "class"
    files = sr.workshop.write(folder, seed=7, seat=3, lang="es")
    before = read_all(folder)
    notebook = next(file for file in files if file.suffix == ".ipynb")
    notebook.write_text("a learner's work", encoding="utf-8")
    (folder / "START.html").unlink()
    added = sr.workshop.write(folder, refresh=True)
    assert [file.name for file in added] == ["START.html"]
    after = read_all(folder)
    name = str(notebook.relative_to(folder))
    assert after.pop(name) == b"a learner's work"
    before.pop(name)
    assert after == before


@pytest.mark.parametrize("given", [{"seed": 8}, {"seat": 4}, {"lang": "fr"}])
def test_a_refresh_for_another_seat_is_refused(tmp_path, given):
    folder = tmp_path / "class"
    sr.workshop.write(folder, seed=7, seat=3)
    with pytest.raises(ArgumentError, match=next(iter(given))):
        sr.workshop.write(folder, refresh=True, **given)


def test_a_refresh_of_no_class_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="holds no class"):
        sr.workshop.write(tmp_path, refresh=True)


def test_an_interrupted_class_is_not_there(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_folder, "write_table", fail)
    with pytest.raises(KeyboardInterrupt):
        sr.workshop.write(tmp_path / "class", seed=7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_a_notebook_is_valid_and_the_same_every_time(lang):
    import nbformat

    from smartrisk.workshop._notebooks import make_notebook

    for name in list_labs():
        for solved in (False, True):
            notebook = make_notebook(name, lang, solved=solved)
            nbformat.validate(notebook)
            assert notebook == make_notebook(name, lang, solved=solved)


@pytest.mark.parametrize("name", ["nbformat", "markdown_it"])
def test_without_the_extra_the_error_names_it_and_nothing_is_written(
    tmp_path, monkeypatch, name
):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"smartrisk\[workshop\]"):
        sr.workshop.write(tmp_path / "class", seed=7)
    assert list(tmp_path.iterdir()) == []
