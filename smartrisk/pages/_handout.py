"""Handouts: a text of the workshop as a page that prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from smartrisk.displays import Texts
from smartrisk.errors import MissingExtraError
from smartrisk.pages._page import Page

#: Where a slide begins: every heading of the second level.
_SLIDE = re.compile(r"(?=<h2>)")


@dataclass(frozen=True, kw_only=True)
class Handout(Page):
    """A text in Markdown as a page: offline, one file, and fit to print.

    The text is in its language already; `lang` of `to_html` must be the same.

    Parameters
    ----------
    title : str
        Title of the page.
    kind : str
        What it is, above the title.
    meta : str, default=""
        A line below the title.
    text : str
        Markdown with tables; HTML in it is escaped.
    slides : bool, default=False
        Whether each heading of the second level begins a slide.

    Examples
    --------
    >>> from smartrisk.pages import Handout
    >>> page = Handout(title="Cheat sheet", kind="Workshop", text="Ten **calls**.")
    >>> "Ten <strong>calls</strong>." in page.to_html()
    True
    """

    _template: ClassVar[str] = "handout.html"
    title: str
    kind: str
    text: str
    meta: str = ""
    slides: bool = False

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        from markupsafe import Markup

        html = _render(self.text)
        parts = _SLIDE.split(html) if self.slides else [html]
        return {
            "kind": self.kind,
            "title": self.title,
            "meta": self.meta,
            "parts": [Markup(part) for part in parts if part.strip()],
            "slides": self.slides,
        }


def _render(text: str) -> str:
    """Return Markdown as HTML; HTML in the text is escaped."""
    try:
        from markdown_it import MarkdownIt
    except ImportError as error:
        raise MissingExtraError("markdown-it-py", extra="workshop") from error
    made = str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
    opened = '<div class="wide"><table class="long">'
    return made.replace("<table>", opened).replace("</table>", "</table></div>")
