"""LightGBM behind checks: threads, categories, monotone constraints, latest items."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import (
    ArgumentError,
    ArtefactError,
    MissingLibraryError,
    check_jobs,
    check_number,
    check_sequence,
    format_values,
    needing,
)
from smartrisk.models._tree_text import check_tree_text
from smartrisk.threads import count_jobs, is_forked_child

#: Set before OpenMP starts: spinning threads cost 100 x on small, busy machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

#: Below this many items one thread is faster: starting threads costs more than a
#: tree takes.
_SMALL = 20_000
#: Default of `n_jobs`: more threads gain little, they wait for each other at every
#: split. It is an upper bound: small data and small machines use fewer.
MOST_THREADS = 4
#: Up to this many items, LightGBM bins a copy of their rows: it takes less memory than
#: what LightGBM keeps in Python of the 20,000 items that bins are found on, in double
#: precision, where it reads rows in parts.
_COPIED = 100_000
#: Where an engine keeps the states of its models, for messages.
STATE_FILE = "engine.json"
#: Maximum number of leaves that LightGBM allows.
_MOST_LEAVES = 131_072
#: LightGBM keeps its seed in 32 bits with a sign.
_MOST_SEED = 2**31 - 1


def load_lightgbm() -> Any:
    """Load LightGBM with its messages sent to the log of this library.

    In a forked child it uses one thread, whatever it does: it reads its text with as
    many threads as it used last, and those of the parent do not exist in the child.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    MissingLibraryError
        If the system lacks what it needs: the runtime of Visual C++, or OpenMP.
    """
    try:
        with needing("lightgbm"):
            import lightgbm as lgb
    except OSError as error:
        raise MissingLibraryError("lightgbm", str(error)) from error

    lgb.register_logger(logging.getLogger("smartrisk.lightgbm"))
    _limit_in_children()
    return lgb


@cache
def _limit_in_children() -> None:
    """Make LightGBM use one thread in every child that is forked from here on.

    Reading a text has no setting for it, and unpickling a booster does not pass here.
    """
    if hasattr(os, "register_at_fork"):  # Windows cannot fork
        os.register_at_fork(after_in_child=_use_one_thread)
    if is_forked_child():
        _use_one_thread()


def _use_one_thread() -> None:
    """Set the maximum of LightGBM, which its interface to C has had since 4.4."""
    import lightgbm as lgb

    vars(lgb.basic)["_LIB"].LGBM_SetMaxThreads(1)


def read_booster(
    text: str, *, name: str, owner: str, objective: str, is_averaged: bool = False
) -> Any:
    """Return the trees of a text that was checked before LightGBM reads it.

    Parameters
    ----------
    text : str
        As LightGBM writes a model.
    name, owner : str
        Name of the file and of the calling function, for messages.
    objective : str
        What the trees must have been trained for.
    is_averaged : bool, default=False
        Whether they must be a forest, whose trees are averaged, not summed up.

    Raises
    ------
    ArtefactError
        If the text describes no trees, or trees for something else.
    """
    found = check_tree_text(text, name=name, owner=owner)
    lgb = load_lightgbm()
    problem = None
    if found.objective != objective:
        problem = f"it was trained for {found.objective!r}, not {objective!r}"
    elif found.is_averaged != is_averaged:
        problem = f"it holds {'boosted trees' if is_averaged else 'a forest'}"
    else:
        try:
            booster = lgb.Booster(model_str=text)
        except (lgb.basic.LightGBMError, ValueError, TypeError, KeyError) as error:
            problem = str(error)
    if problem is not None:
        raise damaged_model(owner, name, problem)
    return booster


def damaged_model(owner: str, name: str, problem: str) -> ArtefactError:
    """Return the error of a saved model that is not what was saved."""
    return ArtefactError(
        "models.saved_model_damaged",
        "{owner}: the model in {name!r} is damaged: {problem}. Restore a copy.",
        owner=owner,
        name=name,
        problem=problem[:200],
    )


def read_state(owner: str, state: Any, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise unless a fitted state holds exactly these numbers, within their ranges.

    A range whose ends are integers is one of integers.
    """
    if not isinstance(state, dict) or set(state) != set(ranges):
        names = sorted(state) if isinstance(state, dict) else state
        raise damaged_model(owner, STATE_FILE, f"it has {names!r}")
    for key, (low, high) in ranges.items():
        kinds = int if isinstance(low, int) else (int, float)
        for value in state[key] if isinstance(state[key], list) else [state[key]]:
            plain = isinstance(value, kinds) and not isinstance(value, bool)
            if not plain or not low <= value <= high:
                raise damaged_model(owner, STATE_FILE, f"{key!r} is {value!r}")


def count_threads(n_jobs: int | None, n_items: int) -> int:
    """Return how many threads to use: `n_jobs`, but one for small data.

    More threads than processors are never used: they would wait for each other. No
    result depends on the number.
    """
    if n_items < _SMALL or is_forked_child():
        return 1
    return min(count_jobs(n_jobs), int(joblib.cpu_count()))


def check_jobs_and_seed(owner: str, n_jobs: int | None, random_state: int) -> None:
    """Raise unless the threads are None or an integer but 0, and the seed fits."""
    check_jobs(owner, n_jobs)
    check_number(
        owner, "random_state", random_state, low=0, high=_MOST_SEED, integer=True
    )


def check_trees(
    owner: str,
    *,
    n_estimators: int,
    learning_rate: float,
    num_leaves: int,
    validation_share: float,
) -> None:
    """Raise unless the parameters that both boosted models have are allowed."""
    check_number(owner, "n_estimators", n_estimators, low=1, integer=True)
    check_number(owner, "learning_rate", learning_rate, low=1e-6, high=1.0)
    check_number(
        owner, "num_leaves", num_leaves, low=2, high=_MOST_LEAVES, integer=True
    )
    check_number(owner, "validation_share", validation_share, low=0.0, high=0.9)


def check_categorical(owner: str, categorical: Sequence[int], n_features: int) -> None:
    """Raise unless `categorical` holds positions of features."""
    check_sequence(owner, "categorical", categorical, content="positions")
    for position in categorical:
        check_number(owner, "categorical", position, integer=True)
    beyond = [int(k) for k in categorical if not 0 <= k < n_features]
    if beyond:
        raise ArgumentError(
            "models.categorical_beyond_features",
            "{owner}: 'categorical' has positions beyond the {n_features} "
            "features: {positions}. They count from 0.",
            owner=owner,
            n_features=n_features,
            positions=format_values(beyond),
        )


def check_monotone(
    owner: str, monotone: Sequence[int], categorical: Sequence[int], n_features: int
) -> None:
    """Raise where a constraint would make the native code end the process."""
    check_sequence(owner, "monotone", monotone, content="-1, 0 or 1")
    if not len(monotone):
        return
    if len(monotone) != n_features:
        raise ArgumentError(
            "models.monotone_of_other_length",
            "{owner}: 'monotone' must have one entry per feature ({n_features}); "
            "got {n_entries}. Use 0 for a feature without a constraint.",
            owner=owner,
            n_features=n_features,
            n_entries=len(monotone),
        )
    unknown = [value for value in monotone if value not in (-1, 0, 1)]
    if unknown:
        raise ArgumentError(
            "models.monotone_not_a_sign",
            "{owner}: 'monotone' must hold -1, 0 or 1; got {entries}.",
            owner=owner,
            entries=format_values(unknown),
        )
    both = [int(k) for k in categorical if monotone[k]]
    if both:
        raise ArgumentError(
            "models.monotone_on_categorical",
            "{owner}: 'monotone' must be 0 for categorical features; features "
            "{positions} have a constraint. Set it to 0.",
            owner=owner,
            positions=format_values(both),
        )


def check_one_per_item(
    owner: str, name: str, values: ArrayLike | None, n_items: int
) -> None:
    """Raise unless an argument is None or has one entry for each item."""
    if values is None:
        return
    shape = np.shape(values)
    if shape != (n_items,):
        raise ArgumentError(
            "models.not_one_entry_per_item",
            "{owner}: {name!r} must have one entry for each of the {n_items} items; "
            "got shape {shape}.",
            owner=owner,
            name=name,
            n_items=n_items,
            shape=list(shape),
        )


def mark_latest(
    time: ArrayLike | None, n_items: int, share: float
) -> NDArray[np.bool_]:
    """Mark the latest items, whole moments together; by position without a time."""
    count = int(n_items * share)
    if count < 1:
        return np.zeros(n_items, bool)
    if time is None:
        return np.arange(n_items) >= n_items - count
    moments = np.asarray(time)
    return np.asarray(moments >= np.sort(moments)[n_items - count])


def make_dataset(
    X: NDArray[Any],
    y: NDArray[np.float64],
    params: dict[str, Any],
    categorical: Sequence[int],
    weights: NDArray[np.float64] | None = None,
    *,
    rows: NDArray[np.intp] | None = None,
) -> Any:
    """Bin a matrix once, for all the boosters that are trained on it.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Matrix.
    y : ndarray of shape (n_items,)
        Target.
    params : dict
        LightGBM parameters.
    categorical : sequence of int
        Positions of features that are codes.
    weights : ndarray of shape (n_items,), default=None
        Weight of each item; None for 1.
    rows : ndarray of int, shape (n_items,), default=None
        Rows of X that the items are; None for all, in their order. Many are read in
        parts, so that there is no copy of the matrix. The bins are those of ``X[rows]``
        under parameters with a `data_random_seed` and without `feature_pre_filter`:
        LightGBM reads no other seed, and no size of leaves, where it reads in parts.
    """
    if rows is None:
        source: Any = X
    else:
        source = X[rows] if len(rows) <= _COPIED else _row_reader()(X, rows)
    # LightGBM refuses the integers of NumPy.
    codes: Any = [int(k) for k in categorical] or "auto"
    return load_lightgbm().Dataset(
        source,
        y,
        weight=weights,
        categorical_feature=codes,
        params=params,
    )


@cache
def _row_reader() -> Any:
    """Return the class through which LightGBM reads some rows of a matrix in parts."""
    sequence: Any = load_lightgbm().Sequence

    class Rows(sequence):
        """Some rows of a matrix, in a given order."""

        def __init__(self, matrix: NDArray[Any], rows: NDArray[np.intp]) -> None:
            self.matrix, self.rows = matrix, rows

        def __len__(self) -> int:
            return len(self.rows)

        def __getitem__(self, place: Any) -> NDArray[Any]:
            part: NDArray[Any] = self.matrix[self.rows[place]]
            # Single rows are those that bins are found on, which LightGBM takes in
            # double precision only.
            return part if part.ndim > 1 else part.astype(np.float64)

    return Rows


def data_seed(seed: int) -> int:
    """Return the seed by which LightGBM draws the items that bins are found on.

    It derives it from `seed` like this where it has the whole matrix, and not at all
    where it reads rows in parts.
    """
    drawn = (214_013 * seed + 2_531_011) % 2**32 // 2**16 % 2**15
    return drawn % (2**15 - 1)


def train(data: Any, params: dict[str, Any], n_trees: int) -> Any:
    """Train a booster with this number of trees on all items."""
    return load_lightgbm().train(params, data, n_trees)


def train_with_early_stopping(
    data: Any,
    late: NDArray[np.bool_],
    params: dict[str, Any],
    n_trees: int,
    patience: int,
    *,
    record: dict[str, Any] | None = None,
) -> Any:
    """Train a booster on the earlier items, stopped early on the latest ones.

    Parameters
    ----------
    data : lightgbm.Dataset
        As from `make_dataset`.
    late : ndarray of bool, shape (n_items,)
        Items held out to decide when to stop.
    params : dict
        LightGBM parameters.
    n_trees, patience : int
        Maximum number of trees, and trees without gain before stopping.
    record : dict, default=None
        Where to note the loss of the latest items after each tree.
    """
    lgb = load_lightgbm()
    early = data.subset(np.flatnonzero(~late))
    watched = data.subset(np.flatnonzero(late))
    callbacks = [lgb.early_stopping(patience, verbose=False)]
    if record is not None:
        callbacks.append(lgb.record_evaluation(record))
    return lgb.train(params, early, n_trees, valid_sets=[watched], callbacks=callbacks)


def read_curve(
    record: dict[str, Any], stride: int, most: int
) -> tuple[tuple[int, float], ...]:
    """Return numbers of trees and losses of what `train_with_early_stopping` noted."""
    (losses,) = record["valid_0"].values()
    points = enumerate(losses, start=1)
    return tuple((min(stride * k, most), float(loss)) for k, loss in points)
