"""Tables of a folder whose files are compared with their digests at their first use."""

from __future__ import annotations

import hashlib
import hmac
import mmap
from typing import Any

from smartrisk.artefact._manifest import Entry
from smartrisk.artefact._tables import Arrays, block_file, read_tables, table_file
from smartrisk.errors import ArtefactError


class DeferredTables(dict[str, Arrays]):
    """Tables by name, those of a file from the first use of one of them on.

    A file is mapped when the folder is read, so that it is this one even where another
    takes its place, and compared with the digest of the manifest before it is parsed.

    Parameters
    ----------
    owner : str
        Name of the calling function, for messages.
    folder : str
        The folder, for messages.
    by_kind : bool, default=False
        Whether a file holds all tables of a kind, as in the format before.

    Examples
    --------
    >>> from smartrisk.artefact import DeferredTables
    >>> DeferredTables("RiskEngine.load", "engine").names("history.arrow")
    set()
    """

    def __init__(self, owner: str, folder: str, by_kind: bool = False) -> None:
        super().__init__()
        self._owner, self._folder, self._by_kind = owner, folder, by_kind
        self._files: dict[str, tuple[Any, Entry]] = {}
        self._names: dict[str, set[str]] = {}

    def add_file(self, name: str, content: Any, entry: Entry) -> None:
        """Add the content of a file, which nobody has looked at.

        Parameters
        ----------
        name : str
            Name of the file.
        content : buffer
            Its bytes, mapped.
        entry : Entry
            What the manifest states.
        """
        self._files[name] = content, entry

    def files(self) -> set[str]:
        """Return the names of the files, also of those that nobody has read.

        Returns
        -------
        files : set of str
            Such as ``codes.arrow``.
        """
        return set(self._files)

    def release(self, file: str) -> None:
        """Let the system take back the memory of a file, until it is read again.

        Parameters
        ----------
        file : str
            Name of the file.
        """
        content = self._files[file][0]
        if isinstance(content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            content.madvise(mmap.MADV_DONTNEED)

    def names(self, file: str) -> set[str]:
        """Return the names of the tables of a file, after its digest was compared.

        Parameters
        ----------
        file : str
            Name of the file.

        Returns
        -------
        names : set of str
            Empty where there is no such file.

        Raises
        ------
        ArtefactError
            If the file is not what was saved.
        """
        if file not in self._names and file in self._files:
            content, entry = self._files[file]
            check_content(content, entry, owner=self._owner, folder=self._folder)
            tables = read_tables(
                content, name=file, owner=self._owner, by_kind=self._by_kind
            )
            self.update(tables)
            self._names[file] = set(tables)
        return self._names.get(file, set())

    def __missing__(self, table: str) -> Arrays:
        """Read the file of a table that nobody has used so far."""
        file = (table_file if self._by_kind else block_file)(table)
        if table not in self.names(file):
            raise ArtefactError(
                "artefact.saved_table_missing",
                "{owner}: table {table!r} of {file!r} is missing. Restore a copy.",
                owner=self._owner,
                table=table,
                file=file,
            )
        return self[table]


def check_content(content: Any, entry: Entry, *, owner: str, folder: str) -> None:
    """Raise unless the content of a file has the digest of the manifest."""
    found = hashlib.sha256(content).hexdigest()
    if not hmac.compare_digest(found, entry.sha256):
        raise ArtefactError(
            "artefact.file_changed",
            "{owner}: {name!r} in {folder!r} is not what was saved (its "
            "digest differs). Save the engine again or restore a copy.",
            owner=owner,
            name=entry.file,
            folder=folder,
        )
