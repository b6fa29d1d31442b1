"""Tables for spreadsheets, in which no text can act as a formula."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.errors import MissingExtraError, check_choice
from smartrisk.languages import has_decimal_point

_TRIGGERS = ("=", "+", "-", "@", "|", "%")
#: Widths of columns in characters: from where a number can be read, to half a screen.
_NARROWEST, _WIDEST = 10, 70
#: Characters of a cell that every spreadsheet opens.
_LONGEST = 32_000
#: Characters that XML cannot hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
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
    >>> from smartrisk.spreadsheets import escape_formula
    >>> escape_formula("=1+1"), escape_formula(-1.5), escape_formula("A-1")
    ("'=1+1", -1.5, 'A-1')
    """
    if not isinstance(value, str):
        return value
    bare = next((c for c in value if unicodedata.category(c)[0] not in "ZC"), "")
    text = value.replace("\x00", "")
    risky = bare.translate(_WIDE).startswith(_TRIGGERS)
    return f"'{text}" if risky or text.startswith(("\t", "\r", "\n")) else text


def write_table(
    frame: pd.DataFrame, path: str | Path, place: str, *, lang: str = "en"
) -> Path:
    """Write a table as CSV or XLSX.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : str or Path
        File that ends in ``.csv`` or ``.xlsx``; its folder is created when absent.
    place : str
        Name of the caller, for error messages.
    lang : str, default="en"
        Language whose spreadsheets open a CSV file: where they have a decimal comma,
        the file has it too, and semicolons between the columns.

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
    >>> from smartrisk.spreadsheets import write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pd.DataFrame({"id": ["=1+1"]})
    ...     path = write_table(frame, f"{folder}/a.csv", "demo")
    ...     path.read_text("utf-8-sig").split()
    ['id', "'=1+1"]
    """
    target = Path(path)
    check_choice(place, "path ending", target.suffix.lower(), (".csv", ".xlsx"))
    if target.suffix.lower() == ".csv":
        safe = frame.rename(columns=escape_formula).map(escape_formula)
        form: dict[str, Any] = {"encoding": "utf-8-sig", "lineterminator": "\r\n"}
        if not has_decimal_point(lang):
            form |= {"sep": ";", "decimal": ","}
        return write_file(target, lambda draft: safe.to_csv(draft, index=False, **form))
    return write_book({"Sheet": frame}, target)


def write_book(sheets: Mapping[str, pd.DataFrame], path: str | Path) -> Path:
    """Write several tables as the sheets of one workbook.

    Parameters
    ----------
    sheets : mapping of str to DataFrame
        Tables by the name of their sheet, of up to 31 characters.
    path : str or Path
        File that ends in ``.xlsx``; its folder is created when absent.

    Returns
    -------
    path : Path
        The file, written as a whole or not at all; no text acts as a formula.

    Raises
    ------
    MissingExtraError
        If openpyxl is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from smartrisk.spreadsheets import write_book
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sheets = {"Figures": pd.DataFrame({"office": ["A"], "n": [3]})}
    ...     write_book(sheets, f"{folder}/figures.xlsx").name
    'figures.xlsx'
    """
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise MissingExtraError("openpyxl", extra="xlsx") from error
    book = Workbook(write_only=True)
    for name, frame in sheets.items():
        _fill(book.create_sheet(name), frame)
    return write_file(path, book.save)


def _fill(sheet: Any, frame: pd.DataFrame) -> None:
    """Fill a sheet, whose texts are typed as texts, and widen its columns."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    columns = [[str(name), *column.astype(object)] for name, column in frame.items()]
    cells = [list(map(_clean, column)) for column in columns]
    for place, column in enumerate(cells, 1):
        longest = max(len(x) if isinstance(x, str) else 0 for x in column)
        width = min(max(_NARROWEST, longest + 2), _WIDEST)
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(zip(*cells, strict=True)):
        shown: list[Any] = list(row)
        for place, value in enumerate(row):
            if not isinstance(value, str):
                continue
            is_long = len(value) > _WIDEST
            # Elsewhere a plain text is typed as a text by itself.
            if number == 0 or is_long or value.startswith(("#", "=")):
                cell = WriteOnlyCell(sheet, value)
                cell.data_type = "s"
                if number == 0:
                    cell.font = bold
                if is_long:
                    cell.alignment = wrapped
                shown[place] = cell
        sheet.append(shown)


def _clean(value: Any) -> Any:
    """Return a cell that a workbook can hold; missing is empty."""
    if isinstance(value, str):
        text = _CONTROL.sub("", escape_formula(value))[:_LONGEST]
        return text.encode("utf-8", "replace").decode("utf-8")
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    return value
