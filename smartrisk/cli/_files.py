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
from smartrisk.errors import ArgumentError
from smartrisk.pages import escape_formula
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
    on_error: Literal["raise", "set_aside"] = "raise"
    kcs: str | None = None
    part: str = "train"


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
    if files.declarations == files.outcomes:
        columns = _add_result_columns(columns, frame)
    with naming_file(files.declarations):
        return validate(
            frame, schema.DECLARATIONS, columns=columns, on_error=files.on_error
        )


def load_outcomes(files: DataFiles) -> pd.DataFrame:
    """Return the OUTCOMES of a request."""
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
        return validate(
            frame, schema.OUTCOMES, columns=columns, on_error=files.on_error
        )


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
    return intake.read_table(path, file=file, on_error=on_error)


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


def _add_result_columns(
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
    own = (files.declarations, files.outcomes, files.columns)
    if any(value is not None for value in own):
        raise ArgumentError("cli.two_sources", "pass files, or --kcs, not both.")


def _select_kcs_part(files: DataFiles) -> str | None:
    """Return the part of the Korean set; a single file has no parts."""
    return files.part if files.kcs and Path(files.kcs).is_dir() else None
