"""Lab 2: what was known of a trader on the morning of an item."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd

from smartrisk.languages import N_
from smartrisk.schema import KEY
from smartrisk.workshop._comparing import as_keys, same_items, same_table
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._trader import HISTORY, compute_history, join_results
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_KEY = list(KEY)
_NO_ITEMS = N_("The table needs the columns `declaration_id` and `item_number`.")
_NO_HISTORY = N_(
    "The table needs the columns `declaration_id`, `item_number`, `n_items`, "
    "`inspections` and `hits`."
)


def _items(lab: Lab) -> pd.DataFrame:
    """Return the past items of the importer."""
    is_own = lab.past["importer_id"] == str(lab.item["importer_id"])
    items: pd.DataFrame = lab.past[is_own]
    return items


def _results(lab: Lab) -> pd.DataFrame:
    """Return the results of the importer with the moments of lodgement."""
    return join_results(_items(lab), lab.known)


def _judge_earlier(answer: Any, lab: Lab) -> Verdict:
    """Compare the items before the day."""
    if as_keys(answer) is None:
        return wrong(_NO_ITEMS)
    items, moment = _items(lab), lab.item["lodged_at"]
    lodged, day = items["lodged_at"], moment.normalize()
    if same_items(answer, items[lodged < day]):
        return RIGHT
    own = (items[_KEY] == lab.item[_KEY]).all(axis=1)
    to_evening = lodged < day + pd.Timedelta(days=1)
    same_day = (lodged < moment, lodged <= moment, to_evening)
    if any(same_items(answer, items[part]) for part in same_day) or any(
        same_items(answer, items[part & ~own]) for part in same_day
    ):
        return mistake(
            "counts the same day",
            N_(
                "you counted items of the same day. Compare `lodged_at` with the "
                "first moment of the day, not with the hour of the item."
            ),
        )
    if same_items(answer, items) or same_items(answer, items[~own]):
        return mistake(
            "counts later items",
            N_(
                "these are all items of the importer, later ones too. On that morning "
                "nobody had seen them."
            ),
        )
    everyone = lab.past[lab.past["lodged_at"] < day]
    if same_items(answer, everyone):
        return mistake(
            "counts every importer",
            N_("these are the earlier items of all importers. Keep those of this one."),
        )
    return wrong(
        N_(
            "Compared are the items of this importer before the day of `lab.item`. "
            "Your table has {found} rows."
        ),
        found=len(answer),
    )


def _judge_known(answer: Any, lab: Lab) -> Verdict:
    """Compare the results that were known before the day."""
    if as_keys(answer) is None:
        return wrong(_NO_ITEMS)
    results, moment = _results(lab), lab.item["lodged_at"]
    day = moment.normalize()
    known = results["known_at"]
    if same_items(answer, results[known < day]):
        return RIGHT
    before = [results[results[name] < day] for name in ("lodged_at", "inspected_at")]
    if any(same_items(answer, part) for part in before):
        return mistake(
            "counts results before they were known",
            N_(
                "you counted controls whose result came later. What decides is "
                "`known_at`, not the day of lodgement or of the control."
            ),
        )
    same_day = (known < moment, known <= moment, known < day + pd.Timedelta(days=1))
    if any(same_items(answer, results[part]) for part in same_day):
        return mistake(
            "counts the same day",
            N_(
                "you counted results that became known on the day itself. Compare "
                "`known_at` with the first moment of the day."
            ),
        )
    if same_items(answer, results):
        return mistake(
            "counts later results",
            N_("these are all results of the importer, also those of later days."),
        )
    if same_items(answer, lab.known[lab.known["known_at"] < day]):
        return mistake(
            "counts every importer",
            N_("these are the results of all importers. Keep those of this one."),
        )
    return wrong(
        N_(
            "Compared are the results of this importer with `known_at` before the day "
            "of `lab.item`. Your table has {found} rows."
        ),
        found=len(answer),
    )


def _count_history(
    lab: Lab, *, by: str, items_until: str, results_until: str
) -> pd.DataFrame:
    """Return a history by hand: results by a moment, both until the morning or item."""
    items, results = _items(lab), _results(lab)
    rows = []
    for item in items.to_dict("records"):
        ends = {"item": item["lodged_at"], "morning": item["lodged_at"].normalize()}
        seen = results[results[by] < ends[results_until]]
        before = items["lodged_at"] < ends[items_until]
        values = int(before.sum()), len(seen), int(seen["illicit"].sum())
        rows.append((*(item[name] for name in _KEY), *values))
    return pd.DataFrame(rows, columns=[*_KEY, *HISTORY])


def _judge_history(answer: Any, lab: Lab) -> Verdict:
    """Compare the history as of every item with the library's."""
    if not isinstance(answer, pd.DataFrame) or not {*_KEY, *HISTORY} <= set(answer):
        return wrong(_NO_HISTORY)
    right = compute_history(lab.past, lab.known, _items(lab))
    if same_table(answer, right, _KEY, HISTORY):
        return RIGHT
    ends = ("morning", "item")
    for by, one, other in product(
        ("known_at", "lodged_at", "inspected_at"), ends, ends
    ):
        counted = _count_history(lab, by=by, items_until=one, results_until=other)
        if not same_table(answer, counted, _KEY, HISTORY):
            continue
        if by != "known_at":
            return mistake(
                "counts results before they were known",
                N_(
                    "your `inspections` and `hits` hold results that came later. A "
                    "result counts once `known_at` is before the day."
                ),
            )
        return mistake(
            "counts the same day",
            N_(
                "your counts hold items or results of the same day. Compare with the "
                "first moment of the day of each item."
            ),
        )
    return wrong(
        N_(
            "Compared are `n_items`, `inspections` and `hits` for each of the {n} "
            "items of this importer. Your table has {found} rows."
        ),
        n=len(right),
        found=len(answer),
    )


TASKS = (
    Task(
        id="2.1",
        name="earlier",
        asks=N_("a table of items, rows of `lab.past`, in any order."),
        judge=_judge_earlier,
        meaning=N_(
            "This is the activity of the importer that an officer could see on that "
            "morning."
        ),
        hints=(
            N_("Two conditions: the importer is the same, and `lodged_at` is earlier."),
            N_(
                "`day` is the first moment of the day of the item; keep the rows of "
                "`trader` whose `lodged_at` is less than `day`."
            ),
        ),
    ),
    Task(
        id="2.2",
        name="known",
        asks=N_("a table of results, rows of `lab.known`, in any order."),
        judge=_judge_known,
        meaning=N_(
            "Only these results could have warned an officer; the others make a rule "
            "look better than it is."
        ),
        hints=(
            N_("Each result has a column with the moment at which it became known."),
            N_(
                "Join `lab.known` to the items of `trader` by their two key columns; "
                "keep the rows whose `known_at` is less than `day`."
            ),
        ),
    ),
    Task(
        id="2.3",
        name="history",
        asks=N_(
            "a table with `declaration_id`, `item_number`, `n_items`, `inspections` "
            "and `hits`, a row for each item of the importer."
        ),
        judge=_judge_history,
        meaning=N_(
            "Your figures equal the library's: it counts by the same dates as you."
        ),
        hints=(
            N_("Answer tasks 2.1 and 2.2 for each item in turn, in a loop."),
            N_(
                "For each item take `lodged_at.normalize()`, count the rows before "
                "it, and collect the three counts in a list."
            ),
        ),
    ),
)
