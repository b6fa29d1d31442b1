"""The engine: validate, build features, score, explain, select."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from smartrisk.artefact import read_folder, write_folder
from smartrisk.datasets import example_declarations
from smartrisk.engine._saved import take_up, written
from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    TableError,
    check_number,
    format_values,
)
from smartrisk.explanations import Reasons, explain
from smartrisk.features import DeclarationFeatures, ItemResults, join_results
from smartrisk.features._columns import Columns
from smartrisk.items import item_ids
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.schema import DECLARATIONS, KEY, OUTCOMES
from smartrisk.selectivity import Capacity, Policy, RuleSet, select
from smartrisk.validation import is_canonical, validate
from smartrisk.windows import months_without_results

_CHUNK = 100_000


class RiskEngine:
    """The whole line: features, risk, expected revenue, reasons, decisions.

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
    n_jobs : int, default=None
        Threads; None for one on small data.
    random_state : int, default=0
        Seed of everything.

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
    Items without an outcome teach the history (activity, prices, routes) and are
    never taken for compliant. The training items see exactly the history that they
    would have seen on their day.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> scores = engine.score(world.declarations.tail(5))
    >>> len(scores), bool(scores["risk_score"].between(0, 1).all())
    (5, True)
    """

    def __init__(
        self,
        *,
        features: DeclarationFeatures | None = None,
        classifier: RiskClassifier | None = None,
        regressor: RevenueRegressor | None = None,
        label_delay: int = 30,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.classifier = classifier
        self.regressor = regressor
        self.label_delay = label_delay
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __repr__(self) -> str:
        """Say in a line what it is and whether it is fitted."""
        state = (
            f"version={self.version_!r}" if hasattr(self, "version_") else "unfitted"
        )
        return f"RiskEngine(label_delay={self.label_delay}, {state})"

    def _repr_html_(self) -> str:
        """Show in a notebook what it is, and its parameters."""
        rows = [(name, str(value)) for name, value in self.describe().items()]
        table = pd.DataFrame(rows, columns=["parameter", "value"])
        return (
            f"<p><code>{escape(repr(self))}</code></p>\n<details><summary>"
            f"{len(rows)} parameters</summary>{table.to_html(index=False, border=0)}"
            "</details>"
        )

    def fit(self, declarations: Any, outcomes: Any) -> Self:
        """Learn history and models.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            All items, inspected or not.
        outcomes : DataFrame of shape (n_results, n_fields)
            ItemResults of the inspected ones.

        Returns
        -------
        self : RiskEngine
            The fitted engine.

        Raises
        ------
        TableError
            If a table is not in order, or a result has no declaration.
        ArgumentError
            If the results hold one class only.
        """
        check_number("RiskEngine", "label_delay", self.label_delay, low=0, integer=True)
        items = validate(declarations, DECLARATIONS)
        results = validate(outcomes, OUTCOMES)
        self.features_ = self._new_features()
        ids = item_ids(items)
        found = join_results(items, results, label_delay=self.label_delay, ids=ids)
        _warn_of_gaps(items["lodged_at"], found)
        if not len(found.rows):
            raise TableError(
                "engine.outcomes_result_hit_inspection",
                "RiskEngine.fit: OUTCOMES holds no result. At least one hit and "
                "one inspection without a hit are needed.",
            )
        self.features_.fit(items, outcomes=found)
        self._train(items, ids, found)
        self.seen_items_ = np.sort(ids)
        self.seen_results_ = np.sort(ids[found.rows])
        self._set_version()
        return self

    def update(self, declarations: Any, outcomes: Any = None) -> Self:
        """Let the history move on without refitting the models.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            New items, and any earlier items that `outcomes` speaks of: items and
            results that were counted before are not counted twice.
        outcomes : DataFrame, default=None
            ItemResults that became known.

        Returns
        -------
        self : RiskEngine
            The engine, its history moved on.
        """
        self._check_fitted()
        items = validate(declarations, DECLARATIONS)
        results = None if outcomes is None else validate(outcomes, OUTCOMES)
        ids = item_ids(items)
        fresh = ~np.isin(ids, self.seen_items_)
        if fresh.any():
            self.features_.update(items[fresh])
            self.seen_items_ = np.union1d(self.seen_items_, ids[fresh])
        if results is not None:
            result_ids = item_ids(results)
            new = ~np.isin(result_ids, self.seen_results_)
            if new.any():
                self.features_.update_results(items, results[new])
                self.seen_results_ = np.union1d(self.seen_results_, result_ids[new])
        self._set_version()
        return self

    def score(self, new: Any, *, on_error: str = "raise") -> pd.DataFrame:
        """Return SCORES of items, in their order.

        Parameters
        ----------
        new : DataFrame of shape (n_items, n_fields)
            DECLARATIONS. Items do not see each other.
        on_error : str, default="raise"
            What to do with items that cannot be read: "raise", or "set_aside" to
            leave them out with a warning that counts them.

        Returns
        -------
        scores : DataFrame
            SCORES, with the index of `new`.
        """
        self._check_fitted()
        items = validate(new, DECLARATIONS, on_error=on_error)
        raw = np.empty(len(items))
        revenue = np.empty(len(items))
        for start in range(0, len(items), _CHUNK):
            part = slice(start, start + _CHUNK)
            matrix = self._matrix(items.iloc[part])
            raw[part] = self.classifier_.raw_score(matrix, checked=True)
            revenue[part] = self._revenue(matrix, items.iloc[part])
        risk = self.classifier_.calibrate(raw)
        scores = items.loc[:, [k for k in KEY if k in items]].copy()
        scores["risk_score"] = risk
        scores["expected_revenue"] = risk * revenue
        scores["model_version"] = self.version_
        return scores

    @property
    def history_until(self) -> pd.Timestamp | None:
        """Day of the last item that the history knows, None without a history.

        Items that are lodged later see nothing of what came in between: let the
        history move on with `update`.
        """
        self._check_fitted()
        day = self.features_.last_day_
        return None if day is None else pd.Timestamp(day)

    def score_one(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the score of one declared item, quickly.

        Parameters
        ----------
        item : mapping of str to value
            Fields of DECLARATIONS. Values of canonical type go straight in;
            anything else is validated first.

        Returns
        -------
        score : dict
            `risk_score`, `expected_revenue` and `model_version`; the same bits as
            `score` gives.
        """
        self._check_fitted()
        columns = self._one(item)
        matrix = self.features_._matrix(columns)
        raw = self.classifier_.booster_.predict(
            matrix,
            raw_score=True,
            num_iteration=self.classifier_.n_trees_,
            num_threads=1,
        )
        risk = float(self.classifier_.calibrate(np.asarray(raw))[0])
        value = columns.number("customs_value")
        given_hit = self.regressor_.predict(matrix, scale=value, checked=True)
        return {
            "risk_score": risk,
            "expected_revenue": risk * float(given_hit[0]),
            "model_version": self.version_,
        }

    def explain(self, new: Any, *, top: int = 3) -> Reasons:
        """Return the reasons behind the scores of items.

        Parameters
        ----------
        new : DataFrame of shape (n_items, n_fields)
            DECLARATIONS; explain what was selected, an explanation costs as much as
            forty scores.
        top : int, default=3
            Reasons per item.

        Returns
        -------
        reasons : Reasons
            Contributions that sum to the raw score, and sentences. They know earlier
            items until `history_until`.
        """
        self._check_fitted()
        items = validate(new, DECLARATIONS)
        matrix = self._matrix(items)
        frame = pd.DataFrame(
            matrix, index=items.index, columns=self.features_.get_feature_names_out()
        )
        contributions = np.empty((0, matrix.shape[1] + 1))
        if len(items):
            contributions = self.classifier_.contributions(matrix)
        return self._reasons(items, frame, contributions, top)

    def explain_one(self, item: Mapping[str, Any], *, top: int = 3) -> Reasons:
        """Return the reasons behind the score of one declared item, quickly.

        Parameters
        ----------
        item : mapping of str to value
            Fields of DECLARATIONS, as `score_one` takes them.
        top : int, default=3
            Reasons.

        Returns
        -------
        reasons : Reasons
            The same that `explain` gives.
        """
        self._check_fitted()
        columns = self._one(item)
        matrix = self.features_._matrix(columns)
        contributions = self.classifier_.booster_.predict(
            matrix,
            pred_contrib=True,
            num_iteration=self.classifier_.n_trees_,
            num_threads=1,
        )
        row = np.array([[columns._source[n][0] for n in columns.names]], dtype=object)
        frame = pd.DataFrame(row, columns=list(columns.names))
        return self._reasons(frame, matrix, np.asarray(contributions), top)

    def _reasons(
        self, items: pd.DataFrame, matrix: Any, contributions: Any, top: int
    ) -> Reasons:
        info = self.features_.feature_info_
        risk = self.classifier_.calibrate(contributions.sum(axis=1))
        until = self.history_until
        return explain(
            items, matrix, contributions, info, top=top, risk=risk, until=until
        )

    def select(
        self,
        new: Any,
        capacity: Capacity | None = None,
        *,
        policy: Policy | None = None,
        mandatory: ArrayLike | None = None,
        rules: RuleSet | None = None,
        releases: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Return DECISIONS for items under a limited capacity.

        Parameters
        ----------
        new : DataFrame of shape (n_items, n_fields)
            DECLARATIONS to decide on together.
        capacity : float, int or mapping, default=None
            Share of the items as a float, number of items as an integer; None for that
            of the policy.
        policy : Policy, default=None
            How to choose; None for ``Policy()``. It has its own capacity: pass either.
        mandatory : array-like of bool, shape (n_items,), default=None
            Items that must be controlled whatever their score.
        rules : RuleSet, default=None
            Rules that apply beside the model.
        releases : array-like of int, shape (n_items,), default=None
            Releases in a row before each item, for `Policy.max_releases`.

        Returns
        -------
        decisions : DataFrame
            DECISIONS, with the index of `new`.
        """
        items = validate(new, DECLARATIONS)
        return select(
            self.score(items),
            items,
            capacity=capacity,
            policy=policy,
            mandatory=mandatory,
            rules=rules,
            releases=releases,
        )

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the engine as a folder of text, JSON and Parquet with checksums.

        Parameters
        ----------
        folder : path
            Where it shall stand; an engine saved there before is replaced at once.

        Returns
        -------
        folder : Path
            The folder.
        """
        self._check_fitted()
        texts, tables = written(self)
        return write_folder(folder, texts=texts, tables=tables)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> RiskEngine:
        """Read an engine that `save` wrote.

        Parameters
        ----------
        folder : path
            The folder.

        Returns
        -------
        engine : RiskEngine
            Scores alike, bit by bit.

        Raises
        ------
        ArtefactError
            If any file was edited, truncated, added or removed.
        """
        return take_up(cls, *read_folder(folder), folder=folder)

    def describe(self) -> dict[str, Any]:
        """Return the parameters in one flat dictionary, for a tracking run.

        Returns
        -------
        parameters : dict
            Names such as ``classifier.num_leaves`` to plain values.
        """
        parts = {
            "features": getattr(self, "features_", None) or self._new_features(),
            "classifier": getattr(self, "classifier_", None) or self._new_classifier(),
            "regressor": getattr(self, "regressor_", None) or self._new_regressor(),
        }
        flat: dict[str, Any] = {
            "label_delay": self.label_delay,
            "random_state": self.random_state,
        }
        for part, estimator in parts.items():
            for name, value in estimator.get_params(deep=False).items():
                if name.endswith("keys"):
                    value = [key.label for key in value]
                if name in ("categorical", "monotone"):
                    continue
                flat[f"{part}.{name}"] = value
        if hasattr(self, "version_"):
            flat["n_items"] = len(self.seen_items_)
            flat["n_results"] = len(self.seen_results_)
            flat["n_features"] = len(self.features_.feature_info_)
            flat["n_trees"] = self.classifier_.n_trees_
        return flat

    def input_example(self) -> pd.DataFrame:
        """Return two made-up items with the columns that the engine was fitted on.

        Returns
        -------
        example : DataFrame
            DECLARATIONS that name no one.
        """
        self._check_fitted()
        frame = example_declarations(2)
        kept = [n for n in frame if n in set(self.features_.feature_names_in_)]
        return validate(frame[kept], DECLARATIONS)

    def _check_fitted(self) -> None:
        if not hasattr(self, "version_"):
            raise NotFittedError(
                "RiskEngine: not fitted. Call fit(declarations, outcomes) first, or "
                "RiskEngine.load(folder)."
            )

    def _new_features(self) -> DeclarationFeatures:
        if self.features is not None:
            made: DeclarationFeatures = clone(self.features)
            return made
        jobs = 2 if self.n_jobs is None else self.n_jobs
        return DeclarationFeatures(label_delay=self.label_delay, n_jobs=jobs)

    def _new_classifier(self) -> RiskClassifier:
        if self.classifier is not None:
            made: RiskClassifier = clone(self.classifier)
            return made
        return RiskClassifier(n_jobs=self.n_jobs, random_state=self.random_state)

    def _new_regressor(self) -> RevenueRegressor:
        if self.regressor is not None:
            made: RevenueRegressor = clone(self.regressor)
            return made
        return RevenueRegressor(n_jobs=self.n_jobs, random_state=self.random_state)

    def _train(
        self, items: pd.DataFrame, ids: NDArray[np.uint64], found: ItemResults
    ) -> None:
        """Fit the models on the inspected items, in an order of their own."""
        moments = items["lodged_at"].to_numpy()[found.rows]
        order = np.lexsort((ids[found.rows], moments))
        rows = found.rows[order]
        inspected = items.iloc[rows]
        matrix = self._matrix(inspected)
        time = _days_of(inspected)
        categorical = tuple(
            k for k, info in enumerate(self.features_.feature_info_) if info.categorical
        )
        hits, revenue = found.hits[order], found.revenue[order]
        self.classifier_ = self._new_classifier()
        if not self.classifier_.categorical:
            self.classifier_.set_params(categorical=categorical)
        if not self.classifier_.monotone:
            monotone = tuple(info.monotone for info in self.features_.feature_info_)
            self.classifier_.set_params(monotone=monotone)
        self.classifier_.fit(matrix, hits, time=time)
        self.regressor_ = self._new_regressor()
        hit = hits > 0
        value = _value(inspected)
        self.regressor_.fit(matrix[hit], revenue[hit], scale=value[hit], time=time[hit])

    def _matrix(self, items: pd.DataFrame) -> NDArray[np.float32]:
        if not len(items):
            return np.empty((0, len(self.features_.feature_info_)), np.float32)
        matrix = self.features_.transform(items)
        return np.asarray(matrix, np.float32)

    def _revenue(
        self, matrix: NDArray[np.float32], items: pd.DataFrame
    ) -> NDArray[np.float64]:
        return self.regressor_.predict(matrix, scale=_value(items), checked=True)

    def _one(self, item: Mapping[str, Any]) -> Columns:
        """Return one item as columns, by the short way where its types allow."""
        if not isinstance(item, Mapping):
            raise ArgumentError(
                "engine.item_mapping_fields_values",
                "RiskEngine: one item must be a mapping of fields to values; got "
                "{item_type}. Pass dict(frame.iloc[0]), or use score and explain "
                "for a frame.",
                item_type=type(item).__name__,
            )
        source: dict[str, Any] = {}
        for name in self.features_.feature_names_in_:
            if name.startswith("dq_"):
                continue
            value = item.get(name)
            if not is_canonical(DECLARATIONS[name], value):
                frame = pd.DataFrame([dict(item)])
                row = validate(frame, DECLARATIONS)
                return Columns({n: [row[n].iloc[0]] for n in row.columns})
            source[name] = [value]
        return Columns(source)

    def _set_version(self) -> None:
        """Digest what decides the scores."""
        digest = hashlib.sha256()
        digest.update(self.classifier_.booster_.model_to_string().encode())
        if self.regressor_.booster_ is not None:
            digest.update(self.regressor_.booster_.model_to_string().encode())
        digest.update(json.dumps(self.classifier_.fitted_state()).encode())
        digest.update(json.dumps(self.regressor_.fitted_state()).encode())
        digest.update(self.seen_items_.tobytes())
        digest.update(self.seen_results_.tobytes())
        self.version_ = digest.hexdigest()[:16]


def _warn_of_gaps(lodged: pd.Series, found: ItemResults) -> None:
    """Warn of months without any result among months that have some."""
    labelled = np.zeros(len(lodged), bool)
    labelled[found.rows] = True
    months = months_without_results(lodged, labelled)
    if len(months):
        names = [f"{month:%Y-%m}" for month in months["month"]]
        warnings.warn(
            DataQualityWarning(
                "engine.result_any_items_lodged",
                "RiskEngine.fit: no result for any of the {n_items} items lodged "
                "in {n_names} months: {names}. Add the results of these months, or "
                "leave them out if controls stopped: rates of hits are too old "
                "there.",
                n_items=months["n_items"].sum(),
                n_names=len(names),
                names=format_values(names),
            ),
            stacklevel=3,
        )


def _days_of(items: pd.DataFrame) -> NDArray[np.int64]:
    """Return the day of lodgement of items as a number."""
    return items["lodged_at"].to_numpy().astype("datetime64[D]").astype(np.int64)


def _value(items: pd.DataFrame) -> NDArray[np.float64]:
    if "customs_value" not in items:
        return np.ones(len(items))
    return items["customs_value"].to_numpy(np.float64)
