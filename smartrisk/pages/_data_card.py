"""The data card: what the data hold, how good they are, and who was inspected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from smartrisk.displays import MonthsDisplay, Texts
from smartrisk.errors import Message, TableError
from smartrisk.languages import catalogue
from smartrisk.pages._page import Page, Section, Table, check_kinds, make_picture
from smartrisk.quality import (
    Plausibility,
    Scorecard,
    judge_items,
    plausibility,
    scorecard,
)
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, TableInput
from smartrisk.validation import OnError, validate

#: Months that are listed by name: those of a year; of more only the number is given.
_MOST_MONTHS = 12


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DataCard(Page):
    """A page on items and results: completeness, doubtful values, delay, selection.

    Use `from_tables` or `from_scorecard`.

    Parameters
    ----------
    scorecard : Scorecard
        The figures.
    name : str, default=""
        Name of the data, the title of the page.
    steps : sequence of smartrisk.errors.Message, default=()
        How the tables were read, as `smartrisk.schema.ColumnMap.steps` says it.
    doubts : Plausibility, default=None
        What makes the data doubtful to learn from; None where it was not judged.

    See Also
    --------
    smartrisk.quality.scorecard : The figures without a page.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> card = sr.pages.DataCard.from_tables(world.declarations, world.outcomes)
    >>> card
    DataCard(2000 items, 174 results)
    """

    scorecard: Scorecard
    name: str = ""
    steps: Sequence[Message] = ()
    doubts: Plausibility | None = None

    def __repr__(self) -> str:
        """Return the number of items and results."""
        facts = self.scorecard.facts()
        return f"DataCard({facts.n_items} items, {facts.n_results} results)"

    @classmethod
    def from_scorecard(
        cls, scorecard: Scorecard, *, name: str = "", columns: ColumnMap | None = None
    ) -> Self:
        """Return the card of figures that are already computed.

        Parameters
        ----------
        scorecard : Scorecard
            What `smartrisk.quality.scorecard` returned.
        name : str, default=""
            Name of the data, the title of the page.
        columns : ColumnMap, default=None
            Map that the tables were read with; the page lists its steps.

        Returns
        -------
        card : DataCard
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If `scorecard` is not a `Scorecard`.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(2_000, random_state=0)
        >>> scorecard = sr.quality.scorecard(world.declarations, world.outcomes)
        >>> card = sr.pages.DataCard.from_scorecard(scorecard, name="Two years")
        >>> "Two years" in card.to_html()
        True
        """
        check_kinds(
            "DataCard",
            {"scorecard": scorecard, "columns": columns},
            {"scorecard": Scorecard, "columns": ColumnMap},
            required=("scorecard",),
        )
        steps = () if columns is None else columns.steps()
        return cls(scorecard=scorecard, name=name, steps=steps)

    @classmethod
    def from_tables(
        cls,
        declarations: TableInput,
        outcomes: TableInput | None = None,
        *,
        columns: ColumnMap | None = None,
        name: str = "",
        on_error: OnError = "raise",
    ) -> Self:
        """Return the card of items and their results.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS, inspected or not.
        outcomes : DataFrame, default=None
            OUTCOMES of the inspected ones.
        columns : ColumnMap, default=None
            How both tables are written; each step is a line of the page. None for
            canonical tables.
        name : str, default=""
            Name of the data, the title of the page.
        on_error : str, default="raise"
            "raise", or "set_aside" to continue without invalid rows and warn.

        Returns
        -------
        card : DataCard
            Write it with `save`.

        Raises
        ------
        TableError
            If a table is invalid, or `declarations` has no row.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(2_000, random_state=0)
        >>> sr.pages.DataCard.from_tables(world.declarations)
        DataCard(2000 items, 0 results)
        """
        if columns is not None:
            declarations = validate(
                declarations, DECLARATIONS, columns=columns, on_error=on_error
            )
            if outcomes is not None:
                outcomes = validate(
                    outcomes, OUTCOMES, columns=columns, on_error=on_error
                )
        figures = scorecard(declarations, outcomes, on_error=on_error)
        card = cls.from_scorecard(figures, name=name, columns=columns)
        return replace(card, doubts=_judge(declarations, outcomes, on_error))

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        facts = self.scorecard.facts()
        return {
            "kind": _("Data card"),
            "title": self.name or _("Declarations and results of controls"),
            "meta": _("Lodged %(first)s to %(last)s")
            % {
                "first": texts.day_in_words(facts.first_day),
                "last": texts.day_in_words(facts.last_day),
            },
            "sections": [
                self._overview(texts),
                *self._reading(texts),
                *self._doubts(texts),
                self._grades(texts),
                self._bias(texts),
                self._fields(texts),
            ],
            "notes": [
                _(
                    "Only inspected items have a result. An item without a result is "
                    "not known to be compliant."
                )
            ],
        }

    def _overview(self, texts: Texts) -> Section:
        """Return counts, months and results by channel."""
        _ = texts.gettext
        facts = self.scorecard.facts()
        channels = _channel_table(self.scorecard, texts)
        return Section(
            title=_("What the data hold"),
            facts=(
                (_("items"), texts.number(facts.n_items)),
                (_("results"), texts.number(facts.n_results)),
                (_("items with a result"), texts.rate(facts.inspected_share)),
                (_("hit rate of the inspected"), texts.rate(facts.hit_rate)),
                (_("days to the result, median"), texts.number(facts.delay_median)),
                (
                    _("nine in ten results within, days"),
                    texts.number(facts.delay_90),
                ),
                (_("importers"), texts.number(facts.n_importers)),
                (
                    _("months without any result"),
                    _list_months(facts.months_without_result),
                ),
                (
                    _("results of other items, left out"),
                    texts.number(facts.n_other_results),
                ),
            ),
            pictures=(
                make_picture(
                    MonthsDisplay.from_scorecard(self.scorecard),
                    _("Items by month of lodgement, and the share with a result"),
                    1,
                    texts,
                ),
            ),
            tables=(channels,) if channels.rows else (),
        )

    def _reading(self, texts: Texts) -> Sequence[Section]:
        """Return how the tables were read, where there is a column map."""
        _ = texts.gettext
        if not self.steps:
            return ()
        translate = catalogue("messages", texts.lang).gettext
        points = [step.text(translate) for step in self.steps]
        return (Section(title=_("How the tables were read"), points=points),)

    def _doubts(self, texts: Texts) -> Sequence[Section]:
        """Return what makes the data doubtful, where that was judged."""
        _ = texts.gettext
        if self.doubts is None:
            return ()
        translate = catalogue("messages", texts.lang).gettext
        points = [
            f"{doubt.message.text(translate)} {translate(doubt.remedy)}"
            for doubt in self.doubts.doubts()
        ]
        quiet = () if points else (_("No check found anything doubtful."),)
        return (
            Section(
                title=_("Doubts about learning from these data"),
                texts=quiet,
                points=points,
            ),
        )

    def _grades(self, texts: Texts) -> Section:
        """Return the grade of each dimension."""
        _ = texts.gettext
        names = {
            "completeness": _("completeness: share of the fields that are declared"),
            "consistency": _("consistency: items without a doubtful value"),
            "coverage": _("coverage: items with a result"),
            "timeliness": _("timeliness: results within 60 days"),
            "representativeness": _(
                "representativeness: how similar the inspected are to the others"
            ),
        }
        grades = {
            "good": texts.pgettext("grade", "good"),
            "fair": texts.pgettext("grade", "fair"),
            "poor": texts.pgettext("grade", "poor"),
        }
        table = Table(
            caption=_("Data-quality scorecard"),
            heads=(
                _("Dimension"),
                texts.pgettext("head: value of a dimension", "Figure"),
                texts.pgettext("head: of a dimension", "Grade"),
                texts.pgettext("head: of a dimension", "Good from"),
                texts.pgettext("head: of a dimension", "Fair from"),
            ),
            rows=[
                (
                    names[line["dimension"]],
                    texts.fine(_round_down(line["figure"])),
                    grades.get(line["grade"], "–"),
                    texts.fine(line["good_from"]),
                    texts.fine(line["fair_from"]),
                )
                for line in self.scorecard.frame().to_dict("records")
            ],
            numeric=frozenset((1, 3, 4)),
            wide=frozenset((0,)),
        )
        return Section(
            title=_("Data-quality scorecard"),
            texts=(
                _(
                    "The bounds of the grades are conventions of this library, not a "
                    "standard. Representativeness is 1 minus the largest standardised "
                    "difference or difference of shares below."
                ),
            ),
            tables=(table,),
        )

    def _bias(self, texts: Texts) -> Section:
        """Return how the inspected differ from the others."""
        _ = texts.gettext
        rows = []
        for line in self.scorecard.selection_bias().to_dict("records"):
            form = texts.rate if line["value"] else texts.decimal
            rows.append(
                (
                    texts.words.field(line["field"]),
                    str(line["value"]) or _("mean of log(1 + value)"),
                    form(line["inspected"]),
                    form(line["others"]),
                    texts.decimal(line["difference"]),
                )
            )
        table = Table(
            caption=_("Inspected items compared with the others"),
            heads=(
                texts.pgettext("head: of the declaration", "Field"),
                texts.pgettext("head: of a field", "Value"),
                texts.pgettext("head: items", "Inspected"),
                texts.pgettext("head: items not inspected", "Others"),
                _("Difference"),
            ),
            rows=rows,
            numeric=frozenset((2, 3, 4)),
        )
        return Section(
            title=_("Selection bias"),
            texts=(
                _(
                    "Inspected items are not a random sample. Hit rates here are those "
                    "of the inspected, and a model learns from them. For numbers the "
                    "difference is in standard deviations, for codes in shares; the "
                    "code with the largest gap is shown."
                ),
            ),
            tables=(table,) if rows else (),
        )

    def _fields(self, texts: Texts) -> Section:
        """Return completeness and doubtful values of each field."""
        _ = texts.gettext
        table = Table(
            caption=texts.pgettext("heading: of the declaration", "Fields"),
            heads=(
                texts.pgettext("head: of the declaration", "Field"),
                texts.pgettext("head: share of the items", "Declared"),
                _("Distinct values"),
                texts.pgettext("head: share of the values", "Doubtful"),
            ),
            rows=[
                (
                    texts.words.field(line["field"]),
                    texts.rate(line["present"]),
                    texts.number(line["distinct"]),
                    texts.rate(line["doubtful"]),
                )
                for line in self.scorecard.fields().to_dict("records")
            ],
            numeric=frozenset((1, 2, 3)),
        )
        return Section(title=_("Field by field"), tables=(table,))


def _judge(
    declarations: TableInput, outcomes: TableInput | None, on_error: OnError
) -> Plausibility:
    """Return the doubts about both tables, or about items alone."""
    if outcomes is not None:
        try:
            return plausibility(declarations, outcomes, on_error=on_error)
        except TableError as error:
            if error.message_id != "quality.results_of_other_items":
                raise
            # The card counts results of other items; nothing else is known of them.
    return judge_items(validate(declarations, DECLARATIONS, on_error=on_error))


def _round_down(share: float) -> float:
    """Return a share rounded down to a tenth of a percent.

    Rounded up, a figure just below a bound would look as if it had reached it.
    """
    return float(np.floor(share * 1_000.0 + 1e-9) / 1_000.0)


def _channel_table(card: Scorecard, texts: Texts) -> Table:
    """Return results by channel, with intervals."""
    _ = texts.gettext
    return Table(
        caption=_("Results by channel"),
        heads=(
            _("Channel"),
            _("Results"),
            texts.pgettext("head: number of items", "Irregular"),
            _("Hit rate"),
            _("Interval"),
        ),
        rows=[
            (
                texts.channel(str(line["channel"])),
                texts.number(line["n_results"]),
                texts.number(line["n_hits"]),
                texts.rate(line["hit_rate"]),
                texts.between(line["low"], line["high"]),
            )
            for line in card.channels().to_dict("records")
        ],
        numeric=frozenset((1, 2, 3, 4)),
    )


def _list_months(months: Sequence[str]) -> str:
    """Return months as a list that is no longer than a year."""
    if len(months) <= _MOST_MONTHS:
        return ", ".join(months) or "–"
    return f"{', '.join(months[:_MOST_MONTHS])}, … ({len(months)})"
