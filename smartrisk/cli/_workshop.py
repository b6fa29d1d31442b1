"""The actions of the command `workshop`."""

from __future__ import annotations

from pathlib import Path

from smartrisk.cli._messages import render_message, translator
from smartrisk.cli._terminal import format_table, print_line
from smartrisk.errors import Message
from smartrisk.languages import N_
from smartrisk.workshop import (
    check_machine,
    open_lab,
    read_progress,
    write,
    write_stick,
)

_WORDS = {
    "empty": N_("not yet"),
    "wrong": N_("not right"),
    "mistake": N_("not right"),
    "right": N_("is right"),
}
_STATES = {
    "ok": N_("ok: {text}"),
    "note": N_("note: {text}"),
    "missing": N_("missing: {text}"),
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
    files = write(
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
    print_line(render_message(message, open_lab(1, folder=folder).lang))
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


def workshop_check(*, action: str, lang: str) -> int:
    """Print what this machine has and lacks; return 1 when something is missing."""
    checked = check_machine(lang=lang)
    translate = translator(lang) or str
    for finding in checked.findings:
        line = translate(_STATES[finding.state])
        print_line(line.format(text=render_message(finding.found)))
        if finding.remedy is not None:
            print_line(f"    {render_message(finding.remedy)}")
    if checked.ready:
        verdict = Message("cli.machine_ready", "This machine is ready for the class.")
    else:
        verdict = Message("cli.machine_not_ready", "This machine is not ready yet.")
    print_line(render_message(verdict))
    return 0 if checked.ready else 1


def workshop_stick(
    *, action: str, folder: str, platform: str, python: str, light: bool, lang: str
) -> int:
    """Write a stick, and say what it holds and how it can be recognised."""
    stick = write_stick(
        folder, platform=platform, python=python, light=light, lang=lang
    )
    for message in (
        Message(
            "cli.stick_written",
            "{path}: {n} wheels for {platform} and Python {python}, {megabytes} MB; "
            "{installed} MB when installed.",
            path=str(stick.folder),
            n=len(stick.frame()),
            platform=platform,
            python=python,
            megabytes=stick.megabytes,
            installed=stick.installed_megabytes,
        ),
        Message(
            "cli.stick_digest",
            "SHA256SUMS has the digest {digest}. Keep it: a copy with the same digest "
            "is the stick that was written.",
            digest=stick.digest,
        ),
        Message("cli.open_first", "Open {start} first.", start="START.html"),
    ):
        print_line(render_message(message))
    return 0
