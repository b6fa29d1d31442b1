"""Suppression: which entries of a table are hidden, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from smartrisk.disclosure._attack import GIVEN_AWAY, GIVEN_AWAY_TEXT, TOLERANCE, Table
from smartrisk.disclosure._entries import Entries, make_entries
from smartrisk.disclosure._rules import (
    REASONS,
    SECONDARY,
    STATUS,
    Contributions,
    Rules,
    primary_reasons,
    protection,
)
from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.results import Result

_OWNER = "suppress"


@dataclass(frozen=True, eq=False, repr=False)
class Suppression(Result):
    """Which sums of a table are hidden, and why.

    Parameters
    ----------
    _table : DataFrame
        The rows of `frame`.
    _secret : DataFrame
        The rows of `report`.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.disclosure import suppress
    >>> parts = pd.DataFrame(
    ...     {"office": ["A"] * 6 + ["B"] * 6, "trader": [*"abcdefghijkl"], "value": 1.0}
    ... )
    >>> suppress(parts, by=["office"], count=True).frame()["status"].tolist()
    ['F', 'F', 'F']
    """

    _table: pd.DataFrame
    _secret: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return the table with its totals.

        Returns
        -------
        frame : DataFrame
            The fields, ``value`` (missing where it is hidden), ``status`` ("F" free,
            "A" few contributors, "C" dominance or named, "D" secondary, codes of the
            SDMX list CL_CONF_STATUS) and ``reason``.
        """
        return self._table.copy()

    def report(self) -> pd.DataFrame:
        """Return what was hidden and why. It is not for publication.

        Returns
        -------
        frame : DataFrame
            Hidden entries: the fields, ``status``, ``reason``, ``true_value``,
            ``traders`` (how many), ``above`` and ``below``: how far from the true
            value an attacker's interval reaches at least; 0 for secondary ones.
        """
        return self._secret.copy()

    def __repr__(self) -> str:
        """Return how many entries are hidden."""
        status = self._table["status"]
        primary = int((~status.isin(["F", "D"])).sum())
        second = int((status == "D").sum())
        return (
            f"Suppression({len(status)} entries, {primary} primary and {second} "
            "secondary hidden)"
        )


def suppress(
    parts: pd.DataFrame,
    by: Sequence[str],
    *,
    rules: Rules | None = None,
    count: bool = False,
    secret: pd.DataFrame | None = None,
    public: pd.DataFrame | None = None,
    most: pd.DataFrame | None = None,
    known: Sequence[tuple[pd.DataFrame, float]] = (),
) -> Suppression:
    """Choose which sums of a table to hide, so that no secret sum can be computed.

    Parameters
    ----------
    parts : DataFrame
        One row per cell and contributor, or several: the fields of `by`, ``trader``
        and ``value`` from 0 on. A row of value 0 makes its cell exist.
    by : sequence of str
        Fields of the table; every total over them is an entry too.
    rules : Rules, default=None
        Rules of secrecy; None for the defaults.
    count : bool, default=False
        Whether the values are counts: dominance does not apply to them, and a secret
        count can be at least one more or less.
    secret : DataFrame, default=None
        Entries that are secret besides, by their fields ("total" for a total).
    public : DataFrame, default=None
        Entries that are public already, and can no longer be hidden.
    most : DataFrame, default=None
        The fields of `by` and ``value``: bounds of cells that everybody knows.
    known : sequence of (DataFrame, float), default=()
        Sums of cells that earlier releases show: the cells, and the sum shown. Where
        it is another than today's, the difference is protected as that of one trader.

    Returns
    -------
    suppression : Suppression
        ``frame()`` for publication, ``report()`` for the office.

    Raises
    ------
    TableError
        If a column is missing, or a value is missing or negative.
    ArgumentError
        If what is public gives a secret sum away whatever else is hidden.

    Notes
    -----
    For each secret entry a linear programme hides the cheapest entries that let its
    sum be wrong by `Rules.p_percent` of its largest part, above and below, for a
    reader who is its second-largest contributor and knows what he did in every cell
    (Castro 2012). The tables that prove it are checked again at the end.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley.

    Castro, J. (2012). Recent advances in optimization techniques for statistical
    tabular data protection. European Journal of Operational Research 216.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.disclosure import suppress
    >>> rows = [(o, c, f"{o}{c}{i}") for o in "AB" for c in "xyz" for i in range(9)]
    >>> parts = pd.DataFrame(rows, columns=["office", "chapter", "trader"])
    >>> parts["value"] = 10.0
    >>> parts.loc[parts["trader"] == "Ax0", "value"] = 300.0
    >>> done = suppress(parts, by=["office", "chapter"])
    >>> done
    Suppression(12 entries, 1 primary and 3 secondary hidden)
    """
    rules = Rules() if rules is None else rules
    names = list(by)
    _check_parts(parts, names)
    cells = parts[names].astype(str).drop_duplicates().sort_values(names)
    cells = cells.reset_index(drop=True)
    key = pd.MultiIndex.from_frame(cells)
    cell = key.get_indexer(pd.MultiIndex.from_frame(parts[names].astype(str)))
    entries = make_entries(cells, names, np.asarray(cell, np.intp), parts)
    return _hide(
        entries,
        rules,
        count=count,
        named=_find_marked(entries, secret),
        fixed=_find_marked(entries, public),
        most=_bounds(key, most, names),
        known=_known_rows(key, known, names),
    )


def _check_parts(parts: pd.DataFrame, by: list[str]) -> None:
    """Raise where the parts lack a column or hold a number that is no part."""
    missing = [name for name in [*by, "trader", "value"] if name not in parts]
    if missing:
        raise TableError(
            "disclosure.columns_missing",
            "{owner}: columns missing in 'parts': {missing}. Rename your columns.",
            owner=_OWNER,
            missing=format_values(missing),
        )
    wrong = ~(parts["value"].to_numpy(np.float64, na_value=np.nan) >= 0)
    wrong |= ~np.isfinite(parts["value"].to_numpy(np.float64, na_value=np.nan))
    if wrong.any():
        raise TableError(
            "disclosure.parts_not_positive",
            "{owner}: {n_rows} values of 'parts' are missing, infinite or negative, "
            "such as {examples}. Protect sums of such numbers as two tables: what is "
            "above 0, and what is below.",
            owner=_OWNER,
            n_rows=int(wrong.sum()),
            examples=format_values(parts["value"][wrong].tolist()),
        )


def _find_marked(entries: Entries, rows: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return which entries are among some rows."""
    if rows is None:
        return np.zeros(len(entries.labels), bool)
    key = pd.MultiIndex.from_frame(entries.labels)
    other = pd.MultiIndex.from_frame(rows[list(entries.labels)].astype(str))
    return np.asarray(key.isin(other))


def _bounds(
    key: pd.MultiIndex, most: pd.DataFrame | None, by: list[str]
) -> NDArray[np.float64]:
    """Return the bound of each cell that everybody knows; infinite for none."""
    bound = np.full(len(key), np.inf)
    if most is not None:
        place = key.get_indexer(pd.MultiIndex.from_frame(most[by].astype(str)))
        value = most["value"].to_numpy(np.float64)
        bound[place[place >= 0]] = value[place >= 0]
    return bound


def _known_rows(
    key: pd.MultiIndex, known: Sequence[tuple[pd.DataFrame, float]], by: list[str]
) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """Return the sums that earlier releases show: their cells, and their values."""
    rows, values = np.zeros((len(known), len(key))), np.zeros(len(known))
    for row, (cells, value) in enumerate(known):
        place = key.get_indexer(pd.MultiIndex.from_frame(cells[by].astype(str)))
        rows[row, place[place >= 0]] = 1.0
        values[row] = value
    return sparse.csr_array(rows), values


@dataclass(frozen=True, eq=False)
class _Target:
    """A sum to protect: how far above and below, and against which trader."""

    members: NDArray[np.float64]
    above: float
    below: float
    second: int


def _hide(
    entries: Entries,
    rules: Rules,
    *,
    count: bool,
    named: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
    most: NDArray[np.float64],
    known: tuple[sparse.csr_array, NDArray[np.float64]],
) -> Suppression:
    """Hide what is secret, then what gives it away."""
    parts = entries.contributions(rules)
    reason = primary_reasons(rules, parts, count=count, named=named)
    primary = reason > 0
    above, below = protection(rules, parts, count=count)
    above = np.minimum(above, entries.members @ most - parts.total)
    rows, shown = known
    same = np.abs(rows @ entries.cells - shown) <= 1e-6 * np.maximum(1, np.abs(shown))
    table = Table(
        members=entries.members,
        cells=entries.cells,
        most=most,
        hidden=primary.copy(),
        fixed=fixed,
        known=sparse.csr_array(rows[np.flatnonzero(same)]),
    )
    targets = [
        _Target(
            entries.members[[entry]].toarray()[0],
            float(above[entry]),
            float(below[entry]),
            int(parts.second[entry]),
        )
        for entry in np.flatnonzero(primary)
    ]
    for row in np.flatnonzero(~same):
        line = rows[[row]].toarray()[0]
        gap = abs(float(line @ entries.cells) - float(shown[row]))
        need = rules.p_percent / 100 * gap
        need = max(need, 1.0) if count else need
        targets.append(_Target(line, need, need, -1))
    _protect(table, entries, targets, parts)
    reason[table.hidden & ~primary] = SECONDARY
    return _result(entries, parts, reason, above * primary, below * primary)


def _costs(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what hiding costs: one for each entry, and up to one for its size."""
    size = np.log1p(total)
    return np.asarray(1 + size / max(1.0, float(size.max(initial=0.0))))


def _protect(
    table: Table, entries: Entries, targets: list[_Target], parts: Contributions
) -> None:
    """Hide entries until every target is safe, then check the proofs once more."""
    cost = _costs(parts.total)
    hardest = sorted(range(len(targets)), key=lambda i: -targets[i].above)
    for place in hardest:
        one = targets[place]
        own = entries.own(one.second)
        for by in (one.above, -one.below):
            if by != 0 and not table.is_shown(one.members, by, own):
                table.protect(one.members, by, own, cost)
    for one in targets:
        own = entries.own(one.second)
        for by in (one.above, -one.below):
            if by == 0 or table.is_shown(one.members, by, own):
                continue
            if table.reach(one.members, by, own) < 1 - TOLERANCE:
                raise ArgumentError(GIVEN_AWAY, GIVEN_AWAY_TEXT)


def _result(
    entries: Entries,
    parts: Contributions,
    reason: NDArray[np.int8],
    above: NDArray[np.float64],
    below: NDArray[np.float64],
) -> Suppression:
    """Return the table for publication, and the report for the office."""
    frame = entries.labels.assign(
        value=np.where(reason == 0, parts.total, np.nan),
        status=np.array(STATUS, object)[reason],
        reason=np.array(REASONS, object)[reason],
    ).astype({"status": "str", "reason": "str"})
    secret = frame.drop(columns="value").assign(
        true_value=parts.total, traders=parts.n, above=above, below=below
    )
    return Suppression(frame, secret[reason > 0].reset_index(drop=True))
