"""`check` and `validate`: a frame against its table."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import (
    DataQualityWarning,
    LeakageError,
    TableError,
    check_choice,
    format_values,
    suggest_nearest,
)
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, Table
from smartrisk.validation._report import Findings, ValidationReport
from smartrisk.validation._values import COERCE, MISSING

#: What a cell must not hold, and what pandas calls columns that hold none of it.
_SEVERAL = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)
_PLAIN_KINDS = frozenset({"string", "bytes", "integer", "floating", "boolean"})


def validate(
    frame: Any,
    table: Table,
    *,
    columns: ColumnMap | None = None,
    on_error: str = "raise",
) -> pd.DataFrame:
    """Return the canonical frame of a table, or say everything that is wrong.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        What the administration has; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration; None for canonical names.
    on_error : str, default="raise"
        "raise", or "set_aside" to go on with the good rows and a warning that
        counts the others.

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
    check : The same, with the report.

    Notes
    -----
    One table may hold items and results, with one `ColumnMap` for both: validate it
    twice, as DECLARATIONS and as OUTCOMES. Items whose label is missing were not
    inspected and are no outcome; they are never taken for compliant.

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
        return report.table
    if on_error == "raise":
        raise TableError(
            "validation.table_invalid",
            "{report}",
            report=report.message(),
            failures=report.failures,
        )
    warnings.warn(
        DataQualityWarning(
            "validation.they_were_set_aside",
            "{value} They were set aside.",
            value=report.message(),
        ),
        stacklevel=2,
    )
    return report.table


def check(
    frame: Any, table: Table, *, columns: ColumnMap | None = None
) -> ValidationReport:
    """Check a frame against a table and report everything.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        What the administration has; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration.

    Returns
    -------
    report : ValidationReport
        Canonical rows, rows set aside, and every failure.

    Raises
    ------
    TableError
        If the frame has no such form, or required columns are missing.

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
    named, renamed, ignored = _named(source, table, columns)
    _refuse_later_columns(table, ignored, columns)
    if table is OUTCOMES:
        source, named = _inspected_only(source, named, columns)
    work = Findings(table, columns, source, renamed)
    done: dict[str, Any] = {}
    for field in table:
        if field.name in named:
            single = _single_values(field.name, named[field.name], work)
            done[field.name] = COERCE[field.kind](field, single, work)
    _add_item_number(done, work)
    result = pd.DataFrame(done, index=source.index)
    result = result[[name for name in table.names if name in result]]
    _check_keys(result, work)
    for name, flag in _quality_flags(result, table).items():
        result[name] = flag
        work.note(np.flatnonzero(flag), name[3:], "doubtful", flag, "warning")
    bad = work.bad
    return ValidationReport(
        result[~bad] if bad.any() else result,
        source[bad],
        work.failures(result),
        table.name,
        tuple(ignored),
    )


def _single_values(name: str, series: pd.Series, work: Findings) -> pd.Series:
    """Take down cells that hold lists or the like, and go on as if they were empty."""
    if series.dtype != object or pd.api.types.infer_dtype(series) in _PLAIN_KINDS:
        return series
    odd = series.map(lambda v: isinstance(v, _SEVERAL)).to_numpy(bool)
    work.note(np.flatnonzero(odd), name, "not a single value", series)
    return series.mask(odd, None) if odd.any() else series


def _as_pandas(frame: Any, table: Table) -> pd.DataFrame:
    """Return the frame as pandas, whatever it came as."""
    if isinstance(frame, pd.DataFrame):
        source = frame
    elif isinstance(frame, Mapping):
        try:
            source = pd.DataFrame(dict(frame))
        except ValueError as error:
            raise TableError(
                "validation.mapping_columns",
                "{name}: a mapping of columns: {error}",
                name=table.name,
                error=error,
            ) from error
    elif hasattr(frame, "to_pandas"):
        source = frame.to_pandas()
    else:
        raise TableError(
            "validation.data_frame_pandas_polars",
            "{name}: a data frame of pandas, Polars or PyArrow, or a mapping "
            "of columns is needed; got {frame_type}.",
            name=table.name,
            frame_type=type(frame).__name__,
        )
    if isinstance(source.columns, pd.MultiIndex):
        raise TableError(
            "validation.column_names_single_texts",
            "{name}: column names must be single texts.",
            name=table.name,
        )
    twice = source.columns[source.columns.duplicated()]
    if len(twice):
        raise TableError(
            "validation.columns_appear_twice_rename",
            "{name}: columns appear twice: {twice}. Rename or drop one.",
            name=table.name,
            twice=format_values(twice),
        )
    return source


def _named(
    source: pd.DataFrame, table: Table, columns: ColumnMap
) -> tuple[dict[str, pd.Series], dict[str, str], list[str]]:
    """Find the column of every field; say at once which required ones are missing."""
    mapping = {k: v for k, v in columns.mapping.items() if k in table}
    plain = {_plain(str(c)): c for c in source.columns}
    named, renamed, gone = {}, {}, []
    for field in table:
        wanted = mapping.get(field.name, field.name)
        found = wanted if wanted in source.columns else None
        if found is None and field.name in mapping:
            gone.append((field.name, wanted))
        if found is None and field.name not in mapping:
            found = plain.get(_plain(wanted))
        if found is not None:
            named[field.name] = source[found]
            renamed[field.name] = str(found)
        elif field.required and field.name not in mapping:
            gone.append((field.name, wanted))
    if gone:
        are = "columns are" if len(gone) > 1 else "column is"
        hints = "; ".join(_gone(*pair, source.columns) for pair in gone[:5])
        raise TableError(
            "validation.missing_table_name_your",
            "{name}: {n_gone} {are} missing: {hints}. The table has {value}. "
            "Name your own columns with ColumnMap({{field: column}}).",
            name=table.name,
            n_gone=len(gone),
            are=are,
            hints=hints,
            value=format_values(source.columns) or "none",
        )
    used = set(renamed.values())
    ignored = [
        str(c)
        for c in source.columns
        if str(c) not in used and not str(c).startswith("dq_")
    ]
    return named, renamed, ignored


def _plain(name: str) -> str:
    """Return a column name without case, white space and separators."""
    return re.sub(r"[\s_.\-]+", "", name).casefold()


def _refuse_later_columns(table: Table, ignored: list[str], columns: ColumnMap) -> None:
    """Refuse results offered among what was declared.

    A column that the map names as a field of OUTCOMES is known for what it is, and is
    simply no part of a declaration.
    """
    if table is not DECLARATIONS:
        return
    later = {_plain(f.name) for f in OUTCOMES if f.known == "inspection"}
    told = {columns.mapping.get(f.name) for f in OUTCOMES}
    found = [n for n in ignored if _plain(n) in later and n not in told]
    if found:
        raise LeakageError(
            "validation.columns_known_only_after",
            "DECLARATIONS: columns known only after a control: {found}. Drop "
            "them here and pass results as OUTCOMES, or name them in the "
            "ColumnMap as what they are: ColumnMap({{'illicit': column, ...}}).",
            found=format_values(found),
        )


def _inspected_only(
    source: pd.DataFrame, named: dict[str, pd.Series], columns: ColumnMap
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Leave out items without a result where one table holds items and results.

    Such a table has tariff codes; its items are numbered before any is left out.
    """
    goods = columns.mapping.get("tariff_code", "tariff_code")
    if goods not in source.columns:
        return source, named
    if "item_number" not in named:
        ids = named["declaration_id"]
        named = {**named, "item_number": ids.groupby(ids).cumcount() + 1}
    label = named["illicit"]
    there = (label.notna() & ~label.isin(list(MISSING))).to_numpy()
    return source[there], {name: values[there] for name, values in named.items()}


def _add_item_number(done: dict[str, Any], work: Findings) -> None:
    """Give the items of each declaration numbers when they have none."""
    if "item_number" not in done and "declaration_id" in done:
        number = done["declaration_id"].groupby(done["declaration_id"]).cumcount() + 1
        done["item_number"] = number.astype(np.int64)
        several = np.flatnonzero(number.to_numpy() > 1)
        values = number.to_numpy()
        work.note(several, "item_number", "numbered by order", values, "repaired")


def _check_keys(result: pd.DataFrame, work: Findings) -> None:
    """Take down keys that appear more than once."""
    if "declaration_id" not in result or work.source.empty:
        return
    ids = result["declaration_id"]
    if ids.is_unique:
        return
    twice = result.duplicated(["declaration_id", "item_number"], keep=False)
    twice &= ~pd.Series(work.bad, index=result.index)
    work.note(np.flatnonzero(twice), "declaration_id", "duplicate key", ids)


def _quality_flags(result: pd.DataFrame, table: Table) -> dict[str, Any]:
    """Return what is doubtful but legal, as boolean columns."""
    flags: dict[str, Any] = {}
    if table is DECLARATIONS:
        for name in ("net_mass_kg", "customs_value", "quantity"):
            if name in result:
                flags[f"dq_zero_{name}"] = (result[name] == 0).to_numpy()
        if {"net_mass_kg", "gross_mass_kg"} <= set(result):
            over = result["net_mass_kg"] > result["gross_mass_kg"] * 1.0001
            flags["dq_net_exceeds_gross"] = over.to_numpy()
        for name in ("origin", "departure"):
            if name in result:
                odd = ~result[name].str.fullmatch("[A-Z]{2}", na=True).astype(bool)
                flags[f"dq_unknown_{name}"] = odd.to_numpy()
    if table is OUTCOMES and "revenue_adjustment" in result:
        odd = (result["illicit"] == 0) & (result["revenue_adjustment"] > 0)
        flags["dq_contradiction"] = odd.to_numpy()
        flags["dq_negative_adjustment"] = (result["revenue_adjustment"] < 0).to_numpy()
    if table is OUTCOMES and {"known_at", "inspected_at"} <= set(result):
        early = result["known_at"] < result["inspected_at"]
        flags["dq_known_before_inspected"] = early.to_numpy()
    return flags


def _gone(name: str, wanted: str, columns: Iterable[Any]) -> str:
    """Return a missing column, its field where that has another name, and a guess."""
    field = "" if name == wanted else f" for field {name!r}"
    guess = suggest_nearest(wanted, map(str, columns)).strip()
    return f"{wanted!r}{field}" + (f" ({guess})" if guess else "")
