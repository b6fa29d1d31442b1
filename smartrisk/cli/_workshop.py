"""The actions of the command `workshop`."""

from __future__ import annotations

from pathlib import Path

from smartrisk.cli._messages import render_message, translator
from smartrisk.cli._terminal import format_table, print_line
from smartrisk.errors import Message
from smartrisk.languages import N_
from smartrisk.workshop import read_progress, write_class

_WORDS = {
    "empty": N_("not yet"),
    "wrong": N_("not right"),
    "mistake": N_("not right"),
    "right": N_("is right"),
}
_HEADS = (N_("Task no."), N_("Your answer"), N_("Attempts made"), N_("Hints asked"))


def workshop_write(
    *,
    action: str,
    folder: str,
    lang: str,
    seed: int | None,
    seat: int | None,
    trainer: bool,
    refresh: bool,
) -> int:
    """Write the folder of a class, and say what to open first."""
    files = write_class(
        folder,
        lang=None if refresh else lang,
        seed=seed,
        seat=seat,
        trainer=trainer,
        refresh=refresh,
    )
    if not files:
        message = Message(
            "cli.nothing_missing", "nothing was missing; no file changed."
        )
    else:
        message = Message(
            "cli.class_written",
            "{n} files written. Open {start} first.",
            n=len(files),
            start=str(Path(folder) / "START.html"),
        )
    print_line(render_message(message))
    return 0


def workshop_progress(*, action: str, folder: str, lang: str) -> int:
    """Print which tasks are right."""
    translate = translator(lang) or str
    progress = read_progress(folder)
    rows = [
        [row["task"], translate(_WORDS[row["status"]]), row["attempts"], row["hints"]]
        for row in progress.frame().to_dict("records")
    ]
    print_line(format_table(rows, [translate(head) for head in _HEADS]))
    message = Message(
        "cli.tasks_right",
        "{n} of {total} tasks are right.",
        n=progress.n_right,
        total=len(rows),
    )
    print_line(render_message(message))
    return 0
