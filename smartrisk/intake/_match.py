"""Which column holds which field: names propose, values decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._documents_found import Documents, counts_from_one
from smartrisk.intake._fits import fit_values
from smartrisk.intake._headers import fields_of, rate_header
from smartrisk.schema import DECLARATIONS, OUTCOMES

#: Ratings below which a column is not proposed: for what every file has, and for
#: results and further fields, whose words mean other things as well.
_LEAST, _LEAST_RARE = 0.3, 0.5
#: Ratings from which a proposal is sure, and how far the next column must be behind.
_SURE_NAME, _SURE_VALUES, _BEHIND = 0.62, 0.65, 0.87
#: What the values add to the rating of a name.
_BY_NAME = 0.35
#: Rating of a field by its values alone, where names are no evidence.
_BY_VALUES = 0.55


@dataclass(frozen=True)
class Rating:
    """How well one column fits one field.

    Parameters
    ----------
    field, column : str
        The pair.
    name : float
        How well the header names the field, from 0 to 1.
    values : float
        How well the values fit, from 0 to 1; 0 rules the column out.
    total : float
        Both together.
    """

    field: str
    column: str
    name: float
    values: float
    total: float


def rate_all(
    columns: Mapping[str, ColumnValues], table: str, *, by_values: bool
) -> dict[str, list[Rating]]:
    """Return the ratings of every field of a table, the best column first.

    Parameters
    ----------
    columns : mapping of str to ColumnValues
        All columns.
    table : {"declarations", "outcomes"}
        Which fields.
    by_values : bool
        Whether values propose a column without a name, for files without names.
    """
    fields = DECLARATIONS if table == "declarations" else OUTCOMES
    return {
        field.name: rate_field(columns, field.name, table, by_values=by_values)
        for field in fields
    }


def rate_field(
    columns: Mapping[str, ColumnValues], field: str, table: str, *, by_values: bool
) -> list[Rating]:
    """Return the ratings of a field, the best column first."""
    ratings = []
    for name, column in columns.items():
        named = rate_header(name, field, table)
        if named < 0.2 and not (by_values and field not in fields_of("names_only")):
            continue
        fit = fit_values(field, column) * _discount(column)
        total = named * (_BY_NAME + (1 - _BY_NAME) * fit) if fit > 0.0 else 0.0
        if by_values and fit > 0.0 and field not in fields_of("names_only"):
            total = max(total, _BY_VALUES * fit)
        ratings.append(Rating(field, name, named, fit, total))
    return sorted(ratings, key=lambda r: -r.total)


def _discount(column: ColumnValues) -> float:
    """Return what missing values cost."""
    return 0.5 + 0.5 * min(1.0, column.filled / 0.5)


def weigh_documents(
    ratings: dict[str, list[Rating]],
    columns: Mapping[str, ColumnValues],
    documents: Documents,
) -> dict[str, list[Rating]]:
    """Return ratings that know which columns have one value per document."""
    weighed = {}
    for field, rated in ratings.items():
        new = [_weigh(r, columns[r.column], documents) for r in rated]
        weighed[field] = sorted(new, key=lambda r: -r.total)
    return weighed


def _weigh(rating: Rating, column: ColumnValues, documents: Documents) -> Rating:
    """Return a rating with what the documents say about it."""
    factor = 1.0
    if rating.field in fields_of("measures") and documents.is_per_document(column):
        factor = 0.4
    elif rating.field in fields_of("of_item") and documents.is_per_document(column):
        factor = 0.75
    elif rating.field in fields_of("of_document") and documents.n_several >= 5:
        factor = 0.6 + 0.4 * documents.share_constant(column)
    elif rating.field == "item_number":
        factor = 0.3 + 0.7 * counts_from_one(column, documents)
    return Rating(
        rating.field, rating.column, rating.name, rating.values, rating.total * factor
    )


def assign(
    ratings: Mapping[str, Sequence[Rating]], taken: Sequence[str] = ()
) -> dict[str, Rating]:
    """Return one column per field, every column used once, the best pairs first.

    Parameters
    ----------
    ratings : mapping of str to sequence of Rating
        Ratings of every field.
    taken : sequence of str
        Columns that are not free.
    """
    pairs = [r for rated in ratings.values() for r in rated if r.total >= _least(r)]
    pairs.sort(key=lambda r: (-r.total, r.field))
    used, found = set(taken), {}
    for rating in pairs:
        if rating.field not in found and rating.column not in used:
            found[rating.field] = rating
            used.add(rating.column)
    return found


def _least(rating: Rating) -> float:
    """Return the rating that a proposal needs."""
    is_result = rating.field in OUTCOMES and rating.field not in DECLARATIONS
    return _LEAST_RARE if rating.field in fields_of("rare") or is_result else _LEAST


def rivals(
    rating: Rating,
    rated: Sequence[Rating],
    columns: Mapping[str, ColumnValues],
    assigned: Mapping[str, Rating],
) -> list[str]:
    """Return other columns that fit a field almost as well, and hold other values."""
    elsewhere = {r.column: r.total for f, r in assigned.items() if f != rating.field}
    own = columns[rating.column]
    found = []
    for other in rated:
        if other.column == rating.column or other.total < _BEHIND * rating.total:
            continue
        if elsewhere.get(other.column, 0.0) >= other.total:
            continue
        if not _same_values(own, columns[other.column]):
            found.append(other.column)
    return found


def is_sure(rating: Rating) -> bool:
    """Return whether name and values leave no doubt."""
    return rating.name >= _SURE_NAME and rating.values >= _SURE_VALUES


def _same_values(left: ColumnValues, right: ColumnValues) -> bool:
    """Return whether two columns say the same in almost every row."""
    same = (left.texts == right.texts) | (left.texts.isna() & right.texts.isna())
    if same.mean() > 0.99:
        return True
    if left.number_share < 0.9 or right.number_share < 0.9:
        return False
    return bool(np.isclose(left.numbers, right.numbers, equal_nan=True).mean() > 0.99)
