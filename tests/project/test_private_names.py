"""Packages know each other by public names only.

A private name begins with a single underscore, or is in a file whose name does.
import-linter has no contract for it, so the syntax tree is read. Two things are found:
imports of private names of another package, and private attributes of anything but
``self``, ``cls``, and objects of classes or functions of the same package.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "smartrisk").rglob("*.py"))
#: Underscored names that belong to a published interface.
PUBLIC_ATTRIBUTES = {
    "_asdict",  # collections.namedtuple
    "_fields",
    "_replace",
    "_repr_html_",  # notebooks
    "_SubParsersAction",  # argparse has no public name for it
}


def is_private(name):
    """Return whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def get_package(path, top):
    """Return the package of a file: the first part below the top folder."""
    return path.relative_to(top).with_suffix("").parts[0]


def find_private_imports(path, top):
    """Return the imports of private names of other packages, as texts."""
    package = get_package(path, top)
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            foreign = parts[0] == "smartrisk" and parts[1:2] != [package]
            if foreign and any(map(is_private, parts)):
                found.append(f"{path.name}:{node.lineno}: {name}")
    return found


@cache
def find_own_names(package, top):
    """Return the names that the classes and modules of a package define."""
    own = set()
    folder = top / package
    files = folder.rglob("*.py") if folder.is_dir() else [top / f"{package}.py"]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.add(node.target.id)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
            elif is_self_attribute(node) and isinstance(node.ctx, ast.Store):
                own.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # `object.__setattr__(self, "_name", ...)` of a frozen dataclass.
                own.add(node.value)
    return own


def is_self_attribute(node):
    """Return whether a node is ``self.name`` or ``cls.name``."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    )


def find_private_attributes(path, top):
    """Return uses of private attributes that the package does not define, as texts."""
    own = find_own_names(get_package(path, top), top) | PUBLIC_ATTRIBUTES
    return [
        f"{path.name}:{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and is_private(node.attr)
        and not is_self_attribute(node)
        and node.attr not in own
    ]


def find_in_sources(find):
    """Return what a function finds in every file of the library."""
    assert len(SOURCES) > 400
    return [line for path in SOURCES for line in find(path, ROOT / "smartrisk")]


def test_no_private_name_is_imported_across_packages():
    assert find_in_sources(find_private_imports) == []


def test_no_private_attribute_of_another_package_is_used():
    assert find_in_sources(find_private_attributes) == []


@pytest.mark.parametrize(
    "line",
    [
        "from smartrisk.features._state import read_state",
        "from smartrisk.features import _entity",
        "import smartrisk.features._state",
        "from smartrisk import _mlflow_entry",
    ],
)
def test_a_private_import_is_found(tmp_path, line):
    for package in ("engine", "features"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "_breach.py").write_text(line + "\n")
    found = find_private_imports(tmp_path / "engine" / "_breach.py", tmp_path)
    assert len(found) == 1
    inside = find_private_imports(tmp_path / "features" / "_breach.py", tmp_path)
    assert len(inside) == ("_mlflow_entry" in line)


def test_a_private_attribute_of_another_package_is_found(tmp_path):
    (tmp_path / "features.py").write_text(
        "class History:\n    def fit(self):\n        self._sums = 1\n"
        "        return self._sums\n\n\ndef read(history):\n    return history._sums\n"
    )
    (tmp_path / "engine.py").write_text(
        "def score(engine):\n    return engine.features_._sums\n"
    )
    assert find_private_attributes(tmp_path / "features.py", tmp_path) == []
    assert find_private_attributes(tmp_path / "engine.py", tmp_path) == [
        "engine.py:2: engine.features_._sums"
    ]
