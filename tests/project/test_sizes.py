"""Files and functions have a size that can be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 600
MOST_FUNCTION_LINES = 60
USUAL_FUNCTION_LINES = 25
FOLDERS = ("smartrisk", "tests", "examples", "benchmarks", "docs", ".ci")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if not {"_build", "gallery"} & set(path.relative_to(ROOT).parts)
)
SOURCES = [path for path in FILES if (ROOT / "smartrisk") in path.parents]
FORBIDDEN_NAMES = {"base", "common", "core", "helpers", "types", "utils"}


def name_file(path):
    """Return the name of a file within the project."""
    return path.relative_to(ROOT).as_posix()


def list_files(folder):
    """Return the files of a folder; a test looks at all of them and lists its finds."""
    files = [path for path in FILES if ROOT / folder in path.parents]
    assert files
    return files


def count_lines(path):
    """Return the number of lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def measure_functions(path):
    """Yield (name, code lines) of every function, its docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node) is not None:
                body = body[1:]
            if body:
                yield node.name, body[-1].end_lineno - body[0].lineno + 1


def find_long_functions(path):
    """Return the functions of a file that are too long, with their lines."""
    return [f for f in measure_functions(path) if f[1] > MOST_FUNCTION_LINES]


def find_careless_lines(path):
    """Return the lines that assert or that catch every exception."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.ExceptHandler) and node.type is None)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_stays_within_six_hundred_lines(folder):
    sizes = {name_file(path): count_lines(path) for path in list_files(folder)}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_stays_within_sixty_lines(folder):
    long = {name_file(path): find_long_functions(path) for path in list_files(folder)}
    assert {name: found for name, found in long.items() if found} == {}


def test_nine_functions_in_ten_stay_within_twenty_five_lines():
    sizes = [size for path in SOURCES for _, size in measure_functions(path)]
    assert sum(size <= USUAL_FUNCTION_LINES for size in sizes) >= 0.9 * len(sizes)


def test_no_file_has_a_name_without_meaning():
    named = [path for path in SOURCES if path.stem.strip("_") in FORBIDDEN_NAMES - {""}]
    assert named == []


def test_the_library_neither_asserts_nor_hides_errors():
    careless = {name_file(path): find_careless_lines(path) for path in SOURCES}
    assert {name: lines for name, lines in careless.items() if lines} == {}


def test_a_long_file_and_a_long_function_are_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("def compute():\n    '''Doc.'''\n" + "    x = 1\n" * 61)
    assert find_long_functions(path) == [("compute", 61)]
    assert count_lines(path) == 63


def test_an_assertion_and_a_bare_except_are_found(tmp_path):
    path = tmp_path / "careless.py"
    path.write_text("assert True\ntry:\n    pass\nexcept:\n    pass\n")
    assert sorted(find_careless_lines(path)) == [1, 4]
