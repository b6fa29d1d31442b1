"""A folder is replaced as a whole, keeps what is the user's, leaves nothing behind."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest

from smartrisk.artefact import read_folder, write_file, write_folder
from smartrisk.errors import ArtefactError

WRITING = "smartrisk.artefact._writing"


@pytest.fixture
def in_place(monkeypatch):
    """Make folders unable to exchange, as on Windows."""
    monkeypatch.setattr(f"{WRITING}.exchange", lambda one, other: False)


def mode_of(path):
    """Return the permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def value(folder):
    """Return which of two contents a folder holds."""
    return json.loads(read_folder(folder).texts["engine.json"])["a"]


def test_what_was_written_is_read(folder):
    found = read_folder(folder)
    assert found.texts["risk.txt"] == "tree\n"
    assert found.blobs == {"classifier.skops": b"PK"}
    assert sorted(found.tables) == ["history.items.x", "history.overall", "learned"]
    rate = found.tables["history.overall"]["rate"]
    assert rate.dtype == np.float64
    assert np.array_equal(rate, [0.5, np.nan], equal_nan=True)
    assert {path.name for path in folder.iterdir()} == {
        *("classifier.skops", "engine.json", "history.items.x.arrow"),
        *("history.overall.arrow", "learned.arrow", "manifest.json", "risk.txt"),
    }


@pytest.mark.parametrize("mapped", [False, True])
def test_columns_lie_at_multiples_of_64_bytes(folder, mapped):
    for columns in read_folder(folder, mapped=mapped).tables.values():
        for values in columns.values():
            assert not len(values) or values.ctypes.data % 64 == 0
            with pytest.raises(ValueError, match="read-only"):
                values[...] = 0


def test_the_mode_is_that_of_the_mask_and_an_old_folder_keeps_its_own(tmp_path, other):
    before = os.umask(0o027)
    try:
        folder = write_folder(tmp_path / "engine", **other)
        file = write_file(tmp_path / "a.csv", lambda draft: draft.write_text("x"))
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o750
    assert {mode_of(path) for path in [*folder.iterdir(), file]} == {0o640}
    folder.chmod(0o700)
    file.chmod(0o600)
    write_folder(folder, **other)
    write_file(file, lambda draft: draft.write_text("y"))
    assert mode_of(folder) == 0o700
    assert mode_of(file) == 0o600


def test_files_of_the_user_are_named_and_stay(folder, other):
    (folder / "notes.txt").write_text("precious")
    (folder / "figures").mkdir()
    with pytest.raises(ArtefactError, match=r"'figures', 'notes.txt'"):
        write_folder(folder, **other)
    assert (folder / "notes.txt").read_text() == "precious"
    (folder / "notes.txt").unlink()
    (folder / "figures").rmdir()
    assert value(folder) == 1
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ArtefactError, match="contains other files"):
        write_folder(folder, **other)


def test_files_put_there_during_the_save_are_kept(folder, other, monkeypatch):
    from smartrisk.artefact import _writing

    exchange = _writing.exchange

    def put_first(one, two):
        (two / "notes.txt").write_text("precious")
        return exchange(one, two)

    monkeypatch.setattr(f"{WRITING}.exchange", put_first)
    with pytest.raises(
        ArtefactError, match=r"'notes.txt'. They are in '(.*)'"
    ) as error:
        write_folder(folder, **other)
    assert value(folder) == 2
    kept = error.value.values["kept"]
    assert os.listdir(kept).count("notes.txt") == 1


def test_drafts_of_ended_processes_are_swept_and_those_of_others_stay(
    folder, tmp_path, other
):
    from smartrisk.artefact._sweeping import make_draft

    left = tmp_path / ".engine.draft-0badcafe"
    left.mkdir()
    (left / "risk.txt").write_text("tree")
    draft, lock = make_draft(folder)
    write_folder(folder, **other)
    assert not left.exists()
    assert draft.is_dir()
    os.close(lock)
    write_folder(folder, **other)
    assert [path.name for path in tmp_path.iterdir()] == ["engine"]


def test_a_refused_write_leaves_the_folder_as_it_was(folder, other, monkeypatch):
    def fail(sink, tables):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"{WRITING}.write_tables", fail)
    with pytest.raises(ArtefactError, match="No space left"):
        write_folder(folder, **other)
    assert value(folder) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["engine"]


def test_without_an_exchange_the_new_files_lie_beside_until_the_manifest_counts(
    folder, other, in_place, monkeypatch
):
    replace = os.replace

    def stop_before_the_manifest(source, place):
        if os.fspath(place).endswith("manifest.json"):
            raise KeyboardInterrupt
        replace(source, place)

    monkeypatch.setattr(os, "replace", stop_before_the_manifest)
    with pytest.raises(KeyboardInterrupt):
        write_folder(folder, **other)
    assert len(list(folder.iterdir())) > 7
    assert value(folder) == 1  # the old one; what was left is swept by this read
    assert len(list(folder.iterdir())) == 7
    monkeypatch.setattr(os, "replace", replace)
    write_folder(folder, **other)
    assert value(folder) == 2
    assert len(list(folder.iterdir())) == 7


def test_a_save_in_place_that_ends_after_the_manifest_is_complete(
    folder, other, in_place, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(f"{WRITING}.sweep_unlisted", lambda folder, is_held: None)
        write_folder(folder, **other)
    assert (folder / "risk.txt").exists()
    write_folder(folder, **other)
    assert value(folder) == 2
    assert not (folder / "risk.txt").exists()


@pytest.mark.windows
def test_an_engine_is_saved_over_the_folder_whose_files_are_in_use(
    folder, other, in_place, monkeypatch
):
    used = {path.name for path in folder.iterdir() if path.suffix == ".arrow"}
    in_use = read_folder(folder, mapped=True)
    unlink, replace = type(folder).unlink, os.replace

    def keep_used(path, missing_ok=False):
        if path.parent == folder and path.name in used:
            raise PermissionError(13, "in use")
        unlink(path, missing_ok=missing_ok)

    def replace_others(source, place):
        if os.path.basename(place) in used:
            raise PermissionError(13, "in use")
        replace(source, place)

    monkeypatch.setattr(type(folder), "unlink", keep_used)
    monkeypatch.setattr(os, "replace", replace_others)
    write_folder(folder, **other)
    assert value(folder) == 2
    assert used <= {path.name for path in folder.iterdir()}
    assert in_use.tables["history.items.x"]["n"].tolist() == [0, 1, 2, 3, 4]
    # The new files are in use in turn, and the same content is saved again.
    used |= {path.name for path in folder.iterdir() if path.suffix == ".arrow"}
    write_folder(folder, **other)
    assert value(folder) == 2
    del in_use
    used.clear()  # nobody uses the old files any more: the next read sweeps them
    assert value(folder) == 2
    assert len(list(folder.iterdir())) == 7


def test_a_folder_that_is_replaced_while_it_is_read_is_read_again(
    folder, other, monkeypatch
):
    from smartrisk.artefact import _reading

    parse, replaced = _reading.parse_manifest, []

    def replace_first(content, **names):
        if not replaced:
            replaced.append(write_folder(folder, **other))
        return parse(content, **names)

    monkeypatch.setattr(_reading, "parse_manifest", replace_first)
    assert value(folder) == 2


def test_an_empty_folder_is_filled_and_a_link_refused(tmp_path, other):
    (tmp_path / "engine").mkdir(mode=0o711)
    folder = write_folder(tmp_path / "engine", **other)
    assert mode_of(folder) == 0o711
    (tmp_path / "current").symlink_to(folder)
    assert value(tmp_path / "current") == 2
    with pytest.raises(ArtefactError, match="not a folder"):
        write_folder(tmp_path / "current", **other)
