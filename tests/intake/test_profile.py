"""A first look finds what is planted in a table, and nothing in a clean one."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.intake import profile
from smartrisk.pages import DataProfile

ROWS = 400


def clean():
    """Return a table without anything wrong."""
    documents = [k // 2 for k in range(ROWS)]
    return pd.DataFrame(
        {
            "DECLARATION_NO": [f"D{7919 * d % 99991:05d}" for d in documents],
            "ITEM_NO": [str(1 + k % 2) for k in range(ROWS)],
            "REG_DATE": [f"2024-03-{1 + d % 28:02d}" for d in documents],
            "IMPORTER_TIN": [f"{7 * 10**7 + 104729 * (d % 17)}" for d in documents],
            "OFFICE": [["01", "02", "17"][d % 3] for d in documents],
            "HS_CODE": [f"{8401 + k % 13}1000" for k in range(ROWS)],
            "CIF_VALUE": [f"{100.5 + 7 * k}" for k in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def dirty():
    """Return the profile of a table with one trouble of every kind."""
    frame = clean()
    frame.loc[::50, "IMPORTER_TIN"] = "NA"
    frame.loc[5:12, "IMPORTER_TIN"] = [f"{81000000 + k}" for k in range(8)]
    frame.loc[20:22, "IMPORTER_TIN"] = ["70104729.0", "7.0209458E+07", "70104728"]
    frame.loc[::5, "OFFICE"] = "1"
    frame.loc[3, "REG_DATE"] = "2042-03-04"
    frame["NET_MASS"] = "0"
    frame["REMARK"] = ""
    frame["COUNTRY"] = "SN"
    totals = pd.to_numeric(frame["CIF_VALUE"]).groupby(frame["DECLARATION_NO"])
    frame["CIF_TOTAL"] = totals.transform("sum").map("{:.2f}".format)
    frame.loc[40:41, "CIF_TOTAL"] = "1.00"
    return profile(pd.concat([frame, frame.iloc[[7]]], ignore_index=True))


def test_a_clean_table_has_no_findings():
    assert [str(look.message) for look in profile(clean()).looks] == []


@pytest.mark.parametrize(
    ("check", "column", "count", "words"),
    [
        ("repeated rows", "", 1, "written twice"),
        ("no party", "IMPORTER_TIN", 8, "one trader"),
        ("numbers with .0", "IMPORTER_TIN", 1, "70104729.0"),
        ("scientific notation", "IMPORTER_TIN", 1, "7.0209458E+07"),
        ("numbers that count on", "IMPORTER_TIN", 7, "dragged down"),
        ("neighbouring identifiers", "IMPORTER_TIN", 1, "'70104728'"),
        ("spellings", "OFFICE", 1, "'01' and '1'"),
        ("dates outside", "REG_DATE", 1, "2042-03-04"),
        ("zero columns", "NET_MASS", 1, "zero in every row"),
        ("empty columns", "REMARK", 1, "without any value"),
        ("constant columns", "COUNTRY", 1, "one value"),
        ("printed totals", "CIF_TOTAL", 2, "items are missing there"),
    ],
)
def test_a_planted_trouble_is_found(dirty, check, column, count, words):
    looks = [
        look
        for look in dirty.looks
        if look.check == check and (not column or column in look.columns)
    ]
    assert len(looks) == 1
    assert looks[0].count == count
    assert words in str(looks[0].message)


def test_columns_are_described_with_their_likely_field(dirty):
    about = dirty.columns().set_index("column")
    assert about.loc["REG_DATE", "kind"] == "date"
    assert about.loc["CIF_VALUE", "kind"] == "number"
    assert about.loc["IMPORTER_TIN", "field"] == "importer_id"
    assert about.loc["REMARK", "kind"] == "empty"


def test_a_profile_is_a_page_in_three_languages(dirty):
    pages = {
        lang: DataProfile(profile=dirty, name="<x>").to_html(lang=lang)
        for lang in ("en", "fr", "es")
    }
    assert "dragged down" in pages["en"]
    assert "une cellule a peut-être été étirée" in pages["fr"]
    assert "se haya arrastrado una celda" in pages["es"]
    assert all("<x>" not in page and "&lt;x&gt;" in page for page in pages.values())
    with pytest.raises(ArgumentError, match="DataProfile"):
        DataProfile(profile=dirty.frame())


def test_a_table_of_anything_has_a_profile():
    found = profile({"a": ["x", "y"], "b": [1, 2]})
    assert found.proposal is None
    assert "No map is proposed" in DataProfile(profile=found).to_html()
