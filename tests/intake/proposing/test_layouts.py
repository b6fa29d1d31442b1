"""A proposed map for published layouts needs few corrections."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.errors import TableError
from smartrisk.intake import propose_map
from smartrisk.schema import ColumnMap

#: Corrections that a proposal may need; one that was not marked unsure counts double.
MOST = 3


@pytest.mark.parametrize(
    "name",
    [
        *("french", "unnamed"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("chile", "peru", "spreadsheet", "renamed", "reordered")
        ),
    ],
)
def test_a_layout_needs_at_most_three_corrections(name, layouts, count_corrections):
    layout = layouts(name)
    proposal = propose_map(layout.frame, known_layouts=False)
    wrong = count_corrections(proposal, layout)
    assert sum(cost for _, cost, *_ in wrong) <= MOST, wrong


def test_the_toml_of_a_proposal_is_its_map(layouts):
    for name in ("french", "unnamed"):
        proposal = propose_map(layouts(name).frame, known_layouts=False)
        text = proposal.to_toml()
        assert ColumnMap.from_toml(text) == proposal.columns
        assert text.count("UNSURE") >= len(proposal.questions)


def test_aggregates_are_refused_with_that_reason():
    names = "CO_ANO CO_MES CO_NCM CO_UNID CO_PAIS SG_UF_NCM CO_VIA CO_URF QT_ESTAT"
    names += " KG_LIQUIDO VL_FOB VL_FRETE VL_SEGURO"
    row = ["2024", "03", "87032310", "10", "023", "SP", "01", "0817800", "12"]
    rows = [[*row, "900", "15000", "800", "90"] for _ in range(40)]
    with pytest.raises(TableError, match=r"no declarations: .* trade statistics"):
        propose_map(pd.DataFrame(rows, columns=names.split()))


def test_documents_without_goods_are_refused_with_what_is_missing():
    frame = pd.DataFrame(
        {
            "DECLARATION_NO": [f"D{k}" for k in range(30)],
            "REG_DATE": ["2024-03-01"] * 30,
            "IMPORTER_TIN": [f"T{k % 7}" for k in range(30)],
            "TOTAL_ITEMS": ["2"] * 30,
        }
    )
    with pytest.raises(TableError, match="no column holds tariff codes"):
        propose_map(frame)
