"""A history as blocks of a folder, each in the arrays that look-ups read, and back.

A block is a level of a table, or some rows of a register. It never changes, so that a
file of it is written once: an engine that is saved again links it. Tables of the same
key have the same identities, days and counts, which one of them keeps for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from smartrisk.artefact import DeferredTables, KeptFile, TablesOnDemand, block_file
from smartrisk.features._block_checks import check_index, check_totals
from smartrisk.features._digests import add_digests, digest_text, parse_digest
from smartrisk.features._duty_incentive import LowestTable
from smartrisk.features._learned_history import LearnedHistory
from smartrisk.features._levels import Levels
from smartrisk.features._merging import Entries
from smartrisk.features._packing import (
    StoredEntries,
    Tables,
    take_apart,
)
from smartrisk.features._shared_entries import COUNT, Shares, share_tables
from smartrisk.features._stored_tables import StoredTable, check_names, check_sums
from smartrisk.features._sum_tables import SumTable
from smartrisk.features._table_checks import check_table

Arrays = dict[str, NDArray[Any]]

#: Between sums that are equal, in the name of their column.
_AND = ","
_CODES, _CODE_TABLES = "codes/", "codes."
#: What names of blocks have besides letters and digits; anything else is quoted.
_SAFE = " _.-"


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredHistory:
    """A history as a folder holds it.

    Parameters
    ----------
    learned : dict
        Plain values for JSON, as from `pack_history`.
    tables : TablesOnDemand
        Its tables, made when they are asked for.
    kept : dict of str to KeptFile
        Name of a file to what knows whether it was written before.
    blocks : dict of str to list
        Plain values for JSON: for every table, what `_plain_block` returns of each of
        its levels.
    """

    learned: dict[str, Any]
    tables: TablesOnDemand = field(default_factory=TablesOnDemand)
    kept: dict[str, KeptFile] = field(default_factory=dict)
    blocks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, name: str, kept: KeptFile, tables: Mapping[str, Any]) -> None:
        """Add the tables of a file.

        Parameters
        ----------
        name : str
            Name of the block.
        kept : KeptFile
            What knows the file.
        tables : mapping of str to callable
            What each table is called within the block, to what makes it.
        """
        self.kept[block_file(name)] = kept
        for part, make in tables.items():
            self.tables.add(f"{name}/{part}" if part else name, make)


def level_name(name: str, level: int) -> str:
    """Return the name of a level of a table, or of a block of a register.

    What a key is called may hold anything; a plus marks a level.
    """
    quoted = quote(name, safe=_SAFE)
    return f"{quoted}+{level}" if level else quoted


def kept_file(block: Any, layout: tuple[str, ...] = ()) -> KeptFile:
    """Return what knows the file of a block, the same for the same block.

    Parameters
    ----------
    block : SumTable, Block or Versions
        What never changes.
    layout : tuple of str, default=()
        What the file leaves out, as another one has it.
    """
    known: dict[tuple[str, ...], KeptFile] = vars(block).setdefault("_kept", {})
    return known.setdefault(layout, KeptFile())


def store_tables(history: LearnedHistory) -> StoredHistory:
    """Return the features of a history as blocks.

    Parameters
    ----------
    history : LearnedHistory
        Features and registers.
    """
    learned, parts = take_apart(history.features)
    found = StoredHistory(learned=learned)
    levels: dict[str, SumTable] = {}
    tables: dict[str, str] = {}
    for name, part in parts.items():
        if isinstance(part, (SumTable, LowestTable)):
            table = part.entries if isinstance(part, LowestTable) else part
            found.blocks[name] = []
            for number, level in enumerate(table.levels()):
                own = level_name(name, number)
                levels[own], tables[own] = level, name
        else:
            found.tables.add(code_name(name), partial(_code_table, part))
    shares = share_tables(list(levels.values()))
    names = {id(level): name for name, level in reversed(levels.items())}
    for name, level in levels.items():
        plain: dict[str, Any] = {"digest": digest_text(level.digest)}
        shared = shares.get(id(level))
        if names[id(level)] != name:  # the same table in two parts
            plain["same"] = names[id(level)]
        elif shared is None:
            _add_whole(found, name, level)
        else:
            plain["index"] = names[id(shared.owner)]
            plain |= {"counted": list(shared.counted), "more": shared.more}
            if shared.more:
                made = {"totals": partial(_totals, level, shared.counted)}
                found.add(name, kept_file(level, shared.layout), made)
        found.blocks[tables[name]].append(plain)
    return found


def code_name(name: str) -> str:
    """Return what a table of codes of `pack_history` is called in a folder."""
    return _CODES + quote(name.removeprefix(_CODE_TABLES), safe=_SAFE)


def _code_table(ids: NDArray[np.uint64]) -> Arrays:
    """Return codes as a table."""
    return {"id": ids}


def _add_whole(found: StoredHistory, name: str, level: SumTable) -> None:
    """Add a level with its identities and entries."""
    tables = {
        "": lambda: {"packed": level.packed},
        "ids": lambda: {"id": level.ids},
        "starts": lambda: {"start": level.starts},
        "totals": partial(_totals, level, ()),
    }
    found.add(name, kept_file(level), tables)


def _totals(level: SumTable, left_out: tuple[str, ...]) -> Arrays:
    """Return the running totals of a level, equal ones once."""
    names: dict[int, list[str]] = {}
    for name, total in level.totals.items():
        if name not in left_out:
            names.setdefault(id(total), []).append(name)
    return {_AND.join(same): level.totals[same[0]] for same in names.values()}


class StoredTables:
    """Reads the tables of a folder: all at once, or each before its first use.

    Parameters
    ----------
    tables : mapping of str to dict of str to ndarray
        The tables; those of a `DeferredTables` are read at their first use.
    kept : mapping of str to KeptFile
        Name of a file to what knows where it is.
    blocks : mapping of str to list
        As `StoredHistory` has it.
    """

    def __init__(
        self,
        tables: Mapping[str, Arrays],
        kept: Mapping[str, KeptFile],
        blocks: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        self.tables, self.kept, self.blocks = tables, kept, blocks
        self._levels: dict[str, SumTable] = {}
        self._plain: dict[str, Mapping[str, Any]] = {}
        self._below: dict[str, list[str]] = {}
        for name, levels in blocks.items():
            names = [level_name(name, number) for number in range(len(levels))]
            self._plain |= dict(zip(names, levels, strict=True))
            self._below |= {own: names[:at] for at, own in enumerate(names)}
        self.expected = set(self._names())

    def _names(self) -> Iterator[str]:
        """Yield the names of the tables that there must be."""
        for name, plain in self._plain.items():
            if "same" in plain:
                continue
            if "index" not in plain:
                yield from (name, f"{name}/ids", f"{name}/starts", f"{name}/totals")
            elif plain["more"]:
                yield f"{name}/totals"

    def level(self, name: str) -> SumTable:
        """Return a level of a table, which is read at its first use."""
        if name in self._levels:
            return self._levels[name]
        plain, owner = self._plain[name], None
        other = plain.get("same", plain.get("index"))
        if other is not None:
            if not {"same", "index"}.isdisjoint(self._plain[other]) and other != name:
                raise LookupError(f"{name!r} is stated to be that of {other!r}")
            owner = self.level(other)
        if "same" in plain and owner is not None:
            self._levels[name] = owner
            return owner
        digest = parse_digest(plain["digest"])
        made = StoredTable.unread(digest, partial(self._read, name, owner))
        self._note(name, made, owner)
        self._levels[name] = made
        return made

    def _note(self, name: str, made: SumTable, owner: SumTable | None) -> None:
        """Note in a table where it lies, and what it has from another one."""
        layout: tuple[str, ...] = ()
        if owner is not None:
            plain = self._plain[name]
            shares = Shares(owner, tuple(plain["counted"]), plain["more"])
            vars(made)["_shares"], layout = shares, shares.layout
        file = block_file(name)
        if file in self.kept:
            vars(made)["_kept"] = {layout: self.kept[file]}

    def _read(self, name: str, owner: SumTable | None) -> SumTable:
        """Return a level after the checks of its file, entries and sums."""
        plain, file = self._plain[name], block_file(name)
        if file in self.kept or owner is None:
            self.check_file(file)
        if owner is None:
            entries = self.tables[name], self.tables[f"{name}/ids"]
            starts = self.tables[f"{name}/starts"]
            check_index(name, *entries, starts)
            packed, ids = entries[0]["packed"], entries[1]["id"]
            start, totals = starts["start"], {}
        else:
            packed, ids, start = owner.packed, owner.ids, owner.starts
            count = owner.totals.get(COUNT, packed[:0])
            totals = dict.fromkeys(plain["counted"], count)
        if f"{name}/totals" in self.expected:
            more = self.tables[f"{name}/totals"]
            check_totals(name, more, len(packed), set(totals))
            for names, total in more.items():
                totals |= dict.fromkeys(names.split(_AND), total)
        made = SumTable.of_entries(
            Entries(ids=ids, packed=packed, totals=totals), start
        )
        check_sums(name, made.digest, parse_digest(plain["digest"]), file)
        self._note(name, made, owner)
        if self._below[name]:
            below = tuple(self.level(other) for other in self._below[name])
            Levels(below).mark_fresh(made)
        for other in (name, plain.get("index", name)):
            self.release(block_file(other))
        return made

    def check_file(self, file: str) -> None:
        """Raise unless a file that is read now has the tables that it must have."""
        if isinstance(self.tables, DeferredTables):
            own = {name for name in self.expected if block_file(name) == file}
            check_names(self.tables, file, own)

    def release(self, file: str) -> None:
        """Let the system take back the memory of a file that was checked."""
        if isinstance(self.tables, DeferredTables) and file in self.kept:
            self.tables.release(file)

    def table(self, name: str) -> StoredEntries:
        """Return a table of all its levels."""
        levels = [
            self.level(level_name(name, k)) for k in range(len(self.blocks[name]))
        ]
        unread = isinstance(self.tables, DeferredTables)
        if not unread:
            for level in levels:
                _ = level.packed
        digest = add_digests(*(level.digest for level in levels))
        return StoredEntries(SumTable.of_levels(levels, digest), unread)

    def codes(self) -> Tables:
        """Return the codes, checked, by the names of the format before."""
        names = {name for name in self.tables if name.startswith(_CODES)}
        if isinstance(self.tables, DeferredTables):
            names = self.tables.names(block_file(_CODES))
        found = {}
        for name in sorted(names):
            table = _CODE_TABLES + unquote(name.removeprefix(_CODES))
            check_table(table, self.tables[name])
            found[table] = self.tables[name]
        return found
