"""What is declared is imported and pinned; what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest

#: The name to import, where it is not the name to install.
IMPORT_NAMES = {"scikit-learn": "sklearn", "markdown-it-py": "markdown_it"}
#: Parts of a dependency that are packages of their own, which it hands out.
COMPANIONS = {
    **{"matplotlib": "cycler", "jinja2": "markupsafe", "mlflow": "alembic"},
    **{"fastapi": "pydantic", "uvicorn": "h11"},
}
#: Extras of tools that are run, not imported by the library or its benchmarks.
TOOL_EXTRAS = ("test", "lint", "docs", "stick")


def read_project(root):
    """Return the project table of pyproject.toml."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def parse_names(requirements):
    """Return the names of requirements, other extras of this project left out."""
    names = {re.match(r"[A-Za-z0-9-]+", need).group().lower() for need in requirements}
    return names - {"smartrisk"}


def find_imports(folders):
    """Return the top-level packages that Python files import, also by a text.

    A text counts because optional packages are imported with `importlib` by name.
    """
    imported, named = set(), set()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add(node.module.split(".")[0])
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    named.add(node.value)
    return imported - sys.stdlib_module_names - {"smartrisk"}, named


@pytest.fixture(scope="module")
def library(root):
    """Return what the library imports, and the texts that it holds."""
    return find_imports([root / "smartrisk"])


def get_import_name(package):
    """Return the name that imports an installed package."""
    return IMPORT_NAMES.get(package, package.replace("-", "_"))


def test_the_library_imports_every_dependency(root, library):
    declared = parse_names(read_project(root)["dependencies"])
    assert {get_import_name(name) for name in declared} - library[0] == set()


def test_the_library_imports_nothing_undeclared(root, library):
    project = read_project(root)
    declared = parse_names(project["dependencies"])
    for extra, needs in project["optional-dependencies"].items():
        if extra not in TOOL_EXTRAS:
            declared |= parse_names(needs)
    companions = {COMPANIONS[name] for name in declared & COMPANIONS.keys()}
    allowed = {get_import_name(name) for name in declared} | companions
    assert library[0] - allowed == set()


@pytest.mark.slow
def test_every_extra_is_imported_by_the_library_or_a_benchmark(root):
    imported, named = find_imports([root / "smartrisk", root / "benchmarks"])
    for extra, needs in read_project(root)["optional-dependencies"].items():
        if extra not in TOOL_EXTRAS:
            names = {get_import_name(name) for name in parse_names(needs)}
            assert names - imported - named == set(), extra


def test_the_pins_name_every_dependency_and_no_address(root):
    pins = (root / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in pins
    pinned = set(re.findall(r"^([a-z0-9-]+)==", pins, flags=re.MULTILINE))
    project = read_project(root)
    wanted = parse_names(project["dependencies"])
    for needs in project["optional-dependencies"].values():
        wanted |= parse_names(needs)
    assert wanted - pinned == set()


def test_the_pins_lie_within_the_allowed_versions(root):
    from packaging.requirements import Requirement

    pins = (root / "constraints.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)==([^ ;\n]+)", pins, flags=re.MULTILINE)
    project = read_project(root)
    extras = project["optional-dependencies"].values()
    needs = [*project["dependencies"], *(need for extra in extras for need in extra)]
    for need in map(Requirement, needs):
        versions = [version for name, version in pinned if name == need.name]
        assert all(need.specifier.contains(v) for v in versions), need.name


def test_an_import_that_is_not_declared_is_found(tmp_path):
    (tmp_path / "breach.py").write_text("def draw():\n    import seaborn.objects\n")
    assert find_imports([tmp_path])[0] == {"seaborn"}
