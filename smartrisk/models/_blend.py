"""The fitted members of a classifier, and their blend: one raw score, explained.

A member is anything with a name, a number of trees, centre, spread and weight, `raw`,
`contributions`, `text` and `to_plain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from smartrisk.models._signals import SignalScore

Float = NDArray[np.float64]

#: Spread below which the raw scores of a member are all the same.
_NO_SPREAD = 1e-12


class Member(Protocol):
    """What a blend asks of its members."""

    @property
    def name(self) -> str:
        """Name, such as "forest"."""
        ...

    @property
    def n_trees(self) -> int:
        """Number of trees, 0 for none."""
        ...

    @property
    def centre(self) -> float:
        """Mean of the raw scores by which they are centred."""
        ...

    @property
    def spread(self) -> float:
        """Standard deviation of the raw scores by which they are divided."""
        ...

    @property
    def weight(self) -> float:
        """Weight in the blend; all sum to 1."""
        ...

    @property
    def n_features(self) -> int:
        """Number of features of the matrix."""
        ...

    def raw(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return the raw score of each item, shape (n_items,)."""
        ...

    def contributions(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return what each feature adds, shape (n_items, n_features + 1), base last."""
        ...

    def text(self) -> str | None:
        """Return the trees as text, None without any."""
        ...

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the text as plain values for JSON."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeMember:
    """A member that consists of LightGBM's trees.

    Parameters
    ----------
    name : str
        Name of the member.
    booster : lightgbm.Booster
        The trees.
    n_trees : int
        How many of them count.
    centre, spread : float
        Mean and standard deviation of the raw scores, log-odds.
    weight : float
        Weight in the blend.
    """

    name: str
    booster: Any
    n_trees: int
    centre: float = 0.0
    spread: float = 1.0
    weight: float = 1.0

    @property
    def n_features(self) -> int:
        """Number of features of the matrix."""
        return int(self.booster.num_feature())

    def raw(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return the log-odds of each item, shape (n_items,)."""
        return self._level(
            self.booster.predict(
                matrix,
                raw_score=True,
                num_iteration=self.n_trees,
                num_threads=n_threads,
            )
        )

    def contributions(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return tree SHAP, shape (n_items, n_features + 1), base last."""
        return self._level(
            self.booster.predict(
                matrix,
                pred_contrib=True,
                num_iteration=self.n_trees,
                num_threads=n_threads,
            )
        )

    def text(self) -> str:
        """Return all trees as LightGBM writes them."""
        return str(self.booster.model_to_string(num_iteration=-1))

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the trees as plain values."""
        return {
            "name": self.name,
            "n_trees": int(self.n_trees),
            "centre": float(self.centre),
            "spread": float(self.spread),
            "weight": float(self.weight),
        }

    def _level(self, found: Any) -> Float:
        """Return the mean over the trees of a forest: LightGBM sums them up."""
        values = np.asarray(found)
        return values / self.n_trees if self.name == "forest" else values


@dataclass(frozen=True, kw_only=True, eq=False)
class Blend:
    """Members whose raw scores are brought to one scale and averaged.

    Parameters
    ----------
    members : tuple of Member
        The members.
    level, scale : float
        What brings the mean of the standardised scores to log-odds.

    Notes
    -----
    The raw score is ``level + scale * sum(weight * (raw - centre) / spread)``. All of
    it but the raw scores is fixed at fit, so that the contributions of the members
    add up to it.
    """

    members: tuple[Member, ...]
    level: float = 0.0
    scale: float = 1.0

    @property
    def n_trees(self) -> int:
        """Number of trees of all members."""
        return sum(member.n_trees for member in self.members)

    def raw(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return the raw score of each item, shape (n_items,)."""
        return self.combine([m.raw(matrix, n_threads) for m in self.members])

    def combine(self, raws: Sequence[Float]) -> Float:
        """Return the raw score that those of the members give."""
        factors, constant = self._terms()
        total = np.full(len(raws[0]), constant)
        for factor, raw in zip(factors, raws, strict=True):
            total += factor * raw
        return total

    def contributions(self, matrix: NDArray[Any], n_threads: int) -> Float:
        """Return what each feature adds, shape (n_items, n_features + 1), base last."""
        factors, constant = self._terms()
        total = np.zeros((len(matrix), matrix.shape[1] + 1))
        for factor, member in zip(factors, self.members, strict=True):
            total += factor * member.contributions(matrix, n_threads)
        total[:, -1] += constant
        return total

    def texts(self) -> dict[str, str]:
        """Return the trees of each member that has any, by name."""
        found = {member.name: member.text() for member in self.members}
        return {name: text for name, text in found.items() if text is not None}

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the trees as plain values."""
        return {
            "members": [member.to_plain() for member in self.members],
            "level": float(self.level),
            "scale": float(self.scale),
        }

    @classmethod
    def of_one(cls, member: Member) -> Self:
        """Return the blend of one member, whose raw score it has unchanged."""
        return cls(members=(member,))

    def _terms(self) -> tuple[list[float], float]:
        """Return the factor of each member's raw score, and the constant."""
        factors = [self.scale * m.weight / m.spread for m in self.members]
        constant = self.level
        for factor, member in zip(factors, self.members, strict=True):
            constant -= factor * member.centre
        return factors, constant


def make_blend(
    members: Sequence[TreeMember | SignalScore],
    raws: Sequence[Float],
    shares: Mapping[str, float],
    weights: Float | None = None,
) -> Blend:
    """Return the blend of trained members, scaled by raw scores of some items.

    Parameters
    ----------
    members : sequence of TreeMember or SignalScore
        Members without a scale.
    raws : sequence of ndarray of shape (n_items,)
        Raw scores of the same items by each member.
    shares : mapping of str to float
        Weight of each member by name.
    weights : ndarray of shape (n_items,), default=None
        How many items each one counts for; None for 1.
    """
    if len(members) == 1:
        return Blend.of_one(members[0])
    moments = [_moments(raw, weights) for raw in raws]
    scaled = tuple(
        replace(member, centre=centre, spread=spread, weight=shares[member.name])
        for member, (centre, spread) in zip(members, moments, strict=True)
    )
    # The mean of scores that differ varies less than each: what that takes off the
    # log-odds is given back.
    _, kept = _moments(Blend(members=scaled).combine(raws), weights)
    scale = sum(m.weight * m.spread for m in scaled) / kept
    return Blend(
        members=scaled,
        level=sum(m.weight * m.centre for m in scaled),
        scale=scale,
    )


def _moments(raw: Float, weights: Float | None) -> tuple[float, float]:
    """Return mean and standard deviation; 1 for the latter where there is none."""
    mean = float(np.average(raw, weights=weights))
    spread = float(np.sqrt(np.average((raw - mean) ** 2, weights=weights)))
    return mean, spread if spread > _NO_SPREAD else 1.0
