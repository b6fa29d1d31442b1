"""Results: the base of everything that the library computes and returns.

A result keeps its numbers private and read-only, returns them as tables with `frame`,
and shows itself in a notebook. Displays draw results.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result", "clean_text", "notebook_table", "text_table"]

#: Rows shown in a notebook; more would push the rest of the notebook off the screen.
_MOST_ROWS = 20
#: Longest text of a cell or a caption: about two lines of a screen.
_MOST_CHARACTERS = 200
#: Digits after the point of a number in a notebook: scores differ in the third.
_DECIMALS = 4
#: Control, private and unassigned characters, line and paragraph separators.
_SPACE_CATEGORIES = ("Cc", "Co", "Cs", "Cn", "Zl", "Zp")
#: Direction marks and joiners: without width, and able to reorder a text.
_REMOVED_CATEGORIES = ("Cf",)


def clean_text(text: str, max_length: int = 300) -> str:
    r"""Return a text without control, direction and private-use characters, cut short.

    Use it on everything that comes from a table before it is shown to a person: a
    direction mark can make ``gnp.exe`` look like ``exe.png``.

    Parameters
    ----------
    text : str
        Any text, of any length.
    max_length : int, default=300
        Maximum number of characters; a longer text is cut and ends with an ellipsis.

    Returns
    -------
    text : str
        The cleaned text. It is not escaped for HTML.

    Examples
    --------
    >>> from smartrisk.results import clean_text
    >>> clean_text("safe\u202eexe.gnp", 7)
    'safeex…'
    """
    if text.isascii() and text.isprintable():
        kept = text
    else:
        # Four times the length is enough: few texts consist of marks only.
        kinds = ((c, unicodedata.category(c)) for c in text[: 4 * max_length])
        kept = "".join(
            " " if kind in _SPACE_CATEGORIES else c
            for c, kind in kinds
            if kind not in _REMOVED_CATEGORIES
        )
    return kept if len(kept) <= max_length else f"{kept[: max_length - 1]}…"


def text_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str
) -> str:
    """Return texts as an HTML table, every text cleaned and escaped.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    rows : iterable of sequence of object
        One sequence of values per row; None is shown as an empty cell.
    title : str
        Caption above the table.

    Returns
    -------
    html : str
        A caption and a table of left-aligned cells.

    Examples
    --------
    >>> from smartrisk.results import text_table
    >>> html = text_table(["field", "column"], [("office", "<bureau>")], "ColumnMap")
    >>> "&lt;bureau&gt;" in html
    True
    """
    cells = [["" if v is None else str(v) for v in row] for row in rows]
    return _html_table(list(columns), cells, ["left"] * len(columns), title)


def notebook_table(frame: pd.DataFrame, title: str) -> str:
    """Return the first rows of a table as HTML, every text escaped, texts left-aligned.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The table.
    title : str
        Caption above the table.

    Returns
    -------
    html : str
        A caption with the shape of the table, and its first 20 rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.results import notebook_table
    >>> html = notebook_table(pd.DataFrame({"field": ["<b>"]}), "Example")
    >>> "&lt;b&gt;" in html, "(1 × 1)" in html
    (True, True)
    """
    head = frame.head(_MOST_ROWS)
    columns = [head.iloc[:, place] for place in range(frame.shape[1])]
    texts = [_column_texts(column) for column in columns]
    sides = ["right" if c.dtype.kind in "biufcmM" else "left" for c in columns]
    shape = f" ({len(frame):,} × {frame.shape[1]})"
    names = [str(name) for name in frame.columns]
    return _html_table(names, list(zip(*texts, strict=True)), sides, title, shape)


def _column_texts(column: pd.Series) -> list[str]:
    """Return the values of a column as texts; numbers have equally many decimals."""
    if column.dtype.kind != "f":
        return [_cell_text(value) for value in column]
    texts = [f"{value:.{_DECIMALS}f}" for value in column.astype("float64")]
    used = [len(text.rstrip("0").partition(".")[2]) for text in texts]
    decimals = max(used, default=0)
    return [f"{value:.{decimals}f}" for value in column.astype("float64")]


def _cell_text(value: object) -> str:
    """Return one value as a text."""
    return f"{value:.{_DECIMALS}g}" if isinstance(value, float) else str(value)


def _html_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    sides: Sequence[str],
    title: str,
    shape: str = "",
) -> str:
    """Return cells as an HTML table; every text is cleaned, cut and escaped here."""
    head = "".join(
        _html_cell("th", name, side) for name, side in zip(columns, sides, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            _html_cell("td", text, side) for text, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    caption = f"<p><code>{_escaped_text(title)}</code>{shape}</p>"
    return (
        f"{caption}\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def _html_cell(tag: str, text: str, side: str) -> str:
    """Return a cell. Notebooks align all cells to the right unless a style differs."""
    return f'<{tag} style="text-align:{side}">{_escaped_text(text)}</{tag}>'


def _escaped_text(text: str) -> str:
    """Return a text cleaned, cut short, and escaped for HTML."""
    return escape(clean_text(text, _MOST_CHARACTERS))


class Result:
    """Base of every result: a table on request, a short repr, a view for notebooks.

    A subclass stores its numbers in private attributes and defines `frame`. Results
    compare by identity: the comparison of two tables has no single truth value.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.results import Result
    >>> class Counts(Result):
    ...     def frame(self):
    ...         return pd.DataFrame({"office": ["<b>", "A2"], "n_items": [3, 4]})
    >>> Counts()
    Counts(2 rows)
    >>> "&lt;b&gt;" in Counts()._repr_html_()
    True
    """

    def frame(self) -> pd.DataFrame:
        """Return the numbers of the result.

        Returns
        -------
        frame : DataFrame
            A copy; changing it does not change the result.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the name of the class and the number of rows."""
        n_rows = len(self.frame())
        return f"{type(self).__name__}({n_rows} row{'' if n_rows == 1 else 's'})"

    def _repr_html_(self) -> str:
        """Return the first rows as HTML for a notebook."""
        return notebook_table(self.frame(), repr(self).splitlines()[0])
