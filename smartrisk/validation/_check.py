"""`check` and `validate`: a frame against its table."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    DataQualityWarning,
    LeakageError,
    Message,
    TableError,
    check_choice,
    format_values,
)
from smartrisk.items import NO_ITEM_NUMBER
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import (
    DECLARATIONS,
    KEY,
    OUTCOMES,
    ColumnMap,
    Table,
    TableInput,
)
from smartrisk.tables import read_table
from smartrisk.validation._recipe import (
    Recipe,
    find_recipe,
    keep_imports,
    plain_name,
    scratch,
)
from smartrisk.validation._report import Findings, ValidationReport
from smartrisk.validation._result_rows import (
    fill_labels,
    has_result,
    keep_unknown,
    number_results,
)
from smartrisk.validation._source_counts import note_sources
from smartrisk.validation._values import COERCE
from smartrisk.validation._whole_columns import note_empty_columns

#: What to do when rows are invalid.
OnError: TypeAlias = Literal["raise", "set_aside"]

#: How far the net mass may exceed the gross mass: both are rounded when declared.
_ROUNDED_MASS = 1.0001
#: How similar a name must be: "importer" is to "importer_id", "price" to no field.
_NEAR = 0.8
#: Reason of each flag of several fields; the others say that a value is zero.
_DOUBTS: Mapping[str, str] = MappingProxyType(
    {
        "dq_net_exceeds_gross": "net exceeds gross",
        "dq_contradiction": "contradiction",
        "dq_negative_adjustment": "negative adjustment",
        "dq_known_before_inspected": "known before inspected",
    }
)


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
    names = (*_near_names(report, table), *_same_names(report, table, columns))
    for message in (*report.flow_messages(), *report.doubts(), *names):
        warnings.warn(
            DataQualityWarning(message.message_id, message.template, **message.values),
            stacklevel=2,
        )
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
    ['not true or false']
    """
    whole = _as_pandas(frame, table)
    recipe = find_recipe(whole, table, columns or ColumnMap({}))
    ignored = _unused_columns(recipe)
    _refuse_later_columns(table, ignored, recipe.columns)
    recipe, is_other = keep_imports(recipe)
    rows = np.flatnonzero(~is_other)
    if table is OUTCOMES:
        recipe, is_inspected = _keep_inspected(recipe)
        rows = rows[is_inspected]
    source = recipe.source
    work = Findings(table, recipe.columns, source, recipe.labels())
    result = _canonical(recipe, work)
    bad = work.bad
    failures = work.failures(result)
    failures["row"] = rows[failures["row"].to_numpy(np.intp)]
    is_aside = is_other.copy()
    is_aside[rows[bad]] = True
    used = np.zeros(len(whole), bool)
    used[rows[~bad]] = True
    note_sources(
        whole, result, used=used, failures=failures, table=table, columns=columns
    )
    return ValidationReport(
        table=result[~bad] if bad.any() else result,
        set_aside=whole[is_aside],
        failures=_add_other_flows(failures, whole, recipe, is_other),
        name=table.name,
        ignored=ignored,
        notes=work.messages,
    )


def _near_names(report: ValidationReport, table: Table) -> list[Message]:
    """Return a message for each unused column that has almost the name of a field."""
    absent = {plain_name(n): n for n in table.names if n not in report._table}
    known = set(map(plain_name, table.names))
    others = [c for c in report.ignored if plain_name(c) not in known]
    pairs = [
        (column, absent[near])
        for column in others
        for near in get_close_matches(plain_name(column), absent, 1, _NEAR)
    ]
    return [
        Message(
            "validation.column_of_similar_name",
            "{table}: no field takes the column {column!r}, and there is no "
            "{field!r}. If it is the same, pass ColumnMap({{{field!r}: {column!r}}}).",
            table=table.name,
            column=column,
            field=field,
        )
        for column, field in pairs
    ]


def _same_names(
    report: ValidationReport, table: Table, columns: ColumnMap | None
) -> list[Message]:
    """Return a message for each unused column with the name of a field that is there.

    A map that names the column of the field has chosen.
    """
    chosen = frozenset() if columns is None else columns.mapping.keys()
    there = {plain_name(n): n for n in table.names if n in report._table}
    return [
        Message(
            "validation.column_of_same_name",
            "{table}: the column {column!r} is not used: another one has the name of "
            "the field {field!r} as well. Drop one, or name the right one in the "
            "ColumnMap.",
            table=table.name,
            column=column,
            field=field,
        )
        for column in report.ignored
        if (field := there.get(plain_name(column))) is not None and field not in chosen
    ]


def _canonical(recipe: Recipe, work: Findings) -> pd.DataFrame:
    """Return the canonical frame of all rows; what is wrong is recorded."""
    table, source = recipe.table, recipe.source
    named, filled = recipe.columns_as_written(work), None
    if table is OUTCOMES:
        named, filled = fill_labels(named)
    done: dict[str, pd.Series] = {}
    for field in recipe:
        if field.name not in named:
            named[field.name] = recipe.series(field.name, work, done)
        done[field.name] = COERCE[field.kind](field, named.pop(field.name), work)
    note_empty_columns(done, work)
    numbered = "item_number" in done
    _add_item_number(done, work)
    done = keep_unknown(done, filled)
    done |= recipe.share_totals(done, work)
    done |= recipe.references(done, work)
    recipe.report_absent(work)
    recipe.report_flows(done, work)
    result = pd.DataFrame(done, index=source.index)
    flags = [name for name in done if name.startswith("dq_")]
    order = (*table.names, *recipe.own, *flags)
    result = result[[name for name in order if name in result]]
    _check_keys(result, work)
    for name, (field_name, flag) in _quality_flags(result, table).items():
        result[name] = flag
        reason = _DOUBTS.get(name, "zero")
        rows = np.flatnonzero(flag)
        work.note(rows, field_name, reason, result[field_name], "warning")
    for name in ("origin", "departure"):
        if name in result:
            none = np.zeros(len(result), bool)
            result[f"dq_unknown_{name}"] = work.flags.pop(f"dq_unknown_{name}", none)
    for name, flag in work.flags.items():
        result[name] = flag
    if table is OUTCOMES and not numbered:
        result[NO_ITEM_NUMBER] = True
    for name in _find_carried(source, result):
        result[name] = source[name]
    recipe.describe(result)
    return result


def _add_other_flows(
    failures: pd.DataFrame,
    whole: pd.DataFrame,
    recipe: Recipe,
    is_other: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return failures with a line for each row that is no import."""
    if not is_other.any():
        return failures
    work = Findings(recipe.table, recipe.columns, whole, recipe.labels())
    column = recipe.flow_column
    rows = np.flatnonzero(is_other)
    here = work.under("flow", str(column))
    here.note(rows, "flow", "not an import", whole[column], "set aside")
    others = work.failures(pd.DataFrame(index=whole.index))
    return pd.concat([failures, others], ignore_index=True) if len(failures) else others


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


def _unused_columns(recipe: Recipe) -> list[str]:
    """Return the columns that nothing names, flags of an earlier check excepted."""
    used = {str(column) for column in recipe.found.values()} | {SOURCE_ROW}
    for field in (*DECLARATIONS.names, *OUTCOMES.names, *recipe.own):
        used.update(recipe.columns.sources(field))
    names = [str(column) for column in recipe.source.columns]
    return [n for n in names if n not in used and not n.startswith("dq_")]


def _find_carried(source: pd.DataFrame, result: pd.DataFrame) -> list[str]:
    """Return columns that go through as they are: lines, and flags made elsewhere."""
    names = [name for name in source.columns if isinstance(name, str)]
    return [
        name
        for name in names
        if name not in result and (name == SOURCE_ROW or name.startswith("dq_"))
    ]


def _refuse_later_columns(table: Table, ignored: list[str], columns: ColumnMap) -> None:
    """Refuse results among what was declared.

    A column that the map names as a field of OUTCOMES is not refused: the caller knows
    what it is, and it is not part of a declaration.
    """
    if table is not DECLARATIONS:
        return
    later = {plain_name(f.name) for f in OUTCOMES if f.known == "inspection"}
    mapped = {column for f in OUTCOMES for column in columns.sources(f.name)}
    leaks = [n for n in ignored if plain_name(n) in later and n not in mapped]
    if leaks:
        raise LeakageError(
            "validation.result_among_declarations",
            "DECLARATIONS: columns known only after a control: {columns}. Drop "
            "them here and pass results as OUTCOMES, or map them in the ColumnMap: "
            "ColumnMap({{'illicit': column, ...}}).",
            columns=format_values(leaks),
        )


def _keep_inspected(recipe: Recipe) -> tuple[Recipe, NDArray[np.bool_]]:
    """Leave out items without a result where one table holds items and results.

    Such a table has tariff codes. Its items are numbered before any is left out, so
    that both halves get the same keys.
    """
    goods = recipe.columns.sources("tariff_code") or ("tariff_code",)
    if goods[0] not in recipe.source.columns:
        return recipe, np.ones(len(recipe.source), bool)
    ignored = scratch(recipe)
    labels = {
        name: recipe.series(name, ignored, {})
        for name in ("illicit", "document_illicit")
        if name in recipe
    }
    is_inspected = has_result(labels)
    if "item_number" not in recipe:
        ids = recipe.series("declaration_id", ignored, {})
        number = _number_in_order(ids)
        recipe = dataclasses.replace(recipe, given={"item_number": number})
    return recipe.keep(is_inspected), is_inspected


def _add_item_number(done: dict[str, pd.Series], work: Findings) -> None:
    """Add item numbers in the order of the rows when there are none."""
    if "item_number" not in done and work.table is OUTCOMES:
        number_results(done, work)
    elif "item_number" not in done and "declaration_id" in done:
        number = _number_in_order(done["declaration_id"])
        done["item_number"] = number
        several = np.flatnonzero(number.to_numpy() > 1)
        values = number.to_numpy()
        work.note(several, "item_number", "numbered by order", values, "repaired")


def _number_in_order(ids: pd.Series) -> pd.Series:
    """Return 1, 2, 3 for the rows of each document; 1 where it is not named."""
    number = ids.groupby(ids, dropna=False).cumcount() + 1
    return number.where(ids.notna(), 1).astype(np.int64)


def _check_keys(result: pd.DataFrame, work: Findings) -> None:
    """Record duplicate keys, unless the table holds several rows of a key."""
    key = list(work.table.key)
    missing = any(name not in result for name in key)
    if missing or work.source.empty or work.table.repeats:
        return
    ids = result[key[0]]
    if ids.is_unique:
        return
    repeated = result.duplicated(key, keep=False)
    repeated &= ~pd.Series(work.bad, index=result.index)
    kind = "duplicate key" if tuple(key) == KEY else "duplicate row"
    work.note(np.flatnonzero(repeated), key[0], kind, ids)


def _quality_flags(
    result: pd.DataFrame, table: Table
) -> dict[str, tuple[str, NDArray[np.bool_]]]:
    """Return what is doubtful but legal: columns, and the field that each is about."""
    flags: dict[str, tuple[str, NDArray[np.bool_]]] = {}
    if table is DECLARATIONS:
        for name in ("net_mass_kg", "customs_value", "quantity"):
            if name in result:
                flags[f"dq_zero_{name}"] = name, (result[name] == 0).to_numpy()
        if {"net_mass_kg", "gross_mass_kg"} <= set(result):
            over = result["net_mass_kg"] > result["gross_mass_kg"] * _ROUNDED_MASS
            flags["dq_net_exceeds_gross"] = "net_mass_kg", over.to_numpy()
    if table is OUTCOMES and "revenue_adjustment" in result:
        adjustment = result["revenue_adjustment"]
        clean = (result["illicit"] == 0).to_numpy(bool, na_value=False)
        contradicts = clean & (adjustment > 0).to_numpy()
        flags["dq_contradiction"] = "illicit", contradicts
        negative = (adjustment < 0).to_numpy()
        flags["dq_negative_adjustment"] = "revenue_adjustment", negative
    if table is OUTCOMES and {"known_at", "inspected_at"} <= set(result):
        early = result["known_at"] < result["inspected_at"]
        flags["dq_known_before_inspected"] = "known_at", early.to_numpy()
    return flags
