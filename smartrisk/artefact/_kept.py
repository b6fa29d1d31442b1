"""Files of saved folders whose tables did not change: they are linked, not written.

Tables of a history never change; an update adds others. So whoever saves an engine
again, into its folder or another one, gives the same file a second name.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from smartrisk.artefact._manifest import Entry

#: Nanoseconds between two changes that show in a file's moment of change for certain:
#: the coarsest file systems count in steps of 2 s.
_TICK = 2_100_000_000


class Origin(NamedTuple):
    """A file of a saved folder, as it was when it was written or read.

    Parameters
    ----------
    path : str
        Where it lies.
    sha256 : str
        Digest of its content.
    stamp : tuple of int
        Device, number, size, and moment of the last change.
    settled : bool
        Whether a later change shows in the stamp: not one that follows the file within
        the same tick of the clock of the system.
    """

    path: str
    sha256: str
    stamp: tuple[int, int, int, int]
    settled: bool


class KeptFile:
    """The file that holds the tables of a block, where one does.

    Whoever holds the tables keeps it beside them: `write_folder` gives the file a name
    in the new folder, and notes where it is then.

    Examples
    --------
    >>> from smartrisk.artefact import KeptFile
    >>> KeptFile().origin is None
    True
    """

    def __init__(self) -> None:
        self.origin: Origin | None = None

    def note(self, path: Path, sha256: str, stamp: tuple[int, int, int, int]) -> None:
        """Note where the file lies.

        Parameters
        ----------
        path : Path
            Where.
        sha256 : str
            Digest of its content.
        stamp : tuple of int
            From `stamp_of`.
        """
        settled = time.time_ns() - stamp[-1] > _TICK
        self.origin = Origin(os.path.abspath(path), sha256, stamp, settled)

    def link(self, place: Path, like: os.stat_result) -> Entry | None:
        """Give the file a second name; return None where that is not possible.

        Nothing is linked that was written to since, that belongs to somebody else, or
        has other permissions than a new file.

        Parameters
        ----------
        place : Path
            The name.
        like : os.stat_result
            Status of a new file in the same folder.
        """
        origin = self.origin
        if origin is None:
            return None
        try:
            os.link(origin.path, place, follow_symlinks=False)
        except (OSError, NotImplementedError):  # such as another file system
            return None
        found = place.lstat()
        same = stamp_of(found) == origin.stamp and _owner(found) == _owner(like)
        if same and (origin.settled or _digest(place) == origin.sha256):
            return Entry(place.name, origin.sha256, found.st_size)
        place.unlink()
        return None


def _digest(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what shows that a file is the same and was not written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def note_files(
    folder: Path, entries: dict[str, Entry], kept: dict[str, KeptFile]
) -> None:
    """Note where files lie in a folder that was just written."""
    for name, file in kept.items():
        path = folder / entries[name].file
        with suppress(OSError):  # somebody replaced the folder meanwhile
            status = path.lstat()
            if status.st_size == entries[name].size:
                file.note(path, entries[name].sha256, stamp_of(status))


def _owner(status: os.stat_result) -> tuple[int, int, int]:
    """Return who may do what with a file."""
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)
