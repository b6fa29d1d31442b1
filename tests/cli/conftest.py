"""Files of a small world, and an engine on disk."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def files(tmp_path_factory, past_and_new, outcomes, engine):
    """Return a folder with new.csv, past.parquet, outcomes.csv and the engine."""
    folder = tmp_path_factory.mktemp("files")
    past, new = past_and_new
    known = outcomes[outcomes["known_at"] < past["lodged_at"].max()]
    plain = [name for name in new if not name.startswith("dq_")]
    new[plain].to_csv(folder / "new.csv", index=False)
    past[plain].to_parquet(folder / "past.parquet", index=False)
    known.to_csv(folder / "outcomes.csv", index=False)
    outcomes.to_csv(folder / "all-outcomes.csv", index=False)
    engine.save(folder / "engine")
    return folder


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs the command line and returns status and output."""
    from smartrisk.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = main([str(word) for word in words])
        written = capsys.readouterr()
        return status, written.out, written.err

    return run


@pytest.fixture
def migrated(_tracking_template):
    """Return a migrated, empty SQLite store to copy."""
    return _tracking_template
