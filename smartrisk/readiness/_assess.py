"""Which use cases the data allow today, what blocks the others, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from smartrisk.errors import TableError, check_choice
from smartrisk.languages import LOCALES, language_of
from smartrisk.readiness._facts import Fact, join_data, read_facts
from smartrisk.readiness._questions import (
    Need,
    Question,
    UseCase,
    read_catalogue,
    show_facts,
    show_value,
)
from smartrisk.results import Result
from smartrisk.schema import DECISIONS, DECLARATIONS, OUTCOMES, TableInput
from smartrisk.validation import OnError, validate

_FRAME = [
    *("id", "answered_by", "question", "measure", "evidence", "blocks"),
    *("missing", "next_step", "who"),
]
_BLOCKED = [
    *("use_case", "name", "question", "field", "have", "needed", "missing"),
    "next_step",
]
_USE_CASES = ["use_case", "name", "possible", "missing", "next_step", "to_ask"]


@dataclass(frozen=True, eq=False, repr=False)
class Readiness(Result):
    """Answers to the questions of readiness; there is no overall score.

    Made by `assess`.

    Parameters
    ----------
    _facts : mapping of str to int, float, str or None
        What the tables state, by name.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> ready = sr.readiness.assess(world.declarations)
    >>> ready
    Readiness(3 of 10 use cases possible)
    >>> cases = ready.use_cases()
    >>> list(cases.loc[cases["possible"], "use_case"])
    ['signals', 'valuation', 'publishing']
    """

    _facts: Mapping[str, Fact]

    def __repr__(self) -> str:
        """Return how many use cases are possible."""
        cases = read_catalogue().use_cases
        n_possible = sum(not self._needs_of(case) for case in cases)
        return f"Readiness({n_possible} of {len(cases)} use cases possible)"

    def frame(self, *, lang: str = "en") -> pd.DataFrame:
        """Return one row per question.

        Parameters
        ----------
        lang : {"en", "fr", "es"}, default="en"
            Language of the texts.

        Returns
        -------
        frame : DataFrame
            ``id``, ``answered_by`` ("data" or "people"), ``question``, ``measure``,
            ``evidence``; ``blocks`` (names of use cases), ``missing`` and
            ``next_step``, empty where nothing is blocked; ``who`` answers, where data
            cannot.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        check_choice("Readiness.frame", "lang", lang, LOCALES)
        lang = language_of(lang)
        texts = show_facts(self._facts, lang)
        rows = [self._row(one, texts, lang) for one in read_catalogue().questions]
        return pd.DataFrame(rows, columns=_FRAME)

    def blocks(self, *, lang: str = "en") -> pd.DataFrame:
        """Return what blocks each use case that is not possible.

        Parameters
        ----------
        lang : {"en", "fr", "es"}, default="en"
            Language of the texts.

        Returns
        -------
        frame : DataFrame
            One row for each use case and missing need: ``use_case``, ``name``,
            ``question`` (id), ``field``, ``have``, ``needed``, ``missing`` (these as
            one text) and one ``next_step``.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        check_choice("Readiness.blocks", "lang", lang, LOCALES)
        lang = language_of(lang)
        rows = [
            {
                "use_case": case.id,
                "name": case.name[lang],
                "question": need.question,
                "field": need.field,
                **self._gap(need, lang),
            }
            for case in read_catalogue().use_cases
            for need in self._needs_of(case)
        ]
        return pd.DataFrame(rows, columns=_BLOCKED)

    def use_cases(self, *, lang: str = "en") -> pd.DataFrame:
        """Return which use cases are possible today, as far as data can show.

        Parameters
        ----------
        lang : {"en", "fr", "es"}, default="en"
            Language of the texts.

        Returns
        -------
        frame : DataFrame
            One row per use case: ``use_case``, ``name``, ``possible``, ``missing`` and
            the first ``next_step`` (empty where it is possible), and ``to_ask``: the
            ids of the questions that people must answer before.

        Raises
        ------
        ArgumentError
            If `lang` is unknown.
        """
        check_choice("Readiness.use_cases", "lang", lang, LOCALES)
        lang = language_of(lang)
        rows = []
        for case in read_catalogue().use_cases:
            gaps = [self._gap(need, lang) for need in self._needs_of(case)]
            missing = "; ".join(gap["missing"] for gap in gaps)
            step = gaps[0]["next_step"] if gaps else ""
            asked = ", ".join(case.ask)
            rows.append((case.id, case.name[lang], not gaps, missing, step, asked))
        return pd.DataFrame(rows, columns=_USE_CASES)

    def _needs_of(self, case: UseCase) -> list[Need]:
        """Return what a use case needs and does not have."""
        needs = [need for need in read_catalogue().needs if case.id in need.blocks]
        return [need for need in needs if not need.is_met(self._facts)]

    def _gap(self, need: Need, lang: str) -> dict[str, str]:
        """Return what is there, what is needed, and the next step, as texts."""
        labels = read_catalogue().labels[lang]
        texts = show_facts(self._facts, lang)
        bound = need.bound if need.of else int(need.bound)
        gap = {"have": texts[need.fact], "needed": show_value(bound, labels)}
        missing = labels["missing"].format(
            field=need.field,
            have=gap["have"],
            need=gap["needed"],
            bound=labels["least" if need.least else "most"],
            what=need.what[lang].format(**texts),
        )
        step = need.step[lang].format(lack=need.lack(self._facts), **texts)
        return {**gap, "missing": missing, "next_step": step}

    def _row(self, one: Question, texts: Mapping[str, str], lang: str) -> list[str]:
        """Return the answer to one question, or who answers it."""
        if one.who is not None:
            return [one.id, "people", one.text[lang], *[""] * 5, one.who[lang]]
        needs = [
            need
            for need in read_catalogue().needs
            if need.question == one.id and not need.is_met(self._facts)
        ]
        stopped = {name for need in needs for name in need.blocks}
        names = [c.name[lang] for c in read_catalogue().use_cases if c.id in stopped]
        gaps = [self._gap(need, lang) for need in needs]
        return [
            *(one.id, "data", one.text[lang]),
            *(
                _fill(part, texts, lang)
                for part in (one.measure, one.evidence_of(self._facts))
            ),
            "; ".join(names),
            "; ".join(gap["missing"] for gap in gaps),
            " ".join(gap["next_step"] for gap in gaps),
            "",
        ]


def assess(
    declarations: TableInput,
    outcomes: TableInput | None = None,
    decisions: TableInput | None = None,
    *,
    on_error: OnError = "raise",
) -> Readiness:
    """Say which use cases the data allow today, and what would unblock the others.

    A use case is possible where every fact reaches its bound: `THRESHOLDS` takes them
    from where the library defines them. Each question is answered on its own; they are
    never added up. Questions of law, budget and staff stay open: data cannot answer
    them.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS, controlled or not.
    outcomes : DataFrame, default=None
        OUTCOMES of the controlled ones; results of other items are left out.
    decisions : DataFrame, default=None
        DECISIONS of these items; without them no control is known to be random.
    on_error : {"raise", "set_aside"}, default="raise"
        What to do with rows that cannot be read: "raise", or "set_aside" to leave
        them out with a warning.

    Returns
    -------
    readiness : Readiness
        ``frame()`` has one row per question, ``blocks()`` one per missing need,
        ``use_cases()`` one per use case.

    Raises
    ------
    TableError
        If a table is invalid, `declarations` has no row, or none of the results has
        its item there.

    See Also
    --------
    smartrisk.quality.plausibility : What makes data doubtful to learn from.
    smartrisk.quality.scorecard : Five graded dimensions.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> ready = sr.readiness.assess(world.declarations)
    >>> row = ready.blocks().set_index("use_case").loc["enforcement"]
    >>> row["missing"]
    'OUTCOMES.illicit: 0 results, at least 1 needed'
    """
    items = validate(declarations, DECLARATIONS, on_error=on_error)
    if not len(items):
        raise TableError(
            "readiness.no_items",
            "assess: 'declarations' has no valid row. Pass the items that you want to "
            "work with.",
        )
    results = None
    if outcomes is not None:
        results = validate(outcomes, OUTCOMES, on_error=on_error)
    decided = None
    if decisions is not None:
        decided = validate(decisions, DECISIONS, on_error=on_error)
    return Readiness(read_facts(join_data(items, results, decided), results))


def _fill(part: Mapping[str, str] | None, texts: Mapping[str, str], lang: str) -> str:
    """Return a text of a question with its facts."""
    return "" if part is None else part[lang].format(**texts)
