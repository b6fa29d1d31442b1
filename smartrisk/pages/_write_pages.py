"""`write_pages`: all pages of a day, in a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from smartrisk.errors import TableError, check_choice, check_number
from smartrisk.evaluation import (
    Calibration,
    Evaluation,
    Segments,
    by_segment,
    calibration,
    evaluate,
    standard_segments,
)
from smartrisk.items import are_among, join_by_key, label_outcomes, stage_of
from smartrisk.languages import LOCALES
from smartrisk.monitoring import drift
from smartrisk.pages._case_sheet import CaseSheet
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._evaluation_report import EvaluationReport
from smartrisk.pages._model_card import ModelCard
from smartrisk.pages._page import Page, PageTerms
from smartrisk.pages._watch_list import WatchList, keys_of
from smartrisk.schema import OUTCOMES, ColumnMap, TableInput
from smartrisk.selectivity import Policy
from smartrisk.validation import OnError, read_declarations, validate

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine

#: Items, spread over the days, whose reasons show what moves the scores: the error of
#: a mean over 500 is a twentieth of the spread, less than a reader can see.
_MOST_EXPLAINED = 500


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Canonical tables of a day."""

    items: pd.DataFrame
    past: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    columns: ColumnMap | None = None

    @classmethod
    def from_inputs(
        cls,
        declarations: TableInput,
        past: TableInput | None,
        outcomes: TableInput | None,
        on_error: OnError,
        own_fields: Mapping[str, str],
    ) -> Self:
        """Return the tables, validated."""

        def canonical(table: TableInput | None) -> pd.DataFrame | None:
            if table is None:
                return None
            return read_declarations(table, own_fields, on_error=on_error)

        results = None
        if outcomes is not None:
            results = validate(outcomes, OUTCOMES, on_error=on_error)
        items = read_declarations(declarations, own_fields, on_error=on_error)
        if not len(items):
            raise TableError(
                "pages.day_without_items",
                "write_pages: 'declarations' has no valid row. Pass the items of the "
                "day; on a day without items there are no pages to write.",
            )
        earlier = canonical(past)
        if earlier is not None and not len(earlier):
            raise TableError(
                "pages.past_without_items",
                "write_pages: 'past' has no valid row. Pass the earlier items, or None "
                "where there are none.",
            )
        return cls(items=items.reset_index(drop=True), past=earlier, outcomes=results)

    def all_items(self) -> pd.DataFrame:
        """Return the earlier items and those of the day, each once."""
        if self.past is None:
            return self.items
        new = self.items[~are_among(self.items, self.past)]
        return pd.concat([self.past, new], ignore_index=True)

    def results_of(self, items: pd.DataFrame) -> pd.DataFrame | None:
        """Return the results of some items; None where no results were given."""
        if self.outcomes is None:
            return None
        return self.outcomes[are_among(self.outcomes, items)]


@dataclass(frozen=True, kw_only=True)
class _Judgement:
    """What results of the items of the day show about their scores."""

    evaluation: Evaluation | None = None
    calibration: Calibration | None = None
    segments: Segments | None = None


def write_pages(
    engine: RiskEngine,
    declarations: TableInput,
    folder: str | Path,
    *,
    past: TableInput | None = None,
    outcomes: TableInput | None = None,
    capacity: float | Policy = 0.05,
    n_cases: int = 3,
    lang: str = "en",
    evaluation: Evaluation | None = None,
    columns: ColumnMap | None = None,
    terms: PageTerms | None = None,
    on_error: OnError = "raise",
) -> dict[str, Path]:
    """Write the pages of items that are decided on together, and return the files.

    Use it at the end of a day: it selects, explains, and writes what officers and
    managers read.

    Parameters
    ----------
    engine : RiskEngine
        Fitted. It is not changed: a copy of it learns the history of `past` and
        `declarations`.
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS of the day.
    folder : str or Path
        Where the pages go; it is created when absent.
    past : DataFrame, default=None
        Earlier DECLARATIONS, for histories, drift and the data card.
    outcomes : DataFrame, default=None
        OUTCOMES of the earlier items, of those of the day, or of both.
    capacity : float, int or Policy, default=0.05
        Share or number of items that can be controlled, or the policy that selects.
    n_cases : int, default=3
        Maximum number of case sheets: those of the items selected first.
    lang : str, default="en"
        "en", "fr" or "es".
    evaluation : Evaluation, default=None
        Figures for the evaluation report and the model card. None to compute them,
        where `outcomes` has hits and others among the items of the day.
    columns : ColumnMap, default=None
        Map that the tables were read with; the data card lists its steps. It is not
        applied: the tables are canonical.
    terms : PageTerms, default=None
        What the administration calls its channels, and the currency of the amounts.
    on_error : str, default="raise"
        "raise", or "set_aside" to continue without invalid rows and warn.

    Returns
    -------
    paths : dict of str to Path
        The files by name: ``watch-list``, ``case-1``, ``case-2`` ..., ``evaluation``
        (where there is one), ``model-card`` and ``data-card`` are HTML files of these
        names; ``table`` is ``watch-list.csv``.

    Raises
    ------
    TableError
        If a table is invalid or has no item; nothing is written then.
    ArgumentError
        If `lang` or `on_error` is unknown, or `n_cases` is negative.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=2)
    >>> split = sr.windows.time_split(world.declarations, world.outcomes)
    >>> engine = sr.RiskEngine().fit(split.past, split.known)
    >>> today = split.later.head(50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = sr.pages.write_pages(engine, today, folder, past=split.past)
    >>> [path.name for path in paths.values()][:2]
    ['watch-list.html', 'case-1.html']
    """
    check_choice("write_pages", "lang", lang, LOCALES)
    check_choice("write_pages", "on_error", on_error, ("raise", "set_aside"))
    check_number("write_pages", "n_cases", n_cases, low=0, integer=True)
    tables = _Tables.from_inputs(
        declarations, past, outcomes, on_error, engine.own_fields_
    )
    tables = dataclasses.replace(tables, columns=columns)
    everything = tables.all_items()
    # Features use only what was lodged, and known, before the day of their item, so
    # that the history may hold the items of the day.
    engine = engine.copy()
    engine.update(everything, tables.results_of(everything))
    pages, watch_list = _make_pages(
        engine, tables, capacity=capacity, n_cases=n_cases, evaluation=evaluation
    )
    if terms is not None:
        pages = {name: page.with_terms(terms) for name, page in pages.items()}
        watch_list = watch_list.with_terms(terms)
    target = Path(folder)
    paths = {
        name: page.save(target / f"{name}.html", lang=lang)
        for name, page in pages.items()
    }
    paths["table"] = watch_list.export(target / "watch-list.csv", lang=lang)
    return paths


def _make_pages(
    engine: RiskEngine,
    tables: _Tables,
    *,
    capacity: float | Policy,
    n_cases: int,
    evaluation: Evaluation | None,
) -> tuple[dict[str, Page], WatchList]:
    """Return the pages by name, and the watch list among them."""
    items = tables.items
    policy = capacity if isinstance(capacity, Policy) else Policy(capacity=capacity)
    decisions = engine.select(items, policy=policy)
    watch_list = WatchList.from_engine(engine, items, decisions=decisions)
    pages: dict[str, Page] = {"watch-list": watch_list}
    selected = decisions[decisions["channel"] != "green"].sort_values("rank")
    everything = tables.all_items()
    in_doubt = watch_list.undecided_keys()
    for number, label in enumerate(selected.index[:n_cases], start=1):
        item = items.loc[[label]]
        pages[f"case-{number}"] = CaseSheet.from_engine(
            engine,
            item,
            past=everything,
            outcomes=tables.outcomes,
            undecided=not in_doubt.isdisjoint(keys_of(item)),
        )
    judged = _judge(engine, tables, evaluation)
    every_nth = max(-(-len(items) // _MOST_EXPLAINED), 1)
    reasons = engine.explain(items.iloc[::every_nth])
    moved = None if tables.past is None else drift(tables.past, items)
    if judged.evaluation is not None:
        pages["evaluation"] = EvaluationReport.from_evaluation(
            judged.evaluation,
            calibration=judged.calibration,
            segments=judged.segments,
            drift=moved,
            reasons=reasons,
        )
    known = items if tables.past is None else tables.past
    data = DataCard.from_tables(known, tables.results_of(known))
    if tables.columns is not None:
        data = dataclasses.replace(data, steps=tables.columns.steps())
    pages["model-card"] = ModelCard.from_engine(
        engine,
        evaluation=judged.evaluation,
        segments=judged.segments,
        data=data,
        reasons=reasons,
        decisions=decisions,
        drift=moved,
    )
    pages["data-card"] = data
    return pages, watch_list


def _judge(
    engine: RiskEngine, tables: _Tables, evaluation: Evaluation | None
) -> _Judgement:
    """Return what the results of the items of the day show, where there are any."""
    results = tables.results_of(tables.items)
    if results is None or results["illicit"].nunique() < 2:
        return _Judgement(evaluation=evaluation)
    # Where only the document is known to be irregular, nothing is known of its items.
    results = label_outcomes(results[results["illicit"].notna()], engine.target_)
    if results["illicit"].nunique() < 2:
        return _Judgement(evaluation=evaluation)
    scores = engine.score(tables.items, guard="off")  # `select` has checked them
    both = join_by_key(scores, results, ["illicit"], how="inner")
    groups = standard_segments(tables.items, past=tables.past)
    return _Judgement(
        evaluation=evaluate(scores, results) if evaluation is None else evaluation,
        # Without results a score is no probability that could be compared with a rate.
        calibration=None
        if stage_of(scores) == "no results"
        else calibration(both["risk_score"], both["illicit"]),
        segments=by_segment(scores, results, groups),
    )
