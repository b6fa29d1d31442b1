"""What each member of the classifier is trained with.

Reads the parameters of an estimator; writes recipes, parameters of LightGBM with a
number of trees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_sequence, format_values
from smartrisk.models._boosting import count_threads, data_seed

#: The members that are trees, in the order in which they are trained and listed.
TREES = ("boosting", "forest", "extra_trees")
#: Leaves of a tree of the boosting by the number of hits from which on it has them:
#: with fewer labels larger trees fit noise, and take twice as long to explain.
_LEAVES_FROM = {0: 7, 250: 15, 1_500: 31}
LEAVES = _LEAVES_FROM[0]
#: All members; the last is no tree and needs no results.
MEMBERS = (*TREES, "signals")
#: Hits at which the boosting counts half as much as each of the others: with fewer
#: hits it is the weakest of the three, with some hundred they are equal.
_HALF = 60.0
#: Hits at which the boosting counts twice as much as the extra trees, and the forest
#: half as much: the more results there are, the more a member can learn that corrects
#: itself, while a mean over trees has too few leaves for it. With 2,000 hits the blend
#: found .02 less than the boosting alone while the three were equal.
_MANY = 700.0
#: Parameters of the forest: deep trees, each on other items and few features. The time
#: of a reason grows with leaves and depth: with 63 leaves of any depth it is six times
#: as long, and precision at 5 % of items the same to within .005. So it is with the
#: constraints of `monotone` and without. Depth 5 with all its trees costs as much as
#: 60 trees of depth 6, and .002 more of the average precision. Leaves of 5 items
#: instead of 10 raise it by .002; 31 leaves instead of 24 do not, and a reason takes a
#: quarter longer.
_FOREST: dict[str, Any] = {
    "boosting": "rf",
    "num_leaves": 24,
    "max_depth": 6,
    "min_data_in_leaf": 5,
    "bagging_fraction": 0.63,
    "bagging_freq": 1,
}
#: Share of the features that a tree of the boosting or of the forest may use, so that
#: trees differ: with two fifths the boosting alone finds .012 less at 150 hits, and
#: takes longer to train.
_FEATURE_SHARE = 0.2
#: Features that such a tree has at least: with a fifth of a few features it would have
#: one, and no tree could learn what two of them mean together.
_FEWEST_FEATURES = 8
#: Parameters of the boosting whose thresholds are drawn at random, so that it errs
#: otherwise than the first one. 31 leaves of any depth and twice the trees at half the
#: step are no better, and take five times as long to explain; 15 are no better than 12.
#: A hundred of depth 5 at a step of .09 take less, but planted kinds are then named
#: less often among the three reasons: in .927 of 574 items.
_EXTRA_TREES = {
    "extra_trees": True,
    "learning_rate": 0.06,
    "num_leaves": 12,
    "max_depth": 6,
    "feature_fraction": 0.5,
    "lambda_l2": 10.0,
    "min_data_in_leaf": 10,
}
#: Trees of each member per tree of the boosting, so that one number sets the size. The
#: forest takes the longest to explain: it has 60 trees for 150 of the others, where it
#: had 100.
_TREES_PER_TREE = {"forest": 0.4, "extra_trees": 1}
#: Times as few trees, with times as long steps, for scores out of time: these decide
#: the scale and the calibration only.
_QUICKER = 3
#: Items by which LightGBM smooths the hit rate of a code before it sorts the codes.
#: Twice its default of 10: at one hit in twenty, ten items mostly hold no hit.
_CODE_SMOOTHING = 20.0
#: Items that the bounds of the bins are found on: on 95,000 items of 200 features the
#: binning takes half as long as on all, which is LightGBM's default up to 200,000.
_BIN_SAMPLE = 20_000


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one member is trained.

    Parameters
    ----------
    name : str
        One of `TREES`.
    n_trees : int
        Number of trees.
    params : dict
        Parameters of LightGBM.
    """

    name: str
    n_trees: int
    params: dict[str, Any]

    def quicker(self) -> Recipe:
        """Return the recipe of nearly the same scores from fewer trees."""
        params = dict(self.params)
        if self.name != "forest":
            params["learning_rate"] = min(1.0, _QUICKER * params["learning_rate"])
        return replace(self, n_trees=-(-self.n_trees // _QUICKER), params=params)

    def of_part(self, n_items: int) -> Recipe:
        """Return the recipe for so many of the items."""
        least = min(self.params["min_data_in_leaf"], smallest_leaf(n_items))
        return replace(self, params=self.params | {"min_data_in_leaf": least})


def smallest_leaf(n_items: int) -> int:
    """Return a tenth of the items: small samples can be split with it at all."""
    return max(1, n_items // 10)


def common_params(random_state: int, n_threads: int) -> dict[str, Any]:
    """Return the parameters of LightGBM that every member has."""
    return {
        "objective": "binary",
        "cat_smooth": _CODE_SMOOTHING,
        "deterministic": True,
        "force_col_wise": True,
        "bin_construct_sample_cnt": _BIN_SAMPLE,
        "seed": random_state,
        "data_random_seed": data_seed(random_state),
        "num_threads": n_threads,
        "verbosity": -1,
    }


def make_boosting(
    settings: Mapping[str, Any],
    hits: NDArray[np.float64],
    monotone: Sequence[int],
    n_features: int,
) -> Recipe:
    """Return how the boosting is trained.

    Parameters
    ----------
    settings : mapping of str to any
        Parameters of the estimator.
    hits : ndarray of shape (n_items,)
        1 for a hit, 0 for none.
    monotone : sequence of int
        Sign of each feature, empty for none.
    n_features : int
        Number of features.
    """
    n_items = len(hits)
    n_hits = hits.sum()
    leaves = max(leaves for least, leaves in _LEAVES_FROM.items() if n_hits >= least)
    n_threads = count_threads(settings["n_jobs"], n_items)
    params = common_params(settings["random_state"], n_threads) | {
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["num_leaves"] or leaves,
        "feature_fraction": settings["feature_fraction"] or _feature_share(n_features),
        "min_data_in_leaf": min(settings["min_child_items"], smallest_leaf(n_items)),
        "lambda_l2": settings["l2"],
    }
    if any(monotone):
        params["monotone_constraints"] = list(monotone)
    return Recipe(name="boosting", n_trees=settings["n_estimators"], params=params)


def _feature_share(n_features: int) -> float:
    """Return the share of the features that each tree may use."""
    return max(_FEATURE_SHARE, min(1.0, _FEWEST_FEATURES / n_features))


def make_recipes(
    names: Sequence[str],
    boosting: Recipe,
    *,
    n_items: int,
    n_features: int,
    codes: Sequence[int],
) -> tuple[Recipe, ...]:
    """Return how each member is trained.

    Parameters
    ----------
    names : sequence of str
        The members.
    boosting : Recipe
        Of the first member, from the parameters of the estimator.
    n_items, n_features : int
        Shape of the matrix.
    codes : sequence of int
        Positions of codes: the forest and the extra trees do not split by them.
    """
    shared = {
        key: boosting.params[key]
        for key in (*common_params(0, 1), "monotone_constraints")
        if key in boosting.params
    }
    if codes:
        closed = set(codes)
        shared["feature_contri"] = [float(k not in closed) for k in range(n_features)]
    n_trees = {
        name: math.ceil(share * boosting.n_trees)
        for name, share in _TREES_PER_TREE.items()
    }
    share = {"feature_fraction": _feature_share(n_features)}
    recipes = {
        "boosting": boosting,
        "forest": Recipe(
            name="forest", n_trees=n_trees["forest"], params=shared | _FOREST | share
        ),
        "extra_trees": Recipe(
            name="extra_trees",
            n_trees=n_trees["extra_trees"],
            params=shared | _EXTRA_TREES,
        ),
    }
    chosen = tuple(recipes[name] for name in TREES if name in names)
    if list(names) == ["boosting"]:
        return chosen
    # A feature that no leaf of one member could hold is still one of another.
    return tuple(
        replace(r, params=r.params | {"feature_pre_filter": False}).of_part(n_items)
        for r in chosen
    )


def member_weights(names: Sequence[str], n_hits: float) -> dict[str, float]:
    """Return the weight of each member, which sum to 1.

    For each part of the extra trees, the boosting has ``h / (h + 60) * g`` parts for
    ``h`` hits, and the forest ``1 / g``, where ``g = 1 + (h / 700) ** 2``.
    """
    parts = dict.fromkeys(names, 1.0)
    growth = 1.0 + (n_hits / _MANY) ** 2
    if "boosting" in parts and len(parts) > 1:
        parts["boosting"] = n_hits / (n_hits + _HALF) * growth
    if "forest" in parts:
        parts["forest"] = 1.0 / growth
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}


def check_members(owner: str, members: Sequence[str]) -> None:
    """Raise unless `members` names some of the members, each once."""
    check_sequence(owner, "members", members, content="names of members")
    known = [name for name in MEMBERS if name in list(members)]
    if len(known) == len(members) > 0:
        return
    raise ArgumentError(
        "models.members_unknown",
        "{owner}: 'members' must name one or more of {known}, each once; got {given}.",
        owner=owner,
        known=format_values(list(MEMBERS)),
        given=repr(tuple(members)),
    )
