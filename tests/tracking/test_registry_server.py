"""The whole story on MLflow's own server, which keeps its runs on PostgreSQL."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk import RiskEngine
from smartrisk.cli import main
from smartrisk.ledger import Ledger
from smartrisk.tracking import Gate, champions, load, log_run, register, rollback

pytestmark = pytest.mark.slow


@pytest.fixture
def server(postgres, postgres_database, mlflow_server_on, tmp_path, monkeypatch):
    """Return the address of a tracking server with a database of its own."""
    address = postgres.address(database=postgres_database)
    backend = address.replace("postgresql://", "postgresql+psycopg://")
    with mlflow_server_on(tmp_path, backend) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        yield uri


def test_an_engine_is_logged_judged_promoted_used_anchored_and_rolled_back(
    server, engine, past_and_new, world, tmp_path, make_decisions, capsys
):
    past, new = past_and_new
    early = past[past["lodged_at"] < past["lodged_at"].quantile(0.7)]
    known = world.outcomes["known_at"] < early["lodged_at"].max()
    weak = RiskEngine(random_state=0).fit(early, world.outcomes[known])
    with Ledger(tmp_path / "decisions.sqlite") as ledger:
        head = ledger.record(make_decisions(3))
        runs = [log_run(weak), log_run(engine, anchor=head)]
        data = {"declarations": new, "outcomes": world.full_outcomes()}
        gate = Gate(metric="roc_auc", min_gain=-0.5)
        made = [
            register(run, by="Ada", reason=reason, gate=gate, **data)
            for run, reason in zip(runs, ("the first", "a refit"), strict=True)
        ]
        assert [registration.version for registration in made] == ["1", "2"]
        assert all(registration.promoted for registration in made)

        items = tmp_path / "new.csv"
        new.head(30).to_csv(items, index=False)
        words = ["score", "--engine", "models:/customs-risk@champion", str(items)]
        assert main([*words, "--out", str(tmp_path / "scores.csv")]) == 0
        written = pd.read_csv(tmp_path / "scores.csv", dtype={"model_version": str})
        assert set(written["model_version"]) == {engine.version_}

        assert rollback(by="Bo", reason="too many alarms").version == "1"
        assert load("models:/customs-risk@champion").version_ == weak.version_
        assert list(champions().frame()["by"]) == ["Ada", "Ada", "Bo"]
        assert ledger.verify(anchor=runs[1]).ok
    capsys.readouterr()
