"""Headers, items and results are joined by key; no value is lost, moved or made up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.intake import join_documents
from smartrisk.items import share_totals
from smartrisk.lineage import Source, read_sources, set_sources, source_rows
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate

DIGEST, OTHER = "a" * 64, "b" * 64
COLUMNS = ColumnMap(
    {
        "declaration_id": "NR",
        "item_number": "ART",
        "lodged_at": "DATE",
        "importer_id": "NIF",
        "tariff_code": "CODE",
        "customs_value": "VALEUR",
        "duties_taxes": "DROITS",
    },
    decimal=",",
)
RESULTS = ColumnMap(
    {"declaration_id": "NR", "item_number": "ART", "illicit": "FRAUDE"}, decimal=","
)


def make_header(**fields):
    """Return three documents, as texts."""
    return pd.DataFrame(
        {
            "NR": ["1", "2", "3"],
            "DATE": ["2024-03-01", "2024-03-02", "2024-03-03"],
            "NIF": ["X", "X", "Y"],
            "DROITS": ["100,00", "7,50", "0,01"],
            **fields,
        }
    )


def make_items(**fields):
    """Return six items: three of document 1, one of 2, two of 3."""
    return pd.DataFrame(
        {
            "NR": ["1", "1", "1", "2", "3", "3"],
            "ART": ["1", "2", "3", "1", "1", "2"],
            "CODE": ["010121", "620342", "620342", "010121", "851712", "851712"],
            "VALEUR": ["1", "1", "1", "50", "2,5", "7,5"],
            **fields,
        }
    )


def make_results(**fields):
    """Return a hit of documents 1 and 2, none of 3."""
    found = {"NR": ["1", "2", "3"], "FRAUDE": ["1", "1", "0"]}
    return pd.DataFrame({**found, "revenue_adjustment": ["90", "5", ""], **fields})


def join(header=None, items=None, **options):
    """Join tables of this file."""
    return join_documents(
        make_header() if header is None else header,
        make_items() if items is None else items,
        on="NR",
        columns=COLUMNS,
        outcome_columns=RESULTS,
        **options,
    )


def test_totals_are_shared_by_value_to_the_last_cent_and_flagged():
    joined = join(totals={"duties_taxes": "value"}).declarations
    assert joined["DROITS"].tolist() == [33.34, 33.33, 33.33, 7.5, 0.0, 0.01]
    assert (
        joined["dq_shared_duties_taxes"].tolist() == [True] * 3 + [False] + [True] * 2
    )
    table = validate(joined, DECLARATIONS, columns=COLUMNS)
    assert table["duties_taxes"].tolist() == joined["DROITS"].tolist()
    assert table["dq_shared_duties_taxes"].sum() == 5


def test_totals_are_read_as_the_map_reads_numbers():
    header = make_header(DROITS=["1,23,456.50", "néant", "0.02"])
    items = make_items(VALEUR=["1", "1", "1", "50", "2.5", "7.5"])
    columns = dataclasses.replace(
        COLUMNS, decimal=".", thousands=",", grouping="indian", missing=("néant",)
    )
    joined = join_documents(
        header,
        items,
        on="NR",
        columns=columns,
        totals={"duties_taxes": "value"},
    )
    shares = joined.declarations["DROITS"].groupby(items["NR"]).sum(min_count=1)
    assert shares.round(2).tolist()[::2] == [123456.50, 0.02]
    assert np.isnan(shares["2"])


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8),
    st.lists(st.integers(0, 7), min_size=1, max_size=30),
    st.integers(0, 2**32 - 1),
)
def test_the_shares_of_a_document_add_up_to_its_cents(cents, documents, seed):
    rng = np.random.default_rng(seed)
    rows = np.array(documents) % len(cents)
    weights = rng.lognormal(0, 4, len(rows)) * (rng.random(len(rows)) > 0.2)
    shares, _ = share_totals(np.array(cents) / 100, rows, weights)
    sums = np.zeros(len(cents), np.int64)
    np.add.at(sums, rows, np.rint(shares * 100).astype(np.int64))
    there = np.isin(np.arange(len(cents)), rows)
    assert sums[there].tolist() == np.array(cents)[there].tolist()
    assert (np.sign(shares) * np.sign(np.array(cents))[rows] >= 0).all()


def test_a_total_without_weights_stays_empty_and_is_counted():
    items = make_items(VALEUR=["1", "", "1", "50", "0", "0"])
    with pytest.warns(DataQualityWarning, match="shared evenly in 1 documents"):
        joined = join(items=items, totals={"duties_taxes": "value"})
    shared = joined.declarations["DROITS"]
    assert shared[:3].isna().all()
    assert shared[3:].tolist() == [7.5, 0.01, 0.0]
    assert joined.frame()["what"].tolist()[0] == "duties_taxes: not shared"


def test_a_clean_document_is_clean_for_each_item_and_a_hit_of_several_is_unknown():
    joined = join(outcomes=make_results(), level="document")
    found = validate(joined.outcomes, OUTCOMES, columns=RESULTS)
    assert found["illicit"].tolist() == [pd.NA, pd.NA, pd.NA, 1, 0, 0]
    assert found["document_illicit"].tolist() == [True] * 3 + [pd.NA] + [False] * 2
    assert found["revenue_adjustment"].tolist()[3] == 5.0
    assert found["document_revenue"].tolist()[:3] == [90.0] * 3
    again = validate(found, OUTCOMES)
    pd.testing.assert_frame_equal(again, found)


def test_a_hit_of_a_document_is_one_of_all_items_only_by_declaration():
    joined = join(outcomes=make_results(), level="document", document_hit="all")
    found = validate(joined.outcomes, OUTCOMES, columns=RESULTS)
    assert found["illicit"].tolist() == [1, 1, 1, 1, 0, 0]
    assert found["revenue_adjustment"].tolist()[:4] == [30.0, 30.0, 30.0, 5.0]
    assert found["dq_shared_revenue_adjustment"].tolist()[:4] == [True] * 3 + [False]


def test_results_without_numbers_are_never_numbered_by_their_order():
    with pytest.raises(ArgumentError, match="2 results are of documents with several"):
        join(outcomes=make_results())
    with pytest.raises(TableError, match="no column of item numbers"):
        join(outcomes=make_results(), level="item")
    raw = make_results(NR=["1", "1", "2"])
    bare = ColumnMap({"declaration_id": "NR", "illicit": "FRAUDE"})
    report = check(raw, OUTCOMES, columns=bare)
    assert report.failures["reason"].tolist() == ["results not numbered"] * 2
    assert report.table["declaration_id"].tolist() == ["2"]
    single = join(outcomes=make_results()[1:2])  # a document with one item is certain
    assert single.outcomes["FRAUDE"].tolist() == ["1"]


def test_results_of_items_are_matched_by_number_and_others_returned():
    results = pd.DataFrame(
        {"NR": ["3", "1", "9"], "ART": ["2", "7", "1"], "FRAUDE": ["1", "0", "0"]}
    )
    with pytest.warns(DataQualityWarning, match="2 results are of no item"):
        joined = join(outcomes=results)
    assert joined.outcomes["NR"].tolist() == ["3"]
    assert joined.unmatched["outcomes"]["NR"].tolist() == ["1", "9"]


def test_rows_without_a_partner_are_returned_with_their_count():
    items = make_items(NR=["1", "1", "1", "2", "8", None])
    with pytest.warns(DataQualityWarning) as caught:
        joined = join(items=items)
    text = str(caught[0].message)
    assert "1 rows of 'header' have no partner" in text
    assert "2 rows of 'items' have no partner in 'header' and were left out, 1" in text
    assert joined.unmatched["header"]["NR"].tolist() == ["3"]
    assert len(joined.declarations) + len(joined.unmatched["items"]) == len(items)


def test_no_match_at_all_is_refused_with_keys_of_both():
    header = make_header(NR=["001", "002", "003"])
    with pytest.raises(TableError, match="differ in leading zeros"):
        join(header)


def test_a_file_that_was_loaded_twice_is_not_a_new_set_of_items():
    header, items = make_header(), make_items()
    twice = pd.concat([items, items])
    with pytest.warns(DataQualityWarning, match="6 rows of 'items' repeat others"):
        joined = join(pd.concat([header, header]), twice)
    pd.testing.assert_frame_equal(joined.declarations, join().declarations)
    bare = twice.drop(columns="ART")
    with pytest.warns(DataQualityWarning, match="numbered by their order"):
        joined = join(items=bare)
    assert joined.declarations["ART"].tolist() == [1, 2, 3, 1, 1, 2]


def test_the_same_key_with_other_content_is_refused_unless_it_is_a_version():
    header = pd.concat([make_header(), make_header(NIF=["Z"] * 3)[:1]])
    with pytest.raises(TableError, match="amendments='replace'"):
        join(header)
    header = header.assign(V=["1", "1", "1", "2"])
    with pytest.warns(DataQualityWarning, match="versions that do not count"):
        joined = join(header, amendments="replace", version="V")
    assert joined.declarations["NIF"].tolist()[:3] == ["Z"] * 3
    assert joined.superseded["header"]["NIF"].tolist() == ["X"]
    header = header.assign(V=["2024-03-01"] * 3 + ["2024-04-01"])
    with pytest.warns(DataQualityWarning, match="1 of them from after the moment"):
        joined = join(header, amendments="versions", version="V", before="2024-03-15")
    assert joined.declarations["NIF"].tolist()[:3] == ["X"] * 3
    with pytest.raises(TableError, match="neither whole numbers nor dates"):
        join(header.assign(V="x"), amendments="replace", version="V")


def test_item_numbers_that_number_nothing_are_refused():
    with pytest.raises(TableError, match="is 0 in all 6 rows"):
        join(items=make_items(ART="0"))
    with pytest.raises(TableError, match="name the column that numbers them"):
        join(items=make_items(ART="1"))
    parts = make_items(ART="1", SUB=["1", "2", "3", "1", "1", "2"])
    joined = join(items=parts, sub_item="SUB").declarations
    assert joined["ART"].tolist() == [1001, 1002, 1003, 1001, 1001, 1002]


def test_a_column_of_both_tables_that_differs_is_reported():
    items = make_items(NIF=["X", "W", "X", "X", "Y", "Y"])
    with pytest.warns(DataQualityWarning, match="'NIF' is in both tables and differs"):
        joined = join(items=items)
    assert joined.declarations["NIF"].tolist() == items["NIF"].tolist()


def test_a_header_alone_is_refused_with_what_is_missing():
    with pytest.raises(TableError, match="no tariff_code, no item_number"):
        validate(
            make_header(),
            DECLARATIONS,
            columns=ColumnMap(
                {"declaration_id": "NR", "lodged_at": "DATE", "importer_id": "NIF"}
            ),
        )


def test_an_item_keeps_the_lines_of_both_files():
    header = make_header(source_row=source_rows(DIGEST, [2, 3, 4]))
    items = make_items(source_row=source_rows(OTHER, range(2, 8)))
    set_sources(header, [Source(sha256=DIGEST, kind="csv")])
    set_sources(items, [Source(sha256=OTHER, kind="csv")])
    joined = join(header, items).declarations
    assert joined["source_row"][5] == f"{'b' * 16}:7 {'a' * 16}:4"
    assert {s.sha256 for s in read_sources(joined)} == {DIGEST, OTHER}
