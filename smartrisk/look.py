"""The look that every page has, texts fit to be shown, and results in notebooks."""

from __future__ import annotations

import unicodedata
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["POLICY", "InNotebook", "plain", "style"]

#: Content security policy of every page: nothing that is not on it.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_MOST = 20  # rows shown in a notebook
_BLANK = ("Cc", "Co", "Cs", "Cn")
_GONE = ("Cf", "Zl", "Zp")  # directions, joiners, marks without width


def plain(text: str, longest: int = 300) -> str:
    r"""Return a text without control, direction or private characters, cut short.

    Parameters
    ----------
    text : str
        Any text, of any length.
    longest : int, default=300
        Most characters; what is longer ends with an ellipsis.

    Returns
    -------
    text : str
        The rest; it is not escaped.

    Examples
    --------
    >>> from smartrisk.look import plain
    >>> plain("safe\u202eexe.gnp", 7)
    'safeex…'
    """
    if text.isascii() and text.isprintable():
        kept = text
    else:
        kinds = ((c, unicodedata.category(c)) for c in text[: 4 * longest])
        kept = "".join(
            " " if kind in _BLANK else c for c, kind in kinds if kind not in _GONE
        )
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


@cache
def style() -> str:
    """Return the style sheet of every page: light and dark, narrow and wide, printed.

    Returns
    -------
    css : str
        To be put into a ``<style>`` element.

    Examples
    --------
    >>> from smartrisk.look import style
    >>> "prefers-color-scheme:dark" in style()
    True
    """
    return (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def _cell(value: Any) -> Any:
    """Return a cell of a table, texts fit to be shown."""
    return plain(value, 200) if isinstance(value, str) else value


class InNotebook:
    """A result with a `frame`, shown as a table in a notebook.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.look import InNotebook
    >>> class Found(InNotebook):
    ...     def frame(self):
    ...         return pd.DataFrame({"field": ["<b>"]})
    >>> "&lt;b&gt;" in Found()._repr_html_()
    True
    """

    def frame(self) -> Any:
        """Return the numbers of the result.

        Returns
        -------
        frame : DataFrame
            Its table.
        """
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """Show the first rows, every text escaped."""
        frame = self.frame()
        said = type(self).__name__
        if type(self).__repr__ is not object.__repr__:
            said = repr(self).splitlines()[0][:200]
        first = frame.head(_MOST).round(4).map(_cell)
        table = first.to_html(index=False, border=0)
        size = f"{len(frame):,} × {frame.shape[1]}"
        return f"<p><code>{escape(said)}</code> ({size})</p>\n{table}"
