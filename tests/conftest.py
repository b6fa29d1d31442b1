"""A small synthetic world, one fitted engine, and a tracking store, session-wide."""

from __future__ import annotations

import os

# Before numpy, LightGBM or MLflow are loaded anywhere: OpenMP reads its policy once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import shutil
import socket
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0")


@pytest.fixture(scope="session", autouse=True)
def _no_network():
    """Refuse every connection that leaves the machine."""
    with pytest.MonkeyPatch.context() as patch:
        real = socket.socket.connect

        def connect(self, address):
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            if inet and not str(address[0]).startswith(LOOPBACK):
                raise OSError(f"tests use no network; refused {address!r}")
            return real(self, address)

        patch.setattr(socket.socket, "connect", connect)
        yield


@pytest.fixture(scope="session")
def root():
    """Return the folder of the project."""
    return ROOT


# ------------------------------------------------------------------ worlds


@pytest.fixture(scope="session")
def world():
    """Return a small world; tests that change a frame copy it first."""
    from smartrisk.datasets import make_declarations

    return make_declarations(6000, random_state=0)


@pytest.fixture(scope="session")
def declarations(world):
    """Return the declarations of the small world in canonical form."""
    from smartrisk.schema import DECLARATIONS
    from smartrisk.validation import validate

    return validate(world.declarations, DECLARATIONS)


@pytest.fixture(scope="session")
def outcomes(world):
    """Return the inspection results of the small world in canonical form."""
    from smartrisk.schema import OUTCOMES
    from smartrisk.validation import validate

    return validate(world.outcomes, OUTCOMES)


@pytest.fixture(scope="session")
def past_and_new(declarations):
    """Return the earlier four fifths of the items, and the later fifth."""
    cut = declarations["lodged_at"].quantile(0.8)
    early = declarations["lodged_at"] < cut
    return declarations[early], declarations[~early]


@pytest.fixture(scope="session")
def engine(past_and_new, outcomes):
    """Return an engine fitted on the past; tests that change it copy it first."""
    from smartrisk import RiskEngine

    past, _ = past_and_new
    known = outcomes["known_at"] < past["lodged_at"].max()
    return RiskEngine(random_state=0).fit(past, outcomes[known])


@pytest.fixture(scope="session")
def kcs_path():
    """Return the folder of the Korean set; skip where it was not downloaded."""
    default = ROOT.parent / "shared" / "data" / "kcs"
    path = Path(os.environ.get("SMARTRISK_KCS", default))
    if not path.exists():
        pytest.skip("the Korean set is not here; set SMARTRISK_KCS to its folder")
    return path


# ---------------------------------------------------------------- tracking


@pytest.fixture(scope="session")
def _tracking_template(tmp_path_factory):
    """Return a migrated SQLite store: migrating takes seconds, copying nothing."""
    import mlflow

    path = tmp_path_factory.mktemp("tracking") / "template.db"
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    mlflow.search_experiments()
    mlflow.set_tracking_uri(before)
    return path


@pytest.fixture
def tracking_uri(tmp_path, _tracking_template, monkeypatch):
    """Return the address of a fresh local store that MLflow points to."""
    import mlflow

    path = tmp_path / "mlflow.db"
    shutil.copy(_tracking_template, path)
    uri = f"sqlite:///{path}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment(
        "tests", artifact_location=(tmp_path / "artifacts").as_uri()
    )
    mlflow.set_experiment("tests")
    yield uri
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)
