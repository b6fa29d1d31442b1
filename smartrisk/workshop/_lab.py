"""A lab as the learner's notebook sees it: a world of its own, cut at a day.

Everything is made from the seed of the class and the number of the seat, so a task is
judged by what this learner's own data say.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, check_choice, check_number
from smartrisk.languages import LOCALES
from smartrisk.schema import KEY
from smartrisk.workshop._books import Books, close_books
from smartrisk.workshop._case import choose_case
from smartrisk.workshop._class_export import SAMPLE_FILE, write_class_export
from smartrisk.workshop._export import EXPORT_FILE, write_export
from smartrisk.workshop._hit import Hit, find_hit
from smartrisk.workshop._later import Later, make_later
from smartrisk.workshop._leaky_table import make_leaky_table
from smartrisk.workshop._record import Record, make_record
from smartrisk.workshop._roster import Roster, make_roster
from smartrisk.workshop._trader import choose_item
from smartrisk.worlds import SCENARIOS, Scenario, World, make_declarations

#: The file that says which class and which seat a folder belongs to.
CLASS_FILE = "class.json"
#: Items of a learner's world: fitted in 4 CPU seconds on the slowest machine measured.
N_ITEMS = 20_000
#: Share of the items, by day of lodgement, that the engine learns from.
_PAST_SHARE = 0.75
#: Ten labs, and one with the export of the class.
N_LABS = 11
#: Items that the customs house of the labs can control: one in twenty.
CAPACITY = 0.05


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Whose folder this is: class, seat and language.

    Parameters
    ----------
    seed : int
        Seed of the class.
    seat : int, default=0
        Number of the seat; each has a world of its own.
    lang : str, default="en"
        One of `smartrisk.languages.LOCALES`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> seats = [sr.workshop.Seat(seed=7, seat=number) for number in (1, 2)]
    >>> seats[0].derive("world") == seats[1].derive("world")
    False
    """

    seed: int
    seat: int = 0
    lang: str = "en"

    def __post_init__(self) -> None:
        check_number("Seat", "seed", self.seed, low=0, integer=True)
        check_number("Seat", "seat", self.seat, low=0, integer=True)
        check_choice("Seat", "lang", self.lang, LOCALES)

    def derive(self, purpose: str) -> int:
        """Return the seed of one purpose: 63 bits of a digest of seed, seat and it."""
        text = f"{self.seed}/{self.seat}/{purpose}"
        digest = hashlib.sha256(text.encode()).digest()
        return int.from_bytes(digest[:8]) >> 1

    def write(self, folder: Path) -> Path:
        """Write the file that says whose folder it is."""
        path = folder / CLASS_FILE
        content = {"seed": self.seed, "seat": self.seat, "lang": self.lang}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path


def find_class(start: Path | None = None) -> Path:
    """Return the folder of the class: this one, or the first above it that is one."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / CLASS_FILE).is_file():
            return folder
    raise ArgumentError(
        "workshop.no_class",
        "no {file!r} in {folder!r} or above it. Open the notebook in the folder that "
        "'smartrisk workshop' wrote, or write one with it.",
        file=CLASS_FILE,
        folder=str(here),
    )


def read_seat(folder: Path) -> Seat:
    """Return whose folder this is."""
    path = folder / CLASS_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Seat(**{name: content[name] for name in ("seed", "seat", "lang")})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArgumentError(
            "workshop.damaged_class",
            "{path!r} cannot be read ({problem}). Write the class again in another "
            "folder, and copy your notebooks there.",
            path=str(path),
            problem=f"{type(error).__name__}: {error}",
        ) from error


class Lab:
    """One of the labs: its data, as of the day on which the learner stands.

    Use `open_lab`. The world is made when it is first asked for, from the seed of the
    class and the number of the seat.

    Parameters
    ----------
    number : int
        Number of the lab, from 1.
    seat : Seat
        Whose lab it is.
    folder : Path or None, default=None
        Folder of the class; None for a lab without files, whose progress is not kept.

    Attributes
    ----------
    world : World
        The declarations of two years with their truth.
    day : Timestamp
        Today: the first day that the engine has not seen.
    past, new : DataFrame
        DECLARATIONS lodged before that day, and from it on.
    known : DataFrame
        OUTCOMES that were known before that day.
    engine : RiskEngine
        An engine fitted on `past` and `known`.
    books : Books
        Items, decisions and results of a period whose results have arrived.
    later : Later
        Two years of another customs house, in which the trade changes.
    record : Record
        A month of decisions in a ledger, and an item whose importer asks why.
    inspected : DataFrame
        Past items with a known result, and columns of which some leak.
    capacity : int
        How many of the new items the customs house can control.
    roster : Roster
        How many controls the week allows, in all and by office, and the court order.
    case : DataFrame of one row
        One of the new items that the engine would select: the lab on reasons.
    item : Series
        A past item whose importer has a history: some of its results came late.

    Examples
    --------
    >>> from smartrisk.workshop import Lab, Seat
    >>> lab = Lab(4, Seat(seed=7, seat=3))
    >>> lab
    Lab(4, seat=3, lang='en')
    """

    def __init__(self, number: int, seat: Seat, *, folder: Path | None = None) -> None:
        check_number("Lab", "number", number, low=1, high=N_LABS)
        self.number = number
        self.seat = seat
        self.folder = folder

    def __repr__(self) -> str:
        """Return number, seat and language."""
        seat, lang = self.seat.seat, self.seat.lang
        return f"Lab({self.number}, seat={seat}, lang={lang!r})"

    @property
    def lang(self) -> str:
        """The language of the class."""
        return self.seat.lang

    @cached_property
    def world(self) -> World:
        """The world of this seat."""
        return _make_world(self.seat)

    @cached_property
    def day(self) -> pd.Timestamp:
        """Today: the first day that the engine has not seen."""
        lodged = self.world.declarations["lodged_at"]
        return pd.Timestamp(str(lodged.quantile(_PAST_SHARE))).normalize()

    @cached_property
    def past(self) -> pd.DataFrame:
        """Declarations lodged before today."""
        items = self.world.declarations
        return items[items["lodged_at"] < self.day]

    @cached_property
    def new(self) -> pd.DataFrame:
        """Declarations lodged from today on."""
        items = self.world.declarations
        return items[items["lodged_at"] >= self.day]

    @cached_property
    def known(self) -> pd.DataFrame:
        """Results of controls that were known before today."""
        outcomes = self.world.outcomes
        return outcomes[outcomes["known_at"] < self.day]

    @cached_property
    def engine(self) -> RiskEngine:
        """The engine of this seat, fitted on what was known before today."""
        return _fit_engine(self.seat)

    @cached_property
    def books(self) -> Books:
        """The closed books: items of a period, decisions and results, all arrived."""
        return close_books(self.world)

    @cached_property
    def later(self) -> Later:
        """Two years of another customs house, in which the trade changes."""
        return _make_later(self.seat)

    @cached_property
    def record(self) -> Record:
        """A month of decisions in a ledger, the same one for as long as you work."""
        return _make_record(self.seat)

    @cached_property
    def capacity(self) -> int:
        """How many of the new items the customs house can control."""
        return round(CAPACITY * len(self.new))

    @cached_property
    def case(self) -> pd.DataFrame:
        """One of the new items that the engine would select, as a table of one row."""
        return choose_case(self.engine, self.past, self.new, self.capacity)

    @cached_property
    def item(self) -> pd.Series:
        """A past item whose importer has a history: some of its results came late."""
        return choose_item(self)

    @cached_property
    def roster(self) -> Roster:
        """What the officers of this week can control, and what they must."""
        return make_roster(self.new, self.seat.derive("roster"))

    def draw(self) -> pd.DataFrame:
        """Return new items drawn by lots, as many as the capacity.

        Returns
        -------
        items : DataFrame
            DECLARATIONS; the same draw for this seat every time.

        Examples
        --------
        >>> import smartrisk as sr
        >>> lab = sr.workshop.Lab(4, sr.workshop.Seat(seed=7))
        >>> len(lab.draw()) == lab.capacity
        True
        """
        return self.new.sample(
            self.capacity, random_state=self.seat.derive("draw") % 2**32
        )

    def find_hit(self) -> Hit:
        """Return an item whose control found something, with three reasons.

        Returns
        -------
        hit : Hit
            Of the new items that a control found irregular, and of no small amount, the
            one with the highest risk.

        Examples
        --------
        >>> import smartrisk as sr
        >>> hit = sr.workshop.Lab(1, sr.workshop.Seat(seed=7)).find_hit()
        >>> int(hit.result["illicit"])
        1
        """
        return find_hit(self)

    def find_export(self) -> Path:
        """Return the file that the clearance system of this seat exported.

        Returns
        -------
        path : Path
            ``data/export.csv`` of the class, made again where it is missing; without a
            class, a temporary file that holds the same.

        Examples
        --------
        >>> import smartrisk as sr
        >>> lab = sr.workshop.Lab(1, sr.workshop.Seat(seed=7))
        >>> lab.find_export().name
        'export.csv'
        """
        path = (self.folder or self._temporary) / "data" / EXPORT_FILE
        return path if path.is_file() else write_export(self, path)

    def find_class_export(self) -> Path:
        """Return the sample of an export with columns as another system names them.

        Returns
        -------
        path : Path
            ``data/class-export.csv`` of the class, made again where it is missing;
            without a class, a temporary file that holds the same.

        Examples
        --------
        >>> import smartrisk as sr
        >>> lab = sr.workshop.Lab(11, sr.workshop.Seat(seed=7, lang="fr"))
        >>> export = sr.intake.read_table(lab.find_class_export())
        >>> list(export.columns[:3])
        ['NO_DECL', 'ART', 'DATE_ENREG']
        """
        path = (self.folder or self._temporary) / "data" / SAMPLE_FILE
        return path if path.is_file() else write_class_export(self, path)

    @cached_property
    def inspected(self) -> pd.DataFrame:
        """Past items with a known result: eight columns, three of which leak."""
        table = self.make_table(self.past, self.known)
        keys = list(KEY)
        whole = pd.concat([self.past[keys], table], axis=1)
        return whole.merge(self.known[[*keys, "illicit"]], on=keys)

    def make_table(
        self, declarations: pd.DataFrame, outcomes: pd.DataFrame
    ) -> pd.DataFrame:
        """Return the columns of `inspected` for each item, as a colleague made them.

        Parameters
        ----------
        declarations : DataFrame
            DECLARATIONS.
        outcomes : DataFrame
            OUTCOMES with ``known_at``.

        Returns
        -------
        table : DataFrame
            A row for each of the declarations.

        Examples
        --------
        >>> import smartrisk as sr
        >>> lab = sr.workshop.Lab(3, sr.workshop.Seat(seed=7))
        >>> lab.make_table(lab.past, lab.known).shape[1]
        8
        """
        return make_leaky_table(declarations, outcomes)

    @cached_property
    def _temporary(self) -> Path:
        """A folder that is deleted with the lab."""
        folder = tempfile.mkdtemp(prefix="lab-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


def make_scenario() -> Scenario:
    """Return the world of the labs: the national one."""
    return SCENARIOS["national"]


@cache
def _make_world(seat: Seat) -> World:
    """Return the world of a seat."""
    return make_declarations(
        N_ITEMS, scenario=make_scenario(), random_state=seat.derive("world")
    )


@cache
def _fit_engine(seat: Seat) -> RiskEngine:
    """Return the engine of a seat; it is shared by the labs of a process."""
    lab = Lab(1, seat)
    engine = RiskEngine(random_state=seat.derive("engine") % 2**31)
    return engine.fit(lab.past, lab.known)


@cache
def _make_later(seat: Seat) -> Later:
    """Return the changing world of a seat, with its engines."""
    return make_later(seat.derive("later"))


@cache
def _make_record(seat: Seat) -> Record:
    """Return the ledger of a seat."""
    lab = Lab(10, seat)
    return make_record(lab.engine, lab.new, capacity=40)


def open_lab(number: int, *, folder: str | Path | None = None) -> Lab:
    """Return a lab of the class in whose folder you are.

    Parameters
    ----------
    number : int
        Number of the lab, from 1.
    folder : str or Path, default=None
        Folder of the class, or one within it; None for the current one.

    Returns
    -------
    lab : Lab
        Its world, as of the day on which you stand.

    Raises
    ------
    ArgumentError
        If there is no class in the folder or above it, its file is damaged, or there is
        no lab of this number.

    Examples
    --------
    >>> import smartrisk as sr, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sr.workshop.Seat(seed=7, seat=3, lang="fr").write(Path(folder))
    ...     lab = sr.workshop.open_lab(1, folder=folder)
    >>> lab
    Lab(1, seat=3, lang='fr')
    """
    place = find_class(None if folder is None else Path(folder))
    return Lab(number, read_seat(place), folder=place)
