"""Results: the base of everything that the library computes and hands back.

A result keeps its numbers private and read-only, returns them as tables with `frame`,
and shows itself in a notebook. Displays draw results.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result", "clean_text", "notebook_table"]

#: Rows shown in a notebook; more pushes the rest of the notebook off the screen.
_SHOWN_ROWS = 20
#: Longest text shown in a cell of a notebook table.
_SHOWN_CHARACTERS = 200
_REPLACED_CATEGORIES = ("Cc", "Co", "Cs", "Cn")
#: Directions, joiners, separators: characters without width that can reorder a text.
_REMOVED_CATEGORIES = ("Cf", "Zl", "Zp")


def clean_text(text: str, max_length: int = 300) -> str:
    r"""Return a text without control, direction and private-use characters, cut short.

    Use it on everything that comes from a table before it is shown to a person: a
    direction mark can make ``gnp.exe`` look like ``exe.png``.

    Parameters
    ----------
    text : str
        Any text, of any length.
    max_length : int, default=300
        Most characters; a longer text is cut and ends with an ellipsis.

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
        # Four times the length is enough: few texts consist of marks alone.
        kinds = ((c, unicodedata.category(c)) for c in text[: 4 * max_length])
        kept = "".join(
            " " if kind in _REPLACED_CATEGORIES else c
            for c, kind in kinds
            if kind not in _REMOVED_CATEGORIES
        )
    return kept if len(kept) <= max_length else f"{kept[: max_length - 1]}…"


def notebook_table(frame: pd.DataFrame, title: str) -> str:
    """Return the first rows of a table as HTML, every text escaped, texts left-aligned.

    Parameters
    ----------
    frame : DataFrame
        The table.
    title : str
        Line above it; it is escaped.

    Returns
    -------
    html : str
        A caption with the shape of the table, and the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.results import notebook_table
    >>> html = notebook_table(pd.DataFrame({"field": ["<b>"]}), "Example")
    >>> "&lt;b&gt;" in html, "(1 × 1)" in html
    (True, True)
    """
    shown = frame.head(_SHOWN_ROWS).round(4).map(_cleaned_cell)
    is_text = [dtype.kind not in "biufcmM" for dtype in frame.dtypes]
    table = _left_aligned(shown.to_html(index=False, border=0), is_text)
    shape = f"{len(frame):,} × {frame.shape[1]}"
    return f"<p><code>{escape(title)}</code> ({shape})</p>\n{table}"


def _left_aligned(table: str, is_text: list[bool]) -> str:
    """Return an HTML table of pandas whose text columns are left-aligned.

    Pandas aligns all columns alike, and its Styler needs an optional package.
    """
    lines, column = [], 0
    for line in table.splitlines():
        tag = line.strip()[:3]
        if tag == "<tr":
            column = 0
        elif tag in ("<td", "<th"):
            if is_text[column]:
                line = line.replace(tag, f'{tag} style="text-align:left"', 1)
            column += 1
        lines.append(line)
    return "\n".join(lines)


def _cleaned_cell(value: Any) -> Any:
    """Return a cell of a table, its text cleaned."""
    return clean_text(value, _SHOWN_CHARACTERS) if isinstance(value, str) else value


class Result:
    """Base of every result: a table on request, a short repr, a view for notebooks.

    A subclass stores its numbers in private attributes and defines `frame`. Results are
    compared by identity: two tables have no single truth value.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.results import Result
    >>> class Found(Result):
    ...     def frame(self):
    ...         return pd.DataFrame({"field": ["<b>"]})
    >>> Found()
    Found(1 rows)
    >>> "&lt;b&gt;" in Found()._repr_html_()
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
        return f"{type(self).__name__}({len(self.frame())} rows)"

    def _repr_html_(self) -> str:
        """Return the first rows as HTML for a notebook."""
        title = repr(self).splitlines()[0][:_SHOWN_CHARACTERS]
        return notebook_table(self.frame(), title)
