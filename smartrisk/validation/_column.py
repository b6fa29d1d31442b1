"""A column while it is read: its unique values, and what is found of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import Field
from smartrisk.validation._missing import (
    are_texts,
    check_missing,
    factorize,
    missing_signs,
    note_signs,
    rows_where,
    text_column,
)
from smartrisk.validation._report import Findings

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Column:
    """The unique values of a column, and the rows of each."""

    field: Field
    series: pd.Series
    work: Findings
    codes: NDArray[np.intp]
    unique: NDArray[np.object_]
    #: Whether all values are texts.
    is_text: bool

    @classmethod
    def read(cls, field: Field, series: pd.Series, work: Findings) -> Self:
        """Return the column of a field."""
        codes, unique = factorize(series)
        return cls(field, series, work, codes, unique, are_texts(unique))

    @property
    def signs(self) -> frozenset[str]:
        """Texts that mean a missing value here."""
        return missing_signs(self.field, self.work.columns)

    def none(self) -> Flags:
        """Return a flag for each unique value, none of them set."""
        return np.zeros(len(self.unique), bool)

    def note(self, flags: Iterable[bool], reason: str, severity: str = "error") -> None:
        """Record the rows whose value is flagged."""
        rows = rows_where(self.codes, flags)
        self.work.note(rows, self.field.name, reason, self.series, severity)

    def doubt(self, flags: Iterable[bool], reason: str) -> None:
        """Record the rows whose value is doubtful, and mark them."""
        rows = rows_where(self.codes, flags)
        self.work.doubt(rows, self.field.name, reason, self.series)

    def note_signs(self, flags: Flags) -> None:
        """Record the rows whose text means a missing value."""
        rows = rows_where(self.codes, flags)
        note_signs(self.field, self.series, rows, self.work)

    def result(self, cleaned: list[str | None], skip: Flags | None = None) -> pd.Series:
        """Return the column as it came where nothing changed, else a new one."""
        out = self.series
        if out.dtype != "str" or cleaned != self.unique.tolist():
            out = text_column(self.codes, cleaned, out.index)
        check_missing(self.field, out, self.series, self.work, skip=skip)
        return out
