"""The manifest of a folder: its format, who wrote it, and the digest of every file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from smartrisk.artefact._json import parse_json
from smartrisk.errors import ArtefactError, format_values

#: Format of a saved engine.
FORMAT = "smartrisk-engine/4"
#: The format before it, with one file for each kind of table: read and never written.
KINDS_FORMAT = "smartrisk-engine/3"
#: The format before that, whose history is Parquet: it is read and never written.
PARQUET_FORMAT = "smartrisk-engine/2"
MANIFEST = "manifest.json"
#: The detached signature of the manifest: 64 bytes.
SIGNATURE = "manifest.sig"
#: More than any manifest has: 10,000 files of 200 bytes.
MOST_MANIFEST_BYTES = 2_000_000

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+% -]{0,199}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: A file whose name holds the first digits of its digest: it was written into a folder
#: whose files could not be replaced.
_TAGGED = re.compile(r"(?P<stem>.+)\.[0-9a-f]{16}(?P<suffix>\.(arrow|json|skops|txt))")

#: A signature that is being written; it stays where the process was killed.
_UNFINISHED = re.compile(r"\.manifest-[0-9a-f]{8}\.sig")


class Entry(NamedTuple):
    """A file of a folder.

    Parameters
    ----------
    file : str
        Name under which it lies in the folder.
    sha256 : str
        Digest of its content, 64 hexadecimal digits.
    size : int or None
        Bytes; None in the format before.
    """

    file: str
    sha256: str
    size: int | None


class Manifest(NamedTuple):
    """What a folder is stated to consist of.

    Parameters
    ----------
    format : str
        One of the formats that are read.
    writer : str or None
        Version of this library that wrote it; None in the format before.
    entries : dict of str to Entry
        Name of a content, such as ``history.arrow``, to its file.
    replaced : frozenset of str
        Files of the engine before, which may still lie there where the folder was
        changed in place.
    """

    format: str
    writer: str | None
    entries: dict[str, Entry]
    replaced: frozenset[str] = frozenset()

    @property
    def files(self) -> set[str]:
        """Names of the files in the folder, the manifest left out."""
        return {entry.file for entry in self.entries.values()}


def manifest_text(
    writer: str,
    entries: Mapping[str, Entry],
    replaced: Iterable[str] = (),
    *,
    by_kind: bool = False,
) -> str:
    """Return the text of the manifest of a folder."""
    files = {}
    for name, entry in sorted(entries.items()):
        files[name] = {"bytes": entry.size, "sha256": entry.sha256}
        if entry.file != name:
            files[name]["file"] = entry.file
    form = KINDS_FORMAT if by_kind else FORMAT
    content = {"format": form, "smartrisk": writer, "files": files}
    if replaced := sorted(replaced):
        content["replaced"] = replaced
    content["check"] = _own_digest(content)
    return json.dumps(content, indent=1) + "\n"


def _own_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of what a manifest states, against slips of a disk."""
    plain = json.dumps(content, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def parse_manifest(content: bytes, *, folder: str, owner: str) -> Manifest:
    """Return the manifest that a file holds.

    Raises
    ------
    ArtefactError
        If it is damaged, of a format that is not read, or names files elsewhere.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _make_error(folder, owner, str(error)) from error
    plain = parse_json(text, name=MANIFEST, owner=owner)
    if not isinstance(plain, dict) or not isinstance(plain.get("files"), dict):
        raise _make_error(folder, owner, "it lists no files")
    stored = plain.get("format")
    if stored in (FORMAT, KINDS_FORMAT):
        return _read_current(plain, folder, owner)
    if stored == PARQUET_FORMAT:
        entries = {n: Entry(n, str(d), None) for n, d in plain["files"].items()}
        return _check_names(Manifest(PARQUET_FORMAT, None, entries), folder, owner)
    raise OtherFormat(stored if isinstance(stored, str) else None)


class OtherFormat(Exception):  # noqa: N818 (an answer, which never leaves the package)
    """The folder has a format that is not read.

    Parameters
    ----------
    format : str or None
        As the manifest states it.
    """

    def __init__(self, format: str | None) -> None:
        super().__init__(format)
        self.format = format


def own_files(content: bytes) -> set[str] | None:
    """Return the files that a manifest of any format lists; None if it is unreadable.

    For saving over a folder: whatever is listed was written by this library.
    """
    try:
        plain = parse_json(content.decode("utf-8"), name=MANIFEST, owner="")
        files = plain["files"]
        replaced = plain.get("replaced", [])
        names = set(replaced) | {
            entry["file"] if isinstance(entry, dict) and "file" in entry else name
            for name, entry in files.items()
        }
    except (ArtefactError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return None
    return {name for name in names if isinstance(name, str)}


def left_files(content: bytes, present: Iterable[str]) -> set[str]:
    """Return the files in a folder that its manifest does not list any more."""
    listed = own_files(content)
    if listed is None:
        return set()
    plain = parse_json(content.decode("utf-8"), name=MANIFEST, owner="")
    replaced = set(plain.get("replaced", []))
    current = {
        e.get("file", n) for n, e in plain["files"].items() if isinstance(e, dict)
    }
    return {n for n in present if (is_tagged(n) or n in replaced) and n not in current}


def is_tagged(file: str) -> bool:
    """Return whether a name is one that only this library gives, so that it can go."""
    return any(p.fullmatch(file) for p in (_TAGGED, _UNFINISHED))


def tagged_name(name: str, sha256: str) -> str:
    """Return the name of a new file of a content, which no other content has."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{sha256[:16]}{dot}{suffix}"


def _read_current(plain: dict[str, Any], folder: str, owner: str) -> Manifest:
    """Return a manifest of the current format, or of the one before."""
    if plain.pop("check", None) != _own_digest(plain):
        raise _make_error(folder, owner, "its own digest differs")
    replaced = plain.pop("replaced", [])
    if not isinstance(replaced, list) or not all(isinstance(n, str) for n in replaced):
        raise _make_error(folder, owner, "it does not say what it replaced")
    if set(plain) != {"format", "smartrisk", "files"}:
        raise _make_error(folder, owner, f"it has the keys {sorted(plain)}")
    if not isinstance(plain["smartrisk"], str):
        raise _make_error(folder, owner, "it does not state who wrote it")
    entries = {}
    for name, entry in plain["files"].items():
        if not isinstance(entry, dict) or not {"bytes", "sha256"} <= set(entry):
            raise _make_error(folder, owner, f"the entry of {name!r} is incomplete")
        if set(entry) - {"bytes", "sha256", "file"}:
            raise _make_error(folder, owner, f"the entry of {name!r} has unknown keys")
        size = entry["bytes"]
        if type(size) is not int or size < 0:
            raise _make_error(folder, owner, f"the size of {name!r} is {size!r}")
        file = entry.get("file", name)
        if file != name and (
            not isinstance(file, str) or file != tagged_name(name, str(entry["sha256"]))
        ):
            raise _make_error(folder, owner, f"{name!r} lies in {file!r}")
        entries[name] = Entry(file, str(entry["sha256"]), size)
    found = Manifest(plain["format"], plain["smartrisk"], entries, frozenset(replaced))
    return _check_names(found, folder, owner)


def _check_names(manifest: Manifest, folder: str, owner: str) -> Manifest:
    """Return a manifest that names files of its folder only."""
    named = manifest.files | set(manifest.entries) | manifest.replaced
    outside = [name for name in named if _is_odd(name)]
    if outside:
        raise ArtefactError(
            "artefact.manifest_names_other_places",
            "{owner}: {manifest!r} in {folder!r} names {names}, which cannot be files "
            "of it; refused. Restore a copy.",
            owner=owner,
            manifest=MANIFEST,
            folder=folder,
            names=format_values(sorted(outside)),
        )
    odd = [n for n, e in manifest.entries.items() if not _DIGEST.fullmatch(e.sha256)]
    if odd:
        names = format_values(odd)
        raise _make_error(folder, owner, f"it has no digest of {names}")
    return manifest


def _is_odd(name: str) -> bool:
    """Return whether a name is no plain name of a file, or one with a meaning."""
    return not _NAME.fullmatch(name) or name in (MANIFEST, SIGNATURE) or ".." in name


def _make_error(folder: str, owner: str, problem: str) -> ArtefactError:
    """Return the error of a manifest that cannot be read."""
    return ArtefactError(
        "artefact.manifest_damaged",
        "{owner}: {manifest!r} in {folder!r} is damaged: {problem}. Save the engine "
        "again or restore a copy.",
        owner=owner,
        manifest=MANIFEST,
        folder=folder,
        problem=problem,
    )


def sorted_names(names: Iterable[str]) -> str:
    """Return up to five names in order, for a message."""
    return format_values(sorted(names))
