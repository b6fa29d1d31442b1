"""The commands on saved engines: their digest, and signatures."""

from __future__ import annotations

import os

from smartrisk.cli._messages import print_message, render_message
from smartrisk.cli._terminal import print_line
from smartrisk.engine import RiskEngine, create_key, folder_digest, sign_folder
from smartrisk.errors import ArgumentError, Message

#: Where the password of a key is, so that it is in no list of processes.
_PASSWORD = "SMARTRISK_KEY_PASSWORD"


def digest(*, folder: str, expected: str | None, public_key: str | None) -> int:
    """Print the digest of a saved engine, after a check of all its files."""
    engine = RiskEngine.load(folder, digest=expected, public_key=public_key)
    print_line(f"{folder_digest(folder)}  {folder}")
    if public_key is None:
        print_message(
            "cli.unchanged",
            "engine {version}: every file is what was saved",
            version=engine.version_,
        )
    else:
        print_message(
            "cli.unchanged_and_signed",
            "engine {version}: every file is what was saved, signed by the owner of "
            "{key}",
            version=engine.version_,
            key=public_key,
        )
    return 0


def sign(*, folder: str | None, key: str | None, new_key: str | None) -> int:
    """Create a key, or sign a saved engine, or both."""
    if (key is None) == (new_key is None):
        raise ArgumentError(
            "cli.one_key",
            "sign: pass either --key, a key to sign with, or --new-key, the name of a "
            "key to create.",
        )
    if folder is None and key is not None:
        raise ArgumentError(
            "cli.nothing_to_sign",
            "sign: name the folder of the engine that --key signs.",
        )
    if new_key is not None:
        public = create_key(new_key)
        secret = Message(
            "cli.key_created", "key: {path} (keep it secret)", path=new_key
        )
        print_line(render_message(secret))
        shared = Message(
            "cli.public_key_created",
            "public key: {path} (give it to those who load)",
            path=public,
        )
        print_line(render_message(shared))
    if folder is not None:
        # A damaged folder gets no signature.
        engine = RiskEngine.load(folder)
        password = os.environ.get(_PASSWORD)
        signature = sign_folder(
            folder,
            key or new_key or "",
            password=None if password is None else password.encode(),
        )
        print_message(
            "cli.signature",
            "engine {version}: {path}",
            version=engine.version_,
            path=signature,
        )
    return 0
