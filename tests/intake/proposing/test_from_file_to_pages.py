"""From a file in a published layout to scores, reasons, decisions and pages."""

from __future__ import annotations

import warnings

import numpy as np
import openpyxl
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import SmartRiskWarning
from smartrisk.intake import propose_map, read_table
from smartrisk.pages import write_pages
from smartrisk.schema import DECLARATIONS, OUTCOMES, FileFormat
from smartrisk.validation import check, validate

#: Rows above the header of the workbook.
TITLE_ROWS = 5


def write_workbook(frame, path):
    """Write a table below title rows."""
    book = openpyxl.Workbook()
    for k in range(TITLE_ROWS):
        book.active.append([f"Customs administration, extract, page {k}"])
    for row in (list(frame), *frame.to_numpy(dtype=object).tolist()):
        book.active.append(row)
    book.save(path)


def write_file(name, frame, folder):
    """Write a layout as its administration does; return the path and its format."""
    if name == "spreadsheet":
        write_workbook(frame, folder / "extract.xlsx")
        return folder / "extract.xlsx", None
    path = folder / "extract.txt"
    has_header = name not in ("chile", "unnamed")
    code = {"chile": "latin-1", "french": "cp1252"}.get(name, "utf-8")
    separator = "," if name in ("peru", "renamed") else ";"
    frame.to_csv(path, sep=separator, index=False, header=has_header, encoding=code)
    if has_header:
        return path, None
    # Chile publishes the names of its fields apart from the data.
    names = tuple(frame) if name == "chile" else ()
    return path, FileFormat(header_row=0, names=names)


def place_results(results, table):
    """Return the results of the world under the keys of a layout."""
    keys = table[["declaration_id", "item_number"]].reset_index(drop=True)
    fields = ["illicit", "revenue_adjustment", "inspected_at", "known_at"]
    rows = results.loc[table.index, fields].reset_index(drop=True)
    placed = pd.concat([keys, rows], axis=1)
    return validate(placed[placed["illicit"].notna()], OUTCOMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["chile", "peru", "spreadsheet", "french", "renamed", "reordered", "unnamed"],
)
def test_a_file_gives_what_its_true_map_gives_and_pages(
    name, layouts, many_goods, tmp_path
):
    items, results = many_goods
    layout = layouts(name, items)
    path, form = write_file(name, layout.frame, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmartRiskWarning)
        frame = read_table(path, file=form)
        columns = propose_map(frame, known_layouts=False).columns
        read = check(frame, DECLARATIONS, columns=columns).table
        true = check(layout.frame, DECLARATIONS, columns=layout.truth).table
        # Sums of taxes with their signs are below zero in some rows of Chile's file.
        assert len(read) == len(true) > 0.95 * len(items)
        made = items.loc[read.index]
        np.testing.assert_allclose(
            read["customs_value"], made["customs_value"], atol=0.011
        )
        assert read["tariff_code"].str[:6].eq(made["tariff_code"].str[:6]).all()
        assert read["lodged_at"].dt.normalize().eq(made["day"]).all()
        for field in DECLARATIONS.names:
            if field not in true:
                continue
            left, right = read[field], true[field]
            if left.dtype.kind == "f":
                np.testing.assert_array_equal(left, right, field)
            else:
                assert left.astype(str).tolist() == right.astype(str).tolist(), field
        found = place_results(results, read)
        split = sr.windows.time_split(read, found)
        engine = sr.RiskEngine(random_state=0).fit(split.past, split.known)
        scores = engine.score(split.later)
        decisions = engine.select(split.later, capacity=0.1)
        assert scores["risk_score"].between(0, 1).all()
        assert decisions["channel"].eq("red").any()
        assert len(engine.explain(split.later.head(3), top=2).frame()) >= 3
        pages = write_pages(
            engine, split.later, tmp_path, past=split.past, outcomes=split.known
        )
    assert pages
