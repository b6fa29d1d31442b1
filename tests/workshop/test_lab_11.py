"""Lab 11: each catalogued mistake gets its own hint; the map lacks a unit only."""

from __future__ import annotations

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.workshop import Lab, Seat
from smartrisk.workshop._class_export import HEADERS, PAID

#: What a learner writes to read the export under a changed proposal.
_MAP = """
settings = proposal.columns.settings()
settings["factors"] = {{"net_mass_kg": {factor}}}
settings["mapping"] = {{**settings["mapping"], {mapping}}}
columns = sr.schema.ColumnMap(**settings)
report = sr.validation.check(export, sr.schema.DECLARATIONS, columns=columns)
mapped = {kept}
"""
_PAID, _INVOICE = '"lodged_at": "PAYMENT_DATE"', '"customs_value": "INVOICE_AMOUNT"'
_RENAMED = """
names = {"DECL_NO": "declaration_id", "ITEM": "item_number"}
mapped = export.rename(columns=names)
"""
_COUNTS = """
refused = report.set_aside["OFFICE"].value_counts()
rows = export["OFFICE"].value_counts()
lost = {share}
lost = lost.rename_axis("office").reset_index(name="share")
"""


def map_code(factor=1000.0, mapping="", kept="report.table"):
    """Return the code of one way to map the export."""
    return _MAP.format(factor=factor, mapping=mapping, kept=kept)


def count_code(share):
    """Return the code of one way to compute the shares."""
    return _COUNTS.format(share=share)


MISTAKES = [
    ("11.1", "tonnes read as kilograms", "mapped = report.table"),
    ("11.1", "factor inverted", map_code(0.001)),
    ("11.1", "nothing refused", _RENAMED),
    ("11.1", "day of payment", map_code(mapping=_PAID)),
    ("11.1", "day of payment", map_code(1.0, _PAID)),
    ("11.1", "invoice amount", map_code(mapping=_INVOICE)),
    (
        "11.2",
        "offices without a loss left out",
        count_code("refused / rows[refused.index]"),
    ),
    ("11.2", "offices without a loss left out", count_code("refused / rows")),
    ("11.2", "share of all lost rows", count_code("refused / refused.sum()")),
    ("11.2", "share of the whole file", count_code("refused / len(export)")),
    (
        "11.2",
        "usable in place of lost",
        count_code("1 - (refused / rows).fillna(0)"),
    ),
    (
        "11.2",
        "percent in place of a fraction",
        count_code("100 * (refused / rows).fillna(0)"),
    ),
]


@pytest.mark.parametrize(("task", "mistake", "code"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake, code):
    found = hand_in(make_lab(11), task, code)
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    kept = "report.table.iloc[::-1, ::-1].set_index('office').reset_index()"
    found = hand_in(make_lab(11), "11.1", map_code(kept=kept))
    assert found.status == "right", found.text
    code = (
        "lost = export['DECL_NO'].index.isin(report.set_aside.index)\n"
        "lost = export.assign(share=lost).groupby('OFFICE')[['share']].mean()\n"
        "lost = lost.rename_axis('office').iloc[::-1]"
    )
    found = hand_in(make_lab(11), "11.2", code)
    assert found.status == "right", found.text


def test_a_report_in_place_of_its_table_is_named(make_lab, hand_in):
    found = hand_in(make_lab(11), "11.1", map_code(kept="report"))
    assert "report.table" in found.text


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_the_proposal_lacks_the_unit_only_in_every_language(
    make_lab, monkeypatch, lang
):
    monkeypatch.setattr("smartrisk.workshop._lab.N_ITEMS", 3_000)
    lab = make_lab(11, seat=911, lang=lang)
    export = sr.intake.read_table(lab.find_class_export())
    columns = sr.intake.propose_map(export).columns
    names = {k: v for k, v in HEADERS[lang].items() if k in sr.schema.DECLARATIONS}
    assert dict(columns.mapping) == names
    assert (columns.day_first, columns.decimal) == (True, ",")
    settings = {**columns.settings(), "factors": {"net_mass_kg": 1000.0}}
    columns = sr.schema.ColumnMap(**settings)
    report = sr.validation.check(export, sr.schema.DECLARATIONS, columns=columns)
    known = lab.past.set_index(list(sr.schema.KEY))["net_mass_kg"]
    found = report.table.set_index(list(sr.schema.KEY))["net_mass_kg"].dropna()
    assert len(found) > 100
    assert (found - known.reindex(found.index)).abs().max() < 0.011
    days = export[[HEADERS[lang]["lodged_at"], HEADERS[lang][PAID]]].apply(
        pd.to_datetime, format="%d/%m/%Y", errors="coerce"
    )
    assert (days.diff(axis=1).iloc[:, 1].dropna() > pd.Timedelta(0)).all()


def test_the_file_of_a_class_is_read_where_it_is_and_made_where_it_is_not(tmp_path):
    lab = Lab(11, Seat(seed=20_260_101, seat=1), folder=tmp_path)
    made = lab.find_class_export()
    assert made == tmp_path / "data" / "class-export.csv"
    made.write_text("kept", encoding="utf-8")
    assert lab.find_class_export().read_text(encoding="utf-8") == "kept"
