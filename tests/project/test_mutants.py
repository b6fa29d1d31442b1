"""Small wrong edits of the package, each of which named quick tests must find.

A mutant is a file, a text that occurs exactly once in it, its replacement, and the
tests that must fail. Add one for every new law; see the head of tests/mutants.toml.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: The count never falls: raise it when mutants are added.
LEAST = 728
SERVER = Path(__file__).with_name("mutant_server.py")
#: What an edited copy holds; the tests read other files of the project from there.
COPIED = ("smartrisk", "tests", "pyproject.toml", "README.md")


def read_mutants():
    """Return every mutant as a mapping, by the name of its package and its own."""
    mutants = {}
    content = tomllib.loads((ROOT / "tests/mutants.toml").read_text(encoding="utf-8"))
    for mutant in content["mutant"]:
        package = Path(mutant["file"]).parts[1].removesuffix(".py")
        name = re.sub(r"\W+", "_", f"{package}: {mutant['name']}")
        if name in mutants:
            raise ValueError(f"two mutants are called {name!r}")
        mutants[name] = mutant
    return mutants


MUTANTS = read_mutants()


def edit(mutant):
    """Return the text of the mutant's file with the edit applied."""
    text = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    count = text.count(mutant["find"])
    if count != 1:
        raise ValueError(f"the text occurs {count} times in {mutant['file']}, not once")
    return text.replace(mutant["find"], mutant["replace"])


def find_misfit(mutant):
    """Return why a mutant does not fit the code; None where it does."""
    try:
        edited = ast.dump(ast.parse(edit(mutant)))
    except ValueError as error:
        return str(error)
    source = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    if edited == ast.dump(ast.parse(source)):
        return "it changes nothing"
    for test in mutant["tests"]:
        file, _, function = test.partition("::")
        name = function.split("[")[0].split("::")[-1]
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"):
            return f"there is no {test}"
    return None


@pytest.mark.parametrize("section", sorted({name.split("_")[0] for name in MUTANTS}))
def test_mutants_still_fit_the_code(section):
    found = {
        name: find_misfit(mutant)
        for name, mutant in MUTANTS.items()
        if name.split("_")[0] == section
    }
    assert {name: why for name, why in found.items() if why} == {}


def test_there_are_as_many_mutants_as_there_were(capsys):
    excused = [mutant for mutant in MUTANTS.values() if "excused" in mutant]
    with capsys.disabled():
        print(f"\n{len(MUTANTS)} mutants, {len(excused)} excused")
    assert len(MUTANTS) - len(excused) >= LEAST


class MutantServer:
    """A process that runs tests on edited copies of the package."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def run(self, folder, tests, output):
        """Return the exit status of pytest."""
        request = {"folder": str(folder), "tests": tests, "output": str(output)}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def server():
    """Return the process that runs tests on edited copies."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork processes")
    running = MutantServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def copied(tmp_path_factory):
    """Return a copy of the package and its tests, compiled files included."""
    folder = tmp_path_factory.mktemp("mutants")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy2(source, folder / name)
    return folder


@pytest.fixture
def mutated(request, copied):
    """Return the copy with the mutant of this test in it, and take it out again."""
    mutant = MUTANTS[request.getfixturevalue("name")]
    path = copied / mutant["file"]
    original = path.read_bytes()
    path.write_text(edit(mutant), encoding="utf-8")
    yield copied
    path.write_bytes(original)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, mutant in MUTANTS.items() if "excused" not in mutant]
)
def test_mutants_are_killed(name, mutated, server, tmp_path):
    output = tmp_path / "output.txt"
    status = server.run(mutated, MUTANTS[name]["tests"], output)
    assert status == pytest.ExitCode.TESTS_FAILED, output.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_edit_that_changes_nothing_survives(copied, server, tmp_path):
    tests = sorted({m["tests"][0] for m in MUTANTS.values()})[:1]
    status = server.run(copied, tests, tmp_path / "output.txt")
    assert status == pytest.ExitCode.OK


def test_a_text_that_does_not_occur_once_is_an_error():
    mutant = {"file": "smartrisk/errors.py", "find": "import", "replace": "export"}
    with pytest.raises(ValueError, match="not once"):
        edit(mutant)
