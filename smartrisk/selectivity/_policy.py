"""Scores and a capacity become decisions, each with its exact propensity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_choice, check_number
from smartrisk.schema import KEY

_RANK_BY = ("risk_score", "expected_revenue", "blend")
_PER = ("office", "day")
Bool = NDArray[np.bool_]
Float = NDArray[np.float64]
UInt = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A scored way of choosing what to control under a limited capacity.

    Parameters
    ----------
    capacity : float, int or mapping, default=0.05
        Share of the items in [0, 1] as a float, number of items as an integer, or,
        with `per`, a mapping from group to number of items. A share gives
        ``floor(share * n + 0.5)`` items.
    rank_by : str, default="risk_score"
        "risk_score", "expected_revenue" or "blend".
    blend : float, default=0.5
        Weight of the risk rank against the revenue rank when blended.
    random_share : float, default=0.1
        Share of the capacity drawn at random before the model is asked.
    per : tuple of str, default=()
        "office", "day" or both: the capacity is spread over these groups by size.
    red_share : float, default=0.5
        Share of the controls that are physical (red); the others are documentary
        (yellow).
    blue_share : float, default=0.0
        Share of the items that are released now and checked after clearance (blue):
        the best ranked of those not controlled. They use no capacity.
    random_state : int, default=0
        Seed of the random share and of ties.
    version : str, default="1"
        Name of this policy in the decisions.

    Notes
    -----
    Mandatory items come first and use capacity; when they exceed it all of them are
    still controlled and nothing else is. The random share is drawn from the other
    items by a keyed hash of their key: it does not depend on scores or row order.
    Then the model takes the best of the rest. With N items to choose from, r drawn
    at random and q taken by the model, the item on model rank j (from 0) is selected
    with probability ``r/N + (1 - r/N) * P(X > j - q)``, X hypergeometric: the number
    drawn at random among the j items ranked before it. `selected_by` and `propensity`
    speak of controls before release; blue items have none.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import Policy
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> Policy(capacity=2, random_share=0.0).select(scores)["channel"].tolist()
    ['green', 'red', 'yellow', 'green']
    """

    capacity: float | int | Mapping[Any, int] = 0.05
    rank_by: str = "risk_score"
    blend: float = 0.5
    random_share: float = 0.1
    per: str | tuple[str, ...] = ()
    red_share: float = 0.5
    blue_share: float = 0.0
    random_state: int = 0
    version: str = "1"

    def __post_init__(self) -> None:
        _check_capacity(self.capacity)
        check_choice("Policy", "rank_by", self.rank_by, _RANK_BY)
        for name in ("blend", "random_share", "red_share", "blue_share"):
            check_number("Policy", name, getattr(self, name), low=0.0, high=1.0)
        per = (self.per,) if isinstance(self.per, str) else tuple(self.per or ())
        for name in per:
            check_choice("Policy", "per", name, _PER)
        object.__setattr__(self, "per", per)
        if isinstance(self.capacity, Mapping) and not per:
            raise ArgumentError("Policy: a mapping as 'capacity' needs 'per'.")

    def select(
        self,
        scores: pd.DataFrame,
        *,
        declarations: pd.DataFrame | None = None,
        mandatory: Any = None,
    ) -> pd.DataFrame:
        """Decide on items together.

        Parameters
        ----------
        scores : DataFrame
            SCORES of the items.
        declarations : DataFrame, default=None
            DECLARATIONS aligned with `scores`; needed for `per`.
        mandatory : array-like of bool, default=None
            Items that must be controlled whatever their score.

        Returns
        -------
        decisions : DataFrame
            DECISIONS, in the order and with the index of `scores`.

        Raises
        ------
        TableError
            If a score is missing or a column is absent.
        """
        n = len(scores)
        must = _mask(mandatory, scores)
        value = self._value(scores)
        lots = hashes(scores, self.random_state)
        out = _Draft(n)
        for rows, k in self._groups(scores, declarations):
            self._decide(rows, k, (must[rows], value[rows], lots[rows]), out)
        keys = scores.loc[:, [name for name in KEY if name in scores]].copy()
        keys["channel"] = out.channel
        selected = pd.Series(out.selected_by, index=scores.index, dtype="str")
        keys["selected_by"] = selected
        keys["propensity"] = out.propensity
        keys["rank"] = out.ranks(value, lots)
        keys["policy_version"] = self.version
        return keys

    def _value(self, scores: pd.DataFrame) -> Float:
        """Return what is ranked by, the greater the sooner."""
        if self.rank_by != "blend":
            return _column(scores, self.rank_by)
        risk = pd.Series(_column(scores, "risk_score")).rank(pct=True)
        revenue = pd.Series(_column(scores, "expected_revenue")).rank(pct=True)
        blended = self.blend * risk + (1 - self.blend) * revenue
        return np.asarray(blended, np.float64)

    def _groups(
        self, scores: pd.DataFrame, declarations: pd.DataFrame | None
    ) -> list[tuple[NDArray[np.intp], int]]:
        """Return rows and number of controls of every group."""
        n = len(scores)
        if not self.per:
            return [(np.arange(n), _count(self.capacity, n))]
        if declarations is None or len(declarations) != n:
            raise ArgumentError(
                f"Policy: 'per' {self.per!r} needs the declarations of the "
                f"{n} items, aligned with the scores."
            )
        labels = _labels(declarations, tuple(self.per))
        codes, names = pd.factorize(labels, sort=True)
        rows = (
            [np.flatnonzero(codes == g) for g in range(len(names))]
            if len(names) < 50
            else _split(codes, len(names))
        )
        if isinstance(self.capacity, Mapping):
            counts = [
                min(int(self.capacity.get(g, 0)), len(r))
                for g, r in zip(names, rows, strict=True)
            ]
        else:
            sizes = np.array([len(r) for r in rows])
            counts = _spread(_count(self.capacity, n), sizes)
        return list(zip(rows, counts, strict=True))

    def _decide(
        self,
        rows: NDArray[np.intp],
        k: int,
        given: tuple[Bool, Float, UInt],
        out: _Draft,
    ) -> None:
        """Decide on one group with k controls."""
        must, value, hashes = given
        forced, free = rows[must], rows[~must]
        left = max(k - len(forced), 0)
        drawn = min(math.floor(self.random_share * k + 0.5), left)
        taken = min(left - drawn, len(free) - drawn)
        out.take(forced, "mandatory", self.red_share)
        out.propensity[forced] = 1.0
        if not len(free):
            return
        # Two independent orders from one hash: high bits draw, a rotation breaks ties.
        lot, tie = hashes[~must], _rotated(hashes[~must])
        by_lot = np.argsort(lot, kind="stable")
        by_model = np.lexsort((tie, -value[~must]))
        at_random = np.zeros(len(free), bool)
        at_random[by_lot[:drawn]] = True
        undrawn = by_model[~at_random[by_model]]
        out.take(free[undrawn[:taken]], "model", self.red_share)
        out.take(free[by_lot[:drawn]], "random", self.red_share)
        after = math.floor(self.blue_share * len(rows) + 0.5)
        out.channel[free[undrawn[taken : taken + after]]] = "blue"
        out.propensity[free[by_model]] = inclusion(len(free), drawn, taken)


def select(
    scores: pd.DataFrame,
    capacity: Any = 0.05,
    *,
    declarations: pd.DataFrame | None = None,
    mandatory: Any = None,
    policy: Policy | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Decide on items together under a capacity.

    Parameters
    ----------
    scores : DataFrame
        SCORES of the items.
    capacity : float, int or mapping, default=0.05
        Share of the items as a float, their number as an integer.
    declarations : DataFrame, default=None
        DECLARATIONS aligned with `scores`; needed for `per`.
    mandatory : array-like of bool, default=None
        Items that must be controlled whatever their score.
    policy : Policy, default=None
        Policy to take the other options from; None for the default.
    **options : object
        Fields of `Policy`.

    Returns
    -------
    decisions : DataFrame
        DECISIONS, in the order and with the index of `scores`.

    See Also
    --------
    Policy : The options, and how ties and chance are handled.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import select
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> select(scores, 1, random_share=0.0)["selected_by"].notna().tolist()
    [False, True, False, False]
    """
    made = replace(policy or Policy(), capacity=capacity, **options)
    return made.select(scores, declarations=declarations, mandatory=mandatory)


class _Draft:
    """Decisions while they are made."""

    def __init__(self, n: int) -> None:
        self.channel = np.full(n, "green", dtype=object)
        self.selected_by = np.full(n, None, dtype=object)
        self.propensity = np.zeros(n)

    def take(self, rows: Any, by: str, red_share: float) -> None:
        """Control rows, best first."""
        red = math.floor(red_share * len(rows) + 0.5)
        self.channel[rows[:red]] = "red"
        self.channel[rows[red:]] = "yellow"
        self.selected_by[rows] = by

    def ranks(self, value: Float, hashes: UInt) -> NDArray[np.int64]:
        """Rank all items: mandatory, model, random, released; by score within."""
        place = {"mandatory": 0, "model": 1, "random": 2, None: 3}
        order = np.array([place[by] for by in self.selected_by], dtype=np.int64)
        rank = np.empty(len(order), np.int64)
        rank[np.lexsort((_rotated(hashes), -value, order))] = np.arange(
            1, len(order) + 1
        )
        return rank


def inclusion(n: int, drawn: int, taken: int) -> Float:
    """Return the probability of selection by model rank.

    Parameters
    ----------
    n : int
        Items to choose from.
    drawn : int
        Items drawn at random first.
    taken : int
        Items then taken by the model from the rest.

    Returns
    -------
    probability : ndarray of shape (n,)
        Of the item on each model rank, the best first; sums to drawn + taken.

    Examples
    --------
    >>> from smartrisk.selectivity import inclusion
    >>> inclusion(4, 1, 1).round(3).tolist()
    [1.0, 0.5, 0.25, 0.25]
    """
    from scipy.stats import hypergeom

    out = np.full(n, drawn / n)
    out[:taken] = 1.0
    if drawn and taken:
        rank = np.arange(taken, min(taken + drawn, n))
        more = hypergeom.sf(rank - taken, n - 1, rank, drawn)
        out[rank] = drawn / n + (1 - drawn / n) * more
    return out


def _check_capacity(capacity: Any) -> None:
    if isinstance(capacity, Mapping):
        for value in capacity.values():
            check_number("Policy", "capacity", value, low=0, integer=True)
        return
    whole = isinstance(capacity, (int, np.integer)) and not isinstance(capacity, bool)
    good = whole and capacity >= 0
    if isinstance(capacity, (float, np.floating)):
        good = bool(0.0 <= capacity <= 1.0)
    if not good:
        raise ArgumentError(
            "Policy: 'capacity' must be a share in [0, 1] or a whole number not below "
            f"0; got {capacity!r}. To inspect everything pass 1.0."
        )


def _count(capacity: Any, n: int) -> int:
    if isinstance(capacity, (float, np.floating)):
        return min(math.floor(float(capacity) * n + 0.5), n)
    return min(int(capacity), n)


def _spread(k: int, sizes: NDArray[np.int64]) -> list[int]:
    """Spread k over groups by size, by the largest remainder; the sum is exact."""
    exact = k * sizes / max(sizes.sum(), 1)
    base = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - base), kind="stable")
    base[order[: k - int(base.sum())]] += 1
    return [int(b) for b in base]


def _split(codes: NDArray[np.intp], n: int) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(1, n))
    return list(np.split(order, edges))


def _labels(declarations: pd.DataFrame, per: tuple[str, ...]) -> Any:
    parts = []
    for name in per:
        if name == "day":
            parts.append(declarations["lodged_at"].dt.strftime("%Y-%m-%d"))
        elif name in declarations:
            parts.append(declarations[name].fillna("").astype("str"))
        else:
            raise TableError(f"Policy: 'per' needs the column {name!r}; it is absent.")
    if len(parts) == 1:
        return parts[0].to_numpy(object)
    return (parts[0] + " " + parts[1]).to_numpy(object)


def _column(scores: pd.DataFrame, name: str) -> Float:
    if name not in scores:
        raise TableError(f"SCORES: the column {name!r} is missing; rank by another.")
    values = scores[name].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise TableError(
            f"SCORES: {name!r} is missing or infinite in {bad} items. Score them "
            "first, or leave them out."
        )
    return values


def _mask(mandatory: Any, scores: pd.DataFrame) -> Bool:
    if mandatory is None:
        return np.zeros(len(scores), bool)
    mask = np.asarray(mandatory)
    if mask.dtype != bool or mask.shape != (len(scores),):
        raise ArgumentError(
            f"select: 'mandatory' must be {len(scores)} booleans, one per item; got "
            f"{mask.dtype} of shape {mask.shape}."
        )
    return mask


def hashes(scores: pd.DataFrame, random_state: int) -> UInt:
    """Return a number per item that depends on its key and the seed alone."""
    ids = pd.util.hash_array(
        np.asarray(scores["declaration_id"], dtype=object), categorize=False
    )
    number = np.ones(len(scores), np.uint64)
    if "item_number" in scores:
        number = scores["item_number"].to_numpy(np.int64).view(np.uint64)
    seed = np.random.SeedSequence(random_state).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = ids + number * np.uint64(0x9E3779B97F4A7C15) + seed
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UInt = z ^ (z >> np.uint64(31))
    return mixed


def _rotated(hashes: UInt) -> UInt:
    """Return another order of the same hashes, independent of the first."""
    with np.errstate(over="ignore"):
        z = hashes * np.uint64(0xD1342543DE82EF95)
    turned: UInt = (z >> np.uint64(32)) | (z << np.uint64(32))
    return turned
