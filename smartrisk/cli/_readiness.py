"""The command `readiness`: which use cases the data allow today."""

from __future__ import annotations

import pandas as pd

from smartrisk import schema
from smartrisk.cli._files import add_header, add_result_columns, load_column_map
from smartrisk.cli._map import read_file
from smartrisk.cli._messages import account_for_rows, naming_file, render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.intake import propose_map
from smartrisk.readiness import Readiness, assess
from smartrisk.validation import check


def readiness(
    *,
    file: str,
    outcomes: str | None,
    decisions: str | None,
    columns: str | None,
    outcome_columns: str | None,
    header: str | None,
    on: str | None,
    lang: str,
) -> int:
    """Answer the questions of readiness from a first export; rows may be unusable."""
    column_map = load_column_map(columns)
    result_map = load_column_map(outcome_columns) or column_map
    items = add_header(read_file(file)[0], header, on, column_map)
    # One file may hold both: its rows without a result are then no results.
    is_both = outcomes == file
    results = items if is_both else None
    if outcomes is not None and not is_both:
        results = read_file(outcomes)[0]
    given = column_map
    if column_map is None:
        others = [] if results is None or is_both else [results]
        with naming_file(file):
            proposal = propose_map(items, *others)
        _print_proposed(len(proposal.questions), file)
        column_map = proposal.columns
        if result_map is None and proposal.results is not None:
            result_map = proposal.results.columns
    if is_both:
        result_map = result_map or column_map
        column_map = add_result_columns(column_map, items)
    usable = _usable(items, schema.DECLARATIONS, column_map, file)
    if results is not None and outcomes is not None:
        results = _usable(results, schema.OUTCOMES, result_map, outcomes)
    decided = None
    if decisions is not None:
        # Nothing proposes a map of decisions: they come from the selection itself.
        frame = read_file(decisions)[0]
        decided = _usable(frame, schema.DECISIONS, given, decisions)
    ready = assess(usable, results, decided)
    _print_answers(ready, lang)
    _print_use_cases(ready, lang)
    return 0


def _usable(
    frame: pd.DataFrame,
    table: schema.Table,
    columns: schema.ColumnMap | None,
    path: str,
) -> pd.DataFrame:
    """Return the rows of a table that can be used, and print how many there are."""
    with naming_file(path):
        checked = check(frame, table, columns=columns)
    print_line(render_message(account_for_rows(table.name, len(frame), checked)))
    return checked.table


def _print_proposed(n_questions: int, file: str) -> None:
    """Print that the columns were guessed, and how to confirm them."""
    proposed = Message(
        "cli.readiness_proposed",
        "no map given: the columns are as proposed (parts that are unsure: "
        "{n_questions}). Confirm them with: smartrisk map {file} --out map.toml",
        n_questions=n_questions,
        file=file,
    )
    print_line(render_message(proposed))


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
