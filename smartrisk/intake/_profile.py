"""A first look at unknown data: what each column holds, and what looks wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from smartrisk.errors import SmartRiskError
from smartrisk.intake._columns import ColumnValues, read_columns
from smartrisk.intake._formats_found import date_format_of, number_format_of
from smartrisk.intake._looks import (
    Look,
    look_at_amounts,
    look_at_codes,
    look_at_columns,
    look_at_dates,
    look_at_documents,
    look_at_parties,
    look_at_rows,
)
from smartrisk.intake._proposal import Proposal
from smartrisk.intake._propose import propose_map
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, TableInput
from smartrisk.tables import read_table as read_frame

_LOOKS = ["check", "columns", "count", "share", "examples", "message"]
_ABOUT = ["column", "field", "kind", "format", "filled", "distinct", "examples"]
#: Values that are shown of a column.
_EXAMPLES = 3
#: Share of the rows from which values are of a kind.
_MOST = 0.9


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is looked at: the columns, and the fields that they seem to hold.

    Parameters
    ----------
    frame : DataFrame
        The table as it is written.
    columns : mapping of str to ColumnValues
        Its columns as texts.
    fields : mapping of str to tuple of str
        Field to the columns that hold it.
    """

    frame: pd.DataFrame
    columns: Mapping[str, ColumnValues]
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Profile(Result):
    """A first look at a table. Made by `profile`.

    Parameters
    ----------
    looks : sequence of Look
        What looks wrong, by check.
    about : DataFrame
        One row per column.
    n_rows : int
        Rows of the table.
    proposal : Proposal, default=None
        The column map that names and values suggest; None where there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import profile
    >>> frame = pd.DataFrame({"importer": ["88.0", "NA", "88"], "empty": [None] * 3})
    >>> profile(frame)
    Profile(3 rows, 2 columns, 4 findings)
    """

    def __init__(
        self,
        looks: Sequence[Look],
        about: pd.DataFrame,
        n_rows: int,
        proposal: Proposal | None = None,
    ) -> None:
        self.looks = tuple(looks)
        self._about = about
        self.n_rows = n_rows
        self.proposal = proposal

    def frame(self) -> pd.DataFrame:
        """Return one row per finding.

        Returns
        -------
        frame : DataFrame
            Columns ``check``, ``columns``, ``count`` (rows, values or columns, as the
            message says), ``share`` (of the rows), ``examples``, ``message``.
        """
        rows = [
            (
                look.check,
                ", ".join(look.columns),
                look.count,
                look.count / max(1, self.n_rows),
                ", ".join(look.examples),
                str(look.message),
            )
            for look in self.looks
        ]
        return pd.DataFrame(rows, columns=_LOOKS)

    def columns(self) -> pd.DataFrame:
        """Return one row per column of the table.

        Returns
        -------
        frame : DataFrame
            Columns ``column``, ``field`` (that it seems to hold), ``kind`` ("empty",
            "constant", "number", "date", "code", "text"), ``format``, ``filled``
            (share of the rows), ``distinct``, ``examples``.
        """
        return self._about.copy()

    def __repr__(self) -> str:
        """Return the numbers of rows, columns and findings."""
        n_columns, n_looks = len(self._about), len(self.looks)
        return (
            f"Profile({self.n_rows} row{'' if self.n_rows == 1 else 's'}, "
            f"{n_columns} column{'' if n_columns == 1 else 's'}, "
            f"{n_looks} finding{'' if n_looks == 1 else 's'})"
        )


def profile(frame: TableInput, columns: ColumnMap | None = None) -> Profile:
    """Return a first look at a table: what columns hold, and what looks wrong.

    Use it before a column map exists. Nothing is changed and nothing is refused.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        A table as an administration has it; read files with `read_table`.
    columns : ColumnMap, default=None
        Which columns hold which fields; None to guess.

    Returns
    -------
    profile : Profile
        Its `frame` has a row per finding, its `columns` one per column.

    See Also
    --------
    propose_map : A column map for the table.
    smartrisk.quality.scorecard : The quality of a table that was validated.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import profile
    >>> offices = ["05", "5", "17"] * 20
    >>> frame = pd.DataFrame({"number": range(60), "office": offices})
    >>> print(profile(frame).looks[0].message)
    'office': values that are written in several ways: 1, such as '05' and '5'.
    """
    if not isinstance(frame, pd.DataFrame):
        frame = read_frame("profile", "the table", frame)
    values = read_columns(frame)
    fields, proposal = _find_fields(frame, columns)
    subject = Subject(frame=frame, columns=values, fields=fields)
    looks = [look for check in _CHECKS for look in check(subject)]
    names = {c: f for f, sources in fields.items() for c in sources}
    about = [_describe(column, names.get(name, "")) for name, column in values.items()]
    return Profile(looks, pd.DataFrame(about, columns=_ABOUT), len(frame), proposal)


_CHECKS: tuple[Callable[[Subject], Iterable[Look]], ...] = (
    look_at_rows,
    look_at_columns,
    look_at_documents,
    look_at_parties,
    look_at_codes,
    look_at_dates,
    look_at_amounts,
)


def _find_fields(
    frame: pd.DataFrame, columns: ColumnMap | None
) -> tuple[dict[str, tuple[str, ...]], Proposal | None]:
    """Return the columns of each field, and the proposal that names them."""
    proposal = None
    if columns is None:
        try:
            proposal = propose_map(frame)
        except SmartRiskError:
            return {}, None
        columns = proposal.columns
    names = [f.name for table in (DECLARATIONS, OUTCOMES) for f in table]
    found = {name: columns.sources(name) for name in dict.fromkeys(names)}
    there = set(map(str, frame.columns))
    return {n: c for n, c in found.items() if c and set(c) <= there}, proposal


def _describe(column: ColumnValues, field_name: str) -> tuple[object, ...]:
    """Return what one column holds."""
    kind, form = _kind(column)
    return (
        column.name,
        field_name,
        kind,
        form,
        round(column.filled, 4),
        column.n_distinct,
        ", ".join(column.values[:_EXAMPLES]),
    )


def _kind(column: ColumnValues) -> tuple[str, str]:
    """Return the kind of values of a column, and their format."""
    if column.n_filled == 0:
        return "empty", ""
    if column.is_constant:
        return "constant", ""
    if column.date_share > _MOST:
        return "date", date_format_of(column)
    if column.number_share > _MOST:
        return "number", number_format_of(column)
    is_code = column.n_distinct <= max(60, 0.05 * column.n_filled)
    return ("code" if is_code and column.mean_length <= 20 else "text"), ""
