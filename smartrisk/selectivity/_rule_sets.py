"""Rule sets: what rules decide together, and what they found."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, format_values
from smartrisk.results import Result, text_table
from smartrisk.schema import KEY, TableInput
from smartrisk.selectivity._conditions import field_values
from smartrisk.selectivity._random_draws import hash_items, unit_draws
from smartrisk.selectivity._rule_performance import match_findings
from smartrisk.selectivity._rules import Rule
from smartrisk.settings import TomlSettings
from smartrisk.tables import read_table

#: The strictest first: where several rules match, the first of these is followed.
PRECEDENCE = ("red", "yellow", "blue", "green")


@dataclass(frozen=True, kw_only=True, eq=False)
class RateShare:
    """The items that a rule matches, and the share of them that it asks for."""

    rows: NDArray[np.intp]
    rate: float


class RuleDraw(Result):
    """What the rules of a set ask for each item, with the random draw of each.

    Made by `RuleSet.draw`; a policy follows it as far as its capacity goes.

    Parameters
    ----------
    priority : ndarray of float, shape (n_items,)
        Smallest draw relative to its rate over the rules that ask for a control: below
        1 a control is asked for; infinite where no rule matches.
    channel : ndarray of str, shape (n_items,)
        Strictest channel that is asked for.
    rule_id : ndarray of str, shape (n_items,)
        Rule that is followed, or None.
    shares : sequence of RateShare
        Rows and rate of every rule that asks for a control.

    See Also
    --------
    RuleSet.decide : Decisions by rules only.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet
    >>> items = make_declarations(500, random_state=0).declarations
    >>> all_items = Condition(field="duty_rate", operator=">=", value=0.0)
    >>> rules = RuleSet(rules=(Rule(rule_id="all", when=(all_items,), rate=0.5),))
    >>> float(rules.draw(items).probability([1.0] * 500).max())
    0.5
    """

    def __init__(
        self,
        *,
        priority: NDArray[np.float64],
        channel: NDArray[np.object_],
        rule_id: NDArray[np.object_],
        shares: Sequence[RateShare],
    ) -> None:
        self._priority = priority
        self._channel = channel
        self._rule_id = rule_id
        self._shares = tuple(shares)

    @property
    def priority(self) -> NDArray[np.float64]:
        """Smallest draw relative to its rate; below 1 a control is asked for."""
        return self._priority.copy()

    @property
    def channel(self) -> NDArray[np.object_]:
        """Strictest channel that is asked for, an array of shape (n_items,)."""
        return self._channel.copy()

    @property
    def is_blue(self) -> NDArray[np.bool_]:
        """Whether only an audit after clearance is asked for, shape (n_items,)."""
        return np.asarray(self._channel == "blue")

    @property
    def rule_id(self) -> NDArray[np.object_]:
        """Rule that is followed, or None; an array of shape (n_items,)."""
        return self._rule_id.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per item.

        Returns
        -------
        frame : DataFrame
            Columns priority, channel and rule_id, in the order of the declarations.
        """
        return pd.DataFrame(
            {
                "priority": self._priority,
                "channel": pd.Series(self._channel, dtype="str"),
                "rule_id": pd.Series(self._rule_id, dtype="str"),
            }
        )

    def __repr__(self) -> str:
        """Return the number of items and of those that a rule asks for."""
        asked = int((self._priority < 1).sum())
        return f"RuleDraw({asked} of {len(self._priority)} items asked for)"

    def probability(self, bound: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that the priority of an item is below a bound.

        Parameters
        ----------
        bound : array-like of float, shape (n_items,)
            1 where every draw is followed.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            Over the draws of the item itself.
        """
        bound = np.minimum(np.asarray(bound, np.float64), 1.0)
        not_drawn = np.ones(len(bound))
        for share in self._shares:
            not_drawn[share.rows] *= 1 - bound[share.rows] * share.rate
        return np.asarray(1 - not_drawn)


class RuleReport(Result):
    """What each rule of a set covers, where rules conflict, and what they found.

    Made by `RuleSet.report`.

    Parameters
    ----------
    table : DataFrame
        One row per rule.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet
    >>> items = make_declarations(500, random_state=0).declarations
    >>> high_duty = Condition(field="duty_rate", operator=">=", value=0.2)
    >>> rules = RuleSet(rules=(Rule(rule_id="duty", when=(high_duty,)),))
    >>> rules.report(items).frame()["n_items"].item() > 0
    True
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table.copy()

    def frame(self) -> pd.DataFrame:
        """Return one row per rule.

        Returns
        -------
        frame : DataFrame
            Columns rule_id, channel, n_items, share, n_alone (matched by no other
            rule), n_conflicts (matched by a rule with another channel); with outcomes
            n_known, hits, hit_rate, hit_rate_low, hit_rate_high (Wilson, 95 %),
            revenue.
        """
        return self._table.copy()


@dataclass(frozen=True, kw_only=True, repr=False)
class RuleSet(TomlSettings):
    """Rules that apply together.

    Parameters
    ----------
    rules : tuple of Rule, default=()
        In their order; where several match, the strictest channel is followed.
    prices : mapping of str to float, default=()
        Reference prices: customs value per kg by tariff code, for "price_ratio". They
        are stored as pairs.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.selectivity import Condition, Rule, RuleSet
    >>> items = make_declarations(500, random_state=0).declarations
    >>> high_duty = Condition(field="duty_rate", operator=">=", value=0.2)
    >>> rules = RuleSet(rules=(
    ...     Rule(rule_id="duty", when=(high_duty,), channel="yellow"),))
    >>> set(rules.decide(items)["channel"]) == {"green", "yellow"}
    True
    """

    rules: tuple[Rule, ...] = ()
    prices: Mapping[str, float] | tuple[tuple[str, float], ...] = ()

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"rules": Rule}

    def __post_init__(self) -> None:
        if not isinstance(self.rules, list | tuple) or not all(
            isinstance(part, Rule | Mapping) for part in self.rules
        ):
            raise ArgumentError(
                "selectivity.rules_not_rules",
                "RuleSet: 'rules' must be a tuple of Rule; got {rules}.",
                rules=format_values([self.rules]),
            )
        rules = tuple(r if isinstance(r, Rule) else Rule(**r) for r in self.rules)
        object.__setattr__(self, "rules", rules)
        prices = tuple(sorted((str(c), float(p)) for c, p in dict(self.prices).items()))
        object.__setattr__(self, "prices", prices)
        refused = [code for code, price in prices if not 0 < price < math.inf]
        if refused:
            raise ArgumentError(
                "selectivity.prices_not_positive",
                "RuleSet: 'prices' must be finite and above 0; {n_refused} are not, "
                "such as those of {codes}.",
                n_refused=len(refused),
                codes=format_values(refused),
            )
        names = [rule.rule_id for rule in rules]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ArgumentError(
                "selectivity.rule_ids_repeated",
                "RuleSet: every rule needs its own 'rule_id'; used twice: {repeated}.",
                repeated=format_values(repeated),
            )

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over the rules."""
        return iter(self.rules)

    def __repr__(self) -> str:
        """Return the number of rules and of reference prices."""
        prices = f", {len(self._price_by_code)} prices" if self.prices else ""
        return f"RuleSet({len(self.rules)} rules{prices})"

    def _repr_html_(self) -> str:
        """Return the rules as an HTML table for a notebook."""
        columns = ["rule_id", "when", "channel", "rate", "valid", "owner", "reason"]
        rows = [
            (
                rule.rule_id,
                " and ".join(map(str, rule.when)),
                rule.channel,
                f"{100 * rule.rate:.0f} %",
                f"{rule.valid_from} – {rule.valid_to}".strip(" –"),
                rule.owner,
                rule.reason,
            )
            for rule in self.rules
        ]
        return text_table(columns, rows, repr(self))

    @property
    def _price_by_code(self) -> dict[str, float]:
        """Reference prices by tariff code."""
        return dict(self.prices)

    def decide(
        self, declarations: TableInput, *, random_state: int = 0
    ) -> pd.DataFrame:
        """Return what the rules decide.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        random_state : int, default=0
            Seed of the rates; the draw of an item depends on its key and the rule only.

        Returns
        -------
        decisions : DataFrame
            DECISIONS: channel, selected_by ("rule" where controlled), propensity (of a
            control before release), rule_id (the rule that was followed).
        """
        declarations = read_table("RuleSet.decide", "'declarations'", declarations)
        draw = self.draw(declarations, random_state=random_state)
        n = len(declarations)
        controlled = draw.priority < 1
        channel = np.full(n, "green", dtype=object)
        channel[draw.is_blue] = "blue"
        channel[controlled] = draw.channel[controlled]
        out = declarations.loc[:, [k for k in KEY if k in declarations]].copy()
        out["channel"] = channel
        by_rule = pd.Series("rule", out.index, dtype="str")
        out["selected_by"] = by_rule.where(pd.Series(controlled, out.index))
        out["propensity"] = draw.probability(np.ones(n))
        out["rule_id"] = pd.Series(draw.rule_id, out.index, dtype="str")
        return out

    def draw(self, declarations: TableInput, *, random_state: int = 0) -> RuleDraw:
        """Return what the rules ask for each item, for a policy.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        random_state : int, default=0
            Seed of the rates.

        Returns
        -------
        draw : RuleDraw
            Which items are asked for, and with which probability.
        """
        declarations = read_table("RuleSet.draw", "'declarations'", declarations)
        n = len(declarations)
        best = np.full(n, len(PRECEDENCE) - 1)
        followed = np.full(n, None, dtype=object)
        priority = np.full(n, np.inf)
        shares = []
        declarations = self.with_price_ratio(declarations)
        for rule in self.rules:
            rows = np.flatnonzero(rule.matches(declarations))
            lot = _draw_lots(declarations.iloc[rows], random_state, rule.rule_id)
            level = PRECEDENCE.index(rule.channel)
            taken = rows[(lot < rule.rate) & (level < best[rows])]
            best[taken] = level
            followed[taken] = rule.rule_id
            if rule.channel in ("red", "yellow") and rule.rate > 0:
                priority[rows] = np.minimum(priority[rows], lot / rule.rate)
                shares.append(RateShare(rows=rows, rate=rule.rate))
        return RuleDraw(
            priority=priority,
            channel=np.array(PRECEDENCE, dtype=object)[best],
            rule_id=followed,
            shares=shares,
        )

    def report(
        self, declarations: TableInput, outcomes: TableInput | None = None
    ) -> RuleReport:
        """Return what each rule covers, where rules conflict, and what they found.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        outcomes : DataFrame, default=None
            OUTCOMES of inspected items, whoever selected them.

        Returns
        -------
        report : RuleReport
            Its frame has one row per rule.
        """
        declarations = read_table("RuleSet.report", "'declarations'", declarations)
        outcomes = read_table("RuleSet.report", "'outcomes'", outcomes)
        priced = self.with_price_ratio(declarations)
        table = np.stack(
            [rule.matches(priced) for rule in self.rules] or [np.zeros(0, bool)]
        )
        findings = match_findings(declarations, outcomes)
        rows = []
        for place, rule in enumerate(self.rules):
            matched = table[place]
            row = self._coverage(table, place)
            if findings is not None:
                row |= findings.performance(matched)
            rows.append({"rule_id": rule.rule_id, "channel": rule.channel} | row)
        return RuleReport(pd.DataFrame(rows))

    def _coverage(self, table: NDArray[np.bool_], place: int) -> dict[str, float]:
        """Return how many items a rule matches, alone and against other channels."""
        matched = table[place]
        others = np.delete(table, place, axis=0)
        channel = self.rules[place].channel
        differs = [rule.channel != channel for rule in self.rules]
        return {
            "n_items": int(matched.sum()),
            "share": float(matched.mean()) if len(matched) else np.nan,
            "n_alone": int((matched & ~others.any(axis=0)).sum()),
            "n_conflicts": int((matched & table[differs].any(axis=0)).sum()),
        }

    def with_price_ratio(self, declarations: TableInput) -> pd.DataFrame:
        """Return the declarations with their price ratio, where a rule asks for it.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.

        Returns
        -------
        priced : DataFrame
            With a column ``price_ratio``; as given where no rule asks for it.
        """
        declarations = read_table(
            "RuleSet.with_price_ratio", "'declarations'", declarations
        )
        if not any(c.field == "price_ratio" for rule in self.rules for c in rule.when):
            return declarations
        price = declarations["tariff_code"].map(self._price_by_code).astype(float)
        ratio = field_values(declarations, "value_per_kg") / price
        return declarations.assign(price_ratio=ratio)

    def settings(self) -> dict[str, Any]:
        """Return the prices and rules as plain values for TOML.

        Returns
        -------
        settings : dict
            "prices" where there are any, and "rules" without their empty texts.
        """
        plain = super().settings()
        rules = [{k: v for k, v in r.items() if v != ""} for r in plain["rules"]]
        prices = {"prices": self._price_by_code} if self.prices else {}
        return prices | {"rules": rules}


def _draw_lots(
    declarations: pd.DataFrame, random_state: int, rule_id: str
) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each item, by its key, the seed and the rule."""
    return unit_draws(
        hash_items(declarations, random_state + zlib.crc32(rule_id.encode()) * 2**32)
    )
