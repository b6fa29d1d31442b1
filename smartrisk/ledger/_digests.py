"""Entries as bytes in one form, and their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from smartrisk.errors import LedgerError

#: Format of entries: what an entry holds, and what its digest covers. The first entry
#: of a ledger states it.
FORMAT = "smartrisk-ledger/2"
#: Digest before the first entry.
START = hashlib.sha256(FORMAT.encode()).hexdigest()
#: Made once: `json.dumps` would make an encoder for each entry.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_entry(previous: str, seq: int, fields: Iterable[Any]) -> str:
    """Return the digest of an entry, which covers the digest of the one before."""
    whole = json.dumps([previous, seq, *fields], ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def canonical_json(body: Mapping[str, Any]) -> str:
    """Return JSON in one form: names sorted, without space, in ASCII."""
    return _ENCODER.encode(body)


def format_moment(moment: Any) -> str:
    """Return what a clock shows in UTC as ISO 8601."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise LedgerError(
            "ledger.clock_without_zone",
            "Ledger: 'clock' must return a datetime with a time zone, such as "
            "datetime.now(UTC); got {moment!r}.",
            moment=moment,
        )
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def parse_body(text: Any) -> dict[str, Any]:
    """Return the body of an entry, or raise when it was changed into no JSON."""
    try:
        body = json.loads(text)
    except (TypeError, ValueError):
        body = None
    if not isinstance(body, dict):
        raise LedgerError(
            "ledger.body_changed",
            "Ledger: the body of an entry is no JSON: it was changed. Verify the "
            "ledger with an anchor, and restore a copy.",
        )
    return body
