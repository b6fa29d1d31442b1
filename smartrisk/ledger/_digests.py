"""Tables as entries: plain values in one form, and their digests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

import pandas as pd

from smartrisk.errors import ArgumentError, format_values

#: A row as plain values.
Record: TypeAlias = dict[str, Any]
#: Declaration and number of an item.
ItemKey: TypeAlias = tuple[str, int]


class ReasonTable(Protocol):
    """Reasons of items, as ``engine.explain`` returns them."""

    def frame(self) -> pd.DataFrame:
        """Return one row per reason, with the key of the item and a sentence."""
        ...


def digest_entry(previous: str, seq: int, fields: Iterable[Any]) -> str:
    """Return the digest of an entry, which covers the digest of the one before."""
    whole = json.dumps([previous, seq, *fields], ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def utc_now() -> str:
    """Return the moment in UTC as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def canonical_json(body: Mapping[str, Any]) -> str:
    """Return JSON in one form: names sorted, without space."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def to_plain(value: Any) -> Any:
    """Return a value in plain types for JSON; a missing one is None."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item"):
        return to_plain(value.item())
    return None if str(value) in ("<NA>", "NaT") else str(value)


def to_records(table: pd.DataFrame) -> list[Record]:
    """Return the rows of a table as plain values; a missing item number becomes 1."""
    names = [str(name) for name in table.columns]
    if "declaration_id" not in names:
        raise ArgumentError(
            "ledger.table_without_items",
            "Ledger: a table without 'declaration_id' has no items.",
        )
    columns = [[to_plain(v) for v in table[name].tolist()] for name in names]
    infinite = [
        name
        for name, values in zip(names, columns, strict=True)
        if any(isinstance(v, float) and math.isinf(v) for v in values)
    ]
    if infinite:
        raise ArgumentError(
            "ledger.infinite_numbers",
            "Ledger: infinite numbers in the columns {columns} cannot be "
            "recorded; replace them, or leave them missing.",
            columns=format_values(infinite),
        )
    rows = [
        dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)
    ]
    for row in rows:
        row.setdefault("item_number", 1)
    return rows


def item_key(row: Mapping[str, Any]) -> ItemKey:
    """Return the key of a row."""
    return str(row["declaration_id"]), int(row["item_number"])


def drop_key(row: Mapping[str, Any]) -> Record:
    """Return a row without its key."""
    return {k: v for k, v in row.items() if k not in ("declaration_id", "item_number")}


def align_records(
    name: str, table: pd.DataFrame | None, rows: list[Record]
) -> list[Record] | None:
    """Return the rows of another table, which must be of the same items in order."""
    if table is None:
        return None
    other = to_records(table)
    if [item_key(r) for r in other] != [item_key(r) for r in rows]:
        decided = set(map(item_key, rows))
        unknown = [k for k in map(item_key, other) if k not in decided]
        raise ArgumentError(
            "ledger.table_not_aligned",
            "Ledger.record: {name!r} must hold the {n_decided} decided items in "
            "their order; got {n_rows}, of which not decided: {unknown}.",
            name=name,
            n_decided=len(rows),
            n_rows=len(other),
            unknown=format_values(unknown) or "none",
        )
    return other


def digest_item(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return the digest of declared values, and the text that it is of."""
    fields = canonical_json(dict(item))
    return hashlib.sha256(fields.encode()).hexdigest(), fields


def sentences_by_item(reasons: ReasonTable | None) -> dict[ItemKey, list[str]]:
    """Return the sentences of reasons by item, in order."""
    out: dict[ItemKey, list[str]] = {}
    if reasons is None:
        return out
    for row in to_records(reasons.frame()):
        out.setdefault(item_key(row), []).append(str(row["sentence"]))
    return out
