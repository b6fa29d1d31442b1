"""Files in and out: read as they are, written so that no cell acts as a formula.

A command receives its files as `DataFiles` and reads them with `load_declarations` and
`load_outcomes`. Errors and warnings of a file name that file.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from smartrisk import intake, schema
from smartrisk.artefact import write_file
from smartrisk.cli._messages import naming_file
from smartrisk.datasets import load_kcs
from smartrisk.errors import ArgumentError, format_values
from smartrisk.items import NO_ITEM_NUMBER
from smartrisk.lineage import SOURCE_ROW
from smartrisk.pages import escape_formula, table_from_words
from smartrisk.validation import validate

_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, kw_only=True)
class DataFiles:
    """Files that a command reads: an administration's own, or the Korean set.

    Parameters
    ----------
    declarations : str, default=None
        File of declarations, folder of Parquet files, or address of a database.
    outcomes : str, default=None
        The same for results; it may be that of the declarations.
    columns : str, default=None
        Name of a built-in column map, or a TOML file, for the declarations.
    outcome_columns : str, default=None
        The same for the outcomes; None to use `columns`.
    header : str, default=None
        File of the documents, where that of the declarations holds their items only.
    on : str, default=None
        Columns that both have, separated by commas, which identify a document.
    level : {"document", "item"}, default=None
        What a result is about, where results have no item number.
    on_error : {"raise", "set_aside"}, default="raise"
        What happens to rows that cannot be used.
    kcs : str, default=None
        Folder or file of the Korean set, instead of all other files.
    part : str, default="train"
        Part of the Korean set, when `kcs` is a folder.
    """

    declarations: str | None = None
    outcomes: str | None = None
    columns: str | None = None
    outcome_columns: str | None = None
    header: str | None = None
    on: str | None = None
    level: Literal["document", "item"] | None = None
    on_error: Literal["raise", "set_aside"] = "raise"
    kcs: str | None = None
    part: str = "train"

    @property
    def has_outcomes(self) -> bool:
        """Whether the request names results."""
        return self.outcomes is not None or self.kcs is not None


def load_declarations(files: DataFiles) -> pd.DataFrame:
    """Return the DECLARATIONS of a request."""
    if files.kcs is not None:
        _check_one_source(files)
        return load_kcs(files.kcs, part=_select_kcs_part(files)).declarations
    if files.declarations is None:
        raise ArgumentError(
            "cli.no_declarations", "no declarations given. Pass a file, or --kcs PATH."
        )
    columns = load_column_map(files.columns)
    frame = read_table(files.declarations, columns, files.on_error)
    frame = add_header(frame, files.header, files.on, columns, files.on_error)
    if files.declarations == files.outcomes:
        columns = add_result_columns(columns, frame)
    with naming_file(files.declarations):
        return validate(
            frame, schema.DECLARATIONS, columns=columns, on_error=files.on_error
        )


def load_outcomes(files: DataFiles, items: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the OUTCOMES of a request; results of documents are placed on `items`."""
    if files.kcs is not None:
        return load_kcs(files.kcs, part=_select_kcs_part(files)).outcomes
    if files.outcomes is None:
        raise ArgumentError(
            "cli.no_outcomes",
            "no outcomes given. Pass --outcomes FILE with the results of the "
            "inspected items; it may be the file of the declarations when it "
            "holds both.",
        )
    columns = load_column_map(files.outcome_columns or files.columns)
    frame = read_table(files.outcomes, columns, files.on_error)
    with naming_file(files.outcomes):
        outcomes = validate(
            frame, schema.OUTCOMES, columns=columns, on_error=files.on_error
        )
        if files.level != "document" or items is None:
            return outcomes
        return _place_on_items(outcomes, items)


def add_header(
    items: pd.DataFrame,
    header: str | None,
    on: str | None,
    columns: schema.ColumnMap | None = None,
    on_error: Literal["raise", "set_aside"] = "raise",
) -> pd.DataFrame:
    """Return a table of items with the columns of the file of their documents.

    Parameters
    ----------
    items : DataFrame
        Items as they were read.
    header : str or None
        File of the documents; None returns the items as they are.
    on : str or None
        Columns that both have, separated by commas.
    columns : ColumnMap, default=None
        Map of the joined table.
    on_error : {"raise", "set_aside"}, default="raise"
        What happens to lines of the header that are no rows.
    """
    if header is None:
        if on is not None:
            raise ArgumentError(
                "cli.on_without_header",
                "--on names the columns that join --header to the items. Pass --header "
                "FILE, or leave --on out.",
            )
        return items
    documents = intake.read_table(header, on_error=on_error)
    if on is None:
        both = [name for name in documents if name in items and name != SOURCE_ROW]
        raise ArgumentError(
            "cli.header_without_on",
            "--header {path!r}: which columns identify a document? Name them with --on "
            "COLUMN,COLUMN. Both files have {columns}.",
            path=header,
            columns=format_values(both, 10) or "-",
        )
    with naming_file(header):
        return intake.join_documents(
            documents,
            items,
            on=[name.strip() for name in on.split(",")],
            columns=columns,
        ).declarations


def _place_on_items(outcomes: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return results of documents as results of their items."""
    names = ["item_number", NO_ITEM_NUMBER]
    placed = intake.join_documents(
        items[["declaration_id"]].drop_duplicates(),
        items[["declaration_id", "item_number"]],
        on="declaration_id",
        outcomes=outcomes.drop(columns=[name for name in names if name in outcomes]),
        level="document",
    ).outcomes
    return outcomes if placed is None else validate(placed, schema.OUTCOMES)


def read_table(
    path: str,
    columns: schema.ColumnMap | None = None,
    on_error: Literal["raise", "set_aside"] = "raise",
) -> pd.DataFrame:
    """Read a table as it is written: a file of any kind, or a query of a database.

    Parameters
    ----------
    path : str
        File, folder of Parquet files, or address of a database.
    columns : ColumnMap, default=None
        Its `file` says how the file is written; what it does not say is found.
    on_error : {"raise", "set_aside"}, default="raise"
        What happens to lines that are no rows.
    """
    file = None if columns is None else columns.file
    frame = intake.read_table(path, file=file, on_error=on_error)
    # What the library wrote in French or Spanish is handed back as it is.
    return frame if columns is not None else table_from_words(frame)


def load_column_map(name_or_path: str | None) -> schema.ColumnMap | None:
    """Return a column map by the name of a built-in one, or from a TOML file."""
    if name_or_path is None:
        return None
    if name_or_path.lower() in schema.PRESETS:
        return schema.ColumnMap.preset(name_or_path.lower())
    if not Path(name_or_path).is_file():
        raise ArgumentError(
            "cli.unknown_column_map",
            "--columns: {name!r} is neither a file nor one of {built_in}. "
            "Write one with ColumnMap(...).to_toml(path).",
            name=name_or_path,
            built_in=", ".join(schema.PRESETS),
        )
    try:
        with naming_file(name_or_path):
            return schema.ColumnMap.from_toml(name_or_path)
    except UnicodeDecodeError as error:
        raise ArgumentError(
            "cli.column_map_not_utf8",
            "--columns: {path!r} is not UTF-8 text. Save it as UTF-8.",
            path=name_or_path,
        ) from error


def write_table(frame: pd.DataFrame, path: str, *, escape: bool = True) -> Path:
    """Write a frame as CSV or Parquet, by the ending, whole or not at all.

    With `escape`, no text of a CSV can act as a formula of a spreadsheet.
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in (".csv", *_PARQUET):
        raise ArgumentError(
            "cli.unknown_file_kind",
            "{path!r} must end in .csv or .parquet.",
            path=path,
        )
    if kind in _PARQUET:
        return write_file(file, lambda draft: frame.to_parquet(draft, index=False))
    cells = escape_formulas(frame) if escape else frame
    # The same bytes on every system: pandas would end lines as the system does.
    return write_file(
        file, lambda draft: cells.to_csv(draft, index=False, lineterminator="\n")
    )


def escape_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with an apostrophe before texts that a spreadsheet would run."""
    escaped = frame.copy()
    for name in escaped:
        if not pd.api.types.is_numeric_dtype(escaped[name].dtype):
            escaped[name] = escaped[name].map(escape_formula, na_action="ignore")
    return escaped


def add_result_columns(
    columns: schema.ColumnMap | None, frame: pd.DataFrame
) -> schema.ColumnMap:
    """Return the map of one file for both tables: its results under their own names.

    Without it, the columns of results would count as unknown fields of declarations.
    """
    columns = columns or schema.ColumnMap({})
    results = {f.name: f.name for f in schema.OUTCOMES if f.name in frame}
    return dataclasses.replace(columns, mapping=results | dict(columns.mapping))


def _check_one_source(files: DataFiles) -> None:
    """Refuse own files together with the Korean set."""
    own = (files.declarations, files.outcomes, files.columns, files.header)
    if any(value is not None for value in own):
        raise ArgumentError("cli.two_sources", "pass files, or --kcs, not both.")


def _select_kcs_part(files: DataFiles) -> str | None:
    """Return the part of the Korean set; a single file has no parts."""
    return files.part if files.kcs and Path(files.kcs).is_dir() else None
