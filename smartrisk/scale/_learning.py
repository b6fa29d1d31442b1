"""One piece of the items: read, checked, counted, and its tables written to disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.engine import FitPlan
from smartrisk.features import (
    LearnedHistory,
    PartialHistory,
    join_results,
)
from smartrisk.items import UInt, are_among, are_document_hits, document_hashes
from smartrisk.items import item_ids as ids_of
from smartrisk.scale._pieces import Piece
from smartrisk.scale._runs import Run, write_run
from smartrisk.schema import KEY
from smartrisk.validation import OnError, read_declarations


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """What every piece is learned with.

    Parameters
    ----------
    plan : FitPlan
        Unfitted features, and how results are dated.
    outcomes : DataFrame
        Canonical OUTCOMES.
    outcome_ids : ndarray of uint64
        Their `item_ids`, sorted.
    outcome_rows : ndarray of intp
        Row of each of these.
    unnumbered : ndarray of uint64
        Sorted numbers of documents whose results state no item.
    own_fields : mapping of str to str
        Own fields of the dataset.
    on_error : {"raise", "set_aside"}
        As in `RiskEngine.fit`.
    folder : Path
        Where tables are written.
    template : LearnedHistory, default=None
        History without items whose plan is used; None for that of the piece's own.
    """

    plan: FitPlan
    outcomes: pd.DataFrame
    outcome_ids: UInt
    outcome_rows: NDArray[np.intp]
    unnumbered: UInt
    own_fields: Mapping[str, str]
    on_error: OnError
    folder: Path
    template: LearnedHistory | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What a piece taught, without its tables, which are on disk.

    Parameters
    ----------
    n_items : int
        Items that could be read.
    run : Run or None
        Its tables; None without items.
    plan : str
        Of its history.
    witnesses : DataFrame
        Items that together have a value in every column that has any, and the longest
        tariff code: what they show decides the plan.
    gathered : Path
        Inspected items, and the latest of the others.
    unnumbered : DataFrame
        Keys of items of documents whose results state no item.
    lodged : ndarray of datetime64
        When each item was lodged.
    kept : ndarray of intp, default=None
        Rows of the items within the piece; None where no row was set aside.
    """

    n_items: int
    run: Run | None
    plan: str
    witnesses: pd.DataFrame
    gathered: Path
    unnumbered: pd.DataFrame
    lodged: NDArray[np.datetime64]
    kept: NDArray[np.intp] | None = None


def learn_piece(lesson: Lesson, task: tuple[int, Piece]) -> Learned:
    """Learn one piece, and write its tables and the items to train on."""
    number, piece = task
    items = read_declarations(piece.read(), lesson.own_fields, on_error=lesson.on_error)
    gathered = lesson.folder / f"items-{number:06d}.parquet"
    if not len(items):
        return Learned(
            n_items=0,
            run=None,
            plan="",
            witnesses=items,
            gathered=gathered,
            unnumbered=items[[]],
            lodged=np.zeros(0, "datetime64[us]"),
        )
    ids = ids_of(items)
    own = _outcomes_of(lesson, ids)
    history = _learn(lesson, items, ids, own)
    part = PartialHistory.from_history(history, items)
    run = write_run(lesson.folder / f"piece-{number:06d}.bin", part.tables)
    rows = _rows_to_train_on(items, ids, own, lesson.plan.n_latest)
    items.iloc[rows].to_parquet(gathered, index=False)
    flagged = np.zeros(len(items), bool)
    if len(lesson.unnumbered):
        flagged = are_among(document_hashes(items), lesson.unnumbered)
    return Learned(
        n_items=len(items),
        run=run,
        plan=part.plan,
        witnesses=items.iloc[_witnesses(items)],
        gathered=gathered,
        unnumbered=items.loc[flagged, [name for name in KEY if name in items]],
        lodged=items["lodged_at"].to_numpy(),
        kept=None if len(items) == piece.n_rows else _rows_of(items, piece),
    )


def _outcomes_of(lesson: Lesson, ids: UInt) -> pd.DataFrame:
    """Return the results of some items, by a search of theirs among those of all.

    `are_among` would read the results of all for every piece.
    """
    known, rows = lesson.outcome_ids, lesson.outcome_rows
    ids = np.unique(ids[are_in_sorted(ids, known)])
    first, last = (np.searchsorted(known, ids, side) for side in ("left", "right"))
    several = last - first > 1  # such as the versions of a result
    found = [rows[first[~several]]]
    for start, stop in zip(first[several], last[several], strict=True):
        found.append(rows[start:stop])
    return lesson.outcomes.iloc[np.sort(np.concatenate(found))]


def are_in_sorted(ids: UInt, known: UInt) -> NDArray[np.bool_]:
    """Return which ids are among sorted ones."""
    if not len(known):
        return np.zeros(len(ids), bool)
    place = np.searchsorted(known, ids)
    place[place == len(known)] = 0
    found: NDArray[np.bool_] = known[place] == ids
    return found


def _rows_of(items: pd.DataFrame, piece: Piece) -> NDArray[np.intp]:
    """Return the rows of a piece that its items were read from."""
    return np.asarray(items.index.to_numpy(np.intp) - piece.first)


def join_items(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return frames as one; a flag that some of them lack is not set there."""
    if not frames:
        return pd.DataFrame()
    joined = pd.concat(frames, ignore_index=True)
    for name in joined.columns:
        if str(name).startswith("dq_"):
            joined[name] = joined[name].astype("boolean").fillna(False).astype(bool)
    joined.attrs.update(frames[0].attrs)
    return joined


def _learn(
    lesson: Lesson, items: pd.DataFrame, ids: UInt, outcomes: pd.DataFrame
) -> LearnedHistory:
    """Return the history of a piece, under its own plan or that of the template.

    Hits of documents with several items are left out: these can lie in several pieces.
    """
    labels = outcomes[~are_document_hits(outcomes)]
    if lesson.template is not None:
        history, _ = lesson.template.add(items, labels, owner="scale.fit")
        return history
    plan = lesson.plan
    found = join_results(items, labels, label_delay=plan.label_delay, ids=ids)
    return LearnedHistory.learn(
        plan.features, items, found, label_delay=plan.label_delay, ids=ids
    )


def make_template(plan: FitPlan, witnesses: pd.DataFrame) -> LearnedHistory:
    """Return a history without items whose plan is that of all items."""
    nothing = pd.DataFrame({"declaration_id": [], "illicit": []})
    found = join_results(witnesses, nothing, label_delay=plan.label_delay)
    return LearnedHistory.learn(
        plan.features, witnesses, found, label_delay=plan.label_delay
    )


def _rows_to_train_on(
    items: pd.DataFrame, ids: UInt, outcomes: pd.DataFrame, n_latest: int
) -> NDArray[np.intp]:
    """Return the inspected items, and the latest of all."""
    used = are_among(ids, ids_of(outcomes))
    if n_latest:
        order = np.lexsort((ids, items["lodged_at"].to_numpy()))
        used[order[-n_latest:]] = True
    return np.flatnonzero(used)


def _witnesses(items: pd.DataFrame) -> list[int]:
    """Return rows that show every column that has a value, and long tariff codes."""
    there = items.notna().to_numpy()
    rows = {int(column.argmax()) for column in there.T if column.any()}
    if "tariff_code" in items:
        rows.add(int(items["tariff_code"].str.len().fillna(0).to_numpy().argmax()))
    return sorted(rows)
