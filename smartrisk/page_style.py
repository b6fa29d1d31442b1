"""The style of every page and figure: style sheet, colours, security policy.

Reads the style sheet that ships with the library; writes text for ``<style>`` elements.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["COLOURS", "CONTENT_POLICY", "GREY", "INK", "LINES", "style_sheet"]

#: Content security policy of every page: it loads nothing that is not on the page.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
#: Okabe and Ito (2008): distinct for people with any colour vision, and in grey.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
)
#: Secondary text and axes.
GREY = "#6B6B6B"
#: Text.
INK = "#222222"
#: Rules and grid lines.
LINES = "#E4E4E4"


@cache
def style_sheet() -> str:
    """Return the style sheet of every page: light and dark, narrow and wide, printed.

    Returns
    -------
    css : str
        Text for a ``<style>`` element.

    Examples
    --------
    >>> from smartrisk.page_style import style_sheet
    >>> "prefers-color-scheme:dark" in style_sheet()
    True
    """
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
