"""Lab 3: three columns hold what nobody knew at lodgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.evaluation import precision_at, prove_leak_free
from smartrisk.languages import N_
from smartrisk.schema import KEY
from smartrisk.workshop._comparing import has_columns, same_table
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._leaky_table import (
    CLEAN,
    FINAL_VALUE,
    HIT_SHARE,
    LEAKS,
    PASTED_DATE,
    compute_importer_history,
)
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_KEY = list(KEY)
#: Share of the inspected items that are opened.
_RATE = 0.05
#: Items for which a function is judged: the last of the past, so that it takes seconds.
_PROVED = 6_000


def _count(lab: Lab, *, sign: int = 1, unit: float = 1.0) -> pd.DataFrame:
    """Return the precision of each column alone."""
    table = lab.inspected
    rows = [
        (name, unit * precision_at(table["illicit"], sign * table[name], _RATE))
        for name in (*CLEAN, *LEAKS)
    ]
    return pd.DataFrame(rows, columns=["column", "precision"])


def _judge_alone(answer: Any, lab: Lab) -> Verdict:
    """Compare the precision of each column."""
    by, columns = ["column"], ["precision"]
    if not has_columns(answer, [*by, *columns]):
        return wrong(N_("The table needs the columns column and precision."))
    if same_table(answer, _count(lab), by, columns):
        return RIGHT
    if same_table(answer, _count(lab, sign=-1), by, columns):
        return mistake(
            "sorted upwards",
            N_(
                "your figures are those of the smallest values. Open the largest ones "
                "first."
            ),
        )
    if same_table(answer, _count(lab, unit=100.0), by, columns):
        return mistake(
            "percentages",
            N_("your figures are percentages. A share is a number from 0 to 1."),
        )
    return wrong(
        N_(
            "Compared is the share of irregular items among the {percent} % with the "
            "largest values, for each of the {n} columns."
        ),
        percent=round(100 * _RATE),
        n=len(CLEAN) + len(LEAKS),
    )


#: Name and hint when one leak is left, by its column.
_LEFT = {
    PASTED_DATE: (
        "left the pasted date",
        N_(
            "one column is left that rests on a date pasted in after the control. Only "
            "a declaration with an irregularity is ever corrected."
        ),
    ),
    FINAL_VALUE: (
        "left the value after the control",
        N_(
            "one column is left that compares with the value after the control. At "
            "lodgement there is only the declared value."
        ),
    ),
    HIT_SHARE: (
        "left a rate over all results",
        N_(
            "one column is left that averages all results of an importer: also those "
            "of later days, and that of the item itself."
        ),
    ),
}


def _judge_clean(answer: Any, lab: Lab) -> Verdict:
    """Compare which columns are left, and their values."""
    if not has_columns(answer, [*_KEY, "illicit"]):
        return wrong(
            N_(
                "The table needs declaration_id, item_number, illicit and the clean "
                "columns."
            )
        )
    others = set(answer.columns) - set(lab.inspected.columns)
    if others:
        return wrong(
            N_("Your table has columns that lab.inspected does not have ({n})."),
            n=len(others),
        )
    left = [name for name in LEAKS if name in answer]
    lost = [name for name in CLEAN if name not in answer]
    kept = [name for name in (*CLEAN, *LEAKS) if name in answer]
    if not same_table(answer, lab.inspected, _KEY, [*kept, "illicit"]):
        return wrong(
            N_(
                "Its values differ from those of lab.inspected, or rows are missing. "
                "Take out columns, and leave the rest as it is."
            )
        )
    if not left and not lost:
        return RIGHT
    if not left:
        return mistake(
            "dropped a clean column",
            N_(
                "no leak is left, but clean columns are missing ({n}). What was known "
                "at lodgement may stay, and so may results that were known before."
            ),
            n=len(lost),
        )
    if len(left) == 1 and not lost:
        return mistake(*_LEFT[left[0]])
    return wrong(
        N_("Leaks in your table: {left}. Clean columns that are missing: {lost}."),
        left=len(left),
        lost=len(lost),
    )


def _values(
    function: Callable[..., Any], items: pd.DataFrame, known: pd.DataFrame
) -> np.ndarray:
    """Return what a function gives for items, as numbers."""
    found = np.asarray(function(items.copy(), known.copy()), dtype=np.float64)
    return found.reshape(len(items), -1)[:, 0]


def _hits(items: pd.DataFrame, known: pd.DataFrame, by: str | None) -> np.ndarray:
    """Return the hits of each importer before the moment `by`; of all time for None."""
    places = items[[*_KEY, "importer_id", "lodged_at"]].reset_index(drop=True)
    found = known[known["illicit"] == 1].merge(
        places.rename(columns={"lodged_at": "of_item"}), on=_KEY
    )
    pairs = places.reset_index().merge(found, on="importer_id")
    if by is not None:
        pairs = pairs[pairs[by] < pairs["lodged_at"].dt.normalize()]
    counts = pairs["index"].value_counts().reindex(range(len(items)), fill_value=0)
    return counts.to_numpy(np.float64)


def _judge_hits_before(answer: Any, lab: Lab) -> Verdict:
    """Compare the values of the function, and have it proved."""
    if not callable(answer):
        return wrong(N_("This is no function. Begin with def hits_before(...)."))
    items = lab.past.tail(_PROVED)
    known = lab.known.merge(items[_KEY], on=_KEY)
    found = _values(answer, items, known)
    right = compute_importer_history(items, known)["hits"].to_numpy()
    if np.allclose(found, right):
        if prove_leak_free(answer, items, known).leaks:
            return wrong(N_("The values are right, but the prover still finds a leak."))
        return RIGHT
    if np.allclose(found, _hits(items, known, None)):
        return mistake(
            "counts every hit",
            N_(
                "your function counts all irregularities of the importer: also that of "
                "the item itself, and later ones."
            ),
        )
    begun = (_hits(items, known, by) for by in ("of_item", "inspected_at"))
    if any(np.allclose(found, counted) for counted in begun):
        return mistake(
            "counts results before they were known",
            N_(
                "your function counts an irregularity from its lodgement or its "
                "control on. What decides is known_at."
            ),
        )
    results = compute_importer_history(items, known)["inspections"].to_numpy()
    if np.allclose(found, results):
        return mistake(
            "counts results instead of hits",
            N_(
                "your function counts all known results. Keep those where illicit is 1."
            ),
        )
    return wrong(
        N_(
            "Compared are the values for {n} items of lab.past, in their order. Yours "
            "differ for {differing} of them."
        ),
        n=len(items),
        differing=int((~np.isclose(found, right)).sum()),
    )


TASKS = (
    Task(
        id="3.1",
        name="alone",
        asks=N_(
            "a table with the columns column and precision (from 0 to 1), a row for "
            "each of the eight columns."
        ),
        judge=_judge_alone,
        meaning=N_(
            "No officer is as good as the best of these columns: that is where to look "
            "first."
        ),
        hints=(
            N_("sr.evaluation.precision_at takes the results, a column, and 0.05."),
            N_("Go through the eight names in a loop and collect name and figure."),
        ),
    ),
    Task(
        id="3.2",
        name="clean",
        asks=N_(
            "the table lab.inspected without the three columns that leak, and with all "
            "others."
        ),
        judge=_judge_clean,
        meaning=N_(
            "What the model learns from now, an officer could have known when the item "
            "was lodged."
        ),
        hints=(
            N_("The prover names the columns that changed: report.leaks."),
            N_("table.drop(columns=[...]) leaves out the columns that you list."),
        ),
    ),
    Task(
        id="3.3",
        name="hits_before",
        asks=N_(
            "a function of declarations and outcomes that returns a number for each of "
            "the declarations, in their order."
        ),
        judge=_judge_hits_before,
        meaning=N_(
            "Earlier results are among the best signs of risk, as long as each counts "
            "only once it was known."
        ),
        hints=(
            N_("A result counts when known_at is before the day of lodgement."),
            N_(
                "Join the irregular results to all items of their importer, keep the "
                "pairs whose known_at is before that day, and count them for each item."
            ),
        ),
    ),
)
