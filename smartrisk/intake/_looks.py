"""The checks of a first look at a table: one function per kind of trouble."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from smartrisk.errors import Message, format_values
from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._documents_found import Documents
from smartrisk.intake._headers import words_of
from smartrisk.intake._sums import share_equal
from smartrisk.languages import N_
from smartrisk.schema import TRADERS

#: Rows that an identifier must have to be well known, when a rare one is near it.
_WELL_KNOWN = 5
#: Distinct identifiers that are compared with each other.
_MOST_IDS = 20_000
#: Consecutive rows that count on by one: a cell was dragged down a sheet.
_DRAGGED = 5
#: Share of the rows that a group of months must hold to be the period of a table, and
#: months without any row that separate a date from it.
_PERIOD, _GAP = 0.98, 2
#: Rows of which amounts are added up.
_MOST_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Look:
    """One finding of a first look.

    Parameters
    ----------
    check : str
        Which check found it.
    columns : tuple of str
        Columns that it concerns.
    count : int
        Rows, values or columns, as the message says.
    message : Message
        What was found.
    examples : tuple of str, default=()
        Values.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> from smartrisk.intake import Look
    >>> message = Message("intake.rows_repeated", "{count} rows repeat.", count=2)
    >>> Look(check="repeated rows", columns=(), count=2, message=message).count
    2
    """

    check: str
    columns: tuple[str, ...]
    count: int
    message: Message
    examples: tuple[str, ...] = ()


class Subject(Protocol):
    """What is looked at: a table, its columns as texts, and columns by field."""

    @property
    def frame(self) -> pd.DataFrame:
        """Return the table as it is written."""

    @property
    def columns(self) -> Mapping[str, ColumnValues]:
        """Return the columns as texts."""

    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """Return the columns of each field."""


def look_at_rows(subject: Subject) -> Iterator[Look]:
    """Find rows that repeat, and keys that do."""
    names = list(subject.columns)
    texts = pd.DataFrame({n: subject.columns[n].texts for n in names})
    repeated = int(texts.duplicated().sum()) if names else 0
    if repeated:
        yield Look(
            check="repeated rows",
            columns=(),
            count=repeated,
            message=Message(
                "intake.rows_repeated",
                "{count} rows repeat an earlier row in every column: the file may have "
                "been written twice.",
                count=repeated,
            ),
        )
    key = [*subject.fields.get("declaration_id", ())]
    key += subject.fields.get("item_number", ())
    if len(key) > 1:
        twice = texts[texts[key].notna().all(axis=1)].duplicated(key)
        count = int(twice.sum()) - repeated
        if count > 0:
            yield Look(
                check="repeated keys",
                columns=tuple(key),
                count=count,
                message=Message(
                    "intake.keys_repeated",
                    "{columns}: {count} rows have the key of an earlier row and other "
                    "content.",
                    columns=format_values(key),
                    count=count,
                ),
            )


def look_at_columns(subject: Subject) -> Iterator[Look]:
    """Find columns without a value, with one value, and all zero."""
    columns = list(subject.columns.values())
    empty = [c.name for c in columns if c.n_filled == 0]
    zero = [
        c.name for c in columns if c.n_filled and c.number_share > 0.9 and c.is_zero
    ]
    one = [
        c.name for c in columns if c.is_constant and c.n_filled and c.name not in zero
    ]
    for check, names, message in (
        ("empty columns", empty, N_("columns without any value: {columns}.")),
        ("zero columns", zero, N_("columns that are zero in every row: {columns}.")),
        ("constant columns", one, N_("columns with one value: {columns}.")),
    ):
        if names and len(subject.frame) > 1:
            yield Look(
                check=check,
                columns=tuple(names),
                count=len(names),
                message=_column_message(check, message, names),
            )


def _column_message(check: str, template: str, names: Sequence[str]) -> Message:
    """Return a message about columns."""
    identifier = f"intake.{check.replace(' ', '_')}"
    return Message(identifier, template, columns=format_values(names, 12))


def look_at_documents(subject: Subject) -> Iterator[Look]:
    """Find printed totals of documents, and counts of items, that do not hold."""
    key = subject.fields.get("declaration_id")
    if not key:
        return
    joined = pd.concat([subject.columns[n].texts.fillna("") for n in key], axis=1)
    codes = pd.factorize(joined.agg("-".join, axis=1))[0]
    documents = Documents(codes)
    sizes = np.bincount(codes)[codes].astype(float)
    for column in subject.columns.values():
        if column.number_share < 0.9 or not documents.is_per_document(column):
            continue
        yield from _count_of_items(column, sizes, codes)
        for name in ("customs_value", "gross_mass_kg", "net_mass_kg", "duties_taxes"):
            items = subject.fields.get(name, ())
            if len(items) == 1 and items[0] != column.name:
                yield from _total_of_items(column, subject.columns[items[0]], codes)


def _count_of_items(
    column: ColumnValues, sizes: np.ndarray, codes: np.ndarray
) -> Iterator[Look]:
    """Compare a column that counts items with the rows of each document."""
    same = column.numbers == sizes
    share = float(same[~np.isnan(column.numbers)].mean()) if len(same) else 0.0
    if not 0.8 < share < 1.0:
        return
    count = int(pd.Series(codes[~same & ~np.isnan(column.numbers)]).nunique())
    yield Look(
        check="counts of items",
        columns=(column.name,),
        count=count,
        message=Message(
            "intake.count_of_items",
            "{column!r} counts the items of a document, and differs from the rows of "
            "{count} documents: rows are missing or twice there.",
            column=column.name,
            count=count,
        ),
    )


def _total_of_items(
    column: ColumnValues, items: ColumnValues, codes: np.ndarray
) -> Iterator[Look]:
    """Compare a printed total with the sum of the items of each document."""
    amounts = np.nan_to_num(items.numbers)
    sums = np.asarray(np.bincount(codes, weights=amounts), np.float64)
    firsts = pd.Series(column.numbers).groupby(codes).first()
    first = np.asarray(firsts.to_numpy(), np.float64)
    share = share_equal(first, [sums])
    if not 0.8 < share < 1.0:
        return
    wrong = ~np.isclose(first, sums, rtol=2e-3, atol=0.02) & ~np.isnan(first)
    yield Look(
        check="printed totals",
        columns=(column.name, items.name),
        count=int(wrong.sum()),
        message=Message(
            "intake.printed_totals",
            "{column!r} is the total of {items!r} in {share:.1%} of the documents; in "
            "{count} it differs: items are missing there, or were changed.",
            column=column.name,
            items=items.name,
            share=share,
            count=int(wrong.sum()),
        ),
    )


def look_at_parties(subject: Subject) -> Iterator[Look]:
    """Find parties that are none, damaged identifiers, and identifiers side by side."""
    for name in _parties(subject):
        raw = subject.frame[name]
        texts = raw.astype("str").str.strip()
        filled = raw.notna() & (texts != "")
        yield from _nobody(name, texts[filled])
        yield from _find_damaged(name, texts[filled])
        yield from _find_dragged(name, texts[filled])
        if name not in subject.fields.get("declaration_id", ()):
            yield from _neighbours(name, subject.columns[name])


def _parties(subject: Subject) -> list[str]:
    """Return the columns of parties and documents."""
    fields = (*TRADERS, "officer_id", "declaration_id")
    found = [subject.fields[f][-1] for f in fields if subject.fields.get(f)]
    return list(dict.fromkeys(found)) or [
        n
        for n, c in subject.columns.items()
        if re.search(r"import|declarant|tin|id$", n)
    ]


def _nobody(name: str, texts: pd.Series) -> Iterator[Look]:
    """Find texts that stand for no party."""
    nobody = [word.replace("_", " ") for word in words_of("nobody")]
    plain = texts.str.casefold().str.replace(r"[^\w]+", " ", regex=True).str.strip()
    signs = (plain == "") | plain.isin(nobody) | plain.str.fullmatch(r"0+|9{5,}")
    count = int(signs.sum())
    if count:
        values = texts[signs].value_counts()
        yield Look(
            check="no party",
            columns=(name,),
            count=count,
            examples=tuple(values.index[:_MOST_EXAMPLES]),
            message=Message(
                "intake.no_party",
                "{column!r}: {count} rows ({share:.1%}) name nobody: {values}. Read as "
                "a party, all of them would be one trader.",
                column=name,
                count=count,
                share=count / len(texts),
                values=format_values(values.index),
            ),
        )


def _find_damaged(name: str, texts: pd.Series) -> Iterator[Look]:
    """Find identifiers that went through numbers of a spreadsheet."""
    for check, pattern, template in (
        (
            "numbers with .0",
            r"[0-9]+\.0+",
            N_(
                "{column!r}: {count} rows ({share:.1%}) end in .0, such as {values}: "
                "the identifiers went through numbers with decimals."
            ),
        ),
        (
            "scientific notation",
            r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+",
            N_(
                "{column!r}: {count} rows ({share:.1%}) are in scientific notation, "
                "such as {values}: a spreadsheet rounded them. Export the column as "
                "text."
            ),
        ),
    ):
        found = texts[texts.str.fullmatch(pattern)]
        if len(found):
            yield Look(
                check=check,
                columns=(name,),
                count=len(found),
                examples=tuple(found.drop_duplicates().head(_MOST_EXAMPLES)),
                message=Message(
                    f"intake.{'point_zero' if '.0' in check else 'scientific'}",
                    template,
                    column=name,
                    count=len(found),
                    share=len(found) / len(texts),
                    values=format_values(found.drop_duplicates(), 3),
                ),
            )


def _find_dragged(name: str, texts: pd.Series) -> Iterator[Look]:
    """Find rows in which an identifier counts on by one: a cell was dragged down."""
    digits = texts.str.extract(r"([0-9]{1,15})$")[0]
    numbers = pd.to_numeric(digits, errors="coerce").to_numpy(np.float64)
    heads = texts.str.replace(r"[0-9]{1,15}$", "", regex=True).to_numpy()
    if len(numbers) < _DRAGGED:
        return
    counts_on = (np.diff(numbers) == 1) & (heads[1:] == heads[:-1])
    if counts_on.mean() > 0.2:
        return  # a column that numbers rows or documents
    edges = np.flatnonzero(np.diff(np.r_[False, counts_on, False].astype(int)))
    runs = edges[1::2] - edges[::2]
    count = int(runs[runs >= _DRAGGED - 1].sum())
    if count:
        start = edges[::2][np.argmax(runs)]
        yield Look(
            check="numbers that count on",
            columns=(name,),
            count=count,
            examples=tuple(texts.iloc[start : start + 3]),
            message=Message(
                "intake.counts_on",
                "{column!r}: in {count} rows the identifier is that of the row above "
                "plus one, such as {values}: a cell may have been dragged down.",
                column=name,
                count=count,
                values=format_values(texts.iloc[start : start + 3]),
            ),
        )


def _neighbours(name: str, column: ColumnValues) -> Iterator[Look]:
    """Find rare identifiers that differ by one character from a frequent one."""
    counts = column.counts.head(_MOST_IDS)
    known = {str(v) for v, n in counts.items() if n >= _WELL_KNOWN and len(str(v)) > 5}
    rare = [str(v) for v, n in counts.items() if n == 1 and len(str(v)) > 5]
    if not known or column.n_distinct > 0.8 * column.n_filled:
        return
    gaps = {(k, v[:k] + v[k + 1 :]): v for v in known for k in range(len(v))}
    pairs = []
    for value in rare:
        for k in range(len(value)):
            other = gaps.get((k, value[:k] + value[k + 1 :]))
            if other is not None and len(other) == len(value):
                pairs.append((value, other))
                break
    # Numbers that are given one after the other are neighbours by themselves.
    if pairs and len(pairs) < 0.2 * len(rare) + 1:
        yield Look(
            check="neighbouring identifiers",
            columns=(name,),
            count=len(pairs),
            examples=tuple(f"{a} / {b}" for a, b in pairs[:_MOST_EXAMPLES]),
            message=Message(
                "intake.neighbouring_ids",
                "{column!r}: identifiers of one row that differ by one character from "
                "a frequent one: {count}, such as {rare!r} from {known!r}. They may be "
                "mistyped.",
                column=name,
                count=len(pairs),
                rare=pairs[0][0],
                known=pairs[0][1],
            ),
        )


def look_at_codes(subject: Subject) -> Iterator[Look]:
    """Find codes that differ by zeros, case or signs only."""
    held = {c: f for f, sources in subject.fields.items() for c in sources}
    for name, column in subject.columns.items():
        is_free = held.get(name) in ("description", "lodged_at", "item_number")
        if is_free or column.has_fractions or column.n_distinct > _MOST_IDS:
            continue
        if column.date_share > 0.9 or column.mean_length > 30:
            continue
        groups = _spellings(column)
        if groups:
            yield Look(
                check="spellings",
                columns=(name,),
                count=len(groups),
                examples=tuple(" = ".join(g) for g in groups[:_MOST_EXAMPLES]),
                message=Message(
                    "intake.spellings",
                    "{column!r}: values that are written in several ways: {count}, "
                    "such as {first!r} and {second!r}.",
                    column=name,
                    count=len(groups),
                    first=groups[0][0],
                    second=groups[0][1],
                ),
            )


def _spellings(column: ColumnValues) -> list[list[str]]:
    """Return groups of values that are equal without zeros, case, signs and .0."""
    groups: dict[str, list[str]] = defaultdict(list)
    for value in map(str, column.counts.index):
        plain = re.sub(r"\.0+$", "", value).casefold()
        plain = re.sub(r"[^\w]+|_", "", plain).lstrip("0") or "0"
        groups[plain].append(value)
    return sorted((sorted(g) for g in groups.values() if len(g) > 1), key=len)[::-1]


def look_at_dates(subject: Subject) -> Iterator[Look]:
    """Find dates far from all others, and dates in several formats."""
    for name, column in subject.columns.items():
        if column.date_share < 0.5 or column.mean_length < 6:
            continue
        if column.date_share < 0.995 and _two_orders(column) < 0.995:
            share = max(column.date_share, _two_orders(column))
            yield Look(
                check="formats of dates",
                columns=(name,),
                count=round((1 - share) * column.n_filled),
                message=Message(
                    "intake.formats_of_dates",
                    "{column!r}: one format reads {share:.1%} of the dates; the others "
                    "are written in another way.",
                    column=name,
                    share=share,
                ),
            )
        yield from _outside(name, column)


def _two_orders(column: ColumnValues) -> float:
    """Return the share of dates that long and short years of one order read."""
    shares = column.date_shares
    return max(
        shares.get("%d/%m/%Y", 0) + shares.get("%d/%m/%y", 0),
        shares.get("%m/%d/%Y", 0) + shares.get("%m/%d/%y", 0),
    )


def _outside(name: str, column: ColumnValues) -> Iterator[Look]:
    """Find the dates outside the months in which almost all others are."""
    months = column.months
    counts = pd.Series(months[months >= 0]).value_counts().sort_index()
    if counts.sum() < 50:
        return
    bounds = np.flatnonzero(np.diff(counts.index.to_numpy()) > _GAP) + 1
    parts = np.split(np.arange(len(counts)), bounds)
    sizes = [int(counts.iloc[p].sum()) for p in parts]
    largest = int(np.argmax(sizes))
    if len(parts) < 2 or sizes[largest] < _PERIOD * counts.sum():
        return
    first, last = (counts.index[parts[largest][k]] for k in (0, -1))
    outside = [
        str(v) for v, m in column.month_of.items() if m >= 0 and not first <= m <= last
    ]
    count = int(counts.sum() - sizes[largest])
    yield Look(
        check="dates outside",
        columns=(name,),
        count=count,
        examples=tuple(outside[:_MOST_EXAMPLES]),
        message=Message(
            "intake.dates_outside",
            "{column!r}: {count} dates lie outside {first} to {last}, in which all "
            "others are: {values}.",
            column=name,
            count=count,
            first=f"{first // 12}-{first % 12 + 1:02d}",
            last=f"{last // 12}-{last % 12 + 1:02d}",
            values=format_values(outside, 3),
        ),
    )


def look_at_amounts(subject: Subject) -> Iterator[Look]:
    """Find numbers that are negative, or far from all others."""
    for name in ("customs_value", "net_mass_kg", "gross_mass_kg", "duties_taxes"):
        for source in subject.fields.get(name, ())[:1]:
            numbers = subject.columns[source].numbers
            known = numbers[~np.isnan(numbers)]
            negative = int((known < 0).sum())
            if negative:
                yield _amount(
                    "negative amounts",
                    source,
                    negative,
                    Message(
                        "intake.negative_amounts",
                        "{column!r}: {count} rows are below zero.",
                        column=source,
                        count=negative,
                    ),
                )
            positive = np.sort(known[known > 0])
            if len(positive) > 100 and positive[-1] > 1000 * positive[-2]:
                yield _amount(
                    "largest amount",
                    source,
                    1,
                    Message(
                        "intake.largest_amount",
                        "{column!r}: the largest value, {largest:g}, is more than a "
                        "thousand times the next.",
                        column=source,
                        largest=float(positive[-1]),
                    ),
                )


def _amount(check: str, name: str, count: int, message: Message) -> Look:
    """Return a finding about amounts."""
    return Look(check=check, columns=(name,), count=count, message=message)
