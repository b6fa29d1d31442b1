"""The unit file and the container file: their syntax, and that their command exists."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib

import pytest

from smartrisk.cli._main import make_parser


@pytest.fixture
def place(root):
    return root / "examples" / "serving"


def options_of(words):
    """Return the options of a command line that starts with ``smartrisk``."""
    assert words[0].rpartition("/")[2] == "smartrisk"
    return vars(make_parser().parse_args(words[1:]))


def test_the_unit_file_runs_a_command_that_there_is(place):
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str
    unit.read_string((place / "smartrisk.service").read_text(encoding="utf-8"))
    assert unit.sections() == ["Unit", "Service", "Install"]
    options = options_of(shlex.split(unit["Service"]["ExecStart"]))
    assert options["writer"] is True
    assert options["host"] == "127.0.0.1"
    assert "TOKEN" not in unit["Service"]["ExecStart"]


def test_the_container_file_has_instructions_and_a_command_that_there_is(place, root):
    text = (place / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip()]
    known = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE"}
    assert {name for name, _ in steps} == known | {"ENTRYPOINT", "CMD"}
    found = dict(steps)
    options = options_of(json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"]))
    assert options["host"] == "0.0.0.0"
    copied = " ".join(rest for name, rest in steps if name == "COPY").split()
    for name in {*copied} - {"./", "./smartrisk"}:
        assert (root / name).exists(), name
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "serve" in project["project"]["optional-dependencies"]
