"""The public benchmark: every contender, honest tables, one command."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.benchmark import OURS, contenders, markdown_page, run_benchmark
from smartrisk.cli import main
from smartrisk.errors import ArgumentError
from smartrisk.models import ColumnBoosting


@pytest.fixture(scope="module")
def result():
    return run_benchmark(("small", "stable"), n_items=4_000, n_seeds=2)


@pytest.mark.slow
def test_every_contender_is_judged_in_every_task_and_seed(result):
    table = result.frame()
    assert len(table) == 2 * 2 * len(contenders())
    assert table["precision"].between(0, 1).all()
    assert table["revenue"].between(0, 1).all()
    assert table["contender"].iloc[0] == OURS
    assert "value" in set(table["contender"])


@pytest.mark.slow
def test_means_and_leads_are_those_of_the_seeds(result):
    table, summary = result.frame(), result.summary()
    row = summary[(summary["task"] == "small") & (summary["contender"] == "value")]
    own = table[(table["task"] == "small") & (table["contender"] == "value")]
    ours = table[(table["task"] == "small") & (table["contender"] == OURS)]
    assert row["precision"].item() == pytest.approx(own["precision"].mean())
    gap = ours["precision"].to_numpy() - own["precision"].to_numpy()
    assert row["behind_precision"].item() == pytest.approx(gap.mean())
    half = 12.706 * gap.std(ddof=1) / np.sqrt(2)
    assert row["behind_precision_half"].item() == pytest.approx(half, rel=1e-3)


@pytest.mark.slow
def test_the_page_holds_every_table_with_its_verdict(result):
    text = markdown_page(result, "smartrisk benchmark", 60.0)
    for task in ("small", "stable"):
        assert f"### {task}" in text
    assert text.count("The audit finds nothing alarming.") == 2
    assert text.count("| smartrisk |") + text.count("| smartrisk ") >= 2
    assert "**" in text


@pytest.mark.slow
def test_own_contenders_join(result):
    own = {"own": ColumnBoosting()}
    found = run_benchmark(("small",), n_items=2_000, n_seeds=1, others=own)
    assert "own" in set(found.frame()["contender"])
    with pytest.raises(ArgumentError, match="must not have the names"):
        run_benchmark(("small",), others={"value": ColumnBoosting()})
    with pytest.raises(ArgumentError, match="scenario"):
        run_benchmark(("nowhere",))


@pytest.mark.slow
def test_the_command_writes_its_page(tmp_path, capsys):
    out = tmp_path / "page.md"
    words = ["benchmark", "--scenarios", "small", "--items", "2000", "--seeds", "1"]
    assert main([*words, "--out", str(out)]) == 0
    assert "smoothed-rate sum" in capsys.readouterr().out
    assert out.read_text(encoding="utf-8").startswith("## Results")


@pytest.mark.slow
def test_the_default_leads_by_the_stated_margin():
    found = run_benchmark(("national",), n_items=30_000, n_seeds=3).summary()
    found = found.set_index("contender")
    for name in ("smoothed-rate sum", "DATE features"):
        for measure in ("precision", "revenue"):
            assert found.loc[OURS, measure] >= 1.4 * found.loc[name, measure], name
