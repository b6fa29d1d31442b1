"""The whole line: fit, score, explain, select, update, save, load."""

from __future__ import annotations

import copy
import json
import multiprocessing

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import smartrisk as sr
from smartrisk.errors import ArtefactError, TableError


@pytest.fixture(scope="module")
def later(world):
    return world.declarations.tail(1500)


@pytest.fixture(scope="module")
def scores(engine, later):
    return engine.score(later)


def test_scores_come_in_the_order_and_index_of_the_items(engine, later, scores):
    assert scores.index.equals(later.index)
    assert scores["declaration_id"].tolist() == later["declaration_id"].tolist()
    mixed = later.sample(frac=1, random_state=3)
    again = engine.score(mixed).loc[later.index]
    pd.testing.assert_frame_equal(again, scores)


def test_scores_are_probabilities_and_amounts(scores):
    assert scores["risk_score"].between(0, 1).all()
    assert (scores["expected_revenue"] >= 0).all()
    assert scores["risk_score"].nunique() > 100


def test_one_item_equals_the_batch_bitwise(engine, later, scores):
    for row in (0, 700, 1499):
        alone = engine.score(later.iloc[[row]])
        pd.testing.assert_frame_equal(alone, scores.iloc[[row]])
        quick = engine.score_one(later.iloc[row].to_dict())
        assert quick["risk_score"] == scores["risk_score"].iloc[row]
        assert quick["expected_revenue"] == scores["expected_revenue"].iloc[row]


def test_one_item_is_explained_as_in_the_batch(engine, later):
    batch = engine.explain(later.iloc[[0, 700, 1499]])
    for place, row in enumerate((0, 700, 1499)):
        alone = engine.explain_one(later.iloc[row].to_dict())
        assert alone.sentences() == batch[place].sentences()
        assert np.array_equal(alone.raw_score, batch[place].raw_score)
        pd.testing.assert_frame_equal(alone.frame(), batch[place].frame())


def test_a_single_item_as_text_gets_the_same_score(engine, later, scores):
    item = later.iloc[3].dropna().to_dict()
    item["lodged_at"] = str(item["lodged_at"])
    item["customs_value"] = repr(item["customs_value"])
    assert engine.score_one(item)["risk_score"] == scores["risk_score"].iloc[3]


def test_a_loaded_engine_has_bit_identical_scores(engine, later, scores, tmp_path):
    folder = engine.save(tmp_path / "engine")
    again = sr.RiskEngine.load(folder)
    assert again.version_ == engine.version_
    pd.testing.assert_frame_equal(again.score(later), scores)


def test_saving_over_an_engine_replaces_it_whole(engine, tmp_path):
    place = tmp_path / "engine"
    engine.save(place)
    engine.save(place)
    assert sr.RiskEngine.load(place).version_ == engine.version_
    assert [p.name for p in tmp_path.iterdir()] == ["engine"]


def test_nothing_saved_can_run_code(engine, tmp_path):
    folder = engine.save(tmp_path / "engine")
    assert {p.suffix for p in folder.iterdir()} == {".json", ".txt", ".arrow"}


def edited(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # the file may be that of another saved engine too
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: edited(f / "risk.txt"),
        lambda f: edited(f / "engine.json"),
        lambda f: edited(f / "history.overall.arrow"),
        lambda f: (f / "risk.txt").write_text("tree"),
        lambda f: (f / "risk.txt").unlink(),
        lambda f: (f / "more.txt").write_text("x"),
        lambda f: (f / "manifest.json").write_text("{}"),
        lambda f: (f / "manifest.json").unlink(),
    ],
)
def test_a_damaged_folder_is_refused(engine, tmp_path, damage):
    folder = engine.save(tmp_path / "engine")
    damage(folder)
    with pytest.raises(ArtefactError, match=r"RiskEngine\.load: "):
        sr.RiskEngine.load(folder)


def test_every_flipped_byte_of_the_model_is_refused(engine, tmp_path):
    folder = engine.save(tmp_path / "engine")
    path = folder / "risk.txt"
    content = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(content), 40):
        broken = bytearray(content)
        broken[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(broken))
        with pytest.raises(ArtefactError, match="digest differs"):
            sr.RiskEngine.load(folder)


def test_a_folder_from_another_version_is_refused(engine, tmp_path):
    folder = engine.save(tmp_path / "engine")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = "smartrisk-engine/99"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="smartrisk-engine/99"):
        sr.RiskEngine.load(folder)


def test_a_folder_with_other_files_is_not_overwritten(engine, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ArtefactError, match="other files"):
        engine.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_the_same_seed_gives_the_same_bytes_whatever_the_row_order(world):
    items, outcomes = world.declarations.head(3000), world.outcomes
    outcomes = outcomes[outcomes["declaration_id"].isin(set(items["declaration_id"]))]
    one = sr.RiskEngine().fit(items, outcomes)
    two = sr.RiskEngine(n_jobs=2).fit(
        items.sample(frac=1, random_state=1), outcomes.sample(frac=1, random_state=2)
    )
    first = one.classifier_.booster_.model_to_string()
    second = two.classifier_.booster_.model_to_string()
    strip = "parameters:"
    assert first.split(strip)[0] == second.split(strip)[0]


def test_contributions_sum_to_the_raw_score(engine, later):
    matrix = np.asarray(engine.features_.transform(later), np.float32)
    contributions = engine.classifier_.contributions(matrix)
    raw = engine.classifier_.raw_score(matrix)
    assert np.abs(contributions.sum(axis=1) - raw).max() < 1e-9


def test_reasons_come_with_sentences(engine, later):
    reasons = engine.explain(later.head(20), top=3)
    frame = reasons.frame()
    assert frame.groupby(["declaration_id", "item_number"]).size().le(3).all()
    assert frame["sentence"].str.len().gt(10).all()


def test_select_stays_within_capacity(engine, later):
    decisions = engine.select(later, capacity=0.05)
    assert (decisions["channel"] != "green").sum() == 75
    assert decisions.index.equals(later.index)


def test_update_extends_the_history_without_counting_twice(world):
    cut = world.declarations["lodged_at"].quantile(0.6)
    past = world.declarations[world.declarations["lodged_at"] < cut]
    own = world.outcomes["declaration_id"].isin(set(past["declaration_id"]))
    known = world.outcomes["known_at"] < cut
    engine = sr.RiskEngine().fit(past, world.outcomes[own & known])
    booster = engine.classifier_.booster_.model_to_string()
    engine.update(world.declarations, world.outcomes)
    once = engine.score(world.declarations.tail(200))
    engine.update(world.declarations, world.outcomes)
    pd.testing.assert_frame_equal(engine.score(world.declarations.tail(200)), once)
    assert engine.classifier_.booster_.model_to_string() == booster


def test_update_in_steps_equals_update_at_once(world):
    cut = world.declarations["lodged_at"].quantile([0.5, 0.7, 0.9])
    lodged = world.declarations["lodged_at"]
    past = world.declarations[lodged < cut.iloc[0]]
    own = world.outcomes["declaration_id"].isin(set(past["declaration_id"]))
    first = world.outcomes[own & (world.outcomes["known_at"] < cut.iloc[0])]
    steps = sr.RiskEngine().fit(past, first)
    whole = sr.RiskEngine().fit(past, first)
    for moment in cut.iloc[1:]:
        seen = world.declarations[lodged < moment]
        results = world.outcomes[world.outcomes["known_at"] < moment]
        results = results[results["declaration_id"].isin(set(seen["declaration_id"]))]
        steps.update(seen, results)
    whole.update(seen, results)
    new = world.declarations.tail(200)
    left, right = steps.score(new), whole.score(new)
    assert np.array_equal(left["risk_score"], right["risk_score"])


def test_a_copy_has_a_history_of_its_own(engine, past_and_new, world):
    _, new = past_and_new
    before = engine.score(new), engine.version_, engine.history_until
    grown = engine.copy()
    assert grown.version_ == engine.version_
    pd.testing.assert_frame_equal(grown.score(new), before[0])
    results = world.full_outcomes()
    results = results[sr.items.are_among(results, new)]
    grown.update(new, results)
    whole = copy.deepcopy(engine).update(new, results)
    pd.testing.assert_frame_equal(grown.score(new), whole.score(new))
    assert grown.history_until > engine.history_until == before[2]
    assert engine.version_ == before[1] != grown.version_
    pd.testing.assert_frame_equal(engine.score(new), before[0])
    parts, own = engine.features_.parts_, grown.features_.parts_
    assert all(own[name] is not part for name, part in parts.items())


def test_an_unfitted_engine_is_copied_with_its_settings():
    copied = sr.RiskEngine(label_delay=7).copy()
    assert (copied.label_delay, repr(copied)) == (7, repr(sr.RiskEngine(label_delay=7)))


def test_results_without_declarations_are_refused(world):
    with pytest.raises(TableError, match="no item in DECLARATIONS"):
        sr.RiskEngine().fit(world.declarations.head(100), world.outcomes)


def test_an_unfitted_engine_names_what_to_call():
    with pytest.raises(NotFittedError, match=r"fit\(declarations, outcomes\)"):
        sr.RiskEngine().score(pd.DataFrame())


def test_describe_is_flat_and_plain(engine):
    described = engine.describe()
    json.dumps(described)
    assert described["n_items"] > 0
    assert "classifier.num_leaves" in described


def test_the_input_example_names_no_one_and_scores(engine, world):
    example = engine.input_example()
    assert not set(example["importer_id"]) & set(world.declarations["importer_id"])
    assert engine.score(example)["risk_score"].between(0, 1).all()


def test_the_order_of_columns_changes_no_score(engine, later, scores):
    turned = later[later.columns[::-1]]
    assert np.array_equal(engine.score(turned)["risk_score"], scores["risk_score"])


def _score_in_child(queue, engine, items):
    queue.put(engine.score(items)["risk_score"].tolist())


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)
def test_scoring_in_a_forked_child_answers(engine, later, scores):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_score_in_child, args=(queue, engine, later.head(5)))
    child.start()
    found = queue.get(timeout=60)
    child.join(timeout=60)
    assert found == scores["risk_score"].head(5).tolist()


def test_the_engine_states_how_far_its_history_goes(engine, past_and_new, tmp_path):
    past, new = past_and_new
    again = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    assert again.history_until == past["lodged_at"].max().normalize()
    again.update(new)
    assert again.history_until == new["lodged_at"].max().normalize()
    assert copy.copy(engine).history_until < again.history_until
    assert "parameters" in again._repr_html_()
