"""How much there is to find in the whole flow, inspected or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import (
    ArgumentError,
    Message,
    TableError,
    check_choice,
    check_number,
)
from smartrisk.evaluation._matched_tables import Bool, Float, match_values
from smartrisk.evaluation._past_decisions import PastDecisions, match_past_decisions
from smartrisk.evaluation._weighted_sums import (
    UNKNOWN,
    Interval,
    half_width,
    log_interval,
)
from smartrisk.intervals import wilson_interval
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

_SOURCES = ("random", "all")
#: Results below which a group is marked: the standard error of a share of 30 items can
#: be as large as 9 percentage points.
_FEW = 30


@dataclass(frozen=True, eq=False, repr=False)
class WholeFlow(Result):
    """How much an inspection of everything would find, with intervals.

    Parameters
    ----------
    _table : DataFrame
        One row per estimand, and per group where groups were asked for.
    _messages : tuple of Message
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

    _table: pd.DataFrame
    _messages: tuple[Message, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was adjusted: each with its id, template and values."""
        return self._messages

    @property
    def notes(self) -> tuple[str, ...]:
        """What was adjusted, in English."""
        return tuple(str(message) for message in self._messages)

    def frame(self) -> pd.DataFrame:
        """Return one row per estimand (and group).

        Returns
        -------
        frame : DataFrame
            group ("all" for the whole), estimand (illicit_rate, hits, revenue_gap),
            estimate, low, high, n_items, n_known (results used), note.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        """Return the rate of illicit items with its interval."""
        rate = self._table[self._table["estimand"] == "illicit_rate"].iloc[0]
        return (
            f"WholeFlow(illicit rate {rate['estimate']:.4f}, "
            f"{rate['low']:.4f} to {rate['high']:.4f})"
        )


def whole_flow(
    decisions: TableInput,
    outcomes: TableInput,
    *,
    source: str = "random",
    strata: pd.DataFrame | pd.Series | ArrayLike | None = None,
    by: pd.DataFrame | pd.Series | ArrayLike | None = None,
    sensitivity: float = 1.0,
    specificity: float = 1.0,
    confidence: float = 0.95,
) -> WholeFlow:
    """Estimate how much an inspection of the whole flow would find.

    Use it for the compliance rate and the tax gap: hits among items selected for their
    risk give no estimate for the others, hits among items drawn at random do.

    Parameters
    ----------
    decisions : DataFrame
        DECISIONS for every item of the flow: key, `propensity`, `selected_by`.
    outcomes : DataFrame
        OUTCOMES of inspected items.
    source : str, default="random"
        "random" for the items drawn at random alone, all of a stratum equally likely;
        "all" for every result, weighted by its propensity.
    strata : Series, array-like or DataFrame, default=None
        With "random": groups within which the draw was equally likely, such as
        offices. One value per row of `decisions` in their order, or a table with the
        key and one more column, joined by key; None where the draw was equally likely
        in the whole flow.
    by : Series, array-like or DataFrame, default=None
        Groups to estimate besides the whole, given like `strata`.
    sensitivity : float, default=1.0
        Probability that an inspection finds an existing irregularity, in [0.5, 1].
    specificity : float, default=1.0
        Probability that it finds nothing where there is no irregularity, in [0.5, 1].
    confidence : float, default=0.95
        Probability with which each interval covers the truth.

    Returns
    -------
    result : WholeFlow
        Rate of illicit items, their number, and the revenue to be assessed.

    Raises
    ------
    TableError
        If columns are missing, keys repeat, groups are not those of the items, or no
        item was drawn at random.
    ArgumentError
        If an argument is outside what is allowed.

    See Also
    --------
    off_policy : What part of it a policy would find.

    Notes
    -----
    From a simple random draw of declarations with one item each the rate's interval is
    Wilson's (1927), and so it is where no result is a hit, with Kish's (1965) effective
    number of declarations; otherwise it is that of a stratified draw or of Poisson
    sampling, on the log scale. Items of a declaration count as one. With "all", items
    that are never inspected make every estimate missing: nothing is known about them.
    Inspections miss some irregularities: with sensitivity :math:`s` and specificity
    :math:`c` the rate :math:`r` is corrected to :math:`(r + c - 1) / (s + c - 1)`
    (Rogan and Gladen 1978); revenue is divided by :math:`s`.

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
    >>> flow = whole_flow(past, world.outcomes, strata=office,
    ...                   sensitivity=0.8, specificity=0.993)
    >>> row = flow.frame().iloc[0]
    >>> bool(row["low"] < world.truth["illicit"][early].mean() < row["high"])
    True
    """
    decisions = read_table("whole_flow", "'decisions'", decisions)
    outcomes = read_table("whole_flow", "'outcomes'", outcomes)
    check_choice("whole_flow", "source", source, _SOURCES)
    check_number("whole_flow", "confidence", confidence, low=0.5, high=0.9999)
    check_number("whole_flow", "sensitivity", sensitivity, low=0.5, high=1.0)
    check_number("whole_flow", "specificity", specificity, low=0.5, high=1.0)
    if sensitivity + specificity <= 1:
        raise ArgumentError(
            "evaluation.inspection_no_better_than_chance",
            "whole_flow: 'sensitivity' and 'specificity' must sum to more than 1; got "
            "{sensitivity} and {specificity}, which is no better than chance.",
            sensitivity=sensitivity,
            specificity=specificity,
        )
    flow = match_past_decisions("whole_flow", decisions, outcomes)
    stratum = _groups("strata", strata, flow)[0]
    if source == "random" and not (flow.at_random & flow.known).any():
        raise TableError(
            "evaluation.no_random_result",
            "whole_flow: no item with a result has selected_by 'random'. Draw some at "
            "random, or pass source='all' when every propensity is known.",
        )
    group, names = _groups("by", by, flow)
    parts = [("all", np.ones(len(flow), np.bool_))]
    if by is not None:
        parts += [(str(name), group == k) for k, name in enumerate(names)]
    rows = []
    for name, inside in parts:
        part = _Part(flow, inside, stratum, source, confidence)
        estimands = _estimands(part, sensitivity, specificity)
        rows += [{"group": name, **row} for row in estimands]
    return WholeFlow(pd.DataFrame(rows), flow.messages)


def _groups(
    argument: str,
    values: pd.DataFrame | pd.Series | ArrayLike | None,
    flow: PastDecisions,
) -> tuple[NDArray[np.int64], list[str]]:
    """Return codes and names of groups; one group when there are none."""
    if values is None:
        return np.zeros(len(flow), np.int64), ["all"]
    plain = match_values("whole_flow", argument, values, flow.keys)
    texts = plain.astype("str").mask(plain.isna().to_numpy(), "missing")
    code, names = pd.factorize(texts, sort=True)
    return np.asarray(code, np.int64), [str(name) for name in names]


@dataclass(frozen=True)
class _Part:
    """A part of the flow and how to weight its results."""

    flow: PastDecisions
    inside: Bool
    stratum: NDArray[np.int64]
    source: str
    confidence: float

    def weights(self) -> tuple[Float, Bool, Float]:
        """Return weights, the results used, and their probability."""
        flow = self.flow
        if self.source == "all":
            return flow.weights(), flow.known & self.inside, flow.propensity
        drawn = flow.at_random & flow.known & self.inside
        size = np.bincount(self.stratum[self.inside], minlength=self.stratum.max() + 1)
        used = np.bincount(self.stratum[drawn], minlength=len(size))
        chance = np.where(used > 0, used / np.maximum(size, 1), 1.0)[self.stratum]
        return np.where(drawn, 1 / chance, 0.0), drawn, chance

    def n_unreached(self) -> int:
        """Return the number of items that no result can represent."""
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
            roots = _variance_roots(value[used], self.stratum[used], chance[used])
        together = np.bincount(self.flow.declaration[used], roots * scale)
        parts = np.asarray(together, np.float64) ** 2
        return total, half_width(parts, self.confidence)

    def effective_n(self) -> float:
        """Return how many equally weighted declarations the results amount to."""
        weight, used, _ = self.weights()
        together = np.bincount(self.flow.declaration[used], weight[used])
        squares = float((together**2).sum())
        return float(together.sum()) ** 2 / squares if squares > 0 else 0.0

    def hit_rate(self) -> Interval:
        """Return the share of items in which an inspection would find something."""
        _, used, _ = self.weights()
        n_used, n = int(used.sum()), int(self.inside.sum())
        total, half = self.total(self.flow.hit)
        estimated = log_interval(total / n, half / n)
        if not n_used:
            return estimated
        single_items = len(np.unique(self.flow.declaration[used])) == n_used
        one_stratum = len(np.unique(self.stratum[used])) == 1
        simple = self.source == "random" and single_items and one_stratum
        if self.flow.hit[used].any() and not simple:
            return estimated
        # Where nothing was found a linearised interval would have no width.
        size = min(float(n_used), self.effective_n())
        share = float(self.flow.hit[used].mean())
        low, high = wilson_interval([share], [size], confidence=self.confidence)
        return Interval(share, float(low[0]), float(high[0]))


def _variance_roots(value: Float, stratum: NDArray[np.int64], chance: Float) -> Float:
    """Return roots of the parts of the variance of a sum over strata, one per result.

    A stratum of one result takes its spread from all of them. Roots keep their sign,
    so that those of a declaration can be summed before they are squared.
    """
    n = np.bincount(stratum)[stratum]
    mean = (np.bincount(stratum, value) / np.maximum(np.bincount(stratum), 1))[stratum]
    gap = np.where(n > 1, value - mean, value - value.mean())
    return np.asarray(np.sqrt((1 - chance) * n / np.maximum(n - 1, 1)) / chance * gap)


def _estimands(
    part: _Part, sensitivity: float, specificity: float
) -> list[dict[str, Any]]:
    """Return the rows of a part."""
    flow, n = part.flow, int(part.inside.sum())
    n_used = int(part.weights()[1].sum())
    notes = [] if n_used >= _FEW else [f"fewer than {_FEW} results"]
    n_unreached = part.n_unreached()
    if n_unreached:
        notes.append(f"{n_unreached} items are never inspected")
    unreachable = part.source == "all" and n_unreached > 0
    found = UNKNOWN if unreachable else part.hit_rate()
    rate = [_correct_rate(r, sensitivity, specificity) for r in found]
    gap = UNKNOWN
    if flow.revenue is not None and not unreachable:
        gap = log_interval(*part.total(flow.revenue))
        if gap.estimate <= 0:
            gap = UNKNOWN
            notes.append("no revenue was found")
    intervals = {
        "illicit_rate": Interval(*rate),
        "hits": Interval(*(r * n for r in rate)),
        "revenue_gap": Interval(*(g / sensitivity for g in gap)),
    }
    note = "; ".join(notes)
    rows = []
    for name, interval in intervals.items():
        answered = math.isfinite(interval.estimate)
        rows.append(
            {
                "estimand": name,
                **interval._asdict(),
                "n_items": n,
                "n_known": n_used,
                "note": note if answered else note or "nothing is known",
            }
        )
    return rows


def _correct_rate(rate: float, sensitivity: float, specificity: float) -> float:
    """Return the true rate from the rate that inspections find."""
    corrected = (rate + specificity - 1) / (sensitivity + specificity - 1)
    return min(max(corrected, 0.0), 1.0) if math.isfinite(corrected) else math.nan
