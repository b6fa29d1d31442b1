"""Packages state what they read and write; the map and the contracts name them all."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib

import pytest

import smartrisk

#: One step of the work each: tables go in, tables come out.
STEPS = (
    "validation",
    "datasets",
    "features",
    "models",
    "explanations",
    "selectivity",
    "evaluation",
)
#: Packages below the public ones; the front door does not open them.
INNER = ("artefact", "memory", "page_style", "progress", "tables", "threads")


def read_source(root, package):
    """Return the text of the file that opens a package."""
    path = root / "smartrisk" / f"{package}.py"
    opening = path if path.exists() else path.with_suffix("") / "__init__.py"
    return opening.read_text(encoding="utf-8")


def read_docstring(root, package):
    """Return the docstring that opens a package."""
    return ast.get_docstring(ast.parse(read_source(root, package))) or ""


def read_project(root):
    """Return the project file as a mapping."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", STEPS)
def test_a_package_opens_with_what_it_reads_and_what_it_writes(root, package):
    doc = read_docstring(root, package).lower()
    assert "reads" in doc
    assert "writes" in doc


@pytest.mark.parametrize("package", smartrisk._PACKAGES)
def test_a_package_has_one_closed_first_sentence(root, package):
    first = read_docstring(root, package).split("\n\n")[0]
    assert first.endswith((".", ":"))


def test_the_contracts_name_every_package(root):
    layers = read_project(root)["tool"]["importlinter"]["contracts"][0]["layers"]
    named = set(re.findall(r"\w+", " ".join(layers)))
    assert {*smartrisk._PACKAGES, *INNER} - named == set()


def test_the_map_names_every_package(root):
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = (*smartrisk._PACKAGES, *INNER)
    assert [name for name in packages if f"`{name}" not in page] == []


def test_the_changelog_has_the_version(root):
    page = (root / "docs" / "changelog.md").read_text(encoding="utf-8")
    version = re.escape(smartrisk.__version__)
    assert re.search(rf"^## {version}\b", page, flags=re.MULTILINE)


def test_the_version_is_the_installed_one():
    from importlib.metadata import version

    assert version("smartrisk") == smartrisk.__version__


def test_the_module_can_be_asked_for_its_version(root):
    done = subprocess.run(
        [sys.executable, "-c", "import smartrisk; print(smartrisk.__version__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    assert done.stdout.strip() == smartrisk.__version__
