"""A plain value that needs no table is read as a table would read it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smartrisk as sr
from smartrisk.errors import TableError
from smartrisk.schema import DECLARATIONS
from smartrisk.validation import UNDECIDED, canonical_value, read_declarations

ROW = sr.datasets.example_declarations(1).astype(object)
FIELDS = [field.name for field in DECLARATIONS]
#: Texts near ISO 8601, whole numbers near the bounds, and what JSON holds besides.
MOMENTS = st.one_of(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
        r"(Z|\+02:00)?",
        fullmatch=True,
    ),
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
)
PLAIN = st.one_of(
    MOMENTS,
    st.integers(-10, 2**60),
    st.integers(0, 10**12).map(str),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.sampled_from(["CN", "4", "NMB", "4000", "010121", "KGM", "-", "null"]),
)


def read_in_a_table(name, value):
    """Return what a table makes of a value, with the warnings; None if refused."""
    frame = ROW.assign(**{name: pd.Series([value], dtype=object)})
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            items = read_declarations(frame, {})
        except TableError:
            return None
    return items[name].iloc[0], [str(w.message) for w in found]


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(FIELDS), value=PLAIN)
def test_a_value_that_is_decided_is_what_a_table_makes_of_it(name, value):
    canonical = canonical_value(DECLARATIONS[name], value)
    if canonical is UNDECIDED:
        return
    read, warned = read_in_a_table(name, value)
    assert not warned
    if pd.isna(canonical):
        assert pd.isna(read)
    else:
        assert read == canonical


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "2024-02-29T23:59",
        "2024-02-29 23:59:59",
        "2024-02-29T23:59:59.123456789",
        "2024-02-29T23:59:59Z",
    ],
)
def test_a_moment_as_json_writes_it_needs_no_table(text):
    read, _ = read_in_a_table("lodged_at", text)
    assert canonical_value(DECLARATIONS["lodged_at"], text) == read


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2024-02-28T24:00",
        "2024-02-28T23:59:59+02:00",
        "1899-12-31",
        "2201-01-01",
        "0000-01-01",
        "28/02/2024",
        "２０２４-02-28",
        "2024-02-28\n",
    ],
)
def test_a_moment_that_may_be_another_is_left_to_the_table(text):
    assert canonical_value(DECLARATIONS["lodged_at"], text) is UNDECIDED


def test_a_code_as_a_whole_number_is_its_digits():
    assert canonical_value(DECLARATIONS["office"], 32) == "32"
    assert (
        canonical_value(DECLARATIONS["importer_id"], np.int64(22561385)) == "22561385"
    )
    assert canonical_value(DECLARATIONS["item_number"], np.int64(3)) == 3
    assert repr(canonical_value(DECLARATIONS["net_mass_kg"], 120)) == "120.0"
    for name, value in (
        ("office", True),
        ("office", -1),
        ("importer_id", 2**53),
        ("tariff_code", 10121),
        ("origin", 156),
    ):
        assert canonical_value(DECLARATIONS[name], value) is UNDECIDED


def test_a_code_that_is_in_no_closed_list_is_left_to_the_table():
    flow = DECLARATIONS["flow"]
    assert [canonical_value(flow, code) for code in flow.codes] == list(flow.codes)
    for value in (0, "0", "IMPORT", "sideways"):
        assert canonical_value(flow, value) is UNDECIDED
