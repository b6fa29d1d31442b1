"""The data profile: a first look at a file that nobody has mapped yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from smartrisk.displays import Texts
from smartrisk.errors import Message
from smartrisk.intake import Profile
from smartrisk.languages import catalogue
from smartrisk.pages._page import Page, Section, Table, check_kinds


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DataProfile(Page):
    """A page on what the columns of a table hold, and what looks wrong in them.

    It shows values of the table as examples: it is for officers only.

    Parameters
    ----------
    profile : Profile
        What `smartrisk.intake.profile` returned.
    name : str, default=""
        Name of the file or table, the title of the page.

    Raises
    ------
    ArgumentError
        If `profile` is not a `Profile`.

    Examples
    --------
    >>> import pandas as pd
    >>> import smartrisk as sr
    >>> frame = pd.DataFrame({"office": ["05", "5", "17"] * 20})
    >>> page = sr.pages.DataProfile(profile=sr.intake.profile(frame), name="offices")
    >>> "written in several ways" in page.to_html()
    True
    """

    identities: ClassVar[bool] = True
    profile: Profile
    name: str = ""

    def __post_init__(self) -> None:
        check_kinds(
            "DataProfile",
            {"profile": self.profile},
            {"profile": Profile},
            required=("profile",),
        )

    def __repr__(self) -> str:
        """Return the numbers of columns and findings."""
        n_columns = len(self.profile.columns())
        return f"DataProfile({n_columns} columns, {len(self.profile.looks)} findings)"

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        return {
            "kind": _("Data profile"),
            "title": self.name or _("A first look at the data"),
            "meta": _("For officers only: examples may name parties"),
            "sections": [
                self._findings(texts),
                self._proposal(texts),
                self._columns(texts),
            ],
            "notes": [
                _(
                    "Formats and fields are guesses from names and values. Nothing was "
                    "changed."
                )
            ],
        }

    def _findings(self, texts: Texts) -> Section:
        """Return what looks wrong."""
        _ = texts.gettext
        n_columns = len(self.profile.columns())
        return Section(
            title=_("What looks wrong"),
            facts=(
                (_("rows"), texts.number(self.profile.n_rows)),
                (_("columns"), texts.number(n_columns)),
                (
                    texts.pgettext("fact: number", "findings"),
                    texts.number(len(self.profile.looks)),
                ),
            ),
            points=[_say(look.message, texts) for look in self.profile.looks],
            texts=() if self.profile.looks else (_("Nothing looks wrong."),),
        )

    def _proposal(self, texts: Texts) -> Section:
        """Return what is unsure about the column map."""
        _ = texts.gettext
        proposal = self.profile.proposal
        if proposal is None:
            return Section(
                title=_("Column map"),
                texts=(_("No map is proposed: the table holds no declared items."),),
            )
        doubts = [
            f"{part.field}: {_say(doubt, texts)}"
            for part in proposal.questions
            for doubt in part.doubts
        ]
        verdict = _("Every part of the proposed map is sure.")
        if doubts:
            verdict = _("Look at these parts of the proposed map:")
        return Section(title=_("Column map"), texts=(verdict,), points=doubts)

    def _columns(self, texts: Texts) -> Section:
        """Return one row per column."""
        _ = texts.gettext
        kinds = {
            "empty": texts.pgettext("kind of column", "empty"),
            "constant": texts.pgettext("kind of column", "constant"),
            "number": texts.pgettext("kind of column", "number"),
            "date": texts.pgettext("kind of column", "date"),
            "code": texts.pgettext("kind of column", "code"),
            "text": texts.pgettext("kind of column", "text"),
        }
        rows = [
            (
                str(line["column"]),
                str(line["field"]),
                kinds[str(line["kind"])],
                str(line["format"]),
                texts.rate(line["filled"]),
                texts.number(line["distinct"]),
                str(line["examples"]),
            )
            for line in self.profile.columns().to_dict("records")
        ]
        table = Table(
            caption=_("What each column holds"),
            heads=(
                texts.pgettext("head: of a column", "Column"),
                _("Likely field"),
                texts.pgettext("head: of a column", "Kind"),
                texts.pgettext("head: of a column", "Format"),
                texts.pgettext("head: of a column", "Filled"),
                texts.pgettext("head: of a column", "Distinct"),
                texts.pgettext("head: of a column", "Examples"),
            ),
            rows=rows,
            numeric=frozenset((4, 5)),
            wide=frozenset((6,)),
        )
        return Section(title=_("Columns"), tables=(table,))


def _say(message: Message, texts: Texts) -> str:
    """Return a message in the language of the page."""
    if texts.lang == "en":
        return str(message)
    return message.text(catalogue("messages", texts.lang).gettext)
