"""A folder of text, JSON and Parquet with checksums, and single files: written whole.

Nothing in it can run code. The folder appears by a rename, so that it is the old one
or the new one, never half; every file is compared with its digest before any parser
sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, ArtefactError, format_values

__all__ = ["FORMAT", "read_folder", "write_file", "write_folder"]

FORMAT = "smartrisk-engine/1"
_MANIFEST = "manifest.json"

Arrays = dict[str, NDArray[Any]]


def write_folder(
    folder: str | os.PathLike[str],
    *,
    texts: Mapping[str, str],
    tables: Mapping[str, Arrays],
) -> Path:
    """Write texts and tables as a folder, all or nothing.

    Parameters
    ----------
    folder : path
        Where it shall stand; a folder written by this function before is replaced.
    texts : mapping of str to str
        File name to text.
    tables : mapping of str to dict of str to ndarray
        Table name to columns; written as Parquet.

    Returns
    -------
    folder : Path
        The folder, in place.

    Raises
    ------
    ArtefactError
        If the place is taken by something else, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import read_folder, write_folder
    >>> place = tempfile.mkdtemp() + "/engine"
    >>> _ = write_folder(place, texts={"a.json": "{}"}, tables={})
    >>> read_folder(place)[0]
    {'a.json': '{}'}
    """
    target = Path(folder)
    _check_place(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise ArtefactError(
            "artefact.cannot_write_beside",
            "write_folder: cannot write beside {target!r}: {strerror}.",
            target=str(target),
            strerror=error.strerror,
        ) from error
    try:
        files = [_write_text(draft, name, text) for name, text in texts.items()]
        files += [_write_table(draft, name, cols) for name, cols in tables.items()]
        manifest = {
            "format": FORMAT,
            "files": {path.name: _digest(path) for path in sorted(files)},
        }
        _write_text(draft, _MANIFEST, json.dumps(manifest, indent=1))
        _swap(draft, target)
    except OSError as error:
        raise ArtefactError(
            "artefact.was_written_what_stood",
            "write_folder: {target!r} was not written: {error}. What stood "
            "there before is unchanged.",
            target=str(target),
            error=error,
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def write_file(path: str | Path, writing: Callable[[Path], Any]) -> Path:
    """Let a file appear whole: written beside its place, then renamed.

    Parameters
    ----------
    path : path
        Where it shall stand; its folder is made when absent.
    writing : callable
        Writes the path that it is given.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    ArgumentError
        If a folder stands there.

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
            "artefact.folder_name_file",
            "{place!r} is a folder; name a file.",
            place=str(place),
        )
    handle, name = tempfile.mkstemp(
        prefix=f".{place.stem}-", suffix=place.suffix, dir=place.parent
    )
    os.close(handle)
    draft = Path(name)
    try:
        writing(draft)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def read_folder(
    folder: str | os.PathLike[str],
) -> tuple[dict[str, str], dict[str, Arrays]]:
    """Read a folder that `write_folder` wrote, after checking every digest.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    texts : dict of str to str
        File name to text.
    tables : dict of str to dict of str to ndarray
        Table name to columns.

    Raises
    ------
    ArtefactError
        If the folder is absent, foreign, of another format, or any file of it is
        missing, added, edited or truncated.

    Examples
    --------
    >>> from smartrisk.artefact import read_folder
    >>> read_folder("nowhere")
    Traceback (most recent call last):
        ...
    smartrisk.errors.ArtefactError: read_folder: 'nowhere' is not a saved engine...
    """
    place = Path(folder)
    manifest = _read_manifest(place)
    _check_files(place, manifest)
    texts: dict[str, str] = {}
    tables: dict[str, Arrays] = {}
    for name, digest in manifest.items():
        content = (place / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ArtefactError(
                "artefact.what_was_saved_its",
                "read_folder: {name!r} in {place!r} is not what was saved (its "
                "digest differs). Save the engine again or restore a copy.",
                name=name,
                place=str(place),
            )
        if name.endswith(".parquet"):
            tables[name.removesuffix(".parquet")] = _parse_table(content)
        else:
            texts[name] = content.decode("utf-8")
    return texts, tables


def _check_place(target: Path) -> None:
    """Refuse to replace anything that is not an engine of ours."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ArtefactError(
            "artefact.exists_folder_choose_another",
            "write_folder: {target!r} exists and is not a folder. Choose "
            "another place.",
            target=str(target),
        )
    if target.is_dir() and any(target.iterdir()) and not (target / _MANIFEST).is_file():
        raise ArtefactError(
            "artefact.other_files_choose_empty",
            "write_folder: {target!r} holds other files. Choose an empty or "
            "new folder.",
            target=str(target),
        )


def _write_text(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def _write_table(folder: Path, name: str, columns: Arrays) -> Path:
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
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content))
    return {
        name: np.ascontiguousarray(table.column(name).to_numpy())
        for name in table.column_names
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _swap(draft: Path, target: Path) -> None:
    """Put the draft where the target is; the old folder goes only after that."""
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


def _read_manifest(place: Path) -> dict[str, str]:
    path = place / _MANIFEST
    if not path.is_file():
        raise ArtefactError(
            "artefact.saved_engine_folder_riskengine",
            "read_folder: {place!r} is not a saved engine: it has no "
            "{MANIFEST!r}. Pass the folder that RiskEngine.save wrote.",
            place=str(place),
            MANIFEST=_MANIFEST,
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found, files = manifest["format"], manifest["files"]
        names = [str(name) for name in files]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            "artefact.damaged_save_engine_again",
            "read_folder: {MANIFEST!r} in {place!r} is damaged. Save the "
            "engine again or restore a copy.",
            MANIFEST=_MANIFEST,
            place=str(place),
        ) from error
    if found != FORMAT:
        raise ArtefactError(
            "artefact.format_this_version_reads",
            "read_folder: {place!r} has the format {found!r}; this version "
            "reads {FORMAT!r}. Load it with the version that wrote it.",
            place=str(place),
            found=found,
            FORMAT=FORMAT,
        )
    odd = [n for n in names if Path(n).name != n or n in ("", ".", "..", _MANIFEST)]
    if odd:
        raise ArtefactError(
            "artefact.manifest_names_refused",
            "read_folder: the manifest names {odd}; refused.",
            odd=format_values(odd),
        )
    return {name: str(files[name]) for name in names}


def _check_files(place: Path, manifest: Mapping[str, str]) -> None:
    """Raise when a file is missing, added, or not a plain file."""
    present = {path.name for path in place.iterdir()} - {_MANIFEST}
    gone, extra = sorted(set(manifest) - present), sorted(present - set(manifest))
    linked = [n for n in manifest if (place / n).is_symlink()]
    if gone or extra or linked:
        raise ArtefactError(
            "artefact.what_was_saved_missing",
            "read_folder: {place!r} is not what was saved: missing [{gone}], "
            "added [{extra}], links [{linked}]. Save the engine again or "
            "restore a copy.",
            place=str(place),
            gone=format_values(gone),
            extra=format_values(extra),
            linked=format_values(linked),
        )
