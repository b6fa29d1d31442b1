"""Reference tables give what was known at lodgement, and nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk import RiskEngine
from smartrisk.errors import TableError
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.validation import check, validate


def items(days, **columns):
    """Return items lodged on days of 2024, counted from 1 January."""
    n = len(days)
    lodged = pd.Timestamp("2024-01-01") + pd.to_timedelta(list(days), unit="D")
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(n)],
            "item_number": 1,
            "lodged_at": lodged,
            "tariff_code": "640399",
            **columns,
        }
    )


def day(number):
    """Return a day as a text of the administration."""
    return (pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)).strftime("%Y-%m-%d")


def traders(rows, **options):
    """Return a map with a table of traders: id, status, valid from, recorded at."""
    frame = pd.DataFrame(rows, columns=["id", "standing", "from", "entered"])
    reference = {
        "name": "traders",
        "key": {"importer_id": "id"},
        "take": {"standing": "standing"},
        "valid_from": "from",
        "recorded_at": "entered",
        **options,
    }
    return ColumnMap(
        own_fields={"standing": "code"},
        references=[{k: v for k, v in reference.items() if v is not None}],
        frames={"traders": frame},
    )


def test_a_row_counts_from_the_later_of_both_moments():
    rows = [
        ("A", "old", day(0), day(0)),
        ("A", "new", day(10), day(20)),  # entered ten days late
        ("A", "corrected", day(10), day(30)),
        ("B", "future", day(25), day(5)),  # entered in advance
    ]
    frame = items([5, 20, 21, 30, 31, 24, 25], importer_id=[*"AAAAA", "B", "B"])
    found = validate(frame, DECLARATIONS, columns=traders(rows))["standing"]
    assert found.fillna("?").tolist() == [
        *("OLD", "OLD", "NEW", "NEW", "CORRECTED"),
        *("?", "FUTURE"),
    ]


def test_a_row_counts_from_its_minute_or_from_the_day_after_its_day():
    frame = items([10, 10], importer_id=["A", "A"])
    frame["lodged_at"] += pd.to_timedelta([8, 10], unit="h")
    rows = [("A", "old", day(0), day(0)), ("A", "new", day(1), f"{day(10)} 09:00")]
    timed = [(k, status, f"{v} 00:00", f"{r[:10]} 09:00") for k, status, v, r in rows]
    found = validate(frame, DECLARATIONS, columns=traders(timed))["standing"]
    assert found.tolist() == ["OLD", "NEW"]
    by_day = [(k, status, v, r[:10]) for k, status, v, r in rows]
    found = validate(frame, DECLARATIONS, columns=traders(by_day))["standing"]
    assert found.tolist() == ["OLD", "OLD"]


def test_the_row_of_the_latest_period_holds_though_an_older_one_was_corrected_later():
    rows = [("A", "new", day(10), day(10)), ("A", "of the past", day(0), day(20))]
    frame = items([25], importer_id=["A"])
    assert validate(frame, DECLARATIONS, columns=traders(rows))["standing"][0] == "NEW"


_ROWS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 8), st.integers(0, 8)),
    max_size=40,
    unique=True,
)


@settings(max_examples=10)
@given(
    _ROWS,
    st.lists(
        st.tuples(st.sampled_from("ABCD"), st.integers(-1, 10)), min_size=1, max_size=12
    ),
)
def test_the_table_agrees_with_a_search_row_by_row(rows, wanted):
    named = [(k, f"s{n}", day(v), day(r)) for n, (k, v, r) in enumerate(rows)]
    frame = items([d for _, d in wanted], importer_id=[k for k, _ in wanted])
    columns = traders(named or [("Z", "s", day(0), day(0))])
    found = validate(frame, DECLARATIONS, columns=columns)["standing"]
    for (key, moment), status in zip(wanted, found, strict=True):
        known = [
            (v, r, f"S{n}")
            for n, (k, v, r) in enumerate(rows)
            if k == key and max(v, r + 1) <= moment
        ]
        assert (status if isinstance(status, str) else None) == (
            max(known)[2] if known else None
        )


def test_a_row_recorded_tomorrow_changes_nothing_of_today():
    frame = items([10, 10], importer_id=["A", "B"])
    rows = [("A", "good", day(0), day(1)), ("B", "good", day(0), day(1))]
    later = [*rows, ("A", "fraud", day(2), day(10)), ("B", "fraud", day(11), day(2))]
    today = validate(frame, DECLARATIONS, columns=traders(rows))
    again = validate(frame, DECLARATIONS, columns=traders(later))
    pd.testing.assert_frame_equal(today, again)
    frame["lodged_at"] += pd.Timedelta(days=1)
    tomorrow = validate(frame, DECLARATIONS, columns=traders(later))
    assert tomorrow["standing"].tolist() == ["FRAUD", "FRAUD"]


@pytest.mark.slow
def test_a_row_recorded_tomorrow_changes_no_score_of_today(world):
    own = {"standing": "code"}
    rng = np.random.default_rng(0)
    parties = world.declarations["importer_id"].dropna().unique()
    first, last = world.declarations["lodged_at"].agg(["min", "max"])
    table = pd.DataFrame(
        {"id": parties, "standing": rng.choice([*"XYZ"], len(parties))}
    )
    table["from"] = table["entered"] = first
    wrong = table.assign(status="Q", entered=last + pd.Timedelta(days=1))
    wrong["from"] = first + pd.Timedelta(seconds=1)

    def read(reference):
        columns = ColumnMap(
            own_fields=own,
            references=traders([]).references,
            frames={"traders": reference},
        )
        return validate(world.declarations, DECLARATIONS, columns=columns)

    items = read(table)
    engine = RiskEngine(own_fields=own, random_state=0).fit(items, world.outcomes)
    before = engine.score(items.tail(50))["risk_score"]
    after = engine.score(read(pd.concat([table, wrong])).tail(50))["risk_score"]
    assert before.tolist() == after.tolist()


def test_rows_of_one_key_at_one_moment_are_refused():
    rows = [
        ("A", "x", day(1), day(2)),
        ("A", "y", day(1), day(2)),
        ("B", "x", day(1), day(2)),
    ]
    with pytest.raises(
        TableError, match="2 rows with the same key at the same moment: 'A'"
    ):
        check(items([3], importer_id=["A"]), DECLARATIONS, columns=traders(rows))
    rows = [("A", "x", day(1), day(2)), ("A", "y", day(2), day(2))]
    with pytest.raises(TableError, match="same key"):
        check(
            items([3], importer_id=["A"]),
            DECLARATIONS,
            columns=traders(rows, valid_from=None, recorded_at=None),
        )


def test_keys_are_read_as_the_items_are():
    frame = items(
        [3] * 4,
        importer_id=["88", "88.0", " x", "88"],
        origin=["CN", "CHN", "CN", "FR"],
    )
    reference = pd.DataFrame(
        {"id": [88.0, 88.0], "land": ["China", "FRA"], "s": ["a", "b"]}
    )
    columns = ColumnMap(
        own_fields={"standing": "code"},
        references=[
            {
                "name": "traders",
                "key": {"importer_id": "id", "origin": "land"},
                "take": {"standing": "s"},
            }
        ],
        frames={"traders": reference},
    )
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["standing"].fillna("?").tolist() == ["A", "A", "?", "B"]
    (note,) = [n for n in report.notes() if n.message_id.endswith("unmatched")]
    assert note.values["n_rows"] == 1
    assert "no row for 1 of 4 items" in str(note)


def test_a_chapter_a_field_and_a_number_come_from_files(tmp_path):
    (tmp_path / "sections.csv").write_text(
        "ch,section,aeo,price\n64,XII,yes,9.5\n1,I,no,2\n"
    )
    text = """
own_fields = {section = "code", price = "number"}
[[references]]
name = "sections"
file = "sections.csv"
key = {hs2 = "ch"}
take = {section = "section", price = "price", trusted_trader = "aeo"}
"""
    (tmp_path / "map.toml").write_text(text)
    columns = ColumnMap.from_toml(tmp_path / "map.toml")
    frame = items([1, 2], tariff_code=["640399", "010121"])
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["section"].tolist() == ["XII", "I"]
    assert report.table["price"].tolist() == [9.5, 2.0]
    assert report.table["trusted_trader"].tolist() == [True, False]
    assert report.table["trusted_trader"].dtype == "boolean"
    (stated,) = [s for s in columns.steps() if s.message_id.endswith("without_days")]
    assert "every item, however old, gets what the table says now" in str(stated)
    for content in (b"ch,section,aeo,price\n64,Gen\xe8ve,yes,1\n", b""):
        (tmp_path / "sections.csv").write_bytes(content)
        with pytest.raises(TableError, match=r"'sections' cannot be read.*UTF-8"):
            check(frame, DECLARATIONS, columns=columns)
    (tmp_path / "sections.csv").unlink()
    with pytest.raises(TableError, match=r"no file .*sections\.csv"):
        check(frame, DECLARATIONS, columns=columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": {}}, "has no table"),
        ({"key": {"importer_id": "identifier"}}, "lacks the columns 'identifier'"),
        (
            {"key": {"office": "id"}},
            "looked up by 'office', which the items do not have",
        ),
        ({"day": "x"}, "column 'entered': not a date in 1 rows: 'x'"),
        ({"day": None}, "column 'entered': missing"),
    ],
)
def test_a_reference_that_cannot_be_used_is_named(change, message):
    rows = [("A", "s", day(0), change.get("day", day(0)))]
    key = {"key": change["key"]} if "key" in change else {}
    columns = traders(rows, **key)
    if "frames" in change:
        columns = ColumnMap(
            own_fields=columns.own_fields, references=columns.references
        )
    with pytest.raises(TableError, match=message):
        check(items([1], importer_id=["A"]), DECLARATIONS, columns=columns)
