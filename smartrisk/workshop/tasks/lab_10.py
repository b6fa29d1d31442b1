"""Lab 10: a decision replayed, an override recorded, a card's open questions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from smartrisk.languages import N_
from smartrisk.ledger import Anchor, Replay
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._record import Record
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

#: Fewest words of a reason that another person can follow.
_FEWEST_WORDS = 2
_PARTIES = ("importer_id", "declarant_id", "consignor_id", "carrier_id")


def _find_entries(record: Record, kind: str | None = None) -> pd.DataFrame:
    """Return the entries of the ledger, by their number."""
    return record.ledger.frame(kind).set_index("seq")


def _is_contested(entry: Any, record: Record) -> bool:
    """Return whether an entry is about the contested item."""
    item = record.contested.iloc[0]
    return bool(
        entry["declaration_id"] == item["declaration_id"]
        and entry["item_number"] == item["item_number"]
    )


def _judge_replayed(answer: Any, lab: Lab) -> Verdict:
    """Look at which decision was replayed, and with which engine."""
    record = lab.record
    if not isinstance(answer, Replay):
        return wrong(N_("Asked for is what ledger.replay returns."))
    entries = _find_entries(record, "decision")
    recorded = dict(answer.recorded.get("score") or {})
    bodies: dict[Any, Any] = entries["body"].to_dict()
    if recorded != bodies.get(answer.seq, {}).get("score"):
        return wrong(N_("This is no decision of your ledger."))
    if not _is_contested(entries.loc[answer.seq], record):
        return mistake(
            "another item",
            N_(
                "you have replayed entry {seq}, which is about another item. Give both "
                "the declaration and the item number of record.contested."
            ),
            seq=answer.seq,
        )
    if answer.agrees:
        return RIGHT
    return mistake(
        "another engine",
        N_(
            "the replay does not agree: this engine is not the one that decided. Its "
            "history has grown since. Take record.engine, as it was saved."
        ),
    )


def _judge_signed(answer: Any, lab: Lab) -> Verdict:
    """Look at the entry in the ledger, and at the chain before it."""
    record = lab.record
    if not isinstance(answer, Anchor):
        return wrong(N_("Asked for is the entry that ledger.override returns."))
    if not record.ledger.verify(anchor=record.head).ok:
        return mistake(
            "record edited",
            N_(
                "an entry of the ledger was changed, as verify has found. The chain "
                "no longer proves anything. Start the notebook again for a new copy, "
                "and add an override."
            ),
        )
    entries = _find_entries(record)
    if (
        answer.seq not in entries.index
        or entries.loc[answer.seq, "digest"] != answer.digest
    ):
        return wrong(N_("This entry is not in your ledger."))
    return _judge_override(entries.loc[answer.seq], record)


def _judge_override(entry: Any, record: Record) -> Verdict:
    """Look at one entry of the ledger."""
    if entry["kind"] != "override":
        return mistake(
            "no override",
            N_(
                "entry {seq} is a {kind}. An override says who decided otherwise, and "
                "why: ledger.override writes it."
            ),
            seq=int(entry.name),
            kind=entry["kind"],
        )
    body = entry["body"]
    if not _is_contested(entry, record) or body["channel"] != "green":
        return wrong(
            N_("Compared are the item of record.contested, and the channel green.")
        )
    reason = str(body["reason"])
    if len(reason.split()) < _FEWEST_WORDS:
        return mistake(
            "without a reason",
            N_(
                "nobody can follow the reason {reason!r}. Write what was seen, so that "
                "another officer understands the decision a year later."
            ),
            reason=reason,
        )
    item = record.contested.iloc[0]
    named = [p for p in _PARTIES if pd.notna(item[p]) and str(item[p]) in reason]
    if named:
        return mistake(
            "reason names a trader",
            N_(
                "your reason names {party}. It cannot be erased from the chain: write "
                "what was seen, without a name."
            ),
            party=", ".join(named),
        )
    return RIGHT


def _judge_points(answer: Any, lab: Lab) -> Verdict:
    """Compare the points that the card leaves open."""
    if isinstance(answer, (str, bytes)) or not isinstance(answer, Iterable):
        return wrong(N_("A list of names of points is asked for."))
    found = sorted(str(point).strip() for point in answer)
    points = lab.record.read_points()
    is_open = points["shown"].isna()
    if found == sorted(points.loc[is_open, "point"]):
        return RIGHT
    if found == sorted(points["point"]):
        return mistake(
            "every point",
            N_(
                "these are all points of the card. For some of them it shows evidence: "
                "keep those where shown is missing."
            ),
        )
    if found == sorted(points.loc[~is_open, "point"]):
        return mistake(
            "points with evidence",
            N_(
                "for these points the card shows something. The open ones are those "
                "where shown is missing."
            ),
        )
    return wrong(N_("Compared are the names of the points where shown is missing."))


TASKS = (
    Task(
        id="10.1",
        name="replayed",
        asks=N_("what ledger.replay returns for the item of record.contested."),
        judge=_judge_replayed,
        meaning=N_(
            "You can show the importer and a judge that the same data give the same "
            "score and the same reasons today."
        ),
        hints=(
            N_(
                "replay takes a declaration, an engine, and item_number: "
                "ledger.replay(declaration_id, engine, item_number=1)."
            ),
            N_(
                "item_number is 1 unless you give it; the engine is the one of that "
                "time."
            ),
        ),
    ),
    Task(
        id="10.2",
        name="signed",
        asks=N_("the entry that ledger.override returns, for the contested item."),
        judge=_judge_signed,
        meaning=N_(
            "The officer has decided, not the machine, and both decisions stay on "
            "record."
        ),
        hints=(
            N_(
                "`override` takes the declaration first; `item_number`, `channel`, "
                "`officer_id` and `reason` are given by name."
            ),
            N_("The reason says in a few words what was seen, and names nobody."),
        ),
    ),
    Task(
        id="10.3",
        name="open_points",
        asks=N_("a list of names of points, in any order."),
        judge=_judge_points,
        meaning=N_(
            "These questions go to the chief: a card that shows its gaps is worth more "
            "than one that hides them."
        ),
        hints=(
            N_("read_points makes a table with the columns point, asks and shown."),
            N_("Keep the rows where shown is missing, and take the column point."),
        ),
    ),
)
