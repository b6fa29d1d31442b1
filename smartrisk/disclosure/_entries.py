"""Entries of a table: its cells, and every total over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from smartrisk.disclosure._rules import Contributions, Rules

#: Name of the group of all.
TOTAL = "total"


@dataclass(frozen=True, eq=False)
class Entries:
    """A table with its totals.

    Attributes
    ----------
    labels : DataFrame of shape (n_entries, n_fields)
        Group of each entry; "total" where a field is taken together.
    members : csr_array of shape (n_entries, n_cells)
        1 where a cell belongs to an entry. The first entries are the cells.
    by_trader : csc_array of shape (n_cells, n_traders)
        What each trader adds to each cell.
    """

    labels: pd.DataFrame
    members: sparse.csr_array
    by_trader: sparse.csc_array

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.members.shape[1])

    @property
    def cells(self) -> NDArray[np.float64]:
        """The sum of each cell."""
        return np.asarray(self.by_trader.sum(axis=1), np.float64)

    def own(self, trader: int) -> NDArray[np.float64]:
        """Return the part of a trader in each cell; nothing for -1."""
        if trader < 0:
            return np.zeros(self.n_cells)
        return np.asarray(self.by_trader[:, [trader]].toarray()[:, 0])

    def contributions(self, rules: Rules) -> Contributions:
        """Return who stands behind each entry."""
        n_largest = max([2, *(n for n, _ in rules.dominance)])
        sums = (self.members @ self.by_trader).tocsr()
        n = sums.shape[0]
        largest, second = np.zeros((n, n_largest)), np.full(n, -1)
        count = np.zeros(n, np.int64)
        for entry in range(n):
            where = slice(sums.indptr[entry], sums.indptr[entry + 1])
            part, who = sums.data[where], sums.indices[where]
            part, who = part[part > 0], who[part > 0]
            # Ties go to the trader whose name is first.
            falling = np.lexsort((who, -part))[:n_largest]
            count[entry] = len(part)
            largest[entry, : len(falling)] = part[falling]
            if len(falling) > 1:
                second[entry] = who[falling[1]]
        return Contributions(self.members @ self.cells, count, largest, second)


def make_entries(
    cells: pd.DataFrame, by: Sequence[str], cell: NDArray[np.intp], parts: pd.DataFrame
) -> Entries:
    """Return the cells and all their totals.

    Parameters
    ----------
    cells : DataFrame of shape (n_cells, n_fields)
        Labels of the cells.
    by : sequence of str
        Fields.
    cell : ndarray of int, shape (n_parts,)
        Cell of each part.
    parts : DataFrame
        ``trader`` and ``value``.
    """
    trader, names = pd.factorize(parts["trader"], sort=True)
    by_trader = sparse.csc_array(
        (parts["value"].to_numpy(np.float64), (cell, trader)),
        shape=(len(cells), len(names)),
    )
    by_trader.sum_duplicates()
    labels, rows = [], []
    for kept in product((True, False), repeat=len(by)):
        group = cells.copy()
        for name, keep in zip(by, kept, strict=True):
            if not keep:
                group[name] = TOTAL
        whole = group.drop_duplicates()
        key = pd.MultiIndex.from_frame(whole)
        place = key.get_indexer(pd.MultiIndex.from_frame(group))
        one = np.ones(len(cells))
        shape = (len(whole), len(cells))
        rows.append(sparse.csr_array((one, (place, np.arange(len(cells)))), shape))
        labels.append(whole)
    members = sparse.csr_array(sparse.vstack(rows))
    return Entries(pd.concat(labels, ignore_index=True), members, by_trader)
