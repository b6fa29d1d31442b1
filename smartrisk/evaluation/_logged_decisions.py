"""A flow with its past decisions and the results that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.schema import KEY

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

#: Least share of a class of inspected items whose results must be known.
LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class Logged:
    """Items of a flow, one entry each.

    Attributes
    ----------
    keys : DataFrame
        Key of every item.
    known : array of bool
        Whether it was inspected and its result is known.
    propensity : array of float
        Probability of having been inspected, and of the result being known.
    hit, revenue : array of float
        What was found, 0 where nothing is known (it is never used there).
    at_random : array of bool
        Whether it was drawn at random.
    declaration : array of int
        Which declaration it belongs to.
    n_inspected : int
        Items that were inspected, with a result or without.
    notes : tuple of str
        What was adjusted.
    """

    keys: pd.DataFrame
    known: Bool
    propensity: Float
    hit: Float
    revenue: Float | None
    at_random: Bool
    declaration: NDArray[np.int64]
    n_inspected: int
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.keys)


def logged(owner: str, decisions: pd.DataFrame, outcomes: pd.DataFrame) -> Logged:
    """Join decisions and results; results that are late raise the weight of others."""
    _need(owner, "DECISIONS", decisions, ("declaration_id", "propensity"))
    _need(owner, "OUTCOMES", outcomes, ("declaration_id", "illicit"))
    decisions, outcomes = numbered(decisions), numbered(outcomes)
    for name, frame in (("DECISIONS", decisions), ("OUTCOMES", outcomes)):
        _once(owner, name, frame)
    kept = [c for c in (*KEY, "illicit", "revenue_adjustment") if c in outcomes]
    flow = decisions.merge(outcomes[kept], on=list(KEY), how="left")
    propensity = flow["propensity"].to_numpy(np.float64)
    known = flow["illicit"].notna().to_numpy()
    within = (propensity >= 0) & (propensity <= 1)
    known, notes = _by_propensity(flow, known)
    _check(owner, flow, ~within, known & (propensity <= 0))
    inspected = known.copy()
    if "channel" in flow:
        looked = (flow["channel"] != "green").to_numpy()
        if "selected_by" in flow:
            looked = looked & flow["selected_by"].notna().to_numpy()
        inspected |= looked
        notes += _fit_of(propensity, inspected)
    share, late = _share_known(owner, flow, inspected, known)
    notes += late
    revenue = None
    if "revenue_adjustment" in flow:
        found = flow["revenue_adjustment"].to_numpy(np.float64)
        revenue = np.maximum(np.nan_to_num(found), 0.0)
    chance = flow["selected_by"].eq("random") if "selected_by" in flow else None
    return Logged(
        keys=flow[list(KEY)],
        known=known,
        propensity=propensity * share,
        hit=np.nan_to_num(flow["illicit"].to_numpy(np.float64)),
        revenue=revenue,
        at_random=np.zeros(len(flow), bool)
        if chance is None
        else chance.fillna(False).to_numpy(bool),
        declaration=pd.factorize(flow["declaration_id"])[0].astype(np.int64),
        n_inspected=int(inspected.sum()),
        notes=notes,
    )


def _by_propensity(flow: pd.DataFrame, known: Bool) -> tuple[Bool, tuple[str, ...]]:
    """Leave out results of items that were not selected with the logged propensity.

    Items that are checked after clearance because of their rank have none.
    """
    if "selected_by" not in flow:
        return known, ()
    own = flow["selected_by"].notna().to_numpy()
    lost = int((known & ~own).sum())
    if not own.any() or not lost:
        return known, ()
    note = f"{lost} results are of items that nobody selected by propensity: left out."
    return known & own, (note,)


def _fit_of(propensity: Float, inspected: Bool) -> tuple[str, ...]:
    """Say when the logged propensities do not describe what was inspected."""
    expected = float(propensity.sum())
    spread = float(np.sqrt((propensity * (1 - propensity)).sum()))
    n = int(inspected.sum())
    if abs(n - expected) <= 4 * spread + 0.02 * expected + 1:
        return ()
    return (
        f"The propensities expect {expected:.0f} controls and {n} were made: they do "
        "not describe this selection, and no weight can mend that.",
    )


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with an item number; without one there is one item each."""
    return frame if "item_number" in frame else frame.assign(item_number=1)


def aligned(
    owner: str, name: str, frame: pd.DataFrame, keys: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of `frame` in the order of `keys`; every key must be there."""
    frame = numbered(frame)
    _once(owner, name, frame)
    index = pd.MultiIndex.from_frame(frame[list(KEY)])
    place = index.get_indexer(pd.MultiIndex.from_frame(keys))
    if (place < 0).any():
        lost = keys["declaration_id"][place < 0]
        raise TableError(
            "evaluation.lacks_decided_items_row",
            "{owner}: {name} lacks {value} of the decided items, as {lost}. "
            "Pass one row per item of DECISIONS.",
            owner=owner,
            name=name,
            value=int((place < 0).sum()),
            lost=format_values(lost.tolist()),
        )
    return frame.iloc[place].reset_index(drop=True)


def _need(owner: str, name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Refuse a frame without its columns."""
    gone = [column for column in columns if column not in frame]
    if gone:
        raise TableError(
            "evaluation.lacks_columns_2",
            "{owner}: {name} lacks the columns {gone}.",
            owner=owner,
            name=name,
            gone=format_values(gone),
        )


def _once(owner: str, name: str, frame: pd.DataFrame) -> None:
    """Refuse a frame that holds a key twice."""
    twice = frame.duplicated(list(KEY))
    if twice.any():
        ids = frame.loc[twice, "declaration_id"].unique().tolist()
        raise TableError(
            "evaluation.repeats_keys_keep_row",
            "{owner}: {name} repeats {twice} keys, as {ids}. Keep one row per item.",
            owner=owner,
            name=name,
            twice=int(twice.sum()),
            ids=format_values(ids),
        )


def _check(owner: str, flow: pd.DataFrame, wrong: Bool, impossible: Bool) -> None:
    """Refuse propensities that cannot be, and results that could not have come."""
    problems = []
    if wrong.any():
        values = sorted({str(v) for v in flow["propensity"][wrong]})
        problems.append(
            f"column 'propensity' has {int(wrong.sum())} values outside [0, 1] or "
            f"missing, as {format_values(values)}"
        )
    if impossible.any():
        ids = flow["declaration_id"][impossible].tolist()
        problems.append(
            f"{int(impossible.sum())} items have a result and a propensity of 0, as "
            f"{format_values(ids)}; log the probability with which each was selected"
        )
    if problems:
        raise TableError(
            "evaluation.message_2",
            "{owner}: {problems}.",
            owner=owner,
            problems="; ".join(problems),
        )


def _share_known(
    owner: str, flow: pd.DataFrame, inspected: Bool, known: Bool
) -> tuple[Float, tuple[str, ...]]:
    """Return the share of known results in each item's class: channel and month.

    A weighting-class adjustment: a result that came stands for those of its class
    that have not come yet (Little and Rubin 2019, section 3.3).
    """
    share = np.ones(len(flow))
    late = int(inspected.sum() - known.sum())
    if not late:
        return share, ()
    names = pd.Series("", index=flow.index)
    if "channel" in flow:
        names = flow["channel"].astype("str")
    if "decided_at" in flow:
        names = names + " " + flow["decided_at"].dt.strftime("%Y-%m").astype("str")
    group = pd.factorize(names)[0]
    n = np.bincount(group, inspected)
    came = np.bincount(group, known)
    part = np.where(n > 0, came / np.maximum(n, 1), 1.0)
    thin = np.flatnonzero((n > 0) & (part < LEAST_KNOWN))
    if len(thin):
        worst = [str(names[group == k].iloc[0]) for k in thin]
        raise TableError(
            "evaluation.inspected_items_result_known",
            "{owner}: of {late} inspected items the result is not known; of "
            "the classes {worst} less than {LEAST_KNOWN:.0%} is. Judge a "
            "period whose results have come: leave the last months out.",
            owner=owner,
            late=late,
            worst=format_values(worst),
            LEAST_KNOWN=LEAST_KNOWN,
        )
    note = (
        f"{late} results have not come; those of the same channel and month count more."
    )
    return np.where(inspected, part[group], 1.0), (note,)
