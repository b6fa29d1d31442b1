"""Entries before they have a number and a digest: typed, checked, without identities.

Everything that a caller passes goes through this file before anything is digested, so
that what the database returns later is what the digest covers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    LedgerError,
    TableError,
    format_values,
    suggest_nearest,
)
from smartrisk.items import are_document_hits
from smartrisk.ledger._cells import (
    UnfitError,
    is_missing,
    read_cells,
    to_flag,
    to_identifier,
    to_item_number,
    to_plain,
)
from smartrisk.lineage import SOURCE_ROW, parse_source_row
from smartrisk.schema import (
    CHANNELS,
    DECLARATIONS,
    TRADERS,
    Field,
    Table,
    TableInput,
)
from smartrisk.tables import read_table

#: A row as plain values.
Record: TypeAlias = dict[str, Any]
#: Declaration and number of an item.
ItemKey: TypeAlias = tuple[str, int]

#: Kinds of entries.
KINDS = ("opening", "decision", "override", "result", "note", "erasure")
#: Fields that can name a person.
IDENTITY_FIELDS = (*TRADERS, "officer_id")


class ReasonTable(Protocol):
    """Reasons of items, as ``engine.explain`` returns them."""

    def frame(self) -> pd.DataFrame:
        """Return one row per reason, with the key of the item and a sentence."""
        ...


@dataclass(frozen=True)
class Entry:
    """An entry before it has a number, a time and a digest."""

    kind: str
    body: Mapping[str, Any]
    declaration_id: str | None = None
    item_number: int | None = None


def read_value(owner: str, name: str, value: Any, read: Callable[[Any], Any]) -> Any:
    """Return one argument in a plain type, or raise by its name."""
    try:
        if is_missing(value):
            raise UnfitError
        return read(value)
    except (UnfitError, ValueError, OverflowError):
        kinds: dict[Callable[[Any], Any], str] = {
            to_identifier: "a printable text that is not blank, or a whole number",
            to_item_number: "a whole number from 0",
            to_flag: "True or False",
        }
        raise LedgerError(
            "ledger.argument_does_not_fit",
            "{owner}: {name!r} must be {kind}; got {value}.",
            owner=owner,
            name=name,
            kind=kinds[read],
            value=format_values([value]),
        ) from None


def read_key(owner: str, declaration_id: Any, item_number: Any) -> ItemKey:
    """Return the key of an item in plain types."""
    return (
        read_value(owner, "declaration_id", declaration_id, to_identifier),
        read_value(owner, "item_number", item_number, to_item_number),
    )


def read_channel(owner: str, channel: Any) -> str:
    """Return a channel, or raise with those that there are."""
    if isinstance(channel, str) and channel in CHANNELS:
        return str(channel)
    raise LedgerError(
        "ledger.unknown_channel",
        "{owner}: 'channel' must be one of {channels}; got {channel}.{hint}",
        owner=owner,
        channels=format_values(CHANNELS),
        channel=format_values([channel]),
        hint=suggest_nearest(str(channel), CHANNELS),
    )


def check_kind(owner: str, kind: Any) -> None:
    """Raise unless something is None or a kind of entries."""
    if kind is None or (isinstance(kind, str) and kind in KINDS):
        return
    raise LedgerError(
        "ledger.unknown_kind",
        "{owner}: 'kind' must be one of {kinds}; got {kind}.{hint}",
        owner=owner,
        kinds=format_values(KINDS, 10),
        kind=format_values([kind]),
        hint=suggest_nearest(str(kind), KINDS),
    )


def read_words(owner: str, name: str, words: Any) -> str:
    """Return a text of a person, which must not be blank."""
    if isinstance(words, str) and words.strip():
        return str(words)
    raise LedgerError(
        "ledger.text_is_blank",
        "{owner}: {name!r} must state why or what, as text; got {words}.",
        owner=owner,
        name=name,
        words=format_values([words]),
    )


def read_rows(owner: str, name: str, table: TableInput, fields: Table) -> list[Record]:
    """Return the rows of a table as plain values, after checking every one.

    Columns that the table does not have are refused: what is in the chain cannot be
    erased, so that nothing gets there by chance. The flags that `validate` adds, and
    the column ``source_row``, are not of the table, and are left out.
    """
    frame = _read_frame(owner, name, table)
    flags = [c for c in frame.columns if str(c).startswith("dq_") and c not in fields]
    frame = frame.drop(columns=[*flags, *frame.columns.intersection([SOURCE_ROW])])
    _check_columns(owner, name, frame, fields)
    columns = {
        str(column): read_cells(owner, _field_of(frame, fields, column), frame[column])
        for column in frame.columns
    }
    return _make_rows(owner, name, columns, len(frame))


def _field_of(frame: pd.DataFrame, fields: Table, column: Hashable) -> Field:
    """Return the field of a column; labels are missing where a document has the hit."""
    field = fields[str(column)]
    if field.name != "illicit" or "document_illicit" not in frame:
        return field
    missing = frame[column].isna().to_numpy(bool)
    return replace(field, nullable=bool((missing <= are_document_hits(frame)).all()))


def read_source_rows(table: TableInput) -> list[str | None] | None:
    """Return from which file and line each row came; None where it is not known."""
    frame = read_table("Ledger.record", "decisions", table)
    if frame is None or SOURCE_ROW not in frame:
        return None
    texts = frame[SOURCE_ROW].tolist()
    for text in texts:
        try:
            if not is_missing(text):
                parse_source_row(text)
        except ArgumentError as error:
            raise LedgerError(
                error.message_id, "Ledger.record: " + error.template, **error.values
            ) from error
    return [None if is_missing(text) else str(text) for text in texts]


def read_declared(owner: str, table: TableInput) -> list[Record]:
    """Return declared values as plain values, own fields too."""
    frame = _read_frame(owner, "declarations", table)
    columns: dict[str, list[Any]] = {}
    for name in map(str, frame.columns):
        if name == SOURCE_ROW:
            continue
        if name in ("declaration_id", "item_number"):
            columns[name] = read_cells(owner, DECLARATIONS[name], frame[name])
            continue
        try:
            columns[name] = [to_plain(value) for value in frame[name].tolist()]
        except (UnfitError, ValueError, OverflowError):
            raise LedgerError(
                "ledger.declared_values_do_not_fit",
                "{owner}: the column {name!r} of declarations holds values that cannot "
                "be recorded: only texts, finite numbers, dates and yes or no can. "
                "Replace the others, or leave them missing.",
                owner=owner,
                name=name,
            ) from None
    return _make_rows(owner, "declarations", columns, len(frame))


def _read_frame(owner: str, name: str, table: TableInput) -> pd.DataFrame:
    """Return a table as a frame with a key and distinct names of columns."""
    try:
        frame: pd.DataFrame | None = read_table(owner, name, table)
    except TableError as error:
        raise LedgerError(error.message_id, error.template, **error.values) from error
    if frame is None or "declaration_id" not in frame:
        raise LedgerError(
            "ledger.table_without_items",
            "{owner}: {name!r} must be a table with the column 'declaration_id'; "
            "without it there are no items.",
            owner=owner,
            name=name,
        )
    names = [str(column) for column in frame.columns]
    twice = [column for column, count in Counter(names).items() if count > 1]
    if twice:
        raise LedgerError(
            "ledger.columns_twice",
            "{owner}: {name!r} has the columns {columns} twice. Keep one of each.",
            owner=owner,
            name=name,
            columns=format_values(twice),
        )
    return frame


def _check_columns(owner: str, name: str, frame: pd.DataFrame, fields: Table) -> None:
    """Raise for columns that are missing, or that are not of the table."""
    names = [str(column) for column in frame.columns]
    missing = [column for column in fields.required if column not in names]
    if missing:
        raise LedgerError(
            "ledger.columns_missing",
            "{owner}: {name!r} lacks the columns {columns}.{hint}",
            owner=owner,
            name=name,
            columns=format_values(missing),
            hint=suggest_nearest(missing[0], names),
        )
    persons = [c for c in names if c in IDENTITY_FIELDS and c not in fields]
    if persons:
        raise LedgerError(
            "ledger.identities_in_the_chain",
            "{owner}: the columns {columns} of {name!r} name persons, and the chain "
            "cannot be erased. Drop them; pass the items as 'declarations', which are "
            "stored where they can be erased.",
            owner=owner,
            name=name,
            columns=format_values(persons),
        )
    unknown = [column for column in names if column not in fields]
    if unknown:
        raise LedgerError(
            "ledger.unknown_columns",
            "{owner}: {name!r} has columns that {table} has not: {columns}.{hint} Drop "
            "or rename them.",
            owner=owner,
            name=name,
            table=fields.name,
            columns=format_values(unknown),
            hint=suggest_nearest(unknown[0], fields.names),
        )


def _make_rows(
    owner: str, name: str, columns: Mapping[str, list[Any]], n_rows: int
) -> list[Record]:
    """Return columns as rows with distinct keys; item numbers are 1 when absent."""
    columns = {**columns}
    columns.setdefault("item_number", [1] * n_rows)
    keys = zip(columns["declaration_id"], columns["item_number"], strict=True)
    counts = Counter(keys)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        raise LedgerError(
            "ledger.items_twice",
            "{owner}: {name!r} holds {n_twice} items twice: {items}. Record each item "
            "once; number the items of a document in 'item_number'.",
            owner=owner,
            name=name,
            n_twice=len(twice),
            items=format_values(twice),
        )
    return [
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]


def item_key(row: Mapping[str, Any]) -> ItemKey:
    """Return the key of a row."""
    return row["declaration_id"], row["item_number"]


def drop_key(row: Mapping[str, Any]) -> Record:
    """Return a row without its key."""
    return {k: v for k, v in row.items() if k not in ("declaration_id", "item_number")}


def sentences_by_item(owner: str, reasons: Any) -> dict[ItemKey, list[str]]:
    """Return the sentences of reasons by item, in order."""
    out: dict[ItemKey, list[str]] = {}
    if reasons is None:
        return out
    table = reasons.frame() if callable(getattr(reasons, "frame", None)) else None
    if not isinstance(table, pd.DataFrame) or "sentence" not in table:
        raise LedgerError(
            "ledger.not_reasons",
            "{owner}: 'reasons' must be what engine.explain returns; got {type_name}.",
            owner=owner,
            type_name=type(reasons).__name__,
        )
    keys = {
        name: read_cells(owner, DECLARATIONS[name], table[name])
        if name in table
        else [1] * len(table)
        for name in ("declaration_id", "item_number")
    }
    for name, number, text in zip(*keys.values(), table["sentence"], strict=True):
        out.setdefault((name, number), []).append(str(text))
    return out
