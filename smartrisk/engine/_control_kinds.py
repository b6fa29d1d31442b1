"""What a control without a finding says, by the kind of the control."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Hits that the hit rate of documentary controls is drawn towards that of the others
#: by: with fewer expected than these, little is known of what documents show.
_DRAW = 10.0


class ControlKinds(NamedTuple):
    """How many results come from documentary controls, and how they count.

    `n_documentary` is None where no result states the kind of its control; `weights`
    is None where all results count in full.
    """

    n_documentary: int | None
    n_kind_known: int
    documentary_weight: float
    weights: NDArray[np.float64] | None

    def in_full(self) -> ControlKinds:
        """Return the counts for a classifier to which all results count in full."""
        return self._replace(documentary_weight=1.0, weights=None)


def judge_kinds(labels: pd.DataFrame, hits: NDArray[np.int64]) -> ControlKinds:
    """Return how much a documentary control without a finding counts.

    A control that finds a share *s* of what there is has no finding with the chance
    ``1 - s p`` for the probability *p* of an irregularity. Its logarithm is about *s*
    times that of ``1 - p`` where *p* is small: in the likelihood, such a result counts
    *s* times. *s* is the hit rate of documentary controls over that of the others, both
    as found, drawn towards 1. Officers choose the likelier items for a physical
    control, so that *s* is rather too low: hence the strong draw.

    Parameters
    ----------
    labels : DataFrame of shape (n_results, n_fields)
        OUTCOMES.
    hits : ndarray of int, shape (n_results,)
        1 for a hit, 0 for none.
    """
    if "control_kind" not in labels or not labels["control_kind"].notna().any():
        return ControlKinds(None, 0, 1.0, None)
    kind = labels["control_kind"].astype(object)
    known = kind.notna().to_numpy()
    documentary = (kind == "documentary").fillna(False).to_numpy(bool)
    other = known & ~documentary
    weight = 1.0
    if documentary.any() and other.any():
        expected = float(documentary.sum() * hits[other].mean())
        found = float(hits[documentary].sum())
        weight = min(1.0, (found + _DRAW) / (expected + _DRAW))
    weights = None
    if weight < 1.0:
        weights = np.where(documentary & (hits == 0), weight, 1.0)
    return ControlKinds(int(documentary.sum()), int(known.sum()), weight, weights)
