"""Rules that say which sums give away what one contributor did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_number

#: Why an entry is hidden, by its code; codes are those of the SDMX code list
#: CL_CONF_STATUS: free, small counts, confidential, secondary.
REASONS = (
    "",
    "fewer contributors than the least",
    "one or few contributors dominate",
    "a contributor can estimate another too closely",
    "named as secret",
    "another hidden figure could be computed from it",
)
FREE, FEW, DOMINATED, CLOSE, NAMED, SECONDARY = range(len(REASONS))
STATUS = ("F", "A", "C", "C", "C", "D")
#: A count is not exact where it could be one more or one less.
ONE = 1.0


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules of primary secrecy, and how far a secret sum is protected.

    Parameters
    ----------
    min_traders : int, default=5
        A figure of fewer contributors is secret.
    dominance : tuple of (int, float), default=((1, 0.75), (2, 0.85))
        A sum is secret if its n largest contributors make up more than this share.
    p_percent : float, default=10.0
        A sum is secret if the second largest contributor can estimate the largest
        within this percentage; an attacker's interval of a secret sum reaches at least
        this percentage of its largest part above and below.

    Raises
    ------
    ArgumentError
        If a rule is outside what is allowed.

    Examples
    --------
    >>> from smartrisk.disclosure import Rules
    >>> Rules(min_traders=3).p_percent
    10.0
    """

    min_traders: int = 5
    dominance: tuple[tuple[int, float], ...] = ((1, 0.75), (2, 0.85))
    p_percent: float = 10.0

    def __post_init__(self) -> None:
        """Check the rules."""
        check_number("Rules", "min_traders", self.min_traders, low=1, integer=True)
        check_number("Rules", "p_percent", self.p_percent, low=0, high=100)
        wrong = [
            pair
            for pair in self.dominance
            if len(pair) != 2 or pair[0] < 1 or not 0 < pair[1] <= 1
        ]
        if wrong:
            raise ArgumentError(
                "disclosure.dominance_not_pairs",
                "Rules: 'dominance' must hold pairs of a number from 1 on and a share "
                "above 0 up to 1; got {pairs}. Write it as ((1, 0.75), (2, 0.85)).",
                pairs=repr(wrong),
            )
        pairs = tuple((int(n), float(share)) for n, share in self.dominance)
        object.__setattr__(self, "dominance", pairs)


@dataclass(frozen=True, eq=False)
class Contributions:
    """Who stands behind each entry.

    Attributes
    ----------
    total, n : ndarray of float64, shape (n_entries,)
        The sum of an entry, and how many contributors have a part of it.
    largest : ndarray of float64, shape (n_entries, n_largest)
        Largest parts, falling; 0 where there are no more.
    second : ndarray of int, shape (n_entries,)
        Contributor with the second-largest part; -1 where there is none.
    """

    total: NDArray[np.float64]
    n: NDArray[np.int64]
    largest: NDArray[np.float64]
    second: NDArray[np.int64]


def primary_reasons(
    rules: Rules, parts: Contributions, *, count: bool, named: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return the place in `REASONS` of each entry: the first rule that it breaks."""
    reason = np.where(named, NAMED, FREE).astype(np.int8)
    some = parts.n > 0
    if not count:
        first, second = parts.largest[:, 0], parts.largest[:, 1]
        rest = parts.total - first - second
        reason[some & (rest < rules.p_percent / 100 * first)] = CLOSE
        for n, share in rules.dominance:
            top = parts.largest[:, :n].sum(axis=1)
            reason[some & (top > share * parts.total)] = DOMINATED
    reason[some & (parts.n < rules.min_traders)] = FEW
    return reason


def protection(
    rules: Rules, parts: Contributions, *, count: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far an attacker's interval reaches above and below each entry."""
    need = rules.p_percent / 100 * parts.largest[:, 0]
    if count:
        need = np.maximum(need, ONE)
    return need, np.minimum(need, parts.total)
