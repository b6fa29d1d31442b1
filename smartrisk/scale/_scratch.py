"""The folder in which a fit works: the tables of pieces go, the history stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType

from smartrisk.errors import ArgumentError


class Scratch:
    """A folder with the tables of pieces and the history, removed after a failure.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the message.
    folder : path
        New or empty.
    """

    def __init__(self, owner: str, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._kept = False
        if self._folder.exists() and (
            not self._folder.is_dir() or any(self._folder.iterdir())
        ):
            raise ArgumentError(
                "scale.folder_not_empty",
                "{owner}: {folder!r} is not empty. Pass a new folder: what it holds "
                "may be the history of an engine in use.",
                owner=owner,
                folder=str(folder),
            )
        self._was_there = self._folder.exists()

    @property
    def parts(self) -> Path:
        """Folder of what goes at the end."""
        return self._folder / "parts"

    @property
    def history(self) -> Path:
        """Folder of the history."""
        return self._folder / "history"

    def __enter__(self) -> Scratch:
        """Make both folders."""
        self.parts.mkdir(parents=True)
        self.history.mkdir()
        return self

    def keep(self) -> None:
        """Keep the history when the work is done."""
        self._kept = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the tables of pieces; after a failure, everything."""
        shutil.rmtree(self.parts, ignore_errors=True)
        if not self._kept:
            shutil.rmtree(self.history, ignore_errors=True)
            if not self._was_there:
                shutil.rmtree(self._folder, ignore_errors=True)
