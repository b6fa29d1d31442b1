"""Damaged inputs by family: refused clearly, repaired exactly, flagged, or accepted.

Every case says what must come of it. "refused" names the field, the count and the
remedy; "repaired" and "accepted" give the exact value; "flagged" keeps the row.
"""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from smartrisk.errors import LeakageError, SmartRiskError, TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate


def items(**columns):
    """Return three good items, with some columns replaced."""
    frame = pd.DataFrame(
        {
            "declaration_id": ["A1", "A2", "A3"],
            "item_number": [1, 1, 1],
            "lodged_at": pd.to_datetime(["2024-01-05", "2024-01-06", "2024-02-07"]),
            "importer_id": ["I1", "I2", "I1"],
            "tariff_code": ["010121", "640399", "090121"],
            "origin": ["VN", "CN", "NA"],
            "customs_value": [100.0, 2000.5, 30.0],
            "net_mass_kg": [10.0, 20.0, 3.0],
            "duty_rate": [0.05, 0.12, 0.0],
        }
    )
    return frame.assign(**columns)


def results(**columns):
    frame = pd.DataFrame(
        {
            "declaration_id": ["A1", "A2", "A3"],
            "item_number": [1, 1, 1],
            "illicit": [0, 1, 0],
            "known_at": pd.to_datetime(["2024-03-01"] * 3),
            "revenue_adjustment": [0.0, 500.0, 0.0],
        }
    )
    return frame.assign(**columns)


# ------------------------------------------------------------------ values


REPAIRED = {
    # tariff codes that lost their zeros, or gained points and blanks
    "code as integer": ("tariff_code", [10121, 640399, 90121], "010121"),
    "code as float": ("tariff_code", [10121.0, 640399.0, 90121.0], "010121"),
    "code as text of a float": ("tariff_code", ["10121.0", "6403.99", "9012.10"], None),
    "code of five digits": ("tariff_code", ["10121", "640399", "90121"], "010121"),
    "code with points": ("tariff_code", ["0101.21", "6403.99", "0901.21"], "010121"),
    "code with blanks": ("tariff_code", ["0101 21", " 640399", "090121 "], "010121"),
    "code of eight as number": (
        "tariff_code",
        [1012100, 64039900, 9012100],
        "01012100",
    ),
    "code of ten as number": (
        "tariff_code",
        [101210000, 6403990000, 901210000],
        "0101210000",
    ),
    "code in Arrow integers": (
        "tariff_code",
        pd.Series([10121, 640399, 90121], dtype="int64[pyarrow]"),
        "010121",
    ),
    # identities
    "id as integer": ("importer_id", [1001, 1002, 1001], "1001"),
    "id with point zero": ("importer_id", [1001.0, 1002.0, 1001.0], "1001"),
    "id with blanks around": ("importer_id", [" I1 ", "I2", "I1"], "I1"),
    "id with zero-width space": ("importer_id", ["I\u200b1", "I2", "I1"], "I1"),
    "id with no-break space": ("importer_id", ["I1\u00a0", "I2", "I1"], "I1"),
    "id with byte-order mark": ("importer_id", ["\ufeffI1", "I2", "I1"], "I1"),
    "id with bidirectional mark": ("importer_id", ["I1\u202e", "I2", "I1"], "I1"),
    "id with soft hyphen": ("importer_id", ["I\u00ad1", "I2", "I1"], "I1"),
    "id in full-width letters": ("importer_id", ["\uff291", "I2", "I1"], "I1"),
    "id with line break": ("importer_id", ["I1\n", "I2", "I1"], "I1"),
    "id as bytes": ("importer_id", [b"I1", b"I2", b"I1"], "I1"),
    # countries
    "country in lower case": ("origin", ["vn", "cn", "na"], "VN"),
    "country with blanks": ("origin", [" VN", "CN ", "NA"], "VN"),
    "country of three letters": ("origin", ["VNM", "CN", "NA"], "VN"),
    "country of digits": ("origin", ["704", "CN", "NA"], "VN"),
    # numbers as text
    "number as text": ("customs_value", ["100", "2000.5", "30"], 100.0),
    "number as power of ten": (
        "customs_value",
        ["1e2", "2.0005E3", "30"],
        100.0,
    ),
    "number with blanks around": ("customs_value", [" 100 ", "2000.5", "30"], 100.0),
    "number as decimal": (
        "customs_value",
        [decimal.Decimal("100"), decimal.Decimal("2000.5"), decimal.Decimal(30)],
        100.0,
    ),
    "number as integer": ("customs_value", [100, 2000, 30], 100.0),
    "number in Arrow": (
        "customs_value",
        pd.Series([100.0, 2000.5, 30.0], dtype="double[pyarrow]"),
        100.0,
    ),
    "number nullable": (
        "customs_value",
        pd.Series([100.0, 2000.5, None], dtype="Float64"),
        100.0,
    ),
    "number in single precision": (
        "customs_value",
        np.array([100, 2000.5, 30], np.float32),
        100.0,
    ),
    # dates
    "date as text": (
        "lodged_at",
        ["2024-01-05", "2024-01-06", "2024-02-07"],
        pd.Timestamp("2024-01-05"),
    ),
    "date with time": (
        "lodged_at",
        ["2024-01-05 13:45", "2024-01-06T01:00:00", "2024-02-07"],
        pd.Timestamp("2024-01-05 13:45"),
    ),
    "date with zone": (
        "lodged_at",
        pd.to_datetime(["2024-01-05", "2024-01-06", "2024-02-07"]).tz_localize(
            "Asia/Seoul"
        ),
        pd.Timestamp("2024-01-04 15:00"),
    ),
    "date with zone as text": (
        "lodged_at",
        ["2024-01-05T00:00:00Z", "2024-01-06T00:00+00:00", "2024-02-07T00:00Z"],
        pd.Timestamp("2024-01-05"),
    ),
    "date in days after the twelfth": (
        "lodged_at",
        ["25/01/2024", "26/01/2024", "27/02/2024"],
        pd.Timestamp("2024-01-25"),
    ),
    "date in nanoseconds": (
        "lodged_at",
        pd.to_datetime(["2024-01-05", "2024-01-06", "2024-02-07"]).astype(
            "datetime64[ns]"
        ),
        pd.Timestamp("2024-01-05"),
    ),
    "date of Python": (
        "lodged_at",
        [pd.Timestamp("2024-01-05").date()] * 3,
        pd.Timestamp("2024-01-05"),
    ),
}


@pytest.mark.parametrize("case", REPAIRED)
def test_repaired_exactly(case):
    column, values, first = REPAIRED[case]
    frame = items(**{column: values})
    before = frame.copy(deep=True)
    out = validate(frame, DECLARATIONS)
    assert len(out) == 3
    if first is not None:
        assert out[column].iloc[0] == first
    pd.testing.assert_frame_equal(frame, before)  # the caller's own is never changed
    pd.testing.assert_frame_equal(validate(out, DECLARATIONS), out)


REFUSED = {
    "no declaration id": ("declaration_id", ["A1", None, "A3"], "missing"),
    "empty declaration id": ("declaration_id", ["A1", "", "A3"], "missing"),
    "blank declaration id": ("declaration_id", ["A1", "  ", "A3"], "missing"),
    "marker for missing": ("declaration_id", ["A1", "N/A", "A3"], "missing"),
    "dash for missing": ("declaration_id", ["A1", "-", "A3"], "missing"),
    "null as text": ("declaration_id", ["A1", "NULL", "A3"], "missing"),
    "only invisible signs": ("declaration_id", ["A1", "\u200b\u200b", "A3"], "missing"),
    "rounded by a spreadsheet": (
        "declaration_id",
        ["A1", "2.02E+11", "A3"],
        "scientific notation",
    ),
    "key twice": ("declaration_id", ["A1", "A1", "A3"], "duplicate key"),
    "key twice after repair": ("declaration_id", ["A1", " A1", "A3"], "duplicate key"),
    "no date": ("lodged_at", ["2024-01-05", None, "2024-02-07"], "missing"),
    "date that is none": (
        "lodged_at",
        ["2024-01-05", "soon", "2024-02-07"],
        "not a date",
    ),
    "day that is none": (
        "lodged_at",
        ["2024-02-30", "2024-01-06", "2024-02-07"],
        "not a date",
    ),
    "day or month": ("lodged_at", ["03/04/2024"] * 3, "ambiguous date"),
    "spreadsheet serial": ("lodged_at", [45296, 45297, 45329], "not a date"),
    "serial with a fraction": ("lodged_at", [45296.5, 45297.0, 45329.0], "not a date"),
    "code without its last zero": (
        "tariff_code",
        [101.21, 6403.9, 901.21],
        "bad pattern",
    ),
    "list as id": ("importer_id", [["I1"], "I2", "I1"], "not a single value"),
    "mapping as country": (
        "origin",
        ["VN", {"code": "CN"}, "NA"],
        "not a single value",
    ),
    "serial as text": ("lodged_at", ["45296", "45297", "45329"], "not a date"),
    "before 1900": ("lodged_at", ["1824-01-05"] * 3, "date out of range"),
    "after 2200": ("lodged_at", ["2524-01-05"] * 3, "date out of range"),
    "no tariff code": ("tariff_code", ["010121", None, "090121"], "missing"),
    "letter in a code": (
        "tariff_code",
        ["010121", "64O399", "090121"],
        "bad pattern",
    ),
    "code too short": ("tariff_code", ["010121", "6403", "090121"], "bad pattern"),
    "code too long": ("tariff_code", ["010121", "6" * 14, "090121"], "bad pattern"),
    "negative code": ("tariff_code", [10121, -640399, 90121], "bad pattern"),
    "fraction as code": ("tariff_code", [10121.5, 640399.0, 90121.0], "bad pattern"),
    "negative value": ("customs_value", [100.0, -1.0, 30.0], "out of range"),
    "infinite value": ("customs_value", [100.0, np.inf, 30.0], "infinite"),
    "minus infinite": ("customs_value", [100.0, -np.inf, 30.0], "infinite"),
    "words as value": ("customs_value", ["100", "much", "30"], "not a number"),
    "currency sign": ("customs_value", ["100", "$20", "30"], "not a number"),
    "comma without a map": ("customs_value", ["100,5", "20", "30"], "not a number"),
    "thousands, no map": (
        "customs_value",
        ["1,000.5", "20", "30"],
        "not a number",
    ),
    "list in a cell": ("customs_value", [100.0, [1, 2], 30.0], "not a single value"),
    "truth as value": ("customs_value", [True, False, True], "not a number"),
    "negative mass": ("net_mass_kg", [10.0, -5.0, 3.0], "out of range"),
    "rate in percent": ("duty_rate", [5.0, 12.0, 0.0], "rate in percent"),
    "negative rate": ("duty_rate", [0.05, -0.1, 0.0], "out of range"),
    "item number as fraction": ("item_number", [1, 1.5, 1], "not a whole number"),
    "item number as word": ("item_number", ["1", "one", "1"], "not a number"),
    "negative item number": ("item_number", [1, -1, 1], "out of range"),
    "truth that is neither": (
        "trusted_trader",
        ["yes?", "true", "false"],
        "not true or false",
    ),
    "hexadecimal": ("customs_value", ["0x10", "20", "30"], "not a number"),
    "underscores": ("customs_value", ["1_000", "20", "30"], "not a number"),
    "digits with words": (
        "customs_value",
        ["١٠٠ kg", "20", "30"],
        "not a number",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_field_reason_count_and_remedy(case):
    column, values, reason = REFUSED[case]
    frame = items(**{column: pd.Series(values, dtype=object)})
    with pytest.raises(TableError) as caught:
        validate(frame, DECLARATIONS)
    message = str(caught.value)
    assert f"'{column}'" in message
    assert reason in message
    assert " rows" in message
    assert len(message) < 700
    failures = caught.value.failures
    assert set(failures["field"][failures["severity"] == "error"]) == {column}


@pytest.mark.parametrize("dtype", ["str", "string", "category", object])
@pytest.mark.parametrize("column", ["declaration_id", "tariff_code"])
def test_a_required_value_is_required_in_columns_of_every_type(column, dtype):
    frame = items()
    values = frame[column].astype(object).where(frame.index != 1, None)
    with pytest.raises(TableError, match=f"'{column}': missing in 1 row"):
        validate(frame.assign(**{column: values.astype(dtype)}), DECLARATIONS)


@pytest.mark.parametrize("case", REFUSED)
def test_set_aside_rows_are_counted_and_returned(case):
    column, values, _ = REFUSED[case]
    frame = items(**{column: pd.Series(values, dtype=object)})
    report = check(frame, DECLARATIONS)
    assert not report.ok
    assert len(report.table) + len(report.set_aside) == 3
    errors = report.failures[report.failures["severity"] == "error"]
    assert len(set(errors["row"])) == len(report.set_aside)


FLAGGED = {
    "no mass": ({"net_mass_kg": [0.0, 20.0, 3.0]}, "dq_zero_net_mass_kg"),
    "no value": ({"customs_value": [0.0, 20.0, 3.0]}, "dq_zero_customs_value"),
    "no quantity": ({"quantity": [0.0, 2.0, 3.0]}, "dq_zero_quantity"),
    "net over gross": ({"gross_mass_kg": [5.0, 25.0, 3.5]}, "dq_net_exceeds_gross"),
    "country that is none": ({"origin": ["XX", "CN", "NA"]}, "dq_unknown_origin"),
    "union of countries": ({"origin": ["EU", "CN", "NA"]}, "dq_unknown_origin"),
}


@pytest.mark.parametrize("case", FLAGGED)
def test_doubtful_but_legal_is_flagged_and_kept(case):
    columns, flag = FLAGGED[case]
    report = check(items(**columns), DECLARATIONS)
    out = report.table
    assert len(out) == 3
    assert out[flag].tolist() == [True, False, False]
    (name,) = columns
    (remark,) = report.remarks()
    assert " in 1 rows" in str(remark)
    assert str(out[name].iloc[0]) == str(columns[name][0])


ACCEPTED = {
    "missing value": ("customs_value", [100.0, np.nan, 30.0]),
    "missing origin": ("origin", ["VN", None, "NA"]),
    "missing importer": ("importer_id", ["I1", None, "I3"]),
    "Namibia": ("origin", ["NA", "NA", "NA"]),
    "value with many digits": ("customs_value", [1e12, 1e-6, 30.0]),
    "six to twelve digits": ("tariff_code", ["010121", "01012100000", "010121000000"]),
    "very long id": ("importer_id", ["x" * 5000, "I2", "I1"]),
    "emoji in an id": ("importer_id", ["I1\U0001f600", "I2", "I1"]),
    "formula in an id": ("importer_id", ["=1+1", "I2", "I1"]),
    "free rate": ("duty_rate", [0.0, 0.0, 0.0]),
    "rate over one": ("duty_rate", [3.0, 0.05, 0.1]),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted_as_it_is(case):
    column, values = ACCEPTED[case]
    out = validate(items(**{column: values}), DECLARATIONS)
    kept = [None if pd.isna(v) else v for v in out[column]]
    assert kept == [None if pd.isna(v) else v for v in values]


# -------------------------------------------------------------- containers


def good():
    return validate(items(), DECLARATIONS)


CONTAINERS = {
    "mapping of lists": lambda f: f.to_dict("list"),
    "Arrow table": pa.Table.from_pandas,
    "Arrow-backed frame": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "nullable types": lambda f: f.convert_dtypes(),
    "all objects": lambda f: f.astype(object),
    "categories": lambda f: f.astype({"origin": "category", "importer_id": "category"}),
    "columns in another order": lambda f: f[f.columns[::-1]],
    "a subclass": lambda f: type("OwnFrame", (pd.DataFrame,), {})(f),
    "one more column": lambda f: f.assign(colour="red"),
    "upper-case names": lambda f: f.rename(columns=str.upper),
    "names with blanks": lambda f: f.rename(columns=lambda c: f" {c} "),
    "names with spaces for underscores": lambda f: f.rename(
        columns=lambda c: c.replace("_", " ")
    ),
    "camel case": lambda f: f.rename(
        columns=lambda c: "".join(p.title() for p in c.split("_"))
    ),
    "all as text": lambda f: f.astype("str"),
}


@pytest.mark.parametrize("case", CONTAINERS)
def test_a_container_changes_nothing(case):
    out = validate(CONTAINERS[case](items()), DECLARATIONS)
    pd.testing.assert_frame_equal(pd.DataFrame(out), good())


def test_a_polars_frame_changes_nothing():
    polars = pytest.importorskip("polars")
    out = validate(polars.from_pandas(items()), DECLARATIONS)
    pd.testing.assert_frame_equal(out, good())


@pytest.mark.parametrize(
    "index", [[7, 7, 7], [3, 1, 2], ["x", "y", "z"], pd.date_range("2020", periods=3)]
)
def test_an_odd_index_is_kept(index):
    frame = items().set_axis(index)
    out = validate(frame, DECLARATIONS)
    assert out.index.equals(frame.index)
    assert out["declaration_id"].tolist() == ["A1", "A2", "A3"]


def test_an_odd_index_points_to_the_right_rows():
    frame = items(customs_value=[1.0, -5.0, 3.0]).set_axis([7, 7, 7])
    report = check(frame, DECLARATIONS)
    assert report.set_aside["declaration_id"].tolist() == ["A2"]
    assert report.failures["row"].tolist() == [1]


def test_a_column_of_serial_numbers_is_refused():
    with pytest.raises(TableError, match=r"not a date in 3 rows.*'excel'"):
        validate(items(lodged_at=[45296, 45297, 45329]), DECLARATIONS)


def test_a_table_without_rows_is_not_a_failure():
    out = validate(items().iloc[:0], DECLARATIONS)
    assert len(out) == 0
    assert list(out)[:3] == ["declaration_id", "item_number", "lodged_at"]


def test_one_row_is_enough():
    assert len(validate(items().head(1), DECLARATIONS)) == 1


@pytest.mark.parametrize(
    "thing", [None, 5, "declarations.csv", [1, 2], np.zeros((3, 3)), object()]
)
def test_other_types_than_tables_are_refused_by_name(thing):
    with pytest.raises(TableError, match="data frame"):
        validate(thing, DECLARATIONS)


def test_a_lazy_frame_is_refused_with_what_to_call():
    polars = pytest.importorskip("polars")
    with pytest.raises(TableError, match=r"got LazyFrame\. Call collect\(\) first"):
        validate(polars.LazyFrame({"declaration_id": ["A"]}), DECLARATIONS)


def test_lists_of_unequal_length_are_refused():
    with pytest.raises(TableError, match="mapping of columns"):
        validate({"declaration_id": ["A"], "lodged_at": []}, DECLARATIONS)


def test_several_levels_of_names_are_refused():
    frame = items()
    frame.columns = pd.MultiIndex.from_product([["a"], frame.columns])
    with pytest.raises(TableError, match="single texts"):
        validate(frame, DECLARATIONS)


# ----------------------------------------------------------------- columns


@pytest.mark.parametrize("column", ["declaration_id", "lodged_at", "tariff_code"])
def test_a_missing_column_is_named_with_the_nearest(column):
    frame = items().rename(columns={column: f"{column}x"})
    with pytest.raises(TableError, match=column) as caught:
        validate(frame, DECLARATIONS)
    assert f"{column}x" in str(caught.value)


def test_all_missing_columns_come_at_once():
    with pytest.raises(TableError, match="3 columns are missing") as caught:
        validate(pd.DataFrame({"a": [1]}), DECLARATIONS)
    message = str(caught.value)
    assert "'declaration_id'; 'lodged_at'; 'tariff_code'. The table has 'a'." in message


def test_a_column_twice_is_refused():
    frame = pd.concat([items(), items()[["origin"]]], axis=1)
    with pytest.raises(TableError, match="appear twice"):
        validate(frame, DECLARATIONS)


def test_a_mapped_column_that_is_absent_is_named():
    columns = ColumnMap({"origin": "pays"})
    with pytest.raises(TableError, match="pays"):
        validate(items(), DECLARATIONS, columns=columns)


@pytest.mark.parametrize(
    "column",
    [f.name for f in OUTCOMES if f.known == "inspection"],
)
def test_a_result_among_what_was_declared_is_refused(column):
    with pytest.raises(LeakageError, match=column):
        validate(items(**{column: 1}), DECLARATIONS)


def test_unknown_columns_are_reported_and_left_out():
    report = check(items(colour="red"), DECLARATIONS)
    assert report.ignored == ("colour",)
    assert "colour" not in report.table


# ------------------------------------------------------------------ labels


LABELS = {
    "truth": ([True, False, True], [1, 0, 1]),
    "words": (["true", "False", "TRUE"], [1, 0, 1]),
    "digits as text": (["1", "0", "1"], [1, 0, 1]),
    "floats": ([1.0, 0.0, 1.0], [1, 0, 1]),
    "floats as text": (["1.0", "0.0", "1.0"], [1, 0, 1]),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_in_their_usual_spellings(case):
    values, expected = LABELS[case]
    assert validate(results(illicit=values), OUTCOMES)["illicit"].tolist() == expected


@pytest.mark.parametrize(
    "values", [[-1, 0, 1], [2, 0, 1], [0.5, 0, 1], ["perhaps", 0, 1], [None, 0, 1]]
)
def test_other_labels_are_refused(values):
    frame = results(illicit=pd.Series(values, dtype=object))
    with pytest.raises(TableError, match="illicit"):
        validate(frame, OUTCOMES)


def test_a_result_twice_is_refused():
    frame = pd.concat([results(), results()], ignore_index=True)
    with pytest.raises(TableError, match="duplicate key in 6 rows"):
        validate(frame, OUTCOMES)


# -------------------------------------------------------------------- laws


def test_all_failures_come_at_once():
    frame = items(
        customs_value=[-1.0, 1.0, np.inf],
        tariff_code=["x", "640399", "090121"],
        lodged_at=["2024-01-05", "soon", "2024-02-07"],
    )
    with pytest.raises(TableError) as caught:
        validate(frame, DECLARATIONS)
    message = str(caught.value)
    for part in ("out of range", "infinite", "bad pattern", "not a date"):
        assert part in message


def test_at_most_five_values_and_no_ids_are_shown():
    many = pd.concat([items()] * 40, ignore_index=True)
    many["declaration_id"] = [f"SECRET-{k}" for k in range(len(many))]
    many["customs_value"] = [-float(k + 1) for k in range(len(many))]
    with pytest.raises(TableError) as caught:
        validate(many, DECLARATIONS)
    message = str(caught.value)
    assert "120 rows" in message
    assert "SECRET" not in message
    assert message.count("-") <= 12


def test_control_characters_never_reach_a_message():
    frame = items(tariff_code=["01\x1b[31m", "640399", "090121"])
    with pytest.raises(TableError) as caught:
        validate(frame, DECLARATIONS)
    assert "\x1b" not in str(caught.value)


def test_every_failure_is_of_this_library():
    for column, values, _ in REFUSED.values():
        with pytest.raises(SmartRiskError):
            validate(items(**{column: pd.Series(values, dtype=object)}), DECLARATIONS)


def test_a_synthetic_world_is_already_canonical(world):
    for frame, table in (
        (world.declarations, DECLARATIONS),
        (world.outcomes, OUTCOMES),
    ):
        once = validate(frame, table)
        pd.testing.assert_frame_equal(validate(once, table), once)
        shared = [name for name in frame if name in once]
        pd.testing.assert_frame_equal(once[shared], frame[shared])


def test_decimal_commas_thousands_and_factors_follow_the_map():
    columns = ColumnMap({}, decimal=",", thousands=" ", factors={"net_mass_kg": 1000.0})
    frame = items(customs_value=["1 234,5", "20", "30"], net_mass_kg=["0,5", "1", "2"])
    out = validate(frame, DECLARATIONS, columns=columns)
    assert out["customs_value"].tolist() == [1234.5, 20.0, 30.0]
    assert out["net_mass_kg"].tolist() == [500.0, 1000.0, 2000.0]


def test_a_point_is_refused_where_the_comma_is_the_sign():
    columns = ColumnMap({}, decimal=",")
    with pytest.raises(TableError, match="not a number"):
        validate(items(customs_value=["1.5"] * 3), DECLARATIONS, columns=columns)


def test_codes_of_six_to_twelve_digits_keep_their_zeros():
    for digits in range(6, 13):
        code = "01012100000000"[:digits]
        out = validate(items(tariff_code=[code] * 3), DECLARATIONS)
        assert out["tariff_code"].tolist() == [code] * 3
        number = ColumnMap({}, tariff_digits=digits)
        back = items(tariff_code=[int(code)] * 3)
        found = validate(back, DECLARATIONS, columns=number)["tariff_code"]
        assert found.tolist() == [code] * 3
