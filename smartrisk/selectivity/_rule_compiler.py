"""The segments that a model scores highest, as a few rules that people can check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from smartrisk.errors import ArgumentError, TableError, check_number, format_values
from smartrisk.items import item_ids
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.selectivity._conditions import Condition, field_values
from smartrisk.selectivity._rule_performance import match_findings
from smartrisk.selectivity._rule_sets import RuleSet
from smartrisk.selectivity._rules import Rule
from smartrisk.tables import read_table

Float = NDArray[np.float64]

#: Fields of which a rule lists values.
_LISTS = (
    "importer_id",
    "consignor_id",
    "declarant_id",
    "tariff_code",
    "origin",
    "departure",
    "office",
    "procedure",
)
#: Fields that a rule compares with a number.
_NUMBERS = ("price_ratio", "customs_value", "net_mass_kg", "duty_rate")
#: Weight, in items, of the overall mean score in that of a value: a value seen five
#: times is judged half by its own items, so that a single item makes no rule.
_PRIOR_ITEMS = 5.0
#: Minimum number of items of a code for a reference price: the median of fewer is one
#: declaration.
_FEWEST_PRICED = 5
#: Smallest share of the items that a rule is made of; smaller leaves did not hold on
#: later items.
_LEAF_SHARE = 0.005
#: Leaves that the tree is grown to for each rule. Only the strongest become rules: a
#: tree of as many leaves as rules would spend most on items that no rule takes.
_LEAVES_PER_RULE = 2
#: Minimum number of items of a leaf, whatever the share.
_FEWEST_IN_LEAF = 20
#: Scores above this count as this. A model is too certain of the items that it learned
#: from, and a few of them would make a rule of their own.
_SCORE_CAP = 0.5
#: Minimum numbers of earlier and later items to make and judge rules.
_FEWEST_EARLIER, _FEWEST_LATER = 200, 50


class CompiledRules(Result):
    """Rules compiled from a model, and what such rules found on later items.

    Made by `compile_rules`.

    Parameters
    ----------
    rules : RuleSet
        Made from all items, the strongest first.
    judged : RuleSet
        Made in the same way from the earlier items only; `table` describes them.
    table : DataFrame
        One row per rule, one for all rules together, one for the model.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import compile_rules
    >>> world = make_declarations(3_000, random_state=0)
    >>> scores = world.declarations[["declaration_id", "item_number"]].assign(
    ...     risk_score=world.declarations["duty_rate"])
    >>> compiled = compile_rules(world.declarations, scores, outcomes=world.outcomes)
    >>> compiled.frame()["rule_id"].tail(2).tolist()
    ['all rules', 'the model']
    """

    def __init__(self, *, rules: RuleSet, judged: RuleSet, table: pd.DataFrame) -> None:
        self._rules = rules
        self._judged = judged
        self._table = table.copy()

    @property
    def rules(self) -> RuleSet:
        """The rules, made from all items, the strongest first."""
        return self._rules

    @property
    def judged(self) -> RuleSet:
        """Rules made from the earlier items only; the frame describes these."""
        return self._judged

    def frame(self) -> pd.DataFrame:
        """Return one row per rule, then all rules together, then the model.

        Returns
        -------
        frame : DataFrame
            Of the later items: rule_id, n_items, share, n_alone (matched by no other
            rule), mean_score; with outcomes n_known, hits, hit_rate, hit_rate_low,
            hit_rate_high (Wilson, 95 %) and revenue of those inspected. The row "all
            rules" describes the items that the rules draw, "the model" the same number
            of items with the highest scores.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        """Return the number of rules and the share of the items that they draw."""
        row = self._table[self._table["rule_id"] == "all rules"].iloc[0]
        n_rules = len(self._rules)
        return f"CompiledRules({n_rules} rules, {row['share']:.1%} of later items)"


def compile_rules(
    declarations: TableInput,
    scores: TableInput,
    *,
    outcomes: TableInput | None = None,
    rate: float = 0.05,
    max_rules: int = 12,
    later: float = 0.25,
    channel: str = "red",
) -> CompiledRules:
    """Return a few rules for the segments that a model scores highest.

    Use it where a model cannot be served: the rules need only lists of codes and
    reference prices.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS.
    scores : DataFrame of shape (n_items, n_columns)
        SCORES of the same items, in their order.
    outcomes : DataFrame, default=None
        OUTCOMES, to report what was found on the later items.
    rate : float, default=0.05
        Share of the items that the rules choose, a fraction.
    max_rules : int, default=12
        Largest number of rules.
    later : float, default=0.25
        Share of the items, the last ones, on which rules made from the others are
        judged. The rules that are returned are then made from all items.
    channel : str, default="red"
        Channel of the items that match.

    Returns
    -------
    compiled : CompiledRules
        The rules, and what such rules find on later items.

    Raises
    ------
    ArgumentError
        If an argument is outside what is allowed.
    TableError
        If scores and declarations are not of the same items, or are too few.

    Notes
    -----
    A regression tree learns the scores from what a rule can ask: for each code and
    trader the mean score of its earlier items (lists of values), the value per kg
    relative to the median of the code (reference prices), value, mass and duty rate.
    Its leaves with the highest mean become rules until they hold `rate` of the items;
    the last rule has a rate below 1, so that the share is met. Lists become outdated:
    compile again when the model is fitted again.

    References
    ----------
    Craven, M. W., Shavlik, J. W. (1996). Extracting tree-structured representations of
    trained networks. NIPS 8.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import compile_rules
    >>> world = make_declarations(3_000, random_state=0)
    >>> scores = world.declarations[["declaration_id", "item_number"]].assign(
    ...     risk_score=world.declarations["duty_rate"])
    >>> len(compile_rules(world.declarations, scores, max_rules=5).rules) <= 5
    True
    """
    declarations = read_table("compile_rules", "'declarations'", declarations)
    scores = read_table("compile_rules", "'scores'", scores)
    outcomes = read_table("compile_rules", "'outcomes'", outcomes)
    check_number("compile_rules", "rate", rate, low=1e-4, high=0.9)
    check_number("compile_rules", "max_rules", max_rules, low=1, integer=True)
    check_number("compile_rules", "later", later, low=0.05, high=0.9)
    risk = _aligned_scores(declarations, scores)
    days = declarations["lodged_at"]
    cut = days.sort_values().iloc[int((1 - later) * (len(days) - 1))].normalize()
    early = (days < cut).to_numpy()
    if early.sum() < _FEWEST_EARLIER or (~early).sum() < _FEWEST_LATER:
        raise TableError(
            "selectivity.too_few_items_to_compile",
            "compile_rules: {n_items} items are too few; at least {n_earlier} earlier "
            "and {n_later} later ones are needed.",
            n_items=len(days),
            n_earlier=_FEWEST_EARLIER,
            n_later=_FEWEST_LATER,
        )
    judged, final = (
        _make_rules(_Past(declarations[part], risk[part]), rate, max_rules, channel)
        for part in (early, np.ones(len(days), bool))
    )
    table = _judge_rules(judged, declarations[~early], risk[~early], outcomes)
    return CompiledRules(rules=final, judged=judged, table=table)


class _Past:
    """Earlier items as numbers that a tree can split, and conditions for its parts."""

    def __init__(self, items: pd.DataFrame, risk: Float) -> None:
        self.risk, self.mean = risk, float(risk.mean())
        self.prices = _reference_prices(items)
        self.lists: dict[str, pd.Series] = {}
        columns: dict[str, pd.Series] = {}
        for name in _LISTS:
            if name in items:
                by_value = pd.Series(risk).groupby(items[name].to_numpy(object))
                total = by_value.sum() + _PRIOR_ITEMS * self.mean
                mean = total / (by_value.size() + _PRIOR_ITEMS)
                self.lists[name] = mean
                columns[name] = items[name].map(mean).fillna(self.mean)
        priced = items
        if self.prices:
            price = items["tariff_code"].map(self.prices)
            priced = items.assign(
                price_ratio=field_values(items, "value_per_kg") / price
            )
        for name in _NUMBERS:
            if name in priced:
                values = priced[name].astype(float)
                columns[name] = values.fillna(values.median()).fillna(0.0)
        if not columns:
            raise TableError(
                "selectivity.no_column_for_rules",
                "compile_rules: the declarations have none of the columns that rules "
                "ask for: {columns}.",
                columns=format_values((*_LISTS, *_NUMBERS), 20),
            )
        self.table = pd.DataFrame(columns).astype(np.float64)

    def conditions(self, name: str, low: float, high: float) -> list[Condition]:
        """Return the conditions that hold where low < value <= high."""
        if name not in self.lists:
            out = []
            if low > -np.inf:
                out.append(Condition(field=name, operator=">", value=_round_short(low)))
            if high < np.inf:
                out.append(
                    Condition(field=name, operator="<=", value=_round_short(high))
                )
            return out
        mean = self.lists[name]
        inside = (mean > low) & (mean <= high)
        if low < self.mean <= high:  # new values have the overall mean
            outside = tuple(sorted(map(str, mean.index[~inside])))
            return [Condition(field=name, operator="not in", value=outside)]
        known = tuple(sorted(map(str, mean.index[inside])))
        return [Condition(field=name, operator="in", value=known)]


def _reference_prices(items: pd.DataFrame) -> dict[str, float]:
    """Return the median value per kg of every code with enough items."""
    if not {"customs_value", "net_mass_kg", "tariff_code"} <= set(items):
        return {}
    per_kg = field_values(items, "value_per_kg")
    by_code = per_kg[per_kg > 0].groupby(items["tariff_code"].astype("str"))
    prices = by_code.median()[by_code.size() >= _FEWEST_PRICED]
    return {str(code): _round_short(price) for code, price in prices.items()}


@dataclass(frozen=True)
class _Leaf:
    """A leaf of the tree, the share of it that a rule takes, its mean score."""

    node: int
    share: float
    mean: float


def _make_rules(past: _Past, rate: float, max_rules: int, channel: str) -> RuleSet:
    """Return the leaves of a tree with the highest scores as rules."""
    n = len(past.table)
    for n_leaves in range(_LEAVES_PER_RULE * max_rules, 1, -1):
        tree = DecisionTreeRegressor(
            max_leaf_nodes=n_leaves,
            min_samples_leaf=max(_FEWEST_IN_LEAF, int(_LEAF_SHARE * n)),
            random_state=0,
        ).fit(past.table.to_numpy(), np.minimum(past.risk, _SCORE_CAP))
        leaves = _strongest_leaves(tree.tree_, rate * n)
        if len(leaves) <= max_rules:
            break
    names = [str(name) for name in past.table]
    rules = []
    for place, leaf in enumerate(leaves, start=1):
        when: list[Condition] = []
        for column, bounds in _bounds(tree.tree_, leaf.node).items():
            when += past.conditions(names[column], *bounds)
        rules.append(
            Rule(
                rule_id=f"M{place:02d}",
                when=tuple(when) or (_always(past),),
                channel=channel,
                rate=round(leaf.share, 4),
                reason=f"mean score {leaf.mean:.3f}, all items {past.mean:.3f}",
            )
        )
    return RuleSet(rules=tuple(rules), prices=past.prices)


def _always(past: _Past) -> Condition:
    """Return a condition that every item meets, for a tree without a split."""
    name = next(iter(past.lists), "")
    if not name:
        raise ArgumentError(
            "selectivity.scores_do_not_differ",
            "compile_rules: no field that rules can use separates the scores.",
        )
    return Condition(field=name, operator="not in", value=())


def _strongest_leaves(tree: Any, wanted: float) -> list[_Leaf]:
    """Return leaves by mean score until they hold the wanted number of items."""
    leaves = np.flatnonzero(tree.children_left < 0)
    mean = tree.value[leaves, 0, 0]
    out: list[_Leaf] = []
    for node in leaves[np.argsort(-mean, kind="stable")]:
        if wanted < 1:
            break
        size = float(tree.n_node_samples[node])
        share = min(wanted / size, 1.0)
        out.append(_Leaf(int(node), share, float(tree.value[node, 0, 0])))
        wanted -= size
    return out


def _bounds(tree: Any, leaf: int) -> dict[int, tuple[float, float]]:
    """Return the interval of each column on the path to a leaf."""
    parent = {
        int(child): (place, side)
        for side, children in enumerate((tree.children_left, tree.children_right))
        for place, child in enumerate(children)
        if child >= 0
    }
    out: dict[int, tuple[float, float]] = {}
    while leaf in parent:
        leaf, side = parent[leaf]
        column, at = int(tree.feature[leaf]), float(tree.threshold[leaf])
        low, high = out.get(column, (-np.inf, np.inf))
        out[column] = (low, min(high, at)) if side == 0 else (max(low, at), high)
    return out


def _judge_rules(
    rules: RuleSet, items: pd.DataFrame, risk: Float, outcomes: pd.DataFrame | None
) -> pd.DataFrame:
    """Return figures of the rules on later items, next to those of the model."""
    report = rules.report(items, outcomes).frame()
    table = report.drop(columns=["channel", "n_conflicts"])
    drawn = rules.decide(items)["selected_by"].notna().to_numpy()
    best = np.zeros(len(items), bool)
    best[np.argsort(-risk, kind="stable")[: int(drawn.sum())]] = True
    priced = rules.with_price_ratio(items)
    matched = [rule.matches(priced) for rule in rules]
    table["mean_score"] = [
        float(risk[m].mean()) if m.any() else np.nan for m in matched
    ]
    findings = match_findings(items, outcomes)
    rows = []
    for name, chosen in (("all rules", drawn), ("the model", best)):
        row: dict[str, object] = {
            "rule_id": name,
            "n_items": int(chosen.sum()),
            "share": float(chosen.mean()),
            "n_alone": int(chosen.sum()),
            "mean_score": float(risk[chosen].mean()) if chosen.any() else np.nan,
        }
        rows.append(row | (findings.performance(chosen) if findings else {}))
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def _aligned_scores(declarations: pd.DataFrame, scores: pd.DataFrame) -> Float:
    """Return the risk scores of the declarations; refuse those of other items."""
    if "risk_score" not in scores:
        raise TableError(
            "selectivity.compile_without_risk_score",
            "compile_rules: SCORES lacks the column 'risk_score'.",
        )
    is_same = len(scores) == len(declarations) and bool(
        (item_ids(scores) == item_ids(declarations)).all()
    )
    if not is_same:
        raise TableError(
            "selectivity.compile_scores_not_aligned",
            "compile_rules: {n_scores} scores and {n_declarations} declarations must "
            "be of the same items in the same order.",
            n_scores=len(scores),
            n_declarations=len(declarations),
        )
    return scores["risk_score"].to_numpy(np.float64)


def _round_short(value: float) -> float:
    """Return a number with four significant digits, which is what people read."""
    return float(f"{float(value):.4g}")
