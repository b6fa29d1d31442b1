"""A small folder with a text, tables of two kinds, and bytes."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.artefact import write_folder

CONTENT = {
    "texts": {"engine.json": '{"a": 1}', "risk.txt": "tree\n"},
    "tables": {
        "history.items.x": {"id": np.arange(5, dtype=np.uint64), "n": np.arange(5)},
        "history.overall": {"rate": np.array([0.5, np.nan]), "n": np.arange(2)},
        "learned": {"id": np.zeros(0, np.uint64)},
    },
    "blobs": {"classifier.skops": b"PK"},
}


@pytest.fixture
def folder(tmp_path):
    """Return a folder that was just written."""
    return write_folder(tmp_path / "engine", **CONTENT)


@pytest.fixture
def other():
    """Return the content of another folder with the same files."""
    return CONTENT | {"texts": {"engine.json": '{"a": 2}', "risk.txt": "tree\n"}}
