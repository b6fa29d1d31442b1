"""Cells and columns that no table should hold: refused, repaired or reported."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning, LeakageError, TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.selectivity import Policy, select
from smartrisk.validation import check, read_declarations, validate


def items(n=3, **columns):
    """Return good items with some columns replaced."""
    return pd.DataFrame(
        {
            "declaration_id": [f"A{row}" for row in range(n)],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-15"),
            "tariff_code": "010121",
            **{k: pd.Series(v, dtype=object) for k, v in columns.items()},
        }
    )


def found(frame, field):
    """Return the severity of each reason that a field has."""
    failures = check(frame, DECLARATIONS).failures
    some = failures[failures["field"] == field]
    return dict(zip(some["reason"], some["severity"], strict=True))


@pytest.mark.parametrize("table", [None, 5, [1], [{"a": 1}], np.eye(2), "file.csv"])
def test_what_is_no_table_is_named(table):
    for own in ({}, {"scheme": "code"}):
        with pytest.raises(TableError, match="data frame of pandas, Polars or PyArrow"):
            read_declarations(table, own)


@pytest.mark.parametrize(
    "value",
    [object(), 1 + 2j, pd.Period("2024-01"), pd.Interval(0, 1), True, 2.5, dt.time(9)],
)
@pytest.mark.parametrize(
    ("field", "reason"),
    [("importer_id", "not an identifier"), ("office", "not a code")],
)
def test_an_object_of_a_program_is_no_name_and_no_code(field, reason, value):
    reasons = found(items(**{field: [value, "K1", "K2"]}), field)
    assert reasons[reason] == "error"


def test_half_a_character_in_a_code_is_refused_not_a_crash():
    assert (
        found(items(office=["A\ud800", "B", "C"]), "office")["broken text"] == "error"
    )
    assert found(items(office=["1.7E+11", "B", "C"]), "office") == {
        "scientific notation": "error"
    }


def test_a_number_that_signals_none_is_refused():
    values = [Decimal("sNaN"), Decimal(2), Decimal(3)]
    reasons = found(items(customs_value=values), "customs_value")
    assert reasons == {"not a single value": "error"}


@pytest.mark.parametrize(
    "written",
    ["'1001", '="1001"', '"1001"', "\u0661\u0660\u0660\u0661", "10\ufe0f01"],
)
def test_one_party_behind_quotes_and_other_digits(written):
    frame = items(importer_id=[written, "1001", 1001])
    report = check(frame, DECLARATIONS)
    assert report.table["importer_id"].tolist() == ["1001"] * 3
    assert found(frame, "importer_id") == {"tidied text": "repaired"}


@pytest.mark.parametrize("text", ["*", "_", "...", "(blank)", "undefined", "\u2606"])
def test_what_names_nobody_is_missing_and_counted(text):
    frame = items(importer_id=[text, "I1", "I2"])
    assert check(frame, DECLARATIONS).table["importer_id"].isna().tolist()[0]
    assert found(frame, "importer_id") == {"sign for missing": "repaired"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("importer_id", ["ab1", "AB1", "X"]),
        ("importer_id", ["0017", "17", "X"]),
        ("importer_id", ["A & B, Ltd.", "A & B Ltd", "X"]),
        ("office", ["05", "5", "7"]),
        ("procedure", ["40-00", "4000", "7"]),
    ],
)
def test_two_spellings_of_one_name_are_reported(field, values):
    with pytest.warns(DataQualityWarning, match="several spellings .* in 2 rows"):
        table = validate(items(**{field: values}), DECLARATIONS)
    assert table[field].nunique() == 3
    assert not any(name.startswith("dq_") for name in table)


def test_different_names_are_no_spellings():
    names = ["A1", "I1\U0001f600", "I1", "-", "--", "B-1", "0"]
    assert "several spellings" not in found(items(7, importer_id=names), "importer_id")


def test_a_number_far_from_all_others_is_reported():
    values = [100.0] * 29 + [2e11]
    with pytest.warns(DataQualityWarning, match="a billion times .* in 1 rows"):
        validate(items(30, quantity=values), DECLARATIONS)
    assert found(items(30, quantity=[100.0] * 29 + [9e10]), "quantity") == {}
    assert found(items(3, quantity=[1.0, 1.0, 2e11]), "quantity") == {}


def test_single_precision_is_reported_where_digits_are_lost():
    frame = items()
    frame["quantity"] = np.array([0.1, 2000.5, 3], np.float32)
    with pytest.warns(DataQualityWarning, match="about 7 digits are left in 1 rows"):
        validate(frame, DECLARATIONS)


def test_a_column_of_almost_the_name_of_an_absent_field_is_reported():
    with pytest.warns(
        DataQualityWarning, match="'importer', and there is no 'importer_id'"
    ):
        validate(items(importer=["I"] * 3), DECLARATIONS)
    validate(items(importer=["I"] * 3, importer_id=["I"] * 3), DECLARATIONS)
    validate(items(price=[1.0] * 3), DECLARATIONS)


def test_a_second_column_of_one_name_is_reported():
    frame = items(quantity=[1.0] * 3, Quantity=[2.0] * 3)
    with pytest.warns(DataQualityWarning, match="the column 'Quantity' is not used"):
        validate(frame, DECLARATIONS)
    chosen = ColumnMap({"quantity": "Quantity"})
    assert (
        validate(frame, DECLARATIONS, columns=chosen)["quantity"].tolist() == [2.0] * 3
    )


def test_arguments_of_another_class_are_named():
    scores = pd.DataFrame({"declaration_id": list("ab"), "risk_score": [0.1, 0.2]})
    with pytest.raises(
        ArgumentError, match="'rules' must be a RuleSet or None; got str"
    ):
        select(scores, rules="x")
    with pytest.raises(
        ArgumentError, match="'policy' must be a Policy or None; got dict"
    ):
        select(scores, policy={})
    policy = Policy(capacity=1, max_releases=3)
    with pytest.raises(
        ArgumentError, match="whole numbers from 0 on; 2 values are not"
    ):
        select(scores, policy=policy, releases=[np.nan, -1])
    with pytest.raises(ArgumentError, match="'folder' must be a path; got NoneType"):
        sr.RiskEngine.load(None)
    with pytest.raises(TableError, match="must be a data frame; got NoneType"):
        sr.evaluation.evaluate(scores, None)


def test_one_item_is_refused_for_what_a_table_is_refused_for(engine, declarations):
    item = declarations.iloc[7].to_dict()
    expected = engine.score_one(item)
    quoted = {**item, "importer_id": f"'{item['importer_id']}"}
    assert engine.score_one(quoted) == expected
    with pytest.raises(LeakageError, match="'illicit'"):
        engine.score_one({**item, "illicit": 1})
    with pytest.raises(TableError, match="'importer_id': broken text"):
        engine.score_one({**item, "importer_id": "A\ud800"})


def test_results_that_contradict_themselves_are_counted_before_a_fit(
    declarations, outcomes
):
    clean = outcomes
    wrong = clean.assign(revenue_adjustment=5.0)
    early = clean.assign(known_at=pd.Timestamp("2001-01-01"))
    plausibility = sr.quality.plausibility

    def reported(results):
        frame = plausibility(declarations, validate(results, OUTCOMES)).frame()
        return frame.loc[frame["check"] == "contradictions", "count"].max()

    assert not reported(clean) > 0
    assert reported(wrong) == (clean["illicit"] == 0).sum()
    assert reported(early) == len(clean)


@pytest.mark.parametrize("title", ["2024", "01/01/2024,31/03/2024", "Report\n12.417"])
def test_a_year_or_a_period_above_the_header_is_a_title(tmp_path, title):
    path = tmp_path / "export.csv"
    path.write_text(f"{title}\n{items(30, origin=['FR'] * 30).to_csv(index=False)}")
    assert len(validate(sr.intake.read_table(path), DECLARATIONS)) == 30
