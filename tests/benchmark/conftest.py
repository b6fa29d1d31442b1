"""The programs of the folder benchmarks, importable as they import each other."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture(scope="session")
def program(root):
    """Return a function that imports a program by name."""
    folder = str(root / "benchmarks")
    sys.path.append(folder)
    yield importlib.import_module
    sys.path.remove(folder)
