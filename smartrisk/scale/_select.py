"""Decisions on items in Parquet files, under one capacity for all of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.clock import Clock
from smartrisk.errors import TableError, format_values
from smartrisk.items import item_ids
from smartrisk.memory import return_free_memory
from smartrisk.scale._executors import choose_executor
from smartrisk.scale._pieces import (
    MOST_ROWS,
    Dataset,
    Piece,
    PieceList,
    list_pieces,
)
from smartrisk.scale._repeated import refuse_repeated
from smartrisk.scale._scratch import Scratch
from smartrisk.schema import KEY
from smartrisk.selectivity import Capacity, Policy, RuleSet
from smartrisk.selectivity import select as select_items

_OWNER = "scale.select"
#: Columns of SCORES that a policy ranks by.
_RANKED = ("risk_score", "expected_revenue")


def select(
    scores: Dataset,
    dataset: Dataset | None = None,
    *,
    folder: str | os.PathLike[str],
    capacity: Capacity | None = None,
    policy: Policy | None = None,
    mandatory: ArrayLike | None = None,
    rules: RuleSet | None = None,
    releases: ArrayLike | None = None,
    clock: Clock = None,
    client: Any = None,
    rows: int = MOST_ROWS,
) -> Path:
    """Decide on scored items in Parquet files; write DECISIONS as Parquet files.

    Capacity, draws, ties, ranks and propensities are those of
    `smartrisk.selectivity.select` on all items at once. It reads only the columns that
    the policy and the rules use; these have to fit into memory.

    Parameters
    ----------
    scores : path or list of paths
        SCORES, as `score` writes them.
    dataset : path or list of paths, default=None
        DECLARATIONS of the scored items in any order, and of others, where the policy
        or the rules need them.
    folder : path
        Where to write, a new or empty folder: one file for each piece of the scores, in
        their order. It appears as a whole or not at all.
    capacity : float, int or mapping, default=None
        As in `smartrisk.selectivity.select`.
    policy : Policy, default=None
        How to choose; None for ``Policy()``. It has its own capacity: pass either.
    mandatory : array-like of bool, shape (n_items,), default=None
        As in `smartrisk.selectivity.select`, in the order of the scores.
    rules : RuleSet, default=None
        Rules that apply in addition to the model.
    releases : array-like, shape (n_items,), default=None
        As in `smartrisk.selectivity.select`, in the order of the scores.
    clock : callable or datetime, default=None
        When it is decided.
    client : distributed.Client, default=None
        Dask cluster whose workers read the pieces; all items are decided on together in
        this process. None for this process alone.
    rows : int, default=250000
        Most items of a file that is written.

    Returns
    -------
    folder : Path
        The folder with DECISIONS.

    Raises
    ------
    TableError
        If a score is missing, a column is absent, a key is repeated, or a scored item
        has no declaration.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import smartrisk as sr
    >>> place = tempfile.mkdtemp()
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> scores.to_parquet(place + "/scores.parquet")
    >>> folder = sr.scale.select(
    ...     place + "/scores.parquet", folder=place + "/decisions", capacity=2
    ... )
    >>> int(pd.read_parquet(folder)["selected_by"].notna().sum())
    2
    """
    executor = choose_executor(_OWNER, client)
    scored = list_pieces(_OWNER, scores, most_rows=rows, typed=False)
    names = _scores_used(scored, policy)
    parts = list(executor.run(_read_columns, names, scored.pieces))
    lengths = [len(part) for part in parts]
    table = pd.concat(parts, ignore_index=True)
    del parts
    declarations = None
    if dataset is not None:
        declared = list_pieces(_OWNER, dataset, most_rows=rows)
        wanted = _fields_used(declared, policy, rules)
        found = list(executor.run(_read_columns, wanted, declared.pieces))
        declarations = pd.concat(found, ignore_index=True)
        del found
        declarations = _align(table, declarations, declared)
        if rules is None:  # in the order of the scores, whose keys name the items
            kept = () if policy is None else policy.per
            spare = [name for name in KEY if name not in kept]
            declarations = declarations.drop(columns=spare, errors="ignore")
        declarations.attrs.update(declared.pieces[0].attrs)
    return_free_memory()
    decisions = select_items(
        table,
        declarations,
        capacity=capacity,
        policy=policy,
        mandatory=mandatory,
        rules=rules,
        releases=releases,
        clock=clock,
    )
    del table, declarations
    return_free_memory()
    with Scratch(_OWNER, folder) as scratch:
        start = 0
        for number, length in enumerate(lengths):
            part = decisions.iloc[start : start + length]
            path = scratch.made / f"part-{number:06d}.parquet"
            part.to_parquet(path, index=False)
            start += length
        return scratch.put_in_place()


def _read_columns(names: Sequence[str], piece: Piece) -> pd.DataFrame:
    """Return some columns of a piece."""
    return piece.read(names)


def _scores_used(scored: PieceList, policy: Policy | None) -> list[str]:
    """Return the columns of the scores that decide."""
    policy = Policy() if policy is None else policy
    wanted = {*KEY, policy.rank_by, policy.explore}
    if policy.rank_by not in _RANKED:
        wanted.update(_RANKED)
    if policy.explore != "random":
        wanted.add("risk_score")  # from which the uncertainty follows
    return [name for name in scored.names if name in wanted]


def _fields_used(
    declared: PieceList, policy: Policy | None, rules: RuleSet | None
) -> list[str]:
    """Return the columns of the declarations that decide: all of them under rules."""
    if rules is not None:
        return list(declared.names)
    wanted = {*KEY, "lodged_at"}
    if policy is not None:
        wanted.update(policy.per)
        if policy.trusted_relief:
            wanted.add("trusted_trader")
        if policy.costs.delay:
            wanted.add("customs_value")
    return [name for name in declared.names if name in wanted]


def _align(
    scores: pd.DataFrame, declarations: pd.DataFrame, declared: PieceList
) -> pd.DataFrame:
    """Return the declarations in the order of the scores."""
    own, other = _ids(scores), _ids(declarations)
    if len(own) == len(other) and (own == other).all():
        return declarations
    order = np.argsort(other, kind="stable")
    ordered = other[order]
    at = np.searchsorted(ordered, own)
    n_found = np.searchsorted(ordered, own, side="right") - at
    lost = n_found == 0
    if lost.any():
        raise TableError(
            "scale.scores_without_declarations",
            "{owner}: {n_items} scores have no declaration in 'dataset', such as "
            "declaration_id {examples}. Pass the items that were scored.",
            owner=_OWNER,
            n_items=int(lost.sum()),
            examples=format_values(scores["declaration_id"][lost].tolist()),
        )
    if (n_found > 1).any():
        refuse_repeated(_OWNER, declared, own[n_found > 1])
    return declarations.iloc[order[at]].reset_index(drop=True)


def _ids(table: pd.DataFrame) -> NDArray[np.uint64]:
    """Return the id of every item, as `item_ids`; the texts of a part at a time."""
    starts = range(0, len(table), MOST_ROWS)
    parts = [item_ids(table.iloc[k : k + MOST_ROWS]) for k in starts]
    return np.concatenate([np.zeros(0, np.uint64), *parts])
