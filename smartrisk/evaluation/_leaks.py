"""The leak prover: change what could not be known, and see what moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    LeakageError,
    Message,
    TableError,
    check_number,
    format_values,
)
from smartrisk.evaluation._matched_tables import Bool, Float, check_columns
from smartrisk.evaluation._probed_subjects import Compute, make_probed_subject
from smartrisk.items import are_among, check_unique
from smartrisk.results import Result
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table

#: What each probe changes, and what it means when something moves.
PROBES = {
    "own and later results": "uses results that were not known at lodgement",
    "the future": "uses later items or results",
    "the day of a result": "uses a result before the day on which it was known",
    "the same day": "uses other items of the same day",
    "the order of rows": "depends on the order of the rows",
}
_MESSAGE_IDS = {
    "own and later results": "evaluation.leak_of_results",
    "the future": "evaluation.leak_of_future",
    "the day of a result": "evaluation.leak_of_result_day",
    "the same day": "evaluation.leak_of_day",
    "the order of rows": "evaluation.leak_of_order",
}
#: One sentence per probe, so that each can be translated as a whole.
_TEMPLATES = {
    "own and later results": "{feature!r} moved for {n_moved} of {n_checked} items "
    "when own and later results changed (such as {examples}): it uses results that "
    "were not known at lodgement",
    "the future": "{feature!r} moved for {n_moved} of {n_checked} items when the "
    "future changed (such as {examples}): it uses later items or results",
    "the day of a result": "{feature!r} moved for {n_moved} of {n_checked} items when "
    "the day of a result changed (such as {examples}): it uses a result before the "
    "day on which it was known",
    "the same day": "{feature!r} moved for {n_moved} of {n_checked} items when the "
    "same day changed (such as {examples}): it uses other items of the same day",
    "the order of rows": "{feature!r} moved for {n_moved} of {n_checked} items when "
    "the order of rows changed (such as {examples}): it depends on the order of the "
    "rows",
}
_COLUMNS = ["probe", "feature", "n_moved", "n_checked", "largest", "examples", "means"]
#: A column with at most this many values is taken for a code. Encoders number codes;
#: text and identifiers have more values.
_FEW_VALUES = 256
#: A code of at most this many items could vanish when half of the items become copies
#: of others: of 13 rows, all change once in 8,192 times.
_RARE = 12
#: What a flipped label recovers: an amount that no table contains by chance.
_PLANTED_REVENUE = 12_345.0


@dataclass(frozen=True, eq=False, repr=False)
class LeakReport(Result):
    """Which numbers moved when what could not be known was changed.

    Parameters
    ----------
    _table : DataFrame
        One row per probe and feature that moved.
    _checked : dict of str to int
        Number of values compared, by probe.
    _kind : str
        What was probed: "engine", "features", "estimator" or "function".

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

    _table: pd.DataFrame
    _checked: dict[str, int]
    _kind: str

    @property
    def checked(self) -> dict[str, int]:
        """Number of values compared, by probe; a copy."""
        return dict(self._checked)

    @property
    def kind(self) -> str:
        """What was probed: "engine", "features", "estimator" or "function"."""
        return self._kind

    @property
    def leaks(self) -> list[str]:
        """Features that moved."""
        return sorted(set(self._table["feature"]))

    @property
    def messages(self) -> tuple[Message, ...]:
        """One message per probe and feature that moved, with its id and values."""
        return tuple(
            Message(
                _MESSAGE_IDS[row["probe"]],
                _TEMPLATES[row["probe"]],
                feature=row["feature"],
                n_moved=row["n_moved"],
                n_checked=row["n_checked"],
                examples=row["examples"],
            )
            for row in self._table.to_dict("records")
        )

    def frame(self) -> pd.DataFrame:
        """Return one row per probe and feature that moved.

        Returns
        -------
        frame : DataFrame
            probe, feature, n_moved, n_checked (items), largest (change), examples (up
            to five keys), means, message_id. Empty when nothing moved.
        """
        return self._table.assign(message_id=self._table["probe"].map(_MESSAGE_IDS))

    def check(self) -> None:
        """Raise when something moved.

        Raises
        ------
        LeakageError
            Names features, probes and items.
        """
        if not self.leaks:
            return
        texts = [str(message) for message in self.messages]
        more = [f"and {len(texts) - 5} more"] if len(texts) > 5 else []
        raise LeakageError(
            "evaluation.leaks_found",
            "prove_leak_free: {findings}.",
            findings="; ".join(texts[:5] + more),
        )

    def __repr__(self) -> str:
        """Return the features that leak, or how much was compared."""
        if self.leaks:
            names = format_values(self.leaks)
            return f"LeakReport({len(self.leaks)} features leak: {names})"
        return f"LeakReport(nothing moved in {sum(self._checked.values())} comparisons)"


def prove_leak_free(
    subject: Any,
    declarations: TableInput,
    outcomes: TableInput,
    *,
    columns: Sequence[str] | None = None,
    n_moments: int = 3,
    tolerance: float = 1e-9,
    random_state: int = 0,
) -> LeakReport:
    """Change what could not be known at lodgement, and report what moves.

    Use it on your own features before you believe a metric. The code is not read: the
    subject computes its numbers again and again on changed tables.

    Parameters
    ----------
    subject : object
        An engine (``fit``, ``update``, ``score``); a transformer whose ``fit`` takes
        ``outcomes``; a scikit-learn transformer, fitted on `columns` and the labels of
        the inspected items; or a function of declarations and outcomes that returns
        one row per item.
    declarations : DataFrame
        DECLARATIONS; some thousands are enough, from at least a year.
    outcomes : DataFrame
        OUTCOMES with ``known_at``.
    columns : sequence of str, default=None
        Columns for a scikit-learn transformer; None for all text columns but the key.
    n_moments : int, default=3
        Moments at which the tables are split into known and unknown.
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
        If a table lacks its columns, repeats a key, or is too small to be split.
    ArgumentError
        If the subject is of no known kind, or returns different numbers each time.

    Notes
    -----
    The probes, each at `n_moments` moments *t*:

    - *own and later results*: the labels of results known from *t* on are flipped.
      Items lodged before must not move; among them are the items themselves.
    - *the future*: half of the items lodged from *t* on become copies of others,
      and their results are flipped. Items lodged before must not move.
    - *the day of a result*: results known from *t* on become known ten years later. The
      numbers must equal those without these results.
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
    declarations = read_table("prove_leak_free", "'declarations'", declarations)
    outcomes = read_table("prove_leak_free", "'outcomes'", outcomes)
    check_number("prove_leak_free", "n_moments", n_moments, low=1, integer=True)
    check_number("prove_leak_free", "tolerance", tolerance, low=0.0)
    items, results = _prepare_tables(declarations, outcomes)
    moments = _moments(items, n_moments)
    rng = np.random.default_rng(random_state)
    probed = make_probed_subject(
        subject, items, results, columns=columns, start=moments[0]
    )
    moments = moments[1:]
    plain = probed.compute(items, results)
    world = _Tables(items, results, probed.compute, plain, tolerance)
    _check_repeatable(world)
    rows: list[dict[str, Any]] = []
    checked = dict.fromkeys(PROBES, 0)
    for probe, trials in (
        ("own and later results", (_later_results(world, t) for t in moments)),
        ("the future", (_future(world, t, rng) for t in moments)),
        ("the day of a result", (_result_day(world, t, probed.kind) for t in moments)),
        ("the same day", (_same_day(world, t, rng) for t in moments)),
        ("the order of rows", iter([_order(world, rng)])),
    ):
        moved: dict[str, dict[str, Any]] = {}
        for before, after, kept in trials:
            compared = kept & after.notna().any(axis=1).to_numpy()
            checked[probe] += int(compared.sum())
            world.compare(before, after, kept, moved)
        rows += [
            {"probe": probe, "feature": name, **found, "means": PROBES[probe]}
            for name, found in moved.items()
        ]
    return LeakReport(pd.DataFrame(rows, columns=_COLUMNS), checked, probed.kind)


@dataclass(frozen=True)
class _Tables:
    """Tables, how to compute, and the numbers when nothing is changed."""

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
        unpaired = set(before.columns) ^ set(after.columns)
        for name in sorted(unpaired | set(before.columns)):
            if name in unpaired:
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


def _check_repeatable(world: _Tables) -> None:
    """Raise when a subject returns different numbers for the same tables."""
    moved: dict[str, dict[str, Any]] = {}
    again = world.compute(world.items, world.results)
    world.compare(world.plain, again, np.ones(len(world.items), bool), moved)
    if moved:
        raise ArgumentError(
            "evaluation.subject_not_repeatable",
            "prove_leak_free: 'subject' returns different numbers each time for "
            "{features}. Give it a fixed random_state.",
            features=format_values(sorted(moved)),
        )


def _prepare_tables(
    declarations: pd.DataFrame, outcomes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables in order of time with a fresh index, results of items only."""
    for name, frame, columns in (
        ("DECLARATIONS", declarations, ("declaration_id", "lodged_at")),
        ("OUTCOMES", outcomes, ("declaration_id", "illicit", "known_at")),
    ):
        check_columns("prove_leak_free", name, frame, columns)
        check_unique("prove_leak_free", name, frame)
    items = declarations.sort_values("lodged_at", kind="stable", ignore_index=True)
    return items, outcomes[are_among(outcomes, items)].reset_index(drop=True)


def _moments(items: pd.DataFrame, n: int) -> list[pd.Timestamp]:
    """Return midnights that split the items: first where learning ends, then others."""
    days = items["lodged_at"].dt.normalize()
    shares = [0.4, *np.linspace(0.55, 0.85, n)]
    out = [days.iloc[int(share * (len(days) - 1))] for share in shares]
    if len(items) < 100 or len(set(out)) < len(out):
        raise TableError(
            "evaluation.too_few_to_split",
            "prove_leak_free: {n_items} items of {n_days} days cannot be split at "
            "{n_moments} moments. Pass at least 100 items of more days.",
            n_items=len(items),
            n_days=days.nunique(),
            n_moments=n + 1,
        )
    return [pd.Timestamp(moment) for moment in out]


#: Numbers before and after a change, and the items that must not move.
Trial: TypeAlias = tuple[pd.DataFrame, pd.DataFrame, Bool]


def _flip_labels(results: pd.DataFrame, at: Bool) -> pd.DataFrame:
    """Return results with some labels flipped, and their revenue to match."""
    out = results.copy()
    label = out["illicit"].to_numpy().copy()
    label[at] = 1 - label[at]
    out["illicit"] = label
    if "revenue_adjustment" in out:
        revenue = out["revenue_adjustment"].to_numpy(np.float64).copy()
        revenue[at] = np.where(label[at] == 1, _PLANTED_REVENUE, 0.0)
        out["revenue_adjustment"] = revenue
    return out


def _later_results(world: _Tables, t: pd.Timestamp) -> Trial:
    """Flip the results that are known from `t` on."""
    late = (world.results["known_at"] >= t).to_numpy()
    after = world.compute(world.items, _flip_labels(world.results, late))
    return world.plain, after, (world.items["lodged_at"] < t).to_numpy()


def _future(world: _Tables, t: pd.Timestamp, rng: np.random.Generator) -> Trial:
    """Change the items lodged, and the results known, from `t` on."""
    old = (world.items["lodged_at"] < t).to_numpy()
    late = (world.results["known_at"] >= t).to_numpy()
    items = _copy_others(
        world.items, np.flatnonzero(~old), rng, _holds_rare_code(world)
    )
    after = world.compute(items, _flip_labels(world.results, late))
    return world.plain, after, old


def _result_day(world: _Tables, t: pd.Timestamp, kind: str) -> Trial:
    """Compare results that become known ten years later with results that do not exist.

    An estimator learns from the rows that it is given, and numbers their codes: there
    the late results are flipped instead of taken away.
    """
    late = (world.results["known_at"] >= t).to_numpy()
    moved = world.results.copy()
    moments = moved["known_at"].copy()
    moments[late] = moments[late] + pd.Timedelta(days=3_653)
    moved["known_at"] = moments
    after = world.compute(world.items, moved)
    without = world.results[~late].reset_index(drop=True)
    if kind == "estimator":
        without = _flip_labels(moved, late)
    before = world.compute(world.items, without)
    return before, after, np.ones(len(world.items), bool)


def _same_day(world: _Tables, t: pd.Timestamp, rng: np.random.Generator) -> Trial:
    """Change half of the items of the busiest day near `t`."""
    days = world.items["lodged_at"].dt.normalize()
    near = days[(days >= t) & (days < t + pd.Timedelta(days=14))]
    day = near.value_counts().index[0] if len(near) else days.iloc[-1]
    that = np.flatnonzero((days == day).to_numpy())
    chosen = rng.permutation(that)[: max(len(that) // 2, 1)]
    items = _copy_others(world.items, chosen, rng, _holds_rare_code(world), share=1.0)
    kept = (days <= day).to_numpy().copy()
    kept[chosen] = False
    return world.plain, world.compute(items, world.results), kept


def _order(world: _Tables, rng: np.random.Generator) -> Trial:
    """Shuffle the rows of both tables."""
    place = rng.permutation(len(world.items))
    shuffled = world.items.iloc[place].reset_index(drop=True)
    results = world.results.iloc[rng.permutation(len(world.results))]
    after = world.compute(shuffled, results.reset_index(drop=True))
    back = np.empty(len(place), np.int64)
    back[place] = np.arange(len(place))
    restored = after.iloc[back].reset_index(drop=True)
    return world.plain, restored, np.ones(len(place), bool)


def _copy_others(
    items: pd.DataFrame,
    rows: NDArray[np.intp],
    rng: np.random.Generator,
    rare: Bool,
    share: float = 0.5,
) -> pd.DataFrame:
    """Return items of which some of `rows` are copies of any others, but for the key.

    Rows that hold a rare value of a code stay, so that no code vanishes: how codes
    are numbered is not a leak.
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


def _holds_rare_code(world: _Tables) -> Bool:
    """Return which items hold a value of a code that is rare, here or with a result."""
    items = world.items
    labelled = are_among(items, world.results)
    out = np.zeros(len(items), bool)
    for name in items.columns.difference([*KEY, "lodged_at"]):
        code, values = pd.factorize(items[name])
        if len(values) <= _FEW_VALUES:
            for part in (np.ones(len(items), bool), labelled):
                counts = np.bincount(code[part & (code >= 0)], minlength=len(values))
                out |= (counts <= _RARE)[code] & (code >= 0) & part
    return out


def _differs(
    before: pd.Series, after: pd.Series, tolerance: float
) -> tuple[Bool, Float]:
    """Return where two columns differ, and by how much; both missing is equal."""
    if not (
        pd.api.types.is_numeric_dtype(before) and pd.api.types.is_numeric_dtype(after)
    ):
        one, two = before.astype(object), after.astype(object)
        equal = (one == two).to_numpy(bool) | (one.isna() & two.isna()).to_numpy(bool)
        return ~equal, np.where(equal, 0.0, np.inf)
    a, b = before.to_numpy(np.float64), after.to_numpy(np.float64)
    both = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        gap = np.where(a == b, 0.0, np.abs(a - b))
        scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1.0)
    gap = np.where(both, 0.0, np.where(np.isnan(gap), np.inf, gap))
    return gap > tolerance * np.where(np.isfinite(scale), scale, 1.0), gap
