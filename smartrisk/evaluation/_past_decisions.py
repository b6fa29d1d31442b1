"""The decisions of a past policy on a whole flow, and the results that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message, TableError, format_values
from smartrisk.evaluation._matched_tables import (
    Bool,
    Float,
    check_columns,
    match_results,
    read_controls,
    read_propensities,
    unique_keys,
)

#: Smallest share of a class of inspected items whose results must be known. Below one
#: half, outstanding results outnumber those that would have to represent them.
_LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class PastDecisions:
    """Items of a flow, one entry each.

    Attributes
    ----------
    keys : DataFrame
        Key of every item.
    known : ndarray of bool, shape (n_items,)
        Whether it was inspected and its result is known.
    propensity : ndarray of float64, shape (n_items,)
        Probability that it was inspected and that the result is known.
    hit : ndarray of float64, shape (n_items,)
        1 for a hit, 0 where nothing is known (it is never used there).
    revenue : ndarray of float64, shape (n_items,), or None
        Amount recovered, 0 where nothing is known; None where no amount is given.
    at_random : ndarray of bool, shape (n_items,)
        Whether it was drawn at random.
    declaration : ndarray of int64, shape (n_items,)
        Number of the declaration that it belongs to.
    n_inspected : int
        Items that were inspected, with a result or without.
    messages : tuple of Message
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
    messages: tuple[Message, ...] = ()

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.keys)

    def weights(self) -> Float:
        """Return inverse propensities of the known results, 0 for the other items."""
        safe = np.where(self.propensity > 0, self.propensity, 1.0)
        return np.where(self.known & (self.propensity > 0), 1 / safe, 0.0)


def match_past_decisions(
    owner: str, decisions: pd.DataFrame, outcomes: pd.DataFrame
) -> PastDecisions:
    """Match decisions and results; known results also represent outstanding ones."""
    check_columns(owner, "DECISIONS", decisions, ("declaration_id", "propensity"))
    keys = unique_keys(owner, "DECISIONS", decisions)
    results = match_results(owner, keys, outcomes)
    propensity = read_propensities(owner, "DECISIONS", decisions)
    known, messages = _selected_results(decisions, results.known)
    _check_possible(owner, keys, known & (propensity <= 0))
    inspected = known.copy()
    if "channel" in decisions:
        controlled = read_controls(owner, "DECISIONS", decisions)
        if "selected_by" in decisions:
            controlled = controlled & decisions["selected_by"].notna().to_numpy()
        inspected |= controlled
        messages += _messages_of_fit(propensity, inspected)
    share, late = _known_shares(owner, decisions, inspected, known)
    at_random = np.zeros(len(keys), np.bool_)
    if "selected_by" in decisions:
        drawn = decisions["selected_by"].eq("random").fillna(False)
        at_random = drawn.to_numpy(np.bool_)
    return PastDecisions(
        keys=keys,
        known=known,
        propensity=propensity * share,
        hit=results.hit,
        revenue=results.revenue,
        at_random=at_random,
        declaration=pd.factorize(keys["declaration_id"])[0].astype(np.int64),
        n_inspected=int(inspected.sum()),
        messages=messages + late,
    )


def _selected_results(
    decisions: pd.DataFrame, known: Bool
) -> tuple[Bool, tuple[Message, ...]]:
    """Return which results are of items that were selected with their propensity.

    Items that are checked after clearance because of their rank have none.
    """
    if "selected_by" not in decisions:
        return known, ()
    selected = decisions["selected_by"].notna().to_numpy()
    n_others = int((known & ~selected).sum())
    if not selected.any() or not n_others:
        return known, ()
    message = Message(
        "evaluation.results_left_out",
        "{n_results} results were left out: their items were not selected with a "
        "propensity.",
        n_results=n_others,
    )
    return known & selected, (message,)


def _messages_of_fit(propensity: Float, inspected: Bool) -> tuple[Message, ...]:
    """Return a message when the propensities do not describe what was inspected.

    The bound is four standard deviations of the number of controls, and 2 % more for
    capacities that are rounded by office and month.
    """
    expected = float(propensity.sum())
    spread = float(np.sqrt((propensity * (1 - propensity)).sum()))
    n = int(inspected.sum())
    if abs(n - expected) <= 4 * spread + 0.02 * expected + 1:
        return ()
    message = Message(
        "evaluation.propensities_do_not_fit",
        "The propensities expect {expected:.0f} controls and {n_controls} were made: "
        "they do not describe this selection, and no weight can correct that.",
        expected=expected,
        n_controls=n,
    )
    return (message,)


def _check_possible(owner: str, keys: pd.DataFrame, impossible: Bool) -> None:
    """Raise when items have a result that their propensity excludes."""
    if impossible.any():
        raise TableError(
            "evaluation.result_without_propensity",
            "{owner}: {n_items} items have a result and a propensity of 0, such as "
            "{examples}. Log the probability with which each was selected.",
            owner=owner,
            n_items=int(impossible.sum()),
            examples=format_values(keys["declaration_id"][impossible].tolist()),
        )


def _known_shares(
    owner: str, decisions: pd.DataFrame, inspected: Bool, known: Bool
) -> tuple[Float, tuple[Message, ...]]:
    """Return the share of known results in each item's class: channel and month.

    A weighting-class adjustment: a result that arrived represents those of its class
    that have not arrived yet (Little and Rubin 2019, section 3.3).
    """
    n_late = int(inspected.sum() - known.sum())
    if not n_late:
        return np.ones(len(decisions)), ()
    names = pd.Series("", index=decisions.index)
    if "channel" in decisions:
        names = decisions["channel"].astype("str")
    if "decided_at" in decisions:
        month = decisions["decided_at"].dt.strftime("%Y-%m").astype("str")
        names = names + " " + month
    group = pd.factorize(names)[0]
    n = np.bincount(group, inspected)
    part = np.where(n > 0, np.bincount(group, known) / np.maximum(n, 1), 1.0)
    thin = np.flatnonzero((n > 0) & (part < _LEAST_KNOWN))
    if len(thin):
        raise TableError(
            "evaluation.results_not_come",
            "{owner}: the results of {n_late} inspected items are not known; in the "
            "classes {classes} fewer than {least:.0%} are known. Judge a period whose "
            "results have arrived: leave the last months out.",
            owner=owner,
            n_late=n_late,
            classes=format_values(str(names[group == k].iloc[0]) for k in thin),
            least=_LEAST_KNOWN,
        )
    message = Message(
        "evaluation.results_still_to_come",
        "{n_late} results have not arrived; the known results of the same channel and "
        "month represent them.",
        n_late=n_late,
    )
    return np.where(inspected, part[group], 1.0), (message,)
