"""The report of a check: read-only, complete, made of translatable messages."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import pandas as pd
import pytest

from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate

#: Severities and a field, which stand where a reason may.
_NO_REASONS = {"error", "warning", "repaired", "flow"}
PACKAGE = Path(__file__).resolve().parents[2] / "smartrisk" / "validation"


def items(**columns):
    return pd.DataFrame(
        {
            "declaration_id": ["A", "B", "C"],
            "lodged_at": pd.date_range("2026-01-05", periods=3),
            "tariff_code": ["010121", "640399", "090121"],
            **columns,
        }
    )


@pytest.fixture
def damaged():
    values = ["1", "x", "y"]
    return check(
        items(taux=values, origin=["VN", "CN", "NA"]),
        DECLARATIONS,
        columns=ColumnMap({"duty_rate": "taux"}),
    )


def test_a_message_has_an_id_and_plain_values(damaged):
    head, message = damaged.messages()
    assert head.message_id == "validation.rows_unusable"
    assert dict(head.values) == {"table": "DECLARATIONS", "n_rows": 2}
    assert message.message_id == "validation.not_a_number_in_column"
    assert dict(message.values) == {
        "field": "duty_rate",
        "column": "taux",
        "n_rows": 2,
        "values": "'x', 'y'",
    }
    assert json.loads(json.dumps(dict(message.values))) == dict(message.values)
    assert str(message).startswith("'duty_rate' (column 'taux'): not a number in 2")


def test_the_text_of_an_error_is_translated_part_by_part():
    with pytest.raises(TableError) as caught:
        validate(items(customs_value=[-1.0, 1.0, 2.0]), DECLARATIONS)
    english = {m.template: m.template.upper() for m in caught.value.messages}

    def translate(template):
        assert template in english
        return re.sub(r"[a-z]+(?![^{]*})", "mot", template)

    text = caught.value.text(translate)
    assert "mot" in text
    assert "cannot be used" not in text
    assert caught.value.text() == str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert [str(m) for m in again.messages] == [str(m) for m in caught.value.messages]


def test_every_reason_to_fail_has_a_remedy():
    from smartrisk.validation._report import _PROBLEMS

    source = "".join(p.read_text(encoding="utf-8") for p in PACKAGE.glob("*.py"))
    noted = r'(?:note|doubt)\((?:[^"()]|\([^"()]*\))*?(?:name, )?"([a-z0-9 ]+)"'
    reasons = set(re.findall(noted, source)) - _NO_REASONS
    assert len(reasons) > 30
    assert reasons - set(_PROBLEMS) == set()


def test_a_row_that_fails_twice_is_set_aside_once_with_both_failures():
    report = check(
        items(customs_value=[-1.0, 1.0, 2.0], duty_rate=["x", "0", "0"]), DECLARATIONS
    )
    assert set(report.failures["severity"]) == {"error"}
    assert report.failures["field"].tolist() == ["customs_value", "duty_rate"]
    assert len(report.set_aside) == 1
    assert report.table["declaration_id"].tolist() == ["B", "C"]


def test_changes_by_the_caller_do_not_reach_the_report(damaged):
    for name in ("table", "set_aside", "failures"):
        frame = getattr(damaged, name)
        frame.iloc[:, 0] = "changed"
        assert "changed" not in set(getattr(damaged, name).iloc[:, 0])
        with pytest.raises(AttributeError):
            setattr(damaged, name, frame)


def test_a_report_shows_its_counts_and_escapes_values():
    report = check(items(customs_value=["<b>", "1", "2"]), DECLARATIONS)
    assert repr(report) == (
        "ValidationReport(DECLARATIONS: 2 usable, 1 set aside, 1 findings)"
    )
    html = report._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("day_first", "month"), [(True, 4), (False, 3)], ids=["day first", "month first"]
)
def test_the_column_map_decides_whether_the_day_comes_first(day_first, month):
    frame = items(lodged_at=["03/04/2024", "05/06/2024", "07/08/2024"])
    columns = ColumnMap({}, day_first=day_first)
    lodged = validate(frame, DECLARATIONS, columns=columns)["lodged_at"]
    assert lodged[0].month == month
    assert (
        check(frame, DECLARATIONS).failures["reason"].tolist() == ["ambiguous date"] * 3
    )


def test_rows_set_aside_are_counted_in_a_warning():
    frame = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 3]})
    with pytest.warns(DataQualityWarning, match="1 rows cannot be used") as caught:
        assert len(validate(frame, OUTCOMES, on_error="set_aside")) == 1
    assert caught[0].message.message_id == "validation.rows_set_aside"


def test_a_hit_of_a_document_with_an_adjustment_contradicts_nothing():
    results = pd.DataFrame(
        {
            "declaration_id": ["A", "B", "C"],
            "item_number": 1,
            "illicit": pd.array([None, 0, 1], dtype="Int64"),
            "document_illicit": [True, None, None],
            "revenue_adjustment": [50.0, 10.0, 5.0],
        }
    )
    canonical = validate(results, OUTCOMES)
    assert canonical["dq_contradiction"].tolist() == [False, True, False]
