"""The command `demo`: the whole pipeline, compared on equal terms, in a language."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.cli import _demo, _demo_lines
from smartrisk.worlds._fraud_habits import TYPOLOGIES


@pytest.fixture(scope="session")
def shown(tmp_path_factory, _tracking_template):
    """Return a function that runs the demo once for each language."""
    from smartrisk.cli import main

    made = {}

    def show(lang, capsys):
        if lang not in made:
            folder = tmp_path_factory.mktemp(f"demo-{lang}")
            shutil.copy(_tracking_template, folder / "mlflow.db")
            words = ["demo", "--items", "4000", "--out", str(folder), "--lang", lang]
            status = main(words)
            written = capsys.readouterr()
            assert (status, written.err) == (0, "")
            made[lang] = folder, written.out
        return made[lang]

    return show


@pytest.fixture(autouse=True)
def _own_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.slow
def test_the_demo_shows_the_whole_pipeline(shown, capsys):
    folder, out = shown("en", capsys)
    names = ("smartrisk", "highest duty first", "smoothed-rate sum", "DATE features")
    for word in (*names, "at random"):
        assert f"\n{word} " in out
    assert out.count("\n  = truth: ") == 5
    assert (folder / "rate_curve.png").read_bytes().startswith(b"\x89PNG")
    assert sr.RiskEngine.load(folder / "engine").version_
    run_id = re.search(r"MLflow run +([0-9a-f]{32})", out)[1]
    assert sr.tracking.load(run_id, tracking_uri=folder).version_


@pytest.mark.slow
def test_every_contender_has_both_figures_by_each_of_its_orders(shown, capsys):
    _, out = shown("en", capsys)
    table = out.split("\n\n")[1].splitlines()[2:]
    assert len(table) == 9  # the highest duty first has one order
    assert all(len(re.findall(r"[\d.]+ %", line)) == 3 for line in table)
    assert sum("by risk" in line for line in table) == 4
    assert sum("by revenue" in line for line in table) == 4


@pytest.mark.slow
def test_the_index_links_files_that_are_there_and_begins_with_the_list(shown, capsys):
    folder, out = shown("en", capsys)
    html = (folder / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', html)
    assert links[0] == "watch-list.html"
    assert {"case-1.html", "evaluation.html", "rate_curve.png"} <= set(links)
    assert all((folder / link).is_file() for link in links)
    assert f"open first  {folder / 'index.html'}" in out


@pytest.mark.slow
def test_the_demo_prints_no_english_in_another_language(shown, capsys):
    _, english = shown("en", capsys)
    folder, out = shown("fr", capsys)
    assert len(out.splitlines()) == pytest.approx(len(english.splitlines()), abs=3)
    sentences = {line.strip() for line in english.splitlines() if line.count(" ") > 3}
    assert not sentences & {line.strip() for line in out.splitlines()}
    for word in ("truth", "precision at", "by risk", "first", "folder", "done"):
        assert not re.search(rf"\b{word}\b", out.replace(str(folder), ""))
    html = (folder / "index.html").read_text(encoding="utf-8")
    assert '<html lang="fr">' in html


def test_the_truth_of_every_typology_has_words():
    assert set(_demo_lines.TYPOLOGIES) == set(TYPOLOGIES) - {"none"}


def test_the_highest_duty_comes_first_and_other_baselines_have_two_orders():
    world = sr.datasets.make_declarations(1_500, random_state=0)
    shown = _demo._make_scenario(1_500, 0)
    models = _demo._fit_baselines(shown, 0)
    scores = {name: _demo._score(m, shown.new) for name, m in models.items()}
    duty = shown.new["customs_value"] * shown.new["duty_rate"]
    first = scores["highest duty first"]["risk_score"].idxmax()
    assert first == duty.idxmax()
    for name, part in scores.items():
        has_two = name != "highest duty first"
        assert ("expected_revenue" in part) == has_two
        if has_two:
            product = part["risk_score"] * duty
            pd.testing.assert_series_equal(
                part["expected_revenue"], product, check_names=False
            )
    assert len(world.declarations) == len(shown.past) + len(shown.new)


def test_the_shown_items_are_high_in_both_orders(engine, past_and_new):
    _, new = past_and_new
    decisions = engine.select(new, policy=_demo._POLICY)
    first = _demo._find_first_by_model(decisions)
    scores = engine.score(new)
    ranks = scores[["risk_score", "expected_revenue"]].rank(pct=True)
    assert len(first) == 5
    assert (ranks.loc[first] > 0.9).to_numpy().all()
    assert (np.diff(decisions.loc[first, "rank"]) > 0).all()


def test_a_policy_selects_what_the_pages_show(engine, past_and_new, tmp_path):
    past, new = past_and_new
    policy = sr.selectivity.Policy(capacity=7, rank_by="expected_revenue")
    paths = sr.pages.write_pages(
        engine, new, tmp_path, past=past, capacity=policy, n_cases=1
    )
    listed = pd.read_csv(paths["table"], dtype={"declaration_id": str})
    later = engine.copy()
    later.update(new)
    decisions = later.select(new, policy=policy)
    selected = new.loc[decisions["channel"] != "green", "declaration_id"]
    assert set(listed["declaration_id"]) == set(selected)
    assert len(listed) == 7
    assert Path(paths["case-1"]).is_file()
