"""What is known about a file while its map is proposed, and what speaks for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from smartrisk.errors import Message, format_values
from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._documents_found import Documents, Key
from smartrisk.intake._fits import fit_values
from smartrisk.intake._formats_found import Options
from smartrisk.intake._headers import fields_of, read_words
from smartrisk.intake._match import Rating, is_sure, rivals
from smartrisk.intake._money_found import Money
from smartrisk.intake._proposal import FieldProposal
from smartrisk.schema import DECLARATIONS, OUTCOMES


@dataclass
class Found:
    """What is known about one file while its map is made."""

    columns: Mapping[str, ColumnValues]
    ratings: dict[str, list[Rating]]
    assigned: dict[str, Rating]
    key: Key = field(default_factory=Key)
    documents: Documents | None = None
    money: Money = field(default_factory=Money)
    options: Options = field(default_factory=Options)
    named: bool = True


def make_parts(found: Found) -> list[FieldProposal]:
    """Return what speaks for every part of the map."""
    parts = []
    if found.key.columns:
        parts.append(_explain_key(found))
    for name, rating in found.assigned.items():
        if name in ("declaration_id", *found.money.sums):
            continue
        parts.append(_explain_field(name, rating, found))
    parts.extend(found.money.parts)
    parts.extend(_explain_missing(name, found) for name in _list_required(found))
    settings = found.options.settings
    for name, value in settings.items():
        doubt = found.options.doubts.get(name)
        note = found.options.notes.get(name)
        if name in ("date_format", "shared"):
            continue
        parts.append(
            FieldProposal(
                field=name,
                confidence=0.5 if doubt else 1.0,
                evidence=(note,) if note else (_say_option(name, value),),
                doubts=(doubt,) if doubt else (),
            )
        )
    for name, doubt in found.options.doubts.items():
        if name not in settings:
            parts.append(FieldProposal(field=name, confidence=0.5, doubts=(doubt,)))
    return [_add_doubt(part, found.money.doubts.get(part.field)) for part in parts]


def _add_doubt(part: FieldProposal, doubt: Message | None) -> FieldProposal:
    """Return a part with one more doubt, if there is any."""
    if doubt is None:
        return part
    return dataclasses.replace(
        part, confidence=min(part.confidence, 0.5), doubts=(*part.doubts, doubt)
    )


def _list_required(found: Found) -> list[str]:
    """Return required fields that no column was found for."""
    is_outcomes = "illicit" in found.ratings and "tariff_code" not in found.ratings
    needed = (OUTCOMES if is_outcomes else DECLARATIONS).required
    there = {*found.assigned, *(("declaration_id",) if found.key.columns else ())}
    return [name for name in needed if name not in there]


def _explain_missing(name: str, found: Found) -> FieldProposal:
    """Return the doubt about a required field that the file seems not to have."""
    used = {r.column for r in found.assigned.values()} | set(found.key.columns)
    rated = [r.column for r in found.ratings.get(name, ()) if r.values > 0.0]
    fitting = [
        column.name for column in found.columns.values() if fit_values(name, column) > 0
    ]
    others = [c for c in dict.fromkeys([*rated, *fitting]) if c not in used][:3]
    doubt = Message(
        "intake.required_missing",
        "no column was found for {field!r}, which every table needs.",
        field=name,
    )
    return FieldProposal(field=name, doubts=(doubt,), alternatives=tuple(others))


def _say_option(name: str, value: object) -> Message:
    """Return the evidence of an option without a note of its own."""
    return Message(
        "intake.values_show", "the values show {value!r}.", name=name, value=value
    )


def _explain_key(found: Found) -> FieldProposal:
    """Return what speaks for the key of documents."""
    key = found.key
    best = next(
        (
            r
            for r in found.ratings.get("declaration_id", ())
            if r.column == key.columns[-1]
        ),
        None,
    )
    doubts = []
    if key.is_substitute:
        doubts.append(
            Message(
                "intake.key_substitute",
                "{column!r} numbers rows or transport documents; it stands for the "
                "declaration only if there is no other number.",
                column=key.columns[0],
            )
        )
    elif best is None or best.total < 0.45:
        doubts.append(
            Message(
                "intake.key_unclear",
                "no name says that {columns} is the number of the document.",
                columns=format_values(key.columns),
            )
        )
    if not key.is_unique:
        doubts.append(
            Message(
                "intake.key_repeats",
                "{columns} and the item number do not distinguish all rows; the number "
                "of an office may start again each year.",
                columns=format_values(key.columns),
            )
        )
    n_documents = int(found.documents.codes.max() + 1) if found.documents else 0
    evidence = Message(
        "intake.key_found",
        "{columns}: {n_documents} documents in {n_rows} rows.",
        columns=format_values(key.columns),
        n_documents=n_documents,
        n_rows=len(found.documents.codes) if found.documents else 0,
    )
    used = {r.column for r in found.assigned.values()}
    others = [
        r.column
        for r in found.ratings.get("declaration_id", ())[:3]
        if r.column not in used and r.values > 0.0
    ]
    return FieldProposal(
        field="declaration_id",
        columns=key.columns,
        confidence=best.total if best else 0.3,
        evidence=(evidence,),
        doubts=tuple(doubts),
        alternatives=tuple(o for o in others if o not in key.columns) if doubts else (),
    )


def _explain_field(name: str, rating: Rating, found: Found) -> FieldProposal:
    """Return what speaks for the column of a field."""
    column = found.columns[rating.column]
    evidence = Message(
        "intake.column_fits",
        "the name fits by {name:.0%}, the values by {values:.0%}; such as {examples}.",
        name=rating.name,
        values=rating.values,
        examples=format_values(column.values, 3),
    )
    others = rivals(rating, found.ratings.get(name, ()), found.columns, found.assigned)
    return FieldProposal(
        field=name,
        columns=(rating.column,),
        confidence=rating.total,
        evidence=(evidence,),
        doubts=tuple(_doubts(name, rating, found, others)),
        alternatives=tuple(others),
    )


def _doubts(
    name: str, rating: Rating, found: Found, others: Sequence[str]
) -> list[Message]:
    """Return what is unsure about the column of a field."""
    column = found.columns[rating.column]
    doubts = []
    if others:
        doubts.append(
            Message(
                "intake.several_columns",
                "{columns} may be meant as well.",
                columns=format_values(others),
            )
        )
    if (
        name in fields_of("measures")
        and found.documents is not None
        and found.documents.is_per_document(column)
    ):
        doubts.append(
            Message(
                "intake.column_per_document",
                "{column!r} has one value per document: it is the total of the "
                "document, to be shared out over its items.",
                column=rating.column,
            )
        )
    elif not is_sure(rating):
        doubts.append(
            Message(
                "intake.name_or_values_unclear",
                "{column!r} is only the likeliest column.",
                column=rating.column,
            )
        )
    return doubts


#: Shares of the rows with a day, and of the documents with one, from which a column
#: may be the day of lodgement whatever its name is.
_DAYS, _ONE_DAY = 0.9, 0.95


def find_day(found: Found) -> None:
    """Take the only column of days as that of lodgement, where no name says which.

    A day of a result or of a payment is not taken, nor one of several. The proposal is
    unsure.
    """
    if not found.named or "lodged_at" in found.assigned or found.documents is None:
        return
    used = {r.column for r in found.assigned.values()} | set(found.key.columns)
    days = [
        (column, fit_values("lodged_at", column))
        for column in found.columns.values()
        if column.name not in used and column.filled >= _DAYS
    ]
    days = [(column, fit) for column, fit in days if fit >= _DAYS]
    if len(days) != 1:
        return
    column, fit = days[0]
    meanings = {meaning for word in read_words(column.name) for meaning in word}
    if meanings & {"later", "control", "result", "month"}:
        return
    if found.documents.share_constant(column) >= _ONE_DAY:
        rating = Rating("lodged_at", column.name, 0.0, fit, _DAYS * fit / 2)
        found.assigned["lodged_at"] = rating
