"""Cases and seizures by area, category and unit, against tables computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pysdmx.io import get_datasets

from smartrisk.errors import ArgumentError, TableError
from smartrisk.statistics import cases, enforcement, translate_sentence, write

KNOWN = ["2024-01-25", "2024-04-03", "2024-06-01"]
DATES = ["2024-01-10", "2024-01-20", "2024-04-02", "2024-05-01"]


@pytest.fixture
def happened():
    """Return four cases; the last became known in June."""
    return pd.DataFrame(
        {
            "case_id": ["C1", "C2", "C3", "C4"],
            "date": pd.to_datetime(DATES),
            "known_at": pd.to_datetime(
                [None, "2024-01-25", "2024-04-03", "2024-06-01"]
            ),
            "declaration_ids": pd.Series(["D2", None, "D6 D8", "D3"], dtype="str"),
            "office": pd.Series(["A", "A", "B", "B"], dtype="str"),
            "value": [100.0, 50.0, 30.0, 7.0],
        }
    )


@pytest.fixture
def taken():
    """Return six seizures; one of an unknown category, one of no case."""
    rows = [
        ("C1", "COCAINE", 2.0, "KG"),
        ("C1", "CANNABIS", 5.0, "KG"),
        ("C2", "CANNABIS", 40.0, "PIECE"),
        ("C3", "MEDICINES", 900.0, "PIECE"),
        ("C4", "COCAINE", 3.0, "KG"),
        ("C9", "COCAINE", 9.0, "KG"),
    ]
    return pd.DataFrame(rows, columns=["case_id", "category", "quantity", "unit"])


def value_of(figures, indicator, area="total", category="total", unit="total", **by):
    """Return one figure; missing where there is no such row."""
    table = figures.frame()
    where = {"indicator": indicator, "area": area, "category": category, "unit": unit}
    for name, label in (where | by).items():
        table = table[table[name] == label]
    assert len(table) <= 1
    return float(table["value"].iloc[0]) if len(table) else np.nan


def test_figures_are_those_computed_by_hand(happened, taken):
    figures = cases(happened, taken, by=("office",))
    assert value_of(figures, "cases", office="total") == 4
    assert value_of(figures, "cases", "drugs", office="total") == 3
    assert value_of(figures, "cases", "drugs", office="A") == 2
    assert value_of(figures, "seizures", "drugs", office="total") == 4
    assert value_of(figures, "seizures", office="total") == 5
    assert value_of(figures, "quantity", "drugs", "COCAINE", "KG", office="total") == 5
    assert value_of(figures, "quantity", "drugs", "CANNABIS", "KG", office="A") == 5
    assert value_of(figures, "value", office="A") == 150
    assert value_of(figures, "value", office="total") == 187
    checks = figures.reconcile().set_index("check")["found"]
    assert checks["seizures whose case is not there"] == 1


def test_quantities_are_never_added_across_units_or_goods(happened, taken):
    table = cases(happened, taken).frame()
    quantity = table[table["indicator"] == "quantity"]
    assert (quantity[["category", "unit"]] != "total").all(axis=None)
    assert quantity.groupby(["category", "unit"]).size().max() == 1
    cannabis = quantity[quantity["category"] == "CANNABIS"].set_index("unit")["value"]
    assert cannabis.to_dict() == {"KG": 5.0, "PIECE": 40.0}


def test_what_became_known_later_changes_nothing(happened, taken):
    figures = cases(happened, taken, as_of="2024-06-01")
    assert value_of(figures, "cases") == 3
    early = cases(happened.head(3), taken, as_of="2024-06-01")
    assert_frame_equal(figures.frame(), early.frame())
    # The first has no date of knowledge: it is known on its day.
    assert value_of(cases(happened, taken, as_of="2024-01-10"), "cases") == 0
    assert value_of(cases(happened, taken, as_of="2024-01-11"), "cases") == 1


def test_order_of_rows_changes_nothing(happened, taken):
    figures = cases(happened, taken, by=("quarter", "office"))
    turned = cases(happened.iloc[::-1], taken.iloc[::-1], by=("quarter", "office"))
    assert_frame_equal(figures.frame(), turned.frame())
    assert set(figures.frame()["quarter"]) == {"2024-Q1", "2024-Q2", "total"}


@pytest.mark.parametrize(
    ("edition", "medicines", "cash"),
    [
        ("ITR-2015", "intellectual_property+health_safety", "other"),
        ("ITR-2024", "health_safety", "money_laundering"),
    ],
)
def test_an_edition_decides_the_area(happened, taken, edition, medicines, cash):
    more = pd.DataFrame([["C2", "CURRENCY", 10.0, "EUR"]], columns=list(taken))
    figures = cases(happened, pd.concat([taken, more]), edition=edition)
    assert value_of(figures, "seizures", medicines) == 1
    assert value_of(figures, "seizures", cash) == 1


@pytest.mark.parametrize(
    ("edition", "n"),
    [
        ("ITR-2013", 5),
        ("ITR-2015", 6),
        ("ITR-2022", 7),
        ("ITR-2023", 8),
        ("ITR-2024", 7),
    ],
)
def test_editions_have_as_many_areas_as_was_published(happened, taken, edition, n):
    from smartrisk.statistics._cases import _edition

    areas = _edition(edition)["areas"]
    assert len(areas) == len(set(areas)) == n
    assert ("cultural_heritage" in areas) == (edition not in ("ITR-2013", "ITR-2024"))
    figures = cases(happened, taken, edition=edition)
    for lang in ("en", "fr", "es"):
        assert all(figures.definition(area, lang) for area in areas)


def test_what_no_public_text_confirms_is_marked(happened, taken):
    figures = cases(happened, taken)
    assert "Khat (to be confirmed)" in figures.definition("drugs")
    assert "Waste," in figures.definition("environment")
    assert figures.definition("COCAINE", "fr") == "Cocaïne (à confirmer)"
    inferred = cases(happened, taken, edition="ITR-2022")
    assert "Drogas (por confirmar)" in inferred.definition("drugs", "es")
    with pytest.raises(ArgumentError, match="Did you mean 'drugs'"):
        figures.definition("drug")


def test_the_area_of_a_seizure_goes_before_that_of_its_category(happened, taken):
    stated = taken.assign(area=["security", None, None, None, None, None])
    figures = cases(happened, stated)
    assert value_of(figures, "seizures", "security", "COCAINE") == 1
    assert value_of(figures, "seizures", "drugs", "COCAINE") == 1


def test_controls_that_ended_in_a_seizure_are_a_rate(tables, happened):
    given = {name: tables[name] for name in ("declarations", "outcomes", "decisions")}
    figures = enforcement(**given, cases=happened, by=(), age=None)
    row = figures.frame().set_index("indicator").loc["seizure_rate"]
    rate = figures.frame().set_index("indicator").loc["hit_rate"]
    assert (row["numerator"], row["denominator"]) == (3.0, rate["denominator"])
    early = enforcement(**given, cases=happened, by=(), age=None, as_of="2024-04-03")
    assert early.frame().set_index("indicator").loc["seizure_rate", "numerator"] == 1.0
    without = enforcement(**given, by=(), age=None).frame().set_index("indicator")
    assert without.loc["seizure_rate", "reason"] == "absent: there are no seizures"


def test_cases_are_written_and_read_back(happened, taken, tmp_path):
    figures = cases(happened, taken, by=("year",))
    path = write(figures, tmp_path / "cases.sdmx.csv", lang="fr")
    (data,) = get_datasets(path, tmp_path / "cases.sdmx.json", validate=True)
    frame = figures.frame()
    assert data.data["OBS_VALUE"].astype(float).tolist() == frame["value"].tolist()
    assert data.data["AREA"].tolist() == frame["area"].replace("total", "_T").tolist()
    assert set(data.data["TIME_PERIOD"]) == {"2024", "2024-01-01/P1Y"}
    write(figures, tmp_path / "cases.xlsx")
    book = pd.read_excel(tmp_path / "cases.xlsx", sheet_name=None)
    assert list(book) == ["Figures", "Metadata", "Definitions", "Left out"]
    assert book["Figures"]["value"].tolist() == frame["value"].tolist()
    for check in figures.reconcile()["check"]:
        assert translate_sentence(check, "fr") != check


def test_tables_that_do_not_fit_are_refused(happened, taken):
    with pytest.raises(TableError, match="missing in SEIZURES: 'unit'"):
        cases(happened, taken.drop(columns="unit"))
    with pytest.raises(TableError, match="SEIZURES repeats"):
        cases(happened, pd.concat([taken, taken.head(1)]))
    with pytest.raises(TableError, match="must hold dates"):
        cases(happened.assign(date="2024"), taken)
    with pytest.raises(ArgumentError, match="edition"):
        cases(happened, taken, edition="ITR-2019")
    with pytest.raises(ArgumentError, match="'port' cannot be one"):
        cases(happened, taken, by=("port",))


def test_a_missing_quantity_is_no_zero_and_goods_without_a_unit_are_refused(
    tables, happened, taken
):
    taken.loc[0, "quantity"] = np.nan
    taken.loc[[0, 2], "unit"] = None
    with pytest.raises(
        TableError, match=r"'quantity' \(1\), 'unit' \(2\), .* 'C1', 'C2'"
    ):
        cases(happened, taken)
    happened.loc[3, "date"] = pd.NaT
    with pytest.raises(TableError, match=r"columns of CASES .* 'date' \(1\)"):
        cases(happened, taken)
    given = {name: tables[name] for name in ("declarations", "outcomes", "decisions")}
    with pytest.raises(TableError, match=r"enforcement: columns of CASES .* 'C4'"):
        enforcement(**given, cases=happened)
    with pytest.raises(TableError, match="missing in CASES: 'date'"):
        enforcement(**given, cases=happened.drop(columns="date"))


def test_no_case_gives_totals_of_zero(happened, taken):
    figures = cases(happened.head(0), taken.head(0), by=("office",))
    assert value_of(figures, "cases", office="total") == 0
    assert value_of(figures, "seizures", office="total") == 0
