"""What every page shares: one look, three languages, nothing loaded, all escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

from smartrisk import __version__
from smartrisk.artefact import write_file
from smartrisk.displays import Display, Texts
from smartrisk.errors import check_choice
from smartrisk.languages import catalogue
from smartrisk.page_style import CONTENT_POLICY, GREY, INK, LINES, style_sheet
from smartrisk.results import clean_text


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts on a page."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    texts: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A display on a page, as SVG."""

    svg: Any
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report."""

    title: str
    texts: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    points: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = field(default=())


_PARTS = re.compile(r"(<[^>]*>)")
_ABOUT = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
#: What a picture is drawn in, and what a page shows it in: light or dark.
_SHADES = {
    "#ffffff": "var(--paper)",
    INK.lower(): "var(--ink)",
    "#000000": "var(--ink)",
    GREY.lower(): "var(--soft)",
    LINES.lower(): "var(--line)",
}
_SHADE = re.compile("|".join(_SHADES))


def picture(display: Display, caption: str, number: int, texts: Texts) -> Picture:
    """Return a display as a picture: identifiers of its own, shades of the page."""
    from markupsafe import Markup

    parts = _PARTS.split(_ABOUT.sub("", display.svg(texts.lang)))
    for place, part in enumerate(parts):
        if place % 2:  # an element, never what somebody wrote
            tag = _SHADE.sub(lambda found: _SHADES[found[0]], part)
            for before in ('id="', "url(#", 'href="#'):
                tag = tag.replace(before, f"{before}p{number}-")
            parts[place] = tag
        elif parts[place - 1].startswith("<text"):
            parts[place] = escape(clean_text(unescape(part), 120), quote=False)
    svg = "".join(parts)
    return Picture(svg=Markup(svg), caption=caption)


def known_until(day: Any, texts: Texts) -> list[str]:
    """Return a note on how far the history of an engine goes, where that is known."""
    if day is None:
        return []
    return [texts.words.text("page.history", day=texts.moment(day))]


class Page:
    """A page: stored results, written when asked, in one of three languages."""

    #: Whether it names parties or items: such a page is for officers alone.
    identities = False
    _template = "report.html"

    def to_html(self, lang: str = "en") -> str:
        """Return the page: self-contained, escaped, readable without script.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        html : str
            The same text for the same results.
        """
        from markupsafe import Markup

        texts = Texts(lang)
        given = {"policy": CONTENT_POLICY, "notes": (), "style": Markup(style_sheet())}
        values = {**given, **self._content(texts)}
        template = _environment(lang).get_template(self._template)
        return str(template.render(lang=lang, version=__version__, **values))

    def save(self, path: str | Path, lang: str = "en") -> Path:
        """Write the page to a file.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.html``; its folder is made when absent.
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        path : Path
            The file.
        """
        target = Path(path)
        check_choice(
            type(self).__name__, "path ending", target.suffix.lower(), (".html",)
        )
        html = self.to_html(lang)
        return write_file(target, lambda draft: draft.write_text(html, "utf-8"))

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        name = escape(type(self).__name__)
        return (
            f'<iframe title="{name}" sandbox="allow-scripts allow-downloads" '
            'style="width:100%;height:36rem;border:1px solid #8888" '
            f'srcdoc="{escape(self.to_html())}"></iframe>'
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs: kind, title, meta, and its own parts."""
        raise NotImplementedError


@cache
def _environment(lang: str) -> Any:
    """Return the templates of a language."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("smartrisk.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    installed: Any = found
    installed.install_gettext_translations(catalogue("pages", lang), newstyle=True)
    return found


def _shown(value: Any) -> Any:
    """Return what is put out: plain texts, markup as it is."""
    return clean_text(value, 2000) if type(value) is str else value


def source(name: str) -> str:
    """Return the text of a template."""
    text: str = _environment("en").loader.get_source(_environment("en"), name)[0]
    return text
