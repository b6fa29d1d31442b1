"""Whether a data set is a fair benchmark: look-ups, leaks, missing months, errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from smartrisk.errors import ArgumentError, Message, TableError, check_number
from smartrisk.evaluation._matched_tables import Float, check_columns
from smartrisk.evaluation._ranking import hit_share
from smartrisk.items import are_document_hits, check_unique, clean_amounts, join_by_key
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, KEY, TableInput
from smartrisk.tables import read_table
from smartrisk.windows import GOODS_LINE, seen_before, time_split, unlabelled_months

#: Inspection rate of the look-ups: what many administrations can inspect.
_RATE = 0.05
#: Inspections that the rate of all items is worth in a look-up: a value seen once is
#: drawn two thirds of the way to the mean.
_SMOOTHING = 2.0
#: A look-up raises an alarm from this part of the best precision that there can be, and
#: from this multiple of the hit rate.
_NEAR_BEST, _LEAST_LIFT = 0.8, 2.0
#: Latest items in which columns are searched: it bounds the time of the search.
_SEARCHED = 50_000
#: Labelled items below which no figure of an audit means anything.
_LEAST_LABELLED = 50


@dataclass(frozen=True)
class Finding:
    """What one check of an audit found.

    Parameters
    ----------
    check : str
        Name of the check.
    alarm : bool
        Whether the finding needs attention.
    figure : float
        The figure behind it; NaN where the check does not apply.
    message : Message
        The finding as a message id, an English template and named values.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import audit
    >>> world = make_declarations(3_000, random_state=0)
    >>> finding = audit(world.declarations, world.outcomes).findings[-1]
    >>> finding.check, finding.message.message_id
    ('contradictions', 'evaluation.audit_contradictions')
    """

    check: str
    alarm: bool
    figure: float
    message: Message


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """Findings of an audit, one per check.

    Parameters
    ----------
    _findings : tuple of Finding
        One per check.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import audit
    >>> world = make_declarations(3_000, random_state=0)
    >>> audit(world.declarations, world.outcomes).alarms
    []
    """

    _findings: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, each with the id, template and values of its message."""
        return self._findings

    @property
    def alarms(self) -> list[str]:
        """Names of the checks that raised an alarm."""
        return [finding.check for finding in self._findings if finding.alarm]

    def frame(self) -> pd.DataFrame:
        """Return one row per check.

        Returns
        -------
        frame : DataFrame
            check, alarm, figure, finding (in English), message_id.
        """
        return pd.DataFrame(
            {
                "check": [f.check for f in self._findings],
                "alarm": [f.alarm for f in self._findings],
                "figure": [f.figure for f in self._findings],
                "finding": [str(f.message) for f in self._findings],
                "message_id": [f.message.message_id for f in self._findings],
            }
        )

    def __repr__(self) -> str:
        """Return which checks raised an alarm."""
        alarms = ", ".join(self.alarms) or "none"
        return f"Audit({len(self._findings)} checks, alarms: {alarms})"


def audit(
    declarations: TableInput,
    outcomes: TableInput,
    *,
    later_declarations: TableInput | None = None,
    later_outcomes: TableInput | None = None,
    later_share: float = 0.25,
) -> Audit:
    """Find what makes a set of declarations too easy, or its figures misleading.

    Parameters
    ----------
    declarations, outcomes : DataFrame
        DECLARATIONS and OUTCOMES to learn from.
    later_declarations, later_outcomes : DataFrame, default=None
        DECLARATIONS and OUTCOMES to judge on, both or none; None splits the given ones
        by time.
    later_share : float, default=0.25
        Share of the items to judge on when no later ones are given.

    Returns
    -------
    audit : Audit
        One finding per check.

    Raises
    ------
    TableError
        If a table repeats a key or lacks a column, or the labelled items of either
        part are fewer than 50 or all of one kind.
    ArgumentError
        If only one of the later tables is given.

    Notes
    -----
    ``repeated lines``: a table of past hit rates by goods line alone ranks the later
    items. ``look-up``: the same for the columns that a greedy search finds best on the
    later half of the past. Both raise an alarm when their precision at 5 % is at least
    0.8 of the oracle's and twice the hit rate: then remembering is enough.
    ``identifiers``: labels follow the order of the declarations' identifiers.
    ``values``: declared values are those that the control set, or are written
    differently where something was found. ``dates``: dates are spread too evenly over
    the days of the week. ``truncation``: months without results. ``contradictions``:
    revenue where nothing was found.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import audit
    >>> world = make_declarations(3_000, random_state=0)
    >>> result = audit(world.declarations, world.outcomes)
    >>> result.frame()["check"].tolist()[:2]
    ['repeated lines', 'look-up']
    """
    declarations = read_table("audit", "'declarations'", declarations)
    outcomes = read_table("audit", "'outcomes'", outcomes)
    later_declarations = read_table("audit", "'later_declarations'", later_declarations)
    later_outcomes = read_table("audit", "'later_outcomes'", later_outcomes)
    check_number("audit", "later_share", later_share, low=0.0, high=1.0)
    tables = [("DECLARATIONS", declarations), ("OUTCOMES", outcomes)]
    if later_declarations is not None and later_outcomes is not None:
        tables += [
            ("'later_declarations'", later_declarations),
            ("'later_outcomes'", later_outcomes),
        ]
    for name, table in tables:
        check_columns("audit", name, table, KEY[:1])
        check_unique("audit", name, table)
    _check_days(declarations)
    if (later_declarations is None) != (later_outcomes is None):
        raise ArgumentError(
            "evaluation.audit_half_of_later",
            "audit: pass 'later_declarations' and 'later_outcomes' together, or "
            "neither of them.",
        )
    if later_declarations is None or later_outcomes is None:
        split = time_split(declarations, outcomes, later_share=later_share)
        past, known = split.past, split.known
        later, results = split.later, outcomes
    else:
        past, known = declarations, outcomes
        later, results = later_declarations, later_outcomes
    learn, judge = (
        _join_results(past, known, "past"),
        _join_results(later, results, "later"),
    )
    every = _join_results(
        pd.concat([past, later], ignore_index=True),
        pd.concat([known, results], ignore_index=True).drop_duplicates(
            [name for name in KEY if name in results]
        ),
        "all",
    )
    findings = (
        _check_repeated_lines(learn, judge),
        _check_look_up(learn, judge),
        _check_identifiers(every),
        _check_values(every),
        _check_dates(pd.concat([past["lodged_at"], later["lodged_at"]])),
        _check_truncation(declarations, outcomes),
        _check_contradictions(every),
    )
    return Audit(findings)


def _check_days(declarations: pd.DataFrame) -> None:
    """Raise unless there are items with the days on which they were lodged."""
    check_columns("audit", "DECLARATIONS", declarations, ("lodged_at",))
    if not declarations["lodged_at"].notna().any():
        raise TableError(
            "evaluation.audit_no_item",
            "audit: DECLARATIONS hold no item with a day in 'lodged_at'. Pass the "
            "items that the results are of.",
        )


def _join_results(
    declarations: pd.DataFrame, outcomes: pd.DataFrame, part: str
) -> pd.DataFrame:
    """Return the items that have a result, with it; hits of documents are none."""
    of_document = are_document_hits(outcomes)
    if of_document.any():
        outcomes = outcomes[~of_document].astype({"illicit": "int64"})
    columns = [c for c in outcomes if c not in declarations and c not in KEY]
    table = join_by_key(declarations, outcomes, columns, how="inner", owner="audit")
    table = table.reset_index(drop=True)
    if len(table) < _LEAST_LABELLED or table["illicit"].nunique() < 2:
        raise TableError(
            "evaluation.audit_too_few_labelled",
            "audit: {n_labelled} of the {part} items have a result, with {n_hits} "
            "hits; at least {least} results are needed, with and without a hit. Pass "
            "more items, or split them at another time.",
            n_labelled=len(table),
            part=part,
            n_hits=int(table["illicit"].sum()),
            least=_LEAST_LABELLED,
        )
    return table


def _check_repeated_lines(learn: pd.DataFrame, judge: pd.DataFrame) -> Finding:
    """Judge a look-up of the goods line."""
    columns = [c for c in GOODS_LINE if c in learn and c in judge]
    seen = seen_before(judge, learn, columns=columns).to_numpy()
    found = _precision(learn, judge, columns)
    values: dict[str, object] = {"repeated": float(seen.mean())}
    unseen = judge[~seen]
    if len(unseen) < _LEAST_LABELLED or unseen["illicit"].nunique() < 2:
        return _look_up_finding(
            "repeated lines",
            found,
            judge,
            "evaluation.audit_repeated_lines",
            "{repeated:.1%} of the later items repeat a goods line; look-up of the "
            "line: {found:.1%} hits in the top 5 % (all: {base:.1%})",
            values,
        )
    route = [c for c in columns if c != "net_mass_kg"]
    values["found_by_route"] = _precision(learn, unseen, route)
    return _look_up_finding(
        "repeated lines",
        found,
        judge,
        "evaluation.audit_repeated_lines_and_route",
        "{repeated:.1%} of the later items repeat a goods line; a look-up of the route "
        "finds {found_by_route:.1%} among the top 5 % of others; look-up of the line: "
        "{found:.1%} hits in the top 5 % (all: {base:.1%})",
        values,
    )


def _check_look_up(learn: pd.DataFrame, judge: pd.DataFrame) -> Finding:
    """Judge the best look-up that a greedy search finds."""
    columns = best_look_up(learn)
    return _look_up_finding(
        "look-up",
        _precision(learn, judge, columns),
        judge,
        "evaluation.audit_look_up",
        "look-up of {columns}: {found:.1%} hits in the top 5 % (all: {base:.1%})",
        {"columns": ", ".join(columns)},
    )


def _look_up_finding(
    check: str,
    found: float,
    judge: pd.DataFrame,
    message_id: str,
    template: str,
    values: Mapping[str, object],
) -> Finding:
    """Return the finding of a look-up: alarming when it is near the best possible."""
    base = float(judge["illicit"].mean())
    possible = min(1.0, base / _RATE)
    alarm = bool(found >= _NEAR_BEST * possible and found >= _LEAST_LIFT * base)
    values = {**values, "found": found, "base": base}
    return Finding(check, alarm, found, Message(message_id, template, **values))


def best_look_up(table: TableInput, max_columns: int = 6) -> list[str]:
    """Return the columns whose past hit rates predict best, by a greedy search.

    Parameters
    ----------
    table : DataFrame
        Labelled items in any order, with `lodged_at` and `illicit`.
    max_columns : int, default=6
        Maximum number of columns.

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
    table = read_table("best_look_up", "'table'", table)
    table = table.sort_values("lodged_at", kind="stable").tail(_SEARCHED)
    names = [
        f.name
        for f in DECLARATIONS
        if f.in_features and f.name in table and f.name not in _NO_LOOK_UP
    ]
    codes = {name: pd.factorize(table[name])[0] + 1 for name in names}
    codes = {name: code for name, code in codes.items() if code.max() > 1}
    y = table["illicit"].to_numpy(np.float64)
    half = len(table) // 2
    chosen: list[str] = []
    group = np.zeros(len(table), np.int64)
    best = math.inf
    while len(chosen) < max_columns:
        losses = {
            name: _held_out(group * (code.max() + 1) + code, y, half)
            for name, code in codes.items()
            if name not in chosen
        }
        if not losses:
            break
        name = min(losses, key=lambda n: losses[n])
        # The search ends where a further column gains next to nothing.
        if chosen and losses[name] >= best - 1e-4:
            break
        best = losses[name]
        chosen.append(name)
        group = pd.factorize(group * (codes[name].max() + 1) + codes[name])[0]
    return chosen


_NO_LOOK_UP = (*KEY, "lodged_at", "description")


def _held_out(group: NDArray[np.int64], y: Float, half: int) -> float:
    """Return the log loss of rates of the earlier half on the later one."""
    codes, _ = pd.factorize(group)
    rate = _rates(codes[:half], y[:half], int(codes.max()) + 1)[codes[half:]]
    p, hit = np.clip(rate, 1e-3, 1 - 1e-3), y[half:]
    return float(-(hit * np.log(p) + (1 - hit) * np.log(1 - p)).mean())


def _rates(codes: NDArray[np.integer], y: Float, size: int) -> Float:
    """Return hit rates by code, shrunk towards the rate of all."""
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
    return hit_share(hits, rate[codes[len(learn) :]], _RATE, "expected")


def _check_identifiers(every: pd.DataFrame) -> Finding:
    """Judge whether the order of identifiers reveals the label within a month."""
    rank = every["declaration_id"].rank()
    month = every["lodged_at"].dt.strftime("%Y-%m")
    within = (rank - rank.groupby(month).transform("mean")).to_numpy()
    y = every["illicit"].to_numpy()
    auc = float(roc_auc_score(y, within))
    few = min(y.sum(), len(y) - y.sum())
    # Four standard deviations of the AUC of chance, which are 1 / sqrt(12 n) when one
    # kind is much rarer than the other, beyond a margin for real seasons in a month.
    alarm = abs(auc - 0.5) > 0.05 + 4 * math.sqrt(1 / (12 * few))
    return Finding(
        "identifiers",
        bool(alarm),
        auc,
        Message(
            "evaluation.audit_identifiers",
            "ROC AUC of the identifiers' order within a month: {auc:.3f} (chance: 0.5)",
            auc=auc,
        ),
    )


def _check_values(every: pd.DataFrame) -> Finding:
    """Judge whether declared values were overwritten by those that the control set."""
    if "customs_value" not in every:
        return Finding(
            "values",
            False,
            math.nan,
            Message("evaluation.audit_no_values", "no customs_value to check"),
        )
    value, hit = every["customs_value"], every["illicit"] == 1
    share, n = _share_assessed(every[hit])
    # Twenty raised values that all equal the assessed one are no coincidence.
    if share == 1.0 and n >= 20:
        return Finding(
            "values",
            True,
            share,
            Message(
                "evaluation.audit_values_overwritten",
                "declared and assessed value are equal wherever revenue was found ({n} "
                "items)",
                n=n,
            ),
        )
    whole = (value % 1 == 0).astype(float)
    gap = float(whole[hit].mean() - whole[~hit].mean())
    return Finding(
        "values",
        abs(gap) > 0.25,
        gap,
        Message(
            "evaluation.audit_whole_values",
            "share of whole numbers, hits minus others: {gap:+.1%}",
            gap=gap,
        ),
    )


def _share_assessed(hits: pd.DataFrame) -> tuple[float, int]:
    """Return the share of raised values that equal the assessed one, and how many."""
    if "assessed_value" not in hits or not hits["assessed_value"].notna().any():
        return 0.0, 0
    found = hits[hits["assessed_value"].notna()]
    raised = np.ones(len(found), np.bool_)
    if "revenue_adjustment" in found:
        raised = clean_amounts(found["revenue_adjustment"]) > 0
    if not raised.any():
        return 0.0, 0
    equal = np.isclose(found["customs_value"], found["assessed_value"], rtol=1e-9)
    return float(equal[raised].mean()), int(raised.sum())


def _check_dates(lodged: pd.Series) -> Finding:
    """Judge whether dates are spread too evenly over the days of the week."""
    counts = lodged.dt.day_of_week.value_counts(normalize=True)
    share = counts.reindex(range(7)).fillna(0)
    weekend = float(share.loc[5:].sum())
    span = (lodged.max() - lodged.min()).days
    # Of 2,000 items, two points are 2.6 standard deviations of a weekday's share.
    even = bool(
        (share - 1 / 7).abs().max() < 0.02 and span >= 28 and len(lodged) > 2000
    )
    if even:
        return Finding(
            "dates",
            True,
            weekend,
            Message(
                "evaluation.audit_even_dates",
                "{weekend:.1%} lodged on Saturdays and Sundays (evenly spread: 28.6 "
                "%); dates may have been added later",
                weekend=weekend,
            ),
        )
    return Finding(
        "dates",
        False,
        weekend,
        Message(
            "evaluation.audit_dates",
            "{weekend:.1%} lodged on Saturdays and Sundays (evenly spread: 28.6 %)",
            weekend=weekend,
        ),
    )


def _check_truncation(declarations: pd.DataFrame, outcomes: pd.DataFrame) -> Finding:
    """Count the months without results."""
    n_months = len(unlabelled_months(declarations, outcomes))
    share = len(outcomes) / max(len(declarations), 1)
    values = {"n_months": n_months, "share": share}
    if share > 0.999:
        return Finding(
            "truncation",
            n_months > 0,
            float(n_months),
            Message(
                "evaluation.audit_all_labelled",
                "{n_months} months without results; {share:.1%} of the items have one: "
                "selection bias cannot be studied",
                **values,
            ),
        )
    return Finding(
        "truncation",
        n_months > 0,
        float(n_months),
        Message(
            "evaluation.audit_truncation",
            "{n_months} months without results; {share:.1%} of the items have one",
            **values,
        ),
    )


def _check_contradictions(every: pd.DataFrame) -> Finding:
    """Count results that have revenue but no irregularity."""
    if "revenue_adjustment" not in every:
        return Finding(
            "contradictions",
            False,
            math.nan,
            Message(
                "evaluation.audit_no_revenue", "no revenue_adjustment to compare with"
            ),
        )
    odd = (every["illicit"] == 0) & (every["revenue_adjustment"] > 0)
    share = float(odd.mean())
    return Finding(
        "contradictions",
        share > 0.01,
        share,
        Message(
            "evaluation.audit_contradictions",
            "{n_results} results have revenue but no irregularity ({share:.1%})",
            n_results=int(odd.sum()),
            share=share,
        ),
    )
