"""Items in Parquet files give the engine, scores and decisions of all at once."""

from __future__ import annotations

import functools
import mmap
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.datasets import make_declarations
from smartrisk.engine import _partitions, _training
from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    MissingExtraError,
    TableError,
)
from smartrisk.features import pack_history
from smartrisk.scale import _fit, _merging
from smartrisk.selectivity import Condition, Policy, Rule, RuleSet

N_ITEMS = 3_000
KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(N_ITEMS, random_state=0)


@pytest.fixture(scope="module")
def local(world):
    return sr.RiskEngine().fit(world.declarations, world.outcomes)


def write(items: pd.DataFrame, folder: Path, part) -> Path:
    folder.mkdir(parents=True)
    for number in np.unique(part):
        name = f"part-{number:03d}.parquet"
        items[part == number].to_parquet(folder / name, index=False)
    return folder


def parts(kind: str, n: int, n_items: int = N_ITEMS):
    if kind == "time":
        return np.arange(n_items) * n // n_items
    return np.random.default_rng(0).integers(0, n, n_items)


def assert_same_engine(found, wanted, items):
    assert found.version_ == wanted.version_
    assert found.classifier_.booster_texts() == wanted.classifier_.booster_texts()
    assert repr(found.stage_report_) == repr(wanted.stage_report_)
    learned, tables = pack_history(found._state.history)
    other, others = pack_history(wanted._state.history)
    assert learned == other
    assert tables.keys() == others.keys()
    for name, columns in tables.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(values, others[name][column], name)
            assert values.dtype == others[name][column].dtype
    one, two = (engine.score(items, guard="off") for engine in (found, wanted))
    pd.testing.assert_frame_equal(
        one.drop(columns="scored_at"), two.drop(columns="scored_at")
    )


def is_in_a_file(matrix):
    """Return whether a matrix is mapped into memory."""
    while isinstance(matrix, np.ndarray):
        matrix = matrix.base
    return isinstance(matrix, mmap.mmap)


@pytest.mark.parametrize(
    ("kind", "n", "rows", "memory"),
    [("random", 4, 250_000, 4.0), ("time", 3, 700, 0.02)],
)
def test_fit_of_pieces_is_that_of_all_items(
    tmp_path, world, monkeypatch, kind, n, rows, memory
):
    shares, mapped, learn = [], [], sr.models.RiskClassifier.fit

    @functools.wraps(learn)
    def note_share(self, matrix, *args, **options):
        shares.append(options["inspected_share"])
        mapped.append(is_in_a_file(matrix))
        return learn(self, matrix, *args, **options)

    monkeypatch.setattr(sr.models.RiskClassifier, "fit", note_share)
    for module in (_training, _partitions):  # gather some of the items only
        monkeypatch.setattr(module, "SIGNAL_ITEMS", 500)
    wanted = sr.RiskEngine().fit(world.declarations, world.outcomes)
    monkeypatch.setattr(_merging, "FAN_IN", 3)
    monkeypatch.setattr(_merging, "_MANY", 1_000)
    monkeypatch.setattr(_merging, "_RANGE", 5_000)
    items = write(world.declarations, tmp_path / "items", parts(kind, n))
    engine = sr.scale.fit(
        sr.RiskEngine(),
        items,
        world.outcomes,
        folder=tmp_path / "history",
        rows=rows,
        memory=memory,
    )
    assert shares == [len(world.outcomes) / N_ITEMS] * 2
    assert mapped == [False, True]
    assert_same_engine(engine, wanted, world.declarations.tail(300))
    assert not list(tmp_path.glob(".history*"))
    first_level = (tmp_path / "history").glob("level0-*")
    assert not list(first_level)  # merged again, since there are more than three pieces


def test_a_piece_without_some_fields_is_learned_under_the_plan_of_all(
    tmp_path, world, local
):
    items = world.declarations.copy()
    early = np.arange(N_ITEMS) < 600
    items.loc[early, "tariff_code"] = items["tariff_code"].str[:6]
    items.loc[early, ["preference", "payment_type"]] = None
    folder = write(items, tmp_path / "items", parts("time", 5))
    engine = sr.scale.fit(
        sr.RiskEngine(), folder, world.outcomes, folder=tmp_path / "history"
    )
    wanted = sr.RiskEngine().fit(items, world.outcomes)
    assert "national_code__code" not in wanted.features_.get_feature_names_out()
    assert_same_engine(engine, wanted, items.tail(300))
    assert engine.version_ != local.version_


def test_fit_without_results_and_with_results_of_documents(tmp_path, world):
    items = world.declarations.assign(
        declaration_id=[f"D{number // 3}" for number in range(N_ITEMS)],
        item_number=[number % 3 + 1 for number in range(N_ITEMS)],
    )
    folder = write(items, tmp_path / "items", parts("random", 3))
    engine = sr.scale.fit(sr.RiskEngine(), folder, folder=tmp_path / "history")
    assert engine.version_ == sr.RiskEngine().fit(items).version_
    outcomes = pd.DataFrame({"declaration_id": ["D7"], "illicit": [1]})
    with pytest.raises(TableError, match="have no item_number"):
        sr.scale.fit(sr.RiskEngine(), folder, outcomes, folder=tmp_path / "other")


def test_items_that_are_in_two_files_are_refused_and_named(tmp_path, world, local):
    folder = write(world.declarations, tmp_path / "items", parts("random", 2))
    world.declarations.head(2).to_parquet(folder / "part-again.parquet", index=False)
    name = world.declarations["declaration_id"].iloc[0]
    calls = (
        lambda: sr.scale.fit(sr.RiskEngine(), folder, folder=tmp_path / "history"),
        lambda: sr.scale.score(local, folder, tmp_path / "scores"),
    )
    for call in calls:
        with pytest.raises(TableError, match=f"4 rows are of 2 items.*{name}.*again"):
            call()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items"]


def test_results_of_unknown_items_are_refused(tmp_path, world):
    folder = write(world.declarations, tmp_path / "items", parts("time", 2))
    lost = world.outcomes.assign(
        declaration_id=world.outcomes["declaration_id"].where(
            np.arange(len(world.outcomes)) > 0, "D-unknown"
        )
    )
    engine = sr.RiskEngine()
    with pytest.raises(TableError, match="D-unknown"):
        sr.scale.fit(engine, folder, lost, folder=tmp_path / "history")
    assert not hasattr(engine, "classifier_") or engine._state is None
    with pytest.warns(sr.errors.DataQualityWarning, match="set aside"):
        sr.scale.fit(
            engine,
            folder,
            lost,
            folder=tmp_path / "history",
            on_error="set_aside",
        )
    assert engine.stage_report_.n_results == len(lost) - 1


def test_too_many_results_for_the_memory_are_refused_with_what_to_do(
    tmp_path, world, monkeypatch
):
    monkeypatch.setattr(_fit, "_gather", None)  # what does not fit is not read
    folder = write(world.declarations, tmp_path / "items", parts("time", 1))
    wanted = r"learn from 3000 items.*takes about 0\.0 GiB; 'memory' allows 0\.0"
    with pytest.raises(TableError, match=wanted):
        sr.scale.fit(
            sr.RiskEngine(),
            folder,
            world.outcomes,
            folder=tmp_path / "history",
            memory=0.002,
        )


def test_scores_of_pieces_are_those_of_all_items(tmp_path, world, local):
    items = write(world.declarations, tmp_path / "items", parts("random", 3))
    folder = sr.scale.score(local, items, tmp_path / "scores", rows=500)
    found = pd.read_parquet(folder)
    wanted = local.score(pd.read_parquet(items))
    assert found["scored_at"].nunique() == 1
    pd.testing.assert_frame_equal(
        found.drop(columns="scored_at"),
        wanted.drop(columns="scored_at"),
        check_dtype=False,
    )


def test_the_guard_refuses_a_dataset_and_nothing_is_written(tmp_path, world, local):
    grams = world.declarations.assign(
        net_mass_kg=1_000 * world.declarations["net_mass_kg"]
    )
    items = write(grams, tmp_path / "items", parts("random", 2))
    with pytest.raises(TableError, match="net_mass_kg"):
        sr.scale.score(local, items, tmp_path / "scores", guard="raise")
    assert not (tmp_path / "scores").exists()


def test_update_by_pieces_is_that_of_all_items(tmp_path, world, local):
    early, late = world.declarations.head(2_700), world.declarations.tail(300)
    is_late = world.outcomes["declaration_id"].isin(late["declaration_id"])
    engine = sr.RiskEngine().fit(early, world.outcomes[~is_late])
    wanted = engine.copy().update(late, world.outcomes[is_late])
    items = write(late, tmp_path / "items", parts("random", 3, 300))
    before = engine.version_
    again = late.head(1)
    again.to_parquet(items / "part-again.parquet", index=False)
    with pytest.raises(TableError, match="more than once"):
        sr.scale.update(engine, items, world.outcomes[is_late])
    assert engine.version_ == before
    (items / "part-again.parquet").unlink()
    sr.scale.update(engine, items, world.outcomes[is_late])
    assert engine.version_ == wanted.version_
    assert repr(engine.last_update_) == repr(wanted.last_update_)
    assert_same_engine(engine, wanted, late)
    with pytest.raises(ArgumentError, match="pass 'dataset', 'outcomes' or both"):
        sr.scale.update(engine)


@pytest.mark.parametrize(
    ("policy", "with_rules"),
    [
        (Policy(capacity=0.1, random_share=0.2, blue_share=0.05), False),
        (Policy(capacity=0.05, per=("day", "office")), False),
        (Policy(capacity=80, rank_by="blend", explore="uncertainty"), True),
        (Policy(capacity=0.1, trusted_relief=0.3, per="office"), False),
        (Policy(capacity=0.1, per="item_number"), False),
        (Policy(capacity=0.1, rank_by="net_benefit", random_share=0.3), False),
    ],
)
def test_decisions_over_files_are_those_of_all_items(
    tmp_path, world, local, policy, with_rules
):
    rules = None
    if with_rules:
        when = (Condition(field="origin", operator="=", value="CN"),)
        rules = RuleSet(rules=(Rule(rule_id="CN", when=when, rate=0.1),))
    recent = world.declarations.tail(1_500)
    scores = local.score(recent).assign(risk_score=lambda s: s["risk_score"].round(2))
    scored = write(scores, tmp_path / "scores", parts("random", 3, 1_500))
    items = write(recent, tmp_path / "items", parts("time", 4, 1_500))
    clock = pd.Timestamp("2026-01-01")
    folder = sr.scale.select(
        scored,
        items,
        folder=tmp_path / "decisions",
        policy=policy,
        rules=rules,
        clock=clock,
        rows=400,
    )
    wanted = sr.selectivity.select(
        scores, recent, policy=policy, rules=rules, clock=clock
    )
    found = pd.read_parquet(folder).set_index(KEY)
    wanted = wanted.set_index(KEY)
    pd.testing.assert_frame_equal(found.loc[wanted.index], wanted, check_dtype=False)


def test_select_names_scores_without_declarations(tmp_path, world, local):
    scores = local.score(world.declarations.tail(20))
    scores.to_parquet(tmp_path / "scores.parquet")
    world.declarations.tail(19).to_parquet(tmp_path / "items.parquet")
    name = scores["declaration_id"].iloc[0]
    with pytest.raises(TableError, match=f"1 scores have no declaration.*{name}"):
        sr.scale.select(
            tmp_path / "scores.parquet",
            tmp_path / "items.parquet",
            folder=tmp_path / "decisions",
            policy=Policy(per="day"),
        )


def test_columns_that_need_the_whole_column_are_refused(tmp_path, world):
    items = world.declarations.head(50)
    items.astype({"lodged_at": "str", "customs_value": "str"}).to_parquet(
        tmp_path / "items.parquet"
    )
    with pytest.raises(TableError, match=r"2 columns are not of the type.*lodged_at"):
        sr.scale.fit(
            sr.RiskEngine(), tmp_path / "items.parquet", folder=tmp_path / "history"
        )


def test_datasets_that_cannot_be_read_are_named(tmp_path, world, local):
    with pytest.raises(TableError, match=r"1 of the files.*absent"):
        sr.scale.score(local, [tmp_path / "absent.parquet"], tmp_path / "scores")
    with pytest.raises(TableError, match="must be a folder or a list of Parquet"):
        sr.scale.score(local, world.declarations, tmp_path / "scores")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.parquet").write_text("no Parquet")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        sr.scale.score(local, tmp_path / "text", tmp_path / "scores")
    world.declarations.head(0).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(TableError, match="holds no row"):
        sr.scale.score(local, tmp_path / "none.parquet", tmp_path / "scores")
    one = world.declarations.head(5)
    folder = write(one, tmp_path / "mixed", np.zeros(5, int))
    one.assign(origin=1.0).to_parquet(folder / "other.parquet")
    with pytest.raises(TableError, match="types that do not go together"):
        sr.scale.score(local, folder, tmp_path / "scores")


def test_a_folder_that_is_not_empty_is_refused(tmp_path, world, local):
    world.declarations.head(5).to_parquet(tmp_path / "items.parquet")
    with pytest.raises(ArgumentError, match="is not an empty folder"):
        sr.scale.score(local, tmp_path / "items.parquet", tmp_path)


def test_offices_as_folders_are_read_as_texts(tmp_path, world, local):
    items = world.declarations.tail(100)
    items.to_parquet(tmp_path / "items", partition_cols=["office"], index=False)
    folder = sr.scale.score(local, tmp_path / "items", tmp_path / "scores")
    found = pd.read_parquet(folder).set_index(KEY)["risk_score"]
    wanted = local.score(items).set_index(KEY)["risk_score"]
    pd.testing.assert_series_equal(found.loc[wanted.index], wanted, check_index=False)


def test_a_client_without_dask_names_the_extra(tmp_path, monkeypatch, world, local):
    world.declarations.head(5).to_parquet(tmp_path / "items.parquet")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"smartrisk\[scale\]"):
        sr.scale.score(
            local, tmp_path / "items.parquet", tmp_path / "scores", client=object()
        )


def test_what_is_no_client_is_refused(tmp_path, world, local):
    pytest.importorskip("distributed")
    world.declarations.head(5).to_parquet(tmp_path / "items.parquet")
    with pytest.raises(ArgumentError, match=r"distributed\.Client"):
        sr.scale.score(
            local, tmp_path / "items.parquet", tmp_path / "scores", client=object()
        )


def test_a_refused_fit_leaves_the_engine_as_it_was(tmp_path, world, local):
    folder = write(world.declarations, tmp_path / "items", parts("time", 2))
    engine = local.copy()
    with pytest.raises(TableError):
        sr.scale.fit(
            engine,
            folder,
            world.outcomes.assign(declaration_id="nobody"),
            folder=tmp_path / "history",
        )
    assert engine.version_ == local.version_


@pytest.mark.filterwarnings("ignore:RiskEngine.fit. Only 4 hits")
def test_fit_of_pieces_with_a_target_is_that_of_all_items(tmp_path, world):
    target = {
        "target": "offence:undervaluation",
        "classifier": sr.models.RiskClassifier(4, members=("boosting",)),
    }
    known = world.outcomes.copy()
    hits = known.index[known["illicit"] == 1]
    known.loc[hits[:2], "offence"] = None
    with pytest.warns(DataQualityWarning, match="2 hits without an 'offence'"):
        wanted = sr.RiskEngine(**target).fit(world.declarations, known)
    items = write(world.declarations, tmp_path / "items", parts("random", 3))
    with pytest.warns(DataQualityWarning, match="2 hits without an 'offence'"):
        found = sr.scale.fit(
            sr.RiskEngine(**target), items, known, folder=tmp_path / "history"
        )
    assert_same_engine(found, wanted, world.declarations.tail(20))
    assert found.target_ == "offence:undervaluation"
    with pytest.raises(ArgumentError, match="area:drugs 0"):
        sr.scale.fit(
            sr.RiskEngine(target="area:drugs"), items, known, folder=tmp_path / "none"
        )
