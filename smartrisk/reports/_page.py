"""What every page shares: one look, three languages, nothing loaded, all escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartrisk import __version__
from smartrisk.errors import check_choice
from smartrisk.explanations import Wording
from smartrisk.languages import catalogue
from smartrisk.schema import DECLARATIONS

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_LONGEST = 300  # characters of any value that is shown
_FLOWS = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return a text without control, direction or private characters, cut short."""
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Co", "Cs", "Cn") else c
        for c in _FLOWS.sub("", text[: 4 * longest])
    )
    short = " ".join(kept.split(" "))
    return short if len(short) <= longest else f"{short[: longest - 1]}…"


class Texts:
    """Words and numbers of a page in a language.

    Parameters
    ----------
    lang : str
        One of `smartrisk.languages.LANGUAGES`.
    """

    def __init__(self, lang: str) -> None:
        found = catalogue("pages", lang)
        self.lang = lang
        self.words = Wording(lang)
        self.gettext = found.gettext
        self.ngettext = found.ngettext

    def number(self, value: Any) -> str:
        """Return a number, a dash when it is missing."""
        return "–" if _missing(value) else self.words.number(float(value))

    def decimal(self, value: Any) -> str:
        """Return a figure with three digits after the point."""
        if _missing(value):
            return "–"
        text = f"{float(value):.3f}"
        return text if self.lang == "en" else text.replace(".", ",")

    def rate(self, value: Any) -> str:
        """Return a fraction as a percentage."""
        return "–" if _missing(value) else self.words.rate(float(value))

    def fine(self, value: Any) -> str:
        """Return a fraction as a percentage with one digit after the point."""
        if _missing(value):
            return "–"
        text = f"{100.0 * float(value):.1f}"
        shown = text if self.lang == "en" else text.replace(".", ",")
        return self.rate(0.0).replace("0", shown, 1)

    def between(self, low: Any, high: Any) -> str:
        """Return an interval of fractions."""
        if _missing(low) or _missing(high):
            return "–"
        return f"{self.rate(low)} … {self.rate(high)}"

    def moment(self, value: Any) -> str:
        """Return a moment to the minute, a date when it is midnight."""
        if _missing(value):
            return "–"
        found = pd.Timestamp(value)
        whole = found == found.normalize()
        return f"{found:%Y-%m-%d}" if whole else f"{found:%Y-%m-%d %H:%M}"

    def value(self, name: str, value: Any) -> str:
        """Return a declared value as it is said on a page."""
        if _missing(value):
            return "–"
        if isinstance(value, bool | np.bool_):
            return self.words.text("yes" if value else "no")
        if name == "duty_rate":
            return self.rate(value)
        if isinstance(value, pd.Timestamp | np.datetime64):
            return self.moment(value)
        if isinstance(value, float | np.floating | int | np.integer):
            unit = " kg" if name.endswith("_kg") else ""
            return f"{self.number(value)}{unit}"
        return plain(str(value))


def _missing(value: Any) -> bool:
    """Return whether there is no value."""
    return value is None or bool(pd.isna(value))


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


def segment_named(name: str, texts: Texts) -> str:
    """Return the words for a segment."""
    _ = texts.gettext
    known = {
        "importer_size": _("size of the importer"),
        "importer_novelty": _("novelty of the importer"),
        "section": _("section of the tariff"),
        "month": _("month"),
    }
    return known.get(name) or texts.words.field(name)


def N_(text: str) -> str:  # noqa: N802
    """Mark a text for translation where it is shown."""
    return text


#: What the displays write, so that a page can say it in its language.
_DRAWN = (
    N_("Difference (points)"),
    N_("Drift of fields"),
    N_("Found (%)"),
    N_("Hit rate"),
    N_("How much of the fraud is found"),
    N_("How much of the revenue is recovered"),
    N_("How often an inspection finds something"),
    N_("Inspection rate (% of items)"),
    N_("Items"),
    N_("Items inspected (%)"),
    N_("Mean size of the contribution, log-odds"),
    N_("Observed hit rate (% of inspected items)"),
    N_("Population stability index"),
    N_("Precision"),
    N_("Precision (% of inspected)"),
    N_("Recall"),
    N_("Reliability: what the scores say and what was found"),
    N_("Revenue share"),
    N_("Revenue share (% of recoverable)"),
    N_("Risk score, mean of the group (%)"),
    N_("Selected"),
    N_("Share of the items"),
    N_("Share of the selected; hollow: few"),
    N_("What moves the scores"),
    N_("With a result"),
    N_("At the inspection rate"),
    N_("Hit rate by month"),
    N_("Month of the decision"),
    N_("at random"),
    N_("by chance"),
    N_("perfectly calibrated"),
    N_("the best possible"),
    N_("other"),
    N_("new"),
    N_("known"),
    N_("100 or more"),
)
_BEFORE = re.compile(r" (?=[;:?!»])|(?<=«) ")
_TEXT = re.compile(r"(<text\b[^>]*>)([^<]+)(</text>)")
_ABOUT = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_GROUPS = re.compile(r"\(([\d,]+) items a group; bars: 95 % interval\)")


def picture(display: Any, caption: str, number: int, texts: Texts) -> Picture:
    """Return a display as a picture: identifiers of its own, texts in the language."""
    from markupsafe import Markup

    def said(found: re.Match[str]) -> str:
        text = plain(unescape(found[2]), 120)
        return found[1] + escape(_drawn(text, texts), quote=False) + found[3]

    svg = _TEXT.sub(said, _ABOUT.sub("", display.svg()))
    for before in ('id="', "url(#", 'href="#'):
        svg = svg.replace(before, f"{before}p{number}-")
    return Picture(svg=Markup(svg), caption=caption)


def _drawn(text: str, texts: Texts) -> str:
    """Return what a display wrote, in the language of the page."""
    groups = _GROUPS.fullmatch(text)
    if groups:
        message = N_("(%(n)s items a group; bars: 95 %% interval)")
        return texts.gettext(message) % {"n": groups[1]}
    if text in DECLARATIONS:
        return texts.words.field(text)
    return texts.gettext(text) if text in _DRAWN else text


class Page:
    """A page: stored results, written when asked, in one of three languages."""

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
        texts = Texts(lang)
        values = {"policy": POLICY, "notes": (), **self._content(texts)}
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
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.to_html(lang), encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        name = escape(type(self).__name__)
        return (
            f'<iframe title="{name}" sandbox="allow-scripts" '
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
        loader=jinja2.PackageLoader("smartrisk.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_french if lang == "fr" else _shown,
    )
    installed: Any = found
    installed.install_gettext_translations(catalogue("pages", lang), newstyle=True)
    return found


def _shown(value: Any) -> Any:
    """Return what is put out: plain texts, markup as it is."""
    return plain(value, 2000) if type(value) is str else value


def _french(value: Any) -> Any:
    """Return what is put out, its punctuation kept on the line."""
    text = _shown(value)
    return _BEFORE.sub("\u202f", text) if type(text) is str else text


def source(name: str) -> str:
    """Return the text of a template."""
    text: str = _environment("en").loader.get_source(_environment("en"), name)[0]
    return text
