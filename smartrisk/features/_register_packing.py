"""A `LearnedHistory` as plain tables and JSON, and back; what decides its features."""

from __future__ import annotations

from typing import Any

import numpy as np

from smartrisk.artefact import DeferredTables, table_file
from smartrisk.errors import ArtefactError, check_number, format_values
from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._item_blocks import Block
from smartrisk.features._learned_history import LearnedHistory
from smartrisk.features._packing import (
    IndexedEntries,
    Tables,
    code_tables,
    from_tables,
    plain_key,
    to_tables,
)
from smartrisk.features._register import ItemRegister, ResultRegister, Versions
from smartrisk.features._stored_tables import (
    Later,
    StoredItems,
    StoredResults,
    check_names,
)
from smartrisk.features._table_checks import check_table, check_tables

#: Raise it whenever the same history gives another feature: then the same engine scores
#: otherwise, and its version must show it. A new parameter or a new part belongs into
#: `feature_plan` instead.
FEATURE_REVISION = 1

ITEMS, RESULTS, VALUES = "register.items", "register.results", "register.values."
CODE, _NUMBER = "code.", "number."
_CODES_FILE = "codes.arrow"


def pack_history(history: LearnedHistory) -> tuple[dict[str, Any], Tables]:
    """Return a history as plain values and tables.

    Parameters
    ----------
    history : LearnedHistory
        Features and registers.

    Returns
    -------
    learned : dict
        What is needed besides the tables, as plain values for JSON.
    tables : dict of str to dict of str to ndarray
        Name of a table to its columns. They name nobody: identities are 64-bit numbers.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import (
    ...     DeclarationFeatures, LearnedHistory, join_results, pack_history,
    ...     unpack_history,
    ... )
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> again = unpack_history(*pack_history(history))
    >>> again.digests() == history.digests()
    True
    """
    learned, tables = to_tables(history.features)
    block, versions = history.items.join_blocks(), history.results.join_blocks()
    tables[ITEMS] = block_columns(block)
    for name, ids in block.values.items():
        tables[f"{VALUES}{name}"] = {"id": ids}
    tables[RESULTS] = version_columns(versions)
    return learned | {"label_delay": int(history.label_delay)}, tables


def block_columns(block: Block) -> dict[str, Any]:
    """Return a block of items as columns."""
    return {
        "id": block.ids,
        "day": block.day,
        "content": block.content,
        **{f"{CODE}{name}": codes for name, codes in block.codes.items()},
        **{f"{_NUMBER}{name}": values for name, values in block.numbers.items()},
    }


def version_columns(versions: Versions) -> dict[str, Any]:
    """Return versions of results as columns."""
    columns: dict[str, Any] = {
        "id": versions.ids,
        "stated": versions.stated,
        "day": versions.day,
        "hits": versions.hits,
        "revenue": versions.revenue,
    }
    if versions.differs.any():
        columns["differs"] = versions.differs
    return columns


def unpack_history(
    learned: dict[str, Any],
    tables: Tables,
    digests: dict[str, str] | None = None,
) -> LearnedHistory:
    """Return the history that `pack_history` packed.

    Parameters
    ----------
    learned : dict
        As from `pack_history`.
    tables : dict of str to dict of str to ndarray
        As from `pack_history`; a `DeferredTables` is read at its first use.
    digests : dict of str to str, default=None
        What `LearnedHistory.digests` returned, for tables that are read later.

    Returns
    -------
    history : LearnedHistory
        Its features and digests are equal.

    Raises
    ------
    ArtefactError
        If a table is not what `pack_history` returns.

    Examples
    --------
    See `pack_history`.
    """
    check_number(
        "RiskEngine.load", "label_delay", learned["label_delay"], low=0, integer=True
    )
    if isinstance(tables, DeferredTables):
        return _defer_history(learned, tables, digests or {})
    check_tables(  # those with indexes were made by this process
        {n: t for n, t in tables.items() if not isinstance(t, IndexedEntries)}
    )
    items, results = _unpack_items(tables), _unpack_results(tables)
    features = from_tables(learned, tables)
    named = {*features.blocks(), *code_tables(features), ITEMS, RESULTS}
    values = {VALUES + name for name in items.blocks[0].values}
    other = sorted(set(tables) ^ (named | values))
    if other:
        raise ArtefactError(
            "features.saved_tables_differ",
            "RiskEngine.load: the tables {names} of {files} are missing, or belong to "
            "no part of the engine. Restore a copy.",
            names=format_values(other),
            files=format_values(sorted({table_file(name) for name in other})),
        )
    return LearnedHistory(
        features=features,
        items=items,
        results=results,
        label_delay=learned["label_delay"],
    )


def _unpack_items(tables: Tables) -> ItemRegister:
    """Return the items of checked tables."""
    return ItemRegister((block_of_columns(tables),))


def block_of_columns(tables: Tables) -> Block:
    """Return a block of items from its columns and values, which were checked."""
    items = tables[ITEMS]
    return Block(
        ids=items["id"],
        day=items["day"],
        content=items["content"],
        codes=_columns(items, CODE),
        values={
            name.removeprefix(VALUES): table["id"]
            for name, table in tables.items()
            if name.startswith(VALUES)
        },
        numbers=_columns(items, _NUMBER),
    )


def _unpack_results(tables: Tables) -> ResultRegister:
    """Return the results of checked tables."""
    return ResultRegister.from_versions(versions_of_columns(tables))


def versions_of_columns(tables: Tables) -> Versions:
    """Return versions of results from their columns, which were checked."""
    results = tables[RESULTS]
    return Versions(
        ids=results["id"],
        stated=results["stated"],
        day=results["day"],
        hits=results["hits"],
        revenue=results["revenue"],
        differs=results.get("differs", np.zeros(len(results["id"]), np.uint64)),
    )


def _defer_history(
    learned: dict[str, Any], tables: DeferredTables, digests: dict[str, str]
) -> LearnedHistory:
    """Return a history whose tables are read at their first use."""
    files: dict[str, set[str]] = {}
    for name in digests:
        files.setdefault(table_file(name), set()).add(name)
    known: Tables = {
        name: Later(tables, name, files[table_file(name)], digest)
        for name, digest in digests.items()
    }
    for name in tables.names(_CODES_FILE):
        check_table(name, tables[name])
        known[name] = tables[name]
    features = from_tables(learned, known)
    check_names(tables, _CODES_FILE, set(code_tables(features)))

    def read_register() -> Tables:
        """Return the tables of the registers, checked."""
        codes = [name for name in tables[ITEMS] if name.startswith(CODE)]
        values = {VALUES + name.removeprefix(CODE) for name in codes}
        expected = {ITEMS, RESULTS, *values}
        check_names(tables, table_file(ITEMS), expected)
        found = {name: tables[name] for name in sorted(expected)}
        check_tables(found)
        return found

    return LearnedHistory(
        features=features,
        items=StoredItems(lambda: _unpack_items(read_register())),
        results=StoredResults(lambda: _unpack_results(read_register())),
        label_delay=learned["label_delay"],
    )


def feature_plan(features: DeclarationFeatures) -> dict[str, Any]:
    """Return everything besides the sums of the history that decides a feature.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted.

    Returns
    -------
    plan : dict
        Plain values for JSON: no threads, paths or delays. Two transformers with equal
        plans and equal sums give bit-identical features.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, feature_plan
    >>> items = make_declarations(n_items=300, random_state=0).declarations
    >>> few, many = (DeclarationFeatures(n_jobs=n).fit(items) for n in (1, 2))
    >>> feature_plan(few) == feature_plan(many)
    True
    """
    parts = features.parts_
    plan: dict[str, Any] = {
        "revision": FEATURE_REVISION,
        "features": [str(info.name) for info in features.feature_info_],
        "fields": list(features.deciding_fields()),
        "parts": list(parts),
    }
    if "codes" in parts:
        codes = parts["codes"].codes_
        plan["codes"] = {name: ids.tolist() for name, ids in codes.items()}
    if "structuring" in parts:
        part = parts["structuring"]
        plan["structuring"] = {
            "traders": list(part.items_),
            "thresholds": [float(value) for value in part.thresholds],
            "margin": float(part.margin),
            "window": int(part.window),
        }
    if "history" in parts:
        part = parts["history"]
        plan["history"] = {
            "keys": [plain_key(key) for key in part.keys_],
            "half_life": int(part.half_life),
            "smoothing": float(part.smoothing),
        }
    if "prices" in parts:
        part = parts["prices"]
        plan["prices"] = {
            "keys": [plain_key(key) for key in part.keys_],
            "measures": list(part.measures_),
            "smoothing": float(part.smoothing),
        }
    return plan


def _columns(table: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the columns of a table whose names begin with a text."""
    return {
        name.removeprefix(prefix): np.asarray(values)
        for name, values in table.items()
        if name.startswith(prefix)
    }
