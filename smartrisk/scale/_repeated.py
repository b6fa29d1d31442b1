"""Items that are in a dataset more than once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smartrisk.errors import TableError, format_values
from smartrisk.items import UInt, are_among
from smartrisk.scale._pieces import PieceList
from smartrisk.schema import KEY


def check_repeated(owner: str, pieces: PieceList, ids: Sequence[UInt]) -> None:
    """Raise where an item is in a dataset more than once.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the message.
    pieces : PieceList
        The dataset.
    ids : sequence of ndarray of uint64
        `item_ids` of the items of every piece.
    """
    every = np.sort(np.concatenate(ids))
    refuse_repeated(owner, pieces, np.unique(every[1:][every[1:] == every[:-1]]))


def refuse_repeated(owner: str, pieces: PieceList, ids: UInt) -> None:
    """Raise unless no item is repeated, and name some, and their files.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the message.
    pieces : PieceList
        The dataset.
    ids : ndarray of uint64
        `item_ids` of the items that are repeated.
    """
    if not len(ids):
        return
    names: list[str] = []
    files: list[str] = []
    n_rows = 0
    key = [name for name in KEY if name in pieces.names]
    for piece in pieces.pieces:
        frame = piece.read(key)
        rows = are_among(frame, ids)
        n_rows += int(rows.sum())
        if rows.any():
            names += frame.loc[rows, "declaration_id"].astype(str).tolist()
            files.append(Path(piece.file).name)
    raise TableError(
        "scale.items_repeated",
        "{owner}: {n_rows} rows are of {n_items} items that are in the dataset more "
        "than once, such as declaration_id {examples}, in {files}. Keep one row per "
        "(declaration_id, item_number).",
        owner=owner,
        n_rows=n_rows,
        n_items=len(ids),
        examples=format_values(list(dict.fromkeys(names))),
        files=format_values(list(dict.fromkeys(files))),
    )
