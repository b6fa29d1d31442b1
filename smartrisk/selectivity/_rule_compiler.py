"""A model's strongest segments as a few rules that people can read and check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.results import Result
from smartrisk.schema import KEY
from smartrisk.selectivity._rules import Condition, Rule, RuleSet, performance

Float = NDArray[np.float64]

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
_NUMBERS = ("price_ratio", "customs_value", "net_mass_kg", "duty_rate")
#: Items by which the mean score of a value is drawn to that of all.
_PRIOR = 5.0
#: Least items of a code with a reference price.
_FEW = 5
#: Least share of the items that a rule is made of.
_LEAF = 0.005
#: Scores above this count as this: of items that the model learned from they are too
#: sure, and a few of them would draw a rule of their own.
_SURE = 0.5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompiledRules(Result):
    """Rules made of a model, and what they were worth on later items.

    Parameters
    ----------
    rules : RuleSet
        Made of all items, the strongest first.
    judged : RuleSet
        Made in the same way of the earlier items alone; `table` speaks of them.
    table : DataFrame
        One row per rule, one for all together, one for the model.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import compile_rules
    >>> world = make_declarations(3_000, random_state=0)
    >>> scores = world.declarations[["declaration_id", "item_number"]].assign(
    ...     risk_score=world.declarations["duty_rate"])
    >>> made = compile_rules(world.declarations, scores, outcomes=world.outcomes)
    >>> made.frame()["rule_id"].tail(2).tolist()
    ['all rules', 'the model']
    """

    rules: RuleSet
    judged: RuleSet
    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per rule, then all rules together, then the model.

        Returns
        -------
        frame : DataFrame
            Of the later items: rule_id, n_items, share, n_alone (matched by no other
            rule), mean_score; with outcomes n_known, hits, hit_rate, hit_rate_low,
            hit_rate_high (Wilson, 95 %) and revenue of those inspected. The row "all
            rules" is of the items that the rules draw, "the model" of as many items
            with the highest scores.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        row = self.table[self.table["rule_id"] == "all rules"].iloc[0]
        return (
            f"CompiledRules({len(self.rules)} rules, {row['share']:.1%} of later items)"
        )


def compile_rules(
    declarations: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    outcomes: pd.DataFrame | None = None,
    rate: float = 0.05,
    max_rules: int = 12,
    later: float = 0.25,
    channel: str = "red",
) -> CompiledRules:
    """Turn the segments that a model scores highest into a few rules.

    Use it where a model cannot be served: the rules need lists of codes and reference
    prices, and nothing else.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS.
    scores : DataFrame of shape (n_items, n_columns)
        SCORES of the same items, in their order.
    outcomes : DataFrame, default=None
        OUTCOMES, to say what was found on the later items.
    rate : float, default=0.05
        Share of the items that the rules shall choose.
    max_rules : int, default=12
        Most rules.
    later : float, default=0.25
        Share of the items, the last ones, on which rules made of the others are
        judged. The rules that are returned are then made of all.
    channel : str, default="red"
        Where the rules send items.

    Returns
    -------
    compiled : CompiledRules
        The rules, and what such rules are worth on later items.

    Raises
    ------
    ArgumentError
        If an argument is outside what it allows.
    TableError
        If scores and declarations are not of the same items, or too few.

    Notes
    -----
    A regression tree learns the scores from what a rule can ask: for each code and
    trader the mean score of its earlier items (lists of values), the value per kg
    relative to the median of the code (reference prices), value, mass and duty rate.
    Its leaves with the highest mean become rules until they hold `rate` of the items;
    the last one has a rate below 1, so that they choose neither more nor less. Lists
    age: compile again when the model is fitted again.

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
    check_number("compile_rules", "rate", rate, low=1e-4, high=0.9)
    check_number("compile_rules", "max_rules", max_rules, low=1, integer=True)
    check_number("compile_rules", "later", later, low=0.05, high=0.9)
    risk = _aligned(declarations, scores)
    days = declarations["lodged_at"]
    cut = days.sort_values().iloc[int((1 - later) * (len(days) - 1))].normalize()
    early = (days < cut).to_numpy()
    if early.sum() < 200 or (~early).sum() < 50:
        raise TableError(
            "selectivity.items_too_few_earlier",
            "compile_rules: {n_days} items are too few; at least 200 earlier "
            "and 50 later ones are needed.",
            n_days=len(days),
        )
    made = []
    for part in (early, np.ones(len(days), bool)):
        past = _Past(declarations[part], risk[part])
        rules = _rules_of(past, rate, max_rules, channel)
        made.append(RuleSet(rules=tuple(rules), prices=past.prices))
    table = _judged(made[0], declarations[~early], risk[~early], outcomes)
    return CompiledRules(rules=made[1], judged=made[0], table=table)


class _Past:
    """Earlier items as numbers that a tree can part, and how to say a part."""

    def __init__(self, items: pd.DataFrame, risk: Float) -> None:
        self.risk, self.mean = risk, float(risk.mean())
        self.prices = _reference_prices(items)
        self.lists: dict[str, pd.Series] = {}
        columns: dict[str, Any] = {}
        for name in _LISTS:
            if name in items:
                told = pd.Series(risk).groupby(items[name].to_numpy(object))
                mean = (told.sum() + _PRIOR * self.mean) / (told.size() + _PRIOR)
                self.lists[name] = mean
                columns[name] = items[name].map(mean).fillna(self.mean)
        priced = items
        if self.prices:
            below = items["net_mass_kg"].astype(float)
            per_kg = items["customs_value"].astype(float) / below.where(below > 0)
            price = items["tariff_code"].map(self.prices)
            priced = items.assign(price_ratio=per_kg / price)
        for name in _NUMBERS:
            if name in priced:
                values = priced[name].astype(float)
                columns[name] = values.fillna(values.median()).fillna(0.0)
        if not columns:
            raise TableError(
                "selectivity.column_rule_could_ask",
                "compile_rules: no column that a rule could ask for.",
            )
        self.table = pd.DataFrame(columns).astype(np.float64)

    def condition(self, name: str, low: float, high: float) -> list[Condition]:
        """Return what says that low < value <= high."""
        if name not in self.lists:
            out = []
            if low > -np.inf:
                out.append(Condition(field=name, operator=">", value=_short(low)))
            if high < np.inf:
                out.append(Condition(field=name, operator="<=", value=_short(high)))
            return out
        mean = self.lists[name]
        inside = (mean > low) & (mean <= high)
        if low < self.mean <= high:  # values that are new belong inside
            strange = tuple(sorted(map(str, mean.index[~inside])))
            return [Condition(field=name, operator="not in", value=strange)]
        known = tuple(sorted(map(str, mean.index[inside])))
        return [Condition(field=name, operator="in", value=known)]


def _reference_prices(items: pd.DataFrame) -> dict[str, float]:
    """Return the median value per kg of every code with enough items."""
    if not {"customs_value", "net_mass_kg", "tariff_code"} <= set(items):
        return {}
    mass = items["net_mass_kg"].astype(float)
    per_kg = items["customs_value"].astype(float) / mass.where(mass > 0)
    told = per_kg[per_kg > 0].groupby(items["tariff_code"].astype("str"))
    kept = told.median()[told.size() >= _FEW]
    return {str(code): _short(price) for code, price in kept.items()}


def _rules_of(past: _Past, rate: float, most: int, channel: str) -> list[Rule]:
    """Return the leaves of a tree as rules, as few as asked for."""
    n = len(past.table)
    for leaves in range(most, 1, -1):
        tree = DecisionTreeRegressor(
            max_leaf_nodes=leaves,
            min_samples_leaf=max(20, int(_LEAF * n)),
            random_state=0,
        ).fit(past.table.to_numpy(), np.minimum(past.risk, _SURE))
        chosen = _strongest(tree.tree_, rate * n)
        if len(chosen) <= most:
            break
    names = [str(name) for name in past.table]
    rules = []
    for place, (leaf, share, mean) in enumerate(chosen, start=1):
        when: list[Condition] = []
        for column, (low, high) in _bounds(tree.tree_, leaf).items():
            when += past.condition(names[column], low, high)
        rules.append(
            Rule(
                rule_id=f"M{place:02d}",
                when=tuple(when) or (_always(past),),
                channel=channel,
                rate=round(share, 4),
                reason=f"mean score {mean:.3f}, all items {past.mean:.3f}",
            )
        )
    return rules


def _always(past: _Past) -> Condition:
    """Return what holds of every item, for a tree that found nothing to part."""
    name = next(iter(past.lists), "")
    if not name:
        raise ArgumentError(
            "selectivity.scores_do_differ_any",
            "compile_rules: the scores do not differ by any field.",
        )
    return Condition(field=name, operator="not in", value=())


def _strongest(tree: Any, wanted: float) -> list[tuple[int, float, float]]:
    """Return leaves by mean score until they hold enough: leaf, share taken, mean."""
    leaves = np.flatnonzero(tree.children_left < 0)
    mean = tree.value[leaves, 0, 0]
    out: list[tuple[int, float, float]] = []
    for leaf in leaves[np.argsort(-mean, kind="stable")]:
        if wanted < 1:
            break
        size = float(tree.n_node_samples[leaf])
        share = min(wanted / size, 1.0)
        out.append((int(leaf), share, float(tree.value[leaf, 0, 0])))
        wanted -= size
    return out


def _bounds(tree: Any, leaf: int) -> dict[int, tuple[float, float]]:
    """Return the interval of each column on the way to a leaf."""
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


def _judged(
    rules: RuleSet, items: pd.DataFrame, risk: Float, outcomes: pd.DataFrame | None
) -> pd.DataFrame:
    """Return figures of the rules on later items, beside those of the model."""
    table = rules.report(items, outcomes).drop(columns=["channel", "n_conflicts"])
    drawn = rules.decide(items)["selected_by"].notna().to_numpy()
    best = np.zeros(len(items), bool)
    best[np.argsort(-risk, kind="stable")[: int(drawn.sum())]] = True
    matched = [rule.matches(rules.priced(items)) for rule in rules]
    table["mean_score"] = [
        float(risk[m].mean()) if m.any() else np.nan for m in matched
    ]
    rows = []
    for name, mine in (("all rules", drawn), ("the model", best)):
        row: dict[str, Any] = {
            "rule_id": name,
            "n_items": int(mine.sum()),
            "share": float(mine.mean()),
            "n_alone": int(mine.sum()),
            "mean_score": float(risk[mine].mean()) if mine.any() else np.nan,
        }
        rows.append(row | performance(items, mine, outcomes))
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def _aligned(declarations: pd.DataFrame, scores: pd.DataFrame) -> Float:
    """Return the risk scores of the declarations; refuse those of other items."""
    if "risk_score" not in scores:
        raise TableError(
            "selectivity.scores_lacks_column_risk_score",
            "compile_rules: SCORES lacks the column 'risk_score'.",
        )
    keys = [k for k in KEY if k in declarations and k in scores]
    same = len(scores) == len(declarations) and all(
        (scores[k].to_numpy() == declarations[k].to_numpy()).all() for k in keys
    )
    if not same:
        raise TableError(
            "selectivity.scores_declarations_same_items",
            "compile_rules: {n_scores} scores for {n_declarations} "
            "declarations are not of the same items in the same order.",
            n_scores=len(scores),
            n_declarations=len(declarations),
        )
    return scores["risk_score"].to_numpy(np.float64)


def _short(value: Any) -> float:
    """Return a number with four digits, as people write it."""
    return float(f"{float(value):.4g}")
