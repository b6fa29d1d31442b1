"""Scores and a capacity become decisions, each with its exact propensity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, check_choice, check_number
from smartrisk.selectivity._claims import DUE, Demand, Draft
from smartrisk.selectivity._quotas import check_capacity, groups
from smartrisk.selectivity._random_draws import Float, hashes
from smartrisk.selectivity._rules import RuleSet

_RANK_BY = ("risk_score", "expected_revenue", "blend", "net_benefit")
_EXPLORE = ("random", "uncertainty", "novelty")
_SHARES = ("blend", "random_share", "red_share", "blue_share")
#: Part of an exploration by weight that falls on all items alike.
EVEN = 0.1
Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a control costs, in the currency of the revenue.

    Parameters
    ----------
    control : float, default=0.0
        Of one control: people, scanner, laboratory.
    delay : float, default=0.0
        Of the goods that wait, as a share of their customs value.

    Examples
    --------
    >>> from smartrisk.selectivity import Costs
    >>> Costs(control=80.0, delay=0.002).control
    80.0
    """

    control: float = 0.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        check_number("Costs", "control", self.control, low=0.0)
        check_number("Costs", "delay", self.delay, low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A scored way of choosing what to control under a limited capacity.

    Parameters
    ----------
    capacity : float, int or mapping, default=0.05
        Share of the items in [0, 1] as a float, number of items as an integer. A share
        gives ``floor(share * n + 0.5)`` items. A mapping of "red" and "yellow" gives
        each channel its own share or number; with `per`, a mapping from group to
        number, or from group to such a mapping.
    rank_by : str, default="risk_score"
        "risk_score", "expected_revenue", "blend" or "net_benefit": expected revenue
        less `costs`. The model then takes only items that are worth their control.
    blend : float, default=0.5
        Weight of the risk rank against the revenue rank when blended.
    random_share : float, default=0.1
        Share of the capacity that explores, by chance.
    explore : str, default="random"
        How: "random" draws all items alike before the model is asked; "uncertainty"
        and "novelty" draw after it, by weight: how undecided the score is
        (``p * (1 - p)``, or a column ``uncertainty`` of SCORES), or a column
        ``novelty`` of SCORES.
    per : str or tuple of str, default=()
        "day" and columns of the declarations, as "office" or a team: the capacity is
        spread over these groups by size.
    red_share : float, default=0.5
        Share of the controls that are physical (red); the others are documentary
        (yellow).
    blue_share : float, default=0.0
        Share of the items that are released now and checked after clearance (blue):
        the best ranked of those not controlled. They use no capacity.
    costs : Costs, default=Costs()
        What a control costs, for "net_benefit".
    trusted_relief : float, default=0.0
        By how much the rank value of trusted traders' items is lessened, in [0, 1).
        Chance does not see it, and there must be some: relief never reaches zero.
    max_releases : int, default=None
        Releases in a row after which a control is due; None for no bound.
    random_state : int, default=0
        Seed of the random share and of ties.
    version : str, default="1"
        Name of this policy in the decisions.

    See Also
    --------
    novelty : How new the traders, goods and routes of items are.
    releases_in_a_row : What `max_releases` counts.

    Notes
    -----
    Claims on the capacity come in this order: mandatory items, rules, items that are
    due, chance, the model. Mandatory items are controlled even when they exceed it;
    then nothing else is. Rules draw by the item's key; when they ask for more than is
    left, the least draws are followed (sequential Poisson sampling, Ohlsson 1998).
    Chance is a keyed hash of the item's key: it depends on no score and no row order.

    With N items left to choose from, r drawn at random and q taken by the model, the
    item on model rank j (from 0) is selected with probability
    ``r/N + (1 - r/N) * P(X > j - q)``, X hypergeometric: the number drawn at random
    among the j items ranked before it. Exploring by weight, the model takes its q
    with certainty and r of the others are drawn with probabilities proportional to
    their weights (systematic sampling, Madow 1949), a tenth of it spread evenly so
    that none is zero. Where rules draw, `propensity` is that given the draws of the
    other items. `selected_by` and `propensity` speak of controls before release; blue
    items have none.

    References
    ----------
    Madow, W. G. (1949). On the theory of systematic sampling, II. Annals of
    Mathematical Statistics 20.

    Ohlsson, E. (1998). Sequential Poisson sampling. Journal of Official Statistics 14.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import Policy
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> Policy(capacity=2, random_share=0.0).select(scores)["channel"].tolist()
    ['green', 'red', 'yellow', 'green']
    """

    capacity: float | int | Mapping[Any, Any] = 0.05
    rank_by: str = "risk_score"
    blend: float = 0.5
    random_share: float = 0.1
    explore: str = "random"
    per: str | tuple[str, ...] = ()
    red_share: float = 0.5
    blue_share: float = 0.0
    costs: Costs = Costs()
    trusted_relief: float = 0.0
    max_releases: int | None = None
    random_state: int = 0
    version: str = "1"

    def __post_init__(self) -> None:
        check_choice("Policy", "rank_by", self.rank_by, _RANK_BY)
        check_choice("Policy", "explore", self.explore, _EXPLORE)
        for name in _SHARES:
            check_number("Policy", name, getattr(self, name), low=0.0, high=1.0)
        relief = self.trusted_relief
        check_number("Policy", "trusted_relief", relief, low=0.0, high=0.99)
        if relief and not self.random_share:
            raise ArgumentError(
                "selectivity.trusted_relief_needs_random_share_above",
                "Policy: 'trusted_relief' needs a 'random_share' above 0; without "
                "it trusted traders might never be controlled.",
            )
        if self.max_releases is not None:
            check_number(
                "Policy", "max_releases", self.max_releases, low=1, integer=True
            )
        per = (self.per,) if isinstance(self.per, str) else tuple(self.per or ())
        object.__setattr__(self, "per", per)
        check_capacity(self.capacity, per)

    def select(
        self,
        scores: pd.DataFrame,
        *,
        declarations: pd.DataFrame | None = None,
        mandatory: Any = None,
        rules: RuleSet | None = None,
        releases: Any = None,
    ) -> pd.DataFrame:
        """Decide on items together.

        Parameters
        ----------
        scores : DataFrame
            SCORES of the items.
        declarations : DataFrame, default=None
            DECLARATIONS aligned with `scores`; needed for `per`, rules, relief and the
            cost of delay.
        mandatory : array-like of bool, default=None
            Items that must be controlled whatever their score: prohibitions,
            sanctions, orders of a court.
        rules : RuleSet, default=None
            Rules that stand beside the model.
        releases : array-like of int, default=None
            Releases in a row before each item, for `max_releases`.

        Returns
        -------
        decisions : DataFrame
            DECISIONS, in the order and with the index of `scores`; `rule_id` where
            rules or `max_releases` decide.

        Raises
        ------
        TableError
            If a score is missing or a column is absent.
        ArgumentError
            If something is not aligned with the scores, or needed and not given.
        """
        n = len(scores)
        if declarations is not None and len(declarations) != n:
            raise ArgumentError(
                "selectivity.declarations_scores_they_same",
                "Policy: {n_declarations} declarations for {n} scores; they must "
                "be of the same items, aligned.",
                n_declarations=len(declarations),
                n=n,
            )
        drawn = None
        if rules is not None:
            if declarations is None:
                raise ArgumentError(
                    "selectivity.rules_need_declarations_items",
                    "Policy: rules need the declarations of the items.",
                )
            drawn = rules.draw(declarations, random_state=self.random_state)
        demand = self._demand(scores, declarations, mandatory, releases)
        if drawn is not None:
            demand = replace(demand, priority=drawn.priority)
        draft = Draft(n)
        shares = (self.random_share, self.random_state)
        channel = None if drawn is None else drawn.channel
        for rows, quota in groups(self.capacity, tuple(self.per), n, declarations):
            rest = draft.decide(rows, quota, demand, shares)
            draft.colour(rows, quota, demand, (self.red_share, channel))
            after = math.floor(self.blue_share * len(rows) + 0.5)
            draft.channel[rest[:after]] = "blue"
        if drawn is not None:
            ruled = drawn.chance(draft.bound)
            draft.given = ruled + (1 - ruled) * draft.given
            draft.given[demand.must] = 1.0
            later = drawn.blue & (draft.channel == "green")
            draft.channel[later] = "blue"
        out = draft.table(scores, demand, self.version)
        if drawn is not None or self.max_releases is not None:
            named = np.full(n, None, dtype=object)
            if drawn is not None:
                own = (draft.claim == 1) | (drawn.blue & (draft.channel == "blue"))
                named[own] = drawn.rule_id[own]
            named[draft.is_due] = DUE
            out["rule_id"] = pd.Series(named, out.index, dtype="str")
        return out

    def _demand(
        self,
        scores: pd.DataFrame,
        declarations: pd.DataFrame | None,
        mandatory: Any,
        releases: Any,
    ) -> Demand:
        """Return what is asked for each item."""
        n = len(scores)
        value = self._value(scores, declarations)
        keys = hashes(scores, self.random_state)
        due = np.zeros(n, np.int64)
        if self.max_releases is not None:
            if releases is None or len(releases) != n:
                raise ArgumentError(
                    "selectivity.max_releases_needs_releases_items",
                    "Policy: 'max_releases' needs the 'releases' of the {n} items, as "
                    "releases_in_a_row gives them.",
                    n=n,
                )
            row = np.asarray(releases, np.int64)
            due = np.where(row >= self.max_releases, row, 0)
        return Demand(
            must=_mask(mandatory, scores),
            priority=np.full(n, np.inf),
            due=due,
            value=self._relieved(value, declarations),
            wanted=value > 0 if self.rank_by == "net_benefit" else np.ones(n, bool),
            weight=self._weight(scores),
            lot=keys,
        )

    def _value(self, scores: pd.DataFrame, declarations: pd.DataFrame | None) -> Float:
        """Return what is ranked by, the greater the sooner."""
        if self.rank_by == "net_benefit":
            worth = _column(scores, "expected_revenue") - self.costs.control
            if self.costs.delay:
                held = _declared(declarations, "customs_value", "the cost of delay")
                worth = worth - self.costs.delay * np.nan_to_num(held.astype(float))
            return np.asarray(worth, np.float64)
        if self.rank_by != "blend":
            return _column(scores, self.rank_by)
        risk = pd.Series(_column(scores, "risk_score")).rank(pct=True)
        revenue = pd.Series(_column(scores, "expected_revenue")).rank(pct=True)
        blended = self.blend * risk + (1 - self.blend) * revenue
        return np.asarray(blended, np.float64)

    def _relieved(self, value: Float, declarations: pd.DataFrame | None) -> Float:
        """Lessen the value of trusted traders' items."""
        if not self.trusted_relief:
            return value
        trusted = _declared(declarations, "trusted_trader", "'trusted_relief'")
        known = pd.Series(trusted).fillna(False).to_numpy(bool)
        lessened = value - self.trusted_relief * np.abs(value)
        return np.where(known, lessened, value)

    def _weight(self, scores: pd.DataFrame) -> Float | None:
        """Return weights of exploration; None for the random share."""
        if self.explore == "random" or not self.random_share:
            return None
        if self.explore in scores:
            weight = _column(scores, self.explore)
        elif self.explore == "novelty":
            raise TableError(
                "selectivity.exploring_novelty_needs_column",
                "SCORES: exploring by novelty needs a column 'novelty'; the "
                "function selectivity.novelty gives it.",
            )
        else:
            risk = _column(scores, "risk_score")
            weight = np.clip(risk * (1 - risk), 0.0, None)
        weight = np.clip(weight, 0.0, None)
        mean = float(weight.mean()) if len(weight) else 0.0
        return (1 - EVEN) * weight / mean + EVEN if mean > 0 else np.ones(len(weight))


def select(
    scores: pd.DataFrame,
    capacity: Any = 0.05,
    *,
    declarations: pd.DataFrame | None = None,
    mandatory: Any = None,
    rules: RuleSet | None = None,
    releases: Any = None,
    policy: Policy | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Decide on items together under a capacity.

    Parameters
    ----------
    scores : DataFrame
        SCORES of the items.
    capacity : float, int or mapping, default=0.05
        Share of the items as a float, their number as an integer.
    declarations : DataFrame, default=None
        DECLARATIONS aligned with `scores`; needed for `per` and for rules.
    mandatory : array-like of bool, default=None
        Items that must be controlled whatever their score.
    rules : RuleSet, default=None
        Rules that stand beside the model.
    releases : array-like of int, default=None
        Releases in a row before each item, for `max_releases`.
    policy : Policy, default=None
        Policy to take the other options from; None for the default.
    **options : object
        Fields of `Policy`.

    Returns
    -------
    decisions : DataFrame
        DECISIONS, in the order and with the index of `scores`.

    See Also
    --------
    Policy : The options, and how ties and chance are handled.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import select
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> select(scores, 1, random_share=0.0)["selected_by"].notna().tolist()
    [False, True, False, False]
    """
    made = replace(policy or Policy(), capacity=capacity, **options)
    return made.select(
        scores,
        declarations=declarations,
        mandatory=mandatory,
        rules=rules,
        releases=releases,
    )


def _declared(declarations: pd.DataFrame | None, name: str, why: str) -> Any:
    """Return a declared column that the policy needs."""
    if declarations is None:
        raise ArgumentError(
            "selectivity.needs_declarations_items",
            "Policy: {why} needs the declarations of the items.",
            why=why,
        )
    if name not in declarations:
        raise TableError(
            "selectivity.needs_column_absent",
            "Policy: {why} needs the column {name!r}; it is absent.",
            why=why,
            name=name,
        )
    return declarations[name].to_numpy(dtype=object, na_value=np.nan)


def _column(scores: pd.DataFrame, name: str) -> Float:
    if name not in scores:
        raise TableError(
            "selectivity.column_missing_rank_another",
            "SCORES: the column {name!r} is missing; rank by another.",
            name=name,
        )
    values = scores[name].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise TableError(
            "selectivity.missing_infinite_items_score",
            "SCORES: {name!r} is missing or infinite in {bad} items. Score "
            "them first, or leave them out.",
            name=name,
            bad=bad,
        )
    return values


def _mask(mandatory: Any, scores: pd.DataFrame) -> Bool:
    if mandatory is None:
        return np.zeros(len(scores), bool)
    mask = np.asarray(mandatory)
    if mask.dtype != bool or mask.shape != (len(scores),):
        raise ArgumentError(
            "selectivity.mandatory_booleans_per_item",
            "select: 'mandatory' must be {n_scores} booleans, one per item; "
            "got {dtype} of shape {shape}.",
            n_scores=len(scores),
            dtype=mask.dtype,
            shape=mask.shape,
        )
    return mask
