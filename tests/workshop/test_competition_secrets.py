"""A searcher with all that the class has finds neither seed nor salt nor truth."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.items import GOLDEN, scramble
from smartrisk.workshop import Competition
from smartrisk.worlds import make_declarations

SEED = 0xC0FFEE_1234_5678_9ABC_DEF0_2468_ACE1
#: A name of a trader hides the trader's number: a letter, then a number of 24 bits that
#: is shuffled under a key of the seed.
_BITS, _ROUNDS, _LOW = 24, 6, 10_000_000
#: No world of the tests has so many traders.
_MOST_TRADERS = 1 << 16


# ------------------------------------------------------- what a searcher looks through


def forms_of(number, n_bytes):
    """Return how a number can be written: digits, hexadecimal, base64, bytes."""
    raw = [number.to_bytes(n_bytes, order) for order in ("big", "little")]
    texts = [str(number), f"{number:x}", f"{number:X}", f"{number:0{2 * n_bytes}x}"]
    codes = (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode)
    for one in raw:
        texts += [one.hex(), *(code(one).decode() for code in codes)]
    return [text.rstrip("=").encode() for text in texts] + raw


def pieces_of(folder):
    """Yield (where, bytes) of names, times, contents and archives in a folder."""
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.stat()
        times = (status.st_mtime_ns, status.st_mtime)
        yield f"{path.name}: name", path.name.encode()
        yield f"{path.name}: time", " ".join(map(str, times)).encode()
        if path.is_file():
            yield path.name, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield f"{path.name}: comment", archive.comment
                    for member in archive.infolist():
                        yield f"{path.name}: {member.filename}", archive.read(member)
                        yield f"{path.name}: member", member.filename.encode()


def search(folder, secrets):
    """Return where one of the secrets is written, whatever the form."""
    wanted = [form for number, size in secrets for form in forms_of(number, size)]
    return [
        where
        for where, content in pieces_of(folder)
        for form in wanted
        if form in content or form.lower() in content.lower()
    ]


@pytest.fixture(scope="module")
def secrets(sealed):
    """Return seed and salt with their sizes in bytes."""
    secret = json.loads(sealed.key.read_text())
    return (int(secret["seed"], 16), 16), (int(secret["salt"], 16), 32)


def test_neither_seed_nor_salt_is_in_any_file_name_time_or_archive(sealed, secrets):
    (seed, _), (salt, _) = secrets
    assert seed == SEED
    assert salt.bit_length() > 128
    assert search(sealed.key.parents[1] / "class", secrets) == []
    assert search(sealed.key.parent, secrets) != []


@pytest.mark.parametrize("form", range(len(forms_of(SEED, 16))))
def test_the_searcher_finds_what_is_there(form, tmp_path):
    """A search that finds nothing anywhere would prove nothing."""
    text = forms_of(SEED, 16)[form]
    (tmp_path / "data.bin").write_bytes(b"before " + text + b" after")
    assert search(tmp_path, [(SEED, 16)])


def test_the_searcher_looks_at_names_and_into_archives(tmp_path):
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / f"x{SEED:x}.txt").touch()
    assert search(tmp_path / "names", [(SEED, 16)])
    (tmp_path / "zip").mkdir()
    with zipfile.ZipFile(tmp_path / "zip" / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.txt", "a " * 500 + str(SEED))
    assert search(tmp_path / "zip", [(SEED, 16)])


def test_files_have_one_fixed_time_and_hold_no_column_of_the_truth(class_folder):
    paths = [class_folder, *class_folder.iterdir()]
    assert {path.stat().st_mtime_ns for path in paths} == {946_684_800 * 10**9}
    for path in class_folder.glob("*.csv"):
        heads = set(pd.read_csv(path, nrows=0).columns)
        assert not heads & {"typology", "evaded_revenue", "true_value", "actor_id"}
        assert ("illicit" in heads) == (path.name == "results.csv")


def test_no_result_is_of_an_item_of_a_round(class_folder, truth):
    results = pd.read_csv(class_folder / "results.csv")
    rounds = set(truth["declaration_id"])
    assert len(rounds) > 100
    assert not rounds & set(results["declaration_id"])


# ------------------------------------------------------------------ what can be guessed


def key_of(seed):
    """Return the key under which a world of a seed shuffles its importers."""
    entropy = np.random.SeedSequence([seed, *b"names of I"])
    return int(entropy.generate_state(1, np.uint64)[0])


def numbers_of(names, keys):
    """Return the numbers of importers (columns) under each of some keys (rows)."""
    half, mask = np.uint64(_BITS // 2), np.uint64((1 << _BITS // 2) - 1)
    shown = np.array([int(name[1:]) for name in names], np.uint64) - np.uint64(_LOW)
    left, right = shown[None, :] >> half, shown[None, :] & mask
    with np.errstate(over="ignore"):
        for turn in reversed(range(_ROUNDS)):
            step = np.asarray(keys, np.uint64)[:, None] + np.uint64(turn + 1) * GOLDEN
            left, right = right ^ (scramble(left + step) & mask), left
    return (left << half) | right


def possible_seeds(seeds, names):
    """Return the seeds whose worlds can hold importers of these names.

    Every importer has a small number. Names that decode to large ones are those of
    another world, whatever its size and scenario, so nothing has to be regenerated.
    """
    seeds = list(seeds)
    small = numbers_of(names, [key_of(seed) for seed in seeds]) < _MOST_TRADERS
    return [seed for seed, each in zip(seeds, small, strict=True) if each.all()]


@pytest.fixture(scope="module")
def importers(class_folder):
    """Return names of importers that the class reads."""
    items = pd.read_csv(class_folder / "declarations.csv", dtype="str")
    return items["importer_id"].dropna().unique()[:8]


def seeds_of_docs(root):
    """Return every seed that a page, an example or a docstring names."""
    files = [*root.glob("docs/**/*.md"), *root.glob("examples/*.py")]
    files += [root / "README.md", *root.glob("smartrisk/**/*.py")]
    pattern = re.compile(r"(?:random_state|seed)\s*=\s*(\d[\d_]*)", re.IGNORECASE)
    texts = (file.read_text("utf-8") for file in files)
    return {int(found) for text in texts for found in pattern.findall(text)}


def test_names_decode_under_the_seed_of_their_world_alone():
    """What the sweep tests is necessary, for every size and scenario."""
    for seed, scenario in ((0, "national"), (7, "small"), (2**127 + 1, "parcels")):
        world = make_declarations(600, random_state=seed, scenario=scenario)
        names = world.declarations["importer_id"].unique()[:8]
        assert possible_seeds([seed, seed + 1, seed + 2], names) == [seed]


def test_no_seed_up_to_100_000_and_none_of_the_docs_makes_the_world(importers, root):
    from_docs = seeds_of_docs(root)
    assert {0, 1, 7} <= from_docs
    tried = {SEED, *range(100_001), *from_docs}
    assert possible_seeds(tried, importers) == [SEED]


def test_the_world_depends_on_every_bit_of_the_seed(importers):
    flipped = [SEED ^ 1 << bit for bit in range(128)]
    assert possible_seeds([*flipped, SEED], importers) == [SEED]
    world = make_declarations(500, random_state=SEED)
    for bit in (0, 63, 64, 127):
        other = make_declarations(500, random_state=SEED ^ 1 << bit)
        for column in ("importer_id", "customs_value", "lodged_at"):
            shared = world.declarations[column].isin(other.declarations[column])
            assert shared.mean() < 0.2
        assert not other.truth["illicit"].equals(world.truth["illicit"])


def test_the_truth_without_the_salt_does_not_give_the_digest(sealed):
    truth = sealed.key.with_name("competition-truth.csv").read_bytes()
    guesses = [b"", b"\0" * 16, b"\0" * 32, b"salt", f"{SEED:x}".encode()]
    guesses += [SEED.to_bytes(16, "big"), SEED.to_bytes(16, "little")]
    digests = {hashlib.sha256(truth + guess).hexdigest() for guess in guesses}
    digests |= {hashlib.sha256(guess + truth).hexdigest() for guess in guesses}
    assert sealed.commitment not in digests


def test_the_same_seed_has_another_salt_every_time(sealed, tmp_path):
    again = Competition.open(
        tmp_path / "class", tmp_path / "trainer", n_items=2_000, capacity=10, seed=SEED
    )
    name = "competition-truth.csv"
    truth = sealed.key.with_name(name).read_bytes()
    assert again.key.with_name(name).read_bytes() == truth
    assert again.commitment != sealed.commitment


@pytest.mark.parametrize("seed", [0, 42, 2**63 - 1, -(2**80), True, 1.5, "12"])
def test_a_seed_of_fewer_than_64_bits_is_refused(seed, tmp_path):
    with pytest.raises(ArgumentError, match="at least 64 bits") as caught:
        Competition.open(tmp_path / "class", tmp_path / "trainer", seed=seed)
    assert caught.value.message_id == "workshop.seed_too_small"
    assert os.listdir(tmp_path) == []


def test_a_drawn_seed_has_128_bits_and_is_another_each_time(tmp_path):
    seeds = set()
    for name in ("a", "b"):
        made = Competition.open(
            tmp_path / name, tmp_path / f"own-{name}", n_items=600, capacity=5
        )
        seeds.add(int(json.loads(made.key.read_text())["seed"], 16))
    assert len(seeds) == 2
    assert {seed.bit_length() for seed in seeds} == {128}
