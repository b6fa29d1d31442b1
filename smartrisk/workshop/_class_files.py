"""What the class gets: declarations, known results, items to choose from, the rules."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.pages import CompetitionRules
from smartrisk.workshop._rounds import Rounds

#: Time of every file, the first second of 2000: times of writing could show when, and
#: in which order, a secret was made.
_TIME = 946_684_800
_RULES = "README.html"


def write_class_files(folder: Path, rounds: Rounds, commitment: str, lang: str) -> None:
    """Write the files of the class: of the secret they have a digest only."""
    tables = {"declarations.csv": rounds.history, "results.csv": rounds.results}
    for number, items in enumerate(rounds.items, start=1):
        tables[f"round{number}_items.csv"] = items
    for name, table in tables.items():
        _write_table(folder / name, table)
    rules = CompetitionRules(
        capacity=rounds.terms.capacity,
        cost=rounds.terms.cost,
        n_items=tuple(len(items) for items in rounds.items),
        days=rounds.begins,
        commitment=commitment,
    )
    rules.save(folder / _RULES, lang=lang)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (_TIME, _TIME))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, with the same bytes on every system."""

    def write(draft: Path) -> None:
        table.to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")

    write_file(path, write)
