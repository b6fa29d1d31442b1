"""Tables: named, ordered sets of fields; what functions take as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from smartrisk.errors import (
    ArgumentError,
    TableError,
    format_values,
    suggest_nearest,
)
from smartrisk.results import text_table
from smartrisk.schema._fields import KEY, Field

if TYPE_CHECKING:
    import pandas as pd


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


@dataclass(frozen=True, kw_only=True)
class Table:
    """A named, ordered set of fields.

    Parameters
    ----------
    name : str
        Name of the table in messages, in upper case.
    fields : tuple of Field
        The columns in their order.
    repeats : bool, default=False
        Whether a key may have several rows, as several events of one declaration.
    key : tuple of str, default=("declaration_id", "item_number")
        Fields that name a row.

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
    repeats: bool = False
    key: tuple[str, ...] = KEY

    def __iter__(self) -> Iterator[Field]:
        """Iterate over the fields in their order."""
        return iter(self.fields)

    def __contains__(self, name: object) -> bool:
        """Return whether a field of that name exists."""
        return any(field.name == name for field in self.fields)

    def __getitem__(self, name: str) -> Field:
        """Return the field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise ArgumentError(
            "schema.unknown_field",
            "{table} has no field {field!r}.{hint}",
            table=self.name,
            field=name,
            hint=suggest_nearest(name, self.names),
        )

    def __repr__(self) -> str:
        """Return the name of the table and its number of fields."""
        return f"Table({self.name}, {len(self.fields)} fields)"

    def _repr_html_(self) -> str:
        """Return the fields as an HTML table for a notebook."""
        columns = ["field", "kind", "required", "unit", "known at", "description"]
        rows = [
            (
                f.name,
                f.kind,
                "yes" if f.required else "",
                f.unit,
                f.known,
                f.description,
            )
            for f in self.fields
        ]
        return text_table(columns, rows, repr(self))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that a table must have."""
        return tuple(field.name for field in self.fields if field.required)

    def matches(self, columns: Iterable[object], *, owner: str) -> bool:
        """Return whether columns are those of the table, and not plain numbers.

        Columns with any field of the table count as its columns and must have the
        required fields.

        Parameters
        ----------
        columns : iterable of str
            Names of the columns of a frame.
        owner : str
            Name of the calling class, for the error message.

        Returns
        -------
        answer : bool
            False where no column is a field of the table.

        Raises
        ------
        TableError
            If there are fields of the table, but a required one is missing.

        Examples
        --------
        >>> from smartrisk.schema import OUTCOMES
        >>> OUTCOMES.matches(["declaration_id", "illicit", "remark"], owner="example")
        True
        >>> OUTCOMES.matches(["x0", "x1"], owner="example")
        False
        """
        names = list(columns)
        others = [str(name) for name in names if name not in self]
        if len(others) == len(names):
            return False
        missing = [name for name in self.required if name not in names]
        if missing:
            raise TableError(
                "schema.required_columns_missing",
                "{owner}: X has fields of {table}, so it must have all required ones; "
                "{missing} missing.{hint} Rename your columns, or validate the table "
                "with smartrisk.validation.validate and a ColumnMap.",
                owner=owner,
                table=self.name,
                missing=_are(missing),
                hint=suggest_nearest(missing[0], others),
            )
        return True


def _are(names: list[str]) -> str:
    """Return names with the verb that fits their number."""
    return f"{format_values(names)} {'is' if len(names) == 1 else 'are'}"
