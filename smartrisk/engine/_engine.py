"""The engine: validate, build features, score, explain, select."""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.metadata_routing import UNUSED

from smartrisk.artefact import read_folder, write_folder
from smartrisk.datasets import example_declarations
from smartrisk.engine._display import settings_html
from smartrisk.engine._reading import (
    check_on_error,
    read_item,
    read_outcomes,
    read_with_rows,
)
from smartrisk.engine._scoring import ItemScore, score_item, score_items
from smartrisk.engine._state import (
    MOST_THREADS,
    EngineSettings,
    EngineState,
    Setting,
    describe,
    make_version,
    pack,
    unpack,
)
from smartrisk.engine._training import train_models, warn_of_gaps
from smartrisk.errors import (
    TableError,
    check_number,
)
from smartrisk.explanations import Reasons, explain
from smartrisk.features import DeclarationFeatures, join_results
from smartrisk.items import are_among, item_ids
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.schema import DECLARATIONS, TableInput
from smartrisk.selectivity import Capacity, Policy, RuleSet, select
from smartrisk.validation import OnError, validate

_log = logging.getLogger("smartrisk")


class RiskEngine(BaseEstimator):
    """The whole pipeline: features, risk, expected revenue, reasons, decisions.

    Parameters
    ----------
    features : DeclarationFeatures, default=None
        Unfitted transformer; None for the default keys.
    classifier : RiskClassifier, default=None
        Unfitted model of a hit; None for the default.
    regressor : RevenueRegressor, default=None
        Unfitted model of revenue given a hit; None for the default.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int, default=4
        Threads at most; small data uses one, features two. None for one, or as
        ``joblib.parallel_config`` says; -1 for every processor, -2 for all but one.
    random_state : int, default=0
        Seed of the models.

    Attributes
    ----------
    features_ : DeclarationFeatures
        The fitted history and features.
    classifier_ : RiskClassifier
        The fitted model of a hit.
    regressor_ : RevenueRegressor
        The fitted model of revenue.
    version_ : str
        Digest of models and history; it is the `model_version` of SCORES.

    Notes
    -----
    Items without an outcome feed the history (activity, prices, routes) but are never
    used as labels: "not inspected" is not "compliant". The features of a training item
    are exactly those that it had on its own day.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> scores = engine.score(world.declarations.tail(5))
    >>> len(scores), bool(scores["risk_score"].between(0, 1).all())
    (5, True)
    """

    #: Everything that was learned; the parameters are the only other attributes.
    _state: EngineState | None = None

    # Tables and options are arguments, not metadata that a pipeline routes.
    __metadata_request__fit = dict.fromkeys(
        ("declarations", "outcomes", "on_error"), UNUSED
    )
    __metadata_request__score = dict.fromkeys(("declarations", "on_error"), UNUSED)

    def __init__(
        self,
        *,
        features: DeclarationFeatures | None = None,
        classifier: RiskClassifier | None = None,
        regressor: RevenueRegressor | None = None,
        label_delay: int = 30,
        n_jobs: int | None = MOST_THREADS,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.classifier = classifier
        self.regressor = regressor
        self.label_delay = label_delay
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether `fit` was called."""
        return self._state is not None

    def __copy__(self) -> Self:
        """Return what `copy` returns."""
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return an engine with parameters of its own; what was learned is shared."""
        copied = self.copy()
        memo[id(self)] = copied
        for name, value in self.get_params(deep=False).items():
            setattr(copied, name, copy.deepcopy(value, memo))
        return copied

    def _repr_html_(self) -> str:
        """Return the parameters, and the version once fitted, as HTML."""
        version = None if self._state is None else self._state.version
        return settings_html(repr(self), self.describe(), version)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """Return text and HTML for a notebook, which prefers this to `_repr_html_`."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    @property
    def features_(self) -> DeclarationFeatures:
        """The fitted history and features."""
        return self._need_state().features

    @property
    def classifier_(self) -> RiskClassifier:
        """The fitted model of a hit."""
        return self._need_state().classifier

    @property
    def regressor_(self) -> RevenueRegressor:
        """The fitted model of revenue."""
        return self._need_state().regressor

    @property
    def version_(self) -> str:
        """Digest of models and history."""
        return self._need_state().version

    @property
    def history_until(self) -> pd.Timestamp | None:
        """Day of the last item in the history, None without a history.

        The features of items lodged later ignore what happened in between: extend the
        history with `update`.
        """
        day = self._need_state().features.last_day_
        return None if day is None else pd.Timestamp(day)

    def fit(
        self,
        declarations: TableInput,
        outcomes: TableInput,
        *,
        on_error: OnError = "raise",
    ) -> Self:
        """Learn history and models.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS of all items, inspected or not.
        outcomes : DataFrame of shape (n_results, n_fields)
            OUTCOMES of the inspected ones.
        on_error : {"raise", "set_aside"}, default="raise"
            What to do with rows that cannot be read: "raise", or "set_aside" to leave
            them out with a warning that counts them. A result whose item was left out
            is left out too.

        Returns
        -------
        self : RiskEngine
            The fitted engine.

        Raises
        ------
        TableError
            If a table is invalid, or a result has no declaration.
        ArgumentError
            If a parameter is outside what is allowed, or the results hold one class
            only.
        """
        check_on_error("fit", on_error)
        settings = self._settings()
        settings.check()
        items = validate(declarations, DECLARATIONS, on_error=on_error)
        results = read_outcomes("fit", outcomes, items, on_error)
        ids = item_ids(items)
        found = join_results(items, results, label_delay=self.label_delay, ids=ids)
        warn_of_gaps(items["lodged_at"], found, stacklevel=3)
        if not len(found):
            raise TableError(
                "engine.no_results",
                "RiskEngine.fit: OUTCOMES holds no result. At least one hit and "
                "one inspection without a hit are needed.",
            )
        _log.info("RiskEngine.fit: %d items, %d results", len(items), len(found))
        start = time.perf_counter()
        features = settings.new_features()
        features.fit(items, outcomes=found)
        models = train_models(settings, features, items, ids, found)
        seen_items, seen_results = np.sort(ids), np.sort(ids[found.rows])
        self._state = EngineState(
            features=features,
            classifier=models.classifier,
            regressor=models.regressor,
            seen_items=seen_items,
            seen_results=seen_results,
            version=make_version(
                models.classifier, models.regressor, seen_items, seen_results
            ),
        )
        _log.info(
            "RiskEngine.fit: version %s, %d trees, %.1f s",
            self._state.version,
            models.classifier.n_trees_,
            time.perf_counter() - start,
        )
        return self

    def update(
        self,
        declarations: TableInput,
        outcomes: TableInput | None = None,
        *,
        on_error: OnError = "raise",
    ) -> Self:
        """Add items and results to the history without refitting the models.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS of new items, and of any earlier items that `outcomes` is
            about: items and results that were counted before are not counted twice.
        outcomes : DataFrame, default=None
            OUTCOMES that became known.
        on_error : {"raise", "set_aside"}, default="raise"
            As in `fit`.

        Returns
        -------
        self : RiskEngine
            The engine with the longer history.
        """
        state = self._need_state()
        check_on_error("update", on_error)
        items = validate(declarations, DECLARATIONS, on_error=on_error)
        results = None
        if outcomes is not None:
            results = read_outcomes("update", outcomes, items, on_error)
        ids = item_ids(items)
        new = ~are_among(ids, state.seen_items)
        seen_items, seen_results = state.seen_items, state.seen_results
        if new.any():
            state.features.update(items[new])
            seen_items = np.union1d(seen_items, ids[new])
        n_new_results = 0
        if results is not None:
            result_ids = item_ids(results)
            fresh = ~are_among(result_ids, seen_results)
            n_new_results = int(fresh.sum())
            if n_new_results:
                state.features.update_results(items, results[fresh])
                seen_results = np.union1d(seen_results, result_ids[fresh])
        _log.info(
            "RiskEngine.update: %d new items, %d new results",
            int(new.sum()),
            n_new_results,
        )
        self._state = replace(
            state,
            seen_items=seen_items,
            seen_results=seen_results,
            version=make_version(
                state.classifier, state.regressor, seen_items, seen_results
            ),
        )
        return self

    def copy(self) -> Self:
        """Return an engine whose history grows on its own.

        Returns
        -------
        copied : RiskEngine
            With the same settings, models and history, at no cost: `fit` and `update`
            of either leave the other as it is.
        """
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        if self._state is not None:
            copied._state = replace(self._state, features=self._state.features.copy())
        return copied

    def score(
        self, declarations: TableInput, *, on_error: OnError = "raise"
    ) -> pd.DataFrame:
        """Return SCORES of items, in their order.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS. Items do not count for each other.
        on_error : {"raise", "set_aside"}, default="raise"
            What to do with items that cannot be read: "raise", or "set_aside" to
            leave them out with a warning that counts them.

        Returns
        -------
        scores : DataFrame
            SCORES, with the index of `declarations`.
        """
        state = self._need_state()
        check_on_error("score", on_error)
        items = validate(declarations, DECLARATIONS, on_error=on_error)
        return score_items(state, items)

    def score_one(self, item: Mapping[str, Any]) -> ItemScore:
        """Return the score of one declared item, quickly.

        Parameters
        ----------
        item : mapping of str to object
            Fields of DECLARATIONS. Values of canonical type are used as they are;
            anything else is validated first.

        Returns
        -------
        score : dict
            `risk_score`, `expected_revenue` and `model_version`: bit-identical to those
            from `score`.
        """
        state = self._need_state()
        return score_item(state, read_item(item, state.features.feature_names_in_))

    def explain(
        self, declarations: TableInput, *, top: int = 3, on_error: OnError = "raise"
    ) -> Reasons:
        """Return the reasons behind the scores of items.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS. Explain what was selected: an explanation costs as much as
            forty scores.
        top : int, default=3
            Maximum number of reasons per item.
        on_error : {"raise", "set_aside"}, default="raise"
            As in `score`.

        Returns
        -------
        reasons : Reasons
            Contributions that sum to the raw score, and sentences. They use earlier
            items up to `history_until`.
        """
        state = self._need_state()
        check_on_error("explain", on_error)
        check_number("RiskEngine.explain", "top", top, low=1, integer=True)
        items = validate(declarations, DECLARATIONS, on_error=on_error)
        matrix = state.features.transform_matrix(items)
        names = state.features.get_feature_names_out()
        frame = pd.DataFrame(matrix, index=items.index, columns=names)
        contributions = np.empty((0, matrix.shape[1] + 1))
        if len(items):
            contributions = state.classifier.contributions(matrix)
        return self._reasons(items, frame, contributions, top)

    def explain_one(self, item: Mapping[str, Any], *, top: int = 3) -> Reasons:
        """Return the reasons behind the score of one declared item, quickly.

        Parameters
        ----------
        item : mapping of str to object
            Fields of DECLARATIONS, in the same form as for `score_one`.
        top : int, default=3
            Maximum number of reasons.

        Returns
        -------
        reasons : Reasons
            The same as from `explain`.
        """
        state = self._need_state()
        check_number("RiskEngine.explain_one", "top", top, low=1, integer=True)
        values = read_item(item, state.features.feature_names_in_)
        matrix = state.features.transform_one(values)
        contributions = state.classifier.contributions(matrix, checked=True)
        row = np.array([list(values.values())], dtype=object)
        frame = pd.DataFrame(row, columns=list(values))
        return self._reasons(frame, matrix, contributions, top)

    def _reasons(
        self,
        items: pd.DataFrame,
        matrix: pd.DataFrame | NDArray[np.float32],
        contributions: NDArray[np.float64],
        top: int,
    ) -> Reasons:
        """Return the reasons that contributions give."""
        return explain(
            items,
            matrix,
            contributions,
            self.features_.feature_info_,
            top=top,
            risk=self.classifier_.calibrate(contributions.sum(axis=1)),
            until=self.history_until,
        )

    def select(
        self,
        declarations: TableInput,
        capacity: Capacity | None = None,
        *,
        policy: Policy | None = None,
        mandatory: ArrayLike | None = None,
        rules: RuleSet | None = None,
        releases: ArrayLike | None = None,
        on_error: OnError = "raise",
    ) -> pd.DataFrame:
        """Return DECISIONS for items under a limited capacity.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS to decide on together.
        capacity : float, int or mapping, default=None
            Share of the items as a float, number of items as an integer; None for that
            of the policy. A shorthand for ``policy=Policy(capacity=...)``.
        policy : Policy, default=None
            How to choose; None for ``Policy()``. It has its own capacity: pass either.
        mandatory : array-like of bool, shape (n_items,), default=None
            Items that must be controlled whatever their score.
        rules : RuleSet, default=None
            Rules that apply in addition to the model.
        releases : array-like of int, shape (n_items,), default=None
            Releases in a row before each item, for a policy with `max_releases`.
        on_error : {"raise", "set_aside"}, default="raise"
            As in `score`. Items that are set aside get no decision.

        Returns
        -------
        decisions : DataFrame
            DECISIONS, with the index of `declarations`.

        Raises
        ------
        ArgumentError
            If both `capacity` and `policy` are given, or an argument does not have one
            entry per item.

        See Also
        --------
        smartrisk.selectivity.select : The same for scores of any origin.
        """
        state = self._need_state()
        check_on_error("select", on_error)
        read = read_with_rows(declarations, on_error)
        items = read.items
        _log.debug("RiskEngine.select: %d items", len(items))
        return select(
            score_items(state, items),
            items,
            capacity=capacity,
            policy=policy,
            mandatory=read.keep("mandatory", mandatory),
            rules=rules,
            releases=read.keep("releases", releases),
        )

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the engine as a folder of text, JSON and Parquet with checksums.

        Parameters
        ----------
        folder : path
            Where to write; an engine saved there before is replaced at once.

        Returns
        -------
        folder : Path
            The folder.
        """
        state = self._need_state()
        texts, tables = pack(self._settings(), state)
        path = write_folder(folder, texts=texts, tables=tables, owner="RiskEngine.save")
        _log.info("RiskEngine.save: version %s", state.version)
        return path

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Read an engine that `save` wrote.

        Parameters
        ----------
        folder : path
            The folder.

        Returns
        -------
        engine : RiskEngine
            With the same settings; its scores are bit-identical.

        Raises
        ------
        ArtefactError
            If any file was edited, truncated, added or removed.
        """
        texts, tables = read_folder(folder, owner="RiskEngine.load")
        settings, state = unpack(texts, tables, folder=str(folder))
        engine = cls(
            features=settings.features,
            classifier=settings.classifier,
            regressor=settings.regressor,
            label_delay=settings.label_delay,
            n_jobs=settings.n_jobs,
            random_state=settings.random_state,
        )
        engine._state = state
        _log.info("RiskEngine.load: version %s", state.version)
        return engine

    def describe(self) -> dict[str, Setting]:
        """Return the parameters in one flat dictionary, for a tracking run.

        Returns
        -------
        parameters : dict
            Names such as ``classifier.num_leaves`` to plain values.
        """
        return describe(self._settings(), self._state)

    def input_example(self) -> pd.DataFrame:
        """Return two invented items with the columns that the engine was fitted on.

        Returns
        -------
        example : DataFrame
            DECLARATIONS that name no real trader.
        """
        fields = set(self.features_.feature_names_in_)
        frame = example_declarations(2)
        return validate(frame[[name for name in frame if name in fields]], DECLARATIONS)

    def _need_state(self) -> EngineState:
        """Return the fitted state, or raise scikit-learn's error."""
        if self._state is None:
            raise NotFittedError(
                "RiskEngine: not fitted. Call fit(declarations, outcomes) first, or "
                "RiskEngine.load(folder)."
            )
        return self._state

    def _settings(self) -> EngineSettings:
        """Return the parameters as one value."""
        return EngineSettings(
            features=self.features,
            classifier=self.classifier,
            regressor=self.regressor,
            label_delay=self.label_delay,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
