"""A package that is not installed is named, with the command that installs it."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import smartrisk as sr
from smartrisk import progress, tracking
from smartrisk.errors import MissingExtraError, MissingLibraryError, needing
from smartrisk.models import RiskClassifier, dump_estimator, load_estimator
from smartrisk.pages import write_pages
from smartrisk.tracking import _model


@pytest.fixture(scope="module")
def known(engine, past_and_new, world, tmp_path_factory):
    """Return what the functions below are called with."""
    _, new = past_and_new
    new = new.head(40)
    reasons = engine.explain(new.head(4))
    display = sr.displays.ReasonsDisplay.from_reasons(reasons[0])
    return SimpleNamespace(
        engine=engine,
        past=world.declarations,
        outcomes=world.outcomes,
        new=new,
        reasons=reasons,
        display=display,
        estimator=dump_estimator(LogisticRegression()),
        folder=tmp_path_factory.mktemp("absent"),
    )


def explain_another(estimator):
    """Return a function that explains items by a model that is not LightGBM's."""

    def call(known):
        other = sr.RiskEngine(classifier=estimator).fit(known.past, known.outcomes)
        return other.explain(known.new.head(2))

    return call


def watch(known):
    """Write a page on a new set of templates."""
    from smartrisk.pages import _page

    _page._environment.cache_clear()
    return write_pages(known.engine, known.new, known.folder / "pages")


def show_steps(known):
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(progress, "is_watched", lambda: True)
        stack.enter_context(progress.track_steps(["one"]))


def log(known):
    return tracking.log_run(known.engine, tracking_uri=known.folder / "store")


CALLS = {
    "shap": {
        "Reasons.shap": lambda known: known.reasons.shap,
        "Reasons.explanation": lambda known: known.reasons.explanation("field"),
        "explain, other trees": explain_another(HistGradientBoostingClassifier()),
        "explain, linear": explain_another(
            make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
        ),
    },
    "mlflow": {
        "log_run": log,
        "load": lambda known: tracking.load("models:/x@champion"),
        "promote": lambda known: tracking.promote("models:/x@a", "y"),
        "champions": lambda known: tracking.champions("x"),
        "rollback": lambda known: tracking.rollback("x", by="A", reason="B"),
        "sweep": lambda known: tracking.sweep(),
        "extra_metrics": lambda known: tracking.extra_metrics(),
    },
    "tqdm": {"track_steps": show_steps},
    "matplotlib": {
        "plot": lambda known: known.display.plot(),
        "svg": lambda known: known.display.svg(),
        "save": lambda known: known.display.save(known.folder / "reasons.png"),
    },
    "jinja2": {"write_pages": watch},
    "skops": {
        "dump_estimator": lambda known: dump_estimator(LogisticRegression()),
        "load_estimator": lambda known: load_estimator(known.estimator),
    },
    "lightgbm": {
        "RiskEngine.fit": lambda known: sr.RiskEngine().fit(known.past, known.outcomes),
        "RiskClassifier.fit": lambda known: RiskClassifier().fit(
            [[0.0], [1.0]] * 200, [0, 1] * 200
        ),
    },
}


@pytest.mark.parametrize(
    ("package", "call"),
    [
        pytest.param(package, call, id=f"{package}: {name}")
        for package, calls in CALLS.items()
        for name, call in calls.items()
    ],
)
def test_what_needs_an_absent_package_names_it_and_the_command(
    package, call, known, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"^'{package}' is not") as caught:
        call(known)
    assert f"pip install {_target(package)}" in str(caught.value)


def _target(package):
    """Return the package with the versions that the project asks for."""
    lines = [r for r in importlib.metadata.requires("smartrisk") if ";" not in r]
    wanted = [line for line in lines if line.startswith(package)]
    return f"'{wanted[0]}'" if wanted else package


#: A store is opened in a process that has loaded nothing of MLflow yet.
OPEN_WITHOUT = """
import sys
from smartrisk.tracking import champions
from smartrisk.errors import MissingExtraError
sys.modules[sys.argv[1]] = None
try:
    champions(tracking_uri=sys.argv[2])
except MissingExtraError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("package", ["sqlalchemy", "alembic"])
def test_a_local_store_without_its_parts_names_them(package, store_file):
    found = subprocess.run(
        [sys.executable, "-c", OPEN_WITHOUT, package, str(Path(store_file).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == (
        f"'{package}' is not installed; run: pip install {package}"
    )


@pytest.fixture
def store_file(tmp_path, _tracking_template):
    """Return the file of an empty store."""
    return shutil.copy(_tracking_template, tmp_path / "mlflow.db")


def test_a_part_of_a_part_is_named_itself():
    with pytest.raises(MissingExtraError, match=r"^'absent_part' is not"):  # noqa: SIM117
        with needing("shap"):
            import absent_part.inner  # noqa: F401


# ------------------------------------------------------- what only systems can have


@pytest.mark.parametrize(
    ("system", "problem", "remedy"),
    [
        ("win32", "Could not find module 'lib_lightgbm.dll'", "vcruntime140_1.dll"),
        ("win32", "Could not find module 'lib_lightgbm.dll'", "msvcp140.dll"),
        ("darwin", "Library not loaded: @rpath/libomp.dylib", "brew install libomp"),
        ("linux", "libgomp.so.1: cannot open shared object", "libgomp1"),
    ],
)
def test_a_system_without_the_library_of_lightgbm_is_reported_in_words(
    system, problem, remedy, known, monkeypatch
):
    class Refusing:
        """Refuses LightGBM as a system without its libraries does."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "lightgbm":
                raise FileNotFoundError(problem)

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.delitem(sys.modules, "lightgbm")
    monkeypatch.setattr(sys, "meta_path", [Refusing, *sys.meta_path])
    with pytest.raises(MissingLibraryError, match="cannot start") as caught:
        RiskClassifier().fit([[0.0], [1.0]] * 200, [0, 1] * 200)
    assert remedy in str(caught.value)
    assert problem in str(caught.value)
    assert caught.value.name == "lightgbm"


# ------------------------------------------------------------- the light MLflow


def hide(monkeypatch, hidden, **versions):
    """Let the metadata of packages be absent, or have other versions."""
    real = importlib.metadata.version

    def version(name):
        if name == hidden:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions.get(name.replace("-", "_")) or real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_a_model_logged_with_the_light_mlflow_requires_that_one(known, monkeypatch):
    assert "mlflow-skinny" not in " ".join(_model._requirements(known.engine))
    hide(monkeypatch, "mlflow", mlflow_skinny="3.17.9")
    lines = _model._requirements(known.engine)
    assert "mlflow-skinny==3.17.9" in lines
    assert not [line for line in lines if line.startswith("mlflow==")]


def test_a_run_of_the_light_mlflow_says_how_it_can_be_viewed(monkeypatch):
    run = tracking.Run(
        run_id="1", model_uri="m", tracking_uri="sqlite:///a.db", experiment="e"
    )
    assert "view   mlflow ui" in str(run)
    hide(monkeypatch, "mlflow", mlflow_skinny="3.17.9")
    assert 'view   pip install "mlflow==3.17.9", then: mlflow ui' in str(run)
