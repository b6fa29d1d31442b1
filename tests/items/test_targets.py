"""OUTCOMES become labels of a target in one place; they stay as they are."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.items import (
    ANY_HIT,
    TARGETS,
    count_targets,
    label_outcomes,
    require_target,
)
from smartrisk.schema import AREAS, OFFENCES, OUTCOMES
from smartrisk.validation import validate


@pytest.fixture
def found():
    """Return a miss, hits of two offences, a blank one, and two of documents."""
    return validate(
        pd.DataFrame(
            {
                "declaration_id": list("ABCDEFG"),
                "item_number": 1,
                "illicit": pd.array([0, 1, 1, 1, None, None, 1], "Int64"),
                "document_illicit": [None, None, None, None, True, True, None],
                "offence": [
                    None,
                    "origin",
                    "quantity",
                    None,
                    "origin",
                    "other",
                    "other",
                ],
                "area": [None, None, "revenue", None, None, "drugs", "drugs"],
                "revenue_adjustment": [0.0, 10.0, 20.0, 30.0, None, None, 5.0],
                "document_revenue": [None, None, None, None, 40.0, 50.0, None],
            }
        ),
        OUTCOMES,
    )


def test_the_usual_target_is_every_hit_and_changes_nothing(found):
    assert label_outcomes(found, ANY_HIT) is found


def test_a_hit_of_another_offence_is_no_hit_of_the_target_and_has_no_amount(found):
    before = found.copy()
    labelled = label_outcomes(found, "offence:origin").set_index("declaration_id")
    pd.testing.assert_frame_equal(found, before)
    assert labelled["illicit"].fillna(-1).to_dict() == {
        "A": 0, "B": 1, "C": 0, "E": -1, "F": 0, "G": 0
    }  # fmt: skip
    assert labelled.loc["E", "document_illicit"]
    assert not labelled.loc["F", "document_illicit"]
    amounts = labelled["revenue_adjustment"].fillna(-1).to_dict()
    assert amounts == {"A": 0.0, "B": 10.0, "C": 0.0, "E": -1, "F": -1, "G": 0.0}
    assert labelled["document_revenue"].dropna().to_dict() == {"E": 40.0, "F": 0.0}


def test_a_hit_without_an_offence_is_left_out_of_an_offence_but_not_of_an_area(found):
    assert "D" not in set(label_outcomes(found, "offence:origin")["declaration_id"])
    labelled = label_outcomes(found, "area:drugs").set_index("declaration_id")
    assert labelled["illicit"].fillna(-1).to_dict() == {
        "A": 0, "B": 0, "C": 0, "D": 0, "E": 0, "F": -1, "G": 1
    }  # fmt: skip


def test_labels_of_a_target_are_those_of_labels_of_it(found):
    once = label_outcomes(found, "offence:origin")
    pd.testing.assert_frame_equal(label_outcomes(once, "offence:origin"), once)


def test_results_without_a_column_of_kinds_hold_no_hit_of_a_target():
    found = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 0]})
    assert label_outcomes(found, "area:drugs")["illicit"].tolist() == [0, 0]
    assert label_outcomes(found, "offence:other")["illicit"].tolist() == [0]


def test_targets_are_any_hit_the_offences_and_the_areas_but_revenue():
    offences = {f"offence:{kind}" for kind in OFFENCES}
    areas = {f"area:{area}" for area in AREAS} - {"area:revenue"}
    assert set(TARGETS) == {ANY_HIT} | offences | areas


def test_hits_are_counted_by_target(found):
    counts = {name: n for name, n in count_targets(found).items() if n}
    assert counts == {
        "hit": 4,
        "offence:origin": 1,
        "offence:quantity": 1,
        "offence:other": 1,
        "area:drugs": 1,
    }


def test_a_target_without_a_hit_is_refused_with_the_counts_of_all(found):
    require_target("fit", found, "area:drugs")
    with pytest.raises(ArgumentError) as error:
        require_target("fit", found, "area:security")
    text = str(error.value)
    for name, n in count_targets(found).items():
        assert f"{name} {n}" in text
    with pytest.raises(ArgumentError, match="Did you mean 'area:drugs'"):
        label_outcomes(found, "area:drug")
