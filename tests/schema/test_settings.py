"""Settings come back from TOML as they were written; wrong ones are refused by name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError
from smartrisk.schema import KCS, ColumnMap
from smartrisk.settings import TomlSettings, toml_text

NAMES = st.text(min_size=1, max_size=8)
PLAIN = st.one_of(
    st.text(max_size=8),
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.floats(allow_nan=False),
)
VALUES = st.recursive(
    st.one_of(PLAIN, st.lists(PLAIN, max_size=3)),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_settings_are_read_back_as_they_were_written(settings):
    assert tomllib.loads(toml_text(settings)) == settings


@dataclass(frozen=True, kw_only=True)
class Part:
    share: float
    names: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))


@dataclass(frozen=True, kw_only=True)
class Whole(TomlSettings):
    title: str = ""
    limit: int | None = None
    first: Part = Part(share=0.5)
    others: tuple[Part, ...] = ()
    factors: dict[str, float] = field(default_factory=dict)

    toml_parts: ClassVar = {"first": Part, "others": Part}


def test_nested_parts_become_tables_and_come_back(tmp_path):
    whole = Whole(
        title='say "x"\n\x7f',
        others=(Part(share=0.1, names=("a", "b")), Part(share=1.0)),
        factors={"010121": 2.0},
    )
    text = whole.to_toml(tmp_path / "whole.toml")
    assert "[[others]]" in text
    assert "limit" not in text
    assert Whole.from_toml(text) == whole
    assert Whole.from_toml(tmp_path / "whole.toml") == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel = 'x'\n", "the file has unknown fields 'titel'.*'title'"),
        ("[first]\nnames = []\n", r"\[first\] lacks the fields 'share'"),
        ("[[others]]\nshare = 1\nname = 1\n", r"\[\[others\]\] has unknown fields"),
        ("first = 3\n", "'first' must be a TOML table"),
        ("[[others]]\nshare = 1\nnames = 3\n", "wrong type"),
        ("a =\n", "the text is not TOML"),
    ],
)
def test_wrong_settings_are_refused_by_name(text, message):
    with pytest.raises(ArgumentError, match=message):
        Whole.from_toml(text)


def test_a_line_that_is_no_toml_is_shown_with_what_to_do(tmp_path):
    text = "[values.flow]\nImporté = 'import'\n"
    with pytest.raises(ArgumentError, match=r"line 2.*\"Importé = 'import'\".*quotes"):
        ColumnMap.from_toml(text)
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(ArgumentError, match=r"map.toml' is not UTF-8 text"):
        ColumnMap.from_toml(path)
    path.write_text("decimal = ','\n", encoding="utf-8-sig")
    assert ColumnMap.from_toml(path).decimal == ","


def test_a_column_map_is_read_back_with_every_option():
    columns = ColumnMap(
        {"lodged_at": "n° «date»"},
        day_first=True,
        decimal=",",
        thousands=" ",
        duty_rate_unit="percent",
        tariff_digits=10,
        factors={"net_mass_kg": 1000.0},
    )
    assert ColumnMap.from_toml(columns.to_toml()) == columns
    assert ColumnMap.from_toml(KCS.to_toml()) == KCS
    assert ColumnMap.from_toml("decimal = ','\n") == ColumnMap({}, decimal=",")
