"""The deletion test of reasons: the score of an item without its first reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_number, format_values
from smartrisk.explanations._grouping import Float
from smartrisk.explanations._reason_order import Reason
from smartrisk.explanations._reasons import Reasons
from smartrisk.results import Result
from smartrisk.tables import to_pandas

#: Numbers of a matrix made at once, to bound the memory: 160 MB of float64.
_CELLS = 20_000_000


Matrix = NDArray[np.floating[Any]]


class Removal(Result):
    """Scores of items with and without their first reason.

    Made by `removal`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> others = engine.features_.transform(world.declarations.head(200))
    >>> reasons = engine.explain(world.declarations.tail(20))
    >>> result = sr.explanations.removal(
    ...     reasons, engine.classifier_.raw_score, others
    ... )
    >>> result
    Removal(20 rows)
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per item that has a reason.

        Returns
        -------
        frame : DataFrame
            ``declaration_id``, ``item_number``, ``concept``, ``fields``, ``raw_score``,
            ``without`` (mean log-odds when the features of the reason are those of the
            other items) and ``moved`` (``raw_score`` minus ``without``: above 0 when
            the reason raises the score; below 0 for reasons to release).
        """
        return self._table.copy()


def removal(
    reasons: Reasons,
    raw_score: Callable[[Matrix], Float],
    background: pd.DataFrame | Matrix,
    *,
    n_background: int = 30,
    random_state: int = 0,
) -> Removal:
    """Return the score of each item without its first reason.

    Parameters
    ----------
    reasons : Reasons
        Reasons of the items; pass their `release` to test what lowers the score.
    raw_score : callable
        Function from a matrix of features to log-odds, such as
        ``engine.classifier_.raw_score``.
    background : DataFrame or ndarray of shape (n_others, n_features)
        Features of other items, such as earlier ones.
    n_background : int, default=30
        Other items whose features replace those of the reason, at least 1; drawn at
        random.
    random_state : int, default=0
        Seed of the draw.

    Returns
    -------
    removal : Removal
        The raw score of each item with and without its first reason.

    Raises
    ------
    ArgumentError
        If `background` lacks features or items, or `n_background` is below 1.

    Notes
    -----
    The deletion test of a group of features with an interventional background
    [1]_. A reason can fail it where another holds the same information, so that
    removing one changes nothing, or where it only counts together with another.

    References
    ----------
    .. [1] Covert, I., Lundberg, S., Lee, S.-I. (2021). Explaining by removing: a
       unified framework for model explanation. Journal of Machine Learning Research
       22, 1-90.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> new = world.declarations.tail(20)
    >>> others = engine.features_.transform(world.declarations.head(200))
    >>> reasons = engine.explain(new)
    >>> result = sr.explanations.removal(
    ...     reasons, engine.classifier_.raw_score, others
    ... )
    >>> "moved" in result.frame()
    True
    """
    check_number("removal", "n_background", n_background, low=1, integer=True)
    others = _check_background(background, reasons)
    rng = np.random.default_rng(random_state)
    others = others[rng.permutation(len(others))[:n_background]]
    first = [reason for reason in reasons._reasons if reason.rank == 1]
    without = np.empty(len(first))
    step = max(_CELLS // max(others.size, 1), 1)
    for start in range(0, len(first), step):
        part = first[start : start + step]
        blocks = _replace_features(reasons._matrix, part, others)
        scores = np.asarray(raw_score(blocks.reshape(-1, others.shape[1])), np.float64)
        without[start : start + step] = scores.reshape(len(part), -1).mean(axis=1)
    items = [reason.item for reason in first]
    keys = [reasons._keys[item] for item in items]
    now = reasons.raw_score[items]
    table = pd.DataFrame(
        {
            "declaration_id": [key[0] for key in keys],
            "item_number": [key[1] for key in keys],
            "concept": [reason.group.concept for reason in first],
            "fields": [", ".join(reason.lead.fields) for reason in first],
            "raw_score": now,
            "without": without,
            "moved": now - without,
        }
    )
    return Removal(table)


def _replace_features(matrix: Matrix, part: list[Reason], others: Matrix) -> Matrix:
    """Return (n_reasons, n_others, n_features): items with features of other items."""
    rows = np.repeat(matrix[[reason.item for reason in part]], len(others), axis=0)
    blocks = rows.reshape(len(part), len(others), -1)
    for block, reason in zip(blocks, part, strict=True):
        for topic in reason.group.topics:
            block[:, topic.columns] = others[:, topic.columns]
    return blocks


def _check_background(background: pd.DataFrame | Matrix, reasons: Reasons) -> Matrix:
    """Return the features of the other items in the order of the items' own."""
    names, kind = list(reasons._plan.names), reasons._matrix.dtype
    background = to_pandas(background)
    if isinstance(background, pd.DataFrame):
        missing = [name for name in names if name not in background]
        if missing:
            raise ArgumentError(
                "explanations.background_lacks_features",
                "removal: 'background' has no {missing}. Pass what transform of the "
                "fitted features returns.",
                missing=format_values(missing),
            )
        background = background[names]
    others = np.asarray(background, kind)
    if others.ndim != 2 or others.shape[1] != len(names) or not len(others):
        raise ArgumentError(
            "explanations.background_shape",
            "removal: 'background' must have the {n_features} features of the "
            "items, for at least one other item; got the shape {shape}.",
            n_features=len(names),
            shape=str(others.shape),
        )
    return others
