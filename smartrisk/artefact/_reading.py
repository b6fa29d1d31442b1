"""Reading a folder: its manifest first, then every file against its digest."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from smartrisk.artefact._deferred import DeferredTables, check_content
from smartrisk.artefact._kept import KeptFile
from smartrisk.artefact._manifest import (
    FORMAT,
    KINDS_FORMAT,
    MANIFEST,
    MOST_MANIFEST_BYTES,
    PARQUET_FORMAT,
    SIGNATURE,
    Entry,
    Manifest,
    OtherFormat,
    is_tagged,
    parse_manifest,
    sorted_names,
)
from smartrisk.artefact._opening import OpenFolder, open_folder
from smartrisk.artefact._other_formats import refuse_format
from smartrisk.artefact._signing import PublicKey, check_signature
from smartrisk.artefact._sweeping import sweep_folder
from smartrisk.artefact._tables import SUFFIX, Arrays, read_parquet, read_tables
from smartrisk.errors import ArgumentError, ArtefactError

#: End of the name of a file whose bytes are returned as they are.
BYTES = ".skops"
_PARQUET = ".parquet"
#: How often a folder that is replaced while it is read is read again.
_TRIES = 20
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class FolderContent(NamedTuple):
    """What `read_folder` found.

    Parameters
    ----------
    texts : dict of str to str
        File name to text.
    tables : mapping of str to dict of str to ndarray
        Table name to columns.
    blobs : dict of str to bytes
        File name to content.
    kept : mapping of str to KeptFile, default={}
        File name to what knows where the file lies, for the files of tables that never
        change: they are linked when their tables are written again.

    Examples
    --------
    >>> from smartrisk.artefact import FolderContent
    >>> FolderContent({"a.json": "{}"}, {}, {}).texts
    {'a.json': '{}'}
    """

    texts: dict[str, str]
    tables: Mapping[str, Arrays]
    blobs: dict[str, bytes]
    kept: Mapping[str, KeptFile] = MappingProxyType({})


def read_folder(
    folder: str | os.PathLike[str],
    *,
    digest: str | None = None,
    public_key: PublicKey | None = None,
    mapped: bool = False,
    deferred: bool = False,
    owner: str = "read_folder",
) -> FolderContent:
    """Read a folder that `write_folder` wrote, after checking every digest.

    Parameters
    ----------
    folder : path
        The folder.
    digest : str, default=None
        SHA-256 of the manifest, 64 hexadecimal digits: any other folder is refused
        before anything of it is parsed. None for no such check.
    public_key : path or bytes, default=None
        Public key in PEM, its file or content: the folder must hold a signature of its
        owner. None for no such check.
    mapped : bool, default=False
        Whether the tables stay in their files, mapped into memory, rather than being
        read whole.
    deferred : bool, default=False
        Whether the files of tables are mapped, and compared with their digests at their
        first use only: `FolderContent.tables` is a `DeferredTables` then.
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
        missing, added, edited, truncated, or no plain file.
    ArgumentError
        If `digest` is no digest, or `public_key` no key.

    Notes
    -----
    A folder that another process replaces meanwhile is read again.

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
    wanted = None if digest is None else _plain_digest(digest, owner)
    for _ in range(_TRIES):
        with open_folder(place, owner) as opened:
            text = None  # not read: the folder may just have been replaced
            try:
                text = bytes(_read_manifest(opened))
                _check_origin(opened, text, wanted, public_key)
                manifest = _parse(opened, text)
                _check_files(opened, manifest)
                return _read_files(opened, manifest, mapped, deferred)
            except ArtefactError:
                if not _is_replaced(place, owner, text):
                    raise
    raise ArtefactError(
        "artefact.folder_replaced",
        "{owner}: {folder!r} was replaced {n_tries} times while it was read. Read it "
        "when nobody saves over it.",
        owner=owner,
        folder=str(place),
        n_tries=_TRIES,
    )


def folder_digest(folder: str | os.PathLike[str]) -> str:
    """Return the digest of a saved engine: the SHA-256 of its manifest.

    The manifest holds the digest of every file, so this one names the whole folder.
    Keep it where nobody can change it with the folder, and pass it to `load`.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Raises
    ------
    ArtefactError
        If the folder is no saved engine.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import folder_digest, write_folder
    >>> folder = tempfile.mkdtemp() + "/engine"
    >>> _ = write_folder(folder, texts={"settings.json": "{}"}, tables={})
    >>> len(folder_digest(folder))
    64
    """
    with open_folder(Path(folder), "folder_digest") as opened:
        return hashlib.sha256(_read_manifest(opened)).hexdigest()


def _plain_digest(digest: str, owner: str) -> str:
    """Return a digest without the name of its method."""
    found = _DIGEST.fullmatch(digest.lower()) if isinstance(digest, str) else None
    if found is None:
        raise ArgumentError(
            "artefact.digest_odd",
            "{owner}: 'digest' must be the SHA-256 of a manifest, 64 hexadecimal "
            "digits as folder_digest returns; got {digest!r}.",
            owner=owner,
            digest=digest,
        )
    return found[1]


def _read_manifest(opened: OpenFolder) -> Any:
    """Return the bytes of the manifest."""
    if MANIFEST not in opened.names():
        raise ArtefactError(
            "artefact.not_a_saved_engine",
            "{owner}: {folder!r} is not a saved engine: it has no "
            "{manifest!r}. Pass the folder that RiskEngine.save wrote.",
            owner=opened.owner,
            folder=str(opened.place),
            manifest=MANIFEST,
        )
    return opened.read(MANIFEST, most=MOST_MANIFEST_BYTES)


def _check_origin(
    opened: OpenFolder, text: bytes, digest: str | None, public_key: PublicKey | None
) -> None:
    """Raise unless the manifest has the digest and the signature that are asked for."""
    found = hashlib.sha256(text).hexdigest()
    if digest is not None and not hmac.compare_digest(found, digest):
        raise ArtefactError(
            "artefact.other_digest",
            "{owner}: {manifest!r} in {folder!r} has the digest {found}, not the one "
            "that was asked for, {digest}. It is another engine, or was changed.",
            owner=opened.owner,
            manifest=MANIFEST,
            folder=str(opened.place),
            found=found,
            digest=digest,
        )
    if public_key is not None:
        check_signature(opened, text, public_key)


def _parse(opened: OpenFolder, text: bytes) -> Manifest:
    """Return the manifest, or refuse a folder of another format by who wrote it."""
    try:
        return parse_manifest(text, folder=str(opened.place), owner=opened.owner)
    except OtherFormat as other:
        raise refuse_format(opened, other.format) from None


def _is_replaced(place: Path, owner: str, text: bytes | None) -> bool:
    """Return whether the folder has another manifest by now."""
    try:
        with open_folder(place, owner) as opened:
            return bytes(_read_manifest(opened)) != text
    except ArtefactError:
        return False


def _check_files(opened: OpenFolder, manifest: Manifest) -> None:
    """Raise when a file is missing, added, or not a plain file."""
    present = opened.names()
    left = {n for n in present if is_tagged(n) or n in manifest.replaced}
    left -= manifest.files
    added = set(present) - manifest.files - left - {MANIFEST, SIGNATURE}
    missing = manifest.files - set(present)
    odd = {n for n in manifest.files & set(present) if not present[n]}
    if missing or added:
        raise ArtefactError(
            "artefact.files_differ",
            "{owner}: {folder!r} is not what its {manifest!r} lists: missing "
            "[{missing}], added [{added}]. Save the engine again or restore a copy.",
            owner=opened.owner,
            folder=str(opened.place),
            manifest=MANIFEST,
            missing=sorted_names(missing),
            added=sorted_names(added),
        )
    for name in sorted(odd):  # raises, naming what it is
        opened.read(name, most=0)
        raise opened.not_plain(name, "no plain file")
    if left:
        sweep_folder(opened.place)


def _read_files(
    opened: OpenFolder, manifest: Manifest, mapped: bool, deferred: bool
) -> FolderContent:
    """Return the content of every file, each after its digest was compared."""
    if manifest.format == PARQUET_FORMAT:
        deferred = False  # its tables are not mapped
    later = DeferredTables(opened.owner, str(opened.place), manifest.format != FORMAT)
    tables: dict[str, Arrays] = later if deferred else {}
    found = FolderContent({}, tables, {}, kept := {})
    for name, entry in manifest.entries.items():
        is_arrow = name.endswith(SUFFIX) and manifest.format != PARQUET_FORMAT
        if deferred and is_arrow:
            most = 1 << 62 if entry.size is None else entry.size
            content = opened.read(entry.file, most=most, mapped=True)
            later.add_file(name, content, entry)
        else:
            content = _read_checked(opened, entry, mapped and name.endswith(SUFFIX))
            _parse_file(opened, manifest, found, tables, name, content)
        if is_arrow and manifest.format == FORMAT:
            kept[name] = KeptFile()
            stamp = opened.stamps[entry.file]
            kept[name].note(opened.place / entry.file, entry.sha256, stamp)
    return found


def _parse_file(
    opened: OpenFolder,
    manifest: Manifest,
    found: FolderContent,
    tables: dict[str, Arrays],
    name: str,
    content: Any,
) -> None:
    """Add what a file holds to what was found."""
    is_parquet = manifest.format == PARQUET_FORMAT
    if name.endswith(SUFFIX) and not is_parquet:
        by_kind = manifest.format == KINDS_FORMAT
        tables.update(
            read_tables(content, name=name, owner=opened.owner, by_kind=by_kind)
        )
    elif name.endswith(_PARQUET) and is_parquet:
        parsed = read_parquet(content, name=name, owner=opened.owner)
        tables[name.removesuffix(_PARQUET)] = parsed
    elif name.endswith(BYTES):
        found.blobs[name] = bytes(content)
    else:
        found.texts[name] = _decode(opened, manifest.entries[name], content)


def _read_checked(opened: OpenFolder, entry: Entry, mapped: bool) -> Any:
    """Return the content of a file that has the digest of the manifest."""
    most = 1 << 62 if entry.size is None else entry.size
    content = opened.read(entry.file, most=most, mapped=mapped)
    place = str(opened.place)
    check_content(content, entry, owner=opened.owner, folder=place)
    return content


def _decode(opened: OpenFolder, entry: Entry, content: Any) -> str:
    """Return the text of a file."""
    try:
        return bytes(content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtefactError(
            "artefact.text_damaged",
            "{owner}: {name!r} in {folder!r} is no text: {problem}. Restore a copy.",
            owner=opened.owner,
            name=entry.file,
            folder=str(opened.place),
            problem=str(error),
        ) from error
