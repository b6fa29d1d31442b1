"""An engine that is saved again links the files whose tables did not change."""

from __future__ import annotations

import os
import pickle

import pytest

import smartrisk as sr
from smartrisk.artefact import read_folder, write_folder
from smartrisk.models import RevenueRegressor, RiskClassifier


@pytest.fixture(scope="module")
def split(world):
    return sr.windows.time_split(world.declarations.tail(2500), world.outcomes)


@pytest.fixture(scope="module")
def fitted(split):
    """Return an engine that nobody changes."""
    engine = sr.RiskEngine(
        features=sr.features.DeclarationFeatures(n_jobs=1),
        classifier=RiskClassifier(n_estimators=3, validation_share=0.0, n_jobs=1),
        regressor=RevenueRegressor(n_estimators=3, n_jobs=1),
        n_jobs=1,
    )
    with pytest.warns(sr.errors.DataQualityWarning, match="hits among"):
        return engine.fit(split.past, split.known)


@pytest.fixture
def folder(fitted, tmp_path):
    """Return the folder of the engine, in files of its own."""
    return pickle.loads(pickle.dumps(fitted)).save(tmp_path / "engine")


def numbers(folder):
    """Return the number of the file of every table of the history."""
    names = sorted(path.name for path in folder.glob("*.arrow"))
    return {name: (folder / name).stat().st_ino for name in names}


def same_scores(one, other, split):
    """Return whether two engines score the same, as the same version."""
    probe = split.later.tail(60)
    found, wanted = (e.score(probe, guard="off") for e in (one, other))
    return one.version_ == other.version_ and found.equals(wanted)


@pytest.mark.parametrize("verify", ["full", "first_use"])
def test_an_updated_engine_is_saved_with_the_files_that_did_not_change(
    folder, split, tmp_path, verify
):
    before = numbers(folder)
    engine = sr.RiskEngine.load(folder, verify=verify).update(split.later.head(40))
    again = engine.save(tmp_path / "again")
    after = numbers(again)
    linked = {name for name in before if after.get(name) == before[name]}
    assert set(before) - linked == {"codes.arrow", "learned.arrow"}
    added = set(after) - linked - {"codes.arrow", "learned.arrow"}
    assert {name.partition("+")[2] for name in added} == {"1.arrow"}
    assert "history.items.hs6+1.arrow" in added
    assert same_scores(sr.RiskEngine.load(again), engine, split)
    assert same_scores(sr.RiskEngine.load(again, verify="first_use"), engine, split)


@pytest.mark.parametrize("exchanged", [True, False])
def test_saving_over_the_own_folder_keeps_the_files(
    folder, split, monkeypatch, exchanged
):
    if not exchanged:  # as on Windows
        monkeypatch.setattr("smartrisk.artefact._writing.exchange", lambda *ab: False)
    engine = sr.RiskEngine.load(folder, verify="first_use")
    before = set(numbers(folder).values())
    for start in (0, 40):
        engine.update(split.later.iloc[start : start + 40])
        engine.save(folder)
    kept = before & set(numbers(folder).values())
    assert len(before) - len(kept) == 2  # the codes, and what the models learned
    assert same_scores(sr.RiskEngine.load(folder), engine, split)


def test_without_links_the_files_are_copied(folder, split, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    engine = sr.RiskEngine.load(folder, verify="first_use").update(split.later.head(9))
    again = engine.save(tmp_path / "again")
    assert set(numbers(folder).values()).isdisjoint(numbers(again).values())
    assert same_scores(sr.RiskEngine.load(again), engine, split)


def test_a_file_that_was_written_to_is_not_linked(folder, split, tmp_path):
    name = "history.results.hs6.arrow"
    engine = sr.RiskEngine.load(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)  # at once: the clock of files has not moved
    again = engine.save(tmp_path / "again")
    assert numbers(again)[name] != numbers(folder)[name]
    assert same_scores(sr.RiskEngine.load(again), engine, split)


def test_a_file_with_another_mode_is_not_linked(folder, tmp_path):
    name = "history.results.hs6.arrow"
    (folder / name).chmod(0o600)
    engine = sr.RiskEngine.load(folder)
    again = engine.save(tmp_path / "again")
    shared = {n for n, number in numbers(again).items() if number == numbers(folder)[n]}
    assert name not in shared
    assert "history.results.hs4.arrow" in shared


def test_damage_in_a_linked_file_is_found_at_its_first_use(folder, split, tmp_path):
    engine = sr.RiskEngine.load(folder, verify="first_use").update(split.later.head(9))
    again = engine.save(tmp_path / "again")
    name = "history.results.hs6.arrow"
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)  # both names are of the same file
    with pytest.raises(sr.errors.ArtefactError, match=name):
        sr.RiskEngine.load(again)
    damaged = sr.RiskEngine.load(again, verify="first_use")
    with pytest.raises(sr.errors.ArtefactError, match=name):
        damaged.score(split.later.tail(20), guard="off")


def test_tables_of_a_key_share_what_they_have_in_common(folder, fitted):
    assert not (folder / "history.items.importer_id.arrow").exists()  # as structuring
    names = {"full", "first_use"}
    for engine in (fitted, *(sr.RiskEngine.load(folder, verify=v) for v in names)):
        blocks = engine._state.features.blocks()
        count = blocks["structuring.items.importer_id"]
        trader = blocks["history.items.importer_id"]
        assert trader.packed is count.packed
        assert trader.totals["n"] is count.totals["n"]
        goods = blocks["history.items.hs6"]
        for name in ("prices.peers.hs6", "market.market.hs6"):
            assert blocks[name].ids is goods.ids
            assert blocks[name].packed is goods.packed
            assert blocks[name].starts is goods.starts


def test_look_ups_read_the_files_where_they_lie(folder, split):
    engine = sr.RiskEngine.load(folder, verify="first_use")
    engine.score(split.later.tail(20), guard="off")
    for table in engine._state.features.blocks().values():
        for values in (table.ids, table.packed, table.starts, *table.totals.values()):
            assert not values.flags.owndata
            with pytest.raises(ValueError, match="read-only"):
                values[:0] = values[:0]


@pytest.mark.parametrize("deferred", [False, True])
def test_keys_of_any_name_are_saved(split, tmp_path, deferred):
    names = ("a/b+1", "a/b", "..", "A" * 300, "A" * 301, "é|%2F", "con")
    keys = tuple(sr.features.Key(("office",), name=name) for name in names)
    history = sr.features.LearnedHistory.learn(
        sr.features.DeclarationFeatures(keys, parts=("history",), n_jobs=1),
        split.past,
        sr.features.join_results(split.past, split.known),
        label_delay=30,
    )
    history, _ = history.add(split.later.head(9))
    stored = sr.features.store_history(history)
    folder = write_folder(tmp_path / "x", texts={}, tables=stored.tables)
    found = read_folder(folder, deferred=deferred)
    again = stored._replace(tables=found.tables, kept=found.kept)
    assert sr.features.restore_history(again).digests() == history.digests()
