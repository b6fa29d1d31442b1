"""Column maps: how an administration writes its tables, as a recipe without code."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from smartrisk.errors import Message
from smartrisk.results import text_table
from smartrisk.schema._column_map_rules import read_options
from smartrisk.schema._column_map_sources import check_sources
from smartrisk.schema._column_map_steps import (
    Amount,
    Conversion,
    DateParts,
    Join,
    RateTable,
    Reference,
    Split,
    Step,
    Units,
)
from smartrisk.schema._column_map_words import describe
from smartrisk.schema._file_format import FileFormat
from smartrisk.schema._preset_files import read_preset

if TYPE_CHECKING:
    from smartrisk.schema._table import TableInput

#: A field that TOML does not hold.
_NOT_WRITTEN = {"toml": False}
#: Options that are shown with their value.
_PLAIN = (str, bool, int)


def _empty() -> Any:
    """Return the default of a mapping."""
    return dataclasses.field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class ColumnMap(Step):
    """How an administration writes its table: a recipe, applied when a table is read.

    Everything but `mapping` is given by keyword. Steps (`Join`, `Split`, ...) may be
    given as mappings too, as TOML holds them. `smartrisk.validation.validate` applies
    the map; scores of single items take canonical fields.

    Parameters
    ----------
    mapping : mapping of str to str, default={}
        Field of a table, or own field, to the administration's column; fields not named
        keep their canonical name.
    day_first : bool, default=None
        Whether 03/04/2024 is 3 April; None refuses such dates.
    date_format : str or mapping of str to str, default=None
        Format of dates, in the codes of `datetime.strptime`, or "iso", "excel" or
        "excel1904"; or the format of each field. None to recognise them.
    time_zone : str, default=None
        Time zone whose days count, such as "America/Lima": moments with an offset are
        stated in it, those without one are taken to be. None refuses such offsets.
    decimal : str, default="."
        Decimal sign of numbers written as text.
    thousands : str, default=None
        Sign between thousands of numbers written as text.
    grouping : {"western", "indian"}, default="western"
        Digits between two thousands signs: threes, or 12,34,567.
    missing : sequence of str, default=()
        More texts that mean a missing value, such as "S/D".
    keep : sequence of str, default=()
        Texts that are values here although they usually mean a missing one.
    duty_rate_unit : {"fraction", "percent"}, default="fraction"
        Unit of duty rates: "fraction" (0.08) or "percent" (8).
    tariff_digits : int, default=None
        Digits of every tariff code, to restore leading zeros that were lost; None
        restores one for numbers of 5, 7 or 9 digits and for texts of 5.
    widths : mapping of str to int, default={}
        Digits of the values of a field, filled with zeros on the left.
    factors : mapping of str to float, default={}
        Numbers by which the values of a field are multiplied, such as 1000 for tonnes.
    units : mapping of str to Units or str, default={}
        Measures whose unit is in a column, row by row.
    values : mapping of str to mapping, default={}
        Values of a field: the administration's to those of the schema. Case and blanks
        around a value do not count. ``"*"`` says what every other value becomes; such
        values are reported, and an empty text is a missing value.
    own_fields : mapping of str to str, default={}
        Fields of the administration that the schema does not have, and their kind:
        "code", "number" or "text".
    join : mapping of str to Join or sequence of str, default={}
        Fields that are several columns joined.
    split : sequence of Split, default=()
        Columns that hold several fields.
    dates : mapping of str to DateParts, default={}
        Dates whose year, month and day are in three columns.
    sums : mapping of str to sequence of Amount or str, default={}
        Fields that are the sum of columns.
    shared : mapping of str to str, default={}
        Fields whose column holds the total of the document in each of its items, and
        the field by which it is shared out.
    convert : mapping of str to Conversion, default={}
        Fields whose amounts are in other currencies.
    rates : RateTable, default=None
        Exchange rates by day.
    currency : str, default=None
        Currency of all amounts after the map was applied, three letters.
    references : sequence of Reference, default=()
        Tables of the administration with more about items.
    optional : sequence of str, default=()
        Fields that are left out where a file does not have their columns.
    file : FileFormat, default=None
        How the file is written: encoding, separator, sheet, names of columns.
    frames : mapping of str to DataFrame, default={}
        Reference tables by name, and the exchange rates under "rates", in place of
        files. They are neither written to TOML nor compared.
    folder : str, default=None
        Folder of the files that the map names; `from_toml` sets that of its file.

    Raises
    ------
    ArgumentError
        If a field or option is unknown, a value has the wrong type, a field has two
        sources, or a column two fields.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap
    >>> columns = ColumnMap(
    ...     {"lodged_at": "date_enregistrement"},
    ...     day_first=True,
    ...     join={"declaration_id": {"columns": ["bureau", "annee", "numero"]}},
    ... )
    >>> columns.mapping["lodged_at"]
    'date_enregistrement'
    >>> for step in columns.steps():
    ...     print(step)
    'lodged_at' is the column 'date_enregistrement'.
    'declaration_id' is 'bureau', 'annee', 'numero' joined by '-'.
    Dates are read with the day first.
    """

    mapping: Mapping[str, str] = _empty()
    _: KW_ONLY
    day_first: bool | None = None
    date_format: str | Mapping[str, str] | None = None
    time_zone: str | None = None
    decimal: str = "."
    thousands: str | None = None
    grouping: str = "western"
    missing: Sequence[str] = ()
    keep: Sequence[str] = ()
    duty_rate_unit: str = "fraction"
    tariff_digits: int | None = None
    currency: str | None = None
    widths: Mapping[str, int] = _empty()
    factors: Mapping[str, float] = _empty()
    units: Mapping[str, Units] = _empty()
    values: Mapping[str, Mapping[str, str | int | float | bool]] = _empty()
    own_fields: Mapping[str, str] = _empty()
    join: Mapping[str, Join] = _empty()
    split: Sequence[Split] = ()
    dates: Mapping[str, DateParts] = _empty()
    sums: Mapping[str, Sequence[Amount]] = _empty()
    shared: Mapping[str, str] = _empty()
    convert: Mapping[str, Conversion] = _empty()
    rates: RateTable | None = None
    references: Sequence[Reference] = ()
    optional: Sequence[str] = ()
    file: FileFormat | None = None
    frames: Mapping[str, TableInput] = dataclasses.field(
        default_factory=dict, compare=False, metadata=_NOT_WRITTEN
    )
    folder: str | None = dataclasses.field(
        default=None, compare=False, metadata=_NOT_WRITTEN
    )

    def __post_init__(self) -> None:
        for name, value in read_options(self).items():
            object.__setattr__(self, name, value)
        check_sources(self)

    def __repr__(self) -> str:
        """Return the number of mapped fields, plain options, and names of others."""
        given = {k: v for k, v in self._options().items() if k != "mapping"}
        plain = [f"{k}={v!r}" for k, v in given.items() if isinstance(v, _PLAIN)]
        others = [k for k, v in given.items() if not isinstance(v, _PLAIN)]
        parts = [f"{len(self.mapping)} fields", *plain, *others]
        return f"ColumnMap({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the mapped fields as an HTML table for a notebook."""
        names = dict.fromkeys((*self.mapping, *self.factors, *self.made))
        rows = [
            (name, ", ".join(self.sources(name)) or name, self.factors.get(name))
            for name in names
        ]
        return text_table(["field", "column", "factor"], rows, repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: read-only mappings cannot be pickled."""
        extra = {"frames": dict(self.frames), "folder": self.folder}
        return _restore, (type(self), self.settings(), extra)

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Self:
        """Read the map from a TOML file, or from TOML text.

        Parameters
        ----------
        source : path or str
            A file; a text with a line break is read as TOML itself.

        Returns
        -------
        columns : ColumnMap
            Options that are not given keep their default. Files of reference tables
            are looked up in the folder of the TOML file.

        Raises
        ------
        ArgumentError
            If it is not TOML, or an option is unknown or refused.
        """
        columns = super().from_toml(source)
        if "\n" not in str(source):
            object.__setattr__(columns, "folder", str(Path(source).parent))
        return columns

    @classmethod
    def preset(cls, name: str, **changes: Any) -> ColumnMap:
        """Return a map that comes with the library, for a published layout.

        Parameters
        ----------
        name : str
            One of `smartrisk.schema.PRESETS`.
        **changes : object
            Options that differ, such as ``frames={"rates": rates}``.

        Returns
        -------
        columns : ColumnMap
            The map; `steps` says what it does.

        Raises
        ------
        ArgumentError
            If there is no map of that name.

        Examples
        --------
        >>> from smartrisk.schema import ColumnMap
        >>> ColumnMap.preset("peru_sunat").sources("customs_value")
        ('FOB_DOLPOL', 'FLE_DOLAR', 'SEG_DOLAR')
        """
        return dataclasses.replace(cls.from_toml(read_preset(name)), **changes)

    @property
    def made(self) -> tuple[str, ...]:
        """Fields that are made of columns by a step, rather than mapped to one."""
        parts = [name for split in self.split for name in split.fields]
        return tuple(dict.fromkeys((*self.join, *parts, *self.dates, *self.sums)))

    def sources(self, field: str) -> tuple[str, ...]:
        """Return the administration's columns that a field is made of.

        Parameters
        ----------
        field : str
            Field of a table, or own field.

        Returns
        -------
        columns : tuple of str
            In the order of the map, without repetition; empty where the map does not
            name the field.

        Examples
        --------
        >>> from smartrisk.schema import ColumnMap
        >>> ColumnMap(sums={"duties_taxes": ["ADV", "IGV"]}).sources("duties_taxes")
        ('ADV', 'IGV')
        """
        names: list[str] = []
        if field in self.mapping:
            names.append(self.mapping[field])
        if field in self.join:
            names.extend(self.join[field].columns)
        names.extend(split.column for split in self.split if field in split.fields)
        if field in self.dates:
            parts = self.dates[field]
            names.extend((parts.year, parts.month, parts.day))
        for amount in self.sums.get(field, ()):
            names.extend(amount.columns)
        if field in self.convert:
            names.extend(self.convert[field].columns)
        if field in self.units:
            names.append(self.units[field].column)
        return tuple(dict.fromkeys(names))

    def steps(self) -> tuple[Message, ...]:
        """Return what the map does, one step after the other.

        Returns
        -------
        steps : tuple of smartrisk.errors.Message
            Sentences that can be translated; a data card lists them.

        Examples
        --------
        >>> from smartrisk.schema import ColumnMap
        >>> print(ColumnMap(sums={"duties_taxes": ["ADV", "IGV"]}).steps()[0])
        'duties_taxes' is the sum of 'ADV', 'IGV'.
        """
        return tuple(describe(self))

    def _options(self) -> dict[str, object]:
        """Return the options that are not at their default."""
        names = [f.name for f in dataclasses.fields(self) if f.name in self.settings()]
        return {name: getattr(self, name) for name in names}


def _restore(
    kind: type[ColumnMap], settings: dict[str, Any], extra: dict[str, Any]
) -> ColumnMap:
    """Return the map that `ColumnMap.__reduce__` took apart."""
    return kind(**settings, **extra)
