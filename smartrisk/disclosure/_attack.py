"""Linear programmes over a table: what a reader can work out, and what to hide."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from smartrisk.errors import ArgumentError

#: Part of the distance asked for that the solver may be wrong by: its own tolerance is
#: 1e-7, and numbers are given to it in units of that distance.
TOLERANCE = 1e-6
GIVEN_AWAY = "disclosure.given_away"
GIVEN_AWAY_TEXT = (
    "suppress: what is public already, such as an earlier release, gives away a secret "
    "sum of this table; hiding more does not help. Publish fewer groups, or leave this "
    "figure out."
)


@dataclass(kw_only=True, eq=False)
class Table:
    """A table of which some entries are hidden, as an attacker knows it.

    Attributes
    ----------
    members : csr_array of shape (n_entries, n_cells)
        1 where a cell belongs to an entry. The first entries are the cells.
    cells, most : ndarray of float64, shape (n_cells,)
        True sums; bounds that everybody knows, infinite where there are none.
    hidden, fixed : ndarray of bool, shape (n_entries,)
        Entries that are not published; entries that are public already.
    known : csr_array of shape (n_known, n_cells)
        Further sums that are public, such as those of earlier releases.
    moves : list of ndarray
        Changes of the cells that leave all that is published as it is.
    """

    members: sparse.csr_array
    cells: NDArray[np.float64]
    most: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    known: sparse.csr_array
    moves: list[NDArray[np.float64]] = field(default_factory=list)

    def reach(
        self, target: NDArray[np.float64], by: float, own: NDArray[np.float64]
    ) -> float:
        """Return how far a sum can be off for a reader, in units of `by`, at most 2."""
        rows = sparse.vstack([self.members[np.flatnonzero(~self.hidden)], self.known])
        size, sign = abs(by), np.sign(by)
        wide = np.column_stack([own - self.cells, self.most - self.cells]) / size
        solved = linprog(
            -sign * target,
            A_ub=sparse.csr_array(sign * target[None, :]),
            b_ub=[2.0],
            A_eq=rows if rows.shape[0] else None,
            b_eq=np.zeros(rows.shape[0]) if rows.shape[0] else None,
            bounds=wide,
            method="highs",
        )
        return float(-solved.fun) if solved.status == 0 else 0.0

    def allows(self, moved: NDArray[np.float64], slack: float) -> bool:
        """Return whether all that is published stays as it is after a move."""
        shown = np.abs(self.members @ moved)[~self.hidden]
        return bool((shown <= slack).all() and (abs(self.known @ moved) <= slack).all())

    def is_shown(
        self, target: NDArray[np.float64], by: float, own: NDArray[np.float64]
    ) -> bool:
        """Return whether a known move proves that a sum can be off by so much."""
        if not self.moves:
            return False
        slack = TOLERANCE * abs(by)
        moves = np.stack(self.moves)
        reach = moves @ target
        some = np.flatnonzero(np.abs(reach) > TOLERANCE * np.abs(moves).max(axis=1))
        some = some[np.argsort(-np.abs(reach[some]), kind="stable")]
        scaled = moves[some] * (by / reach[some])[:, None]
        inside = (scaled >= own - self.cells - slack).all(axis=1)
        inside &= (scaled <= self.most - self.cells + slack).all(axis=1)
        return any(self.allows(scaled[row], slack) for row in np.flatnonzero(inside))

    def protect(
        self,
        target: NDArray[np.float64],
        by: float,
        own: NDArray[np.float64],
        cost: NDArray[np.float64],
    ) -> None:
        """Hide the cheapest entries that let a sum be off by so much.

        Raises
        ------
        ArgumentError
            If what is public gives the sum away.
        """
        n_cells, n = self.members.shape[1], self.members.shape[0]
        price = np.where(self.hidden, 0.0, cost)
        coarse = self.members[np.arange(n_cells, n)]
        closed = self.fixed & ~self.hidden
        up = np.where(closed[:n_cells], 0.0, self.most - self.cells)
        down = np.where(closed[:n_cells], 0.0, self.cells - own)
        free = np.where(closed[n_cells:], 0.0, np.inf)
        one = sparse.eye_array(n - n_cells)
        none = sparse.csr_array((self.known.shape[0], n - n_cells))
        wanted = sparse.csr_array(target[None, :])
        blank = sparse.csr_array((1, n - n_cells))
        system = sparse.block_array(
            [
                [coarse, -coarse, -one, one],
                [self.known, -self.known, none, none],
                [wanted, -wanted, blank, blank],
            ]
        )
        right = np.zeros(system.shape[0])
        right[-1] = np.sign(by)
        most = np.concatenate([up, np.maximum(down, 0.0), free, free]) / abs(by)
        solved = linprog(
            np.concatenate([price[:n_cells]] * 2 + [price[n_cells:]] * 2),
            A_eq=system,
            b_eq=right,
            bounds=np.column_stack([np.zeros(len(most)), most]),
            method="highs",
        )
        if solved.status != 0:
            raise ArgumentError(GIVEN_AWAY, GIVEN_AWAY_TEXT)
        moved = solved.x[:n_cells] - solved.x[n_cells : 2 * n_cells]
        moved[np.abs(moved) < TOLERANCE / 10] = 0.0
        self.hidden |= np.abs(self.members @ moved) > TOLERANCE
        self.moves.append(moved * abs(by))
