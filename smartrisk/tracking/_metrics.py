"""Figures of results as metrics of MLflow: single ones, curves with steps, months.

A curve is a metric with several values. Its step says where on the axis a value
stands: the rate in hundredths of a per cent, the month as 2411, the week as 2445, or
the number of trees.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import (
    ArgumentError,
    TrackingWarning,
    check_choice,
    format_values,
)
from smartrisk.evaluation import Backtest, Evaluation, Periods, rate_name
from smartrisk.tracking._names import entry_names

#: What `log_run` takes as one evaluation.
Judgement: TypeAlias = Evaluation | Backtest | Periods | Mapping[str, float]

_MEASURES = ("precision", "recall", "revenue_share")
_COUNTS = ("n_items", "n_judged", "seconds")
#: Steps are whole numbers: a rate of 5 % is step 500.
_STEPS_OF_RATE = 10_000
#: A backtest's intervals are shown in its own table; the metrics are the figures.
_NO_INTERVALS = 1
#: Start of the figures over all months, where an evaluation has the plain names.
_TOTALS = "backtest/"


@dataclass(frozen=True)
class Point:
    """One value of a curve."""

    name: str
    value: float
    step: int
    moment: pd.Timestamp | None = None


@dataclass
class Figures:
    """What results say, ready to be logged."""

    single: dict[str, float] = field(default_factory=dict)
    curves: list[Point] = field(default_factory=list)
    months: dict[str, dict[str, float]] = field(default_factory=dict)


def read_figures(
    results: Sequence[Judgement],
    contender: str | None,
    engine: RiskEngine,
) -> Figures:
    """Return the figures of results under names that MLflow accepts.

    Warns
    -----
    TrackingWarning
        If a figure is not finite, or a name had to be changed.
    """
    figures = Figures()
    # Of equal names the plain one is that of an evaluation.
    for result in sorted(results, key=lambda one: isinstance(one, Backtest)):
        if isinstance(result, Backtest):
            _add_backtest(figures, result, contender)
        elif isinstance(result, Periods):
            _add_periods(figures, result)
        elif isinstance(result, Evaluation):
            _add_single(figures, result.to_dict())
            figures.curves += _rate_curves(result.frame())
        else:
            _add_single(figures, _read_mapping(result))
    figures.curves += _tree_curve(engine)
    return _check(figures)


def _add_single(figures: Figures, values: Mapping[str, float]) -> None:
    """Add figures; raise where one of another value has the name already."""
    same = [name for name in values if _differs(figures.single, values, name)]
    if same:
        raise ArgumentError(
            "tracking.figures_collide",
            "log_run: several results of 'evaluation' have figures of the same name "
            "and other values: {names}. Log each in a run of its own, or pass a "
            "mapping with names of your own.",
            names=format_values(same),
        )
    figures.single |= values


def _differs(
    there: Mapping[str, float], values: Mapping[str, float], name: str
) -> bool:
    """Return whether a figure is there with another value."""
    return name in there and not np.array_equal(
        there[name], values[name], equal_nan=True
    )


def as_sequence(evaluation: object) -> Sequence[Any]:
    """Return the results one by one."""
    if evaluation is None:
        return ()
    return evaluation if isinstance(evaluation, (list, tuple)) else (evaluation,)


def _read_mapping(given: object) -> dict[str, float]:
    """Return the numbers of a mapping, or of what turns into one."""
    if not isinstance(given, Mapping) and hasattr(given, "to_dict"):
        given = given.to_dict()
    if not isinstance(given, Mapping):
        raise ArgumentError(
            "tracking.evaluation_without_figures",
            "log_run: 'evaluation' must be the result of evaluation.evaluate, "
            "backtest or by_period, a mapping of names to numbers, or a sequence of "
            "these; got {type_name}.",
            type_name=type(given).__name__,
        )
    strange = {
        str(name): value
        for name, value in given.items()
        if not isinstance(value, (int, float, np.integer, np.floating))
    }
    if strange:
        raise ArgumentError(
            "tracking.metric_not_a_number",
            "log_run: a metric must be a number; these are not: {entries}.",
            entries=format_values([f"{n}: {v!r}" for n, v in strange.items()]),
        )
    return {str(name): float(value) for name, value in given.items()}


def _check(figures: Figures) -> Figures:
    """Return finite figures under names that MLflow takes, and say what changed."""
    values = [*figures.single.items(), *((p.name, p.value) for p in figures.curves)]
    values += [pair for month in figures.months.values() for pair in month.items()]
    names = entry_names("metrics", dict(values))
    # NaN in a result's own table says that a measure does not apply; a NaN that the
    # caller passes is a figure that went wrong.
    absent = {n: v for n, v in figures.single.items() if not math.isfinite(v)}
    if absent:
        warnings.warn(
            TrackingWarning(
                "tracking.metrics_not_finite",
                "log_run: {n_metrics} metrics are not finite and were left out: "
                "{entries}. The rest of the run is logged.",
                n_metrics=len(absent),
                entries=format_values([f"{n} is {v}" for n, v in absent.items()]),
            ),
            stacklevel=4,
        )
    return Figures(
        single=_finite(figures.single, names),
        curves=[
            Point(names[p.name], p.value, p.step, p.moment)
            for p in figures.curves
            if math.isfinite(p.value)
        ],
        months={m: _finite(row, names) for m, row in figures.months.items()},
    )


def _finite(given: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    """Return the finite figures under their logged names."""
    return {names[n]: v for n, v in given.items() if math.isfinite(v)}


# --------------------------------------------------------------------- curves


def _rate_curves(table: pd.DataFrame) -> Iterator[Point]:
    """Yield the measures by the share, or the number, of items controlled."""
    for row in table.to_dict("records"):
        rate = row["rate"]
        is_count = isinstance(rate, (int, np.integer)) or rate > 1
        step = int(rate) if is_count else round(rate * _STEPS_OF_RATE)
        axis = "by_items" if is_count else "by_rate"
        by = "" if row["rank_by"] == "risk_score" else "_by_revenue"
        for measure in _MEASURES:
            yield Point(f"{axis}/{measure}{by}", float(row[measure]), step)


def _tree_curve(engine: RiskEngine) -> Iterator[Point]:
    """Yield the log loss of the latest items by the number of trees."""
    curve = getattr(engine.classifier_, "stopping_curve_", ())
    for n_trees, loss in curve:
        yield Point("by_trees/log_loss", float(loss), int(n_trees))


def _add_periods(figures: Figures, periods: Periods) -> None:
    """Add the months, weeks or quarters of a ranking."""
    for row in periods.frame().to_dict("records"):
        by = "" if row["rank_by"] == "risk_score" else "_by_revenue"
        values = {f"{measure}{by}": float(row[measure]) for measure in _MEASURES}
        figures.curves += _period_points(str(row["period"]), values)


def _add_backtest(figures: Figures, backtest: Backtest, contender: str | None) -> None:
    """Add figures over all months, month by month, and as a curve over the months."""
    table = backtest.frame()
    contenders = [str(name) for name in table["contender"].unique()]
    if contender is not None:
        check_choice("log_run", "contender", contender, contenders)
    elif len(contenders) == 1:
        contender = contenders[0]
    others = [name for name in contenders if name != contender]
    starts = {k: f"{name}/" for k, name in entry_names("contenders", others).items()}
    totals: dict[str, float] = {}
    for row in backtest.total(n_bootstrap=_NO_INTERVALS).to_dict("records"):
        totals |= _name_measures(row, starts)
    if any(_differs(figures.single, totals, name) for name in totals):
        totals = {f"{_TOTALS}{name}": value for name, value in totals.items()}
    _add_single(figures, totals)
    for row in table.to_dict("records"):
        values = _name_measures(row, starts)
        figures.curves += _period_points(str(row["period"]), values)
        start = starts.get(str(row["contender"]), "")
        month = figures.months.setdefault(str(row["period"]), {})
        month |= values | {f"{start}{name}": float(row[name]) for name in _COUNTS}


def _name_measures(
    row: Mapping[Any, Any], starts: Mapping[str, str]
) -> dict[str, float]:
    """Return the measures of a row; those of other contenders start with their name."""
    start = starts.get(str(row["contender"]), "")
    suffix = rate_name(row["rate"])
    return {f"{start}{m}_at_{suffix}": float(row[m]) for m in _MEASURES}


def _period_points(period: str, values: Mapping[str, float]) -> Iterator[Point]:
    """Yield values of a month, quarter or week, dated on its first day."""
    if period == "all":
        return
    start = pd.Timestamp(pd.Period(period).start_time)
    # Four digits: from five on MLflow's charts write 24k.
    axis, step = "by_month", start.year % 100 * 100 + start.month
    if "Q" in period:
        axis = "by_quarter"
    elif len(period) > len("2024-11"):
        year, week, _ = start.isocalendar()
        axis, step = "by_week", year % 100 * 100 + week
    for name, value in values.items():
        yield Point(f"{axis}/{name}", value, step, start)
