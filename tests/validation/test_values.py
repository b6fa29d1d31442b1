"""Values by kind: read in full under one grammar, or refused, and always counted."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import (
    check,
    explain_dates,
    explain_numbers,
    parse_dates,
    parse_numbers,
    validate,
)


def items(**columns):
    """Return good items, as many as the longest column, with some columns replaced."""
    n = max((len(values) for values in columns.values()), default=1)
    frame = pd.DataFrame(
        {
            "declaration_id": [f"A{row}" for row in range(n)],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-05"),
            "tariff_code": "010121",
        }
    )
    columns = {
        name: values if hasattr(values, "dtype") else pd.Series(values, dtype=object)
        for name, values in columns.items()
    }
    return frame.assign(**columns)


def read(name, values, **options):
    """Return the result of a column: the values kept, and reasons with counts."""
    columns = ColumnMap(**options) if options else None
    report = check(items(**{name: values}), DECLARATIONS, columns=columns)
    own = report.failures[report.failures["field"] == name]
    kept = [None if pd.isna(v) else v for v in report.table[name]]
    return kept, own.groupby("reason").size().to_dict()


def days(*texts):
    return [pd.Timestamp(text) for text in texts]


# -------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "today",
        "10:20",
        "2024Q1",
        "March 2024",
        "2024-03",
        "2024-W10-1",
        "20240",
        "2024010",
        "5",
        "2024-01-05 25:00",
        "2024-01-05 10:20 later",
        "24-1",
        "00:00.0",
        "2024-01-05T10",
        "2023-02-29",
    ],
)
def test_what_is_no_date_in_full_is_refused(text):
    # The good date beside it must not lend its format.
    kept, reasons = read("lodged_at", ["2024-01-05", text])
    assert kept == days("2024-01-05")
    assert reasons == {"not a date": 1}


@pytest.mark.parametrize(
    ("texts", "kept", "reasons"),
    [
        (["25/01/2024", "03/04/2024"], days("2024-01-25", "2024-04-03"), {}),
        (["01/25/2024", "03/04/2024"], days("2024-01-25", "2024-03-04"), {}),
        (["03/04/2024", "05/06/2024"], [], {"ambiguous date": 2}),
        (["03/03/2024", "05/05/2024"], days("2024-03-03", "2024-05-05"), {}),
        (
            ["25/01/2024", "01/25/2024", "03/04/2024"],
            days("2024-01-25"),
            {"ambiguous date": 1, "mixed date formats": 1},
        ),
        (
            ["2024-01-05", "2024-01-06", "06/01/2024"],
            days("2024-01-05", "2024-01-06"),
            {"mixed date formats": 1},
        ),
        (["31/12/99"], days("1999-12-31"), {}),
        (["25/01/24"], [], {"ambiguous date": 1}),
        (["05-JAN-2024", "5 mars 2024"], days("2024-01-05"), {"mixed date formats": 1}),
        (["5 de enero de 2024", "17 août 2024"], days("2024-01-05", "2024-08-17"), {}),
        ([20240105, 20240229.0], days("2024-01-05", "2024-02-29"), {}),
        ([45296, 45297], [], {"not a date": 2}),
    ],
)
def test_a_column_has_one_format_or_is_asked_for_it(texts, kept, reasons):
    assert read("lodged_at", texts) == (kept, reasons)


def test_one_odd_date_of_many_does_not_decide_days_and_months():
    texts = [f"{1 + n % 12:02d}/{1 + n // 12:02d}/2024" for n in range(60)]
    kept, reasons = read("lodged_at", [*texts, "25/01/2024"])
    assert reasons == {"ambiguous date": 55}  # five days are read the same either way
    assert len(kept) == 6


BY_FIELD = {"lodged_at": "%d.%m.%Y %H:%M"}


@pytest.mark.parametrize(
    ("texts", "options", "kept"),
    [
        (["05/03/24"], {"day_first": True}, days("2024-03-05")),
        (["05/03/24"], {"day_first": False}, days("2024-05-03")),
        (["05-JAN-24"], {"day_first": True}, days("2024-01-05")),
        (["05/03/69"], {"date_format": "%d/%m/%y"}, days("1969-03-05")),
        (["1022024"], {"date_format": "%d%m%Y"}, days("2024-02-01")),
        ([45296.5], {"date_format": "excel"}, days("2024-01-05 12:00")),
        (["45297"], {"date_format": "excel"}, days("2024-01-06")),
        ([43834], {"date_format": "excel1904"}, days("2024-01-05")),
        (["5.3.2024 14:30"], {"date_format": BY_FIELD}, days("2024-03-05 14:30")),
        (["03/05/2024 02:30 PM"], {"day_first": False}, days("2024-03-05 14:30")),
    ],
)
def test_a_declared_format_reads_its_dates(texts, options, kept):
    assert read("lodged_at", texts, **options)[0] == kept


def test_a_lost_zero_is_restored_and_counted():
    _, reasons = read("lodged_at", ["1022024", "13022024"], date_format="%d%m%Y")
    assert reasons == {"restored zero": 1}


@pytest.mark.parametrize("code", ["%Y-%m", "%d/%m", "%d/%m/%Q", "%I:%M %d/%m/%Y", "x"])
def test_a_format_without_a_day_is_refused(code):
    with pytest.raises(ArgumentError, match="date_format"):
        parse_dates(["2024-03"], code)


@pytest.mark.parametrize(
    ("texts", "zone", "kept", "reasons"),
    [
        (
            ["2024-03-01T23:30-05:00", "2024-03-01 23:30"],
            None,
            [],
            {"mixed time zones": 2},
        ),
        (["2024-03-01T23:30-05:00"], None, [], {"no time zone": 1}),
        (["2024-03-01T23:30Z"], None, days("2024-03-01 23:30"), {}),
        (["2024-03-01T23:30-05:00"], "America/Lima", days("2024-03-01 23:30"), {}),
        (
            ["2024-03-01T23:30-05:00"],
            "UTC",
            days("2024-03-02 04:30"),
            {"time zone converted": 1},
        ),
        (
            ["2024-03-02T04:30Z", "2024-03-01 23:30"],
            "America/Lima",
            days("2024-03-01 23:30", "2024-03-01 23:30"),
            {"time zone converted": 1},
        ),
    ],
)
def test_moments_with_an_offset_need_a_time_zone(texts, zone, kept, reasons):
    options = {"time_zone": zone} if zone else {}
    assert read("lodged_at", texts, **options) == (kept, reasons)


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(ArgumentError, match="'Mars/Base'"):
        parse_dates(["2024-03-01T23:30Z"], "iso", time_zone="Mars/Base")


@pytest.mark.parametrize(
    "dtype", ["date32[day][pyarrow]", "date64[ms][pyarrow]", "timestamp[ns][pyarrow]"]
)
def test_dates_of_arrow_are_read(dtype):
    values = pd.Series([dt.date(2024, 1, 5), dt.date(2024, 1, 6)], dtype=dtype)
    assert read("lodged_at", values) == (days("2024-01-05", "2024-01-06"), {})


def test_months_without_days_and_truths_are_no_dates():
    months = pd.Series(pd.period_range("2024-01", periods=2, freq="M"))
    assert read("lodged_at", months)[1] == {"not a date": 2}
    assert read("lodged_at", pd.Series([True, False]))[1] == {"not a date": 2}


def test_a_column_that_a_spreadsheet_half_converted_is_refused():
    values = [dt.datetime(2024, 4, 3), dt.datetime(2024, 6, 5), "25/01/2024"]
    assert read("lodged_at", values)[1] == {"days turned into months": 3}
    # Real moments beside texts that have one reading are one column.
    assert read("lodged_at", [dt.datetime(2024, 4, 3), "2024-01-25"])[1] == {}


def test_months_that_were_days_are_reported_though_each_date_is_good():
    moments = [f"2024-{m:02d}-{d:02d}" for m in (1, 2, 3) for d in range(1, 13)]
    with pytest.warns(DataQualityWarning, match="'lodged_at': no day after the 12th"):
        validate(items(lodged_at=moments), DECLARATIONS)
    assert read("lodged_at", [*moments, "2024-03-13"])[1] == {}


def test_a_date_far_from_all_others_is_marked():
    frame = items(lodged_at=days("2024-01-05", "2024-02-05", "2099-01-05"))
    with pytest.warns(DataQualityWarning, match="far from all other dates in 1 rows"):
        table = validate(frame, DECLARATIONS)
    assert table["dq_far_lodged_at"].tolist() == [False, False, True]


def test_formats_of_dates_are_explained_by_the_share_that_each_reads():
    assert explain_dates(["31/01/2024", "02/03/2024", "n/a"]) == {
        "%d/%m/%Y": 1.0,
        "%m/%d/%Y": 0.5,
    }
    assert explain_dates([45296.5, 45297]) == {"excel": 1.0}
    assert explain_dates(["", None]) == {}
    moments = explain_dates(["2024-01-05T10:20:30Z"])
    assert moments == {"%Y-%m-%dT%H:%M:%S%z": 1.0, "iso": 1.0}
    for code in moments:
        assert not parse_dates(["2024-01-05T10:20:30Z"], code)[1].any()


# ------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "options", "number"),
    [
        ("1,234.5", {"thousands": ","}, 1234.5),
        ("1,23,456.5", {"thousands": ",", "grouping": "indian"}, 123456.5),
        ("1.234,5", {"decimal": ",", "thousands": "."}, 1234.5),
        ("1 234,5", {"decimal": ",", "thousands": " "}, 1234.5),
        ("1'234.5", {"thousands": "'"}, 1234.5),
        ("1\u202f234", {}, 1234.0),
        ("\uff11\uff12", {}, 12.0),
        ("\u22125.5", {}, -5.5),
        (".45400", {}, 0.454),
        (".00", {}, 0.0),
        ("5.", {}, 5.0),
        ("+5", {}, 5.0),
        ("2.5E3", {}, 2500.0),
    ],
)
def test_a_number_is_read_in_full(text, options, number):
    values, unread = parse_numbers([text], **options)
    assert values.tolist() == [number]
    assert not unread.any()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1,23", {"thousands": ","}),
        ("12,34,567", {"thousands": ","}),
        ("1,234,5", {"thousands": ","}),
        ("1234,567", {"thousands": ","}),
        ("1,234", {}),
        ("1 234", {}),
        ("1\u00a02345", {}),
        ("1.234", {"decimal": ","}),
        ("1.234.567", {}),
        ("$20", {}),
        ("20 EUR", {}),
        ("5%", {}),
        ("(5)", {}),
        ("5-", {}),
        ("1_000", {}),
        ("0x10", {}),
        ("1+2j", {}),
        ("1,234e3", {"thousands": ","}),
        ("\u0661", {}),
        ("--5", {}),
    ],
)
def test_what_is_no_number_for_certain_is_refused(text, options):
    values, unread = parse_numbers(["7", text], **options)
    assert unread.tolist() == [False, True]
    assert np.isnan(values[1])


def test_numbers_put_in_another_form_are_counted():
    kept, reasons = read("customs_value", ["\uff11", ".5", "2", "missing", "S/D"])
    assert kept == [1.0, 0.5, 2.0, None, None]
    assert reasons == {"number rewritten": 2, "sign for missing": 2}


def test_complex_and_infinite_numbers_are_refused_and_huge_ones_marked():
    assert read("customs_value", np.array([1 + 2j]))[1] == {"not a number": 1}
    assert read("customs_value", [1 + 2j])[1] == {"not a number": 1}
    assert read("customs_value", ["1e400"])[1] == {"infinite": 1}
    assert read("customs_value", ["1e300"])[1] == {"huge number": 1}


def test_a_percent_sign_states_the_unit_of_a_rate():
    assert read("duty_rate", ["5%", "0.05"]) == ([0.05, 0.05], {"percent sign": 1})
    assert read("duty_rate", ["5%", "5"], duty_rate_unit="percent")[0] == [0.05, 0.05]
    assert read("quantity", ["5%"])[1] == {"not a number": 1}


def test_rates_that_look_like_percentages_are_marked():
    assert read("duty_rate", [5.0, 8.0, 0.0])[1] == {"high rate": 2}
    assert read("duty_rate", [0.05, 0.08, 8.0])[1] == {}


def test_points_that_may_stand_between_thousands_are_reported():
    texts = [f"{n}.{n:03d}" for n in range(100, 120)]
    with pytest.warns(DataQualityWarning, match="three digits after each point"):
        validate(items(customs_value=texts), DECLARATIONS)
    # A number of another form shows that the point is a decimal sign.
    assert "point or thousands" not in read("customs_value", [*texts, "1234.567"])[1]


def test_whole_numbers_never_pass_through_floats():
    numbers = pd.array([2**53 + 1, 2, None], dtype="Int64")
    report = check(items(item_number=numbers), DECLARATIONS)
    assert report.table["item_number"].tolist() == [2**53 + 1, 2]
    ids = pd.Series([2**62 + 1, None], dtype="int64[pyarrow]")
    assert read("importer_id", ids)[0] == [str(2**62 + 1), None]


def test_signs_of_numbers_are_explained_by_the_share_that_each_reads():
    shares = explain_numbers(["1.234,50", "12,5", "-"])
    assert shares[",", ".", "western"] == 1.0
    assert shares[",", None, "western"] == 0.5
    both = explain_numbers(["1.234"])
    assert both[".", None, "western"] == both[",", ".", "western"] == 1.0


# --------------------------------------------------------------- identifiers

MISSING = (
    "NA <NA> NaT \\N Null NONE (null) [NULL] -- ? #REF! S/D unknown #N/A N/A - n.d."
)


@pytest.mark.parametrize("name", ["importer_id", "office", "customs_value"])
def test_signs_for_missing_are_counted_and_never_values(name):
    signs = MISSING.split()
    if name != "importer_id":
        signs.remove("unknown")  # means that a party is not known
    kept, reasons = read(name, signs)
    assert set(kept) == {None}
    assert reasons == {"sign for missing": len(signs)}


def test_a_map_names_more_signs_for_missing_and_those_that_are_values():
    kept, _ = read("office", ["XYZ", "NA"], missing=["xyz"], keep=["NA"])
    assert kept == [None, "NA"]
    assert read("origin", ["NA", "None"])[0] == ["NA", None]


@pytest.mark.parametrize(
    "name", ["declaration_id", "importer_id", "carrier_id", "container_id"]
)
@pytest.mark.parametrize("value", [2.0**53, "2.02E+11", "1,5e12", np.float32(2.0**25)])
def test_a_rounded_identifier_is_refused_in_every_column_of_names(name, value):
    assert read(name, ["K1", value])[1] == {"scientific notation": 1}


def test_a_number_is_one_identifier_however_it_is_written():
    kept, reasons = read("importer_id", [88.0, 88, "88", "88.0", "88.00", b"88"])
    assert kept == ["88"] * 6
    assert reasons == {"number as identifier": 4}
    assert read("importer_id", ["12.000", "1.0.0"])[0] == ["12.000", "1.0.0"]


@pytest.mark.parametrize("value", [88.5, dt.datetime(2024, 1, 5), True])
def test_a_fraction_and_a_date_are_no_identifiers(value):
    assert read("importer_id", ["I1", value])[1] == {"not an identifier": 1}


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u2066", "\u00ad", "\U000e0041", "\x00", "_x0000_", "\ufff9"]
)
def test_characters_that_nobody_sees_are_dropped_by_category(sign):
    kept, reasons = read("importer_id", [f"I{sign}1", "I1"])
    assert kept == ["I1", "I1"]
    assert reasons == {"tidied text": 1}


def test_every_kind_of_blank_is_one():
    kept, _ = read(
        "importer_id", [f"A{blank}B" for blank in "\u2003\u00a0\u2028\t\x85"]
    )
    assert kept == ["A B"] * 5


def test_what_is_no_text_is_refused_as_a_name_and_replaced_in_a_description():
    broken = ["I\ud800", b"\xe9", "I1"]
    assert read("importer_id", broken) == (["I1"], {"broken text": 2})
    kept, reasons = read("description", broken)
    assert kept == ["I\ufffd", "\ufffd", "I1"]
    assert reasons == {"broken text": 2}


def test_letters_that_pass_for_latin_ones_are_marked():
    names = ["\u0410\u0412\u0421", "ABC", "A\u0421"]
    with pytest.warns(DataQualityWarning, match="letters of several scripts in 2 rows"):
        table = validate(items(importer_id=names), DECLARATIONS)
    assert table["dq_mixed_scripts_importer_id"].tolist() == [True, False, True]
    own = ["\u041f\u0418\u041a", "\u0414\u0410"]  # of an alphabet of its own
    assert read("importer_id", own)[1] == {}


# --------------------------------------------------------------------- codes


@pytest.mark.parametrize(
    ("name", "values", "kept", "reasons"),
    [
        (
            "tariff_code",
            ["2203000000.00", "22030000.00", "22030.0"],
            ["2203000000", "22030000", "022030"],
            {"restored code": 3},
        ),
        ("tariff_code", ["640399.00"], [], {"bad pattern": 1}),
        (
            "tariff_code",
            ["770000", "000000", "010121"],
            ["770000", "000000", "010121"],
            {"unknown chapter": 2},
        ),
        (
            "origin",
            ["UK", "GBR", "826", "Royaume-Uni", "GRAN BRETA\u00a4A", "gb"],
            ["GB"] * 6,
            {"code of the list": 5},
        ),
        ("origin", ["EU", "XX", "FR"], ["EU", "XX", "FR"], {"unknown code": 2}),
        # 336 is the Holy See, but 220 is no country of the public list.
        ("origin", ["336", "220"], ["336", "220"], {"unknown code": 2}),
        (
            "transport_mode",
            ["1", "99", "Mer"],
            ["1", "99", "1"],
            {"unknown code": 1, "code of the list": 1},
        ),
        (
            "quantity_unit",
            [" kg ", "FOO", "NMB"],
            ["KGM", "FOO", "NMB"],
            {"unknown code": 1, "code of the list": 1},
        ),
        ("procedure", ["!!", "4000"], ["!!", "4000"], {"unknown code": 1}),
        (
            "currency",
            ["eur", "\u20ac", "DEM"],
            ["EUR", "EUR", "DEM"],
            {"unknown code": 1, "code of the list": 1},
        ),
        (
            "transit_countries",
            ["FR, UK", "FR XX"],
            ["FR GB", "FR XX"],
            {"unknown code": 1, "code of the list": 1},
        ),
        ("office", [17, "17.0", "17"], ["17"] * 3, {"code of the list": 1}),
    ],
)
def test_codes_are_those_of_public_lists_or_are_reported(name, values, kept, reasons):
    assert read(name, values) == (kept, reasons)


def test_the_number_of_digits_decides_what_a_fraction_of_a_code_is():
    assert read("tariff_code", ["640399.00"], tariff_digits=8)[0] == ["64039900"]
    assert read("tariff_code", ["640399.00"], tariff_digits=6)[0] == ["640399"]


def test_an_unknown_code_is_reported_under_its_own_field_and_column():
    frame = items(pais=["FR", "EUROPEAN UNION"])
    report = check(frame, DECLARATIONS, columns=ColumnMap({"origin": "pais"}))
    (remark,) = report.remarks()
    assert str(remark).startswith("'origin' (column 'pais'): unknown code in 1 rows")
    assert "'EUROPEAN UNION'" in str(remark)
    assert report.table["dq_unknown_origin"].tolist() == [False, True]


# -------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "words",
    [
        ("Oui", "Non"),
        ("S\u00ed", "No"),
        ("S", "N"),
        ("Y", "N"),
        ("J", "N"),
        ("VRAI", "FAUX"),
        ("Fraude", "Conforme"),
        (True, 0),
    ],
)
def test_yes_and_no_are_read_in_three_languages(words):
    frame = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": list(words)})
    assert validate(frame, OUTCOMES)["illicit"].tolist() == [1, 0]


def test_lists_are_read_in_three_languages_and_counted():
    frame = pd.DataFrame(
        {
            "declaration_id": ["A", "B", "C", "D"],
            "illicit": 1,
            "channel": ["Rouge", "V", "amarillo", "blue"],
            "offence": ["Sous-\u00e9valuation", "origen", "-", "QUANTITY"],
            "control_kind": ["scanner", "f\u00edsico", "post-clearance", None],
        }
    )
    report = check(frame, OUTCOMES)
    table = report.table
    assert table["channel"].tolist() == ["red", "green", "yellow", "blue"]
    offences = ["undervaluation", "origin", "quantity"]
    assert table["offence"].dropna().tolist() == offences
    kinds = ["non_intrusive", "physical", "post_clearance"]
    assert table["control_kind"].dropna().tolist() == kinds
    assert len(report.remarks()) == 4
    with pytest.raises(TableError, match="'channel': not in list in 1 row"):
        validate(frame.assign(channel=["pink", *"RAV"]), OUTCOMES)


# -------------------------------------------------------------------- fields


def test_a_table_that_is_canonical_gives_no_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = validate(items(customs_value=[1.0, 2.0]), DECLARATIONS)
    assert [name for name in out if name.startswith("dq_")] == ["dq_zero_customs_value"]


def test_further_fields_are_validated():
    frame = items(currency=["usd"], incoterm=["CIF"], freight=["1.5"], flow=["IM"])
    table = validate(frame, DECLARATIONS)
    found = table.loc[0, ["flow", "currency", "incoterm", "freight"]].tolist()
    assert found == ["import", "USD", "CIF", 1.5]


@pytest.mark.parametrize(
    ("values", "words"),
    [(["NULL"] * 3, "no value in all 3 rows"), ([0, "0", None], "no value but 0")],
)
def test_an_empty_column_under_the_best_name_is_reported(values, words):
    columns = ColumnMap({"customs_value": "VALEUR"})
    with pytest.warns(DataQualityWarning, match=rf"\(column 'VALEUR'\): {words}"):
        validate(items(VALEUR=values), DECLARATIONS, columns=columns)
    assert read("customs_value", values)[0] != []  # without a map there is no warning


def test_a_column_with_values_that_cannot_be_read_is_not_called_empty(recwarn):
    columns = ColumnMap({"customs_value": "VALEUR"})
    with pytest.raises(TableError, match="state their signs in the column map"):
        validate(items(VALEUR=["1,5"] * 3), DECLARATIONS, columns=columns)
    assert not [w for w in recwarn if "no value in all" in str(w.message)]


@pytest.mark.parametrize("values", [[2, 0, 1], ["2", "0", "1"]])
def test_the_message_for_another_number_states_what_a_label_is(values):
    with pytest.raises(TableError, match=r"not true or false in 1 row.*Use true/f"):
        validate(items(illicit=values), OUTCOMES)


@pytest.mark.parametrize("sign", ["NULL", " ", "N/A", "NA", "s/d", None, np.nan])
def test_a_sign_for_missing_in_the_results_of_items_is_no_result(sign):
    frame = items(illicit=["Oui", sign, "0"])
    assert validate(frame, OUTCOMES)["declaration_id"].tolist() == ["A0", "A2"]
