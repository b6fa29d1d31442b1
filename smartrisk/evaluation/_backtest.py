"""The backtest: learn, score the following months, repeat, and judge all of them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_choice, check_number
from smartrisk.evaluation._contenders import check_n_jobs, fit_contender
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Float,
    KnownResults,
    align_rows,
    match_results,
    read_rankings,
    unique_keys,
)
from smartrisk.evaluation._ranking import check_rates, count_at, taken_at
from smartrisk.intervals import percentile_interval, resampled_counts
from smartrisk.items import (
    ANY_HIT,
    TARGETS,
    check_unique,
    label_outcomes,
    require_target,
)
from smartrisk.results import Result, notebook_table
from smartrisk.resumable import ResultStore, fingerprint
from smartrisk.schema import TableInput
from smartrisk.tables import read_table
from smartrisk.windows import Split, rolling_origin

_log = logging.getLogger("smartrisk")

MEASURES = ("precision", "recall", "revenue_share")
_SUMS = ("taken", "hits", "all_hits", "revenue", "all_revenue", "n_items", "n_judged")
#: Called after every period of a contender with the number done, the total, the
#: contender and the period.
Progress: TypeAlias = Callable[[int, int, str, str], None]


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Result):
    """Figures of contenders period by period, and over all with intervals.

    Parameters
    ----------
    _weeks : DataFrame
        Sums by contender, period, rate and week of lodgement.
    _seconds : DataFrame
        Seconds to learn and to score, by contender and period.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import backtest
    >>> world = make_declarations(2_000, random_state=0, scenario="small")
    >>> def by_value(past, known, later):
    ...     return later["customs_value"]
    >>> result = backtest({"value": by_value}, world.declarations, world.outcomes,
    ...                   judge=world.full_outcomes(), n_folds=2)
    >>> result.frame()["period"].tolist()
    ['2024-11', '2024-12']
    """

    _weeks: pd.DataFrame
    _seconds: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per contender, period and rate.

        Returns
        -------
        frame : DataFrame
            contender, period, rate, n_items, n_judged (with a result), n_inspected,
            hits, precision, recall, revenue_share, seconds, note (why there are no
            figures).
        """
        by = ["contender", "period", "rate"]
        table = self._weeks.groupby(by, sort=False)[list(_SUMS)].sum().reset_index()
        table = table.merge(self._seconds, on=["contender", "period"], how="left")
        sums = table[list(_SUMS)].to_numpy(np.float64)
        empty = table["n_judged"] == 0
        return pd.DataFrame(
            {
                **{name: table[name] for name in by},
                "n_items": table["n_items"].astype(int),
                "n_judged": table["n_judged"].astype(int),
                "n_inspected": table["taken"],
                "hits": table["hits"],
                **{name: _ratio(sums, name) for name in MEASURES},
                "seconds": table["seconds"],
                "note": np.where(empty, "no item of the period has a result", ""),
            }
        )

    def by_week(self) -> pd.DataFrame:
        """Return the sums behind all figures.

        Returns
        -------
        weeks : DataFrame
            contender, period, rate, week (its Monday), then taken (controls), hits,
            all_hits, revenue, all_revenue, n_items, n_judged.
        """
        columns = ["contender", "period", "rate", "week", *_SUMS]
        return self._weeks[columns].copy()

    def total(self, *, n_bootstrap: int = 500, random_state: int = 0) -> pd.DataFrame:
        """Return one row per contender and rate over all periods.

        Parameters
        ----------
        n_bootstrap : int, default=500
            Replicates of weeks for the 95 % intervals.
        random_state : int, default=0
            Seed of the replicates.

        Returns
        -------
        total : DataFrame
            contender, rate, and each measure with ``_low`` and ``_high``.

        Notes
        -----
        Weeks are drawn with replacement (a block bootstrap, Künsch 1989): items of a
        week resemble each other. Contenders are not fitted again on the draws.
        """
        rows = []
        for (name, rate), sums in self._sums_by_week():
            drawn = _week_weights(len(sums), n_bootstrap, random_state) @ sums
            row = {k: float(_ratio(sums.sum(axis=0), k)) for k in MEASURES}
            for measure in MEASURES:
                low, high = percentile_interval(_ratio(drawn, measure))
                row |= {f"{measure}_low": low, f"{measure}_high": high}
            rows.append({"contender": name, "rate": rate, **row})
        return pd.DataFrame(rows)

    def compare(
        self,
        one: str,
        other: str,
        *,
        n_bootstrap: int = 2_000,
        random_state: int = 0,
    ) -> pd.DataFrame:
        """Return by how much one contender is better than another, week by week.

        Parameters
        ----------
        one, other : str
            Names of contenders.
        n_bootstrap : int, default=2000
            Replicates of weeks; both contenders are judged on the same ones.
        random_state : int, default=0
            Seed of the replicates.

        Returns
        -------
        differences : DataFrame
            rate, measure, one, other, difference, low, high (95 %).

        Raises
        ------
        ArgumentError
            If a contender is unknown.
        """
        names = list(self._weeks["contender"].unique())
        for name in (one, other):
            check_choice("Backtest.compare", "contender", name, names)
        sums = dict(self._sums_by_week())
        rows = []
        for rate in self._weeks["rate"].unique():
            first, second = sums[one, rate], sums[other, rate]
            weights = _week_weights(len(first), n_bootstrap, random_state)
            for measure in MEASURES:
                a, b = (float(_ratio(s.sum(axis=0), measure)) for s in (first, second))
                gaps = _ratio(weights @ first, measure)
                gaps = gaps - _ratio(weights @ second, measure)
                low, high = percentile_interval(gaps)
                rows.append(
                    {
                        "rate": rate,
                        "measure": measure,
                        "one": a,
                        "other": b,
                        "difference": a - b,
                        "low": low,
                        "high": high,
                    }
                )
        return pd.DataFrame(rows)

    def _sums_by_week(self) -> Iterator[tuple[tuple[str, Hashable], Float]]:
        """Yield sums by week of each contender and rate, the weeks in one order."""
        weeks = np.sort(self._weeks["week"].unique())
        by = ["contender", "rate"]
        for (name, rate), part in self._weeks.groupby(by, sort=False):
            sums = part.groupby("week")[list(_SUMS)].sum().reindex(weeks, fill_value=0)
            yield (str(name), rate), sums.to_numpy(np.float64)

    def __repr__(self) -> str:
        """Return the number of contenders and of periods."""
        names, periods = (
            self._weeks[column].nunique() for column in ("contender", "period")
        )
        return f"Backtest({names} contenders, {periods} periods)"

    def _repr_html_(self) -> str:
        """Return the totals with intervals, and the periods, as HTML for a notebook."""
        total = notebook_table(self.total(), f"{self!r}: over all periods")
        return f"{total}\n{notebook_table(self.frame(), 'By period')}"


def backtest(
    contenders: Mapping[str, Any],
    declarations: TableInput,
    outcomes: TableInput,
    *,
    judge: TableInput | None = None,
    rates: Sequence[float] = (0.05,),
    n_folds: int = 6,
    months: int = 1,
    label_delay: int = 30,
    refit_every: int = 1,
    n_jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Judge contenders month by month on what they could not know.

    Before each period a contender learns from the items lodged until then and from
    the results *known* by then; it scores the items of the period; it is judged by the
    results that became known later.

    Parameters
    ----------
    contenders : mapping of str to object
        Engines (``fit`` and ``score`` of declarations and outcomes), classifiers
        (``fit`` and ``predict_proba`` of declarations and labels), or functions of
        past, known and later items that return scores.
    declarations, outcomes : DataFrame
        DECLARATIONS and OUTCOMES of the whole time.
    judge : DataFrame, default=None
        OUTCOMES to judge by; None for `outcomes`. In a synthetic world pass the truth
        of all items, ``world.full_outcomes()``.
    rates : sequence of float or int, default=(0.05,)
        Inspection rates among the judged items of a period, or numbers of them.
    n_folds : int, default=6
        Number of periods, the last ones of the declarations.
    months : int, default=1
        Calendar months in a period.
    label_delay : int, default=30
        Days from lodgement to a result where `known_at` is missing.
    refit_every : int, default=1
        Periods between two fits; in between an engine is updated.
    n_jobs : int, default=1
        Number of fits at the same time; -1 for one per processor.
    folder : path, default=None
        Where to keep the figures of each period, so that a backtest that was stopped
        resumes: what was computed from other contenders, tables, settings or another
        version of the library is computed again. None to keep nothing.
        Of modules that a function names, such as ``import helpers``, only the name
        counts: clear the folder when one changes. What a contender changes while it
        runs, such as a global list that counts calls, starts it from the beginning.
    progress : callable, default=None
        Called with the number of periods done, their total, the contender and the
        period after each.

    Returns
    -------
    result : Backtest
        Per period, over all, and compared.

    Raises
    ------
    ArgumentError
        If an argument is outside what is allowed, a contender cannot learn, or, with
        `folder`, the content of a contender cannot be read.
    TableError
        If a contender does not score every item, or a table repeats a key.

    See Also
    --------
    smartrisk.windows.rolling_origin : The periods.

    Notes
    -----
    Items without a result in `judge` are counted and left out: they are not compliant.
    An engine with a target of its own is judged by the hits of that target: compare it
    with engines of the same one. Where inspections were chosen by a score, results
    exist for the selected items only; then see `off_policy`. Revenue is ranked by
    `expected_revenue` where a contender returns it.

    References
    ----------
    Tashman, L. J. (2000). Out-of-sample tests of forecasting accuracy. International
    Journal of Forecasting 16.

    Künsch, H. R. (1989). The jackknife and the bootstrap for general stationary
    observations. Annals of Statistics 17.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0, scenario="small")
    >>> result = sr.evaluation.backtest(
    ...     {"value": sr.models.ValueBaseline(), "chance": sr.models.RandomBaseline()},
    ...     world.declarations, world.outcomes, judge=world.full_outcomes(),
    ...     n_folds=3)
    >>> len(result.frame())
    6
    """
    declarations = read_table("backtest", "'declarations'", declarations)
    outcomes = read_table("backtest", "'outcomes'", outcomes)
    judge = read_table("backtest", "'judge'", judge)
    _check_settings(
        n_folds=n_folds, months=months, refit_every=refit_every, label_delay=label_delay
    )
    check_n_jobs("backtest", n_jobs)
    check_rates("backtest", rates)
    if not isinstance(contenders, Mapping) or not contenders:
        raise ArgumentError(
            "evaluation.no_contender_to_judge",
            "backtest: 'contenders' must hold at least one; got none. Pass a mapping "
            "from names to contenders.",
        )
    judged = outcomes if judge is None else judge
    for table, frame in (("OUTCOMES", outcomes), ("the results to judge by", judged)):
        check_unique("backtest", table, frame)
    folds = list(
        rolling_origin(
            declarations,
            outcomes,
            n_folds=n_folds,
            months=months,
            label_delay=label_delay,
        )
    )
    store = ResultStore(folder)
    # What decides a period's figures, whatever the contender. `n_folds` and `n_jobs`
    # do not, so that more periods can be added later.
    common = ""
    if folder is not None:
        common = fingerprint(
            "backtest",
            declarations,
            outcomes,
            judged,
            tuple(rates),
            months,
            label_delay,
        )
    tasks = []
    for name, contender in contenders.items():
        own = "" if folder is None else fingerprint(common, contender)
        labels = _labels_for(contender, judged)
        for k in range(0, len(folds), refit_every):
            group = folds[k : k + refit_every]
            keys = tuple(fingerprint(own, group[0].at, fold.at) for fold in group)
            tasks.append(_Task(name, contender, group, labels, tuple(rates), keys))
    return _collect(tasks, store, n_jobs, progress)


def _labels_for(contender: Any, judged: pd.DataFrame) -> pd.DataFrame:
    """Return what a contender is judged by: an engine, by the hits of its target."""
    target = getattr(contender, "target", ANY_HIT)
    if not isinstance(target, str) or target not in TARGETS or target == ANY_HIT:
        return judged
    require_target("backtest", judged, target)
    return label_outcomes(judged, target)


def _check_settings(*, label_delay: int, **at_least_one: int) -> None:
    """Raise unless the numbers of a backtest are allowed."""
    for name, value in at_least_one.items():
        check_number("backtest", name, value, low=1, integer=True)
    check_number("backtest", "label_delay", label_delay, low=0, integer=True)


@dataclass(frozen=True)
class _Task:
    """A contender that is fitted once and scores some periods."""

    name: str
    contender: Any
    folds: list[Split]
    judged: pd.DataFrame
    rates: tuple[float, ...]
    keys: tuple[str, ...] = field(default=())

    def run(self, store: ResultStore) -> list[dict[str, Any]]:
        """Return the record of every period, from the store where it has all."""
        kept = [store.read(key) for key in self.keys]
        if all(record is not None for record in kept):
            return kept
        start = time.perf_counter()
        fitted = fit_contender(self.contender, self.folds[0])
        records = []
        for fold, key in zip(self.folds, self.keys, strict=True):
            scores = fitted.score(fold)
            record = {
                "period": str(fold.at.date())[:7],
                "seconds": time.perf_counter() - start,
                "rows": _week_rows(fold.later, scores, self.judged, self.rates),
            }
            store.write(key, record)
            records.append(record)
            start = time.perf_counter()
        return records


def _collect(
    tasks: list[_Task], store: ResultStore, n_jobs: int, progress: Progress | None
) -> Backtest:
    """Return the records of all tasks as a result."""
    rows: list[dict[str, Any]] = []
    seconds: list[dict[str, Any]] = []
    total = sum(len(task.folds) for task in tasks)
    for task, records in zip(tasks, _run(tasks, store, n_jobs), strict=True):
        for record in records:
            rows += [{"contender": task.name, **row} for row in record["rows"]]
            period, spent = record["period"], record["seconds"]
            seconds.append({"contender": task.name, "period": period, "seconds": spent})
            _log.info("backtest: %s, period %s, %.1f s", task.name, period, spent)
            if progress is not None:
                progress(len(seconds), total, task.name, period)
    return Backtest(pd.DataFrame(rows), pd.DataFrame(seconds))


def _run(
    tasks: list[_Task], store: ResultStore, n_jobs: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of every task, in their order, in parallel when asked."""
    if n_jobs == 1:
        for task in tasks:
            yield task.run(store)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    yield from parallel(delayed(task.run)(store) for task in tasks)


def _week_rows(
    declarations: pd.DataFrame,
    scores: pd.DataFrame,
    judged: pd.DataFrame,
    rates: tuple[float, ...],
) -> list[dict[str, Any]]:
    """Return the sums of a period by rate and week of lodgement."""
    keys = unique_keys("backtest", "DECLARATIONS", declarations)
    rows = align_rows("backtest", "SCORES", scores, keys)
    results = match_results("backtest", keys, judged, "the results to judge by")
    rankings = read_rankings("backtest", "SCORES", rows, results.known)
    weeks = declarations["lodged_at"].dt.to_period("W").dt.start_time
    names, place = np.unique(
        weeks.dt.strftime("%Y-%m-%d").to_numpy(str), return_inverse=True
    )
    counted = _Counted(results, place, len(names))
    period = str(declarations["lodged_at"].iloc[0].date())[:7]
    return [
        {
            "period": period,
            "rate": rate,
            "week": str(name),
            **{column: float(values[j]) for column, values in sums.items()},
        }
        for rate in rates  # 10 is a number of items, 0.1 a share of them
        for sums in [counted.sums(rankings, rate)]
        for j, name in enumerate(names)
    ]


@dataclass(frozen=True)
class _Counted:
    """The judged items of a period, counted by week."""

    results: KnownResults
    place: NDArray[np.intp]
    n_weeks: int

    def sums(self, rankings: Mapping[str, Float], rate: float) -> dict[str, Float]:
        """Return what a rate takes and finds in every week."""
        known = self.results.known
        hit, revenue = self.results.hit[known], self.results.amounts()[known]
        risk = rankings[RANKINGS[0]][known]
        worth = rankings.get(RANKINGS[1], rankings[RANKINGS[0]])[known]
        k = count_at(rate, len(hit))
        taken, taken_by_worth = taken_at(risk, k), taken_at(worth, k)
        sums = {
            "taken": taken,
            "hits": taken * hit,
            "all_hits": hit,
            "revenue": taken_by_worth * revenue,
            "all_revenue": revenue,
            "n_judged": np.ones(len(hit)),
        }
        by_week = {name: self._by_week(values) for name, values in sums.items()}
        n_items = np.bincount(self.place, minlength=self.n_weeks)
        return {**by_week, "n_items": n_items.astype(np.float64)}

    def _by_week(self, values: Float) -> Float:
        """Return the sum of the values of judged items in every week."""
        place = self.place[self.results.known]
        sums = np.bincount(place, values, minlength=self.n_weeks)
        return np.asarray(sums, np.float64)


def _ratio(sums: Float, measure: str) -> Float:
    """Return a measure from sums in their order; NaN where it does not apply."""
    top, below = {
        "precision": ("hits", "taken"),
        "recall": ("hits", "all_hits"),
        "revenue_share": ("revenue", "all_revenue"),
    }[measure]
    a, b = sums[..., _SUMS.index(top)], sums[..., _SUMS.index(below)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(b > 0, a / b, np.nan))


def _week_weights(n_weeks: int, n_bootstrap: int, random_state: int) -> Float:
    """Return how often each week is drawn, one row per replicate."""
    counts = list(resampled_counts(n_weeks, n_bootstrap, random_state))
    return np.asarray(counts, np.float64)
