"""The command `ledger` on a small record."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from smartrisk.ledger import Ledger


@pytest.fixture
def recorded(tmp_path, engine, past_and_new):
    """Return the path of a ledger with decisions, and its head."""
    new = past_and_new[1].head(5)
    new = new[[name for name in new if not name.startswith("dq_")]]
    with Ledger(tmp_path / "decisions.sqlite") as ledger:
        head = ledger.record(
            engine.select(new, 0.4), declarations=new, scores=engine.score(new)
        )
    return tmp_path / "decisions.sqlite", head, new


def test_a_ledger_is_verified_with_an_anchor(run, recorded):
    path, head, _ = recorded
    status, out, _ = run("ledger", "verify", path, "--anchor", head.digest)
    assert (status, out) == (0, f"6 entries, head {head}: intact\n")
    status, out, _ = run("ledger", "verify", path, "--anchor", f"6:{'ab' * 32}")
    assert status == 1
    assert "problem: entry 6 is not the anchored one" in out
    status, _, err = run("ledger", "verify", path, "--anchor", "seven")
    assert status == 2
    assert "number:digest" in err


def test_a_decision_is_replayed_and_shown(run, recorded, files):
    path, _, new = recorded
    one = new.iloc[0]
    words = ["--declaration", one["declaration_id"], "--item", one["item_number"]]
    status, out, _ = run("ledger", "replay", path, "--engine", files / "engine", *words)
    assert status == 0, out
    assert "entry 2: agrees exactly" in out
    status, out, _ = run("ledger", "show", path, "--kind", "decision", "--show", 2)
    assert status == 0
    assert out.startswith("5 entries")
    status, _, err = run("ledger", "show", path, "--kind", "decisions")
    assert status == 2
    assert "Did you mean 'decision'?" in err


def test_nothing_is_erased_without_the_word(run, recorded):
    path, _, _ = recorded
    words = ["ledger", "retain", path, "--since", "2100-01-01"]
    status, out, _ = run(*words)
    assert (status, out[:35]) == (0, "would erase: 0 identities, 5 items.")
    status, out, _ = run(*words, "--erase")
    assert (status, out) == (0, "erased: 0 identities, 5 items\n")
    status, _, err = run("ledger", "retain", path, "--since", "31/12/2020", "--erase")
    assert status == 2
    assert "Nothing was erased" in err


def test_an_export_is_checked_by_python_alone(run, recorded, tmp_path):
    path, head, _ = recorded
    target = tmp_path / "audit" / "decisions.jsonl"
    status, out, _ = run("ledger", "export", path, "--out", target)
    assert status == 0
    assert str(head) in out

    def check(*words):
        program = [sys.executable, "-I", "-S", target.with_name("verify_export.py")]
        done = subprocess.run(
            [*program, target, *map(str, words)], capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    assert check(head) == (0, f"6 entries, head {head}\n")
    lines = target.read_text(encoding="ascii").splitlines()
    assert all(json.loads(line)["seq"] == k for k, line in enumerate(lines, start=1))
    changes = {
        "entry 3 was changed": [
            *lines[:2],
            lines[2].replace("model", "rule"),
            *lines[3:],
        ],
        "entry 3 is missing": [*lines[:2], *lines[3:]],
        "entry 1 is missing": lines[1:],
        "no entry is the anchored one": lines[:-1],
    }
    for problem, changed in changes.items():
        target.write_text("\n".join(changed) + "\n", encoding="ascii")
        status, out = check(head)
        assert status == 1
        assert problem in out


def test_a_copy_is_a_ledger(run, recorded, tmp_path):
    path, head, _ = recorded
    target = tmp_path / "backup" / "decisions.sqlite"
    assert run("ledger", "copy", path, "--out", target)[0] == 0
    assert run("ledger", "verify", target, "--anchor", head)[0] == 0
    status, _, err = run("ledger", "copy", path, "--out", target)
    assert status == 2
    assert "exists" in err
    with Ledger(target) as copied:
        assert isinstance(copied.frame(), pd.DataFrame)


@pytest.mark.parametrize("action", ["verify", "show", "retain", "export", "copy"])
def test_a_name_without_a_ledger_is_refused_and_makes_none(run, tmp_path, action):
    more = {"retain": ["--since", "2024-01-01"], "export": ["--out", tmp_path / "a"]}
    more["copy"] = more["export"]
    path = tmp_path / "decision.sqlite"
    status, _, err = run("ledger", action, path, *more.get(action, []))
    assert status == 2
    assert f"no ledger {str(path)!r}" in err
    assert list(tmp_path.iterdir()) == []
