"""What a feature is about: what an explanation needs to put it into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smartrisk.schema import DECLARATIONS, DERIVED_COLUMNS, HS_LEVELS, TRADERS

#: Statistics of activity: they show how new a trader or route is, not what was found.
_ACTIVITY = ("n_items", "days_since_last", "days_since_first", "decayed")
#: The concept of features of fields that an administration adds.
OWN_CONCEPT = "own field"
_GOODS = {*HS_LEVELS, "tariff_code", "hs_section", "national_code"}


@dataclass(frozen=True, kw_only=True)
class FeatureInfo:
    """Where a feature comes from and what it measures.

    Parameters
    ----------
    name : str
        Column name in the matrix: field, statistic, window.
    fields : tuple of str
        Fields of the declarations table that it reads.
    concept : str
        Customs concept: "valuation", "classification", "origin and route",
        "quantity", "trader record", "novelty", "structuring" or "procedure".
    statistic : str
        What is computed, such as "hit_rate" or "deviation".
    window : str, default=None
        Period of the history that is counted, such as "90d"; None for all history or
        none.
    key : tuple of str, default=None
        Columns of the history key; None for features of the item alone.
    measure : str, default=None
        "price_per_kg", "price_per_unit" or "kg_per_unit" for peer statistics.
    categorical : bool, default=False
        Whether the numbers are codes without order.
    monotone : int, default=0
        1 when the risk may only rise with the feature, else 0.
    suspicion : float, default=0.0
        Weight in the score that needs no results: positive where high values are
        suspicious, negative where low ones are, 0 where neither is.

    Examples
    --------
    >>> from smartrisk.features import FeatureInfo
    >>> FeatureInfo(name="duty_rate", fields=("duty_rate",),
    ...             concept="classification", statistic="value").window is None
    True
    """

    name: str
    fields: tuple[str, ...]
    concept: str
    statistic: str
    window: str | None = None
    key: tuple[str, ...] | None = None
    measure: str | None = None
    categorical: bool = False
    monotone: int = 0
    suspicion: float = 0.0


def source_fields(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the declaration fields behind key columns, each once, in order."""
    read = ("tariff_code" if c in HS_LEVELS else c for c in columns)
    return tuple(dict.fromkeys(f for c in read for f in DERIVED_COLUMNS.get(c, (c,))))


def is_own(name: str) -> bool:
    """Return whether a column is a field that an administration adds."""
    return not (name in DECLARATIONS or name in HS_LEVELS or name in DERIVED_COLUMNS)


def concept_of_key(columns: Sequence[str], statistic: str) -> str:
    """Return the customs concept that a history statistic of a key belongs to."""
    if set(columns) <= _GOODS:
        return "classification"
    if all(map(is_own, columns)):
        return OWN_CONCEPT
    if not set(columns) & set(TRADERS):
        return "origin and route"
    return "novelty" if statistic in _ACTIVITY else "trader record"
