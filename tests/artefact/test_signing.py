"""A signature covers the whole folder, and only its owner can make it."""

from __future__ import annotations

import stat
import sys

import pytest

from smartrisk.artefact import create_key, read_folder, sign_folder, write_folder
from smartrisk.errors import ArgumentError, ArtefactError, MissingExtraError


@pytest.fixture
def public(tmp_path):
    """Return a public key whose private one is beside it."""
    return create_key(tmp_path / "key.pem")


def test_a_signed_folder_loads_with_the_key_of_its_owner(
    folder, public, tmp_path, other
):
    with pytest.raises(ArtefactError, match=r"'manifest.sig' in .*there is none"):
        read_folder(folder, public_key=public)
    signature = sign_folder(folder, tmp_path / "key.pem")
    assert len(signature.read_bytes()) == 64
    read_folder(folder, public_key=public)
    read_folder(folder, public_key=public.read_bytes())
    read_folder(folder)
    with pytest.raises(ArtefactError, match="other content or to another key"):
        read_folder(folder, public_key=create_key(tmp_path / "other.pem"))
    write_folder(folder, **other)
    assert not signature.exists()


def test_any_change_of_manifest_or_signature_breaks_it(folder, public, tmp_path):
    sign_folder(folder, tmp_path / "key.pem")
    for name, change in (
        ("manifest.json", lambda content: content + b"\n"),
        ("manifest.sig", lambda content: bytes([content[0] ^ 1]) + content[1:]),
        ("manifest.sig", lambda content: content[:-1]),
        ("manifest.sig", lambda content: content + b"0"),
    ):
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(change(content))
        with pytest.raises(ArtefactError, match=r"manifest\.sig"):
            read_folder(folder, public_key=public)
        path.write_bytes(content)
    read_folder(folder, public_key=public)


def test_keys_are_private_never_replaced_and_of_one_kind(folder, public, tmp_path):
    key = tmp_path / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(ArgumentError, match="never replaced"):
        create_key(key)
    with pytest.raises(ArgumentError, match="no key in PEM"):
        sign_folder(folder, public)
    with pytest.raises(ArgumentError, match="cannot be read"):
        sign_folder(folder, tmp_path / "none.pem")
    with pytest.raises(ArgumentError, match="no key in PEM"):
        read_folder(folder, public_key=b"x")


def test_a_key_of_another_kind_is_refused(folder, tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ArgumentError, match=r"ECPrivateKey; pass one of Ed25519"):
        sign_folder(folder, tmp_path / "key.pem", password=b"secret")


def test_without_the_package_the_line_that_installs_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(MissingExtraError, match=r"smartrisk\[sign\]"):
        read_folder(folder, public_key=b"x")
