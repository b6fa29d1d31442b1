"""Handouts: a text of the workshop as a page that prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar

from smartrisk.displays import Texts
from smartrisk.errors import MissingExtraError, check_choice
from smartrisk.pages._page import Page

#: Where a slide begins: every heading of the second level.
_SLIDE = re.compile(r"(?=<h2>)")
#: How a handout looks and prints, by the name of its class in the style sheet.
_LAYOUTS = ("text", "sheet", "form", "certificate", "slides")
#: Code in a text, which stays as it is.
_CODE = re.compile(r"(`[^`]*`)")
#: Spaces at which no line may break: before "%", and before French punctuation.
_GLUE = re.compile(r" (?=[;:?!%»](?:[\s|.,;:)*?!»]|$))|(?<=«) ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Handout(Page):
    r"""A text in Markdown as a page: offline, one file, and fit to print.

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
    layout : {"text", "sheet", "form", "certificate", "slides"}, default="text"
        How it looks and prints: "sheet" is dense, for one A4; "form" has boxes before
        the items of a list and in empty cells, and lines to write on (``___``);
        "certificate" is centred on one A4 across; with "slides", each heading of the
        second level begins a slide as high as the screen, which Page Down turns.

    Raises
    ------
    ArgumentError
        If `layout` is unknown.

    Notes
    -----
    `to_html` needs the extra ``workshop``, and raises `MissingExtraError` without it.

    Examples
    --------
    >>> from smartrisk.pages import Handout
    >>> page = Handout(title="Cheat sheet", kind="Workshop", text="Ten **calls**.")
    >>> "Ten <strong>calls</strong>." in page.to_html()
    True
    >>> slides = Handout(
    ...     title="A day", kind="Workshop", text="## One\n\n## Two", layout="slides"
    ... )
    >>> slides.to_html().count("<section>")
    2
    """

    _template: ClassVar[str] = "handout.html"
    title: str
    kind: str
    text: str
    meta: str = ""
    layout: str = "text"

    def __post_init__(self) -> None:
        check_choice("Handout", "layout", self.layout, _LAYOUTS)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        from markupsafe import Markup

        html = _render(self.text, self.title)
        parts = _SLIDE.split(html) if self.layout == "slides" else [html]
        return {
            "kind": self.kind,
            "title": self.title,
            "meta": self.meta,
            "parts": [Markup(part) for part in parts if part.strip()],
            "layout": self.layout,
        }


def _render(text: str, label: str) -> str:
    """Return Markdown as HTML; HTML in the text is escaped.

    `label` names the tables that scroll to the side, for people who hear the page.
    """
    try:
        from markdown_it import MarkdownIt
    except ImportError as error:
        raise MissingExtraError("markdown-it-py", extra="workshop") from error
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    made = str(markdown.render(_glue(text)))
    opened = (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(label)}">'
        '<table class="long">'
    )
    return made.replace("<table>", opened).replace("</table>", "</table></div>")


def _glue(text: str) -> str:
    """Return a text whose signs stay on the line of the word before them."""
    parts = _CODE.split(text)  # odd parts are code
    return "".join(
        part if place % 2 else _GLUE.sub("\u00a0", part)
        for place, part in enumerate(parts)
    )
