"""Files of a folder, opened so that no link is followed and no pipe waited for."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smartrisk.artefact._kept import stamp_of
from smartrisk.errors import ArtefactError

#: No link is followed, a pipe without a writer is not waited for. Windows has neither.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_CAN_OPEN_IN_FOLDER = os.open in os.supports_dir_fd

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class OpenFolder:
    """A folder whose files are read, the same one even where its name is taken over.

    Parameters
    ----------
    place : Path
        The folder.
    owner : str
        Name of the calling function, for messages.
    handle : int or None
        Descriptor of the folder; None where the system has none.
    """

    def __init__(self, place: Path, owner: str, handle: int | None) -> None:
        self.place = place
        self.owner = owner
        self._handle = handle
        self.stamps: dict[str, tuple[int, int, int, int]] = {}

    def names(self) -> dict[str, bool]:
        """Return the names in the folder, and whether each is a plain file."""
        where: Any = self.place if self._handle is None else self._handle
        with os.scandir(where) as entries:
            return {e.name: e.is_file(follow_symlinks=False) for e in entries}

    def read(self, name: str, *, most: int, mapped: bool = False) -> Any:
        """Return the content of a plain file, in memory or mapped.

        Raises
        ------
        ArtefactError
            If it is missing, no plain file, longer than `most`, or cannot be read.
        """
        try:
            handle = self._open(name)
        except OSError as error:
            raise self._not_read(name, error) from error
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise self.not_plain(name, _kind(status.st_mode))
            if status.st_size > most:
                raise self._too_long(name, status.st_size, most)
            self.stamps[name] = stamp_of(status)
            if mapped and status.st_size:
                return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
            return _read_whole(handle, status.st_size)
        except OSError as error:
            raise self._not_read(name, error) from error
        finally:
            os.close(handle)

    def _open(self, name: str) -> int:
        """Return a descriptor of a file."""
        if self._handle is not None:
            return os.open(name, _FLAGS, dir_fd=self._handle)
        path = self.place / name
        if path.is_symlink():  # where a link can't be refused by opening
            raise self.not_plain(name, "a symbolic link")
        return os.open(path, _FLAGS)

    def not_plain(self, name: str, kind: str) -> ArtefactError:
        """Return the error of a name that is no plain file."""
        return ArtefactError(
            "artefact.not_a_plain_file",
            "{owner}: {name!r} in {folder!r} is {kind}; only plain files are read. "
            "Restore a copy.",
            owner=self.owner,
            name=name,
            folder=str(self.place),
            kind=kind,
        )

    def _not_read(self, name: str, error: OSError) -> ArtefactError:
        """Return the error of a file that the system does not give."""
        path = self.place / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            return self.not_plain(name, _kind(path.lstat().st_mode))
        return ArtefactError(
            "artefact.file_not_read",
            "{owner}: {name!r} in {folder!r} cannot be read: {problem}. Restore a "
            "copy, or change its permissions.",
            owner=self.owner,
            name=name,
            folder=str(self.place),
            problem=str(error.strerror),
        )

    def _too_long(self, name: str, size: int, most: int) -> ArtefactError:
        """Return the error of a file that has more bytes than it may have."""
        return ArtefactError(
            "artefact.file_too_long",
            "{owner}: {name!r} in {folder!r} has {size} bytes, not {most}. Save the "
            "engine again or restore a copy.",
            owner=self.owner,
            name=name,
            folder=str(self.place),
            size=size,
            most=most,
        )


@contextmanager
def open_folder(place: Path, owner: str) -> Iterator[OpenFolder]:
    """Open a folder, so that all its files are read from the same one.

    Raises
    ------
    ArtefactError
        If there is no folder, or it cannot be opened.
    """
    handle = None
    try:
        if _CAN_OPEN_IN_FOLDER:
            flags = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0)
            handle = os.open(place, flags)
        elif not place.is_dir():
            raise NotADirectoryError
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtefactError(
            "artefact.no_folder",
            "{owner}: {folder!r} is not a saved engine: there is no such folder. Pass "
            "the folder that RiskEngine.save wrote.",
            owner=owner,
            folder=str(place),
        ) from error
    except OSError as error:
        raise ArtefactError(
            "artefact.folder_not_read",
            "{owner}: {folder!r} cannot be read: {problem}. Change its permissions.",
            owner=owner,
            folder=str(place),
            problem=str(error.strerror),
        ) from error
    try:
        yield OpenFolder(place, owner, handle)
    finally:
        if handle is not None:
            os.close(handle)


def _read_whole(handle: int, size: int) -> Any:
    """Return the content of a file at an address that is a multiple of 64."""
    import pyarrow as pa

    content = pa.allocate_buffer(size)
    view, place = memoryview(content).cast("B"), 0
    while place < size:
        n_read = os.readv(handle, [view[place:]]) if hasattr(os, "readv") else 0
        if not n_read:
            rest = os.read(handle, size - place)
            n_read = len(rest)
            view[place : place + n_read] = rest
        if not n_read:  # shortened meanwhile: its digest will differ
            break
        place += n_read
    return view[:place]


def _kind(mode: int) -> str:
    """Return what a name is, in words."""
    return next((text for is_kind, text in _KINDS if is_kind(mode)), "a plain file")
