"""A file that did not change gets a second name; one that changed is written again."""

from __future__ import annotations

import os

import pytest

from smartrisk.artefact import read_folder, write_folder

NAME = "history.items.x.arrow"


@pytest.fixture
def content(folder):
    """Return what was read of a folder that nobody has written to for a day."""
    for path in folder.iterdir():
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 86_400))
    return read_folder(folder)


def is_linked(folder, again):
    """Return whether two folders have the same file."""
    return os.path.samefile(folder / NAME, again / NAME)


def write(content, place):
    return write_folder(place, **content._asdict())


def damage(path):
    """Change a byte of a file, where it lies."""
    good = path.read_bytes()
    path.write_bytes(good[:-40] + bytes([good[-40] ^ 1]) + good[-39:])


def test_a_file_that_did_not_change_is_linked_and_linked_again(folder, content):
    again = write(content, folder.parent / "again")
    assert is_linked(folder, again)
    read_folder(again)
    folder.joinpath(NAME).unlink()
    third = write(content, folder.parent / "third")
    assert is_linked(again, third)
    assert (third / NAME).stat().st_nlink == 2


def test_a_later_change_is_seen(folder, content):
    damage(folder / NAME)
    again = write(content, folder.parent / "again")
    assert not is_linked(folder, again)
    read_folder(again)


def test_a_change_within_a_tick_is_seen(folder, tmp_path):
    found = read_folder(folder)  # just written
    before = (folder / NAME).stat()
    damage(folder / NAME)
    os.utime(folder / NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = write(found, tmp_path / "again")
    assert not is_linked(folder, again)
    read_folder(again)


def test_another_file_under_the_name_is_not_linked(folder, content):
    (folder / NAME).rename(folder / "moved")
    (folder / NAME).symlink_to(folder / "moved")
    again = write(content, folder.parent / "again")
    assert not (again / NAME).is_symlink()
    read_folder(again)


@pytest.mark.parametrize("error", [OSError(95, "not supported"), NotImplementedError])
def test_without_links_it_is_written(folder, content, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(os, "link", refuse)
    again = write(content, folder.parent / "again")
    assert not is_linked(folder, again)
    read_folder(again)
