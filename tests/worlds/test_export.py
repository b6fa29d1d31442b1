"""A world as files: equal bytes, equal tables, changed files refused."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest

from smartrisk.datasets import (
    make_declarations,
    read_world,
    stream_declarations,
    write_world,
)
from smartrisk.errors import ArgumentError, ArtefactError

TABLES = ("declarations", "outcomes", "truth", "events", "officers")


@pytest.fixture(scope="module")
def world():
    return make_declarations(2_000, random_state=3, scenario="drift")


@pytest.fixture
def folder(world, tmp_path):
    return write_world(world, tmp_path / "world")


def digests(folder):
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()
    }


def test_a_world_comes_back_as_it_was(world, folder):
    again = read_world(folder)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(world, name))
    assert again.scenario == world.scenario
    assert again.random_state == world.random_state
    decisions = world.decisions()
    pd.testing.assert_frame_equal(again.inspect(decisions), world.inspect(decisions))


def test_the_same_world_gives_the_same_bytes(world, folder, tmp_path):
    assert digests(write_world(world, tmp_path / "other")) == digests(folder)
    assert digests(write_world(world, folder)) == digests(folder)


@pytest.mark.slow
def test_a_part_of_a_stream_comes_back_too(tmp_path):
    part = list(stream_declarations(2_000))[5]
    again = read_world(write_world(part, tmp_path / "part"))
    assert again.first_item == part.first_item
    pd.testing.assert_frame_equal(again.truth, part.truth)


def test_the_description_names_every_file_and_column(world, folder):
    description = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert "http://mlcommons.org/croissant/1.0" in description["conformsTo"]
    files = {entry["name"]: entry for entry in description["distribution"]}
    written = digests(folder)
    assert set(files) == set(written) - {"croissant.json"}
    for name, entry in files.items():
        assert entry["sha256"] == written[name]
        assert entry["contentSize"] == f"{(folder / name).stat().st_size} B"
    sets = {records["name"]: records for records in description["recordSet"]}
    assert set(sets) == set(TABLES)
    for name, records in sets.items():
        fields = {field["name"]: field for field in records["field"]}
        assert list(fields) == list(getattr(world, name))
        for column, field in fields.items():
            assert len(field["description"]) > len(column) / 2
            assert field["description"] != column, column
            assert field["source"]["fileObject"]["@id"] in files


def test_a_changed_or_missing_file_is_named(folder):
    path = folder / "truth.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    (folder / "events.parquet").unlink()
    with pytest.raises(ArtefactError, match=r"changed \['truth.parquet'\], missing"):
        read_world(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"distribution": []}'])
def test_a_damaged_description_is_refused(folder, text):
    (folder / "croissant.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"damaged|does not describe"):
        read_world(folder)


def test_other_folders_are_left_alone(world, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "letter.txt").write_text("text", encoding="utf-8")
    with pytest.raises(ArtefactError, match="other files"):
        write_world(world, tmp_path / "notes")
    with pytest.raises(ArtefactError, match=r"has no 'croissant.json'"):
        read_world(tmp_path / "notes")
    with pytest.raises(ArgumentError, match="must be a World"):
        write_world(world.declarations, tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["notes"]
