"""A table as an administration has it needs nothing but a column map."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from smartrisk import RiskEngine, evaluation, windows
from smartrisk.errors import LeakageError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate


@pytest.fixture(scope="module")
def both(french_table, french_columns):
    return (
        validate(french_table, DECLARATIONS, columns=french_columns),
        validate(french_table, OUTCOMES, columns=french_columns),
    )


def test_every_value_comes_back(french_world, both):
    items, _ = both
    truth = french_world.declarations
    assert items["declaration_id"].tolist() == truth["declaration_id"].tolist()
    days = truth["lodged_at"].dt.normalize()
    assert (items["lodged_at"].to_numpy() == days.to_numpy()).all()
    codes = truth["tariff_code"].str.ljust(11, "0")
    assert items["tariff_code"].tolist() == codes.tolist()
    for name, close in (("customs_value", 1e-4), ("net_mass_kg", 1e-6)):
        assert (items[name] - truth[name].to_numpy()).abs().max() <= close
    assert (items["duty_rate"] - truth["duty_rate"].to_numpy()).abs().max() < 1e-6


def test_only_inspected_items_are_outcomes(french_world, both):
    _, results = both
    expected = french_world.outcomes.set_index(["declaration_id", "item_number"])[
        "illicit"
    ]
    found = results.set_index(["declaration_id", "item_number"])["illicit"]
    assert len(found) == len(expected)
    assert found.sort_index().tolist() == expected.sort_index().tolist()
    assert results["known_at"].notna().all()


def test_items_are_numbered_before_any_is_left_out(french_columns):
    table = pd.DataFrame(
        {
            "n° déclaration": ["A", "A", "B"],
            "date d'enregistrement": ["01/02/2024"] * 3,
            "position tarifaire": ["01012100000"] * 3,
            "fraude": ["", "1", "0"],
        }
    )
    columns = ColumnMap(
        {
            k: v
            for k, v in french_columns.mapping.items()
            if k in ("declaration_id", "lodged_at", "tariff_code", "illicit")
        },
        day_first=True,
    )
    results = validate(table, OUTCOMES, columns=columns)
    assert results["item_number"].tolist() == [2, 1]
    items = validate(table, DECLARATIONS, columns=columns)
    assert items["item_number"].tolist() == [1, 2, 1]


def test_a_second_validation_changes_nothing(both):
    for frame, table in zip(both, (DECLARATIONS, OUTCOMES), strict=True):
        pd.testing.assert_frame_equal(validate(frame, table), frame)


def test_a_column_map_is_read_back_from_its_file(
    tmp_path, french_table, french_columns, both
):
    path = tmp_path / "colonnes.toml"
    french_columns.to_toml(path)
    again = validate(french_table, DECLARATIONS, columns=ColumnMap.from_toml(path))
    pd.testing.assert_frame_equal(again, both[0])


def test_results_that_no_map_names_are_refused(french_table, french_columns):
    plain = french_table.rename(columns={"fraude": "illicit"})
    with pytest.raises(LeakageError, match="ColumnMap"):
        check(
            plain,
            DECLARATIONS,
            columns=ColumnMap(
                {k: v for k, v in french_columns.mapping.items() if k != "illicit"},
                day_first=True,
                decimal=",",
            ),
        )


def test_the_engine_works_on_it_as_on_any_table(french_world, both):
    items, results = both
    split = windows.time_split(items, results)
    engine = RiskEngine().fit(split.past, split.known)
    scores = engine.score(split.later)
    result = evaluation.evaluate(scores, french_world.full_outcomes(), n_bootstrap=0)
    assert result.overall()["roc_auc"] > 0.65
    frame = engine.explain(split.later.head(50)).frame()
    sentences = frame["sentence"].str.cat(sep=" ")
    assert re.search(r"\d{4}\.\d\d", sentences)
    assert not re.search(r"\b00\d\d\.", sentences)  # no zero too many
