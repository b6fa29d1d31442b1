"""Whether a reason is one: what the score becomes without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_number, format_values
from smartrisk.explanations._reasons import Reasons
from smartrisk.results import Result

_CELLS = 20_000_000  # of a matrix made at once


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
    >>> bool((result.frame()["moved"] > 0).mean() > 0.8)
    True
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per item that has a reason.

        Returns
        -------
        frame : DataFrame
            ``declaration_id``, ``item_number``, ``concept``, ``fields``,
            ``raw_score``, ``without`` (mean log-odds when the features of the reason
            are those of the other items) and ``moved`` (``raw_score`` less
            ``without``: above 0 when the reason raises the score; below 0 for reasons
            to release).
        """
        return self._table.copy()


def removal(
    reasons: Reasons,
    raw_score: Callable[[NDArray[Any]], NDArray[np.float64]],
    background: pd.DataFrame | NDArray[Any],
    *,
    n_background: int = 30,
    random_state: int = 0,
) -> Removal:
    """Return the score of each item without its first reason.

    Parameters
    ----------
    reasons : Reasons
        Of the items; their `release` for what holds the score down.
    raw_score : callable
        From a matrix of features to log-odds, as ``engine.classifier_.raw_score``.
    background : array-like of shape (n_others, n_features)
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
        If `background` has other features, or no item.

    Notes
    -----
    The deletion test of a group of features with an interventional background
    [1]_. A reason can fail it where another says the same, so that one alone changes
    nothing, or where it only counts together with another.

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
    others = _checked(background, reasons)
    rng = np.random.default_rng(random_state)
    drawn = rng.permutation(len(others))[:n_background]
    others = others[drawn]
    first = [reason for reason in reasons._reasons if reason.rank == 1]
    without = np.empty(len(first))
    step = max(_CELLS // max(others.size, 1), 1)
    for start in range(0, len(first), step):
        part = first[start : start + step]
        blocks = np.repeat(
            reasons._matrix[[r.item for r in part]], len(others), axis=0
        ).reshape(len(part), len(others), -1)
        for block, reason in zip(blocks, part, strict=True):
            for topic in reason.group.topics:
                block[:, topic.columns] = others[:, topic.columns]
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


def _checked(background: Any, reasons: Reasons) -> NDArray[Any]:
    """Return the features of the others in the order of the items' own."""
    names, kind = list(reasons._plan.names), reasons._matrix.dtype
    if isinstance(background, pd.DataFrame):
        gone = [name for name in names if name not in background]
        if gone:
            raise ArgumentError(
                "explanations.background_what_fitted_features",
                "removal: 'background' has no {gone}. Pass what the fitted "
                "features transform made.",
                gone=format_values(gone),
            )
        background = background[names]
    others = np.asarray(background, kind)
    if others.ndim != 2 or others.shape[1] != len(names) or not len(others):
        raise ArgumentError(
            "explanations.background_features_items_other",
            "removal: 'background' must have the {n_names} features of the "
            "items, for at least one other item; got the shape {shape}.",
            n_names=len(names),
            shape=others.shape,
        )
    return others
