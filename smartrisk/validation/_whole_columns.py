"""Columns that have no value, or only zeros, under a name that the map gives them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smartrisk.validation._report import Findings

#: Measures of which an item cannot well have none.
_NEVER_ALL_ZERO = frozenset({"customs_value", "net_mass_kg", "gross_mass_kg"})
#: Rows from which a column without a value is no chance.
_SOME = 3


def note_empty_columns(done: Mapping[str, pd.Series], work: Findings) -> None:
    """Record mapped columns without a value: the name fits, the content does not.

    Exports hold columns that nobody fills, often under the best name. A column that the
    map does not name may well be empty. One with values that cannot be read has values.
    """
    if len(work.source) < _SOME:
        return
    rows = np.arange(len(work.source))
    for name, series in done.items():
        if name not in work.columns.mapping or work.has_errors(name):
            continue
        if series.isna().all():
            work.note(rows, name, "column without a value", series, "warning")
        elif name in _NEVER_ALL_ZERO and (series.dropna() == 0).all():
            work.note(rows, name, "column of zeros", series, "warning")
