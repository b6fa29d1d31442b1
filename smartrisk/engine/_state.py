"""What an engine consists of: settings and fitted state, packed and unpacked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from smartrisk import __version__
from smartrisk.artefact import (
    Arrays,
    FolderContent,
    KeptFile,
    TablesOnDemand,
    block_file,
    parse_json,
    table_file,
)
from smartrisk.clock import Clock, check_clock
from smartrisk.engine._models import (
    Blobs,
    Classifier,
    Regressor,
    check_models,
    count_trees,
    describe_model,
    new_model,
    pack_model,
    pack_setting,
    unpack_model,
    unpack_setting,
)
from smartrisk.engine._saved_content import naming_file, odd_content, read_content
from smartrisk.engine._stages import StageReport
from smartrisk.engine._stakes import Stakes
from smartrisk.engine._version import digest_models, make_version
from smartrisk.errors import (
    ArgumentError,
    ArtefactError,
    check_choice,
    check_jobs,
    check_number,
    format_values,
)
from smartrisk.features import (
    DEFAULT_KEYS,
    DeclarationFeatures,
    HistoryBlocks,
    Key,
    LearnedHistory,
    check_learned,
    from_settings,
    pack_history,
    restore_history,
    store_history,
    to_settings,
    unpack_history,
)
from smartrisk.items import ANY_HIT, TARGETS, UInt
from smartrisk.lineage import SOURCE_ROW, Source
from smartrisk.monitoring import InputProfile, profile_from_plain, profile_to_plain
from smartrisk.schema import DECLARATIONS, STAGES, ColumnMap
from smartrisk.threads import count_jobs

if TYPE_CHECKING:
    from smartrisk.engine._updating import UpdateReport

#: A parameter as `RiskEngine.describe` returns it.
Setting: TypeAlias = str | int | float | bool | list[str] | list[float] | None

_STATE = "engine.json"
_PROFILE = "profile.json"
_LEARNED = "learned"
#: How the names of the columns begin that say what validation repaired.
_FLAG = "dq_"
#: LightGBM keeps its seed in 32 bits with a sign.
_MOST_SEED = 2**31 - 1
#: Threads of the default features: more wait for memory most of the time.
_FEATURE_THREADS = 2
#: Default of `n_jobs`, the same as that of the models: more threads wait for each other
#: at every split. It is an upper bound, of which small data uses one.
MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineSettings:
    """The parameters of an engine, and the unfitted parts that they ask for.

    Parameters
    ----------
    features : DeclarationFeatures or None
        Unfitted transformer; None for the default keys.
    classifier : estimator or None
        Unfitted model of a hit; None for the default.
    regressor : estimator or None
        Unfitted model of revenue given a hit; None for the default.
    label_delay : int
        Days from lodgement to the result where `known_at` is missing.
    n_jobs : int or None
        Threads at most.
    random_state : int
        Seed.
    own_fields : mapping of str to str, default=None
        Fields that the administration adds, and the kind of each.
    target : str, default="hit"
        What the models are to find: one of `smartrisk.items.TARGETS`.
    clock : callable or datetime, default=None
        When items are scored and decided. It is not saved: a function cannot be, and a
        fixed moment would date later scores wrongly.
    """

    features: DeclarationFeatures | None
    classifier: BaseEstimator | None
    regressor: BaseEstimator | None
    label_delay: int
    n_jobs: int | None
    random_state: int
    own_fields: Mapping[str, str] | None = None
    target: str = ANY_HIT
    clock: Clock = None

    def check(self) -> None:
        """Raise unless all parameters are allowed; warn of classes to be trusted."""
        self.check_values()
        check_models(self.classifier, self.regressor)

    def check_values(self) -> None:
        """Raise unless all parameters but the models are allowed."""
        owner = "RiskEngine"
        check_choice(owner, "target", self.target, TARGETS)
        check_number(owner, "label_delay", self.label_delay, low=0, integer=True)
        check_jobs(owner, self.n_jobs)
        check_clock(owner, self.clock)
        check_number(
            owner,
            "random_state",
            self.random_state,
            low=0,
            high=_MOST_SEED,
            integer=True,
        )
        ColumnMap(own_fields=self.own_fields or {})  # raises for names and kinds
        if not isinstance(self.features, (DeclarationFeatures, type(None))):
            raise ArgumentError(
                "engine.features_of_another_type",
                "RiskEngine: 'features' must be None or DeclarationFeatures(...); got "
                "{given}.",
                given=repr(self.features),
            )

    def new_features(
        self, own_fields: Mapping[str, str] | None = None
    ) -> DeclarationFeatures:
        """Return an unfitted transformer, of own fields too.

        By default, every own code has a history of its own.
        """
        own = self.own_fields if own_fields is None else own_fields
        if self.features is not None:
            features: DeclarationFeatures = clone(self.features)
            if own and features.own_fields is None:
                features.set_params(own_fields=dict(own))
            return features
        n_jobs = self.n_jobs
        if n_jobs is not None:
            n_jobs = min(count_jobs(n_jobs), _FEATURE_THREADS)
        codes = [name for name, kind in (own or {}).items() if kind == "code"]
        return DeclarationFeatures(
            (*DEFAULT_KEYS, *(Key((name,)) for name in codes)),
            own_fields=dict(own) if own else None,
            label_delay=self.label_delay,
            n_jobs=n_jobs,
        )

    def new_classifier(self) -> Classifier:
        """Return an unfitted model of a hit."""
        model: Classifier = new_model("classifier", self.classifier, **self._common())
        return model

    def new_regressor(self) -> Regressor:
        """Return an unfitted model of revenue."""
        model: Regressor = new_model("regressor", self.regressor, **self._common())
        return model

    def _common(self) -> dict[str, Any]:
        """Return what the default models take over."""
        return {"n_jobs": self.n_jobs, "random_state": self.random_state}


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineState:
    """What a fitted engine consists of.

    Parameters
    ----------
    history : LearnedHistory
        The fitted features, their history, and what it holds.
    classifier : RiskClassifier or ClassifierAdapter
        The fitted model of a hit.
    regressor : RevenueRegressor or RegressorAdapter
        The fitted model of revenue.
    learned : ndarray of uint64
        Sorted `item_ids` of the items whose results the models were fitted on.
    models : str
        Digest of both models, from `digest_models`.
    version : str
        Digest of what decides a score, from `make_version`.
    profile : InputProfile, default=None
        What the inputs of the fit were like; None where it is not known. It decides no
        score and is no part of the version.
    last_update : UpdateReport, default=None
        What the last change of the history did.
    own_fields : mapping of str to str, default={}
        Fields that the administration adds, and the kind of each.
    sources : tuple of Source, default=()
        From which files the items and results came. They decide no score and are no
        part of the version.
    stage : StageReport, default=None
        What the scores rest on; None where it is not known, as in folders of earlier
        versions, whose models learned from results.
    stakes : Stakes, default=None
        How what is at stake is measured, the scale of the revenue; None in folders of
        earlier versions, whose scale is the customs value.
    target : str, default="hit"
        What the models were fitted to find: one of `smartrisk.items.TARGETS`.
    """

    history: LearnedHistory
    classifier: Classifier
    regressor: Regressor
    learned: UInt
    models: str
    version: str
    profile: InputProfile | None = None
    last_update: UpdateReport | None = None
    own_fields: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    stage: StageReport | None = None
    stakes: Stakes | None = None
    target: str = ANY_HIT

    @property
    def stage_name(self) -> str:
        """One of `STAGES`."""
        return STAGES[-1] if self.stage is None else self.stage.stage

    @property
    def features(self) -> DeclarationFeatures:
        """The fitted history and features."""
        return self.history.features

    def has_learned(self, ids: UInt) -> NDArray[np.bool_]:
        """Return which items the models were fitted on."""
        place = np.searchsorted(self.learned, ids)
        inside = place < len(self.learned)
        learned = np.zeros(len(ids), bool)
        learned[inside] = self.learned[place[inside]] == ids[inside]
        return learned

    def last_learned_day(self) -> np.datetime64 | None:
        """Return the last day of an item that the models were fitted on."""
        return self.history.last_day(self.learned)


def describe(settings: EngineSettings, state: EngineState | None) -> dict[str, Setting]:
    """Return the parameters of an engine and of its parts in one flat dictionary."""
    parts = {
        "features": state.features if state else settings.new_features(),
        "classifier": state.classifier if state else settings.new_classifier(),
        "regressor": state.regressor if state else settings.new_regressor(),
    }
    flat: dict[str, Setting] = {
        "target": settings.target if state is None else state.target,
        "label_delay": settings.label_delay,
        "random_state": settings.random_state,
    }
    for part, estimator in parts.items():
        for name, value in describe_model(estimator).items():
            if name.endswith("keys"):
                value = [key.label for key in value]
            if name == "own_fields":
                if not value:
                    continue
                value = ", ".join(f"{own} ({kind})" for own, kind in value.items())
            flat[f"{part}.{name}"] = list(value) if isinstance(value, tuple) else value
    if state is not None:
        flat["n_items"] = len(state.history.items)
        flat["n_results"] = state.history.results.n_items
        flat["stage"] = state.stage_name
        flat["n_features"] = len(state.features.feature_info_)
        n_trees = count_trees(state.classifier)
        if n_trees is not None:
            flat["n_trees"] = n_trees
    return flat


def pack(
    settings: EngineSettings,
    state: EngineState,
    trusted: Iterable[str],
    *,
    by_kind: bool = False,
) -> FolderContent:
    """Return the content from which `unpack` makes settings and state.

    `by_kind` is for few files: all tables of a kind in one.
    """
    settings.check_values()
    tables: Mapping[str, Arrays]
    blocks: dict[str, Any] | None = None
    kept: Mapping[str, KeptFile] = {}
    if by_kind:
        learned, tables = pack_history(state.history)
    else:
        learned, blocks, tables, kept = store_history(state.history)
    classifier, texts, blobs = pack_model("classifier", state.classifier, trusted)
    regressor, more_texts, more_blobs = pack_model(
        "regressor", state.regressor, trusted
    )
    plain_settings, unfitted = _plain_settings(settings)
    content: dict[str, Any] = {
        "smartrisk": __version__,
        "version": state.version,
        "settings": plain_settings,
        "features": learned,
        "digests": state.history.digests(),
        "classifier": classifier,
        "regressor": regressor,
    }
    if blocks is not None:
        content["blocks"] = blocks
    if state.target != ANY_HIT:
        content["target"] = state.target
    if state.own_fields:
        content["own_fields"] = dict(state.own_fields)
    if state.sources:
        content["sources"] = [source.to_dict() for source in state.sources]
    if state.stakes is not None:
        content["stakes"] = state.stakes.to_plain()
    if state.stage is not None:
        content["stage"] = state.stage.to_plain()
    texts |= more_texts
    texts[_STATE] = json.dumps(content, indent=1, default=_plain_number)
    if state.profile is not None:
        texts[_PROFILE] = json.dumps(profile_to_plain(state.profile))
    every = TablesOnDemand()
    for name in tables:
        every.add(name, partial(tables.__getitem__, name))
    every.add(_LEARNED, lambda: {"id": state.learned})
    return FolderContent(texts, every, {**blobs, **more_blobs, **unfitted}, kept)


def unpack(
    found: FolderContent, *, folder: str, trusted: Iterable[str]
) -> tuple[EngineSettings, EngineState]:
    """Return the settings and the state that `pack` packed.

    Raises
    ------
    ArtefactError
        If the content is not what this version writes; `folder` names it.
    """
    texts, tables, blobs, kept = found
    content = read_content(texts, _STATE)
    with naming_file(_STATE):
        learned = tables[_LEARNED]["id"]
        check_learned(learned)
        history = _unpack_history(content, tables, kept)
        last = str(history.features.last_day_)
        if content["features"].get("last_day", last) != last:
            raise odd_content(_STATE, f"the last day of the history is {last}")
        classifier, regressor = (
            unpack_model(part, content[part], texts, blobs, trusted)
            for part in ("classifier", "regressor")
        )
        _check_sizes(history, classifier, regressor)
        _check_columns(history, content.get("own_fields", {}))
        stakes = None
        if "stakes" in content:
            stakes = Stakes.from_plain(content["stakes"])
        models = digest_models(classifier, regressor, stakes)
        settings = _settings_from_plain(content["settings"], blobs, trusted)
        settings.check_values()
        target = content.get("target", ANY_HIT)
        stage = None
        if "stage" in content:
            stage = StageReport.from_plain(content["stage"])
    with naming_file(_PROFILE):
        profile = _unpack_profile(texts.get(_PROFILE))
    state = EngineState(
        history=history,
        classifier=classifier,
        regressor=regressor,
        learned=learned,
        models=models,
        version=make_version(models, history, target),
        profile=profile,
        own_fields=content.get("own_fields", {}),
        sources=tuple(map(Source.from_dict, content.get("sources", ()))),
        stage=stage,
        stakes=stakes,
        target=target,
    )
    _check_digests(folder, content, state)
    return settings, state


def _unpack_history(
    content: Mapping[str, Any],
    tables: Mapping[str, Arrays],
    kept: Mapping[str, KeptFile],
) -> LearnedHistory:
    """Return the history of a folder, or of one in the format before."""
    if "blocks" in content:
        stored = HistoryBlocks(content["features"], content["blocks"], tables, kept)
        return restore_history(stored)
    known = cast(dict[str, Arrays], tables)
    known.pop(_LEARNED)
    return unpack_history(content["features"], known, content["digests"])


def _check_sizes(history: LearnedHistory, *models: Classifier | Regressor) -> None:
    """Raise unless the models take as many features as there are."""
    n_features = len(history.features.feature_info_)
    for model in models:
        if model.n_features_in_ != n_features:
            raise odd_content(
                _STATE,
                f"a model takes {model.n_features_in_} features of {n_features}",
            )


def _check_columns(history: LearnedHistory, own_fields: Mapping[str, str]) -> None:
    """Raise unless the columns of the fit are fields, own ones or flags, each once."""
    names = history.features.feature_names_in_.tolist()
    known = {*DECLARATIONS.names, *own_fields, SOURCE_ROW}
    odd = [
        name for name in names if name not in known and not str(name).startswith(_FLAG)
    ]
    missing = [f.name for f in DECLARATIONS if f.required and f.name not in names]
    if odd or missing or len(set(names)) != len(names):
        problem = f"the columns of the fit are {format_values(odd or missing or names)}"
        raise odd_content(_STATE, problem)


def _check_digests(folder: str, content: Mapping[str, Any], state: EngineState) -> None:
    """Raise where what was read does not have the digests that it was saved with."""
    saved, digests = content["version"], content["digests"]
    found = state.history.digests()
    other = [name for name in digests | found if digests.get(name) != found.get(name)]
    if not other and saved == state.version:
        return
    file_of = block_file if "blocks" in content else table_file
    files = sorted({file_of(name) for name in other})
    raise ArtefactError(
        "engine.content_differs",
        "RiskEngine.load: {folder!r} was saved as version {saved}, but its content has "
        "version {found}; {n_tables} tables of the history differ ({tables}), so that "
        "{files} was changed. Restore a copy, or load it with the versions of the "
        "libraries that wrote it.",
        folder=folder,
        saved=str(saved),
        found=state.version,
        n_tables=len(other),
        tables=format_values(other),
        files=format_values(files) or f"{_STATE!r}, the codes or a model",
    )


def _unpack_profile(text: str | None) -> InputProfile | None:
    """Return the profile of the inputs, None where none was saved."""
    if text is None:
        return None
    plain = parse_json(text, name=_PROFILE, owner="RiskEngine.load")
    return profile_from_plain(plain)


def _plain_settings(settings: EngineSettings) -> tuple[dict[str, Any], Blobs]:
    """Return settings as plain values and bytes; parts that are None stay None."""
    features = settings.features
    classifier, blobs = pack_setting("classifier", settings.classifier)
    regressor, more_blobs = pack_setting("regressor", settings.regressor)
    plain = {
        "features": None if features is None else to_settings(features),
        "classifier": classifier,
        "regressor": regressor,
        "label_delay": settings.label_delay,
        "n_jobs": settings.n_jobs,
        "random_state": settings.random_state,
    }
    if settings.target != ANY_HIT:
        plain["target"] = settings.target
    if settings.own_fields:
        plain["own_fields"] = dict(settings.own_fields)
    return plain, {**blobs, **more_blobs}


def _settings_from_plain(
    plain: dict[str, Any], blobs: Blobs, trusted: Iterable[str]
) -> EngineSettings:
    """Return the settings that `_plain_settings` described."""
    features = plain["features"]
    classifier, regressor = (
        unpack_setting(part, plain[part], blobs, trusted)
        for part in ("classifier", "regressor")
    )
    return EngineSettings(
        features=None if features is None else from_settings(features),
        classifier=classifier,
        regressor=regressor,
        label_delay=plain["label_delay"],
        n_jobs=plain["n_jobs"],
        random_state=plain["random_state"],
        own_fields=plain.get("own_fields"),
        target=plain.get("target", ANY_HIT),
    )


def _plain_number(value: object) -> int | float:
    """Return a NumPy number, such as a position of a feature, as a plain one."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no plain value")
