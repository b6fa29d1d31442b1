"""Fields of a file without names, from values alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._documents_found import (
    Documents,
    Key,
    counts_from_one,
    group_documents,
)
from smartrisk.intake._fits import fit_values, is_country
from smartrisk.intake._match import Rating
from smartrisk.intake._sums import find_parts

Columns = Mapping[str, ColumnValues]

#: Share of the rows in which a relation between columns must hold.
_ALMOST_ALL = 0.99
#: Rating of a field by its values where they are of a kind of their own, and where
#: they are only the likeliest.
_OWN_KIND, _LIKELY = 0.6, 0.4
#: Documents of a file, as a share of its rows: one of hundreds of items is rare.
_SOME_DOCUMENTS = 0.02
#: Rows below which few distinct values are no evidence.
_SOME = 30


class _Search:
    """Columns that are still free, and the fields that were found."""

    def __init__(self, columns: Columns, documents: Documents | None) -> None:
        self.columns = columns
        self.documents = documents
        self.free = list(columns)
        self.found: dict[str, Rating] = {}

    def take(self, field: str, column: str | None, rating: float) -> None:
        """Give a column to a field."""
        if column is not None and column in self.free and field not in self.found:
            self.found[field] = Rating(field, column, 0.0, rating, rating)
            self.free.remove(column)

    def amounts(self) -> list[str]:
        """Return the free columns of numbers with decimals."""
        return [
            n
            for n in self.free
            if self.columns[n].number_share > 0.95
            and self.columns[n].has_fractions
            and not self.columns[n].is_zero
        ]

    def per_document(self, name: str) -> bool:
        """Return whether a column has one value per document, as far as is known."""
        if self.documents is None:
            return True
        return self.documents.share_constant(self.columns[name]) > _ALMOST_ALL


def assign_by_values(
    columns: Columns,
    item: str | None,
    documents: Documents | None,
    taken: Sequence[str] = (),
) -> dict[str, Rating]:
    """Return one column per field where there are no names.

    Dates, tariff codes, countries and descriptions have values of their own kind;
    values, masses and duties are recognised by relations between columns; the rest is a
    guess by the number of distinct values.
    """
    search = _Search(columns, documents)
    search.free = [n for n in columns if n not in taken and columns[n].n_filled]
    search.take("item_number", item, _OWN_KIND)
    _take_own_kinds(search)
    _take_value(search)
    _take_masses(search)
    _take_duties(search)
    _take_texts(search)
    _take_codes(search)
    return search.found


def find_key_by_values(columns: Columns) -> tuple[Key, str | None]:
    """Return the key and the column of item numbers that number its documents.

    The number of a document is the column of most distinct values within which another
    one counts 1, 2, 3 and distinguishes all rows.
    """
    ids = [
        (c.n_distinct, n)
        for n, c in columns.items()
        if c.n_distinct >= max(3, _SOME_DOCUMENTS * len(c.texts))
        and c.filled > _ALMOST_ALL
        and not c.has_fractions
    ]
    items = [
        n
        for n, c in columns.items()
        if c.n_filled
        and c.share_matching("[0-9]{1,4}") > _ALMOST_ALL
        and c.numbers.min() == 1
    ]
    for n_distinct, name in sorted(ids, reverse=True):
        if n_distinct >= 0.98 * len(columns[name].texts):
            continue
        documents = group_documents(columns, Key((name,)))
        for item in items:
            if item != name and counts_from_one(columns[item], documents) > _ALMOST_ALL:
                return Key((name,), is_unique=True), item
    return Key(), None


def _take_own_kinds(search: _Search) -> None:
    """Take the columns whose values are of a kind of their own."""
    dates = _rank(search, "lodged_at", 0.9)
    # Of several dates, the one with one value per document and the fewest gaps.
    dates.sort(key=lambda n: (not search.per_document(n), -search.columns[n].filled))
    search.take("lodged_at", dates[0] if dates else None, _OWN_KIND)
    tariff = _rank(search, "tariff_code", 0.7)
    search.take("tariff_code", tariff[0] if tariff else None, _OWN_KIND)
    countries = [
        n
        for n in search.free
        if search.columns[n].share(is_country(v) for v in search.columns[n].values)
        > 0.9
        and search.columns[n].letters_share > 0.9
    ]
    for field, name in zip(("origin", "departure"), countries, strict=False):
        search.take(field, name, _LIKELY if len(countries) > 1 else _OWN_KIND)


def _rank(search: _Search, field: str, least: float) -> list[str]:
    """Return the free columns whose values fit a field, the best first."""
    fits = {n: fit_values(field, search.columns[n]) for n in search.free}
    return sorted((n for n in fits if fits[n] >= least), key=lambda n: -fits[n])


def _take_value(search: _Search) -> None:
    """Take the column that is the sum of three others, else the largest amounts."""
    amounts = search.amounts()
    for total in sorted(amounts, key=lambda n: -_median(search.columns[n])):
        parts = find_parts(search.columns, total, amounts)
        if parts is not None:
            search.take("customs_value", total, _OWN_KIND)
            for field, name in zip(
                ("fob_value", "freight", "insurance"), parts, strict=True
            ):
                search.take(field, name, _OWN_KIND)
            return
    if amounts:
        largest = max(amounts, key=lambda n: _median(search.columns[n]))
        search.take("customs_value", largest, _LIKELY)


def _median(column: ColumnValues) -> float:
    """Return the median of the amounts above 0; 0 without any."""
    numbers = column.numbers[column.numbers > 0]
    return float(np.median(numbers)) if len(numbers) else 0.0


def _take_masses(search: _Search) -> None:
    """Take two columns of which one is never above the other, and close to it."""
    best: tuple[float, str, str] | None = None
    for one, other in combinations(search.amounts(), 2):
        for net, gross in ((one, other), (other, one)):
            left, right = search.columns[net].numbers, search.columns[gross].numbers
            known = (left > 0) & (right > 0)
            if known.sum() < 10:
                continue
            ratio = left[known] / right[known]
            if (ratio <= 1.0001).mean() < _ALMOST_ALL or np.median(ratio) < 0.6:
                continue
            spread = float(np.std(ratio))
            if best is None or spread < best[0]:
                best = (spread, net, gross)
    if best is not None and best[0] < 0.25:
        search.take("net_mass_kg", best[1], _OWN_KIND)
        search.take("gross_mass_kg", best[2], _OWN_KIND)


def _take_duties(search: _Search) -> None:
    """Take the amount that follows value and rate, and the rate."""
    value = search.found.get("customs_value")
    if value is None:
        return
    amounts = search.columns[value.column].numbers
    best: tuple[float, str] | None = None
    for name in search.amounts():
        column = search.columns[name]
        known = (column.numbers > 0) & (amounts > 0)
        if known.sum() < _SOME:
            continue
        logs = np.log(column.numbers[known]) - np.log(amounts[known])
        follows = np.corrcoef(np.log(column.numbers[known]), np.log(amounts[known]))
        is_part = -5 < np.median(logs) < 0.5 and column.n_distinct > _SOME
        if (
            is_part
            and follows[0, 1] > 0.8
            and (best is None or follows[0, 1] > best[0])
        ):
            best = (float(follows[0, 1]), name)
    search.take("duties_taxes", best[1] if best else None, _LIKELY)
    rates = [
        n
        for n in _rank(search, "duty_rate", 0.9)
        if 3 <= search.columns[n].n_distinct <= 80
        and search.columns[n].mean_length <= 6
        and not search.per_document(n)
    ]
    fractions = [n for n in rates if search.columns[n].has_fractions]
    search.take("duty_rate", next(iter([*fractions, *rates]), None), _LIKELY)


def _take_texts(search: _Search) -> None:
    """Take the longest texts with blanks as the description, then the parties."""
    texts = [
        n
        for n in search.free
        if search.columns[n].letters_share > 0.9
        and search.columns[n].share(" " in v for v in search.columns[n].values) > 0.5
        and not (search.documents is not None and search.per_document(n))
    ]
    if texts:
        longest = max(texts, key=lambda n: search.columns[n].mean_length)
        search.take("description", longest, _OWN_KIND)
    parties = [
        n
        for n in search.free
        if search.columns[n].mean_length >= 4
        and not search.columns[n].has_fractions
        and search.columns[n].date_share < 0.5
        and 10 <= search.columns[n].n_distinct < 0.7 * search.columns[n].n_filled
        and search.per_document(n)
    ]
    parties.sort(key=lambda n: -search.columns[n].n_distinct)
    fields = ("importer_id", "declarant_id", "consignor_id")[: max(1, len(parties))]
    for field, name in zip(fields, parties, strict=False):
        search.take(field, name, _LIKELY)


def _take_codes(search: _Search) -> None:
    """Take what short codes are likely to be."""
    codes = [
        n
        for n in search.free
        if not search.columns[n].is_constant
        and search.columns[n].n_distinct <= max(60, 0.1 * search.columns[n].n_filled)
        and search.columns[n].mean_length <= 6
        and not search.columns[n].has_fractions
    ]
    modes = [
        n
        for n in codes
        if search.columns[n].share_matching("[0-9]") > _ALMOST_ALL
        and search.columns[n].n_distinct <= 9
    ]
    search.take("transport_mode", next(iter(modes), None), _LIKELY)
    offices = [n for n in codes if n in search.free and search.per_document(n)]
    offices = [n for n in offices if search.columns[n].n_distinct >= 3]
    search.take("office", next(iter(offices), None), _LIKELY)
    units = [
        n
        for n in codes
        if n in search.free
        and search.columns[n].share(
            re.fullmatch("[A-Z0-9]{2,3}", v) is not None
            for v in search.columns[n].values
        )
        > 0.95
        and search.columns[n].letters_share > 0.7
    ]
    search.take("quantity_unit", next(iter(units), None), _LIKELY)
