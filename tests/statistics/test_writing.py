"""Files of results are read back by other programs: same keys, values, statuses."""

from __future__ import annotations

import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from pysdmx.io import get_datasets

from smartrisk.errors import ArgumentError
from smartrisk.languages import catalogue
from smartrisk.statistics import enforcement, publish, translate_sentence, write
from smartrisk.statistics._measures import REASONS

OFFICES = {"A": "=1+1", "B": "Port, nord/1"}
COUNTED = {"numerator": "NUMERATOR", "value": "OBS_VALUE", "low": "LOW", "n": "N"}


@pytest.fixture
def figures(tables):
    """Return figures by month and office, whose names could harm a spreadsheet."""
    declarations = tables["declarations"]
    named = declarations.assign(office=declarations["office"].map(OFFICES))
    return enforcement(named, tables["outcomes"], tables["decisions"], age=None)


@pytest.fixture
def release(figures):
    """Return what of them is safe to publish: of so few traders, little."""
    return publish(figures, min_traders=2, indicators=["lodged", "control_rate"])


def read_sdmx(result, tmp_path, **how):
    """Return the data that pysdmx reads, and the codes of each dimension by name."""
    path = write(result, tmp_path / "out.sdmx.csv", **how)
    (data,) = get_datasets(path, tmp_path / "out.sdmx.json", validate=True)
    named = {}
    for part in data.structure.components.dimensions:
        if part.local_codes is not None:
            named[part.id] = {code.id: code.name for code in part.local_codes.items}
    return data, named


def rows_of(data, named):
    """Return the rows that pysdmx read, under the names that codes stand for."""
    table = data.data.copy()
    for column, names in named.items():
        assert set(table[column]) == set(names)
        table[column] = table[column].map(names)
    return table


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_sdmx_is_read_back_with_the_same_keys_and_values(figures, tmp_path, lang):
    data, named = read_sdmx(figures, tmp_path, lang=lang)
    frame = figures.frame()
    names = {
        code.id: code.name
        for code in data.structure.components["INDICATOR"].local_codes.items
    }
    assert names["lodged"] == figures._definitions["lodged"].name[lang]
    del named["INDICATOR"]
    table = rows_of(data, named)
    assert table["INDICATOR"].tolist() == frame["indicator"].tolist()
    assert table["PART"].tolist() == [x or "total" for x in frame["part"]]
    assert table["OFFICE"].tolist() == frame["office"].tolist()
    is_total = frame["month"] == "total"
    assert (table["TIME_PERIOD"][~is_total] == frame["month"][~is_total]).all()
    assert set(table["TIME_PERIOD"][is_total]) == {"2024-01-01/P6M"}
    for ours, theirs in COUNTED.items():
        read = pd.to_numeric(table[theirs], errors="coerce").to_numpy(float)
        np.testing.assert_array_equal(read, frame[ours].to_numpy(float))
    assert data.attributes["AS_OF"] == figures.as_of.isoformat()
    keys = [x.id for x in data.structure.components.dimensions]
    assert not table.duplicated(keys).any()


def test_each_observation_says_whether_it_can_be_relied_on(figures, tmp_path):
    data, _ = read_sdmx(figures, tmp_path)
    frame, status = figures.frame(), data.data["OBS_STATUS"].to_numpy()
    has_value = frame["value"].notna()
    assert set(status[has_value]) == {"A", "E", "P"}
    assert (status[has_value & (frame["indicator"] == "hit_rate_random")] == "E").all()
    pending = has_value & (frame["pending"] > 0) & (frame["indicator"] == "hit_rate")
    assert pending.any()
    assert (status[pending] == "P").all()
    assert (status[frame["reason"] == REASONS[2]] == "M").all()
    lacking = frame["indicator"] == "release_time"
    assert (status[lacking] == "L").all()


def test_what_is_hidden_stays_hidden_in_every_form(release, tmp_path):
    frame = release.frame()
    hidden = (frame["status"] != "F").to_numpy()
    assert 0 < hidden.sum() < len(frame)
    data, _ = read_sdmx(release, tmp_path)
    assert data.data["CONF_STATUS"].tolist() == frame["status"].tolist()
    assert set(data.data["OBS_STATUS"][hidden & frame["value"].isna()]) == {"Q"}
    write(release, tmp_path / "out.csv")
    write(release, tmp_path / "out.xlsx")
    read = pd.read_csv(tmp_path / "out.csv")
    book = pd.read_excel(tmp_path / "out.xlsx", sheet_name="Figures")
    for table in (read, book):
        for name in ("numerator", "value", "n"):
            np.testing.assert_array_equal(table[name], frame[name])
    rules = json.dumps(json.loads((tmp_path / "out.sdmx.json").read_text("utf-8")))
    assert "0.75" not in rules


def test_the_plain_file_carries_what_its_columns_mean(figures, tmp_path):
    path = write(figures, tmp_path / "out.csv", lang="es")
    about = json.loads((tmp_path / "out.csv-metadata.json").read_text("utf-8"))
    read = pd.read_csv(path, dtype={"office": str, "month": str})
    columns = [one["name"] for one in about["tableSchema"]["columns"]]
    assert list(read) == columns
    assert not read.duplicated(about["tableSchema"]["primaryKey"]).any()
    assert about["url"] == "out.csv"
    note = about["notes"][0]
    assert str(figures.as_of) in note["facts"].values()
    named = {one["indicator"]: one for one in note["definitions"]}
    assert named["lodged"]["name"] == "Declaraciones presentadas"
    assert named["lodged"]["unit"] == "declaration"
    assert any(one["check"] == "artículos declarados" for one in note["left_out"])


def test_a_workbook_has_its_metadata_in_the_language(figures, tmp_path):
    path = write(figures, tmp_path / "out.xlsx", lang="fr")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Chiffres", "Métadonnées", "Définitions", "Exclusions"]
    figures_sheet = list(book["Chiffres"].iter_rows(values_only=True))
    assert list(figures_sheet[0]) == list(figures.frame())
    assert len(figures_sheet) == len(figures.frame()) + 1
    reasons = {row[-1] for row in figures_sheet[1:]} - {None}
    assert "absent\u202f: le dénominateur est vide" in reasons
    texts = [str(cell) for row in book["Métadonnées"].values for cell in row if cell]
    assert str(figures.as_of) in texts
    ids = [row[0] for row in book["Définitions"].values][1:]
    assert ids == list(figures.frame()["indicator"].unique())


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".sdmx.csv"])
def test_no_text_of_a_file_acts_as_a_formula(figures, tmp_path, ending):
    path = write(figures, tmp_path / f"out{ending}")
    if ending == ".xlsx":
        book = openpyxl.load_workbook(path)
        cells = [x for sheet in book for row in sheet.iter_rows() for x in row]
        assert not [x for x in cells if x.data_type in ("f", "e")]
        texts = [str(x.value) for x in cells if isinstance(x.value, str)]
    else:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        texts = table.to_numpy().ravel().tolist()
        texts = [x for x in texts if not x.replace("-", "").replace(".", "").isdigit()]
    assert not [x for x in texts if x.startswith(("=", "+", "-", "@"))]


def test_names_that_are_cleaned_to_one_code_stay_apart(tables, tmp_path):
    declarations = tables["declarations"]
    names = dict(zip("AB", ["P/1", "P 1"], strict=True))
    named = declarations.assign(office=declarations["office"].map(names))
    figures = enforcement(named, tables["outcomes"], by=("office",), age=None)
    data, named = read_sdmx(figures, tmp_path)
    assert sorted(named["OFFICE"].values()) == ["P 1", "P/1", "total"]
    assert len(set(data.data["OFFICE"])) == 3


def test_a_group_that_is_called_total_is_not_the_total(tables, tmp_path):
    declarations = tables["declarations"]
    named = declarations.assign(
        office=declarations["office"].map({"A": "_T", "B": "_U"})
    )
    figures = enforcement(named, tables["outcomes"], by=("office",), age=None)
    _, named = read_sdmx(figures, tmp_path)
    assert named["OFFICE"]["_T"] == "total"
    assert len(named["OFFICE"]) == 3


@pytest.mark.parametrize(
    ("by", "whole"), [("quarter", "2024-01-01/P6M"), ("year", "2024-01-01/P1Y")]
)
def test_a_total_of_periods_is_the_range_of_time(tables, tmp_path, by, whole):
    figures = enforcement(
        tables["declarations"], tables["outcomes"], by=(by,), age=None
    )
    data, _ = read_sdmx(figures, tmp_path)
    frame = figures.frame()
    times = data.data["TIME_PERIOD"].to_numpy()
    assert set(times[frame[by] == "total"]) == {whole}
    assert set(times[frame[by] != "total"]) == set(frame[by]) - {"total"}


def test_an_office_maintains_its_own_structure(figures, tmp_path):
    data, _ = read_sdmx(figures, tmp_path, agency="CUSTOMS_XX")
    assert data.structure.agency == "CUSTOMS_XX"
    with pytest.raises(ArgumentError, match="'agency' must begin"):
        write(figures, tmp_path / "a.sdmx.csv", agency="1 office")


def test_wrong_arguments_write_nothing(figures, tmp_path):
    with pytest.raises(ArgumentError, match="ending"):
        write(figures, tmp_path / "a.doc")
    with pytest.raises(ArgumentError, match="lang"):
        write(figures, tmp_path / "a.csv", lang="de")
    with pytest.raises(ArgumentError, match="cannot be written"):
        write(figures.frame(), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["fr", "es"])
def test_every_reason_and_check_has_its_words(figures, release, tables, lang):
    bare = enforcement(tables["declarations"], tables["outcomes"], age=None)
    texts = set(REASONS[1:])
    for result in (figures, bare):
        texts |= set(result.frame()["reason"]) | set(result.reconcile()["check"])
    texts |= set(release.frame()["reason"])
    unknown = [x for x in texts - {""} if translate_sentence(x, lang) == x]
    assert unknown == []
    assert catalogue("pages", lang).pgettext("sheet", "Figures") != "Figures"
    assert translate_sentence("of a country", lang) == "of a country"
