"""A table as an administration has it needs nothing but a column map."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from smartrisk import RiskEngine, evaluation, windows
from smartrisk.datasets import make_declarations
from smartrisk.errors import LeakageError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate

MAP = ColumnMap(
    {
        "declaration_id": "n° déclaration",
        "item_number": "n° article",
        "lodged_at": "date d'enregistrement",
        "office": "bureau",
        "importer_id": "importateur",
        "tariff_code": "position tarifaire",
        "origin": "pays d'origine",
        "customs_value": "valeur en douane",
        "net_mass_kg": "masse nette",
        "duty_rate": "taux (%)",
        "illicit": "fraude",
        "revenue_adjustment": "montant redressé",
        "known_at": "date du résultat",
    },
    day_first=True,
    decimal=",",
    duty_rate_unit="percent",
    tariff_digits=11,
)


@pytest.fixture(scope="module")
def world():
    return make_declarations(12_000, random_state=3)


@pytest.fixture(scope="module")
def export(world):
    table = world.declarations.merge(
        world.outcomes, on=["declaration_id", "item_number"], how="left"
    )

    def comma(values, digits):
        return values.map(lambda v: f"{v:.{digits}f}".replace(".", ","), "ignore")

    def day(moments):
        return moments.dt.strftime("%d/%m/%Y")

    return pd.DataFrame(
        {
            "n° déclaration": table["declaration_id"],
            "n° article": table["item_number"],
            "date d'enregistrement": day(table["lodged_at"]),
            "bureau": table["office"],
            "importateur": table["importer_id"],
            "position tarifaire": table["tariff_code"].str.ljust(11, "0").astype(int),
            "pays d'origine": table["origin"],
            "valeur en douane": comma(table["customs_value"], 4),
            "masse nette": comma(table["net_mass_kg"], 6),
            "taux (%)": comma(table["duty_rate"] * 100, 4),
            "fraude": table["illicit"],
            "montant redressé": comma(table["revenue_adjustment"], 4),
            "date du résultat": day(table["known_at"]),
        }
    )


@pytest.fixture(scope="module")
def both(export):
    return (
        validate(export, DECLARATIONS, columns=MAP),
        validate(export, OUTCOMES, columns=MAP),
    )


def test_every_value_comes_back(world, both):
    items, _ = both
    truth = world.declarations
    assert items["declaration_id"].tolist() == truth["declaration_id"].tolist()
    days = truth["lodged_at"].dt.normalize()
    assert (items["lodged_at"].to_numpy() == days.to_numpy()).all()
    codes = truth["tariff_code"].str.ljust(11, "0")
    assert items["tariff_code"].tolist() == codes.tolist()
    for name, close in (("customs_value", 1e-4), ("net_mass_kg", 1e-6)):
        assert (items[name] - truth[name].to_numpy()).abs().max() <= close
    assert (items["duty_rate"] - truth["duty_rate"].to_numpy()).abs().max() < 1e-6


def test_only_inspected_items_are_outcomes(world, both):
    _, results = both
    expected = world.outcomes.set_index(["declaration_id", "item_number"])["illicit"]
    found = results.set_index(["declaration_id", "item_number"])["illicit"]
    assert len(found) == len(expected)
    assert found.sort_index().tolist() == expected.sort_index().tolist()
    assert results["known_at"].notna().all()


def test_items_are_numbered_before_any_is_left_out():
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
            for k, v in MAP.mapping.items()
            if k in ("declaration_id", "lodged_at", "tariff_code", "illicit")
        },
        day_first=True,
    )
    results = validate(table, OUTCOMES, columns=columns)
    assert results["item_number"].tolist() == [2, 1]
    items = validate(table, DECLARATIONS, columns=columns)
    assert items["item_number"].tolist() == [1, 2, 1]


def test_checking_twice_is_checking_once(both):
    for frame, table in zip(both, (DECLARATIONS, OUTCOMES), strict=True):
        pd.testing.assert_frame_equal(validate(frame, table), frame)


def test_the_map_survives_a_file(tmp_path, export, both):
    path = tmp_path / "colonnes.toml"
    MAP.to_toml(path)
    again = validate(export, DECLARATIONS, columns=ColumnMap.from_toml(path))
    pd.testing.assert_frame_equal(again, both[0])


def test_results_that_no_map_names_are_refused(export):
    plain = export.rename(columns={"fraude": "illicit"})
    with pytest.raises(LeakageError, match="ColumnMap"):
        check(
            plain,
            DECLARATIONS,
            columns=ColumnMap(
                {k: v for k, v in MAP.mapping.items() if k != "illicit"},
                day_first=True,
                decimal=",",
            ),
        )


def test_the_engine_works_on_it_as_on_any_table(world, both):
    items, results = both
    split = windows.time_split(items, results)
    engine = RiskEngine().fit(split.past, split.known)
    scores = engine.score(split.later)
    result = evaluation.evaluate(scores, world.full_outcomes(), n_bootstrap=0)
    assert result.overall()["roc_auc"] > 0.65
    said = engine.explain(split.later.head(50)).frame()["sentence"].str.cat(sep=" ")
    assert re.search(r"\d{4}\.\d\d", said)
    assert not re.search(r"\b00\d\d\.", said)  # no zero too many
