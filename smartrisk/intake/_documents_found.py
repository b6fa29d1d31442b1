"""Which columns name the document and its goods lines, found from names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._headers import has_meaning, read_words

#: Share of the rows that a key must distinguish, or of documents that must agree.
_ALL = 0.995
#: Documents of several rows without which "one value per document" can be chance.
FEW_DOCUMENTS = 5
#: Separators of a number and an item in one field: `001044 | 1`, `6\20`.
_BOTH = re.compile(r"(.+?)\s*([|\\/#])\s*([0-9]{1,4})")


@dataclass(frozen=True)
class Key:
    """Columns that make the key of documents, and what speaks for them.

    Parameters
    ----------
    columns : tuple of str
        One column, or several to be joined; empty when there is none.
    separator : str
        What separates number and item in the one column; empty for another column.
    is_unique : bool
        Whether key and item number distinguish all rows.
    is_substitute : bool
        Whether it only numbers rows, or names a bill of lading.
    """

    columns: tuple[str, ...] = ()
    separator: str = ""
    is_unique: bool = False
    is_substitute: bool = False


@dataclass(frozen=True, eq=False)
class Documents:
    """Rows by document: which columns have one value per document.

    Parameters
    ----------
    codes : array of shape (n_rows,)
        Number of the document of each row.
    """

    codes: NDArray[np.int64]
    _shares: dict[str, float] = field(default_factory=dict)

    @property
    def n_several(self) -> int:
        """Documents of several rows."""
        return int((np.bincount(self.codes) > 1).sum()) if len(self.codes) else 0

    def share_constant(self, column: ColumnValues) -> float:
        """Return the share of documents of several rows that have one value."""
        if column.name not in self._shares:
            values = pd.factorize(column.texts)[0]
            frame = pd.DataFrame({"document": self.codes, "value": values})
            sizes = frame.groupby("document")["value"].agg(["size", "nunique"])
            several = sizes[sizes["size"] > 1]
            share = float((several["nunique"] <= 1).mean()) if len(several) else 1.0
            self._shares[column.name] = share
        return self._shares[column.name]

    def is_per_document(self, column: ColumnValues) -> bool:
        """Return whether a column that varies has one value per document."""
        enough = self.n_several >= FEW_DOCUMENTS and not column.is_constant
        return enough and self.share_constant(column) > _ALL


def find_key(
    columns: Mapping[str, ColumnValues],
    ids: Sequence[tuple[str, float]],
    item: str | None,
    office: str | None,
) -> Key:
    """Return the key of documents.

    Parameters
    ----------
    columns : mapping of str to ColumnValues
        All columns.
    ids : sequence of (str, float)
        Columns that may name the document, the best first, and their ratings.
    item, office : str or None
        Columns of the item number and of the office.
    """
    if not ids:
        return Key()
    name = ids[0][0]
    separator = _separator(columns[name]) if item is None else ""
    if separator:
        return Key((name,), separator, is_unique=True)
    scope = [c for c in (office, _find_year(columns)) if c is not None and c != name]
    unique = _is_unique(columns, (name,), item)
    if _is_serial_number(name, columns[name]) and len(scope) == 2:
        return Key((*scope, name), is_unique=_is_unique(columns, (*scope, name), item))
    if not unique and item is not None:
        for extra in [scope[-1:], scope[:1], scope] if scope else []:
            if _is_unique(columns, (*extra, name), item):
                return Key((*scope, name), is_unique=True)
    words = read_words(name)
    is_row = any("recordid" in w or "bl" in w for w in words)
    is_declared = any("declaration" in w or "lodge" in w for w in words)
    return Key((name,), is_unique=unique, is_substitute=is_row and not is_declared)


def group_documents(columns: Mapping[str, ColumnValues], key: Key) -> Documents:
    """Return the rows by document."""
    texts = _join(columns, key.columns)
    if key.separator:
        texts = texts.str.rpartition(key.separator)[0]
    return Documents(np.asarray(pd.factorize(texts)[0], dtype=np.int64))


def counts_from_one(column: ColumnValues, documents: Documents) -> float:
    """Return the share of documents whose rows a column numbers without repetition."""
    frame = pd.DataFrame({"document": documents.codes, "item": column.numbers})
    sizes = frame.groupby("document")["item"].agg(["size", "nunique", "min"])
    several = sizes[sizes["size"] > 1]
    if not len(several):
        return 1.0 if (sizes["min"] <= 1).mean() > 0.5 else 0.5
    return float((several["size"] == several["nunique"]).mean())


def _join(columns: Mapping[str, ColumnValues], names: Sequence[str]) -> pd.Series:
    """Return the texts of columns side by side."""
    first, *others = (columns[name].texts.fillna("") for name in names)
    for other in others:
        first = first + "-" + other
    return first


def _is_unique(
    columns: Mapping[str, ColumnValues], names: Sequence[str], item: str | None
) -> bool:
    """Return whether a key and the item number distinguish (almost) all rows."""
    texts = _join(columns, [*names, item] if item is not None else names)
    return texts.nunique() >= _ALL * len(texts)


def _find_year(columns: Mapping[str, ColumnValues]) -> str | None:
    """Return the column of the year of lodgement."""
    found = []
    for name, column in columns.items():
        if not has_meaning(name, "year") or any("item" in w for w in read_words(name)):
            continue
        if column.share_matching(r"(19|20)?[0-9]{2}(\.0)?") > _ALL:
            lodged = has_meaning(name, "lodge") or has_meaning(name, "declaration")
            found.append((not lodged, column.n_distinct, name))
    return min(found)[2] if found else None


def _is_serial_number(name: str, column: ColumnValues) -> bool:
    """Return whether a column counts documents: numbers that an office gives again."""
    short = column.share_matching(r"[0-9]{1,8}(\.0)?") > _ALL
    return short and any("number" in w or "declaration" in w for w in read_words(name))


def _separator(column: ColumnValues) -> str:
    """Return what separates a number and an item in one column, or an empty text."""
    matches = [_BOTH.fullmatch(value) for value in column.values]
    signs = {m[2] for m in matches if m is not None}
    share = column.share(m is not None for m in matches)
    if share < _ALL or len(signs) != 1:
        return ""
    numbers = [int(m[3]) for m in matches if m is not None]
    heads = {m[1] for m in matches if m is not None}
    is_counted = min(numbers) <= 1 and len(heads) < len(matches)
    return signs.pop() if is_counted else ""
