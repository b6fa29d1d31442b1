"""Scores of items in Parquet files, piece by piece."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.clock import read_clock
from smartrisk.engine import Guard, RiskEngine
from smartrisk.errors import check_choice
from smartrisk.items import UInt, item_ids
from smartrisk.scale._executors import Cluster, choose_executor
from smartrisk.scale._pieces import MOST_ROWS, Dataset, Piece, list_pieces
from smartrisk.scale._repeated import check_repeated
from smartrisk.scale._scratch import Scratch
from smartrisk.schema import TIME_ZONE
from smartrisk.validation import OnError, read_declarations

_OWNER = "scale.score"
#: Items that the guard looks at, evenly spread over the dataset, as over a batch.
_GUARDED = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scoring:
    """What every piece is scored with.

    `engine` is the engine itself, or the folder that it was saved to for workers, and
    `call` distinguishes this call from others, which may save another engine there.
    """

    engine: RiskEngine | Path
    call: str
    trusted: tuple[str, ...]
    scored: Any
    folder: Path
    on_error: OnError
    step: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scored:
    """What was scored: ids, and the items that the guard looks at."""

    ids: UInt
    guarded: pd.DataFrame


def score(
    engine: RiskEngine,
    dataset: Dataset,
    folder: str | os.PathLike[str],
    *,
    client: Any = None,
    rows: int = MOST_ROWS,
    on_error: OnError = "raise",
    guard: Guard = "warn",
    trusted: Iterable[str] = (),
) -> Path:
    """Score items in Parquet files; write SCORES as Parquet files.

    Bit-identical to ``engine.score`` of all items at once.

    Parameters
    ----------
    engine : RiskEngine
        Fitted.
    dataset : path or list of paths
        A folder of Parquet files, or files, with DECLARATIONS of canonical types.
    folder : path
        Where to write, a new or empty folder: one file for each piece, in the order of
        the items. It appears as a whole or not at all.
    client : distributed.Client, default=None
        Dask cluster whose workers score the pieces. They load the engine from a folder
        beside `folder`, so that they need both under the same paths. None for this
        process alone.
    rows : int, default=250000
        Most items that are in memory at once.
    on_error : {"raise", "set_aside"}, default="raise"
        As in `RiskEngine.score`.
    guard : {"warn", "raise", "off"}, default="warn"
        As in `RiskEngine.score`; judged by items spread evenly over the dataset.
    trusted : iterable of str, default=()
        As in `RiskEngine.save`, for workers that load an engine with other models.

    Returns
    -------
    folder : Path
        The folder with SCORES.

    Raises
    ------
    TableError
        If a table is invalid or an item is there twice.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> place = tempfile.mkdtemp()
    >>> world.declarations.tail(200).to_parquet(place + "/day.parquet")
    >>> folder = sr.scale.score(engine, place + "/day.parquet", place + "/scores")
    >>> len(pd.read_parquet(folder))
    200
    """
    check_choice(_OWNER, "guard", guard, ("warn", "raise", "off"))
    executor = choose_executor(_OWNER, client)
    pieces = list_pieces(_OWNER, dataset, most_rows=rows, own_fields=engine.own_fields_)
    empty = read_declarations(pieces.empty(), engine.own_fields_)
    scored = read_clock(_OWNER, engine.clock, empty.attrs.get(TIME_ZONE))
    with Scratch(_OWNER, folder) as scratch:
        place: RiskEngine | Path = engine.copy().set_params(clock=scored)
        if isinstance(executor, Cluster):
            place = engine.save(scratch.parts / "engine", trusted=trusted)
        work = _Scoring(
            engine=place,
            call=secrets.token_hex(8),
            trusted=tuple(trusted),
            scored=scored,
            folder=scratch.made,
            on_error=on_error,
            step=-(-pieces.n_rows // _GUARDED),
        )
        tasks = list(enumerate(pieces.pieces))
        found = list(executor.run(score_piece, work, tasks))
        check_repeated(_OWNER, pieces, [part.ids for part in found])
        guarded = [part.guarded for part in found if len(part.guarded)]
        if guarded and guard != "off":
            engine.check_batch(pd.concat(guarded), guard=guard)
        return scratch.put_in_place()


def score_piece(work: _Scoring, task: tuple[int, Piece]) -> _Scored:
    """Score one piece, and write its SCORES."""
    number, piece = task
    engine = _open_engine(work)
    items = read_declarations(piece.read(), engine.own_fields_, on_error=work.on_error)
    path = work.folder / f"part-{number:06d}.parquet"
    scores = engine.score(items, guard="off")
    scores.attrs.clear()
    scores.to_parquet(path, index=False)
    first = -piece.first % work.step
    return _Scored(ids=item_ids(items), guarded=items.iloc[first :: work.step])


#: The engine that a worker loaded last, by the call that it was saved for.
_LOADED: dict[str, RiskEngine] = {}


def _open_engine(work: _Scoring) -> RiskEngine:
    """Return the engine, loaded once by every worker."""
    if isinstance(work.engine, RiskEngine):
        return work.engine
    engine = _LOADED.get(work.call)
    if engine is None:
        engine = RiskEngine.load(work.engine, trusted=work.trusted, mapped=True)
        engine.set_params(clock=work.scored)
        _LOADED.clear()
        _LOADED[work.call] = engine
    return engine
