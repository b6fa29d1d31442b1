"""``report``: the pages of a day, in a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from smartrisk import schema
from smartrisk.cli._files import columns_of, declarations_of, outcomes_of, read
from smartrisk.cli._terminal import say
from smartrisk.engine import RiskEngine
from smartrisk.pages import write_pages
from smartrisk.validation import validate


def report(asked: argparse.Namespace) -> int:
    """Write watch list, case sheets, cards and, with results, an evaluation."""
    engine = RiskEngine.load(asked.engine)
    items = declarations_of(asked)
    past, outcomes = None, None
    if asked.past is not None:
        columns = columns_of(asked.columns)
        table = read(asked.past)
        past = validate(
            table, schema.DECLARATIONS, columns=columns, on_error=asked.on_error
        )
    if asked.outcomes is not None or asked.kcs is not None:
        outcomes = outcomes_of(asked)
    options = {"capacity": asked.capacity, "cases": asked.cases, "lang": asked.lang}
    pages = write_pages(
        engine, items, Path(asked.out), past=past, outcomes=outcomes, **options
    )
    for name, path in pages.items():
        about = f": {_size(path)} of {len(items)} items" if name == "table" else ""
        say(f"{path}{about}")
    return 0


def _size(path: Path) -> int:
    """Return how many items a watch list holds."""
    return len(pd.read_csv(path, usecols=["rank"]))
