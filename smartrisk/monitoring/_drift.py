"""Drift between two windows of declarations or scores.

Reads two tables of the same columns, the reference and the current one; writes how far
each field moved, and which fields need attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, check_number, format_values
from smartrisk.lineage import SOURCE_ROW
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

#: Lowest stability index for each word; the thresholds that credit scoring uses
#: (Siddiqi 2006).
SHIFTS = {"large": 0.25, "moderate": 0.1, "stable": 0.0}
#: Codes of a field that have a group of their own. More groups raise the index that
#: chance produces, by one item's worth per group.
_MOST_VALUES = 20
#: How many times the index that chance produces a moved field must exceed.
_TIMES_NOISE = 2.0
_COLUMNS = (
    "field",
    "kind",
    "psi",
    "noise",
    "shift",
    "missing_reference",
    "missing_current",
    "unseen",
    "n_reference",
    "n_current",
)
#: Fields whose values are new in every window by their nature.
_NOT_COMPARED = frozenset(
    ("declaration_id", "item_number", "description", "model_version")
)


@dataclass(frozen=True, eq=False, repr=False)
class Drift(Result):
    """How far the fields of two windows differ.

    Parameters
    ----------
    _table : DataFrame
        One row per field.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.monitoring import drift
    >>> past = pd.DataFrame({"origin": ["VN", "CN"] * 50})
    >>> drift(past, past)
    Drift(1 fields, 0 large, 0 moderate)
    """

    _table: pd.DataFrame

    def __repr__(self) -> str:
        """Return how many fields moved."""
        count = self._table["shift"].value_counts()
        return (
            f"Drift({len(self._table)} fields, {count.get('large', 0)} large, "
            f"{count.get('moderate', 0)} moderate)"
        )

    def frame(self) -> pd.DataFrame:
        """Return one row per field, the one that moved most first.

        Returns
        -------
        frame : DataFrame
            ``field``, ``kind`` ("number" or "code"), ``psi`` (population stability
            index), ``noise`` (its expected value when nothing moves), ``shift``
            ("stable", "moderate", "large"), ``missing_reference`` and
            ``missing_current`` (shares), ``unseen`` (share of current codes that the
            reference does not have), ``n_reference``, ``n_current`` and ``message_id``
            ("monitoring.shift_large" and so on; the other columns are its values).
        """
        ids = "monitoring.shift_" + self._table["shift"].astype("str")
        return self._table.assign(message_id=ids)


def drift(
    reference: TableInput,
    current: TableInput,
    *,
    fields: Sequence[str] | None = None,
    n_bins: int = 10,
) -> Drift:
    """Return how far the fields of two windows differ.

    Parameters
    ----------
    reference : DataFrame of shape (n_reference, n_fields)
        DECLARATIONS or SCORES of an earlier window.
    current : DataFrame of shape (n_current, n_fields)
        The same of a later window.
    fields : sequence of str, default=None
        Columns to compare; None for all that both have, except keys, moments and text.
    n_bins : int, default=10
        Groups of about equal size that the numbers of the reference are cut into.

    Returns
    -------
    drift : Drift
        One row per field.

    Raises
    ------
    TableError
        If a window is empty, or lacks a field asked for.
    ArgumentError
        If `n_bins` is below 2.

    Notes
    -----
    The population stability index is the sum of (q - p) log(q / p) over groups of
    values, missing ones being a group; shares are kept off zero by half an item. When
    nothing moves it is about (groups - 1)(1 / n_reference + 1 / n_current) (Yurdakul
    2018), so that a field only counts as moved when it exceeds twice that as well.

    References
    ----------
    Siddiqi, N. (2006). Credit Risk Scorecards. Wiley.

    Yurdakul, B. (2018). Statistical properties of the population stability index.
    Western Michigan University.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(4_000, random_state=0)
    >>> items = world.declarations
    >>> result = sr.monitoring.drift(items.head(2_000), items.tail(2_000))
    >>> bool(result.frame()["psi"].ge(0).all())
    True
    """
    reference = read_table("drift", "'reference'", reference)
    current = read_table("drift", "'current'", current)
    check_number("drift", "n_bins", n_bins, low=2, integer=True)
    for name, window in (("reference", reference), ("current", current)):
        if not len(window):
            raise TableError(
                "monitoring.window_empty",
                "drift: {window!r} holds no item. Pass at least one.",
                window=name,
            )
    names = _comparable_fields(reference, current) if fields is None else list(fields)
    missing = [n for n in names if n not in reference or n not in current]
    if missing:
        raise TableError(
            "monitoring.fields_missing",
            "drift: {n_missing} of the fields asked for are not in both windows: "
            "{missing}. Both have {shared}.",
            n_missing=len(missing),
            missing=format_values(missing),
            shared=format_values([str(c) for c in reference if c in current], 10),
        )
    rows = [_row(name, reference[name], current[name], n_bins) for name in names]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    ranked = table.sort_values("psi", ascending=False, kind="stable")
    return Drift(ranked.reset_index(drop=True))


def _comparable_fields(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    """Return the fields worth comparing."""
    return [
        str(name)
        for name in reference.columns
        if name in current
        and name not in _NOT_COMPARED
        and name != SOURCE_ROW
        and not str(name).startswith("dq_")
        and not pd.api.types.is_datetime64_any_dtype(reference[name])
    ]


def _row(
    name: str, reference: pd.Series, current: pd.Series, n_bins: int
) -> tuple[object, ...]:
    """Return the drift of one field."""
    is_number = pd.api.types.is_numeric_dtype(reference) and not (
        pd.api.types.is_bool_dtype(reference)
    )
    unseen = np.nan
    if is_number:
        groups, size = _group_numbers(reference, current, n_bins)
    else:
        groups, size = _group_codes(reference, current), _MOST_VALUES + 2
        unseen = _share_unseen(reference, current)
    psi, n_groups = _stability_index(groups, size)
    noise = (n_groups - 1) * (1 / len(reference) + 1 / len(current))
    shift = next(
        word
        for word, least in SHIFTS.items()
        if psi >= least and (psi > _TIMES_NOISE * noise or least == 0)
    )
    missing = [float(s.isna().mean()) for s in (reference, current)]
    kind = "number" if is_number else "code"
    sizes = (len(reference), len(current))
    return (name, kind, psi, noise, shift, *missing, unseen, *sizes)


def _stability_index(
    groups: Sequence[NDArray[np.intp]], size: int
) -> tuple[float, int]:
    """Return the population stability index of two windows, and the groups used."""
    counts = [np.bincount(group, minlength=size) for group in groups]
    used = (counts[0] + counts[1]) > 0
    # Half an item per group keeps shares off zero, where the logarithm has no value.
    p, q = ((c[used] + 0.5) / (c[used] + 0.5).sum() for c in counts)
    return float(((q - p) * np.log(q / p)).sum()), int(used.sum())


def _group_numbers(
    reference: pd.Series, current: pd.Series, n_bins: int
) -> tuple[list[NDArray[np.intp]], int]:
    """Return the group of every number in both windows, and how many groups exist."""
    before, after = (
        pd.to_numeric(s).to_numpy(np.float64, na_value=np.nan)
        for s in (reference, current)
    )
    known = before[~np.isnan(before)]
    steps = np.linspace(0, 1, n_bins + 1)[1:-1]
    edges = np.unique(np.quantile(known, steps)) if len(known) else np.empty(0)
    groups = [
        # Missing numbers have the last group.
        np.where(
            np.isnan(values),
            len(edges) + 1,
            np.searchsorted(edges, values, side="right"),
        )
        for values in (before, after)
    ]
    return groups, len(edges) + 2


def _group_codes(reference: pd.Series, current: pd.Series) -> list[NDArray[np.intp]]:
    """Return the group of every code: one per frequent code, one for all others."""
    codes = [_as_objects(s) for s in (reference, current)]
    frequent = list(codes[0].value_counts().index[:_MOST_VALUES])
    place = {value: number for number, value in enumerate(frequent)}
    return [
        column.map(
            lambda v: _MOST_VALUES + 1 if v is None else place.get(v, _MOST_VALUES)
        ).to_numpy(np.intp)
        for column in codes
    ]


def _share_unseen(reference: pd.Series, current: pd.Series) -> float:
    """Return the share of current codes that the reference does not have."""
    known = _as_objects(current).dropna()
    seen = set(_as_objects(reference).dropna())
    return float((~known.isin(seen)).mean()) if len(known) else 0.0


def _as_objects(column: pd.Series) -> pd.Series:
    """Return a column as Python objects, None where missing."""
    return column.astype(object).where(column.notna(), None)
