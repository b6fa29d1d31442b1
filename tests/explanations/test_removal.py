"""The deletion test: the score of an item without its first reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import removal


def test_removing_the_first_reason_moves_the_score(engine, new, reasons):
    others = engine.features_.transform(new)
    table = removal(reasons, engine.classifier_.raw_score, others).frame()
    assert (table["moved"] > 0).mean() > 0.9
    lower = removal(reasons.release, engine.classifier_.raw_score, others).frame()
    assert (lower["moved"] < 0).mean() > 0.9
    with pytest.raises(ArgumentError, match="must have the"):
        removal(reasons, engine.classifier_.raw_score, np.ones((3, 2)))


def test_removal_replaces_the_reason_and_nothing_else(make_reasons):
    found = make_reasons([0.9, 0.2], ["valuation", "quantity"])
    seen = []

    def score(matrix):
        seen.append(matrix.copy())
        return matrix[:, 0]

    table = removal(found, score, np.full((4, 2), 5.0)).frame()
    np.testing.assert_array_equal(seen[0], np.tile([5.0, 1.0], (4, 1)))
    assert table["without"].tolist() == [5.0]
    assert table["raw_score"].tolist() == pytest.approx([-0.9])
    assert table["moved"].tolist() == pytest.approx([-5.9])


def test_removal_goes_by_the_names_of_the_features(engine, new, reasons):
    others = engine.features_.transform(new)
    names = engine.features_.get_feature_names_out()
    frame = pd.DataFrame(np.asarray(others), columns=names)
    raw = engine.classifier_.raw_score
    table = removal(reasons, raw, frame).frame()
    turned = removal(reasons, raw, frame[frame.columns[::-1]]).frame()
    pd.testing.assert_frame_equal(table, turned)
    with pytest.raises(ArgumentError, match=f"has no '{names[0]}'"):
        removal(reasons, raw, frame.rename(columns={names[0]: "x"}))
    with pytest.raises(ArgumentError, match="at least one other item"):
        removal(reasons, raw, frame.iloc[:0])
