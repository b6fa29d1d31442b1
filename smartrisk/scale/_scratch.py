"""Folders that appear as a whole: the history of a fit, and tables in parts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from smartrisk.artefact import draft_folder
from smartrisk.errors import ArgumentError


class Scratch:
    """A folder that is made beside its place, and put there when it is complete.

    Parameters
    ----------
    owner : str
        Name of the calling function, for the message.
    folder : path
        New or empty.
    """

    def __init__(self, owner: str, folder: str | os.PathLike[str]) -> None:
        self._owner = owner
        self._target = Path(folder).absolute()
        self._stack = ExitStack()
        there = self._target.exists()
        if there and not (self._target.is_dir() and not any(self._target.iterdir())):
            raise self._not_empty()

    def _not_empty(self) -> ArgumentError:
        """Return the error for a folder that holds something."""
        return ArgumentError(
            "scale.folder_not_empty",
            "{owner}: {folder!r} is not an empty folder. Pass a new one: what it "
            "holds may be in use.",
            owner=self._owner,
            folder=str(self._target),
        )

    @property
    def parts(self) -> Path:
        """Folder of what goes at the end."""
        return self._draft / "parts"

    @property
    def made(self) -> Path:
        """Folder of what stays."""
        return self._draft / "made"

    def __enter__(self) -> Self:
        """Make both folders, which no other call uses."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._draft = self._stack.enter_context(draft_folder(self._target))
        self.parts.mkdir()
        self.made.mkdir()
        return self

    def put_in_place(self) -> Path:
        """Give what was made its name.

        Files that are mapped into memory stay so under another name.

        Raises
        ------
        ArgumentError
            If another call was faster.
        """
        try:
            if self._target.exists():
                self._target.rmdir()
            self.made.rename(self._target)
        except OSError as error:
            if not self._target.exists():
                raise
            raise self._not_empty() from error
        return self._target

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the draft, with all that was not put in place."""
        self._stack.close()
