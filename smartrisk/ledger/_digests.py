"""Tables as entries: plain values in one form, and their digests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from smartrisk.errors import ArgumentError, format_values


def sealed(previous: str, seq: int, fields: Iterable[Any]) -> str:
    """Return the digest of an entry."""
    whole = json.dumps([previous, seq, *fields], ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def now() -> str:
    """Return the moment in UTC as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def text(body: Any) -> str:
    """Return JSON in one form: sorted, without space."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: Any) -> Any:
    """Return a value as JSON knows it; what is missing is None."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item"):
        return plain(value.item())
    return None if str(value) in ("<NA>", "NaT") else str(value)


def records(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values; without item numbers they are 1."""
    names = [str(name) for name in table.columns]
    if "declaration_id" not in names:
        raise ArgumentError(
            "ledger.table_without_declaration_id_items",
            "Ledger: a table without 'declaration_id' has no items.",
        )
    columns = [[plain(v) for v in table[name].tolist()] for name in names]
    endless = [
        name
        for name, values in zip(names, columns, strict=True)
        if any(isinstance(v, float) and math.isinf(v) for v in values)
    ]
    if endless:
        raise ArgumentError(
            "ledger.infinite_numbers_columns_cannot",
            "Ledger: infinite numbers in the columns {endless} cannot be "
            "recorded; replace them, or leave them missing.",
            endless=format_values(endless),
        )
    rows = [
        dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)
    ]
    for row in rows:
        row.setdefault("item_number", 1)
    return rows


def key(row: Mapping[str, Any]) -> tuple[str, int]:
    """Return the key of a row."""
    return str(row["declaration_id"]), int(row["item_number"])


def without_key(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without its key."""
    return {k: v for k, v in row.items() if k not in ("declaration_id", "item_number")}


def aligned(
    name: str, table: Any, rows: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    """Return another table's rows; they must be of the same items in the same order."""
    if table is None:
        return None
    other = records(table)
    if [key(r) for r in other] != [key(r) for r in rows]:
        strange = [k for k in map(key, other) if k not in set(map(key, rows))]
        raise ArgumentError(
            "ledger.decided_items_their_order",
            "Ledger.record: {name!r} must hold the {n_rows} decided items in "
            "their order; got {n_other}, others being {strange}.",
            name=name,
            n_rows=len(rows),
            n_other=len(other),
            strange=format_values(strange),
        )
    return other


def digest_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return the digest of declared values, and their text."""
    fields = text(dict(item))
    return hashlib.sha256(fields.encode()).hexdigest(), fields


def told(reasons: Any) -> dict[tuple[str, int], list[str]]:
    """Return the sentences of reasons by item, in order."""
    out: dict[tuple[str, int], list[str]] = {}
    if reasons is None:
        return out
    for row in records(reasons.frame()):
        out.setdefault(key(row), []).append(str(row["sentence"]))
    return out


def same(recorded: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Return whether two scores are the same, to the last digits of rounding."""
    names = ("risk_score", "expected_revenue")
    return all(
        math.isclose(recorded[n], again[n], rel_tol=1e-9, abs_tol=1e-12)
        for n in names
        if n in recorded and n in again
    )
