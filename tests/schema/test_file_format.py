"""A file format comes back from TOML; what cannot be is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError
from smartrisk.schema import ColumnMap, FileFormat

OPTIONS = {
    "encoding": st.sampled_from(["utf-8", "cp1252", "UTF-16"]),
    "separator": st.sampled_from([";", "\t", "|", "§"]),
    "quote": st.sampled_from(["", '"', "'"]),
    "header_row": st.integers(3, 9),
    "names": st.lists(st.text('abé ;"', min_size=1).map("n{}".format), unique=True),
    "sheet": st.text(max_size=5),
    "skip_rows": st.integers(0, 2),
    "footer_rows": st.integers(0, 9),
    "compression": st.sampled_from(["none", "gzip", "zip"]),
    "member": st.text(max_size=5),
    "query": st.text(max_size=9),
}


@given(st.fixed_dictionaries({}, optional=OPTIONS))
def test_a_format_comes_back_from_toml(options):
    file = FileFormat(**options)
    columns = ColumnMap({"office": "bureau"}, file=file)
    back = ColumnMap.from_toml(columns.to_toml())
    assert back.file == file
    assert back == columns


def test_what_is_not_given_is_not_written():
    assert FileFormat(separator=";").to_toml() == 'separator = ";"\n'
    assert repr(FileFormat()) == "FileFormat()"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"separator": ";;"}, "'separator' must be one character"),
        ({"separator": "\n"}, "no line break"),
        ({"quote": "<>"}, "'quote' must be one character"),
        ({"encoding": "base64"}, "no encoding that Python knows"),
        ({"encoding": 8}, "'encoding' must be a text"),
        ({"header_row": -1}, "'header_row' must be a whole number"),
        ({"header_row": True}, "'header_row' must be a whole number"),
        ({"header_row": 2, "skip_rows": 2}, "one of the 2 lines"),
        ({"names": "id"}, "'names' must be a list of texts"),
        ({"names": ["id", "id"]}, "repeated or empty: 'id'"),
        ({"names": ["id", " "]}, "repeated or empty: ' '"),
        ({"widths": [3, 0]}, "at least 1"),
        ({"widths": [3], "names": ["a", "b"]}, "2 names and 1 widths"),
        ({"widths": [3], "separator": ";"}, "exclude each other"),
        ({"table": "a", "query": "b"}, "exclude each other"),
        ({"compression": "zipp"}, "Did you mean 'zip'"),
    ],
)
def test_what_cannot_be_is_make_refusal(options, match):
    with pytest.raises(ArgumentError, match=match):
        FileFormat(**options)
