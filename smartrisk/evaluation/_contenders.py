"""Contenders: anything that learns from a past and scores later items."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.items import item_keys, join_by_key
from smartrisk.windows import Split


class FittedContender(Protocol):
    """A fitted contender: it scores items, and an engine is updated with later results.

    See Also
    --------
    fit_contender : What makes one.

    Examples
    --------
    >>> from smartrisk.evaluation import FittedContender
    >>> callable(FittedContender.score)
    True
    """

    def score(self, split: Split) -> pd.DataFrame:
        """Return SCORES of the later items of a split.

        Parameters
        ----------
        split : Split
            Its later items are scored.

        Returns
        -------
        scores : DataFrame
            SCORES, in the order of the items.
        """
        ...


class _FittedEngine:
    """An engine: fitted once, its history updated before it scores."""

    def __init__(self, engine: Any, split: Split) -> None:
        self._engine = copy.deepcopy(engine).fit(split.past, split.known)
        self._at = split.at

    def score(self, split: Split) -> pd.DataFrame:
        """Return SCORES of the later items."""
        if split.at > self._at and hasattr(self._engine, "update"):
            self._engine.update(split.past, split.known)
            self._at = split.at
        return pd.DataFrame(self._engine.score(split.later))


class _FittedClassifier:
    """A classifier of declarations and labels, as the baselines are."""

    def __init__(self, classifier: Any, split: Split) -> None:
        labelled = join_by_key(
            split.past,
            split.known,
            ["illicit"],
            how="inner",
            owner="fit_contender",
            name="OUTCOMES",
        )
        labelled = labelled.reset_index(drop=True)
        hits = labelled.pop("illicit").to_numpy(np.int64)
        self._classifier = copy.deepcopy(classifier).fit(labelled, hits)

    def score(self, split: Split) -> pd.DataFrame:
        """Return SCORES of the later items."""
        chance = np.asarray(self._classifier.predict_proba(split.later))[:, 1]
        return _make_scores(split.later, chance)


class _ScoringFunction:
    """A function of the past, its known results and the later items."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def score(self, split: Split) -> pd.DataFrame:
        """Return SCORES of the later items."""
        scores = self._function(split.past, split.known, split.later)
        if isinstance(scores, pd.DataFrame) and "risk_score" in scores:
            return scores
        return _make_scores(split.later, np.asarray(scores, np.float64).ravel())


def _make_scores(declarations: pd.DataFrame, risk: NDArray[np.float64]) -> pd.DataFrame:
    """Return SCORES from risk scores in the order of the items."""
    if len(risk) != len(declarations):
        raise TableError(
            "evaluation.contender_score_count",
            "fit_contender: scores that a contender returned: {n_scores}; items: "
            "{n_items}. It must return one score per item, in their order.",
            n_scores=len(risk),
            n_items=len(declarations),
        )
    return item_keys(declarations).assign(risk_score=risk)


def check_n_jobs(owner: str, n_jobs: int) -> None:
    """Raise unless `n_jobs` is a number of jobs, or -1 and below for all processors."""
    check_number(owner, "n_jobs", n_jobs, low=-64, integer=True)
    if n_jobs == 0:
        raise ArgumentError(
            "evaluation.no_job",
            "{owner}: 'n_jobs' must be 1 or more, or -1 for one job per processor; "
            "got 0.",
            owner=owner,
        )


def fit_contender(contender: Any, split: Split) -> FittedContender:
    """Fit a copy of a contender on the past of a split.

    Parameters
    ----------
    contender : object
        An engine (``fit`` and ``score`` of declarations and outcomes, and optionally
        ``update``), a classifier (``fit`` and ``predict_proba`` of declarations and
        labels), or a function of past, known and later items that returns scores.
    split : Split
        What it may learn from, and when; see `smartrisk.windows`.

    Returns
    -------
    fitted : FittedContender
        Its ``score(split)`` returns SCORES of the later items of a split. For a split
        at a later moment, an engine is first updated with what has become known since.

    Raises
    ------
    ArgumentError
        If the contender is none of these.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(1_000, random_state=0, scenario="small")
    >>> split = sr.windows.time_split(world.declarations, world.outcomes)
    >>> fitted = sr.evaluation.fit_contender(sr.models.SmoothedRateSum(), split)
    >>> len(fitted.score(split)) == len(split.later)
    True
    """
    if hasattr(contender, "fit") and callable(getattr(contender, "score", None)):
        parameters = list(inspect.signature(contender.fit).parameters)
        if not hasattr(contender, "predict_proba") or "outcomes" in parameters:
            return _FittedEngine(contender, split)
    if hasattr(contender, "fit") and hasattr(contender, "predict_proba"):
        return _FittedClassifier(contender, split)
    if callable(contender) and not isinstance(contender, type):
        return _ScoringFunction(contender)
    raise ArgumentError(
        "evaluation.contender_kind",
        "fit_contender: a contender must have fit and score (of declarations and "
        "outcomes), fit and predict_proba (of declarations and labels), or "
        "be a function of past, known and later; got {contender_type}.",
        contender_type=type(contender).__name__,
    )
