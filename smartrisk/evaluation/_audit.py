"""Whether a benchmark can be believed: look-ups, leaks, truncation, contradictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from smartrisk.errors import TableError, check_number
from smartrisk.evaluation._ranking import precision_at
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, KEY
from smartrisk.windows import seen_before, time_split, unlabelled_months

Float = NDArray[np.float64]
Finding = tuple[str, bool, float, str]

_RATE = 0.05
#: Inspections that the rate of all items is worth in a look-up.
_SMOOTHING = 2.0
#: A look-up is alarming from this part of the best precision that there can be, and
#: from this multiple of the hit rate.
_SURE, _LIFT = 0.8, 2.0
_SEARCHED = 50_000


@dataclass(frozen=True)
class Audit(Result):
    """What an audit found.

    Parameters
    ----------
    table : DataFrame
        One row per check: ``check``, ``alarm``, ``figure``, ``finding``.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import audit
    >>> world = make_declarations(3_000, random_state=0)
    >>> audit(world.declarations, world.outcomes).alarms
    []
    """

    table: pd.DataFrame

    @property
    def alarms(self) -> list[str]:
        """Names of the checks that raised an alarm."""
        return [str(name) for name in self.table.loc[self.table["alarm"], "check"]]

    def frame(self) -> pd.DataFrame:
        """Return one row per check.

        Returns
        -------
        frame : DataFrame
            check, alarm, figure, finding.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        """Say which checks raised an alarm."""
        found = ", ".join(self.alarms) or "none"
        return f"Audit({len(self.table)} checks, alarms: {found})"


def audit(
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    later: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    later_share: float = 0.25,
) -> Audit:
    """Look for what makes a set of declarations too easy, or its figures untrue.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        Canonical DECLARATIONS and OUTCOMES that would be learned from.
    later : tuple of DataFrame, default=None
        DECLARATIONS and OUTCOMES that would be judged on; None parts the given ones
        by time.
    later_share : float, default=0.25
        Share of the items to judge on when `later` is None.

    Returns
    -------
    audit : Audit
        One finding per check.

    Raises
    ------
    TableError
        If the labelled items of either part are fewer than 50 or all alike.

    Notes
    -----
    ``repeated lines``: a table of past hit rates by goods line alone ranks the later
    items. ``look-up``: the same for the columns that a greedy search finds best on the
    later half of the past. Both raise an alarm when their precision at 5 % is at least
    0.8 of the oracle's and twice the hit rate: then remembering is enough.
    ``identifiers``: labels follow the order of the declarations' identifiers.
    ``values``: declared values are those that the control set, or are written otherwise
    where something was found. ``dates``: weekdays are too even for days of work.
    ``truncation``: months without results. ``contradictions``: revenue where nothing
    was found.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import audit
    >>> world = make_declarations(3_000, random_state=0)
    >>> result = audit(world.declarations, world.outcomes)
    >>> result.frame()["check"].tolist()[:2]
    ['repeated lines', 'look-up']
    """
    check_number("audit", "later_share", later_share, low=0.0, high=1.0)
    if later is None:
        split = time_split(declarations, outcomes, later_share=later_share)
        past, known = split.past, split.known
        new, results = split.later, outcomes
    else:
        past, known = declarations, outcomes
        new, results = later
    learn, judge = _labelled(past, known, "past"), _labelled(new, results, "later")
    every = _labelled(
        pd.concat([past, new], ignore_index=True),
        pd.concat([known, results], ignore_index=True).drop_duplicates(list(KEY)),
        "all",
    )
    findings = [
        _repeated(learn, judge),
        _look_up(learn, judge),
        _identifiers(every),
        _values(every),
        _dates(pd.concat([past["lodged_at"], new["lodged_at"]])),
        _truncation(declarations, outcomes),
        _contradictions(every),
    ]
    names = ["check", "alarm", "figure", "finding"]
    return Audit(pd.DataFrame(findings, columns=names))


def _labelled(items: pd.DataFrame, results: pd.DataFrame, which: str) -> pd.DataFrame:
    """Return the items that have a result, with it."""
    kept = [c for c in results if c not in items or c in KEY]
    table = items.merge(results[kept], on=list(KEY))
    if len(table) < 50 or table["illicit"].nunique() < 2:
        raise TableError(
            "evaluation.items_result_hits_both",
            "audit: {n_table} of the {which} items have a result, with "
            "{illicit} hits; at least 50 and both kinds are needed. Pass more "
            "of them, or part them otherwise.",
            n_table=len(table),
            which=which,
            illicit=int(table["illicit"].sum()),
        )
    return table


def _repeated(learn: pd.DataFrame, judge: pd.DataFrame) -> Finding:
    """Judge a look-up of the goods line."""
    line = ("tariff_code", "departure", "origin", "duty_rate", "preference")
    columns = [c for c in (*line, "net_mass_kg") if c in learn and c in judge]
    seen = seen_before(judge, learn, columns=columns).to_numpy()
    found = _precision(learn, judge, columns)
    text = f"{seen.mean():.1%} of the later items repeat a goods line"
    new = judge[~seen]
    if len(new) >= 50 and new["illicit"].nunique() == 2:
        other = [c for c in columns if c != "net_mass_kg"]
        rest = _precision(learn, new, other)
        text += f"; a look-up of the route finds {rest:.1%} among the top 5 % of others"
    return _judged("repeated lines", found, judge, f"{text}; look-up of the line: ")


def _look_up(learn: pd.DataFrame, judge: pd.DataFrame) -> Finding:
    """Judge the best look-up that a greedy search finds."""
    columns = best_look_up(learn)
    found = _precision(learn, judge, columns)
    return _judged("look-up", found, judge, f"look-up of {', '.join(columns)}: ")


def _judged(name: str, found: float, judge: pd.DataFrame, text: str) -> Finding:
    base = float(judge["illicit"].mean())
    possible = min(1.0, base / _RATE)
    alarm = bool(found >= _SURE * possible and found >= _LIFT * base)
    return (
        name,
        alarm,
        found,
        f"{text}{found:.1%} hits in the top 5 % (all: {base:.1%})",
    )


def best_look_up(table: pd.DataFrame, most: int = 6) -> list[str]:
    """Return the columns whose past hit rates predict best, found greedily.

    Parameters
    ----------
    table : DataFrame
        Labelled items in any order, with `lodged_at` and `illicit`.
    most : int, default=6
        Most columns.

    Returns
    -------
    columns : list of str
        By held-out log loss on the later half; at least one.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import best_look_up
    >>> table = pd.DataFrame({"lodged_at": pd.date_range("2024-01-01", periods=80),
    ...                       "origin": ["VN", "CN"] * 40, "office": ["1"] * 80,
    ...                       "illicit": [1, 0] * 40})
    >>> best_look_up(table)
    ['origin']
    """
    table = table.sort_values("lodged_at", kind="stable").tail(_SEARCHED)
    names = [f.name for f in DECLARATIONS if f.name in table and f.name not in _NO_KEY]
    codes = {name: pd.factorize(table[name])[0] + 1 for name in names}
    codes = {name: code for name, code in codes.items() if code.max() > 1}
    y = table["illicit"].to_numpy(np.float64)
    half = len(table) // 2
    chosen: list[str] = []
    group = np.zeros(len(table), np.int64)
    best = math.inf
    while len(chosen) < most:
        losses = {
            name: _held_out(group * (code.max() + 1) + code, y, half)
            for name, code in codes.items()
            if name not in chosen
        }
        if not losses:
            break
        name = min(losses, key=lambda n: losses[n])
        if chosen and losses[name] >= best - 1e-4:
            break
        best = losses[name]
        chosen.append(name)
        group = pd.factorize(group * (codes[name].max() + 1) + codes[name])[0]
    return chosen


_NO_KEY = (*KEY, "lodged_at", "description")


def _held_out(group: NDArray[np.int64], y: Float, half: int) -> float:
    """Return the log loss of rates of the earlier half on the later one."""
    codes, _ = pd.factorize(group)
    rate = _rates(codes[:half], y[:half], int(codes.max()) + 1)[codes[half:]]
    p, hit = np.clip(rate, 1e-3, 1 - 1e-3), y[half:]
    return float(-(hit * np.log(p) + (1 - hit) * np.log(1 - p)).mean())


def _rates(codes: NDArray[Any], y: Float, size: int) -> Float:
    """Return hit rates by code, drawn towards the rate of all."""
    n = np.bincount(codes, minlength=size)
    hits = np.bincount(codes, weights=y, minlength=size)
    rate: Float = (hits + _SMOOTHING * y.mean()) / (n + _SMOOTHING)
    return rate


def _precision(
    learn: pd.DataFrame, judge: pd.DataFrame, columns: Sequence[str]
) -> float:
    """Return the precision at 5 % of the past hit rate by some columns."""
    both = pd.concat([learn[[*columns]], judge[[*columns]]], ignore_index=True)
    codes = both.groupby([*columns], dropna=False, sort=False).ngroup().to_numpy()
    y = learn["illicit"].to_numpy(np.float64)
    rate = _rates(codes[: len(learn)], y, int(codes.max()) + 1)
    hits = judge["illicit"].to_numpy(np.float64)
    return float(precision_at(hits, rate[codes[len(learn) :]], _RATE))


def _identifiers(every: pd.DataFrame) -> Finding:
    """Tell whether the order of identifiers betrays the label within a month."""
    rank = every["declaration_id"].rank()
    month = every["lodged_at"].dt.strftime("%Y-%m")
    within = (rank - rank.groupby(month).transform("mean")).to_numpy()
    y = every["illicit"].to_numpy()
    auc = float(roc_auc_score(y, within))
    few = min(y.sum(), len(y) - y.sum())
    alarm = abs(auc - 0.5) > 0.05 + 4 * math.sqrt(1 / (12 * few))
    text = f"ROC AUC of the identifiers' order within a month: {auc:.3f} (chance: 0.5)"
    return "identifiers", bool(alarm), auc, text


def _values(every: pd.DataFrame) -> Finding:
    """Tell whether declared values were overwritten by what the control set."""
    name = "values"
    if "customs_value" not in every:
        return name, False, math.nan, "no customs_value to look at"
    value, y = every["customs_value"], every["illicit"] == 1
    if "assessed_value" in every and every.loc[y, "assessed_value"].notna().any():
        found = every[y & every["assessed_value"].notna()]
        raised = (
            found["revenue_adjustment"].fillna(0) > 0
            if ("revenue_adjustment" in found)
            else np.ones(len(found), bool)
        )
        same = np.isclose(found["customs_value"], found["assessed_value"], rtol=1e-9)
        share = float(same[np.asarray(raised)].mean()) if np.any(raised) else 0.0
        if share == 1.0 and int(np.sum(raised)) >= 20:
            text = "declared and assessed value are one wherever revenue was found"
            return name, True, share, text
    whole = (value % 1 == 0).astype(float)
    gap = float(whole[y].mean() - whole[~y].mean())
    text = f"share of whole numbers, hits less others: {gap:+.1%}"
    return name, abs(gap) > 0.25, gap, text


def _dates(lodged: pd.Series) -> Finding:
    """Tell whether weekdays are too even for days of work."""
    share = (
        lodged.dt.day_of_week.value_counts(normalize=True).reindex(range(7)).fillna(0)
    )
    weekend = float(share.loc[5:].sum())
    text = f"{weekend:.1%} lodged on Saturdays and Sundays (even days: 28.6 %)"
    span = (lodged.max() - lodged.min()).days
    even = bool(
        (share - 1 / 7).abs().max() < 0.02 and span >= 28 and len(lodged) > 2000
    )
    return "dates", even, weekend, text + ("; dates may be pasted on" if even else "")


def _truncation(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> Finding:
    """Tell of months without results."""
    months = unlabelled_months(declarations, outcomes)
    share = len(outcomes) / max(len(declarations), 1)
    text = f"{len(months)} months without results; {share:.1%} of the items have one"
    if share > 0.999:
        text += ": selection bias cannot be studied"
    return "truncation", len(months) > 0, float(len(months)), text


def _contradictions(every: pd.DataFrame) -> Finding:
    """Tell of results that contradict themselves."""
    name = "contradictions"
    if "revenue_adjustment" not in every:
        return name, False, math.nan, "no revenue_adjustment to compare with"
    odd = (every["illicit"] == 0) & (every["revenue_adjustment"] > 0)
    share = float(odd.mean())
    text = f"{int(odd.sum())} results recover revenue and find nothing ({share:.1%})"
    return name, share > 0.01, share, text
