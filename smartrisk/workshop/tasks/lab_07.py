"""Lab 7: a policy with lots, a court order and the limits of the offices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.items import join_by_key
from smartrisk.languages import N_
from smartrisk.schema import KEY
from smartrisk.selectivity import Policy
from smartrisk.workshop._comparing import as_keys, has_columns
from smartrisk.workshop._lab import CAPACITY, Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_RANDOM_SHARE = 0.1
_CONTROLS = ("red", "yellow")


def _judge_by_hand(answer: Any, lab: Lab) -> Verdict:
    """Compare number, top and lots of a selection made by hand."""
    if not has_columns(answer, [*KEY, "selected_by"]):
        return wrong(
            N_("The table needs the columns declaration_id, item_number, selected_by.")
        )
    scores = lab.engine.score(lab.new)
    risk = scores.set_index(list(KEY))["risk_score"]
    keys = as_keys(answer) or []
    n, n_random = lab.roster.controls, lab.roster.controls // 10
    if len(keys) != n or len(set(keys)) != n or set(keys) - set(risk.index):
        return wrong(
            N_("Asked for are {n} different items of lab.new; your table has {found}."),
            n=n,
            found=len(set(keys) & set(risk.index)),
        )
    chosen = risk[keys].reset_index()
    chosen["by"] = answer["selected_by"].to_numpy(dtype=object)
    by_lot = chosen.loc[chosen["by"] == "random", "risk_score"]
    model = chosen.loc[chosen["by"] == "model", "risk_score"]
    if len(by_lot) != n_random or len(model) != n - n_random:
        return wrong(
            N_("Asked for are {n} items by random; your table has {found}."),
            n=n_random,
            found=len(by_lot),
        )
    return _judge_lots(chosen, risk, by_lot, model)


def _judge_lots(
    chosen: pd.DataFrame, risk: pd.Series, by_lot: pd.Series, model: pd.Series
) -> Verdict:
    """Say whether the lots come from all items, and the model's from the top."""
    if by_lot.min() >= risk.nlargest(len(chosen)).min():
        return mistake(
            "random share taken from the top",
            N_(
                "your random items are all from the top of the list. The model would "
                "select such items anyway, so they teach nothing new. Draw from all "
                "the others."
            ),
        )
    if by_lot.max() <= risk.nsmallest(len(by_lot)).max():
        return mistake(
            "random share taken from the bottom",
            N_(
                "your random items are those of the lowest risk. Lots give every item "
                "the same chance; the bottom of the list is no draw."
            ),
        )
    drawn = chosen.loc[chosen["by"] == "random", list(KEY)]
    left = risk.drop(list(drawn.itertuples(index=False, name=None)))
    if np.array_equal(np.sort(model), np.sort(left.nlargest(len(model)))):
        return RIGHT
    return wrong(
        N_("The lots are right. Compared are now the {n} items by model."),
        n=len(model),
    )


def _decide(
    lab: Lab, scores: pd.DataFrame, *, ordered: bool = True, **settings: Any
) -> pd.DataFrame:
    """Return the decisions of a policy, with or without the court order."""
    named = lab.new["importer_id"] == lab.roster.court_order
    policy = Policy(**{"random_share": _RANDOM_SHARE, **settings})
    must = named.fillna(False).to_numpy(bool) if ordered else None
    return policy.select(scores, lab.new, mandatory=must)


def _describe(decisions: Any, lab: Lab, scores: pd.DataFrame) -> pd.DataFrame | None:
    """Return who selects each new item, "" for nobody; None if items are missing."""
    if not has_columns(decisions, [*KEY, "channel", "selected_by"]):
        return None
    keys = as_keys(decisions)
    wanted = as_keys(lab.new)
    if keys is None or wanted is None or sorted(keys) != sorted(wanted):
        return None
    found = join_by_key(lab.new[list(KEY)], decisions, ["channel", "selected_by"])
    controlled = found["channel"].isin(_CONTROLS)
    return pd.DataFrame(
        {
            "by": found["selected_by"].where(controlled, "").to_numpy(dtype=object),
            "office": lab.new["office"].to_numpy(dtype=object),
            "risk": scores["risk_score"].to_numpy(),
        }
    )


def _fits(own: pd.DataFrame, reference: pd.DataFrame, per: list[str]) -> bool:
    """Return whether decisions are those of a policy, whatever lots it has drawn."""
    if not (own["by"].eq("mandatory") == reference["by"].eq("mandatory")).all():
        return False
    n_lots = [int((one["by"] == "random").sum()) for one in (own, reference)]
    groups = [one.assign(all="").groupby(per or ["all"]) for one in (own, reference)]
    # How a fraction of a lot is rounded in an office is chance too.
    slack = groups[1].ngroups - 1
    if abs(n_lots[0] - n_lots[1]) > slack or (n_lots[0] == 0) != (n_lots[1] == 0):
        return False
    sizes = [group["by"].agg(lambda by: (by != "").sum()) for group in groups]
    return sizes[0].equals(sizes[1]) and all(_is_top(part) for _, part in groups[0])


def _is_top(part: pd.DataFrame) -> bool:
    """Return whether the model has taken the highest risks of those left to it."""
    left = part.loc[part["by"].isin(["model", ""]), "risk"]
    model = part.loc[part["by"] == "model", "risk"]
    return np.array_equal(np.sort(model), np.sort(left.nlargest(len(model))))


_NO_DECISIONS = N_(
    "Asked for is the table that policy.select returns for all {n} items of lab.new."
)


def _judge_decided(answer: Any, lab: Lab) -> Verdict:
    """Compare the decisions of the week, whatever lots were drawn."""
    scores = lab.engine.score(lab.new)
    own = _describe(answer, lab, scores)
    if own is None:
        return wrong(_NO_DECISIONS, n=len(lab.new))
    controls = lab.roster.controls

    def is_of(**settings: Any) -> bool:
        reference = _describe(_decide(lab, scores, **settings), lab, scores)
        return reference is not None and _fits(own, reference, [])

    if is_of(capacity=controls):
        return RIGHT
    if is_of(capacity=CAPACITY):
        return mistake(
            "a share instead of a number",
            N_(
                "your policy controls {found} items: the usual share of all items. The "
                "officers of this week can do {n}. Pass this number as capacity."
            ),
            found=int((own["by"] != "").sum()),
            n=controls,
        )
    if is_of(capacity=controls, ordered=False):
        return mistake(
            "court order forgotten",
            N_(
                "the items of the court order are treated like all others, and most of "
                "them are released. Pass them as mandatory."
            ),
        )
    if is_of(capacity=controls, random_share=0.0):
        return mistake(
            "no random share",
            N_(
                "no item is drawn by lots. Without lots nobody learns what the model "
                "misses. Set random_share."
            ),
        )
    return wrong(
        N_(
            "Compared are the mandatory items, {n} controls, a tenth of them by lots, "
            "and the highest risks. Your table has {found} controls."
        ),
        n=controls,
        found=int((own["by"] != "").sum()),
    )


def _judge_limited(answer: Any, lab: Lab) -> Verdict:
    """Compare the decisions office by office."""
    scores = lab.engine.score(lab.new)
    own = _describe(answer, lab, scores)
    if own is None:
        return wrong(_NO_DECISIONS, n=len(lab.new))

    def is_of(groups: list[str], **settings: Any) -> bool:
        reference = _describe(_decide(lab, scores, **settings), lab, scores)
        return reference is not None and _fits(own, reference, groups)

    by_office, roster = ["office"], lab.roster
    if is_of(by_office, capacity=roster.limits, per="office"):
        return RIGHT
    if is_of(by_office, capacity=roster.controls, per="office"):
        return mistake(
            "divided by size",
            N_(
                "your controls are divided by the size of the offices. The limits are "
                "others: pass lab.roster.limits as capacity."
            ),
        )
    if is_of([], capacity=roster.controls):
        return mistake(
            "limits ignored",
            N_(
                "these are the decisions of task 7.2: the sum is right, but some "
                "offices get more than their officers can do."
            ),
        )
    over = own[own["by"] != ""].groupby("office").size()
    limits = pd.Series(dict(roster.limits)).reindex(over.index)
    return wrong(
        N_(
            "Compared are the controls of each office with its limit. In your table "
            "{n} offices are above it."
        ),
        n=int((over > limits).sum()),
    )


TASKS = (
    Task(
        id="7.1",
        name="by_hand",
        asks=N_(
            "a table of lab.roster.controls items with declaration_id, item_number and "
            "selected_by, a tenth of them random."
        ),
        judge=_judge_by_hand,
        meaning=N_(
            "The lots cost a tenth of the controls this week; they are how the list "
            "of next year is better."
        ),
        hints=(
            N_("Sort by risk_score first, and divide the list in two: top and others."),
            N_(
                "others.sample(n) draws the lots; assign(selected_by=...) writes who "
                "selected; pd.concat joins both."
            ),
        ),
    ),
    Task(
        id="7.2",
        name="decided",
        asks=N_("the decisions on all items of lab.new: what policy.select returns."),
        judge=_judge_decided,
        meaning=N_(
            "Every control now states who asked for it: the court, the lots or the "
            "model."
        ),
        hints=(
            N_("Policy takes capacity and random_share; select takes mandatory."),
            N_(
                'Compare lab.new["importer_id"] with lab.roster.court_order: that is '
                "the column of True and False."
            ),
        ),
    ),
    Task(
        id="7.3",
        name="limited",
        asks=N_("the decisions on all items of lab.new, within the limits of offices."),
        judge=_judge_limited,
        meaning=N_(
            "A list that no office can work off is no plan; this one every office can."
        ),
        hints=(
            N_("Begin with the solution of task 7.2; only the policy changes."),
            N_('Use capacity=lab.roster.limits and per="office".'),
        ),
    ),
)
