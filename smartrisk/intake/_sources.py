"""Sources: what a caller gives, a path, address, connection, frame or records."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    TableError,
    format_values,
    suggest_nearest,
)
from smartrisk.intake._database import (
    is_address,
    is_connection,
    read_database,
    read_sqlite_file,
)
from smartrisk.intake._frames import read_arrow_file, read_frame, read_parquet
from smartrisk.intake._open import Content, open_content, recognise
from smartrisk.intake._reading import Reading, complete, make_evidence
from smartrisk.intake._text import read_text
from smartrisk.intake._widths import read_widths
from smartrisk.intake._workbook import read_workbook
from smartrisk.lineage import digest_bytes, digest_file
from smartrisk.schema import FileFormat

_PARQUET = (".parquet", ".pq")
#: Ends of names of other tables, which a folder of Parquet files should not hold.
_OTHER_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".gz", ".zip")
_WILD = "*?["
#: First bytes that show what a file is.
_HEAD = 4096
#: Names within a folder that programs add.
_HIDDEN = ("_", ".")


def split_sources(source: Any) -> list[Any]:
    """Return the sources that were given: one, or those of a list, folder or pattern.

    Parameters
    ----------
    source : object
        What `read_table` takes.

    Returns
    -------
    sources : list of object
        Paths are paths of files.

    Raises
    ------
    ArgumentError
        If a file is not there, or a folder has none.
    """
    if isinstance(source, (list, tuple)) and source and all(map(_is_source, source)):
        return [part for each in source for part in split_sources(each)]
    if isinstance(source, str) and is_address(source):
        return [source]
    if isinstance(source, (str, os.PathLike)):
        return list(_find_files(Path(source)))
    return [source]


def read_source(source: Any, file: FileFormat) -> Reading:
    """Return the table of one source.

    Parameters
    ----------
    source : object
        A path of a file, an address, a connection, a frame, records, or a file object.
    file : FileFormat
        What is declared of it.

    Returns
    -------
    reading : Reading
        Its table, lines and findings, named.

    Raises
    ------
    TableError
        If it cannot be read.
    """
    if isinstance(source, Path):
        return _read_path(source, file)
    if is_address(source) or is_connection(source):
        reading = read_database(source, file)
        reading.name = "the database"
        return reading
    if callable(getattr(source, "read", None)):
        return _read_object(source, file)
    read = read_frame(source)
    if read is None:
        raise TableError(
            "intake.unknown_source",
            "read_table takes a path, an address or connection of a database, a frame, "
            "or a list of records; got {type_name}.",
            type_name=type(source).__name__,
        )
    read.name = read.name or "the frame"
    return read


def _is_source(part: Any) -> bool:
    """Return whether a part of a list is a source of its own, not a record."""
    if isinstance(part, (str, os.PathLike, pd.DataFrame)) or is_connection(part):
        return True
    return hasattr(part, "__arrow_c_stream__") or callable(getattr(part, "read", None))


def _find_files(path: Path) -> Iterator[Path]:
    """Yield the file of a path, the files of a folder, or those of a pattern."""
    if path.is_dir():
        yield from _files_of_folder(path)
    elif path.exists():
        yield path
    elif any(sign in str(path) for sign in _WILD) and glob.glob(str(path)):
        for name in sorted(glob.glob(str(path))):
            yield from _find_files(Path(name))
    else:
        raise ArgumentError(
            "intake.no_file",
            "no file {path!r}.{hint} Pass a file, a folder of Parquet files, or the "
            "address of a database.",
            path=str(path),
            hint=_nearest_file(path),
        )


def _nearest_file(path: Path) -> str:
    """Return a hint at a file of a similar name."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f" There is no folder {str(path.parent)!r}."
    return suggest_nearest(path.name, names)


def _files_of_folder(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, and of its parts such as ``year=2024``."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    parquet = sorted(
        path
        for path in found
        if path.suffix.lower() in _PARQUET
        and not path.name.startswith(_HIDDEN)
        # Other folders within hold something else, such as a saved engine.
        and all("=" in part for part in path.relative_to(folder).parts[:-1])
    )
    if not parquet:
        raise ArgumentError(
            "intake.folder_without_parquet",
            "the folder {folder!r} holds no Parquet files, and {n_files} others. Pass "
            "the files that make up one table, or a pattern such as {pattern!r}.",
            folder=str(folder),
            n_files=len(found),
            pattern=str(folder / "*.csv"),
        )
    others = sorted(p.name for p in found if p.suffix.lower() in _OTHER_TABLES)
    if others:
        warnings.warn(
            DataQualityWarning(
                "intake.folder_with_other_tables",
                "{folder!r}: only the Parquet files of the folder are read; {n_files} "
                "other tables are left out: {names}. Pass files by name, or a pattern.",
                folder=str(folder),
                n_files=len(others),
                names=format_values(others),
            ),
            stacklevel=2,
        )
    return parquet


def _read_path(path: Path, file: FileFormat) -> Reading:
    """Return the table of a file."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    kind = recognise(head)
    if kind == "sqlite":
        reading = read_sqlite_file(path, file)
        reading.sha256 = digest_file(path)
    elif kind == "parquet":
        reading = read_parquet(path)
        _add_partitions(reading, path)
    else:
        data = path.read_bytes()
        reading = _read_bytes(data, path.name, file)
    reading.name = path.name
    return reading


def _read_object(source: Any, file: FileFormat) -> Reading:
    """Return the table of an open file."""
    data = source.read()
    name = os.path.basename(str(getattr(source, "name", "") or "the file"))
    if isinstance(data, str):
        data = data.encode()
    reading = _read_bytes(data, name, file)
    reading.name = name
    return reading


def _read_bytes(data: bytes, name: str, file: FileFormat) -> Reading:
    """Return the table of the bytes of a file."""
    content = open_content(data, name, file)
    reading = _read_content(content, file)
    reading.sha256 = digest_bytes(data)
    if content.compression != "none":
        reading.content = digest_bytes(content.data)
        packing = [
            make_evidence(file, "compression", content.compression, "its first bytes")
        ]
        if content.member:
            packing.append(
                make_evidence(file, "member", content.member, "the only file")
            )
        reading.evidence = [*packing, *reading.evidence]
        reading.format = complete(reading.format, packing)
    elif content.stated != content.kind and "." in name:
        stated = name.rpartition(".")[2]
        reading.findings.add("other kind", "note", (), (stated, content.kind))
    return reading


def _read_content(content: Content, file: FileFormat) -> Reading:
    """Return the table of unpacked content."""
    if content.kind == "xlsx":
        return read_workbook(content.data, file)
    if content.kind == "arrow":
        return read_arrow_file(content.data)
    if content.kind in ("parquet", "sqlite"):
        return _read_unpacked(content, file)
    if file.widths:
        return read_widths(content.data, file)
    return read_text(content.data, file)


def _read_unpacked(content: Content, file: FileFormat) -> Reading:
    """Return the table of a file that only its own reader opens, by its path."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "content")
        path.write_bytes(content.data)
        return _read_path(path, file)


def _add_partitions(reading: Reading, path: Path) -> None:
    """Add the columns that the folders of a Parquet file name, such as year=2024."""
    for part in path.parent.parts:
        name, sign, value = part.partition("=")
        if sign and name and name not in reading.frame:
            reading.frame[name] = value
