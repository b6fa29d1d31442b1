"""The readiness report: which use cases the data allow today, on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.pages._page import Page, Table, check_kinds
from smartrisk.readiness import Readiness


@dataclass(frozen=True, kw_only=True)
class _UseCase:
    """A use case on the page: what it lacks, its step, and who is to be asked."""

    name: str
    is_possible: bool
    missing: Sequence[str]
    step: str
    asked: str


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """A question that the data answer."""

    question: str
    measure: str
    evidence: str
    blocks: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReadinessReport(Page):
    """Which use cases the data allow today, what blocks the others, and the next steps.

    Use `from_readiness`. It holds counts and shares only, no party and no item. There
    is no overall score.

    Parameters
    ----------
    readiness : Readiness
        The answers.
    name : str, default=""
        Name of the administration or of the data, for the title.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> ready = sr.readiness.assess(world.declarations)
    >>> page = sr.pages.ReadinessReport.from_readiness(ready)
    >>> "Targeting by signals, without results" in page.to_html()
    True
    """

    _template: ClassVar[str] = "readiness.html"
    readiness: Readiness
    name: str = ""

    def __repr__(self) -> str:
        """Return how many use cases are blocked."""
        cases = self.readiness.use_cases()
        return f"ReadinessReport({int((~cases['possible']).sum())} use cases blocked)"

    @classmethod
    def from_readiness(cls, readiness: Readiness, *, name: str = "") -> Self:
        """Return the page of an assessment.

        Parameters
        ----------
        readiness : Readiness
            What `smartrisk.readiness.assess` returned.
        name : str, default=""
            Name of the administration or of the data, for the title.

        Returns
        -------
        report : ReadinessReport
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If `readiness` is not of its class.
        """
        check_kinds(
            "ReadinessReport",
            {"readiness": readiness},
            {"readiness": Readiness},
            required=("readiness",),
        )
        return cls(readiness=readiness, name=name)

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        frame = self.readiness.frame(lang=texts.lang)
        cases = _list_cases(self.readiness, frame, texts)
        data = frame[frame["answered_by"] == "data"].to_dict("records")
        return {
            "kind": _("Readiness"),
            "title": self.name or _("Are our data ready for this?"),
            "meta": _("What these data allow today, what they lack, and the next step"),
            "possible": [case for case in cases if case.is_possible],
            "blocked": [case for case in cases if not case.is_possible],
            "steps": _list_steps(self.readiness, texts),
            "answers": [
                _Answer(
                    question=row["question"],
                    measure=row["measure"],
                    evidence=row["evidence"],
                    blocks=row["blocks"],
                )
                for row in data
            ],
            "people": _list_people(self.readiness, frame, texts),
            "notes": [
                _(
                    "“Possible” means that nothing which these tables show stands "
                    "against it. It does not mean that a model will be good: judge it "
                    "on later months."
                ),
                _(
                    "There is no overall score: a good answer to one question does not "
                    "make up for a bad one to another."
                ),
            ],
        }


def _list_cases(
    readiness: Readiness, frame: pd.DataFrame, texts: Texts
) -> list[_UseCase]:
    """Return the use cases with what each of them lacks."""
    who = frame.set_index("id")["who"]
    gaps = readiness.blocks(lang=texts.lang).groupby("use_case")["missing"]
    lacking = {name: list(dict.fromkeys(rows)) for name, rows in gaps}
    return [
        _UseCase(
            name=row["name"],
            is_possible=bool(row["possible"]),
            missing=lacking.get(row["use_case"], ()),
            step=row["next_step"],
            asked="; ".join(dict.fromkeys(who[id] for id in row["to_ask"].split(", "))),
        )
        for row in readiness.use_cases(lang=texts.lang).to_dict("records")
    ]


def _list_steps(readiness: Readiness, texts: Texts) -> Table:
    """Return the steps, those that concern most use cases first."""
    _ = texts.gettext
    rows = readiness.blocks(lang=texts.lang)
    names = {step: list(of["name"]) for step, of in rows.groupby("next_step")}
    ordered = sorted(dict.fromkeys(rows["next_step"]), key=lambda s: -len(names[s]))
    return Table(
        caption=_("Steps, those that concern most uses first"),
        heads=(_("Step"), _("Uses that lack it")),
        rows=[(step, "; ".join(names[step])) for step in ordered],
        wide=frozenset((0, 1)),
    )


def _list_people(readiness: Readiness, frame: pd.DataFrame, texts: Texts) -> Table:
    """Return the questions that only people answer, and what waits for them."""
    _ = texts.gettext
    cases = readiness.use_cases(lang=texts.lang)
    waiting = {
        id: [
            row["name"]
            for row in cases.to_dict("records")
            if id in row["to_ask"].split(", ")
        ]
        for id in frame["id"]
    }
    return Table(
        caption=_("Open until somebody answers: no table holds this"),
        heads=(
            _("Question"),
            texts.pgettext("head: people", "To ask"),
            texts.pgettext("head: uses of the data", "Before"),
        ),
        rows=[
            (row["question"], row["who"], "; ".join(waiting[row["id"]]))
            for row in frame[frame["answered_by"] == "people"].to_dict("records")
        ],
        wide=frozenset((0, 1, 2)),
    )
