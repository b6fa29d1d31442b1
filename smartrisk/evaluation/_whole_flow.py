"""How much there is to find in the whole flow, inspected or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, check_number
from smartrisk.evaluation._calibration import wilson_interval
from smartrisk.evaluation._logged_decisions import Bool, Float, Logged, logged
from smartrisk.evaluation._off_policy import (
    half_width,
    on_log_scale,
    weighted,
)
from smartrisk.results import Result

_FROM = ("random", "all")
_FEW = 30
_ESTIMANDS = ("illicit_rate", "hits", "revenue_gap")


@dataclass(frozen=True, eq=False, repr=False)
class WholeFlow(Result):
    """How much an inspection of everything would find, with intervals.

    Parameters
    ----------
    table : DataFrame
        One row per estimand, and per group where groups were asked for.
    notes : tuple of str
        What was adjusted.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import whole_flow
    >>> world = make_declarations(5_000, random_state=0, scenario="small")
    >>> past = world.decisions()[world.declarations["lodged_at"] < "2024-03-01"]
    >>> whole_flow(past, world.outcomes, source="all").frame().shape[0]
    3
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row per estimand (and group).

        Returns
        -------
        frame : DataFrame
            group ("all" for the whole), estimand (illicit_rate, hits, revenue_gap),
            estimate, low, high (95 %), n_items, n_known (results used), note.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        rate = self.table[self.table["estimand"] == "illicit_rate"].iloc[0]
        return (
            f"WholeFlow(illicit rate {rate['estimate']:.4f}, "
            f"{rate['low']:.4f} to {rate['high']:.4f})"
        )


def whole_flow(
    decisions: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    source: str = "random",
    strata: Any = None,
    by: Any = None,
    detection: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> WholeFlow:
    """Estimate how much an inspection of the whole flow would find.

    Use it for the compliance rate and the tax gap: what was found among suspicious
    items says nothing of the others, what was found at random does.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS for every item of the flow: key, `propensity`, `selected_by`.
    outcomes : DataFrame
        OUTCOMES of inspected items.
    source : str, default="random"
        "random" for the items drawn at random alone, all of a stratum equally likely;
        "all" for every result, weighted by its propensity.
    strata : Series, default=None
        With "random": within which groups the draw was equally likely, as the office,
        aligned with `decisions`; None where it was so for the whole flow.
    by : Series, default=None
        Groups for which to say it too, aligned with `decisions`.
    detection : tuple of float, default=(1.0, 1.0)
        Sensitivity and specificity: the probabilities that an inspection finds what is
        there, and that it finds nothing where nothing is.
    level : float, default=0.95
        Of the intervals.

    Returns
    -------
    result : WholeFlow
        Rate of illicit items, their number, and the revenue to be assessed.

    Raises
    ------
    TableError
        If columns are missing, or no item was drawn at random.
    ArgumentError
        If an argument is outside what it allows.

    See Also
    --------
    off_policy : What part of it a policy would find.

    Notes
    -----
    From a simple random draw of declarations with one item each the rate's interval
    is Wilson's (1927), and so it is where no result is a hit, with Kish's (1965)
    effective number of declarations; otherwise it is that of a stratified draw or of
    Poisson sampling, on the log scale. Items of a declaration count as one. With
    "all", items that are never inspected make every estimate missing: nothing is
    known of them. A rate found is
    not the rate that is: with sensitivity :math:`s` and specificity :math:`c` the
    rate is corrected to :math:`(r + c - 1) / (s + c - 1)` (Rogan and Gladen 1978);
    revenue is divided by :math:`s`.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley.

    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22.

    Rogan, W. J., Gladen, B. (1978). Estimating prevalence from the results of a
    screening test. American Journal of Epidemiology 107.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.evaluation import whole_flow
    >>> world = make_declarations(20_000, random_state=0, scenario="small")
    >>> early = world.declarations["lodged_at"] < "2024-03-01"
    >>> past, office = world.decisions()[early], world.declarations["office"][early]
    >>> flow = whole_flow(past, world.outcomes, strata=office, detection=(0.8, 0.993))
    >>> row = flow.frame().iloc[0]
    >>> bool(row["low"] < world.truth["illicit"][early].mean() < row["high"])
    True
    """
    check_choice("whole_flow", "source", source, _FROM)
    check_number("whole_flow", "level", level, low=0.5, high=0.9999)
    for value in detection:
        check_number("whole_flow", "detection", value, low=0.5, high=1.0)
    if sum(detection) <= 1:
        raise ArgumentError(
            "evaluation.inspection_better_than_chance",
            "whole_flow: an inspection must be better than chance.",
        )
    flow = logged("whole_flow", decisions, outcomes)
    stratum = _groups("strata", strata, len(flow))[0]
    if source == "random" and not (flow.at_random & flow.known).any():
        raise TableError(
            "evaluation.item_result_selected_by_random",
            "whole_flow: no item with a result has selected_by 'random'. Draw "
            "some at random, or pass source='all' when every propensity is "
            "known.",
        )
    group, names = _groups("by", by, len(flow))
    parts = [("all", np.ones(len(flow), bool))]
    if by is not None:
        parts += [(str(name), group == k) for k, name in enumerate(names)]
    rows = []
    for name, inside in parts:
        part = _Part(flow, inside, stratum, source, level)
        rows += [{"group": name, **row} for row in _rows(part, *detection)]
    return WholeFlow(pd.DataFrame(rows), flow.notes)


def _groups(name: str, values: Any, n_items: int) -> tuple[Any, Any]:
    """Return codes and names of groups; one group when there are none."""
    if values is None:
        return np.zeros(n_items, np.int64), np.array(["all"])
    if len(values) != n_items:
        raise ArgumentError(
            "evaluation.values_items_align_decisions",
            "whole_flow: {name!r} has {n_values} values for {n_items} items; "
            "align it with the decisions.",
            name=name,
            n_values=len(values),
            n_items=n_items,
        )
    code, names = pd.factorize(pd.Series(np.asarray(values)).astype("str"), sort=True)
    return code, names


@dataclass(frozen=True)
class _Part:
    """A part of the flow and how to weigh its results."""

    flow: Logged
    inside: Bool
    stratum: Any
    source: str
    level: float

    def weights(self) -> tuple[Float, Bool, Float]:
        """Return weights, the results used, and their probability."""
        flow = self.flow
        if self.source == "all":
            weight, known = weighted(flow)
            return weight, known & self.inside, flow.propensity
        drawn = flow.at_random & flow.known & self.inside
        size = np.bincount(self.stratum[self.inside], minlength=self.stratum.max() + 1)
        used = np.bincount(self.stratum[drawn], minlength=len(size))
        chance = np.where(used > 0, used / np.maximum(size, 1), 1.0)[self.stratum]
        return np.where(drawn, 1 / chance, 0.0), drawn, chance

    def lost(self) -> int:
        """Return the items of strata without any result."""
        if self.source == "all":
            return int((self.inside & (self.flow.propensity <= 0)).sum())
        _, used, _ = self.weights()
        seen = np.unique(self.stratum[used])
        return int((self.inside & ~np.isin(self.stratum, seen)).sum())

    def total(self, value: Float) -> tuple[float, float]:
        """Return an estimated sum over the part, and the half-width around it."""
        weight, used, chance = self.weights()
        n = float(self.inside.sum())
        seen = float(weight[used].sum())
        if seen <= 0:
            return math.nan, math.nan
        scale = n / seen
        total = float((weight * value)[used].sum()) * scale
        if self.source == "all":
            gap = weight[used] * (value[used] - total / n)
            roots = np.sqrt(1 - chance[used]) * gap
        else:
            roots = _stratified(value[used], self.stratum[used], chance[used])
        together = np.bincount(self.flow.declaration[used], roots * scale)
        return total, half_width(np.asarray(together, np.float64) ** 2, self.level)

    def effective(self) -> float:
        """Return how many equally weighted declarations the results amount to."""
        weight, used, _ = self.weights()
        together = np.bincount(self.flow.declaration[used], weight[used])
        squares = float((together**2).sum())
        return float(together.sum()) ** 2 / squares if squares > 0 else 0.0


def _stratified(value: Float, stratum: Any, chance: Float) -> Float:
    """Return roots of the parts of the variance of a sum over strata, one per result.

    A stratum of one result takes its spread from all of them. Roots keep their sign,
    so that those of a declaration can be summed before they are squared.
    """
    n = np.bincount(stratum)[stratum]
    mean = (np.bincount(stratum, value) / np.maximum(np.bincount(stratum), 1))[stratum]
    gap = np.where(n > 1, value - mean, value - value.mean())
    return np.asarray(np.sqrt((1 - chance) * n / np.maximum(n - 1, 1)) / chance * gap)


def _rows(part: _Part, sensitivity: float, specificity: float) -> list[dict[str, Any]]:
    """Return the estimands of a part."""
    flow, n = part.flow, int(part.inside.sum())
    _, used, _ = part.weights()
    n_used = int(used.sum())
    note = "" if n_used >= _FEW else f"fewer than {_FEW} results"
    lost = part.lost()
    if lost:
        note = (note + "; " if note else "") + f"{lost} items are never inspected"
    hits, reach = part.total(flow.hit)
    unreachable = part.source == "all" and lost > 0
    found = on_log_scale(hits / n, reach / n)
    if n_used and not unreachable:
        alone = len(np.unique(flow.declaration[used])) == n_used
        one = len(np.unique(part.stratum[used])) == 1
        if not flow.hit[used].any() or (part.source == "random" and alone and one):
            # Where nothing was found a linearised interval would have no width.
            size = min(float(n_used), part.effective())
            share = float(flow.hit[used].mean())
            low, high = wilson_interval([share], [size], level=part.level)
            found = (share, float(low[0]), float(high[0]))
    if unreachable:
        found = (math.nan,) * 3
    rate = [_corrected(r, sensitivity, specificity) for r in found]
    out = {"illicit_rate": rate, "hits": [r * n for r in rate]}
    gap = (math.nan,) * 3
    if flow.revenue is not None and not unreachable:
        gap = on_log_scale(*part.total(flow.revenue))
        if gap[0] <= 0:
            gap = (math.nan,) * 3
            note = (note + "; " if note else "") + "no revenue was found"
    out["revenue_gap"] = [g / sensitivity for g in gap]
    return [
        {
            "estimand": name,
            **dict(zip(("estimate", "low", "high"), out[name], strict=True)),
            "n_items": n,
            "n_known": n_used,
            "note": note if math.isfinite(out[name][0]) else note or "nothing is known",
        }
        for name in _ESTIMANDS
    ]


def _corrected(rate: float, sensitivity: float, specificity: float) -> float:
    """Return the rate that is, from the rate that is found."""
    corrected = (rate + specificity - 1) / (sensitivity + specificity - 1)
    return min(max(corrected, 0.0), 1.0) if math.isfinite(corrected) else math.nan
