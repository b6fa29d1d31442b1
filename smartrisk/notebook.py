"""What a result shows in a notebook: its line, and the head of its table."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["InNotebook"]

_MOST = 20  # rows shown


class InNotebook:
    """A result with a `frame`, shown as a table in a notebook.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.notebook import InNotebook
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
        table = frame.round(4).to_html(index=False, max_rows=_MOST, border=0)
        size = f"{len(frame):,} × {frame.shape[1]}"
        return f"<p><code>{escape(said)}</code> ({size})</p>\n{table}"
