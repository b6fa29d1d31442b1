"""Lab 6: reasons of one item, and how its declaration would be released."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.languages import N_
from smartrisk.schema import HS_LEVELS, KEY
from smartrisk.workshop._comparing import as_keys, has_columns, same_table
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

#: Fields by which an item gets the record of earlier controls that customs keeps.
_RECORD_FIELDS = (
    *("importer_id", "declarant_id", "consignor_id", "carrier_id"),
    "trusted_trader",
)
#: Fields that follow from another one: amounts that are computed.
_FOLLOWING = {"duties_taxes", "duty_rate"}


def _judge_three(answer: Any, lab: Lab) -> Verdict:
    """Compare concept and contribution of the three reasons."""
    columns = ["concept", "contribution"]
    if not has_columns(answer, columns):
        return wrong(N_("The table needs the columns concept and contribution."))
    reasons = lab.engine.explain(lab.case, top=3)
    if same_table(answer, reasons.frame(), columns, columns):
        return RIGHT
    if same_table(answer, reasons.release.frame(), columns, columns):
        return mistake(
            "reasons to release",
            N_(
                "these reasons lower the risk: they speak for the trader. Asked for "
                "are those that raise it. Both belong in the file."
            ),
        )
    keys = set(as_keys(answer) or ())
    there = set(lab.new[list(KEY)].itertuples(index=False, name=None))
    if keys and keys <= there and not keys & set(as_keys(lab.case) or ()):
        return mistake(
            "another item",
            N_(
                "these are reasons of another item of your world. Explain lab.case; a "
                "reason given for the wrong container convinces nobody."
            ),
        )
    return wrong(
        N_(
            "Compared are concept and contribution of the three strongest reasons of "
            "lab.case. Your table has {n} rows."
        ),
        n=len(answer),
    )


def _judge_moved(answer: Any, lab: Lab) -> Verdict:
    """Compare the three fields that raise the score most."""
    columns = ["field", "contribution"]
    if not has_columns(answer, columns):
        return wrong(N_("The table needs the columns field and contribution."))
    effect = lab.engine.explain(lab.case).by_field().iloc[0]
    parts = effect.rename("contribution").rename_axis("field").reset_index()
    if same_table(answer, parts.nlargest(3, "contribution"), ["field"], columns):
        return RIGHT
    declared = lab.case[list(parts["field"])].iloc[0]
    values = pd.to_numeric(declared, errors="coerce").to_numpy(float, na_value=-1.0)
    numeric = lab.case[list(parts["field"])].select_dtypes("float").columns
    largest = parts.assign(value=values)[parts["field"].isin(numeric)]
    if same_table(answer, largest.nlargest(3, "value"), ["field"], columns):
        return mistake(
            "largest value taken as the cause",
            N_(
                "these are the fields with the largest declared values. A value of a "
                "million can be usual for such goods. Read contribution instead."
            ),
        )
    if same_table(answer, parts.nsmallest(3, "contribution"), ["field"], columns):
        return mistake(
            "fields that lower the risk",
            N_(
                "these three lower the risk. Asked for are the three with the highest "
                "contribution."
            ),
        )
    return wrong(
        N_("Compared are field and contribution, in log-odds, of three fields.")
    )


def _find_changes(answer: pd.DataFrame, case: pd.DataFrame) -> set[str]:
    """Return the names of the fields in which a row differs from the case."""
    one, other = answer.iloc[0], case.iloc[0]
    return {
        str(name)
        for name in case.columns
        if not (
            one[name] == other[name] or (pd.isna(one[name]) and pd.isna(other[name]))
        )
    }


def _is_beyond_all(answer: pd.DataFrame, lab: Lab) -> bool:
    """Return whether no earlier item of the chapter had such a value per kilogram."""
    digits = HS_LEVELS["hs2"]
    chapter = str(answer["tariff_code"].iloc[0])[:digits]
    peers = lab.past[lab.past["tariff_code"].str[:digits] == chapter]
    highest = (peers["customs_value"] / peers["net_mass_kg"]).max()
    own = answer["customs_value"].iloc[0] / answer["net_mass_kg"].iloc[0]
    return bool(own > highest)


def _judge_cleared(answer: Any, lab: Lab) -> Verdict:
    """Score the row that the learner changed, once the change is one to make."""
    case = lab.case
    if not has_columns(answer, list(case.columns)) or len(answer) != 1:
        return wrong(N_("Asked for is one row with all the columns of lab.case."))
    if as_keys(answer) != as_keys(case):
        return wrong(
            N_("The row must have declaration_id and item_number of your case.")
        )
    changed = _find_changes(answer, case)
    records = sorted(changed & set(_RECORD_FIELDS))
    if records:
        return mistake(
            "a field that the trader cannot know",
            N_(
                "you changed {fields}. With it the item gets another record of earlier "
                "controls, which customs keeps and the trader does not know. Change "
                "what is declared of the goods."
            ),
            fields=", ".join(records),
        )
    if len(changed - _FOLLOWING) > 1:
        return mistake(
            "several fields at once",
            N_(
                "you changed {fields} together. Then nobody knows which of them the "
                "risk follows. Change one; duties may follow it."
            ),
            fields=", ".join(sorted(changed)),
        )
    if _is_beyond_all(answer, lab):
        return mistake(
            "a value beyond all earlier items",
            N_(
                "no earlier item of this chapter had such a value per kilogram. A "
                "what-if takes a value that somebody could declare."
            ),
        )
    return _judge_risk(answer, lab)


def _judge_risk(answer: pd.DataFrame, lab: Lab) -> Verdict:
    """Compare the risk of a changed row with the limit."""
    score = lab.engine.score
    limit = score(lab.new)["risk_score"].nlargest(lab.capacity).iloc[-1]
    risk = score(answer[lab.case.columns], guard="off")["risk_score"].iloc[0]
    if risk < limit:
        return RIGHT
    return wrong(
        N_(
            "Compared is the risk with the limit. Of 1,000 items like your row, {n} "
            "would be irregular; at the limit {limit}."
        ),
        n=round(1000 * risk),
        limit=round(1000 * limit),
    )


TASKS = (
    Task(
        id="6.1",
        name="three",
        asks=N_("a table of the three strongest reasons of lab.case: its .frame()."),
        judge=_judge_three,
        meaning=N_(
            "With these an officer knows what to look at first; what is found there "
            "decides, not the reason."
        ),
        hints=(
            N_("lab.engine.explain takes a table, and how many reasons: top=3."),
            N_("Explain lab.case and take .frame() of what you get."),
        ),
    ),
    Task(
        id="6.2",
        name="moved",
        asks=N_(
            "a table of three rows with the columns field and contribution, in any "
            "order."
        ),
        judge=_judge_moved,
        meaning=N_(
            "What moved the risk is how the fields fit together: value, mass, code and "
            "origin, not one large number."
        ),
        hints=(
            N_("The table parts has everything that you need."),
            N_("Take the three rows with the highest contribution: nlargest."),
        ),
    ),
    Task(
        id="6.3",
        name="cleared",
        asks=N_("one row: lab.case with one declared field changed."),
        judge=_judge_cleared,
        meaning=N_(
            "The officer now knows which document settles the question: the one that "
            "proves this field."
        ),
        hints=(
            N_("Begin with the field that moved the risk most in task 6.2."),
            N_(
                "Take the row of counterfactuals whose field is customs_value, and put "
                "its value instead into the copy."
            ),
        ),
    ),
)
