"""`check` and `validate`: a frame against its table."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Iterable, Mapping
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    DataQualityWarning,
    LeakageError,
    TableError,
    check_choice,
    format_values,
    suggest_nearest,
)
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, Table, TableInput
from smartrisk.tables import read_table
from smartrisk.validation._report import Findings, ValidationReport
from smartrisk.validation._result_rows import (
    NO_ITEM_NUMBER,
    fill_labels,
    has_result,
    keep_unknown,
    number_results,
)
from smartrisk.validation._values import COERCE

#: What to do when rows are invalid.
OnError: TypeAlias = Literal["raise", "set_aside"]

#: How far the net mass may exceed the gross mass: both are rounded when declared.
_ROUNDED_MASS = 1.0001
#: Missing columns that an error names with a suggestion each.
_MOST_MISSING = 5
#: Types that a cell must not hold, and the kinds of column that pandas finds free of
#: them.
_SEVERAL = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)
_PLAIN_KINDS = frozenset({"string", "bytes", "integer", "floating", "boolean"})


def validate(
    frame: TableInput,
    table: Table,
    *,
    columns: ColumnMap | None = None,
    on_error: OnError = "raise",
) -> pd.DataFrame:
    """Return the canonical frame of a table, or raise with every failure.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        The table as the administration has it; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration; None for canonical names.
    on_error : {"raise", "set_aside"}, default="raise"
        "set_aside" continues with the valid rows and warns with the number of others.

    Returns
    -------
    canonical : DataFrame
        Columns in the order of the table, then ``dq_...`` flags.

    Raises
    ------
    TableError
        With every failure in ``.failures``.
    LeakageError
        If DECLARATIONS hold columns known only after a control.

    See Also
    --------
    check : The same, with a report.

    Notes
    -----
    One table may hold items and results, with one `ColumnMap` for both: validate it
    twice, as DECLARATIONS and as OUTCOMES. An item without a label was not inspected:
    it has no outcome, and it is never counted as compliant.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import validate
    >>> validate(pd.DataFrame({"declaration_id": ["A"], "illicit": [True]}),
    ...          OUTCOMES)["illicit"].tolist()
    [1]
    """
    check_choice("validate", "on_error", on_error, ("raise", "set_aside"))
    report = check(frame, table, columns=columns)
    if report.ok:
        return report._table
    if on_error == "raise":
        raise TableError(
            "validation.table_invalid",
            "{report}",
            report=report.message(),
            failures=report.failures,
            messages=report.messages(),
        )
    warnings.warn(
        DataQualityWarning(
            "validation.rows_set_aside",
            "{report} They were set aside.",
            report=report.message(),
        ),
        stacklevel=2,
    )
    return report._table


def check(
    frame: TableInput, table: Table, *, columns: ColumnMap | None = None
) -> ValidationReport:
    """Check a frame against a table and report everything.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        The table as the administration has it; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration; None for canonical names.

    Returns
    -------
    report : ValidationReport
        Canonical rows, rows set aside, and every failure.

    Raises
    ------
    TableError
        If the frame is of another type, or required columns are missing.
    LeakageError
        If DECLARATIONS hold columns known only after a control.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import check
    >>> frame = pd.DataFrame({"declaration_id": ["A"], "illicit": [2]})
    >>> check(frame, OUTCOMES).failures["reason"].tolist()
    ['out of range']
    """
    source = _as_pandas(frame, table)
    columns = columns or ColumnMap({})
    named, renamed = _find_columns(source, table, columns)
    ignored = _unused_columns(source, renamed)
    _refuse_later_columns(table, ignored, columns)
    if table is OUTCOMES:
        source, named = _keep_inspected(source, named, columns)
    work = Findings(table, columns, source, renamed)
    filled = None
    if table is OUTCOMES:
        named, filled = fill_labels(named)
    done: dict[str, pd.Series] = {}
    for field in table:
        if field.name in named:
            single = _single_values(field.name, named[field.name], work)
            done[field.name] = COERCE[field.kind](field, single, work)
    numbered = "item_number" in done
    _add_item_number(done, work)
    done = keep_unknown(done, filled)
    result = pd.DataFrame(done, index=source.index)
    result = result[[name for name in table.names if name in result]]
    _check_keys(result, work)
    for name, flag in _quality_flags(result, table).items():
        result[name] = flag
        work.note(np.flatnonzero(flag), name[3:], "doubtful", flag, "warning")
    if table is OUTCOMES and not numbered:
        result[NO_ITEM_NUMBER] = True
    for name in _carried(source, result):
        result[name] = source[name]
    bad = work.bad
    return ValidationReport(
        table=result[~bad] if bad.any() else result,
        set_aside=source[bad],
        failures=work.failures(result),
        name=table.name,
        ignored=ignored,
    )


def _single_values(name: str, series: pd.Series, work: Findings) -> pd.Series:
    """Record cells that hold lists or similar, and return them as empty."""
    if series.dtype != object or pd.api.types.infer_dtype(series) in _PLAIN_KINDS:
        return series
    is_several = series.map(lambda v: isinstance(v, _SEVERAL)).to_numpy(bool)
    work.note(np.flatnonzero(is_several), name, "not a single value", series)
    return series.mask(is_several, None) if is_several.any() else series


def _as_pandas(frame: TableInput, table: Table) -> pd.DataFrame:
    """Return the frame as pandas, whatever its type."""
    if isinstance(frame, pd.DataFrame):
        source = frame
    elif isinstance(frame, Mapping):
        try:
            source = pd.DataFrame(dict(frame))
        except ValueError as error:
            raise TableError(
                "validation.mapping_not_a_table",
                "{table}: the mapping of columns is not a table: {problem}.",
                table=table.name,
                problem=str(error),
            ) from error
    elif hasattr(frame, "__arrow_c_stream__"):
        source = read_table(table.name, "the table", frame)
    elif hasattr(frame, "to_pandas"):
        source = frame.to_pandas()
    else:
        raise TableError(
            "validation.not_a_table",
            "{table}: a data frame of pandas, Polars or PyArrow, or a mapping "
            "of columns is needed; got {type_name}.{hint}",
            table=table.name,
            type_name=type(frame).__name__,
            hint=" Call collect() first." if hasattr(frame, "collect") else "",
        )
    if isinstance(source.columns, pd.MultiIndex):
        raise TableError(
            "validation.column_names_nested",
            "{table}: column names must be single texts; this frame has several "
            "levels of them.",
            table=table.name,
        )
    repeated = source.columns[source.columns.duplicated()]
    if len(repeated):
        raise TableError(
            "validation.columns_repeated",
            "{table}: columns appear twice: {columns}. Rename or drop one.",
            table=table.name,
            columns=format_values(repeated),
        )
    return source


def _find_columns(
    source: pd.DataFrame, table: Table, columns: ColumnMap
) -> tuple[dict[str, pd.Series], dict[str, str]]:
    """Return the column of every field, and its name; raise when any is missing."""
    mapping = {k: v for k, v in columns.mapping.items() if k in table}
    by_plain_name = {_plain(str(c)): c for c in source.columns}
    named, renamed, missing = {}, {}, []
    for field in table:
        wanted = mapping.get(field.name, field.name)
        column: Hashable | None = wanted if wanted in source.columns else None
        if column is None and field.name in mapping:
            missing.append((field.name, wanted))
        elif column is None:
            column = by_plain_name.get(_plain(wanted))
        if column is not None:
            named[field.name] = source[column]
            renamed[field.name] = str(column)
        elif field.required and field.name not in mapping:
            missing.append((field.name, wanted))
    if missing:
        _raise_missing_columns(source, table, missing)
    return named, renamed


def _raise_missing_columns(
    source: pd.DataFrame, table: Table, missing: list[tuple[str, str]]
) -> None:
    """Raise with the missing columns, the nearest names, and the columns there are."""
    hints = [_describe_missing(*pair, source.columns) for pair in missing]
    if len(missing) == 1:
        raise TableError(
            "validation.column_missing",
            "{table}: 1 column is missing: {hints}. The table has {present}. Name your "
            "own columns with ColumnMap({{field: column}}).",
            table=table.name,
            hints=hints[0],
            present=format_values(source.columns) or "none",
        )
    raise TableError(
        "validation.columns_missing",
        "{table}: {n_missing} columns are missing: {hints}. The table has {present}. "
        "Name your own columns with ColumnMap({{field: column}}).",
        table=table.name,
        n_missing=len(missing),
        hints="; ".join(hints[:_MOST_MISSING]),
        present=format_values(source.columns) or "none",
    )


def _unused_columns(source: pd.DataFrame, renamed: Mapping[str, str]) -> list[str]:
    """Return the columns that are not fields, flags of an earlier check excepted."""
    used = set(renamed.values())
    names = [str(column) for column in source.columns]
    kept = used | {SOURCE_ROW}
    return [n for n in names if n not in kept and not n.startswith("dq_")]


def _carried(source: pd.DataFrame, result: pd.DataFrame) -> list[str]:
    """Return columns that go through as they are: lines, and flags made elsewhere."""
    names = [name for name in source.columns if isinstance(name, str)]
    return [
        name
        for name in names
        if name not in result and (name == SOURCE_ROW or name.startswith("dq_"))
    ]


def _plain(name: str) -> str:
    """Return a column name without case, white space and separators."""
    return re.sub(r"[\s_.\-]+", "", name).casefold()


def _refuse_later_columns(table: Table, ignored: list[str], columns: ColumnMap) -> None:
    """Refuse results among what was declared.

    A column that the map names as a field of OUTCOMES is not refused: the caller knows
    what it is, and it is not part of a declaration.
    """
    if table is not DECLARATIONS:
        return
    later = {_plain(f.name) for f in OUTCOMES if f.known == "inspection"}
    mapped = {columns.mapping.get(f.name) for f in OUTCOMES}
    leaks = [n for n in ignored if _plain(n) in later and n not in mapped]
    if leaks:
        raise LeakageError(
            "validation.result_among_declarations",
            "DECLARATIONS: columns known only after a control: {columns}. Drop "
            "them here and pass results as OUTCOMES, or map them in the ColumnMap: "
            "ColumnMap({{'illicit': column, ...}}).",
            columns=format_values(leaks),
        )


def _keep_inspected(
    source: pd.DataFrame, named: dict[str, pd.Series], columns: ColumnMap
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Leave out items without a result where one table holds items and results.

    Such a table has tariff codes. Its items are numbered before any is left out, so
    that both halves get the same keys.
    """
    goods = columns.mapping.get("tariff_code", "tariff_code")
    if goods not in source.columns:
        return source, named
    if "item_number" not in named:
        ids = named["declaration_id"]
        named = {**named, "item_number": ids.groupby(ids).cumcount() + 1}
    is_inspected = has_result(named)
    return source[is_inspected], {k: v[is_inspected] for k, v in named.items()}


def _add_item_number(done: dict[str, pd.Series], work: Findings) -> None:
    """Add item numbers in the order of the rows when there are none."""
    if "item_number" not in done and work.table is OUTCOMES:
        number_results(done, work)
    elif "item_number" not in done and "declaration_id" in done:
        number = done["declaration_id"].groupby(done["declaration_id"]).cumcount() + 1
        done["item_number"] = number.astype(np.int64)
        several = np.flatnonzero(number.to_numpy() > 1)
        values = number.to_numpy()
        work.note(several, "item_number", "numbered by order", values, "repaired")


def _check_keys(result: pd.DataFrame, work: Findings) -> None:
    """Record duplicate keys."""
    if "declaration_id" not in result or work.source.empty:
        return
    ids = result["declaration_id"]
    if ids.is_unique:
        return
    repeated = result.duplicated(["declaration_id", "item_number"], keep=False)
    repeated &= ~pd.Series(work.bad, index=result.index)
    work.note(np.flatnonzero(repeated), "declaration_id", "duplicate key", ids)


def _quality_flags(result: pd.DataFrame, table: Table) -> dict[str, NDArray[np.bool_]]:
    """Return what is doubtful but legal, as boolean columns."""
    flags: dict[str, NDArray[np.bool_]] = {}
    if table is DECLARATIONS:
        for name in ("net_mass_kg", "customs_value", "quantity"):
            if name in result:
                flags[f"dq_zero_{name}"] = (result[name] == 0).to_numpy()
        if {"net_mass_kg", "gross_mass_kg"} <= set(result):
            over = result["net_mass_kg"] > result["gross_mass_kg"] * _ROUNDED_MASS
            flags["dq_net_exceeds_gross"] = over.to_numpy()
        for name in ("origin", "departure"):
            if name in result:
                is_code = result[name].str.fullmatch("[A-Z]{2}", na=True).astype(bool)
                flags[f"dq_unknown_{name}"] = ~is_code.to_numpy()
    if table is OUTCOMES and "revenue_adjustment" in result:
        contradicts = (result["illicit"] == 0) & (result["revenue_adjustment"] > 0)
        flags["dq_contradiction"] = contradicts.to_numpy()
        flags["dq_negative_adjustment"] = (result["revenue_adjustment"] < 0).to_numpy()
    if table is OUTCOMES and {"known_at", "inspected_at"} <= set(result):
        early = result["known_at"] < result["inspected_at"]
        flags["dq_known_before_inspected"] = early.to_numpy()
    return flags


def _describe_missing(name: str, wanted: str, columns: Iterable[Hashable]) -> str:
    """Return a missing column, its field where that has another name, and a guess."""
    field = "" if name == wanted else f" for field {name!r}"
    guess = suggest_nearest(wanted, map(str, columns)).strip()
    return f"{wanted!r}{field}" + (f" ({guess})" if guess else "")
