"""The backtest: learn, score the months that come, go on, and judge it all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, check_number
from smartrisk.evaluation._contenders import fingerprint, learn
from smartrisk.evaluation._logged_decisions import Float, aligned, numbered
from smartrisk.evaluation._ranking import count_at, taken_at
from smartrisk.results import Result
from smartrisk.schema import KEY
from smartrisk.windows import Split, rolling_origin

MEASURES = ("precision", "recall", "revenue_share")
_SUMS = ("taken", "hits", "all_hits", "revenue", "all_revenue", "n_items", "n_judged")
#: Called after every period of a contender: done, total, contender, period.
Progress = Callable[[int, int, str, str], None]


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Result):
    """How contenders did, period by period, and over all with intervals.

    Parameters
    ----------
    weeks : DataFrame
        Sums by contender, period, rate and week of lodgement.
    seconds : DataFrame
        Seconds to learn and to score, by contender and period.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import backtest
    >>> world = make_declarations(2_000, random_state=0, scenario="small")
    >>> def dearest(past, known, later):
    ...     return later["customs_value"]
    >>> result = backtest({"value": dearest}, world.declarations, world.outcomes,
    ...                   judge=world.full_outcomes(), n_periods=2)
    >>> result.frame()["period"].tolist()
    ['2024-11', '2024-12']
    """

    weeks: pd.DataFrame
    seconds: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per contender, period and rate.

        Returns
        -------
        frame : DataFrame
            contender, period, rate, n_items, n_judged (with a result), n_inspected,
            hits, precision, recall, revenue_share, seconds, note (why nothing is said).
        """
        by = ["contender", "period", "rate"]
        table = self.weeks.groupby(by, sort=False)[list(_SUMS)].sum().reset_index()
        table = table.merge(self.seconds, on=["contender", "period"], how="left")
        told = _measures(table)
        empty = table["n_judged"] == 0
        return pd.DataFrame(
            {
                **{name: table[name] for name in by},
                "n_items": table["n_items"].astype(int),
                "n_judged": table["n_judged"].astype(int),
                "n_inspected": table["taken"],
                "hits": table["hits"],
                **told,
                "seconds": table["seconds"],
                "note": np.where(empty, "no item of the period has a result", ""),
            }
        )

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
        week resemble each other. What is learned is not drawn anew.
        """
        rows = []
        for (name, rate), sums in self._by_week():
            drawn = _drawn(len(sums), n_bootstrap, random_state) @ sums
            told = {k: _ratio(sums.sum(axis=0), k) for k in MEASURES}
            for measure in MEASURES:
                low, high = _bounds(_ratio(drawn, measure))
                told |= {f"{measure}_low": low, f"{measure}_high": high}
            rows.append({"contender": name, "rate": rate, **told})
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
        names = list(self.weeks["contender"].unique())
        for name in (one, other):
            check_choice("Backtest.compare", "contender", name, names)
        sums = dict(self._by_week())
        rows = []
        for rate in self.weeks["rate"].unique():
            mine, theirs = sums[one, rate], sums[other, rate]
            weights = _drawn(len(mine), n_bootstrap, random_state)
            for measure in MEASURES:
                a, b = (_ratio(s.sum(axis=0), measure) for s in (mine, theirs))
                gaps = _ratio(weights @ mine, measure) - _ratio(
                    weights @ theirs, measure
                )
                low, high = _bounds(gaps)
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

    def _by_week(self) -> Iterator[tuple[tuple[str, Any], Float]]:
        """Yield sums by week of each contender and rate, the weeks in one order."""
        weeks = np.sort(self.weeks["week"].unique())
        for (name, rate), part in self.weeks.groupby(["contender", "rate"], sort=False):
            sums = part.groupby("week")[list(_SUMS)].sum().reindex(weeks, fill_value=0)
            yield (str(name), rate), sums.to_numpy(np.float64)

    def __repr__(self) -> str:
        names = self.weeks["contender"].nunique()
        return f"Backtest({names} contenders, {self.weeks['period'].nunique()} periods)"


def backtest(
    contenders: Mapping[str, Any],
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    judge: pd.DataFrame | None = None,
    rates: Sequence[float] = (0.05,),
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: int,
) -> Backtest:
    """Judge contenders month by month on what they could not know.

    Before each period a contender learns from the items lodged until then and from
    the results *known* by then; it scores the items of the period; it is judged by the
    results that came later.

    Parameters
    ----------
    contenders : mapping of str to object
        Engines (``fit`` and ``score`` of declarations and outcomes), classifiers
        (``fit`` and ``predict_proba`` of declarations and labels), or functions of
        past, known and later items that return scores.
    declarations, outcomes : DataFrame
        Everything.
    judge : DataFrame, default=None
        OUTCOMES to judge by; None for `outcomes`. In a made world the truth of all
        items, ``world.full_outcomes()``.
    rates : sequence of float or int, default=(0.05,)
        Inspection rates among the judged items of a period, or numbers of them.
    folder : path, default=None
        Where to keep what is done: a backtest that was stopped goes on from there. None
        to keep nothing.
    progress : callable, default=None
        Called with done, total, contender and period after each.
    **options : int
        ``n_periods=6``, ``months=1`` (of a period), ``label_delay=30`` (days, where
        `known_at` is missing), ``refit_every=1`` (periods; between, an engine is
        updated), ``n_jobs=1``.

    Returns
    -------
    result : Backtest
        Per period, over all, and compared.

    Raises
    ------
    ArgumentError
        If an option is unknown, or a contender cannot learn.
    TableError
        If a contender does not score every item.

    See Also
    --------
    smartrisk.windows.rolling_origin : The periods.

    Notes
    -----
    Items without a result in `judge` are counted and left out: they are not compliant.
    Where inspections were chosen by a score, results are those of the chosen; then see
    `off_policy`. Revenue is ranked by `expected_revenue` where a contender gives it.

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
    ...     n_periods=3)
    >>> len(result.frame())
    6
    """
    settings = _settings(options)
    if not contenders:
        raise ArgumentError(
            "evaluation.contenders",
            "backtest: 'contenders' must hold at least one.",
        )
    judged = outcomes if judge is None else judge
    folds = list(
        rolling_origin(
            declarations,
            outcomes,
            n_folds=settings["n_periods"],
            months=settings["months"],
            label_delay=settings["label_delay"],
        )
    )
    store = _Store(folder, declarations, outcomes, judged, (settings, tuple(rates)))
    every = settings["refit_every"]
    tasks = [
        (name, contender, folds[k : k + every])
        for name, contender in contenders.items()
        for k in range(0, len(folds), every)
    ]
    done, rows, seconds = 0, [], []
    total = len(folds) * len(contenders)
    for name, records in _run(tasks, judged, tuple(rates), store, settings["n_jobs"]):
        for record in records:
            done += 1
            rows += [{"contender": name, **row} for row in record["rows"]]
            period, spent = record["period"], record["seconds"]
            seconds.append({"contender": name, "period": period, "seconds": spent})
            if progress is not None:
                progress(done, total, name, period)
    return Backtest(pd.DataFrame(rows), pd.DataFrame(seconds))


_DEFAULTS = {
    "n_periods": 6,
    "months": 1,
    "label_delay": 30,
    "refit_every": 1,
    "n_jobs": 1,
}


def _settings(options: Mapping[str, int]) -> dict[str, int]:
    """Return the options with their defaults, checked."""
    for name, value in options.items():
        check_choice("backtest", "option", name, _DEFAULTS)
        low = {"label_delay": 0, "n_jobs": -64}.get(name, 1)
        check_number("backtest", name, value, low=low, integer=True)
    return {**_DEFAULTS, **options}


def _run(
    tasks: list[tuple[str, Any, list[Split]]],
    judged: pd.DataFrame,
    rates: tuple[float, ...],
    store: _Store,
    n_jobs: int,
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the records of every task, in order, in parallel when asked."""
    if n_jobs == 1:
        for name, contender, folds in tasks:
            yield name, _task(name, contender, folds, (judged, rates, store))
        return
    from joblib import Parallel, delayed

    made = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_task)(name, contender, folds, (judged, rates, store))
        for name, contender, folds in tasks
    )
    yield from zip((name for name, _, _ in tasks), made, strict=True)


def _task(
    name: str,
    contender: Any,
    folds: list[Split],
    how: tuple[pd.DataFrame, tuple[float, ...], _Store],
) -> list[dict[str, Any]]:
    """Learn once, score some periods, and keep what came out."""
    judged, rates, store = how
    kept = [store.read(name, contender, fold) for fold in folds]
    if all(record is not None for record in kept):
        return [record for record in kept if record is not None]
    start = time.perf_counter()
    learned = learn(contender, folds[0])
    records = []
    for fold in folds:
        scores = learned.score(fold)
        spent = time.perf_counter() - start
        record = {
            "period": str(fold.at.date())[:7],
            "seconds": spent,
            "rows": _weeks(fold.later, scores, judged, rates),
        }
        store.write(name, contender, fold, record)
        records.append(record)
        start = time.perf_counter()
    return records


class _Store:
    """A folder of what is done, one file per contender and period."""

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        declarations: pd.DataFrame,
        outcomes: pd.DataFrame,
        judged: pd.DataFrame,
        settings: Any,
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        self.digest = ""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256(repr(settings).encode())
            for frame in (declarations, outcomes, judged):
                digest.update(repr(list(frame.columns)).encode())
                digest.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
            self.digest = digest.hexdigest()

    def _path(self, name: str, contender: Any, fold: Split) -> Path | None:
        """Return where a period of a contender is kept."""
        if self.folder is None:
            return None
        text = f"{self.digest} {name} {fingerprint(contender)} {fold.at}"
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"

    def read(self, name: str, contender: Any, fold: Split) -> dict[str, Any] | None:
        """Return what was kept, None when there is nothing whole."""
        path = self._path(name, contender, fold)
        if path is None or not path.is_file():
            return None
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError:
            return None

    def write(
        self, name: str, contender: Any, fold: Split, record: dict[str, Any]
    ) -> None:
        """Keep a record, all or nothing."""
        path = self._path(name, contender, fold)
        if path is not None:
            draft = path.with_suffix(f".{os.getpid()}.part")
            draft.write_text(json.dumps(record), encoding="utf-8")
            draft.replace(path)


def _weeks(
    items: pd.DataFrame,
    scores: pd.DataFrame,
    judged: pd.DataFrame,
    rates: tuple[float, ...],
) -> list[dict[str, Any]]:
    """Return the sums of a period by rate and week of lodgement."""
    keys = numbered(items)[list(KEY)]
    told = aligned("backtest", "SCORES", scores, keys)
    kept = [c for c in (*KEY, "illicit", "revenue_adjustment") if c in judged]
    found = keys.merge(numbered(judged)[kept], on=list(KEY), how="left")
    if len(found) != len(keys):
        raise TableError(
            "evaluation.results_judge_repeat_keys",
            "backtest: the results to judge by repeat keys.",
        )
    known = found["illicit"].notna().to_numpy()
    hit = found["illicit"].to_numpy(np.float64)[known]
    revenue = np.zeros(len(hit))
    if "revenue_adjustment" in found:
        amounts = found["revenue_adjustment"].to_numpy(np.float64)[known]
        revenue = np.maximum(np.nan_to_num(amounts), 0.0)
    risk = told["risk_score"].to_numpy(np.float64)[known]
    worth = risk
    if "expected_revenue" in told and told["expected_revenue"].notna().all():
        worth = told["expected_revenue"].to_numpy(np.float64)[known]
    week = items["lodged_at"].dt.to_period("W").dt.start_time.dt.strftime("%Y-%m-%d")
    names, place = np.unique(week.to_numpy(str), return_inverse=True)
    inside = place[known]

    def by_week(values: Float) -> Float:
        sums = np.bincount(inside, values, minlength=len(names))
        return np.asarray(sums, np.float64)

    rows = []
    for rate in rates:  # 10 is a number of items, 0.1 a share of them
        k = count_at(rate, len(hit))
        taken, dear = taken_at(risk, k), taken_at(worth, k)
        columns = {
            "taken": by_week(taken),
            "hits": by_week(taken * hit),
            "all_hits": by_week(hit),
            "revenue": by_week(dear * revenue),
            "all_revenue": by_week(revenue),
            "n_items": np.bincount(place, minlength=len(names)),
            "n_judged": by_week(np.ones(len(hit))),
        }
        rows += [
            {
                "period": str(items["lodged_at"].iloc[0].date())[:7],
                "rate": rate,
                "week": str(name),
                **{c: float(values[j]) for c, values in columns.items()},
            }
            for j, name in enumerate(names)
        ]
    return rows


def _measures(table: pd.DataFrame) -> dict[str, Float]:
    """Return the measures of rows of sums."""
    sums = table[list(_SUMS)].to_numpy(np.float64)
    return {name: np.asarray(_ratio(sums, name)) for name in MEASURES}


def _ratio(sums: Float, measure: str) -> Any:
    """Return a measure from sums in their order; NaN where it does not apply."""
    top, below = {
        "precision": ("hits", "taken"),
        "recall": ("hits", "all_hits"),
        "revenue_share": ("revenue", "all_revenue"),
    }[measure]
    a, b = sums[..., _SUMS.index(top)], sums[..., _SUMS.index(below)]
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.where(b > 0, a / b, math.nan)
    return out if out.ndim else float(out)


def _drawn(n: int, n_bootstrap: int, random_state: int) -> Float:
    """Return how often each week is drawn, one row per replicate."""
    rng = np.random.default_rng(random_state)
    draws = rng.integers(0, n, (n_bootstrap, n))
    counts = [np.bincount(row, minlength=n) for row in draws]
    return np.asarray(counts, np.float64)


def _bounds(values: Float) -> tuple[float, float]:
    """Return the middle 95 % of replicates."""
    good = values[np.isfinite(values)]
    if not len(good):
        return math.nan, math.nan
    low, high = np.quantile(good, [0.025, 0.975])
    return float(low), float(high)
