"""Engines by address, and the commands of the registry."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from smartrisk.cli import main
from smartrisk.tracking import log_run


@pytest.fixture
def folder(tmp_path, _tracking_template, monkeypatch):
    """Return an empty folder, the working one, with a store where it is by default."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "smartrisk-mlruns"
    store.mkdir()
    shutil.copy(_tracking_template, store / "mlflow.db")
    return tmp_path


def error_of(words, capsys):
    """Return the message of a command that cannot be done."""
    assert main(words) == 2
    return capsys.readouterr().err


def test_an_address_that_names_no_engine_is_an_error(folder, capsys):
    pd.DataFrame({"declaration_id": ["A"]}).to_csv(folder / "new.csv")
    words = ["score", "new.csv", "--engine"]
    assert "no folder 'absent'" in error_of([*words, "absent"], capsys)
    tracked = error_of([*words, ".", "--tracking-uri", "sqlite:///x.db"], capsys)
    assert "'.' is a folder" in tracked
    absent = error_of([*words, "models:/nothing@champion"], capsys)
    assert "no registered model 'nothing'; it has none" in absent
    assert "'run' must be a Run" in error_of([*words, "models:/nothing"], capsys)
    dead = error_of(
        [*words, "models:/a@b", "--tracking-uri", "http://127.0.0.1:9"], capsys
    )
    assert "no answer" in dead
    assert "no version" in error_of(["rollback", "--by", "A", "--reason", "b"], capsys)
    assert main(["champions"]) == 0
    assert "customs-risk: no champion" in capsys.readouterr().out


@pytest.mark.slow
def test_an_engine_is_registered_used_and_rolled_back(
    folder, engine, past_and_new, world, capsys
):
    _, new = past_and_new
    new.to_csv(folder / "new.csv", index=False)
    world.full_outcomes().to_csv(folder / "results.csv", index=False)
    runs = [log_run(e).run_id for e in (engine, engine.copy())]
    data = ["--declarations", "new.csv", "--outcomes", "results.csv"]
    data += ["--by", "Ada", "--reason", "a test", "--name", "targets"]
    assert main(["register", runs[0], *data]) == 0
    assert "version 1 is the champion: there was none" in capsys.readouterr().out
    assert main(["register", f"runs:/{runs[1]}", *data, "--metric", "brier"]) == 1
    assert "version 2 stays challenger, 0.0000 short" in capsys.readouterr().out
    (folder / "gate.toml").write_text('metric = "roc_auc"\nmin_gain = 0.5\n')
    more = ["--gate", "gate.toml", "--min-gain", "-0.1", "--since", "2020-01-01"]
    assert main(["register", runs[1], *data, *more]) == 0
    for words in (
        ["score", "new.csv", "--show", "1"],
        ["explain", "new.csv", "--show", "1"],
        ["select", "new.csv", "--show", "1"],
    ):
        assert main([*words, "--engine", "models:/targets@champion"]) == 0
    capsys.readouterr()
    assert main(["rollback", "targets", "--by", "Bo", "--reason", "no"]) == 0
    assert "version 1 is the champion again" in capsys.readouterr().out
    assert main(["champions", "targets"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Ada") == 2
    assert shown.count("Bo") == 1
