"""Steps of a column map: how a field is made of an administration's columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Any

from smartrisk.errors import ArgumentError, check_choice
from smartrisk.schema._column_map_checks import (
    check_flag,
    check_text,
    read_day,
    read_mapping,
    read_number,
    read_parts,
    read_texts,
    read_widths,
)
from smartrisk.settings import TomlSettings

#: How an exchange rate is stated: units of the national currency for one of the foreign
#: currency (3.75 soles for a dollar), or the reverse.
DIRECTIONS = ("national_per_foreign", "foreign_per_national")

#: Kilograms of the units of mass that administrations write, by UN/ECE Recommendation
#: 20 (KGM, GRM, LBR, ONZ, TNE) and by the short forms of their exports. A ton without
#: more is not among them: it is 907, 1,000 or 1,016 kg.
MASS_UNITS: Mapping[str, float] = MappingProxyType(
    {
        "KGM": 1.0,
        "KG": 1.0,
        "KGS": 1.0,
        "KILO": 1.0,
        "K": 1.0,
        "GRM": 0.001,
        "GR": 0.001,
        "G": 0.001,
        "LBR": 0.45359237,
        "LB": 0.45359237,
        "LBS": 0.45359237,
        "ONZ": 0.028349523125,
        "OZ": 0.028349523125,
        "TNE": 1000.0,
        "T": 1000.0,
        "MT": 1000.0,
    }
)


class Step(TomlSettings):
    """A part of a column map; TOML holds what is not at its default.

    Examples
    --------
    >>> from smartrisk.schema import Join
    >>> Join(["office", "number"]).settings()
    {'columns': ['office', 'number']}
    """

    def settings(self) -> dict[str, Any]:
        """Return what is not at its default, as plain values for TOML.

        Returns
        -------
        settings : dict
            Names and plain values.
        """
        plain = super().settings()
        return {
            f.name: plain[f.name]
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
            if f.name in plain and not _is_default(f, getattr(self, f.name))
        }


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    """Return whether a value is the default of its field."""
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return bool(value == field.default)


def _set(step: Any, **values: Any) -> None:
    """Set fields of a frozen step while it is made."""
    for name, value in values.items():
        object.__setattr__(step, name, value)


@dataclass(frozen=True)
class Join(Step):
    """Several columns joined to one text, such as office, year and number to a key.

    Parameters
    ----------
    columns : sequence of str
        The administration's columns, in their order.
    separator : str, default="-"
        Text between the parts.
    widths : sequence of int, default=()
        Digits of each part, filled with zeros on the left; 0 leaves a part as it is.
        Empty leaves all.

    Raises
    ------
    ArgumentError
        If there are fewer than two columns, another number of widths, or neither a
        separator nor widths that separate the parts.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, Join
    >>> key = Join(["office", "year", "number"], widths=[3, 4, 6])
    >>> ColumnMap(join={"declaration_id": key}).sources("declaration_id")
    ('office', 'year', 'number')
    """

    columns: Sequence[str]
    _: KW_ONLY
    separator: str = "-"
    widths: Sequence[int] = ()

    def __post_init__(self) -> None:
        columns = read_texts("Join", "columns", self.columns)
        check_text("Join", "separator", self.separator, empty=True)
        widths = read_widths("Join", self.widths)
        if len(columns) < 2 or len(set(columns)) < len(columns):
            raise ArgumentError(
                "schema.join_of_few_columns",
                "Join: two different columns or more are needed; got {columns!r}. Map "
                "a single column in 'mapping'.",
                columns=list(columns),
            )
        if widths and len(widths) != len(columns):
            raise ArgumentError(
                "schema.join_widths",
                "Join: {n_widths} widths for {n_columns} columns. Give each column "
                "one; 0 leaves it as it is.",
                n_widths=len(widths),
                n_columns=len(columns),
            )
        open_parts = len(columns) - sum(width > 0 for width in widths)
        if not self.separator and open_parts > 1:
            raise ArgumentError(
                "schema.join_without_bounds",
                "Join: without a separator, two documents can get one key ('1' and "
                "'23', '12' and '3'). Give a separator, or a width for each column.",
            )
        _set(self, columns=columns, widths=widths)


@dataclass(frozen=True)
class Split(Step):
    r"""One column that holds several fields, such as ``001044 | 1`` or ``6\20``.

    Parameters
    ----------
    column : str
        The administration's column.
    fields : sequence of str
        Fields that its parts are, in their order.
    separator : str
        Text between the parts; blanks around it are dropped.

    Raises
    ------
    ArgumentError
        If there are fewer than two fields, or the separator is empty.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, Split
    >>> both = Split("doc", ["declaration_id", "item_number"], separator="|")
    >>> ColumnMap(split=[both]).sources("item_number")
    ('doc',)
    """

    column: str
    fields: Sequence[str]
    separator: str

    def __post_init__(self) -> None:
        check_text("Split", "column", self.column)
        fields = read_texts("Split", "fields", self.fields)
        check_text("Split", "separator", self.separator, blank=True)
        if len(fields) < 2 or len(set(fields)) < len(fields):
            raise ArgumentError(
                "schema.split_into_few_fields",
                "Split: two different fields or more are needed; got {fields!r}.",
                fields=list(fields),
            )
        _set(self, fields=fields)


@dataclass(frozen=True, kw_only=True)
class DateParts(Step):
    """A date whose year, month and day are in three columns.

    Parameters
    ----------
    year, month, day : str
        The administration's columns. A month without days is no date of a declaration.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, DateParts
    >>> parts = DateParts(year="ANO", month="MES", day="DIA")
    >>> ColumnMap(dates={"lodged_at": parts}).sources("lodged_at")
    ('ANO', 'MES', 'DIA')
    """

    year: str
    month: str
    day: str

    def __post_init__(self) -> None:
        for name in ("year", "month", "day"):
            check_text("DateParts", name, getattr(self, name))


@dataclass(frozen=True)
class Amount(Step):
    """One part of a sum, such as the freight in a value, or one tax of several.

    Parameters
    ----------
    column : str
        The administration's column.
    sign : str, default=None
        Column that holds the sign; blank and ``+`` add the part.
    negative : sequence of str, default=("-",)
        Values of the sign column that subtract the part.
    missing_is_zero : bool, default=False
        Whether a missing part counts as 0, and is counted; else the sum is missing.
    currency : str, default=None
        Currency of the part, three letters; None for that of the field's conversion.
    currency_column : str, default=None
        Column with the currency of each row.
    rate_column : str, default=None
        Column with the exchange rate of each row.

    Raises
    ------
    ArgumentError
        If both a currency and a column of currencies are given.

    Examples
    --------
    >>> from smartrisk.schema import Amount, ColumnMap
    >>> columns = ColumnMap(
    ...     sums={"customs_value": ["FOB", Amount("FREIGHT", missing_is_zero=True)]}
    ... )
    >>> columns.sources("customs_value")
    ('FOB', 'FREIGHT')
    """

    column: str
    _: KW_ONLY
    sign: str | None = None
    negative: Sequence[str] = ("-",)
    missing_is_zero: bool = False
    currency: str | None = None
    currency_column: str | None = None
    rate_column: str | None = None

    def __post_init__(self) -> None:
        check_text("Amount", "column", self.column)
        for name in ("sign", "currency", "currency_column", "rate_column"):
            check_text("Amount", name, getattr(self, name), optional=True)
        check_flag("Amount", "missing_is_zero", self.missing_is_zero)
        _check_one_currency("Amount", self.currency, self.currency_column)
        _set(self, negative=read_texts("Amount", "negative", self.negative))

    @property
    def columns(self) -> tuple[str, ...]:
        """The administration's columns that the part needs."""
        names = (self.column, self.sign, self.currency_column, self.rate_column)
        return tuple(name for name in names if name is not None)


@dataclass(frozen=True, kw_only=True)
class Conversion(Step):
    """How amounts of a field become amounts in the currency of the map.

    Parameters
    ----------
    currency : str, default=None
        Currency of every row, three letters.
    currency_column : str, default=None
        Column with the currency of each row.
    rate_column : str, default=None
        Column with the exchange rate of each row; None to look the rate up in the
        `rates` of the map.
    direction : str, default="national_per_foreign"
        What a rate of the column states: 3.75 soles for a dollar; or
        "foreign_per_national", 0.27 dollars for a sol.

    Raises
    ------
    ArgumentError
        If both a currency and a column of currencies are given, or nothing at all.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, Conversion
    >>> columns = ColumnMap(
    ...     {"customs_value": "CIF"},
    ...     convert={"customs_value": Conversion(rate_column="TC")},
    ...     currency="PEN",
    ... )
    >>> columns.sources("customs_value")
    ('CIF', 'TC')
    """

    currency: str | None = None
    currency_column: str | None = None
    rate_column: str | None = None
    direction: str = "national_per_foreign"

    def __post_init__(self) -> None:
        names = ("currency", "currency_column", "rate_column")
        for name in names:
            check_text("Conversion", name, getattr(self, name), optional=True)
        check_choice("Conversion", "direction", self.direction, DIRECTIONS)
        _check_one_currency("Conversion", self.currency, self.currency_column)
        if all(getattr(self, name) is None for name in names):
            raise ArgumentError(
                "schema.conversion_of_nothing",
                "Conversion: name the currency, the column of currencies, or the "
                "column of rates.",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The administration's columns that the conversion needs."""
        names = (self.currency_column, self.rate_column)
        return tuple(name for name in names if name is not None)


@dataclass(frozen=True)
class Rate(Step):
    """One exchange rate and the day from which it holds.

    Parameters
    ----------
    currency : str
        Currency, three letters.
    valid_from : str or date
        First day, as ``YYYY-MM-DD``.
    rate : float
        The rate, above 0.

    Examples
    --------
    >>> from smartrisk.schema import Rate
    >>> Rate("USD", "2024-01-01", 3.75).rate
    3.75
    """

    currency: str
    valid_from: str
    rate: float

    def __post_init__(self) -> None:
        check_text("Rate", "currency", self.currency)
        rate = read_number("Rate", "rate", self.rate)
        if rate <= 0:
            raise ArgumentError(
                "schema.rate_not_positive",
                "Rate: a rate is above 0; got {rate!r} for {currency!r}.",
                rate=self.rate,
                currency=self.currency,
            )
        _set(self, rate=rate, valid_from=read_day("Rate", self.valid_from))


@dataclass(frozen=True, kw_only=True)
class RateTable(Step):
    """Exchange rates by day: as rows, or in a file.

    The rate of an amount is the last one that was valid on the day of lodgement.

    Parameters
    ----------
    rows : sequence of Rate, default=()
        The rates.
    file : str, default=None
        CSV or Parquet file with columns ``currency``, ``valid_from`` and ``rate``, or
        the names in `names`; relative to the folder of the map.
    names : mapping of str to str, default={}
        Column of the file for ``currency``, ``valid_from`` and ``rate``.
    direction : str, default="national_per_foreign"
        What a rate states: 3.75 soles for a dollar; or "foreign_per_national",
        0.27 dollars for a sol.

    Raises
    ------
    ArgumentError
        If a currency has two rates from one day, or both rows and a file are given.

    Examples
    --------
    >>> from smartrisk.schema import Rate, RateTable
    >>> len(RateTable(rows=[Rate("USD", "2024-01-01", 3.75)]).rows)
    1
    """

    rows: Sequence[Rate] = ()
    file: str | None = None
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    direction: str = "national_per_foreign"

    def __post_init__(self) -> None:
        rows = read_parts("RateTable", "rows", self.rows, Rate)
        check_text("RateTable", "file", self.file, optional=True)
        check_choice("RateTable", "direction", self.direction, DIRECTIONS)
        names = read_mapping("RateTable", "names", self.names)
        for name in names:
            check_choice("RateTable", "names", name, ("currency", "valid_from", "rate"))
        days = [(row.currency, row.valid_from) for row in rows]
        twice = sorted({day for day in days if days.count(day) > 1})
        if twice:
            raise ArgumentError(
                "schema.rate_twice",
                "RateTable: {currency!r} has two rates from {day}. Keep one.",
                currency=twice[0][0],
                day=twice[0][1],
            )
        if rows and self.file is not None:
            raise ArgumentError(
                "schema.rates_twice", "RateTable: give rows or a file, not both."
            )
        _set(self, rows=rows, names=names)


@dataclass(frozen=True)
class Units(Step):
    """A measure whose unit is in a column, row by row.

    Parameters
    ----------
    column : str
        The administration's column of units; blanks around a unit are dropped.
    factors : mapping of str to float, default={}
        Number by which values in a unit are multiplied. Empty takes the usual units of
        mass, in kilograms.

    Raises
    ------
    ArgumentError
        If a factor is not above 0.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, Units
    >>> columns = ColumnMap(
    ...     {"gross_mass_kg": "PESO"}, units={"gross_mass_kg": Units("UNIDAD")}
    ... )
    >>> columns.sources("gross_mass_kg")
    ('PESO', 'UNIDAD')
    """

    column: str
    factors: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_text("Units", "column", self.column)
        factors = read_mapping("Units", "factors", self.factors, values=read_number)
        for unit, factor in factors.items():
            if factor <= 0:
                raise ArgumentError(
                    "schema.unit_factor_not_positive",
                    "Units: the factor of {unit!r} must be above 0; got {factor!r}.",
                    unit=unit,
                    factor=factor,
                )
        _set(self, factors=factors)


@dataclass(frozen=True, kw_only=True)
class Reference(Step):
    """A table of the administration with more about items, as of their day.

    Rows of the table count from the later of `valid_from` and `recorded_at`: what was
    recorded after lodgement is not known to an item. Of the rows that count, the one
    with the latest `valid_from` is taken, then the one recorded last.

    Parameters
    ----------
    name : str
        Name of the table, for messages and for `ColumnMap.frames`.
    key : mapping of str to str
        Field of the items, or ``hs2``, ``hs4``, ``hs6``, to the column of the table.
    take : mapping of str to str
        Field or own field that is made, to the column of the table.
    valid_from : str, default=None
        Column with the moment from which a row holds.
    recorded_at : str, default=None
        Column with the moment at which a row was entered; days without a time count
        from the next day. Without the column nobody can know what was known when; the
        data card states it.
    file : str, default=None
        CSV or Parquet file, relative to the folder of the map; None where a frame is
        passed in `ColumnMap.frames`.

    Raises
    ------
    ArgumentError
        If there is no key, or nothing to take.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap, Reference
    >>> sections = Reference(
    ...     name="sections", key={"hs2": "chapter"}, take={"section": "section"}
    ... )
    >>> columns = ColumnMap(own_fields={"section": "code"}, references=[sections])
    >>> columns.references[0].name
    'sections'
    """

    name: str
    key: Mapping[str, str]
    take: Mapping[str, str]
    valid_from: str | None = None
    recorded_at: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        check_text("Reference", "name", self.name)
        for name in ("valid_from", "recorded_at", "file"):
            check_text("Reference", name, getattr(self, name), optional=True)
        key = read_mapping("Reference", "key", self.key)
        take = read_mapping("Reference", "take", self.take)
        if not key or not take:
            raise ArgumentError(
                "schema.reference_of_nothing",
                "Reference {name!r}: give at least one 'key' ({{field: column of the "
                "table}}) and one field to 'take' ({{field: column of the table}}).",
                name=self.name,
            )
        _set(self, key=key, take=take)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the reference table that are needed."""
        times = (self.valid_from, self.recorded_at)
        names = (*self.key.values(), *self.take.values(), *times)
        return tuple(dict.fromkeys(name for name in names if name is not None))


def _check_one_currency(owner: str, currency: str | None, column: str | None) -> None:
    """Refuse a currency of every row together with a column of currencies."""
    if currency is not None and column is not None:
        raise ArgumentError(
            "schema.two_currencies",
            "{owner}: give 'currency' or 'currency_column', not both.",
            owner=owner,
        )
