"""Help, usage and errors of the command line are in the language that was asked for."""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import re

import pytest

from smartrisk.cli import main
from smartrisk.cli._help import (
    ARGPARSE,
    ARGPARSE_PLURALS,
    PLACEHOLDER,
    Parser,
    asked_language,
    help_texts,
    translate_parser,
)
from smartrisk.cli._main import make_parser
from smartrisk.cli._terminal import make_encodable
from smartrisk.cli._workshop_options import name_action
from smartrisk.languages import catalogue

COMMANDS = sorted(next(iter(make_parser()._subparsers._group_actions)).choices)
both = pytest.mark.parametrize("lang", ["fr", "es"])
#: Texts of `argparse` for those who write a parser.
FOR_PROGRAMMERS = re.compile(
    r"conflicting|__call__|invalid for positionals|invalid argument for|mutually "
    r"exclusive|can't open|cannot merge|invalid option string|dest= is required|"
    r"conflict_resolution|cannot have|is not callable|with mode|^subcommands$|"
    r"is deprecated|^%\(heading\)s:$|warning:|option %\(option\)r"
)


def show(words, capsys):
    """Return what a request prints before it ends."""
    with pytest.raises(SystemExit):
        main(words)
    written = capsys.readouterr()
    return written.out + written.err


def texts_of_argparse():
    """Return the texts that the running `argparse` marks for translation."""
    tree = ast.parse(inspect.getsource(argparse))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def test_every_text_that_argparse_shows_to_a_person_is_in_the_catalogue():
    found = set(texts_of_argparse())
    assert len(found) > 25
    assert {x for x in found if not FOR_PROGRAMMERS.search(x)} - set(ARGPARSE) == set()


@both
def test_the_texts_of_a_translated_parser_are_those_of_the_catalogue(lang):
    english = make_parser()
    translated = make_parser()
    translate_parser(translated, lang)
    texts = catalogue("help", lang)
    wanted = {
        (context, texts.pgettext(context, text) if context else texts.gettext(text))
        for context, text in help_texts(english)
    }
    assert len(wanted) > 120
    assert help_texts(translated) == wanted


@both
def test_every_long_text_of_the_help_differs_from_the_english_one(lang):
    texts = catalogue("help", lang)
    long = [text for _, text in help_texts(make_parser()) if text.count(" ") > 1]
    assert len(long) > 60
    assert [text for text in long if texts.gettext(text) == text] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_is_translated_wherever_the_language_stands(
    command, capsys, monkeypatch
):
    before = show(["--lang", "fr", command, "--help"], capsys)
    assert before.startswith("utilisation")
    assert "afficher cette aide" in before
    assert not re.search(r"usage:|show this help|options:$", before, re.M)
    monkeypatch.setenv("SMARTRISK_LANG", "es")
    assert show([command, "--lang=fr", "--help"], capsys) == before
    assert show([command, "--help"], capsys).startswith("uso: ")
    assert show(["--lang", "en", command, "--help"], capsys).startswith("usage: ")


@both
def test_refusals_of_the_parser_are_translated(lang, capsys):
    texts = catalogue("help", lang)
    required = texts.gettext("the following arguments are required: %s") % "--out"
    assert required in show(["fit", f"--lang={lang}"], capsys)
    unknown = texts.gettext("unrecognized arguments: %s") % "--nix"
    assert unknown in show(["generate", "--lang", lang, "--out=a", "--nix"], capsys)
    refused = show(["select", "--engine=e", "--capacity=x", "--lang", lang], capsys)
    assert "must be" not in refused
    assert {"fr": "une part (0.05 ou 5%)", "es": "una proporción"}[lang] in refused
    expected = texts.gettext("expected one argument")
    assert expected in show(["fit", f"--lang={lang}", "--out"], capsys)
    # Nothing of a request stays behind.
    assert "required: --out" in show(["fit", "--lang", "en"], capsys)


def test_the_language_is_read_before_the_request_is():
    assert asked_language(["fit", "--lang", "fr"]) == "fr"
    assert asked_language(["--lang=es", "fit"]) == "es"
    assert asked_language(["fit", "--lang"]) is None
    assert asked_language(["fit", "--", "--lang", "fr"]) is None
    assert asked_language([]) is None


@pytest.mark.parametrize("lang", [["--lang", "fr"], ["--lang=fr"]])
def test_a_folder_of_a_class_may_stand_after_a_language(lang):
    wanted = ["workshop", "write", "a"]
    assert name_action([*lang, "workshop", "a"]) == [*lang, *wanted]
    assert name_action(["workshop", *lang, "a"]) == [*wanted[:2], *lang, "a"]
    for action in (["progress", "a"], ["--help"]):
        words = ["workshop", *lang, *action]
        assert name_action(words) == words
    assert name_action(["fit", "--out", "workshop"]) == ["fit", "--out", "workshop"]


def test_an_unknown_language_is_refused(capsys):
    assert "invalid choice: 'de'" in show(["fit", "--lang=de"], capsys)


def test_a_terminal_keeps_the_characters_that_it_has():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    assert make_encodable("créé\u202f: Łódź", stream) == "créé : ódz"
    ascii_stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert make_encodable("clé\u202f: 5 – 6", ascii_stream) == "cle : 5 - 6"
    parser = Parser(prog="p", description="clé")
    parser.print_help(ascii_stream)
    ascii_stream.flush()
    assert b"\ncle\n" in ascii_stream.buffer.getvalue()


def test_placeholders_and_plurals_are_translated():
    texts = catalogue("help", "fr")
    assert texts.pgettext(PLACEHOLDER, "FOLDER") == "DOSSIER"
    ((one, many),) = ARGPARSE_PLURALS
    assert texts.ngettext(one, many, 2) % 2 == "2 valeurs attendues"
