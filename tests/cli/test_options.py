"""Every option of a command reaches a parameter of its function, and no other."""

from __future__ import annotations

import importlib
import inspect

import pytest

from smartrisk.cli._files import DataFiles
from smartrisk.cli._main import _DATA_OPTIONS, make_parser

COMMANDS = [
    "demo",
    "map f.csv --out m.toml",
    "profile f.csv",
    "readiness f.csv",
    "statistics f.csv",
    "generate --out w",
    "validate f.csv",
    "fit --out e",
    "score f.csv --engine e",
    "explain f.csv --engine e",
    "select f.csv --engine e",
    "evaluate --engine e",
    "report f.csv --engine e --out p",
    "benchmark",
    "ledger verify l",
    "ledger replay l --engine e --declaration D1",
    "ledger show l",
    "ledger retain l --since 2020-01-01",
    "ledger export l --out f",
    "ledger copy l --out f",
]


def parse(words):
    """Return the options of a command line as a mapping."""
    return vars(make_parser().parse_args(words.split()))


@pytest.mark.parametrize("words", COMMANDS)
def test_the_options_of_a_command_are_the_parameters_of_its_function(words):
    options = parse(words)
    module = importlib.import_module(f"smartrisk.cli.{options.pop('module')}")
    function = getattr(module, options.pop("command"))
    given = set(options) - {"has_data", "lang", "tracking_uri"}
    if options["has_data"]:
        given = given - set(_DATA_OPTIONS) | {"data"}
    parameters = set(inspect.signature(function).parameters) - {"lang", "tracking_uri"}
    assert parameters == given


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_takes_the_language_of_its_messages(words):
    assert parse(f"{words} --lang fr")["lang"] == "fr"


def test_the_files_of_a_command_are_the_fields_of_data_files():
    assert set(_DATA_OPTIONS) == set(inspect.signature(DataFiles).parameters)


@pytest.mark.parametrize(
    ("text", "capacity"), [("0.05", 0.05), ("5%", 0.05), (" 40 ", 40), ("1", 1)]
)
def test_a_capacity_is_a_share_or_a_number_of_items(text, capacity):
    options = make_parser().parse_args(["select", "--engine=e", f"--capacity={text}"])
    assert options.capacity == capacity
    assert type(options.capacity) is type(capacity)


def test_rates_are_parsed_one_by_one():
    rates = parse("evaluate --engine e --rates 5%,0.1,40")["rates"]
    assert rates == (0.05, 0.1, 40)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["demo", "--items", "x"], "must be an integer of at least 1; got 'x'"),
        (["demo", "--items", "0"], "must be an integer of at least 1; got '0'"),
        (["demo", "--seed", "-1"], "must be an integer of at least 0; got '-1'"),
        (["evaluate", "--engine=e", "--rates="], "give at least one inspection rate"),
        (["select", "--engine=e", "--capacity=x"], "a share (0.05 or 5%) or a number"),
    ],
)
def test_a_wrong_value_of_an_option_is_refused_in_words(capsys, words, message):
    with pytest.raises(SystemExit):
        make_parser().parse_args(words)
    assert message in capsys.readouterr().err


def test_an_administration_names_its_channels_and_its_currency():
    words = (
        "report --engine=e --out=o --channels yellow=orange,red=rouge --currency XOF"
    )
    options = parse(words)
    assert options["channels"] == {"yellow": "orange", "red": "rouge"}
    assert options["currency"] == "XOF"


@pytest.mark.parametrize("text", ["orange", "yellow=", "pink=rose", "red=a,,"])
def test_names_of_unknown_channels_are_refused(text, capsys):
    with pytest.raises(SystemExit):
        parse(f"report --engine=e --out=o --channels={text}")
    assert "after one of green, yellow, red, blue" in capsys.readouterr().err
