"""Detached signatures of a folder: Ed25519 over the bytes of its manifest.

The manifest holds the digest of every file, so its signature covers the folder. The
signature is the 64 bytes of RFC 8032 and nothing else, and keys are in PEM: OpenSSL
checks them without this library.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, TypeAlias

from smartrisk.artefact._files import sync_folder, write_file
from smartrisk.artefact._manifest import MANIFEST, MOST_MANIFEST_BYTES, SIGNATURE
from smartrisk.artefact._opening import OpenFolder, open_folder
from smartrisk.artefact._sweeping import hold_folder
from smartrisk.errors import ArgumentError, ArtefactError, MissingExtraError

#: A public key in PEM: the path of its file, or its content.
PublicKey: TypeAlias = str | os.PathLike[str] | bytes

#: Bytes of a signature of Ed25519 (RFC 8032).
_SIGNATURE_BYTES = 64
#: More than any key in PEM has.
_MOST_KEY_BYTES = 10_000


def create_key(path: str | os.PathLike[str]) -> Path:
    """Write a new key for signing, and its public key beside it.

    Parameters
    ----------
    path : path
        Where the private key goes, in PEM, readable by its owner only. The public key
        goes beside it, with ``.pub`` added to the name.

    Returns
    -------
    public : Path
        The public key, to be handed to whoever loads.

    Raises
    ------
    ArgumentError
        If one of the files exists.
    MissingExtraError
        If `cryptography` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import create_key
    >>> create_key(tempfile.mkdtemp() + "/signing.pem").name
    'signing.pem.pub'
    """
    keys = _import_cryptography()
    private_place = Path(path)
    public_place = private_place.with_name(private_place.name + ".pub")
    for place in (private_place, public_place):
        if place.exists():
            raise ArgumentError(
                "artefact.key_exists",
                "create_key: {path!r} exists; a key is never replaced. Choose another "
                "name.",
                path=str(place),
            )
    key = keys.ed25519.Ed25519PrivateKey.generate()
    forms = keys.serialization
    content = key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    public = key.public_key().public_bytes(
        forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo
    )
    private_place.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(private_place, flags, 0o600), "wb") as file:
        file.write(content)
    write_file(public_place, lambda draft: draft.write_bytes(public))
    return public_place


def sign_folder(
    folder: str | os.PathLike[str],
    key: str | os.PathLike[str],
    *,
    password: bytes | None = None,
) -> Path:
    """Sign a saved engine.

    Parameters
    ----------
    folder : path
        The folder.
    key : path
        Private key of Ed25519 in PEM, as from `create_key`.
    password : bytes, default=None
        Password of the key; None where it has none.

    Returns
    -------
    signature : Path
        ``manifest.sig`` in the folder. Saving over the folder removes it.

    Raises
    ------
    ArtefactError
        If the folder is no saved engine, or the signature cannot be written.
    ArgumentError
        If `key` holds no such key, or the password is wrong.
    MissingExtraError
        If `cryptography` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.artefact import create_key, sign_folder, write_folder
    >>> place = tempfile.mkdtemp()
    >>> folder = write_folder(place + "/engine", texts={"a.json": "{}"}, tables={})
    >>> public = create_key(place + "/signing.pem")
    >>> sign_folder(folder, place + "/signing.pem").name
    'manifest.sig'
    """
    keys = _import_cryptography()
    private = _load(
        lambda content: keys.serialization.load_pem_private_key(content, password),
        _key_bytes(key, "key", "sign_folder"),
        keys.ed25519.Ed25519PrivateKey,
        "key",
        "sign_folder",
    )
    place = Path(folder)
    with open_folder(place, "sign_folder") as opened:
        signature = private.sign(bytes(opened.read(MANIFEST, most=MOST_MANIFEST_BYTES)))
    try:
        with hold_folder(place):  # so that no load sweeps what is being written
            written = write_file(
                place / SIGNATURE, lambda draft: draft.write_bytes(signature)
            )
            sync_folder(place)
    except OSError as error:
        raise ArtefactError(
            "artefact.signature_not_written",
            "sign_folder: {name!r} in {folder!r} was not written: {problem}.",
            name=SIGNATURE,
            folder=str(folder),
            problem=str(error.strerror),
        ) from error
    return written


def check_signature(opened: OpenFolder, manifest: bytes, public_key: PublicKey) -> None:
    """Raise unless a folder holds the signature of its manifest by the owner of a key.

    Raises
    ------
    ArtefactError
        If there is no signature, or another one.
    """
    keys = _import_cryptography()
    public = _load(
        keys.serialization.load_pem_public_key,
        _key_bytes(public_key, "public_key", opened.owner),
        keys.ed25519.Ed25519PublicKey,
        "public_key",
        opened.owner,
    )
    if SIGNATURE not in opened.names():
        raise _not_signed(opened, "there is none")
    signature = bytes(opened.read(SIGNATURE, most=_SIGNATURE_BYTES))
    try:
        public.verify(signature, manifest)
    except keys.InvalidSignature as error:
        problem = "it belongs to other content or to another key"
        raise _not_signed(opened, problem) from error


def _not_signed(opened: OpenFolder, problem: str) -> ArtefactError:
    """Return the error of a folder without the signature that is asked for."""
    return ArtefactError(
        "artefact.signature_wrong",
        "{owner}: {name!r} in {folder!r} is not the signature of the engine by the "
        "owner of 'public_key': {problem}. Do not use it, or sign it again.",
        owner=opened.owner,
        name=SIGNATURE,
        folder=str(opened.place),
        problem=problem,
    )


def _key_bytes(key: PublicKey, name: str, owner: str) -> bytes:
    """Return the content of a key."""
    if isinstance(key, bytes):
        return key
    try:
        with Path(key).open("rb") as file:
            return file.read(_MOST_KEY_BYTES)
    except (OSError, TypeError) as error:
        raise ArgumentError(
            "artefact.key_not_read",
            "{owner}: {name!r} must be the file of a key; {path!r} cannot be read: "
            "{problem}.",
            owner=owner,
            name=name,
            path=str(key),
            problem=str(error),
        ) from error


def _load(load: Any, content: bytes, kind: type, name: str, owner: str) -> Any:
    """Return a key of Ed25519 from its content."""
    try:
        key = load(content)
    except Exception as error:  # cryptography raises what its parsers raise
        raise ArgumentError(
            "artefact.key_odd",
            "{owner}: {name!r} holds no key in PEM that can be read: {problem}. "
            "smartrisk sign --new-key makes such keys.",
            owner=owner,
            name=name,
            problem=str(error),
        ) from error
    if not isinstance(key, kind):
        raise ArgumentError(
            "artefact.key_of_another_kind",
            "{owner}: {name!r} holds a key of {found}; pass one of Ed25519.",
            owner=owner,
            name=name,
            found=type(key).__name__,
        )
    return key


def key_fingerprint(public_key: PublicKey) -> str:
    """Return the digest of a public key, to compare it by telephone."""
    content = _key_bytes(public_key, "public_key", "key_fingerprint")
    return hashlib.sha256(content).hexdigest()


class _Cryptography:
    """The parts of the package `cryptography` that are used."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519

        self.InvalidSignature = InvalidSignature
        self.serialization = serialization
        self.ed25519 = ed25519


def _import_cryptography() -> _Cryptography:
    """Return the package, or raise with the line that installs it."""
    try:
        return _Cryptography()
    except ImportError as error:
        raise MissingExtraError("cryptography", "sign") from error
