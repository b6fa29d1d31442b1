"""A use-case sheet states what a run found, names nobody, and prints on two pages."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TrackingError
from smartrisk.pages import UseCaseFacts, UseCaseSheet
from smartrisk.workshop import UseCase

LANGUAGES = ("en", "fr", "es")
#: Fields whose values could name a party, a declaration or a place.
PLANTED = (
    *("declaration_id", "importer_id", "declarant_id", "consignor_id", "carrier_id"),
    *("office", "procedure", "payment_type", "preference", "origin", "departure"),
    "description",
)
N_ITEMS = 6000


def log(folder, template, new, truth, engine, past, **more):
    """Log an evaluated engine in a store of its own."""
    folder.mkdir()
    shutil.copy(template, folder / "mlflow.db")
    result = sr.evaluation.evaluate(
        engine.score(new, guard="off"),
        truth,
        rates=(0.05, 0.1),
        segments=sr.evaluation.standard_segments(new, past=past),
        n_bootstrap=50,
    )
    return result, sr.tracking.log_run(
        engine,
        evaluation=result,
        declarations={"training": past, "evaluation": new},
        tracking_uri=folder,
        **more,
    )


@pytest.fixture
def migrated(_tracking_template):
    """Return a migrated, empty SQLite store to copy."""
    return _tracking_template


@pytest.fixture(scope="module")
def judged(tmp_path_factory, _tracking_template, world, past_and_new, engine):
    """Return an evaluation and its run, on a world that the run names."""
    past, new = past_and_new
    stated = {"scenario": "national", "n_items": N_ITEMS, "seed": 0}
    folder = tmp_path_factory.mktemp("use-case") / "store"
    tags = {sr.tracking.WORLD_TAG: json.dumps(stated)}
    truth = world.full_outcomes()
    return log(folder, _tracking_template, new, truth, engine, past, tags=tags)


@pytest.fixture(scope="module")
def case(judged):
    """Return the use case of the run."""
    return UseCase.from_run(judged[1])


# ------------------------------------------------------------------ figures


def test_the_sheet_states_the_figures_of_the_evaluation(judged):
    result, run = judged
    frame = result.frame()
    line = frame.query("rank_by == 'risk_score' and rate == 0.1").iloc[0]
    texts = sr.displays.Texts("en")
    html = UseCase.from_run(run, capacity=0.1).to_html()
    for name in ("precision", "recall"):
        assert texts.rate(line[name]) in html
        assert texts.between(line[f"{name}_low"], line[f"{name}_high"]) in html
    assert f">{texts.unit_value(line['lift'])}<" in html
    assert texts.fine(result.overall()["base_rate"]) in html


def test_what_is_left_after_the_cost_is_the_revenue_less_the_controls(judged):
    result, run = judged
    frame = result.frame()
    line = frame.query("rank_by == 'expected_revenue' and rate == 0.1").iloc[0]
    if line["n_inspected"] * line["precision"] < 10:
        pytest.fail("too few findings in this world to show the net benefit")
    net = line["revenue_share"] * result.revenue - 7.5 * line["n_inspected"]
    case = UseCase.from_run(run, capacity=0.1, cost_per_control=7.5)
    assert f"{sr.displays.Texts('en').number(round(net))} are left" in case.to_html()


def test_the_lines_to_repeat_run_and_make_the_world_that_the_run_names(case, world):
    code = re.search(r"```python\n(.*?)\n```", case.to_markdown(), re.DOTALL)[1]
    names = {}
    first = "\n".join(code.splitlines()[:3])
    exec(first, names)
    pd.testing.assert_frame_equal(names["world"].declarations, world.declarations)


@pytest.mark.slow
def test_the_lines_to_repeat_print_figures(case):
    code = re.search(r"```python\n(.*?)\n```", case.to_markdown(), re.DOTALL)[1]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {})
    assert "precision" in out.getvalue()


def test_open_places_are_marked_and_answers_take_their_place(judged, case):
    assert case.to_html().count('class="todo"') == 5
    assert case.to_markdown().count("**☐") == 5
    answered = UseCase.from_run(judged[1], answers={"cost": "Two analysts."})
    assert "Two analysts." in answered.to_html()
    assert answered.to_html().count('class="todo"') == 4


def test_counts_below_ten_are_left_out():
    line = {"rank_by": "risk_score", "rate": 0.05, "n_inspected": 40, "recall": 0.2}
    line |= {"precision": 0.15, "revenue_share": 0.3}  # 6 findings
    facts = UseCaseFacts(
        version="1f",
        day="2026-01-31",
        capacity=0.05,
        rates=[line],
        facts={
            "data": {"training": {"n_items": 7, "fields": ["origin"]}},
            "stage": {"name": "few results", "n_results": 9, "n_hits": 3},
            "evaluation": {"overall": {"n_items": 800, "base_rate": 0.03}},
        },
    )
    text = UseCaseSheet(facts=facts).to_markdown()
    assert text.count("fewer than 10") == 3
    assert text.count("not shared") == 5
    assert "15 %" not in text
    assert "30 %" not in text


# ----------------------------------------------------------------- nobody


@pytest.mark.parametrize("seed", range(2))
def test_no_identity_of_the_data_is_on_the_sheet(
    seed, tmp_path, migrated, world, past_and_new, engine
):
    new = past_and_new[1].sample(400, random_state=seed).reset_index(drop=True)
    truth = world.full_outcomes().set_index(["declaration_id", "item_number"])
    truth = truth.loc[pd.MultiIndex.from_frame(new[truth.index.names])].reset_index()
    planted = new.copy()
    for name in PLANTED:
        planted[name] = [f"Zq{seed}{name[:3]}{k}" for k in range(len(new))]
    truth["declaration_id"] = planted["declaration_id"].to_numpy()
    # Few values, so that they are common enough for a segment of their own.
    for name in ("office", "origin", "importer_id"):
        planted[name] = [f"Zq{seed}{name[:3]}{k % 3}" for k in range(len(new))]
    stated = {"run_name": f"Zq{seed}run", "description": f"Zq{seed}text"}
    folder, tags = tmp_path / "store", {"who": f"Zq{seed}tag"}
    store = folder, migrated
    with pytest.warns(sr.errors.SmartRiskWarning, match="."):
        _, run = log(*store, planted, truth, engine, planted, tags=tags, **stated)
    case = UseCase.from_run(run)
    for lang in LANGUAGES:
        for text in (case.to_html(lang=lang), case.to_markdown(lang=lang)):
            assert "Zq" not in text
    facts = (folder / "artifacts").rglob("facts.json")
    assert all("Zq" not in path.read_text(encoding="utf-8") for path in facts)


def test_texts_of_a_person_are_escaped(judged):
    worst = "<script>window.hacked=1</script> | **x** [a](javascript:alert(1)) # h"
    case = UseCase.from_run(judged[1], title=worst, answers={"question": worst})
    html, text = case.to_html(), case.to_markdown()
    assert "<script" not in html
    assert "<script" not in text
    assert "[a](" not in text
    assert "**x**" not in text
    assert text.startswith("# &lt;script&gt;")


def test_texts_that_would_not_fit_are_refused_all_at_once(judged):
    answers = {"cost": "x" * 401, "failed": "y" * 500}
    with pytest.raises(ArgumentError, match=r"'cost' \(401\), 'failed' \(500\)"):
        UseCase.from_run(judged[1], answers=answers)
    with pytest.raises(ArgumentError, match="answers"):
        UseCase.from_run(judged[1], answers={"price": "x"})


def test_a_rate_that_was_not_evaluated_is_refused(judged):
    with pytest.raises(ArgumentError, match=r"0\.05"):
        UseCase.from_run(judged[1], capacity=0.2)


def test_a_run_of_an_earlier_version_is_named(judged, tmp_path, monkeypatch):
    from smartrisk.tracking import _logged

    monkeypatch.setattr(_logged, "FACTS_FILE", "absent.json")
    with pytest.raises(TrackingError, match="Log the engine again"):
        UseCase.from_run(judged[1])


# ------------------------------------------------------------- command, print


def test_the_command_writes_both_files_and_counts_open_places(
    judged, tmp_path, capsys, monkeypatch
):
    from smartrisk.cli import main

    run = judged[1]
    words = ["usecase", run.run_id, "--tracking-uri", run.tracking_uri, "--lang", "fr"]
    status = main([*words, "--question", "Why?", "--out", str(tmp_path / "uc")])
    out = capsys.readouterr().out
    assert status == 0
    assert re.search("Champs à compléter, .*\u202f: 4[.]\n", out)
    html = (tmp_path / "uc" / "use-case.html").read_text(encoding="utf-8")
    assert "Cas d&#39;usage" in html
    assert "Why?" in html
    assert (tmp_path / "uc" / "use-case.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_sheet_prints_on_two_pages_in_every_language(judged, browser):
    long = ("Reinforced controls of importations, in rather long words. " * 8)[:400]
    places = ("question", "achieved", "cost", "failed", "contact")
    full = UseCase.from_run(
        judged[1], answers=dict.fromkeys(places, long), cost_per_control=50.0
    )
    page = browser.new_page()
    for lang in LANGUAGES:
        for case in (full, UseCase.from_run(judged[1])):
            page.set_content(case.to_html(lang=lang))
            pdf = page.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
    page.close()
