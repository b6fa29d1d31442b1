"""Lab 9: what has moved, months of equal maturity, and whether to fit again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.evaluation import PairedGain, paired_gain
from smartrisk.languages import N_
from smartrisk.monitoring import drift
from smartrisk.workshop._comparing import is_number, same_number, same_table
from smartrisk.workshop._lab import Lab, Seat
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

METRIC = "precision_at_05pct"
#: Days after the end of a month from which its results are compared.
_MATURE_DAYS = 90
#: Difference of the ends of an interval up to which other draws explain it.
_DRAWS = 0.03


def _judge_moved(answer: Any, lab: Lab) -> Verdict:
    """Compare the fields with a large shift."""
    later = lab.later
    table = drift(later.first_year, later.last_quarter).frame()
    by, figures = ("field",), ("psi",)
    if same_table(answer, table[table["shift"] == "large"], by, figures):
        return RIGHT
    for wider in (table, table[table["shift"] != "stable"]):
        if same_table(answer, wider, by, figures):
            return mistake(
                "smaller shifts too",
                N_(
                    "your table has fields whose shift is moderate or none. Keep those "
                    "whose shift is large."
                ),
            )
    swapped = drift(later.last_quarter, later.first_year).frame()
    if same_table(answer, swapped[swapped["shift"] == "large"], by, figures):
        return mistake(
            "periods exchanged",
            N_(
                "you compare the first year with the last quarter as its reference. "
                "The reference comes first: it is what the engine learned from."
            ),
        )
    return wrong(
        N_(
            "Compared are the names and the PSI of the fields that moved between "
            "later.first_year and later.last_quarter."
        )
    )


def _rate_months(
    lab: Lab, by: str = "lodged_at", *, mature: bool = True, absent_is_0: bool = False
) -> pd.DataFrame:
    """Return number of results and hit rate by month."""
    later = lab.later
    controls = later.controls
    if absent_is_0:
        controls = controls.fillna({"illicit": 0})
    else:
        controls = controls[controls["known_at"].notna()]
    if mature:
        end = controls[by].dt.to_period("M").dt.end_time
        controls = controls[end <= later.day - pd.Timedelta(days=_MATURE_DAYS)]
    month = controls[by].dt.strftime("%Y-%m").rename("month")
    illicit = controls.groupby(month)["illicit"]
    return illicit.agg(n_results="count", hit_rate="mean").reset_index()


def _judge_rates(answer: Any, lab: Lab) -> Verdict:
    """Compare the hit rates of the months that are old enough."""
    if not isinstance(answer, pd.DataFrame):
        return wrong(N_("A table is asked for, with a row for each month."))
    table = answer if "month" in answer else answer.reset_index()
    if "month" not in table:
        return wrong(N_("The table needs the column month."))
    table = table.assign(month=table["month"].astype(str).str[:7])
    by, figures = ("month",), ("n_results", "hit_rate")
    if same_table(table, _rate_months(lab), by, figures):
        return RIGHT
    if same_table(table, _rate_months(lab, mature=False), by, figures):
        return mistake(
            "months of unequal maturity",
            N_(
                "your table has months that ended less than 90 days ago. They hold "
                "only the results that came first, those of visits: leave them out."
            ),
        )
    for mature in (True, False):
        absent = _rate_months(lab, mature=mature, absent_is_0=True)
        if same_table(table, absent, by, figures):
            return mistake(
                "no result counted as compliant",
                N_(
                    "you count controls whose result is not known as compliant. Leave "
                    "them out until the result arrives."
                ),
            )
        if same_table(table, _rate_months(lab, "known_at", mature=mature), by, figures):
            return mistake(
                "month of the result",
                N_(
                    "your months are those in which the results arrived. An audit then "
                    "counts half a year late: take the month of lodging."
                ),
            )
    return wrong(
        N_("Compared are n_results and hit_rate of {n} months, each by its name."),
        n=len(_rate_months(lab)),
    )


@cache
def _find_gain(seat: Seat) -> PairedGain:
    """Return what the new engine gains on the coming items."""
    later = Lab(9, seat).later
    new, old = (
        engine.score(later.coming, guard="off")
        for engine in (later.refitted, later.engine)
    )
    return paired_gain(new, old, later.truth, metric=METRIC)


def _judge_decision(answer: Any, lab: Lab) -> Verdict:
    """Compare the gain, its interval, and the decision that follows by the rule."""
    names = ("gain", "low", "high")
    if isinstance(answer, pd.Series):
        answer = answer.to_dict()
    if not isinstance(answer, Mapping) or not {"refit", *names} <= set(answer):
        return wrong(N_("A dictionary with refit, gain, low and high is asked for."))
    refit, (gain, low, high) = answer["refit"], (answer[name] for name in names)
    if not isinstance(refit, (bool, np.bool_)) or not all(map(is_number, (low, high))):
        return wrong(N_("refit is True or False; gain, low and high are numbers."))
    right = _find_gain(lab.seat)
    if same_number(gain, -right.gain) and right.gain:
        return mistake(
            "engines exchanged",
            N_(
                "your gain has the wrong sign: you measure what the old engine gains. "
                "The challenger, which is the new one, comes first."
            ),
        )
    close = np.allclose((low, high), (right.low, right.high), rtol=0, atol=_DRAWS)
    if not same_number(gain, right.gain) or not close:
        return wrong(
            N_(
                "Compared are the gain in precision at 5 % on later.coming, judged by "
                "later.truth, and its interval of 95 %."
            )
        )
    if bool(refit) == (right.low > 0):
        return RIGHT
    if refit:
        return mistake(
            "chance taken for a gain",
            N_(
                "your figures are right, but the interval begins at {low:.3f}, so that "
                "the gain may be chance. By the rule the engine stays."
            ),
            low=right.low,
        )
    return mistake(
        "a certain gain refused",
        N_(
            "your figures are right, and the whole interval is above 0: it begins at "
            "{low:.3f}. By the rule the engine is replaced."
        ),
        low=right.low,
    )


TASKS = (
    Task(
        id="9.1",
        name="moved",
        asks=N_("a table with the columns field and psi, a row for each field."),
        judge=_judge_moved,
        meaning=N_(
            "You know what has changed before a single result has arrived; now look "
            "whether it matters."
        ),
        hints=(
            N_("drift takes the reference first, then the period of today."),
            N_("The table of frame() has the column shift: keep the rows with large."),
        ),
    ),
    Task(
        id="9.2",
        name="rates",
        asks=N_(
            "a table with the columns month, n_results and hit_rate, which is a number "
            "from 0 to 1."
        ),
        judge=_judge_rates,
        meaning=N_(
            "Bruno compared visits with everything; among months of equal maturity you "
            "see how far the rate really moves."
        ),
        hints=(
            N_("Begin with the controls whose known_at is there."),
            N_(
                "Drop the months that ended less than 90 days before later.day, then "
                "count and average illicit by month of lodging."
            ),
        ),
    ),
    Task(
        id="9.3",
        name="decision",
        asks=N_("a dictionary with refit, which is True or False, gain, low and high."),
        judge=_judge_decision,
        meaning=N_(
            "A new engine is signed for with a figure and a rule, and so is the "
            "decision to keep the old one."
        ),
        hints=(
            N_("Score later.coming with both engines, and compare by later.truth."),
            N_(
                "paired_gain has gain, low and high; refit is True when low is above 0."
            ),
        ),
    ),
)
