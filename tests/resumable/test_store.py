"""A store gives back what was written whole, under its own fingerprint only."""

from __future__ import annotations

import math
import os

import pytest

from smartrisk.resumable import ResultStore, fingerprint


def test_a_result_comes_back_as_it_was_written(tmp_path):
    store, key = ResultStore(tmp_path / "new" / "folder"), fingerprint("x")
    assert store.read(key) is None
    store.write(key, [{"month": "2024-01", "hits": 3, "rate": math.nan}])
    (row,) = ResultStore(tmp_path / "new" / "folder").read(key)
    assert row["month"] == "2024-01"
    assert row["hits"] == 3
    assert math.isnan(row["rate"])
    assert store.read(fingerprint("y")) is None


def test_a_damaged_file_is_not_a_result(tmp_path):
    store, key = ResultStore(tmp_path), fingerprint("x")
    store.write(key, [1, 2])
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text(encoding="utf-8")[:-3], encoding="utf-8")
    assert store.read(key) is None
    path.write_bytes(b"\xff\x00")
    assert store.read(key) is None


def test_a_file_under_another_name_is_no_result(tmp_path):
    store = ResultStore(tmp_path)
    store.write(fingerprint("x"), [1])
    (path,) = tmp_path.iterdir()
    path.rename(tmp_path / f"{fingerprint('y')}.json")
    assert store.read(fingerprint("y")) is None


def test_a_result_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    store = ResultStore(tmp_path)
    store.write(fingerprint("x"), [1])
    with pytest.raises(TypeError):
        store.write(fingerprint("x"), [object()])

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("smartrisk.resumable.os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        store.write(fingerprint("x"), [2])
    assert store.read(fingerprint("x")) == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_folder_nothing_is_kept():
    store = ResultStore(None)
    store.write(fingerprint("x"), [1])
    assert store.read(fingerprint("x")) is None


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_stored_files_have_the_ordinary_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        ResultStore(tmp_path).write(fingerprint("x"), [1])
    finally:
        os.umask(before)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o640
