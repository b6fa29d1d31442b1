"""A column map is checked when it is made, written to TOML, read back, described."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError
from smartrisk.schema import (
    PRESETS,
    Amount,
    ColumnMap,
    Conversion,
    Join,
    Rate,
    RateTable,
    Reference,
)

WHOLE = {
    "mapping": {"lodged_at": "n° «date»", "customs_value": "CIF", "note": 'a "b"\n'},
    "day_first": True,
    "date_format": {"inspected_at": "%Y%m%d"},
    "time_zone": "America/Lima",
    "decimal": ",",
    "thousands": " ",
    "grouping": "indian",
    "missing": ["S/D", "\\N"],
    "keep": ["NONE"],
    "duty_rate_unit": "percent",
    "tariff_digits": 10,
    "currency": "PEN",
    "widths": {"office": 3},
    "factors": {"net_mass_kg": 1000.0},
    "units": {"quantity": {"column": "U", "factors": {"DZ": 12}}},
    "values": {"illicit": {"Oui": 1, "Non": False}, "channel": {"R": "red"}},
    "own_fields": {"note": "text", "section": "code", "price": "number"},
    "join": {"declaration_id": {"columns": ["a", "b"], "widths": [3, 0]}},
    "split": [{"column": "c", "fields": ["office", "item_number"], "separator": "|"}],
    "dates": {"known_at": {"year": "y", "month": "m", "day": "d"}},
    "sums": {"duties_taxes": [{"column": "VAL1", "sign": "SIG1"}, "ADV"]},
    "shared": {"gross_mass_kg": "customs_value"},
    "convert": {"customs_value": {"currency_column": "CUR"}},
    "rates": {"rows": [{"currency": "USD", "valid_from": "2024-01-01", "rate": 3.7}]},
    "references": [
        {
            "name": "sections",
            "key": {"hs2": "chapter"},
            "take": {"section": "s"},
            "valid_from": "v",
        },
        {
            "name": "prices",
            "key": {"tariff_code": "code", "section": "s"},
            "take": {"price": "p"},
            "valid_from": "v",
            "recorded_at": "r",
            "file": "prices.csv",
        },
    ],
    "optional": ["known_at"],
    "file": {"encoding": "cp1252", "header_row": 6},
}


def test_a_map_with_everything_is_read_back_and_each_option_is_a_step(tmp_path):
    columns = ColumnMap(**WHOLE)
    path = tmp_path / "map.toml"
    assert ColumnMap.from_toml(columns.to_toml(path)) == columns
    assert ColumnMap.from_toml(path).folder == str(tmp_path)
    assert ColumnMap.from_toml(path) == columns
    assert pickle.loads(pickle.dumps(columns)) == columns
    every = {f.name for f in dataclasses.fields(ColumnMap)}
    assert every - set(WHOLE) == {"frames", "folder"}
    stated = "\n".join(map(str, columns.steps()))
    for option in sorted(set(WHOLE) - {"file", "rates", "references", "currency"}):
        without = (
            ColumnMap(**{k: v for k, v in WHOLE.items() if k != option})
            if (option not in ("mapping", "own_fields", "convert"))
            else ColumnMap()
        )
        assert "\n".join(map(str, without.steps())) != stated, option
    assert "does not say when its rows were recorded" in stated
    assert stated.count("does not say when") == 1
    assert "Totals are in PEN." in stated
    assert len({step.message_id for step in columns.steps()}) > 20


def test_columns_alone_are_enough_for_a_key_a_sum_and_a_unit():
    columns = ColumnMap(
        {"net_mass_kg": "KG"},
        join={"declaration_id": ["a", "b"]},
        sums={"duties_taxes": "ADV"},
        units={"net_mass_kg": "U"},
    )
    assert columns.join["declaration_id"] == Join(["a", "b"])
    assert columns.sources("duties_taxes") == ("ADV",)
    assert columns.sources("net_mass_kg") == ("KG", "U")
    assert ColumnMap.from_toml(columns.to_toml()) == columns


def test_references_come_after_those_that_make_their_keys():
    prices, sections = WHOLE["references"][1], WHOLE["references"][0]
    columns = ColumnMap(**{**WHOLE, "references": [prices, sections]})
    assert [r.name for r in columns.references] == ["sections", "prices"]


_NAMES = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda text: text.strip())
_FIELDS = st.sampled_from(["office", "origin", "importer_id", "procedure"])
_SUMS = st.lists(
    st.builds(Amount, _NAMES, sign=st.none() | _NAMES, missing_is_zero=st.booleans()),
    min_size=1,
    max_size=3,
    unique_by=lambda amount: amount.column,
)
_MAPS = st.builds(
    ColumnMap,
    mapping=st.dictionaries(_FIELDS, _NAMES, max_size=3).filter(
        lambda m: len(set(m.values())) == len(m) and "estin" not in m.get("origin", "")
    ),
    missing=st.lists(_NAMES, max_size=2),
    widths=st.dictionaries(_FIELDS, st.integers(0, 12), max_size=2),
    factors=st.dictionaries(
        st.just("net_mass_kg"), st.floats(allow_nan=False, allow_infinity=False)
    ),
    values=st.dictionaries(
        _FIELDS,
        st.dictionaries(
            st.text("abcé\"'\\=# \t", min_size=1, max_size=4).filter(str.strip),
            _NAMES | st.integers(-9, 9) | st.booleans(),
            max_size=1,
        ),
        max_size=2,
    ),
    sums=st.dictionaries(st.just("duties_taxes"), _SUMS),
    join=st.dictionaries(
        st.just("declaration_id"),
        st.builds(
            Join,
            st.lists(_NAMES, min_size=2, max_size=4, unique=True),
            separator=_NAMES,
        ),
    ),
    references=st.lists(
        st.builds(
            Reference,
            name=_NAMES,
            key=st.fixed_dictionaries({"importer_id": _NAMES}),
            take=st.fixed_dictionaries({"trusted_trader": _NAMES}),
            recorded_at=st.none() | _NAMES,
        ),
        max_size=1,
    ),
)


@settings(max_examples=40)
@given(_MAPS)
def test_toml_gives_back_every_map(columns):
    assert ColumnMap.from_toml(columns.to_toml()) == columns


def test_rates_take_dates_of_toml_and_keep_the_map_readable():
    text = (
        "currency = 'PEN' # soles\n[convert.customs_value]\ncurrency = 'USD'\n"
        "[[rates.rows]]\ncurrency = 'USD'\nvalid_from = 2024-03-01\nrate = 4\n"
    )
    columns = ColumnMap.from_toml(text)
    assert columns.rates == RateTable(rows=[Rate("USD", "2024-03-01", 4.0)])
    assert "[rates]" not in columns.to_toml()
    assert ColumnMap.from_toml(columns.to_toml()) == columns


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mapping": {"duties_taxes": ["adv", "igv"]}}, "write sums={'duties_taxes'"),
        ({"mapping": {"declaration_id": ["a", "b"]}}, "write join={'declaration_id'"),
        ({"mapping": {"date": "lodged_at"}}, "is reversed: 'lodged_at' is the field"),
        ({"mapping": {"day_first": True}}, "'day_first' is an option"),
        ({"mapping": {"offise": "B"}}, "Did you mean 'office'"),
        ({"mapping": {"office": 3}}, "'mapping.office' must be a text; got 3"),
        ({"mapping": "office"}, "'mapping' must be a mapping"),
        ({"mapping": {"office": "A", "origin": "A"}}, "'A' is mapped to 'office', 'or"),
        ({"mapping": {"origin": "PAIS_DESTINO"}}, "A destination is no origin"),
        ({"widths": {"officee": 3}}, "'widths' names 'officee'.*'office'"),
        ({"widths": {"office": -1}}, "number of digits"),
        ({"decimal": ",", "thousands": ","}, "are both ','"),
        ({"decimal": "comma"}, "'decimal' must be one character"),
        ({"date_format": "dd/mm/yyyy"}, "'%d/%m/%Y'"),
        ({"date_format": "%m/%Y"}, "must give day, month and year"),
        ({"date_format": {"office": "%d/%m/%Y"}}, "'office', which is no date"),
        ({"time_zone": "America/Limaa"}, "Did you mean 'America/Lima'"),
        ({"missing": ["x"], "keep": ["x"]}, "both in 'missing' and in 'keep'"),
        ({"own_fields": {"office": "code"}}, "has the name of a field of the schema"),
        ({"own_fields": {"Note": "code"}}, "small letters"),
        ({"own_fields": {"note": "date"}}, "one of 'code', 'number', 'text'"),
        ({"sums": {"office": ["a"]}}, "'sums' names 'office', of kind 'code'"),
        ({"sums": {"duties_taxes": ["a", "a"]}}, "each once; got 'a', 'a'"),
        ({"sums": {"duties_taxes": [{"columns": "a"}]}}, "Did you mean 'column'"),
        ({"sums": {"duties_taxes": {"a": 1}}}, "unknown fields 'a'"),
        ({"join": {"declaration_id": {"columns": ["a"]}}}, "two different columns"),
        (
            {"join": {"declaration_id": {"columns": ["a", "b"], "separator": ""}}},
            "two documents can get one key",
        ),
        (
            {"join": {"declaration_id": {"columns": ["a", "b"], "widths": [1]}}},
            "1 widths for 2 columns",
        ),
        (
            {"mapping": {"office": "a"}, "values": {"office": {"A": "1", " a ": "2"}}},
            "'a' twice",
        ),
        (
            {
                "mapping": {"declaration_id": "x"},
                "join": {"declaration_id": {"columns": ["a", "b"]}},
            },
            "several sources: 'mapping', 'join'",
        ),
        (
            {"dates": {"lodged_at": {"year": "y", "month": "m"}}},
            "lacks the fields 'day'",
        ),
        (
            {"currency": "PEN", "convert": {"customs_value": {"currency": "USD"}}},
            "no r",
        ),
        (
            {"convert": {"customs_value": {"rate_column": "TC"}}},
            "needs 'currency', the currency",
        ),
        ({"sums": {"customs_value": [{"column": "F", "currency": "USD"}]}}, "convert"),
        (
            {"units": {"quantity": {"column": "U", "factors": {"DZ": 0}}}},
            "'DZ' must be above 0",
        ),
        ({"units": {"quantity": {"column": "U"}}}, "Give its factors"),
        ({"values": {"office": {("a", "b"): "1"}}}, "with texts as names"),
        ({"values": {"office": {"a": ["1"]}}}, "must be a text, a number"),
        ({"shared": {"gross_mass_kg": "office"}}, "must be a number of each item"),
        ({"optional": ["lodged_at"]}, "cannot be optional"),
        ({"frames": {"traders": []}}, "'traders', which is no reference"),
        (
            {"references": [{"name": "t", "key": {"office": "o"}, "take": {"x": "y"}}]},
            "'references' names 'x'",
        ),
        (
            {
                "own_fields": {"x": "code", "y": "code"},
                "references": [
                    {"name": "a", "key": {"y": "k"}, "take": {"x": "t"}},
                    {"name": "b", "key": {"x": "k"}, "take": {"y": "t"}},
                ],
            },
            "'a', 'b' need each other's fields",
        ),
    ],
)
def test_a_wrong_map_is_refused_when_it_is_made(options, message):
    with pytest.raises(ArgumentError, match=message):
        ColumnMap(**options)


def test_steps_of_money_are_refused_when_they_are_made():
    with pytest.raises(ArgumentError, match="not both"):
        Conversion(currency="USD", currency_column="CUR")
    with pytest.raises(ArgumentError, match="name the currency"):
        Conversion()
    with pytest.raises(ArgumentError, match="above 0"):
        Rate("USD", "2024-01-01", 0)
    with pytest.raises(ArgumentError, match="a day as YYYY-MM-DD"):
        Rate("USD", "01/02/2024", 1)
    with pytest.raises(ArgumentError, match="two rates from 2024-01-01"):
        RateTable(rows=[Rate("USD", "2024-01-01", 1), Rate("USD", "2024-01-01", 2)])
    with pytest.raises(ArgumentError, match="at least one 'key'"):
        Reference(name="a", key={}, take={"office": "o"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("day_fist = true\n", "unknown fields 'day_fist'.*'day_first'"),
        ("frames = {}\n", "unknown fields 'frames'"),
        ("[join.declaration_id]\ncolumn = ['a']\n", "Did you mean 'columns'"),
        ("[mapping]\noffice = 'B'\nday_first = true\n", "above the line .mapping."),
    ],
)
def test_an_unknown_key_of_toml_is_named_with_the_nearest(text, message):
    with pytest.raises(ArgumentError, match=message):
        ColumnMap.from_toml(text)


@pytest.mark.parametrize("name", PRESETS)
def test_a_map_of_the_library_is_read_back_and_states_its_steps(name):
    columns = ColumnMap.preset(name)
    assert ColumnMap.from_toml(columns.to_toml()) == columns
    assert len(columns.steps()) >= len(columns.mapping)
    assert len(repr(columns)) < 300


def test_a_preset_takes_changes_and_an_unknown_one_is_named():
    assert ColumnMap.preset("peru_sunat", currency="PEN").currency == "PEN"
    with pytest.raises(ArgumentError, match="Did you mean 'chile_din'"):
        ColumnMap.preset("chile")
