"""Files in and out: text stays text on the way in, cells cannot act on the way out."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pandas as pd

from smartrisk import schema
from smartrisk.artefact import write_file
from smartrisk.datasets import load_kcs
from smartrisk.errors import ArgumentError, TableError
from smartrisk.pages import escape_formula
from smartrisk.validation import check, validate

BUILT_IN = {"kcs": schema.KCS, "date": schema.DATE, "asycuda": schema.ASYCUDA}
_PARQUET = (".parquet", ".pq")


def read(path: str) -> pd.DataFrame:
    """Read a CSV (every cell as text) or Parquet file."""
    place = Path(path)
    if not place.is_file():
        raise ArgumentError(
            "cli.file_csv_parquet_file",
            "no file {path!r}. Pass a CSV or Parquet file.",
            path=path,
        )
    try:
        if place.suffix.lower() in _PARQUET:
            return pd.read_parquet(place)
        return _read_csv(place)
    except (ValueError, TypeError, KeyError) as error:
        # What pandas and Arrow say of damaged files are ValueErrors of many kinds.
        reason = str(error).splitlines()[0][:200] if str(error) else "no content"
        raise TableError(
            "cli.cannot_read_save_csv",
            "{path!r} cannot be read as {value}: {reason}. Save it as CSV in "
            "UTF-8, or as Parquet.",
            path=path,
            value=place.suffix or "CSV",
            reason=reason,
        ) from error


def columns_of(text: str | None) -> schema.ColumnMap | None:
    """Return a column map by the name of a built-in one, or from a TOML file."""
    if text is None:
        return None
    if text.lower() in BUILT_IN:
        return BUILT_IN[text.lower()]
    if not Path(text).is_file():
        raise ArgumentError(
            "cli.columns_neither_file_nor",
            "--columns: {text!r} is neither a file nor one of {BUILT_IN}. "
            "Write one with ColumnMap(...).to_toml(path).",
            text=text,
            BUILT_IN=", ".join(BUILT_IN),
        )
    try:
        return schema.ColumnMap.from_toml(text)
    except UnicodeDecodeError as error:
        raise ArgumentError(
            "cli.columns_utf_text",
            "--columns: {text!r} is not UTF-8 text.",
            text=text,
        ) from error


def declarations_of(asked: argparse.Namespace) -> pd.DataFrame:
    """Return the DECLARATIONS that a command was given."""
    if asked.kcs is not None:
        _refuse_both(asked)
        return load_kcs(asked.kcs, part=_part(asked)).declarations
    if asked.declarations is None:
        raise ArgumentError(
            "cli.declarations_given_file_kcs",
            "no declarations given. Pass a file, or --kcs PATH.",
        )
    frame = read(asked.declarations)
    columns = columns_of(asked.columns)
    if asked.declarations == getattr(asked, "outcomes", None):
        columns = _with_results(columns, frame)
    return validate(
        frame, schema.DECLARATIONS, columns=columns, on_error=asked.on_error
    )


def outcomes_of(asked: argparse.Namespace) -> pd.DataFrame:
    """Return the OUTCOMES that a command was given."""
    if asked.kcs is not None:
        return load_kcs(asked.kcs, part=_part(asked)).outcomes
    if asked.outcomes is None:
        raise ArgumentError(
            "cli.outcomes_given_outcomes_file",
            "no outcomes given. Pass --outcomes FILE with the results of the "
            "inspected items; it may be the file of the declarations when it "
            "holds both.",
        )
    return validate(
        read(asked.outcomes),
        schema.OUTCOMES,
        columns=columns_of(asked.outcome_columns or asked.columns),
        on_error=asked.on_error,
    )


def _with_results(
    columns: schema.ColumnMap | None, frame: pd.DataFrame
) -> schema.ColumnMap:
    """Say which columns of one file for both are results, by their plain names."""
    columns = columns or schema.ColumnMap({})
    found = {f.name: f.name for f in schema.OUTCOMES if f.name in frame}
    return dataclasses.replace(columns, mapping=found | dict(columns.mapping))


def write(frame: pd.DataFrame, path: str, *, safe: bool = True) -> Path:
    """Write a frame as CSV or Parquet, by the ending, all or nothing.

    In a safe CSV no text cell can act as a formula of a spreadsheet.
    """
    place = Path(path)
    kind = place.suffix.lower()
    if kind not in (".csv", *_PARQUET):
        raise ArgumentError(
            "cli.end_csv_parquet",
            "{path!r} must end in .csv or .parquet.",
            path=path,
        )
    if kind in _PARQUET:
        return write_file(place, lambda draft: frame.to_parquet(draft, index=False))
    kept = inert(frame) if safe else frame
    return write_file(place, lambda d: kept.to_csv(d, index=False, lineterminator="\n"))


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts begin with an apostrophe where they could act."""
    kept = frame.copy()
    for name in kept:
        if not pd.api.types.is_numeric_dtype(kept[name].dtype):
            kept[name] = kept[name].map(escape_formula, na_action="ignore")
    return kept


def _read_csv(place: Path) -> pd.DataFrame:
    """Read every cell as text; codes keep their zeros, Namibia its NA."""
    return pd.read_csv(
        place,
        dtype=str,
        keep_default_na=False,
        sep=_separator(place),
        encoding="utf-8-sig",
    )


def _separator(place: Path) -> str:
    """Return the sign between columns: the most frequent of three in the header."""
    with place.open(encoding="utf-8-sig") as file:
        header = file.readline()
    return max(",;\t", key=header.count)


def _refuse_both(asked: argparse.Namespace) -> None:
    given = [asked.declarations, getattr(asked, "outcomes", None), asked.columns]
    if any(value is not None for value in given):
        raise ArgumentError(
            "cli.files_kcs_both",
            "pass files, or --kcs, not both.",
        )


def _part(asked: argparse.Namespace) -> str | None:
    return str(asked.part) if Path(asked.kcs).is_dir() else None


__all__ = [
    "check",
    "columns_of",
    "declarations_of",
    "inert",
    "outcomes_of",
    "read",
    "write",
]
