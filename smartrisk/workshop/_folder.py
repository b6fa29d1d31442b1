"""The folder of a class: notebooks, pages and data, made on the spot."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from smartrisk.errors import ArgumentError
from smartrisk.languages import LANGUAGES, glossary, language_of
from smartrisk.pages import Handout
from smartrisk.spreadsheets import write_table
from smartrisk.workshop._class_export import SAMPLE_FILE, write_class_export
from smartrisk.workshop._export import EXPORT_FILE, write_export
from smartrisk.workshop._lab import CLASS_FILE, Lab, Seat, read_seat
from smartrisk.workshop._notebooks import name_file, write_notebook
from smartrisk.workshop._sources import list_labs, list_sources, read_source

#: Bits of the seed of a class that nobody chose: learners do not guess each other's.
_SEED_BITS = 62
#: Pages of a class and of its trainer, by the name of their source.
_CLASS_PAGES = {
    "start": "START.html",
    "cheat-sheet": "cheat-sheet.html",
    "quiz": "quiz.html",
    "feedback": "feedback.html",
}
_TRAINER_PAGES = {
    "trainer": "guide.html",
    "plans": "plans.html",
    "slides": "slides.html",
    "quiz-answers": "quiz-answers.html",
    "certificate": "certificate.html",
}
#: Layout of the pages that are more than a text.
_LAYOUTS = {
    "cheat-sheet": "sheet",
    "quiz": "form",
    "feedback": "form",
    "certificate": "certificate",
    "slides": "slides",
}

#: A file that is made: its path in the folder, and what writes it there.
_Made = tuple[str, Callable[[Path], object]]


def write(
    folder: str | Path,
    *,
    lang: str | None = None,
    seed: int | None = None,
    seat: int | None = None,
    trainer: bool = False,
    refresh: bool = False,
) -> list[Path]:
    """Write the folder of a class: labs, pages and the data of one seat.

    Parameters
    ----------
    folder : str or Path
        A new or an empty folder.
    lang : str, default=None
        Language of notebooks and pages, one of `smartrisk.languages.LOCALES`; None for
        English.
    seed : int, default=None
        Seed of the class, the same for all its seats; None draws one.
    seat : int, default=None
        Number of the seat; None for 0. Each seat has a world, and right answers, of its
        own.
    trainer : bool, default=False
        Whether to write ``trainer/`` too: answers, guide, plans and slides.
    refresh : bool, default=False
        Whether to add what is missing to a folder that holds a class. Its seed, seat
        and language stay, and no file that exists is touched.

    Returns
    -------
    files : list of Path
        What was written.

    Raises
    ------
    ArgumentError
        If the folder holds anything and `refresh` is False; if `refresh` is True, and
        it holds no class, or one of another seed, seat or language; if an argument is
        outside what is allowed.
    MissingExtraError
        If the extra ``workshop`` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = sr.workshop.write(folder, lang="fr", seed=7, seat=3)
    ...     names = {file.name for file in files}
    >>> {"START.html", "glossary.html", "class.json"} <= names
    True
    """
    place = Path(folder)
    if refresh:
        own = _find_seat(place, {"seed": seed, "seat": seat, "lang": lang})
        return _write_missing(place, own, trainer)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ArgumentError(
            "workshop.folder_in_use",
            "{folder!r} is not empty, and a learner's work is never overwritten. Give "
            "another folder, or add what is missing with 'refresh' (--refresh).",
            folder=str(place),
        )
    drawn = secrets.randbits(_SEED_BITS) if seed is None else seed
    own = Seat(seed=drawn, seat=seat or 0, lang=lang or "en")
    return _write_new(place, own, trainer)


def _find_seat(place: Path, given: Mapping[str, object]) -> Seat:
    """Return the seat of a folder that is refreshed; it must be the one given."""
    if not (place / CLASS_FILE).is_file():
        raise ArgumentError(
            "workshop.nothing_to_refresh",
            "{folder!r} holds no class. Leave out 'refresh' to write one.",
            folder=str(place),
        )
    seat = read_seat(place)
    for name, value in given.items():
        if value is not None and value != getattr(seat, name):
            raise ArgumentError(
                "workshop.another_class",
                "{folder!r} holds a class whose {name} is {there!r}, not {value!r}. "
                "Leave it out, or write another folder.",
                folder=str(place),
                name=name,
                there=getattr(seat, name),
                value=value,
            )
    return seat


def _write_missing(place: Path, seat: Seat, trainer: bool) -> list[Path]:
    """Write every file that is not there; return these."""
    written = []
    for name, make in _list_files(seat, trainer):
        path = place / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)
            written.append(path)
    return written


def _write_new(place: Path, seat: Seat, trainer: bool) -> list[Path]:
    """Write a folder beside its place and move it there: it appears whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".class-") as draft:
        whole = Path(draft) / "class"
        files = _write_missing(whole, seat, trainer)
        if place.exists():
            place.rmdir()
        whole.rename(place)
    return [place / file.relative_to(whole) for file in files]


def _list_files(seat: Seat, trainer: bool) -> Iterator[_Made]:
    """Yield every file of a class; the one that says whose it is comes first."""
    lang, lab = seat.lang, Lab(1, seat)
    yield CLASS_FILE, lambda path: seat.write(path.parent)
    for name in list_labs():
        yield name_file(name, lang), partial(_write_lab, name, lang, False)
    yield "glossary.html", lambda path: _glossary(lang).save(path, lang=lang)
    yield from _list_pages(lang, _CLASS_PAGES, "")
    for file, table in (
        ("declarations", "past"),
        ("results", "known"),
        ("today", "new"),
    ):
        yield f"data/{file}.csv", partial(_write_data, lab, table)
    yield f"data/{EXPORT_FILE}", partial(write_export, lab)
    yield f"data/{SAMPLE_FILE}", partial(write_class_export, lab)
    if trainer:
        for name in list_labs():
            file = f"trainer/answers/{name_file(name, lang)}"
            yield file, partial(_write_lab, name, lang, True)
        yield from _list_pages(lang, _TRAINER_PAGES, "trainer/")


def _list_pages(lang: str, pages: Mapping[str, str], folder: str) -> Iterator[_Made]:
    """Yield the pages whose sources there are."""
    for name, file in pages.items():
        if name in list_sources():
            yield f"{folder}{file}", partial(_write_page, name, lang)


def _write_lab(name: str, lang: str, solved: bool, path: Path) -> None:
    """Write a lab as a notebook."""
    write_notebook(name, path.parent, lang, solved=solved)


def _write_page(name: str, lang: str, path: Path) -> None:
    """Write a source as a page."""
    make_handout(name, lang).save(path, lang=lang)


def _write_data(lab: Lab, table: str, path: Path) -> None:
    """Write a table of a lab as a file that the spreadsheets of its language open."""
    write_table(getattr(lab, table), path, "workshop.write", lang=lab.lang)


def make_handout(name: str, lang: str) -> Handout:
    """Return a source as a page in a language."""
    source = read_source(name, lang)
    text = source.cells[0].text.partition("\n")[2]
    return Handout(
        title=source.title,
        kind="smartrisk workshop",
        text=text,
        layout=_LAYOUTS.get(name, "text"),
    )


def _glossary(lang: str) -> Handout:
    """Return the terms in three languages, each with its sentence in this one."""
    names = {each: {t.id: t for t in glossary(each)} for each in LANGUAGES}
    own = names[language_of(lang)]
    rows = [
        "| "
        + " | ".join(
            [
                *(names[each][term.id].name for each in LANGUAGES),
                term.meaning,
                term.used,
            ]
        )
        + " |"
        for term in own.values()
    ]
    source = read_source("glossary", lang)
    head, rule = source.cells[0].text.splitlines()[-2:]
    return Handout(
        title=source.title,
        kind="smartrisk workshop",
        text="\n".join([head, rule, *rows]),
    )
