"""Declarations with the fields that an administration adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from smartrisk.schema import DECLARATIONS, ColumnMap, TableInput
from smartrisk.validation._check import OnError, validate


def read_declarations(
    declarations: TableInput,
    own_fields: Mapping[str, str],
    *,
    on_error: OnError = "raise",
) -> pd.DataFrame:
    """Return canonical DECLARATIONS with own fields.

    A frame that was validated with a `ColumnMap` names its own fields in an attribute;
    pandas drops it where frames that differ in it are put together. This takes them
    from elsewhere, such as ``engine.own_fields_``.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS.
    own_fields : mapping of str to str
        Names and kinds; those that the table lacks are left out.
    on_error : {"raise", "set_aside"}, default="raise"
        What to do with rows that cannot be read.

    Returns
    -------
    items : DataFrame
        As from `validate`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> items = sr.datasets.make_declarations(100, random_state=0).declarations
    >>> items = items.assign(scheme="a1")
    >>> items = sr.validation.read_declarations(items, {"scheme": "code"})
    >>> items["scheme"].unique().tolist()
    ['A1']
    """
    there = _column_names(declarations) if own_fields else []
    here = {name: kind for name, kind in own_fields.items() if name in there}
    columns = ColumnMap(own_fields=here) if here else None
    return validate(declarations, DECLARATIONS, columns=columns, on_error=on_error)


def _column_names(table: object) -> list[Any]:
    """Return the names of the columns of a table; none of what is no table."""
    for names in (
        getattr(table, "column_names", None),  # PyArrow's columns are arrays
        getattr(table, "columns", None),
        table if isinstance(table, Mapping) else None,
    ):
        if isinstance(names, Iterable):
            return list(names)
    return []
