"""What every page shares: one style, three languages, nothing loaded, all escaped."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pandas as pd

from smartrisk import __version__
from smartrisk.artefact import write_file
from smartrisk.displays import Display, Texts
from smartrisk.errors import ArgumentError, check_choice, needing
from smartrisk.languages import catalogue
from smartrisk.page_style import CONTENT_POLICY, GREY, INK, LINES, style_sheet
from smartrisk.results import clean_text
from smartrisk.schema import CHANNELS

if TYPE_CHECKING:
    import jinja2

#: Longest text of a picture and of a page: enough for a sentence and for a paragraph.
_MOST_IN_PICTURE, _MOST_ON_PAGE = 120, 2_000


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts on a page; columns are named by position.

    Numeric columns are aligned to the right, wide ones hold sentences.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    wide: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A display on a page: its SVG, marked as safe, and a caption."""

    svg: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report; facts are names with values, points are a list."""

    title: str
    texts: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    points: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


_ELEMENTS = re.compile(r"(<[^>]*>)")
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
#: Colours of a picture, and the variables of the style sheet, which follow the reader's
#: light or dark setting.
_SHADES = {
    "#ffffff": "var(--paper)",
    INK.lower(): "var(--ink)",
    "#000000": "var(--ink)",
    GREY.lower(): "var(--soft)",
    LINES.lower(): "var(--line)",
}
_SHADE = re.compile("|".join(_SHADES))


def make_picture(display: Display, caption: str, number: int, texts: Texts) -> Picture:
    """Return a display as a picture with its own ids, in the colours of the page."""
    from markupsafe import Markup

    parts = _ELEMENTS.split(_METADATA.sub("", display.svg(lang=texts.lang)))
    for place, part in enumerate(parts):
        if place % 2:  # odd parts are elements, even parts are texts of users
            tag = _SHADE.sub(lambda match: _SHADES[match[0]], part)
            for before in ('id="', "url(#", 'href="#'):
                tag = tag.replace(before, f"{before}p{number}-")
            parts[place] = tag
        elif parts[place - 1].startswith("<text"):
            text = clean_text(unescape(part), _MOST_IN_PICTURE)
            parts[place] = escape(text, quote=False)
    return Picture(svg=Markup("".join(parts)), caption=caption)


def check_kinds(
    owner: str,
    given: Mapping[str, object],
    kinds: Mapping[str, type],
    *,
    required: Sequence[str] = (),
) -> None:
    """Raise unless every argument is of its class, naming all that are not.

    None stands for an argument that was not given, unless it is required.
    """
    wrong = [
        f"{name!r} must be a {kinds[name].__name__}, got {type(value).__name__}"
        for name, value in given.items()
        if not isinstance(value, kinds[name])
        and (value is not None or name in required)
    ]
    if wrong:
        raise ArgumentError(
            "pages.wrong_kind",
            "{page}: {problems}. Pass what the functions of the library returned.",
            page=owner,
            problems="; ".join(wrong),
        )


def history_notes(day: pd.Timestamp | None, texts: Texts) -> list[str]:
    """Return a note on how far the history of an engine goes, where that is known."""
    if day is None:
        return []
    return [texts.words.text("page.history", day=texts.day_in_words(day))]


def currency_notes(currency: str | None, texts: Texts) -> list[str]:
    """Return a note on the currency of amounts, where that is known."""
    currency = texts.currency or currency
    if currency is None:
        return []
    return [texts.gettext("Amounts are in %(currency)s.") % {"currency": currency}]


@dataclass(frozen=True, kw_only=True)
class PageTerms:
    """What an administration calls things on its pages.

    Parameters
    ----------
    channel_names : mapping of str to str, default={}
        Names of channels that replace ours: in one country "yellow" is orange.
    currency : str or None, default=None
        Currency of the amounts; None for the one of the column map, where it states it.

    Examples
    --------
    >>> from smartrisk.pages import PageTerms
    >>> PageTerms(channel_names={"yellow": "orange"}, currency="MAD").currency
    'MAD'
    """

    channel_names: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None

    def __post_init__(self) -> None:
        for name in self.channel_names:
            check_choice("PageTerms", "channel", name, CHANNELS)


class Page:
    """Base of every page: results, written as HTML in one of three languages."""

    #: Whether it names parties or items: such a page is for officers only.
    identities: ClassVar[bool] = False
    _template: ClassVar[str] = "report.html"
    _terms = PageTerms()

    def with_terms(self, terms: PageTerms) -> Self:
        """Return the page with the names of an administration.

        Parameters
        ----------
        terms : PageTerms
            Names of channels, and the currency of amounts.

        Returns
        -------
        page : Page
            A copy; the page itself stays as it is.

        Raises
        ------
        ArgumentError
            If `terms` are of another class.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(2_000, random_state=0)
        >>> card = sr.pages.DataCard.from_tables(world.declarations)
        >>> terms = sr.pages.PageTerms(channel_names={"yellow": "orange"})
        >>> card.with_terms(terms)
        DataCard(2000 items, 0 results)
        """
        name = type(self).__name__
        check_kinds(name, {"terms": terms}, {"terms": PageTerms}, required=("terms",))
        page = copy.copy(self)
        object.__setattr__(page, "_terms", terms)  # pages are frozen
        return page

    def _texts(self, lang: str) -> Texts:
        """Return words and numbers of a language with the names of these terms."""
        return Texts(
            lang,
            channel_names=self._terms.channel_names,
            currency=self._terms.currency,
        )

    def to_html(self, *, lang: str = "en") -> str:
        """Return the page: self-contained, escaped, readable without script.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        html : str
            The same text for the same results.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        from markupsafe import Markup

        texts = self._texts(lang)
        given = {"policy": CONTENT_POLICY, "notes": (), "style": Markup(style_sheet())}
        values = {**given, **self._content(texts)}
        template = _environment(lang).get_template(self._template)
        return template.render(lang=lang, version=__version__, **values)

    def save(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write the page to a file.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.html``; its folder is created when absent.
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        path : Path
            The file.

        Raises
        ------
        ArgumentError
            If the path has another ending, or `lang` is unknown.
        """
        target = Path(path)
        check_choice(
            type(self).__name__, "path ending", target.suffix.lower(), (".html",)
        )
        html = self.to_html(lang=lang)
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
def _environment(lang: str) -> jinja2.Environment:
    """Return the templates of a language."""
    with needing("jinja2"):
        import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smartrisk.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean_output,
    )
    translated: Any = environment  # the extension adds the method when it is loaded
    translated.install_gettext_translations(catalogue("pages", lang), newstyle=True)
    return environment


def _clean_output(value: Any) -> Any:
    """Return a value as a template prints it: texts cleaned, markup as it is."""
    return clean_text(value, _MOST_ON_PAGE) if type(value) is str else value


def read_template(name: str) -> str:
    """Return the text of a file in the folder of the templates."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
