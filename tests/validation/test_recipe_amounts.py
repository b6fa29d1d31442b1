"""Amounts: sums with signs, currencies by day, units by row, totals of documents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import TableError
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.validation import check

DAYS = ["2024-01-10", "2024-02-14", "2024-02-15", "2024-03-01"]
RATES = [
    {"currency": "USD", "valid_from": "2024-02-15", "rate": 4.0},
    {"currency": "USD", "valid_from": "2024-01-01", "rate": 2.0},
    {"currency": "EUR", "valid_from": "2024-02-01", "rate": 5.0},
]


def table(n=4, **columns):
    """Return items whose other fields are as they should be."""
    base = {
        "declaration_id": [f"D{k}" for k in range(n)],
        "item_number": [1] * n,
        "lodged_at": DAYS[:n],
        "tariff_code": ["640399"] * n,
    }
    return pd.DataFrame({**base, **columns})


def found(report, field, reason):
    """Return rows and columns of the findings of a reason."""
    lines = report.failures
    lines = lines[(lines["field"] == field) & (lines["reason"] == reason)]
    return list(zip(lines["row"], lines["source_column"], strict=True))


def test_parts_are_added_up_with_the_signs_of_their_columns():
    frame = table(
        ADV=["10,5", "0", "1.000", "4"],
        VAL1=["2", "3", "4", "5"],
        SIG1=["+", " -", None, "x"],
    )
    parts = ["ADV", {"column": "VAL1", "sign": "SIG1"}]
    columns = ColumnMap(decimal=",", thousands=".", sums={"duties_taxes": parts})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["duties_taxes"].tolist() == [12.5, 1004.0]
    assert found(report, "duties_taxes", "unknown sign") == [(3, "SIG1")]
    assert found(report, "duties_taxes", "out of range") == [(1, "ADV + VAL1 + SIG1")]


def test_a_missing_part_is_no_silent_zero():
    frame = table(FOB=["10", "20", "", "x"], FLE=["1", "", "", "1"])
    columns = ColumnMap(sums={"customs_value": ["FOB", "FLE"]})
    report = check(frame, DECLARATIONS, columns=columns)
    np.testing.assert_array_equal(report.table["customs_value"], [11.0, np.nan, np.nan])
    missing = found(report, "customs_value", "part of the sum missing")
    assert missing == [(1, "FLE")]
    assert found(report, "customs_value", "not a number") == [(3, "FOB")]

    declared = [{"column": "FOB"}, {"column": "FLE", "missing_is_zero": True}]
    columns = ColumnMap(sums={"customs_value": declared})
    report = check(frame, DECLARATIONS, columns=columns)
    np.testing.assert_array_equal(report.table["customs_value"], [11.0, 20.0, np.nan])
    (note, *_) = report.notes()
    assert note.message_id == "validation.missing_counts_as_zero"
    assert dict(note.values) == {
        "field": "customs_value",
        "column": "FLE",
        "n_rows": 2,
    }


def money(convert, **options):
    """Return a map of amounts in other currencies."""
    return ColumnMap(
        {"customs_value": "CIF"},
        currency="PEN",
        convert={"customs_value": convert},
        **options,
    )


def test_the_rate_of_the_day_is_the_last_one_before_it():
    frame = table(CIF=["10"] * 4, CUR=["USD", "usd ", "USD", "PEN"])
    columns = money({"currency_column": "CUR"}, rates={"rows": RATES})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["customs_value"].tolist() == [20.0, 20.0, 40.0, 10.0]
    assert report.table.attrs["smartrisk.currency"] == "PEN"


def test_an_amount_without_a_rate_is_refused_and_named():
    frame = table(CIF=["10", "10", "0", "10"], CUR=["EUR", "GBP", "GBP", None])
    columns = money({"currency_column": "CUR"}, rates={"rows": RATES})
    report = check(frame, DECLARATIONS, columns=columns)
    rows = found(report, "customs_value", "no exchange rate")
    assert rows == [(0, "CUR"), (1, "CUR"), (3, "CUR")]
    assert "'EUR', 'GBP'" in report.message()
    assert report.table["customs_value"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("national_per_foreign", [20.0, 40.0]), ("foreign_per_national", [5.0, 2.5])],
)
def test_a_rate_of_a_column_has_a_direction(direction, expected):
    frame = table(CIF=["10"] * 4, TC=["2", "4.0", "0", ""])
    columns = money({"rate_column": "TC", "direction": direction})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["customs_value"].tolist() == expected
    rows = found(report, "customs_value", "no exchange rate")
    assert rows == [(2, "TC"), (3, "TC")]


def test_each_part_of_a_value_has_its_own_currency():
    frame = table(
        3,
        FOB=["10"] * 3,
        FLE=["1"] * 3,
        SEG=["3"] * 3,
        CUR=["USD", "PEN", "USD"],
        TC=["3", "", "3"],
    )
    parts = [
        "FOB",
        {"column": "FLE", "currency": "EUR"},
        {"column": "SEG", "currency": "PEN"},
    ]
    columns = ColumnMap(
        sums={"customs_value": parts},
        currency="PEN",
        convert={"customs_value": {"currency_column": "CUR", "rate_column": "TC"}},
        rates={"rows": [{"currency": "EUR", "valid_from": "2024-01-01", "rate": 5.0}]},
    )
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["customs_value"].tolist() == [38.0, 18.0, 38.0]


def test_rates_come_from_a_file_beside_the_map_or_from_a_frame(tmp_path):
    frame = table(2, CIF=["10"] * 2, CUR=["USD"] * 2)
    (tmp_path / "tc.csv").write_text(
        "moneda;desde;tasa\nUSD;01/01/2024;2,5\nUSD;01/02/2024;3,5\n", encoding="utf-8"
    )
    names = {"currency": "moneda", "valid_from": "desde", "rate": "tasa"}
    columns = money(
        {"currency_column": "CUR"},
        rates={"file": "tc.csv", "names": names},
        day_first=True,
        decimal=",",
    )
    columns.to_toml(tmp_path / "map.toml")
    report = check(
        frame, DECLARATIONS, columns=ColumnMap.from_toml(tmp_path / "map.toml")
    )
    assert report.table["customs_value"].tolist() == [25.0, 35.0]
    rates = pd.DataFrame(RATES)
    report = check(
        frame,
        DECLARATIONS,
        columns=money({"currency_column": "CUR"}, frames={"rates": rates}),
    )
    assert report.table["customs_value"].tolist() == [20.0, 20.0]
    for wrong, message in (
        (rates.assign(rate=["4", "x", "0"]), "'rates' has 2 rows.*'x'"),
        (rates.rename(columns={"rate": "rates"}), "lacks the columns 'rate'.*'rates'"),
        (pd.concat([rates, rates[:1]]), "same key at the same moment: 'USD'"),
    ):
        with pytest.raises(TableError, match=message):
            check(
                frame,
                DECLARATIONS,
                columns=money({"currency_column": "CUR"}, frames={"rates": wrong}),
            )


def test_units_are_those_of_each_row():
    frame = table(
        PESO=["10"] * 4,
        U=["LB", "kg ", "T", "FOO"],
        N=["2"] * 4,
        V=["DZ", "PAR", "dz", None],
    )
    columns = ColumnMap(
        {"gross_mass_kg": "PESO", "quantity": "N"},
        units={
            "gross_mass_kg": {"column": "U"},
            "quantity": {"column": "V", "factors": {"DZ": 12, "PAR": 2}},
        },
    )
    report = check(frame, DECLARATIONS, columns=columns)
    np.testing.assert_allclose(
        report.table["gross_mass_kg"], [4.5359237, 10.0, 10_000.0]
    )
    assert report.table["quantity"].tolist() == [24.0, 4.0, 24.0]
    assert found(report, "gross_mass_kg", "unknown unit") == [(3, "U")]
    assert found(report, "quantity", "unknown unit") == [(3, "V")]


def test_a_total_of_the_document_is_shared_out_to_the_last_cent():
    frame = table(
        declaration_id=["A", "A", "A", "B"],
        item_number=[1, 2, 3, 1],
        CIF=["1", "1", "1", "9"],
        TOT=["10", "10", "10", "7"],
    )
    columns = ColumnMap(
        {"customs_value": "CIF", "gross_mass_kg": "TOT"},
        shared={"gross_mass_kg": "customs_value"},
    )
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["gross_mass_kg"].tolist() == [3.34, 3.33, 3.33, 7.0]
    flags = report.table["dq_shared_gross_mass_kg"]
    assert flags.tolist() == [True, True, True, False]
    frame["TOT"] = ["10", "10", "11", "7"]
    report = check(frame, DECLARATIONS, columns=columns)
    refused = found(report, "gross_mass_kg", "not one total per document")
    assert refused == [(0, "TOT"), (1, "TOT"), (2, "TOT")]


def test_factors_act_on_sums_as_on_columns():
    frame = table(2, A=["1", "2"], B=["3", "4"])
    columns = ColumnMap(sums={"net_mass_kg": ["A", "B"]}, factors={"net_mass_kg": 1000})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["net_mass_kg"].tolist() == [4000.0, 6000.0]
