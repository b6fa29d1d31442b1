"""Scores and a capacity become decisions, each with its exact propensity."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.clock import Clock, read_clock
from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_choice,
    check_number,
    format_values,
)
from smartrisk.items import check_unique
from smartrisk.results import clean_text, text_table
from smartrisk.schema import TIME_ZONE, TableInput
from smartrisk.selectivity._claims import DUE, Demand, Draft
from smartrisk.selectivity._quotas import (
    Capacity,
    check_capacity,
    copy_capacity,
    make_groups,
)
from smartrisk.selectivity._random_draws import Float, hash_items
from smartrisk.selectivity._rule_sets import RuleDraw, RuleSet
from smartrisk.tables import read_table, to_pandas

_RANK_BY = ("risk_score", "expected_revenue", "blend", "net_benefit")
_EXPLORE = ("random", "uncertainty", "novelty")
_SHARES = ("blend", "random_share", "red_share", "blue_share")
#: Part of an exploration by weight that is spread over all items evenly: without it an
#: item of weight 0 could never be drawn, and its group never be learned about.
_EVEN_SHARE = 0.1
#: Longest text of a setting in the repr: a capacity can name hundreds of offices.
_LONGEST = 40
Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a control costs, in the currency of the revenue.

    Parameters
    ----------
    control : float, default=0.0
        Cost of one control: people, scanner, laboratory.
    delay : float, default=0.0
        Cost of the goods that wait, as a fraction of their customs value.

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


@dataclass(frozen=True, kw_only=True, repr=False)
class Policy:
    """The settings by which items are selected for control under a limited capacity.

    Parameters
    ----------
    capacity : float, int or mapping, default=0.05
        Share of the items in [0, 1] as a float, number of items as an integer. Of n
        items a share takes ``share * n``, halves rounded up. A mapping of "red" and
        "yellow" gives each channel its own share or number; with `per`, a mapping from
        group to number, or from group to such a mapping.
    rank_by : str, default="risk_score"
        "risk_score", "expected_revenue", "blend" or "net_benefit": expected revenue
        minus `costs`. With "net_benefit" the model takes only items that are worth
        their control. Where findings matter that recover nothing (drugs, weapons,
        counterfeits), rank by "risk_score" or "blend": expected revenue is in money.
    blend : float, default=0.5
        Weight of the risk rank against the revenue rank when blended.
    random_share : float, default=0.1
        Share of the capacity that explores, by chance.
    explore : str, default="random"
        How it explores: "random" draws before the model chooses, every item with the
        same probability; "uncertainty" and "novelty" draw after it, by weight: how
        undecided the score is (``p * (1 - p)``, or a column ``uncertainty`` of SCORES),
        or a column ``novelty`` of SCORES.
    per : str or tuple of str, default=()
        "day" and columns of the declarations, such as "office" or a team: the capacity
        is divided among these groups by size.
    red_share : float, default=0.5
        Share of the controls that are physical (red); the others are documentary
        (yellow).
    blue_share : float, default=0.0
        Share of the items that are released now and checked after clearance (blue):
        the best ranked of those not controlled. They use no capacity.
    costs : Costs, default=Costs()
        What a control costs, for "net_benefit".
    trusted_relief : float, default=0.0
        Fraction by which the rank value of trusted traders' items is reduced, in
        [0, 1). It does not change the random draws, and it needs a `random_share`:
        every trader can still be controlled.
    max_releases : int, default=None
        Number of releases in a row after which a control is due; None for no bound.
    random_state : int, default=0
        Seed of the random share and of ties.
    version : str, default="1"
        Name of this policy in the decisions.

    See Also
    --------
    novelty : How new the traders, goods and routes of items are.
    releases_in_a_row : The number that `max_releases` bounds.

    Notes
    -----
    Claims on the capacity come in this order: mandatory items, rules, items that are
    due, random draws, the model. Mandatory items are controlled even when they exceed
    the capacity; then nothing else is. Rules draw by the key of the item; when they ask
    for more than is left, the items with the smallest draws are selected (sequential
    Poisson sampling, Ohlsson 1998). Every draw is a hash of the key and the seed: it
    depends neither on scores nor on the order of the items.

    With N items left to choose from, r drawn at random and q taken by the model, the
    item on model rank j (from 0) is selected with probability
    ``r/N + (1 - r/N) * P(X > j - q)``, X hypergeometric: the number drawn at random
    among the j items ranked before it. With exploration by weight, the model takes its
    q with certainty and r of the others are drawn with probabilities proportional to
    their weights (systematic sampling, Madow 1949); a tenth of the draw is spread
    evenly so that no probability is zero. Where rules draw, `propensity` is the
    probability given the draws of the other items. `selected_by` and `propensity`
    describe controls before release; blue items have none.

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

    capacity: Capacity = 0.05
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
        check_number("Policy", "random_state", self.random_state, low=0, integer=True)
        if not isinstance(self.costs, Costs):
            raise ArgumentError(
                "selectivity.costs_not_costs",
                "Policy: 'costs' must be Costs, such as Costs(control=80.0); got "
                "{type_name}.",
                type_name=type(self.costs).__name__,
            )
        relief = self.trusted_relief
        check_number("Policy", "trusted_relief", relief, low=0.0, high=0.99)
        if relief and not self.random_share:
            raise ArgumentError(
                "selectivity.relief_without_random_share",
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
        object.__setattr__(self, "capacity", copy_capacity(self.capacity))

    def __repr__(self) -> str:
        """Return the capacity and the settings that are not at their default."""
        changed = [
            f"{f.name}={clean_text(repr(getattr(self, f.name)), _LONGEST)}"
            for f in fields(self)
            if f.name == "capacity"
            or (f.default is not MISSING and getattr(self, f.name) != f.default)
        ]
        return f"Policy({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """Return the settings as an HTML table for a notebook."""
        rows = [(f.name, repr(getattr(self, f.name))) for f in fields(self)]
        return text_table(["setting", "value"], rows, repr(self))

    def select(
        self,
        scores: TableInput,
        declarations: TableInput | None = None,
        *,
        mandatory: ArrayLike | None = None,
        rules: RuleSet | None = None,
        releases: ArrayLike | None = None,
        clock: Clock = None,
    ) -> pd.DataFrame:
        """Decide on items together.

        Parameters
        ----------
        scores : DataFrame of shape (n_items, n_columns)
            SCORES of the items.
        declarations : DataFrame of shape (n_items, n_fields), default=None
            DECLARATIONS aligned with `scores`; needed for `per`, rules, relief and the
            cost of delay.
        mandatory : array-like of bool, shape (n_items,), default=None
            Items that must be controlled whatever their score: prohibitions,
            sanctions, court orders.
        rules : RuleSet, default=None
            Rules that apply in addition to the model.
        releases : array-like of int, shape (n_items,), default=None
            Releases in a row before each item, for `max_releases`.
        clock : callable or datetime, default=None
            When it is decided, for `decided_at`: a moment, or a function that returns
            one; None for now, in the time zone of `lodged_at`.

        Returns
        -------
        decisions : DataFrame
            DECISIONS, in the order and with the index of `scores`; `rule_id` where
            rules or `max_releases` decide.

        Raises
        ------
        TableError
            If a score is missing, a column is absent or a key is repeated.
        ArgumentError
            If an argument is not aligned with the scores, or is needed and not given.
        """
        scores = read_table("Policy.select", "'scores'", scores)
        declarations = read_table("Policy.select", "'declarations'", declarations)
        _check_keys(scores)
        draw = self._draw_rules(scores, declarations, rules)
        demand = self._make_demand(scores, declarations, mandatory, releases)
        if draw is not None:
            demand = replace(demand, priority=draw.priority)
        draft = Draft(
            demand,
            random_share=self.random_share,
            red_share=self.red_share,
            random_state=self.random_state,
        )
        ruled = None if draw is None else draw.channel
        per = tuple(self.per)
        for group in make_groups(self.capacity, per, len(scores), declarations):
            rest = draft.decide(group)
            draft.assign_channels(group, ruled)
            n_blue = math.floor(self.blue_share * len(group.rows) + 0.5)
            draft.channel[rest[:n_blue]] = "blue"
        if draw is not None:
            by_rule = draw.probability(draft.bound)
            draft.without_rule = by_rule + (1 - by_rule) * draft.without_rule
            draft.without_rule[demand.must] = 1.0
            draft.channel[draw.is_blue & (draft.channel == "green")] = "blue"
        decisions = draft.decisions(scores, self.version)
        zone = (scores if declarations is None else declarations).attrs.get(TIME_ZONE)
        decided = read_clock("Policy.select", clock, zone)
        decisions["decided_at"] = pd.Series(
            decided, decisions.index, dtype="datetime64[us]"
        )
        if draw is not None or self.max_releases is not None:
            decisions["rule_id"] = _rule_ids(draft, draw, decisions.index)
        return decisions

    def _draw_rules(
        self,
        scores: pd.DataFrame,
        declarations: pd.DataFrame | None,
        rules: RuleSet | None,
    ) -> RuleDraw | None:
        """Return what rules ask for; None without rules."""
        if declarations is not None and len(declarations) != len(scores):
            raise ArgumentError(
                "selectivity.declarations_not_aligned",
                "Policy: {n_declarations} declarations for {n_scores} scores; they "
                "must be of the same items, in the same order.",
                n_declarations=len(declarations),
                n_scores=len(scores),
            )
        if rules is None:
            return None
        if declarations is None:
            raise ArgumentError(
                "selectivity.rules_need_declarations",
                "Policy: rules need the declarations of the items.",
            )
        return rules.draw(declarations, random_state=self.random_state)

    def _make_demand(
        self,
        scores: pd.DataFrame,
        declarations: pd.DataFrame | None,
        mandatory: ArrayLike | None,
        releases: ArrayLike | None,
    ) -> Demand:
        """Return what is asked for each item, rules apart."""
        n = len(scores)
        value = self._rank_values(scores, declarations)
        due = np.zeros(n, np.int64)
        if self.max_releases is not None:
            in_a_row = np.asarray([] if releases is None else releases)
            if len(in_a_row) != n:
                raise ArgumentError(
                    "selectivity.max_releases_needs_releases",
                    "Policy: 'max_releases' needs the 'releases' of the {n} items, as "
                    "releases_in_a_row returns them.",
                    n=n,
                )
            in_a_row = _whole_numbers(in_a_row)
            due = np.where(in_a_row >= self.max_releases, in_a_row, 0)
        return Demand(
            must=_check_mandatory(mandatory, n),
            priority=np.full(n, np.inf),
            due=due,
            value=self._apply_relief(value, declarations),
            wanted=value > 0 if self.rank_by == "net_benefit" else np.ones(n, bool),
            weight=self._exploration_weights(scores),
            hashes=hash_items(scores, self.random_state),
        )

    def _rank_values(
        self, scores: pd.DataFrame, declarations: pd.DataFrame | None
    ) -> Float:
        """Return the values that the model ranks by, greatest first."""
        if self.rank_by == "net_benefit":
            worth = _score_column(scores, "expected_revenue") - self.costs.control
            if self.costs.delay:
                waiting = _declared_column(
                    declarations, "customs_value", "the cost of delay"
                )
                value = np.nan_to_num(waiting.astype(float))
                worth = worth - self.costs.delay * value
            return np.asarray(worth, np.float64)
        if self.rank_by != "blend":
            return _score_column(scores, self.rank_by)
        risk = pd.Series(_score_column(scores, "risk_score")).rank(pct=True)
        revenue = pd.Series(_score_column(scores, "expected_revenue")).rank(pct=True)
        blended = self.blend * risk + (1 - self.blend) * revenue
        return np.asarray(blended, np.float64)

    def _apply_relief(self, value: Float, declarations: pd.DataFrame | None) -> Float:
        """Return the rank values, those of trusted traders' items reduced."""
        if not self.trusted_relief:
            return value
        trusted = _declared_column(declarations, "trusted_trader", "'trusted_relief'")
        is_trusted = pd.Series(trusted).fillna(False).to_numpy(bool)
        # Net benefits can be negative: the size is taken off, so that ranks only fall.
        reduced = value - self.trusted_relief * np.abs(value)
        return np.where(is_trusted, reduced, value)

    def _exploration_weights(self, scores: pd.DataFrame) -> Float | None:
        """Return weights of exploration; None for the random share."""
        if self.explore == "random" or not self.random_share:
            return None
        if self.explore in scores:
            weight = _score_column(scores, self.explore)
        elif self.explore == "novelty":
            raise TableError(
                "selectivity.novelty_column_absent",
                "SCORES: exploring by novelty needs a column 'novelty'; the "
                "function selectivity.novelty computes it.",
            )
        else:
            risk = _score_column(scores, "risk_score")
            weight = np.clip(risk * (1 - risk), 0.0, None)
        weight = np.clip(weight, 0.0, None)
        mean = float(weight.mean()) if len(weight) else 0.0
        if mean <= 0:
            return np.ones(len(weight))
        return (1 - _EVEN_SHARE) * weight / mean + _EVEN_SHARE


def select(
    scores: TableInput,
    declarations: TableInput | None = None,
    *,
    capacity: Capacity | None = None,
    policy: Policy | None = None,
    mandatory: ArrayLike | None = None,
    rules: RuleSet | None = None,
    releases: ArrayLike | None = None,
    clock: Clock = None,
) -> pd.DataFrame:
    """Decide on items together under a capacity.

    Parameters
    ----------
    scores : DataFrame of shape (n_items, n_columns)
        SCORES of the items.
    declarations : DataFrame of shape (n_items, n_fields), default=None
        DECLARATIONS aligned with `scores`; needed for rules and for some policies.
    capacity : float, int or mapping, default=None
        Share of the items as a float, number of items as an integer; None for that of
        the policy. A shorthand for ``policy=Policy(capacity=...)``.
    policy : Policy, default=None
        How to choose; None for ``Policy()``. It has its own capacity: pass either.
    mandatory : array-like of bool, shape (n_items,), default=None
        Items that must be controlled whatever their score.
    rules : RuleSet, default=None
        Rules that apply in addition to the model.
    releases : array-like of int, shape (n_items,), default=None
        Releases in a row before each item, for `max_releases`.
    clock : callable or datetime, default=None
        When it is decided, as in `Policy.select`.

    Returns
    -------
    decisions : DataFrame
        DECISIONS, in the order and with the index of `scores`.

    Raises
    ------
    ArgumentError
        If both `capacity` and `policy` are given, or an argument is not aligned with
        the scores.
    TableError
        If a score is missing, a column is absent or a key is repeated.

    See Also
    --------
    Policy : The settings, and how ties and random draws are handled.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import Policy, select
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.2]})
    >>> policy = Policy(capacity=1, random_share=0.0)
    >>> select(scores, policy=policy)["selected_by"].notna().tolist()
    [False, True, False, False]
    """
    scores = read_table("select", "'scores'", scores)
    declarations = to_pandas(declarations)
    if declarations is not None and not isinstance(declarations, pd.DataFrame):
        raise ArgumentError(
            "selectivity.declarations_not_a_frame",
            "select: 'declarations' must be a DataFrame; got {type_name}. Pass the "
            "capacity by name: capacity=0.05.",
            type_name=type(declarations).__name__,
        )
    _check_type("policy", policy, Policy)
    _check_type("rules", rules, RuleSet)
    if capacity is not None and policy is not None:
        raise ArgumentError(
            "selectivity.capacity_and_policy",
            "select: pass 'capacity' or 'policy', not both; the policy has the "
            "capacity {capacity}. To change it pass "
            "dataclasses.replace(policy, capacity=...).",
            capacity=str(policy.capacity),
        )
    if policy is None:
        policy = Policy() if capacity is None else Policy(capacity=capacity)
    return policy.select(
        scores,
        declarations,
        mandatory=mandatory,
        rules=rules,
        releases=releases,
        clock=clock,
    )


def _whole_numbers(releases: NDArray[Any]) -> NDArray[np.int64]:
    """Return releases in a row as whole numbers; raise where one is none."""
    counts = pd.to_numeric(pd.Series(releases.ravel()), errors="coerce")
    numbers = counts.to_numpy(np.float64, na_value=np.nan)
    wrong = ~((numbers >= 0) & (numbers % 1 == 0))
    if wrong.any():
        raise ArgumentError(
            "selectivity.releases_not_whole",
            "Policy: 'releases' must be whole numbers from 0 on; {n_wrong} values are "
            "not: {values}. Pass what releases_in_a_row returns.",
            n_wrong=int(wrong.sum()),
            values=format_values(releases.ravel()[wrong].tolist()),
        )
    return numbers.astype(np.int64)


def _check_type(argument: str, value: object, wanted: type) -> None:
    """Raise unless an argument is None or of its class."""
    if value is not None and not isinstance(value, wanted):
        raise ArgumentError(
            "selectivity.argument_of_other_class",
            "select: {argument!r} must be a {wanted} or None; got {type_name}.",
            argument=argument,
            wanted=wanted.__name__,
            type_name=type(value).__name__,
        )


def _check_keys(scores: pd.DataFrame) -> None:
    """Raise unless SCORES have a key, each at most once."""
    if "declaration_id" not in scores:
        raise TableError(
            "selectivity.scores_without_key",
            "select: SCORES need the column 'declaration_id', by which decisions are "
            "matched and random draws are made. Add it to the scores.",
        )
    check_unique("select", "SCORES", scores)


def _rule_ids(draft: Draft, draw: RuleDraw | None, index: pd.Index) -> pd.Series:
    """Return the rule that each item follows; that of releases in a row comes first."""
    named = np.full(len(draft.claim), None, dtype=object)
    if draw is not None:
        own = draft.is_by_rule | (draw.is_blue & (draft.channel == "blue"))
        named[own] = draw.rule_id[own]
    named[draft.is_due] = DUE
    return pd.Series(named, index, dtype="str")


def _declared_column(
    declarations: pd.DataFrame | None, name: str, why: str
) -> NDArray[np.object_]:
    """Return a declared column that the policy needs."""
    if declarations is None:
        raise ArgumentError(
            "selectivity.policy_needs_declarations",
            "Policy: {why} needs the declarations of the items.",
            why=why,
        )
    if name not in declarations:
        raise TableError(
            "selectivity.policy_column_absent",
            "Policy: {why} needs the column {column!r}; it is absent.",
            why=why,
            column=name,
        )
    return np.asarray(declarations[name].to_numpy(dtype=object, na_value=np.nan))


def _score_column(scores: pd.DataFrame, name: str) -> Float:
    """Return a column of SCORES; missing and infinite values are refused."""
    if name not in scores:
        raise TableError(
            "selectivity.score_column_absent",
            "SCORES: the column {column!r} is missing; rank by another.",
            column=name,
        )
    values = scores[name].to_numpy(dtype=np.float64, na_value=np.nan)
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad:
        raise TableError(
            "selectivity.score_not_finite",
            "SCORES: {column!r} is missing or infinite in {n_bad} items. Score "
            "them first, or leave them out.",
            column=name,
            n_bad=n_bad,
        )
    return np.asarray(values)


def _check_mandatory(mandatory: ArrayLike | None, n: int) -> Bool:
    """Return the mask of mandatory items; raise unless it has a boolean per item."""
    if mandatory is None:
        return np.zeros(n, bool)
    mask = np.asarray(mandatory)
    if mask.dtype != bool or mask.shape != (n,):
        raise ArgumentError(
            "selectivity.mandatory_not_booleans",
            "select: 'mandatory' must be {n} booleans, one per item; got {dtype} of "
            "shape {shape}.",
            n=n,
            dtype=str(mask.dtype),
            shape=str(mask.shape),
        )
    return mask
