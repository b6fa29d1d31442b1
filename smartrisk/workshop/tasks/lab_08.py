"""Lab 8: hit rate and tax gap of the whole flow, from the items drawn by lots."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.evaluation import whole_flow
from smartrisk.intervals import wilson_interval
from smartrisk.languages import N_
from smartrisk.workshop._comparing import same_table
from smartrisk.workshop._estimates import Estimate, as_estimate, same_estimate
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_FIGURES = ("estimate", "low", "high")
_THREE_NUMBERS = N_("Three numbers are asked for: an estimate, its low and its high.")


def _rate(hits: float, n: int) -> Estimate:
    """Return a share with its interval of 95 %."""
    low, high = wilson_interval(hits / n, n)
    return hits / n, float(low), float(high)


def _judge_rate(answer: Any, lab: Lab) -> Verdict:
    """Compare the hit rate of the items drawn by lots."""
    if as_estimate(answer) is None:
        return wrong(_THREE_NUMBERS)
    results = lab.books.results
    drawn = results[results["selected_by"] == "random"]
    hits, n = float(drawn["illicit"].sum()), len(drawn)
    if same_estimate(answer, _rate(hits, n)):
        return RIGHT
    if same_estimate(answer, _rate(float(results["illicit"].sum()), len(results))):
        return mistake(
            "every control",
            N_(
                "this is the hit rate of all controls. Most of them were chosen by a "
                "rule, so they show how good the rules are. Keep the items with "
                "selected_by equal to random."
            ),
        )
    for wrong_n in (len(results), len(lab.books.items)):
        if same_estimate(answer, _rate(hits, wrong_n)):
            return mistake(
                "divided by other items",
                N_(
                    "you count the hits of the lots, but divide by {n} items. Only the "
                    "{drawn} that were drawn could be such a hit."
                ),
                n=wrong_n,
                drawn=n,
            )
    return wrong(
        N_("Compared are the rate and Wilson's interval of 95 %, of {n} controls."), n=n
    )


def _estimate_flow(lab: Lab, *, by_office: bool = True, **options: Any) -> pd.DataFrame:
    """Return the estimates of the whole flow."""
    books = lab.books
    strata = books.decisions["office"] if by_office else None
    return whole_flow(books.decisions, books.results, strata=strata, **options).frame()


def _estimate_controlled(lab: Lab) -> pd.DataFrame:
    """Return the estimates of a flow in which nobody has left an item alone."""
    decisions = lab.books.decisions
    controlled = decisions[decisions["selected_by"].notna()]
    strata = controlled["office"]
    return whole_flow(controlled, lab.books.results, strata=strata).frame()


def _judge_flow(answer: Any, lab: Lab) -> Verdict:
    """Compare the three estimates of the whole flow."""
    by = ("estimand",)
    if same_table(answer, _estimate_flow(lab), by, _FIGURES):
        return RIGHT
    if same_table(answer, _estimate_flow(lab, by_office=False), by, _FIGURES):
        return mistake(
            "mixing strata",
            N_(
                "you treat all offices as one. An office that draws ten in a hundred "
                "then counts five times as much as one that draws two. Give the "
                "offices as strata."
            ),
        )
    if same_table(answer, _estimate_controlled(lab), by, _FIGURES):
        return mistake(
            "controlled items only",
            N_(
                "your flow holds only the items that were controlled. The question is "
                "about all {n}: give the decisions on every item, green ones too."
            ),
            n=len(lab.books.items),
        )
    every = _estimate_flow(lab, by_office=False, source="all")
    if same_table(answer, every, by, _FIGURES):
        return mistake(
            "every control",
            N_(
                "you use the controls by rule too, weighted by a probability that most "
                "administrations do not know. Use the items drawn by lots: source is "
                "random unless you ask for another."
            ),
        )
    return wrong(
        N_(
            "Compared are estimate, low and high of the rows illicit_rate, hits and "
            "revenue_gap, estimated office by office."
        )
    )


def _judge_unseen(answer: Any, lab: Lab) -> Verdict:
    """Compare the number of irregular items that nobody found."""
    if as_estimate(answer) is None:
        return wrong(_THREE_NUMBERS)
    rows = _estimate_flow(lab)
    row = rows[rows["estimand"] == "hits"].iloc[0]
    hits = [float(row[name]) for name in _FIGURES]
    results = lab.books.results
    found = float(results["illicit"].sum())
    if same_estimate(answer, [figure - found for figure in hits]):
        return RIGHT
    if same_estimate(answer, hits):
        return mistake(
            "nothing subtracted",
            N_(
                "these are all irregular items, found or not. Subtract the {n} that "
                "controls have found."
            ),
            n=int(found),
        )
    drawn = results[results["selected_by"] == "random"]
    by_lots = float(drawn["illicit"].sum())
    if same_estimate(answer, [figure - by_lots for figure in hits]):
        return mistake(
            "found by lots only",
            N_(
                "you subtract what the lots have found. The rules have found some too, "
                "which were seen as well."
            ),
        )
    if same_estimate(answer, [figure - len(results) for figure in hits]):
        return mistake(
            "controls instead of hits",
            N_(
                "you subtract every control. A control that found nothing has found no "
                "irregular item: subtract the hits."
            ),
        )
    return wrong(
        N_("Compared are three numbers of items, from the row hits of your flow.")
    )


TASKS = (
    Task(
        id="8.1",
        name="random_rate",
        asks=N_("three numbers from 0 to 1: the rate, its low and its high."),
        judge=_judge_rate,
        meaning=N_(
            "This is what an officer finds in items chosen by chance; rules do better, "
            "and the difference is their worth."
        ),
        hints=(
            N_("books.results has the column selected_by, which is random or rule."),
            N_(
                "Keep the rows that were drawn by lots, take the mean of illicit, and "
                "pass it to wilson_interval with the number of these rows."
            ),
        ),
    ),
    Task(
        id="8.2",
        name="flow",
        asks=N_(
            "the table of whole_flow: the rows illicit_rate, hits and revenue_gap with "
            "estimate, low and high."
        ),
        judge=_judge_flow,
        meaning=N_(
            "You can report how much is irregular, and how sure you are, without "
            "opening everything."
        ),
        hints=(
            N_("whole_flow takes decisions, results, and strata."),
            N_(
                "The strata are the column office of books.decisions; frame() makes "
                "the table."
            ),
        ),
    ),
    Task(
        id="8.3",
        name="unseen",
        asks=N_("three numbers of items: the estimate, its low and its high."),
        judge=_judge_unseen,
        meaning=N_(
            "This is what controls leave behind: the reason to keep drawing lots, and "
            "the measure of every new rule."
        ),
        hints=(
            N_("The row hits of the whole flow has the number of irregular items."),
            N_(
                "Subtract the sum of illicit over books.results from estimate, low and "
                "high."
            ),
        ),
    ),
)
