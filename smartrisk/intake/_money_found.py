"""Amounts that are made of several columns, and the currency they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smartrisk.errors import Message, format_values
from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._documents_found import Documents
from smartrisk.intake._headers import has_meaning
from smartrisk.intake._match import Rating
from smartrisk.intake._proposal import FieldProposal
from smartrisk.intake._sums import find_taxes, share_equal

#: Share of the rows in which CIF must be the sum of its parts.
_MOST = 0.95
#: Best rating of a CIF column above which its parts are not summed.
_CIF = 0.7


@dataclass
class Money:
    """Sums and currencies of a map.

    Parameters
    ----------
    sums : dict of str to list
        Field to the parts, as `ColumnMap(sums=...)` takes them.
    settings : dict
        Arguments of `ColumnMap`, sums included.
    columns : list of str
        Columns of the parts.
    parts : list of FieldProposal
        What speaks for each sum.
    doubts : dict of str to Message
        Field to what is unsure about its currency.
    """

    sums: dict[str, list[Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    parts: list[FieldProposal] = field(default_factory=list)
    doubts: dict[str, Message] = field(default_factory=dict)


def find_money(
    columns: Mapping[str, ColumnValues],
    assigned: dict[str, Rating],
    documents: Documents | None,
) -> Money:
    """Return sums of the value and of the taxes; `assigned` loses what they replace."""
    money = Money()
    _find_value(columns, assigned, documents, money)
    _find_duties(columns, assigned, money)
    _find_currency(assigned, money)
    _doubt_currencies(columns, assigned, money)
    if money.sums:
        money.settings["sums"] = money.sums
    return money


def _find_value(
    columns: Mapping[str, ColumnValues],
    assigned: dict[str, Rating],
    documents: Documents | None,
    money: Money,
) -> None:
    """Take FOB + freight + insurance where no column is their sum."""
    parts = [
        assigned[n].column
        for n in ("fob_value", "freight", "insurance")
        if n in assigned
    ]
    value = assigned.get("customs_value")
    if len(parts) < 2 or "fob_value" not in assigned:
        return
    if documents is not None and any(
        documents.is_per_document(columns[p]) for p in parts[:1]
    ):
        return
    if value is not None:
        share = share_equal(
            columns[value.column].numbers, [columns[p].numbers for p in parts]
        )
        is_total = documents is not None and documents.is_per_document(
            columns[value.column]
        )
        if share >= _MOST or (value.total >= _CIF and not is_total):
            return
    money.sums["customs_value"] = list(parts)
    money.columns += parts
    for name in ("customs_value",):
        assigned.pop(name, None)
    evidence = Message(
        "intake.value_of_parts",
        "no column is the customs value, which is {columns} together.",
        columns=format_values(parts),
    )
    money.parts.append(
        FieldProposal(
            field="customs_value",
            columns=tuple(parts),
            confidence=0.8,
            evidence=(evidence,),
        )
    )


def _find_duties(
    columns: Mapping[str, ColumnValues], assigned: dict[str, Rating], money: Money
) -> None:
    """Take the sum of the taxes where no column is their total."""
    total = assigned.get("duties_taxes")
    others = [r.column for n, r in assigned.items() if n != "duties_taxes"]
    found = find_taxes(columns, others)
    if found is None:
        return
    names, signs = list(found.columns), dict(found.signs)
    if total is not None and _is_total(total.column, names, columns):
        return
    if total is not None and has_meaning(total.column, "total"):
        return
    money.sums["duties_taxes"] = [
        {"column": n, "sign": signs[n], "missing_is_zero": True}
        if n in signs
        else {"column": n, "missing_is_zero": True}
        for n in names
    ]
    money.columns += names
    assigned.pop("duties_taxes", None)
    evidence = Message(
        "intake.taxes_summed",
        "no column is the total of {columns}.",
        columns=format_values(names, 10),
    )
    doubt = Message(
        "intake.taxes_unsure",
        "which of {columns} belong to duties and taxes is a guess by their names.",
        columns=format_values(names, 10),
    )
    sure = all(has_meaning(n, "duty") or n in signs for n in names)
    money.parts.append(
        FieldProposal(
            field="duties_taxes",
            columns=tuple(names),
            confidence=0.7 if sure else 0.5,
            evidence=(evidence,),
            doubts=() if sure else (doubt,),
        )
    )


def _is_total(
    name: str, parts: Sequence[str], columns: Mapping[str, ColumnValues]
) -> bool:
    """Return whether a column is the sum of the other taxes."""
    others = [columns[p].numbers for p in parts if p != name]
    return bool(others) and share_equal(columns[name].numbers, others) >= _MOST


def _find_currency(assigned: Mapping[str, Rating], money: Money) -> None:
    """Say the currency that the names of all amounts state."""
    value = assigned.get("customs_value")
    names = [value.column] if value else money.columns[:1]
    if names and all(has_meaning(n, "dollar") for n in names):
        money.settings["currency"] = "USD"
        money.parts.append(
            FieldProposal(
                field="currency",
                confidence=0.9,
                evidence=(
                    Message(
                        "intake.currency_named",
                        "{columns} name dollars.",
                        columns=format_values(names),
                    ),
                ),
            )
        )


def _doubt_currencies(
    columns: Mapping[str, ColumnValues], assigned: Mapping[str, Rating], money: Money
) -> None:
    """Doubt amounts beside a column that names several currencies.

    The column may be that of the invoice while the amounts are in national currency:
    only the administration knows.
    """
    currency, value = assigned.get("currency"), assigned.get("customs_value")
    names = [value.column] if value else list(money.sums.get("customs_value", ()))
    if currency is None or not names or columns[currency.column].n_distinct < 2:
        return
    if any(has_meaning(name, "national") for name in names):
        return
    rate = assigned.get("exchange_rate")
    column = columns[currency.column]
    money.doubts["customs_value"] = Message(
        "intake.several_currencies",
        "{column!r} names several currencies ({examples}). If {columns} are in them, "
        "convert them: currency = your own, and [convert.customs_value] with "
        "{settings}. If they are in your own currency, nothing is to be done.",
        column=currency.column,
        examples=format_values(column.values, 3),
        columns=format_values(names),
        settings=f'currency_column = "{currency.column}"'
        + (f', rate_column = "{rate.column}"' if rate else ""),
    )
