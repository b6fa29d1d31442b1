"""Lab 1: each catalogued mistake gets its own hint; the first cell shows a hit."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

from smartrisk.schema import KEY
from smartrisk.workshop import Lab, Seat
from smartrisk.workshop._sources import read_source

#: What a learner writes to read the export with some statements, and what is kept.
_CHECK = """
columns = sr.schema.ColumnMap({{}}, {how})
report = sr.validation.check({table}, sr.schema.DECLARATIONS, columns=columns)
{name} = {kept}
"""
_RIGHT, _NO_COMMA = "decimal=',', day_first=True", "day_first=True"
_AMERICAN = "decimal=',', day_first=False"
_ERRORS = "report.summary().query(\"severity == 'error'\")"
_NO_NUMBER = "export.drop(columns='item_number')"
_ONES = "export.replace({'item_number': {'': '1'}})"


def check_code(name, how, kept="report.table", table="export"):
    """Return the code of one way to check the export."""
    return _CHECK.format(name=name, how=how, kept=kept, table=table)


_EXCHANGED = """
accepted["lodged_at"] = [
    t.replace(day=t.month, month=t.day) if t.day < 13 else t
    for t in accepted["lodged_at"]
]
"""
_WITHOUT_COMMA = """
amounts = ["customs_value", "net_mass_kg", "duties_taxes"]
accepted[amounts] = 100 * accepted[amounts]
"""
MISTAKES = [
    ("1.1", "day and month exchanged", check_code("accepted", _AMERICAN)),
    ("1.1", "day and month exchanged", check_code("accepted", _RIGHT) + _EXCHANGED),
    ("1.1", "decimal comma", check_code("accepted", _NO_COMMA)),
    ("1.1", "decimal comma", check_code("accepted", _RIGHT) + _WITHOUT_COMMA),
    ("1.1", "nothing refused", "accepted = export"),
    ("1.2", "decimal comma", check_code("refused", _NO_COMMA, _ERRORS)),
    ("1.2", "day and month exchanged", check_code("refused", _AMERICAN, _ERRORS)),
    (
        "1.2",
        "item number missing",
        check_code("refused", _RIGHT, _ERRORS, _NO_NUMBER),
    ),
    ("1.3", "item number missing", check_code("complete", _RIGHT)),
    ("1.3", "numbered again", check_code("complete", _RIGHT, table=_NO_NUMBER)),
    ("1.3", "every missing number is 1", check_code("complete", _RIGHT, table=_ONES)),
]


@pytest.mark.parametrize(("task", "mistake", "code"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake, code):
    found = hand_in(make_lab(1), task, code)
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    how = f"{_RIGHT}, thousands='.'"
    kept = "report.table.iloc[::-1, ::-1].set_index('office').reset_index()"
    found = hand_in(make_lab(1), "1.1", check_code("accepted", how, kept))
    assert found.status == "right", found.text
    kept = "report.failures.query(\"severity == 'error'\").groupby(['field', 'reason'])"
    kept = f"{kept}.size().rename('count').reset_index()"
    found = hand_in(make_lab(1), "1.2", check_code("refused", _RIGHT, kept))
    assert found.status == "right", found.text


@pytest.mark.parametrize("task", ["1.1", "1.3"])
def test_a_report_in_place_of_its_table_is_named(make_lab, hand_in, task):
    code = check_code("accepted = complete", _RIGHT, "report")
    assert "report.table" in hand_in(make_lab(1), task, code).text


@pytest.mark.parametrize("seat", range(901, 905))
def test_the_export_of_every_seat_has_each_defect(make_lab, monkeypatch, seat):
    """Rows that are refused for each reason, among many that are not."""
    monkeypatch.setattr("smartrisk.workshop._lab.N_ITEMS", 3_000)
    lab = make_lab(1, seat=seat)
    export = pd.read_csv(lab.find_export(), sep=";", dtype=str, keep_default_na=False)
    assert (export["item_number"] == "").sum() >= 4
    assert (export["tariff_code"] == "").sum() >= 4
    assert export["lodged_at"].str.startswith("31/02").sum() >= 4
    assert export["customs_value"].str.endswith("?").sum() >= 4
    assert export.duplicated().sum() >= 4
    assert export["customs_value"].str.contains(",").all()
    known = lab.past[list(KEY)].astype(str).agg("/".join, axis=1)
    named = export[export["item_number"] != ""]
    assert named[list(KEY)].agg("/".join, axis=1).isin(known).all()


def test_the_file_of_a_class_is_read_where_it_is_and_made_where_it_is_not(tmp_path):
    lab = Lab(1, Seat(seed=20_260_101, seat=1), folder=tmp_path)
    made = lab.find_export()
    assert made == tmp_path / "data" / "export.csv"
    made.write_text("kept", encoding="utf-8")
    assert lab.find_export().read_text(encoding="utf-8") == "kept"


def test_the_first_cell_shows_a_hit_with_three_reasons_in_seconds(tmp_path):
    """In a process of its own, imports and all, in the language of the class."""
    Seat(seed=20_260_101, seat=1, lang="fr").write(tmp_path)
    cell = next(c for c in read_source("lab-01", "fr").cells if c.kind == "code")
    *lines, last = cell.text.splitlines()
    code = "\n".join(
        [
            *lines,
            f"shown = {last}",
            "import time",
            "seconds = time.process_time()",
            "sys = __import__('sys')",
            "sys.stdout.reconfigure(encoding='utf-8')",
            "sys.stdout.write(f'{seconds}\\n{shown!r}')",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    seconds, heading, *reasons = done.stdout.splitlines()
    assert float(seconds) <= 20
    assert heading.startswith("Déclaration D")
    assert [reason[:3] for reason in reasons] == ["1. ", "2. ", "3. "]
    assert "avant le contr" in heading
