"""The command `readiness`: which use cases the data allow today."""

from __future__ import annotations

from pathlib import Path

from smartrisk import schema
from smartrisk.cli._export import read_export
from smartrisk.cli._files import DataFiles
from smartrisk.cli._messages import render_message
from smartrisk.cli._pages import check_page, print_page
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.pages import ReadinessReport
from smartrisk.readiness import Readiness, assess


def readiness(
    *,
    file: str,
    outcomes: str | None,
    decisions: str | None,
    columns: str | None,
    outcome_columns: str | None,
    header: str | None,
    on: str | None,
    out: str | None,
    lang: str,
) -> int:
    """Answer the questions of readiness from a first export; rows may be unusable."""
    check_page(out)
    files = DataFiles(
        declarations=file,
        outcomes=outcomes,
        columns=columns,
        outcome_columns=outcome_columns,
        header=header,
        on=on,
    )
    export = read_export(files)
    decided = export.read_more(decisions, schema.DECISIONS)
    ready = assess(export.declarations, export.outcomes, decided)
    _print_answers(ready, lang)
    _print_use_cases(ready, lang)
    if out is not None:
        page = ReadinessReport.from_readiness(ready, name=Path(file).name)
        print_page(page.save(out, lang=lang))
    return 0


def _print_answers(ready: Readiness, lang: str) -> None:
    """Print the questions with their evidence, then those that people answer."""
    frame = ready.frame(lang=lang)
    head = Message("cli.readiness_data", "what the data answer:")
    print_line(f"\n{render_message(head)}")
    for row in frame[frame["answered_by"] == "data"].to_dict("records"):
        print_line(f"- {row['question']}")
        print_line(f"    {row['evidence']}")
        if row["blocks"]:
            blocks = Message("cli.readiness_blocks", "blocks: {x}", x=row["blocks"])
            print_line(f"    {render_message(blocks)}")
            _print_step(row["next_step"])
    head = Message("cli.readiness_people", "what only people can answer:")
    print_line(f"\n{render_message(head)}")
    for row in frame[frame["answered_by"] == "people"].to_dict("records"):
        asked = Message("cli.readiness_who", "open; to ask: {who}", who=row["who"])
        print_line(f"- {row['question']}")
        print_line(f"    {render_message(asked)}")


def _print_step(text: str) -> None:
    """Print the next step towards what is blocked."""
    step = Message("cli.readiness_step", "next step: {x}", x=text)
    print_line(f"    {render_message(step)}")


def _print_use_cases(ready: Readiness, lang: str) -> None:
    """Print which use cases are possible today, and what the others lack."""
    head = Message("cli.readiness_today", "which use cases are possible today:")
    print_line(f"\n{render_message(head)}")
    for row in ready.use_cases(lang=lang).to_dict("records"):
        line = Message("cli.readiness_possible", "possible: {name}", name=row["name"])
        if not row["possible"]:
            line = Message("cli.readiness_not", "blocked: {name}", name=row["name"])
        print_line(f"- {render_message(line)}")
        if not row["possible"]:
            print_line(f"    {row['missing']}")
            _print_step(row["next_step"])
