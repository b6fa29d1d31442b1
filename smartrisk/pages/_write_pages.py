"""`write_pages`: all pages of a day in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.evaluation import (
    Evaluation,
    by_segment,
    calibration,
    evaluate,
    standard_segments,
)
from smartrisk.monitoring import drift
from smartrisk.pages._case_sheet import CaseSheet
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._evaluation_report import EvaluationReport
from smartrisk.pages._model_card import ModelCard
from smartrisk.pages._watch_list import WatchList
from smartrisk.schema import KEY

_EXPLAINED = 500  # items, for what moves the scores


def write_pages(
    engine: RiskEngine,
    items: pd.DataFrame,
    folder: Path,
    *,
    past: pd.DataFrame | None = None,
    outcomes: pd.DataFrame | None = None,
    **options: Any,
) -> dict[str, Path]:
    """Write the pages of items that are decided on together.

    Parameters
    ----------
    engine : RiskEngine
        Fitted.
    items : DataFrame
        DECLARATIONS of the day.
    folder : Path
        Where the pages go.
    past : DataFrame, default=None
        Earlier DECLARATIONS.
    outcomes : DataFrame, default=None
        OUTCOMES of the earlier items, or of these.
    **options : object
        ``capacity``, ``cases``, ``lang``, and an ``evaluation`` that is there already.

    Returns
    -------
    paths : dict of str to Path
        The files by name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> split = sr.windows.time_split(world.declarations, world.outcomes)
    >>> engine = sr.RiskEngine().fit(split.past, split.known)
    >>> today = split.later.head(50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = sr.pages.write_pages(engine, today, Path(folder))
    >>> "watch-list" in paths
    True
    """
    lang, cases = options.get("lang", "en"), options.get("cases", 3)
    every = _moved_on(engine, items, past, outcomes)
    decisions = engine.select(items, options.get("capacity", 0.05))
    watch = WatchList.from_engine(engine, items, decisions=decisions)
    pages: dict[str, Any] = {"watch-list": watch}
    ranked = decisions[decisions["channel"] != "green"].sort_values("rank")
    for number, label in enumerate(ranked.index[:cases], start=1):
        pages[f"case-{number}"] = CaseSheet.from_engine(
            engine, items.loc[[label]], past=every, outcomes=outcomes
        )
    known = items if past is None else past
    data = DataCard.from_tables(known, _of(outcomes, known))
    results = _of(outcomes, items)
    judged: Evaluation | None = options.get("evaluation")
    more: dict[str, Any] = {}
    # Spread over the days, so that what moves the scores can be told over time.
    reasons = engine.explain(items.iloc[:: -(-len(items) // _EXPLAINED) or 1])
    moved = None if past is None else drift(past, items)
    if results is not None and results["illicit"].nunique() == 2:
        scores = engine.score(items)
        judged = evaluate(scores, results)
        groups = standard_segments(items, past=past)
        both = scores.merge(results[[*_keys(items, results), "illicit"]])
        more["calibration"] = calibration(both["risk_score"], both["illicit"])
        more["segments"] = by_segment(scores, results, groups)
    if judged is not None:
        more["reasons"] = reasons
        more |= {} if moved is None else {"drift": moved}
        pages["evaluation"] = EvaluationReport.from_evaluation(judged, **more)
    pages["model-card"] = ModelCard.from_engine(
        engine,
        evaluation=judged,
        segments=more.get("segments"),
        data=data,
        reasons=reasons,
        decisions=decisions,
        drift=moved,
    )
    pages["data-card"] = data
    written = {
        name: page.save(folder / f"{name}.html", lang) for name, page in pages.items()
    }
    written["table"] = watch.export(folder / "watch-list.csv", lang)
    return written


def _moved_on(
    engine: RiskEngine,
    items: pd.DataFrame,
    past: pd.DataFrame | None,
    outcomes: pd.DataFrame | None,
) -> pd.DataFrame:
    """Let the history move on to what is handed over, and return all of it.

    What it knows is not counted again. Items see only what was lodged, and what was
    known, before their own day.
    """
    together = items if past is None else pd.concat([past, items], ignore_index=True)
    together = together.drop_duplicates(_keys(together, together))
    engine.update(together, _of(outcomes, together))
    return together


def _keys(items: pd.DataFrame, results: pd.DataFrame) -> list[str]:
    """Return the key that both tables have."""
    return [name for name in KEY if name in items and name in results]


def _of(outcomes: pd.DataFrame | None, items: pd.DataFrame) -> pd.DataFrame | None:
    """Return the results of some items."""
    if outcomes is None:
        return None
    keys = _keys(items, outcomes)
    return outcomes.merge(items[keys], on=keys)
