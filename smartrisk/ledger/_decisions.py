"""Decisions as entries: with score, inputs, reasons, versions and sources."""

from __future__ import annotations

import functools
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd

from smartrisk.errors import LedgerError, format_values
from smartrisk.ledger._digests import canonical_json
from smartrisk.ledger._entries import (
    Entry,
    ItemKey,
    Record,
    drop_key,
    item_key,
    read_declared,
    read_rows,
    read_source_rows,
    sentences_by_item,
)
from smartrisk.lineage import read_sources as read_traced
from smartrisk.schema import DECISIONS, SCORES

#: Versions that every decision states; None where they are unknown.
_VERSIONS = ("model", "policy", "map", "library", "python", "numpy", "lightgbm")
#: A digest of a file, with or without the name of its method.
_SOURCE_DIGEST = re.compile(r"(?:[a-z0-9]+:)?[0-9a-f]{16,128}")


@dataclass(frozen=True)
class Batch:
    """Rows of one call, checked: tables that were not given are None."""

    decisions: list[Record]
    declarations: list[Record] | None
    scores: list[Record] | None
    sentences: Mapping[ItemKey, list[str]]
    source_rows: list[str | None] | None = None


def read_batch(decisions: Any, declarations: Any, scores: Any, reasons: Any) -> Batch:
    """Return the tables of one call as plain rows of the same items."""
    owner = "Ledger.record"
    rows = read_rows(owner, "decisions", decisions, DECISIONS)
    score_rows = items = None
    if scores is not None:
        score_rows = read_rows(owner, "scores", scores, SCORES)
        check_aligned("scores", score_rows, rows)
    if declarations is not None:
        items = read_declared(owner, declarations)
        check_aligned("declarations", items, rows)
    sentences = sentences_by_item(owner, reasons)
    check_decided("reasons", sentences, rows)
    return Batch(rows, items, score_rows, sentences, read_source_rows(decisions))


def make_decisions(
    batch: Batch,
    versions: Mapping[str, str | None],
    sources: Mapping[str, str],
    compute_digest: Callable[[str], str],
) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries of a batch, and the texts of its inputs by digest."""
    entries: list[Entry] = []
    inputs: dict[str, str] = {}
    complete = functools.cache(functools.partial(complete_versions, versions))
    for k, row in enumerate(batch.decisions):
        score = None if batch.scores is None else drop_key(batch.scores[k])
        body: Record = {"decision": row, "sources": sources}
        if batch.source_rows is not None and batch.source_rows[k] is not None:
            body["source_row"] = batch.source_rows[k]
        body["versions"] = complete(
            None if score is None else score.get("model_version"),
            row.get("policy_version"),
        )
        if score is not None:
            body["score"] = score
        if batch.declarations is not None:
            fields = canonical_json(batch.declarations[k])
            body["inputs"] = compute_digest(fields)
            inputs[body["inputs"]] = fields
        if item_key(row) in batch.sentences:
            body["reasons"] = batch.sentences[item_key(row)]
        entries.append(Entry("decision", body, *item_key(row)))
    return entries, inputs


def check_aligned(name: str, other: list[Record], rows: list[Record]) -> None:
    """Raise unless another table is of the same items in the same order."""
    if [item_key(row) for row in other] == [item_key(row) for row in rows]:
        return
    decided = set(map(item_key, rows))
    unknown = [key for key in map(item_key, other) if key not in decided]
    raise LedgerError(
        "ledger.table_not_aligned",
        "Ledger.record: {name!r} must hold the {n_decided} decided items in their "
        "order; got {n_rows}, of which not decided: {unknown}.",
        name=name,
        n_decided=len(rows),
        n_rows=len(other),
        unknown=format_values(unknown) or "none",
    )


def check_decided(name: str, keys: Any, rows: list[Record]) -> None:
    """Raise for items of another table that are not decided on."""
    unknown = sorted(set(keys) - set(map(item_key, rows)))
    if unknown:
        raise LedgerError(
            "ledger.items_not_decided",
            "Ledger.record: {name!r} has {n_unknown} items that are not decided on: "
            "{items}. Pass those of the decisions only.",
            name=name,
            n_unknown=len(unknown),
            items=format_values(unknown),
        )


@functools.cache
def current_versions() -> Mapping[str, str | None]:
    """Return the versions of what computes here."""
    # Asked of the installed packages: this layer is below the package's own version.
    found: dict[str, str | None] = {"python": platform.python_version()}
    names = {"library": "smartrisk", "numpy": "numpy", "lightgbm": "lightgbm"}
    for name, package in names.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:  # pragma: no cover
            found[name] = None
    return found


def read_versions(versions: Any, **known: str) -> dict[str, str | None]:
    """Return the versions of a batch: those that are known, and those of the caller."""
    given = _read_mapping("versions", versions, lambda text: text.strip() != "")
    return dict.fromkeys(_VERSIONS) | dict(current_versions()) | known | given


def trace_tables(*tables: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests of the files of some tables, and the version of their map."""
    frames = [table for table in tables if isinstance(table, pd.DataFrame)]
    digests: dict[str, str] = {}
    maps = set()
    for source in read_traced(*frames):
        name = (source.table or source.kind).lower()
        count = sum(key.partition(".")[0] == name for key in digests)
        digests[f"{name}.{count + 1}" if count else name] = source.sha256
        if source.map_version is not None:
            maps.add(source.map_version)
    return digests, {"map": maps.pop()} if len(maps) == 1 else {}


def read_sources(sources: Any) -> dict[str, str]:
    """Return digests of input tables by their names."""
    return _read_mapping(
        "sources", sources, lambda text: _SOURCE_DIGEST.fullmatch(text) is not None
    )


def _read_mapping(
    name: str, mapping: Any, fits: Callable[[str], bool]
) -> dict[str, str]:
    """Return a mapping of texts to texts that fit."""
    if mapping is None:
        return {}
    kind = {"versions": "versions", "sources": "hexadecimal digests"}[name]
    entries = dict(mapping) if isinstance(mapping, Mapping) else None
    if entries is None or not all(
        isinstance(key, str) and key.strip() and isinstance(value, str) and fits(value)
        for key, value in entries.items()
    ):
        raise LedgerError(
            "ledger.not_a_mapping_of_texts",
            "Ledger.record: {name!r} must map names to {kind}, both as texts; got "
            "{mapping}.",
            name=name,
            kind=kind,
            mapping=format_values([mapping]),
        )
    return {str(key): str(value) for key, value in entries.items()}


def complete_versions(
    versions: Mapping[str, str | None], model: str | None, policy: str | None
) -> Mapping[str, str | None]:
    """Return the versions of one decision, with those that its tables state."""
    found = {"model": model, "policy": policy}
    other = [k for k, v in found.items() if v and versions[k] not in (None, v)]
    if other:
        raise LedgerError(
            "ledger.versions_contradict",
            "Ledger.record: 'versions' states other versions than the tables: {names}. "
            "Leave them out of 'versions'.",
            names=format_values(other),
        )
    return {**versions, **{k: v for k, v in found.items() if v}}
