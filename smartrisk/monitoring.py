"""Drift between two windows: what is declared, and what scores come of it.

Reads two tables of the same columns, the reference and the current one; writes drift
per field, with the word that calls for a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, check_number, format_values
from smartrisk.results import Result

__all__ = ["SHIFTS", "Drift", "drift"]

#: Least stability index for each word; the thresholds that credit scoring uses
#: (Siddiqi 2006).
SHIFTS = {"large": 0.25, "moderate": 0.1, "stable": 0.0}
_MOST_VALUES = 20  # of a field of codes that have a group of their own


@dataclass(frozen=True, eq=False, repr=False)
class Drift(Result):
    """How far fields lie apart in two windows.

    Parameters
    ----------
    table : DataFrame
        One row per field.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.monitoring import drift
    >>> past = pd.DataFrame({"origin": ["VN", "CN"] * 50})
    >>> drift(past, past)
    Drift(1 fields, 0 large, 0 moderate)
    """

    table: pd.DataFrame

    def __repr__(self) -> str:
        """Say how many fields moved."""
        count = self.table["shift"].value_counts()
        return (
            f"Drift({len(self.table)} fields, {count.get('large', 0)} large, "
            f"{count.get('moderate', 0)} moderate)"
        )

    def frame(self) -> pd.DataFrame:
        """Return one row per field, the one that moved most first.

        Returns
        -------
        frame : DataFrame
            ``field``, ``kind`` ("number" or "code"), ``psi`` (population stability
            index), ``noise`` (what it is expected to be when nothing moves), ``shift``
            ("stable", "moderate", "large"), ``missing_reference`` and
            ``missing_current`` (shares), ``unseen`` (share of current codes that the
            reference has not), ``n_reference`` and ``n_current``.
        """
        return self.table.copy()


def drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    fields: Sequence[str] | None = None,
    n_bins: int = 10,
) -> Drift:
    """Return how far the fields of two windows lie apart.

    Parameters
    ----------
    reference : DataFrame of shape (n_reference, n_fields)
        DECLARATIONS or SCORES of an earlier window.
    current : DataFrame of shape (n_current, n_fields)
        The same of a later window.
    fields : sequence of str, default=None
        Columns to compare; None for all that both have, except keys, moments and text.
    n_bins : int, default=10
        Groups of like size that the numbers of the reference are cut into.

    Returns
    -------
    drift : Drift
        One row per field.

    Raises
    ------
    TableError
        If a window is empty, or lacks a field asked for.

    Notes
    -----
    The population stability index is the sum of (q - p) log(q / p) over groups of
    values, missing ones being a group; shares are kept off zero by half an item. When
    nothing moves it is about (groups - 1)(1 / n_reference + 1 / n_current) (Yurdakul
    2018), so that a field is only called moved when it exceeds twice that as well.

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
    >>> found = sr.monitoring.drift(items.head(2_000), items.tail(2_000))
    >>> bool(found.frame()["psi"].ge(0).all())
    True
    """
    check_number("drift", "n_bins", n_bins, low=2, integer=True)
    for name, window in (("reference", reference), ("current", current)):
        if not len(window):
            raise TableError(
                "monitoring.item",
                "drift: '{name}' holds no item. Pass one at least.",
                name=name,
            )
    names = _compared(reference, current) if fields is None else list(fields)
    gone = [n for n in names if n not in reference or n not in current]
    if gone:
        raise TableError(
            "monitoring.fields_asked_both_windows",
            "drift: {n_gone} of the fields asked for are not in both windows: {gone}.",
            n_gone=len(gone),
            gone=format_values(gone),
        )
    rows = [_row(name, reference[name], current[name], n_bins) for name in names]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    ranked = table.sort_values("psi", ascending=False, kind="stable")
    return Drift(ranked.reset_index(drop=True))


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
_LEFT_OUT = frozenset(("declaration_id", "item_number", "description", "model_version"))


def _compared(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    """Return the fields worth comparing."""
    return [
        str(name)
        for name in reference.columns
        if name in current
        and name not in _LEFT_OUT
        and not str(name).startswith("dq_")
        and not pd.api.types.is_datetime64_any_dtype(reference[name])
    ]


def _row(
    name: str, reference: pd.Series, current: pd.Series, n_bins: int
) -> tuple[object, ...]:
    """Return the drift of one field."""
    number = pd.api.types.is_numeric_dtype(reference) and not (
        pd.api.types.is_bool_dtype(reference)
    )
    unseen = np.nan
    if number:
        before, after = (
            s.to_numpy(np.float64, na_value=np.nan) for s in _two(reference, current)
        )
        known = before[~np.isnan(before)]
        steps = np.linspace(0, 1, n_bins + 1)[1:-1]
        edges = np.unique(np.quantile(known, steps)) if len(known) else np.empty(0)
        groups = [_binned(values, edges) for values in (before, after)]
        size = len(edges) + 2
    else:
        codes, unseen = _coded(reference, current)
        groups, size = list(codes), _MOST_VALUES + 2
    counts = [np.bincount(found, minlength=size) for found in groups]
    used = (counts[0] + counts[1]) > 0
    p, q = ((c[used] + 0.5) / (c[used] + 0.5).sum() for c in counts)
    psi = float(((q - p) * np.log(q / p)).sum())
    noise = (int(used.sum()) - 1) * (1 / len(reference) + 1 / len(current))
    shift = next(
        word
        for word, least in SHIFTS.items()
        if psi >= least and (psi > 2 * noise or least == 0)
    )
    missing = [float(s.isna().mean()) for s in (reference, current)]
    kind = "number" if number else "code"
    sizes = (len(reference), len(current))
    return (name, kind, psi, noise, shift, *missing, unseen, *sizes)


def _two(reference: pd.Series, current: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return both as numbers."""
    return pd.to_numeric(reference), pd.to_numeric(current)


def _binned(
    values: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the group of every number; the missing have the last one."""
    found = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, found)


def _coded(
    reference: pd.Series, current: pd.Series
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], float]:
    """Return the group of every code, and the share of current codes not seen."""
    texts = [s.astype(object).where(s.notna(), None) for s in (reference, current)]
    often = list(texts[0].value_counts().index[:_MOST_VALUES])
    place = {value: number for number, value in enumerate(often)}
    groups = tuple(
        text.map(
            lambda v: _MOST_VALUES + 1 if v is None else place.get(v, _MOST_VALUES)
        ).to_numpy(np.intp)
        for text in texts
    )
    known = texts[1].dropna()
    unseen = float((~known.isin(set(texts[0].dropna()))).mean()) if len(known) else 0.0
    return (groups[0], groups[1]), unseen
