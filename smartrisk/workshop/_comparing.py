"""Comparing an answer with what is right: equal work counts, however it was written."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from smartrisk.schema import KEY

#: Relative difference up to which two numbers are equal: a rounded to six digits is.
TOLERANCE = 1e-6


def is_number(answer: Any) -> bool:
    """Return whether an answer is one number, not a truth value."""
    return isinstance(answer, Real) and not isinstance(answer, (bool, np.bool_))


def same_number(answer: Any, right: float, tolerance: float = TOLERANCE) -> bool:
    """Return whether an answer is the number, up to a relative tolerance."""
    return is_number(answer) and bool(
        np.isclose(float(answer), right, rtol=tolerance, atol=tolerance)
    )


def has_columns(answer: Any, names: Sequence[str]) -> bool:
    """Return whether an answer is a table with these columns or levels of its index."""
    is_table = isinstance(answer, pd.DataFrame)
    return is_table and set(names) <= {*answer.columns, *answer.index.names}


def as_keys(answer: Any) -> list[tuple[str, int]] | None:
    """Return the items that an answer names in its order; None when it names none."""
    if isinstance(answer, pd.DataFrame) and set(KEY) <= set(answer.columns):
        frame = answer[list(KEY)]
        return list(frame.itertuples(index=False, name=None))
    return None


def same_items(answer: Any, right: pd.DataFrame) -> bool:
    """Return whether an answer holds the same items, in any order."""
    found, wanted = as_keys(answer), as_keys(right)
    return found is not None and wanted is not None and sorted(found) == sorted(wanted)


def same_column(answer: pd.Series, right: pd.Series) -> bool:
    """Return whether two columns hold the same values in the same order."""
    if len(answer) != len(right):
        return False
    if is_numeric_dtype(right.dtype):
        numbers = pd.to_numeric(answer, errors="coerce")
        return bool(
            np.allclose(
                numbers.to_numpy(float),
                right.to_numpy(float),
                rtol=TOLERANCE,
                atol=TOLERANCE,
                equal_nan=True,
            )
        )
    if is_datetime64_any_dtype(right.dtype):
        days = pd.to_datetime(answer, errors="coerce")
        return bool((days.to_numpy() == right.to_numpy()).all())
    same = answer.astype(object).to_numpy() == right.astype(object).to_numpy()
    return bool(np.all(same | (answer.isna() & right.isna()).to_numpy()))


def same_table(
    answer: Any, right: pd.DataFrame, by: Sequence[str], columns: Sequence[str]
) -> bool:
    """Return whether an answer has the same rows: any order of rows and columns.

    Parameters
    ----------
    answer : object
        What the learner handed in.
    right : DataFrame
        The right table.
    by : sequence of str
        Columns that identify a row.
    columns : sequence of str
        Columns that are compared.
    """
    needed = [*by, *columns]
    if not isinstance(answer, pd.DataFrame):
        return False
    table = answer.reset_index() if set(needed) - set(answer.columns) else answer
    if set(needed) - set(table.columns) or len(table) != len(right):
        return False
    found = table.sort_values(list(by)).reset_index(drop=True)
    wanted = right.sort_values(list(by)).reset_index(drop=True)
    return all(same_column(found[name], wanted[name]) for name in needed)
