"""The public benchmark: the engine next to other methods, where the truth is known.

Reads synthetic worlds and, where its folder is given, the Korean set; writes tables
with intervals and run times.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk import __version__
from smartrisk.datasets import SCENARIOS, load_kcs, make_declarations
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.evaluation import audit, evaluate, fit_contender
from smartrisk.intervals import mean_half_width
from smartrisk.items import are_among, clean_amounts
from smartrisk.models import (
    ColumnBoosting,
    DateFeaturesClassifier,
    ImporterRateBaseline,
    RandomBaseline,
    SmoothedRateSum,
    ValueBaseline,
)
from smartrisk.results import Result
from smartrisk.windows import Split, seen_before, time_split

__all__ = [
    "MEASURES",
    "BenchmarkResult",
    "contenders",
    "markdown_page",
    "run_benchmark",
]

#: Inspection rate of the tables: what many administrations can inspect.
RATE = 0.05
OURS = "smartrisk"
MEASURES = ("precision", "revenue", "roc_auc")
_log = logging.getLogger("smartrisk")
_OPTIONAL = ("catboost", "xgboost")
#: Called after every contender with the task, the seed, the contender and the seconds.
Progress: TypeAlias = Callable[[str, int, str, float], None]


def contenders() -> dict[str, Any]:
    """Return the methods to compare, by name.

    Returns
    -------
    contenders : dict of str to object
        The engine, the baselines of the literature, and boosted trees on the raw
        columns. Libraries that are not installed are left out.

    Examples
    --------
    >>> from smartrisk.benchmark import contenders
    >>> list(contenders())[:2]
    ['smartrisk', 'smoothed-rate sum']
    """
    import importlib.util

    made: dict[str, Any] = {
        OURS: RiskEngine(random_state=0),
        "smoothed-rate sum": SmoothedRateSum(),
        "DATE features": DateFeaturesClassifier(),
        "LightGBM, raw columns": ColumnBoosting("lightgbm"),
        "scikit-learn, target encoder": ColumnBoosting("scikit-learn"),
    }
    for library in _OPTIONAL:
        if importlib.util.find_spec(library) is not None:
            made[f"{library}, raw columns"] = ColumnBoosting(library)
    return {
        **made,
        "importer's rate": ImporterRateBaseline(),
        "value": ValueBaseline(),
        "random": RandomBaseline(),
    }


@dataclass(frozen=True, eq=False, repr=False)
class BenchmarkResult(Result):
    """Figures of every contender in every task.

    Parameters
    ----------
    _table : DataFrame
        One row per task, seed and contender.
    _verdicts : dict of str to str
        Result of the audit of each task, as a sentence.

    Examples
    --------
    >>> from smartrisk.benchmark import run_benchmark
    >>> result = run_benchmark(("small",), n_items=3_000, n_seeds=1)
    >>> result.frame()["contender"].tolist()[0]
    'smartrisk'
    """

    _table: pd.DataFrame
    _verdicts: dict[str, str]

    @property
    def verdicts(self) -> dict[str, str]:
        """Result of the audit of each task, as a sentence; a copy."""
        return dict(self._verdicts)

    def frame(self) -> pd.DataFrame:
        """Return one row per task, seed and contender.

        Returns
        -------
        frame : DataFrame
            task, seed, contender, precision and revenue (share) at 5 %, roc_auc,
            fit_seconds, score_seconds (of all processors together).
        """
        return self._table.copy()

    def summary(self) -> pd.DataFrame:
        """Return means over the seeds, and how far each is behind the engine.

        Returns
        -------
        summary : DataFrame
            task, contender, n_seeds, each measure with its half-width (95 %, Student),
            ``behind_precision`` and ``behind_revenue``: the engine minus the contender,
            paired by seed, with half-widths; seconds.
        """
        rows = []
        for task, part in self._table.groupby("task", sort=False):
            ours = part[part["contender"] == OURS].set_index("seed")
            for name, own in part.groupby("contender", sort=False):
                by_seed = own.set_index("seed")
                row: dict[str, Any] = {
                    "task": task,
                    "contender": name,
                    "n_seeds": len(by_seed),
                }
                for measure in MEASURES:
                    row |= _mean_with_half(measure, by_seed[measure])
                for measure in ("precision", "revenue"):
                    gap = (ours[measure] - by_seed[measure]).dropna()
                    row |= _mean_with_half(f"behind_{measure}", gap)
                row["fit_seconds"] = by_seed["fit_seconds"].mean()
                row["score_seconds"] = by_seed["score_seconds"].mean()
                rows.append(row)
        return pd.DataFrame(rows)

    def to_markdown(self) -> str:
        """Return the tables as text for a page of documentation.

        Returns
        -------
        text : str
            A table per task, with the audit's verdict above it.
        """
        lines = []
        table = self.summary()
        for task, part in table.groupby("task", sort=False):
            lines += [f"### {task}", "", self._verdicts[str(task)], "", *_HEAD]
            best = {m: part[m].max() for m in ("precision", "revenue")}
            lines += [_line(row, best) for row in part.to_dict("records")]
            lines.append("")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the number of tasks and of contenders."""
        tasks, names = self._table["task"].nunique(), self._table["contender"].nunique()
        return f"BenchmarkResult({tasks} tasks, {names} contenders)"


_HEAD = (
    "| contender | precision@5 % | revenue@5 % | ROC AUC | engine's lead, precision "
    "| engine's lead, revenue | fit CPU s | score CPU s |",
    "|---|---|---|---|---|---|---|---|",
)


def _line(row: Mapping[Hashable, Any], best: Mapping[str, float]) -> str:
    """Return a line of a table; the best figure, as printed, is bold."""
    cells = [str(row["contender"])]
    for measure in MEASURES:
        text = _figure_text(row[measure], row[f"{measure}_half"])
        bold = measure in best and row[measure] >= best[measure] - 5e-4
        cells.append(f"**{text}**" if bold else text)
    for measure in ("precision", "revenue"):
        lead = _figure_text(row[f"behind_{measure}"], row[f"behind_{measure}_half"])
        cells.append("" if row["contender"] == OURS else lead)
    cells += [f"{row['fit_seconds']:.1f}", f"{row['score_seconds']:.1f}"]
    return f"| {' | '.join(cells)} |"


def _figure_text(value: float, half: float) -> str:
    """Return a figure with its half-width."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f} ± {half:.3f}" if math.isfinite(half) else f"{value:.3f}"


def _mean_with_half(name: str, values: pd.Series) -> dict[str, float]:
    """Return a mean over seeds and the half-width of its interval."""
    return {name: float(values.mean()), f"{name}_half": mean_half_width(values)}


def run_benchmark(
    scenarios: Sequence[str] = tuple(SCENARIOS),
    *,
    n_items: int = 60_000,
    n_seeds: int = 5,
    kcs: str | os.PathLike[str] | None = None,
    others: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Fit and evaluate all contenders in every scenario, with every seed.

    In a synthetic world contenders learn from the first three quarters of the items and
    the results known by then, and are judged on the truth of all later items, inspected
    or not. On the Korean set they learn from 2020 and are judged on the first quarter
    of 2021: on all lines, on those seen before and on those never seen.

    Parameters
    ----------
    scenarios : sequence of str, default=all of `SCENARIOS`
        Scenarios of the synthetic worlds.
    n_items : int, default=60_000
        Items of a synthetic world.
    n_seeds : int, default=5
        Worlds per scenario.
    kcs : path, default=None
        Folder of the Korean set; None to leave it out.
    others : mapping of str to object, default=None
        Contenders of your own besides the usual ones: anything that
        `smartrisk.evaluation.fit_contender` takes.
    progress : callable, default=None
        Called with task, seed, contender and seconds after each contender.

    Returns
    -------
    result : BenchmarkResult
        Figures, means with intervals, tables.

    Raises
    ------
    ArgumentError
        If a scenario is unknown, a number is too small, or one of `others` has the
        name of a usual contender.

    Notes
    -----
    Nothing is tuned for a task. Classifiers rank revenue by probability times declared
    value, the engine by expected revenue. The tables do not show any real
    administration, officers who learn, or reactions to the new policy.

    Examples
    --------
    >>> from smartrisk.benchmark import run_benchmark
    >>> result = run_benchmark(("small",), n_items=3_000, n_seeds=1)
    >>> bool(result.summary()["precision"].between(0, 1).all())
    True
    """
    check_number("run_benchmark", "n_items", n_items, low=1_000, integer=True)
    check_number("run_benchmark", "n_seeds", n_seeds, low=1, integer=True)
    for name in scenarios:
        check_choice("run_benchmark", "scenario", name, SCENARIOS)
    clash = sorted(set(others or {}) & set(contenders()))
    if clash:
        raise ArgumentError(
            "benchmark.names_taken",
            "run_benchmark: 'others' must not have the names of the usual contenders; "
            "{names} are taken.",
            names=format_values(clash),
        )
    rows: list[dict[str, Any]] = []
    verdicts: dict[str, str] = {}
    for task in _tasks(scenarios, n_items, n_seeds, kcs):
        verdicts |= {f"{task.name}{part}": task.verdict for part in task.truths}
        for name, contender in {**contenders(), **(others or {})}.items():
            scores, fit_seconds, score_seconds = _fit_and_score(contender, task.split)
            for part, truth in task.truths.items():
                rows.append(
                    {
                        "task": f"{task.name}{part}",
                        "seed": task.seed,
                        "contender": name,
                        **_judge(scores, truth),
                        "fit_seconds": fit_seconds,
                        "score_seconds": score_seconds,
                    }
                )
            seconds = fit_seconds + score_seconds
            _log.info(
                "benchmark: %s, seed %d, %s, %.1f s",
                task.name,
                task.seed,
                name,
                seconds,
            )
            if progress is not None:
                progress(task.name, task.seed, name, seconds)
    return BenchmarkResult(pd.DataFrame(rows), verdicts)


@dataclass(frozen=True)
class _Task:
    """What contenders learn from, and the truths to judge them by.

    The keys of the truths are the endings of the task's names: "" for all items.
    """

    name: str
    seed: int
    split: Split
    truths: dict[str, pd.DataFrame]
    verdict: str


def _tasks(
    scenarios: Sequence[str],
    n_items: int,
    n_seeds: int,
    kcs: str | os.PathLike[str] | None,
) -> Iterator[_Task]:
    """Yield the tasks of synthetic worlds, then that of the Korean set."""
    for name in scenarios:
        verdict = ""
        for seed in range(n_seeds):
            world = make_declarations(n_items, random_state=seed, scenario=name)
            split = time_split(world.declarations, world.outcomes)
            # The first seed represents its scenario: an audit takes as long as a fit.
            verdict = verdict or _verdict(
                audit(world.declarations, world.outcomes).alarms
            )
            later = (world.declarations["lodged_at"] >= split.at).to_numpy()
            truths = {"": world.full_outcomes()[later]}
            yield _Task(name, seed, split, truths, verdict)
    if kcs is not None:
        yield _korean_task(Path(kcs))


def _korean_task(folder: Path) -> _Task:
    """Return the task of the Korean set: all lines, seen lines, unseen lines."""
    train, valid = (load_kcs(folder, part=part) for part in ("train", "valid"))
    alarms = audit(
        train.declarations,
        train.outcomes,
        later_declarations=valid.declarations,
        later_outcomes=valid.outcomes,
    ).alarms
    seen = seen_before(valid.declarations, train.declarations).to_numpy()
    everything = np.ones(len(seen), np.bool_)
    parts = {"": everything, ", seen lines": seen, ", unseen lines": ~seen}
    truths = {
        part: _results_of(valid.declarations[inside], valid.outcomes)
        for part, inside in parts.items()
    }
    split = Split(
        at=valid.declarations["lodged_at"].min(),
        past=train.declarations,
        known=train.outcomes,
        later=valid.declarations,
    )
    return _Task("Korea", 0, split, truths, _verdict(alarms))


def _results_of(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the results of these items."""
    return outcomes[are_among(outcomes, declarations)]


def _verdict(alarms: Sequence[str]) -> str:
    """Return the result of an audit as a sentence."""
    if not alarms:
        return "The audit finds nothing alarming."
    return f"The audit warns: {', '.join(alarms)}."


def _fit_and_score(contender: Any, split: Split) -> tuple[pd.DataFrame, float, float]:
    """Return SCORES of the later items, and the CPU seconds to fit and to score.

    Revenue is ranked by probability times value where a contender does not predict it.
    """
    start = time.process_time()
    fitted = fit_contender(contender, split)
    middle = time.process_time()
    scores = fitted.score(split)
    if "expected_revenue" not in scores and "customs_value" in split.later:
        value: NDArray[np.float64] = clean_amounts(split.later["customs_value"])
        scores = scores.assign(expected_revenue=scores["risk_score"] * value)
    return scores, middle - start, time.process_time() - middle


def _judge(scores: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Return the measures of a contender on the items of a truth."""
    result = evaluate(scores, truth, rates=(RATE,), n_bootstrap=0)
    table = result.frame()
    by_worth = table[table["rank_by"] == "expected_revenue"]
    return {
        "precision": float(table["precision"].iloc[0]),
        "revenue": float(by_worth["revenue_share"].max()),
        "roc_auc": float(result.overall()["roc_auc"]),
    }


def markdown_page(result: BenchmarkResult, command: str, seconds: float) -> str:
    """Return the result as a page, with the command and the time that it took.

    Parameters
    ----------
    result : BenchmarkResult
        The figures.
    command : str
        Command that computed them.
    seconds : float
        Seconds that it took.

    Returns
    -------
    text : str
        Markdown.

    Examples
    --------
    >>> from smartrisk.benchmark import markdown_page, run_benchmark
    >>> result = run_benchmark(("small",), n_items=3_000, n_seeds=1)
    >>> markdown_page(result, "smartrisk benchmark", 12.0).splitlines()[0]
    '## Results'
    """
    return "\n".join(
        [
            "## Results",
            "",
            f"`{command}`, smartrisk {__version__}, {seconds / 60:.0f} minutes. Means "
            "over seeds, ± the half-width of the 95 % interval over seeds; leads are "
            "paired by seed. Bold is the best figure of a table.",
            "",
            result.to_markdown(),
        ]
    )
