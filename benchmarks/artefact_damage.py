"""Ways of damaging a saved engine, each by a function of its folder and of chance.

`KINDS` maps the name of a way to a function that changes the folder; it returns what
it did. Ways that end with "re-hashed" write the digests of the manifest again, so that
only what is looked at after the digests can refuse them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import socket
import zipfile
from pathlib import Path

import numpy as np

from smartrisk.artefact import read_folder, write_folder

#: What a value of JSON becomes.
VALUES = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**400, -1.5, 1e308, "", "x", "\u0000", [], {},
    [[]], [1], {"a": 1}, "99", [None], ["importer_id"],
)  # fmt: skip
#: What an entry of a column becomes.
EXTREMES = {
    "i": (-(2**7), 2**7 - 1, -1, -3, 0),
    "u": (0, 2**64 - 1, 1),
    "f": (np.nan, np.inf, -np.inf, 1e308, -1.0),
}


def manifest_of(folder: Path) -> dict:
    """Return the manifest."""
    return json.loads((folder / "manifest.json").read_text())


def write_manifest(folder: Path, manifest: dict) -> None:
    """Write a manifest with its own digest."""
    manifest.pop("check", None)
    plain = json.dumps(manifest, sort_keys=True)
    manifest["check"] = hashlib.sha256(plain.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def seal(folder: Path) -> None:
    """Write the digests of the manifest again."""
    manifest = manifest_of(folder)
    for name in list(manifest["files"]):
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        manifest["files"][name] = {"bytes": len(content), "sha256": digest}
    write_manifest(folder, manifest)


def pick(folder: Path, rng, suffix: str = "") -> Path:
    """Return one of the files."""
    paths = sorted(p for p in folder.iterdir() if p.name.endswith(suffix))
    return paths[rng.integers(len(paths))]


# ---------------------------------------------------------------- whole files


def flip(folder, rng):
    path = pick(folder, rng)
    content = bytearray(path.read_bytes())
    place = int(rng.integers(len(content)))
    content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return f"{path.name} byte {place}"


def cut(folder, rng):
    path = pick(folder, rng)
    content = path.read_bytes()
    length = int(rng.integers(len(content)))
    path.write_bytes(content[:length])
    return f"{path.name} cut to {length}"


def lengthen(folder, rng):
    path = pick(folder, rng)
    with path.open("ab") as file:
        file.write(rng.bytes(int(rng.integers(1, 200))))
    return path.name


def remove(folder, rng):
    path = pick(folder, rng)
    path.unlink()
    return path.name


def add(folder, rng):
    name = ("notes.txt", ".hidden", "more.arrow", "engine.json~")[rng.integers(4)]
    (folder / name).write_bytes(rng.bytes(20))
    return name


def swap(folder, rng):
    one, other = pick(folder, rng), pick(folder, rng)
    while one == other or "manifest.json" in (one.name, other.name):
        one, other = pick(folder, rng), pick(folder, rng)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    return f"{one.name} and {other.name}"


def pipe(folder, rng):
    path = pick(folder, rng)
    path.unlink()
    os.mkfifo(path)
    return path.name


def link(folder, rng):
    path = pick(folder, rng)
    elsewhere = folder.parent / f"{folder.name}-{path.name}"
    if rng.integers(3):
        path.rename(elsewhere)
    path.unlink(missing_ok=True)
    target = (elsewhere, Path("/dev/zero"), path)[rng.integers(3)]
    path.symlink_to(target)
    return f"{path.name} to {target}"


def put_folder(folder, rng):
    path = pick(folder, rng)
    path.unlink()
    path.mkdir()
    return path.name


def put_socket(folder, rng):
    path = pick(folder, rng)
    path.unlink()
    place = os.getcwd()
    os.chdir(folder)  # the address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(place)
    return path.name


# ---------------------------------------------------------------- the manifest


def change_manifest(folder, rng):
    manifest = manifest_of(folder)
    before = json.dumps(manifest)
    done = change_leaf(manifest, rng)
    if rng.integers(2) and json.dumps(manifest) != before:
        write_manifest(folder, manifest)
    else:
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return done


# ---------------------------------------------------------------- re-hashed


def sealed(change):
    """Return a way of damage that also writes the digests again."""

    def changed(folder, rng):
        done = change(folder, rng)
        seal(folder)
        return done

    return changed


def flip_content(folder, rng):
    path = pick(folder, rng)
    while path.name == "manifest.json":
        path = pick(folder, rng)
    content = bytearray(path.read_bytes())
    for place in rng.integers(0, len(content), int(rng.integers(1, 4))):
        content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return path.name


def cut_content(folder, rng):
    path = pick(folder, rng)
    while path.name == "manifest.json":
        path = pick(folder, rng)
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(len(content)))])
    return path.name


def flip_head(folder, rng):
    """Flip bits of what states where the tables of an Arrow file lie."""
    path = pick(folder, rng, ".arrow")
    content = bytearray(path.read_bytes())
    half = min(len(content), 4_000)
    place = int(rng.integers(half))
    place = place if rng.integers(2) else len(content) - 1 - place
    content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return f"{path.name} byte {place}"


def leaves_of(value, path=()):
    """Yield the paths of all values of JSON."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, (*path, key))
    elif isinstance(value, list):
        for key, inner in enumerate(value):
            yield from leaves_of(inner, (*path, key))


def change_leaf(content, rng):
    """Change, remove or add one value."""
    paths = [path for path in leaves_of(content) if path]
    # Short lists of long names would hide behind long lists of numbers.
    heads = sorted({tuple(map(str, path[:3])) for path in paths})
    head = heads[rng.integers(len(heads))]
    paths = [path for path in paths if tuple(map(str, path[:3])) == head]
    *before, last = paths[rng.integers(len(paths))]
    holder = content
    for key in before:
        holder = holder[key]
    way = rng.integers(6)
    if way == 0:
        del holder[last]
        done = "removed"
    elif way == 1 and isinstance(holder, dict):
        holder[f"{last}x"] = holder[last]
        done = "added"
    elif way == 2 and isinstance(holder[last], int | float):
        holder[last] = -holder[last] + 1
        done = "moved"
    else:
        holder[last] = VALUES[rng.integers(len(VALUES))]
        done = repr(holder[last])[:30]
    return f"{'/'.join(map(str, (*before, last)))} {done}"


def change_json(folder, rng):
    path = pick(folder, rng, ".json")
    while path.name == "manifest.json":
        path = pick(folder, rng, ".json")
    content = json.loads(path.read_text())
    done = change_leaf(content, rng)
    path.write_text(json.dumps(content))
    return f"{path.name} {done}"


def change_profile(folder, rng):
    path = folder / "profile.json"
    content = json.loads(path.read_text())
    done = change_leaf(content, rng)
    path.write_text(json.dumps(content))
    return f"{path.name} {done}"


def change_trees(folder, rng):
    """Change a number, a line or the place of a line in the text of trees."""
    path = pick(folder, rng, ".txt")
    text = path.read_text()
    way = rng.integers(4)
    if way == 0:
        numbers = list(re.finditer(r"-?[0-9.]+", text.partition("\nparameters")[0]))
        found = numbers[rng.integers(len(numbers))]
        new = str(
            ("-1", "0", "1", "-7", "99999999", "1e999", "nan", "")[rng.integers(8)]
        )
        path.write_text(text[: found.start()] + new + text[found.end() :])
        return f"{path.name} {found[0]} to {new} at {found.start()}"
    lines = text.split("\n")
    place = int(rng.integers(len(lines) - 1))
    if way == 1:
        del lines[place]
    elif way == 2:
        lines.insert(place, lines[place])
    else:
        other = int(rng.integers(len(lines) - 1))
        lines[place], lines[other] = lines[other], lines[place]
    path.write_text("\n".join(lines))
    return f"{path.name} line {place}"


def change_children(folder, rng):
    """Change one child, feature, kind or set of codes, of the same length."""
    path = pick(folder, rng, ".txt")
    keys = (
        "left_child|right_child|split_feature|decision_type|cat_boundaries|num_leaves"
    )
    text = path.read_text()
    lines = list(re.finditer(rf"^({keys})=(\S.*)$", text, re.MULTILINE))
    line = lines[rng.integers(len(lines))]
    numbers = line[2].split(" ")
    place = int(rng.integers(len(numbers)))
    old = numbers[place]
    spots = [n for n in range(len(old)) if old[n].isdigit()]
    spot = spots[rng.integers(len(spots))]
    numbers[place] = f"{old[:spot]}{rng.integers(10)}{old[spot + 1 :]}"
    new = f"{line[1]}={' '.join(numbers)}"
    path.write_text(text[: line.start()] + new + text[line.end() :])
    return f"{path.name} {line[1]} {old} to {numbers[place]}"


def change_tables(folder, rng):
    """Change one table of the history."""
    found = read_folder(folder)
    name = sorted(found.tables)[rng.integers(len(found.tables))]
    table = dict(found.tables[name])
    column = sorted(table)[rng.integers(len(table))]
    values = table[column].copy()
    way = (
        "entry",
        "extreme",
        "type",
        "drop",
        "more",
        "order",
        "rows",
        "empty",
        "table",
    )[rng.integers(9)]
    if way in ("entry", "extreme") and len(values):
        place = int(rng.integers(len(values)))
        if way == "entry":
            values[place] += type(values[place])(1)
        else:
            with np.errstate(over="ignore"):
                options = EXTREMES[values.dtype.kind]
                new = options[rng.integers(len(options))]
                values[place] = np.asarray(new).astype(values.dtype)
        table[column] = values
    elif way == "type":
        table[column] = values.astype(("f8", "i8", "u8", "i1")[rng.integers(4)])
    elif way == "drop":
        del table[column]
    elif way == "more":
        table["more"] = values
    elif way == "order":
        table = {key: value[::-1].copy() for key, value in table.items()}
    elif way == "rows":
        table = {key: value[: len(value) // 2] for key, value in table.items()}
    elif way == "empty":
        table = {key: value[:0] for key, value in table.items()}
    tables = found.tables | {name: table}
    if way == "table" or not table:
        del tables[name]
    write_folder(folder, texts=found.texts, tables=tables, blobs=found.blobs)
    return f"{name} {column} {way}"


def change_estimator(folder, rng):
    """Change an array or the plan of a model of another library."""
    path = pick(folder, rng, ".skops")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(parts)[rng.integers(len(parts))]
    if name.endswith(".json") and rng.integers(4):
        content = json.loads(parts[name])
        done = change_leaf(content, rng)
        parts[name] = json.dumps(content).encode()
    else:
        content = bytearray(parts[name])
        for place in rng.integers(0, len(content), 2):
            content[place] ^= 1 << int(rng.integers(8))
        parts[name], done = bytes(content), "bytes"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    path.write_bytes(sink.getvalue())
    return f"{path.name} {name} {done}"


KINDS = {
    "byte": flip,
    "cut": cut,
    "longer": lengthen,
    "removed": remove,
    "added": add,
    "swapped": swap,
    "pipe": pipe,
    "link": link,
    "folder": put_folder,
    "socket": put_socket,
    "manifest, re-hashed": change_manifest,
    "byte, re-hashed": sealed(flip_content),
    "cut, re-hashed": sealed(cut_content),
    "swapped, re-hashed": sealed(swap),
    "Arrow, re-hashed": sealed(flip_head),
    "values, re-hashed": sealed(change_json),
    "profile, re-hashed": sealed(change_profile),
    "trees, re-hashed": sealed(change_trees),
    "children, re-hashed": sealed(change_children),
    "tables, re-hashed": change_tables,
    "estimator, re-hashed": sealed(change_estimator),
}


def damage(source: Path, place: Path, kind: str, rng) -> str:
    """Copy a folder and damage the copy; return what was done."""
    shutil.copytree(source, place)
    return KINDS[kind](place, rng)
