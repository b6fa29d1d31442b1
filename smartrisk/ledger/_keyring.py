"""The secret key of a ledger: pseudonyms, digests of inputs, seals of what is aside."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartrisk.errors import LedgerError

#: Environment variable with the key in hexadecimal digits.
KEY_VARIABLE = "SMARTRISK_LEDGER_KEY"
#: Bytes of a key: as many as its digests have.
_KEY_BYTES = 32
#: Hexadecimal digits of a pseudonym: 128 bits, so that two never collide.
_PSEUDONYM_DIGITS = 32
#: Hexadecimal digits of a tag: 64 bits; a tag is only compared within one entry.
_TAG_DIGITS = 16


@dataclass(frozen=True, repr=False)
class Keyring:
    """What is computed with the key of a ledger; the key itself is never shown."""

    key: bytes

    def _sign(self, purpose: str, *parts: str) -> str:
        """Return a keyed digest; no two purposes give the same one."""
        text = json.dumps([purpose, *parts], ensure_ascii=True)
        return hmac.digest(self.key, text.encode(), "sha256").hex()

    def fingerprint(self) -> str:
        """Return a digest of the key, which does not reveal it."""
        return self._sign("fingerprint")[:_PSEUDONYM_DIGITS]

    def pseudonym(self, identity: str) -> str:
        """Return the pseudonym of an identity."""
        return self._sign("identity", identity)[:_PSEUDONYM_DIGITS]

    def digest(self, fields: str) -> str:
        """Return the digest of declared values, which no guess confirms without it."""
        return self._sign("inputs", fields)

    def tag(self, digest: str) -> str:
        """Return a mark of erased inputs: without the key, it links no items."""
        return self._sign("erased", digest)[:_TAG_DIGITS]

    def seal(self, table: str, *values: str) -> str:
        """Return the seal of a row that is stored aside."""
        return self._sign("seal", table, *values)


def load_keyring(key: Any, beside: Path | None, *, is_new: bool) -> Keyring | None:
    """Return the key: as given, in the file beside the ledger, or in the environment.

    A key is made for a new ledger only, in a file. None where there is no key.
    """
    if isinstance(key, (bytes, bytearray)):
        return Keyring(_check_key(bytes(key), "bytes"))
    if key is not None and not isinstance(key, (str, os.PathLike)):
        raise LedgerError(
            "ledger.key_of_other_kind",
            "Ledger: 'key' must be the path of a file, or bytes; got {type_name}.",
            type_name=type(key).__name__,
        )
    if key is not None:
        return _load_file(Path(key), may_create=is_new)
    if beside is not None and beside.exists():
        return _load_file(beside, may_create=False)
    if text := os.environ.get(KEY_VARIABLE):
        return Keyring(_parse_key(text, KEY_VARIABLE))
    if beside is not None and is_new:
        return _load_file(beside, may_create=True)
    return None


def _load_file(path: Path, *, may_create: bool) -> Keyring | None:
    """Return the key of a file; make the file first where that is allowed."""
    try:
        if may_create and not path.exists():
            _create_file(path)
        if not path.exists():
            return None
        return Keyring(_parse_key(path.read_text(encoding="ascii"), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(
            "ledger.key_unreadable",
            "Ledger: the key {path!r} cannot be read or made ({problem}). Give the "
            "account that runs this the right to read it.",
            path=str(path),
            problem=str(error),
        ) from error


def _create_file(path: Path) -> None:
    """Make a key whole or not at all, for its owner only; another process may win."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    if os.name == "posix":
        # The name too must be on disk: the chain, made next, is useless without it.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _parse_key(text: str, place: str) -> bytes:
    """Return the key that hexadecimal digits state."""
    try:
        return _check_key(bytes.fromhex(text.strip()), place)
    except ValueError:
        return _check_key(b"", place)


def _check_key(key: bytes, place: str) -> bytes:
    """Return a key, or raise when it is too short to be one."""
    if len(key) < _KEY_BYTES:
        raise LedgerError(
            "ledger.not_a_key",
            "Ledger: the key ({place}) must be {n_bytes} bytes at least, in a file or "
            'a variable as hexadecimal digits. Make one with: python -c "import '
            'secrets; print(secrets.token_hex({n_bytes}))"',
            place=place,
            n_bytes=_KEY_BYTES,
        )
    return key
