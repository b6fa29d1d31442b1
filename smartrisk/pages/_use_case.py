"""The use-case sheet: two pages that an administration presents its case with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from smartrisk.artefact import write_file
from smartrisk.displays import Texts
from smartrisk.errors import ArgumentError, check_choice
from smartrisk.languages import LOCALES, N_
from smartrisk.page_style import style_sheet
from smartrisk.pages._page import Page, Table
from smartrisk.pages._use_case_parts import (
    figures_table,
    list_limits,
    method_points,
    repeat_code,
    state_data,
    state_outcome,
)

#: What only a person can say: name, title of its part, what to write there.
PLACES = {
    "question": N_(
        "the question that your administration asked, and which controls it concerns"
    ),
    "achieved": N_("what changed at the border: controls, seizures, time, trust"),
    "cost": N_("staff, months, machines, training, and what you stopped doing for it"),
    "failed": N_("what you tried that did not work, and what you would not do again"),
    "contact": N_("the unit that answers questions, not the name of a person"),
}
#: Longest answer: five of them leave the sheet on two pages.
MOST_CHARACTERS = 400
_STYLE = (
    "@page{size:A4;margin:12mm 14mm}"
    ".todo{border:2px dashed var(--up);border-radius:.4rem;padding:.35rem .7rem}"
    "pre{background:var(--panel);padding:.6rem;white-space:pre-wrap;"
    "overflow-wrap:anywhere;font-size:.85rem;margin:.4rem 0}"
    "@media print{html{font-size:8.5pt}.second{break-before:page}"
    "section{break-inside:avoid}h2{margin:.6rem 0 .2rem}p{max-width:none}"
    "pre{border:1px solid var(--line)}footer{margin-top:.4rem}}"
)


@dataclass(frozen=True, kw_only=True)
class UseCaseFacts:
    """What a run states, as a use-case sheet shows it: counts and shares only.

    Parameters
    ----------
    version : str
        Version of the engine.
    day : str
        Day on which the run was logged, of ISO 8601.
    capacity : float
        Inspection rate that is shown, or a number of items.
    settings : mapping of str to object
        Settings of the engine.
    facts : mapping of str to object
        Data, stage, members and evaluation, as `smartrisk.tracking.read_run` has them.
    rates : sequence of mapping
        The rows of the evaluation at `capacity`.
    drift : sequence of str
        Fields that moved far between the data sets.
    world : mapping of str to object
        ``scenario``, ``n_items`` and ``seed`` of the synthetic world to repeat it on.
    made_up : bool
        Whether the figures themselves come from that world.

    Examples
    --------
    >>> from smartrisk.pages import UseCaseFacts
    >>> UseCaseFacts(version="1f", day="2026-01-31", capacity=0.05).capacity
    0.05
    """

    version: str
    day: str
    capacity: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    rates: Sequence[Mapping[str, Any]] = ()
    drift: Sequence[str] = ()
    world: Mapping[str, Any] = field(
        default_factory=lambda: {"scenario": "national", "n_items": 30_000, "seed": 0}
    )
    made_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the sheet: texts, a list, a table, code, and an open place."""

    title: str
    texts: Sequence[str] = ()
    points: Sequence[str] = ()
    table: Table | None = None
    code: str = ""
    todo: Sequence[str] = ()
    is_second: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class UseCaseSheet(Page):
    """A use case on two pages: question, data, method, figures, cost, limits, repeat.

    `smartrisk.workshop.UseCase` makes it from a logged run. It holds no party, no
    declaration and no office; counts below 10 are left out.

    Parameters
    ----------
    facts : UseCaseFacts
        What the run states.
    answers : mapping of str to str, default={}
        What only a person can say: "question", "achieved", "cost", "failed" and
        "contact". What is not given is a marked place to complete.
    title : str, default=""
        Title of the sheet; empty for a general one.
    cost_per_control : float, default=None
        Cost of one control in the currency of the revenue, for the net benefit.

    Examples
    --------
    >>> from smartrisk.pages import UseCaseFacts, UseCaseSheet
    >>> facts = UseCaseFacts(version="1f", day="2026-01-31", capacity=0.05)
    >>> sheet = UseCaseSheet(facts=facts, answers={"cost": "Two analysts, 3 months."})
    >>> "Two analysts" in sheet.to_markdown()
    True
    """

    _template: ClassVar[str] = "use_case.html"
    facts: UseCaseFacts
    answers: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    cost_per_control: float | None = None

    def __post_init__(self) -> None:
        for name in self.answers:
            check_choice("UseCaseSheet", "answers", name, tuple(PLACES))
        texts = {"title": self.title, **self.answers}
        long = [
            f"{name!r} ({len(text)})"
            for name, text in texts.items()
            if len(text) > MOST_CHARACTERS
        ]
        if long:
            raise ArgumentError(
                "pages.answers_too_long",
                "UseCaseSheet: a text must have at most {most} characters, so that the "
                "sheet stays on two pages; too long: {names}. Shorten them.",
                most=MOST_CHARACTERS,
                names=", ".join(long),
            )

    def __repr__(self) -> str:
        """Return the version and the number of open places."""
        n_open = len(set(PLACES) - set(self.answers))
        return f"UseCaseSheet({self.facts.version[:8]!r}, {n_open} places to complete)"

    def to_markdown(self, *, lang: str = "en") -> str:
        """Return the sheet as Markdown, every text escaped.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        markdown : str
            The same content as `to_html`.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        check_choice("UseCaseSheet", "lang", lang, LOCALES)
        texts = self._texts(lang)
        content = self._content(texts)
        lines = [f"# {_escape(content['title'])}", "", _escape(content["meta"])]
        for part in content["parts"]:
            lines += ["", f"## {_escape(part.title)}", *_part_lines(part, texts)]
        lines += [line for note in content["notes"] for line in ("", _escape(note))]
        return "\n".join(lines) + "\n"

    def save_markdown(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write the sheet as Markdown.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.md``.
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
        check_choice("UseCaseSheet", "path ending", target.suffix.lower(), (".md",))
        text = self.to_markdown(lang=lang)
        return write_file(target, lambda draft: draft.write_text(text, "utf-8"))

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        from markupsafe import Markup

        _ = texts.gettext
        made = (
            _("The figures come from a made-up world: no real trader is in it.")
            if self.facts.made_up
            else _("Counts and shares only; counts below 10 are left out.")
        )
        return {
            "kind": _("Use case"),
            "title": self.title or _("Controls selected by risk"),
            "meta": _("Engine %(version)s, logged on %(day)s. %(made)s")
            % {
                "version": self.facts.version[:12] or "–",
                "day": self.facts.day,
                "made": made,
            },
            "style": Markup(style_sheet() + _STYLE),
            "parts": self._parts(texts),
            "notes": [
                _(
                    "No party, declaration or office is named. Before you share the "
                    "sheet, check that nobody is recognisable in your own texts."
                )
            ],
        }

    def _parts(self, texts: Texts) -> list[Part]:
        """Return the parts in their order."""
        _ = texts.gettext
        facts = self.facts
        return [
            self._fill_part(texts, "question", _("Question")),
            Part(title=_("Data"), texts=state_data(facts.facts, texts)),
            Part(title=_("Method"), points=method_points(facts, texts)),
            Part(
                title=_("Evaluation"),
                texts=()
                if facts.rates
                else (_("No evaluation was logged with this run."),),
                table=figures_table(facts, texts) if facts.rates else None,
            ),
            self._fill_part(
                texts,
                *("achieved", _("What it achieved")),
                texts_before=state_outcome(facts, self.cost_per_control, texts),
                is_second=True,
            ),
            self._fill_part(texts, "cost", _("What it cost")),
            self._fill_part(
                texts,
                *("failed", _("What failed, and limits")),
                points=list_limits(facts, texts),
            ),
            Part(
                title=_("How to repeat it on a made-up world"),
                texts=(
                    _(
                        "These lines run anywhere with smartrisk, without any real "
                        "data. Scenario “%(scenario)s”, seed %(seed)s."
                    )
                    % {
                        "scenario": facts.world["scenario"],
                        "seed": facts.world["seed"],
                    },
                ),
                code=repeat_code(facts),
            ),
            self._fill_part(texts, "contact", _("Contact")),
        ]

    def _fill_part(
        self,
        texts: Texts,
        name: str,
        title: str,
        *,
        texts_before: Sequence[str] = (),
        points: Sequence[str] = (),
        is_second: bool = False,
    ) -> Part:
        """Return a part with the answer of a person, or the place for it."""
        _ = texts.gettext
        answer = self.answers.get(name, "").strip()
        todo = _("To be completed: %(what)s.") % {"what": _(PLACES[name])}
        return Part(
            title=title,
            texts=[*texts_before, *([answer] if answer else [])],
            points=points,
            todo=() if answer else (todo,),
            is_second=is_second,
        )


_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def _escape(text: str) -> str:
    """Return a text in which Markdown and HTML find no mark, in one line."""
    from smartrisk.results import clean_text

    line = " ".join(clean_text(text, 2_000).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(
        r"^(\d+)([.)])(?=\s)|^([-+])", _escape_start, _MARKS.sub(r"\\\1", line)
    )


def _escape_start(match: re.Match[str]) -> str:
    """Return a beginning that makes no list."""
    return f"\\{match[3]}" if match[3] else f"{match[1]}\\{match[2]}"


def _part_lines(part: Part, texts: Texts) -> list[str]:
    """Return the lines of a part in Markdown."""
    lines: list[str] = []
    for text in part.texts:
        lines += ["", _escape(text)]
    if part.points:
        lines += ["", *(f"- {_escape(text)}" for text in part.points)]
    if part.table is not None:
        heads = [_escape(head) for head in part.table.heads]
        lines += ["", _escape(part.table.caption), "", f"| {' | '.join(heads)} |"]
        lines.append(f"|{'---|' * len(heads)}")
        lines += [f"| {' | '.join(map(_escape, row))} |" for row in part.table.rows]
    if part.code:
        lines += ["", "```python", part.code, "```"]
    lines += [line for text in part.todo for line in ("", f"> **☐ {_escape(text)}**")]
    return lines
