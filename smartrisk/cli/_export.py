"""Files as they were exported: columns as proposed, unusable rows counted."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from smartrisk import schema
from smartrisk.cli._files import (
    DataFiles,
    add_header,
    add_result_columns,
    load_column_map,
)
from smartrisk.cli._map import read_file
from smartrisk.cli._messages import account_for_rows, naming_file, render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import ArgumentError, Message
from smartrisk.intake import propose_map
from smartrisk.pages import table_from_words
from smartrisk.validation import check


@dataclass(frozen=True, kw_only=True, eq=False)
class Export:
    """Declarations and results that can be used, and the map that was given.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS.
    outcomes : DataFrame or None
        OUTCOMES.
    given : ColumnMap or None
        Map of the request, for further files; nothing proposes one for them, since
        they come from the selection itself.
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame | None
    given: schema.ColumnMap | None

    def read_more(self, path: str | None, table: schema.Table) -> pd.DataFrame | None:
        """Return the usable rows of a further file; None where there is none."""
        if path is None:
            return None
        frame = read_file(path)[0]
        if self.given is None:  # a watch list, handed back as it was written
            frame = table_from_words(frame)
        return _keep_usable(frame, table, self.given, path)


def read_export(files: DataFiles) -> Export:
    """Return the usable rows of a first export, and print how many there are."""
    file, outcomes = files.declarations, files.outcomes
    if file is None:
        raise ArgumentError("cli.no_file", "no declarations given. Pass a file.")
    column_map = given = load_column_map(files.columns)
    result_map = load_column_map(files.outcome_columns) or column_map
    items = add_header(read_file(file)[0], files.header, files.on, column_map)
    # One file may hold both: its rows without a result are then no results.
    is_both = outcomes == file
    results = items if is_both else None
    if outcomes is not None and not is_both:
        results = read_file(outcomes)[0]
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
    usable = _keep_usable(items, schema.DECLARATIONS, column_map, file)
    if results is not None and outcomes is not None:
        results = _keep_usable(results, schema.OUTCOMES, result_map, outcomes)
    return Export(declarations=usable, outcomes=results, given=given)


def _keep_usable(
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
