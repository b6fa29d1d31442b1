"""Whether the trees of scikit-learn in an estimator that was read are trees.

scikit-learn believes the arrays of its trees: a wrong child or feature ends the process
or never returns. So they are looked at before anything is predicted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArtefactError

#: The child of a leaf (``sklearn.tree._tree.TREE_LEAF``).
_NO_CHILD = -1
_NO_FEATURE = "a node of a tree splits a feature that there is not"


def check_stored_trees(estimator: Any, owner: str, name: str) -> None:
    """Raise unless every tree of scikit-learn in an estimator can be walked through.

    Parameters
    ----------
    estimator : estimator
        As it was read.
    owner : str
        Name of the calling function, for messages.
    name : str
        Name of the file that held it, for messages.

    Raises
    ------
    ArtefactError
        If a child or a feature of a node lies where there is none.
    """
    left: list[tuple[Any, int | None]] = [(estimator, None)]
    seen = set()
    while left:
        part, n_features = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        n_features = _count_features(part, n_features)
        kind = f"{type(part).__module__}.{type(part).__name__}"
        problem = None
        if kind == "sklearn.tree._tree.Tree":
            problem = _check_tree(part, n_features)
        elif kind.endswith("_hist_gradient_boosting.predictor.TreePredictor"):
            problem = _check_predictor(part, n_features)
        else:
            left.extend((member, n_features) for member in _members(part))
        if problem is not None:
            raise ArtefactError(
                "models.stored_tree_damaged",
                "{owner}: the model in {name!r} is damaged: {problem}. Restore a copy.",
                owner=owner,
                name=name,
                problem=problem,
            )


def _count_features(part: Any, outer: int | None) -> int | None:
    """Return how many columns a part is given: as it states, or as its owner does.

    Boosted trees are given the columns of their owner, whatever they state themselves.
    """
    stated = getattr(part, "__dict__", {}).get("n_features_in_")
    if not isinstance(stated, int | np.integer):
        return outer
    is_tree = type(part).__module__.startswith("sklearn.tree.")
    return min(int(stated), outer) if is_tree and outer is not None else int(stated)


def _members(part: Any) -> list[Any]:
    """Return what a part holds, where it can hold trees."""
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple):
        return list(part)
    if isinstance(part, np.ndarray):
        return list(part.flat) if part.dtype == object else []
    is_plain = isinstance(part, str | bytes | int | float | type)
    return [] if is_plain else list(getattr(part, "__dict__", {}).values())


def _check_tree(tree: Any, n_features: int | None) -> str | None:
    """Return what is wrong with a tree of `sklearn.tree`."""
    nodes = tree.__getstate__()["nodes"]
    if tree.node_count != len(nodes) or len(tree.value) != len(nodes):
        return "a tree states another number of nodes than it has"
    inner = nodes["left_child"] != _NO_CHILD
    features = nodes["feature"][inner]
    most = min(tree.n_features, n_features or tree.n_features)
    if len(features) and not 0 <= features.min() <= features.max() < most:
        return _NO_FEATURE
    left, right = nodes["left_child"][inner], nodes["right_child"][inner]
    return _check_nodes(left, right, np.flatnonzero(inner), len(nodes))


def _check_predictor(predictor: Any, n_features: int | None) -> str | None:
    """Return what is wrong with a tree of histogram gradient boosting."""
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    features = nodes["feature_idx"][inner]
    if len(features) and not 0 <= features.min() <= features.max() < (n_features or 0):
        return _NO_FEATURE
    codes = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    if len(codes) and codes.max() >= len(predictor.raw_left_cat_bitsets):
        return "a node of a tree has no set of codes"
    left, right = (nodes[side][inner].astype(np.int64) for side in ("left", "right"))
    return _check_nodes(left, right, np.flatnonzero(inner), len(nodes))


def _check_nodes(
    left: NDArray[Any], right: NDArray[Any], own: NDArray[Any], n_nodes: int
) -> str | None:
    """Return what is wrong where a node is not the child of one earlier node."""
    children = np.concatenate([left, right])
    after = (children > np.concatenate([own, own])) & (children < n_nodes)
    if not n_nodes or not after.all() or len(np.unique(children)) != n_nodes - 1:
        return "the nodes of a tree do not form one"
    return None
