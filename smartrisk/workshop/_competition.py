"""The sealed competition: made from a secret seed, scored, and opened at the end."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import pandas as pd

from smartrisk import __version__
from smartrisk.artefact import write_file
from smartrisk.errors import ArgumentError, ArtefactError, Message, check_choice
from smartrisk.languages import LANGUAGES
from smartrisk.pages import LeaderBoard
from smartrisk.workshop._class_files import write_class_files
from smartrisk.workshop._rounds import (
    TRUTH,
    Rounds,
    Terms,
    list_places,
    make_rounds,
    play_references,
    read_places,
)
from smartrisk.workshop._standings import Standings, make_standings
from smartrisk.workshop._submissions import Submission, choices_of, read_submissions

Place = str | os.PathLike[str]
#: Bits of a seed that is drawn, of the salt, and of the smallest seed given by hand.
_SEED_BITS, _SALT_BYTES, _LEAST_BITS = 128, 32, 64
_FORMAT = "smartrisk competition 1"
KEY_FILE = "competition.key"
TRUTH_FILE = "competition-truth.csv"
OPENING_FILE = "opening.json"
#: Folder beside the key for what was handed in.
VERSIONS = "versions"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Competition:
    """A competition in three rounds whose truth is sealed until it is opened.

    Use `open` or `from_key`. All rounds have the same capacity. In the first nothing
    changes; the second begins with a new duty and a wave of short-lived importers; the
    third with traders that react to the findings against them.

    Parameters
    ----------
    commitment : str
        SHA-256 of the truth followed by the salt, in hexadecimal digits. Show it to
        the class before the first round.
    terms : Terms
        Items, capacity of a round, cost of a control.
    key : Path
        The sealed file.
    _secret : mapping
        Its content.

    Notes
    -----
    The seed has 128 bits, and every draw of the world depends on all of them. Who has
    the declarations and the results, but neither seed nor salt, cannot compute the
    truth by trying seeds, nor check a guess of the truth against the commitment, as the
    salt has 256 bits. The generator of random numbers is numpy's, which is no cipher:
    the seal is for a class, not for a state secret.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> with tempfile.TemporaryDirectory() as place:
    ...     made = sr.workshop.Competition.open(
    ...         f"{place}/class", f"{place}/trainer", n_items=1_500, capacity=5
    ...     )
    >>> len(made.commitment), made
    (64, Competition(3 rounds, capacity=5, sealed))
    """

    commitment: str
    terms: Terms
    key: Path
    _secret: Mapping[str, Any]

    def __repr__(self) -> str:
        """Return what everybody may know."""
        return f"Competition(3 rounds, capacity={self.terms.capacity}, sealed)"

    @classmethod
    def open(
        cls,
        class_folder: Place,
        trainer_folder: Place,
        *,
        seed: int | None = None,
        n_items: int = 24_000,
        capacity: int = 50,
        cost: float = 400.0,
        lang: str = "en",
    ) -> Self:
        """Make a competition: what the class gets, and what the trainer keeps.

        Parameters
        ----------
        class_folder : path
            Folder of the class. Its ``competition`` gets declarations and results of a
            year, the items of three rounds, and a page of rules.
        trainer_folder : path
            Folder of the trainer, outside that of the class. It gets the key and the
            truth.
        seed : int, default=None
            Seed of the world, of 64 bits or more; None to draw one of 128 bits.
        n_items : int, default=24_000
            Items of the whole world; a round has about a twentieth of them.
        capacity : int, default=50
            Items that a team may choose in a round.
        cost : float, default=400.0
            Cost of a control, in the currency of the declarations.
        lang : str, default="en"
            Language of the rules: "en", "fr" or "es".

        Returns
        -------
        competition : Competition
            Sealed.

        Raises
        ------
        ArgumentError
            If the seed has fewer than 64 bits, the capacity is above the items of a
            round, a competition is in one of the folders, or the trainer's folder is in
            that of the class.
        """
        check_choice("Competition.open", "lang", lang, LANGUAGES)
        secret_seed = _check_seed(seed)
        theirs, own = Path(class_folder) / "competition", Path(trainer_folder)
        _check_folders(Path(class_folder), theirs, own)
        terms = Terms(n_items=n_items, capacity=capacity, cost=cost)
        rounds = make_rounds("Competition.open", secret_seed, terms)
        salt = secrets.token_bytes(_SALT_BYTES)
        truth = write_truth(rounds.truth)
        commitment = make_commitment(truth, salt)
        secret = {
            "format": _FORMAT,
            "version": __version__,
            "commitment": commitment,
            "seed": f"{secret_seed:x}",
            "salt": salt.hex(),
            "n_items": int(n_items),
            "capacity": int(capacity),
            "cost": float(cost),
            "reference": list_places(play_references(rounds)),
        }
        write_file(own / TRUTH_FILE, lambda draft: draft.write_bytes(truth))
        text = json.dumps(secret)
        key = write_file(own / KEY_FILE, lambda draft: draft.write_text(text, "utf-8"))
        write_class_files(theirs, rounds, commitment, lang)
        return cls(commitment=commitment, terms=terms, key=key, _secret=secret)

    @classmethod
    def from_key(cls, key: Place) -> Self:
        """Return the competition of a key that `open` wrote.

        Parameters
        ----------
        key : path
            The sealed file, or the trainer's folder that holds it.

        Returns
        -------
        competition : Competition
            Ready to be scored or opened.

        Raises
        ------
        ArtefactError
            If the file is no key, or its truth is not the one that was sealed.
        """
        path = Path(key)
        path = path / KEY_FILE if path.is_dir() else path
        secret = _read_key(path)
        terms = Terms(
            n_items=secret["n_items"],
            capacity=secret["capacity"],
            cost=secret["cost"],
        )
        made = cls(
            commitment=secret["commitment"], terms=terms, key=path, _secret=secret
        )
        made._read_truth()
        return made

    def score(self, submissions: Place) -> Scores:
        """Judge what the teams handed in by the truth.

        A file is called ``TEAM_round1.csv``, or is in a folder of the team and called
        ``round1.csv``; later versions end in ``_v2``. It has the columns
        `declaration_id` and `item_number`. A folder that `RiskEngine.save` wrote
        selects in every round for which the team has no file. Every file is kept in
        ``versions`` beside the key, so that one which a team overwrites is not lost.

        Parameters
        ----------
        submissions : path
            Folder with the files of all teams.

        Returns
        -------
        scores : Scores
            Standings, and every file with what is wrong with it. The last version
            without a problem counts; a round without one has no controls.

        Raises
        ------
        ArgumentError
            If there is no such folder.
        ArtefactError
            If this version of the library makes another world of the seed.
        """
        rounds = self._make_rounds()
        files = read_submissions(Path(submissions), self.terms, rounds.items)
        self._keep(Path(submissions), files)
        sizes = [len(part) for part in rounds.items]
        reference = read_places(self._secret["reference"], rounds.truth)
        standings = make_standings(
            self.terms, rounds.truth, choices_of(files, sizes), reference
        )
        return Scores(
            standings=standings,
            commitment=self.commitment,
            terms=self.terms,
            _files=tuple(files),
        )

    def reveal(self, folder: Place) -> Path:
        """Open the seal: write truth, salt and seed for the class to verify.

        Parameters
        ----------
        folder : path
            Where to write ``competition-truth.csv`` and ``opening.json``.

        Returns
        -------
        folder : Path
            The folder; `verify_opening` checks it against the commitment.
        """
        place, truth = Path(folder), self._read_truth()
        names = ("commitment", "salt", "seed", "n_items", "version")
        text = json.dumps({name: self._secret[name] for name in names}, indent=1)
        write_file(place / TRUTH_FILE, lambda draft: draft.write_bytes(truth))
        write_file(place / OPENING_FILE, lambda draft: draft.write_text(text, "utf-8"))
        return place

    def _keep(self, folder: Path, files: Sequence[Submission]) -> None:
        """Copy files that were handed in beside the key, each content once."""
        kept = self.key.with_name(VERSIONS)
        for one in files:
            source = folder / one.path
            place = (kept / one.path).with_name(f"{one.digest}_{source.name}")
            if source.is_file() and not place.exists():
                content = source.read_bytes()
                write_file(place, partial(Path.write_bytes, data=content))

    def _read_truth(self) -> bytes:
        """Return the truth; raise unless it is the one that was sealed."""
        path = self.key.with_name(TRUTH_FILE)
        try:
            truth = path.read_bytes()
        except OSError as error:
            raise ArtefactError(
                "workshop.truth_missing",
                "Competition: {path!r} cannot be read. Keep it beside the key; both "
                "were written when the competition was made.",
                path=str(path),
            ) from error
        salt = bytes.fromhex(self._secret["salt"])
        if not hmac.compare_digest(make_commitment(truth, salt), self.commitment):
            raise ArtefactError(
                "workshop.truth_changed",
                "Competition: {path!r} does not fit the key. Restore the file that was "
                "written when the competition was made.",
                path=str(path),
            )
        return truth

    def _make_rounds(self) -> Rounds:
        """Return the rounds; raise unless they are those that were sealed."""
        sealed = self._read_truth()
        seed = int(self._secret["seed"], 16)
        rounds = make_rounds("Competition.score", seed, self.terms)
        if write_truth(rounds.truth) != sealed:
            raise ArtefactError(
                "workshop.other_world",
                "Competition: version {here} of smartrisk makes another world of the "
                "seed than version {there}, which made the competition. Install "
                "version {there}.",
                here=__version__,
                there=self._secret["version"],
            )
        return rounds


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scores:
    """The standings of a competition, and the files that they rest on.

    `Competition.score` returns it.

    Parameters
    ----------
    standings : Standings
        Net benefit, precision, ranks.
    commitment : str
        SHA-256 of the truth and the salt.
    terms : Terms
        Items, capacity of a round, cost of a control.
    _files : tuple
        What was handed in.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import smartrisk as sr
    >>> with tempfile.TemporaryDirectory() as place:
    ...     made = sr.workshop.Competition.open(
    ...         f"{place}/class", f"{place}/trainer", n_items=1_500, capacity=5
    ...     )
    ...     items = pd.read_csv(f"{place}/class/competition/round1_items.csv")
    ...     chosen = items.nlargest(5, "duties_taxes")
    ...     Path(f"{place}/sent").mkdir()
    ...     chosen.to_csv(f"{place}/sent/red_round1.csv", index=False)
    ...     scores = made.score(f"{place}/sent")
    >>> scores
    Scores(1 team, 1 file, 0 with a problem)
    """

    standings: Standings
    commitment: str
    terms: Terms
    _files: tuple[Submission, ...]

    def __repr__(self) -> str:
        """Return the number of teams and files."""
        n_teams = len({one.team for one in self._files if one.team})
        n_files, n_wrong = len(self._files), len(self.problems())
        return (
            f"Scores({n_teams} team{'' if n_teams == 1 else 's'}, "
            f"{n_files} file{'' if n_files == 1 else 's'}, {n_wrong} with a problem)"
        )

    def files(self) -> pd.DataFrame:
        """Return every file that was handed in.

        Returns
        -------
        files : DataFrame
            path, team, round (missing for an engine), version, digest (first digits of
            its SHA-256), counts, problem (a text, empty where there is none).
        """
        rows = [
            {
                "path": one.path,
                "team": one.team,
                "round": one.round,
                "version": one.version,
                "digest": one.digest,
                "counts": one.counts,
                "problem": " ".join(str(problem) for problem in one.problems),
            }
            for one in self._files
        ]
        names = ("path", "team", "round", "version", "digest", "counts", "problem")
        return pd.DataFrame(rows, columns=list(names)).astype({"round": "Int64"})

    def problems(self) -> list[Message]:
        """Return one line for each wrong file.

        Returns
        -------
        problems : list of Message
            Show one with ``str``, or with `smartrisk.languages.render` in French or
            Spanish.
        """
        return [_join(one) for one in self._files if one.problems]

    def page(self) -> LeaderBoard:
        """Return the leader board as a page.

        Returns
        -------
        page : LeaderBoard
            Write it with ``save(path, lang="fr")``.
        """
        return LeaderBoard.from_tables(
            self.standings.frame(),
            self.standings.rounds(),
            files=self.files(),
            problems=self.problems(),
            capacity=self.terms.capacity,
            cost=self.terms.cost,
            commitment=self.commitment,
        )


def verify_opening(folder: Place, commitment: str) -> bool:
    """Return whether a truth that was opened is the one that was sealed.

    Parameters
    ----------
    folder : path
        What `Competition.reveal` wrote.
    commitment : str
        What the class was shown before the first round, from your own notes.

    Returns
    -------
    same : bool
        Whether the SHA-256 of the truth followed by the salt is the commitment.

    Raises
    ------
    ArtefactError
        If the folder lacks a file, or its salt cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> with tempfile.TemporaryDirectory() as place:
    ...     made = sr.workshop.Competition.open(
    ...         f"{place}/class", f"{place}/trainer", n_items=1_500, capacity=5
    ...     )
    ...     opened = made.reveal(f"{place}/opened")
    ...     sr.workshop.verify_opening(opened, made.commitment)
    True
    """
    place = Path(folder)
    try:
        opening = json.loads((place / OPENING_FILE).read_text("utf-8"))
        salt = bytes.fromhex(opening["salt"])
        truth = (place / TRUTH_FILE).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            "workshop.opening_not_read",
            "verify_opening: {folder!r} must hold {truth!r} and {opening!r} with a "
            "salt, as Competition.reveal writes them.",
            folder=str(place),
            truth=TRUTH_FILE,
            opening=OPENING_FILE,
        ) from error
    given = commitment.strip().casefold().encode("utf-8")
    return hmac.compare_digest(make_commitment(truth, salt).encode("ascii"), given)


def make_commitment(truth: bytes, salt: bytes) -> str:
    """Return the SHA-256 of the truth followed by the salt."""
    return hashlib.sha256(truth + salt).hexdigest()


def write_truth(truth: pd.DataFrame) -> bytes:
    """Return the truth as CSV: the same bytes for the same truth on every system."""
    text = io.StringIO()
    truth.to_csv(
        text, columns=list(TRUTH), index=False, float_format="%.2f", lineterminator="\n"
    )
    return text.getvalue().encode("utf-8")


def _check_seed(seed: int | None) -> int:
    """Return the seed, a drawn one for None; raise for one that can be guessed."""
    if seed is None:
        return secrets.randbits(_SEED_BITS) | 1 << _SEED_BITS - 1
    is_whole = isinstance(seed, int) and not isinstance(seed, bool)
    if not is_whole or seed < 0 or seed.bit_length() < _LEAST_BITS:
        raise ArgumentError(
            "workshop.seed_too_small",
            "Competition.open: 'seed' must be a whole number of at least {least} bits, "
            "as a smaller one can be found by trying; the one given has {bits}. Leave "
            "it out, and one of {drawn} bits is drawn.",
            least=_LEAST_BITS,
            bits=seed.bit_length() if is_whole else 0,
            drawn=_SEED_BITS,
        )
    return seed


def _check_folders(whole: Path, theirs: Path, own: Path) -> None:
    """Raise unless both folders are free and the trainer's is not the class's."""
    if own.resolve().is_relative_to(whole.resolve()):
        raise ArgumentError(
            "workshop.key_in_class",
            "Competition.open: the trainer's folder {own!r} lies in that of the class, "
            "{theirs!r}, which everybody reads. Name one outside it.",
            own=str(own),
            theirs=str(whole),
        )
    taken = [p for p in (theirs, own / KEY_FILE, own / TRUTH_FILE) if p.exists()]
    if taken:
        raise ArgumentError(
            "workshop.competition_exists",
            "Competition.open: {taken} exist, and nothing is overwritten. Name other "
            "folders, or move these away.",
            taken=", ".join(repr(str(path)) for path in taken),
        )


def _read_key(path: Path) -> dict[str, Any]:
    """Return the content of a key."""
    try:
        secret = json.loads(path.read_text("utf-8"))
        is_key = isinstance(secret, dict) and secret.get("format") == _FORMAT
    except (OSError, ValueError) as error:
        raise _not_a_key(path) from error
    if not is_key:
        raise _not_a_key(path)
    return dict(secret)


def _not_a_key(path: Path) -> ArtefactError:
    """Return the error of a file that is no key."""
    return ArtefactError(
        "workshop.not_a_key",
        "Competition.from_key: {path!r} is not the key of a competition. It is called "
        "{name!r} and is in the trainer's folder.",
        path=str(path),
        name=KEY_FILE,
    )


def _join(one: Submission) -> Message:
    """Return the problems of a file as one line, each of them translated."""
    line = Message(
        "workshop.file_problems",
        "{path}: {problems}",
        path=one.path,
        problems=" ".join(str(problem) for problem in one.problems),
    )
    named = Message("workshop.file_named", "{path}:", path=one.path)
    line.messages = (named, *one.problems)
    return line
