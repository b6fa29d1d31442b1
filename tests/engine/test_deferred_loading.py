"""An engine whose tables are verified at their first use is the one that was saved."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import threading

import numpy as np
import pytest

import smartrisk as sr
from smartrisk.artefact import read_folder, write_folder
from smartrisk.models import RevenueRegressor, RiskClassifier


@pytest.fixture(scope="module")
def split(world):
    return sr.windows.time_split(world.declarations.tail(2500), world.outcomes)


@pytest.fixture(scope="module")
def saved(split, tmp_path_factory):
    """Return the folder of an engine."""
    engine = sr.RiskEngine(
        features=sr.features.DeclarationFeatures(n_jobs=1),
        classifier=RiskClassifier(n_estimators=3, validation_share=0.0, n_jobs=1),
        regressor=RevenueRegressor(n_estimators=3, n_jobs=1),
        n_jobs=1,
    )
    with pytest.warns(sr.errors.DataQualityWarning, match="hits among"):
        engine.fit(split.past, split.known)
    engine.update(split.later.head(40))
    return engine.save(tmp_path_factory.mktemp("saved") / "engine")


@pytest.fixture
def folder(saved, tmp_path):
    """Return a copy of the folder that a test may change."""
    return shutil.copytree(saved, tmp_path / "engine")


def load(folder):
    return sr.RiskEngine.load(folder, verify="first_use")


def unread(engine):
    """Return the tables of the history that nobody has read."""
    blocks = engine._state.features.blocks()
    return [name for name, table in blocks.items() if "packed" not in vars(table)]


def use(engine, split):
    """Use everything that an engine holds."""
    engine.score(split.later.tail(30), guard="off")
    engine.update(split.later.tail(30), on_known="keep")


def test_it_reads_no_table_and_gives_the_same_scores(saved, split):
    whole, engine = sr.RiskEngine.load(saved), load(saved)
    assert engine.version_ == whole.version_
    assert engine.history_until == whole.history_until
    assert len(unread(engine)) == len(engine._state.features.blocks()) > 40
    probe = split.later.tail(60)
    one = probe.iloc[0].to_dict()
    assert engine.score_one(one) == whole.score_one(one)
    found, wanted = (e.score(probe, guard="off") for e in (engine, whole))
    assert found.equals(wanted)
    assert engine.learned_until == whole.learned_until
    for made in (engine, whole):
        made.update(split.later.tail(50), on_known="keep")
    assert engine.version_ == whole.version_
    assert engine.last_update_.frame().equals(whole.last_update_.frame())
    assert engine.describe() == whole.describe()


def test_it_is_saved_over_its_own_folder(folder, split):
    engine, whole = load(folder), sr.RiskEngine.load(folder)
    engine.save(folder)
    probe = split.later.tail(60)
    wanted = whole.score(probe, guard="off")
    for again in (engine, load(folder), sr.RiskEngine.load(folder)):
        assert again.version_ == whole.version_
        assert again.score(probe, guard="off").equals(wanted)


def test_it_outlives_its_folder_and_goes_to_other_processes(folder, split):
    engine, whole = load(folder), sr.RiskEngine.load(folder)
    engine._state.features.blocks()  # the files are mapped, whatever becomes of names
    for path in folder.iterdir():
        path.unlink()
    copied = pickle.loads(pickle.dumps(engine))
    probe = split.later.tail(60)
    assert copied.score(probe, guard="off").equals(whole.score(probe, guard="off"))
    assert copied.describe() == whole.describe()


def test_threads_that_use_it_first_get_the_same(saved, split):
    engine, found = load(saved), []
    start, probe = threading.Barrier(4), split.later.tail(60)

    def score():
        start.wait()
        found.append(engine.score(probe, guard="off"))

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = sr.RiskEngine.load(saved).score(probe, guard="off")
    assert len(found) == 4
    assert all(scores.equals(wanted) for scores in found)


def test_a_damaged_file_is_named_at_its_first_use_and_by_a_full_load(folder, split):
    names = sorted(path.name for path in folder.glob("*.arrow"))
    assert len(names) >= 8
    for name in names:
        path = folder / name
        good = path.read_bytes()
        path.write_bytes(good[:-40] + bytes([good[-40] ^ 1]) + good[-39:])
        with pytest.raises(sr.errors.ArtefactError, match=re.escape(name)):
            sr.RiskEngine.load(folder)
        with pytest.raises(sr.errors.ArtefactError, match=re.escape(name)):
            use(load(folder), split)
        path.write_bytes(good)
    use(load(folder), split)


def test_a_change_that_only_the_digest_of_its_file_shows_is_refused(folder, split):
    items = read_folder(folder).tables["register.items"]
    good = np.array(items["content"])
    bad = good.copy()
    bad[0] ^= np.uint64(1)
    path = folder / "register.items.arrow"
    content = path.read_bytes()
    assert content.count(good.tobytes()) == 1
    path.write_bytes(content.replace(good.tobytes(), bad.tobytes()))
    with pytest.raises(sr.errors.ArtefactError, match=r"register\.items\.arrow"):
        use(load(folder), split)


@pytest.mark.parametrize("name", ["texts", "models"])
def test_settings_and_models_are_verified_when_it_is_loaded(folder, name):
    file = {"texts": "engine.json", "models": "risk.txt"}[name]
    path = folder / file
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(sr.errors.ArtefactError, match=file):
        load(folder)


def change_sums(tables):
    tables["prices.peers.hs4/totals"]["price_per_kg:s"][3] += 1


def leave_a_table_out(tables):
    for part in ("", "/ids", "/starts", "/totals"):
        del tables[f"history.results.hs6{part}"]


def leave_identities_out(tables):
    del tables["history.results.hs6/ids"]


def add_a_table(tables):
    tables["market.other"] = tables["history.results.hs6"]


def add_a_table_to_a_file(tables):
    tables["history.results.hs6/more"] = tables["history.results.hs6"]


def turn_entries_around(tables):
    packed = tables["history.results.hs6"]["packed"]
    tables["history.results.hs6"]["packed"] = packed[::-1].copy()


def move_an_entry(tables):
    tables["history.results.hs6"]["packed"][0] += 1


def move_a_beginning(tables):
    tables["history.results.hs6/starts"]["start"][1] += 1


def begin_totals_elsewhere(tables):
    for total in tables["history.results.hs6/totals"].values():
        total += 1


def repeat_a_sum(tables):
    totals = tables["history.results.hs6/totals"]
    totals["n,n"] = totals.pop("n")


def lose_the_register_of_a_value(tables):
    del tables["register.items/values.hs6"]


def repeat_an_item(tables):
    for name in [name for name in tables if name.startswith("register.items+1")]:
        del tables[name]
    for name in [name for name in tables if name.startswith("register.items")]:
        tables[name.replace("register.items", "register.items+1")] = tables[name]


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (change_sums, "prices.peers.hs4.arrow"),
        (leave_a_table_out, "history.results.hs6.arrow"),
        (leave_identities_out, "history.results.hs6.arrow"),
        (add_a_table, "market.other.arrow"),
        (add_a_table_to_a_file, "history.results.hs6.arrow"),
        (turn_entries_around, "history.results.hs6.arrow"),
        (move_an_entry, "history.results.hs6.arrow"),
        (move_a_beginning, "history.results.hs6.arrow"),
        (begin_totals_elsewhere, "history.results.hs6.arrow"),
        (repeat_a_sum, "history.results.hs6.arrow"),
        (lose_the_register_of_a_value, "register.items.arrow"),
        (repeat_an_item, "register.items.arrow"),
    ],
)
@pytest.mark.parametrize("verify", ["first_use", "full"])
def test_what_was_changed_and_sealed_is_refused_by_its_file(
    folder, split, change, file, verify
):
    content = read_folder(folder)
    tables = {
        name: {key: np.array(values) for key, values in table.items()}
        for name, table in content.tables.items()
    }
    change(tables)
    write_folder(folder, texts=content.texts, tables=tables, blobs=content.blobs)
    with pytest.raises(sr.errors.ArtefactError, match=file):
        use(sr.RiskEngine.load(folder, verify=verify), split)


def test_a_wrong_last_day_is_refused_by_a_full_load(folder):
    content = read_folder(folder)
    plain = json.loads(content.texts["engine.json"])
    plain["features"]["last_day"] = "2019-01-01"
    content.texts["engine.json"] = json.dumps(plain)
    write_folder(folder, **content._asdict())
    with pytest.raises(sr.errors.ArtefactError, match="last day"):
        sr.RiskEngine.load(folder)


def test_another_word_for_when_to_verify_is_refused(saved):
    with pytest.raises(sr.errors.ArgumentError, match="first_use"):
        sr.RiskEngine.load(saved, verify="never")
