"""The page of speed is what the stored results give; rivals equal in a small form."""

from __future__ import annotations

import json

import numpy as np
import pytest

import smartrisk as sr

PARTS = ("history", "engine", "growth", "updates")
#: Items of the comparison: some days have several items of a key.
N_ITEMS = 3_000


@pytest.fixture(scope="module")
def page_writer(program):
    return program("speed_page")


@pytest.fixture(scope="module")
def results(root, page_writer):
    """Return a function that reads the stored results of a part."""
    folder = root / "benchmarks" / "results"
    if not folder.exists():
        pytest.skip("the source archive has no results")
    return lambda part: page_writer.read_results(part, folder)


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "guide" / "speed.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_results_give(page, page_writer, results):
    assert page_writer.write_page(page, results) == page


@pytest.mark.parametrize("part", PARTS)
def test_another_figure_in_the_results_changes_the_page(
    page, page_writer, results, part
):
    def changed(name):
        found = json.loads(json.dumps(results(name)))
        for row in found["rows"] if name == part else ():
            for key in {"cpu_seconds", "ours"} & set(row):
                row[key] *= 2
        return found

    assert page_writer.write_page(page, changed) != page


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_date_commit_and_number_of_trees(page, results, part):
    found = results(part)
    text = page.split(f"<!-- speed: {part} -->")[1].split("<!-- end -->")[0]
    assert found["date"] in text
    assert f"commit {found['commit']}" in text
    assert "| trees |" in text


@pytest.fixture(scope="module")
def compared(program):
    """Return the features of each technique that needs no more than the test extra."""
    history = program("history")
    items, hits = history.table(N_ITEMS, seed=1)
    frame = history.plain(items, hits)
    queries = program("history_queries")
    made = {
        "numpy": history.by_numpy(frame, 2),
        "pandas": history.by_pandas(frame, 1),
        "smartrisk": history.by_smartrisk(items, hits, 1),
    }
    for library, function in (("polars", "by_polars"), ("duckdb", "by_duckdb")):
        pytest.importorskip(library)
        made[library] = getattr(queries, function)(frame, 2)
    return {name: np.stack(columns) for name, columns in made.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pandas", "polars", "duckdb", "smartrisk"])
def test_techniques_give_the_same_numbers(program, compared, name):
    program("speed").check_equal(name, compared["numpy"], compared[name])


@pytest.mark.slow
def test_a_technique_with_another_number_is_refused(program, compared):
    other = compared["numpy"].copy()
    other[1, 7] += 1e-5
    with pytest.raises(AssertionError, match="feature 1 differs for 1 items"):
        program("speed").check_equal("other", compared["numpy"], other)


@pytest.mark.slow
def test_a_fit_bins_its_items_once_and_its_hits_once(monkeypatch):
    import lightgbm as lgb

    shapes = []
    make = lgb.Dataset.__init__

    def noted(self, data, *args, **options):
        if data is not None:  # a part of a dataset has no data of its own
            shapes.append(np.shape(data))
        make(self, data, *args, **options)

    monkeypatch.setattr(lgb.Dataset, "__init__", noted)
    world = sr.datasets.make_declarations(6_000, random_state=2)
    sr.RiskEngine(n_jobs=1).fit(world.declarations, world.outcomes)
    inspected, hits = (shape[0] for shape in shapes)
    assert inspected == len(world.outcomes)
    assert hits <= world.outcomes["illicit"].sum()
