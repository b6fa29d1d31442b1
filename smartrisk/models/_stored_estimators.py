"""Estimators of other libraries as bytes that hold no code, and what is trusted.

`skops` writes the attributes of an estimator as JSON and arrays. Reading makes objects
of the classes that the bytes name; only classes of a fixed list are allowed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from smartrisk.errors import ArgumentError, ArtefactError, needing
from smartrisk.models._boosting import load_lightgbm
from smartrisk.models._stored_trees import check_stored_trees
from smartrisk.models._tree_text import check_tree_text

#: What the losses of boosted trees and of generalised linear models are made of.
_LOSSES = (
    *(
        f"sklearn._loss.link.{name}"
        for name in (
            "IdentityLink",
            "Interval",
            "LogLink",
            "LogitLink",
        )
    ),
    *(
        f"sklearn._loss.loss.{name}"
        for name in (
            "HalfBinomialLoss",
            "HalfGammaLoss",
            "HalfPoissonLoss",
            "HalfSquaredError",
            "HalfTweedieLoss",
            "HalfTweedieLossIdentity",
        )
    ),
)
_BOOSTER = ("collections.OrderedDict", "lightgbm.basic.Booster")
#: Types that the estimators of a part of a library hold besides those of NumPy, SciPy
#: and scikit-learn that every version of skops trusts. Reading them runs no code that
#: the bytes could choose.
TRUSTED: dict[str, tuple[str, ...]] = {
    "sklearn.ensemble._hist_gradient_boosting": (
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        *_LOSSES,
    ),
    "sklearn.ensemble": (
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        *_LOSSES,
    ),
    "sklearn.tree": ("sklearn.tree._tree.Tree",),
    "sklearn.impute": ("numpy.dtype",),
    "sklearn.preprocessing": ("numpy.dtype",),
    "sklearn.calibration": (
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
    ),
    "sklearn.neural_network": (
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    ),
    "sklearn.linear_model": _LOSSES,
    "sklearn.model_selection": (
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
    ),
    "lightgbm.sklearn": (
        *_BOOSTER,
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
    ),
    "smartrisk.models": (
        *_BOOSTER,
        "smartrisk.models._revenue.RevenueRegressor",
        "smartrisk.models._risk.RiskClassifier",
    ),
}
#: Parts of scikit-learn whose estimators hold nothing else than skops trusts itself.
_PLAIN = (
    "sklearn.compose",
    "sklearn.decomposition",
    "sklearn.discriminant_analysis",
    "sklearn.dummy",
    "sklearn.feature_selection",
    "sklearn.naive_bayes",
    "sklearn.pipeline",
    "sklearn.svm",
)
#: Settings that change the time that an estimator takes and no result.
_IRRELEVANT = frozenset({"n_jobs", "num_threads", "nthread", "thread_count", "verbose"})
#: Keys of the schema of skops that name places in memory, files and versions.
_OF_THE_FILE = frozenset(
    {"__id__", "file", "protocol", "_skops_version", "_sklearn_version"}
)
#: The line of LightGBM's text about threads, inside a text of JSON.
_THREADS = re.compile(r"\[num_threads: -?\d+\]\\n")


def dump_estimator(estimator: Any) -> bytes:
    """Return an estimator, fitted or not, as bytes that hold no code.

    Parameters
    ----------
    estimator : estimator
        Of scikit-learn, or of a library that follows its conventions.

    Returns
    -------
    content : bytes
        As `skops.io` writes it: attributes as JSON, arrays as NumPy writes them.

    Raises
    ------
    ArgumentError
        If skops cannot write it.

    See Also
    --------
    load_estimator : Reads it.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from smartrisk.models import dump_estimator, load_estimator
    >>> load_estimator(dump_estimator(Ridge(alpha=3)))
    Ridge(alpha=3)
    """
    with needing("skops"):
        import skops.io

    try:
        return bytes(skops.io.dumps(estimator))
    except Exception as error:  # skops raises what the parts of the estimator raise
        raise ArgumentError(
            "models.estimator_not_storable",
            "{name} cannot be saved: {problem}. Replace the parts that are functions "
            "or hold open files, or use another estimator.",
            name=type(estimator).__name__,
            problem=str(error),
        ) from error


def load_estimator(
    content: bytes,
    *,
    trusted: Iterable[str] = (),
    owner: str = "load_estimator",
    name: str = "content",
) -> Any:
    """Return the estimator that `dump_estimator` wrote.

    Nothing is unpickled. Reading makes objects of the classes that the bytes name, so
    only classes of a fixed list are read.

    Parameters
    ----------
    content : bytes
        As from `dump_estimator`.
    trusted : iterable of str, default=()
        Full names of types that are allowed besides those of the list.
    owner : str, default="load_estimator"
        Name of the calling function, for error messages.
    name : str, default="content"
        Name of the file that held the bytes, for error messages.

    Returns
    -------
    estimator : estimator
        Its predictions are bit-identical.

    Raises
    ------
    ArtefactError
        If the bytes name a type that is neither on the list nor in `trusted`, or are
        not what skops writes.

    See Also
    --------
    dump_estimator : Writes it.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from smartrisk.models import dump_estimator, load_estimator
    >>> load_estimator(dump_estimator(Ridge(alpha=3)))
    Ridge(alpha=3)
    """
    with needing("skops"):
        import skops.io

    load_lightgbm()  # so that a forked child reads trees with one thread
    try:
        unknown = untrusted_types(content, trusted)
        names = skops.io.get_untrusted_types(data=content)
        texts = _texts_of_trees(content)
    except Exception as error:
        raise _not_readable(owner, name, error) from error
    if unknown:
        raise ArtefactError(
            "models.type_not_trusted",
            "{owner}: the model in {name!r} holds objects of types that are not on the "
            "list of this library: {types}. Reading makes such objects and could run "
            "their code. If you know where the folder comes from and what these types "
            "are, pass them as 'trusted'.",
            owner=owner,
            name=name,
            types=join_types(unknown),
        )
    for text in texts:
        check_tree_text(text, name=name, owner=owner)
    try:
        found = skops.io.loads(content, trusted=names)
        found.get_params()  # of a class whose parameters are all there
    except Exception as error:
        raise _not_readable(owner, name, error) from error
    check_stored_trees(found, owner, name)
    return found


def _texts_of_trees(content: bytes) -> list[str]:
    """Return the texts of LightGBM in the bytes of an estimator."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        left, found = [json.loads(archive.read("schema.json"))], []
    while left:
        node = left.pop()
        if isinstance(node, dict):
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)
        elif isinstance(node, str) and node[:6] in ('"tree\\', "tree\n"):
            found.append(json.loads(node) if node.startswith('"') else node)
    return found


def untrusted_types(content: bytes, trusted: Iterable[str] = ()) -> list[str]:
    """Return the types in the bytes of an estimator that are on no list."""
    with needing("skops"):
        import skops.io

    allowed = {name for names in TRUSTED.values() for name in names} | set(trusted)
    return sorted(set(skops.io.get_untrusted_types(data=content)) - allowed)


def join_types(names: Iterable[str]) -> str:
    """Return full names of types, which a caller copies into `trusted`."""
    return ", ".join(repr(name) for name in names)


def unlisted_classes(estimator: Any) -> list[str]:
    """Return the classes of an unfitted estimator that the list does not cover."""
    parts = [estimator, *_find_parts(estimator)]
    listed = (*TRUSTED, *_PLAIN)
    names = {f"{type(part).__module__}.{type(part).__qualname__}" for part in parts}
    return sorted(name for name in names if not name.startswith(listed))


def digest_estimator(content: bytes) -> bytes:
    """Return a digest of what the bytes of an estimator hold.

    Times, places in memory, names of files, and numbers of threads do not count.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        plain = _Canonical(archive).convert(schema)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


class _Canonical:
    """The schema of an estimator without what differs between two copies of it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._files: dict[str, str] = {}

    def convert(self, node: Any) -> Any:
        """Return a part of the schema, files replaced by digests of their content."""
        if isinstance(node, list):
            return [self.convert(part) for part in node]
        if isinstance(node, str):
            return _THREADS.sub("", node)
        if not isinstance(node, dict):
            return node
        kept = {
            key: self.convert(value)
            for key, value in node.items()
            if key not in _IRRELEVANT and key not in _OF_THE_FILE
        }
        if isinstance(node.get("file"), str):
            kept["content"] = self._digest(node["file"])
        return kept

    def _digest(self, name: str) -> str:
        """Return the digest of a file of the archive, once for each file."""
        if name not in self._files:
            self._files[name] = _digest_file(name, self._archive.read(name))
        return self._files[name]


def _digest_file(name: str, content: bytes) -> str:
    """Return the digest of an array, field by field, or of the bytes of a file.

    The gaps between the fields of the nodes of trees hold whatever was in memory.
    """
    sha = hashlib.sha256()
    if not name.endswith(".npy"):
        return hashlib.sha256(content).hexdigest()
    array = np.load(io.BytesIO(content), allow_pickle=False)
    for field in array.dtype.names or (None,):
        part = array if field is None else array[field]
        sha.update(f"{field} {part.dtype.str} {part.shape}".encode())
        sha.update(np.ascontiguousarray(part).tobytes())
    return sha.hexdigest()


def _find_parts(estimator: Any) -> Sequence[Any]:
    """Return the estimators inside an estimator, at any depth."""
    if not hasattr(estimator, "get_params"):
        return []
    values = estimator.get_params(deep=True).values()
    return [value for value in values if hasattr(value, "get_params")]


def _not_readable(owner: str, name: str, error: Exception) -> ArtefactError:
    """Return the error of bytes that this version of the libraries does not read."""
    return ArtefactError(
        "models.estimator_not_readable",
        "{owner}: the model in {name!r} cannot be read with the versions that are "
        "installed here ({problem}). Load it with the versions that wrote it.",
        owner=owner,
        name=name,
        problem=repr(error),
    )
