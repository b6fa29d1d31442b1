"""Files and functions stay of a size that can be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "smartrisk").rglob("*.py"))
FORBIDDEN_NAMES = {"base", "common", "core", "helpers", "types", "utils"}


def functions(path):
    """Yield (name, code lines) of every function, its docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node) is not None:
                body = body[1:]
            if body:
                yield node.name, body[-1].end_lineno - body[0].lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_stays_within_six_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_stays_within_sixty_lines(path):
    assert [(name, size) for name, size in functions(path) if size > 60] == []


def test_nine_functions_in_ten_stay_within_twenty_five_lines():
    sizes = [size for path in SOURCES for _, size in functions(path)]
    assert sum(size <= 25 for size in sizes) >= 0.9 * len(sizes)


def test_no_file_has_a_name_that_says_nothing():
    named = [p for p in SOURCES if p.stem.strip("_") in FORBIDDEN_NAMES - {""}]
    assert named == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_package_neither_asserts_nor_hides_errors(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asserts = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    bare = [
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.ExceptHandler) and n.type is None
    ]
    assert asserts == []
    assert bare == []
