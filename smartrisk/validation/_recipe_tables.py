"""Tables beside the items: exchange rates by day, and reference tables as of a day."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    Message,
    TableError,
    format_values,
    suggest_nearest,
)
from smartrisk.schema import DECLARATIONS, HS_LEVELS, ColumnMap, Field, Reference
from smartrisk.tables import read_table
from smartrisk.validation._recipe_parts import CODE_PART, DATE_PART, NUMBER_PART
from smartrisk.validation._report import Findings
from smartrisk.validation._values import COERCE

if TYPE_CHECKING:
    from smartrisk.validation._recipe import Recipe

Numbers: TypeAlias = NDArray[np.float64]
Moments: TypeAlias = NDArray[np.datetime64]
Rows: TypeAlias = NDArray[np.int64]

#: Values of a table without a match that are named.
_MOST_VALUES = 5
#: Moments of a table without days.
_ALWAYS = np.datetime64("0001-01-01", "us")
#: A day without a time says that something was recorded in the course of it.
_DAY = pd.Timedelta(days=1)
#: The moments whose rate a result has, in order of preference.
_RATE_DAYS = ("lodged_at", "inspected_at", "known_at")
_RATES = "rates"


def _load(columns: ColumnMap, name: str, file: str | None) -> pd.DataFrame:
    """Return a table beside the items: a frame of the caller, or a file."""
    if name in columns.frames:
        frame: Any = columns.frames[name]
        if not isinstance(frame, (pd.DataFrame, Mapping)):
            table: pd.DataFrame = read_table(
                "ColumnMap", f"the reference {name!r}", frame
            )
            return table
        return frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(dict(frame))
    if file is None:
        raise TableError(
            "validation.no_reference",
            "ColumnMap: the reference {name!r} has no table. Name its 'file', or pass "
            "it: ColumnMap(..., frames={{{name!r}: frame}}).",
            name=name,
        )
    path = Path(columns.folder or ".") / file
    if not path.is_file():
        raise TableError(
            "validation.no_reference_file",
            "ColumnMap: the reference {name!r} has no file {path!r}. Its path is "
            "relative to the folder of the map.",
            name=name,
            path=str(path),
        )
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return _read_csv(path)
    except (ValueError, OSError) as error:
        # Pandas and Arrow raise ValueErrors of many kinds; so does Python on bytes.
        raise TableError(
            "validation.reference_unreadable_file",
            "ColumnMap: the file {path!r} of the reference {name!r} cannot be read: "
            "{reason}. Save it as CSV in UTF-8, or as Parquet; or read it with "
            "intake.read_table and pass frames={{{name!r}: frame}}.",
            path=str(path),
            name=name,
            reason=(str(error).splitlines() or ["no content"])[0],
        ) from error


def _read_csv(path: Path) -> pd.DataFrame:
    """Return a CSV with every cell as text; comma, semicolon and tab are found."""
    with path.open(encoding="utf-8-sig") as stream:
        header = stream.readline()
    separator = max(",;\t", key=header.count)
    return pd.read_csv(
        path, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig"
    )


def _need_columns(name: str, frame: pd.DataFrame, wanted: list[str]) -> None:
    """Refuse a table that lacks columns."""
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise TableError(
            "validation.reference_columns_missing",
            "ColumnMap: the reference {name!r} lacks the columns {missing}.{hint} It "
            "has {present}.",
            name=name,
            missing=format_values(missing),
            hint=suggest_nearest(missing[0], map(str, frame.columns)),
            present=format_values(frame.columns),
        )


def _read(
    name: str,
    frame: pd.DataFrame,
    fields: Mapping[str, Field],
    columns: ColumnMap,
) -> dict[str, pd.Series]:
    """Return columns of a table read by the grammar; what cannot be read is refused."""
    work = Findings(DECLARATIONS, columns, frame, {})
    read = {
        column: COERCE[field.kind](field, frame[column], work.under(column, column))
        for column, field in fields.items()
    }
    if work.bad.any():
        failures = work.failures(pd.DataFrame(index=frame.index))
        errors = failures[failures["severity"] == "error"]
        first = errors.iloc[0]
        raise TableError(
            "validation.reference_unreadable",
            "ColumnMap: the reference {name!r} has {n_rows} rows that cannot be used; "
            "column {column!r}: {reason} in {n_first} rows: {values}. Correct them.",
            name=name,
            n_rows=int(work.bad.sum()),
            column=str(first["field"]),
            reason=str(first["reason"]),
            n_first=int((errors["field"] == first["field"]).sum()),
            values=format_values(errors["value"].unique()),
            failures=failures,
        )
    return read


def find_rates(
    recipe: Recipe, codes: pd.Series, done: Mapping[str, pd.Series]
) -> Numbers:
    """Return the rate of each row's currency on its day; NaN where there is none."""
    days = next((done[name] for name in _RATE_DAYS if name in done), None)
    rates = np.full(len(codes), np.nan)
    if days is None:
        return rates
    table = _rate_table(recipe.columns)
    moments = days.to_numpy("datetime64[us]")
    for currency, rows in table.groupby("currency", sort=False):
        here = np.flatnonzero((codes == currency).to_numpy(bool) & ~np.isnat(moments))
        starts = rows["valid_from"].to_numpy("datetime64[us]")
        found = np.searchsorted(starts, moments[here], side="right") - 1
        values = np.append(rows["rate"].to_numpy(np.float64), np.nan)
        rates[here] = values[found]
    return rates


def _rate_table(columns: ColumnMap) -> pd.DataFrame:
    """Return the rates: national currency for one unit, by currency and first day."""
    table = columns.rates
    names = dict(table.names) if table is not None else {}
    names = {k: names.get(k, k) for k in ("currency", "valid_from", "rate")}
    if table is not None and table.rows:
        rows = [(row.currency, row.valid_from, row.rate) for row in table.rows]
        frame = pd.DataFrame(rows, columns=list(names))
        frame["valid_from"] = frame["valid_from"].astype("datetime64[us]")
    else:
        given = _load(columns, _RATES, table.file if table is not None else None)
        _need_columns(_RATES, given, list(names.values()))
        low = np.nextafter(0.0, 1.0)
        fields = {
            names["currency"]: dataclasses.replace(CODE_PART, nullable=False),
            names["valid_from"]: DATE_PART,
            names["rate"]: dataclasses.replace(NUMBER_PART, nullable=False, low=low),
        }
        read = _read(_RATES, given, fields, columns)
        frame = pd.DataFrame({ours: read[theirs] for ours, theirs in names.items()})
    if table is not None and table.direction == "foreign_per_national":
        frame["rate"] = 1.0 / frame["rate"]
    _refuse_doubles(_RATES, frame, ["currency", "valid_from"], frame["currency"])
    return frame.sort_values("valid_from", kind="stable")


def _refuse_doubles(
    name: str, frame: pd.DataFrame, by: list[str], shown: pd.Series
) -> None:
    """Refuse rows that say two things at the same moment."""
    twice = frame.duplicated(by, keep=False).to_numpy(bool)
    if twice.any():
        raise TableError(
            "validation.reference_doubles",
            "ColumnMap: the reference {name!r} has {n_rows} rows with the same key at "
            "the same moment: {values}. Keep one row of each.",
            name=name,
            n_rows=int(twice.sum()),
            values=format_values(shown[twice].unique()),
        )


def take_references(
    recipe: Recipe, done: Mapping[str, pd.Series], work: Findings
) -> dict[str, pd.Series]:
    """Return fields of reference tables, each as of the item's lodgement."""
    taken: dict[str, pd.Series] = {}
    for reference in recipe.columns.references:
        known = {**done, **taken}
        taken |= _take(recipe, reference, known, work)
    return taken


def _take(
    recipe: Recipe,
    reference: Reference,
    known: Mapping[str, pd.Series],
    work: Findings,
) -> dict[str, pd.Series]:
    """Return the fields of one reference table."""
    frame = _load(recipe.columns, reference.name, reference.file)
    _need_columns(reference.name, frame, list(reference.columns))
    keys = [_item_key(reference.name, field, known) for field in reference.key]
    read = _read_reference(recipe, reference, frame)
    theirs = [read["key", field] for field in reference.key]
    ours, rows = _common_codes(keys, theirs)
    since, order = _moments(reference, read, rows)
    lodged = known["lodged_at"].to_numpy("datetime64[us]")
    found = _find_as_of(rows, since, order, ours, lodged)
    _report_unmatched(reference, keys, found, work)
    out = {}
    for field in reference.take:
        values = read["take", field].reset_index(drop=True)
        out[field] = values.reindex(found).set_axis(work.source.index)
        out[field] = out[field].astype(values.dtype)
    return out


def _item_key(name: str, field: str, known: Mapping[str, pd.Series]) -> pd.Series:
    """Return the column of items that a reference is looked up by."""
    source = "tariff_code" if field in HS_LEVELS else field
    if source not in known:
        raise TableError(
            "validation.reference_key_missing",
            "ColumnMap: the reference {name!r} is looked up by {field!r}, which the "
            "items do not have.{hint} Map the field.",
            name=name,
            field=source,
            hint=suggest_nearest(source, known),
        )
    series = known[source]
    return series.str[: HS_LEVELS[field]] if field in HS_LEVELS else series


def _read_reference(
    recipe: Recipe, reference: Reference, frame: pd.DataFrame
) -> dict[tuple[str, str], pd.Series]:
    """Return keys, taken columns and moments of a reference, read by the grammar."""
    fields = {**{f.name: f for f in DECLARATIONS}, **recipe.own}
    hs_key = Field("part", "text", "goods", "digits of the tariff")
    read: dict[tuple[str, str], pd.Series] = {}
    for field, column in reference.key.items():
        kind = hs_key if field in HS_LEVELS else fields[field]
        kind = dataclasses.replace(kind, nullable=True)
        found = _read(reference.name, frame, {column: kind}, recipe.columns)[column]
        width = HS_LEVELS.get(field)
        read["key", field] = found.str.zfill(width) if width else found
    for field, column in reference.take.items():
        kind = dataclasses.replace(fields[field], nullable=True)
        found = _read(reference.name, frame, {column: kind}, recipe.columns)[column]
        read["take", field] = found
    for name in ("valid_from", "recorded_at"):
        column = getattr(reference, name)
        if column is not None:
            moments = _read(reference.name, frame, {column: DATE_PART}, recipe.columns)
            read["moment", name] = moments[column]
    return read


def _common_codes(items: list[pd.Series], theirs: list[pd.Series]) -> tuple[Rows, Rows]:
    """Return one number per key, the same in both tables; -1 for incomplete keys."""
    n_items = len(items[0])
    codes = np.zeros(n_items + len(theirs[0]), np.int64)
    for ours, other in zip(items, theirs, strict=True):
        both = pd.concat([ours.astype(object), other.astype(object)])
        part, unique = pd.factorize(both)
        codes = np.where((codes < 0) | (part < 0), -1, codes * (len(unique) + 1) + part)
        codes = np.where(codes < 0, -1, pd.factorize(codes)[0])
    return codes[:n_items], codes[n_items:]


def _moments(
    reference: Reference, read: Mapping[tuple[str, str], pd.Series], rows: Rows
) -> tuple[Moments, Rows]:
    """Return from when each row counts, and its rank among those that count.

    A row counts from the later of both moments. Of the rows that count, that with the
    latest `valid_from` holds, and of these the one recorded last. Where rows are
    recorded by the day, one counts from the next day: nobody knows whether it was there
    when an item was lodged.
    """
    always = pd.Series(_ALWAYS, index=range(len(rows)), dtype="datetime64[us]")
    recorded = read.get(("moment", "recorded_at"), always).reset_index(drop=True)
    valid = read.get(("moment", "valid_from"), recorded).reset_index(drop=True)
    frame = pd.DataFrame({"key": rows, "valid": valid, "recorded": recorded})
    shown = pd.Series(
        list(zip(*(read["key", f] for f in reference.key), strict=True))
        if len(reference.key) > 1
        else read["key", next(iter(reference.key))].to_numpy()
    )
    is_known = rows >= 0
    _refuse_doubles(
        reference.name,
        frame[is_known],
        ["key", "valid", "recorded"],
        shown[is_known],
    )
    if reference.recorded_at is not None and recorded.eq(recorded.dt.normalize()).all():
        frame["recorded"] += _DAY
    since = frame[["valid", "recorded"]].max(axis=1).to_numpy("datetime64[us]")
    rank = np.empty(len(frame), np.int64)
    rank[np.lexsort((recorded.to_numpy(), valid.to_numpy()))] = np.arange(len(frame))
    return since, rank


def _find_as_of(
    rows: Rows, since: Moments, rank: Rows, items: Rows, moments: Moments
) -> Rows:
    """Return the row that holds for each item at its moment; -1 where none does."""
    order = np.lexsort((rank, since, rows))
    order = order[rows[order] >= 0]
    sorted_rows, sorted_since = rows[order], since[order].astype(np.int64)
    best = pd.Series(rank[order]).groupby(sorted_rows).cummax().to_numpy(np.int64)
    by_rank = np.empty(len(rank), np.int64)
    by_rank[rank] = np.arange(len(rank))
    found = np.full(len(items), -1, np.int64)
    usable = np.flatnonzero((items >= 0) & ~np.isnat(moments))
    if not len(order) or not len(usable):
        return found
    # Both tables in one order of key and moment; rows of the reference come first.
    key = np.concatenate([sorted_rows, items[usable]])
    when = np.concatenate([sorted_since, moments[usable].astype(np.int64)])
    is_item = np.arange(len(key)) >= len(order)
    merged = np.lexsort((is_item, when, key))
    last = np.maximum.accumulate(np.where(is_item[merged], -1, merged))
    at = np.empty(len(key), np.int64)
    at[merged] = last
    row = at[len(order) :]
    same = row >= 0
    same[same] &= sorted_rows[row[same]] == items[usable][same]
    found[usable[same]] = by_rank[best[row[same]]]
    return found


def _report_unmatched(
    reference: Reference, keys: list[pd.Series], found: Rows, work: Findings
) -> None:
    """Report how many items have no row in a reference."""
    without = found < 0
    if not without.any():
        return
    parts = [key[without].tolist() for key in keys]
    shown = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
    values = pd.unique(pd.Series(shown, dtype=object).dropna())
    work.report(
        Message(
            "validation.reference_unmatched",
            "The reference {name!r} has no row for {n_rows} of {n_items} items, by "
            "{key}: {values}.",
            name=reference.name,
            n_rows=int(without.sum()),
            n_items=len(found),
            key=format_values(reference.key),
            values=format_values(values[:_MOST_VALUES]),
        )
    )
