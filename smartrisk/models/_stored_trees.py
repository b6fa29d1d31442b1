"""Whether the trees of scikit-learn in an estimator that was read are trees.

scikit-learn believes the arrays of its trees: a wrong child or feature ends the process
or never returns. So they are looked at before anything is predicted.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArtefactError

#: The child of a leaf (``sklearn.tree._tree.TREE_LEAF``).
_NO_CHILD = -1


def check_stored_trees(estimator: Any, owner: str) -> None:
    """Raise unless every tree of scikit-learn in an estimator can be walked through.

    Parameters
    ----------
    estimator : estimator
        As it was read.
    owner : str
        Name of the calling function, for messages.

    Raises
    ------
    ArtefactError
        If a child or a feature of a node lies where there is none.
    """
    left, seen = [estimator], set()
    while left:
        part = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        name = f"{type(part).__module__}.{type(part).__name__}"
        if name == "sklearn.tree._tree.Tree":
            _check_tree(part, owner)
        elif name.endswith("_hist_gradient_boosting.predictor.TreePredictor"):
            _check_predictor(part, owner)
        else:
            left.extend(_members(part))


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


def _check_tree(tree: Any, owner: str) -> None:
    """Check a tree of `sklearn.tree`."""
    nodes = tree.__getstate__()["nodes"]
    if tree.node_count != len(nodes) or len(tree.value) != len(nodes):
        _refuse(owner, "a tree states another number of nodes than it has")
    inner = nodes["left_child"] != _NO_CHILD
    _check_nodes(
        owner,
        nodes["left_child"][inner],
        nodes["right_child"][inner],
        np.flatnonzero(inner),
        len(nodes),
    )
    _check_features(owner, nodes["feature"][inner], tree.n_features)


def _check_predictor(predictor: Any, owner: str) -> None:
    """Check a tree of histogram gradient boosting."""
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    _check_nodes(
        owner,
        nodes["left"][inner].astype(np.int64),
        nodes["right"][inner].astype(np.int64),
        np.flatnonzero(inner),
        len(nodes),
    )
    codes = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    sets = predictor.raw_left_cat_bitsets
    if len(codes) and codes.max() >= len(sets):
        _refuse(owner, "a node of a tree has no set of codes")


def _check_nodes(
    owner: str,
    left: NDArray[Any],
    right: NDArray[Any],
    own: NDArray[Any],
    n_nodes: int,
) -> None:
    """Raise unless every node but the root is the child of one earlier node."""
    children = np.concatenate([left, right])
    after = (children > np.concatenate([own, own])) & (children < n_nodes)
    if not n_nodes or not after.all() or len(np.unique(children)) != n_nodes - 1:
        _refuse(owner, "the nodes of a tree do not form one")


def _check_features(owner: str, features: NDArray[Any], n_features: int) -> None:
    """Raise unless every node splits a feature that there is."""
    if len(features) and not 0 <= features.min() <= features.max() < n_features:
        _refuse(owner, "a node of a tree splits a feature that there is not")


def _refuse(owner: str, problem: str) -> NoReturn:
    """Raise with what is wrong."""
    raise ArtefactError(
        "models.stored_tree_damaged",
        "{owner}: a model of scikit-learn is damaged: {problem}. Restore a copy.",
        owner=owner,
        problem=problem,
    )
