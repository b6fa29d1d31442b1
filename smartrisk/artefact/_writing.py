"""Writing a folder: beside the old one first, then both exchange their names.

Where the system cannot exchange folders, or a file of the old one is in use, the new
files move into the old folder under names that hold their digests, and the manifest,
renamed last, decides which of them count.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from smartrisk import __version__
from smartrisk.artefact._exchange import exchange
from smartrisk.artefact._files import sync_folder
from smartrisk.artefact._kept import KeptFile, note_files
from smartrisk.artefact._manifest import (
    MANIFEST,
    SIGNATURE,
    Entry,
    is_tagged,
    manifest_text,
    own_files,
    sorted_names,
    tagged_name,
)
from smartrisk.artefact._sweeping import (
    hold_folder,
    make_draft,
    release,
    sweep_drafts,
    sweep_unlisted,
)
from smartrisk.artefact._tables import Arrays, group_names, write_tables
from smartrisk.errors import ArtefactError

#: A file that shows which owner and mode new files have.
_PROBE = "probe"


def write_folder(
    folder: str | os.PathLike[str],
    *,
    texts: Mapping[str, str],
    tables: Mapping[str, Arrays],
    blobs: Mapping[str, bytes] | None = None,
    kept: Mapping[str, KeptFile] | None = None,
    by_kind: bool = False,
    owner: str = "write_folder",
) -> Path:
    """Write texts, tables and bytes as a folder, all or nothing.

    Parameters
    ----------
    folder : path
        Where to write; a folder that this function wrote before is replaced.
    texts : mapping of str to str
        File name to text.
    tables : mapping of str to dict of str to ndarray
        Table name to columns; `block_file` says which of them are in one Arrow file.
    blobs : mapping of str to bytes, default=None
        File name to content, written as it is; names end with ``.skops``.
    kept : mapping of str to KeptFile, default=None
        File name to what knows whether a file holds the same tables already: it gets a
        second name then, and its tables are not asked for. Where the system cannot do
        that, they are written.
    by_kind : bool, default=False
        Whether all tables of a kind are in one file, as `table_file` says.
    owner : str, default="write_folder"
        Name of the calling function, for error messages.

    Returns
    -------
    folder : Path
        The folder, complete.

    Raises
    ------
    ArtefactError
        If the place holds something else, or the folder cannot be written.

    Notes
    -----
    A new folder and its files have the mode of the user's mask; a folder that is
    replaced keeps its mode.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import read_folder, write_folder
    >>> folder = tempfile.mkdtemp() + "/engine"
    >>> _ = write_folder(folder, texts={"a.json": "{}"}, tables={})
    >>> read_folder(folder).texts
    {'a.json': '{}'}
    """
    target = Path(folder)
    check_place(target, owner)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_drafts(target)
        draft, lock = make_draft(target)
    except OSError as error:
        raise ArtefactError(
            "artefact.parent_not_writable",
            "{owner}: cannot write next to {target!r}: {problem}. Choose another "
            "place, or change its permissions.",
            owner=owner,
            target=str(target),
            problem=str(error.strerror),
        ) from error
    try:
        kept = dict(kept or {})
        files = group_names(tables, by_kind=by_kind)
        entries = _write_files(draft, texts, files, tables, blobs or {}, kept)
        text = manifest_text(__version__, entries, by_kind=by_kind)
        _write(draft, MANIFEST, _text_writer(text))
        sync_folder(draft)
        entries = _put_in_place(draft, target, entries, owner, by_kind=by_kind)
        note_files(target, entries, kept)
    except OSError as error:
        raise ArtefactError(
            "artefact.folder_not_written",
            "{owner}: {target!r} was not written: {problem}. What it held "
            "before is unchanged.",
            owner=owner,
            target=str(target),
            problem=str(error),
        ) from error
    finally:
        if lock is not None:
            release(lock)
        _remove_draft(draft)
    return target


def check_place(target: Path, owner: str) -> None:
    """Refuse a place where saving would replace anything but a saved folder.

    Parameters
    ----------
    target : Path
        Where to write.
    owner : str
        Name of the calling function, for error messages.

    Raises
    ------
    ArtefactError
        If it is no folder, or a folder with files that this library did not write.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.artefact import check_place
    >>> check_place(Path(tempfile.mkdtemp()), "RiskEngine.save")
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ArtefactError(
            "artefact.place_taken_by_a_file",
            "{owner}: {target!r} exists and is not a folder. Choose another place.",
            owner=owner,
            target=str(target),
        )
    foreign = _foreign_files(target) if target.is_dir() else set()
    if foreign:
        raise ArtefactError(
            "artefact.place_holds_other_files",
            "{owner}: {target!r} contains other files, which saving would remove: "
            "{names}. Choose an empty or new folder, or move them elsewhere.",
            owner=owner,
            target=str(target),
            names=sorted_names(foreign),
        )


def _foreign_files(folder: Path) -> set[str]:
    """Return the names in a folder that its manifest does not list."""
    present = {path.name for path in folder.iterdir()}
    path, own = folder / MANIFEST, None
    if path.is_file() and not path.is_symlink():
        own = own_files(path.read_bytes())
    known = set() if own is None else own | {MANIFEST, SIGNATURE}
    return {name for name in present - known if not is_tagged(name)}


class _Digesting:
    """A file that knows the digest of what was written to it.

    Parameters
    ----------
    file : file object
        Opened for writing bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, content: Any) -> int:
        """Write bytes and count them."""
        self.sha256.update(content)
        n_written = memoryview(content).nbytes
        self.size += n_written
        self._file.write(content)
        return n_written

    def flush(self) -> None:
        """Do nothing; the file is flushed once, at its end."""


#: Writes the content of a file.
_Write = Callable[[Any], object]


def _write(folder: Path, name: str, write: _Write) -> Entry:
    """Write a file; return its entry when it is on disk."""
    with (folder / name).open("xb") as file:
        digesting = _Digesting(file)
        write(digesting)
        file.flush()
        os.fsync(file.fileno())
    return Entry(name, digesting.sha256.hexdigest(), digesting.size)


def _write_content(file: Any, *, content: bytes) -> None:
    """Write bytes."""
    file.write(content)


def _text_writer(text: str) -> _Write:
    """Return what writes a text, the same bytes on every system."""
    return partial(_write_content, content=text.encode("utf-8"))


def _write_files(
    folder: Path,
    texts: Mapping[str, str],
    files: Mapping[str, list[str]],
    tables: Mapping[str, Arrays],
    blobs: Mapping[str, bytes],
    kept: Mapping[str, KeptFile],
) -> dict[str, Entry]:
    """Write or link all files but the manifest; return their entries by name."""
    probe = folder / _PROBE
    probe.touch(exist_ok=False)
    like = probe.lstat()
    probe.unlink()
    entries = {
        name: _write(folder, name, _text_writer(text)) for name, text in texts.items()
    }
    for name, content in blobs.items():
        entries[name] = _write(folder, name, partial(_write_content, content=content))
    for name, names in files.items():
        linked = kept[name].link(folder / name, like) if name in kept else None
        if linked is None:
            parts = {table: tables[table] for table in names}
            linked = _write(folder, name, partial(write_tables, tables=parts))
        entries[name] = linked
    return entries


def _put_in_place(
    draft: Path,
    target: Path,
    entries: dict[str, Entry],
    owner: str,
    *,
    by_kind: bool,
) -> dict[str, Entry]:
    """Make the draft the folder; return where its files are."""
    if target.exists() or not _take_name(draft, target):
        # One at a time: the old folder, which is then where the draft was, stays held.
        with hold_folder(target) as is_held:
            if not any(target.iterdir()) and _replace_empty(draft, target):
                pass
            elif _exchange_with(draft, target):
                _remove_old(draft, owner)
            else:
                entries = _move_into(
                    draft, target, entries, is_held=is_held, by_kind=by_kind
                )
    sync_folder(target.parent)
    return entries


def _exchange_with(draft: Path, target: Path) -> bool:
    """Exchange the draft with the folder, whose mode it takes; False if impossible."""
    draft.chmod(stat.S_IMODE(target.stat().st_mode))
    exchanged = exchange(draft, target)
    if exchanged:
        sync_folder(target.parent)
    return exchanged


def _take_name(draft: Path, target: Path) -> bool:
    """Give the draft its name; return False where another process was faster."""
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return False
    return True


def _replace_empty(draft: Path, target: Path) -> bool:
    """Move the draft to an empty folder; return False where that is not possible."""
    mode = stat.S_IMODE(target.stat().st_mode)
    try:
        target.rmdir()
    except OSError:  # such as a folder that is mounted
        return False
    draft.chmod(mode)
    draft.rename(target)
    return True


def _remove_old(old: Path, owner: str) -> None:
    """Remove a replaced folder, but for files that somebody put into it meanwhile."""
    foreign = _foreign_files(old)
    if not foreign:
        shutil.rmtree(old, ignore_errors=True)
        return
    kept = old.with_name(f"{old.name.lstrip('.')}-kept")  # no draft: never swept
    old.rename(kept)
    raise ArtefactError(
        "artefact.files_put_meanwhile",
        "{owner}: the engine was saved, but files that were put into its folder "
        "meanwhile are not part of it: {names}. They are in {kept!r}.",
        owner=owner,
        names=sorted_names(foreign),
        kept=str(kept),
    )


def _move_into(
    draft: Path,
    target: Path,
    entries: Mapping[str, Entry],
    *,
    is_held: bool,
    by_kind: bool,
) -> dict[str, Entry]:
    """Move new files into a folder, then their manifest; remove what it replaces."""
    moved = {}
    for name, entry in entries.items():
        file = tagged_name(name, entry.sha256)
        _move_file(draft / name, target / file, entry.sha256)
        moved[name] = entry._replace(file=file)
    replaced = _listed_files(target) - {entry.file for entry in moved.values()}
    (draft / MANIFEST).unlink()
    text = manifest_text(__version__, moved, replaced, by_kind=by_kind)
    _write(draft, MANIFEST, _text_writer(text))
    sync_folder(target)
    os.replace(draft / MANIFEST, target / MANIFEST)
    sync_folder(target)
    with suppress(OSError):
        (target / SIGNATURE).unlink()
    sweep_unlisted(target, is_held=is_held)
    return moved


def _listed_files(target: Path) -> set[str]:
    """Return the files that the manifest of a folder lists, where there is one."""
    path = target / MANIFEST
    listed = own_files(path.read_bytes()) if path.is_file() else None
    return {name for name in listed or () if (target / name).is_file()}


def _move_file(source: Path, place: Path, sha256: str) -> None:
    """Move a file to a name that holds its digest.

    Where the system does not replace a file in use, one with the same content stays.
    """
    try:
        os.replace(source, place)
    except PermissionError:
        if not place.is_file():
            raise
        if hashlib.sha256(place.read_bytes()).hexdigest() != sha256:
            raise


def _remove_draft(draft: Path) -> None:
    """Remove a draft that did not become the folder."""
    if draft.exists():
        shutil.rmtree(draft, ignore_errors=True)
