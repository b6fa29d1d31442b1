"""Mean contributions in each segment: why one scores above another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from smartrisk.errors import ArgumentError
from smartrisk.explanations._folding import declared_column, fold_contributions
from smartrisk.explanations._reasons import Reasons
from smartrisk.results import Result

#: Columns before the contributions.
_LEADING = ("segment", "n_items", "raw_score", "base")


class SegmentProfile(Result):
    """Mean contributions in each segment of the items.

    Made by `segment_profile`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    by : {"concept", "field", "feature"}, default="concept"
        What the columns of contributions stand for.

    See Also
    --------
    smartrisk.displays.SegmentProfileDisplay : The same as a figure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> profile = sr.explanations.segment_profile(reasons, "transport_mode")
    >>> profile.by, int(profile.frame()["n_items"].sum())
    ('concept', 500)
    """

    def __init__(self, table: pd.DataFrame, *, by: str = "concept") -> None:
        self._table = table.copy()
        self._by = by

    @property
    def by(self) -> str:
        """What the columns stand for: "concept", "field" or "feature"."""
        return self._by

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of contributions: the concepts, fields or features."""
        return tuple(map(str, self._table.columns[len(_LEADING) :]))

    def frame(self) -> pd.DataFrame:
        """Return one row per segment.

        Returns
        -------
        frame : DataFrame
            ``segment``, ``n_items``, ``raw_score`` (mean log-odds), ``base`` and one
            column per concept, field or feature. Base and columns add up to
            ``raw_score``.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        return f"SegmentProfile(by={self._by!r}, n_segments={len(self._table)})"


def segment_profile(
    reasons: Reasons, segment: str | ArrayLike, *, by: str = "concept"
) -> SegmentProfile:
    """Return the mean contributions in each segment: why one scores above another.

    Parameters
    ----------
    reasons : Reasons
        Reasons of many items.
    segment : str or array-like of shape (n_items,)
        A declared field, such as "office", or a segment per item.
    by : {"concept", "field", "feature"}, default="concept"
        Level to which contributions are summed.

    Returns
    -------
    profile : SegmentProfile
        One row per segment; items without one are the segment "not declared".

    Raises
    ------
    ArgumentError
        If there is no item, no such field, or not one segment per item.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> reasons = engine.explain(world.declarations.tail(500))
    >>> table = sr.explanations.segment_profile(reasons, "office").frame()
    >>> int(table["n_items"].sum())
    500
    """
    if isinstance(segment, str):
        segment = declared_column("segment_profile", reasons, segment)
    groups = np.asarray(segment, dtype=object)
    if groups.shape != (len(reasons),):
        raise ArgumentError(
            "explanations.one_segment_per_item",
            "segment_profile: 'segment' must hold one value for each of the "
            "{n_items} items; got the shape {shape}.",
            n_items=len(reasons),
            shape=str(groups.shape),
        )
    parts = fold_contributions("segment_profile", reasons, by).reset_index(drop=True)
    parts.insert(0, "base", reasons.base_values)
    parts.insert(0, "raw_score", reasons.raw_score)
    labels = np.where(pd.isna(groups), "not declared", groups).astype(str)
    grouped = parts.groupby(labels)
    table = grouped.mean().rename_axis("segment")
    table.insert(0, "n_items", grouped.size())
    return SegmentProfile(table.reset_index(), by=by)
