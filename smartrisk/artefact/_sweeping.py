"""What a process that was killed left behind, and who still works on it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smartrisk.artefact._manifest import MANIFEST, left_files

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds after which a file is left behind for certain, where nobody can hold a lock
#: on a folder: no save takes that long between its files and its manifest.
_UNLOCKED_AGE = 3600.0


def draft_prefix(target: Path) -> str:
    """Return how the names of the drafts of a folder begin."""
    return f".{target.name}.draft-"


def make_draft(target: Path) -> tuple[Path, int | None]:
    """Return a new folder beside another one, and a lock that its owner holds.

    The lock ends with the process, however that ends.
    """
    while True:
        draft = target.parent / f"{draft_prefix(target)}{secrets.token_hex(4)}"
        try:
            draft.mkdir()
        except FileExistsError:
            continue
        # Who sweeps may hold it for a moment; without the lock it would be removed.
        lock = _lock(draft, wait=True)
        if lock is None or draft.is_dir():
            return draft, lock
        os.close(lock)  # swept between its making and its lock


def sweep_drafts(target: Path) -> None:
    """Remove the drafts of a folder whose processes have ended."""
    try:
        found = list(target.parent.iterdir())
    except OSError:
        return
    pattern = re.compile(re.escape(draft_prefix(target)) + "[0-9a-f]{8}")
    for path in found:
        if pattern.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            _remove_abandoned(path)


def _remove_abandoned(draft: Path) -> None:
    """Remove a draft that nobody holds a lock on."""
    lock = _lock(draft, wait=False)
    if lock is None and (fcntl is not None or not _is_old(draft)):
        return
    try:
        shutil.rmtree(draft, ignore_errors=True)
    finally:
        if lock is not None:
            os.close(lock)


def _is_old(path: Path) -> bool:
    """Return whether nothing was written for longer than any save takes."""
    try:
        return time.time() - path.stat().st_mtime >= _UNLOCKED_AGE
    except OSError:  # removed meanwhile
        return False


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Let one process at a time change the files of a folder."""
    lock = _lock(folder, wait=True)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def sweep_folder(folder: Path) -> None:
    """Remove what the manifest of a folder does not list any more.

    Only files whose names hold the digits of a digest are removed. Where somebody
    writes into the folder, or the system still maps a file, they stay.
    """
    lock = _lock(folder, wait=False)
    if lock is None and fcntl is not None:
        return
    try:
        remove_unlisted(folder, least_age=0 if lock is not None else _UNLOCKED_AGE)
    finally:
        if lock is not None:
            os.close(lock)


def remove_unlisted(folder: Path, *, least_age: float = 0.0) -> None:
    """Remove files of replaced contents; the caller holds the folder.

    Parameters
    ----------
    folder : Path
        A folder with a manifest.
    least_age : float, default=0.0
        Seconds since a file was written, below which it stays.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        left = left_files(content, [path.name for path in folder.iterdir()])
    except OSError:
        return
    for path in (folder / name for name in left):
        with suppress(OSError):
            if not least_age or time.time() - path.stat().st_mtime >= least_age:
                path.unlink()


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Return a descriptor that locks a folder; None where that is not possible."""
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle
