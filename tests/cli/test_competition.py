"""`smartrisk workshop compete|score|reveal|verify`: a competition without Python."""

from __future__ import annotations

import re

import pandas as pd
import pytest


@pytest.fixture
def made(run):
    """Return the digits that are shown when a competition is made."""
    words = ("--items", 1_000, "--capacity", 5, "--lang", "fr")
    status, out, err = run("workshop", "compete", "class", "own", *words)
    assert (status, err) == (0, "")
    assert "pour vous seul : own" in out.replace("\u202f", " ")
    return re.search(r"\b[0-9a-f]{64}\b", out)[0]


def test_a_competition_is_made_judged_opened_and_verified(run, made, tmp_path):
    (tmp_path / "sent").mkdir()
    for number in (1, 2):
        path = tmp_path / "class" / "competition" / f"round{number}_items.csv"
        items = pd.read_csv(path, dtype="str")
        items.head(5).to_csv(tmp_path / "sent" / f"rouge_manche{number}.csv")
        items.head(6).to_csv(tmp_path / "sent" / f"bleu_manche{number}.csv")
    page = ("--out", "board.html", "--lang", "es")
    status, out, err = run("workshop", "score", "sent", "--key", "own", *page)
    assert status == 0
    assert re.search(r"^\s+1\s+bleu|^\s+1\s+rouge", out, re.MULTILINE)
    assert "(oráculo: conoce la verdad)" in out
    assert err.count("se eligen 6 artículos") == len(err.splitlines()) == 2
    assert "Tabla de posiciones" in (tmp_path / "board.html").read_text("utf-8")
    assert made in (tmp_path / "board.html").read_text("utf-8")
    assert run("workshop", "reveal", "--key", "own", "opened")[0] == 0
    verify = ("workshop", "verify", "opened", "--commitment")
    assert run(*verify, made)[0] == 0
    status, _, err = run(*verify, made[::-1])
    assert status == 1
    assert "is not the one that the digits stand for" in err


def test_a_small_seed_and_a_page_that_is_none_are_refused(run, tmp_path):
    status, _, err = run("workshop", "compete", "a", "b", "--seed", 42, "--lang", "es")
    assert status == 2
    assert "al menos 64 bits" in err
    assert list(tmp_path.iterdir()) == []
    score = ("workshop", "score", "sent", "--key", "own", "--out", "board.pdf")
    status, _, err = run(*score)
    assert status == 2
    assert "must end in .html" in err
