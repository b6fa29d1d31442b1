"""Worlds, engines, a tracking store and a database server for the whole session.

`world` and `engine` are small and quick: the engine has too few hits to be calibrated.
`calibrated_engine` has calibration, early stopping and a revenue model.
`date_only_world` has ties in time everywhere, `document_world` several items per
document without item numbers, `french_table` is written as an administration writes it.
"""

from __future__ import annotations

import os
import runpy

# Before numpy, LightGBM or MLflow are loaded anywhere: OpenMP reads its policy once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

settings.register_profile("tests", derandomize=True, deadline=None, database=None)
settings.load_profile("tests")

ROOT = Path(__file__).resolve().parents[1]
#: What the clock shows in every test of this process.
NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
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


@pytest.fixture(scope="session", autouse=True)
def _fixed_clock():
    """Stop the clock: `scored_at` and `decided_at` are in no law of equality."""
    from smartrisk import clock

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_now", lambda: NOW)
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
def calibrated_world():
    """Return a world with hits enough to stop early and to calibrate."""
    from smartrisk.datasets import make_declarations

    return make_declarations(10_000, random_state=0, scenario="small")


@pytest.fixture(scope="session")
def calibrated_split(calibrated_world):
    """Return the past, the results known of it, and the later quarter."""
    from smartrisk.windows import time_split

    return time_split(calibrated_world.declarations, calibrated_world.outcomes)


@pytest.fixture(scope="session")
def calibrated_engine(calibrated_split):
    """Return an engine with calibration, early stopping and a revenue model."""
    from smartrisk import RiskEngine

    engine = RiskEngine(random_state=0)
    engine.fit(calibrated_split.past, calibrated_split.known)
    slope, intercept = engine.classifier_.calibration_
    if (slope, intercept) == (1.0, 0.0) or engine.regressor_.booster_ is None:
        raise RuntimeError(
            "the engine for tests is not calibrated; choose another world"
        )
    return engine


@pytest.fixture(scope="session")
def date_only_world(world):
    """Return declarations and outcomes of the small world, dates without times."""

    def without_times(frame):
        moments = frame.select_dtypes("datetime").columns
        return frame.assign(**{name: frame[name].dt.normalize() for name in moments})

    return without_times(world.declarations), without_times(world.outcomes)


@pytest.fixture(scope="session")
def document_world(world):
    """Return declarations of several items each, without item numbers, and the results.

    An item keeps its place in its document: the first is number 1.
    """
    declarations = world.declarations.sort_values(
        ["declaration_id", "item_number"], kind="stable", ignore_index=True
    )
    return declarations.drop(columns="item_number"), world.outcomes


@pytest.fixture(scope="session")
def french_columns():
    """Return how the columns of `french_table` read."""
    from smartrisk.schema import ColumnMap

    return ColumnMap(
        {
            "declaration_id": "n° déclaration",
            "item_number": "n° article",
            "lodged_at": "date d'enregistrement",
            "office": "bureau",
            "importer_id": "importateur",
            "tariff_code": "position tarifaire",
            "origin": "pays d'origine",
            "customs_value": "valeur en douane",
            "net_mass_kg": "masse nette",
            "duty_rate": "taux (%)",
            "illicit": "fraude",
            "revenue_adjustment": "montant redressé",
            "known_at": "date du résultat",
        },
        day_first=True,
        decimal=",",
        duty_rate_unit="percent",
        tariff_digits=11,
    )


@pytest.fixture(scope="session")
def french_world():
    """Return the world behind `french_table`."""
    from smartrisk.datasets import make_declarations

    return make_declarations(12_000, random_state=3)


@pytest.fixture(scope="session")
def french_table(french_world):
    """Return items and results in one table as a French-speaking office has it."""
    keys = ["declaration_id", "item_number"]
    table = french_world.declarations.merge(french_world.outcomes, on=keys, how="left")

    def comma(values, digits):
        return values.map(lambda v: f"{v:.{digits}f}".replace(".", ","), "ignore")

    def day(moments):
        return moments.dt.strftime("%d/%m/%Y")

    return pd.DataFrame(
        {
            "n° déclaration": table["declaration_id"],
            "n° article": table["item_number"],
            "date d'enregistrement": day(table["lodged_at"]),
            "bureau": table["office"],
            "importateur": table["importer_id"],
            "position tarifaire": table["tariff_code"].str.ljust(11, "0").astype(int),
            "pays d'origine": table["origin"],
            "valeur en douane": comma(table["customs_value"], 4),
            "masse nette": comma(table["net_mass_kg"], 6),
            "taux (%)": comma(table["duty_rate"] * 100, 4),
            "fraude": table["illicit"],
            "montant redressé": comma(table["revenue_adjustment"], 4),
            "date du résultat": day(table["known_at"]),
        }
    )


@pytest.fixture(scope="session")
def kcs_path():
    """Return the folder of the Korean set; skip where it was not downloaded."""
    default = ROOT.parent / "shared" / "data" / "kcs"
    path = Path(os.environ.get("SMARTRISK_KCS", default))
    if not path.exists():
        pytest.skip("the Korean set is not here; set SMARTRISK_KCS to its folder")
    return path


# ------------------------------------------------------------------ ledger


@pytest.fixture(scope="session")
def make_decisions():
    """Return a function that makes decisions on n items."""

    def make(n=40, start=0):
        return pd.DataFrame(
            {
                "declaration_id": [f"D{k}" for k in range(start, start + n)],
                "item_number": 1,
                "channel": ["red" if k % 4 == 0 else "green" for k in range(n)],
                "propensity": [0.1 + k / 1000 for k in range(n)],
                "decided_at": pd.Timestamp("2026-01-05 08:30"),
            }
        )

    return make


# ----------------------------------------------------------------- browser


@pytest.fixture(scope="session")
def photograph():
    """Return a function that takes a picture of a page where a folder asks for it.

    ``SMARTRISK_ARTEFACTS`` names the folder. Pictures take a third of the time of these
    tests, so there are none without it.
    """
    folder = os.environ.get("SMARTRISK_ARTEFACTS")

    def take(page, name, **options):
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", **options)

    return take


@pytest.fixture(scope="session")
def browser():
    """Return a real Chromium; none is a skip, in continuous integration a failure."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium: install Debian's package 'chromium'.")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


# ---------------------------------------------------------------- tracking


@pytest.fixture(scope="session")
def _tracking_template(tmp_path_factory):
    """Return a migrated SQLite store: migrating takes seconds, copying nothing."""
    import mlflow

    path = tmp_path_factory.mktemp("tracking") / "template.db"
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    mlflow.search_experiments()
    # Not the address before: a default that is set counts as chosen by the user.
    mlflow.set_tracking_uri(None)
    return path


@pytest.fixture
def tracking_uri(tmp_path, _tracking_template, monkeypatch):
    """Return the address of a fresh local store that MLflow points to."""
    import mlflow

    path = tmp_path / "mlflow.db"
    shutil.copy(_tracking_template, path)
    uri = f"sqlite:///{path}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    # MLflow keeps the number of its active experiment, which another store lacks, in
    # the process and in the environment.
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment(
        "tests", artifact_location=(tmp_path / "artifacts").as_uri()
    )
    mlflow.set_experiment("tests")
    yield uri
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


# -------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="session")
def postgres_trials(root):
    """Return the names of the benchmark that starts servers; skip where none is."""
    names = runpy.run_path(str(root / "benchmarks" / "ledger_server.py"))
    pytest.importorskip("psycopg", reason="psycopg is not here: '.[postgres]'")
    if names["find_programs"]() is None:
        pytest.skip("PostgreSQL is not here: apt-get install postgresql")
    return names


@pytest.fixture(scope="session")
def postgres(postgres_trials):
    """Return a running server of its own, which no test stops; mark tests as slow."""
    with postgres_trials["Server"]() as running:
        yield running


@pytest.fixture
def postgres_database(postgres, request):
    """Return the name of a new, empty database; `postgres.address(database=name)`."""
    import psycopg

    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgres.address(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return name
