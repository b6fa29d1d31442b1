"""How a column map is applied: one column per field, as the administration wrote it.

Steps run in a fixed order: columns are joined, split, or made dates; values are mapped,
then filled with zeros; amounts are added up and converted. The grammar of the field's
kind reads the result. Rows are never lost here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message, TableError, format_values, suggest_nearest
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import (
    CURRENCY,
    DECLARATIONS,
    FLOWS,
    OWN_FIELDS,
    RENAMED,
    TIME_ZONE,
    ColumnMap,
    Field,
    Table,
)
from smartrisk.validation._recipe_amounts import make_amounts, share_out
from smartrisk.validation._recipe_parts import (
    fill_zeros,
    join_columns,
    make_dates,
    map_values,
    single_values,
    split_column,
)
from smartrisk.validation._recipe_tables import take_references
from smartrisk.validation._report import Findings
from smartrisk.validation._values import COERCE

#: Columns of Brazil's public file Comex Stat (balanca.economia.gov.br): year, month,
#: tariff code, office.
_COMEX_STAT = frozenset({"CO_ANO", "CO_MES", "CO_NCM", "CO_URF"})
#: Fields of goods lines: a table of headers has none of them.
_GOODS = frozenset(("item_number", "tariff_code", "description", "quantity"))
#: Missing columns that an error names with a suggestion each.
_MOST_MISSING = 5


def own_field(name: str, kind: str) -> Field:
    """Return the field that an administration declares as its own."""
    return Field(name, kind, "own", "field of the administration")


@dataclass(frozen=True, eq=False)
class Recipe:
    """A frame, its map, and where each field comes from.

    `found` holds the columns of fields that are one column; `given` holds columns that
    were made before, by position.
    """

    table: Table
    columns: ColumnMap
    source: pd.DataFrame
    found: Mapping[str, Hashable]
    own: Mapping[str, Field]
    given: Mapping[str, pd.Series] = dataclasses.field(default_factory=dict)
    absent: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Return whether the frame and the map give a field."""
        return name in self.found or name in self.given or self.is_made(name)

    def __iter__(self) -> Iterator[Field]:
        """Yield the fields that the frame and the map give, in order."""
        for field in (*self.table, *self.own.values()):
            if field.name in self:
                yield field

    def is_made(self, name: str) -> bool:
        """Return whether a step of the map makes a field of this table."""
        is_here = name in self.table or name in self.own
        is_here &= name not in self.absent
        return is_here and name in self.columns.made

    def keep(self, rows: NDArray[np.bool_]) -> Recipe:
        """Return the recipe of some rows."""
        given = {name: series[rows] for name, series in self.given.items()}
        return dataclasses.replace(self, source=self.source[rows], given=given)

    def labels(self) -> dict[str, str]:
        """Return the administration's columns of each field, as one text."""
        labels = {name: str(column) for name, column in self.found.items()}
        for name in self.columns.made:
            labels[name] = " + ".join(self.columns.sources(name))
        return labels

    def raw(self, column: str, field: str, work: Findings) -> pd.Series:
        """Return a column as it came; cells that hold several values are empty."""
        return single_values(self.source[column], work.under(field, column))

    @property
    def flow_column(self) -> Hashable | None:
        """The column that says whether a row is an import, where there is one."""
        column = self.found.get("flow", self.columns.mapping.get("flow"))
        return column if column in self.source.columns else None

    def columns_as_written(self, work: Findings) -> dict[str, pd.Series]:
        """Return the column of each field that needs no amounts of others."""
        money = {*self.columns.sums, *self.columns.convert, *self.columns.units}
        return {
            field.name: self.series(field.name, work, {})
            for field in self
            if field.name not in money
        }

    def share_totals(
        self, done: Mapping[str, pd.Series], work: Findings
    ) -> dict[str, pd.Series]:
        """Return fields whose column holds totals of documents, shared out."""
        names = [name for name in self.columns.shared if name in done]
        return share_out(names, self.columns.shared, done, work)

    def report_absent(self, work: Findings) -> None:
        """Report which optional columns the table does not have."""
        if self.absent:
            work.report(
                Message(
                    "validation.optional_columns_absent",
                    "{table}: the table does not have the optional columns {columns}.",
                    table=self.table.name,
                    columns=", ".join(map(repr, dict.fromkeys(self.absent.values()))),
                )
            )

    def report_flows(self, done: Mapping[str, pd.Series], work: Findings) -> None:
        """Report how many rows do not state whether they are imports."""
        missing = done["flow"].isna().to_numpy() if "flow" in done else np.zeros(0)
        if missing.any():
            work.report(
                Message(
                    "validation.flow_missing",
                    "{table}: {n_rows} rows do not state their flow (column "
                    "{column!r}); they count as imports.",
                    table=self.table.name,
                    n_rows=int(missing.sum()),
                    column=str(self.flow_column),
                )
            )

    def references(
        self, done: Mapping[str, pd.Series], work: Findings
    ) -> dict[str, pd.Series]:
        """Return the fields of reference tables; results have none."""
        if self.table is not DECLARATIONS or not self.columns.references:
            return {}
        return take_references(self, done, work)

    def describe(self, result: pd.DataFrame) -> None:
        """Say in the attributes of a canonical frame what its columns cannot say."""
        before = self.source.attrs.get(RENAMED, {})  # a canonical table keeps them
        labels = {n: c for n, c in self.labels().items() if n in result and n != c}
        labels = {**{n: c for n, c in before.items() if n in result}, **labels}
        if labels:
            result.attrs[RENAMED] = labels
        if self.own:
            kinds = {name: field.kind for name, field in self.own.items()}
            result.attrs[OWN_FIELDS] = kinds
        currency = self.columns.currency or self.source.attrs.get(CURRENCY)
        if currency is not None:
            result.attrs[CURRENCY] = currency
        zone = self.columns.time_zone or self.source.attrs.get(TIME_ZONE)
        if zone is not None:
            result.attrs[TIME_ZONE] = zone

    def series(
        self, name: str, work: Findings, done: Mapping[str, pd.Series]
    ) -> pd.Series:
        """Return the column of a field, as the map makes it."""
        columns = self.columns
        if name in self.given:
            return self.given[name]
        if name in columns.sums or name in columns.convert or name in columns.units:
            return make_amounts(self, name, work, done)
        if name in columns.join:
            series = join_columns(self, name, columns.join[name], work)
        elif name in columns.dates:
            series = make_dates(self, name, columns.dates[name], work)
        elif self.is_made(name):
            series = split_column(self, name, work)
        else:
            series = single_values(self.source[self.found[name]], work, name)
        label = self.labels().get(name, name)
        if name in columns.values:
            here = work.under(name, label)
            series = map_values(series, columns.values[name], here)
        if name in columns.widths:
            series = fill_zeros(series, columns.widths[name], work.under(name, label))
        return series


def scratch(recipe: Recipe) -> Findings:
    """Return findings that nobody reads, to look at columns before they are checked."""
    return Findings(recipe.table, recipe.columns, recipe.source, {})


def find_recipe(source: pd.DataFrame, table: Table, columns: ColumnMap) -> Recipe:
    """Return where each field of a table comes from; raise when a column is missing.

    A column that the map names must be there under exactly this name. A field that the
    map does not name is found under its canonical name, whatever its case.
    """
    _refuse_aggregates(source, table)
    own = _own_fields(source, table, columns)
    by_plain_name: dict[str, list[Hashable]] = {}
    for column in source.columns:
        by_plain_name.setdefault(plain_name(str(column)), []).append(column)
    found: dict[str, Hashable] = {}
    missing: list[tuple[str, str]] = []
    absent: dict[str, str] = {}
    for field in (*table, *own.values()):
        sources = columns.sources(field.name)
        lacking = [(field.name, c) for c in sources if c not in source.columns]
        if lacking and field.name in columns.optional:
            absent[field.name] = lacking[0][1]
            continue
        missing += lacking
        is_made = field.name in columns.made or field.name in _taken_fields(columns)
        if field.name in columns.mapping:
            found[field.name] = columns.mapping[field.name]
        elif not is_made:
            here = _find_column(field.name, source, table, by_plain_name)
            if here is not None:
                found[field.name] = here
            elif field.required or field.name in columns.own_fields:
                missing.append((field.name, field.name))
    if missing:
        refuse_header(source, table, [name for name, _ in missing], found)
        raise_missing_columns(source, table, missing)
    return Recipe(table, columns, source, found, own, absent=absent)


def _refuse_aggregates(source: pd.DataFrame, table: Table) -> None:
    """Refuse statistics that are published by month, without documents."""
    names = {str(column).strip().upper() for column in source.columns}
    if table is DECLARATIONS and names >= _COMEX_STAT:
        raise TableError(
            "validation.monthly_aggregates",
            "{table}: these are monthly aggregates of Brazil's Comex Stat (columns "
            "{columns}): a row is no item, there is no document and no trader. Ask for "
            "the declarations behind them.",
            table=table.name,
            columns=format_values(sorted(_COMEX_STAT)),
        )


def _own_fields(
    source: pd.DataFrame, table: Table, columns: ColumnMap
) -> dict[str, Field]:
    """Return the own fields of a table: those of the map, and those that it had.

    A canonical table says which of its columns are own fields.
    """
    if table is not DECLARATIONS:
        return {}
    before = source.attrs.get(OWN_FIELDS, {})
    kept = {name: kind for name, kind in before.items() if name in source.columns}
    return {n: own_field(n, kind) for n, kind in {**kept, **columns.own_fields}.items()}


def _taken_fields(columns: ColumnMap) -> set[str]:
    """Return the fields of reference tables."""
    return {name for reference in columns.references for name in reference.take}


def _find_column(
    name: str,
    source: pd.DataFrame,
    table: Table,
    by_plain_name: Mapping[str, Sequence[Hashable]],
) -> Hashable | None:
    """Return the column of a field that the map does not name."""
    if name in source.columns:
        return name
    same = by_plain_name.get(plain_name(name), ())
    if len(same) > 1:
        raise TableError(
            "validation.columns_of_one_field",
            "{table}: {columns} could all be {field!r}. Say which one is: "
            "ColumnMap({{{field!r}: column}}).",
            table=table.name,
            columns=format_values(same),
            field=name,
        )
    return same[0] if same else None


def plain_name(name: str) -> str:
    """Return a column name without case, white space and separators."""
    return re.sub(r"[\s_.\-]+", "", name).casefold()


def keep_imports(recipe: Recipe) -> tuple[Recipe, NDArray[np.bool_]]:
    """Return the recipe of the imports, and which rows are exports or transit.

    What is wrong with an export is nobody's concern here; in its row the country is a
    destination. Rows that do not say are taken for imports.
    """
    none = np.zeros(len(recipe.source), bool)
    field = DECLARATIONS["flow"]
    column = recipe.flow_column
    if column is None:
        return recipe, none
    whole = dataclasses.replace(recipe, found={**recipe.found, "flow": column})
    ignored = scratch(whole)
    flow = COERCE[field.kind](field, whole.series("flow", ignored, {}), ignored)
    others = flow.isin([code for code in FLOWS if code != "import"]).to_numpy(bool)
    return (recipe.keep(~others) if others.any() else recipe), others


def refuse_header(
    source: pd.DataFrame,
    table: Table,
    missing: list[str],
    found: Mapping[str, Hashable],
) -> None:
    """Raise where a table is one of documents, without the items of which they are."""
    document = found.get("declaration_id")
    has_no_goods = not _GOODS & set(found)
    if table is not DECLARATIONS or "tariff_code" not in missing or document is None:
        return
    if has_no_goods and source[document].is_unique:
        raise TableError(
            "validation.header_without_items",
            "{table}: this is a table of documents (headers): column {document!r} is "
            "another in every row, and there is nothing about goods: no tariff_code, "
            "no item_number, no description. A row must be an item. Join the table of "
            "the items to it: smartrisk.intake.join_documents(header, items, "
            "on={document!r}).",
            table=table.name,
            document=str(document),
        )


def raise_missing_columns(
    source: pd.DataFrame, table: Table, missing: list[tuple[str, str]]
) -> None:
    """Raise with the missing columns, the nearest names, and the columns there are."""
    given = [name for name in source.columns if name != SOURCE_ROW]  # it is ours
    hints = [_describe_missing(*pair, given) for pair in missing]
    present = format_values(given) or "none"
    if len(missing) == 1:
        raise TableError(
            "validation.column_missing",
            "{table}: 1 column is missing: {hints}. The table has {present}. Name your "
            "own columns with ColumnMap({{field: column}}); 'smartrisk map' proposes "
            "one.",
            table=table.name,
            hints=hints[0],
            present=present,
        )
    raise TableError(
        "validation.columns_missing",
        "{table}: {n_missing} columns are missing: {hints}. The table has {present}. "
        "Name your own columns with ColumnMap({{field: column}}); 'smartrisk map' "
        "proposes one.",
        table=table.name,
        n_missing=len(missing),
        hints="; ".join(hints[:_MOST_MISSING]),
        present=present,
    )


def _describe_missing(name: str, wanted: str, columns: Iterable[Hashable]) -> str:
    """Return a missing column, its field where that has another name, and a guess."""
    field = "" if name == wanted else f" for field {name!r}"
    guess = suggest_nearest(wanted, map(str, columns)).strip()
    return f"{wanted!r}{field}" + (f" ({guess})" if guess else "")
