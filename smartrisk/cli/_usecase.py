"""The command ``usecase``: a logged run on two pages, to present to others."""

from __future__ import annotations

from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.workshop import UseCase


def usecase(
    *,
    run: str,
    tracking_uri: str | None,
    title: str,
    question: str,
    achieved: str,
    cost: str,
    failed: str,
    contact: str,
    cost_per_control: float | None,
    capacity: float | None,
    out: str,
    lang: str,
) -> int:
    """Write the sheet of a run as HTML and Markdown."""
    given = {
        "question": question,
        "achieved": achieved,
        "cost": cost,
        "failed": failed,
        "contact": contact,
    }
    answers = {name: text for name, text in given.items() if text}
    case = UseCase.from_run(
        run,
        tracking_uri=tracking_uri,
        title=title,
        answers=answers,
        capacity=capacity,
        cost_per_control=cost_per_control,
    )
    for path in case.save(out, lang=lang).values():
        print_line(str(path))
    n_open = len(given) - len(answers)
    if n_open:
        message = Message(
            "cli.places_to_complete",
            "Places to complete, marked on the sheet: {n_open}.",
            n_open=n_open,
        )
        print_line(render_message(message))
    return 0
