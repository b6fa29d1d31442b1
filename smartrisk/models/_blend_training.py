"""Training of the members and of their blend, with scores out of time.

Reads labelled items; writes a blend, its calibration and the curve of early stopping.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError
from smartrisk.items import mix
from smartrisk.models._blend import Blend, TreeMember, make_blend
from smartrisk.models._boosting import (
    count_threads,
    make_dataset,
    mark_latest,
    read_curve,
    train,
    train_with_early_stopping,
)
from smartrisk.models._calibration import (
    ScoreCalibration,
    fit_calibration,
    steepness_of_all,
)
from smartrisk.models._labels import known_entries
from smartrisk.models._members import Recipe, member_weights
from smartrisk.models._signals import SignalScore, signals_share

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

#: Fewer hits (or misses) than this in the latest items cannot stop, scale or calibrate:
#: the standard error of a rate from ten hits is a third of the rate.
_ENOUGH = 10
#: Factor on the learning rate in the search for the number of trees, which costs a
#: quarter of the trees and finds the number to within four.
_STRIDE = 4
#: Trees where early stopping was asked for and nothing can stop them: about where it
#: ends with few hits.
_USUAL_TREES = 120
#: Blocks of the latest items, each scored by members that learned from what was before.
_BLOCKS = 3
#: Rows whose numbers are hashed at once: few enough that the copies take little memory.
_CHUNK = 1024


class Trained(NamedTuple):
    """What a fit learned."""

    blend: Blend
    calibration: ScoreCalibration
    curve: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledItems:
    """Items to learn from.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_features)
        Features.
    hits : ndarray of shape (n_items,)
        1 for a hit, 0 for none.
    time : array-like of shape (n_items,) or None
        When each was lodged; None for the order of the rows.
    weights : ndarray of shape (n_items,) or None
        How many items each one counts for; None for 1.
    share : float, default=1.0
        Share of all items that these are; below 1 they were selected.
    rows : ndarray of int, shape (n_items,), or None, default=None
        Rows of the matrix that these items are; None for all, in their order. So
        sorting copies no matrix.
    """

    matrix: NDArray[Any]
    hits: Float
    time: ArrayLike | None
    weights: Float | None
    share: float = 1.0
    rows: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.hits)

    def total(self) -> float:
        """Return for how many items they count."""
        return float(len(self) if self.weights is None else self.weights.sum())

    def sort_by_content(self) -> LabelledItems:
        """Return the items in an order that depends on their content alone.

        Drawing items at random, and sums of floats, depend on the order of the rows.
        """
        time = np.arange(len(self)) if self.time is None else np.asarray(self.time)
        keys = [time, self.hits, hash_rows(self.matrix, self.rows)]
        if self.weights is not None:
            keys.insert(0, self.weights)
        order = np.lexsort(keys)
        return LabelledItems(
            matrix=self.matrix,
            hits=self.hits[order],
            time=time[order],
            weights=known_entries(self.weights, order),
            share=self.share,
            rows=order if self.rows is None else self.rows[order],
        )

    def features(self, some: Bool | None = None) -> NDArray[Any]:
        """Return the features of some items, or of all."""
        rows = known_entries(self.rows, some)
        if rows is None:
            return self.matrix if some is None else self.matrix[some]
        return np.asarray(self.matrix[rows])

    def gather(self) -> LabelledItems:
        """Return the items with a matrix of their own rows alone."""
        if self.rows is None:
            return self
        return replace(self, matrix=self.features(), rows=None)

    def steeper(self) -> float:
        """Return how much steeper the truth of all items is than these results."""
        return steepness_of_all(self.n_hits(), self.share)

    def n_hits(self) -> float:
        """Return for how many hits they count."""
        return float(np.average(self.hits, weights=self.weights) * self.total())


def hash_rows(
    matrix: NDArray[Any], rows: NDArray[np.intp] | None = None
) -> NDArray[np.uint64]:
    """Return 64 bits for each row, the same for equal numbers of either precision."""
    keys = mix(np.arange(matrix.shape[1], dtype=np.uint64))
    n_rows = len(matrix) if rows is None else len(rows)
    found = np.zeros(n_rows, np.uint64)
    for start in range(0, n_rows, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        part = matrix[chunk if rows is None else rows[chunk]].astype(np.float64)
        part += 0.0  # -0.0 is 0.0
        part[np.isnan(part)] = np.nan  # of all NaN one
        bits = np.ascontiguousarray(part).view(np.uint64)
        found[start : start + _CHUNK] = mix(bits ^ keys).sum(axis=1, dtype=np.uint64)
    return found


def train_blend(
    items: LabelledItems,
    recipes: Sequence[Recipe],
    codes: Sequence[int],
    *,
    signals: SignalScore | None = None,
    validation_share: float,
    patience: int | None,
    n_jobs: int | None,
) -> Trained:
    """Return the blend of the members that the recipes describe, and its calibration.

    Parameters
    ----------
    items : LabelledItems
        What to learn from.
    recipes : sequence of Recipe
        One for each member.
    codes : sequence of int
        Positions of features that are codes.
    signals : SignalScore, default=None
        The member that needs no results, as learned from items without any.
    validation_share : float
        Latest share of the items that is scored out of time.
    patience : int or None
        Trees without gain before the boosting stops; None for its fixed number.
    n_jobs : int or None
        Threads at most.
    """
    if not recipes:
        return _calibrate_signals(items.gather(), signals, validation_share)
    alone = len(recipes) == 1 and recipes[0].name == "boosting" and signals is None
    items = items.gather() if alone else items.sort_by_content()
    data = make_dataset(
        items.matrix,
        items.hits,
        recipes[0].params,
        codes,
        items.weights,
        rows=items.rows,
    )
    work = _Work(items, data, n_jobs)
    curve: tuple[tuple[int, float], ...] = ()
    stopped = None
    if patience is not None and recipes[0].name == "boosting":
        stopped = work.stop(recipes[0], validation_share, patience)
        recipes = (replace(recipes[0], n_trees=stopped.n_trees), *recipes[1:])
        curve = stopped.curve
    if stopped is not None and alone:
        late = stopped.late
        scored = _Scored([stopped.raw], late, np.ones(int(late.sum()), np.intp))
    else:
        scored = work.score_blocks(recipes, validation_share)
    members: list[TreeMember | SignalScore]
    members = [work.train(recipe) for recipe in recipes]
    threads = count_threads(n_jobs, len(items))
    shares = member_weights([m.name for m in members], float(items.hits.sum()))
    if signals is not None:
        scored.raws.append(signals.raw(items.features(scored.rows)))
        members.append(signals)
        shares = _with_signals(shares, items)
    if not len(scored.block):
        matrix = items.features()
        raws = [m.raw(matrix, threads) for m in members] if not alone else []
        blend = make_blend(members, raws, shares, items.weights)
        return Trained(blend, ScoreCalibration(), curve)
    weights = known_entries(items.weights, scored.rows)
    blend = make_blend(members, scored.raws, shares, weights)
    calibration = fit_calibration(
        blend.combine(scored.raws),
        items.hits[scored.rows],
        block=scored.block,
        weights=weights,
        steeper=items.steeper(),
    )
    return Trained(blend, calibration, curve)


def _calibrate_signals(
    items: LabelledItems, signals: SignalScore | None, validation_share: float
) -> Trained:
    """Return the signals alone, with the calibration that all results show.

    The signals learned from no result, so that each one may judge them.
    """
    if signals is None:
        raise ArgumentError(
            "models.signals_without_suspicion",
            "RiskClassifier: 'signals' is the only one of 'members', and no feature "
            "has a weight in 'suspicion'. State the weights, or add a member with "
            "trees.",
        )
    blend = Blend.of_one(signals)
    if not _has_enough(items.hits):
        return Trained(blend, ScoreCalibration(), ())
    calibration = fit_calibration(
        signals.raw(items.matrix),
        items.hits,
        block=number_blocks(items.time, len(items), validation_share),
        weights=items.weights,
        steeper=items.steeper(),
    )
    return Trained(blend, calibration, ())


def _with_signals(shares: dict[str, float], items: LabelledItems) -> dict[str, float]:
    """Return the weights of the members with that of the signals among them."""
    n_hits = items.n_hits()
    share = signals_share(n_hits, items.total() - n_hits)
    return {k: v * (1.0 - share) for k, v in shares.items()} | {"signals": share}


class _Scored(NamedTuple):
    """Raw scores of items by members that did not learn from them."""

    raws: list[Float]
    rows: Bool
    block: NDArray[np.intp]


class _Stopped(NamedTuple):
    """Where early stopping ended; without late items that could stop, none is late."""

    n_trees: int
    curve: tuple[tuple[int, float], ...]
    late: Bool
    raw: Float


@dataclass(frozen=True, eq=False)
class _Work:
    """The binned items, and what is trained on them."""

    items: LabelledItems
    data: Any
    n_jobs: int | None

    def train(self, recipe: Recipe, part: Any = None, n_items: int = 0) -> TreeMember:
        """Return a member trained on all items, or on a part of them."""
        data = self.data
        if part is not None:
            recipe, data = recipe.of_part(n_items), part
        booster = train(data, recipe.params, recipe.n_trees)
        n_trees = min(recipe.n_trees, booster.num_trees())
        return TreeMember(name=recipe.name, booster=booster, n_trees=n_trees)

    def stop(self, recipe: Recipe, share: float, patience: int) -> _Stopped:
        """Find the number of trees of the boosting on the latest items.

        The search takes longer steps and so fewer trees; what it finds holds for all.
        """
        hits, most = self.items.hits, recipe.n_trees
        late = mark_latest(self.items.time, len(hits), share)
        if not _has_enough(hits[late]) or not _has_enough(hits[~late]):
            none = np.zeros(len(hits), bool)
            return _Stopped(min(most, _USUAL_TREES), (), none, np.zeros(0))
        rate = _STRIDE * recipe.params["learning_rate"]
        losses: dict[str, Any] = {}
        scout = train_with_early_stopping(
            self.data,
            late,
            recipe.params | {"learning_rate": rate},
            math.ceil(most / _STRIDE),
            math.ceil(patience / _STRIDE),
            record=losses,
        )
        best = scout.best_iteration or scout.num_trees()
        member = TreeMember(name=recipe.name, booster=scout, n_trees=best)
        raw = member.raw(
            self.items.features(late), count_threads(self.n_jobs, int(late.sum()))
        )
        curve = read_curve(losses, _STRIDE, most)
        return _Stopped(min(_STRIDE * best, most), curve, late, raw)

    def score_blocks(self, recipes: Sequence[Recipe], share: float) -> _Scored:
        """Score the latest items, block by block, by members of what was before."""
        hits = self.items.hits
        block = number_blocks(self.items.time, len(hits), share)
        scored = np.zeros(len(hits), bool)
        raws = [np.zeros(len(hits)) for _ in recipes]
        for number in range(1, _BLOCKS + 1):
            early, own = block < number, block == number
            if not _has_enough(hits[early]) or not own.any():
                continue
            scored |= own
        if not _has_enough(hits[scored]):
            return _Scored([raw[:0] for raw in raws], scored & False, block[:0])
        for number in np.unique(block[scored]).tolist():
            early, own = block < number, block == number
            part = self.data.subset(np.flatnonzero(early))
            rows = self.items.features(own)
            threads = count_threads(self.n_jobs, len(rows))
            for recipe, raw in zip(recipes, raws, strict=True):
                member = self.train(recipe.quicker(), part, int(early.sum()))
                raw[own] = member.raw(rows, threads)
        return _Scored([raw[scored] for raw in raws], scored, block[scored])


def number_blocks(
    time: ArrayLike | None, n_items: int, share: float
) -> NDArray[np.intp]:
    """Return the block of each item: 0 for the earliest share, then 1, 2 and 3.

    The blocks have about as many items; whole moments stay together.
    """
    block = np.zeros(n_items, np.intp)
    for left in range(_BLOCKS, 0, -1):
        block += mark_latest(time, n_items, share * left / _BLOCKS)
    return block


def _has_enough(hits: Float) -> bool:
    """Return whether both classes occur often enough."""
    return bool(min(hits.sum(), len(hits) - hits.sum()) >= _ENOUGH)
