"""Known layouts: the column maps that come with the library, recognised by names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from smartrisk.errors import Message, SmartRiskError
from smartrisk.intake._proposal import FieldProposal, Proposal
from smartrisk.schema import DECLARATIONS, PRESETS, ColumnMap
from smartrisk.validation import check

#: Share of the columns of a map that a file must have to be of its layout.
_MOST = 0.9
#: Share of the rows that may be refused under the map of a layout.
_REFUSED = 0.05


@dataclass(frozen=True)
class Known:
    """A layout that was recognised.

    Parameters
    ----------
    name : str
        Name of the map, as `ColumnMap.preset` takes it.
    columns : ColumnMap
        The map.
    frame : DataFrame
        The table under the names of the layout.
    """

    name: str
    columns: ColumnMap
    frame: pd.DataFrame


def find_known(sample: pd.DataFrame, *, has_names: bool) -> Known | None:
    """Return the layout of a table, by the names or by the number of its columns."""
    best: tuple[int, Known] | None = None
    for name in PRESETS:
        columns = ColumnMap.preset(name)
        frame = _with_names(sample, columns) if not has_names else sample
        there = set(map(str, frame.columns))
        sources = _sources(columns)
        found = sources & there
        if not _find_required(columns) <= there or len(found) < _MOST * len(sources):
            continue
        if best is None or len(found) > best[0]:
            best = len(found), Known(name, columns, frame)
    if best is None or not _fits(best[1]):
        return None
    return best[1]


def describe_known(known: Known) -> Proposal:
    """Return the proposal of a known layout; all of its parts are sure."""
    columns = known.columns
    there = set(map(str, known.frame.columns))
    carried = [
        n
        for n in (*columns.mapping, *columns.made)
        if columns.sources(n) and set(columns.sources(n)) <= there
    ]
    evidence = Message(
        "intake.known_layout",
        "as in the map {layout!r} that comes with the library.",
        layout=known.name,
    )
    parts = [
        FieldProposal(
            field=name,
            columns=columns.sources(name),
            confidence=1.0,
            evidence=(evidence,),
        )
        for name in dict.fromkeys(carried)
    ]
    used = {c for name in carried for c in columns.sources(name)}
    return Proposal(
        columns,
        parts,
        not_carried=[f.name for f in DECLARATIONS if f.name not in carried],
        unused=sorted(there - used - {"source_row"}, key=list(known.frame).index),
    )


def _sources(columns: ColumnMap) -> set[str]:
    """Return the columns of declarations that a map names."""
    names = (*columns.mapping, *columns.made)
    declared = [n for n in names if n in DECLARATIONS]
    return {c for n in declared for c in columns.sources(n)}


def _find_required(columns: ColumnMap) -> set[str]:
    """Return the columns of the fields that every table needs."""
    return {c for n in DECLARATIONS.required for c in columns.sources(n)}


def _with_names(sample: pd.DataFrame, columns: ColumnMap) -> pd.DataFrame:
    """Return a table without names under those of a layout of as many columns."""
    names: Sequence[str] = columns.file.names if columns.file is not None else ()
    own = [c for c in sample.columns if c != "source_row"]
    if len(names) != len(own) or not names:
        return sample
    return sample.rename(columns=dict(zip(own, names, strict=True)))


def _fits(known: Known) -> bool:
    """Return whether validation takes nearly all rows under the map of a layout."""
    try:
        report = check(known.frame, DECLARATIONS, columns=known.columns)
    except SmartRiskError:
        return False
    return len(report.set_aside) <= _REFUSED * max(1, len(known.frame))
