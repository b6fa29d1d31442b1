"""The frame of controlled items with their results."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.datasets import join_labels
from smartrisk.errors import TableError


def test_items_without_a_result_are_left_out_and_none_becomes_compliant(world):
    frame = join_labels(world.declarations, world.outcomes)
    assert len(frame) == world.outcomes["illicit"].notna().sum()
    assert len(frame) < len(world.declarations)
    assert frame["illicit"].sum() == world.outcomes["illicit"].sum()
    assert frame.index.isin(world.declarations.index).all()
    assert list(frame)[: world.declarations.shape[1]] == list(world.declarations)


def test_a_result_without_a_label_is_left_out(world):
    outcomes = world.outcomes.astype({"illicit": "Int64"})
    outcomes.loc[outcomes.index[:7], "illicit"] = pd.NA
    frame = join_labels(world.declarations, outcomes)
    assert len(frame) == len(outcomes) - 7


def test_results_of_other_items_are_an_error_that_shows_their_keys(world):
    other = world.outcomes.assign(declaration_id="X-1").head(1)
    with pytest.raises(TableError, match=r"none of the 1 results .* 'X-1'"):
        join_labels(world.declarations, other)
    with pytest.raises(TableError, match=r"lack the column 'illicit'"):
        join_labels(world.declarations, world.outcomes.drop(columns="illicit"))
