"""What is not exactly the folder that was written is refused, and the file is named."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from contextlib import suppress

import numpy as np
import pytest

from smartrisk.artefact import folder_digest, read_folder, write_folder
from smartrisk.errors import ArgumentError, ArtefactError


def manifest_of(folder):
    """Return the manifest."""
    return json.loads((folder / "manifest.json").read_text())


def seal(folder, change=lambda manifest: None):
    """Write the digests of the manifest again, and change it."""
    manifest = manifest_of(folder)
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        entry["bytes"] = len(content)
        entry["sha256"] = hashlib.sha256(content).hexdigest()
    change(manifest)
    del manifest["check"]
    plain = json.dumps(manifest, sort_keys=True)
    manifest["check"] = hashlib.sha256(plain.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_every_flipped_byte_is_refused_by_the_name_of_its_file(folder):
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        for place in range(0, len(content), 1 + len(content) // 40):
            broken = bytearray(content)
            broken[place] ^= 1 << place % 8
            path.write_bytes(broken)
            with pytest.raises(ArtefactError) as error:
                read_folder(folder)
            assert path.name in str(error.value)
        path.write_bytes(content)
    read_folder(folder)


def put_socket(path):
    """Put a socket in the place of a file."""
    before = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path.name)
    os.chdir(before)


@pytest.mark.parametrize("name", ["risk.txt", "manifest.json"])
@pytest.mark.parametrize(
    ("put", "kind"),
    [
        (os.mkfifo, "a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "a symbolic link"),
        (lambda path: path.symlink_to(path.parent / "engine.json"), "a symbolic link"),
        (lambda path: path.mkdir(), "a folder"),
        (put_socket, "a socket"),
    ],
)
def test_nothing_but_plain_files_is_opened(folder, name, put, kind):
    (folder / name).unlink()
    put(folder / name)
    with pytest.raises(ArtefactError, match=rf"'{name}' in .* is {kind}"):
        read_folder(folder)


def test_another_digest_is_refused_before_anything_is_parsed(folder):
    digest = folder_digest(folder)
    read_folder(folder, digest=f"sha256:{digest}")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ArtefactError, match=rf"not the one .* asked for, {digest}"):
        read_folder(folder, digest=digest)
    with pytest.raises(ArtefactError, match="damaged"):
        read_folder(folder)
    with pytest.raises(ArgumentError, match="64 hexadecimal digits"):
        read_folder(folder, digest=digest[:-1])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: m["files"].update({"../x": m["files"]["risk.txt"]}), "cannot be f"),
        (lambda m: m["files"]["risk.txt"].update(file="engine.json"), "lies in 'engin"),
        (lambda m: m["files"]["risk.txt"].update(bytes=True), "size of 'risk.txt'"),
        (lambda m: m["files"]["risk.txt"].pop("bytes"), "is incomplete"),
        (lambda m: m["files"]["risk.txt"].update(sha256="0"), "no digest of 'risk.txt"),
        (lambda m: m["files"]["risk.txt"].update(mode=1), "unknown keys"),
        (lambda m: m.update(more=1), "it has the keys"),
        (lambda m: m.update(replaced=[1]), "what it replaced"),
        (lambda m: m.update(smartrisk=None), "who wrote it"),
        (lambda m: m.update(files=[]), "lists no files"),
        (lambda m: m["files"].pop("risk.txt"), r"added \['risk.txt'\]"),
    ],
)
def test_an_odd_manifest_is_refused(folder, change, problem):
    seal(folder, change)
    with pytest.raises(ArtefactError, match=problem):
        read_folder(folder)


@pytest.mark.parametrize(
    ("stored", "writer", "advice"),
    [
        ("smartrisk-engine/1", "0.0.9", "Fit an engine again"),
        (None, "0.0.9", "Fit an engine again"),
        ("smartrisk-engine/5", "7.1", "install that one"),
    ],
)
def test_another_format_is_refused_by_who_wrote_it(folder, stored, writer, advice):
    (folder / "engine.json").write_text(json.dumps({"smartrisk": writer}))
    manifest = {"format": stored, "files": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match=rf"smartrisk {writer}; .*{advice}"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": np.arange(3), "b": np.arange(4)}, "columns of several lengths"),
        ({"a": np.array([True])}, "of type"),
    ],
)
def test_odd_tables_are_refused_by_their_file(tmp_path, columns, problem):
    tables = {"history.overall": columns}
    folder = write_folder(tmp_path / "engine", texts={}, tables=tables)
    with pytest.raises(ArtefactError, match=rf"overall.arrow' is damaged.*{problem}"):
        read_folder(folder)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_json_that_readers_disagree_on_is_refused(text):
    from smartrisk.artefact import parse_json

    with pytest.raises(ArtefactError, match=r"'engine\.json' is damaged"):
        parse_json(text, name="engine.json", owner="RiskEngine.load")


def test_arrow_files_that_were_changed_and_sealed_raise_no_other_error(folder):
    path = folder / "history.overall.arrow"
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            broken[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        seal(folder)
        with suppress(ArtefactError):
            read_folder(folder)
