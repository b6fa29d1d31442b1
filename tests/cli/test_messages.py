"""Messages are rendered in one place, name their file, and keep their parts."""

from __future__ import annotations

import pickle
import re
import warnings
from types import SimpleNamespace

import pytest

from smartrisk import languages
from smartrisk.cli._messages import (
    FileError,
    find_language,
    naming_file,
    render_message,
    render_warning,
    speaking,
)
from smartrisk.errors import ArgumentError, DataQualityWarning, Message

ERROR = ArgumentError("example.capacity", "capacity is {capacity}.", capacity=-1)
WARNING = DataQualityWarning("example.codes", "{n} unknown codes.", n=3)


def test_a_message_without_a_translation_reads_english():
    for lang in ("en", "fr", "es"):
        assert render_message(ERROR, lang) == "capacity is -1."
        assert render_message(WARNING, lang) == "3 unknown codes."


def test_a_catalogue_translates_the_template_and_keeps_the_values(monkeypatch):
    words = {"capacity is {capacity}.": "la capacité est {capacity}."}
    words["{path}: {problem}"] = "{path} : {problem}"
    french = SimpleNamespace(gettext=words.get)
    monkeypatch.setattr(languages, "catalogue", lambda domain, lang: french)
    assert render_message(ERROR, "fr") == "la capacité est -1."
    assert render_message(FileError("a.csv", ERROR), "fr") == (
        "a.csv : la capacité est -1."
    )
    assert render_message(ERROR, "en") == "capacity is -1."
    finding = Message("example.capacity", "capacity is {capacity}.", capacity=2)
    assert render_message(finding, "fr") == "la capacité est 2."
    assert render_message(finding) == "capacity is 2."
    with speaking("fr"):
        assert render_message(finding) == "la capacité est 2."
    assert render_message(finding) == "capacity is 2."


@pytest.mark.parametrize(
    ("given", "environment", "lang"),
    [
        (None, {}, "en"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {"LANG": "es_PE.UTF-8"}, "es-MX"),
        (None, {"LANG": "es_CL.UTF-8"}, "es"),
        (None, {"LANG": "es_PE.UTF-8", "LC_ALL": "fr_FR"}, "fr"),
        (None, {"LANG": "es_PE.UTF-8", "SMARTRISK_LANG": "fr"}, "fr"),
        ("es", {"SMARTRISK_LANG": "fr"}, "es"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_option_the_variable_or_that_of_the_system(
    given, environment, lang
):
    assert find_language(given, environment) == lang


def test_an_error_of_a_file_names_the_file_and_keeps_its_cause():
    text = re.escape("a.csv: capacity is -1.")
    with pytest.raises(FileError, match=text) as caught, naming_file("a.csv"):
        raise ERROR
    assert caught.value.message_id == "cli.file_has_problem"
    assert caught.value.problem is ERROR
    copy = pickle.loads(pickle.dumps(caught.value))
    assert render_message(copy) == "a.csv: capacity is -1."


def test_a_warning_names_the_file_that_is_read_and_no_other():
    with naming_file("a.csv"):
        assert render_warning(WARNING) == "a.csv: 3 unknown codes."
        assert render_warning("old format") == "a.csv: old format"
    assert render_warning(WARNING) == "3 unknown codes."


def test_after_an_error_no_file_is_named():
    with pytest.raises(FileError), naming_file("a.csv"):
        raise ERROR
    assert render_warning(WARNING) == "3 unknown codes."


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("score {files}/outcomes.csv --engine {files}/engine", "outcomes.csv"),
        ("validate outside.csv --columns map.toml", "map.toml"),
        (
            "fit --declarations {files}/new.csv --outcomes {files}/new.csv --out e",
            "new.csv",
        ),
        (
            "evaluate --declarations {files}/new.csv --outcomes {files}/past.parquet "
            "--engine {files}/engine",
            "past.parquet",
        ),
    ],
)
def test_the_command_line_names_the_file_of_an_error(run, files, tmp_path, words, file):
    (tmp_path / "outside.csv").write_text("declaration_id\nA\n")
    (tmp_path / "map.toml").write_text("mapping = [")
    status, _, err = run(*words.format(files=files).split())
    assert status == 2
    assert re.match(rf"smartrisk: error: \S*{re.escape(file)}: ", err)


def test_every_message_of_the_command_line_has_its_own_identifier(root):
    texts = [path.read_text() for path in (root / "smartrisk" / "cli").glob("*.py")]
    identifiers = re.findall(r'"(cli\.\w+)"', "\n".join(texts))
    assert len(identifiers) == len(set(identifiers)) >= 10


def test_warnings_of_other_kinds_stay_silent(capsys):
    from smartrisk.cli._main import _make_warning_printer

    printer = _make_warning_printer("en")
    with warnings.catch_warnings():
        printer(DeprecationWarning("x"), DeprecationWarning, "file.py", 1)
        printer(WARNING, DataQualityWarning, "file.py", 1)
    assert capsys.readouterr().err == "smartrisk: warning: 3 unknown codes.\n"
