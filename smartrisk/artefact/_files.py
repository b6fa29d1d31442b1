"""Single files that appear whole."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from smartrisk.errors import ArgumentError


def write_file(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Write a file so that it appears whole: under another name first, then renamed.

    Parameters
    ----------
    path : path
        Where to write; the folder is created when absent. A file that is there keeps
        its mode, a new one has that of the user's mask.
    write : callable
        Writes the file at the path that it is given.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    ArgumentError
        If the path is a folder.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import write_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(f"{folder}/a.txt", lambda d: d.write_text("whole")).name
    'a.txt'
    """
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        raise ArgumentError(
            "artefact.path_is_a_folder",
            "write_file: {path!r} is a folder; name a file.",
            path=str(place),
        )
    draft = _new_file(place)
    try:
        write(draft)
        with draft.open("rb+") as file:  # Windows writes out what is open for writing
            os.fsync(file.fileno())
        if place.is_file():
            draft.chmod(stat.S_IMODE(place.stat().st_mode))
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def _new_file(place: Path) -> Path:
    """Return a new empty file beside another one, with the mode of the user's mask."""
    while True:
        name = f".{place.stem}-{secrets.token_hex(4)}{place.suffix}"
        try:
            place.with_name(name).touch(exist_ok=False)
        except FileExistsError:
            continue
        return place.with_name(name)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk, if the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError:  # file systems that have no such promise
        pass
    finally:
        os.close(handle)
