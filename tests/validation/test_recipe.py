"""Columns become fields as the map says: joined, split, dates, mapped, filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate

#: Line 1 of a file.
LINE = f"{0:016x}:1"


def table(n=3, **columns):
    """Return items whose other fields are as they should be."""
    base = {
        "declaration_id": [f"D{k}" for k in range(n)],
        "item_number": [1] * n,
        "lodged_at": ["2024-03-01"] * n,
        "tariff_code": ["640399"] * n,
    }
    return pd.DataFrame({**base, **columns}).drop(
        columns=[k for k, v in columns.items() if v is None]
    )


def reasons(report):
    """Return field, reason, column and row of every finding."""
    columns = ["field", "reason", "source_column", "row"]
    return [tuple(row) for row in report.failures[columns].itertuples(index=False)]


JOIN = {"declaration_id": {"columns": ["adu", "ano", "num"], "widths": [3, 4, 6]}}


def test_columns_are_joined_to_a_key_with_their_zeros():
    frame = table(
        declaration_id=None,
        adu=["17", 5.0, "005"],
        ano=[2024, 2024, 2024],
        num=["12", "000013", "14 "],
    )
    report = check(frame, DECLARATIONS, columns=ColumnMap(join=JOIN))
    assert report.table["declaration_id"].tolist() == [
        "017-2024-000012",
        "005-2024-000013",
        "005-2024-000014",
    ]
    assert report.ignored == ()


def test_a_key_without_one_of_its_parts_is_refused_under_its_column():
    frame = table(
        declaration_id=None,
        adu=["17", None, None],
        ano=["2024", "2024", None],
        num=["1", "2", None],
    )
    report = check(frame, DECLARATIONS, columns=ColumnMap(join=JOIN))
    assert ("declaration_id", "part of the key missing", "adu", 1) in reasons(report)
    whole = "adu + ano + num"
    assert ("declaration_id", "missing", whole, 2) in reasons(report)
    assert report.table["declaration_id"].tolist() == ["017-2024-000001"]


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(
            st.text("0123456789", min_size=1, max_size=3),
            st.text("ab-1", min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
def test_two_documents_never_get_one_key_without_a_word(pairs):
    frame = table(
        len(pairs),
        declaration_id=None,
        a=[p[0] for p in pairs],
        b=[p[1] for p in pairs],
    )
    columns = ColumnMap(join={"declaration_id": {"columns": ["b", "a"]}})
    report = check(frame, DECLARATIONS, columns=columns)
    seen = report.table["declaration_id"]
    reported = {reason for _, reason, _, _ in reasons(report)}
    assert len(report.table) + len(report.set_aside) == len(frame)
    clean = [(a, b) for a, b in pairs if "-" not in b]
    assert seen.nunique() >= len({(a, b) for a, b in clean if b.strip()})
    if any("-" in b.strip("-") for _, b in pairs):
        assert reported & {"separator inside a part", "part of the key missing"}


def test_one_column_holds_number_and_item():
    both = {"fields": ["declaration_id", "item_number"]}
    frame = table(
        declaration_id=None, item_number=None, doc=["001044 | 1", "6 | 20", "7"]
    )
    columns = ColumnMap(split=[{**both, "column": "doc", "separator": "|"}])
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["declaration_id"].tolist() == ["001044", "6"]
    assert report.table["item_number"].tolist() == [1, 20]
    assert ("declaration_id", "not in parts", "doc", 2) in reasons(report)
    frame = table(1, declaration_id=None, item_number=None, doc=["6\\20"])
    columns = ColumnMap(split=[{**both, "column": "doc", "separator": "\\"}])
    found = validate(frame, DECLARATIONS, columns=columns)
    assert found["item_number"].tolist() == [20]


def test_a_date_of_three_columns_comes_back():
    days = pd.date_range("1995-02-27", periods=3_000, freq="3D")
    frame = table(
        len(days),
        lodged_at=None,
        y=days.year.astype(str),
        m=days.month.astype(float),
        d=days.strftime("%d"),
    )
    columns = ColumnMap(dates={"lodged_at": {"year": "y", "month": "m", "day": "d"}})
    found = validate(frame, DECLARATIONS, columns=columns)["lodged_at"]
    assert (found.to_numpy() == days.to_numpy()).all()


@pytest.mark.parametrize(
    "parts",
    [
        (24, 3, 1),
        (2024, 13, 1),
        (2023, 2, 29),
        (2024, 3, 0),
        (2024, 3.5, 1),
        (2024, "", 1),
        ("now", 3, 1),
    ],
)
def test_three_columns_that_are_no_day_are_refused(parts):
    frame = table(
        2,
        lodged_at=None,
        **{k: [v, 1 if k != "y" else 2024] for k, v in zip("ymd", parts, strict=True)},
    )
    columns = ColumnMap(dates={"lodged_at": {"year": "y", "month": "m", "day": "d"}})
    report = check(frame, DECLARATIONS, columns=columns)
    assert [row for field, _, _, row in reasons(report) if field == "lodged_at"]
    assert report.table["lodged_at"].tolist() == [pd.Timestamp("2024-01-01")]


def test_values_are_mapped_whatever_their_case_and_others_are_reported():
    frame = table(4, pays=[" chine", "CHINE", "Vietnam", None], code=[1.0, "1", 2, 3])
    values = {"origin": {"Chine": "CN", "*": ""}, "procedure": {1.0: "4000"}}
    columns = ColumnMap({"origin": "pays", "procedure": "code"}, values=values)
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.ok
    assert report.table["origin"].fillna("?").tolist() == ["CN", "CN", "?", "?"]
    assert report.table["procedure"].tolist() == ["4000", "4000", "2", "3"]
    assert reasons(report) == [("origin", "not in the value map", "pays", 2)]


def test_lost_zeros_are_restored_and_longer_values_reported():
    frame = table(
        4,
        office=["11", 5, 7.0, "A1"],
        lodged_at=["1032024", "11032024", "01042024", 2042024],
        procedure=["1", "12345", "2", "3"],
    )
    columns = ColumnMap(
        widths={"office": 3, "lodged_at": 8, "procedure": 4}, date_format="%d%m%Y"
    )
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["office"].tolist() == ["011", "005", "007", "A1"]
    assert report.table["lodged_at"].dt.strftime("%d%m").tolist() == [
        "0103",
        "1103",
        "0104",
        "0204",
    ]
    reported = [f for f in reasons(report) if f[1] == "longer than its width"]
    assert reported == [("procedure", "longer than its width", "procedure", 1)]


def test_every_missing_column_is_named_with_the_nearest():
    columns = ColumnMap(
        {"office": "bureu"},
        join={"declaration_id": {"columns": ["adu", "ano"]}},
        sums={"duties_taxes": ["ADV_DOLAR", {"column": "IGV", "sign": "SIGN_IGV"}]},
    )
    frame = table(
        adu=["1"] * 3,
        anno=["1"] * 3,
        bureau=["1"] * 3,
        ADV_DOLLAR=["1"] * 3,
        IGV=["1"] * 3,
    )
    with pytest.raises(TableError) as caught:
        check(frame, DECLARATIONS, columns=columns)
    text = str(caught.value)
    assert "'ano' for field 'declaration_id' (Did you mean 'anno'?)" in text
    assert "'bureu' for field 'office' (Did you mean 'bureau'?)" in text
    assert "'ADV_DOLAR' for field 'duties_taxes' (Did you mean 'ADV_DOLLAR'?)" in text
    assert "'SIGN_IGV' for field 'duties_taxes'" in text


def test_two_columns_that_could_be_one_field_are_reported():
    frame = table(**{"Customs Value": ["1"] * 3, "customs.value": ["2"] * 3})
    with pytest.raises(TableError, match=r"'Customs Value', 'customs.value' could all"):
        check(frame, DECLARATIONS)
    columns = ColumnMap({"customs_value": "customs.value"})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["customs_value"].tolist() == [2.0, 2.0, 2.0]
    assert report.ignored == ("Customs Value",)


def test_columns_that_nobody_mapped_are_named():
    frame = table(
        remarque=["x"] * 3, valeur=["1"] * 3, fraude=[0, 1, 0], source_row=[LINE] * 3
    )
    columns = ColumnMap({"customs_value": "valeur", "illicit": "fraude"})
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.ignored == ("remarque",)
    assert "no field takes the columns 'remarque'" in str(report.notes()[-1])
    assert report.table["source_row"].tolist() == [LINE] * 3


def test_optional_columns_may_be_absent_and_that_is_reported():
    columns = ColumnMap(
        {"office": "bureau", "origin": "pays"},
        sums={"duties_taxes": ["a", "b"]},
        optional=["office", "duties_taxes"],
    )
    report = check(table(pays=["CN"] * 3, a=[1] * 3), DECLARATIONS, columns=columns)
    assert {"office", "duties_taxes"}.isdisjoint(report.table)
    assert "the optional columns 'bureau', 'b'" in str(report.notes()[0])
    with pytest.raises(TableError, match="'pays' for field 'origin'"):
        check(table(), DECLARATIONS, columns=columns)


def test_own_fields_stand_after_the_fields_and_pass_a_second_check():
    frame = table(
        code=["a1", " B2", "NULL"], prix=["1,5", "2", "x"], zone=["n", "s", "n"]
    )
    columns = ColumnMap(
        {"standing": "code", "price": "prix"},
        decimal=",",
        own_fields={"price": "number", "standing": "code", "zone": "text"},
    )
    report = check(frame, DECLARATIONS, columns=columns)
    assert ("price", "not a number", "prix", 2) in reasons(report)
    found = report.table
    own = [name for name in found if not name.startswith("dq_")]
    assert own[-3:] == ["price", "standing", "zone"]
    assert found["standing"].tolist() == ["A1", "B2"]
    assert found["price"].tolist() == [1.5, 2.0]
    again = validate(found, DECLARATIONS)
    pd.testing.assert_frame_equal(again, found)
    assert again.attrs["smartrisk.own_fields"] == columns.own_fields
    with pytest.raises(TableError, match=r"'zon' .*'zone'|'zon'.*Did you mean 'zone'"):
        check(frame, DECLARATIONS, columns=ColumnMap(own_fields={"zon": "text"}))


FLOW = ColumnMap(
    {"flow": "sens", "origin": "pays"},
    values={"flow": {"E": "export", "I": "import", "T": "transit"}},
)


def test_rows_that_are_no_imports_are_set_aside_with_their_count():
    frame = table(
        5,
        sens=["I", "E", "e ", "T", "I"],
        pays=["CN"] * 5,
        tariff_code=["640399", None, "x", "640399", "bad"],
    )
    report = check(frame, DECLARATIONS, columns=FLOW)
    aside = report.failures[report.failures["severity"] == "set aside"]
    assert aside["reason"].unique().tolist() == ["not an import"]
    assert aside["row"].tolist() == [1, 2, 3]
    errors = report.failures[report.failures["severity"] == "error"]
    assert errors["row"].tolist() == [4]
    assert report.table.index.tolist() == [0]
    assert report.set_aside.index.tolist() == [1, 2, 3, 4]
    assert "1 rows cannot be used" in report.message()
    with pytest.warns(DataQualityWarning, match="3 rows are not imports"):
        validate(frame.iloc[:4], DECLARATIONS, columns=FLOW)


def test_rows_without_a_flow_count_as_imports_and_are_counted():
    report = check(
        table(sens=["I", "", None]),
        DECLARATIONS,
        columns=ColumnMap({"flow": "sens"}, values=FLOW.values),
    )
    assert report.ok
    (note,) = [n for n in report.notes() if n.message_id == "validation.flow_missing"]
    assert "2 rows do not state their flow (column 'sens')" in str(note)


def test_results_of_exports_are_no_outcomes():
    frame = table(3, sens=["I", "E", "I"], illicit=[1, 1, None])
    report = check(
        frame, OUTCOMES, columns=ColumnMap({"flow": "sens"}, values=FLOW.values)
    )
    assert report.table["declaration_id"].tolist() == ["D0"]
    assert report.flow_messages()[0].values["n_rows"] == 1


def test_no_row_is_lost():
    rng = np.random.default_rng(5)
    n = 200
    frame = table(
        n,
        declaration_id=None,
        lodged_at=rng.choice(["2024-03-01", "x", ""], n),
        adu=rng.choice(["1", "", "22"], n),
        ano=rng.choice(["2024", None], n),
        num=np.arange(n).astype(str),
        sens=rng.choice(["I", "E", "?!", ""], n),
    )
    columns = ColumnMap({"flow": "sens"}, values=FLOW.values, join=JOIN)
    report = check(frame, DECLARATIONS, columns=columns)
    both = sorted([*report.table.index, *report.set_aside.index])
    assert both == list(range(n))
    rows = report.failures.loc[
        report.failures["severity"].isin(["error", "set aside"]), "row"
    ]
    assert sorted(rows.unique()) == sorted(report.set_aside.index)


def test_the_column_that_numbers_the_rows_of_a_file_is_not_named_as_theirs():
    frame = pd.DataFrame({"a": [1], "b": [2], SOURCE_ROW: ["wrong.csv:2"]})
    with pytest.raises(TableError, match=r"The table has 'a', 'b'\."):
        validate(frame, DECLARATIONS)
