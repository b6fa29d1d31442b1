"""What the officers of a week can control, and what they must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Share of the new items that a week's officers can control, before chance.
_SHARE = 0.04
#: The importer of the court order has so many items: enough to see, few to control.
_FEWEST, _MOST = 4, 8


@dataclass(frozen=True, kw_only=True)
class Roster:
    """How many controls a week allows, and what has to be controlled.

    Parameters
    ----------
    controls : int
        Number of controls of the week.
    limits : mapping of str to int
        How many of them each office can do; they add up to `controls`.
    court_order : str
        An importer whose items must all be controlled.
    """

    controls: int
    limits: Mapping[str, int]
    court_order: str


def make_roster(new: pd.DataFrame, seed: int) -> Roster:
    """Return the roster of a week: limits of offices do not follow their size.

    Parameters
    ----------
    new : DataFrame
        DECLARATIONS of the week.
    seed : int
        Seed of the draw.
    """
    rng = np.random.default_rng(seed)
    controls = 10 * (round(_SHARE * len(new) / 10) + int(rng.integers(-3, 4)))
    sizes = new["office"].value_counts().sort_index()
    weights = sizes.to_numpy(float) * rng.uniform(0.3, 1.7, len(sizes))
    limits = np.maximum(np.floor(controls * weights / weights.sum()), 1).astype(int)
    limits[np.argmax(limits)] += controls - limits.sum()
    items = new["importer_id"].value_counts()
    named = sorted(items[items.between(_FEWEST, _MOST)].index)
    return Roster(
        controls=controls,
        limits={str(k): int(n) for k, n in zip(sizes.index, limits, strict=True)},
        court_order=str(rng.choice(named)),
    )
