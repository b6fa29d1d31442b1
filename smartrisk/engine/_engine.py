"""The engine: validate, build features, score, explain, select."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED

from smartrisk.artefact import read_folder, write_folder
from smartrisk.clock import Clock
from smartrisk.engine._explaining import explain_item, explain_items
from smartrisk.engine._fit_tables import FitTables
from smartrisk.engine._fitted import FittedParts
from smartrisk.engine._guarding import Guard, check_guard, guard_batch
from smartrisk.engine._models import count_trees
from smartrisk.engine._one_row import score_row
from smartrisk.engine._reading import (
    check_folder,
    check_on_error,
    read_item,
    read_with_rows,
)
from smartrisk.engine._scoring import ItemScore, score_item, score_items
from smartrisk.engine._state import (
    MOST_THREADS,
    EngineState,
    pack,
    unpack,
)
from smartrisk.engine._training import train_models, warn_of_doubts
from smartrisk.engine._updating import forget_traders, update_state
from smartrisk.engine._version import digest_models, make_version
from smartrisk.errors import check_choice, check_number
from smartrisk.explanations import Reasons
from smartrisk.features import (
    DeclarationFeatures,
    OnKnown,
)
from smartrisk.items import ANY_HIT
from smartrisk.monitoring import GuardReport, InputProfile
from smartrisk.schema import TableInput
from smartrisk.selectivity import Capacity, Policy, RuleSet, select
from smartrisk.validation import OnError, read_declarations

_log = logging.getLogger("smartrisk")
Place = str | os.PathLike[str]


class RiskEngine(FittedParts):
    """The whole pipeline: features, risk, expected revenue, reasons, decisions.

    Parameters
    ----------
    features : DeclarationFeatures, default=None
        Unfitted transformer; None for the default keys.
    classifier : estimator, default=None
        Unfitted model of a hit: any scikit-learn classifier with `predict_proba` that
        takes missing values; None for `RiskClassifier`.
    regressor : estimator, default=None
        Unfitted model of revenue given a hit: any scikit-learn regressor that takes
        missing values; None for `RevenueRegressor`.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int, default=4
        Threads at most; small data uses one, features two. None for one, or as
        ``joblib.parallel_config`` says; -1 for every processor, -2 for all but one.
    random_state : int, default=0
        Seed of the models.
    own_fields : mapping of str to str, default=None
        Columns that your administration adds to DECLARATIONS, each "code", "number" or
        "text". None for those of the `ColumnMap` with which the table was validated.
    target : str, default="hit"
        What the models are to find: "hit" for any irregularity, "offence:origin" for
        one kind of offence, "area:drugs" for one area of law: see
        `smartrisk.items.TARGETS`. Labels, histories of results, calibration and the
        words of reasons are those of the target.
    clock : callable or datetime, default=None
        When items are scored and decided: a moment, or a function that returns one;
        None for now, in the time zone of `lodged_at`. It is not saved.

    Attributes
    ----------
    features_ : DeclarationFeatures
        The fitted history and features.
    classifier_ : RiskClassifier or ClassifierAdapter
        The fitted model of a hit; ``classifier_.estimator_`` is the one you passed.
    regressor_ : RevenueRegressor or RegressorAdapter
        The fitted model of revenue; ``regressor_.estimator_`` is the one you passed.
    version_ : str
        Digest of everything that decides a score, and of nothing else; it is the
        `model_version` of SCORES.
    target_ : str
        What the models were fitted to find.
    own_fields_ : dict of str to str
        The own fields, and the kind of each.
    stage_ : str
        What the scores rest on: "no results", "few results" or "model".
    stage_report_ : StageReport
        The counts and thresholds that decide the stage.
    sources_ : tuple of Source
        From which files the items and results came, as far as it is known.
    last_update_ : UpdateReport or None
        What the last `update` or `forget` took, replaced and left out.

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

    # Tables and options are arguments, not metadata that a pipeline routes.
    __metadata_request__fit = dict.fromkeys(
        ("declarations", "outcomes", "on_error"), UNUSED
    )
    __metadata_request__score = dict.fromkeys(
        ("declarations", "on_error", "guard"), UNUSED
    )

    def __init__(
        self,
        *,
        features: DeclarationFeatures | None = None,
        classifier: BaseEstimator | None = None,
        regressor: BaseEstimator | None = None,
        label_delay: int = 30,
        n_jobs: int | None = MOST_THREADS,
        random_state: int = 0,
        own_fields: Mapping[str, str] | None = None,
        target: str = ANY_HIT,
        clock: Clock = None,
    ) -> None:
        self.features = features
        self.classifier = classifier
        self.regressor = regressor
        self.label_delay = label_delay
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.own_fields = own_fields
        self.target = target
        self.clock = clock

    def fit(
        self,
        declarations: TableInput,
        outcomes: TableInput | None = None,
        *,
        on_error: OnError = "raise",
    ) -> Self:
        """Learn history and models.

        Without results, or with hits only or none, the score rests on signals, such as
        low prices, routes and round figures: see `stage_`.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS of all items, inspected or not.
        outcomes : DataFrame of shape (n_results, n_fields), default=None
            OUTCOMES of the inspected ones; None where there are none yet.
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
            If a parameter is outside what is allowed, or no result is a hit of the
            target: the message counts those of all targets.
        """
        check_on_error("fit", on_error)
        settings = self._settings()
        settings.check()
        tables = FitTables.read(settings, declarations, outcomes, on_error)
        items, ids, found = tables.items, tables.ids, tables.found
        warn_of_doubts(items, found, tables.labels, stacklevel=3)
        _log.info("RiskEngine.fit: %d items, %d results", len(items), len(found))
        start = time.perf_counter()
        history = tables.learn(settings)
        models = train_models(
            settings, history.features, items, ids, found, tables.labels
        )
        digest = digest_models(models.classifier, models.regressor, models.stakes)
        state = EngineState(
            history=history,
            classifier=models.classifier,
            regressor=models.regressor,
            stakes=models.stakes,
            learned=np.sort(ids[found.rows]),
            models=digest,
            version=make_version(digest, history, settings.target),
            profile=InputProfile.learn(items),
            own_fields=tables.own_fields,
            sources=tables.sources,
            stage=models.stage,
            target=settings.target,
        )
        _log.info(
            "RiskEngine.fit: version %s, %s trees, %.1f s",
            state.version,
            count_trees(models.classifier),
            time.perf_counter() - start,
        )
        self._state = state
        return self

    def update(
        self,
        declarations: TableInput | None = None,
        outcomes: TableInput | None = None,
        *,
        on_known: OnKnown = "raise",
        on_error: OnError = "raise",
    ) -> Self:
        """Add items and results to the history without refitting the models.

        It happens as a whole or not at all: after an error or an interrupt the engine
        is as before. `last_update_` shows what it did.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields), default=None
            DECLARATIONS of new items; None for results alone. Items that are known
            with the same content do not count twice.
        outcomes : DataFrame, default=None
            OUTCOMES that became known, of new items or of any in the history. A result
            that is known from another day than before is a correction: on every day,
            the version that became known last before it counts.
        on_known : {"raise", "replace", "keep"}, default="raise"
            What to do with items, and with results known on the same day, that are
            known with other content: "raise", "replace" them by what is passed, or
            "keep" what is known.
        on_error : {"raise", "set_aside"}, default="raise"
            As in `fit`.

        Returns
        -------
        self : RiskEngine
            The engine with the longer history.

        Raises
        ------
        TableError
            If a table is invalid, something is known with other content, or a result
            has no item.
        """
        state = self._need_state()
        check_on_error("update", on_error)
        longer = update_state(
            state, declarations, outcomes, on_known=on_known, on_error=on_error
        )
        _log.info("RiskEngine.update: %r", longer.last_update)
        self._state = longer
        return self

    def forget(self, **traders: str | Sequence[str]) -> Self:
        """Erase traders from the history.

        Every sum whose key names them leaves. Sums that name nobody, such as those of a
        heading, and the trees stay. Items that named them stay without the name, and
        passing them again does not bring it back. Saved folders are not changed: save
        the engine again.

        Parameters
        ----------
        **traders : str or sequence of str
            Identities by field, such as ``importer_id="X"``, as in DECLARATIONS.

        Returns
        -------
        self : RiskEngine
            The engine without them. `last_update_` counts the items that named them and
            the entries that left.

        Raises
        ------
        ArgumentError
            If a field names no trader, or no name is given.

        Warns
        -----
        DataQualityWarning
            If some of the traders are in no key of the history.
        """
        shorter = forget_traders(self._need_state(), traders)
        _log.info("RiskEngine.forget: %r", shorter.last_update)
        self._state = shorter
        return self

    def score(
        self,
        declarations: TableInput,
        *,
        on_error: OnError = "raise",
        guard: Guard = "warn",
    ) -> pd.DataFrame:
        """Return SCORES of items, in their order.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS. Items do not count for each other.
        on_error : {"raise", "set_aside"}, default="raise"
            What to do with items that cannot be read: "raise", or "set_aside" to
            leave them out with a warning that counts them.
        guard : {"warn", "raise", "off"}, default="warn"
            What to do when the items, from 20 on, do not fit what the engine learned
            from, such as amounts in another unit: see `InputProfile.check`.

        Returns
        -------
        scores : DataFrame
            SCORES, with the index of `declarations`.
        """
        state = self._need_state()
        check_on_error("score", on_error)
        check_guard("score", guard)
        if (scores := score_row(state, declarations, self.clock)) is not None:
            return scores
        items = read_declarations(declarations, state.own_fields, on_error=on_error)
        guard_batch("score", state, items, guard)
        return score_items(state, items, self.clock)

    def check_batch(
        self,
        declarations: TableInput,
        *,
        on_error: OnError = "raise",
        guard: Guard = "warn",
    ) -> GuardReport | None:
        """Return what of a batch does not fit what the engine learned from.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        on_error : {"raise", "set_aside"}, default="raise"
            As in `score`.
        guard : {"warn", "raise", "off"}, default="warn"
            As in `score`, which checks the same.

        Returns
        -------
        report : GuardReport or None
            None where `guard` is "off" or the engine has no profile.
        """
        state = self._need_state()
        check_on_error("check_batch", on_error)
        check_guard("check_batch", guard)
        items = read_declarations(declarations, state.own_fields, on_error=on_error)
        return guard_batch("check_batch", state, items, guard)

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
            `risk_score`, its interval, `expected_revenue` and `model_version`:
            bit-identical to those from `score`.
        """
        state = self._need_state()
        return score_item(state, read_item(item, state.features, state.own_fields))

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
        items = read_declarations(declarations, state.own_fields, on_error=on_error)
        return explain_items(state, items, top)

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
        values = read_item(item, state.features, state.own_fields)
        return explain_item(state, values, top)

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
        guard: Guard = "warn",
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
        guard : {"warn", "raise", "off"}, default="warn"
            As in `score`.

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
        check_guard("select", guard)
        read = read_with_rows(declarations, state.own_fields, on_error)
        items = read.items
        guard_batch("select", state, items, guard)
        _log.debug("RiskEngine.select: %d items", len(items))
        return select(
            score_items(state, items, self.clock),
            items,
            capacity=capacity,
            policy=policy,
            mandatory=read.keep("mandatory", mandatory),
            rules=rules,
            releases=read.keep("releases", releases),
            clock=self.clock,
        )

    def save(
        self, folder: Place, *, trusted: Iterable[str] = (), few_files: bool = False
    ) -> Path:
        """Write the engine as a folder of text, JSON and Arrow tables with checksums.

        Parameters
        ----------
        folder : path
            Where to write; an engine saved there before is replaced at once.
        trusted : iterable of str, default=()
            Full names of types in your own classifier or regressor that are not on the
            list of this library, and that you will pass to `load`.
        few_files : bool, default=False
            Whether to write ten files, rather than one per table that `save` can link.

        Returns
        -------
        folder : Path
            The folder.

        Raises
        ------
        ArgumentError
            If a model cannot be written, or holds a type that is not trusted.
        """
        state = self._need_state()
        check_folder("save", folder)
        found = pack(self._settings(), state, trusted, by_kind=few_files)
        parts = found._asdict() | {"by_kind": few_files}
        path = write_folder(folder, **parts, owner="RiskEngine.save")
        _log.info("RiskEngine.save: version %s", state.version)
        return path

    @classmethod
    def load(
        cls,
        folder: Place,
        *,
        trusted: Iterable[str] = (),
        digest: str | None = None,
        public_key: str | os.PathLike[str] | bytes | None = None,
        mapped: bool = False,
        verify: Literal["full", "first_use"] = "full",
    ) -> Self:
        """Read an engine that `save` wrote; nothing is unpickled.

        Parameters
        ----------
        folder : path
            The folder.
        trusted : iterable of str, default=()
            Full names of types that may be made besides those of the list of this
            library. Pass them only for a folder whose origin you know.
        digest : str, default=None
            What `folder_digest` returned for the folder: another one is refused before
            anything of it is parsed. None for no such check.
        public_key : path or bytes, default=None
            Public key of whoever must have signed the folder, in PEM: its file or its
            content. None for no such check.
        mapped : bool, default=False
            Whether the tables of the history stay in their files, mapped into
            memory, which several processes share. The folder must not be written to
            meanwhile by anything but `save`.
        verify : {"full", "first_use"}, default="full"
            When tables of the history are compared with what was saved: now, or each
            before its first use, in files mapped as above; that call raises for damage.

        Returns
        -------
        engine : RiskEngine
            With the same settings; its scores are bit-identical.

        Raises
        ------
        ArtefactError
            If any file was edited, truncated, added or removed, is no plain file, or is
            not what an engine consists of; if the digest or the signature is not the
            one that was asked for; or if a model names a type that is not trusted.
        """
        check_folder("load", folder)
        check_choice("RiskEngine.load", "verify", verify, ("full", "first_use"))
        how: dict[str, Any] = {"digest": digest, "public_key": public_key}
        how |= {"mapped": mapped, "deferred": verify == "first_use"}
        found = read_folder(folder, **how, owner="RiskEngine.load")
        settings, state = unpack(found, folder=str(folder), trusted=trusted)
        engine = cls(**vars(settings))
        engine._state = state
        _log.info("RiskEngine.load: version %s", state.version)
        return engine
