"""A page of reasons in HTML: escaped, self-contained, readable without script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from smartrisk.explanations._facts import short_text
from smartrisk.explanations._wording import Wording
from smartrisk.items import ANY_HIT
from smartrisk.page_style import CONTENT_POLICY, style_sheet

_STYLE = """
.smartrisk-reasons{font:14px/1.5 system-ui,sans-serif;max-width:60rem}
.smartrisk-reasons h1{font-size:1.3em}
.smartrisk-reasons h2{font-size:1.05em;margin:1.2em 0 .3em}
.smartrisk-reasons table{border-collapse:collapse;width:100%}
.smartrisk-reasons th,.smartrisk-reasons td{padding:.25em .6em;text-align:left;
vertical-align:top;border-bottom:1px solid #8886}
.smartrisk-reasons .t,.smartrisk-reasons h2{overflow-wrap:anywhere}
.smartrisk-reasons .n{text-align:right;white-space:nowrap}
.smartrisk-reasons .bar{display:inline-block;width:5rem;height:.6em;background:#8884}
.smartrisk-reasons .bar i{display:block;height:100%;background:#b3400f}
.smartrisk-reasons p.note{font-size:.9em}
"""
_HEADS = ("rank", "strength", "concept", "reason", "check", "contribution")


#: Contribution in log-odds at which the bar of a reason is full: odds times 20.
_FULL_BAR = 3.0


@dataclass(frozen=True)
class ItemHeading:
    """Heading of an item on a page of reasons."""

    declaration: str
    item_number: int
    statement: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One reason on a page."""

    item: int
    rank: int
    concept: str
    strength: str
    contribution: float
    sentence: str
    check: str


def make_fragment(
    headings: Sequence[ItemHeading],
    lines: Sequence[Line],
    *,
    words: Wording,
    n_left: int,
    release: bool = False,
    styled: bool = True,
    until: str | None = None,
    stage: str = "model",
) -> str:
    """Return the items with their reasons as one HTML element.

    Parameters
    ----------
    headings : sequence of ItemHeading
        One for every item shown.
    lines : sequence of Line
        Their reasons, in the order of the items.
    words : Wording
        The language.
    n_left : int
        Number of items that are not shown.
    release : bool, default=False
        Whether these are reasons to release.
    styled : bool, default=True
        Whether to include a style, which a notebook needs.
    until : str, default=None
        Day of the last item in the history.
    stage : str, default="model"
        What the scores rest on: one of `smartrisk.schema.STAGES`.

    Returns
    -------
    html : str
        The element.
    """
    by_item = {n: list(group) for n, group in groupby(lines, lambda line: line.item)}
    parts = [f'<div class="smartrisk-reasons" lang="{words.lang}">']
    if styled:
        parts.append(f"<style>{_STYLE}</style>")
    for number, heading in enumerate(headings):
        name, item = short_text(heading.declaration), str(heading.item_number)
        title = words.text("page.item", declaration=name, item=item)
        parts.append(f"<h2>{escape(title)}</h2>")
        if heading.statement:
            parts.append(f"<p>{escape(words.capitalise(heading.statement))}</p>")
        empty = "page.empty_release" if release else "page.empty"
        parts.append(_table(by_item.get(number, []), words, empty, title, stage))
    if n_left:
        more = words.text("page.more", n_left, n=words.number(n_left))
        parts.append(f"<p>{escape(more)}</p>")
    notes = [words.text(words.name_by_stage("page.note", stage))]
    if words.target != ANY_HIT:
        notes.append(words.text("page.target", target=words.finding()))
    if until is not None:
        notes.append(words.text("page.history", day=until))
    parts.append(f'<p class="note">{escape(" ".join(notes))}</p></div>')
    return "\n".join(parts)


def make_page(body: str, words: Wording, *, release: bool = False) -> str:
    """Return a whole page around a fragment."""
    title = escape(words.text("page.release" if release else "page.title"))
    return (
        f'<!DOCTYPE html>\n<html lang="{words.lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        f'content="{escape(CONTENT_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style_sheet()}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _table(
    lines: Sequence[Line], words: Wording, empty: str, title: str, stage: str
) -> str:
    """Return the reasons of one item."""
    if not lines:
        return f"<p>{escape(words.text(empty))}</p>"
    heads = [words.name_by_stage(f"page.{name}", stage) for name in _HEADS]
    head = "".join(f'<th scope="col">{escape(words.text(name))}</th>' for name in heads)
    rows = "\n".join(_row(line, words) for line in lines)
    label = escape(words.text("label", title=title, about=words.text("page.reason")))
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _row(line: Line, words: Wording) -> str:
    """Return one reason as a row."""
    known = math.isfinite(line.contribution)
    size = min(abs(line.contribution) / _FULL_BAR, 1.0) if known else 0
    strength = escape(words.text(f"strength.{line.strength}"))
    bar = (
        f'<span class="bar" aria-hidden="true"><i style="width:{size:.0%}"></i></span>'
    )
    size_text = words.signed_number(line.contribution)
    sentence, check = words.capitalise(line.sentence), words.capitalise(line.check)
    return (
        f'<tr><td class="n">{line.rank}</td><td>{strength}</td>'
        f"<td>{escape(words.concept(line.concept))}</td>"
        f'<td class="t">{escape(sentence)}</td><td class="t">{escape(check)}</td>'
        f'<td class="n">{escape(size_text)} {bar}</td></tr>'
    )
