"""The tables: what they declare, and how they and their maps show themselves."""

from __future__ import annotations

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.schema import (
    DECISIONS,
    DECLARATIONS,
    HS_LEVELS,
    KCS,
    KEY,
    MILESTONES,
    OUTCOMES,
    SCORES,
    TRADERS,
    ColumnMap,
)

TABLES = (DECLARATIONS, OUTCOMES, SCORES, DECISIONS, MILESTONES)


def test_every_table_starts_with_the_key_and_names_each_field_once():
    for table in TABLES:
        assert table.names[:2] == KEY
        assert len(set(table.names)) == len(table.names)
        assert all(table[name].name == name for name in table.names)


def test_traders_and_levels_are_read_from_the_fields():
    assert TRADERS == ("importer_id", "declarant_id", "consignor_id", "carrier_id")
    assert dict(HS_LEVELS) == {"hs2": 2, "hs4": 4, "hs6": 6}
    with pytest.raises(TypeError):
        HS_LEVELS["hs8"] = 8


def test_a_field_that_no_table_has_is_refused_with_the_nearest():
    with pytest.raises(ArgumentError, match=r"'office_id'.*'office'"):
        DECLARATIONS["office_id"]
    with pytest.raises(ArgumentError, match=r"'lodgedat'.*'lodged_at'"):
        ColumnMap({"lodgedat": "date"})


def test_no_result_of_a_control_is_known_at_lodgement():
    assert {field.known for field in DECLARATIONS} == {"lodgement"}
    known_later = [field.name for field in OUTCOMES if field.known == "inspection"]
    assert not set(known_later) & set(DECLARATIONS.names)


def test_a_table_and_a_map_show_themselves_in_a_notebook():
    assert repr(OUTCOMES) == "Table(OUTCOMES, 14 fields)"
    html = OUTCOMES._repr_html_()
    assert html.count("<tr>") == 15
    assert "text-align:left" in html
    columns = ColumnMap({"office": "<bureau>"}, day_first=True)
    assert repr(columns) == "ColumnMap(1 fields, day_first=True)"
    assert "&lt;bureau&gt;" in columns._repr_html_()
    assert (
        repr(KCS) == "ColumnMap(18 fields, duty_rate_unit='percent', tariff_digits=6)"
    )


def test_every_field_of_a_result_is_known_at_inspection():
    later = [field for field in OUTCOMES if field.name not in KEY]
    assert {field.known for field in later} == {"inspection"}


def test_no_event_after_lodgement_is_a_declared_field():
    assert {MILESTONES[name].known for name in ("kind", "at", "amount")} == {"event"}
    events = set(MILESTONES.names) - set(KEY)
    assert not events & set(DECLARATIONS.names)
