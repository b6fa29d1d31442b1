"""A hit of a document counts once, where its items agree, and is no label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import LedgerError
from smartrisk.features import (
    DeclarationFeatures,
    Key,
    LearnedHistory,
    join_results,
    pack_history,
    unpack_history,
)

KEYS = (
    Key(("importer_id",)),
    Key(("hs6",)),
    Key(("importer_id", "departure?"), parent="importer_id", name="from"),
)


def make_items():
    """Return document A with three items of one importer, and single ones."""
    return pd.DataFrame(
        {
            "declaration_id": ["A", "A", "A", "B", "C"],
            "item_number": [1, 2, 3, 1, 1],
            "lodged_at": pd.to_datetime(["2024-01-01"] * 3 + ["2024-03-01"] * 2),
            "importer_id": ["X", "X", "X", "X", "Y"],
            "tariff_code": ["010121", "620342", "010121", "010121", "620342"],
            "departure": ["CN", "CN", None, "CN", "CN"],
        }
    )


def make_results():
    """Return a hit of document A, known on 31 January, and one of item C."""
    return pd.DataFrame(
        {
            "declaration_id": ["A", "A", "A", "C"],
            "item_number": [1, 2, 3, 1],
            "illicit": pd.array([None, None, None, 1], "Int64"),
            "document_illicit": pd.array([True, True, True, None], "boolean"),
            "document_revenue": [90.0, 90.0, 90.0, None],
        }
    )


def make_correction():
    """Return what was found later: it was item 2."""
    return pd.DataFrame(
        {
            "declaration_id": ["A"] * 3,
            "item_number": [1, 2, 3],
            "illicit": [0, 1, 0],
            "revenue_adjustment": [0.0, 90.0, 0.0],
            "known_at": pd.to_datetime(["2024-05-01"] * 3),
        }
    )


@pytest.fixture
def history():
    """Return a history with the hit of the document."""
    items, results = make_items(), make_results()
    features = DeclarationFeatures(KEYS, parts=("history",))
    learned = LearnedHistory.learn(
        features, items, join_results(items, results), label_delay=30
    )
    return learned.add(None, results[:3])[0]


def record(history, day, **fields):
    """Return inspections and hits by key, of an item of a day."""
    item = make_items()[3:4].assign(
        declaration_id="Q", lodged_at=pd.Timestamp(day), **fields
    )
    names = history.features.get_feature_names_out()
    many = history.features.transform_matrix(pd.concat([item, item]))[0]
    one = history.features.transform_one(item.iloc[0].to_dict())[0]
    np.testing.assert_array_equal(many, one)
    found = dict(zip(names, many.tolist(), strict=True))
    labels = [key.label for key in KEYS]
    return {
        name: (found[f"{name}__inspections"], found[f"{name}__hits"]) for name in labels
    }


def test_a_hit_of_a_document_counts_once_and_only_where_its_items_agree(history):
    assert record(history, "2025-01-01") == {
        "importer_id": (3, 1),  # three items controlled, one of them at least a hit
        "hs6": (0, 0),  # of two headings: nobody knows which
        "from": (0, 0),  # a departure is missing in one item, which is a difference
    }
    # Of what the whole document shares, and of items alone, nothing is lost.
    assert record(history, "2025-01-01", tariff_code="620342")["hs6"] == (1, 1)


def test_it_is_no_label():
    results = join_results(make_items(), make_results())
    assert (results.rows.tolist(), results.hits.tolist()) == ([4], [1])


def test_it_counts_from_the_day_after_it_was_known(history):
    assert record(history, "2024-01-31")["importer_id"] == (0, 0)
    assert record(history, "2024-02-01")["importer_id"] == (3, 1)


def test_a_later_result_of_each_item_takes_its_place_on_its_own_day(history):
    corrected, counts = history.add(None, make_correction())
    assert counts["results"]["corrected"] == 3
    assert record(corrected, "2024-05-01") == record(history, "2024-05-01")
    after = record(corrected, "2024-05-02")
    assert after == {"importer_id": (3, 1), "hs6": (2, 0), "from": (2, 1)}


def test_it_is_the_same_in_whatever_order_it_came_and_after_saving(history):
    items, results = make_items(), make_results()
    features = DeclarationFeatures(KEYS, parts=("history",))
    direct = LearnedHistory.learn(
        features, items, join_results(items, results), label_delay=30
    )
    both = pd.concat([results[:3], make_correction().astype({"illicit": "Int64"})])
    corrected = history.add(None, make_correction())[0]
    assert direct.add(None, both)[0].digests() == corrected.digests()
    again = unpack_history(*pack_history(history))
    assert again.digests() == history.digests()
    assert again.add(None, make_correction())[0].digests() == corrected.digests()


def test_forgetting_the_importer_takes_it_out(history):
    shorter, _ = history.without_traders("importer_id", ["X"])
    assert record(shorter, "2025-01-01")["importer_id"] == (0, 0)


def test_the_ledger_records_it_and_refuses_a_label_that_is_missing(tmp_path):
    with sr.ledger.Ledger(tmp_path / "results.sqlite") as ledger:
        ledger.result(make_results())
        bodies = [body["result"] for body in ledger.frame("result")["body"]]
        assert [body["illicit"] for body in bodies] == [None, None, None, 1]
        assert bodies[0]["document_illicit"] is True
        assert ledger.verify().ok
        unknown = make_results().assign(
            document_illicit=pd.array([None] * 4, "boolean")
        )
        with pytest.raises(LedgerError, match="3 values of 'illicit'"):
            ledger.result(unknown)
