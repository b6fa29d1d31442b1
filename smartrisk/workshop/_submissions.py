"""What teams hand in: files by name and version, and what is wrong with them."""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import (
    ArgumentError,
    Message,
    SmartRiskError,
    format_values,
)
from smartrisk.explanations import Wording
from smartrisk.languages import LANGUAGES, catalogue
from smartrisk.schema import KEY
from smartrisk.workshop._rounds import (
    N_ROUNDS,
    Bool,
    Terms,
    choose_by_engine,
    key_texts,
)

_log = logging.getLogger("smartrisk")

#: The word for a round in the three languages, then its number, then a version.
_NAME = re.compile(
    r"^(?:(?P<team>.*?)[ _-]*)??(?:round|manche|ronda)[ _-]*(?P<round>\d+)"
    r"(?:[ _-]*v(?P<version>\d+))?$",
    re.IGNORECASE,
)
_ENGINE_NAME = re.compile(
    r"^(?P<team>.+?)(?:[ _-]+(?:engine|moteur|motor))?(?:[ _-]*v(?P<version>\d+))?$",
    re.IGNORECASE,
)
#: Heads of the key on pages and in exported tables.
_HEADS = {"declaration_id": "Declaration", "item_number": "Item"}
#: The file that makes a folder a saved engine.
_MANIFEST = "manifest.json"
#: A selection of a million keys is smaller; a larger file is none.
_MOST_BYTES = 64 << 20
#: Longest name of a team on the board.
_LONGEST_NAME = 40
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Submission:
    """A file or folder that was handed in: whose it is, and what is wrong with it.

    `chosen` has a mask of items for each round that it is for; `counts` is whether
    the score rests on it.
    """

    path: str
    team: str = ""
    round: int | None = None
    version: int = 1
    digest: str = ""
    time: float = 0.0
    problems: tuple[Message, ...] = ()
    chosen: dict[int, Bool] | None = None
    counts: bool = False

    @property
    def order(self) -> tuple[int, float, str]:
        """What orders versions, the last one last."""
        return self.version, self.time, self.path


def read_submissions(
    folder: Path, terms: Terms, items: Sequence[pd.DataFrame]
) -> list[Submission]:
    """Read all that is in a folder; a wrong file has problems and stops no other."""
    if not folder.is_dir():
        raise ArgumentError(
            "workshop.no_submissions",
            "Competition.score: {folder!r} is no folder. Put the files of the teams "
            "into one, such as red_round1.csv, and name it.",
            folder=str(folder),
        )
    found = [_read_one(path, folder, terms, items) for path in _list_paths(folder)]
    names = {one.team.casefold(): one.team for one in reversed(found)}
    found = [replace(one, team=names[one.team.casefold()]) for one in found]
    return _mark_last(found)


def choices_of(
    submissions: Sequence[Submission], sizes: Sequence[int]
) -> dict[str, list[Bool]]:
    """Return what counts, by team and round; nothing is chosen where nothing counts.

    A team without any file that counts is not ranked: it has chosen nothing.
    """
    teams = sorted({one.team for one in submissions if one.team and one.counts})
    chosen = {team: [np.zeros(size, bool) for size in sizes] for team in teams}
    # Selections after engines, so that the file of a round replaces the engine's.
    for one in sorted(submissions, key=lambda one: one.round is not None):
        if one.counts and one.chosen is not None:
            for number, mask in one.chosen.items():
                chosen[one.team][number - 1] = mask
    return chosen


def _list_paths(folder: Path) -> Iterator[Path]:
    """Yield files and saved engines in a folder and in those of the teams."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")):
            continue
        if path.is_dir() and not (path / _MANIFEST).is_file():
            for inner in sorted(path.iterdir()):
                if not inner.name.startswith((".", "~")):
                    yield inner
        else:
            yield path


def _read_one(
    path: Path, folder: Path, terms: Terms, items: Sequence[pd.DataFrame]
) -> Submission:
    """Read a file or folder."""
    owner = "" if path.parent == folder else path.parent.name
    name = path.relative_to(folder).as_posix()
    one = Submission(path=name, team=_clean(owner), time=path.stat().st_mtime)
    if path.is_dir():
        return _read_engine(path, one, terms, items)
    one = replace(one, digest=_digest(path))
    match = _NAME.match(path.stem)
    number = int(match["round"]) if match else 0
    team = _clean(owner or (match["team"] if match and match["team"] else ""))
    if not team or not 1 <= number <= N_ROUNDS:
        problem = Message(
            "workshop.name_without_round",
            "the name must have team and round, such as red_round1.csv, with a round "
            "from 1 to {n_rounds}.",
            n_rounds=N_ROUNDS,
        )
        return replace(one, team=team, problems=(problem,))
    version = int(match["version"] or 1) if match else 1
    one = replace(one, team=team, round=number, version=version)
    if path.suffix.lower() != ".csv":
        return replace(one, problems=(_not_csv(),))
    chosen, problems = _read_selection(path, number, terms, items[number - 1])
    if problems:
        return replace(one, problems=tuple(problems))
    return replace(one, chosen={number: chosen})


def _read_engine(
    path: Path, one: Submission, terms: Terms, items: Sequence[pd.DataFrame]
) -> Submission:
    """Read a saved engine, and let it select in every round."""
    match = _ENGINE_NAME.match(path.name)
    version = int(match["version"] or 1) if match else 1
    team = one.team or _clean(match["team"] if match else path.name)
    one = replace(one, team=team, version=version)
    if not (path / _MANIFEST).is_file():
        problem = Message(
            "workshop.folder_without_engine",
            "the folder holds no saved engine; write one with engine.save(folder).",
        )
        return replace(one, problems=(problem,))
    one = replace(one, digest=_digest(path / _MANIFEST))
    try:
        engine = RiskEngine.load(path)
        chosen = {
            number: choose_by_engine(engine, terms, part)
            for number, part in enumerate(items, start=1)
        }
    except (SmartRiskError, OSError, ValueError, KeyError) as error:
        _log.info("Competition.score: %s: %s", path.name, error)
        problem = Message(
            "workshop.engine_not_read",
            "the engine cannot be read, or not score the items of the rounds; fit and "
            "save it again with the version of smartrisk that the trainer has.",
        )
        return replace(one, problems=(problem,))
    return replace(one, chosen=chosen)


def _read_selection(
    path: Path, number: int, terms: Terms, items: pd.DataFrame
) -> tuple[Bool, list[Message]]:
    """Return which items a file chooses, and what is wrong with it."""
    none = np.zeros(len(items), bool)
    table, problem = _read_table(path)
    if table is None:
        return none, [problem] if problem else []
    keys = table["declaration_id"].str.strip() + "/" + _item_texts(table["item_number"])
    known = key_texts(items)
    problems = find_problems(keys, known, number, terms.capacity)
    return known.isin(keys).to_numpy(bool), problems


def find_problems(
    keys: pd.Series, known: pd.Series, number: int, capacity: int
) -> list[Message]:
    """Return all that is wrong with the keys that are chosen in a round."""
    problems = []
    twice = keys[keys.duplicated()].unique()
    if len(twice):
        problems.append(
            Message(
                "workshop.items_twice",
                "{n} items are chosen twice, such as {items}.",
                n=len(twice),
                items=format_values(twice),
            )
        )
    unknown = keys[~keys.isin(known)].unique()
    if len(unknown):
        problems.append(
            Message(
                "workshop.items_unknown",
                "{n} items are not among those of round {round}, such as {items}.",
                n=len(unknown),
                round=number,
                items=format_values(unknown),
            )
        )
    n_chosen = keys.nunique()
    if n_chosen > capacity:
        problems.append(
            Message(
                "workshop.items_above_capacity",
                "{n} items are chosen; the capacity of a round is {capacity}.",
                n=n_chosen,
                capacity=capacity,
            )
        )
    return problems


def _read_table(path: Path) -> tuple[pd.DataFrame | None, Message | None]:
    """Return the key columns of a file as texts, or what is wrong with it."""
    text = _read_text(path)
    if text is None:
        return None, _not_csv()
    lines = [line for line in text.splitlines() if line.strip(" \t,;\"'")]
    if not lines:
        return None, Message("workshop.file_empty", "the file is empty.")
    marks = {mark: lines[0].count(mark) for mark in ",;\t"}
    mark = max(marks, key=lambda one: marks[one])
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=mark))
    except csv.Error:
        return None, _not_csv()
    heads = [_SPACES.sub(" ", head).strip().casefold() for head in rows[0]]
    places = {name: _find_column(name, heads) for name in KEY}
    missing = [name for name, place in places.items() if place < 0]
    if missing:
        problem = Message(
            "workshop.columns_missing",
            "the columns {missing} are missing; the first line must name them, and "
            "has {heads}.",
            missing=format_values(missing),
            heads=format_values(rows[0]),
        )
        return None, problem
    if len(rows) == 1:
        problem = Message(
            "workshop.no_item_chosen", "the file has its first line and no item."
        )
        return None, problem
    cells = {
        name: [row[place] if place < len(row) else "" for row in rows[1:]]
        for name, place in places.items()
    }
    return pd.DataFrame(cells, dtype="str"), None


def _read_text(path: Path) -> str | None:
    """Return the text of a file in an encoding of spreadsheets; None for no text."""
    if path.stat().st_size > _MOST_BYTES:
        return None
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        is_marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        if (encoding == "utf-16") is not is_marked:
            continue
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _find_column(name: str, heads: Sequence[str]) -> int:
    """Return the place of a field by its name in code or in one of the languages."""
    words = {name, name.replace("_", " ")}
    for lang in LANGUAGES:
        words.add(Wording(lang).field(name).casefold())
        words.add(catalogue("pages", lang).gettext(_HEADS[name]).casefold())
    return next((k for k, head in enumerate(heads) if head in words), -1)


def _item_texts(numbers: pd.Series) -> pd.Series:
    """Return item numbers as texts, however a spreadsheet wrote them."""
    plain = numbers.str.strip().str.replace(r"[.,]0+$", "", regex=True)
    return plain.str.replace(r"^0+(?=\d)", "", regex=True)


def _mark_last(found: Sequence[Submission]) -> list[Submission]:
    """Mark the last version without a problem of each team and round."""
    last: dict[tuple[str, int | None], Submission] = {}
    for one in sorted(found, key=lambda one: one.order):
        if not one.problems and one.chosen is not None:
            last[one.team, one.round] = one
    counted = {id(one) for one in last.values()}
    return [replace(one, counts=id(one) in counted) for one in found]


def _clean(name: str) -> str:
    """Return the name of a team as the board shows it."""
    return _SPACES.sub(" ", name.replace("_", " ")).strip()[:_LONGEST_NAME]


def _digest(path: Path) -> str:
    """Return the first twelve digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _not_csv() -> Message:
    """Return the problem of a file that is no CSV."""
    return Message(
        "workshop.not_csv",
        "the file is not CSV; in a spreadsheet, use “Save as” and the type CSV.",
    )
