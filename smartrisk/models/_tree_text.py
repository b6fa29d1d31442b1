"""Whether a text of LightGBM describes trees, found out before LightGBM reads it.

LightGBM believes its text: a wrong count or position ends the process or never returns.
Here every array has the length that its tree states, children form a tree, and every
feature, category and number lies where it may. What passes can still be another model
than the one that was saved: only its digest can show that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArtefactError

#: LightGBM's own bound of leaves, and of features for which it keeps tables.
_MOST_LEAVES = 131_072
_MOST_FEATURES = 10_000_000
#: Depth at which LightGBM's recursion still fits the stack of a thread. No tree with
#: fewer leaves is deeper, so that only larger ones are measured.
_MOST_DEPTH = 2_000

_REQUIRED = frozenset(
    (
        "version",
        "num_class",
        "num_tree_per_iteration",
        "label_index",
        "max_feature_idx",
        "feature_names",
        "feature_infos",
        "tree_sizes",
    )
)
_HEADER = _REQUIRED | {"objective", "average_output", "monotone_constraints"}
#: Arrays with one number for each inner node, and with one for each leaf.
_OF_NODES = (
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "internal_value",
    "internal_weight",
    "internal_count",
)
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_OF_CATEGORIES = ("cat_boundaries", "cat_threshold")
_OF_LINES = ("leaf_const", "num_features", "leaf_features", "leaf_coeff")
_SCALARS = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_INTEGERS = frozenset(
    (
        "split_feature",
        "decision_type",
        "left_child",
        "right_child",
        "internal_count",
        "leaf_count",
        *_OF_CATEGORIES,
        "num_features",
        "leaf_features",
    )
)
#: Numbers of the training that no prediction uses: they may be infinite or NaN.
_UNUSED = frozenset(("split_gain", "internal_value", "internal_weight", "leaf_weight"))

_PLAIN = {
    "integer": re.compile(r"[-0-9 ]*"),
    "number": re.compile(r"[-+0-9.e ]*"),
    "any": re.compile(r"[-+0-9.einfa ]*"),
}
_INTEGER = re.compile(r"-?[0-9]{1,10}")
_IMPORTANCE = re.compile(r"[^\n]+=[0-9]+")
_PARAMETER = re.compile(r"\[[a-z_0-9]+: [^\n]*\]")
#: The kind of missing values takes two bits, of which three values have a meaning.
_MOST_DECISION = 11


@dataclass(frozen=True)
class TreeText:
    """What a text of LightGBM holds.

    Parameters
    ----------
    n_features : int
        Features that the trees were fitted on.
    n_trees : int
        Number of trees.
    n_outputs : int
        Trees of one round: 1 but for several classes.
    objective : str
        What was minimised, the first word of it; empty where it is not stated.
    is_averaged : bool, default=False
        Whether the trees are those of a forest, which are averaged.

    Examples
    --------
    >>> from smartrisk.models import TreeText
    >>> TreeText(n_features=2, n_trees=1, n_outputs=1, objective="binary").n_trees
    1
    """

    n_features: int
    n_trees: int
    n_outputs: int
    objective: str
    is_averaged: bool = False


def check_tree_text(
    text: str, *, name: str = "text", owner: str = "check_tree_text"
) -> TreeText:
    """Check that a text of LightGBM describes trees, and return what it holds.

    Parameters
    ----------
    text : str
        As LightGBM writes a model.
    name : str, default="text"
        Name of the file, for the message.
    owner : str, default="check_tree_text"
        Name of the calling function, for the message.

    Returns
    -------
    found : TreeText
        Numbers of features and trees.

    Raises
    ------
    ArtefactError
        If LightGBM could fail on it in another way than by an error.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import RiskClassifier, check_tree_text
    >>> X, y = np.arange(200.0).reshape(-1, 1), np.arange(200) % 2
    >>> model = RiskClassifier(n_estimators=3).fit(X, y)
    >>> check_tree_text(model.booster_text()).n_trees
    3
    """
    try:
        return _check(text)
    except (_OddTextError, ValueError, OverflowError) as error:
        raise ArtefactError(
            "models.trees_damaged",
            "{owner}: {name!r} is no model that LightGBM can read: {problem}. "
            "Restore a copy.",
            owner=owner,
            name=name,
            problem=str(error)[:200],
        ) from error


class _OddTextError(Exception):
    """The text is not what LightGBM writes."""


def _refuse(problem: str) -> NoReturn:
    """Raise with what is wrong."""
    raise _OddTextError(problem)


def _check(text: str) -> TreeText:
    """Return what a text holds, or raise."""
    if "\0" in text or "\r" in text:
        _refuse("it holds a character that ends a text or a line")
    head, gap, rest = text.partition("\n\n")
    header = _read_header(head)
    n_features, n_outputs = _check_header(header)
    sizes = _integers(header["tree_sizes"], "tree_sizes")
    if not gap or not len(sizes) or len(sizes) % n_outputs:
        _refuse(f"it states {len(sizes)} trees for {n_outputs} outputs")
    trees, place = _Trees(n_features), 0
    content = rest.encode("utf-8")
    for number, size in enumerate(sizes.tolist()):
        if not 0 < size <= len(content) - place:
            _refuse(f"tree {number} is stated to have {size} bytes")
        block = content[place : place + size].decode("utf-8")
        trees.add(number, block)
        place += size
    trees.check()
    _check_rest(content[place:].decode("utf-8"))
    objective = header.get("objective", "").partition(" ")[0]
    return TreeText(
        n_features, len(sizes), n_outputs, objective, "average_output" in header
    )


def _read_header(head: str) -> dict[str, str]:
    """Return what stands before the first tree."""
    first, *lines = head.split("\n")
    if first != "tree":
        _refuse("it does not begin as trees do")
    found: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition("=")
        if key in found or key not in _HEADER:
            _refuse(f"the line {key[:40]!r} is unknown or occurs twice")
        found[key] = value
    missing = _REQUIRED - set(found)
    if missing:
        _refuse(f"it has no line {sorted(missing)}")
    return found


def _check_header(header: dict[str, str]) -> tuple[int, int]:
    """Return the numbers of features and of outputs."""
    n_features = _integer(header["max_feature_idx"], "max_feature_idx") + 1
    if not 1 <= n_features <= _MOST_FEATURES:
        _refuse(f"it states {n_features} features")
    for key in ("feature_names", "feature_infos", "monotone_constraints"):
        if key in header and len(header[key].split(" ")) != n_features:
            _refuse(f"{key!r} does not have one entry for each feature")
    if not set(header.get("monotone_constraints", "0").split(" ")) <= {"-1", "0", "1"}:
        _refuse("'monotone_constraints' holds other values than -1, 0 and 1")
    n_classes = _integer(header["num_class"], "num_class")
    n_outputs = _integer(header["num_tree_per_iteration"], "num_tree_per_iteration")
    _integer(header["label_index"], "label_index")
    stated = re.search(r"num_class:(\S+)", header.get("objective", ""))
    wanted = n_classes if stated is None else _integer(stated[1], "objective")
    is_several = header.get("objective", "").startswith("multiclass")
    if not 1 <= n_classes == n_outputs == wanted or is_several != (n_classes > 1):
        _refuse(
            f"it states {n_classes} classes, {n_outputs} trees of a round, and the "
            f"objective {header.get('objective', '')[:40]!r}"
        )
    return n_features, n_outputs


@dataclass
class _Trees:
    """The arrays of all trees, one after the other.

    Parameters
    ----------
    n_features : int
        Number of features.
    """

    n_features: int
    texts: dict[str, list[str]] = field(default_factory=dict)
    n_leaves: list[int] = field(default_factory=list)
    n_codes: list[int] = field(default_factory=list)
    lengths: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, block: str) -> None:
        """Take the block of a tree apart."""
        first, *lines = block.split("\n")
        if first != f"Tree={number}" or lines[-3:] != ["", "", ""]:
            _refuse(f"tree {number} does not lie where it is stated to lie")
        found = dict(line.split("=", 1) for line in lines[:-3] if "=" in line)
        if len(found) != len(lines) - 3:
            _refuse(f"tree {number} has a line twice, or one without a value")
        n_leaves, n_codes, is_linear = (
            _integer(found.get(key, ""), key) for key in _SCALARS[:3]
        )
        self._check_keys(number, found, n_codes, is_linear)
        if not 1 <= n_leaves <= _MOST_LEAVES or not 0 <= n_codes < n_leaves:
            _refuse(f"tree {number} states {n_leaves} leaves and {n_codes} code splits")
        self.n_leaves.append(n_leaves)
        self.n_codes.append(n_codes)
        for key in (*_OF_NODES, *_OF_LEAVES):
            wanted = n_leaves - 1 if key in _OF_NODES else n_leaves
            n_found = self._put(key, found[key])
            alone = n_leaves == 1 and not n_found and key != "leaf_value"
            if n_found != wanted and not alone:
                _refuse(f"tree {number} has {n_found} entries of {key!r}, not {wanted}")
        if n_codes and self._put("cat_boundaries", found["cat_boundaries"]) != (
            n_codes + 1
        ):
            _refuse(f"tree {number} has a wrong number of 'cat_boundaries'")
        self._put("cat_threshold", found.get("cat_threshold", ""))
        if not np.isfinite(_numbers([found["shrinkage"]], "shrinkage")).all():
            _refuse(f"tree {number} has the shrinkage {found['shrinkage'][:40]!r}")
        if is_linear:
            self._check_lines(number, n_leaves, found)

    def _check_keys(
        self, number: int, found: dict[str, str], n_codes: int, is_linear: int
    ) -> None:
        """Raise unless a tree has the lines that its kind has."""
        wanted = {*_SCALARS, *_OF_NODES, *_OF_LEAVES}
        wanted |= set(_OF_CATEGORIES if n_codes else ())
        wanted |= set(_OF_LINES if is_linear else ())
        if set(found) != wanted or is_linear not in (0, 1):
            odd = sorted(set(found) ^ wanted)
            _refuse(f"tree {number} lacks lines, or has other ones: {odd[:5]}")

    def _put(self, key: str, values: str) -> int:
        """Keep an array as text; return its number of entries."""
        n_values = values.count(" ") + 1 if values else 0
        self.lengths.setdefault(key, []).append(n_values)
        if values:
            self.texts.setdefault(key, []).append(values)
        return n_values

    def _check_lines(self, number: int, n_leaves: int, found: dict[str, str]) -> None:
        """Check the straight lines in the leaves of a tree."""
        counts = _integers(found["num_features"], "num_features")
        if len(counts) != n_leaves or counts.min() < 0:
            _refuse(f"tree {number} has a wrong number of 'num_features'")
        features = _integers(" ".join(found["leaf_features"].split()), "leaf_features")
        slopes = _numbers(found["leaf_coeff"].split(), "leaf_coeff")
        starts = _numbers(found["leaf_const"].split(" "), "leaf_const")
        if not len(features) == len(slopes) == counts.sum() or len(starts) != n_leaves:
            _refuse(f"tree {number} has other lines in its leaves than it states")
        if (
            len(features)
            and not 0 <= features.min() <= features.max() < self.n_features
        ):
            _refuse(f"tree {number} uses features that there are not")
        if not (np.isfinite(slopes).all() and np.isfinite(starts).all()):
            _refuse(f"tree {number} has lines that are no numbers")

    def check(self) -> None:
        """Check the arrays of all trees at once."""
        arrays = {
            key: _numbers(self.texts.get(key, []), key)
            for key in (*_OF_NODES, *_OF_LEAVES, *_OF_CATEGORIES)
        }
        if np.isnan(arrays["threshold"]).any():
            _refuse("'threshold' holds missing numbers")
        if not np.isfinite(arrays["leaf_value"]).all():
            _refuse("'leaf_value' holds infinite numbers")
        for key in ("internal_count", "leaf_count"):
            _check_range(arrays[key], key, 0, 2**31 - 1)
        _check_range(arrays["split_feature"], "split_feature", 0, self.n_features - 1)
        _check_range(arrays["decision_type"], "decision_type", 0, _MOST_DECISION)
        self._check_children(arrays["left_child"], arrays["right_child"])
        self._check_codes(arrays)

    def _check_children(
        self, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> None:
        """Raise unless every node but the root is the child of one earlier node."""
        n_leaves = np.asarray(self.n_leaves)
        n_nodes = n_leaves - 1
        first_node, first_leaf = np.cumsum(n_nodes) - n_nodes, np.cumsum(n_leaves)
        first_leaf -= n_leaves
        tree = np.repeat(np.arange(len(n_nodes)), n_nodes)
        own = np.arange(len(tree)) - first_node[tree]
        seen_leaves = np.zeros(n_leaves.sum(), np.int64)
        seen_nodes = np.zeros(len(tree), np.int64)
        for child in (left, right):
            inner = child >= 0
            if (child[inner] <= own[inner]).any():
                _refuse("a node is a child of a later one")
            if (child >= n_nodes[tree]).any() or (~child >= n_leaves[tree]).any():
                _refuse("a child lies outside its tree")
            nodes, leaves = child + first_node[tree], ~child + first_leaf[tree]
            seen_nodes += np.bincount(nodes[inner], minlength=len(seen_nodes))
            seen_leaves += np.bincount(leaves[~inner], minlength=len(seen_leaves))
        roots = first_node[n_nodes > 0]
        seen_nodes[roots] += 1
        alone = first_leaf[n_nodes == 0]
        seen_leaves[alone] += 1
        if (seen_nodes != 1).any() or (seen_leaves != 1).any():
            _refuse("a node has several parents, or none")
        for number in np.flatnonzero(n_leaves > _MOST_DEPTH).tolist():
            part = slice(first_node[number], first_node[number] + n_nodes[number])
            _check_depth(left[part].tolist(), right[part].tolist())

    def _check_codes(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Raise unless every split by codes has a set of codes."""
        n_codes, n_nodes = np.asarray(self.n_codes), np.asarray(self.n_leaves) - 1
        _check_range(arrays["cat_threshold"], "cat_threshold", 0, 2**32 - 1)
        words = np.asarray(self.lengths.get("cat_threshold", []), np.int64)
        place = 0
        for number in np.flatnonzero(n_codes).tolist():
            stop = place + n_codes[number] + 1
            bounds = arrays["cat_boundaries"][place:stop]
            if bounds[0] != 0 or (np.diff(bounds) < 1).any():
                _refuse(f"tree {number} has 'cat_boundaries' that do not rise from 0")
            if bounds[-1] != words[number]:
                _refuse(f"tree {number} has a wrong number of 'cat_threshold'")
            place = stop
        if (words[n_codes == 0] != 0).any():
            _refuse("a tree without code splits has 'cat_threshold'")
        by_code = (arrays["decision_type"].astype(np.int64) & 1).astype(bool)
        chosen = arrays["threshold"][by_code]
        most = np.repeat(n_codes, n_nodes)[by_code]
        if ((chosen < 0) | (chosen >= most) | (chosen != np.floor(chosen))).any():
            _refuse("a split by codes has no set of codes")


def _check_depth(left: list[int], right: list[int]) -> None:
    """Raise where a tree is deeper than a recursion may be."""
    depth = [1] * len(left)
    for node, children in enumerate(zip(left, right, strict=True)):
        if depth[node] > _MOST_DEPTH:
            _refuse(f"a tree is deeper than {_MOST_DEPTH}")
        for child in children:
            if child >= 0:
                depth[child] = depth[node] + 1


def _check_rest(rest: str) -> None:
    """Check what stands after the trees: importances, parameters, and categories."""
    lines = rest.split("\n")
    if lines[:3] != ["end of trees", "", "feature_importances:"]:
        _refuse("the trees do not end where they are stated to end")
    stop = lines.index("", 3)
    if not all(_IMPORTANCE.fullmatch(line) for line in lines[3:stop]):
        _refuse("'feature_importances' holds other lines than names and numbers")
    lines = lines[stop + 1 :]
    if lines[:1] == ["parameters:"]:
        stop = lines.index("end of parameters")
        if not all(_PARAMETER.fullmatch(line) for line in lines[1:stop] if line):
            _refuse("'parameters' holds other lines than '[name: value]'")
        lines = lines[stop + 1 :]
    left = [line for line in lines if line]
    if len(left) > 1 or not all(n.startswith("pandas_categorical:") for n in left):
        _refuse("it goes on after its end")


def _check_range(values: NDArray[Any], key: str, low: int, high: int) -> None:
    """Raise where a number is outside what its key may have."""
    if len(values) and not (low <= values.min() and values.max() <= high):
        _refuse(f"{key!r} holds values outside {low} to {high}")


def _kind(key: str) -> str:
    """Return which characters an array may have."""
    if key in _INTEGERS:
        return "integer"
    return "any" if key in _UNUSED or key == "threshold" else "number"


def _numbers(texts: list[str], key: str) -> NDArray[Any]:
    """Return numbers that are written with single spaces between them."""
    kind = _kind(key)
    if not texts:
        return np.zeros(0, np.int64 if kind == "integer" else np.float64)
    joined = " ".join(texts)
    if not _PLAIN[kind].fullmatch(joined):
        _refuse(f"{key!r} holds other characters than numbers have")
    entries = joined.split(" ")
    return np.array(entries, np.int64 if kind == "integer" else np.float64)


def _integers(values: str, key: str) -> NDArray[np.int64]:
    """Return the integers of a line."""
    if not values:
        return np.zeros(0, np.int64)
    if not _PLAIN["integer"].fullmatch(values):
        _refuse(f"{key!r} holds other values than integers")
    return np.array(values.split(" "), np.int64)


def _integer(value: str, key: str) -> int:
    """Return the integer of a line."""
    if not _INTEGER.fullmatch(value):
        _refuse(f"{key!r} is {value[:40]!r}, not an integer")
    return int(value)
