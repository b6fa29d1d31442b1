"""Copies of a ledger: a backup, and JSON lines with a program that checks them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartrisk.errors import LedgerError
from smartrisk.ledger._stores import ALL_ENTRIES, COLUMNS, Store

#: The program that checks an export; it is written next to every export.
_VERIFIER = "verify_export.py"
#: Characters of a path in a message: its end names the file.
_PATH_CHARACTERS = 200


def export_entries(store: Store, path: Path) -> Path:
    """Write entries as JSON lines, and the program that checks them next to them."""
    names = COLUMNS.split(", ")
    draft = path.with_name(f".{path.name}-draft")
    with _translating(path):
        _check_new(path, "Ledger.export")
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="ascii", newline="\n") as file:
            for row in store.scan("chain", ALL_ENTRIES):
                line = dict(zip(names, row, strict=True))
                file.write(json.dumps(line, ensure_ascii=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        program = Path(__file__).with_name(f"_{_VERIFIER}").read_bytes()
        path.with_name(_VERIFIER).write_bytes(program)
        draft.replace(path)
    return path


def copy_ledger(store: Store, path: Path) -> Path:
    """Write a backup of all files of a ledger, the key among them."""
    key = path.with_name(path.name + ".key")
    with _translating(path):
        _check_new(path, "Ledger.copy")
        path.parent.mkdir(parents=True, exist_ok=True)
        if store.key_file is not None and store.key_file.exists():
            _check_new(key, "Ledger.copy")
            number = os.open(key, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(store.key_file.read_bytes())
        store.copy(path)
    return path


def _check_new(path: Path, owner: str) -> None:
    """Raise when there is a file already."""
    if path.exists():
        raise LedgerError(
            "ledger.file_exists",
            "{owner}: {path!r} exists. Choose a new name.",
            owner=owner,
            path=str(path),
        )


@contextmanager
def _translating(path: Path) -> Iterator[None]:
    """Raise errors of the file system as those of a ledger."""
    try:
        yield
    except OSError as error:
        raise LedgerError(
            "ledger.copy_not_written",
            "Ledger: {path!r} cannot be written ({problem}). Choose another folder, or "
            "free space.",
            path=str(path)[-_PATH_CHARACTERS:],
            problem=error.strerror or str(error),
        ) from error
