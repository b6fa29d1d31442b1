"""The examples that need more than this project are run where their data are."""

from __future__ import annotations

import importlib.util

import pytest


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*unknown code")  # the set has 'ZZ'
def test_the_korean_example_beats_the_paper_by_default(root, kcs_path):
    korea = loaded(root / "examples" / "korea.py")
    table = korea.evaluate_korea(str(kcs_path))
    whole = table.loc["all items"]
    assert whole["precision@5%"] >= 0.97 > korea.PAPER[0.05]
    assert whole["precision@10%"] >= 0.93 > korea.PAPER[0.10]
    seen, unseen = table.iloc[1], table.iloc[2]
    assert seen["items"] + unseen["items"] == whole["items"]
    assert unseen["ROC AUC"] < whole["ROC AUC"]  # remembering is not generalising


@pytest.mark.slow
def test_the_pipeline_example_finds_more_than_chance_with_every_classifier(root):
    from matplotlib import pyplot

    example = loaded(root / "examples" / "plot_pipeline.py")
    pyplot.close("all")
    assert len(example.table.columns) == 4
    assert (example.table.mean() > 2 * example.y.mean()).all()
    assert example.table["RiskClassifier"].mean() > (
        example.table["declared fields only"].mean()
    )
