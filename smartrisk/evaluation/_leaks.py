"""The leak prover: change what could not be known, and look at what moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    LeakageError,
    TableError,
    check_number,
    format_values,
)
from smartrisk.evaluation._computations import Compute, computation
from smartrisk.evaluation._logged_decisions import Bool, numbered
from smartrisk.results import Result
from smartrisk.schema import KEY

#: What each probe changes, and what it means when something moves.
PROBES = {
    "own and later results": "uses results that were not known at lodgement",
    "the future": "uses items or results that came later",
    "the day of a result": "uses a result before the day on which it was known",
    "the same day": "uses other items of the same day",
    "the order of rows": "depends on the order of the rows",
}
_COLUMNS = ["probe", "feature", "n_moved", "n_checked", "largest", "examples", "means"]
_FEW_VALUES = 256  # a column with at most so many values is a code
_RARE = 12


@dataclass(frozen=True, eq=False, repr=False)
class LeakReport(Result):
    """Which numbers moved when what could not be known was changed.

    Parameters
    ----------
    table : DataFrame
        One row per probe and feature that moved.
    checked : dict of str to int
        Numbers compared, by probe.
    kind : str
        What was tried: "engine", "features", "estimator" or "function".

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import prove_leak_free
    >>> world = make_declarations(600, random_state=0, scenario="small")
    >>> def value(declarations, outcomes):
    ...     return declarations[["customs_value"]]
    >>> prove_leak_free(value, world.declarations, world.outcomes).leaks
    []
    """

    table: pd.DataFrame
    checked: dict[str, int]
    kind: str

    def frame(self) -> pd.DataFrame:
        """Return one row per probe and feature that moved.

        Returns
        -------
        frame : DataFrame
            probe, feature, n_moved, n_checked (items), largest (change), examples (up
            to five keys), means. Empty when nothing moved.
        """
        return self.table.copy()

    @property
    def leaks(self) -> list[str]:
        """Features that moved."""
        return sorted(set(self.table["feature"]))

    def check(self) -> None:
        """Raise when something moved.

        Raises
        ------
        LeakageError
            Names features, probes and items.
        """
        if self.leaks:
            told = [
                f"{row.feature!r} moved for {row.n_moved} of {row.n_checked} items "
                f"when {row.probe} changed (as {row.examples}): it {row.means}"
                for row in self.table.head(5).itertuples()
            ]
            more = len(self.table) - len(told)
            told += [f"and {more} more"] if more else []
            raise LeakageError(
                "evaluation.message",
                "prove_leak_free: {told}.",
                told="; ".join(told),
            )

    def __repr__(self) -> str:
        if self.leaks:
            leaks = format_values(self.leaks)
            return f"LeakReport({len(self.leaks)} features leak: {leaks})"
        return f"LeakReport(nothing moved in {sum(self.checked.values())} comparisons)"


def prove_leak_free(
    subject: Any,
    declarations: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    n_moments: int = 3,
    tolerance: float = 1e-9,
    random_state: int = 0,
) -> LeakReport:
    """Change what could not be known at lodgement, and report what moves.

    Use it on your own features before you believe a metric. Nothing is read from the
    code: the subject computes its numbers again and again on changed tables.

    Parameters
    ----------
    subject : object
        An engine (``fit``, ``update``, ``score``); a transformer whose ``fit`` takes
        ``outcomes``; a scikit-learn transformer, fitted on `columns` and the labels of
        the inspected items; or a function of declarations and outcomes that returns
        one row per item.
    declarations : DataFrame
        DECLARATIONS; some thousands are enough, and a year at least.
    outcomes : DataFrame
        OUTCOMES with ``known_at``.
    columns : sequence of str, default=None
        Columns for a scikit-learn transformer; None for all texts but the key.
    n_moments : int, default=3
        Moments at which the world is parted into known and unknown.
    tolerance : float, default=1e-9
        Relative change that counts as none.
    random_state : int, default=0
        Seed of what is changed.

    Returns
    -------
    report : LeakReport
        What moved; ``check()`` raises when anything did.

    Raises
    ------
    TableError
        If a table lacks its columns, or is too small to be parted.

    Notes
    -----
    The probes, each at `n_moments` moments *t*:

    - *own and later results*: results known from *t* on are turned round. Items lodged
      before must not move; among them are the items themselves.
    - *the future*: half of the items lodged from *t* on become copies of others,
      and their results are turned round. Items lodged before must not move.
    - *the day of a result*: results known from *t* on come ten years later. It must be
      as if they did not exist.
    - *the same day*: half of the items of a day become copies of others. The others of
      that day must not move: what is declared counts from the next day on.
    - *the order of rows*: rows are shuffled.

    No probe can prove the absence of a leak that these data do not show.

    References
    ----------
    Kaufman, S., Rosset, S., Perlich, C., Stitelman, O. (2012). Leakage in data mining:
    Formulation, detection, and avoidance. ACM TKDD 6.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import prove_leak_free
    >>> world = make_declarations(600, random_state=0, scenario="small")
    >>> def hit_rate(declarations, outcomes):
    ...     both = declarations.merge(outcomes, how="left")
    ...     return both.groupby("office")["illicit"].transform("mean").fillna(0)
    >>> prove_leak_free(hit_rate, world.declarations, world.outcomes).leaks
    ['illicit']
    """
    check_number("prove_leak_free", "n_moments", n_moments, low=1, integer=True)
    check_number("prove_leak_free", "tolerance", tolerance, low=0.0)
    items, results = _prepared(declarations, outcomes)
    moments = _moments(items, n_moments)
    rng = np.random.default_rng(random_state)
    compute, kind = computation(
        subject, items, results, columns=columns, start=moments[0]
    )
    moments = moments[1:]
    world = _World(items, results, compute, compute(items, results), tolerance)
    _repeatable(world)
    rows: list[dict[str, Any]] = []
    checked = dict.fromkeys(PROBES, 0)
    for probe, trials in (
        ("own and later results", (_later_results(world, t) for t in moments)),
        ("the future", (_future(world, t, rng) for t in moments)),
        ("the day of a result", (_result_day(world, t, kind) for t in moments)),
        ("the same day", (_same_day(world, t, rng) for t in moments)),
        ("the order of rows", iter([_order(world, rng)])),
    ):
        moved: dict[str, dict[str, Any]] = {}
        for before, after, kept in trials:
            told = kept & after.notna().any(axis=1).to_numpy()
            checked[probe] += int(told.sum())
            world.compare(before, after, kept, moved)
        rows += [
            {"probe": probe, "feature": name, **found, "means": PROBES[probe]}
            for name, found in moved.items()
        ]
    return LeakReport(pd.DataFrame(rows, columns=_COLUMNS), checked, kind)


@dataclass(frozen=True)
class _World:
    """Tables, how to compute, and what comes out when nothing is changed."""

    items: pd.DataFrame
    results: pd.DataFrame
    compute: Compute
    plain: pd.DataFrame
    tolerance: float

    def compare(
        self,
        before: pd.DataFrame,
        after: pd.DataFrame,
        kept: Bool,
        moved: dict[str, dict[str, Any]],
    ) -> None:
        """Add the features that differ for the kept items."""
        gone = set(before.columns) ^ set(after.columns)
        for name in sorted(gone | set(before.columns)):
            if name in gone:
                differs = kept.copy()
                change = np.full(len(kept), np.inf)
            else:
                differs, change = _differs(before[name], after[name], self.tolerance)
                differs &= kept
            if differs.any():
                keys = self.items.loc[differs, "declaration_id"].head(5).tolist()
                old = moved.get(name, {"n_moved": 0, "n_checked": 0, "largest": 0.0})
                moved[name] = {
                    "n_moved": old["n_moved"] + int(differs.sum()),
                    "n_checked": old["n_checked"] + int(kept.sum()),
                    "largest": max(old["largest"], float(change[differs].max())),
                    "examples": old.get("examples", format_values(keys)),
                }


def _repeatable(world: _World) -> None:
    """Refuse a subject that gives other numbers for the same tables."""
    moved: dict[str, dict[str, Any]] = {}
    again = world.compute(world.items, world.results)
    world.compare(world.plain, again, np.ones(len(world.items), bool), moved)
    if moved:
        raise ArgumentError(
            "evaluation.subject_gives_other_numbers",
            "prove_leak_free: 'subject' gives other numbers every time for "
            "{moved}. Give it a fixed random_state.",
            moved=format_values(sorted(moved)),
        )


def _prepared(
    declarations: pd.DataFrame, outcomes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables in order of time, with a plain index; refuse what lacks."""
    for name, frame, wanted in (
        ("DECLARATIONS", declarations, ("declaration_id", "lodged_at")),
        ("OUTCOMES", outcomes, ("declaration_id", "illicit", "known_at")),
    ):
        gone = [column for column in wanted if column not in frame]
        if gone:
            raise TableError(
                "evaluation.lacks_columns_without_them",
                "prove_leak_free: {name} lacks the columns {gone}; without them it "
                "cannot be told what was known when.",
                name=name,
                gone=format_values(gone),
            )
    items = declarations.sort_values("lodged_at", kind="stable", ignore_index=True)
    results = outcomes.reset_index(drop=True)
    keys = pd.MultiIndex.from_frame(numbered(items)[list(KEY)])
    mine = pd.MultiIndex.from_frame(numbered(results)[list(KEY)]).isin(keys)
    return items, results[mine].reset_index(drop=True)


def _moments(items: pd.DataFrame, n: int) -> list[pd.Timestamp]:
    """Return midnights that part the items: first where learning ends, then others."""
    days = items["lodged_at"].dt.normalize()
    shares = [0.4, *np.linspace(0.55, 0.85, n)]
    out = [days.iloc[int(share * (len(days) - 1))] for share in shares]
    if len(items) < 100 or len(set(out)) < len(out):
        raise TableError(
            "evaluation.items_days_cannot_parted",
            "prove_leak_free: {n_items} items of {days} days cannot be parted "
            "at {n} moments. Pass at least 100 items of more days.",
            n_items=len(items),
            days=days.nunique(),
            n=n + 1,
        )
    return [pd.Timestamp(moment) for moment in out]


Trial = tuple[pd.DataFrame, pd.DataFrame, Bool]


def _turned(results: pd.DataFrame, at: Bool) -> pd.DataFrame:
    """Return results with some labels turned round, and their revenue with them."""
    out = results.copy()
    label = out["illicit"].to_numpy().copy()
    label[at] = 1 - label[at]
    out["illicit"] = label
    if "revenue_adjustment" in out:
        revenue = out["revenue_adjustment"].to_numpy(np.float64).copy()
        revenue[at] = np.where(label[at] == 1, 12_345.0, 0.0)
        out["revenue_adjustment"] = revenue
    return out


def _later_results(world: _World, t: pd.Timestamp) -> Trial:
    """Turn the results round that are known from `t` on."""
    late = (world.results["known_at"] >= t).to_numpy()
    after = world.compute(world.items, _turned(world.results, late))
    return world.plain, after, (world.items["lodged_at"] < t).to_numpy()


def _future(world: _World, t: pd.Timestamp, rng: np.random.Generator) -> Trial:
    """Change the items lodged, and the results known, from `t` on."""
    old = (world.items["lodged_at"] < t).to_numpy()
    late = (world.results["known_at"] >= t).to_numpy()
    items = _copied(world.items, np.flatnonzero(~old), rng, _rare(world))
    after = world.compute(items, _turned(world.results, late))
    return world.plain, after, old


def _result_day(world: _World, t: pd.Timestamp, kind: str) -> Trial:
    """Compare results that come ten years later with results that do not exist.

    An estimator learns from the rows that it is given, and numbers their codes: there
    the late results are turned round instead of taken away.
    """
    late = (world.results["known_at"] >= t).to_numpy()
    moved = world.results.copy()
    moments = moved["known_at"].copy()
    moments[late] = moments[late] + pd.Timedelta(days=3_653)
    moved["known_at"] = moments
    after = world.compute(world.items, moved)
    without = world.results[~late].reset_index(drop=True)
    if kind == "estimator":
        without = _turned(moved, late)
    before = world.compute(world.items, without)
    return before, after, np.ones(len(world.items), bool)


def _same_day(world: _World, t: pd.Timestamp, rng: np.random.Generator) -> Trial:
    """Change half of the items of the busiest day near `t`."""
    days = world.items["lodged_at"].dt.normalize()
    near = days[(days >= t) & (days < t + pd.Timedelta(days=14))]
    day = near.value_counts().index[0] if len(near) else days.iloc[-1]
    that = np.flatnonzero((days == day).to_numpy())
    chosen = rng.permutation(that)[: max(len(that) // 2, 1)]
    items = _copied(world.items, chosen, rng, _rare(world), share=1.0)
    kept = (days <= day).to_numpy().copy()
    kept[chosen] = False
    return world.plain, world.compute(items, world.results), kept


def _order(world: _World, rng: np.random.Generator) -> Trial:
    """Shuffle the rows of both tables."""
    place = rng.permutation(len(world.items))
    shuffled = world.items.iloc[place].reset_index(drop=True)
    results = world.results.iloc[rng.permutation(len(world.results))]
    after = world.compute(shuffled, results.reset_index(drop=True))
    back = np.empty(len(place), np.int64)
    back[place] = np.arange(len(place))
    restored = after.iloc[back].reset_index(drop=True)
    return world.plain, restored, np.ones(len(place), bool)


def _copied(
    items: pd.DataFrame,
    rows: Any,
    rng: np.random.Generator,
    rare: Bool,
    share: float = 0.5,
) -> pd.DataFrame:
    """Return items of which some of `rows` are copies of any others, but for the key.

    Rows that hold a rare value of a code stay, so that no code vanishes: how codes
    are numbered is no leak.
    """
    out = items.copy()
    rows = rows[~rare[rows]]
    chosen = rng.permutation(rows)[: int(np.ceil(share * len(rows)))]
    source = rng.integers(0, len(items), len(chosen))
    for name in items.columns.difference([*KEY, "lodged_at"]):
        values = out[name].array.copy()
        values[chosen] = items[name].array[source]
        out[name] = values
    return out


def _rare(world: _World) -> Bool:
    """Return which items hold a value of a code that is rare, here or with a result."""
    items = world.items
    keys = pd.MultiIndex.from_frame(numbered(items)[list(KEY)])
    told = keys.isin(pd.MultiIndex.from_frame(numbered(world.results)[list(KEY)]))
    out = np.zeros(len(items), bool)
    for name in items.columns.difference([*KEY, "lodged_at"]):
        code, values = pd.factorize(items[name])
        if len(values) <= _FEW_VALUES:
            for part in (np.ones(len(items), bool), told):
                counts = np.bincount(code[part & (code >= 0)], minlength=len(values))
                out |= (counts <= _RARE)[code] & (code >= 0) & part
    return out


def _differs(before: pd.Series, after: pd.Series, tolerance: float) -> tuple[Bool, Any]:
    """Return where two columns differ, and by how much; both missing is the same."""
    if not (
        pd.api.types.is_numeric_dtype(before) and pd.api.types.is_numeric_dtype(after)
    ):
        one, two = before.astype(object), after.astype(object)
        same = (one == two).to_numpy(bool) | (one.isna() & two.isna()).to_numpy(bool)
        return ~same, np.where(same, 0.0, np.inf)
    a, b = before.to_numpy(np.float64), after.to_numpy(np.float64)
    both = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        gap = np.where(a == b, 0.0, np.abs(a - b))
        scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1.0)
    gap = np.where(both, 0.0, np.where(np.isnan(gap), np.inf, gap))
    return gap > tolerance * np.where(np.isfinite(scale), scale, 1.0), gap
