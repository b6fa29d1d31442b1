"""The public benchmark: the engine beside the field's methods, in worlds with a truth.

Reads made worlds and, where it is given, the Korean set; writes a table with intervals
and run times.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from smartrisk import __version__
from smartrisk.datasets import SCENARIOS, load_kcs, make_declarations
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, check_choice, check_number
from smartrisk.evaluation import audit, evaluate, learn
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

__all__ = ["MEASURES", "BenchmarkResult", "contenders", "page", "run_benchmark"]

RATE = 0.05
OURS = "smartrisk"
MEASURES = ("precision", "revenue", "roc_auc")
_OPTIONAL = ("catboost", "xgboost")
#: Told after every contender: task, seed, contender, seconds.
Progress = Callable[[str, int, str, float], None]


def contenders() -> dict[str, Any]:
    """Return what is compared, by name; libraries that are not installed are left out.

    Returns
    -------
    contenders : dict of str to object
        The engine, the field's baselines, and boosted trees on the raw columns.

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
    """How every contender did in every task.

    Parameters
    ----------
    table : DataFrame
        One row per task, seed and contender.
    verdicts : dict of str to str
        What the audit says of each task.

    Examples
    --------
    >>> from smartrisk.benchmark import run_benchmark
    >>> result = run_benchmark(("small",), n_items=3_000, n_seeds=1)
    >>> result.frame()["contender"].tolist()[0]
    'smartrisk'
    """

    table: pd.DataFrame
    verdicts: dict[str, str]

    def frame(self) -> pd.DataFrame:
        """Return one row per task, seed and contender.

        Returns
        -------
        frame : DataFrame
            task, seed, contender, precision and revenue (share) at 5 %, roc_auc,
            fit_seconds, score_seconds.
        """
        return self.table.copy()

    def summary(self) -> pd.DataFrame:
        """Return means over the seeds, and how far each is behind the engine.

        Returns
        -------
        summary : DataFrame
            task, contender, n_seeds, each measure with its half-width (95 %, Student),
            ``behind_precision`` and ``behind_revenue``: the engine less the contender,
            paired by seed, with half-widths; seconds.
        """
        rows = []
        for task, part in self.table.groupby("task", sort=False):
            ours = part[part["contender"] == OURS].set_index("seed")
            for name, mine in part.groupby("contender", sort=False):
                by_seed = mine.set_index("seed")
                row: dict[str, Any] = {
                    "task": task,
                    "contender": name,
                    "n_seeds": len(by_seed),
                }
                for measure in MEASURES:
                    row |= _mean(measure, by_seed[measure])
                for measure in ("precision", "revenue"):
                    gap = (ours[measure] - by_seed[measure]).dropna()
                    row |= _mean(f"behind_{measure}", gap)
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
            lines += [f"### {task}", "", self.verdicts[str(task)], "", *_HEAD]
            best = {m: part[m].max() for m in ("precision", "revenue")}
            lines += [_line(row, best) for row in part.to_dict("records")]
            lines.append("")
        return "\n".join(lines)

    def __repr__(self) -> str:
        tasks, names = self.table["task"].nunique(), self.table["contender"].nunique()
        return f"BenchmarkResult({tasks} tasks, {names} contenders)"


_HEAD = (
    "| contender | precision@5 % | revenue@5 % | ROC AUC | engine's lead, precision "
    "| engine's lead, revenue | fit s | score s |",
    "|---|---|---|---|---|---|---|---|",
)


def _line(row: Mapping[Any, Any], best: Mapping[str, float]) -> str:
    """Return a line of a table; the best figure is bold."""
    cells = [str(row["contender"])]
    for measure in MEASURES:
        text = _text(row[measure], row[f"{measure}_half"])
        bold = measure in best and row[measure] >= best[measure] - 5e-4
        cells.append(f"**{text}**" if bold else text)
    for measure in ("precision", "revenue"):
        lead = _text(row[f"behind_{measure}"], row[f"behind_{measure}_half"])
        cells.append("" if row["contender"] == OURS else lead)
    cells += [f"{row['fit_seconds']:.1f}", f"{row['score_seconds']:.1f}"]
    return f"| {' | '.join(cells)} |"


def _text(value: float, half: float) -> str:
    """Return a figure with its half-width."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f} ± {half:.3f}" if math.isfinite(half) else f"{value:.3f}"


def _mean(name: str, values: pd.Series) -> dict[str, float]:
    """Return a mean over seeds and the half-width of its interval."""
    n = int(values.notna().sum())
    half = math.nan
    if n > 1:
        half = float(student.ppf(0.975, n - 1) * values.std() / math.sqrt(n))
    return {name: float(values.mean()), f"{name}_half": half}


def run_benchmark(
    scenarios: Sequence[str] = tuple(SCENARIOS),
    *,
    n_items: int = 60_000,
    n_seeds: int = 5,
    kcs: str | os.PathLike[str] | None = None,
    others: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Let all contenders learn and be judged, in every scenario and seed.

    In a made world contenders learn from the first three quarters of the items and the
    results known by then, and are judged on the truth of all later items, inspected or
    not. On the Korean set they learn from 2020 and are judged on the first quarter of
    2021, lines seen before and lines never seen apart.

    Parameters
    ----------
    scenarios : sequence of str, default=all of `SCENARIOS`
        Made worlds.
    n_items : int, default=60_000
        Of a made world.
    n_seeds : int, default=5
        Worlds by scenario.
    kcs : path, default=None
        Folder of the Korean set; None to leave it out.
    others : mapping of str to object, default=None
        Contenders of your own, with ``fit`` and ``predict_proba`` of declarations and
        labels, beside the usual ones.
    progress : callable, default=None
        Called with task, seed, contender and seconds after each.

    Returns
    -------
    result : BenchmarkResult
        Figures, means with intervals, tables.

    Raises
    ------
    ArgumentError
        If a scenario is unknown.

    Notes
    -----
    Nothing is tuned for a task. Classifiers rank revenue by probability times declared
    value, the engine by expected revenue. What the tables do not show: any real
    administration, officers who learn, reactions to the new policy.

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
            "benchmark.others_other_names",
            "run_benchmark: 'others' must have other names: {clash}.",
            clash=clash,
        )
    rows: list[dict[str, Any]] = []
    verdicts: dict[str, str] = {}
    for task, seed, split, truths in _tasks(scenarios, n_items, n_seeds, kcs, verdicts):
        for name, contender in {**contenders(), **(others or {})}.items():
            start = time.perf_counter()
            scores, fitted = _learned(contender, split)
            spent = time.perf_counter() - start
            for part, truth in truths.items():
                rows.append(
                    {
                        "task": f"{task}{part}",
                        "seed": seed,
                        "contender": name,
                        **_judged(scores, truth),
                        "fit_seconds": fitted,
                        "score_seconds": spent - fitted,
                    }
                )
            if progress is not None:
                progress(task, seed, name, spent)
    return BenchmarkResult(pd.DataFrame(rows), verdicts)


def _tasks(
    scenarios: Sequence[str],
    n_items: int,
    n_seeds: int,
    kcs: str | os.PathLike[str] | None,
    verdicts: dict[str, str],
) -> Iterator[tuple[str, int, Split, dict[str, pd.DataFrame]]]:
    """Yield task, seed, what is learned from, and the truths to judge by."""
    for name in scenarios:
        for seed in range(n_seeds):
            world = make_declarations(n_items, random_state=seed, scenario=name)
            split = time_split(world.declarations, world.outcomes)
            if seed == 0:
                verdicts[name] = _verdict(
                    audit(world.declarations, world.outcomes).alarms
                )
            truth = world.full_outcomes()
            yield (
                name,
                seed,
                split,
                {"": truth[world.declarations["lodged_at"] >= split.at]},
            )
    if kcs is None:
        return
    train, valid = (load_kcs(Path(kcs), part=part) for part in ("train", "valid"))
    told = _verdict(
        audit(
            train.declarations,
            train.outcomes,
            later=(valid.declarations, valid.outcomes),
        ).alarms
    )
    seen = seen_before(valid.declarations, train.declarations).to_numpy()
    parts = {"": seen | True, ", seen lines": seen, ", unseen lines": ~seen}
    truths = {}
    for part, inside in parts.items():
        verdicts[f"Korea{part}"] = told
        ids = valid.declarations.loc[inside, "declaration_id"]
        truths[part] = valid.outcomes[valid.outcomes["declaration_id"].isin(ids)]
    at = valid.declarations["lodged_at"].min()
    yield (
        "Korea",
        0,
        Split(
            at=at,
            past=train.declarations,
            known=train.outcomes,
            later=valid.declarations,
        ),
        truths,
    )


def _verdict(alarms: Sequence[str]) -> str:
    """Return what the audit says, as a sentence."""
    if not alarms:
        return "The audit finds nothing alarming."
    return f"The audit warns: {', '.join(alarms)}."


def _learned(contender: Any, split: Split) -> tuple[pd.DataFrame, float]:
    """Return SCORES of the later items, and the seconds of learning.

    Revenue is ranked by probability times value where a contender says nothing of it.
    """
    start = time.perf_counter()
    made = learn(contender, split)
    fitted = time.perf_counter() - start
    scores = made.score(split)
    if "expected_revenue" not in scores and "customs_value" in split.later:
        value = np.maximum(split.later["customs_value"].to_numpy(np.float64), 0.0)
        worth = scores["risk_score"] * np.nan_to_num(value)
        scores = scores.assign(expected_revenue=worth)
    return scores, fitted


def _judged(scores: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Return the measures of a contender on the items of a truth."""
    result = evaluate(scores, truth, rates=(RATE,), n_bootstrap=0)
    table = result.frame()
    by_worth = table[table["rank_by"] == "expected_revenue"]
    return {
        "precision": float(table["precision"].iloc[0]),
        "revenue": float(by_worth["revenue_share"].max()),
        "roc_auc": float(result.overall()["roc_auc"]),
    }


def page(result: BenchmarkResult, command: str, seconds: float) -> str:
    """Return the result as a page that says how it came about and what it lacks.

    Parameters
    ----------
    result : BenchmarkResult
        What was measured.
    command : str
        What was called.
    seconds : float
        How long it took.

    Returns
    -------
    text : str
        Markdown.

    Examples
    --------
    >>> from smartrisk.benchmark import page, run_benchmark
    >>> result = run_benchmark(("small",), n_items=3_000, n_seeds=1)
    >>> page(result, "smartrisk benchmark", 12.0).splitlines()[0]
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
