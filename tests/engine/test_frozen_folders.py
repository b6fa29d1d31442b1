"""Engines that earlier versions saved load with the same version and scores."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.schema import DECLARATIONS
from smartrisk.validation import validate

FROZEN = Path(__file__).parent / "frozen"


@pytest.mark.parametrize(
    "how", [{}, {"mapped": True}, {"verify": "first_use"}], ids=str
)
@pytest.mark.parametrize("name", ["format-2", "format-3", "format-4"])
def test_a_frozen_folder_loads_with_the_same_scores(name, how, tmp_path):
    folder = shutil.copytree(FROZEN / name, tmp_path / name)
    expected = json.loads((FROZEN / "expected.json").read_text())
    texts = pd.read_csv(FROZEN / "items.csv", dtype=str, keep_default_na=False)
    engine = sr.RiskEngine.load(folder, **how)
    assert engine.version_ == expected["version"]
    scores = engine.score(validate(texts, DECLARATIONS), guard="off")
    for column in ("risk_score", "expected_revenue"):
        assert [v.hex() for v in scores[column].tolist()] == expected[column]


@pytest.mark.parametrize("name", ["format-2", "format-3"])
def test_the_engine_of_a_format_before_is_saved_in_the_new_one(name, tmp_path):
    engine = sr.RiskEngine.load(FROZEN / name)
    folder = engine.save(tmp_path / "engine")
    for path in (FROZEN / "format-4").iterdir():
        if path.name not in ("manifest.json", "engine.json"):
            assert (folder / path.name).read_bytes() == path.read_bytes(), path.name
