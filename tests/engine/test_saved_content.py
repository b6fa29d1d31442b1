"""What a saved engine holds is checked when it is loaded; the file is named."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import smartrisk as sr
from smartrisk.artefact import read_folder
from smartrisk.engine import StageReport
from smartrisk.engine._state import unpack
from smartrisk.errors import ArgumentError, ArtefactError

FROZEN = Path(__file__).parent / "frozen"
#: A stage as it is saved.
STAGE = StageReport(
    n_items=2000, n_results=900, n_hits=90, signals_weight=0.2
).to_plain()


@pytest.fixture(scope="module")
def content():
    """Return what a small engine is saved as."""
    return read_folder(FROZEN / "format-3")


@pytest.fixture(scope="module")
def run_trial(root):
    """Return what runs a trial of the benchmark."""
    return runpy.run_path(str(root / "benchmarks" / "artefacts.py"))["run_trial"]


def load(content, tables=None, **files):
    """Unpack a content of which some tables and values are changed."""
    texts = dict(content.texts)
    for stem, change in files.items():
        name = f"{stem}.json"
        plain = json.loads(texts[name])
        change(plain)
        texts[name] = json.dumps(plain)
    changed = content.tables | (tables or {})
    tables = {name: table for name, table in changed.items() if table is not None}
    return unpack(content._replace(texts=texts, tables=tables), folder="x", trusted=())


def put(*path):
    """Return a change of plain values: the path to one of them, and what it becomes."""
    *names, last, value = path

    def change(plain):
        for name in names:
            plain = plain[name]
        plain[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (put("more", 1), "missing or unknown: more"),
        (lambda plain: plain.pop("settings"), "missing or unknown: settings"),
        (put("version", "x"), "'version' has a value of another kind"),
        (put("digests", {"history.overall": 1}), "'digests' has a value"),
        (put("sources", [{"sha256": "x"}]), "'sources' has a value"),
        (put("own_fields", {"dq_x": "code"}), "'own_fields' has a value"),
        (put("settings", "label_delay", -1), "'label_delay'"),
        (put("features", "label_delay", 1.5), "'label_delay'"),
        (put("features", "params", "n_jobs", "two"), "'n_jobs'"),
        (put("features", "history", "keys", 0, "columns", 7), "TypeError"),
        (put("features", "columns", 3, "colour"), "columns of the fit are 'colour'"),
        (put("features", "columns", 0, "carrier_id"), "fit are 'declaration_id'"),
        (put("classifier", "params", "n_jobs", 0), "'n_jobs'"),
        (put("classifier", "state", "n_trees", 10**400), "'n_trees' is 1000"),
        (put("regressor", "state", "mean", -1.0), "'mean' is -1.0"),
        (put("stakes", {"value": True, "rate": 0.1}), "'value' of the stakes is True"),
        (put("stakes", {"value": 9.0, "rate": "x"}), "'rate' of the stakes is 'x'"),
        (put("stakes", {"value": 9.0, "rate": -1.0}), "numbers from 0; got -1.0"),
        (put("stakes", {"value": 9.0}), "stakes have the names"),
        (put("stage", STAGE | {"n_hits": 1.5}), "'n_hits' of the stage is 1.5"),
        (put("stage", STAGE | {"n_hits": 10**30}), "'n_hits' of the stage is 1000"),
        (put("stage", STAGE | {"n_hits": 901}), "more than all of them"),
        (put("stage", STAGE | {"n_documentary": 5}), "more than all of them"),
        (put("stage", STAGE | {"signals_weight": 1.5}), "'signals_weight' .* is 1.5"),
        (put("stage", STAGE | {"enough": True}), "'enough' of the stage is True"),
        (put("stage", STAGE | {"more": 1}), "the stage has the names"),
        (put("stage", {"n_items": 9}), "the stage has the names"),
    ],
)
def test_odd_values_are_refused_by_name(content, change, problem):
    with pytest.raises(ArtefactError, match=rf"'engine\.json'.*{problem}"):
        load(content, engine=change)


@pytest.mark.parametrize(
    "change",
    [
        put("n_items", -1),
        put("last_day", "soon"),
        put("usual_months", True),
        put("routes", 5),
        put("groups", ""),
        put("habits", "office", "prefix", "AB"),
        put("habits", "office", {}),
        put("traders", "importer_id", 0, 1),
        put("figures", {"missing:origin": [0.0, -1.0, 0.0]}),
        put("pairs", {"office": ""}),
    ],
)
def test_an_odd_profile_is_refused(content, change):
    with pytest.raises(ArtefactError, match=r"'profile\.json' does not describe"):
        load(content, profile=change)


def of(column, change):
    """Return a change of a table: a change of one of its columns."""

    def changed(table):
        return table | {column: change(table[column].copy())}

    return changed


def at(place, value):
    """Return a change of a column: what one of its entries becomes."""

    def changed(values):
        values[place] = value
        return values

    return changed


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("history.overall", lambda t: {k: v[::-1] for k, v in t.items()}, "not sorted"),
        ("history.overall", of("day", at(0, -1)), "outside 0 to"),
        ("history.overall", of("n", lambda v: v.astype(float)), "of type float64"),
        ("history.overall", lambda t: {"id": t["id"], "day": t["day"]}, "no sums"),
        ("history.overall", lambda t: None, "'history.overall' .* is missing"),
        ("codes.office", of("id", at(0, 0)), "codes.arrow|another kind|differ"),
        ("codes.office", of("id", lambda v: v[[0, 0]]), "one of them twice"),
        ("codes.office", of("id", lambda v: v[:0]), "has no codes"),
        ("learned", of("id", lambda v: v[::-1]), "not sorted"),
        ("register.items", of("id", lambda v: v[::-1]), "not sorted"),
        ("register.items", of("code.office", at(3, 99)), "outside -2 to"),
        ("register.items", of("number.quantity", at(3, np.inf)), "infinite"),
        ("register.items", lambda t: t | {"more": t["id"]}, "other ones: more"),
        ("register.items", lambda t: None, "is missing"),
        ("register.values.hs4", lambda t: None, "that its values are for"),
        ("register.values.hs4", of("id", lambda v: v[::-1]), "not sorted"),
        ("register.results", of("hits", at(0, 2)), "outside 0 to 1"),
        ("register.results", of("stated", at(0, -2)), "outside -1"),
        ("register.results", of("id", lambda v: v[::-1]), "not sorted"),
        (
            "register.results",
            lambda t: {k: v for k, v in t.items() if k != "stated"},
            "development version of 2026-11.*Fit an engine again",
        ),
    ],
)
def test_odd_tables_are_refused_by_their_file(content, name, change, problem):
    changed = change(content.tables[name])
    with pytest.raises(ArtefactError, match=problem) as error:
        load(content, tables={name: changed})
    assert name.partition(".")[0] in str(error.value)


def test_a_table_of_no_part_is_refused(content):
    table = content.tables["history.overall"]
    with pytest.raises(ArtefactError, match=r"'history.more' of 'history\.arrow'"):
        load(content, tables={"history.more": table})


def test_settings_that_load_would_refuse_are_not_saved(content, tmp_path):
    engine = sr.RiskEngine.load(FROZEN / "format-3").set_params(label_delay=-1)
    with pytest.raises(ArgumentError, match="label_delay"):
        engine.save(tmp_path / "engine")
    assert not list(tmp_path.iterdir())


def test_a_mapped_engine_is_saved_over_its_own_folder(tmp_path):
    folder = sr.RiskEngine.load(FROZEN / "format-3").save(tmp_path / "engine")
    engine = sr.RiskEngine.load(folder, mapped=True)
    version = engine.version_
    engine.save(folder)
    assert sr.RiskEngine.load(folder).version_ == version
    assert len(engine.save(tmp_path / "again").name) == 5


@pytest.mark.parametrize("taken", [False, True])
def test_a_folder_of_few_files_holds_the_same_engine(tmp_path, monkeypatch, taken):
    engine = sr.RiskEngine.load(FROZEN / "format-4")
    if taken:  # the way of systems that cannot exchange folders
        monkeypatch.setattr("smartrisk.artefact._writing.exchange", lambda *_: False)
        engine.save(tmp_path / "engine")
    folder = engine.save(tmp_path / "engine", few_files=True)
    assert len([path for path in folder.iterdir() if path.is_file()]) <= 20
    for options in ({}, {"verify": "first_use"}, {"mapped": True}):
        again = sr.RiskEngine.load(folder, **options)
        assert again.version_ == engine.version_
    again.save(tmp_path / "usual")
    assert sr.RiskEngine.load(tmp_path / "usual").version_ == engine.version_


@pytest.mark.slow
def test_damaged_folders_neither_crash_nor_hang_nor_raise_other_errors(run_trial):
    counts = run_trial("damage", 105)
    assert counts["folders"] == 105
    assert counts["refused"] > 80
    fatal = ("crashes", "hangs", "raw errors", "refused at use")
    assert {name: counts[name] for name in fatal} == dict.fromkeys(fatal, 0)
    assert counts["missed without re-hash"] == counts["file not named"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("trial", ["kills", "kills in place"])
def test_an_engine_loads_after_every_save_that_was_ended(run_trial, trial):
    counts = run_trial(trial, 10)
    assert counts["kills"] == 10
    assert counts["not loaded"] == counts["files left after the next save"] == 0
