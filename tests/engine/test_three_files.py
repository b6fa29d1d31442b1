"""Header, items and results of documents from three files score as one flat table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES

#: Fields that belong to the document; all items of one share them in the test.
OF_DOCUMENT = (
    "lodged_at",
    "office",
    "procedure",
    "importer_id",
    "declarant_id",
    "transport_mode",
    "payment_type",
    "trusted_trader",
)


@pytest.fixture(scope="module")
def flat(world):
    """Return items that share the fields of their document, and results per document.

    A document is a hit where one of its items was; those of its items that nobody had
    looked at count as looked at too.
    """
    items = world.declarations.copy()
    first = items.groupby("declaration_id")[list(OF_DOCUMENT)].transform("first")
    items[list(OF_DOCUMENT)] = first
    results = world.outcomes.groupby("declaration_id", as_index=False).agg(
        illicit=("illicit", "max"),
        revenue_adjustment=("revenue_adjustment", "sum"),
        known_at=("known_at", "max"),
    )
    return items, results


@pytest.fixture(scope="module")
def joined(flat, tmp_path_factory):
    """Return what the three files give."""
    items, results = flat
    folder = tmp_path_factory.mktemp("files")
    header = items.drop_duplicates("declaration_id")[["declaration_id", *OF_DOCUMENT]]
    taxes = items.groupby("declaration_id")["duties_taxes"].sum().round(2)
    header = header.assign(duties_taxes=header["declaration_id"].map(taxes))
    rows = items.drop(columns=[*OF_DOCUMENT, "duties_taxes"])
    tables = {}
    for name, table in (("header", header), ("items", rows), ("results", results)):
        table.to_csv(folder / f"{name}.csv", index=False)
        tables[name] = sr.intake.read_table(folder / f"{name}.csv")
    found = sr.intake.join_documents(
        tables["header"],
        tables["items"],
        on="declaration_id",
        outcomes=tables["results"],
        level="document",
        totals={"duties_taxes": "value"},
    )
    return header, found


def flat_outcomes(items, results):
    """Return results of documents as rows of their items, by hand."""
    rows = items[["declaration_id", "item_number"]].merge(results, on="declaration_id")
    n_items = rows.groupby("declaration_id")["item_number"].transform("size")
    several = (n_items > 1) & (rows["illicit"] == 1)
    rows["document_illicit"] = several.where(n_items > 1).astype("boolean")
    rows["document_revenue"] = rows["revenue_adjustment"].where(n_items > 1)
    rows["illicit"] = rows["illicit"].astype("Int64").mask(several)
    rows["revenue_adjustment"] = rows["revenue_adjustment"].where(n_items == 1)
    return rows


@pytest.mark.slow
def test_three_files_score_as_the_flat_table_does(flat, joined):
    items, results = flat
    _, found = joined
    declared = sr.validation.validate(found.declarations, DECLARATIONS)
    outcomes = sr.validation.validate(found.outcomes, OUTCOMES)
    engine = sr.RiskEngine(random_state=0).fit(
        declared.drop(columns="duties_taxes"), outcomes
    )
    table = items.drop(columns="duties_taxes")
    by_hand = sr.RiskEngine(random_state=0).fit(table, flat_outcomes(items, results))
    assert engine.version_ == by_hand.version_
    keys = ["declaration_id", "item_number"]
    scores = [
        one.score(part.drop(columns="duties_taxes", errors="ignore"), guard="off")
        .set_index(keys)
        .sort_index()[["risk_score", "expected_revenue"]]
        for one, part in ((engine, declared), (by_hand, table))
    ]
    pd.testing.assert_frame_equal(*scores, check_exact=True)
    # Hits of documents with several items are no labels, and they are many.
    n_unknown = int(outcomes["illicit"].isna().sum())
    assert n_unknown > 30
    learned = engine.has_learned(outcomes)
    assert learned.tolist() == outcomes["illicit"].notna().tolist()


@pytest.mark.slow
def test_shared_totals_equal_the_header_in_every_document_to_the_cent(joined):
    header, found = joined
    shared = found.declarations
    cents = (shared["duties_taxes"] * 100).round().astype("int64")
    sums = cents.groupby(shared["declaration_id"]).sum()
    total = header.set_index("declaration_id")["duties_taxes"]
    assert (total * 100).round().astype("int64").sub(sums).eq(0).all()
    several = shared["declaration_id"].duplicated(keep=False)
    assert shared["dq_shared_duties_taxes"].tolist() == several.tolist()


@pytest.mark.slow
def test_whoever_reads_labels_leaves_hits_of_documents_out(joined):
    _, found = joined
    items = sr.validation.validate(found.declarations, DECLARATIONS)
    outcomes = sr.validation.validate(found.outcomes, OUTCOMES)
    labels = outcomes[outcomes["illicit"].notna()].astype({"illicit": "int64"})
    left, right = (
        sr.quality.plausibility(items, table).frame() for table in (outcomes, labels)
    )
    pd.testing.assert_frame_equal(left, right)
    left, right = (
        sr.evaluation.audit(items, table).frame() for table in (outcomes, labels)
    )
    assert left["alarm"].tolist() == right["alarm"].tolist()
    # Their items were inspected all the same.
    facts = sr.quality.scorecard(items, outcomes).facts()
    assert facts.inspected_share >= len(labels) / len(items)
    scores = outcomes[["declaration_id", "item_number"]].assign(
        risk_score=np.linspace(0, 1, len(outcomes)), expected_revenue=1.0
    )
    left, right = (
        sr.evaluation.evaluate(scores, table).frame() for table in (outcomes, labels)
    )
    pd.testing.assert_frame_equal(left, right)


def test_results_without_item_numbers_are_refused_where_documents_have_several(flat):
    items, results = flat
    counts = items["declaration_id"].value_counts()
    single = results["declaration_id"].map(counts) == 1
    with pytest.raises(TableError, match=r"no item_number, but their documents have"):
        sr.RiskEngine().fit(items, results)
    with pytest.raises(TableError, match="level='document'"):
        sr.quality.plausibility(items, results)
    assert len(results[single]) > 10
    bare = sr.validation.validate(results[single], OUTCOMES)
    assert np.unique(bare["item_number"]).tolist() == [1]
