"""Which items the profile of many is learned from: a bounded number, evenly spread."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError

Rows = NDArray[np.intp]

#: Items from which usual levels and spreads are learned, evenly spread over the earlier
#: and the later part of the history: more change no bound and cost time in every fit.
MOST_EARLIER, _MOST_LATER = 20_000, 10_000
#: Items from which usual codes, pairs and traders are learned, evenly spread over the
#: history: what none of 100,000 items has is rare, and bounds come from fewer items.
_MOST_KNOWN = 100_000
#: Items without which there is no usual spread between batches to learn.
_LEAST_LEARNED = 1_000
#: Share of the items, the latest, whose batches show the usual spread. What is usual
#: is learned from those before, as at scoring: codes seen in the same items would all
#: be known.
_LATER = 0.35
#: Items of a batch of the later ones: an eighth of the usual batch of 500 would be
#: chance, and with more there are too few of them.
BLOCK = 250


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProfileRows:
    """The items that an `InputProfile` is learned from, by their positions.

    A fit that reads its items in partitions gathers these, at most 130,000.

    Parameters
    ----------
    known : ndarray of intp
        Items from which usual codes, pairs and traders are learned.
    earlier, later : ndarray of intp
        Items from which usual levels are learned, and later ones, in the order of
        time, whose batches show the usual spread; empty where there are too few.
    first_day, last_day : Timestamp
        First and last day of lodgement.
    n_items : int
        Items among which they were chosen.

    Examples
    --------
    >>> import numpy as np
    >>> import smartrisk as sr
    >>> days = np.datetime64("2024-01-01", "us") + np.arange(250_000) % 365
    >>> rows = sr.monitoring.ProfileRows.choose(days)
    >>> rows
    ProfileRows(102013 of 250000 items)
    """

    known: Rows
    earlier: Rows
    later: Rows
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    n_items: int

    def __repr__(self) -> str:
        """Return how many items there are, of how many."""
        return f"ProfileRows({len(self.positions())} of {self.n_items} items)"

    @classmethod
    def choose(cls, lodged: NDArray[np.datetime64]) -> ProfileRows:
        """Choose items by the moments of all.

        Parameters
        ----------
        lodged : ndarray of datetime64, shape (n_items,)
            When each item was lodged, in the order of the items.

        Returns
        -------
        rows : ProfileRows
            The same for the same moments in the same order.

        Raises
        ------
        TableError
            If there is no item.
        """
        n_items = len(lodged)
        if not n_items:
            raise TableError(
                "monitoring.no_items",
                "InputProfile.learn: 'declarations' holds no item. Pass those that the "
                "engine is fitted on.",
            )
        earlier = later = np.zeros(0, np.intp)
        if n_items >= _LEAST_LEARNED:
            order = np.argsort(lodged, kind="stable")
            cut = int(n_items * (1 - _LATER))
            earlier = order[: cut : -(-cut // MOST_EARLIER)]
            later = _take_runs(order[cut:])
        return cls(
            known=np.arange(0, n_items, -(-n_items // _MOST_KNOWN)),
            earlier=earlier,
            later=later,
            first_day=pd.Timestamp(lodged.min()).normalize(),
            last_day=pd.Timestamp(lodged.max()).normalize(),
            n_items=n_items,
        )

    def positions(self) -> Rows:
        """Return the positions of all chosen items, sorted, each once.

        Returns
        -------
        positions : ndarray of intp
            Which items to gather.
        """
        return np.unique(np.concatenate((self.known, self.earlier, self.later)))

    def among_chosen(self) -> ProfileRows:
        """Return the rows by their places in a table of the chosen items alone.

        Returns
        -------
        rows : ProfileRows
            For a table of the items of `positions`, in this order.
        """
        every = self.positions()
        return replace(
            self,
            known=np.searchsorted(every, self.known),
            earlier=np.searchsorted(every, self.earlier),
            later=np.searchsorted(every, self.later),
        )


def _take_runs(rows: Rows) -> Rows:
    """Return runs of consecutive rows, evenly spread, where there are too many."""
    if len(rows) <= _MOST_LATER:
        return rows
    starts = np.linspace(0, len(rows) - BLOCK, _MOST_LATER // BLOCK).astype(np.intp)
    return np.asarray(rows[(starts[:, None] + np.arange(BLOCK)).ravel()])
