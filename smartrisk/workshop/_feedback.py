"""Checks, hints and solutions, as a notebook shows them, and the learner's progress."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.errors import ArgumentError, Message
from smartrisk.languages import N_, catalogue, render
from smartrisk.results import Result, clean_text
from smartrisk.workshop._lab import Lab, find_class, open_lab
from smartrisk.workshop._sources import read_source
from smartrisk.workshop._verdicts import STATUSES, Task, Verdict
from smartrisk.workshop.tasks import find_task, list_tasks

PROGRESS_FILE = "progress.json"
_MISSING: Any = object()
_SIGNS = {"empty": "…", "wrong": "✗", "mistake": "✗", "right": "✓"}
_COLOURS = {
    "empty": "#767676",
    "wrong": "#b3261e",
    "mistake": "#9a6700",
    "right": "#1a7f37",
}
_TEXTS = {
    "empty": N_("not yet: put your answer into {name!r}. Asked for: {asks}"),
    "wrong": N_("not right. {text} Asked for: {asks}"),
    "mistake": N_("not right, and this is why: {text}"),
    "right": N_("right. {text}"),
}
_NOT_COMPARABLE = N_("Your {name!r} cannot be compared with it ({problem}).")
_NO_ATTEMPT = N_(
    "the solution is shown after your first attempt, or once you have both hints. Try, "
    "then check."
)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What a notebook shows of a task.

    Parameters
    ----------
    task : str
        Id of the task.
    status : str
        "empty", "wrong", "mistake" or "right"; "text" for a hint and a solution.
    text : str
        The sentences, in the language of the class.
    mistake : str, default=""
        Name of the catalogued mistake that was recognised.

    Examples
    --------
    >>> from smartrisk.workshop import Feedback
    >>> Feedback(task="4.2", status="right", text="right. Well done.")
    ✓ 4.2 right. Well done.
    """

    task: str
    status: str
    text: str
    mistake: str = ""

    def __repr__(self) -> str:
        """Return sign, task and text."""
        return f"{_SIGNS.get(self.status, '')} {self.task} {self.text}".strip()

    def _repr_html_(self) -> str:
        """Return the same with a coloured edge; the sign says it without colour."""
        edge = _COLOURS.get(self.status, "#767676")
        lines = escape(repr(self)).replace("\n", "<br>")
        font = ";font-family:monospace;white-space:pre-wrap" if "\n" in lines else ""
        return (
            f'<div style="border-left:4px solid {edge};padding:.3em .8em{font}">'
            f"{lines}</div>"
        )


def check(task: str, /, answer: Any = _MISSING, *, lab: Lab | None = None) -> Feedback:
    """Say whether the answer of a task is right, by computing what is.

    The object is looked at, never the code that made it.

    Parameters
    ----------
    task : str
        Id of the task, such as "4.2".
    answer : object, default=the object of that name where you call
        The answer.
    lab : Lab, default=None
        The lab; None for that of the current folder.

    Returns
    -------
    feedback : Feedback
        Right, with what it means at a border; a mistake that is known, with its hint;
        or not right, with what is compared.

    Raises
    ------
    ArgumentError
        If there is no such task, or no class in the folder.

    Examples
    --------
    >>> import smartrisk as sr
    >>> lab = sr.workshop.Lab(4, sr.workshop.Seat(seed=7))
    >>> sr.workshop.check("4.1", None, lab=lab).status
    'empty'
    """
    found = find_task(task)
    if answer is _MISSING:
        answer = _look_up(found.name)
    lab = lab or _find_lab(found)
    verdict = _judge(found, answer, lab)
    _note(lab, found, verdict.status)
    return _word(found, verdict, lab)


def hint(task: str, /, *, lab: Lab | None = None) -> Feedback:
    """Return the next hint of a task: where to look, then how to go about it.

    Parameters
    ----------
    task : str
        Id of the task.
    lab : Lab, default=None
        The lab; None for that of the current folder.

    Returns
    -------
    feedback : Feedback
        The first hint, and from the second call on both.

    Raises
    ------
    ArgumentError
        If there is no such task, or no class in the folder.

    Examples
    --------
    >>> import smartrisk as sr
    >>> lab = sr.workshop.Lab(4, sr.workshop.Seat(seed=7))
    >>> sr.workshop.hint("4.1", lab=lab).status
    'text'
    """
    found = find_task(task)
    lab = lab or _find_lab(found)
    given = min(_note_hint(lab, found), len(found.hints))
    gettext = _gettext(found, lab)
    text = "\n".join(f"{k}. {gettext(h)}" for k, h in enumerate(found.hints[:given], 1))
    return Feedback(task=found.id, status="text", text=text)


def solution(task: str, /, *, lab: Lab | None = None) -> Feedback:
    """Return the solution of a task, once there was an attempt or both hints are out.

    Parameters
    ----------
    task : str
        Id of the task.
    lab : Lab, default=None
        The lab; None for that of the current folder.

    Returns
    -------
    feedback : Feedback
        The code; before the first attempt and both hints, what to do.

    Raises
    ------
    ArgumentError
        If there is no such task, or no class in the folder.

    Examples
    --------
    >>> import smartrisk as sr
    >>> lab = sr.workshop.Lab(4, sr.workshop.Seat(seed=7))
    >>> _ = sr.workshop.check("4.1", 0, lab=lab)
    >>> "lab." in sr.workshop.solution("4.1", lab=lab).text
    True
    """
    found = find_task(task)
    lab = lab or _find_lab(found)
    record = _read(lab).get(found.id, {})
    if not record.get("attempts") and record.get("hints", 0) < len(found.hints):
        text = render(Message("workshop.no_attempt", _NO_ATTEMPT), lab.lang)
        return Feedback(task=found.id, status="empty", text=text)
    return Feedback(
        task=found.id, status="text", text="\n" + find_solution(found.id, lab.lang)
    )


def find_solution(task: str, lang: str = "en") -> str:
    """Return the code of a solution, its comments in a language."""
    source = read_source(f"lab-{int(task.partition('.')[0]):02}", lang)
    cells = [c for c in source.cells if c.kind == "solution" and c.task == task]
    return cells[0].text


def _find_lab(task: Task) -> Lab:
    """Return the lab of a task in the current folder."""
    return open_lab(int(task.id.partition(".")[0]))


def _look_up(name: str) -> Any:
    """Return the object of a name where `check` was called; None when there is none."""
    frame = inspect.stack(0)[2].frame
    return frame.f_locals.get(name, frame.f_globals.get(name))


def _judge(task: Task, answer: Any, lab: Lab) -> Verdict:
    """Return the verdict on an answer of any kind."""
    if answer is None:
        return Verdict(status="empty")
    try:
        return task.judge(answer, lab)
    except Exception as error:  # an answer may be any object at all
        return Verdict(
            status="wrong",
            template=_NOT_COMPARABLE,
            values={
                "name": task.name,
                "problem": clean_text(f"{type(error).__name__}: {error}", 120),
            },
        )


def _gettext(task: Task, lab: Lab) -> Any:
    """Return what translates the texts of a task."""
    domain = f"lab-{int(task.id.partition('.')[0]):02}"
    return catalogue(domain, lab.lang).gettext


def _word(task: Task, verdict: Verdict, lab: Lab) -> Feedback:
    """Return a verdict in the language of the class."""
    gettext = _gettext(task, lab)
    template = verdict.template
    if verdict.status == "right":
        text = gettext(task.meaning)
    elif template == _NOT_COMPARABLE:
        text = render(
            Message("workshop.not_comparable", template, **verdict.values), lab.lang
        )
    else:
        text = gettext(template).format(**verdict.values) if template else ""
    values = {"name": task.name, "asks": gettext(task.asks), "text": text}
    message = Message(
        f"workshop.answer_is_{verdict.status}", _TEXTS[verdict.status], **values
    )
    return Feedback(
        task=task.id,
        status=verdict.status,
        text=render(message, lab.lang),
        mistake=verdict.mistake,
    )


#: Progress of labs without a folder, by seat: kept as long as the process.
_unsaved: dict[Any, dict[str, dict[str, Any]]] = {}


def _read(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return the progress of a class by task."""
    if lab.folder is None:
        return _unsaved.setdefault(lab.seat, {})
    try:
        text = (lab.folder / PROGRESS_FILE).read_text(encoding="utf-8")
        return dict(json.loads(text))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ArgumentError(
            "workshop.damaged_progress",
            "{path!r} cannot be read ({problem}). Delete it to begin a new record; "
            "your notebooks keep your answers.",
            path=str(lab.folder / PROGRESS_FILE),
            problem=f"{type(error).__name__}: {error}",
        ) from error


def _change(lab: Lab, task: Task, **changes: Any) -> None:
    """Write what has changed for a task."""
    records = _read(lab)
    records[task.id] = {**records.get(task.id, {}), **changes}
    if lab.folder is not None:
        text = json.dumps(records, indent=1, sort_keys=True) + "\n"
        write_file(
            lab.folder / PROGRESS_FILE, lambda draft: draft.write_text(text, "utf-8")
        )


def _note(lab: Lab, task: Task, status: str) -> None:
    """Note an attempt; a task that was right once stays so."""
    if status == "empty":
        return
    record = _read(lab).get(task.id, {})
    best = max(record.get("status", "empty"), status, key=STATUSES.index)
    _change(lab, task, attempts=record.get("attempts", 0) + 1, status=best)


def _note_hint(lab: Lab, task: Task) -> int:
    """Note a hint; return how many were asked for."""
    asked = int(_read(lab).get(task.id, {}).get("hints", 0)) + 1
    _change(lab, task, hints=asked)
    return asked


class Progress(Result):
    """How far a learner has come; made by `read_progress`.

    Parameters
    ----------
    records : dict
        What was noted for each task.

    Examples
    --------
    >>> import smartrisk as sr, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sr.workshop.Seat(seed=7).write(Path(folder))
    ...     progress = sr.workshop.read_progress(folder)
    >>> progress.n_right
    0
    """

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        self._records = records

    def __repr__(self) -> str:
        """Return how many tasks are right."""
        return f"Progress({self.n_right} of {len(list_tasks())} tasks right)"

    @property
    def n_right(self) -> int:
        """How many tasks are right."""
        return sum(r.get("status") == "right" for r in self._records.values())

    def frame(self) -> pd.DataFrame:
        """Return a row for each task.

        Returns
        -------
        frame : DataFrame
            ``task``, ``lab``, ``status``, ``attempts`` and ``hints``.
        """
        rows = [
            {
                "task": name,
                "lab": int(name.partition(".")[0]),
                "status": self._records.get(name, {}).get("status", "empty"),
                "attempts": self._records.get(name, {}).get("attempts", 0),
                "hints": self._records.get(name, {}).get("hints", 0),
            }
            for name in list_tasks()
        ]
        return pd.DataFrame(
            rows, columns=["task", "lab", "status", "attempts", "hints"]
        )


def read_progress(folder: str | Path) -> Progress:
    """Return how far the learner of a folder has come.

    Parameters
    ----------
    folder : str or Path
        Folder of the class.

    Returns
    -------
    progress : Progress
        A row for each task.

    Raises
    ------
    ArgumentError
        If there is no class in the folder, or its record is damaged.

    Examples
    --------
    >>> import smartrisk as sr, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = sr.workshop.Seat(seed=7).write(Path(folder))
    ...     progress = sr.workshop.read_progress(folder)
    >>> progress.frame()["status"].unique().tolist()
    ['empty']
    """
    place = find_class(Path(folder))
    return Progress(_read(open_lab(1, folder=place)))
