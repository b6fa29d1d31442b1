"""`log_run`: parameters, metrics, figures, digests of data and the engine."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, Message
from smartrisk.ledger import ANCHOR_TAG, Anchor
from smartrisk.tracking._contents import describe_data, prepare_figures
from smartrisk.tracking._context import (
    NOTE_TAG,
    STAGE_TAG,
    context_tags,
    describe_engine,
)
from smartrisk.tracking._facts import find_facts, log_facts
from smartrisk.tracking._findings import find_findings, log_findings
from smartrisk.tracking._metrics import Judgement, as_sequence, read_figures
from smartrisk.tracking._model import (
    VERSION_TAG,
    create_version,
    light_version,
    log_model,
)
from smartrisk.tracking._names import entry_names
from smartrisk.tracking._steps import (
    log_inputs,
    log_metrics,
    log_months,
    log_results,
    log_settings,
    new_run,
)
from smartrisk.tracking._store import (
    find_or_create_experiment,
    import_mlflow,
    limit_waiting,
    open_store,
    raise_tracking_errors,
    redact_uri,
    resolve_address,
)
from smartrisk.tracking._sweep import mark_killed, process_tags

_log = logging.getLogger("smartrisk")

#: Experiment of runs for which none is named.
DEFAULT_EXPERIMENT = "smartrisk"


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a logged engine is stored.

    Parameters
    ----------
    run_id : str
        Identifier of the MLflow run.
    model_uri : str
        Address of the logged model, for `load` or ``mlflow models serve -m``.
    tracking_uri : str
        Address of the store.
    experiment : str
        Name of the experiment.
    anchor : str, default=None
        Head of the ledger that was logged with it, for `Ledger.verify`.
    artifact_uri : str, default=None
        Where the files of the logged model are.

    Attributes
    ----------
    serve_uri : str
        Address for ``mlflow models serve -m``.
    view : str
        The command, or the address, that shows the run.

    Examples
    --------
    >>> from smartrisk.tracking import Run
    >>> run = Run(run_id="0af3", model_uri="models:/m-1", experiment="smartrisk",
    ...           tracking_uri="sqlite:///mlflow.db")
    >>> print(run)
    run 0af3 in experiment 'smartrisk'
      model  models:/m-1
      store  sqlite:///mlflow.db
      view   mlflow ui --backend-store-uri sqlite:///mlflow.db
      serve  mlflow models serve -m models:/m-1 --env-manager local
    """

    run_id: str
    model_uri: str
    tracking_uri: str
    experiment: str
    anchor: str | None = None
    artifact_uri: str | None = None

    @property
    def serve_uri(self) -> str:
        """Address for ``mlflow models serve -m``: of a local store the folder.

        Without a server MLflow looks for ``models:/`` in the store of its environment,
        not in this one.
        """
        if self.artifact_uri is None or self.tracking_uri.startswith("http"):
            return self.model_uri
        return self.artifact_uri

    @property
    def view(self) -> str:
        """The command, or the address, that shows the run."""
        return str(self._view())

    def _view(self) -> Message | str:
        """Return the command, or the address, that shows the run."""
        place = redact_uri(self.tracking_uri)
        if place.startswith("http"):
            return f"{place}/#/runs/{self.run_id}"
        view = _join_words("mlflow", "ui", "--backend-store-uri", place)
        light = light_version()  # it comes without the pages of MLflow
        if light is None:
            return view
        install = f'pip install "mlflow=={light}"'
        return Message(
            "tracking.install_first",
            "{install}, then: {view}",
            install=install,
            view=view,
        )

    def _repr_html_(self) -> str:
        """Return the text of the run for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"

    def __str__(self) -> str:
        """Return where the run is and how to view it."""
        return str(self.message)

    @property
    def message(self) -> Message:
        """Where the run is and how to view it, for another language."""
        place = redact_uri(self.tracking_uri)
        words = ("mlflow", "models", "serve", "-m", self.serve_uri)
        serve = _join_words(*words, "--env-manager", "local")
        if place.startswith("http"):
            serve = f"MLFLOW_TRACKING_URI={_join_words(place)} {serve}"
        return Message(
            "tracking.run",
            "run {run_id} in experiment {experiment!r}\n  model  {model}\n"
            "  store  {store}\n  view   {view}\n  serve  {serve}",
            run_id=self.run_id,
            experiment=self.experiment,
            model=self.model_uri,
            store=place,
            view=self._view(),
            serve=serve,
        )


def _join_words(*words: str) -> str:
    """Return words as a command line: those with spaces are quoted for the system."""
    if os.name == "nt":
        return subprocess.list2cmdline(words)
    return shlex.join(words)


def log_run(
    engine: RiskEngine,
    *,
    evaluation: Judgement | Sequence[Judgement] | None = None,
    contender: str | None = None,
    experiment: str | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
    run_name: str | None = None,
    description: str | None = None,
    declarations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    figures: Mapping[str, Any] | None = None,
    registered_model_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    anchor: Anchor | str | None = None,
) -> Run:
    """Log an engine and its evaluation as an MLflow run.

    Parameters
    ----------
    engine : RiskEngine
        A fitted engine.
    evaluation : Evaluation, Backtest, Periods, mapping or sequence, default=None
        Results whose figures become metrics such as ``precision_at_05pct``, and curves
        over rates and months. The months of a backtest become nested runs. A mapping
        holds names and numbers; a sequence holds several of these.
    contender : str, default=None
        The contender of a `Backtest` that this engine is: its figures have plain
        names, those of others begin with their name. None where there is one only.
    experiment : str, default=None
        Name of the experiment; None for that of the active run, else "smartrisk".
    tracking_uri : str or path, default=None
        Address of the store; a plain path is a folder for a SQLite store. None for the
        address set in MLflow, else the folder ``smartrisk-mlruns``.
    run_name : str, default=None
        Name of the run; None lets MLflow choose.
    description : str, default=None
        Text of the run's page, in Markdown; None for one that names the engine.
    declarations : DataFrame or mapping of str to DataFrame, default=None
        Data behind the run, by context ("training" for a single frame, or
        ``{"training": ..., "evaluation": ...}``). Column names, counts and a digest
        are logged, the importance of fields for a sample of the "evaluation" data,
        else of the "training" data, and the drift between the two; never a row. The
        months and fields of the data are stated for `read_run`.
        Metrics name the "evaluation" data.
    figures : mapping of str to Figure, display, page or path, default=None
        Pictures and pages by name: matplotlib figures, displays, pages that name no
        party (such as a `ModelCard`), or files.
    registered_model_name : str, default=None
        Also create a version of this registered model.
    tags : mapping of str to str, default=None
        More tags of the run; they replace those that MLflow sets, such as
        ``mlflow.user`` and ``mlflow.source.name``.
    anchor : Anchor or str, default=None
        Head of the ledger of decisions, as ``ledger.head()`` returns it. It becomes a
        tag; ``ledger.verify(anchor=run)`` compares the ledger with it later.

    Returns
    -------
    run : Run
        Where it is stored; pass it to `load`.

    Raises
    ------
    TrackingError
        If the store refuses, or does not answer within seconds. The engine remains
        usable.
    ArgumentError
        If an argument is of the wrong kind, or a page names parties.

    Warns
    -----
    TrackingWarning
        If a metric is not finite or refused by the store, or a name was changed to one
        that MLflow allows: the rest is logged.

    Notes
    -----
    The run carries user, program, commit and a description, as MLflow's own runs do. It
    names its process: a run whose process was killed is marked by the next `log_run` in
    the same store, or by `sweep`.

    While an MLflow run is active in the same store, the new run becomes its child, so
    several engines can be logged within one run without conflicting parameters. No
    global state of MLflow is changed and nothing is logged automatically. Rows and
    identities are never logged: parameters are settings, the input example is
    synthetic, and the history of the engine is keyed by digests.

    The signature of the model names the columns, all optional and of any type: MLflow's
    own checks would refuse an office written as a whole number, or whole numbers where
    decimals were learned, and turn a missing yes/no into no. The engine coerces and
    checks every value itself, as `RiskEngine.score` does.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> run = sr.tracking.log_run(engine)  # doctest: +SKIP
    >>> again = sr.tracking.load(run)  # doctest: +SKIP
    """
    pictures = prepare_figures(figures)
    results = as_sequence(evaluation)
    numbers = read_figures(results, contender, engine)
    data = describe_data(declarations)
    head = None if anchor is None else str(Anchor.parse(str(anchor)))
    given = {**(tags or {}), **({} if head is None else {ANCHOR_TAG: head})}
    uri = resolve_address(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="smartrisk-") as temporary:
        folder = engine.save(Path(temporary) / "engine", few_files=True)
        client = open_store(uri)
        found = find_findings(engine, declarations)
        facts = find_facts(engine, results, declarations)
        with (
            raise_tracking_errors(uri, "log_run"),
            limit_waiting(),
            process_tags() as own,
        ):
            mark_killed(client)
            place = _choose_place(client, uri, experiment)
            about = _make_tags(engine, given, description)
            run_tags = about | own | place.parent_tag()
            with new_run(client, place.experiment_id, run_name, run_tags) as run:
                log_settings(client, run, engine)
                log_facts(client, run, facts)
                log_results(client, run, results, pictures)
                log_findings(client, run, found)
                log_inputs(client, run, data)
                model_id = log_model(client, run, engine, folder, about)
                log_metrics(client, run, numbers, model_id, data.get("evaluation"))
                log_months(client, run, numbers.months, own)
            if registered_model_name is not None:
                create_version(client, registered_model_name, run.info.run_id, model_id)
            place_of_model = client.get_logged_model(model_id).artifact_location
    _log.info("log_run: run %s, version %s", run.info.run_id, engine.version_)
    return Run(
        run_id=run.info.run_id,
        model_uri=f"models:/{model_id}",
        tracking_uri=uri,
        experiment=place.experiment,
        anchor=head,
        artifact_uri=str(place_of_model),
    )


@dataclass(frozen=True)
class _Place:
    """The experiment of a run, and the run that it becomes a child of."""

    experiment: str
    experiment_id: str
    parent_id: str | None

    def parent_tag(self) -> dict[str, str]:
        """Return the tag by which MLflow nests a run."""
        return {} if self.parent_id is None else {"mlflow.parentRunId": self.parent_id}


def _choose_place(client: Any, uri: str, experiment: str | None) -> _Place:
    """Return where the run goes: named, that of the active run, or the default."""
    mlflow = import_mlflow()
    active = mlflow.active_run()
    if active is not None and mlflow.get_tracking_uri() != uri:
        active = None
    if experiment is None and active is not None:
        exp_id = active.info.experiment_id
        return _Place(client.get_experiment(exp_id).name, exp_id, active.info.run_id)
    name = DEFAULT_EXPERIMENT if experiment is None else experiment
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ArgumentError(
            "tracking.experiment_not_printable",
            "log_run: 'experiment' must be a printable text; got {name!r}.",
            name=str(name),
        )
    exp_id = find_or_create_experiment(client, uri, name)
    return _Place(name, exp_id, None if active is None else active.info.run_id)


def _make_tags(
    engine: RiskEngine,
    given: Mapping[str, str],
    description: str | None,
) -> dict[str, str]:
    """Return the tags of a run and its model: origin, versions, those of the caller."""
    names = entry_names("tags", given)
    out = context_tags()
    out[NOTE_TAG] = describe_engine(engine) if description is None else description
    out |= {names[str(name)]: str(value) for name, value in given.items()}
    own = {"smartrisk.version": __version__, STAGE_TAG: engine.stage_}
    return out | own | {VERSION_TAG: engine.version_}
