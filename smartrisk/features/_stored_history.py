"""A `LearnedHistory` as blocks of a folder, registers included, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import numpy as np

from smartrisk.artefact import DeferredTables, KeptFile, block_file
from smartrisk.errors import ArtefactError, check_number, format_values
from smartrisk.features._block_checks import check_blocks_apart
from smartrisk.features._item_blocks import Block
from smartrisk.features._learned_history import LearnedHistory
from smartrisk.features._packing import Tables, code_tables, from_tables
from smartrisk.features._register import (
    ItemRegister,
    ResultRegister,
    Versions,
)
from smartrisk.features._register_packing import (
    ITEMS,
    RESULTS,
    VALUES,
    block_columns,
    block_of_columns,
    version_columns,
    versions_of_columns,
)
from smartrisk.features._stored_blocks import (
    Arrays,
    StoredHistory,
    StoredTables,
    code_name,
    kept_file,
    level_name,
    store_tables,
)
from smartrisk.features._stored_tables import StoredItems, StoredResults
from smartrisk.features._table_checks import check_stored_register

#: Tables of the values of a block, after its name.
_VALUES = "values."
_SAFE = "_"
#: Longest name of a file of a block: an error names the whole of it.
_LONGEST_NAME = 255
#: Table of the items that the models have learned, which the engine reads.
_LEARNED = "learned"


class HistoryBlocks(NamedTuple):
    """A history as `store_history` returns it.

    Parameters
    ----------
    learned : dict
        Plain values for JSON, as from `pack_history`.
    blocks : dict of str to object
        Plain values for JSON: which levels and blocks there are.
    tables : mapping of str to dict of str to ndarray
        Their tables, made when they are asked for.
    kept : dict of str to KeptFile
        Name of a file to what knows whether it was written before.

    Examples
    --------
    See `store_history`.
    """

    learned: dict[str, Any]
    blocks: dict[str, Any]
    tables: Mapping[str, Arrays]
    kept: Mapping[str, KeptFile]


def store_history(history: LearnedHistory) -> HistoryBlocks:
    """Return a history as blocks that never change, in the arrays that look-ups read.

    Parameters
    ----------
    history : LearnedHistory
        Features and registers.

    Returns
    -------
    stored : HistoryBlocks
        For a folder. It names nobody: identities are 64-bit numbers.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import (
    ...     DeclarationFeatures, LearnedHistory, join_results, restore_history,
    ...     store_history,
    ... )
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> stored = store_history(history)
    >>> restore_history(stored).digests() == history.digests()
    True
    """
    found = store_tables(history)
    items, results = history.items.blocks, history.results.blocks
    for number, block in enumerate(items):
        _add_items(found, level_name(ITEMS, number), block)
    for number, versions in enumerate(results):
        tables = {"": partial(version_columns, versions)}
        found.add(level_name(RESULTS, number), kept_file(versions), tables)
    plain = {"tables": found.blocks, "items": len(items), "results": len(results)}
    learned = found.learned | {"label_delay": int(history.label_delay)}
    return HistoryBlocks(learned, plain, found.tables, found.kept)


def _add_items(found: StoredHistory, name: str, block: Block) -> None:
    """Add a block of items and its values."""
    tables: dict[str, Any] = {"": partial(block_columns, block)}
    for column, ids in block.values.items():
        tables[f"{_VALUES}{quote(column, safe=_SAFE)}"] = partial(_value_column, ids)
    found.add(name, kept_file(block), tables)


def _value_column(ids: Any) -> Arrays:
    """Return values as a table."""
    return {"id": ids}


def restore_history(stored: HistoryBlocks) -> LearnedHistory:
    """Return the history that `store_history` stored.

    Parameters
    ----------
    stored : HistoryBlocks
        The tables may be a `DeferredTables`, of which each is read at its first use.

    Returns
    -------
    history : LearnedHistory
        Its features and digests are equal.

    Raises
    ------
    ArtefactError
        If a table is not what `store_history` returns.

    Examples
    --------
    See `store_history`.
    """
    learned, blocks, tables, kept = stored
    check_number(
        "RiskEngine.load", "label_delay", learned["label_delay"], low=0, integer=True
    )
    reader = StoredTables(tables, kept, blocks["tables"])
    registers = _Registers(reader, blocks["items"], blocks["results"])
    known: Tables = reader.codes()
    found = {code_name(name) for name in known}
    _check_present(reader, registers, found)
    for name in blocks["tables"]:
        known[name] = reader.table(name)
    features = from_tables(learned, known)
    other = found ^ {code_name(name) for name in code_tables(features)}
    other |= {*features.blocks()} ^ set(blocks["tables"])
    if other:
        files = {block_file(name) for name in other}
        raise _differ(sorted(other), sorted(files))
    items = StoredItems(registers.items)
    results = StoredResults(registers.results)
    if not isinstance(tables, DeferredTables):
        _ = items.blocks, results.blocks
    return LearnedHistory(
        features=features,
        items=items,
        results=results,
        label_delay=learned["label_delay"],
    )


def _check_present(
    reader: StoredTables, registers: _Registers, codes: set[str]
) -> None:
    """Raise unless a folder has the tables that its blocks need, and no others."""
    tables, expected = reader.tables, reader.expected | registers.names | codes
    if isinstance(tables, DeferredTables):
        files = tables.files() ^ {block_file(name) for name in expected}
        files.discard(block_file(_LEARNED))
        other = files
    else:
        values = {n for n in tables if n.partition("/")[0] in registers.names}
        other = (set(tables) ^ (expected | values)) - {_LEARNED}
        files = {block_file(name) for name in other}
    if other:
        raise _differ(sorted(other), sorted(files))


class _Registers:
    """Reads the registers of a folder.

    Parameters
    ----------
    reader : StoredTables
        What reads its files.
    n_items, n_results : int
        Number of blocks.
    """

    def __init__(self, reader: StoredTables, n_items: int, n_results: int) -> None:
        self._reader = reader
        self._items = [level_name(ITEMS, number) for number in range(n_items)]
        self._results = [level_name(RESULTS, number) for number in range(n_results)]
        self.names = {*self._items, *self._results}

    def items(self) -> ItemRegister:
        """Return the items, checked."""
        blocks = []
        for name in self._items:
            made = block_of_columns(self._read(name, ITEMS))
            self._keep(name, made)
            blocks.append(made)
        check_blocks_apart(ITEMS, [block.ids for block in blocks])
        return ItemRegister(tuple(blocks))

    def results(self) -> ResultRegister:
        """Return the results, checked."""
        blocks = []
        for name in self._results:
            made = versions_of_columns(self._read(name, RESULTS))
            self._keep(name, made)
            blocks.append(made)
        ids = [np.zeros(0, np.uint64), *(block.ids for block in blocks)]
        n_items = len(np.unique(np.concatenate(ids)))
        return ResultRegister(tuple(blocks), n_items)

    def _keep(self, name: str, block: Block | Versions) -> None:
        """Note in a block where it lies."""
        kept = self._reader.kept.get(block_file(name))
        if kept is not None:
            vars(block)["_kept"] = {(): kept}

    def _read(self, name: str, plain: str) -> dict[str, Arrays]:
        """Return the tables of a block by the names of `pack_history`, checked."""
        tables, file, start = self._reader.tables, block_file(name), f"{name}/{_VALUES}"
        names: Sequence[str] | set[str] = list(tables)
        if isinstance(tables, DeferredTables):
            names = tables.names(file)
        if name not in names:
            raise _differ([name], [file])
        own = {n: tables[n] for n in names if n.startswith(start) and plain == ITEMS}
        found: dict[str, Arrays] = {
            plain: tables[name],
            **{
                VALUES + unquote(n.removeprefix(start)): table
                for n, table in own.items()
            },
        }
        other = {n for n in names if block_file(n) == file} - {name, *own}
        if other:
            raise _differ(sorted(other), [file])
        check_stored_register(found, file)
        self._reader.release(file)
        return found


def _differ(names: Sequence[str], files: Sequence[str]) -> ArtefactError:
    """Return the error of tables that are missing, or belong to no part."""
    return ArtefactError(
        "features.saved_tables_differ",
        "RiskEngine.load: the tables {names} of {files} are missing, or belong to "
        "no part of the engine. Restore a copy.",
        names=format_values(names, longest=_LONGEST_NAME),
        files=format_values(files, longest=_LONGEST_NAME),
    )
