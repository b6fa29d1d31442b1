"""Whether saved blocks hold what look-ups read, found out before anything uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.artefact import block_file
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._table_checks import (
    Table,
    check_columns,
    naming_table,
    refuse,
)

#: Entries that are looked at together: a table that is mapped is not held in memory.
_PART = 1 << 18


def check_index(name: str, entries: Table, values: Table, starts: Table) -> None:
    """Raise unless a level has sorted identities, and their entries sorted by day.

    Parameters
    ----------
    name : str
        Name of the level.
    entries, values, starts : mapping of str to ndarray
        Position and day of each entry, the identities, and where each begins.

    Raises
    ------
    ArtefactError
        Naming the file and the level.
    """
    with naming_table(block_file(name)):
        check_columns(name, entries, {"packed": np.int64})
        check_columns(name, values, {"id": np.uint64})
        check_columns(name, starts, {"start": np.int64})
        packed, ids, start = entries["packed"], values["id"], starts["start"]
        if (ids[1:] <= ids[:-1]).any():
            refuse(name, "has identities that are not sorted, or not each once")
        ends = len(start) == len(ids) + 1 and (start[0], start[-1]) == (0, len(packed))
        if not ends or (start[1:] < start[:-1]).any():
            refuse(name, "does not say where its identities begin")
        for first in range(0, len(packed), _PART):
            _check_entries(name, packed, start, first)


def _check_entries(
    name: str, packed: NDArray[np.int64], start: NDArray[np.int64], first: int
) -> None:
    """Check some entries: sorted, and of the identity of their place.

    Every number of a day that fits is one that a day can have.
    """
    part = packed[first : first + _PART + 1]
    if (part[1:] <= part[:-1]).any():
        refuse(name, "is not sorted by identity and day")
    part = part[:_PART]
    position = part >> DAY_BITS
    if int(position[0]) < 0 or int(position[-1]) > len(start) - 2:
        refuse(name, "has entries of identities that it does not have")
    at = np.arange(first, first + len(part))
    if (start[position] > at).any() or (start[position + 1] <= at).any():
        refuse(name, "has entries that are not where their identities begin")


def check_totals(name: str, totals: Table, n_entries: int, known: set[str]) -> None:
    """Raise unless a level has running totals, one before each entry and a last one.

    Parameters
    ----------
    name : str
        Name of the level.
    totals : mapping of str to ndarray
        Running totals; equal ones are one column.
    n_entries : int
        Number of entries.
    known : set of str
        Sums that the level has from elsewhere.

    Raises
    ------
    ArtefactError
        Naming the file and the level.
    """
    with naming_table(block_file(name)):
        check_columns(name, totals, dict.fromkeys(totals, np.int64))
        names = [own for column in totals for own in column.split(",")]
        if not names or len({*names, *known}) != len(names) + len(known):
            refuse(name, "has no sums, or one of them twice")
        for column, total in totals.items():
            if len(total) != n_entries + 1 or int(total[0]) != 0:
                refuse(name, f"has no running total in {column!r}")


def check_blocks_apart(name: str, ids: list[NDArray[Any]]) -> None:
    """Raise where an item is in two blocks of a register.

    Parameters
    ----------
    name : str
        Name of the register.
    ids : list of ndarray of uint64
        Sorted identities of each block.
    """
    with naming_table(block_file(name)):
        for number, later in enumerate(ids):
            for earlier in ids[:number]:
                place = np.searchsorted(earlier, later)
                inside = place < len(earlier)
                if (earlier[place[inside]] == later[inside]).any():
                    refuse(name, "has an item in two blocks")
