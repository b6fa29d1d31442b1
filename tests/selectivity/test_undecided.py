"""Items whose interval holds the cut of the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.selectivity import Policy, mark_undecided


@pytest.fixture
def scores():
    """Return SCORES with intervals of one width."""
    risk = np.linspace(0.05, 0.95, 10)
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(10)],
            "risk_score": risk,
            "score_lower": risk - 0.15,
            "score_upper": risk + 0.15,
        }
    )


@pytest.fixture
def decisions(scores):
    """Return DECISIONS on the highest three."""
    return Policy(capacity=3, random_share=0.0).select(scores)


def test_the_band_is_around_the_lowest_score_that_was_selected(scores, decisions):
    """It holds selected items and items that were not."""
    band = scores["risk_score"][mark_undecided(scores, decisions)]
    assert band.round(2).tolist() == [0.65, 0.75, 0.85]


def test_what_others_selected_sets_no_cut(scores):
    """Neither a mandatory item nor one that is checked after clearance."""
    mandatory = np.arange(10) == 1
    policy = Policy(capacity=3, random_share=0.0, blue_share=0.3)
    decided = policy.select(scores, mandatory=mandatory)
    assert (decided["channel"] == "blue").any()
    band = scores["risk_score"][mark_undecided(scores, decided)].round(2)
    assert band.tolist() == [0.75, 0.85, 0.95]


def test_without_intervals_or_selected_items_nothing_is_undecided(scores, decisions):
    """Also where the bounds of some are missing."""
    bare = scores.drop(columns=["score_lower", "score_upper"])
    assert not mark_undecided(bare, decisions).any()
    assert not mark_undecided(scores, decisions.assign(channel="green")).any()
    some = scores.assign(score_lower=scores["score_lower"].mask(scores.index == 6))
    assert mark_undecided(some, decisions).sum() == 2


def test_tables_that_do_not_belong_together_are_refused(scores, decisions):
    """Another number of items, or no scores."""
    with pytest.raises(ArgumentError, match="3 decisions for 10 scores"):
        mark_undecided(scores, decisions.head(3))
    with pytest.raises(TableError, match="risk_score"):
        mark_undecided(scores.drop(columns="risk_score"), decisions)


@pytest.mark.parametrize("name", ["declaration_id", "item_number"])
@pytest.mark.parametrize("kind", [str, float])
def test_decisions_of_other_items_are_refused(scores, decisions, name, kind):
    """By the key where both tables have it, whatever type it was read as."""
    scores["declaration_id"], scores["item_number"] = np.arange(10), 1
    decisions["declaration_id"] = np.arange(10).astype(kind)
    decisions["item_number"] = kind(1)
    assert mark_undecided(scores, decisions).any()
    swapped = decisions.copy()
    swapped.loc[[2, 5], name] = [kind(5), kind(2)]
    with pytest.raises(ArgumentError, match=r"2 decisions .* documents 2, 5; pass"):
        mark_undecided(scores, swapped)
    other = decisions.drop(columns=["declaration_id", "item_number"])
    assert mark_undecided(scores, other).any()
