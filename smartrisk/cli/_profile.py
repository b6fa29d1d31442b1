"""The command `profile`: a first look at an unknown file."""

from __future__ import annotations

from pathlib import Path

from smartrisk.cli._files import load_column_map
from smartrisk.cli._map import read_file
from smartrisk.cli._messages import render_message
from smartrisk.cli._pages import check_page, print_page
from smartrisk.cli._table_words import print_table
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.intake import profile as look_at
from smartrisk.pages import DataProfile


def profile(*, file: str, columns: str | None, out: str | None, lang: str) -> int:
    """Show what each column of a file holds, and what looks wrong."""
    check_page(out)
    frame, _ = read_file(file)
    found = look_at(frame, load_column_map(columns))
    rows = Message(
        "cli.profile_rows",
        "{file}: {n_rows} rows, {n_columns} columns",
        file=file,
        n_rows=found.n_rows,
        n_columns=len(found.columns()),
    )
    print_line(render_message(rows))
    print_line()
    print_table(found.columns())
    print_line()
    for look in found.looks:
        print_line(f"- {render_message(look.message)}")
    if not found.looks:
        nothing = Message("cli.profile_nothing", "Nothing looks wrong.")
        print_line(render_message(nothing))
    if out is not None:
        page = DataProfile(profile=found, name=Path(file).name)
        print_page(page.save(out, lang=lang))
    return 0
