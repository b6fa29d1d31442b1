"""What partitions may look like, and calls that meet what others left or are doing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.monitoring import InputProfile, _profile, _profile_rows, profile_to_plain
from smartrisk.scale._pieces import list_pieces
from smartrisk.scale._score import _open_engine, _Scoring
from smartrisk.scale._scratch import Scratch
from smartrisk.selectivity import Policy

N_ITEMS = 3_000


@pytest.fixture(scope="module")
def world():
    return make_declarations(N_ITEMS, random_state=0)


@pytest.mark.parametrize("rows", [40, 250_000])
def test_pieces_are_all_rows_of_row_groups_of_any_size(tmp_path, world, rows):
    items = world.declarations.head(250)
    folder = tmp_path / "items"
    folder.mkdir()
    items.head(200).to_parquet(folder / "a.parquet", row_group_size=60)
    items.tail(50).to_parquet(folder / "b.parquet", row_group_size=30)
    pieces = list_pieces("a test", folder, most_rows=rows).pieces
    found = [piece.read() for piece in pieces]
    assert [len(frame) for frame in found] == [piece.n_rows for piece in pieces]
    assert min(piece.n_rows for piece in pieces) > 0
    assert pd.concat(found).index.equals(pd.RangeIndex(250))
    assert len(pieces) == (6 if rows > 60 else 9)
    wanted = pd.concat(found)["declaration_id"].tolist()
    assert wanted == items["declaration_id"].tolist()
    some = pieces[-1].read(["declaration_id"], rows=np.array([3, 1]))
    assert some["declaration_id"].tolist() == [wanted[-20 + 3], wanted[-20 + 1]]


def test_a_fit_of_pieces_has_the_profile_of_all_items(tmp_path, world, monkeypatch):
    for name, value in {"_MOST_KNOWN": 700, "_MOST_LATER": 500}.items():
        monkeypatch.setattr(_profile_rows, name, value)
    for module in (_profile, _profile_rows):
        monkeypatch.setattr(module, "MOST_EARLIER", 300)
    items = world.declarations.sample(frac=1.0, random_state=0, ignore_index=True)
    bad = np.random.default_rng(0).random(N_ITEMS) < 0.05
    items["customs_value"] = items["customs_value"].mask(bad, -1.0)
    folder = tmp_path / "items"
    folder.mkdir()
    for number in range(3):
        part = items.iloc[1_000 * number : 1_000 * number + 1_000]
        part = part.drop(columns=["freight"] if number == 1 else [], errors="ignore")
        part.to_parquet(folder / f"{number}.parquet", row_group_size=700, index=False)
    with pytest.warns(DataQualityWarning, match="set aside"):
        engine = sr.scale.fit(
            sr.RiskEngine(),
            folder,
            folder=tmp_path / "h",
            rows=450,
            on_error="set_aside",
        )
    read = pd.concat(
        [pd.read_parquet(folder / f"{n}.parquet") for n in range(3)], ignore_index=True
    )
    kept = sr.validation.validate(read[~bad], sr.schema.DECLARATIONS)
    wanted = profile_to_plain(InputProfile.learn(kept))
    assert json.dumps(profile_to_plain(engine.profile_)) == json.dumps(wanted)
    assert wanted["n_items"] == N_ITEMS - bad.sum()
    grams = kept.tail(300).assign(net_mass_kg=lambda t: 1_000 * t["net_mass_kg"])
    with pytest.warns(sr.errors.SmartRiskWarning, match="net_mass_kg"):
        engine.score(grams)


def test_an_engine_that_was_saved_to_the_same_folder_later_is_loaded(tmp_path, world):
    early = sr.RiskEngine().fit(world.declarations.head(600))
    later = early.copy().update(world.declarations.iloc[600:700])
    versions = []
    for number, engine in enumerate((early, later)):
        engine.save(tmp_path / "engine")
        work = _Scoring(
            engine=tmp_path / "engine",
            call=str(number),
            trusted=(),
            scored=None,
            folder=tmp_path,
            on_error="raise",
            step=1,
        )
        versions.append(_open_engine(work).version_)
        assert _open_engine(work) is _open_engine(work)
    assert versions == [early.version_, later.version_]


def test_declarations_that_say_two_things_of_one_item_are_refused(tmp_path, world):
    items = world.declarations.tail(60)
    scores = items[["declaration_id", "item_number"]].assign(
        risk_score=np.linspace(0.1, 0.9, 60)
    )
    scores.to_parquet(tmp_path / "scores.parquet", index=False)
    place = tmp_path / "items"
    place.mkdir()
    items.to_parquet(place / "a.parquet", index=False)
    policy = Policy(capacity=0.1, per=("office",))
    more = world.declarations.head(5)
    more.to_parquet(place / "b.parquet", index=False)  # others do no harm
    sr.scale.select(
        tmp_path / "scores.parquet", place, folder=tmp_path / "one", policy=policy
    )
    items.head(1).assign(office="ZZ").to_parquet(place / "b.parquet", index=False)
    name = items["declaration_id"].iloc[0]
    with pytest.raises(TableError, match=f"2 rows are of 1 items.*{name}.*b.parquet"):
        sr.scale.select(
            tmp_path / "scores.parquet", place, folder=tmp_path / "two", policy=policy
        )
    assert not (tmp_path / "two").exists()


def test_two_calls_with_one_folder_do_not_mix(tmp_path):
    target = tmp_path / "scores"
    with Scratch("a test", target) as one:
        (one.made / "a").write_text("one")
        with Scratch("a test", target) as two:
            assert (one.made / "a").exists()
            assert not any(two.made.iterdir())
            (two.made / "b").write_text("two")
            one.put_in_place()
            with pytest.raises(ArgumentError, match="is not an empty folder"):
                two.put_in_place()
    assert [path.name for path in target.iterdir()] == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["scores"]


def test_what_a_killed_call_left_is_removed_by_the_next(tmp_path):
    left = tmp_path / ".scores.draft-0123abcd" / "made"
    left.mkdir(parents=True)
    (left / "part-000000.parquet").write_text("half")
    with Scratch("a test", tmp_path / "scores") as scratch:
        assert not left.exists()
        scratch.put_in_place()
    assert not any((tmp_path / "scores").iterdir())
