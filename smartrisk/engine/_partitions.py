"""What fits and updates that read their items in partitions need of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.engine._engine import RiskEngine
from smartrisk.engine._models import takes_signals
from smartrisk.engine._reading import label_results, read_outcomes
from smartrisk.engine._state import EngineSettings, EngineState
from smartrisk.engine._training import SIGNAL_ITEMS, train_models
from smartrisk.engine._updating import UpdateReport, add_reports
from smartrisk.engine._version import digest_models, make_version
from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
from smartrisk.items import ANY_HIT, are_document_hits, item_ids
from smartrisk.monitoring import InputProfile
from smartrisk.validation import OnError


@dataclass(frozen=True, kw_only=True, eq=False)
class FitPlan:
    """What a fit in partitions learns, from `RiskEngine`'s parameters.

    Parameters
    ----------
    features : DeclarationFeatures
        Unfitted.
    label_delay : int
        Days from lodgement to the result where `known_at` is missing.
    own_fields : dict of str to str
        Fields that the administration adds, and the kind of each.
    n_latest : int
        Latest items that the models learn from besides the inspected ones.
    target : str, default="hit"
        What the models are to find: one of `smartrisk.items.TARGETS`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> plan = sr.engine.FitPlan.from_engine(sr.RiskEngine(label_delay=20), {})
    >>> plan.label_delay
    20
    """

    features: DeclarationFeatures
    label_delay: int
    own_fields: dict[str, str]
    n_latest: int
    target: str = ANY_HIT

    @classmethod
    def from_engine(cls, engine: RiskEngine, own_fields: Mapping[str, str]) -> FitPlan:
        """Return the plan of an engine, after a check of its parameters.

        Parameters
        ----------
        engine : RiskEngine
            Fitted or not.
        own_fields : mapping of str to str
            Own fields that the items have, besides those that the engine names.

        Returns
        -------
        plan : FitPlan
            With unfitted features.
        """
        settings = EngineSettings(**engine.get_params(deep=False))
        settings.check()
        own = {**own_fields, **(settings.own_fields or {})}
        signals = takes_signals(settings.new_classifier())
        return cls(
            features=settings.new_features(own),
            label_delay=settings.label_delay,
            own_fields=own,
            n_latest=SIGNAL_ITEMS if signals else 0,
            target=settings.target,
        )

    def label(self, results: pd.DataFrame) -> pd.DataFrame:
        """Return results as labels of the target.

        Parameters
        ----------
        results : DataFrame of shape (n_results, n_fields)
            Canonical OUTCOMES.

        Returns
        -------
        labelled : DataFrame
            As `smartrisk.items.label_outcomes` returns them.

        Raises
        ------
        ArgumentError
            If no result is a hit of the target.
        """
        return label_results("fit", results, self.target, needed=True)


def fit_learned(
    engine: RiskEngine,
    history: LearnedHistory,
    items: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    own_fields: Mapping[str, str],
    profile: InputProfile | None = None,
    folder: Path | None = None,
    on_error: OnError = "raise",
) -> RiskEngine:
    """Fit the models of an engine on a history that was learned in partitions.

    Parameters
    ----------
    engine : RiskEngine
        It is fitted here.
    history : LearnedHistory
        Of all items and the results of items.
    items : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS of the inspected items and of the latest ones.
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES, as they are or as labels of the target of the engine.
    own_fields : mapping of str to str
        Fields that the administration adds, and the kind of each.
    profile : InputProfile, default=None
        What the items are like.
    folder : Path, default=None
        Where a file with the features of the items is made, to be removed afterwards;
        None for features in memory.
    on_error : {"raise", "set_aside"}, default="raise"
        What to do with results whose items nobody knows.

    Returns
    -------
    engine : RiskEngine
        Bit-identical to one that was fitted on all items at once.

    Examples
    --------
    See `smartrisk.scale.fit`, which calls it.
    """
    settings = EngineSettings(**engine.get_params(deep=False))
    results = read_outcomes("fit", outcomes, history.knows, on_error)
    results = label_results("fit", results, settings.target, needed=True)
    ids = item_ids(items)
    found = join_results(items, results, label_delay=settings.label_delay, ids=ids)
    of_document = are_document_hits(results)
    n_items = len(history.items)
    if of_document.any():
        history, _ = history.add(None, results[of_document], owner="RiskEngine.fit")
    models = train_models(
        settings,
        history.features,
        items,
        ids,
        found,
        results[~of_document],
        n_items=n_items,
        folder=folder,
    )
    digest = digest_models(models.classifier, models.regressor, models.stakes)
    engine._state = EngineState(
        history=history,
        classifier=models.classifier,
        regressor=models.regressor,
        stakes=models.stakes,
        learned=np.sort(ids[found.rows]),
        models=digest,
        version=make_version(digest, history, settings.target),
        profile=profile,
        own_fields={n: kind for n, kind in own_fields.items() if n in items},
        stage=models.stage,
        target=settings.target,
    )
    return engine


def take_over(
    engine: RiskEngine, longer: RiskEngine, reports: Sequence[UpdateReport]
) -> RiskEngine:
    """Give an engine the history of a copy that was updated in several steps.

    Parameters
    ----------
    engine : RiskEngine
        It changes in one assignment.
    longer : RiskEngine
        The updated copy.
    reports : sequence of UpdateReport
        What each step did.

    Returns
    -------
    engine : RiskEngine
        With the longer history; `last_update_` counts all steps.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations.head(2_990))
    >>> longer = engine.copy().update(world.declarations.tail(10))
    >>> sr.engine.take_over(engine, longer, [longer.last_update_]).last_update_
    UpdateReport(items taken=10)
    """
    state = longer._need_state()
    engine._state = replace(state, last_update=add_reports(reports))
    return engine
