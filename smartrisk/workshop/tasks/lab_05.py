"""Lab 5: whether what the scores promise is what is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from smartrisk.evaluation import calibration
from smartrisk.items import join_by_key
from smartrisk.languages import N_
from smartrisk.schema import KEY
from smartrisk.workshop._comparing import (
    TOLERANCE,
    has_columns,
    same_number,
    same_table,
)
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

#: What a reliability table must have besides the mean score of each group.
_FOUND = ["hit_rate", "n_items"]
#: Groups with fewer items than this say next to nothing.
_FEW_ITEMS = 15


def _judge_items(lab: Lab, outcomes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return promise and finding of the new items, by the truth unless given."""
    scores = lab.engine.score(lab.new)[[*KEY, "risk_score"]]
    found = lab.world.full_outcomes() if outcomes is None else outcomes
    joined = join_by_key(lab.new[list(KEY)], found, ["illicit"]).fillna(0.0)
    return scores.assign(illicit=joined["illicit"].to_numpy(float))


def _tabulate(items: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability table of items in ten groups."""
    return calibration(items["risk_score"], items["illicit"]).frame()


def _tabulate_past(lab: Lab, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability table of items that the engine learned from."""
    scores = lab.engine.score(lab.past)[[*KEY, "risk_score"]]
    return _tabulate(scores.merge(outcomes, on=list(KEY)))


def _is_of_small_groups(answer: Any, items: pd.DataFrame) -> bool:
    """Return whether a table has the new items in groups of a few."""
    if not {"score", *_FOUND} <= set(answer.columns):
        return False
    n = answer["n_items"].astype(float)
    if n.sum() != len(items) or n.median() >= _FEW_ITEMS:
        return False
    pairs = (("score", "risk_score"), ("hit_rate", "illicit"))
    return all(
        same_number(float((answer[mean] * n).sum() / n.sum()), float(items[one].mean()))
        for mean, one in pairs
    )


def _judge_reliability(answer: Any, lab: Lab) -> Verdict:
    """Compare the ten groups: mean score, hit rate and number of items."""
    if not has_columns(answer, ["score", *_FOUND]):
        return wrong(N_("The table needs the columns score, hit_rate and n_items."))
    items = _judge_items(lab)
    if same_table(answer, _tabulate(items), ["score"], _FOUND):
        return RIGHT
    for outcomes in (lab.known, lab.world.full_outcomes()):
        if same_table(answer, _tabulate_past(lab, outcomes), ["score"], _FOUND):
            return mistake(
                "evaluated on training items",
                N_(
                    "your table is that of lab.past: the engine has learned from these "
                    "items and knows their results. A promise is tested on lab.new."
                ),
            )
    if _is_of_small_groups(answer, items):
        return mistake(
            "groups too small",
            N_(
                "your groups hold {n} items at the median. With so few, one hit more "
                "or less moves the rate by {step} percentage points. Make ten groups."
            ),
            n=int(answer["n_items"].median()),
            step=round(100 / max(1, int(answer["n_items"].median()))),
        )
    seen = _judge_items(lab, lab.world.outcomes)
    if same_table(answer, _tabulate(seen), ["score"], _FOUND):
        return mistake(
            "not inspected counted as innocent",
            N_(
                "your hit rates come out when every item that nobody inspected counts "
                "as compliant. Use lab.world.full_outcomes()."
            ),
        )
    return wrong(
        N_(
            "Compared are score, hit_rate and n_items of ten groups of the {n} new "
            "items."
        ),
        n=len(items),
    )


def _name_promises(table: pd.DataFrame, low: str, high: str) -> pd.DataFrame:
    """Return a word for each group, by the bounds that are columns of the table."""
    words = pd.Series("kept", table.index, dtype=object)
    words[table["score"] > table[high] + TOLERANCE] = "too high"
    words[table["score"] < table[low] - TOLERANCE] = "too low"
    return pd.DataFrame({"score": table["score"], "verdict": words})


def _judge_verdicts(answer: Any, lab: Lab) -> Verdict:
    """Compare the word of each group."""
    if not has_columns(answer, ["score", "verdict"]):
        return wrong(N_("The table needs the columns score and verdict."))
    table = _tabulate(_judge_items(lab))
    right = _name_promises(table, "hit_rate_low", "hit_rate_high")
    if same_table(answer, right, ["score"], ["verdict"]):
        return RIGHT
    swapped = {"too high": "too low", "too low": "too high"}
    turned = right.assign(verdict=right["verdict"].replace(swapped))
    if same_table(answer, turned, ["score"], ["verdict"]):
        return mistake(
            "high and low exchanged",
            N_(
                "your words are exchanged. A promise is too high when the score lies "
                "above hit_rate_high: less was found than promised."
            ),
        )
    bare = _name_promises(table, "hit_rate", "hit_rate")
    if same_table(answer, bare, ["score"], ["verdict"]):
        return mistake(
            "without the interval",
            N_(
                "you compared score with hit_rate itself. Chance alone moves hit_rate; "
                "compare with hit_rate_low and hit_rate_high."
            ),
        )
    return wrong(
        N_(
            "Compared are the words kept, too high and too low of the ten groups of "
            "task 5.1, each with its score."
        )
    )


def _judge_planned(answer: Any, lab: Lab) -> Verdict:
    """Compare the sum of the promises with the count of the findings."""
    if not isinstance(answer, (Mapping, pd.Series)):
        return wrong(N_("Two numbers are asked for, under promised and found."))
    items = _judge_items(lab)
    first = items.nlargest(lab.capacity, "risk_score", keep="first")
    promised = float(first["risk_score"].sum())
    found = float(first["illicit"].sum())
    if not same_number(answer.get("found"), found):
        return wrong(
            N_("Compared is found first: a whole number among {n} items."),
            n=lab.capacity,
        )
    if same_number(answer.get("promised"), promised):
        return RIGHT
    if same_number(answer.get("promised"), lab.capacity * items["risk_score"].mean()):
        return mistake(
            "mean of all items",
            N_(
                "you multiplied the mean of all new items by the capacity. That is "
                "what lots would find. Add the promises of the chosen items."
            ),
        )
    return wrong(
        N_("found is right. Compared is promised: the sum of {n} scores from 0 to 1."),
        n=lab.capacity,
    )


TASKS = (
    Task(
        id="5.1",
        name="reliability",
        asks=N_(
            "a table of ten groups of lab.new with the columns score, hit_rate and "
            "n_items; both rates from 0 to 1."
        ),
        judge=_judge_reliability,
        meaning=N_(
            "Now you know what a figure on the list is worth when an officer asks for "
            "it."
        ),
        hints=(
            N_("Join the scores of lab.new to the truth by the two key columns."),
            N_(
                "Pass the columns risk_score and illicit to sr.evaluation.calibration, "
                "in this order, and take .frame()."
            ),
        ),
    ),
    Task(
        id="5.2",
        name="verdicts",
        asks=N_(
            "a table with the columns score and verdict, and one row for each of the "
            "ten groups; the words are kept, too high and too low."
        ),
        judge=_judge_verdicts,
        meaning=N_(
            "Where a promise is not kept, say by how much and in which direction; the "
            "order of work can still be good."
        ),
        hints=(
            N_("Begin with the table of task 5.1: it has the interval of each group."),
            N_(
                'Write "kept" into a new column, then replace it where score lies '
                "above hit_rate_high, and where it lies below hit_rate_low."
            ),
        ),
    ),
    Task(
        id="5.3",
        name="planned",
        asks=N_(
            "two numbers: promised, a sum of scores, and found, a count of "
            "irregularities."
        ),
        judge=_judge_planned,
        meaning=N_(
            "With calibrated scores a chief plans officers and store space before the "
            "first container is open."
        ),
        hints=(
            N_("Take the first lab.capacity items by risk_score, highest first."),
            N_("Sum risk_score over them for promised, and illicit for found."),
        ),
    ),
)
