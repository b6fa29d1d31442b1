"""Lab 4: three orders of work, and what each finds at the capacity there is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.items import join_by_key
from smartrisk.languages import N_
from smartrisk.schema import KEY
from smartrisk.workshop._comparing import as_keys, same_items, same_table
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_NO_ITEMS = N_("The table needs the columns declaration_id and item_number.")


def _rank_by_risk(lab: Lab, ascending: bool = False) -> pd.DataFrame:
    """Return the new items by their risk."""
    scores = lab.engine.score(lab.new)
    return scores.sort_values("risk_score", ascending=ascending, kind="stable")


def _judge_first_ten(answer: Any, lab: Lab) -> Verdict:
    """Compare the ten items in their order; items of equal risk may change places."""
    keys = as_keys(answer)
    if keys is None:
        return wrong(_NO_ITEMS)
    risk = lab.engine.score(lab.new).set_index(list(KEY))["risk_score"]
    ranked = _rank_by_risk(lab)
    if len(keys) != 10:
        return wrong(N_("The table has {n} rows where ten are asked for."), n=len(keys))
    if set(keys) - set(risk.index):
        return wrong(N_("Some of these items are not in lab.new."))
    found = [float(risk[key]) for key in keys]
    if len(set(keys)) == 10 and found == ranked["risk_score"].head(10).tolist():
        return RIGHT
    lowest = _rank_by_risk(lab, ascending=True)["risk_score"].head(10).tolist()
    if sorted(found) == sorted(lowest):
        return mistake(
            "sorted upwards",
            N_(
                "these are the ten items with the lowest risk. sort_values goes from "
                "the lowest up unless you say ascending=False."
            ),
        )
    if sorted(found) == sorted(ranked["risk_score"].head(10)):
        return mistake(
            "in another order",
            N_("these are the right ten, but the highest risk must come first."),
        )
    return wrong(N_("These are not the ten items with the highest risk_score."))


def _choose(lab: Lab, ascending: bool = False) -> dict[str, pd.DataFrame]:
    """Return what each order would control."""
    n = lab.capacity
    by_duty = lab.new.sort_values("duties_taxes", ascending=ascending, kind="stable")
    return {
        "random": lab.draw(),
        "duty": by_duty.head(n),
        "model": _rank_by_risk(lab, ascending).head(n),
    }


def _count(lab: Lab, outcomes: pd.DataFrame, ascending: bool = False) -> pd.DataFrame:
    """Return precision and revenue share of each order, by the outcomes given."""
    columns = ["illicit", "revenue_adjustment"]
    found = join_by_key(lab.new[list(KEY)], outcomes, columns).fillna(0.0)
    total = float(found["revenue_adjustment"].sum())
    rows = []
    for order, items in _choose(lab, ascending).items():
        part = items[list(KEY)].merge(found, on=list(KEY))
        revenue = float(part["revenue_adjustment"].sum()) / total
        rows.append((order, float(part["illicit"].mean()), revenue))
    return pd.DataFrame(rows, columns=["order", "precision", "revenue_share"])


def _judge_orders(answer: Any, lab: Lab) -> Verdict:
    """Compare both figures of the three orders."""
    by, columns = ["order"], ["precision", "revenue_share"]
    truth = lab.world.full_outcomes()
    if same_table(answer, _count(lab, truth), by, columns):
        return RIGHT
    if same_table(answer, _count(lab, lab.world.outcomes), by, columns):
        return mistake(
            "not inspected counted as innocent",
            N_(
                "your figures come out when every item that nobody inspected counts as "
                "compliant. Nobody has looked at these. Use lab.world.full_outcomes()."
            ),
        )
    if same_table(answer, _count(lab, truth, ascending=True), by, columns):
        return mistake(
            "sorted upwards",
            N_(
                "your figures are those of the lowest duty and the lowest risk. Take "
                "the highest first."
            ),
        )
    percent = _count(lab, truth)
    percent[columns] *= 100
    if same_table(answer, percent, by, columns):
        return mistake(
            "percentages",
            N_("your figures are percentages. A share is a number from 0 to 1."),
        )
    return wrong(
        N_(
            "Compared are precision and revenue_share, as shares from 0 to 1, of the "
            "first {n} items of each order."
        ),
        n=lab.capacity,
    )


def _judge_both(answer: Any, lab: Lab) -> Verdict:
    """Compare the items that two orders share."""
    if as_keys(answer) is None:
        return wrong(_NO_ITEMS)
    chosen = _choose(lab)
    duty, model = (chosen[name][list(KEY)] for name in ("duty", "model"))
    if same_items(answer, duty.merge(model, on=list(KEY))):
        return RIGHT
    either = pd.concat([duty, model]).drop_duplicates()
    if same_items(answer, either):
        return mistake(
            "either instead of both",
            N_("these are the items that one or the other would control, not both."),
        )
    return wrong(
        N_(
            "Compared are the items among the first {n} of both orders. Your table has "
            "{found} rows."
        ),
        n=lab.capacity,
        found=len(answer),
    )


TASKS = (
    Task(
        id="4.1",
        name="first_ten",
        asks=N_(
            "a table of ten rows with declaration_id and item_number, the item with "
            "the highest risk first."
        ),
        judge=_judge_first_ten,
        meaning=N_(
            "These ten go to an officer first; each still needs a reason that the "
            "officer can follow."
        ),
        hints=(
            N_("lab.engine.score(lab.new) has the column risk_score."),
            N_("Sort by risk_score, the highest first, and take the first ten rows."),
        ),
    ),
    Task(
        id="4.2",
        name="orders",
        asks=N_(
            "a table with the columns order, precision and revenue_share, and the rows "
            "random, duty and model; both figures from 0 to 1."
        ),
        judge=_judge_orders,
        meaning=N_(
            "The same four officers find more when they follow the order that suits "
            "their aim; this is what a model is for."
        ),
        hints=(
            N_("Join the truth to the items of each order by their two key columns."),
            N_(
                "Precision is the mean of illicit over the first lab.capacity items; "
                "revenue_share is a sum over them divided by the sum over lab.new."
            ),
        ),
    ),
    Task(
        id="4.3",
        name="both",
        asks=N_("a table with declaration_id and item_number, in any order."),
        judge=_judge_both,
        meaning=N_(
            "Where two orders agree nobody argues; the capacity is decided where they "
            "do not."
        ),
        hints=(
            N_("Make both selections first, each of lab.capacity items."),
            N_("merge on the two key columns keeps the items that are in both tables."),
        ),
    ),
)
