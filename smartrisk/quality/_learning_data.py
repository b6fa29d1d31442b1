"""Items and results as an engine learns from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class LearningData:
    """Items, and what is known of those that were inspected.

    Parameters
    ----------
    items : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS.
    rows : ndarray of int, shape (n_results,)
        Positions of the inspected items.
    hits : ndarray of int, shape (n_results,)
        1 where an irregularity was found.
    known : ndarray of datetime64, shape (n_results,)
        Day on which each result was known.
    recorded : bool, default=True
        Whether those days were recorded, not assumed from a delay.
    outcomes : DataFrame of shape (n_results, n_fields), default=None
        Canonical OUTCOMES of these results; None where only labels are known.
    n_lost : int, default=0
        Further results, of no item.
    lost : tuple of str, default=()
        Examples of their declarations.
    learned : ndarray of bool, shape (n_items,), default=None
        Whether an engine learned from each item; None where there is none.
    label_column : str, default="illicit"
        The administration's name of the column of labels.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.quality import LearningData
    >>> items = pd.DataFrame({"lodged_at": pd.to_datetime(["2024-03-01"])})
    >>> data = LearningData(items=items, rows=np.array([0]), hits=np.array([1]),
    ...                     known=np.array(["2024-03-09"], "datetime64[D]"))
    >>> data.delays.tolist()
    [8.0]
    """

    items: pd.DataFrame
    rows: NDArray[np.intp]
    hits: NDArray[np.int64]
    known: NDArray[np.datetime64]
    recorded: bool = True
    outcomes: pd.DataFrame | None = None
    n_lost: int = 0
    lost: tuple[str, ...] = ()
    learned: NDArray[np.bool_] | None = None
    label_column: str = "illicit"

    @property
    def lodged(self) -> NDArray[np.datetime64]:
        """When each item was lodged."""
        return np.asarray(self.items["lodged_at"].to_numpy())

    @property
    def inspected(self) -> NDArray[np.bool_]:
        """Whether each item has a result."""
        out = np.zeros(len(self.items), bool)
        out[self.rows] = True
        return out

    @property
    def delays(self) -> NDArray[np.float64]:
        """Days from lodgement to each result."""
        days = self.lodged[self.rows].astype("datetime64[D]")
        return np.asarray((self.known - days) / np.timedelta64(1, "D"))
