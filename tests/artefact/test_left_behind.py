"""What others do meanwhile, and what an ended process left, spoils no folder."""

from __future__ import annotations

import contextlib
import os
import time

import pytest

from smartrisk.artefact import _sweeping as sweeping
from smartrisk.artefact import read_folder, write_folder
from smartrisk.errors import ArtefactError

WRITING = "smartrisk.artefact._writing"
READING = "smartrisk.artefact._reading"


def test_files_put_into_a_folder_while_it_is_saved_outlive_every_later_save(
    folder, other, monkeypatch
):
    from smartrisk.artefact import _writing

    exchange = _writing.exchange

    def put_a_file_first(draft, target):
        (target / "notes.txt").write_text("notes")
        return exchange(draft, target)

    with monkeypatch.context() as patch:
        patch.setattr(f"{WRITING}.exchange", put_a_file_first)
        with contextlib.suppress(ArtefactError):  # names the file and its new place
            write_folder(folder, **other)
    with contextlib.suppress(ArtefactError):
        write_folder(folder, **other)
    found = list(folder.parent.rglob("notes.txt"))
    assert [path.read_text() for path in found] == ["notes"]


def test_another_save_does_not_sweep_the_folder_that_was_just_replaced(
    folder, other, monkeypatch
):
    from smartrisk.artefact import _writing

    remove = _writing._remove_old

    def after_others_swept(old, owner):
        sweeping.sweep_drafts(folder)
        assert (old / "manifest.json").exists()
        remove(old, owner)

    monkeypatch.setattr(f"{WRITING}._remove_old", after_others_swept)
    write_folder(folder, **other)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.skipif(sweeping.fcntl is None, reason="locks of folders")
def test_a_folder_that_was_replaced_while_it_was_waited_for_is_waited_for_again(
    folder, other, monkeypatch
):
    lock, calls = sweeping._lock, []

    def replaced_first(place, *, wait):
        handle = lock(place, wait=wait)
        if not calls:
            calls.append(place.rename(place.with_name("before")))
            write_folder(folder, **other)
        return handle

    monkeypatch.setattr(sweeping, "_lock", replaced_first)
    with sweeping.hold_folder(folder) as is_held:
        assert is_held
        assert lock(folder, wait=False) is None  # held by nobody else


@pytest.mark.parametrize("opens_before", [False, True])
def test_a_draft_that_others_sweep_before_it_is_locked_is_made_again(
    folder, monkeypatch, opens_before
):
    lock, calls = sweeping._lock, []

    def swept_first(place, *, wait):
        if calls:
            return lock(place, wait=wait)
        handle = lock(place, wait=wait) if opens_before else None
        calls.append(place.rmdir())
        return handle

    monkeypatch.setattr(sweeping, "_lock", swept_first)
    draft, handle = sweeping.make_draft(folder)
    assert draft.is_dir()
    if handle is not None:
        sweeping.release(handle)


@pytest.mark.skipif(sweeping.fcntl is None, reason="locks of folders")
def test_a_lock_ends_where_another_process_has_inherited_it(folder):
    lock = sweeping._lock(folder, wait=False)
    inherited = os.dup(lock)  # as a fork does
    sweeping.release(lock)
    again = sweeping._lock(folder, wait=False)
    assert again is not None
    for handle in (again, inherited):
        os.close(handle)


def test_a_signature_that_was_being_written_hinders_nobody(folder, other):
    (folder / ".manifest-0123abcd.sig").write_bytes(b"half")
    read_folder(folder)
    assert not (folder / ".manifest-0123abcd.sig").exists()
    (folder / ".manifest-0123abcd.sig").write_bytes(b"half")
    write_folder(folder, **other)


def test_a_folder_that_vanishes_between_its_opening_and_its_manifest_is_read_again(
    folder, other, monkeypatch
):
    from smartrisk.artefact import _reading

    read, replaced = _reading._read_manifest, []

    def replace_first(opened):
        if not replaced:
            replaced.append(write_folder(folder, **other))
        return read(opened)

    monkeypatch.setattr(f"{READING}._read_manifest", replace_first)
    assert '"a": 2' in read_folder(folder).texts["engine.json"]


def test_a_process_that_was_faster_with_a_new_folder_is_followed(
    tmp_path, other, monkeypatch
):
    from smartrisk.artefact import _writing

    take, calls = _writing._put_in_place, []

    def first_another(draft, target, entries, owner, **options):
        if not calls:
            calls.append(1)
            write_folder(target, **other)
            monkeypatch.setattr(type(target), "exists", lambda path: False)
        take(draft, target, entries, owner, **options)
        monkeypatch.undo()

    monkeypatch.setattr(f"{WRITING}._put_in_place", first_another)
    write_folder(tmp_path / "engine", **other)
    assert read_folder(tmp_path / "engine").texts


def test_only_folders_named_as_drafts_are_swept(folder, other):
    own = folder.with_name(f".{folder.name}.draft-of-others")
    own.mkdir()
    write_folder(folder, **other)
    assert own.is_dir()


@pytest.mark.windows
def test_without_locks_old_drafts_are_swept_and_new_ones_stay(
    folder, other, monkeypatch
):
    monkeypatch.setattr(sweeping, "fcntl", None)
    old = folder.with_name(f".{folder.name}.draft-abcdabcd")
    new = folder.with_name(f".{folder.name}.draft-01230123")
    for draft in (old, new):
        draft.mkdir()
    long_ago = time.time() - 2 * sweeping._UNLOCKED_AGE
    os.utime(old, (long_ago, long_ago))
    write_folder(folder, **other)
    assert new.is_dir()
    assert not old.exists()


@pytest.mark.windows
def test_files_are_read_where_the_system_cannot_read_into_a_buffer(folder, monkeypatch):
    whole = read_folder(folder)
    monkeypatch.delattr(os, "readv", raising=False)
    again = read_folder(folder)
    assert again.texts == whole.texts
    assert again.blobs == whole.blobs
    assert sorted(again.tables) == sorted(whole.tables)


@pytest.mark.parametrize("number", ["²", "9" * 5000])
def test_a_format_with_an_odd_number_is_refused(folder, number):
    text = f'{{"format": "smartrisk-engine/{number}", "files": {{}}}}'
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match="has the format"):
        read_folder(folder)
