"""A row can be traced to its file and line, through joins, engines and the ledger."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, LedgerError
from smartrisk.lineage import (
    Source,
    digest_file,
    join_source_rows,
    merge_sources,
    parse_source_row,
    read_sources,
    set_sources,
    source_rows,
)
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.validation import check, map_version, validate

DIGEST, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
SHORT = DIGEST[:16]


def make_frame(digest=DIGEST, n=3, **fields):
    """Return declarations as a reader of files leaves them."""
    frame = pd.DataFrame(
        {
            "declaration_id": [f"{digest[0]}{k}" for k in range(n)],
            "lodged_at": "2024-03-01",
            "tariff_code": "010121",
            "source_row": source_rows(digest, range(2, n + 2)),
            **fields,
        }
    )
    set_sources(frame, [Source(sha256=digest, kind="csv", rows_in=n)])
    return frame


def test_a_source_is_plain_and_comes_back():
    source = Source(
        sha256=DIGEST, kind="csv", repairs={"tariff_code": 2}, read_at="2024-03-01"
    )
    assert Source.from_dict(source.to_dict()) == source
    assert pickle.loads(pickle.dumps(source)) == source
    later = Source.from_dict({**source.to_dict(), "read_at": "2025", "new": 1})
    assert later == source  # when it was read does not change what it is
    with pytest.raises(ArgumentError, match="hexadecimal"):
        Source(sha256="items.csv")


def test_the_digest_of_a_folder_is_that_of_its_files_and_their_names(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    first = digest_file(tmp_path)
    assert first == digest_file(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest_file(tmp_path) != first


def test_the_column_survives_what_the_attribute_does_not():
    both = pd.concat([make_frame(), make_frame(OTHER, 2)], ignore_index=True)
    assert both.attrs == {}
    found = {source.id: source.rows_in for source in read_sources(both)}
    assert found == {SHORT: 3, OTHER[:16]: 2}
    again = read_sources(both, make_frame())  # one of them in full
    assert [len(source.sha256) for source in again] == [64, 16]
    assert merge_sources([Source(sha256=SHORT)], again)[0].sha256 == DIGEST


def test_a_joined_row_names_all_rows_that_it_came_from():
    left, right = (pd.Series(source_rows(d, [2, 3])) for d in (DIGEST, OTHER))
    joined = join_source_rows(left, right)
    assert parse_source_row(joined[1]) == ((SHORT, 3), (OTHER[:16], 3))
    frame = pd.DataFrame({"source_row": joined})
    assert {s.id: s.rows_in for s in read_sources(frame)} == {SHORT: 2, OTHER[:16]: 2}


@pytest.mark.parametrize("text", ["x", "0123456789abcdef", f"{SHORT}:x", None])
def test_another_form_is_refused_with_its_values(text):
    with pytest.raises(ArgumentError, match="16 hexadecimal digits"):
        parse_source_row(text)
    if text is not None:
        with pytest.raises(ArgumentError, match="1 values of source_row"):
            read_sources(pd.DataFrame({"source_row": [text]}))


def test_a_check_counts_what_became_of_each_file():
    frame = make_frame(tariff_code=["010121", 10121, "bad"])
    columns = ColumnMap({"declaration_id": "NR"})
    report = check(
        frame.rename(columns={"declaration_id": "NR"}), DECLARATIONS, columns=columns
    )
    (source,) = read_sources(report.table)
    assert (source.rows_in, source.rows_out, source.set_aside) == (3, 2, 1)
    assert source.repairs == {"tariff_code": 1}
    assert (source.table, source.map_version) == ("DECLARATIONS", map_version(columns))
    assert report.table["source_row"].tolist() == [f"{SHORT}:2", f"{SHORT}:3"]
    assert "source_row" not in report.ignored
    assert read_sources(validate(report.table, DECLARATIONS)) == (source,)


@pytest.fixture(scope="module")
def traced(world):
    """Return items and results with sources, and an engine that learned from them."""
    items = world.declarations.head(2500)
    items = items.assign(source_row=source_rows(DIGEST, range(2, 2502)))
    set_sources(items, [Source(sha256=DIGEST, kind="csv")])
    results = world.outcomes[
        world.outcomes["declaration_id"].isin(items["declaration_id"])
    ]
    keys = ["declaration_id", "item_number"]
    results = results.merge(items[keys], on=keys)
    results = results.assign(source_row=source_rows(OTHER, range(2, len(results) + 2)))
    return items, results, sr.RiskEngine(random_state=0).fit(items, results)


def test_an_engine_keeps_its_sources_which_are_no_part_of_its_version(traced, tmp_path):
    items, results, engine = traced
    assert [s.sha256 for s in engine.sources_] == [DIGEST, OTHER[:16]]
    bare = sr.RiskEngine(random_state=0).fit(
        items.drop(columns="source_row"), results.drop(columns="source_row")
    )
    assert bare.version_ == engine.version_
    assert "source_row" not in engine.features_.feature_names_in_
    loaded = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    assert loaded.sources_ == engine.sources_
    new = make_frame("c" * 64)
    new = validate(new, DECLARATIONS).reindex(columns=items.columns)
    new = new.assign(item_number=1, lodged_at=pd.Timestamp("2025-06-01"))
    longer = engine.copy().update(new.astype(items.dtypes))
    assert [s.id for s in longer.sources_][2:] == ["c" * 16]


def test_scores_decisions_and_the_ledger_keep_file_and_line(traced, tmp_path):
    items, _, engine = traced
    new = items.tail(8)
    scores = engine.score(new)
    decisions = engine.select(new, 2)
    lines = new["source_row"].tolist()
    assert scores["source_row"].tolist() == decisions["source_row"].tolist() == lines
    with sr.ledger.Ledger(tmp_path / "decisions.sqlite") as ledger:
        ledger.record(decisions, declarations=new, scores=scores)
        bodies = ledger.frame("decision")["body"]
        assert [body["source_row"] for body in bodies] == lines
        assert bodies[0]["sources"] == {"declarations": DIGEST}
        assert ledger.verify().ok
        given = {"extract": "f" * 64}
        ledger.record(decisions, sources=given)
        assert ledger.frame("decision")["body"].iloc[-1]["sources"] == given
        with pytest.raises(LedgerError, match="16 hexadecimal digits"):
            ledger.record(decisions.assign(source_row="items.csv:3"))


def test_a_run_names_files_by_digest_only(traced):
    from smartrisk.tracking._contents import describe_data

    items = traced[0].copy()
    set_sources(items, [Source(sha256=DIGEST, kind="csv", name="Jane Doe.csv")])
    (data,) = describe_data(items).values()
    assert data.sources[0]["sha256"] == DIGEST
    assert "Jane" not in str(data)
