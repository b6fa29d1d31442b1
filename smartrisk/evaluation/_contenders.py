"""Anything that ranks items, in one form: learn from a past, score what comes."""

from __future__ import annotations

import copy
import hashlib
import inspect
from typing import Any, Protocol

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation._logged_decisions import numbered
from smartrisk.schema import KEY
from smartrisk.windows import Split


class Learned(Protocol):
    """A contender that has learned: it scores, and may take in what happened since.

    See Also
    --------
    learn : What makes one.

    Examples
    --------
    >>> from smartrisk.evaluation import Learned
    >>> callable(Learned.score)
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


class _Engine:
    """An engine: fitted once, its history moved on before it scores."""

    def __init__(self, made: Any, split: Split) -> None:
        self.made = copy.deepcopy(made).fit(split.past, split.known)
        self.at = split.at

    def score(self, split: Split) -> pd.DataFrame:
        if split.at > self.at and hasattr(self.made, "update"):
            self.made.update(split.past, split.known)
            self.at = split.at
        return pd.DataFrame(self.made.score(split.later))


class _Classifier:
    """A classifier of declarations and labels, as the baselines are."""

    def __init__(self, made: Any, split: Split) -> None:
        key = list(KEY)
        past = numbered(split.past)
        joined = past.merge(numbered(split.known)[[*key, "illicit"]], on=key)
        hits = joined.pop("illicit").to_numpy(np.int64)
        self.made = copy.deepcopy(made).fit(joined, hits)

    def score(self, split: Split) -> pd.DataFrame:
        chance = np.asarray(self.made.predict_proba(split.later))[:, 1]
        return _scores(split.later, chance)


class _Function:
    """A function of the past, its known results and the later items."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def score(self, split: Split) -> pd.DataFrame:
        told = self.made(split.past, split.known, split.later)
        if isinstance(told, pd.DataFrame) and "risk_score" in told:
            return told
        return _scores(split.later, np.asarray(told, np.float64).ravel())


def _scores(items: pd.DataFrame, risk: Any) -> pd.DataFrame:
    """Return SCORES from risk scores in the order of the items."""
    if len(risk) != len(items):
        raise TableError(
            "evaluation.contender_gave_scores_items",
            "learn: a contender gave {n_risk} scores for {n_items} items; it "
            "must give one per item, in their order.",
            n_risk=len(risk),
            n_items=len(items),
        )
    return numbered(items)[list(KEY)].assign(risk_score=risk)


def learn(contender: Any, split: Split) -> Learned:
    """Let a contender learn from the past of a split; the contender stays as it was.

    Parameters
    ----------
    contender : object
        An engine (``fit`` and ``score`` of declarations and outcomes, ``update`` where
        it has it), a classifier (``fit`` and ``predict_proba`` of declarations and
        labels), or a function of past, known and later items that returns scores.
    split : Split
        What may be learned from, and when.

    Returns
    -------
    learned : Learned
        Its ``score(split)`` returns SCORES of the later items of a split; of a split
        that comes later, an engine takes in first what has become known since.

    Raises
    ------
    ArgumentError
        If the contender is none of these.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(1_000, random_state=0, scenario="small")
    >>> split = sr.windows.time_split(world.declarations, world.outcomes)
    >>> learned = sr.evaluation.learn(sr.models.SmoothedRateSum(), split)
    >>> len(learned.score(split)) == len(split.later)
    True
    """
    if hasattr(contender, "fit") and callable(getattr(contender, "score", None)):
        taken = list(inspect.signature(contender.fit).parameters)
        if not hasattr(contender, "predict_proba") or "outcomes" in taken:
            return _Engine(contender, split)
    if hasattr(contender, "fit") and hasattr(contender, "predict_proba"):
        return _Classifier(contender, split)
    if callable(contender) and not isinstance(contender, type):
        return _Function(contender)
    raise ArgumentError(
        "evaluation.contender_fit_score_declarations",
        "learn: a contender must have fit and score (of declarations and "
        "outcomes), fit and predict_proba (of declarations and labels), or "
        "be a function of past, known and later; got {contender_type}.",
        contender_type=type(contender).__name__,
    )


def fingerprint(contender: Any) -> str:
    """Return a digest of what a contender is: its class and settings, or its code.

    Of a function, what it closes over and its defaults count too.
    """
    if inspect.isfunction(contender):
        try:
            text = inspect.getsource(contender)
        except OSError:
            text = contender.__code__.co_code.hex()
        cells = [cell.cell_contents for cell in contender.__closure__ or ()]
        text += f" {contender.__qualname__} {cells!r} {contender.__defaults__!r}"
    else:
        kind = type(contender)
        settings = getattr(contender, "get_params", lambda: vars(contender))()
        text = f"{kind.__module__}.{kind.__qualname__} {contender!r} {settings!r}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
