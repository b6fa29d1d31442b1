"""Tables for spreadsheets, in which no text can act as a formula."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.errors import MissingExtraError, check_choice

_TRIGGERS = ("=", "+", "-", "@", "|", "%")
_WIDE = str.maketrans("＝＋－＠", "=+-@")


def escape_formula(value: Any) -> Any:
    """Return a cell that no spreadsheet runs: a text like a formula gets an apostrophe.

    Parameters
    ----------
    value : object
        A cell.

    Returns
    -------
    value : object
        The same, but a text that begins like a formula gets an apostrophe in front;
        leading blanks and full-width characters do not hide a formula.

    Examples
    --------
    >>> from smartrisk.pages import escape_formula
    >>> escape_formula("=1+1"), escape_formula(-1.5), escape_formula("A-1")
    ("'=1+1", -1.5, 'A-1')
    """
    if not isinstance(value, str):
        return value
    bare = next((c for c in value if unicodedata.category(c)[0] not in "ZC"), "")
    text = value.replace("\x00", "")
    risky = bare.translate(_WIDE).startswith(_TRIGGERS)
    return f"'{text}" if risky or text.startswith(("\t", "\r", "\n")) else text


def write_table(frame: pd.DataFrame, path: str | Path, place: str) -> Path:
    """Write a table as CSV or XLSX.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : str or Path
        File that ends in ``.csv`` or ``.xlsx``; its folder is created when absent.
    place : str
        Name of the caller, for error messages.

    Returns
    -------
    path : Path
        The file, written as a whole or not at all; no text acts as a formula.

    Raises
    ------
    ArgumentError
        If the ending is another one.
    MissingExtraError
        If openpyxl is not installed, and the file is a workbook.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from smartrisk.pages import write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pd.DataFrame({"id": ["=1+1"]})
    ...     path = write_table(frame, f"{folder}/a.csv", "demo")
    ...     path.read_text("utf-8-sig").split()
    ['id', "'=1+1"]
    """
    target = Path(path)
    check_choice(place, "path ending", target.suffix.lower(), (".csv", ".xlsx"))
    safe = frame.rename(columns=escape_formula).map(escape_formula)
    if target.suffix.lower() == ".csv":
        form: dict[str, Any] = {"encoding": "utf-8-sig", "lineterminator": "\r\n"}
        return write_file(target, lambda draft: safe.to_csv(draft, index=False, **form))
    return write_file(target, lambda draft: _write_xlsx(safe, draft))


def _write_xlsx(frame: pd.DataFrame, target: Path) -> Path:
    """Write a sheet whose texts are typed as texts."""
    try:
        from openpyxl import Workbook
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    except ImportError as error:
        raise MissingExtraError("openpyxl", extra="xlsx") from error
    book = Workbook()
    sheet = book.active
    for row, values in enumerate([list(frame), *frame.to_numpy(object).tolist()], 1):
        for column, value in enumerate(values, 1):
            cell = sheet.cell(row=row, column=column)
            if value is None or value is pd.NA or value is pd.NaT or value != value:
                continue
            if isinstance(value, str):
                value = ILLEGAL_CHARACTERS_RE.sub("", value)[:32_000]
                cell.value = value.encode("utf-8", "replace").decode("utf-8")
                cell.data_type = "s"
            else:
                cell.value = value
    sheet.freeze_panes = "A2"
    book.save(target)
    return target
