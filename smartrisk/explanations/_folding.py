"""Contributions of many items by concept, field or feature, and declared columns."""

from __future__ import annotations

import pandas as pd

from smartrisk.errors import ArgumentError, check_choice, suggest_nearest
from smartrisk.explanations._reasons import Reasons

#: What contributions can be folded to.
FOLDS = ("concept", "field", "feature")


def fold_contributions(owner: str, reasons: Reasons, by: str) -> pd.DataFrame:
    """Return contributions in log-odds, one row per item and one column per name."""
    check_choice(owner, "by", by, FOLDS)
    if not len(reasons):
        raise ArgumentError(
            "explanations.no_item",
            "{owner}: there is no item. Explain at least one.",
            owner=owner,
        )
    if by == "concept":
        return reasons.by_concept()
    if by == "field":
        return reasons.by_field()
    return pd.DataFrame(
        reasons._contributions[:, :-1], columns=list(reasons._plan.names)
    )


def declared_column(owner: str, reasons: Reasons, name: str) -> pd.Series:
    """Return what the items declare in a field."""
    columns = reasons._declarations.columns
    if name not in columns:
        raise ArgumentError(
            "explanations.unknown_field",
            "{owner}: the items have no field {field!r}.{hint}",
            owner=owner,
            field=str(name),
            hint=suggest_nearest(name, columns),
        )
    return reasons._declarations[name]
