"""A fit on items in Parquet files, piece by piece."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.engine import FitPlan, RiskEngine, fit_learned
from smartrisk.errors import TableError, check_number
from smartrisk.features import LearnedHistory, plan_of, with_tables, without_items
from smartrisk.items import (
    NO_ITEM_NUMBER,
    UInt,
    check_numbered,
    document_hashes,
)
from smartrisk.items import item_ids as ids_of
from smartrisk.memory import return_free_memory
from smartrisk.scale._executors import Executor, choose_executor
from smartrisk.scale._learning import (
    Learned,
    Lesson,
    are_in_sorted,
    join_items,
    learn_piece,
    make_template,
)
from smartrisk.scale._merging import merge_runs, open_tables, repeated_ids
from smartrisk.scale._pieces import MOST_ROWS, Dataset, PieceList, list_pieces
from smartrisk.scale._profile import learn_profile
from smartrisk.scale._repeated import refuse_repeated
from smartrisk.scale._scratch import Scratch
from smartrisk.schema import KEY, OUTCOMES, TableInput
from smartrisk.validation import OnError, read_declarations, validate

_OWNER = "scale.fit"
_GIB = 2.0**30
#: Bytes that training takes for each feature of an item: LightGBM's bins, those of the
#: part that is learned from, parts of the matrix that are scored, and what look-ups in
#: a history of ten times as many items take. The matrix itself is in a file.
_TRAINING_BYTES = 8


def fit(
    engine: RiskEngine,
    dataset: Dataset,
    outcomes: TableInput | None = None,
    *,
    folder: str | os.PathLike[str],
    client: Any = None,
    rows: int = MOST_ROWS,
    memory: float = 4.0,
    on_error: OnError = "raise",
) -> RiskEngine:
    """Fit an engine on items in Parquet files that need not fit into memory.

    Bit-identical to ``engine.fit`` on all items at once, however they are divided.

    Parameters
    ----------
    engine : RiskEngine
        It is fitted here.
    dataset : path or list of paths
        A folder of Parquet files, or files, with DECLARATIONS of canonical types, in
        any order and partitioning.
    outcomes : DataFrame of shape (n_results, n_fields), default=None
        OUTCOMES of the inspected items; None where there are none yet.
    folder : path
        Where the tables of the pieces and the history are written: a new or empty
        folder, about 1.5 KB per item, and 1 KB more per inspected item while the models
        train. The fitted engine reads its history from there;
        save it elsewhere before you remove the folder.
    client : distributed.Client, default=None
        Dask cluster whose workers learn the pieces and merge their tables. They need
        `folder` and the dataset under the same paths. None for this process alone.
    rows : int, default=250000
        Most items that are in memory at once.
    memory : float, default=4.0
        GiB that merging and training may take.
    on_error : {"raise", "set_aside"}, default="raise"
        As in `RiskEngine.fit`.

    Returns
    -------
    engine : RiskEngine
        The fitted engine.

    Raises
    ------
    TableError
        If a table is invalid, an item is there twice, a result has no declaration, or
        the inspected items need more memory than allowed.
    MissingExtraError
        If `client` is given and `distributed` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> folder = tempfile.mkdtemp()
    >>> world.declarations.head(1_000).to_parquet(folder + "/a.parquet")
    >>> world.declarations.tail(2_000).to_parquet(folder + "/b.parquet")
    >>> engine = sr.scale.fit(
    ...     sr.RiskEngine(), folder, world.outcomes, folder=tempfile.mkdtemp()
    ... )
    >>> local = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> engine.version_ == local.version_
    True
    """
    check_number(_OWNER, "memory", memory, low=0.001)
    executor = choose_executor(_OWNER, client)
    pieces = list_pieces(_OWNER, dataset, most_rows=rows, own_fields=engine.own_fields)
    plan = FitPlan.from_engine(engine, pieces.own_fields)
    read_declarations(pieces.empty(), plan.own_fields)  # names odd columns at once
    if outcomes is None:
        outcomes = pd.DataFrame({"declaration_id": [], "illicit": []})
    results = plan.label(validate(outcomes, OUTCOMES, on_error=on_error))
    ids = ids_of(results)
    order = np.argsort(ids)
    with Scratch(_OWNER, folder) as scratch:
        lesson = Lesson(
            plan=plan,
            outcomes=results,
            outcome_ids=ids[order],
            outcome_rows=order,
            unnumbered=_unnumbered_documents(results),
            own_fields=plan.own_fields,
            on_error=on_error,
            folder=scratch.parts,
        )
        found, template = _learn_all(executor, lesson, pieces)
        merged = merge_runs(
            executor,
            [part.run for part in found if part.run is not None],
            scratch.made,
            memory * _GIB / 4,
        )
        refuse_repeated(_OWNER, pieces, repeated_ids(merged))
        history = with_tables(template, open_tables(merged, scratch.made))
        _check_results(results, found)
        inspected = lesson.outcome_ids
        n_items = _count_gathered(found, plan.n_latest, inspected)
        _check_memory(n_items, len(template.features.feature_info_), memory)
        profile = learn_profile(executor, lesson, pieces, found)
        items = _gather(found, plan.n_latest, inspected)
        fitted = fit_learned(
            engine.copy(),
            history,
            items,
            results,
            own_fields=plan.own_fields,
            profile=profile,
            folder=scratch.parts,
            on_error=on_error,
        )
        scratch.put_in_place()
    del items
    return_free_memory()
    engine.__dict__.update(fitted.__dict__)
    return engine


def _learn_all(
    executor: Executor, lesson: Lesson, pieces: PieceList
) -> tuple[list[Learned], LearnedHistory]:
    """Learn every piece under the plan of all, and return it as a template.

    A piece whose items alone have another plan, such as one without any national code,
    is learned again under that of all.
    """
    tasks = list(enumerate(pieces.pieces))
    found: list[Learned] = list(executor.run(learn_piece, lesson, tasks))
    witnesses = join_items([part.witnesses for part in found if part.n_items])
    if not len(witnesses):
        raise TableError(
            "scale.no_items",
            "{owner}: 'dataset' holds no item that can be read, so that there is "
            "nothing to learn from.",
            owner=_OWNER,
        )
    key = [name for name in KEY if name in witnesses]
    template = make_template(lesson.plan, witnesses.drop_duplicates(key))
    wanted = plan_of(template)
    other = [t for t in tasks if found[t[0]].run and found[t[0]].plan != wanted]
    if other:
        again = replace(lesson, template=without_items(template))
        for task, part in zip(
            other, executor.run(learn_piece, again, other), strict=True
        ):
            found[task[0]] = part
    return found, template


def _unnumbered_documents(results: pd.DataFrame) -> UInt:
    """Return the documents whose results state no item."""
    if NO_ITEM_NUMBER not in results:
        return np.zeros(0, np.uint64)
    flagged = results[results[NO_ITEM_NUMBER].fillna(False).to_numpy(bool)]
    return np.unique(document_hashes(flagged))


def _check_results(results: pd.DataFrame, found: Sequence[Learned]) -> None:
    """Raise where a result without an item number can be of several items."""
    keys = [part.unnumbered for part in found if len(part.unnumbered)]
    if keys:
        check_numbered("RiskEngine.fit", results, pd.concat(keys))


def _count_gathered(found: Sequence[Learned], n_latest: int, inspected: UInt) -> int:
    """Return how many items `_gather` would return, without reading them whole."""
    n_items, latest = 0, pd.DataFrame()
    for part in found:
        if not part.n_items:
            continue
        key = [name for name in KEY if name in part.witnesses]
        frame = pd.read_parquet(part.gathered, columns=[*key, "lodged_at"])
        n_items += int(are_in_sorted(ids_of(frame), inspected).sum())
        if n_latest:
            both = [frame] if not len(latest) else [latest, frame]
            latest = _latest(pd.concat(both), n_latest)
    if n_latest:
        n_items += int((~are_in_sorted(ids_of(latest), inspected)).sum())
    return n_items


def _gather(found: Sequence[Learned], n_latest: int, inspected: UInt) -> pd.DataFrame:
    """Return the inspected items and the latest ones of all pieces.

    `inspected` are the sorted ids of those with results.
    """
    kept: list[pd.DataFrame] = []
    latest = pd.DataFrame()
    for part in found:
        if not part.n_items:
            continue
        frame = pd.read_parquet(part.gathered)
        is_inspected = are_in_sorted(ids_of(frame), inspected)
        kept.append(frame[is_inspected])
        if not n_latest:
            continue
        both = [frame] if not len(latest) else [latest, frame]
        latest = _latest(join_items(both), n_latest)
    if n_latest:
        kept.append(latest[~are_in_sorted(ids_of(latest), inspected)])
    return join_items(kept)


def _latest(items: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the latest items, in the order in which the models see them."""
    order = np.lexsort((ids_of(items), items["lodged_at"].to_numpy()))
    return items.iloc[order[-number:]]


def _check_memory(n_items: int, n_features: int, memory: float) -> None:
    """Raise where the matrix of the items to train on does not fit."""
    needed = n_items * n_features * _TRAINING_BYTES / _GIB
    if needed <= memory:
        return
    raise TableError(
        "scale.results_beyond_memory",
        "{owner}: the models learn from {n_items} items, inspected and latest, with "
        "{n_features} features, which takes about {needed:.1f} GiB; 'memory' allows "
        "{memory:.1f}. Fit on the results of the latest years and add the others with "
        "scale.update, which counts them in the history; or raise 'memory'.",
        owner=_OWNER,
        n_items=n_items,
        n_features=n_features,
        needed=needed,
        memory=memory,
    )
