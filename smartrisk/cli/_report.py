"""The command ``report``: the pages of a day, in a folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import (
    DataFiles,
    load_column_map,
    load_declarations,
    load_outcomes,
)
from smartrisk.cli._messages import print_message
from smartrisk.cli._stage import print_stage
from smartrisk.cli._terminal import print_line
from smartrisk.languages import has_decimal_point
from smartrisk.pages import PageTerms, write_pages


def report(
    data: DataFiles,
    *,
    engine: EngineAddress,
    past: str | None,
    capacity: float,
    cases: int,
    channels: dict[str, str] | None,
    currency: str | None,
    lang: str,
    out: str,
) -> int:
    """Write watch list, case sheets, cards and, with results, an evaluation."""
    loaded = load_engine(engine)
    items = load_declarations(data)
    earlier = _load_past(data, past) if past is not None else None
    every = items if earlier is None else pd.concat([earlier, items], ignore_index=True)
    paths = write_pages(
        loaded,
        items,
        Path(out),
        past=earlier,
        outcomes=load_outcomes(data, every) if data.has_outcomes else None,
        capacity=capacity,
        n_cases=cases,
        lang=lang,
        columns=load_column_map(data.columns),
        terms=PageTerms(channel_names=channels or {}, currency=currency),
    )
    print_stage(loaded)
    for name, path in paths.items():
        is_list = name == "table"
        ranked = _count_ranked(path, lang) if is_list else 0
        if is_list:
            print_message(
                "cli.list_written",
                "{path}: {n} of {n_items} items",
                path=path,
                n=ranked,
                n_items=len(items),
            )
        else:
            print_line(str(path))
    return 0


def _load_past(data: DataFiles, path: str) -> pd.DataFrame:
    """Return earlier DECLARATIONS, which have the columns of the new ones."""
    files = dataclasses.replace(data, declarations=path, outcomes=None, kcs=None)
    return load_declarations(files)


def _count_ranked(path: Path, lang: str) -> int:
    """Return the number of items of a watch list, whose heads are in a language."""
    separator = "," if has_decimal_point(lang) else ";"
    return len(pd.read_csv(path, sep=separator, usecols=[0]))
