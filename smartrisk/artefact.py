"""Folders of text, JSON and Parquet with checksums, and single files: written whole.

Reads and writes folders that cannot contain code. A folder appears by a rename, so that
it is the old one or the new one, never half of each; every file is compared with its
digest before any parser reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, ArtefactError, format_values

__all__ = ["FORMAT", "FolderContent", "read_folder", "write_file", "write_folder"]

#: Format of a saved engine; a folder of another format is refused.
FORMAT = "smartrisk-engine/2"
_MANIFEST = "manifest.json"

#: End of the name of a file whose bytes are returned as they are.
_BYTES = ".skops"

#: A table: columns by name.
Arrays = dict[str, NDArray[Any]]


class FolderContent(NamedTuple):
    """What `read_folder` found.

    Parameters
    ----------
    texts : dict of str to str
        File name to text.
    tables : dict of str to dict of str to ndarray
        Table name to columns.
    blobs : dict of str to bytes
        File name to content.

    Examples
    --------
    >>> from smartrisk.artefact import FolderContent
    >>> FolderContent({"a.json": "{}"}, {}, {}).texts
    {'a.json': '{}'}
    """

    texts: dict[str, str]
    tables: dict[str, Arrays]
    blobs: dict[str, bytes]


def write_folder(
    folder: str | os.PathLike[str],
    *,
    texts: Mapping[str, str],
    tables: Mapping[str, Arrays],
    blobs: Mapping[str, bytes] | None = None,
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
        Table name to columns; written as Parquet.
    blobs : mapping of str to bytes, default=None
        File name to content, written as it is; names end with ``.skops``.
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
    _check_place(target, owner)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
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
        files = [_write_text(draft, name, text) for name, text in texts.items()]
        files += [_write_table(draft, name, cols) for name, cols in tables.items()]
        files += [_write_bytes(draft, name, b) for name, b in (blobs or {}).items()]
        manifest = {
            "format": FORMAT,
            "files": {path.name: _digest(path) for path in sorted(files)},
        }
        _write_text(draft, _MANIFEST, json.dumps(manifest, indent=1))
        _swap(draft, target)
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
        shutil.rmtree(draft, ignore_errors=True)
    return target


def write_file(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Write a file so that it appears whole: under another name first, then renamed.

    Parameters
    ----------
    path : path
        Where to write; the folder is created when absent.
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
    handle, name = tempfile.mkstemp(
        prefix=f".{place.stem}-", suffix=place.suffix, dir=place.parent
    )
    os.close(handle)
    draft = Path(name)
    try:
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def read_folder(
    folder: str | os.PathLike[str], *, owner: str = "read_folder"
) -> FolderContent:
    """Read a folder that `write_folder` wrote, after checking every digest.

    Parameters
    ----------
    folder : path
        The folder.
    owner : str, default="read_folder"
        Name of the calling function, for error messages.

    Returns
    -------
    content : FolderContent
        Its texts, tables and bytes.

    Raises
    ------
    ArtefactError
        If the folder is absent, foreign or of another format, or any of its files is
        missing, added, edited or truncated.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import read_folder, write_folder
    >>> folder = tempfile.mkdtemp() + "/engine"
    >>> _ = write_folder(folder, texts={"settings.json": "{}"}, tables={})
    >>> content = read_folder(folder)
    >>> sorted(content.texts), sorted(content.tables), sorted(content.blobs)
    (['settings.json'], [], [])
    """
    place = Path(folder)
    manifest = _read_manifest(place, owner)
    _check_files(place, manifest, owner)
    found = FolderContent({}, {}, {})
    for name, digest in manifest.items():
        content = (place / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ArtefactError(
                "artefact.file_changed",
                "{owner}: {name!r} in {folder!r} is not what was saved (its "
                "digest differs). Save the engine again or restore a copy.",
                owner=owner,
                name=name,
                folder=str(place),
            )
        if name.endswith(".parquet"):
            found.tables[name.removesuffix(".parquet")] = _parse_table(content)
        elif name.endswith(_BYTES):
            found.blobs[name] = content
        else:
            found.texts[name] = content.decode("utf-8")
    return found


def _check_place(target: Path, owner: str) -> None:
    """Refuse to replace anything but a folder that `write_folder` wrote."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ArtefactError(
            "artefact.place_taken_by_a_file",
            "{owner}: {target!r} exists and is not a folder. Choose another place.",
            owner=owner,
            target=str(target),
        )
    if target.is_dir() and any(target.iterdir()) and not (target / _MANIFEST).is_file():
        raise ArtefactError(
            "artefact.place_holds_other_files",
            "{owner}: {target!r} contains other files. Choose an empty or new folder.",
            owner=owner,
            target=str(target),
        )


def _write_text(folder: Path, name: str, text: str) -> Path:
    """Write a text, the same bytes on every system; return when it is on disk."""
    path = folder / name
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def _write_bytes(folder: Path, name: str, content: bytes) -> Path:
    """Write bytes; return when they are on disk."""
    path = folder / name
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def _write_table(folder: Path, name: str, columns: Arrays) -> Path:
    """Write a table as Parquet; return when it is on disk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    table = pa.table({key: pa.array(values) for key, values in columns.items()})
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", use_dictionary=False)
        file.flush()
        os.fsync(file.fileno())
    return path


def _parse_table(content: bytes) -> Arrays:
    """Return the columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content))
    return {
        name: np.ascontiguousarray(table.column(name).to_numpy())
        for name in table.column_names
    }


def _digest(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _swap(draft: Path, target: Path) -> None:
    """Move the draft to the target; the old folder is removed only after that."""
    if not target.exists():
        draft.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / "engine")
    try:
        draft.rename(target)
    except OSError:
        (old / "engine").rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _read_manifest(place: Path, owner: str) -> dict[str, str]:
    """Return the checksums of the manifest by file name."""
    path = place / _MANIFEST
    if not path.is_file():
        raise ArtefactError(
            "artefact.not_a_saved_engine",
            "{owner}: {folder!r} is not a saved engine: it has no "
            "{manifest!r}. Pass the folder that RiskEngine.save wrote.",
            owner=owner,
            folder=str(place),
            manifest=_MANIFEST,
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        stored, files = manifest["format"], manifest["files"]
        names = [str(name) for name in files]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            "artefact.manifest_damaged",
            "{owner}: {manifest!r} in {folder!r} is damaged. Save the "
            "engine again or restore a copy.",
            owner=owner,
            manifest=_MANIFEST,
            folder=str(place),
        ) from error
    if stored != FORMAT:
        raise ArtefactError(
            "artefact.other_format",
            "{owner}: {folder!r} has the format {stored!r}; this version "
            "reads {expected!r}. Load it with the version that wrote it.",
            owner=owner,
            folder=str(place),
            stored=str(stored),
            expected=FORMAT,
        )
    outside = [n for n in names if Path(n).name != n or n in ("", ".", "..", _MANIFEST)]
    if outside:
        raise ArtefactError(
            "artefact.manifest_names_other_places",
            "{owner}: the manifest names {names}, which are not files of the "
            "folder; refused. Restore a copy.",
            owner=owner,
            names=format_values(outside),
        )
    return {name: str(files[name]) for name in names}


def _check_files(place: Path, manifest: Mapping[str, str], owner: str) -> None:
    """Raise when a file is missing, added, or not a plain file."""
    present = {path.name for path in place.iterdir()} - {_MANIFEST}
    missing, added = sorted(set(manifest) - present), sorted(present - set(manifest))
    links = [n for n in manifest if (place / n).is_symlink()]
    if missing or added or links:
        raise ArtefactError(
            "artefact.files_differ",
            "{owner}: {folder!r} is not what was saved: missing [{missing}], "
            "added [{added}], links [{links}]. Save the engine again or "
            "restore a copy.",
            owner=owner,
            folder=str(place),
            missing=format_values(missing),
            added=format_values(added),
            links=format_values(links),
        )
