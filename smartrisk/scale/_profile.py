"""The profile of the inputs that guards scoring, learned from items of all pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring import InputProfile, ProfileRows
from smartrisk.scale._executors import Executor
from smartrisk.scale._learning import Learned, Lesson, join_items
from smartrisk.scale._pieces import Piece, PieceList
from smartrisk.validation import read_declarations


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taken:
    """A piece, and which of its rows are chosen."""

    piece: Piece
    rows: NDArray[np.intp]


def learn_profile(
    executor: Executor, lesson: Lesson, pieces: PieceList, found: Sequence[Learned]
) -> InputProfile:
    """Return the profile of the items of all pieces, one after the other.

    Parameters
    ----------
    executor : Executor
        Reads the chosen items.
    lesson : Lesson
        As for `learn_piece`.
    pieces : PieceList
        The dataset.
    found : sequence of Learned
        What each piece taught.
    """
    rows = ProfileRows.choose(np.concatenate([part.lodged for part in found]))
    chosen = rows.positions()
    ends = np.cumsum([part.n_items for part in found])
    tasks = []
    for piece, part, end in zip(pieces.pieces, found, ends, strict=True):
        first, last = np.searchsorted(chosen, (end - part.n_items, end))
        own = chosen[first:last] - (end - part.n_items)
        if len(own):
            taken = own if part.kept is None else part.kept[own]
            tasks.append(_Taken(piece=piece, rows=taken))
    items = join_items(list(executor.run(take_items, lesson, tasks)))
    return InputProfile.learn_rows(rows.among_chosen(), items)


def take_items(lesson: Lesson, task: _Taken) -> pd.DataFrame:
    """Read and check the chosen items of a piece."""
    return read_declarations(task.piece.read(rows=task.rows), lesson.own_fields)
