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
        if draft.is_dir():
            return draft, lock
        if lock is not None:  # swept between its making and its lock
            release(lock)


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside another one, of which one part gets its name.

    What is left of it at the end is removed, and before that the drafts of processes
    that were killed; those of others that are at work stay.

    Parameters
    ----------
    target : Path
        Folder that the draft is for.

    Yields
    ------
    draft : Path
        An empty folder of this call alone.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.artefact import draft_folder
    >>> target = Path(tempfile.mkdtemp()) / "scores"
    >>> with draft_folder(target) as draft:
    ...     (draft / "made").mkdir()
    ...     _ = (draft / "made").rename(target)
    >>> [path.name for path in target.parent.iterdir()]
    ['scores']
    """
    sweep_drafts(target)
    draft, lock = make_draft(target)
    try:
        yield draft
    finally:
        if lock is not None:
            release(lock)
        shutil.rmtree(draft, ignore_errors=True)


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
            release(lock)


def _is_old(path: Path) -> bool:
    """Return whether nothing was written for longer than any save takes."""
    try:
        return time.time() - path.stat().st_mtime >= _UNLOCKED_AGE
    except OSError:  # removed meanwhile
        return False


@contextmanager
def hold_folder(folder: Path) -> Iterator[bool]:
    """Let one process at a time change a folder; yield whether that is certain."""
    lock = _lock(folder, wait=True)
    while lock is not None and not _has_name(lock, folder):
        release(lock)  # replaced by another one meanwhile
        lock = _lock(folder, wait=True)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            release(lock)


def _has_name(handle: int, folder: Path) -> bool:
    """Return whether an open folder is the one of a name; also where none is."""
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except OSError:
        return True


def sweep_folder(folder: Path) -> None:
    """Remove what the manifest of a folder does not list any more.

    Only files whose names hold the digits of a digest are removed. Where somebody
    writes into the folder, or the system still maps a file, they stay.
    """
    lock = _lock(folder, wait=False)
    if lock is None and fcntl is not None:
        return
    try:
        sweep_unlisted(folder, is_held=lock is not None)
    finally:
        if lock is not None:
            release(lock)


def sweep_unlisted(folder: Path, *, is_held: bool) -> None:
    """Remove files of replaced contents.

    Parameters
    ----------
    folder : Path
        A folder with a manifest.
    is_held : bool
        Whether the caller holds the folder. If not, only old files are removed: newer
        ones may be those of a process whose manifest follows.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        left = left_files(content, [path.name for path in folder.iterdir()])
    except OSError:
        return
    for path in (folder / name for name in left):
        with suppress(OSError):
            if is_held or _is_old(path):
                path.unlink()


def release(lock: int) -> None:
    """Give up a lock, also one that a process forked meanwhile has inherited."""
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)


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
