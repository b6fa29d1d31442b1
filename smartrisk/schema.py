"""The four tables of the house, declared once; reading this file is the tour.

One row is one goods item; its key is (`declaration_id`, `item_number`). A field says
its kind, unit, role, when its value is known, and whether it may be absent. Rooms do
not know each other: they know these tables.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from smartrisk.errors import ArgumentError, check_choice, suggest_nearest
from smartrisk.settings import read_toml, toml_line, write_toml

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ASYCUDA",
    "CHANNELS",
    "DATE",
    "DECISIONS",
    "DECLARATIONS",
    "KCS",
    "KEY",
    "OFFENCES",
    "OUTCOMES",
    "SCORES",
    "SELECTED_BY",
    "TRADERS",
    "ArrowTable",
    "ColumnMap",
    "Field",
    "Table",
    "TableInput",
]


class ArrowTable(Protocol):
    """A table of another library that exports Arrow: Polars, PyArrow, DuckDB.

    Examples
    --------
    >>> import pyarrow
    >>> hasattr(pyarrow.table({"illicit": [1]}), "__arrow_c_stream__")
    True
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table as an Arrow stream."""
        ...


#: What every function takes as a table: a pandas frame, a table of another library, or
#: columns by name.
TableInput: TypeAlias = "pd.DataFrame | ArrowTable | Mapping[str, Sequence[Any]]"

KEY = ("declaration_id", "item_number")
CHANNELS = ("green", "yellow", "red", "blue")
SELECTED_BY = ("model", "rule", "random", "exploration", "mandatory", "manual")
OFFENCES = ("undervaluation", "misclassification", "origin", "quantity", "other")

#: What a field's values are, and the pandas type they have inside the house.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "str",  # free text or identifier; missing is None/NaN
        "code": "str",  # code of a list, upper case, leading zeros kept
        "number": "float64",  # missing is NaN; never infinite
        "integer": "int64",
        "boolean": "boolean",  # nullable
        "datetime": "datetime64[us]",  # naive, UTC
    }
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name : str
        Canonical column name.
    kind : str
        One of `KINDS`.
    description : str
        What the value is, in a line.
    role : str
        "key", "time", "entity" (who), "goods" (what), "route" (whence, how),
        "procedure", "measure", "outcome", "score" or "decision".
    known : str, default="lodgement"
        When the value is known: "lodgement", "inspection", "scoring" or "decision".
    required : bool, default=False
        Whether the column must be there.
    nullable : bool, default=True
        Whether single values may be missing.
    unit : str, default=None
        Unit of a measure; None for texts and codes.
    codes : tuple of str, default=()
        The allowed values when the list is closed; empty when open.
    pattern : str, default=None
        Regular expression that every value must match in full; None for any.
    low, high : float, default=None
        Bounds of a number, inclusive; outside is an error. None is unbounded.

    Examples
    --------
    >>> from smartrisk.schema import DECLARATIONS
    >>> DECLARATIONS["duty_rate"].unit
    'fraction'
    """

    name: str
    kind: str
    description: str
    role: str
    known: str = "lodgement"
    required: bool = False
    nullable: bool = True
    unit: str | None = None
    codes: tuple[str, ...] = ()
    pattern: str | None = None
    low: float | None = None
    high: float | None = None

    @property
    def dtype(self) -> str:
        """Name of the pandas type that the column has inside the house."""
        return KINDS[self.kind]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A named, ordered set of fields.

    Parameters
    ----------
    name : str
        Name of the table in messages, in upper case.
    fields : tuple of Field
        The columns in their order.

    Examples
    --------
    >>> from smartrisk.schema import OUTCOMES
    >>> OUTCOMES.required
    ('declaration_id', 'illicit')
    >>> "known_at" in OUTCOMES
    True
    """

    name: str
    fields: tuple[Field, ...]

    def __iter__(self) -> Iterator[Field]:
        """Iterate over the fields in their order."""
        return iter(self.fields)

    def __contains__(self, name: object) -> bool:
        """Tell whether a field of that name exists."""
        return any(field.name == name for field in self.fields)

    def __getitem__(self, name: str) -> Field:
        """Return the field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise ArgumentError(
            "schema.field",
            "{name} has no field {name_2!r}.{hint}",
            name=self.name,
            name_2=name,
            hint=suggest_nearest(name, self.names),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that must be there."""
        return tuple(field.name for field in self.fields if field.required)


def _f(name: str, kind: str, role: str, description: str, **rest: object) -> Field:
    """Make a field in one line."""
    return Field(name=name, kind=kind, role=role, description=description, **rest)  # type: ignore[arg-type]


_KEY_FIELDS = (
    _f(
        "declaration_id",
        "text",
        "key",
        "identifier of the document",
        required=True,
        nullable=False,
    ),
    _f(
        "item_number",
        "integer",
        "key",
        "number of the goods line in the document, from 1; 1 when absent",
        nullable=False,
        low=0,
    ),
)

DECLARATIONS = Table(
    name="DECLARATIONS",
    fields=(
        *_KEY_FIELDS,
        _f(
            "lodged_at",
            "datetime",
            "time",
            "when the declaration was lodged",
            required=True,
            nullable=False,
        ),
        _f("office", "code", "route", "customs office of lodgement"),
        _f("procedure", "code", "procedure", "customs procedure code"),
        _f("importer_id", "text", "entity", "who imports"),
        _f("declarant_id", "text", "entity", "who declares (broker)"),
        _f("consignor_id", "text", "entity", "who sends"),
        _f("carrier_id", "text", "entity", "who carries"),
        _f(
            "tariff_code",
            "code",
            "goods",
            "Harmonized System or national code, 6 to 12 digits, as text",
            required=True,
            nullable=False,
            pattern=r"[0-9]{6,12}",
        ),
        _f("description", "text", "goods", "description of the goods"),
        _f("origin", "code", "route", "country of origin, ISO 3166-1"),
        _f("departure", "code", "route", "country of departure, ISO 3166-1"),
        _f("transport_mode", "code", "route", "mode of transport"),
        _f(
            "customs_value",
            "number",
            "measure",
            "declared customs value",
            unit="national currency",
            low=0.0,
        ),
        _f("net_mass_kg", "number", "measure", "declared net mass", unit="kg", low=0.0),
        _f(
            "gross_mass_kg",
            "number",
            "measure",
            "declared gross mass",
            unit="kg",
            low=0.0,
        ),
        _f("quantity", "number", "measure", "declared quantity", low=0.0),
        _f("quantity_unit", "code", "measure", "unit of the quantity"),
        _f(
            "duty_rate",
            "number",
            "measure",
            "ad valorem rate that applies to the item",
            unit="fraction",
            low=0.0,
        ),
        _f(
            "duties_taxes",
            "number",
            "measure",
            "duties and taxes assessed on the declaration as lodged",
            unit="national currency",
            low=0.0,
        ),
        _f("preference", "code", "procedure", "preference or tax type code"),
        _f("payment_type", "code", "procedure", "how duties are paid"),
        _f("trusted_trader", "boolean", "entity", "authorised economic operator"),
    ),
)

#: Fields that name a trader, in the order of the table.
TRADERS = tuple(
    field.name
    for field in DECLARATIONS
    if field.role == "entity" and field.kind == "text"
)

OUTCOMES = Table(
    name="OUTCOMES",
    fields=(
        *_KEY_FIELDS,
        _f(
            "channel",
            "code",
            "outcome",
            "channel of the control",
            known="inspection",
            codes=CHANNELS,
        ),
        _f(
            "inspected_at",
            "datetime",
            "time",
            "when the control took place",
            known="inspection",
        ),
        _f(
            "known_at",
            "datetime",
            "time",
            "when the result was known; lodgement plus the label delay when absent",
            known="inspection",
        ),
        _f(
            "illicit",
            "integer",
            "outcome",
            "1 when an irregularity was found, else 0",
            known="inspection",
            required=True,
            nullable=False,
            low=0,
            high=1,
        ),
        _f(
            "offence",
            "code",
            "outcome",
            "what was found",
            known="inspection",
            codes=OFFENCES,
        ),
        _f(
            "revenue_adjustment",
            "number",
            "outcome",
            "amount recovered",
            known="inspection",
            unit="national currency",
        ),
        _f(
            "assessed_value",
            "number",
            "outcome",
            "customs value after the control; never a feature",
            known="inspection",
            unit="national currency",
            low=0.0,
        ),
        _f(
            "officer_id",
            "text",
            "outcome",
            "pseudonym of the officer",
            known="inspection",
        ),
    ),
)

SCORES = Table(
    name="SCORES",
    fields=(
        *_KEY_FIELDS,
        _f(
            "risk_score",
            "number",
            "score",
            "calibrated probability of a hit if inspected",
            known="scoring",
            nullable=False,
            required=True,
            low=0.0,
            high=1.0,
        ),
        _f(
            "expected_revenue",
            "number",
            "score",
            "risk score times expected adjustment given a hit",
            known="scoring",
            unit="national currency",
        ),
        _f("score_lower", "number", "score", "lower bound", known="scoring"),
        _f("score_upper", "number", "score", "upper bound", known="scoring"),
        _f("model_version", "text", "score", "which engine", known="scoring"),
        _f("scored_at", "datetime", "time", "when scored", known="scoring"),
    ),
)

DECISIONS = Table(
    name="DECISIONS",
    fields=(
        *_KEY_FIELDS,
        _f(
            "channel",
            "code",
            "decision",
            "where the item goes",
            known="decision",
            required=True,
            nullable=False,
            codes=CHANNELS,
        ),
        _f(
            "selected_by",
            "code",
            "decision",
            "why it is controlled; missing when released",
            known="decision",
            codes=SELECTED_BY,
        ),
        _f(
            "propensity",
            "number",
            "decision",
            "probability that this item was selected for control",
            known="decision",
            low=0.0,
            high=1.0,
        ),
        _f(
            "rank", "integer", "decision", "1 is the first to control", known="decision"
        ),
        _f("rule_id", "text", "decision", "rule that selected it", known="decision"),
        _f("policy_version", "text", "decision", "which policy", known="decision"),
        _f("decided_at", "datetime", "time", "when decided", known="decision"),
    ),
)


@dataclass(frozen=True)
class ColumnMap:
    """How an administration writes its table.

    Parameters
    ----------
    mapping : mapping of str to str
        Field of a table to the administration's column; fields not named keep their
        canonical name.
    day_first : bool, default=None
        Whether 03/04/2024 is the third of April; None refuses such dates.
    date_format : str, default=None
        Format of dates as `datetime.strptime` has it; None to recognise them.
    decimal : str, default="."
        Decimal sign of numbers written as text.
    thousands : str, default=None
        Sign between thousands of numbers written as text.
    duty_rate_unit : str, default="fraction"
        "fraction" (0.08) or "percent" (8).
    tariff_digits : int, default=None
        Digits that every tariff code has, to give lost leading zeros back; None
        gives one back to numbers of 5, 7 or 9 digits and to texts of 5.
    factors : mapping of str to float, default={}
        Numbers that a field's values are multiplied with, such as 1000 for tonnes.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap
    >>> columns = ColumnMap({"lodged_at": "date_enregistrement"}, day_first=True)
    >>> columns.mapping["lodged_at"]
    'date_enregistrement'
    """

    mapping: Mapping[str, str]
    day_first: bool | None = None
    date_format: str | None = None
    decimal: str = "."
    thousands: str | None = None
    duty_rate_unit: str = "fraction"
    tariff_digits: int | None = None
    factors: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {f.name for table in (DECLARATIONS, OUTCOMES) for f in table}
        for name in (*self.mapping, *self.factors):
            if name not in known:
                raise ArgumentError(
                    "schema.field_table_write",
                    "ColumnMap: {name!r} is no field of a table.{hint} Write {{field: "
                    "column}}.",
                    name=name,
                    hint=suggest_nearest(name, known),
                )
        check_choice(
            "ColumnMap", "duty_rate_unit", self.duty_rate_unit, ("fraction", "percent")
        )
        object.__setattr__(self, "mapping", MappingProxyType(dict(self.mapping)))
        object.__setattr__(self, "factors", MappingProxyType(dict(self.factors)))

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the map as TOML, and write it when a path is given.

        Parameters
        ----------
        path : path, default=None
            File to write.

        Returns
        -------
        text : str
            TOML that `from_toml` reads.
        """
        lines = []
        for name in _COLUMN_MAP_OPTIONS:
            value = getattr(self, name)
            if value is not None:
                lines.append(toml_line(name, value))
        for name in ("mapping", "factors"):
            lines += ["", f"[{name}]"]
            lines += [toml_line(k, v) for k, v in getattr(self, name).items()]
        return write_toml(lines, path)

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> ColumnMap:
        """Read a map from a TOML file, or from TOML text.

        Parameters
        ----------
        source : path or str
            A file; a text with a line break is read as TOML itself.

        Returns
        -------
        columns : ColumnMap
            The map.
        """
        content = read_toml("ColumnMap.from_toml", source)
        try:
            return cls(content.pop("mapping", {}), **content)
        except TypeError as error:
            raise ArgumentError(
                "schema.column_map",
                "ColumnMap.from_toml: not a column map: {error}",
                error=error,
            ) from error


_COLUMN_MAP_OPTIONS = (
    "day_first",
    "date_format",
    "decimal",
    "thousands",
    "duty_rate_unit",
    "tariff_digits",
)

#: The Korean declarations of Jeong et al. (2022), English column names.
KCS = ColumnMap(
    {
        "declaration_id": "Declaration ID",
        "lodged_at": "Date",
        "office": "Office ID",
        "procedure": "Import Type",
        "importer_id": "Importer ID",
        "declarant_id": "Declarant ID",
        "consignor_id": "Seller ID",
        "carrier_id": "Courier ID",
        "tariff_code": "HS6 Code",
        "origin": "Country of Origin",
        "departure": "Country of Departure",
        "transport_mode": "Mode of Transport",
        "customs_value": "Item Price",
        "net_mass_kg": "Net Mass",
        "duty_rate": "Tax Rate",
        "preference": "Tax Type",
        "payment_type": "Payment Type",
        "illicit": "Fraud",
    },
    duty_rate_unit="percent",
    tariff_digits=6,
)

#: Columns of the DATE and customs-selection-simulator exports.
DATE = ColumnMap(
    {
        "declaration_id": "sgd.id",
        "lodged_at": "sgd.date",
        "office": "office.id",
        "importer_id": "importer.id",
        "declarant_id": "declarant.id",
        "tariff_code": "tariff.code",
        "origin": "country",
        "customs_value": "cif.value",
        "gross_mass_kg": "gross.weight",
        "quantity": "quantity",
        "duties_taxes": "total.taxes",
        "illicit": "illicit",
        "revenue_adjustment": "revenue",
    },
    date_format="%y-%m-%d",
    tariff_digits=10,
)

#: Columns of exports in the style of ASYCUDA.
ASYCUDA = ColumnMap(
    {
        "declaration_id": "SGD_NUM",
        "item_number": "ITM_NUM",
        "lodged_at": "SGD_DATE",
        "office": "OFFICE_CODE",
        "procedure": "SGD_MODEL",
        "importer_id": "IMPORTER_TIN",
        "declarant_id": "DECLARANT_CODE",
        "tariff_code": "HSCODE",
        "description": "TARIFF_DESCRIPTION",
        "origin": "ORIGIN_CODE",
        "customs_value": "CIF_VALUE",
        "net_mass_kg": "NET_WEIGHT",
        "gross_mass_kg": "GROSS_WEIGHT",
        "quantity": "QUANTITY",
        "duties_taxes": "TOTAL_TAXES",
        "illicit": "ILLICIT",
        "revenue_adjustment": "RAISED_TAX_AMOUNT",
    },
)
