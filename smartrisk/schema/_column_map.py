"""Column maps: how an administration writes its tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from smartrisk.errors import ArgumentError, check_choice, suggest_nearest
from smartrisk.results import text_table
from smartrisk.schema._file_format import FileFormat
from smartrisk.schema._tables import DECLARATIONS, OUTCOMES
from smartrisk.settings import TomlSettings


@dataclass(frozen=True, repr=False)
class ColumnMap(TomlSettings):
    """How an administration writes its table.

    Parameters
    ----------
    mapping : mapping of str to str, default={}
        Field of a table to the administration's column; fields not named keep their
        canonical name.
    day_first : bool, default=None
        Whether 03/04/2024 is 3 April; None refuses such dates.
    date_format : str, default=None
        Format of dates, in the codes of `datetime.strptime`; None to recognise them.
    decimal : str, default="."
        Decimal sign of numbers written as text.
    thousands : str, default=None
        Sign between thousands of numbers written as text.
    duty_rate_unit : str, default="fraction"
        "fraction" (0.08) or "percent" (8).
    tariff_digits : int, default=None
        Digits of every tariff code, to restore leading zeros that were lost; None
        restores one for numbers of 5, 7 or 9 digits and for texts of 5.
    factors : mapping of str to float, default={}
        Numbers by which the values of a field are multiplied, such as 1000 for tonnes.
    file : FileFormat, default=None
        How the files are written, for `smartrisk.intake.read_table`; None to find it.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap
    >>> columns = ColumnMap({"lodged_at": "date_enregistrement"}, day_first=True)
    >>> columns.mapping["lodged_at"]
    'date_enregistrement'
    """

    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    _: KW_ONLY
    day_first: bool | None = None
    date_format: str | None = None
    decimal: str = "."
    thousands: str | None = None
    duty_rate_unit: str = "fraction"
    tariff_digits: int | None = None
    factors: Mapping[str, float] = dataclasses.field(default_factory=dict)
    file: FileFormat | None = None

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"file": FileFormat}

    def __post_init__(self) -> None:
        known = {f.name for table in (DECLARATIONS, OUTCOMES) for f in table}
        for name in (*self.mapping, *self.factors):
            if name not in known:
                raise ArgumentError(
                    "schema.unknown_mapped_field",
                    "ColumnMap: {field!r} is not a field of a table.{hint} Write "
                    "{{field: column}}.",
                    field=name,
                    hint=suggest_nearest(name, known),
                )
        check_choice(
            "ColumnMap", "duty_rate_unit", self.duty_rate_unit, ("fraction", "percent")
        )
        object.__setattr__(self, "mapping", MappingProxyType(dict(self.mapping)))
        object.__setattr__(self, "factors", MappingProxyType(dict(self.factors)))

    def __repr__(self) -> str:
        """Return the number of mapped fields and the options that differ."""
        options = [f"{name}={value!r}" for name, value in self._options().items()]
        return f"ColumnMap({', '.join([f'{len(self.mapping)} fields', *options])})"

    def _repr_html_(self) -> str:
        """Return the mapped fields as an HTML table for a notebook."""
        names = dict.fromkeys((*self.mapping, *self.factors))
        rows = [
            (name, self.mapping.get(name, name), self.factors.get(name))
            for name in names
        ]
        return text_table(["field", "column", "factor"], rows, repr(self))

    def _options(self) -> dict[str, object]:
        """Return the options that are not at their default."""
        return {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.default is not dataclasses.MISSING
            and getattr(self, f.name) != f.default
        }
