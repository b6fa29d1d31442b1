"""Rooms say what they read and write; the map and the contracts name the same rooms."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib

import pytest

import smartrisk

FLOOR_TWO = (
    "validation",
    "datasets",
    "features",
    "models",
    "explanations",
    "selectivity",
    "evaluation",
)


def source(root, room):
    """Return the text of the file that opens a room."""
    path = root / "smartrisk" / f"{room}.py"
    return (path if path.exists() else path.with_suffix("") / "__init__.py").read_text(
        encoding="utf-8"
    )


def config(root):
    """Return the project file as a mapping."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("room", FLOOR_TWO)
def test_a_room_opens_with_what_it_reads_and_what_it_writes(root, room):
    doc = (ast.get_docstring(ast.parse(source(root, room))) or "").lower()
    assert "reads" in doc
    assert "writes" in doc


@pytest.mark.parametrize("room", smartrisk._PACKAGES)
def test_a_room_has_one_closed_first_sentence(root, room):
    first = (ast.get_docstring(ast.parse(source(root, room))) or "").split("\n\n")[0]
    assert first.endswith((".", ":"))


def test_the_contracts_name_every_room(root):
    layers = config(root)["tool"]["importlinter"]["contracts"][0]["layers"]
    named = set(re.findall(r"\w+", " ".join(layers)))
    assert set(smartrisk._PACKAGES) <= named


def test_the_map_names_every_room(root):
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = [
        room
        for room in (*smartrisk._PACKAGES, "artefact", "page_style")
        if f"`{room}" not in page
    ]
    assert missing == []


def test_the_changelog_knows_the_version(root):
    page = (root / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^## {re.escape(smartrisk.__version__)}\b", page, flags=re.MULTILINE
    )


def test_the_version_is_the_installed_one():
    from importlib.metadata import version

    assert version("smartrisk") == smartrisk.__version__


def test_the_pins_name_every_dependency_and_no_address(root):
    pins = (root / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in pins
    pinned = set(re.findall(r"^([a-z0-9-]+)==", pins, flags=re.MULTILINE))
    project = config(root)["project"]
    wanted = list(project["dependencies"])
    for needs in project["optional-dependencies"].values():
        wanted += [need for need in needs if not need.startswith("smartrisk")]
    names = {re.match(r"[A-Za-z0-9-]+", need).group().lower() for need in wanted}
    assert names - pinned == set()


def test_the_module_can_be_asked_for_its_version(root):
    done = subprocess.run(
        [sys.executable, "-c", "import smartrisk; print(smartrisk.__version__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    assert done.stdout.strip() == smartrisk.__version__
